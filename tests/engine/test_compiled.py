"""A label is decided by itself: what is compiled of it belongs to the object, and goes to no copy and no other."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from precaution import assess, load_label
from precaution.engine.compiled import compiled_label
from precaution.engine.decision import decide
from precaution.knowledge.expression import parse
from precaution.knowledge.fact_kinds import Latest
from precaution.knowledge.model import Label, Rule
from precaution.knowledge.policy import Policy, applied
from precaution.knowledge.refers import STAGES
from precaution.values.record import Record
from support.engine_builders import TODAY, label, record, result
from support.random_records import AnyRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from precaution.engine.answer import Decision

LAB = Latest(name="lab", topic="t", title="a count", latest=("lab",), worst="low", within=dict.fromkeys(STAGES, "days"))
LOW = Rule(
    name="low",
    topic="t",
    title="Low",
    cites=("S1",),
    when=dict.fromkeys(STAGES, parse("lab < limit")),
    then=dict.fromkeys(STAGES, "do-not-start"),
    if_unknown=dict.fromkeys(STAGES, "obtain"),
    tell="Count {lab}",
)
ONE = label(LAB, LOW, days=28, limit=1)
RESULT = record(result("lab", 2))
"""Above the limit of `ONE`."""
REAL = load_label("baricitinib")
RECORDS = AnyRecord(REAL, TODAY)


def with_value(of: Label, name: str, value: float) -> Label:
    """Return the label with another value of a parameter, and with the same name and digest."""
    return replace(of, parameters={**of.parameters, name: replace(of.parameters[name], value=value)})


def mutated(copied: Label) -> Label:
    """Change a label in place, as nobody should."""
    parameters = {**copied.parameters, "limit": replace(copied.parameters["limit"], value=5.0)}
    object.__setattr__(copied, "parameters", parameters)
    return copied


def action(of: Label) -> str:
    return decide(RESULT, of, TODAY).decision.action


OTHERS: dict[str, Callable[[Label], Label]] = {
    "replaced": lambda of: with_value(of, "limit", 5.0),
    "copied and changed": lambda of: mutated(copy.copy(of)),
    "copied deep and changed": lambda of: mutated(copy.deepcopy(of)),
    "sent and changed": lambda of: mutated(pickle.loads(pickle.dumps(of))),  # noqa: S301 - made here
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_label_like_another_is_decided_by_itself(other: str) -> None:
    """The value is above one's limit and below the other's, and the labels share name and digest."""
    first = replace(ONE)
    assert [action(first) for _ in range(3)] == ["clear"] * 3
    second = OTHERS[other](first)
    assert second.digest == first.digest
    for _ in range(3):  # in turns
        assert action(second) == "do-not-start"
        assert action(first) == "clear"


def test_the_python_api_decides_by_the_label_that_it_is_given() -> None:
    first = replace(ONE)
    assert assess(RESULT, today="2025-03-01", label=first).action == "clear"
    assert assess(RESULT, today="2025-03-01", label=with_value(first, "limit", 5.0)).action == "do-not-start"


def test_what_is_compiled_is_kept_by_the_label_and_goes_with_it() -> None:
    own = replace(ONE)
    kept = compiled_label(own, "on-treatment")
    assert compiled_label(own, "on-treatment") is kept
    assert kept.label is own
    assert compiled_label(own, "before-start") is not kept
    for other in (replace(own), copy.copy(own), copy.deepcopy(own)):
        assert compiled_label(other, "on-treatment").label is other
    assert compiled_label(own, "on-treatment") is not compiled_label(replace(own), "on-treatment")


def test_a_label_that_is_let_go_leaves_nothing_behind() -> None:
    own = replace(ONE)
    action(own)
    gone = weakref.ref(compiled_label(own, "before-start"))
    del own
    gc.collect()
    assert gone() is None


def policies() -> list[Label]:
    """Return labels of one name and digest, each with another parameter of the real one changed a little."""
    found = []
    for name, each in REAL.parameters.items():
        if isinstance(each.value, float) and not each.choices:
            written = f"{each.value * 2 + 1:.0f} days" if each.written.endswith("days") else each.value * 2 + 1
            changed = applied(Policy(file="policy.toml", parameter={name: written}), REAL.parameters)
            found.append(replace(REAL, parameters=changed))
    return found


def answers(of: Label, records: list[Record]) -> list[Decision]:
    return [decide(each, of, TODAY).decision for each in records]


@pytest.mark.slow
def test_policies_decided_in_threads_at_once_are_each_decided_by_itself() -> None:
    labels, records = policies()[::3], [RECORDS.made(seed) for seed in range(20)]
    assert len(labels) > 10
    alone = [answers(replace(of), records) for of in labels]
    assert len({str(each) for each in alone}) > 5  # they do not all say the same
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda of: answers(of, records), [*labels, *labels]))
    assert together == [*alone, *alone]


def test_one_label_decided_in_threads_at_once_says_the_same_as_alone() -> None:
    own, records = replace(REAL), [RECORDS.made(seed) for seed in range(100)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda _: answers(own, records), range(8)))
    assert together == [answers(replace(REAL), records)] * 8
