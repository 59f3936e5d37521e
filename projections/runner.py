"""Reads the log in order, decodes each page once for all projections, one transaction per page and projection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from importlib import resources
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
from psycopg import sql

from domain.decider import Event, Metadata
from projections.codec import decode

R = TypeVar("R")
PAGE: Final = 5000
READ: Final = """
select position, stream_id, version, name, recorded_at, state from events
where position > %s order by position limit %s
"""
ADVANCE: Final = """
insert into projection_positions (name, number, position) values (%s, %s, %s)
on conflict (name, number) do update set position = excluded.position
"""
SQL_TYPES: Final[Mapping[type, str]] = {
    UUID: "uuid",
    str: "text",
    int: "int8",
    bool: "bool",
    datetime: "timestamptz",
    date: "date",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in its place in the log, decoded once for everybody; `recorded_at` is in UTC."""

    position: int
    stream: UUID
    version: int
    name: str
    recorded_at: datetime
    raw: bytes
    event: Event
    metadata: Metadata


def entry(row: tuple[int, UUID, int, str, datetime, bytes]) -> Entry:
    """Decode a row of the log."""
    position, stream, version, name, recorded_at, raw = row
    event, metadata = decode(name, raw)
    return Entry(position, stream, version, name, recorded_at.astimezone(UTC), raw, event, metadata)


@dataclass(frozen=True)
class Projection(Generic[R]):
    """A row type, a pure fold and a table; the first field of the row is its key.

    `key` says which row an event touches (None: none), `evolve` gives the row after the event. The table's columns are
    the fields of the row; `indexes` are column lists.
    """

    name: str
    number: int
    row: type[R]
    key: Callable[[Entry], UUID | None]
    evolve: Callable[[R | None, Entry], R | None]
    indexes: Sequence[str] = ()

    @property
    def table(self) -> str:
        """The table's name carries the number."""
        return f"{self.name}_{self.number}"

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Names and SQL types of the columns."""
        hints = get_type_hints(self.row)
        return {field.name: _sql_type(hints[field.name]) for field in fields(self.row)}  # type: ignore[arg-type]

    @cached_property
    def _names(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    def create(self, connection: psycopg.Connection, table: str | None = None) -> None:
        """Create the table if it is missing."""
        name = table or self.table
        key = next(iter(self.columns))
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in self.columns.items()
        )
        connection.execute(
            sql.SQL("create table if not exists {} ({}, primary key ({}))").format(
                sql.Identifier(name), columns, sql.Identifier(key)
            )
        )
        for index in self.indexes:
            connection.execute(
                sql.SQL("create index if not exists {} on {} ({})").format(
                    sql.Identifier(f"{name}_{index.replace(', ', '_').replace(' ', '_')}"),
                    sql.Identifier(name),
                    sql.SQL(index),
                )
            )

    def position(self, connection: psycopg.Connection) -> int:
        """Give the position up to which the rows are complete."""
        row = connection.execute(
            "select position from projection_positions where name = %s and number = %s", (self.name, self.number)
        ).fetchone()
        return 0 if row is None else row[0]

    def apply(self, connection: psycopg.Connection, page: Sequence[Entry], table: str | None = None) -> int:
        """Fold a page into the rows it touches and write them, inside the caller's transaction; give how many."""
        touched: dict[UUID, list[Entry]] = {}
        for one in page:
            if (key := self.key(one)) is not None:
                touched.setdefault(key, []).append(one)
        if not touched:
            return 0
        name = sql.Identifier(table or self.table)
        rows = self._read(connection, name, list(touched))
        for key, entries in touched.items():
            row = rows.get(key)
            for one in entries:
                row = self.evolve(row, one)
            if row is not None:
                rows[key] = row
        self._write(connection, name, rows.values())
        return len(rows)

    def _read(self, connection: psycopg.Connection, table: sql.Identifier, keys: list[UUID]) -> dict[UUID, R]:
        key = sql.Identifier(next(iter(self.columns)))
        query = sql.SQL("select {} from {} where {} = any(%s)").format(self._names, table, key)
        found = connection.execute(query, (keys,), binary=True).fetchall()
        return {row[0]: self.load(row) for row in found}

    def load(self, row: Sequence[Any]) -> R:
        """Make a row of the table a value again."""
        values = (back(value) for back, value in zip(self._backs, row, strict=True))
        return self.row(**dict(zip(self.columns, values, strict=True)))

    @cached_property
    def _backs(self) -> tuple[Callable[[Any], Any], ...]:
        hints = get_type_hints(self.row)
        return tuple(_back(hints[name]) for name in self.columns)

    def _write(self, connection: psycopg.Connection, table: sql.Identifier, rows: Iterable[R]) -> None:
        # COPY into a temporary table and one upsert: the fastest way in, for one row and for thousands.
        key = next(iter(self.columns))
        scratch = sql.Identifier(f"{self.table}_scratch")
        connection.execute(
            sql.SQL("create temp table if not exists {} (like {}) on commit delete rows").format(scratch, table)
        )
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} ({}) from stdin (format binary)").format(scratch, self._names)) as copy,
        ):
            copy.set_types(list(self.columns.values()))
            for row in rows:
                copy.write_row([_plain(getattr(row, name)) for name in self.columns])
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in self.columns if name != key
        )
        connection.execute(
            sql.SQL("insert into {0} ({1}) select {1} from {2} on conflict ({3}) do update set {4}").format(
                table, self._names, scratch, sql.Identifier(key), changes
            )
        )


