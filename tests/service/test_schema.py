"""The schema is made in one explicit step, by one process at a time; everybody else only looks whether it fits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from service.database import SchemaMissing, SchemaNewer, log_id, migrate, migrations, open_pool
from tests.service.watching import asking, queueing, until

pytestmark = pytest.mark.postgres
STEPS = tuple(step.name for step in migrations())
MIGRATE = "import sys; from service.database import migrate; print(len(migrate(sys.stdin.read())))"


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """A database with nothing in it; gives its connection string."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield make_conninfo(server, dbname=name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def tables(dsn: str) -> set[str]:
    """The names of all tables that are not the server's own."""
    found = asking(
        dsn,
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_schema not in ('pg_catalog', 'information_schema')",
    )
    return {name for (name,) in found}


def test_steps_are_numbered_without_a_hole() -> None:
    """Two steps that were written at the same time cannot both be number seven."""
    assert [step.number for step in migrations()] == list(range(1, len(STEPS) + 1))


def test_the_second_migration_does_nothing(empty: str) -> None:
    """What was made stays as it is, and the log keeps its id."""
    assert migrate(empty) == STEPS
    with open_pool(empty) as pool:
        first = log_id(pool)
    before = tables(empty)
    assert migrate(empty) == ()
    assert tables(empty) == before
    with open_pool(empty) as pool:
        assert log_id(pool) == first


def test_every_log_has_an_id_of_its_own(empty: str, database: str) -> None:
    """Two databases are two logs, and a database holds one."""
    migrate(empty)
    (one,), (other,) = asking(empty, "select log_id from log")[0], asking(database, "select log_id from log")[0]
    assert one != other
    with psycopg.connect(empty) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("insert into log (log_id) values (gen_random_uuid())")


def test_two_processes_may_migrate_at_once(empty: str) -> None:
    """One does it, the other waits and finds it done; neither fails."""
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(hashtext('bihuan.migrate'))")
        both = [
            subprocess.Popen(
                [sys.executable, "-c", MIGRATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        for one in both:
            assert one.stdin is not None
            one.stdin.write(empty.encode())
            one.stdin.close()
            one.stdin = None
        until(lambda: queueing(empty) == 2, "both have come as far as the lock")
        assert tables(empty) == set()
    said = [one.communicate(timeout=60) for one in both]
    assert sorted(int(out or -1) for out, _ in said) == [0, len(STEPS)], said


def test_a_serving_process_makes_no_tables(empty: str) -> None:
    """Where the schema is missing, or half there, it says so and touches nothing."""
    with pytest.raises(SchemaMissing):
        open_pool(empty)
    assert tables(empty) == set()
    migrate(empty)
    asking(empty, "delete from schema_steps where number = (select max(number) from schema_steps) returning 1")
    with pytest.raises(SchemaMissing):
        open_pool(empty)


def test_an_older_program_keeps_away_from_a_newer_schema(database: str) -> None:
    """Steps this program does not know are the work of a newer one: it neither serves nor migrates."""
    asking(database, "insert into schema_steps (number, name) values (9999, '9999_later.sql') returning 1")
    with pytest.raises(SchemaNewer):
        open_pool(database)
    with pytest.raises(SchemaNewer):
        migrate(database)


def test_a_step_that_fails_leaves_nothing_behind(empty: str) -> None:
    """A step is taken whole or not at all, and can be taken again when the obstacle is gone."""
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("create table claims (in_the_way int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(empty)
    assert tables(empty) == {"public.claims", "public.schema_steps"}
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("drop table claims")
    assert migrate(empty) == STEPS


def test_a_step_and_its_mark_are_one(empty: str) -> None:
    """A step that could not be marked as taken has not been taken."""
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(
            "create table schema_steps (number int primary key check (number <> 2), name text, at timestamptz)"
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        migrate(empty)
    assert asking(empty, "select to_regclass('events') is null, to_regnamespace('vault') is null") == [(False, True)]
