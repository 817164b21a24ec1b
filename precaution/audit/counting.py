"""Counts the rows of the tables that a cohort with `--audit` wrote: patients by measure, stratum and state."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.results import RUN, stored
from precaution.cohort.tables import AUDIT
from precaution.errors import InputError, UsageError
from precaution.measures.shares import STATES

try:
    import duckdb
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("audits need duckdb: install it with `pip install '.[audit]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

STRATA = ("age", "sex", "year", "site")
"""The strata by which counts may be split."""
_COLUMNS = {"age": "age", "sex": "sex", "year": "month[1:4]", "site": "site", "month": "month"}
DAYS_IN_A_YEAR = 365.25
ENOUGH_SITES = 10
"""The fewest sites of which deciles are shown: of fewer, a decile would be one site's own number."""


class Deciles(NamedTuple):
    """How a share differs between sites in one quarter."""

    quarter: str
    sites: int
    deciles: tuple[float, ...]
    """Nine of them, in whole percent, the fifth the median."""


class TallyKey(NamedTuple):
    """A measure in a stratum."""

    measure: str
    value: str
    """The stratum, empty where it is not known; always empty in the tallies of all new users."""


@dataclass(slots=True)
class Tally:
    """The counts of a measure in a stratum."""

    counts: list[int] = field(default_factory=lambda: [0] * len(STATES))
    """Patients by state, in the order of STATES."""
    years: list[float] = field(default_factory=lambda: [0.0] * len(STATES))
    """Years at risk by state."""
    delays: tuple[float, float, float] | None = None
    """Quartiles of the days to the end of treatment, of who ended it."""

    @property
    def people(self) -> int:
        """All patients, whatever their state."""
        return sum(self.counts)


class AuditTables:
    """The tables of one folder of results."""

    def __init__(self, out: Path, label: str, uncovered: Iterable[str] = ()) -> None:
        """Open the rows of the tables that are those of a label.

        Of `uncovered` measures the source never holds what they look at: there no is unknown.

        Raises InputError where the folder holds no complete results, or none for an audit.
        """
        stored(out)
        if not all((out / name).is_dir() for name in AUDIT):
            raise InputError(f"'{out}' was written without --audit; run `precaution cohort` with it, and --overwrite")
        self._base = duckdb.connect()
        self._history = (out / "history").is_dir()
        try:
            for name in (*AUDIT, *(("history",) if self._history else ())):
                files = str(out / name / "*.parquet").replace("'", "''")
                columns = "*" if name != "measured" else _heeding(uncovered)
                own = f"SELECT {columns} FROM read_parquet('{files}')"  # noqa: S608
                if "label" in self._base.sql(own).columns:
                    own += " WHERE label = '{}'".format(label.replace("'", "''"))
                self._base.execute(f"CREATE VIEW {name} AS {own}")
            self._base.execute("CREATE VIEW chosen AS SELECT * FROM exposures WHERE chosen")
        except duckdb.Error:
            raise InputError(f"the tables in '{out}' can't be read; make them anew with --overwrite") from None

    def tallies(self, by: str = "") -> dict[TallyKey, Tally]:
        """Return the tally of each measure over all new users, or in each stratum `by` age, sex, year, month, site."""
        value = _COLUMNS[by] if by else "''"
        found: dict[TallyKey, Tally] = {}
        rows = self._base.execute(
            f"SELECT measure, {value} AS value, state, count(*), coalesce(sum(measured.days), 0), "  # noqa: S608
            "quantile_cont(delay, [0.25, 0.5, 0.75]) FROM measured JOIN chosen USING (person) GROUP BY ALL"
        ).fetchall()
        for measure, of, state, many, days, delays in rows:
            tally = found.setdefault(TallyKey(measure, of), Tally())
            place = STATES.index(state)
            tally.counts[place], tally.years[place] = many, days / DAYS_IN_A_YEAR
            if state == "yes" and delays:
                tally.delays = (delays[0], delays[1], delays[2])
        return found

    def people(self, by: str = "") -> dict[str, int]:
        """Return how many new users there are, in all (under an empty name) or in each stratum."""
        value = _COLUMNS[by] if by else "''"
        rows = self._base.execute(
            f"SELECT {value} AS value, count(*) FROM chosen WHERE new_use = 'yes' GROUP BY ALL"  # noqa: S608
        ).fetchall()
        return dict(rows)

    def deciles(self, measure: str, smallest: int) -> list[Deciles]:
        """Return for each quarter of the start with enough sites how the share `measure` differs between them.

        A site counts in a quarter in which the answer is known for at least `smallest` of its patients.
        """
        rows = self._base.execute(
            "SELECT quarter, count(*), quantile_cont(share, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) FROM ("
            "SELECT month[1:4] || '-Q' || ((month[6:7]::INT + 2) // 3) AS quarter, site, "
            "avg(CASE state WHEN 'yes' THEN 1 ELSE 0 END) AS share FROM measured JOIN chosen USING (person) "
            "WHERE measure = $1 AND state IN ('yes', 'no') AND site <> '' AND month <> '' GROUP BY ALL "
            "HAVING count(*) >= $2) GROUP BY ALL HAVING count(*) >= $3 ORDER BY ALL",
            [measure, smallest, ENOUGH_SITES],
        ).fetchall()
        return [Deciles(quarter, sites, tuple(round(each, 2) for each in deciles)) for quarter, sites, deciles in rows]

    def treated(self) -> dict[str, tuple[int, int]]:
        """Return action = how many patients were on treatment while the label asked for it, and for how many days.

        Nothing where the results were written without --history.
        """
        if not self._history:
            return {}
        rows = self._base.execute(
            "SELECT action, count(DISTINCT person), sum(date_diff('day', day::DATE, until::DATE) + 1) FROM history "
            "WHERE stage = 'on-treatment' GROUP BY ALL"
        ).fetchall()
        return {action: (people, int(days)) for action, people, days in rows}

    def uses(self) -> dict[tuple[str, str], int]:
        """Return how many patients there are by whether they are new users (yes, no, unknown), and by why not."""
        rows: Sequence[tuple[str, str, int]] = self._base.execute(
            "SELECT new_use, why, count(*) FROM chosen GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        return {(use, why): many for use, why, many in rows}

    def close(self) -> None:
        """Close the tables."""
        self._base.close()


def _heeding(uncovered: Iterable[str]) -> str:
    """Return the columns of `measured`, with unknown in place of no in measures of which the source holds nothing."""
    names = ", ".join(f"'{name}'" for name in sorted(uncovered)) or "''"
    return f"* REPLACE (CASE WHEN state = 'no' AND measure IN ({names}) THEN 'unknown' ELSE state END AS state)"


def labels_of(out: Path) -> set[str]:
    """Return the digests of the labels by which a folder of results was decided. Raises InputError as `stored`."""
    stored(out)
    made = run_info(out).get("label")
    return {str(each.get("digest")) for each in (made if isinstance(made, list) else [made]) if isinstance(each, dict)}


def run_info(out: Path) -> Mapping[str, object]:
    """Return what a folder of results says about the run that made it: day, label, files, versions."""
    known = json.loads((out / RUN).read_text(encoding="utf-8"))
    return known if isinstance(known, dict) else {}
