"""What must not come of a way: an answer that is milder than before, and milder than with the entry unknown.

The entry unknown is made on the record, not by a reader: what the entry says is a mention of its concept, which forbids
a "no" and is never a "yes". Where a way leaves nothing of the entry, it is a record without it of which no list is
whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

from precaution.assessment import as_stage, with_answers
from precaution.engine.answer import Decision, grave
from precaution.engine.decision import decide
from precaution.errors import PrecautionError
from precaution.readers import read_bytes, read_resources
from precaution.values.interval import Interval
from precaution.values.record import UNREADABLE, Record, ordered
from support.hiding.kit import Changed, Left, Patient, Shown, Way

FINDING = {"no": 0, "unknown": 1, "holds": 2}
HOLD = {"released": 0, "unknown": 1, "open": 2}
DUTY = {"done": 0, "upcoming": 1, "unknown": 2, "due": 2, "overdue": 2}
"""How grave each state is. What is due may come to be unknown, for both ask for the same; so may what is overdue."""

Gravity = dict[str, int]
"""The action, each rule, hold and duty: how grave, the larger the graver. What is not there is 0."""


MAY_MEAN_MORE: frozenset[Left] = frozenset({"words", "unnamed"})
"""Where words or what is left of an entry may mean more than it did: what was sure may then be in doubt."""
STRICT: frozenset[Left] = frozenset({"doubt", "words", "undated", "passing", "anybody's", "unnamed", "nothing"})
"""What a way must leave for the answer to be as grave as with the entry unknown, though it was milder before: what
reassured may not go on doing so."""


class Told(NamedTuple):
    """An entry of a patient with the answers it is judged by."""

    shown: Shown
    stage: str
    before: Gravity
    unknown: Callable[[Left], Gravity]
    """What comes of the patient where the entry is unknown in this way."""


class Milder(NamedTuple):
    """An answer that a way made milder."""

    way: str
    patient: str
    source: str
    concepts: tuple[str, ...]
    what: str
    """Which rule, hold, duty or action, and how grave: before, with the entry unknown, and now."""


def gravity(decision: Decision, patient: Patient) -> Gravity:
    """Return how grave a decision is in each of its parts; a finding that an answer softens is as grave as a doubt."""
    found = {
        f"rule {each.rule}": FINDING[each.state] - (each.state == "holds" and each.attested)
        for each in decision.findings
    }
    found |= {f"hold {each.rule}": HOLD[each.state] for each in decision.holds}
    found |= {f"duty {each.duty}": DUTY[each.state] for each in decision.due}
    rank = grave(decision.action, decision.attested, patient.label)
    return found | {"action": len(patient.label.actions) - rank}


def read(documents: Changed, patient: Patient) -> Record:
    """Return the record of a patient's documents. Raises InputError where they can't be read."""
    label, day = patient.label, patient.today.toordinal()
    if isinstance(documents, bytes):
        return read_bytes(documents, label.terminology, label.asks, "the patient", day)
    return read_resources(documents or [], label.terminology, label.asks, day)


def decided(record: Record, patient: Patient, stage: str | None) -> Decision:
    day = patient.today.toordinal()
    known = with_answers(record, patient.answers, patient.label, day)
    return decide(known, patient.label, day, as_stage(stage), everything=True).decision


def entries_of(patient: Patient) -> Iterator[Told]:
    """Yield each entry of a patient that is relevant: of which the reader makes an entry of the label's.

    Yields none of a patient who can't be decided.
    """
    try:
        record = read(list(patient.resources), patient)
        decision = decided(record, patient, decided(record, patient, patient.stage).stage)
    except PrecautionError:
        return
    before = gravity(decision, patient)
    concepts: dict[str, list[str]] = {}
    for name, entries in record.entries.items():
        for entry in entries:
            concepts.setdefault(entry.source, []).append(name)
    for place, resource in enumerate(patient.resources):
        source = f"{resource['resourceType']}/{resource.get('id')}"
        if place and source in concepts:
            own = tuple(dict.fromkeys(concepts[source]))
            alone = all({each.source for each in record.entries[name]} == {source} for name in own)
            certain = any(
                each.certainty != "mentioned" for name in own for each in record.entries[name] if each.source == source
            )
            shown = Shown(patient, place, own, alone, certain)
            yield Told(shown, decision.stage, before, cache(partial(_unknown, record, shown, decision.stage)))


def _unknown(record: Record, shown: Shown, stage: str, left: Left) -> Gravity:
    """Return how grave the patient is with an entry of which no more is left; of two such records the milder one.

    Words may mean more than the entry did: what was sure may then be in doubt, and no more than that.
    """
    patient = shown.patient
    found = [gravity(decided(made(record, shown), patient, stage), patient) for made in _LEFT[left]]
    least = {name: min(each.get(name, 0) for each in found) for name in found[0]}
    if left not in MAY_MEAN_MORE:
        return least
    most = len(patient.label.actions) - patient.label.actions.index("obtain")
    return {name: min(graver, most if name == "action" else 1) for name, graver in least.items()}


def _doubt(record: Record, shown: Shown, **more: object) -> Record:
    """Return the record with the entry as a mention, and with an answer as one that can't be read."""
    entries = {
        name: ordered(
            each._replace(certainty="mentioned", value=None, result="", **more) if each.source == shown.source else each
            for each in found
        )
        for name, found in record.entries.items()
    }
    return replace(record, entries=entries)


