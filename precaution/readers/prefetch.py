"""What a client sends along with a call, query by query -> Record, with each list known to be whole or not.

A query's answer is in one of five states, and they are never taken for each other: `whole` (a complete search result),
`incomplete` (there is more of it, or that can't be told), `failed`, `none` (the client says that it has nothing) and
`not retrieved`. Only where every query that feeds a list is whole does the record hold that list, so that what is not
in it is not there; anything else leaves an unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from precaution.errors import MixedPatients, NoPatient, WrongRelease
from precaution.readers.contents import unpacked
from precaution.readers.drafts import MEANT, ORDERS, OVER, in_words
from precaution.readers.fhir import read_contents
from precaution.readers.json_access import Json, child, children, name_of, text
from precaution.readers.patient import find_patient
from precaution.readers.resource_types import CLINICAL, HELPERS, R4, SIGNS, check_release, subject_key
from precaution.readers.sender import reports_loss, what_is_doubtful
from precaution.values.record import UNREADABLE, Entry, Ignored, Record, in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from precaution.knowledge.model import Ask
    from precaution.knowledge.source_settings import SourceSettings
    from precaution.knowledge.terminology import Terminology
    from precaution.readers.contents import Contents
    from precaution.readers.record_builder import RecordBuilder

QueryState = Literal["whole", "incomplete", "failed", "none", "not retrieved"]
_KNOWN = CLINICAL | HELPERS
_TAKEN = R4 - {"OperationOutcome"}
_NOT_TAKEN = frozenset({"Bundle", "OperationOutcome"})
_NOT_OURS = ("subject", "authoredOn", "encounter", "context")
"""Elements of a draft that do not count: it is an order of this patient, written now."""


class Retrieved(NamedTuple):
    """The answer to one query."""

    state: QueryState
    entries: tuple[Json, ...] = ()
    """Entries of a Bundle, each with its resource."""
    following: str = ""
    """The URL of its next page."""
    matches: int = 0
    """How many entries of a search result match; others are only included."""
    total: int = 0
    """How many there are, as the server says; 0 where it does not."""
    sound: bool = False
    """Whether it is a search result of which every entry can be read, though pages may be missing."""


NOT_RETRIEVED = Retrieved("not retrieved")
FAILED = Retrieved("failed")


@dataclass(frozen=True, slots=True)
class Prefetched:
    """A record, and which of its entries are orders that are being written now."""

    record: Record
    drafted: frozenset[Entry] = frozenset()
    nameless: bool = False
    """Whether something that was sent names no patient. It is read as the patient's, and its list is not complete."""


def retrieved(value: object, *, search: bool = True, standing: Collection[str] = ()) -> Retrieved:
    """Return the answer that parsed JSON is. `search`: whether the query was a search, or a read of one resource.

    `standing`: texts of messages that the source sends with each answer, see `reports_loss`.
    """
    if value is None:
        return Retrieved("none")
    if isinstance(value, list):
        return Retrieved("incomplete", tuple({"resource": each} for each in value))
    if not isinstance(value, dict):
        return FAILED
    kind = value.get("resourceType")
    if kind == "Bundle":
        return _bundle(value, standing)
    if kind == "OperationOutcome":
        return FAILED
    if isinstance(kind, str):
        return Retrieved("incomplete" if search else "whole", ({"resource": value},))
    return _wrapped(value, search=search, standing=standing)


def _wrapped(value: Json, *, search: bool, standing: Collection[str]) -> Retrieved:
    """Return the answer that stands in `{"response": ..., "resource": ...}`, as some clients send it."""
    status = text(child(value, "response"), "status")
    if "resource" not in value or (status and not status.startswith("2")):
        return FAILED
    return retrieved(value["resource"], search=search, standing=standing) if _depth(value) < 4 else FAILED


def _depth(value: object) -> int:
    """Return how many such wrappings stand in each other, at most 9."""
    depth = 0
    while isinstance(value, dict) and "resourceType" not in value and depth < 9:
        value, depth = value.get("resource"), depth + 1
    return depth


