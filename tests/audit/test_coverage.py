"""What a source never holds is not known, and what it codes in one system counts as in another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from precaution.audit import audit_cohort
from precaution.audit.wording import in_json, in_text
from precaution.cohort import cohort
from support.ndjson_sources import LABEL, Json, rows
from support.small_people import person, put

TODAY = "2025-03-01"
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
RA = {"coding": [{"system": "http://snomed.info/sct", "code": "69896004"}]}
COUNTS, SCREENED, ALL = "blood-counts-at-start", "tuberculosis-screened", "all-three-screened"


def treated(name: str, *more: Json) -> list[Json]:
    """Return somebody who started with the drug in December, of whom results are recorded since long before."""
    subject = {"reference": f"Patient/{name}"}
    order = {
        "resourceType": "MedicationRequest",
        "id": f"m-{name}",
        "status": "active",
        "intent": "order",
        "authoredOn": "2024-12-01",
        "subject": subject,
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "2047232"}]},
    }
    patient, _, bmi = person(name)
    early = {"resourceType": "Condition", "id": f"ra-{name}", "subject": subject, "code": RA, "onsetDateTime": "2015"}
    return [patient, bmi, early, order, *({**each, "id": f"{each['id']}-{name}", "subject": subject} for each in more)]


def result(code: str, value: float | None = None) -> Json:
    said: Json = {"valueQuantity": {"value": value, "code": "10*9/L"}} if value else {"valueString": "negative"}
    coding = {"coding": [{"system": LOINC, "code": code}]}
    return {
        "resourceType": "Observation",
        "id": code,
        "status": "final",
        "code": coding,
        "effectiveDateTime": "2024-11-25",
        **said,
    }


def states(out: Path, *people: list[Json]) -> dict[str, list[int | None]]:
    cohort(put(out / "in", *(each for one in people for each in one)), out / "out", today=TODAY, workers=1, audit=True)
    found = audit_cohort(out / "out", LABEL, smallest=1)
    assert "coverage" in in_text(found)
    measures: list[Json] = in_json(found)["measures"]  # type: ignore[assignment]
    assert {each["measure"]: each["coverage"] for each in measures}[COUNTS] is not None
    return {each.measure.name: [each.coverage, *map(number, each.whole[3:6])] for each in found.counted}


def number(cell: object) -> int | None:
    return cell if isinstance(cell, int) else None


def test_a_test_that_the_source_never_holds_is_unknown_of_everybody(tmp_path: Path) -> None:
    found = states(tmp_path, *(treated(f"p{number}") for number in range(6)))
    for name in (COUNTS, SCREENED, ALL):
        assert found[name] == [0, 0, 0, 6]


def test_where_it_holds_it_of_anybody_the_others_are_not_tested(tmp_path: Path) -> None:
    tested = treated("t", result("751-8", 3.0), result("71773-6"))
    found = states(tmp_path, tested, *(treated(f"p{number}") for number in range(5)))
    covered, yes, no, _ = found[SCREENED]
    assert (covered, (yes or 0) + (no or 0) >= 5) == (1, True)
    assert found[ALL][0] == 0, "of hepatitis it still holds nothing"
    assert found[ALL][2] == 0


@pytest.mark.parametrize("measure", ["serious-infections", "chronic-infection"])
def test_infections_count_alike_in_every_code_system(measure: str, shared: Path, tmp_path: Path) -> None:
    found = []
    for system in ("icd", "snomed"):
        cohort(shared / "faults" / f"serious-{system}", tmp_path / system, today=TODAY, workers=1, audit=True)
        measured = [row["state"] for row in rows(tmp_path / system, "measured") if row["measure"] == measure]
        found.append(Counter(measured))
    assert found[0] == found[1]
    assert measure != "serious-infections" or found[0] == {"yes": 10}
