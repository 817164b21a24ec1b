"""Records of anything a label knows, put together at random: most are of no patient, and all must be decided alike."""

from __future__ import annotations

from math import inf
from random import Random

from precaution.knowledge.model import Label
from precaution.values.interval import EVERYTHING, Interval, above, below, exactly
from precaution.values.record import UNREADABLE, Entry, Ignored, Kind, Record, Status, Unrecognised, in_order

STATUSES: dict[Kind, tuple[Status, ...]] = {
    "condition": ("active", "ended", "unknown"),
    "medication": ("active", "held", "ended", "planned", "unknown"),
    "order": ("planned",),
    "result": ("final", "final", "preliminary"),
    "procedure": ("final", "unknown"),
    "immunization": ("final", "unknown"),
    "answer": ("final",),
}
KINDS: tuple[Kind, ...] = ("condition", "result", "procedure", "immunization", "medication", "order")
BEGINNINGS: dict[str, Kind] = {
    "lab_": "result",
    "drug_": "medication",
    "vaccine": "immunization",
    "smoking": "result",
    "skin_ex": "procedure",
    "major_": "procedure",
    "tb_screening": "procedure",
}
NUMBERS = (0.1, 0.4, 0.5, 0.8, 1, 1.2, 2, 5, 7.9, 8, 10, 12, 39, 40, 41, 60, 100, 200, 0, 30)


class AnyRecord:
    """Makes records of a label, of about a day."""

    def __init__(self, label: Label, day: int) -> None:
        self.label, self.day = label, day
        needed = {concept for duty in label.duties.values() for group in duty.needs for concept in group}
        looked_at = {concept for fact in label.facts.values() for concept in fact.concepts()}
        self.concepts = sorted(needed | looked_at | set(UNREADABLE.values()) | {label.therapy.drug})
        self.results = [name for name in self.concepts if name.startswith("lab_")]

    def made(self, seed: int, mark: str = "") -> Record:
        """Return the record of a number; `mark` stands in every text that a record may hold."""
        return _One(self, Random(seed), mark).record()  # noqa: S311 - made-up data


class _One:
    def __init__(self, of: AnyRecord, dice: Random, mark: str) -> None:
        self.of, self.dice, self.mark = of, dice, mark
        self.number = 0

    def record(self) -> Record:
        dice, of = self.dice, self.of
        pool = dice.sample(of.concepts, dice.randint(1, len(of.concepts)))
        found = [self.entry(dice.choice(pool)) for _ in range(dice.choice((0, 1, 3, 8, 20, 60)))]
        if dice.random() < 0.6:
            found += [self.entry(of.label.therapy.drug) for _ in range(dice.randint(1, 3))]
        if dice.random() < 0.5:
            found += [self.entry(name) for name in dice.sample(of.results, 6) for _ in range(dice.randint(0, 4))]
        found += self.answers()
        table: dict[str, list[Entry]] = {}
        for each in found:
            table.setdefault(each.concept, []).append(each)
        lists = ("condition", "medication", "procedure", "immunization", "result", "order")
        return Record(
            self.birth(),
            None,
            {name: tuple(sorted(own, key=in_order)) for name, own in table.items()},
            frozenset(name for name in lists if dice.random() < 0.7),
            frozenset(name for name in lists[:3] if dice.random() < 0.1),
            dice.random() < 0.03,
            tuple(Ignored(f"{self.mark}x/{n}", "why") for n in range(dice.choice((0, 1, 2)))),
            (Unrecognised(f"{self.mark}u/1", "s", "c", "w"),) * dice.choice((0, 1)),
        )

    def birth(self) -> Interval | None:
        about_65 = self.of.day - 365 * 65
        return self.dice.choice(
            [
                None,
                exactly(self.of.day - self.dice.randint(10, 40000)),
                Interval(about_65 - 100, about_65 + 200),
                exactly(self.of.day + 5),
            ]
        )

    def answers(self) -> list[Entry]:
        asks = sorted(self.of.label.asks)
        chosen = self.dice.sample(asks, self.dice.choice((0, 0, 2, 5, len(asks))))
        return [self.answer(name) for name in chosen for _ in range(self.dice.choice((1, 1, 2)))]

    def answer(self, name: str) -> Entry:
        word = self.dice.choice(self.of.label.asks[name].answers)
        source = f"{self.mark}QuestionnaireResponse/{self.dice.randint(0, 9)}"
        until = self.some_day() if self.dice.random() < 0.3 else None
        return Entry(f"ask:{name}", "answer", source, self.some_day(), until, result=word, says=self.mark + "answered")

    def entry(self, concept: str) -> Entry:
        dice, kind = self.dice, self.kind(concept)
        result = kind == "result"
        self.number += 1
        return Entry(
            concept,
            kind,
            f"{self.mark}{kind}/{self.number}",
            self.some_day(),
            self.some_day() if kind in ("condition", "medication") and dice.random() < 0.5 else None,
            dice.choice(STATUSES[kind]),
            dice.choice(("certain",) * 8 + ("suspected", "mentioned")),  # type: ignore[arg-type]
            self.value() if result else None,
            dice.choice((None, None, 40.0, 4.0)) if result else None,
            dice.choice(("", "positive", "negative", "negative", "indeterminate", "yes")) if result else "",
            dice.choice(("", self.mark + "said")),
            dice.choice(("", "", self.mark + "noted")),
            self.some_day() if dice.random() < 0.2 else None,
        )

    def kind(self, concept: str) -> Kind:
        if self.dice.random() < 0.04:
            return self.dice.choice(KINDS)
        unreadable = {name: kind for kind, name in UNREADABLE.items()}
        if concept in unreadable:
            return unreadable[concept]  # type: ignore[return-value]
        if concept.endswith("_procedure"):
            return "procedure"
        return next((kind for begins, kind in BEGINNINGS.items() if concept.startswith(begins)), "condition")

    def some_day(self) -> Interval | None:
        dice, sort = self.dice, self.dice.random()
        day = self.of.day - int(dice.expovariate(1 / 200)) + dice.choice((0, 0, 0, 0, 20, -28, -84, -365))
        if sort < 0.75:
            return exactly(day)
        if sort < 0.87:
            return Interval(day, day + dice.choice((1, 27, 364)))
        if sort < 0.89:
            return Interval(-inf, day, low_open=True)
        return EVERYTHING if sort < 0.91 else None

    def value(self) -> Interval | None:
        dice, sort = self.dice, self.dice.random()
        number = dice.choice(NUMBERS)
        if sort < 0.1:
            return None
        if sort < 0.8:
            return exactly(number)
        if sort < 0.9:
            return below(number) if sort < 0.85 else above(number, inclusive=True)
        return Interval(number, number + dice.choice((0.1, 5))) if sort < 0.95 else EVERYTHING
