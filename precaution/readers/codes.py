"""FHIR's codes as concepts of the label: code systems by name, each code looked up once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.terminology import ICD10, SYSTEMS, fold
from precaution.readers.json_access import children, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.terminology import Terminology

_URLS: Mapping[str, tuple[str, ...]] = {
    "LOINC": ("loinc.org", "2.16.840.1.113883.6.1"),
    "SNOMED": ("snomed.info/sct", "snomed.info/id", "2.16.840.1.113883.6.96"),
    "RxNorm": ("www.nlm.nih.gov/research/umls/rxnorm", "2.16.840.1.113883.6.88"),
    "ICD10CM": (
        "hl7.org/fhir/sid/icd-10-cm",
        "hl7.org/fhir/sid/icd-10-us",
        "2.16.840.1.113883.6.90",
        "mimic.mit.edu/fhir/mimic/codesystem/mimic-diagnosis-icd10",
    ),
    "ICD10": (
        "hl7.org/fhir/sid/icd-10",
        "id.who.int/icd/release/10",
        "2.16.840.1.113883.6.3",
        "2.16.840.1.113883.6.3.2",
    ),
    "ICD10GM": (
        "fhir.de/codesystem/bfarm/icd-10-gm",
        "fhir.de/codesystem/dimdi/icd-10-gm",
        "hl7.org/fhir/sid/icd-10-de",
        "1.2.276.0.76.5.409",
    ),
    "ATC": ("www.whocc.no/atc", "fhir.de/codesystem/bfarm/atc", "2.16.840.1.113883.6.73"),
    "CVX": ("hl7.org/fhir/sid/cvx", "2.16.840.1.113883.12.292"),
    "HL7v3-ObservationInterpretation": (
        "terminology.hl7.org/codesystem/v3-observationinterpretation",
        "hl7.org/fhir/v3/observationinterpretation",
        "terminology.hl7.org/codesystem/v2-0078",
        "hl7.org/fhir/v2/0078",
        "2.16.840.1.113883.5.83",
        "2.16.840.1.113883.12.78",
    ),
}
"""How FHIR writes each code system: URL without scheme in lower case, and OID. Table 0078 of HL7 v2 has
the codes of the v3 one that results need."""

_NAMES = {url: name for name, urls in _URLS.items() for url in urls}
_SPELLED = {
    "snomed": "SNOMED",
    "snomedct": "SNOMED",
    "loinc": "LOINC",
    "rxnorm": "RxNorm",
    "cvx": "CVX",
    "atc": "ATC",
    "icd10": "ICD10",
    "icd10cm": "ICD10CM",
    "icd10gm": "ICD10GM",
}
"""Names that stand where an address should."""
_MARKS = re.compile(r"[-_ .]")
_ICD10 = re.compile(r"\b(?:icd|cim|cie)-?10(?![0-9])")
_ICD10_CM = re.compile(r"10-?cm\b|10-?us\b")
_ICD10_GM = re.compile(r"10-?gm\b|10-?de\b|^fhir\.de/")
_SCHEME = re.compile(r"^(?:https?://|urn:oid:)")
_ICD_MARKS = "+*†!"
"""Dagger and asterisk of the dual classification, as ICD-10-GM writes them behind the code."""
_PLACEHOLDERS = frozenset({"unknown", "none", "null", "not available", "not known", "other"})
_OF_RELATIVES = ("family history", "no family history", "fh:", "fh ")
"""How a text begins that speaks of relatives."""
_WORD = re.compile(r"[a-z]{3}")
_MOST_CODES = 50_000
"""So many codes are remembered at most: enough for a hospital, and a bound for hostile input."""


class CodeLookup(NamedTuple):
    """What the label's code lists know of the codes of a CodeableConcept."""

    concepts: tuple[str, ...] = ()
    """The concepts that its codes belong to."""
    doubted: tuple[str, ...] = ()
    """The concepts that a code without a system would belong to."""
    formed: tuple[str, ...] = ()
    """The code systems of which it has a well-formed code."""
    possible: tuple[str, ...] = ()
    """The concepts that its codes may mean though no list has them."""
    covered: tuple[str, ...] = ()
    """The code systems of which it has a code that would be on a list if it were of ours: the lists are whole."""
    irrelevant: bool = False
    """Whether one of its codes is known to have nothing to do with the label."""
    beside: bool = False
    """Whether its concepts are a site's own alone: what it may mean to the label is to be read as well."""


