"""A case ends without an answer of the unit: refused, transferred, withdrawn or terminated; and each is archived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from domain.complaint.replying import AppealRoute
from domain.complaint.state import BEFORE_REPLY, TERMINAL, Case, Step
from domain.deadlines import Due
from domain.decider import Code, Command, Digest, Event, For, PersonKey
from domain.handling import Basis, Facts, Proof
from domain.sealed import Sealed, TextFacts


class Destination(StrEnum):
    """Where a case goes that is not ours."""

    PETITION = "petition"
    DISCIPLINE = "discipline"
    HOTLINE_12345 = "hotline_12345"
    RECONSIDERATION = "reconsideration"
    OTHER_REGION = "other_region"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalProposed(Event):
    """Somebody proposed not to accept the complaint (不予受理); another person has to confirm it."""

    proposal: UUID
    reason: Code
    legal_basis: Sealed
    explanation: Sealed
    explanation_measured: TextFacts
    proper_channel: Code
    appeal_route: AppealRoute
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    """The complaint was not accepted, by two people, with reason, proper channel and way of appeal."""

    proposal: UUID
    proposer: PersonKey
    reason: Code
    legal_basis: Sealed
    explanation: Sealed
    proper_channel: Code
    appeal_route: AppealRoute
    late: bool | None
    review_request_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferredOut(Event):
    """The case went to another authority; where an accusation goes with it, it is sealed."""

    to: Destination
    doc_no: Sealed | None
    explanation: Sealed | None
    sealed: bool
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """The complainant withdrew, of free will; `confirmed_by` is who took it at a counter."""

    reason: Sealed | None
    proof: Proof
    confirmed_by: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminationProposed(Event):
    """Somebody proposed to end the handling; another person has to confirm it."""

    proposal: UUID
    reason: Code
    explanation: Sealed
    until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated(Event):
    """The handling was ended by two people, and the complainant is told why."""

    proposal: UUID
    proposer: PersonKey
    reason: Code
    explanation: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDeclined(Event):
    """The second person did not confirm; everything stays as it was."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalExpired(Event):
    """Nobody confirmed in time; a proposal stops no clock."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived(Event):
    """The case went to the archive, with its number there and how long it is kept."""

    archive_no: Code
    retention_class: Code
    retention_until: Due | None
    package_sha256: Digest | None


EndingEvent: TypeAlias = (
    RefusalProposed
    | Refused
    | TransferredOut
    | Withdrawn
    | TerminationProposed
    | Terminated
    | ProposalDeclined
    | ProposalExpired
    | Archived
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeRefusal(Command):
    """Propose not to accept the complaint."""

    proposal: UUID
    reason: Code
    legal_basis: Sealed
    explanation: Sealed
    explanation_measured: TextFacts
    proper_channel: Code
    appeal_route: AppealRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRefusal(Command):
    """Confirm the refusal named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOut(Command):
    """Send the case to the authority it belongs to."""

    to: Destination
    doc_no: Sealed | None
    explanation: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Command):
    """Withdraw the complaint."""

    reason: Sealed | None
    proof: Proof
    confirmed_by: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeTermination(Command):
    """Propose to end the handling."""

    proposal: UUID
    reason: Code
    explanation: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmTermination(Command):
    """Confirm the termination named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineProposal(Command):
    """Decline the proposal named, of whatever act."""

    proposal: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireProposal(Command):
    """Note that a proposal was not confirmed in time."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Command):
    """Archive the case."""

    retention_class: Code
    package_sha256: Digest | None


EndingCommand: TypeAlias = (
    ProposeRefusal
    | ConfirmRefusal
    | TransferOut
    | Withdraw
    | ProposeTermination
    | ConfirmTermination
    | DeclineProposal
    | ExpireProposal
    | Archive
)

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "propose-refuse": frozenset({Step.REGISTERED}),
        "confirm-refuse": frozenset({Step.REGISTERED}),
        "transfer-out": frozenset({Step.REGISTERED, Step.ACCEPTED}),
        "withdraw": BEFORE_REPLY,
        "propose-terminate": frozenset({Step.IN_PROGRESS}),
        "confirm-terminate": frozenset({Step.IN_PROGRESS}),
        "decline-proposal": frozenset(Step),
        "expire-proposal": frozenset(Step),
        "archive": TERMINAL - {Step.ARCHIVED},
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: EndingCommand, facts: Facts) -> list[Event | For]:
    """Answer the commands of this phase."""
    raise NotImplementedError


def evolve(case: Case, event: EndingEvent) -> Case:
    """Take one event in; never refuses."""
    raise NotImplementedError
