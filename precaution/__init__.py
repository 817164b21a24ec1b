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
    from precaution.answer import Decision
    from precaution.assessment import assess
    from precaution.checks import check
    from precaution.definitions import Label
    from precaution.errors import InputError, KnowledgeError, PrecautionError, UsageError
    from precaution.knowledge import load_label
    from precaution.readers import read
    from precaution.record import Record

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
    "check",
    "load_label",
    "read",
]

_HOMES = {
    "Decision": "answer",
    "InputError": "errors",
    "KnowledgeError": "errors",
    "Label": "definitions",
    "PrecautionError": "errors",
    "Record": "record",
    "UsageError": "errors",
    "assess": "assessment",
    "check": "checks",
    "load_label": "knowledge",
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
