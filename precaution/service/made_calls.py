"""Makes a call of a hook from a record, as an EHR would send it, and decides it without a server or a store.

Each query of discovery gets the resources of its type. A query of which the record holds nothing is not sent: whether
there is none, or the export left it out, nobody can tell from a file, and what is not sent counts as not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from precaution.errors import InputError
from precaution.readers.contents import unpacked
from precaution.readers.prefetch import NOT_RETRIEVED, retrieved
from precaution.service.deciding import Decider
from precaution.service.fhir.queries import ALL, HOOKS, service_id
from precaution.service.http.calls import read_call
from precaution.service.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precaution.knowledge.model import Label
    from precaution.readers.contents import Contents, Located
    from precaution.readers.json_access import Json
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.fhir.queries import Query

ORDERING = "order-sign"
_SOCIAL = "social-history"
_SHARED = ("Medication", "Substance")
"""Types that orders refer to, which a server includes in its answers about them."""
_CODE_SYSTEMS = {"RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm", "ATC": "http://www.whocc.no/atc"}
"""The systems that the drug of a made order is coded in, the first that the label has a code of."""


class MadeCall(NamedTuple):
    """A call, and what of the record no query asks for."""

    body: Json
    service: str
    """The id of the service that it is for."""
    left_out: tuple[str, ...]
    """Types of resources that are in the record and are not sent."""


def made_call(documents: Iterable[object], label: Label, hook: str = ORDERING, *, order: bool = True) -> MadeCall:
    """Return a call of `hook` for the patient of parsed FHIR resources, with an order of the label's drug.

    `order`: whether the drug is being ordered; a patient-view orders nothing. Raises InputError where the record holds
    no patient, or more than one.
    """
    contents = unpacked(documents, label.terminology.source)
    patient = _patient(contents)
    context: Json = {"userId": "Practitioner/made-up", "patientId": patient["id"]}
    if hook != HOOKS[0]:
        drafts = [{"resource": _draft(label, str(patient["id"]))}] if order else []
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": drafts}
    sent = {query.key: found for query in ALL if (found := _answer(query, contents)) is not None}
    body: Json = {"hook": hook, "hookInstance": str(uuid4()), "context": context, "prefetch": sent}
    asked = {query.type for query in ALL} | set(_SHARED)
    return MadeCall(body, service_id(label, hook), tuple(sorted(kind for kind in contents.kinds if kind not in asked)))


def cards_for(call: MadeCall, label: Label, vocabulary: Vocabulary, today: int) -> tuple[list[Json], str]:
    """Return the cards of a made call on `today` (an ordinal), and where there are none in one word why.

    Raises Refused as the service does.
    """
    request = read_call(call.body, str(call.body["hook"]), Limits())
    sent = request.prefetch or {}
    answers = {
        query.key: retrieved(sent[query.key], search=bool(query.kind)) if query.key in sent else NOT_RETRIEVED
        for query in ALL
    }
    outcome = Decider(label, vocabulary, ALL, lambda _: "").outcome(request, answers, today)
    return [each.card for each in outcome.cards], outcome.why


def _patient(contents: Contents) -> Json:
    found = [resource for resource, _ in contents.of("Patient") if resource.get("id")]
    if len(found) != 1:
        raise InputError(f"a call is about one patient with an id; the record holds {len(found) or 'none'}")
    return found[0]


def _answer(query: Query, contents: Contents) -> Json | None:
    """Return what a server would answer to a query; None where the record holds nothing of it."""
    found = [each for each in contents.of(query.type) if _asked_for(query, each[0])]
    if not query.kind:
        return found[0][0] if found else None
    if not found:
        return None
    entries = [_entry(each, "match") for each in found]
    if query.kind == "medication":
        entries += [_entry(each, "include") for kind in _SHARED for each in contents.of(kind)]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}


def _entry(located: Located, mode: str) -> Json:
    resource, url = located
    return {**({"fullUrl": url} if url else {}), "resource": resource, "search": {"mode": mode}}


def _asked_for(query: Query, resource: Json) -> bool:
    """Whether a query asks for a resource of its type: observations are told apart by their category."""
    return query.type != "Observation" or _is_social(resource.get("category")) == (query.key == "socialHistory")


def _is_social(categories: object) -> bool:
    given: Sequence[Any] = categories if isinstance(categories, list) else ()
    codings = [coding for each in given if isinstance(each, dict) for coding in each.get("coding", ())]
    return any(isinstance(coding, dict) and coding.get("code") == _SOCIAL for coding in codings)


def _draft(label: Label, patient: str) -> Json:
    """Return an order of the label's drug that is being written."""
    codes = {system: code for (system, code), names in label.terminology.exact.items() if label.therapy.drug in names}
    coding = [{"system": url, "code": codes[system]} for system, url in _CODE_SYSTEMS.items() if system in codes][:1]
    return {
        "resourceType": "MedicationRequest",
        "id": "made-up",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": coding, "text": label.title},
        "subject": {"reference": f"Patient/{patient}"},
    }
