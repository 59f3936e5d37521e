"""Who has an interest in the matter keeps out of it: declared or asked for, decided by somebody above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import OPEN, Case, Step
from domain.decider import Code, Command, Event, For, PersonKey
from domain.handling import Facts
from domain.sealed import Sealed


class Ground(StrEnum):
    """Why somebody must keep out (Civil Servants Law arts 74, 76-77)."""

    OWN_INTEREST = "own_interest"
    RELATIVE = "relative"
    OTHER_CIRCUMSTANCE = "other_circumstance"
    WITNESS = "witness"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalRequested(Event):
    """Somebody declared an interest, or another side said that a person has one (回避)."""

    recusal: UUID
    target: PersonKey
    ground: Ground
    explanation: Sealed | None
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalDecided(Event):
    """It was decided whether the person keeps out."""

    recusal: UUID
    granted: bool
    reason: Sealed | None


RecusalEvent: TypeAlias = RecusalRequested | RecusalDecided


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecusal(Command):
    """Declare an own interest, or ask that somebody keep out."""

    recusal: UUID
    target: PersonKey
    ground: Ground
    explanation: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRecusal(Command):
    """Decide on the request named; whoever takes over gets the case at once."""

    recusal: UUID
    granted: bool
    new_handler: PersonKey | None
    reason: Sealed | None


RecusalCommand: TypeAlias = RequestRecusal | DecideRecusal

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-recusal": OPEN,
        "decide-recusal": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: RecusalCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: RecusalEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
