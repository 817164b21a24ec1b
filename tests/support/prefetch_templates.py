"""The prefetch templates that every client of CDS Hooks 2.0 can fill: its tokens, and its part of FHIR search."""

from __future__ import annotations

import re

_TOKENS = re.compile(r"\{\{(.*?)\}\}")
_CONTEXT = {
    "patient-view": frozenset({"userId", "patientId", "encounterId"}),
    "order-select": frozenset({"userId", "patientId", "encounterId"}),
    "order-sign": frozenset({"userId", "patientId", "encounterId"}),
}
"""The fields of a hook's context that hold one plain value."""
_USERS = frozenset({"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"})
_READ = re.compile(r"[A-Z][A-Za-z]+/\{\{[^{}]+\}\}")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?\s]+")
_DATE = re.compile(r"(?:eq|lt|gt|ge|le)?\d{4}(?:-\d\d(?:-\d\d)?)?")
_DATES = frozenset({"date", "authored", "authoredon", "issued", "onset-date", "performed", "occurrence", "birthdate"})
_WHOLE = re.compile(r"[1-9]\d{0,3}")
_PARAMETER = re.compile(r"[_a-z][a-z-]*(?::in)?")
LONGEST = 400
"""Characters: short enough for any client and server."""


def wrong_template(template: str, hook: str) -> str:
    """Return why a client of CDS Hooks 2.0 might be unable to fill a template; nothing where any client can."""
    for token in _TOKENS.findall(template):
        name = token.removeprefix("context.")
        if name not in (_USERS if name == token else _CONTEXT.get(hook, ())):
            return f"its token {token} is none of CDS Hooks 2.0"
    filled = _TOKENS.sub("1", template)
    if len(template) > LONGEST or "{" in filled or "}" in filled:
        return "it is too long, or its braces are not closed"
    if _READ.fullmatch(template):
        return ""
    if not _SEARCH.fullmatch(filled):
        return "it is neither a read by id nor a search of one type"
    return next((why for part in filled.partition("?")[2].split("&") if (why := _wrong_parameter(part))), "")


def _wrong_parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals or not value or not _PARAMETER.fullmatch(name):
        return f"{name} is no plain search parameter: modifiers but :in, chains and _has are not allowed"
    if name == "_count":
        return "" if _WHOLE.fullmatch(value) else "_count must be a whole number"
    if name == "_sort":
        return "" if re.fullmatch(r"-?[a-z-]+(?:,-?[a-z-]+)*", value) else "_sort must name search parameters"
    if name.startswith("_") and name != "_id":
        return f"{name} is not among what CDS Hooks 2.0 names"
    if name in _DATES:
        return "" if _DATE.fullmatch(value) else f"{name} must be a date with one of eq, lt, gt, ge, le"
    return ""
