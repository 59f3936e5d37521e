"""The API of visits: record who was served where, invite to rate it, look what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from domain.decider import Code, Role
from projections.reviews import REVIEWS, ReviewRow, VisitState, VisitsWanted, visits
from projections.runner import wait_for
from service.forms.reviews import InviteForm, OccasionForm
from service.known_reviews import known_visit
from service.web.answers import Changed, changed
from service.web.deps import Caller, InAsking, InParts, acting_as

router = APIRouter(prefix="/occasions", tags=["reviews"])

RECORDERS: Final = (Role.INTAKE, Role.SYSTEM)
Recorder = Annotated[Caller, Depends(acting_as(*RECORDERS))]
Reader = Annotated[Caller, Depends(acting_as(*RECORDERS, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR))]
OccasionId = Annotated[UUID, Path(description="The id of the visit.")]


class Listed(BaseModel):
    """Which visits somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    state: VisitState | None = None
    hall: Code | None = None
    department: Code | None = None
    window: Code | None = None
    before: int | None = Field(default=None, ge=1, lt=2**63, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200)
    wait_for: int | None = Field(default=None, ge=0, description="Wait, two seconds at most, for this position.")


class Invitation(Changed):
    """An invitation; the token is shown once and stored nowhere, but a repeated request shows it again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "7K3M-9QXA-02BD-ZZ4T", "until": "2026-11-29T15:59:59.999999Z", "version": 2}]
        }
    )
    token: str
    until: datetime | None


SHOWN: Final = (
    "hall", "department", "window", "item", "opened_at", "served_at", "state", "review_until",
    "review_until_provisional", "invitations",
)  # fmt: skip
"""What is told of a visit: never who was served, nor what was said."""


@router.get("", summary="List visits, the last that were recorded first")
def listed(response: Response, parts: InParts, who: Reader, asked: Annotated[Listed, Query()]) -> dict[str, Any]:
    """List visits, rated or not, the last that were recorded first; what was said of them is not told."""
    wanted = VisitsWanted(**asked.model_dump(exclude={"wait_for"}))
    with parts.pool.connection() as connection:
        if asked.wait_for is not None:
            wait_for(connection, REVIEWS, asked.wait_for)
        page = visits(connection, who.viewer, wanted)
        complete = REVIEWS.position(connection)
    response.headers["X-Position"] = str(complete)
    return {
        "items": [_shown(row) for row in page.rows],
        "total": page.total,
        "next": page.next,
        "complete_up_to": complete,
    }


@router.post("", summary="Record that somebody was served (办件服务)", status_code=201)
def record(response: Response, form: OccasionForm, parts: InParts, who: Recorder, asking: InAsking) -> dict[str, Any]:
    """Record that somebody was served, so that they may rate it; the same visit again changes nothing."""
    asked = asking("open-occasion", form)
    if form.hall is None:
        form = form.model_copy(update={"hall": None if who.viewer.post is None else who.viewer.post.site})
    visit, done = parts.reviews.open_occasion(form, who.actor, asked)
    response.headers["Location"] = f"/api/v1/occasions/{visit}"
    return {"id": visit, **changed(response, done).model_dump()}


@router.get("/{occasion_id}", summary="Show a visit: whether it may be rated, whether it was")
def one(occasion_id: OccasionId, parts: InParts, who: Reader) -> dict[str, Any]:
    """Show a visit: whether it may still be rated, and whether it was; not what was said."""
    return _shown(known_visit(parts.pool, who.viewer, occasion_id))


@router.post("/{occasion_id}/invite", summary="Invite to rate a visit; gives a one-time token (邀请评价)")
def invite(
    occasion_id: OccasionId, response: Response, form: InviteForm, parts: InParts, who: Recorder, asking: InAsking
) -> Invitation:
    """Invite whoever was served to rate the visit: the token is for them alone, and works once."""
    row = known_visit(parts.pool, who.viewer, occasion_id)
    token, done = parts.reviews.invite(occasion_id, form.medium, who.actor, asking("invite-review", form))
    return Invitation(token=token, until=row.review_until, **changed(response, done).model_dump())


def _shown(row: ReviewRow) -> dict[str, Any]:
    return {"id": row.occasion, **{name: getattr(row, name) for name in SHOWN}}
