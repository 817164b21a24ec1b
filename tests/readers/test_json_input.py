"""Strict JSON from bytes, files, folders and standard input."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from precaution.errors import InputError, NoPatient
from precaution.readers import read, read_bytes, read_resources
from precaution.readers.json_input import LIMIT, documents, parsed
from precaution.values.record import Record
from support.fhir_builders import ASKS, TERMS, bundle, observation, patient, quantity

WHOLE = bundle(patient(), observation(valueQuantity=quantity(2.5, "10*9/L")))


def as_bytes(value: object = WHOLE) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "data",
    [
        as_bytes(),
        b"\xef\xbb\xbf" + as_bytes(),
        gzip.compress(as_bytes(), mtime=0),
        b"  \n" + as_bytes() + b"\n",
        as_bytes([patient(), observation()]),
        as_bytes(patient()) + b"\n\n" + as_bytes(observation()) + b"\r\n",
        gzip.compress(as_bytes(patient()), mtime=0) + gzip.compress(b"\n" + as_bytes(observation()), mtime=0),
    ],
)
def test_every_form_of_one_patient(data: bytes) -> None:
    assert len(read_bytes(data, TERMS, ASKS).entries["count"]) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the input is empty"),
        (b" \n ", "the input is empty"),
        (gzip.compress(b"", mtime=0), "the input is empty"),
        (b"<Bundle/>", "is XML"),
        (b"{", "not strict JSON: EOF while parsing an object at line 1 column 1"),
        (b'{"a": 1, "a": 2}', "an object has the same key twice at line 1"),
        (b"[NaN]", "not strict JSON"),
        (b"[-Infinity]", "not strict JSON"),
        (b"[" * 300 + b"]" * 300, "nested more than 200 levels deep"),
        (b'{"resourceType": "\xff"}', "not strict JSON: invalid unicode"),
        (b'["\\ud800"]', "not strict JSON"),
        (b"[1,]", "trailing comma"),
        (b"// comment\n{}", "not strict JSON"),
        ("{}".encode("utf-16"), "not strict JSON"),
        (b'{"resourceType": "Patient"}\n{"resourceType": ', "line 2 of NDJSON"),
        (b'{"a": 1}{"b": 2}', "trailing characters"),
        (gzip.compress(as_bytes(), mtime=0)[:-12], "damaged gzip"),
        (gzip.compress(as_bytes(), mtime=0)[:40] + b"xxxx" + gzip.compress(as_bytes(), mtime=0)[44:], "damaged gzip"),
        (b"\x1f\x8b", "damaged gzip"),
    ],
)
def test_what_can_not_be_read(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_bytes(data, TERMS, ASKS, "the input")


@pytest.mark.parametrize("data", [b'{"Jane Doe": 1, "Jane Doe": 2}', b'{"name": "Jane Doe" x}', b'["Jane Doe\x01"]'])
def test_messages_hold_nothing_of_the_record(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_bytes(data, TERMS, ASKS)
    assert "Jane" not in str(caught.value)


def test_size_is_limited_after_unpacking_too() -> None:
    for data in (b"[" + b" " * 2000 + b"]", gzip.compress(b"[" + b" " * 200_000 + b"]", mtime=0)):
        with pytest.raises(InputError, match="larger than"):
            parsed(data, "it", limit=1000)
    assert LIMIT == 100 * 1024 * 1024


@pytest.mark.parametrize("data", [b"1", b'"text"', b"null", b"[]", b"{}", b"[null, 1, []]", b'{"resourceType": 7}'])
def test_json_that_is_no_record(data: bytes) -> None:
    with pytest.raises(NoPatient):
        read_bytes(data, TERMS, ASKS)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400])
def test_a_number_that_is_not_finite(number: str) -> None:
    data = as_bytes().replace(b"2.5", number.encode())
    with pytest.raises(InputError, match=r"Observation/observation: valueQuantity.value is not a finite number"):
        read_bytes(data, TERMS, ASKS)


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.json").write_bytes(as_bytes(patient()))
    (tmp_path / "deep" / "b.ndjson.gz").write_bytes(gzip.compress(as_bytes(observation())))
    (tmp_path / "notes.txt").write_text("not read")
    assert len(read(tmp_path, TERMS, ASKS).entries["count"]) == 1


def test_a_broken_file_of_a_folder_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "Jane_Doe.json").write_bytes(as_bytes(patient()))
    (tmp_path / "John_Doe.json").write_bytes(b"{")
    with pytest.raises(InputError, match="^file 2 of 2 ") as caught:
        read(tmp_path, TERMS, ASKS)
    assert "John" not in str(caught.value)


def test_the_limit_holds_for_a_folder_together(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.json").write_bytes(b"[" + b" " * 500 + b"]")
    with pytest.raises(InputError, match="larger than"):
        list(documents(tmp_path, limit=1200))


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none.json", TERMS, ASKS)
    with pytest.raises(InputError, match=r"holds no \.json"):
        read(tmp_path, TERMS, ASKS)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(as_bytes())))
    assert "count" in read("-", TERMS, ASKS).entries


def test_a_path_bytes_and_parsed_json_give_the_same_record(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(as_bytes())
    expected = read(path, TERMS, ASKS)
    assert isinstance(expected, Record)
    assert read(str(path), TERMS, ASKS) == expected
    assert read_bytes(as_bytes(), TERMS, ASKS) == expected
    for resources in ([WHOLE], [each["resource"] for each in WHOLE["entry"]]):
        assert read_resources(resources, TERMS, ASKS) == expected
