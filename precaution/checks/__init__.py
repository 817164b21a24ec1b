"""`precaution check`: everything that can be told to be wrong with a label's folder before it is used.

`check` loads the folder (what the loader refuses is a problem too) and runs every check of CHECKS. A check is a
function from a `Folder` to the problems it sees; its docstring says what it asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.cases import load as cases
from precaution.checks import coverage, measures, reasons, text, use
from precaution.checks.problem import Folder, Problem, problems
from precaution.errors import KnowledgeError, UsageError
from precaution.knowledge.folder import read_codes
from precaution.knowledge.loading import read_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["CHECKS", "Problem", "check"]

CHECKS: tuple[Callable[[Folder], Iterable[Problem]], ...] = (
    text.exact_sentences,
    text.whole_text,
    text.digest_shape,
    text.repeated_sentences,
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
    coverage.readable_cases,
    coverage.rules,
    coverage.duties,
    measures.measures_without_sentence,
    measures.measures_without_reading,
    measures.measures_of_nothing,
    measures.measures_of_age_alone,
    measures.published_without_source,
)


def check(folder: Path, text: Path | None = None) -> list[Problem]:
    """Return what is wrong with a label's folder; nothing where all is well.

    `text` is a file with the label's own text: with it, every sentence is compared with its digest. Raises
    UsageError where folder or text can't be read.
    """
    if not (folder / "label.toml").is_file():
        raise UsageError(f"{folder} holds no label.toml")
    words = _read(text) if text else None
    try:
        whole = Folder(read_label(folder), cases.load_cases(folder), read_codes(folder / "codes"), words)
    except KnowledgeError as error:
        return problems(error)
    return [problem for each in CHECKS for problem in each(whole)]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the label's text {path} can't be read: {error}") from None
