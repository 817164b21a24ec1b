"""What a text changes in a label: each sentence, what became of it, and what rests on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precaution.errors import InputError
from precaution.revision.alignment import Aligned, State, aligned
from precaution.revision.finding import SURE, digest, places
from precaution.revision.likeness import Difference, differences
from precaution.revision.resting import Resting, resting_on
from precaution.revision.sentences import Stretch
from precaution.revision.texts import LabelText, of_sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from precaution.cases.load import Case
    from precaution.knowledge.model import Label, Says
    from precaution.revision.sections import TextSection

STATES: tuple[State, ...] = ("unchanged", "moved", "changed", "added", "removed")
MOST_OF = 0.5
"""Where so large a part of what stands in a section is the label's, what is new there may be the label's too."""
_LANGUAGE = "en"
"""The language of a label's text where label.toml does not say one."""


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence of the label or of the new text, and what became of it."""

    state: State
    says: str
    """Its id; empty for one that is added."""
    means: str
    """Our words for it; empty for one that is added."""
    now: Stretch | None
    """Where it stands in the new text."""
    was: str
    """The exact old words, where the old text was given."""
    words: str
    """The exact new words; empty for one that is removed."""
    differ: tuple[Difference, ...]
    """The words that differ, where the old text was given and it is changed."""
    moved: bool
    """Whether it is changed and also stands elsewhere."""
    rests: Resting
    """What rests on it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A label held against another text."""

    label: str
    version: str
    text: LabelText
    """The new text, of the sections that concern the label."""
    changes: tuple[SentenceChange, ...]
    """In the order of the new text."""

    def counts(self) -> dict[State, int]:
        """Return how many sentences there are of each state."""
        found = Counter(each.state for each in self.changes)
        return {state: found[state] for state in STATES}


def revision(
    label: Label,
    cases: Sequence[Case],
    text: LabelText,
    *,
    old: LabelText | None = None,
    hazards: Mapping[str, str] | None = None,
    every_section: bool = False,
) -> Revision:
    """Return what `text` changes in a label.

    `old`: the label's own text, to show the words that differ. `every_section`: whether all sections of `text` are
    the label's, and not only those where it is found. Raises InputError where `old` is not the text that the label
    was read from, and where `text` is in another language or holds none of its sentences.
    """
    words = exact_words(label, concerned(label, old)) if old is not None else {}
    says = tuple(label.says.values())
    refuse_language(label, text)
    text = text if every_section else concerned(label, text)
    rows = aligned(says, text.text, words)
    if says and not any(row.state in ("unchanged", "moved") for row in rows):
        raise InputError(
            f"{text.where}: none of the {len(says)} sentences of {label.name} {label.version} is in it; it is another "
            "medicine's text, another section, or in another language"
        )
    rests = resting_on(label, cases, hazards or {})
    return Revision(
        label.name, label.version, text, tuple(_change(row, label, text.text, words, rests) for row in rows)
    )


def concerned(label: Label, text: LabelText) -> LabelText:
    """Return of a document the sections where the label's sentences stand, and those beside them; a plain text whole.

    A document in which none stands is returned whole.
    """
    held = tuple(_held(tuple(label.says.values()), text))
    return of_sections(text, held) if held else text


def refuse_language(label: Label, text: LabelText) -> None:
    """Raise InputError where a text says that it is in another language than the label was read in."""
    told = label.about.get("provenance")
    known = str(told.get("language", _LANGUAGE)) if isinstance(told, dict) else _LANGUAGE
    if text.language and _bare(text.language) != _bare(known):
        raise InputError(
            f"{text.where} is in language '{text.language}'; {label.name} was read in '{known}' and has no readings of "
            "another: give the text in that language, or begin a folder of its own with `precaution label new`"
        )


def _bare(language: str) -> str:
    return language.lower().partition("-")[0].partition("_")[0]


def exact_words(label: Label, text: LabelText) -> dict[str, str]:
    """Return the exact sentences by id, from the label's own text.

    Raises InputError where it is not that text: every sentence must have the digest that the label gives. One that is
    suspect is left out where it is gone from the text.
    """
    words: dict[str, str] = {}
    for each in label.says.values():
        sentence = text.text[each.start : each.end]
        if digest(sentence) == each.sha256:
            words[each.id] = sentence
        elif each.suspect != "removed":
            raise InputError(
                f"{text.where}: {each.id} is not the sentence that {label.name} {label.version} was read from; "
                "`precaution label diff` says what differs"
            )
    return words


def _held(says: Sequence[Says], text: LabelText) -> Iterator[TextSection]:
    """Yield the sections that hold sentences of the label, and those beside them under the same heading."""
    holds = _holding(says, text)
    for section in text.sections:
        if section.number in holds or _beside(section, text.sections, holds):
            yield section


def _holding(says: Sequence[Says], text: LabelText) -> set[int]:
    """Return the sections that hold sentences which no fuller section holds: a heading may stand in any of them."""
    lengths = {each.id: each.end - each.start for each in says}
    found = {each.number: set(places(says, each.text, {})) for each in text.sections}
    known: set[str] = set()
    holds: set[int] = set()
    for number, ids in sorted(found.items(), key=lambda each: -len(each[1])):
        if any(lengths[id_] >= SURE for id_ in ids - known):
            holds.add(number)
            known |= ids
    return holds


def _beside(section: TextSection, every: Sequence[TextSection], holds: set[int]) -> bool:
    """Whether most of the sections under the same heading hold sentences of the label, or its own heading does."""
    if not section.above:
        return False
    siblings = [each for each in every if each.above == section.above]
    parent = next((e for e in every if (*e.above, e.heading) == section.above), None)
    inside = sum(each.number in holds for each in siblings)
    return bool(parent and parent.number in holds) or inside >= MOST_OF * len(siblings)


def _change(
    row: Aligned, label: Label, text: str, words: Mapping[str, str], rests: Mapping[str, Resting]
) -> SentenceChange:
    was = words.get(row.says, "")
    now = row.now.of(text) if row.now else ""
    return SentenceChange(
        state=row.state,
        says=row.says,
        means=label.says[row.says].means if row.says else "",
        now=row.now,
        was=was,
        words=now,
        differ=differences(was, now) if row.state == "changed" and was else (),
        moved=row.moved,
        rests=rests.get(row.says, Resting()),
    )
