"""Records made at random for a label, near everything that may decide: edges of windows, ties, partial days, ends that
are not known, comparators, limits of zero or none, every status and certainty, answers, lists that can't be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import inf
from random import Random
from typing import TYPE_CHECKING, cast

from precaution.knowledge.computed_facts import Dose
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import Planned
from precaution.knowledge.model import Label
from precaution.knowledge.policy import Policy, applied
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.interval import Interval, exactly
from precaution.values.record import ANSWER, UNREADABLE, Entry, Kind, Record, in_order
from support.sql_comparison import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS: tuple[Kind, ...] = ("condition", "result", "procedure", "immunization", "medication", "order", "answer")
STATUSES = ("active", "ended", "planned", "held", "unknown", "preliminary", "final")
LIKELY = {
    "condition": ("active", "ended", "unknown"),
    "medication": ("active", "held", "ended", "planned", "unknown"),
    "order": ("planned",),
    "result": ("final", "final", "preliminary"),
    "procedure": ("final", "unknown"),
    "immunization": ("final", "unknown"),
    "answer": ("final",),
}
NUMBERS = (0.0, 0.5, 1.0, 1.2, 2.5, 3.0, 5.0, 8.0, 10.0, 40.0, 80.0, 1 / 3, 2.0000000005, 0.0009765625, 1e-13, 100.0)


class EdgeRecords:
    """Makes records for a label from one source of chance."""

    def __init__(self, label: Label, seed: int) -> None:
        self.label, self.chance = label, Random(seed)  # noqa: S311 - nothing is kept secret by it
        numbers = (each.value for each in label.parameters.values() if not isinstance(each.value, (bool, str)))
        self.days = sorted({0.0, 1.0, *(float(number) for number in numbers if number % 1 == 0 and number < 20_000)})
        self.facts = [fact for fact in label.facts.values() if fact.concepts()]
        self.today = 0
        self.odd = True
        """Whether this record is full of what can't be told; others are mostly plain, so that much is settled."""

    def asked(self, number: int) -> list[Asked]:
        """Return so many people."""
        return [self._one(f"p{each}") for each in range(number)]

    def _one(self, person: str) -> Asked:
        self.today = date(2025, 3, 1).toordinal() + self.chance.choice((0, 0, 1, -1, 366, -40_000))
        stage = cast("Stage | None", self.chance.choice((None, None, None, *STAGES)))
        return Asked(person, self._record(), self.today, stage)

    def _record(self) -> Record:
        self.odd = self._rarely(2)
        entries = [*self._of_drug(), *self._of_facts(), *self._of_answers(), *self._of_duties()]
        table: dict[str, list[Entry]] = {}
        for number, each in enumerate(entries):
            source = self.chance.choice(("a", "b", f"s{number}"))
            table.setdefault(each.concept, []).append(each._replace(source=source))
        some = self._some(("condition", "medication", "procedure", "immunization", "order", "result"))
        return Record(
            self._birth(),
            self._died(),
            {concept: tuple(sorted(each, key=in_order)) for concept, each in table.items()},
            frozenset(some),
            frozenset(self._some(some) if self._rarely(3) else ()),
            self._rarely(20),
            sex=self.chance.choice(("female", "male", "", "other")),
        )

    def _rarely(self, one_in: int) -> bool:
        return self.chance.randrange(one_in) == 0

    def _some(self, of: Sequence[str]) -> list[str]:
        share = self.chance.choice((0.0, 0.5, 1.0, 1.0))
        return [each for each in of if self.chance.random() < share]

    def _day(self) -> Interval | None:
        """A day near an edge of some window; perhaps a part of one, with an end that is not known, or none."""
        day = float(self.today - self.chance.choice(self.days) + self.chance.choice((0, 0, 0, -1, 1, -2, 15, 400)))
        match self.chance.randrange(14 if self.odd else 60):
            case 0:
                return None
            case 1:
                return Interval(day, day + self.chance.choice((1, 30, 365)))
            case 2:
                return Interval(day - self.chance.choice((1, 30, 365)), day)
            case 3:
                return self.chance.choice(
                    (Interval(-inf, day, True, False), Interval(day, inf, False, True), Interval(-inf, inf, True, True))
                )
            case 4:
                return exactly(float(self.today + self.chance.choice(self.days) + self.chance.choice((-1, 0, 1))))
            case _:
                return exactly(day)

    def _end(self, status: str) -> Interval | None:
        if not self._rarely(2 if status in ("ended", "active") else 3):
            return None
        edge = float(self.today - self.chance.choice(self.days) + self.chance.choice((0, 0, -1, 1)))
        return self.chance.choice(
            (exactly(float(self.today)), exactly(self.today + 1.0), exactly(edge), exactly(edge), self._day())
        )

    def _value(self) -> Interval | None:
        one, other = sorted(self.chance.sample(NUMBERS, 2))
        if not self.odd and not self._rarely(8):
            return exactly(one)
        return self.chance.choice(
            (
                None,
                exactly(one),
                exactly(other),
                exactly(self.chance.uniform(0, 4)),
                Interval(one, other),
                Interval(-inf, one, True, self._rarely(2)),
                Interval(other, inf, self._rarely(2), True),
                Interval(one, other, self._rarely(2), self._rarely(2)),
            )
        )

    def _entry(self, concept: str, kind: Kind) -> Entry:
        if self._rarely(25 if self.odd else 100):
            kind = self.chance.choice(KINDS)
        status = self.chance.choice(STATUSES if self._rarely(15) else LIKELY[kind])
        certainty = self.chance.choice(("certain",) * (6 if self.odd else 40) + ("suspected", "mentioned"))
        start = self._day()
        made = Entry(concept, kind, "", start, status=status, certainty=certainty, end=self._end(status))  # type: ignore[arg-type]
        if kind == "result":
            words = ("", "", "", "positive", "negative", "indeterminate") if self.odd else ("positive", "negative")
            made = made._replace(
                value=self._value(),
                upper=self.chance.choice((None, None, 0.5, 1.0, 3.0, 40.0, 1e-3)),
                result=self.chance.choice(words),
                end=None,
            )
        if start is None or self._rarely(8):
            made = made._replace(recorded=self._day())
        return made

    def _several(self, concepts: Sequence[str], kind: Kind, most: int = 5) -> Iterator[Entry]:
        made: list[Entry] = []
        for _ in range(self.chance.randint(0, most)):
            each = self._entry(self.chance.choice(concepts), kind)
            if made and self._rarely(3):
                other = self.chance.choice(made)
                each = each._replace(start=other.start, recorded=other.recorded)
            if made and self._rarely(10):
                each = self.chance.choice(made)
            made.append(each)
        yield from made

    def _of_drug(self) -> Iterator[Entry]:
        if self._rarely(2):
            yield from self._courses()
        elif not self._rarely(4):
            yield from self._several((self.label.therapy.drug,), "medication", 5)
        if self._rarely(6):
            yield from self._several((UNREADABLE["medication"],), "medication", 2)

    def _courses(self) -> Iterator[Entry]:
        """Courses of the drug one after the other, gaps just long enough or not between them, ended near an edge."""
        therapy = self.label.therapy
        grace, gap = (float(self.label.parameters[name].value) for name in (therapy.grace, therapy.gap))
        gaps = [edge + off for edge in (grace, gap) for off in (-1, 0, 1)] + [0.0, -5.0, 200.0]
        spans: list[tuple[float, float]] = []
        day = 0.0
        for _ in range(self.chance.randint(1, 5)):
            length = self.chance.choice((0.0, 10.0, 30.0, 120.0))
            spans.append((day, day + length))
            day += length + self.chance.choice(gaps)
        shift = self.today - spans[-1][1] - self.chance.choice((*gaps, -20.0))
        for first, last in spans:
            status = self.chance.choice(("active", "active", "ended", "ended", "held", "unknown"))
            made = Entry(therapy.drug, "medication", "", exactly(first + shift), status=status)  # type: ignore[arg-type]
            if not self._rarely(2 if status == "held" else 4):
                made = made._replace(end=exactly(last + shift))
            if self._rarely(12):
                made = made._replace(certainty="mentioned")
            yield made

    def _of_facts(self) -> Iterator[Entry]:
        for fact in self.chance.sample(self.facts, min(len(self.facts), self.chance.choice((2, 6, 12, 30)))):
            kind: Kind = "order" if isinstance(fact, Planned) and self._rarely(2) else _kind_of(fact)
            yield from self._several(fact.concepts(), kind)
            if isinstance(fact, Dose):
                for each in self._several(fact.places(), kind):
                    sort = self.chance.choice(("ordered", "ordered", "reported", "dispensed", "given"))
                    yield each._replace(value=self._value(), result=sort)
            if kind in UNREADABLE and self._rarely(6):
                yield from self._several((UNREADABLE[kind],), kind, 2)

    def _of_answers(self) -> Iterator[Entry]:
        for ask in self._some(tuple(self.label.asks)):
            words = (*self.label.asks[ask].answers, self.label.asks[ask].answers[0])
            for each in self._several((ANSWER + ask,), "answer", 2):
                yield each._replace(result=self.chance.choice(words))

    def _of_duties(self) -> Iterator[Entry]:
        for duty in self.label.duties.values():
            if duty.needs and self._rarely(3):
                for group in duty.needs:
                    yield from self._several(group, "result", 2)

    def _birth(self) -> Interval | None:
        years = self.chance.choice((18, 65, 65, 40, 90))
        born = self.chance.choice((date.fromordinal(self.today).year - years, 1960, 1936))
        day = self.chance.choice(
            (
                date(born, 3, 1),
                date(born, 2, 28),
                date(born, 12, 31),
                date(born, 1, 1),
                date.fromordinal(self.today).replace(year=born),
                *([date(born, 2, 29)] if born % 4 == 0 and born % 100 else []),
            )
        )
        day += timedelta(days=self.chance.choice((0, 0, 1, -1)))
        low = float(day.toordinal())
        return self.chance.choice(
            (
                None,
                exactly(low),
                exactly(low),
                exactly(low),
                Interval(low, low + 364),
                Interval(low, low + 27),
                exactly(self.today + 5.0),
            )
        )

    def _died(self) -> Interval | None:
        if not self._rarely(25):
            return None
        today = float(self.today)
        return self.chance.choice(
            (exactly(today), exactly(today + 1), Interval(-inf, inf, True, True), Interval(today - 3, today + 3))
        )


def _kind_of(fact: Fact) -> Kind:
    kind = getattr(fact, "list", None)
    return (
        cast("Kind", kind)
        if kind
        else "condition"
        if hasattr(fact, "latest_of")
        else ("medication" if isinstance(fact, Planned) else "result")
    )


def other_policy(label: Label, seed: int) -> Label:
    """Return the label as a site with other choices has it."""
    chance = Random(seed)  # noqa: S311
    chosen: dict[str, object] = {}
    for name, parameter in label.parameters.items():
        value = parameter.value
        if parameter.choices:
            chosen[name] = chance.choice(parameter.choices)
        elif isinstance(value, bool):
            chosen[name] = chance.choice((True, False))
        elif isinstance(value, float) and chance.random() < 0.5:
            days = chance.choice((0, 1, value, value / 2 // 1, value * 2))
            chosen[name] = f"{days:.0f} days" if parameter.written.endswith("days") else days
    written = {name: int(each) if isinstance(each, str) and each.isdigit() else each for name, each in chosen.items()}
    parameters = applied(Policy(file="policy.toml", parameter=written), label.parameters)
    return replace(label, parameters=parameters, digest=f"{label.digest} {seed}")
