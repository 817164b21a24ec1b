"""Read a `Record` from FHIR R4 in JSON: from a file, a folder, standard input, bytes or parsed objects.

Beside these readers only the service and the sorting of a cohort's files know FHIR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.contents import unpacked
from precaution.readers.fhir import record_of
from precaution.readers.json_input import documents, parsed
from precaution.readers.language import understood
from precaution.readers.patient import find_patient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from precaution.knowledge.model import Ask
    from precaution.knowledge.terminology import Terminology
    from precaution.readers.language import Understood
    from precaution.values.record import Record

__all__ = ["read", "read_bytes", "read_named", "read_resources", "read_with_words"]


def read(source: Path | str, terminology: Terminology, asks: Mapping[str, Ask], today: int | None = None) -> Record:
    """Return the record of the one patient in a file, a folder of files, or standard input (`-`).

    A file is a Bundle, a resource, a list of them, or NDJSON; each may be gzipped. `asks` are the label's
    questions, whose answers are read from QuestionnaireResponses. Values come out in each concept's unit. `today` is
    the day of the decision (an ordinal): with it, what is dated tomorrow by a clock of another time zone is a doubt.
    Raises InputError where it can't be read, and NoPatient, MixedPatients or WrongRelease.
    """
    return record_of(documents(source), terminology, asks, today)


def read_named(
    source: Path | str, terminology: Terminology, asks: Mapping[str, Ask], today: int | None = None
) -> tuple[str, Record]:
    """Return the patient's id, empty where there is none, and the record as `read` does. Raises as `read`."""
    found = list(documents(source))
    record = record_of(found, terminology, asks, today)
    return find_patient(unpacked(found)).name, record


def read_with_words(source: Path | str, terminology: Terminology, asks: Mapping[str, Ask]) -> tuple[Record, Understood]:
    """Return the record as `read` does, and how much of its words is understood. Raises as `read`."""
    found = list(documents(source))
    return record_of(found, terminology, asks), understood(found, terminology)


def read_bytes(
    data: bytes,
    terminology: Terminology,
    asks: Mapping[str, Ask],
    name: str = "stdin",
    today: int | None = None,
) -> Record:
    """Return the record of the one patient in `data`; `name` stands for it in messages. Raises as `read`."""
    return record_of(parsed(data, name), terminology, asks, today)


def read_resources(
    resources: Iterable[dict[str, object]],
    terminology: Terminology,
    asks: Mapping[str, Ask],
    today: int | None = None,
) -> Record:
    """Return the record of the one patient in resources or Bundles that are parsed already. Raises as `read`."""
    return record_of(resources, terminology, asks, today)
