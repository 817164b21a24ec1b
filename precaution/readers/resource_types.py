"""FHIR R4's resource types, and the elements that show that a resource is of another release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.errors import WrongRelease
from precaution.readers.json_access import Json, child, name_of
from precaution.readers.ledger import mentioning_types

if TYPE_CHECKING:
    from collections.abc import Mapping

CLINICAL = frozenset(
    {
        "Condition",
        "Observation",
        "Procedure",
        "Immunization",
        "MedicationRequest",
        "MedicationStatement",
        "MedicationDispense",
        "MedicationAdministration",
        "ServiceRequest",
        "QuestionnaireResponse",
        "DiagnosticReport",
        "FamilyMemberHistory",
        "List",
        "Composition",
        "ImmunizationRecommendation",
    }
)
"""Types that are about one patient and may say something about a concept, or about a list of them."""

MENTIONING = mentioning_types()
"""Types without a reader of their own that are looked through for what they name (`types.toml`)."""

_SUBJECTS = {
    **dict.fromkeys(("Immunization", "FamilyMemberHistory", "ImmunizationRecommendation"), "patient"),
    **dict.fromkeys(("DetectedIssue", "EpisodeOfCare"), "patient"),
    "Task": "for",
}
"""Where a resource names its patient, if not under `subject`."""

HELPERS = frozenset(
    {
        "Medication",
        "Substance",
        "Group",
        "Device",
        "Location",
        "Practitioner",
        "PractitionerRole",
        "RelatedPerson",
        "Bundle",
        "Patient",
        "OperationOutcome",
    }
)
"""Types that others refer to, or that say how the record was put together."""

_OTHERS = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary
BiologicallyDerivedProduct BodyStructure CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
CompartmentDefinition ConceptMap Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse
DetectedIssue DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DocumentManifest DocumentReference
EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence
EvidenceVariable ExampleScenario ExplanationOfBenefit Flag Goal GraphDefinition GuidanceResponse HealthcareService
ImagingStudy ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library
Linkage Measure MeasureReport Media MedicationKnowledge MedicinalProduct MedicinalProductAuthorization
MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
ObservationDefinition OperationDefinition Organization OrganizationAffiliation Parameters PaymentNotice
PaymentReconciliation Person PlanDefinition Provenance Questionnaire
RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
RiskEvidenceSynthesis Schedule SearchParameter Slot Specimen SpecimenDefinition StructureDefinition StructureMap
Subscription SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport
TestScript ValueSet VerificationResult VisionPrescription
"""
R4 = CLINICAL | HELPERS | frozenset(_OTHERS.split())
"""Every resource type of FHIR 4.0.1 (http://hl7.org/fhir/R4/resourcelist.html)."""

