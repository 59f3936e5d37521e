"""Rows built anew: equal code gives equal bytes; what differs is told and put right; nobody who reads is held up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from projections.docket import DOCKET
from projections.runner import Entry, Projection, Stopped, rebuild
from tests.controls import LOOP
from tests.hall import key
from tests.projections.town import TALLY, TallyRow, Town, carrying, count, dump, rows, struck

pytestmark = pytest.mark.postgres


@pytest.fixture
def other(database: str) -> Iterator[psycopg.Connection]:
    """Another connection, on which nobody waits long for a lock."""
    with psycopg.connect(database, autocommit=True, options="-c lock_timeout=3s") as opened:
        yield opened


def fill(town: Town, cases: int = 4) -> int:
    """Write the stories of some cases, each a little further than the one before; give the last position."""
    for n in range(cases):
        town.append(key(f"case-{n}"), *LOOP[: 4 * n + 1])
    return town.last()


def carried(connection: psycopg.Connection, projection: Projection[Any]) -> None:
    """Carry a projection to the end of the log and leave it."""
    runner = carrying(connection, projection)
    runner.catch_up()
    runner.release()


def shape(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Everything that makes the docket's tables: columns, keys, indexes, and what lies about beside them."""
    return connection.execute(
        "select c.relname, coalesce(pg_get_indexdef(c.oid), c.relkind::text) from pg_class c"
        " where c.relname like 'docket%' and not c.relispartition and c.relname not like '%scratch%' order by 1, 2"
    ).fetchall()


def test_equal_code_gives_equal_bytes(town: Town, connection: psycopg.Connection, other: psycopg.Connection) -> None:
    """However often it is rebuilt, rows and indexes are those that were there, and nothing is left beside them."""
    end = fill(town)
    carried(connection, DOCKET)
    before, tables = dump(connection, DOCKET), shape(connection)
    for _ in range(3):
        assert rebuild(other, DOCKET) == (end, 0)
        assert dump(connection, DOCKET) == before
        assert shape(connection) == tables
        assert DOCKET.position(connection) == end


def test_rows_that_were_tampered_with_are_put_right(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """A row that was changed, one that was lost and one that was made up: each is counted, and told by its columns."""
    end = fill(town)
    carried(connection, TALLY)
    before = dump(connection, TALLY)
    first, second, *_ = rows(connection, TALLY)
    connection.execute("update tally_1 set events = 99 where stream = %s", (first.stream,))
    connection.execute("delete from tally_1 where stream = %s", (second.stream,))
    connection.execute("insert into tally_1 values (%s, 1, '{}', '{}')", (key("nobody"),))
    told: list[str] = []
    assert rebuild(other, TALLY, told.append) == (end, 3)
    assert dump(connection, TALLY) == before
    assert "tally.events differed in 3 rows" in told
    assert "tally.stream differed in 2 rows" in told


def test_a_changed_fold_tells_what_it_changed(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """A row that differs is one row, and only the columns that differ are named."""
    end = fill(town)
    carried(connection, TALLY)
    accepted = [row.stream for row in rows(connection, TALLY) if "complaint.accepted.1" in row.names]

    def hushed(row: TallyRow | None, entry: Entry) -> TallyRow:
        counted = count(row, entry)
        return replace(counted, names=tuple(name for name in counted.names if name != "complaint.accepted.1"))

    told: list[str] = []
    assert rebuild(other, replace(TALLY, evolve=hushed), told.append) == (end, len(accepted))
    assert told == [f"tally.names differed in {len(accepted)} rows"]
    assert not any("complaint.accepted.1" in row.names for row in rows(connection, TALLY))


def test_what_came_since_is_no_difference(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """Rows that had not come so far are carried on to the end, and nobody is told that they differed."""
    for n in range(3):
        town.append(key(f"case-{n}"), *LOOP[:4])
    runner = carrying(connection, TALLY)
    runner.step(7)
    runner.release()
    told: list[str] = []
    assert rebuild(other, TALLY, told.append) == (12, 0)
    assert told == []
    assert TALLY.position(connection) == 12
    assert [row.events for row in rows(connection, TALLY)] == [4, 4, 4]


def test_rows_nobody_ever_built_are_built(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """A projection that no server carried yet comes to the end too."""
    end = fill(town)
    assert rebuild(other, DOCKET) == (end, 0)
    assert DOCKET.position(connection) == end
    assert len(rows(connection, DOCKET)) == 4


def test_who_reads_meanwhile_is_not_held_up(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """A long look at the docket goes on seeing what it saw, whole, and the rebuilding does not wait for it."""
    fill(town)
    carried(connection, DOCKET)
    before = dump(connection, DOCKET)
    connection.execute("update docket_2 set reworks = 7")
    tampered = dump(connection, DOCKET)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        assert dump(connection, DOCKET) == tampered
        assert rebuild(other, DOCKET)[1] == 4
        assert dump(connection, DOCKET) == tampered
    assert dump(connection, DOCKET) == before


def test_it_is_refused_while_a_runner_carries(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """It says what to do, changes nothing, and the runner goes on."""
    end = fill(town)
    runner = carrying(connection, TALLY)
    runner.step(5)
    before = dump(connection, TALLY)
    with pytest.raises(RuntimeError, match="tally is being carried by a running server: stop it, then rebuild"):
        rebuild(other, TALLY)
    assert dump(connection, TALLY) == before
    assert runner.catch_up() == end - 5
    assert sum(row.events for row in rows(connection, TALLY)) == end


def test_an_error_leaves_everything_as_it_was(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """Also when it comes late; the lock is free again, and the next attempt succeeds on the same connection."""
    end = fill(town)
    carried(connection, TALLY)
    before = dump(connection, TALLY)

    def fails(row: TallyRow | None, entry: Entry) -> TallyRow:
        if entry.position == end:
            raise ZeroDivisionError
        return replace(count(row, entry), events=0)

    with pytest.raises(ZeroDivisionError):
        rebuild(other, replace(TALLY, evolve=fails))
    assert dump(connection, TALLY) == before
    assert TALLY.position(connection) == end
    carried(connection, TALLY)
    assert rebuild(other, TALLY) == (end, 0)


def test_rows_are_put_right_all_at_once_or_not_at_all(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """Whoever is struck between the rows and the position has put nothing right yet."""
    fill(town)
    carried(connection, TALLY)
    connection.execute("update tally_1 set events = 99")
    connection.execute("insert into tally_1 values (%s, 1, '{}', '{}')", (key("nobody"),))
    before = dump(connection, TALLY)
    with struck(connection, "raise exception 'struck';"), pytest.raises(psycopg.errors.RaiseException):
        rebuild(other, TALLY)
    assert dump(connection, TALLY) == before
    assert rebuild(other, TALLY)[1] == 5


def test_a_log_that_cannot_be_read_is_not_rebuilt_in_part(
    town: Town, connection: psycopg.Connection, other: psycopg.Connection
) -> None:
    """Rows of a newer program's events stay; half a log does not take their place."""
    end = fill(town)
    carried(connection, TALLY)
    town.store(key("case-0"), ("complaint.unheard-of.1", b"{}"))
    connection.execute("update projection_positions set position = %s where name = 'tally'", (end + 1,))
    before = dump(connection, TALLY)
    with pytest.raises(Stopped, match=r"complaint\.unheard-of\.1"):
        rebuild(other, TALLY)
    assert dump(connection, TALLY) == before
    assert TALLY.position(connection) == end + 1
