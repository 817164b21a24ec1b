"""A small invented label, and decisions under it, for tests of what stands above the engine."""

from __future__ import annotations

from dataclasses import replace

from precaution.engine.answer import Background, Decision, Due, Evidence, Finding, Hold, Missing, OpenAsk, Searched
from precaution.knowledge import fact_kinds as f
from precaution.knowledge import model as d
from precaution.knowledge.computed_facts import Dose, Estimated
from precaution.knowledge.expression import parse
from precaution.knowledge.fact import Fact
from precaution.knowledge.refers import STAGES
from precaution.knowledge.terminology import Concept, build
from precaution.values.record import Ignored, Unrecognised

SAYS = {
    "S01": d.Says(
        id="S01",
        start=0,
        end=12,
        topic="counts",
        sha256="0" * 64,
        role="directive",
        means="Do not start while A is below 1.",
    ),
    "S02": d.Says(
        id="S02",
        start=13,
        end=20,
        topic="counts",
        sha256="1" * 64,
        role="background",
        means="Low A was seen in studies.",
        why="It reports; it asks for nothing.",
        explains=("low-a",),
    ),
    "S03": d.Says(
        id="S03",
        start=21,
        end=30,
        topic="counts",
        sha256="2" * 64,
        role="directive",
        means="Look at lipids after 12 weeks.",
    ),
}
PARAMETERS = {
    "count-max-age": d.Parameter(
        name="count-max-age",
        topic="counts",
        value=28.0,
        written="28 days",
        of=("S01",),
        why="A count tells little after a month.",
        status="proposed",
        default="D13",
    ),
    "lipids-at": d.Parameter(
        name="lipids-at",
        topic="counts",
        value=84.0,
        written="84 days",
        of=("S03",),
        why="Twelve weeks.",
        status="verified",
        overridden=True,
    ),
    "times": d.Parameter(
        name="times", topic="counts", value=3.0, written="3", of=("S01",), why="Ours.", status="proposed"
    ),
}
FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        f.Latest(
            name="a",
            topic="counts",
            title="Count of A",
            latest=("lab_a",),
            worst="low",
            within={"before-start": "count-max-age"},
            derived=("lab_w", "lab_p"),
            reading="Of two, the lower.",
        ),
        f.Latest(
            name="enzyme",
            topic="counts",
            title="ALX",
            latest=("lab_x",),
            worst="high",
            times_upper_limit=True,
            upper_limit="times",
            last="times",
        ),
        f.Change(
            name="fall_a",
            topic="counts",
            title="Fall of A",
            change=("lab_a",),
            direction="fall",
            within={"before-start": "count-max-age"},
        ),
        f.Change(
            name="rise_a",
            topic="counts",
            title="Rise of A",
            change=("lab_a",),
            direction="rise",
            percent=True,
            over="count-max-age",
        ),
        f.Confirmed(
            name="low_a",
            topic="counts",
            title="Low A",
            confirmed=("lab_a",),
            crossing="<",
            limit=1,
            times="times",
            apart="count-max-age",
        ),
        Estimated(
            name="clearance",
            topic="counts",
            title="Clearance",
            estimate=("lab_p",),
            input="lab_w",
            formula="ckd-epi-2021",
            worst="low",
        ),
        Dose(name="dose_d", topic="counts", title="Dose of D", dose=("d",), per="week", recent="count-max-age"),
        f.Extreme(name="lowest_a", topic="counts", title="Lowest count of A", extreme=("lab_a",), worst="low"),
        f.Tested(
            name="antigen",
            topic="counts",
            title="HBxAg",
            test=("lab_ag", "lab_ag2"),
            within={"on-treatment": "count-max-age"},
            performed=("ag_done",),
            positive_from="times",
            positive_above="times",
        ),
        f.Ever(
            name="past_c",
            topic="counts",
            title="History of C",
            ever=("c",),
            absent="no-if-list-complete",
            doubt=("c2",),
            within="count-max-age",
            since_start=True,
            suspected_counts=True,
        ),
        f.Active(
            name="active_c",
            topic="counts",
            title="Active C",
            active=("c",),
            absent="unknown",
            recent="count-max-age",
            longer_than="count-max-age",
            stale="count-max-age",
            without_status="active",
        ),
        f.Repeated(
            name="often_c",
            topic="counts",
            title="Recurrent C",
            repeated=("c",),
            absent="no",
            at_least="times",
            within="count-max-age",
            apart="count-max-age",
        ),
        f.Planned(name="planned_d", topic="counts", title="Planned D", planned=("d",), ahead="count-max-age"),
        f.Worded(
            name="smoking",
            topic="counts",
            title="Smoking",
            latest_of={"s_now": "current", "s_past": "former"},
            within={"current": "count-max-age"},
            questions=("s_question",),
        ),
        f.DaysSince(name="since_d", topic="counts", title="Days since D", days_since=("d",), absent="no"),
        f.DaysOn(name="on_d", topic="counts", title="Days on D", days_on=("d", "e", "f"), absent="no"),
        f.OfSex(name="woman", topic="counts", title="Female", sex="female"),
        f.ReachedAge(name="old", topic="counts", title="Age 65 or older", reached_age=65),
        f.ReachedAge(name="elderly", topic="counts", title="Elderly", reached_age_parameter="times"),
        f.Derived(name="risk", topic="counts", title="Any risk", expression=parse("old or past_c")),
    )
}
ASKS = {
    "no-alternative": d.Ask(
        name="no-alternative", topic="counts", number="A1", of=("S01",), question="Is there no suitable alternative?"
    ),
    "specialist": d.Ask(
        name="specialist",
        topic="counts",
        number="A10",
        of=("S01",),
        question="What did the specialist say?",
        answers=("continue", "interrupt"),
    ),
}
RULES = {
    "low-a": d.Rule(
        name="low-a",
        topic="counts",
        title="Low A",
        cites=("S01",),
        tell="A {a}, below 1 ×10⁹/L",
        when={stage: parse("a < 1") for stage in STAGES},
        then={"before-start": "do-not-start", "on-treatment": "interrupt", "interrupted": "stay-interrupted"},
        if_unknown={"before-start": "obtain", "on-treatment": "obtain", "interrupted": "obtain"},
        release=parse("a >= 1"),
        held=parse("lowest_a < 1"),
        uses=("count-max-age",),
        reading="Equal to 1 is not below.",
    ),
    "at-risk": d.Rule(
        name="at-risk",
        topic="counts",
        title="At risk",
        cites=("S01",),
        tell="At risk",
        when={"before-start": parse("risk")},
        then={"before-start": "only-if-no-alternative"},
        if_unknown={"before-start": "obtain"},
        attest="no-alternative",
        ours="A site asked for it.",
    ),
}
DUTIES = {
    "lipids": d.Duty(
        name="lipids",
        topic="counts",
        title="Lipids",
        cites=("S03",),
        stages=("on-treatment",),
        tell="Lipids after 12 weeks",
        needs=(("lab_l",), ("lab_m", "lab_n")),
        when=parse("known(a)"),
        done_when=parse("antigen == 'negative'"),
        ask="no-alternative",
        at=("lipids-at",),
        every="lipids-at",
        every_if={"risk": "count-max-age"},
        early="times",
        grace="count-max-age",
        uses=("lipids-at",),
    ),
}
LABEL = d.Label(
    name="examplinib",
    version="1.0",
    title="Examplinib",
    digest="d" * 64,
    about={
        "intended-use": "For tests.",
        "provenance": {"claimed-source": "a sheet of paper"},
        "differences": [{"from": "another"}],
    },
    actions=(
        "discontinue",
        "do-not-start",
        "interrupt",
        "stay-interrupted",
        "only-if-no-alternative",
        "screen",
        "obtain",
        "only-if-no-alternative+attested",
        "weigh",
        "caution",
        "due",
        "may-resume",
        "clear",
    ),
    therapy=d.TherapySettings(drug="drug_e", grace="times", gap="times"),
    records=d.Records(absence="times", suspected="times", same_day="same-day-value"),
    terminology=build({}, {}),
    says=SAYS,
    parameters=PARAMETERS,
    concepts={"lab_a": Concept(name="lab_a", unit="10*9/L")},
    facts=FACTS,
    asks=ASKS,
    rules=RULES,
    duties=DUTIES,
    topics=("counts",),
)

