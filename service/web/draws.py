"""The API of draws: public numbers with which anybody can check one, and for those who watch which reviews it chose."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from domain.decider import Role
from domain.errors import Unknown
from projections.draws import DrawRow, draw_of, draws
from service.forms.form import Moment
from service.web.deps import Caller, InOptionalCaller, InParts

public = APIRouter(prefix="/audit/draws", tags=["proofs"])

WATCHERS: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR})
SHOWN: Final = (
    "draw", "hall", "begins", "ends", "announced_at", "announced_position", "all_permille", "flagged_permille",
    "commitment", "seed", "seed_at", "seed_position", "drawn_at", "drawn_position", "before", "checkpoint", "members",
    "members_digest", "flagged", "flagged_digest",
)  # fmt: skip
"""What is told of a draw to everybody: nothing in it leads to a review."""


class Listed(BaseModel):
    """Which draws somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    before: Moment | None = Field(default=None, description="Only those of times that begin before: `next` of a page.")
    limit: int = Field(default=50, ge=1, le=200)


@public.get("", summary="List the draws of reviews to check, the latest first (抽查)")
def listed(parts: InParts, who: InOptionalCaller, asked: Annotated[Listed, Query()]) -> dict[str, Any]:
    """List the draws: which are announced, which seeds are told, how many were drawn of how many."""
    with parts.pool.connection() as connection:
        rows = draws(connection, asked.before, asked.limit)
    return {
        "items": [_shown(row, who) for row in rows],
        "next": rows[-1].begins if len(rows) >= asked.limit else None,
    }


@public.get("/{draw}", summary="Show a draw, with all that is needed to repeat it")
def one(
    draw: Annotated[UUID, Path(description="The id of the draw.")], parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Show a draw: commitment, seed, members' count and digest, and for auditors and supervisors what was drawn."""
    with parts.pool.connection() as connection:
        row = draw_of(connection, draw)
    if row is None:
        raise Unknown
    return _shown(row, who)


def _shown(row: DrawRow, who: Caller | None) -> dict[str, Any]:
    """Give what is told of a draw; whoever was rated could tell from an id which rating is looked into."""
    told = {**{name: getattr(row, name) for name in SHOWN}, "drawn": len(row.drawn), "checks_owed": len(row.owed)}
    if who is not None and who.actor.role in WATCHERS and row.hall in who.viewer.sites:
        told["reviews"] = row.drawn
    return told
