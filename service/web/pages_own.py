"""Pages for whoever complained without an account: how the own case stands, and acts on it, by number and code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.decider import Code
from domain.errors import Refused
from service.known import numbered
from service.receipts import receipt
from service.web import complaints
from service.web.drawing import Drawing, wrong
from service.web.own import OWN_FORMS, act_on_own
from service.web.pages import InPage, Page, PageRoute, Trouble
from service.web.pages_intake import around
from service.web.problems import status_of
from service.web.slips import slip
from service.web.widgets import Sent, misplaced, parts, read

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ON_PAGES: Final[tuple[Code, ...]] = ("provide-supplement", "request-review", "withdraw")
"""What a complainant is offered; who else should keep out is named at the counter, where posts are known."""
KNOWN: Final = frozenset({"supplement", "proof"})
"""What follows from the code, so nobody is asked for it."""


def _answer(page: Page, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - for the template
    done = page.request.query_params.get("done")
    shown = {"trouble": None, "told": None, "number": "", "own": ON_PAGES, **more}
    return page.show("status.html", status, done=done if done in ON_PAGES else None, **shown)


@router.get("/status")
def status_page(page: InPage) -> Response:
    """Ask for number and code."""
    return _answer(page)


@router.post("/status")
def status(page: InPage) -> Response:
    """Tell how a complaint stands; nothing is changed, so the answer comes at once and its code is in no address."""
    number = page.sent.one("complaint_no")
    try:
        form = complaints.StatusForm(
            complaint_no=number, query_code=page.sent.one("query_code"), language=page.t.language
        )
        told = complaints.status(page.request, form, page.parts)
    except ValidationError:
        trouble = Trouble(*page.t.trouble("status-blank"), "status-blank")
        return _answer(page, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, number=number)
    except Refused as refused:
        return _answer(page, status_of(refused), **page.refused(refused), number=number)
    return _answer(page, told=told, number=number, moment=around(page).teller.moment, **_slip(page, number))


def _slip(page: Page, number: str) -> dict[str, Any]:
    """Give the receipt of a case that was opened by its code, or why there is none."""
    case = numbered(page.parts.pool, number)
    try:
        found = None if case is None else slip(receipt(page.parts, case))
    except Refused as refused:
        return {"slip": None, "no_slip": " ".join(page.t.refused(refused))}
    return {"slip": found, "no_slip": None}


def _draw(page: Page, command: Code, status: int = 200, **trouble: Any) -> Response:  # noqa: ANN401 - for the template
    if command not in ON_PAGES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form = OWN_FORMS[command]
    number = page.request.query_params.get("number", "")
    drawing = Drawing(
        t=page.t,
        zone=around(page).zone,
        given=page.sent if page.sent.pairs else Sent((("complaint_no", number),)),
        errors=trouble.get("errors", {}),
    )
    names = [part.name for part in parts(form) if part.name not in KNOWN]
    # Number and code open the case, so they come first.
    first = ["complaint_no", "query_code"]
    fields = drawing.widgets(form, [*first, *(name for name in names if name not in first)])
    more = {"trouble": None, "token": page.token, "wrong": wrong(fields), **trouble}
    return page.show("own.html", status, command=command, fields=fields, **more)


@router.get("/own/{command}")
def own_page(command: str, page: InPage) -> Response:
    """Ask for number, code and what is to be said."""
    return _draw(page, command)


@router.post("/own/{command}")
def own(command: str, page: InPage) -> Response:
    """Act on the own case; a wrong number and a wrong code look alike."""
    if command not in ON_PAGES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form_type = OWN_FORMS[command]
    try:
        form = form_type.model_validate(read(form_type, page.sent, around(page).zone))
        act_on_own(page.request, page.parts, None, form, page.asked(command, form, None))
    except ValidationError as error:
        errors = misplaced(form_type, error, page.sent, page.t)
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        return _draw(page, command, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, errors=errors)
    except Refused as refused:
        return _draw(page, command, status_of(refused), **page.refused(refused))
    return page.go(f"/status?done={command}")
