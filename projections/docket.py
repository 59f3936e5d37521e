"""One row per complaint: where it stands, who has it, what is due; and who may know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import sql

from domain import complaint
from domain.complaint.intake import Channel, Confidentiality, Severity
from domain.complaint.state import Finding, IdentityMode, Step
from domain.deadlines import Due
from domain.decider import Actor, Code, PersonKey, Role
from domain.register import Post, Register
from projections.runner import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class DocketRow:
    """A complaint on the worklist; times are UTC, `due` belongs to the present step."""

    case: UUID
    position: int
    version: int
    complaint_no: str
    profile: str
    hall: str
    step: Step
    channel: Channel
    category: str | None
    identity_mode: IdentityMode
    confidentiality: Confidentiality
    complainant: UUID
    happened_at: datetime | None
    registered_at: datetime
    registered_by: UUID
    changed_at: datetime
    intake_window: str | None
    respondent_department: str | None
    respondent_window: str | None
    respondent_staff: UUID | None
    by_respondent: bool
    severity: Severity | None
    department: str | None
    departments: tuple[str, ...]
    handler: UUID | None
    finding: Finding | None
    due: datetime | None
    due_provisional: bool
    handle_due: datetime | None
    accepted_at: datetime | None
    accepted_late: bool | None
    contacted_late: bool | None
    replied_at: datetime | None
    replied_late: bool | None
    revisited_at: datetime | None
    closed_at: datetime | None
    reworks: int


def _due(row: DocketRow, due: Due | None) -> DocketRow:
    if due is None:
        return replace(row, due=None, due_provisional=False)
    return replace(row, due=due.at, due_provisional=due.provisional)


def evolve(row: DocketRow | None, entry: Entry) -> DocketRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, complaint.Registered):
        return _registered(event, entry)
    if row is None:
        return None
    row = replace(row, position=entry.position, version=entry.version, changed_at=event.at)
    match event:
        case complaint.Accepted():
            handle = None if event.handle_due is None else event.handle_due.at
            row = replace(
                row,
                step=Step.ACCEPTED,
                category=event.category,
                severity=event.severity,
                accepted_at=event.at,
                accepted_late=event.late,
                handle_due=handle,
            )
            return _due(row, event.handle_due)
        case complaint.Assigned(department=department, handler=handler):
            departments = row.departments if department in row.departments else (*row.departments, department)
            return replace(row, step=Step.ASSIGNED, department=department, departments=departments, handler=handler)
        case complaint.AssignmentAccepted(by=by):
            return replace(row, step=Step.IN_PROGRESS, handler=by.person)
        case complaint.ComplainantContacted(attempt_no=1, late=late):
            return replace(row, contacted_late=late)
        case complaint.FindingRecorded(finding=finding):
            return replace(row, finding=finding)
        case complaint.ReplySubmitted():
            return replace(row, step=Step.REPLY_PENDING_APPROVAL)
        case complaint.ReplyApproved():
            return replace(row, step=Step.REPLY_APPROVED)
        case complaint.ReworkOrdered(rework_no=reworks):
            return replace(row, step=Step.IN_PROGRESS, reworks=reworks)
        case complaint.Replied():
            row = replace(row, step=Step.REPLIED, replied_at=event.at, replied_late=event.late)
            return _due(row, event.revisit_due)
        case complaint.Revisited():
            return replace(row, revisited_at=event.at)
        case complaint.Closed():
            return _due(replace(row, step=Step.CLOSED, closed_at=event.at), None)
        case _:
            return row


def _registered(event: complaint.Registered, entry: Entry) -> DocketRow:
    due = event.accept_due or event.reply_due
    return DocketRow(
        case=entry.stream,
        position=entry.position,
        version=entry.version,
        complaint_no=event.complaint_no,
        profile=event.profile,
        hall=event.hall,
        step=Step.REGISTERED,
        channel=event.channel,
        category=event.category,
        identity_mode=event.identity_mode,
        confidentiality=event.confidentiality,
        complainant=event.complainant,
        happened_at=event.happened_at,
        registered_at=event.at,
        registered_by=event.by.person,
        changed_at=event.at,
        intake_window=event.window,
        respondent_department=event.respondent.department,
        respondent_window=event.respondent.window,
        respondent_staff=event.respondent.staff,
        by_respondent=event.by_respondent,
        severity=None,
        department=None,
        departments=(),
        handler=None,
        finding=None,
        due=None if due is None else due.at,
        due_provisional=due is not None and due.provisional,
        handle_due=None if event.reply_due is None else event.reply_due.at,
        accepted_at=None,
        accepted_late=None,
        contacted_late=None,
        replied_at=None,
        replied_late=None,
        revisited_at=None,
        closed_at=None,
        reworks=0,
    )


def key(entry: Entry) -> UUID | None:
    """Give the case an event belongs to."""
    return entry.stream if entry.name.startswith("complaint.") else None


DOCKET: Final = Projection(
    name="docket",
    number=1,
    row=DocketRow,
    key=key,
    evolve=evolve,
    indexes=("complaint_no", "hall, due", "department, due", "complainant", "hall, registered_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks: the person in a post, the sites in sight, departments of posts held, windows served at and when."""

    person: PersonKey
    role: Role
    post: Post | None
    sites: frozenset[Code] = frozenset()
    departments: frozenset[Code] = frozenset()
    served: tuple[tuple[Code, datetime, datetime | None], ...] = ()


