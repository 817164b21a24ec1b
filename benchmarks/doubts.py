"""How many doubts a record has: `python benchmarks/doubts.py FOLDER...` prints a table, one line for each folder.

A doubt is an entry that no code list recognises though it may matter; `precaution read` lists them. A folder holds
records: Bundles, single resources (a made-up patient has those whose patient is not there), or bulk NDJSON, sorted
here by patient. `--why` also prints the most frequent doubts, `--json FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precaution.errors import PrecautionError
from precaution.knowledge.loading import load_label
from precaution.readers import read_resources
from precaution.readers.resource_types import CLINICAL, MENTIONING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.knowledge.model import Label

Resource = dict[str, Any]
KEPT = CLINICAL | MENTIONING | {"Patient", "Medication"}
"""Types that can hold a doubt, and what they point to."""


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", nargs="+", type=Path)
    options.add_argument("--why", type=int, default=0, metavar="N", help="print the N most frequent doubts")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the number of doubts of each record")
    options.add_argument("--most", type=int, default=0, metavar="N", help="read at most N records of a folder")
    chosen = options.parse_args()
    label = load_label()
    kept: dict[str, list[int]] = {}
    print(f"{'records of':44} {'records':>8} {'median':>7} {'mean':>7} {'90 %':>6} {'most':>6} {'without':>8}")
    for folder in chosen.folders:
        why = Counter[str]()
        counts = [doubts(record, label, why) for record in some(records(folder), chosen.most)]
        kept[folder.name] = [each for each in counts if each is not None]
        print(row(folder.name, kept[folder.name]))
        for reason, many in why.most_common(chosen.why):
            print(f"    {many:6} records: {reason}")
    if chosen.json:
        chosen.json.write_text(json.dumps(kept), encoding="utf-8")


def some(found: Iterator[list[Resource]], most: int) -> Iterator[list[Resource]]:
    """Yield the first `most` records, or all where that is 0."""
    for number, record in enumerate(found, 1):
        yield record
        if number == most:
            return


def doubts(record: list[Resource], label: Label, why: Counter[str]) -> int | None:
    """Return how many doubts a record has, and count in `why` in how many records each stands; None if not readable."""
    try:
        found = read_resources(record, label.terminology, {}).unrecognised
    except PrecautionError:
        return None
    why.update({f"{each.system} {each.code}: {each.why}" for each in found})
    return len(found)


def row(name: str, counts: list[int]) -> str:
    """Return the line of the table for one folder."""
    if not counts:
        return f"{name:44} {0:8}"
    ordered = sorted(counts)
    high = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    none = 100 * sum(each == 0 for each in counts) / len(counts)
    middle, mean = statistics.median(counts), statistics.mean(counts)
    return f"{name:44} {len(counts):8} {middle:7.1f} {mean:7.2f} {high:6} {ordered[-1]:6} {none:6.0f} %"


def records(folder: Path) -> Iterator[list[Resource]]:
    """Yield the resources of each record in a folder."""
    if any(folder.glob("*.ndjson")):
        yield from by_patient(folder)
        return
    for path in sorted(folder.rglob("*.json")):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(value, dict) and "resourceType" in value:
            yield from one(value)


def one(value: Resource) -> Iterator[list[Resource]]:
    """Yield the record of one file; a resource without its patient gets one that is made up."""
    if value["resourceType"] == "Bundle":
        parts = [each.get("resource", {}) for each in value.get("entry", []) if isinstance(each, dict)]
        if sum(each.get("resourceType") == "Patient" for each in parts if isinstance(each, dict)) == 1:
            yield [value]
        return
    if value["resourceType"] in KEPT - {"Patient", "Medication", "List"}:
        subject = value.get("subject") or value.get("patient") or {}
        name = str(subject.get("reference", "Patient/p")).partition("/")[2] or "p"
        yield [{"resourceType": "Patient", "id": name}, value]


def by_patient(folder: Path) -> Iterator[list[Resource]]:
    """Yield the record of each patient of bulk NDJSON; medications are everybody's."""
    people: dict[str, list[Resource]] = {}
    shared: dict[str, Resource] = {}
    for path in sorted(folder.glob("*.ndjson")):
        if path.name.split(".")[0] not in KEPT:
            continue
        for line in path.open(encoding="utf-8"):
            resource = json.loads(line)
            if resource["resourceType"] == "Medication":
                shared[f"Medication/{resource['id']}"] = resource
            else:
                people.setdefault(owner(resource), []).append(resource)
    for _, found in sorted(people.items()):
        if any(each["resourceType"] == "Patient" for each in found):
            named = {str(each.get("medicationReference", {}).get("reference", "")) for each in found}
            yield [*found, *(shared[name] for name in sorted(named & shared.keys()))]


def owner(resource: Resource) -> str:
    """Return the id of the patient whom a resource names."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    subject = resource.get("subject") or resource.get("patient") or {}
    return str(subject.get("reference", "")).removeprefix("Patient/")


if __name__ == "__main__":
    sys.exit(main())
