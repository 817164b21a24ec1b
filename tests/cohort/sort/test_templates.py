"""Lines that fit a template go where parsing says that they go: line by line, whatever the lines are."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.cohort.sort import irrelevant, template_regex, templates
from precaution.cohort.sort.irrelevant import LOOKED_AT, Irrelevance
from precaution.cohort.sort.routing import Router
from precaution.cohort.sort.templates import SEEN, LineTemplate, LineTemplates
from support.effort import tries
from support.ndjson_sources import LABEL, Json, resources_of
from support.project import PROJECT

IRRELEVANCE = Irrelevance(LABEL.terminology)
Where = tuple[int, str, str, str, bytes]


class Counted(LineTemplates):
    """Counts the lines that fit a template."""

    def __init__(self) -> None:
        super().__init__()
        self.matched = 0

    def match(self, line: bytes) -> tuple[LineTemplate, re.Match[bytes]] | None:
        found = super().match(line)
        self.matched += found is not None
        return found


def parsed(lines: Iterable[bytes], *, keep_all: bool = False) -> tuple[list[Where], Counter[tuple[str, str, str]]]:
    """Return where each line belongs, and what was dropped, by parsing each."""
    router, found, dropped = Router(IRRELEVANCE, keep_all=keep_all), [], Counter[tuple[str, str, str]]()
    for number, line in enumerate(lines, 1):
        for route, data in router.routes_of(line) if line else ():
            if route.to == "dropped":
                dropped[route.kind, route.key, route.name] += 1
            else:
                found.append((number, route.to, route.key, route.kind, data))
    return found, dropped


def by_templates(
    lines: Iterable[bytes],
    known: LineTemplates,
    *,
    keep_all: bool = False,
) -> tuple[list[Where], Counter[tuple[str, str, str]]]:
    """Return the same by templates, and by parsing only where there is none."""
    router = Router(IRRELEVANCE, keep_all=keep_all, templates=known)
    found = [(number, route.to, route.key, route.kind, data) for number, route, data in router.routed(lines)]
    return found, Counter((kind, key, name.decode()) for kind, key, names in router.dropped() for name in names)


def learned(lines: Iterable[bytes]) -> Counted:
    """Return the templates of lines, each of which was met often enough."""
    known = Counted()
    by_templates((line for line in lines for _ in range(SEEN)), known)
    known.matched = 0
    return known


def written(resource: object, spaced: bool = False) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=None if spaced else (",", ":")).encode()


def observation(**more: object) -> Json:
    return {
        "resourceType": "Observation",
        "id": "o-1",
        "meta": {"profile": ["http://example.org/a", "http://example.org/b"]},
        "status": "final",
        "category": [{"coding": [{"system": "http://example.org/c", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "39156-5", "display": "BMI"}], "text": "BMI"},
        "subject": {"reference": "Patient/p-1", "display": "nobody"},
        "effectiveDateTime": "2025-01-01",
        "valueQuantity": {"value": 27.5, "unit": "kg/m2"},
        "note": [{"text": 'a "quoted" word'}],
        **more,
    }


def other(kind: str, **more: object) -> Json:
    """Return a resource of which no code list knows the code."""
    subject, code = ("patient", "vaccineCode") if kind == "Immunization" else ("subject", irrelevant._KEYS[kind])
    return {
        "resourceType": kind,
        "id": "x-1",
        subject: {"reference": "Patient/p-1"},
        code: {"coding": [{"system": "http://snomed.info/sct", "code": "22253000", "display": "Something"}]},
        **more,
    }


EXAMPLES = {  # one for each set of keys
    tuple(each): {**each, key: {"reference": "Patient/p-1"}}
    for file in sorted((PROJECT / "examples").glob("*.json"))
    for each in resources_of(file)
    if each["resourceType"] in {*LOOKED_AT, "DiagnosticReport", "MedicationDispense"}
    for key in ["patient" if each["resourceType"] == "Immunization" else "subject"]
}
CONFIRMED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]}
BASES = [
    *(written(each) for each in EXAMPLES.values()),
    written(other("Procedure", status="completed", performedDateTime="2020")),
    written(other("Immunization", status="completed", occurrenceDateTime="2020")),
    written(other("MedicationRequest", status="stopped", intent="order", requester={"reference": "Practitioner/1"})),
    written(other("Condition", clinicalStatus={"coding": [{"code": "active"}]}, verificationStatus=CONFIRMED)),
    written(observation()),
    written(observation(), spaced=True),
    written(observation(component=[{"code": observation()["code"], "valueQuantity": {"value": 1}}] * 2)),
    written(observation(status="amended")),
    written(
        {
            "resourceType": "ExplanationOfBenefit",
            "id": "e",
            "patient": {"reference": "Patient/p-1"},
            "contained": [
                {"resourceType": "ServiceRequest", "id": "s", "subject": {"reference": "Patient/p-1"}},
                {"resourceType": "Coverage", "id": "c", "beneficiary": {"reference": "Patient/p-1"}},
            ],
            "item": [{"sequence": 1, "net": {"value": 2}}, {"sequence": 2, "net": {"value": 3}, "area": "x"}],
        }
    ),
    written(
        {
            "resourceType": "DiagnosticReport",
            "id": "r",
            "status": "final",
            "subject": {"reference": "Patient/p-1"},
            "result": [{"reference": f"Observation/{number}"} for number in range(4)],
        }
    ),
]
KNOWN = learned(BASES)


def agree(lines: list[bytes], known: LineTemplates) -> None:
    for keep_all in (False, True):
        assert by_templates(lines, known, keep_all=keep_all) == parsed(lines, keep_all=keep_all)


# What has a template


def test_lines_that_fit_a_template_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        written(
            observation(
                id=f"o-{number}",
                effectiveDateTime=f"2025-01-{number:02}",
                subject={"reference": f"Patient/p-{number % 3}", "display": "somebody"},
            )
        )
        for number in range(1, 20)
    ]
    expected = parsed(others)
    known = learned([written(observation())])
    monkeypatch.setattr(Router, "routes_of", None)
    assert by_templates(others, known) == expected
    assert (known.matched, sum(expected[1].values())) == (19, 16)


@pytest.mark.parametrize(
    "more",
    [
        {"effectiveDateTime": "1999"},
        {"valueQuantity": {"value": -3, "unit": ""}},
        {"id": "A.b-9"},
        {"meta": {"profile": ["http://example.org/a"] * 9}},
        {"note": [{"text": "other \\ words / \n"}]},
        {"note": [{"text": "ü"}]},
    ],
)
def test_what_may_differ_within_a_template(more: Json) -> None:
    known = learned([written(observation())])
    assert known.match(written(observation(**more))) is not None


@pytest.mark.parametrize(
    "more",
    [
        {"issued": "2025"},
        {"valueQuantity": {"value": "3", "unit": "x"}},
        {"valueQuantity": {"value": 1e300, "unit": "x"}},
        {"meta": {"profile": []}},
        {"subject": {"reference": "urn:uuid:1", "display": "x"}},
        {"id": 7},
        {"id": ""},
        {"id": "a b"},
        {"effectiveDateTime": None},
        {"note": [{"text": "\x7f\ud83d"}]},
    ],
)
def test_what_is_another_template(more: Json) -> None:
    known = learned([written(observation())])
    line = json.dumps(observation(**more), separators=(",", ":")).encode()
    assert known.match(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"},"a":"\\u0041"}',
        b'{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"},"\\/":1}',
        b'{"resourceType":"Observation","id":"o","subject":{"reference":"http://x/Patient/p"}}',
        b'{"resourceType":"Observation","id":"o","subject":{"display":"x"}}',
        b'{"resourceType":"Observation","id":"o","subject":[{"reference":"Patient/p"}]}',
        b'{"resourceType":"Observation","id":" o","subject":{"reference":"Patient/p"}}',
        b'[{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"}}]',
        b'{"resourceType":"Patient","id":"p"}',
        b'{"resourceType":"Encounter","id":"p","subject":{"reference":"Patient/p"}}',
        b'{"resourceType":"Group","id":"p","subject":{"reference":"Patient/p"}}',
    ],
)
def test_what_is_unusual_is_always_parsed(line: bytes) -> None:
    assert learned([line] * 3).match(line) is None


def test_a_line_that_is_no_utf_8_does_not_go_by_its_template() -> None:
    known, line = learned([written(observation())]), written(observation(note=[{"text": "ü"}]))
    assert known.match(line) is not None
    agree([line, line.replace("ü".encode(), b"\xfc"), line.replace("ü".encode(), b"\xed\xa0\x80")], known)


def test_keys_in_another_order_are_another_template_and_are_learned() -> None:
    turned = [
        dict(sorted(observation(id=f"o-{number}").items(), reverse=turn))
        for number in range(9)
        for turn in (True, False)
    ]
    known = Counted()
    agree([written(each) for each in turned], known)
    assert known.matched > 10


@pytest.mark.parametrize(("bound", "most"), [("MOST", 3_000), ("TRIED", 5)])
def test_what_is_remembered_has_a_bound(bound: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, bound, most)
    monkeypatch.setattr(templates, "_ROOM", 70)
    lines = [written(observation(**{f"x{number % 50}": 1, "code": {"text": str(number)}})) for number in range(400)]
    known = learned(lines)
    agree(lines, known)
    assert 1 < sum(map(len, known._by_start.values())) <= 5
    assert all(len(each.destinations) <= 70 for found in known._by_start.values() for each in found)


def test_elements_of_an_array_may_come_in_any_number_and_order() -> None:
    one, other = {"a": 1}, {"b": "x", "c": [True]}
    known = learned([written(observation(x=[one, other, one], y=[]))])
    for array in ([one], [other], [one] * 9, [other, other, one], [{"a": 7.5}]):
        assert known.match(written(observation(x=array, y=[]))) is not None
    for array in ([], [{"b": 1}], [[one]], [one, {"b": "x", "c": [False]}], [{**one, **other}], [None]):
        assert known.match(written(observation(x=array, y=[]))) is None
    assert known.match(written(observation(x=[one], y=[one]))) is None
    assert known.match(written(observation(x=[one, one], y=[])).replace(b"},{", b"}, {")) is None


ARRAYS = ["[1,]", "[,1]", "[1,,1]", "[1 1]", "[1, ]", "[1,\t]", "[ ,]", "[", "[1", "[1,1", "1]", "[]]"]


@pytest.mark.parametrize("array", ARRAYS)
def test_what_is_no_array_fits_none(array: str) -> None:
    known = learned([written(observation(x=[1, 1])), written(observation(x=[1, 1]), spaced=True)])
    lines = [written(observation(x="?"), spaced).replace(b'"?"', array.encode()) for spaced in (True, False)]
    assert [known.match(line) for line in lines] == [None, None]
    agree(lines, known)


@pytest.mark.parametrize("inner", ['{"a":', "["])
@pytest.mark.parametrize("depth", [20, 100, 180, 300])
def test_deeply_nested_lines_cost_no_more_than_others(inner: str, depth: int) -> None:
    nested = inner * depth + "1" + {"[": "]", "{": "}"}[inner[0]] * depth
    line = written(observation(x="?")).replace(b'"?"', nested.encode())
    known = Counted()
    agree([line] * 9, known)
    assert known._size < 20 * len(line)


def test_no_template_is_made_of_a_very_long_line() -> None:
    line = written(observation(note=[{"text": "x" * template_regex.LONGEST}]))
    assert learned([line]).match(line) is None
    agree([line] * 5, LineTemplates())


def test_of_a_type_that_is_not_looked_at_a_resource_that_contains_others_has_a_template_too() -> None:
    """A line that begins like it, but has another resource stuck to it, is no such line."""
    line = next(each for each in BASES if b"ExplanationOfBenefit" in each)
    known = learned([line])
    assert known.match(line) is not None
    glued = [line + BASES[0], line[:-1] + BASES[0] + b"}", line[:120] + BASES[0], line[:-1] + b',"id":"twice"}']
    assert [known.match(each) for each in glued] == [None] * 4
    agree([line, *glued], known)


# Agreement


def test_the_shared_data_line_by_line(shared: Path) -> None:
    """Every line, in its order and in another; the numbers are of lines, and of those that were not parsed."""
    files = sorted((shared / "data").glob("synthea-*/*.ndjson"))
    lines = [line for file in files for line in file.read_bytes().split(b"\n")]
    known = Counted()
    agree(lines, known)
    Random(7).shuffle(lines)  # noqa: S311 - the order is all that matters
    agree(lines, known)
    print(f"{4 * len(lines)} lines compared, {known.matched} of them fit a template")  # noqa: T201
    assert known.matched > 2 * len(lines)


def test_synthetic_lines_with_every_disguise(tmp_path: Path) -> None:
    from precaution.cli import run

    assert run(["demo-cohort", "60", "--out", str(tmp_path / "d"), "--today", "2025-03-01", "--form", "ndjson"]) == 0
    lines = [
        line for file in sorted((tmp_path / "d" / "fhir").rglob("*.ndjson")) for line in file.read_bytes().split(b"\n")
    ]
    known = learned(lines)
    agree(lines, known)
    print(f"{2 * len(lines)} lines compared, {known.matched} of them fit a template")  # noqa: T201
    assert known.matched > len(lines) // 2


CODE = b'{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hb"}],"text":"Hb"}'
PIECES = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"e5",
    b".",
    b"-",
    b"0",
    b"null",
    b"true",
    b"1e999",
    b"NaN",
    b"\\u0041",
    b"\\ud800",
    b"\\n",
    b"\\x",
    b'"status":"entered-in-error",',
    b'"code":' + CODE + b",",
    b'"contained":[],',
    b'"subject":{"reference":"Patient/q"},',
    b'"id":"x",',
    b"{}",
    b'""',
    b'"component":[{"code":' + CODE + b"}],",
    b'"resourceType":"Patient",',
    b"718-7",
    b"Patient/q",
    b"refuted",
    b"cancelled",
    b'"doNotPerform":true,',
    b'"medicationReference":{"reference":"Medication/m"},',
    b'"context":{},',
    b"http://x/Patient/q",
    b'"stat\\u0075s":"cancelled",',
    b'"verificationStatus":{"text":"refuted"},',
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"hepatitis",
]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A line with some of its bytes taken out, put in, doubled or exchanged."""
    line = draw(st.sampled_from(BASES))
    marks = [found.start() for found in re.finditer(rb'["{}\[\]:,]', line)]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.sampled_from(marks) | st.integers(0, len(line)))
        end = min(len(line), start + draw(st.sampled_from([0, 0, 1, 2, 5, 30]) | st.integers(0, len(line))))
        put = draw(st.sampled_from(PIECES) | st.just(b"") | st.just(line[start:end] * 2) | st.binary(max_size=3))
        line = line[:start] + put + line[end:]
    return line.replace(b"\n", b"").strip()


