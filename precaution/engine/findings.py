"""Facts -> findings: each rule of a label holds for the patient, does not, or can't be told.

At stage `interrupted` a rule with a release is a hold: opened by its `when` (or by what was so at some time
since the start, `held`), and ended only when its `release` is surely true. Resuming needs all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.engine.answer import Finding, Hold
from precaution.engine.evidence import shown
from precaution.knowledge.expression import spoken
from precaution.knowledge.model import Rule
from precaution.values.interval import Interval, exactly, show_day, show_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precaution.engine.answer import Searched
    from precaution.engine.compiled import CompiledExpression, CompiledRule
    from precaution.engine.facts import Facts
    from precaution.knowledge.expression import Expression
    from precaution.values.logic import Truth

_PLACEHOLDER = re.compile(r"\{(\w+)(?: reaches (\w+))?\}")


class Judged(NamedTuple):
    """A rule with its finding, its hold where it has one, and the facts that decided it."""

    rule: Rule
    finding: Finding
    hold: Hold | None
    behind: tuple[str, ...]
    """Facts and asks that make the finding what it is."""


def judge_all(facts: Facts, *, everything: bool = False) -> list[Judged]:
    """Return what each rule of the label comes to for a patient, in the label's order, as `judge` does."""
    found = []
    for name, compiled in facts.compiled.rules.items():
        judged = facts.judged[name] if name in facts.judged else _judge(compiled, facts)
        if judged is not None:
            found.append(judged)
        elif everything:
            found.append(Judged(compiled.rule, _no(compiled.rule), None, ()))
    return found


def verdicts(facts: Facts) -> list[tuple[str, str, str, bool, bool]]:
    """Return of each rule that holds or can't be told its name, state and action, whether it is attested or a hold.

    It is what `judge_all` says without evidence and words.
    """
    found: list[tuple[str, str, str, bool, bool]] = []
    for name, compiled in facts.compiled.rules.items():
        if compiled.is_hold:
            judged = _judge(compiled, facts)
            if judged is not None:
                finding = judged.finding
                found.append((name, finding.state, finding.action, finding.attested, judged.hold is not None))
        elif (truth := compiled.when.test(facts)) is not False:
            found.append((name, "holds" if truth else "unknown", *_action(compiled.rule, truth, facts), False))
    return found


def judge(rule: Rule, facts: Facts) -> Judged | None:
    """Return what a rule comes to for a patient; None where it does not apply at the stage, or does not hold."""
    if rule.name in facts.judged:
        return facts.judged[rule.name]
    compiled = facts.compiled.rules.get(rule.name)
    return None if compiled is None else _judge(compiled, facts)


def _judge(compiled: CompiledRule, facts: Facts) -> Judged | None:
    rule, when = compiled.rule, compiled.when
    truth = when.test(facts)
    if compiled.is_hold and rule.release is not None:
        judged = _judge_hold(rule, when, rule.release, truth, facts)
    elif truth is False:
        judged = None
    else:
        behind = facts.basics(when.decider(facts))
        judged = Judged(rule, _finding(rule, when, truth, behind, facts), None, behind)
    facts.judged[rule.name] = judged
    return judged


def _no(rule: Rule) -> Finding:
    return Finding(rule.name, "no", "", rule.cites, rule.title, (), (), ())


def _judge_hold(rule: Rule, when: CompiledExpression, release: Expression, truth: Truth, facts: Facts) -> Judged | None:
    """Return what a rule with a release comes to while treatment is interrupted; None where it was never a reason."""
    released = facts.test(release)
    opened = _opened(rule, truth, released, facts)
    stands, decisive = _standing(rule, when.expression, truth, opened, released)
    if stands is False and not opened:
        return None
    behind = facts.behind(*decisive)
    finding = _no(rule) if stands is False else _finding(rule, when, stands, behind, facts)
    return Judged(rule, finding, _hold(rule, stands, released, finding, behind, facts), behind)


def _opened(rule: Rule, truth: Truth, released: Truth, facts: Facts) -> Truth:
    """Whether the rule was ever a reason to interrupt this course of treatment.

    Where the caller says that treatment is interrupted and the record holds nothing of it, what may have been a
    reason and is surely over counts as one that is released.
    """
    if truth or rule.held is None:
        return truth
    held, therapy = facts.test(rule.held), facts.chart.therapy
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


