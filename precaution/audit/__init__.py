"""The audit of a cohort: measures of the label counted over its patients, with intervals, by strata, as a report.

    measured, exposures (Parquet) ── counting ──> tallies ── suppression ──> lines ──> text, JSON, CSV, report

`precaution.measures` works out what a measure comes to for each patient, while the cohort is decided. Here it is only
counted. Nothing that leaves this package is a small number of patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precaution.audit.counting import STRATA, Counting, Deciles, made_of
from precaution.audit.lines import NOT_KNOWN, Line, Split, lines, strata_hidden
from precaution.audit.suppression import small
from precaution.cohort.results import Summary, stored
from precaution.errors import UsageError
from precaution.knowledge.model import Label, Measure
from precaution.measures.followed import names_of_bands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


__all__ = ["STRATA", "Audit", "Counted", "Deciles", "Line", "Reason", "Stratum", "Treated", "audited"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure and its lines: of all, then those of each stratum."""

    measure: Measure
    lines: tuple[Line, ...]

    @property
    def whole(self) -> Line:
        """The line of all patients."""
        return self.lines[0]

    def of(self, by: str) -> list[Line]:
        """Return the lines of a split."""
        return [line for line in self.lines if line.by == by]


@dataclass(frozen=True, slots=True)
class Reason:
    """How many patients are or are not new users, and why; None where that is not shown."""

    use: str
    why: str
    people: int | None


@dataclass(frozen=True, slots=True)
class Treated:
    """How many patients were treated while the label asked for an action, and for how long; None where not shown."""

    action: str
    people: int | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Stratum:
    """How many new users there are in a stratum; None where that is not shown."""

    value: str
    people: int | None


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found."""

    today: str
    label: Label
    made_of: Mapping[str, object]
    summary: Summary
    smallest: int
    uses: tuple[Reason, ...]
    counted: tuple[Counted, ...]
    absent: tuple[str, ...]
    """Strata that were asked for, and that the source does not give, or with too few patients in each."""
    strata: Mapping[str, tuple[Stratum, ...]]
    """by = how many new users there are in each stratum."""
    deciles: Mapping[str, tuple[Deciles, ...]]
    """measure = how it differs between sites; of shares, where the sites are asked for."""
    treated: tuple[Treated, ...] = ()
    """Gravest action first; of all patients, new users or not. Empty for results without --history."""

    def groups(self, table: str) -> dict[str, list[Counted]]:
        """Return the measures of a table by their heading, in order."""
        names = self.label.audit.groups if self.label.audit else ()
        found = {
            name: [each for each in self.counted if (each.measure.table, each.measure.group) == (table, name)]
            for name in names
        }
        return {name: each for name, each in found.items() if each}


def audited(out: Path, label: Label, strata: Iterable[str] = (), smallest: int | None = None) -> Audit:
    """Return the audit of a folder of results that `precaution cohort --audit` wrote with the same label.

    `strata`: of STRATA, and `month` (of the start). `smallest`: the smallest number of patients that is
    shown; where not given, the label's parameter says it. Raises InputError for results that can't be read,
    UsageError for another label or a stratum that there is not.
    """
    wanted = tuple(dict.fromkeys(strata))
    if wrong := [name for name in wanted if name not in (*STRATA, "month")]:
        raise UsageError(f"'{wrong[0]}' is no stratum: they are {', '.join(STRATA)}")
    counting = Counting(out)
    about = made_of(out)
    _check(label, about)
    least = int(label.parameters[label.audit.smallest].value) if label.audit and smallest is None else smallest or 1
    if least < 1:
        raise UsageError("--min-count takes a number above 0")
    splits = _splits(counting, label, wanted, least)
    whole = counting.tallies()
    measures = sorted(label.measures.values(), key=lambda each: label.topics.index(each.topic))
    made = lines(measures, whole, splits, least)
    counted = tuple(Counted(measure, tuple(made[measure.name])) for measure in measures)
    given = {split.by for split in splits}
    deciles = {
        each.name: tuple(counting.deciles(each.name, least))
        for each in measures
        if "site" in given and each.kind == "share"
    }
    uses, treated = _uses(counting.uses(), least), _treated(counting.treated(), label, least)
    counting.close()
    return Audit(
        str(about["today"]),
        label,
        about,
        stored(out),
        least,
        uses,
        counted,
        tuple(name for name in wanted if name not in given),
        {split.by: _strata(split, least) for split in splits},
        deciles,
        treated,
    )


def _check(label: Label, about: Mapping[str, object]) -> None:
    made = about.get("label")
    if not isinstance(made, dict) or made.get("digest") != label.digest:
        raise UsageError(
            "the results were made with another label, policy or code lists; give the same --label, "
            "--policy and --codes as `precaution cohort` had, or make the results anew"
        )
    if label.audit is None or not label.measures:
        raise UsageError(f"the label {label.name} has no measures")


def _uses(found: Mapping[tuple[str, str], int], smallest: int) -> tuple[Reason, ...]:
    """Return the new users, and the others by reason; nothing says how many all of them are."""
    return tuple(Reason(use, why, None if small(many, smallest) else many) for (use, why), many in found.items())


def _treated(found: Mapping[str, tuple[int, int]], label: Label, smallest: int) -> tuple[Treated, ...]:
    ranked = sorted(found.items(), key=lambda each: label.actions.index(each[0]))
    return tuple(
        Treated(action, None, None) if small(people, smallest) else Treated(action, people, days)
        for action, (people, days) in ranked
    )


def _splits(counting: Counting, label: Label, strata: Sequence[str], smallest: int) -> list[Split]:
    """Return the splits that can be shown: not one in which every stratum is unknown, or has too few patients."""
    splits = [_split(by, counting, label) for by in strata]
    return [
        split for split in splits if set(split.people) - {""} and len(strata_hidden(split, smallest)) < len(split.order)
    ]


def _split(by: str, counting: Counting, label: Label) -> Split:
    people = counting.people(by)
    within = _split("year", counting, label) if by == "month" else None
    return Split(by, counting.tallies(by), people, _ordered(by, people, label), within)


def _strata(split: Split, smallest: int) -> tuple[Stratum, ...]:
    hidden = strata_hidden(split, smallest)
    return tuple(
        Stratum(value or NOT_KNOWN, None if number in hidden else split.people[value])
        for number, value in enumerate(split.order)
    )


def _ordered(by: str, people: Mapping[str, int], label: Label) -> list[str]:
    names = names_of_bands(label.audit.ages) if by == "age" and label.audit else sorted(people)
    return [*(name for name in names if name and name in people), *([""] if "" in people else [])]
