"""Takes a new text over: a label's folder written anew, in which what changed is suspect until it is read again."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, UsageError, did_you_mean
from precaution.knowledge.linking import place_of
from precaution.knowledge.loading import read_label
from precaution.revision.finding import digest
from precaution.revision.toml_edits import marked, quoted, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from precaution.knowledge.model import Label, Says
    from precaution.revision.changes import Revision, SentenceChange
    from precaution.revision.sentences import Stretch

ADDED = "topics/new-text.toml"
"""Where sentences stand that a new text adds, until somebody has read them and given them their topic."""
_VERSION = re.compile(r'^version\s*=\s*"[^"\n]*"', re.MULTILINE)


def adopted(folder: Path, revision: Revision, out: Path, version: str = "") -> None:
    """Write into `out`, a new folder, the label of `folder` for the new text.

    What is unchanged gets its new places, what is changed or removed is suspect, what is added waits to be read; rules,
    parameters, lists and cases are copied as they are. `version`: of the new text. Raises UsageError where `out` holds
    something, KnowledgeError where a file is written in a way that can't be edited.
    """
    before = read_label(folder)
    taken(out)
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ADDED))
    for change in revision.changes:
        if change.says and (edit := _edit(before.says[change.says], change)):
            _edited(out, before.says[change.says], *edit)
    _versioned(out, version or f"{before.version} revised")
    _add([each for each in revision.changes if each.state == "added"], before, out, version)
    _verify(before, read_label(out), revision)


def taken(out: Path) -> None:
    """Raise UsageError where a folder that is to be written holds something."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"'{out}' is there already and holds something; --out takes a new folder")


def exact_of(stretch: Stretch, words: str) -> str:
    """Return the key `exact` of a sentence."""
    return f"{stretch.start}-{stretch.end} {digest(words)}"


def _old(says: Says) -> str:
    return f"{says.start}-{says.end} {says.sha256}"


def _edit(says: Says, change: SentenceChange) -> tuple[str, dict[str, str]] | None:
    """Return the new `exact` of a sentence and the keys to add; nothing where it stays as it is."""
    if says.suspect == "removed" and change.now is None:
        return None
    if change.now is None:
        return _old(says), {} if says.suspect else {"suspect": "removed", "was": _old(says)}
    marks = {"suspect": "changed", "was": _old(says)} if change.state == "changed" and not says.suspect else {}
    return exact_of(change.now, change.words), marks


def _edited(out: Path, says: Says, now: str, marks: dict[str, str]) -> None:
    path = out / place_of(says).file
    path.write_text(marked(path.read_text(encoding="utf-8"), _old(says), now, marks), encoding="utf-8", newline="\n")


def _versioned(out: Path, version: str) -> None:
    path = out / "label.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        _VERSION.sub(lambda _: f"version = {quoted(version)}", text, count=1), encoding="utf-8", newline="\n"
    )


def _add(changes: Sequence[SentenceChange], before: Label, out: Path, version: str) -> None:
    if not changes:
        return
    why = f"Added by version {version}." if version else "Added by a new text."
    ids = free_ids(before.says, len(changes))
    path = out / ADDED
    known = (
        path.read_text(encoding="utf-8")
        if path.exists()
        else "# Sentences that a new text adds. Nobody has read them.\n"
    )
    tables = [unread_table(id_, each.now, each.words, why) for id_, each in zip(ids, changes, strict=True) if each.now]
    path.write_text("\n".join([known, *tables]), encoding="utf-8", newline="\n")


def unread_table(id_: str, stretch: Stretch, words: str, why: str) -> str:
    """Return the table of a sentence that waits to be read."""
    return f'[says.{id_}]\nexact = "{exact_of(stretch, words)}"\nmeans = "Not read yet."\nunread = {quoted(why)}\n'


def free_ids(known: Iterable[str], number: int) -> list[str]:
    """Return so many ids of sentences that are free, in the way in which the known ones are counted."""
    numbered = [found for each in known if (found := re.fullmatch(r"([A-Za-z]+)(\d+)", each))]
    letters = numbered[-1][1] if numbered else "S"
    last = max((int(found[2]) for found in numbered if found[1] == letters), default=0)
    width = max((len(found[2]) for found in numbered), default=2)
    return [f"{letters}{last + each:0{width}d}" for each in range(1, number + 1)]


def _verify(before: Label, after: Label, revision: Revision) -> None:
    """Raise KnowledgeError unless the written folder says of each sentence what it should, and else what it did."""
    wanted = {each.says: each for each in revision.changes if each.says}
    for id_, says in before.says.items():
        now, change = after.says[id_], wanted[id_]
        place = change.now and exact_of(change.now, change.words)
        if (place and _old(now) != place) or (change.state in ("changed", "removed") and not now.suspect):
            raise KnowledgeError(f"{place_of(says)}: could not be written anew; write `exact` on a line of its own")
    if {*before.rules} != {*after.rules} or {*before.duties} != {*after.duties}:
        raise KnowledgeError("the folder could not be written anew: rules or duties are lost")


def confirmed(folder: Path, sentences: Sequence[str]) -> None:
    """Take the marks of suspect sentences away in a label's folder.

    Raises UsageError for a sentence that is not there, not suspect, or gone from the text: nothing is written then.
    """
    label = read_label(folder)
    for id_ in sentences:
        _refuse(label, id_)
    for id_ in dict.fromkeys(sentences):
        path = folder / place_of(label.says[id_]).file
        text = unmarked(path.read_text(encoding="utf-8"), _old(label.says[id_]))
        path.write_text(text, encoding="utf-8", newline="\n")


def _refuse(label: Label, id_: str) -> None:
    if id_ not in label.says:
        raise UsageError(f"'{id_}' is no sentence of {label.name}.{did_you_mean(id_, label.says)}")
    says = label.says[id_]
    if says.role == "unread":
        raise UsageError(f"{id_} was never read: give it our words and a role in {place_of(says).file}")
    if says.suspect == "removed":
        raise UsageError(
            f"{id_} is gone from the text: remove it from {place_of(says).file}, and what rests on it alone"
        )
    if not says.suspect:
        raise UsageError(f"{id_} is not suspect; there is nothing to confirm")
