"""The last step: a person's mapped rows -> Record, with the statuses, units and notes that FHIR's resources get."""

from __future__ import annotations

import csv
import re
from datetime import date
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.knowledge.terminology import fold
from precaution.readers.conditions import CLINICAL, VERIFIED
from precaution.readers.lengths import LONGEST
from precaution.readers.observations import ResultContext, answer_entries, outcome, result_entry
from precaution.readers.omop.doses import GIVEN, dosed
from precaution.readers.omop.meanings import is_test
from precaution.readers.routes import by_route
from precaution.readers.unlisted_results import BY_UNIT, can_be_given, told_by_unit
from precaution.values.interval import EVERYTHING, Interval, exactly, hull
from precaution.values.record import Entry, Ignored, Record, Unrecognised, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.readers.codes import Codes
    from precaution.readers.json_access import Json
    from precaution.readers.omop.meanings import VocabularyConcept
    from precaution.values.record import Certainty, Kind, Sex, Status

_URLS = {"SNOMED": "http://snomed.info/sct", "LOINC": "http://loinc.org"}
_SEXES: Mapping[int | None, Sex] = {8507: "male", 8532: "female"}
"""The two standard concepts of the domain Gender (OHDSI's documentation of the vocabulary); any other is not known."""
_OPERATORS = {4172703: "", 4171756: "<", 4171754: "<=", 4172704: ">", 4171755: ">="}
"""Concept ids of operators; any other can't be read."""
_COMPARATORS = re.compile(r"\s*(<=|>=|<|>|≤|≥)")
_VALUED = frozenset({"measurement", "observation"})
"""Events that have a value."""
_PRELIMINARY = frozenset({32892, 32899})
"""Condition statuses: to be diagnosed by a procedure, preliminary."""
_RESOLVED = 32906
_CONFIRMED = frozenset([*range(32890, 32912), 4230359, 4203942, 4033240]) - _PRELIMINARY - {_RESOLVED}
"""Condition statuses that say where a diagnosis stands, and do not doubt it."""
_HISTORY = 4188893
_PLACES = frozenset({"primary", "secondary", "principal", "admitting", "discharge", "final", "confirmed"})
"""Words of a condition's status that say where a diagnosis stands, and do not doubt it."""
_OPEN = frozenset({38000177, 38000178, 32833, 32838, 32839, 32830, 44787730, 32865})
"""Drug types of an order, of a list of medication, of a patient's own report: without an end it goes on."""
_ORDERED = frozenset({32833, 38000275})
"""Procedure types of an order."""


class MappedRow(NamedTuple):
    """A mapped row: see `mapping.COLUMNS`."""

    person: str
    event: str
    kind: str
    concept: str
    source: str
    certain: bool
    note: str
    system: str
    code: str
    start_day: int | None
    start_unread: bool | None
    end_day: int | None
    end_unread: bool | None
    verbatim_day: int | None
    visit_day: int | None
    status_id: int | None
    status_text: str | None
    stopped: bool | None
    type_id: int | None
    days_supply: float | None
    route_text: str | None
    number: float | None
    number_unread: bool | None
    operator_id: int | None
    unit_id: int | None
    unit_text: str | None
    high: float | None
    value_id: int | None
    value_text: str | None
    quantity: float | None = None
    strength: float | None = None
    """How many mg one piece of the drug holds, by DRUG_STRENGTH."""


class MappedPerson(NamedTuple):
    """A mapped person: see `mapping.PERSON_COLUMNS`."""

    person: str
    year: int | None
    month: int | None
    day: int | None
    born_day: int | None
    born_unread: bool
    died: bool
    died_unread: bool
    died_first: int | None
    died_last: int | None
    observed: bool
    gender_id: int | None = None
    care_site: str | None = None