def _finding(rule: Rule, when: CompiledExpression, truth: Truth, behind: tuple[str, ...], facts: Facts) -> Finding:
    """Return the finding of a rule that holds or can't be told."""
    names = behind if truth else (*behind, *_beside(when, facts))
    action, attested = _action(rule, truth, facts)
    return Finding(
        rule=rule.name,
        state="holds" if truth else "unknown",
        action=action,
        cites=rule.cites,
        tell=_told(rule, facts) if truth else f"{rule.title}: can't be told",
        evidence=shown([entry for name in names for entry in facts.known(name).evidence]),
        searched=_searched(behind, facts),
        parameters=_uses(rule, when, behind, facts),
        attested=attested,
        urgent=rule.urgent is not None and facts.test(rule.urgent) is True,
        ours=rule.ours,
        background=facts.compiled.backgrounds.beside(rule.name, facts),
        why="" if truth else "; ".join(dict.fromkeys([why for name in behind if (why := facts.why(name))])),
    )


def _searched(behind: Sequence[str], facts: Facts) -> tuple[Searched, ...]:
    return tuple(dict.fromkeys([found for name in behind for found in facts.searched(name)]))


def _beside(when: CompiledExpression, facts: Facts) -> Iterator[str]:
    """Yield facts that are so, beside those that can't be told: half of a reason is worth showing."""
    for name in when.names:
        if name in facts.chart.label.facts and facts[name] is True:
            yield from facts.basic(name)


def _uses(rule: Rule, when: CompiledExpression, behind: Sequence[str], facts: Facts) -> tuple[str, ...]:
    """Return the parameters of the facts that decided, and those that the rule itself names."""
    label, uses = facts.chart.label, set(when.parameters)
    for name in behind:
        if name in label.facts:
            uses.update(label.facts[name].uses)
    if rule.attest and label.asks[rule.attest].valid:
        uses.add(label.asks[rule.attest].valid)
    return tuple(sorted(uses))


def _action(rule: Rule, truth: Truth, facts: Facts) -> tuple[str, bool]:
    """Return the action of a rule that holds or can't be told, and whether an answer has softened it.

    An answer that only marks the action as attested covers an unknown too: it would be the same either way.
    """
    stage = facts.chart.stage
    action = rule.then[stage] if truth else rule.if_unknown.get(stage, rule.then[stage])
    if not rule.attest:
        return action, False
    answer = facts[spoken(rule.attest)]
    if answer is None:
        return action, False
    softened = answer is True or (isinstance(answer, str) and answer in facts.chart.label.asks[rule.attest].reassures)
    if softened and stage in rule.if_attested:
        return (rule.if_attested[stage], True) if truth else (action, False)
    if softened:
        return rule.then[stage], True
    return rule.if_denied.get(stage, action) if truth else action, False


def _hold(rule: Rule, truth: Truth, released: Truth, finding: Finding, behind: tuple[str, ...], facts: Facts) -> Hold:
    state: Literal["open", "released", "unknown"] = (
        "released" if truth is False and released else "open" if truth else "unknown"
    )
    evidence = shown([entry for name in behind for entry in facts.known(name).evidence])
    tell = finding.tell if truth is not False else rule.title
    return Hold(rule.name, state, rule.cites, tell, rule.resume, evidence)


def _told(rule: Rule, facts: Facts) -> str:
    return _PLACEHOLDER.sub(
        lambda found: _day_reached(found[1], found[2], facts) if found[2] else _value(found[1], facts), rule.tell
    )


def _value(name: str, facts: Facts) -> str:
    value = facts[name]
    if value is None:
        return "not known"
    return show_number(value) if isinstance(value, Interval) else str(value)


def _day_reached(days: str, limit: str, facts: Facts) -> str:
    """Return the day on which a number of days since something gets to a parameter: the last that it may be."""
    since, wanted = facts[days], facts[limit]
    if not isinstance(since, Interval) or not isinstance(wanted, Interval):
        return "a day not known"
    return show_day(exactly(facts.chart.today + max(wanted.high - since.low, 0)))
