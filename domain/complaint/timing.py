"""The clock stands still for listed reasons, and each change of a limit is on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import by_the_head, of_the_work
from domain.complaint.clocks import (
    HANDLED,
    computed,
    ended,
    from_its_day,
    in_motion,
    passed,
    pauses_of,
    running_by,
    term_of,
)
from domain.complaint.state import OPEN, Case, Clock, Running, Step, Stop, at_step
from domain.deadlines import Due, Pause, due, excluded_days
from domain.decider import Actor, Code, Command, Event, For, Instant, Role
from domain.errors import (
    AlreadyThere,
    OwnClock,
    PausedEnough,
    Superseded,
    TooEarly,
    TooLate,
    UnknownReference,
)
from domain.handling import Basis, Facts, keep_apart, listed, permit
from domain.rulebook import Policy
from domain.sealed import Sealed


class Cause(StrEnum):
    """Why a limit was computed anew."""

    RESUMED = "resumed"
    EXTENDED = "extended"
    MERGED = "merged"
    UNMERGED = "unmerged"
    CALENDAR = "calendar"
    RETURNED = "returned"
    REVIEWED = "reviewed"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPaused(Event):
    """The clock stands still (暂停计时), for a listed reason, until the beginning of a day at the latest."""

    pause: UUID
    reason: Code
    evidence: tuple[UUID, ...]
    explanation: Sealed | None
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockResumed(Event):
    """The clock runs on (恢复计时); `ended_at` is never later than the longest a pause may be.

    A ledger case has no limit from which days could be excluded.
    """

    pause: UUID
    ended_at: Instant
    excluded_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRecomputed(Event):
    """A limit moved, and why; `reference` is the pause, extension, case or calendar it follows from.

    `taken_over` is the limit of a merged case by which this one is counted from now on.
    """

    clock: Clock
    old: Due | None
    new: Due | None
    cause: Cause
    reference: UUID | None
    basis: Basis
    taken_over: Running | None = None


TimingEvent: TypeAlias = ClockPaused | ClockResumed | DeadlineRecomputed


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseClock(Command):
    """Let the clock stand still."""

    pause: UUID
    reason: Code
    evidence: tuple[UUID, ...]
    explanation: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeClock(Command):
    """Let the clock run on."""

    pause: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines(Command):
    """Compute the limits anew after a calendar was adopted; they never come out earlier than was told."""

    reference: UUID | None


TimingCommand: TypeAlias = PauseClock | ResumeClock | RecomputeDeadlines

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "pause-clock": frozenset({Step.IN_PROGRESS}),
        "resume-clock": HANDLED,
        "recompute-deadlines": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def recomputed(
    case: Case,
    clocks: Iterable[Clock],
    cause: Cause,
    reference: UUID | None,
    *,
    at: datetime,
    by: Actor,
    facts: Facts,
) -> list[DeadlineRecomputed]:
    """Compute limits anew and give the changes: for those that really move, or become sure (domain.md §4.3).

    Give the case as it is after the event that moved them. A limit is computed by the policy of the day it was set and
    the calendars of today; it never comes out earlier than it was told (§14 case 4).
    """
    return [
        DeadlineRecomputed(
            at=at,
            by=by,
            clock=clock,
            old=case.due(clock),
            new=new,
            cause=cause,
            reference=reference,
            basis=facts.basis(case.profile, case.clocks[clock].set_at),
        )
        for clock in clocks
        if (new := computed(case, clock, facts)) is not None and new != case.due(clock)
    ]


def taken_over(
    case: Case, clock: Clock, other: Case, theirs: Clock, reference: UUID, *, at: datetime, by: Actor, facts: Facts
) -> list[DeadlineRecomputed]:
    """Let a limit run as that of another case does, where that one ends earlier: a group keeps the earliest (§4.3).

    From then on it is counted by the term, the beginning and the pauses of the other case, and by what happens to this
    one later. Nothing follows where the other limit is unknown or not earlier, or this one does not run.
    """
    own, its = case.clocks.get(clock), other.clocks.get(theirs)
    if own is None or its is None or its.due is None or (own.due is not None and own.due.at <= its.due.at):
        return []
    return [
        DeadlineRecomputed(
            at=at,
            by=by,
            clock=clock,
            old=own.due,
            new=its.due,
            cause=Cause.MERGED,
            reference=reference,
            basis=facts.basis(other.profile, its.set_at),
            taken_over=replace(its, pauses=pauses_of(other, theirs, at), taken_at=at),
        )
    ]


def resumed(case: Case, stop: Stop, clock: Clock, command: Command, facts: Facts) -> list[Event | For]:
    """Let the clock run on, for whatever reason, and compute anew the limit that stood; other pauses may still last.

    The pause ends now, or when it had lasted as long as it may: a late timer makes nobody's limit longer.
    """
    at, by = command.at, command.by
    ended_at = ended(stop, at)
    event = ClockResumed(
        at=at, by=by, pause=stop.pause, ended_at=ended_at, excluded_days=_excluded(case, stop, ended_at, clock, facts)
    )
    after = evolve(case, event)
    if after.paused:
        return [event]
    return [event, *recomputed(after, [clock], Cause.RESUMED, stop.pause, at=at, by=by, facts=facts)]


def _excluded(case: Case, stop: Stop, ended_at: datetime, clock: Clock, facts: Facts) -> int | None:
    term = term_of(case, clock, facts)
    if term is None:
        return None
    pause = Pause(start=stop.start, end=ended_at)
    return excluded_days(term.unit, [pause], facts.rulebook.calendar, facts.zone(case.profile, ended_at))


def decide(case: Case | None, command: TimingCommand, facts: Facts) -> list[Event | For]:
    """Answer what lets the clock stand and run on (domain.md §4.3, §6.3; by analogy with L8-45 and L1-36).

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, OwnClock, UnknownReference,
    AlreadyThere, TooLate, TooEarly, PausedEnough, Superseded.
    """
    match command:
        case PauseClock():
            return _pause(at_step(case, *TURNS["pause-clock"]), command, facts)
        case ResumeClock():
            return _resume(at_step(case, *TURNS["resume-clock"]), command, facts)
        case RecomputeDeadlines(at=at, by=by, reference=reference):
            there = at_step(case, *TURNS["recompute-deadlines"])
            permit(by, there.profile, "recompute-deadlines", at, facts)
            return [*recomputed(there, in_motion(there), Cause.CALENDAR, reference, at=at, by=by, facts=facts)]
        case _:
            assert_never(command)


def _pause(case: Case, command: PauseClock, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = by_the_head(case, command, "pause-clock", facts)
    keep_apart(by, of_the_work(case), OwnClock)
    listed(policy, "pause_reason", command.reason)
    if unknown := set(command.evidence) - case.evidence:
        raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))
    if any(stop.pause == command.pause for stop in case.stops):
        raise AlreadyThere(pause=command.pause)
    if passed(case, Clock.HANDLE, at, facts):
        raise TooLate(due=case.due(Clock.HANDLE))
    limits = [facts.limit(case.profile, "complaint.pause_max", at), _left_to_pause(case, policy, at, facts)]
    return [
        ClockPaused(
            at=at,
            by=by,
            pause=command.pause,
            reason=command.reason,
            evidence=command.evidence,
            explanation=command.explanation,
            until=from_its_day(
                min((limit for limit in limits if limit is not None), key=lambda limit: limit.at, default=None),
                policy.zone_info(),
            ),
            basis=facts.basis(case.profile, at),
        )
    ]


def _left_to_pause(case: Case, policy: Policy, at: datetime, facts: Facts) -> Due | None:
    """Give until when this round may still be paused; a supplement's own pause is not counted. Raises PausedEnough."""
    term = policy.term("complaint.pause_total")
    if term is None:
        return None
    begun = case.reopened_at or case.registered_at
    stops = [stop for stop in case.stops if stop.start >= begun and stop.pause != case.supplement]
    pauses = [Pause(start=stop.start, end=stop.end or at) for stop in stops]
    used = excluded_days(term.unit, pauses, facts.rulebook.calendar, policy.zone_info())
    if used >= term.amount:
        raise PausedEnough(used=used, most=term.amount)
    left = replace(term, amount=term.amount - used)
    return due(left, at, facts.rulebook.calendar, policy.zone_info(), office_hours=policy.office_hours)


