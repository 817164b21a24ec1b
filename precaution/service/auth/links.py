"""Links from a card to its decision's page: signed, and good for a time. They hold no data of the patient.

    https://cds.example.org/decisions/<uuid>/<ticket>     what a card links to; a ticket is <until>.<signature>
    https://cds.example.org/decisions/<uuid>              the page, for who holds the cookie

The first address sets the cookie and leads to the second, so that what opens the page stands neither in the browser's
history nor in what it sends on as the referring page. Who has the link may see the page: it is as secret as the card.
"""

from __future__ import annotations

import hmac
import os
import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from time import time
from typing import TYPE_CHECKING

from precaution.errors import UsageError

if TYPE_CHECKING:
    from precaution.service.settings import Settings

KEY = "PRECAUTION_LINK_KEY"
"""Name of the environment by which the processes of one service share a key."""
COOKIE = "decision"
_SHORTEST = 32
_TICKET = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{43})")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def signing_key(settings: Settings) -> bytes:
    """Return the key that signs links: of the file, else shared by the processes, else new.

    Raises UsageError where the file can't be read or is too short.
    """
    if settings.link_key_file:
        return _of_file(Path(settings.link_key_file))
    shared = os.environ.get(KEY, "")
    return shared.encode() if len(shared) >= _SHORTEST else token_bytes(_SHORTEST)


def _of_file(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError:
        raise UsageError(f"settings: link-key-file {path} can't be read") from None
    if len(key) < _SHORTEST:
        raise UsageError(f"settings: link-key-file {path}: a key has at least {_SHORTEST} bytes")
    return key


class PageLinks:
    """Makes and checks the links of cards to the pages of decisions."""

    def __init__(self, base: str, key: bytes, hours: int) -> None:
        self._base, self._key, self._seconds = base, key, hours * 3600

    def until(self, now: float) -> int:
        """Return the second at which a link made now ends."""
        return int(now) + self._seconds

    def end(self) -> datetime:
        """Return the moment at which a link made now ends."""
        return datetime.fromtimestamp(self.until(time()), UTC)

    def link(self, uuid: str, now: float) -> str:
        """Return the link to the page of a decision."""
        return f"{self._base}/decisions/{uuid}/{self.ticket(uuid, self.until(now))}"

    def ticket(self, uuid: str, until: int) -> str:
        """Return the ticket that opens the page of a decision until a second (since 1970)."""
        signed = hmac.new(self._key, f"{uuid} {until}".encode(), sha256).digest()
        return f"{until}.{urlsafe_b64encode(signed).rstrip(b'=').decode()}"

    def opens(self, uuid: str, ticket: str, now: float) -> bool:
        """Whether `ticket` opens the page of this decision now."""
        found = _TICKET.fullmatch(ticket)
        if found is None or UUID.fullmatch(uuid) is None:
            return False
        same = hmac.compare_digest(ticket, self.ticket(uuid, int(found[1])))
        return same and int(found[1]) > now
