"""What an answer says of signatures, and what it may rest on where a site demands signed readings.

A reading that is not signed is then not reviewed: what it finds is shown and counts, no answer of a clinician softens
it, and that it finds nothing counts for nothing. So no answer is milder for the demand, and none is clear on what
nobody signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.answer import Missing, Reviewed
from precaution.knowledge.model import SignOff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precaution.engine.duties import Scheduled
    from precaution.engine.findings import Judged
    from precaution.knowledge.model import Label
    from precaution.knowledge.refers import Stage

MARK = " (not reviewed)"
_NOBODY = SignOff("not signed")


def not_reviewed(label: Label, stage: Stage) -> frozenset[str]:
    """Return the rules and duties of a stage that are not signed, where the site demands it; none where it does not."""
    if not label.signed_only:
        return frozenset()
    rules = [each.name for each in label.rules.values() if stage in each.then]
    duties = [each.name for each in label.duties.values() if stage in each.stages]
    return frozenset(name for name in (*rules, *duties) if label.signed.get(name, _NOBODY).state != "signed")


def hardened(
    judged: Sequence[Judged], names: frozenset[str], ranks: Mapping[tuple[str, bool], int], stage: Stage
) -> tuple[Judged, ...]:
    """Return what rules come to where `names` are not reviewed: marked, nothing softened, no hold released by them."""
    return tuple(_hardened(each, ranks, stage) if each.rule.name in names else each for each in judged)


def _hardened(judged: Judged, ranks: Mapping[tuple[str, bool], int], stage: Stage) -> Judged:
    finding, hold = judged.finding, judged.hold
    action, attested = finding.action, finding.attested
    if attested:
        action = min((action, judged.rule.then[stage]), key=lambda each: ranks[each, False])
        attested = False
    marked = finding._replace(action=action, attested=attested, tell=finding.tell + MARK)
    if hold is not None:
        hold = hold._replace(tell=hold.tell + MARK, state="unknown" if hold.state == "released" else hold.state)
    return judged._replace(finding=marked, hold=hold)


def marked(scheduled: Sequence[Scheduled], names: frozenset[str]) -> tuple[Scheduled, ...]:
    """Return what duties come to, those that are not reviewed with a mark."""
    return tuple(
        each._replace(due=each.due._replace(tell=each.due.tell + MARK)) if each.due.duty in names else each
        for each in scheduled
    )


def missing(names: frozenset[str]) -> Missing:
    """Return what is missing where readings are not reviewed."""
    why = f"not reviewed: {len(names)} readings of this stage are not signed, and this site counts signed ones alone"
    return Missing("signatures", "signed readings", why, tuple(sorted(names)))


def reviewed(label: Label, names: Iterable[str]) -> tuple[Reviewed, ...]:
    """Return who has signed the readings of rules and duties."""
    found = ((name, label.signed.get(name, _NOBODY)) for name in dict.fromkeys(names))
    return tuple(Reviewed(name, each.state, each.who, each.role, each.day) for name, each in found)
