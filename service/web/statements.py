"""The other side is heard: the questions put to it, its statements, and whom it wants to keep out; never the case."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from domain.access import Purpose
from domain.complaint.correcting import StatementInvited, other_side
from domain.complaint.recusal import Ground
from domain.decider import Actor, Role
from domain.errors import Unknown
from projections.histories import read_stream
from projections.runner import Entry
from projections.statements import StatementRow, asked, question
from service.asking import Done
from service.forms.form import Text
from service.forms.watching import MakeStatementForm, RequestRecusalForm
from service.known import state_of
from service.parts import Parts
from service.web.deps import Caller, InAsking, InCaller, InParts

router = APIRouter(prefix="/statements", tags=["statements"])
StatementId = Annotated[UUID, Path(description="The id of the question.")]


class StateForm(BaseModel):
    """What the other side has to say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"content": "当日系统故障，已当面说明。"}]}
    )
    content: Text


class KeepOutForm(BaseModel):
    """Whoever handles the case should keep out of it, for this reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ground": "own_interest"}]})
    ground: Ground
    explanation: Text | None = None


@router.get("", summary="The questions put to you, your window or your department")
def listed(parts: InParts, who: InCaller) -> dict[str, Any]:
    """Give the questions put to you, your window or the department you head; nothing else of a case.

    What you read goes on record, as every opening does.
    """
    register = who.user.register
    headed = {post.department for post in who.user.posts if post.role is Role.UNIT_HEAD} - {None}
    places = headed | {one.code for one in register.windows.values() if one.department in headed}
    with parts.pool.connection() as connection:
        rows = asked(connection, who.viewer, frozenset(place for place in places if place is not None))
    items = [shown for row in rows if (shown := _shown(parts, who, row)) is not None]
    return {"items": items, "total": len(items)}


@router.post("/{statement_id}", summary="Make a statement (陈述申辩)")
def state(
    statement_id: StatementId, response: Response, form: StateForm, parts: InParts, who: InCaller, asking: InAsking
) -> dict[str, Any]:
    """Make a statement for the other side; late ones are heard too."""
    row = _asked(parts, who, statement_id)
    statement = MakeStatementForm(statement=statement_id, content=form.content)
    done = parts.desk.act(row.case, statement, _other_side(who), asking(statement.name, form))
    return _told(response, done)


@router.post("/{statement_id}/recusal", summary="Ask that whoever handles the case keep out (申请回避)")
def keep_out(
    statement_id: StatementId, response: Response, form: KeepOutForm, parts: InParts, who: InCaller, asking: InAsking
) -> dict[str, Any]:
    """Ask that whoever handles the case keep out of it."""
    row = _asked(parts, who, statement_id)
    request = RequestRecusalForm(ground=form.ground, explanation=form.explanation)
    done = parts.desk.act(row.case, request, _other_side(who), asking(request.name, form))
    return _told(response, done)


def _other_side(who: Caller) -> Actor:
    """Give somebody as the other side, in whichever post they hold."""
    return replace(who.actor, role=Role.RESPONDENT)


def _asked(parts: Parts, who: Caller, statement: UUID) -> StatementRow:
    """Give a question put to somebody; raises Unknown for any other, whether there is one or not."""
    with parts.pool.connection() as connection:
        row = question(connection, statement)
    if row is None or _invitation(parts, who, row) is None:
        raise Unknown
    return row


def _invitation(parts: Parts, who: Caller, row: StatementRow) -> Entry | None:
    """Give the event of a question, if it was put to this person."""
    with parts.pool.connection() as connection:
        entries = read_stream(connection, row.case)
    case = state_of(entries)
    facts = parts.book.facts()
    if case is None or case.keeping.erased:
        return None
    for entry in entries:
        event = entry.event
        if isinstance(event, StatementInvited) and event.statement == row.statement:
            moments = (*case.noticed, who.user.now)
            return entry if other_side(event.respondent, _other_side(who), moments, facts) else None
    return None


def _shown(parts: Parts, who: Caller, row: StatementRow) -> dict[str, Any] | None:
    entry = _invitation(parts, who, row)
    if entry is None or not isinstance(entry.event, StatementInvited):
        return None
    # First on record, then read.
    parts.book.opened(row.case, _other_side(who), Purpose.STATEMENT, ["question"], "api")
    (text,) = parts.vault.open_many([("question", entry.event.question)])
    return {
        "id": row.statement,
        "asked_at": row.invited_at,
        "due": row.due,
        "due_provisional": row.due_provisional,
        "question": text,
        "made": row.made,
    }


def _told(response: Response, done: Done) -> dict[str, Any]:
    # Neither case nor version: the other side learns nothing of how it goes on.
    response.headers["X-Position"] = str(done.position)
    return {"position": done.position, "recorded": bool(done.events)}
