"""The clock stands still for listed reasons, a limit is lengthened once, and each change of a limit is on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.state import OPEN, Case, Clock, Extension, Running, Step, Stop
from domain.deadlines import Due, Pause, kept_promise
from domain.decider import Actor, Code, Command, Event, For, Instant
from domain.handling import Basis, Facts
from domain.sealed import Sealed


class Cause(StrEnum):
    """Why a limit was computed anew."""

    RESUMED = "resumed"
    EXTENDED = "extended"
    MERGED = "merged"
    UNMERGED = "unmerged"
    CALENDAR = "calendar"
    RETURNED = "returned"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPaused(Event):
    """The clock stands still (暂停计时), for a reason of the policy's list, until a day at the latest."""

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
class ExtensionRequested(Event):
    """A longer limit was asked for (延期), in the unit of the limit."""

    extension: UUID
    days: int
    reason: Sealed
    decide_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionApproved(Event):
    """The longer limit was approved; the new date follows as a recomputed deadline."""

    extension: UUID
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRejected(Event):
    """The longer limit was not approved."""

    extension: UUID
    reason: Sealed


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


TimingEvent: TypeAlias = (
    ClockPaused | ClockResumed | ExtensionRequested | ExtensionApproved | ExtensionRejected | DeadlineRecomputed
)


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
class RequestExtension(Command):
    """Ask for a longer limit."""

    extension: UUID
    days: int
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExtension(Command):
    """Decide on the request named."""

    extension: UUID
    approved: bool
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines(Command):
    """Compute the limits anew after a calendar was adopted; they never come out earlier than was told."""

    reference: UUID | None


TimingCommand: TypeAlias = PauseClock | ResumeClock | RequestExtension | DecideExtension | RecomputeDeadlines

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "pause-clock": frozenset({Step.IN_PROGRESS}),
        "resume-clock": OPEN,
        "request-extension": frozenset({Step.IN_PROGRESS}),
        "decide-extension": OPEN,
        "recompute-deadlines": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: TimingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


STOPPED: Final = frozenset({Clock.ACCEPT, Clock.HANDLE})
"""Which limits stand still in a pause; what the house owes itself, and the talk with the complainant, goes on."""


def in_hand(case: Case) -> tuple[Clock, ...]:
    """Give the limits that somebody still has to keep where the case stands now: no more than moved limits can help."""
    match case.step:
        case Step.REGISTERED | Step.AWAITING_SUPPLEMENT:
            wanted: tuple[Clock, ...] = (Clock.ACCEPT,)
        case Step.ACCEPTED:
            wanted = (Clock.ASSIGN, Clock.HANDLE)
        case Step.ASSIGNED:
            wanted = (Clock.SIGN, Clock.RETURN, Clock.CONTACT, Clock.HANDLE)
        case Step.IN_PROGRESS | Step.REPLY_PENDING_APPROVAL | Step.REPLY_APPROVED:
            wanted = (Clock.HANDLE,) if case.contacts else (Clock.CONTACT, Clock.HANDLE)
        case Step.REPLIED:
            wanted = () if case.revisited else (Clock.REVISIT,)
        case Step.UNDER_REVIEW:
            wanted = (Clock.REVIEW,)
        case _:
            wanted = ()
    return tuple(clock for clock in wanted if clock in case.clocks)


def pauses_of(case: Case, clock: Clock, now: datetime | None = None) -> tuple[Pause, ...]:
    """Give the times in which a limit stood still (UTC); one that still lasts only with `now`, and as far as that.

    A limit taken over from a merged case brings its own pauses, and stands in those of this case from then on.
    """
    running = case.clocks.get(clock)
    if running is None or clock not in STOPPED:
        return ()
    ended = ((stop.start, stop.end or now) for stop in case.stops)
    taken_at = running.taken_at
    return (
        *running.pauses,
        *(
            Pause(start=start if taken_at is None else max(start, taken_at), end=end)
            for start, end in ended
            if end is not None and (taken_at is None or end > taken_at)
        ),
    )


def computed(case: Case, clock: Clock, facts: Facts, now: datetime | None = None) -> Due | None:
    """Compute a limit that runs by the policy under which it was promised, never earlier than it was told.

    With `now` (UTC) a pause that still lasts is counted as far as that. None where it does not run or cannot be known.
    """
    running = case.clocks.get(clock)
    if running is None:
        return None
    found = facts.limit(
        case.profile,
        running.term,
        running.set_at,
        since=running.since,
        pauses=pauses_of(case, clock, now),
        extra=running.extra,
    )
    return found if found is None or running.due is None else kept_promise(running.due, found)


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
        case ExtensionRequested(at=at, by=by, extension=extension, days=days, decide_due=decide_due):
            asked = Extension(days=days, requested_at=at, requested_by=by.persons, decide_by=decide_due)
            return replace(
                case,
                extensions=MappingProxyType({**case.extensions, extension: asked}),
                handlers=case.handlers | by.persons,
            )
        case ExtensionApproved(by=by, extension=extension, days=days):
            longer = _decided(case, extension, approved=True)
            handle = case.clocks.get(Clock.HANDLE)
            if handle is not None:
                longer = _running(longer, Clock.HANDLE, replace(handle, extra=handle.extra + days))
            return replace(longer, extended=case.extended + 1, approvers=case.approvers | by.persons)
        case ExtensionRejected(by=by, extension=extension):
            refused = _decided(case, extension, approved=False)
            return replace(refused, approvers=case.approvers | by.persons)
        case DeadlineRecomputed(clock=clock, new=new, taken_over=taken):
            running = taken or case.clocks.get(clock)
            return case if running is None else _running(case, clock, replace(running, due=new))
        case _:
            assert_never(event)


def _decided(case: Case, extension: UUID, *, approved: bool) -> Case:
    asked = case.extensions.get(extension)
    if asked is None:
        return case
    return replace(case, extensions=MappingProxyType({**case.extensions, extension: replace(asked, approved=approved)}))


def _running(case: Case, clock: Clock, running: Running) -> Case:
    return replace(case, clocks=MappingProxyType({**case.clocks, clock: running}))
