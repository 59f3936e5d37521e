"""One row per draw of reviews to check: announced, opened, drawn, and which checks are owed of it already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.review import drawing, flagging
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRow:
    """A draw; times are UTC. `drawn` are the reviews in the order of the draw, `owed` those whose check is owed."""

    draw: UUID
    position: int
    hall: str
    begins: datetime
    ends: datetime
    announced_at: datetime
    announced_position: int
    all_permille: int
    flagged_permille: int
    commitment: str
    seed: str | None
    seed_at: datetime | None
    seed_position: int | None
    drawn_at: datetime | None
    drawn_position: int | None
    before: int | None
    checkpoint: int | None
    members: int | None
    members_digest: str | None
    flagged: int | None
    flagged_digest: str | None
    drawn: tuple[UUID, ...]
    owed: tuple[UUID, ...]
    settled: bool

    @property
    def left(self) -> tuple[UUID, ...]:
        """Give the drawn reviews whose check is not owed yet."""
        there = set(self.owed)
        return tuple(one for one in self.drawn if one not in there)


def evolve(row: DrawRow | None, entry: Entry) -> DrawRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, drawing.DrawAnnounced):
        return DrawRow(
            draw=entry.stream,
            position=entry.position,
            hall=event.hall,
            begins=event.begins,
            ends=event.ends,
            announced_at=event.at,
            announced_position=entry.position,
            all_permille=event.all_permille,
            flagged_permille=event.flagged_permille,
            commitment=event.commitment,
            seed=None,
            seed_at=None,
            seed_position=None,
            drawn_at=None,
            drawn_position=None,
            before=None,
            checkpoint=None,
            members=None,
            members_digest=None,
            flagged=None,
            flagged_digest=None,
            drawn=(),
            owed=(),
            settled=False,
        )
    if row is None:
        return None
    moved = replace(row, position=entry.position)
    match event:
        case drawing.SeedOpened():
            return replace(moved, seed=event.seed, seed_at=event.at, seed_position=entry.position)
        case drawing.Drawn():
            return replace(
                moved,
                drawn_at=event.at,
                drawn_position=entry.position,
                before=event.before,
                checkpoint=event.checkpoint,
                members=event.members,
                members_digest=event.members_digest,
                flagged=event.flagged,
                flagged_digest=event.flagged_digest,
                drawn=event.drawn,
                settled=not event.drawn,
            )
        case flagging.CheckOwed():
            owing = replace(moved, owed=(*row.owed, entry.stream))
            return replace(owing, settled=not owing.left)
        case _:
            return row


def key(entry: Entry) -> UUID | None:
    """Give the draw an event belongs to."""
    event = entry.event
    if isinstance(event, flagging.CheckOwed):
        return event.draw
    return entry.stream if isinstance(event, drawing.DrawAnnounced | drawing.SeedOpened | drawing.Drawn) else None


DRAWS: Final = Projection(
    name="draws",
    number=1,
    row=DrawRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"by_time": "begins, hall", "settled": "settled"}),
)


def unsettled(connection: psycopg.Connection) -> list[DrawRow]:
    """Give the draws of which something is still to be done, the oldest first."""
    return DRAWS.select(connection, sql.SQL("where not settled order by begins, hall"))


def draws(connection: psycopg.Connection, before: datetime | None, least: int) -> list[DrawRow]:
    """Give draws, those of the latest time first, of times that begin before a moment (UTC).

    At least so many, if there are: those of one time stay together.
    """
    rest = sql.SQL(
        "where %(before)s::timestamptz is null or begins < %(before)s"
        " order by begins desc fetch first %(least)s rows with ties"
    )
    found = DRAWS.select(connection, rest, {"before": before, "least": least})
    return sorted(sorted(found, key=lambda row: row.hall), key=lambda row: row.begins, reverse=True)


def draw_of(connection: psycopg.Connection, draw: UUID) -> DrawRow | None:
    """Give one draw."""
    return next(iter(DRAWS.select(connection, sql.SQL("where draw = %s"), (draw,))), None)
