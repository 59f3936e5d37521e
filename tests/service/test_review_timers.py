"""Timers look over bad reviews as over complaints: each act in its time and once; and nothing of praise is timed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import ConnectionPool

from domain import rulebook
from domain.deadlines import CalendarDay, DayKind
from domain.decider import THE_SYSTEM, Event
from domain.occasion import review_of
from domain.review.appealing import AppealDecisionProposed, Appealed, AppealResult
from domain.review.submitting import work_order
from domain.rulebook import CalendarAdopted, Profile
from projections.reviews import REVIEWS
from service.parts import Parts, open_parts
from service.settings import Settings
from service.timers import MATTERS, Timers
from tests.hall import (
    BASIS,
    CALENDAR_2026,
    HEAD,
    MEASURED,
    SUPERVISOR,
    key,
    later,
    local,
    sealed,
    until,
)
from tests.projections.town import Town
from tests.service.clockwork import TICK, Node, Watch, project, told
from tests.visits import BADLY, FACTS, INVITED, OPENED, RATING, REVIEWED, SUBMITTED, VISIT, WORK_ORDER

pytestmark = pytest.mark.postgres

RATED: Final[tuple[Event, ...]] = (BADLY, WORK_ORDER)
REMINDED: Final = "review.reminded.1"
ORDERED: Final = "review.supervision-issued.1"
APPEALED: Final = Appealed(
    at=local("02-16"),
    by=HEAD,
    appeal=key("appeal"),
    ground="fabricated",
    explanation=sealed("why"),
    explanation_measured=MEASURED,
    evidence=(),
    decide_due=until("03-03"),
    basis=BASIS,
)
PROPOSED: Final = AppealDecisionProposed(
    at=local("02-24"),
    by=SUPERVISOR,
    proposal=key("proposal"),
    about=key("appeal"),
    until=until("02-26"),
    basis=BASIS,
    result=AppealResult.REJECTED,
    reason=None,
    reasons=sealed("reasons"),
    reasons_measured=MEASURED,
    evidence=(),
)


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over the hall of the examples."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        yield opened


@pytest.fixture
def hall(pool: ConnectionPool, log_id: UUID) -> Town:
    """The hall of the examples, with nothing in it yet."""
    town = Town(pool, log_id)
    town.settle()
    return town


@pytest.fixture
def node(parts: Parts) -> Iterator[Node]:
    """A node whose clock begins when the review is given."""
    one = Node(parts, Watch(local("02-14", "12:00")))
    yield one
    one.connection.close()


def rate(hall: Town, *review: Event, visit: UUID = VISIT) -> UUID:
    """Put a visit and its review into the log, past all rules; give the review."""
    hall.append(visit, OPENED, INVITED, REVIEWED)
    hall.append(review_of(visit), *review)
    return review_of(visit)


def test_each_limit_of_a_bad_review_is_reminded_of_and_ordered_about(hall: Town, node: Node) -> None:
    """To call, then to verify: at the opening of the day before, or of the last one; ordered when it is over; once."""
    rate(hall, *RATED)
    seen = len(RATED)
    for moment, expected in (
        (local("02-16"), []),
        (later(local("02-24", "08:30"), microseconds=-1), []),
        (local("02-24", "08:30"), [REMINDED]),
        (until("02-24").at, []),
        (until("02-24").at + TICK, [ORDERED]),
        (local("02-25", "08:30"), [REMINDED]),
        (until("02-26").at, []),
        (until("02-26").at + TICK, [ORDERED]),
    ):
        found = (node.at(moment), told(node.parts, RATING, after=seen))
        assert found == (len(expected), expected), moment
        seen += len(expected)
        assert node.at(moment) == 0, moment


def test_nothing_is_asked_for_where_nothing_is_owed(hall: Town, node: Node) -> None:
    """Praise, and a visit of a ledger, are proposed to nobody."""
    rate(hall, SUBMITTED)
    ledger = replace(BADLY, profile=Profile.LEDGER, follow_up_until=None)
    rate(hall, ledger, visit=key("of a ledger"))
    assert node.at(local("03-20")) == 0
    assert node.timers._seen == {}


def test_a_proposal_nobody_confirms_comes_to_its_end(hall: Town, node: Node) -> None:
    """The appeal still waits to be decided on, and is reminded of."""
    rate(hall, *RATED, APPEALED, PROPOSED)
    node.at(until("02-26").at)
    before = told(node.parts, RATING)
    assert "review.proposal-expired.1" not in before
    assert node.at(until("02-26").at + TICK) >= 1
    after = told(node.parts, RATING)
    assert after.count("review.proposal-expired.1") == 1
    node.at(local("03-02", "08:30"))
    assert told(node.parts, RATING).count("review.proposal-expired.1") == 1


def test_limits_follow_a_calendar_adopted_later(hall: Town, node: Node) -> None:
    """Nobody is reminded by a limit that has moved since: it is computed first, and no earlier than it was told."""
    bad = replace(BADLY, at=local("12-31"))
    (order,) = work_order(bad, bad.grade, bad.at, FACTS)
    assert order.contact_due is not None
    assert (order.contact_due.day, order.contact_due.provisional) == (date(2027, 1, 1), True)
    rate(hall, bad, order)
    node.watch.now = local("12-31", "12:00")
    assert node.at(local("12-31", "14:00")) == 0
    days = tuple(CalendarDay(day=date(2027, 1, day), kind=DayKind.HOLIDAY) for day in (1, 2, 3))
    year = replace(CALENDAR_2026, year=2027, days=days)
    hall.append(rulebook.STREAM, CalendarAdopted(at=local("12-31", "14:30"), by=THE_SYSTEM, calendar=year))
    assert node.at(local("12-31", "15:00")) == 1
    assert told(node.parts, RATING, after=2) == ["review.deadline-recomputed.1"] * 2
    with node.parts.pool.connection() as connection:
        (row,) = REVIEWS.select(connection, sql.SQL("where due is not null"))
    assert row.due == order.contact_due.at
    assert node.at(local("12-31", "16:00")) == 0
    with node.parts.pool.connection() as connection:
        (row,) = REVIEWS.select(connection, sql.SQL("where due is not null"))
    assert row.due == order.contact_due.at + timedelta(days=3)
    assert row.due_provisional is False


def test_two_nodes_that_ask_at_once_ask_for_the_same(hall: Town, parts: Parts) -> None:
    """Even without the lock: what they ask for has one name, so it happens once."""
    reviews = [rate(hall, *RATED, visit=key(f"visit {n}")) for n in range(6)]
    project(parts.dsn)
    facts = parts.book.facts()
    overdue = until("02-24").at + TICK
    together = threading.Barrier(4)

    def ask(_: int) -> int:
        timers = Timers(parts, clock=lambda _: overdue)
        with psycopg.connect(parts.dsn, autocommit=True) as connection:
            together.wait(timeout=30)
            return sum(timers._one(connection, MATTERS[1], one, len(RATED), overdue, facts) for one in reviews)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(ask, range(4)))
    assert sum(done) == 2 * len(reviews)
    for one in reviews:
        assert sorted(told(parts, one, after=len(RATED))) == [REMINDED, ORDERED]


def test_a_review_is_looked_at_when_it_has_moved(hall: Town, node: Node) -> None:
    """Otherwise a round is one query for all of them."""
    rate(hall, *RATED)
    node.at(local("02-14", "13:00"))

    def proposed(moment: str) -> list[UUID]:
        project(node.parts.dsn)
        found = node.timers._proposed(node.connection, local("02-16", moment), node.parts.book.facts())
        return [stream for _, stream, _ in found]

    assert proposed("10:00") == []
    hall.append(RATING, APPEALED)
    assert proposed("11:00") == [RATING]
