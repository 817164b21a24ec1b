"""Ways of packing an entry: Bundles, lists, versions, bytes; and of leaving it out with a sign of that."""

from __future__ import annotations

import gzip
import json

from support.hiding.kit import Changed, Json, Shown, bundle, way, without


def _outcome(severity: str, code: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


@way("messages in a document's Bundle")
def bundle_in_a_bundle(entry: Json, shown: Shown) -> Changed:
    return [bundle(shown.put(bundle([bundle([entry])])))]


@way("operations such as $everything behind a gateway")
def bundle_in_parameters(entry: Json, shown: Shown) -> Changed:
    part = {"name": "return", "part": [{"name": "more", "resource": bundle([entry])}]}
    return shown.put({"resourceType": "Parameters", "parameter": [part]})


@way("answers to a batch")
def response_of_a_batch(entry: Json, shown: Shown) -> Changed:
    made = bundle([bundle([entry], "searchset", total=1)], "batch-response")
    made["entry"][0]["response"] = {"status": "200 OK"}
    return shown.put(made)


@way("transactions")
def put_in_a_transaction(entry: Json, shown: Shown) -> Changed:
    made = bundle([entry], "transaction")
    made["entry"][0]["request"] = {"method": "PUT", "url": shown.source}
    return shown.put(made)


@way("documents, with the entry named by its section")
def document(entry: Json, shown: Shown) -> Changed:
    section = {"title": "All", "entry": [{"reference": shown.source}]}
    composition = {"resourceType": "Composition", "id": "way", "status": "final", "section": [section]}
    return [bundle([{**composition, "subject": entry.get(shown.subject)}, *shown.put(entry)], "document")]


@way("problem and medication lists that contain their entries")
def contained_in_a_list(entry: Json, shown: Shown) -> Changed:
    inner = {**entry, "id": "way-inner"}
    made = {
        "resourceType": "List",
        "id": "way-list",
        "status": "current",
        "mode": "snapshot",
        "subject": {"reference": f"Patient/{shown.person['id']}"},
        "contained": [inner],
        "entry": [{"item": {"reference": "#way-inner"}}],
    }
    return shown.put(made)


@way("lists of whom nobody can tell, which contain their entries", leaves="anybody's")
def contained_in_a_list_of_nobody_known(entry: Json, shown: Shown) -> Changed:
    made = {
        "resourceType": "List",
        "id": "way-list",
        "status": "current",
        "mode": "snapshot",
        "subject": {"reference": "urn:uuid:5c1d4e6a-0000-4000-8000-000000000000"},
        "contained": [{**without(entry, shown.subject), "id": "way-inner"}],
        "entry": [{"item": {"reference": "#way-inner"}}],
    }
    return shown.put(made)


@way("visits, plans and messages that contain what they are about")
def contained_in_a_visit(entry: Json, shown: Shown) -> Changed:
    made = {
        "resourceType": "Encounter",
        "id": "way-visit",
        "status": "finished",
        "subject": {"reference": f"Patient/{shown.person['id']}"},
        "contained": [{**entry, "id": "way-inner"}],
    }
    return shown.put(made)


@way("reports that contain their results")
def contained_in_a_report(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation":
        return None
    made = {
        "resourceType": "DiagnosticReport",
        "id": "way-report",
        "status": "final",
        "subject": entry.get("subject"),
        "contained": [{**without(entry, "subject"), "id": "way-inner"}],
        "result": [{"reference": "#way-inner"}],
    }
    return shown.put(made)


@way("panels that contain their members")
def contained_in_a_panel(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Observation":
        return None
    made = {
        "resourceType": "Observation",
        "id": "way-panel",
        "status": "final",
        "code": {"text": "panel"},
        "subject": entry.get("subject"),
        "contained": [{**entry, "id": "way-inner"}],
        "hasMember": [{"reference": "#way-inner"}],
        **{name: value for name, value in entry.items() if name.startswith("effective")},
    }
    return shown.put(made)


@way("$everything of a server that keeps versions")
def history_with_an_older_version(entry: Json, shown: Shown) -> Changed:
    old = {**without(entry, "value"), "meta": {"versionId": "1", "lastUpdated": "2019-01-01T00:00:00Z"}}
    new = {**entry, "meta": {"versionId": "2", "lastUpdated": "2025-01-01T00:00:00Z"}}
    return shown.put(bundle([new, old], "history"))


@way("exports that were put together, with an older version of the same")
def older_version_beside(entry: Json, shown: Shown) -> Changed:
    old = {**without(entry, "value"), "meta": {"versionId": "9"}}
    return shown.put(old, {**entry, "meta": {"versionId": "10"}})


@way("two exports of one patient, where nothing tells which version is newer")
def another_version_beside(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "language": "en"}, entry)


@way("two exports of one patient")
def twice_the_same(entry: Json, shown: Shown) -> Changed:
    return shown.put(entry, entry)


@way("two systems that each keep the same entry")
def twice_under_other_ids(entry: Json, shown: Shown) -> Changed:
    return shown.put(entry, {**entry, "id": "way-again"})


@way("exports without ids")
def without_an_id(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, "id"))


@way("servers that greet with each answer")
def message_beside(entry: Json, shown: Shown) -> Changed:
    return shown.put(entry, _outcome("information", "informational"))


@way("servers that leave out what consent forbids, and say so", leaves="nothing")
def left_out_with_a_warning(entry: Json, shown: Shown) -> Changed:
    return shown.put(_outcome("warning", "suppressed"))


@way("servers that give up half way", leaves="nothing")
def left_out_with_an_error(entry: Json, shown: Shown) -> Changed:
    return shown.put(_outcome("error", "timeout"))


@way("a batch of which one part was refused", leaves="nothing")
def part_of_a_batch_refused(entry: Json, shown: Shown) -> Changed:
    made = bundle([], "batch-response")
    made["entry"] = [{"response": {"status": "403", "outcome": _outcome("error", "forbidden")}}]
    return shown.put(made)


@way("the first page of several", leaves="nothing")
def on_a_page_that_was_not_fetched(entry: Json, shown: Shown) -> Changed:
    return [bundle(shown.put(), "searchset", link=[{"relation": "next", "url": "https://hospital.invalid/2"}])]


@way("an answer that says how many it found, and holds fewer", leaves="nothing")
def total_larger_than_what_is_there(entry: Json, shown: Shown) -> Changed:
    rest = shown.put()
    return [bundle(rest, "searchset", total=len(rest) + 1)]


@way("a Bundle that consent rules cut", leaves="nothing")
def left_out_of_a_labelled_bundle(entry: Json, shown: Shown) -> Changed:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"}
    return [bundle(shown.put(), meta={"security": [label]})]


@way("a resource whose type was lost", leaves="nothing")
def without_a_type(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, "resourceType"))


