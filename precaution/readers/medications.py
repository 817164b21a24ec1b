"""MedicationRequest, -Statement, -Dispense and -Administration -> entries of kind `medication`, or `order`.

An order that still has to be followed (a plan, a draft, something intended) is an `order`, not a drug taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.codes import system_name, words_of
from precaution.readers.concept_matches import ConceptMatch, matched_concepts
from precaution.readers.dates import day_at, read_dates
from precaution.readers.dosages import SORTS, doses, shown, strength_in
from precaution.readers.json_access import Json, child, children, coded, text
from precaution.readers.lengths import supply, treated
from precaution.readers.lists import note_list
from precaution.readers.references import target
from precaution.readers.routes import by_route, said_of_route
from precaution.values.interval import Interval, shifted
from precaution.values.record import DOSE, Entry, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precaution.readers.record_builder import PatientResource, RecordBuilder

_REQUEST: Mapping[str, Status] = {
    "active": "active",
    "draft": "planned",
    "on-hold": "held",
    "stopped": "ended",
    "completed": "ended",
}
_STATEMENT: Mapping[str, Status] = {
    "active": "active",
    "intended": "planned",
    "on-hold": "held",
    "stopped": "ended",
    "completed": "ended",
}
_DISPENSE: Mapping[str, Status] = {
    "completed": "active",
    "in-progress": "active",
    "on-hold": "held",
    "preparation": "planned",
}
_ADMINISTRATION: Mapping[str, Status] = {
    "completed": "active",
    "in-progress": "active",
    "on-hold": "held",
    "stopped": "ended",
}
_STATUSES = {
    "MedicationRequest": _REQUEST,
    "MedicationStatement": _STATEMENT,
    "MedicationDispense": _DISPENSE,
    "MedicationAdministration": _ADMINISTRATION,
}
_NOT_TAKEN = {
    "MedicationRequest": {"cancelled"},
    "MedicationStatement": {"not-taken"},
    "MedicationDispense": {"cancelled", "stopped", "declined"},
    "MedicationAdministration": {"not-done"},
}
_PLANS = frozenset({"proposal", "plan", "option"})
_ORDERS = frozenset({"", "order", "original-order", "reflex-order", "filler-order", "instance-order"})


class _Taken(NamedTuple):
    """DateRange and how a drug is taken."""

    status: Status
    start: Interval | None
    end: Interval | None
    note: str = ""
    recorded: Interval | None = None


def read_medication(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of a prescription, a statement, a dispense or an administration."""
    resource, source = item.resource, item.source
    status = text(resource, "status")
    if status == "entered-in-error":
        return builder.ignore(source, status)
    if resource.get("doNotPerform") is True:
        return builder.ignore(source, "it asks that the drug is not given")
    concepts, named = drug(builder, resource)
    if not note_list(builder, "medication", concepts[0] if concepts else {}):
        return None
    if status in _NOT_TAKEN[str(resource["resourceType"])]:
        return builder.ignore(source, status)
    taken = _taken(resource)
    if taken is None:
        return builder.ignore(source, "a plan that is over")
    builder.renewals.note(item, builder.resolver)
    found = _counted(builder, item, concepts, named)
    why = _why_held(resource) if taken.status == "held" else ""
    for match in found:
        note = "; ".join(filter(None, (match.note, taken.note, why)))
        if builder.codes.terminology.concept(match.concept).dosed:
            _add_doses(builder, item, match, taken)
        builder.add(
            Entry(
                match.concept,
                "order" if taken.status == "planned" else "medication",
                source,
                taken.start,
                taken.end,
                taken.status,
                match.certainty(),
                says=taken.status,
                note=note,
                recorded=taken.recorded,
            ),
            item,
        )
    return None


def _counted(builder: RecordBuilder, item: PatientResource, concepts: list[Json], named: str) -> list[ConceptMatch]:
    """Return the concepts that a drug matches, less those that it does not count for by its route."""
    found = matched_concepts(builder, item, "medication", concepts, named)
    terminology = builder.codes.terminology
    if not any(match.concept in terminology.by_route for match in found):
        return found
    said = said_of_route(item.resource, _medication(builder, item.resource), concepts, named)
    counted: dict[str, ConceptMatch] = {}
    for match in sorted(found, key=lambda match: match.concept in terminology.by_route, reverse=True):
        meant = by_route(terminology, match.concept, said, certain=match.certain)
        if not meant.concept:
            builder.ignore(item.source, meant.note)
            continue
        if meant.concept not in counted or meant.certain:
            counted[meant.concept] = ConceptMatch(meant.concept, meant.certain, match.note or meant.note)
    return list(counted.values())


