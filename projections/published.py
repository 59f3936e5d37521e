"""Which cases are published, and which of their events holds the redacted texts; nothing of a case stands here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain import complaint
from domain.complaint.ending import TransferredOut
from domain.complaint.publishing import Published, Unpublished
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """A published case: `version` is that of the event with its texts, `published_at` when that was (UTC).

    While it is closed to others it stays here and is shown to nobody: as an accusation that went on, or while the
    processing of its data is restricted.
    """

    case: UUID
    position: int
    version: int
    published_at: datetime
    accused: bool
    restricted: bool


TOLD_BY: Final = (
    Published,
    Unpublished,
    TransferredOut,
    complaint.ProcessingRestricted,
    complaint.RestrictionLifted,
    complaint.Erased,
)


def key(entry: Entry) -> UUID | None:
    """Give the case an event belongs to, if it can make a difference to what is public."""
    return entry.stream if isinstance(entry.event, TOLD_BY) else None


def evolve(row: PublishedRow | None, entry: Entry) -> PublishedRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, Published):
        return PublishedRow(
            case=entry.stream,
            position=entry.position,
            version=entry.version,
            published_at=event.at,
            accused=False,
            restricted=False,
        )
    if row is None:
        return None
    match event:
        case Unpublished() | complaint.Erased():
            return None
        case TransferredOut(sealed=sealed):
            return replace(row, accused=row.accused or sealed)
        case complaint.ProcessingRestricted():
            return replace(row, restricted=True)
        case complaint.RestrictionLifted():
            return replace(row, restricted=False)
        case _:
            return row


PUBLISHED: Final = Projection(
    name="published",
    number=1,
    row=PublishedRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"newest": "position"}),
)


def published(connection: psycopg.Connection, *, before: int | None, limit: int) -> list[PublishedRow]:
    """Give published cases, those published last first; `before` is the position of the last one on the page before."""
    rest = sql.SQL("where not accused and not restricted and position < %s order by position desc limit %s")
    return PUBLISHED.select(connection, rest, (2**63 - 1 if before is None else before, limit))
