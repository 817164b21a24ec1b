"""Which lines are kept for the people who are asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.readers.resource_types import CLINICAL, MENTIONING

if TYPE_CHECKING:
    from precaution.cohort.sort.owner import Route

_START = b'{"resourceType":"'
_OF_PATIENTS = frozenset(kind.encode() for kind in CLINICAL | MENTIONING) - {b"Bundle", b"Parameters", b"Patient"}
_SUBJECT, _PATIENT = b'"subject":{"reference":"Patient/', b'"patient":{"reference":"Patient/'
_NAMED = re.compile(rb'Patient/([^"/?#|]*)')
_TYPE = b'"resourceType"'
"""There twice only where another resource is inside, whose subject may be another."""


class KeptPeople:
    """The ids of the people whose lines are kept; a line of which it can't be told whose it is is kept too."""

    def __init__(self, people: frozenset[str]) -> None:
        """Keep the lines of `people`."""
        self._people = people
        self._encoded = frozenset(each.encode("utf-8", "replace") for each in people)

    def wants(self, route: Route) -> bool:
        """Whether a line is kept, by its route."""
        return not route.key or route.to in ("shared", "identified") or route.key in self._people

    def certainly_others(self, line: bytes) -> bool:
        """Whether a line shows by its bytes that it is a resource of somebody who is not asked for; quick."""
        if not line.startswith(_START) or line[len(_START) : line.find(b'"', len(_START))] not in _OF_PATIENTS:
            return False
        if (_SUBJECT not in line and _PATIENT not in line) or line.count(_TYPE) != 1:
            return False
        return self._encoded.isdisjoint(_NAMED.findall(line)) and (b"\\" not in line or b"\\u" not in line)
