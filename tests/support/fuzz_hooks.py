"""Calls of hooks spoiled at random: `cd tests; python -m support.fuzz_hooks 100000`.

Spoiled are real calls: those of the examples, and of ../shared where it is. No answer may be 500, no card may break the
rules, and nothing may be silent that `assess` does not call clear on the same resources. What was counted is printed.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from precaution import assess, load_label
from precaution.errors import PrecautionError
from support import card_rules
from support.hook_calls import DRUG, HOOKS, ID, TODAY, App, Json, call, draft, example, prefetch, settings
from support.project import PROJECT, SHARED

NAMES = tuple(sorted(path.stem for path in (PROJECT / "examples").glob("*.json")))
ALLOWED = {200, 400, 404, 412, 413}
NOTHING_IN_THE_WAY = ("clear", "may-resume")
ODD: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    1e308,
    True,
    [],
    {},
    [[]],
    {"resourceType": "Patient"},
    "Patient/other",
    "9999-99-99",
    "2025",
    "<0.5",
    "entered-in-error",
    "\u202e",
    "\x00",
    "http://loinc.org",
    ["x"],
    {"reference": "#"},
    10**30,
    "a" * 5000,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place of a body: what holds it, and its key."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    found = [(value, key) for key in keys]
    for key in keys:
        found += places(value[key])
    return found


def changed_once(within: Any, dice: random.Random) -> None:
    """Change one place of some JSON."""
    found = places(within)
    if not found:
        return
    holder, key = dice.choice(found)
    match dice.randrange(5):
        case 0 | 1:
            holder[key] = copy.deepcopy(dice.choice(ODD))
        case 2:
            del holder[key]
        case 3:
            holder[key] = copy.deepcopy(dice.choice(found)[0])
        case _ if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[dice.choice(("resourceType", "status", "id", "x"))] = holder[key]


def spoiled(body: Json, dice: random.Random, *, context: bool) -> bytes:
    """Return a call with some of it changed; of its context only where `context` says so."""
    body = copy.deepcopy(body)
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        changed_once(body if context else body.get("prefetch"), dice)
    data = json.dumps(body).encode()
    if context and dice.random() < 0.2:
        at = dice.randrange(len(data))
        data = data[:at] + dice.choice((b"", b"\xff", b"}", b'"', b"\x00", data[:20])) + data[at + dice.randrange(3) :]
    return data


def resources_in(value: Any) -> list[Json]:
    """Return the resources of a prefetch, whatever holds them."""
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str) and value["resourceType"] != "Bundle":
        return [value]
    if isinstance(value, dict):  # how it was found is no resource, whatever stands in it
        value = [each for key, each in value.items() if key != "search"]
    return [resource for each in value for resource in resources_in(each)] if isinstance(value, list) else []


def bases() -> list[Json]:
    """Return the calls that are spoiled."""
    found = [
        call(hook, prefetch(example(name)), *orders) for name in NAMES for hook in HOOKS for orders in ([draft()], [])
    ]
    folder = SHARED / "data" / "cds-hooks"
    for file in sorted(folder.rglob("*.json")) if folder.is_dir() else []:
        value = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(value, dict) and "hook" in value:
            found.append(value)
    return found


class Calls:
    """Sends spoiled calls and counts what comes back."""

    def __init__(self, app: App, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._app, self._dice, self._bases = app, random.Random(seed), bases()  # noqa: S311
        self._label = load_label("baricitinib")

    def send(self, number: int) -> None:
        """Spoil a call and send it."""
        body, context = self._dice.choice(self._bases), self._dice.random() < 0.4
        hook = body["hook"] if body["hook"] in HOOKS else self._dice.choice(HOOKS)
        data = spoiled(body, self._dice, context=context)
        response = self._app.post(
            f"/cds-services/{ID.format(hook)}", content=data, headers={"Content-Type": "application/json"}
        )
        self.counts[str(response.status_code)] += 1
        if response.status_code not in ALLOWED:
            self.wrong.append(f"call {number}: status {response.status_code}")
        elif response.status_code == 200:
            self._look(number, body, data, response.json(), context=context)

    def _look(self, number: int, body: Json, data: bytes, answer: Json, *, context: bool) -> None:
        self.wrong += [f"call {number}: {each}" for each in card_rules.wrong(answer)]
        ordered = not context and DRUG["coding"][0]["code"] in str(body["context"])
        if answer["cards"] or not ordered:
            return
        self.counts["silent though the drug is ordered"] += 1
        sent = resources_in(json.loads(data).get("prefetch"))
        try:
            action = assess(sent, today=TODAY, label=self._label).action
        except PrecautionError:
            return
        if action not in NOTHING_IN_THE_WAY:
            self.wrong.append(f"call {number}: silent, where assess says {action}")


def calls(many: int, seed: int = 0) -> Calls:
    """Send so many spoiled calls; returns what was counted."""
    with TemporaryDirectory() as folder:
        app = App(settings(Path(folder)))
        try:
            found = Calls(app, seed)
            for number in range(many):
                found.send(number)
        finally:
            app.close()
    return found


def main(many: int, seed: int = 0) -> int:
    """Send so many spoiled calls and say what was counted; returns an exit code."""
    found = calls(many, seed)
    print(f"{many} calls: {dict(sorted(found.counts.items()))}; {len(found.wrong)} wrong")  # noqa: T201
    for each in found.wrong[:20]:
        print(each)  # noqa: T201
    return bool(found.wrong)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
