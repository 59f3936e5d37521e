"""Marks of devices and networks have an end: what ties the ratings of a device together goes, ratings stay."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from service.backup import take
from service.forgetting import EVERY, PORTION, PORTIONS, Forgetting
from service.parts import Parts
from service.restore import checked, restore
from service.settings import BadSetting, Settings
from service.subjects import STORE_MARKED_SKETCH_SQL
from service.timers import Still, Timers
from tests.service.clockwork import Node, Watch
from tests.service.fresh import fresh_database
from tests.service.test_reviewing import BAD, parts, rate, token_of, visit
from tests.service.vaults import until_somebody_waits

__all__ = ["parts"]

pytestmark = pytest.mark.postgres

DAYS: Final = 180
KEPT: Final = timedelta(days=DAYS)
DAY: Final = timedelta(days=1)


@pytest.fixture
def connection(parts: Parts) -> Iterator[psycopg.Connection]:
    """A connection of the sweep's own."""
    with psycopg.connect(parts.dsn, autocommit=True) as opened:
        yield opened


def marks(at: psycopg.Connection) -> dict[str, int]:
    """Give how many marks there are of each kind, and how many sketches."""
    found: dict[str, int] = dict(at.execute("select kind, count(*) from vault.subjects group by kind").fetchall())
    (sketches,) = at.execute("select count(*) from vault.sketches").fetchone() or (0,)
    return found | ({"sketch": sketches} if sketches else {})


def now(at: psycopg.Connection) -> datetime:
    """Give the time of the database."""
    (moment,) = at.execute("select clock_timestamp()").fetchone() or (datetime.now(UTC),)
    found: datetime = moment
    return found


def old_marks(at: psycopg.Connection, number: int, made: datetime) -> None:
    """Make marks of devices by hand, as of a moment."""
    at.execute(
        "insert into vault.subjects (kind, mac, subject_key, created_at)"
        " select 'device', sha256(n::text::bytea), gen_random_uuid(), %s from generate_series(1, %s) n",
        (made, number),
    )


def device_of(made: Any) -> UUID:  # noqa: ANN401 - what a rating gives
    """Give the key of the device in the evidence of a rating."""
    found: UUID = made.submitted.evidence.device
    return found


def test_what_ties_ratings_of_a_device_together_ends(parts: Parts, connection: psycopg.Connection) -> None:
    """After its time a device is a stranger, and its words no longer found; who was served is still known again."""
    first = rate(parts, token_of(parts, visit(parts)), device="tablet-1", **BAD)
    assert marks(connection) == {"device": 1, "network": 1, "phone": 1, "sketch": 1}
    events = connection.execute("select count(*), sum(length(state)) from events").fetchone()
    moment = now(connection)
    forgetting = Forgetting(DAYS)
    assert forgetting.round(connection, moment + KEPT - DAY) == 0
    assert marks(connection) == {"device": 1, "network": 1, "phone": 1, "sketch": 1}
    assert Forgetting(DAYS).round(connection, moment + KEPT + DAY) == 2
    assert marks(connection) == {"phone": 1}
    assert connection.execute("select count(*), sum(length(state)) from events").fetchone() == events
    again = rate(parts, token_of(parts, visit(parts)), device="tablet-1", **BAD)
    assert device_of(again) != device_of(first)
    assert again.submitted.similar == ()
    assert again.submitted.reviewer == first.submitted.reviewer


def test_the_timers_forget_once_a_day_by_the_setting(parts: Parts, connection: psycopg.Connection) -> None:
    """A node looks when it starts and then each day; another one beside it leaves it alone."""
    watch = Watch(now(connection) + KEPT + DAY)
    with closing(psycopg.connect(parts.dsn, autocommit=True)) as second:
        node, other = Timers(parts, clock=watch.wall, steady=watch.steady), Node(parts, watch)
        old_marks(connection, 3, now(connection))
        node.look_over(second)
        assert marks(connection) == {}
        old_marks(connection, 3, now(connection))
        assert other.timers.forget(other.connection) == 0
        watch.go(watch.now + EVERY - DAY / 24)
        assert node.forget(second) == 0
        assert marks(connection) == {"device": 3}
        watch.go(watch.now + DAY / 24)
        assert node.forget(second) == 3
        other.connection.close()


