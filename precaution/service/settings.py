"""What a site sets for the service: a TOML file, the environment (`PRECAUTION_*`), and options, the last of them first.

Read strictly: a name that is not known is refused with the nearest one, and so is a set of values that would be unsafe
together. Nothing here is secret but the files that it names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from precaution.errors import KnowledgeError, UsageError, did_you_mean
from precaution.knowledge.toml import Place, columns, read, read_toml, refuse_unknown
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "PRECAUTION_"
CONFIG = "PRECAUTION_CONFIG"
"""Name of the environment for the file of settings, where no option names it."""
_OTHERS = frozenset({"PRECAUTION_TRACEBACK", "PRECAUTION_LINK_KEY", CONFIG})
"""Names of the environment that are read elsewhere."""
SIGNED = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
"""Algorithms of signatures that can be allowed: none of them shares a secret with the client, or is `none`."""

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """`[[issuer]]`: a client that may call, as its tokens name it."""

    iss: str
    """The `iss` of its tokens, exactly."""
    jku: str = ""
    """Where its keys are published (https); a token's own `jku` must be the same ..."""
    keys: str = ""
    """... or a file with its keys (a JWK set); with both, the keys are the file's."""
    tenant: str = ""
    """The `tenant` that its tokens must name; any where left out."""
    role: Literal["viewer", "clinician", "admin"] = "clinician"
    """What it may do with answers: read them; give them too; take them back too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirServer:
    """`[[fhir-server]]`: a server that may be asked for what was not sent along."""

    url: str
    """Its base: scheme, host, port and the beginning of the path must be the same."""
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
    """Whose calendar day counts, as `Europe/Berlin`; the machine's own where left out."""
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


_NESTED = ("issuers", "fhir_servers", "limits")
_TABLES: Mapping[str, type] = {"issuer": Issuer, "fhir-server": FhirServer, "limits": Limits}
_FILES = ("policy", "codes", "tls_certificate", "tls_key", "link_key_file")


def load(config: Path | None = None, environment: Mapping[str, str] = os.environ, **options: object) -> Settings:
    """Return the settings of a file, of the environment, and of `options`; those that are None are left out.

    Raises UsageError for what is unknown, of the wrong type, or unsafe.
    """
    try:
        settings = _of_file(config) if config else Settings()
        settings = _of_environment(settings, environment)
    except KnowledgeError as error:
        raise UsageError(f"settings: {error}") from None
    given = {name: value for name, value in options.items() if value is not None}
    settings = replace(settings, **given)  # type: ignore[arg-type]
    check(settings)
    return settings


def _of_file(path: Path) -> Settings:
    if not path.is_file():
        raise UsageError(f"there is no file of settings {path}")
    table = dict(read_toml(path, path.name))
    place = Place(path.name)
    nested = {name: table.pop(name) for name in _TABLES if name in table}
    refuse_unknown(table, {**_plain(), **dict.fromkeys(_TABLES)}, place)
    given: dict[str, object] = {
        "issuers": _several(Issuer, nested.get("issuer"), Place(path.name, "issuer")),
        "fhir_servers": _several(FhirServer, nested.get("fhir-server"), Place(path.name, "fhir-server")),
        "limits": read(Limits, nested.get("limits", {}), Place(path.name, "limits")),
    }
    return _beside(read(Settings, table, place, **given), path.parent)


def _several(kind: type[Any], tables: object, place: Place) -> tuple[Any, ...]:
    if tables is None:
        return ()
    if not isinstance(tables, list):
        raise place.error(f"must be written [[{place.table}]], once for each")
    return tuple(read(kind, table, place) for table in tables)


def _plain() -> dict[str, object]:
    return {key: None for key, column in columns(Settings).items() if column.field not in _NESTED}


