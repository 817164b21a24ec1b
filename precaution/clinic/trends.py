"""The timeline of a patient: where points, ranges, limits and treatment stand in small pictures of one size.

Coordinates only: the template writes them as SVG. Days and values that are not exact become ranges; what has no usable
value is drawn at the foot, and said in the table.
"""

from __future__ import annotations

from datetime import date
from math import floor, inf, isfinite, log10
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import day_of
from precaution.measures.exposure import exposure
from precaution.service.cards.wording import unit, without_sources
from precaution.values.interval import Interval, show_day, show_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.clinic.settings import ClinicSettings, ResultChart
    from precaution.engine.answer import Hold
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.values.record import Entry, Record

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 360, 150, 44, 12, 12, 26
_MONTH = 30.4375
SPANS = {"6": 183, "12": 366, "all": 0}
"""What may be asked for, in months, and the days it stands for; 0 for the whole record."""
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000)


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    text: str


class Point(NamedTuple):
    """A result: a point where day and value are exact, else a line over all that they may be."""

    x1: float
    x2: float
    y1: float
    y2: float
    exact: bool
    usable: bool
    preliminary: bool
    text: str


class LimitLine(NamedTuple):
    """A limit of the label."""

    y: float
    text: str


class Bar(NamedTuple):
    """Days in a row."""

    x: float
    width: float
    sure: bool
    text: str


class TrendChart(NamedTuple):
    """One small picture."""

    name: str
    title: str
    unit: str
    points: list[Point]
    limits: list[LimitLine]
    ticks: list[Tick]
    summary: str
    """What it shows, for who can't see it."""


class EventLane(NamedTuple):
    """A line of the picture of treatment and events."""

    title: str
    y: float
    bars: list[Bar]


class TimelineView(NamedTuple):
    """The timeline of a patient over some time."""

    span: str
    first: str
    last: str
    months: list[Tick]
    lanes: list[EventLane]
    height: float
    treatment: list[Bar]
    charts: list[TrendChart]
    days: list[tuple[str, list[str]]]
    """The results as a table: a day, and what each chart has of it."""
    events: list[tuple[str, str, str, str, str]]
    """Treatment and events as a table: from, to, what, how it is recorded, the source."""


