"""Asks for what the passing of time asks for: reminders, orders of supervision, the end of what has waited too long.

The docket proposes cases, the reviews propose bad ones, the rules say what time asks for on each, and `decide` disposes
(architecture.md §8). Visits that nobody rated in time are proposed by the reviews too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import psycopg
from psycopg import sql

from domain import complaint
from domain.complaint.owed import owed
from domain.complaint.state import OPEN
from domain.decider import THE_SYSTEM, Command, Decider
from domain.errors import Refused
from domain.escalation import Timed
from domain.handling import Facts
from domain.occasion import OCCASION, Expire
from domain.review import REVIEW
from domain.review.owed import owed as owed_on_a_review
from domain.rulebook import Profile
from projections import PROJECTIONS
from projections.docket import DOCKET
from projections.histories import read_stream
from projections.reviews import REVIEWS, TIMED, ReviewRow, expiring
from projections.tables import Projection
from service.asking import Asked, Busy
from service.background import Holding
from service.detecting import Detecting
from service.draws import Draws
from service.forgetting import Forgetting
from service.parts import Parts

SOURCE: Final = "timer"
PAUSE: Final = 5.0
"""Seconds between two looks."""
JUMP: Final = timedelta(minutes=10)
"""A clock that moves by more than this against the machine's own is not believed."""
LAG: Final = timedelta(minutes=1)
"""A projection further behind than this shows cases as they no longer are."""
AGAIN: Final = timedelta(hours=1)
"""When a case is looked at again on which something was refused."""
FEW: Final = 200
"""How many visits are ended in one look; the others wait for the next."""
LOCK: Final = "select pg_try_advisory_lock(hashtext('bihuan.timers'))"
UNLOCK: Final = "select pg_advisory_unlock(hashtext('bihuan.timers'))"
PROPOSED: Final = """
select "case", version from {table}
where profile = any(%(profiles)s) and (step = any(%(open)s) or waiting <> '{{}}') order by position
"""
BEHIND: Final = """
select exists (select from events e where e.position > %s and e.recorded_at < clock_timestamp() - %s)
"""


@dataclass(frozen=True, slots=True)
class Matters:
    """What time asks something of: the table and the query that proposes, the rules of each, and what they ask."""

    decider: Decider[Any, Any, Any, Any]
    projection: Projection[Any]
    query: str
    owed: Callable[[UUID, Any, datetime, Facts], tuple[Timed, ...]]


