"""The tables and columns of the CDM that are read, and the one form of each, whatever type it has in a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from precaution.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ColumnForm = Literal["id", "day", "number", "text"]
"""What a column is read as."""
SourceType = Literal["whole", "fraction", "day", "time", "text", "other"]
"""The type of a column in a source: an integer, another number, a date, a date with a time, text, anything else."""


class Cdm(Protocol):
    """A CDM, wherever it is."""

    tables: dict[str, dict[str, SourceType]]

    def named(self, table: str) -> str:
        """Return the SQL that stands for a table in a query."""
        ...

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query whose result is small."""
        ...

    def relation(
        self, name: str, columns: Sequence[str], types: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> str:
        """Return the name by which a query reads the given rows."""
        ...


class CdmColumn(NamedTuple):
    """A column of the CDM that is read."""

    name: str
    form: ColumnForm
    needed: bool = False
    """Whether the table means nothing without it."""
    instead: str = ""
    """A column to read where this one is not filled."""


class EventTable(NamedTuple):
    """A table of things that happened to a person, with the names of the columns that all such tables have."""

    table: str
    concept: str
    source_concept: str
    source_value: str
    start: str


def _columns(
    ids: str = "", days: str = "", numbers: str = "", texts: str = "", needed: str = ""
) -> tuple[CdmColumn, ...]:
    """Return columns from lists of names by their form; `a/b` reads `b` where `a` is not filled."""
    forms: dict[ColumnForm, str] = {"id": ids, "day": days, "number": numbers, "text": texts}
    return tuple(
        CdmColumn(name.partition("/")[0], form, name.partition("/")[0] in needed.split(), name.partition("/")[2])
        for form, names in forms.items()
        for name in names.split()
    )


TABLES: Mapping[str, tuple[CdmColumn, ...]] = {
    "person": _columns(
        "person_id year_of_birth month_of_birth day_of_birth gender_concept_id care_site_id",
        "birth_datetime",
        needed="person_id",
    ),
    "death": _columns("person_id", "death_date/death_datetime", needed="person_id death_date"),
    "observation_period": _columns(
        "person_id",
        "observation_period_start_date observation_period_end_date",
        needed="person_id observation_period_start_date observation_period_end_date",
    ),
    "visit_occurrence": _columns("visit_occurrence_id", "visit_end_date/visit_end_datetime"),
    "condition_occurrence": _columns(
        "condition_occurrence_id person_id condition_concept_id condition_status_concept_id visit_occurrence_id "
        "condition_source_concept_id",
        "condition_start_date/condition_start_datetime condition_end_date/condition_end_datetime",
        "",
        "stop_reason condition_source_value condition_status_source_value",
        "condition_occurrence_id person_id condition_concept_id condition_start_date",
    ),
    "drug_exposure": _columns(
        "drug_exposure_id person_id drug_concept_id drug_type_concept_id drug_source_concept_id",
        "drug_exposure_start_date/drug_exposure_start_datetime drug_exposure_end_date/drug_exposure_end_datetime "
        "verbatim_end_date",
        "days_supply quantity",
        "stop_reason drug_source_value route_source_value",
        "drug_exposure_id person_id drug_concept_id drug_exposure_start_date",
    ),
    "drug_strength": _columns(
        "drug_concept_id amount_unit_concept_id", "", "amount_value", "", "drug_concept_id amount_value"
    ),
    "procedure_occurrence": _columns(
        "procedure_occurrence_id person_id procedure_concept_id procedure_type_concept_id procedure_source_concept_id",
        "procedure_date/procedure_datetime procedure_end_date/procedure_end_datetime",
        "",
        "procedure_source_value",
        "procedure_occurrence_id person_id procedure_concept_id procedure_date",
    ),
    "measurement": _columns(
        "measurement_id person_id measurement_concept_id operator_concept_id value_as_concept_id unit_concept_id "
        "measurement_source_concept_id",
        "measurement_date/measurement_datetime",
        "value_as_number range_high",
        "unit_source_value value_source_value measurement_source_value",
        "measurement_id person_id measurement_concept_id measurement_date",
    ),
    "observation": _columns(
        "observation_id person_id observation_concept_id value_as_concept_id unit_concept_id "
        "observation_source_concept_id",
        "observation_date/observation_datetime",
        "value_as_number",
        "value_as_string value_source_value unit_source_value observation_source_value",
        "observation_id person_id observation_concept_id observation_date",
    ),
    "concept": _columns(
        "concept_id",
        "",
        "",
        "concept_name vocabulary_id concept_code",
        "concept_id concept_name vocabulary_id concept_code",
    ),
    "concept_ancestor": _columns(
        "ancestor_concept_id descendant_concept_id", "", "", "", "ancestor_concept_id descendant_concept_id"
    ),
}
"""Every table that is read. Eras are derived from these; notes, costs, devices and the rest say nothing here."""

EVENTS = {
    name: EventTable(table, f"{stem}_concept_id", f"{stem}_source_concept_id", f"{stem}_source_value", start)
    for name, table, stem, start in (
        ("condition", "condition_occurrence", "condition", "condition_start_date"),
        ("drug", "drug_exposure", "drug", "drug_exposure_start_date"),
        ("procedure", "procedure_occurrence", "procedure", "procedure_date"),
        ("measurement", "measurement", "measurement", "measurement_date"),
        ("observation", "observation", "observation", "observation_date"),
    )
}
LISTS_OF: Mapping[str, tuple[str, ...]] = {
    "person": (),
    "death": (),
    "observation_period": (),
    "condition_occurrence": ("condition",),
    "drug_exposure": ("immunization", "medication"),
    "procedure_occurrence": ("procedure",),
    "measurement": ("condition", "result"),
    "observation": ("condition", "medication", "result"),
}
"""The lists that are not complete where a line of a table can't be read; a table that is not here concerns nobody."""
VOCABULARY = ("concept", "concept_ancestor", "drug_strength")
"""Tables that may stand in a schema of their own."""


def checked(found: Mapping[str, Mapping[str, SourceType]], where: str) -> None:
    """Raise InputError where a table or column is missing that must be there; `where` names the source."""
    if "person" not in found:
        raise InputError(f"{where} holds no table PERSON, so nobody can be decided; see docs/guides/omop.md")
    for table, columns in found.items():
        missing = [each.name for each in TABLES[table] if each.needed and each.name not in columns]
        if missing:
            raise InputError(
                f"{where}: the table {table.upper()} has no column {', '.join(missing)}; "
                "it must be of OMOP CDM 5.3 or 5.4"
            )


def empty(column: CdmColumn) -> str:
    """Return SQL for a column that a source does not have."""
    return f"cast(null as {TYPES[column.form]})"


TYPES: Mapping[ColumnForm, str] = {"id": "bigint", "day": "date", "number": "double precision", "text": "varchar"}
FIRST, LAST = "date '0001-01-01'", "date '9999-12-31'"
