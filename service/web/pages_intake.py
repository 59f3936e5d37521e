"""Pages where complaints come in and are asked after: at the counter, from home, with the receipt to take away."""

from __future__ import annotations

import hmac
import time
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from domain.complaint.intake import Channel
from domain.errors import NotYourRole, Refused
from projections.docket import fold
from projections.histories import read_stream
from service.forms.intake import RegisterForm
from service.parts import Parts
from service.web import complaints
from service.web.deps import Caller
from service.web.drawing import Drawing, wrong
from service.web.pages import InAtWork, InPage, Page, PageRoute, Trouble, caller_of
from service.web.pages_choices import Around
from service.web.problems import status_of
from service.web.slips import slip
from service.web.widgets import Sent, misplaced, read

router = APIRouter(include_in_schema=False, route_class=PageRoute)

AT_THE_COUNTER: Final = ("narrative", "name", "phone", "anonymous", "category", "respondent", "desired_outcome")
MORE: Final = (
    "channel", "item", "project_no", "happened_at", "received_at", "points", "people", "id_number", "vulnerable",
    "written", "sealed_from_desk", "subject",
)  # fmt: skip
FROM_HOME: Final = ("hall", "narrative", "desired_outcome", "respondent", "category", "happened_at", "name", "phone")
KEYS: Final = {
    "narrative": "N",
    "name": "X",
    "phone": "T",
    "anonymous": "A",
    "category": "L",
    "respondent.department": "B",
    "respondent.window": "K",
    "desired_outcome": "Q",
}
"""Access keys; S sends the form."""

RECEIPT: Final = "bihuan_receipt"
RECEIPT_SECONDS: Final = 600


def around(page: Page) -> Around:
    """Give rules, register and clock for one page."""
    _, now = page.parts.book.register_now()
    return Around(facts=page.parts.book.facts(), now=now, t=page.t)


def _draw(page: Page, staff: Caller | None, status: int = 200, **trouble: Any) -> Response:  # noqa: ANN401 - for the template
    """Draw the form of a complaint, with what was typed if it comes back."""
    here = around(page)
    start = (("channel", Channel.WINDOW.value), ("points", "1"))
    drawing = Drawing(
        t=page.t,
        zone=here.zone,
        choices=here.choices(),
        given=page.sent if page.sent.pairs else Sent(start),
        errors=trouble.get("errors", {}),
        keys={} if staff is None else KEYS,
        without=frozenset({"respondent.staff"}) if staff is None else frozenset(),
    )
    fields = drawing.widgets(RegisterForm, FROM_HOME if staff is None else AT_THE_COUNTER)
    more = () if staff is None else drawing.widgets(RegisterForm, MORE)
    post = None if staff is None else staff.viewer.post
    hall = here.facts.register.sites.get(post.site) if post is not None else None
    return page.show(
        "complain.html",
        status,
        staff=staff is not None,
        hall="" if hall is None else here.name(hall),
        fields=fields,
        more=more,
        **{"trouble": None, "token": page.token, "wrong": wrong((*fields, *more)), **trouble},
    )


def _register(page: Page, staff: Caller | None, fields: tuple[str, ...]) -> Response:
    here = around(page)
    typed = {name: value for name, value in read(RegisterForm, page.sent, here.zone).items() if name in fields}
    post = None if staff is None else staff.viewer.post
    if post is not None:
        typed["hall"] = post.site
    try:
        form = complaints.let_in(page.request, RegisterForm.model_validate(typed), page.parts, staff)
        asked = page.asked("register", form, staff)
        receipt = page.parts.desk.register(form, None if staff is None else staff.actor, asked)
    except ValidationError as error:
        errors = misplaced(RegisterForm, error, page.sent, page.t)
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        return _draw(page, staff, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, errors=errors)
    except Refused as refused:
        return _draw(page, staff, status_of(refused), **page.refused(refused))
    return to_receipt(page, receipt.case, asked.command_id)


@router.get("/complain")
def complain_page(page: InPage) -> Response:
    """Ask anybody what they complain of; no account is needed."""
    return _draw(page, None)


@router.post("/complain")
def complain(page: InPage) -> Response:
    """Register a complaint from home."""
    return _register(page, None, FROM_HOME)


def _registrar(page: Page) -> Caller:
    who = caller_of(page)
    if not page.registers:
        raise NotYourRole(role=who.actor.role, command="register")
    return who


@router.get("/register")
def register_page(page: InAtWork) -> Response:
    """Ask at the counter what somebody complains of."""
    return _draw(page, _registrar(page))


@router.post("/register")
def register(page: InAtWork) -> Response:
    """Register what somebody said at the counter."""
    return _register(page, _registrar(page), (*AT_THE_COUNTER, *MORE))


# The receipt: its code is shown once, on the page that follows, and stands in no address.


def to_receipt(page: Page, case: UUID, command_id: UUID) -> RedirectResponse:
    """Lead to the receipt, by a cookie that opens it once and for ten minutes."""
    answer = page.go("/receipt")
    told = f"{case}.{command_id}.{int(time.time()) + RECEIPT_SECONDS}"
    answer.set_cookie(
        RECEIPT, f"{told}.{_mark(page.parts, told)}", max_age=RECEIPT_SECONDS, path="/receipt", httponly=True,
        samesite="strict", secure=page.parts.settings.secure_cookies,
    )  # fmt: skip
    return answer


def _mark(parts: Parts, told: str) -> str:
    return hmac.digest(parts.secret("requests"), f"receipt\n{told}".encode(), "sha256").hex()


def _opened(page: Page) -> tuple[UUID, UUID] | None:
    """Give case and command of the receipt that a cookie opens, if we gave it and it has not lapsed."""
    told, _, mark = page.request.cookies.get(RECEIPT, "").rpartition(".")
    if not hmac.compare_digest(_mark(page.parts, told).encode(), mark.encode("utf-8", "surrogatepass")):
        return None
    case, command_id, until = told.split(".")
    return (UUID(case), UUID(command_id)) if time.time() <= int(until) else None


@router.get("/receipt")
def receipt(page: InPage) -> Response:
    """Show number, query code and date, once."""
    found = _opened(page)
    if found is None:
        return page.show("receipt.html", HTTPStatus.GONE, receipt=None)
    case, command_id = found
    with page.parts.pool.connection() as connection:
        row = fold(read_stream(connection, case))
    here = around(page)
    if row is None:
        return page.show("receipt.html", HTTPStatus.GONE, receipt=None)
    hall = here.facts.register.sites.get(row.hall)
    promised = complaints.promised(row)
    told = {
        "case": case,
        "number": row.complaint_no,
        "code": page.parts.desk.codes.code_for(command_id),
        "hall": row.hall if hall is None else here.name(hall),
        "at": here.teller.moment(row.registered_at),
        "due": None if promised["due"] is None else here.teller.moment(promised["due"]),
        "provisional": promised["due_provisional"],
        "step": row.step,
    }
    promise = complaints.promise_of(page.parts, case)
    answer = page.show("receipt.html", receipt=told, slip=None if promise is None else slip(promise))
    # On a machine that many use, the next one must not find it.
    answer.delete_cookie(RECEIPT, path="/receipt", httponly=True, samesite="strict")
    return answer