def _add_doses(builder: RecordBuilder, item: PatientResource, match: ConceptMatch, taken: _Taken) -> None:
    """Add the doses of a drug, beside the entry that it is taken."""
    resource = item.resource
    concept = builder.codes.terminology.concept(match.concept)
    medication = _medication(builder, resource)
    named = [child(resource, "medicationCodeableConcept"), child(medication or {}, "code")]
    codes = [(system_name(system), code) for each in named for system, code in coded(each)]
    sort = SORTS[str(resource["resourceType"])]
    for dose in doses(resource, strength_in(concept, medication, codes), taken.start):
        builder.add(
            Entry(
                DOSE + match.concept,
                "order" if taken.status == "planned" else "medication",
                item.source,
                taken.start if dose.start is None else dose.start,
                taken.end if dose.end is None else dose.end,
                taken.status,
                match.certainty(),
                value=dose.value,
                result=sort,
                says=shown(dose.value, sort),
                note=taken.note,
                recorded=taken.recorded,
            ),
            item,
        )


def drug(builder: RecordBuilder, resource: Json) -> tuple[list[Json], str]:
    """Return the CodeableConcepts of a drug and of its ingredients, and the display of the reference to it."""
    own = child(resource, "medicationCodeableConcept")
    _, named = target(resource, "medicationReference")
    medication = _medication(builder, resource)
    found = [own]
    if medication is not None:
        found += [child(medication, "code"), *_ingredients(builder, resource, medication)]
    return [concept for concept in found if concept], named


def _medication(builder: RecordBuilder, resource: Json) -> Json | None:
    reference, _ = target(resource, "medicationReference")
    return builder.resolver.resolve(resource, reference, "Medication") if reference else None


def _ingredients(builder: RecordBuilder, resource: Json, medication: Json) -> list[Json]:
    found: list[Json] = []
    for ingredient in children(medication, "ingredient"):
        reference, named = target(ingredient, "itemReference")
        inner = _substance(builder, (resource, medication), reference) if reference else None
        found += [
            child(ingredient, "itemCodeableConcept"),
            child(inner, "code") if inner else {},
            {"text": named} if named else {},
        ]
    return found


def _substance(builder: RecordBuilder, holders: tuple[Json, Json], reference: str) -> Json | None:
    """Return an ingredient's resource; a contained one stands in the prescription or in the medication."""
    found = (
        builder.resolver.resolve(holder, reference, kind) for holder in holders for kind in ("Substance", "Medication")
    )
    return next((each for each in found if each is not None), None)


def _taken(resource: Json) -> _Taken | None:
    kind = str(resource["resourceType"])
    status = _STATUSES[kind].get(text(resource, "status"), "unknown")
    if kind == "MedicationRequest":
        return _requested(resource, status)
    if kind == "MedicationDispense":
        return _dispensed(resource, status)
    at = read_dates(resource, "effective")
    end = at.end
    if kind == "MedicationAdministration" and end is None and "effectivePeriod" not in resource:
        end = at.start
    return _Taken(status, at.start, end, at.note, day_at(resource, "dateAsserted"))


def _why_held(resource: Json) -> str:
    """Return the reason that the resource gives for its status, in its own words."""
    reasons = [*children(resource, "statusReason"), *children(resource, "statusReasonCodeableConcept")]
    said = [words_of(each) or [text(coding, "code") for coding in children(each, "coding")] for each in reasons]
    told = dict.fromkeys(words[0] for words in said if words and words[0])
    return f"reason: {', '.join(told)}" if told else ""


def _requested(resource: Json, status: Status) -> _Taken | None:
    intent = text(resource, "intent")
    if intent == "plan" and status == "active" and _reported(resource):
        pass  # what the patient says to take is no plan, though some profiles write it as one
    elif intent in _PLANS:
        if status == "ended":
            return None
        status = "planned"
    elif intent not in _ORDERS:
        status = "unknown"
    authored = day_at(resource, "authoredOn")
    start, end = treated(resource, authored)
    return _Taken(
        status,
        authored if start is None else start,
        end,
        "authoredOn can't be read" if authored is None and "authoredOn" in resource else "",
        None if start is None else authored,
    )


def _reported(resource: Json) -> bool:
    """Whether it says what the patient or somebody else reports, and orders nothing."""
    return resource.get("reportedBoolean") is True or bool(child(resource, "reportedReference"))


def _dispensed(resource: Json, status: Status) -> _Taken:
    """Return a dispense as a drug taken from the day it was handed over until the supply runs out."""
    handed = day_at(resource, "whenHandedOver")
    start = day_at(resource, "whenPrepared") if handed is None else handed
    days = supply(child(resource, "daysSupply"))
    if start is None or days is None or status != "active":
        unknown: Status = "unknown" if status == "active" else status
        return _Taken(unknown, start, None, "how long the supply lasts is not known" if status == "active" else "")
    return _Taken(status, start, shifted(start, days))
