"""The mapping as SQL, for DuckDB and PostgreSQL alike: rows of a CDM to rows that say what they mean for the label.

Each part is a query over the tables in one form (see `columns`) and over `meanings`. What the queries do not do,
statuses, units and notes, `rows` does a row at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.omop.columns import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.readers.omop.columns import Cdm

# ruff: noqa: S608 - every name in these queries is ours

COLUMNS: Mapping[str, str] = {
    "person": "varchar",
    "event": "varchar",
    "kind": "varchar",
    "concept": "varchar",
    "source": "varchar",
    "certain": "boolean",
    "note": "varchar",
    "system": "varchar",
    "code": "varchar",
    "start_day": "bigint",
    "start_unread": "boolean",
    "end_day": "bigint",
    "end_unread": "boolean",
    "verbatim_day": "bigint",
    "visit_day": "bigint",
    "status_id": "bigint",
    "status_text": "varchar",
    "stopped": "boolean",
    "type_id": "bigint",
    "days_supply": "double precision",
    "route_text": "varchar",
    "number": "double precision",
    "number_unread": "boolean",
    "operator_id": "bigint",
    "unit_id": "bigint",
    "unit_text": "varchar",
    "high": "double precision",
    "value_id": "bigint",
    "value_text": "varchar",
    "quantity": "double precision",
    "strength": "double precision",
}
"""The columns of a mapped row."""
_MILLIGRAM = 8576
"""The standard concept of mg among the units of OMOP's vocabulary."""
PERSON_COLUMNS: Mapping[str, str] = {
    "person": "varchar",
    "year": "bigint",
    "month": "bigint",
    "day": "bigint",
    "born_day": "bigint",
    "born_unread": "boolean",
    "died": "boolean",
    "died_unread": "boolean",
    "died_first": "bigint",
    "died_last": "bigint",
    "observed": "boolean",
    "gender_id": "bigint",
    "care_site": "varchar",
}
"""The columns of a mapped person."""


def codes(cdm: Cdm, event: str) -> str:
    """Return the query for the distinct codes of an event table, their names in the vocabulary, a count of rows."""
    return f"""
        select '{event}' as event, each.concept_id, each.source_concept_id, each.source_value,
            one.vocabulary_id, one.concept_code, one.concept_name, two.vocabulary_id, two.concept_code,
            two.concept_name, each.many
        from (select {_code(event, "it")}, count(*) as many from {cdm.named(EVENTS[event].table)} it
              group by 1, 2, 3) each
        left join {cdm.named("concept")} one on one.concept_id = each.concept_id and each.concept_id > 0
        left join {cdm.named("concept")} two on two.concept_id = each.source_concept_id
            and each.source_concept_id > 0
        """


def ids(cdm: Cdm, column: str, tables: Iterable[str]) -> str:
    """Return the query for the distinct concept ids in a column of some tables, with their names in the vocabulary."""
    every = " union ".join(f"select {column} as id from {cdm.named(table)} it where {column} > 0" for table in tables)
    return f"""
        select each.id, one.vocabulary_id, one.concept_code, one.concept_name from ({every}) each
        join {cdm.named("concept")} one on one.concept_id = each.id
        """


def listed(cdm: Cdm, lists: str) -> str:
    """Return the query for the concept ids of the codes in code lists.

    `lists`: a relation of them with the columns vocabulary, system, code, and prefix (whether longer codes count too).
    """
    return f"""
        select distinct it.concept_id, each.system, it.concept_code from {cdm.named("concept")} it
        join {lists} each on each.vocabulary = it.vocabulary_id and not each.prefix and each.code = it.concept_code
        union
        select distinct it.concept_id, each.system, it.concept_code from {cdm.named("concept")} it
        join {lists} each on each.vocabulary = it.vocabulary_id and each.prefix
            and substr(it.concept_code, 1, length(each.code)) = each.code
        """


def ancestors(cdm: Cdm, above: str, below: str) -> str:
    """Return the query for pairs of an ancestor and a descendant, from two relations with a column `id`."""
    return f"""
        select distinct it.ancestor_concept_id, it.descendant_concept_id from {cdm.named("concept_ancestor")} it
        join {above} a on a.id = it.ancestor_concept_id join {below} b on b.id = it.descendant_concept_id
        """


def used(cdm: Cdm) -> str:
    """Return the query for the standard concepts of those event tables whose concepts are looked up by ancestors."""
    events = [EVENTS[event] for event in ("condition", "drug", "procedure", "observation")]
    return " union ".join(
        f"select {each.concept} as id from {cdm.named(each.table)} it where {each.concept} > 0" for each in events
    )


