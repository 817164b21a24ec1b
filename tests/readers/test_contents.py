"""Bundles of every type, versions and duplicates, references of every form, and whose record it is."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from precaution import assess
from precaution.errors import InputError, MixedPatients, NoPatient
from precaution.readers import read_resources
from precaution.values.interval import EVERYTHING, Interval
from precaution.values.record import Record
from support.fhir_builders import (
    ASKS,
    CLOT,
    TERMS,
    administration,
    bundle,
    code,
    condition,
    day,
    entries,
    ignored,
    immunization,
    observation,
    only,
    patient,
    quantity,
    record,
    report,
    request,
    response,
)
from support.hook_calls import example
from support.small_people import put

if TYPE_CHECKING:
    from pathlib import Path

    from support.ndjson_sources import Json

COUNT = quantity(2.5, "10*9/L")


def read(*resources: object) -> Record:
    return read_resources(list(resources), TERMS, ASKS)  # type: ignore[arg-type]


# Bundles


@pytest.mark.parametrize("kind", ["collection", "searchset", "transaction", "document", "batch", "history", None])
def test_bundles_of_every_type(kind: str | None) -> None:
    whole = bundle(patient(), condition(), type=kind)  # type: ignore[arg-type]
    found = read(whole)
    assert list(found.entries) == ["clot"]
    assert found.lists == {"condition"}


def test_bundles_in_bundles() -> None:
    inner = bundle(patient(), condition())
    for _ in range(2000):
        inner = bundle(inner)
    assert "clot" in read(inner).entries


def test_deleted_in_a_transaction() -> None:
    whole = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": patient(), "request": {"method": "PUT", "url": "Patient/p"}},
            {"request": {"method": "DELETE", "url": "Condition/x"}},
            {"resource": condition("y"), "request": {"method": "DELETE", "url": "Condition/y"}},
        ],
    }
    found = read(whole, observation())
    assert "clot" not in found.entries
    assert found.lists == {"result"}


@pytest.mark.parametrize(
    "extra",
    [
        {"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "x?page=2"}]},
        {"type": "searchset", "total": 200},
    ],
)
def test_one_page_of_several_has_no_complete_list(extra: dict[str, object]) -> None:
    found = read(bundle(patient(), condition(), **extra))  # type: ignore[arg-type]
    assert found.lists == frozenset()
    assert "clot" in found.entries
    assert ("Bundle", "the bundle is one page of several; give all pages for complete lists") in found.ignored


def test_total_that_says_all_is_there() -> None:
    assert read(bundle(patient(), condition(), type="searchset", total=2)).lists == {"condition"}


@pytest.mark.parametrize(("severity", "lists"), [("information", {"condition"}), ("error", set())])
def test_messages_of_a_search(severity: str, lists: set[str]) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity}]}
    found = read(bundle(patient(), condition(), outcome, type="searchset"))
    assert found.lists == lists
    assert "OperationOutcome" in {each.source for each in found.ignored}


@pytest.mark.parametrize(
    "broken",
    [
        None,
        1,
        "Condition",
        [],
        {},
        {"resource": None},
        {"resource": "x"},
        {"resource": {}},
        {"fullUrl": "urn:uuid:1"},
        {"resource": {"resourceType": "Conditio"}},
        {"resource": {"resourceType": None}},
        {"resource": {"id": "x"}},
        {"request": {"method": "PUT"}, "resource": 5},
    ],
)
def test_an_entry_that_may_have_been_anything_leaves_no_list_complete(broken: object) -> None:
    whole = bundle(patient(), condition())
    whole["entry"].append(broken)
    found = read(whole)
    assert found.lists == frozenset()
    assert found.ignored
    assert "clot" in found.entries


def test_types_that_do_not_matter_are_left_out_in_silence() -> None:
    others = [{"resourceType": kind, "id": "x"} for kind in ("Claim", "Encounter", "AllergyIntolerance", "Device")]
    assert record(*others, condition()) == record(condition())


# Versions and duplicates


def test_the_same_resource_twice_counts_once() -> None:
    assert len(entries(condition(), condition())) == 1
    assert len(entries({**condition(), "id": None}, {**condition(), "id": None})) == 1


def test_the_latest_version_counts() -> None:
    old = observation(valueQuantity=COUNT, meta={"lastUpdated": "2024-05-02T01:00:00+02:00"})
    new = observation(valueQuantity=quantity(3, "10*9/L"), meta={"lastUpdated": "2024-05-02T00:00:00Z"})
    for order in itertools.permutations([old, new]):
        assert only(*order).value == Interval(3, 3)
    numbered = [observation(valueQuantity=quantity(n, "10*9/L"), meta={"versionId": str(n)}) for n in (9, 10, 2)]
    for order in itertools.permutations(numbered):
        assert only(*order).value == Interval(10, 10)


def test_versions_that_can_not_be_ordered_all_count() -> None:
    two = [observation(valueQuantity=quantity(n, "10*9/L")) for n in (1, 2)]
    assert [entry.value for entry in entries(*two)] == [Interval(1, 1), Interval(2, 2)]
    assert entries(*two) == entries(*reversed(two))


def test_history() -> None:
    def entry(resource: object, method: str, when: str | None = None, url: str = "") -> dict[str, object]:
        return {
            "request": {"method": method, "url": url},
            **({"resource": resource} if resource else {}),
            **({"response": {"lastModified": when}} if when else {}),
        }

    history = [
        entry(patient(), "PUT", "2024-01-01T00:00:00Z"),
        entry(None, "DELETE", "2024-03-01T00:00:00Z", "Condition/gone"),
        entry(condition("gone"), "PUT", "2024-01-01T00:00:00Z"),
        entry(condition("back"), "PUT", "2024-04-01T00:00:00Z"),
        entry(None, "DELETE", "2024-03-01T00:00:00Z", "http://x/Condition/back"),
    ]
    for order in (history, history[::-1]):
        found = read({"resourceType": "Bundle", "type": "history", "entry": order})
        assert [each.source for each in found.entries["clot"]] == ["Condition/back"]
    undated = [entry(None, "DELETE", None, "Condition/x"), entry(condition("x"), "PUT"), entry(patient(), "PUT"), 7]
    assert "clot" not in read({"resourceType": "Bundle", "type": "history", "entry": undated}).entries


# Whose record


def test_no_patient() -> None:
    with pytest.raises(NoPatient):
        read(bundle(condition()))
    with pytest.raises(NoPatient):
        read({"resourceType": "Bundle"})


@pytest.mark.parametrize("other", [patient("q"), patient(None, gender="male"), patient(None)])
def test_two_patients(other: object) -> None:
    with pytest.raises(MixedPatients):
        read(patient(), other)


def test_two_nameless_patients() -> None:
    with pytest.raises(MixedPatients):
        read(patient(None), patient(None, gender="male"))


def test_the_same_patient_twice() -> None:
    assert read(patient(), patient()).birth == Interval(day("1960-02-03"), day("1960-02-03"))
    new = patient(birthDate="1970-01-01", meta={"lastUpdated": "2024-01-01T00:00:00Z"})
    old = patient(meta={"lastUpdated": "2020-01-01T00:00:00Z"})
    assert read(new, old).birth == Interval(day("1970-01-01"), day("1970-01-01"))
    assert read(patient(), patient(birthDate="1970-01-01")).birth == Interval(day("1960-02-03"), day("1970-01-01"))
    assert read(patient(), patient(birthDate=None)).birth is None


@pytest.mark.parametrize(
    ("birth", "days"),
    [
        ("1960-02-03", ("1960-02-03", "1960-02-03")),
        ("1960-02", ("1960-02-01", "1960-02-29")),
        ("1960", ("1960-01-01", "1960-12-31")),
    ],
)
def test_birth(birth: str, days: tuple[str, str]) -> None:
    assert read(patient(birthDate=birth)).birth == Interval(day(days[0]), day(days[1]))


@pytest.mark.parametrize("birth", ["0000-01-01", "1960-02-30", "yesterday", "", 1960, None, {"x": 1}])
def test_birth_that_can_not_be_read(birth: object) -> None:
    found = read(patient(birthDate=birth))
    assert found.birth is None
    assert bool(found.ignored) is (birth is not None)


def test_birth_that_is_said_to_be_missing() -> None:
    assert read({"resourceType": "Patient", "id": "p", "_birthDate": {"extension": [{"url": "x"}]}}).birth is None


@pytest.mark.parametrize(
    ("elements", "died"),
    [
        ({}, None),
        ({"deceasedBoolean": False}, None),
        ({"deceasedBoolean": True}, EVERYTHING),
        ({"deceasedDateTime": "2024-05-01T10:00:00Z"}, Interval(day("2024-05-01"), day("2024-05-01"))),
        ({"deceasedDateTime": "2024"}, Interval(day("2024-01-01"), day("2024-12-31"))),
        ({"deceasedDateTime": "in May"}, EVERYTHING),
    ],
)
def test_death(elements: dict[str, object], died: Interval | None) -> None:
    assert read(patient(**elements)).died == died


PATIENT = patient(identifier=[{"system": "urn:hospital", "value": "77"}])
OURS = [
    {"reference": "Patient/p"},
    {"reference": "http://server/fhir/Patient/p"},
    {"reference": "Patient/p/_history/3"},
    {"reference": "urn:uuid:p"},
    {"reference": "urn:uuid:1f"},
    {"reference": "Patient?identifier=urn:hospital|77"},
    {"reference": "Patient?identifier=urn%3Ahospital%7C77"},
    {"identifier": {"system": "urn:hospital", "value": "77"}},
    {"display": "somebody"},
    {"reference": "#me"},
    None,
]


@pytest.mark.parametrize("subject", OURS)
def test_references_to_the_patient(subject: object) -> None:
    me = {"resourceType": "Patient", "id": "me", "identifier": PATIENT["identifier"]}
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:1f", "resource": PATIENT},
            {"resource": condition(subject=subject, contained=[me])},
        ],
    }
    found = read(whole)
    assert list(found.entries) == ["clot"]
    assert found.lists == {"condition"}


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/q"},
        {"reference": "http://server/Patient/q"},
        {"reference": "Patient/q/_history/1"},
        {"reference": "https://server/77", "type": "Patient"},
    ],
)
def test_references_to_another_patient(subject: object) -> None:
    for resource in (
        condition(subject=subject),
        observation(subject=subject),
        immunization(patient=subject),
        response(subject=subject),
        report(subject=subject),
        request(subject=subject),
    ):
        with pytest.raises(MixedPatients, match=resource["resourceType"]):
            read(PATIENT, resource)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "urn:uuid:9"},
        {"reference": "Patient?identifier=urn:hospital|78"},
        {"reference": "Patient?name=x"},
        {"identifier": {"system": "urn:hospital", "value": "78"}},
        {"reference": "#child"},
        {"reference": "#none"},
        {},
        "Patient/p",
        [],
        3,
    ],
)
def test_subjects_that_can_not_be_told_leave_no_list_complete(subject: object) -> None:
    child = {"resourceType": "Patient", "id": "child"}
    found = read(PATIENT, condition("a"), condition("b", subject=subject, contained=[child]))
    certain = {each.source: each.certainty for each in found.entries["clot"]}
    assert certain == {"Condition/a": "certain", "Condition/b": "mentioned"}, "it may be the patient's: a doubt"
    assert [each.source for each in found.ignored] == ["Condition/b"]
    assert found.lists == frozenset()


def test_subjects_that_are_no_patients() -> None:
    group = {"resourceType": "Group", "id": "herd"}
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": patient()},
            {"fullUrl": "urn:uuid:5", "resource": group},
            {"resource": observation("a", subject={"reference": "urn:uuid:5"})},
            {"resource": observation("b", subject={"reference": "Device/5"})},
            {"resource": observation("c")},
        ],
    }
    found = read(whole)
    assert [each.why for each in found.ignored] == [
        "its subject is a Group, not the patient",
        "its subject is a Device, not the patient",
    ]
    assert found.lists == {"result"}


def test_a_patient_without_an_id_is_who_all_refer_to() -> None:
    assert "clot" in read(patient(None), condition("a"), condition("b")).entries
    with pytest.raises(MixedPatients):
        read(patient(None), condition("a"), condition("b", subject={"reference": "Patient/q"}))


def test_family_history_is_no_diagnosis() -> None:
    family = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "patient": {"reference": "Patient/p"},
        "condition": [{"code": CLOT}],
    }
    assert entries(family) == []
    assert ignored(family) == [("FamilyMemberHistory/f", "family history is no diagnosis of the patient")]


# Names and order


def test_names_of_entries_do_not_depend_on_order() -> None:
    nameless = [{**condition(), "id": None, "recordedDate": f"2024-05-0{n}"} for n in (1, 2)]
    sources = {entry.source for entry in entries(*nameless)}
    assert sources == {entry.source for entry in entries(*reversed(nameless))}
    assert len(sources) == 2
    assert all(source.startswith("Condition#") for source in sources)


def test_names_by_full_url_and_never_free_text() -> None:
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": patient()},
            {"fullUrl": "urn:uuid:0d1c", "resource": {**condition(), "id": None}},
            {"fullUrl": "http://x/Condition/7", "resource": {**condition(), "id": "Jane <b>Doe</b>"}},
        ],
    }
    assert {entry.source for entry in read(whole).entries["clot"]} == {"Condition/0d1c", "Condition/7"}
    odd = only(condition("Jane <b>Doe</b>"))
    assert odd.source.startswith("Condition#")


def test_order_changes_nothing() -> None:
    some = [
        patient(),
        condition("a"),
        condition("b", code=code(None, "x", "thrombosis")),
        observation("c"),
        observation("d", valueQuantity=COUNT),
        request("e"),
        administration("f"),
        immunization("g"),
        observation("h", status="cancelled"),
        {**observation("i"), "id": None, "effectiveDateTime": None},
        report("r", effectiveDateTime="2024-02", result=[{"reference": "Observation/c"}]),
    ]
    expected = read(*some)
    shuffle = random.Random(7)  # noqa: S311  the same every time
    for _ in range(20):
        shuffle.shuffle(some)
        assert read(*some) == expected
        assert read(bundle(*some), some[0]) == expected


def test_a_modifier_extension_makes_an_entry_a_doubt() -> None:
    extension = [{"url": "http://x/negated", "valueBoolean": True}]
    for resource in (
        condition(modifierExtension=extension),
        request(modifierExtension=extension),
        observation(valueQuantity=COUNT, modifierExtension=extension),
    ):
        entry = only(resource)
        assert (entry.certainty, entry.value, entry.result) == ("mentioned", None, "")
        assert "modifier" in entry.note


def test_errors_are_input_errors() -> None:
    assert issubclass(NoPatient, InputError)
    assert issubclass(MixedPatients, InputError)


def nobodys(resource: dict[str, object]) -> dict[str, object]:
    return {**resource, "subject": {"reference": "urn:uuid:9"}}


def test_a_list_of_whom_can_not_be_told_leaves_doubts_of_what_it_contains() -> None:
    inner = {key: value for key, value in condition("c").items() if key != "subject"}
    found = read(PATIENT, condition("a"), nobodys({"resourceType": "List", "id": "l", "contained": [inner]}))
    doubt = {each.source: each.certainty for each in found.entries["clot"]}
    assert doubt == {"Condition/a": "certain", "List/l": "mentioned"}
    assert "condition" not in found.lists


def test_the_reasons_of_a_resource_of_whom_can_not_be_told_are_doubts() -> None:
    visit = {"resourceType": "Encounter", "id": "v", "reasonCode": [CLOT], "period": {"start": "2024-05-01"}}
    assert [each.certainty for each in read(PATIENT, nobodys(visit)).entries["clot"]] == ["mentioned"]


def exported(folder: Path, **lists: object) -> Path:
    """Write the patient `ready` as a bulk export of that one: a file for each type, and the manifest."""
    output = []
    for kind in sorted({str(each["resourceType"]) for each in example("ready")}):
        found = [each for each in example("ready") if each["resourceType"] == kind]
        put(folder, *found, name=f"{kind}.ndjson")
        output.append({"type": kind, "url": f"https://x/{kind}.ndjson", "count": len(found)})
    manifest = {"transactionTime": "2025-03-01T00:00:00Z", "requiresAccessToken": True, "output": output, **lists}
    put(folder, manifest, name="manifest.json")
    return folder


def test_the_manifest_of_an_export_is_no_part_of_the_record(tmp_path: Path) -> None:
    folder = exported(tmp_path, deleted=[], error=[])
    put(folder, {"exportId": "e", "eventId": "kickoff"}, name="log.ndjson")
    assert assess(folder, today="2025-03-01").action == "clear"


@pytest.mark.parametrize(
    "lists",
    [
        {"output": [{"type": "Procedure", "url": "https://x/other.ndjson"}]},
        {"output": [{"type": "Observation", "url": "https://x/Observation.ndjson", "count": 999}]},
        {"error": [{"type": "OperationOutcome", "url": "https://x/error.ndjson"}]},
        {"deleted": [{"type": "Bundle", "url": "https://x/deleted.ndjson"}]},
        {"link": [{"relation": "next", "url": "https://x/2"}]},
    ],
)
def test_what_a_manifest_lists_and_is_not_here_leaves_no_list_complete(tmp_path: Path, lists: Json) -> None:
    folder = exported(tmp_path, **lists)
    if lists.get("output", [{}])[0].get("type") == "Procedure":
        (folder / "Procedure.ndjson").unlink(missing_ok=True)
    assert assess(folder, today="2025-03-01").action == "obtain"
