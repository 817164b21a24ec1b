"""The first pass over tables in a task of Spark: rows are read and checked by the query of one machine, and go, a
person's of one file together, where lines go."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain, groupby
from operator import itemgetter
from secrets import token_hex
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import duckdb

from precaution.cohort.problems import KINDS, Problem
from precaution.cohort.run_tables import Parting, query
from precaution.cohort.sort.files import File
from precaution.cohort.sort.lines import SHOWN, Framed, Job, hash_of
from precaution.cohort.sort.rows import BATCH as ROWS_EACH
from precaution.cohort.sort.rows import Parted, clear, connected, lost_with, word
from precaution.cohort.spark.lines import HALF, Lines, written
from precaution.tables.schema import as_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.spark.lines import Batch, Cut
    from precaution.tables.schema import Row

TABLES = ("persons", "entries")
"""The place of a row's table stands where a line has its sort."""


def sort_rows(job: Job, batch: Batch) -> None:
    """Sort the rows of a batch of files by partition. Raises InputError for a file that can't be read; OutputError."""
    found = Parted()

    def fill(sink: Lines) -> str:
        for cut in batch.cuts:
            _sort_file(job, cut, sink, found)
        return json.dumps({name: getattr(found, name) for name in Parted.__slots__})

    written(job, batch, fill)


def _sort_file(job: Job, cut: Cut, sink: Lines, found: Parted) -> None:
    table = cut.file.partition("/")[0]
    own = job.work / HALF / f"rows-{token_hex(8)}"
    own.mkdir()
    try:
        parting = Parting(job.source, (File(cut.file, cut.end, 0),), own, job.partitions, 1)
        with connected(own, 1) as base:
            rows = chain.from_iterable(map(as_rows, base.sql(query(parting, table)).to_arrow_reader(ROWS_EACH // 25)))
            for person, together in groupby(_counted(rows, table, found), itemgetter(0)):
                data = json.dumps(list(together), ensure_ascii=False).encode()
                name = f"{hash_of(person) * job.partitions >> 64:04d}"
                sink.write(name, Framed(TABLES.index(table), cut.piece, 0, person, data))
    except duckdb.Error as error:
        raise clear(error) from None
    finally:
        rmtree(own, ignore_errors=True)


def _counted(rows: Iterable[Row], table: str, found: Parted) -> Iterator[Row]:
    """Yield the rows that name a person; count all of them, and note the others."""
    taken, lost = Counter(found.taken), set(found.lost)
    for row in rows:
        if table == "persons":
            found.persons += 1
        else:
            taken[word(row[2])] += 1
        if row[0]:
            yield row
        else:
            lost |= set() if table == "persons" else lost_with(row[2])
            found.note("no-id" if table == "persons" else "nobody's", row[-2] or "", row[-1] or 0)
    found.taken, found.lost = dict(sorted(taken.items())), sorted(lost)


def gathered(reports: Iterable[str]) -> Parted:
    """Return what all batches found; of their problems as many are listed as on one machine."""
    every = Parted()
    taken, lost = Counter[str](), set[str]()
    problems: list[Problem] = []
    for report in map(json.loads, reports):
        every.persons += report["persons"]
        taken.update(report["taken"])
        lost |= set(report["lost"])
        problems += [Problem(*each) for each in report["problems"]]
    every.taken, every.lost = dict(sorted(taken.items())), sorted(lost)
    single = [each for each in problems if each.line]
    every.problems = single[:SHOWN]
    more = Counter[str]()
    for each in (*single[SHOWN:], *(each for each in problems if not each.line)):
        more[each.kind] += each.lines
    every.problems += [Problem("", kind, "", 0, KINDS[kind], count) for kind, count in sorted(more.items())]
    return every


def of_person(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Row], list[Row]]:
    """Return the rows of one person in both tables from rows as lines."""
    found: tuple[list[Row], list[Row]] = ([], [])
    for _, _, _, _, _, table, _, data in rows:
        found[table].extend(map(tuple, json.loads(data)))
    return found
