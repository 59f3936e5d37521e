"""The API of erasure: asked for with number and code, listed for the officer, carried out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field

from domain import complaint
from domain.decider import Role
from projections.queries import Order, Wanted, docket
from projections.restriction import PENDING, Erasure
from service.forms.privacy import EraseForm, OwnRequestForm
from service.known import known
from service.privacy import Erasing
from service.web.answers import head
from service.web.complaints import CaseId
from service.web.deps import Caller, InAsking, InCaller, InParts, acting_as
from service.web.own import act_on_own

router = APIRouter(tags=["privacy"])
public = APIRouter(tags=["privacy"])


@public.post("/privacy/requests", summary="Ask to have your own data erased (申请删除), by number and query code")
def request_own(request: Request, form: OwnRequestForm, parts: InParts, asking: InAsking) -> dict[str, Any]:
    """Ask to have the personal data of one's own complaint erased; a wrong number and a wrong code look alike."""
    row, done = act_on_own(request, parts, None, form, asking(form.name, form))
    return {"complaint_no": row.complaint_no, "asked": bool(done.events), "position": done.position}


class Waiting(BaseModel):
    """Which requests somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    erasure: tuple[Erasure, ...] = PENDING
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=400)


SHOWN = ("complaint_no", "step", "closed_at", "erasure", "erasure_request", "restricted", "restricted_until", "version")


@router.get("/privacy/requests", summary="List the wishes to have data erased, and how far each has come")
def requests(
    response: Response,
    parts: InParts,
    who: Annotated[Caller, Depends(acting_as(Role.PRIVACY_OFFICER, Role.SUPERVISOR))],
    asked: Annotated[Waiting, Query()],
) -> dict[str, Any]:
    """List what waits to be decided, witnessed or carried out, the newest cases first."""
    wanted = Wanted(erasure=asked.erasure, order=Order.NEWEST, limit=asked.limit, cursor=asked.cursor)
    with parts.pool.connection() as connection:
        page = docket(connection, who.viewer, wanted)
    response.headers["X-Position"] = str(page.complete_up_to)
    return {
        "items": [{"id": row.case, **{name: getattr(row, name) for name in SHOWN}} for row in page.rows],
        "total": page.total,
        "next": page.cursor,
        "complete_up_to": page.complete_up_to,
    }


@router.post("/complaints/{case_id}/erase", tags=["complaints"], summary="Erase personal data for ever (删除)")
def erase(
    case_id: CaseId, response: Response, form: EraseForm, parts: InParts, who: InCaller, asking: InAsking
) -> dict[str, Any]:
    """Destroy the keys of a case whose erasure was granted and witnessed; again, it finishes what was cut off."""
    known(parts.pool, who.viewer, case_id)
    erasing = Erasing(parts.book, parts.vault, parts.settings.key_backup_days)
    done = erasing.erase(case_id, form.erasure_request, who.actor, asking("erase", form))
    head(response, done.version, done.position)
    told = next((event for event in done.events if isinstance(event, complaint.Erased)), None)
    return {
        "version": done.version,
        "position": done.position,
        "erased": None
        if told is None
        else {k: v for k, v in asdict(told).items() if k in {"gone_from_backups_by", "person_kept"}},
    }
