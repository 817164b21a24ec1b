"""Patients that a sender has merged are one person: in a folder of lines as in one record."""

from __future__ import annotations

from pathlib import Path

import pytest

from precaution import assess
from precaution.cohort import cohort
from precaution.cohort.sort import lines
from precaution.errors import MixedPatients
from precaution.readers import read_named, read_resources
from support.cohort_people import RESOURCES
from support.ndjson_sources import LABEL, Json, by_person, rows, written
from support.project import SHARED
from support.small_people import TB, ordered_by_reference, person, put

TODAY = "2025-03-01"
URL = "https://ehr.example.org/fhir/"
READY = by_person(RESOURCES)["ready"]
MRN = {"system": "http://example.org/mrn", "value": "77"}
DRUG = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2047232"}]}
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}


def link(how: str, **other: object) -> Json:
    return {"type": how, "other": other}


def patient(name: str, *links: Json, **more: object) -> Json:
    return {"resourceType": "Patient", "id": name, **({"link": list(links)} if links else {}), **more}


def grave(name: str) -> Json:
    """Return active tuberculosis, which decides wherever it is read."""
    of = {
        "subject": {"reference": f"Patient/{name}"},
        "code": TB,
        "clinicalStatus": ACTIVE,
        "onsetDateTime": "2025-01-10",
    }
    return {"resourceType": "Condition", "id": f"c-{name}", **of}


def ready(*links: Json, **more: object) -> list[Json]:
    """Return the example who may start, with links."""
    return [
        {**each, **({"link": list(links)} if links else {}), **more} if each["resourceType"] == "Patient" else each
        for each in READY
    ]


def decided(folder: Path, *resources: Json, **more: object) -> dict[str, str]:
    cohort(put(folder / "in", *resources), folder / "out", today=TODAY, workers=1, **more)  # type: ignore[arg-type]
    return {row["person"]: row["action"] for row in rows(folder / "out", "decisions")}


def noted(folder: Path) -> list[tuple[str, str]]:
    return sorted((row["person"], row["kind"]) for row in rows(folder / "out", "problems"))


def to(how: str, reference: str) -> Json:
    return link(how, reference=reference)


WAYS: dict[str, list[Json]] = {
    "replaces": [*ready(to("replaces", "Patient/old")), patient("old"), grave("old")],
    "replaced by": [*ready(), patient("old", to("replaced-by", "Patient/ready")), grave("old")],
    "both": [*ready(to("replaces", "Patient/old")), patient("old", to("replaced-by", "Patient/ready")), grave("old")],
    "a version": [*ready(to("replaces", "Patient/old/_history/3")), patient("old"), grave("old")],
    "an absolute URL": [*ready(to("replaces", URL + "Patient/old")), patient("old"), grave("old")],
    "a search": [
        *ready(to("replaces", "Patient?identifier=http://example.org/mrn|77")),
        patient("old", identifier=[MRN]),
        grave("old"),
    ],
    "an identifier": [*ready(link("replaces", identifier=MRN)), patient("old", identifier=[MRN]), grave("old")],
    "a uuid": [*ready(to("replaces", "urn:uuid:old")), patient("old"), grave("old")],
    "a chain": [
        *ready(),
        patient("old", to("replaced-by", "Patient/ready")),
        patient("older", to("replaced-by", "Patient/old")),
        grave("older"),
    ],
    "a chain whose middle is missing": [
        *ready(to("replaces", "Patient/middle")),
        patient("older", to("replaced-by", "Patient/middle")),
        grave("older"),
    ],
    "no Patient of the other": [*ready(to("replaces", "Patient/old")), grave("old")],
}


@pytest.mark.parametrize("way", WAYS)
def test_who_stands_for_a_person_has_what_the_others_had(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "SIZE", 1000)
    assert decided(tmp_path, *WAYS[way]) == {"ready": "do-not-start"}
    assert assess(WAYS[way], today=TODAY, label=LABEL).action == "do-not-start"