_OTHER_TYPES: Mapping[str, str] = {
    "MedicationOrder": "DSTU2",
    "DiagnosticOrder": "DSTU2",
    "ProcedureRequest": "STU3",
    "ReferralRequest": "STU3",
    "MedicationUsage": "R5",
}
_STU3: Mapping[str, tuple[str, ...]] = {
    "Condition": ("context", "assertedDate", "dateRecorded"),
    "Observation": ("context", "comment", "comments", "related"),
    "Procedure": ("context", "notDone", "notDoneReason", "notPerformed"),
    "Immunization": ("notGiven", "wasNotGiven", "vaccinationProtocol", "explanation"),
    "MedicationRequest": ("context",),
    "MedicationStatement": ("taken", "wasNotTaken", "reasonNotTaken"),
    "MedicationDispense": ("notDone", "notDoneReasonCodeableConcept", "notDoneReasonReference"),
    "MedicationAdministration": ("notGiven", "wasNotGiven", "reasonNotGiven", "effectiveTimeDateTime"),
    "QuestionnaireResponse": ("context", "parent"),
    "DiagnosticReport": ("context", "codedDiagnosis"),
    "Patient": ("animal",),
}
_R5: Mapping[str, tuple[str, ...]] = {
    "Condition": ("participant",),
    "Observation": ("bodyStructure", "triggeredBy", "instantiatesCanonical", "instantiatesReference"),
    "Procedure": (
        "occurrenceDateTime",
        "occurrencePeriod",
        "occurrenceString",
        "occurrenceAge",
        "occurrenceRange",
        "occurrenceTiming",
        "reportedBoolean",
        "reportedReference",
    ),
    "Immunization": ("reason", "informationSource", "administeredProduct"),
    "MedicationRequest": ("medication", "informationSource", "effectiveDosePeriod", "renderedDosageInstruction"),
    "MedicationStatement": ("medication", "adherence", "renderedDosageInstruction"),
    "MedicationDispense": ("medication", "notPerformedReason", "renderedDosageInstruction"),
    "MedicationAdministration": (
        "medication",
        "occurenceDateTime",
        "occurencePeriod",
        "occurenceTiming",
        "isSubPotent",
    ),
    "ServiceRequest": ("bodyStructure",),
    "DiagnosticReport": ("supportingInfo",),
}
SIGNS = {kind: frozenset(_STU3.get(kind, ()) + _R5.get(kind, ())) for kind in {*_STU3, *_R5}}
_NO_SIGNS: frozenset[str] = frozenset()
_STU3_STATUSES = frozenset(
    {
        "active",
        "recurrence",
        "relapse",
        "inactive",
        "remission",
        "resolved",
        "provisional",
        "differential",
        "confirmed",
        "refuted",
        "entered-in-error",
    }
)
"""Condition's statuses, which are CodeableConcepts in R4 and were plain codes before."""


def subject_key(kind: str) -> str:
    """Return the key under which a resource of a type names its patient."""
    return _SUBJECTS.get(kind, "subject")


def check_type(kind: str) -> None:
    """Raise WrongRelease for a resource type that only other releases have."""
    if kind in _OTHER_TYPES:
        raise _refused(kind, _OTHER_TYPES[kind], "R4 has no such resource type")


def check_release(kind: str, resource: Json) -> None:
    """Raise WrongRelease where an element of `resource` shows that it is FHIR, but not R4."""
    if not SIGNS.get(kind, _NO_SIGNS).isdisjoint(resource):
        _name_sign(kind, resource)
    if kind == "Observation":
        return
    if kind == "Condition":
        _check_condition(resource)
    elif kind == "MedicationRequest" and "agent" in child(resource, "requester"):
        raise _refused(name_of(resource), "STU3", "it has requester.agent")
    elif kind == "ServiceRequest" and "concept" in child(resource, "code"):
        raise _refused(name_of(resource), "R5", "it has code.concept")


def check_profile(resource: Json) -> None:
    """Raise WrongRelease where a base profile of another release is named in `meta.profile`."""
    profiles = child(resource, "meta").get("profile")
    for profile in profiles if isinstance(profiles, list) else []:
        for number, release in (("1.0", "DSTU2"), ("3.0", "STU3"), ("5.0", "R5")):
            if isinstance(profile, str) and profile.startswith(f"http://hl7.org/fhir/{number}/"):
                raise _refused(name_of(resource), release, "its meta.profile says so")


def _name_sign(kind: str, resource: Json) -> None:
    for release, signs in (("STU3 or DSTU2", _STU3), ("R5", _R5)):
        for sign in signs.get(kind, ()):
            if resource.get(sign) is not None:
                raise _refused(name_of(resource), release, f"it has {sign}")


def _check_condition(resource: Json) -> None:
    for key in ("clinicalStatus", "verificationStatus"):
        value = resource.get(key)
        if isinstance(value, str) and value in _STU3_STATUSES:
            raise _refused(name_of(resource), "STU3 or DSTU2", f"its {key} is a plain code")


def _refused(what: str, release: str, why: str) -> WrongRelease:
    return WrongRelease(f"{what} is FHIR {release}, not R4: {why}; ask the sending system for FHIR R4 (4.0.1)")