_NOTHING = CodeLookup()


@lru_cache(maxsize=512)
def system_name(url: str) -> str:
    """Return the name that code lists use for a FHIR code system, or an empty string."""
    bare = _SCHEME.sub("", url.strip().lower()).partition("|")[0].rstrip("/")
    if bare.startswith("snomed.info/sct/"):
        return "SNOMED"
    return _NAMES.get(bare, "") or _SPELLED.get(_MARKS.sub("", bare), "") or _edition_of_icd(bare)


def _edition_of_icd(bare: str) -> str:
    """Return the edition of ICD-10 that an address speaks of; any national one but two is built on the WHO's."""
    if not _ICD10.search(bare) or "pcs" in bare or bare.startswith("www.cms.gov"):
        return ""
    return "ICD10CM" if _ICD10_CM.search(bare) else "ICD10GM" if _ICD10_GM.search(bare) else "ICD10"


def normal_code(system: str, code: str) -> str:
    """Return `code` as code lists write it: ICD-10 in capitals and with its dot, CVX with two digits."""
    if system not in ICD10:
        return code.zfill(2) if system == "CVX" else code
    code = code.upper().rstrip(_ICD_MARKS)
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code


class Codes:
    """Looks the codes of FHIR up in a label's terminology, and remembers every code it met."""

    def __init__(self, terminology: Terminology) -> None:
        """Look codes up in `terminology`."""
        self.terminology = terminology
        self.spoken_of = lru_cache(maxsize=8192)(self._spoken_of)
        self.met: dict[tuple[str, str], frozenset[str]] = {}
        """What was asked before of a kind of entry and a code system; see `concept_matches`."""
        self._known: dict[tuple[str, str], CodeLookup] = {}
        self._listed: dict[str, set[str]] = {}
        for table in (terminology, terminology.site) if terminology.site is not None else (terminology,):
            for (system, _), names in (*table.exact.items(), *table.prefixes.items()):
                for name in names:
                    self._listed.setdefault(name, set()).add(system)

    def look_up(self, concept: object) -> CodeLookup:
        """Return what is known of a CodeableConcept's codes, of all its codings together; nothing of what is none."""
        try:
            (coding,) = concept["coding"]  # type: ignore[index]
            return self._known[coding["system"], coding["code"]]
        except (KeyError, TypeError, ValueError):
            return self._of_all_codings(concept)

    def _of_all_codings(self, concept: object) -> CodeLookup:
        if not isinstance(concept, dict):
            return _NOTHING
        return together([self._of_coding(coding) for coding in children(concept, "coding")])

    def _of_coding(self, coding: dict[str, object]) -> CodeLookup:
        code, url = coding.get("code"), coding.get("system") or ""
        if not isinstance(code, str) or not isinstance(url, str) or not code.strip():
            return _NOTHING
        found = self._known.get((url, code))
        if found is None:
            if len(self._known) >= _MOST_CODES:
                self._known.clear()
            found = self._known[url, code] = self._of_code(url.strip(), code.strip())
        return found

    def listed_in(self, name: str, systems: frozenset[str]) -> bool:
        """Whether the code list of a concept has codes of one of `systems`; True where it has no codes."""
        return not systems.isdisjoint(self._listed.get(name, systems))

    def of_systems(self, systems: frozenset[str]) -> frozenset[str]:
        """Return the concepts whose code lists have codes of one of `systems`."""
        return frozenset(name for name, listed in self._listed.items() if not systems.isdisjoint(listed))

    def _spoken_of(self, words: str) -> tuple[str, ...]:
        """Return the concepts whose words a text has; where it is about relatives, only those that are so too."""
        found = self.terminology.spoken_of(words)
        if not found or not fold(words).startswith(_OF_RELATIVES):
            return found
        return tuple(
            name
            for name in found
            if any(word.startswith(_OF_RELATIVES) for word in self.terminology.concept(name).words)
        )

    def _of_code(self, url: str, code: str) -> CodeLookup:
        if not url:
            return CodeLookup(doubted=self.without_system(code))
        system = system_name(url)
        if not system:
            local = self.terminology.local.get((url, code), ())
            return CodeLookup(local, beside=self._is_beside(local)) if local else _NOTHING
        return self.of(system, normal_code(system, code))

    def _of_site(self, system: str, code: str) -> tuple[str, ...]:
        """Return the concepts that the lists of a site's folder have a code on."""
        site = self.terminology.site
        return () if site is None else site.concepts(system, code)

    def _is_beside(self, names: Iterable[str]) -> bool:
        """Whether none of some concepts is the label's."""
        site = self.terminology.site
        return site is not None and all(name in site.known for name in names)

    def of(self, system: str, code: str) -> CodeLookup:
        """Return what is known of a code of a system by its name; the code is written as code lists write it."""
        found, more = self.terminology.concepts(system, code), self._of_site(system, code)
        if found or (more and not self._is_beside(more)):
            return CodeLookup(_once((*found, *more)), (), (system,) if well_formed(system, code) else ())
        unlisted = self._unlisted(system, code)
        return unlisted._replace(concepts=more, beside=True) if more else unlisted

    def _unlisted(self, system: str, code: str) -> CodeLookup:
        """Return what is known of a code that is on no list."""
        if not well_formed(system, code):
            return _NOTHING
        if self.terminology.irrelevant(system, code):
            return CodeLookup(formed=(system,), irrelevant=True)
        possible = self.terminology.possible(system, code)
        covered = not possible and self.terminology.unlisted.covers(system, code)
        return CodeLookup((), (), (system,), possible, (system,) if covered else ())

    def not_whole(self, names: frozenset[str], system: str) -> frozenset[str]:
        """Return those of some concepts of which a code of `system` may be on no list."""
        edition = self.terminology.unlisted.editions.get(system)
        return names if edition is None else names - edition.lists - edition.without

    def without_system(self, code: str) -> tuple[str, ...]:
        """Return the concepts of a code whose system is not given; none for one or two characters, which may be any."""
        if len(code) < 3:
            return ()
        pairs = [(system, normal_code(system, code)) for system in SYSTEMS]
        return _once(name for pair in pairs for name in (*self.terminology.concepts(*pair), *self._of_site(*pair)))


