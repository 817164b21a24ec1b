"""Which sentences of a label have no reading that holds, and what of an answer rests on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.answer import DoubtfulReading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Duty, Label, Rule, Says
    from precaution.knowledge.refers import Stage


def doubtful_readings(label: Label, stage: Stage) -> tuple[DoubtfulReading, ...]:
    """Return the suspect sentences on which something rests at a stage, and those that nobody has read.

    A rule that does not hold rests on its sentence as much as one that does: so every one of the stage counts.
    """
    return tuple(_doubts(label, stage))


def _doubts(label: Label, stage: Stage) -> Iterator[DoubtfulReading]:
    for says in label.says.values():
        if says.role == "unread":
            yield DoubtfulReading(says.id, "unread", "", ())
        elif says.suspect and (touches := _resting(says, label, stage)):
            yield DoubtfulReading(says.id, says.suspect, says.means, touches)


def _resting(says: Says, label: Label, stage: Stage) -> tuple[str, ...]:
    rules = [each.name for each in label.rules.values() if stage in each.then and _rests(each, says, label)]
    duties = [each.name for each in label.duties.values() if stage in each.stages and _rests(each, says, label)]
    return (*rules, *duties, *says.explains)


def _rests(each: Rule | Duty, says: Says, label: Label) -> bool:
    """Whether a rule or duty cites a sentence, or uses a parameter that it leaves open."""
    return says.id in each.cites or any(says.id in label.parameters[name].of for name in each.uses)
