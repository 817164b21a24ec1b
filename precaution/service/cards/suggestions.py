"""What a card offers to do: order the tests that would settle something, or answer a question of the label.

An order is a draft ServiceRequest for each test, coded in LOINC; nothing else is ever created. An answer is a
suggestion without an action: taking it up is the answer, and comes back as feedback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from precaution.knowledge.expression import names, spoken
from precaution.service.cards.vocabulary import LOINC
from precaution.writers.layout import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.engine.answer import Decision, OpenAsk
    from precaution.engine.facts import Facts
    from precaution.knowledge.model import Duty, Label
    from precaution.service.cards.tiers import TierContent
    from precaution.service.cards.vocabulary import LabTest, OrderSet, Vocabulary
    from precaution.values.record import Record

_MOST_ASKED = 2
"""Questions on one card: more are on the page."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggestion, and which answer it stands for."""

    suggestion: dict[str, Any]
    ask: str = ""
    answer: str = ""

    @property
    def uuid(self) -> str:
        """The suggestion's uuid."""
        return str(self.suggestion["uuid"])


@dataclass(frozen=True, slots=True)
class OrderOffers:
    """What cards may offer to order for one patient."""

    vocabulary: Vocabulary
    record: Record
    facts: Facts
    patient: str

    def of(self, content: TierContent, decision: Decision, ordered: set[str]) -> Iterator[Suggestion]:
        """Yield orders for what a card says is due or not known, that no other card offers and that is not ordered yet.

        `ordered`: the names of those that other cards offer; what is yielded is added.
        """
        rules = {each.rule for each in content.findings if each.state == "unknown"}
        wanted = {each.fact for each in decision.missing if rules.intersection(each.needed_by)}
        wanted |= {each.duty for each in content.due if each.state in ("due", "overdue", "unknown")}
        lacking = {each.duty: each.lacking for each in content.due}
        for order in self.vocabulary.orders:
            settled = wanted & order.settles
            if order.name in ordered or not settled or not self._has_reason(order):
                continue
            needed = self._needed(order, settled, lacking)
            if tests := [test for test in needed if not _is_ordered(test, self.record)]:
                ordered.add(order.name)
                yield Suggestion(self._suggestion(order, tests))

    def _has_reason(self, order: OrderSet) -> bool:
        return order.only_where is None or self.facts.test(order.only_where) is True

    def _needed(
        self, order: OrderSet, settled: set[str], lacking: Mapping[str, tuple[str, ...]]
    ) -> tuple[LabTest, ...]:
        """Return the tests of an order that would settle something; all where it can't be told which."""
        names: set[str] = set()
        for name in settled:
            names |= self._concepts([name] if name in self.facts.chart.label.facts else lacking.get(name, ()))
        return tuple(test for test in order.tests if test.concept in names) or order.tests

    def _concepts(self, lacking: Iterable[str]) -> set[str]:
        """Return the code lists behind what is lacking: code lists themselves, or facts by name or title."""
        label, found = self.facts.chart.label, set[str]()
        for name in lacking:
            facts = [each for key, each in label.facts.items() if name in (key, each.title)]
            found.update(concept for each in facts for concept in each.concepts())
            found.add(name)
        return found

    def _suggestion(self, order: OrderSet, tests: list[LabTest]) -> dict[str, Any]:
        titles = [self.vocabulary.title(test.concept) for test in tests]
        return {
            "label": f"Order: {order.title if len(tests) == len(order.tests) else listed(titles)}",
            "uuid": str(uuid4()),
            "isRecommended": True,
            "actions": [
                {"type": "create", "description": f"Order {test.display}", "resource": _request(test, self.patient)}
                for test in tests
            ],
        }


def _is_ordered(test: LabTest, record: Record) -> bool:
    return any(entry.kind == "order" for entry in record.entries.get(test.concept, ()))


def _request(test: LabTest, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": test.code, "display": test.display}]},
        "subject": {"reference": f"Patient/{patient}"},
    }


def asked_of(content: TierContent, decision: Decision, label: Label, answered: set[str]) -> Iterator[Suggestion]:
    """Yield the answers to questions that would settle or soften what a card says, if no other card asks them."""
    wanted = {label.rules[each.rule].attest for each in content.findings if not each.attested} - {""}
    duties = [label.duties[each.duty] for each in content.due if each.duty in label.duties]
    wanted |= {ask for duty in duties for ask in _settling(duty, label)}
    urgent = {cite for each in content.findings if each.urgent for cite in each.cites}
    wanted |= {each.ask for each in decision.asks if content.tier == "info" or urgent.intersection(each.cites)}
    wanted = {name for name in wanted - answered if not label.asks[name].day}  # one click can't tell another day
    asks = [each for each in decision.asks if each.ask in wanted and each.answered is None]
    for ask in asks[:_MOST_ASKED]:
        answered.add(ask.ask)
        for answer in label.asks[ask.ask].answers:
            yield _answer(ask, answer)


def _settling(duty: Duty, label: Label) -> set[str]:
    """Return the questions of which an answer shows that a duty is done."""
    named = set(names(duty.done_when)) if duty.done_when is not None else set()
    return {ask for ask in label.asks if ask == duty.ask or spoken(ask) in named}


def _answer(ask: OpenAsk, answer: str) -> Suggestion:
    suggestion = {
        "label": f"Answer {answer}: {ask.question}",
        "uuid": str(uuid4()),
        "isRecommended": False,
    }
    return Suggestion(suggestion, ask.ask, answer)