def together(found: list[CodeLookup]) -> CodeLookup:
    """Return what is known of several codes of one thing."""
    if len(found) < 2:
        return found[0] if found else _NOTHING
    return CodeLookup(
        _once(name for each in found for name in each.concepts),
        _once(name for each in found for name in each.doubted),
        _once(name for each in found for name in each.formed),
        _once(name for each in found for name in each.possible),
        _once(name for each in found for name in each.covered),
        any(each.irrelevant for each in found),
        any(each.beside for each in found) and all(each.beside for each in found if each.concepts),
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


_MADE: dict[int, Codes] = {}


def codes_for(terminology: Terminology) -> Codes:
    """Return the one `Codes` of this terminology, so that what it remembers serves every record."""
    made = _MADE.get(id(terminology))
    if made is None or made.terminology is not terminology:
        if len(_MADE) >= 8:
            _MADE.clear()
        made = _MADE[id(terminology)] = Codes(terminology)
    return made


@lru_cache(maxsize=8192)
def readable(words: str) -> bool:
    """Whether the label's words could be looked for in this text: it has Latin words, and says something."""
    folded = fold(words)
    return bool(_WORD.search(folded)) and folded not in _PLACEHOLDERS


_NAMED_BY = ("code", "vaccineCode", "medicationCodeableConcept")


def words_in(resource: Mapping[str, object]) -> str:
    """Return what a resource calls what it is about, in its own words; nothing where it has none."""
    for name in _NAMED_BY:
        concept = resource.get(name)
        if isinstance(concept, dict):
            return next(iter(words_of(concept)), "")
    return ""


def words_of(concept: Mapping[str, object]) -> list[str]:
    """Return the text and the displays of a CodeableConcept, each once, as far as they are `readable`."""
    found = [text(concept, "text"), *(text(coding, "display") for coding in children(concept, "coding"))]
    return [each for each in dict.fromkeys(found) if each and readable(each)]
