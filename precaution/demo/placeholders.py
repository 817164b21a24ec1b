"""Placeholders of recipes: `{days-ago 5..20}` becomes a day, `{number 0.2..0.9}` a number, drawn for one patient.

{days-ago 5..20}     a day, so many days before the day of the decision; {days-ahead 1..30} after it
{month-ago 2..5}     a month, as 2025-01; {year-ago 1..9} a year; {this-year}, but not in January
{number 0.20..0.95}  a number with as many decimals as its limits
{age 30..60}         a day of birth: so many completed years, and no birthday near
{birthday 65}        a day of birth: so many years today; {birthday-tomorrow 65} tomorrow
{birth-year 65}      a year of birth in which it can't be told whether so many years are completed
{pick A B C}         one of the words
{start}              what `draw` of the recipe or of its base called so; {start + 5}, {start - 3..10} days from it
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)(?:\.\.(-?\d+(?:\.\d+)?))?")
_SHIFT = re.compile(r"([a-z][a-z0-9-]*)\s*([+-])\s*(\d+(?:\.\.\d+)?)")


class NotOnThisDay(Exception):
    """A placeholder has no value on the day of the decision: no birth year is in doubt on 31 December."""


class Draw:
    """Draws the placeholders of one patient."""

    def __init__(self, rng: Random, today: date, named: Mapping[str, str] | None = None) -> None:
        """Draw by `rng`, for a decision on `today`; `named` are values drawn before."""
        self.rng, self.today = rng, today
        self.named = dict(named or {})

    def name(self, draws: Mapping[str, str]) -> Draw:
        """Return a copy with further named values, drawn from `draws`: name = the inside of a placeholder."""
        inner = Draw(self.rng, self.today, self.named)
        for name, body in draws.items():
            inner.named[name] = inner.value(body)
        return inner

    def fill(self, line: str) -> str:
        """Return a line with its placeholders filled in. Raises as `value`."""
        return _PLACEHOLDER.sub(lambda found: self.value(found[1].strip()), line) if "{" in line else line

    def value(self, body: str) -> str:
        """Return the value drawn for the inside of a placeholder.

        Raises KnowledgeError for one that means nothing, NotOnThisDay for one without a value on this day.
        """
        if body in self.named:
            return self.named[body]
        if (shift := _SHIFT.fullmatch(body)) and shift[1] in self.named:
            days = self._whole(shift[3])
            return _shifted(date.fromisoformat(self.named[shift[1]]), days if shift[2] == "+" else -days)
        kind, _, rest = body.partition(" ")
        draw = _KINDS.get(kind)
        if draw is None:
            raise KnowledgeError(f"'{{{body}}}': no such placeholder, and nothing is drawn under this name")
        return draw(self, rest.strip())

    def _whole(self, limits: str) -> int:
        low, high = _ends(limits)
        return self.rng.randint(int(low), int(high))

    def _number(self, limits: str) -> str:
        low, high = _ends(limits)
        decimals = max(-int(each.as_tuple().exponent) for each in (low, high))
        step = Decimal(10) ** decimals
        return str((Decimal(self.rng.randint(int(low * step), int(high * step))) / step).quantize(1 / step))

    def _pick(self, words: str) -> str:
        return self.rng.choice(words.split())

    def _days_ago(self, limits: str) -> str:
        return _shifted(self.today, -self._whole(limits))

    def _days_ahead(self, limits: str) -> str:
        return _shifted(self.today, self._whole(limits))

    def _month_ago(self, limits: str) -> str:
        months = self.today.year * 12 + self.today.month - 1 - self._whole(limits)
        return f"{months // 12:04d}-{months % 12 + 1:02d}"

    def _year_ago(self, limits: str) -> str:
        return f"{self.today.year - self._whole(limits):04d}"

    def _this_year(self, _: str) -> str:
        if self.today.month == 1:
            raise NotOnThisDay
        return f"{self.today.year:04d}"

    def _age(self, limits: str) -> str:
        turned = _anniversary(self.today, -self._whole(limits))
        return _shifted(turned, -self.rng.randint(2, 360))

    def _birthday(self, years: str) -> str:
        return _anniversary(self.today, -int(years)).isoformat()

    def _birthday_tomorrow(self, years: str) -> str:
        tomorrow = self.today + timedelta(days=1)
        if (tomorrow.month, tomorrow.day) in ((2, 29), (3, 1)):
            raise NotOnThisDay
        return _anniversary(tomorrow, -int(years)).isoformat()

    def _birth_year(self, years: str) -> str:
        if (self.today.month, self.today.day) == (12, 31):
            raise NotOnThisDay
        return f"{self.today.year - int(years):04d}"


_KINDS: Mapping[str, Callable[[Draw, str], str]] = {
    "days-ago": Draw._days_ago,
    "days-ahead": Draw._days_ahead,
    "month-ago": Draw._month_ago,
    "year-ago": Draw._year_ago,
    "this-year": Draw._this_year,
    "number": Draw._number,
    "age": Draw._age,
    "birthday": Draw._birthday,
    "birthday-tomorrow": Draw._birthday_tomorrow,
    "birth-year": Draw._birth_year,
    "pick": Draw._pick,
}


def _ends(limits: str) -> tuple[Decimal, Decimal]:
    found = _RANGE.fullmatch(limits)
    if found is None:
        raise KnowledgeError(f"'{limits}' is neither a number nor a range as 5..20")
    low, high = Decimal(found[1]), Decimal(found[2] or found[1])
    if low > high:
        raise KnowledgeError(f"'{limits}': the range is empty")
    return low, high


def _shifted(day: date, days: int) -> str:
    return (day + timedelta(days=days)).isoformat()


def _anniversary(day: date, years: int) -> date:
    """Return the same day `years` later; of 29 February the 28th where the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
