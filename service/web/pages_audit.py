"""Pages for whoever checks for themselves: the newest checkpoint, the key to compare, the verifier to take along."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import Any, Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from domain.errors import Refused
from service.exports.case import VERIFIER
from service.receipts import NotSealedYet
from service.web import audit
from service.web.pages import InPage, PageRoute
from service.web.pages_intake import around
from service.web.problems import status_of
from service.web.slips import code

router = APIRouter(include_in_schema=False, route_class=PageRoute)

KEY: Final = "key.txt"
CHECKPOINT: Final = "checkpoint.txt"


@router.get("/audit")
def audit_page(page: InPage) -> Response:
    """Show how far the log is sealed, under which key, and how anybody checks what was handed out."""
    shown: dict[str, Any] = {"trouble": None, "signed": None}
    status = HTTPStatus.OK
    try:
        shown["signed"] = audit.newest_signed(page.parts).checkpoint
    except NotSealedYet:
        pass
    except Refused as refused:
        shown |= page.refused(refused)
        status = status_of(refused)
    vkey = page.parts.signer.vkey
    files = {"key": KEY, "checkpoint": CHECKPOINT, "verifier": VERIFIER}
    return page.show(
        "audit.html", status, vkey=vkey, code=code(vkey), files=files, moment=around(page).teller.moment, **shown
    )


@router.get("/audit/{name}")
def file(name: str, page: InPage) -> Response:
    """Give a file to take along, as text."""
    match name:
        case "key.txt":
            text = page.parts.signer.vkey + "\n"
        case "checkpoint.txt":
            text = audit.newest_signed(page.parts).note
        case "verifier.py":
            text = resources.files("service").joinpath(VERIFIER).read_text(encoding="utf-8")
        case _:
            raise HTTPException(HTTPStatus.NOT_FOUND)
    return PlainTextResponse(text)
