"""Explains one rule, duty or sentence in text: the label, the reading, the cases, and one patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.sections import SITE
from precaution.writers.english import english, opposite
from precaution.writers.layout import columns, folded, in_words
from precaution.writers.rule_content import rule_content, rules_and_duties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precaution.engine.answer import Decision, Due, Finding
    from precaution.knowledge.model import Label, Says
    from precaution.writers.rule_content import RuleContent, ShownCase

INNER = 98
"""Columns of a line that is indented by two."""


def explained(
    label: Label,
    name: str,
    *,
    cases: Mapping[str, Sequence[ShownCase]],
    words: Mapping[str, str],
    decision: Decision | None = None,
) -> str:
    """Return the explanation of a rule, duty or sentence (`S19`), with a `decision` first what it is for that patient.

    `cases` maps a rule or duty to the cases that show it, `words` a sentence's id to its exact words.
    Raises UsageError for a name that the label does not have.
    """
    blocks = [list(_sentence(label.says[name], words))] if name in label.says else []
    for each in rules_and_duties(label, name):
        head, *rest = _blocks(rule_content(label, each, cases.get(each, ())), words)
        patient = list(_patient(label, each, decision)) if decision is not None else []
        blocks += [head, patient, *rest]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _blocks(what: RuleContent, words: Mapping[str, str]) -> list[list[str]]:
    ours = folded(f"Not in the label; why it is here: {what.ours}", indent=2) if what.ours else []
    said = [f"  {line}" for says in what.sentences for line in _sentence(says, words)]
    reading = folded(what.reading, indent=2) if what.reading else []
    looked = _items(f"{title}: {text}" for title, text in what.facts)
    cases = [line for case in what.cases for line in _case(case)]
    return [
        [f"{what.title} ({what.kind} {what.name}, topic {what.topic})", *ours],
        ["What the site asks for" if what.name.startswith(SITE) else "What the label says", *said],
        ["How it is read", *reading, *looked] if reading or looked else [],
        [f"The {what.kind} in English", *_conditions(what), *_items(what.notes)],
        ["Local policy, not in the label", *_items(what.parameters)] if what.parameters else [],
        [f"Reading {what.signed}"] if what.signed else [],
        ["Cases", *cases] if cases else [],
    ]


def _case(case: ShownCase) -> list[str]:
    wrong = columns("", f"■ does not come true: {case.wrong}", "") if case.wrong else []
    return columns(f"  {case.outcome}", case.name, "") + wrong


def _sentence(says: Says, words: Mapping[str, str]) -> Iterator[str]:
    yield from folded(f"{says.means} ({says.role})", indent=6, first=says.id, width=INNER)
    if says.id in words:
        yield from folded(f"“{words[says.id].strip()}”", indent=6, width=INNER)
    if says.suspect:
        changed = "the text says it otherwise now" if says.suspect == "changed" else "the text no longer has it"
        yield from folded(f"▲ suspect: {changed}; this reading is of the old text", indent=6, width=INNER)
    if says.role == "unread":
        yield from folded("▲ nobody has read this sentence yet", indent=6, width=INNER)
    elif says.why:
        yield from folded(f"Why it leads to no rule: {says.why}", indent=6, width=INNER)


def _conditions(what: RuleContent) -> Iterator[str]:
    for when in what.conditions:
        yield from _items([f"{when.condition}."])
        yield from (f"      {stage}" for stage in when.stages)


def _items(lines: Iterable[str]) -> list[str]:
    return [row for line in lines for row in folded(line, indent=4, first="  - ")]


def _patient(label: Label, name: str, decision: Decision) -> Iterator[str]:
    yield f"For this patient on {decision.today}, {decision.stage}"
    found: list[Finding | Due] = [each for each in decision.findings if each.rule == name]
    found += [each for each in decision.due if each.duty == name]
    if not found:
        yield "  does not apply at this stage"
    for each in found:
        yield from (f"  {line}" for line in _found(each))
        yield from (f"  {line}" for line in _change(label, name, each, decision))


def _found(found: Finding | Due) -> Iterator[str]:
    asks_for = f": {in_words(found.action)}" if found.action else ""
    yield from columns(f"{found.state}{asks_for}", found.tell or "does not hold", "", width=INNER)
    if found.why:
        yield from columns("  why", found.why, "", width=INNER)
    for entry in found.evidence:
        note = f" ({entry.note})" if entry.note else ""
        yield from columns("  evidence", f"{entry.says}{note}", f"{entry.source}, {entry.date}", width=INNER)
    for each in getattr(found, "searched", ()):
        since = f" since {each.since}" if each.since else ", at any time"
        yield from columns("  looked for", f"{each.concept}{since}", f"{each.found} found", width=INNER)


def _change(label: Label, name: str, found: Finding | Due, decision: Decision) -> Iterator[str]:
    """Yield what would settle, end or soften a finding."""
    for missing in decision.missing:
        if name in missing.needed_by:
            yield from columns("  would settle it", f"{missing.title}: {missing.why}", "", width=INNER)
    rule = label.rules.get(name)
    if rule is None or found.state == "no":
        return
    if found.state == "holds" and decision.stage in rule.when:
        changed = english(opposite(rule.when[decision.stage]), label)
        yield from columns("  would end it", changed, "", width=INNER)
    if rule.attest and not getattr(found, "attested", False):
        ask = label.asks[rule.attest]
        yield from columns("  would soften it", f"a yes to {ask.number}: {ask.question}", "", width=INNER)
