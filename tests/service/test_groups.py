"""Requests that share a write: each is done once and answered for itself, whatever happens to its company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain import complaint
from domain.complaint import Registered
from domain.errors import AlreadyThere
from service.casebook import Ask, Asked, Casebook, Done, KeyReused, Outcome
from service.database import open_pool
from service.eventstore import Beside, Log, Recorder
from service.grouping import Together
from tests.service.lossy import Break, LossyLine
from tests.service.watching import asking, until
from tests.specimens import registration

APPEND: Final = "append_events("
FLUSH: Final = "pg_logical_emit_message("
MOMENTS: Final = [(APPEND, Break.BEFORE), (APPEND, Break.AFTER), (FLUSH, Break.BEFORE), (FLUSH, Break.AFTER)]
PATIENCE: Final = 60.0


T = TypeVar("T")


def started(work: Callable[..., T], *given: object) -> Future[T]:
    """Do something in a thread that keeps nobody from leaving when it hangs."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work(*given))
        except BaseException as error:  # noqa: BLE001  # the future raises it where it is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


class Wrong(Exception):
    """What goes wrong with one of them."""


class Killed(BaseException):
    """What ends a thread, and no handler of errors catches."""


class Server:
    """Does numbers; remembers the groups and what was done alone. The first group waits at the gate."""

    def __init__(
        self,
        many: Callable[[Sequence[int]], Sequence[str]] | None = None,
        most: int = 64,
        stop: type[Exception] | tuple[()] = (),
    ) -> None:
        self.gate = Event()
        self.groups: list[list[int]] = []
        self.alone: list[int] = []
        self._after_gate = many
        self.together: Together[int, str] = Together(self._many, self._one, most, stop=stop)

    def _many(self, asks: Sequence[int]) -> Sequence[str]:
        self.groups.append(list(asks))
        if len(self.groups) == 1:
            assert self.gate.wait(PATIENCE)
        elif self._after_gate is not None:
            return self._after_gate(asks)
        return [f"{ask} in company" for ask in asks]

    def _one(self, ask: int) -> str:
        self.alone.append(ask)
        if ask < 0:
            raise Wrong(ask)
        return f"{ask} alone"

    def waiting(self) -> int:
        """How many wait for the next turn."""
        return len(self.together._waiting)  # who waits is seen nowhere else


def queued(server: Server, asks: Sequence[int]) -> list[Future[str]]:
    """Let 0 lead and stand at the gate, the others wait behind it in this order; then open the gate."""
    first = started(server.together.give, 0)
    until(lambda: len(server.groups) == 1, "the first leads")
    futures = []
    for number, ask in enumerate(asks, 1):
        futures.append(started(server.together.give, ask))
        until(lambda number=number: server.waiting() == number, "the next one waits")  # type: ignore[misc]
    server.gate.set()
    assert first.result(PATIENCE) == "0 in company"
    return futures


def test_who_comes_meanwhile_shares_the_next_turn_in_order() -> None:
    """One is served at once; those who came meanwhile are one group, in the order in which they came."""
    server = Server()
    futures = queued(server, range(1, 9))
    assert [one.result(PATIENCE) for one in futures] == [f"{n} in company" for n in range(1, 9)]
    assert server.groups == [[0], list(range(1, 9))]
    assert server.together.give(9) == "9 in company"
    assert not server.alone


def test_a_group_has_a_limit_and_the_rest_is_led_by_its_first() -> None:
    """More than fit wait for another turn; nobody is forgotten, nobody served twice."""
    server = Server(most=3)
    futures = queued(server, range(1, 9))
    assert [one.result(PATIENCE) for one in futures] == [f"{n} in company" for n in range(1, 9)]
    assert server.groups == [[0], [1, 2, 3], [4, 5, 6], [7, 8]]


def test_what_goes_wrong_with_one_is_nobody_elses() -> None:
    """When a group fails each is done alone: only the one at fault meets its error."""

    def fails(asks: Sequence[int]) -> Sequence[str]:
        raise Wrong(asks)

    server = Server(fails)
    futures = queued(server, [1, -2, 3])
    assert futures[0].result(PATIENCE) == "1 alone"
    with pytest.raises(Wrong, match="-2"):
        futures[1].result(PATIENCE)
    assert futures[2].result(PATIENCE) == "3 alone"
    assert sorted(server.alone) == [-2, 1, 3]


