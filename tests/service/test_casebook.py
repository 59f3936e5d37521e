"""The one way to change anything, tried on a real database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.errors import DivisionByZero
from psycopg_pool import ConnectionPool

from domain import register
from domain.access import Opened, Purpose
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role, beside
from domain.errors import AlreadyThere
from domain.register import Add, Site, SiteLevel
from projections.codec import decode
from service.casebook import Asked, Casebook, KeyReused, Stale
from service.eventstore import REMEMBER, Beside, Claim, ClaimTaken, Log, Recorder

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def book(pool: ConnectionPool, log_id: UUID) -> Casebook:
    """A casebook over an empty log."""
    recorder = Recorder(pool, log_id)
    return Casebook(Log(recorder), recorder)


def add_site(code: str = "GXQ", name: str = "高新区政务服务中心") -> Add:
    """A command that enters a site."""
    return Add(at=NOW, by=THE_SYSTEM, entry=Site(code=code, name_zh=name, name_en="Centre", level=SiteLevel.DISTRICT))


def asked(*, key: UUID | None = None, expected: int | None = None, mac: bytes | None = None) -> Asked:
    """How a test asks."""
    return Asked(command_id=key or uuid4(), source="test", name="add", expected=expected, mac=mac)


def test_a_command_is_durable_and_seen(book: Casebook) -> None:
    """What was decided stands in the log, at the database's time."""
    done = book.transact(register.REGISTER, register.STREAM, add_site(), asked())
    assert (done.version, done.position) == (1, 1)
    assert done.events[0].at > NOW
    assert "GXQ" in book.facts().register.sites


def test_the_same_command_id_does_nothing_twice(book: Casebook) -> None:
    """A repeated command answers what the first did, even when the log has moved on."""
    key = uuid4()
    first = book.transact(register.REGISTER, register.STREAM, add_site(), asked(key=key, mac=b"1"))
    book.transact(register.REGISTER, register.STREAM, add_site("B"), asked())
    again = book.transact(register.REGISTER, register.STREAM, add_site(), asked(key=key, mac=b"1"))
    assert (again.version, again.position, again.events) == (first.version, first.position, first.events)
    assert again.repeated
    with pytest.raises(KeyReused):
        book.transact(register.REGISTER, register.STREAM, add_site("C"), asked(key=key, mac=b"2"))


def test_what_is_so_already_writes_nothing(book: Casebook) -> None:
    """The same entry under another command id is no event; other content is refused."""
    book.transact(register.REGISTER, register.STREAM, add_site(), asked())
    assert book.transact(register.REGISTER, register.STREAM, add_site(), asked()).events == ()
    with pytest.raises(AlreadyThere):
        book.transact(register.REGISTER, register.STREAM, add_site(name="other"), asked())


def test_a_stale_reader_is_told(book: Casebook) -> None:
    """Who names the version they saw is never decided on another one."""
    book.transact(register.REGISTER, register.STREAM, add_site(), asked(expected=0))
    with pytest.raises(Stale):
        book.transact(register.REGISTER, register.STREAM, add_site("B"), asked(expected=0))


def test_what_stands_beside_an_append_shares_its_fate(pool: ConnectionPool, log_id: UUID) -> None:
    """A clash undoes the statements beside it, and a statement that fails undoes the append."""
    recorder = Recorder(pool, log_id)
    event = StoredEvent(uuid4(), 1, "complaint.registered.1", b"{}")
    key = uuid4()
    recorder.insert_events([event], command_ids=[uuid4()], claims=[Claim("complaint_no", "TS-1", uuid4())])
    other = StoredEvent(uuid4(), 1, "complaint.registered.1", b"{}")
    with pytest.raises(ClaimTaken):
        recorder.insert_events(
            [other],
            command_ids=[key],
            claims=[Claim("complaint_no", "TS-1", uuid4())],
            beside=[Beside(REMEMBER, (key, b"mac"))],
        )
    with pytest.raises(DivisionByZero):
        recorder.insert_events([other], command_ids=[key], beside=[Beside("select 1 / 0", ())])
    with pool.connection() as connection:
        assert connection.execute("select count(*) from requests").fetchone() == (0,)
        assert connection.execute("select max(position), count(*) from events").fetchone() == (1, 1)
    assert recorder.insert_events([other], command_ids=[key], beside=[Beside(REMEMBER, (key, b"mac"))]) == [2]


def test_every_opening_is_on_record_once_in_a_quarter(book: Casebook) -> None:
    """The same fields again in the same quarter of an hour are no news; another field is, however soon."""
    case, reader = uuid4(), Actor(person=PersonKey(uuid4()), role=Role.SUPERVISOR)
    for fields in (["narrative"], ["narrative", "narrative"], ["phone"], ["phone", "narrative"]):
        book.opened(case, reader, Purpose.SUPERVISION, fields, "test")
    stored = book.recorder.select_events(beside(case, "access"))
    opened = [decode(one.topic, one.state)[0] for one in stored]
    assert [one.fields for one in opened if isinstance(one, Opened)] == [
        ("narrative",),
        ("phone",),
        ("narrative", "phone"),
    ]
    assert [one.at for one in opened] == sorted(one.at for one in opened)
