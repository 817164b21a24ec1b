"""What the package says of many people, one line each: `python tests/compiled_probe.py [WORD]`.

Run by the Python of the compiled package and by that of the sources, it must say the same. The first line tells where
the rules were loaded from; then come names, each with a digest of what is said, or all of it where the name begins
with WORD.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from typing import TYPE_CHECKING

import sql_people
from conftest import SHARED
from fuzzing import NAMES, changed_once
from hooks_make import example
from precaution import findings
from precaution.decision import decide
from precaution.errors import PrecautionError
from precaution.measures import audit_rows
from precaution.readers import read_bytes
from precaution.timeline import timeline
from precaution.writers.structured import to_json
from random_records import AnyRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.definitions import Label
    from sql_make import Asked

LABEL = sql_people.LABEL
DAY = 739_000
RANDOM, SPOILED, AUDITED = 1500, 6000, 100


def everyone() -> Iterator[tuple[str, str]]:
    """Yield a name and what is said, of everyone."""
    for group in sql_people.cases():
        yield from _decided("case", group.asked, group.label)
    yield from _decided("example", sql_people.examples(), LABEL)
    people = sql_people.demo(300)
    yield from _decided("demo", people, LABEL)
    if SHARED.is_dir():
        yield from _decided("shared", sql_people.shared(), LABEL)
    makes = AnyRecord(LABEL, DAY)
    yield from _decided("random", [sql_people.Asked(str(n), makes.made(n), DAY) for n in range(RANDOM)], LABEL)
    for each in people[:AUDITED]:
        yield f"timeline {each.person}", " ".join(map(to_json, timeline(each.record, LABEL, each.today)))
        yield f"audit {each.person}", repr(audit_rows(each.person, each.record, LABEL, each.today))
    yield from _spoiled()


def _decided(what: str, asked: list[Asked], label: Label) -> Iterator[tuple[str, str]]:
    for each in asked:
        decision = decide(each.record, label, each.today, each.stage, everything=True)
        yield f"{what} {each.person}", to_json(decision)


def _spoiled() -> Iterator[tuple[str, str]]:
    """Yield what records come to of which some places were changed at random: a record, or an error."""
    for number in range(SPOILED):
        dice = random.Random(number)  # noqa: S311 - made-up data
        resources = example(dice.choice(NAMES))
        for _ in range(dice.choice((1, 2, 4))):
            changed_once(resources, dice)
        try:
            record = read_bytes(json.dumps(resources).encode(), LABEL.terminology, LABEL.asks)
        except PrecautionError as error:
            yield f"spoiled {number}", f"{type(error).__name__}: {error}"
        else:
            yield f"spoiled {number}", repr(record)


if __name__ == "__main__":
    print(findings.__file__)  # noqa: T201
    wanted = sys.argv[1] if len(sys.argv) > 1 else None
    for name, says in everyone():
        whole = wanted is not None and name.startswith(wanted)
        print(name, says if whole else hashlib.sha256(says.encode()).hexdigest(), sep="\t")  # noqa: T201
