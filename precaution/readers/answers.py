"""QuestionnaireResponse -> entries of kind `answer`: what a clinician said about an ask of the label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.terminology import fold
from precaution.readers.dates import day_at
from precaution.readers.json_access import Json, child, children, text
from precaution.values.record import ANSWER, Entry

if TYPE_CHECKING:
    from precaution.knowledge.model import Ask
    from precaution.readers.record_builder import PatientResource, RecordBuilder

_DONE = ("completed", "amended")


def read_answers(builder: RecordBuilder, item: PatientResource) -> None:
    """Add an entry for each answered item of a QuestionnaireResponse whose linkId is the name or number of an ask."""
    asks = {key: (name, ask) for name, ask in builder.asks.items() for key in (_key(name), _key(ask.number)) if key}
    todo = children(item.resource, "item")
    while todo:
        part = todo.pop()
        given = children(part, "answer")
        todo += children(part, "item") + [inner for answer in given for inner in children(answer, "item")]
        found = asks.get(_key(text(part, "linkId")))
        if found:
            _read_answer(builder, item, *found, given)


def _key(name: str) -> str:
    return name.casefold().replace("_", "-")


def _read_answer(builder: RecordBuilder, item: PatientResource, name: str, ask: Ask, given: list[Json]) -> None:
    status = text(item.resource, "status")
    if status not in _DONE:
        return builder.ignore(
            item.source,
            f"answers of status '{status}'"
            if status in ("in-progress", "stopped", "entered-in-error")
            else "answers without a known status",
        )
    answer = _answer(ask, given[0]) if len(given) == 1 else ""
    if not answer:
        return builder.ignore(
            item.source,
            f"{len(given)} answers to '{name}', where one is needed"
            if len(given) != 1
            else f"its answer to '{name}' is none of: {', '.join(ask.answers)}",
        )
    authored = day_at(item.resource, "authored")
    note = "" if authored is not None else "the answer has no date"
    builder.add(Entry(ANSWER + name, "answer", item.source, authored, result=answer, says=answer, note=note), item)
    return None


def _answer(ask: Ask, given: Json) -> str:
    """Return which of the ask's answers was given, or an empty string."""
    yes = given.get("valueBoolean")
    said = (
        ("yes" if yes else "no")
        if isinstance(yes, bool)
        else (text(child(given, "valueCoding"), "code") or text(given, "valueString"))
    )
    return next((answer for answer in ask.answers if fold(answer) == fold(said)), "")
