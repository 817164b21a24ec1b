"""A measure as a table: one line for all new users and one for each stratum, with small numbers hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from precaution.audit.counting import Key, Tally
from precaution.audit.intervals import Estimate, rate, share
from precaution.audit.suppression import Range, hidden_columns, hidden_rows, small, too_few
from precaution.knowledge.model import Measure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


YES, NO, UNKNOWN, APART = range(4)
"""The columns of a line; `apart` are all who are not counted, for whatever reason."""
BESIDE = (UNKNOWN, YES, NO)
"""Who is apart from one measure may be who is counted by another: that number is never hidden to hide a second, and
`no` only where nothing else is left."""
TOGETHER = (NO, UNKNOWN)
NOT_KNOWN = "not known"
"""The stratum of who can't be put in another."""
Cell = int | Range | None
"""A count; what it may be; or nothing at all."""


class Line(NamedTuple):
    """What a measure comes to in all new users (`by` and `value` empty) or in a stratum.

    A count that is too small, or is hidden beside one, is a Range in the line of all, and None in a stratum.
    """

    by: str
    value: str
    people: int | None
    """Everybody whom the measure may be about: new users, or those of the measure it is a part of."""
    yes: Cell = None
    no: Cell = None
    unknown: Cell = None
    apart: Cell = None
    """Not counted: left out, not followed for long enough, or it can't be told whether to be counted."""
    share: Estimate | None = None
    """Of those of whom it is known."""
    least: Estimate | None = None
    """Of all counted those of whom it is known to be so: what strata are compared by."""
    lowest: float | None = None
    """The share if it were so for nobody of whom it is unknown ..."""
    highest: float | None = None
    """... and for all of them. For a rate the same."""
    years: float | None = None
    """Years at risk, of those of whom it is known."""
    rate: Estimate | None = None
    """Events in 100 years."""
    delays: tuple[float, float, float] | None = None
    """Quartiles, in days."""

    @property
    def hidden(self) -> bool:
        """Whether the whole line is hidden."""
        return self.people is None


class Split(NamedTuple):
    """Tallies by stratum: `by` what, and the strata in order."""

    by: str
    tallies: Mapping[Key, Tally]
    people: Mapping[str, int]
    order: Sequence[str]
    within: Split | None = None
    """For months: the years, which may be shown as well."""


class Measuring(NamedTuple):
    """A measure with all its tallies, and the columns and strata that are hidden."""

    measure: Measure
    whole: Tally
    columns: Mapping[int, Range] | None
    """None where nothing can be shown."""
    hidden: Mapping[str, frozenset[int]]
    """by = numbers of the strata that are hidden."""
    merged: frozenset[str] = frozenset()
    """Splits in which `no` and `unknown` are only shown together, for too few are unknown in some stratum."""


def lines(
    measures: Sequence[Measure], whole: Mapping[Key, Tally], splits: Sequence[Split], smallest: int
) -> dict[str, list[Line]]:
    """Return the lines of each measure: of all, then those of each split that has more than one stratum."""
    found: dict[str, list[Line]] = {}
    done: dict[str, Measuring] = {}
    splits = [split for split in splits if len(split.order) > 1]
    for measure in sorted(measures, key=lambda each: bool(each.of)):  # what others are a part of comes first
        made = done[measure.name] = _measuring(measure, whole, splits, smallest, done.get(measure.of))
        found[measure.name] = [_whole(made)]
        if made.columns is not None:
            found[measure.name] += [line for split in splits for line in _strata(split, made)]
    return found


def _measuring(
    measure: Measure, whole: Mapping[Key, Tally], splits: Sequence[Split], smallest: int, within: Measuring | None
) -> Measuring:
    tally = whole.get(Key(measure.name, ""), Tally())
    row = columns_of(tally, measure)
    shown = within is None or (within.columns is not None and YES not in within.columns)
    columns = hidden_columns(row, smallest, BESIDE) if shown and not _few(row, smallest) else None
    if columns is None:
        return Measuring(measure, tally, None, {})
    told = UNKNOWN not in columns
    merged = frozenset(split.by for split in splits if told and _few_unknown(measure, split, smallest))
    hidden = {
        split.by: _hidden_strata(
            measure, split, {*columns, *(TOGETHER if split.by in merged else ())}, smallest, within
        )
        for split in splits
    }
    return Measuring(measure, tally, columns, hidden, merged)


def _few_unknown(measure: Measure, split: Split, smallest: int) -> bool:
    """Whether a stratum, of the years or of the months within them, has too few who are unknown."""
    tallies = [split.tallies.get(Key(measure.name, value), Tally()) for value in split.order]
    within = split.within is not None and _few_unknown(measure, split.within, smallest)
    return within or any(small(tally.counts[UNKNOWN], smallest) for tally in tallies)


def _few(row: Sequence[int], smallest: int) -> bool:
    """Whether too few are there at all, or are counted: who is not counted would tell how many are."""
    return small(sum(row), smallest) or small(sum(row[:APART]), smallest)


