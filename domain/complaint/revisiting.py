"""The result is revisited by somebody outside the unit, and only then the case is closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.state import Case, Clock, IdentityMode, Step, at_step
from domain.decider import Code, Command, Event, For, Instant
from domain.errors import AlreadyRevisited, LinkedUnserved, OwnWorkRevisited, RectificationOpen, RevisitMissing
from domain.grade import Grade
from domain.handling import ContactResult, Facts, Method, keep_apart, not_later, tried_enough
from domain.rulebook import Policy
from domain.sealed import Sealed


class Resolved(StrEnum):
    """Whether the complainant says the matter is settled."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    DECLINED = "declined"


class Outcome(StrEnum):
    """With what result a case was closed."""

    RESOLVED = "resolved"
    PARTLY_RESOLVED = "partly_resolved"
    EXPLAINED = "explained"
    UNRESOLVED = "unresolved"


class RevisitStatus(StrEnum):
    """What became of the revisit when the case was closed."""

    COMPLETED = "completed"
    UNREACHABLE = "unreachable"
    ANONYMOUS = "anonymous"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisitAttempted(Event):
    """Somebody tried to reach the complainant after the reply, on this local day."""

    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    happened_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisited(Event):
    """The result was revisited (回访): what the complainant says of it."""

    resolved: Resolved
    attitude_satisfaction: Grade | None
    result_satisfaction: Grade | None
    new_facts: bool
    note: Sealed | None
    refused_reason: Code | None = None
    late: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The case was closed (办结). Of a ledger case neither the outcome nor the revisit may be known."""

    outcome: Outcome | None
    revisit_status: RevisitStatus | None
    resolution_code: Code | None = None


RevisitingEvent: TypeAlias = RevisitAttempted | Revisited | Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the complainant said at the revisit."""

    resolved: Resolved
    attitude_satisfaction: Grade | None
    result_satisfaction: Grade | None
    new_facts: bool
    note: Sealed | None
    refused_reason: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit(Command):
    """Record an attempt to revisit and, if the complainant was reached, the answers.

    Raises ValueError for answers of somebody not reached, and for somebody reached without answers.
    """

    method: Method
    result: ContactResult
    answers: Answers | None
    happened_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a revisit that nobody can have made."""
        if (self.answers is not None) != (self.result is ContactResult.REACHED):
            raise ValueError(f"the revisit was {self.result}; answers belong to reached, and only to it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Command):
    """Close the case."""

    outcome: Outcome
    resolution_code: Code | None = None

    def others(self, state: object) -> tuple[UUID, ...]:
        """Give the cases merged into the one that is to be closed."""
        return tuple(sorted(state.linked)) if isinstance(state, Case) else ()


RevisitingCommand: TypeAlias = Revisit | Close


def decide(case: Case | None, command: RevisitingCommand, facts: Facts) -> list[Event | For]:
    """Answer a revisit, and the wish to close.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, OwnWorkRevisited, AlreadyRevisited,
    RevisitMissing, RectificationOpen, LinkedUnserved.
    """
    at, by = command.at, command.by
    there = at_step(case, Step.REPLIED)
    match command:
        case Revisit():
            return _revisit(there, command, facts)
        case Close(outcome=outcome, resolution_code=resolution):
            policy = admit(there, command, "close", facts)
            if _rectification_open(there, facts.day(there.profile, at)):
                raise RectificationOpen
            status = _revisit_status(there, policy)
            for linked in command.others(there):
                _served(facts.others.get(linked), there, policy)
            return [Closed(at=at, by=by, outcome=outcome, revisit_status=status, resolution_code=resolution)]
        case _:
            assert_never(command)


def _rectification_open(case: Case, today: date) -> bool:
    """Say whether something is not put right, nor tracked with a date still to come; who failed must plan anew."""
    owed = case.finding is not None and case.finding.asks_for_rectification
    if owed and (case.plans_owed or not case.rectifications):
        return True
    return any(one.passed is None and one.due.day < today for one in case.rectifications.values())


def _revisit_status(case: Case, policy: Policy) -> RevisitStatus:
    if case.revisited:
        return RevisitStatus.COMPLETED
    if tried_enough(case.revisit_days, policy):
        return RevisitStatus.UNREACHABLE
    if case.identity_mode is IdentityMode.ANONYMOUS and case.revisit_days:
        return RevisitStatus.ANONYMOUS
    raise RevisitMissing(attempts=len(case.revisit_days), required=policy.attempts_required)


def _served(linked: object, primary: Case, policy: Policy) -> None:
    """Refuse to close over the head of somebody whose case was merged into this one (domain.md §4.3)."""
    if not isinstance(linked, Case):
        raise LinkedUnserved
    if linked.answered_with != primary.reply:
        raise LinkedUnserved(complaint_no=linked.complaint_no)
    served(linked, policy)


def served(linked: Case, policy: Policy) -> None:
    """Refuse while whoever has a merged case was not told an answer, or not asked afterwards; raises LinkedUnserved."""
    if linked.answered_with is None:
        raise LinkedUnserved(complaint_no=linked.complaint_no)
    try:
        _revisit_status(linked, policy)
    except RevisitMissing:
        raise LinkedUnserved(complaint_no=linked.complaint_no) from None


def _revisit(case: Case, command: Revisit, facts: Facts) -> list[Event | For]:
    at, by, answers = command.at, command.by, command.answers
    admit(case, command, "revisit", facts)
    keep_apart(by, case.handlers | case.approvers, OwnWorkRevisited)
    if any(post.department in case.departments for p in by.persons for post in facts.register.held_by(p, at)):
        raise OwnWorkRevisited(departments=sorted(case.departments))
    if case.revisited:
        raise AlreadyRevisited
    attempted = RevisitAttempted(
        at=at,
        by=by,
        attempt_no=len(case.revisit_days) + 1,
        day=facts.day(case.profile, at),
        method=command.method,
        result=command.result,
        happened_at=not_later(command.happened_at, at),
    )
    if answers is None:
        return [attempted]
    revisited = Revisited(
        at=at,
        by=by,
        resolved=answers.resolved,
        attitude_satisfaction=answers.attitude_satisfaction,
        result_satisfaction=answers.result_satisfaction,
        new_facts=answers.new_facts,
        note=answers.note,
        refused_reason=answers.refused_reason,
        late=facts.late(case.profile, case.due(Clock.REVISIT), at),
    )
    return [attempted, revisited]


def evolve(case: Case, event: RevisitingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case RevisitAttempted(by=by, day=day):
            return replace(case, revisit_days=(*case.revisit_days, day), revisitors=case.revisitors | by.persons)
        case Revisited(by=by):
            return replace(case, revisited=True, revisitors=case.revisitors | by.persons)
        case Closed():
            return replace(case, step=Step.CLOSED)
        case _:
            assert_never(event)
