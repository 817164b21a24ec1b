"""What a folder of results says of itself: what it was made from, how far it is, what was counted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from precaution import __version__
from precaution.cohort.context import WORK, LostLines
from precaution.cohort.problems import HARMLESS, LOSSES
from precaution.cohort.sort.sorted import OTHERS_PATIENT
from precaution.cohort.tables import AUDIT, SCHEMAS, TableRows, put
from precaution.cohort.who import Choice
from precaution.errors import InputError, UsageError
from precaution.writers.structured import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from precaution.cohort.context import RunContext
    from precaution.cohort.deciding import Decided
    from precaution.cohort.problems import Problem
    from precaution.cohort.sort.sorted import Sorted
    from precaution.knowledge.model import Label

DONE, RUN, QUALITY = "_SUCCESS", "run.json", "quality.json"
HOW = ("engine", "partitions")
"""What a run says of how it was made: it changes no result."""
GONE = f"{WORK}-gone"


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run."""

    people: int
    decided: int
    died: int
    failed: int
    left_out: int = 0
    """How many patients are not asked for."""
    actions: Mapping[str, int] = field(default_factory=dict[str, int])
    problems: Mapping[str, int] = field(default_factory=dict[str, int])
    lost_lines: LostLines = "everybody"
    """Whose lost lines were taken to be."""
    who: Choice = "everybody"
    """Who was asked for."""
    by_label: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, "Mapping[str, int]"])
    """Where several labels decided: how many decisions of each action, by the label's name."""

    def told(self) -> dict[str, object]:
        """Return it as plain data; without `by_label` where there was one label."""
        told = dict(fields_of(self))
        if not self.by_label:
            del told["by_label"]
        return told

    @property
    def clean(self) -> bool:
        """Whether every living patient was decided and nothing was lost."""
        return not set(self.problems) - HARMLESS

    @property
    def disregarded(self) -> int:
        """How many lines were lost that may have been anybody's, and made nobody's answer uncertain."""
        return sum(self.problems.get(kind, 0) for kind in LOSSES) if self.lost_lines == "nobody" else 0


def described(context: RunContext, labels: Sequence[Label]) -> dict[str, Any]:
    """Return what decides a run's results, and a digest of it: only a run of the same digest may be continued."""
    about_labels = [{"name": each.name, "version": each.version, "digest": each.digest} for each in labels]
    about: dict[str, Any] = {
        "precaution": __version__,
        "label": about_labels[0] if len(labels) == 1 else about_labels,
        "policy": dict(labels[0].policy) if len(labels) == 1 else {each.name: dict(each.policy) for each in labels},
        "today": context.today.isoformat(),
        "history": "history" in context.tables,
        "audit": context.tables.issuperset(AUDIT),
        "limit": context.limit,
        "entries": "entries" in context.tables,
        "lost_lines": context.lost_lines,
        "who": [context.who.choice, *sorted(context.who.people)],
        "files": [each._asdict() for each in context.files],
        **({"answers": context.answers.state} if context.answers is not None else {}),
    }
    written = json.dumps(about, sort_keys=True, default=list)
    return {"digest": hashlib.sha256(written.encode()).hexdigest(), **about}


