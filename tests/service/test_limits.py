"""How often somebody may try, whichever process they ask."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from time import monotonic

import pytest
from psycopg_pool import ConnectionPool

from service.limits import Limits, TooMany, place

SECRET = secrets.token_bytes(32)
ADDRESS = "198.51.100.77"
A, B = b"a", b"b"


def hits(pool: ConnectionPool) -> list[int]:
    """Give the counts of all windows."""
    with pool.connection() as connection:
        return [row[0] for row in connection.execute("SELECT hits FROM accounts.limits ORDER BY hits")]


def age(pool: ConnectionPool, seconds: int) -> None:
    """Let seconds pass for every window: the database clock cannot be turned, so their ends move back."""
    with pool.connection() as connection:
        connection.execute("UPDATE accounts.limits SET ends_at = ends_at - make_interval(secs => %s)", [seconds])


def let_through(limits: Limits, times: int, key: bytes = A, *, most: int, seconds: int = 60) -> int:
    """Try one after another; give how many attempts went through."""
    return sum(attempt(limits, key, most=most, seconds=seconds) for _ in range(times))


def attempt(limits: Limits, key: bytes, *, most: int, seconds: int = 60) -> bool:
    """Try once; say whether it went through."""
    try:
        limits.hit("test", key, most=most, seconds=seconds)
    except TooMany:
        return False
    return True


def all_at_once(pool: ConnectionPool, first: str, threads: int, *, most: int) -> int:
    """Hold the row as `first` does until all others wait for it, then let go; give how many of them went through.

    Each thread has limits of its own, as a process has, and read the table before the first one's count was there.
    """
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    row = {"key": Limits(pool, SECRET)._digest("test", A)}
    with ThreadPoolExecutor(threads) as executor, pool.connection() as watching:
        with pool.connection() as holding, holding.transaction():
            assert holding.execute(first.encode(), row).rowcount == 1
            tries = [executor.submit(attempt, Limits(pool, SECRET), A, most=most) for _ in range(threads)]
            until = monotonic() + 30
            while watching.execute(waiting.encode()).fetchone() != (threads,):
                assert monotonic() < until
        return sum(one.result(30) for one in tries)


@pytest.mark.postgres
def test_a_window_lets_so_many_through_and_says_how_long_to_wait(pool: ConnectionPool) -> None:
    """The attempt after the last one is refused with the seconds that are left."""
    limits = Limits(pool, SECRET)
    assert let_through(limits, 3, most=3) == 3
    with pytest.raises(TooMany) as refused:
        limits.hit("test", A, most=3, seconds=60)
    assert 0 < refused.value.retry_after <= 60
    assert refused.value.facts == {"retry_after": refused.value.retry_after}
    assert refused.value.then


@pytest.mark.postgres
def test_a_window_that_is_over_begins_anew(pool: ConnectionPool) -> None:
    """When its end has passed, attempts go through again, as many as before."""
    limits = Limits(pool, SECRET)
    assert let_through(limits, 5, most=2) == 2
    age(pool, 61)
    assert let_through(limits, 5, most=2) == 2


@pytest.mark.postgres
def test_refused_attempts_do_not_prolong_the_wait(pool: ConnectionPool) -> None:
    """The end of the window stays where the first attempt put it."""
    limits = Limits(pool, SECRET)
    let_through(limits, 1, most=1)
    age(pool, 50)
    let_through(limits, 5, most=1)
    with pytest.raises(TooMany) as refused:
        limits.hit("test", A, most=1, seconds=60)
    assert refused.value.retry_after <= 10


@pytest.mark.postgres
def test_every_process_counts_in_the_same_window(pool: ConnectionPool) -> None:
    """Two counters with one secret share their hits; other keys and other limits have their own."""
    one, other = Limits(pool, SECRET), Limits(pool, SECRET)
    assert let_through(one, 2, most=3) == 2
    assert let_through(other, 2, most=3) == 1
    assert let_through(one, 1, B, most=3) == 1
    one.hit("another", A, most=3, seconds=60)


@pytest.mark.postgres
def test_of_many_at_once_only_the_permitted_number_goes_through(pool: ConnectionPool) -> None:
    """One begins the window, twelve come before it has finished: of five permitted, four are left for them."""
    begin = "INSERT INTO accounts.limits VALUES (%(key)s, 1, clock_timestamp() + interval '1 minute')"
    again = "UPDATE accounts.limits SET hits = 1, ends_at = clock_timestamp() + interval '1 minute' WHERE key = %(key)s"
    assert all_at_once(pool, begin, 12, most=5) == 4
    age(pool, 61)
    assert all_at_once(pool, again, 12, most=5) == 4


@pytest.mark.postgres
def test_an_address_cannot_be_read_or_guessed_from_the_table(pool: ConnectionPool) -> None:
    """Neither the address nor its plain hash, which could be searched through, is stored."""
    Limits(pool, SECRET).hit("place", place(ADDRESS), most=3, seconds=60)
    with pool.connection() as connection:
        rows = connection.execute("SELECT l::text FROM accounts.limits l").fetchall()
    assert len(rows) == 1
    for told in (ADDRESS, ADDRESS.encode().hex(), place(ADDRESS).hex(), sha256(place(ADDRESS)).hexdigest()):
        assert told not in rows[0][0]


@pytest.mark.postgres
def test_counters_leave_nothing_in_the_write_ahead_log(pool: ConnectionPool) -> None:
    """Their table is unlogged."""
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT relpersistence FROM pg_class WHERE oid = 'accounts.limits'::regclass"
        ).fetchone()
    assert row == ("u",)


@pytest.mark.postgres
def test_windows_that_are_over_go_away_in_passing(pool: ConnectionPool) -> None:
    """New windows sweep more old ones out than they add, so the table follows those who still try."""
    limits = Limits(pool, SECRET)
    for n in range(30):
        let_through(limits, 1, b"old %d" % n, most=1)
    age(pool, 61)
    for n in range(3):
        let_through(limits, 1, b"new %d" % n, most=1)
    assert len(hits(pool)) == 3


@pytest.mark.postgres
def test_an_attempt_taken_back_is_free_again(pool: ConnectionPool) -> None:
    """It makes room for one more, and never for more than were made."""
    limits = Limits(pool, SECRET)
    assert let_through(limits, 2, most=2) == 2
    limits.undo("test", A)
    assert let_through(limits, 2, most=2) == 1
    for _ in range(9):
        limits.undo("test", A)
    assert hits(pool) == [0]
    assert let_through(limits, 9, most=2) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.77", "198.51.100.77", True),
        ("198.51.100.77", "198.51.100.78", False),
        ("198.51.100.77", "::ffff:198.51.100.77", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("testclient", "testclient", True),
        ("testclient", "another", False),
        ("\udcff", "\udcff", True),
    ],
)
def test_one_subscriber_is_one_place(one: str, other: str, same: bool) -> None:  # noqa: FBT001 - a column of the table
    """IPv4 counts by address, also when it comes as IPv6; IPv6 by the network that one subscriber has."""
    assert (place(one) == place(other)) is same
