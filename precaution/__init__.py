"""Turns a drug label's warnings and precautions into decisions on a patient's record.

    >>> from precaution import assess
    >>> decision = assess("patient.json", today="2025-03-01")
    >>> decision.action
    'do-not-start'

Importing the package loads nothing but this page; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precaution.assessment import assess, assess_each
    from precaution.checks import check
    from precaution.engine.answer import Decision
    from precaution.errors import InputError, KnowledgeError, PrecautionError, UsageError
    from precaution.knowledge.loading import load_label
    from precaution.knowledge.model import Label
    from precaution.readers import read
    from precaution.values.record import Record

__version__ = "0.1.0"

__all__ = [
    "Decision",
    "InputError",
    "KnowledgeError",
    "Label",
    "PrecautionError",
    "Record",
    "UsageError",
    "__version__",
    "assess",
    "assess_each",
    "check",
    "load_label",
    "read",
]

_HOMES = {
    "Decision": "engine.answer",
    "InputError": "errors",
    "KnowledgeError": "errors",
    "Label": "knowledge.model",
    "PrecautionError": "errors",
    "Record": "values.record",
    "UsageError": "errors",
    "assess": "assessment",
    "assess_each": "assessment",
    "check": "checks",
    "load_label": "knowledge.loading",
    "read": "readers",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'precaution' has no attribute '{name}'")
    value: object = getattr(import_module(f"precaution.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
