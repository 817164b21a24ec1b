"""Texts as the store keeps them: canonical JSON, digests, moments, names of servers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit, urlunsplit

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_PORTS = {"http": 80, "https": 443}


def canonical(value: object) -> str:
    """Return JSON that is the same for equal values: keys in order, no spaces, ASCII. Numbers must be whole."""
    return _ENCODER.encode(value)


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def storable(text: str) -> str:
    """Return a text without what PostgreSQL can't keep (NUL) and UTF-8 can't write (half of a pair)."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def moment(at: datetime) -> str:
    """Return a moment in UTC with milliseconds; such texts sort as the moments do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> str:
    """Return an instant of FHIR or CDS Hooks as `moment` writes it. Raises ValueError where it is none."""
    at = datetime.fromisoformat(text)
    if "T" not in text or at.tzinfo is None:
        raise ValueError("an instant needs a time and a time zone")
    try:
        return moment(at)
    except OverflowError:
        raise ValueError("an instant of no year of ours") from None


@lru_cache(maxsize=256)
def server_of(address: str) -> str:
    """Return a FHIR base, or another name of a server, so that equal ones are written the same."""
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return storable(address.strip())
    if not parts.scheme or not host:
        return storable(address.strip())
    host = f"[{host}]" if ":" in host else host
    where = host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"
    return storable(urlunsplit((parts.scheme, where, parts.path.rstrip("/"), parts.query, "")))


def person_of(server: str, patient: str) -> str:
    """Return the digest under which a patient's rows are found."""
    return digest(canonical([server_of(server), storable(patient)]))
