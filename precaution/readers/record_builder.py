"""Builds one record: every reader of a resource type is given a builder, and adds entries and notes to it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from precaution.readers.codes import words_in
from precaution.readers.dates import still_yesterday
from precaution.readers.json_access import Json, coded, name_of, safe_code
from precaution.readers.ledger import doubt_of
from precaution.readers.references import Resolver
from precaution.readers.renewals import Renewals
from precaution.readers.visit_diagnoses import NamedDisease, closed_by_problems, named_in
from precaution.values.interval import Interval
from precaution.values.record import LISTED, Entry, Ignored, Record, Unrecognised, ordered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precaution.knowledge.model import Ask
    from precaution.readers.codes import Codes
    from precaution.readers.contents import Contents
    from precaution.readers.patient import Patient


class PatientResource:
    """A resource whose subject is the patient, with its name and its `fullUrl`."""

    __slots__ = ("_doubt", "_source", "resource", "url")

    def __init__(self, resource: Json, url: str = "", source: str = "") -> None:
        """Take a resource and its `fullUrl`; `source` only where it is part of another."""
        self.resource = resource
        self.url = url
        self._source = source
        self._doubt: str | None = None

    @property
    def source(self) -> str:
        """Where it stands (`Observation/anc-7`); worked out when first asked for."""
        if not self._source:
            self._source = name_of(self.resource, self.url)
        return self._source

    @property
    def doubt(self) -> str:
        """Why all that it says is a doubt, or nothing (`ledger.doubt_of`); worked out when first asked for."""
        if self._doubt is None:
            self._doubt = doubt_of(self.resource)
        return self._doubt

    def doubted(self, why: str) -> None:
        """Make a doubt of all that it says."""
        self._doubt = why

    def within(self, inner: Json, why: str = "") -> PatientResource:
        """Return a resource that this one contains; it keeps this one's name. `why` makes it a doubt."""
        part = PatientResource(inner, self.url, self.source)
        if doubt := why or self.doubt:
            part.doubted(doubt)
        return part


