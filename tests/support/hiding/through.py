"""Hidden entries through a cohort and through a hook: the answer must be the one that `assess` gives, or a refusal."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from precaution.cohort import cohort
from precaution.errors import PrecautionError
from precaution.knowledge.loading import find_label
from precaution.readers.prefetch import retrieved
from precaution.service.cards.vocabulary import load_vocabulary
from precaution.service.deciding import Decider
from precaution.service.fhir.queries import ALL, PATIENT
from precaution.service.http.calls import HookRequest
from precaution.service.http.errors import Refused
from support.hiding.kit import Json, Patient, Way, bundle
from support.hiding.oracle import DUTY, FINDING, HOLD, Gravity, decided, entries_of, fits, gravity, read
from support.hiding.people import label
from support.hook_calls import INSTANCE, prefetch
from support.ndjson_sources import rows

_ASKED = {query.type for query in ALL}


class Hidden(NamedTuple):
    """A patient with an entry said otherwise, and what `assess` makes of it; None where it refuses the patient."""

    name: str
    way: str
    patient: Patient
    documents: list[Json]
    stage: str
    """The patient's stage with nothing hidden."""
    alone: Gravity | None


def hidden(patients: Iterable[Patient], ways: Sequence[Way], each: int) -> Iterator[Hidden]:
    """Yield patients with an entry hidden, by `each` ways for an entry in turn; none of other labels or stages."""
    number = 0
    for patient in patients:
        if patient.label is not label() or patient.stage or patient.answers:
            continue
        for told in entries_of(patient):
            number += 1
            chosen = (ways[(number * each + step) % len(ways)] for step in range(each))
            for way in chosen:
                documents = fits(told, way)
                if isinstance(documents, list):
                    name, alone = f"{patient.name} {told.shown.source}", _alone(patient, documents)
                    yield Hidden(name, way.name, patient, documents, told.stage, alone)


def _alone(patient: Patient, documents: list[Json]) -> Gravity | None:
    try:
        return gravity(decided(read(documents, patient), patient, None), patient)
    except PrecautionError:
        return None


def through_a_cohort(tried: Sequence[Hidden]) -> list[str]:
    """Return which of them a cohort answers milder than one patient at a time, or not at all."""
    by_day: dict[date, list[tuple[str, Hidden]]] = defaultdict(list)
    for number, each in enumerate(tried):
        by_day[each.patient.today].append((f"person-{number}", each))
    return [line for day, some in by_day.items() for line in _cohort_of(day, some)]


def _cohort_of(day: date, some: Sequence[tuple[str, Hidden]]) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        for person, each in some:
            (source / f"{person}.json").write_text(_renamed(each, person), encoding="utf-8")
        cohort(source, out, today=day, workers=1)
        found = _gravities(out)
    for person, each in some:
        if each.alone is not None:
            yield from _milder(each, each.alone, found.get(person, {}))


def _renamed(each: Hidden, person: str) -> str:
    """Return the documents as a Bundle in which every resource has a name that nobody else's has."""
    text = json.dumps(bundle(each.documents))
    own = str(each.patient.resources[0]["id"])
    for resource in each.patient.resources[1:]:
        name = str(resource["id"])
        kind = resource["resourceType"]
        text = text.replace(f'"{kind}/{name}"', f'"{kind}/{name}-{person}"')
        text = text.replace(f'"id": "{name}"', f'"id": "{name}-{person}"')
    text = re.sub(rf"Patient/{re.escape(own)}\b", f"Patient/{person}", text)
    return text.replace(f'"id": "{own}"', f'"id": "{person}"')


def _gravities(out: Path) -> dict[str, Gravity]:
    """Return how grave each person of a cohort's results is, as `oracle.gravity` says it of a decision."""
    found: dict[str, Gravity] = defaultdict(dict)
    actions = label().actions
    for row in rows(out, "decisions"):
        found[row["person"]]["action"] = len(actions) - actions.index(row["action"])
    for row in rows(out, "findings"):
        found[row["person"]][f"rule {row['rule']}"] = FINDING[row["state"]] - (
            row["state"] == "holds" and row["attested"]
        )
    for row in rows(out, "holds"):
        found[row["person"]][f"hold {row['rule']}"] = HOLD[row["state"]]
    for row in rows(out, "due"):
        found[row["person"]][f"duty {row['duty']}"] = DUTY[row["state"]]
    return found


def _milder(each: Hidden, before: Gravity, now: Gravity) -> Iterator[str]:
    for what, grave in before.items():
        if now.get(what, 0) < grave:
            yield f"{each.way} | {each.name} | {what}: {grave} {now.get(what, 0)}"


@cache
def _decider() -> Decider:
    vocabulary = load_vocabulary(find_label("baricitinib"), label())
    return Decider(label(), vocabulary, ALL, lambda uuid: f"https://x/{uuid}")


def through_a_hook(tried: Iterable[Hidden]) -> list[str]:
    """Return which of them a call of patient-view answers milder than `assess`, or not at all on treatment."""
    return [line for each in tried if each.alone and asked_for(each) for line in _call_of(each, each.alone)]


def asked_for(each: Hidden) -> bool:
    """Whether a client would send it all: types that no query asks for never come."""
    return all(resource.get("resourceType") in _ASKED for resource in each.documents)


def _call_of(each: Hidden, before: Gravity) -> Iterator[str]:
    sent = prefetch(each.documents)
    types = {resource["resourceType"] for resource in each.documents}
    listed = {"", *(query.kind for query in ALL if query.type in types)}  # an empty search would say that there is none
    answers = {
        query.key: retrieved(sent[query.key], search=query.key != PATIENT) for query in ALL if query.kind in listed
    }
    call = HookRequest("patient-view", INSTANCE, str(each.patient.resources[0]["id"]))
    try:
        outcome = _decider().outcome(call, answers, each.patient.today.toordinal())
    except Refused:
        return
    if outcome.decision is not None:
        yield from _milder(each, before, gravity(outcome.decision, each.patient))
    elif not outcome.cards and each.stage != "before-start":
        yield f"{each.way} | {each.name} | no card: {outcome.why}"
