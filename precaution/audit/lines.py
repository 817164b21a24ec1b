"""The lines of a measure: one for all new users and one for each stratum, with small numbers hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from precaution.audit.counting import Tally, TallyKey
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


class MeasureLine(NamedTuple):
    """The result of a measure in all new users (`by` and `value` empty) or in a stratum.

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
    """The share among those of whom it is known."""
    least: Estimate | None = None
    """The share of those of whom it is known to be so, among all counted: by this strata are compared."""
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


class Stratification(NamedTuple):
    """The tallies of all measures by stratum: `by` what they are split, the strata in `order`, `people` in each."""

    by: str
    tallies: Mapping[TallyKey, Tally]
    people: Mapping[str, int]
    order: Sequence[str]
    within: Stratification | None = None
    """For months: the years, which may be shown as well."""


class Suppression(NamedTuple):
    """What is hidden of a measure: columns in the line of all new users, and strata."""

    measure: Measure
    whole: Tally
    columns: Mapping[int, Range] | None
    """None where nothing can be shown."""
    hidden: Mapping[str, frozenset[int]]
    """by = numbers of the strata that are hidden."""
    merged: frozenset[str] = frozenset()
    """Splits in which `no` and `unknown` are only shown together, for too few are unknown in some stratum."""


def measure_lines(
    measures: Sequence[Measure], whole: Mapping[TallyKey, Tally], splits: Sequence[Stratification], smallest: int
) -> dict[str, list[MeasureLine]]:
    """Return the lines of each measure: of all new users, then of the strata of each split that has more than one.

    `whole`: the tallies of all new users; `smallest`: the smallest count that is shown.
    """
    found: dict[str, list[MeasureLine]] = {}
    done: dict[str, Suppression] = {}
    splits = [split for split in splits if len(split.order) > 1]
    for measure in sorted(measures, key=lambda each: bool(each.of)):  # what others are a part of comes first
        made = done[measure.name] = _suppression(measure, whole, splits, smallest, done.get(measure.of))
        found[measure.name] = [_whole(made)]
        if made.columns is not None:
            found[measure.name] += [line for split in splits for line in _strata(split, made)]
    return found


def _suppression(
    measure: Measure,
    whole: Mapping[TallyKey, Tally],
    splits: Sequence[Stratification],
    smallest: int,
    within: Suppression | None,
) -> Suppression:
    tally = whole.get(TallyKey(measure.name, ""), Tally())
    row = columns_of(tally, measure)
    shown = within is None or (within.columns is not None and YES not in within.columns)
    columns = hidden_columns(row, smallest, BESIDE) if shown and not _few(row, smallest) else None
    if columns is None:
        return Suppression(measure, tally, None, {})
    exact = UNKNOWN not in columns
    merged = frozenset(split.by for split in splits if exact and _few_unknown(measure, split, smallest))
    hidden = {
        split.by: _hidden_strata(
            measure, split, {*columns, *(TOGETHER if split.by in merged else ())}, smallest, within
        )
        for split in splits
    }
    return Suppression(measure, tally, columns, hidden, merged)


def _few_unknown(measure: Measure, split: Stratification, smallest: int) -> bool:
    """Whether a stratum, of the years or of the months within them, has too few who are unknown."""
    tallies = [split.tallies.get(TallyKey(measure.name, value), Tally()) for value in split.order]
    within = split.within is not None and _few_unknown(measure, split.within, smallest)
    return within or any(small(tally.counts[UNKNOWN], smallest) for tally in tallies)


def _few(row: Sequence[int], smallest: int) -> bool:
    """Whether too few are there at all, or too few are counted: the number not counted would tell how many are."""
    return small(sum(row), smallest) or small(sum(row[:APART]), smallest)


def _hidden_strata(
    measure: Measure, split: Stratification, columns: Collection[int], smallest: int, within: Suppression | None
) -> frozenset[int]:
    few = strata_hidden(split, smallest)
    if within is not None:
        few |= within.hidden[split.by]
    rows = [columns_of(split.tallies.get(TallyKey(measure.name, value), Tally()), measure) for value in split.order]
    few |= {number for number, row in enumerate(rows) if _few(row, smallest)}
    if split.within is None:
        return hidden_rows(rows, smallest, columns, few)
    years = _hidden_strata(measure, split.within, columns, smallest, None)
    return frozenset(
        number
        for block, hidden in _years(split, years)
        for number in (block if hidden else _within(rows, block, smallest, columns, few))
    )


def strata_hidden(split: Stratification, smallest: int) -> frozenset[int]:
    """Return the strata of which not even the number of new users is shown; of a year that is hidden every month."""
    people = [split.people.get(value, 0) for value in split.order]
    if split.within is None:
        return too_few(people, smallest)
    found: set[int] = set()
    for block, hidden in _years(split, strata_hidden(split.within, smallest)):
        few = too_few([people[number] for number in block], smallest)
        found.update(block if hidden else (block[place] for place in few))
    return frozenset(found)


def _years(split: Stratification, hidden: frozenset[int]) -> Iterator[tuple[list[int], bool]]:
    """Yield the months of each year, and whether that year is hidden."""
    years = split.within.order if split.within is not None else ()
    for number, year in enumerate(years):
        yield [place for place, month in enumerate(split.order) if month[:4] == year], number in hidden


def _within(
    rows: Sequence[Sequence[int]], block: Sequence[int], smallest: int, columns: Collection[int], few: frozenset[int]
) -> list[int]:
    """Return which months of a year that is shown are hidden: so many that a subtraction tells nothing."""
    hidden = hidden_rows(
        [rows[number] for number in block],
        smallest,
        columns,
        {place for place, number in enumerate(block) if number in few},
    )
    return [block[place] for place in hidden]


def columns_of(tally: Tally, measure: Measure) -> list[int]:
    """Return the counts yes, no, unknown and apart; in a measure that is a part of another nobody is apart."""
    *counted, apart = (*tally.counts[:APART], sum(tally.counts[APART:]))
    return [*counted, 0 if measure.of else apart]


def _strata(split: Stratification, made: Suppression) -> list[MeasureLine]:
    rows = [split.tallies.get(TallyKey(made.measure.name, value), Tally()) for value in split.order]
    return [
        MeasureLine(split.by, value or NOT_KNOWN, None)
        if number in made.hidden[split.by]
        else _line(split.by, value or NOT_KNOWN, rows[number], made, _instead(split.by, rows[number], made))
        for number, value in enumerate(split.order)
    ]


def _instead(by: str, tally: Tally, made: Suppression) -> Mapping[int, Range | None]:
    """Return what stands in place of the hidden columns of a stratum; nothing where they are all 0, which shows."""
    row, columns = columns_of(tally, made.measure), {*(made.columns or {}), *(TOGETHER if by in made.merged else ())}
    return dict.fromkeys(columns) if sum(row[column] for column in columns) else {}


def _whole(made: Suppression) -> MeasureLine:
    return MeasureLine("", "", None) if made.columns is None else _line("", "", made.whole, made, made.columns)


def _line(by: str, value: str, tally: Tally, made: Suppression, instead: Mapping[int, Range | None]) -> MeasureLine:
    row = columns_of(tally, made.measure)
    yes, no, unknown, apart = (instead.get(place, count) for place, count in enumerate(row))
    line = MeasureLine(by, value, sum(row), yes, no, unknown, apart)
    return _with_rate(line, tally) if made.measure.kind == "rate" else _with_share(line, tally)


def _with_share(line: MeasureLine, tally: Tally) -> MeasureLine:
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


def _with_rate(line: MeasureLine, tally: Tally) -> MeasureLine:
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
