"""Visits and reviews as somebody may know of them; what they may not know of looks like nothing."""

from __future__ import annotations

from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.errors import Unknown
from domain.review import Submitted
from projections.histories import read_stream
from projections.reviews import ReviewRow, fold, may_see_review, may_see_visit
from projections.runner import Entry
from projections.sight import Viewer


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