def test_too_few_results_count_as_a_failure() -> None:
    """A result is never given to somebody else, nor is anybody left without one."""
    server = Server(lambda asks: [f"{asks[0]} in company"])
    futures = queued(server, [1, 2, 3])
    assert [one.result(PATIENCE) for one in futures] == ["1 in company", "2 alone", "3 alone"]


def test_a_leader_that_dies_takes_nobody_along() -> None:
    """Its company is done one by one, and the next one leads."""

    def dies(asks: Sequence[int]) -> Sequence[str]:
        if asks[0] == 1:
            raise Killed
        return [f"{ask} in company" for ask in asks]

    server = Server(dies, most=3)
    futures = queued(server, range(1, 6))
    with pytest.raises(Killed):
        futures[0].result(PATIENCE)
    answers = [one.result(PATIENCE) for one in futures[1:]]
    assert answers == ["2 alone", "3 alone", "4 in company", "5 in company"]
    assert server.together.give(6) == "6 in company"


def test_an_error_that_nobody_may_survive_reaches_all_of_the_group() -> None:
    """Where something must stop, doing each alone would find it done before, and hide the error."""

    def stops(_: Sequence[int]) -> Sequence[str]:
        raise Wrong

    server = Server(stops, stop=Wrong)
    for one in queued(server, [1, 2, 3]):
        with pytest.raises(Wrong):
            one.result(PATIENCE)
    assert not server.alone


def test_nobody_waits_for_ever() -> None:
    """Thirty-two threads with fifty things each, some of which fail the whole group: all are done, once each."""
    done: Counter[int] = Counter()
    free = Event()

    def many(asks: Sequence[int]) -> Sequence[int]:
        free.wait(0.0005)  # lets the others come
        if any(ask % 97 == 0 for ask in asks):
            raise Wrong
        done.update(asks)
        return [ask + 1 for ask in asks]

    def one(ask: int) -> int:
        done.update([ask])
        return ask + 1

    together = Together(many, one, most=8)
    crowd = [started(lambda turn: [together.give(turn * 50 + n) for n in range(50)], turn) for turn in range(32)]
    answers = [one.result(PATIENCE) for one in crowd]
    assert [answer for listed in answers for answer in listed] == list(range(1, 1601))
    assert len(done) == 1600


# The same with the log: complaints that come at the same time.


class Gated(Casebook):
    """Its first turn waits at a gate and fails, so that those who come meanwhile are one group."""

    def __init__(self, log: Log, recorder: Recorder) -> None:
        super().__init__(log, recorder)
        self.gate = Event()
        self.groups: list[int] = []

    def transact_many(self, decider: Any, asks: Sequence[Ask[Any]]) -> list[Outcome]:  # noqa: ANN401  # as it is there
        """Write groups; the first one only waits."""
        self.groups.append(len(asks))
        if len(self.groups) == 1:
            assert self.gate.wait(PATIENCE)
            raise Wrong
        return super().transact_many(decider, asks)

    def waiting(self) -> int:
        """How many wait for the next turn."""
        return len(self._registering._waiting)  # who waits is seen nowhere else


def book_over(pool: ConnectionPool, log_id: UUID, kind: type[Casebook] = Casebook) -> Any:  # noqa: ANN401  # of the kind asked for
    """A casebook over these connections."""
    recorder = Recorder(pool, log_id)
    return kind(Log(recorder), recorder)


