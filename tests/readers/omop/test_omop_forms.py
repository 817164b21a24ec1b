"""One CDM in every form that it may come in: the same records, entry by entry."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow.parquet as pq
import pytest

from precaution.cli import run
from precaution.cohort import cohort, plan
from precaution.errors import InputError, UsageError
from precaution.readers.omop.postgres import database_address, literal, relation
from support.ndjson_sources import LABEL, rows, table
from support.omop_sources import (
    COLUMNS,
    OWN_IDS,
    Cdm,
    Tables,
    put_csv,
    put_duckdb,
    put_parquet,
    put_postgres,
    read_from,
)
from support.postgres_server import GUARDED, server
from support.project import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = "2019-01-01"
READY = [
    "born 1980-05-14",
    "condition indication_rheumatoid_arthritis active since 2010-01-10",
    "result lab_anc 3.2 10*9/L on 2018-12-20",
    "result lab_hbsag negative on 2018-12-20",
    "medication drug_methotrexate stopped since 2012-02-01 until 2014-12-01",
    "text condition \"Tuberculosis, 'old' \\\\ | ; of, lung\"" + " since 2001-01-01",
    "immunization CVX|33 on 2015-10-01",
    "procedure skin_examination on 2016-11-05",
]
ODD = [
    "born 1975-02",
    "died 2030-01-01",
    "result lab_alt <10.5 U/L upper 40 on 2018-12-24",
    "result smoking_status_question smoking_current on 2018-01-15",
    "condition ICD10CM|I21.9 since 2015-03-02",
    "order major_surgery on 2019-02-01",
]


def own() -> Tables:
    cdm = Cdm(LABEL.terminology)
    for lines in (READY, ODD, [], ["born 1990"]):
        cdm.person(lines)
    return cdm.tables


def real(name: str) -> Tables:
    if not SHARED.is_dir():
        pytest.skip("../shared is not here")
    return read_from(SHARED / "data" / "omop" / name)


SOURCES = {"own": own, "gibleed-200": lambda: real("gibleed-200"), "synthea27nj": lambda: real("synthea27nj")}
NAMES = ["own", "gibleed-200", pytest.param("synthea27nj", marks=pytest.mark.slow)]
FORMS = {
    "bars": lambda at, tables: put_csv(at, tables, "|"),
    "tabs, packed, in capitals": lambda at, tables: put_csv(at, tables, "\t", packed=True, upper=True),
    "tsv": lambda at, tables: put_csv(at, tables, "\t", suffix=".tsv"),
    "parquet": put_parquet,
    "duckdb": lambda at, tables: put_duckdb(at / "cdm.duckdb", tables),
    "duckdb, in a schema": lambda at, tables: put_duckdb(at / "cdm.db", tables, "omop_cdm"),
}


def read(source: Path | str, out: Path, today: str = TODAY) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of entries and persons that a source comes to, in order."""
    cohort(source, out, today=today, workers=1, entries=True)
    found = {}
    for name in ("entries", "persons"):
        columns = pq.ParquetDataset(out / name).read().to_pydict()
        found[name] = sorted(zip(*columns.values(), strict=True), key=str)
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_every_form_of_files(name: str, tmp_path: Path) -> None:
    tables = SOURCES[name]()
    expected = read(put_csv(tmp_path / "csv", tables), tmp_path / "out")
    assert len(expected["entries"]) > 12
    forms = FORMS if name == "own" else {form: FORMS[form] for form in ("tabs, packed, in capitals", "duckdb")}
    for number, (form, put) in enumerate(forms.items()):
        found = read(put(tmp_path / str(number), tables), tmp_path / f"out-{number}")
        assert found == expected, form
    print(f"{name}: {len(expected['entries'])} entries the same in {len(forms) + 1} forms")  # noqa: T201


@pytest.mark.parametrize("name", ["gibleed-200", pytest.param("synthea27nj", marks=pytest.mark.slow)])
def test_the_files_as_they_are(name: str, tmp_path: Path) -> None:
    expected = read(put_csv(tmp_path / "csv", real(name)), tmp_path / "out")
    assert read(SHARED / "data" / "omop" / name, tmp_path / "again") == expected


