"""Timers: each act in its time and once, whoever asks; and nothing at all while the clock or the docket is doubtful."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain.complaint import COMPLAINT
from domain.complaint.ending import ProposeRefusal
from domain.complaint.owed import owed
from domain.complaint.publishing import ProposePublication
from domain.complaint.replying import AppealRoute
from domain.complaint.supplementing import RequestSupplement
from domain.complaint.timing import PauseClock
from domain.rulebook import Profile
from projections.codec import NAMES
from projections.histories import read_stream
from service.asking import Asked
from service.parts import Parts, open_parts
from service.settings import Settings
from service.timers import MATTERS, Still, Timers
from tests.controls import ASSIGNED, CLOSED, CONTACTED, REGISTERED, SIGNED, upto
from tests.hall import DESK, HEAD, MEASURED, key, later, local, sealed, until
from tests.projections.town import CASE, Town
from tests.service.clockwork import TICK, Node, Watch, project, told, until_true

pytestmark = pytest.mark.postgres

MINUTE: Final = timedelta(minutes=1)
REMIND: Final = local("02-27", "08:30")
OVERDUE: Final = until("02-28").at + TICK
FIVE_DAYS_OVERDUE: Final = until("03-06").at + TICK


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over the hall of the controls."""
    with open_parts(Settings(home=tmp_path), database) as opened:
        yield opened


@pytest.fixture
def hall(pool: ConnectionPool, log_id: UUID) -> Town:
    """The hall of the controls, with nothing in it yet; written to past all rules."""
    town = Town(pool, log_id)
    town.settle()
    return town


@pytest.fixture
def node(parts: Parts) -> Iterator[Node]:
    """A node whose clock begins in February 2026."""
    one = Node(parts, Watch(local("02-25", "12:00")))
    yield one
    one.connection.close()


HANDLED: Final = upto(SIGNED)


def test_each_act_comes_in_its_time_and_once(hall: Town, node: Node) -> None:
    """Reminded the day before, ordered when the day was over, again five working days later; and no more."""
    hall.append(CASE, *HANDLED)
    steps: list[tuple[datetime, list[str]]] = [
        (local("02-26"), []),
        (REMIND - TICK, []),
        (REMIND, ["complaint.reminded.1"]),
        (local("02-28"), []),
        (until("02-28").at, []),
        (OVERDUE, ["complaint.supervision-issued.1"]),
        (local("03-02"), []),
        (FIVE_DAYS_OVERDUE - TICK, []),
        (FIVE_DAYS_OVERDUE, ["complaint.supervision-issued.1"]),
        (local("03-20"), []),
    ]
    seen = len(HANDLED)
    for moment, expected in steps:
        assert (node.at(moment), told(node.parts, after=seen)) == (len(expected), expected), moment
        seen += len(expected)
        assert (node.at(moment), told(node.parts, after=seen)) == (0, []), moment
    with node.parts.pool.connection() as connection:
        entries = read_stream(connection, CASE)
    acts = [one for one in entries if one.metadata.source == "timer"]
    assert [one.event.at for one in acts] == [REMIND, OVERDUE, FIVE_DAYS_OVERDUE]
    assert {one.metadata.command for one in acts} == {"remind", "issue-supervision"}


def test_what_was_missed_is_made_up_for(hall: Town, node: Node) -> None:
    """A node that starts late reminds and orders at once; the second level follows when the reminder is there."""
    hall.append(CASE, *HANDLED)
    assert node.at(local("03-20")) == 2
    assert node.at(local("03-20", "09:01")) == 1
    assert node.at(local("03-20", "09:02")) == 0


def test_a_ledger_is_left_alone(hall: Town, node: Node) -> None:
    """Nobody was promised anything there."""
    ledger = replace(REGISTERED, profile=Profile.LEDGER, category="RETALIATION")
    hall.append(CASE, ledger)
    assert node.at(local("03-20")) == 0
    assert told(node.parts, after=1) == []
    assert node.timers._seen == {}


