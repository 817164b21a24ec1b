"""Whether a code is well formed in its system: check digits and shapes, not whether it exists.

LOINC ends in a mod 10 check digit (LOINC Users' Guide, appendix C; Luhn's), a SNOMED CT identifier in
Verhoeff's (SNOMED CT release file specification, "Check-digit computation"). The others have none, so
their shape is all that can be told.

python-stdnum has both check digits too. It is not used: reading a record looks at codes, and importing it takes longer
(44 ms and more, for pydoc) than the two functions are long.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
"""Verhoeff's permutation; a digit's place says how often it is applied."""
_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)

_LOINC = re.compile(r"[0-9]{1,7}-[0-9]")
_LOINC_ANSWER = re.compile(r"LA[0-9]{1,7}-[0-9]")
"""The check digit of answers follows another rule, which the guide does not give."""
_SNOMED = re.compile(r"[1-9][0-9]{5,17}")
_ICD10 = re.compile(r"[A-Z][0-9][0-9AB](?:\.[0-9A-Z]{1,4})?")
"""The American edition's, the longest: its codes are often sent as ICD-10's."""
_SHAPES = {
    "ICD10CM": _ICD10,
    "ICD10": _ICD10,
    "ICD10GM": _ICD10,
    "ATC": re.compile(r"[A-Z][0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?"),
    "RxNorm": re.compile(r"[1-9][0-9]{0,7}"),
    "CVX": re.compile(r"[0-9]{1,3}"),
}


def luhn(digits: str) -> int:
    """Return the mod 10 check digit of `digits`, which must be decimal digits only."""
    doubled = "".join(str(int(d) * 2) if place % 2 == 0 else d for place, d in enumerate(reversed(digits)))
    return -sum(int(d) for d in doubled) % 10


def verhoeff(digits: str) -> int:
    """Return the check digit that makes `digits` plus it valid; decimal digits only."""
    total = 0
    for place, digit in enumerate(reversed(digits), start=1):
        total = _multiply(total, _permuted(int(digit), place))
    return _INVERSE[total]


def is_loinc(code: str) -> bool:
    """Whether `code` is a LOINC number whose check digit is right, or looks like a LOINC answer."""
    if not _LOINC.fullmatch(code):
        return bool(_LOINC_ANSWER.fullmatch(code))
    number, _, check = code.partition("-")
    return luhn(number) == int(check)


def is_snomed(code: str) -> bool:
    """Whether `code` is a SNOMED CT identifier whose check digit is right."""
    return bool(_SNOMED.fullmatch(code)) and verhoeff(code[:-1]) == int(code[-1])


def well_formed(system: str, code: str) -> bool:
    """Whether `code` may be one of `system` (a name of `terminology.SYSTEMS`; False for others)."""
    shape = _SHAPES.get(system)
    if shape:
        return bool(shape.fullmatch(code))
    check = _CHECKS.get(system)
    return check is not None and check(code)


def _permuted(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _TURN[digit]
    return digit


def _multiply(left: int, right: int) -> int:
    """Return the product in the dihedral group of the pentagon, which is Verhoeff's multiplication table."""
    if left < 5:
        return (left + right) % 5 + (5 if right >= 5 else 0)
    return (left - right) % 5 + (0 if right >= 5 else 5)


_CHECKS: Mapping[str, Callable[[str], bool]] = {"LOINC": is_loinc, "SNOMED": is_snomed}
