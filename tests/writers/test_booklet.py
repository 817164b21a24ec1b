"""The booklet: complete, self-contained, and the same for the same label."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from precaution.writers.booklet import pages
from precaution.writers.rule_content import ShownCase
from support.sample_label import LABEL, RULES

CASES = {"low-a": [ShownCase("A of 0.99 keeps from starting", "holds")]}


@pytest.fixture(scope="module")
def html() -> str:
    return pages(LABEL, CASES)["examplinib.html"]


@pytest.fixture(scope="module")
def markdown() -> str:
    return pages(LABEL, CASES)["examplinib.md"]


class Page(HTMLParser):
    """Collects tags, ids and links, and refuses tags that are left open."""

    VOID = ("meta", "link", "br", "img", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_every_link_leads_somewhere(html: str) -> None:
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_the_page_needs_nothing_else(html: str) -> None:
    page = Page(html)
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert all(link.startswith("#") for link in page.links)
    assert "http" not in html
    assert '<html lang="en">' in html


@pytest.mark.parametrize("kind", ["html", "md"])
def test_everything_of_the_label_is_in_it(kind: str) -> None:
    page = pages(LABEL, CASES)[f"examplinib.{kind}"]
    names = (*LABEL.says, *LABEL.rules, *LABEL.duties, *LABEL.parameters, *(ask.number for ask in LABEL.asks.values()))
    assert [name for name in names if name not in page] == []


def test_a_rule_in_markdown(markdown: str) -> None:
    assert (
        """### Low A

Rule `low-a`, from S01, S02.

Equal to 1 is not below.

**The rule**

- Count of A is below 1 ×10⁹/L.
  - before-start: ■ do not start; where it can't be told: obtain
"""
        in markdown
    )
    assert "- A of 0.99 keeps from starting: holds" in markdown


def test_what_is_not_in_the_label_is_marked(markdown: str, html: str) -> None:
    assert "Not in the label; why it is here: A site asked for it." in markdown
    assert '<p class="ours">Not in the label; why it is here: A site asked for it.</p>' in html


def test_text_is_escaped() -> None:
    rules = {**RULES, "low-a": replace(RULES["low-a"], reading="A < 1 & <script>alert(1)</script>")}
    page = pages(replace(LABEL, rules=rules), CASES)["examplinib.html"]
    assert "<script>" not in page
    assert "A &lt; 1 &amp; &lt;script&gt;" in page


def test_the_same_label_gives_the_same_bytes() -> None:
    assert pages(LABEL, CASES) == pages(replace(LABEL), dict(CASES))


def test_no_page_says_that_it_is_a_device(markdown: str, html: str) -> None:
    assert "not a certified medical device" in markdown
    assert "not a certified medical device" in html
