"""The pages as an ASGI application: the list, a patient, the checklist. Only answers change anything."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from precaution.clinic import pages
from precaution.clinic.access import MISTAKE, AccessGuard, ClinicAccess
from precaution.clinic.answering import ClinicAnswers
from precaution.clinic.checklist import checklist
from precaution.clinic.forms import FIELDS, sent_form
from precaution.clinic.heeding import HeededAnswers
from precaution.clinic.opening import OpenedResults
from precaution.clinic.paper import AlertLine, load_alerts
from precaution.clinic.patient import patient_view
from precaution.clinic.printing import UNDATED, due_weeks, offered_letters, written_letter
from precaution.clinic.settings import ClinicSettings, load_clinic
from precaution.clinic.steps import StepWords
from precaution.clinic.trends import SPANS
from precaution.clinic.worklist import SHOWN, SORTS, ClinicList, Shown, WorklistView
from precaution.cohort.who import STOPPED_DAYS
from precaution.engine.decision import decide
from precaution.errors import InputError, StoreError, UsageError
from precaution.knowledge.model import Label
from precaution.service.cards.vocabulary import Vocabulary, load_vocabulary
from precaution.service.store import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from starlette.requests import Request

    from precaution.clinic.people import PersonDetails
    from precaution.clinic.worklist import Listed
    from precaution.engine.answer import Decision
    from precaution.values.record import Record

_CSV_ROWS = 10_000
_DUE_WEEKS = 5
_NOTHING = ("There is nothing at this address", "It may be of a patient of other results.")
_MESSAGES = {
    HTTPStatus.NOT_FOUND: _NOTHING,
    HTTPStatus.METHOD_NOT_ALLOWED: _NOTHING,
    HTTPStatus.SERVICE_UNAVAILABLE: ("The store of answers can't be read", "Without it a list could be too mild."),
    HTTPStatus.BAD_REQUEST: ("This was not taken", "It was no form of these pages, or one of before. Nothing changed."),
}
_NO_FIELDS: Mapping[str, Sequence[str]] = {}
_NOT_KEPT = "it could not be kept, since the store does not answer or can't be written. Send it again"


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
    answers: ClinicAnswers | None = None
    """Where answers are kept; None where questions can't be answered on these pages."""
    heeded: HeededAnswers | None = None
    form_token: str = ""
    """See `ClinicAccess.form_token`."""
    alerts: tuple[AlertLine, ...] = ()
    """What an alert card of the label says."""
    letters: Path | None = None
    """The folder of a site's own letters."""

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
    answers: ClinicAnswers | None = None,
    letters: Path | None = None,
) -> Clinic:
    """Return what the pages of some results are made of. Raises InputError, KnowledgeError.

    `folder`: the label's; `names`: who the patients are, where names are kept; `answers`: what clinicians answered;
    `letters`: the folder of a site's own letters.
    """
    settings, vocabulary = load_clinic(folder, label), load_vocabulary(folder, label)
    people = ClinicList(opened.folder, label, opened.today.toordinal(), names)
    heeded = HeededAnswers(people, answers) if answers else None
    made = Clinic(opened, label, settings, vocabulary, StepWords(label, vocabulary), people, who, answers, heeded)
    return made._replace(alerts=tuple(load_alerts(folder, label)), letters=letters)


def make_app(clinic: Clinic, access: ClinicAccess) -> AccessGuard:
    """Return the application, which shows nothing to who does not have the key."""
    clinic = clinic._replace(form_token=access.form_token)
    routes = [
        Route("/", _route(clinic, _list), methods=["GET"]),
        Route("/worklist.csv", _route(clinic, _csv), methods=["GET"]),
        Route("/patients/{ref}", _route(clinic, _patient), methods=["GET"]),
        Route("/patients/{ref}/checklist", _route(clinic, _checklist), methods=["GET"]),
        Route("/patients/{ref}/letters/{name}", _route(clinic, _letter), methods=["GET"]),
        Route("/due", _route(clinic, _due), methods=["GET"]),
        Route("/patients/{ref}/answers", _form(clinic, access, _answered), methods=["POST"]),
        Route("/patients/{ref}/answers/withdraw", _form(clinic, access, _taken_back), methods=["POST"]),
        Route("/about", _route(clinic, _about), methods=["GET"]),
        Route("/static/clinic.css", _style, methods=["GET"]),
        Route("/static/icon.svg", _icon, methods=["GET"]),
    ]
    errors = {
        HTTPException: _error(clinic),
        HTTPStatus.INTERNAL_SERVER_ERROR: _mistake,
    }
    return AccessGuard(Starlette(routes=routes, exception_handlers=errors), access)


