"""Facts -> findings: each rule of a label holds for the patient, does not, or can't be told.

At stage `interrupted` a rule with a release is a hold: opened by its `when` (or by what was so at some time
since the start, `held`), and ended only when its `release` is surely true. Resuming needs all of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.engine.answer import Finding, Hold, new_finding
from precaution.engine.atoms import key_of
from precaution.engine.evidence import backgrounds as backgrounds_of
from precaution.engine.evidence import searched, shown
from precaution.engine.facts import ANSWER, Facts
from precaution.knowledge.expression import compiled, names, spoken
from precaution.knowledge.model import Rule
from precaution.values.interval import Interval, show_number
from precaution.values.logic import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from precaution.engine.answer import Background, Searched
    from precaution.engine.compiled import Prepared
    from precaution.engine.evidence import Backgrounds
    from precaution.knowledge.expression import Answers, Expression

    Test = Callable[[Answers], Truth]

STAY = "stay-interrupted"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Judged(NamedTuple):
    """A rule with its finding, its hold where it has one, and the facts that decided it."""

    rule: Rule
    finding: Finding
    hold: Hold | None
    behind: tuple[str, ...]
    """Facts and asks that make the finding what it is."""


class _Outcome(NamedTuple):
    """What a rule comes to where the facts that it depends on are so: nothing of the patient but that."""

    truth: Truth
    behind: tuple[str, ...]
    beside: tuple[str, ...]
    """Facts that are so, beside those that can't be told: half of a reason is worth showing."""
    action: str
    attested: bool
    urgent: bool
    uses: tuple[str, ...]
    """The parameters of the facts that decided, and those that the rule itself names."""


class _Ready:
    """A rule at a stage, with all of it that is the same for every patient."""

    def __init__(self, rule: Rule, when: Expression, ready: Prepared) -> None:
        """Make the rule ready."""
        self.rule, self.when, self.stage, self.label = rule, when, ready.stage, ready.label
        self.test: Test = compiled(when)
        self.released: Test | None = compiled(rule.release) if rule.release is not None else None
        self.urgent: Test | None = compiled(rule.urgent) if rule.urgent is not None else None
        self.is_hold = rule.then[self.stage] == STAY and rule.release is not None
        self.attest = spoken(rule.attest)
        self.answered_at = ANSWER + rule.attest if rule.attest else ""
        self.told = _PLACEHOLDER.split(rule.tell)
        """Words of ours and names of facts, in turns."""
        self.reach = ready.reach(_names(rule, when))
        """Where all that it depends on looks; None where that can't be told, for the date of birth is a part of it."""
        self.bit = 0
        urgent = [rule.urgent] if rule.urgent is not None else []
        self.key = key_of([when, *urgent], ready, *([self.attest] if self.attest else []))
        self.outcomes: dict[Hashable, _Outcome | None] = {}
        """By what the facts are; None where the rule does not hold."""
        self.no = Judged(rule, Finding(rule.name, "no", "", rule.cites, rule.title, (), (), ()), None, ())


def _names(rule: Rule, when: Expression) -> Iterator[str]:
    """Every fact and ask that what a rule comes to, and says, depends on; but for the one that softens it."""
    for expression in (when, rule.release, rule.held, rule.urgent):
        if expression is not None:
            yield from names(expression)
    yield from _PLACEHOLDER.findall(rule.tell)


class _Rules:
    """The rules that apply at a stage, in the label's order."""

    def __init__(self, prepared: Prepared) -> None:
        """Make them ready."""
        stage, rules = prepared.stage, prepared.label.rules.values()
        self.ready = [
            _Ready(rule, when, prepared)
            for rule in rules
            if (when := rule.when.get(stage)) is not None and stage in rule.then
        ]
        self.by_name = {ready.rule.name: ready for ready in self.ready}
        self.touches: dict[str, int] = {}
        """a name under which a record files entries = the rules that it says something to, a bit each."""
        self.always = 0
        """The rules that can't be told without the date of birth."""
        for place, ready in enumerate(self.ready):
            ready.bit = 1 << place
            for each in ready.reach or ():
                self.touches[each] = self.touches.get(each, 0) | ready.bit
            if ready.reach is None:
                self.always |= ready.bit

    def touched(self, facts: Facts) -> int:
        """Return the rules that the record says anything to, a bit each."""
        touched, touches = self.always, self.touches
        for place in facts.chart.record.entries:
            if place in touches:
                touched |= touches[place]
        return touched


_rules = lru_cache(maxsize=256)(_Rules)


def judge(rule: Rule, facts: Facts, *, everything: bool = False) -> Judged | None:
    """Return what a rule comes to for a patient.

    None where it does not apply at the stage or, unless `everything` is asked for, does not hold.
    """
    rules = _rules(facts.prepared)
    ready = rules.by_name.get(rule.name)
    return next(iter(_judged([ready], rules, facts, everything=everything)), None) if ready else None


def judge_all(facts: Facts, *, everything: bool = False) -> list[Judged]:
    """Return what each rule of the label comes to for a patient, in the label's order, as `judge` does."""
    rules = _rules(facts.prepared)
    return _judged(rules.ready, rules, facts, everything=everything)


