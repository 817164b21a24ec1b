"""Makes FHIR resources of a plan's lines: by the language of cases, and by two kinds of lines that only recipes have.

family ICD10CM|C50.9                a diagnosis of a relative
forbidden order vaccine_live ...    an order that something is not done
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.cases.lines import Resource, resources
from precaution.demo.plan import RecordLine
from precaution.demo.spoils import spoil
from precaution.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.knowledge.model import Label
    from precaution.knowledge.terminology import Terminology

NUMBER = "https://demo.invalid/patient-number"
"""The system of the identifier by which other resources may refer to the patient."""
_SUBJECT = {"Immunization": "patient", "FamilyMemberHistory": "patient"}
_FORBIDDEN = "forbidden "


@dataclass(slots=True)
class DemoResource:
    """A resource of a synthetic patient, with the line that it is made of."""

    line: RecordLine
    resource: Resource
    more: list[Resource] = field(default_factory=list[Resource])
    """Further resources that it needs, or that go with it."""

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return str(self.resource["resourceType"])


def demo_resources(lines: Sequence[RecordLine], ident: str, label: Label) -> list[DemoResource]:
    """Return the Patient `ident`, and a resource with its own id for every other line.

    Raises KnowledgeError for a line that the language of cases does not know.
    """
    number = {"system": NUMBER, "value": ident}
    patient = DemoResource(lines[0], {"resourceType": "Patient", "id": ident, "identifier": [number]})
    found = [patient]
    for at, line in enumerate(lines, start=1):
        resource = _resource(line, label)
        if resource.get("resourceType") == "Patient":
            patient.resource |= {key: value for key, value in resource.items() if key != "id"}
            continue
        key = _SUBJECT.get(str(resource["resourceType"]), "subject")
        resource.pop("subject", None)
        whole = {
            "resourceType": resource["resourceType"],
            "id": f"{ident}-{at}",
            key: {"reference": f"Patient/{ident}"},
        }
        found.append(DemoResource(line, whole | {name: value for name, value in resource.items() if name not in whole}))
    for item in found:
        if item.line.spoil and item is not patient:
            spoil(item.resource, item.line.spoil)
    return found


def _resource(line: RecordLine, label: Label) -> Resource:
    if line.text.startswith("family "):
        return _family(line.text.split()[1], label.terminology)
    text = line.text.removeprefix(_FORBIDDEN)
    made = resources([text], label.terminology, label.asks)[-1]
    return made | {"doNotPerform": True} if text != line.text else made


def _family(code: str, terminology: Terminology) -> Resource:
    condition = resources([f"condition {code}"], terminology)[-1]
    if "code" not in condition:
        raise KnowledgeError(f"'family {code}': a code is expected")
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "relationship": {"text": "parent"},
        "condition": [{"code": condition["code"]}],
    }
