"""What a site sets for the service. Nothing here is secret but the files that it names; `settings_loading` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from precaution.labels import DEFAULT

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
"""Algorithms of signatures that can be allowed: none of them shares a secret with the client, or is `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """`[[issuer]]`: a client that may call, as its tokens name it."""

    iss: str
    """The `iss` of its tokens, exactly."""
    jku: str = ""
    """Where its keys are published (https); a token's own `jku` must be the same ..."""
    keys: str = ""
    """... or a file with its keys (a JWK set): then only these are used, wherever a token says its keys are."""
    tenant: str = ""
    """The `tenant` that its tokens must name; any where left out."""
    role: Literal["viewer", "clinician", "admin"] = "clinician"
    """What it may do with answers: read them; give them too; take them back too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirServer:
    """`[[fhir-server]]`: a server that may be asked for what was not sent along."""

    url: str
    """Its base: scheme, host, port and the beginning of the path must be the same."""
    issuers: tuple[str, ...] = ()
    """The clients whose patients it holds: `iss`, or `iss tenant`. To be left out only where one client may call."""
    private: bool = False
    """Whether its address may be one of a private network, or of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`[limits]`: what one request, and all together, may take."""

    max_body: int = 5_000_000
    """Bytes of a request, and of everything fetched for it."""
    max_depth: int = 64
    """Levels of nesting."""
    max_entries: int = 20_000
    """Resources."""
    deadline_seconds: float = 2.0
    """For one request, with everything fetched for it."""
    max_concurrent: int = 8
    """Requests worked on at once ..."""
    queue: int = 32
    """... and waiting; what comes on top is turned away with 503."""
    idle_seconds: int = 10
    """How long a client may take to send its request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of a site's settings; the file's top-level keys, with `-` for `_`."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    """The base under which clients know the service: tokens are for it, links begin with it."""
    trusted_proxy: bool = False
    """Whether a proxy in front ends TLS, so that the service itself may speak plain http beyond this machine."""
    tls_certificate: str = ""
    tls_key: str = ""
    label: str = DEFAULT
    policy: str = ""
    codes: tuple[str, ...] = ()
    hook_version: Literal["2.0", "3.0"] = "2.0"
    """With 3.0 the discovery also says `version` and `hookVersion`."""
    without: tuple[str, ...] = ()
    """Resource types that the site's EHR does not have, as `MedicationStatement`: not asked for, and not missed."""
    require_tokens: bool = False
    """Whether every call of a client needs a signed token."""
    algorithms: tuple[Algorithm, ...] = ("ES384", "RS384")
    leeway_seconds: int = 60
    max_token_seconds: int = 3600
    cors_origins: tuple[str, ...] = ()
    """Origins of browsers' pages that may call, exactly as `https://ehr.example.org`."""
    store_url: str = "sqlite:///precaution.sqlite"
    retention_days: int = 3650
    override_days: int = 90
    """How long an override counts ..."""
    critical_days: int = 7
    """... and that of a critical card: it comes back, whatever the reason."""
    promise_days: int = 28
    """After how long a promise to see to something later is due."""
    answer_days: int = 365
    """How long an answer makes anything milder at most."""
    keep_comments: bool = False
    """Whether the free text of feedback is kept: it may say anything about anybody."""
    on_deadline: Literal["card", "503"] = "card"
    """What a client gets when the time is up: a card that says so, or 503."""
    link_hours: int = 12
    """How long the link of a card leads to its page."""
    link_key_file: str = ""
    """A file with the secret that signs those links; where left out they end when the service does."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    timezone: str = ""
    """Whose calendar day counts, as `Europe/Berlin`; the machine's own where left out. It is also the zone in which
    times with an offset are read, where the policy names none."""
    today: str = ""
    """For demonstrations: this day, as 2025-03-01, in place of the clock's."""
    issuers: tuple[Issuer, ...] = ()
    fhir_servers: tuple[FhirServer, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def base(self) -> str:
        """The base of every address that clients use, without a slash at its end."""
        scheme = "https" if self.tls_certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"{scheme}://{host}:{self.port}").rstrip("/")

    def day(self, now: datetime | None = None) -> date:
        """Return the calendar day of the decision."""
        if self.today:
            return date.fromisoformat(self.today)
        zone = ZoneInfo(self.timezone) if self.timezone else None
        return (now or datetime.now(UTC)).astimezone(zone).date()
