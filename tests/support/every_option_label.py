"""An invented label that uses every kind of fact with every option, rules with every part, duties of each sort: what
the first label happens not to use is compared too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge import fact_kinds as k
from precaution.knowledge import model as d
from precaution.knowledge.computed_facts import Dose, Estimated, OfSex
from precaution.knowledge.expression import parse
from precaution.knowledge.fact import Fact
from precaution.knowledge.refers import STAGES, Stage
from support.engine_builders import ask, label

if TYPE_CHECKING:
    from precaution.knowledge.model import Label

TITLES = {"topic": "t", "title": "a test"}
WINDOW: dict[Stage, str] = {"before-start": "short", "interrupted": "long"}
PARAMETERS: dict[str, float | bool | str] = {
    "grace": 30,
    "gap": 90,
    "short": 28,
    "long": 90,
    "year": 365,
    "limit": 3,
    "none": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "age": 65,
    "yes": True,
    "no": False,
    "any": "any",
    "whole": "all",
    "tiny": 0.5,
}

FACTS: tuple[Fact, ...] = (
    k.Latest(name="low", latest=("lab", "lab2"), worst="low", within=WINDOW, derived=("whole", "percent"), **TITLES),
    k.Latest(
        name="high", latest=("lab",), worst="high", within=WINDOW, last="two", derived=("whole", "percent"), **TITLES
    ),
    k.Latest(name="low_three", latest=("lab",), worst="low", within={"on-treatment": "year"}, last="three", **TITLES),
    k.Latest(
        name="times",
        latest=("lab", "lab2"),
        worst="high",
        times_upper_limit=True,
        upper_limit="limit",
        derived=("whole", "percent"),
        **TITLES,
    ),
    k.Latest(name="times_none", latest=("lab2",), worst="low", times_upper_limit=True, upper_limit="none", **TITLES),
    k.Latest(
        name="times_three", latest=("lab2",), worst="low", times_upper_limit=True, last="three", within=WINDOW, **TITLES
    ),
    Estimated(
        name="clearance",
        estimate=("lab", "lab2"),
        input="raw",
        formula="cockcroft-gault",
        worst="low",
        weight="kilos",
        weight_within="year",
        within=WINDOW,
        **TITLES,
    ),
    Estimated(name="filtration", estimate=("lab",), input="raw", formula="ckd-epi-2021", worst="high", **TITLES),
    k.Extreme(name="lowest", extreme=("lab", "lab2"), worst="low", derived=("whole", "percent"), **TITLES),
    k.Extreme(name="highest", extreme=("lab",), worst="high", **TITLES),
    k.Extreme(
        name="highest_times",
        extreme=("lab", "lab2"),
        worst="high",
        times_upper_limit=True,
        upper_limit="limit",
        derived=("whole", "percent"),
        **TITLES,
    ),
    k.Change(name="fall", change=("lab", "lab2"), direction="fall", within=WINDOW, **TITLES),
    k.Change(name="rise", change=("lab",), direction="rise", percent=True, **TITLES),
    k.Change(
        name="fall_lately", change=("lab2",), direction="fall", percent=True, over="long", within=WINDOW, **TITLES
    ),
    k.Change(name="rise_lately", change=("lab", "lab2"), direction="rise", over="year", **TITLES),
    k.Confirmed(
        name="twice_low", confirmed=("lab", "lab2"), crossing="<", limit=1, times="two", apart="short", **TITLES
    ),
    k.Confirmed(
        name="often_high",
        confirmed=("lab",),
        crossing=">=",
        limit_parameter="limit",
        times="three",
        within=WINDOW,
        **TITLES,
    ),
    k.Confirmed(
        name="times_high",
        confirmed=("lab2",),
        crossing=">",
        limit=1,
        times="two",
        times_upper_limit=True,
        upper_limit="limit",
        **TITLES,
    ),
    k.Confirmed(name="once", confirmed=("lab2",), crossing="<=", limit=2, times="one", apart="one", **TITLES),
    k.Tested(name="test", test=("t1", "t2"), performed=("p1", "p2"), within=WINDOW, **TITLES),
    k.Tested(name="test_from", test=("t1", "lab"), positive_from="limit", performed=("p1",), **TITLES),
    k.Tested(name="test_good", test=("t1", "lab"), positive_from="limit", positive_reassures=True, **TITLES),
    k.Tested(name="test_above", test=("t2", "lab2"), positive_above="none", within=WINDOW, **TITLES),
    k.Tested(
        name="test_between",
        test=("t1", "lab", "lab2"),
        positive_from="limit",
        negative_to="one",
        figures=("lab",),
        within=WINDOW,
        **TITLES,
    ),
    k.Tested(
        name="test_stays", test=("t1", "lab2"), positive_above="none", positive_stays=True, within=WINDOW, **TITLES
    ),
    k.Tested(name="test_stays_alone", test=("t2",), performed=("p2",), positive_stays=True, within=WINDOW, **TITLES),
    k.Ever(name="ever", ever=("c1", "c2"), absent="no-if-list-complete", doubt=("c3",), **TITLES),
    k.Ever(
        name="ever_lately", ever=("c1", "drug2"), absent="no", within="year", undated="yes", doubt=("c2",), **TITLES
    ),
    k.Ever(name="ever_since", ever=("c1", "c2"), absent="unknown", since_start=True, suspected_counts=True, **TITLES),
    k.Ever(
        name="ever_drug",
        ever=("drug2", "c1"),
        absent="no-if-list-complete",
        list="medication",
        within="long",
        since_start=True,
        **TITLES,
    ),
    k.Ever(
        name="ever_shot",
        ever=("v1",),
        absent="no-if-list-complete",
        list="immunization",
        undated="yes",
        since_start=True,
        doubt=("v2",),
        **TITLES,
    ),
    k.Ever(
        name="ever_done", ever=("p1", "p2"), absent="no-if-list-complete", list="procedure", within="short", **TITLES
    ),
    k.Active(name="active", active=("c1", "c2"), absent="no-if-list-complete", recent="short", doubt=("c3",), **TITLES),
    k.Active(name="active_long", active=("c1", "drug2"), absent="no", longer_than="short", stale="year", **TITLES),
    k.Active(
        name="active_since",
        active=("c2", "c3"),
        absent="unknown",
        since_start=True,
        without_status="active",
        suspected_counts=True,
        undated="yes",
        stale="long",
        **TITLES,
    ),
    k.Active(
        name="active_drug",
        active=("drug2", "drug3"),
        absent="no-if-list-complete",
        list="medication",
        recent="year",
        doubt=("c1",),
        longer_than="one",
        **TITLES,
    ),
    k.Active(
        name="active_open",
        active=("drug3",),
        absent="no-if-list-complete",
        list="medication",
        since_start=True,
        **TITLES,
    ),
    k.Repeated(
        name="often",
        repeated=("c1", "c2", "c2"),
        absent="no-if-list-complete",
        at_least="three",
        within="year",
        apart="short",
        **TITLES,
    ),
    k.Repeated(name="twice", repeated=("c1", "p1"), absent="no", at_least="two", within="year", apart="one", **TITLES),
    k.Repeated(
        name="each",
        repeated=("c1", "c3"),
        absent="unknown",
        list="procedure",
        at_least="two",
        within="long",
        apart="none",
        **TITLES,
    ),
    k.Planned(name="planned", planned=("p1", "drug3"), **TITLES),
    k.Planned(name="planned_soon", planned=("drug3", "p2"), absent="no-if-list-complete", ahead="short", **TITLES),
    k.Worded(
        name="status",
        latest_of={"s1": "current", "s2": "former", "s3": "unknown", "s4": "Never yet"},
        within={"current": "long", "Never yet": "year"},
        questions=("s5", "s1"),
        **TITLES,
    ),
    k.DaysSince(name="since", days_since=("v1", "drug2"), absent="no-if-list-complete", list="immunization", **TITLES),
    k.DaysSince(name="since_drug", days_since=("drug", "c1"), absent="no", list="medication", **TITLES),
    k.DaysOn(name="days", days_on=("drug2", "drug3"), absent="no-if-list-complete", **TITLES),
    k.DaysOn(name="days_all", days_on=("drug2", "c1"), absent="no", list="condition", **TITLES),
    Dose(name="dose_day", dose=("drug2", "drug3"), per="day", recent="year", **TITLES),
    Dose(name="dose_week", dose=("drug2",), per="week", absent="no", **TITLES),
    k.ReachedAge(name="old", reached_age_parameter="age", **TITLES),
    k.ReachedAge(name="of_age", reached_age=18, **TITLES),
    OfSex(name="woman", sex="female", **TITLES),
    OfSex(name="man", sex="male", **TITLES),
    k.Derived(name="both", expression=parse("ever and (low < 1 or not active) and yes"), **TITLES),
    k.Derived(
        name="some",
        expression=parse("both or (recorded(test) and test == 'positive') or (agreed and not no)"),
        **TITLES,
    ),
    k.Derived(name="hinted", expression=parse("possible(times > 1) or status in ('current', 'Never yet')"), **TITLES),
    k.Derived(
        name="pending", expression=parse("not known(high) or high == 1 or lowest != highest or low <= limit"), **TITLES
    ),
    k.Derived(name="decided_so", expression=parse("decided == 'stop' or decided != 'go' and known(agreed)"), **TITLES),
    k.Derived(
        name="moving",
        expression=parse("fall > 1 or recorded(rise) and rise >= 20 or twice_low == 'confirmed' or fall_lately >= 50"),
        **TITLES,
    ),
    k.Derived(name="clearing", expression=parse("clearance < 40 or filtration > 80 and recorded(clearance)"), **TITLES),
    k.Derived(name="dosed", expression=parse("dose_day > 3 or dose_week >= 7 and recorded(dose_day)"), **TITLES),
    k.Derived(name="nested", expression=parse("not both and not (hinted or pending) or some"), **TITLES),
)

ASKS = (
    ask("agreed", "A1", valid="long", about=("ever", "status", "low", "planned", "fall", "twice_low")),
    ask(
        "decided",
        "A2",
        answers=("go", "stop", "later"),
        reassures=("go", "later"),
        valid="year",
        about=("some", "clearing", "dosed"),
    ),
    ask("denied", "A3", reassures=("no",), about=("nested", "old", "often", "since", "days", "ever_since")),
    ask(
        "done",
        "A4",
        answers=("no", "yes"),
        about=("hinted", "test", "times", "lowest", "active_since", "moving", "often_high"),
    ),
)

STAY: dict[Stage, str] = {
    "before-start": "do-not-start",
    "on-treatment": "interrupt",
    "interrupted": "stay-interrupted",
}


def _rule(name: str, when: str | dict[Stage, str], then: dict[Stage, str] | str, **more: object) -> d.Rule:
    at = when if isinstance(when, dict) else dict.fromkeys(STAGES, when)
    actions = then if isinstance(then, dict) else dict.fromkeys(at, then)
    return d.Rule(
        name=name,
        topic="t",
        title=name,
        cites=("S1",),
        tell=name,
        then=actions,
        when={stage: parse(each) for stage, each in at.items()},
        **{"if_unknown": dict.fromkeys(actions, "obtain"), **more},  # type: ignore[arg-type]
    )


RULES = (
    _rule(
        "hold-low",
        "low < 1",
        STAY,
        release=parse("low >= 1"),
        held=parse("lowest < 1 or ever_since"),
        urgent=parse("low < tiny"),
    ),
    _rule(
        "hold-plain",
        {"interrupted": "active_since", "on-treatment": "active"},
        STAY,
        release=parse("not active and known(denied) and not denied"),
    ),
    _rule(
        "hold-made",
        "nested",
        STAY,
        release=parse("done or agreed"),
        held=parse("some and not possible(both)"),
        attest="denied",
        if_denied={"interrupted": "discontinue"},
    ),
    _rule("stay-without-release", "hinted", STAY),
    _rule(
        "softened",
        "some",
        "only-if-no-alternative",
        attest="agreed",
        if_denied={"before-start": "do-not-start"},
        if_unknown={"before-start": "weigh"},
    ),
    _rule(
        "softened-further",
        "ever or ever_lately",
        "specialist-first",
        attest="decided",
        if_attested={"before-start": "weigh", "on-treatment": "caution"},
        if_denied={"interrupted": "discontinue"},
        urgent=parse("often"),
    ),
    _rule("softened-less", "pending and decided_so", "caution", attest="agreed"),
    _rule(
        "plain",
        {"before-start": "twice or each", "interrupted": "test_from == 'negative'"},
        "caution",
        if_unknown=dict.fromkeys(STAGES, "caution"),
    ),
    _rule(
        "hold-moving",
        "moving or rise_lately > limit",
        STAY,
        release=parse("twice_low == 'no' and once != 'confirmed'"),
        held=parse("often_high in ('confirmed', 'repeat') or times_high == 'repeat' or fall_lately > 0"),
    ),
    _rule("doses", "dosed or dose_day == 0", "caution"),
    _rule("days", "days >= short or since < long or since_drug > year or days_all == 0", "weigh"),
)


def _duty(name: str, *stages: Stage, **more: object) -> d.Duty:
    return d.Duty(name=name, topic="t", title=name, cites=("S1",), tell=name, stages=stages, **more)  # type: ignore[arg-type]


DUTIES = (
    _duty(
        "counts",
        *STAGES,
        needs=(("lab", "lab2"), ("t1",)),
        at=("none", "short", "long"),
        every="year",
        early="one",
        grace="short",
    ),
    _duty(
        "any-of",
        "on-treatment",
        "interrupted",
        needs=(("lab",), ("t1",), ("p1",)),
        needs_all="any",
        ask="done",
        at=("long",),
        every="year",
        every_if={"ever": "long", "old": "short", "status": "two"},
        early="short",
        grace="one",
        again_after=("active", "some", "twice", "moving"),
        again_in="short",
        never="unknown",
    ),
    _duty("all-of", "on-treatment", needs=(("lab",), ("t2",)), needs_all="whole", every="long", never="unknown"),
    _duty("once-only", "on-treatment", "before-start", needs=(("v1",),), at=("short",), when=parse("not ever")),
    _duty("asked", *STAGES, ask="agreed", every="year", again_after=("nested", "dose_week"), action="screen"),
    _duty(
        "before",
        "before-start",
        done_when=parse("recorded(test) and test in ('positive', 'negative') or agreed"),
        action="screen",
    ),
    _duty("before-some", "before-start", done_when=parse("known(low)"), when=parse("old"), grace="short"),
    _duty("open", *STAGES, when=parse("active_since or (some and ever_lately)")),
    _duty("open-always", "interrupted"),
)


def every_option(**policy: float | bool | str) -> Label:
    """Return the label; `policy`: parameters that differ, `absence`, `suspected`, `same_day`, `complete`."""
    chosen = {name.replace("_", "-"): value for name, value in policy.items()}
    records = {name: chosen.pop(name) for name in ("absence", "suspected", "complete") if name in chosen}
    return label(*FACTS, *ASKS, *RULES, *DUTIES, **{**PARAMETERS, **chosen, **records})  # type: ignore[arg-type]
