"""One row per visit, rated or not: who served, until when it may be rated, what was said of it, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain import occasion, review
from domain.complaint.state import IdentityMode
from domain.deadlines import Due
from domain.decider import Code, Role
from domain.grade import Grade
from domain.review import ReviewChannel
from domain.rulebook import Profile
from domain.sealed import TextFacts
from projections.sight import HALL, Viewer, told_of
from projections.tables import Entry, Projection


class VisitState(StrEnum):
    """Where a visit stands: it may be rated, was rated, or was not in its time."""

    OPEN = "open"
    REVIEWED = "reviewed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A visit and its review; times are UTC. Nothing in it says who was served, or who rated.

    `opened_position` and `rated_position` are those of the events that began the visit and rated it.
    """

    review: UUID
    occasion: UUID
    position: int
    opened_position: int
    rated_position: int | None
    profile: Profile
    hall: str
    department: str | None
    window: str | None
    item: str | None
    staff: UUID | None
    opened_at: datetime
    served_at: datetime | None
    state: VisitState
    review_until: datetime | None
    review_until_provisional: bool
    invitations: int
    grade: Grade | None
    codes: tuple[str, ...]
    has_text: bool
    identity_mode: IdentityMode | None
    channel: ReviewChannel | None
    rated_at: datetime | None
    seconds_since_service: int | None
    corroborated: bool | None
    corroborated_at: datetime | None
    follow_up_until: datetime | None
    follow_up_until_provisional: bool
    follow_up_grade: Grade | None
    follow_up_codes: tuple[str, ...]
    follow_up_has_text: bool
    followed_up_at: datetime | None
    accepted_at: datetime | None
    lead: str | None
    contact_due: datetime | None
    contact_due_provisional: bool


def evolve(row: ReviewRow | None, entry: Entry) -> ReviewRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, occasion.Opened):
        return _opened(event, entry)
    if row is None:
        return None
    moved = replace(row, position=entry.position)
    match event:
        case occasion.Invited():
            return replace(moved, invitations=row.invitations + 1)
        case occasion.Reviewed():
            return replace(moved, state=VisitState.REVIEWED)
        case occasion.Expired():
            return replace(moved, state=VisitState.EXPIRED)
        case review.Submitted():
            return replace(
                moved,
                rated_position=entry.position,
                grade=event.grade,
                codes=event.codes,
                has_text=_has_text(event.text_facts),
                identity_mode=event.identity_mode,
                channel=event.channel,
                rated_at=event.at,
                seconds_since_service=event.seconds_since_service,
                corroborated=event.corroborated,
                **_due("follow_up_until", event.follow_up_until),
            )
        case review.Appended():
            return replace(
                moved,
                follow_up_grade=event.grade,
                follow_up_codes=event.codes,
                follow_up_has_text=_has_text(event.text_facts),
                followed_up_at=event.at,
            )
        case review.Corroborated():
            return replace(moved, corroborated=True, corroborated_at=event.at)
        case review.Accepted():
            return replace(moved, accepted_at=event.at, lead=event.lead, **_due("contact_due", event.contact_due))
        case _:
            return moved


def _opened(event: occasion.Opened, entry: Entry) -> ReviewRow:
    served = event.attribution
    return ReviewRow(
        review=occasion.review_of(entry.stream),
        occasion=entry.stream,
        position=entry.position,
        opened_position=entry.position,
        rated_position=None,
        profile=event.profile,
        hall=event.hall,
        department=None if served is None else served.department,
        window=None if served is None else served.window,
        item=None if served is None else served.item,
        staff=None if served is None else served.staff,
        opened_at=event.at,
        served_at=event.served_at,
        state=VisitState.OPEN,
        invitations=0,
        grade=None,
        codes=(),
        has_text=False,
        identity_mode=None,
        channel=None,
        rated_at=None,
        seconds_since_service=None,
        corroborated=None,
        corroborated_at=None,
        follow_up_grade=None,
        follow_up_codes=(),
        follow_up_has_text=False,
        followed_up_at=None,
        accepted_at=None,
        lead=None,
        **_due("review_until", event.review_until),
        **_due("follow_up_until", None),
        **_due("contact_due", None),
    )


def _due(name: str, due: Due | None) -> dict[str, Any]:
    return {name: None if due is None else due.at, f"{name}_provisional": due is not None and due.provisional}


def _has_text(measured: TextFacts | None) -> bool:
    return measured is not None and measured.has_text


def key(entry: Entry) -> UUID | None:
    """Give the review an event belongs to: that of its visit, or its own."""
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
        }
    ),
)
fold: Final = REVIEWS.fold

_VISITS_IN_SIGHT: Final[Mapping[Role, str]] = dict.fromkeys(
    (Role.INTAKE, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.SYSTEM), HALL
)
"""Who may know of visits: who records them and invites to rate, and who looks whether it is done."""

_UNIT: Final = "(department = %(department)s or lead = %(department)s)"
_REVIEWS_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.HANDLER: _UNIT,
    Role.UNIT_HEAD: _UNIT,
    Role.DISPATCHER: HALL,
    Role.REVISIT_OFFICER: f"{HALL} and (department is null or department <> all(%(departments)s))",
    Role.SUPERVISOR: HALL,
    Role.AUDITOR: HALL,
    Role.SYSTEM: HALL,
}
"""Who may know what was said of a visit. Whoever recorded it for somebody, and did nothing else, needs not know."""

# Whoever served, or may have: time and words of a review say to them who gave it (domain.md §11.5).
_NOT_RATED: Final = (
    "(staff is null or staff <> all(%(persons)s)) and not exists ("
    "select from unnest(%(windows)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) t (w, s, u)"
    ' where w = "window" and coalesce(served_at, opened_at) >= s'
    " and coalesce(served_at, opened_at) < coalesce(u, 'infinity'))"
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsWanted:
    """Which reviews somebody wants to see; `before` as in VisitsWanted."""

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
    """Give the reviews somebody may know of, the last that were given first."""
    sight, parameters = reviews_in_sight(viewer)
    return _page(connection, (sight, _REVIEWS, "rated_position"), parameters, wanted)


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
    where = sql.SQL("({}) and {}").format(sight, sql.SQL(filters))
    names = {"where": where, "order": sql.Identifier(order)}
    count = sql.SQL("select count(*) from {} where {}").format(sql.Identifier(REVIEWS.table), where)
    counted = connection.execute(count, parameters | given).fetchone()
    found = REVIEWS.select(
        connection,
        sql.SQL(
            "where {where} and (%(before)s::int8 is null or {order} < %(before)s) order by {order} desc limit %(limit)s"
        ).format(**names),
        parameters | given,
    )
    last = getattr(found[-1], order) if len(found) == wanted.limit else None
    return Page(tuple(found), 0 if counted is None else counted[0], last)


def expiring(connection: psycopg.Connection, profiles: list[str], at: datetime, most: int) -> list[ReviewRow]:
    """Give visits that nobody rated in time, at a moment (UTC): those over the longest first, unsure limits last."""
    rest = sql.SQL(
        "where state = 'open' and profile = any(%s) and review_until < %s"
        " order by review_until_provisional, review_until, review limit %s"
    )
    return REVIEWS.select(connection, rest, (profiles, at, most))
