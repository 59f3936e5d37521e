"""Events in their places in the log, for the tests of what people read; and a projection that counts them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import sql
from psycopg_pool import ConnectionPool

from domain import complaint, register, rulebook
from domain.decider import Event, Metadata
from projections.codec import encode
from projections.runner import Carried, Entry, Projection, Runner, entry, prepare
from service.eventstore import Recorder
from tests.controls import ACCEPTED, REGISTERED
from tests.hall import REGISTER_EVENTS, RULEBOOK_EVENTS, key
from tests.service.watching import until

METADATA: Final = Metadata(command="example", source="test")
CASE: Final = key("case")
T = TypeVar("T")


def entries(*events: Event, case: UUID = CASE, after: int = 0, recorded_at: datetime | None = None) -> list[Entry]:
    """Put the events of one case in their places, recorded when they happened unless another moment is given (UTC)."""
    return [
        entry((after + n, case, n, *_name_first(event, recorded_at or event.at)))
        for n, event in enumerate(events, start=1)
    ]


def _name_first(event: Event, recorded_at: datetime) -> tuple[str, datetime, bytes]:
    name, state = encode(event, METADATA)
    return name, recorded_at, state


def but(value: T, **changes: Any) -> T:  # noqa: ANN401 - a field of any kind
    """Give an event, or a part of one, that differs in some fields."""
    return replace(value, **changes)  # type: ignore[type-var]  # all of these are dataclasses


def registered(**changes: Any) -> complaint.Registered:  # noqa: ANN401 - a field of any kind
    """Give a registration that differs in some fields from the one of the controls."""
    return but(REGISTERED, **changes)


def accepted(**changes: Any) -> complaint.Accepted:  # noqa: ANN401 - a field of any kind
    """Give an acceptance that differs in some fields from the one of the controls."""
    return but(ACCEPTED, **changes)


class Town:
    """A log to write to, past all rules: the tests of readers begin where decisions have been made."""

    def __init__(self, pool: ConnectionPool, log_id: UUID) -> None:
        self.pool = pool
        self.recorder = Recorder(pool, log_id)

    def append(self, stream: UUID, *events: Event) -> int:
        """Append events to a stream in one transaction; give the last position."""
        return self.store(stream, *(encode(event, METADATA) for event in events))

    def store(self, stream: UUID, *stored: tuple[str, bytes]) -> int:
        """Append names and bytes as they are, readable or not."""
        with self.pool.connection() as connection:
            row = connection.execute("select max(version) from events where stream_id = %s", (stream,)).fetchone()
        version = (row and row[0]) or 0
        events = [StoredEvent(stream, version + n, name, state) for n, (name, state) in enumerate(stored, start=1)]
        return self.recorder.insert_events(events, command_ids=[uuid4() for _ in events])[-1]

    def quietly(self, stream: UUID, *events: Event) -> int:
        """Append events as if every NOTIFY were lost; give the last position."""
        position = 0
        with self.pool.connection() as connection:
            for event in events:
                row = connection.execute(QUIETLY, (stream, *encode(event, METADATA))).fetchone()
                position = 0 if row is None else row[0]
        return position

    def settle(self) -> None:
        """Enter the register and the rulebook of the controls."""
        self.append(register.STREAM, *REGISTER_EVENTS)
        self.append(rulebook.STREAM, *RULEBOOK_EVENTS)

    def last(self) -> int:
        """Give the last position of the log."""
        return self.recorder.max_notification_id() or 0


QUIETLY: Final = """
insert into events
select coalesce(max(position), 0) + 1, given.stream,
    coalesce(max(version) filter (where stream_id = given.stream), 0) + 1, given.name, clock_timestamp(),
    gen_random_uuid(), 0, given.state, '\\x00'
from (select %s::uuid as stream, %s::text as name, %s::bytea as state) given left join events on true
group by given.stream, given.name, given.state
returning position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyRow:
    """What came of one stream, in the order in which it came; twice when it was counted twice."""

    stream: UUID
    events: int
    names: tuple[str, ...]
    positions: tuple[int, ...]


def count(row: TallyRow | None, entry: Entry) -> TallyRow:
    """Count one event."""
    before = row or TallyRow(stream=entry.stream, events=0, names=(), positions=())
    return replace(
        before,
        events=before.events + 1,
        names=(*before.names, entry.name),
        positions=(*before.positions, entry.position),
    )


TALLY: Final = Projection(
    name="tally",
    number=1,
    row=TallyRow,
    key=lambda entry: entry.stream,
    evolve=count,
    indexes={"events": "events, stream"},
)


def carrying(connection: psycopg.Connection, *projections: Carried) -> Runner:
    """Give a runner that holds the locks of these projections, their tables created if they are new."""
    prepare(connection, projections)
    runner = Runner(connection, projections)
    # A connection that was just closed may keep its locks for a moment.
    until(lambda: list(runner.take()) == [projection.table for projection in projections], "the locks")
    return runner


def rows(connection: psycopg.Connection, projection: Projection[Any]) -> list[Any]:
    """Give the rows of a projection by their keys."""
    found = connection.execute(_everything(projection.table), binary=True).fetchall()
    return [projection.load(row) for row in found]


def dump(connection: psycopg.Connection, projection: Carried) -> bytes:
    """Give the rows of a projection byte for byte."""
    with connection.cursor().copy(sql.SQL("copy ({}) to stdout").format(_everything(projection.table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _everything(table: str) -> sql.Composed:
    return sql.SQL("select * from {} order by 1, 2").format(sql.Identifier(table))


@contextmanager
def struck(connection: psycopg.Connection, by: str) -> Iterator[None]:
    """Strike whoever moves a position, after the rows and before the position."""
    connection.execute(
        sql.SQL(
            "create function strike() returns trigger language plpgsql as $$ begin {} return new; end $$;"
            " create trigger strike before update on projection_positions for each row execute function strike()"
        ).format(sql.SQL(by))  # one of the two texts below
    )
    yield
    connection.execute("drop function strike cascade")
