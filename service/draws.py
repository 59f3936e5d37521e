"""Draws reviews to check, so that nobody picks them: announced before, opened after, drawn once that is published.

The seed follows from a secret of this installation and the draw alone, so that nobody chooses it and nothing has to be
kept; its commitment stands in the log before the first rating that it decides on (domain.md §9.3).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import Any, Final
from uuid import UUID, uuid5

import psycopg
import structlog

from domain.decider import THE_SYSTEM, Code, Command, Decider, Digest
from domain.errors import Refused
from domain.handling import Facts
from domain.review import REVIEW
from domain.review.drawing import ALL, DRAW, NOTICED, Announce, Draw, OpenSeed, commitment, stream
from domain.review.flagging import OweCheck
from domain.rulebook import Policy, Profile
from projections.drawable import members
from projections.draws import DRAWS, DrawRow, draw_of, unsettled
from projections.flags import FLAGS
from projections.reviews import REVIEWS
from service.asking import Asked, Done
from service.parts import Parts
from service.sealer import newest

SEEDS: Final = "draws"
"""The secret of the vault from which the seeds follow."""
SOURCE: Final = "draws"
DECEMBER: Final = 12


def seed_of(secret: bytes, draw: UUID) -> Digest:
    """Give the seed of a draw: 32 bytes, in hexadecimal."""
    return hmac.digest(secret, b"draw\0" + draw.bytes, "sha256").hex()


class Draws:
    """Announces, opens and draws when it is time, and owes the checks, each once; killed in between, it goes on."""

    def __init__(self, parts: Parts, stopping: Callable[[], bool] = lambda: False) -> None:
        self._parts = parts
        self._stopping = stopping
        self._announced: set[UUID] = set()
        self._not_owed: set[tuple[UUID, UUID]] = set()
        self._say = structlog.get_logger(SOURCE)

    def round(self, connection: psycopg.Connection, facts: Facts, now: datetime, moment: datetime | None = None) -> int:
        """Do what there is to do; give how many acts came of it.

        `moment` is the time that the commands carry in a replay (UTC). Raises Busy.
        """
        acts = sum(self._announce(connection, hall, span, now, moment) for hall, span in _coming(facts, now))
        for row in unsettled(connection):
            if self._stopping():
                break
            if row.seed is None:
                acts += self._open(row, now, moment)
            elif row.drawn_at is None:
                acts += self._draw(connection, row, now, moment)
            else:
                acts += self._owe_all(row, now, moment)
        return acts

    def _announce(
        self,
        connection: psycopg.Connection,
        hall: Code,
        span: tuple[datetime, datetime],
        now: datetime,
        moment: datetime | None,
    ) -> bool:
        begins, ends = span
        draw = stream(hall, begins)
        if draw in self._announced:
            return False
        if draw_of(connection, draw) is not None:
            self._announced.add(draw)
            return False
        seed = seed_of(self._parts.secret(SEEDS), draw)
        command = Announce(at=now, by=THE_SYSTEM, hall=hall, begins=begins, ends=ends, commitment=commitment(seed))
        done = self._give(DRAW, draw, command, "announce-draw", uuid5(draw, "announce"), moment)
        self._announced.add(draw)
        return _happened(done)

    def _open(self, row: DrawRow, now: datetime, moment: datetime | None) -> bool:
        if now < row.ends:
            return False
        command = OpenSeed(at=now, by=THE_SYSTEM, seed=seed_of(self._parts.secret(SEEDS), row.draw))
        return _happened(self._give(DRAW, row.draw, command, "open-seed", uuid5(row.draw, "open"), moment))

    def _draw(self, connection: psycopg.Connection, row: DrawRow, now: datetime, moment: datetime | None) -> bool:
        """Draw from what was recorded before the seed was told, once a checkpoint has published it.

        Afterwards nothing can be added, or left out, to suit the seed.
        """
        opened = row.seed_position or 0
        signed = newest(connection, self._parts.signer.vkey)
        if signed is None or signed.checkpoint.size < opened:
            return False
        if min(one.position(connection) for one in (REVIEWS, FLAGS, DRAWS)) < opened:
            return False
        found = list(members(connection, row, opened))
        command = Draw(
            at=now,
            by=THE_SYSTEM,
            opened=opened,
            before=opened,
            checkpoint=signed.checkpoint.size,
            members=tuple(review for review, _ in found),
            flagged=tuple(review for review, noticed in found if noticed),
        )
        return _happened(self._give(DRAW, row.draw, command, "draw", uuid5(row.draw, "draw"), moment))

    def _owe_all(self, row: DrawRow, now: datetime, moment: datetime | None) -> int:
        acts = 0
        for review in row.left:
            if self._stopping():
                break
            acts += self._owe(row, review, now, moment)
        return acts

    def _owe(self, row: DrawRow, review: UUID, now: datetime, moment: datetime | None) -> bool:
        if (row.draw, review) in self._not_owed:
            return False
        command = OweCheck(at=now, by=THE_SYSTEM, draw=row.draw)
        done = self._give(REVIEW, review, command, "owe-check", uuid5(row.draw, str(review)), moment)
        # Excluded meanwhile, or owed already, which the projection does not know yet: not asked for again.
        self._not_owed.add((row.draw, review))
        return _happened(done)

    def _give(
        self,
        decider: Decider[Any, Any, Any, Any],
        of: UUID,
        command: Command,
        name: Code,
        command_id: UUID,
        moment: datetime | None,
    ) -> Done | None:
        asked = Asked(command_id=command_id, source=SOURCE, name=name, moment=moment)
        try:
            return self._parts.book.transact(decider, of, command, asked)
        except Refused as refused:
            self._say.info("refused", action=name, stream=str(of), code=refused.code)
            return None


def _happened(done: Done | None) -> bool:
    return done is not None and bool(done.events) and not done.repeated


def _coming(facts: Facts, now: datetime) -> Iterator[tuple[Code, tuple[datetime, datetime]]]:
    """Give the halls whose next month is to be announced, with that month (UTC); none where nothing is to be drawn."""
    policy = facts.rulebook.policy(Profile.HALL, now)
    if policy is None or not (policy.number(ALL) or policy.number(NOTICED)):
        return
    span = next_month(policy, now)
    windows, departments = facts.register.windows.values(), facts.register.departments.values()
    for hall in sorted({one.site for one in windows} | {one.site for one in departments}):
        yield hall, span


def next_month(policy: Policy, now: datetime) -> tuple[datetime, datetime]:
    """Give when the month after a moment begins and ends, by the clock of the hall (UTC)."""
    zone = policy.zone_info()
    local = now.astimezone(zone)
    first = local.date().replace(day=1)
    months = []
    for _ in range(2):
        first = first.replace(year=first.year + first.month // DECEMBER, month=first.month % DECEMBER + 1)
        months.append(datetime.combine(first, time.min, zone).astimezone(UTC))
    return months[0], months[1]