class RecordBuilder:
    """Collects the entries of one record, and what it says about its own completeness."""

    def __init__(
        self, contents: Contents, patient: Patient, codes: Codes, asks: Mapping[str, Ask], today: int | None = None
    ) -> None:
        """Start an empty record of `patient`."""
        self.patient = patient
        self.codes = codes
        self.today = today
        """The day of the decision, where it is known to those who read."""
        self.asks = asks
        self.resolver = Resolver(contents)
        self.lists: set[str] = set()
        self.attested: set[str] = set()
        """Kinds whose list the record says to be empty."""
        self.partial = contents.partial
        self.incomplete: set[str] = set(LISTED) if contents.partial else set()
        """Kinds whose list can't be complete: it can't be told of some resource whether it is the patient's."""
        self._entries: dict[str, list[Entry]] = {}
        self._mentions: list[tuple[Entry, str, Json]] = []
        self._replaced: list[tuple[str, str, Entry]] = []
        """Preliminary results, by concept and by the instant as it is written."""
        self._final: set[tuple[str, str]] = set()
        self._diagnoses: dict[str, NamedDisease | None] = {}
        """What each Condition names, by where it stands."""
        self.renewals = Renewals()
        self._words: dict[str, str] = {}
        self._deleted = contents.deleted
        self._ignored = set(contents.ignored)
        self._unrecognised: set[Unrecognised] = set()

    @property
    def birth(self) -> Interval | None:
        """Day of birth."""
        return self.patient.birth

    def add(self, entry: Entry, item: PatientResource) -> None:
        """Add an entry; one whose meaning is uncertain only raises a question."""
        if self.today is not None and entry.start is not None and entry.start.low == self.today + 1:
            entry = _perhaps_of(self.today, entry, item)
        why = item.doubt or self._withdrawn(item)
        if why:
            entry = _as_doubt(entry, why)
        if entry.kind == "result":
            self._note_instant(entry, item)
        if entry.source not in self._words:
            self._words[entry.source] = words_in(item.resource)
        self._entries.setdefault(entry.concept, []).append(entry)

    def _note_instant(self, entry: Entry, item: PatientResource) -> None:
        """Note when a result was taken: a final one replaces a preliminary one of the same instant."""
        written = item.resource.get("effectiveDateTime") or item.resource.get("effectiveInstant")
        if isinstance(written, str) and "T" in written:
            if item.resource.get("status") == "preliminary" and entry.certainty == "certain":
                self._replaced.append((entry.concept, written, entry))
            elif entry.status == "final" and (entry.value is not None or entry.result):
                self._final.add((entry.concept, written))

    def _replace_preliminary(self) -> None:
        """Take away preliminary results that a final one of the same instant replaces."""
        for concept, written, entry in self._replaced:
            if (concept, written) in self._final and entry in self._entries[concept]:
                self._entries[concept].remove(entry)
                self.ignore(entry.source, "a preliminary result that a final one of the same instant replaces")

    def note_diagnosis(self, item: PatientResource) -> None:
        """Note what a Condition names, and whether it does so as the diagnosis of a visit."""
        self._diagnoses[item.source] = None if item.source in self._diagnoses else named_in(item.resource)

    def mention(self, entry: Entry, item: PatientResource, concept: Json) -> None:
        """Add a mention, unless the record says the same in an entry of its own (`record`)."""
        self._mentions.append((entry, item.source, concept))

    def _withdrawn(self, item: PatientResource) -> str:
        """Return why the sender may have taken back what a resource says, or nothing."""
        deleted = self._deleted
        if deleted and (item.source in deleted or self.resolver.named_in(item.resource, item.url, deleted)):
            return "the sender deletes it as well"
        return "its report was entered in error" if self.resolver.withdrawn(item.resource, item.url) else ""

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

    def _possible_birth(self) -> Interval | None:
        """Return the day of birth; none where most of what has a day is before it, for then it can't be right."""
        birth = self.patient.birth
        days = [each.start.high for found in self._entries.values() for each in found if each.start is not None]
        return birth if birth is not None and 2 * sum([day < birth.low for day in days]) <= len(days) else None

    def _add_mentions(self) -> None:
        """Add the mentions of what no entry says of about the same time."""
        own = {name: tuple(found) for name, found in self._entries.items()}
        for entry, source, concept in self._mentions:
            if not any(_covers(each, entry) for each in own.get(entry.concept, ())):
                self._entries.setdefault(entry.concept, []).append(entry)
                self.unrecognised(source, concept, entry.note)
        self._mentions = []

    def _together(self, found: list[Entry], birth: Interval | None) -> Sequence[Entry]:
        """Return the entries of one concept with what they tell of each other."""
        possible = [_with_possible_days(each, birth) for each in found]
        return closed_by_problems(self.renewals.joined(possible), self._diagnoses)

    def record(self) -> Record:
        """Return the record, in an order that does not depend on the input's."""
        self._replace_preliminary()
        self._add_mentions()
        birth = self._possible_birth()
        entries = {name: ordered(self._together(found, birth)) for name, found in self._entries.items()}
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
            words={source: words for source, words in self._words.items() if words},
        )


def _as_doubt(entry: Entry, why: str) -> Entry:
    """Return an entry that says nothing of itself any more, and only raises a question."""
    return entry._replace(certainty="mentioned", value=None, result="", says="", note=why)


def _perhaps_of(today: int, entry: Entry, item: PatientResource) -> Entry:
    """Return what is dated tomorrow as a doubt of today, where a clock somewhere on earth still showed today."""
    if not still_yesterday(item.resource, date.fromordinal(today + 1).isoformat()):
        return entry
    note = _with(entry.note, "dated tomorrow in another time zone; it may be of today")
    return _as_doubt(entry, note)._replace(start=Interval(today, today + 1))


def _with_possible_days(entry: Entry, birth: Interval | None) -> Entry:
    """Return an entry without days that can't be: before birth, or an end before the start."""
    start, end = entry.start, entry.end
    if start is not None and birth is not None and start.high < birth.low:
        return entry._replace(start=None, note=_with(entry.note, "its day is before birth"))
    if start is not None and end is not None and end.high < start.low:
        return entry._replace(start=None, end=None, note=_with(entry.note, "it ends before it begins"))
    return entry


_NEAR = 31
"""Days: a diagnosis this near to what mentions it is taken for the one that is meant."""


def _covers(own: Entry, mention: Entry) -> bool:
    """Whether an entry says of itself what a mention speaks of."""
    if own.certainty == "mentioned":
        return False
    if mention.start is None or own.start is None:
        return mention.start is None
    begun = own.start.low <= mention.start.high + _NEAR
    return begun and (own.end is None or own.end.high + _NEAR >= mention.start.low)


def _with(note: str, more: str) -> str:
    return f"{note}; {more}" if note else more
