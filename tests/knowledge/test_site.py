"""A site's own folder: it adds rules, duties and codes beside a label, is marked as the site's, and softens nothing."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.assessment import as_day, assess
from precaution.cases.load import load_cases
from precaution.cases.run import record_of
from precaution.checks.site import check_site, is_milder, softened
from precaution.engine.decision import decide
from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.loading import find_label, load_label
from precaution.knowledge.site import site_folder
from precaution.readers import read_resources
from precaution.values.record import DOSE
from support.effort import tries
from support.project import PROJECT
from support.random_records import AnyRecord

SITE = PROJECT / "docs" / "examples" / "site"
FOLDER = find_label("baricitinib")
ALONE = load_label(FOLDER)
WITH = load_label(FOLDER, codes=(SITE,))
DAY = as_day("2025-03-01")
ANY = AnyRecord(WITH, DAY)
SMALL = PROJECT / "tests" / "wrong" / "_good"
LAB = "https://clinic.example.org/lab"


def made(tmp_path: Path, **files: str) -> Path:
    """Return a site's folder with these files in it."""
    folder = tmp_path / "site"
    for inner in ("topics", "codes"):
        (folder / inner).mkdir(parents=True)
    for name, text in {"site.toml": 'name = "A clinic"', **files}.items():
        (folder / name.replace("__", "/")).write_text(text, encoding="utf-8")
    return folder


def resource(kind: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind}-1", "subject": {"reference": "Patient/p"}, **members}


def read(label: Any, *found: dict[str, Any]) -> Any:
    return read_resources([{"resourceType": "Patient", "id": "p"}, *found], label.terminology, label.asks)


def result(system: str, code: str) -> dict[str, Any]:
    value = {"value": 121, "unit": "U/L", "code": "U/L", "system": "http://unitsofmeasure.org"}
    coding = {"system": system, "code": code}
    return resource(
        "Observation",
        status="final",
        code={"coding": [coding]},
        effectiveDateTime="2025-02-20",
        valueQuantity=value,
    )


def prednisolone(**more: Any) -> dict[str, Any]:
    coding = {"system": "http://www.whocc.no/atc", "code": "H02AB06"}
    dosage = {
        "timing": {"code": {"coding": [{"code": "QD"}]}},
        "doseAndRate": [{"doseQuantity": {"value": 3, "unit": "TAB"}}],
    }
    concept = {"coding": [coding], **more}
    return resource(
        "MedicationRequest",
        status="active",
        intent="order",
        medicationCodeableConcept=concept,
        authoredOn="2025-02-01",
        dosageInstruction=[dosage],
    )


@pytest.mark.slow
def test_the_example_has_no_problem() -> None:
    found = check_site(FOLDER, SITE)
    assert found.problems == []
    assert found.site == "Example clinic"
    assert found.cases > 10
    assert found.compared > 1500


def test_what_is_the_sites_is_called_so_everywhere() -> None:
    new = [*(WITH.rules.keys() - ALONE.rules.keys()), *(WITH.duties.keys() - ALONE.duties.keys())]
    assert sorted(new) == ["site-high-alt", "site-steroid-dose", "site-tests"]
    assert {WITH.says[name].means.endswith("]") for name in WITH.says if name not in ALONE.says} == {True}
    assert WITH.policy["site"] == "Example clinic"
    assert WITH.digest != ALONE.digest
    decision = assess(read(WITH, prednisolone()), today="2025-03-01", label=WITH)
    (finding,) = (each for each in decision.findings if each.rule == "site-steroid-dose")
    assert (finding.state, finding.cites, finding.tell) == (
        "holds",
        ("SITE3",),
        "Site: 15 mg of prednisolone a day, more than 10 mg",
    )


def test_nothing_of_the_label_is_changed() -> None:
    for part in ("says", "parameters", "facts", "asks", "rules", "duties", "measures"):
        mine, theirs = getattr(WITH, part), getattr(ALONE, part)
        assert {name: mine[name] for name in theirs} == dict(theirs)
    assert WITH.terminology.exact == ALONE.terminology.exact
    assert WITH.terminology.prefixes == ALONE.terminology.prefixes
    assert WITH.terminology.unlisted == ALONE.terminology.unlisted


def test_local_codes_are_read() -> None:
    alt, creatinine = (read(WITH, result(LAB, code)).entries for code in ("ALAT", "KREA"))
    assert alt["lab_alt"][0].value is not None
    assert creatinine["lab_creatinine"][0].note == "unit not convertible to umol/L"
    for label, system in ((ALONE, LAB), (WITH, "https://elsewhere.example.org")):
        assert read(label, result(system, "ALAT")).entries["lab_alt"][0].value is None


def test_a_code_of_the_sites_keeps_the_doubts_that_it_raised() -> None:
    """What words or codes may mean to the label is not hidden because the site has a list with the code."""
    order = prednisolone(text="methotrexate")
    doubts = read(ALONE, order).entries
    found = read(WITH, order).entries
    assert "drug_prednisolone" in found
    assert DOSE + "drug_prednisolone" in found
    for name, entries in doubts.items():
        assert found[name] == entries


CASES = [case for case in load_cases(FOLDER) if not case.policy]


def test_no_case_of_the_label_is_decided_milder() -> None:
    chosen = random.Random(7).sample(CASES, tries(20, len(CASES)))  # noqa: S311
    assert list(softened(chosen, ALONE, WITH)) == []


