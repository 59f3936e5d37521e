"""Writers: what each sends as its nth command, and the notes of what it was answered, which outlive all killing."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
import structlog

from domain import complaint, register
from domain.decider import THE_SYSTEM
from domain.errors import Refused
from domain.register import Add, Site, SiteLevel
from service import eventstore
from service.asking import Ask, Asked, Done
from service.casebook import Casebook
from service.parts import open_parts
from service.reviewing import Rated, Reviews, digest_of
from service.settings import Settings
from tests.specimens import SOME_TIME, registration
from tests.torture.ratings import HALL, Saying, follow_up_id, rating_id

CYCLE: Final = 25  # commands until a writer begins again with the same kinds
TOGETHER: Final = range(11, 16)  # those of a cycle that are sent in one transaction
OPEN, INVITE, RATE, APPEND, RACE = range(16, 21)  # those of a cycle that are about visits
NOBODY: Final = UUID(int=0)
"""Instead of a command id: nothing came of it, because another writer had rated the visit."""
REFUSED: Final = UUID(int=1)
"""Instead of a command id: it was refused, because what had been answered before it is not there."""


@dataclass(frozen=True, slots=True)
class Desk:
    """With what a writer works."""

    book: Casebook
    reviews: Reviews
    journal: Journal


@dataclass(frozen=True, slots=True)
class Wanted:
    """One command, the nth of a writer; the same numbers give the same command, whoever sends it."""

    writer: int
    number: int

    @property
    def command_id(self) -> UUID:
        """The id it is sent under, however often; of a visit, what its ids follow from."""
        return uuid5(NAMESPACE_OID, f"torture:{self.writer}:{self.number}")

    @property
    def ref(self) -> str:
        """What its event carries: tells a command that was done twice, whatever ids it was done under."""
        return f"w{self.writer}-{self.number}"

    @property
    def place(self) -> int:
        """Where in the cycle it is: says what is sent."""
        return self.number % CYCLE

    @property
    def saying(self) -> Saying:
        """The visit it is about: each cycle has one of this writer's own, and one to race for, with others or alone."""
        cycle, place = divmod(self.number, CYCLE)
        first = RACE if place == RACE else OPEN
        whose = HALL if place == RACE and cycle % 2 else f"W{self.writer}"
        own = replace(self, number=cycle * CYCLE + first)
        return Saying(f"P-{whose}-{cycle}-{first}", own.command_id, bad=cycle % 4 < 2)

    @property
    def events(self) -> int:
        """How many events it makes: all of them or none."""
        if self.place in {RATE, RACE}:
            return self.saying.events
        return 1 if self.place in {0, OPEN, INVITE, APPEND} else 2

    def asked(self) -> Asked:
        """How it is asked: half of them also leave a row beside the log, in the same transaction."""
        mac = self.command_id.bytes if self.number % 4 < 2 else None
        return Asked(command_id=self.command_id, source="torture", name="write", mac=mac)

    def ask(self) -> Ask[complaint.Command]:
        """The registration of a complaint, every other one in a hall where all writers do."""
        hall = HALL if self.number % 2 else f"W{self.writer}"
        return Ask(stream=uuid5(self.command_id, "case"), command=registration(hall, self.ref), asked=self.asked())

    def send(self, desk: Desk) -> int:
        """Send it, with others where several go in one transaction; note what was answered; give the last number."""
        if self.place in {OPEN, INVITE, RATE, APPEND, RACE}:
            return self._say(desk)
        if self.place == 0:
            site = Site(code=self.ref, name_zh="所", name_en="Site", level=SiteLevel.DISTRICT)
            command = Add(at=SOME_TIME, by=THE_SYSTEM, entry=site)
            done = desk.book.transact(register.REGISTER, register.STREAM, command, self.asked())
            return desk.journal.note(self, done, self.command_id)
        if self.place not in TOGETHER:
            ask = self.ask()
            done = desk.book.transact(complaint.COMPLAINT, ask.stream, ask.command, ask.asked)
            return desk.journal.note(self, done, self.command_id)
        group = [replace(self, number=self.number + more) for more in range(TOGETHER.stop - self.place)]
        outcomes = desk.book.transact_many(complaint.COMPLAINT, [one.ask() for one in group])
        for one, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Done):
                desk.journal.note(one, outcome, one.command_id)
        return group[-1].number

    def _say(self, desk: Desk) -> int:
        saying, reviews, journal = self.saying, desk.reviews, desk.journal
        if self.place == OPEN:
            return journal.note(self, saying.open(reviews), uuid5(saying.command_id, "open"))
        if self.place == RACE:
            first = saying.race(reviews, lambda *told: journal.rated(self, *told))
            told = None if first is None else rating_id(first.submitted.token)
            return journal.note(self, None if first is None else first.done, told or NOBODY)
        token, invited = saying.invite(reviews)
        if self.place == INVITE:
            return journal.note(self, invited, uuid5(saying.command_id, "invite-0"))
        rated = saying.rate(reviews, 0, token)
        if self.place == RATE:
            journal.rated(self, 0, token, rated)
            return journal.note(self, rated.done, rating_id(digest_of(token)))
        return journal.note(self, saying.append(reviews, rated.own_link), follow_up_id(rated.own_link))


