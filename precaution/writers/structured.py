"""Decision -> JSON: the contract of ARCHITECTURE.md, key for key. Keys may be added, never renamed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from precaution.writers.layout import NOTE

if TYPE_CHECKING:
    from precaution.answer import Decision, Finding


def to_dict(decision: Decision) -> dict[str, object]:
    """Return `decision` as plain dicts, lists, strings, numbers and None, in the order of the contract."""
    return {
        "label": {"name": decision.label, "version": decision.version, "digest": decision.digest},
        "today": decision.today,
        "stage": decision.stage,
        "stage_why": decision.stage_why,
        "start": decision.start,
        "action": decision.action,
        "attested": decision.attested,
        "findings": [_finding(finding) for finding in decision.findings],
        "holds": [asdict(hold) for hold in decision.holds],
        "due": [asdict(due) for due in decision.due],
        "asks": [asdict(ask) for ask in decision.asks],
        "missing": [asdict(missing) for missing in decision.missing],
        "ignored": [ignored._asdict() for ignored in decision.ignored],
        "unrecognised": [entry._asdict() for entry in decision.unrecognised],
        "background": [asdict(background) for background in decision.background],
        "policy": dict(decision.policy),
        "note": NOTE,
    }


def to_json(decision: Decision) -> str:
    """Return `decision` as JSON text: the same decision always gives the same bytes."""
    return as_json(to_dict(decision))


def as_json(value: object) -> str:
    """Return plain data as JSON text with a final line end; NaN and infinities are refused."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    searched = [{"concept": each.concept, "from": each.since, "found": each.found} for each in finding.searched]
    return {**asdict(finding), "searched": searched}
