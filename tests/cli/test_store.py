"""The commands on the store: `store`, and `assess --store`."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from precaution.cli import run
from precaution.service.store import Store, TrailEvent
from support.project import PROJECT
from support.stores import answer, card, execute

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
RESTRICTED = str(PROJECT / "examples" / "restricted.json")
TODAY = ["--today", "2025-03-01"]


@pytest.fixture
def url(store_url: str) -> str:
    """The URL of a store with three events."""
    store = Store(store_url)
    store.upgrade()
    store.keep([card(patient="restricted")], TrailEvent(kind="decision", patient="restricted"))
    store.answer("https://fhir.example.org", "restricted", [answer()])
    store.note(TrailEvent(kind="start"))
    store.close()
    return store_url


def printed(capsys: Capture, *command: str, code: int = 0) -> str:
    assert run(list(command)) == code
    told = capsys.readouterr()
    if code not in (0, 8):
        assert told.out == ""
        return told.err
    return told.out


# Tables


def test_an_upgrade_says_what_it_did(store_url: str, capsys: Capture) -> None:
    assert "were none" in printed(capsys, "store", "upgrade", "--store", store_url)
    assert "as before" in printed(capsys, "store", "upgrade", "--store", store_url)


def test_the_store_may_be_named_by_the_environment(url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECAUTION_STORE_URL", url)
    assert "3 events" in printed(capsys, "store", "verify")


def test_a_purge_says_what_went(url: str, capsys: Capture) -> None:
    told = printed(capsys, "store", "purge", "--store", url, "--json", *TODAY)
    assert json.loads(told) == {"cards": 0, "feedback": 0, "answers": 0, "events": 0}
    assert "deleted 0 cards" in printed(capsys, "store", "purge", "--store", url, "--days", "9", *TODAY)


@pytest.mark.parametrize("command", [["store", "verify"], ["store", "head"], ["store", "export"], ["store", "purge"]])
def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: Capture, command: list[str]) -> None:
    day = TODAY if command[1] == "purge" else []
    assert "there is no store" in printed(capsys, *command, "--store", f"sqlite:///{tmp_path}/none", *day, code=7)
    assert not (tmp_path / "none").exists()


def test_a_server_without_tables_says_what_to_run(store_url: str, capsys: Capture) -> None:
    if store_url.startswith("postgresql"):
        assert "precaution store upgrade" in printed(capsys, "store", "verify", "--store", store_url, code=7)


@pytest.mark.parametrize("command", [["store"], ["store", "nonsense"]])
def test_a_mistyped_command_is_wrong_usage(capsys: Capture, command: list[str]) -> None:
    assert run(command) == 2
    assert capsys.readouterr().out == ""


# The trail


def test_a_whole_trail_is_said_to_be_whole(url: str, capsys: Capture, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text(printed(capsys, "store", "head", "--store", url))
    assert json.loads(head.read_text())["seq"] == 3
    told = printed(capsys, "store", "verify", "--store", url)
    assert "3 events" in told
    assert "shows only with --head" in told
    told = printed(capsys, "store", "verify", "--store", url, "--head", str(head))
    assert "● whole\n" in told
    found = json.loads(printed(capsys, "store", "verify", "--store", url, "--json"))
    assert (found["whole"], found["events"], found["problems"], found["head"]["seq"]) == (True, 3, [], 3)


def broken(url: str, *statements: str) -> None:
    if url.startswith("sqlite"):
        triggers = [name for (name,) in execute(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        execute(url, *(f"DROP TRIGGER {name}" for name in triggers))
    else:
        execute(url, "ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit_details DISABLE TRIGGER ALL")
    execute(url, *statements)


def test_an_edited_trail_is_found(url: str, capsys: Capture) -> None:
    broken(url, "UPDATE audit_details SET payload = replace(payload, 'restricted', 'somebody') WHERE seq = 1")
    told = printed(capsys, "store", "verify", "--store", url, code=8)
    assert "■ link 1: what happened was changed" in told
    assert "■ not whole" in told
    found = json.loads(printed(capsys, "store", "verify", "--store", url, "--json", code=8))
    assert found["whole"] is False


def test_a_trail_cut_off_is_found_with_a_head(url: str, capsys: Capture, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text(printed(capsys, "store", "head", "--store", url))
    broken(url, "DELETE FROM audit_details WHERE seq = 3", "DELETE FROM audit WHERE seq = 3")
    printed(capsys, "store", "verify", "--store", url)
    told = printed(capsys, "store", "verify", "--store", url, "--head", str(head), code=8)
    assert "cut off after link 2" in told


@pytest.mark.parametrize(
    ("content", "code"), [("{}", 2), ("[1]", 2), ('{"seq": "1", "hash": "x"}', 2), ("", 3), ("{", 3)]
)
def test_a_head_that_is_none_is_refused(url: str, capsys: Capture, tmp_path: Path, content: str, code: int) -> None:
    (tmp_path / "head.json").write_text(content)
    told = printed(capsys, "store", "verify", "--store", url, "--head", str(tmp_path / "head.json"), code=code)
    assert "head" in told


def test_an_export_is_one_resource_a_line(url: str, capsys: Capture) -> None:
    lines = printed(capsys, "store", "export", "--store", url).splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["id"] for each in found] == ["precaution-1", "precaution-2", "precaution-3"]
    assert {each["resourceType"] for each in found} == {"AuditEvent"}
    (last,) = printed(capsys, "store", "export", "--store", url, "--after", "2", "--service", "https://x").splitlines()
    assert json.loads(last)["id"] == "precaution-3"


def test_a_long_export_has_every_event_once(url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("precaution.cli.store._TOGETHER", 2)
    lines = printed(capsys, "store", "export", "--store", url).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["precaution-1", "precaution-2", "precaution-3"]


@pytest.mark.parametrize("name", ["verify", "head", "export"])
@pytest.mark.parametrize("more", [[], ["--store", "sqlite:///store.sqlite"]])
def test_audit_says_where_the_commands_of_the_trail_are(name: str, more: list[str], capsys: Capture) -> None:
    told = printed(capsys, "audit", name, *more, code=2)
    assert f"hint: `precaution store {name}` is for the audit trail" in told


def test_a_folder_of_results_may_be_called_like_a_command_of_the_trail(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "verify").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "'verify' holds no complete results" in printed(capsys, "audit", "verify", code=3)


# assess --store


def attested(capsys: Capture, *more: str, code: int = 0) -> bool:
    told = printed(capsys, "assess", RESTRICTED, *TODAY, "--json", *more, code=code)
    return any(each["rule"] == "aged-65-or-older" and each["attested"] for each in json.loads(told)["findings"])


def test_what_is_kept_is_heeded_with_the_only_server_or_a_named_one(url: str, capsys: Capture) -> None:
    execute(url, "DELETE FROM cards")
    assert not attested(capsys)
    assert attested(capsys, "--store", url)
    assert attested(capsys, "--store", url, "--server", "https://FHIR.example.org/")
    assert not attested(capsys, "--store", url, "--server", "https://other.example.org")


def test_of_several_servers_one_must_be_named(url: str, capsys: Capture) -> None:
    told = printed(capsys, "assess", RESTRICTED, *TODAY, "--store", url, code=2)
    assert "--server: https://fhir.example.org, https://fhir.example.org/r4" in told


def test_a_patient_without_an_id_can_t_be_looked_up(url: str, capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "patient.json"
    file.write_text('{"resourceType": "Patient", "birthDate": "1980-01-01"}')
    assert "no id" in printed(capsys, "assess", str(file), *TODAY, "--store", url, code=2)


def test_a_server_without_a_store_is_wrong_usage(capsys: Capture) -> None:
    assert "give --store too" in printed(capsys, "assess", RESTRICTED, *TODAY, "--server", "https://x", code=2)


def test_a_store_that_can_t_be_read_gives_no_decision(capsys: Capture, tmp_path: Path) -> None:
    command = ("assess", RESTRICTED, *TODAY, "--store", f"sqlite:///{tmp_path}/none")
    assert "there is no store" in printed(capsys, *command, code=7)


def test_reading_a_store_leaves_its_file_private(tmp_path: Path, capsys: Capture) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    Store(url).open().close()
    attested(capsys, "--store", url)
    assert stat.S_IMODE((tmp_path / "store.sqlite").stat().st_mode) == 0o600
