"""A supervisor, or a timer, reminds and orders; the unit answers, and the order is lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.escalation import due_now, orders, reminder
from domain.complaint.state import BEFORE_REPLY, OPEN, Case, Clock, Step, at_step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Role
from domain.errors import AlreadyThere, NotYourCase, OwnAnswerLifted, UnknownReference
from domain.escalation import Supervision, answered, in_force, issued, lifted, unanswered
from domain.handling import Basis, Facts, keep_apart, listed, post_of
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded(Event):
    """The unit was reminded that a limit is near (催办); `about` is that limit."""

    clock: Clock
    about: Due | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionIssued(Event):
    """A supervision order was issued (督办), with its level from 1 to 3 and the rule it rests on.

    `clock` and `about` are the limit that was missed, where the rule is about one; `due` is for the answer.
    """

    supervision: UUID
    supervision_no: Code
    rule_no: Code
    level: int
    clock: Clock | None
    about: Due | None
    content: Sealed | None
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionAnswered(Event):
    """The unit answered the order."""

    supervision: UUID
    answer: Sealed
    answer_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionLifted(Event):
    """The order was lifted."""

    supervision: UUID
    reason: Sealed | None


SupervisionEvent: TypeAlias = Reminded | SupervisionIssued | SupervisionAnswered | SupervisionLifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(Command):
    """Remind the unit of a limit that is near."""

    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSupervision(Command):
    """Issue a supervision order."""

    supervision: UUID
    rule_no: Code
    level: int
    content: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSupervision(Command):
    """Answer the order named."""

    supervision: UUID
    answer: Sealed
    answer_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSupervision(Command):
    """Lift the order named."""

    supervision: UUID
    reason: Sealed | None


SupervisionCommand: TypeAlias = Remind | IssueSupervision | AnswerSupervision | LiftSupervision

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "remind": OPEN,
        "issue-supervision": OPEN,
        # An order outlives the case: it is answered and lifted after the case was closed, too.
        "answer-supervision": frozenset(Step) - {Step.ARCHIVED},
        "lift-supervision": frozenset(Step) - {Step.ARCHIVED},
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


LEVELS: Final = range(1, 4)
"""From a word to the unit to a matter for the leadership (domain.md §5, `escalate.*`)."""


def supervision_no(complaint_no: Code, number: int) -> Code:
    """Give the number of an order: that of the complaint, and how many there were."""
    return f"DB-{complaint_no.removeprefix('TS-')}-{number}"


def decide(case: Case | None, command: SupervisionCommand, facts: Facts) -> list[Event | For]:
    """Answer a reminder, an order of supervision, its answer and its end.

    A timer that comes too early, or for the second time, changes nothing.
    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, UnknownReference, AlreadyThere, Superseded, OwnAnswerLifted,
    OwnCause, OwnComplaint, Recused, RecusalPending.
    """
    at, by = command.at, command.by
    match command:
        case Remind():
            return _remind(at_step(case, *TURNS["remind"]), command, facts)
        case IssueSupervision():
            return _issue(at_step(case, *TURNS["issue-supervision"]), command, facts)
        case AnswerSupervision():
            return _answer(at_step(case, *TURNS["answer-supervision"]), command, facts)
        case LiftSupervision(supervision=supervision, reason=reason):
            there = at_step(case, *TURNS["lift-supervision"])
            admit(there, command, "lift-supervision", facts)
            order = in_force(there.supervisions, supervision)
            keep_apart(by, order.answered_by | there.handlers, OwnAnswerLifted)
            return [SupervisionLifted(at=at, by=by, supervision=supervision, reason=reason)]
        case _:
            assert_never(command)


def _remind(case: Case, command: Remind, facts: Facts) -> list[Event | For]:
    at, by, clock = command.at, command.by, command.clock
    policy = admit(case, command, "remind", facts)
    due = case.due(clock)
    if due is None:
        raise UnknownReference(kind="clock", value=clock)
    if by.role is Role.SYSTEM:
        owed = reminder(case, policy, facts)
        if owed is None or owed[0] is not clock or at < owed[2]:
            return []
    if (clock, due.at) in case.reminded:
        return []
    return [Reminded(at=at, by=by, clock=clock, about=due)]


def _issue(case: Case, command: IssueSupervision, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = admit(case, command, "issue-supervision", facts)
    if command.supervision in case.supervisions:
        raise AlreadyThere(supervision=command.supervision)
    clock: Clock | None = None
    about: Due | None = None
    if by.role is Role.SYSTEM:
        owed = (one for one in orders(case, policy, facts) if (one.rule, one.level) == (command.rule_no, command.level))
        order = next(owed, None)
        if order is None or not due_now(order, case, at, facts):
            return []
        clock, about = order.clock, order.about
    else:
        listed(policy, "supervision_rule", command.rule_no)
        if command.level not in LEVELS:
            raise UnknownReference(kind="level", value=command.level)
    return [
        SupervisionIssued(
            at=at,
            by=by,
            supervision=command.supervision,
            supervision_no=supervision_no(case.complaint_no, len(case.supervisions) + 1),
            rule_no=command.rule_no,
            level=command.level,
            clock=clock,
            about=about,
            content=command.content,
            due=facts.limit(case.profile, "complaint.supervision_answer", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _answer(case: Case, command: AnswerSupervision, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "answer-supervision", facts)
    # Where no unit has the case, or it has answered, the desk is what is waited for.
    desk = case.department is None or case.step not in BEFORE_REPLY
    if by.role is not Role.DISPATCHER and post_of(by, at, facts).department != case.department:
        raise NotYourCase(department=case.department)
    if by.role is Role.DISPATCHER and not desk:
        raise NotYourCase(department=case.department)
    if by.role is Role.HANDLER and case.handler not in {None, *by.persons}:
        raise NotYourCase(department=case.department)
    order = unanswered(case.supervisions, command.supervision)
    return [
        SupervisionAnswered(
            at=at,
            by=by,
            supervision=command.supervision,
            answer=command.answer,
            answer_measured=command.answer_measured,
            late=facts.late(case.profile, order.due, at),
        )
    ]


def evolve(case: Case, event: SupervisionEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case Reminded(clock=clock, about=about):
            return case if about is None else replace(case, reminded=case.reminded | {(clock, about.at)})
        case SupervisionIssued(about=about):
            order = Supervision(
                level=event.level,
                rule=event.rule_no,
                round=case.round,
                clock=event.clock,
                about=None if about is None else about.at,
                due=event.due,
            )
            return replace(case, supervisions=issued(case.supervisions, event.supervision, order))
        case SupervisionAnswered(supervision=supervision, by=by):
            return replace(case, supervisions=answered(case.supervisions, supervision, by))
        case SupervisionLifted(supervision=supervision):
            return replace(case, supervisions=lifted(case.supervisions, supervision))
        case _:
            assert_never(event)
