"""How long an assessment takes, as ratios to something run beside it: `python benchmarks/assess.py`.

What is compared runs in turns in one process, so that a busy machine slows both. The table gives the median of
all rounds and the best round. Records are the shared Synthea patients (../shared/data), or the examples where
those are absent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import patients as made_up
from package import announce, python

from precaution import assess, load_label
from precaution.engine.decision import decide
from precaution.readers import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from precaution import Label, Record

Json = dict[str, Any]

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared" / "data"
TODAY = "2021-07-10"
"""The last day of the shared data."""
DAY = date.fromisoformat(TODAY).toordinal()
KB, MB = 1_000, 1_000_000
SECONDS = 6.0
"""Most time spent on one line of the table."""


class Row(NamedTuple):
    """A line of the table."""

    what: str
    measured: str
    beside: str
    aim: str


# Records


def synthea() -> dict[str, bytes]:
    """Return every living patient of the shared Synthea data as one Bundle, by name."""
    found = {path.stem: path.read_bytes() for path in sorted((SHARED / "bundles").glob("*.json"))}
    folder = SHARED / "synthea-v2.7-ndjson"
    persons: dict[str, list[Json]] = defaultdict(list)
    medications: dict[str, Json] = {}
    for path in sorted(folder.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            resource = orjson.loads(line)
            if resource["resourceType"] == "Medication":
                medications[f"Medication/{resource['id']}"] = resource
            else:
                persons[_person(resource)].append(resource)
    for person, resources in persons.items():
        named = {each["medicationReference"]["reference"] for each in resources if "medicationReference" in each}
        found[person] = bundle([*resources, *(medications[name] for name in sorted(named & medications.keys()))])
    return {name: data for name, data in found.items() if b'"Patient"' in data and b'"deceased' not in data}


def _person(resource: Json) -> str:
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = resource.get("subject") or resource.get("patient") or {}
    return str(subject.get("reference", "")).rpartition("/")[2]


def bundle(resources: Sequence[Json]) -> bytes:
    """Return resources as the JSON of a Bundle."""
    return orjson.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]})


def grown(data: bytes, size: int) -> bytes:
    """Return a record of about `size` bytes: a patient's own resources, again and again, older and with new ids."""
    resources: list[Json] = [entry["resource"] for entry in orjson.loads(data)["entry"]]
    patient = [each for each in resources if each["resourceType"] == "Patient"]
    others = [each for each in resources if each["resourceType"] not in ("Patient", "Medication")]
    drugs = [each for each in resources if each["resourceType"] == "Medication"]
    made, length, turn = [*patient, *drugs], 0, 0
    while length < size:
        for each in others:
            copy = orjson.loads(orjson.dumps(each).replace(b"\xe2\x80\x8b", b""))
            copy["id"] = f"{each.get('id', 'x')}-{turn}"
            made.append(_earlier(copy, turn * 91))
            length += len(orjson.dumps(copy)) + 14
            if length >= size:
                break
        turn += 1
    return bundle(made)


def _earlier(value: Any, days: int) -> Any:
    """Return JSON with every dateTime moved `days` back."""
    if isinstance(value, dict):
        return {key: _earlier(each, days) for key, each in value.items()}
    if isinstance(value, list):
        return [_earlier(each, days) for each in value]
    if isinstance(value, str) and len(value) >= 19 and value[10:11] == "T" and value[:4].isdigit():
        return (date.fromisoformat(value[:10]) - timedelta(days)).isoformat() + value[10:]
    return value


def examples() -> dict[str, bytes]:
    """Return the example patients of this project."""
    return {path.stem: path.read_bytes() for path in sorted((PROJECT / "examples").glob("*.json"))}


# Timing


def in_turns(*calls: Callable[[], object], seconds: float = SECONDS, most: int = 200) -> list[list[float]]:
    """Return the seconds of each round of each call; the calls run in turns, after one round that does not count."""
    for call in calls:
        call()
    taken: list[list[float]] = [[] for _ in calls]
    end = perf_counter() + seconds
    while len(taken[0]) < 5 or (perf_counter() < end and len(taken[0]) < most):
        for times, call in zip(taken, calls, strict=True):
            begin = perf_counter()
            call()
            times.append(perf_counter() - begin)
    return taken


def shown(seconds: Sequence[float]) -> str:
    """Return the median and the best, in a unit that suits them."""
    middle, best = median(seconds), min(seconds)
    unit, factor = ("ms", 1e3) if middle >= 1e-3 else ("µs", 1e6)
    return f"{middle * factor:.3g} {unit} (best {best * factor:.3g})"


