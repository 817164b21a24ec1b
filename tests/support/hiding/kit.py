"""What all ways of hiding need: an entry of a patient, the form of a way, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

from precaution.knowledge.model import Label

Json = dict[str, Any]
Changed = list[Json] | bytes | None
"""The documents of the changed patient, parsed or as bytes; None where a way does not fit the entry."""

LOCAL = "https://hospital.invalid/codes"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CODE = {"Immunization": "vaccineCode"}
"""Under which element the code of a type stands, where it is not `code`; that of drugs is worked out."""


class Patient(NamedTuple):
    """A patient whose entries are said otherwise, and how the patient is decided."""

    name: str
    resources: Sequence[Json]
    """The Patient first."""
    today: date
    label: Label
    stage: str | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of a patient, and what its resource stands for in the label."""

    patient: Patient
    place: int
    concepts: tuple[str, ...]
    alone: bool
    """Whether no other entry of the patient is about one of these concepts."""
    certain: bool
    """Whether it says something of itself; else it is a doubt already."""

    def entry(self) -> Json:
        """Return the resource, free to be changed."""
        return deepcopy(self.patient.resources[self.place])

    @property
    def kind(self) -> str:
        return str(self.patient.resources[self.place]["resourceType"])

    @property
    def person(self) -> Json:
        """The Patient resource."""
        return self.patient.resources[0]

    def put(self, *resources: Json) -> list[Json]:
        """Return the patient with these resources in place of the entry."""
        return [*(each for place, each in enumerate(self.patient.resources) if place != self.place), *resources]

    @property
    def source(self) -> str:
        entry = self.patient.resources[self.place]
        return f"{entry['resourceType']}/{entry['id']}"

    @property
    def subject(self) -> str:
        return "patient" if self.kind == "Immunization" else "subject"

    @property
    def code(self) -> str:
        """The element in which the entry's code stands."""
        return "medicationCodeableConcept" if self.kind.startswith("Medication") else CODE.get(self.kind, "code")


Left = Literal["all", "doubt", "words", "unsettled", "dated", "undated", "passing", "anybody's", "unnamed", "nothing"]
"""What a way leaves of an entry at worst. all: nothing is lost, so that the answer may stay as it is. doubt: what
it is about, and when. words: the same, in words that may mean more. unsettled: all, in a form that is not final.
dated: all,
and a day in another form or less exact. undated: what it is about. passing: what it
is about, and a day on which it was mentioned. anybody's: all, but for whose it is. unnamed: that something of
its kind is there. nothing: a sign that something of any kind is missing."""


class Way(NamedTuple):
    """One way in which the same thing is said or hidden."""

    name: str
    done_by: str
    """Which systems do so."""
    change: Callable[[Json, Shown], Changed]
    leaves: Left


WAYS: dict[str, Way] = {}


def way(done_by: str, leaves: Left = "all") -> Callable[[Callable[[Json, Shown], Changed]], Way]:
    """Note a function as a way: it is given the entry, free to be changed, and the patient whose it is."""

    def noted(change: Callable[[Json, Shown], Changed]) -> Way:
        assert change.__name__ not in WAYS, change.__name__
        made = WAYS[change.__name__] = Way(change.__name__, done_by, change, leaves)
        return made

    return noted


def bundle(resources: Iterable[Json], kind: str = "collection", **more: object) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": each} for each in resources], **more}


def without(entry: Json, *keys: str) -> Json:
    """Return the entry without the elements whose names begin so."""
    return {name: value for name, value in entry.items() if not name.startswith(keys)}


def codings(entry: Json, shown: Shown) -> list[Json]:
    """Return the codings of an entry's code; none where it has none."""
    concept = entry.get(shown.code)
    found = concept.get("coding") if isinstance(concept, dict) else None
    return [each for each in found if each.get("system") and each.get("code")] if isinstance(found, list) else []


def masked(why: str = "masked") -> Json:
    return {"extension": [{"url": ABSENT, "valueCode": why}]}


def day_of(entry: Json, *names: str) -> str:
    """Return the first of these dates that an entry has to the day, without its time; else nothing."""
    found = (str(entry.get(name) or "") for name in names)
    return next((each[:10] for each in found if len(each) >= 10), "")


def named_by_others(shown: Shown) -> bool:
    """Whether another resource of the patient refers to the entry, as a report to its results."""
    return f"'{shown.source}'" in str(shown.put())
