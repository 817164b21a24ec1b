"""Checks of what a label's folder says of codes that are on none of its lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.checks.problem import problem
from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.terminology import EDITIONS
from precaution.knowledge.toml import Place
from precaution.knowledge.unlisted import IRRELEVANT, MAY_MEAN, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem


def whole_lists(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that it is said of each code system of a list whether lists are whole for it, and of no other list."""
    found = {system: _lists_of(folder, system) for system in _systems(folder)}
    editions = folder.label.terminology.unlisted.editions
    for system in sorted(found.keys() - editions.keys()):
        yield problem(
            Place(f"codes/{WHOLE}"),
            f"says nothing of {system}, of which lists have codes: say for which edition, or that none is whole",
        )
    for system, edition in editions.items():
        for name in sorted((edition.lists & folder.label.concepts.keys()) - _lists_of(folder, system)):
            yield problem(
                Place(f"codes/{WHOLE} [{system}]"),
                f"{name} is called whole and has no code of it; if {system} has none, say so in 'without'",
            )
        for name in sorted(edition.without & found.get(system, frozenset())):
            yield problem(Place(f"codes/{WHOLE} [{system}]"), f"{name} has codes of it and stands in 'without'")


def codes_on_no_list(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a code that is irrelevant, or may mean a concept, is well formed and on no list."""
    unlisted = folder.label.terminology.unlisted
    every = [(IRRELEVANT, system, code) for system, codes in unlisted.irrelevant.items() for code in sorted(codes)]
    every += [(MAY_MEAN, system, code) for system, code in unlisted.may_mean]
    for where, system, code in every:
        bare = code.removesuffix("*").removesuffix(".")
        if not well_formed(system, bare):
            yield problem(Place(f"codes/{where}"), f"'{code}' is no {system} code; look it up anew")
        elif not code.endswith("*") and folder.label.terminology.concepts(system, code):
            yield problem(Place(f"codes/{where}"), f"{system} {code} is on a list too; it can't be both")


def _systems(folder: Folder) -> set[str]:
    return {system for rows in folder.lists.values() for system, _ in rows}


def _lists_of(folder: Folder, system: str) -> frozenset[str]:
    """Return the lists that have codes of a system or of what its edition is built on."""
    systems = {system}
    while system in EDITIONS:
        system = EDITIONS[system]
        systems.add(system)
    if "ICD10" in systems:  # its rows hold what differs: those of the others count for it
        systems.add("ICD10GM")
    return frozenset(name for name, rows in folder.lists.items() if any(row[0] in systems for row in rows))
