"""HAPI FHIR, whole, as a process of its own; and examples as a FHIR server keeps them."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from support.fhir_server import SOCIAL
from support.hook_calls import example
from support.project import PROJECT, needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.hook_calls import Json

HAPI = PROJECT / "tests" / "clients" / "hapi" / "target"
TOKEN = "secret"  # noqa: S105  # what its token may do stands in Tokens.java
JSON = {"Content-Type": "application/fhir+json"}


def kept(name: str) -> list[Json]:
    """Return an example's resources as a server keeps them: ids of their own, categories that its searches want."""
    found = example(name)
    person = next(each["id"] for each in found if each["resourceType"] == "Patient")
    text = json.dumps(found)
    for each in found:
        kind, old = each["resourceType"], each["id"]
        if kind != "Patient":
            text = text.replace(f'"{kind}/{old}"', f'"{kind}/{name}-{old}"')
    return [_own(each, name, person) for each in json.loads(text)]


def _own(resource: Json, name: str, person: str) -> Json:
    for key in {"subject", "patient"} & resource.keys():
        resource[key] = {"reference": f"Patient/{person}"}
    if resource["resourceType"] == "Patient":
        return resource
    if resource["resourceType"] == "Observation":
        social = any(code in json.dumps(resource) for code in SOCIAL)
        system = "http://terminology.hl7.org/CodeSystem/observation-category"
        resource["category"] = [{"coding": [{"system": system, "code": "social-history" if social else "laboratory"}]}]
    return {**resource, "id": f"{name}-{resource['id']}"}


@contextmanager
def hapi(page: int) -> Iterator[str]:
    """Start an empty HAPI FHIR that sends pages of a size; yields its base."""
    java = shutil.which("java")
    needs(java and (HAPI / "classpath").is_file(), "java, with what `mvn compile` makes in tests/clients/hapi,")
    classes = f"{HAPI / 'classes'}:{(HAPI / 'classpath').read_text(encoding='utf-8')}"
    # It lives for a minute: compiling little is quicker than running fast.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g"]
    command = [str(java), *quick, "-cp", classes, "FhirServer", TOKEN, str(page)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/fhir"
        finally:
            server.kill()


def client(base: str, token: str = TOKEN) -> httpx.Client:
    """Return a client of a FHIR server, for what the tests themselves ask it."""
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def load(server: httpx.Client, resources: Iterable[Json]) -> None:
    """Put resources on a FHIR server, all or none."""
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = server.post("", json=bundle, headers=JSON)
    assert answer.status_code == 200, answer.text
