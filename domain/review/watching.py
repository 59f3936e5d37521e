"""A late review is reminded of and ordered about like a late complaint, and its limits follow a new calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.supervision import LEVELS
from domain.deadlines import Due, kept_promise
from domain.decider import Code, Command, Event, For, Role
from domain.errors import AlreadyThere, OwnAnswerLifted, UnknownReference
from domain.escalation import (
    L1,
    L2,
    Supervision,
    answered,
    in_force,
    issued,
    lifted,
    order_due,
    order_since,
    remind_since,
    unanswered,
)
from domain.handling import Basis, Facts, keep_apart, listed, permit
from domain.review.acting import admit, of_the_unit
from domain.review.state import Clock, Review, Stage, at_stage, in_hand
from domain.rulebook import Policy
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded(Event):
    """Whoever has to act was reminded that a limit is near (催办); `about` is that limit."""

    clock: Clock
    about: Due | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionIssued(Event):
    """A supervision order was issued (督办), as on a complaint; `clock` and `about` are the limit that was missed."""

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
    """The order was answered."""

    supervision: UUID
    answer: Sealed
    answer_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionLifted(Event):
    """The order was lifted."""

    supervision: UUID
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRecomputed(Event):
    """A limit moved because a calendar was adopted: the rulebook of `basis` has it; never earlier than it was told."""

    clock: Clock
    old: Due | None
    new: Due
    basis: Basis


WatchingEvent: TypeAlias = Reminded | SupervisionIssued | SupervisionAnswered | SupervisionLifted | DeadlineRecomputed


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(Command):
    """Remind of a limit that is near."""

    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSupervision(Command):
    """Issue a supervision order; by a timer about the limit of `clock`."""

    supervision: UUID
    rule_no: Code
    level: int
    clock: Clock | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines(Command):
    """Compute the limits that run anew by the calendar that is known now."""


WatchingCommand: TypeAlias = Remind | IssueSupervision | AnswerSupervision | LiftSupervision | RecomputeDeadlines

ANY: Final = frozenset(Stage)
TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "remind": ANY,
        # A check can be late that is drawn after all was closed.
        "issue-supervision": ANY,
        # An order outlives the work it is about.
        "answer-supervision": ANY,
        "lift-supervision": ANY,
        "recompute-deadlines": ANY,
    }
)
"""At which stages each command is in turn."""


def supervision_no(stream: UUID | None, number: int) -> Code:
    """Give the number of an order on a review: it has no number of its own, so the beginning of its id stands there."""
    return f"DB-P{(stream or UUID(int=0)).hex[:10].upper()}-{number}"


def reminders(review: Review, policy: Policy, facts: Facts) -> Iterator[tuple[Clock, Due, datetime]]:
    """Give the limits that are to be reminded of, with from when on (UTC)."""
    if policy.escalation is None or not policy.timers:
        return
    for clock in in_hand(review):
        due = review.due(clock)
        if due is not None and (clock, due.at) not in review.reminded:
            set_at = review.clocks[clock].set_at
            yield clock, due, remind_since(due, set_at, policy.escalation.remind, policy, facts.rulebook.calendar)


def orders(review: Review, policy: Policy, facts: Facts) -> Iterator[tuple[Code, int, Clock, Due, datetime]]:
    """Give the orders that the rules ask for: rule, level, limit missed, and from when on (UTC)."""
    escalation = policy.escalation
    if escalation is None or not policy.timers:
        return
    there = {(one.rule, one.clock, one.about) for one in review.orders.values()}
    for clock in in_hand(review):
        due = review.due(clock)
        for number, rule, level in ((1, L1, escalation.l1), (2, L2, escalation.l2)):
            if due is None or (level.reminders and (clock, due.at) not in review.reminded):
                continue
            if (rule, clock, due.at) not in there:
                yield rule, number, clock, due, order_since(due, level, policy, facts.rulebook.calendar)


def recomputed(review: Review, facts: Facts) -> Iterator[tuple[Clock, Due | None, Due, Basis]]:
    """Give the limits still to be kept that the calendars known now move, by the policy of the day they were set."""
    for clock in in_hand(review):
        running = review.clocks[clock]
        found = facts.limit(review.profile, running.term, running.set_at, since=running.since)
        if found is None:
            continue
        new = found if running.due is None else kept_promise(running.due, found)
        if new != running.due:
            yield clock, running.due, new, facts.basis(review.profile, running.set_at)


def decide(review: Review | None, command: WatchingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer a reminder, an order of supervision, its answer and its end, and a new calendar.

    A timer that comes too early, or for the second time, changes nothing.
    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnRating, OwnRecord, UnknownReference,
    AlreadyThere, Superseded, OwnAnswerLifted.
    """
    at, by = command.at, command.by
    match command:
        case Remind():
            return _remind(at_stage(review, *TURNS["remind"]), command, facts)
        case IssueSupervision():
            return _issue(at_stage(review, *TURNS["issue-supervision"]), command, facts)
        case AnswerSupervision():
            return _answer(at_stage(review, *TURNS["answer-supervision"]), command, facts)
        case LiftSupervision(supervision=supervision, reason=reason):
            there = at_stage(review, *TURNS["lift-supervision"])
            admit(there, command, "lift-supervision", facts)
            order = in_force(there.orders, supervision)
            keep_apart(by, order.answered_by | there.workers, OwnAnswerLifted)
            return [SupervisionLifted(at=at, by=by, supervision=supervision, reason=reason)]
        case RecomputeDeadlines():
            there = at_stage(review, *TURNS["recompute-deadlines"])
            permit(by, there.profile, "review/recompute-deadlines", at, facts)
            return [
                DeadlineRecomputed(at=at, by=by, clock=clock, old=old, new=new, basis=basis)
                for clock, old, new, basis in recomputed(there, facts)
            ]
        case _:
            assert_never(command)