def _bundle(bundle: Json, standing: Collection[str]) -> Retrieved:
    given = bundle.get("entry", [])
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    sound = isinstance(given, list) and len(entries) == len(given) and bundle.get("type") == "searchset"
    sound = sound and not any(what_is_doubtful(bundle, [*entries]))
    found: list[Json] = []
    matches = 0
    for entry in entries:
        resource = entry.get("resource")
        kind = text(resource, "resourceType") if isinstance(resource, dict) else ""
        if kind not in _NOT_TAKEN:
            found.append(entry)
            sound = sound and bool(kind)
            matches += "search" not in entry or text(child(entry, "search"), "mode") != "include"
        elif kind == "Bundle":
            found += _bundle(child(entry, "resource"), standing).entries
            sound = False
        else:
            sound = sound and not reports_loss(child(entry, "resource"), standing)
    pages = [link for link in children(bundle, "link") if text(link, "relation") == "next"]
    following = text(pages[0], "url") if pages else ""
    total = bundle.get("total")
    return _counted(
        Retrieved("whole", tuple(found), following, matches, total if isinstance(total, int) else 0, sound),
        more=bool(pages),
    )


def _counted(answer: Retrieved, *, more: bool) -> Retrieved:
    """Return an answer with the state that follows from what there is of it. `more`: whether a page follows."""
    whole = answer.sound and not more and answer.total <= answer.matches
    return answer._replace(state="whole" if whole else "incomplete")


def joined(first: Retrieved, second: Retrieved) -> Retrieved:
    """Return a search result with its next page behind it: whole where that page is the last, and nothing is lost."""
    both = Retrieved(
        "incomplete",
        (*first.entries, *second.entries),
        second.following,
        first.matches + second.matches,
        max(first.total, second.total),
        first.sound and second.sound,
    )
    return _counted(both, more=bool(second.following))


def read_prefetch(
    answers: Mapping[str, Retrieved],
    lists: Mapping[str, Iterable[str]],
    patient: str,
    drafts: Iterable[Json],
    terminology: Terminology,
    asks: Mapping[str, Ask],
    shared: Iterable[Json] = (),
    today: int | None = None,
) -> Prefetched:
    """Return the record that answers to queries, by name, hold, and which of its entries are drafts.

    `lists`: for each kind of entry the names of the queries that feed it; `patient`: the id whose record it must be.
    `drafts`: orders that are being written; they count as planned, and make no list. `shared`: medications that were
    asked for since entries or drafts refer to them; they make no list either. `today`: as `precaution.readers.read`.

    Raises NoPatient where there is no Patient, MixedPatients where one resource is another patient's, InputError where
    a number is not finite.
    """
    bad: set[Ignored] = set()
    broken: set[str] = set()
    more = Retrieved("whole", tuple({"resource": each} for each in shared))
    nameless = {name for name, answer in answers.items() if any(map(_names_nobody, answer.entries))}
    broken |= nameless
    contents = _contents([*answers.items(), ("", more)], bad, broken, terminology.source)
    found = find_patient(contents)
    if found.ids and patient not in found.ids:  # others may be the same person: merged Patients
        raise MixedPatients("the Patient that was sent is not the one of context.patientId")
    builder = read_contents(contents, found, terminology, asks, today)
    whole = {name for name, answer in answers.items() if answer.state == "whole"} - broken
    kept = {kind for kind, names in lists.items() if whole.issuperset(names)} - builder.incomplete
    named = {name for names in lists.values() for name in names}
    partial = any(answers.get(name, NOT_RETRIEVED).state != "none" for name in named - whole)
    record = builder.record()
    record = replace(
        record,
        lists=frozenset(kept),
        partial=record.partial or partial,
        ignored=tuple(sorted({*record.ignored, *bad})),
    )
    drafted = _drafted(drafts, contents.of("Medication"), builder, terminology, asks)
    return _with_drafts(record, drafted, nameless=bool(nameless))


def _contents(
    answers: Iterable[tuple[str, Retrieved]], bad: set[Ignored], broken: set[str], source: SourceSettings
) -> Contents:
    """Return the resources of all answers. What can't be read is noted as `bad`, and its list as `broken`."""
    answers = list(answers)
    for name, answer in answers:
        if not all(_is_acceptable(entry.get("resource")) for entry in answer.entries):
            broken.add(name)
    try:
        good = (entry for _, answer in answers for entry in answer.entries)
        return _unpacked((entry for entry in good if _is_acceptable(entry.get("resource"), bad)), source)
    except WrongRelease:  # seldom: each resource is looked at on its own
        found = (entry for name, answer in answers for entry in _readable(name, answer, bad, broken))
        return _unpacked(found, source)


