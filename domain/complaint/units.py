"""Departments answer when they are called in, say that a case is not theirs, and hand it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import OPEN, Case, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, PersonKey
from domain.handling import Basis, Facts
from domain.sealed import Sealed, TextFacts


class HandoverReason(StrEnum):
    """Why a case goes to somebody else."""

    LEFT = "left"
    LEAVE = "leave"
    WORKLOAD = "workload"
    RECUSAL = "recusal"
    REORGANISED = "reorganised"
    OTHER = "other"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCalledIn(Event):
    """A department was called in to answer a question, with a limit of its own; another one leads."""

    call: UUID
    department: Code
    question: Sealed
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAnswered(Event):
    """A department that was called in answered."""

    call: UUID
    answer: Sealed
    answer_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnRequested(Event):
    """The unit says that the case is not its duty (退回), and whose it may be."""

    request: UUID
    reason: Code
    explanation: Sealed
    suggested_unit: Code | None
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnApproved(Event):
    """The unit was relieved of the case; it is to be assigned again."""

    request: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentReturnRejected(Event):
    """The unit keeps the case; after a final decision it cannot return it again."""

    request: UUID
    reason: Sealed
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """The case went to another person or unit; the limit of the unit begins anew, the promise does not.

    A ledger does not tell why.
    """

    department: Code | None
    handler: PersonKey | None
    from_department: Code | None
    from_handler: PersonKey | None
    reason: HandoverReason | None
    sign_due: Due | None
    unit_due: Due | None
    basis: Basis


UnitEvent: TypeAlias = (
    UnitCalledIn
    | UnitAnswered
    | AssignmentReturnRequested
    | AssignmentReturnApproved
    | AssignmentReturnRejected
    | HandedOver
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIn(Command):
    """Call in another department."""

    call: UUID
    department: Code
    question: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall(Command):
    """Answer the call named."""

    call: UUID
    answer: Sealed
    answer_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturn(Command):
    """Say that the case is not this unit's duty."""

    request: UUID
    reason: Code
    explanation: Sealed
    suggested_unit: Code | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReturn(Command):
    """Decide on the request named."""

    request: UUID
    approved: bool
    reason: Sealed | None
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Command):
    """Give the case to another person or unit."""

    department: Code
    handler: PersonKey | None
    reason: HandoverReason


UnitCommand: TypeAlias = CallIn | AnswerCall | RequestReturn | DecideReturn | HandOver

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "call-in": frozenset({Step.ASSIGNED, Step.IN_PROGRESS}),
        "answer-call": OPEN,
        "request-return": frozenset({Step.ASSIGNED}),
        "decide-return": frozenset({Step.ASSIGNED}),
        "hand-over": frozenset(
            {Step.ASSIGNED, Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED, Step.REPLIED}
        ),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: UnitCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: UnitEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
