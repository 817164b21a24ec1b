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

from precaution.cohort.context import SourceFile
from precaution.cohort.problems import KINDS, Problem
from precaution.cohort.run_tables import query
from precaution.cohort.sort.partition_files import FramedLine, partition_name
from precaution.cohort.sort.rows import BATCH as ROWS_EACH
from precaution.cohort.sort.rows import clear, connected, lost_with, note, word
from precaution.cohort.sort.sorted import SHOWN, Sorted, as_json, sorted_from_json
from precaution.cohort.spark.lines import HALF, ParquetSink, written
from precaution.tables.schema import as_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precaution.cohort.context import RunContext
    from precaution.cohort.sort.files import FilePiece
    from precaution.cohort.spark.lines import Batch, SortJob
    from precaution.tables.schema import Row

TABLES = ("persons", "entries")
"""A row has the number of its table where a line has its role."""


def sort_rows(job: SortJob, batch: Batch) -> None:
    """Sort the rows of a batch of files by partition. Raises InputError for a file that can't be read; OutputError."""
    found = Sorted()

    def fill(sink: ParquetSink) -> str:
        for piece in batch.pieces:
            _sort_file(job.context, piece, sink, found)
        return as_json(found)

    written(job, batch, fill)


def _sort_file(context: RunContext, piece: FilePiece, sink: ParquetSink, found: Sorted) -> None:
    table = piece.file.partition("/")[0]
    own = context.work / HALF / f"rows-{token_hex(8)}"
    own.mkdir()
    try:
        this = context._replace(files=(SourceFile(piece.file, piece.end, 0),))
        with connected(own, 1) as base:
            rows = chain.from_iterable(map(as_rows, base.sql(query(this, table)).to_arrow_reader(ROWS_EACH // 25)))
            for person, together in groupby(_counted(rows, table, found), itemgetter(0)):
                data = json.dumps(list(together), ensure_ascii=False).encode()
                line = FramedLine(TABLES.index(table), piece.number, 0, person, data)
                sink.write(partition_name(person, context.partitions), line)
    except duckdb.Error as error:
        raise clear(error) from None
    finally:
        rmtree(own, ignore_errors=True)


def _counted(rows: Iterable[Row], table: str, found: Sorted) -> Iterator[Row]:
    """Yield the rows that name a person; count all of them, and note the others."""
    for row in rows:
        if table == "persons":
            found.patients += 1
        else:
            found.taken[word(row[2])] += 1
        if row[0]:
            yield row
        else:
            found.lost_kinds |= set() if table == "persons" else lost_with(row[2])
            note(found, "no-id" if table == "persons" else "nobody's", row[-2] or "", row[-1] or 0)


def gathered(reports: Iterable[str]) -> Sorted:
    """Return what all batches found; of their problems as many are listed as on one machine."""
    every = Sorted()
    problems: list[Problem] = []
    for found in map(sorted_from_json, reports):
        every.patients += found.patients
        every.taken += found.taken
        every.lost_kinds |= found.lost_kinds
        problems += found.problems
    every.taken += Counter({"persons": every.patients})
    single = [each for each in problems if each.line]
    more = Counter[str]()
    for each in (*single[SHOWN:], *(each for each in problems if not each.line)):
        more[each.kind] += each.lines
    counts = [Problem("", kind, "", 0, KINDS[kind], count) for kind, count in sorted(more.items())]
    every.problems = [*single[:SHOWN], *counts]
    return every


def of_person(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Row], list[Row]]:
    """Return the rows of one person in both tables from rows as lines."""
    found: tuple[list[Row], list[Row]] = ([], [])
    for _, _, _, _, _, table, _, data in rows:
        found[table].extend(map(tuple, json.loads(data)))
    return found
