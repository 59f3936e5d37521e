"""The API of the clock ledger: why each limit of a case ends when it ends, day by day."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from domain import rulebook
from domain.clock_ledger import LedgerDay
from domain.complaint.state import Clock
from domain.complaint.timing import Cause
from domain.decider import Role
from projections.clock_ledger import Limit, clock_ledger
from projections.histories import read_stream
from service.known import known
from service.web.complaints import CaseId
from service.web.deps import InCaller, InParts

router = APIRouter(prefix="/complaints", tags=["complaints"])

OUTSIDE = frozenset({Role.CITIZEN, Role.RESPONDENT})
"""Who is not told that there are other cases of the same matter."""


class Which(BaseModel):
    """Which limits somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    clock: Clock | None = None


@router.get("/{case_id}/clock", summary="Show every limit of a case, day by day: counted or not, and why")
def clock(case_id: CaseId, parts: InParts, who: InCaller, asked: Annotated[Which, Query()]) -> dict[str, Any]:
    """Show every limit that ran or runs: what was told, what moved it, and each of its days.

    `why` says why a day counts or not, `calendar` which version of whose calendar says what kind of day it is, `number`
    which day of the term it is. Of a limit of hours `seconds` counts instead. A limit set anew is another one.
    """
    _, entries = known(parts.pool, who.viewer, case_id)
    with parts.pool.connection() as connection:
        rules = read_stream(connection, rulebook.STREAM)
    _, now = parts.book.register_now()
    told = [one for one in clock_ledger(entries, rules, now) if asked.clock in {None, one.clock}]
    return {"now": now, "limits": [_shown(one, outside=who.actor.role in OUTSIDE) for one in told]}


def _shown(limit: Limit, *, outside: bool) -> dict[str, Any]:
    own = {standing.pause for standing in limit.pauses}
    return {
        **asdict(limit),
        "moves": [
            {
                **asdict(move),
                "reference": None if outside and move.cause in {Cause.MERGED, Cause.UNMERGED} else move.reference,
            }
            for move in limit.moves
        ],
        "days": [_day(day, {pause for pause in day.pauses if pause in own or not outside}) for day in limit.days],
    }


def _day(day: LedgerDay, pauses: set[Any]) -> dict[str, Any]:
    shown = asdict(day)
    counted = shown.pop("counted")
    return {**shown, "seconds": None if counted is None else counted.total_seconds(), "pauses": sorted(pauses)}
