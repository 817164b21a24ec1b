"""Reads a plain table of each section of a label's files into its dataclass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from precaution.errors import did_you_mean
from precaution.knowledge.fact_kinds import FACT_KINDS
from precaution.knowledge.model import Ask, Duty, Measure, Parameter, Rule, Says, Sentence, SiteSentence
from precaution.knowledge.policy import as_written, measured
from precaution.knowledge.terminology import Concept
from precaution.knowledge.toml import Place, Table, as_table, read

if TYPE_CHECKING:
    from precaution.knowledge.fact import Fact
    from precaution.knowledge.model import Role
    from precaution.knowledge.refers import Stage

T = TypeVar("T")
Convert = Callable[[str, str, object, Place], Any]
"""From name, topic, table and its place to what it says."""
NOWHERE = 10**9
"""Where a sentence begins that is not of the label's text: after all of it."""
SITE = "site-"
"""How what a site adds is called: topics, rules and duties begin so."""
_EXACT = re.compile(r"([0-9]{1,9})-([0-9]{1,9}) (\S+)")


def _plain(kind: type[T]) -> Callable[[str, str, object, Place], T]:
    return lambda name, topic, table, place: read(kind, table, place, name=name, topic=topic)


def _says(name: str, topic: str, table: object, place: Place) -> Says:
    """Return a sentence; the key that gives the reason why it leads to no rule is its role."""
    if topic.startswith(SITE):
        return _of_site(name, topic, table, place)
    given = read(Sentence, table, place)
    start, end, digest = _exact(given.exact, place.at("exact"))
    reasons: Mapping[Role, str | None] = {
        "background": given.background,
        "evidence-limit": given.evidence_limit,
        "provenance": given.provenance,
        "unread": given.unread,
    }
    roles = [role for role, why in reasons.items() if why is not None]
    if len(roles) > 1:
        raise place.error(f"has {' and '.join(roles)}; a sentence has one of them")
    return Says(
        id=name,
        topic=topic,
        start=start,
        end=end,
        sha256=digest,
        role=roles[0] if roles else "directive",
        why=reasons[roles[0]] or "" if roles else "",
        means=given.means,
        numbers=given.numbers,
        explains=given.explains,
        show_when=given.show_when,
        suspect=given.suspect,
        was=given.was,
    )


def _of_site(name: str, topic: str, table: object, place: Place) -> Says:
    """Return a sentence of a site's own source, which stands in no text of the label."""
    given = read(SiteSentence, table, place)
    return Says(
        id=name,
        topic=topic,
        start=NOWHERE,
        end=NOWHERE,
        sha256="",
        role="directive",
        means=f"{given.means} [the site's own: {given.source}]",
        numbers=given.numbers,
    )


def _exact(given: str, place: Place) -> tuple[int, int, str]:
    if found := _EXACT.fullmatch(given):
        return int(found[1]), int(found[2]), found[3]
    raise place.error('must be where the sentence begins and ends, and its SHA-256, as "0-63 50cc..."')


def _parameter(name: str, topic: str, table: object, place: Place) -> Parameter:
    found = read(Parameter, table, place, name=name, topic=topic, written="")
    raw = as_table(table, place)["value"]
    found = replace(found, value=measured(raw, place.at("value")), written=as_written(raw))
    if found.choices and found.written not in found.choices:
        raise place.at("value").error(f"must be one of its choices: {', '.join(found.choices)}")
    return found


def _fact(name: str, topic: str, table: object, place: Place) -> Fact:
    given = as_table(table, place)
    kinds = [key for key in given if key in FACT_KINDS]
    if len(kinds) > 1:
        raise place.error(f"has {' and '.join(kinds)}; a fact is of one kind only")
    if not kinds:
        near = next((hint for key in given if (hint := did_you_mean(key, FACT_KINDS))), "")
        raise place.error(f"needs one key that says its kind: {', '.join(FACT_KINDS)}.{near}")
    fact = read(FACT_KINDS[kinds[0]], given, place, name=name, topic=topic)
    if wrong := fact.problem():
        raise place.error(wrong)
    return fact


def _rule(name: str, topic: str, table: object, place: Place) -> Rule:
    """Return a rule; what is given once for all stages is kept for the stages of `then` only."""
    rule = read(Rule, table, place, name=name, topic=topic)
    if not rule.then:
        raise place.at("then").error("names no stage")
    given = as_table(table, place)
    for key in ("when", "if-unknown", "if-attested", "if-denied"):
        stages = given.get(key)
        if isinstance(stages, dict):
            _same_stages(stages, rule.then, place.at(key), every=key in ("when", "if-unknown"))
    return replace(
        rule,
        when=_kept(rule.when, rule),
        if_unknown=_kept(rule.if_unknown, rule),
        if_attested=_kept(rule.if_attested, rule),
        if_denied=_kept(rule.if_denied, rule),
    )


def _same_stages(given: Table, then: Mapping[Stage, str], place: Place, *, every: bool) -> None:
    for stage in given:
        if stage not in then:
            raise place.at(stage).error("'then' does not have this stage")
    for stage in then:
        if every and stage not in given:
            raise place.error(f"'{stage}' is missing; 'then' has it")


def _kept(by_stage: Mapping[Stage, T], rule: Rule) -> dict[Stage, T]:
    return {stage: by_stage[stage] for stage in rule.then if stage in by_stage}


CONVERT: Mapping[str, Convert] = {
    "says": _says,
    "parameter": _parameter,
    "concept": _plain(Concept),
    "fact": _fact,
    "ask": _plain(Ask),
    "rule": _rule,
    "duty": _plain(Duty),
    "measure": _plain(Measure),
}
"""Section -> the function that reads one of its tables; each raises KnowledgeError for a table that is wrong."""
