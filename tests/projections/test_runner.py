"""The runner: in order, once, whatever stops it; where it cannot go on it says so and stays where it was."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from projections import PROJECTIONS
from projections.codec import UnknownEvent, Unreadable
from projections.docket import DOCKET
from projections.runner import (
    READ,
    Entry,
    Outrun,
    PositionMissing,
    Projection,
    Runner,
    Stopped,
    wait_for,
)
from tests.controls import ACCEPTED, LOOP, REGISTERED
from tests.hall import key
from tests.projections.town import TALLY, TallyRow, Town, carrying, count, dump, rows, struck
from tests.service.watching import DEADLINE, until

pytestmark = pytest.mark.postgres

CASES: Final = tuple(key(f"case-{n}") for n in range(5))
STRANGE: Final = ("complaint.unheard-of.1", b'{"m":{},"e":{"secret":"the neighbour"}}')
BROKEN: Final = ("complaint.accepted.1", b'{"m":{},"e":{"secret":"the neighbour"}}')


def fill(town: Town, rounds: tuple[int, ...] = (3, 1, 2, 1, 4)) -> int:
    """Write parts of the story of five cases, one beside the other; give the last position."""
    for step in range(max(rounds)):
        for case, upto in zip(CASES, rounds, strict=True):
            if step < upto:
                town.append(case, LOOP[step])
    return town.last()


def carry(runner: Runner, page_size: int) -> None:
    """Carry everything to the end of the log, in pages of this size."""
    while runner.step(page_size):
        pass


@pytest.mark.parametrize("page_size", [1, 2, 7, 5000])
def test_every_event_counts_once_and_in_its_order(town: Town, connection: psycopg.Connection, page_size: int) -> None:
    """Wherever pages end, the rows tell each stream as the log does."""
    end = fill(town)
    runner = carrying(connection, TALLY)
    carry(runner, page_size)
    expected = {stream: (n, names, positions) for stream, n, names, positions in connection.execute(LOG)}
    assert {row.stream: (row.events, list(row.names), list(row.positions)) for row in rows(connection, TALLY)} == (
        expected
    )
    assert TALLY.position(connection) == end == sum(row.events for row in rows(connection, TALLY))


LOG: Final = """
select stream_id, count(*), array_agg(name order by position), array_agg(position order by position)
from events group by stream_id
"""


def test_pages_of_any_size_give_the_same_bytes(town: Town, connection: psycopg.Connection) -> None:
    """Equal code gives equal rows, byte for byte."""
    fill(town)
    dumps = []
    for number, page_size in enumerate((1, 2, 7, 5000), start=1):
        numbered = [replace(one, number=number) for one in (TALLY, *PROJECTIONS)]
        carry(carrying(connection, *numbered), page_size)
        dumps.append([dump(connection, one) for one in numbered])
    # A complaint that goes round the loop makes no contact and is not published.
    assert all(dumps[0][: len((TALLY, DOCKET))])
    assert dumps[1:] == dumps[:-1]


def test_a_page_is_decoded_once_for_all(town: Town, connection: psycopg.Connection) -> None:
    """Two projections are handed the same events, not equal ones."""
    fill(town)
    seen: dict[str, list[Entry]] = {"first": [], "second": []}

    def keeping(name: str) -> Projection[TallyRow]:
        def keep(row: TallyRow | None, entry: Entry) -> TallyRow:
            seen[name].append(entry)
            return count(row, entry)

        return replace(TALLY, name=name, evolve=keep)

    assert carrying(connection, keeping("first"), keeping("second")).catch_up() == town.last()
    assert len(seen["first"]) == town.last()
    assert all(one is other for one, other in zip(seen["first"], seen["second"], strict=True))


@pytest.mark.parametrize(
    ("by", "error"),
    [
        ("raise exception 'struck';", Stopped),
        ("perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(0);", psycopg.OperationalError),
    ],
    ids=["raised", "killed"],
)
def test_rows_and_position_are_one_transaction(
    database: str, town: Town, connection: psycopg.Connection, by: str, error: type[Exception]
) -> None:
    """Whoever dies between the rows and the position has counted nothing; the next one counts each event once."""
    fill(town)
    with psycopg.connect(database, autocommit=True) as dying:
        runner = carrying(dying, TALLY)
        runner.step(4)
        before = dump(connection, TALLY)
        with struck(connection, by), pytest.raises(error):
            runner.catch_up()
        assert dump(connection, TALLY) == before
        assert TALLY.position(connection) == 4
    carrying(connection, TALLY).catch_up()
    assert sum(row.events for row in rows(connection, TALLY)) == town.last()


def test_a_second_runner_waits_its_turn(database: str, town: Town, connection: psycopg.Connection) -> None:
    """It takes nothing while the first lives, and takes over where that one died."""
    fill(town)
    with psycopg.connect(database, autocommit=True) as dying:
        runner = carrying(dying, TALLY)
        runner.step(4)
        second = Runner(connection, [TALLY])
        assert second.take() == []
        assert second.catch_up() == 0
        connection.execute("select pg_terminate_backend(%s)", (dying.info.backend_pid,))
        until(second.take, "the lock of a dead runner")
        assert second.catch_up() == town.last() - 4
    assert sum(row.events for row in rows(connection, TALLY)) == town.last()


def test_a_lock_given_back_is_free(database: str, connection: psycopg.Connection) -> None:
    """On a connection that lives on, others may go on with the projection."""
    with psycopg.connect(database, autocommit=True) as other:
        runner = carrying(other, TALLY)
        runner.release()
        assert carrying(connection, TALLY).take() == ["tally_1"]
        assert runner.take() == []


def test_a_runner_that_was_outrun_writes_nothing(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Were a lock ever lost without its connection, nothing would be counted twice."""
    fill(town)
    first = carrying(connection, TALLY)
    first.step(2)
    with psycopg.connect(database, autocommit=True) as other:
        # What a pooler that hands the session to somebody else would do.
        connection.execute("select pg_advisory_unlock_all()")
        carrying(other, TALLY).step(5)
        with pytest.raises(Stopped, match="Outrun") as stopped:
            first.catch_up()
    assert isinstance(stopped.value.__cause__, Outrun)
    assert sum(row.events for row in rows(connection, TALLY)) == TALLY.position(connection) == 7


