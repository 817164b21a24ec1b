"""A clinic's pages without a network: made-up people, decided, and a browser's requests to the application."""

from __future__ import annotations

import asyncio
import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx

from precaution.clinic.access import ClinicAccess
from precaution.clinic.app import Clinic, make_app, make_clinic
from precaution.clinic.opening import decided_results
from precaution.cohort.run import as_day
from precaution.knowledge.loading import find_label
from support.fhir_builders import CVX, LOINC, RXNORM, SNOMED, UCUM
from support.ndjson_sources import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precaution.clinic.worklist import Shown
    from precaution.service.store import Store

Json = dict[str, Any]
TODAY = "2025-03-01"
FOLDER = find_label("baricitinib")
DRUG = {"coding": [{"system": RXNORM, "code": "2047241"}]}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg onload=alert(3)>{{ 7 * 7 }}"
HOSTILE_ID = '"><script>alert(4)</script>'
FORMULA_ID = "=cmd|' /C calc'!A0"


def person(name: str, *resources: Json, born: str = "1980-05-05") -> list[Json]:
    """Return a patient, each resource made the patient's, and a condition that keeps the problem list."""
    own = [
        {**each, "id": f"{name}-{number}", "subject": {"reference": f"Patient/{name}"}}
        for number, each in enumerate(resources)
    ]
    return [{"resourceType": "Patient", "id": name, "birthDate": born, "gender": "female"}, *own]


def order(start: str, end: str = "", status: str = "active", **more: Any) -> Json:
    """Return an order of the drug."""
    period = {"start": start, **({"end": end} if end else {})}
    timed = {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}]}
    return {"resourceType": "MedicationRequest", "status": status, "intent": "order", "authoredOn": start,
            "medicationCodeableConcept": DRUG, **timed, **more}  # fmt: skip


def result(loinc: str, value: float, unit: str, day: str, **more: Any) -> Json:
    """Return a laboratory result."""
    return {"resourceType": "Observation", "status": "final", "effectiveDateTime": day,
            "code": {"coding": [{"system": LOINC, "code": loinc}]},
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}, **more}  # fmt: skip


def condition(code: str, onset: str, **more: Any) -> Json:
    """Return a diagnosis that is active."""
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    return {"resourceType": "Condition", "clinicalStatus": active, "onsetDateTime": onset,
            "code": {"coding": [{"system": SNOMED, "code": code}]}, **more}  # fmt: skip


def followed() -> list[Json]:
    """Return the record of one who is treated and followed, with a low count, and values that are not exact."""
    ranged = {"referenceRange": [{"high": {"value": 40, "unit": "U/L", "system": UCUM, "code": "U/L"}}]}
    less = {"value": 9, "comparator": "<", "unit": "g/dL", "system": UCUM, "code": "g/dL"}
    vaccine = {"resourceType": "Immunization", "status": "completed", "occurrenceDateTime": "2024-10-10",
               "vaccineCode": {"coding": [{"system": CVX, "code": "121"}]}}  # fmt: skip
    return person(
        "followed",
        order("2024-11-01"),
        result("751-8", 2.5, "10*9/L", "2024-12-01"),
        result("751-8", 1.25, "10*9/L", "2025-01"),
        result("751-8", 0.8, "10*9/L", "2025-02-24"),
        result("718-7", 12.1, "g/dL", "2024-12-01"),
        result("718-7", 0, "g/dL", "2025-02-24", valueQuantity=less),
        result("1742-6", 80, "U/L", "2025-02-24", **ranged),
        result("1920-8", 30, "furlong", "2025-02-24"),
        condition("4740000", "2025-02-20"),
        vaccine,
    )


def people() -> list[Json]:
    """Return some people, each by the name of what they are."""
    unread = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": "2025-01-01"}
    proposed = order("2025-02-20", intent="proposal", status="draft")
    return [
        *followed(),
        *person("paused", order("2024-09-01", status="on-hold")),
        *person("ordered", proposed),
        *person("stopped-lately", order("2024-03-01", "2024-12-20", "stopped")),
        *person("stopped-long-ago", order("2023-03-01", "2024-06-01", "stopped")),
        *person("never", result("718-7", 12.1, "g/dL", "2025-02-24"), condition("38341003", "2020-01-01")),
        *person("unread", unread),
        *person("died", order("2024-03-01"), born="1950-01-01"),
    ]


