"""A complaint comes in: registered whatever happens, acknowledged, accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, concerned, not_respondent, the_complainant
from domain.complaint.routing import about_the_desk
from domain.complaint.state import Case, Clock, IdentityMode, Respondent, Step, at_step, started
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Instant, PersonKey, Role
from domain.errors import AlreadyThere, NotYourRole, OutOfTurn, UnknownReference
from domain.handling import Basis, Facts, permit
from domain.review.linking import ComplaintLinked, reference
from domain.rulebook import Profile
from domain.sealed import Sealed, Similar, TextFacts


class Channel(StrEnum):
    """How the complaint came."""

    WINDOW = "window"
    WEB = "web"
    PHONE = "phone"
    LETTER_BOX = "letter_box"
    VISIT = "visit"
    OTHER = "other"


class Confidentiality(StrEnum):
    """Who may know of the case: the ordinary circle, or a closed one."""

    NORMAL = "normal"
    SEALED = "sealed"


class Vulnerable(StrEnum):
    """Why somebody needs more care."""

    ELDERLY = "elderly"
    DISABLED = "disabled"
    MINOR = "minor"
    OTHER = "other"


class ReceiptMedium(StrEnum):
    """How the receipt was given."""

    SCREEN = "screen"
    PAPER = "paper"
    MESSAGE = "message"


class Severity(StrEnum):
    """How grave the matter is."""

    ORDINARY = "ordinary"
    MAJOR = "major"
    URGENT = "urgent"


class Complexity(StrEnum):
    """Which handling limit applies."""

    SIMPLE = "simple"
    COMPLEX = "complex"
    POLICY_OBSTACLE = "policy_obstacle"


class HandlingClass(StrEnum):
    """Handled on the spot, registered and forwarded, or taken up (现场处理, 登记转办, 介入处理)."""

    ON_SPOT = "on_spot"
    FORWARD = "forward"
    INTERVENE = "intervene"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Event):
    """Somebody complained, and it is on record.

    `points` is how many grievances were raised; `written` says whether the complaint was made in writing;
    `by_respondent` marks a record made by somebody it is about: never refused, for a supervisor to see.
    `happened_at` is when the grievance arose, `received_at` when a letter came in that is recorded later, `people` how
    many complain together, and by how many they are represented; `guardian` speaks for a child, `complainant_staff` is
    who complains of the own house. A ledger case was promised nothing: it has no `accept_due`; what it was about may be
    unknown.
    """

    complaint_no: Code
    hall: Code
    profile: Profile
    channel: Channel
    window: Code | None
    complainant: PersonKey
    identity_mode: IdentityMode
    confidentiality: Confidentiality
    category: Code | None
    respondent: Respondent
    item: Code | None
    project_no: Code | None
    external_ref: Code | None
    name: Sealed | None
    phone: Sealed | None
    subject: Sealed | None
    narrative: Sealed | None
    narrative_facts: TextFacts | None
    desired_outcome: Sealed | None
    similar: tuple[Similar, ...]
    vulnerable: tuple[Vulnerable, ...]
    written: bool
    points: int
    happened_at: Instant | None
    claimed_at: Instant | None
    by_respondent: bool
    accept_due: Due | None
    basis: Basis
    received_at: Instant | None = None
    people: int | None = None
    representatives: int | None = None
    guardian: Sealed | None = None
    email: Sealed | None = None
    complainant_staff: PersonKey | None = None
    split_from: UUID | None = None
    also_by: tuple[PersonKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementIssued(Event):
    """The complainant was given a receipt, and a query code where there is no account."""

    receipt_no: Code
    medium: ReceiptMedium
    query_code: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCodeReplaced(Event):
    """A new query code was given out; the old one is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The complaint was accepted (受理); the handling limit runs. Of a ledger case no more may be known."""

    category: Code | None
    severity: Severity | None
    complexity: Complexity | None
    handling_class: HandlingClass | None
    late: bool | None
    assign_due: Due | None
    handle_due: Due | None
    basis: Basis


IntakeEvent: TypeAlias = Registered | AcknowledgementIssued | QueryCodeReplaced | Accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Command):
    """Register a complaint (RegisterComplaint)."""

    hall: Code
    profile: Profile
    channel: Channel
    window: Code | None
    complainant: PersonKey
    identity_mode: IdentityMode
    confidentiality: Confidentiality
    category: Code | None
    respondent: Respondent
    item: Code | None
    project_no: Code | None
    external_ref: Code | None
    name: Sealed | None
    phone: Sealed | None
    subject: Sealed | None
    narrative: Sealed | None
    narrative_facts: TextFacts | None
    desired_outcome: Sealed | None
    vulnerable: tuple[Vulnerable, ...]
    written: bool
    points: int
    happened_at: Instant | None
    claimed_at: Instant | None
    medium: ReceiptMedium | None
    received_at: Instant | None = None
    people: int | None = None
    representatives: int | None = None
    guardian: Sealed | None = None
    email: Sealed | None = None
    complainant_staff: PersonKey | None = None
    about_review: UUID | None = None

    def others(self, state: object) -> tuple[UUID, ...]:  # noqa: ARG002 - registering begins a case
        """Give the review that the complaint is made of, which is told of it in the same transaction."""
        return () if self.about_review is None else (self.about_review,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceQueryCode(Command):
    """Give out a new query code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Command):
    """Accept the complaint."""

    category: Code | None
    severity: Severity
    complexity: Complexity
    handling_class: HandlingClass


