"""The files of a source: which, cut where, and every line once, whatever is wrong with the file."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precaution.cohort.context import SourceFile
from precaution.cohort.sort import files as source_files
from precaution.cohort.sort.files import FilePiece, files, is_document, lines, pieces
from precaution.errors import InputError
from support.effort import tries


class Line(NamedTuple):
    """A line that is not blank, or why lines are missing."""

    number: int
    data: bytes
    wrong: str = ""


def of(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read(path: Path, size: int = 10**9, limit: int = 1000) -> list[list[Line]]:
    """Return the lines of each piece of a file."""
    about = SourceFile(path.name, path.stat().st_size, 0)
    return [
        [
            Line(number, data, several.wrong)
            for several in lines(path, piece, document=is_document(about.name), limit=limit)
            for number, data in enumerate(several.data or [b""], several.first)
            if data or several.wrong
        ]
        for piece in pieces(path, [about], size)
    ]


def test_files_are_found_in_order_and_results_are_none(tmp_path: Path) -> None:
    (tmp_path / "b" / "out").mkdir(parents=True)
    for name in ("b/z.ndjson", "a.ndjson.gz", "b/out/run.json", "notes.txt", "c.json"):
        of(tmp_path / name, b"{}")
    assert [each.name for each in files(tmp_path, tmp_path / "b" / "out")] == ["a.ndjson.gz", "b/z.ndjson", "c.json"]
    assert [each.name for each in files(tmp_path / "c.json")] == ["c.json"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_source_that_can_not_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=name):
        files(tmp_path / name)


@given(
    data=st.lists(st.binary(max_size=12).map(lambda each: each.replace(b"\n", b"").replace(b"\x1f\x8b", b"x"))),
    size=st.integers(1, 40),
    block=st.integers(1, 30),
    end=st.booleans(),
)
@settings(max_examples=tries(50, 300))
def test_every_line_comes_once_however_the_file_is_cut(data: list[bytes], size: int, block: int, end: bool) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_files, "BLOCK", block)
        path = of(Path(folder, "x.ndjson"), b"\n".join(data) + (b"\n" if end else b""))
        found = read(path, size)
        plain = (
            path.read_bytes().removeprefix(b"\xef\xbb\xbf")
            if data and data[0].startswith(b"\xef\xbb\xbf")
            else b"\n".join(data)
        )
        assert [line.data for piece in found for line in piece] == [
            each.strip() for each in plain.split(b"\n") if each.strip()
        ]
        if size > 1000:
            assert [line.number for line in found[0]] == [n for n, each in enumerate(data, 1) if each.strip()]


def test_lines_are_counted_with_blank_ones_and_a_byte_order_mark_is_no_data(tmp_path: Path) -> None:
    path = of(tmp_path / "x.ndjson", b"\xef\xbb\xbf{1}\r\n\n  \n{2}")
    assert read(path) == [[Line(1, b"{1}"), Line(4, b"{2}")]]


@pytest.mark.parametrize("cut", [1, 8, 40, 200])
def test_a_gzip_file_that_ends_early_says_so_and_gives_what_came_before(cut: int, tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"n":%d}\n' % number for number in range(5000)))
    (found,) = read(of(tmp_path / "x.ndjson.gz", whole[:-cut]))
    assert "ends early" in found[-1].wrong
    assert not any(line.wrong for line in found[:-1])
    assert [line.data for line in found[:3]] in ([b'{"n":0}', b'{"n":1}', b'{"n":2}'], [b""])


def test_gzip_is_known_by_its_bytes_and_may_have_several_parts(tmp_path: Path) -> None:
    path = of(tmp_path / "x.ndjson", gzip.compress(b"{1}\n") + gzip.compress(b"{2}\n"))
    assert [line.data for line in read(path, 5)[0]] == [b"{1}", b"{2}"]


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"{1}\n"))
    packed[-6] ^= 1
    assert read(of(tmp_path / "x.ndjson.gz", bytes(packed)))[0][-1].wrong


def test_a_line_that_is_too_long_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_files, "BLOCK", 64)
    path = of(tmp_path / "x.ndjson", b"{1}\n" + b"x" * 5000 + b"\n{3}\n")
    (found,) = read(path, limit=1000)
    assert [(line.number, line.data, bool(line.wrong)) for line in found] == [
        (1, b"{1}", False),
        (2, b"", True),
        (3, b"{3}", False),
    ]


def test_a_document_is_one(tmp_path: Path) -> None:
    assert read(of(tmp_path / "x.json", b' {\n"a": 1}\n'), size=2) == [[Line(0, b'{\n"a": 1}')]]
    assert read(of(tmp_path / "x.json", b"x" * 2000))[0][0].wrong
    assert read(of(tmp_path / "x.json.gz", gzip.compress(b"{}")[:-3]))[0][0].wrong
    assert read(of(tmp_path / "x.json", b"")) == [[]]


def test_pieces_cover_a_file_and_only_plain_lines_are_cut(tmp_path: Path) -> None:
    of(tmp_path / "x.ndjson", b"1\n" * 50)
    of(tmp_path / "y.json", b"1\n" * 50)
    assert pieces(tmp_path, files(tmp_path), 40) == [
        FilePiece(0, "x.ndjson", 0, 40),
        FilePiece(1, "x.ndjson", 40, 80),
        FilePiece(2, "x.ndjson", 80, 100),
        FilePiece(3, "y.json", 0, 100),
    ]


def test_what_is_read_is_told(tmp_path: Path) -> None:
    path, told = of(tmp_path / "x.ndjson", b"1\n" * 500), []
    for piece in pieces(path, [SourceFile("x.ndjson", 1000, 0)], 300):
        list(lines(path, piece, document=False, read=told.append))
    assert sum(told) == 1000
