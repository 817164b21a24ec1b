"""Facts -> findings: each rule of a label holds for the patient, does not, or can't be told.

At stage `interrupted` a rule with a release is a hold: opened by its `when` (or by what was so at some time
since the start, `held`), and ended only when its `release` is surely true. Resuming needs all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from precaution.answer import Finding, Hold
from precaution.evidence import searched, shown
from precaution.expression import compiled, names, spoken
from precaution.interval import Interval, show_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.definitions import Rule
    from precaution.evidence import Backgrounds
    from precaution.expression import Expression
    from precaution.facts import Facts
    from precaution.logic import Truth

STAY = "stay-interrupted"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule with its finding, its hold where it has one, and the facts that decided it."""

    rule: Rule
    finding: Finding
    hold: Hold | None
    behind: tuple[str, ...]
    """Facts and asks that make the finding what it is."""


def judge(rule: Rule, facts: Facts, backgrounds: Backgrounds, *, everything: bool = False) -> Judged | None:
    """Return what a rule comes to for a patient.

    None where it does not apply at the stage or, unless `everything` is asked for, does not hold.
    """
    stage = facts.chart.stage
    when = rule.when.get(stage)
    if when is None or stage not in rule.then:
        return None
    return facts.same_for_all(
        f"rule {rule.name} {stage}",
        _names(rule, when),
        lambda: _judge(rule, when, facts, backgrounds, everything=everything),
        also=(everything, backgrounds.get(rule.name)),
    )


def _names(rule: Rule, when: Expression) -> Iterator[str]:
    """Every fact and ask that what a rule comes to, and says, depends on."""
    for expression in (when, rule.release, rule.held, rule.urgent):
        if expression is not None:
            yield from names(expression)
    yield from _PLACEHOLDER.findall(rule.tell)
    if rule.attest:
        yield spoken(rule.attest)


def _judge(rule: Rule, when: Expression, facts: Facts, backgrounds: Backgrounds, *, everything: bool) -> Judged | None:
    stage = facts.chart.stage
    truth = compiled(when)(facts)
    if rule.then[stage] == STAY and rule.release is not None:
        return _judge_hold(rule, when, truth, facts, backgrounds, everything=everything)
    if truth is False:
        return Judged(rule, _no(rule), None, ()) if everything else None
    behind = facts.behind(when)
    finding = _finding(rule, truth, behind, facts, backgrounds)
    return Judged(rule, finding, None, behind)


def _judge_hold(
    rule: Rule,
    when: Expression,
    truth: Truth,
    facts: Facts,
    backgrounds: Backgrounds,
    *,
    everything: bool,
) -> Judged | None:
    """Return what a rule with a release comes to while treatment is interrupted."""
    released = compiled(rule.release)(facts) if rule.release is not None else None
    opened = _opened(rule, truth, released, facts)
    truth, decisive = _standing(rule, when, truth, opened, released)
    if truth is False and not opened:
        return Judged(rule, _no(rule), None, ()) if everything else None
    behind = facts.behind(*decisive)
    finding = _no(rule) if truth is False else _finding(rule, truth, behind, facts, backgrounds)
    return Judged(rule, finding, _hold(rule, truth, released, finding, behind, facts), behind)


def _opened(rule: Rule, truth: Truth, released: Truth, facts: Facts) -> Truth:
    """Whether the rule was ever a reason to interrupt this course of treatment.

    Where the caller says that treatment is interrupted and the record holds nothing of it, what may have been a
    reason and is surely over counts as one that is released.
    """
    if truth or rule.held is None:
        return truth
    held, therapy = compiled(rule.held)(facts), facts.chart.therapy
    if held is None and truth is False and released and therapy.given and not therapy.evidence:
        return any(facts.known(name).evidence for name in facts.behind(rule.held)) or None
    return held if truth is False or held else None


