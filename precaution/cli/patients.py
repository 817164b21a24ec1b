"""Commands on one patient's record: assess, timeline, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit
from precaution.errors import AS_GRAVE, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from precaution.cli.options import Chosen, ChosenLabels
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.service.store import Store


@precaution.command(
    short_help="Say what the label asks for, why, and what is not known.",
    epilog=options.examples(
        "precaution assess patient.json --today 2025-03-01",
        "precaution assess patient.json --answer A1=yes@2025-02-01 --answer A11=yes",
        "cat bundle.json | precaution assess - --json --fail-on do-not-start",
    ),
)
@options.patient
@options.day
@options.situation
@options.labels
@click.option("--all", "everything", is_flag=True, help="Also list rules that do not hold and duties that are done.")
@options.as_json
@click.option("--fail-on", metavar="ACTION", help="Leave with exit code 4 where the action is this or a graver one.")
@click.option("--store", metavar="URL", help="Also heed the answers that the store of `precaution serve` keeps.")
@click.option("--server", metavar="URL", help="With --store: the patient's FHIR server. [default: the only one there]")
def assess(
    chosen: ChosenLabels,
    patient: str,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
    everything: bool,
    json: bool,
    fail_on: str | None,
    store: str | None,
    server: str | None,
) -> None:
    """Assess one patient: what the label asks for, why, what is due, and what is not known.

    PATIENT is a FHIR R4 record: a Bundle, a list or NDJSON of one patient's resources, a folder of such files,
    or - for stdin.
    """
    if server is not None and store is None:
        raise UsageError("--server says whose patient to look for in a store: give --store too")
    if chosen.only is None:
        _assess_by_each(
            chosen, patient, today, stage, answers, everything=everything, json=json, fail_on=fail_on, store=store
        )
        return
    label = chosen.only.label
    grave = as_grave_as(fail_on, label) if fail_on else frozenset[str]()
    if store is not None:
        decision, words = decided_with_store(
            label, patient, today, stage, answers, everything=everything, url=store, server=server
        )
    else:
        decision, words = decided(label, patient, today, stage, answers, everything=everything)
    emit(_written(decision, words, json=json, everything=everything))
    if as_ranked(decision, label) in grave:
        raise click.exceptions.Exit(AS_GRAVE)


def _assess_by_each(
    chosen: ChosenLabels,
    patient: str,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
    *,
    everything: bool,
    json: bool,
    fail_on: str | None,
    store: str | None,
) -> None:
    """Assess one patient by several labels: each decision as for its label alone, in the order of the labels."""
    from precaution.assessment import assess_read
    from precaution.writers.structured import as_json, each_to_dict

    if stage is not None or store is not None:
        raise UsageError("--stage and --store are for one label: name one with --label")
    by_name = {label.name: label for label in chosen.labels}
    grave = _as_grave_as_in_any(fail_on, chosen.labels) if fail_on else {}
    day = options.chosen_day(today, chosen.labels[0])
    records = options.chosen_records(patient, chosen.labels, day)
    words = {source: said for record in records for source, said in record.words.items()}
    decisions = assess_read(
        list(zip(chosen.labels, records, strict=True)),
        day.toordinal(),
        only_taken=chosen.all,
        answers=answers,
        everything=everything,
    )
    if json:
        emit(as_json(each_to_dict(decisions)))
    else:
        emit("\n".join(_written(each, words, json=False, everything=everything) for each in decisions))
    if any(as_ranked(each, by_name[each.label]) in grave.get(each.label, ()) for each in decisions):
        raise click.exceptions.Exit(AS_GRAVE)


def decided(
    label: Label, patient: str, today: date | None, stage: str | None, answers: tuple[str, ...], *, everything: bool
) -> tuple[Decision, Mapping[str, str]]:
    """Return the decision on the patient and in the situation that a command names, and what the record calls its
    entries."""
    from precaution.assessment import assess

    day = options.chosen_day(today, label)
    record = options.chosen_record(patient, label, day)
    decision = assess(record, today=day, label=label, stage=stage, answers=answers, everything=everything)
    return decision, record.words


def decided_with_store(
    label: Label,
    patient: str,
    today: date | None,
    stage: str | None,
    answers: tuple[str, ...],
    *,
    everything: bool,
    url: str,
    server: str | None,
) -> tuple[Decision, Mapping[str, str]]:
    """Return as `decided`, with what the store at `url` keeps of the patient, under `server` or the only one.

    Raises StoreError where the store can't be read: without its answers a decision could be too mild.
    """
    from contextlib import closing

    from precaution.service.clinician_answers import assess_kept
    from precaution.service.store import Store

    day = options.chosen_day(today, label)
    name, record = options.chosen_patient(patient, label, day)
    if not name:
        raise UsageError("--store: the Patient has no id, by which to find what is kept")
    with closing(Store(url)) as store:
        store.open(make=False)
        kept = store.kept(server or _only_server(store, name), name, day.isoformat())
    decision = assess_kept(record, label, day, kept, stage=stage, answers=answers, everything=everything)
    return decision, record.words


def _only_server(store: Store, patient: str) -> str:
    servers = store.servers(patient)
    if len(servers) > 1:
        raise UsageError(
            "--store: patients of this id are kept for several servers; name one with --server: " + ", ".join(servers)
        )
    return servers[0] if servers else ""


def as_grave_as(action: str, label: Label) -> frozenset[str]:
    """Return `action` and all that are graver. Raises UsageError where the label has no such action."""
    if action not in label.actions:
        hint = did_you_mean(action, label.actions)
        raise UsageError(f"--fail-on: '{action}' is no action.{hint} Gravest first: {', '.join(label.actions)}.")
    return frozenset(label.actions[: label.actions.index(action) + 1])


def _as_grave_as_in_any(action: str, labels: Sequence[Label]) -> dict[str, frozenset[str]]:
    """Return by label `action` and all that are graver. Raises UsageError where no label has such an action."""
    having = [label for label in labels if action in label.actions] or labels[:1]
    return {label.name: as_grave_as(action, label) for label in having}


def as_ranked(decision: Decision, label: Label) -> str:
    """Return the action as the label ranks it: an attested one may have a rank of its own."""
    attested = f"{decision.action}+attested"
    return attested if decision.attested and attested in label.actions else decision.action


def _written(decision: Decision, words: Mapping[str, str], *, json: bool, everything: bool) -> str:
    from precaution.writers.structured import to_json
    from precaution.writers.text import text

    return to_json(decision) if json else text(decision, everything=everything, words=words)


@precaution.command(
    short_help="Show how the decision changed over the record's dates.",
    epilog=options.examples("precaution timeline patient.json --today 2025-03-01"),
)
@options.patient
@options.day
@options.labels
@options.as_json
def timeline(chosen: ChosenLabels, patient: str, today: date | None, json: bool) -> None:
    """Show how stage and decision changed over the record's dates, up to today."""
    from precaution.assessment import taken
    from precaution.timeline import timeline as changes
    from precaution.writers import listing
    from precaution.writers.structured import as_json, to_dict

    labels = chosen.labels
    until = options.chosen_day(today, labels[0])
    of_label = list(zip(labels, options.chosen_records(patient, labels, until), strict=True))
    if chosen.all:
        of_label = taken(of_label, until.toordinal())
    found = [(changes(record, label, until.toordinal()), label) for label, record in of_label]
    if json:
        emit(as_json([to_dict(each) for each in sorted((d for own, _ in found for d in own), key=_day)]))
    elif chosen.only is not None:
        emit(listing.timeline(*found[0]))
    else:
        emit("\n".join(f"{label.title}\n{listing.timeline(own, label)}" for own, label in found))


def _day(decision: Decision) -> str:
    return decision.today


@precaution.command(
    short_help="Show what was understood of a record, and what was not.",
    epilog=options.examples("precaution read patient.json", "precaution read patient.json --json"),
)
@options.patient
@options.label
@options.as_json
def read(chosen: Chosen, patient: str, json: bool) -> None:
    """Show what was understood of a record, what was ignored and why, and what was not recognised."""
    from precaution.writers import listing
    from precaution.writers.structured import as_json

    record, words = options.chosen_words(patient, chosen.label)
    if json:
        emit(as_json({**listing.record_as_dict(record), "words": words._asdict()}))
    else:
        emit(listing.record_in_text(record, chosen.label) + listing.words_in_text(words.texts, words.unknown))
