"""A projection: a row type, a pure fold over the log, and the table that keeps its rows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property, partial
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.abc import Params
from psycopg.types.json import Jsonb

from domain.decider import Event, Metadata
from projections.codec import decode

R = TypeVar("R")
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
class Carried(ABC):
    """What is carried along the log under a name and a number, with tables of its own."""

    name: str
    number: int

    @property
    def table(self) -> str:
        """The table's name carries the number."""
        return f"{self.name}_{self.number}"

    def position(self, connection: psycopg.Connection) -> int:
        """Give the position up to which it is complete."""
        row = connection.execute(
            "select position from projection_positions where name = %s and number = %s", (self.name, self.number)
        ).fetchone()
        return 0 if row is None else row[0]

    @abstractmethod
    def create(self, connection: psycopg.Connection) -> None:
        """Create what it needs if it is missing."""

    @abstractmethod
    def apply(self, connection: psycopg.Connection, page: Sequence[Entry]) -> int:
        """Take in a page of the log that follows what was taken in before; give how many rows were written."""


@dataclass(frozen=True)
class Projection(Carried, Generic[R]):
    """A row type, a pure fold and a table; the first field of the row is its key.

    `key` says which row an event touches (None: none), `evolve` gives the row after the event (None: there is none, or
    none any more). The table's columns are the fields of the row; `indexes` are their columns by name.
    """

    row: type[R]
    key: Callable[[Entry], UUID | None]
    evolve: Callable[[R | None, Entry], R | None]
    indexes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Names and SQL types of the columns."""
        hints = get_type_hints(self.row)
        return {one.name: _sql_type(hints[one.name]) for one in fields(self.row)}  # type: ignore[arg-type]

    @cached_property
    def names(self) -> sql.Composed:
        """The names of the columns, as a query asks for them."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    @cached_property
    def _key(self) -> sql.Identifier:
        return sql.Identifier(next(iter(self.columns)))

    def create(self, connection: psycopg.Connection, table: str | None = None) -> None:
        """Create the table with its indexes if it is missing; one beside it is temporary and needs no index."""
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in self.columns.items()
        )
        connection.execute(
            sql.SQL("create {} table if not exists {} ({}, primary key ({}))").format(
                sql.SQL("temp" if table else ""), sql.Identifier(table or self.table), columns, self._key
            )
        )
        for name, indexed in () if table else self.indexes.items():
            connection.execute(
                sql.SQL("create index if not exists {} on {} ({})").format(
                    sql.Identifier(f"{self.table}_{name}"),
                    sql.Identifier(self.table),
                    sql.SQL(indexed),
                )
            )

    def fold(self, entries: Iterable[Entry], row: R | None = None) -> R | None:
        """Give the row after these events that touch it."""
        for one in entries:
            row = self.evolve(row, one)
        return row

    def select(self, connection: psycopg.Connection, rest: sql.Composable, parameters: Params | None = None) -> list[R]:
        """Give the rows that the rest of a query asks for: where, in what order, how many."""
        query = sql.SQL("select {} from {} {}").format(self.names, sql.Identifier(self.table), rest)
        return [self.load(row) for row in connection.execute(query, parameters, binary=True).fetchall()]

    def holds(
        self, connection: psycopg.Connection, row: R, condition: sql.Composable, parameters: Mapping[str, object]
    ) -> bool:
        """Say whether a condition on the columns holds for a row that may not stand in the table yet."""
        query = sql.SQL("select {} from jsonb_populate_record(null::{}, %(row)s) as one").format(
            condition, sql.Identifier(self.table)
        )
        given = Jsonb({name: getattr(row, name) for name in self.columns}, dumps=partial(json.dumps, default=str))
        found = connection.execute(query, {**parameters, "row": given}).fetchone()
        return found is not None and bool(found[0])

    def apply(self, connection: psycopg.Connection, page: Sequence[Entry], table: str | None = None) -> int:
        """Fold a page into the rows it touches and write them; give how many were written.

        Inside the caller's transaction, and once in it.
        """
        touched: dict[UUID, list[Entry]] = {}
        for one in page:
            if (key := self.key(one)) is not None:
                touched.setdefault(key, []).append(one)
        if not touched:
            return 0
        name = sql.Identifier(table or self.table)
        before = self._read(connection, name, list(touched))
        changed, gone = [], []
        for key, entries in touched.items():
            old = before.get(key)
            row = self.fold(entries, old)
            if row is None and old is not None:
                gone.append(key)
            elif row is not None and row is not old:
                changed.append(row)
        if gone:
            connection.execute(sql.SQL("delete from {} where {} = any(%s)").format(name, self._key), (gone,))
        if changed:
            self._write(connection, name, changed)
        return len(changed)

    def _read(self, connection: psycopg.Connection, table: sql.Identifier, keys: list[UUID]) -> dict[UUID, R]:
        query = sql.SQL("select {} from {} where {} = any(%s)").format(self.names, table, self._key)
        found = connection.execute(query, (keys,), binary=True).fetchall()
        return {row[0]: self.load(row) for row in found}

    def load(self, row: Sequence[Any]) -> R:
        """Make a row of the table a value again."""
        values = [
            value if back is None or value is None else back(value)
            for back, value in zip(self._backs, row, strict=True)
        ]
        return self.row(**dict(zip(self.columns, values, strict=True)))

    @cached_property
    def _backs(self) -> tuple[Callable[[Any], Any] | None, ...]:
        hints = get_type_hints(self.row)
        return tuple(_back(hints[name]) for name in self.columns)

    def _write(self, connection: psycopg.Connection, table: sql.Identifier, rows: Iterable[R]) -> None:
        # COPY into a temporary table and one upsert: the fastest way in, for one row and for thousands.
        scratch = sql.Identifier(f"{self.table}_scratch")
        connection.execute(
            sql.SQL("create temp table if not exists {} (like {}) on commit delete rows").format(scratch, table)
        )
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} ({}) from stdin (format binary)").format(scratch, self.names)) as copy,
        ):
            copy.set_types(list(self.columns.values()))
            values = attrgetter(*self.columns)
            for row in rows:
                # To the driver only a list is an array.
                copy.write_row([list(value) if type(value) is tuple else value for value in values(row)])
        connection.execute(self._upsert(table, sql.SQL("select {} from {}").format(self.names, scratch)))

    def _upsert(self, table: sql.Identifier, rows: sql.Composed) -> sql.Composed:
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in list(self.columns)[1:]
        )
        return sql.SQL("insert into {} ({}) {} on conflict ({}) do update set {}").format(
            table, self.names, rows, self._key, changes
        )

    def differences(self, connection: psycopg.Connection, table: str) -> tuple[int, Mapping[str, int]]:
        """Count the rows that another table of this shape has differently, or one of them has alone; and by column."""
        by_column = [
            sql.SQL("count(*) filter (where o.{0} is distinct from n.{0})").format(sql.Identifier(name))
            for name in self.columns
        ]
        counted = connection.execute(
            sql.SQL("select count(*), {} from {} o full join {} n on o.{} = n.{} where {}").format(
                sql.SQL(", ").join(by_column),
                sql.Identifier(self.table),
                sql.Identifier(table),
                self._key,
                self._key,
                self._unlike,
            )
        ).fetchone()
        total, *counts = counted or (0,)
        return total, {name: n for name, n in zip(self.columns, counts, strict=True) if n}

    def become(self, connection: psycopg.Connection, table: str) -> None:
        """Make the rows those of another table of this shape, writing only what differs, in the caller's transaction.

        Readers are not held up and see all of it or nothing: an exchange of tables would show them an empty one.
        """
        names = {"table": sql.Identifier(self.table), "other": sql.Identifier(table), "key": self._key}
        connection.execute(
            sql.SQL("delete from {table} o where not exists (select from {other} n where n.{key} = o.{key})").format(
                **names
            )
        )
        columns = sql.SQL(", ").join(sql.SQL("n.{}").format(sql.Identifier(name)) for name in self.columns)
        unlike = sql.SQL(
            "select {columns} from {other} n left join {table} o on o.{key} = n.{key} where {unlike}"
        ).format(**names, columns=columns, unlike=self._unlike)
        connection.execute(self._upsert(names["table"], unlike))

    @cached_property
    def _unlike(self) -> sql.Composed:
        old, new = (
            sql.SQL(", ").join(sql.SQL("{}.{}").format(sql.SQL(side), sql.Identifier(name)) for name in self.columns)
            for side in ("o", "n")
        )
        return sql.SQL("row({}) is distinct from row({})").format(old, new)


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


def _back(hint: object) -> Callable[[Any], Any] | None:
    """Give how a value of a column becomes a field's value again; None where it is one already."""
    kind = _without_none(hint)
    if get_origin(kind) is tuple:
        part = _back(get_args(kind)[0])
        if part is None:
            return tuple
        return lambda values: tuple(None if value is None else part(value) for value in values)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return _in_utc if kind is datetime else None


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
