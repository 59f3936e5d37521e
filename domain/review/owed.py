"""All that the passing of time asks for on a review, now and next; the rules of each act decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from domain.decider import THE_SYSTEM, Role
from domain.escalation import Timed, order_due
from domain.handling import Facts
from domain.review.proposals import ExpireProposal
from domain.review.state import Review
from domain.review.watching import IssueSupervision, RecomputeDeadlines, Remind, orders, recomputed, reminders
from domain.rulebook import Policy

MADE: Final = "made"


def owed(stream: UUID, review: Review, at: datetime, facts: Facts) -> tuple[Timed, ...]:
    """Give what time asks for on a review at a moment (UTC), and what it will ask for later as things stand.

    Nothing where the policy leaves the review alone, and nothing that it lets no timer do.
    """
    policy = facts.rulebook.policy(review.profile, at)
    if policy is None or not policy.timers:
        return ()
    # First of all: nobody is reminded, or late, by a limit that a calendar adopted since has moved.
    if any(True for _ in recomputed(review, facts)):
        found: tuple[Timed, ...] = (_recompute(stream, at, facts),)
    else:
        found = (
            *_reminders(stream, review, at, policy, facts),
            *_orders(stream, review, at, policy, facts),
            *_proposals(stream, review, at, facts),
        )
    return tuple(timed for timed in found if policy.allows(f"review/{timed.name}", Role.SYSTEM))


def _id(stream: UUID, *about: object) -> UUID:
    return uuid5(stream, ":".join(map(str, ("timer", *about))))


def _recompute(stream: UUID, at: datetime, facts: Facts) -> Timed:
    return Timed(
        name="recompute-deadlines",
        command_id=_id(stream, "recompute-deadlines", facts.rulebook_version),
        command=RecomputeDeadlines(at=at, by=THE_SYSTEM),
        since=at,
        ready=True,
    )


def _reminders(stream: UUID, review: Review, at: datetime, policy: Policy, facts: Facts) -> Iterator[Timed]:
    for clock, due, since in reminders(review, policy, facts):
        yield Timed(
            name="remind",
            command_id=_id(stream, "remind", clock, due.at.isoformat()),
            command=Remind(at=at, by=THE_SYSTEM, clock=clock),
            since=since,
            ready=since <= at,
        )


def _orders(stream: UUID, review: Review, at: datetime, policy: Policy, facts: Facts) -> Iterator[Timed]:
    for rule, level, clock, due, since in orders(review, policy, facts):
        command_id = _id(stream, rule, level, clock, due.at.isoformat())
        yield Timed(
            name="issue-supervision",
            command_id=command_id,
            command=IssueSupervision(
                at=at,
                by=THE_SYSTEM,
                supervision=uuid5(command_id, MADE),
                rule_no=rule,
                level=level,
                clock=clock,
                content=None,
            ),
            since=since,
            ready=order_due(due, since, review.profile, at, facts),
        )


def _proposals(stream: UUID, review: Review, at: datetime, facts: Facts) -> Iterator[Timed]:
    for proposal, waiting in review.proposals.items():
        if waiting.until is not None:
            yield Timed(
                name="expire-proposal",
                command_id=_id(stream, "expire-proposal", proposal),
                command=ExpireProposal(at=at, by=THE_SYSTEM, proposal=proposal),
                since=waiting.until.at,
                ready=facts.late(review.profile, waiting.until, at) is True,
            )