@settings(max_examples=tries(40, 1500), deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([None, None, "before-start", "on-treatment", "interrupted"]))
def test_no_record_is_decided_milder(seed: int, stage: Any) -> None:
    record = ANY.made(seed)
    before, now = (decide(record, label, DAY, stage).decision for label in (ALONE, WITH))
    assert not is_milder(now, before, ALONE)


@pytest.mark.parametrize("file", sorted(PROJECT.glob("examples/*.json")), ids=lambda path: path.name)
def test_no_example_is_decided_milder(file: Path) -> None:
    bundle = json.loads(file.read_text(encoding="utf-8"))
    before, now = (assess(bundle, today="2025-03-01", label=label) for label in (ALONE, WITH))
    assert not is_milder(now, before, ALONE)


def test_a_milder_decision_would_be_seen() -> None:
    """The comparison can fail: with the labels changed round a case of the site's is milder."""
    case = next(each for each in load_cases(SITE) if "just above 3 times" in each.name)
    record = record_of(case, WITH)
    before, now = (decide(record, label, DAY).decision for label in (WITH, ALONE))
    assert (before.action, is_milder(now, before, ALONE), is_milder(before, now, ALONE)) == ("interrupt", True, False)


TOPIC = "topics__site-more.toml"
SAYS = '[says.SITE9]\nsource = "A protocol"\nmeans = "More."\n'
RULE = 'title = "More"\ncites = "SITE9"\nwhen = "anc < 2"\nthen = "caution"\nif-unknown = "caution"\ntell = "More"\n'


HEAD = "system,code,display\n"
LOCAL = f"system,code,concept\n{LAB},A"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"site.toml": 'nme = "x"'}, "site.toml: 'nme' is not known here. Did you mean 'name'?"),
        ({"site.toml": ""}, "site.toml name: must be the name of the site, as answers show it"),
        ({"topics__more.toml": ""}, "a topic of a site begins with 'site-': call the file site-more.toml"),
        ({TOPIC: '[ask.x]\nnumber = "A90"'}, "topics/site-more.toml: 'ask' is not known here."),
        ({TOPIC: '[says.S99]\nsource = "x"\nmeans = "y"'}, "[says.S99]: a sentence of a site begins with 'SITE'"),
        ({TOPIC: '[says.SITE9]\nmeans = "y"'}, "[says.SITE9]: 'source' is missing"),
        ({TOPIC: f"{SAYS}[rule.more]\n{RULE}"}, "[rule.more]: a rule of a site begins with 'site-': call it site-more"),
        ({TOPIC: f"[rule.site-more]\n{RULE.replace('SITE9', 'E1')}"}, "cites: 'E1' is a sentence of the label"),
        ({TOPIC: f'{SAYS}[rule.site-more]\n{RULE}release = "anc >= 2"'}, "it can't be a reason to resume"),
        ({TOPIC: f"{SAYS}[rule.low-neutrophils]\n{RULE}"}, "there is another"),
        ({TOPIC: '[fact.anc]\nlatest = "lab_anc"\nworst = "low"'}, "there is another"),
        ({TOPIC: '[parameter.count-max-age]\nof = "E1"\nvalue = "1 days"\nwhy = "x"'}, "there is another"),
        ({TOPIC: '[concept.lab_anc]\nunit = "10*9/L"'}, "there is another"),
        ({TOPIC: '[concept.site_x]\nwords = "tuberculosis"'}, "'words' is not known here."),
        ({"codes__lab_anx.csv": f"{HEAD}LOINC,1742-6,ALT\n"}, "neither the label nor a topic of the site"),
        (
            {TOPIC: "[concept.x]\nunit = 'mg'", "codes__x.csv": f"{HEAD}LOINC,751-8,x\n"},
            "LOINC '751-8' is on the label's list 'lab_anc'; a site can't move it",
        ),
        ({"codes__lab_anc.csv": f"{HEAD}LOINC,2160-1,x\n"}, "the shape or the check digit"),
        ({"local.csv": "code,concept\n"}, "local.csv: its first line must be system,code,concept"),
        ({"local.csv": LOCAL}, "line 2 must have a system, a code and a concept"),
        ({"local.csv": f"{LOCAL},lab_anx\n"}, "line 2: no concept is called 'lab_anx'. Did you mean 'lab_anc'?"),
        ({"local.csv": "system,code,concept\nLOINC,751-8,lab_anc\n"}, "belong into codes/<concept>.csv"),
    ],
)
def test_a_wrong_folder_is_refused(files: dict[str, str], message: str, tmp_path: Path) -> None:
    folder = made(tmp_path, **files)
    with pytest.raises(KnowledgeError) as error:
        load_label(SMALL, codes=(folder,))
    assert message in str(error.value)


def test_a_folder_without_site_toml_is_no_sites(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no site.toml"):
        site_folder(tmp_path)


@pytest.mark.slow
def test_a_rule_without_cases_and_a_false_case_are_problems(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(SITE, folder)
    cases = folder / "topics" / "site-monitoring.cases.toml"
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace('site-steroid-dose = "holds"', 'site-steroid-dose = "no"', 1), encoding="utf-8")
    assert [each.message for each in check_site(FOLDER, folder).problems] == [
        "site-steroid-dose: expected no, came to holds"
    ]
    cases.unlink()
    assert any("site-high-alt" in str(each) for each in check_site(FOLDER, folder).problems)