@dataclass(frozen=True, slots=True)
class Answered:
    """A note of a writer: its nth command was answered with this position, perhaps when it was sent again."""

    wanted: Wanted
    position: int
    repeated: bool
    command_id: UUID


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A note of a writer: a device was told that its rating is there, and with what link to come back."""

    wanted: Wanted
    device: int
    token: str
    position: int
    own_link: str


class Journal:
    """The notes of one writer, outside the database: they outlive it, its killing and that of the server."""

    def __init__(self, path: Path, writer: int) -> None:
        self._path = path
        self._ratings = path.with_suffix(".ratings")
        self._writer = writer

    def read(self) -> list[Answered]:
        """Give all notes in their order."""
        return [
            Answered(Wanted(self._writer, int(n)), int(at), again == "again", UUID(command_id))
            for n, at, again, command_id in _lines(self._path)
        ]

    def ratings(self) -> list[Acknowledged]:
        """Give all ratings that were acknowledged to a device, in their order."""
        return [
            Acknowledged(Wanted(self._writer, int(n)), int(device), token, int(at), own_link)
            for n, device, token, at, own_link in _lines(self._ratings)
        ]

    def note(self, wanted: Wanted, done: Done | None, command_id: UUID) -> int:
        """Add one note, whole or not at all; give its number."""
        position, again = (0, "first") if done is None else (done.position, "again" if done.repeated else "first")
        _add(self._path, f"{wanted.number} {position} {again} {command_id}")
        return wanted.number

    def rated(self, wanted: Wanted, device: int, token: str, rated: Rated) -> None:
        """Add a note of a rating, before anybody can learn of it from elsewhere."""
        _add(self._ratings, f"{wanted.number} {device} {token} {rated.done.position} {rated.own_link}")

    def next(self) -> int:
        """Give the number of the first command without an answer."""
        with contextlib.suppress(FileNotFoundError):
            return self._path.read_bytes().count(b"\n") + 1
        return 1


def _lines(path: Path) -> list[list[str]]:
    with contextlib.suppress(FileNotFoundError):
        return [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    return []


def _add(path: Path, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def quiet() -> None:
    """Keep casebook, pool and supervisor from reporting what is done to them on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def write(dsn: str, home: str, path: str, writer: int, *, flushing: bool) -> None:
    """Be a writer until the input is closed: send one command after the other, each until it is answered.

    A line asks for a rest, which is confirmed by one and lasts until the next.

    The control answers when an append is visible, not when it is durable.
    """
    quiet()
    if not flushing:
        vars(eventstore)["FLUSH"] = "select"
    journal = Journal(Path(path), writer)
    number = journal.next()
    with open_parts(Settings(home=Path(home), pool=6), dsn) as parts:
        desk = Desk(parts.book, parts.reviews, journal)
        while True:
            if select.select([sys.stdin], [], [], 0)[0]:
                if not sys.stdin.readline():
                    return
                print(flush=True)
                sys.stdin.readline()
            with contextlib.suppress(psycopg.OperationalError):  # the server is away: the same command again
                try:
                    number = Wanted(writer, number).send(desk) + 1
                except Refused:
                    number = journal.note(Wanted(writer, number), None, REFUSED) + 1
