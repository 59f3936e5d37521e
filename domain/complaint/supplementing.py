"""The complainant is asked once for what is missing; silence is no withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import Case, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For
from domain.handling import Basis, Facts
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequested(Event):
    """Everything that is missing was named at once (一次性告知); the clock stands meanwhile."""

    supplement: UUID
    items: tuple[Sealed, ...]
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementProvided(Event):
    """The complainant brought what was missing."""

    supplement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementExpired(Event):
    """Nothing came in time; the desk decides on what there is (our design: silence is no withdrawal)."""

    supplement: UUID


SupplementingEvent: TypeAlias = SupplementRequested | SupplementProvided | SupplementExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSupplement(Command):
    """Ask the complainant for everything that is missing, once."""

    supplement: UUID
    items: tuple[Sealed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideSupplement(Command):
    """Bring what was asked for."""

    supplement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireSupplement(Command):
    """Note that nothing came in time."""

    supplement: UUID


SupplementingCommand: TypeAlias = RequestSupplement | ProvideSupplement | ExpireSupplement

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-supplement": frozenset({Step.REGISTERED}),
        "provide-supplement": frozenset({Step.AWAITING_SUPPLEMENT}),
        "expire-supplement": frozenset({Step.AWAITING_SUPPLEMENT}),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: SupplementingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: SupplementingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
