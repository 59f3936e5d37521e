"""Cases that tell of one matter are merged and taken apart; one that tells of several is split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.proposals import Proposed
from domain.complaint.state import OPEN, Case, Respondent, Step
from domain.decider import Code, Command, Event, For, PersonKey
from domain.handling import Facts
from domain.sealed import Sealed, TextFacts


class Link(StrEnum):
    """Whether one person complains twice, or several people of one matter."""

    DUPLICATE = "duplicate"
    JOINT = "joint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted:
    """Which points of the parent a new case took over, counted from 1."""

    case: UUID
    complaint_no: Code
    points: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A new case to be made of some points of the parent, counted from 1; its text is sealed under its own key."""

    case: UUID
    points: tuple[int, ...]
    narrative: Sealed
    narrative_facts: TextFacts
    category: Code | None
    respondent: Respondent


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Event):
    """The case was joined to another one; its complainant keeps an own reply and revisit."""

    primary: UUID
    link: Link
    similarity: int | None
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateLinked(Event):
    """Another case was joined to this one."""

    child: UUID
    complainant: PersonKey
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergeProposed(Proposed):
    """Somebody proposed to take the cases apart again; another person has to confirm it."""

    confirm = "confirm-unmerge"
    turns = frozenset({Step.MERGED})

    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged(Event):
    """The case stands by itself again, where it stood before."""

    proposal: UUID
    proposer: PersonKey
    primary: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateUnlinked(Event):
    """A case that was joined to this one stands by itself again."""

    child: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Event):
    """Several grievances were parted; each point lies in exactly one case, this one keeps the rest."""

    children: tuple[Allotted, ...]
    kept: tuple[int, ...]


LinkingEvent: TypeAlias = Merged | DuplicateLinked | UnmergeProposed | Unmerged | DuplicateUnlinked | Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Command):
    """Join the case to another one."""

    primary: UUID
    link: Link
    similarity: int | None
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeUnmerge(Command):
    """Propose to take the cases apart again."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmUnmerge(Command):
    """Confirm the unmerging named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCase(Command):
    """Part the grievances of the case into linked cases."""

    parts: tuple[Part, ...]


LinkingCommand: TypeAlias = Merge | ProposeUnmerge | ConfirmUnmerge | SplitCase

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "merge": OPEN,
        "propose-unmerge": frozenset({Step.MERGED}),
        "confirm-unmerge": frozenset({Step.MERGED}),
        "split": frozenset({Step.REGISTERED, Step.ACCEPTED}),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: LinkingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: LinkingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
