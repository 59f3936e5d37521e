"""A unit says that a case is not its duty (退回); the desk relieves it, or leaves the case where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.state import Case, Clock, Returning, Step, at_step, started
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.deadlines import Due, Pause
from domain.decider import Code, Command, Event, For
from domain.errors import (
    Designated,
    NotYourCase,
    OnceOnly,
    OwnReturn,
    Superseded,
    TooLate,
    UnknownReference,
)
from domain.handling import Basis, Facts, keep_apart, listed, post_of
from domain.sealed import Sealed

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnRequested(Event):
    """The unit says that the case is not its duty (退回), and whose it may be."""

    request: UUID
    reason: Code
    explanation: Sealed
    suggested_unit: Code | None
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnApproved(Event):
    """The unit was relieved of the case; it is to be assigned again, with a new limit for that."""

    request: UUID
    assign_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnRejected(Event):
    """The unit keeps the case; after a final decision it cannot return it again."""

    request: UUID
    reason: Sealed
    final: bool


ReturningEvent: TypeAlias = AssignmentReturnRequested | AssignmentReturnApproved | AssignmentReturnRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturn(Command):
    """Say that the case is not this unit's duty."""

    request: UUID
    reason: Code
    explanation: Sealed
    suggested_unit: Code | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReturn(Command):
    """Decide on the request named. Raises ValueError for a rejection without a reason, and an approval with one."""

    request: UUID
    approved: bool
    reason: Sealed | None
    final: bool

    def __post_init__(self) -> None:
        """Refuse a decision that says both, or neither."""
        if self.approved is not (self.reason is None):
            raise ValueError("a reason belongs to a rejection, and every rejection has one")


ReturningCommand: TypeAlias = RequestReturn | DecideReturn

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {"request-return": frozenset({Step.ASSIGNED}), "decide-return": frozenset({Step.ASSIGNED})}
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: ReturningCommand, facts: Facts) -> list[Event | For]:
    """Answer a unit that does not hold the case for its own.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, Designated, OnceOnly,
    UnknownReference, TooLate, Superseded, OwnReturn.
    """
    match command:
        case RequestReturn():
            return _request_return(at_step(case, *TURNS["request-return"]), command, facts)
        case DecideReturn():
            return _decide_return(at_step(case, *TURNS["decide-return"]), command, facts)
        case _:
            assert_never(command)


def _request_return(case: Case, command: RequestReturn, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = admit(case, command, "request-return", facts)
    if post_of(by, at, facts).department != case.department or not (case.handler is None or case.handler in by.persons):
        raise NotYourCase(department=case.department)
    if case.designated:
        raise Designated(department=case.department)
    if case.returning is not None:
        raise OnceOnly(request=case.returning.request)
    listed(policy, "return_reason", command.reason)
    suggested = command.suggested_unit
    if suggested is not None and (suggested not in facts.register.departments or suggested == case.department):
        raise UnknownReference(kind="department", value=suggested)
    late = facts.late(case.profile, case.due(Clock.RETURN), at)
    if late:
        raise TooLate(due=case.due(Clock.RETURN))
    return [
        AssignmentReturnRequested(
            at=at,
            by=by,
            request=command.request,
            reason=command.reason,
            explanation=command.explanation,
            suggested_unit=suggested,
            late=late,
        )
    ]


def _decide_return(case: Case, command: DecideReturn, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "decide-return", facts)
    if case.returning is None or case.returning.request != command.request:
        raise Superseded(request=command.request)
    keep_apart(by, case.returning.asked_by, OwnReturn)
    if command.reason is None:
        return [
            AssignmentReturnApproved(
                at=at,
                by=by,
                request=command.request,
                assign_due=facts.limit(case.profile, "complaint.assign", at),
                basis=facts.basis(case.profile, at),
            )
        ]
    rejected = AssignmentReturnRejected(
        at=at, by=by, request=command.request, reason=command.reason, final=command.final
    )
    return [rejected, *_waited(case, case.returning, command, facts)]


def _waited(case: Case, returning: Returning, command: DecideReturn, facts: Facts) -> list[DeadlineRecomputed]:
    """Lengthen the limit for signing by the wait for the decision; no limit of the complainant (domain.md §4.3)."""
    sign = case.clocks.get(Clock.SIGN)
    if sign is None:
        return []
    waited = Pause(start=returning.asked_at, end=command.at)
    anew = replace(sign, pauses=(*sign.pauses, waited))
    due = facts.limit(case.profile, anew.term, anew.set_at, since=anew.since, pauses=anew.pauses, extra=anew.extra)
    if due is None or due == sign.due:
        return []
    return [
        DeadlineRecomputed(
            at=command.at,
            by=command.by,
            clock=Clock.SIGN,
            old=sign.due,
            new=due,
            cause=Cause.RETURNED,
            reference=returning.request,
            basis=facts.basis(case.profile, sign.set_at),
            taken_over=replace(anew, due=due),
        )
    ]


def evolve(case: Case, event: ReturningEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case AssignmentReturnRequested(at=at, by=by, request=request):
            return replace(case, returning=Returning(request=request, asked_at=at, asked_by=by.persons))
        case AssignmentReturnApproved(at=at, assign_due=assign_due):
            returned = replace(
                case, step=Step.ACCEPTED, department=None, handler=None, returning=None, forwards=case.forwards + 1
            )
            return started(returned, at, assign=("complaint.assign", assign_due))
        case AssignmentReturnRejected(final=final):
            return replace(case, returning=None, designated=case.designated or final)
        case _:
            assert_never(event)
