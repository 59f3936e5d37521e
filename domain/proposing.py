"""Acts of two people, on a complaint or a review: what one proposed waits for another person, and stops no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol, TypeVar
from uuid import UUID

from domain.deadlines import Due
from domain.decider import Actor, Code
from domain.errors import OwnProposal, ProposalOver, Superseded, TooEarly
from domain.handling import Facts, keep_apart


class Proposal(Protocol):
    """The first half of an act of two people, as it was recorded: by whom, and until when it can be confirmed."""

    @property
    def by(self) -> Actor:
        """Who proposed it."""
        ...

    @property
    def until(self) -> Due | None:
        """Until when it waits; None while nobody can know."""
        ...

    @property
    def confirm(self) -> Code:
        """Which command confirms it."""
        ...


P = TypeVar("P", bound=Proposal)
Q = TypeVar("Q")


def named(
    proposals: Mapping[UUID, object],
    proposal: UUID,
    kind: type[P],
    profile: Code,
    *,
    by: Actor,
    at: datetime,
    facts: Facts,
) -> P:
    """Give a proposal of this kind that another person decides on at a moment (UTC).

    Raises Superseded where it is gone, OwnProposal, ProposalOver where its time is over.
    """
    found = proposals.get(proposal)
    if not isinstance(found, kind):
        raise Superseded(proposal=proposal)
    keep_apart(by, found.by.persons, OwnProposal)
    if facts.late(profile, found.until, at):
        raise ProposalOver(proposal=proposal)
    return found


def over(found: Proposal, profile: Code, at: datetime, facts: Facts) -> None:
    """Refuse to let a proposal expire at a moment (UTC) at which it still waits; raises TooEarly."""
    if not facts.late(profile, found.until, at):
        raise TooEarly(until=None if found.until is None else found.until.at)


def without(proposals: Mapping[UUID, Q], proposal: UUID) -> Mapping[UUID, Q]:
    """Give the proposals without one that was decided on."""
    return MappingProxyType({key: one for key, one in proposals.items() if key != proposal})
