"""Who does not agree may have it looked at by others, twice; and a case is reopened in a new round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import Case, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For
from domain.handling import Basis, Facts
from domain.sealed import Sealed, TextFacts


class ReviewResult(StrEnum):
    """What the review says of the decision before it."""

    UPHELD = "upheld"
    MODIFIED = "modified"
    OVERTURNED = "overturned"


class ReopenCause(StrEnum):
    """Why a case was reopened."""

    NEW_FACTS = "new_facts"
    SUPERVISION = "supervision"
    FAILED_RECTIFICATION = "failed_rectification"
    REVIEW = "review"
    EX_OFFICIO = "ex_officio"
    SOURCE = "source"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested(Event):
    """The complainant asked for a review (复核), of the first or second level."""

    review: UUID
    level: int
    grounds: Sealed
    grounds_measured: TextFacts
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecided(Event):
    """The review was decided by somebody who had no part before; `final`: the same facts are not taken up again."""

    review: UUID
    level: int
    result: ReviewResult
    reasons: Sealed
    reasons_measured: TextFacts
    final: bool
    late: bool | None
    review_request_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(Event):
    """The case goes on in a new round with limits of its own; what was late before stays late."""

    round: int
    cause: ReopenCause
    reason: Sealed | None
    handle_due: Due | None
    basis: Basis


ReviewingEvent: TypeAlias = ReviewRequested | ReviewDecided | Reopened


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReview(Command):
    """Ask for a review."""

    review: UUID
    grounds: Sealed
    grounds_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReview(Command):
    """Decide the review named."""

    review: UUID
    result: ReviewResult
    reasons: Sealed
    reasons_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Command):
    """Reopen the case in a new round."""

    cause: ReopenCause
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRework(Command):
    """Send an answered case back to the handler."""

    reason: Sealed


ReviewingCommand: TypeAlias = RequestReview | DecideReview | Reopen | OrderRework

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-review": frozenset({Step.REFUSED, Step.REPLIED, Step.CLOSED}),
        "decide-review": frozenset({Step.UNDER_REVIEW}),
        "reopen": frozenset({Step.CLOSED, Step.ARCHIVED, Step.WITHDRAWN}),
        "order-rework": frozenset({Step.REPLIED}),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: ReviewingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: ReviewingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
