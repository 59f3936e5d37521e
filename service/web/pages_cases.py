"""Pages of the work on complaints: the docket, a case with its history and next steps, the form of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.complaint.intake import Confidentiality
from domain.complaint.state import TERMINAL, Step
from domain.decider import Code, Role
from domain.errors import Refused
from domain.sealed import sealed_values
from projections.docket import DocketRow
from projections.histories import history
from projections.queries import BadCursor, Order, Wanted, docket
from projections.tables import Entry
from service.forms import FORMS
from service.forms.intake import ReplaceQueryCodeForm
from service.known import known, state_of, told_at
from service.opening import IDENTITY, PURPOSES, SEES_IDENTITY
from service.web import complaints
from service.web.deps import Caller
from service.web.drawing import Drawing, Option, wrong
from service.web.pages import InAtWork, Page, PageRoute, Trouble, caller_of
from service.web.pages_choices import Around
from service.web.pages_intake import around, to_receipt
from service.web.pages_steps import offers, refusals
from service.web.problems import status_of
from service.web.steps import with_primary
from service.web.widgets import Sent, at_the_hall, misplaced, parts, read

router = APIRouter(include_in_schema=False, route_class=PageRoute)

A_PAGE: Final = 50
MOST_OTHERS: Final = 200
CODE: Final[TypeAdapter[str]] = TypeAdapter(Code)


@router.get("/docket")
def docket_page(page: InAtWork) -> Response:
    """List the cases somebody may know of, those due first at the top."""
    who, here = caller_of(page), around(page)
    asked = {
        name: page.request.query_params.get(name, "").strip() for name in ("step", "department", "number", "order")
    }
    wanted = Wanted(
        step=asked["step"] if asked["step"] in set(Step) else None,
        department=_code(asked["department"]),
        # Numbers are written in capital letters but for the code of a hall, and people type any.
        complaint_no=_code(asked["number"]),
        order=Order.NEWEST if asked["order"] == Order.NEWEST else Order.DUE,
        limit=A_PAGE,
        cursor=page.request.query_params.get("cursor") or None,
    )
    with page.parts.pool.connection() as connection:
        try:
            found = docket(connection, who.viewer, wanted)
        except BadCursor:
            return page.go("/docket")
    last = page.parts.recorder.max_notification_id() or 0
    return page.show(
        "docket.html",
        rows=[_line(here, row) for row in found.rows],
        total=found.total,
        cursor=found.cursor,
        complete=found.complete_up_to,
        behind=max(0, last - found.complete_up_to),
        asked=asked,
        begun="cursor" in page.request.query_params,
        steps=[(step, page.t.word(step)) for step in Step],
        departments=here.choices()["department"],
    )


def _code(text: str) -> str | None:
    try:
        return CODE.validate_python(text)
    except ValidationError:
        # What is no code is found nowhere; nothing typed asks for all.
        return None if not text else "none"


def _line(here: Around, row: DocketRow) -> dict[str, Any]:
    return {
        "id": row.case,
        "number": row.complaint_no,
        "step": here.step(row.step),
        "category": here.category(row.category),
        "about": here.window(row.respondent_window) or here.department(row.respondent_department),
        "department": here.department(row.department),
        "registered": here.teller.moment(row.registered_at),
        "flags": _flags(here, row),
        **here.due(row.profile, row.due, provisional=row.due_provisional),
    }


def _flags(here: Around, row: DocketRow) -> list[str]:
    """Say in words what is out of the ordinary: stopped clocks, what waits for another person, orders, restrictions."""
    t = here.t
    waits = t("comma").join(t.command(name) for name in dict.fromkeys(row.waiting_for))
    told = (
        (row.paused, t("flag.paused")),
        (waits, t("flag.waiting", what=waits)),
        (row.supervision_level, t("flag.supervised", level=row.supervision_level)),
        (row.round > 1, t("flag.round", round=row.round)),
        (row.restricted, t("flag.restricted")),
        (row.confidentiality is Confidentiality.SEALED, t("flag.sealed")),
        (row.published, t("flag.published")),
        (row.linked, t("flag.linked", linked=row.linked)),
    )
    return [said for holds, said in told if holds]


def _case(
    page: Page,
    case_id: UUID,
    status: int = 200,
    *,
    command: Code | None = None,
    opened: object = None,
    **trouble: object,
) -> Response:
    """Show a case: where it stands, what is due, what comes next and why not, what happened; perhaps with a form."""
    who, here = caller_of(page), around(page)
    row, entries = known(page.parts.pool, who.viewer, case_id)
    here = replace(here, facts=with_primary(page.parts, row, here.facts))
    query = page.request.query_params
    moments = {name: query.get(name, "") for name in ("as_of", "known_at")}
    asked, unread = telling(page, here, moments)
    stood, shown = told_at(
        page.parts.pool, who.actor.role, entries, case_id, as_of=asked.as_of, known_at=asked.known_at
    )
    past = asked.as_of is not None or asked.known_at is not None
    kinds = sorted({kind for entry in entries for kind, _ in sealed_values(entry.event)})
    purpose = PURPOSES.get(who.actor.role)
    found = refusals(row, entries, here, who)
    refusal = None if command is None or page.request.method == "POST" else found.get(command)
    if refusal is not None:
        # Nobody fills in what would be refused whatever they write.
        status, trouble = status_of(refusal), {**page.refused(refusal), **trouble}
    form = None if command is None or refusal is not None else _form(page, here, command, entries, trouble)
    return page.show(
        "case.html",
        status,
        here=f"/cases/{case_id}",
        case=case_id,
        number=row.complaint_no,
        summary=_summary(here, row),
        flags=_flags(here, row),
        primary=row.primary,
        warrant=row.restricted and who.actor.role is Role.AUDITOR,
        past=past,
        stood=None if stood is None else here.step(stood.step),
        moments=moments,
        unread=unread,
        moment=here.teller.moment,
        history=history(shown, here.facts.register, page.t.language),
        offers=offers(found, row, here),
        command=command,
        form=form,
        kinds=[(kind, page.t.word(f"field_{kind}")) for kind in kinds if _may_open(who, kind)],
        purpose=None if purpose is None else page.t.word(f"purpose_{purpose}"),
        opened=opened,
        done=query["done"] if query.get("done") in FORMS else None,
        **{"trouble": None, "token": page.token, **trouble},
    )


def _may_open(who: Caller, kind: str) -> bool:
    return kind not in IDENTITY or who.actor.role in SEES_IDENTITY


def telling(page: Page, here: Around, moments: Mapping[str, str]) -> tuple[complaints.Telling, bool]:
    """Read at which moment a case is told; what is no moment is said to be none, and the present is shown."""
    asked = {name: at_the_hall(value, here.zone) for name, value in moments.items() if value}
    try:
        return complaints.Telling.model_validate({**asked, "language": page.t.language}), False
    except ValidationError:
        return complaints.Telling(language=page.t.language), True


def _summary(here: Around, row: DocketRow) -> list[tuple[str, Any]]:
    """Give what is known of a case at a glance, in words; what is not known is left out."""
    t, moment = here.t, here.teller.moment

    def when(at: datetime | None, late: bool | None) -> str:  # noqa: FBT001 - three values: yes, no, nobody can know
        return "" if at is None else moment(at) + here.teller.late(late)

    over = row.replied_at is not None or row.step in TERMINAL
    shown = [
        ("step", here.step(row.step)),
        ("due", here.due(row.profile, row.due, provisional=row.due_provisional)),
        ("handle_due", here.due(row.profile, row.handle_due, provisional=row.handle_due_provisional, over=over)),
        ("category", here.category(row.category)),
        (
            "about",
            "，".join(filter(None, (here.department(row.respondent_department), here.window(row.respondent_window)))),
        ),
        ("department", t("comma").join(map(here.department, row.departments))),
        ("channel", t.option(row.channel)),
        ("identity", t.option(row.identity_mode)),
        ("severity", "" if row.severity is None else t.option(row.severity)),
        ("finding", "" if row.finding is None else t.option(row.finding)),
        ("registered", moment(row.registered_at)),
        ("happened", "" if row.happened_at is None else moment(row.happened_at)),
        ("accepted", when(row.accepted_at, row.accepted_late)),
        ("contacted", when(row.contacted_at, row.contacted_late)),
        ("replied", when(row.replied_at, row.replied_late)),
        ("revisited", when(row.revisited_at, row.revisited_late)),
        ("closed", when(row.closed_at, None)),
        ("reworks", str(row.reworks) if row.reworks else ""),
    ]
    return [
        (t(f"case.{name}"), value)
        for name, value in shown
        if value and value != {"due": "", "late": False, "provisional": False}
    ]


def _form(
    page: Page, here: Around, command: Code, entries: Sequence[Entry], trouble: Mapping[str, Any]
) -> dict[str, Any]:
    state = state_of(entries)
    owed = {"points": 1 if state is None else state.points}
    more = page.sent.one("more")
    given = page.sent if page.sent.pairs and page.request.method == "POST" else None
    drawing = Drawing(
        t=page.t,
        zone=here.zone,
        choices={**here.choices(entries, command), **_others(page, here, command, entries)},
        given=given,
        errors=trouble.get("errors", {}),
        rows={**owed, **({more: page.sent.places(more) + 1} if more else {})},
    )
    fields = drawing.widgets(FORMS[command])
    return {"name": page.t.command(command), "fields": fields, "wrong": wrong(fields)}


def _others(page: Page, here: Around, command: Code, entries: Sequence[Entry]) -> dict[str, list[Option]]:
    """Give the other open cases that a command may name, of those somebody may know of; those due first at the top."""
    if "primary" not in {part.refers for part in parts(FORMS[command])}:
        return {}
    with page.parts.pool.connection() as connection:
        found = docket(connection, caller_of(page).viewer, Wanted(limit=MOST_OTHERS)).rows
    lines = (_line(here, row) for row in found if row.step not in TERMINAL and row.case != entries[0].stream)
    shown = ("number", "step", "category", "about")
    return {
        "primary": [Option(value=str(one["id"]), label=" · ".join(filter(None, map(one.get, shown)))) for one in lines]
    }


@router.get("/cases/{case_id}")
def case_page(case_id: UUID, page: InAtWork) -> Response:
    """Show a case."""
    return _case(page, case_id)


@router.get("/cases/{case_id}/open")
def open_page(case_id: UUID, page: InAtWork) -> Response:
    """Lead back to the case: what was opened is shown once."""
    return page.go(f"/cases/{case_id}")


@router.post("/cases/{case_id}/open")
def open_sealed(case_id: UUID, page: InAtWork) -> Response:
    """Open sealed values; it goes on record, and they are shown at once because they may stand in no address."""
    fields = tuple(page.sent.all("fields"))
    command = page.sent.one("command")
    try:
        form = complaints.OpenForm(fields=fields, warrant=page.sent.one("warrant").strip() or None)
    except ValidationError:
        return _case(
            page, case_id, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=Trouble(*page.t.trouble("malformed"), "malformed")
        )
    opened = complaints.opened(case_id, form, page.parts, caller_of(page), "page")
    page.sent = Sent()
    return _case(page, case_id, command=command if command in FORMS else None, opened=opened)


@router.get("/cases/{case_id}/{command}")
def command_page(case_id: UUID, command: str, page: InAtWork) -> Response:
    """Show a case with the form of a step."""
    if command not in FORMS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _case(page, case_id, command=command)


@router.post("/cases/{case_id}/{command}")
def act(case_id: UUID, command: str, page: InAtWork) -> Response:
    """Take a step on a case; what is refused comes back with what was typed."""
    if command not in FORMS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form_type, who = FORMS[command], caller_of(page)
    known(page.parts.pool, who.viewer, case_id)
    if page.sent.one("more"):
        return _case(page, case_id, command=command)
    try:
        form = form_type.model_validate(read(form_type, page.sent, around(page).zone))
        for other in form.others:
            known(page.parts.pool, who.viewer, other)
        asked = page.asked(command, form, who)
        page.parts.desk.act(case_id, form, who.actor, asked)
    except ValidationError as error:
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        errors = misplaced(form_type, error, page.sent, page.t)
        return _case(page, case_id, HTTPStatus.UNPROCESSABLE_ENTITY, command=command, trouble=trouble, errors=errors)
    except Refused as refused:
        return _case(page, case_id, status_of(refused), command=command, **page.refused(refused))
    if form_type is ReplaceQueryCodeForm:
        return to_receipt(page, case_id, asked.command_id)
    return page.go(f"/cases/{case_id}?done={command}")
