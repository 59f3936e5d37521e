"""The complainant is answered: a reply is submitted, approved by somebody else, and delivered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import by_the_handler, by_the_head
from domain.complaint.state import Case, Clock, IdentityMode, Running, Step, at_step, handling_term, started
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Instant, Role
from domain.errors import (
    AlreadyThere,
    ClockStands,
    ContactMissing,
    DeliveredByItself,
    FindingMissing,
    NotEveryPointAnswered,
    OwnWorkApproved,
    RectificationMissing,
    Superseded,
    WrittenReplyOwed,
)
from domain.handling import Basis, Facts, Method, Proof, keep_apart, not_later, tried_enough
from domain.sealed import Sealed, TextFacts


class Decision(StrEnum):
    """What the reply says on the complaint as a whole."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"
    EXPLAINED = "explained"


class AppealRoute(StrEnum):
    """Where somebody may turn who does not agree with the reply."""

    REVIEW_REQUEST = "review_request"
    PETITION = "petition"
    ADMINISTRATIVE_RECONSIDERATION = "administrative_reconsideration"


class DeliveryFailure(StrEnum):
    """Why a reply did not arrive."""

    NO_ANSWER = "no_answer"
    WRONG_ADDRESS = "wrong_address"
    REFUSED = "refused"
    TECHNICAL = "technical"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySubmitted(Event):
    """A reply was put before the unit's head; `points` answers each point of the complaint."""

    reply: UUID
    decision: Decision
    reasons: Sealed
    reasons_measured: TextFacts
    legal_basis: Sealed
    points: tuple[Sealed, ...]
    remedy: Sealed | None
    appeal_route: AppealRoute
    template_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyApproved(Event):
    """The head of the unit approved the reply."""

    reply: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReworkOrdered(Event):
    """The case goes back to the handler (发回重办); after the answer it has a new limit."""

    reply: UUID
    reason: Sealed
    rework_no: int
    handle_due: Due | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied(Event):
    """The complainant was answered (答复). A ledger case has its text here and knows no more.

    Where the matter was settled on the spot, `confirmed` says how the complainant confirmed it, and the text is here.
    """

    reply: UUID
    method: Method | None
    content: Sealed | None
    content_measured: TextFacts | None
    late: bool | None
    review_request_until: Due | None
    revisit_due: Due | None
    basis: Basis
    delivered_at: Instant | None = None
    confirmed: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDeliveryFailed(Event):
    """The reply did not arrive; it has to be tried again."""

    reply: UUID
    attempt_no: int
    method: Method
    cause: DeliveryFailure
    happened_at: Instant | None = None


ReplyingEvent: TypeAlias = ReplySubmitted | ReplyApproved | ReworkOrdered | Replied | ReplyDeliveryFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReply(Command):
    """Put a reply before the unit's head."""

    reply: UUID
    decision: Decision
    reasons: Sealed
    reasons_measured: TextFacts
    legal_basis: Sealed
    points: tuple[Sealed, ...]
    remedy: Sealed | None
    appeal_route: AppealRoute
    template_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveReply(Command):
    """Approve the reply named."""

    reply: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectReply(Command):
    """Send the reply named back to the handler."""

    reply: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Command):
    """Record that the approved reply was delivered, or was not; `happened_at` if that was earlier."""

    reply: UUID
    method: Method
    failed: DeliveryFailure | None
    happened_at: datetime | None = None


ReplyingCommand: TypeAlias = SubmitReply | ApproveReply | RejectReply | Reply


def decide(case: Case | None, command: ReplyingCommand, facts: Facts) -> list[Event | For]:
    """Answer what happens to a reply.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, AlreadyThere, Superseded,
    OwnWorkApproved, FindingMissing, ContactMissing, RectificationMissing, NotEveryPointAnswered, WrittenReplyOwed,
    DeliveredByItself, ClockStands, and
    what `by_the_handler` raises.
    """
    at, by = command.at, command.by
    match command:
        case SubmitReply():
            return _submit(at_step(case, Step.IN_PROGRESS), command, facts)
        case ApproveReply(reply=reply):
            there = at_step(case, Step.REPLY_PENDING_APPROVAL)
            _by_the_head(there, command, "approve-reply", facts)
            return [ReplyApproved(at=at, by=by, reply=reply)]
        case RejectReply(reply=reply, reason=reason):
            there = at_step(case, Step.REPLY_PENDING_APPROVAL)
            _by_the_head(there, command, "reject-reply", facts)
            return [ReworkOrdered(at=at, by=by, reply=reply, reason=reason, rework_no=there.reworks + 1)]
        case Reply():
            return _deliver(at_step(case, Step.REPLY_APPROVED), command, facts)
        case _:
            assert_never(command)


