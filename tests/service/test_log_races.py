"""The log under many writers: what a follower sees, and what is durable when. Each claim with its losing control.

A control is the same run against an append function without the precaution, in a database of its own; it shows that the
run would notice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from threading import Event, Thread
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain import register
from domain.decider import THE_SYSTEM
from domain.register import Add, Site, SiteLevel
from service import eventstore
from service.casebook import Asked, Casebook, Done
from service.eventstore import APPEND, FLUSH, Log, Recorder, VersionTaken
from tests.service.watching import Follower, append, asking, event, queueing, rows, until
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

UNORDERED: Final = """
create sequence positions;
create or replace function append_events(
    p_stream uuid[], p_version int[], p_name text[], p_state bytea[], p_command uuid[], p_seq smallint[],
    p_claim_kind text[], p_claim_key text[], p_claim_stream uuid[]
) returns table (p_position bigint, p_recorded_at timestamptz, p_leaf_hash bytea) language plpgsql as $$
begin
    return query
        insert into events as t (
            position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash
        )
        select n, s, v, na, now(), c, q, b, leaf_hash(log_id, n, s, v, na, now(), c, q, b)
        from (
            select nextval('positions') as n, s, v, na, b, c, q
            from unnest(p_stream, p_version, p_name, p_state, p_command, p_seq) u(s, v, na, b, c, q)
        ) placed, log
        returning t.position, t.recorded_at, t.leaf_hash;
    perform pg_notify('events', '');
end $$
"""
"""As most tables are filled: a sequence for the position, the transaction's time, no lock."""


@pytest.fixture
def recorder(pool: ConnectionPool, log_id: UUID) -> Recorder:
    """The recorder of an empty log."""
    return Recorder(pool, log_id)


def replace_append(recorder: Recorder, function: str) -> None:
    """Exchange the append function in the database of this test."""
    with recorder.pool.connection() as connection:
        connection.execute(function.encode())


def without(recorder: Recorder, line: str) -> None:
    """Remove one line from the append function in the database of this test."""
    (source,) = rows(recorder, "select pg_get_functiondef('append_events'::regproc)")
    assert source.count(line) == 1
    replace_append(recorder, source.replace(line, ""))


@dataclass(frozen=True)
class Race:
    """What came of a race: the log as it is stored, and what a follower saw of it."""

    stored: list[int]
    times: list[datetime]
    followed: list[int]

    @property
    def missed(self) -> set[int]:
        """What the follower never saw and never will."""
        return set(self.stored) - set(self.followed)

    @property
    def dense(self) -> bool:
        """Whether positions count from one without a hole."""
        return self.stored == list(range(1, len(self.stored) + 1))

    @property
    def went_back(self) -> int:
        """How often the time of a row is before that of the row before it."""
        return sum(later < earlier for earlier, later in pairwise(self.times))


def race(recorder: Recorder, writers: int, each: int) -> Race:
    """Let a transaction that began first commit last, with writers coming in between and a follower looking on.

    Every writer is also refused once for each event it appends.
    """
    dsn = str(recorder.pool.conninfo)

    def write() -> None:
        for _ in range(each):
            stream = uuid4()
            append(recorder, stream)
            with pytest.raises(VersionTaken):
                append(recorder, stream)

    # The slow one ends before the others are waited for, also when something goes wrong.
    with Follower(recorder) as follower, ThreadPoolExecutor(writers) as threads, psycopg.connect(dsn) as slow:
        slow.execute("select now()")  # begins before all others
        append(recorder, uuid4())
        slow.execute(APPEND, [[uuid4()], [1], ["complaint.registered.1"], [b"{}"], [uuid4()], [0], [], [], []])
        writing = [threads.submit(write) for _ in range(writers)]
        until(lambda: queueing(dsn) == writers or follower.has_seen(3), "the others wait, or overtake")
        slow.commit()
        for one in writing:
            one.result()
        (last,) = rows(recorder, "select max(position) from events")
        until(lambda: follower.has_seen(last), "the follower is at the end")
    stored = rows(recorder, "select position, recorded_at from events order by position")
    return Race([position for position, _ in stored], [time for _, time in stored], follower.positions())


