"""One row per visit, rated or not: who served, until when it may be rated, what was said of it, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain import occasion, review
from domain.decider import Code, Event, Role
from domain.grade import Grade
from domain.review import ReviewChannel, Stage
from domain.review.drawing import DrawEvent
from domain.review.state import Verdict
from domain.sealed import TextFacts
from projections.review_loop import changes
from projections.review_row import ReviewRow, VisitState, due_of, first_row
from projections.sight import HALL, Viewer, told_of
from projections.tables import Entry, Projection

__all__ = [
    "REVIEWS",
    "TIMED",
    "Order",
    "Page",
    "ReviewRow",
    "ReviewsWanted",
    "VisitState",
    "VisitsWanted",
    "about",
    "evolve",
    "expiring",
    "fold",
    "key",
    "may_see_review",
    "may_see_visit",
    "reviews",
    "reviews_in_sight",
    "visits",
    "visits_in_sight",
]


def evolve(row: ReviewRow | None, entry: Entry) -> ReviewRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, occasion.Opened):
        return first_row(event, entry)
    if row is None:
        return None
    changed = _of_the_visit(row, event)
    if entry.stream == row.review:
        changed |= {"version": entry.version, "changed_at": event.at}
        if isinstance(event, review.Submitted):
            changed["rated_position"] = entry.position
        else:
            changed |= changes(row, event)
    return row.but({"position": entry.position, **changed})


def _of_the_visit(row: ReviewRow, event: Event) -> dict[str, Any]:
    match event:
        case occasion.Invited():
            return {"invitations": row.invitations + 1}
        case occasion.Reviewed():
            return {"state": VisitState.REVIEWED}
        case occasion.Expired():
            return {"state": VisitState.EXPIRED}
        case review.Submitted():
            return {
                "stage": Stage.COUNTED,
                "stage_since": event.at,
                "work": Stage.COUNTED,
                "grade": event.grade,
                "codes": event.codes,
                "has_text": _has_text(event.text_facts),
                "identity_mode": event.identity_mode,
                "known": event.reviewer is not None,
                "channel": event.channel,
                "rated_at": event.at,
                "seconds_since_service": event.seconds_since_service,
                "corroborated": event.corroborated,
                **due_of("follow_up_until", event.follow_up_until),
            }
        case review.Appended():
            return {
                "follow_up_grade": event.grade,
                "follow_up_codes": event.codes,
                "follow_up_has_text": _has_text(event.text_facts),
                "followed_up_at": event.at,
            }
        case review.Corroborated():
            return {"corroborated": True, "corroborated_at": event.at}
        case _:
            return {}


def _has_text(measured: TextFacts | None) -> bool:
    return measured is not None and measured.has_text


def key(entry: Entry) -> UUID | None:
    """Give the review an event belongs to: that of its visit, or its own. A draw is of many, and of none."""
    if isinstance(entry.event, DrawEvent):
        return None
    if entry.name.startswith("occasion."):
        return occasion.review_of(entry.stream)
    return entry.stream if entry.name.startswith("review.") else None


REVIEWS: Final = Projection(
    name="reviews",
    number=1,
    row=ReviewRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType(
        {
            "opened": "opened_position",
            "rated": "rated_position",
            "by_department": "department, rated_position",
            "waiting": "state, review_until",
            "due": "due",
            "proposed": "proposal_until",
        }
    ),
)
fold: Final = REVIEWS.fold

_VISITS_IN_SIGHT: Final[Mapping[Role, str]] = dict.fromkeys(
    (Role.INTAKE, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.SYSTEM), HALL
)
"""Who may know of visits: who records them and invites to rate, and who looks whether it is done."""

_UNIT: Final = "(department = %(department)s or lead = %(department)s)"
_OUTSIDE: Final = "(department is null or department <> all(%(departments)s))"
_NOT_LEAD: Final = "(lead is null or lead <> all(%(departments)s))"
_REVIEWS_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.HANDLER: _UNIT,
    Role.UNIT_HEAD: _UNIT,
    Role.DISPATCHER: HALL,
    Role.REVISIT_OFFICER: f"{HALL} and {_OUTSIDE}",
    # In a post of a unit, what is about that one; in one of the hall, every work order there.
    Role.VERIFIER: f"accepted_at is not null and ({_UNIT} or %(department)s::text is null and {HALL})",
    # Outside deciders know of what is contested, as long as it is.
    Role.PANEL: f"stage = any('{{under_appeal,excluded}}') and {HALL} and {_OUTSIDE} and {_NOT_LEAD}",
    Role.SUPERVISOR: HALL,
    Role.AUDITOR: HALL,
    Role.SYSTEM: HALL,
}
"""Who may know what was said of a visit. Whoever recorded it for somebody, and did nothing else, needs not know."""

# Whoever served, or may have: time and words of a review say to them who gave it (domain.md §11.5).
_AT_THE_WINDOW: Final = (
    "exists (select from unnest(%(windows)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) t (w, s, u),"
    # When it was as far as we know, and when it was by the rules: no service is later than its rating.
    " unnest(array[coalesce(served_at, opened_at), least(served_at, rated_at)]) moment"
    " where w = \"window\" and moment >= s and moment < coalesce(u, 'infinity'))"
)
_NOT_RATED: Final = f"(staff is null or staff <> all(%(persons)s)) and not {_AT_THE_WINDOW}"
_RATED: Final = f"(staff = any(%(persons)s) or {_AT_THE_WINDOW})"


def visits_in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    """Give the condition that says of which visits somebody may know, with its parameters."""
    return sql.SQL(f"({_VISITS_IN_SIGHT.get(viewer.role, 'false')})"), told_of(viewer)


def reviews_in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    """Give the condition that says of which visits somebody may know what was said, with its parameters.

    Nobody who was rated knows, in whatever role.
    """
    condition = _REVIEWS_IN_SIGHT.get(viewer.role, "false")
    return sql.SQL(f"({condition}) and rated_position is not null and {_NOT_RATED}"), told_of(viewer)


def may_see_visit(connection: psycopg.Connection, viewer: Viewer, row: ReviewRow) -> bool:
    """Say whether somebody may know of a visit that was folded just now, as the list does."""
    return REVIEWS.holds(connection, row, *visits_in_sight(viewer))


def may_see_review(connection: psycopg.Connection, viewer: Viewer, row: ReviewRow) -> bool:
    """Say whether somebody may know what was said of a visit that was folded just now, as the list does."""
    return REVIEWS.holds(connection, row, *reviews_in_sight(viewer))


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsWanted:
    """Which visits somebody wants to see; `before` is the place in the list where a page ended."""

    state: VisitState | None = None
    hall: Code | None = None
    department: Code | None = None
    window: Code | None = None
    before: int | None = None
    limit: int = 50


class Order(StrEnum):
    """How reviews are listed: the last that were given first, or those with a limit to keep, the next first."""

    RATED = "rated"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsWanted:
    """Which reviews somebody wants to see; `before` as in VisitsWanted, in either order.

    `overdue` is about the next limit, as it was known when the list is made; `waiting_for` names the commands for which
    a proposal may wait.
    """

    hall: Code | None = None
    department: Code | None = None
    window: Code | None = None
    item: Code | None = None
    grade: Grade | None = None
    channel: ReviewChannel | None = None
    corroborated: bool | None = None
    accepted: bool | None = None
    followed_up: bool | None = None
    rated_from: datetime | None = None
    rated_before: datetime | None = None
    stage: Stage | None = None
    verdict: Verdict | None = None
    overdue: bool | None = None
    due_before: datetime | None = None
    excluded: bool | None = None
    flagged: bool | None = None
    to_check: bool | None = None
    supervised: bool | None = None
    waiting_for: list[Code] | None = None
    order: Order = Order.RATED
    before: int | None = None
    limit: int = 50


_VISITS: Final = (
    "(%(state)s::text is null or state = %(state)s)"
    " and (%(hall)s::text is null or hall = %(hall)s)"
    " and (%(of_department)s::text is null or department = %(of_department)s)"
    ' and (%(of_window)s::text is null or "window" = %(of_window)s)'
)
_REVIEWS: Final = (
    "(%(hall)s::text is null or hall = %(hall)s)"
    " and (%(of_department)s::text is null or department = %(of_department)s)"
    ' and (%(of_window)s::text is null or "window" = %(of_window)s)'
    " and (%(item)s::text is null or item = %(item)s)"
    " and (%(grade)s::text is null or grade = %(grade)s)"
    " and (%(channel)s::text is null or channel = %(channel)s)"
    " and (%(corroborated)s::bool is null or corroborated = %(corroborated)s)"
    " and (%(accepted)s::bool is null or (accepted_at is not null) = %(accepted)s)"
    " and (%(followed_up)s::bool is null or (followed_up_at is not null) = %(followed_up)s)"
    " and (%(rated_from)s::timestamptz is null or rated_at >= %(rated_from)s)"
    " and (%(rated_before)s::timestamptz is null or rated_at < %(rated_before)s)"
    " and (%(stage)s::text is null or stage = %(stage)s)"
    " and (%(verdict)s::text is null or verdict = %(verdict)s)"
    " and (%(overdue)s::bool is null or (due is not null and due < %(at)s) = %(overdue)s)"
    " and (%(due_before)s::timestamptz is null or due < %(due_before)s)"
    " and (%(excluded)s::bool is null or excluded = %(excluded)s)"
    " and (%(flagged)s::bool is null or (flags <> '{}') = %(flagged)s)"
    " and (%(to_check)s::bool is null or (checks <> '{}') = %(to_check)s)"
    " and (%(supervised)s::bool is null or (supervised <> '{}') = %(supervised)s)"
    " and (%(waiting_for)s::text[] is null or waiting_for = any(%(waiting_for)s))"
)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, the newest first; `total` counts all of it, `next` is where it goes on."""

    rows: tuple[ReviewRow, ...]
    total: int
    next: int | None


