"""Kill -9 in the middle of writing, again and again, and look for what was lost.

    python -m tests.torture --rounds 5

Writers in processes of their own register complaints through the casebook, open visits, invite to rate them, rate them
from devices that race, and follow up; they note every answer in a file. In each round one of them is killed, and then
the whole server, in every other round while projections are carried. A command without an answer is sent again under
the same id. Then all that was answered must be in the log, where the answer said, once, and the log dense and in the
order of time; no visit has two first ratings and no token worked twice; what was rated and is sent again gets its first
answer; the projections are what the log gives anew, and the audit finds nothing.

The server is told to bring nothing to disk by itself, so that an answer given before the flush is lost for certain: the
control, the same run without the flush, shows that this would be seen.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from domain.errors import Refused
from projections import PROJECTIONS
from projections.reviews import REVIEWS
from projections.runner import Runner, rebuild
from service.adoption import adopt_first, load_register
from service.database import migrate
from service.embedded import Embedded
from service.fsck import fsck
from service.parts import Parts, open_parts
from service.sealer import seal
from service.sealing import Missing
from service.settings import Settings
from service.worker import Worker
from tests.torture.looking import Found, look
from tests.torture.ratings import REGISTER
from tests.torture.writing import Acknowledged, Desk, Journal, Wanted, quiet, write

WRITERS: Final = 4
STEP: Final = 100  # answers between two blows
AGAIN: Final = 25  # ratings of each writer that are sent again after the blow, the last ones before it
PATIENCE: Final = 120.0  # seconds
NEVER_BY_ITSELF: Final = {
    "fsync": "on",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
}
"""Only a commit that waits for it brings the write-ahead log to disk, and with it what others left there."""


def _tell(writer: subprocess.Popen[str], line: str) -> None:
    if writer.stdin is not None:
        writer.stdin.write(f"{line}\n")


class Torture:
    """One log under writers that are killed, on a server that is killed."""

    def __init__(self, server: Embedded, folder: Path, name: str, *, flushing: bool) -> None:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        self._server = server
        self._dsn = make_conninfo(server.dsn, dbname=name)
        self._home = folder / f"{name}-home"
        migrate(self._dsn)
        with self._parts() as parts:
            adopt_first(parts.book)
            load_register(parts.book, "torture.toml", REGISTER)
        self._flushing = flushing
        self._paths = [folder / f"{name}-{writer}" for writer in range(WRITERS)]
        self._journals = [Journal(path, writer) for writer, path in enumerate(self._paths)]
        self._writers = [self._start(writer) for writer in range(WRITERS)]

    def _parts(self) -> contextlib.AbstractContextManager[Parts]:
        return open_parts(Settings(home=self._home, pool=6), self._dsn)

    def _start(self, writer: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture", "--writer"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        order = {
            "dsn": self._dsn, "home": str(self._home), "path": str(self._paths[writer]), "writer": writer,
            "flushing": self._flushing,
        }  # fmt: skip
        _tell(process, json.dumps(order))
        return process

    @contextlib.contextmanager
    def _rest(self) -> Iterator[None]:
        """Let the writers rest between two commands: who carries or builds anew would run after them."""
        for writer in self._writers:
            _tell(writer, "rest")
        for writer in self._writers:
            if writer.stdout is not None and not writer.stdout.readline():
                raise SystemExit("A writer does not go on: see what it said above.")
        yield
        for writer in self._writers:
            _tell(writer, "go on")

    def _answers(self) -> int:
        return sum(journal.next() - 1 for journal in self._journals)

    def _await(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end or any(writer.poll() is not None for writer in self._writers):
                raise SystemExit("The writers do not go on: see what they said above.")
            time.sleep(0.01)

    def _await_answers(self, count: int) -> None:
        before = self._answers()
        self._await(lambda: self._answers() >= before + count)

    def _await_everybody(self) -> None:
        before = [journal.next() for journal in self._journals]
        self._await(lambda: all(journal.next() > n for journal, n in zip(self._journals, before, strict=True)))

    def round(self, number: int) -> Found:
        """Kill a writer, then the server, each in the middle of writing; start both again and look."""
        self._await_everybody()
        self._await_answers(STEP)
        victim = number % WRITERS
        self._writers[victim].kill()
        self._end(self._writers[victim])
        self._writers[victim] = self._start(victim)
        self._await_everybody()
        if self._flushing:
            with self._rest(), self._parts() as parts, psycopg.connect(self._dsn, autocommit=True) as connection:
                self._seal(parts, connection)
        # A page of a projection brings to disk what a writer should have: it is carried in every other round only.
        with Worker(self._dsn) if self._flushing and number % 2 == 0 else contextlib.nullcontext():
            self._await_answers(STEP)
            time.sleep(random.uniform(0, 0.05))
            self._kill_server()
            self._await(lambda: not self._server.alive())
        last = [rating for journal in self._journals for rating in journal.ratings()[-AGAIN:]]
        self._server.restart_if_dead()
        self._await_everybody()
        found = look(self._dsn, self._journals)
        if not self._flushing:
            return found
        with self._rest(), self._parts() as parts:
            return self._look_behind(found, last, parts)

    def _seal(self, parts: Parts, connection: psycopg.Connection) -> None:
        """Carry the projections to the end of the log, and sign it."""
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        runner.release()
        seal(connection, parts.signer, self._home)

    def _look_behind(self, found: Found, ratings: list[Acknowledged], parts: Parts) -> Found:
        """Send these ratings again, read the words, build the rows anew, audit the log."""
        otherwise = unreadable = 0
        for rating in ratings:
            try:
                again = rating.wanted.saying.rate(parts.reviews, rating.device, rating.token)
            except Refused:
                otherwise += 1
                continue
            otherwise += (again.done.position, again.own_link) != (rating.position, rating.own_link)
            text = again.submitted.text
            words = None
            with contextlib.suppress(Missing):
                (words,) = [None] if text is None else parts.vault.open_many([("text", text)])
            unreadable += words != rating.wanted.saying.text(rating.device)
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            self._seal(parts, connection)
            wrong = rebuild(connection, REVIEWS)[1]
            report = fsck(connection, parts.recorder.log_id, parts.signer.vkey)
        return replace(
            found, told_otherwise=otherwise, unreadable=unreadable, rows_wrong=wrong, fsck=len(report.findings)
        )

    def _kill_server(self) -> None:
        with psycopg.connect(self._server.dsn) as connection:
            processes = [pid for (pid,) in connection.execute("select pid from pg_stat_activity")]
        postmaster = self._server.pid
        for pid in processes if postmaster is None else [postmaster, *processes]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def finish(self) -> Found:
        """End the writers, send what they got no answer for, and look a last time."""
        self.stop()
        with self._parts() as parts:
            for writer, journal in enumerate(self._journals):
                Wanted(writer, journal.next()).send(Desk(parts.book, parts.reviews, journal))
            ratings = [rating for journal in self._journals for rating in journal.ratings()]
            again = random.sample(ratings, min(len(ratings), AGAIN))
            return self._look_behind(look(self._dsn, self._journals), again, parts)

    @staticmethod
    def _end(writer: subprocess.Popen[str]) -> None:
        for pipe in (writer.stdin, writer.stdout):
            if pipe is not None:
                pipe.close()
        writer.wait()

    def stop(self) -> None:
        """Let no writer outlive this run."""
        for writer in self._writers:
            writer.kill()
            self._end(writer)


@contextlib.contextmanager
def tortured(server: Embedded, folder: Path, name: str, *, flushing: bool) -> Iterator[Torture]:
    """Writers at work in a database of their own."""
    torture = Torture(server, folder, name, flushing=flushing)
    try:
        yield torture
    finally:
        torture.stop()


def show(label: str, found: Found | None = None) -> None:
    """Print one line of the table."""
    names = [field.name for field in fields(Found)]
    cells = [name.replace("_", " ") if found is None else str(getattr(found, name)) for name in names]
    print(f"{label:>8}", *(f"{cell:>{len(name)}}" for cell, name in zip(cells, names, strict=True)), flush=True)


def run(rounds: int, bindir: Path | None) -> int:
    """Torture, print what came of it, and give the exit code."""
    quiet()
    with tempfile.TemporaryDirectory(prefix="bihuan-torture-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Embedded(folder / "postgres", bindir=bindir, settings=NEVER_BY_ITSELF) as server:
            show("round")
            with tortured(server, folder, "control", flushing=False) as torture:
                control = torture.round(0)
            show("control", control)
            sound = True
            with tortured(server, folder, "torture", flushing=True) as torture:
                for number in range(1, rounds + 1):
                    found = torture.round(number)
                    show(str(number), found)
                    sound &= found.sound
                found = torture.finish()
            show("end", found)
            sound &= found.sound
    if not control.lost:
        print("The control, which answers before the flush, lost nothing: this run proves nothing. Run it again.")
        return 1
    print(
        f"{rounds} rounds, each with a writer and a server killed: {found.answered} commands answered, "
        f"{found.rated} ratings among them, "
        f"{'nothing lost, nothing doubled' if sound else 'PROMISES BROKEN, see the table'}; "
        f"the control without the flush lost {control.lost} of {control.answered}."
    )
    return 0 if sound else 1


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bindir", type=Path, help="binaries of another PostgreSQL than the one we bring along")
    parser.add_argument("--writer", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if not told.writer:
        return run(told.rounds, told.bindir)
    write(**json.loads(sys.stdin.readline()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
