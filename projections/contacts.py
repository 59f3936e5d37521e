"""One row per intake contact: what somebody came with, whether it was registered, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from domain.complaint.intake import Channel
from domain.deadlines import Due
from domain.decider import Role
from domain.intake_contact import (
    ContactKind,
    ContactReclassified,
    ContactRecorded,
    ContactRegistered,
    ContactSettled,
    Settlement,
)
from projections.sight import HALL, Viewer, told_of
from projections.tables import Entry, Projection


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """A contact; times are UTC. `case` is the first that was registered, `registered_late` whether that was in time."""

    contact: UUID
    position: int
    version: int
    hall: str
    window: str | None
    kind: ContactKind
    channel: Channel
    recorded_at: datetime
    recorded_by: UUID
    register_due: datetime | None
    register_due_provisional: bool
    case: UUID | None
    registered_late: bool | None
    settlement: Settlement | None


def evolve(row: ContactRow | None, entry: Entry) -> ContactRow | None:
    """Take one event of the log in."""
    event = entry.event
    if isinstance(event, ContactRecorded):
        return ContactRow(
            contact=entry.stream,
            position=entry.position,
            version=entry.version,
            hall=event.hall,
            window=event.window,
            kind=event.kind,
            channel=event.channel,
            recorded_at=event.at,
            recorded_by=event.by.person,
            case=None,
            registered_late=None,
            settlement=None,
            **_due(event.register_due),
        )
    if row is None:
        return None
    moved = replace(row, position=entry.position, version=entry.version)
    match event:
        case ContactReclassified(kind=kind, register_due=due):
            return replace(moved, kind=kind, **_due(due))
        case ContactRegistered(case=case, late=late) if row.case is None:
            return replace(moved, case=case, registered_late=late)
        case ContactSettled(settlement=settlement):
            return replace(moved, settlement=settlement)
        case _:
            return moved


def _due(due: Due | None) -> dict[str, Any]:
    return {
        "register_due": None if due is None else due.at,
        "register_due_provisional": due is not None and due.provisional,
    }


def key(entry: Entry) -> UUID | None:
    """Give the contact an event belongs to."""
    return entry.stream if entry.name.startswith("intake.") else None


CONTACTS: Final = Projection(
    name="contacts",
    number=1,
    row=ContactRow,
    key=key,
    evolve=evolve,
    indexes=MappingProxyType({"newest": 'recorded_at, "contact"', "waiting": "register_due"}),
)
fold: Final = CONTACTS.fold

_IN_SIGHT: Final[Mapping[Role, str]] = {
    Role.INTAKE: f'{HALL} and (recorded_by = any(%(persons)s) or "window" = %(window)s)',
    Role.DISPATCHER: HALL,
    Role.SUPERVISOR: HALL,
    Role.AUDITOR: HALL,
    Role.SYSTEM: HALL,
}
"""Which contacts a role may know of; there is nothing personal in them, and nobody else has to do with them."""

_WANTED: Final = (
    "(%(kind)s::text is null or kind = %(kind)s)"
    " and (not %(unregistered)s or (kind = 'complaint' and \"case\" is null))"
    " and (not %(overdue)s or (register_due < %(at)s and not register_due_provisional))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsWanted:
    """Which contacts somebody wants to see: of a kind; complaints without a registration; past their limit."""

    kind: ContactKind | None = None
    unregistered: bool = False
    overdue: bool = False
    limit: int = 50


def may_see(connection: psycopg.Connection, viewer: Viewer, row: ContactRow) -> bool:
    """Say whether somebody may know of a contact that was folded from its stream just now, as the list does."""
    return CONTACTS.holds(connection, row, *_in_sight(viewer))


def _in_sight(viewer: Viewer) -> tuple[sql.SQL, dict[str, object]]:
    return sql.SQL(_IN_SIGHT.get(viewer.role, "false")), told_of(viewer)


def contacts(connection: psycopg.Connection, viewer: Viewer, wanted: ContactsWanted) -> tuple[list[ContactRow], int]:
    """Give contacts somebody may know of, the oldest first, and how many there are in all."""
    sight, parameters = _in_sight(viewer)
    parameters |= {
        "kind": wanted.kind,
        "unregistered": wanted.unregistered,
        "overdue": wanted.overdue,
        "limit": wanted.limit,
    }
    query = sql.SQL(
        "select {columns}, count(*) over () from {table} where ({sight}) and {wanted}"
        " order by recorded_at, contact limit %(limit)s"
    ).format(columns=CONTACTS.names, table=sql.Identifier(CONTACTS.table), sight=sight, wanted=sql.SQL(_WANTED))
    found = connection.execute(query, parameters, binary=True).fetchall()
    return [CONTACTS.load(row[:-1]) for row in found], found[0][-1] if found else 0
