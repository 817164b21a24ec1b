"""What a patient's record says, in our words: entries, each with the place it came from.

A reader makes a `Record`; nothing above the readers knows FHIR or OMOP. Days are ordinals (see
`precaution.values.interval`), values are in the unit that the label's concept names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from precaution.values.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable


Kind = Literal["condition", "result", "procedure", "immunization", "medication", "order", "answer"]
"""The lists a record is made of. `order` is something requested or planned, of any sort."""

Status = Literal["active", "ended", "planned", "held", "unknown", "preliminary", "final"]
"""condition: active, ended, unknown. medication: active, held, ended, planned, unknown. order: planned.
result: final, preliminary. procedure, immunization: final, unknown. answer: final."""

Certainty = Literal["certain", "suspected", "mentioned"]
"""suspected: provisional, differential, unconfirmed. mentioned: only its words speak of the concept, or it
can't be read at all: never a "yes", but it forbids a "no"."""

KINDS: tuple[str, ...] = get_args(Kind)
STATUSES: tuple[str, ...] = get_args(Status)
CERTAINTIES: tuple[str, ...] = get_args(Certainty)
LISTED = ("condition", "medication", "procedure", "immunization", "result")
"""The kinds that a record can hold a list of."""

Result = str
"""What a test showed: positive, negative, indeterminate; or the word of an answer; else empty."""

Sex = Literal["", "female", "male", "other"]
"""As registered; empty where the record does not say."""

UNREADABLE: Mapping[str, str] = {
    kind: f"unreadable-{kind}" for kind in ("condition", "medication", "procedure", "immunization", "order")
}
"""Where a reader files an entry that can't be understood at all: it may be anything of its kind."""

ANSWER = "ask:"
"""Readers file answers under this prefix and the ask's name."""


DOSE = "dose:"
"""Readers file the dose of a drug, where the label asks for it, under this prefix and the drug's concept. The value is
in mg a day, or in mg on the day where something was given; `result` says: ordered, reported, dispensed or given."""


class Entry(NamedTuple):
    """One thing the record says about one concept (a code list of the label, or an ask of it)."""

    concept: str
    kind: Kind
    source: str
    """Where it stands, as `Observation/anc-7`."""
    start: Interval | None = None
    """Day it began, was measured, given or ordered; None where the record does not say."""
    end: Interval | None = None
    """Day it ended, or the supply ran out; None where the record names no end."""
    status: Status = "final"
    certainty: Certainty = "certain"
    value: Interval | None = None
    """The number, in the concept's unit; None where there is none or it can't be used (`note` says why)."""
    upper: float | None = None
    """The upper limit of the entry's own reference range, in the same unit; always above 0."""
    result: Result = ""
    says: str = ""
    """What it says, from our own words and checked numbers only: never free text of the record."""
    note: str = ""
    """Why a value is missing, or what was assumed or derived."""
    recorded: Interval | None = None
    """Day it was written down, where that differs from `start`."""


class Ignored(NamedTuple):
    """A part of the input that does not count, and why."""

    source: str
    why: str


class Unrecognised(NamedTuple):
    """A coded entry that no code list of the label knows, though it may matter."""

    source: str
    system: str
    code: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One patient's record. `entries` maps a concept to its entries in one total order, so ties never
    depend on the order of the input."""

    birth: Interval | None = None
    died: Interval | None = None
    """Day of death; an interval without ends where it is only known that the patient died."""
    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict[str, "tuple[Entry, ...]"])
    lists: frozenset[str] = frozenset()
    """The kinds (`condition`, `medication`, ...) for which the record holds a list, or says it is empty."""
    attested: frozenset[str] = frozenset()
    """The kinds whose list the record itself says to be empty or complete."""
    partial: bool = False
    """Whether the input says that it is only a part of the record (one page of several, lines lost)."""
    ignored: tuple[Ignored, ...] = ()
    unrecognised: tuple[Unrecognised, ...] = ()
    sex: Sex = ""
    """For the strata of an audit, and for the formula of an estimate; nothing else looks at it."""
    site: str = ""
    """Id of the place that keeps the record; for the strata of an audit alone."""
    words: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)
    """What the record itself calls its entries, by where they stand: to be shown on the spot, and never kept."""


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries sorted by `in_order`, each once."""
    found = tuple(entries)
    if len(found) < 2:
        return found
    keys = [(_ends(each.start), _ends(each.end), each.source) for each in found]
    if len(set(keys)) == len(keys):  # what follows in the order then decides nothing
        return tuple(entry for _, entry in sorted(zip(keys, found, strict=True)))
    return tuple(sorted(dict.fromkeys(found), key=in_order))


def in_order(entry: Entry) -> tuple[object, ...]:
    """Return the sort key of an entry: its days, then everything else, so that only equal entries have equal keys."""
    return (
        _ends(entry.start),
        _ends(entry.end),
        entry.source,
        entry.status,
        entry.certainty,
        _ends(entry.value),
        entry.result,
        entry.upper or 0.0,
        entry.says,
        entry.note,
        entry.kind,
        _ends(entry.recorded),
    )


def _ends(interval: Interval | None) -> tuple[float, ...]:
    return () if interval is None else interval
