"""One row per notice that is owed to a complainant, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain import complaint, notice
from domain.complaint.correcting import ComplainantNotified
from domain.decider import Event
from domain.notice import Carriage
from projections.tables import Entry, Projection


class Posting(StrEnum):
    """Where a notice stands, from owed to delivered."""

    OWED = "owed"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice; times are UTC.

    `version` is that of the event of the case that it tells of. `told` says that the case knows of its delivery.
    """

    notice: UUID
    position: int
    case: UUID
    version: int
    about: str
    posting: Posting
    medium: Carriage | None
    reply: UUID | None
    attempts: int
    owed_at: datetime
    retry_at: datetime | None
    changed_at: datetime
    told: bool


OWED: Final[tuple[type[Event], ...]] = (
    complaint.Accepted,
    complaint.ReplyApproved,
    complaint.supplementing.SupplementRequested,
    complaint.timing.ClockPaused,
    complaint.extending.ExtensionApproved,
    complaint.ending.Refused,
    complaint.ending.TransferredOut,
    complaint.ending.Terminated,
    complaint.linking.Merged,
    complaint.reviewing.ReviewDecided,
    complaint.reviewing.Reopened,
    complaint.ErasureDecided,
)
"""Of what a complainant is told (domain.md §6.3); the receipt is given at once with the registration."""

PAST: Final = frozenset({"import", "demo"})
"""Sources that tell of what happened elsewhere or never: nobody is written to about it."""


def key(entry: Entry) -> UUID | None:
    """Give the notice an event belongs to."""
    if isinstance(entry.event, OWED):
        return None if entry.metadata.source in PAST else notice.notice_of(entry.stream, entry.version)
    if isinstance(entry.event, ComplainantNotified):
        return entry.event.notice
    return entry.stream if entry.name.startswith("notice.") else None


def evolve(row: NoticeRow | None, entry: Entry) -> NoticeRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, OWED):
        return NoticeRow(
            notice=notice.notice_of(entry.stream, entry.version),
            position=entry.position,
            case=entry.stream,
            version=entry.version,
            about=entry.name.rsplit(".", 1)[0],
            posting=Posting.OWED,
            medium=None,
            reply=event.reply if isinstance(event, complaint.ReplyApproved) else None,
            attempts=0,
            owed_at=event.at,
            retry_at=None,
            changed_at=event.at,
            told=False,
        )
    if row is None:
        return None
    moved = replace(row, position=entry.position, changed_at=event.at)
    match event:
        case notice.Queued(medium=medium):
            return replace(moved, posting=Posting.QUEUED, medium=medium, attempts=0, retry_at=None)
        case notice.Sent(attempt_no=attempts):
            return replace(moved, posting=Posting.SENT, attempts=attempts, retry_at=None)
        case notice.SendingFailed(attempt_no=attempts, retry_at=retry_at):
            posting = Posting.GIVEN_UP if retry_at is None else Posting.FAILED
            return replace(moved, posting=posting, attempts=attempts, retry_at=retry_at)
        case notice.Delivered():
            return replace(moved, posting=Posting.DELIVERED)
        case ComplainantNotified():
            return replace(moved, told=True)
        case _:
            return moved


OUTBOX: Final = Projection(
    name="outbox",
    number=1,
    row=NoticeRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"by_case": '"case"', "waiting": "posting, retry_at"}),
)