def _remind(review: Review, command: Remind, facts: Facts) -> Sequence[Event | For]:
    at, by, clock = command.at, command.by, command.clock
    policy = admit(review, command, "remind", facts)
    owed = {one: (due, since) for one, due, since in reminders(review, policy, facts)}
    if clock not in owed:
        if review.due(clock) is None:
            raise UnknownReference(kind="clock", value=clock)
        return []
    due, since = owed[clock]
    if by.role is Role.SYSTEM and at < since:
        return []
    return [Reminded(at=at, by=by, clock=clock, about=due)]


def _issue(review: Review, command: IssueSupervision, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = admit(review, command, "issue-supervision", facts)
    if command.supervision in review.orders:
        raise AlreadyThere(supervision=command.supervision)
    about: Due | None = None
    if by.role is Role.SYSTEM:
        wanted = (command.rule_no, command.level, command.clock)
        owed = next(((due, since) for *one, due, since in orders(review, policy, facts) if tuple(one) == wanted), None)
        if owed is None or not order_due(*owed, review.profile, at, facts):
            return []
        about = owed[0]
    else:
        listed(policy, "supervision_rule", command.rule_no)
        if command.level not in LEVELS:
            raise UnknownReference(kind="level", value=command.level)
    return [
        SupervisionIssued(
            at=at,
            by=by,
            supervision=command.supervision,
            supervision_no=supervision_no(facts.itself, len(review.orders) + 1),
            rule_no=command.rule_no,
            level=command.level,
            clock=None if about is None else command.clock,
            about=about,
            content=command.content,
            due=facts.limit(review.profile, "complaint.supervision_answer", at),
            basis=facts.basis(review.profile, at),
        )
    ]


def _answer(review: Review, command: AnswerSupervision, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    admit(review, command, "answer-supervision", facts)
    of_the_unit(review, by, at, facts)
    order = unanswered(review.orders, command.supervision)
    return [
        SupervisionAnswered(
            at=at,
            by=by,
            supervision=command.supervision,
            answer=command.answer,
            answer_measured=command.answer_measured,
            late=facts.late(review.profile, order.due, at),
        )
    ]


def evolve(review: Review, event: WatchingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case Reminded(clock=clock, about=about):
            return review if about is None else replace(review, reminded=review.reminded | {(clock, about.at)})
        case DeadlineRecomputed(clock=clock, new=new):
            running = review.clocks.get(clock)
            if running is None:
                return review
            return replace(review, clocks=MappingProxyType({**review.clocks, clock: replace(running, due=new)}))
        case SupervisionIssued(about=about):
            order = Supervision(
                level=event.level,
                rule=event.rule_no,
                clock=event.clock,
                about=None if about is None else about.at,
                due=event.due,
            )
            return replace(review, orders=issued(review.orders, event.supervision, order))
        case SupervisionAnswered(supervision=supervision, by=by):
            return replace(review, orders=answered(review.orders, supervision, by))
        case SupervisionLifted(supervision=supervision):
            return replace(review, orders=lifted(review.orders, supervision))
        case _:
            assert_never(event)
