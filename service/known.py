"""Cases as somebody may know of them: found by number, read, told; what they may not know of looks like nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain import complaint
from domain.complaint.state import Case
from domain.decider import Role, beside
from domain.errors import Unknown
from projections.docket import DocketRow, fold
from projections.histories import read_stream
from projections.queries import case_of, may_know
from projections.runner import Entry
from projections.sight import Viewer

SEES_ACCESS: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Who is also told who opened sealed values, and which attempts were refused."""


def numbered(pool: ConnectionPool, typed: str) -> UUID | None:
    """Give the case of a complaint number as people type it: its letters in either case, blanks around it."""
    number = typed.strip()
    with pool.connection() as connection:
        # A number holds the code of its hall, which may have small letters; most have none.
        exact, raised = case_of(connection, number), case_of(connection, number.upper())
    return exact or raised


def known(pool: ConnectionPool, viewer: Viewer | None, case: UUID) -> tuple[DocketRow, list[Entry]]:
    """Give a case somebody may know of, with all that happened; raises Unknown for any other, whether it exists or not.

    `viewer` is None where the case is theirs by other means: by its query code, or who reaches the data folder.
    """
    with pool.connection() as connection:
        entries = read_stream(connection, case)
        row = fold(entries)
        if row is None or not (viewer is None or may_know(connection, viewer, row)):
            raise Unknown
    return row, entries


def state_of(entries: Iterable[Entry]) -> Case | None:
    """Give the state of a case from what happened to it."""
    return complaint.COMPLAINT.fold(entry.event for entry in entries)  # type: ignore[misc]  # of one complaint


def stood(entries: Iterable[Entry], *, as_of: datetime | None, known_at: datetime | None) -> list[Entry]:
    """Give what had happened, and was known, at a moment by either clock (UTC)."""
    return [
        entry
        for entry in entries
        if (as_of is None or entry.event.at <= as_of) and (known_at is None or entry.recorded_at <= known_at)
    ]


def told_at(
    pool: ConnectionPool,
    role: Role | None,
    entries: Iterable[Entry],
    case: UUID,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> tuple[DocketRow | None, list[Entry]]:
    """Give a case as it stood at a moment by either clock (UTC), and what is told of it until then, in its order.

    `entries` are all of the case. To some roles, and without one, what lies beside it is told as well.
    """
    shown = stood(entries, as_of=as_of, known_at=known_at)
    row = fold(shown)
    if role is None or role in SEES_ACCESS:
        with pool.connection() as connection:
            for kind in ("attempts", "access"):
                shown += read_stream(connection, beside(case, kind), as_of=as_of, known_at=known_at)
    return row, sorted(shown, key=lambda entry: entry.position)