@pytest.mark.parametrize(
    ("stored", "error", "said"),
    [
        (STRANGE, UnknownEvent, "complaint.unheard-of.1"),
        (BROKEN, Unreadable, "complaint.accepted.1"),
    ],
    ids=["unknown", "unreadable"],
)
@pytest.mark.parametrize("page_size", [1, 7, 5000])
def test_what_cannot_be_read_stops_the_runner(
    town: Town,
    connection: psycopg.Connection,
    stored: tuple[str, bytes],
    error: type[Exception],
    said: str,
    page_size: int,
) -> None:
    """It says which event and where, quotes nothing, and the rows are complete up to the event before it."""
    end = fill(town)
    town.store(CASES[0], stored)
    town.append(CASES[1], *LOOP[4:6])
    runner = carrying(connection, TALLY, *PROJECTIONS)
    for _ in range(2):
        with pytest.raises(Stopped) as stopped:
            carry(runner, page_size)
        assert (stopped.value.projection, stopped.value.position) == (None, end)
        assert isinstance(stopped.value.__cause__, error)
        assert said in str(stopped.value)
        assert "neighbour" not in str(stopped.value)
        assert {one.position(connection) for one in (TALLY, *PROJECTIONS)} == {end}
        assert sum(row.events for row in rows(connection, TALLY)) == end


def test_a_gap_in_the_log_stops_the_runner(town: Town, connection: psycopg.Connection) -> None:
    """A missing position is damage; what stands behind it is not counted as if nothing were missing."""
    fill(town)
    connection.execute("alter table events disable trigger events_never_change")
    connection.execute("delete from events where position = 4")
    runner = carrying(connection, TALLY)
    assert runner.step() == 3
    with pytest.raises(Stopped, match="PositionMissing: 4") as stopped:
        runner.step()
    assert isinstance(stopped.value.__cause__, PositionMissing)
    assert TALLY.position(connection) == 3


class TallyBroke(Exception):
    """A fold that fails, in a test."""


def test_a_fold_that_fails_stops_its_own_projection_only(town: Town, connection: psycopg.Connection) -> None:
    """The error comes out and names the projection; the others are carried on; cured, it goes on from where it was."""
    end = fill(town)

    def fails(row: TallyRow | None, entry: Entry) -> TallyRow:
        if entry.position == 6:
            raise TallyBroke("the neighbour")
        return count(row, entry)

    faulty = replace(TALLY, name="faulty", evolve=fails)
    runner = carrying(connection, faulty, TALLY)
    assert runner.step(4) == 4
    for _ in range(2):
        with pytest.raises(Stopped) as stopped:
            runner.step(4)
        assert (stopped.value.projection, stopped.value.position) == ("faulty_1", 4)
        assert isinstance(stopped.value.__cause__, TallyBroke)
        assert "neighbour" not in str(stopped.value)
        assert (TALLY.position(connection), faulty.position(connection)) == (8, 4)
        assert sum(row.events for row in rows(connection, faulty)) == 4
    runner.release()
    carrying(connection, replace(faulty, evolve=count), TALLY).catch_up()
    assert faulty.position(connection) == TALLY.position(connection) == end
    assert [row.positions for row in rows(connection, faulty)] == [row.positions for row in rows(connection, TALLY)]


class Interrupted(psycopg.Connection):
    """A connection at which something happens between two statements, once."""

    after: Any = None
    happens: Any = staticmethod(lambda: None)

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:  # noqa: ANN401 - as the driver's own
        """Execute, and let it happen right after the statement it waits for."""
        cursor = super().execute(query, *args, **kwargs)
        if query == self.after:
            self.after = None
            self.happens()
        return cursor


