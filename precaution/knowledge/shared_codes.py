"""What a label knows of codes that no list of its has: what labels share, less what concerns this one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from precaution.knowledge import shared
from precaution.knowledge.terminology import EDITIONS, SYSTEMS, Concept, fold, read_lists
from precaution.knowledge.unlisted import Edition, Unlisted, read_unlisted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from precaution.knowledge.folder import Lists

_MARKS = "*=$#"
"""What a word of a concept may have before or after it."""


def unlisted_of(folder: Path, lists: Lists, described: Mapping[str, Concept]) -> Unlisted:
    """Return what is known of codes on no list of a label's folder; `lists` and `described` are all its concepts.

    Raises KnowledgeError as `read_unlisted` does.
    """
    concepts = {*lists, *described}
    if not shared.concepts_of(folder):
        return read_unlisted(folder / "codes", SYSTEMS, concepts)
    common = _common()
    own = read_unlisted(folder / "codes", SYSTEMS, concepts, common.editions)
    return Unlisted(
        {system: _edition(system, common, own, folder, concepts) for system in {**common.editions, **own.editions}},
        _irrelevant(common, own, lists),
        {**_may_mean(common, concepts, _Listed(lists)), **own.may_mean},
        (*_words(common.words, _own_concepts(described)), *own.words),
        common.folder,
    )


@cache  # many labels ask, and what the package holds does not change while it runs
def _common() -> Unlisted:
    return read_unlisted(shared.CODES, SYSTEMS, _every_list())


@cache
def _every_list() -> Lists:
    return read_lists(shared.CODES)


def _edition(system: str, common: Unlisted, own: Unlisted, folder: Path, concepts: Collection[str]) -> Edition:
    """Return an edition with what a label adds; lists of its own that nobody calls whole take its wholeness away."""
    found, more = common.editions.get(system), own.editions.get(system)
    if found is None or more is None:
        whole = found or more or Edition("", "", frozenset())
    else:
        whole = found._replace(lists=found.lists | more.lists, without=found.without | more.without)
    if _own_lists(folder, system) - whole.lists:
        return whole._replace(lists=frozenset())
    return whole._replace(unlisted=tuple(name for name in whole.unlisted if name in concepts))


def _own_lists(folder: Path, system: str) -> set[str]:
    """Return the lists of a label's own folder that have codes of a system or of what its edition is built on."""
    systems = {system, EDITIONS.get(system, system)}
    return {name for name, rows in read_lists(folder / "codes").items() if any(row[0] in systems for row in rows)}


def _irrelevant(common: Unlisted, own: Unlisted, lists: Lists) -> dict[str, frozenset[str]]:
    """Return the codes that have nothing to do with a label: those on lists that it does not take are among them."""
    found = {system: set(codes) for system, codes in common.irrelevant.items()}
    for name, rows in _every_list().items():
        for system, code in rows if name not in lists else ():
            if not code.endswith("*"):
                found.setdefault(system, set()).add(code)
    listed = _Listed(lists)
    for system, codes in found.items():
        codes -= {code for code in codes if listed.has(system, code) or (system, code) in own.may_mean}
    return {
        system: frozenset(found.get(system, ())) | own.irrelevant.get(system, frozenset())
        for system in {**found, **own.irrelevant}
    }


def _may_mean(common: Unlisted, concepts: Collection[str], listed: _Listed) -> dict[tuple[str, str], tuple[str, ...]]:
    mine = {
        key: tuple(name for name in names if name in concepts)
        for key, names in common.may_mean.items()
        if not listed.has(*key)
    }
    return {key: names for key, names in mine.items() if names}


class _Listed:
    """The codes that lists have, by themselves or by the beginning that a row gives."""

    def __init__(self, lists: Lists) -> None:
        rows = [row for rows in lists.values() for row in rows]
        self._exact = {row for row in rows if not row[1].endswith("*")}
        starts: dict[str, list[str]] = {}
        for system, code in rows:
            if code.endswith("*"):
                starts.setdefault(system, []).append(code[:-1])
        self._starts = {system: tuple(codes) for system, codes in starts.items()}

    def has(self, system: str, code: str) -> bool:
        """Whether a list has a code, also by what its edition is built on."""
        found = (system, code) in self._exact or code.startswith(self._starts.get(system, ()))
        return found or (system in EDITIONS and self.has(EDITIONS[system], code))


def _own_concepts(described: Mapping[str, Concept]) -> list[Concept]:
    return [concept for name, concept in described.items() if name not in _every_list()]


def _words(words: Iterable[str], concepts: Iterable[Concept]) -> tuple[str, ...]:
    """Return the words of what is of no interest, less those that a concept of the label's own is called by."""
    called = tuple(fold(word.strip(_MARKS)) for concept in concepts for word in concept.words)
    return tuple(word for word in words if not any(each.startswith(fold(word)) for each in called))