class RowReader:
    """Reads the mapped rows of a person as a record."""

    def __init__(self, codes: Codes, values: Mapping[int, VocabularyConcept], units: Mapping[int, str]) -> None:
        """Look codes up in `codes`. `values`: the concepts of coded values; `units`: UCUM codes; both by concept id."""
        self._codes = codes
        self._values = values
        self._units = unit_codes(units)

    def record(self, person: MappedPerson, rows: Iterable[MappedRow]) -> Record:
        """Return the record that a person's mapped rows make."""
        collected = _Collected()
        birth, unread = _birth(person)
        if unread:
            collected.ignored.add(Ignored(f"person/{person.person}", "its birth date can't be read"))
        for row in rows:
            self._read(collected, row)
        kept = frozenset(collected.lists if person.observed else collected.attested)
        return Record(
            birth=birth,
            died=_died(person),
            entries=collected.sorted(),
            lists=kept,
            attested=frozenset(collected.attested),
            ignored=tuple(sorted(collected.ignored)),
            unrecognised=tuple(sorted(collected.unrecognised)),
            sex=_SEXES.get(person.gender_id, ""),
            site=person.care_site or "",
        )

    def _read(self, collected: _Collected, row: MappedRow) -> None:
        if row.kind == "list":
            collected.lists.add(row.concept)
            return
        if row.kind == "attested":
            collected.attested.add(row.concept)
            return
        if not row.certain and row.event in _VALUED and not self._may_be(row):
            return
        if not row.certain:
            collected.unrecognised.add(Unrecognised(row.source, row.system, row.code, row.note))
        for found in self._entries(row):
            if isinstance(found, Ignored):
                collected.ignored.add(found)
            else:
                collected.add(found)

    def _drug(self, row: MappedRow) -> Iterator[Entry | Ignored]:
        """Yield a drug taken and its dose, if its route does not say that it does not count."""
        meant = by_route(self._codes.terminology, row.concept, [row.route_text or ""], certain=row.certain)
        if not meant.concept:
            yield Ignored(row.source, meant.note)
            return
        row = row._replace(concept=meant.concept, certain=meant.certain, note=row.note or meant.note)
        entry = _drug(row)
        yield entry
        concept = self._codes.terminology.concept(row.concept)
        if concept.dosed:
            yield dosed(row, entry, concept)

    def _may_be(self, row: MappedRow) -> bool:
        """Whether a row of no list's code may be of the test that it is mapped to, by its unit and its number."""
        concept = self._codes.terminology.concept(row.concept)
        if row.note == BY_UNIT:
            return row.number is not None and told_by_unit(concept, self._holder(row), row.source)
        return can_be_given(
            concept, [each for each in (self._units.get(row.unit_id or 0, ""), row.unit_text or "") if each]
        )

    def _entries(self, row: MappedRow) -> Iterator[Entry | Ignored]:
        if row.kind == "condition":
            yield _condition(row)
        elif row.kind == "medication" and row.event == "drug":
            yield from self._drug(row)
        elif row.kind == "immunization":
            yield _act(row, "immunization")
        elif row.kind == "procedure":
            yield _act(row, "procedure")
            if row.type_id in _ORDERED:
                yield _act(row, "order")
        elif row.kind == "result":
            yield from self._result(row)
        else:
            yield self._finding(row)

    # Results

    def _result(self, row: MappedRow) -> Iterator[Entry]:
        concept = self._codes.terminology.concept(row.concept)
        start, note = _start(row, "no date")
        context = ResultContext("final", start, note, None)
        if not row.certain:
            yield Entry(row.concept, "result", row.source, start, certainty="mentioned", note=row.note)
        elif concept.answers:
            yield from answer_entries(self._codes, row.source, self._holder(row), concept, context)
        else:
            entry = result_entry(self._codes, row.source, self._holder(row), concept, context)
            notes = [row.note, entry.note]
            if not is_test(self._codes, row.concept) and self._said(row) not in (None, "positive"):
                entry = entry._replace(certainty="mentioned")
                notes.append("it is measured, and not found positive")
            yield entry._replace(note=_notes(*notes))

    def _holder(self, row: MappedRow) -> Json:
        """Return what a row measured as an Observation of FHIR would hold it."""
        holder: dict[str, Any] = {}
        value = self._value(row)
        if row.number is not None or row.number_unread:
            holder["valueQuantity"] = self._quantity(row)
            if value:
                holder["interpretation"] = [value]
        elif value:
            holder["valueCodeableConcept"] = value
        elif row.value_text:
            holder["valueString"] = row.value_text
        if row.high is not None and isfinite(row.high):
            holder["referenceRange"] = [{"high": {"value": row.high}}]
        return holder

    def _quantity(self, row: MappedRow) -> Json:
        quantity: Json = {"value": row.number if row.number is not None and isfinite(row.number) else None}
        operator = _OPERATORS.get(row.operator_id or 4172703)
        written = _COMPARATORS.match(row.value_text or "")
        if operator is None:
            quantity["comparator"] = "unknown"
        elif operator or written:
            quantity["comparator"] = operator or (written[1] if written else "")
        code, text = self._units.get(row.unit_id or 0, ""), row.unit_text or ""
        if code:
            quantity["code"] = code
        if text:
            quantity["unit"] = text
        return quantity

    def _value(self, row: MappedRow) -> Json | None:
        """Return the coded value of a row as a CodeableConcept; None where it has none."""
        if not row.value_id:
            return None
        known = self._values.get(row.value_id)
        named = self._codes.terminology.concept_ids.get(row.value_id)
        system, code = (known.vocabulary, known.code) if known and known.vocabulary in _URLS else named or ("", "")
        coding: list[object] = [{"system": _URLS[system], "code": code}] if system in _URLS else []
        return {"coding": coding, "text": (known.name if known else "") or row.value_text or ""}

    # Observations that are no tests: a history, a habit

    def _finding(self, row: MappedRow) -> Entry | Ignored:
        """Return an observation whose concept says what is or was so; its value may deny that."""
        recorded, note = _start(row, "no date")
        certainty: Certainty = "certain" if row.certain and row.kind == "finding" else "mentioned"
        notes = [row.note, note]
        said = self._said(row)
        if said == "negative":
            return Ignored(row.source, "it is said not to be so")
        if said != "positive" and said is not None:
            certainty = "mentioned"
            notes.append("what its value says of it can't be understood")
        kind: Kind = "medication" if row.kind == "medication" else "condition"
        return Entry(
            row.concept,
            kind,
            row.source,
            None,
            None,
            "unknown",
            certainty,
            says="no clinical status",
            note=_notes(*notes),
            recorded=recorded,
        )

    def _said(self, row: MappedRow) -> str | None:
        """Return the outcome that is an observation's value: empty for another value, None without a value."""
        value = self._value(row)
        if value is None and row.number is None and not row.number_unread and not row.value_text:
            return None
        holder: Json = {"valueCodeableConcept": value} if value else {"valueString": row.value_text or ""}
        return outcome(self._codes, holder)[0]


