"""Lines of a plan as FHIR resources, through the language of cases, and two kinds of lines that only recipes have.

family ICD10CM|C50.9                a diagnosis of a relative
forbidden order vaccine_live ...    an order that something is not done
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precaution.cases.lines import Resource, resources
from precaution.demo.plan import Line
from precaution.demo.spoils import spoiled
from precaution.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.knowledge.terminology import Terminology

NUMBER = "https://demo.invalid/patient-number"
"""By which others may refer to the patient."""
_SUBJECT = {"Immunization": "patient", "FamilyMemberHistory": "patient"}
_FORBIDDEN = "forbidden "


@dataclass(slots=True)
class Piece:
    """A line and its resource."""

    line: Line
    resource: Resource
    more: list[Resource] = field(default_factory=list[Resource])
    """Further resources that it needs, or that go with it."""

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return str(self.resource["resourceType"])


def pieces(lines: Sequence[Line], ident: str, terminology: Terminology) -> list[Piece]:
    """Return the patient and one resource for every other line, with ids of its own.

    Raises KnowledgeError for a line that says nothing the language knows.
    """
    number = {"system": NUMBER, "value": ident}
    patient = Piece(lines[0], {"resourceType": "Patient", "id": ident, "identifier": [number]})
    found = [patient]
    for at, line in enumerate(lines, start=1):
        resource = _resource(line, terminology)
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
        found.append(Piece(line, whole | {name: value for name, value in resource.items() if name not in whole}))
    for piece in found:
        if piece.line.spoil and piece is not patient:
            spoiled(piece.resource, piece.line.spoil)
    return found


def _resource(line: Line, terminology: Terminology) -> Resource:
    if line.text.startswith("family "):
        return _family(line.text.split()[1], terminology)
    text = line.text.removeprefix(_FORBIDDEN)
    made = resources([text], terminology)[-1]
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
