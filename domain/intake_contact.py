"""Whoever comes, calls or writes is counted, so that it can be counted too whether every matter was registered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias, assert_never, get_args
from uuid import UUID, uuid5

from domain.complaint.intake import Channel
from domain.deadlines import Due
from domain.decider import NAMESPACE, Code, Command, Decider, Event, For, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    ComplaintToRegister,
    NotAComplaint,
    NotYourRole,
    OutOfTurn,
    OwnContactReclassified,
)
from domain.handling import Basis, Facts, keep_apart, post_of
from domain.rulebook import Profile


class ContactKind(StrEnum):
    """What somebody came with."""

    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"
    PRAISE = "praise"
    SUGGESTION = "suggestion"
    OTHER = "other"


class Settlement(StrEnum):
    """How a contact that is no complaint came to its end."""

    ANSWERED = "answered"
    GUIDED = "guided"
    NOTED = "noted"
    PASSED_ON = "passed_on"
    LEFT = "left"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded(Event):
    """Somebody came, called or wrote; what they complain of is to be registered until `register_due`."""

    hall: Code
    window: Code | None
    kind: ContactKind
    channel: Channel
    register_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReclassified(Event):
    """It turned out to be something else."""

    kind: ContactKind
    register_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRegistered(Event):
    """What they complained of is registered as this case, in time or not."""

    case: UUID
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSettled(Event):
    """It came to its end without a complaint."""

    settlement: Settlement


ContactEvent: TypeAlias = ContactRecorded | ContactReclassified | ContactRegistered | ContactSettled


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact(Command):
    """Count a contact."""

    hall: Code
    window: Code | None
    kind: ContactKind
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassify(Command):
    """Say that it is something else."""

    kind: ContactKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCase(Command):
    """Name the case that was registered; `registered_at` (UTC) is when it was, as its own stream says."""

    case: UUID
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Command):
    """Say how it ended."""

    settlement: Settlement


ContactCommand: TypeAlias = RecordContact | Reclassify | LinkCase | Settle

RECORDERS: Final = frozenset({Role.INTAKE, Role.DISPATCHER, Role.SYSTEM})
"""Who counts contacts is no policy: as with registering, it must work before any policy is adopted."""
JUDGES: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
"""Who may say that what was taken for a complaint is none; never who took it."""
LIMIT: Final[Code] = "intake.register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact as its rules see it."""

    kind: ContactKind
    hall: Code
    recorded_by: frozenset[PersonKey]
    register_due: Due | None
    cases: frozenset[UUID] = frozenset()
    settlement: Settlement | None = None


def contact_of_command(command_id: UUID) -> UUID:
    """Give the contact that a command opens, so that a repeated request finds what the first one did."""
    return uuid5(NAMESPACE, f"contact:{command_id}")


def decide(contact: Contact | None, command: ContactCommand, facts: Facts) -> list[Event | For]:
    """Answer what is counted; a complaint ends in no other way than by being registered (domain.md §12 A1).

    Raises NotYourRole, AlreadyThere, OutOfTurn, OwnContactReclassified, NotAComplaint, ComplaintToRegister.
    """
    at, by = command.at, command.by
    if by.role not in RECORDERS | JUDGES:
        raise NotYourRole(role=by.role, command="record-contact")
    if by.role is not Role.SYSTEM:
        post_of(by, at, facts)
    if isinstance(command, RecordContact):
        return _record(contact, command, facts)
    if contact is None:
        raise OutOfTurn
    match command:
        case Reclassify(kind=kind):
            return _reclassify(contact, command, kind, facts)
        case LinkCase(case=case, registered_at=registered_at):
            if case in contact.cases:
                return []
            if contact.kind is not ContactKind.COMPLAINT:
                raise NotAComplaint(kind=contact.kind)
            late = facts.late(Profile.HALL, contact.register_due, registered_at)
            return [ContactRegistered(at=at, by=by, case=case, late=late)]
        case Settle(settlement=settlement):
            if contact.settlement is settlement:
                return []
            if contact.settlement is not None:
                raise AlreadyThere(settlement=contact.settlement)
            if contact.kind is ContactKind.COMPLAINT:
                raise ComplaintToRegister
            return [ContactSettled(at=at, by=by, settlement=settlement)]
        case _:
            assert_never(command)


def _record(contact: Contact | None, command: RecordContact, facts: Facts) -> list[Event | For]:
    if contact is not None:
        raise AlreadyThere(kind=contact.kind)
    if command.by.role not in RECORDERS:
        raise NotYourRole(role=command.by.role, command="record-contact")
    return [
        ContactRecorded(
            at=command.at,
            by=command.by,
            hall=command.hall,
            window=command.window,
            kind=command.kind,
            channel=command.channel,
            register_due=_limit(command.kind, command.at, facts),
            basis=facts.basis(Profile.HALL, command.at),
        )
    ]


def _reclassify(contact: Contact, command: Reclassify, kind: ContactKind, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    if kind is contact.kind:
        return []
    if contact.settlement is not None or contact.cases:
        raise OutOfTurn(settlement=contact.settlement)
    if contact.kind is ContactKind.COMPLAINT:
        # Or whoever takes complaints could make them disappear.
        if by.role not in JUDGES:
            raise NotYourRole(role=by.role, command="reclassify")
        keep_apart(by, contact.recorded_by, OwnContactReclassified)
    return [
        ContactReclassified(
            at=at, by=by, kind=kind, register_due=_limit(kind, at, facts), basis=facts.basis(Profile.HALL, at)
        )
    ]


def _limit(kind: ContactKind, at: datetime, facts: Facts) -> Due | None:
    return facts.limit(Profile.HALL, LIMIT, at) if kind is ContactKind.COMPLAINT else None


def evolve(contact: Contact | None, event: ContactEvent) -> Contact | None:
    """Take one event in; never refuses."""
    if isinstance(event, ContactRecorded):
        return Contact(kind=event.kind, hall=event.hall, recorded_by=event.by.persons, register_due=event.register_due)
    if contact is None:
        return None
    match event:
        case ContactReclassified(by=by, kind=kind, register_due=due):
            return replace(contact, kind=kind, register_due=due, recorded_by=contact.recorded_by | by.persons)
        case ContactRegistered(case=case):
            return replace(contact, cases=contact.cases | {case})
        case ContactSettled(settlement=settlement):
            return replace(contact, settlement=settlement)
        case _:
            assert_never(event)


CONTACT: Final[Decider[Contact | None, ContactCommand, ContactEvent, Facts]] = Decider(
    "intake", None, decide, evolve, get_args(ContactEvent)
)
