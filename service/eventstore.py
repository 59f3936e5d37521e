"""The log's table and append function behind the event-sourcing library's recorder interface."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from eventsourcing.utils import Environment
from psycopg import errors, sql
from psycopg_pool import ConnectionPool

from projections.leaf import Leaf

POLL_SECONDS: Final = 1.0
"""A lost NOTIFY must not stall anything: a follower looks again after this time at the latest."""

APPEND: Final = """
select p_position, p_recorded_at, p_leaf_hash from append_events(
    %s::uuid[], %s::int[], %s::text[], %s::bytea[], %s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::uuid[])
"""
FLUSH: Final = "select pg_logical_emit_message(true, 'bihuan', '')"
REMEMBER: Final = "insert into requests (command_id, mac) values (%s, %s)"
PAGE: Final = """
select position, stream_id, version, name, recorded_at, state from events
where position > %s and position <= coalesce(%s, 9223372036854775807) and (%s::text[] is null or name = any(%s))
order by position limit %s
"""


class VersionTaken(IntegrityError):
    """Somebody else appended to the stream first."""


class CommandRecorded(IntegrityError):
    """The command is in the log already."""


class ClaimTaken(IntegrityError):
    """A name that must be unique across streams is taken."""


class LeafDiffers(Exception):
    """The database stored other bytes than this process wrote: stop, nothing here can be trusted."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that must be unique across streams, such as a complaint number."""

    kind: str
    key: str
    stream: UUID


@dataclass(frozen=True, slots=True)
class Beside:
    """A statement that belongs to an append and is executed in its transaction."""

    statement: str
    parameters: Sequence[Any]


