"""What a patient's page shows: the decision with all its reasons, what settles what is not known, and the timeline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.clinic.trends import TimelineMaker, TimelineView
from precaution.engine.answer import Decision
from precaution.service.cards.pages import content
from precaution.service.cards.wording import Words

if TYPE_CHECKING:
    from precaution.clinic.settings import ClinicSettings
    from precaution.clinic.steps import StepWords
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.values.record import Record

LOST = "Entries that are not recognised or left out are not shown here; the record itself holds them."


class PatientView(NamedTuple):
    """A patient's page."""

    decision: Decision
    steps: list[str]
    page: dict[str, Any]
    """What the page of a decision holds, see `precaution.service.cards.pages`."""
    settled_by: list[str]
    """For each fact that is missing what makes it known; empty where the page can't say."""
    timeline: TimelineView


def patient_view(
    record: Record,
    label: Label,
    settings: ClinicSettings,
    vocabulary: Vocabulary,
    words: StepWords,
    today: int,
    span: str,
    decision: Decision,
) -> PatientView:
    """Return the page of a patient on `today` (an ordinal), who was decided, with the timeline of `span`."""
    told = Words(label, vocabulary, record, frozenset())
    return PatientView(
        decision,
        words.steps(decision.action, attested=decision.attested, undone=decision),
        json.loads(content(decision, label, vocabulary, told, ())),
        [words.settles(each) for each in decision.missing],
        TimelineMaker(record, label, settings, vocabulary, today, span).made(decision.holds),
    )