def test_pauses_supplements_and_proposals_come_to_their_end(hall: Town, node: Node) -> None:
    """Of whatever act; the clock runs on, the desk decides, the proposal is over."""
    paused, asked_for_more, proposed = key("paused"), key("more"), key("proposed")
    hall.append(paused, *HANDLED)
    hall.append(asked_for_more, replace(REGISTERED, complaint_no="TS-GXQ-20260213-00002-0"))
    hall.append(proposed, replace(REGISTERED, complaint_no="TS-GXQ-20260213-00003-0"))
    evening = later(REGISTERED.at, hours=1)
    pause = PauseClock(
        at=evening, by=HEAD, pause=key("p"), reason="force_majeure", evidence=(), explanation=sealed("why")
    )
    more = RequestSupplement(at=evening, by=DESK, supplement=key("s"), items=(sealed("item"),))
    refuse = ProposeRefusal(
        at=evening,
        by=DESK,
        proposal=key("r"),
        reason="not_gov_service",
        legal_basis=sealed("legal_basis"),
        explanation=sealed("explanation"),
        explanation_measured=MEASURED,
        proper_channel="court",
        appeal_route=AppealRoute.REVIEW_REQUEST,
    )
    for case, command, moment in (
        (paused, pause, local("02-25", "12:00")),
        (asked_for_more, more, evening),
        (proposed, refuse, evening),
    ):
        asked = Asked(command_id=key(f"ask {case}"), source="test", name="example", moment=moment)
        node.parts.book.transact(COMPLAINT, case, command, asked)
    assert "complaint.clock-resumed.1" not in told(node.parts, paused)
    node.at(local("02-25", "13:00"))
    assert "complaint.proposal-expired.1" in told(node.parts, proposed)
    node.at(local("04-01"))
    assert "complaint.clock-resumed.1" in told(node.parts, paused)
    assert "complaint.supplement-expired.1" in told(node.parts, asked_for_more)
    for case in (paused, asked_for_more, proposed):
        names = told(node.parts, case)
        ends = [name for name in names if "resumed" in name or "expired" in name]
        assert len(ends) == len(set(ends))
    assert set(told(node.parts, paused)) <= set(NAMES)


def test_what_is_proposed_about_a_closed_case_comes_to_its_end_too(hall: Town, node: Node) -> None:
    """Publication, for instance; nothing else is asked for there."""
    hall.append(CASE, *upto(CLOSED))
    publish = ProposePublication(
        at=local("03-04"), by=DESK, proposal=key("p"), redaction=sealed("text"), redaction_measured=MEASURED,
        reply=None, reply_measured=None,
    )  # fmt: skip
    asked = Asked(command_id=key("ask"), source="test", name="example", moment=local("03-04", "10:00"))
    node.parts.book.transact(COMPLAINT, CASE, publish, asked)
    assert node.at(local("03-06")) == 0
    assert node.at(until("03-06").at + TICK) == 1
    assert told(node.parts)[-1] == "complaint.proposal-expired.1"


def test_a_clock_that_jumps_is_not_believed(hall: Town, node: Node) -> None:
    """Forward or back by more than ten minutes nothing happens until it is back; a smaller step is nothing."""
    hall.append(CASE, *HANDLED)
    node.at(local("02-26"))
    node.watch.now += timedelta(days=20)
    with pytest.raises(Still, match="jumped"):
        node.timers.round(node.connection)
    assert told(node.parts, after=len(HANDLED)) == []
    node.watch.now -= timedelta(days=20) + 11 * MINUTE
    with pytest.raises(Still, match="jumped"):
        node.timers.round(node.connection)
    node.watch.now += 2 * MINUTE
    node.at(REMIND)
    assert told(node.parts, after=len(HANDLED)) == ["complaint.reminded.1"]


def test_who_starts_a_node_anew_says_that_the_clock_is_right(hall: Town, node: Node) -> None:
    """Then its time counts."""
    hall.append(CASE, *HANDLED)
    node.at(local("02-26"))
    node.watch.now = local("03-02")
    with pytest.raises(Still):
        node.timers.round(node.connection)
    node.timers.release(node.connection)
    fresh = Node(node.parts, node.watch)
    assert fresh.at(local("03-02", "09:30")) == 2
    fresh.connection.close()


def test_while_a_projection_lags_nothing_is_asked_for(hall: Town, parts: Parts) -> None:
    """The case may have moved long ago; as soon as it has caught up, everything goes on."""
    hall.append(CASE, *HANDLED)
    one = Node(parts, Watch(local("02-25", "12:00")), lag=timedelta(0))
    assert one.at(local("02-26")) == 0
    one.watch.go(OVERDUE)
    hall.append(key("another"), replace(REGISTERED, complaint_no="TS-GXQ-20260213-00002-0"))
    with pytest.raises(Still, match="lags"):
        one.timers.round(one.connection)
    assert told(parts, after=len(HANDLED)) == []
    assert one.at(later(OVERDUE, minutes=1)) > 0
    one.connection.close()


