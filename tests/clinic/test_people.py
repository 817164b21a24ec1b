"""Names: on the pages where somebody asked for them, in a file of their own, and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.clinic.people import PersonDetails, keep_people, kept_people, person_details
from precaution.errors import InputError, OutputError
from support.clinic_pages import FORMULA_ID, HOSTILE, Visitor, clinic_of, hostile, order, person, write

if TYPE_CHECKING:
    from pathlib import Path

    from support.clinic_pages import Json

NAMED: Json = {
    "name": [
        {"use": "maiden", "family": "Zuvor", "given": ["Anna"]},
        {"use": "usual", "family": "Álvarez", "given": ["Anna", "M."]},
    ],
    "identifier": [{"system": "urn:mrn", "value": "MRN-0007"}, {"value": "MRN-0007"}, {"value": "ins-2"}],
    "managingOrganization": {"reference": "Organization/site-3"},
    "generalPractitioner": [{"display": "Dr. Okafor"}, {"reference": "Practitioner/9"}],
}


def anna() -> list[Json]:
    """Return a patient with a name, and one with none."""
    named = person("p1", order("2025-01-01"))
    named[0] |= NAMED
    return [*named, *person("p2", order("2025-01-01"))]


def test_who_a_patient_is_stands_on_every_page(tmp_path: Path) -> None:
    visitor = Visitor(clinic_of(tmp_path, anna(), named=True))
    assert "Álvarez, Anna M." in visitor.page("/").text
    assert "born 1980-05-05 ; MRN-0007; ins-2" in visitor.patient("p1").text
    assert "Álvarez, Anna M." in visitor.patient("p1", "/checklist").text
    assert "Patient p2" in visitor.patient("p2").text
    for query in ("search=álvarez", "search=mrn-0007", "search=1980-05", "site=site-3", "clinician=Dr.+Okafor%3B+9"):
        assert "p1" in visitor.get(f"/worklist.csv?{query}").text
    assert visitor.get("/worklist.csv?site=site-3").text.count("\n") == 2
    assert "p1" not in visitor.get("/worklist.csv?search=zuvor").text
    visitor.close()


def test_without_being_asked_for_no_name_is_shown_or_kept(tmp_path: Path) -> None:
    visitor = Visitor(clinic_of(tmp_path, anna()))
    assert "Álvarez" not in visitor.page("/").html + visitor.patient("p1").html + visitor.get("/worklist.csv").text
    visitor.close()


def test_the_file_is_the_owners_alone_and_results_hold_no_name(tmp_path: Path) -> None:
    made = clinic_of(tmp_path, anna(), named=True)
    assert (tmp_path / "people.sqlite").stat().st_mode & 0o777 == 0o600
    held = b"".join(each.read_bytes() for each in made.opened.folder.rglob("*") if each.is_file())
    for word in ("lvarez", "MRN-0007", "Okafor"):
        assert word.encode() not in held


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, ""),
        ({"name": [{"text": "  Only   text "}]}, "Only text"),
        ({"name": [{"family": "Old", "use": "old"}]}, ""),
        ({"name": [{"family": "Was", "period": {"end": "2020"}}, {"family": "Is", "use": "temp"}]}, "Is"),
        ({"name": [{"family": "A"}, {"family": "B", "use": "official"}]}, "B"),
        ({"name": {"given": ["Alone", 3, None]}}, "Alone"),
        ({"name": "wrong"}, ""),
        ({"name": [{"family": "x" * 900}]}, "x" * 199 + "…"),
    ],
)
def test_a_name_is_the_one_in_use(more: dict[str, Any], name: str) -> None:
    assert person_details({"resourceType": "Patient", "id": "p", **more}).name == name


def test_two_of_one_id_are_called_by_none_of_their_names_unless_one_is_the_later(tmp_path: Path) -> None:
    one = {"resourceType": "Patient", "id": "p", "name": [{"family": "One"}]}
    other = {**one, "name": [{"family": "Other"}]}
    source = write(tmp_path / "fhir", [one, other])
    keep_people(source, tmp_path / "names")
    assert kept_people(tmp_path / "names") == [PersonDetails("p")]
    write(source, [one, one])
    keep_people(source, tmp_path / "names")
    assert kept_people(tmp_path / "names")[0].name == "One"


def test_bundles_and_broken_lines_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    source = write(tmp_path / "fhir", anna())
    with (source / "all.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"resourceType": "Patient", "id": "broken", "na\n')
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {**anna()[0], "id": "b"}}]}
    (source / "b.json").write_text(json.dumps(bundle, indent=1), encoding="utf-8")
    assert keep_people(source, tmp_path / "names") == 3
    assert {each.person for each in kept_people(tmp_path / "names")} == {"p1", "p2", "b"}


def test_a_hostile_name_is_text(tmp_path: Path) -> None:
    visitor = Visitor(clinic_of(tmp_path, hostile(), named=True))
    for page in (
        visitor.page("/?who=everybody"),
        visitor.patient(FORMULA_ID),
        visitor.patient(FORMULA_ID, "/checklist"),
    ):
        assert not page.all("script")
        assert not [each for each in page.all("img") if each.get("src") == "x"]
        assert "<img src=x" in page.text
    assert HOSTILE not in visitor.page("/?who=everybody").html
    visitor.close()


def test_what_is_no_file_of_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x", encoding="utf-8")
    for name in ("other", "none"):
        with pytest.raises(InputError, match="no file of names"):
            kept_people(tmp_path / name)
    with pytest.raises(OutputError, match="names are not kept"):
        keep_people(write(tmp_path / "fhir", anna()), tmp_path / "no" / "folder")
