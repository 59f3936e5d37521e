"""Acts of two people: one proposes, another person confirms or declines; what waits there stops no clock.

Source: domain.md §6.3 (refuse, terminate, unmerge, publish); that a proposal expires is our design.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from domain.complaint.state import Case, Step
from domain.deadlines import Due
from domain.decider import Actor, Event
from domain.errors import OwnProposal, ProposalOver, ProposalPending, Superseded
from domain.handling import Basis, Facts, keep_apart


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
    found = case.proposals.get(proposal)
    if not isinstance(found, kind):
        raise Superseded(proposal=proposal)
    keep_apart(by, found.by.persons, OwnProposal)
    if facts.late(case.profile, found.until, at):
        raise ProposalOver(proposal=proposal)
    return found


def kept(case: Case, event: Proposed) -> Case:
    """Give the case with a proposal that waits."""
    return replace(case, proposals=MappingProxyType({**case.proposals, event.proposal: event}))


def dropped(case: Case, proposal: UUID) -> Case:
    """Give the case without a proposal that was decided on."""
    return replace(
        case, proposals=MappingProxyType({key: one for key, one in case.proposals.items() if key != proposal})
    )


def in_turn(case: Case) -> Case:
    """Give the case without the proposals of acts that are no longer in turn at its step."""
    living = {
        key: one for key, one in case.proposals.items() if not isinstance(one, Proposed) or case.step in one.turns
    }
    return case if len(living) == len(case.proposals) else replace(case, proposals=MappingProxyType(living))