@pytest.mark.parametrize("name", ["gibleed-200", pytest.param("synthea27nj", marks=pytest.mark.slow)])
@pytest.mark.parametrize("today", ["2010-01-01", "2019-01-01", "2022-06-01"])
def test_real_persons_are_all_decided_and_nobody_is_clear_without_tests(name: str, today: str, tmp_path: Path) -> None:
    source = SHARED / "data" / "omop" / name
    if not source.is_dir():
        pytest.skip("../shared is not here")
    summary = cohort(source, tmp_path / "out", today=today, workers=1)
    assert summary.people == {"gibleed-200": 207, "synthea27nj": 28}[name]
    assert (summary.failed, summary.decided + summary.died) == (0, summary.people)
    permissive = {"clear", "due", "caution", "weigh", "may-resume"}
    found = [row["action"] for row in rows(tmp_path / "out", "decisions")]
    assert len(found) == summary.decided
    assert permissive.isdisjoint(found)


# A database


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with server(tcp=True) as url:
        yield url


@pytest.mark.parametrize("name", NAMES)
def test_a_database(name: str, database: str, tmp_path: Path) -> None:
    tables = SOURCES[name]()
    expected = read(put_csv(tmp_path / "csv", tables), tmp_path / "out")
    schema = f"cdm_{name.replace('-', '_')}"
    url = put_postgres(database, tables, schema, vocabulary="" if name == "own" else f"vocabulary_{schema}")
    found = read(url, tmp_path / "database")
    assert found == expected
    print(f"{name}: {len(expected['entries'])} entries the same in files and in a database")  # noqa: T201


def test_two_processes_read_a_database_as_one_does(database: str, tmp_path: Path) -> None:
    url = put_postgres(database, own(), "twice")
    for workers in (1, 2):
        cohort(url, tmp_path / str(workers), today=TODAY, workers=workers, entries=True)
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file())
    assert [
        file for file in files if (tmp_path / "1" / file).read_bytes() != (tmp_path / "2" / file).read_bytes()
    ] == []


def test_nothing_is_written_there(database: str, tmp_path: Path) -> None:
    """A user who may only read is enough, and sees no table of ours."""
    url = put_postgres(database, own(), "readonly")
    with psycopg.connect(database) as base:
        base.execute("create role reader login")
        base.execute("grant usage on schema readonly to reader")
        base.execute("grant select on all tables in schema readonly to reader")
        base.execute("revoke temporary on database postgres from public")
        before = base.execute("select count(*) from pg_class").fetchone()
    cohort(url.replace("precaution@", "reader@"), tmp_path / "out", today=TODAY, workers=1)
    with psycopg.connect(database) as base:
        assert base.execute("select count(*) from pg_class").fetchone() == before
        assert base.execute("select pg_stat_get_db_tuples_inserted(oid) >= 0 from pg_database limit 1").fetchone()