def ratio(upper: Sequence[float], lower: Sequence[float]) -> str:
    """Return how many times as long the first takes as the second, by the medians."""
    return f"{median(upper) / median(lower):.1f} ×"


# The table


def whole(name: str, data: bytes, label: Label, aim: str) -> Row:
    """JSON bytes to decision, beside two parsers of the same bytes."""
    ours, fast, plain = in_turns(
        lambda: assess(data, today=TODAY, label=label), lambda: orjson.loads(data), lambda: json.loads(data)
    )
    what = f"JSON to decision, {name}, {len(data) / KB:.0f} kB"
    return Row(what, shown(ours), f"{ratio(ours, fast)} orjson.loads, {ratio(ours, plain)} json.loads", aim)


def everyone(records: dict[str, bytes], label: Label) -> Row:
    """All patients, one after the other."""
    patients = list(records.values())
    ours, fast, plain = in_turns(
        lambda: [assess(data, today=TODAY, label=label) for data in patients],
        lambda: [orjson.loads(data) for data in patients],
        lambda: [json.loads(data) for data in patients],
    )
    size = sum(map(len, patients)) / len(patients) / KB
    each = [seconds / len(patients) for seconds in ours]
    what = f"JSON to decision, a patient, {len(patients)} patients of {size:.0f} kB"
    return Row(what, shown(each), f"{ratio(ours, fast)} orjson.loads, {ratio(ours, plain)} json.loads", "")


def rules_alone(who: str, records: Sequence[Record], day: int, label: Label) -> Row:
    """Facts, rules, duties and evidence of records that are read already."""
    (ours,) = in_turns(lambda: [decide(record, label, day) for record in records])
    each = [seconds / len(records) for seconds in ours]
    entries = sum(len(own) for record in records for own in record.entries.values()) / len(records)
    steps = instructions(lambda: [decide(record, label, day) for record in records[:50]]) / len(records[:50])
    beside = f"{steps / 1000:.1f} thousand instructions of Python"
    return Row(f"facts, rules and evidence, {who} of {entries:.0f} entries", shown(each), beside, "≤ 100 µs")


def instructions(call: Callable[[], object]) -> int:
    """Return how many instructions of Python a call runs: a measure of work that no other process disturbs."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


_LOAD = """
from time import perf_counter
from precaution import load_label
begin = perf_counter()
label = load_label("baricitinib")
first = perf_counter()
load_label("baricitinib")
print(first - begin, perf_counter() - first)
"""


def loading() -> Iterator[Row]:
    """The label's folder: the first time in a process, and again."""
    runs = [_python("-c", _LOAD).split() for _ in range(8)]
    yield Row("label, first load of a process", shown([float(first) for first, _ in runs]), "", "≤ 50 ms")
    yield Row("label, loaded again", shown([float(again) for _, again in runs]), "", "cached")


def start_up() -> Row:
    """`precaution --help` beside an empty Python."""
    ours, empty = in_turns(lambda: _python("-m", "precaution", "--help"), lambda: _python("-c", "pass"), most=12)
    return Row("precaution --help", shown(ours), f"{ratio(ours, empty)} python -c pass", "< 10 ×")


def _python(*arguments: str) -> str:
    return subprocess.run(python(*arguments), capture_output=True, text=True, check=True).stdout  # noqa: S603


def nearest(records: dict[str, bytes], size: int) -> bytes:
    """Return the record whose size is nearest."""
    return min(records.values(), key=lambda data: abs(len(data) - size))


def rows(records: dict[str, bytes], label: Label) -> Iterator[Row]:
    """Yield every line of the table."""
    middle = nearest(records, 130 * KB)
    yield everyone(records, label)
    yield whole("one patient", middle, label, "≤ 2 ms at 130 kB")
    yield whole("a long record", grown(middle, MB), label, "≤ 3 × orjson.loads at 1 MB")
    read = [read_bytes(data, label.terminology, label.asks) for data in records.values()]
    yield rules_alone("a shared patient", read, DAY, label)
    yield rules_alone("a made-up patient", [record for _, record in made_up.patients(200)], made_up.DAY, label)
    yield from loading()
    yield start_up()


def main() -> None:
    records = synthea() if SHARED.is_dir() else examples()
    announce()
    print(f"{len(records)} patients of {'../shared/data' if SHARED.is_dir() else 'examples/'}\n")
    print(f"{'what':<68}{'median (best)':<26}{'beside it':<46}aim")
    for row in rows(records, load_label("baricitinib")):
        print(f"{row.what:<68}{row.measured:<26}{row.beside:<46}{row.aim}", flush=True)


if __name__ == "__main__":
    main()
