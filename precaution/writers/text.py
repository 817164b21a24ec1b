"""Writes a decision as one screen of text: the verdict, the first reason and the next step come first."""

from __future__ import annotations

from textwrap import shorten
from types import MappingProxyType
from typing import TYPE_CHECKING

from precaution.writers.layout import (
    CAUTION,
    CLEAR,
    MISSING,
    NOTE,
    STOP,
    columns,
    counted,
    folded,
    in_words,
    listed,
    status,
    symbol,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from precaution.engine.answer import Decision, Due, Evidence, Finding, Hold

_STAGES = {"before-start": "Before starting {}", "on-treatment": "On {}", "interrupted": "While {} is interrupted"}
_PERHAPS = "Stage not known, perhaps on {}"
_NEXT = {
    "discontinue": "discontinue now; a later start is a new decision",
    "do-not-start": "do not start until this has changed, then assess again",
    "interrupt": "interrupt treatment; it may resume only when every hold is released",
    "stay-interrupted": "stay interrupted until every hold is released",
    "specialist-first": "ask the specialist before going on",
    "only-if-no-alternative": "decide whether there is a suitable alternative",
    "weigh": "weigh risk and benefit, and write the decision down",
    "due": "do what is due",
    "may-resume": "treatment may resume; every hold is released",
    "clear": "nothing stands in the way in what was looked at",
}
_ORDER = ("overdue", "screen", "due", "unknown", "upcoming", "done")
POLICY_MARK = "*"
FEW = 4
"""How many questions, or facts of one reason, are shown at most; of more, one fewer and the number of the others."""
MOST_WORDS = 48
"""Characters of an entry's own words that are shown."""
NO_WORDS: Mapping[str, str] = MappingProxyType({})
_RESTRICTED = "only-if-no-alternative"
_START = "the day treatment started"
_HOLDS = {"open": STOP, "unknown": MISSING, "released": CLEAR}


def text(decision: Decision, *, everything: bool = False, words: Mapping[str, str] = NO_WORDS) -> str:
    """Return `decision` for a terminal, 100 columns wide.

    With `everything` also what does not hold or is done, every question in full, and every parameter used. `words`:
    what the record calls its entries, by where they stand (`Record.words`).
    """
    due = sorted((due for due in decision.due if everything or due.state != "done"), key=_urgency)
    blocks = (
        _verdict(decision),
        list(_findings(decision, words, everything=everything)),
        [line for hold in decision.holds for line in _hold(hold, words)],
        [line for each in due for line in _due(each, words)],
        [*_missing(decision, everything=everything), *_asks(decision, everything=everything)],
        list(_closing(decision, everything=everything)),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def sentence(decision: Decision) -> str:
    """Return the verdict alone: `Before starting baricitinib: ■ do not start`."""
    return f"{stage_heading(decision, decision.label)}: {status(decision.action, attested=decision.attested)}"


def stage_heading(decision: Decision, drug: str) -> str:
    """Return at which stage the patient is, as a heading that names the drug: `Before starting baricitinib`."""
    return (_PERHAPS if decision.stage_not_known() else _STAGES[decision.stage]).format(drug)


def evidence(entries: Sequence[Evidence], words: Mapping[str, str] = NO_WORDS) -> str:
    """Return what the evidence is, of several the first and how many more: by its words and day, with where it stands,
    as `'Herpes zoster' of 2025-02-20 (Condition/z)`; without words as `Condition/z, 2025-02-20`."""
    if not entries:
        return ""
    more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
    source, day = entries[0].source, entries[0].date
    said = printable(words.get(source, ""))
    if said:
        return f"'{shorten(said, MOST_WORDS, placeholder=' …')}'{f' of {day}' if day else ''} ({source}){more}"
    return f"{source}{', ' if day else ''}{day}{more}"


def printable(words: str) -> str:
    """Return words of a record as one line that nothing in it can change the terminal with."""
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


def _verdict(decision: Decision) -> list[str]:
    right = f"{decision.today}  label {decision.version}"
    return [
        *columns(sentence(decision), "", right, left=70),
        *folded(
            f"{decision.stage_why}{f'; started {decision.start}' if decision.start else ''}", indent=6, first="Stage"
        ),
        *_reason(decision),
        *folded(next_step(decision), indent=6, first="Next"),
        *_policy(decision),
        *_readings(decision),
    ]


def _reason(decision: Decision) -> list[str]:
    """Return the reason: the finding, duty or hold that makes the decision as grave as it is."""
    top = decision.named_first()
    if top is not None:
        return folded(f"{_said(top)} ({', '.join(top.cites)})", indent=6, first="Why")
    hold = next((hold for hold in decision.holds if hold.state != "released"), None)
    return folded(f"{hold.tell} ({', '.join(hold.cites)})", indent=6, first="Why") if hold else []


def next_step(decision: Decision) -> str:
    """Return what to do next, in a few words: with the day of what comes first where nothing stands in the way."""
    urgent = any(finding.urgent and finding.state != "no" for finding in decision.findings)
    first = "urgent: evaluate the patient now, do not wait for this tool; " if urgent else ""
    if decision.action in ("screen", "obtain", "due") and any(_START in due.why for due in decision.due):
        others = "" if decision.action == "due" else ", and what else is missing"
        return f"{first}find out the day treatment started{others}, then assess again"
    dated = [due for due in decision.due if due.due > decision.today]
    if decision.action == "clear" and decision.stage == "on-treatment" and dated:
        due = min(dated, key=lambda each: each.due)
        return f"{first}{_NEXT['clear']}; {due.tell[:1].lower()}{due.tell[1:]} by {due.due}"
    return first + next_words(decision.action, attested=decision.attested)


def next_words(action: str, *, attested: bool) -> str:
    """Return what an action asks for next, in a few words."""
    if action in ("screen", "obtain"):
        return f"{action} what is missing, then assess again"
    if attested and action == "only-if-no-alternative":
        return "may be used: it was answered that no alternative is suitable"
    return _NEXT.get(action, f"{in_words(action)}; read the reasons below")


def _policy(decision: Decision) -> list[str]:
    changed = ", ".join(f"{name} = {_written(value)}" for name, value in decision.policy.items())
    return folded(f"a site's policy was used: {changed}", indent=8, first="Policy") if changed else []


def _readings(decision: Decision) -> list[str]:
    note = readings_note(decision)
    return folded(f"{CAUTION} {note}", indent=6, first="Text") if note else []


def readings_note(decision: Decision) -> str:
    """Return which sentences have no reading that holds: the answer may be another one when they are read."""
    if not decision.doubtful_readings:
        return ""
    states = {"suspect": ("changed", "removed"), "not read yet": ("unread",)}
    named = {word: [d.says for d in decision.doubtful_readings if d.state in own] for word, own in states.items()}
    said = "; ".join(f"{word}: {listed(ids)}" for word, ids in named.items() if ids)
    rests = list(dict.fromkeys(name for each in decision.doubtful_readings for name in each.touches))
    shown = len(rests) if len(rests) <= FEW else FEW - 1
    more = f" and {len(rests) - shown} more" if rests[shown:] else ""
    on = f"; on the old readings rest {', '.join(rests[:shown])}{more}" if rests else ""
    return f"the label's text has changed since it was read, and this answer may be wrong: {said}{on}"


def _written(value: object) -> str:
    """Return a value of a policy as its file writes it."""
    if isinstance(value, (list, tuple)):
        return " and ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _findings(decision: Decision, words: Mapping[str, str], *, everything: bool) -> Iterator[str]:
    listed_below = {rule for missing in decision.missing for rule in missing.needed_by}
    answered = [] if everything else [each for each in decision.findings if _is_answered(each)]
    for finding in decision.findings:
        if finding in answered:
            yield from _answered(answered) if finding == answered[0] else ()
            continue
        if finding.state == "unknown" and finding.rule in listed_below and not (finding.evidence or finding.urgent):
            continue  # said once under what is missing, with all that needs it
        yield from _finding(finding, words)


def _is_answered(finding: Finding) -> bool:
    return finding.attested and finding.state == "holds" and finding.action == _RESTRICTED


def _answered(found: Sequence[Finding]) -> Iterator[str]:
    """Yield one line for all restrictions that a clinician has answered: they stand, and are not asked again."""
    what = "; ".join([each.tell.partition(":")[0] for each in found])
    mark = POLICY_MARK if any(each.parameters for each in found) else ""
    cites = sorted({sentence for each in found for sentence in each.cites})
    yield from columns(f"{CLEAR} restriction answered", f"{what}: no alternative is suitable{mark}", " ".join(cites))


def _finding(finding: Finding, words: Mapping[str, str]) -> Iterator[str]:
    state = {
        "holds": status(finding.action, attested=finding.attested),
        "no": f"{symbol('')} does not hold",
        "unknown": f"{MISSING} {in_words(finding.action)}",
    }[finding.state]
    urgent = "URGENT: " if finding.urgent else ""
    right = f"{evidence(finding.evidence, words)}  {' '.join(finding.cites)}".strip()
    yield from columns(state, f"{urgent}{_said(finding)}{_marks(finding)}", right)


def _said(each: Finding | Due) -> str:
    """Return the text of a finding or duty, and why it can't be told where that is so."""
    if each.state == "no":
        return each.rule
    return f"{each.tell} ({each.why})" if each.state == "unknown" and each.why else each.tell


def _marks(each: Finding | Due) -> str:
    """Return the marks of a text that rests on us and not on the label: on a rule of ours, or on local policy."""
    return (" [not in the label]" if each.ours else "") + (POLICY_MARK if each.parameters else "")


def _hold(hold: Hold, words: Mapping[str, str]) -> Iterator[str]:
    yield from columns(
        f"{_HOLDS[hold.state]} hold {hold.state}",
        hold.tell,
        f"{evidence(hold.evidence, words)}  {' '.join(hold.cites)}".strip(),
    )
    if hold.state != "released":
        yield from folded(f"released when: {hold.release}", indent=26)


def _urgency(due: Due) -> int:
    """Return the sort key of what is due: what is overdue or stands before a start comes first."""
    return _ORDER.index("screen" if _before_start(due) else due.state)


def _before_start(due: Due) -> bool:
    """Whether it must be known before treatment starts: then there is no day to name but the first."""
    return due.action in ("screen", "obtain") and due.state != "done"


def _due(due: Due, words: Mapping[str, str]) -> Iterator[str]:
    word = due.action if _before_start(due) else due.state
    right = f"{evidence(due.evidence, words)}  {' '.join(due.cites)}".strip()
    yield from columns(status(word), f"{due.tell}{_details(due)}{_marks(due)}", right)


def _details(due: Due) -> str:
    """Return when it is due, and what is lacking or why it can't be told."""
    day = f": due {due.due}" if due.due and not _before_start(due) else ""
    latest = f", overdue after {due.overdue_after}" if day and due.overdue_after else ""
    lacking = listed(map(_plain, due.lacking)) if due.state != "done" else ""
    return f"{day}{latest}{f'; lacking {lacking}' if lacking else f' ({due.why})' if due.why else ''}"


def _plain(name: str) -> str:
    """Return the name of a code list in words."""
    words = name.removeprefix("lab_").replace("_", " ")
    return words.upper() if len(words) <= 3 else words  # an abbreviation, as LDL


def _missing(decision: Decision, *, everything: bool) -> Iterator[str]:
    """Yield what can't be told: each reason once with its facts, less those that are due anyway."""
    lacking = {each for due in decision.due for each in due.lacking}
    reasons: dict[str, list[str]] = {}
    for missing in decision.missing:
        if missing.title not in lacking:
            reasons.setdefault(missing.why, []).append(missing.title)
    for why, titles in reasons.items():
        shown = len(titles) if everything or len(titles) <= FEW else FEW - 1
        more = f" and {len(titles) - shown} more (--all lists them)" if titles[shown:] else ""
        yield from columns(f"{MISSING} not known", f"{why}: {'; '.join(titles[:shown])}{more}", "")


def _asks(decision: Decision, *, everything: bool) -> Iterator[str]:
    """Yield the open questions: a few in one line each, the others by number; all in full on request."""
    asks = [ask for ask in decision.asks if ask.answered is None]
    shown = len(asks) if everything or len(asks) <= FEW else FEW - 1
    for ask in asks[:shown]:
        question = f"{ask.question}{f' ({ask.void})' if ask.void else ''}"
        yield from columns(
            f"{MISSING} question {ask.number}", question if everything else shorten(question, 74, placeholder=" …"), ""
        )
    if asks[shown:]:
        yield from columns(
            f"{MISSING} questions", f"{listed(ask.number for ask in asks[shown:])}: --all shows them", ""
        )


def _closing(decision: Decision, *, everything: bool) -> Iterator[str]:
    yield from _local_policy(decision, everything=everything)
    yield from _signatures(decision)
    counts = [
        counted(len(decision.ignored), "entry", "entries") + " ignored" if decision.ignored else "",
        f"{len(decision.unrecognised)} unrecognised" if decision.unrecognised else "",
    ]
    if any(counts):
        yield f"{', '.join(filter(None, counts))}; hint: `precaution read` lists them"
    rule = next((finding.rule for finding in decision.findings if finding.state != "no"), "")
    if rule:
        yield f"hint: `precaution explain {rule}` shows the sentence, its reading and cases"
    if any(ask.answered is None for ask in decision.asks):
        yield "hint: answer a question with --answer A1=yes@2025-02-01"
    yield NOTE


def _signatures(decision: Decision) -> Iterator[str]:
    """Yield how many of the readings behind the answer are signed, and the last signature."""
    signed = [each for each in decision.signatures if each.state == "signed"]
    if decision.signatures:
        last = max(signed, key=lambda each: each.day, default=None)
        by = f", last by {last.who} ({last.role}), {last.day}" if last else ""
        yield from folded(f"{len(signed)} of {len(decision.signatures)} readings behind this answer are signed{by}")


def _local_policy(decision: Decision, *, everything: bool) -> Iterator[str]:
    shown: list[Finding | Due] = [*decision.findings, *decision.due]
    used = sorted({name for each in shown for name in each.parameters})
    if used:
        names = f": {', '.join(used)}" if everything else f" ({counted(len(used), 'parameter')}; --all lists them)"
        yield from folded(f"rests on local policy, not on the label{names}", indent=2, first=POLICY_MARK)
