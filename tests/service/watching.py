"""What tests of the log write and look with: plain events, awaited conditions, a follower in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import Notification, StoredEvent

from service.eventstore import Recorder

STATE: Final = '{"m":{},"e":{"text":"𬭎·"}}'.encode()
DEADLINE: Final = 30.0
"""Seconds after which a condition that should come about counts as never coming; far more than any needs."""


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, and fail when it does not come about."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain: {what}")
        time.sleep(0.002)


def asking(dsn: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Ask the database over a connection of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def queueing(dsn: str) -> int:
    """How many sessions of this database wait for a lock that another one holds."""
    return len(
        asking(
            dsn,
            "select pid from pg_locks where locktype = 'advisory' and not granted"
            " and database = (select oid from pg_database where datname = current_database())",
        )
    )


def event(stream: UUID, version: int = 1, state: bytes = STATE) -> StoredEvent:
    """One event as the library hands it over; the log does not look inside."""
    return StoredEvent(stream, version, "complaint.registered.1", state)


def append(recorder: Recorder, stream: UUID, version: int = 1, *, command_id: UUID | None = None) -> int:
    """Append one event and give its position."""
    (position,) = recorder.insert_events([event(stream, version)], command_ids=[command_id or uuid4()])
    return position


def rows(recorder: Recorder, query: str = "select position from events order by position") -> list[Any]:
    """Read something of the database; of rows with one column only that."""
    with recorder.pool.connection() as connection:
        found = connection.execute(query.encode()).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


class Follower:
    """Follows the log in a thread of its own and remembers what it saw, in that order."""

    def __init__(self, recorder: Recorder, gt: int | None = None) -> None:
        self.seen: list[Notification] = []
        self._recorder = recorder
        self._subscription = recorder.subscribe(gt)
        self._thread = Thread(target=self._follow, name="follower")

    def positions(self) -> list[int]:
        """The positions seen so far."""
        return [one.id for one in self.seen]

    def has_seen(self, position: int) -> bool:
        """Whether this position, or a later one, was seen: a follower never turns back."""
        return bool(self.seen) and self.seen[-1].id >= position

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._subscription.stop()
        with self._recorder.pool.connection() as connection:
            connection.execute("notify events")
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the follower does not stop"

    def _follow(self) -> None:
        for one in self._subscription:
            self.seen.append(one)
