"""Findings and duties -> the decision: the gravest action, all its reasons, what is due and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from precaution.engine.answer import Decision, Missing, OpenAsk
from precaution.engine.chart import Chart
from precaution.engine.duties import Scheduled, schedule_all
from precaution.engine.facts import Facts
from precaution.engine.findings import Judged, judge_all, verdicts
from precaution.engine.memo import remembered
from precaution.engine.signed import hardened, marked, reviewed
from precaution.engine.signed import missing as signatures_missing
from precaution.engine.therapy import therapy
from precaution.knowledge.expression import spoken
from precaution.values.interval import show_day
from precaution.values.record import ANSWER, DOSE, Ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.answer import Due, Finding, Reviewed
    from precaution.engine.chart import Known
    from precaution.engine.compiled import CompiledLabel
    from precaution.knowledge.model import Ask, Label
    from precaution.knowledge.refers import Stage
    from precaution.values.record import Record


@dataclass(frozen=True, slots=True)
class Assessment:
    """A decision, and all that it was worked out of."""

    chart: Chart
    facts: Facts
    judged: tuple[Judged, ...]
    """The outcome of each rule that holds or can't be told; of every one that applies where all was asked for."""
    scheduled: tuple[Scheduled, ...]
    """The outcome of each duty that is the patient's."""
    decision: Decision


def decide(
    record: Record, label: Label, today: int, stage: Stage | None = None, *, everything: bool = False
) -> Assessment:
    """Return the decision for a patient on `today` (an ordinal), at `stage` or the one that the record shows.

    With `everything`, rules that do not hold are among the findings too.
    """
    return decided(facts_of(record, label, today, stage), everything=everything)


def facts_of(record: Record, label: Label, today: int, stage: Stage | None = None, *, memo: bool = True) -> Facts:
    """Return the facts of a patient on `today` (an ordinal), at `stage` or the one that the record shows.

    Without `memo` each is worked out on the patient's own record, and nothing is taken from `precaution.engine.memo`.
    """
    chart = Chart(record, label, today, therapy(record, label, today, stage))
    return remembered(chart) if memo else Facts(chart)


def decided(facts: Facts, *, everything: bool = False) -> Assessment:
    """Return the decision that follows from a patient's facts; for `everything` see `decide`."""
    judged = tuple(judge_all(facts, everything=everything))
    scheduled = tuple(schedule_all(facts))
    if names := facts.compiled.not_reviewed:
        judged = hardened(judged, names, facts.compiled.ranks, facts.chart.stage)
        scheduled = marked(scheduled, names)
    return Assessment(facts.chart, facts, judged, scheduled, _decision(judged, scheduled, facts, everything=everything))


def essence(facts: Facts) -> tuple[object, ...]:
    """Return what makes one day's decision another than the day before's: stage, action, findings and duties.

    It costs less than the decision itself; two facts of equal essence make decisions that differ in details only.
    """
    found, scheduled = verdicts(facts), schedule_all(facts)
    asked = [(action, attested) for _, _, action, attested, _ in found if action]
    action = _gravest(asked, scheduled, facts, reason_found=any(each[-1] for each in found))
    findings = [each[:3] for each in found]
    return facts.chart.stage, action, findings, [(each.due.duty, each.due.state) for each in scheduled]


def _decision(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts, *, everything: bool) -> Decision:
    chart, label = facts.chart, facts.chart.label
    holds = [each.hold for each in judged if each.hold is not None]
    wanted = [(action, each.finding.attested) for each in judged if (action := each.finding.action)]
    action, attested = _gravest(wanted, scheduled, facts, reason_found=bool(holds))
    findings = [each.finding for each in judged if everything or each.finding.state != "no"]
    return Decision(
        label=label.name,
        version=label.version,
        digest=label.digest,
        today=date.fromordinal(chart.today).isoformat(),
        stage=chart.stage,
        stage_why=chart.therapy.why,
        start=show_day(chart.therapy.start),
        action=action,
        attested=attested,
        findings=tuple(sorted(findings, key=lambda finding: _order(finding, facts.compiled))),
        holds=tuple(sorted(holds, key=lambda hold: (hold.state != "open", hold.rule))),
        due=tuple(sorted([each.due for each in scheduled], key=lambda due: _when(due, facts.compiled))),
        asks=_asks(judged, scheduled, facts),
        missing=_missing(judged, scheduled, facts),
        ignored=tuple(sorted({*chart.record.ignored, *_future(chart)})),
        unrecognised=chart.record.unrecognised,
        background=facts.compiled.backgrounds.beside("", facts),
        policy=label.policy,
        reason=_reason(action, findings, [each.due for each in scheduled], facts.compiled),
        doubtful_readings=facts.compiled.doubtful_readings,
        signatures=_signatures(judged, scheduled, label),
    )