class TimelineMaker:
    """Makes the timeline of one patient on one day."""

    def __init__(
        self, record: Record, label: Label, settings: ClinicSettings, vocabulary: Vocabulary, today: int, span: str
    ) -> None:
        self._record, self._label, self._settings, self._vocabulary = record, label, settings, vocabulary
        self._today, self._span = today, span
        self._first = self._begin()
        self._days = max(today - self._first, 1)

    def made(self, holds: Sequence[Hold]) -> TimelineView:
        """Return the timeline. `holds`: those of the decision."""
        treatment = self._treatment()
        lanes = self._lanes(treatment, holds)
        charts = [self._chart(name, chart) for name, chart in self._settings.charts.items()]
        return TimelineView(
            self._span,
            _iso(self._first),
            _iso(self._today),
            self._months(),
            lanes,
            len(lanes) * 30 + FOOT + 4,
            treatment,
            charts,
            self._table(),
            self._events(),
        )

    # The axis of days

    def _begin(self) -> int:
        if SPANS[self._span]:
            return self._today - SPANS[self._span]
        days = [day.low for each in self._shown() if (day := day_of(each)) is not None and isfinite(day.low)]
        return int(min([*days, self._today - 30]))

    def _shown(self) -> list[Entry]:
        """Return every entry that the timeline may show, up to today."""
        names = [self._label.therapy.drug, *(chart.concept for chart in self._settings.charts.values())]
        names += [each for mark in self._settings.marks.values() for each in mark.concepts]
        found = [each for name in dict.fromkeys(names) for each in self._record.entries.get(name, ())]
        return [each for each in found if (day := day_of(each)) is None or day.low <= self._today]

    def _x(self, day: float) -> float:
        inside = min(max(day, self._first), self._today) - self._first
        return round(LEFT + inside / self._days * (WIDTH - LEFT - RIGHT), 1)

    def _months(self) -> list[Tick]:
        step = next((each for each in _STEPS if self._days / _MONTH / each <= 4.5), _STEPS[-1])
        day, ticks = date.fromordinal(self._first), []
        months = day.year * 12 + day.month - 1
        for month in range(months - months % step, months + int(self._days / _MONTH) + step + 1, step):
            start = date(max(month // 12, 1), month % 12 + 1, 1).toordinal()
            if self._first <= start <= self._today - 0.04 * self._days:
                ticks.append(
                    Tick(self._x(start), f"{month // 12}" if step >= 12 else f"{month // 12}-{month % 12 + 1:02}")
                )
        return ticks

    # Treatment and events

    def _treatment(self) -> list[Bar]:
        died, audit = self._record.died, self._label.audit
        if audit is None or (died is not None and not died.exact):
            return []
        known = exposure(self._record, self._label, audit, self._today)
        perhaps = [self._bar(first, last, "perhaps treated", sure=False) for first, last in known.perhaps]
        sure = [
            self._bar(span.first, span.covered, f"treated {_iso(span.first)} to {_iso(span.covered)}", sure=True)
            for course in known.courses
            for span in course.spans
        ]
        certain = [each for each in sure if each is not None]
        return [each for each in perhaps if each is not None and not _covered(each, certain)] + certain

    def _bar(self, first: float, last: float, text: str, *, sure: bool) -> Bar | None:
        if last < self._first or first > self._today:
            return None
        begin, end = self._x(first), self._x(last)
        return Bar(begin, max(round(end - begin, 1), 3.0), sure, text)

    def _lanes(self, treatment: list[Bar], holds: Sequence[Hold]) -> list[EventLane]:
        lanes = [(self._label.title, treatment), ("Reasons to interrupt", self._holds(holds))]
        for mark in self._settings.marks.values():
            bars = [self._mark(entry) for concept in mark.concepts for entry in self._record.entries.get(concept, ())]
            lanes.append((mark.title, list(dict.fromkeys(bar for bar in bars if bar is not None))))
        return [EventLane(title, 14.0 + 30 * number, bars) for number, (title, bars) in enumerate(lanes)]

    def _mark(self, entry: Entry) -> Bar | None:
        day = day_of(entry)
        if day is None or entry.certainty == "mentioned" or entry.kind == "order":
            return None
        end = entry.end.high if entry.end is not None else self._today if entry.status == "active" else day.high
        text = f"{self._vocabulary.title(entry.concept)}, {show_day(day)}"
        return self._bar(day.low, end, text, sure=entry.certainty == "certain")

    def _holds(self, holds: Sequence[Hold]) -> list[Bar]:
        bars = [
            self._bar(day, day, f"{hold.tell}: {hold.state}", sure=hold.state == "open")
            for hold in holds
            for each in hold.evidence[:1]
            if (day := _ordinal(each.date))
        ]
        return [each for each in bars if each is not None]

    # Results

    def _entries(self, chart: ResultChart) -> list[Entry]:
        """Return the results of a chart in the time that is shown."""
        found = self._record.entries.get(chart.concept, ())
        days = [(day, each) for each in found if (day := day_of(each)) is not None and each.kind == "result"]
        return [each for day, each in days if day.low <= self._today and day.high >= self._first]

    def _value(self, chart: ResultChart, entry: Entry) -> Interval | None:
        """Return what is drawn: the value, or as a multiple of the upper limit."""
        if entry.value is None or not chart.upper_limit:
            return entry.value
        upper = entry.upper or float(self._label.parameters[chart.upper_limit].value)
        low, high, *ends = entry.value
        return Interval(low / upper, high / upper, *ends) if upper else None

    def _unit(self, chart: ResultChart) -> str:
        return "× upper limit" if chart.upper_limit else unit(self._label.concepts[chart.concept].unit)

    def _chart(self, name: str, chart: ResultChart) -> TrendChart:
        entries, title, of = self._entries(chart), self._vocabulary.title(chart.concept), self._unit(chart)
        values = [self._value(chart, each) for each in entries]
        lines = [(self._number(each), self._written(each)) for each in chart.limits]
        scale = _Scale([value for value in values if value is not None], [number for number, _ in lines])
        points = [self._point(each, value, scale, of) for each, value in zip(entries, values, strict=True)]
        latest = f", the latest {points[-1].text}" if points else ""
        return TrendChart(
            name,
            title,
            of,
            points,
            [LimitLine(scale.y(number), text) for number, text in lines],
            scale.ticks(),
            f"{title}: {len(points)} results{latest}. The table below holds them all.",
        )

    def _number(self, name: str) -> float:
        limit = self._label.limits.get(name)
        return float(limit.number) if limit is not None else float(self._label.parameters[name].value)

    def _written(self, name: str) -> str:
        limit = self._label.limits.get(name)
        return f"limit {limit.written}" if limit is not None else f"{name.replace('-', ' ')}: {self._number(name):g}"

    def _point(self, entry: Entry, value: Interval | None, scale: _Scale, of: str) -> Point:
        dated = day_of(entry)
        day = dated if dated is not None else Interval(self._first, self._first)
        x1, x2 = self._x(day.low), self._x(day.high)
        low, high = (scale.y(value.low), scale.y(value.high)) if value is not None else (float(HEIGHT - FOOT),) * 2
        exact = day.exact and value is not None and value.exact
        text = f"{self._cell(entry, value)} {of if value is not None else ''}".strip() + f", {show_day(day)}"
        return Point(x1, x2, low, high, exact, value is not None, entry.status == "preliminary", text)

    def _cell(self, entry: Entry, value: Interval | None) -> str:
        shown = show_number(_rounded(value)) if value is not None else "no usable value"
        return shown + (" (preliminary)" if entry.status == "preliminary" else "")

    # The same as tables

    def _table(self) -> list[tuple[str, list[str]]]:
        rows: dict[str, tuple[float, list[list[str]]]] = {}
        charts = list(self._settings.charts.values())
        for at, chart in enumerate(charts):
            for entry in self._entries(chart):
                day = day_of(entry)
                if day is not None:
                    cells = rows.setdefault(show_day(day), (day.low, [[] for _ in charts]))[1]
                    cells[at].append(self._cell(entry, self._value(chart, entry)))
        newest = sorted(rows.items(), key=lambda row: (-row[1][0], row[0]))
        return [(day, ["; ".join(dict.fromkeys(cell)) for cell in cells]) for day, (_, cells) in newest]

    def _events(self) -> list[tuple[str, str, str, str, str]]:
        results = {chart.concept for chart in self._settings.charts.values()}
        found: dict[tuple[str, str], tuple[float, tuple[str, str, str, str, str]]] = {}
        for each in self._shown():
            day = day_of(each)
            past = day is not None and each.end is not None and each.end.high < self._first
            if each.concept in results or past:
                continue
            says = f"{each.status}{'' if each.certainty == 'certain' else ', ' + each.certainty}"
            note = f" ({without_sources(each.note)})" if each.note else ""
            row = (
                show_day(day) or "no day",
                show_day(each.end),
                self._vocabulary.title(each.concept),
                says + note,
                each.source,
            )
            found.setdefault((each.concept, each.source), (day.low if day is not None else -inf, row))
        return [row for _, row in sorted(found.values(), key=lambda pair: (-pair[0], pair[1]))]


class _Scale:
    """The axis of values: all values and limits, with some room; an end that is not known is the picture's edge."""

    def __init__(self, values: Iterable[Interval], limits: Iterable[float]) -> None:
        ends = [end for value in values for end in value[:2] if isfinite(end)] + list(limits)
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        room = (high - low or abs(high) or 1.0) * 0.12
        self._low = max(low - room, 0.0) if low >= 0 else low - room
        self._high = high + room

    def y(self, value: float) -> float:
        """Return where a value stands."""
        inside = (min(max(value, self._low), self._high) - self._low) / (self._high - self._low)
        return round(HEIGHT - FOOT - inside * (HEIGHT - FOOT - TOP), 1)

    def ticks(self) -> list[Tick]:
        """Return a few round values."""
        rough = (self._high - self._low) / 4
        power = 10.0 ** floor(log10(rough))
        step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * 0.999)
        first = floor(self._low / step) + 1
        values = [first * step + step * number for number in range(6)]
        return [Tick(self.y(each), f"{each:g}" if step >= 1 else f"{each:.3g}") for each in values if each < self._high]


def _covered(bar: Bar, others: Iterable[Bar]) -> bool:
    """Whether a bar lies within one of the others, where it would only blur its edge."""
    return any(each.x <= bar.x and bar.x + bar.width <= each.x + each.width for each in others)


def _rounded(value: Interval) -> Interval:
    """Return a value with three digits, as many as a laboratory gives."""
    low, high, *ends = value
    return Interval(float(f"{low:.3g}"), float(f"{high:.3g}"), *ends)


def _iso(day: float) -> str:
    return date.fromordinal(int(day)).isoformat() if isfinite(day) and day >= 1 else ""


def _ordinal(day: str) -> int:
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return 0
