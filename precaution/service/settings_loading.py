"""Reads the service's settings: a TOML file, the environment (`PRECAUTION_*`), and options, the last of them first.

They are read strictly: a name that is not known is refused with the nearest one, and so is a set of values that would
be unsafe together.
"""

from __future__ import annotations

import os
from dataclasses import fields, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from precaution.errors import KnowledgeError, UsageError, did_you_mean
from precaution.knowledge.toml import Place, columns, read, read_toml, refuse_unknown
from precaution.service.settings import FhirServer, Issuer, Limits, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "PRECAUTION_"
CONFIG = "PRECAUTION_CONFIG"
"""Name of the environment for the file of settings, where no option names it."""
_OTHERS = frozenset({"PRECAUTION_TRACEBACK", "PRECAUTION_LINK_KEY", CONFIG})
"""Names of the environment that are read elsewhere."""
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
    names = {PREFIX + each.name.upper(): each.name for each in fields(Settings) if each.name not in _NESTED}
    limits = {PREFIX + "LIMITS_" + each.name.upper(): each.name for each in fields(Limits)}
    changed: dict[str, str] = {}
    narrower: dict[str, str] = {}
    for name, value in environment.items():
        if name in names:
            changed[names[name]] = value
        elif name in limits:
            narrower[limits[name]] = value
        elif name.startswith(PREFIX) and name not in _OTHERS:
            hint = did_you_mean(name, {**names, **limits})
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
    for wrong in (_unsafe(settings), _wrong_address(settings), _wrong_time(settings), _wrong_number(settings)):
        if wrong:
            raise UsageError(f"settings: {wrong}")


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
        if wrong := _wrong_server(server, settings):
            return f"fhir-server {server.url}: {wrong}"
    for origin in settings.cors_origins:
        if not _is_url(origin, ("https", "http")) or urlsplit(origin).path:
            return f"cors-origins: {origin} is no origin; write it as https://ehr.example.org"
    if settings.public_url and not _is_url(settings.public_url, ("https", "http")):
        return "public-url: must be an http(s) address, without user, query or fragment"
    return ""


def _wrong_server(server: FhirServer, settings: Settings) -> str:
    if not _is_url(server.url, ("https", "http")):
        return "must be an http(s) address, without user, query or fragment"
    if not server.private and urlsplit(server.url).scheme == "http":
        return "must be https, or private, for tokens are sent to it"
    if not server.issuers and len(settings.issuers) > 1:
        return "issuers is missing: it says whose patients these are, for several clients may call"
    names = {each.iss for each in settings.issuers}
    for each in server.issuers:
        if each.split(" ")[0] not in names:
            return f"issuers: no [[issuer]] is called {each}.{did_you_mean(each, names)}"
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


def _wrong_number(settings: Settings) -> str:
    small = [each.name for each in fields(Limits) if each.name != "queue" and getattr(settings.limits, each.name) <= 0]
    if small:
        return f"limits: {small[0].replace('_', '-')} must be more than 0"
    for name in ("override_days", "critical_days", "promise_days", "answer_days", "retention_days"):
        if not 0 < getattr(settings, name) <= 36_500:
            return f"{name.replace('_', '-')} must be from 1 to 36500"
    return "" if 0 <= settings.port <= 65535 else "port: must be from 0 to 65535"
