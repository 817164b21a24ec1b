"""Whose record it is, and whether a resource is about that patient."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import unquote

from precaution.errors import MixedPatients, NoPatient
from precaution.readers.dates import day_at
from precaution.readers.json_access import Json, child, children, name_of, text
from precaution.readers.merges import BY_IDENTIFIER, Replacement, linked, replacements, resolved, survivors
from precaution.readers.resource_types import check_profile
from precaution.values.interval import EVERYTHING, Interval, hull
from precaution.values.record import Ignored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.readers.contents import Contents, Located
    from precaution.values.record import Sex

Word = TypeVar("Word", bound=str)

_MANY = "a record must be one patient's; split it, or assess a cohort"
_URN = ("urn:uuid:", "urn:oid:")
_SEXES: Mapping[str, Sex] = {"female": "female", "male": "male", "other": "other"}
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")


class Patient:
    """The record's patient: days of birth and death, and every reference and identifier that names the patient."""

    def __init__(self, versions: list[Located], merged: Iterable[str] = ()) -> None:
        """Take the patient from the Patient resources of one person: versions that differ, and merged ones.

        `merged`: ids of others that are this person, whether their Patient is here or not.
        """
        self.ids = {found for version in versions if (found := _id(version))} | set(merged)
        self.names = {name for found in self.ids for name in (f"Patient/{found}", _URN[0] + found)}
        self.names |= {url for _, url in versions if url}
        self.identifiers = {pair for resource, _ in versions for pair in _identifiers(resource)}
        self.birth = _birth(versions)
        deaths = [died for resource, _ in versions if (died := _died(resource)) is not None]
        self.died = _together(deaths) if deaths else None
        self.name = survivor(versions)
        """The id by which the person goes; empty where no Patient has one."""
        standing = [resource for resource, url in versions if not self.name or _id((resource, url)) == self.name]
        self.sex = _same(_SEXES.get(text(resource, "gender"), "") for resource in standing)
        self.site = _same(map(_site, standing))

    def named_by(self, reference: str) -> bool:
        """Whether a reference in any of FHIR's forms names this patient; see `other_subject` for what does not."""
        if reference in self.names:
            return True
        tail = _tail(reference)
        if tail[:1] == ["Patient"] and len(tail) == 2:
            if not self.ids:
                self.ids.add(tail[1])
            if tail[1] not in self.ids:
                return False
            self.names.add(reference)
            return True
        kind, _, query = reference.partition("?")
        return kind.endswith("Patient") and self._searched_by(query)

    def _searched_by(self, query: str) -> bool:
        """Whether a conditional reference (`Patient?identifier=system|value`) finds this patient."""
        key, _, value = unquote(query).partition("=")
        system, bar, number = value.rpartition("|")
        return key == "identifier" and any(
            number == each and (not bar or system == of) for of, each in self.identifiers
        )

    def has(self, identifier: Json) -> bool:
        """Whether an identifier is one of the patient's."""
        return any(pair in self.identifiers for pair in _identifiers({"identifier": [identifier]}))


def find_patient(contents: Contents) -> Patient:
    """Return the one patient of an input.

    Raises NoPatient where it holds none, MixedPatients where it holds more than one.
    """
    versions = contents.of("Patient")
    if not versions:
        raise NoPatient("there is no Patient resource in the input; add the patient's")
    for resource, _ in versions:
        check_profile(resource)
    names, merged = {_id(version) for version in versions}, _merged(versions)
    _note_links(versions, contents)
    people = {merged.get(name, name) for name in names}
    if len(people) > 1 or (names == {""} and len(versions) > 1):
        raise MixedPatients(f"the input holds more than one Patient: {_MANY}")
    _note_unread(versions, contents)
    if not contents.deleted.isdisjoint(f"Patient/{name}" for name in names):
        contents.note_unreadable("Patient", "the sender deletes it as well")
    return Patient(versions, (name for name in merged if not name.startswith(BY_IDENTIFIER)))


class OtherSubject(NamedTuple):
    """Why the subject of a resource is not the patient, or can't be told to be."""

    why: str
    certain: bool = False
    """Whether it certainly is none: a group or a device."""


def other_subject(patient: Patient, resource: Json, contents: Contents, key: str) -> OtherSubject | None:
    """Return why a resource does not count as the patient's, or None where it does.

    Raises MixedPatients where it is another patient's. A resource that names nobody is the patient's.
    """
    subject = child(resource, key)
    reference = text(subject, "reference")
    if reference.startswith("#"):
        return _contained(patient, resource, reference[1:])
    if reference and not patient.named_by(reference):
        return _other_or_unknown(resource, subject, contents)
    identifier = child(subject, "identifier")
    if not reference and identifier and not patient.has(identifier):
        return OtherSubject("its subject's identifier is not the patient's")
    return None if subject or resource.get(key) is None else OtherSubject("its subject can't be read")


def _other_or_unknown(resource: Json, subject: Json, contents: Contents) -> OtherSubject:
    reference = text(subject, "reference")
    tail = _tail(reference)
    if (tail[:1] == ["Patient"] and len(tail) == 2) or _is_patient(subject):
        raise MixedPatients(f"{name_of(resource)} refers to another patient than the record's: {_MANY}")
    for kind in ("Group", "Device", "Location"):
        if (len(tail) == 2 and tail[0] == kind) or any(url == reference for _, url in contents.of(kind)):
            return OtherSubject(f"its subject is a {kind}, not the patient", certain=True)
    return OtherSubject("its subject can't be found in the input")


