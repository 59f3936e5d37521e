"""A redacted case is published, and an identity disclosed, only by two people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.state import Case, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, PersonKey
from domain.handling import Basis, Facts
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationProposed(Event):
    """Somebody proposed a redacted text for publication (公示); another person has to confirm it."""

    proposal: UUID
    redaction: Sealed
    redaction_measured: TextFacts
    reply: Sealed | None
    reply_measured: TextFacts | None
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Event):
    """The redacted case was published, by two people."""

    proposal: UUID
    proposer: PersonKey
    redaction: Sealed
    reply: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished(Event):
    """The case is no longer published."""

    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureProposed(Event):
    """Somebody proposed to disclose who complained; another person has to confirm it."""

    proposal: UUID
    fields: tuple[Code, ...]
    recipient: Code
    legal_basis: Sealed
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDisclosed(Event):
    """Who complained was disclosed to an authority, by two people."""

    proposal: UUID
    proposer: PersonKey
    fields: tuple[Code, ...]
    recipient: Code
    legal_basis: Sealed


PublishingEvent: TypeAlias = PublicationProposed | Published | Unpublished | DisclosureProposed | IdentityDisclosed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposePublication(Command):
    """Propose a redacted text for publication."""

    proposal: UUID
    redaction: Sealed
    redaction_measured: TextFacts
    reply: Sealed | None
    reply_measured: TextFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPublication(Command):
    """Confirm the publication named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublish(Command):
    """Take the case out of publication."""

    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDisclosure(Command):
    """Propose to disclose who complained."""

    proposal: UUID
    fields: tuple[Code, ...]
    recipient: Code
    legal_basis: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDisclosure(Command):
    """Confirm the disclosure named."""

    proposal: UUID


PublishingCommand: TypeAlias = (
    ProposePublication | ConfirmPublication | Unpublish | ProposeDisclosure | ConfirmDisclosure
)

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "propose-publish": frozenset(Step),
        "confirm-publish": frozenset(Step),
        "unpublish": frozenset(Step),
        "propose-disclose": frozenset(Step),
        "confirm-disclose": frozenset(Step),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: PublishingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: PublishingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
