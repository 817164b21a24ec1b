"""What every response must be: our schema, and what no schema can say. Each check yields what is wrong."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from support.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((PROJECT / "tests" / "support" / "cds_response.schema.json").read_text("utf-8"))
    )


def wrong(response: Json) -> list[str]:
    """Return what is wrong with a response."""
    found = [f"{list(error.absolute_path)}: {error.message[:120]}" for error in _schema().iter_errors(response)]
    return found or [*_empty(response, "response"), *_rules(response["cards"])]


def _empty(value: object, where: str) -> Iterator[str]:
    """Nothing may be null, and no text, object or list but that of the cards may be empty."""
    if value is None or (value in ("", [], {}) and where != "response.cards"):
        yield f"{where} is empty"
    for name, inner in value.items() if isinstance(value, dict) else []:
        yield from _empty(inner, f"{where}.{name}")
    for inner in value if isinstance(value, list) else []:
        yield from _empty(inner, f"{where}[]")


def _rules(cards: list[Json]) -> Iterator[str]:
    tiers = [card["indicator"] for card in cards]
    if len(set(tiers)) < len(tiers):
        yield "two cards of one tier"
    if tiers != sorted(tiers, key=["critical", "warning", "info"].index):
        yield "the gravest card is not the first"
    uuids = [card["uuid"] for card in cards] + [each["uuid"] for card in cards for each in card.get("suggestions", [])]
    if len(set(uuids)) < len(uuids):
        yield "a uuid is given twice"
    for card in cards:
        if any(letter in card["detail"] for letter in "<>[]`\\") or "://" in card["detail"]:
            yield "the detail holds what a renderer may take for more than text"
        if "not a certified medical device" not in card["detail"]:
            yield "the detail does not say what it is not"
