"""The question people ask of the outbox; the condition on who may know stands inside."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from projections.docket import DOCKET
from projections.outbox import OUTBOX, NoticeRow, Posting
from projections.sight import Viewer, in_sight


def notices(
    connection: psycopg.Connection,
    viewer: Viewer,
    *,
    limit: int,
    posting: Posting | None = None,
    case: UUID | None = None,
    notice: UUID | None = None,
) -> list[NoticeRow]:
    """Give notices of the cases somebody may know of, the oldest first; None asks for all."""
    sight, parameters = in_sight(viewer)
    rest = sql.SQL(
        'where "case" in (select "case" from {docket} where {sight})'
        ' and (%(posting)s::text is null or posting = %(posting)s) and (%(of)s::uuid is null or "case" = %(of)s)'
        " and (%(notice)s::uuid is null or notice = %(notice)s) order by position limit %(limit)s"
    ).format(docket=sql.Identifier(DOCKET.table), sight=sight)
    asked = {**parameters, "posting": posting, "of": case, "notice": notice, "limit": limit}
    return OUTBOX.select(connection, rest, asked)
