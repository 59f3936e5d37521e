"""All that the passing of time asks for on a case, now and next; a timer asks for it, the rules of each act decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from domain.complaint.clocks import in_motion, silent_after
from domain.complaint.escalation import Order, due_now, orders, reminder
from domain.complaint.proposals import ExpireProposal, Proposed
from domain.complaint.state import Case, Step
from domain.complaint.supervision import IssueSupervision, Remind
from domain.complaint.supplementing import ExpireSupplement
from domain.complaint.timing import TURNS as TIMING
from domain.complaint.timing import Cause, RecomputeDeadlines, ResumeClock, recomputed
from domain.decider import THE_SYSTEM, Role
from domain.escalation import Timed
from domain.handling import Facts
from domain.rulebook import STREAM as RULEBOOK
from domain.rulebook import Policy

MADE: Final = "made"


def owed(stream: UUID, case: Case, at: datetime, facts: Facts) -> tuple[Timed, ...]:
    """Give what time asks for on a case at a moment (UTC), and what it will ask for later as things stand.

    Nothing where the policy leaves the case alone, and nothing that it lets no timer do.
    """
    policy = facts.rulebook.policy(case.profile, at)
    if policy is None or not policy.timers:
        return ()
    if moved := tuple(_moved(stream, case, at, facts)):
        # First of all: nobody is reminded, or late, by a limit that a calendar adopted since has moved.
        return tuple(timed for timed in moved if policy.allows(timed.name, Role.SYSTEM))
    found = (
        *_reminder(stream, case, at, policy, facts),
        *(_order(stream, case, order, at, facts) for order in orders(case, policy, facts)),
        *_pauses(stream, case, at),
        *_supplement(stream, case, at),
        *_proposals(stream, case, at, facts),
    )
    return tuple(timed for timed in found if policy.allows(timed.name, Role.SYSTEM))


def _id(stream: UUID, case: Case, *about: object) -> UUID:
    return uuid5(stream, ":".join(map(str, ("timer", *about, case.round))))


def _moved(stream: UUID, case: Case, at: datetime, facts: Facts) -> Iterator[Timed]:
    """Compute the limits anew that are still to be kept, where the rulebook now moves one or makes it sure."""
    reference = uuid5(RULEBOOK, str(facts.rulebook_version))
    if recomputed(case, in_motion(case), Cause.CALENDAR, reference, at=at, by=THE_SYSTEM, facts=facts):
        yield Timed(
            name="recompute-deadlines",
            command_id=_id(stream, case, "recompute-deadlines", facts.rulebook_version),
            command=RecomputeDeadlines(at=at, by=THE_SYSTEM, reference=reference),
            since=at,
            ready=True,
        )


def _reminder(stream: UUID, case: Case, at: datetime, policy: Policy, facts: Facts) -> Iterator[Timed]:
    found = reminder(case, policy, facts)
    if found is None:
        return
    clock, due, since = found
    yield Timed(
        name="remind",
        command_id=_id(stream, case, "remind", clock, due.at.isoformat()),
        command=Remind(at=at, by=THE_SYSTEM, clock=clock),
        since=since,
        ready=since <= at,
    )


def _order(stream: UUID, case: Case, order: Order, at: datetime, facts: Facts) -> Timed:
    about = "" if order.about is None else order.about.at.isoformat()
    command_id = _id(stream, case, order.rule, order.level, order.clock, about)
    return Timed(
        name="issue-supervision",
        command_id=command_id,
        command=IssueSupervision(
            at=at,
            by=THE_SYSTEM,
            supervision=uuid5(command_id, MADE),
            rule_no=order.rule,
            level=order.level,
            content=None,
        ),
        since=order.since,
        ready=due_now(order, case, at, facts),
    )


def _pauses(stream: UUID, case: Case, at: datetime) -> Iterator[Timed]:
    """Let the clock run on where a pause has lasted as long as it may; that of a supplement ends with it."""
    if case.step not in TIMING["resume-clock"]:
        return
    for stop in case.stops:
        if stop.end is None and stop.until is not None and stop.pause != case.supplement:
            yield Timed(
                name="resume-clock",
                command_id=_id(stream, case, "resume-clock", stop.pause),
                command=ResumeClock(at=at, by=THE_SYSTEM, pause=stop.pause),
                since=stop.until.at,
                ready=stop.until.at < at,
            )


def _supplement(stream: UUID, case: Case, at: datetime) -> Iterator[Timed]:
    limit = silent_after(case)
    if case.step is Step.AWAITING_SUPPLEMENT and case.supplement is not None and limit is not None:
        yield Timed(
            name="expire-supplement",
            command_id=_id(stream, case, "expire-supplement", case.supplement),
            command=ExpireSupplement(at=at, by=THE_SYSTEM, supplement=case.supplement),
            since=limit.at,
            ready=limit.at < at,
        )


def _proposals(stream: UUID, case: Case, at: datetime, facts: Facts) -> Iterator[Timed]:
    for proposal, waiting in case.proposals.items():
        if isinstance(waiting, Proposed) and waiting.until is not None:
            yield Timed(
                name="expire-proposal",
                command_id=_id(stream, case, "expire-proposal", proposal),
                command=ExpireProposal(at=at, by=THE_SYSTEM, proposal=proposal),
                since=waiting.until.at,
                ready=facts.late(case.profile, waiting.until, at) is True,
            )
