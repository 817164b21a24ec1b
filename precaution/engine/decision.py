"""Findings and duties -> the decision: the gravest action, all its reasons, what is due and what is missing."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from precaution.engine.answer import Decision, Missing, OpenAsk
from precaution.engine.duties import schedule_all
from precaution.engine.evidence import backgrounds
from precaution.engine.facts import ANSWER, Chart, Facts
from precaution.engine.findings import judge_all
from precaution.engine.therapy import therapy
from precaution.knowledge.expression import names, spoken
from precaution.values.interval import show_day
from precaution.values.record import Ignored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.answer import Finding
    from precaution.engine.compiled import Prepared
    from precaution.engine.duties import Scheduled
    from precaution.engine.findings import Judged
    from precaution.knowledge.model import Ask, Label
    from precaution.knowledge.refers import Stage
    from precaution.values.record import Record

ATTESTED = "+attested"


class _Ready:
    """What is the same for every decision by a label at a stage."""

    def __init__(self, prepared: Prepared) -> None:
        """Make it ready."""
        label = prepared.label
        plain = [name for name in label.actions if not name.endswith(ATTESTED)]
        self.ranks = {(name, attested): grave(name, attested, label) for name in plain for attested in (True, False)}
        self.least = len(label.actions)
        """The rank of what asks for nothing."""
        self.attests = {name: spoken(rule.attest) for name, rule in label.rules.items()}
        self.asks = [
            (spoken(ask.name), ANSWER + ask.name, ask, OpenAsk(ask.name, ask.number, ask.question, ask.of, None))
            for ask in sorted(label.asks.values(), key=lambda ask: int(ask.number[1:]))
        ]
        """Every ask by number: its name, where its answers are filed, and what it is while it has none."""


_ready = lru_cache(maxsize=256)(_Ready)


def decide(
    record: Record, label: Label, today: int, stage: Stage | None = None, *, everything: bool = False
) -> Decision:
    """Return the decision for a patient on `today` (an ordinal), at `stage` or the one that the record shows.

    With `everything`, rules that do not hold are among the findings too.
    """
    chart = Chart(record, label, today, therapy(record, label, today, stage))
    facts = Facts(chart)
    ready = _ready(facts.prepared)
    judged = judge_all(facts, everything=everything)
    scheduled = schedule_all(facts)
    holds = [each.hold for each in judged if each.hold is not None]
    missing = _missing(judged, scheduled, facts)
    action, attested = _gravest(judged, scheduled, chart, ready, reason_found=bool(holds))
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
        findings=tuple(sorted(findings, key=lambda finding: _order(finding, ready))),
        holds=tuple(sorted(holds, key=lambda hold: (hold.state != "open", hold.rule))),
        due=tuple(sorted([each.due for each in scheduled], key=lambda due: (due.due or "9999", due.duty))),
        asks=_asks(judged, scheduled, facts, ready),
        missing=missing,
        ignored=tuple(sorted({*record.ignored, *_future(chart)})),
        unrecognised=record.unrecognised,
        background=backgrounds(facts).get("", ()),
        policy=label.policy,
    )


def grave(action: str, attested: bool, label: Label) -> int:
    """Return the rank of an action among the label's, 0 the gravest."""
    softened = action + ATTESTED
    return label.actions.index(softened if attested and softened in label.actions else action)


def _order(finding: Finding, ready: _Ready) -> tuple[object, ...]:
    action = finding.action
    rank = ready.ranks[action, finding.attested] if action else ready.least
    return rank, not finding.urgent, finding.state == "unknown", finding.rule


def _gravest(
    judged: Sequence[Judged], scheduled: Sequence[Scheduled], chart: Chart, ready: _Ready, *, reason_found: bool
) -> tuple[str, bool]:
    asked = [(action, each.finding.attested) for each in judged if (action := each.finding.action)]
    asked += [(action, False) for each in scheduled if (action := each.due.action)]
    if chart.therapy.doubt or chart.record.partial:
        asked.append(("obtain", False))
    if chart.stage == "interrupted":
        asked.append(("may-resume" if reason_found else "obtain", False))
    # Of actions equally grave one that no answer has softened counts: the order of the rules must not decide.
    return min(asked, key=lambda each: (ready.ranks[each], each[1]), default=("clear", False))


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


def _asks(judged: Sequence[Judged], scheduled: Sequence[Scheduled], facts: Facts, ready: _Ready) -> tuple[OpenAsk, ...]:
    """Return the asks that matter for this patient: those behind a finding or duty, and those answered."""
    wanted: set[str] = set()
    for each in judged:
        if each.finding.state != "no":
            wanted.update(each.behind)
            wanted.add(ready.attests[each.rule.name])
        if each.hold is not None and each.hold.state != "released" and each.rule.release is not None:
            wanted.update(names(each.rule.release))
    for task in scheduled:
        wanted.update(task.behind)
    past, found = facts.chart.past, []
    for name, place, ask, unanswered in ready.asks:
        if place in past and facts.recorded(name):
            found.append(_asked(ask, facts))
        elif name in wanted:
            found.append(unanswered)
    return tuple(found)


def _asked(ask: Ask, facts: Facts) -> OpenAsk:
    known = facts.known(spoken(ask.name))
    latest = known.evidence[0] if known.evidence else None
    void = known.why if latest is not None and known.value is None else ""
    answered = None if latest is None or void else latest.result
    return OpenAsk(ask.name, ask.number, ask.question, ask.of, answered, show_day(latest.start) if latest else "", void)


def _future(chart: Chart) -> list[Ignored]:
    """Entries after the day of the decision, which do not count; plans and answers of the caller may be."""
    later = chart.later
    return [Ignored(e.source, "after the day of the decision") for e in later if not e.concept.startswith(ANSWER)]
