"""Writes to a store for as long as it lives, and says on standard output what was acknowledged: the victim of tests.

    python store_writer.py URL NAME        one writer, until it is ended
    python store_writer.py URL NAME step   one step for each line on standard input; says what became of it

A step keeps a card with an event, two more at the same time, each with the use of a token, feedback on the first, an
answer, and the use of another token. `+NAME-7` says that step 7 was
acknowledged as a whole; `!NAME-7 StoreFull` that it was refused.
"""

from __future__ import annotations

import itertools
import os
import sys

from precaution.errors import StoreError
from precaution.service.store import Feedback, Store, TokenUse, TrailEvent
from support.stores import PATIENT, SERVER, TODAY, answer, card

FOREVER = 2**40


def together(name: str) -> list[str]:
    """Return the names of what a step keeps at the same time."""
    return [f"{name}-also", f"{name}-too"]


def step(store: Store, name: str) -> None:
    store.keep([card(name)], TrailEvent(kind="decision", about={"step": name}))
    beside = [
        store.keeping([card(each)], TrailEvent(kind="beside", about={"step": each}), use=TokenUse("iss", each, FOREVER))
        for each in together(name)
    ]
    assert all(each.result() for each in beside), name
    given = Feedback(card=name, outcome="overridden", at="2025-03-01T09:30:00Z", reason="patient-refuses")
    store.feedback("warnings-view", [given], today=TODAY)
    store.answer(SERVER, PATIENT, [answer(reason=name)])
    assert store.claim("iss", name, FOREVER), name


def write(url: str, name: str, out: int = 1) -> None:
    """Write until the process is ended."""
    store = Store(url, busy_seconds=60)
    for number in itertools.count():
        step(store, f"{name}-{number}")
        os.write(out, f"+{name}-{number}\n".encode())


def step_by_step(url: str, name: str) -> None:
    """Write a step for each line that comes in."""
    store = Store(url, busy_seconds=1)
    for number, _ in enumerate(sys.stdin):
        try:
            step(store, f"{name}-{number}")
            said = f"+{name}-{number}\n"
        except StoreError as error:
            said = f"!{name}-{number} {type(error).__name__}\n"
        os.write(1, said.encode())


if __name__ == "__main__":
    (step_by_step if sys.argv[3:] else write)(*sys.argv[1:3])
