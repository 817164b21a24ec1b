"""The command `hook`: one patient's record as an EHR would send it, and the cards that come back."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import click

from precaution.cli import options
from precaution.cli.group import precaution
from precaution.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from precaution.cli.options import Chosen

_EMPHASIS = re.compile(r"(?<!\\)\*{1,2}([^*\n]+)\*{1,2}")
_WHY = {
    "not concerned": "the drug is neither taken nor ordered, and nothing is ordered that the label speaks of",
    "decided": "the label has nothing to say",
    "died": "the record says that the patient has died",
}


@precaution.command(
    short_help="Show the cards that an EHR would get for a patient.",
    epilog=options.examples(
        "precaution hook patient.json --today 2025-03-01",
        "precaution hook patient.json --hook patient-view",
        "precaution hook patient.json --request > call.json",
    ),
)
@options.patient
@click.option(
    "--hook",
    "called",
    type=click.Choice(["patient-view", "order-select", "order-sign"]),
    default="order-sign",
    show_default=True,
    help="The hook that is called; the two of ordering order the label's drug.",
)
@click.option("--request", is_flag=True, help="Write the body of the call as JSON, and decide nothing.")
@options.day
@options.label
@options.as_json
def hook(chosen: Chosen, patient: str, called: str, request: bool, today: date | None, json: bool) -> None:
    """Make a call of a CDS Hook from a record, as an EHR would send it, and show the cards.

    Needs no server: the call is decided here, by what `precaution serve` decides by, and nothing is kept. What the
    record holds nothing of is not sent, so it counts as not known. --request writes the call, to send to a service.
    """
    from precaution.readers.json_input import documents
    from precaution.service.cards.vocabulary import load_vocabulary
    from precaution.service.made_calls import cards_for, made_call
    from precaution.writers.structured import as_json

    call = made_call(documents(options.named_source(patient)), chosen.label, called)
    if call.left_out:
        click.echo(f"precaution: no query asks for {', '.join(call.left_out)}: not sent", err=True)
    if request:
        emit(as_json(call.body))
        return
    day = options.chosen_day(today).toordinal()
    cards, why = cards_for(call, chosen.label, load_vocabulary(chosen.folder, chosen.label), day)
    emit(as_json({"cards": cards}) if json else "\n".join(_lines(cards, why or "decided")) + "\n")


def _lines(cards: list[dict[str, Any]], why: str) -> Iterator[str]:
    if not cards:
        yield f"No card: {_WHY.get(why, why)}."
    for number, card in enumerate(cards):
        yield from _card(card, first=not number)


def plain(markdown: str) -> str:
    """Return a card's detail without marks of Markdown, and without the escapes that keep words from being some."""
    return unescape(_EMPHASIS.sub(r"\1", markdown))


def _card(card: dict[str, Any], *, first: bool) -> Iterator[str]:
    if not first:
        yield ""
    yield f"[{card['indicator']}] {card['summary']}"
    yield from (f"  {line}".rstrip() for line in plain(str(card.get("detail", ""))).splitlines())
    for suggestion in card.get("suggestions", ()):
        yield f"  [ ] {suggestion['label']}"
    if reasons := card.get("overrideReasons"):
        yield f"  Can be overridden for {len(reasons)} reasons."
