"""What of a decision belongs to which card: one card for each of three tiers, gravest first.

critical: the label says that the drug is not to be started, or to be interrupted or discontinued, and the record
shows why.
warning: it restricts, asks for a specialist first, or for something that is overdue or must come before the start.
info: it asks for care, something is due soon, or is not known; or treatment may resume.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.engine.answer import Decision, Due, Finding, Hold, Missing

Tier = Literal["critical", "warning", "info"]
TIERS: tuple[Tier, ...] = ("critical", "warning", "info")
_STOPS = frozenset({"discontinue", "do-not-start", "interrupt", "stay-interrupted"})
_RESUMES = "may-resume"
_RESTRICTS = frozenset({"specialist-first", "only-if-no-alternative", "screen", "weigh"})
_SOON = timedelta(days=28)
"""What is due later than this needs no card yet."""


@dataclass(frozen=True, slots=True)
class TierContent:
    """What one card is about."""

    tier: Tier
    findings: tuple[Finding, ...] = ()
    due: tuple[Due, ...] = ()
    missing: tuple[Missing, ...] = ()
    """What is not known and stands behind no rule or duty: the stage, or parts of the record."""
    notes: tuple[str, ...] = ()
    """What else is not known, in our words."""
    released: tuple[Hold, ...] = ()
    """Holds that are over, where treatment may resume."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.findings or self.due or self.missing or self.notes or self.released)


def by_tier(decision: Decision, drafted: frozenset[str], notes: Iterable[str] = ()) -> tuple[TierContent, ...]:
    """Return what there is to say in each tier, gravest first; tiers with nothing to say are left out.

    `drafted`: the rules about what is being ordered now.
    """
    found = {tier: TierContent(tier) for tier in TIERS}
    findings = _joined([(tier_of(each, drafted=each.rule in drafted), each) for each in decision.findings])
    due = [(_tier_of_due(each, decision), each) for each in decision.due]
    for tier in TIERS:
        found[tier] = TierContent(
            tier,
            tuple(each for of, each in findings if of == tier),
            tuple(each for of, each in due if of == tier),
            tuple(each for each in decision.missing if not each.needed_by) if tier == "info" else (),
            tuple(notes) if tier == "info" else (),
            decision.holds if tier == "info" and decision.action == _RESUMES else (),
        )
    return tuple(each for each in found.values() if not each.empty)


def _joined(found: list[tuple[Tier | None, Finding]]) -> list[tuple[Tier | None, Finding]]:
    """Return findings with their tiers: what can't wait, and rests on a sentence of a critical one, stands beside it.

    A clinician then reads on one card what is to be evaluated and what is to be stopped.
    """
    critical = {cite for tier, each in found if tier == "critical" for cite in each.cites}

    def beside(tier: Tier | None, each: Finding) -> Tier | None:
        waits = tier is None or each.state != "holds" or not each.urgent
        return tier if waits or critical.isdisjoint(each.cites) else "critical"

    return [(beside(tier, each), each) for tier, each in found]


def tier_of(finding: Finding, *, drafted: bool = False) -> Tier | None:
    """Return the tier of a finding; None for one that stands in nobody's way."""
    if finding.state == "no" or finding.action == "clear":
        return None
    if finding.state == "unknown" or finding.attested:
        return "info"
    if finding.action in _STOPS:
        return "critical" if finding.evidence and not finding.ours else "warning"
    if finding.action in _RESTRICTS or finding.urgent or drafted:
        return "warning"
    return "info"


def _tier_of_due(due: Due, decision: Decision) -> Tier | None:
    if due.state == "done":
        return None
    if due.state == "overdue" or (due.action == "screen" and due.state == "due"):
        return "warning"
    if due.state == "upcoming" and due.due:
        return "info" if date.fromisoformat(due.due) <= date.fromisoformat(decision.today) + _SOON else None
    return "info"
