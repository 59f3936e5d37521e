"""Databases for tests that share one over a module: a log of its own each, and events read as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.conftest import COPY


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Give a migrated database with a log of its own, for as long as it is needed."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(COPY).format(sql.Identifier(name)))
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update log set log_id = gen_random_uuid()")
    yield dsn
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class Stored:
    """An event as it stands in the log, read without our codec."""

    position: int
    stream: UUID
    version: int
    name: str
    command_id: UUID
    event: dict[str, Any]

    @property
    def at(self) -> datetime:
        """When it happened (UTC)."""
        return datetime.fromisoformat(self.event["at"])


def stored(dsn: str, name: str = "%") -> list[Stored]:
    """Read the log, or the events of names like this one, in its order."""
    query = "select position, stream_id, version, name, command_id, state from events where name like %s order by 1"
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute(query, (name,)).fetchall()
    return [
        Stored(position, stream, version, kind, command_id, json.loads(state)["e"])
        for position, stream, version, kind, command_id, state in rows
    ]
