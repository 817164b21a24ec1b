"""Files that are no export are refused by name, with what to do; everything else is read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from precaution.cohort import cohort, plan
from precaution.errors import InputError
from support.small_people import people, put

VALUE_SET = {"resourceType": "ValueSet", "id": "v", "status": "active"}
FOREIGN: dict[str, tuple[str, bytes]] = {
    "parquet": ("a.ndjson", b"PAR1\x15\x04\x15" + b"x" * 50 + b"PAR1"),
    "zip": ("a.json", b"PK\x03\x04\x14\x00\x00\x00"),
    "picture": ("Patient.ndjson", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    "something with zeros": ("a.ndjson", b"abc\x00\x01\x02def"),
    "packed binary": ("a.ndjson.gz", gzip.compress(b"PAR1\x15\x04")),
    "utf-16": ("a.json", '{"resourceType":"Patient"}'.encode("utf-16")),
    "npm": ("package.json", b'{"name": "hl7.fhir.r4.core", "version": "4.0.1"}'),
    "list": ("codes.json", b'[{"code": "a"}, {"code": "b"}]'),
    "truth": ("truth.json", b'{"patients": {"p0": {"action": "clear"}}}'),
    "truth in lines": ("truth.ndjson", b'{"person": "a", "action": "clear"}\n' * 5),
    "definitions": (
        "valuesets.json",
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": VALUE_SET}] * 2}).encode(),
    ),
    "a definition": ("StructureDefinition-x.json", b'{"resourceType": "StructureDefinition", "id": "x"}'),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_that_is_no_export_is_refused_by_name(what: str, tmp_path: Path) -> None:
    name, data = FOREIGN[what]
    source = put(tmp_path / "in", *people(1), name="people.ndjson")
    plan(source, tmp_path / "out")
    (source / name).write_bytes(data)
    for path in (source, source / name):
        with pytest.raises(InputError, match=rf"'{name}' is .*take it out"):
            plan(path, tmp_path / "out")
    with pytest.raises(InputError):
        cohort(source, tmp_path / "out", today="2025-03-01", workers=1)


READ: dict[str, tuple[str, bytes]] = {
    "a lost line": ("a.ndjson", b'{"family": "x"}\n'),
    "lines of which some are lost": ("a.ndjson", b'{"a": 1}\n{"a": 2}\n{"resourceType": "Condition"}\n'),
    "broken": ("a.json", b'{"resourceType": '),
    "empty": ("a.json", b""),
    "log": ("log.ndjson", b'{"exportId": "1", "eventId": "kickoff"}\n' * 4),
    "manifest": ("manifest.json", b'{"transactionTime": "2025", "output": []}'),
    "definitions among records": (
        "a.json",
        json.dumps(
            {"resourceType": "Bundle", "entry": [{"resource": VALUE_SET}, {"resource": {"resourceType": "Patient"}}]}
        ).encode(),
    ),
    "definitions in lines": ("ValueSet.ndjson", json.dumps(VALUE_SET).encode()),
}


@pytest.mark.parametrize("what", READ)
def test_everything_else_is_read(what: str, tmp_path: Path) -> None:
    name, data = READ[what]
    source = put(tmp_path / "in", *people(1), name="people.ndjson")
    (source / name).write_bytes(data)
    assert len(plan(source, tmp_path / "out").files) == 2