MATTERS: Final = (
    Matters(complaint.COMPLAINT, DOCKET, PROPOSED, owed),
    Matters(REVIEW, REVIEWS, TIMED, owed_on_a_review),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at: at which version, under which rules, and when time asks for something again (UTC)."""

    version: int
    rulebook: int
    again: datetime | None


class Still(Exception):
    """The timers stand still, because what they go by cannot be believed; the message says what."""


def database_clock(connection: psycopg.Connection) -> datetime:
    """Give the time of the database (UTC): the one clock of all nodes."""
    row = connection.execute("select clock_timestamp()").fetchone()
    if row is None:
        raise AssertionError("a query without a table gives one row")
    moment: datetime = row[0]
    return moment.astimezone(UTC)


def steady_clock() -> float:
    """Give seconds that nobody sets, counted through a sleep of the machine where it can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Timers(Holding):
    """One thread in every node; an advisory lock chooses the one that acts, and a name of each act keeps it from twice.

    It stands still while the clock has jumped, until it is back or somebody starts the node anew and so says that it is
    right; and while a projection lags. What a round finds out about a case is kept until the case, the rules or the
    time it waits for have moved, so that a look at thousands of cases is one query.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        clock: Callable[[psycopg.Connection], datetime] | None = None,
        steady: Callable[[], float] = steady_clock,
        lag: timedelta = LAG,
        pause: float = PAUSE,
    ) -> None:
        """Take the parts; with a clock of its own (a replay, a test) the commands carry its time."""
        super().__init__("timers", pause, parts.dsn)
        self._parts = parts
        self._lag = lag
        self._clock = clock or database_clock
        self._replays = clock is not None
        self._steady = steady
        self._since: tuple[datetime, float] | None = None
        self._detecting = Detecting(parts.book, self.stopping.is_set)
        self._draws = Draws(parts, self.stopping.is_set)
        self._forgetting = Forgetting(parts.settings.marks_days, self.stopping.is_set)
        self._seen: dict[UUID, Seen] = {}
        self._later: dict[UUID, datetime] = {}
        self._holder: psycopg.Connection | None = None
        self._said: str | None = None

    def look_over(self, connection: psycopg.Connection) -> None:
        """Let a round happen; that they stand still is said once."""
        try:
            self.round(connection)
            self.watch_ratings(connection)
            self.forget(connection)
            self._said = None
        except Still as still:
            if str(still) != self._said:
                self.say.error("timers stand still", why=str(still))
            self._said = str(still)

    def round(self, connection: psycopg.Connection) -> int:
        """Ask for everything time asks for now, if this node is the one that acts; give how many acts came of it.

        Takes an autocommitting connection of its own, on which the lock stays. Raises Still.
        """
        now = self._believed(connection)
        if not self._ours(connection):
            return 0
        self._kept_up(connection)
        facts = self._parts.book.facts()
        done = 0
        for matters, stream, version in self._proposed(connection, now, facts):
            if self.stopping.is_set():
                break
            done += self._one(connection, matters, stream, version, now, facts)
        return done + self._unrated(connection, now, facts)

    def watch_ratings(self, connection: psycopg.Connection) -> int:
        """Show a human what looks forged, and draw what is to be checked; give how many acts came of it.

        In the same places, and as carefully, as a round. Raises Still.
        """
        now = self._believed(connection)
        if not self._ours(connection):
            return 0
        self._kept_up(connection)
        facts, moment = self._parts.book.facts(), now if self._replays else None
        return self._detecting.round(connection, facts, now, moment) + self._draws.round(connection, facts, now, moment)

    def forget(self, connection: psycopg.Connection) -> int:
        """Erase marks whose time is over, if this node is the one that acts; give how many. Raises Still."""
        now = self._believed(connection)
        return self._forgetting.round(connection, now) if self._ours(connection) else 0

    def _unrated(self, connection: psycopg.Connection, now: datetime, facts: Facts) -> int:
        """End the time to rate of visits that nobody rated; give how many it was ended for."""
        self._later = {visit: again for visit, again in self._later.items() if again > now}
        done = 0
        for row in expiring(connection, _timed(facts, now), now, FEW + len(self._later)):
            if self.stopping.is_set():
                break
            visit = row.occasion
            if visit in self._later or not _sure(row, facts):
                continue
            asked = self._asked(uuid5(visit, "expire"), "expire-occasion", now)
            if self._given(OCCASION, visit, Expire(at=now, by=THE_SYSTEM), asked):
                done += 1
            else:
                # Refused, or done already, which the projection does not know yet.
                self._later[visit] = now + AGAIN
        return done

    def release(self, connection: psycopg.Connection) -> None:
        """Let another node act, on a connection that lives on; otherwise the lock ends with it."""
        if self._holder is connection:
            self._holder = None
            connection.execute(UNLOCK)

    def _ours(self, connection: psycopg.Connection) -> bool:
        """Take the lock, or know that this session has it: a session that took it twice would have to give it twice."""
        if self._holder is not connection:
            row = connection.execute(LOCK).fetchone()
            self._holder = connection if row is not None and row[0] else None
        return self._holder is connection

    def _believed(self, connection: psycopg.Connection) -> datetime:
        """Give the time, if it went on as the machine's own clock did since the first look. Raises Still."""
        now, steady = self._clock(connection), self._steady()
        if self._since is None:
            self._since = now, steady
        first, began = self._since
        drift = (now - first) - timedelta(seconds=steady - began)
        if abs(drift) > JUMP:
            raise Still(
                f"the clock has jumped by {drift.total_seconds() / 60:+.0f} minutes; if it is right, start anew"
            )
        return now

    def _kept_up(self, connection: psycopg.Connection) -> None:
        for projection in PROJECTIONS:
            row = connection.execute(BEHIND, (projection.position(connection), self._lag)).fetchone()
            if row is not None and row[0]:
                raise Still(f"{projection.table} lags")

    def _proposed(self, connection: psycopg.Connection, now: datetime, facts: Facts) -> list[tuple[Matters, UUID, int]]:
        """Give what may wait for something and has moved, or reached its time, since it was seen."""
        given = {"profiles": _timed(facts, now), "open": [step.value for step in OPEN]}
        rows = [
            (matters, stream, version)
            for matters in MATTERS
            for stream, version in connection.execute(
                sql.SQL(matters.query).format(table=sql.Identifier(matters.projection.table)), given, binary=True
            )
        ]
        self._seen = {stream: seen for _, stream, _ in rows if (seen := self._seen.get(stream)) is not None}
        return [row for row in rows if self._moved(row[1], row[2], now, facts)]

    def _moved(self, stream: UUID, version: int, now: datetime, facts: Facts) -> bool:
        seen = self._seen.get(stream)
        if seen is None or (seen.version, seen.rulebook) != (version, facts.rulebook_version):
            return True
        return seen.again is not None and seen.again <= now

    def _one(
        self, connection: psycopg.Connection, matters: Matters, stream: UUID, version: int, now: datetime, facts: Facts
    ) -> int:
        """Ask for what time asks for on one case or review; give how many acts came of it."""
        state = matters.decider.fold(entry.event for entry in read_stream(connection, stream))
        found = () if state is None else matters.owed(stream, state, now, facts)
        acts = [self._ask(matters, stream, timed, now) for timed in found if timed.ready]
        again = [timed.since for timed in found if not timed.ready and timed.since >= now]
        if False in acts:
            again.append(now + AGAIN)
        self._seen[stream] = Seen(version, facts.rulebook_version, min(again, default=None))
        return acts.count(True)

    def _ask(self, matters: Matters, stream: UUID, timed: Timed, now: datetime) -> bool:
        """Ask for one act; say whether it came of it, now or before."""
        return self._given(matters.decider, stream, timed.command, self._asked(timed.command_id, timed.name, now))

    def _asked(self, command_id: UUID, name: str, now: datetime) -> Asked:
        return Asked(command_id=command_id, source=SOURCE, name=name, moment=now if self._replays else None)

    def _given(self, decider: Decider[Any, Any, Any, Any], stream: UUID, command: Command, asked: Asked) -> bool:
        try:
            done = self._parts.book.transact(decider, stream, command, asked)
        except (Refused, Busy) as refused:
            self.say.info("timer refused", stream=str(stream), action=asked.name, code=refused.code)
            return False
        return bool(done.events) and not done.repeated


def _sure(row: ReviewRow, facts: Facts) -> bool:
    """Say whether the limit of a visit is sure, or would be if it were computed today."""
    if not row.review_until_provisional or row.review_until is None:
        return True
    first, last = (facts.day(row.profile, moment) for moment in (row.served_at or row.opened_at, row.review_until))
    return facts.rulebook.calendar.knows(min(first, last), last)


def _timed(facts: Facts, now: datetime) -> list[str]:
    """Give the profiles whose policy in force has timers."""
    policies = {profile: facts.rulebook.policy(profile, now) for profile in Profile}
    return [profile.value for profile, policy in policies.items() if policy is not None and policy.timers]
