"""Sealing against appending, and what auditing a long log takes: time, memory, and both against a tenth of the log."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Self

import psycopg
from psycopg import sql

from projections import PROJECTIONS
from projections.runner import PAGE, Runner, wait_for
from projections.seals import SEALS, Tree
from projections.tables import Carried, Entry
from service import verifier
from tests.benchmarks.appends import WRITERS, Writers, database
from tests.benchmarks.contest import Contender, Contest, Figure, take_turns
from tests.benchmarks.generating import SEED, fill, sampled

EACH: Final = 300
"""Events that each of the writers appends in a turn."""
LOOKS: Final = 0.005
"""Seconds between two looks at how far log and tree are."""
PROOFS: Final = 400
FLAT: Final = 1.2
VERIFY, FSCK = 30.0, 60.0  # seconds for a million events
LAG: Final = 0.25  # seconds, at 300 commands a second
PATIENCE: Final = 120.0  # seconds
PEAK: Final = Path(__file__).with_name("peak.py")
BIHUAN: Final = (sys.executable, "-c", "import sys; from service.cli import main; sys.exit(main())")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program took: seconds, those in which it computed itself, and megabytes at most."""

    seconds: float
    computing: float
    megabytes: float
    said: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with a log of so many events, and the home that belongs to it."""

    dsn: str
    home: Path
    events: int

    def run(self, *program: str) -> Ran:
        """Run a program on it; raises RuntimeError with what it said if it failed."""
        told = {**os.environ, "DATABASE_URL": self.dsn, "BIHUAN_HOME": str(self.home)}
        wrapped = [sys.executable, "-I", str(PEAK), *program]
        found = json.loads(subprocess.run(wrapped, env=told, stdout=subprocess.PIPE, check=True, text=True).stdout)
        if found["status"] != 0:
            raise RuntimeError(f"{program} ended with {found['status']}: {found['said'][-2000:]}")
        return Ran(found["seconds"], found["computing"], found["megabytes"], found["said"])


def reset(connection: psycopg.Connection, projections: Sequence[Carried]) -> None:
    """Let projections begin anew."""
    for one in projections:
        connection.execute(sql.SQL("truncate {}").format(sql.Identifier(one.table)))
        connection.execute("update projection_positions set position = 0 where name = %s", (one.name,))


class Place:
    """A place in the log, which is all the tree wants of an event."""

    def __init__(self, position: int) -> None:
        self.position = position


def alone(log: Filled) -> float:
    """Build the tree anew, with nothing else; give how many events it were in a second."""
    with psycopg.connect(log.dsn, autocommit=True) as connection:
        reset(connection, [SEALS])
        start = time.perf_counter()
        for first in range(1, log.events + 1, PAGE):
            page: list[Entry] = [Place(first), Place(min(first + PAGE - 1, log.events))]  # type: ignore[list-item]
            with connection.transaction():
                SEALS.apply(connection, page)
        return log.events / (time.perf_counter() - start)


def together(log: Filled) -> float:
    """Carry every projection over the log anew; give how many events it were in a second."""
    with psycopg.connect(log.dsn, autocommit=True) as connection:
        reset(connection, PROJECTIONS)
        runner = Runner(connection, PROJECTIONS)
        while len(runner.take()) < len(PROJECTIONS):
            time.sleep(0.01)
        start = time.perf_counter()
        return runner.catch_up() / (time.perf_counter() - start)


class Watch:
    """Looks at log and tree over and over, through the block."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._seen: list[tuple[float, int, int]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _look(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._stopping.wait(LOOKS):
                row = connection.execute(
                    "select (select max(position) from events), position from projection_positions where name = 'seals'"
                ).fetchone()
                if row is not None:
                    self._seen.append((time.perf_counter(), row[0] or 0, row[1]))

    def lags(self) -> list[float]:
        """Give for each look how long it took until what was in the log then was in the tree, shortest first."""
        sealed = [position for _, _, position in self._seen]
        found = []
        for moment, last, _ in self._seen:
            until = bisect_left(sealed, last)
            if until < len(self._seen):
                found.append(max(0.0, self._seen[until][0] - moment))
        return sorted(found)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give the value that this share of them does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def lag(dsn: str, writers: Writers) -> Iterator[Figure]:
    """Let all writers append while every projection is carried by a process of its own."""
    follower = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.carrying", dsn], stdin=subprocess.PIPE)
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            (end,) = connection.execute("select max(position) from events").fetchone() or (0,)
            if wait_for(connection, SEALS, end, PATIENCE) < end:
                raise RuntimeError("the tree does not come to the end of the log")
            with Watch(dsn) as watch:
                rate = writers.append("ours", dsn, 3 * EACH)
                wait_for(connection, SEALS, end + 3 * EACH * WRITERS, PATIENCE)
                time.sleep(10 * LOOKS)
    finally:
        follower.communicate()
    lags = watch.lags()
    named = f"lag of the tree, 8 writers appending {rate:.0f}/s"
    yield Figure(f"{named}, p50", quantile(lags, 0.5) * 1000, LAG * 1000, "ms")
    yield Figure(f"{named}, p99", quantile(lags, 0.99) * 1000, LAG * 1000, "ms")


