"""Reads the log in order, decodes each page once for all projections, one transaction per page and projection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Final

import psycopg
from psycopg import sql

from projections.codec import UnknownEvent, Unreadable
from projections.tables import Carried, Entry, Projection, R, entry

__all__ = [
    "Carried",
    "Entry",
    "Outrun",
    "PositionMissing",
    "Projection",
    "Runner",
    "Stopped",
    "entry",
    "prepare",
    "rebuild",
    "wait_for",
]

GATHER_SECONDS: Final = 0.05
PAGE: Final = 5000
READ: Final = """
select position, stream_id, version, name, recorded_at, state from events
where position > %s and position <= %s order by position limit %s
"""
END: Final = 2**63 - 1
ADVANCE: Final = """
update projection_positions set position = %s where name = %s and number = %s and position = %s
"""


class PositionMissing(Exception):
    """The log has a gap, and a gap is damage: nothing behind it can be counted."""


class Outrun(Exception):
    """Somebody else carried this projection meanwhile; nothing was written."""


class Stopped(Exception):
    """A projection cannot go on; its rows are complete up to `position`, and what stopped it is the cause.

    `projection` is the name of its table, None when the log itself cannot be read. The message quotes no row.
    """

    def __init__(self, projection: str | None, position: int, cause: Exception) -> None:
        self.projection = projection
        self.position = position
        self.__cause__ = cause
        # Only the text of these is known to hold no value of anybody.
        quotable = isinstance(cause, UnknownEvent | Unreadable | PositionMissing)
        self.reason = f"{type(cause).__name__}: {cause}" if quotable else type(cause).__name__
        super().__init__(f"{projection or 'every projection'} stopped after position {position}: {self.reason}")


def prepare(connection: psycopg.Connection, projections: Sequence[Carried]) -> None:
    """Create what projections need; part of the explicit migration step."""
    connection.execute(resources.files("projections").joinpath("schema.sql").read_text(encoding="utf-8").encode())
    for projection in projections:
        projection.create(connection)
        connection.execute(
            "insert into projection_positions values (%s, %s, 0) on conflict do nothing",
            (projection.name, projection.number),
        )


def read_page(connection: psycopg.Connection, after: int, size: int, upto: int = END) -> list[Entry]:
    """Read the next events of the log, at most `size`, up to the first that cannot be read.

    Raises Stopped when that is the very next one, for a gap too: what is behind it must not be counted.
    """
    page: list[Entry] = []
    for row in connection.execute(READ, (after, upto, size), binary=True, prepare=True).fetchall():
        expected = after + len(page) + 1
        try:
            if row[0] != expected:
                raise PositionMissing(expected)  # noqa: TRY301  # told like any other reason
            page.append(entry(row))
        except (UnknownEvent, Unreadable, PositionMissing) as error:
            if not page:
                raise Stopped(None, after, error) from error
            break
    return page


def _advance(connection: psycopg.Connection, projection: Carried, since: int, to: int) -> None:
    moved = connection.execute(ADVANCE, (to, projection.name, projection.number, since))
    if moved.rowcount != 1:
        raise Outrun(projection.table)


class Runner:
    """Carries projections forward; each one's lock is held on the connection that writes, so only one runner can."""

    def __init__(self, connection: psycopg.Connection, projections: Sequence[Carried]) -> None:
        """Take an autocommitting connection of its own."""
        self.connection = connection
        self.projections = projections
        self._held: dict[str, int] = {}

    def take(self) -> Sequence[str]:
        """Try to take the locks not yet held; give the names of the tables that are ours."""
        for projection in self.projections:
            if projection.table not in self._held and self._locked("pg_try_advisory_lock", projection.table):
                self._held[projection.table] = projection.position(self.connection)
        return list(self._held)

    def release(self) -> None:
        """Give the locks back, on a connection that lives on; otherwise they end with it."""
        for table in list(self._held):
            del self._held[table]
            if not self.connection.closed:
                self._locked("pg_advisory_unlock", table)

    def _locked(self, function: str, table: str) -> bool:
        query = sql.SQL("select {}(hashtext('bihuan.projection'), hashtext(%s))").format(sql.Identifier(function))
        row = self.connection.execute(query, (table,)).fetchone()
        return row is not None and bool(row[0])

    def step(self, page_size: int = PAGE) -> int:
        """Carry all projections that are ours over the next page; give how many events were read.

        An error is never swallowed: the transaction of that projection is undone, the others are carried on, and then
        Stopped is raised, which names it. Raises psycopg.OperationalError when the connection is lost.
        """
        ours = [projection for projection in self.projections if projection.table in self._held]
        if not ours:
            return 0
        start = min(self._held.values())
        page = read_page(self.connection, start, page_size)
        if not page:
            return 0
        last = page[-1].position
        stopped: Stopped | None = None
        for projection in ours:
            done = self._held[projection.table]
            fresh = page if done == start else [one for one in page if one.position > done]
            if not fresh:
                continue
            try:
                with self.connection.transaction():
                    projection.apply(self.connection, fresh)
                    _advance(self.connection, projection, done, last)
            except psycopg.OperationalError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever a fold or its table says: the others go on first
                stopped = stopped or Stopped(projection.table, done, error)
            else:
                self._held[projection.table] = last
        if stopped is not None:
            raise stopped
        return len(page)

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Carry everything to the end of the log; give how many events were read."""
        total = 0
        while read := self.step():
            total += read
            progress(total)
        return total

    def follow(self, stopping: Callable[[], bool], poll_seconds: float = 1.0) -> None:
        """Carry on until told to stop: listens first, then reads, and polls in case a NOTIFY was lost."""
        self.connection.execute("listen events")
        while not stopping():
            self.take()
            if not self.step():
                for _ in self.connection.notifies(timeout=poll_seconds, stop_after=1):
                    pass
                # Events seldom come alone: a short pause makes one page of many, at a small part of the work.
                time.sleep(GATHER_SECONDS)


def wait_for(connection: psycopg.Connection, projection: Carried, position: int, seconds: float = 2.0) -> int:
    """Wait until a projection is complete up to a position, at most so many seconds; give where it is then."""
    end = time.monotonic() + seconds
    while (reached := projection.position(connection)) < position and time.monotonic() < end:
        time.sleep(0.005)
    return reached


def rebuild(
    connection: psycopg.Connection, projection: Projection[R], tell: Callable[[str], None] = lambda _: None
) -> tuple[int, int]:
    """Build the rows anew from the log, put right what differs, and carry on to the end; readers are not held up.

    Gives events read and rows that differed as far as they had come, and tells the columns they differed in. An error
    leaves everything as it was. Needs the projection's lock and an autocommitting connection: raises RuntimeError while
    a runner carries it; Stopped as the runner does.
    """
    runner = Runner(connection, (projection,))
    try:
        if not runner.take():
            raise RuntimeError(f"{projection.name} is being carried by a running server: stop it, then rebuild")
        read, differing = _rebuilt(connection, projection, f"{projection.table}_beside", tell)
        # Taken anew, so that it begins where the rows are complete now.
        runner.release()
        if runner.take():
            read += runner.catch_up()
        return read, differing
    finally:
        runner.release()


def _rebuilt(
    connection: psycopg.Connection, projection: Projection[R], beside: str, tell: Callable[[str], None]
) -> tuple[int, int]:
    drop = sql.SQL("drop table if exists pg_temp.{}").format(sql.Identifier(beside))
    connection.execute(drop)
    projection.create(connection, beside)
    bound = projection.position(connection)
    position = 0
    while page := read_page(connection, position, PAGE, bound):
        with connection.transaction():
            projection.apply(connection, page, beside)
        position = page[-1].position
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(beside)))
    with connection.transaction():
        differing, columns = projection.differences(connection, beside)
        projection.become(connection, beside)
        _advance(connection, projection, bound, position)
    connection.execute(drop)
    for name, rows in columns.items():
        tell(f"{projection.name}.{name} differed in {rows} rows")
    return position, differing