LOW_A = Finding(
    rule="low-a",
    state="holds",
    action="do-not-start",
    cites=("S01",),
    tell="A 0.8, below 1 ×10⁹/L",
    evidence=(Evidence("Observation/a-7", "2025-02-20", "0.8 10*9/L"),),
    searched=(Searched("lab_a", "2025-02-01", 1),),
    parameters=("count-max-age",),
    background=(Background("S02", "Low A was seen in studies."),),
)
AT_RISK = Finding(
    rule="at-risk",
    state="unknown",
    action="obtain",
    cites=("S01",),
    tell="At risk: can't be told",
    evidence=(),
    searched=(Searched("c", "", 0),),
    parameters=(),
    why="no list of conditions",
)
NO_RISK = Finding(
    rule="at-risk", state="no", action="", cites=("S01",), tell="", evidence=(), searched=(), parameters=()
)
LIPIDS = Due(
    duty="lipids",
    cites=("S03",),
    state="due",
    due="2025-05-24",
    overdue_after="2025-06-21",
    tell="Lipids after 12 weeks",
    evidence=(),
    action="due",
    lacking=("lab_l",),
    parameters=("lipids-at",),
)
HOLD = Hold("low-a", "open", ("S01",), "A 0.8, below 1 ×10⁹/L", "Count of A is at least 1 ×10⁹/L", LOW_A.evidence)

DECISION = Decision(
    label="examplinib",
    version="1.0",
    digest="d" * 64,
    today="2025-03-01",
    stage="before-start",
    stage_why="the record holds no order of the drug",
    start="",
    action="do-not-start",
    attested=False,
    findings=(LOW_A, AT_RISK),
    holds=(),
    due=(LIPIDS,),
    asks=(OpenAsk("no-alternative", "A1", "Is there no suitable alternative?", ("S01",), None),),
    missing=(
        Missing("past_c", "History of C", "no list of conditions", ("at-risk",)),
        Missing("active_c", "Active C", "no list of conditions", ("at-risk", "low-a")),
    ),
    ignored=(Ignored("Observation/x", "entered-in-error"),),
    unrecognised=(Unrecognised("Condition/y", "urn:local", "42"),),
    background=(Background("S02", "Low A was seen in studies."),),
    policy={},
    reason="low-a",
)

CLEAR = replace(
    DECISION,
    action="clear",
    findings=(),
    due=(),
    asks=(),
    missing=(),
    ignored=(),
    unrecognised=(),
    background=(),
    reason="",
)
