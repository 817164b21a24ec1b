"""Synthetic patients: what the recipes say must come out is what comes out, cell by cell, and every trap is met."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from precaution import Label, assess, load_label
from precaution.cases.load import DUTY_STATES, RULE_STATES
from precaution.demo import Generator, Recipes, load_recipes
from precaution.demo.disguises import DISGUISES, WHOLE
from precaution.demo.output import bundle
from precaution.demo.plan import plan_of
from precaution.engine.answer import ATTESTED
from precaution.errors import PatientDied
from precaution.knowledge.loading import find_label
from precaution.knowledge.policy import Policy, applied
from support.project import PROJECT

if TYPE_CHECKING:
    from precaution.demo import SyntheticPatient
    from precaution.demo.recipes import Scenario

NO = "no"
TODAY = date(2025, 3, 1)
ENGINE = {"facts", "findings", "duties", "decision", "therapy", "assessment", "timeline", "readers", "evidence"}


@cache
def label() -> Label:
    return load_label("baricitinib")


@cache
def recipes() -> Recipes:
    return load_recipes(find_label("baricitinib"), label())


def generator(*, seed: int = 1, today: date = TODAY, entries: int = 30, bundled: bool = False) -> Generator:
    return Generator(label(), recipes(), seed=seed, today=today, entries=entries, bundled=bundled)


class Cell(NamedTuple):
    """One thing of one patient on which plan and engine must agree."""

    patient: str
    scenarios: tuple[str, ...]
    name: str
    wanted: str
    came: str


def cells(patient: SyntheticPatient, today: date, using: Label | None = None, *, bundled: bool = False) -> list[Cell]:
    """Return stage, action, and every rule and duty of the label: as planned, and as the engine has it."""
    known, truth = using or label(), patient.truth
    scenarios = tuple(map(str, _list(truth["scenarios"])))
    try:
        given = [bundle(patient)] if bundled else patient.resources
        decision = assess(given, today=today, label=known, everything=True)
    except PatientDied:
        return [Cell(patient.ident, scenarios, "refused", str(truth.get("refused")), "died")]
    if "refused" in truth:
        return [Cell(patient.ident, scenarios, "refused", str(truth["refused"]), "decided")]
    softened = decision.action + ATTESTED
    action = softened if decision.attested and softened in known.actions else decision.action
    came = {finding.rule: str(finding.state) for finding in decision.findings}
    came |= {due.duty: str(due.state) for due in decision.due}
    states = truth["states"]
    assert isinstance(states, dict)
    names = [*known.rules, *known.duties]
    found = [Cell(patient.ident, scenarios, name, states.get(name, NO), came.get(name, NO)) for name in names]
    found.append(Cell(patient.ident, scenarios, "stage", str(truth["stage"]), decision.stage))
    return [*found, Cell(patient.ident, scenarios, "action", str(truth["action"]), action)]


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def differing(many: int, *, today: date, seed: int, bundled: bool = False) -> tuple[int, list[Cell]]:
    makes = generator(seed=seed, today=today, bundled=bundled)
    compared = [cell for each in makes.patients(many) for cell in cells(each, today, bundled=bundled)]
    return len(compared), [cell for cell in compared if cell.wanted != cell.came]


# The oracle


DAYS = [
    (date(2025, 3, 1), 800, 1),
    (date(2024, 2, 29), 200, 2),
    (date(2024, 12, 31), 200, 3),
    (date(2025, 1, 1), 200, 4),
    (date(2026, 3, 31), 200, 5),
]


@pytest.mark.parametrize(
    ("today", "many", "seed"), [*DAYS[:2], *(pytest.param(*each, marks=pytest.mark.slow) for each in DAYS[2:])], ids=str
)
def test_what_comes_out_is_what_the_plan_says(today: date, many: int, seed: int) -> None:
    compared, wrong = differing(many, today=today, seed=seed)
    assert wrong == []
    assert compared > many * 45


def test_it_is_so_too_where_each_patient_is_a_bundle() -> None:
    compared, wrong = differing(300, today=TODAY, seed=6, bundled=True)
    assert wrong == []
    assert compared > 300 * 45


def _drawn() -> list[str]:
    return [name for name, each in recipes().scenarios.items() if each.weight > 0]


@pytest.mark.parametrize("name", _drawn())
def test_every_scenario_comes_out_on_every_base_it_may_stand_on(name: str) -> None:
    wrong = [cell for each in alone(name) for cell in cells(each, TODAY) if cell.wanted != cell.came]
    assert wrong == []


def alone(name: str) -> list[SyntheticPatient]:
    """Return patients of one scenario, on each of its bases."""
    scenario = recipes().scenarios[name]
    return [written(base, [scenario], number) for base in scenario.on for number in (1, 2)]


def written(base: str, scenarios: list[Scenario], number: int = 1) -> SyntheticPatient:
    rng = Random(f"{base}/{number}")  # noqa: S311
    plan = plan_of(recipes().bases[base], scenarios, recipes(), label(), rng, TODAY)
    return generator(entries=0).written(plan, number)


def test_results_without_a_known_start_leave_the_next_open() -> None:
    """S36: unknown where the start is not known. Results of 50 days after the start do not count as those of week 12,
    which are then due on day 84, long before 84 days after the results."""
    found = [cell for each in alone("labs-and-an-unknown-start") for cell in cells(each, TODAY)]
    assert [cell for cell in found if cell.wanted != cell.came] == []


# That the oracle sees what is wrong


CHANGED = [
    ("restricted-age", 75),
    ("count-max-age", "7 days"),
    ("symptom-max-age", "5 days"),
    ("skin-interval", "30 days"),
    ("absence-counts", "attested"),
    ("suspected-diagnosis", "yes"),
    ("therapy-gap", "10000 days"),
    ("tb-screen-max-age", "30 days"),
    ("same-day-value", "unknown"),
]


@pytest.mark.parametrize(("parameter", "value"), CHANGED)
def test_another_value_of_a_parameter_is_seen(parameter: str, value: object) -> None:
    parameters = applied(Policy(file="policy.toml", parameter={parameter: value}), label().parameters)
    other = replace(label(), parameters=parameters, digest=f"{label().digest} {parameter}")
    patients = generator(seed=8).patients(1500)
    assert any(cell.wanted != cell.came for each in patients for cell in cells(each, TODAY, other))


def test_a_result_taken_away_is_seen() -> None:
    for each in generator().patients(50):
        without = [r for r in each.resources if r["resourceType"] not in ("Observation", "DiagnosticReport")]
        if "refused" not in each.truth and any(
            cell.wanted != cell.came for cell in cells(each._replace(resources=without), TODAY)
        ):
            return
    pytest.fail("nobody needed a result")


def test_the_truth_never_asks_the_engine() -> None:
    for path in (PROJECT / "precaution" / "demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("precaution."):
                assert (node.module or "").split(".")[1] not in ENGINE, path.name


# What a cohort holds


@cache
def truths(many: int = 2000) -> tuple[dict[str, object], ...]:
    return tuple(each.truth for each in generator(entries=0).patients(many))


def coverage(known: tuple[dict[str, object], ...]) -> dict[str, Counter[str]]:
    """Return rule or duty -> how many patients of a cohort must come to each state."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for truth in known:
        states = truth.get("states")
        if isinstance(states, dict):
            for name in (*label().rules, *label().duties):
                found[name][states.get(name, NO)] += 1
    return found


