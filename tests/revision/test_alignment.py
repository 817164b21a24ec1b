"""What became of a label's sentences in another text: by digest wherever they moved, one edit one change."""

from __future__ import annotations

import random
from collections import Counter
from hashlib import sha256

import pytest

from precaution.knowledge.model import Says
from precaution.revision.alignment import Aligned, aligned
from precaution.revision.sentences import sentences
from support.effort import tries

LINES = (
    "Wait with the start until potassium was measured.",
    "Patients over 80 years;",
    "Patients with gout or with stones of the kidney.",
    "Measure potassium every month. Measure creatinine twice a year, and after each change of dose.",
    "Hepatic function",
    "Stop treatment when potassium is above 6 mmol/L; do not resume before it is below 5 mmol/L.",
    "In trials (e.g. the first one) potassium rose in 3 of 100 patients.",
    "Hepatic function was normal in all of them.",
)
TEXT = "\n".join(LINES)


def says_of(text: str) -> list[Says]:
    return [
        Says(
            id=f"S{number:02d}",
            topic="t",
            sha256=sha256(stretch.of(text).encode()).hexdigest(),
            role="directive",
            means="ours",
            start=stretch.start,
            end=stretch.end,
        )
        for number, stretch in enumerate(sentences(text), start=1)
    ]


SAYS = says_of(TEXT)
WORDS = {each.id: TEXT[each.start : each.end] for each in SAYS}


def other(text: str, *, with_old: bool) -> list[tuple[str, str, str]]:
    """Return state, id and new words of what is not as it was."""
    rows = aligned(SAYS, text, WORDS if with_old else {})
    return [(row.state, row.says, row.now.of(text) if row.now else "") for row in rows if row.state != "unchanged"]


def test_a_text_is_cut_into_lines_and_sentences() -> None:
    assert [WORDS[each.id] for each in SAYS][3:5] == [
        "Measure potassium every month.",
        "Measure creatinine twice a year, and after each change of dose.",
    ]
    assert len(SAYS) == len(LINES) + 1


@pytest.mark.parametrize("with_old", [False, True])
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("", ""), []),
        (("80", "75"), [("changed", "S02", "Patients over 75 years;")]),
        (("every month", "everyx month"), [("changed", "S04", "Measure potassium everyx month.")]),
        (("Hepatic function\n", ""), [("removed", "S06", "")]),
        (
            ("Hepatic function\n", "Hepatic function\nAsk for pain of the flank.\n"),
            [("added", "", "Ask for pain of the flank.")],
        ),
        (("Wait with", "  Wait   with"), []),
        (("\n", "\r\n"), []),
        ((" ", "\n"), []),
        (("3 of 100", "5 of 100"), [("changed", "S08", LINES[6].replace("3 of", "5 of"))]),
    ],
)
def test_an_edit_is_one_change(edit: tuple[str, str], expected: list[tuple[str, str, str]], *, with_old: bool) -> None:
    times = -1 if not edit[0].strip() and edit[0] else 1
    new = TEXT.replace(*edit, times) if edit[0] else TEXT
    assert other(new, with_old=with_old) == expected


@pytest.mark.parametrize("with_old", [False, True])
def test_a_line_that_moved_is_found_where_it_is(*, with_old: bool) -> None:
    new = "\n".join([*LINES[1:6], LINES[0], *LINES[6:]])
    assert other(new, with_old=with_old) == [("moved", "S01", LINES[0])]


def test_what_moved_and_changed_is_one_change_where_the_old_text_is_given() -> None:
    moved = LINES[0].replace("start", "first dose")
    new = "\n".join([*LINES[1:6], moved, *LINES[6:]])
    assert other(new, with_old=True) == [("changed", "S01", moved)]
    assert sorted(other(new, with_old=False)) == [("added", "", moved), ("removed", "S01", "")]


def test_a_short_heading_is_not_found_in_a_sentence() -> None:
    new = TEXT.replace("Hepatic function\n", "").replace("normal in all", "normal in most")
    assert ("removed", "S06", "") in other(new, with_old=False)


def test_a_sentence_that_stands_twice_is_found_twice() -> None:
    twice = "Measure it.\nBefore.\nMeasure it.\nAfter."
    says = says_of(twice)
    new = "Measure it.\nBefore now.\nMeasure it.\nAfter."
    assert Counter(row.state for row in aligned(says, new, {})) == {"unchanged": 3, "changed": 1}
    assert [row.says for row in aligned(says, new, {}) if row.state == "changed"] == ["S02"]


def test_whatever_is_done_to_a_text_nothing_of_it_is_lost() -> None:
    """Each sentence of the label has one state, and each character of the new text stands in one sentence."""
    for seed in range(tries(60, 600)):
        draw = random.Random(seed)  # noqa: S311
        new = edited(TEXT, draw)
        for words in ({}, WORDS):
            rows = aligned(SAYS, new, words)
            assert sorted(row.says for row in rows if row.says) == [each.id for each in SAYS]
            assert covered(rows, new) == [], (seed, new)


def covered(rows: list[Aligned], text: str) -> list[int]:
    """Return the characters that stand in no sentence, or in two."""
    counts = Counter(at for row in rows if row.now for at in range(row.now.start, row.now.end))
    return [at for at, letter in enumerate(text) if not letter.isspace() and counts[at] != 1]


def edited(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        to = min(len(text), at + draw.randint(0, 60))
        kind = draw.choice(("cut", "put", "twice", "move"))
        piece = text[at:to]
        if kind == "cut":
            text = text[:at] + text[to:]
        elif kind == "put":
            text = text[:at] + draw.choice(("x", " ", "\n", "5", ". A", "Ask for pain.", "\n• ")) + text[at:]
        elif kind == "twice":
            text = text[:to] + piece + text[to:]
        else:
            text = text[:at] + text[to:]
            place = draw.randrange(len(text) + 1)
            text = text[:place] + piece + text[place:]
    return text
