"""What two outside deciders do together: one proposes, another one confirms or declines; what waits stops no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar, assert_never
from uuid import UUID

from domain.deadlines import Due
from domain.decider import Actor, Code, Command, Event, For
from domain.errors import PanelUsed, ProposalPending
from domain.handling import Basis, Facts, keep_apart, permit
from domain.proposing import named, over, without
from domain.review.acting import by_the_panel
from domain.review.state import Review, Stage, at_stage
from domain.sealed import Sealed

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(Event):
    """The first half of a decision of two: all that another decider confirms, until `until` at the latest.

    `about` is the appeal or the objection; `confirm` is the command that confirms it, and is not stored.
    """

    confirm = ""

    proposal: UUID
    about: UUID
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDeclined(Event):
    """The second decider did not confirm; everything stays as it was."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalExpired(Event):
    """Nobody confirmed in time."""

    proposal: UUID


ProposalEvent: TypeAlias = ProposalDeclined | ProposalExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineProposal(Command):
    """Decline the proposal named."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireProposal(Command):
    """Note that a proposal was not confirmed in time."""

    proposal: UUID


ProposalCommand: TypeAlias = DeclineProposal | ExpireProposal

DECIDED_ON: Final = frozenset({Stage.UNDER_APPEAL, Stage.EXCLUDED})
TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {"decline-proposal": DECIDED_ON, "expire-proposal": DECIDED_ON}
)
"""At which stages each command is in turn."""

P = TypeVar("P", bound=Proposed)


def only_one(review: Review) -> None:
    """Refuse a second proposal while the first one waits; raises ProposalPending."""
    for proposal in review.proposals:
        raise ProposalPending(proposal=proposal)


def waiting(review: Review, proposal: UUID, kind: type[P], by: Actor, at: datetime, facts: Facts) -> P:
    """Give a proposal that another person decides on at a moment (UTC).

    Raises Superseded where it is gone, OwnProposal, ProposalOver where its time is over.
    """
    return named(review.proposals, proposal, kind, review.profile, by=by, at=at, facts=facts)


def kept(review: Review, event: Proposed) -> Review:
    """Give the review with a proposal that waits."""
    proposed = decided_by(review, event.by)
    return replace(proposed, proposals=MappingProxyType({**review.proposals, event.proposal: event}))


def decided_by(review: Review, by: Actor) -> Review:
    """Give the review with somebody who had a part in a decision on it, whatever became of their proposal."""
    used = review.used if review.appeal is None else review.used | by.persons
    return replace(review, deciders=review.deciders | by.persons, used=used)


def decide(review: Review | None, command: ProposalCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what becomes of a proposal that is not confirmed.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, OwnRating, OwnRecord, UnitRated, OwnWorkDecided, PanelUsed,
    Superseded, OwnProposal, ProposalOver, TooEarly.
    """
    at, by = command.at, command.by
    match command:
        case DeclineProposal():
            there = at_stage(review, *TURNS["decline-proposal"])
            by_the_panel(there, command, "decline-proposal", facts)
            if there.excluded:
                # Or who excluded it could keep everybody else from letting it count again.
                keep_apart(by, there.used, PanelUsed)
            waiting(there, command.proposal, Proposed, by, at, facts)
            return [ProposalDeclined(at=at, by=by, proposal=command.proposal, reason=command.reason)]
        case ExpireProposal():
            there = at_stage(review, *TURNS["expire-proposal"])
            permit(by, there.profile, "review/expire-proposal", at, facts)
            found = there.proposals.get(command.proposal)
            if found is None:
                # Somebody was faster than the timer: it is decided on already.
                return []
            over(found, there.profile, at, facts)
            return [ProposalExpired(at=at, by=by, proposal=command.proposal)]
        case _:
            assert_never(command)


def evolve(review: Review, event: ProposalEvent) -> Review:
    """Take one event in; never refuses."""
    judged = decided_by(review, event.by) if isinstance(event, ProposalDeclined) else review
    return replace(judged, proposals=without(review.proposals, event.proposal))
