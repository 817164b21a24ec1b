"""Observation, its components and contained members -> entries of kind `result`.

A row without a value is not a negative test: it becomes an entry without a value, whose note says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from precaution.readers.codes import words_of
from precaution.readers.dates import day_at, read_dates, spanned
from precaution.readers.elsewhere import mention
from precaution.readers.json_access import Json, child, children, choice, text
from precaution.readers.quantities import Amount, amount, upper_limit
from precaution.readers.unlisted_results import is_no_test, possible_tests
from precaution.values.interval import Interval
from precaution.values.record import Entry, Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.terminology import Concept
    from precaution.readers.codes import CodeLookup, Codes
    from precaution.readers.record_builder import PatientResource, RecordBuilder

_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_NONE: dict[str, str] = {
    "entered-in-error": "entered-in-error",
    "cancelled": "cancelled",
    "registered": "no result yet",
}
OF_A_VALUE = ("valueCodeableConcept", "valueString")
"""The elements that may name what an examination found."""
_WORDED = frozenset({"valueCodeableConcept", "valueString", "interpretation"})
_RESULTS: dict[str, Result] = {
    "result_positive": "positive",
    "result_negative": "negative",
    "result_indeterminate": "indeterminate",
}
"""The code lists of a test's outcomes, whose names every label shares: their codes and spellings."""


class ResultContext(NamedTuple):
    """What an Observation says of all results in it, those of its components too."""

    status: Status
    start: Interval | None
    note: str
    recorded: Interval | None


