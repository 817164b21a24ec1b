"""The check that runs the cases: each must come to what it expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.cases.load import place_of, unknown_names
from precaution.cases.run import run
from precaution.checks.problem import problem
from precaution.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from precaution.cases.load import Case
    from precaution.cases.run import CaseResult
    from precaution.checks.problem import LabelProblem
    from precaution.knowledge.model import Label

    Progress = Callable[[int, int], object]


def cases_of(name: str, cases: Sequence[Case], label: Label) -> tuple[Case, ...]:
    """Return the cases that expect something of a rule or duty. Raises UsageError where the label has none such."""
    known = {*label.rules, *label.duties}
    if name not in known:
        hint = did_you_mean(name, known)
        raise UsageError(f"'{name}' is no rule or duty of {label.name}.{hint} `precaution label` lists them.")
    return tuple(case for case in cases if name in case.expect or name in case.expect.get("urgent", "").split())


def false_cases(cases: Sequence[Case], label: Label, progress: Progress = lambda *_: None) -> Iterator[LabelProblem]:
    """Yield a problem for each case that does not come to what it expects.

    What can't be decided for the same reason, as a line of a base record that can't be read, is one problem.
    `progress` is told how many cases were run, and how many there are.
    """
    undecided: dict[str, list[Case]] = {}
    for number, case in enumerate(cases, start=1):
        result = None if any(unknown_names(case, label)) else run(case, label)
        progress(number, len(cases))
        if result is None or result.is_true:
            continue
        if result.error:
            undecided.setdefault(result.error, []).append(case)
        else:
            yield _false(result)
    yield from (_undecided(error, alike) for error, alike in undecided.items())


def _false(result: CaseResult) -> LabelProblem:
    return problem(place_of(result.case).at("expect"), str(result))


def _undecided(error: str, alike: Sequence[Case]) -> LabelProblem:
    more = len(alike) - 1
    others = f" (and {more} more case{'s' if more > 1 else ''})" if more else ""
    return problem(place_of(alike[0]), f"can't be decided: {error}{others}")
