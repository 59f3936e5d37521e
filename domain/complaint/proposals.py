"""Acts of two people: one proposes, another person confirms or declines; what waits there stops no clock.

Source: domain.md §6.3 (refuse, terminate, unmerge, publish); that a proposal expires is our design.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.state import Case, Step, at_step
from domain.deadlines import Due
from domain.decider import Actor, Code, Command, Event, For
from domain.errors import NotYourRole, ProposalPending
from domain.handling import Basis, Facts, permit
from domain.proposing import named, over, without
from domain.sealed import Sealed

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(Event):
    """The first half of an act of two people: it holds all that another person confirms, until `until` at the latest.

    `confirm` is the command that confirms it and `turns` are the steps at which it can be; neither is stored.
    """

    confirm = ""
    turns = frozenset[Step]()

    proposal: UUID
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDeclined(Event):
    """The second person did not confirm; everything stays as it was."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalExpired(Event):
    """Nobody confirmed in time; a proposal stops no clock."""

    proposal: UUID


ProposalEvent: TypeAlias = ProposalDeclined | ProposalExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineProposal(Command):
    """Decline the proposal named, of whatever act."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireProposal(Command):
    """Note that a proposal was not confirmed in time."""

    proposal: UUID


ProposalCommand: TypeAlias = DeclineProposal | ExpireProposal

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {"decline-proposal": frozenset(Step), "expire-proposal": frozenset(Step)}
)
"""At which steps each command is in turn: whether something is proposed, the case itself says."""

P = TypeVar("P", bound=Proposed)


def only_one(case: Case, kind: type[Proposed]) -> None:
    """Refuse a second proposal of the same act while the first one waits; raises ProposalPending."""
    for proposal, waiting in case.proposals.items():
        if isinstance(waiting, kind):
            raise ProposalPending(proposal=proposal)


def waiting(case: Case, proposal: UUID, kind: type[P], by: Actor, at: datetime, facts: Facts) -> P:
    """Give a proposal that another person decides on at a moment (UTC).

    Raises Superseded where it is gone, OwnProposal, ProposalOver where its time is over.
    """
    return named(case.proposals, proposal, kind, case.profile, by=by, at=at, facts=facts)


def kept(case: Case, event: Proposed) -> Case:
    """Give the case with a proposal that waits."""
    return replace(case, proposals=MappingProxyType({**case.proposals, event.proposal: event}))


def dropped(case: Case, proposal: UUID) -> Case:
    """Give the case without a proposal that was decided on."""
    return replace(case, proposals=without(case.proposals, proposal))


def in_turn(case: Case) -> Case:
    """Give the case without the proposals of acts that are no longer in turn at its step."""
    living = {
        key: one for key, one in case.proposals.items() if not isinstance(one, Proposed) or case.step in one.turns
    }
    return case if len(living) == len(case.proposals) else replace(case, proposals=MappingProxyType(living))


def decide(case: Case | None, command: ProposalCommand, facts: Facts) -> list[Event | For]:
    """Answer what becomes of a proposal, of whatever act, that is not confirmed.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, Superseded, OwnProposal, ProposalOver, TooEarly.
    """
    match command:
        case DeclineProposal():
            return _decline(at_step(case, *TURNS["decline-proposal"]), command, facts)
        case ExpireProposal():
            return _expire(at_step(case, *TURNS["expire-proposal"]), command, facts)
        case _:
            assert_never(command)


def _decline(case: Case, command: DeclineProposal, facts: Facts) -> list[Event | For]:
    """Let those decline who could confirm: the policy names them for each act."""
    at, by = command.at, command.by
    policy = admit(case, command, "decline-proposal", facts)
    proposed = waiting(case, command.proposal, Proposed, by, at, facts)
    if not policy.allows(proposed.confirm, by.role):
        raise NotYourRole(role=by.role, command=proposed.confirm)
    return [ProposalDeclined(at=at, by=by, proposal=command.proposal, reason=command.reason)]


def _expire(case: Case, command: ExpireProposal, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "expire-proposal", at, facts)
    proposed = case.proposals.get(command.proposal)
    if not isinstance(proposed, Proposed):
        # Somebody was faster than the timer: it is decided on already.
        return []
    over(proposed, case.profile, at, facts)
    return [ProposalExpired(at=at, by=by, proposal=command.proposal)]


def evolve(case: Case, event: ProposalEvent) -> Case:
    """Take one event in; never refuses."""
    return dropped(case, event.proposal)