def _route(clinic: Clinic, show: Callable[[Clinic, Request], Response]) -> Callable[[Request], Response]:
    """Return a page as Starlette takes it: one that runs in a thread, since it asks DuckDB."""

    def shown(request: Request) -> Response:
        return show(clinic, request)

    return shown


def _form(
    clinic: Clinic, access: ClinicAccess, take: Callable[[Clinic, str, Mapping[str, Sequence[str]]], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """Return what takes a form of a patient's page: it is read here, and taken in a thread, since it asks a store."""

    async def taken(request: Request) -> Response:
        fields = await sent_form(request, access)
        return await run_in_threadpool(take, clinic, request.path_params["ref"], fields)

    return taken


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
    heading, says = _MESSAGES.get(HTTPStatus(status), _MESSAGES[HTTPStatus.BAD_REQUEST])
    return HTMLResponse(pages.rendered("message.html", clinic=clinic, heading=heading, says=says), status)


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
        missed="yes" if query.get("missed") else "",
        sort=next((each for each in SORTS if each == sort), "urgency"),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1,
    )


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2025-03-01") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _list(clinic: Clinic, request: Request) -> Response:
    view, current = asked_view(request.query_params, clinic.who), _refreshed(clinic)
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
            current=current,
        )
    )


def _refreshed(clinic: Clinic) -> bool:
    """Return whether the list heeds all answers that are kept."""
    return clinic.heeded is None or clinic.heeded.refresh()


def _with_steps(clinic: Clinic, rows: list[Listed]) -> Iterator[tuple[Listed, list[str]]]:
    undone = clinic.people.undone([row.person for row in rows])
    for row in rows:
        yield row, clinic.words.steps(row.action, attested=row.attested, undone=undone[row.person])


def _csv(clinic: Clinic, request: Request) -> Response:
    view = asked_view(request.query_params, clinic.who)
    if not _refreshed(clinic):
        return _message(clinic, HTTPStatus.SERVICE_UNAVAILABLE)
    rows = (each for some in clinic.people.pages(view, _CSV_ROWS) for each in _with_steps(clinic, some))
    name = f"worklist-{clinic.opened.today.isoformat()}.csv"
    return StreamingResponse(
        pages.csv_lines(rows), media_type="text/csv", headers={"content-disposition": f'attachment; filename="{name}"'}
    )


def _patient(clinic: Clinic, request: Request) -> Response:
    return _patient_page(clinic, request.path_params["ref"], span=request.query_params.get("span", ""))


def _patient_page(
    clinic: Clinic,
    ref: str,
    status: int = HTTPStatus.OK,
    *,
    span: str = "",
    wrong: str = "",
    fields: Mapping[str, Sequence[str]] = _NO_FIELDS,
) -> Response:
    """Return a patient's page. `wrong`: why a form was not taken; `fields`: what it said."""
    _refreshed(clinic)
    found = clinic.people.find(ref)
    if found is None:
        return _message(clinic)
    record, kept = clinic.people.record(found.person), _kept(clinic, found.person)
    view = patient_view(
        record,
        clinic.label,
        clinic.settings,
        clinic.vocabulary,
        clinic.words,
        clinic.today,
        span if span in SPANS else "12",
        _decision(clinic, record, kept),
    )
    page = pages.rendered(
        "patient.html",
        clinic=clinic,
        patient=found,
        view=view,
        page=view.page,
        kept=kept,
        kept_lines=list(clinic.answers.lines(kept)) if clinic.answers else [],
        asks={each.number: each for each in clinic.label.asks.values()},
        letters=offered_letters(view.decision, clinic.alerts, clinic.letters),
        wrong=wrong,
        fields={name: fields.get(name, [""])[0] for name in FIELDS},
    )
    return HTMLResponse(page, status)


