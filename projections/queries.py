"""The questions people ask of the docket; the condition on who may know stands inside each."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.errors import Refused
from projections.docket import DOCKET, DUE_OR_NEVER, DocketRow
from projections.sight import Viewer, in_sight


class Order(StrEnum):
    """In what order a worklist comes."""

    DUE = "due"
    NEWEST = "newest"


class BadCursor(Refused):
    """This cursor is not one we gave out, or belongs to another order."""

    code = "bad-cursor"
    then = "Begin again without a cursor."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases somebody wants to see; None asks for all.

    `to_confirm` are commands: cases where one of them can be given on what somebody else asked for. `overdue` looks at
    the limit of the present step, and never at a date that may still move; `primary` asks for what was merged into it.
    """

    step: str | None = None
    department: str | None = None
    window: str | None = None
    category: str | None = None
    complaint_no: str | None = None
    profile: str | None = None
    due_before: datetime | None = None
    erasure: Sequence[str] | None = None
    to_confirm: Sequence[str] | None = None
    overdue: bool | None = None
    paused: bool | None = None
    supervised: bool | None = None
    round: int | None = None
    primary: UUID | None = None
    order: Order = Order.DUE
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the docket, how many there are in all, where the next one begins, and how far it is complete."""

    rows: Sequence[DocketRow]
    total: int
    cursor: str | None
    complete_up_to: int


_SORT: Final = {
    Order.DUE: (sql.SQL(DUE_OR_NEVER), sql.SQL("asc"), sql.SQL(">")),
    Order.NEWEST: (sql.SQL("registered_at"), sql.SQL("desc"), sql.SQL("<")),
}
_FILTERS: Final = {
    "step": "step = %(step)s",
    "department": "department = %(wanted_department)s",
    "window": "respondent_window = %(wanted_window)s",
    "category": "category = %(category)s",
    "complaint_no": "complaint_no = %(complaint_no)s",
    "profile": "profile = %(profile)s",
    "due_before": "due < %(due_before)s",
    "erasure": "erasure = any(%(erasure)s)",
    "to_confirm": (
        "exists (select from unnest(waiting_for, waiting_by) w (command, asked_by)"
        " where command = any(%(to_confirm)s) and asked_by <> all(%(persons)s))"
    ),
    "overdue": "coalesce(due < %(at)s and not due_provisional, false) = %(overdue)s",
    "paused": "paused = %(paused)s",
    "supervised": "(supervision_level > 0) = %(supervised)s",
    "round": "round = %(round)s",
    "primary": '"primary" = %(primary)s',
}


def docket(connection: psycopg.Connection, viewer: Viewer, wanted: Wanted) -> Page:
    """Give one page of the cases somebody may know of; raises BadCursor."""
    sight, parameters = in_sight(viewer)
    conditions: list[sql.Composable] = [sight]
    for name, condition in _FILTERS.items():
        if getattr(wanted, name) is not None:
            conditions.append(sql.SQL(condition))
    parameters |= {
        "step": wanted.step,
        "wanted_department": wanted.department,
        "wanted_window": wanted.window,
        "category": wanted.category,
        "complaint_no": wanted.complaint_no,
        "profile": wanted.profile,
        "due_before": wanted.due_before,
        "erasure": None if wanted.erasure is None else list(wanted.erasure),
        "to_confirm": None if wanted.to_confirm is None else list(wanted.to_confirm),
        "overdue": wanted.overdue,
        "paused": wanted.paused,
        "supervised": wanted.supervised,
        "round": wanted.round,
        "primary": wanted.primary,
        "limit": wanted.limit + 1,
    }
    table = sql.Identifier(DOCKET.table)
    found = sql.SQL(" and ").join(conditions)
    value, direction, beyond = _SORT[wanted.order]
    after = sql.SQL("true")
    if wanted.cursor is not None:
        parameters["after"], parameters["after_case"] = _read(wanted.cursor, wanted.order)
        after = sql.SQL('({}, "case") {} (%(after)s::timestamptz, %(after_case)s::uuid)').format(value, beyond)  # type: ignore[assignment]
    # One snapshot for rows, count and position, so that the three belong together.
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        complete = DOCKET.position(connection)
        counted = connection.execute(
            sql.SQL("select count(*) from {} where {}").format(table, found), parameters
        ).fetchone()
        rows = connection.execute(
            sql.SQL('select {0} from {1} where {2} and {3} order by {4} {5}, "case" {5} limit %(limit)s').format(
                DOCKET.names, table, found, after, value, direction
            ),
            parameters,
            binary=True,
        ).fetchall()
    page = [DOCKET.load(row) for row in rows[: wanted.limit]]
    cursor = _spell(wanted.order, page[-1]) if len(rows) > wanted.limit else None
    return Page(rows=page, total=0 if counted is None else counted[0], cursor=cursor, complete_up_to=complete)


INFINITY: Final = "infinity"


def _spell(order: Order, last: DocketRow) -> str:
    value = last.due if order is Order.DUE else last.registered_at
    spelled = INFINITY if value is None else value.isoformat()
    return base64.urlsafe_b64encode(json.dumps([order, spelled, str(last.case)]).encode()).decode().rstrip("=")


def _read(cursor: str, order: Order) -> tuple[str | datetime, UUID]:
    try:
        given, value, case = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if (given, type(value), type(case)) != (order, str, str):
            raise BadCursor
        return INFINITY if value == INFINITY else _moment(value), UUID(case)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadCursor from error


def _moment(text: str) -> datetime:
    # What the database is asked with is a moment of ours, never a text that it might read differently.
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise BadCursor
    return found.astimezone(UTC)


def may_know(connection: psycopg.Connection, viewer: Viewer, row: DocketRow) -> bool:
    """Say whether somebody may know of a case that was folded from its stream just now.

    It is the very condition of the lists, put to one row: a case that was assigned a moment ago is seen at once.
    """
    return DOCKET.holds(connection, row, *in_sight(viewer))


def case_of(connection: psycopg.Connection, complaint_no: str) -> UUID | None:
    """Give the case that has claimed a complaint number."""
    row = connection.execute(
        "select stream_id from claims where kind = 'complaint_no' and key = %s", (complaint_no,)
    ).fetchone()
    return None if row is None else row[0]
