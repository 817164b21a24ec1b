"""Record -> facts: each fact of a label for one patient on one day, worked out when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.chart import Chart, Known, latest_of
from precaution.engine.compiled import compiled_label
from precaution.engine.evidence import searched
from precaution.knowledge.expression import Value
from precaution.knowledge.fact import Fact
from precaution.knowledge.model import Ask
from precaution.values.interval import Interval, show_number
from precaution.values.record import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.engine.answer import Searched
    from precaution.engine.duties import Scheduled
    from precaution.engine.findings import Judged
    from precaution.knowledge.expression import Expression
    from precaution.values.logic import Truth
    from precaution.values.record import Entry


class Facts(dict[str, Value]):
    """The facts, asks and parameters of a label for one chart, by name.

    As a dictionary it holds their values, each worked out when first asked for; `known` says more of each.
    """

    __slots__ = ("chart", "compiled", "details", "judged", "scheduled")

    def __init__(self, chart: Chart) -> None:
        """Work out nothing yet."""
        self.chart = chart
        self.compiled = compiled_label(chart.label, chart.stage)
        self.details: dict[str, Known] = {}
        """All that is known of each fact that was asked for."""
        self.judged: dict[str, Judged | None] = {}
        """What each rule that was asked for comes to (`precaution.engine.findings`)."""
        self.scheduled: dict[str, Scheduled | None] = {}
        """What each duty that was asked for comes to (`precaution.engine.duties`)."""
        super().__init__()

    def __missing__(self, name: str) -> Value:
        """Work out a value."""
        compiled = self.compiled
        value: Value
        if name in compiled.derived:
            value = self[name] = compiled.derived[name].test(self)
            return value
        look = compiled.looks.get(name)
        known = self.details[name] = look(self.chart) if look is not None else self._said(name)
        value = self[name] = known.value
        return value

    def _said(self, name: str) -> Known:
        """Return what is known of an ask or a parameter."""
        compiled = self.compiled
        return self._answered(compiled.asks[name]) if name in compiled.asks else compiled.parameters[name]

    def known(self, name: str) -> Known:
        """Return all that is known of a fact, an ask or a parameter."""
        known = self.details.get(name)
        if known is None:
            self[name]
            known = self.details.get(name)
            if known is None:
                known = self.details[name] = self._derived(name)
        return known

    def recorded(self, name: str) -> bool:
        """Whether the record holds any entry that the fact or ask looks at."""
        return self.known(name).considered > 0

    def searched(self, name: str) -> tuple[Searched, ...]:
        """Return what a fact looked for; nothing for an ask."""
        search = self.compiled.searches.get(name)
        return () if search is None else searched(search, self.chart)

    def test(self, expression: Expression) -> Truth:
        """Return what an expression of the label comes to."""
        return self.compiled.expression(expression).test(self)

    def behind(self, *expressions: Expression) -> tuple[str, ...]:
        """Return the facts and asks that make the expressions what they are."""
        if len(expressions) == 1:
            return self.basics(self.compiled.expression(expressions[0]).decider(self))
        return self.basics([name for each in expressions for name in self.compiled.expression(each).decider(self)])

    def basic(self, name: str) -> tuple[str, ...]:
        """Return the facts and asks behind `name` that make it what it is: itself, or for a derived fact those."""
        derived = self.compiled.derived.get(name)
        if derived is not None:
            return self.basics(derived.decider(self))
        return () if name in self.compiled.parameters else (name,)

    def basics(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the facts and asks behind several names, each once."""
        if len(names) == 1:
            return self.basic(names[0])
        return tuple(dict.fromkeys([inner for name in names for inner in self.basic(name)]))

    def _derived(self, name: str) -> Known:
        value = self[name]
        if value is False:
            return Known(False, considered=1)
        behind = [self.known(each) for each in self.basic(name)]
        evidence = tuple(dict.fromkeys(entry for known in behind for entry in known.evidence))
        why = next((known.why for known in behind if known.why), "") if value is None else ""
        since = latest_of(known.since for known in behind if known.since is not None)
        return Known(value, evidence, why, 1, since)

    def _answered(self, ask: Ask) -> Known:
        """Return the latest answer, as true or false or as its word; one that no longer counts is unknown."""
        own = self.chart.past.get(ANSWER + ask.name, ())
        answers = [(day, entry) for entry in own if (day := entry.start) is not None]
        if not answers:
            return Known(None, why="not answered")
        newest = max([day[0] for day, _ in answers])
        latest = tuple([entry for day, entry in answers if day[1] >= newest])
        word = latest[0].result
        if any(entry.result != word for entry in latest):
            return Known(None, latest, "answered differently on days that may be the same", len(answers))
        if not word:
            return Known(None, latest, latest[0].note or "the answer can't be read", len(answers))
        void = self._void(ask, word, newest, latest)
        if void:
            return Known(None, latest, void, len(answers), latest[0].start)
        value: Value = word == "yes" if set(ask.answers) <= {"yes", "no"} else word
        return Known(value, latest, "", len(answers), latest[0].start)

    def _void(self, ask: Ask, word: str, day: float, answers: Iterable[Entry]) -> str:
        """Return why a reassuring answer no longer counts, or nothing. Other answers stand.

        An answer with an end counts until then, and no longer than the label's folder says.
        """
        if word not in ask.reassures:
            return ""
        if all(entry.end is not None and entry.end.high < self.chart.today for entry in answers):
            return "the answer was given for a time that is over"
        if ask.valid and day < self.chart.today - self.chart.number(ask.valid):
            return f"the answer is older than {self.chart.number(ask.valid):.0f} days"
        newer = next((each for each in ask.about if self._newer(each, day)), None)
        return f"answered before something new: {self.title(newer)}" if newer else ""

    def _newer(self, name: str, day: float) -> bool:
        """Whether there is evidence (for something true or in doubt) that may be newer than an answer."""
        if self[name] is False:
            return False
        since = self.known(name).since
        return since is not None and since[1] > day

    def why(self, name: str) -> str:
        """Return why a fact or an ask that something depends on does not settle it; empty for a truth or a word."""
        known = self.known(name)
        value = known.value
        if isinstance(value, Interval) and not value.exact and not known.why:
            return f"{show_number(value)} is on both sides of the limit"
        return known.why

    def title(self, name: str) -> str:
        """Return how people call a fact, an ask or a parameter."""
        definition = self.compiled.names[name]
        if isinstance(definition, Fact):
            return definition.title
        return definition.question if isinstance(definition, Ask) else definition.name
