"""Which reviews can be drawn for a check: what stood in the log before the seed of the draw was told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.grade import Grade
from domain.rulebook import Profile
from projections.draws import DrawRow
from projections.flags import FLAGS
from projections.reviews import REVIEWS

_MEMBERS: Final = """
select r.review, r.grade = %(praise)s and exists (
    select from {flags} f where f.review = r.review and f.position < %(before)s
    and (f.cleared_position is null or f.cleared_position >= %(before)s))
from {reviews} r
where r.hall = %(hall)s and r.profile = %(profile)s and r.known and r.rated_position < %(before)s
and r.rated_at >= %(begins)s and r.rated_at < %(ends)s
"""


def members(connection: psycopg.Connection, row: DrawRow, before: int) -> Iterable[tuple[UUID, bool]]:
    """Give the reviews that can be drawn, recorded before a position, and whether each is praise with an open flag.

    By whoever gave a name: nobody else can be asked.
    """
    query = sql.SQL(_MEMBERS).format(flags=sql.Identifier(FLAGS.table), reviews=sql.Identifier(REVIEWS.table))
    given = {
        "hall": row.hall,
        "profile": Profile.HALL,
        "begins": row.begins,
        "ends": row.ends,
        "before": before,
        "praise": Grade.VERY_SATISFIED,
    }
    found: list[tuple[UUID, bool]] = connection.execute(query, given).fetchall()
    return found
