"""What a label's folder says, as frozen dataclasses: one class for each table of the knowledge files.

A field is a key of the TOML table, with `_` for `-`. `precaution.knowledge` loads them; the field's type
says what may stand there. The format is described for clinicians in docs/reference/knowledge-format.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.expression import Expression
    from precaution.record import Kind
    from precaution.terminology import Terminology

Stage = Literal["before-start", "on-treatment", "interrupted"]
STAGES: tuple[Stage, ...] = ("before-start", "on-treatment", "interrupted")
Role = Literal["directive", "background", "evidence-limit", "provenance"]
ROLES: tuple[Role, ...] = ("directive", "background", "evidence-limit", "provenance")
Absent = Literal["unknown", "no-if-list-complete", "no"]
"""What it means that the record holds nothing. `no` is only for what can't be asked of a list."""


class Refers(NamedTuple):
    """What a name in a field refers to; the loader refuses a name that stands for nothing."""

    to: Literal["concept", "parameter", "fact", "ask", "sentence", "action", "rule or duty"]
    measure: Literal["", "days", "number", "word"] = ""
    """For a parameter: what its value must be."""


ConceptName = Annotated[str, Refers("concept")]
DaysName = Annotated[str, Refers("parameter", "days")]
NumberName = Annotated[str, Refers("parameter", "number")]
WordName = Annotated[str, Refers("parameter", "word")]
FactName = Annotated[str, Refers("fact")]
AskName = Annotated[str, Refers("ask")]
ActionName = Annotated[str, Refers("action")]
RuleOrDuty = Annotated[str, Refers("rule or duty")]
Concepts = tuple[ConceptName, ...]
"""Names of code lists."""
Sentences = tuple[Annotated[str, Refers("sentence")], ...]
"""Ids of sentences of the label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """`[says.S19]`: a sentence of the label, in our words, with the digest of the exact one."""

    id: str
    topic: str
    sha256: str
    """SHA-256 (hex) of the exact sentence."""
    role: Role
    """`directive` asks for something; the others say why they lead to no rule."""
    means: str
    """The sentence in our words."""
    why: str = ""
    """Why the sentence leads to no rule or duty; needed for every role but `directive`."""
    start: int
    """Where the sentence begins in the label's text, in characters ..."""
    end: int
    """... and where it ends."""
    numbers: tuple[float, ...] = ()
    """The numbers it states; any other number in a rule that cites it must be a parameter."""
    explains: tuple[RuleOrDuty, ...] = ()
    """Rules and duties beside which a background sentence is shown ..."""
    show_when: Expression | None = None
    """... and for which patients; for all where this is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`[parameter.count-max-age]`: a choice of ours, not the label's, that a site may make otherwise."""

    name: str
    topic: str
    value: float | bool | str
    """Days where written as "28 days"; else a number, true or false, or a word."""
    written: str
    """The value as the file writes it."""
    of: Sentences
    """The sentences that leave it open."""
    why: str
    """Why this value."""
    status: Literal["proposed", "verified", "unverified"]
    """Whether a clinician has confirmed it."""
    default: str = ""
    """Its number in the list of defaults (D13), where it has one."""
    choices: tuple[str, ...] = ()
    """The only words or numbers a site may choose from."""
    overridden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """`[concept.lab_anc]`: what is known of a code list besides its codes."""

    name: str
    topic: str = ""
    unit: str = ""
    """The UCUM unit in which its values are kept and compared."""
    plausible: tuple[float, ...] = ()
    """Lowest and highest believable value in that unit; outside it a value is not used."""
    factors: Mapping[str, float] = field(default_factory=dict[str, float])
    """Units that only this concept's substance lets us convert (mmol/L of cholesterol): unit = factor."""
    words: tuple[str, ...] = ()
    """Beginnings of words in a display or text that make an unrecognised entry a doubt about this concept;
    `tb$` is a whole word, `*carcinoma` any part of one."""
    not_words: tuple[str, ...] = ()
    """Words that take such a doubt away again."""
    spellings: tuple[str, ...] = ()
    """Whole texts of a result that mean this concept (`result_positive`: "reactive")."""
    answers: Concepts = ()
    """For a question (smoking status): the concepts that may be its coded answer."""
    outranks: Concepts = ()
    """Concepts that a code does not belong to where it belongs to this one."""
    why: str = ""
    """What was decided about the list, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every `[fact.x]` has, whatever its kind."""

    name: str
    topic: str
    title: str
    """What it is, as a reader of the answer sees it."""
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
    absent: Absent
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
    absent: Absent
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
    absent: Absent
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
    absent: Absent
    """What it means that there is none."""
    list: Kind = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOn(Fact):
    """A number of days for which any of these drugs was taken, all courses together."""

    days_on: Concepts
    """Drugs, any of these."""
    absent: Absent
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """`[ask.no-suitable-alternative]`: what only a clinician knows."""

    name: str
    topic: str
    number: str
    """A1-A16."""
    question: str
    """As it is put to the clinician."""
    of: Sentences
    """The sentences that need it."""
    valid: DaysName = ""
    """Parameter: for how long an answer counts."""
    answers: tuple[str, ...] = ("yes", "no")
    """`yes` and `no` make it true or false; any others make it a word."""
    reassures: tuple[str, ...] = ("yes",)
    """The answers that make a finding milder. Only these expire and can be voided; any other answer
    stands until it is answered anew."""
    about: tuple[FactName, ...] = ()
    """Facts: evidence newer than a reassuring answer voids it."""
    when: Expression | None = None
    """For which patients it is asked; where left out, when a rule or duty needs it."""
    why: str = ""
    """What the record can't show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`[rule.low-neutrophils]`."""

    name: str
    topic: str
    title: str
    """What it is about, in a few words."""
    cites: Sentences
    """The sentences it carries out."""
    when: Mapping[Stage, Expression]
    """Where it holds."""
    then: Mapping[Stage, ActionName]
    """Action by stage; a stage left out is one to which the rule does not apply."""
    if_unknown: Mapping[Stage, ActionName]
    """Action where it can't be told; it must be given for every stage of `then`."""
    tell: str
    """What to say where it holds; `{fact}` stands for the fact's value."""
    reading: str = ""
    """How we take the label's words."""
    release: Expression | None = None
    """What ends the hold, at stage interrupted ..."""
    resume: str = ""
    """... and the same in words."""
    held: Expression | None = None
    """Whether it was a reason to interrupt at any time since the start."""
    attest: AskName = ""
    """The ask that softens the finding where it is answered yes ..."""
    if_attested: Mapping[Stage, ActionName] = field(default_factory=dict["Stage", str])
    """... to this action, or the same with `attested`."""
    if_denied: Mapping[Stage, ActionName] = field(default_factory=dict["Stage", str])
    """Action where that ask is answered no."""
    ours: str = ""
    """Set where the rule itself is not the label's: why it is there."""
    urgent: Expression | None = None
    """Where it can't wait."""
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """`[duty.lipids]`: something to be done, when it is due, and what shows that it was done."""

    name: str
    topic: str
    title: str
    """What it is about, in a few words."""
    cites: Sentences
    """The sentences it carries out."""
    stages: tuple[Stage, ...]
    """When it applies."""
    tell: str
    """What is to be done."""
    needs: tuple[Concepts, ...] = ()
    """Every group needs one result, procedure or immunization of its concepts ..."""
    needs_all: WordName = ""
    """... or, where this parameter says "any", one group does."""
    done_when: Expression | None = None
    """For a duty before the start: true when it is done; unknown when it may have been."""
    ask: AskName = ""
    """An answer `yes` to this ask does it too, on the day of the answer."""
    when: Expression | None = None
    """For which patients; for all where left out."""
    action: ActionName = "due"
    """What it adds to the decision while it is not done."""
    at: tuple[DaysName, ...] = ()
    """Parameters: days after the start of treatment."""
    every: DaysName = ""
    """Parameter: days from one to the next, after those of `at`."""
    every_if: Mapping[FactName, DaysName] = field(default_factory=dict[str, str])
    """fact = parameter: a shorter interval for some patients."""
    early: DaysName = ""
    """Parameter: how many days before it is due it already counts."""
    grace: DaysName = ""
    """Parameter: how many days after it is due it becomes overdue."""
    tolerance: DaysName = ""
    """Parameter: how many days before or after it is due it still counts as on time."""
    again_after: tuple[FactName, ...] = ()
    """Facts: evidence newer than the last time makes it due again ..."""
    again_in: DaysName = ""
    """... so many days after that evidence (parameter); at once where left out."""
    never: Literal["due", "unknown"] = "due"
    """What it means that none is on record."""
    reading: str = ""
    """How we take the label's words."""
    ours: str = ""
    """Set where the duty itself, or its schedule, is not the label's: why it is there."""
    uses: tuple[str, ...] = ()


