"""A cohort for the audit whose every number is known: a patient is a few dates, the truth is worked out of those.

The truth knows nothing of facts, records or the label's files: it compares dates. What it says is what the measures'
readings say, in other words.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from precaution.cases.lines import resources
from support.ndjson_sources import LABEL

Json = dict[str, Any]
TODAY = date(2025, 3, 1)
OPEN, WASHOUT, GRACE = 365, 365, 30


def fhir(person: str, lines: list[str], sex: str = "", site: str = "") -> list[Json]:
    """Return the resources of one patient's lines, in the language of cases."""
    made = resources(lines, LABEL.terminology, LABEL.asks)
    for resource in made:
        kind = resource["resourceType"]
        if kind == "Patient":
            resource["id"] = person
            resource.update({"gender": sex} if sex else {})
            resource.update({"managingOrganization": {"reference": f"Organization/{site}"}} if site else {})
            continue
        resource["id"] = f"{person}-{resource['id']}"
        subject = {"reference": f"Patient/{person}"}
        resource.pop("subject", None)
        resource["patient" if kind == "Immunization" else "subject"] = subject
    return made


@dataclass
class Person:
    """One new user: days are counted from the start of treatment, so that -30 is a month before it."""

    name: str
    start: date
    born: date
    sex: str = "female"
    site: str = "site-01"
    since: int = -800
    """Since when the record knows of the patient."""
    tb: int | None = None
    tb_read: bool = True
    hbsag: int | None = None
    anti_hbc: int | None = None
    anti_hcv: int | None = None
    counts: int | None = None
    anc: float = 3.0
    liver: int | None = None
    lipids: dict[str, int] = field(default_factory=dict[str, int])
    answered: bool = False
    stop: int | None = None
    """The day its order ended; None where the order is open."""
    low: int | None = None
    zoster: list[int] = field(default_factory=list[int])
    vte: list[int] = field(default_factory=list[int])
    vaccine: int | None = None

    def on(self, day: int) -> str:
        """Return a day as it is written."""
        return (self.start + timedelta(days=day)).isoformat()

    @property
    def until(self) -> int:
        """The last day that is looked at."""
        return (TODAY - self.start).days

    @property
    def last(self) -> int:
        """The last day of sure treatment."""
        return min(self.until, OPEN if self.stop is None else self.stop)

    def lines(self) -> list[str]:
        """Return the record."""
        found = [
            f"born {self.born.isoformat()}",
            f"condition indication_rheumatoid_arthritis active since {self.on(self.since)}",
            f"immunization CVX|33 on {self.on(-90)}",
            f"result smoking_status_question smoking_never on {self.on(-40)}",
            f"result lab_hdl 55 mg/dL on {self.on(-40)}",
            f"medication drug_baricitinib active since {self.on(0)}"
            if self.stop is None
            else f"medication drug_baricitinib stopped since {self.on(0)} until {self.on(self.stop)}",
        ]
        if self.tb is not None:
            test = "result lab_igra_interpretation negative" if self.tb_read else "procedure tb_screening_procedure"
            found.append(f"{test} on {self.on(self.tb)}")
        tests = {name: getattr(self, name) for name in ("hbsag", "anti_hbc", "anti_hcv")}
        found += [f"result lab_{name} negative on {self.on(day)}" for name, day in tests.items() if day is not None]
        if self.counts is not None:
            found += [
                f"result lab_{name} {value} on {self.on(self.counts)}"
                for name, value in (("anc", f"{self.anc} 10*9/L"), ("alc", "1.5 10*9/L"), ("hemoglobin", "12 g/dL"))
            ]
        if self.liver is not None:
            found += [f"result lab_{name} 20 U/L on {self.on(self.liver)}" for name in ("alt", "ast")]
        found += [f"result lab_{name} 100 mg/dL on {self.on(day)}" for name, day in self.lipids.items()]
        if self.answered:
            found.append(f"answer no-suitable-alternative yes on {self.on(-5)}")
        if self.low is not None:
            found.append(f"result lab_anc 0.7 10*9/L on {self.on(self.low)}")
        found += [
            f"condition herpes_zoster resolved since {self.on(day)} until {self.on(day + 20)}" for day in self.zoster
        ]
        found += [f"condition vte active since {self.on(day)}" for day in self.vte]
        if self.vaccine is not None:
            found.append(f"immunization vaccine_live on {self.on(self.vaccine)}")
        return found

    def first(self) -> int:
        """Return the first day of which the record knows anything."""
        days = [self.since, self.tb, self.hbsag, self.anti_hbc, self.anti_hcv, self.vaccine, *self.zoster, *self.vte]
        return min(day for day in days if day is not None)

    def age(self) -> int:
        """Return the completed years on the day of the start."""
        had = (self.start.month, self.start.day) >= (self.born.month, self.born.day)
        return self.start.year - self.born.year - (not had)