def _without_none(hint: object) -> object:
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return next(part for part in get_args(hint) if part is not NoneType)
    return hint


def _sql_type(hint: object) -> str:
    kind = _without_none(hint)
    if get_origin(kind) is tuple:
        return f"{_sql_type(get_args(kind)[0])}[]"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "text"
    plain: Any = kind  # a NewType stands for its supertype
    return SQL_TYPES[getattr(plain, "__supertype__", plain)]


def _back(hint: object) -> Callable[[Any], object]:
    """Give how a value of a column becomes a field's value again."""
    kind = _without_none(hint)
    if get_origin(kind) is tuple:
        return tuple
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return lambda value: None if value is None else kind(value)
    if kind is datetime:
        return lambda value: None if value is None else value.astimezone(UTC)
    return lambda value: value


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def prepare(connection: psycopg.Connection, projections: Sequence[Projection[Any]]) -> None:
    """Create what projections need; part of the explicit migration step."""
    connection.execute(resources.files("projections").joinpath("schema.sql").read_text(encoding="utf-8").encode())
    for projection in projections:
        projection.create(connection)
        connection.execute(
            "insert into projection_positions values (%s, %s, 0) on conflict do nothing",
            (projection.name, projection.number),
        )


class Runner:
    """Carries projections forward; each one's lock is held on the connection that writes, so only one runner can."""

    def __init__(self, connection: psycopg.Connection, projections: Sequence[Projection[Any]]) -> None:
        """Take an autocommitting connection of its own."""
        self.connection = connection
        self.projections = projections
        self._held: dict[str, int] = {}

    def take(self) -> Sequence[str]:
        """Try to take the locks not yet held; give the names of the projections that are ours."""
        for projection in self.projections:
            if projection.table in self._held:
                continue
            row = self.connection.execute(
                "select pg_try_advisory_lock(hashtext('bihuan.projection'), hashtext(%s))", (projection.table,)
            ).fetchone()
            if row is not None and row[0]:
                self._held[projection.table] = projection.position(self.connection)
        return list(self._held)

    def step(self, page_size: int = PAGE) -> int:
        """Carry all projections that are ours over the next page; give how many events were read.

        An error is never swallowed: it names the projection, its transaction is undone, and the runner stops.
        """
        ours = [projection for projection in self.projections if projection.table in self._held]
        if not ours:
            return 0
        start = min(self._held.values())
        rows = self.connection.execute(READ, (start, page_size), binary=True, prepare=True).fetchall()
        page = [entry(row) for row in rows]
        if not page:
            return 0
        last = page[-1].position
        for projection in ours:
            done = self._held[projection.table]
            fresh = page if done == start else [one for one in page if one.position > done]
            if not fresh:
                continue
            with self.connection.transaction():
                projection.apply(self.connection, fresh)
                self.connection.execute(ADVANCE, (projection.name, projection.number, last))
            self._held[projection.table] = last
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


def wait_for(connection: psycopg.Connection, projection: Projection[Any], position: int, seconds: float = 2.0) -> int:
    """Wait until a projection is complete up to a position, at most so many seconds; give where it is then."""
    end = time.monotonic() + seconds
    while (reached := projection.position(connection)) < position and time.monotonic() < end:
        time.sleep(0.005)
    return reached


def rebuild(connection: psycopg.Connection, projection: Projection[R]) -> tuple[int, int]:
    """Build the rows anew from the whole log beside the old ones, then switch; give events read and rows that differ.

    Needs the projection's lock: raises RuntimeError while a runner carries it.
    """
    row = connection.execute(
        "select pg_try_advisory_lock(hashtext('bihuan.projection'), hashtext(%s))", (projection.table,)
    ).fetchone()
    if row is None or not row[0]:
        raise RuntimeError(f"{projection.name} is being carried by a running server: stop it, then rebuild")
    beside = f"{projection.table}_beside"
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(beside)))
    projection.create(connection, beside)
    position = total = 0
    while rows := connection.execute(READ, (position, PAGE), binary=True).fetchall():
        page = [entry(one) for one in rows]
        with connection.transaction():
            projection.apply(connection, page, beside)
        position = page[-1].position
        total += len(page)
    old, new = sql.Identifier(projection.table), sql.Identifier(beside)
    # Rows the old table had not reached yet are no difference of the fold.
    bound = projection.position(connection)
    counted = connection.execute(
        sql.SQL(
            "select count(*) from ((table {0} except table {1}) union (table {1} except table {0})) d"
            " where d.position <= %s"
        ).format(old, new),
        (bound,),
    ).fetchone()
    with connection.transaction():
        connection.execute(sql.SQL("drop table {}").format(old))
        connection.execute(sql.SQL("alter table {} rename to {}").format(new, old))
        connection.execute(ADVANCE, (projection.name, projection.number, position))
    connection.execute("select pg_advisory_unlock(hashtext('bihuan.projection'), hashtext(%s))", (projection.table,))
    return total, 0 if counted is None else counted[0]
