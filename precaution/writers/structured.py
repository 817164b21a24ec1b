"""Writes a decision as JSON by the contract (docs/reference/json-contract.md): keys may be added, never renamed."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from precaution.writers.layout import NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from precaution.engine.answer import Decision, Finding


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
        "reason": decision.reason,
        "findings": [_finding(finding) for finding in decision.findings],
        "holds": plain(decision.holds),
        "due": plain(decision.due),
        "asks": plain(decision.asks),
        "missing": plain(decision.missing),
        "ignored": plain(decision.ignored),
        "unrecognised": plain(decision.unrecognised),
        "background": plain(decision.background),
        "policy": dict(decision.policy),
        "signatures": plain(decision.signatures),
        "doubtful_readings": plain(decision.doubtful_readings),
        "note": NOTE,
    }


def each_to_dict(decisions: Sequence[Decision]) -> dict[str, object]:
    """Return the decisions of several labels on one patient and day as one object, in the order of the labels."""
    return {"today": decisions[0].today, "decisions": [to_dict(each) for each in decisions]}


def to_json(decision: Decision) -> str:
    """Return `decision` as JSON text: the same decision always gives the same bytes."""
    return as_json(to_dict(decision))


def as_json(value: object) -> str:
    """Return plain data as JSON text with a final line end; NaN and infinities are refused."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    searched = [{"concept": each.concept, "from": each.since, "found": each.found} for each in finding.searched]
    return {**{name: plain(each) for name, each in finding._asdict().items()}, "searched": searched}


def fields_of(value: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a dataclass by name, each as it is."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def plain(value: object) -> object:
    """Return a value as plain data: dataclasses and named tuples as dicts, other tuples as lists, all else as it is."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        named: tuple[str, ...] = getattr(value, "_fields", ())
        return dict(zip(named, map(plain, value), strict=True)) if named else [plain(each) for each in value]
    return value
