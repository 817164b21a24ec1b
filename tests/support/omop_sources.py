"""CDMs for tests: the lines of our own cases as rows of OMOP tables, in every form in which a CDM comes.

Nothing here passes through FHIR. A line that OMOP can't carry raises CannotCarry with the reason.
"""

from __future__ import annotations

import csv
import gzip
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from precaution.cases.lines import code_of
from precaution.knowledge.terminology import Terminology

Row = dict[str, Any]
Tables = dict[str, list[Row]]
OWN_IDS = 2_000_000_000
"""Where the concept ids begin that a site makes itself."""
VOCABULARIES = {"RxNormExt": "RxNorm Extension"}
_NUMBER = re.compile(r"(<=|>=|<|>)?(-?\d+(?:\.\d+)?)")
OUTCOMES = ("positive", "negative", "indeterminate")
OPERATORS = {None: 0, "<": 4171756, "<=": 4171754, ">": 4172704, ">=": 4171755}
UNIT_IDS = {"10*9/L": 9444, "g/dL": 8713, "U/L": 8645, "mg/dL": 8840, "mmol/L": 8753, "%": 8554, "10*3/uL": 8848}
_DOUBTS = frozenset({"suspected", "provisional", "differential", "unconfirmed"})
_GRAVITY = ("entered-in-error", "refuted", "active", "recurrence", "relapse", "inactive", "remission", "resolved")
_STANDARD = {"SNOMED", "LOINC", "RxNorm", "RxNormExt", "CVX"}


class CannotCarry(Exception):
    """A line says what no table of the CDM can hold."""


