"""Small builders of labels, records and charts by hand, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import count

from precaution.engine.chart import Chart, Known
from precaution.engine.facts import Facts
from precaution.engine.therapy import Therapy, therapy
from precaution.knowledge import model as d
from precaution.knowledge.computed_facts import Estimated
from precaution.knowledge.fact import Fact
from precaution.knowledge.refers import Stage
from precaution.knowledge.terminology import Concept, build
from precaution.values.interval import Interval, exactly
from precaution.values.record import Entry, Kind, Record, in_order

_DIGESTS = count()
DAYS: Mapping[str, float] = {"grace": 30, "gap": 90}
"""Parameters every label here has: those of the stage."""
ACTIONS = (
    "discontinue",
    "do-not-start",
    "interrupt",
    "stay-interrupted",
    "specialist-first",
    "only-if-no-alternative",
    "screen",
    "obtain",
    "may-resume",
    "only-if-no-alternative+attested",
    "weigh",
    "caution",
    "due",
    "clear",
)


def day(written: str) -> int:
    """Return the ordinal of an ISO day."""
    return date.fromisoformat(written).toordinal()


TODAY = day("2025-03-01")


def span(first: str, last: str) -> Interval:
    """Return the interval of days from one to another."""
    return Interval(day(first), day(last))


MARCH = span("2025-03-01", "2025-03-31")
FEBRUARY = span("2025-02-01", "2025-02-28")


def on(when: str | Interval | None) -> Interval | None:
    """Return the interval of an ISO day; an interval or None as it is."""
    return exactly(day(when)) if isinstance(when, str) else when


def parameter(name: str, value: float | bool | str, written: str = "") -> d.Parameter:
    """Return a parameter; a number is written as days."""
    days = f"{value} days" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    return d.Parameter(
        name=name, topic="t", value=value, written=written or days, of=("S1",), why="ours", status="proposed"
    )


def label(
    *definitions: Fact | d.Ask | d.Rule | d.Duty | d.Says,
    absence: str = "list-supplied",
    suspected: str = "question",
    complete: Iterable[Kind] = (),
    **parameters: float | bool | str,
) -> d.Label:
    """Return a label of these definitions; `parameters` by name with `_` for `-`. Each has a digest of its own."""
    values = {
        **DAYS,
        "absence": absence,
        "suspected": suspected,
        "same-day": "worst",
        **{name.replace("_", "-"): v for name, v in parameters.items()},
    }
    return d.Label(
        name="examplinib",
        version="1",
        title="Examplinib",
        digest=f"{next(_DIGESTS):064d}",
        about={},
        actions=ACTIONS,
        therapy=d.TherapySettings(drug="drug", grace="grace", gap="gap"),
        records=d.Records(absence="absence", suspected="suspected", same_day="same-day"),
        says={each.id: each for each in definitions if isinstance(each, d.Says)},
        parameters={name: parameter(name, value) for name, value in values.items()},
        concepts={f.input: Concept(name=f.input, unit="mg/dL") for f in definitions if isinstance(f, Estimated)},
        topics=("t",),
        facts={each.name: each for each in definitions if isinstance(each, Fact)},
        asks={each.name: each for each in definitions if isinstance(each, d.Ask)},
        rules={each.name: each for each in definitions if isinstance(each, d.Rule)},
        duties={each.name: each for each in definitions if isinstance(each, d.Duty)},
        terminology=build({}, {}),
        complete_lists=frozenset(complete),
    )


def ask(name: str = "agreed", number: str = "A1", **more: object) -> d.Ask:
    """Return a question."""
    return d.Ask(name=name, topic="t", number=number, question=f"{name}?", of=("S1",), **more)  # type: ignore[arg-type]


def entry(concept: str, kind: Kind, start: str | Interval | None = None, **more: object) -> Entry:
    """Return an entry that began on a day."""
    return Entry(concept, kind, **{"source": f"{kind}/{concept}", "start": on(start), **more})  # type: ignore[arg-type]


def condition(
    concept: str = "c", start: str | Interval | None = "2024-01-01", status: str = "active", **more: object
) -> Entry:
    """Return an active condition."""
    return entry(concept, "condition", start, status=status, **more)


def result(
    concept: str, value: float | Interval | str | None, start: str | Interval | None = "2025-02-20", **more: object
) -> Entry:
    """Return a final result: a number, an interval, or a word as `positive`."""
    if isinstance(value, str):
        return entry(concept, "result", start, **{"result": value, **more})
    return entry(
        concept, "result", start, **{"value": exactly(value) if isinstance(value, (int, float)) else value, **more}
    )


def drug(
    start: str | Interval | None = "2024-01-01",
    end: str | Interval | None = None,
    status: str = "active",
    concept: str = "drug",
    **more: object,
) -> Entry:
    """Return an open order of the label's drug."""
    return entry(concept, "medication", start, end=on(end), status=status, **more)


def answer(name: str, word: str, start: str | Interval | None = "2025-02-25", **more: object) -> Entry:
    """Return an answer to a question."""
    return entry(f"ask:{name}", "answer", start, **{"result": word, "says": word, **more})


EVERY_LIST = frozenset({"condition", "medication", "procedure", "immunization", "result"})


def record(
    *entries: Entry, lists: Iterable[str] = EVERY_LIST, birth: str | Interval | None = None, **more: object
) -> Record:
    """Return a record of these entries, whose lists are all there."""
    table: dict[str, tuple[Entry, ...]] = {}
    for each in sorted(entries, key=in_order):
        table[each.concept] = (*table.get(each.concept, ()), each)
    return Record(birth=on(birth), entries=table, lists=frozenset(lists), **more)  # type: ignore[arg-type]


def chart(
    of: d.Label,
    *entries: Entry,
    today: int = TODAY,
    stage: Stage | None = None,
    at: Therapy | None = None,
    **more: object,
) -> Chart:
    """Return the chart of a record of these entries."""
    holds = record(*entries, **more)  # type: ignore[arg-type]
    return Chart(holds, of, today, at or therapy(holds, of, today, stage))


def facts(of: d.Label, *entries: Entry, **more: object) -> Facts:
    """Return the facts of a record of these entries."""
    return Facts(chart(of, *entries, **more))  # type: ignore[arg-type]


def known(
    fact: Fact, *entries: Entry, parameters: Mapping[str, float | bool | str] | None = None, **more: object
) -> Known:
    """Return what is known of one fact."""
    return facts(label(fact, **(parameters or {})), *entries, **more).known(fact.name)
