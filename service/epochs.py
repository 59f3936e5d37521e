"""Puts on record that the log was taken back, so that nobody takes one position for two events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from domain import log
from domain.decider import THE_SYSTEM
from service.asking import Asked
from service.casebook import Casebook
from service.outside import highest_epoch
from service.sealer import remembered

SOURCE: Final = "cli"


def record_new_epoch(book: Casebook, kept: int, taken_at: datetime | None, *, known: int = log.FIRST) -> log.Restored:
    """Begin a new epoch: the log is as it was up to position `kept`; give the event that says so, durable.

    `taken_at` is when the backup was made (UTC), None where the log was taken back by other means; `known` is the
    highest epoch seen outside the log (`seen`). Raises NotKept, NotYetHappened, Busy.
    """
    command = log.RecordRestore(
        at=datetime.now(UTC),
        by=THE_SYSTEM,
        kept=kept,
        held=book.recorder.max_notification_id() or 0,
        taken_at=taken_at,
        known=known,
    )
    asked = Asked(command_id=uuid4(), source=SOURCE, name="record-restore")
    done = book.transact(log.LOG, log.STREAM, command, asked)
    return next(event for event in done.events if isinstance(event, log.Restored))


def seen(home: Path, vkey: str, log_id: UUID, *places: Path | None) -> int:
    """Give the highest epoch that this home has signed a checkpoint of, or that a place outside holds.

    A log that is taken back twice to one backup does not remember the first time; they do. Raises OutsideFails.
    """
    outside = (highest_epoch(place, log_id) for place in places if place is not None)
    signed = remembered(home, vkey)
    return max(log.FIRST if signed is None else signed.checkpoint.epoch, *outside, log.FIRST)
