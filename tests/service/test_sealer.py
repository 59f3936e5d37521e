"""What is signed follows on everything signed before, is durable, and comes again while the log grows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from structlog.testing import capture_logs

from domain import log
from domain.decider import THE_SYSTEM
from projections.merkle import root_of
from projections.runner import Runner
from projections.seals import SEALS
from service.parts import Parts, open_parts
from service.sealer import EVERY, REMEMBERED, Sealer, Signed, WentBack, newest, remembered, seal
from service.settings import Settings
from service.signing import BadNote, Signer, opened
from tests.projections.test_seals import fill
from tests.projections.town import Town
from tests.service.watching import asking, until
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

ASIDE: Final = "alter table checkpoints disable trigger all"


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A connection of its own."""
    with psycopg.connect(database, autocommit=True) as opened_one:
        yield opened_one


@pytest.fixture
def signer(log_id: UUID) -> Signer:
    """The key of the log."""
    return Signer(log_id, bytes(32))


@pytest.fixture
def town(pool: ConnectionPool, log_id: UUID) -> Town:
    """The log, written to past all rules."""
    return Town(pool, log_id)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over an empty log."""
    with open_parts(Settings(home=tmp_path), database) as found:
        yield found


def grow(connection: psycopg.Connection, count: int) -> bytes:
    """Let the log grow and the tree with it; gives the root over the hashes that stand in the rows."""
    fill(connection, count)
    return carry(connection)


def carry(connection: psycopg.Connection) -> bytes:
    """Let the tree grow to the end of the log; gives the root over the hashes that stand in the rows."""
    first, last = SEALS.position(connection) + 1, connection.execute("select max(position) from events").fetchone()
    assert last is not None
    places = [type("Place", (), {"position": position}) for position in (first, last[0])]
    with connection.transaction():
        SEALS.apply(connection, places)  # type: ignore[arg-type]  # only places are looked at
        connection.execute("update projection_positions set position = %s where name = 'seals'", last)
    return root_of([row[0] for row in connection.execute("select leaf_hash from events order by position")])


def signed(connection: psycopg.Connection, signer: Signer, home: Path) -> Signed:
    """Sign, where there is something to sign."""
    found = seal(connection, signer, home)
    assert found is not None
    return found


def test_a_checkpoint_says_how_far_the_log_is(connection: psycopg.Connection, signer: Signer, tmp_path: Path) -> None:
    """Its root is the one over the rows; nothing is signed of an empty log, and nothing twice."""
    assert seal(connection, signer, tmp_path) is None
    root = grow(connection, 5)
    first = signed(connection, signer, tmp_path)
    assert (first.checkpoint.size, first.checkpoint.root, first.checkpoint.epoch) == (5, root, 1)
    assert first.checkpoint.origin == signer.name
    assert opened(first.note, [signer.vkey]) == first.checkpoint.text()
    assert seal(connection, signer, tmp_path) == first == newest(connection, signer.vkey)
    assert remembered(tmp_path, signer.vkey) == first
    root = grow(connection, 300)
    assert signed(connection, signer, tmp_path).checkpoint.root == root
    assert [row[0] for row in connection.execute("select size from checkpoints order by size")] == [5, 305]


def test_a_checkpoint_never_changes(connection: psycopg.Connection, signer: Signer, tmp_path: Path) -> None:
    """Not by the program's own hands."""
    grow(connection, 2)
    signed(connection, signer, tmp_path)
    for statement in ("update checkpoints set note = ''", "delete from checkpoints", "truncate checkpoints"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement.encode())


def test_a_checkpoint_is_durable_with_all_it_stands_on(
    connection: psycopg.Connection, signer: Signer, tmp_path: Path
) -> None:
    """Also where the session commits without waiting: events of others lie before it in the write-ahead log."""
    connection.execute("set synchronous_commit to off")
    grow(connection, 3)
    (written,) = connection.execute("select pg_current_wal_insert_lsn()").fetchone() or (None,)
    signed(connection, signer, tmp_path)
    assert connection.execute("select pg_current_wal_flush_lsn() >= %s::pg_lsn", (written,)).fetchone() == (True,)


def test_only_one_signs_at_a_time(pool: ConnectionPool, signer: Signer, tmp_path: Path) -> None:
    """Eight at once sign one checkpoint, and all of them give it."""
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        connections = [stack.enter_context(pool.connection()) for _ in range(8)]
        together = Barrier(8)

        def sign(own: psycopg.Connection) -> Signed | None:
            together.wait()
            return seal(own, signer, tmp_path)

        for _ in range(10):
            grow(connections[0], 1)
            found = list(threads.map(sign, connections))
            assert len({one.note for one in found if one is not None}) == 1
            assert None not in found


def went_back(connection: psycopg.Connection, size: int) -> None:
    """Put the database back to an earlier size, as a copy of the disk would; the home knows nothing of it."""
    for table in ("events", "checkpoints"):
        connection.execute(f"alter table {table} disable trigger all".encode())
    connection.execute("delete from events where position > %s", (size,))
    connection.execute("delete from checkpoints where size > %s", (size,))
    connection.execute("truncate seals_1")
    connection.execute("update projection_positions set position = 0 where name = 'seals'")
    carry(connection)


def test_nothing_is_signed_over_a_log_that_went_back(
    connection: psycopg.Connection, signer: Signer, tmp_path: Path
) -> None:
    """Whoever signed remembers it outside the database; new events in the place of the old ones change nothing."""
    grow(connection, 5)
    signed(connection, signer, tmp_path)
    grow(connection, 5)
    last = signed(connection, signer, tmp_path)
    went_back(connection, 5)
    for more in (0, 4, 1, 20):
        if more:
            grow(connection, more)
        with pytest.raises(WentBack):
            seal(connection, signer, tmp_path)
    assert remembered(tmp_path, signer.vkey) == last
    assert [row[0] for row in connection.execute("select size from checkpoints")] == [5]


