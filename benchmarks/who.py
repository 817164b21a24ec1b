"""How much processor time asking for few saves: `python benchmarks/who.py [MB] [--share 0.005]`.

The shared Synthea NDJSON grown as in cohort.py; of every so many patients one gets an order of the drug. In turns:
everybody is decided; only who has the drug is. Prints the processor seconds of each, in one process, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

from package import announce

from cohort import TODAY, grown
from precaution.cohort import cohort

DRUG = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2047232", "display": "baricitinib"}


def give_drug(folder: Path, share: float) -> int:
    """Write an order of the drug for a share of the patients, and return for how many."""
    every = [
        json.loads(line)["id"] for path in folder.glob("*.Patient.*") for line in path.read_text("utf-8").splitlines()
    ]
    chosen = every[:: max(1, round(1 / share))]
    with (folder / "orders.ndjson").open("w", encoding="utf-8") as file:
        for person in chosen:
            order = {
                "resourceType": "MedicationRequest",
                "id": f"order-{person}",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {"coding": [DRUG]},
                "subject": {"reference": f"Patient/{person}"},
                "authoredOn": TODAY,
            }
            file.write(json.dumps(order) + "\n")
    return len(chosen)


def seconds(source: Path, out: Path, who: str) -> float:
    """Return the processor seconds of a run in this process alone."""
    before = process_time()
    cohort(source, out, today=TODAY, who=who, workers=1)
    return process_time() - before


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("size", nargs="?", type=int, default=200, help="MB of source")
    arguments.add_argument("--share", type=float, default=0.005, help="of the patients who have the drug")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    announce()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        grown(source, asked.size * 1_000_000)
        given = give_drug(source, asked.share)
        times: dict[str, list[float]] = {"everybody": [], "on-drug": []}
        for each in range(asked.rounds):
            for who, found in times.items():
                found.append(seconds(source, Path(folder) / f"{who}-{each}", who))
    everybody, few = (median(found) for found in times.values())
    sys.stdout.write(
        f"{asked.size} MB, {given} patients with the drug: everybody {everybody:.1f} s of processors, "
        f"on-drug {few:.1f} s; ratio {everybody / few:.2f}\n"
    )


if __name__ == "__main__":
    main()
