"""The pages as an ASGI application: the list, a patient, the checklist. Nothing here changes anything."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from precaution.clinic import pages
from precaution.clinic.access import MISTAKE, AccessGuard, ClinicAccess
from precaution.clinic.checklist import checklist
from precaution.clinic.opening import OpenedResults
from precaution.clinic.patient import patient_view
from precaution.clinic.settings import ClinicSettings, load_clinic
from precaution.clinic.steps import StepWords
from precaution.clinic.trends import SPANS
from precaution.clinic.worklist import SHOWN, SORTS, ClinicList, Shown, WorklistView
from precaution.cohort.who import STOPPED_DAYS
from precaution.knowledge.model import Label
from precaution.service.cards.vocabulary import Vocabulary, load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from precaution.clinic.people import PersonDetails
    from precaution.clinic.worklist import Listed

_CSV_ROWS = 10_000


class Clinic(NamedTuple):
    """What the pages are made of."""

    opened: OpenedResults
    label: Label
    settings: ClinicSettings
    vocabulary: Vocabulary
    words: StepWords
    people: ClinicList
    who: Shown
    """Who is on the list where an address does not say."""

    @property
    def today(self) -> int:
        """The day for which everybody was decided, as an ordinal."""
        return self.opened.today.toordinal()


def make_clinic(
    opened: OpenedResults,
    folder: Path,
    label: Label,
    who: Shown = "on-drug",
    names: Iterable[PersonDetails] = (),
) -> Clinic:
    """Return what the pages of some results are made of. Raises InputError, KnowledgeError.

    `folder`: the label's; `names`: who the patients are, where names are kept.
    """
    settings, vocabulary = load_clinic(folder, label), load_vocabulary(folder, label)
    people = ClinicList(opened.folder, label, opened.today.toordinal(), names)
    return Clinic(opened, label, settings, vocabulary, StepWords(label, vocabulary), people, who)


def make_app(clinic: Clinic, access: ClinicAccess) -> AccessGuard:
    """Return the application, which shows nothing to who does not have the key."""
    routes = [
        Route("/", _route(clinic, _list), methods=["GET"]),
        Route("/worklist.csv", _route(clinic, _csv), methods=["GET"]),
        Route("/patients/{ref}", _route(clinic, _patient), methods=["GET"]),
        Route("/patients/{ref}/checklist", _route(clinic, _checklist), methods=["GET"]),
        Route("/about", _route(clinic, _about), methods=["GET"]),
        Route("/static/clinic.css", _style, methods=["GET"]),
        Route("/static/icon.svg", _icon, methods=["GET"]),
    ]
    errors = {
        HTTPStatus.NOT_FOUND: _error(clinic),
        HTTPStatus.METHOD_NOT_ALLOWED: _error(clinic),
        HTTPStatus.INTERNAL_SERVER_ERROR: _mistake,
    }
    return AccessGuard(Starlette(routes=routes, exception_handlers=errors), access)


def _route(clinic: Clinic, show: Callable[[Clinic, Request], Response]) -> Callable[[Request], Response]:
    """Return a page as Starlette takes it: one that runs in a thread, since it asks DuckDB."""

    def shown(request: Request) -> Response:
        return show(clinic, request)

    return shown


def _style(_: Request) -> Response:
    return Response(pages.STYLE, media_type="text/css")


def _icon(_: Request) -> Response:
    return Response(pages.ICON, media_type="image/svg+xml")


def _error(clinic: Clinic) -> Callable[[Request, Exception], Response]:
    def shown(_: Request, error: Exception) -> Response:
        return _message(clinic, getattr(error, "status_code", HTTPStatus.NOT_FOUND))

    return shown


def _mistake(_: Request, __: Exception) -> Response:
    """Return what a browser sees; `AccessGuard` tells the terminal where it was."""
    return PlainTextResponse(MISTAKE, HTTPStatus.INTERNAL_SERVER_ERROR)


def _message(clinic: Clinic, status: int = HTTPStatus.NOT_FOUND) -> Response:
    return HTMLResponse(pages.rendered("message.html", clinic=clinic), status)


def asked_view(query: Mapping[str, str], who: Shown) -> WorklistView:
    """Return the view that an address asks for; what is no choice is as if it were not there."""
    chosen, sort = query.get("who", who), query.get("sort", "")
    page, before = query.get("page", "1"), query.get("before", "")
    return WorklistView(
        who=next((each for each in SHOWN if each == chosen), who),
        stage=query.get("stage", "")[:100],
        action=query.get("action", "")[:100],
        before=before if _is_day(before) else "",
        search=query.get("search", "").strip()[:200],
        site=query.get("site", "")[:200],
        clinician=query.get("clinician", "")[:1000],
        sort=next((each for each in SORTS if each == sort), "urgency"),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1,
    )


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2025-03-01") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _list(clinic: Clinic, request: Request) -> Response:
    view = asked_view(request.query_params, clinic.who)
    page = clinic.people.page(view)
    return HTMLResponse(
        pages.rendered(
            "worklist.html",
            clinic=clinic,
            view=view,
            page=page,
            rows=list(_with_steps(clinic, page.rows)),
            counts=clinic.people.count(),
            actions=clinic.people.actions(view),
            choices=clinic.people.choices(),
            left_out=clinic.people.not_decided(),
            sorts=SORTS,
        )
    )


def _with_steps(clinic: Clinic, rows: list[Listed]) -> Iterator[tuple[Listed, list[str]]]:
    undone = clinic.people.undone([row.person for row in rows])
    for row in rows:
        yield row, clinic.words.steps(row.action, attested=row.attested, undone=undone[row.person])


def _csv(clinic: Clinic, request: Request) -> Response:
    view = asked_view(request.query_params, clinic.who)
    rows = (each for some in clinic.people.pages(view, _CSV_ROWS) for each in _with_steps(clinic, some))
    name = f"worklist-{clinic.opened.today.isoformat()}.csv"
    return StreamingResponse(
        pages.csv_lines(rows), media_type="text/csv", headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def _patient(clinic: Clinic, request: Request) -> Response:
    found = clinic.people.find(request.path_params["ref"])
    if found is None:
        return _message(clinic)
    asked = request.query_params.get("span", "")
    span = asked if asked in SPANS else "12"
    view = patient_view(
        clinic.people.record(found.person),
        clinic.label,
        clinic.settings,
        clinic.vocabulary,
        clinic.words,
        clinic.today,
        span,
    )
    return HTMLResponse(pages.rendered("patient.html", clinic=clinic, patient=found, view=view, page=view.page))


def _checklist(clinic: Clinic, request: Request) -> Response:
    found = clinic.people.find(request.path_params["ref"])
    if found is None:
        return _message(clinic)
    made = checklist(clinic.people.record(found.person), clinic.label, clinic.vocabulary, clinic.today)
    return HTMLResponse(pages.rendered("checklist.html", clinic=clinic, patient=found, list=made))


def _about(clinic: Clinic, _: Request) -> Response:
    return HTMLResponse(pages.rendered("about.html", clinic=clinic, stopped_days=STOPPED_DAYS))
