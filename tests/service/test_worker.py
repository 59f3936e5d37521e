"""The worker: it carries on after its connection is killed, rests what fails, and leaves nothing out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool
from structlog.testing import capture_logs

from projections import PROJECTIONS
from projections.docket import DOCKET, fold
from projections.histories import read_stream
from projections.runner import Carried, Entry, prepare
from service.database import migrate
from service.worker import FIRST_PAUSE, LONGEST_PAUSE, Worker
from tests.controls import LOOP
from tests.hall import key
from tests.projections.town import TALLY, TallyRow, Town, count, dump, rows
from tests.service.watching import until

pytestmark = pytest.mark.postgres

CASES: Final = tuple(key(f"case-{n}") for n in range(6))
CARRYING: Final = "select pid from pg_stat_activity where application_name = 'bihuan-projections' and datname = %s"
ALL: Final = (*PROJECTIONS, TALLY)
Logs = list[Any]


@pytest.fixture
def town(pool: ConnectionPool, log_id: UUID) -> Town:
    """A log to write to."""
    return Town(pool, log_id)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """Somebody who looks on; the tables of every projection here are there."""
    with psycopg.connect(database, autocommit=True) as opened:
        prepare(opened, ALL)
        yield opened


@contextmanager
def working(*workers: Worker) -> Iterator[Logs]:
    """Let workers work; give what they say."""
    with capture_logs() as logs:
        started = []
        try:
            for worker in workers:
                worker.__enter__()
                started.append(worker)
            yield logs
        finally:
            for worker in started:
                worker.stop()
            for worker in started:
                worker.__exit__()
    assert not any(worker.thread.is_alive() for worker in workers)


def reached(connection: psycopg.Connection, projection: Carried, position: int) -> Callable[[], bool]:
    """Give a question: has it come so far?"""
    return lambda: projection.position(connection) == position


def backends(connection: psycopg.Connection) -> list[int]:
    """Give the processes of the server that work for workers here."""
    return [row[0] for row in connection.execute(CARRYING, (connection.info.dbname,))]


def test_a_killed_connection_loses_nothing(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Killed again and again while the log grows: in the end every row is what its stream folds to."""
    killed: set[int] = set()
    with working(Worker(database, ALL)) as logs:
        for n, event in enumerate(LOOP):
            for case in CASES:
                town.append(case, event)
            if n % 8 == 3:
                until(lambda: set(backends(connection)) - killed, "a worker at work")
                for pid in set(backends(connection)) - killed:
                    connection.execute("select pg_terminate_backend(%s)", (pid,))
                    killed.add(pid)
        for one in ALL:
            until(reached(connection, one, town.last()), f"{one.table} at the end")
    assert len(killed) >= 2
    assert rows(connection, DOCKET) == [fold(read_stream(connection, case)) for case in sorted(CASES)]
    assert [row.events for row in rows(connection, TALLY)] == [len(LOOP)] * len(CASES)
    stops = [one for one in logs if one["event"] == "projection stopped"]
    assert len(stops) >= len(killed)
    assert {(one["log_level"], one["projection"]) for one in stops} == {("error", "all")}
    assert {one["reason"] for one in stops} <= {"AdminShutdown", "OperationalError"}
    # The connection worked in between, so no rest is longer than the first.
    assert {one["again_in"] for one in stops} == {FIRST_PAUSE}


class Neighbour(Exception):
    """An error whose text nobody should read."""