class Cdm:
    """The tables of a CDM in the making."""

    def __init__(self, terminology: Terminology, since: str = "1900-01-01", until: str = "2099-12-31") -> None:
        """Every person is observed from `since` to `until`."""
        self.terminology = terminology
        self.tables: Tables = {name: [] for name in COLUMNS}
        self.observed = (since, until)
        self._ids = {pair: name for name, pair in terminology.concept_ids.items()}
        self._written: set[int] = set()
        self._number = 0

    def person(self, lines: Iterable[str]) -> int:
        """Add a person with the lines of a record, and return the person's id. Raises CannotCarry, adding nothing."""
        before = {name: len(rows) for name, rows in self.tables.items()}
        try:
            return self._person(list(lines))
        except CannotCarry:
            for name, size in before.items():
                if name != "concept":
                    del self.tables[name][size:]
            raise

    def _person(self, lines: list[str]) -> int:
        person = self._next()
        born: Row = {"person_id": person}
        for line in lines:
            kind, *words = shlex.split(line)
            if kind == "born":
                parts = [int(part) for part in words[0].split("-")]
                born |= dict(zip(("year_of_birth", "month_of_birth", "day_of_birth"), parts, strict=False))
            elif kind == "died":
                self.add("death", person_id=person, death_date=_day(words[0]))
            elif kind != "answer":
                self._line(person, kind, words)
        self.add("person", **born, gender_concept_id=0, race_concept_id=0, ethnicity_concept_id=0)
        self.add(
            "observation_period",
            observation_period_id=self._next(),
            person_id=person,
            observation_period_start_date=self.observed[0],
            observation_period_end_date=self.observed[1],
            period_type_concept_id=32817,
        )
        return person

    def add(self, table: str, **row: Any) -> None:
        """Add a row."""
        assert set(row) <= set(COLUMNS[table].split()), table
        self.tables[table].append(row)

    def concept(self, system: str, code: str, name: str = "") -> int:
        """Return the id of a code's concept, adding it to the vocabulary where it is new."""
        found = self._ids.get((system, code))
        if found is None:
            found = self._ids[system, code] = OWN_IDS + len(self._ids)
        if found not in self._written:
            self._written.add(found)
            self.add(
                "concept",
                concept_id=found,
                concept_name=name or code,
                domain_id="Other",
                concept_class_id="Other",
                vocabulary_id=VOCABULARIES.get(system, system),
                concept_code=code,
                standard_concept="S" if system in _STANDARD else "",
            )
        return found

    def coded(self, name: str, stem: str) -> Row:
        """Return the columns that say what a row is: a concept of the label, or `SYSTEM|code`."""
        if "|" in name:
            system, _, code = name.partition("|")
        else:
            system, code = code_of(name, self.terminology)
        found = self.concept(system, code)
        standard = found if system in _STANDARD else 0
        return {f"{stem}_concept_id": standard, f"{stem}_source_concept_id": found, f"{stem}_source_value": code}

    def _next(self) -> int:
        self._number += 1
        return self._number

    # Lines

    def _line(self, person: int, kind: str, words: list[str]) -> None:
        text = kind == "text"
        if text:
            kind, *words = words
        make = _MAKERS.get(kind)
        if make is None:
            raise CannotCarry(f"a line of {kind}")
        times, rest = _times(words[1:])
        if "recorded" in times:
            raise CannotCarry("the day on which something was written down")
        stem = {"medication": "drug", "immunization": "drug", "order": "procedure"}.get(kind, kind)
        stem = "measurement" if kind == "result" else stem
        if kind == "result" and words[0].endswith("_question"):
            stem = "observation"
        coded = (
            {f"{stem}_concept_id": 0, f"{stem}_source_concept_id": 0, f"{stem}_source_value": words[0]}
            if text
            else self.coded(words[0], stem)
        )
        make(self, person, coded, times, rest)

    def _condition(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        if "of-visit" in words:
            raise CannotCarry("a diagnosis as that of a visit: the CDM does not tell it from a problem")
        start = times.get("since", times.get("on"))
        status = 0
        if _DOUBTS & set(words):
            status = 32899
        said = min((word for word in words if word not in _DOUBTS), key=_GRAVITY.index, default=None)
        self.add(
            "condition_occurrence",
            condition_occurrence_id=self._next(),
            person_id=person,
            **coded,
            condition_start_date=_day(start),
            condition_end_date=_maybe(times.get("until")),
            condition_type_concept_id=32817,
            condition_status_concept_id=status,
            condition_status_source_value=said,
        )

    def _result(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        event = "observation" if "observation_concept_id" in coded else "measurement"
        row: Row = {
            f"{event}_id": self._next(),
            "person_id": person,
            **coded,
            f"{event}_date": _day(times.get("on")),
            f"{event}_type_concept_id": 32817,
            "value_as_concept_id": 0,
        }
        left = iter(words)
        for word in left:
            row |= self._part(word, left, event)
        self.add(event, **row)

    def _part(self, word: str, left: Any, event: str) -> Row:
        match = _NUMBER.fullmatch(word)
        if word in OUTCOMES:
            return {"value_as_concept_id": self.concept(*self._outcomes[word])}
        if word == "upper":
            return {"range_high": float(next(left))}
        if match:
            if match[1] and event == "observation":
                raise CannotCarry("a comparator in an observation")
            operator = {"operator_concept_id": OPERATORS[match[1]]} if event == "measurement" else {}
            return {"value_as_number": float(match[2]), **operator}
        if word in ("preliminary", "entered-in-error", "cancelled", "registered"):
            raise CannotCarry(f"a result that is {word}")
        if word in ("amended", "corrected"):
            return {}
        if word in self.terminology.known or "_" in word:
            return {"value_as_concept_id": self.concept(*code_of(word, self.terminology))}
        return {"unit_source_value": word, "unit_concept_id": UNIT_IDS.get(word, 0)}

    @cached_property
    def _outcomes(self) -> dict[str, tuple[str, str]]:
        """The code of each outcome of a test, none of them HL7's, which no CDM has; worked out once, for it is slow."""
        exact = {key: names for key, names in self.terminology.exact.items() if key[0] in _STANDARD}
        without = Terminology(exact, {}, self.terminology.known)
        return {word: code_of(f"result_{word}", without) for word in OUTCOMES}

    def _medication(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        status = words[0] if words else "active"
        if status not in ("active", "stopped", "completed"):
            raise CannotCarry(f"a drug that is {status}")
        start, until = times.get("since", times.get("on")), times.get("until")
        self.add(
            "drug_exposure",
            drug_exposure_id=self._next(),
            person_id=person,
            **coded,
            drug_exposure_start_date=_day(start),
            drug_exposure_end_date=_day(until or start),
            verbatim_end_date=_maybe(until),
            drug_type_concept_id=38000178,
            stop_reason=status if status != "active" else None,
            route_source_value=times.get("by"),
        )

    def _immunization(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        if words and words[0] != "completed":
            raise CannotCarry(f"a vaccine that is {words[0]}")
        if not coded["drug_concept_id"] and coded["drug_source_concept_id"]:
            raise CannotCarry("a vaccine of an unknown code: the CDM does not tell vaccines from drugs")
        day = _day(times.get("on"))
        self.add(
            "drug_exposure",
            drug_exposure_id=self._next(),
            person_id=person,
            **coded,
            drug_exposure_start_date=day,
            drug_exposure_end_date=day,
            drug_type_concept_id=32818,
        )

    def _procedure(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        if words and words[0] != "completed":
            raise CannotCarry(f"a procedure that is {words[0]}")
        self.add(
            "procedure_occurrence",
            procedure_occurrence_id=self._next(),
            person_id=person,
            **coded,
            procedure_date=_day(times.get("on")),
            procedure_type_concept_id=32817,
        )

    def _order(self, person: int, coded: Row, times: dict[str, str], words: list[str]) -> None:
        if words and words[0] != "active":
            raise CannotCarry(f"an order that is {words[0]}")
        self.add(
            "procedure_occurrence",
            procedure_occurrence_id=self._next(),
            person_id=person,
            **coded,
            procedure_date=_day(times.get("on")),
            procedure_type_concept_id=32833,
        )


_MAKERS: dict[str, Callable[[Cdm, int, Row, dict[str, str], list[str]], None]] = {
    "condition": Cdm._condition,
    "result": Cdm._result,
    "medication": Cdm._medication,
    "immunization": Cdm._immunization,
    "procedure": Cdm._procedure,
    "order": Cdm._order,
}


def _times(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    times: dict[str, str] = {}
    others: list[str] = []
    left = iter(words)
    for word in left:
        if word in ("on", "since", "until", "recorded", "by"):
            times[word] = next(left, "")
        else:
            others.append(word)
    return times, others


def _day(written: str | None) -> str:
    if written is None:
        raise CannotCarry("something without a day: the CDM requires one")
    try:
        return date.fromisoformat(written[:10] if "T" in written else written).isoformat()
    except ValueError:
        raise CannotCarry("a day of which only the month or year is known") from None


def _maybe(written: str | None) -> str | None:
    return None if written is None else _day(written)


# The columns of the CDM 5.4, as far as a test fills them, and some that nobody reads

COLUMNS = {
    "person": "person_id gender_concept_id care_site_id year_of_birth month_of_birth day_of_birth birth_datetime "
    "race_concept_id ethnicity_concept_id person_source_value",
    "death": "person_id death_date death_datetime death_type_concept_id cause_concept_id",
    "observation_period": "observation_period_id person_id observation_period_start_date observation_period_end_date "
    "period_type_concept_id",
    "visit_occurrence": "visit_occurrence_id person_id visit_concept_id visit_start_date visit_end_date",
    "condition_occurrence": "condition_occurrence_id person_id condition_concept_id condition_start_date "
    "condition_start_datetime condition_end_date condition_end_datetime condition_type_concept_id "
    "condition_status_concept_id stop_reason visit_occurrence_id condition_source_value "
    "condition_source_concept_id condition_status_source_value",
    "drug_exposure": "drug_exposure_id person_id drug_concept_id drug_exposure_start_date drug_exposure_start_datetime "
    "drug_exposure_end_date drug_exposure_end_datetime verbatim_end_date drug_type_concept_id stop_reason refills "
    "quantity days_supply sig route_source_value drug_source_value drug_source_concept_id",
    "procedure_occurrence": "procedure_occurrence_id person_id procedure_concept_id procedure_date procedure_datetime "
    "procedure_end_date procedure_type_concept_id procedure_source_value procedure_source_concept_id",
    "measurement": "measurement_id person_id measurement_concept_id measurement_date measurement_datetime "
    "measurement_type_concept_id operator_concept_id value_as_number value_as_concept_id unit_concept_id range_low "
    "range_high measurement_source_value measurement_source_concept_id unit_source_value value_source_value",
    "observation": "observation_id person_id observation_concept_id observation_date observation_type_concept_id "
    "value_as_number value_as_string value_as_concept_id unit_concept_id observation_source_value "
    "observation_source_concept_id unit_source_value value_source_value",
    "concept": "concept_id concept_name domain_id vocabulary_id concept_class_id standard_concept concept_code",
    "concept_ancestor": "ancestor_concept_id descendant_concept_id min_levels_of_separation max_levels_of_separation",
    "drug_strength": "drug_concept_id ingredient_concept_id amount_value amount_unit_concept_id",
    "condition_era": "condition_era_id person_id condition_concept_id condition_era_start_date condition_era_end_date",
}


def sql_type(column: str) -> str:
    """Return the type that the CDM gives a column."""
    if column.endswith("_date"):
        return "date"
    if column.endswith("_datetime"):
        return "timestamp"
    if column in ("value_as_number", "range_low", "range_high", "quantity", "amount_value"):
        return "double precision"
    whole = ("_id", "_of_birth", "refills", "days_supply", "_of_separation")
    return (
        "bigint"
        if column.endswith(whole)
        and column != "vocabulary_id"
        and not column.endswith(("domain_id", "concept_class_id"))
        else "varchar"
    )


def read_from(source: Path) -> Tables:
    """Return the tables of a folder of CSV or Parquet as rows, with the columns that COLUMNS has."""
    tables: Tables = {}
    with duckdb.connect() as base:
        for path in sorted(source.iterdir()):
            name = path.name.split(".")[0].lower()
            if name not in COLUMNS:
                continue
            reading = f"read_csv('{path}', all_varchar = true)" if ".csv" in path.name else f"read_parquet('{path}')"
            there = [one for one, *_ in base.execute(f"describe select * from {reading}").fetchall()]  # noqa: S608
            kept = [one for one in COLUMNS[name].split() if one in there]
            listed = ", ".join(_cast(one) for one in kept)
            found = base.execute(f"select {listed} from {reading}").fetchall()  # noqa: S608
            tables[name] = [dict(zip(kept, row, strict=True)) for row in found]
    return tables


def _cast(column: str) -> str:
    kind = sql_type(column)
    if kind == "varchar":  # gibleed has codes as numbers
        return f"coalesce(try_cast(try_cast({column} as bigint) as varchar), cast({column} as varchar))"
    return f"try_cast({column} as {kind})"


def put_csv(
    folder: Path, tables: Tables, mark: str = ",", *, packed: bool = False, upper: bool = False, suffix: str = ".csv"
) -> Path:
    """Write tables as text files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        path = folder / ((name.upper() if upper else name) + suffix + (".gz" if packed else ""))
        columns = COLUMNS[name].split()
        tabs = {"quoting": csv.QUOTE_NONE, "quotechar": None} if mark == "\t" else {}
        with (gzip.open if packed else open)(path, "wt", encoding="utf-8", newline="") as file:  # type: ignore[operator]
            writer = csv.writer(file, delimiter=mark, lineterminator="\n", **tabs)  # type: ignore[arg-type]
            writer.writerow([column.upper() if upper else column for column in columns])
            writer.writerows(
                [row.get(column, "") if row.get(column) is not None else "" for column in columns] for row in rows
            )
    return folder


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def put_duckdb(path: Path, tables: Tables, schema: str = "main") -> Path:
    """Write tables to a DuckDB database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as base:
        base.execute(f"create schema if not exists {schema}")
        for name, rows in tables.items():
            columns = COLUMNS[name].split()
            base.execute(f"create table {schema}.{name} ({', '.join(f'{one} {sql_type(one)}' for one in columns)})")
            given = pa.table({one: pa.array([_text(row.get(one)) for row in rows], pa.string()) for one in columns})
            base.register("given", given)
            casts = ", ".join(f"cast({one} as {sql_type(one)})" for one in columns)
            base.execute(f"insert into {schema}.{name} select {casts} from given")  # noqa: S608
    return path


def put_parquet(folder: Path, tables: Tables) -> Path:
    """Write tables as Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    database = put_duckdb(folder / "making.tmp", tables)
    with duckdb.connect(str(database)) as base:
        for name in tables:
            base.execute(f"copy {name} to '{folder}/{name}.parquet' (format parquet)")
    database.unlink()
    return folder


def put_postgres(url: str, tables: Tables, schema: str, vocabulary: str = "") -> str:
    """Write tables to a database, and return the URL of the source."""
    import psycopg

    with psycopg.connect(url) as base:
        for each in dict.fromkeys((schema, vocabulary or schema)):
            base.execute(f"create schema {each}")  # type: ignore[arg-type]
        for name, rows in tables.items():
            at = f"{vocabulary if vocabulary and name.startswith('concept') else schema}.{name}"
            columns = COLUMNS[name].split()
            base.execute(f"create table {at} ({', '.join(f'{one} {sql_type(one)}' for one in columns)})")  # type: ignore[arg-type]
            with base.cursor().copy(f"copy {at} from stdin") as copy:  # type: ignore[arg-type]
                for row in rows:
                    copy.write_row([row.get(column) for column in columns])
    return f"{url}?schema={schema}" + (f"&vocabulary={vocabulary}" if vocabulary else "")
