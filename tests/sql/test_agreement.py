"""The generated SQL says what the interpreter says, cell by cell: stage, facts, answers, rules, holds, duties, action.

Each was written from the label's folder by itself, so what both say is not the mistake of one.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.effort import tries
from support.project import PROJECT, needs

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
pytest.importorskip("sqlglot")

from precaution.assessment import as_day
from precaution.engine.decision import decide
from support import doc_blocks, sql_people
from support.edge_records import EdgeRecords, other_policy
from support.every_option_label import every_option
from support.sql_comparison import Asked, Engine, compared, on_duckdb, on_postgres, on_spark, say, written
from support.sql_people import LABEL
from support.stores import fresh_url

GUIDE = PROJECT / "docs" / "guides" / "sql.md"
SEEDS = st.integers(0, 2**32)
few = settings(max_examples=tries(1, 4), deadline=None, suppress_health_check=list(HealthCheck))
"""Each example is some hundred people: their records are many, the scripts that run over them few."""
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"absence": "attested", "suspected": "yes", "same_day": "unknown", "complete": ("condition",)},
    {"suspected": "yes", "complete": ("medication", "order"), "three": 4, "short": 0, "apart": 30},
    {"same_day": "unknown", "two": 1, "grace": 0, "gap": 0, "age": 0},
)
UNCOMPILED = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


# DuckDB


@pytest.mark.slow
def test_every_case_of_the_label() -> None:
    groups = sql_people.cases()
    assert sum(len(group.asked) for group in groups) > 1500
    say("cases", sum(compared(group.asked, group.label, on_duckdb, "duckdb") for group in groups))


@pytest.mark.slow
def test_the_examples_and_a_demo_cohort() -> None:
    say("examples", compared(sql_people.examples(), LABEL, on_duckdb, "duckdb"))
    say("demo cohort", compared(sql_people.demo(300), LABEL, on_duckdb, "duckdb"))


@pytest.mark.slow
def test_all_shared_records(shared: Path) -> None:
    asked = sql_people.shared()
    assert len(asked) > 400
    say("shared records", compared(asked, LABEL, on_duckdb, "duckdb"))


@few
@given(SEEDS)
def test_records_made_at_random(seed: int) -> None:
    say(f"records {seed}", compared(EdgeRecords(LABEL, seed).asked(400), LABEL, on_duckdb, "duckdb"))


@pytest.mark.slow
@few
@given(SEEDS)
def test_records_made_at_random_under_a_policy_made_at_random(seed: int) -> None:
    label = other_policy(LABEL, seed)
    say(f"policy {seed}", compared(EdgeRecords(label, seed).asked(200), label, on_duckdb, "duckdb"))


@few
@given(SEEDS, st.sampled_from(POLICIES))
def test_a_label_that_uses_every_option(seed: int, policy: dict[str, Any]) -> None:
    label = every_option(**policy)
    say(f"invented label {seed}", compared(EdgeRecords(label, seed).asked(300), label, on_duckdb, "duckdb"))


@pytest.mark.slow
def test_the_order_of_rows_means_nothing() -> None:
    asked = EdgeRecords(LABEL, 11).asked(100)
    statements = written(LABEL, "duckdb")
    first = on_duckdb(statements, asked)
    again = on_duckdb(statements, random.Random(1).sample(asked, len(asked)))  # noqa: S311
    for one, other in zip(first, again, strict=True):
        assert sorted(map(str, one)) == sorted(map(str, other))


# PostgreSQL


@pytest.fixture(scope="module")
def database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    psycopg = pytest.importorskip("psycopg")
    with (
        fresh_url("postgresql", tmp_path_factory.mktemp("postgres"), postgres) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


@pytest.fixture(scope="module")
def on_database(database: Any) -> Engine:
    return lambda statements, asked: on_postgres(database, statements, asked)


def test_the_cases_on_postgres(on_database: Engine) -> None:
    first, *others = sql_people.cases()
    for group in (first, *sorted(others, key=lambda group: -len(group.asked))[:3]):
        say("cases on PostgreSQL", compared(group.asked, group.label, on_database, "postgres"))


def test_records_made_at_random_on_postgres(on_database: Engine) -> None:
    say("records on PostgreSQL", compared(EdgeRecords(LABEL, 21).asked(600), LABEL, on_database, "postgres"))
    for number, policy in enumerate(POLICIES):
        label = every_option(**policy)
        say(
            "invented label on PostgreSQL",
            compared(EdgeRecords(label, number).asked(300), label, on_database, "postgres"),
        )


def test_shared_records_on_postgres(on_database: Engine, shared: Path) -> None:
    say("shared records on PostgreSQL", compared(sql_people.shared()[::3], LABEL, on_database, "postgres"))


def test_the_commands_of_the_guide_on_postgres(database: Any, tmp_path: Path) -> None:
    needs(shutil.which("psql"), "psql")
    people = [each for each in sql_people.examples() if each.stage is None]
    on_postgres(database, [*written(LABEL, "postgres")], people)
    (block,) = doc_blocks.blocks("sh", [GUIDE])
    info = database.info
    where = {"PGHOST": info.host, "PGUSER": info.user, "PGDATABASE": info.dbname}
    environment = {**doc_blocks._environment(), **where}
    done = subprocess.run(
        ["sh", "-ec", block.text],  # noqa: S607
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    rows = database.execute("SELECT person, action, attested FROM precaution_decisions").fetchall()
    day = as_day("2025-03-01")
    decisions = {each.person: decide(each.record, LABEL, day).decision for each in people}
    assert {row[0]: row[1:] for row in rows} == {who: (each.action, each.attested) for who, each in decisions.items()}


# Spark


@pytest.fixture(scope="module")
def on_session(spark: Any) -> Engine:
    """Scripts run in a session of their own. Rows are few and expressions long: compiling these would take longest."""
    session = spark.newSession()
    for name, value in UNCOMPILED.items():
        session.conf.set(name, value)
    return lambda statements, asked: on_spark(session, statements, asked)


def test_cases_and_records_on_spark(on_session: Engine) -> None:
    asked: list[Asked] = [*sql_people.cases()[0].asked[::6], *EdgeRecords(LABEL, 31).asked(150)]
    say("on Spark", compared(asked, LABEL, on_session, "spark"))


def test_a_label_that_uses_every_option_on_spark(on_session: Engine) -> None:
    label = every_option()
    say("invented label on Spark", compared(EdgeRecords(label, 32).asked(200), label, on_session, "spark"))