def _is_patient(subject: Json) -> bool:
    """Whether a reference that does not show its type says that it has another patient's."""
    reference = text(subject, "reference")
    return text(subject, "type") == "Patient" and "?" not in reference and not reference.startswith(_URN)


def _contained(patient: Patient, resource: Json, name: str) -> OtherSubject | None:
    """Return why a contained subject is not the patient: it may be a newborn, so only identity counts."""
    for inner in children(resource, "contained"):
        if text(inner, "id") == name and text(inner, "resourceType") == "Patient":
            same = name in patient.ids or any(pair in patient.identifiers for pair in _identifiers(inner))
            return None if same else OtherSubject("its subject is a contained Patient not identified as the patient")
    return OtherSubject("its subject can't be found in the input")


def _tail(reference: str) -> list[str]:
    """Return `["Patient", "1"]` of `Patient/1`, of an absolute URL, and of a version of it."""
    return reference.partition("/_history")[0].partition("?")[0].rstrip("/").split("/")[-2:]


def _id(version: Located) -> str:
    return name_of(*version).partition("Patient/")[2]


def identifiers(patient: Json) -> set[tuple[str, str]]:
    """Return the (system, value) pairs of a Patient's identifiers, and its id as a pair of the system `id`."""
    name = text(patient, "id")
    return {*_identifiers(patient), *([("id", name)] if name else [])}


def _identifiers(resource: Json) -> list[tuple[str, str]]:
    pairs = ((text(each, "system"), text(each, "value")) for each in children(resource, "identifier"))
    return [pair for pair in pairs if pair[1]]


def _died(resource: Json) -> Interval | None:
    """Return the day of death; any day where the patient is only said to have died."""
    written = resource.get("deceasedDateTime")
    if written is not None:
        died = day_at(resource, "deceasedDateTime")
        return EVERYTHING if died is None else died
    return EVERYTHING if resource.get("deceasedBoolean") in (True, "true") else None


def _site(resource: Json) -> str:
    """Return the id of the organization that keeps the record; nothing where the reference holds none."""
    reference = text(child(resource, "managingOrganization"), "reference")
    if reference.startswith(_URN[0]):
        kind, found = "Organization", reference.removeprefix(_URN[0])
    else:
        kind, found = ("", *_tail(reference))[-2:]
    return found if kind == "Organization" and _ID.fullmatch(found) else ""


def _same(words: Iterable[Word]) -> Word:
    """Return the word that all versions have; an empty one where they differ."""
    first, *others = words
    return first if all(each == first for each in others) else first[:0]  # type: ignore[return-value]


def _together(days: Sequence[Interval | None]) -> Interval | None:
    """Return the days that all versions of one resource give, as one interval; None where one gives none."""
    whole: Interval | None = None
    for each in days:
        if each is None:
            return None
        whole = each if whole is None else hull(whole, each)
    return whole


def _birth(versions: list[Located]) -> Interval | None:
    """Return the day of birth; of merged Patients, one that gives none takes nothing away."""
    days: dict[str, list[Interval | None]] = {}
    for version in versions:
        days.setdefault(_id(version), []).append(day_at(version[0], "birthDate"))
    return _together([day for found in days.values() if (day := _together(found)) is not None] or [None])


def _merged(versions: list[Located]) -> dict[str, str]:
    """Return the name that stands for the person, for each Patient that links say is merged, here or not."""
    named = {url: _id(version) for version in versions if (url := version[1])}
    found = [each for version in versions for each in replacements(version[0], _id(version), named)]
    people = {pair: _id(version) for version in versions for pair in _identifiers(version[0])} if found else {}
    return survivors(resolved(found, people))


def survivor(versions: list[Located]) -> str:
    """Return the id of the Patient here that stands for a person, whose Patients may be merged; empty for none."""
    names, merged = {name for version in versions if (name := _id(version))}, _merged(versions)
    standing = {merged.get(name, name) for name in names} & names
    return min(standing or names, default="")


def _note_links(versions: list[Located], contents: Contents) -> None:
    """Note that another record of the same person exists that is not here: then no list is complete.

    A RelatedPerson who is the same person has no record.
    """
    names = {_id(version) for version in versions}
    named = {url: _id(version) for version in versions if (url := version[1])}
    people = {pair: _id(version) for version in versions for pair in _identifiers(version[0])}
    for link in (link for resource, _ in versions for link in children(resource, "link")):
        other = child(link, "other")
        if text(other, "type") == "RelatedPerson" or "RelatedPerson" in text(other, "reference").split("/"):
            continue
        (found, _), *_ = resolved([Replacement(linked(other, named), "")], people)
        if found not in names:
            contents.note_unreadable(
                "Patient", "another record of the same person, which it names, is not in the input"
            )


def _note_unread(versions: list[Located], contents: Contents) -> None:
    for resource, url in versions:
        if resource.get("birthDate") is not None and day_at(resource, "birthDate") is None:
            contents.ignored.add(Ignored(name_of(resource, url), "its birth date can't be read"))
