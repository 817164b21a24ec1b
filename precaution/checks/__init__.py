"""`precaution check`: everything that can be told to be wrong with a label's folder before it is used.

`check` loads the folder (what the loader refuses is a problem too), runs every check of CHECKS, and then the cases. A
check is a function from a `Folder` to the problems it sees; its docstring says what it asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precaution.cases.load import read_cases
from precaution.checks import coverage, measures, reasons, text, unlisted, use
from precaution.checks.false_cases import cases_of, false_cases
from precaution.checks.problem import Folder, LabelProblem, problems
from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.folder import read_codes
from precaution.knowledge.loading import read_label
from precaution.revision.changes import concerned
from precaution.revision.texts import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from precaution.checks.false_cases import Progress
    from precaution.knowledge.model import Label

__all__ = ["CHECKS", "Checked", "LabelProblem", "check", "checked"]

CHECKS: tuple[Callable[[Folder], Iterable[LabelProblem]], ...] = (
    text.exact_sentences,
    text.whole_text,
    text.digest_shape,
    text.repeated_sentences,
    text.suspect_sentences,
    text.unread_sentences,
    reasons.uncited_directives,
    reasons.sentences_without_reason,
    reasons.background_of_nothing,
    reasons.parameters_without_reason,
    reasons.unstated_numbers,
    reasons.placeholders,
    reasons.transparency,
    use.unused_facts,
    use.unused_asks,
    use.unused_parameters,
    use.unused_lists,
    use.codes,
    use.concept_ids,
    unlisted.whole_lists,
    unlisted.codes_on_no_list,
    coverage.readable_cases,
    coverage.rules,
    coverage.duties,
    measures.measures_without_sentence,
    measures.measures_without_reading,
    measures.measures_of_nothing,
    measures.measures_of_age_alone,
    measures.published_without_source,
)

OF_ALL_CASES = (coverage.rules, coverage.duties)
"""Checks that are only made where all cases can be read."""
BEFORE_CASES = (reasons.placeholders,)
"""Checks without which nothing can be decided: cases are only run where these find nothing."""


class Checked(NamedTuple):
    """What a check of a label's folder found, and how many cases it ran."""

    problems: list[LabelProblem]
    ran: int = 0
    """Cases that were run."""
    cases: int = 0
    """Cases that there are."""


def check(folder: Path, text: Path | None = None) -> list[LabelProblem]:
    """Return what is wrong with a label's folder, false cases included; nothing where all is well.

    `text` is a file with the label's own text: with it, every sentence is compared with its digest. Raises
    UsageError where the folder can't be read, and InputError for the text.
    """
    return checked(folder, text).problems


def checked(
    folder: Path,
    text: Path | None = None,
    *,
    run_cases: bool = True,
    rule: str = "",
    progress: Progress = lambda *_: None,
) -> Checked:
    """Return what `check` does, and how many cases were run: all, none, or those of one rule or duty.

    `progress` is called with the number of cases run so far and of those to run. Raises UsageError where folder or
    text can't be read, or the label has no such rule or duty.
    """
    if not (folder / "label.toml").is_file():
        raise UsageError(f"{folder} holds no label.toml")
    try:
        label, lists = read_label(folder), read_codes(folder)
    except KnowledgeError as error:
        return Checked(problems(error))
    words = _read(text, label) if text else None
    cases, errors = read_cases(folder)
    chosen = cases_of(rule, cases, label) if rule else cases if run_cases else ()
    found = [each for error in errors for each in problems(error)]
    whole = Folder(label, cases, lists, words)
    found += [each for look in CHECKS if not errors or look not in OF_ALL_CASES for each in look(whole)]
    if any(problem for look in BEFORE_CASES for problem in look(whole)):
        chosen = ()
    found += false_cases(chosen, label, progress)
    return Checked(found, len(chosen), len(cases))


def _read(path: Path, label: Label) -> str:
    """Return the label's text in a file: of a document the sections where the label stands."""
    return concerned(label, read_text(path)).text
