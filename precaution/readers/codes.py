"""FHIR's codes as concepts of the label: code systems by name, each code looked up once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.terminology import ICD10, SYSTEMS, fold
from precaution.readers.json_access import children, text

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    "ICD10": ("hl7.org/fhir/sid/icd-10", "2.16.840.1.113883.6.3", "2.16.840.1.113883.6.3.2"),
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


_NOTHING = CodeLookup()


@lru_cache(maxsize=512)
def system_name(url: str) -> str:
    """Return the name that code lists use for a FHIR code system, or an empty string."""
    bare = _SCHEME.sub("", url.strip().lower()).partition("|")[0].rstrip("/")
    if bare.startswith("snomed.info/sct/"):
        return "SNOMED"
    return _NAMES.get(bare, "")


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
        self._known: dict[tuple[str, str], CodeLookup] = {}
        self._listed: dict[str, set[str]] = {}
        for (system, _), names in (*terminology.exact.items(), *terminology.prefixes.items()):
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
        found = [self._of_coding(coding) for coding in children(concept, "coding")] if isinstance(concept, dict) else []
        if len(found) < 2:
            return found[0] if found else _NOTHING
        return CodeLookup(*(tuple(dict.fromkeys(name for each in found for name in each[part])) for part in range(3)))

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
            return _NOTHING
        code = normal_code(system, code)
        return CodeLookup(self.terminology.concepts(system, code), (), (system,) if well_formed(system, code) else ())

    def without_system(self, code: str) -> tuple[str, ...]:
        """Return the concepts of a code whose system is not given; none for one or two characters, which may be any."""
        if len(code) < 3:
            return ()
        found = [name for system in SYSTEMS for name in self.terminology.concepts(system, normal_code(system, code))]
        return tuple(dict.fromkeys(found))


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


def words_of(concept: Mapping[str, object]) -> list[str]:
    """Return the text and the displays of a CodeableConcept, each once, as far as they are `readable`."""
    found = [text(concept, "text"), *(text(coding, "display") for coding in children(concept, "coding"))]
    return [each for each in dict.fromkeys(found) if each and readable(each)]
