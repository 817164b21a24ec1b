"""Writes lists: what a label holds, what was understood of a record, how a decision changed, what a check found."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from precaution.values.interval import show_day, show_number
from precaution.values.record import DOSE
from precaution.writers.english import unit
from precaution.writers.layout import columns, counted, folded, in_words
from precaution.writers.rule_content import parameter_line
from precaution.writers.text import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Duty, Label, Rule
    from precaution.values.record import Entry, Record

_FEW = 3
"""Texts: of fewer nothing can be told."""


def timeline(decisions: Sequence[Decision], label: Label) -> str:
    """Return one line for each decision: what it is and why, or only what changed where the verdict is the same."""
    before: Decision | None = None
    lines: list[str] = []
    for decision in decisions:
        lines += _day(decision, before, label)
        before = decision
    return "\n".join(lines or ["nothing in the record could change the decision"]) + "\n"


def _day(decision: Decision, before: Decision | None, label: Label) -> list[str]:
    if before is not None and _verdict(before) == _verdict(decision):
        return columns(decision.today, f"  {'; '.join(_changes(before, decision, label)) or 'details'}", "", left=12)
    said, cites = _verdict(decision)
    return columns(decision.today, said, cites, left=12)


def _verdict(decision: Decision) -> tuple[str, str]:
    """Return the verdict with its reason, and what the reason cites."""
    top = next((f for f in decision.findings if f.state != "no" and f.action == decision.action), None)
    if top is None:
        return sentence(decision), ""
    return f"{sentence(decision)}  {top.tell}", " ".join(top.cites)


def _changes(before: Decision, now: Decision, label: Label) -> list[str]:
    """Return which findings and duties changed, in words; a finding tells the values that it rests on."""
    old, new = _states(before), _states(now)
    changed = [f"{_told(name, now, label)}" for name, state in new.items() if old.get(name) != state]
    gone = [(name, state) for name, state in old.items() if name not in new]
    return changed + [f"{_titled(name, label)}: {_GONE.get(state, 'no longer')}" for name, state in gone]


_GONE = {"unknown": "now known: no"}
"""What is said of a finding that is gone, by the state that it had."""


def _states(decision: Decision) -> dict[str, str]:
    findings = {f.rule: in_words(f.action) if f.state == "holds" else f.state for f in decision.findings}
    return findings | {due.duty: due.state for due in decision.due}


def _titled(name: str, label: Label) -> str:
    """Return the title of a rule or a duty."""
    return label.rules[name].title if name in label.rules else label.duties[name].title


def _told(name: str, decision: Decision, label: Label) -> str:
    """Return what a finding says, with its values, or of a duty its state and its day."""
    found = next((f for f in decision.findings if f.rule == name), None)
    if found is not None:
        return found.tell if found.state != "no" else f"{_titled(name, label)}: no"
    due = next(each for each in decision.due if each.duty == name)
    day = f"{', next' if due.state == 'done' else ''} {due.due}" if due.due else ""
    return f"{_titled(name, label)}: {due.state}{day}"


def record_in_text(record: Record, label: Label) -> str:
    """Return what was understood of a record, by concept, then what was ignored and not recognised."""
    blocks = [
        [
            f"Birth {show_day(record.birth) or 'not known'}; died {_died(record)}",
            f"Lists supplied: {', '.join(sorted(record.lists)) or 'none'}",
        ],
        *(_concept(concept, entries, label) for concept, entries in sorted(record.entries.items()) if entries),
        _ignored(record),
        _unrecognised(record),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _died(record: Record) -> str:
    return "no" if record.died is None else show_day(record.died) or "yes"


def _concept(concept: str, entries: Sequence[Entry], label: Label) -> list[str]:
    return [concept, *(line for entry in entries for line in _entry(entry, _unit(concept, label)))]


def _unit(concept: str, label: Label) -> str:
    return unit(label.concepts[concept].unit) if concept in label.concepts else ""


def _entry(entry: Entry, in_unit: str) -> Iterator[str]:
    days = show_day(entry.start) or "no date"
    until = f" to {show_day(entry.end)}" if entry.end is not None else ""
    number = f"{show_number(entry.value)} {in_unit}".rstrip() if entry.value is not None else ""
    marks = [entry.status, entry.certainty if entry.certainty != "certain" else "", entry.note]
    if entry.concept.startswith(DOSE):  # its value alone says neither of what time it is nor who tells it
        number = f"{entry.result}: {entry.says}"
    said = number or entry.result or entry.says or entry.kind
    yield from columns(f"  {days}{until}", f"{said} ({', '.join(filter(None, marks))})", entry.source)


def _ignored(record: Record) -> list[str]:
    rows = [line for each in record.ignored for line in columns(f"  {each.source}", each.why, "", left=40)]
    return [f"Ignored: {counted(len(record.ignored), 'entry', 'entries')}", *rows] if rows else []


def _unrecognised(record: Record) -> list[str]:
    rows = [
        line
        for each in record.unrecognised
        for line in columns(f"  {each.source}", f"{each.system} {each.code}".strip(), each.why, left=40)
    ]
    return [f"Not recognised: {counted(len(record.unrecognised), 'entry', 'entries')}", *rows] if rows else []


def words_in_text(texts: int, unknown: int) -> str:
    """Return a warning where most texts of a record whose codes tell nothing are not understood, else nothing."""
    if texts < _FEW or 2 * unknown <= texts:
        return ""
    return (
        f"\nMost words of this record are not understood: {unknown} of {counted(texts, 'text', 'texts')} whose codes "
        "tell nothing.\nIs it in a language that the label has no words of? Then 'none on record' means little.\n"
    )


def record_as_dict(record: Record) -> dict[str, object]:
    """Return what was understood of a record as plain data for JSON."""
    return {
        "birth": show_day(record.birth),
        "died": show_day(record.died) or record.died is not None,
        "lists": sorted(record.lists),
        "entries": {
            concept: [_plain(entry) for entry in entries] for concept, entries in sorted(record.entries.items())
        },
        "ignored": [each._asdict() for each in record.ignored],
        "unrecognised": [each._asdict() for each in record.unrecognised],
    }


def _plain(entry: Entry) -> dict[str, object]:
    days = {key: show_day(getattr(entry, key)) for key in ("start", "end", "recorded")}
    number = show_number(entry.value) if entry.value is not None else ""
    return {
        key: value for key, value in {**entry._asdict(), **days, "value": number}.items() if value not in ("", None)
    }


def label_in_text(label: Label) -> str:
    """Return what a label's folder holds: provenance, sentences by topic, rules, duties, parameters, questions."""
    blocks = [
        [f"{label.title} ({label.name}), version {label.version}", f"digest {label.digest}"],
        *(_table(name, value) for name, value in label.about.items() if isinstance(value, (dict, list, str)) and value),
        *(_topic(topic, label) for topic in label.topics),
        ["Local policy, not in the label", *_rows(map(parameter_line, label.parameters.values()))],
        [
            "Questions for a clinician",
            *_rows(f"{ask.number} {ask.name}: {ask.question}" for ask in label.asks.values()),
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _table(name: str, value: object) -> list[str]:
    heading = in_words(name).capitalize()
    if isinstance(value, dict):
        return [heading, *_rows(f"{in_words(key)}: {_flat(each)}" for key, each in value.items())]
    if isinstance(value, list):
        return [heading, *_rows(map(_flat, value))]
    return [heading, *folded(str(value), indent=2)]


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{in_words(key)}: {_flat(each)}" for key, each in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list) else str(value)


def _topic(topic: str, label: Label) -> list[str]:
    says = [
        line
        for each in label.says.values()
        if each.topic == topic
        for line in folded(
            f"{each.means} ({each.role}{', suspect' if each.suspect else ''})", indent=8, first=f"  {each.id}"
        )
    ]
    rules = [line for rule in label.rules.values() if rule.topic == topic for line in _named("rule", rule)]
    duties = [line for duty in label.duties.values() if duty.topic == topic for line in _named("duty", duty)]
    return [f"Topic {topic}", *says, *rules, *duties]


def _named(kind: str, each: Rule | Duty) -> list[str]:
    return columns(f"  {kind} {each.name}", each.title, " ".join(each.cites), left=36)


def _rows(lines: Iterable[str]) -> list[str]:
    return [row for line in lines for row in folded(line, indent=4, first="  - ")]


def label_as_dict(label: Label) -> dict[str, object]:
    """Return what a label's folder holds as plain data for JSON, without expressions."""
    rules = [(rule, {"then": {**rule.then}, "if_unknown": {**rule.if_unknown}}) for rule in label.rules.values()]
    duties = [(duty, {"stages": list(duty.stages)}) for duty in label.duties.values()]
    return {
        "name": label.name,
        "version": label.version,
        "title": label.title,
        "digest": label.digest,
        "about": label.about,
        "policy": dict(label.policy),
        "topics": list(label.topics),
        "statements": [_without_expressions(asdict(each)) for each in label.says.values()],
        "parameters": [asdict(each) for each in label.parameters.values()],
        "asks": [_without_expressions(asdict(each)) for each in label.asks.values()],
        "rules": [_identified(rule) | more for rule, more in rules],
        "duties": [_identified(duty) | more for duty, more in duties],
    }


def _identified(each: Rule | Duty) -> dict[str, object]:
    return {"name": each.name, "title": each.title, "topic": each.topic, "cites": list(each.cites)}


def _without_expressions(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key not in ("when", "show_when")}


def problems_in_text(problems: Sequence[object], where: str, ran: int, cases: int) -> str:
    """Return one line for each problem of a label's folder, and their number; `ran` of its cases were run."""
    found = counted(len(problems), "problem") if problems else "no problems"
    return "\n".join([*map(str, problems), f"{where}: {found}; {_ran(ran, cases)}"]) + "\n"


def site_problems_in_text(problems: Sequence[object], site: str, ran: int, compared: int) -> str:
    """Return one line for each problem of a site's folder, and what was tried."""
    found = counted(len(problems), "problem") if problems else "no problems"
    tried = f"{counted(ran, 'case')} of its own; {counted(compared, 'decision')} compared with those without it"
    return "\n".join([*map(str, problems), f"{site}: {found}; {tried}"]) + "\n"


def _ran(ran: int, cases: int) -> str:
    if not cases:
        return "it has no cases"
    if not ran:
        return "its cases were not run"
    return f"all {counted(cases, 'case')} were run" if ran == cases else f"{ran} of {cases} cases were run"
