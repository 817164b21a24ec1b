"""The Python API's `assess`: a patient, however given, to a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from precaution import readers
from precaution.engine.decision import decide
from precaution.errors import PatientDied, UsageError, did_you_mean
from precaution.knowledge.loading import load_label
from precaution.knowledge.model import Label
from precaution.knowledge.refers import STAGES
from precaution.labels import DEFAULT
from precaution.values.interval import exactly
from precaution.values.record import ANSWER, Entry, Record, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Ask
    from precaution.knowledge.refers import Stage


def assess(
    patient: Record | Path | str | bytes | Mapping[str, object] | Sequence[Mapping[str, object]],
    *,
    today: date | str,
    label: Label | Path | str = DEFAULT,
    stage: str | None = None,
    answers: Iterable[str] = (),
    policy: Path | None = None,
    codes: Iterable[Path] = (),
    everything: bool = False,
) -> Decision:
    """Return the decision for one patient.

    `patient`: a Record; a path (file, folder); JSON as bytes; or FHIR R4 resources already parsed. `today`:
    the day of the decision, a date or `2025-03-01`. `stage`: one of `before-start`, `on-treatment`,
    `interrupted`, where the record's own entries of the drug are not to say it. `answers`: as
    `no-suitable-alternative=yes@2025-02-01`, or with the ask's number, `A1=yes`. `everything`: also list rules
    that do not hold.

    Raises UsageError for a wrong argument, InputError for a patient that can't be read, PatientDied where the
    patient died by `today`, KnowledgeError for a wrong label or policy.
    """
    known = label if isinstance(label, Label) else load_label(label, policy=policy, codes=tuple(codes))
    day = as_day(today)
    record = with_answers(_read(patient, known, day), answers, known, day)
    died = record.died
    if died is not None and (died.high <= day or died.low < 1):
        raise PatientDied(
            "the patient died by the day of the decision; there is nothing left to decide. "
            "Give an earlier --today to look back"
        )
    return decide(record, known, day, as_stage(stage), everything=everything).decision


def as_day(today: date | str) -> int:
    """Return the ordinal of a day. Raises UsageError where it is none."""
    if isinstance(today, date):
        return today.toordinal()
    try:
        return date.fromisoformat(today).toordinal()
    except (TypeError, ValueError):
        raise UsageError(f"'{today}' is no day: write it as 2025-03-01") from None


def as_stage(stage: str | None) -> Stage | None:
    """Return the stage that a word names. Raises UsageError where it names none."""
    if stage is None:
        return None
    for known in STAGES:
        if stage == known:
            return known
    raise UsageError(f"'{stage}' is no stage: it is one of {', '.join(STAGES)}.{did_you_mean(stage, STAGES)}")


def _read(patient: object, label: Label, today: int) -> Record:
    if isinstance(patient, Record):
        return patient
    if isinstance(patient, (str, Path)):
        return readers.read(patient, label.terminology, label.asks, today)
    if isinstance(patient, (bytes, bytearray, memoryview)):
        return readers.read_bytes(bytes(patient), label.terminology, label.asks, "the patient", today)
    if isinstance(patient, Mapping):
        return readers.read_resources([dict(patient)], label.terminology, label.asks, today)
    if isinstance(patient, Iterable):
        return readers.read_resources(patient, label.terminology, label.asks, today)
    raise UsageError(f"a patient is a Record, a path, JSON bytes or FHIR resources, not {type(patient).__name__}")


def with_answers(record: Record, answers: Iterable[str], label: Label, today: int) -> Record:
    """Return the record with the answers given beside it. Raises UsageError for one that is none."""
    return with_entries(record, [_answer(text, label, today) for text in answers])


def with_entries(record: Record, entries: Sequence[Entry]) -> Record:
    """Return the record with more entries, each among those of its concept."""
    if not entries:
        return record
    merged = dict(record.entries)
    for entry in entries:
        merged[entry.concept] = tuple(sorted((*merged.get(entry.concept, ()), entry), key=in_order))
    return replace(record, entries=merged)


def _answer(text: str, label: Label, today: int) -> Entry:
    name, equals, rest = text.partition("=")
    word, at, day = rest.partition("@")
    if not equals:
        raise UsageError(f"'{text}' is no answer: write it as NAME=yes@2025-02-01")
    ask = find_ask(name.strip(), label)
    if word.strip() not in ask.answers:
        raise UsageError(f"'{word}' is no answer to '{ask.name}': it is one of {', '.join(ask.answers)}")
    if ask.day and not at:
        raise UsageError(f"'{text}' needs a day ({ask.day}): write it as {ask.number}={word.strip()}@2025-02-01")
    when = as_day(day.strip()) if at else today
    if when > today:
        raise UsageError(f"'{text}' is of a day after that of the decision; nobody can have answered it yet")
    return Entry(
        ANSWER + ask.name, "answer", "answer given", start=exactly(when), result=word.strip(), says=word.strip()
    )


def find_ask(name: str, label: Label) -> Ask:
    """Return an ask by its name or number. Raises UsageError with the nearest names."""
    for ask in label.asks.values():
        if name in (ask.name, ask.number):
            return ask
    raise UsageError(f"'{name}' is no ask of {label.name}.{did_you_mean(name, label.asks)}")
