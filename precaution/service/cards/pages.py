"""The page of a decision: all that a card has no room for, for who holds its link. Readable without a script.

What it shows is put together when the decision is made, from decided facts in our own words, and kept by the store as
it is. References of entries are shown here, as plain text: who looks may look at the record too.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from precaution.knowledge.model import SignOff
from precaution.service.cards.wording import without_sources
from precaution.writers.layout import NOTE, in_words, listed, status
from precaution.writers.text import next_step, stage_heading

if TYPE_CHECKING:
    from precaution.engine.answer import Decision, Due, Finding, Hold, Searched
    from precaution.knowledge.model import Label
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.cards.wording import EntryInWords, Words

_HERE = Path(__file__).parent
STYLE = (_HERE / "static" / "page.css").read_text(encoding="utf-8")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may load for the page: its style sheet, and nothing from anywhere else."""
_ORDER = ("overdue", "due", "unknown", "upcoming", "done")
Page = dict[str, Any]


def content(decision: Decision, label: Label, vocabulary: Vocabulary, words: Words, notes: tuple[str, ...]) -> str:
    """Return what the page of a decision shows, as JSON."""
    due = sorted(decision.due, key=lambda each: (_ORDER.index(each.state), each.due or "9999", each.duty))
    page: Page = {
        "title": stage_heading(decision, label.title),
        "action": decision.action,
        "verdict": status(decision.action, attested=decision.attested),
        "why": _reason(decision),
        "next": next_step(decision),
        "acute": _acute(decision, label),
        "today": decision.today,
        "stage": decision.stage_why,
        "start": decision.start,
        "findings": [_finding(each, label, words) for each in decision.findings if each.state != "no"],
        "holds": [_hold(each, words) for each in decision.holds],
        "due": [_due(each, label, vocabulary, words) for each in due],
        "asks": [
            {
                "number": each.number,
                "question": each.question,
                "answered": each.answered or "",
                "date": each.date,
                "void": each.void,
                "cites": list(each.cites),
            }
            for each in decision.asks
        ],
        "missing": [
            {
                "title": each.title,
                "why": without_sources(each.why),
                "needed": [in_words(name) for name in each.needed_by],
            }
            for each in decision.missing
        ],
        "notes": list(notes),
        "searched": _searched(decision, vocabulary),
        "ignored": len(decision.ignored),
        "unrecognised": len(decision.unrecognised),
        "background": [{"says": each.says, "means": each.means} for each in decision.background],
        "label": {"name": decision.label, "version": decision.version, "digest": decision.digest},
        "policy": {name: str(value) for name, value in decision.policy.items()},
    }
    if decision.signatures:
        page["signatures"] = [
            {"title": in_words(each.name), "said": str(SignOff(each.state, each.who, each.role, each.day))}
            for each in decision.signatures
        ]
    return json.dumps(page, ensure_ascii=False, separators=(",", ":"))


def _reason(decision: Decision) -> str:
    """Return what makes the decision as grave as it is: the first reason, and how many more there are."""
    asked = [each.tell for each in decision.findings if each.action == decision.action]
    asked += [each.tell for each in decision.due if each.action == decision.action]
    more = f" (and {len(asked) - 1} more)" if len(asked) > 1 else ""
    return asked[0] + more if asked else "; ".join(without_sources(each.why) for each in decision.missing[:1])


def _acute(decision: Decision, label: Label) -> str:
    use = label.about.get("intended-use")
    urgent = any(each.urgent for each in decision.findings)
    return str(use.get("emergencies", "")) if urgent and isinstance(use, dict) else ""


def _finding(finding: Finding, label: Label, words: Words) -> Page:
    return {
        "rule": finding.rule,
        "shown": status("unknown" if finding.state == "unknown" else finding.action, attested=finding.attested),
        "would": in_words(finding.action) if finding.state == "unknown" else "",
        "tell": finding.tell,
        "why": without_sources(finding.why),
        "urgent": finding.urgent,
        "ours": finding.ours,
        "sentences": [{"id": name, "means": label.says[name].means} for name in finding.cites],
        "evidence": [_evidence_line(each) for each in words.of_finding(finding)],
        "parameters": [{"name": name, "value": label.parameters[name].written} for name in finding.parameters],
        "background": [{"id": each.says, "means": each.means} for each in finding.background],
    }


def _evidence_line(entry: EntryInWords) -> Page:
    return {"text": str(entry), "reference": entry.source}


def _hold(hold: Hold, words: Words) -> Page:
    evidence = [_evidence_line(each) for each in words.of_evidence(hold.evidence)]
    return {"state": hold.state, "tell": hold.tell, "release": hold.release, "evidence": evidence}


def _due(due: Due, label: Label, vocabulary: Vocabulary, words: Words) -> Page:
    return {
        "state": due.state,
        "shown": status(due.action if due.action == "screen" and due.state == "due" else due.state),
        "tell": due.tell,
        "due": due.due,
        "overdue": due.overdue_after,
        "lacking": listed(vocabulary.titles.get(each, each) for each in due.lacking) if due.lacking else "",
        "why": without_sources(due.why),
        "ours": due.ours,
        "sentences": [{"id": name, "means": label.says[name].means} for name in due.cites],
        "evidence": [_evidence_line(each) for each in words.of_evidence(due.evidence)],
    }


def _searched(decision: Decision, vocabulary: Vocabulary) -> list[Page]:
    """Return what was looked for, and how often it was found: first what was not."""
    found: dict[tuple[str, str], int] = {}
    for finding in decision.findings:
        for each in finding.searched:
            found[_searched_key(each, vocabulary)] = each.found
    rows = [{"what": what, "since": since, "found": count} for (what, since), count in found.items()]
    return sorted(rows, key=lambda row: (row["found"] != 0, row["what"], row["since"]))


def _searched_key(searched: Searched, vocabulary: Vocabulary) -> tuple[str, str]:
    return vocabulary.title(searched.concept), searched.since


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(kept: str, label: Label, root: str) -> str:
    """Return the page as HTML. `kept`: what `content` made; `root`: the path under which clients know the service."""
    page: Page = json.loads(kept)
    transparency = label.about.get("transparency")
    use = label.about.get("intended-use")
    provenance = label.about.get("provenance")
    return (
        _environment()
        .get_template("decision.html")
        .render(
            page=page,
            root=root,
            transparency=[(in_words(name), value) for name, value in _rows(transparency)],
            use=[(in_words(name), value) for name, value in _rows(use)],
            provenance=[(in_words(name), value) for name, value in _rows(provenance)],
            note=NOTE,
            same=page["label"]["digest"] == label.digest,
        )
    )


def about(label: Label, root: str) -> str:
    """Return the page about the label as HTML: where its text comes from, what it is for, what it says in our words."""
    differences = label.about.get("differences")
    return (
        _environment()
        .get_template("label.html")
        .render(
            label=label,
            says=sorted(label.says.values(), key=lambda each: each.id),
            differences=differences if isinstance(differences, list) else [],
            transparency=[(in_words(name), value) for name, value in _rows(label.about.get("transparency"))],
            use=[(in_words(name), value) for name, value in _rows(label.about.get("intended-use"))],
            provenance=[(in_words(name), value) for name, value in _rows(label.about.get("provenance"))],
            root=root,
            note=NOTE,
        )
    )


def _rows(table: object) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in table.items()] if isinstance(table, dict) else []


def message(title: str, text: str, root: str) -> str:
    """Return a page that says one thing."""
    return _environment().get_template("message.html").render(title=title, text=text, note=NOTE, root=root)
