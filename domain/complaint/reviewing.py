"""Who does not agree may have it looked at by others, twice; and a case is reopened in a new round.

Source: L1 art. 35 and 36 (two levels, thirty days each, nobody after the second), R4 art. 27 (what is not settled goes
back to the handler); that a new round has limits of its own is our design (domain.md §4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, may_take, the_complainant
from domain.complaint.replying import ReworkOrdered
from domain.complaint.state import Case, Clock, Step, at_step, handling_term, started
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, PersonKey, Role
from domain.errors import (
    FinalDecision,
    NotYourRole,
    OutOfTurn,
    OwnWorkReviewed,
    OwnWorkRevisited,
    Superseded,
    TooLate,
)
from domain.errors import Refused as Refusal
from domain.handling import Basis, Facts, keep_apart, permit
from domain.sealed import Sealed, TextFacts


class ReviewResult(StrEnum):
    """What the review says of the decision before it."""

    UPHELD = "upheld"
    MODIFIED = "modified"
    OVERTURNED = "overturned"


class ReopenCause(StrEnum):
    """Why a case was reopened."""

    NEW_FACTS = "new_facts"
    SUPERVISION = "supervision"
    FAILED_RECTIFICATION = "failed_rectification"
    REVIEW = "review"
    EX_OFFICIO = "ex_officio"
    SOURCE = "source"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested(Event):
    """The complainant asked for a review (复核), of the first or second level."""

    review: UUID
    level: int
    grounds: Sealed
    grounds_measured: TextFacts
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecided(Event):
    """The review was decided by somebody who had no part before; `final`: the same facts are not taken up again."""

    review: UUID
    level: int
    result: ReviewResult
    reasons: Sealed
    reasons_measured: TextFacts
    final: bool
    late: bool | None
    review_request_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(Event):
    """The case goes on in a new round with limits of its own; what was late before stays late.

    `handler` in `department` goes on with it; without one the desk assigns it anew, until `assign_due`.
    """

    round: int
    cause: ReopenCause
    reason: Sealed | None
    handle_due: Due | None
    basis: Basis
    department: Code | None = None
    handler: PersonKey | None = None
    assign_due: Due | None = None
    contact_due: Due | None = None


ReviewingEvent: TypeAlias = ReviewRequested | ReviewDecided | Reopened


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReview(Command):
    """Ask for a review."""

    review: UUID
    grounds: Sealed
    grounds_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReview(Command):
    """Decide the review named."""

    review: UUID
    result: ReviewResult
    reasons: Sealed
    reasons_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Command):
    """Reopen the case in a new round."""

    cause: ReopenCause
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRework(Command):
    """Send an answered case back to the handler; `reply` is the answer that settles nothing."""

    reply: UUID
    reason: Sealed


ReviewingCommand: TypeAlias = RequestReview | DecideReview | Reopen | OrderRework

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-review": frozenset({Step.REFUSED, Step.REPLIED, Step.CLOSED}),
        "decide-review": frozenset({Step.UNDER_REVIEW}),
        "reopen": frozenset({Step.CLOSED, Step.ARCHIVED, Step.WITHDRAWN}),
        "order-rework": frozenset({Step.REPLIED}),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


CAUSES: Final[Mapping[Role, frozenset[ReopenCause]]] = MappingProxyType(
    {
        Role.DISPATCHER: frozenset({ReopenCause.NEW_FACTS}),
        Role.SUPERVISOR: frozenset({ReopenCause.SUPERVISION, ReopenCause.FAILED_RECTIFICATION, ReopenCause.EX_OFFICIO}),
    }
)
"""For what each role may reopen a case; a review reopens it by itself, a source only in a ledger."""

LAST_LEVEL: Final = 2
GONE: Final = frozenset({Step.MERGED, Step.TRANSFERRED_OUT})
"""Ends after which the matter goes on elsewhere, also when the case lies in the archive."""


def decide(case: Case | None, command: ReviewingCommand, facts: Facts) -> list[Event | For]:
    """Answer whoever does not agree with how a case was answered or ended.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, Unknown, FinalDecision, TooLate, Superseded,
    OwnWorkReviewed, OwnWorkRevisited.
    """
    match command:
        case RequestReview():
            return _request(at_step(case, *TURNS["request-review"]), command, facts)
        case DecideReview():
            return _decide(at_step(case, *TURNS["decide-review"]), command, facts)
        case Reopen():
            return _reopen(at_step(case, *TURNS["reopen"]), command, facts)
        case OrderRework():
            return _rework(at_step(case, *TURNS["order-rework"]), command, facts)
        case _:
            assert_never(command)


def _request(case: Case, command: RequestReview, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "request-review", at, facts)
    the_complainant(case, by)
    if case.final:
        raise FinalDecision(level=case.review_level)
    if case.review_until is not None and facts.late(case.profile, case.review_until, at):
        raise TooLate(until=case.review_until.at)
    return [
        ReviewRequested(
            at=at,
            by=by,
            review=command.review,
            level=case.review_level + 1,
            grounds=command.grounds,
            grounds_measured=command.grounds_measured,
            due=facts.limit(case.profile, "complaint.review_decide", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _decide(case: Case, command: DecideReview, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "decide-review", facts)
    before = case.handlers | case.approvers | case.verifiers | case.revisitors | case.reviewers
    keep_apart(by, before, OwnWorkReviewed)
    if any(post.department in case.departments for p in by.persons for post in facts.register.held_by(p, at)):
        raise OwnWorkReviewed(departments=sorted(case.departments))
    if command.review != case.review:
        raise Superseded(review=case.review)
    final = case.review_level >= LAST_LEVEL
    upheld = command.result is ReviewResult.UPHELD
    window = facts.limit(case.profile, "complaint.review_request_window", at) if upheld and not final else None
    decided = ReviewDecided(
        at=at,
        by=by,
        review=command.review,
        level=case.review_level,
        result=command.result,
        reasons=command.reasons,
        reasons_measured=command.reasons_measured,
        final=final,
        late=facts.late(case.profile, case.due(Clock.REVIEW), at),
        review_request_until=window,
        basis=facts.basis(case.profile, at),
    )
    if not upheld:
        return [decided, _reopened(case, ReopenCause.REVIEW, None, command, facts)]
    return [decided, *_revisit_anew(case, command, facts)]


def _revisit_anew(case: Case, command: DecideReview, facts: Facts) -> list[Event | For]:
    """Give the revisit its time again where a review stood in its way: no revisit is made while it lasts."""
    old = case.due(Clock.REVISIT)
    if case.before is not Step.REPLIED or case.revisited or old is None:
        return []
    new = facts.limit(case.profile, "complaint.revisit", command.at)
    if new is None or new.at <= old.at:
        return []
    return [
        DeadlineRecomputed(
            at=command.at,
            by=command.by,
            clock=Clock.REVISIT,
            old=old,
            new=new,
            cause=Cause.REVIEWED,
            reference=command.review,
            basis=facts.basis(case.profile, command.at),
        )
    ]


def _reopen(case: Case, command: Reopen, facts: Facts) -> list[Event | For]:
    by, cause = command.by, command.cause
    admit(case, command, "reopen", facts)
    if cause not in CAUSES.get(by.role, frozenset()):
        raise NotYourRole(role=by.role, cause=cause)
    ended = case.keeping.ended_as or case.step
    # Only the complainant takes a complaint back; that a supervisor goes on with it nevertheless is said so.
    if ended in GONE or (ended is Step.WITHDRAWN) != (cause is ReopenCause.EX_OFFICIO):
        raise OutOfTurn(step=ended, cause=cause)
    return [_reopened(case, cause, command.reason, command, facts)]


def _reopened(
    case: Case, cause: ReopenCause, reason: Sealed | None, command: Reopen | DecideReview, facts: Facts
) -> Reopened:
    at = command.at
    goes_on = _goes_on(case, command, facts)
    return Reopened(
        at=at,
        by=command.by,
        round=case.round + 1,
        cause=cause,
        reason=reason,
        handle_due=facts.limit(case.profile, handling_term(case), at),
        basis=facts.basis(case.profile, at),
        department=case.department if goes_on else None,
        handler=case.handler if goes_on else None,
        assign_due=None if goes_on else facts.limit(case.profile, "complaint.assign", at),
        contact_due=facts.limit(case.profile, "complaint.first_contact", at) if goes_on else None,
    )


def _goes_on(case: Case, command: Command, facts: Facts) -> bool:
    """Say whether the last handler can go on: still in that unit, and not on another side of the case meanwhile."""
    if case.handler is None or case.department is None:
        return False
    try:
        may_take(case, case.handler, case.department, command.at, facts)
    except Refusal:
        return False
    return True


def _rework(case: Case, command: OrderRework, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "order-rework", facts)
    keep_apart(by, case.handlers | case.approvers, OwnWorkRevisited)
    if any(post.department in case.departments for p in by.persons for post in facts.register.held_by(p, at)):
        raise OwnWorkRevisited(departments=sorted(case.departments))
    if command.reply != case.reply:
        raise Superseded(reply=command.reply)
    return [
        ReworkOrdered(
            at=at,
            by=by,
            reply=command.reply,
            reason=command.reason,
            rework_no=case.reworks + 1,
            handle_due=facts.limit(case.profile, handling_term(case), at),
            basis=facts.basis(case.profile, at),
        )
    ]


def evolve(case: Case, event: ReviewingEvent) -> Case:
    """Take one event in; never refuses.

    What was decided upon goes back to where it stood, also a refusal and an answer that is still to be revisited:
    the table of domain.md §6.3 knows only the closed case, and would close one whose complainant nobody asked.
    """
    match event:
        case ReviewRequested(at=at, review=review, level=level, due=due):
            asked = replace(case, step=Step.UNDER_REVIEW, before=case.step, review=review, review_level=level)
            return started(asked, at, review=("complaint.review_decide", due))
        case ReviewDecided(by=by):
            return replace(
                case,
                step=case.before or Step.CLOSED,
                before=None,
                review=None,
                review_until=event.review_request_until,
                reviewers=case.reviewers | by.persons,
                final=event.final,
            )
        case Reopened():
            return _in_a_new_round(case, event)
        case _:
            assert_never(event)


def _in_a_new_round(case: Case, event: Reopened) -> Case:
    """Begin a round: what was promised, tried, found and said in the last one is over; who took part never is."""
    by_review = event.cause is ReopenCause.REVIEW
    anew = replace(
        case,
        step=Step.ACCEPTED if event.handler is None else Step.IN_PROGRESS,
        before=None,
        round=event.round,
        reopened_at=event.at,
        department=event.department,
        handler=event.handler,
        extensions=MappingProxyType({key: one for key, one in case.extensions.items() if one.approved is not None}),
        extended=0,
        contacts=0,
        reached=False,
        contact_days=(),
        finding=None,
        rectifications=MappingProxyType({key: one for key, one in case.rectifications.items() if not one.passed}),
        reply=None,
        deliveries_failed=0,
        revisit_days=(),
        revisited=False,
        returning=None,
        designated=False,
        review_level=case.review_level if by_review else 0,
        review_until=None,
        final=case.final and by_review,
    )
    term = handling_term(case)
    if event.handler is None:
        return started(anew, event.at, handle=(term, event.handle_due), assign=("complaint.assign", event.assign_due))
    return started(
        anew, event.at, handle=(term, event.handle_due), contact=("complaint.first_contact", event.contact_due)
    )
