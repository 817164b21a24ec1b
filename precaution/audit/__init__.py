"""Audits a cohort: counts the label's measures over its patients, with intervals and by strata, for a report.

    measured, exposures (Parquet) ── counting ──> tallies ── suppression ──> lines ──> text, JSON, CSV, report

`precaution.measures` works out what a measure comes to for each patient, while the cohort is decided. Here it is only
counted. Nothing that leaves this package is a small number of patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precaution.audit.counting import STRATA, AuditTables, Deciles, labels_of, run_info
from precaution.audit.coverage import coverage, people_with
from precaution.audit.lines import NOT_KNOWN, MeasureLine, Stratification, measure_lines, strata_hidden
from precaution.audit.suppression import small
from precaution.cohort.results import Summary, stored
from precaution.errors import UsageError
from precaution.knowledge.model import Label, Measure
from precaution.measures.follow_up import names_of_bands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path


__all__ = [
    "STRATA",
    "AuditResult",
    "Deciles",
    "MeasureLine",
    "MeasureResult",
    "StratumCount",
    "TreatedCount",
    "UseCount",
    "audit_cohort",
]


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """A measure with its lines: that of all new users first, then those of each stratum."""

    measure: Measure
    lines: tuple[MeasureLine, ...]
    coverage: int | None = None
    """How many patients at least have the tests in the source that it needs; None where it needs none, or for few."""

    @property
    def whole(self) -> MeasureLine:
        """The line of all new users."""
        return self.lines[0]

    def of(self, by: str) -> list[MeasureLine]:
        """Return the lines of the strata by age, sex, year, month or site; none where it is not split so."""
        return [line for line in self.lines if line.by == by]


@dataclass(frozen=True, slots=True)
class UseCount:
    """How many patients are or are not new users, and why; None where that is not shown."""

    use: str
    why: str
    people: int | None


@dataclass(frozen=True, slots=True)
class TreatedCount:
    """How many patients were treated while the label asked for an action, and for how long; None where not shown."""

    action: str
    people: int | None
    days: int | None


@dataclass(frozen=True, slots=True)
class StratumCount:
    """How many new users there are in a stratum; None where that is not shown."""

    value: str
    people: int | None


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The results of an audit, with small numbers hidden."""

    today: str
    label: Label
    run_info: Mapping[str, object]
    summary: Summary
    smallest: int
    uses: tuple[UseCount, ...]
    counted: tuple[MeasureResult, ...]
    absent: tuple[str, ...]
    """Strata that were asked for but are not shown: the source does not say them, or too few patients are in each."""
    strata: Mapping[str, tuple[StratumCount, ...]]
    """by = how many new users there are in each stratum."""
    deciles: Mapping[str, tuple[Deciles, ...]]
    """measure = how it differs between sites; of shares, where the sites are asked for."""
    treated: tuple[TreatedCount, ...] = ()
    """Gravest action first; of all patients, new users or not. Empty for results without --history."""

    def groups(self, table: str) -> dict[str, list[MeasureResult]]:
        """Return the measures of the table `audit` or `baseline` by their headings, in order."""
        names = self.label.audit.groups if self.label.audit else ()
        found = {
            name: [each for each in self.counted if (each.measure.table, each.measure.group) == (table, name)]
            for name in names
        }
        return {name: each for name, each in found.items() if each}


def audit_cohort(out: Path, label: Label, strata: Iterable[str] = (), smallest: int | None = None) -> AuditResult:
    """Return the audit of a folder of results, which `precaution cohort --audit` wrote with the same label.

    `strata`: some of STRATA, and `month` (of the start). `smallest`: the smallest number of patients that is
    shown; where not given, the label's parameter says it. Raises InputError for results that can't be read,
    UsageError for another label or a stratum that does not exist.
    """
    wanted = tuple(dict.fromkeys(strata))
    if wrong := [name for name in wanted if name not in (*STRATA, "month")]:
        raise UsageError(f"'{wrong[0]}' is no stratum: they are {', '.join(STRATA)}")
    stored(out)
    info = run_info(out)
    _check(label, labels_of(out))
    covered = {name: coverage(each, label, people_with(out, label)) for name, each in label.measures.items()}
    tables = AuditTables(out, label.name, [name for name, people in covered.items() if people == 0])
    least = int(label.parameters[label.audit.smallest].value) if label.audit and smallest is None else smallest or 1
    if least < 1:
        raise UsageError("--min-count takes a number above 0")
    splits = _splits(tables, label, wanted, least)
    whole = tables.tallies()
    measures = sorted(label.measures.values(), key=lambda each: label.topics.index(each.topic))
    made = measure_lines(measures, whole, splits, least)
    shown = {name: None if people is None or small(people, least) else people for name, people in covered.items()}
    counted = tuple(MeasureResult(each, tuple(made[each.name]), shown[each.name]) for each in measures)
    given = {split.by for split in splits}
    deciles = {
        each.name: tuple(tables.deciles(each.name, least))
        for each in measures
        if "site" in given and each.kind == "share"
    }
    uses, treated = _uses(tables.uses(), least), _treated(tables.treated(), label, least)
    tables.close()
    return AuditResult(
        str(info["today"]),
        label,
        info,
        stored(out),
        least,
        uses,
        counted,
        tuple(name for name in wanted if name not in given),
        {split.by: _strata(split, least) for split in splits},
        deciles,
        treated,
    )


def _check(label: Label, digests: Collection[str]) -> None:
    if label.digest not in digests:
        raise UsageError(
            "the results were made with another label, policy or code lists; give the same --label, "
            "--policy and --codes as `precaution cohort` had, or make the results anew"
        )
    if label.audit is None or not label.measures:
        raise UsageError(f"the label {label.name} has no measures")


def _uses(found: Mapping[tuple[str, str], int], smallest: int) -> tuple[UseCount, ...]:
    """Return how many new users there are, and others by reason; their sum is not told, it would show a hidden one."""
    return tuple(UseCount(use, why, None if small(many, smallest) else many) for (use, why), many in found.items())


def _treated(found: Mapping[str, tuple[int, int]], label: Label, smallest: int) -> tuple[TreatedCount, ...]:
    ranked = sorted(found.items(), key=lambda each: label.actions.index(each[0]))
    return tuple(
        TreatedCount(action, None, None) if small(people, smallest) else TreatedCount(action, people, days)
        for action, (people, days) in ranked
    )


def _splits(tables: AuditTables, label: Label, strata: Sequence[str], smallest: int) -> list[Stratification]:
    """Return the splits that can be shown: not one in which every stratum is unknown, or has too few patients."""
    splits = [_split(by, tables, label) for by in strata]
    return [
        split for split in splits if set(split.people) - {""} and len(strata_hidden(split, smallest)) < len(split.order)
    ]


def _split(by: str, tables: AuditTables, label: Label) -> Stratification:
    people = tables.people(by)
    within = _split("year", tables, label) if by == "month" else None
    return Stratification(by, tables.tallies(by), people, _ordered(by, people, label), within)


def _strata(split: Stratification, smallest: int) -> tuple[StratumCount, ...]:
    hidden = strata_hidden(split, smallest)
    return tuple(
        StratumCount(value or NOT_KNOWN, None if number in hidden else split.people[value])
        for number, value in enumerate(split.order)
    )


def _ordered(by: str, people: Mapping[str, int], label: Label) -> list[str]:
    names = names_of_bands(label.audit.ages) if by == "age" and label.audit else sorted(people)
    return [*(name for name in names if name and name in people), *([""] if "" in people else [])]
