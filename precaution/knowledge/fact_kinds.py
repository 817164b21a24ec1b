"""The kinds of `[fact.x]` tables, as frozen dataclasses: what a fact looks for in a record.

As in `precaution.knowledge.model`, a field is a key of the TOML table, with `_` for `-`. A fact's name has `_` too, as
answers have it. One module of
`precaution.engine.facts` works out each kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from precaution.knowledge.expression import Expression
from precaution.knowledge.refers import Absent, ConceptName, Concepts, DaysName, NumberName, Stage
from precaution.values.record import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every `[fact.x]` has, whatever its kind."""

    name: str
    topic: str
    title: str = ""
    """What it is, as a reader of the answer sees it; the name where left out."""
    reading: str = ""
    """How we take the label's open words here."""
    uses: tuple[str, ...] = ()
    """Parameters that the fact depends on (filled in by the loader)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(Fact):
    """A number: the latest result; of several on one day the worst."""

    latest: Concepts
    """Results, any of these."""
    worst: Literal["low", "high"]
    """Which of several on one day counts."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old it may be, by stage; any age where left out."""
    derived: Concepts = ()
    """Two results of one day, a count and a percentage of it, that stand in where no direct result does."""
    times_upper_limit: bool = False
    """Compare with the result's own upper reference limit, or with `upper_limit`."""
    upper_limit: NumberName = ""
    """Parameter: the site's upper limit, for results that bring none."""
    last: NumberName = ""
    """Parameter: how many of the last results count; the worst of them is the value."""
    unit: str = ""
    """The UCUM unit in which it is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Fact):
    """A number: the lowest or highest result since treatment started."""

    extreme: Concepts
    """Results, any of these."""
    worst: Literal["low", "high"]
    """Whether the lowest or the highest is wanted."""
    derived: Concepts = ()
    unit: str = ""
    """The UCUM unit in which it is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested(Fact):
    """A word: the latest result of a test, "positive" or "negative"."""

    test: Concepts
    """Results, any of these."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old it may be, by stage; any age where left out."""
    performed: Concepts = ()
    """Procedures that say the test was done, not what it showed."""
    positive_from: NumberName = ""
    """Parameter: the number from which a result in figures is positive."""
    positive_above: NumberName = ""
    """Parameter: the number above which a result in figures is positive (0: any quantity found)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ever(Fact):
    """True or false: whether the record holds any of these at any time."""

    ever: Concepts
    """Entries of any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "condition"
    """The list of the record that must be complete for "none"."""
    doubt: Concepts = ()
    """Code lists that only raise a question."""
    within: DaysName = ""
    """Parameter: only in the last so many days."""
    since_start: bool = False
    """Only what began on or after the start of treatment."""
    suspected_counts: bool = False
    """Whether a provisional diagnosis is a yes (suspected thromboembolism) and not a question."""
    undated: Literal["unknown", "yes"] = "unknown"
    """Whether an entry without a day counts as within the window, or since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Active(Fact):
    """True or false: whether a condition is present on the day, or a drug is being taken."""

    active: Concepts
    """Entries of any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "condition"
    doubt: Concepts = ()
    recent: DaysName = ""
    """Parameter: a condition without a clinical status counts for so many days; a drug order without an
    end is believed for so many days and raises a question after that."""
    longer_than: DaysName = ""
    """Parameter: only where it has lasted more than so many days."""
    since_start: bool = False
    stale: DaysName = ""
    """Parameter: an active entry older than this no longer counts (symptoms)."""
    without_status: Literal["unknown", "active"] = "unknown"
    """What a condition without a clinical status is, where `recent` does not settle it."""
    suspected_counts: bool = False
    undated: Literal["unknown", "yes"] = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated(Fact):
    """True or false: whether there were at least so many episodes in a window, so far apart."""

    repeated: Concepts
    """Entries of any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there are fewer."""
    list: Kind = "condition"
    at_least: NumberName
    """How many episodes."""
    within: DaysName
    """In the last so many days."""
    apart: DaysName
    """Entries nearer than so many days are one episode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Fact):
    """True or false: whether something is ordered or planned."""

    planned: Concepts
    """Orders of any of these."""
    absent: Absent = "no"
    """What it means that there is none."""
    ahead: DaysName = ""
    """Parameter: only if planned for the next so many days; an order without a date is a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded(Fact):
    """A word: the latest of several concepts, each standing for a word (smoking status)."""

    latest_of: Mapping[ConceptName, str]
    """concept = word; the word "unknown" can't be told."""
    within: Mapping[str, DaysName] = field(default_factory=dict[str, str])
    """word = parameter: how old that word may be."""
    questions: Concepts = ()
    """Questions whose answer could not be read; a later one leaves the word unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysSince(Fact):
    """A number of days since the latest of these; beyond every limit where there was none."""

    days_since: Concepts
    """Entries of any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOn(Fact):
    """A number of days for which any of these drugs was taken, all courses together."""

    days_on: Concepts
    """Drugs, any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "medication"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAge(Fact):
    """True or false: whether the patient has completed so many years."""

    reached_age: float | None = None
    """Years, where the label gives them."""
    reached_age_parameter: NumberName = ""
    """The years, where they are a choice of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Fact):
    """True or false: an expression over other facts."""

    expression: Expression
    """What it is made of."""


FACT_KINDS: Mapping[str, type[Fact]] = {
    "latest": Latest,
    "extreme": Extreme,
    "test": Tested,
    "ever": Ever,
    "active": Active,
    "repeated": Repeated,
    "planned": Planned,
    "latest-of": Worded,
    "days-since": DaysSince,
    "days-on": DaysOn,
    "reached-age": ReachedAge,
    "reached-age-parameter": ReachedAge,
    "is": Derived,
}
"""The key that tells a fact's kind."""