@given(st.lists(broken(), min_size=1, max_size=6))
@settings(max_examples=tries(100, 600))
def test_broken_lines(lines: list[bytes]) -> None:
    """The templates are those of whole lines, and stay so: of a broken one nothing may be learned that is wrong."""
    agree(lines, KNOWN)
    agree(lines * SEEN, LineTemplates())


def paths(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the path of every value inside a resource."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from paths(each, (*path, key))


VALUES: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        2.5,
        10**18,
        10**19,
        1e22,
        "",
        " ",
        "x",
        "final",
        "active",
        "cancelled",
        "refuted",
        "entered-in-error",
        "718-7",
        "39156-5",
        "http://loinc.org",
        "Patient/p-1",
        "Patient/q",
        "Patient/",
        "urn:uuid:q",
        "http://server/Patient/q/_history/2",
        "Group/g",
        "#p",
        "Observation",
        "Patient",
        "hepatitis B",
        "\n",
        "\\",
        "ü",
        "\u2028",
        [],
        {},
        [{}],
        {"reference": "Patient/q"},
        {"coding": []},
        {"text": "tuberculosis"},
        json.loads(CODE),
        [json.loads(CODE)],
    ]
)
NAMES = st.sampled_from(
    [
        "status",
        "code",
        "id",
        "subject",
        "patient",
        "contained",
        "component",
        "resourceType",
        "context",
        "intent",
        "verificationStatus",
        "clinicalStatus",
        "meta",
        "x",
        "requester",
        "agent",
        "doNotPerform",
        "medicationReference",
        "vaccineCode",
        "valueQuantity",
        "reference",
        "extension",
    ]
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A resource with values exchanged, members put in, taken out and turned round, written in some spacing."""
    resource = json.loads(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([each for each in paths(resource) if each]))
        holder = resource
        for each in path:
            holder = holder[each]
        how = draw(st.sampled_from(["value", "value", "value", "member", "gone", "twice"]))
        if how == "value":
            holder[last] = deepcopy(draw(VALUES))
        elif how == "gone":
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw(NAMES)] = deepcopy(draw(VALUES))
        else:
            holder.insert(last, holder[last])
    if draw(st.booleans()):
        resource = dict(draw(st.permutations(list(resource.items()))))
    return json.dumps(
        resource, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    ).encode("utf-8", "surrogatepass")


@given(st.lists(changed(), min_size=1, max_size=6))
@settings(max_examples=tries(100, 600))
def test_changed_resources(lines: list[bytes]) -> None:
    agree(lines, KNOWN)
    agree(lines * SEEN, LineTemplates())


def values_exchanged() -> Iterator[bytes]:
    """Yield every line with each of its values exchanged for each other one."""
    for base in BASES:
        for path in paths(json.loads(base)):
            for value in ("x", "refuted", "718-7", "hepatitis B, live vaccine, yellow fever", 5, True, None):
                resource = json.loads(base)
                holder = resource
                for each in path[:-1]:
                    holder = holder[each]
                if path:
                    holder[path[-1]] = value
                    yield written(resource)


@pytest.mark.slow
def test_every_value_of_every_line_exchanged() -> None:
    lines = list(values_exchanged())
    KNOWN.matched = 0
    agree(lines, KNOWN)
    print(f"{2 * len(lines)} lines compared, {KNOWN.matched} of them fit a template")  # noqa: T201
    assert len(lines) > 5_000
    assert KNOWN.matched > 2_000


@pytest.mark.parametrize("kind", sorted(LOOKED_AT))
@pytest.mark.slow
def test_it_would_be_seen_if_a_value_were_not_looked_at(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of the elements of `LOOKED_AT` that make a difference, lines go astray."""
    seen = set()
    lines = [line for line in values_exchanged() if f'"{kind}"'.encode() in line[:40]]
    right = parsed(lines)
    for name in LOOKED_AT[kind]:
        with monkeypatch.context() as patched:
            patched.setattr(template_regex, "LOOKED_AT", {**LOOKED_AT, kind: LOOKED_AT[kind] - {name}})
            if by_templates(lines, learned(BASES)) != right:
                seen.add(name)
    assert seen >= {irrelevant._KEYS[kind]} | ({"status"} if kind != "Condition" else {"verificationStatus"})


def test_lines_are_numbered_with_the_empty_ones() -> None:
    line = written(observation())
    numbers = [number for number, *_ in Router(IRRELEVANCE, keep_all=True).routed([b"", line, b"", line], first=5)]
    assert numbers == [6, 8]
    assert list(islice(Router(IRRELEVANCE).routed([b""]), 1)) == []
