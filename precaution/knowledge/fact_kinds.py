"""The kinds of `[fact.x]` tables, as frozen dataclasses: what a fact looks for in a record.

As in `precaution.knowledge.model`, a field is a key of the TOML table, with `_` for `-`. A fact's name has `_` too, as
answers have it. A kind says of itself what its value is, which window it has and how it reads in English; its code
lists are the fields that name concepts. Besides this, a kind is its look (`precaution.engine.kinds`), its SQL
(`precaution.sql`) and its cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from precaution.knowledge.computed_facts import Dose, Estimated, OfSex
from precaution.knowledge.expression import Expression
from precaution.knowledge.fact import NUMBER, EnglishWords, Fact, Meaning
from precaution.knowledge.refers import Absent, ConceptName, Concepts, DaysName, NumberName, Stage
from precaution.values.record import Kind


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

    MEANING = NUMBER

    def window(self, stage: Stage) -> str:
        """Return the parameter for the stage."""
        return self.within.get(stage, "")

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which result counts, of which age, and what stands in for it."""
        last = f"the {self.worst}est of the last {words.parameter(self.last)} results" if self.last else ""
        upper = f", or with {words.parameter(self.upper_limit)}" if self.upper_limit else ""
        return (
            f"{last or 'the latest result'} of {words.either(self.latest)}, of several on one day the {self.worst}est",
            words.ages(self.within),
            _derived(self.derived, words),
            f"compared with the result's own upper limit{upper}" if self.times_upper_limit else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme(Fact):
    """A number: the lowest or highest result since treatment started."""

    extreme: Concepts
    """Results, any of these."""
    worst: Literal["low", "high"]
    """Whether the lowest or the highest is wanted."""
    derived: Concepts = ()
    times_upper_limit: bool = False
    upper_limit: NumberName = ""
    unit: str = ""
    """The UCUM unit in which it is compared."""

    MEANING = NUMBER

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which result counts, what stands in for it, and what it is compared with."""
        which = f"the {self.worst}est result of {words.either(self.extreme)} since the start of treatment"
        upper = f", or with {words.parameter(self.upper_limit)}" if self.upper_limit else ""
        limit = f"compared with the result's own upper limit{upper}" if self.times_upper_limit else ""
        return which, _derived(self.derived, words), limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Fact):
    """A number: how far the latest result fell below a baseline, or rose above it; less than 0 for the other way."""

    change: Concepts
    """Results, any of these."""
    direction: Literal["fall", "rise"]
    """Which of the two is wanted. Of several results on one day the one counts that makes it larger: for a fall the
    lowest of the latest day, and the highest of the baseline's."""
    percent: bool = False
    """Whether it is in percent of the baseline, and not in the results' own unit."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old the latest may be, by stage; any age where left out."""
    over: DaysName = ""
    """Parameter: the baseline is the highest result (for a rise the lowest) of the last so many days. Where left out,
    it is the last result up to the day on which treatment started, and the latest must be of a later day."""
    unit: str = ""
    """The UCUM unit in which it is compared."""

    MEANING = NUMBER

    @property
    def worst(self) -> Literal["low", "high"]:
        """Which of several results on the latest day counts."""
        return "low" if self.direction == "fall" else "high"

    def window(self, stage: Stage) -> str:
        """Return the parameter for the stage, or the days over which it looks for a baseline."""
        return self.within.get(stage, "") or self.over

    def problem(self) -> str:
        """A percentage has no unit."""
        return "'unit' must be left out where 'percent' is true" if self.percent and self.unit else ""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is compared with what."""
        highest, fell = ("highest", "fell below") if self.direction == "fall" else ("lowest", "rose above")
        start = "the last one up to the start of treatment"
        baseline = f"the {highest} of the last {words.parameter(self.over)}" if self.over else start
        share = ", in percent of that" if self.percent else ""
        return (
            f"how far the latest result of {words.either(self.change)} {fell} {baseline}{share}",
            f"of several on one day the {self.worst}est counts for the latest, and the {highest} for the other",
            words.ages(self.within),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(Fact):
    """A word: "confirmed" where the last results crossed a limit so often in a row, "repeat" where they did less often,
    so that the test is to be repeated, "no" where the latest did not."""

    confirmed: Concepts
    """Results, any of these."""
    crossing: Literal["<", "<=", ">", ">="]
    """How a result crosses the limit."""
    limit: float | None = None
    """The limit, where the label gives it; a number, or a limit by its name."""
    limit_parameter: NumberName = ""
    """Parameter: the limit, where it is a choice of ours."""
    times: NumberName
    """Parameter: how many results in a row confirm it."""
    apart: DaysName = ""
    """Parameter: how many days must lie from one of them to the next; any two days where left out."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old a result may be, by stage; any age where left out."""
    times_upper_limit: bool = False
    """Compare with the result's own upper reference limit, or with `upper_limit`."""
    upper_limit: NumberName = ""
    """Parameter: the site's upper limit, for results that bring none."""
    unit: str = ""
    """The UCUM unit in which it is compared."""

    MEANING = ("confirmed", "repeat", "no")

    @property
    def worst(self) -> Literal["low", "high"]:
        """Which of several results on one day counts: the one that is more likely to cross the limit."""
        return "low" if self.crossing.startswith("<") else "high"

    def window(self, stage: Stage) -> str:
        """Return the parameter for the stage."""
        return self.within.get(stage, "")

    def numbers(self) -> tuple[float, ...]:
        """Return the limit, where it is the label's."""
        return (self.limit,) if self.limit is not None else ()

    def problem(self) -> str:
        """One limit is needed."""
        if self.limit is None and not self.limit_parameter:
            return "needs 'limit', or 'limit-parameter' where it is a choice of ours"
        return "has 'limit' and 'limit-parameter'; give one" if self.limit is not None and self.limit_parameter else ""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what confirms it."""
        limit = words.parameter(self.limit_parameter) if self.limit is None else f"{self.limit:g}{words.unit(self)}"
        apart = f", each {words.parameter(self.apart)} or more after the one before" if self.apart else ""
        upper = f", or with {words.parameter(self.upper_limit)}" if self.upper_limit else ""
        return (
            f"it is “confirmed” where the last {words.parameter(self.times)} results of {words.either(self.confirmed)} "
            f"are each {_CROSSING[self.crossing]} {limit}{apart}",
            "it is “repeat” where fewer in a row are, and “no” where the latest is not",
            f"of several on one day the {self.worst}est counts",
            words.ages(self.within),
            f"compared with the result's own upper limit{upper}" if self.times_upper_limit else "",
        )


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
    negative_to: NumberName = ""
    """Parameter: with `positive-from`, the number up to which a result in figures is negative; one between the two
    can't be told, nor can a figure that says other than the laboratory's word."""
    figures: Concepts = ()
    """The results whose figures are read as positive or negative; those of all where left out."""
    positive_stays: bool = False
    """Whether a positive result of any age counts, whatever was found later: a mark of past exposure."""
    positive_reassures: bool = False
    """Whether positive is the better of the two (an antibody that protects): then a later result that can't be read
    takes it back. Otherwise a positive result stands where nothing that tells anything came after it."""

    MEANING = ("positive", "negative")

    def problem(self) -> str:
        """A number that is negative needs one that is positive; figures are those of the test's own results."""
        if self.negative_to and not self.positive_from:
            return "'negative-to' needs 'positive-from'"
        return "'figures' must be among 'test'" if set(self.figures) - set(self.test) else ""

    def window(self, stage: Stage) -> str:
        """Return the parameter for the stage."""
        return self.within.get(stage, "")

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which result counts, of which age, and what is positive."""
        done = "says that the test was done, not what it showed"
        first, above, last = self.positive_from, self.positive_above, self.negative_to
        number = f"a number of {words.either(self.figures)}" if self.figures else "a number"
        return (
            f"the latest result, positive or negative, of {words.either(self.test)}",
            "a positive one of any age counts, whatever was found later" if self.positive_stays else "",
            words.ages(self.within),
            f"an entry of {words.either(self.performed)} {done}" if self.performed else "",
            f"{number} counts as positive from {words.parameter(first)}" if first else "",
            f"as negative up to {words.parameter(last)}, and can't be told in between" if last else "",
            f"{number} above {words.parameter(above)} counts as positive" if above else "",
        )


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

    def window(self, _stage: Stage) -> str:
        """Return the parameter, the same at every stage."""
        return self.within

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is looked for, and from when."""
        age = f" in the last {words.parameter(self.within)}" if self.within else ""
        start = " on or after the start of treatment" if self.since_start else ""
        return (
            f"whether the record holds {words.either(self.ever)}{age + start or ' at any time'}",
            *_doubtful(self, words),
        )


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

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is looked for, for how long it must have lasted, and how long an entry is believed."""
        start = " that began on or after the start of treatment" if self.since_start else ""
        lasted = f" for more than {words.parameter(self.longer_than)}" if self.longer_than else ""
        recent = f"without status or end an entry is believed for {words.parameter(self.recent)}" if self.recent else ""
        return (
            f"whether {words.either(self.active)} is present{lasted}{start}",
            recent,
            f"an entry older than {words.parameter(self.stale)} no longer counts" if self.stale else "",
            "an entry without a status counts as present" if self.without_status == "active" else "",
            *_doubtful(self, words),
        )


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

    def window(self, _stage: Stage) -> str:
        """Return the parameter, the same at every stage."""
        return self.within

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is counted, and how far apart."""
        window = f"{words.parameter(self.within)}, each {words.parameter(self.apart)} or more after the one before"
        return (f"at least {words.parameter(self.at_least)} episodes of {words.either(self.repeated)} in {window}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Fact):
    """True or false: whether something is ordered or planned."""

    planned: Concepts
    """Orders of any of these."""
    absent: Absent = "no"
    """What it means that there is none."""
    ahead: DaysName = ""
    """Parameter: only if planned for the next so many days; an order without a date is a question."""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say what is looked for, and for how long ahead."""
        window = f" for the next {words.parameter(self.ahead)}" if self.ahead else ""
        return (f"whether {words.either(self.planned)} is ordered or planned{window}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded(Fact):
    """A word: the latest of several concepts, each standing for a word (smoking status)."""

    latest_of: Mapping[ConceptName, str]
    """concept = word; the word "unknown" can't be told."""
    within: Mapping[str, DaysName] = field(default_factory=dict[str, str])
    """word = parameter: how old that word may be."""
    questions: Concepts = ()
    """Questions whose answer could not be read; a later one leaves the word unknown."""

    def meaning(self) -> Meaning:
        """Return the words that its concepts stand for."""
        return tuple(dict.fromkeys(word for word in self.latest_of.values() if word != "unknown"))

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which concept means which word, and for how long."""
        means = [f"{concept} means “{word}”" for concept, word in self.latest_of.items()]
        ages = [f"“{word}” counts for {words.parameter(parameter)}" for word, parameter in self.within.items()]
        unread = f"a later answer to {words.either(self.questions)} that can't be read leaves it open"
        return f"the latest of these: {words.listed(means)}", words.listed(ages), unread if self.questions else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysSince(Fact):
    """A number of days since the latest of these; beyond every limit where there was none."""

    days_since: Concepts
    """Entries of any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "condition"

    MEANING = NUMBER

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say from what the days are counted."""
        return (f"days since the latest entry of {words.either(self.days_since)}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOn(Fact):
    """A number of days for which any of these drugs was taken, all courses together."""

    days_on: Concepts
    """Drugs, any of these."""
    absent: Absent = "no-if-list-complete"
    """What it means that there is none."""
    list: Kind = "medication"

    MEANING = NUMBER

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say which drugs are counted."""
        return (f"days on {words.either(self.days_on)}, all courses together",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedAge(Fact):
    """True or false: whether the patient has completed so many years."""

    reached_age: float | None = None
    """Years, where the label gives them."""
    reached_age_parameter: NumberName = ""
    """The years, where they are a choice of ours."""

    def numbers(self) -> tuple[float, ...]:
        """Return the years, where they are the label's."""
        return (self.reached_age,) if self.reached_age is not None else ()

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say how many years."""
        years = words.parameter(self.reached_age_parameter) if self.reached_age_parameter else f"{self.reached_age:g}"
        return (f"whether {years} years of age are completed",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Fact):
    """True or false: an expression over other facts."""

    expression: Expression
    """What it is made of."""

    def english(self, words: EnglishWords) -> tuple[str, ...]:
        """Say the expression."""
        return (words.phrase(self.expression),)


_CROSSING = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def _derived(concepts: Concepts, words: EnglishWords) -> str:
    if not concepts:
        return ""
    return f"where there is none, it is worked out from {words.listed(concepts)} of one day, and said so"


def _doubtful(fact: Ever | Active, words: EnglishWords) -> tuple[str, ...]:
    """Return what is done with what is not certain."""
    return (
        "a suspected one counts" if fact.suspected_counts else "",
        "one without a day counts" if fact.undated == "yes" else "",
        f"an entry of {words.either(fact.doubt)} only raises a question" if fact.doubt else "",
    )


FACT_KINDS: Mapping[str, type[Fact]] = {
    "latest": Latest,
    "extreme": Extreme,
    "estimate": Estimated,
    "change": Change,
    "confirmed": Confirmed,
    "test": Tested,
    "ever": Ever,
    "active": Active,
    "repeated": Repeated,
    "planned": Planned,
    "latest-of": Worded,
    "days-since": DaysSince,
    "days-on": DaysOn,
    "dose": Dose,
    "reached-age": ReachedAge,
    "reached-age-parameter": ReachedAge,
    "sex": OfSex,
    "is": Derived,
}
"""The key that tells a fact's kind."""