def truth(person: Person) -> dict[str, str]:
    """Return the state of each measure for one patient; nothing for who is no new user."""
    if person.first() > -WASHOUT:
        return {}
    found = {**_screening(person), **_tests(person), **_restrictions(person), **_monitoring(person)}
    return {**found, **_events(person)}


def _within(day: int | None, first: int, last: int) -> bool:
    return day is not None and first <= day <= last


def _screening(person: Person) -> dict[str, str]:
    found = {}
    for name, last, first in (("screened", 0, -365), ("screened-around-start", 60, 60 - 425)):
        known = {
            "tuberculosis": _within(person.tb, first, last),
            "hepatitis-b": _within(person.hbsag, first, last) and _within(person.anti_hbc, first, last),
            "hepatitis-c": _within(person.anti_hcv, first, last),
        }
        said = {each: "yes" if so else "no" for each, so in known.items()}
        if known["tuberculosis"] and not person.tb_read:
            said["tuberculosis"] = "unknown"
        said["all-three"] = "no" if "no" in said.values() else "unknown" if "unknown" in said.values() else "yes"
        followed = person.until >= last
        found |= {f"{each}-{name}": state if followed else "not-measurable" for each, state in said.items()}
    return found


def _tests(person: Person) -> dict[str, str]:
    return {
        "blood-counts-at-start": "yes" if _within(person.counts, -28, 0) else "no",
        "liver-tests-at-start": "yes" if _within(person.liver, -28, 0) else "no",
    }


def _restrictions(person: Person) -> dict[str, str]:
    aged = person.age() >= 65
    past = any(day <= 0 for day in person.vte)
    fresh = _within(person.counts, -28, 0)
    against = "yes" if fresh and person.anc < 1 else "no" if fresh else "unknown"
    return {
        "restricted": "yes" if aged else "no",
        "restricted-with-answer": ("yes" if person.answered else "no") if aged else "not-counted",
        "started-against-do-not-start": against,
        "past-thromboembolism": "yes" if past else "no",
    }


def _monitoring(person: Person) -> dict[str, str]:
    lipids = (
        "not-measurable"
        if person.until < 112
        else "not-counted"
        if person.last < 112
        else (
            "yes"
            if all(
                _within(person.lipids.get(name), 56, 112)
                for name in ("ldl", "hdl", "total_cholesterol", "triglycerides")
            )
            else "no"
        )
    )
    vaccine = "yes" if _within(person.vaccine, 0, person.last) else "no"
    return {"lipids-at-12-weeks": lipids, "live-vaccine-given-on-treatment": vaccine}


def _events(person: Person) -> dict[str, str]:
    return {
        "herpes-zoster-events": _rate(person, person.zoster),
        "thromboembolism-events": _rate(person, person.vte),
        "zoster-to-stop": _delay(person, person.zoster),
        "suspected-thromboembolism-to-stop": _delay(person, person.vte),
        "low-count-to-stop": _low(person),
    }


