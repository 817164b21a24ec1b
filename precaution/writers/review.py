"""Writes the sheets of a review, what is read and signed of each rule and duty, as one HTML page that prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.knowledge.model import SignOff
from precaution.writers.booklet import page_environment
from precaution.writers.layout import NOTE
from precaution.writers.rule_content import RuleContent, rule_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precaution.knowledge.folder import Lists
    from precaution.knowledge.model import Label
    from precaution.writers.rule_content import ShownCase


class ReviewSheet(NamedTuple):
    """What is read and signed of one rule or duty."""

    content: RuleContent
    code: str
    """The short code of exactly this content, which a signature names."""
    sign_off: SignOff
    codes: tuple[tuple[str, tuple[str, ...]], ...]
    """(code list, its codes) of those behind it."""


def sheet(
    label: Label,
    name: str,
    code: str,
    sign_off: SignOff,
    concepts: Sequence[str],
    lists: Lists,
    cases: Sequence[ShownCase],
) -> ReviewSheet:
    """Return the sheet of a rule or duty; `concepts` are the code lists behind it, `lists` all of the label's."""
    codes = [
        (concept, tuple(f"{system} {each}" for system, each in sorted(lists.get(concept, ())))) for concept in concepts
    ]
    return ReviewSheet(rule_content(label, name, cases), code, sign_off, tuple(codes))


def sheets_page(label: Label, sheets: Sequence[ReviewSheet], words: Mapping[str, str]) -> str:
    """Return the page; `words` are the exact sentences by id, where the label's text was given."""
    return (
        page_environment().get_template("review.html.jinja").render(label=label, sheets=sheets, words=words, note=NOTE)
    )
