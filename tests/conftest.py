"""Servers and databases for the tests: what needs PostgreSQL runs on the embedded one and on a system 15."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from service.database import log_id as read_log_id
from service.database import migrate, open_pool
from service.embedded import Embedded

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
SERVERS = ["embedded", *(["system-15"] if (SYSTEM_15 / "postgres").exists() else [])]
# Nothing here survives the run, so nothing needs to reach the disk; the crash tests start servers of their own.
FAST = {"fsync": "off", "full_page_writes": "off"}
# As files: without flushing, that is twice as fast as by the write-ahead log.
COPY = "create database {} template template_bihuan strategy file_copy"


LONGEST = {"acceptance", "embedded", "exports", "imports"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest, so that no core is left alone with one of their files at the end."""
    items.sort(key=lambda item: not LONGEST & set(item.path.parts))


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], str]]:
    """Gives a running server with a migrated template database; each is started when first asked for, and once."""
    with ExitStack() as stack:

        @cache
        def running(which: str) -> str:
            home = tempfile.TemporaryDirectory(prefix="bihuan-test-", ignore_cleanup_errors=True)
            place = Path(stack.enter_context(home)) / "postgres"
            bindir = SYSTEM_15 if which == "system-15" else None
            embedded = stack.enter_context(Embedded(place, bindir=bindir, settings=FAST))
            with psycopg.connect(embedded.dsn, autocommit=True) as connection:
                connection.execute("create database template_bihuan")
            migrate(make_conninfo(embedded.dsn, dbname="template_bihuan"))
            return embedded.dsn

        yield running


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Callable[[str], str]) -> str:
    """A running server with a migrated template database; gives the connection string of its own database.

    Files alternate between the two, and this fixture ends each time: what costs something outlives it.
    """
    return servers(request.param)


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """A fresh, migrated database with a log of its own; gives its connection string."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(COPY).format(sql.Identifier(name)))
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update log set log_id = gen_random_uuid()")
    yield dsn
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool]:
    """Connections to a fresh, migrated database."""
    with open_pool(database, size=16) as opened:
        yield opened


@pytest.fixture
def log_id(pool: ConnectionPool) -> UUID:
    """The id of the log in that database."""
    return read_log_id(pool)
