"""Coded values that stand in no entry of their own: the reason for an order or a visit, the conclusion of a report.

Nobody says that the patient has what a scan was ordered for. So such a value never makes a "yes": it is a mention of
its concept, which forbids a "no". Where the record says the same in an entry of its own, the mention adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.terminology import LONGEST_NAME
from precaution.readers.codes import words_of
from precaution.readers.concept_matches import kind_of, spoken_of
from precaution.readers.dates import day_at, period, read_dates, spanned
from precaution.readers.free_text import sentences_of
from precaution.readers.json_access import Json, child, children, coded, text
from precaution.readers.ledger import coded_elements
from precaution.readers.routes import by_route
from precaution.readers.shown_references import is_reference, listed_in, not_sent, words_shown
from precaution.values.interval import Interval
from precaution.values.record import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.readers.record_builder import PatientResource, RecordBuilder
    from precaution.readers.references import Resolver

WHY = "it is named as a reason or a conclusion, in no entry of its own"
LASTS = 90
"""Days for which a reason may stand for something that is still there: a choice of ours, no label's."""
_OUTCOMES = "result_"
"""How the lists of outcomes are named, which say nothing without their test."""
_NO_VALUES = ("contained", "meta", "text")
_NO_PARTS = ("contained", "meta", "extension")
_TO_BE_DONE = frozenset({"Appointment"})
"""Types that name what is to be done on a day to come."""
_FREE_TEXT = frozenset({"conclusion", "summary"})
"""Elements whose words say what somebody found, in sentences."""
_OVER = frozenset({"entered-in-error", "cancelled", "revoked", "refuted", "not-done"})
_DATES = ("period", "effective", "performed", "occurrence", "onset", "start", "started", "identified", "date")
_WRITTEN = ("authoredOn", "recordedDate", "issued", "date", "start", "started", "created", "sent", "authored")


def read_mentions(builder: RecordBuilder, item: PatientResource) -> None:
    """Add a mention of each concept that a resource names beside what is read of it."""
    resource = item.resource
    elements = coded_elements(text(resource, "resourceType"))
    found = {name: resource[name] for name in elements if name in resource}
    if found and text(resource, "status") not in _OVER:
        _mention(builder, item, found)


def mention(builder: RecordBuilder, item: PatientResource, value: object) -> None:
    """Add a mention of each concept that a coded value names, as the finding of an examination."""
    _mention(builder, item, {"": {"text": value} if isinstance(value, str) and len(value) <= LONGEST_NAME else value})


def read_elsewhere(builder: RecordBuilder, item: PatientResource) -> None:
    """Add a mention of each concept that a resource of a type without a reader names anywhere."""
    resource = item.resource
    if text(resource, "status") not in _OVER:
        _mention(builder, item, {key: value for key, value in resource.items() if key not in _NO_VALUES})


def read_listed(builder: RecordBuilder, item: PatientResource) -> None:
    """Add a mention of what a List or a Composition shows of entries that were not sent: that list is not whole."""
    if text(item.resource, "status") in _OVER:
        return
    references = list(listed_in(item.resource))
    builder.incomplete |= {kind for each in references if (kind := not_sent(each, builder.resolver))}
    _mention(builder, item, {"entry": references})


def read_recommendation(builder: RecordBuilder, item: PatientResource) -> None:
    """Add what an ImmunizationRecommendation says is to be given, as an order."""
    for part in children(item.resource, "recommendation"):
        for concept in children(part, "vaccineCode"):
            for name in builder.codes.look_up(concept).concepts:
                entry = Entry(name, "order", item.source, None, status="planned", says="recommended")
                builder.add(entry._replace(recorded=_written(item.resource)), item)


def _mention(builder: RecordBuilder, item: PatientResource, parts: Mapping[str, object]) -> None:
    names: dict[str, Json] = {}
    for concept in _concepts(parts, builder.resolver):
        for name in _named(builder, concept):
            names.setdefault(by_route(builder.codes.terminology, name, _said(concept)).concept, concept)
    names.pop("", None)  # a drug that does not count by its route
    if not names:
        return
    start = _day(item.resource)
    end = None if start is None else Interval(start.low, start.high + LASTS)
    for name, concept in names.items():
        kind = kind_of(builder.codes, name)
        entry = Entry(name, kind, item.source, start, end, "unknown", "mentioned", note=WHY)
        if text(item.resource, "resourceType") in _TO_BE_DONE:  # beside why: what somebody comes for
            order = entry._replace(kind="order", start=None, end=None, status="planned")
            builder.add(order._replace(recorded=day_at(item.resource, "created")), item)
        builder.mention(entry, item, concept)


def _named(builder: RecordBuilder, concept: Json) -> Iterable[str]:
    lookup = builder.codes.look_up(concept)
    if lookup.concepts and not lookup.beside:
        return [name for name in lookup.concepts if _says_something(builder, name)]
    if lookup.irrelevant:
        return ()
    return lookup.doubted or spoken_of(builder.codes, words_of(concept)) or lookup.possible


def _said(concept: Json) -> list[str]:
    return [*words_of(concept), *(code for _, code in coded(concept))]


def _says_something(builder: RecordBuilder, name: str) -> bool:
    return not (name.startswith(_OUTCOMES) or builder.codes.terminology.concept(name).says_nothing)


def _concepts(parts: Mapping[str, object], resolver: Resolver) -> Iterator[Json]:
    """Yield every CodeableConcept at any depth; a Coding that stands alone as one, what a reference shows of something
    that is not there, and each sentence of free text that denies nothing."""
    todo = list(parts.items())
    while todo:
        key, value = todo.pop()
        if isinstance(value, list):
            todo.extend((key, each) for each in value)
        elif isinstance(value, str) and key in _FREE_TEXT:
            yield from _as_texts(sentences_of(value))
        elif isinstance(value, dict):
            if "coding" in value:
                yield value
            elif "code" in value and "system" in value and "value" not in value:
                yield {"coding": [value]}
            elif is_reference(value):
                if words := words_shown(value, key, resolver):
                    yield {"text": words}
            else:
                if "text" in value and isinstance(value["text"], str) and len(value) <= 2:
                    yield value
                todo.extend((name, each) for name, each in value.items() if name not in _NO_PARTS)


def _as_texts(words: Iterable[str]) -> Iterator[Json]:
    for each in words:
        yield {"text": each}


def _day(resource: Json) -> Interval | None:
    """Return the days of which a resource speaks, whatever its type calls them; else when it was written."""
    for stem in _DATES:
        found = period(child(resource, "period")) if stem == "period" else read_dates(resource, stem)
        if found.start is not None:
            return spanned(found.start, found.end)
    return _written(resource)


def _written(resource: Json) -> Interval | None:
    return next((day for key in _WRITTEN if (day := day_at(resource, key)) is not None), None)