def _by_the_head(case: Case, command: ApproveReply | RejectReply, name: Code, facts: Facts) -> None:
    by_the_head(case, command, name, facts)
    keep_apart(command.by, case.handlers, OwnWorkApproved)
    if command.reply != case.reply:
        raise Superseded(reply=command.reply)


def _submit(case: Case, command: SubmitReply, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = by_the_handler(case, command, "submit-reply", facts)
    if command.reply in case.replies:
        raise AlreadyThere(reply=command.reply)
    if case.paused:
        raise ClockStands
    if case.finding is None:
        raise FindingMissing
    nameless = case.identity_mode is IdentityMode.ANONYMOUS
    if not nameless and not case.reached and not tried_enough(case.contact_days, policy):
        raise ContactMissing(attempts=len(case.contact_days), required=policy.attempts_required)
    if case.finding.asks_for_rectification and not case.rectifications:
        raise RectificationMissing
    if len(command.points) != case.points:
        raise NotEveryPointAnswered(points=case.points, answered=len(command.points))
    return [
        ReplySubmitted(
            at=at,
            by=by,
            reply=command.reply,
            decision=command.decision,
            reasons=command.reasons,
            reasons_measured=command.reasons_measured,
            legal_basis=command.legal_basis,
            points=command.points,
            remedy=command.remedy,
            appeal_route=command.appeal_route,
            template_version=command.template_version,
        )
    ]


def _deliver(case: Case, command: Reply, facts: Facts) -> list[Event | For]:
    by_the_handler(case, command, "reply", facts)
    if command.reply != case.reply:
        raise Superseded(reply=command.reply)
    return delivered(case, command, facts)


def delivered(case: Case, command: Reply, facts: Facts) -> list[Event | For]:
    """Answer whether a reply that may go out was delivered; raises WrittenReplyOwed, DeliveredByItself, NotYetHappened.

    The complainant waits by the handling limit of `case`.
    """
    at, by, reply = command.at, command.by, command.reply
    if case.written and not command.method.written:
        raise WrittenReplyOwed(method=command.method)
    if command.method.by_machine and by.role is not Role.SYSTEM:
        raise DeliveredByItself(method=command.method)
    happened_at = not_later(command.happened_at, at)
    if command.failed is not None:
        attempt = case.deliveries_failed + 1
        return [
            ReplyDeliveryFailed(
                at=at,
                by=by,
                reply=reply,
                attempt_no=attempt,
                method=command.method,
                cause=command.failed,
                happened_at=happened_at,
            )
        ]
    # The revisit follows the handling limit: an early reply gives it more time, never less.
    promised = case.due(Clock.HANDLE)
    limit = at if promised is None else max(at, promised.at)
    return [
        Replied(
            at=at,
            by=by,
            reply=reply,
            method=command.method,
            content=None,
            content_measured=None,
            late=facts.late(case.profile, promised, at),
            review_request_until=facts.limit(case.profile, "complaint.review_request_window", at),
            revisit_due=facts.limit(case.profile, "complaint.revisit", at, since=limit),
            basis=facts.basis(case.profile, at),
            delivered_at=happened_at,
        )
    ]


def evolve(case: Case, event: ReplyingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case ReplySubmitted(by=by, reply=reply):
            return replace(
                case,
                step=Step.REPLY_PENDING_APPROVAL,
                reply=reply,
                replies=case.replies | {reply},
                handlers=case.handlers | by.persons,
            )
        case ReplyApproved(by=by):
            return replace(case, step=Step.REPLY_APPROVED, approvers=case.approvers | by.persons)
        case ReworkOrdered(at=at, by=by, rework_no=rework_no):
            again = replace(case, step=Step.IN_PROGRESS, reply=None, reworks=rework_no)
            if case.step is not Step.REPLIED:
                return replace(again, approvers=case.approvers | by.persons)
            # What was settled at a counter has no unit yet. Who ordered it may still look at the result afterwards.
            again = replace(
                again,
                step=Step.ACCEPTED if case.handler is None else Step.IN_PROGRESS,
                revisitors=case.revisitors | by.persons,
            )
            return started(again, at, handle=(handling_term(case), event.handle_due))
        case Replied(at=at, by=by):
            # What was said at an earlier revisit was not about this reply.
            replied = replace(
                case,
                step=Step.REPLIED,
                reply=event.reply,
                replies=case.replies | {event.reply},
                replied_at=at,
                review_until=event.review_request_until,
                handlers=case.handlers | by.persons,
                revisit_days=(),
                revisited=False,
            )
            since = case.due(Clock.HANDLE)
            revisit = Running(
                term="complaint.revisit",
                since=at if since is None else max(at, since.at),
                set_at=at,
                due=event.revisit_due,
            )
            return replace(replied, clocks=MappingProxyType({**replied.clocks, Clock.REVISIT: revisit}))
        case ReplyDeliveryFailed(attempt_no=attempt_no):
            return replace(case, deliveries_failed=attempt_no)
        case _:
            assert_never(event)
