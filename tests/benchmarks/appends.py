"""Durable appends by eight writers at once, with a follower that must see every one.

The writers are processes with one connection each, as the workers of a server are: in threads of one process the lock
of the interpreter would hold back the faster contender more. They are started once and told what to do.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain import complaint
from domain.decider import THE_SYSTEM, Metadata
from domain.handling import ContactResult, Method
from projections.codec import encode
from service.database import log_id, migrate, open_pool
from service.eventstore import Recorder
from tests.benchmarks.contest import Contender, Contest, take_turns
from tests.specimens import SOME_TIME, sealed

WRITERS: Final = 8
SIMULATED_FLUSH: Final = 5000  # µs
EARLY: Final = "perform set_config('synchronous_commit', 'off', true);"


class InsideTheLock(Recorder):
    """For a database whose append function commits synchronously: the flush is done, the lock was held through it."""

    @staticmethod
    def flush(connection: psycopg.Connection) -> None:
        """Do nothing a second time."""


def contact() -> tuple[str, bytes]:
    """Give the name and the bytes of an event of ordinary size: somebody was called, with a note; about 600 bytes."""
    note = sealed("note", 50)
    event = complaint.ComplainantContacted(
        at=SOME_TIME,
        by=THE_SYSTEM,
        attempt_no=1,
        day=SOME_TIME.date(),
        method=Method.PHONE,
        result=ContactResult.REACHED,
        note=note,
        late=False,
    )
    return encode(event, Metadata(command="record-contact", source="api"))


def library(dsn: str, *, create: bool = False) -> PostgresFactory:
    """Give the library's own factory, told nothing but where the database is."""
    told = conninfo_to_dict(dsn)
    place = {f"POSTGRES_{name.upper()}": str(told[name]) for name in ("dbname", "host", "port", "user", "password")}
    return PostgresFactory(Environment("bench", {**place, "CREATE_TABLE": "y" if create else "n"}))


@contextlib.contextmanager
def recorder_of(kind: str, dsn: str) -> Iterator[ApplicationRecorder]:
    """A recorder: ours, ours over a database that flushes inside the lock, or the library's as it comes."""
    if kind == "library":
        with library(dsn) as factory:
            yield factory.application_recorder()
        return
    with open_pool(dsn, size=2) as pool:
        yield (InsideTheLock if kind == "inside" else Recorder)(pool, log_id(pool))


def writer(orders: Connection) -> None:
    """Be one writer: get a contender, a database and a number, say when ready, append, say when done."""
    name, body = contact()
    with ExitStack() as stack:
        recorders: dict[tuple[str, str], ApplicationRecorder] = {}
        while (order := orders.recv()) is not None:
            kind, dsn, count = order
            if (kind, dsn) not in recorders:
                recorders[kind, dsn] = stack.enter_context(recorder_of(kind, dsn))
            recorder = recorders[kind, dsn]
            orders.send("ready")
            orders.recv()
            for _ in range(count):
                event = StoredEvent(uuid4(), 1, name, body)
                if kind == "library":
                    recorder.insert_events([event])
                else:
                    recorder.insert_events([event], command_ids=[uuid4()])
            orders.send("done")


class Writers:
    """The eight processes."""

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        pairs = [spawn.Pipe() for _ in range(WRITERS)]
        self._orders = [ours for ours, _ in pairs]
        self._processes = [spawn.Process(target=writer, args=(theirs,)) for _, theirs in pairs]
        for process in self._processes:
            process.start()
        for _, theirs in pairs:
            theirs.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for orders in self._orders:
            with contextlib.suppress(OSError):
                orders.send(None)
        for process in self._processes:
            process.join()

    def append(self, kind: str, dsn: str, each: int) -> float:
        """Let every writer append so many events, with a follower looking on; give how many there were per second."""
        for orders in self._orders:
            orders.send((kind, dsn, each))
        for orders in self._orders:
            orders.recv()
        with following(kind, dsn, each * WRITERS):
            start = time.perf_counter()
            for orders in self._orders:
                orders.send("go")
            for orders in self._orders:
                orders.recv()
            return each * WRITERS / (time.perf_counter() - start)


@contextlib.contextmanager
def following(kind: str, dsn: str, count: int) -> Iterator[None]:
    """Follow the log through the block as a projection would; raises AssertionError unless all came, without a hole."""
    seen: list[int] = []
    with recorder_of(kind, dsn) as recorder:
        start = recorder.max_notification_id() or 0
        with recorder.subscribe(gt=start) as subscription:

            def follow() -> None:
                for one in subscription:
                    seen.append(one.id)
                    if len(seen) == count:
                        return

            thread = Thread(target=follow)
            thread.start()
            yield
            thread.join(30)
            subscription.stop()
            thread.join()
    if seen != list(range(start + 1, start + count + 1)):
        raise AssertionError(f"the follower of {kind} saw {len(seen)} of {count} events")


def database(server: str, name: str, kind: str, flush: int = 0) -> str:
    """Make a database for a contender, where every flush takes so many microseconds longer; give its conninfo."""
    with psycopg.connect(server, autocommit=True) as connection:
        named = sql.Identifier(name)
        connection.execute(sql.SQL("create database {}").format(named))
        connection.execute(sql.SQL("alter database {} set commit_delay = {}").format(named, flush))
        connection.execute(sql.SQL("alter database {} set commit_siblings = 0").format(named))
    dsn = make_conninfo(server, dbname=name)
    if kind == "library":
        with library(dsn, create=True) as factory:
            factory.application_recorder()
        return dsn
    migrate(dsn)
    if kind == "inside":
        with psycopg.connect(dsn) as connection:
            (source,) = connection.execute("select pg_get_functiondef('append_events'::regproc)").fetchone() or ("",)
            assert source.count(EARLY) == 1
            connection.execute(source.replace(EARLY, "").encode())
    return dsn


def contests(server: str, turns: int) -> Iterator[Contest]:
    """Ours against the library, then ours against the flush inside the lock where a flush takes 5 ms longer."""
    with Writers() as writers:

        def contender(name: str, kind: str, flush: int, each: int) -> Contender:
            dsn = database(server, f"bench_{kind}_{flush}", kind, flush)
            return Contender(name, lambda: writers.append(kind, dsn, each))

        yield take_turns(
            contender("8 writers", "ours", 0, 300),
            contender("the library's default", "library", 0, 150),
            turns=turns,
            target=2,
        )
        yield take_turns(
            contender("8 writers, flush + 5 ms", "ours", SIMULATED_FLUSH, 100),
            contender("flush inside the lock", "inside", SIMULATED_FLUSH, 20),
            turns=turns,
            target=5,
        )