def hostile() -> list[Json]:
    """Return people whose every text tries to run, to leave, or to be calculated."""
    found = []
    for name in (HOSTILE_ID, FORMULA_ID):
        text = {"text": {"status": "generated", "div": f"<div>{HOSTILE}</div>"}}
        drug = {"coding": [{**DRUG["coding"][0], "display": HOSTILE}], "text": HOSTILE}
        count = {"coding": [{"system": LOINC, "code": "751-8", "display": HOSTILE}], "text": HOSTILE}
        found += person(
            name,
            order("2024-11-01", medicationCodeableConcept=drug, **text),
            result("751-8", 0.8, "10*9/L", "2025-02-24", code=count, note=[{"text": HOSTILE}], **text),
            result("718-7", 8.5, HOSTILE, "2025-02-24"),
            condition("4740000", "2025-02-20", note=[{"text": HOSTILE}], **text),
            {"resourceType": "Condition", "code": {"text": f"zoster {HOSTILE}"}, **text},
            {"resourceType": "Condition", "code": {"coding": [{"system": HOSTILE, "code": HOSTILE}]}, **text},
        )
        found[-7] |= {"name": [{"family": HOSTILE, "given": [HOSTILE]}], "identifier": [{"value": HOSTILE}]}
        for number, each in enumerate(found[-6:]):
            each["id"] = f"{HOSTILE}{number}"
    return found


def write(folder: Path, resources: list[Json]) -> Path:
    """Write resources as NDJSON, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in resources:
        if each["id"] == "died":
            each["deceasedDateTime"] = "2025-01-01"
    text = "\n".join(json.dumps(each) for each in resources) + "\n"
    (folder / "all.ndjson").write_text(text, encoding="utf-8")
    return folder


def clinic_of(
    folder: Path, resources: list[Json], who: Shown = "on-drug", *, named: bool = False, store: Store | None = None
) -> Clinic:
    """Return the pages of people who are decided in `folder`; `named`: with their names; `store`: of answers."""
    from datetime import date

    from precaution.clinic.answering import SERVER, ClinicAnswers
    from precaution.clinic.people import keep_people, kept_people

    source = write(folder / "fhir", resources)
    day = date.fromordinal(as_day(TODAY))
    opened = decided_results(source, folder / "results", day, label=FOLDER, workers=1)
    names = folder / "people.sqlite"
    if named:
        keep_people(source, names)
    answers = ClinicAnswers(store, SERVER, LABEL, day.toordinal()) if store else None
    return make_clinic(opened, FOLDER, LABEL, who, kept_people(names) if named else (), answers)


class Visitor:
    """A browser that has opened the address with the key, or one that has not."""

    def __init__(self, clinic: Clinic, *, let_in: bool = True) -> None:
        self.clinic, self.access = clinic, ClinicAccess(8090)
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(make_app(clinic, self.access), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090")
        if let_in:
            assert self.get(f"/?key={self.access.key}").status_code == 303

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request."""
        return self._loop.run_until_complete(self.client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return self.send("GET", path, **more)

    def post(self, path: str, *, origin: str = "http://127.0.0.1:8090", **fields: Any) -> httpx.Response:
        """Send a form of these pages, as a browser does."""
        said = {"token": self.access.form_token, **fields}
        return self.send("POST", path, data=said, headers={"origin": origin} if origin else {})

    def page(self, path: str) -> Page:
        """Return a page that is there."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return Page(response.text)

    def patient(self, name: str, more: str = "") -> Page:
        """Return the page of a patient, or what follows it in the address."""
        return self.page(f"/patients/{reference(name)}{more}")

    def close(self) -> None:
        """Close what is open."""
        self._loop.run_until_complete(self.client.aclose())
        self._loop.close()


def reference(name: str) -> str:
    """Return what stands for a patient in addresses."""
    from hashlib import sha256

    return sha256(name.encode()).hexdigest()[:24]


_VOID = {"meta", "link", "input", "br", "line", "rect", "circle", "path", "polyline"}


class Page(HTMLParser):
    """The elements of a page with their attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Return the elements of a tag that have such attributes."""
        found = (attributes for name, attributes in self.elements if name == tag)
        return [each for each in found if all(each.get(name) == value for name, value in wanted.items())]

    def classes(self, tag: str, name: str) -> list[dict[str, str | None]]:
        """Return the elements of a tag that are of a class."""
        return [each for each in self.all(tag) if name in (each.get("class") or "").split()]

    def links(self) -> Iterator[str]:
        """Yield where everything on the page leads, and what it loads."""
        for _, attributes in self.elements:
            for key in ("href", "src", "action", "formaction"):
                if attributes.get(key):
                    yield str(attributes[key])