def visits(connection: psycopg.Connection, viewer: Viewer, wanted: VisitsWanted) -> Page:
    """Give the visits somebody may know of, the last that were recorded first."""
    sight, parameters = visits_in_sight(viewer)
    return _page(connection, (sight, _VISITS, "opened_position"), parameters, wanted)


def reviews(connection: psycopg.Connection, viewer: Viewer, wanted: ReviewsWanted) -> Page:
    """Give the reviews somebody may know of, in the order wanted."""
    sight, parameters = reviews_in_sight(viewer)
    return _page(connection, (sight, _REVIEWS, "rated_position"), parameters, wanted)


_NEWEST: Final = (
    "where {where} and (%(before)s::int8 is null or {order} < %(before)s) order by {order} desc limit %(limit)s"
)
_NEXT_DUE: Final = (
    "where {where} and (%(before)s::int8 is null or (due, {order}) > (select last.due, last.{order}"
    " from {table} last where last.{order} = %(before)s)) order by due, {order} limit %(limit)s"
)


def _page(
    connection: psycopg.Connection,
    asked: tuple[sql.SQL, str, str],
    parameters: dict[str, object],
    wanted: VisitsWanted | ReviewsWanted,
) -> Page:
    sight, filters, order = asked
    given = {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}
    # The viewer's own department and window stand under these names already.
    given |= {"of_department": given.pop("department"), "of_window": given.pop("window")}
    by_due = given.pop("order", Order.RATED) is Order.DUE
    where = sql.SQL("({}) and {}").format(sight, sql.SQL(filters))
    if by_due:
        where = sql.SQL("{} and due is not null").format(where)
    names = {"where": where, "order": sql.Identifier(order), "table": sql.Identifier(REVIEWS.table)}
    count = sql.SQL("select count(*) from {} where {}").format(sql.Identifier(REVIEWS.table), where)
    counted = connection.execute(count, parameters | given).fetchone()
    rest = sql.SQL(_NEXT_DUE if by_due else _NEWEST).format(**names)
    found = REVIEWS.select(connection, rest, parameters | given)
    last = getattr(found[-1], order) if len(found) == wanted.limit else None
    return Page(tuple(found), 0 if counted is None else counted[0], last)


def about(connection: psycopg.Connection, viewer: Viewer, most: int) -> list[ReviewRow]:
    """Give the bad reviews of which somebody may be the one rated, the last first; the rules say whether they are."""
    rest = sql.SQL(f"where accepted_at is not null and {_RATED} order by rated_position desc limit %(most)s")
    return REVIEWS.select(connection, rest, told_of(viewer) | {"most": most})


TIMED: Final = """
select review, version from {table}
where profile = any(%(profiles)s) and (due is not null or proposal_until is not null) order by rated_position
"""
"""What time may ask something of: where a limit is still to be kept, or a proposal waits."""


def expiring(connection: psycopg.Connection, profiles: list[str], at: datetime, most: int) -> list[ReviewRow]:
    """Give visits that nobody rated in time, at a moment (UTC): those over the longest first, unsure limits last."""
    rest = sql.SQL(
        "where state = 'open' and profile = any(%s) and review_until < %s"
        " order by review_until_provisional, review_until, review limit %s"
    )
    return REVIEWS.select(connection, rest, (profiles, at, most))