def test_a_bundle_of_both_and_two_bundles(tmp_path: Path) -> None:
    def bundle(*resources: Json, url: str = "") -> Json:
        entries = [
            {
                "resource": each,
                **({"fullUrl": f"urn:uuid:{url or each['id']}"} if each["resourceType"] == "Patient" else {}),
            }
            for each in resources
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    one = ready(to("replaces", "urn:uuid:e1"))
    both = bundle(*one, {**patient("old")}, grave("old"))
    next(each for each in both["entry"] if each["resource"]["id"] == "old")["fullUrl"] = "urn:uuid:e1"
    assert decided(tmp_path / "1", both) == {"ready": "do-not-start"}
    apart = [bundle(*ready(to("replaces", "Patient/old"))), bundle(patient("old"), grave("old"))]
    assert decided(tmp_path / "2", *apart) == {"ready": "do-not-start"}


def test_a_circle_is_one_person(tmp_path: Path) -> None:
    circle = [
        *ready(to("replaced-by", "Patient/zoe")),
        patient("zoe", to("replaced-by", "Patient/ready")),
        grave("zoe"),
    ]
    assert decided(tmp_path, *circle) == {"ready": "do-not-start"}
    assert noted(tmp_path) == [("zoe", "merged")]


def test_merged_patients_who_say_nothing_else_leave_the_answer_as_it_is(tmp_path: Path) -> None:
    merged = [*ready(to("replaces", "Patient/old")), patient("old", to("replaced-by", "Patient/ready"), active=False)]
    assert decided(tmp_path, *merged) == {"ready": "clear"}
    assert noted(tmp_path) == [("old", "merged")]
    put(tmp_path / "one", *merged)
    assert read_named(tmp_path / "one", LABEL.terminology, LABEL.asks)[0] == "ready"


@pytest.mark.parametrize("how", ["replaces", "replaced-by"])
@pytest.mark.parametrize(
    "other", [{"reference": "Patient/gone"}, {"identifier": MRN}, {"reference": "urn:uuid:gone"}, {"display": "?"}]
)
def test_without_the_other_no_list_is_complete(how: str, other: Json, tmp_path: Path) -> None:
    found = ready(link(how, **other))
    assert decided(tmp_path, *found)["ready"] != "clear"
    assert read_resources(found, LABEL.terminology, LABEL.asks).lists == frozenset()


@pytest.mark.parametrize("how", ["refer", "seealso"])
def test_who_is_only_referred_to_stays_apart(how: str, tmp_path: Path) -> None:
    apart = [*ready(to(how, "Patient/old")), patient("old", birthDate="1980-01-01"), grave("old")]
    found = decided(tmp_path, *apart)
    assert (found["old"], set(found)) == ("do-not-start", {"old", "ready"})
    assert found["ready"] not in ("clear", "do-not-start")


def test_the_same_person_as_a_relative_has_no_other_record(tmp_path: Path) -> None:
    assert decided(tmp_path, *ready(to("seealso", "RelatedPerson/7"))) == {"ready": "clear"}


def test_two_pairs_are_two_people() -> None:
    pairs = [
        patient("a", to("replaces", "Patient/b")),
        patient("b"),
        patient("c", to("replaces", "Patient/d")),
        patient("d"),
    ]
    with pytest.raises(MixedPatients):
        read_resources(pairs, LABEL.terminology, LABEL.asks)


def test_the_shared_export_of_merged_patients(tmp_path: Path) -> None:
    source = SHARED / "faults" / "merged-export"
    if not source.is_dir():
        pytest.skip("../shared is not here")
    cohort(source, tmp_path / "out", today=TODAY, workers=2)
    (row,) = rows(tmp_path / "out", "decisions")
    assert (row["person"], row["action"]) == ("ready", assess(source, today=TODAY, label=LABEL).action)
    assert row["action"] != "clear"


def test_the_order_and_the_split_of_files_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "SIZE", 20_000)
    everybody = [*(each for each in RESOURCES if each not in READY), *WAYS["a chain"]]
    found = []
    for seed in (1, 2, 3):
        source = written(tmp_path / f"in{seed}", everybody, seed)
        cohort(source, tmp_path / f"out{seed}", today=TODAY, workers=2)
        found.append({row["person"]: row["action"] for row in rows(tmp_path / f"out{seed}", "decisions")})
    assert found[0]["ready"] == "do-not-start"
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("who", ["on-drug", "ever-on-drug", "listed"])
@pytest.mark.parametrize(
    "link_of_old",
    [to("replaced-by", "Patient/ready"), link("replaced-by", identifier=MRN)],
    ids=["by id", "by identifier"],
)
def test_whoever_is_asked_for_has_what_was_recorded_under_another_id(
    who: str, link_of_old: Json, tmp_path: Path
) -> None:
    """The drug, or the id that is listed, is of the one who was replaced; the survivor has the rest."""
    drug = ordered_by_reference("old")[0] | {"medicationCodeableConcept": DRUG}
    drug.pop("medicationReference")
    people = [*ready(identifier=[MRN]), grave("ready"), patient("old", link_of_old), drug]
    (tmp_path / "ids.txt").write_text("old\n")
    asked = str(tmp_path / "ids.txt") if who == "listed" else who
    assert decided(tmp_path, *people, *person("someone"), who=asked) == {"ready": "interrupt"}
