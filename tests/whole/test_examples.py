"""The patients of examples/: what each comes to and why, that `make run` shows them, that they are sound FHIR R4."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from precaution import assess, load_label, read
from precaution.cli import run
from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.policy import read_policy
from precaution.readers.codes import system_name
from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution import Decision, Label

Json = dict[str, Any]

EXAMPLES = PROJECT / "examples"
TODAY = "2025-03-01"
BUNDLES = sorted(EXAMPLES.glob("*.json"))

ACTIONS = {
    "ready": ("before-start", "clear"),
    "low-neutrophils": ("before-start", "do-not-start"),
    "restricted": ("before-start", "only-if-no-alternative"),
    "screening-missing": ("before-start", "screen"),
    "zoster-on-treatment": ("on-treatment", "interrupt"),
    "may-resume": ("interrupted", "may-resume"),
    "suspected-thromboembolism": ("on-treatment", "discontinue"),
}

EVIDENCE = {
    ("low-neutrophils", "low-neutrophils"): {"Observation/anc-2025-02"},
    ("restricted", "aged-65-or-older"): set[str](),
    ("restricted", "atherosclerotic-disease"): {"Condition/mi", "Procedure/pci"},
    ("restricted", "other-cardiovascular-risk"): {"Condition/hypertension"},
    ("restricted", "past-long-term-smoker"): {"Observation/smoking", "Observation/pack-years"},
    ("zoster-on-treatment", "herpes-zoster"): {"Condition/zoster"},
    ("suspected-thromboembolism", "venous-thromboembolism-suspected"): {"Condition/dvt"},
    ("suspected-thromboembolism", "venous-thromboembolism-symptoms"): {"Condition/swelling"},
    ("suspected-thromboembolism", "hormone-therapy"): {"MedicationStatement/estradiol"},
}
"""(example, rule that holds) -> the evidence it must show."""


@pytest.fixture(scope="module")
def label() -> Label:
    return load_label("baricitinib")


def decided(name: str, label: Label, **more: Any) -> Decision:
    return assess(EXAMPLES / f"{name}.json", today=TODAY, label=label, **more)


def listed() -> list[list[str]]:
    """Return file, day and further options of each line of examples/today.txt."""
    lines = (EXAMPLES / "today.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


# What `make run` shows


def test_every_example_has_a_day_and_every_day_an_example() -> None:
    assert {file for file, *_ in listed()} == {path.name for path in BUNDLES} == {f"{name}.json" for name in ACTIONS}


@pytest.mark.parametrize("line", listed(), ids=" ".join)
def test_an_example_is_assessed_on_its_day(
    line: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)
    file, day, *options = line
    assert run(["assess", f"examples/{file}", "--today", day, *options]) == 0
    said = capsys.readouterr()
    assert day in said.out
    assert said.err == ""


def test_the_page_of_the_examples_tells_each_of_them() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name, (_, action) in ACTIONS.items():
        assert re.search(rf"^\| \[{name}\.json\].*`{action}` \|", page, re.MULTILINE), name


@pytest.mark.parametrize("page", ["README.md", "docs/guides/assess-a-patient.md"])
def test_readers_are_led_to_the_examples(page: str) -> None:
    assert "examples/" in (PROJECT / page).read_text(encoding="utf-8")


# What each comes to


@pytest.mark.parametrize("name", ACTIONS)
def test_stage_and_action(name: str, label: Label) -> None:
    decision = decided(name, label)
    assert (decision.stage, decision.action) == ACTIONS[name]


@pytest.mark.parametrize(("name", "rule"), EVIDENCE)
def test_a_finding_shows_its_evidence(name: str, rule: str, label: Label) -> None:
    (finding,) = [each for each in decided(name, label).findings if each.rule == rule]
    assert finding.state == "holds"
    assert {each.source for each in finding.evidence} == EVIDENCE[name, rule]


def test_ready_leaves_nothing_open(label: Label) -> None:
    decision = decided("ready", label)
    assert decision.missing == ()
    assert [ask.ask for ask in decision.asks if ask.answered is None] == []
    assert {due.state for due in decision.due} == {"done"}
    assert [each.source for each in decision.ignored] == ["FamilyMemberHistory/mother"]


def test_a_result_entered_in_error_does_not_count(label: Label) -> None:
    decision = decided("low-neutrophils", label)
    assert [tuple(each) for each in decision.ignored] == [("Observation/anc-2025-02-typo", "entered-in-error")]


def test_the_evidence_shows_the_unit_of_the_laboratory_in_ucum(label: Label) -> None:
    (finding,) = [each for each in decided("low-neutrophils", label).findings if each.state == "holds"]
    assert [each.says for each in finding.evidence] == ["0.8 10*3/uL"]
    assert finding.cites == ("S19",)


def test_what_is_lacking_is_named(label: Label) -> None:
    due = {each.duty: each for each in decided("screening-missing", label).due}
    assert due["hepatitis-screen"].lacking == ("hepatitis B surface antigen", "hepatitis B core antibody")
    assert due["tuberculosis-screen"].state == "unknown", "a test without a result is not a negative test"
    assert [each.source for each in due["tuberculosis-screen"].evidence] == ["Procedure/tst-2025-02"]
    assert due["vaccinations"].action == "screen"


def test_lipids_of_the_patient_on_treatment_lack_one_part(label: Label) -> None:
    (lipids,) = [each for each in decided("zoster-on-treatment", label).due if each.duty == "lipids"]
    assert (lipids.state, lipids.due, lipids.overdue_after) == ("due", "2025-02-12", "2025-03-12")
    assert lipids.lacking == ("lab_ldl",)


def test_every_hold_of_the_one_who_may_resume_is_released(label: Label) -> None:
    holds = decided("may-resume", label).holds
    assert {hold.rule: hold.state for hold in holds}["herpes-zoster"] == "released"
    assert {hold.state for hold in holds} == {"released"}


def test_the_hold_stands_while_the_episode_does(label: Label) -> None:
    bundle = loaded("may-resume")
    zoster = resource(bundle, "Condition", "zoster")
    zoster["clinicalStatus"]["coding"][0]["code"] = "active"
    del zoster["abatementDateTime"]
    assert assess([bundle], today=TODAY, label=label).action == "stay-interrupted"


def test_suspicion_of_thromboembolism_is_urgent(label: Label) -> None:
    first = decided("suspected-thromboembolism", label).findings[0]
    assert (first.rule, first.urgent) == ("venous-thromboembolism-suspected", True)


def test_an_answer_softens_the_restriction_and_no_answer_lifts_it(label: Label) -> None:
    yes = decided("restricted", label, answers=["A1=yes@2025-02-18"])
    no = decided("restricted", label, answers=["A1=no@2025-02-18"])
    assert (yes.action, yes.attested) == ("only-if-no-alternative", True)
    assert no.action == "do-not-start"


@pytest.mark.parametrize("name", ["ready", "restricted", "screening-missing", "low-neutrophils"])
def test_no_example_is_clear_without_its_results(name: str, label: Label) -> None:
    bundle = loaded(name)
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != "Observation"]
    assert assess([bundle], today=TODAY, label=label).action not in ("clear", "due", "caution", "weigh")


NEEDED = (
    "Observation/anc-2025-02",
    "Observation/alc-2025-02",
    "Observation/hb-2025-02",
    "Observation/alt-2025-02",
    "Observation/ast-2025-02",
    "Observation/hdl-2025-02",
    "Observation/igra-2025-01-20",
    "Observation/hbsag-2025-01-20",
    "Observation/anti-hbc-2025-01-20",
    "Observation/anti-hcv-2025-01-20",
    "Observation/smoking",
    "Procedure/skin-2024",
    "QuestionnaireResponse/answers-2025-02",
)


@pytest.mark.parametrize("name", NEEDED)
def test_ready_is_not_clear_without_any_one_of_these(name: str, label: Label) -> None:
    bundle = loaded("ready")
    found = resource(bundle, *name.split("/"))
    without = {**bundle, "entry": [each for each in bundle["entry"] if each["resource"] is not found]}
    missing = assess([without], today=TODAY, label=label)
    found["status"] = "entered-in-error"
    mistaken = assess([bundle], today=TODAY, label=label)
    assert missing.action != "clear"
    assert mistaken.action == missing.action, "entered in error is the same as absent"


def test_ready_is_not_clear_without_a_birth_date(label: Label) -> None:
    bundle = loaded("ready")
    del resource(bundle, "Patient", "ready")["birthDate"]
    assert assess([bundle], today=TODAY, label=label).action == "obtain"


@pytest.mark.parametrize("kind", ["Condition", "MedicationRequest", "Immunization"])
def test_ready_is_not_clear_without_a_whole_list(kind: str, label: Label) -> None:
    bundle = loaded("ready")
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != kind]
    assert assess([bundle], today=TODAY, label=label).action != "clear"


# The policy


def test_the_policy_is_used_and_said() -> None:
    changed = read_policy(EXAMPLES / "policy.toml").parameter
    site = load_label("baricitinib", policy=EXAMPLES / "policy.toml")
    assert [name for name, parameter in site.parameters.items() if parameter.overridden] == sorted(
        changed, key=list(site.parameters).index
    )
    assert set(changed) <= set(decided("restricted", site).policy)


def test_the_policy_of_the_site_has_shorter_windows_than_the_default(label: Label) -> None:
    strict = load_label("baricitinib", policy=EXAMPLES / "policy.toml")
    later = "2025-03-10"
    usual = assess(EXAMPLES / "ready.json", today=later, label=label)
    site = assess(EXAMPLES / "ready.json", today=later, label=strict)
    assert (usual.action, site.action) == ("clear", "obtain")


# FHIR R4

REQUIRED = {
    "Patient": (),
    "Practitioner": (),
    "Organization": (),
    "Encounter": ("status", "class"),
    "Condition": ("subject",),
    "Observation": ("status", "code"),
    "DiagnosticReport": ("status", "code"),
    "Procedure": ("status", "subject"),
    "Immunization": ("status", "vaccineCode", "patient", "occurrenceDateTime"),
    "MedicationRequest": ("status", "intent", "subject"),
    "MedicationDispense": ("status",),
    "MedicationStatement": ("status", "subject"),
    "Medication": (),
    "ServiceRequest": ("status", "intent", "subject"),
    "QuestionnaireResponse": ("status",),
    "AllergyIntolerance": ("patient",),
    "FamilyMemberHistory": ("status", "patient", "relationship"),
}
"""Elements of cardinality 1 in FHIR 4.0.1."""
STATUSES = {
    "Observation": {"final", "amended", "corrected", "preliminary", "entered-in-error"},
    "DiagnosticReport": {"final"},
    "Procedure": {"completed", "not-done", "in-progress"},
    "Immunization": {"completed", "not-done"},
    "MedicationRequest": {"active", "on-hold", "stopped", "completed", "cancelled"},
    "MedicationDispense": {"completed"},
    "MedicationStatement": {"active", "stopped", "completed"},
    "Encounter": {"finished"},
}
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2})?)?)?")
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
LINE = 160


def loaded(name: str) -> Json:
    bundle: Json = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return bundle


def resource(bundle: Json, kind: str, name: str) -> Json:
    (found,) = [
        each["resource"]
        for each in bundle["entry"]
        if (each["resource"]["resourceType"], each["resource"]["id"]) == (kind, name)
    ]
    return found  # type: ignore[no-any-return]


def inside(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSON tree with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from inside(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from inside(each, path)


def faults(bundle: Json) -> Iterator[str]:
    """Yield what is wrong with a Bundle by the basics of FHIR R4."""
    if (bundle.get("resourceType"), bundle.get("type")) != ("Bundle", "collection"):
        yield "no collection"
    entries = bundle["entry"]
    urls = [entry["fullUrl"] for entry in entries]
    names = {f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in entries}
    if len(set(urls)) < len(urls) or len(names) < len(entries):
        yield "an entry twice"
    for entry in entries:
        yield from _of_resource(entry["resource"], entry["fullUrl"], {*urls, *names})


def _of_resource(found: Json, url: str, names: set[str]) -> Iterator[str]:
    kind, name = found["resourceType"], found["id"]
    if not ID.fullmatch(name) or not (url.startswith("urn:uuid:") or url.endswith(f"/{kind}/{name}")):
        yield f"{kind}/{name}: id or fullUrl"
    yield from (f"{kind}/{name}: no {key}" for key in REQUIRED[kind] if key not in found)
    if found.get("status") not in STATUSES.get(kind, {found.get("status")}):
        yield f"{kind}/{name}: status"
    own = {f"#{each['id']}" for each in found.get("contained", [])}
    for path, value in inside(found, f"{kind}/{name}"):
        yield from (f"{path}: {what}" for what in _of_value(path, value, names | own))


def _of_value(path: str, value: Any, names: set[str]) -> Iterator[str]:
    key = path.rpartition(".")[2]
    if value is None or value in ("", [], {}):
        yield "empty"
    if key.endswith(("Date", "DateTime", "authoredOn", "authored", "issued")) and not DATE.fullmatch(str(value)):
        yield "no date"
    if not isinstance(value, dict):
        return
    if "reference" in value and value["reference"] not in names:
        yield f"{value['reference']} leads nowhere"
    if {"value", "unit"} <= value.keys() and not isinstance(value["value"], int | float):
        yield "no number"
    if {"system", "code"} <= value.keys() and value["system"] in KNOWN and not _sound(value["system"], value["code"]):
        yield f"{value['code']} is no code of {value['system']}"


KNOWN = ("http://loinc.org", "http://snomed.info/sct")


def _sound(system: str, code: str) -> bool:
    return well_formed(system_name(system), code)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_example_is_sound_fhir(name: str) -> None:
    assert list(faults(loaded(name))) == []


def broken(change: str) -> Json:
    bundle = copy.deepcopy(loaded("ready"))
    condition, result = resource(bundle, "Condition", "ra"), resource(bundle, "Observation", "anc-2025-02")
    match change:
        case "reference":
            condition["subject"]["reference"] = "Patient/other"
        case "missing":
            del result["code"]
        case "status":
            result["status"] = "done"
        case "date":
            condition["onsetDateTime"] = "November 2019"
        case "code":
            result["code"]["coding"][0]["code"] = "751-9"
        case "empty":
            condition["note"] = []
        case "twice":
            bundle["entry"].append(bundle["entry"][0])
    return bundle


@pytest.mark.parametrize("change", ["reference", "missing", "status", "date", "code", "empty", "twice"])
def test_unsound_fhir_is_seen(change: str) -> None:
    assert list(faults(broken(change)))


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_an_example_can_be_read_by_people(path: Any) -> None:
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= LINE


@pytest.mark.parametrize("name", ACTIONS)
def test_every_entry_of_an_example_has_a_source_in_it(name: str, label: Label) -> None:
    record = read(EXAMPLES / f"{name}.json", label.terminology, label.asks)
    names = {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in loaded(name)["entry"]}
    assert {entry.source for found in record.entries.values() for entry in found} <= names
