"""What `assess` returns: a frozen dataclass, the `Decision`, of named tuples. The JSON contract, key for key.

Days are ISO strings (`2025-02-20`, `2025-02` where only the month is known), so that text, JSON and pages
show the same. Every text is ours, or built from checked numbers and days: no free text of a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.knowledge.refers import Stage
from precaution.values.record import Ignored, Unrecognised

if TYPE_CHECKING:
    from precaution.knowledge.model import Label

State = Literal["holds", "unknown", "no"]
ATTESTED = "+attested"
"""What an action is called, in the order of actions, that an answer has made milder: its name, and this."""
DueState = Literal["done", "upcoming", "due", "overdue", "unknown"]


class Evidence(NamedTuple):
    """An entry of the record behind a finding."""

    source: str
    date: str
    says: str
    note: str = ""


class Searched(NamedTuple):
    """What was looked for: a concept, from which day (all days where empty), and how many entries there were."""

    concept: str
    since: str
    """`from` in JSON."""
    found: int


class Background(NamedTuple):
    """A background sentence of the label that explains a finding."""

    says: str
    means: str


class Finding(NamedTuple):
    """A rule that holds for the patient, or can't be told (or, with `--all`, does not hold)."""

    rule: str
    state: State
    action: str
    """What the finding asks for; empty for state `no`."""
    cites: tuple[str, ...]
    tell: str
    evidence: tuple[Evidence, ...]
    searched: tuple[Searched, ...]
    parameters: tuple[str, ...]
    attested: bool = False
    urgent: bool = False
    ours: str = ""
    background: tuple[Background, ...] = ()
    why: str = ""
    """For state `unknown`: why it can't be told."""


class Hold(NamedTuple):
    """A reason for which treatment is or was interrupted (stage `interrupted`)."""

    rule: str
    state: Literal["open", "released", "unknown"]
    cites: tuple[str, ...]
    tell: str
    release: str
    """What releases it, in English."""
    evidence: tuple[Evidence, ...]


class Due(NamedTuple):
    """A duty and when it is due."""

    duty: str
    cites: tuple[str, ...]
    state: DueState
    due: str
    """ISO day; empty where it can't be told."""
    overdue_after: str
    tell: str
    evidence: tuple[Evidence, ...]
    action: str = ""
    """What it adds to the decision while it is not done (`screen`, `obtain`, `due`); empty where nothing."""
    lacking: tuple[str, ...] = ()
    """Which of the things needed are not there."""
    parameters: tuple[str, ...] = ()
    ours: str = ""
    why: str = ""


class OpenAsk(NamedTuple):
    """A question for a clinician: open (`answered` None), or answered."""

    ask: str
    number: str
    question: str
    cites: tuple[str, ...]
    answered: str | None
    date: str = ""
    void: str = ""
    """Why an answer on record no longer counts."""


class Missing(NamedTuple):
    """A fact that can't be told, why, and which rules need it."""

    fact: str
    title: str
    why: str
    needed_by: tuple[str, ...]


class Reviewed(NamedTuple):
    """What clinicians said of the reading of a rule or duty that is part of an answer."""

    name: str
    state: Literal["signed", "disagreed", "change wanted", "ended", "not signed"]
    who: str
    role: str
    day: str


class DoubtfulReading(NamedTuple):
    """A sentence of which no reading holds: the text has changed since it was read, or nobody has read it."""

    says: str
    state: Literal["changed", "removed", "unread"]
    means: str
    """Our words for it, as it was read before."""
    touches: tuple[str, ...]
    """Rules and duties of this stage that rest on the old reading. One that is unread may touch any answer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision for one patient on one day."""

    label: str
    version: str
    digest: str
    today: str
    stage: Stage
    stage_why: str
    """From what the stage was read, or that it was given."""
    start: str
    """Day treatment started; empty where it has not or is not known."""
    action: str
    """The gravest action of all findings, holds and duties."""
    attested: bool
    findings: tuple[Finding, ...]
    """Gravest first; state `no` only on request."""
    holds: tuple[Hold, ...]
    due: tuple[Due, ...]
    asks: tuple[OpenAsk, ...]
    missing: tuple[Missing, ...]
    ignored: tuple[Ignored, ...]
    unrecognised: tuple[Unrecognised, ...]
    background: tuple[Background, ...]
    """Background sentences that matter for this patient, whichever findings there are."""
    policy: Mapping[str, object]
    """What the site's policy changed: parameter -> value; empty where none was given."""
    reason: str = ""
    """The rule or duty that is named first as to why; empty where it is neither."""
    doubtful_readings: tuple[DoubtfulReading, ...] = ()
    """Sentences of the label without a reading that holds, where they touch this answer."""
    signatures: tuple[Reviewed, ...] = ()
    """Who has signed the readings behind this answer; empty where nobody signs them."""

    def stage_not_known(self) -> bool:
        """Whether treatment is only perhaps going on: what tells it can't be read as the drug."""
        doubt = next((each.why for each in self.missing if each.fact == "stage"), None)
        return self.stage == "on-treatment" and doubt == self.stage_why

    def named_first(self) -> Finding | Due | None:
        """Return the finding or duty of `reason`; None where there is none."""
        found: list[Finding | Due] = [each for each in self.findings if each.rule == self.reason]
        return next(iter([*found, *(each for each in self.due if each.duty == self.reason)]), None)


def grave(action: str, attested: bool, label: Label) -> int:
    """Return the rank of an action among the label's, 0 the gravest."""
    softened = action + ATTESTED
    return label.actions.index(softened if attested and softened in label.actions else action)
