"""Facts that are estimated: a formula over a result, age, sex and weight stands in where nothing was measured.

What is not certain (the result, the day of birth, the sex, the weight) makes the estimate what it may be. Without a
birth, a weight that the formula wants, or the age from which it holds there is none: the result then stands for any
value.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache, partial, reduce
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from precaution.engine.chart import may_be_newest
from precaution.engine.kinds.figures import DIGITS, is_hint, latest_of_results
from precaution.knowledge.formulas import SEXES, formula, input_factor
from precaution.values.interval import Interval, exactly, hull, show_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.engine.chart import Chart, Look, Setting
    from precaution.knowledge.computed_facts import Estimated
    from precaution.knowledge.formulas import Formula
    from precaution.values.record import Entry

_LAST_DAY = date.max.toordinal()
_ONE = exactly(1.0)
_TINY, _HUGE = 1e-100, 1e100
"""Beyond these the power of a number is no number any more; no result is."""


class _Person(NamedTuple):
    """What of a patient a formula is about."""

    birth: Interval | None
    sexes: tuple[str, ...]
    weight: Interval | None


def estimate(fact: Estimated, setting: Setting) -> Look:
    """Return how to find the latest measured value, or an estimate of a day on which none was measured."""
    method = formula(fact.formula)
    factor = input_factor(method, setting.label.concepts[fact.input])
    window = setting.window(fact.weight_within)
    days = setting.window(fact.window(setting.stage))

    def results(chart: Chart) -> Sequence[Entry]:
        measured, given = chart.entries(fact.estimate), chart.past.get(fact.input, ())
        if not given:
            return measured
        direct = {entry.start for entry in measured if not is_hint(entry) and entry.start is not None}
        person = _person(chart, method, fact.weight, window)
        return [*measured, *(_estimated(e, method, factor, person) for e in given if not _is_of(e.start, direct))]

    return latest_of_results(results, fact.worst, days, setting)


def _is_of(day: Interval | None, days: set[Interval]) -> bool:
    """Whether something else was surely measured on that day."""
    return day is not None and day.exact and day in days


def _person(chart: Chart, method: Formula, weight: str, window: float | None) -> _Person:
    sex, birth = chart.record.sex, chart.record.birth
    weights = chart.past.get(weight, ()) if method.weighs else ()
    since = -inf if window is None else chart.today - window
    known = birth is not None and birth.low >= 1 and birth.high <= _LAST_DAY
    return _Person(birth if known else None, (sex,) if sex in SEXES else SEXES, _weight(weights, since))


def _weight(entries: Sequence[Entry], since: float) -> Interval | None:
    """Return what the last weight may be; None where there is none in the window."""
    usable = [e for e in entries if not is_hint(e) and (e.start is None or e.start.high >= since)]
    latest = [e.value for e in may_be_newest(usable)[0] if e.value is not None]
    return reduce(hull, latest) if latest else None


def _estimated(entry: Entry, method: Formula, factor: float, person: _Person) -> Entry:
    """Return the estimate of the day of a result, in place of the result."""
    if entry.value is None:
        return entry
    years = _years(person.birth, entry.start)
    why = _lacking(method, years, person)
    if why or years is None:
        return entry._replace(value=None, upper=None, note=f"{method.title}: {why}")
    value = reduce(
        hull, map(partial(_value, method, _divided(entry.value, factor), years, person.weight), person.sexes)
    )
    return entry._replace(
        value=value, upper=None, says=f"{show_number(value)} {method.unit} ({method.title})", note=f"from {entry.says}"
    )


def _lacking(method: Formula, years: tuple[int, int] | None, person: _Person) -> str:
    if person.birth is None:
        return "no date of birth"
    if years is None:
        return "the day of the result is not known"
    if years[0] < method.from_age:
        return f"it holds from {method.from_age:g} years of age"
    return "no recent weight" if method.weighs and person.weight is None else ""


def _divided(value: Interval, factor: float) -> Interval:
    return value._replace(low=value.low / factor, high=value.high / factor)


def _value(method: Formula, given: Interval, years: tuple[int, int], weight: Interval | None, sex: str) -> Interval:
    kilos = weight if weight is not None and method.weighs else _ONE
    low = round(_at(method, sex, given.high, years[1], kilos.low), DIGITS)
    high = round(_at(method, sex, given.low, years[0], kilos.high), DIGITS)
    return Interval(low, high, given.high_open or kilos.low_open, given.low_open or kilos.high_open or high == inf)


def _at(method: Formula, sex: str, given: float, years: int, weight: float) -> float:
    """Return the formula for exact numbers."""
    ratio = given / method.knee[sex]
    if ratio >= _HUGE or weight <= 0 or (method.age_from is not None and years >= method.age_from):
        return 0.0
    if ratio <= _TINY or weight == inf:
        return inf
    power = ratio ** (method.below[sex] if ratio < 1 else method.above[sex])
    value: float = method.scale(sex) * power * method.per_year**years
    return value * (1.0 if method.age_from is None else method.age_from - years) * weight


def _years(birth: Interval | None, day: Interval | None) -> tuple[int, int] | None:
    """Return the fewest and the most completed years of age on a day; None where the day is not known."""
    if birth is None or day is None or day.low < 1 or day.high > _LAST_DAY:
        return None
    return completed_years(int(birth.high), int(day.low)), completed_years(int(birth.low), int(day.high))


@lru_cache(maxsize=65536)
def completed_years(born: int, day: int) -> int:
    """Return the years of age completed on an ordinal; born on 29 February, one is completed on 1 March."""
    first, then = date.fromordinal(born), date.fromordinal(day)
    return then.year - first.year - ((then.month, then.day) < (first.month, first.day))