FACT_KINDS: Mapping[str, type[Fact]] = {
    "latest": Latest, "extreme": Extreme, "test": Tested, "ever": Ever, "active": Active,
    "repeated": Repeated, "planned": Planned, "latest-of": Worded, "days-since": DaysSince,
    "days-on": DaysOn, "reached-age": ReachedAge, "reached-age-parameter": ReachedAge, "is": Derived,
}
"""The key that tells a fact's kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """`[therapy]` of label.toml: how the stage is read from the record."""

    drug: ConceptName
    """The code list of the label's own drug."""
    grace: DaysName
    """Parameter: days after the last supply in which treatment still counts as going on."""
    gap: DaysName
    """Parameter: days without the drug after which the next order is a new start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """`[records]` of label.toml: how any record is read."""

    absence: WordName
    """Parameter: "list-supplied" (a list that holds something says "none" of the rest) or "attested"."""
    suspected: WordName
    """Parameter: "question" or "yes": what a provisional diagnosis is, where a fact does not say."""
    same_day: WordName
    """Parameter: which of several results of one day counts, "worst" or "unknown" where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Everything a label's folder says; made by `precaution.load_label`."""

    name: str
    version: str
    title: str
    digest: str
    """SHA-256 over every file that can change an answer, and over the site's policy."""
    about: Mapping[str, object]
    """label.toml's own tables: provenance, intended use, differences, transparency attributes."""
    actions: tuple[str, ...]
    """Gravest first; `only-if-no-alternative+attested` is the attested variant."""
    therapy: Therapy
    says: Mapping[str, Says]
    parameters: Mapping[str, Parameter]
    concepts: Mapping[str, Concept]
    facts: Mapping[str, Fact]
    asks: Mapping[str, Ask]
    rules: Mapping[str, Rule]
    duties: Mapping[str, Duty]
    records: Records
    topics: tuple[str, ...]
    """In the order of the label's text."""
    terminology: Terminology
    measures: Mapping[str, object] = field(default_factory=dict[str, object])
    """Tables of the audit, as they stand."""
    policy: Mapping[str, object] = field(default_factory=dict[str, object])
    """What a site changed: parameter = value as written, and `lists`, `codes`; empty where nothing."""
    complete_lists: frozenset[str] = frozenset()
    """Kinds of entries (`condition`, ...) whose list the site says is complete for every patient."""
