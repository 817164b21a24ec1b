"""A label in short, on a page: what forbids, interrupts and ends treatment, and what is due when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.refers import STAGES
from precaution.writers.layout import in_words, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Duty, Label, Rule
    from precaution.knowledge.refers import Stage


_NO_DAYS = "0 days"


class ShortRule(NamedTuple):
    """A rule in one line: its title names the limit."""

    name: str
    title: str
    stages: str
    """The stages of treatment at which it asks for the action, in words."""
    resume: str
    """What ends a hold, where the rule holds treatment."""
    cites: tuple[str, ...]


class ActionInShort(NamedTuple):
    """An action, and the rules that ask for it."""

    action: str
    """With its sign, as `■ do not start`."""
    rules: tuple[ShortRule, ...]


class ShortDuty(NamedTuple):
    """A duty in one line of a table: when it is due first, how often, and when it is late."""

    name: str
    title: str
    first: str
    every: str
    late: str
    cites: tuple[str, ...]


def actions_in_short(label: Label) -> list[ActionInShort]:
    """Return the actions that rules ask for, gravest first, each with its rules in the order of the label's text.

    The last action asks for nothing and is left out; so is one that says again what the one before it said.
    """
    found: list[ActionInShort] = []
    for action in label.actions[:-1]:
        rules = tuple(_rules(label, action))
        if rules and not (found and _names(rules) == _names(found[-1].rules)):
            found.append(ActionInShort(status(action), rules))
    return found


def duties_in_short(label: Label) -> list[ShortDuty]:
    """Return the label's duties: those before the start first."""
    duties = sorted(label.duties.values(), key=lambda duty: STAGES[0] not in duty.stages)
    return [_duty(label, duty) for duty in duties]


def _names(rules: tuple[ShortRule, ...]) -> list[str]:
    return [each.name for each in rules]


def _rules(label: Label, action: str) -> Iterator[ShortRule]:
    for rule in label.rules.values():
        stages = [stage for stage in STAGES if rule.then.get(stage) == action]
        if stages:
            yield ShortRule(rule.name, rule.title, _stages(stages), _resume(rule, stages), rule.cites)


def _resume(rule: Rule, stages: list[Stage]) -> str:
    return rule.resume if rule.release is not None and stages != [STAGES[0]] else ""


def _stages(stages: list[Stage]) -> str:
    if len(stages) == len(STAGES):
        return "at any time"
    return " and ".join("after the start" if each == STAGES[1] else in_words(each) for each in stages)


def _duty(label: Label, duty: Duty) -> ShortDuty:
    def days(*names: str) -> str:
        return ", ".join(label.parameters[each].written for each in names if each)

    at = [label.parameters[each].written for each in duty.at]
    first = ", ".join("at the start" if each == _NO_DAYS else f"after {each}" for each in at)
    first = first or ("before the start" if STAGES[0] in duty.stages else "at once")
    more = [f"{days(name)} where: {label.facts[fact].title}" for fact, name in duty.every_if.items()]
    every = "; ".join(filter(None, (days(duty.every), *more)))
    return ShortDuty(duty.name, duty.title, first, every, days(duty.grace), duty.cites)