def proofs(*logs: Filled) -> list[float]:
    """Give for each log the p95 of the milliseconds that a proof of inclusion takes; the logs take turns."""
    chance, took = Random(SEED), [list[float]() for _ in logs]
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(log.dsn, autocommit=True)) for log in logs]
        for _ in range(PROOFS):
            for connection, times in zip(opened, took, strict=True):
                start = time.perf_counter()
                tree = Tree(connection)
                tree.inclusion(chance.randrange(1, tree.size + 1), tree.size)
                times.append((time.perf_counter() - start) * 1000)
    return [quantile(sorted(times), 0.95) for times in took]


def audits(small: Filled, large: Filled, folder: Path) -> Iterator[Figure]:
    """Carry, export, verify and check two logs, the second ten times as long, each step in a process of its own."""
    ran: dict[str, tuple[Ran, Ran]] = {}
    verify = [sys.executable, "-I", str(verifier.__file__)]

    def step(name: str, *programs: Sequence[str]) -> Ran:
        ran[name] = (small.run(*programs[0]), large.run(*programs[1]))
        return ran[name][1]

    files = [str(folder / f"{log.events}.jsonl") for log in (small, large)]
    for log in (small, large):
        with psycopg.connect(log.dsn, autocommit=True) as connection:
            reset(connection, PROJECTIONS)
    carried = step(
        "carrying and sealing",
        *([sys.executable, "-m", "tests.benchmarks.carrying", log.dsn, str(log.home)] for log in (small, large)),
    )
    print(f"every projection carried over {large.events} events, 100 checkpoints: {float(carried.said):.0f}/s")
    millions = large.events / 1_000_000
    took = step("audit fsck", *([*BIHUAN, "audit", "fsck"] for _ in range(2)))
    remark = f"(computing {took.computing:.1f} s)"
    yield Figure(f"audit fsck of {large.events} events", took.seconds, FSCK * millions, "s", remark=remark)
    took = step("export log", *([*BIHUAN, "export", "log", file] for file in files))
    size = Path(files[1]).stat().st_size / 1e6
    print(f"export log of {large.events} events: {took.seconds:.1f} s, {size:.0f} MB")
    took = step("verify", *([*verify, file] for file in files))
    remark = f"(computing {took.computing:.1f} s)"
    yield Figure(f"verify of {large.events} events, python3 -I", took.seconds, VERIFY * millions, "s", remark=remark)
    less, more = proofs(small, large)
    yield Figure(f"proof of inclusion, p95, {large.events} / {small.events} events", more, less, "ms", FLAT)
    for name, (before, after) in ran.items():
        yield Figure(
            f"memory: {name}, {large.events} / {small.events} events", after.megabytes, before.megabytes, "MB", FLAT
        )


def rows(server: str, turns: int, events: int) -> Iterator[Contest | Figure]:
    """Fill two logs, one of a tenth of the events, then measure."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-bench-")))
        logs = []
        for size in (events // 10, events):
            dsn = database(server, f"bench_log_{size}", "ours")
            start = time.perf_counter()
            fill(dsn, size)
            took = time.perf_counter() - start
            print(
                f"a log of {size} events, made in {took:.0f} s; {sampled(dsn)} of them looked at: decoded, leaf right"
            )
            logs.append(Filled(dsn, folder / str(size), size))
        small, large = logs
        growing = database(server, "bench_growing", "ours")
        writers = stack.enter_context(Writers())
        durable = Contender("durable appends, 8 writers", lambda: writers.append("ours", growing, EACH))
        yield take_turns(Contender("sealing alone", lambda: alone(small)), durable, turns=turns, target=1)
        yield take_turns(
            Contender("every projection, sealing", lambda: together(small)), durable, turns=turns, target=1
        )
        yield from lag(growing, writers)
        yield from audits(small, large, folder)
