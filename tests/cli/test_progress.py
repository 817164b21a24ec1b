"""The line of progress on a terminal."""

from __future__ import annotations

import sys

import pytest

from precaution.cli.progress import ProgressLine

Capture = pytest.CaptureFixture[str]


def at(monkeypatch: pytest.MonkeyPatch, *seconds: float, terminal: bool = True) -> ProgressLine:
    """Return a line that looks at the clock at these seconds."""
    now = iter(seconds)
    monkeypatch.setattr("precaution.cli.progress.monotonic", lambda: next(now))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    return ProgressLine()


def test_progress_is_one_line_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with at(monkeypatch, 0.0, 10.0, 10.1, 20.0) as line:
        for done in (0, 200, 500, 1000):
            line.show("patients decided", done, 4000)
    said = capsys.readouterr().err
    assert said.count("patients decided") == 2
    assert "\r\x1b[K1,000 of 4,000 patients decided, 50 a second, 60 s left" in said
    assert said.endswith("\r\x1b[K"), "it is taken away at the end"
    assert "\n" not in said


def test_what_is_short_shows_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with at(monkeypatch, 100.0, 100.2) as line:
        line.of("cases")(10, 20)
        line.of("cases")(20, 20)
    assert capsys.readouterr().err == ""


def test_nothing_is_shown_but_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with at(monkeypatch, 0.0, 10.0, terminal=False) as line:
        line.show("cases", 1, 20)
        line.show("cases", 10, 20)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("left", "said"),
    [(5e9, "5 s left"), (90e9, "90 s left"), (600e9, "10 min left"), (9e12, "2 h 30 min left")],
)
def test_bytes_are_shown_as_megabytes_in_one_line_of_a_terminal(
    left: float, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    line = at(monkeypatch, 0.0, 10.0)
    line.show("bytes sorted", 0, 1)
    line.show("bytes sorted", 10_000_000_000, int(10_000_000_000 + left))
    written = capsys.readouterr().err.removeprefix("\r\x1b[K")
    assert written.startswith("10,000 of ")
    assert written.endswith(f" MB sorted, 1,000 MB a second, {said}")
    assert len(written) < 80