class _Collected:
    """What was read of a person so far."""

    def __init__(self) -> None:
        self.lists: set[str] = set()
        self.attested: set[str] = set()
        self.ignored: set[Ignored] = set()
        self.unrecognised: set[Unrecognised] = set()
        self._entries: dict[str, dict[Entry, None]] = {}

    def add(self, entry: Entry) -> None:
        self._entries.setdefault(entry.concept, {})[entry] = None

    def sorted(self) -> dict[str, tuple[Entry, ...]]:
        return {name: tuple(sorted(found, key=in_order)) for name, found in sorted(self._entries.items())}


# Persons


def _birth(person: MappedPerson) -> tuple[Interval | None, bool]:
    """Return the days on which a person may be born, and whether something of that can't be read.

    Year, month and day decide how exact it is: where a source knows only the year, its time of birth is made up.
    """
    born, unread = (None if person.born_day is None else exactly(person.born_day)), person.born_unread
    if person.year is None:
        return born, unread
    spelled = _calendar(person.year, person.month, person.day)
    if spelled is None:
        return born, True
    if born is not None and not spelled.low <= born.low <= spelled.high:
        return hull(spelled, born), unread
    return spelled, unread


def _calendar(year: int, month: int | None, day: int | None) -> Interval | None:
    """Return the days of a year, of a month of it, or one day; a month or day that is none leaves the wider span."""
    try:
        if month is not None and day is not None:
            return exactly(date(year, month, day).toordinal())
        if month is not None:
            first = date(year, month, 1)
            following = date(year + month // 12, month % 12 + 1, 1)
            return Interval(first.toordinal(), following.toordinal() - 1)
        return Interval(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
    except ValueError:
        return _calendar(year, None if day is None else month, None) if month is not None else None


def _died(person: MappedPerson) -> Interval | None:
    """Return the days of death; any where it is only known that a person died."""
    if not person.died:
        return None
    if person.died_unread or person.died_first is None or person.died_last is None:
        return EVERYTHING
    return Interval(person.died_first, person.died_last)


# Events


def _start(row: MappedRow, missing: str = "") -> tuple[Interval | None, str]:
    if row.start_day is not None:
        return exactly(row.start_day), ""
    return None, "its date can't be read" if row.start_unread else missing


def _condition(row: MappedRow) -> Entry | Ignored:
    """Return a condition; ends and statuses are rare in a CDM, and an end is often that of the visit."""
    start, undated = _start(row)
    word = fold(row.status_text or "")
    if word in ("refuted", "entered-in-error"):
        return Ignored(row.source, word)
    end, ended, note = _end_of_condition(row)
    ended = ended or row.status_id == _RESOLVED
    status = CLINICAL.get(word, "ended" if ended else "unknown")
    says = word if word in CLINICAL else "ended" if ended else "no clinical status"
    certainty, doubt = _certainty(row, word)
    if not row.certain:
        certainty = "mentioned"
    return Entry(
        row.concept,
        "condition",
        row.source,
        start,
        end,
        status,
        certainty,
        says=", ".join(filter(None, (says, doubt))),
        note=_notes(row.note, undated, note),
    )


def _end_of_condition(row: MappedRow) -> tuple[Interval | None, bool, str]:
    """Return the day a condition ended, whether it has an end, and what of that is not believed."""
    if row.end_day is None:
        return None, bool(row.stopped), "its end date can't be read" if row.end_unread else ""
    if row.start_day is not None and row.end_day < row.start_day:
        return None, False, "it ends before it begins"
    if row.end_day in (row.start_day, row.visit_day):
        return None, bool(row.stopped), "its end is that of the visit, not of the condition"
    return exactly(row.end_day), True, ""


def _certainty(row: MappedRow, word: str) -> tuple[Certainty, str]:
    """Return how sure a diagnosis is, and the word for a doubt; a status that can't be read is one."""
    if row.status_id in _PRELIMINARY:
        return "suspected", "preliminary"
    if row.status_id and row.status_id not in _CONFIRMED and row.status_id not in (_RESOLVED, _HISTORY):
        return "suspected", "of a status that is not known"
    known = VERIFIED.get(word)
    if known is not None:
        return known, word if known == "suspected" else ""
    doubtful = bool(word) and not row.status_id and word not in CLINICAL and not _PLACES & set(word.split())
    return ("suspected", "of a status that is not known") if doubtful else ("certain", "")


def _drug(row: MappedRow) -> Entry:
    """Return a drug taken, from its start until the supply ends, or as long as an order without an end goes on."""
    start, undated = _start(row)
    end, note = _end_of_drug(row)
    status: Status = "ended" if row.stopped else "active"
    if row.type_id in GIVEN and end is None:
        end = start
    if end is None and status == "active" and (note or row.type_id not in _OPEN):
        status, note = "unknown", note or "how long the supply lasts is not known"
    certainty: Certainty = "certain" if row.certain else "mentioned"
    return Entry(
        row.concept,
        "medication",
        row.source,
        start,
        end,
        status,
        certainty,
        says=status,
        note=_notes(row.note, undated, note),
    )


def _end_of_drug(row: MappedRow) -> tuple[Interval | None, str]:
    """Return the day on which a drug, or its supply, ends: what the source says; else by days of supply or end date.

    Many sources fill the end date with the day of the start where they know none.
    """
    begin = row.start_day
    if begin is not None and any(day is not None and day < begin for day in (row.verbatim_day, row.end_day)):
        return None, "it ends before it begins"
    if row.verbatim_day is not None and row.verbatim_day != begin:
        return exactly(row.verbatim_day), ""
    days = row.days_supply
    by_supply = begin + int(days) if begin is not None and days is not None and 0 < days <= LONGEST else None
    by_date = row.end_day if row.end_day != begin else None
    if by_supply is None or by_date is None:
        day = by_date if by_supply is None else by_supply
        return (None, "its end date can't be read" if row.end_unread else "") if day is None else (exactly(day), "")
    if abs(by_supply - by_date) <= 1:
        return exactly(by_supply), ""
    return Interval(min(by_supply, by_date), max(by_supply, by_date)), "its end date is not that of its supply"


def _act(row: MappedRow, kind: Kind) -> Entry:
    """Return a procedure or a vaccination that was done, or the order of one, which is not known to be done."""
    start, undated = _start(row)
    end, note = _end_of_act(row)
    status, says = _STATUSES["order" if kind == "order" else "ordered" if row.type_id in _ORDERED else "done"]
    return Entry(
        row.concept,
        kind,
        row.source,
        start,
        end,
        status,
        "certain" if row.certain else "mentioned",
        says=says,
        note=_notes(row.note, undated, note),
    )


_STATUSES: Mapping[str, tuple[Status, str]] = {
    "order": ("planned", "ordered"),
    "ordered": ("unknown", "not known to be done"),
    "done": ("final", "done"),
}


def _end_of_act(row: MappedRow) -> tuple[Interval | None, str]:
    begin, end = row.start_day, row.end_day
    if row.event != "procedure" or end is None or end == begin:
        return None, ""
    return (None, "it ends before it begins") if begin is not None and end < begin else (exactly(end), "")


def unit_codes(of_source: Mapping[int, str]) -> dict[int, str]:
    """Return the UCUM codes of unit concepts by id: our own, and the source's where we have none."""
    return {**of_source, **_own_units()}


def _notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))


@cache
def _own_units() -> dict[int, str]:
    """Return our own UCUM codes, for sources without a vocabulary, and where the vocabulary's code is not UCUM's."""
    text = (files("precaution.readers.omop") / "units.csv").read_text(encoding="utf-8")
    return {int(row["concept_id"]): row["ucum"] for row in csv.DictReader(text.splitlines())}
