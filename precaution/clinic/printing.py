"""Paper from the pages: a patient's letters, and the list of what is due in the weeks to come."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from precaution.clinic.access import POLICY
from precaution.clinic.paper import letter_for, letter_names, letter_page
from precaution.clinic.worklist import Listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from precaution.clinic.paper import AlertLine
    from precaution.clinic.worklist import ClinicList, WorklistView
    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Label

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_CARD = "alert-card"
_AT_ONCE = 500
UNDATED = "without a day"
"""In place of a week: whoever has only what is or may be due without a day."""


class DueVisit(NamedTuple):
    """A patient of the due list with what is due, as the list for a week says it."""

    patient: Listed
    what: list[str]
    """What is due by the end of that week, each with its day."""


def offered_letters(decision: Decision, alerts: Sequence[AlertLine], folder: Path | None) -> list[str]:
    """Return the names of the letters that can be written about a patient; `folder`: a site's templates."""
    card = bool(alerts) and decision.stage != "before-start"
    return [each for each in letter_names(folder) if each != _CARD or card]


def written_letter(
    name: str, decision: Decision, label: Label, alerts: Sequence[AlertLine], patient: Listed, folder: Path | None
) -> tuple[str, str]:
    """Return a letter as a page, and the content security policy that lets its own style apply and nothing else.

    Raises InputError as `letter_page`.
    """
    page = letter_page(name, letter_for(decision, label, alerts, patient.name or patient.person), folder)
    hashes = (b64encode(sha256(each.encode()).digest()).decode() for each in _STYLE.findall(page))
    styles = " ".join(["style-src 'self'", *(f"'sha256-{each}'" for each in hashes)])
    return page, POLICY.replace("style-src 'self'", styles)


def due_weeks(people: ClinicList, view: WorklistView, today: int, weeks: int) -> list[tuple[str, list[DueVisit]]]:
    """Return who is due for what in the next `weeks`, by week: what was due before today, each week by its Monday.

    A patient stands in the week of the earliest day, with everything that is due by the end of that week, so that one
    visit serves for all, and with what is or may be due without a day. Whoever has nothing else stands at the end.
    """
    visits = sorted(_visits(people, view, today, weeks), key=lambda each: (each[0], each[1].patient.person))
    return [(week, [visit for _, visit in some]) for week, some in groupby(visits, key=lambda each: each[0])]


def _visits(people: ClinicList, view: WorklistView, today: int, weeks: int) -> Iterator[tuple[str, DueVisit]]:
    now = date.fromordinal(today)
    last = _monday(now) + timedelta(weeks=weeks, days=-1)
    for rows in people.pages(view, _AT_ONCE):
        to_come = people.to_come([each.person for each in rows])
        for row in rows:
            first = next((day for day, _ in to_come[row.person] if _until(day, last)), "")
            week, end = _week(first, now) if first else (UNDATED, last)
            what = [
                f"{tell}: {day or 'day not known'}" for day, tell in to_come[row.person] if not day or _until(day, end)
            ]
            if what:
                yield week, DueVisit(row, what)


def _week(first: str, now: date) -> tuple[str, date]:
    """Return the week of a day, and the day until which one visit then serves."""
    monday = _monday(max(date.fromisoformat(first), now))
    return "" if first < now.isoformat() else monday.isoformat(), monday + timedelta(days=6)


def _until(day: str, last: date) -> bool:
    return bool(day) and date.fromisoformat(day) <= last


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
