"""Notices on paper: which wait to be handed out or posted, what stands in them, and that they arrived."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from domain import notice
from domain.access import Purpose
from domain.decider import Role
from domain.errors import Unknown
from domain.notice import NOTICE
from projections.outbox import NoticeRow, Posting
from projections.postings import notices
from projections.runner import Entry
from service.forms.form import Moment
from service.known import known
from service.notices.letters import draft
from service.parts import Parts
from service.web.answers import Changed, changed
from service.web.deps import Caller, InAsking, InCaller, InParts, acting_as

router = APIRouter(prefix="/notices", tags=["notices"])

CARRIERS: Final = (Role.INTAKE, Role.DISPATCHER, Role.HANDLER)
Carrier = Annotated[Caller, Depends(acting_as(*CARRIERS))]
NoticeId = Annotated[UUID, Path(description="The id of the notice.")]


class Outgoing(BaseModel):
    """Which notices somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    posting: Posting | None = Field(default=None, description="`sent` on paper waits to be handed out or posted.")
    case: UUID | None = None
    limit: int = Field(default=50, ge=1, le=200)


class ConfirmDeliveryForm(BaseModel):
    """That a notice arrived, and when, if that was earlier."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str] = "confirm-delivery"
    delivered_at: Moment | None = None


@router.get("", summary="List notices of the cases you may know of")
def listed(parts: InParts, who: InCaller, asked: Annotated[Outgoing, Query()]) -> dict[str, Any]:
    """List notices of the cases you may know of, the oldest first."""
    with parts.pool.connection() as connection:
        rows = notices(connection, who.viewer, posting=asked.posting, case=asked.case, limit=asked.limit)
    return {"items": [asdict(row) for row in rows]}


def _known(parts: Parts, who: Caller, key: UUID) -> tuple[NoticeRow, list[Entry]]:
    """Give a notice and all that happened to its case, if somebody may know of it; raises Unknown for any other."""
    with parts.pool.connection() as connection:
        rows = notices(connection, who.viewer, notice=key, limit=1)
    if not rows:
        raise Unknown
    _, entries = known(parts.pool, who.viewer, rows[0].case)
    return rows[0], entries


@router.post("/{notice_id}/letter", summary="Open the text of a notice, to print it; it goes on record")
def letter(notice_id: NoticeId, parts: InParts, who: Carrier) -> dict[str, Any]:
    """Open the text of a notice, to print it; it goes on record who did."""
    row, entries = _known(parts, who, notice_id)
    found = draft(entries, row.version, row.reply, parts.book.facts().register)
    if found is None:
        raise Unknown
    if found.texts:
        parts.book.opened(row.case, who.actor, Purpose.NOTICE, [kind for kind, _ in found.texts], "api")
    return {"complaint_no": found.complaint_no, "text": found.letter(parts.vault.open_many(found.texts))}


@router.post("/{notice_id}/confirm-delivery", summary="Record that a notice arrived")
def confirm(
    notice_id: NoticeId,
    form: ConfirmDeliveryForm,
    response: Response,
    parts: InParts,
    who: Carrier,
    asking: InAsking,
) -> Changed:
    """Record that a notice was handed out, posted, or reached the complainant by the message platform."""
    row, _ = _known(parts, who, notice_id)
    command = notice.ConfirmDelivery(at=row.owed_at, by=who.actor, delivered_at=form.delivered_at)
    return changed(response, parts.book.transact(NOTICE, notice_id, command, asking(form.name, form)))