def test_a_projection_that_fails_rests_and_the_others_go_on(
    database: str, town: Town, connection: psycopg.Connection
) -> None:
    """It is said which, where and why, without a word of the row; each rest is longer; cured, it comes to the end."""
    ill = True

    def fails(row: TallyRow | None, entry: Entry) -> TallyRow:
        if ill and entry.position == 3:
            raise Neighbour("the neighbour's name")
        return count(row, entry)

    faulty = replace(TALLY, name="faulty", evolve=fails)
    prepare(connection, [faulty])
    for case in CASES:
        town.append(case, *LOOP[:2])
    with working(Worker(database, (faulty, *ALL))) as logs:
        until(lambda: len(logs) >= 2, "two attempts")
        for case in CASES:
            town.append(case, *LOOP[2:5])
        for one in ALL:
            until(reached(connection, one, town.last()), f"{one.table} at the end beside a faulty one")
        assert faulty.position(connection) == 0
        ill = False
        until(reached(connection, faulty, town.last()), "the cured one at the end")
    first, second = logs[:2]
    assert first == {
        "event": "projection stopped",
        "log_level": "error",
        "projection": "faulty_1",
        "position": 0,
        "reason": "Neighbour",
        "again_in": FIRST_PAUSE,
    }
    assert second == {**first, "again_in": 2 * FIRST_PAUSE}
    assert "neighbour" not in str(logs)
    assert dump(connection, faulty) == dump(connection, TALLY)


def test_rests_grow_until_something_has_moved(database: str) -> None:
    """Twice as long each time, up to a limit; each projection by itself; from the beginning after progress."""
    worker = Worker(database)
    with capture_logs() as logs:
        for _ in range(9):
            worker._rest("docket_2", 7, "Neighbour")
        worker._rest("tally_1", 7, "Neighbour")
        worker._rest("docket_2", 8, "Neighbour")
    pauses = [one["again_in"] for one in logs]
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[8] == LONGEST_PAUSE == max(pauses)
    assert pauses[9:] == [FIRST_PAUSE, FIRST_PAUSE]


def test_an_event_nobody_knows_is_said_by_name(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Everything before it is on the docket; the log line says what to look for."""
    town.append(CASES[0], *LOOP[:4])
    town.store(CASES[0], ("complaint.unheard-of.1", b'{"secret": "the neighbour"}'))
    town.append(CASES[1], *LOOP[:4])
    with working(Worker(database, ALL)) as logs:
        until(lambda: len(logs) >= 2, "two attempts")
        assert {one.position(connection) for one in ALL} == {4}
    assert logs[0]["reason"] == "UnknownEvent: complaint.unheard-of.1"
    assert (logs[0]["projection"], logs[0]["position"]) == ("all", 4)
    assert "neighbour" not in str(logs)


def test_of_two_workers_one_carries_and_the_other_takes_over(
    database: str, town: Town, connection: psycopg.Connection
) -> None:
    """Each event is counted once, by whoever it was."""
    first, second = Worker(database, ALL), Worker(database, ALL)
    with working(first, second) as logs:
        until(lambda: len(backends(connection)) == 2, "two workers")
        town.append(CASES[0], *LOOP[:5])
        until(reached(connection, TALLY, 5), "one of the two")
        first.stop()
        first.thread.join(timeout=60)
        town.append(CASES[0], *LOOP[5:])
        for one in ALL:
            until(reached(connection, one, len(LOOP)), f"{one.table} by the other")
    assert [row.positions for row in rows(connection, TALLY)] == [tuple(range(1, len(LOOP) + 1))]
    assert logs == []


def test_a_database_that_comes_late_is_waited_for(server: str) -> None:
    """A worker that starts first begins when there is something to carry."""
    name = f"late_{UUID(int=CASES[0].int).hex}"
    dsn = make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as making:
        try:
            with working(Worker(dsn)) as logs:
                until(lambda: logs, "an attempt in vain")
                making.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
                migrate(dsn)
                until(lambda: backends_of(making, name), "a worker at work")
            assert {one["reason"] for one in logs} <= {"OperationalError", "UndefinedTable"}
        finally:
            making.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def backends_of(connection: psycopg.Connection, name: str) -> list[int]:
    """Give the processes that work for workers in another database and hold the docket's lock."""
    holding = (
        "select pid from pg_locks join pg_database d on d.oid = database"
        " where locktype = 'advisory' and granted and datname = %s and classid = hashtext('bihuan.projection')::oid"
    )
    return [row[0] for row in connection.execute(holding, (name,))]