def _rate(person: Person, days: list[int]) -> str:
    """Who had it up to the day of the start is left out; after an open order is no longer believed it is not sure."""
    if any(day <= 0 for day in days):
        return "left-out"
    first = min((day for day in days if day <= person.until), default=None)
    if first is None:
        return "no"
    return "yes" if first <= person.last else "unknown" if person.stop is None else "no"


def _delay(person: Person, days: list[int]) -> str:
    if any(day == 0 for day in days):
        return "left-out"
    first = min((day for day in days if 0 < day <= person.until), default=None)
    if first is None:
        return "not-counted"
    if first > person.last:
        return "who-unknown" if person.stop is None else "not-counted"
    return "no" if person.last == person.until else "unknown" if person.stop is None else "yes"


def _low(person: Person) -> str:
    """Who starts with a low count is left out; a low count of before that was followed by a better one is none."""
    if person.counts is not None and person.counts <= 0 and person.anc < 1:
        return "left-out"
    return _delay(person, [person.low] if person.low is not None else [])


def delay_days(person: Person, days: list[int]) -> int:
    """Return how long treatment went on after the first event on it."""
    return person.last - min(day for day in days if day > 0)


def risk_days(person: Person, days: list[int]) -> int:
    """Return the days at risk: to the first event, or to the end of sure treatment."""
    return min([person.last, *(day for day in days if day > 0)])


def drawn(number: int, seed: int = 0) -> Person:
    """Return a patient drawn by chance; patients of later sites are screened less."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311
    site = dice.choice([site for site in range(1, 15) for _ in range(15 - site)])
    careful = 0.9 - 0.035 * site

    def maybe(chance: float, low: int, high: int) -> int | None:
        return dice.randint(low, high) if dice.random() < chance else None

    person = Person(
        f"p{number:05d}",
        TODAY - timedelta(days=dice.randint(20, 790)),
        date(dice.randint(1940, 2000), dice.randint(1, 12), dice.randint(1, 28)),
        dice.choices(["female", "male", "other", "unknown"], [66, 31, 1, 2])[0],
        f"site-{site:02d}",
        dice.choice([-800, -700, -500, -366, -365, -364, -100]) if dice.random() < 0.2 else -900,
        maybe(careful, -420, 70),
        dice.random() < 0.94,
        maybe(careful, -420, 70),
        maybe(careful - 0.1, -420, 70),
        maybe(careful - 0.2, -420, 70),
        maybe(0.8, -40, 0),
        0.8 if dice.random() < 0.06 else 2.5,
        maybe(0.7, -40, 0),
    )
    panel = maybe(0.6, 40, 130)
    if panel is not None:
        person.lipids = dict.fromkeys(("ldl", "hdl", "total_cholesterol", "triglycerides"), panel)
        if dice.random() < 0.1:
            del person.lipids["ldl"]
    person.answered = dice.random() < 0.5
    person.stop = dice.randint(10, person.until) if dice.random() < 0.45 and person.until > 12 else None
    person.low = maybe(0.06, 5, 500)
    person.zoster = [dice.randint(-700, 600) for _ in range(dice.choices([0, 1, 2], [80, 15, 5])[0])]
    person.vte = [dice.randint(-700, 600) for _ in range(dice.choices([0, 1], [92, 8])[0])]
    person.vaccine = maybe(0.1, -100, 400)
    return person


def people(many: int, seed: int = 0) -> list[Person]:
    """Return the first patients that a seed gives."""
    return [drawn(number, seed) for number in range(many)]


def written_people(found: list[Person]) -> list[Json]:
    """Return all resources of patients."""
    return [each for person in found for each in fhir(person.name, person.lines(), person.sex, person.site)]


def counted(found: list[Person]) -> dict[str, Counter[str]]:
    """Return measure -> how many patients have which state."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for person in found:
        for measure, state in truth(person).items():
            counts[measure][state] += 1
    return counts
