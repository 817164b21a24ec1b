"""A small second label beside the package's: it shares code lists with that, and has a drug and questions of its own.

Its drug is `drug_methotrexate` of the shared medicines, which the package's label knows as another medicine; its limits
are made up. It has an ask of the same number as one of the package's label, and one of the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.knowledge.loading import load_label

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.knowledge.model import Label

HEAD = """
name = "second"
title = "The second drug"
version = "1"

[shared]
chapters = "blood-counts liver medicines results"

[about.provenance]
text = "Made up for tests"
region = "none"
date = "2025-01"

[actions]
order = ["do-not-start", "interrupt", "stay-interrupted", "obtain", "may-resume", "weigh", "caution", "due", "clear"]
if-unknown = "obtain"
while-interrupted = { interrupt = "stay-interrupted" }
reasons = ["counts"]

[therapy]
drug = "drug_methotrexate"
grace = "grace"
gap = "gap"

[records]
absence = "absence"
suspected = "suspected"
same-day = "same-day"
"""
TOPIC = """
[shared]
facts = "anc"

[says.S01]
exact = "0-10 97ffec595500e483f611925ba37a5dd29807a3f98ccea261e67c93bcab5d1e3f"
means = "Do not start below 2; look at neutrophils every 8 weeks."
numbers = { anc-limit = "2 ×10⁹/L" }

[parameter.grace]
of = "S01"
value = "30 days"
why = "Made up."

[parameter.gap]
of = "S01"
value = "90 days"
why = "Made up."

[parameter.absence]
of = "S01"
value = "list-supplied"
choices = ["list-supplied", "attested"]
why = "Made up."

[parameter.suspected]
of = "S01"
value = "question"
choices = ["question", "yes"]
why = "Made up."

[parameter.same-day]
of = "S01"
value = "worst"
choices = ["worst", "unknown"]
why = "Made up."

[parameter.count-max-age]
of = "S01"
value = "28 days"
why = "Made up."

[parameter.count-max-age-on-treatment]
of = "S01"
value = "56 days"
why = "Made up."

[parameter.count-release-values]
of = "S01"
value = 1
why = "Made up."

[parameter.every-8-weeks]
of = "S01"
value = "56 days"
why = "Made up."

[ask.no-suitable-alternative]
number = "A20"
question = "Is there nothing else than the second drug?"
of = "S01"
about = "anc"
why = "Made up."

[ask.seen-by-second-clinic]
number = "A1"
question = "Has the second clinic seen the patient?"
of = "S01"
why = "Made up."

[rule.few-neutrophils]
title = "Neutrophils below {anc-limit}"
cites = "S01"
when = "anc < anc-limit"
then = { before-start = "do-not-start", on-treatment = "interrupt" }
release = "anc-release >= anc-limit"
tell = "Neutrophils {anc}, below {anc-limit}"

[rule.not-seen]
title = "The second clinic has not seen the patient"
cites = "S01"
when = "not seen-by-second-clinic"
then = "caution"
tell = "Let the second clinic see the patient"

[duty.neutrophils]
cites = "S01"
stages = "after-start"
needs = ["lab_anc"]
every = "every-8-weeks"
tell = "Neutrophils every 8 weeks"
"""


def write_second_label(folder: Path) -> Path:
    """Write the label as a folder, and return that."""
    (folder / "topics").mkdir(parents=True)
    (folder / "codes").mkdir()
    (folder / "label.toml").write_text(HEAD, encoding="utf-8")
    (folder / "topics" / "counts.toml").write_text(TOPIC, encoding="utf-8")
    return folder


def second_label(folder: Path) -> Label:
    """Return the label, written to a folder."""
    return load_label(write_second_label(folder))
