"""Made-up patients of about 60 entries, as records that are read already: the same for the same seed.

They are what follow-up of a treated patient looks like: blood counts, liver enzymes and lipids at each visit, the
screening before the start, a problem list, other drugs, answers of a clinician. A third is before the start, most
others are on treatment, some are interrupted. Some values are beyond a limit, some days are only known to the month.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import TYPE_CHECKING

from precaution.values.interval import Interval, above, below, exactly
from precaution.values.record import Entry, Ignored, Kind, Record, Unrecognised, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TODAY = date(2025, 3, 1)
DAY = TODAY.toordinal()
SIZE = 60
"""Entries of each patient."""
LISTS = frozenset({"condition", "medication", "procedure", "immunization", "result"})
VISIT = {  # concept: unit, typical value, spread, upper limit of the reference range
    "lab_anc": ("10*9/L", 3.4, 1.1, None),
    "lab_alc": ("10*9/L", 1.6, 0.5, 4.0),
    "lab_hemoglobin": ("g/dL", 13.0, 1.6, None),
    "lab_wbc": ("10*9/L", 6.1, 1.6, None),
    "lab_alt": ("U/L", 27.0, 14.0, 40.0),
    "lab_ast": ("U/L", 25.0, 10.0, 40.0),
}
LIPIDS = {
    "lab_ldl": ("mg/dL", 112.0, 30.0, 160.0),
    "lab_hdl": ("mg/dL", 55.0, 13.0, None),
    "lab_total_cholesterol": ("mg/dL", 190.0, 35.0, None),
    "lab_triglycerides": ("mg/dL", 120.0, 50.0, None),
}
SCREENS = ("lab_hbsag", "lab_anti_hbc", "lab_anti_hcv", "lab_igra_interpretation")
CONDITIONS = (
    "cv_risk_hypertension",
    "cv_risk_dyslipidemia",
    "diabetes",
    "cv_risk_obesity",
    "infection_any",
    "infection_any",
    "herpes_zoster",
    "ascvd_mi",
    "malignancy_history",
    "vte",
    "vte_history",
    "nmsc",
    "infection_chronic_or_recurrent",
    "thrombophilia_acquired",
    "superficial_thrombophlebitis",
    "hepatitis_b",
)
DRUGS = (
    "drug_methotrexate",
    "drug_csdmard",
    "drug_bdmard_tnf",
    "drug_statin",
    "drug_systemic_antiinfective",
    "drug_combined_hormonal_contraceptive",
)
ANSWERS = {
    "no-suitable-alternative": ("yes", "no"),
    "infection-considered": ("yes", "no"),
    "infection-resolved": ("yes", "no"),
    "vaccinations-complete": ("yes", "no"),
    "skin-examined": ("yes",),
    "caution-acknowledged": ("yes",),
    "thromboembolism-risk-reassessed": ("yes",),
    "past-smoking-long-term": ("yes", "no"),
}


def patients(count: int, seed: int = 0) -> Iterator[tuple[str, Record]]:
    """Yield made-up patients, each with a name."""
    dice = Random(seed)  # noqa: S311 - made-up data
    for number in range(count):
        yield f"patient-{number:07d}", patient(dice)


def patient(dice: Random) -> Record:
    """Return a made-up patient of `SIZE` entries."""
    made = _Made(dice)
    for part in (made.treatment, made.screens, made.smoking, made.history, made.drugs, made.answers):
        part()
    while len(made.entries) < SIZE:
        made.visit()
    entries: dict[str, list[Entry]] = {}
    for entry in made.entries[:SIZE]:
        entries.setdefault(entry.concept, []).append(entry)
    birth = date(dice.randint(1938, 1999), dice.randint(1, 12), dice.randint(1, 28)).toordinal()
    return Record(
        exactly(birth),
        None,
        {name: tuple(sorted(each, key=in_order)) for name, each in entries.items()},
        LISTS if dice.random() < 0.9 else LISTS - {dice.choice(sorted(LISTS))},
        ignored=tuple(Ignored(f"Encounter/{n}", "not looked at") for n in range(dice.choice((0, 0, 1, 2)))),
        unrecognised=tuple(
            Unrecognised(
                f"Condition/u{n}", "http://snomed.info/sct", str(dice.randint(10**6, 10**7)), "no code list knows it"
            )
            for n in range(dice.choice((0, 1, 1, 3)))
        ),
    )


class _Made:
    """One patient in the making."""

    def __init__(self, dice: Random) -> None:
        self.dice, self.entries = dice, list[Entry]()
        self.start = DAY - dice.randint(20, 900)
        self.visits = 0

    def add(self, concept: str, kind: Kind, day: float | None, says: str = "", **more: object) -> None:
        source = f"{kind.capitalize()}/{len(self.entries):03d}-{self.dice.randint(0, 9999):04d}"
        begun = None if day is None else self.day(int(day))
        self.entries.append(Entry(concept, kind, source, begun, says=says, **more))  # type: ignore[arg-type]

    def day(self, day: int) -> Interval:
        """Return a day, now and then known only to the month."""
        if self.dice.random() < 0.97:
            return exactly(day)
        first = date.fromordinal(day).replace(day=1)
        return Interval(first.toordinal(), first.toordinal() + 27)

    def ago(self, most: int) -> int:
        return DAY - self.dice.randint(0, most)

    def treatment(self) -> None:
        stage = self.dice.choices(("before", "on", "held"), (30, 55, 15))[0]
        if stage == "before":
            return
        status = "held" if stage == "held" else "active"
        self.add("drug_baricitinib", "medication", self.start, status=status)
        for number in range(self.dice.randint(0, 3)):
            begun = min(self.start + 84 * number, DAY)
            self.add("drug_baricitinib", "medication", begun, status="ended", end=exactly(min(begun + 90, DAY)))

    def screens(self) -> None:
        for concept in SCREENS:
            if self.dice.random() < 0.9:
                word = "positive" if self.dice.random() < 0.05 else "negative"
                self.add(concept, "result", self.start - self.dice.randint(1, 300), word, result=word)

    def smoking(self) -> None:
        concept = self.dice.choice(("smoking_never", "smoking_never", "smoking_former", "smoking_current"))
        self.add(concept, "result", self.ago(900), "status recorded")
        if concept == "smoking_former" and self.dice.random() < 0.5:
            self.measured("smoking_pack_years", ("{pack-years}", 12.0, 8.0, None), self.ago(900))

    def history(self) -> None:
        self.add("indication_rheumatoid_arthritis", "condition", self.ago(6000), status="active")
        for concept in self.dice.sample(CONDITIONS, self.dice.randint(1, 5)):
            status = self.dice.choice(("active", "ended", "unknown"))
            begun = self.ago(2500)
            end = exactly(min(begun + 30, DAY)) if status == "ended" else None
            certainty = "suspected" if self.dice.random() < 0.08 else "certain"
            self.add(concept, "condition", begun, status=status, end=end, certainty=certainty)

    def drugs(self) -> None:
        for concept in self.dice.sample(DRUGS, self.dice.randint(1, 4)):
            begun = self.ago(1500)
            over = self.dice.random() < 0.5
            self.add(
                concept,
                "medication",
                begun,
                status="ended" if over else "active",
                end=exactly(min(begun + 200, DAY)) if over else None,
            )
        if self.dice.random() < 0.4:
            self.add("vaccine_live", "immunization", self.ago(2000))
        if self.dice.random() < 0.4:
            self.add("skin_examination", "procedure", self.ago(700))
        if self.dice.random() < 0.1:
            self.add("major_surgery", "procedure", self.ago(700))

    def answers(self) -> None:
        for name in self.dice.sample(sorted(ANSWERS), self.dice.randint(0, 5)):
            word = self.dice.choice(ANSWERS[name])
            self.add(f"ask:{name}", "answer", self.ago(500), word, result=word)

    def visit(self) -> None:
        """Add the results of one visit, the latest first."""
        day = DAY - 5 - 84 * self.visits
        panel: Sequence[dict[str, tuple[str, float, float, float | None]]] = (VISIT, LIPIDS)
        for each in panel if self.visits % 2 == 0 else (VISIT,):
            for concept, what in each.items():
                if self.dice.random() < 0.93:
                    self.measured(concept, what, day - self.dice.randint(0, 3))
        self.visits += 1

    def measured(self, concept: str, what: tuple[str, float, float, float | None], day: int) -> None:
        unit, typical, spread, upper = what
        number = round(max(self.dice.gauss(typical, spread), 0.1), 1)
        sort = self.dice.random()
        value, sign = (
            (below(number), "<") if sort < 0.01 else (above(number), ">") if sort < 0.02 else (exactly(number), "")
        )
        status = "preliminary" if self.dice.random() < 0.02 else "final"
        self.add(concept, "result", day, f"{sign}{number:g} {unit}", value=value, upper=upper, status=status)