@way("a program that writes types in small letters", leaves="nothing")
def type_in_small_letters(entry: Json, shown: Shown) -> Changed:
    return shown.put({**entry, "resourceType": shown.kind.lower()})


@way("a Bundle whose entry was emptied", leaves="nothing")
def empty_entry(entry: Json, shown: Shown) -> Changed:
    made = bundle(shown.put())
    made["entry"].append({"fullUrl": f"https://hospital.invalid/{shown.source}"})
    return [made]


def _lines(shown: Shown, entry: Json) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in shown.put(entry))


@way("bulk exports")
def bytes_as_ndjson(entry: Json, shown: Shown) -> Changed:
    return _lines(shown, entry)


@way("compressed exports")
def bytes_as_gzip(entry: Json, shown: Shown) -> Changed:
    return gzip.compress(_lines(shown, entry), 1, mtime=0)


@way("files written under Windows")
def bytes_with_a_mark_before_them(entry: Json, shown: Shown) -> Changed:
    return b"\xef\xbb\xbf" + json.dumps(bundle(shown.put(entry))).encode()


@way("programs that escape every letter")
def bytes_with_escapes(entry: Json, shown: Shown) -> Changed:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in shown.kind)
    whole = json.dumps(bundle([*shown.put(), {**entry, "resourceType": "KIND"}]))
    return whole.replace('"KIND"', f'"{escaped}"').encode()


@way("files written under Windows, in its other encoding")
def bytes_in_utf_16(entry: Json, shown: Shown) -> Changed:
    return json.dumps(bundle(shown.put(entry))).encode("utf-16")


@way("a file that was cut short", leaves="nothing")
def bytes_cut_short(entry: Json, shown: Shown) -> Changed:
    return _lines(shown, entry)[:-20]
