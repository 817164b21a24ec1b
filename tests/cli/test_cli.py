"""The command line: what it prints where, its exit codes, its hints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import click
import pytest

from precaution import __version__, errors
from precaution.cli import group, main, output, run
from precaution.cli.patients import as_grave_as
from precaution.errors import UsageError
from support.project import PROJECT
from support.sample_label import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = "2025-03-01"
PATIENT = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}}],
}
COMMANDS = sorted(group.precaution.commands)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def patient(tmp_path: Path) -> str:
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(PATIENT), encoding="utf-8")
    return str(file)


def call(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "precaution", *arguments],
        input=stdin.encode() if stdin is not None else None,
        capture_output=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
    )


# Help


def test_the_commands() -> None:
    assert COMMANDS == [
        "assess",
        "audit",
        "booklet",
        "check",
        "clinic",
        "cohort",
        "completion",
        "demo-cohort",
        "explain",
        "export",
        "hook",
        "label",
        "labels",
        "letters",
        "questionnaire",
        "read",
        "report",
        "review",
        "serve",
        "sql",
        "store",
        "timeline",
        "worklist",
    ]


def whole_commands(of: click.Group = group.precaution, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, those in groups too."""
    for name, command in of.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from whole_commands(command, (*before, name))


@pytest.mark.parametrize("command", list(whole_commands()), ids=" ".join)
def test_every_command_has_help_with_examples_that_fits_a_terminal(
    command: tuple[str, ...], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*command, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"precaution {' '.join(command)}" in said.split("Examples:")[1]
    assert [line for line in said.splitlines() if len(line) > 80] == []
    assert "Exit codes" not in said, "they are said once, by `precaution --help`"


@pytest.mark.parametrize("command", list(whole_commands()), ids=" ".join)
def test_every_option_has_help(command: tuple[str, ...]) -> None:
    found: click.Command = group.precaution
    for word in command:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    options = [each for each in found.params if isinstance(each, click.Option)]
    assert [option.name for option in options if not (option.help or "").split("[")[0]] == []


def test_each_command_stands_in_one_section() -> None:
    assert sorted(name for names in group.SECTIONS.values() for name in names) == COMMANDS


def test_the_help_lists_each_command_in_a_line_and_the_exit_codes(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [title for title in lines if title.removesuffix(":") in group.SECTIONS] == [f"{t}:" for t in group.SECTIONS]
    for name in COMMANDS:
        (line,) = [each for each in lines if each.startswith(f"  {name} ")]
        assert line.endswith(".")
    codes = lines[lines.index("Exit codes:") + 1 :]
    assert codes == [f"  {code:<3}  {means}" for code, means in errors.EXIT_CODES.items()]


def test_the_version(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"precaution {__version__}\n"


def test_help_loads_no_module_that_only_a_command_needs() -> None:
    code = "import sys; from precaution.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    )
    own = {name for name in loaded if name.startswith("precaution.") and not name.startswith("precaution.cli")}
    assert own <= {"precaution.errors", "precaution.labels"}
    assert not loaded & {"jinja2", "jiter", "tomli", "csv", "json"}


def test_the_console_script_and_the_module_are_one(project: Path) -> None:
    scripts = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"precaution": "precaution.__main__:main"}
    assert call("--version").stdout.decode() == f"precaution {__version__}\n"
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0


# Usage errors: exit code 2, one line and a hint on stderr, nothing on stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["asess"], "'asess' is no command. Did you mean 'assess'?"),
        (["assess", "x", "--tody", TODAY], "--today"),
        (["assess"], "Missing argument 'PATIENT'"),
        (["assess", "x", "--today", "1 March"], "'1 March' is no day; write it as 2025-03-01"),
        (["assess", "x", "--today", "20250301"], "'20250301' is no day"),
        (["assess", "x", "--today", "2025-02-30"], "'2025-02-30' is no day"),
        (["assess", "x", "--stage", "later"], "before-start"),
        (["assess", "x", "--today", TODAY, "--fail-on", "do-not-strat"], "Did you mean 'do-not-start'?"),
        (["assess", "x", "--today", TODAY, "--label", "baricitinip"], "Did you mean 'baricitinib'?"),
        (["explain", "low-neutrophil"], "Did you mean 'low-neutrophils'?"),
        (["completion", "tcsh"], "bash"),
        (["check", "--rule", "low-neutrophil"], "Did you mean 'low-neutrophils'?"),
        (["check", "baricitinip"], "Did you mean 'baricitinib'?"),
        (["check", "baricitinib", "--label", "baricitinib"], "named twice"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str, capsys: Capture) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("precaution: ")
    assert message in said.err
    assert "Traceback" not in said.err


def test_no_command_at_all_shows_the_help(capsys: Capture) -> None:
    assert run([]) == 2
    assert "One patient:" in capsys.readouterr().err


def test_a_wrong_answer_names_the_questions(patient: str, capsys: Capture) -> None:
    assert run(["assess", patient, "--today", TODAY, "--answer", "A99=yes"]) == 2
    assert "A99" in capsys.readouterr().err


# Input and knowledge errors


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"resourceType": "Patient"', '{"resourceType": "Observation", "id": "o"}']
)
@pytest.mark.parametrize("command", ["assess", "read", "timeline"])
def test_a_record_that_can_not_be_read(command: str, text: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "record.json"
    file.write_text(text, encoding="utf-8")
    assert run([command, str(file)]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("precaution: ")


def test_a_missing_file(capsys: Capture) -> None:
    assert run(["assess", "nowhere.json", "--today", TODAY]) == 3
    assert "nowhere.json" in capsys.readouterr().err


def test_a_wrong_policy(patient: str, tmp_path: Path, capsys: Capture) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('count-max-agee = "14 days"\n', encoding="utf-8")
    assert run(["assess", patient, "--today", TODAY, "--policy", str(policy)]) == 5
    assert capsys.readouterr().out == ""


def test_a_folder_with_something_wrong_in_it(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "label.toml").write_text("name = 1\n", encoding="utf-8")
    assert run(["check", str(tmp_path)]) == 5
    assert "label.toml" in capsys.readouterr().out


@pytest.mark.slow
def test_the_label_of_the_package_is_right(capsys: Capture) -> None:
    assert run(["check"]) == 0
    assert "no problems" in capsys.readouterr().out


@pytest.mark.slow
def test_the_label_is_that_of_the_text(shared: Path, capsys: Capture) -> None:
    assert run(["check", "--text", str(shared / "clinical" / "label.txt")]) == 0
    capsys.readouterr()


def test_another_text_is_refused(tmp_path: Path, capsys: Capture) -> None:
    text = tmp_path / "other.txt"
    text.write_text("Not the label.", encoding="utf-8")
    assert run(["explain", "low-neutrophils", "--text", str(text)]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "S01 is not the sentence" in said.err


def test_the_exact_words_are_shown_where_the_text_is_given(shared: Path, capsys: Capture) -> None:
    text = shared / "clinical" / "label.txt"
    assert run(["explain", "S19", "--text", str(text)]) == 0
    first = " ".join(capsys.readouterr().out.split("\n\n")[0].split())
    assert first.split("“")[1].rstrip("”") in " ".join(text.read_text(encoding="utf-8").split())


# What the commands print


def test_assess_in_text(patient: str, capsys: Capture) -> None:
    assert run(["assess", patient, "--today", TODAY]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Before starting baricitinib: ? ")
    assert "● clear" not in said.out
    assert said.err == ""


def test_assess_in_json(patient: str, capsys: Capture) -> None:
    assert run(["assess", patient, "--today", TODAY, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["label"]["name"], answer["today"], answer["stage"]) == ("baricitinib", TODAY, "before-start")
    assert answer["missing"]


def test_assess_with_all_lists_rules_that_do_not_hold(patient: str, capsys: Capture) -> None:
    run(["assess", patient, "--today", TODAY, "--json"])
    some = json.loads(capsys.readouterr().out)["findings"]
    run(["assess", patient, "--today", TODAY, "--json", "--all"])
    every = json.loads(capsys.readouterr().out)["findings"]
    assert len(every) > len(some)
    assert {finding["state"] for finding in every} > {finding["state"] for finding in some}


def test_assess_from_stdin_says_the_same(patient: str, capsys: Capture) -> None:
    run(["assess", patient, "--today", TODAY])
    assert call("assess", "-", "--today", TODAY, stdin=json.dumps(PATIENT)).stdout.decode() == capsys.readouterr().out


def test_without_a_day_today_is_taken_and_said(patient: str, capsys: Capture) -> None:
    assert run(["assess", patient, "--json"]) == 0
    said = capsys.readouterr()
    assert f"taking today, {json.loads(said.out)['today']}" in said.err


def test_an_answer_reaches_the_decision(patient: str, capsys: Capture) -> None:
    run(["assess", patient, "--today", TODAY, "--json", "--all", "--answer", "A11=yes@2025-02-01"])
    asks = {ask["number"]: ask for ask in json.loads(capsys.readouterr().out)["asks"]}
    assert (asks["A11"]["answered"], asks["A11"]["date"]) == ("yes", "2025-02-01")


def test_a_policy_reaches_the_decision(patient: str, tmp_path: Path, capsys: Capture) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[parameter]\ncount-max-age = "14 days"\n', encoding="utf-8")
    assert run(["assess", patient, "--today", TODAY, "--policy", str(policy)]) == 0
    assert "a site's policy was used: count-max-age = 14 days" in capsys.readouterr().out


@pytest.mark.parametrize(("action", "code"), [("obtain", 4), ("clear", 4), ("discontinue", 0)])
def test_fail_on(action: str, code: int, patient: str, capsys: Capture) -> None:
    assert run(["assess", patient, "--today", TODAY, "--fail-on", action]) == code
    assert capsys.readouterr().out != ""


def test_the_gravest_actions_come_first() -> None:
    assert as_grave_as("do-not-start", LABEL) == {"discontinue", "do-not-start"}
    assert "only-if-no-alternative+attested" not in as_grave_as("only-if-no-alternative", LABEL)
    with pytest.raises(UsageError, match="Gravest first: discontinue"):
        as_grave_as("nothing", LABEL)


def test_read(patient: str, capsys: Capture) -> None:
    assert run(["read", patient]) == 0
    assert capsys.readouterr().out.startswith("Birth 1980-01-01; died no\n")
    assert run(["read", patient, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["birth"] == "1980-01-01"


def test_timeline(patient: str, capsys: Capture) -> None:
    assert run(["timeline", patient, "--today", TODAY]) == 0
    assert capsys.readouterr().out.startswith(f"{TODAY}  Before starting baricitinib: ")
    assert run(["timeline", patient, "--today", TODAY, "--json"]) == 0
    assert [each["today"] for each in json.loads(capsys.readouterr().out)] == [TODAY]


def test_explain_with_and_without_a_patient(patient: str, capsys: Capture) -> None:
    assert run(["explain", "low-neutrophils"]) == 0
    assert "For this patient" not in capsys.readouterr().out
    assert run(["explain", "low-neutrophils", patient, "--today", TODAY]) == 0
    said = capsys.readouterr().out
    assert f"For this patient on {TODAY}, before-start" in said
    assert "would settle it" in said


def test_a_misspelt_rule_is_said_before_a_patient_is_read(capsys: Capture) -> None:
    assert run(["explain", "low-neutrophil", "nowhere.json", "--today", TODAY]) == 2
    assert "nowhere.json" not in capsys.readouterr().err


def test_labels(capsys: Capture) -> None:
    assert run(["labels", str(PROJECT / "tests" / "wrong" / "_good")]) == 0
    assert "53 of 53 sentences are read" in capsys.readouterr().out
    assert run(["labels", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["name"], first["sentences"], first["read"], first["signed"]) == ("baricitinib", 53, 53, 0)


def test_label(capsys: Capture) -> None:
    assert run(["label"]) == 0
    assert "S53" in capsys.readouterr().out
    assert run(["label", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["statements"]) == 53


@pytest.mark.slow
def test_booklet_is_written_and_checked(tmp_path: Path, capsys: Capture) -> None:
    assert run(["booklet", "--out", str(tmp_path), "--check"]) == 5
    assert "write it anew with `precaution booklet`" in capsys.readouterr().err
    assert run(["booklet", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["baricitinib.html", "baricitinib.md"]
    assert run(["booklet", "--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "baricitinib.md").write_text("stale", encoding="utf-8")
    assert run(["booklet", "--out", str(tmp_path), "--check"]) == 5


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["booklet"], marks=pytest.mark.slow),
        ["demo-cohort", "2", "--today", TODAY],
        pytest.param(["sql", "--dialect", "duckdb"], marks=pytest.mark.slow),
    ],
    ids=lambda each: each[0],
)
def test_what_can_not_be_written_is_said(command: list[str], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").touch()
    assert run([*command, "--out", str(tmp_path / "file" / "x")]) == 1
    assert "can't be written: Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion(shell: str, capsys: Capture) -> None:
    assert run(["completion", shell]) == 0
    assert "_PRECAUTION_COMPLETE" in capsys.readouterr().out


def test_completion_completes() -> None:
    words = call(_PRECAUTION_COMPLETE="bash_complete", COMP_WORDS="precaution as", COMP_CWORD="1").stdout.decode()
    assert words.strip() == "plain,assess"


# Terminals


class Terminal:
    """A stand-in for stdout."""

    def __init__(self, *, tty: bool, encoding: str = "utf-8") -> None:
        self.tty, self.encoding, self.text = tty, encoding, ""

    def isatty(self) -> bool:
        return self.tty

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


@pytest.mark.parametrize(
    ("tty", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_only_on_a_terminal_that_wants_it(
    tty: bool, environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tty=tty)
    monkeypatch.setattr(sys, "stdout", terminal)
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    output.emit("On examplinib: ■ interrupt\n\n○ due   Lipids\n")
    assert ("\x1b[" in terminal.text) is coloured


def test_colour_changes_no_word() -> None:
    text = "Before x: ■ do not start    2025\n▲ only if no alternative (attested)   tell\n? question A1     Is it?\n"
    painted = output._painted(text)
    assert painted.count("\x1b[0m") == 3
    assert click.unstyle(painted) == text


def test_an_output_without_unicode_gets_ascii(patient: str) -> None:
    done = call("assess", patient, "--today", TODAY, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert done.stderr == b""


def test_no_output_has_an_escape_code_unless_on_a_terminal(patient: str) -> None:
    assert b"\x1b" not in call("assess", patient, "--today", TODAY).stdout


def test_a_closed_pipe_is_no_error_and_hides_no_exit_code(patient: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "precaution", "assess", patient, "--today", TODAY, "--fail-on", "clear"],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (4, b"")


# Mistakes of the program itself, and interruption


def _raise(error: BaseException) -> None:
    raise error


def test_a_mistake_shows_where_it_is_and_no_data(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.delenv("PRECAUTION_TRACEBACK", raising=False)
    monkeypatch.setattr(group.precaution, "main", lambda *_, **__: _raise(ValueError("Jane Doe")))
    assert run(["label"]) == 1
    said = capsys.readouterr()
    assert (said.out, "Jane Doe" in said.err, "Traceback" in said.err) == ("", False, False)
    assert "ValueError at test_cli.py:" in said.err


def test_a_mistake_can_be_seen_whole_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECAUTION_TRACEBACK", "1")
    monkeypatch.setattr(group.precaution, "main", lambda *_, **__: _raise(ValueError("Jane Doe")))
    with pytest.raises(ValueError, match="Jane Doe"):
        run(["label"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(group.precaution, "main", lambda *_, **__: _raise(error))
    assert run(["label"]) == 130
    assert capsys.readouterr().err == "precaution: interrupted\n"


def test_an_interruption_while_modules_load_says_one_line() -> None:
    code = (
        "import sys, builtins\n"
        "real = builtins.__import__\n"
        "def load(name, *more):\n"
        "    if name == 'precaution.cli': raise KeyboardInterrupt\n"
        "    return real(name, *more)\n"
        "from precaution.__main__ import main\n"
        "builtins.__import__ = load\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "precaution: interrupted\n")
