"""What is to be done for a patient, in words: "order neutrophils", "answer A3: ...", "find out: ...".

The words are the label's own: titles of its code lists, duties and facts, and its questions. What can be ordered is
what `cards.toml` has an order for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.writers.layout import listed
from precaution.writers.text import next_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.clinic.worklist import Undone
    from precaution.engine.answer import Decision, Due, Missing
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import OrderSet, Vocabulary

_PRESCRIBERS = frozenset({"screen", "obtain", "due", "clear", "caution"})
"""Actions that say nothing to do by themselves: what is behind them does."""
_OPEN = ("overdue", "due", "unknown")
_FEW = 3


class StepWords:
    """Says what is to be done, in the words of a label."""

    def __init__(self, label: Label, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._orders = {thing: order for order in vocabulary.orders for thing in order.settles}
        self._concepts = {name: frozenset(_concepts(fact)) for name, fact in label.facts.items()}

    def steps(self, action: str, *, attested: bool, undone: Undone | Decision) -> list[str]:
        """Return what is to be done, what weighs most first; never nothing."""
        urgent = any(each.urgent and each.state != "no" for each in undone.findings)
        first = "urgent: see the patient now" if urgent else ""
        acts = "" if action in _PRESCRIBERS else next_words(action, attested=attested)
        steps = [first, acts, self._ordered(action, undone), *_watched(action, undone, self._orders)]
        steps += [*self._found_out(action, undone), *_answered(action, undone)]
        done = [each for each in dict.fromkeys(steps) if each]
        return done or [next_words(action, attested=attested)]

    def settles(self, missing: Missing) -> str:
        """Return what makes a fact known that is missing."""
        order = self._orders.get(missing.fact)
        return f"order {listed(self._tests(missing.fact, order))}" if order else ""

    def _ordered(self, action: str, undone: Undone | Decision) -> str:
        """Return one order of all the tests that are lacking, each once."""
        tests = [
            self._title(each) for due in _open(action, undone.due) if due.duty in self._orders for each in due.lacking
        ]
        tests += [
            test
            for each in _needed(action, undone)
            if (order := self._orders.get(each.fact))
            for test in self._tests(each.fact, order)
        ]
        wanted = list(dict.fromkeys(tests))
        return f"order {listed(wanted)}" if wanted else ""

    def _tests(self, fact: str, order: OrderSet) -> list[str]:
        own = [test.concept for test in order.tests if test.concept in self._concepts.get(fact, ())]
        return [self._title(each) for each in own or [test.concept for test in order.tests]]

    def _title(self, name: str) -> str:
        return lowered(self._vocabulary.titles.get(name, name.replace("_", " ")))

    def _found_out(self, action: str, undone: Undone | Decision) -> Iterator[str]:
        titles = [each.title for each in _needed(action, undone) if each.fact not in self._orders]
        wanted = list(dict.fromkeys(titles))
        if wanted:
            shown = wanted if len(wanted) <= _FEW else wanted[: _FEW - 1]
            more = f" and {len(wanted) - len(shown)} more" if wanted[len(shown) :] else ""
            yield f"find out: {'; '.join(shown)}{more}"


def lowered(title: str) -> str:
    """Return a title as it stands in a sentence: an abbreviation stays as it is."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _open(action: str, due: Iterable[Due]) -> list[Due]:
    """Return the duties that are to be done now; where it is not known whether, only those behind the action."""
    return [d for d in due if d.state in _OPEN and d.action and (d.state != "unknown" or d.action == action)]


def _watched(action: str, undone: Undone | Decision, orders: Iterable[str]) -> list[str]:
    """Return duties that are no orders, as the label calls them."""
    return [lowered(each.tell) for each in _open(action, undone.due) if each.duty not in orders or not each.lacking]


def _needed(action: str, undone: Undone | Decision) -> list[Missing]:
    """Return the facts that stand behind the action and can't be told."""
    behind = {each.rule for each in undone.findings if each.state == "unknown" and each.action == action}
    behind |= {each.duty for each in undone.due if each.state == "unknown" and each.action == action}
    return [each for each in undone.missing if behind.intersection(each.needed_by) or not each.needed_by]


def _answered(action: str, undone: Undone | Decision) -> Iterator[str]:
    """Yield the questions that are open, where they may change the action."""
    asks = [each for each in undone.asks if each.answered is None]
    if asks and action not in ("clear", "caution", "discontinue"):
        more = f" and {len(asks) - 1} more" if asks[1:] else ""
        yield f"answer {asks[0].number}: {asks[0].question}{more}"


def _concepts(fact: object) -> Iterator[str]:
    for name in ("latest", "extreme", "test"):
        yield from getattr(fact, name, ())