@contextmanager
def following(dsn: str, runner: Runner, poll_seconds: float) -> Iterator[None]:
    """Let a runner follow the log in a thread of its own."""
    stopping = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        followed = threads.submit(runner.follow, stopping.is_set, poll_seconds)
        try:
            yield
        finally:
            stopping.set()
            # Not by a NOTIFY: a runner that hears none would never end.
            with psycopg.connect(dsn, autocommit=True) as ending:
                ending.execute("select pg_terminate_backend(%s)", (runner.connection.info.backend_pid,))
        with suppress(psycopg.OperationalError):
            followed.result()


NEVER: Final = 3600.0
"""Seconds that no test waits."""


def test_a_lost_notify_stalls_nothing(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Events of which nobody was told are found by looking again."""
    with psycopg.connect(database, autocommit=True) as working, following(database, carrying(working, TALLY), 0.05):
        town.append(CASES[0], REGISTERED)
        until(lambda: TALLY.position(connection) == 1, "the first event")
        town.quietly(CASES[0], ACCEPTED)
        until(lambda: TALLY.position(connection) == 2, "the event without a NOTIFY")


def test_a_notify_wakes_the_runner(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Nobody waits for the next look while there is news."""
    with psycopg.connect(database, autocommit=True) as working, following(database, carrying(working, TALLY), NEVER):
        for n, event in enumerate(LOOP, start=1):
            town.append(CASES[0], event)
            until(lambda n=n: TALLY.position(connection) == n, f"event {n}")  # type: ignore[misc]


def test_news_between_reading_and_waiting_is_not_missed(
    database: str, town: Town, connection: psycopg.Connection
) -> None:
    """The runner listens before it reads, so an event written right after its read wakes it."""
    with Interrupted.connect(database, autocommit=True) as working:
        runner = carrying(working, TALLY)
        working.after, working.happens = READ, lambda: town.append(CASES[0], REGISTERED)
        with following(database, runner, NEVER):
            until(lambda: TALLY.position(connection) == 1, "an event written between reading and waiting")


def test_a_projection_that_is_behind_catches_up(town: Town, connection: psycopg.Connection) -> None:
    """One that is new begins at the beginning, and those ahead count nothing again."""
    fill(town)
    carrying(connection, TALLY).catch_up()
    before = dump(connection, TALLY)
    town.append(CASES[0], *LOOP[4:9])
    late = replace(TALLY, name="late")
    runner = carrying(connection, TALLY, late)
    read = []
    while page := runner.step(3):
        read.append(page)
    assert sum(read) == town.last()
    assert late.position(connection) == TALLY.position(connection) == town.last()
    assert dump(connection, late) == dump(connection, TALLY) != before


def test_two_numbers_stand_side_by_side(database: str, town: Town, connection: psycopg.Connection) -> None:
    """A new number fills beside the old one, with a lock, a position and a fold of its own."""
    end = fill(town)
    carrying(connection, TALLY).catch_up()
    newer = replace(TALLY, number=2, key=lambda entry: entry.stream if entry.name.startswith("complaint.r") else None)
    with psycopg.connect(database, autocommit=True) as other:
        runner = carrying(other, newer)
        runner.step(5)
        assert (TALLY.position(connection), newer.position(connection)) == (end, 5)
        runner.catch_up()
    assert newer.position(connection) == end
    assert sum(row.events for row in rows(connection, TALLY)) == end
    assert {name for row in rows(connection, newer) for name in row.names} == {"complaint.registered.1"}


def test_waiting_ends_when_the_position_is_reached(database: str, town: Town, connection: psycopg.Connection) -> None:
    """Whoever waits for an event sees it."""
    end = fill(town)
    with ThreadPoolExecutor(1) as threads, psycopg.connect(database, autocommit=True) as reading:
        runner = carrying(connection, TALLY)
        waiting = threads.submit(wait_for, reading, TALLY, end, NEVER)
        for _ in range(end - 1):
            runner.step(1)
        assert not waiting.done()
        runner.step(1)
        assert waiting.result() == end


def test_waiting_ends_in_time_too(town: Town, connection: psycopg.Connection) -> None:
    """Who waits in vain is told how far it has come."""
    end = fill(town)
    carrying(connection, TALLY).step(5)
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(wait_for, connection, TALLY, end, 0.02).result(DEADLINE) == 5
    assert wait_for(connection, TALLY, 5, 0) == 5


def test_memory_stays_flat(town: Town, connection: psycopg.Connection) -> None:
    """Six times the log needs no more memory at once than the sixth of it."""

    def peak(projection: Projection[Any]) -> int:
        runner = carrying(connection, projection)
        tracemalloc.start()
        try:
            carry(runner, 100)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def write(cases: int) -> None:
        for _ in range(cases):
            town.append(UUID(int=town.last() + 1), *LOOP[:5])

    small = replace(DOCKET, name="small")
    write(100)
    peak(small)  # what is made once, such as decoders, is made now
    little = peak(replace(DOCKET, name="little"))
    write(500)
    assert peak(replace(DOCKET, name="large")) < 2 * little
