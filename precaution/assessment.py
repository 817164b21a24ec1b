"""The Python API's `assess`: a patient, however given, to a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from precaution.engine.decision import decide
from precaution.engine.therapy import on_drug
from precaution.errors import PatientDied, UsageError, did_you_mean
from precaution.knowledge.loading import labels as labels_of_package
from precaution.knowledge.loading import load_label
from precaution.knowledge.model import Label
from precaution.knowledge.refers import STAGES
from precaution.labels import ALL, DEFAULT
from precaution.readers.fhir import Understanding, records_of
from precaution.readers.json_input import documents, parsed
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
    record = patient if isinstance(patient, Record) else records(patient, [known], day)[0]
    return _assessed(with_answers(record, answers, known, day), known, day, as_stage(stage), everything=everything)


def assess_each(
    patient: Path | str | bytes | Mapping[str, object] | Sequence[Mapping[str, object]],
    *,
    today: date | str,
    labels: Iterable[Label | Path | str] | Literal["all"] = ALL,
    only_taken: bool = False,
    answers: Iterable[str] = (),
    everything: bool = False,
) -> tuple[Decision, ...]:
    """Return the decisions for one patient by several labels, in their order; the record is read once.

    `labels`: labels as `assess` takes one, or "all" of the package. `only_taken`: leave out labels whose drug the
    record does not show as taken, paused, ordered, proposed, or stopped in the last 90 days. `answers`: as `assess`
    takes them; one to an ask that several of the labels have says whose it is, as `LABEL:A1=yes`. The other
    arguments are those of `assess`, and each decision is what `assess` returns for that label alone.

    Raises what `assess` raises; UsageError for two labels of one name, and where `only_taken` leaves none.
    """
    known = distinct(label if isinstance(label, Label) else load_label(label) for label in named_labels(labels))
    day = as_day(today)
    of_label = list(zip(known, records(patient, known, day), strict=True))
    return assess_read(of_label, day, only_taken=only_taken, answers=answers, everything=everything)


def assess_read(
    of_label: Sequence[tuple[Label, Record]],
    day: int,
    *,
    only_taken: bool = False,
    answers: Iterable[str] = (),
    everything: bool = False,
) -> tuple[Decision, ...]:
    """Return the decisions of `assess_each` on a record that is read already, as each label reads it (`records`)."""
    if only_taken:
        of_label = taken(of_label, day)
    given = answers_by_label(answers, [label for label, _ in of_label])
    return tuple(
        _assessed(with_answers(record, given[label.name], label, day), label, day, everything=everything)
        for label, record in of_label
    )


def named_labels(labels: Iterable[Label | Path | str]) -> Iterable[Label | Path | str]:
    """Return labels as they are named, or the names of all of the package for "all"."""
    return labels_of_package() if labels == ALL else labels


def distinct(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Return labels as they are.

    Raises UsageError where two have one name, there is none, or their policies differ in what they say of the source.
    """
    known = tuple(labels)
    names = [label.name for label in known]
    if not names:
        raise UsageError("no label is named; name one, or say 'all'")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"the label '{twice[0]}' is named twice: name each once; of two revisions, one in a run")
    if len({label.terminology.source for label in known}) > 1:
        raise UsageError("the labels' policies say different things of the source: give each the same [reading]")
    return known


def taken(of_label: Sequence[tuple[Label, Record]], today: int) -> list[tuple[Label, Record]]:
    """Return the labels, each with the record as it reads it, whose drug the record has (`on_drug`).

    Raises UsageError where there is none.
    """
    found = [(label, record) for label, record in of_label if on_drug(record, label, today)]
    if not found:
        names = ", ".join(label.name for label, _ in of_label)
        raise UsageError(f"the record has no entry of the drugs of: {names}; name a label to decide by it all the same")
    return found


def answers_by_label(answers: Iterable[str], labels: Sequence[Label]) -> dict[str, list[str]]:
    """Return answers as they are written, by the name of the label to whose ask they are.

    Raises UsageError for one to an ask of none of the labels, or of several that does not say which label's it is.
    """
    known = {label.name: label for label in labels}
    given: dict[str, list[str]] = {name: [] for name in known}
    for answer in answers:
        name, colon, rest = answer.partition(":")
        if colon and name in known:
            given[name].append(rest)
        else:
            given[_whose(answer, labels)].append(answer)
    return given


def _whose(answer: str, labels: Sequence[Label]) -> str:
    """Return the name of the one label that has the ask which an answer is to."""
    ask = answer.partition("=")[0].strip()
    having = [label.name for label in labels if any(ask in (each.name, each.number) for each in label.asks.values())]
    if len(having) > 1:
        raise UsageError(
            f"several labels have an ask '{ask}'; say whose it is: {' or '.join(f'{n}:{ask}' for n in having)}"
        )
    return having[0] if having else labels[0].name


def _assessed(record: Record, label: Label, day: int, stage: Stage | None = None, *, everything: bool) -> Decision:
    died = record.died
    if died is not None and (died.high <= day or died.low < 1):
        raise PatientDied(
            "the patient died by the day of the decision; there is nothing left to decide. "
            "Give an earlier --today to look back"
        )
    return decide(record, label, day, stage, everything=everything).decision


def records(patient: object, labels: Sequence[Label], today: int) -> list[Record]:
    """Return the record of a patient, given as to `assess`, as each label reads it. Raises InputError, UsageError."""
    return records_of(_documents(patient), [Understanding(each.terminology, each.asks) for each in labels], today)


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


def _documents(patient: object) -> Iterable[object]:
    if isinstance(patient, (str, Path)):
        return documents(patient)
    if isinstance(patient, (bytes, bytearray, memoryview)):
        return parsed(bytes(patient), "the patient")
    if isinstance(patient, Mapping):
        return [dict(patient)]
    if isinstance(patient, Record):
        raise UsageError("a Record is what one label reads of a patient; several labels need the patient's resources")
    if isinstance(patient, Iterable):
        return patient
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
