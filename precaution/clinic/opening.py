"""What the pages show: results of a cohort as they are, or records that are decided first."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.cohort.results import DONE, RUN, Summary, stored
from precaution.cohort.run import cohort
from precaution.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.cohort.progress import Tell
    from precaution.knowledge.model import Label


class OpenedResults(NamedTuple):
    """A folder of results that the pages can show: complete, with the records, of this label."""

    folder: Path
    today: date
    """The day for which everybody was decided."""
    summary: Summary


def is_results(source: Path | str) -> bool:
    """Whether a source is a folder that `precaution cohort` wrote."""
    return "://" not in str(source) and (Path(source) / RUN).is_file()


def opened_results(source: Path, label: Label) -> OpenedResults:
    """Return results as they are. Raises InputError where they are not complete, UsageError where they do not fit."""
    summary = stored(source)
    try:
        about = json.loads((source / RUN).read_text(encoding="utf-8"))
        labels = about["label"] if isinstance(about["label"], list) else [about["label"]]
        digests, day = {str(each["digest"]) for each in labels}, date.fromisoformat(about["today"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"'{source / RUN}' can't be read; make the results anew with --overwrite") from None
    if label.digest not in digests:
        raise UsageError(
            f"the results in '{source}' were made with another label, policy or code lists; give the same "
            "ones, or give the records themselves, which are then decided"
        )
    if not (source / "entries").is_dir():
        raise UsageError(
            f"the results in '{source}' do not hold the records, which a patient's page shows: make them with "
            "`precaution cohort --entries`, or give the records themselves"
        )
    return OpenedResults(source, day, summary)


def decided_results(
    source: Path | str,
    out: Path,
    today: date,
    *,
    label: Path,
    policy: Path | None = None,
    codes: Iterable[Path] = (),
    workers: int | None = None,
    overwrite: bool = False,
    progress: Tell = lambda *_: None,
) -> OpenedResults:
    """Decide everybody of a source, write the results to `out`, and return them. Raises as `cohort`."""
    summary = cohort(
        source,
        out,
        today=today,
        label=label,
        policy=policy,
        codes=codes,
        workers=workers,
        overwrite=overwrite,
        entries=True,
        progress=progress,
    )
    if not (out / DONE).exists():  # pragma: no cover - a run that returns is complete
        raise InputError(f"'{out}' holds no complete results")
    return OpenedResults(out, today, summary)
