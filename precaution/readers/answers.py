"""QuestionnaireResponse -> entries of kind `answer`: what a clinician said about an ask of the label.

Only the label's own Questionnaire is answered: in another one the same linkId asks something else. Whatever has the
linkId of one of its questions and does not count is said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.model import Ask
from precaution.knowledge.terminology import fold
from precaution.readers.authors import not_by_a_clinician
from precaution.readers.dates import day_at
from precaution.readers.json_access import Json, child, children, text
from precaution.values.record import ANSWER, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.readers.record_builder import PatientResource, RecordBuilder
    from precaution.values.interval import Interval

_DONE = ("completed", "amended")
_NOT_DONE = ("in-progress", "stopped", "entered-in-error")


class _Answered(NamedTuple):
    """An item that has the linkId of an ask."""

    name: str
    ask: Ask
    item: Json
    given: list[Json]


def read_answers(builder: RecordBuilder, item: PatientResource) -> None:
    """Add an entry for each answered item of a QuestionnaireResponse whose linkId is the name or number of an ask."""
    if not builder.asks:
        return
    asks = {key: (name, ask) for name, ask in builder.asks.items() for key in (_key(name), _key(ask.number)) if key}
    parts = list(_parts(item.resource))
    days = {_key(text(part, "linkId")): given for part, given in parts if len(given) == 1}
    for part, given in parts:
        if found := asks.get(_key(text(part, "linkId"))):
            _read_answer(builder, item, _Answered(*found, part, given), days)


def _parts(resource: Json) -> Iterator[tuple[Json, list[Json]]]:
    """Yield every item of a response, at any depth, with its answers."""
    todo = children(resource, "item")
    while todo:
        part = todo.pop()
        given = children(part, "answer")
        todo += children(part, "item") + [inner for answer in given for inner in children(answer, "item")]
        yield part, given


def _key(name: str) -> str:
    return name.casefold().replace("_", "-")


def _read_answer(
    builder: RecordBuilder, item: PatientResource, answered: _Answered, days: dict[str, list[Json]]
) -> None:
    name, ask, _, given = answered
    authored = day_at(item.resource, "authored")
    if why := _not_counted(builder, item, answered, authored):
        return builder.ignore(item.source, why)
    answer = _answer(ask, given[0]) if len(given) == 1 else ""
    if not answer:
        return builder.ignore(
            item.source,
            f"{len(given)} answers to '{name}', where one is needed"
            if len(given) != 1
            else f"its answer to '{name}' is none of: {', '.join(ask.answers)}",
        )
    day = _day_of(days.get(_key(ask.day_link), []), authored) if ask.day else authored
    if ask.day and day is None:
        return builder.ignore(item.source, f"its answer to '{name}' has no day that can be ({ask.day_link})")
    note = "" if day is not None else "the answer has no date"
    builder.add(Entry(ANSWER + name, "answer", item.source, day, result=answer, says=answer, note=note), item)
    return None


def _not_counted(builder: RecordBuilder, item: PatientResource, answered: _Answered, authored: Interval | None) -> str:
    """Return why an answer does not count, or nothing."""
    status = text(item.resource, "status")
    if status not in _DONE:
        return f"answers of status '{status}'" if status in _NOT_DONE else "answers without a known status"
    if why := _not_of_ours(item.resource, answered) or not_by_a_clinician(builder, item.resource):
        return why
    today = builder.today
    if today is not None and authored is not None and authored.low > today + 1:  # by a clock elsewhere it may be today
        return "answers of a day after that of the decision"
    return ""


def _not_of_ours(resource: Json, answered: _Answered) -> str:
    """Return why a response does not answer the label's own questionnaire, or nothing.

    One that does not say which questionnaire, or which version of ours, answers it by the very words of the question.
    """
    ask = answered.ask
    ours, _, current = ask.questionnaire.partition("|")
    url, _, version = text(resource, "questionnaire").partition("|")
    if not ours:
        return "answers in a questionnaire, of which the label has none of its own"
    if resource.get("questionnaire") is not None and url != ours:
        return f"another questionnaire has a question with the linkId of '{answered.name}'"
    if version and version != current:
        return f"answers to another version of the label's questionnaire than {current}"
    if not version and fold(text(answered.item, "text")) != fold(ask.question):
        return f"it does not say that it answers version {current} of the label's questionnaire"
    return ""


def _day_of(given: list[Json], authored: Interval | None) -> Interval | None:
    """Return the day that was answered; None where there is none, or it is after that of the answer."""
    keys = [key for answer in given for key in ("valueDate", "valueDateTime", "valueString") if answer.get(key)]
    day = day_at(given[0], keys[0]) if keys else None
    return None if day is not None and authored is not None and day.low > authored.high else day


def _answer(ask: Ask, given: Json) -> str:
    """Return which of the ask's answers was given, or an empty string."""
    yes = given.get("valueBoolean")
    said = (
        ("yes" if yes else "no")
        if isinstance(yes, bool)
        else (text(child(given, "valueCoding"), "code") or text(given, "valueString"))
    )
    return next((answer for answer in ask.answers if fold(answer) == fold(said)), "")