IMPOSSIBLE = {
    "hbv-dna": {"upcoming"},  # it is due from the day of the start
    "hepatitis-screen": {"upcoming", "overdue"},  # due until it is done, before a start
    "tuberculosis-screen": {"upcoming", "overdue"},
    "vaccinations": {"upcoming", "overdue"},
    "liver-enzymes-baseline": {"upcoming", "overdue", "unknown"},
    "monitor-infection": {"done", "upcoming", "overdue"},  # open as long as there is one
    "skin-examination": {"no", "upcoming"},  # for everyone, and due from the day of the start
}
"""States that the label's own definition of a duty leaves no room for."""


def test_every_rule_and_duty_has_a_patient_in_each_of_its_states() -> None:
    found = coverage(truths())
    missing = {name: set(RULE_STATES) - found[name].keys() for name in label().rules}
    missing |= {name: set(DUTY_STATES) - found[name].keys() - IMPOSSIBLE.get(name, set()) for name in label().duties}
    assert {name: states for name, states in missing.items() if states} == {}


def test_what_is_said_to_be_impossible_does_not_occur() -> None:
    found = coverage(truths())
    assert [name for name, states in IMPOSSIBLE.items() if states & found[name].keys()] == []


def test_every_stage_and_action_occurs() -> None:
    assert {truth.get("stage") for truth in truths()} >= {"before-start", "on-treatment", "interrupted", None}
    assert {truth.get("action") for truth in truths()} - {None} == set(label().actions)