def read_observation(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of an Observation: its own, its components' and its contained members'."""
    resource = item.resource
    status = resource.get("status")
    if status != "entered-in-error":
        builder.lists.add("result")
    if isinstance(status, str) and status in _NONE:
        return builder.ignore(item.source, _NONE[status])
    if "focus" in resource and not all(_is_patient(builder, each) for each in children(resource, "focus")):
        item.doubted("it is about somebody or something else than the patient (focus)")
    _read_value(builder, item, resource, builder.codes.look_up(resource.get("code")), None)
    if "component" in resource:
        for component in children(resource, "component"):
            _read_component(builder, item, component)
    if "contained" in resource:
        _read_members(builder, item, "hasMember")
    return None


def _is_patient(builder: RecordBuilder, reference: Json) -> bool:
    return builder.patient.named_by(text(reference, "reference"))


def _read_component(builder: RecordBuilder, item: PatientResource, component: Json) -> None:
    _read_value(builder, item, component, builder.codes.look_up(component.get("code")), None)


def read_report(builder: RecordBuilder, item: PatientResource) -> None:
    """Add the entries of the Observations that a DiagnosticReport contains."""
    if "contained" in item.resource and text(item.resource, "status") not in ("entered-in-error", "cancelled"):
        _read_members(builder, item, "result")


def _read_members(builder: RecordBuilder, item: PatientResource, key: str) -> None:
    """Read the contained Observations that the resource lists; one without a date has that of the resource."""
    listed = {text(each, "reference") for each in children(item.resource, key)}
    effective = {name: item.resource[name] for name in item.resource if name.startswith(("effective", "issued"))}
    for inner in children(item.resource, "contained"):
        if text(inner, "resourceType") == "Observation" and "#" + text(inner, "id") in listed:
            dated = inner if choice(inner, "effective") else {**effective, **inner}
            alone = {name: value for name, value in dated.items() if name != "contained"}
            read_observation(builder, item.within(alone))


def _read_value(
    builder: RecordBuilder, item: PatientResource, holder: Json, lookup: CodeLookup, context: ResultContext | None
) -> None:
    if not lookup.concepts or lookup.beside:
        if "valueCodeableConcept" in holder or "valueString" in holder:
            for name in OF_A_VALUE:
                mention(builder, item, holder.get(name))
        if not is_no_test(builder.codes, lookup):
            _read_unknown(builder, item, holder, lookup)
        if not lookup.concepts:
            return
    context = context or _context(builder, item)
    for name in lookup.concepts:
        concept = builder.codes.terminology.concept(name)
        if concept.answers:
            for entry in answer_entries(builder.codes, item.source, holder, concept, context):
                builder.add(entry, item)
        else:
            builder.add(result_entry(builder.codes, item.source, holder, concept, context), item)
    return


def _context(builder: RecordBuilder, item: PatientResource) -> ResultContext:
    """Return status and day of an Observation; without a day of its own that of its report, or of issue."""
    resource = item.resource
    status: Status = "final" if text(resource, "status") in _FINAL else "preliminary"
    at = read_dates(resource, "effective")
    start, note = spanned(at.start, at.end), at.note
    issued = day_at(resource, "issued")
    if start is None and not note:
        start = builder.resolver.report_day((resource, item.url))
        note = "dated by its report"
        if start is None:
            start, note = issued, "no date" if issued is None else "dated by its issue"
    return ResultContext(status, start, note, None if issued == start else issued)


def answer_entries(
    codes: Codes, source: str, holder: Json, question: Concept, context: ResultContext
) -> Iterator[Entry]:
    """Yield an entry for each concept that answers a question (as a habit); one without a known answer as such."""
    absent = holder.get("dataAbsentReason") is not None
    found = () if absent else codes.look_up(holder.get("valueCodeableConcept")).concepts
    answers = [name for name in found if name in question.answers]
    for name in answers or [question.name]:
        note = "" if answers else "its answer can't be understood" if choice(holder, "value") else "no answer"
        yield Entry(
            name,
            "result",
            source,
            context.start,
            None,
            context.status,
            "certain" if answers else "mentioned",
            says=name.replace("_", " ") if answers else "",
            note="; ".join(filter(None, (note, context.note))),
            recorded=context.recorded,
        )


def result_entry(codes: Codes, source: str, holder: Json, concept: Concept, context: ResultContext) -> Entry:
    """Return the entry of a result: its number, its outcome, and a note on what of them can't be used.

    `source` names the resource. Raises InputError where a number is not finite.
    """
    absent = holder.get("dataAbsentReason") is not None
    found = Amount(note="the value is said to be missing") if absent else amount(holder, concept, source)
    result, conflict = outcome(codes, {} if absent else holder, concept.name)
    upper, unusable = upper_limit(holder, concept, source)
    notes = [
        found.note or ("" if found.value is not None or result else _missing(holder)),
        conflict,
        unusable,
        context.note,
    ]
    yes_or_no = "valueBoolean" in holder
    return Entry(
        concept.name,
        "result",
        source,
        context.start,
        None,
        context.status,
        "mentioned" if yes_or_no else "certain",
        found.value,
        upper,
        result,
        ", ".join(filter(None, (found.says, result))),
        "; ".join(filter(None, notes)),
        context.recorded,
    )


def _missing(holder: Json) -> str:
    return "its value can't be understood" if choice(holder, "value") else "no value"


def outcome(codes: Codes, holder: Json, of: str = "") -> tuple[Result, str]:
    """Return a test's outcome by its coded or spelled value and by its interpretation; `of` is its concept."""
    if _WORDED.isdisjoint(holder):
        return "", ""
    value = child(holder, "valueCodeableConcept")
    found = _meant(codes, value) or _spelled(codes, text(value, "text") or text(holder, "valueString"), of)
    for interpretation in children(holder, "interpretation"):
        found = found | _meant(codes, interpretation)
    if len(found) > 1:
        return "indeterminate", "value and interpretation disagree"
    return (found.pop(), "") if found else ("", "")


def _meant(codes: Codes, concept: Json) -> set[Result]:
    return {_RESULTS[name] for name in codes.look_up(concept).concepts if name in _RESULTS} if concept else set()


_AMOUNT = re.compile(
    r"\(?\s*[<>≤≥]?=?\s*[0-9][0-9.,]*(?:e[+-]?[0-9]+)?\s*(?:log\s*)?[a-z\[\]{}]*/?[a-z\[\]]*\s*\)?", re.IGNORECASE
)
"""A number with its unit, also in brackets, as it stands beside a test's outcome."""
_POSITIVE = "result_positive"
_NEGATED = frozenset({"not", "no", "non", "without", "neither", "nor", "never", "nicht", "kein", "keine", "pas", "sin"})


def _spelled(codes: Codes, words: str, of: str) -> set[Result]:
    """Return the outcome that a text spells: all of it, or its last words where a name and an amount stand beside."""
    if not words:
        return set()
    name = codes.terminology.spelled(words)
    if name not in _RESULTS:
        name = _last_words(codes, re.sub(r"[,;:()]", " ", _AMOUNT.sub(" ", words)).split(), of)
    return {_RESULTS[name]} if name in _RESULTS else set()


def _last_words(codes: Codes, parts: list[str], of: str) -> str:
    """Return the outcome that the longest end of a text spells.

    None where a negation stands before it; and what reassures counts only after the test's own name.
    """
    for place in range(len(parts) if len(parts) <= _FEW else 0):
        name, before = codes.terminology.spelled(" ".join(parts[place:])), parts[:place]
        if name in _RESULTS:
            named = not before or of in codes.terminology.spoken_of(" ".join(before))
            return name if named or (name == _POSITIVE and not _NEGATED & set(map(str.casefold, before))) else ""
    return ""


_FEW = 6
"""Words; a longer text is prose, whose last word may mean anything."""


def _read_unknown(builder: RecordBuilder, item: PatientResource, holder: Json, lookup: CodeLookup) -> None:
    """Add a doubt for each concept that a result may be of though no list has its code."""
    concept = child(holder, "code")
    found, why = possible_tests(builder.codes, lookup, holder, item.source)
    if not found:
        _note_nameless(builder, concept)
        return
    context = _context(builder, item)
    builder.unrecognised(item.source, concept, why)
    for name in found:
        builder.add(
            Entry(
                name,
                "result",
                item.source,
                context.start,
                None,
                context.status,
                "mentioned",
                note=why,
                recorded=context.recorded,
            ),
            item,
        )


def _note_nameless(builder: RecordBuilder, concept: Json) -> None:
    """Note that a result whose code was taken out may have been of any test: the list is not whole without it."""
    if not words_of(concept) and not any(text(coding, "code") for coding in children(concept, "coding")):
        builder.incomplete.add("result")