IntakeCommand: TypeAlias = Register | ReplaceQueryCode | Accept

REGISTRARS = frozenset({Role.CITIZEN, Role.INTAKE, Role.DISPATCHER, Role.SYSTEM})
"""Who may register is no policy: registering must work before any policy is adopted."""


def check_character(text: str) -> str:
    """Give the check character of ISO/IEC 7064 MOD 37,36 over the letters and digits of `text`."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = 36
    for letter in text.upper():
        if letter in alphabet:
            total = (total + alphabet.index(letter)) % 36 or 36
            total = total * 2 % 37
    return alphabet[(37 - total) % 36]


def complaint_no(hall: Code, day: date, number: int) -> Code:
    """Give the number people see: hall, local day of registration, running number of that day, check character."""
    stem = f"TS-{hall}-{day:%Y%m%d}-{number:05d}"
    return f"{stem}-{check_character(stem)}"


def decide(case: Case | None, command: IntakeCommand, facts: Facts) -> list[Event | For]:
    """Answer what happens at the intake; registering is refused for no reason but who asks.

    Raises NotYourRole, AlreadyThere, OutOfTurn, NoPolicy, Unknown, UnknownReference, OwnCause, OwnComplaint.
    """
    match command:
        case Register():
            return _register(case, command, facts)
        case ReplaceQueryCode(at=at, by=by):
            if case is None:
                raise OutOfTurn
            permit(by, case.profile, "replace-query-code", at, facts)
            not_respondent(case, by, at, facts)
            if by.role is Role.CITIZEN:
                the_complainant(case, by)
            return [QueryCodeReplaced(at=at, by=by)]
        case Accept():
            return _accept(case, command, facts)
        case _:
            assert_never(command)


def _register(case: Case | None, command: Register, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    if by.role not in REGISTRARS:
        raise NotYourRole(role=by.role, command="register")
    if case is not None:
        raise AlreadyThere(complaint_no=case.complaint_no)
    if facts.complaint_no is None:
        raise ValueError("a complaint number must be among the facts")
    profile = command.profile
    ledger = profile is Profile.LEDGER
    if ledger and by.role is not Role.SYSTEM:
        # A ledger case runs without limits: only an import may open one, or a complaint could be hidden there.
        raise NotYourRole(role=by.role, profile=profile)
    closed = about_the_desk(command.respondent, _noticed(command), facts)
    registered = Registered(
        at=at,
        by=by,
        complaint_no=facts.complaint_no,
        hall=command.hall,
        profile=profile,
        channel=command.channel,
        window=command.window,
        complainant=command.complainant,
        identity_mode=command.identity_mode,
        confidentiality=Confidentiality.SEALED if closed else command.confidentiality,
        category=command.category,
        respondent=command.respondent,
        item=command.item,
        project_no=command.project_no,
        external_ref=command.external_ref if command.about_review is None else reference(command.about_review),
        name=command.name,
        phone=command.phone,
        subject=command.subject,
        narrative=command.narrative,
        narrative_facts=command.narrative_facts,
        desired_outcome=command.desired_outcome,
        similar=facts.similar,
        vulnerable=command.vulnerable,
        written=command.written,
        points=command.points,
        happened_at=command.happened_at,
        claimed_at=command.claimed_at,
        received_at=command.received_at,
        people=command.people,
        representatives=command.representatives,
        guardian=command.guardian,
        email=command.email,
        complainant_staff=command.complainant_staff,
        by_respondent=concerned(command.respondent, by.persons, _noticed(command), facts),
        accept_due=None if ledger else facts.limit(profile, "complaint.accept_decision", at),
        basis=facts.basis(profile, at),
    )
    events: list[Event | For] = [registered]
    if command.medium is not None:
        receipt = AcknowledgementIssued(
            at=at, by=by, receipt_no=facts.complaint_no, medium=command.medium, query_code=by.role is not Role.SYSTEM
        )
        events.append(receipt)
    if command.about_review is not None and facts.itself is not None:
        events.append(For(command.about_review, ComplaintLinked(at=at, by=by, complaint=facts.itself)))
    return events


def _own_house(event: Registered) -> frozenset[PersonKey]:
    return frozenset() if event.complainant_staff is None else frozenset({event.complainant_staff})


def _noticed(told: Register | Registered) -> tuple[datetime, ...]:
    return (told.at,) if told.happened_at is None else (told.happened_at, told.at)


def _accept(case: Case | None, command: Accept, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    there = at_step(case, Step.REGISTERED)
    admit(there, command, "accept", facts)
    category = command.category or there.category
    if category is not None and category not in facts.rulebook.categories:
        raise UnknownReference(kind="category", value=category)
    return [
        Accepted(
            at=at,
            by=by,
            category=category,
            severity=command.severity,
            complexity=command.complexity,
            handling_class=command.handling_class,
            late=facts.late(there.profile, there.due(Clock.ACCEPT), at),
            assign_due=facts.limit(there.profile, "complaint.assign", at),
            handle_due=facts.limit(there.profile, f"complaint.handle.{command.complexity}", at),
            basis=facts.basis(there.profile, at),
        )
    ]


def evolve(case: Case | None, event: IntakeEvent) -> Case | None:
    """Take one event in; never refuses."""
    if isinstance(event, Registered):
        # A clerk only writes down what somebody else says; who complains as a citizen for another has a part in it.
        agent = event.by.persons if event.by.role is Role.CITIZEN else frozenset()
        # A part of another case was received with it.
        begins = event.at if event.split_from is None or event.received_at is None else event.received_at
        case = Case(
            step=Step.REGISTERED,
            profile=event.profile,
            hall=event.hall,
            complaint_no=event.complaint_no,
            made_by=agent | {event.complainant, *event.also_by} | _own_house(event),
            noticed=tuple(dict.fromkeys((*_noticed(event), begins))),
            identity_mode=event.identity_mode,
            respondent=event.respondent,
            written=event.written,
            points=event.points,
            category=event.category,
            registered_at=event.at,
            sealed=event.confidentiality is Confidentiality.SEALED,
            registration=event,
        )
        return started(case, event.at, begins, accept=("complaint.accept_decision", event.accept_due))
    if case is None:
        return None
    match event:
        case AcknowledgementIssued() | QueryCodeReplaced():
            return case
        case Accepted(category=category):
            return started(
                replace(case, step=Step.ACCEPTED, category=category),
                event.at,
                assign=("complaint.assign", event.assign_due),
                handle=(f"complaint.handle.{event.complexity}", event.handle_due),
            )
        case _:
            assert_never(event)