def test_every_scenario_and_every_trap_occurs() -> None:
    scenarios = Counter(name for truth in truths() for name in _list(truth["scenarios"]))
    traps = Counter(name for truth in truths() for name in _list(truth["traps"]))
    assert set(_drawn()) - scenarios.keys() == set()
    assert recipes().traps.keys() - traps.keys() == set()


@pytest.mark.parametrize("bundled", [False, True])
def test_every_disguise_occurs(bundled: bool) -> None:
    patients = generator(bundled=bundled, entries=0).patients(300)
    found = {name for each in patients for name in _list(each.truth["disguises"])}
    assert found == {*WHOLE, *(each.name for each in DISGUISES)} - (set() if bundled else {"older-version"})


def test_some_patients_have_several_things_at_once() -> None:
    assert {len(_list(truth["scenarios"])) for truth in truths()} == {0, 1, 2, 3}


@pytest.mark.parametrize("base", ["ready", "newly", "treated", "long", "on-hold"])
def test_a_base_alone_is_what_it_says(base: str) -> None:
    assert [cell for cell in cells(written(base, []), TODAY) if cell.wanted != cell.came] == []


# Determinism


def test_the_same_seed_and_day_give_the_same_patient() -> None:
    assert generator().patient(7) == generator().patient(7)
    assert generator().patient(7) != generator(seed=2).patient(7)
    assert generator().patient(7) != generator(today=date(2025, 3, 2)).patient(7)


def test_a_patient_does_not_depend_on_those_before() -> None:
    makes = generator()
    assert list(makes.patients(20))[10] == makes.patient(11)


def test_the_truth_does_not_depend_on_the_form_or_on_what_fills_the_record() -> None:
    def planned(patient: SyntheticPatient) -> dict[str, object]:
        return {name: value for name, value in patient.truth.items() if name != "disguises"}

    for number in range(1, 40):
        expected = planned(generator().patient(number))
        assert planned(generator(bundled=True).patient(number)) == expected
        assert planned(generator(entries=100).patient(number)) == expected


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_writes_the_same_bytes(hash_seed: str) -> None:
    script = (
        "import sys, json; sys.path[:0] = ['tests', 'tests/demo']; import test_cohort as t\n"
        "print(json.dumps([[p.resources, p.truth] for p in t.generator().patients(25)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(PROJECT)},
    )
    assert json.loads(done.stdout) == json.loads(json.dumps([[p.resources, p.truth] for p in generator().patients(25)]))


if __name__ == "__main__":  # the coverage table
    for rule, states in sorted(coverage(truths()).items()):
        counts = ", ".join(f"{state} {number}" for state, number in sorted(states.items()))
        sys.stdout.write(f"{rule:40} {counts}\n")
