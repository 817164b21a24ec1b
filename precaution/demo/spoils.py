"""Spoils a resource as real records are: a unit left out, a day without its month, a code as text.

no-unit  no-range  no-date  no-value  no-status    taken away
month-only  year-only                              of the day only the month, or the year
preliminary  status WORD                           its status
unit WORD  value NUMBER  comparator <2             of the number
text WORDS                                         its code is only words
local-code                                         its code is one of a local system
absent                                             the value is said to be missing
modifier                                           an extension that may turn its meaning round
onset-string  onset-age YEARS  words-for-date      the day is not given as a date
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from precaution.cases.lines import Resource

DATES = (
    "effectiveDateTime",
    "onsetDateTime",
    "performedDateTime",
    "occurrenceDateTime",
    "authored",
    "authoredOn",
    "recordedDate",
    "abatementDateTime",
)
CODES = ("code", "vaccineCode", "medicationCodeableConcept")
VALUES = ("valueQuantity", "valueCodeableConcept", "valueString")
_LOCAL = "https://demo.invalid/local-codes"


def spoil(resource: Resource, how: str) -> None:
    """Change a resource in place as `how` says, one of the above. Raises KnowledgeError for anything else."""
    word, _, rest = how.partition(" ")
    change = _HOW.get(word)
    if change is None:
        raise KnowledgeError(f"'{how}' is no way to spoil a resource.{did_you_mean(word, _HOW)}")
    change(resource, rest.strip())


def _drop(*keys: str) -> Callable[[Resource, str], None]:
    def change(resource: Resource, _: str) -> None:
        for key in keys:
            resource.pop(key, None)

    return change


def _quantity(resource: Resource) -> dict[str, object]:
    quantity = resource.get("valueQuantity")
    if not isinstance(quantity, dict):
        raise KnowledgeError("only a number can be spoiled so")
    return quantity


def _no_unit(resource: Resource, _: str) -> None:
    for key in ("unit", "code", "system"):
        _quantity(resource).pop(key, None)


def _cut(length: int) -> Callable[[Resource, str], None]:
    def change(resource: Resource, _: str) -> None:
        for key in DATES:
            if isinstance(day := resource.get(key), str):
                resource[key] = day[:length]

    return change


def _status(resource: Resource, word: str) -> None:
    resource["status"] = word


def _unit(resource: Resource, word: str) -> None:
    _quantity(resource).update(unit=word, code=word)


def _value(resource: Resource, number: str) -> None:
    _quantity(resource)["value"] = float(number)


def _comparator(resource: Resource, written: str) -> None:
    found = re.fullmatch(r"(<=|>=|<|>)(\d+(?:\.\d+)?)", written)
    if found is None:
        raise KnowledgeError(f"'{written}' is no comparator and number")
    _quantity(resource).update(comparator=found[1], value=float(found[2]))


def _text(resource: Resource, words: str) -> None:
    for key in CODES:
        if key in resource:
            resource[key] = {"text": words}


def _local_code(resource: Resource, _: str) -> None:
    for key in CODES:
        if key in resource:
            resource[key] = {"coding": [{"system": _LOCAL, "code": "50885"}]}


def _absent(resource: Resource, _: str) -> None:
    _drop(*VALUES)(resource, "")
    system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
    resource["dataAbsentReason"] = {"coding": [{"system": system, "code": "unknown"}]}


def _modifier(resource: Resource, _: str) -> None:
    resource["modifierExtension"] = [{"url": "https://demo.invalid/meaning", "valueBoolean": True}]


def _instead_of_date(suffix: str) -> Callable[[Resource, str], None]:
    def change(resource: Resource, rest: str) -> None:
        for stem in ("onset", "performed", "occurrence"):
            if resource.pop(f"{stem}DateTime", None) is not None:
                aged = {"value": int(rest or 0), "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}
                resource[stem + suffix] = aged if suffix == "Age" else "some time ago"

    return change


_HOW: Mapping[str, Callable[[Resource, str], None]] = {
    "no-unit": _no_unit,
    "no-range": _drop("referenceRange"),
    "no-date": _drop(*DATES),
    "no-value": _drop(*VALUES),
    "no-status": _drop("clinicalStatus", "status"),
    "month-only": _cut(len("2025-01")),
    "year-only": _cut(len("2025")),
    "preliminary": lambda resource, _: _status(resource, "preliminary"),
    "status": _status,
    "unit": _unit,
    "value": _value,
    "comparator": _comparator,
    "text": _text,
    "local-code": _local_code,
    "absent": _absent,
    "modifier": _modifier,
    "onset-string": _instead_of_date("String"),
    "onset-age": _instead_of_date("Age"),
    "words-for-date": _instead_of_date("String"),
}
