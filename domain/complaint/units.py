"""Departments answer when they are called in, and a case is handed over to another person or unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, by_the_handler, may_take, no_judge, unit_may_take
from domain.complaint.state import OPEN, Call, Case, Clock, Step, at_step, started
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    HandlerNeeded,
    NotYourCase,
    Superseded,
    UnknownReference,
)
from domain.handling import Basis, Facts, post_of
from domain.sealed import Sealed, TextFacts


class HandoverReason(StrEnum):
    """Why a case goes to somebody else."""

    LEFT = "left"
    LEAVE = "leave"
    WORKLOAD = "workload"
    RECUSAL = "recusal"
    REORGANISED = "reorganised"
    OTHER = "other"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCalledIn(Event):
    """A department was called in to answer a question, with a limit of its own; another one leads."""

    call: UUID
    department: Code
    question: Sealed
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAnswered(Event):
    """A department that was called in answered."""

    call: UUID
    answer: Sealed
    answer_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """The case went to another person or unit; the limit of the unit begins anew, the promise does not.

    A unit that did not have the case may return it, until `return_due`. A ledger does not tell why.
    """

    department: Code | None
    handler: PersonKey | None
    from_department: Code | None
    from_handler: PersonKey | None
    reason: HandoverReason | None
    sign_due: Due | None
    unit_due: Due | None
    basis: Basis
    return_due: Due | None = None


UnitEvent: TypeAlias = UnitCalledIn | UnitAnswered | HandedOver


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIn(Command):
    """Call in another department."""

    call: UUID
    department: Code
    question: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall(Command):
    """Answer the call named."""

    call: UUID
    answer: Sealed
    answer_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Command):
    """Give the case to another person or unit."""

    department: Code
    handler: PersonKey | None
    reason: HandoverReason


UnitCommand: TypeAlias = CallIn | AnswerCall | HandOver

BEFORE_ANSWER: Final = frozenset({Step.ASSIGNED, Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED})
"""Where a unit has the case and the complainant still waits for the answer."""

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "call-in": frozenset({Step.ASSIGNED, Step.IN_PROGRESS}),
        "answer-call": OPEN,
        # After the answer a rectification may still be under way, also when its handler leaves.
        "hand-over": BEFORE_ANSWER | {Step.REPLIED, Step.CLOSED},
    }
)
"""At which steps each command is in turn (domain.md §6.3; call-in and hand-over are our design)."""


def decide(case: Case | None, command: UnitCommand, facts: Facts) -> list[Event | For]:
    """Answer what departments do with a case that one of them leads.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, UnknownReference, UnitConcerned,
    DepartmentGone, AlreadyThere, Superseded, HandlerNeeded, and what `by_the_handler` raises.
    """
    match command:
        case CallIn():
            return _call_in(at_step(case, *TURNS["call-in"]), command, facts)
        case AnswerCall():
            return _answer(at_step(case, *TURNS["answer-call"]), command, facts)
        case HandOver():
            return _hand_over(at_step(case, *TURNS["hand-over"]), command, facts)
        case _:
            assert_never(command)


def _call_in(case: Case, command: CallIn, facts: Facts) -> list[Event | For]:
    """Let the desk, or the handler who leads, ask another department (协办)."""
    at, by, department = command.at, command.by, command.department
    if by.role is Role.HANDLER:
        by_the_handler(case, command, "call-in", facts)
    else:
        admit(case, command, "call-in", facts)
    unit_may_take(case, department, at, facts)
    if department == case.department:
        # Who leads need not be called in.
        raise UnknownReference(kind="department", value=department)
    if command.call in case.calls or any(
        call.department == department and not call.answered for call in case.calls.values()
    ):
        raise AlreadyThere(department=department)
    return [
        UnitCalledIn(
            at=at,
            by=by,
            call=command.call,
            department=department,
            question=command.question,
            due=facts.limit(case.profile, "complaint.call", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _answer(case: Case, command: AnswerCall, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "answer-call", facts)
    call = case.calls.get(command.call)
    if call is None:
        raise UnknownReference(kind="call", value=command.call)
    if post_of(by, at, facts).department != call.department:
        raise NotYourCase(department=call.department)
    # What is answered becomes part of the inquiry, so nobody answers who judged it, or the other way round.
    no_judge(case, by)
    if call.answered:
        raise Superseded(call=command.call)
    return [
        UnitAnswered(
            at=at,
            by=by,
            call=command.call,
            answer=command.answer,
            answer_measured=command.answer_measured,
            late=facts.late(case.profile, call.due, at),
        )
    ]


def _hand_over(case: Case, command: HandOver, facts: Facts) -> list[Event | For]:
    """Give the case to somebody who can carry it on; whoever had it before keeps their part in it."""
    at, by, department, handler = command.at, command.by, command.department, command.handler
    admit(case, command, "hand-over", facts)
    if by.role is Role.UNIT_HEAD and {post_of(by, at, facts).department} != {case.department, department}:
        raise NotYourCase(department=case.department)
    if case.step is Step.CLOSED and not still_to_rectify(case):
        at_step(case, *TURNS["hand-over"] - {Step.CLOSED})
    unit_may_take(case, department, at, facts)
    if handler is None and case.step not in BEFORE_ANSWER:
        # Nobody signs for a case any more that is answered.
        raise HandlerNeeded(step=case.step)
    if handler is not None:
        may_take(case, handler, department, at, facts)
    if (department, handler) == (case.department, case.handler):
        return []
    return [handed_over(case, command, department, handler, command.reason, facts)]


def handed_over(
    case: Case,
    command: Command,
    department: Code | None,
    handler: PersonKey | None,
    reason: HandoverReason,
    facts: Facts,
) -> HandedOver:
    """Give the case to another person or unit; whoever signs for it anew has the time for that again."""
    at = command.at
    signs_anew = after_hand_over(case.step, case.department, department, handler) is Step.ASSIGNED
    another = case.department != department and signs_anew
    return HandedOver(
        at=at,
        by=command.by,
        department=department,
        handler=handler,
        from_department=case.department,
        from_handler=case.handler,
        reason=reason,
        sign_due=facts.limit(case.profile, "complaint.sign_for", at) if signs_anew else None,
        unit_due=case.due(Clock.HANDLE),
        basis=facts.basis(case.profile, at),
        return_due=facts.limit(case.profile, "complaint.unit_return", at) if another else None,
    )


def still_to_rectify(case: Case) -> bool:
    """Say whether something must still be put right."""
    return case.plans_owed > 0 or any(one.passed is None for one in case.rectifications.values())


def after_hand_over(
    step: Step, from_department: Code | None, department: Code | None, handler: PersonKey | None
) -> Step:
    """Give where a case stands after it was handed over, in the rules and on the docket alike.

    Another unit signs for it first, and so does whoever takes it where nobody is named; one colleague goes on where the
    other stopped. After the answer it stays where it is.
    """
    anew = department != from_department or handler is None
    return Step.ASSIGNED if anew and step in BEFORE_ANSWER else step


def evolve(case: Case, event: UnitEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case UnitCalledIn(by=by, call=call, department=department, due=due):
            called = replace(
                case,
                calls=MappingProxyType({**case.calls, call: Call(department=department, due=due)}),
                departments=case.departments | {department},
            )
            return replace(called, handlers=case.handlers | by.persons) if by.role is Role.HANDLER else called
        case UnitAnswered(by=by, call=call):
            answered = replace(case, handlers=case.handlers | by.persons)
            found = case.calls.get(call)
            if found is None:
                return answered
            return replace(answered, calls=MappingProxyType({**case.calls, call: replace(found, answered=True)}))
        case HandedOver():
            return _handed_over(case, event)
        case _:
            assert_never(event)


def _handed_over(case: Case, event: HandedOver) -> Case:
    step = after_hand_over(case.step, event.from_department, event.department, event.handler)
    taken = replace(case, step=step, department=event.department, handler=event.handler)
    if event.department is not None:
        taken = replace(taken, departments=case.departments | {event.department})
    if step is not Step.ASSIGNED:
        return taken
    taken = started(taken, event.at, sign=("complaint.sign_for", event.sign_due))
    if event.from_department != event.department:
        # What was decided on a return was about the other unit.
        taken = replace(taken, returning=None, designated=False)
        taken = started(taken, event.at, **{"return": ("complaint.unit_return", event.return_due)})
    return replace(taken, reply=None)
