"""Disguises of codes, displays and references: what a reader must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.demo.disguises.kit import SERVER, Disguise, Kit, coding
from precaution.demo.resources import NUMBER

if TYPE_CHECKING:
    from precaution.demo.resources import DemoResource

_CODED = ("code", "vaccineCode", "medicationCodeableConcept")
_OIDS = {
    "http://loinc.org": "urn:oid:2.16.840.1.113883.6.1",
    "http://snomed.info/sct": "urn:oid:2.16.840.1.113883.6.96",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "urn:oid:2.16.840.1.113883.6.88",
    "http://hl7.org/fhir/sid/icd-10-cm": "urn:oid:2.16.840.1.113883.6.90",
}
_ZERO_WIDTH = "\u200b"


def _display(item: DemoResource, kit: Kit) -> bool:
    """Show words that are not what the code says, and a blank that can't be seen.

    Only where a list surely knows the code: of another the words are all that can be read.
    """
    codings = coding(item.resource, *_CODED)
    if not codings or not kit.recipes.displays or "|" in item.line.text or item.line.spoil:
        return False
    words = kit.rng.choice(kit.recipes.displays)
    at = kit.rng.randint(0, len(words))
    codings[0]["display"] = words[:at] + _ZERO_WIDTH + words[at:]
    return True


def _local_coding(item: DemoResource, kit: Kit) -> bool:
    """Put the code of a local system before the one that counts."""
    codings = coding(item.resource, *_CODED)
    if not codings:
        return False
    codings.insert(0, {"system": "https://demo.invalid/local-codes", "code": f"L{kit.rng.randint(1000, 9999)}"})
    return True


def _oid(item: DemoResource, _: Kit) -> bool:
    """Name the code system by its OID."""
    for each in coding(item.resource, *_CODED) or ():
        if each.get("system") in _OIDS:
            each["system"] = _OIDS[str(each["system"])]
            return True
    return False


def _without_dot(item: DemoResource, _: Kit) -> bool:
    """Write ICD-10 without its dot."""
    for each in coding(item.resource, "code") or ():
        if "icd-10" in str(each.get("system")) and "." in str(each.get("code")):
            each["code"] = str(each["code"]).replace(".", "")
            return True
    return False


def _confirmed(item: DemoResource, _: Kit) -> bool:
    """Say that a diagnosis is confirmed, which none that says nothing leaves in doubt."""
    if item.kind != "Condition" or "verificationStatus" in item.resource:
        return False
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    item.resource["verificationStatus"] = {"coding": [{"system": system, "code": "confirmed"}]}
    return True


def _remark(item: DemoResource, _: Kit) -> bool:
    """Add remarks and categories that nobody decides by."""
    if item.resource["resourceType"] in ("FamilyMemberHistory", "QuestionnaireResponse", "DiagnosticReport"):
        return False  # the first is nobody's own, and the others have no remarks in FHIR R4
    item.resource["note"] = [{"text": "seen; no change"}]
    item.resource["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">seen</div>'}
    return True


def _reference(item: DemoResource, kit: Kit) -> bool:
    """Refer to the patient in another of the forms that FHIR has."""
    key = "patient" if "patient" in item.resource else "subject"
    if not isinstance(item.resource.get(key), dict):
        return False
    own = f"Patient/{kit.ident}"
    forms: list[dict[str, object]] = [
        {"reference": f"{SERVER}/{own}"},
        {"reference": f"{own}/_history/1"},
        {"reference": own, "type": "Patient"},
        {"reference": own, "display": "the patient"},
    ]
    if kit.bundled:
        forms += [{"reference": f"urn:uuid:{kit.ident}"}, {"reference": f"Patient?identifier={NUMBER}|{kit.ident}"}]
    item.resource[key] = kit.rng.choice(forms)
    return True


def _twice(item: DemoResource, _: Kit) -> bool:
    """Send the same resource twice."""
    item.more.append(item.resource)
    return True


WORDING = (
    Disguise("icd-without-dot", 0.3, _without_dot),
    Disguise("system-as-oid", 0.15, _oid),
    Disguise("display-of-something-else", 0.25, _display),
    Disguise("local-code-before", 0.15, _local_coding),
    Disguise("confirmed", 0.5, _confirmed),
    Disguise("remark", 0.2, _remark),
    Disguise("other-reference", 0.25, _reference),
    Disguise("sent-twice", 0.05, _twice),
)
