"""What the store keeps, as frozen dataclasses: decided facts, references, what clinicians said. No copy of a record.

A patient is `(server, patient)`: the base of the FHIR server (or the client's `iss` where there is none) and the plain
id. Days are ISO strings (`2025-03-01`), moments are too, in UTC (`2025-03-01T09:30:00.000Z`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Tier = Literal["critical", "warning", "info"]
Outcome = Literal["accepted", "overridden"]


class KeptFinding(NamedTuple):
    """A finding as a card showed it."""

    rule: str
    state: str
    """`holds` or `unknown`."""
    action: str
    cites: tuple[str, ...] = ()
    evidence: tuple[tuple[str, ...], ...] = ()
    """(reference, day, digest of what it says) of each entry: `("Observation/anc-7", "2025-02-20", "ab..")`."""


class KeptDue(NamedTuple):
    """A duty as a card showed it."""

    duty: str
    state: str
    due: str = ""
    """ISO day; empty where it could not be told."""


class OfferedAnswer(NamedTuple):
    """What a clinician says by taking up a card's suggestion, or by an override reason: an answer to an ask."""

    by: str
    """The suggestion's uuid, or the code of the override reason."""
    ask: str
    answer: str
    """One of the ask's own words."""
    statement: tuple[str, ...] = ()
    """Ids of the sentences that ask for it."""
    days: int = 0
    """For how many days it makes anything milder; 0 for an answer that makes nothing milder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCard:
    """A card that was given, without its text."""

    uuid: str
    client: str = ""
    """Who asked: `Client.name` of the token; only the same client's feedback matches. Empty without tokens."""
    user: str = ""
    """`context.userId`, as `Practitioner/12`; empty where the client did not say."""
    server: str
    patient: str
    """The id alone, without `Patient/`."""
    hook: str
    service: str
    label: str
    """Digest of the label's folder."""
    today: str
    tier: Tier
    action: str
    """The action of the whole decision."""
    findings: tuple[KeptFinding, ...] = ()
    due: tuple[KeptDue, ...] = ()
    offers: tuple[OfferedAnswer, ...] = ()
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    """ask = the evidence that it is about, as the record had it: references with digests of what each says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a client said became of a card. Kept once, however often it is sent."""

    card: str
    outcome: Outcome
    at: str
    """`outcomeTimestamp`, as sent."""
    reason: str = ""
    """The code of the override reason."""
    system: str = ""
    """Its code system."""
    accepted: tuple[str, ...] = ()
    """The uuids of the suggestions taken up."""
    comment: str = ""
    """`userComment`: free text, kept only where the site asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a clinician said to an ask of the label: who, in which role, when, to which statement, why, until when."""

    ask: str
    answer: str
    day: str
    """From which day it counts: that on which it was given."""
    who: str
    """As `Practitioner/12`; never empty."""
    role: str
    statement: tuple[str, ...] = ()
    """Ids of the sentences that ask for it."""
    reason: str = ""
    expires: str = ""
    """The last day on which it makes anything milder; empty for an answer that makes nothing milder."""
    seen: tuple[str, ...] | None = None
    """The evidence that it was given in view of, as `KeptCard.seen` has it; None where that is not known. Evidence that
    is not among it, or says something else, voids the answer."""
    card: str = ""
    """The card that it was given to."""
    id: int = 0
    """Its number in the store; 0 before it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """What the page of a decision shows, for as long as links lead to it: decided facts, in our words."""

    uuid: str
    client: str = ""
    server: str
    patient: str
    content: str
    """JSON."""
    expires_at: str
    """The moment from which nobody is shown it any more."""


class Override(NamedTuple):
    """A finding that a user has overridden, with a reason, until a day."""

    rule: str
    state: str
    action: str
    tier: Tier
    reason: str
    by: str
    """The user. It is silent for nobody else."""
    given: str
    """Day on which it was overridden."""
    until: str
    """The last day on which it counts."""
    seen: tuple[str, ...]
    """References of the evidence it was overridden in view of; any other brings the finding back."""
    label: str
    """Digest of the label then; another one brings the finding back."""
    card: str
    contents: tuple[str, ...] = ()
    """Digests of what that evidence said; if any says something else the finding is back."""


class Promise(NamedTuple):
    """A finding overridden with the promise to see to it later."""

    rule: str
    state: str
    cites: tuple[str, ...]
    reason: str
    by: str
    given: str
    due: str
    """ISO day by which it is to be seen to."""
    seen: tuple[str, ...]
    """References of the evidence then; newer evidence fulfils it."""
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that the store knows about one patient that bears on the next decision."""

    answers: tuple[Answer, ...] = ()
    """The latest to each ask, none of them withdrawn."""
    overrides: tuple[Override, ...] = ()
    promises: tuple[Promise, ...] = ()
    readable: bool = True
    """False where the store could not be read: then a decision says so, and is never `clear`."""


UNREADABLE = Kept(readable=False)
"""What to decide with where the store can't be read: nothing is softened, and the decision says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For how long what is kept counts, in days: the site's choice, and no part of the label."""

    override_days: int = 90
    """An override of a card ..."""
    critical_days: int = 7
    """... and of a critical one: it comes back, whatever the reason."""
    promise_days: int = 28
    """Until a promise to see to something later is due."""
    answer_days: int = 365
    """An answer that makes something milder, where the label's folder names no time of its own; never longer."""
    retention_days: int = 3650
    """Everything, once it has no effect any more."""
    comments: bool = False
    """Whether `userComment` of feedback is kept: it is free text, which may say anything about anybody."""


class TokenUse(NamedTuple):
    """The one use of a token."""

    issuer: str
    jti: str
    until: int
    """Seconds since 1970, after which nobody would take the token any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """Something for the audit trail."""

    kind: str
    """`decision`, `feedback`, `answer`, `withdrawal`, `read`, `purge`, `start`, ..."""
    client: str = ""
    user: str = ""
    server: str = ""
    patient: str = ""
    request: str = ""
    """The request's id (`hookInstance`)."""
    address: str = ""
    """The network address that the client called from."""
    outcome: Literal["success", "failure"] = "success"
    about: Mapping[str, object] | None = None
    """More of it: words, whole numbers and lists of ours, never free text of a record."""
