"""The schema and the connections: one explicit step creates or upgrades, everybody else only checks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool

from projections import PROJECTIONS
from projections.runner import prepare

OLDEST: Final = 150000
"""The oldest PostgreSQL that is supported, as `server_version_num` says it."""


class SchemaMissing(Exception):
    """The database does not have the tables this program needs: run `bihuan migrate`."""


class SchemaNewer(Exception):
    """The database was upgraded by a newer version of this program: use that version."""


class ServerTooOld(Exception):
    """The PostgreSQL server is older than 15: use a newer one, or unset DATABASE_URL."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    sql: str


def migrations() -> tuple[Migration, ...]:
    """Give the steps in their order; their names begin with four digits."""
    files = sorted(
        (file for file in resources.files("service.schema").iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(Migration(int(file.name[:4]), file.name, file.read_text(encoding="utf-8")) for file in files)


def migrate(dsn: str) -> tuple[str, ...]:
    """Create or upgrade the schema, one process at a time; give the names of the steps that were taken.

    Raises SchemaNewer, ServerTooOld.
    """
    taken = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        if connection.info.server_version < OLDEST:
            raise ServerTooOld
        # A session lock, not one of the transaction: each step commits by itself.
        connection.execute("select pg_advisory_lock(hashtext('bihuan.migrate'))")
        connection.execute(
            "create table if not exists schema_steps"
            " (number int primary key, name text not null, at timestamptz not null default clock_timestamp())"
        )
        done = {row[0] for row in connection.execute("select number from schema_steps")}
        steps = migrations()
        if done - {step.number for step in steps}:
            raise SchemaNewer
        for step in steps:
            if step.number not in done:
                with connection.transaction():
                    connection.execute(step.sql.encode())
                    connection.execute(
                        "insert into schema_steps (number, name) values (%s, %s)", (step.number, step.name)
                    )
                taken.append(step.name)
        prepare(connection, PROJECTIONS)
    return tuple(taken)


def check_schema(connection: psycopg.Connection) -> None:
    """Say whether this program fits the database; raises SchemaMissing, SchemaNewer."""
    if connection.execute("select to_regclass('schema_steps')").fetchone() == (None,):
        raise SchemaMissing
    done = {row[0] for row in connection.execute("select number from schema_steps")}
    needed = {step.number for step in migrations()}
    if needed - done:
        raise SchemaMissing
    if done - needed:
        raise SchemaNewer


def open_pool(dsn: str, *, size: int = 8, least: int = 1) -> ConnectionPool:
    """Open a pool of autocommitting connections to a schema that fits.

    Raises SchemaMissing, SchemaNewer, psycopg.OperationalError.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        check_schema(connection)
    pool = ConnectionPool(
        dsn,
        min_size=least,
        max_size=size,
        kwargs={
            "autocommit": True,
            "prepare_threshold": 2,
            "options": "-c default_transaction_isolation=read\\ committed -c timezone=UTC",
        },
        open=True,
        name="bihuan",
    )
    pool.wait(30)
    return pool


def log_id(pool: ConnectionPool) -> UUID:
    """Give the id of the log."""
    with pool.connection() as connection:
        row = connection.execute("select log_id from log").fetchone()
    if row is None:
        raise SchemaMissing
    found: UUID = row[0]
    return found
