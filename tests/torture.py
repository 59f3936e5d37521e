"""Kill -9 in the middle of writing, again and again, and look for what was lost.

    python -m tests.torture --rounds 5

Writers in processes of their own register complaints through the casebook and note every answer in a file. In each
round one of them is killed, and then the whole server. A command without an answer is sent again under the same id.
Then all that was answered must be in the log, where the answer said, once, and the log dense and in the order of time.

The server is told to bring nothing to disk by itself, so that an answer given before the flush is lost for certain: the
control, the same run without the flush, shows that this would be seen.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from domain import complaint, register
from domain.decider import THE_SYSTEM
from domain.register import Add, Site, SiteLevel
from service.asking import Ask, Asked, Done
from service.casebook import Casebook
from service.database import log_id, migrate, open_pool
from service.embedded import Embedded
from service.eventstore import Log, Recorder
from tests.specimens import SOME_TIME, registration

WRITERS: Final = 4
STEP: Final = 100  # answers between two blows
PATIENCE: Final = 120.0  # seconds
CYCLE: Final = 25  # commands until a writer begins again with the same kinds
TOGETHER: Final = range(11, 16)  # those of a cycle that are sent in one transaction
NEVER_BY_ITSELF: Final = {
    "fsync": "on",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
}
"""Only a commit that waits for it brings the write-ahead log to disk, and with it what others left there."""


class Unflushed(Recorder):
    """The control: answers when an append is visible, not when it is durable."""

    @staticmethod
    def flush(connection: psycopg.Connection) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One command, the nth of a writer; the same numbers give the same command, whoever sends it."""

    writer: int
    number: int

    @property
    def command_id(self) -> UUID:
        """The id it is sent under, however often."""
        return uuid5(NAMESPACE_OID, f"torture:{self.writer}:{self.number}")

    @property
    def ref(self) -> str:
        """What its event carries: tells a command that was done twice, whatever ids it was done under."""
        return f"w{self.writer}-{self.number}"

    @property
    def events(self) -> int:
        """How many events it makes: all of them or none."""
        return 1 if self.number % CYCLE == 0 else 2

    def asked(self) -> Asked:
        """How it is asked: half of them also leave a row beside the log, in the same transaction."""
        mac = self.command_id.bytes if self.number % 4 < 2 else None
        return Asked(command_id=self.command_id, source="torture", name="write", mac=mac)

    def ask(self) -> Ask[complaint.Command]:
        """The registration of a complaint, every other one in a hall where all writers do."""
        hall = "ALL" if self.number % 2 else f"W{self.writer}"
        return Ask(stream=uuid5(self.command_id, "case"), command=registration(hall, self.ref), asked=self.asked())

    def send(self, book: Casebook) -> list[tuple[int, Done]]:
        """Enter a site, register a complaint, or register several in one transaction; give all numbers answered."""
        place = self.number % CYCLE
        if self.events == 1:
            site = Site(code=self.ref, name_zh="所", name_en="Site", level=SiteLevel.DISTRICT)
            command = Add(at=SOME_TIME, by=THE_SYSTEM, entry=site)
            return [(self.number, book.transact(register.REGISTER, register.STREAM, command, self.asked()))]
        if place not in TOGETHER:
            ask = self.ask()
            return [(self.number, book.transact(complaint.COMPLAINT, ask.stream, ask.command, ask.asked))]
        group = [replace(self, number=self.number + more) for more in range(TOGETHER.stop - place)]
        outcomes = book.transact_many(complaint.COMPLAINT, [one.ask() for one in group])
        return [(one.number, done) for one, done in zip(group, outcomes, strict=True) if isinstance(done, Done)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A note of a writer: its nth command was answered with this position, perhaps when it was sent again."""

    wanted: Wanted
    position: int
    repeated: bool


class Journal:
    """The notes of one writer, outside the database: they outlive it, its killing and that of the server."""

    def __init__(self, path: Path, writer: int) -> None:
        self._path = path
        self._writer = writer

    def read(self) -> list[Answered]:
        """Give all notes in their order."""
        with contextlib.suppress(FileNotFoundError):
            lines = [line.split() for line in self._path.read_text(encoding="ascii").splitlines()]
            return [Answered(Wanted(self._writer, int(n)), int(at), again == "again") for n, at, again in lines]
        return []

    def note(self, number: int, done: Done) -> None:
        """Add one note, whole or not at all."""
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{number} {done.position} {'again' if done.repeated else 'first'}\n".encode())
        os.close(file)

    def next(self) -> int:
        """Give the number of the first command without an answer."""
        with contextlib.suppress(FileNotFoundError):
            return self._path.read_bytes().count(b"\n") + 1
        return 1


def quiet() -> None:
    """Keep casebook, pool and supervisor from reporting what is done to them on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def write(dsn: str, path: str, writer: int, *, flushing: bool) -> None:
    """Be a writer until the input is closed: send one command after the other, each until it is answered."""
    quiet()
    journal = Journal(Path(path), writer)
    number = journal.next()
    with open_pool(dsn, size=2) as pool:
        recorder = (Recorder if flushing else Unflushed)(pool, log_id(pool))
        book = Casebook(Log(recorder), recorder)
        while not select.select([sys.stdin], [], [], 0)[0]:
            with contextlib.suppress(psycopg.OperationalError):  # the server is away: the same command again
                for answered, done in Wanted(writer, number).send(book):
                    journal.note(answered, done)
                    number = answered + 1


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at journals and log found."""

    answered: int
    again: int
    lost: int
    doubled: int
    torn: int
    holes: int
    clock_back: int
    leaves_wrong: int
    claims_wrong: int

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not any((self.lost, self.doubled, self.torn, self.holes, self.clock_back)) and not (
            self.leaves_wrong or self.claims_wrong
        )


LOOK: Final = """
select position, command_id, recorded_at,
    coalesce(body->'e'->>'external_ref', body->'e'->'entry'->>'code'),
    leaf_hash = leaf_hash(log_id, position, stream_id, version, name, recorded_at, command_id, command_seq, state),
    name <> 'complaint.registered.1'
        or exists (select from claims c where c.key = body->'e'->>'complaint_no' and c.stream_id = e.stream_id)
from log, events e cross join lateral (select convert_from(state, 'UTF8')::jsonb as body) read
order by position
"""


def look(dsn: str, journals: list[Journal]) -> Found:
    """Compare what was answered with what is in the log; writers may go on meanwhile."""
    answers = [answer for journal in journals for answer in journal.read()]  # first, so that the log knows them all
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(LOOK).fetchall()
    last = {command_id: position for position, command_id, *_ in rows}
    events = Counter(command_id for _, command_id, *_ in rows)
    refs = Counter(ref for *_, ref, _, _ in rows if ref is not None)
    there = {a.wanted for a in answers if last.get(a.wanted.command_id) == a.position}
    return Found(
        answered=len(answers),
        again=sum(answer.repeated for answer in answers),
        lost=len(answers) - len(there),
        doubled=sum(count - 1 for count in refs.values()) + len(answers) - len({a.wanted for a in answers}),
        torn=sum(events[wanted.command_id] != wanted.events for wanted in there),
        holes=sum(row[0] != number for number, row in enumerate(rows, 1)),
        clock_back=sum(later[2] < earlier[2] for earlier, later in pairwise(rows)),
        leaves_wrong=sum(not row[4] for row in rows),
        claims_wrong=sum(not row[5] for row in rows),
    )


class Torture:
    """One log under writers that are killed, on a server that is killed."""

    def __init__(self, server: Embedded, folder: Path, name: str, *, flushing: bool) -> None:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        self._server = server
        self._dsn = make_conninfo(server.dsn, dbname=name)
        migrate(self._dsn)
        self._flushing = flushing
        self._paths = [folder / f"{name}-{writer}" for writer in range(WRITERS)]
        self._journals = [Journal(path, writer) for writer, path in enumerate(self._paths)]
        self._writers = [self._start(writer) for writer in range(WRITERS)]

    def _start(self, writer: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture", "--writer"], stdin=subprocess.PIPE, text=True, bufsize=1
        )
        order = {
            "dsn": self._dsn, "path": str(self._paths[writer]), "writer": writer, "flushing": self._flushing
        }  # fmt: skip
        if process.stdin is not None:
            process.stdin.write(json.dumps(order) + "\n")
        return process

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
        self._await_answers(STEP)
        time.sleep(random.uniform(0, 0.05))
        self._kill_server()
        self._await(lambda: not self._server.alive())
        self._server.restart_if_dead()
        self._await_everybody()
        return look(self._dsn, self._journals)

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
        with open_pool(self._dsn, size=2) as pool:
            recorder = Recorder(pool, log_id(pool))
            book = Casebook(Log(recorder), recorder)
            for writer, journal in enumerate(self._journals):
                for number, done in Wanted(writer, journal.next()).send(book):
                    journal.note(number, done)
        return look(self._dsn, self._journals)

    @staticmethod
    def _end(writer: subprocess.Popen[str]) -> None:
        if writer.stdin is not None:
            writer.stdin.close()
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
    cells = [
        field.name.replace("_", " ") if found is None else str(getattr(found, field.name)) for field in fields(Found)
    ]
    print(f"{label:>8}", *(f"{cell:>12}" for cell in cells), flush=True)


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
