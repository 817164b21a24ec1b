"""A label in short: every rule and duty stands in it, under what it asks for."""

from __future__ import annotations

from itertools import pairwise

from precaution import load_label
from precaution.writers.in_short import actions_in_short, duties_in_short

LABEL = load_label("baricitinib")
ACTIONS = actions_in_short(LABEL)


def of(action: str) -> dict[str, tuple[str, str]]:
    """Return rule -> stages and what ends a hold, of an action."""
    (found,) = (each for each in ACTIONS if each.action == action)
    return {rule.name: (rule.stages, rule.resume) for rule in found.rules}


def test_every_rule_that_asks_for_something_is_named() -> None:
    named = {rule.name for each in ACTIONS for rule in each.rules}
    asking = {name for name, rule in LABEL.rules.items() if set(rule.then.values()) != {LABEL.actions[-1]}}
    assert named == asking


def test_a_limit_its_stage_and_what_ends_the_hold_are_told() -> None:
    assert of("■ do not start")["low-neutrophils"] == ("before start", "")
    assert of("■ interrupt")["low-neutrophils"] == ("after the start", "Neutrophils 1 ×10⁹/L or more")
    assert of("■ only if no alternative")["aged-65-or-older"] == ("at any time", "")


def test_no_list_is_said_twice() -> None:
    lists = [[rule.name for rule in each.rules] for each in ACTIONS]
    assert all(first != second for first, second in pairwise(lists))


def test_every_duty_says_when() -> None:
    duties = {each.name: each for each in duties_in_short(LABEL)}
    assert duties.keys() == LABEL.duties.keys()
    assert duties["tuberculosis-screen"].first == "before the start"
    counts = duties["blood-counts"]
    assert (counts.first, counts.every, counts.late) == ("after 28 days, after 84 days", "84 days", "28 days")
    skin = duties["skin-examination"]
    assert (skin.first, skin.every) == ("at the start", "365 days; 180 days where: risk factors for skin cancer")
