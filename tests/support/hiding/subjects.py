"""Ways of saying whose an entry is."""

from __future__ import annotations

from support.hiding.kit import Changed, Json, Shown, way, without

_NUMBER = {"system": "https://hospital.invalid/mrn", "value": "way-1"}


def _of(entry: Json, shown: Shown, subject: object) -> Changed:
    return shown.put({**entry, shown.subject: subject})


def _numbered(documents: Changed, shown: Shown) -> Changed:
    """Give the Patient an identifier."""
    assert isinstance(documents, list)
    person = {**shown.person, "identifier": [*shown.person.get("identifier", ()), _NUMBER]}
    return [person if each is shown.person else each for each in documents]


def _patient(shown: Shown) -> str:
    return f"Patient/{shown.person['id']}"


@way("servers that write whole addresses")
def subject_as_an_address(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, {"reference": f"https://hospital.invalid/fhir/{_patient(shown)}"})


@way("servers that keep versions of the Patient")
def subject_with_a_version(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, {"reference": f"{_patient(shown)}/_history/3"})


@way("registries that name patients by number")
def subject_by_identifier(entry: Json, shown: Shown) -> Changed:
    return _numbered(_of(entry, shown, {"type": "Patient", "identifier": _NUMBER}), shown)


@way("Synthea's transactions, which search for whom they mean")
def subject_by_a_search(entry: Json, shown: Shown) -> Changed:
    search = f"Patient?identifier={_NUMBER['system']}|{_NUMBER['value']}"
    return _numbered(_of(entry, shown, {"reference": search}), shown)


@way("a number that another hospital gave", leaves="anybody's")
def subject_by_a_foreign_identifier(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, {"identifier": {"system": "https://elsewhere.invalid", "value": "9"}})


@way("messages that carry their patient along")
def subject_contained(entry: Json, shown: Shown) -> Changed:
    inner = {"resourceType": "Patient", "id": "me", "identifier": [_NUMBER]}
    return _numbered(
        shown.put({**entry, "contained": [*entry.get("contained", ()), inner], shown.subject: {"reference": "#me"}}),
        shown,
    )


@way("messages that carry a patient along whom nothing identifies", leaves="anybody's")
def subject_contained_and_nameless(entry: Json, shown: Shown) -> Changed:
    inner = {"resourceType": "Patient", "id": "me", "name": [{"text": "N. N."}]}
    return shown.put({**entry, "contained": [*entry.get("contained", ()), inner], shown.subject: {"reference": "#me"}})


@way("resources cut down by `_elements`")
def subject_left_out(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, shown.subject))


@way("systems that show a name and no reference")
def subject_as_a_name(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, {"display": "N. N."})


@way("a reference written as text", leaves="anybody's")
def subject_as_a_string(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, _patient(shown))


@way("a reference to what is not in the input", leaves="anybody's")
def subject_that_can_not_be_found(entry: Json, shown: Shown) -> Changed:
    return _of(entry, shown, {"reference": "urn:uuid:5c1d4e6a-0000-4000-8000-000000000000"})


@way("consent rules that mask whose an entry is")
def subject_masked(entry: Json, shown: Shown) -> Changed:
    return shown.put({**without(entry, shown.subject), f"_{shown.subject}": {"extension": []}})