def units(cdm: Cdm, event: str, meanings: str) -> str:
    """Return the query for the units of an event table's numbers, by the label's concept, with a count of rows."""
    return f"""
        select m.concept, it.unit_concept_id, it.unit_source_value, count(*) from {cdm.named(EVENTS[event].table)} it
        join {meanings} m on {_same(event)} and m.kind = 'result' and m.certain
        where it.value_as_number is not null group by 1, 2, 3
        """


def persons(cdm: Cdm, today: str) -> str:
    """Return the query for all persons; one is `observed` if a period of observation covers `today` (an ISO date)."""
    return f"""
        select {_text("it.person_id")} as person, it.year_of_birth as year, it.month_of_birth as month,
            it.day_of_birth as day, {_ordinal("it.birth_datetime")} as born_day,
            it.birth_datetime_unread as born_unread, dead.person_id is not null as died,
            coalesce(dead.unread, false) as died_unread, dead.first as died_first, dead.last as died_last,
            seen.person_id is not null as observed, it.gender_concept_id as gender_id,
            {_text("nullif(it.care_site_id, 0)")} as care_site
        from {cdm.named("person")} it
        left join (
            select person_id, max(case when death_date is null then 1 else 0 end) = 1 as unread,
                min({_ordinal("death_date")}) as first, max({_ordinal("death_date")}) as last
            from {cdm.named("death")} d group by person_id) dead on dead.person_id = it.person_id
        left join (
            select distinct person_id from {cdm.named("observation_period")} p
            where observation_period_start_date <= date '{today}'
                and (observation_period_end_date >= date '{today}'
                     or (observation_period_end_date is null and not observation_period_end_date_unread))
            ) seen on seen.person_id = it.person_id
        """


def rows(cdm: Cdm, meanings: str, has: Iterable[str]) -> str:
    """Return the query for all rows of the tables in `has` that mean something, and for who has which list.

    `meanings`: the relation of meanings, see `code_map`.
    """
    there = set(has)
    parts = [
        part
        for event in EVENTS
        if EVENTS[event].table in there
        for part in (_EVENTS[event](cdm, meanings), _kept(cdm, event, meanings))
    ]
    return " union all ".join(parts) or _selected({}, "(select 1 as nothing) it where false")


def _condition(cdm: Cdm, meanings: str) -> str:
    visit = cdm.named("visit_occurrence")
    return _joined(
        cdm,
        "condition",
        meanings,
        {
            "source": _source_of("condition_occurrence", "it.condition_occurrence_id"),
            **_days("start", "it.condition_start_date"),
            **_days("end", "it.condition_end_date"),
            "visit_day": _ordinal("visit.visit_end_date"),
            "status_id": "it.condition_status_concept_id",
            "status_text": "it.condition_status_source_value",
            "stopped": "it.stop_reason is not null",
        },
        f"left join (select visit_occurrence_id, max(visit_end_date) as visit_end_date from {visit} v "
        "group by visit_occurrence_id) visit on visit.visit_occurrence_id = it.visit_occurrence_id",
    )


def _drug(cdm: Cdm, meanings: str) -> str:
    return _joined(
        cdm,
        "drug",
        meanings,
        {
            "source": _source_of("drug_exposure", "it.drug_exposure_id"),
            **_days("start", "it.drug_exposure_start_date"),
            **_days("end", "it.drug_exposure_end_date"),
            "verbatim_day": _ordinal("it.verbatim_end_date"),
            "stopped": "it.stop_reason is not null",
            "type_id": "it.drug_type_concept_id",
            "days_supply": "it.days_supply",
            "route_text": "it.route_source_value",
            "quantity": "it.quantity",
            "strength": "strength.mg",
        },
        f"left join ({_strengths(cdm)}) strength on strength.drug_concept_id = it.drug_concept_id",
    )


def _strengths(cdm: Cdm) -> str:
    """Return the query for the drugs of which one piece holds one ingredient, and how many mg of it."""
    return f"""
        select drug_concept_id, max(amount_value) as mg from {cdm.named("drug_strength")} s
        group by drug_concept_id
        having count(*) = 1 and max(amount_unit_concept_id) = {_MILLIGRAM} and max(amount_value) > 0
        """


def _procedure(cdm: Cdm, meanings: str) -> str:
    return _joined(
        cdm,
        "procedure",
        meanings,
        {
            "source": _source_of("procedure_occurrence", "it.procedure_occurrence_id"),
            **_days("start", "it.procedure_date"),
            **_days("end", "it.procedure_end_date"),
            "type_id": "it.procedure_type_concept_id",
        },
    )


