"""One row per rated review with how it was given, by which the detectors go; nothing in it says who rated.

It is apart from what people read: a flag changes no number, and whoever counts reviews never reads this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain import review
from domain.grade import Grade
from domain.review import Evidence, ReviewChannel
from domain.review.detecting import Given
from domain.rulebook import Profile
from domain.sealed import Similar, TextFacts
from projections.tables import Entry, Projection

AT_THE_HALL: Final = frozenset({ReviewChannel.TABLET, ReviewChannel.TERMINAL})
"""By what somebody rates who stands in the hall; a code that was scanned may be rated at home in the evening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """How a review was given, and its follow-up (`again_...`); times are UTC.

    By the positions whoever looks knows what is new; the other columns are those of `Given`.
    """

    review: UUID
    rated_position: int
    again_position: int | None
    profile: Profile
    at: datetime
    grade: Grade
    codes: tuple[str, ...]
    has_text: bool
    window: str | None
    device: UUID | None
    on_site: bool
    seconds_since_service: int | None
    input_ms: int | None
    ahead: int | None
    watched: bool
    alike: int | None
    again_at: datetime | None
    again_input_ms: int | None
    again_ahead: int | None
    again_watched: bool
    again_alike: int | None

    @property
    def first(self) -> Given:
        """Give how it was rated."""
        return Given(
            review=self.review,
            at=self.at,
            grade=self.grade,
            codes=self.codes,
            has_text=self.has_text,
            window=self.window,
            device=self.device,
            on_site=self.on_site,
            seconds_since_service=self.seconds_since_service,
            input_ms=self.input_ms,
            ahead=self.ahead,
            watched=self.watched,
            alike=self.alike,
        )

    @property
    def again(self) -> Given | None:
        """Give how it was added to: wherever that was, and however long after the service."""
        if self.again_at is None:
            return None
        return replace(
            self.first,
            at=self.again_at,
            on_site=False,
            seconds_since_service=None,
            input_ms=self.again_input_ms,
            ahead=self.again_ahead,
            watched=self.again_watched,
            alike=self.again_alike,
        )


def evolve(row: SignalRow | None, entry: Entry) -> SignalRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, review.Submitted):
        evidence, served = event.evidence, event.attribution
        return SignalRow(
            review=entry.stream,
            rated_position=entry.position,
            again_position=None,
            profile=event.profile,
            at=event.at,
            grade=event.grade,
            codes=event.codes,
            has_text=_has_text(event.text_facts),
            window=None if served is None else served.window,
            device=evidence.device,
            on_site=evidence.terminal is not None or event.channel in AT_THE_HALL,
            seconds_since_service=event.seconds_since_service,
            input_ms=evidence.input_ms,
            ahead=_ahead(evidence, event.at),
            # Where staff write something down they are logged in; that says nothing.
            watched=evidence.staff_terminal and event.token is not None,
            alike=_alike(event.similar),
            again_at=None,
            again_input_ms=None,
            again_ahead=None,
            again_watched=False,
            again_alike=None,
        )
    if row is None or not isinstance(event, review.Appended):
        return row
    evidence = event.evidence
    return replace(
        row,
        again_position=entry.position,
        again_at=event.at,
        again_input_ms=evidence.input_ms,
        again_ahead=_ahead(evidence, event.at),
        again_watched=evidence.staff_terminal,
        again_alike=_alike(event.similar),
    )


def _has_text(measured: TextFacts | None) -> bool:
    return measured is not None and measured.has_text


def _ahead(evidence: Evidence, at: datetime) -> int | None:
    return None if evidence.claimed_at is None else (evidence.claimed_at - at) // timedelta(seconds=1)


def _alike(similar: Iterable[Similar]) -> int | None:
    return max((one.score for one in similar), default=None)


def key(entry: Entry) -> UUID | None:
    """Give the review an event tells the giving of."""
    return entry.stream if isinstance(entry.event, review.Submitted | review.Appended) else None


SIGNALS: Final = Projection(
    name="signals",
    number=1,
    row=SignalRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType(
        {
            "rated": "rated_position",
            "added_to": "again_position",
            "of_device": "device, rated_position",
            "of_window": '"window", rated_position',
        }
    ),
)

_BEFORE: Final = """
from unnest(%(keys)s::{kind}[], %(firsts)s::int8[]) as wanted (wanted_key, wanted_first) cross join lateral (
    select * from {table} one where one.{column} = wanted_key and one.rated_position < wanted_first and {more}
    order by one.rated_position desc limit %(most)s
) found order by rated_position
"""


def rated(connection: psycopg.Connection, after: int, most: int) -> list[SignalRow]:
    """Give the reviews that were rated after a position, in the order of the log."""
    return SIGNALS.select(
        connection, sql.SQL("where rated_position > %s order by rated_position limit %s"), (after, most)
    )


def added_to(connection: psycopg.Connection, after: int, upto: int) -> list[SignalRow]:
    """Give the reviews that were added to after a position, up to another one, in the order of the log."""
    rest = sql.SQL("where again_position > %s and again_position <= %s order by again_position")
    return SIGNALS.select(connection, rest, (after, upto))


def before_at_windows(connection: psycopg.Connection, firsts: dict[str, int], most: int) -> list[SignalRow]:
    """Give for each window its last ratings before a position, `most` of each, in the order of the log."""
    return _before(connection, "window", "text", firsts, {"most": most}, sql.SQL("true"))


def before_from_devices(
    connection: psycopg.Connection, firsts: dict[UUID, int], since: datetime, most: int
) -> list[SignalRow]:
    """Give for each device its last ratings before a position, and after a moment (UTC), in the order of the log."""
    condition = sql.SQL("one.at > %(since)s")
    return _before(connection, "device", "uuid", firsts, {"most": most, "since": since}, condition)


def _before(
    connection: psycopg.Connection,
    column: str,
    kind: str,
    firsts: dict[str, int] | dict[UUID, int],
    given: dict[str, object],
    more: sql.SQL,
) -> list[SignalRow]:
    if not firsts:
        return []
    query = sql.SQL("select {} {}").format(
        SIGNALS.names,
        sql.SQL(_BEFORE).format(
            kind=sql.SQL(kind), table=sql.Identifier(SIGNALS.table), column=sql.Identifier(column), more=more
        ),
    )
    parameters = {**given, "keys": list(firsts), "firsts": list(firsts.values())}
    return [SIGNALS.load(row) for row in connection.execute(query, parameters, binary=True).fetchall()]
