"""Fields of a JSON body, read strictly. Each function raises Refused, 400, where a field is not as it must be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precaution.service.http.errors import Refused

if TYPE_CHECKING:
    from precaution.readers.json_access import Json

LONGEST = 1000
"""Characters of a text, at most, where nothing else is said."""
MOST = 1000
"""Objects of a list, at most."""
ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
"""The ids of cards and suggestions."""


def objects(body: Json, name: str) -> list[Json]:
    """Return a list of objects, of which there must be one at least. Raises also Refused, 413, for too many."""
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise Refused(400, f"{name} must be a list of objects, of one at least")
    if len(found) > MOST:
        raise Refused(413, f"{name} holds more than {MOST}")
    return found


def text(body: Json, name: str, longest: int = LONGEST, *, needed: bool = False) -> str:
    """Return a text; empty where it is left out, which it may only be if it is not `needed`."""
    value = body.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > longest or (needed and not value):
        raise Refused(400, f"{name} must be a text of at most {longest} characters")
    return value


def card_id(value: object) -> str:
    """Return the uuid of a card."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise Refused(400, "card must be the uuid of a card")
    return value
