"""Looks at every rating once, in the order of the log, and shows a human what the detectors notice about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

import psycopg
import structlog

from domain.decider import THE_SYSTEM
from domain.errors import Refused
from domain.handling import Facts
from domain.review import REVIEW, ReviewCommand
from domain.review.detecting import MODEL, Given, Noticed, burst, by_itself, run
from domain.review.flagging import FlagReview
from domain.rulebook import Policy, Profile
from projections.signals import (
    SIGNALS,
    SignalRow,
    added_to,
    before_at_windows,
    before_from_devices,
    rated,
)
from service.asking import Ask, Asked
from service.casebook import Casebook

SOURCE: Final = "detectors"
PAGE: Final = 1000
"""How many ratings are looked at together."""
PAGES: Final = 25
"""How many pages are looked at in one round, so that what else waits for the clock waits no longer."""
MOST_OF_A_DEVICE: Final = 200
"""How many earlier ratings of a device are looked at; more than that are a burst whatever the threshold."""
TOGETHER: Final = 200
"""How many flags are raised with one append."""

_LOOKED: Final = "select position from projection_positions where name = %s and number = %s"
_BEGIN: Final = "insert into projection_positions values (%s, %s, 0) on conflict do nothing"
_LOOKED_UPTO: Final = "update projection_positions set position = %s where name = %s and number = %s"
_WHO: Final = ("detectors", MODEL)
"""Under which name and number it is kept how far one has looked; another model looks at everything anew."""


class Detecting:
    """Asks for the flags of what was rated since the last look; the rules decide, and each flag is raised once.

    How far it has looked stands beside the projections: where it is lost, all is looked at again, and nothing happens
    twice.
    """

    def __init__(self, book: Casebook, stopping: Callable[[], bool] = lambda: False, page: int = PAGE) -> None:
        self._book = book
        self._stopping = stopping
        self._page = page
        self._say = structlog.get_logger(SOURCE)

    def round(self, connection: psycopg.Connection, facts: Facts, now: datetime, moment: datetime | None = None) -> int:
        """Look at what is new, if anything is; give how many flags were raised.

        `moment` is the time that the commands carry in a replay (UTC). Raises Busy: then it looks again from there.
        """
        raised = 0
        for _ in range(PAGES):
            since, upto = looked(connection), SIGNALS.position(connection)
            if since >= upto or self._stopping():
                break
            rows = rated(connection, since, self._page)
            if len(rows) == self._page:
                upto = rows[-1].rated_position
            noticed = list(self._noticed(connection, rows, since, upto, facts, now))
            raised += self._raise(noticed, now, moment)
            connection.execute(_LOOKED_UPTO, (upto, *_WHO))
        return raised

    def _noticed(
        self,
        connection: psycopg.Connection,
        rows: Sequence[SignalRow],
        since: int,
        upto: int,
        facts: Facts,
        now: datetime,
    ) -> Iterator[Noticed]:
        policies = {one: facts.rulebook.policy(one, now) for one in Profile}
        calendar = facts.rulebook.calendar
        for row in added_to(connection, since, upto):
            policy = policies[row.profile]
            if policy is not None and row.again is not None:
                yield from by_itself(row.again, policy, calendar)
        of_policy: dict[Profile, list[SignalRow]] = {}
        for row in rows:
            of_policy.setdefault(row.profile, []).append(row)
        for profile, of_one in of_policy.items():
            policy = policies[profile]
            if policy is None:
                continue
            for row in of_one:
                yield from by_itself(row.first, policy, calendar)
            yield from _runs(connection, of_one, policy)
            yield from _bursts(connection, of_one, policy)

    def _raise(self, noticed: Iterable[Noticed], now: datetime, moment: datetime | None) -> int:
        asks: list[Ask[ReviewCommand]] = []
        for one in {(one.review, one.detector): one for one in noticed}.values():
            command_id = uuid5(one.review, f"flag:{one.detector}")
            command = FlagReview(
                at=now,
                by=THE_SYSTEM,
                flag=uuid5(command_id, "made"),
                detector=one.detector,
                score=one.score,
                features=one.features,
                model=MODEL,
            )
            asked = Asked(command_id=command_id, source=SOURCE, name="flag-review", moment=moment)
            asks.append(Ask(stream=one.review, command=command, asked=asked))
        raised = 0
        for first in range(0, len(asks), TOGETHER):
            outcomes = self._book.transact_many(REVIEW, asks[first : first + TOGETHER])
            raised += sum(not isinstance(one, Refused) and bool(one.events) and not one.repeated for one in outcomes)
        return raised


def looked(connection: psycopg.Connection) -> int:
    """Give up to which position the detectors have looked."""
    row = connection.execute(_LOOKED, _WHO).fetchone()
    if row is None:
        connection.execute(_BEGIN, _WHO)
        return 0
    position: int = row[0]
    return position


def _runs(connection: psycopg.Connection, rows: Sequence[SignalRow], policy: Policy) -> Iterator[Noticed]:
    least = policy.number("flag.run") or 0
    at_windows: dict[str, list[Given]] = {}
    firsts: dict[str, int] = {}
    for row in rows:
        if row.window is not None:
            firsts.setdefault(row.window, row.rated_position)
    # One more than the threshold tells whether it was reached before.
    for row in before_at_windows(connection, firsts, least):
        at_windows.setdefault(row.window or "", []).append(row.first)
    for row in rows:
        if row.window is not None:
            before = at_windows.setdefault(row.window, [])
            yield from run(row.first, before, policy)
            before.append(row.first)
            del before[: max(0, len(before) - least)]


def _bursts(connection: psycopg.Connection, rows: Sequence[SignalRow], policy: Policy) -> Iterator[Noticed]:
    minutes = policy.number("flag.burst_minutes") or 0
    from_devices: dict[UUID, list[Given]] = {}
    firsts: dict[UUID, int] = {}
    for row in rows:
        if row.device is not None:
            firsts.setdefault(row.device, row.rated_position)
    if not firsts:
        return
    since = min(row.at for row in rows) - timedelta(minutes=minutes)
    for row in before_from_devices(connection, firsts, since, MOST_OF_A_DEVICE):
        if row.device is not None:
            from_devices.setdefault(row.device, []).append(row.first)
    for row in rows:
        if row.device is not None:
            before = from_devices.setdefault(row.device, [])
            yield from burst(row.first, before, policy)
            before.append(row.first)
            del before[: max(0, len(before) - MOST_OF_A_DEVICE)]
