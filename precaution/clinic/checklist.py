"""The start checklist: one line a topic of the label, as things stand before a start, for one sheet of paper.

A topic shows the gravest thing it asks for, with its sentences and the newest entries behind it. What stands under a
line is cut to what fits on the sheet; the patient's page holds everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.answer import Decision, grave
from precaution.engine.decision import decide, decided
from precaution.engine.evidence import shown
from precaution.service.cards.wording import Words, clipped, without_sources
from precaution.service.clinician_answers import facts_with_answers, finished
from precaution.writers.layout import in_words, status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.engine.answer import Due, Evidence, Finding
    from precaution.engine.decision import Assessment
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.store import Kept
    from precaution.values.record import Record

_REASONS, _ENTRIES, _LETTERS = 3, 3, 150


class ChecklistLine(NamedTuple):
    """A topic of the label before a start."""

    topic: str
    status: str
    """The shape and the words of the gravest thing that the topic asks for."""
    asks: str
    """That action; `clear` where the topic asks for nothing."""
    reasons: list[str]
    entries: list[str]
    sentences: list[str]


class Checklist(NamedTuple):
    """The checklist of one patient."""

    decision: Decision
    begun: bool
    """Whether treatment has begun by the record: then the list is about a new start."""
    lines: list[ChecklistLine]
    questions: list[tuple[str, str, tuple[str, ...]]]
    """Open questions: number, question, the answers it takes."""


def checklist(record: Record, label: Label, vocabulary: Vocabulary, today: int, kept: Kept) -> Checklist:
    """Return the checklist of a patient on `today` (an ordinal), as if treatment were to start on that day.

    `kept`: what clinicians have answered.
    """
    facts = facts_with_answers(record, kept, label, today, "before-start")
    assessed = decided(facts, everything=True)
    decision = finished(assessed.decision, kept, label)
    begun = decide(record, label, today).decision.stage != "before-start"
    words = Words(label, vocabulary, record, frozenset())
    lines = [_line(topic, assessed, words) for topic in label.topics]
    questions = [
        (each.number, each.question, label.asks[each.ask].answers) for each in decision.asks if each.answered is None
    ]
    return Checklist(decision, begun, [line for line in lines if line is not None], questions)


def _line(topic: str, assessed: Assessment, words: Words) -> ChecklistLine | None:
    decision, label = assessed.decision, assessed.chart.label
    findings = [each for each in decision.findings if label.rules[each.rule].topic == topic]
    dues = [each for each in decision.due if label.duties[each.duty].topic == topic]
    if not findings and not dues:
        return None
    asking: list[Finding | Due] = [*(f for f in findings if f.state != "no"), *(d for d in dues if d.action)]
    asking.sort(key=lambda each: grave(each.action, getattr(each, "attested", False), label))
    behind = asking or [*dues, *findings]
    action = asking[0].action if asking else "clear"
    attested = bool(asking) and bool(getattr(asking[0], "attested", False))
    evidence = [each for one in behind for each in one.evidence]
    if not asking:
        evidence += _looked_at(findings, assessed)
    return ChecklistLine(
        in_words(topic).capitalize(),
        status(action, attested=attested) if asking else status("clear").replace("clear", "nothing found against it"),
        action,
        _reasons(asking),
        _cut((str(each) for each in words.of_evidence(evidence)), _ENTRIES),
        sorted({sentence for each in behind for sentence in each.cites}),
    )


def _looked_at(findings: Iterable[Finding], assessed: Assessment) -> tuple[Evidence, ...]:
    """Return the entries because of which rules do not hold, newest first."""
    facts, rules = assessed.facts, assessed.chart.label.rules
    tests = [when for each in findings if (when := rules[each.rule].when.get(assessed.chart.stage)) is not None]
    names = dict.fromkeys(name for when in tests for name in facts.behind(when))
    return shown([entry for name in names for entry in facts.known(name).evidence])


def _reasons(asking: Iterable[Finding | Due]) -> list[str]:
    """Return what a topic asks for, and what can't be told, each reason once with all that it concerns."""
    sure, unsure = [], dict[str, list[str]]()
    for each in asking:
        if each.state == "unknown" and each.why:
            unsure.setdefault(without_sources(each.why), []).append(each.tell.removesuffix(": can't be told"))
        else:
            sure.append(each.tell)
    return _cut([*sure, *(f"not known ({why}): {'; '.join(what)}" for why, what in unsure.items())], _REASONS)


def _cut(texts: Iterable[str], most: int) -> list[str]:
    """Return the first texts, each at most two lines long, and how many more there are."""
    unique = list(dict.fromkeys(texts))
    more = [f"and {len(unique) - most} more"] if unique[most:] else []
    return [clipped(each, _LETTERS) for each in unique[:most]] + more
