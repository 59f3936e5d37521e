"""One row per question to the other side: of which case it is, whom it is about, whether it was answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.complaint.correcting import RespondentStated, StatementInvited
from projections.sight import Viewer
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A question to the other side; times are UTC. The case is for the program: the other side never learns it."""

    statement: UUID
    position: int
    case: UUID
    version: int
    department: str | None
    window: str | None
    staff: UUID | None
    invited_at: datetime
    due: datetime | None
    due_provisional: bool
    made: bool


def evolve(row: StatementRow | None, entry: Entry) -> StatementRow | None:
    """Take one event of the log in."""
    match entry.event:
        case StatementInvited(statement=statement, respondent=respondent, due=due):
            return StatementRow(
                statement=statement,
                position=entry.position,
                case=entry.stream,
                version=entry.version,
                department=respondent.department,
                window=respondent.window,
                staff=respondent.staff,
                invited_at=entry.event.at,
                due=None if due is None else due.at,
                due_provisional=due is not None and due.provisional,
                made=False,
            )
        case RespondentStated() if row is not None:
            return replace(row, position=entry.position, made=True)
        case _:
            return row


def key(entry: Entry) -> UUID | None:
    """Give the question an event belongs to."""
    return entry.event.statement if isinstance(entry.event, StatementInvited | RespondentStated) else None


STATEMENTS: Final = Projection(
    name="statements",
    number=1,
    row=StatementRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"staff": "staff", "window": '"window"', "department": "department"}),
)
FEW: Final = 200


def asked(connection: psycopg.Connection, viewer: Viewer, headed: frozenset[str]) -> list[StatementRow]:
    """Give the questions somebody may have been asked, the newest first; the rules say whether they were.

    `headed` are the windows and departments of which they are the head: about a window also of its department.
    """
    rest = sql.SQL(
        'where staff = any(%(persons)s) or "window" = any(%(windows)s)'
        ' or department = any(%(headed)s) or "window" = any(%(headed)s) order by position desc limit %(few)s'
    )
    parameters = {
        "persons": list(viewer.persons),
        "windows": [window for window, _, _ in viewer.served],
        "headed": sorted(headed),
        "few": FEW,
    }
    return STATEMENTS.select(connection, rest, parameters)


def question(connection: psycopg.Connection, statement: UUID) -> StatementRow | None:
    """Give one question."""
    found = STATEMENTS.select(connection, sql.SQL("where statement = %s"), (statement,))
    return found[0] if found else None
