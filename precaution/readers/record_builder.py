"""Builds one record: every reader of a resource type is given a builder, and adds entries and notes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import Json, coded, name_of, safe_code
from precaution.readers.references import Resolver
from precaution.values.record import LISTED, Entry, Ignored, Record, Unrecognised, ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.knowledge.model import Ask
    from precaution.readers.codes import Codes
    from precaution.readers.contents import Contents
    from precaution.readers.patient import Patient
    from precaution.values.interval import Interval


class PatientResource:
    """A resource whose subject is the patient, with its name and its `fullUrl`."""

    __slots__ = ("_source", "resource", "uncertain", "url")

    def __init__(self, resource: Json, url: str = "", source: str = "") -> None:
        """Take a resource and its `fullUrl`; `source` only where it is part of another."""
        self.resource = resource
        self.url = url
        self._source = source
        self.uncertain = "modifierExtension" in resource
        """Whether a modifier extension, which nobody here understands, may turn its meaning round."""

    @property
    def source(self) -> str:
        """Where it stands (`Observation/anc-7`); worked out when first asked for."""
        if not self._source:
            self._source = name_of(self.resource, self.url)
        return self._source

    def within(self, inner: Json) -> PatientResource:
        """Return a resource that this one contains, which stands under the name of this one."""
        part = PatientResource(inner, self.url, self.source)
        part.uncertain = part.uncertain or self.uncertain
        return part


class RecordBuilder:
    """Collects the entries of one record, and what it says about its own completeness."""

    def __init__(self, contents: Contents, patient: Patient, codes: Codes, asks: Mapping[str, Ask]) -> None:
        """Start an empty record of `patient`."""
        self.patient = patient
        self.codes = codes
        self.asks = asks
        self.resolver = Resolver(contents)
        self.lists: set[str] = set()
        self.attested: set[str] = set()
        """Kinds whose list the record says to be empty."""
        self.partial = contents.partial
        self.incomplete: set[str] = set(LISTED) if contents.partial else set()
        """Kinds whose list can't be complete: it can't be told of some resource whether it is the patient's."""
        self._entries: dict[str, list[Entry]] = {}
        self._ignored = set(contents.ignored)
        self._unrecognised: set[Unrecognised] = set()

    @property
    def birth(self) -> Interval | None:
        """Day of birth."""
        return self.patient.birth

    def add(self, entry: Entry, item: PatientResource) -> None:
        """Add an entry; one whose meaning is uncertain only raises a question."""
        if item.uncertain:
            entry = entry._replace(
                certainty="mentioned",
                value=None,
                result="",
                says="",
                note="a modifier extension may change its meaning",
            )
        self._entries.setdefault(entry.concept, []).append(entry)

    def says_empty(self, kind: str) -> None:
        """Note that the record says its list of `kind` to be empty."""
        self.lists.add(kind)
        self.attested.add(kind)

    def ignore(self, source: str, why: str) -> None:
        """Note a resource that does not count."""
        self._ignored.add(Ignored(source, why))

    def unrecognised(self, source: str, concept: Json, why: str) -> None:
        """Note the codes of a CodeableConcept that no code list knows, though they may matter; `why`: the reason."""
        for system, code in list(coded(concept)) or [("", "")]:
            self._unrecognised.add(Unrecognised(source, safe_code(system), safe_code(code), why))

    def record(self) -> Record:
        """Return the record; its order does not depend on the order of the input."""
        entries = {name: ordered(found) for name, found in self._entries.items()}
        return Record(
            birth=self.patient.birth,
            died=self.patient.died,
            entries=dict(sorted(entries.items())),
            lists=frozenset(self.lists - self.incomplete),
            attested=frozenset(self.attested - self.incomplete),
            partial=self.partial,
            ignored=tuple(sorted(self._ignored)),
            unrecognised=tuple(sorted(self._unrecognised)),
            sex=self.patient.sex,
            site=self.patient.site,
        )
