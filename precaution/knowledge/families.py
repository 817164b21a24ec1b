"""Tables that stand for several: families, with what their members share, and `[result.x]`, the facts about one test.

    [rule.low-count]                                            a family, and two members
    for.low-neutrophils = { fact = "anc", count = "Neutrophils" }
    for.low-lymphocytes = { fact = "alc", count = "Lymphocytes" }
    title = "{count} below {@-limit}"
    when = "@ < @-limit"

    [rule.low-hemoglobin]                                       one more, in its own place or in another topic
    like = "low-count"
    fact = "hemoglobin"
    count = "Hemoglobin"

A key that a member gives too is its own. A key that no such table has is a word, which stands in braces where it is
meant. `@` is the member's `fact`, or its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from precaution.errors import did_you_mean
from precaution.knowledge.refers import Concepts, DaysName, NumberName, Stage
from precaution.knowledge.shorthand import BRACES
from precaution.knowledge.toml import Place, Table, as_table, read

FOR = "for"
LIKE = "like"
IT = "@"
FACT = "fact"
View = Literal["last", "lowest", "highest", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`[result.anc]`: facts about one laboratory test, which share all that is said here.

    The latest result is the fact of the table's name; each of `views` is one more, as `anc-lowest`.
    """

    title: str = ""
    """What it is, as a reader of the answer sees it; the titles of views are made of it. The name where left out."""
    reading: str = ""
    """How we take the label's open words here."""
    latest: Concepts
    """Results, any of these."""
    worst: Literal["low", "high"]
    """Which of several on one day counts."""
    within: Mapping[Stage, DaysName] = field(default_factory=dict["Stage", str])
    """Parameter: how old it may be, by stage; any age where left out."""
    derived: Concepts = ()
    """Two results of one day, a count and a percentage of it, that stand in where no direct result does."""
    unit: str = ""
    """The UCUM unit in which it is compared."""
    views: tuple[View, ...] = ()
    """`last`: the latest, however old; `lowest`, `highest`: since treatment started; `release`: the latest that may
    end a hold, not older than `within` allows while interrupted."""
    release: NumberName = ""
    """Parameter: how many of the last results count for the view `release`; the worst of them is its value."""


class Member(NamedTuple):
    """A table without `for` and `like`."""

    name: str
    table: Table
    fact: str
    """What `@` stands for: the fact of a member of a family, or its name; empty for a table by itself."""


# ---- Families -------------------------------------------------------------------------------------------------


def members(
    name: str, table: Table, known: Collection[str], families: Mapping[str, Table], place: Place
) -> Iterator[Member]:
    """Yield what a table stands for: itself, or each member of a family.

    `known` are the keys that such a table may have, `families` what the families of its section share. Raises
    KnowledgeError for a family that is not there, and for a word that stands nowhere.
    """
    if LIKE in table:
        family = str(table[LIKE])
        if family not in families:
            raise place.at(LIKE).error(f"no family is called '{family}'.{did_you_mean(family, families)}")
        yield _member(name, families[family], without(table, LIKE), known, place)
    elif FOR in table:
        _refuse_idle(_words(without(table, FOR), known), table, known, place)
        for each, member in as_table(table[FOR], place.at(FOR)).items():
            at = place.at(f"{FOR}.{each}")
            yield _member(each, without(table, FOR), as_table(member, at), known, at)
    else:
        yield Member(name, table, "")


def without(table: Table, key: str) -> Table:
    """Return a table less one of its keys."""
    return {each: value for each, value in table.items() if each != key}


def _member(name: str, common: Table, own: Table, known: Collection[str], place: Place) -> Member:
    whole = {**common, **own}
    _refuse_idle(_words(own, known), whole, known, place)
    words = _words(whole, known)
    fact = words.get(FACT, name)

    def fill(text: str) -> str:
        return BRACES.sub(lambda found: words.get(found[1], found[0]), text.replace(IT, fact))

    return Member(name, {key: mapped(value, fill) for key, value in whole.items() if key in known}, fact)


def _words(table: Table, known: Collection[str]) -> dict[str, str]:
    return {key: str(value) for key, value in table.items() if key not in known}


def _refuse_idle(words: Mapping[str, str], table: Table, known: Collection[str], place: Place) -> None:
    """Raise KnowledgeError for a word that stands in no text of a table: most likely a key that is misspelt."""
    texts = list(_texts(table))
    for word in words:
        sign = IT if word == FACT else f"{{{word}}}"
        if not any(sign in text for text in texts):
            raise place.error(f"'{word}' is not known here, and {sign} stands nowhere.{did_you_mean(word, known)}")


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a TOML value with every text in it changed; keys stay as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {key: mapped(each, change) for key, each in value.items()}
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


# ---- [result.x] --------------------------------------------------------------------------------------------


def views(name: str, table: Table, place: Place) -> Iterator[tuple[str, Table]]:
    """Yield the names and tables of the facts that a `[result.x]` stands for.

    Raises KnowledgeError for what such a table can't have, and for a view `release` without its parameter.
    """
    result = read(Result, table, place)
    if ("release" in result.views) != bool(result.release):
        raise place.error("'release' names a parameter for the view \"release\"; give both or neither")
    yield name, _fact(result, result.title, latest=result.latest, worst=result.worst, within=result.within)
    for view in result.views:
        yield f"{name}-{view}", _view(result, view)


def _view(result: Result, view: View) -> Table:
    title = result.title
    match view:
        case "last":
            return _fact(result, f"last {title}, however old", latest=result.latest, worst=result.worst)
        case "lowest":
            return _fact(result, f"lowest {title} since treatment started", extreme=result.latest, worst="low")
        case "highest":
            return _fact(result, f"highest {title} since treatment started", extreme=result.latest, worst="high")
        case "release":
            return _fact(
                result,
                f"{title} that may release",
                latest=result.latest,
                worst=result.worst,
                within=result.within.get("interrupted", ""),
                last=result.release,
            )


def _fact(result: Result, title: str, **keys: object) -> Table:
    """Return the table of a fact as a file would write it, without what is empty."""
    whole = {"title": title, "reading": result.reading, "derived": result.derived, "unit": result.unit, **keys}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in whole.items() if value}