class Recorder(ApplicationRecorder):
    """Appends under one lock that is released before the flush, so that all writers share a flush (§3)."""

    def __init__(self, pool: ConnectionPool, log_id: UUID) -> None:
        self.pool = pool
        self.log_id = log_id

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command_ids: Sequence[UUID] = (),
        claims: Sequence[Claim] = (),
        beside: Sequence[Beside] = (),
        **_: object,
    ) -> Sequence[int]:
        """Append events, each caused by the command at its place in `command_ids`, and wait until they are durable.

        Gives their positions. Raises VersionTaken, CommandRecorded, ClaimTaken: then nothing was written. A
        psycopg.OperationalError leaves open whether it was; the command id tells afterwards.
        """
        if not stored_events:
            return []
        seen: Counter[UUID] = Counter()
        seqs = []
        for command_id in command_ids:
            seqs.append(seen[command_id])
            seen[command_id] += 1
        parameters = (
            [event.originator_id for event in stored_events],
            [event.originator_version for event in stored_events],
            [event.topic for event in stored_events],
            [event.state for event in stored_events],
            list(command_ids),
            seqs,
            [claim.kind for claim in claims],
            [claim.key for claim in claims],
            [claim.stream for claim in claims],
        )
        with self.pool.connection() as connection:
            try:
                rows = self._append(connection, parameters, beside)
            except errors.UniqueViolation as error:
                _translate(error)
            # A second statement, never in one pipeline with the first: that would make one transaction of both and
            # hold the lock through the flush.
            self.flush(connection)
        self._check(stored_events, command_ids, seqs, rows)
        return [row[0] for row in rows]

    @staticmethod
    def _append(
        connection: psycopg.Connection, parameters: Sequence[Any], beside: Sequence[Beside]
    ) -> list[tuple[int, datetime, bytes]]:
        if not beside:
            return sorted(connection.execute(APPEND, parameters, binary=True, prepare=True).fetchall())
        # In a pipeline of an autocommitting connection everything up to its end is one transaction, in one round trip.
        try:
            with connection.pipeline():
                for one in beside:
                    connection.execute(one.statement, one.parameters)
                cursor = connection.execute(APPEND, parameters, binary=True, prepare=True)
        except psycopg.Error:
            # What came after the error was never prepared, but the driver believes it was: begin anew with a rollback,
            # at which it forgets what it prepared.
            if not connection.closed:
                connection.execute("rollback")
            raise
        return sorted(cursor.fetchall())

    @staticmethod
    def flush(connection: psycopg.Connection) -> None:
        """Make everything that is visible durable; nothing leaves the database before this."""
        connection.execute(FLUSH, prepare=True)

    def _check(
        self,
        stored: Sequence[StoredEvent],
        command_ids: Sequence[UUID],
        seqs: Sequence[int],
        rows: Sequence[tuple[int, datetime, bytes]],
    ) -> None:
        for event, command_id, seq, (position, recorded_at, leaf_hash) in zip(
            stored, command_ids, seqs, rows, strict=True
        ):
            leaf = Leaf(
                log_id=self.log_id,
                position=position,
                stream_id=UUID(str(event.originator_id)),
                version=event.originator_version,
                name=event.topic,
                recorded_at=recorded_at,
                command_id=command_id,
                command_seq=seq,
                state=event.state,
            )
            if leaf.digest() != leaf_hash:
                raise LeafDiffers(position)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Read a stream, or the part with `gt` < version <= `lte`."""
        query = sql.SQL(
            "select stream_id, version, name, state from events where stream_id = %s"
            " and version > %s and version <= %s order by version {} limit %s"
        ).format(sql.SQL("desc" if desc else "asc"))
        with self.pool.connection() as connection:
            rows = connection.execute(query, (originator_id, gt or 0, lte or 2**31 - 1, limit), binary=True)
            return [StoredEvent(*row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Read the log in its order, from `start`; positions are dense, so a page has no holes."""
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        names = list(topics) or None
        with self.pool.connection() as connection:
            rows = connection.execute(PAGE, (after, stop, names, names, limit), binary=True).fetchall()
        return [
            Notification(originator_id=stream, originator_version=version, topic=name, state=state, id=position)
            for position, stream, version, name, _, state in rows
        ]

    def max_notification_id(self) -> int | None:
        """Give the last position, or None for an empty log."""
        with self.pool.connection() as connection:
            row = connection.execute("select max(position) from events").fetchone()
        return None if row is None else row[0]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follow the log from after `gt`, past and future."""
        return Following(self, gt, topics)


def _translate(error: errors.UniqueViolation) -> NoReturn:
    match error.diag.constraint_name:
        case "events_version":
            raise VersionTaken(error.diag.constraint_name) from error
        case "events_command" | "requests_pkey":
            raise CommandRecorded(error.diag.constraint_name) from error
        case _:
            raise ClaimTaken(error.diag.constraint_name) from error


class Following(Subscription[Recorder]):
    """Yields every notification in order: listens first, then reads, and polls in case a NOTIFY was lost."""

    def __init__(self, recorder: Recorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        # LISTEN needs a connection of its own: a pooled one would be given to somebody else.
        self._connection = psycopg.connect(str(recorder.pool.conninfo), autocommit=True)
        self._connection.execute("listen events")
        self._page: Iterator[Notification] = iter(())
        self._after = gt or 0

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            with contextlib.suppress(StopIteration):
                return next(self._page)
            if not self._read():
                self._wait()
        self._connection.close()
        raise StopIteration

    def _read(self) -> bool:
        found = self._recorder.select_notifications(self._after, 500, inclusive_of_start=False)
        if found:
            self._after = found[-1].id
        self._page = iter([one for one in found if not self._topics or one.topic in self._topics])
        return bool(found)

    def _wait(self) -> None:
        for _ in self._connection.notifies(timeout=POLL_SECONDS, stop_after=1):
            pass

    def __exit__(self, *args: object, **kwargs: object) -> None:
        super().__exit__(*args, **kwargs)
        self._connection.close()


class Factory(InfrastructureFactory[Any]):
    """Gives the library our recorder; the other kinds of recorder are not used."""

    def __init__(self, env: Environment, recorder: Recorder) -> None:
        super().__init__(env)
        self._recorder = recorder

    def application_recorder(self) -> ApplicationRecorder:
        """Give the one recorder."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        """Refuse: there are no snapshots (a case has about ten events)."""
        raise NotImplementedError(purpose)

    def tracking_recorder(self, tracking_recorder_class: object = None) -> NoReturn:
        """Refuse: projections keep their positions themselves."""
        raise NotImplementedError

    def process_recorder(self) -> NoReturn:
        """Refuse: the log and the projections are separate."""
        raise NotImplementedError


class Log(Application[UUID]):
    """The library's application over our recorder and our codec."""

    def __init__(self, recorder: Recorder) -> None:
        self._given = recorder
        super().__init__({"MAPPER_TOPIC": "projections.codec:EventMapper"})

    def construct_env(self, name: str, env: Mapping[str, str] | None = None) -> Environment:
        """Take nothing from the process's environment: a stray variable must not change how events are stored."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Give our factory."""
        return Factory(env, self._given)

    @property
    def pool(self) -> ConnectionPool:
        """Give the connections."""
        return self._given.pool