def _signatures(judged: Sequence[Judged], scheduled: Sequence[Scheduled], label: Label) -> tuple[Reviewed, ...]:
    if not label.signed and not label.signed_only:
        return ()
    shown = [each.rule.name for each in judged if each.finding.state != "no" or each.hold]
    return reviewed(label, [*shown, *[each.due.duty for each in scheduled]])


def _order(finding: Finding, label: CompiledLabel) -> tuple[object, ...]:
    rank = label.ranks.get((finding.action, finding.attested), len(label.ranks))
    return rank, not finding.urgent, finding.state == "unknown", label.order.get(finding.rule, 0), finding.rule


def _when(due: Due, label: CompiledLabel) -> tuple[object, ...]:
    return due.due or "9999", label.order[due.duty], due.duty


_TO_FIND_OUT = ("screen", "obtain")
"""Actions between which the order of topics decides which is named first: each asks for something to be known."""


def _reason(action: str, findings: Sequence[Finding], dues: Sequence[Due], label: CompiledLabel) -> str:
    """Return the rule or duty that makes the decision as grave as it is, by the label's order of topics."""
    alike = _TO_FIND_OUT if action in _TO_FIND_OUT else (action,)
    found = [
        (not each.urgent, label.order.get(each.rule, 0), each.state == "unknown", each.rule)
        for each in findings
        if each.action in alike and each.state != "no"
    ]
    found += [(True, label.order.get(each.duty, 0), False, each.duty) for each in dues if each.action in alike]
    return min(found)[-1] if found else ""


def _gravest(
    wanted: Sequence[tuple[str, bool]], scheduled: Sequence[Scheduled], facts: Facts, *, reason_found: bool
) -> tuple[str, bool]:
    chart, ranks = facts.chart, facts.compiled.ranks
    asked = [*wanted]
    asked += [(action, False) for each in scheduled if (action := each.due.action)]
    if chart.therapy.doubt or chart.record.partial or facts.compiled.not_reviewed:
        asked.append(("obtain", False))
    if chart.stage == "interrupted":
        asked.append(("may-resume" if reason_found else "obtain", False))
    # Of actions equally grave one that no answer has softened counts: the order of the rules must not decide.
    return min(asked, key=lambda each: (ranks[each], each[1]), default=("clear", False))


def _missing(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts) -> tuple[Missing, ...]:
    needed: dict[str, list[str]] = {}
    for each in judged:
        for name in each.behind if each.finding.state == "unknown" else ():
            needed.setdefault(name, []).append(each.rule.name)
    for task in scheduled:
        for name in task.behind if task.due.state == "unknown" else ():
            needed.setdefault(name, []).append(task.due.duty)
    label = facts.chart.label
    whys = [(name, facts.why(name)) for name in sorted(needed) if name in label.facts]
    found = [Missing(name, facts.title(name), why, tuple(needed[name])) for name, why in whys if why]
    if facts.chart.record.partial:
        why = "the input is only a part of it: a further page, or something that could not be read"
        found.insert(0, Missing("record", "the whole record", why, ()))
    if facts.compiled.not_reviewed:
        found.insert(0, signatures_missing(facts.compiled.not_reviewed))
    if facts.chart.therapy.doubt:
        found.insert(0, Missing("stage", "stage of treatment", facts.chart.therapy.doubt, ()))
    if facts.chart.stage == "interrupted" and not any(each.hold for each in judged):
        noted = "; ".join([entry.note for entry in facts.chart.therapy.evidence if entry.note])
        why = f"nothing on record explains it{f' ({noted})' if noted else ''}"
        found.insert(0, Missing("reason-for-interruption", "why treatment was interrupted", why, ()))
    return tuple(found)


def _asks(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts) -> tuple[OpenAsk, ...]:
    """Return the asks that matter for this patient: those behind a finding or duty, and those answered."""
    wanted: set[str] = set()
    for each in judged:
        if each.finding.state != "no":
            wanted.update(each.behind)
            if each.rule.attest:
                wanted.add(spoken(each.rule.attest))
        if each.hold is not None and each.hold.state != "released" and each.rule.release is not None:
            wanted.update(facts.compiled.expression(each.rule.release).names)
    for task in scheduled:
        wanted.update(task.behind)
    asks = facts.compiled.asks.items()
    return tuple(
        [
            _asked(ask, facts.known(name))
            for name, ask in asks
            if facts.recorded(name) or (name in wanted and (ask.when is None or facts.test(ask.when) is True))
        ]
    )


def _asked(ask: Ask, known: Known) -> OpenAsk:
    latest = known.evidence[0] if known.evidence else None
    void = known.why if latest is not None and known.value is None else ""
    answered = None if latest is None or void else latest.result
    return OpenAsk(ask.name, ask.number, ask.question, ask.of, answered, show_day(latest.start) if latest else "", void)


def _future(chart: Chart) -> list[Ignored]:
    """Entries after the day of the decision, which do not count; plans and answers of the caller may be."""
    later = chart.later
    return [
        Ignored(e.source, "after the day of the decision") for e in later if not e.concept.startswith((ANSWER, DOSE))
    ]
