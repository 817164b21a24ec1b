"""Drugs that count by one route and not by another: a vaginal oestrogen acts where it is put, a tablet everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.terminology import has_word
from precaution.readers.json_access import Json, child, children, coded, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precaution.knowledge.terminology import Terminology

LOCAL = "its route or form is local"
NOT_TOLD = "it is not told whether its route is a local one"
TWO_ROUTES = "its route is told in two ways"


class RouteMeaning(NamedTuple):
    """What the route of a drug makes of a concept that its code or words speak of."""

    concept: str
    """The concept it belongs to; empty where it does not count."""
    certain: bool = True
    note: str = ""


def by_route(terminology: Terminology, name: str, said: Sequence[str], *, certain: bool = True) -> RouteMeaning:
    """Return what a concept becomes by what is said of route and form: displays, codes and texts.

    A concept for which no route matters stays what it is; so does one whose code (`certain`) tells the route itself.
    """
    concept = terminology.by_route.get(name)
    if concept is None or (certain and name == concept.counts_as):
        return RouteMeaning(name, certain)
    local, systemic = (any(has_word(words, each) for each in said) for words in (concept.local, concept.systemic))
    if local and not systemic:
        return RouteMeaning("", note=LOCAL)
    if systemic and not local:
        return RouteMeaning(concept.counts_as, certain)
    return RouteMeaning(concept.counts_as, certain=False, note=TWO_ROUTES if local else NOT_TOLD)


def said_of_route(resource: Json, medication: Json | None, concepts: Iterable[Json], named: str) -> list[str]:
    """Return what a prescription, its drug and their texts say that may tell the route or the form."""
    dosages = [*children(resource, "dosageInstruction"), *children(resource, "dosage")]
    dosages.append(child(resource, "dosage"))
    routes = [child(each, "route") for each in dosages]
    form = [child(medication, "form")] if medication is not None else []
    texts = [named, *(text(each, "text") for each in dosages)]
    return [each for each in (*texts, *(word for one in (*routes, *form, *concepts) for word in _said(one))) if each]


def _said(concept: Json) -> Iterator[str]:
    yield text(concept, "text")
    for coding in children(concept, "coding"):
        yield text(coding, "display")
    yield from (code for _, code in coded(concept))