def _judged(ready: Sequence[_Ready], rules: _Rules, facts: Facts, *, everything: bool) -> list[Judged]:
    """Return what the rules come to that hold or can't be told: worked out where the record says anything to them."""
    touched, found, blank = rules.touched(facts), [], facts.blank
    backgrounds = backgrounds_of(facts)
    nobody: dict[object, Judged | None] = blank.judged.setdefault((everything, backgrounds.applying), {})
    for each in ready:
        if touched & each.bit or (each.attest and each.answered_at in facts.chart.record.entries):
            judged = _judge(each, facts, backgrounds, everything=everything)
        elif each in nobody:
            judged = nobody[each]
        else:  # the same for every record that says nothing to it, so it is worked out on one that says nothing at all
            judged = nobody[each] = _judge(each, Facts(blank.chart, blank), backgrounds, everything=everything)
        if judged is not None:
            found.append(judged)
    return found


def _judge(ready: _Ready, facts: Facts, backgrounds: Backgrounds, *, everything: bool) -> Judged | None:
    if ready.is_hold:
        return _judge_hold(ready, facts, backgrounds, everything=everything)
    key = ready.key(facts)
    if key in ready.outcomes:
        outcome = ready.outcomes[key]
    else:
        if len(ready.outcomes) >= _MOST:
            ready.outcomes.clear()
        truth = ready.test(facts)
        outcome = None if truth is False else _outcome(ready, truth, facts.behind(ready.when), facts)
        ready.outcomes[key] = outcome
    if outcome is None:
        return ready.no if everything else None
    finding = _finding(ready, outcome, facts, backgrounds.get(ready.rule.name, ()))
    return Judged(ready.rule, finding, None, outcome.behind)


_MOST = 4096
"""Most outcomes of one rule that are kept."""


def _outcome(ready: _Ready, truth: Truth, behind: tuple[str, ...], facts: Facts) -> _Outcome:
    action, attested = _action(ready, truth, facts)
    urgent = ready.urgent is not None and ready.urgent(facts) is True
    beside = tuple(_beside(ready, facts)) if truth is None else ()
    return _Outcome(truth, behind, beside, action, attested, urgent, _uses(ready, behind))


def _judge_hold(ready: _Ready, facts: Facts, backgrounds: Backgrounds, *, everything: bool) -> Judged | None:
    """Return what a rule with a release comes to while treatment is interrupted."""
    truth = ready.test(facts)
    released = ready.released(facts) if ready.released is not None else None
    opened = _opened(ready.rule, truth, released, facts)
    truth, decisive = _standing(ready, truth, opened, released)
    if truth is False and not opened:
        return ready.no if everything else None
    behind = facts.behind(*decisive)
    finding = ready.no.finding
    if truth is not False:
        outcome = _outcome(ready, truth, behind, facts)
        finding = _finding(ready, outcome, facts, backgrounds.get(ready.rule.name, ()))
    return Judged(ready.rule, finding, _hold(ready.rule, truth, released, finding, behind, facts), behind)


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


def _standing(ready: _Ready, truth: Truth, opened: Truth, released: Truth) -> tuple[Truth, list[Expression]]:
    """Return whether a hold stands, and the expressions that say so."""
    rule = ready.rule
    held = [rule.held] if rule.held is not None else []
    release = [rule.release] if rule.release is not None else []
    if truth or opened is False:
        return truth, [ready.when]
    if released and truth is False:
        return False, [*held, *release]
    if opened:
        return True, [*held, *release]
    return None, [ready.when, *(held if truth is False else [])]


def _finding(ready: _Ready, outcome: _Outcome, facts: Facts, background: tuple[Background, ...]) -> Finding:
    rule, behind, holds = ready.rule, outcome.behind, bool(outcome.truth)
    evidence = [entry for name in (*behind, *outcome.beside) for entry in facts.known(name).evidence]
    return new_finding(
        rule.name,
        "holds" if holds else "unknown",
        outcome.action,
        rule.cites,
        _told(ready, facts) if holds else f"{rule.title}: can't be told",
        shown(evidence),
        _searched(behind, facts),
        outcome.uses,
        outcome.attested,
        outcome.urgent,
        rule.ours,
        background,
        "" if holds else "; ".join(dict.fromkeys([why for name in behind if (why := facts.why(name))])),
    )


def _searched(behind: tuple[str, ...], facts: Facts) -> tuple[Searched, ...]:
    if len(behind) == 1:
        return searched(behind[0], facts)
    return tuple(dict.fromkeys([found for name in behind for found in searched(name, facts)]))


def _beside(ready: _Ready, facts: Facts) -> Iterator[str]:
    for name in names(ready.when):
        if name in ready.label.facts and facts[name] is True:
            yield from facts.basic(name)


def _uses(ready: _Ready, behind: tuple[str, ...]) -> tuple[str, ...]:
    rule, label = ready.rule, ready.label
    own = {name.replace("_", "-") for name in names(ready.when)} & label.parameters.keys()
    uses = {each for name in behind if (fact := label.facts.get(name)) is not None for each in fact.uses}
    valid = {label.asks[rule.attest].valid} - {""} if rule.attest else set()
    return tuple(sorted(own | uses | valid))


def _action(ready: _Ready, truth: Truth, facts: Facts) -> tuple[str, bool]:
    """Return the action of a rule that holds or can't be told, and whether an answer has softened it.

    An answer that only marks the action as attested covers an unknown too: it would be the same either way.
    """
    rule, stage = ready.rule, ready.stage
    action = rule.then[stage] if truth else rule.if_unknown.get(stage, rule.then[stage])
    if not ready.attest:
        return action, False
    answer = facts[ready.attest]
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


def _told(ready: _Ready, facts: Facts) -> str:
    if len(ready.told) == 1:
        return ready.rule.tell
    return "".join([_value(each, facts) if place % 2 else each for place, each in enumerate(ready.told)])


def _value(name: str, facts: Facts) -> str:
    value = facts[name]
    if value is None:
        return "not known"
    return show_number(value) if isinstance(value, Interval) else str(value)
