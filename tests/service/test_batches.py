"""Many commands in one transaction: each with its own outcome, as if it had been given alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain import complaint, register
from domain.complaint import COMPLAINT, Accept, Registered
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import AlreadyThere, BeforeLast, NoPolicy
from domain.register import Add, Site, SiteLevel
from service.casebook import Ask, Asked, Casebook, Done, KeyReused, Outcome, Stale
from service.database import open_pool
from service.desk import Wish, case_of_command
from service.eventstore import Log, Recorder
from service.forms.form import Form
from service.forms.inquiry import SignForForm
from service.forms.intake import AcceptForm, RegisterForm
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.lossy import Break, LossyLine
from tests.service.watching import asking
from tests.specimens import SOME_TIME, registration

pytestmark = pytest.mark.postgres
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
CLERK = Actor(person=PersonKey(uuid4()), post="desk", role=Role.DISPATCHER)


def book_over(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook over these connections."""
    recorder = Recorder(pool, log_id)
    return Casebook(Log(recorder), recorder)


@pytest.fixture
def book(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook over an empty log."""
    return book_over(pool, log_id)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over an empty log."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        yield opened


def asked(
    *, key: UUID | None = None, moment: datetime | None = None, expected: int | None = None, mac: bytes | None = None
) -> Asked:
    """How a test asks."""
    return Asked(command_id=key or uuid4(), source="test", name="try", moment=moment, expected=expected, mac=mac)


def registering(
    ref: str, *, hall: str = "GXQ", stream: UUID | None = None, how: Asked | None = None
) -> Ask[complaint.Command]:
    """One complaint among many; two events."""
    return Ask(stream=stream or uuid4(), command=registration(hall, ref), asked=how or asked(moment=NOON))


def accepting(stream: UUID, how: Asked | None = None) -> Ask[complaint.Command]:
    """An acceptance, which is refused while no policy is in force."""
    command = Accept(
        at=SOME_TIME,
        by=CLERK,
        category=None,
        severity=Severity.ORDINARY,
        complexity=Complexity.SIMPLE,
        handling_class=HandlingClass.FORWARD,
    )
    return Ask(stream=stream, command=command, asked=how or asked())


def numbers(outcomes: Sequence[Outcome]) -> list[str]:
    """The complaint numbers given out, without hall and check character."""
    return [
        f"{event.complaint_no.split('-')[2]}-{event.complaint_no.split('-')[3]}"
        for outcome in outcomes
        if isinstance(outcome, Done)
        for event in outcome.events
        if isinstance(event, Registered)
    ]


def test_a_batch_is_one_append_and_every_command_has_its_outcome(book: Casebook, database: str) -> None:
    """What can be done is done, at one time and in order; what cannot says why, and uses nothing up."""
    stream, twin = uuid4(), uuid4()
    outcomes = book.transact_many(
        COMPLAINT,
        [
            registering("1", stream=stream),
            accepting(stream),
            registering("2", stream=stream),
            accepting(uuid4(), asked(expected=3)),
            registering("3", stream=twin),
            Ask(stream=twin, command=registration("GXQ", "4"), asked=asked(moment=NOON - timedelta(days=1))),
        ],
    )
    assert [type(one) for one in outcomes] == [Done, NoPolicy, AlreadyThere, Stale, Done, BeforeLast]
    first, last = outcomes[0], outcomes[4]
    assert isinstance(first, Done)
    assert isinstance(last, Done)
    assert (first.stream, first.version, first.position) == (stream, 2, 2)
    assert (last.stream, last.version, last.position) == (twin, 2, 4)
    assert numbers(outcomes) == ["20260601-00001", "20260601-00002"]
    found = asking(database, "select position, stream_id, version, command_seq, recorded_at from events order by 1")
    assert [row[:4] for row in found] == [(1, stream, 1, 0), (2, stream, 2, 1), (3, twin, 1, 0), (4, twin, 2, 1)]
    assert len({row[4] for row in found}) == 1
    claimed = asking(database, "select key, stream_id from claims order by key")
    assert [(key.split("-")[3], where) for key, where in claimed] == [("00001", stream), ("00002", twin)]


def test_a_command_sees_what_those_before_it_did(book: Casebook) -> None:
    """The second entry of the same site is nothing new, another one under its code is refused, its part may follow."""

    def add(code: str, *, parent: str | None = None, name: str = "高新区政务服务中心") -> Ask[register.RegisterCommand]:
        site = Site(code=code, name_zh=name, name_en="Centre", level=SiteLevel.DISTRICT, parent=parent)
        return Ask(stream=register.STREAM, command=Add(at=SOME_TIME, by=THE_SYSTEM, entry=site), asked=asked())

    outcomes = book.transact_many(
        register.REGISTER, [add("GXQ"), add("GXQ"), add("GXQ", name="其他"), add("XH", parent="GXQ")]
    )
    assert [type(one) for one in outcomes] == [Done, Done, AlreadyThere, Done]
    assert [len(one.events) for one in outcomes if isinstance(one, Done)] == [1, 0, 1]
    assert [(one.version, one.position) for one in outcomes if isinstance(one, Done)] == [(1, 1), (1, 2), (2, 2)]
    assert set(book.facts().register.sites) == {"GXQ", "XH"}


def test_numbers_have_no_gap_within_and_between_batches(book: Casebook, database: str) -> None:
    """Each hall counts its own local day from one on; midnight is the hall's, eight hours before that of UTC."""
    evening = datetime(2026, 6, 1, 15, 59, tzinfo=UTC)
    late = datetime(2026, 6, 1, 16, 30, tzinfo=UTC)
    first = book.transact_many(COMPLAINT, [registering(str(n)) for n in range(3)])
    alone = book.transact(COMPLAINT, uuid4(), registration("GXQ", "alone"), asked(moment=NOON))
    second = book.transact_many(
        COMPLAINT,
        [
            registering("5", how=asked(moment=evening)),
            registering("6", how=asked(moment=late)),
            registering("7", hall="XH", how=asked(moment=NOON)),
            registering("8", how=asked(moment=evening)),
        ],
    )
    assert numbers(first) == ["20260601-00001", "20260601-00002", "20260601-00003"]
    assert numbers([alone]) == ["20260601-00004"]
    assert numbers(second) == ["20260601-00005", "20260602-00001", "20260601-00001", "20260601-00006"]
    appends = asking(database, "select count(*) from events group by recorded_at order by min(position)")
    assert appends == [(6,), (2,), (8,)], "no batch had to be given one by one"


def test_a_batch_sent_again_writes_nothing(book: Casebook, database: str) -> None:
    """Each command is answered with what it did; the same key for something else is refused, also within a batch."""
    key, other = uuid4(), uuid4()
    stream = uuid4()
    asks = [
        registering("1", stream=stream, how=asked(key=key, mac=b"1", moment=NOON)),
        registering("2", how=asked(key=other, moment=NOON)),
        registering("1", stream=stream, how=asked(key=key, mac=b"1", moment=NOON)),
        registering("3", how=asked(key=key, mac=b"2", moment=NOON)),
    ]
    first = book.transact_many(COMPLAINT, asks)
    assert [type(one) for one in first] == [Done, Done, Done, KeyReused]
    assert [one.repeated for one in first if isinstance(one, Done)] == [False, False, True]
    again = book.transact_many(COMPLAINT, asks)
    assert [type(one) for one in again] == [Done, Done, Done, KeyReused]
    for one, other_time in zip(first[:2], again[:2], strict=True):
        assert isinstance(one, Done)
        assert isinstance(other_time, Done)
        assert other_time.repeated
        assert (one.events, one.version, one.position) == (other_time.events, other_time.version, other_time.position)
    assert asking(database, "select count(*), max(position) from events") == [(4, 4)]
    assert set(book.done_before({key: stream, uuid4(): uuid4()})) == {key}


def test_writers_of_batches_and_of_single_commands_number_without_gap(database: str, log_id: UUID) -> None:
    """Eight writers with processes of their own race for the numbers of one day; none is lost, none given twice."""

    def work(writer: int) -> list[Outcome]:
        with open_pool(database, size=2) as pool:
            book = book_over(pool, log_id)
            done: list[Outcome] = []
            for turn in range(4):
                if writer % 2:
                    done += book.transact_many(COMPLAINT, [registering(f"{writer}/{turn}/{n}") for n in range(6)])
                else:
                    done.append(book.transact(COMPLAINT, uuid4(), registration("GXQ", "1"), asked(moment=NOON)))
            return done

    with ThreadPoolExecutor(8) as threads:
        outcomes = [one for listed in threads.map(work, range(8)) for one in listed]
    assert all(isinstance(one, Done) and not one.repeated for one in outcomes)
    assert sorted(numbers(outcomes)) == [f"20260601-{n:05d}" for n in range(1, 4 * (4 * 6 + 4) + 1)]
    assert asking(database, "select count(*), max(position) from events") == [(224, 224)]


@pytest.mark.parametrize("when", list(Break))
def test_a_batch_whose_answer_is_lost_happens_once(database: str, log_id: UUID, when: Break) -> None:
    """Whether the append happened or not when the line broke, every command is done, once."""
    asks = [registering(str(n)) for n in range(5)]
    with LossyLine(database, "append_events(", when) as line, open_pool(line.dsn, size=2) as pool:
        outcomes = book_over(pool, log_id).transact_many(COMPLAINT, asks)
        assert line.broken == 1
    assert [type(one) for one in outcomes] == [Done] * 5
    assert sorted(numbers(outcomes)) == [f"20260601-{n:05d}" for n in range(1, 6)]
    assert asking(database, "select count(*), max(position) from events") == [(10, 10)]


def told(narrative: str, phone: str | None = None, name: str | None = None) -> RegisterForm:
    """A complaint as somebody tells it."""
    return RegisterForm(hall="GXQ", narrative=narrative, phone=phone, name=name)


def wish(form: RegisterForm | Form, case: UUID | None = None, *, days: int = 0) -> Wish:
    """Something asked for, some days after noon."""
    by = None if isinstance(form, RegisterForm) else CLERK
    return Wish(form=form, by=by, asked=asked(moment=NOON + timedelta(days=days)), case=case)


def keys(parts: Parts) -> list[tuple[str, UUID, int]]:
    """Owners of keys, with how many they have."""
    query = "select owner_kind, owner, count(*) from vault.keys where assigned_at is not null group by 1, 2"
    return [(kind, owner, number) for kind, owner, number in asking(parts.dsn, query)]


def test_many_complaints_are_sealed_each_under_keys_of_its_own(parts: Parts) -> None:
    """Texts open afterwards; a case and a person have one key each, however many values it seals."""
    wishes = [wish(told(f"第{n}件：3号窗口不受理。", f"1380000000{n}", f"欧阳·𬭎{n}")) for n in range(5)]
    outcomes = parts.desk.many(wishes)
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, Done)
        event = outcome.events[0]
        assert isinstance(event, Registered)
        assert event.name is not None
        assert event.narrative is not None
        assert parts.vault.open_many([("narrative", event.narrative), ("name", event.name)]) == [
            f"第{n}件：3号窗口不受理。",
            f"欧阳·𬭎{n}",
        ]
        assert parts.desk.codes.matches(outcome.stream, parts.desk.codes.code_for(wishes[n].asked.command_id))
    assert sorted(number for *_, number in keys(parts)) == [1] * 10
    again = parts.desk.many(wishes)
    assert [one.repeated for one in again if isinstance(one, Done)] == [True] * 5
    assert len(keys(parts)) == 10


