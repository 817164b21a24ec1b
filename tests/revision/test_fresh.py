"""A folder is begun of a text that nobody has read: it loads, every sentence waits, and check says how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precaution.checks import check
from precaution.errors import InputError, UsageError
from precaution.knowledge.loading import read_label
from precaution.revision.fresh import begun
from precaution.revision.texts import LabelText, read_text
from support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

TEXT = PROJECT / "examples" / "new-label" / "text.txt"


def test_every_sentence_waits_and_every_letter_has_one(tmp_path: Path) -> None:
    number = begun(read_text(TEXT), tmp_path / "new", "fictivast", "1")
    label = read_label(tmp_path / "new")
    assert len(label.says) == number
    assert {says.role for says in label.says.values()} == {"unread"}
    found = [str(each) for each in check(tmp_path / "new", TEXT)]
    assert found[0] == f"topics/unread.toml: {number} sentences wait to be read, first S01"
    assert all("of: must not be empty" in each for each in found[1:])


@pytest.mark.parametrize("drug", ["", "../x", "a b", "Überdrug"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, drug: str) -> None:
    with pytest.raises(UsageError, match="no name for a label"):
        begun(LabelText("Ask.", "t"), tmp_path / "new", drug, "1")


def test_a_text_without_sentences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sentences"):
        begun(LabelText("12 - 4", "t"), tmp_path / "new", "x", "1")


def test_a_real_product_information_begins_a_folder(shared: Path, tmp_path: Path) -> None:
    epi = shared / "clinical" / "methotrexate" / "epi.json"
    assert begun(read_text(epi, ["4.3", "4.4"]), tmp_path / "new", "examplate", "1") > 100
    assert not [each for each in check(tmp_path / "new", epi) if "exact" in each.where]