def test_a_follower_misses_nothing_when_the_first_to_begin_commits_last(recorder: Recorder) -> None:
    """Two open transactions: the second cannot overtake, so a follower that saw it has seen the first."""
    raced = race(recorder, writers=1, each=1)
    assert raced.followed == raced.stored == [1, 2, 3]


def test_without_the_lock_a_follower_misses_what_commits_late(recorder: Recorder) -> None:
    """The control: a sequence gives the number before the commit, and the follower has gone past it."""
    replace_append(recorder, UNORDERED)
    raced = race(recorder, writers=1, each=1)
    assert raced.missed == {2}


def test_eight_writers_and_a_follower_leave_and_see_one_dense_log(recorder: Recorder) -> None:
    """However many write, positions are dense, a follower sees every one in order, and time never goes back."""
    raced = race(recorder, writers=8, each=50)
    assert len(raced.stored) == 8 * 50 + 2
    assert raced.dense
    assert raced.followed == raced.stored
    assert raced.went_back == 0


def test_without_order_eight_writers_lose_everything_of_that(recorder: Recorder) -> None:
    """The control: holes where somebody was refused, an event never seen, a time before the one before it."""
    replace_append(recorder, UNORDERED)
    raced = race(recorder, writers=8, each=5)
    assert len(raced.stored) == 8 * 5 + 2
    assert not raced.dense
    assert 2 in raced.missed
    assert raced.went_back > 0


def test_a_lost_notification_stalls_nobody(recorder: Recorder) -> None:
    """A follower looks again by itself when nothing wakes it."""
    with Follower(recorder) as follower:
        append(recorder, uuid4())
        until(lambda: follower.has_seen(1), "the first event")
        without(recorder, "perform pg_notify('events', '');")
        append(recorder, uuid4())
        until(lambda: follower.has_seen(2), "an event nobody was told of")