def test_a_clock_that_jumped_forgets_nothing(parts: Parts, connection: psycopg.Connection) -> None:
    """Half a year that did not pass is not believed."""
    watch = Watch(now(connection))
    node = Timers(parts, clock=watch.wall, steady=watch.steady)
    node.forget(connection)
    old_marks(connection, 3, watch.now)
    watch.now += 2 * KEPT
    with pytest.raises(Still):
        node.forget(connection)
    assert marks(connection) == {"device": 3}


def test_many_marks_go_in_portions(connection: psycopg.Connection) -> None:
    """One look erases so many; what is left goes in the next, without a day between them."""
    moment = now(connection)
    old_marks(connection, PORTION * PORTIONS + 1, moment - KEPT - DAY)
    forgetting = Forgetting(DAYS)
    assert [forgetting.round(connection, moment) for _ in range(3)] == [PORTION * PORTIONS, 1, 0]
    stopped = Forgetting(DAYS, lambda: True)
    old_marks(connection, 1, moment - KEPT - DAY)
    assert stopped.round(connection, moment) == 0


def test_for_ever_is_a_time_too(connection: psycopg.Connection) -> None:
    """More days than the calendar has keep everything, and break nothing."""
    old_marks(connection, 1, now(connection) - KEPT)
    assert Forgetting(10**12).round(connection, now(connection)) == 0


def test_a_rating_holds_its_mark_until_it_is_stored(parts: Parts, connection: psycopg.Connection) -> None:
    """A sweep waits for it, and takes its sketch too; what comes later leaves no sketch under a key that is gone."""
    key = parts.reviews.subjects.mark_of("device", b"tablet-1")
    moment = now(connection) + KEPT + DAY
    with psycopg.connect(parts.dsn) as rating, ThreadPoolExecutor(1) as executor:
        rating.execute(STORE_MARKED_SKETCH_SQL, (uuid4(), b"x" * 128, None, key))
        sweep = executor.submit(Forgetting(DAYS).round, connection, moment)
        until_somebody_waits(parts.pool)
        rating.commit()
        assert sweep.result(60) == 1
    with psycopg.connect(parts.dsn, autocommit=True) as late:
        late.execute(STORE_MARKED_SKETCH_SQL, (uuid4(), b"x" * 128, None, key))
    assert marks(connection) == {}


def test_a_backup_brings_back_since_when(parts: Parts, connection: psycopg.Connection, tmp_path: Path) -> None:
    """Each mark comes back with its time, so that it ends when it would have."""
    rate(parts, token_of(parts, visit(parts)), device="tablet-1", **BAD)
    since = "select kind, mac, subject_key, created_at from vault.subjects order by kind, mac"
    take(parts, tmp_path / "backup")
    with fresh_database(parts.dsn) as dsn:
        restore(dsn, checked(tmp_path / "backup"), home=tmp_path, backup_days=35)
        with psycopg.connect(dsn, autocommit=True) as there:
            assert there.execute(since).fetchall() == connection.execute(since).fetchall()
            assert Forgetting(DAYS).round(there, now(connection) + KEPT + DAY) == 2


def test_the_days_are_a_setting() -> None:
    """Half a year unless somebody says otherwise; no time at all is refused."""
    assert Settings.from_environment({}).marks_days == DAYS
    assert Settings.from_environment({"BIHUAN_MARKS_DAYS": "30"}).marks_days == 30
    with pytest.raises(BadSetting, match="BIHUAN_MARKS_DAYS"):
        Settings.from_environment({"BIHUAN_MARKS_DAYS": "0"})