def _measurement(cdm: Cdm, meanings: str) -> str:
    return _joined(
        cdm,
        "measurement",
        meanings,
        {
            "source": _source_of("measurement", "it.measurement_id"),
            **_days("start", "it.measurement_date"),
            **_VALUE,
            "operator_id": "it.operator_concept_id",
            "high": "it.range_high",
            "value_text": "it.value_source_value",
        },
    )


def _observation(cdm: Cdm, meanings: str) -> str:
    return _joined(
        cdm,
        "observation",
        meanings,
        {
            "source": _source_of("observation", "it.observation_id"),
            **_days("start", "it.observation_date"),
            **_VALUE,
            "value_text": "coalesce(it.value_as_string, it.value_source_value)",
        },
    )


_VALUE = {
    "number": "it.value_as_number",
    "number_unread": "it.value_as_number_unread",
    "unit_id": "it.unit_concept_id",
    "unit_text": "it.unit_source_value",
    "value_id": "it.value_as_concept_id",
}
_EVENTS = {
    "condition": _condition,
    "drug": _drug,
    "procedure": _procedure,
    "measurement": _measurement,
    "observation": _observation,
}


def _kept(cdm: Cdm, event: str, meanings: str) -> str:
    """Return the query for who has any row of an event table, which shows that a list is kept of that kind.

    A row of drugs that is a vaccine shows a list of immunizations.
    """
    names = {
        "condition": "condition",
        "drug": "medication",
        "procedure": "procedure",
        "measurement": "result",
        "observation": "result",
    }
    if event != "drug":
        return _selected(
            {"person": _text("it.person_id"), "event": f"'{event}'", "kind": "'list'", "concept": f"'{names[event]}'"},
            _everybody(cdm, event),
        )
    kind = "case when it.immunizing then 'immunization' else 'medication' end"
    given = f"""
        (select distinct it.person_id, m.concept_id is not null as immunizing from {cdm.named("drug_exposure")} it
         left join (select distinct concept_id, source_concept_id, source_value, event from {meanings} mm
                    where kind in ('immunizing', 'immunization')) m on {_same("drug")}) it
        """
    return _selected(
        {"person": _text("it.person_id"), "event": "'drug'", "kind": "'list'", "concept": kind},
        f"{given} where it.person_id is not null",
    )


def _everybody(cdm: Cdm, event: str) -> str:
    return f"(select distinct person_id from {cdm.named(EVENTS[event].table)} it where person_id is not null) it"


def _joined(cdm: Cdm, event: str, meanings: str, columns: Mapping[str, str], more: str = "") -> str:
    common = {
        "person": _text("it.person_id"),
        "event": f"'{event}'",
        "kind": "m.kind",
        "concept": "m.concept",
        "certain": "m.certain",
        "note": "m.note",
        "system": "m.system",
        "code": "m.code",
    }
    table = cdm.named(EVENTS[event].table)
    return _selected(
        {**common, **columns}, f"{table} it join {meanings} m on {_same(event)} and m.kind <> 'immunizing' {more}"
    )


def _selected(columns: Mapping[str, str], from_: str) -> str:
    listed_ = ", ".join(f"cast({columns.get(name, 'null')} as {kind}) as {name}" for name, kind in COLUMNS.items())
    return f"select {listed_} from {from_}"


def _code(event: str, of: str) -> str:
    at = EVENTS[event]
    return (
        f"coalesce({of}.{at.concept}, 0) as concept_id, coalesce({of}.{at.source_concept}, 0) as "
        f"source_concept_id, coalesce({of}.{at.source_value}, '') as source_value"
    )


def _same(event: str) -> str:
    at = EVENTS[event]
    return (
        f"m.event = '{event}' and m.concept_id = coalesce(it.{at.concept}, 0) and m.source_concept_id = "
        f"coalesce(it.{at.source_concept}, 0) and m.source_value = coalesce(it.{at.source_value}, '')"
    )


def _days(name: str, column: str) -> dict[str, str]:
    return {f"{name}_day": _ordinal(column), f"{name}_unread": f"{column}_unread"}


def _ordinal(column: str) -> str:
    return f"({column} - date '0001-01-01' + 1)"


def _source_of(table: str, column: str) -> str:
    return f"'{table}/' || coalesce({_text(column)}, '?')"


def _text(column: str) -> str:
    return f"cast({column} as varchar)"