def _kept(clinic: Clinic, person: str) -> Kept:
    """Return what is kept of a patient who is looked at, which is noted."""
    if clinic.answers is None:
        return Kept()
    clinic.answers.viewed(person)
    return clinic.answers.kept(person)


def _decision(clinic: Clinic, record: Record, kept: Kept) -> Decision:
    return (
        clinic.answers.decide(record, kept) if clinic.answers else decide(record, clinic.label, clinic.today).decision
    )


def _answered(clinic: Clinic, ref: str, fields: Mapping[str, Sequence[str]]) -> Response:
    return _changed(clinic, ref, fields, lambda answers, person, record: answers.keep(person, record, fields))


def _taken_back(clinic: Clinic, ref: str, fields: Mapping[str, Sequence[str]]) -> Response:
    return _changed(clinic, ref, fields, lambda answers, person, _: answers.take_back(person, fields))


def _changed(
    clinic: Clinic,
    ref: str,
    fields: Mapping[str, Sequence[str]],
    change: Callable[[ClinicAnswers, str, Record], object],
) -> Response:
    """Change what is kept of a patient, and lead back to the page; where it was not taken the page says why."""
    found = clinic.people.find(ref)
    if found is None or clinic.answers is None:
        return _message(clinic)
    try:
        change(clinic.answers, found.person, clinic.people.record(found.person))
    except UsageError as error:
        return _patient_page(clinic, ref, HTTPStatus.BAD_REQUEST, wrong=str(error), fields=fields)
    except StoreError:
        return _patient_page(clinic, ref, HTTPStatus.SERVICE_UNAVAILABLE, wrong=_NOT_KEPT, fields=fields)
    return RedirectResponse(f"/patients/{ref}#questions", HTTPStatus.SEE_OTHER)


def _checklist(clinic: Clinic, request: Request) -> Response:
    found = clinic.people.find(request.path_params["ref"])
    if found is None:
        return _message(clinic)
    record, kept = clinic.people.record(found.person), _kept(clinic, found.person)
    made = checklist(record, clinic.label, clinic.vocabulary, clinic.today, kept)
    return HTMLResponse(pages.rendered("checklist.html", clinic=clinic, patient=found, list=made))


def _letter(clinic: Clinic, request: Request) -> Response:
    """Return a letter about a patient; nobody writes to one who has died."""
    found = clinic.people.find(request.path_params["ref"])
    if found is None:
        return _message(clinic)
    record, kept = clinic.people.record(found.person), _kept(clinic, found.person)
    decision, name = _decision(clinic, record, kept), request.path_params["name"]
    if record.died is not None or name not in offered_letters(decision, clinic.alerts, clinic.letters):
        return _message(clinic)
    try:
        page, policy = written_letter(name, decision, clinic.label, clinic.alerts, found, clinic.letters)
    except InputError as error:  # a site's template: it holds nothing of the record
        return PlainTextResponse(f"{error}\n", HTTPStatus.INTERNAL_SERVER_ERROR)
    return HTMLResponse(page, headers={"content-security-policy": policy})


def _due(clinic: Clinic, request: Request) -> Response:
    view = WorklistView(who="everybody" if request.query_params.get("who") == "everybody" else "on-drug")
    weeks = due_weeks(clinic.people, view, clinic.today, _DUE_WEEKS)
    return HTMLResponse(
        pages.rendered("due.html", clinic=clinic, view=view, weeks=_DUE_WEEKS, list=weeks, undated=UNDATED)
    )


def _about(clinic: Clinic, _: Request) -> Response:
    return HTMLResponse(pages.rendered("about.html", clinic=clinic, stopped_days=STOPPED_DAYS))