@pytest.fixture
def book(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook over an empty log, with a table for what is said beside."""
    with pool.connection() as connection:
        connection.execute("create table said (ref text not null)")
    sound: Casebook = book_over(pool, log_id)
    return sound


def registering(
    ref: str, *, key: UUID | None = None, stream: UUID | None = None, statement: str = "insert into said values (%s)"
) -> Ask[complaint.Command]:
    """A complaint with a statement beside; the request is remembered by its reference."""
    asked = Asked(
        command_id=key or uuid4(),
        source="test",
        name="register",
        mac=ref.encode(),
        beside=(Beside(statement, (ref,)),),
    )
    return Ask(stream=stream or uuid4(), command=registration("GXQ", ref), asked=asked)


def answer(book: Casebook, ask: Ask[complaint.Command]) -> Done | Exception:
    """What the caller gets."""
    try:
        return book.register_complaint(ask)
    except Exception as error:  # noqa: BLE001  # looked at by the test
        return error


def in_one_group(gated: Gated, there: UUID, asks: Sequence[Ask[complaint.Command]]) -> list[Done | Exception]:
    """Give them as one group, in this order, behind a request that is refused and writes nothing."""
    first = started(answer, gated, registering("gate", stream=there))
    until(lambda: gated.groups, "the first leads")
    futures = []
    for number, ask in enumerate(asks, 1):
        futures.append(started(answer, gated, ask))
        until(lambda number=number: gated.waiting() == number, "the next one waits")  # type: ignore[misc]
    gated.gate.set()
    answers = [one.result(PATIENCE) for one in futures]
    assert isinstance(first.result(PATIENCE), AlreadyThere)
    assert gated.groups == [1, len(asks)]
    return answers


def running_numbers(answers: Sequence[object]) -> list[int]:
    """The running numbers of the day, in the order of the answers."""
    return [
        int(event.complaint_no.split("-")[3])
        for one in answers
        if isinstance(one, Done)
        for event in one.events
        if isinstance(event, Registered)
    ]


@pytest.mark.postgres
@pytest.mark.parametrize(("marker", "when"), MOMENTS)
def test_a_group_whose_answer_is_lost_happens_once(
    database: str, book: Casebook, log_id: UUID, marker: str, when: Break
) -> None:
    """Wherever the line breaks, each is done once with what stands beside it, and answered the same ever after."""
    there, twice = uuid4(), uuid4()
    book.register_complaint(registering("there", stream=there))
    asks = [registering(str(n)) for n in range(5)]
    same = uuid4()
    asks += [registering("same", key=twice, stream=same), registering("same", key=twice, stream=same)]
    asks += [registering("other", key=twice, stream=same), registering("refused", stream=there)]
    with LossyLine(database, marker, when) as line, open_pool(line.dsn, size=12) as pool:
        answers = in_one_group(book_over(pool, log_id, Gated), there, asks)
        assert line.broken == 1
    assert [type(one) for one in answers] == [Done] * 7 + [KeyReused, AlreadyThere]
    assert running_numbers(answers) == [2, 3, 4, 5, 6, 7, 7]
    assert asking(database, "select count(*), max(position) from events") == [(14, 14)]
    said = ["0", "1", "2", "3", "4", "same", "there"]
    assert [row[0] for row in asking(database, "select ref from said order by 1")] == said
    remembered = asking(database, "select convert_from(mac, 'UTF8') from requests order by 1")
    assert [row[0] for row in remembered] == said
    again = [answer(book, ask) for ask in asks]
    for first, second in zip(answers[:7], again[:7], strict=True):
        assert isinstance(first, Done)
        assert isinstance(second, Done)
        assert second.repeated
        assert (first.position, first.version, first.events) == (second.position, second.version, second.events)
    assert asking(database, "select count(*) from events") == [(14,)]


@pytest.mark.postgres
def test_one_broken_request_of_a_group_harms_no_other(database: str, book: Casebook, log_id: UUID) -> None:
    """A statement beside one of them that fails undoes the append of all; the others are then done without it."""
    there = uuid4()
    book.register_complaint(registering("there", stream=there))
    asks = [registering("1"), registering("2", statement="select 1 / length(%s) / 0"), registering("3")]
    with open_pool(database, size=8) as pool:
        answers = in_one_group(book_over(pool, log_id, Gated), there, asks)
    assert [type(one) for one in answers] == [Done, psycopg.errors.DivisionByZero, Done]
    assert sorted(running_numbers(answers)) == [2, 3]
    assert asking(database, "select ref from said order by 1") == [("1",), ("3",), ("there",)]
    assert asking(database, "select count(*), max(position) from events") == [(6, 6)]


@pytest.mark.postgres
def test_a_crowd_of_many_processes_is_served_once_each(database: str, book: Casebook, log_id: UUID) -> None:
    """Two houses, sixteen threads each: every complaint has a number of its own, and none is missing."""
    with open_pool(database, size=4) as mine, open_pool(database, size=4) as theirs:
        houses = [book_over(mine, log_id), book_over(theirs, log_id)]

        def work(thread: int) -> list[Done | Exception]:
            return [answer(houses[thread % 2], registering(f"{thread}/{turn}")) for turn in range(6)]

        answers = [one for crowd in [started(work, thread) for thread in range(32)] for one in crowd.result(PATIENCE)]
    assert {type(one) for one in answers} == {Done}
    assert sorted(running_numbers(answers)) == list(range(1, 193))
    assert asking(database, "select count(*), max(position) from events") == [(384, 384)]
    assert asking(database, "select count(*), count(distinct ref) from said") == [(192, 192)]
    assert running_numbers([answer(book, registering("last"))]) == [193]
