"""A command whose answer is lost happens once: the line to the database really breaks, at each moment that matters."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain.access import Opened, Purpose
from domain.decider import THE_SYSTEM, Command, Decider, Event, For
from service.casebook import Asked, Busy, Casebook, Done, Loaded
from service.database import open_pool
from service.eventstore import Log, Recorder
from tests.service.lossy import Break, LossyLine
from tests.service.watching import rows
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres
APPEND: Final = "append_events("
FLUSH: Final = "pg_logical_emit_message("
MOMENTS: Final = [(APPEND, Break.BEFORE), (APPEND, Break.AFTER), (FLUSH, Break.BEFORE), (FLUSH, Break.AFTER)]
CASE: Final = uuid4()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    """Something that may be done again and again: nothing in the state shows that it was done."""


def again_and_again(_state: None, command: Note, _facts: object) -> Sequence[Event | For]:
    """Let every command happen, as often as it comes."""
    return [Opened(at=command.at, by=command.by, case=CASE, purpose=Purpose.HANDLING, fields=())]


NOTES: Final[Decider[None, Note, Opened, object]] = Decider("note", None, again_and_again, lambda state, _: state)


def note(book: Casebook, key: UUID, mac: bytes | None = None) -> Done:
    """Send the command under this id; with a mac it is remembered what was asked, in the append's transaction."""
    asked = Asked(command_id=key, source="test", name="note", mac=mac)
    return book.transact(NOTES, CASE, Note(at=SOME_TIME, by=THE_SYSTEM), asked)


@pytest.fixture
def sound(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook whose line to the database holds."""
    return book_over(pool, log_id)


def book_over(pool: ConnectionPool, log_id: UUID, kind: type[Casebook] = Casebook) -> Casebook:
    """A casebook over these connections."""
    recorder = Recorder(pool, log_id)
    return kind(Log(recorder), recorder)


class Breaking:
    """A database reached over a line that breaks."""

    def __init__(self, database: str, log_id: UUID) -> None:
        self._database = database
        self._log_id = log_id

    def send(
        self,
        marker: str,
        when: Break,
        key: UUID,
        *,
        times: int = 1,
        mac: bytes | None = None,
        kind: type[Casebook] = Casebook,
    ) -> Done:
        """Send the command over a line that breaks `times` times; raises OperationalError when that is too often."""
        with LossyLine(self._database, marker, when, times) as line:
            try:
                with open_pool(line.dsn, size=2) as pool:
                    return note(book_over(pool, self._log_id, kind), key, mac)
            finally:
                assert line.broken > 0


@pytest.fixture
def breaking(database: str, log_id: UUID) -> Breaking:
    """The same database over a line that breaks."""
    return Breaking(database, log_id)


@pytest.mark.parametrize("mac", [None, b"mac"], ids=["alone", "with a statement beside"])
@pytest.mark.parametrize(("marker", "when"), MOMENTS)
def test_a_command_whose_answer_is_lost_happens_once(
    sound: Casebook, breaking: Breaking, marker: str, when: Break, mac: bytes | None
) -> None:
    """Wherever the line breaks the command is done, once; sent again it is answered with the same result."""
    key = uuid4()
    done = breaking.send(marker, when, key, mac=mac)
    again = note(sound, key, mac)
    assert again.repeated
    assert (done.version, done.position) == (again.version, again.position) == (1, 1)
    assert done.events == again.events
    assert rows(sound.recorder, "select command_id, command_seq from events") == [(key, 0)]


@pytest.mark.parametrize(("marker", "when"), MOMENTS)
def test_who_got_no_answer_at_all_may_ask_again(sound: Casebook, breaking: Breaking, marker: str, when: Break) -> None:
    """When the line breaks again and again the caller is told so, asks anew, and the command has happened once."""
    key = uuid4()
    try:
        breaking.send(marker, when, key, times=10)
    except psycopg.OperationalError:
        pass
    else:
        assert (marker, when) == (APPEND, Break.AFTER)  # what is in the log already needs no second append
    assert note(sound, key).position == 1
    assert rows(sound.recorder, "select command_id from events") == [key]


class Forgetful(Casebook):
    """The control: looks for no earlier answer, as one who only retries."""

    def _before(self, stream: UUID, loaded: Loaded, asked: Asked) -> Done | None:  # noqa: ARG002  # as it is called
        return None


def test_without_command_ids_a_lost_answer_doubles_the_command(sound: Casebook, breaking: Breaking) -> None:
    """The control: nobody knows commands again, so the same run leaves two events."""
    with sound.pool.connection() as connection:
        connection.execute("alter table events drop constraint events_command")
    breaking.send(APPEND, Break.AFTER, uuid4(), kind=Forgetful)
    assert rows(sound.recorder) == [1, 2]


def test_the_table_alone_keeps_a_command_from_happening_twice(sound: Casebook, breaking: Breaking) -> None:
    """A casebook that forgets to look is refused by the table: the caller is told to wait, nothing is doubled."""
    with pytest.raises(Busy):
        breaking.send(APPEND, Break.AFTER, uuid4(), kind=Forgetful)
    assert rows(sound.recorder) == [1]


def test_a_command_sent_by_many_at_once_happens_once(sound: Casebook) -> None:
    """Eight senders of one command get one and the same answer."""
    key = uuid4()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: note(sound, key), range(8)))
    assert {(done.version, done.position) for done in answers} == {(1, 1)}
    assert sorted(done.repeated for done in answers) == [False] + [True] * 7
    assert rows(sound.recorder) == [1]


def test_connections_that_died_while_idle_cost_no_command(sound: Casebook) -> None:
    """After the server was restarted every command goes through, whichever dead connection it meets first."""
    with ThreadPoolExecutor(8) as threads:
        together = Barrier(8)

        def occupy(_: int) -> None:
            with sound.pool.connection():
                together.wait(30)

        list(threads.map(occupy, range(8)))
    with psycopg.connect(str(sound.pool.conninfo), autocommit=True) as connection:
        killed = connection.execute(
            "select pg_terminate_backend(pid, 30000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
        ).fetchall()
    assert len(killed) >= 8
    assert [note(sound, uuid4()).position for _ in range(8)] == list(range(1, 9))
