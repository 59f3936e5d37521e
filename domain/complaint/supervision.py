"""A supervisor, or a timer, reminds and orders; the unit answers, and the order is lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import OPEN, Case, Clock, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For
from domain.handling import Basis, Facts
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded(Event):
    """The unit was reminded that a limit is near (催办); `about` is that limit."""

    clock: Clock
    about: Due | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionIssued(Event):
    """A supervision order was issued (督办), with its level from 1 to 3 and the rule it rests on."""

    supervision: UUID
    supervision_no: Code
    rule_no: Code
    level: int
    content: Sealed | None
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionAnswered(Event):
    """The unit answered the order."""

    supervision: UUID
    answer: Sealed
    answer_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionLifted(Event):
    """The order was lifted."""

    supervision: UUID
    reason: Sealed | None


SupervisionEvent: TypeAlias = Reminded | SupervisionIssued | SupervisionAnswered | SupervisionLifted


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(Command):
    """Remind the unit of a limit that is near."""

    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSupervision(Command):
    """Issue a supervision order."""

    supervision: UUID
    rule_no: Code
    level: int
    content: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSupervision(Command):
    """Answer the order named."""

    supervision: UUID
    answer: Sealed
    answer_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSupervision(Command):
    """Lift the order named."""

    supervision: UUID
    reason: Sealed | None


SupervisionCommand: TypeAlias = Remind | IssueSupervision | AnswerSupervision | LiftSupervision

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "remind": OPEN,
        "issue-supervision": OPEN,
        "answer-supervision": OPEN,
        "lift-supervision": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: SupervisionCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: SupervisionEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