def viewer(register: Register, actor: Actor, at: datetime) -> Viewer:
    """Give what decides which cases somebody who acts in a post at this moment (UTC) may know of."""
    post = None if actor.post is None else register.posts.get(actor.post)
    held = register.held_by(actor.person, at)
    served = (
        (window, tenure.since, tenure.until)
        for tenure in register.tenures
        if tenure.person == actor.person and (window := register.posts[tenure.post].window) is not None
    )
    return Viewer(
        person=actor.person,
        role=actor.role,
        post=post,
        sites=frozenset() if post is None else register.below(post.site),
        departments=frozenset(one.department for one in held if one.department is not None),
        served=tuple(served),
    )


_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.CITIZEN: "complainant = %(person)s",
    Role.INTAKE: (
        "hall = any(%(sites)s) and confidentiality = 'normal'"
        " and (registered_by = %(person)s or intake_window = %(window)s)"
    ),
    Role.DISPATCHER: "hall = any(%(sites)s)",
    Role.SUPERVISOR: "hall = any(%(sites)s)",
    Role.AUDITOR: "hall = any(%(sites)s)",
    Role.PRIVACY_OFFICER: "hall = any(%(sites)s)",
    Role.SYSTEM: "hall = any(%(sites)s)",
    Role.HANDLER: (
        "department = %(department)s and (confidentiality = 'normal' or handler is null or handler = %(person)s)"
    ),
    Role.UNIT_HEAD: "department = %(department)s",
    Role.REVISIT_OFFICER: (
        "hall = any(%(sites)s) and step = any('{replied,closed}') and not departments && %(departments)s"
    ),
}
"""Which cases a role may know of; a role that is not named here knows of none."""

# Who served at the window when it happened, or when the complaint came, is concerned, wherever they serve now.
_NOT_CONCERNED: Final = (
    "respondent_staff is distinct from %(person)s and complainant <> %(person)s and not exists ("
    "select from unnest(%(windows)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) t (w, s, u)"
    " where w = respondent_window and ("
    "registered_at >= s and registered_at < coalesce(u, 'infinity')"
    " or happened_at >= s and happened_at < coalesce(u, 'infinity')))"
)


def in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    """Give the one condition that says which cases somebody may know of, with its parameters.

    It stands before LIMIT, counts and exports. Nobody whom a complaint is about knows of it in any role
    (domain.md §11.5).
    """
    condition = _IN_SIGHT.get(viewer.role, "false")
    if viewer.role is not Role.CITIZEN:
        condition = f"({condition}) and {_NOT_CONCERNED}"
    parameters: dict[str, object] = {
        "person": viewer.person,
        "sites": sorted(viewer.sites),
        "windows": [window for window, _, _ in viewer.served],
        "since": [since for _, since, _ in viewer.served],
        "until": [until for _, _, until in viewer.served],
        "departments": sorted(viewer.departments),
        "department": None if viewer.post is None else viewer.post.department,
        "window": None if viewer.post is None else viewer.post.window,
    }
    return sql.SQL(f"({condition})"), parameters  # made of the constants above


def fold(entries: Sequence[Entry]) -> DocketRow | None:
    """Give the row of one case after these events, as the projection would."""
    row: DocketRow | None = None
    for one in entries:
        row = evolve(row, one)
    return row