def test_a_notification_is_enough(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each append wakes a follower that would otherwise look again only in a day, from its first moment on."""
    monkeypatch.setattr(eventstore, "POLL_SECONDS", 86_400.0)
    append(recorder, uuid4())
    with Follower(recorder) as follower:
        for position in range(2, 30):
            append(recorder, uuid4())
            until(lambda position=position: follower.has_seen(position), "an event it was told of")  # type: ignore[misc]  # its default
    assert follower.positions() == list(range(1, 30))


def test_a_follower_goes_on_from_where_it_was(recorder: Recorder) -> None:
    """It gives what comes after the position it is told, and no more after it was stopped."""
    for _ in range(3):
        append(recorder, uuid4())
    with Follower(recorder, gt=2) as follower:
        append(recorder, uuid4())
        until(lambda: follower.has_seen(4), "the last event")
    append(recorder, uuid4())
    assert follower.positions() == [3, 4]


@contextlib.contextmanager
def flushes_held_back(dsn: str) -> Iterator[None]:
    """Let every flush wait for as long as the block takes: the server waits for a replica that does not exist.

    A commit that does not wait for its flush goes through meanwhile.
    """
    over = Event()
    with psycopg.connect(dsn, autocommit=True) as setting, psycopg.connect(dsn, autocommit=True) as probing:

        def probe() -> None:
            while not over.is_set():
                probing.execute(FLUSH)

        thread = Thread(target=probe)
        setting.execute("alter system set synchronous_standby_names = 'nobody'")
        try:
            setting.execute("select pg_reload_conf()")
            thread.start()
            until(lambda: held_back(dsn) == 1, "flushes are held back")
            yield
        finally:
            over.set()
            setting.execute("alter system reset synchronous_standby_names")
            setting.execute("select pg_reload_conf()")
            thread.join()


def held_back(dsn: str) -> int:
    """How many sessions of this database wait in a flush."""
    return len(
        asking(
            dsn,
            "select pid from pg_stat_activity where wait_event = 'SyncRep' and datname = current_database()",
        )
    )


def stored(dsn: str) -> int:
    """How many events everybody can see."""
    return len(asking(dsn, "select from events"))


def test_nobody_waits_for_the_flush_of_another(recorder: Recorder) -> None:
    """While flushes hang all writers append; none is told "done" before its flush, and then all are at once."""
    dsn = str(recorder.pool.conninfo)
    with ThreadPoolExecutor(5) as threads:
        with flushes_held_back(dsn):
            writing = [threads.submit(append, recorder, uuid4()) for _ in range(5)]
            until(lambda: held_back(dsn) == 1 + 5, "all five have appended")
            assert (stored(dsn), queueing(dsn)) == (5, 0)
            assert [one.done() for one in writing] == [False] * 5
        assert sorted(one.result() for one in writing) == [1, 2, 3, 4, 5]


def test_with_the_flush_under_the_lock_everybody_waits(recorder: Recorder) -> None:
    """The control: an append that commits synchronously keeps the lock, one command for each flush."""
    dsn = str(recorder.pool.conninfo)
    without(recorder, "perform set_config('synchronous_commit', 'off', true);")
    with ThreadPoolExecutor(5) as threads:
        with flushes_held_back(dsn):
            writing = [threads.submit(append, recorder, uuid4()) for _ in range(5)]
            until(lambda: held_back(dsn) + queueing(dsn) == 1 + 5, "one has the lock")
            assert (stored(dsn), queueing(dsn)) == (0, 4)
        assert sorted(one.result() for one in writing) == [1, 2, 3, 4, 5]


def test_a_statement_beside_an_append_does_not_hold_the_lock_either(recorder: Recorder) -> None:
    """What is done in the append's transaction is flushed with it, after the lock was released."""
    dsn = str(recorder.pool.conninfo)

    def write(command: UUID) -> None:
        remember = (eventstore.Beside(eventstore.REMEMBER, (command, b"")),)
        recorder.insert_events([event(uuid4())], command_ids=[command], beside=remember)

    with ThreadPoolExecutor(3) as threads:
        with flushes_held_back(dsn):
            writing = [threads.submit(write, uuid4()) for _ in range(3)]
            until(lambda: held_back(dsn) == 1 + 3, "all three have appended")
            assert (stored(dsn), queueing(dsn)) == (3, 0)
        for one in writing:
            one.result()


@pytest.mark.parametrize("same_key", [True, False], ids=["the same command", "what is so already"])
def test_an_answer_that_writes_nothing_is_durable_too(recorder: Recorder, same_key: bool) -> None:  # noqa: FBT001  # two cases
    """Who is told "it is done already" can rely on it: what made it so is flushed first."""
    dsn = str(recorder.pool.conninfo)
    book = Casebook(Log(recorder), recorder)
    key = uuid4()

    def add(command_id: UUID) -> Done:
        site = Site(code="GXQ", name_zh="高新区", name_en="Centre", level=SiteLevel.DISTRICT)
        asked = Asked(command_id=command_id, source="test", name="add")
        return book.transact(register.REGISTER, register.STREAM, Add(at=SOME_TIME, by=THE_SYSTEM, entry=site), asked)

    with ThreadPoolExecutor(2) as threads:
        with flushes_held_back(dsn):
            first = threads.submit(add, key)
            until(lambda: held_back(dsn) == 1 + 1, "the first is appended, not flushed")
            again = threads.submit(add, key if same_key else uuid4())
            until(lambda: held_back(dsn) == 1 + 2, "the second waits for a flush as well")
            assert not again.done()
        assert (first.result().position, again.result().position, again.result().repeated) == (1, 1, same_key)
    assert rows(recorder) == [1]
