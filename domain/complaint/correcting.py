"""A wrong entry is corrected beside the old one, and the other side is heard without knowing who complained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import OPEN, Case, Respondent, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Instant
from domain.handling import Basis, Facts, Method
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCorrected(Event):
    """A wrong category, respondent or contact was corrected; what is None stays, and the old value stays on record."""

    category: Code | None
    respondent: Respondent | None
    name: Sealed | None
    phone: Sealed | None
    email: Sealed | None
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementInvited(Event):
    """The other side was asked for a statement, in words that do not tell who complained."""

    statement: UUID
    respondent: Respondent
    question: Sealed
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondentStated(Event):
    """The other side made a statement (陈述申辩)."""

    statement: UUID
    content: Sealed
    content_measured: TextFacts
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantNotified(Event):
    """The complainant was told, and it is known how it was delivered; `about` is the event told of."""

    notice: UUID
    about: Code
    method: Method
    delivered_at: Instant | None


CorrectingEvent: TypeAlias = RecordCorrected | StatementInvited | RespondentStated | ComplainantNotified


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRecord(Command):
    """Correct a wrong entry."""

    category: Code | None
    respondent: Respondent | None
    name: Sealed | None
    phone: Sealed | None
    email: Sealed | None
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteStatement(Command):
    """Ask the other side for a statement."""

    statement: UUID
    question: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStatement(Command):
    """Make a statement in the own cause."""

    statement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNotice(Command):
    """Record that a notice reached the complainant."""

    notice: UUID
    about: Code
    method: Method
    delivered_at: datetime | None


CorrectingCommand: TypeAlias = CorrectRecord | InviteStatement | MakeStatement | RecordNotice

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "correct-record": frozenset(Step) - {Step.ARCHIVED},
        "invite-statement": frozenset({Step.IN_PROGRESS}),
        "make-statement": OPEN,
        "record-notice": frozenset(Step),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: CorrectingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: CorrectingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