def _resume(case: Case, command: ResumeClock, facts: Facts) -> list[Event | For]:
    # Who handles the case may let its clock run on: that is in nobody's favour but the complainant's.
    by_the_head(case, command, "resume-clock", facts)
    stop = next((one for one in case.stops if one.pause == command.pause and one.end is None), None)
    if stop is None:
        raise Superseded(pause=command.pause)
    if command.by.role is Role.SYSTEM and (stop.until is None or command.at <= stop.until.at):
        raise TooEarly(until=stop.until)
    return resumed(case, stop, Clock.HANDLE, command, facts)


def evolve(case: Case, event: TimingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case ClockPaused(at=at, by=by, pause=pause, reason=reason, until=until):
            approvers = case.approvers if pause == case.supplement else case.approvers | by.persons
            stop = Stop(pause=pause, reason=reason, start=at, until=until)
            return replace(case, stops=(*case.stops, stop), approvers=approvers)
        case ClockResumed(pause=pause, ended_at=ended_at):
            stops = tuple(
                replace(stop, end=max(stop.start, ended_at)) if stop.pause == pause and stop.end is None else stop
                for stop in case.stops
            )
            return replace(case, stops=stops)
        case DeadlineRecomputed(clock=clock, new=new, taken_over=taken):
            running = taken or case.clocks.get(clock)
            return case if running is None else running_by(case, clock, replace(running, due=new))
        case _:
            assert_never(event)
