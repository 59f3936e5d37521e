"""One row per complaint: where it stands, who has it, what is due; and who may know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

from psycopg import sql

from domain import complaint
from domain.complaint.intake import Channel, Confidentiality, Severity
from domain.complaint.privacy import PrivacyEvent
from domain.complaint.state import OPEN, Finding, IdentityMode, Step
from domain.deadlines import Due
from domain.decider import Actor, Code, PersonKey, Role
from domain.register import Post, Register
from projections.restriction import Erasure, erasing, unrestricted
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class DocketRow:
    """A complaint on the worklist; times are UTC.

    `due` belongs to the present step: until when it is to be accepted, assigned, signed for, the complainant first
    contacted, answered, revisited. `handle_due` is the promise to the complainant. None is a limit nobody can know.
    """

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
    registered_as: Role
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
    responsible: tuple[UUID, ...]
    due: datetime | None
    due_provisional: bool
    handle_due: datetime | None
    handle_due_provisional: bool
    contact_due: datetime | None
    contact_due_provisional: bool
    accepted_at: datetime | None
    accepted_late: bool | None
    contacted_at: datetime | None
    contacted_late: bool | None
    replied_at: datetime | None
    replied_late: bool | None
    revisited_at: datetime | None
    revisited_late: bool | None
    closed_at: datetime | None
    reworks: int
    erasure: Erasure | None
    erasure_request: UUID | None
    restricted: bool
    restricted_until: date | None


def _due(due: Due | None) -> dict[str, object]:
    return {"due": None if due is None else due.at, "due_provisional": due is not None and due.provisional}


def _in_hand(row: DocketRow, *, contacted: bool) -> dict[str, object]:
    """Give the limit of the handling: first that of the contact, if it is owed, then the promise to the complainant."""
    if not contacted and row.contact_due is not None and row.identity_mode is not IdentityMode.ANONYMOUS:
        return {"due": row.contact_due, "due_provisional": row.contact_due_provisional}
    return {"due": row.handle_due, "due_provisional": row.handle_due_provisional}


def evolve(row: DocketRow | None, entry: Entry) -> DocketRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, complaint.Registered):
        return _registered(event, entry)
    if row is None:
        return None
    # One copy for each event: copying a row of so many columns is what folding costs.
    moved = partial(replace, row, position=entry.position, version=entry.version, changed_at=event.at)
    contacted = row.contacted_at is not None
    match event:
        case complaint.Accepted(handle_due=handle):
            return moved(
                step=Step.ACCEPTED,
                category=event.category,
                severity=event.severity,
                accepted_at=event.at,
                accepted_late=event.late,
                handle_due=None if handle is None else handle.at,
                handle_due_provisional=handle is not None and handle.provisional,
                **_due(event.assign_due or handle),
            )
        case complaint.Assigned(department=department, contact_due=contact):
            return moved(
                step=Step.ASSIGNED,
                department=department,
                departments=tuple(dict.fromkeys(one for one in (*row.departments, department, *event.assist) if one)),
                handler=event.handler,
                contact_due=None if contact is None else contact.at,
                contact_due_provisional=contact is not None and contact.provisional,
                **(_in_hand(row, contacted=True) if event.sign_due is None else _due(event.sign_due)),
            )
        case complaint.AssignmentAccepted(by=by):
            return moved(step=Step.IN_PROGRESS, handler=by.person, **_in_hand(row, contacted=contacted))
        case complaint.ComplainantContacted(attempt_no=1, late=late):
            return moved(contacted_at=event.at, contacted_late=late, **_in_hand(row, contacted=True))
        case complaint.FindingRecorded(finding=finding):
            staff = (part.staff for part in event.responsibility if part.staff is not None)
            return moved(finding=finding, responsible=tuple(dict.fromkeys(staff)))
        case complaint.ReplySubmitted():
            return moved(step=Step.REPLY_PENDING_APPROVAL, **_in_hand(row, contacted=True))
        case complaint.ReplyApproved():
            return moved(step=Step.REPLY_APPROVED)
        case complaint.ReworkOrdered(rework_no=reworks):
            return moved(step=Step.IN_PROGRESS, reworks=reworks, **_in_hand(row, contacted=contacted))
        case complaint.Replied(late=late, revisit_due=revisit):
            return moved(step=Step.REPLIED, replied_at=event.at, replied_late=late, **_due(revisit))
        case complaint.Revisited(late=late):
            return moved(revisited_at=event.at, revisited_late=late)
        case complaint.Closed():
            return moved(step=Step.CLOSED, closed_at=event.at, **_due(None))
        case _ if isinstance(event, PrivacyEvent):
            return moved(**erasing(event))
        case _:
            return moved()


def _registered(event: complaint.Registered, entry: Entry) -> DocketRow:
    due = event.accept_due
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
        registered_as=event.by.role,
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
        responsible=(),
        due=None if due is None else due.at,
        due_provisional=due is not None and due.provisional,
        handle_due=None,
        handle_due_provisional=False,
        contact_due=None,
        contact_due_provisional=False,
        accepted_at=None,
        accepted_late=None,
        contacted_at=None,
        contacted_late=None,
        replied_at=None,
        replied_late=None,
        revisited_at=None,
        revisited_late=None,
        closed_at=None,
        reworks=0,
        erasure=None,
        erasure_request=None,
        restricted=False,
        restricted_until=None,
    )


DUE_OR_NEVER: Final = "coalesce(due, 'infinity'::timestamptz)"
"""How a worklist is sorted: what nobody knows the limit of comes last."""


def key(entry: Entry) -> UUID | None:
    """Give the case an event belongs to."""
    return entry.stream if entry.name.startswith(("complaint.", "privacy.")) else None


DOCKET: Final = Projection(
    name="docket",
    number=1,
    row=DocketRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType(
        {
            "number": "complaint_no",
            "by_due": f'{DUE_OR_NEVER}, "case"',
            "newest": 'registered_at, "case"',
            "department": "department",
            "complainant": "complainant",
        }
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks, in which post, at which moment (UTC), and what of the register decides what they may know of.

    `persons` are the person and a mandator. `sites` are those in sight; `strays` are all sites of the register for who
    stands at its top, so that a case of a hall nobody has entered is not lost; `sealed_from` are the halls whose sealed
    cases go to the desk above. `served` are windows with when a person began and ended there.
    """

    person: PersonKey
    role: Role
    post: Post | None
    persons: frozenset[PersonKey]
    at: datetime
    sites: frozenset[Code] = frozenset()
    strays: frozenset[Code] | None = None
    sealed_from: frozenset[Code] = frozenset()
    departments: frozenset[Code] = frozenset()
    served: tuple[tuple[Code, datetime, datetime | None], ...] = ()


