"""What labels have in common, under `labels/shared`, and what one label takes of it.

    labels/shared/<chapter>.toml    [concept.x], [fact.x], [result.x]: concepts with their words and units, and facts
    labels/shared/codes/            the code lists, and what is known of codes that no list has

A label takes chapters in its label.toml: every concept of theirs with its code list. A topic takes facts by name:
their tables are then the topic's, as if they stood there. A label's own folder goes before: a code on a list of its
own, or one that may mean a concept of its own, is never called irrelevant because other labels care nothing for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precaution.errors import did_you_mean
from precaution.knowledge.families import FOR
from precaution.knowledge.toml import Place, Table, as_table, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FOLDER = Path(__file__).parent.parent / "labels" / "shared"
"""What labels of the package, and of a site, have in common."""
CODES = FOLDER / "codes"
SECTION = "shared"
CHAPTERS = "chapters"
TAKEN = ("fact", "result")
"""The sections that a topic takes tables of."""


def chapters_of(top: Table) -> tuple[str, ...]:
    """Return the chapters that a label.toml takes. Raises KnowledgeError for one that is not there."""
    place = Place("label.toml", SECTION)
    table = as_table(top.get(SECTION, {}), place)
    refuse_unknown(table, (CHAPTERS,), place)
    names = _names(table.get(CHAPTERS, ""), place.at(CHAPTERS))
    known = every_chapter()
    for name in names:
        if name not in known:
            raise place.at(CHAPTERS).error(f"no chapter is called '{name}'.{did_you_mean(name, known)}")
    return names


def every_chapter() -> tuple[str, ...]:
    """Return the names of all chapters."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def file_of(chapter: str) -> Path:
    """Return the file of a chapter."""
    return FOLDER / f"{chapter}.toml"


@cache  # a label's files ask for the same chapters again; the package's own do not change while it runs
def chapter(name: str) -> Table:
    """Return the tables of a chapter. Raises KnowledgeError where it can't be read."""
    file = f"{SECTION}/{name}.toml"
    tables = read_toml(file_of(name), file)
    refuse_unknown(tables, ("concept", *TAKEN), Place(file))
    return tables


def concepts_of(folder: Path) -> frozenset[str]:
    """Return the concepts that a label's folder takes. Raises KnowledgeError as `chapters_of` does."""
    top = read_toml(folder / "label.toml", "label.toml")
    return frozenset(name for each in chapters_of(top) for name in section_of(each, "concept"))


def section_of(name: str, section: str) -> Table:
    """Return the tables of a section of a chapter, none where it has none. Raises KnowledgeError as `chapter` does."""
    return as_table(chapter(name).get(section, {}), Place(f"{SECTION}/{name}.toml", section))


def with_taken(tables: Table, chapters: Collection[str], place: Place) -> Table:
    """Return a topic's tables with those that its `[shared] facts` names.

    Raises KnowledgeError for a fact that no chapter of the label has, and for one that stands in the topic too.
    """
    table = as_table(tables.get(SECTION, {}), place._replace(table=SECTION))
    refuse_unknown(table, ("facts",), place._replace(table=SECTION))
    whole: dict[str, Any] = {key: value for key, value in tables.items() if key != SECTION}
    at = place._replace(table=SECTION).at("facts")
    for section, name, found in _found(_names(table.get("facts", ""), at), chapters, at):
        own = as_table(whole.get(section, {}), place)
        if name in own:
            raise place._replace(table=f"{section}.{name}").error("is taken from what is shared too; keep one")
        whole[section] = {**own, name: found}
    return whole


def _found(names: Collection[str], chapters: Collection[str], place: Place) -> Iterator[tuple[str, str, Table]]:
    """Yield section, name and table of what is taken: of a family only the members that are named."""
    left = dict.fromkeys(names)
    for each in chapters:
        for section in TAKEN:
            for name, found in section_of(each, section).items():
                table = as_table(found, Place(f"{SECTION}/{each}.toml", f"{section}.{name}"))
                mine = [member for member in _members(name, table) if member in left]
                for member in mine:
                    del left[member]
                if mine:
                    yield section, name, _only(table, mine)
    for name in left:
        known = every_fact(chapters)
        raise place.error(f"no chapter of this label has a fact '{name}'.{did_you_mean(name, known)}")


def _only(table: Table, members: Collection[str]) -> Table:
    family: Any = table.get(FOR)
    return table if family is None else {**table, FOR: {name: family[name] for name in family if name in members}}


def every_fact(chapters: Collection[str] | None = None) -> set[str]:
    """Return the names of the facts that topics can take from `chapters`, all where left out."""
    chapters = every_chapter() if chapters is None else chapters
    tables = {name: table for each in chapters for part in TAKEN for name, table in section_of(each, part).items()}
    return {member for name, table in tables.items() for member in _members(name, table)}


def _members(name: str, table: Any) -> tuple[str, ...]:
    """Return the facts that a table stands for: those of a family, or itself."""
    return tuple(table.get(FOR, (name,)))


def _names(value: object, place: Place) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise place.error("must be names with spaces between")
    names = tuple(value.split())
    if double := next((name for name in names if names.count(name) > 1), ""):
        raise place.error(f"'{double}' stands there twice; keep one")
    return names
