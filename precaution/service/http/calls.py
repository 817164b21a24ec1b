"""What a call of a hook asks, read from the JSON of its body.

It is strict where a mistake could harm, and tolerant of what real clients send. No error quotes anything of the body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from precaution.readers.drafts import ORDERS, orders_in, with_medications
from precaution.readers.json_access import Json, text
from precaution.readers.resource_types import R4
from precaution.service.http.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.service.settings import Limits

_ID = re.compile(r"[A-Za-z0-9\-._~]{1,128}")
_USER = re.compile(r"(?:[A-Z][A-Za-z]{2,30}/)?[A-Za-z0-9\-._~]{1,128}")
_WRAPPING = {"Bundle": "entry", "Parameters": "parameter"}
"""What may hold orders without being one, and where."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a hook: about which patient, by which user, with what the client sent along."""

    hook: str
    instance: str
    """The id of this use of the hook."""
    patient: str
    """The id alone."""
    user: str = ""
    """As `Practitioner/12`; empty where it is not said, or can't be one."""
    drafts: tuple[Json, ...] = ()
    """Orders that are being written."""
    unreadable_drafts: int = 0
    """Parts of `draftOrders` that are no resources, so that nobody knows what is ordered."""
    prefetch: Mapping[str, object] | None = None
    fhir_server: str = ""
    token: str = ""
    """What opens the FHIR server. It is never logged, and goes nowhere else."""

    @property
    def logged_instance(self) -> str:
        """The hook instance, where it is a UUID as it must be; else nothing, for it could be anything."""
        return self.instance.lower() if _UUID.fullmatch(self.instance) else ""


def read_call(body: Json, hook: str, limits: Limits) -> HookRequest:
    """Return the call of `hook` that a body holds. Raises Refused: 400 for a wrong body, 413 for too many resources."""
    named = body.get("hook")
    if named != hook:
        raise Refused(400, f"this service is for the hook {hook}, and the body names another, or none")
    instance = body.get("hookInstance")
    if not isinstance(instance, str) or not 0 < len(instance) <= 255:
        raise Refused(400, "hookInstance is missing; it must be a UUID")
    context = body.get("context")
    if not isinstance(context, dict):
        raise Refused(400, "context is missing; it must be an object")
    server, authorization = body.get("fhirServer"), body.get("fhirAuthorization")
    prefetch = body.get("prefetch")
    if prefetch is not None and not isinstance(prefetch, dict):
        raise Refused(400, "prefetch must be an object")
    patient = _patient(context)
    if _is_of_another(authorization, patient):
        raise Refused(400, "fhirAuthorization is for another patient than context.patientId")
    drafts, unreadable = _drafts(context)
    _count(prefetch or {}, drafts, limits)
    return HookRequest(
        hook,
        instance,
        patient,
        _user(context),
        drafts,
        unreadable,
        prefetch,
        server if isinstance(server, str) else "",
        _token(authorization),
    )


def _patient(context: Json) -> str:
    patient = context.get("patientId")
    if not isinstance(patient, str) or not patient:
        raise Refused(400, "context.patientId is missing")
    patient = patient.removeprefix("Patient/")
    if not _ID.fullmatch(patient):
        raise Refused(400, "context.patientId is no id of a resource")
    return patient


def _user(context: Json) -> str:
    user = context.get("userId")
    return user if isinstance(user, str) and _USER.fullmatch(user) else ""


def _is_of_another(authorization: object, patient: str) -> bool:
    """Whether an access token is bound to one patient, and that is another one."""
    bound = authorization.get("patient") if isinstance(authorization, dict) else None
    return isinstance(bound, str) and bool(bound) and bound.removeprefix("Patient/") != patient


def _token(authorization: object) -> str:
    token = authorization.get("access_token") if isinstance(authorization, dict) else None
    plain = isinstance(token, str) and token.isascii() and token.isprintable() and len(token) <= 16_384
    return token if plain and isinstance(token, str) else ""


def _drafts(context: Json) -> tuple[tuple[Json, ...], int]:
    """Return the orders that are being written, out of Bundles in Bundles too, and how many parts are no resources."""
    orders = context.get("draftOrders")
    if orders is None:
        return (), 1
    if not isinstance(orders, dict):
        raise Refused(400, "context.draftOrders must be a Bundle")
    if "entry" not in orders and orders.get("resourceType") == "Bundle":
        return (), _absent(context.get("selections"), [], {})
    found = _unwrapped(orders if _is_resource(orders) else {**orders, "resourceType": "Bundle"})
    drafts = [order for each, _ in found if each is not None for order in orders_in(each)]
    by_url = {url: each for each, url in found if each is not None and url}
    unreadable = sum(each is None for each, _ in found) + _absent(context.get("selections"), drafts, by_url)
    return tuple(with_medications(drafts, by_url)), unreadable


def _absent(selections: object, drafts: list[Json], by_url: Mapping[str, Json]) -> int:
    """How many of the orders that were just selected are not among the drafts, whatever name these have."""
    named = {str(each).partition("/_history")[0] for each in selections} if isinstance(selections, list) else set[str]()
    orders = [each for each in drafts if each["resourceType"] in ORDERS]
    here = {f"{each['resourceType']}/{text(each, 'id')}" for each in orders} | set(by_url)
    missing = {each for each in named if each.rpartition("/")[0] in ORDERS} - here
    return max(0, len(missing) - sum(not text(each, "id") for each in orders))


def _unwrapped(orders: Json) -> list[tuple[Json | None, str]]:
    """Return the resources in a Bundle, or in Parameters, with their `fullUrl`; None for each part that is none."""
    found: list[tuple[Json | None, str]] = []
    todo: list[tuple[object, str]] = [(orders, "")]
    while todo:
        each, url = todo.pop(0)
        if not _is_resource(each):
            found.append((None, ""))
        elif each["resourceType"] not in _WRAPPING:
            found.append((each, url))
        elif isinstance(parts := each.get(_WRAPPING[each["resourceType"]]), list):
            todo += [_part(part) for part in parts]
        else:
            found.append((None, ""))
    return found


def _part(part: object) -> tuple[object, str]:
    """Return what a part of a Bundle or of Parameters holds, and its `fullUrl`."""
    if not isinstance(part, dict):
        return None, ""
    if "resource" not in part and isinstance(part.get("part"), list):
        return {"resourceType": "Parameters", "parameter": part["part"]}, ""
    return part.get("resource"), text(part, "fullUrl")


def _is_resource(value: object) -> TypeGuard[Json]:
    return isinstance(value, dict) and text(value, "resourceType") in R4


def _count(prefetch: Mapping[str, object], drafts: tuple[Json, ...], limits: Limits) -> None:
    many = len(drafts) + sum(_entries(each) for each in prefetch.values())
    if many > limits.max_entries:
        raise Refused(413, f"there are more than {limits.max_entries} resources")


def _entries(value: object) -> int:
    """How many entries there are in a Bundle, with those of Bundles in it."""
    many, todo = 0, [value]
    while todo:
        each = todo.pop()
        if isinstance(each, list):
            todo += each
        elif isinstance(each, dict):
            inner = each.get("entry")
            if isinstance(inner, list):
                many += len(inner)
                todo += [
                    part.get("resource")
                    for part in inner
                    if isinstance(part, dict) and _is_bundle(part.get("resource"))
                ]
            elif "resource" in each:
                todo.append(each["resource"])
    return many


def _is_bundle(value: object) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "Bundle"