def test_a_case_and_what_follows_may_come_together(parts: Parts) -> None:
    """A form on a case that is registered in the same batch finds it; a refused one leaves no key behind."""
    first = wish(told("窗口没有人。"))
    case = case_of_command(first.asked.command_id)
    stray = uuid4()
    outcomes = parts.desk.many([first, wish(AcceptForm(), case), wish(SignForForm(), stray)])
    assert [type(one).__name__ for one in outcomes] == ["Done", "NoPolicy", "OutOfTurn"]
    assert keys(parts) == [("case", case, 1)]


def test_the_same_story_told_again_in_one_go_is_noticed(parts: Parts) -> None:
    """The second complaint of one phone names the first though both came together; a stranger's does not."""
    story = "3号窗口两次让我回去补材料，每次说的都不一样，我请了三次假。"
    outcomes = parts.desk.many(
        [
            wish(told(story, "13800000000")),
            wish(told(story, "13900000000")),
            wish(told(story + "至今没有答复。", "138 0000 0000"), days=1),
        ]
    )
    similar = []
    for outcome in outcomes:
        assert isinstance(outcome, Done)
        event = outcome.events[0]
        assert isinstance(event, Registered)
        similar.append([one.case for one in event.similar])
    assert isinstance(outcomes[0], Done)
    assert similar == [[], [], [outcomes[0].stream]]


def test_keys_erased_under_a_batch_are_replaced(parts: Parts) -> None:
    """When all keys held ahead are gone, everything is sealed anew and done once."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        connection.execute(
            "update vault.keys set wrapped = null, destroyed_at = now(), reserved_by = null, reserved_at = null"
        )
    outcomes = parts.desk.many([wish(told(f"第{n}件")) for n in range(3)])
    assert [type(one) for one in outcomes] == [Done] * 3
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, Done)
        event = outcome.events[0]
        assert isinstance(event, Registered)
        assert event.narrative is not None
        assert parts.vault.open("narrative", event.narrative) == f"第{n}件"
    assert asking(parts.dsn, "select count(*), max(position) from events") == [(6, 6)]
