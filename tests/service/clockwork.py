"""Time by hand for the timers: a clock on the wall, a steady one, and nodes that look when they are told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg

from projections import PROJECTIONS
from projections.histories import read_stream
from projections.runner import Runner
from service.parts import Parts
from service.timers import LAG, Timers
from tests.projections.town import CASE

TICK: Final = timedelta(microseconds=1)


class Watch:
    """A clock on the wall and a steady one, moved by hand, together or one against the other."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seconds = 0.0

    def go(self, to: datetime) -> None:
        """Let time pass on both."""
        self.seconds += (to - self.now).total_seconds()
        self.now = to

    def wall(self, _: psycopg.Connection) -> datetime:
        """Read the clock on the wall."""
        return self.now

    def steady(self) -> float:
        """Read the steady one."""
        return self.seconds


class Node:
    """One node: timers with a connection of their own, projections carried by hand."""

    def __init__(self, parts: Parts, watch: Watch, lag: timedelta = LAG) -> None:
        self.parts = parts
        self.watch = watch
        self.timers = Timers(parts, clock=watch.wall, steady=watch.steady, lag=lag)
        self.connection = psycopg.connect(parts.dsn, autocommit=True)

    def at(self, moment: datetime) -> int:
        """Let a round happen at a moment, over projections that are complete; give how many acts came of it."""
        self.watch.go(moment)
        project(self.parts.dsn)
        return self.timers.round(self.connection)


def project(dsn: str) -> None:
    """Bring the projections to the end of the log."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()


def told(parts: Parts, case: UUID = CASE, after: int = 0) -> list[str]:
    """Give the names of the events of a case, those after the first few."""
    with parts.pool.connection() as connection:
        return [one.name for one in read_stream(connection, case)][after:]


def until_true(check: Callable[[], bool], seconds: float = 10.0) -> Iterator[None]:
    """Ask again until it is so; fails when it never comes."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it never came"
        yield