def test_a_password_is_shown_nowhere(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "s3cret-canary"  # noqa: S105
    url = put_postgres(database, own(), "guarded_cdm").replace("precaution@", f"{GUARDED}:{secret}@")
    with psycopg.connect(database) as base:
        base.execute(f"create role {GUARDED} login password '{secret}'")  # type: ignore[arg-type]
        base.execute(f"grant usage on schema guarded_cdm to {GUARDED}")  # type: ignore[arg-type]
        base.execute(f"grant select on all tables in schema guarded_cdm to {GUARDED}")  # type: ignore[arg-type]
    assert run(["cohort", url, "--out", str(tmp_path / "out"), "--today", TODAY, "--dry-run"]) == 0
    assert run(["cohort", url, "--out", str(tmp_path / "out"), "--today", TODAY]) == 0
    assert run(["cohort", url.replace("s3", "S4"), "--out", str(tmp_path / "no"), "--today", TODAY]) == 3
    said = capsys.readouterr()
    assert "refuses this user or password" in said.err
    everything = (
        said.out
        + said.err
        + "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    )
    assert "canary" not in everything
    monkeypatch.setenv("PGPASSWORD", secret)
    bare = url.replace(f":{secret}@", "@")
    assert run(["cohort", bare, "--out", str(tmp_path / "env"), "--today", TODAY]) == 0
    assert table(tmp_path / "env", "decisions") == table(tmp_path / "out", "decisions")


def test_a_dry_run_lists_the_tables(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = put_postgres(database, own(), "planned")
    assert run(["cohort", url, "--out", str(tmp_path / "out"), "--today", TODAY, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "schema planned measurement" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), "can't be reached|can't be read"),
        (lambda url: url.replace("/postgres", "/nothing"), "no database of this name"),
        (lambda url: url + "?schema=empty", "holds no table PERSON"),
        (lambda url: url.replace("127.0.0.1", "no.such.host.invalid"), "can't be reached"),
    ],
)
def test_a_database_that_is_not_there(change: Any, why: str, database: str, tmp_path: Path) -> None:
    with pytest.raises((InputError, UsageError), match=why):
        cohort(change(database), tmp_path / "out", today=TODAY)


def test_a_column_of_another_type_in_a_database_is_said(database: str, tmp_path: Path) -> None:
    url = put_postgres(database, own(), "typed")
    with psycopg.connect(database) as base:
        base.execute("alter table typed.measurement alter column value_as_number type text")
    with pytest.raises(InputError, match="the column value_as_number is no number"):
        cohort(url, tmp_path / "out", today=TODAY, workers=1)


def test_a_connection_that_is_lost_leaves_nothing_complete(database: str, tmp_path: Path) -> None:
    url = put_postgres(database, own(), "lost")
    with psycopg.connect(database) as base:
        base.execute("create view lost.observation_2 as select 1")
        base.execute("drop table lost.observation")
        base.execute("""create view lost.observation as select 1::bigint as observation_id, 1::bigint as person_id,
            1 / 0 as observation_concept_id, date '2001-01-01' as observation_date""")
    with pytest.raises(InputError, match=r"schema lost: a value in it can't be read"):
        cohort(url, tmp_path / "out", today=TODAY, workers=1)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "postgresql://u@h:port/d"])
def test_other_urls_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="postgresql://user@host/name"):
        plan(url, tmp_path / "out")


def test_where_a_database_is_shown_without_user_and_password() -> None:
    at = database_address("postgresql://me:secret@host:5433/base?schema=cdm&vocabulary=vocab&sslmode=require")
    assert at.shown == "postgresql://host:5433/base schema cdm"
    assert at.url == "postgresql://me:secret@host:5433/base?sslmode=require"
    assert (at.schema, at.vocabulary) == ("cdm", "vocab")


@pytest.mark.parametrize("text", ["a", "o'clock", "back\\slash", 'quo"te', "{,}", "", "ü\n\t", "null", "%s $1"])
def test_any_text_is_given_to_a_database_as_it_is(text: str, database: str) -> None:
    with psycopg.connect(database) as base:
        given = relation(("a", "b", "c"), ("varchar", "bigint", "boolean"), [(text, 2**40, True), ("x", -1, False)])
        found = base.execute(f"select * from {given} t, (select {literal(text)}) u").fetchall()  # type: ignore[arg-type]  # noqa: S608
    assert found == [(text, 2**40, True, text), ("x", -1, False, text)]


def test_a_results_folder_is_not_a_cdm(tmp_path: Path) -> None:
    shutil.copytree(put_csv(tmp_path / "cdm", own()), tmp_path / "both")
    out = tmp_path / "both" / "out"
    cohort(tmp_path / "both", out, today=TODAY, workers=1, entries=True)
    assert json.loads((out / "run.json").read_text())["files"]
    with pytest.raises(UsageError, match="the source is there"):
        cohort(tmp_path / "both", tmp_path / "both", today=TODAY)
    assert max(LABEL.terminology.concept_ids) < OWN_IDS
    assert "condition_era" in COLUMNS