def viewer(register: Register, actor: Actor, at: datetime) -> Viewer:
    """Give what decides which cases somebody who acts in a post at this moment (UTC) may know of."""
    post = None if actor.post is None else register.posts.get(actor.post)
    departments = (one.department for person in actor.persons for one in register.held_by(person, at))
    served = (
        (window, tenure.since, tenure.until)
        for tenure in register.tenures
        if tenure.person in actor.persons and (window := register.posts[tenure.post].window) is not None
    )
    found = Viewer(
        person=actor.person,
        role=actor.role,
        post=post,
        persons=actor.persons,
        at=at,
        departments=frozenset(one for one in departments if one is not None),
        served=tuple(served),
    )
    if post is None:
        return found
    above = _above(register, post.site)
    held = (register.posts[tenure.post] for tenure in register.tenures if tenure.covers(at))
    desk_above = any(one.role is Role.DISPATCHER and one.site in above for one in held)
    return replace(
        found,
        sites=register.below(post.site),
        strays=None if above else frozenset(register.sites),
        sealed_from=frozenset({post.site} if desk_above else ()),
    )


def _above(register: Register, site: Code) -> frozenset[Code]:
    """Give all sites above one; a parent is entered before its child, so there is no circle."""
    parent = None if site not in register.sites else register.sites[site].parent
    return frozenset() if parent is None else _above(register, parent) | {parent}


_HALL: Final = "(hall = any(%(sites)s) or hall <> all(%(strays)s::text[]))"
_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.CITIZEN: "complainant = any(%(persons)s)",
    Role.INTAKE: (
        f"{_HALL} and confidentiality = 'normal' and (registered_by = %(person)s or intake_window = %(window)s)"
    ),
    # A complaint about the desk itself is kept from it, where there is a desk above (domain.md §14 case 16).
    Role.DISPATCHER: f"{_HALL} and (confidentiality = 'normal' or hall <> all(%(sealed_from)s::text[]))",
    Role.SUPERVISOR: _HALL,
    Role.AUDITOR: _HALL,
    Role.PRIVACY_OFFICER: _HALL,
    Role.SYSTEM: _HALL,
    Role.HANDLER: (
        "department = %(department)s and (confidentiality = 'normal' or handler is null or handler = %(person)s)"
    ),
    Role.UNIT_HEAD: "department = %(department)s",
    Role.REVISIT_OFFICER: (f"{_HALL} and step = any('{{replied,closed}}') and not departments && %(departments)s"),
}
"""Which cases a role may know of; a role that is not named here knows of none."""

# The rules of `complaint.state.not_concerned`: whom it is about, who made it, whom the finding names, and who served at
# the window when it happened, when the complaint came, or serves there now.
_NOT_CONCERNED: Final = (
    "(respondent_staff is null or respondent_staff <> all(%(persons)s)) and complainant <> all(%(persons)s)"
    " and not responsible && %(persons)s"
    " and not (registered_as = 'citizen' and registered_by = any(%(persons)s)) and not exists ("
    "select from unnest(%(windows)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[]) t (w, s, u),"
    " unnest(array[happened_at, registered_at, %(at)s]) moment"
    " where w = respondent_window and moment >= s and moment < coalesce(u, 'infinity'))"
)


def in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    """Give the one condition that says which cases somebody may know of, with its parameters.

    It stands before LIMIT, counts and exports. Nobody whom a complaint is about knows of it in any role
    (domain.md §11.5).
    """
    condition = _IN_SIGHT.get(viewer.role, "false")
    if viewer.role is not Role.CITIZEN:
        condition = f"({condition}) and {_NOT_CONCERNED} and {unrestricted(viewer.role)}"
    parameters: dict[str, object] = {
        "person": viewer.person,
        "persons": list(viewer.persons),
        "at": viewer.at,
        "open": sorted(OPEN),
        "sites": sorted(viewer.sites),
        # No hall is unlike all of nothing known: without the top of the register there are no strays.
        "strays": None if viewer.strays is None else sorted(viewer.strays),
        "sealed_from": sorted(viewer.sealed_from),
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
