"""What a label's folder says, as frozen dataclasses: one class for each table of the knowledge files.

A field is a key of the TOML table, with `_` for `-`. `precaution.knowledge.loading` loads them; the field's type
says what may stand there. The format is described for clinicians in docs/reference/knowledge-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf
from typing import Any, Literal, NamedTuple

from precaution.knowledge.expression import Expression
from precaution.knowledge.fact import Fact
from precaution.knowledge.refers import (
    STAGES,
    ActionName,
    AskName,
    ConceptName,
    Concepts,
    DaysName,
    FactName,
    MeasureName,
    NumberName,
    RuleOrDuty,
    Sentences,
    Stage,
    WordName,
)
from precaution.knowledge.shorthand import Limit
from precaution.knowledge.terminology import Concept, Terminology

Role = Literal["directive", "background", "evidence-limit", "provenance", "unread"]
Suspect = Literal["", "changed", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """`[says.S19]`: a sentence of the label, in our words, with the place and the digest of the exact one.

    A sentence is a directive, which leads to a rule or duty, or says by one of three keys why it leads to none.
    """

    exact: str
    """Where the exact sentence begins in the label's text and where it ends, in characters, and its SHA-256 (hex):
    `"0-63 50cc..."`."""
    means: str
    """The sentence in our words."""
    background: str | None = None
    """It reports, and asks for nothing: what it reports. Or ..."""
    evidence_limit: str | None = None
    """... it says what is not known, or ..."""
    provenance: str | None = None
    """... where the text comes from."""
    unread: str | None = None
    """Nobody has read it yet: since when it stands in the text. Such a sentence is a problem of `precaution check`."""
    suspect: Suspect = ""
    """The text has changed since it was read: `changed` where it says something else now, `removed` where it is gone.
    What rests on it is told by the old reading, and says so; `precaution check` fails."""
    was: str = ""
    """For a suspect sentence: `exact` as it was read."""
    numbers: tuple[float, ...] = ()
    """The numbers it states; any other number in a rule that cites it must be a parameter. As a table,
    `{ sodium-limit = "130 mmol/L" }`, each is a limit that expressions and texts name."""
    explains: tuple[RuleOrDuty, ...] = ()
    """Rules and duties beside which a background sentence is shown ..."""
    show_when: Expression | None = None
    """... and for which patients; for all where this is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """A sentence of the label as it was read; a file writes it as a `Sentence`."""

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
    suspect: Suspect = ""
    """`changed` or `removed` where the text is another one since the sentence was read."""
    was: str = ""
    """`exact` as it was read, for a suspect sentence."""
    numbers: tuple[float, ...] = ()
    """The numbers it states."""
    explains: tuple[RuleOrDuty, ...] = ()
    """Rules and duties beside which a background sentence is shown ..."""
    show_when: Expression | None = None
    """... and for which patients; for all where this is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSentence:
    """`[says.SITE1]` in a site's folder: what the site asks for, and where that is written."""

    source: str
    """The site's own source: a guideline, a protocol, with its date."""
    means: str
    """What it asks for, in a sentence."""
    numbers: tuple[float, ...] = ()
    """The numbers it states, as for a sentence of the label."""


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
    status: Literal["proposed", "verified", "unverified"] = "proposed"
    """Whether a clinician has confirmed it."""
    default: str = ""
    """Its number in the list of defaults (D13), where it has one."""
    choices: tuple[str, ...] = ()
    """The only words or numbers a site may choose from."""
    overridden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """`[ask.no-suitable-alternative]`: what only a clinician knows."""

    name: str
    topic: str
    number: str
    """A1-A17."""
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
    day: str = ""
    """Where the answer is of another day than that on which it is given (a test done elsewhere): the question for that
    day, without which it does not count."""
    why: str = ""
    """What the record can't show."""
    questionnaire: str = ""
    """The label's own Questionnaire, `canonical|version`: no other answers it (filled in by the loader)."""

    @property
    def day_link(self) -> str:
        """The linkId of the question for the day."""
        return f"{self.number}-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`[rule.low-neutrophils]`."""

    name: str
    topic: str
    title: str = ""
    """What it is about, in a few words; the name where left out."""
    cites: Sentences
    """The sentences it carries out."""
    when: Mapping[Stage, Expression]
    """Where it holds."""
    then: Mapping[Stage, ActionName]
    """Action by stage; a stage left out is one to which the rule does not apply."""
    if_unknown: Mapping[Stage, ActionName]
    """Action where it can't be told, for every stage of `then`; needed unless `[actions]` of label.toml has one."""
    tell: str
    """What to say where it holds; `{fact}` stands for the fact's value, `{fact reaches parameter}` for the day on which
    a number of days since something gets there."""
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
    title: str = ""
    """What it is about, in a few words; the name where left out."""
    cites: Sentences
    """The sentences it carries out."""
    stages: tuple[Stage, ...] = STAGES
    """When it applies; at every stage where left out."""
    tell: str = ""
    """What is to be done; the title where left out."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A figure of a published study, shown beside ours and used for nothing else.

    `from = "x"` names a source, which then need not be repeated: what it says of `source`, `status` and `of`.
    """

    share: float
    """Part of the patients, from 0 to 1."""
    of: int
    """How many patients."""
    who: str
    """Whose figure it is, and what was counted."""
    source: str
    """Where it is published, as far as known."""
    status: Literal["verified", "unverified"]
    """Whether it was compared with the publication itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`[measure.tuberculosis-screened]`: a question about many patients, for the audit. It changes no decision."""

    name: str
    topic: str
    title: str = ""
    """What is counted, in a few words; the name where left out."""
    cites: Sentences
    """The sentences whose use it measures, or beside which it stands."""
    reading: str
    """How it is counted: the methods of a report are made of this."""
    kind: Literal["share", "rate", "delay"] = "share"
    """`share`: part of the new users; `rate`: first events in 100 years of their treatment; `delay`: days from an event
    to the end of treatment."""
    table: Literal["audit", "baseline"] = "audit"
    """Where it is shown: among the measures, or in the description of the patients at the start."""
    group: str
    """The heading under which it is shown, of those of `[audit]`."""
    look: Literal["start", "after", "end"] = "start"
    """When the facts are looked at: on the day of the start, so long `after` it, or on the last day of treatment."""
    after: tuple[DaysName, ...] = ()
    """Parameters: days after the start, added up."""
    stage: Stage = "before-start"
    """The stage as which that day is looked at; at `on-treatment` only who is still treated is counted."""
    of: MeasureName = ""
    """Only patients for whom another measure, a share, is yes."""
    exclude: Expression | None = None
    """Who is left out, for a reason that is no answer ..."""
    denominator: Expression | None = None
    """... and of the others those who are counted; all where left out."""
    numerator: Expression | None = None
    """For a share: for whom it is so ..."""
    action: ActionName = ""
    """... or the action that a rule of the label asks for."""
    event: Expression | None = None
    """For a rate or a delay: what happens on treatment. Who has it on the day of the start is not counted."""
    published: tuple[Published, ...] = ()
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """`[audit]` of label.toml: what the measures share; needed where there are any."""

    washout: DaysName
    """Parameter: a start is a new use where the record goes back so many days, without the drug."""
    open_order: DaysName
    """Parameter: for how many days an order without an end is believed."""
    smallest: NumberName
    """Parameter: the smallest number of patients that is shown."""
    ages: tuple[int, ...]
    """Ages, in years, at which a band of ages begins."""
    groups: tuple[str, ...]
    """The headings of measures, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """`[questionnaire]` of label.toml: the form in which other systems put the label's questions. Left out, no
    QuestionnaireResponse answers any."""

    canonical: str
    """Its canonical URL, by which a QuestionnaireResponse names it; the same for ever."""
    version: str
    """Changed whenever a question means something else: answers to another version do not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapySettings:
    """`[therapy]` of label.toml: how the stage is read from the record."""

    drug: ConceptName
    """The code list of the label's own drug."""
    grace: DaysName
    """Parameter: days after the last supply in which treatment still counts as going on."""
    gap: DaysName
    """Parameter: days without the drug after which the next order is a new start."""
    indications: Concepts = ()
    """The code lists of the diseases that the drug is for."""
    available_since: str = ""
    """The first day on which anybody could have the drug, as 2025-03-01: an earlier start is not believed."""

    def first_day(self) -> float:
        """Return that day as an ordinal; minus infinity where the label names none. Raises ValueError for no date."""
        return float(date.fromisoformat(self.available_since).toordinal()) if self.available_since else -inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """`[records]` of label.toml: how any record is read."""

    absence: WordName
    """Parameter: "list-supplied" (a list that holds something says "none" of the rest) or "attested"."""
    suspected: WordName
    """Parameter: "question" or "yes": what a provisional diagnosis is, where a fact does not say."""
    same_day: WordName
    """Parameter: which of several results of one day counts, "worst" or "unknown" where they differ."""


