"""The service as others' clients see it: @medplum/core with a real FHIR server, and healthchain; and behind nginx."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support import hook_calls as hooks_make
from support.hapi_server import kept
from support.project import PROJECT, needs
from support.service_process import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.server
CLIENTS = PROJECT / "tests" / "clients"
HEALTHCHAIN = PROJECT / ".venv" / "healthchain" / "bin" / "python"
Json = dict[str, Any]


@contextmanager
def fhir_server(folder: Path, found: list[Json], token: str = "") -> Iterator[str]:
    """Start a FHIR server that others wrote, with these resources; yields its base."""
    needs(shutil.which("node") and (CLIENTS / "node_modules").is_dir(), "node with the packages of tests/clients")
    file = folder / "resources.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in found), encoding="utf-8")
    command = ["node", str(CLIENTS / "fhir_server.mjs"), str(file), *([token] if token else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.kill()


def run(*command: str) -> Json:
    """Run a client and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    answer: Json = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def medplum(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What @medplum/core comes to: its prefetch, searched by itself, and then none but the server's address."""
    folder = tmp_path_factory.mktemp("medplum")
    found = kept("low-neutrophils")
    person = next(each["id"] for each in found if each["resourceType"] == "Patient")
    order = {**hooks_make.draft(), "id": "new", "subject": {"reference": f"Patient/{person}"}}
    orders = {
        "patientId": person,
        "selections": ["MedicationRequest/new"],
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]},
    }
    (folder / "orders.json").write_text(json.dumps(orders), encoding="utf-8")
    with fhir_server(folder, found) as base:
        allowed = f'[[fhir-server]]\nurl = "{base}/fhir"\nprivate = true\n'
        with served(folder, allowed) as service:
            return run("node", str(CLIENTS / "medplum.mjs"), service, base, str(folder / "orders.json"))


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_medplum_gets_the_critical_card(medplum: Json, hook: str) -> None:
    cards = medplum[hook]["withPrefetch"]["cards"]
    assert next(card["indicator"] for card in cards) == "critical"
    assert "utrophils" in cards[0]["summary"]


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_the_service_asks_the_server_itself_for_what_was_not_sent(medplum: Json, hook: str) -> None:
    def told(cards: list[Json]) -> list[tuple[str, str]]:
        return [(card["indicator"], card["summary"]) for card in cards]

    assert told(medplum[hook]["withServer"]["cards"]) == told(medplum[hook]["withPrefetch"]["cards"])


def test_medplum_fills_every_template(medplum: Json) -> None:
    asked = {query.key for query in hooks_make.ALL}
    assert {hook: set(each["keys"]) for hook, each in medplum.items()} == dict.fromkeys(
        ("patient-view", "order-select", "order-sign"), asked
    )


def test_opening_a_chart_without_the_drug_is_silent(medplum: Json) -> None:
    assert medplum["patient-view"]["withPrefetch"] == {"cards": []}


def test_healthchain_reads_discovery_and_cards(tmp_path: Path) -> None:
    needs(HEALTHCHAIN.exists(), "healthchain")
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps(hooks_make.prefetch(hooks_make.example("zoster-on-treatment"))), encoding="utf-8")
    with served(tmp_path) as service:
        seen = run(str(HEALTHCHAIN), str(CLIENTS / "healthchain_client.py"), service, str(file))
    assert len(seen["discovered"]) == 3
    cards = seen["cards"]["patient-view"]
    assert seen["read"]["patient-view"] == len(cards) > 0
    assert cards[0]["indicator"] == "critical"
