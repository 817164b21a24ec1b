"""Ways of writing what an entry is about: the same code otherwise, another code, words alone, nothing."""

from __future__ import annotations

import csv
from functools import cache

from precaution.cases.lines import _SYSTEMS as URLS
from precaution.knowledge.folder import list_files
from precaution.knowledge.loading import find_label, load_label
from precaution.readers.codes import normal_code, system_name
from support.hiding.kit import LOCAL, Changed, Json, Shown, codings, masked, way

OIDS = {
    "SNOMED": "urn:oid:2.16.840.1.113883.6.96",
    "LOINC": "urn:oid:2.16.840.1.113883.6.1",
    "RxNorm": "urn:oid:2.16.840.1.113883.6.88",
    "ICD10CM": "urn:oid:2.16.840.1.113883.6.90",
    "ICD10": "urn:oid:2.16.840.1.113883.6.3",
    "ATC": "urn:oid:2.16.840.1.113883.6.73",
    "CVX": "urn:oid:2.16.840.1.113883.12.292",
}
_NULL = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"


@cache
def _displays() -> dict[tuple[str, str], str]:
    """Return what code lists call their codes; those of prefixes with their star."""
    found: dict[tuple[str, str], str] = {}
    for path in list_files(find_label("baricitinib")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        found |= {(row["system"], row["code"]): row["display"] for row in csv.DictReader(lines)}
    return found


def display_of(coding: Json) -> str:
    """Return what the code lists call a code, or the longest beginning of it that stands for all that begin so."""
    system = system_name(str(coding["system"]))
    code, known = normal_code(system, str(coding["code"])), _displays()
    begins = (code[:size] + "*" for size in range(len(code), 0, -1))
    return next((known[system, each] for each in (code, *begins) if (system, each) in known), "")


@cache
def _by_concepts() -> dict[frozenset[str], list[tuple[str, str]]]:
    terms = load_label("baricitinib").terminology
    found: dict[frozenset[str], list[tuple[str, str]]] = {}
    for system, code in terms.exact:
        if system in URLS:
            found.setdefault(frozenset(terms.concepts(system, code)), []).append((system, code))
    return found


def _others(shown: Shown, system: str) -> list[tuple[str, str]]:
    """Return the codes of other systems that stand for the same concepts."""
    return [each for each in _by_concepts().get(frozenset(shown.concepts), []) if each[0] != system]


def _recoded(entry: Json, shown: Shown, *found: Json, text: str = "") -> Changed:
    entry[shown.code] = {**({"coding": list(found)} if found else {}), **({"text": text} if text else {})}
    return shown.put(entry)


@way("an interface engine that keeps the code of the laboratory beside the standard's")
def local_code_first(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    return _recoded(entry, shown, {"system": LOCAL, "code": "L-4711"}, *found) if found else None


@way("a server that sorts codings")
def codings_in_another_order(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    return _recoded(entry, shown, *reversed(found)) if len(found) > 1 else None


@way("HL7 v3 and CDA documents turned into FHIR")
def system_as_an_oid(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    names = [system_name(each["system"]) for each in found]
    if not found or any(name not in OIDS for name in names):
        return None
    return _recoded(entry, shown, *({**each, "system": OIDS[name]} for each, name in zip(found, names, strict=True)))


def _systems(entry: Json, shown: Shown, old: str, new: str) -> Changed:
    found = codings(entry, shown)
    changed = [{**each, "system": each["system"].replace(old, new)} for each in found]
    return _recoded(entry, shown, *changed) if changed != found else None


@way("whoever takes a URL for a page")
def system_by_https(entry: Json, shown: Shown) -> Changed:
    return _systems(entry, shown, "http:", "https:")


@way("whoever takes a URL for a folder")
def system_with_a_slash_at_its_end(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    return _recoded(entry, shown, *({**each, "system": each["system"] + "/"} for each in found)) if found else None


@way("a canonical with its version, where a system is asked for")
def system_with_a_version(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    more = [each["system"] + ("/900000000000207008" if "snomed" in each["system"] else "|2024") for each in found]
    return _recoded(entry, shown, *({**each, "system": new} for each, new in zip(found, more, strict=True)))


@way("terminology servers that say which release they used")
def coding_with_a_version(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    return _recoded(entry, shown, *({**each, "version": "2.77", "userSelected": True} for each in found))


@way("columns of a fixed width")
def code_with_blanks_around_it(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    return _recoded(entry, shown, *({**each, "code": f" {each['code']} "} for each in found)) if found else None


@way("a country with other code systems than ours")
def code_of_another_system(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    others = _others(shown, system_name(found[0]["system"])) if found else []
    if not others:
        return None
    system, code = others[-1]
    return _recoded(entry, shown, {"system": URLS[system], "code": code})


@way("billing systems, which leave the dot of ICD out")
def icd_without_its_dot(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    bare = [{**each, "code": each["code"].replace(".", "")} for each in found if "icd-10" in each["system"]]
    return _recoded(entry, shown, *bare) if bare and bare != found else None


@way("keyboards without capitals")
def icd_in_small_letters(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    small = [{**each, "code": each["code"].lower()} for each in found if "icd-10" in each["system"]]
    return _recoded(entry, shown, *small) if small else None


@way("German claims, with the dagger and the certainty of ICD-10-GM")
def icd_with_a_dagger(entry: Json, shown: Shown) -> Changed:
    found = codings(entry, shown)
    marked = [{**each, "code": each["code"] + "+"} for each in found if "icd-10" in each["system"]]
    return _recoded(entry, shown, *marked) if marked else None


@way("systems whose code system has no URL yet")
def code_without_a_system(entry: Json, shown: Shown) -> Changed:
    found = (
        [] if "'route'" in str(entry) else codings(entry, shown)
    )  # a route takes an unknown drug out, and no known tablet
    return _recoded(entry, shown, *({"code": each["code"]} for each in found)) if found else None


@way("SNOMED CT with a refinement (a postcoordinated expression)", leaves="words")
def code_with_a_refinement(entry: Json, shown: Shown) -> Changed:
    found = [each for each in codings(entry, shown) if "snomed" in each["system"]]
    refined = [{**each, "code": each["code"] + ":246112005=24484000", "display": display_of(each)} for each in found]
    return _recoded(entry, shown, *refined) if refined else None


def _name(entry: Json, shown: Shown) -> str:
    names = (display_of(each) for each in codings(entry, shown))
    return next((name for name in names if shown.patient.label.terminology.spoken_of(name)), "")


@way("Epic, for diagnoses and drugs that were typed in", leaves="words")
def words_alone(entry: Json, shown: Shown) -> Changed:
    name = _name(entry, shown)
    return _recoded(entry, shown, text=name) if name else None


@way("hospitals that code by lists of their own", leaves="words")
def local_code_and_words(entry: Json, shown: Shown) -> Changed:
    name = _name(entry, shown)
    return _recoded(entry, shown, {"system": LOCAL, "code": "4711"}, text=name) if name else None


@way("mappers that found no code", leaves="words")
def display_alone(entry: Json, shown: Shown) -> Changed:
    name = _name(entry, shown)
    return _recoded(entry, shown, {"display": name}) if name else None


@way("CDA's nullFlavor carried over into FHIR", leaves="words")
def null_flavor_and_words(entry: Json, shown: Shown) -> Changed:
    name = _name(entry, shown)
    return _recoded(entry, shown, {"system": _NULL, "code": "UNK"}, text=name) if name else None


@way("an editor that shouts", leaves="words")
def words_in_capitals(entry: Json, shown: Shown) -> Changed:
    name = _name(entry, shown)
    return _recoded(entry, shown, text=f"  {name.upper()} (H) ") if name else None


def _parts(entry: Json, shown: Shown) -> list[Json]:
    """Return an entry and its components: what has a code of its own. None of a report, whose results have theirs."""
    found = [] if shown.kind == "DiagnosticReport" else [entry, *entry.get("component", ())]
    return [part for part in found if shown.code in part]


def _recode(entry: Json, shown: Shown, **code: object) -> Changed:
    """Return the patient with `code` in place of each code of the entry; None where there is none."""
    parts = _parts(entry, shown)
    for part in parts:
        del part[shown.code]
        part.update(code)
    return shown.put(entry) if parts else None


@way("consent rules that mask a code and leave the entry", leaves="unnamed")
def code_masked(entry: Json, shown: Shown) -> Changed:
    return _recode(entry, shown, **{shown.code: masked()})


@way("consent rules that mask the code of a coding, and leave its system", leaves="unnamed")
def code_of_a_coding_masked(entry: Json, shown: Shown) -> Changed:
    return _recode(entry, shown, **{shown.code: {"coding": [{"system": URLS["SNOMED"], "_code": masked()}]}})


@way("a code written as text where FHIR wants an object", leaves="unnamed")
def code_as_a_string(entry: Json, shown: Shown) -> Changed:
    return _recode(entry, shown, **{shown.code: "4711"})


@way("resources cut down by `_elements`", leaves="unnamed")
def code_left_out(entry: Json, shown: Shown) -> Changed:
    return _recode(entry, shown)