def _undated(record: Record, shown: Shown) -> Record:
    return _doubt(record, shown, start=None, end=None, recorded=None, status="unknown")


def _without_its_day(record: Record, shown: Shown) -> Record:
    """Return the record with the entry as it is but for its day: a label may say what such a one counts as."""
    entries = {
        name: ordered(
            each._replace(start=None, recorded=None) if each.source == shown.source else each for each in found
        )
        for name, found in record.entries.items()
    }
    return replace(record, entries=entries)


def _without_its_end(record: Record, shown: Shown) -> Record:
    """Return the record with a disease that is over, nobody knows since when: it may be the one that a visit tells of.

    A mention in its place could not end what the visit tells of, and would be graver than what is known.
    """
    entries = {
        name: ordered(
            each._replace(end=None) if each.source == shown.source and each.status == "ended" else each
            for each in found
        )
        for name, found in record.entries.items()
    }
    return replace(record, entries=entries)


def _unsettled(record: Record, shown: Shown) -> Record:
    """Return the record with the entry as it is but for its status, which is none that settles it."""
    entries = {
        name: ordered(
            each._replace(status="preliminary" if each.kind == "result" else "unknown")
            if each.source == shown.source
            else each
            for each in found
        )
        for name, found in record.entries.items()
    }
    return replace(record, entries=entries)


def _anybodys(record: Record, shown: Shown) -> Record:
    """Return the record with the entry as a mention, and without a whole list of its kind."""
    kind = _kind(record, shown)
    return replace(_doubt(record, shown), lists=record.lists - {kind}, attested=record.attested - {kind})


def _kind(record: Record, shown: Shown) -> str:
    return next(each.kind for found in record.entries.values() for each in found if each.source == shown.source)


def _passing(record: Record, shown: Shown) -> Record:
    day = shown.patient.today.toordinal()
    spoken_of = Interval(day - 10, day - 10)
    return _doubt(record, shown, start=spoken_of, end=Interval(day - 10, day + 80), status="unknown")


def _without(record: Record, shown: Shown) -> Record:
    entries = {
        name: tuple(each for each in found if each.source != shown.source) for name, found in record.entries.items()
    }
    return replace(record, entries={name: found for name, found in entries.items() if found})


def _unnamed(record: Record, shown: Shown) -> Record:
    """Return the record with an entry that may be anything of its kind; of results the list is not whole then."""
    own = next(each for found in record.entries.values() for each in found if each.source == shown.source)
    left = _without(record, shown)
    kind = "medication" if shown.kind.startswith("Medication") else own.kind  # a plan of it is one of a drug too
    if kind not in UNREADABLE:
        return replace(left, lists=left.lists - {kind}, attested=left.attested - {kind})
    anything = own._replace(concept=UNREADABLE[kind], certainty="mentioned")
    return replace(
        left, entries={**left.entries, UNREADABLE[kind]: (*left.entries.get(UNREADABLE[kind], ()), anything)}
    )


def _nothing(record: Record, shown: Shown) -> Record:
    return replace(_without(record, shown), lists=frozenset(), attested=frozenset(), partial=True)


_LEFT: dict[Left, tuple[Callable[[Record, Shown], Record], ...]] = {
    "all": (_doubt,),
    "doubt": (_doubt,),
    "words": (_doubt,),
    "unsettled": (_doubt, _unsettled),
    "dated": (_undated, _without_its_day, _without_its_end),
    "undated": (_undated, _without_its_day),
    "passing": (_passing,),
    "anybody's": (_anybodys,),
    "unnamed": (_unnamed,),
    "nothing": (_nothing,),
}


def fits(told: Told, way: Way) -> Changed:
    """Return the patient's documents in this way; None where it does not fit the entry."""
    return way.change(told.shown.entry(), told.shown)


def milder(told: Told, way: Way, documents: Changed) -> list[Milder]:
    """Return what became milder than it was, and than with the entry unknown; nothing where the input is refused."""
    patient = told.shown.patient
    try:
        now = gravity(decided(read(documents, patient), patient, told.stage), patient)
    except PrecautionError:
        return []
    unknown = told.unknown(way.leaves)
    least = (
        unknown if way.leaves in STRICT else {each: min(told.before.get(each, 0), unknown[each]) for each in unknown}
    )
    return [
        Milder(
            way.name,
            patient.name,
            told.shown.source,
            told.shown.concepts,
            f"{name}: {told.before.get(name, 0)} {unknown[name]} {now.get(name, 0)}",
        )
        for name, grave in least.items()
        if now.get(name, 0) < grave
    ]
