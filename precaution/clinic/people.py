"""Who the patients are: names, kept in a file of their own, and only where somebody asked for it.

The file is readable by its owner alone. Nothing else holds a name: no table of results, no message, no report.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.sort.files import files, is_document, lines, path_of, pieces
from precaution.errors import InputError, OutputError, PrecautionError
from precaution.readers.contents import unpacked
from precaution.readers.json_access import child, children, text
from precaution.readers.json_input import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from precaution.readers.json_access import Json

_MAKE = (
    "create table people (person text primary key, name text not null, identifiers text not null, "
    "born text not null, site text not null, clinician text not null)"
)
_LONGEST = 200
"""Characters of a name or identifier: what is longer is cut."""
_BEST = ("official", "usual", "", "temp", "nickname", "anonymous")
"""Which of several names is shown: the first of these uses. One that is old, or a maiden name, is not."""


class PersonDetails(NamedTuple):
    """Who a patient is, as the record says; a text is empty where it does not."""

    person: str
    """The id of the Patient."""
    name: str = ""
    identifiers: str = ""
    """Numbers by which the hospital knows them, with a semicolon between."""
    born: str = ""
    site: str = ""
    """Who looks after the record: the managing organization."""
    clinician: str = ""
    """General practitioners, as the record calls them."""


def keep_people(source: Path, file: Path) -> int:
    """Write who the patients of FHIR files are to `file`, in place of what was there, and return how many.

    A Patient that can't be read is left out: the run itself says which. Where an id stands for two who are not told
    apart by a version, neither name is kept. Raises InputError, and OutputError where `file` can't be written.
    """
    aside = file.with_name(file.name + ".half")
    try:
        _private(aside)
        with closing(sqlite3.connect(aside)) as database, database:
            database.execute(_MAKE)
            for each in _found(source):
                _keep(database, each)
            many = int(database.execute("select count(*) from people").fetchone()[0])
        aside.replace(file)
    except (OSError, sqlite3.Error):
        raise OutputError(f"'{file}' can't be written: names are not kept") from None
    finally:
        aside.unlink(missing_ok=True)
    return many


def kept_people(file: Path) -> list[PersonDetails]:
    """Return who is kept in a file of `keep_people`. Raises InputError where it is none."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(f"select {', '.join(PersonDetails._fields)} from people").fetchall()  # noqa: S608
    except sqlite3.Error:
        raise InputError(f"'{file}' is no file of names that `precaution clinic --people` wrote") from None
    return [PersonDetails(*row) for row in rows]


def person_details(patient: Json) -> PersonDetails:
    """Return who a Patient resource says they are."""
    return PersonDetails(
        text(patient, "id"),
        _name(patient),
        "; ".join(dict.fromkeys(filter(None, (_cut(text(each, "value")) for each in children(patient, "identifier"))))),
        _cut(text(patient, "birthDate")),
        _called(child(patient, "managingOrganization")),
        "; ".join(filter(None, map(_called, children(patient, "generalPractitioner")))),
    )


def _name(patient: Json) -> str:
    """Return the name to call somebody by: family name first, as lists are sorted."""
    named = [each for each in children(patient, "name") if text(each, "use") in _BEST and not _ended(each)]
    for each in sorted(named, key=lambda one: _BEST.index(text(one, "use"))):
        given = each.get("given")
        first = " ".join(word for word in given if isinstance(word, str)) if isinstance(given, list) else ""
        shown = ", ".join(filter(None, (text(each, "family").strip(), first.strip()))) or text(each, "text")
        if shown.strip():
            return _cut(shown)
    return ""


def _ended(name: Json) -> bool:
    return bool(text(child(name, "period"), "end"))


def _called(reference: Json) -> str:
    return _cut(text(reference, "display") or text(reference, "reference").rpartition("/")[2])


def _cut(words: str) -> str:
    shown = " ".join(words.split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _private(file: Path) -> None:
    """Make an empty file that nobody else can read, whatever the umask says."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _keep(database: sqlite3.Connection, each: PersonDetails) -> None:
    before = database.execute("select * from people where person = ?", (each.person,)).fetchone()
    told = each if before is None or tuple(each) == before else PersonDetails(each.person)
    database.execute("insert or replace into people values (?, ?, ?, ?, ?, ?)", told)


def _found(source: Path) -> Iterator[PersonDetails]:
    """Yield who the Patients of files are, in the order in which they come."""
    for piece in pieces(source, files(source)):
        path, document = path_of(source, piece.file), is_document(piece.file)
        for block in lines(path, piece, document=document):
            for data in block.data:
                if document or b'"Patient"' in data:
                    yield from _patients(data)


def _patients(data: bytes) -> Iterable[PersonDetails]:
    try:
        found = unpacked(parsed(data, "line")).of("Patient")
    except PrecautionError:
        return ()
    return [person_details(patient) for patient, _ in found if text(patient, "id")]
