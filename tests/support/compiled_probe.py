"""What the package says of many people, each on a line: `cd tests; python -m support.compiled_probe [--whole] [PART]`.

Run by the Python of the compiled package and by that of the sources, it must say the same. The first line tells where
the rules were loaded from; then come names, each with a digest of what is said, or with all of it (`--whole`). The
parts are cases, examples, shared, random, demo, spoiled; all where none is named.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from precaution.engine import findings
from precaution.engine.decision import decide
from precaution.errors import PrecautionError
from precaution.measures import audit_rows
from precaution.readers import read_bytes
from precaution.timeline import timeline
from precaution.writers.structured import to_json
from support import sql_people
from support.fuzz_hooks import NAMES, changed_once
from support.hook_calls import example
from support.project import SHARED
from support.random_records import AnyRecord

if TYPE_CHECKING:
    from precaution.knowledge.model import Label
    from support.sql_comparison import Asked

LABEL = sql_people.LABEL
DAY = 739_000
RANDOM, SPOILED, AUDITED = 500, 1500, 40
_WHOLE = re.compile(r"\b(\d+)\.0\b")


Said = Iterator[tuple[str, str]]
"""A name, and what is said of it."""


def cases() -> Said:
    """Yield the decisions of the label's cases, each under the policy of its own."""
    for group in sql_people.cases():
        yield from decided(group.asked, group.label)


def examples() -> Said:
    """Yield the decisions of examples/, on several days and at every stage."""
    yield from decided(sql_people.examples())


def shared() -> Said:
    """Yield the decisions of the shared data; nothing where it is not here."""
    if SHARED.is_dir():
        yield from decided(sql_people.shared())


def made_at_random() -> Said:
    """Yield the decisions of records of anything that the label knows."""
    makes = AnyRecord(LABEL, DAY)
    yield from decided([sql_people.Asked(str(number), makes.made(number), DAY) for number in range(RANDOM)])


def demo() -> Said:
    """Yield the decisions of synthetic patients; of some also how it was on every day, and what an audit counts."""
    people = sql_people.demo(300)
    yield from decided(people)
    for each in people[:AUDITED]:
        yield f"days of {each.person}", " ".join(map(to_json, timeline(each.record, LABEL, each.today)))
        yield f"audit of {each.person}", shown(audit_rows(each.person, each.record, LABEL, each.today))


def decided(asked: list[Asked], label: Label = LABEL) -> Said:
    """Yield each person's decision, as JSON."""
    for each in asked:
        yield each.person, to_json(decide(each.record, label, each.today, each.stage, everything=True).decision)


def shown(value: object) -> str:
    """Return a value as text; a compiled function makes a float of a whole number where it declares one."""
    return _WHOLE.sub(r"\1", repr(value))


def spoiled() -> Said:
    """Yield what becomes of resources of which some places were changed at random: a record, or an error."""
    for number in range(SPOILED):
        dice = random.Random(number)  # noqa: S311 - made-up data
        resources = example(dice.choice(NAMES))
        for _ in range(dice.choice((1, 2, 4))):
            changed_once(resources, dice)
        try:
            record = read_bytes(json.dumps(resources).encode(), LABEL.terminology, LABEL.asks)
        except PrecautionError as error:
            yield str(number), f"{type(error).__name__}: {error}"
        else:
            yield str(number), shown(record)


PARTS = {
    "cases": cases,
    "examples": examples,
    "shared": shared,
    "random": made_at_random,
    "demo": demo,
    "spoiled": spoiled,
}


if __name__ == "__main__":
    print(findings.__file__)  # noqa: T201
    whole = "--whole" in sys.argv
    for part in [each for each in sys.argv[1:] if each != "--whole"] or PARTS:
        for name, says in PARTS[part]():
            print(part, name, says if whole else hashlib.sha256(says.encode()).hexdigest(), sep="\t")  # noqa: T201
