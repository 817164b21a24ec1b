"""A site's settings: file, environment and options in their order; what is unknown or unsafe is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from precaution.errors import UsageError
from precaution.service.fhir.queries import ALL, queries
from precaution.service.settings import FhirServer, Issuer, Limits, Settings
from precaution.service.settings_loading import check, is_loopback, load
from support.hook_calls import App, settings

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
host = "127.0.0.1"
port = 9000
public-url = "https://cds.example.org/"
trusted-proxy = true
policy = "policy.toml"
codes = ["codes"]
hook-version = "3.0"
without = ["MedicationAdministration"]
require-tokens = true
algorithms = ["ES384"]
leeway-seconds = 30
cors-origins = ["https://ehr.example.org"]
store-url = "postgresql://db/precaution"
on-deadline = "503"
timezone = "Europe/Berlin"
[[issuer]]
iss = "https://ehr.example.org"
jku = "https://ehr.example.org/jwks.json"
[[issuer]]
iss = "https://other.example.org"
keys = "keys/other.json"
tenant = "ward-7"
[[fhir-server]]
url = "https://ehr.example.org/fhir/r4"
issuers = ["https://ehr.example.org"]
[[fhir-server]]
url = "http://127.0.0.1:8080/fhir"
issuers = ["https://other.example.org ward-7"]
private = true
[limits]
max-body = 1000
deadline-seconds = 1.5
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "service.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    found = load(written(tmp_path, WHOLE), {})
    assert found.port == 9000
    assert found.base == "https://cds.example.org"
    assert found.issuers[0] == Issuer(iss="https://ehr.example.org", jku="https://ehr.example.org/jwks.json")
    assert found.issuers[1].tenant == "ward-7"
    assert found.fhir_servers[1] == FhirServer(
        url="http://127.0.0.1:8080/fhir", issuers=("https://other.example.org ward-7",), private=True
    )
    assert found.limits == Limits(max_body=1000, deadline_seconds=1.5)
    assert (found.on_deadline, found.hook_version, found.algorithms) == ("503", "3.0", ("ES384",))


def test_paths_are_seen_from_the_file(tmp_path: Path) -> None:
    found = load(written(tmp_path, WHOLE), {})
    assert found.policy == str(tmp_path / "policy.toml")
    assert found.codes == (str(tmp_path / "codes"),)
    assert found.issuers[1].keys == str(tmp_path / "keys" / "other.json")
    assert found.issuers[0].keys == ""


def test_the_environment_wins_over_the_file_and_options_over_both(tmp_path: Path) -> None:
    environment = {
        "PRECAUTION_PORT": "1",
        "PRECAUTION_REQUIRE_TOKENS": "false",
        "PRECAUTION_LIMITS_MAX_BODY": "7",
        "PRECAUTION_CORS_ORIGINS": "https://a.example, https://b.example",
        "HOME": "/",
    }
    found = load(written(tmp_path, WHOLE), environment, port=2, host=None)
    assert found.port == 2
    assert found.require_tokens is False
    assert found.limits == Limits(max_body=7, deadline_seconds=1.5)
    assert found.cors_origins == ("https://a.example", "https://b.example")
    assert found.host == "127.0.0.1"


def test_without_anything_it_is_for_this_machine_alone() -> None:
    found = load(None, {})
    assert found.host == "127.0.0.1"
    assert found.base == "http://127.0.0.1:8080"
    assert not found.fhir_servers
    assert not found.cors_origins


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prt = 1", r"service.toml: 'prt' is not known here. Did you mean 'port'"),
        ("[limit]\nmax-body = 1", "'limit' is not known here. Did you mean 'limits'"),
        ("[limits]\nmax-bodies = 1", r"\[limits\]: 'max-bodies' is not known here. Did you mean 'max-body'"),
        ("[limits]\nmax-body = 0", "max-body must be more than 0"),
        ("[issuer]\niss = 'x'", r"must be written \[\[issuer\]\]"),
        ("[[issuer]]\niss = 'x'\njuk = 'y'", "'juk' is not known here. Did you mean 'jku'"),
        ("[[issuer]]\niss = 'x'", "give jku or keys"),
        ("[[issuer]]\niss = 'x'\njku = 'http://ehr.example.org/jwks'", "must be an https address"),
        ("[[fhir-server]]\nurl = 'ehr.example.org'", "must be an http"),
        ("[[fhir-server]]\nurl = 'https://u:p@ehr.example.org/fhir'", "without user"),
        ("[[fhir-server]]\nurl = 'http://ehr.example.org/fhir'", "must be https, or private"),
        ("cors-origins = ['*']", "is no origin"),
        ("cors-origins = ['https://ehr.example.org/x']", "is no origin"),
        ("algorithms = ['HS256']", "must be one of"),
        ("algorithms = ['none']", "must be one of"),
        ("timezone = 'Mars/North'", "is no time zone"),
        ("today = '1 March'", "is no day"),
        ("port = 'x'", "must be a whole number"),
        ("port = 70000", "from 0 to 65535"),
        ("require-tokens = true", "no .*issuer.* names who may call"),
        ("tls-key = 'x'", "belong together"),
        ("on-deadline = 'nothing'", "must be one of card, 503"),
        ("x =", "can't be read as TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(written(tmp_path, text), {})


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"PRECAUTION_PRT": "1"}, "PRECAUTION_PRT is not known. Did you mean 'PRECAUTION_PORT'"),
        ({"PRECAUTION_PORT": "tcp://10.0.0.1:80"}, "must be a whole number"),
        ({"PRECAUTION_REQUIRE_TOKENS": "perhaps"}, "must be true or false"),
        ({"PRECAUTION_LIMITS_QUEUE": "many"}, "must be a whole number"),
    ],
)
def test_what_is_wrong_in_the_environment_is_said(environment: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(None, environment)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file of settings"):
        load(tmp_path / "none.toml", {})


# Who may reach it


SAFE = {"require_tokens": True, "issuers": (Issuer(iss="x", keys="k"),), "public_url": "https://cds.example.org"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "cds.example.org", "10.0.0.1"])  # noqa: S104
def test_others_may_reach_it_only_with_tokens_and_tls(host: str) -> None:
    with pytest.raises(UsageError, match="set require-tokens"):
        check(Settings(host=host))
    with pytest.raises(UsageError, match="set tls-certificate"):
        check(Settings(host=host, **SAFE))
    with pytest.raises(UsageError, match="public-url is missing"):
        check(Settings(host=host, **{**SAFE, "public_url": "", "trusted_proxy": True}))
    check(Settings(host=host, **SAFE, trusted_proxy=True))
    check(Settings(host=host, **SAFE, tls_certificate="c", tls_key="k"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_may_always_reach_it(host: str) -> None:
    assert is_loopback(host)
    check(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1.example.org", "localhost.example.org", ""])  # noqa: S104
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not is_loopback(host)


# The day


def test_the_day_is_that_of_the_clinic() -> None:
    late = datetime(2025, 2, 28, 23, 30, tzinfo=UTC)
    assert Settings(timezone="Europe/Berlin").day(late).isoformat() == "2025-03-01"
    assert Settings(timezone="America/New_York").day(late).isoformat() == "2025-02-28"
    assert Settings(today="2024-02-29").day(late).isoformat() == "2024-02-29"


# What is not asked for


def test_what_a_site_does_not_have_is_not_asked_for_and_not_missed(tmp_path: Path) -> None:
    from support.hook_calls import call, cards, draft, example, prefetch

    left_out = ("MedicationAdministration", "MedicationDispense", "QuestionnaireResponse")
    app = App(settings(tmp_path, without=left_out))
    sent = {
        key: value
        for key, value in prefetch(example("ready")).items()
        if key not in ("medicationAdministrations", "medicationDispenses", "questionnaireResponses")
    }
    found = app.get("/cds-services").json()["services"][0]["prefetch"]
    assert set(found) == set(sent)
    detail = "".join(each["detail"] for each in cards(app, call("order-sign", sent, draft())))
    assert "not retrieved" not in detail
    app.close()


def test_a_type_that_is_not_asked_for_anyway_is_refused() -> None:
    with pytest.raises(UsageError, match="'Medicationdispense' is not asked for. Did you mean 'MedicationDispense'"):
        queries(Settings(without=("Medicationdispense",)))
    assert len(queries(Settings())) == len(ALL)
