"""What the store knows of a patient, brought into the next decision: answers, overrides, promises.

    decision = assess_kept(record, label, today, kept)
    facts = facts_with_answers(record, kept, label, day)    # the same in steps
    decision = finished(decided(facts).decision, kept, label)

Answers become entries of the record, so that the engine weighs them as any other answer. One that makes something
milder counts until it expires, and only as long as the record shows nothing that it was not given in view of. Where the
store can't be read nothing is softened, and the decision says what is missing: it is never `clear`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, get_args

from precaution.assessment import as_day, as_stage, assess, with_entries
from precaution.engine.answer import Due, Missing, grave
from precaution.engine.chart import Chart
from precaution.engine.memo import remembered
from precaution.engine.therapy import therapy
from precaution.knowledge.expression import spoken
from precaution.service.content_digests import said_by
from precaution.service.store.canonical import digest
from precaution.service.store.model import Answer, KeptCard, KeptDue, KeptFinding, OfferedAnswer, Tier
from precaution.values.interval import exactly
from precaution.values.record import ANSWER, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from precaution.engine.answer import Decision, DueState, Evidence, Finding
    from precaution.engine.facts import Facts
    from precaution.knowledge.model import Ask, Label
    from precaution.knowledge.refers import Stage
    from precaution.service.store.model import Kept, Override, Promise, Terms
    from precaution.values.interval import Interval
    from precaution.values.record import Record

PROMISED = "promise-"
"""What a duty is called that is a promise: this, and the rule."""
_TIERS: tuple[Tier, ...] = get_args(Tier)
"""Gravest first."""
_GRACE = 7
"""Days after which a promise that is due is overdue."""


def assess_kept(
    record: Record,
    label: Label,
    today: date | str,
    kept: Kept,
    *,
    stage: str | None = None,
    answers: Iterable[str] = (),
    everything: bool = False,
) -> Decision:
    """Return the decision on a patient with all that the store knows. Raises as `assess`."""
    heeding = facts_with_answers(record, kept, label, as_day(today), as_stage(stage)).chart.record
    decision = assess(heeding, today=today, label=label, stage=stage, answers=answers, everything=everything)
    return finished(decision, kept, label)


def facts_with_answers(record: Record, kept: Kept, label: Label, today: int, stage: Stage | None = None) -> Facts:
    """Return the facts of a record on `today` (an ordinal), with the kept answers that count."""
    _, facts = counting_answers(kept.answers, record, label, today, stage)
    return facts


def finished(decision: Decision, kept: Kept, label: Label) -> Decision:
    """Return the decision on a record of `facts_with_answers`, and what was promised, or could not be read."""
    return with_promises(decision, kept.promises, label) if kept.readable else _unread(decision, label)


def entries_of(answers: Iterable[Answer], label: Label) -> list[Entry]:
    """Return kept answers as entries of a record; those to asks that the label no longer has are left out."""
    return [
        Entry(
            ANSWER + each.ask,
            "answer",
            f"kept answer {each.id}",
            start=_day(each.day),
            end=_day(each.expires) if each.expires else None,
            result=each.answer,
            says=each.answer,
            note=f"counts until {each.expires}" if each.expires else "",
        )
        for each in answers
        if each.ask in label.asks and each.answer in label.asks[each.ask].answers
    ]


def _day(iso: str) -> Interval:
    return exactly(date.fromisoformat(iso).toordinal())


def counting_answers(
    answers: Sequence[Answer], record: Record, label: Label, today: int, stage: Stage | None = None
) -> tuple[list[Answer], Facts]:
    """Return the answers that count, and the facts with them.

    A reassuring answer is void as soon as there is evidence that it did not see.

    The engine voids an answer by evidence of a later day. This also finds what was written down later, of whatever day.
    """
    course = therapy(record, label, today, stage)  # which no answer changes
    counting = list(answers)
    while True:
        facts = remembered(Chart(with_entries(record, entries_of(counting, label)), label, today, course))
        still = [each for each in counting if not _surprised(each, facts)]
        if len(still) == len(counting):
            return counting, facts
        counting = still


def _surprised(answer: Answer, facts: Facts) -> bool:
    ask = facts.chart.label.asks.get(answer.ask)
    if ask is None or answer.seen is None or answer.answer not in ask.reassures:
        return False
    return not set(_evidence(ask, facts)) <= set(answer.seen)


def evidence_about(facts: Facts, asks: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
    """Return for each ask the evidence that it is about, for what is so or in doubt: references with digests.

    `asks`: those that are wanted; all where left out.
    """
    known = facts.chart.label.asks
    return {name: _evidence(known[name], facts) for name in (known if asks is None else asks)}


def _evidence(ask: Ask, facts: Facts) -> tuple[str, ...]:
    known = [facts.known(spoken(name)) for name in ask.about]
    return tuple(sorted({_mark(entry) for each in known if each.value is not False for entry in each.evidence}))


def _mark(entry: Entry) -> str:
    """Return the reference of an entry with a digest of what it says: it may say something else under the same id."""
    return f"{entry.source} {digest(said_by(entry))[:16]}"


def with_promises(decision: Decision, promises: Iterable[Promise], label: Label) -> Decision:
    """Return the decision with what was promised when a card was overridden, and was not done since."""
    found = {finding.rule: finding for finding in decision.findings if finding.state != "no"}
    open_now: dict[str, Promise] = {}
    for each in sorted(promises, key=lambda promise: promise.due):
        if each.rule in found and not _fulfilled(each, found[each.rule]):
            open_now.setdefault(each.rule, each)
    if not open_now:
        return decision
    due = [_due(each, found[rule], decision.today, label) for rule, each in open_now.items()]
    decision = _at_least("due", decision, label) if any(each.action for each in due) else decision
    return replace(decision, due=tuple(sorted((*decision.due, *due), key=lambda each: (each.due or "9999", each.duty))))


def _fulfilled(promise: Promise, finding: Finding) -> bool:
    """Whether there is something new since: evidence of that day or later which was not there then."""
    return any(each.source not in promise.seen and each.date >= promise.given for each in finding.evidence)


def _due(promise: Promise, finding: Finding, today: str, label: Label) -> Due:
    overdue = (date.fromisoformat(promise.due) + timedelta(days=_GRACE)).isoformat()
    state: DueState = "upcoming" if today < promise.due else "due" if today <= overdue else "overdue"
    title = label.rules[promise.rule].title
    return Due(
        PROMISED + promise.rule,
        promise.cites,
        state,
        promise.due,
        overdue,
        f"See to it, as promised on {promise.given} when the card was overridden: {title}",
        finding.evidence,
        "" if state == "upcoming" else "due",
        ours="A promise is followed up; the label does not ask for it.",
    )


def _unread(decision: Decision, label: Label) -> Decision:
    lost = Missing("kept-answers", "answers kept by the service", "they could not be read; nothing was softened", ())
    return _at_least("obtain", replace(decision, missing=(lost, *decision.missing)), label)


def _at_least(action: str, decision: Decision, label: Label) -> Decision:
    if grave(decision.action, decision.attested, label) <= grave(action, False, label):
        return decision
    return replace(decision, action=action, attested=False)


def silenced(
    finding: Finding,
    decision: Decision,
    kept: Kept,
    user: str,
    *,
    tier: Tier,
    content_of: Callable[[Evidence], str],
    discounted: Collection[str] = (),
) -> Override | None:
    """Return the user's override by which a finding need not be shown to them now; None where it must be.

    It returns with evidence that is new or says something else, another state or action, a graver tier, another version
    of the label, and when its time is over. `tier`: that of a card with it; `content_of`: the digest of what a piece of
    evidence says; `discounted`: codes of reasons that do not count here.
    """
    now = {content_of(each) for each in finding.evidence}
    for each in kept.overrides:
        same = (each.rule, each.state, each.action) == (finding.rule, finding.state, finding.action)
        as_grave = _TIERS.index(each.tier) <= _TIERS.index(tier)
        if not (same and as_grave and each.by == user and each.label == decision.digest):
            continue
        if now <= set(each.contents) and each.reason not in discounted:
            return each
    return None


def offered_answer(by: str, ask: Ask, answer: str, label: Label, terms: Terms) -> OfferedAnswer:
    """Return what taking up a suggestion (`by`: its uuid), or a reason (its code), answers to an ask.

    What makes something milder counts for as long as the label's folder says, and no longer than the site does.
    """
    return OfferedAnswer(by, ask.name, answer, ask.of, days_of(ask, answer, label, terms))


def days_of(ask: Ask, answer: str, label: Label, terms: Terms) -> int:
    """Return for how many days an answer counts at most; 0 where it makes nothing milder, and stands."""
    if answer not in ask.reassures:
        return 0
    own = int(float(label.parameters[ask.valid].value)) if ask.valid else terms.answer_days
    return min(own, terms.answer_days)


def kept_card(
    decision: Decision,
    findings: Iterable[Finding],
    *,
    uuid: str,
    tier: Tier,
    server: str,
    patient: str,
    hook: str,
    service: str,
    seen: Mapping[str, tuple[str, ...]],
    content_of: Callable[[Evidence], str],
    due: Iterable[Due] = (),
    offers: Iterable[OfferedAnswer] = (),
    client: str = "",
    user: str = "",
) -> KeptCard:
    """Return a card of a decision as it is kept. `findings`, `due`: what it shows.

    `seen`: see `evidence_about`; `content_of`: see `silenced`.
    """
    asks = {each.ask for each in decision.asks}
    return KeptCard(
        uuid=uuid,
        client=client,
        user=user,
        server=server,
        patient=patient,
        hook=hook,
        service=service,
        label=decision.digest,
        today=decision.today,
        tier=tier,
        action=decision.action,
        findings=tuple(
            KeptFinding(
                each.rule,
                each.state,
                each.action,
                each.cites,
                tuple((entry.source, entry.date, content_of(entry)) for entry in each.evidence),
            )
            for each in findings
        ),
        due=tuple(KeptDue(each.duty, each.state, each.due) for each in due),
        offers=tuple(offers),
        seen={ask: found for ask, found in seen.items() if ask in asks},
    )
