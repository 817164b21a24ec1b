"""A decision -> CDS Hooks cards: at most one a tier, with what may be ordered or answered, and where more stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from precaution.service.cards.suggestions import OrderOffers, Suggestion, asked_of
from precaution.service.cards.tiers import TierContent, by_tier
from precaution.service.cards.vocabulary import reasons
from precaution.service.cards.wording import clipped, escaped, without_sources
from precaution.service.clinician_answers import PROMISED
from precaution.writers.layout import CLEAR, NOTE, counted, in_words, listed, status
from precaution.writers.text import stage_heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.engine.answer import Decision, Due, Finding
    from precaution.engine.facts import Facts
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.cards.wording import Words
    from precaution.values.record import Record

LONGEST = 139
"""Characters of a summary: the specification wants fewer than 140."""
_MOST_EVIDENCE, _MOST_NAMED = 5, 3
"""Entries, and parameters, that are shown of one finding; the page shows all."""
_WHOLE = "warnings-and-precautions"
_TOPIC_SYSTEM = "urn:precaution:topic"

Card = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BuiltCard:
    """A card as it is sent, and what it is made of."""

    card: Card
    content: TierContent
    offered: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class CardBuilder:
    """Makes the cards of one decision."""

    decision: Decision
    label: Label
    vocabulary: Vocabulary
    words: Words
    record: Record
    patient: str
    facts: Facts
    """What the decision was made of."""
    page: str = ""
    """Address of the decision's page."""
    about: str = ""
    """Address of the page about the label."""

    def cards(self, notes: tuple[str, ...] = ()) -> list[BuiltCard]:
        """Return the cards. `notes`: what else is not known."""
        drafted = frozenset(each.rule for each in self.decision.findings if self.words.is_drafted(each))
        found = by_tier(self.decision, drafted, notes)
        ordered = set[str]()
        answered = set[str]()
        return [self._card(content, ordered, answered) for content in found]

    def _card(self, content: TierContent, ordered: set[str], answered: set[str]) -> BuiltCard:
        offered = [
            *OrderOffers(self.vocabulary, self.record, self.facts, self.patient).of(content, self.decision, ordered),
            *asked_of(content, self.decision, self.label, answered),
        ]
        system, published = reasons()
        card: Card = {
            "uuid": str(uuid4()),
            "summary": self._summary(content),
            "detail": self._detail(content),
            "indicator": content.tier,
            "source": self._source(content),
        }
        if offered:
            card["suggestions"] = [each.suggestion for each in offered]
            card["selectionBehavior"] = "at-most-one" if any(each.ask for each in offered) else "any"
        card["overrideReasons"] = [{"code": each.code, "system": system, "display": each.display} for each in published]
        if self.page:
            card["links"] = [{"label": "The whole decision, with all evidence", "url": self.page, "type": "absolute"}]
        return BuiltCard(card, content, tuple(offered))

    def _source(self, content: TierContent) -> dict[str, object]:
        topics = {self._topic(each.rule) for each in content.findings} | {
            self._topic(each.duty) for each in content.due
        }
        topic = topics.pop() if len(topics) == 1 else _WHOLE
        source: dict[str, object] = {
            "label": f"{self.label.title} label {self.label.version}, as read by precaution",
            "topic": {"system": _TOPIC_SYSTEM, "code": topic, "display": in_words(topic)},
        }
        return {**source, "url": self.about} if self.about else source

    def _topic(self, name: str) -> str:
        named = self.label.rules.get(name) or self.label.duties.get(name.removeprefix(PROMISED))
        return named.topic if named is not None else _WHOLE

    def _summary(self, content: TierContent) -> str:
        return clipped(f"{self.label.title}: {self._main(content)}", LONGEST)

    def _main(self, content: TierContent) -> str:
        holding = [each for each in content.findings if each.state == "holds"]
        if content.tier != "info" and holding:
            first = holding[0]
            more = len(holding) + len(content.due) - 1
            rest = f" (and {more} more)" if more else ""
            action = in_words(first.action, attested=first.attested)
            return clipped(f"{action}. {first.tell}", LONGEST - len(self.label.title) - 2 - len(rest)) + rest
        return listed(self._counts(content))

    def _counts(self, content: TierContent) -> list[str]:
        unknown = sum(each.state == "unknown" for each in content.findings) + len(content.missing) + len(content.notes)
        unknown += sum(each.state == "unknown" for each in content.due)
        holding = sum(each.state == "holds" for each in content.findings)
        overdue = sum(each.state == "overdue" for each in content.due)
        before = sum(each.action == "screen" and each.state == "due" for each in content.due)
        due = sum(each.state in ("due", "upcoming") for each in content.due) - before
        counts = (
            (counted(overdue, "thing") + " overdue", overdue),
            (counted(before, "thing") + " to do before the start", before),
            (counted(holding, "caution"), holding),
            (counted(due, "thing") + " due", due),
            (counted(unknown, "thing") + " not known", unknown),
        )
        resumes = ["treatment may resume, every hold is released"] if content.released else []
        return resumes + [text for text, count in counts if count]

    def _detail(self, content: TierContent) -> str:
        return "\n".join(self._lines(content))

    def _lines(self, content: TierContent) -> Iterator[str]:
        decision = self.decision
        stage = stage_heading(decision, self.label.title)
        verdict = status(decision.action, attested=decision.attested)
        yield f"**{escaped(stage)}: {escaped(verdict)}** as of {decision.today}"
        yield ""
        if any(each.urgent for each in content.findings):
            yield f"**{escaped(self._acute())}**"
            yield ""
        for hold in content.released:
            yield f"- **{escaped(CLEAR + ' hold released')}** {escaped(hold.tell)}"
            for each in self.words.of_evidence(hold.evidence)[:_MOST_EVIDENCE]:
                yield f"  - {escaped(str(each))}"
        yield from self._unknown(content)
        for finding in content.findings:
            if not self._is_grouped(finding):
                yield from self._finding(finding)
        for due in content.due:
            yield from self._due(due)
        for missing in content.missing:
            yield f"- {escaped(f'? {missing.title}: {without_sources(missing.why)}')}"
        for note in content.notes:
            yield f"- {escaped('? ' + note)}"
        yield ""
        yield f"*{escaped(NOTE)}*"

    def _is_grouped(self, finding: Finding) -> bool:
        """Whether a finding shares a line with others: it can't be told, and nothing on record speaks of it."""
        return finding.state == "unknown" and not finding.evidence and not finding.urgent

    def _unknown(self, content: TierContent) -> Iterator[str]:
        """Tell together what can't be told for one and the same reason."""
        groups: dict[str, list[str]] = {}
        for finding in filter(self._is_grouped, content.findings):
            title = f"{self.label.rules[finding.rule].title} ({' '.join(finding.cites)})"
            groups.setdefault(without_sources(finding.why), []).append(title)
        for why, titles in groups.items():
            text = f"can't be told: {'; '.join(titles)}" + (f". Why: {why}" if why else "")
            yield f"- **{escaped(status('unknown'))}** {escaped(text)}"

    def _acute(self) -> str:
        use = self.label.about.get("intended-use")
        return str(use.get("emergencies", "")) if isinstance(use, dict) else ""

    def _finding(self, finding: Finding) -> Iterator[str]:
        shown = status("unknown" if finding.state == "unknown" else finding.action, attested=finding.attested)
        tell = f"{finding.tell}. {without_sources(finding.why)}" if finding.why else finding.tell
        yield f"- **{escaped(shown)}** {escaped(tell)}{self._local(finding.parameters, finding.ours)}"
        if finding.state == "holds":
            yield from self._sentences(finding.cites)
        else:
            yield f"  - {escaped('Sentences ' + ' '.join(finding.cites))}"
        entries = self.words.of_finding(finding)
        for each in entries[:_MOST_EVIDENCE]:
            yield f"  - {escaped(str(each))}"
        if len(entries) > _MOST_EVIDENCE:
            yield f"  - and {counted(len(entries) - _MOST_EVIDENCE, 'more entry', 'more entries')}"
        release = next((each.release for each in self.decision.holds if each.rule == finding.rule), "")
        if release:
            yield f"  - {escaped('May resume when: ' + release)}"

    def _sentences(self, cites: tuple[str, ...]) -> Iterator[str]:
        for name in cites:
            yield f"  - {escaped(f'{name}: {self.label.says[name].means}')}"

    def _due(self, due: Due) -> Iterator[str]:
        when = f", due {due.due}" if due.due and due.state != "unknown" else ""
        late = f", overdue after {due.overdue_after}" if due.overdue_after and due.state != "unknown" else ""
        lacking = f"; lacking {listed(self._called(each) for each in due.lacking)}" if due.lacking else ""
        why = f". {without_sources(due.why)}" if due.why else ""
        text = f"{due.tell}{when}{late}{lacking}{why}"
        shown = due.action if due.action == "screen" and due.state == "due" else due.state
        yield f"- **{escaped(status(shown))}** {escaped(text)}{self._local(due.parameters, due.ours)}"
        yield from self._sentences(due.cites)
        for each in self.words.of_evidence(due.evidence)[:_MOST_EVIDENCE]:
            yield f"  - {escaped(f'Last: {each}')}"

    def _called(self, name: str) -> str:
        return self.vocabulary.titles.get(name, name)

    def _local(self, parameters: tuple[str, ...], ours: str) -> str:
        """Say what rests on local policy and not on the label."""
        if ours:
            return f" {escaped('[not the label: ' + ours + ']')}"
        if not parameters:
            return ""
        more = f" and {len(parameters) - _MOST_NAMED} more" if len(parameters) > _MOST_NAMED else ""
        return f" {escaped('[local policy, not in the label: ' + ', '.join(parameters[:_MOST_NAMED]) + more + ']')}"


def unable(label: Label, notes: tuple[str, ...]) -> BuiltCard:
    """Return the card that says that there is no decision. `notes`: what can't be told, and why."""
    lines = [
        f"**{escaped(f'{label.title}: the assessment is incomplete')}**",
        "",
        *(f"- {escaped('? ' + note)}" for note in notes),
        "",
        f"*{escaped(NOTE)}*",
    ]
    card: Card = {
        "uuid": str(uuid4()),
        "summary": clipped(f"{label.title}: assessment incomplete: {notes[0]}", LONGEST),
        "detail": "\n".join(lines),
        "indicator": "info",
        "source": {
            "label": f"{label.title} label {label.version}, as read by precaution",
            "topic": {"system": _TOPIC_SYSTEM, "code": "incomplete", "display": "assessment incomplete"},
        },
    }
    return BuiltCard(card, TierContent("info", notes=notes), ())