def opened(out: Path, about: dict[str, Any], *, overwrite: bool) -> bool:
    """Make the folder of results ready, and return whether it is complete already.

    Raises UsageError where it holds another run's results, or files that are not ours.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"'{out}' is a file; --out takes a folder")
    before = _json(out / RUN) if (out / RUN).exists() else None
    if before is None and out.exists() and not _is_empty(out):
        raise UsageError(f"'{out}' holds other files; give an empty or a new folder")
    if overwrite and before is not None:
        cleared(out)
        before = None
    if before is not None and before.get("digest") != about["digest"]:
        raise UsageError(
            f"'{out}' holds the results of {_difference(before, about)}; give another folder, or "
            "--overwrite to replace them"
        )
    if before is not None and not (out / DONE).exists() and any(before.get(name) != about.get(name) for name in HOW):
        cleared(out)  # what another backend left is not gone on with: its partitions are others
        before = None
    shutil.rmtree(out / GONE, ignore_errors=True)
    (out / WORK).mkdir(mode=0o700, parents=True, exist_ok=True)
    if before is None:
        put(out / RUN, lambda path: path.write_text(_text(about), encoding="utf-8"), out / WORK)
    return (out / DONE).exists()


def _is_empty(out: Path) -> bool:
    """Whether there is nothing in a folder, or what a run leaves that was ended before it began."""
    found = list(out.iterdir())
    return not found or (
        found == [out / WORK]
        and found[0].is_dir()
        and all(half.name.startswith(f"{RUN}.") for half in found[0].iterdir())
    )


def _difference(before: Mapping[str, object], about: Mapping[str, object]) -> str:
    differ = [
        name for name in about if name not in ("digest", *HOW) and before.get(name) != json.loads(_text(about[name]))
    ]
    return f"another run (it differs in: {', '.join(differ)})"


def cleared(out: Path) -> None:
    """Remove the results of a run, and nothing else: the mark of success first, what shows that they are ours last."""
    (out / DONE).unlink(missing_ok=True)
    shutil.rmtree(out / GONE, ignore_errors=True)
    if (out / WORK).exists():  # in one step, for half of it would not show that it is not whole
        (out / WORK).rename(out / GONE)
    for name in (*SCHEMAS, GONE):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (QUALITY, RUN):
        (out / name).unlink(missing_ok=True)


def finished(context: RunContext, found: Sorted, parts: Sequence[Decided]) -> Summary:
    """Write the problems that concern no patient, the report on data quality, and the mark of success.

    `found`: what the first pass left. `parts`: what came of the partitions. Returns the summary. Raises OutputError.
    """
    out, work = context.out, context.work
    _write_problems(out, work, found.problems)
    summary = summed(context, found, parts)
    report = _text({**_quality(found, parts, summary), **found.report})
    put(out / QUALITY, lambda path: path.write_text(report, encoding="utf-8"), work)
    put(out / DONE, lambda path: path.write_text("", encoding="utf-8"), work)
    shutil.rmtree(work, ignore_errors=True)
    return summary


def _write_problems(out: Path, work: Path, problems: Iterable[Problem]) -> None:
    tables, in_order = TableRows(), sorted(problems, key=lambda problem: (problem.file, problem.line, problem.kind))
    tables.add("problems", in_order)
    tables.write(out, "source", ["problems"], work)


def summed(context: RunContext, found: Sorted, parts: Sequence[Decided]) -> Summary:
    """Return the summary of partitions, and of what the first pass found that concerns no patient."""
    counts = Counter[str]()
    for problem in found.problems:
        counts[problem.kind] += problem.lines
    dropped = found.passed_over[OTHERS_PATIENT]
    return Summary(
        sum(part.people for part in parts) + dropped,
        sum(part.decided for part in parts),
        sum(part.died for part in parts),
        sum(part.failed for part in parts),
        sum(part.left_out for part in parts) + dropped,
        _total(part.actions for part in parts),
        _total([counts, *(part.problems for part in parts)]),
        context.lost_lines,
        context.who.choice,
        _by_label(_total(part.by_label for part in parts)),
    )


def _by_label(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return counts whose keys are `label: word` by label and word."""
    found: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        label, _, action = name.partition(": ")
        found.setdefault(label, {})[action] = count
    return found


def stored(out: Path) -> Summary:
    """Return the summary of a folder of results. Raises InputError where it holds no complete ones."""
    if not (out / DONE).exists():
        lacks = f"there is no {DONE} in it" if out.is_dir() else "there is no such folder"
        raise InputError(f"'{out}' holds no complete results of `precaution cohort`: {lacks}")
    report = _json(out / QUALITY)
    return Summary(**{each.name: report[each.name] for each in fields(Summary) if each.name in report})


def _quality(found: Sorted, parts: Sequence[Decided], summary: Summary) -> dict[str, object]:
    unrecognised = _total(part.unrecognised for part in parts)
    of_labels = _by_label(_total(part.people_with_by_label for part in parts))
    return {
        **summary.told(),
        "taken": _total([found.taken]),
        "passed_over": _total([found.passed_over]),
        "ignored": _total(part.ignored for part in parts),
        "people_with": _total(part.people_with for part in parts),
        **({"people_with_by_label": of_labels} if of_labels else {}),
        "unrecognised": [_coded(name, count) for name, count in sorted(unrecognised.items(), key=_most)],
    }


def _most(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _coded(name: str, count: int) -> dict[str, object]:
    codes, _, why = name.partition(": ")
    system, _, code = codes.partition(" ")
    return {"system": system, "code": code, "why": why, "count": count}


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"'{path}' can't be read; --overwrite makes the results anew") from None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=list) + "\n"