def _names_nobody(entry: Json) -> bool:
    """Whether an entry is a clinical resource that names no patient, by a reference or an identifier."""
    resource = child(entry, "resource")
    kind = text(resource, "resourceType")
    if kind not in CLINICAL:
        return False
    subject = child(resource, subject_key(kind))
    return not subject.get("reference") and not subject.get("identifier")


def _unpacked(entries: Iterable[Json], source: SourceSettings) -> Contents:
    made = [{"resource": entry["resource"], "fullUrl": entry.get("fullUrl")} for entry in entries]
    return unpacked([{"resourceType": "Bundle", "type": "collection", "entry": made}], source)


def _is_acceptable(resource: object, bad: set[Ignored] | None = None) -> bool:
    """Whether a resource is of a type that may be taken; where not, it is noted."""
    if isinstance(resource, dict) and text(resource, "resourceType") in _TAKEN:
        return True
    if bad is not None:
        bad.add(_noted(resource, _unreadable(resource)))
    return False


def _noted(resource: object, why: str) -> Ignored:
    return Ignored(name_of(resource) if isinstance(resource, dict) and resource else "input", why)


def _readable(name: str, answer: Retrieved, bad: set[Ignored], broken: set[str]) -> Iterable[Json]:
    """Yield the entries whose resource can be read as R4; the others are noted, and their list is broken."""
    for entry in answer.entries:
        resource = entry.get("resource")
        why = _unreadable(resource)
        if not why:
            yield entry
            continue
        broken.add(name)
        bad.add(_noted(resource, why))


def _unreadable(resource: object) -> str:
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return "it is no FHIR resource"
    kind = str(resource["resourceType"])
    if kind not in R4:
        return "it is of a type that FHIR R4 does not have"
    if kind == "OperationOutcome":
        return "a message in the place of a resource"
    try:
        if kind in _KNOWN:
            check_release(kind, resource)
    except WrongRelease:
        return "it is FHIR of another release than R4"
    return ""


def _drafted(
    drafts: Iterable[Json],
    shared: Iterable[tuple[Json, str]],
    builder: RecordBuilder,
    terminology: Terminology,
    asks: Mapping[str, Ask],
) -> tuple[Entry, ...]:
    """Return the entries of orders that are being written: what their codes say, and what else their words do."""
    drafts = [draft for draft in drafts if isinstance(draft.get("resourceType"), str)]
    entries: list[Json] = [
        {"resource": _as_draft(draft, number)}
        for number, draft in enumerate(drafts)
        if draft["resourceType"] in ORDERS and text(draft, "status") not in OVER
    ]
    entries += [{"resource": draft} for draft in drafts if draft["resourceType"] in MEANT]
    entries += [{"resource": each, "fullUrl": url} for each, url in shared]

    def read(more: list[Json]) -> Mapping[str, tuple[Entry, ...]]:
        contents = unpacked([{"resourceType": "Bundle", "type": "collection", "entry": more}])
        return read_contents(contents, builder.patient, terminology, asks).record().entries

    found = read(entries)
    worded = [words for each in entries if (words := in_words(child(each, "resource"))) is not None]
    said: list[Json] = [{"resource": each} for each in worded]
    heard = read(said) if said else {}
    others = {name: each for name, each in heard.items() if name not in found and name not in UNREADABLE.values()}
    return tuple(entry for each in (*found.values(), *others.values()) for entry in each)


def _as_draft(draft: Json, number: int) -> Json:
    """Return a draft as an order of this patient and of now, whatever it lacks or says of itself."""
    kind = str(draft["resourceType"])
    left_out = {*_NOT_OURS, *SIGNS.get(kind, ())}
    kept = {key: value for key, value in draft.items() if key not in left_out}
    if kind == "MedicationRequest" and "agent" in child(draft, "requester"):
        del kept["requester"]
    return {**kept, "status": "draft", "id": f"draft-{number}"}


def _with_drafts(record: Record, drafted: tuple[Entry, ...], *, nameless: bool) -> Prefetched:
    if not drafted:
        return Prefetched(record, nameless=nameless)
    entries = dict(record.entries)
    for entry in drafted:
        entries[entry.concept] = tuple(sorted({*entries.get(entry.concept, ()), entry}, key=in_order))
    return Prefetched(replace(record, entries=dict(sorted(entries.items()))), frozenset(drafted), nameless)


__all__ = ["FAILED", "NOT_RETRIEVED", "NoPatient", "Prefetched", "Retrieved", "joined", "read_prefetch", "retrieved"]