def test_a_new_epoch_is_signed_again(
    town: Town, connection: psycopg.Connection, signer: Signer, tmp_path: Path
) -> None:
    """When it is on record that the log was taken back; the checkpoint says in which epoch it was signed."""
    grow(connection, 9)
    signed(connection, signer, tmp_path)
    went_back(connection, 5)
    town.append(log.STREAM, log.Restored(at=SOME_TIME, by=THE_SYSTEM, kept=5, epoch=2, taken_at=None))
    root = carry(connection)
    found = signed(connection, signer, tmp_path).checkpoint
    assert (found.size, found.root, found.epoch) == (6, root, 2)


def test_a_new_epoch_excuses_only_what_it_gave_up(
    town: Town, connection: psycopg.Connection, signer: Signer, tmp_path: Path
) -> None:
    """What was signed of the part that was kept must still be so: else a forged mark would excuse any rewriting."""
    grow(connection, 5)
    signed(connection, signer, tmp_path)
    town.append(log.STREAM, log.Restored(at=SOME_TIME, by=THE_SYSTEM, kept=5, epoch=2, taken_at=None))
    carry(connection)
    connection.execute("update seals_1 set hashes = overlay(hashes placing sha256('x') from 65)")
    with pytest.raises(WentBack):
        seal(connection, signer, tmp_path)


@pytest.mark.parametrize("what", ["tile", "checkpoint", "row and tile"])
def test_nothing_is_signed_over_a_rewritten_tree(
    connection: psycopg.Connection, signer: Signer, tmp_path: Path, what: str
) -> None:
    """What was signed before must still be the beginning of the log."""
    grow(connection, 6)
    signed(connection, signer, tmp_path)
    connection.execute(ASIDE)
    match what:
        case "tile":
            connection.execute("update seals_1 set hashes = overlay(hashes placing sha256('x') from 65)")
        case "checkpoint":
            forged = Signer(uuid4(), bytes(32)).sign("bihuan/x\n")
            connection.execute("update checkpoints set note = %s", (forged,))
        case _:
            connection.execute("alter table events disable trigger all")
            connection.execute("update events set leaf_hash = sha256('x') where position = 3")
            connection.execute("update seals_1 set hashes = overlay(hashes placing sha256('x') from 65)")
    fill(connection, 1)
    with pytest.raises((WentBack, BadNote)):
        seal(connection, signer, tmp_path)
    (tmp_path / REMEMBERED).unlink()
    with pytest.raises((WentBack, BadNote)):
        seal(connection, signer, tmp_path)


def test_another_log_from_the_same_home_is_signed(
    connection: psycopg.Connection, signer: Signer, tmp_path: Path
) -> None:
    """A note of another log, or a torn one, says nothing about this one."""
    grow(connection, 2)
    other = Signer(uuid4(), bytes(range(32)))
    for left in ("torn", other.sign("bihuan/x\n")):
        (tmp_path / REMEMBERED).write_text(left, encoding="utf-8")
        assert seal(connection, signer, tmp_path) is not None


def last_size(parts: Parts) -> int:
    """Give the size of the newest checkpoint."""
    return int(asking(parts.dsn, "select coalesce(max(size), 0) from checkpoints")[0][0])


def test_the_sealer_signs_when_something_changed_and_it_is_time(parts: Parts) -> None:
    """Not while nothing changes, and not again and again for every event."""
    sealer = Sealer(parts)
    with parts.pool.connection() as connection:
        assert sealer.look() is None
        grow(connection, 3)
        assert sealer.look() is not None
        assert sealer.look() is None
        grow(connection, 3)
        assert sealer.look() is None
        connection.execute(ASIDE)
        connection.execute("update checkpoints set signed_at = signed_at - make_interval(secs => %s)", (EVERY + 1,))
        found = sealer.look()
        assert found is not None
        assert found.checkpoint.size == 6


def test_the_sealer_signs_in_the_background(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the runner, without anybody asking."""
    monkeypatch.setattr("service.sealer.PAUSE", 0.01)
    with Sealer(parts), psycopg.connect(parts.dsn, autocommit=True) as connection:
        grow(connection, 4)
        until(lambda: last_size(parts) == 4, "the checkpoint")


def test_the_sealer_says_that_it_does_not_sign(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again, in words that say what to do; it signs when that is done."""
    monkeypatch.setattr("service.sealer.PAUSE", 0.01)
    with psycopg.connect(parts.dsn, autocommit=True) as connection, capture_logs() as said:
        grow(connection, 9)
        signed(connection, parts.signer, parts.settings.home)
        went_back(connection, 5)
        with Sealer(parts):
            until(lambda: said_no(said), "the word")
            assert last_size(parts) == 0
            Town(parts.pool, parts.recorder.log_id).append(
                log.STREAM, log.Restored(at=SOME_TIME, by=THE_SYSTEM, kept=5, epoch=2, taken_at=None)
            )
            carry(connection)
            until(lambda: last_size(parts) == 6, "the checkpoint")


def said_no(said: list[Any]) -> bool:
    """Say whether it was said that nothing is signed, and what to do."""
    return any(one["event"] == "nothing is signed" and "new-epoch" in one["reason"] for one in said)


def test_the_runner_and_the_sealer_together(parts: Parts, log_id: UUID) -> None:
    """What the runner carried is what is signed."""
    town = Town(parts.pool, log_id)
    town.settle()
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, (SEALS,))
        runner.take()
        runner.catch_up()
        found = signed(connection, parts.signer, parts.settings.home)
    assert found.checkpoint.size == town.last()
