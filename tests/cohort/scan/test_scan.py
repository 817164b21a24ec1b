"""Who is asked for: with the scan of bytes the same people are decided as without, and nobody with the drug is lost."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.cohort import cohort, run_fhir
from precaution.cohort.results import stored
from precaution.cohort.scan.find import matching
from precaution.cohort.scan.needles import needles
from precaution.errors import InputError, UsageError
from precaution.knowledge.loading import load_label
from precaution.readers.fhir import record_of
from support.cohort_people import EXAMPLES, TODAY, demo
from support.effort import first, tries
from support.ndjson_sources import Json, table

LABEL = load_label("baricitinib")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CODED = {"coding": [{"system": RXNORM, "code": "2047232"}]}


def patient(number: int, **more: Any) -> Json:
    return {"resourceType": "Patient", "id": f"p{number}", "birthDate": "1970-01-01", **more}


def order(number: int, **more: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": f"o{number}",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/p{number}"},
        "authoredOn": "2025-01-01",
        **more,
    }


def line(resource: Json) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))


def escaped(resource: Json) -> str:
    return line(resource).replace("2047232", "\\u0032047232").replace("baricitinib", "b\\u0061ricitinib")


def medication(name: str, **more: Any) -> Json:
    return {"resourceType": "Medication", "id": name, **more}


def ways(n: int) -> dict[str, list[str]]:
    """Return, for each way in which an order can be of the drug, the lines of a patient."""
    me = patient(n)
    other = {"reference": "Patient/nobody-else"}
    by_reference = order(n, medicationReference={"reference": f"Medication/m{n}"})
    return {
        "code": [line(me), line(order(n, medicationCodeableConcept=CODED))],
        "spaced": [json.dumps(me), json.dumps(order(n, medicationCodeableConcept=CODED), indent=None)],
        "words": [line(me), line(order(n, medicationCodeableConcept={"text": "OLUMIANT 4mg"}))],
        "class": [line(me), line(order(n, medicationCodeableConcept={"text": "a JAK\tinhibitor"}))],
        "accents": [line(me), line(order(n, medicationCodeableConcept={"text": "Barícitiníb"}))],
        "invisible": [line(me), line(order(n, medicationCodeableConcept={"text": "bari\u200bcitinib"}))],
        "full width": [line(me), line(order(n, medicationCodeableConcept={"text": "ｂａｒｉｃｉｔｉｎｉｂ"}))],
        "escaped code": [line(me), escaped(order(n, medicationCodeableConcept=CODED))],
        "escaped word": [line(me), escaped(order(n, medicationCodeableConcept={"text": "baricitinib"}))],
        "reference": [line(me), line(by_reference), line(medication(f"m{n}", code=CODED))],
        "ingredient": [
            line(me),
            line(by_reference),
            line(medication(f"m{n}", ingredient=[{"itemReference": {"reference": f"Substance/s{n}"}}])),
            line({"resourceType": "Substance", "id": f"s{n}", "code": CODED}),
        ],
        "absolute": [
            line(me),
            line(
                order(
                    n,
                    medicationCodeableConcept=CODED,
                    subject={"reference": f"https://a.example/fhir/Patient/p{n}/_history/2"},
                )
            ),
        ],
        "urn": [line(me), line(order(n, medicationCodeableConcept=CODED, subject={"reference": f"urn:uuid:p{n}"}))],
        "identifier": [
            line(patient(n, identifier=[{"system": "urn:mrn", "value": f"mrn-{n}"}])),
            line(
                order(
                    n,
                    medicationCodeableConcept=CODED,
                    subject={"identifier": {"system": "urn:mrn", "value": f"mrn-{n}"}},
                    requester=other,
                )
            ),
        ],
        "others named": [line(me), line(order(n, medicationCodeableConcept=CODED, requester=other, recorder=other))],
        "contained": [
            line(me),
            line(order(n, medicationReference={"reference": "#m"}, contained=[medication("m", code=CODED)])),
        ],
        "bundle": [
            line(
                {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [{"resource": me}, {"resource": order(n, medicationCodeableConcept=CODED)}],
                }
            )
        ],
        "bundle of two": [
            line(
                {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [
                        {"resource": me},
                        {"resource": patient(n + 500)},
                        {"resource": order(n, medicationCodeableConcept=CODED)},
                    ],
                }
            )
        ],
        "none": [line(me), line(order(n, medicationCodeableConcept={"text": "paracetamol"}))],
    }


WAYS = {name: lines for n, name in enumerate(ways(0), 1) for key, lines in ways(n).items() if key == name}
WITHOUT = "none"


def decided(source: Path, out: Path, who: str) -> dict[str, list[Json]]:
    cohort(source, out, today=TODAY, workers=1, who=who)
    return table(out, "decisions")


def without_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_fhir, "find_people", lambda *_: None)


@pytest.mark.parametrize("backwards", [False, True])
def test_in_whatever_way_the_drug_is_written_nobody_is_lost(tmp_path: Path, *, backwards: bool) -> None:
    lines = [each for lines in WAYS.values() for each in lines]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.ndjson").write_text("\n".join(lines[::-1] if backwards else lines), encoding="utf-8")
    found = decided(tmp_path / "a", tmp_path / "out", "on-drug")
    lost = {name for n, name in enumerate(WAYS, 1) if f"p{n}" not in found}
    assert lost == {WITHOUT}
    everybody = decided(tmp_path / "a", tmp_path / "all", "everybody")
    assert {person: everybody[person] for person in found} == found


@settings(max_examples=tries(6, 60))
@given(st.data())
def test_the_scan_changes_nothing_but_the_time(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=12))
    lines = [each for n, name in enumerate(chosen, 1) for each in ways(n)[name]]
    files = data.draw(st.lists(st.integers(0, 2), min_size=len(lines), max_size=len(lines)))
    who = data.draw(st.sampled_from(["on-drug", "ever-on-drug", "indication"]))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        source = Path(folder) / "source"
        source.mkdir()
        for each in set(files):
            own = [line for line, file in zip(lines, files, strict=True) if file == each]
            (source / f"{each}.ndjson").write_text("\n".join(own), encoding="utf-8")
        found = decided(source, Path(folder) / "scanned", who)
        without_scan(monkeypatch)
        assert found == decided(source, Path(folder) / "plain", who)


@pytest.mark.parametrize("form", first(1, ["ndjson", "bundles"]))
def test_of_a_demo_cohort(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = demo(tmp_path / "demo", form) / "fhir"
    found = decided(source, tmp_path / "scanned", "on-drug")
    summary = stored(tmp_path / "scanned")
    assert summary.left_out > 20
    without_scan(monkeypatch)
    assert found == decided(source, tmp_path / "plain", "on-drug")
    assert 0 < len(found) < len(decided(source, tmp_path / "all", "everybody"))
    assert stored(tmp_path / "plain").left_out == summary.left_out


def test_it_would_be_seen_if_the_scan_lost_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.ndjson").write_text("\n".join([*WAYS["words"], *WAYS["code"]]), encoding="utf-8")
    lax = needles(LABEL.terminology, [LABEL.therapy.drug])
    assert lax is not None
    monkeypatch.setattr("precaution.cohort.scan.find.needles", lambda *_: lax._replace(phrases=()))
    assert len(decided(tmp_path / "a", tmp_path / "out", "on-drug")) == 1


# The needles against the reader

DISGUISES = ("", "\u200b", "\u0301", "\u00ad", "\x7f")
LOOKALIKES = {
    "a": "aAáÀａ",
    "b": "bBｂ",
    "i": "iIíïｉ",
    "c": "cCçｃ",
    "t": "tTｔ",
    "n": "nNñ",
    "r": "rR",
    "k": "kK\u212a",
    "j": "jJ",
}


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """Return words of the drug as somebody might write them."""
    word = draw(st.sampled_from(LABEL.terminology.concept(LABEL.therapy.drug).words))
    return "".join(draw(st.sampled_from(LOOKALIKES.get(c, c))) + draw(st.sampled_from(DISGUISES)) for c in word)


@settings(max_examples=tries(200, 1000))
@given(disguised(), st.booleans())
def test_what_the_reader_hears_the_scan_finds(words: str, ascii_only: bool) -> None:
    resource = order(1, medicationCodeableConcept={"text": words})
    record = record_of([patient(1), resource], LABEL.terminology, {})
    data = json.dumps(resource, ensure_ascii=ascii_only).encode()
    looked_for = needles(LABEL.terminology, [LABEL.therapy.drug])
    assert looked_for is not None
    if LABEL.therapy.drug in record.entries:
        assert matching([data], looked_for.pattern) == [data]
        assert looked_for.meets(data)


def test_every_code_of_the_drug_is_looked_for() -> None:
    looked_for = needles(LABEL.terminology, [LABEL.therapy.drug])
    assert looked_for is not None
    for (_, code), names in LABEL.terminology.exact.items():
        if LABEL.therapy.drug in names:
            assert looked_for.meets(f'{{"code":"{code.upper()}"}}'.encode())
            assert matching([code.encode()], looked_for.pattern)


def test_a_code_that_would_be_everywhere_is_not_looked_for() -> None:
    assert (
        needles(
            LABEL.terminology,
            [name for (system, _), names in LABEL.terminology.exact.items() if system == "CVX" for name in names],
        )
        is None
    )


# A list of people, and what can't be meant


def test_a_list_of_people(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.mkdir()
    (source / "x.ndjson").write_text("\n".join(each for lines in WAYS.values() for each in lines), encoding="utf-8")
    (tmp_path / "ids.txt").write_text("p1\nPatient/p3\n\nunknown\n", encoding="utf-8")
    assert set(decided(source, tmp_path / "out", str(tmp_path / "ids.txt"))) == {"p1", "p3"}


def test_merged_patients_are_kept_together(tmp_path: Path) -> None:
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaces"}]
    lines = [
        line(patient(1, link=link)),
        line(patient(2)),
        line(order(2, medicationCodeableConcept=CODED)),
        line(patient(3)),
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.ndjson").write_text("\n".join(lines), encoding="utf-8")
    cohort(tmp_path / "a", tmp_path / "out", today=TODAY, workers=1, who="on-drug")
    report = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert report["taken"]["Patient"] == 2
    assert report["passed_over"] == {"Patient: of people who are not asked for": 1}


@pytest.mark.parametrize(("text", "error"), [(None, UsageError), ("", InputError), ("\n \n", InputError)])
def test_a_file_without_ids_is_said(text: str | None, error: type[Exception], tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=r"ids\.txt"):
        cohort(EXAMPLES, tmp_path / "out", today=TODAY, who=str(file))
