"""What everybody may read: published cases, redacted, without anybody in them (公示)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from domain.complaint.publishing import Published
from projections.docket import fold
from projections.histories import read_stream
from projections.published import PublishedRow, published
from service.parts import Parts
from service.web.deps import InParts

public = APIRouter(tags=["published cases"])


class Reading(BaseModel):
    """Which page of the published cases somebody wants to read."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=20, ge=1, le=50)
    before: int | None = Field(default=None, ge=1, le=2**63 - 1, description="`next` of the page before.")


@public.get("/published", summary="Read published cases: redacted text and answer, nobody's name (公示)")
def listed(parts: InParts, asked: Annotated[Reading, Query()]) -> dict[str, Any]:
    """List published cases, those published last first: what it was about, and what was answered.

    Times are given as days, and neither number nor person stands with them (domain.md §11.4).
    """
    with parts.pool.connection() as connection:
        rows = published(connection, before=asked.before, limit=asked.limit)
    shown = (_shown(parts, row) for row in rows)
    return {
        "items": [one for one in shown if one is not None],
        "next": rows[-1].position if len(rows) == asked.limit else None,
    }


def _shown(parts: Parts, row: PublishedRow) -> dict[str, Any] | None:
    with parts.pool.connection() as connection:
        entries = read_stream(connection, row.case)
    case, event = fold(entries), entries[row.version - 1].event
    if case is None or not isinstance(event, Published):
        raise AssertionError("the row of a published case names the event that published it")
    texts = [("redaction", event.redaction), *([] if event.reply is None else [("reply", event.reply)])]
    redaction, reply = (*parts.vault.open_many(texts), None)[:2]
    if redaction is None:
        # Its key was destroyed a moment ago; the row will be gone as well.
        return None
    facts = parts.book.facts()
    return {
        "published_on": facts.day(case.profile, row.published_at),
        "received_on": facts.day(case.profile, case.registered_at),
        "hall": case.hall,
        "department": case.department or case.respondent_department,
        "category": case.category,
        "text": redaction,
        "reply": reply,
    }