def _beside(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the paths of a file as seen from the file's folder."""

    def seen(path: str) -> str:
        return str(folder / path) if path else ""

    issuers = tuple(replace(each, keys=seen(each.keys)) for each in settings.issuers)
    changed: dict[str, Any] = {name: seen(getattr(settings, name)) for name in _FILES if name != "codes"}
    return replace(settings, issuers=issuers, codes=tuple(map(seen, settings.codes)), **changed)


def _of_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Return the settings with those of the environment in their place."""
    known = {PREFIX + each.name.upper(): each.name for each in fields(Settings) if each.name not in _NESTED}
    limits = {PREFIX + "LIMITS_" + each.name.upper(): each.name for each in fields(Limits)}
    changed: dict[str, str] = {}
    narrower: dict[str, str] = {}
    for name, value in environment.items():
        if name in known:
            changed[known[name]] = value
        elif name in limits:
            narrower[limits[name]] = value
        elif name.startswith(PREFIX) and name not in _OTHERS:
            hint = did_you_mean(name, {**known, **limits})
            raise UsageError(f"settings: the environment's {name} is not known.{hint}")
    place = Place("the environment")
    table = {name.replace("_", "-"): _scalar(Settings, name, value) for name, value in changed.items()}
    nested = {name.replace("_", "-"): _scalar(Limits, name, value) for name, value in narrower.items()}
    read_again = read(Settings, table, place)
    bounds = read(Limits, nested, place)
    return replace(
        settings,
        limits=replace(settings.limits, **{name: getattr(bounds, name) for name in narrower}),
        **{name: getattr(read_again, name) for name in changed},
    )


def _scalar(kind: type[Any], name: str, value: str) -> object:
    """Return a text of the environment as the TOML value that it stands for."""
    default = getattr(kind(), name)
    if isinstance(default, bool):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.lower(), value)
    if isinstance(default, tuple):
        return [each.strip() for each in value.split(",") if each.strip()]
    if isinstance(default, (int, float)):
        try:
            return type(default)(value)
        except ValueError:
            return value
    return value


def check(settings: Settings) -> None:
    """Raise UsageError where settings are wrong, or would be unsafe together."""
    for problem in (_unsafe(settings), _wrong_address(settings), _wrong_time(settings), _wrong_limit(settings)):
        if problem:
            raise UsageError(f"settings: {problem}")


def is_loopback(host: str) -> bool:
    """Whether a host to listen at is reached from this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unsafe(settings: Settings) -> str:
    if settings.require_tokens and not settings.issuers:
        return "require-tokens is set, but no [[issuer]] names who may call"
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        return "tls-certificate and tls-key belong together; give both or none"
    if is_loopback(settings.host):
        return ""
    if not settings.require_tokens:
        return f"host {settings.host} is reached from other machines: set require-tokens, and name who may call"
    if not settings.tls_certificate and not settings.trusted_proxy:
        return (
            f"host {settings.host} is reached from other machines: set tls-certificate and tls-key, or "
            "trusted-proxy where a proxy in front ends TLS"
        )
    return "" if settings.public_url else "public-url is missing: clients' tokens are made for it"


def _wrong_address(settings: Settings) -> str:
    for each in settings.issuers:
        if not each.jku and not each.keys:
            return f"issuer {each.iss}: give jku or keys"
        if each.jku and not _is_url(each.jku, ("https",)) and not _is_local(each.jku):
            return f"issuer {each.iss}: jku must be an https address"
    for server in settings.fhir_servers:
        if not _is_url(server.url, ("https", "http")):
            return f"fhir-server {server.url}: must be an http(s) address, without user, query or fragment"
        if not server.private and urlsplit(server.url).scheme == "http":
            return f"fhir-server {server.url}: must be https, or private, for tokens are sent to it"
    for origin in settings.cors_origins:
        if not _is_url(origin, ("https", "http")) or urlsplit(origin).path:
            return f"cors-origins: {origin} is no origin; write it as https://ehr.example.org"
    if settings.public_url and not _is_url(settings.public_url, ("https", "http")):
        return "public-url: must be an http(s) address, without user, query or fragment"
    return ""


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.username is None and not parts.query and not parts.fragment and port != 0
    return parts.scheme in schemes and bool(parts.hostname) and plain


def _is_local(url: str) -> bool:
    return _is_url(url, ("http",)) and is_loopback(urlsplit(url).hostname or "")


def _wrong_time(settings: Settings) -> str:
    try:
        settings.day()
    except ValueError:
        return f"today: '{settings.today}' is no day; write it as 2025-03-01"
    except (KeyError, OSError):
        return f"timezone: '{settings.timezone}' is no time zone; write it as Europe/Berlin"
    return ""


def _wrong_limit(settings: Settings) -> str:
    small = [each.name for each in fields(Limits) if each.name != "queue" and getattr(settings.limits, each.name) <= 0]
    if small:
        return f"limits: {small[0].replace('_', '-')} must be more than 0"
    return "" if 0 <= settings.port <= 65535 else "port: must be from 0 to 65535"