def test_one_node_acts_and_another_takes_over(hall: Town, node: Node) -> None:
    """The lock ends with the session that holds it."""
    hall.append(CASE, *HANDLED)
    other = Node(node.parts, node.watch)
    assert node.at(local("02-26")) == 0
    assert other.at(OVERDUE) == 0
    assert told(node.parts, after=len(HANDLED)) == []
    node.connection.close()
    for _ in until_true(lambda: other.at(OVERDUE) > 0):
        pass
    assert told(other.parts, after=len(HANDLED)) == ["complaint.reminded.1", "complaint.supervision-issued.1"]
    other.connection.close()


def test_two_nodes_that_ask_at_once_ask_for_the_same(hall: Town, parts: Parts) -> None:
    """Even without the lock: what they ask for has one name, so it happens once."""
    cases = [key(f"case {n}") for n in range(8)]
    for n, case in enumerate(cases):
        hall.append(case, replace(REGISTERED, complaint_no=f"TS-GXQ-20260213-0000{n}-0"), *HANDLED[1:])
    project(parts.dsn)
    facts = parts.book.facts()
    together = threading.Barrier(4)

    def ask(_: int) -> int:
        timers = Timers(parts, clock=lambda _: OVERDUE)
        with psycopg.connect(parts.dsn, autocommit=True) as connection:
            together.wait(timeout=30)
            return sum(timers._one(connection, MATTERS[0], case, len(HANDLED), OVERDUE, facts) for case in cases)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(ask, range(4)))
    assert sum(done) == 2 * len(cases)
    for case in cases:
        assert sorted(told(parts, case, after=len(HANDLED))) == [
            "complaint.reminded.1",
            "complaint.supervision-issued.1",
        ]


def test_a_case_is_looked_at_when_something_has_moved(hall: Town, node: Node) -> None:
    """The case, the rules, or the time it waits for; otherwise a round is one query."""
    hall.append(CASE, *HANDLED)
    node.at(local("02-26"))
    facts = node.parts.book.facts()

    def proposed(moment: datetime) -> list[UUID]:
        project(node.parts.dsn)
        found = node.timers._proposed(node.connection, moment, node.parts.book.facts())
        return [case for _, case, _ in found]

    assert proposed(local("02-26", "18:00")) == []
    assert proposed(REMIND) == [CASE]
    adopted = replace(facts, rulebook_version=facts.rulebook_version + 1)
    assert node.timers._moved(CASE, len(HANDLED), local("02-26"), adopted)
    with node.parts.pool.connection() as connection:
        state = COMPLAINT.fold(one.event for one in read_stream(connection, CASE))  # type: ignore[misc]
    assert state is not None
    assert node.timers._seen[CASE].again == min(one.since for one in owed(CASE, state, local("02-26"), facts))
    hall.append(CASE, replace(ASSIGNED, at=local("02-26")))
    assert proposed(local("02-26", "18:00")) == [CASE]


def test_what_is_refused_is_asked_for_again_later(hall: Town, node: Node) -> None:
    """Not in every round, an hour later at the soonest: here the case holds something later than the clock shows."""
    hall.append(CASE, *HANDLED, replace(CONTACTED, at=local("03-05")))
    assert node.at(OVERDUE) == 0
    assert node.timers._seen[CASE].again == later(OVERDUE, hours=1)
    assert told(node.parts, after=len(HANDLED) + 1) == []


def test_the_thread_acts_by_the_clock_of_the_database(hall: Town, parts: Parts) -> None:
    """A case of February is long overdue today; the thread ends when it is told to."""
    hall.append(CASE, *HANDLED)
    project(parts.dsn)
    timers = Timers(parts, pause=0.01)
    with timers:
        for _ in until_true(lambda: len(told(parts, after=len(HANDLED))) >= 2):
            time.sleep(0)
    assert not timers.thread.is_alive()
    assert set(told(parts, after=len(HANDLED))) == {"complaint.reminded.1", "complaint.supervision-issued.1"}
    with parts.pool.connection() as connection:
        last = read_stream(connection, CASE)[-1]
    assert abs(last.event.at - last.recorded_at) < timedelta(minutes=5)
