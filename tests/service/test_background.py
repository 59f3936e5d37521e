"""No error ends what goes on in the background, and none is quoted."""

from __future__ import annotations

import psycopg
import pytest
from structlog.testing import capture_logs

from service.background import Background, Holding
from tests.service.watching import asking, until

ERRORS = (ValueError("欧阳"), KeyError("13800000000"), psycopg.OperationalError("欧阳"))


class Looking(Background):
    """Fails at its first looks, each time for another reason."""

    def __init__(self) -> None:
        super().__init__("looking", 0.001)
        self.looks = 0

    def look(self) -> None:
        """Look once more."""
        self.looks += 1
        if self.looks <= len(ERRORS):
            raise ERRORS[self.looks - 1]


class Locking(Holding):
    """Takes a lock at each look; the second look fails."""

    def __init__(self, dsn: str) -> None:
        super().__init__("locking", 0.001, dsn)
        self.seen: list[psycopg.Connection] = []

    def look_over(self, connection: psycopg.Connection) -> None:
        """Look once more."""
        connection.execute("select pg_advisory_lock(4711)")
        self.seen.append(connection)
        if len(self.seen) == 2:
            raise ERRORS[0]


def test_whatever_goes_wrong_is_said_and_tried_again() -> None:
    """The kind of error, never its text; the thread ends when it is told to, and only then."""
    with capture_logs() as said, Looking() as looking:
        until(lambda: looking.looks > len(ERRORS) + 1, "another look")
        assert looking.thread.is_alive()
    assert not looking.thread.is_alive()
    assert [(one["event"], one["kind"]) for one in said] == [
        ("looking stopped", type(error).__name__) for error in ERRORS
    ]
    assert "欧阳" not in str(said)
    assert "138" not in str(said)


@pytest.mark.postgres
def test_a_connection_stays_from_look_to_look_until_one_fails(database: str) -> None:
    """With the lock on it; at the end nothing of it is left."""
    with capture_logs(), Locking(database) as locking:
        until(lambda: len(locking.seen) > 4, "more looks")
    first, second, third, *more = locking.seen
    assert first is second is not third
    assert {third} == {*more}
    assert all(one.closed for one in locking.seen)
    until(lambda: not asking(database, "select from pg_locks where locktype = 'advisory' and objid = 4711"), "no lock")
