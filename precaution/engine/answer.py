"""What `assess` returns, as frozen dataclasses: the JSON contract of ARCHITECTURE.md, key for key.

Days are ISO strings (`2025-02-20`, `2025-02` where only the month is known), so that text, JSON and pages
show the same. Every text is ours, or built from checked numbers and days: no free text of a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeVar, cast

from precaution.knowledge.refers import Stage
from precaution.values.record import Ignored, Unrecognised

if TYPE_CHECKING:
    from collections.abc import Callable


State = Literal["holds", "unknown", "no"]
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


@dataclass(frozen=True, slots=True)
class Finding:
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


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason for which treatment is or was interrupted (stage `interrupted`)."""

    rule: str
    state: Literal["open", "released", "unknown"]
    cites: tuple[str, ...]
    tell: str
    release: str
    """What releases it, in English."""
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Due:
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


@dataclass(frozen=True, slots=True)
class OpenAsk:
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


P = ParamSpec("P")
Made = TypeVar("Made")


def maker(kind: Callable[P, Made]) -> Callable[P, Made]:
    """Return what makes instances of a frozen dataclass at a quarter of the cost of its own `__init__`.

    That sets each field with a call, for assignment is what a frozen class forbids. Here the fields are assigned to
    an instance of a twin that differs in nothing but being open; then its class is set, and it is frozen too.
    """
    fields: Any = fields_of(cast("Any", kind))
    defaults = {each.name: each.default for each in fields if each.default is not MISSING}
    annotated = {"__annotations__": {each.name: each.type for each in fields}}
    twin: Any = dataclass(slots=True)(type("Twin", (), {**annotated, **defaults}))

    def make(*args: P.args, **kwargs: P.kwargs) -> Made:
        made: Made = twin(*args, **kwargs)
        made.__class__ = kind  # type: ignore[assignment]
        return made

    return make


new_finding, new_due = maker(Finding), maker(Due)