class SignOff(NamedTuple):
    """What clinicians said of the reading of a rule or duty, and whether it still holds."""

    state: Literal["signed", "disagreed", "change wanted", "ended", "not signed"]
    """`ended`: what was signed has changed since."""
    who: str = ""
    role: str = ""
    day: str = ""
    """As 2025-03-01."""
    words: str = ""
    changed: tuple[str, ...] = ()
    """What has changed since: `sentences`, `reading`, `facts`, `parameters`, `questions`, `codes`, `cases`."""

    def __str__(self) -> str:
        """Return it in a few words: `signed by A. Smith (pharmacist), 2025-03-01`."""
        by = f" by {self.who} ({self.role}), {self.day}" if self.who else ""
        since = f"; changed since: {', '.join(self.changed)}" if self.changed else ""
        state = "not signed: the signature has ended, given" if self.state == "ended" else self.state
        return f"{state}{by}{since}{f': {self.words}' if self.words else ''}"


class OfOwner(dict[Any, Any]):
    """What one object keeps of itself. A copy of that object, or one sent to another process, begins without it."""

    def __reduce__(self) -> tuple[type[OfOwner], tuple[()]]:
        """Copy and pickle as empty."""
        return OfOwner, ()


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
    therapy: TherapySettings
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
    reasons: tuple[str, ...] = field(default=(), kw_only=True)
    """Topics in the order in which the first of several reasons is named, before all others."""
    terminology: Terminology
    questionnaire: Questionnaire | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict[str, Measure])
    audit: AuditSettings | None = None
    """None where the label has no measures."""
    policy: Mapping[str, object] = field(default_factory=dict[str, object])
    """What a site changed: parameter = value as written, and `lists`, `codes`; empty where nothing."""
    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    """Numbers that sentences state, by the names that rules give them."""
    signed: Mapping[str, SignOff] = field(default_factory=dict[str, SignOff])
    """Rule or duty = what was said of its reading; empty where nobody has signed anything."""
    signed_only: bool = False
    """Whether the site demands that a reading is signed: what is not is then no reason for a milder answer."""
    complete_lists: frozenset[str] = frozenset()
    """Kinds of entries (`condition`, ...) whose list the site says is complete for every patient."""
    compiled: OfOwner = field(default_factory=OfOwner, init=False, repr=False, compare=False)
    """The label compiled for each stage (`precaution.engine.compiled`), when it was first asked for."""
