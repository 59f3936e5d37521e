"""The one way to change anything, tried on a real database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool

from domain import register
from domain.decider import THE_SYSTEM
from domain.errors import AlreadyThere
from domain.register import Add, Site, SiteLevel
from service.casebook import Asked, Casebook, KeyReused, Stale
from service.eventstore import Log, Recorder

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
