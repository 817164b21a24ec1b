"""What `precaution check --site` looks for: a site's folder that is wrong, or that softens the label.

That nothing of a site can soften is so by construction (`precaution.knowledge.site`); here it is tried too, on every
case of the label and of the site: no decision may be milder with the folder than without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.cases.load import read_cases
from precaution.cases.run import decided, record_of
from precaution.checks import coverage, reasons, use
from precaution.checks.false_cases import false_cases
from precaution.checks.problem import Folder, LabelProblem, problems
from precaution.engine.compiled import compiled_label
from precaution.errors import KnowledgeError, PrecautionError
from precaution.knowledge.folder import read_codes
from precaution.knowledge.loading import read_label
from precaution.knowledge.sections import SITE
from precaution.knowledge.site import site_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from precaution.cases.load import Case
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label
    from precaution.values.record import Record

_LOOKS = (
    reasons.uncited_directives,
    reasons.parameters_without_reason,
    reasons.unstated_numbers,
    reasons.placeholders,
    use.unused_facts,
    use.unused_parameters,
    coverage.rules,
    coverage.duties,
)
"""Checks of a label's folder that are made of a site's too."""


class SiteChecked(NamedTuple):
    """What a check of a site's folder found."""

    site: str
    problems: list[LabelProblem]
    cases: int = 0
    """Cases of the site's own that were run."""
    compared: int = 0
    """Cases, the label's among them, that were decided with the folder and without."""


def check_site(folder: Path, site: Path) -> SiteChecked:
    """Return what is wrong with a site's folder beside the label in `folder`.

    Raises UsageError where there is no such folder, KnowledgeError where the label itself or site.toml is wrong.
    """
    name, alone = site_folder(site).name, read_label(folder)
    try:
        label = read_label(folder, codes=(site,))
        lists = read_codes(folder)
    except KnowledgeError as error:
        return SiteChecked(name, problems(error))
    own, errors = read_cases(site)
    of_label = read_cases(folder).cases
    found = [each for error in errors for each in problems(error)]
    whole = Folder(label, (*own, *of_label), lists, None)
    found += [each for look in _LOOKS for each in look(whole) if each.where.startswith(f"topics/{SITE}")]
    found += false_cases(own, label, lambda *_: None)
    every = (*of_label, *own)
    found += softened(every, alone, label)
    return SiteChecked(name, found, len(own), len(every))


def softened(cases: Iterable[Case], alone: Label, label: Label) -> Iterator[LabelProblem]:
    """Yield the cases whose decision is milder by `label`, which has a site's folder, than by the label alone."""
    for case in cases:
        before, now = _decision(case, alone), _decision(case, label)
        if before is not None and now is not None and is_milder(now, before, alone):
            where = f"topics/{case.topic}.cases.toml [case '{case.name}']"
            yield LabelProblem(
                where, f"it is milder with the site's folder: {before.action} without, {now.action} with it"
            )


def is_milder(now: Decision, before: Decision, label: Label) -> bool:
    """Whether a decision is milder than another one of the same patient, by the label's order of actions."""
    ranks = compiled_label(label, now.stage).ranks
    return ranks[now.action, now.attested] > ranks[before.action, before.attested]


def _decision(case: Case, label: Label) -> Decision | None:
    """Return the decision of a case; None where it can't be decided: a case of the site's may need its lists."""
    try:
        record: Record = record_of(case, label)
        return decided(case, label, record)
    except PrecautionError:
        return None
