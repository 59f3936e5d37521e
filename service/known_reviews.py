"""Visits and reviews as somebody may know of them; what they may not know of looks like nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.decider import Role, beside
from domain.errors import Unknown
from domain.review import REVIEW, Review, Submitted
from domain.review.flagging import FlaggingEvent
from domain.review.linking import ComplaintLinked
from projections.histories import read_stream
from projections.reviews import ReviewRow, fold, may_see_review, may_see_visit
from projections.runner import Entry
from projections.sight import Viewer
from service.known import SEES_ACCESS, known, stood

UNIT_EYES: Final = frozenset({Role.HANDLER, Role.UNIT_HEAD, Role.VERIFIER})
"""Who works for the unit: told that somebody spoke of being coerced, it would know who spoke."""


def known_visit(pool: ConnectionPool, viewer: Viewer, visit: UUID) -> ReviewRow:
    """Give a visit somebody may know of; raises Unknown for any other, whether it exists or not."""
    with pool.connection() as connection:
        row = fold(read_stream(connection, visit))
        if row is None or not may_see_visit(connection, viewer, row):
            raise Unknown
    return row


def known_review(pool: ConnectionPool, viewer: Viewer | None, review: UUID) -> tuple[ReviewRow, list[Entry]]:
    """Give a review somebody may know of, with all that happened to the visit and to it, in its order.

    `viewer` is None where it is theirs by their own link. Raises Unknown as `known_visit`.
    """
    with pool.connection() as connection:
        entries = read_stream(connection, review)
        first = entries[0].event if entries else None
        if not isinstance(first, Submitted):
            raise Unknown
        entries = sorted([*read_stream(connection, first.occasion), *entries], key=lambda entry: entry.position)
        row = fold(entries)
        if row is None or not (viewer is None or may_see_review(connection, viewer, row)):
            raise Unknown
    return row, entries


def review_of(entries: Iterable[Entry], review: UUID) -> Review:
    """Give the state of a review from what happened to it and to its visit; raises Unknown where there is none."""
    events = (one.event for one in entries if one.stream == review)
    state: Review | None = REVIEW.fold(events)  # type: ignore[arg-type]  # of one review
    if state is None:
        raise Unknown
    return state


def knows(pool: ConnectionPool, viewer: Viewer, case: UUID) -> bool:
    """Say whether somebody may know of a complaint."""
    try:
        known(pool, viewer, case)
    except Unknown:
        return False
    return True


def tellable(pool: ConnectionPool, viewer: Viewer | None, entries: Iterable[Entry]) -> list[Entry]:
    """Give what may be told to somebody of what happened to a review and its visit; all of it without a viewer.

    Not to the unit what detectors noticed, or what who rated said when asked; and a complaint made of it only to who
    may know of that one.
    """
    if viewer is None:
        return list(entries)
    return [
        entry
        for entry in entries
        if not (viewer.role in UNIT_EYES and isinstance(entry.event, FlaggingEvent))
        and not (isinstance(entry.event, ComplaintLinked) and not knows(pool, viewer, entry.event.complaint))
    ]


def review_told_at(
    pool: ConnectionPool,
    viewer: Viewer | None,
    review: UUID,
    entries: Iterable[Entry],
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> tuple[ReviewRow | None, list[Entry]]:
    """Give a review as it stood at a moment by either clock (UTC), and what is told of it until then, in its order.

    To some roles, and without a viewer, what lies beside it is told as well.
    """
    shown = tellable(pool, viewer, entries)
    if viewer is None or viewer.role in SEES_ACCESS:
        with pool.connection() as connection:
            for kind in ("attempts", "access"):
                shown += read_stream(connection, beside(review, kind))
    shown = sorted(stood(shown, as_of=as_of, known_at=known_at), key=lambda entry: entry.position)
    return fold(shown), shown
