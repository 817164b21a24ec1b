"""Findings and duties -> the decision: the gravest action, all its reasons, what is due and what is missing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from precaution.answer import Decision, Missing, OpenAsk
from precaution.duties import schedule
from precaution.evidence import backgrounds
from precaution.expression import names, spoken
from precaution.facts import ANSWER, Chart, Facts
from precaution.findings import judge
from precaution.interval import show_day
from precaution.record import Ignored
from precaution.therapy import therapy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.answer import Finding
    from precaution.definitions import Ask, Label, Stage
    from precaution.duties import Scheduled
    from precaution.findings import Judged
    from precaution.record import Entry, Record

ATTESTED = "+attested"


def decide(
    record: Record, label: Label, today: int, stage: Stage | None = None, *, everything: bool = False
) -> Decision:
    """Return the decision for a patient on `today` (an ordinal), at `stage` or the one that the record shows.

    With `everything`, rules that do not hold are among the findings too.
    """
    chart = Chart(record, label, today, therapy(record, label, today, stage))
    facts = Facts(chart)
    background = backgrounds(facts)
    judged = [
        each
        for rule in label.rules.values()
        if (each := judge(rule, facts, background, everything=everything)) is not None
    ]
    scheduled = [task for duty in label.duties.values() if (task := schedule(duty, facts)) is not None]
    holds = tuple(each.hold for each in judged if each.hold is not None)
    missing = _missing(judged, scheduled, facts)
    action, attested = _gravest(judged, scheduled, chart, reason_found=bool(holds))
    findings = [each.finding for each in judged if everything or each.finding.state != "no"]
    return Decision(
        label=label.name,
        version=label.version,
        digest=label.digest,
        today=date.fromordinal(today).isoformat(),
        stage=chart.stage,
        stage_why=chart.therapy.why,
        start=show_day(chart.therapy.start),
        action=action,
        attested=attested,
        findings=tuple(sorted(findings, key=lambda finding: _order(finding, label))),
        holds=tuple(sorted(holds, key=lambda hold: (hold.state != "open", hold.rule))),
        due=tuple(each.due for each in sorted(scheduled, key=lambda each: (each.due.due or "9999", each.due.duty))),
        asks=_asks(judged, scheduled, facts),
        missing=missing,
        ignored=tuple(sorted({*record.ignored, *_future(record, today)})),
        unrecognised=record.unrecognised,
        background=background.get("", ()),
        policy=label.policy,
    )


def grave(action: str, attested: bool, label: Label) -> int:
    """Return the rank of an action among the label's, 0 the gravest."""
    softened = action + ATTESTED
    return label.actions.index(softened if attested and softened in label.actions else action)


def _order(finding: Finding, label: Label) -> tuple[object, ...]:
    rank = grave(finding.action, finding.attested, label) if finding.action else len(label.actions)
    return rank, not finding.urgent, finding.state == "unknown", finding.rule


def _gravest(
    judged: Sequence[Judged], scheduled: Sequence[Scheduled], chart: Chart, *, reason_found: bool
) -> tuple[str, bool]:
    asked = [(each.finding.action, each.finding.attested) for each in judged if each.finding.action]
    asked += [(each.due.action, False) for each in scheduled if each.due.action]
    if chart.therapy.doubt or chart.record.partial:
        asked.append(("obtain", False))
    if chart.stage == "interrupted":
        asked.append(("may-resume" if reason_found else "obtain", False))
    # Of actions equally grave one that no answer has softened counts: the order of the rules must not decide.
    return min(asked, key=lambda each: (grave(each[0], each[1], chart.label), each[1]), default=("clear", False))


def _missing(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts) -> tuple[Missing, ...]:
    needed: dict[str, list[str]] = {}
    for each in judged:
        if each.finding.state == "unknown":
            _note(each.behind, each.rule.name, facts, needed)
    for task in scheduled:
        if task.due.state == "unknown":
            _note(task.behind, task.due.duty, facts, needed)
    found = [Missing(name, facts.title(name), facts.why(name), tuple(by)) for name, by in sorted(needed.items())]
    if facts.chart.record.partial:
        why = "the input is only a part of it: a further page, or something that could not be read"
        found.insert(0, Missing("record", "the whole record", why, ()))
    if facts.chart.therapy.doubt:
        found.insert(0, Missing("stage", "stage of treatment", facts.chart.therapy.doubt, ()))
    if facts.chart.stage == "interrupted" and not any(each.hold for each in judged):
        found.insert(
            0, Missing("reason-for-interruption", "why treatment was interrupted", "nothing on record explains it", ())
        )
    return tuple(found)


def _note(behind: Sequence[str], by: str, facts: Facts, needed: dict[str, list[str]]) -> None:
    for name in behind:
        if name in facts.chart.label.facts and facts.why(name):
            needed.setdefault(name, []).append(by)


def _asks(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts) -> tuple[OpenAsk, ...]:
    """Return the asks that matter for this patient: those behind a finding or duty, and those answered."""
    label = facts.chart.label
    by_name = {spoken(name): ask for name, ask in label.asks.items()}
    wanted = {
        name for each in judged if each.finding.state != "no" for name in (*each.behind, spoken(each.rule.attest))
    }
    wanted |= {name for each in scheduled for name in each.behind}
    for each in judged:
        if each.hold is not None and each.hold.state != "released" and each.rule.release is not None:
            wanted |= set(names(each.rule.release))
    matter = [ask for name, ask in by_name.items() if name in wanted or facts.recorded(name)]
    return tuple(_asked(ask, facts) for ask in sorted(matter, key=lambda ask: int(ask.number[1:])))


def _asked(ask: Ask, facts: Facts) -> OpenAsk:
    known = facts.known(spoken(ask.name))
    latest = known.evidence[0] if known.evidence else None
    void = known.why if latest is not None and known.value is None else ""
    answered = None if latest is None or void else latest.result
    return OpenAsk(ask.name, ask.number, ask.question, ask.of, answered, show_day(latest.start) if latest else "", void)


def _future(record: Record, today: int) -> list[Ignored]:
    """Entries after the day of the decision, which do not count; plans and answers of the caller may be."""
    return [
        Ignored(entry.source, "after the day of the decision")
        for concept, entries in record.entries.items()
        for entry in entries
        if entry.kind != "order" and _after(entry, today) and not concept.startswith(ANSWER)
    ]


def _after(entry: Entry, today: int) -> bool:
    day = entry.start if entry.start is not None else entry.recorded
    return day is not None and day.low > today
