"""Cards: tiers, wording, suggestions, and what every card must be, on examples and synthetic patients."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from precaution import load_label
from precaution.demo import Generator, load_recipes
from precaution.errors import KnowledgeError
from precaution.knowledge.loading import find_label
from precaution.service.cards.tiers import TIERS
from precaution.service.cards.vocabulary import load_vocabulary, reasons
from precaution.service.cards.wording import clipped, escaped, without_sources
from support import card_rules as cards_check
from support.hook_calls import (
    DRUG,
    HOOKS,
    App,
    Json,
    by_tier,
    call,
    cards,
    draft,
    example,
    post,
    prefetch,
    searchset,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABEL = load_label("baricitinib")
FOLDER = find_label("baricitinib")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(settings(tmp_path_factory.mktemp("cards")))
    yield made
    made.close()


def ordered(app: App, name: str, *more: Json, **changed: Any) -> dict[str, Json]:
    """Return the cards of an order of the drug, with readable details."""
    found = by_tier(cards(app, call("order-sign", {**prefetch(example(name)), **changed}, draft(), *more)))
    return {tier: {**card, "detail": unescape(card["detail"])} for tier, card in found.items()}


# Tiers


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("low-neutrophils", "do not start"),
        ("zoster-on-treatment", "interrupt"),
        ("suspected-thromboembolism", "discontinue"),
    ],
)
def test_critical_is_what_the_label_forbids_with_evidence(app: App, name: str, action: str) -> None:
    card = ordered(app, name)["critical"]
    assert card["summary"].startswith(f"Baricitinib: {action}. ")
    assert f"■ {action}" in card["detail"]


def test_a_restriction_is_a_warning_and_a_caution_is_information(app: App) -> None:
    found = ordered(app, "restricted")
    assert set(found) == {"warning", "info"}
    assert "only when there is no suitable alternative" in found["warning"]["summary"]
    assert "Elderly" in found["info"]["detail"]


def test_screening_not_done_is_a_warning_with_its_orders(app: App) -> None:
    found = ordered(app, "screening-missing")
    assert "to do before the start" in found["warning"]["summary"]
    labels = {tier: [each["label"] for each in card["suggestions"]] for tier, card in found.items()}
    assert "Order: Hepatitis B surface antigen and Hepatitis B core antibody" in labels["warning"], "not what is known"
    assert "Answer yes: Are all vaccinations complete by current guidelines?" in labels["warning"]
    assert "Order: Tuberculosis screening: interferon-gamma release assay" in labels["info"], "done, without a result"


def test_what_can_not_be_told_is_never_critical(app: App) -> None:
    sent = {"patient": prefetch(example("low-neutrophils"))["patient"]}
    found = by_tier(cards(app, call("order-sign", sent, draft())))
    assert "critical" not in found
    assert "not known" in found["info"]["summary"]


def test_a_list_that_was_not_retrieved_is_said_so(app: App) -> None:
    sent = prefetch(example("low-neutrophils"))
    del sent["conditions"]
    sent["immunizations"] = None
    sent["procedures"] = {"resourceType": "OperationOutcome", "issue": []}
    sent["laboratory"]["link"] = [{"relation": "next", "url": "x"}]
    detail = unescape(by_tier(cards(app, call("order-sign", sent, draft())))["info"]["detail"])
    assert "not retrieved, so not known: diagnoses" in detail
    assert "could not be retrieved, so not known: procedures" in detail
    assert "only a part was retrieved: laboratory results" in detail
    assert "has none on file, which is not taken for none: immunizations" in detail


# Words


def test_a_card_says_sentence_evidence_day_and_policy(app: App) -> None:
    detail = ordered(app, "low-neutrophils")["critical"]["detail"]
    assert f"S19: {LABEL.says['S19'].means}" in detail
    assert "Result: Neutrophils 0.8 ×10⁹/L, 2025-02-24" in detail
    assert "local policy, not in the label: count-max-age" in detail
    assert "as of 2025-03-01" in detail


def test_signs_that_can_not_wait_are_said_first(app: App) -> None:
    for card in ordered(app, "suspected-thromboembolism").values():
        urgent = "evaluate" in card["detail"] or "discontinue" in card["summary"]
        assert urgent == ("Signs of thromboembolism need care now" in card["detail"])


def test_the_source_names_label_version_topic_and_a_page_about_it(app: App) -> None:
    source = ordered(app, "low-neutrophils")["critical"]["source"]
    assert source["label"] == "Baricitinib label 2025.01, as read by precaution"
    assert source["topic"]["code"] == "blood-counts"
    assert source["url"] == "http://testserver/label", "not the patient's page: that is the link's"
    page = app.get("/label")
    assert page.status_code == 200
    assert "S19" in page.text
    assert "never wait for this tool" in page.text


def test_every_card_links_to_its_page_and_offers_published_reasons(app: App) -> None:
    system, published = reasons()
    for card in ordered(app, "restricted").values():
        (link,) = card["links"]
        assert link["url"].startswith("http://testserver/decisions/")
        assert [each["code"] for each in card["overrideReasons"]] == [each.code for each in published]
        assert {each["system"] for each in card["overrideReasons"]} == {system}


def test_reasons_are_those_of_the_published_code_system(shared: Path) -> None:
    path = shared / "data" / "cds-hooks" / "requirements" / "CodeSystem-non-adherence-reason-codes.json"
    system = json.loads(path.read_text(encoding="utf-8"))
    leaves = {leaf["code"]: leaf["display"] for group in system["concept"] for leaf in group.get("concept", [])}
    url, published = reasons()
    assert url == system["url"]
    assert {each.code: each.display for each in published}.items() <= leaves.items()


# Suggestions


def test_orders_are_drafts_for_what_is_missing(app: App) -> None:
    found = ordered(app, "low-neutrophils", laboratory=searchset([]))
    orders = [each for card in found.values() for each in card.get("suggestions", []) if "actions" in each]
    labels = {each["label"] for each in orders}
    assert "Order: Blood counts: neutrophils, lymphocytes, hemoglobin" in labels
    assert "Order: Hepatitis B and C screening" in labels
    assert len(labels) == len(orders), "no order is offered twice"
    for each in orders:
        assert each["isRecommended"] is True
        for action in each["actions"]:
            assert action["resource"]["subject"] == {"reference": "Patient/low-neutrophils"}


def test_what_is_ordered_already_is_not_offered_again(app: App) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/low-neutrophils"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "71773-6"}]},
    }
    labels = [
        each["label"]
        for card in ordered(
            app, "low-neutrophils", laboratory=searchset([]), serviceRequests=searchset([order])
        ).values()
        for each in card.get("suggestions", [])
    ]
    assert labels
    assert not any("Tuberculosis" in each for each in labels)


def test_only_what_is_lacking_of_a_duty_is_ordered(app: App) -> None:
    found = by_tier(cards(app, call("patient-view", prefetch(example("zoster-on-treatment")))))
    (order,) = [each for each in found["info"]["suggestions"] if each["label"] == "Order: LDL cholesterol"]
    codes = [action["resource"]["code"]["coding"][0]["code"] for action in order["actions"]]
    assert codes == ["2089-1"]


def test_hepatitis_b_dna_is_offered_only_where_there_is_a_reason(app: App) -> None:
    sent = prefetch(example("low-neutrophils"))
    sent["laboratory"] = searchset([])
    assert not any("DNA" in label or "RNA" in label or "surface antibody" in label for label in offered(app, sent))
    core = {"system": "http://loinc.org", "code": "13952-7"}
    positive = {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]}
    result = {
        "resourceType": "Observation",
        "id": "core",
        "status": "final",
        "subject": {"reference": "Patient/low-neutrophils"},
        "effectiveDateTime": "2025-02-20",
        "code": {"coding": [core]},
        "valueCodeableConcept": positive,
    }
    sent["laboratory"] = searchset([result])
    assert "Order: Hepatitis B DNA" in offered(app, sent)


def offered(app: App, sent: Json) -> list[str]:
    """Return the labels of all suggestions where the drug is ordered."""
    found = cards(app, call("order-sign", sent, draft()))
    return [each["label"] for card in found for each in card.get("suggestions", [])]


@pytest.mark.parametrize(
    "name", ["restricted", "screening-missing", "suspected-thromboembolism", "zoster-on-treatment"]
)
def test_of_yes_and_no_only_one_can_be_taken_up(app: App, name: str) -> None:
    for card in cards(app, call("order-sign", prefetch(example(name)), draft())):
        labels = [each["label"] for each in card.get("suggestions", [])]
        if labels:
            asks = any(label.startswith("Answer ") for label in labels)
            assert card["selectionBehavior"] == ("at-most-one" if asks else "any")


def test_one_critical_card_says_evaluate_and_discontinue(app: App) -> None:
    found = cards(app, call("patient-view", prefetch(example("suspected-thromboembolism"))))
    assert [each["indicator"] for each in found] == ["critical", "info"]
    assert "evaluate and discontinue" in found[0]["summary"]
    assert "evaluate immediately" in found[0]["detail"]
    labels = [each["label"] for each in found[0]["suggestions"]]
    assert labels == [f"Answer {word}: Is venous thromboembolism suspected?" for word in ("yes", "no")]


def test_that_treatment_may_resume_is_a_card(app: App) -> None:
    (card,) = cards(app, call("patient-view", prefetch(example("may-resume"))))
    assert card["indicator"] == "info"
    assert "treatment may resume" in card["summary"]
    assert "hold released" in card["detail"]
    assert "Diagnosis: Herpes zoster" in card["detail"]


def test_an_answer_is_a_suggestion_without_an_action(app: App) -> None:
    offered = ordered(app, "restricted")["warning"]["suggestions"]
    answers = [each for each in offered if each["label"].startswith("Answer ")]
    assert {each["label"].split(":")[0] for each in answers} == {"Answer yes", "Answer no"}
    assert all("actions" not in each and each["isRecommended"] is False for each in answers)


def test_no_suggestion_answers_a_question_about_another_day(app: App) -> None:
    found = ordered(app, "low-neutrophils", laboratory=searchset([]))
    labels = [each["label"] for card in found.values() for each in card.get("suggestions", [])]
    assert any("Tuberculosis" in each for each in labels)
    assert not any("elsewhere" in each for each in labels)


# The label's own words for cards


def test_every_code_list_has_a_title() -> None:
    vocabulary = load_vocabulary(FOLDER, LABEL)
    assert set(LABEL.concepts) - set(vocabulary.titles) == set()


def test_every_laboratory_test_that_a_rule_needs_can_be_ordered() -> None:
    vocabulary = load_vocabulary(FOLDER, LABEL)
    settled = {name for order in vocabulary.orders for name in order.settles}
    facts = {"anc", "alc", "hemoglobin", "hbsag", "anti_hbc", "anti_hbs", "anti_hcv", "hbv_dna", "hcv_rna", "tb_test"}
    assert facts <= settled
    assert {"blood-counts", "lipids", "liver-enzymes", "hepatitis-screen", "tuberculosis-screen"} <= settled


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[titles]\nlab_anx = "x"', "no such code list. Did you mean 'lab_anc'"),
        ('[order.x]\ntitle = "x"\nsettles = ["ancc"]\ncodes = {}', "no fact or duty 'ancc'"),
        ('[order.x]\ntitle = "x"\nsettles = []\ncodes = { lab_anc = "1-8" }', "1-8 is not in codes/lab_anc.csv"),
        ('[order.x]\ntitle = "x"\nsettles = []\ncodes = { lab_none = "1-8" }', "1-8 is not in codes/lab_none.csv"),
        ('[order.x]\ntitle = "x"\ncodes = {}', "'settles' is missing"),
        ("[orders]", "'orders' is not known here"),
    ],
)
def test_what_is_wrong_in_cards_toml_is_said(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "label.toml").symlink_to(FOLDER / "label.toml")
    (tmp_path / "cards.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=says):
        load_vocabulary(tmp_path, LABEL)


def test_a_code_that_nobody_verified_is_not_ordered(tmp_path: Path) -> None:
    (tmp_path / "label.toml").symlink_to(FOLDER / "label.toml")
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "lab_anc.csv").write_text("system,code,display,source,verified\nLOINC,751-8,x,y,no\n")
    (tmp_path / "cards.toml").write_text('[order.x]\ntitle = "x"\nsettles = []\ncodes = { lab_anc = "751-8" }')
    with pytest.raises(KnowledgeError, match="not verified"):
        load_vocabulary(tmp_path, LABEL)


def test_a_label_without_cards_toml_has_cards_all_the_same(tmp_path: Path) -> None:
    assert load_vocabulary(tmp_path, LABEL).title("lab_anc") == "lab anc"


# Escaping


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "![x](http://evil)",
        "[x](javascript:1)",
        "`code`",
        "**b**",
        "_i_",
        "# h",
        "a|b",
        "~~s~~",
        "&lt;",
        "www.evil.com",
        "https://evil.com",
        "a@evil.com",
        "<!-- x",
        "\\<b>",
        "mailto:x",
        "HTTP://X",
    ],
)
def test_escaped_text_is_shown_as_it_is_and_means_nothing(text: str) -> None:
    shown = escaped(text)
    assert unescape(shown) == text
    assert not set("<>[]`*_#|~\\@!") & set(shown.replace("&#", ""))
    assert "www." not in shown.lower()
    assert "://" not in shown


def test_a_summary_ends_at_a_word() -> None:
    assert clipped("short", 139) == "short"
    assert clipped("one two three", 10) == "one two…"
    assert clipped("x" * 200, 139) == "x" * 138 + "…"


def test_references_are_taken_out_of_our_texts() -> None:
    text = "Condition/zoster-1 is not confirmed; Observation#1a2b3c4d and MedicationRequest/x.y may be 5 mg/dL"
    assert without_sources(text) == "an entry is not confirmed; an entry and an entry may be 5 mg/dL"


# Everybody


def synthetic(many: int) -> Iterator[tuple[list[Json], dict[str, Any]]]:
    recipes = load_recipes(FOLDER, LABEL)
    generator = Generator(LABEL, recipes, seed=7, today=date(2025, 3, 1), entries=40)
    for patient in generator.patients(many):
        yield patient.resources, patient.truth


GRAVE = ("discontinue", "do-not-start", "interrupt", "stay-interrupted")


def test_every_synthetic_patient_gets_cards_as_they_must_be(app: App) -> None:
    """Each through every hook; the gravest card is as grave as the truth that was worked out without the engine."""
    tiers: Counter[str] = Counter()
    for number, (resources, truth) in enumerate(synthetic(180)):
        hook = HOOKS[number % len(HOOKS)]
        response = post(app, call(hook, prefetch(resources), *([draft()] if hook != "patient-view" else [])))
        if "refused" in truth:
            assert response.status_code == 200
            continue
        assert response.status_code == 200, (truth["patient"], response.text)
        assert cards_check.wrong(response.json()) == [], truth["patient"]
        found = by_tier(response.json()["cards"])
        tiers.update(found.keys() or ["none"])
        if hook != "patient-view" or truth["stage"] != "before-start":
            if truth["action"] in GRAVE:
                assert "critical" in found or "warning" in found, truth["patient"]
            known = any(each["resourceType"] == "Immunization" for each in resources)
            if truth["action"] not in ("clear", "may-resume", "" if known else "caution"):  # a whole list may be empty
                assert found, truth["patient"]
    assert set(tiers) == {*TIERS, "none"}, tiers


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda card: card.update(summary="x" * 140), "summary"),
        (lambda card: card.update(indicator="severe"), "indicator"),
        (lambda card: card.pop("source"), "'source' is a required"),
        (lambda card: card.update(links=[]), "non-empty"),
        (lambda card: card.update(detail=None), "None is not"),
        (lambda card: card.update(detail="<b>x</b> not a certified medical device"), "renderer"),
        (lambda card: card.update(detail="x"), "what it is not"),
        (lambda card: card.update(suggestions=[{"label": "x"}]), "selectionBehavior"),
        (lambda card: card["source"].update(icon=""), "icon"),
    ],
)
def test_a_card_that_is_wrong_is_seen(app: App, change: Any, says: str) -> None:
    response = post(app, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()
    assert cards_check.wrong(response) == []
    change(response["cards"][0])
    found = cards_check.wrong(response)
    assert found
    assert any(says in each for each in found), found


def test_two_cards_of_a_tier_are_seen(app: App) -> None:
    response = post(app, call("order-sign", prefetch(example("low-neutrophils")), draft())).json()
    response["cards"] = [response["cards"][0], response["cards"][0]]
    assert "two cards of one tier" in cards_check.wrong(response)


def test_the_same_call_gives_the_same_cards_but_for_ids(app: App) -> None:
    def plain(found: list[Json]) -> list[tuple[str, str, str]]:
        return [(each["summary"], each["detail"], each["indicator"]) for each in found]

    body = call("order-sign", prefetch(example("restricted")), draft())
    assert plain(cards(app, body)) == plain(cards(app, body))
    assert DRUG


def test_a_call_that_gives_cards_adds_at_most_four_kilobytes_to_the_store(tmp_path: Path) -> None:
    app = App(settings(tmp_path))
    given = 0
    for number, (resources, truth) in enumerate(synthetic(120)):
        if "refused" not in truth:
            hook = HOOKS[number % len(HOOKS)]
            body = call(hook, prefetch(resources), *([draft()] if hook != "patient-view" else []))
            if number == 20:
                before, given = used(tmp_path), 0  # the first pages of the file are there by now
            given += bool(cards(app, body))
    assert given > 50
    assert (used(tmp_path) - before) / given < 4000
    app.close()


def used(folder: Path) -> int:
    """Return the bytes of a store's file that are in use."""
    connection = sqlite3.connect(folder / "store.sqlite")
    pages = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")]
    connection.close()
    return (pages[0] - pages[1]) * 4096
