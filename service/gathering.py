"""What a decision needs besides its own stream: other cases as they stand, and numbers for new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain import occasion, review
from domain.complaint.intake import Registered, complaint_no
from domain.complaint.splitting import SplitCase
from domain.complaint.state import Case
from domain.decider import Code, Command, Decider, Event, Recorded
from domain.handling import Facts
from projections.codec import decode
from service.eventstore import Claim

INVITATION: Final = "review_token"
OWN_LINK: Final = "own_link"
STREAMS: Final = """
select stream_id, version, name, state, position, command_id from events where stream_id = any(%s)
order by stream_id, version
"""
LAST_NUMBERS: Final = """
select stem, (select key from claims where kind = 'complaint_no' and key > stem and key < stem || '~'
              order by key desc limit 1)
from unnest(%s::text[]) as t (stem)
"""
CLAIMED: Final = "select stream_id from claims where kind = %s and key = %s"

Row = tuple[UUID, int, Event, int, UUID]
"""Stream, version, event, position, command id."""
HallDay = tuple[Code, date]


@dataclass(frozen=True, slots=True)
class Other:
    """Another stream as it was read: its state, its version, and when its last event happened (UTC).

    Whatever is decided to happen there is appended at the version after this one, or the whole decision is made again.
    """

    state: object
    version: int
    last: datetime


def rows_of(pool: ConnectionPool, streams: Iterable[UUID]) -> list[Row]:
    """Read whole streams, each in its order."""
    wanted = list(streams)
    if not wanted:
        return []
    with pool.connection() as connection:
        found = connection.execute(STREAMS, (wanted,), binary=True, prepare=True).fetchall()
    return [row_of(*row) for row in found]


def row_of(stream: UUID, version: int, name: str, state: bytes, position: int, command_id: UUID) -> Row:
    """Decode a row as the queries of the log give it."""
    return stream, version, decode(name, state)[0], position, command_id


def gathered(pool: ConnectionPool, decider: Decider[Any, Any, Any, Any], streams: Iterable[UUID]) -> dict[UUID, Other]:
    """Read the other streams that a command is decided on; one that does not exist is left out."""
    found: dict[UUID, list[Row]] = {}
    for row in rows_of(pool, streams):
        found.setdefault(row[0], []).append(row)
    return {
        stream: Other(decider.fold(row[2] for row in rows), rows[-1][1], rows[-1][2].at)
        for stream, rows in found.items()
    }


def claimed(pool: ConnectionPool, kind: str, key: str) -> UUID | None:
    """Give the stream that has claimed a name, if one has."""
    with pool.connection() as connection:
        row = connection.execute(CLAIMED, (kind, key), prepare=True).fetchone()
    return None if row is None else row[0]


@dataclass(frozen=True, slots=True)
class Numbered:
    """How many complaint numbers of one hall a command needs, besides that of a registration."""

    hall: Code
    profile: Code
    count: int


def numbers_wanted(command: Command, state: object) -> Numbered | None:
    """Say how many numbers a command needs for cases it registers beside its own."""
    if isinstance(command, SplitCase) and isinstance(state, Case):
        return Numbered(state.hall, state.profile, len(command.parts))
    return None


def numbers(pool: ConnectionPool, wanted: Numbered, facts: Facts, at: datetime) -> tuple[Code, ...]:
    """Give the next numbers of a hall on the local day of a moment (UTC).

    They are candidates: a clash is told by the claims, and the command is decided again.
    """
    day = facts.day(wanted.profile, at)
    return following(last_numbers(pool, [(wanted.hall, day)])[wanted.hall, day], wanted, day)


def following(last: int, wanted: Numbered, day: date) -> tuple[Code, ...]:
    """Give the numbers after the last one of that day."""
    return tuple(complaint_no(wanted.hall, day, last + place) for place in range(1, wanted.count + 1))


def last_numbers(pool: ConnectionPool, days: Iterable[HallDay]) -> dict[HallDay, int]:
    """Give the running number of the last complaint of each hall and local day; 0 where there is none."""
    stems = {f"TS-{hall}-{day:%Y%m%d}-": (hall, day) for hall, day in days}
    with pool.connection() as connection:
        rows: Sequence[tuple[str, str | None]] = connection.execute(
            LAST_NUMBERS, (list(stems),), prepare=True
        ).fetchall()
    return {stems[stem]: 0 if last is None else int(last.split("-")[-2]) for stem, last in rows}


def claims(recorded: Recorded) -> tuple[Claim, ...]:
    """Give the names an event claims; by folding the log with this, the table of claims can be rebuilt."""
    match recorded.event:
        case Registered(complaint_no=number):
            return (Claim("complaint_no", number, recorded.stream),)
        case occasion.Invited(token=token):
            return (Claim(INVITATION, token, recorded.stream),)
        case review.Submitted(own_link=str(own_link)):
            return (Claim(OWN_LINK, own_link, recorded.stream),)
        case _:
            return ()
