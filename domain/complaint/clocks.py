"""How the limits of a complaint are counted: by the policy of the day they were set, standing still in pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from domain.complaint.state import OPEN, PROMISE, Case, Clock, Running, Step, Stop
from domain.deadlines import Due, Pause, Term, kept_promise
from domain.decider import Event
from domain.handling import Facts

HANDLED: Final = frozenset(step for step, clock in PROMISE.items() if clock is Clock.HANDLE)

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


def in_motion(case: Case) -> tuple[Clock, ...]:
    """Give the limits still to be kept that a new calendar moves now; what stands still is computed when it runs on."""
    return tuple(clock for clock in in_hand(case) if not case.paused or clock not in STOPPED)


def stops_of(case: Case, clock: Clock, now: datetime | None = None) -> tuple[tuple[Stop, Pause], ...]:
    """Give the pauses of this case in which a limit stood still, each with its time (UTC), as far as they count.

    One that still lasts counts only with `now`, and as far as that. A limit taken over from a merged case stands in
    those of this case from then on.
    """
    running = case.clocks.get(clock)
    if running is None or clock not in STOPPED:
        return ()
    since = running.taken_at
    times = ((stop, stop.end if now is None else ended(stop, now)) for stop in case.stops)
    return tuple(
        (stop, Pause(start=stop.start if since is None else max(stop.start, since), end=end))
        for stop, end in times
        if end is not None and (since is None or end > since)
    )


def pauses_of(case: Case, clock: Clock, now: datetime | None = None) -> tuple[Pause, ...]:
    """Give the times in which a limit stood still (UTC), with those that one taken over from a merged case brought."""
    running = case.clocks.get(clock)
    brought = () if running is None else running.pauses
    return (*brought, *(pause for _, pause in stops_of(case, clock, now)))


def ended(stop: Stop, now: datetime) -> datetime:
    """Give when a pause ended, or as far as it counts now: no longer than it may last."""
    if stop.end is not None:
        return stop.end
    return max(stop.start, now if stop.until is None else min(now, stop.until.at))


def from_its_day(limit: Due | None, zone: ZoneInfo) -> Due | None:
    """Give the beginning of the local day of a limit: a pause until then leaves the whole of that day to work on.

    By `excluded_days` the day on which the clock runs on is not counted; it must not begin with its last instant.
    """
    return None if limit is None else replace(limit, at=datetime.combine(limit.day, time.min, zone).astimezone(UTC))


def silent_after(case: Case) -> Due | None:
    """Give when the silence of a complainant who was asked for something is noted: once the desk works on it again.

    That is the day after the one told to the complainant, on which the desk then has time to decide.
    """
    return next((stop.until for stop in case.stops if stop.pause == case.supplement), case.supplement_due)


def computed(case: Case, clock: Clock, facts: Facts, now: datetime | None = None) -> Due | None:
    """Compute a limit that runs by the policy under which it was promised, never earlier than it was told.

    With `now` (UTC) a pause that still lasts is counted as far as that. None where it does not run or cannot be known.
    """
    running = case.clocks.get(clock)
    if running is None:
        return None
    pauses, told, longer = pauses_of(case, clock, now), running.due, 0
    found = _limit(case, running, pauses, facts, longer)
    if found is None or told is None:
        return found
    # By a new calendar the time may have been over when a pause began, which by the date told was still in time: then
    # the limit is lengthened until it is no earlier than told, so that the pause counts.
    in_time = any(found.at < pause.start <= told.at for pause in pauses)
    while in_time and found is not None and found.at < told.at:
        longer += 1
        found = _limit(case, running, pauses, facts, longer)
    return found if found is None else kept_promise(told, found)


def _limit(case: Case, running: Running, pauses: tuple[Pause, ...], facts: Facts, longer: int) -> Due | None:
    extra = running.extra + longer
    return facts.limit(case.profile, running.term, running.set_at, since=running.since, pauses=pauses, extra=extra)


def passed(case: Case, clock: Clock, at: datetime, facts: Facts) -> bool:
    """Say whether a limit is over at a moment (UTC); never while it stands still, nor while nobody can know."""
    return facts.late(case.profile, computed(case, clock, facts, at) or case.due(clock), at) is True


def term_of(case: Case, clock: Clock, facts: Facts) -> Term | None:
    """Give the term by which a limit that runs was promised, if it is known."""
    running = case.clocks.get(clock)
    policy = None if running is None else facts.rulebook.policy(case.profile, running.set_at)
    return None if running is None or policy is None else policy.term(running.term)


def stilled(before: Case | None, after: Case, event: Event) -> Case:
    """End the pauses of a case that has come to its end: taken up again, it does not go on standing still."""
    if before is None or before.step not in OPEN or after.step in OPEN or not after.paused:
        return after
    return replace(
        after,
        stops=tuple(replace(stop, end=max(stop.start, event.at)) if stop.end is None else stop for stop in after.stops),
    )


def running_by(case: Case, clock: Clock, running: Running) -> Case:
    """Give the case with one of its limits running otherwise."""
    return replace(case, clocks=MappingProxyType({**case.clocks, clock: running}))