def _standing(
    rule: Rule, when: Expression, truth: Truth, opened: Truth, released: Truth
) -> tuple[Truth, list[Expression]]:
    """Return whether a hold stands, and the expressions that say so."""
    held = [rule.held] if rule.held is not None else []
    release = [rule.release] if rule.release is not None else []
    if truth or opened is False:
        return truth, [when]
    if released and truth is False:
        return False, [*held, *release]
    if opened:
        return True, [*held, *release]
    return None, [when, *(held if truth is False else [])]


def _no(rule: Rule) -> Finding:
    return Finding(rule.name, "no", "", rule.cites, rule.title, (), (), ())


def _finding(rule: Rule, truth: Truth, behind: tuple[str, ...], facts: Facts, backgrounds: Backgrounds) -> Finding:
    known = [facts.known(name) for name in (*behind, *(_beside(rule, facts) if truth is None else ()))]
    action, attested = _action(rule, truth, facts)
    why = "; ".join(dict.fromkeys(filter(None, map(facts.why, behind)))) if truth is None else ""
    urgent = rule.urgent is not None and compiled(rule.urgent)(facts) is True
    return Finding(
        rule.name,
        "holds" if truth else "unknown",
        action,
        rule.cites,
        _told(rule.tell, facts) if truth else f"{rule.title}: can't be told",
        shown([entry for each in known for entry in each.evidence]),
        tuple(dict.fromkeys([found for name in behind for found in searched(name, facts)])),
        _uses(rule, behind, facts),
        attested,
        urgent,
        rule.ours,
        backgrounds.get(rule.name, ()),
        why,
    )


def _beside(rule: Rule, facts: Facts) -> Iterator[str]:
    """Facts that are so, beside those that can't be told: half of a reason is worth showing."""
    for name in names(rule.when[facts.chart.stage]):
        if name in facts.chart.label.facts and facts.value(name) is True:
            yield from facts.basic(name)


_USES: dict[tuple[str, str, str, tuple[str, ...]], tuple[str, ...]] = {}


def _uses(rule: Rule, behind: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """The parameters of the facts that decided, and those that the rule itself names; kept for the next patient."""
    label, stage = facts.chart.label, facts.chart.stage
    key = (label.digest, rule.name, stage, behind)
    kept = _USES.get(key)
    if kept is None:
        own = {name.replace("_", "-") for name in names(rule.when[stage])} & label.parameters.keys()
        uses = {each for name in behind if (fact := label.facts.get(name)) is not None for each in fact.uses}
        valid = {label.asks[rule.attest].valid} - {""} if rule.attest else set()
        kept = _USES[key] = tuple(sorted(own | uses | valid))
    return kept


def _action(rule: Rule, truth: Truth, facts: Facts) -> tuple[str, bool]:
    """Return the action of a rule that holds or can't be told, and whether an answer has softened it.

    An answer that only marks the action as attested covers an unknown too: it would be the same either way.
    """
    stage = facts.chart.stage
    action = rule.then[stage] if truth else rule.if_unknown.get(stage, rule.then[stage])
    if not rule.attest:
        return action, False
    answer = facts.known(spoken(rule.attest)).value
    softened = answer is True or (isinstance(answer, str) and answer in facts.chart.label.asks[rule.attest].reassures)
    if softened and stage in rule.if_attested:
        return (rule.if_attested[stage], True) if truth else (action, False)
    if softened:
        return rule.then[stage], True
    if answer is not None and truth:
        return rule.if_denied.get(stage, action), False
    return action, False


def _hold(rule: Rule, truth: Truth, released: Truth, finding: Finding, behind: tuple[str, ...], facts: Facts) -> Hold:
    state: Literal["open", "released", "unknown"] = (
        "released" if truth is False and released else "open" if truth else "unknown"
    )
    evidence = shown(entry for name in behind for entry in facts.known(name).evidence)
    tell = finding.tell if truth is not False else rule.title
    return Hold(rule.name, state, rule.cites, tell, rule.resume, evidence)


def _told(tell: str, facts: Facts) -> str:
    return _PLACEHOLDER.sub(lambda match: _value(match.group(1), facts), tell)


def _value(name: str, facts: Facts) -> str:
    value = facts.value(name)
    if value is None:
        return "not known"
    return show_number(value) if isinstance(value, Interval) else str(value)
