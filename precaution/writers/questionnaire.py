"""Writes a label's questions as a FHIR R4 Questionnaire, for an EHR to load.

A QuestionnaireResponse that names its canonical and version is read by `precaution.readers.answers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.knowledge.model import Ask, Label


def questionnaire(label: Label) -> Mapping[str, object]:
    """Return the label's questions as a Questionnaire. Raises UsageError where the label has none of its own."""
    own = label.questionnaire
    if own is None:
        raise UsageError(f"{label.name} has no questionnaire: its label.toml has no [questionnaire]")
    return {
        "resourceType": "Questionnaire",
        "id": f"{label.name}-questions",
        "url": own.canonical,
        "version": own.version,
        "name": "".join(word.capitalize() for word in label.name.split("-")) + "Questions",
        "title": f"{label.title}: what only a clinician knows",
        "status": "active",
        "subjectType": ["Patient"],
        "description": (
            "The questions of a drug label's warnings and precautions. A clinician's answers count in a "
            f"QuestionnaireResponse whose questionnaire is {own.canonical}|{own.version} and whose author is a "
            "Practitioner or a PractitionerRole."
        ),
        "item": [_item(ask) for ask in sorted(label.asks.values(), key=_by_number)],
    }


def _by_number(ask: Ask) -> tuple[int, str]:
    return len(ask.number), ask.number


def _item(ask: Ask) -> dict[str, object]:
    item: dict[str, object] = {"linkId": ask.number, "prefix": ask.number, "text": ask.question}
    if set(ask.answers) == {"yes", "no"}:
        item["type"] = "boolean"
    else:
        item["type"] = "choice"
        item["answerOption"] = [{"valueCoding": {"code": word, "display": word}} for word in ask.answers]
    if ask.day:
        item["item"] = [_day_of(ask)]
    return item


def _day_of(ask: Ask) -> dict[str, object]:
    """Return the question for the day, which is put once the other is answered."""
    answered = {"question": ask.number, "operator": "exists", "answerBoolean": True}
    return {"linkId": ask.day_link, "text": ask.day, "type": "date", "required": True, "enableWhen": [answered]}