def _hidden_strata(
    measure: Measure, split: Split, columns: Collection[int], smallest: int, within: Measuring | None
) -> frozenset[int]:
    few = strata_hidden(split, smallest)
    if within is not None:
        few |= within.hidden[split.by]
    rows = [columns_of(split.tallies.get(Key(measure.name, value), Tally()), measure) for value in split.order]
    few |= {number for number, row in enumerate(rows) if _few(row, smallest)}
    if split.within is None:
        return hidden_rows(rows, smallest, columns, few)
    years = _hidden_strata(measure, split.within, columns, smallest, None)
    return frozenset(
        number
        for block, hidden in _years(split, years)
        for number in (block if hidden else _within(rows, block, smallest, columns, few))
    )


def strata_hidden(split: Split, smallest: int) -> frozenset[int]:
    """Return the strata of which not even the number of new users is shown; of a year that is hidden every month."""
    people = [split.people.get(value, 0) for value in split.order]
    if split.within is None:
        return too_few(people, smallest)
    found: set[int] = set()
    for block, hidden in _years(split, strata_hidden(split.within, smallest)):
        few = too_few([people[number] for number in block], smallest)
        found.update(block if hidden else (block[place] for place in few))
    return frozenset(found)


def _years(split: Split, hidden: frozenset[int]) -> Iterator[tuple[list[int], bool]]:
    """Yield the months of each year, and whether that year is hidden."""
    years = split.within.order if split.within is not None else ()
    for number, year in enumerate(years):
        yield [place for place, month in enumerate(split.order) if month[:4] == year], number in hidden


def _within(
    rows: Sequence[Sequence[int]], block: Sequence[int], smallest: int, columns: Collection[int], few: frozenset[int]
) -> list[int]:
    """Return which months of a year that is shown are hidden: together they must hide what a subtraction would tell."""
    hidden = hidden_rows(
        [rows[number] for number in block],
        smallest,
        columns,
        {place for place, number in enumerate(block) if number in few},
    )
    return [block[place] for place in hidden]


def columns_of(tally: Tally, measure: Measure) -> list[int]:
    """Return the counts of a line: yes, no, unknown, and those apart; a part of another measure has nobody apart."""
    *counted, apart = (*tally.counts[:APART], sum(tally.counts[APART:]))
    return [*counted, 0 if measure.of else apart]


def _strata(split: Split, made: Measuring) -> list[Line]:
    rows = [split.tallies.get(Key(made.measure.name, value), Tally()) for value in split.order]
    return [
        Line(split.by, value or NOT_KNOWN, None)
        if number in made.hidden[split.by]
        else _line(split.by, value or NOT_KNOWN, rows[number], made, _instead(split.by, rows[number], made))
        for number, value in enumerate(split.order)
    ]


def _instead(by: str, tally: Tally, made: Measuring) -> Mapping[int, Range | None]:
    """Return what stands for the hidden columns of a stratum; where they come to nobody, which shows, nothing does."""
    row, columns = columns_of(tally, made.measure), {*(made.columns or {}), *(TOGETHER if by in made.merged else ())}
    return dict.fromkeys(columns) if sum(row[column] for column in columns) else {}


def _whole(made: Measuring) -> Line:
    return Line("", "", None) if made.columns is None else _line("", "", made.whole, made, made.columns)


def _line(by: str, value: str, tally: Tally, made: Measuring, instead: Mapping[int, Range | None]) -> Line:
    row = columns_of(tally, made.measure)
    yes, no, unknown, apart = (instead.get(place, count) for place, count in enumerate(row))
    line = Line(by, value, sum(row), yes, no, unknown, apart)
    return _with_rate(line, tally) if made.measure.kind == "rate" else _with_share(line, tally)


def _with_share(line: Line, tally: Tally) -> Line:
    yes, no = line.yes, line.no
    if isinstance(yes, int) and isinstance(line.apart, int) and line.people is not None:
        line = line._replace(least=share(yes, line.people - line.apart))
    if isinstance(yes, int) and isinstance(no, int):
        line = line._replace(share=share(yes, yes + no), delays=tally.delays)
    ends = [_ends(cell) for cell in (line.yes, line.no, line.unknown)]
    if None in ends:
        return line
    (few, many), (least, most), (_, unknown) = (each for each in ends if each is not None)
    if not few + most + unknown:
        return line
    high = many + unknown
    return line._replace(lowest=few / (few + most + unknown), highest=high / (high + least) if high else 0.0)


def _with_rate(line: Line, tally: Tally) -> Line:
    years = tally.years[YES] + tally.years[NO]
    whole = years + tally.years[UNKNOWN]
    line = line._replace(years=years)
    if isinstance(line.yes, int):
        line = line._replace(rate=rate(line.yes, years))
    events, unknown = _ends(line.yes), _ends(line.unknown)
    if events is None or unknown is None or whole <= 0:
        return line
    return line._replace(lowest=events[0] * 100 / whole, highest=(events[1] + unknown[1]) * 100 / whole)


def _ends(cell: Cell) -> tuple[int, int] | None:
    return None if cell is None else (cell.low, cell.high) if isinstance(cell, Range) else (cell, cell)
