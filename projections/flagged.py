"""Which flags somebody may see: those of the reviews they may know of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.decider import Code
from projections.flags import FLAGS, FlagRow
from projections.reviews import REVIEWS, reviews_in_sight
from projections.sight import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagsWanted:
    """Which flags somebody wants to see; `before` is the place in the list where a page ended."""

    detector: Code | None = None
    review: UUID | None = None
    open: bool | None = True
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, the newest first; `total` counts all of it, `next` is where it goes on."""

    rows: tuple[FlagRow, ...]
    total: int
    next: int | None


_WANTED: Final = (
    "(%(wanted_open)s::bool is null or open = %(wanted_open)s)"
    " and (%(detector)s::text is null or detector = %(detector)s)"
    " and (%(review)s::uuid is null or review = %(review)s)"
)


def flags(connection: psycopg.Connection, viewer: Viewer, wanted: FlagsWanted) -> Page:
    """Give the flags of reviews somebody may know of, the last that were raised first."""
    sight, parameters = reviews_in_sight(viewer)
    where = sql.SQL("{} and review in (select review from {} where {})").format(
        sql.SQL(_WANTED), sql.Identifier(REVIEWS.table), sight
    )
    # The viewer's own moment and windows stand under other names.
    given = parameters | {
        "wanted_open": wanted.open,
        "detector": wanted.detector,
        "review": wanted.review,
        "before": wanted.before,
        "limit": wanted.limit,
    }
    count = sql.SQL("select count(*) from {} where {}").format(sql.Identifier(FLAGS.table), where)
    counted = connection.execute(count, given).fetchone()
    rest = sql.SQL(
        "where {} and (%(before)s::int8 is null or position < %(before)s) order by position desc limit %(limit)s"
    ).format(where)
    found = FLAGS.select(connection, rest, given)
    last = found[-1].position if len(found) == wanted.limit else None
    return Page(tuple(found), 0 if counted is None else counted[0], last)
