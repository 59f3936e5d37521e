"""The API of what looks forged: the flags, for a human to look at."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from domain.decider import Code, Role
from projections.flagged import FlagsWanted, flags
from projections.flags import FLAGS, FlagRow
from projections.runner import wait_for
from service.web.deps import Caller, InParts, acting_as

router = APIRouter(tags=["flags"])

LOOKERS: Final = (Role.AUDITOR, Role.SUPERVISOR)
Looker = Annotated[Caller, Depends(acting_as(*LOOKERS))]


class Listed(BaseModel):
    """Which flags somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    detector: Code | None = None
    review: UUID | None = None
    open: bool = Field(default=True, description="Those that nobody has cleared; `false` gives those that were.")
    before: int | None = Field(default=None, ge=1, lt=2**63, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200)
    wait_for: int | None = Field(default=None, ge=0, description="Wait, two seconds at most, for this position.")


@router.get("/flags", summary="List what the detectors noticed and nobody has looked at, the newest first")
def listed(response: Response, parts: InParts, who: Looker, asked: Annotated[Listed, Query()]) -> dict[str, Any]:
    """List the flags of reviews you may know of: which detector, how strange of 100, and by which numbers.

    A flag says nothing is wrong yet, and changes no figure; a human looks, and clears it or has the review decided on.
    """
    wanted = FlagsWanted(**asked.model_dump(exclude={"wait_for"}))
    with parts.pool.connection() as connection:
        if asked.wait_for is not None:
            wait_for(connection, FLAGS, asked.wait_for)
        page = flags(connection, who.viewer, wanted)
        complete = FLAGS.position(connection)
    response.headers["X-Position"] = str(complete)
    return {
        "items": [_shown(row) for row in page.rows],
        "total": page.total,
        "next": page.next,
        "complete_up_to": complete,
    }


def _shown(row: FlagRow) -> dict[str, Any]:
    return {
        "flag": row.flag,
        "review": row.review,
        "detector": row.detector,
        "score": row.score,
        "features": row.features,
        "model": row.model,
        "flagged_at": row.flagged_at,
        "cleared_at": row.cleared_at,
    }
