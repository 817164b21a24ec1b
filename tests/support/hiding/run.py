"""Tries every way on every entry, and prints a table: python -m support.hiding.run --patients 2000 (in tests/).

Lines of a base that many cases share, and the entries of made-up patients, are tried in some ways each, in turn.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from support.hiding import codes, days, drugs, elsewhere, packing, statuses, subjects, values  # noqa: F401  they note themselves
from support.hiding.kit import WAYS, Patient, Way
from support.hiding.oracle import Milder, Told, entries_of, fits, milder
from support.hiding.people import cases, examples, made_up, of_a_base


class Tally:
    """How often each way was tried, and what it made milder."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.found: list[Milder] = []

    def add(self, told: Told, ways: Iterable[Way]) -> None:
        for way in ways:
            documents = fits(told, way)
            if documents is not None:
                self.tried[way.name] += 1
                self.found += milder(told, way, documents)

    def table(self) -> str:
        """Return a line for each way, and one for all."""
        made = Counter(way for way, _ in {(each.way, (each.patient, each.source)) for each in self.found})
        lines = [f"{name:45} {self.tried[name]:8} {made[name]:7}" for name in WAYS]
        return "\n".join([*lines, f"{f'{len(WAYS)} ways':45} {self.tried.total():8} {made.total():7}"])


def in_turn(number: int, many: int) -> list[Way]:
    """Return `many` of the ways, others for each number."""
    ways = list(WAYS.values())
    return [ways[(number * many + each) % len(ways)] for each in range(min(many, len(ways)))]


def tried(patients: Iterable[Patient], each: int, of_bases: int) -> Tally:
    """Return what came of the patients: `each` ways for an entry, `of_bases` for one that many cases share."""
    tally, number = Tally(), 0
    for patient in patients:
        for told in entries_of(patient):
            number += 1
            shared = of_a_base(patient.resources[told.shown.place])
            tally.add(told, in_turn(number, of_bases if shared else each))
    return tally


def people(patients: int) -> Iterator[Patient]:
    return chain(examples(), cases(), made_up(patients))


def _through(road: str, patients: Iterable[Patient], each: int, show: int) -> int:
    """Print how many entries were hidden, and what a cohort or a hook answers milder than `assess`; 1 where it does."""
    from support.hiding.through import hidden, through_a_cohort, through_a_hook

    found: list[str] = []
    many, left = 0, iter(hidden(patients, list(WAYS.values()), each))
    while some := list(islice(left, 1000)):
        many += len(some)
        found += (through_a_cohort if road == "cohort" else through_a_hook)(some)
    sys.stdout.write("\n".join([f"{road}: {many} tries, {len(found)} milder", *found[:show]]) + "\n")
    return 1 if found else 0


def main(arguments: Sequence[str]) -> int:
    """Print the table, and some of what became milder. Returns 1 where anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("examples", "cases", "made-up", "all"), default="all")
    parser.add_argument("--patients", type=int, default=2000, help="how many made-up patients")
    parser.add_argument("--each", type=int, default=1000, help="how many ways for an entry")
    parser.add_argument("--bases", type=int, default=2, help="how many ways for an entry that many cases share")
    parser.add_argument("--share", default="1/1", help="which share of the patients, as 1/4")
    parser.add_argument("--show", type=int, default=20, help="how many of the milder answers to print")
    parser.add_argument("--through", choices=("assess", "cohort", "hook"), default="assess", help="what answers")
    given = parser.parse_args(arguments)
    which = {"examples": examples, "cases": cases, "made-up": lambda: made_up(given.patients)}
    chosen = which.get(given.only, lambda: people(given.patients))()
    first, step = (int(each) for each in given.share.split("/"))
    shared = islice(chosen, first - 1, None, step)
    if given.through != "assess":
        return _through(given.through, shared, given.each, given.show)
    tally = tried(shared, given.each, given.bases)
    sys.stdout.write(tally.table() + "\n")
    for each in tally.found[: given.show]:
        sys.stdout.write(f"{each.way} | {each.patient} | {each.source} {' '.join(each.concepts)} | {each.what}\n")
    return 1 if tally.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
