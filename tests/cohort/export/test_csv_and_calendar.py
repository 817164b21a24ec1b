"""Tables as CSV and what is due as a calendar: nothing is lost, nothing is calculated, lines are as RFC 5545 says."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

pytest.importorskip("pyarrow")

from precaution.cli import run
from precaution.cohort import cohort
from precaution.cohort.export.calendar import LONGEST, DueDay, calendar, escaped, folded, write_calendar
from precaution.cohort.export.csv import BETWEEN, EVIDENCE, KEYS, SHEETS, write_sheets
from precaution.cohort.export.worklist import _FORMULA, neutral
from precaution.cohort.tables import TableRows
from precaution.errors import InputError
from support.ndjson_sources import rows
from support.project import PROJECT

TODAY = "2025-03-01"
Capture = pytest.CaptureFixture[str]


def original(cell: str) -> str:
    """Return the text that `neutral` made a cell of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sheets") / "out"
    cohort(PROJECT / "examples", out, today=TODAY, workers=1, audit=True, history=True)
    return out


def sheet(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [{key: original(cell) for key, cell in row.items()} for row in csv.DictReader(file)]


def as_written(value: object) -> str:
    if isinstance(value, list):
        return BETWEEN.join(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "" if value is None else str(value)


def test_every_table_comes_back_as_it_was(results: Path, tmp_path: Path) -> None:
    names = write_sheets(results, tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    assert {f"{name}.csv" for name in SHEETS} <= set(names)
    for name in SHEETS:
        expected = [
            {key: as_written(value) for key, value in row.items() if key != "evidence"} for row in rows(results, name)
        ]
        assert sheet(tmp_path, name) == expected


def test_the_evidence_comes_back_as_it_was(results: Path, tmp_path: Path) -> None:
    write_sheets(results, tmp_path)
    for name, key in KEYS.items():
        found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
        for row in sheet(tmp_path, f"{name}_evidence"):
            found[row["person"], row[key]].append({column: row[column] for column in EVIDENCE})
        expected = {(row["person"], row[key]): row["evidence"] for row in rows(results, name) if row["evidence"]}
        assert found == expected


@given(st.text(max_size=12) | st.from_regex(r"[=+\-@'\t\r\n＝].{0,4}", fullmatch=True))
def test_a_cell_is_no_formula_and_comes_back(cell: str) -> None:
    written = neutral(cell)
    assert isinstance(written, str)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert original(written) == cell


def test_no_table_of_results_has_a_formula(tmp_path: Path) -> None:
    """A patient's id is the only text of others: it may be anything."""
    out = tmp_path / "out"
    tables = TableRows()
    tables.add("missing", [('=HYPERLINK("http://x")', "fact", "+title", "@why", ["-rule"], "a label")])
    tables.write(out, "part-0000", ["missing"])
    (out / "quality.json").write_text(
        '{"people":0,"decided":0,"died":0,"failed":0,"actions":{},"problems":{}}', encoding="utf-8"
    )
    (out / "_SUCCESS").write_text("")
    for name in KEYS:
        tables.write(out, "part-0000", [name])
    write_sheets(out, tmp_path / "sheets")
    text = (tmp_path / "sheets" / "missing.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == '"\'=HYPERLINK(""http://x"")",fact,\'+title,\'@why,\'-rule,a label'


def test_results_that_are_not_complete_are_not_written(tmp_path: Path, results: Path) -> None:
    with pytest.raises(InputError, match="no complete results"):
        write_sheets(tmp_path, tmp_path / "sheets")
    assert run(["export", str(tmp_path), "--csv", str(tmp_path / "x")]) == 3
    assert run(["export", str(results)]) == 2


def test_the_command_writes_both(results: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["export", str(results), "--csv", str(tmp_path / "csv"), "--ics", str(tmp_path / "due.ics")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "csv" / "decisions.csv").exists()
    text = (tmp_path / "due.ics").read_bytes().decode()
    due = [row for row in rows(results, "due") if row["state"] in ("upcoming", "due", "overdue") and row["due"]]
    assert text.count("BEGIN:VEVENT\r\n") == len(due) > 5
    assert len(set(re.findall(r"UID:(.*)\r", text))) == len(due)


# The calendar


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def plain(value: str) -> str:
    """Return a value of type TEXT as it was, as RFC 5545 says."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


DUE = DueDay("p-1", "lipids", "overdue", "2025-02-12", "2025-03-12", "Lipids; about 12 weeks, then yearly", ("S36",))


def test_an_event_is_a_whole_day_with_its_reason() -> None:
    lines = unfolded(calendar(iter([DUE]), "2025-02-12"))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert {
        "VERSION:2.0",
        "DTSTART;VALUE=DATE:20250212",
        "DTEND;VALUE=DATE:20250213",
        "DTSTAMP:20250212T000000Z",
        r"SUMMARY:Lipids\; about 12 weeks\, then yearly (p-1)",
    } <= set(lines)
    about, alarm = (line for line in lines if line.startswith("DESCRIPTION:"))
    assert plain(alarm) == "DESCRIPTION:Lipids; about 12 weeks, then yearly (p-1)"
    assert plain(about).startswith("DESCRIPTION:overdue on 2025-02-12; overdue after 2025-03-12; S36. Supports")


def test_every_event_has_an_alarm_on_its_morning(results: Path, tmp_path: Path) -> None:
    write_calendar(results, tmp_path / "due.ics")
    events = Calendar.from_ical((tmp_path / "due.ics").read_bytes()).walk("VEVENT")
    assert len(events) > 5
    for event in events:
        (alarm,) = event.walk("VALARM")
        assert (alarm["ACTION"], alarm["TRIGGER"].dt) == ("DISPLAY", timedelta(hours=9))


@pytest.mark.parametrize(("state", "says"), [("overdue", "Overdue since"), ("due", "Due since")])
def test_what_is_past_stands_on_the_day_of_the_results_and_says_since_when(state: str, says: str) -> None:
    (event,) = Calendar.from_ical(calendar(iter([DUE._replace(state=state)]), TODAY)).walk("VEVENT")
    assert event["DTSTART"].dt == date(2025, 3, 1)
    assert event["SUMMARY"] == f"{says} 2025-02-12: Lipids; about 12 weeks, then yearly (p-1)"


def test_the_last_day_of_a_month_ends_in_the_next() -> None:
    assert "DTEND;VALUE=DATE:20250301" in calendar(iter([DUE._replace(due="2025-02-28")]), "2025-02-01")


@given(st.text(max_size=300))
def test_a_line_is_never_too_long_and_comes_back(text: str) -> None:
    line = "".join(letter for letter in text if letter.isprintable())
    parts = folded(line).split("\r\n")
    assert all(len(part.encode()) <= LONGEST for part in parts)
    assert "".join([parts[0], *(part[1:] for part in parts[1:])]) == line
    assert all(part.startswith(" ") for part in parts[1:])


@given(st.text(max_size=50))
def test_a_text_comes_back_without_what_cannot_be_printed(text: str) -> None:
    written = escaped(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", written)
    assert plain(written) == "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def test_the_same_person_duty_and_day_is_the_same_event() -> None:
    first, other = (
        re.findall(r"UID:(.*)\r", calendar(iter([each]), TODAY))
        for each in (DUE, DUE._replace(due=date(2025, 3, 3).isoformat()))
    )
    assert first != other
    assert first == re.findall(r"UID:(.*)\r", calendar(iter([DUE._replace(state="due")]), "2025-03-02"))
