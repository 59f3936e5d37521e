"""The clock stands still for listed reasons, a limit is lengthened once, and each change of a limit is on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import OPEN, Case, Clock, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Instant
from domain.handling import Basis, Facts
from domain.sealed import Sealed


class Cause(StrEnum):
    """Why a limit was computed anew."""

    RESUMED = "resumed"
    EXTENDED = "extended"
    MERGED = "merged"
    UNMERGED = "unmerged"
    CALENDAR = "calendar"
    RETURNED = "returned"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPaused(Event):
    """The clock stands still (暂停计时), for a reason of the policy's list, until a day at the latest."""

    pause: UUID
    reason: Code
    evidence: tuple[UUID, ...]
    explanation: Sealed | None
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockResumed(Event):
    """The clock runs on (恢复计时); `ended_at` is never later than the longest a pause may be.

    A ledger case has no limit from which days could be excluded.
    """

    pause: UUID
    ended_at: Instant
    excluded_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRequested(Event):
    """A longer limit was asked for (延期), in the unit of the limit."""

    extension: UUID
    days: int
    reason: Sealed
    decide_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionApproved(Event):
    """The longer limit was approved; the new date follows as a recomputed deadline."""

    extension: UUID
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRejected(Event):
    """The longer limit was not approved."""

    extension: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRecomputed(Event):
    """A limit moved, and why; `reference` is the pause, extension, case or calendar it follows from."""

    clock: Clock
    old: Due | None
    new: Due | None
    cause: Cause
    reference: UUID | None
    basis: Basis


TimingEvent: TypeAlias = (
    ClockPaused | ClockResumed | ExtensionRequested | ExtensionApproved | ExtensionRejected | DeadlineRecomputed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseClock(Command):
    """Let the clock stand still."""

    pause: UUID
    reason: Code
    evidence: tuple[UUID, ...]
    explanation: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeClock(Command):
    """Let the clock run on."""

    pause: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension(Command):
    """Ask for a longer limit."""

    extension: UUID
    days: int
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExtension(Command):
    """Decide on the request named."""

    extension: UUID
    approved: bool
    reason: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeDeadlines(Command):
    """Compute the limits anew after a calendar was adopted; they never come out earlier than was told."""

    reference: UUID | None


TimingCommand: TypeAlias = PauseClock | ResumeClock | RequestExtension | DecideExtension | RecomputeDeadlines

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "pause-clock": frozenset({Step.IN_PROGRESS}),
        "resume-clock": OPEN,
        "request-extension": frozenset({Step.IN_PROGRESS}),
        "decide-extension": OPEN,
        "recompute-deadlines": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: TimingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: TimingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
