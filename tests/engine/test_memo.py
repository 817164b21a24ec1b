"""What is kept from one patient to the next changes no answer, and holds nothing of anyone.

The reference is the same engine with every short cut taken out: each fact and rule is worked out on the patient's own
record, nothing is looked up in a table, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from importlib import import_module
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution import load_label
from precaution.engine import evidence, findings
from precaution.engine import facts as facts_
from precaution.engine import memo as blank
from precaution.engine.answer import Decision, Due, Finding, maker
from precaution.engine.compiled import Prepared
from precaution.engine.decision import decide
from precaution.engine.facts import Chart, Facts
from precaution.engine.kinds import figures
from precaution.engine.kinds import qualitative as results
from precaution.engine.memo import Blank
from precaution.engine.therapy import Therapy
from precaution.knowledge.refers import STAGES, Stage
from precaution.values.record import Entry, Record
from support.engine_builders import TODAY
from support.random_records import AnyRecord

prepared = import_module("precaution.engine.compiled")
LABEL = load_label("baricitinib")
RECORDS = AnyRecord(LABEL, TODAY)
SEEDS = st.integers(0, 2**40)
PLAIN: dict[object, object] = {}
"""The label as prepared for the reference."""
Asked = tuple[int, int, Stage | None, bool]
ASKED = st.tuples(SEEDS, st.sampled_from((0, -90, -1000, 1)), st.sampled_from((None, None, *STAGES)), st.booleans())
"""Record, days from today, stage given, whether everything is asked for."""


def answered(asked: Asked, mark: str = "") -> Decision:
    seed, days, stage, everything = asked
    return decide(RECORDS.made(seed, mark), LABEL, TODAY + days, stage, everything=everything)


def fresh_blank(chart: Chart, ready: Prepared) -> Blank:
    nobody = Record(lists=chart.record.lists, attested=chart.record.attested)
    return Blank(Chart(nobody, chart.label, chart.today, Therapy(ready.stage, "")), ready)


@contextmanager
def plainly() -> Iterator[None]:
    """Take every short cut out of the engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "_PREPARED", PLAIN)
        patch.setattr(figures, "_quickly", lambda *given: given[-1])
        patch.setattr(results, "_quickly", lambda *given: given[-1])
        patch.setattr(findings, "key_of", lambda *_: lambda _: object())
        patch.setattr(evidence, "key_of", lambda *_: lambda _: object())
        patch.setattr(findings._Rules, "touched", lambda *_: -1)
        patch.setattr(facts_, "blank_of", fresh_blank)
        patch.setattr(Facts, "silent", lambda *_: False)
        patch.setattr(Chart, "newest", lambda *_: None)
        yield


@settings(max_examples=1500)
@given(ASKED)
def test_no_short_cut_changes_an_answer(asked: Asked) -> None:
    quick = answered(asked)
    with plainly():
        assert answered(asked) == quick


@settings(max_examples=60)
@given(st.lists(ASKED, min_size=2, max_size=12, unique=True), st.randoms())
def test_the_order_of_patients_changes_nothing(asked: list[Asked], dice: Random) -> None:
    blank._KEPT.clear()
    first = {each: answered(each) for each in asked}
    shuffled = dice.sample(asked, len(asked))
    blank._KEPT.clear()
    assert {each: answered(each) for each in shuffled} == first


# The checks above can fail


def differ(count: int = 300) -> bool:
    """Whether any of some records is answered otherwise than by the reference."""
    for seed in range(count):
        quick = answered((seed, 0, None, False))
        with plainly():
            if answered((seed, 0, None, False)) != quick:
                return True
    return False


@pytest.mark.parametrize(
    ("of", "name", "wrong"),
    [
        (findings._Rules, "touched", lambda *_: 0),  # every rule as for a record that says nothing to it
        (Facts, "silent", lambda *_: True),  # every duty as for such a record
        (Chart, "newest", lambda chart, name: (chart.past.get(name) or (None,))[0]),  # the oldest for the newest
    ],
)
def test_a_wrong_short_cut_is_noticed(of: type, name: str, wrong: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def differs() -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(of, name, wrong)
            quick = [answered((seed, 0, None, False)) for seed in range(150)]
        with plainly():
            return any(answered((seed, 0, None, False)) != each for seed, each in enumerate(quick))

    monkeypatch.setattr(blank, "_KEPT", {})
    assert differs()


def test_facts_that_are_not_taken_back_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a record begins as a copy of a blank one, what it says anything to must be worked out anew."""
    monkeypatch.setattr(blank, "_KEPT", {})
    monkeypatch.setattr(Facts, "pop", lambda *_: None, raising=False)
    assert differ()


# Nothing of anyone is kept

MARK = "CANARY-"


def held(thing: object, seen: set[int]) -> Iterator[object]:
    """Yield all that an object holds, however deep."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield thing
    inner: list[object] = []
    if isinstance(thing, dict):
        inner = [*thing.keys(), *thing.values()]
    elif isinstance(thing, (list, tuple, set, frozenset)):
        inner = list(thing)
    elif is_dataclass(thing) and not isinstance(thing, type):
        inner = [getattr(thing, each.name) for each in fields(thing)]
    elif hasattr(thing, "__dict__") or hasattr(type(thing), "__slots__"):
        names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
        inner = [getattr(thing, name) for name in names if hasattr(thing, name)]
    for each in inner:
        yield from held(each, seen)


def kept() -> Iterator[object]:
    """Yield all that is kept between patients: blank records, and what rules and backgrounds were ready for."""
    ready = list(prepared._PREPARED.values())
    roots = [blank._KEPT, [findings._rules(each) for each in ready], [evidence._backgrounds(each) for each in ready]]
    yield from held(roots, set())


def test_what_is_kept_holds_no_entry_and_no_word_of_a_record() -> None:
    for seed in range(400):
        answered((seed, 0, None, seed % 5 == 0), MARK)
    everything = list(kept())
    assert len(everything) > 5000
    assert not [each for each in everything if isinstance(each, Entry)]
    assert not [each for each in everything if isinstance(each, str) and MARK in each]
    assert not [each for each in everything if isinstance(each, (Finding, Due)) and each.evidence]


def test_such_a_word_would_be_found() -> None:
    record = RECORDS.made(3, MARK)
    assert any(isinstance(each, str) and MARK in each for each in held({"kept": (record,)}, set()))


def test_every_blank_record_is_without_entries_and_they_do_not_pile_up() -> None:
    for day in range(2 * blank._MOST + 10):
        decide(Record(), LABEL, TODAY + day)
    assert len(blank._KEPT) <= blank._MOST
    assert not any(each.chart.record.entries for each in blank._KEPT.values())


# What is made fast is what is made slowly


def test_a_finding_made_fast_is_a_finding() -> None:
    given_ = ("r", "holds", "a", ("S1",), "tell", (), (), ())
    quick, slow = maker(Finding)(*given_), Finding(*given_)  # type: ignore[arg-type]
    assert (quick, type(quick), hash(quick), repr(quick)) == (slow, Finding, hash(slow), repr(slow))
    with pytest.raises(AttributeError):
        quick.rule = "another"  # type: ignore[misc]
