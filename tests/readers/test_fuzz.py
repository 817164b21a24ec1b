"""Hostile and broken input: whatever the JSON, a Record or a clear error."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.errors import PrecautionError
from precaution.readers import read_bytes, read_resources
from precaution.values.record import UNREADABLE, Record
from support.effort import tries
from support.fhir_builders import (
    ASKS,
    DRUG,
    LOINC,
    SNOMED,
    TERMS,
    administration,
    bundle,
    code,
    condition,
    dispense,
    immunization,
    observation,
    patient,
    procedure,
    quantity,
    report,
    request,
    response,
    service,
    statement,
)

REST = {"meta": {"lastUpdated": "2024-01-01T00:00:00Z", "versionId": "1"}}
WHOLE = bundle(
    patient(identifier=[{"system": "s", "value": "v"}], deceasedBoolean=False),
    condition(recordedDate="2024-05-02", abatementPeriod={"start": "2024-06-01", "end": "2024-06-02"}, **REST),
    condition("age", onsetAge={"value": 50, "code": "a"}, onsetDateTime=None, code={"text": "tuberculosis"}),
    observation(
        valueQuantity=quantity(2.5, "10*9/L", "<"),
        issued="2024-05-02T00:00:00Z",
        referenceRange=[{"high": quantity(8, "10*9/L"), "type": code("x", "normal")}],
    ),
    observation(
        "panel",
        code=code(LOINC, "58410-2"),
        effectiveDateTime=None,
        effectiveTiming={"event": ["2024-05-01"]},
        component=[{"code": code(LOINC, "718-7"), "valueString": "8 g/dL"}],
    ),
    observation("habit", code=code(LOINC, "72166-2"), valueCodeableConcept=code(SNOMED, "77176002")),
    observation("range", effectiveDateTime=None, valueRange={"low": quantity(1, "/uL"), "high": quantity(2, "/uL")}),
    report(
        result=[{"reference": "Observation/range"}],
        effectivePeriod={"start": "2024-05-01", "end": "2024-05-02"},
        contained=[{"resourceType": "Observation", "id": "in", "code": code(LOINC, "751-8")}],
    ),
    procedure(),
    immunization(),
    service(),
    administration(),
    request(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#m"},
        contained=[{"resourceType": "Medication", "id": "m", "ingredient": [{"itemCodeableConcept": DRUG}]}],
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": "2024-05-01"}}}}],
    ),
    statement(effectivePeriod={"start": "2024-05-01"}),
    dispense(daysSupply={"value": 30, "unit": "d"}),
    response(item=[{"linkId": "A1", "answer": [{"valueBoolean": True}]}]),
    {
        "resourceType": "Composition",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "section": [{"code": code(LOINC, "11450-4"), "emptyReason": code("x", "nilknown")}],
    },
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["Patient/p", "2024", "#m", "urn:uuid:p", "entered-in-error"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["coding", "code", "system", "value", "reference", "resourceType", "start", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += places(inner, (*path, key))
    return found


PLACES = places(WHOLE)


def changed(path: tuple[Any, ...], new: object, *, remove: bool) -> dict[str, Any]:
    whole = copy.deepcopy(WHOLE)
    parent: Any = whole
    for key in path[:-1]:
        parent = parent[key]
    if remove:
        del parent[path[-1]]
    else:
        parent[path[-1]] = new
    return whole


def read(whole: dict[str, Any]) -> Record | None:
    try:
        return read_resources([whole], TERMS, ASKS)
    except PrecautionError:
        return None


def test_the_whole_can_be_read() -> None:
    found = read(WHOLE)
    assert found is not None
    assert len(found.entries) == 10
    assert found.lists == {"condition", "result", "medication", "procedure", "immunization"}


def test_any_part_may_be_missing_or_null() -> None:
    for path in PLACES:
        read(changed(path, None, remove=True))
        read(changed(path, None, remove=False))


@given(st.sampled_from(PLACES), anything)
@settings(max_examples=tries(100, 600), deadline=None)
def test_any_part_may_be_anything(path: tuple[Any, ...], new: object) -> None:
    read(changed(path, new, remove=False))


@given(st.lists(st.tuples(st.sampled_from(PLACES), scalars), min_size=2, max_size=5))
@settings(max_examples=tries(50, 200), deadline=None)
def test_several_parts_may_be_anything(changes: list[tuple[tuple[Any, ...], object]]) -> None:
    whole = copy.deepcopy(WHOLE)
    for path, new in changes:
        parent: Any = whole
        try:
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = new
        except (KeyError, TypeError, IndexError):
            continue
    read(whole)


@given(anything)
@settings(deadline=None)
def test_any_json_is_read_or_refused(value: object) -> None:
    with suppress(PrecautionError):
        read_bytes(json.dumps([patient(), value]).encode(), TERMS, ASKS)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(PrecautionError):
        read_bytes(data, TERMS, ASKS)


def test_a_cut_file_is_refused() -> None:
    data = json.dumps(WHOLE).encode()
    for end in range(1, len(data) - 1, 997):
        try:
            read_bytes(data[:end], TERMS, ASKS)
        except PrecautionError:
            continue
        raise AssertionError(end)


@given(st.sampled_from([path for path in PLACES if path[:2] == ("entry", 1) and len(path) > 3]), scalars)
@settings(deadline=None)
def test_a_broken_diagnosis_never_leaves_a_complete_list_without_it(path: tuple[Any, ...], new: object) -> None:
    """Whatever happens to a diagnosis, it stays, or is a doubt, or is said to be ignored, or no list is complete."""
    found = read(changed(path, new, remove=False))
    if found is not None and "condition" in found.lists:
        kept = {entry.source for name in ("clot", UNREADABLE["condition"]) for entry in found.entries.get(name, ())}
        assert kept or found.ignored


def test_the_input_is_left_as_it_was() -> None:
    before = copy.deepcopy(WHOLE)
    read(WHOLE)
    assert before == WHOLE
