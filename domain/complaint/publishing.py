"""A redacted case is published, and an identity disclosed, only by two people.

Source: domain.md §11.4 (R1, R2: what was answered is public; PIPL art. 25: nothing personal is). The machine looks for
phones, identity numbers, plates and addresses; names only the second person can find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.proposals import Proposed, dropped, kept, only_one, waiting
from domain.complaint.state import TERMINAL, Case, Step, at_step
from domain.decider import Code, Command, Event, For, PersonKey
from domain.errors import AlreadyPublished, NotForPublication, StillPersonal, UnknownReference
from domain.handling import Facts, listed
from domain.sealed import Sealed, TextFacts

SETTLED: Final = TERMINAL | {Step.REPLIED}
"""Where a case may be published: the complainant has heard before the public does."""
DISCLOSED: Final = frozenset({"name", "phone"})
"""What may be disclosed of who complained."""

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationProposed(Proposed):
    """Somebody proposed a redacted text for publication (公示); another person has to confirm it."""

    confirm = "confirm-publish"
    turns = SETTLED

    redaction: Sealed
    redaction_measured: TextFacts
    reply: Sealed | None
    reply_measured: TextFacts | None


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
class DisclosureProposed(Proposed):
    """Somebody proposed to disclose who complained; another person has to confirm it."""

    confirm = "confirm-disclose"
    turns = frozenset(Step)

    fields: tuple[Code, ...]
    recipient: Code
    legal_basis: Sealed


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
        "propose-publish": PublicationProposed.turns,
        "confirm-publish": PublicationProposed.turns,
        "unpublish": frozenset(Step),
        "propose-disclose": DisclosureProposed.turns,
        "confirm-disclose": DisclosureProposed.turns,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: PublishingCommand, facts: Facts) -> list[Event | For]:
    """Answer whoever wants something to become known outside.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, UnknownReference, NotForPublication, StillPersonal,
    AlreadyPublished, ProposalPending, ProposalOver, Superseded, OwnProposal.
    """
    at, by = command.at, command.by
    match command:
        case ProposePublication():
            return _propose_publication(at_step(case, *TURNS["propose-publish"]), command, facts)
        case ConfirmPublication():
            return _publish(at_step(case, *TURNS["confirm-publish"]), command, facts)
        case Unpublish(reason=reason):
            there = at_step(case, *TURNS["unpublish"])
            admit(there, command, "unpublish", facts)
            return [Unpublished(at=at, by=by, reason=reason)] if there.published else []
        case ProposeDisclosure():
            return _propose_disclosure(at_step(case, *TURNS["propose-disclose"]), command, facts)
        case ConfirmDisclosure():
            return _disclose(at_step(case, *TURNS["confirm-disclose"]), command, facts)
        case _:
            assert_never(command)


def _not_closed(case: Case, *, also_sealed: bool) -> None:
    """Refuse a case that others may not know of; a sealed one may be disclosed all the same, to whom the law names."""
    if case.keeping.restricted or (also_sealed and case.sealed):
        raise NotForPublication


def _propose_publication(case: Case, command: ProposePublication, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "propose-publish", facts)
    _not_closed(case, also_sealed=True)
    if case.published:
        raise AlreadyPublished
    measured = (command.redaction_measured, *(() if command.reply_measured is None else (command.reply_measured,)))
    if found := sorted({hit.kind for text in measured for hit in text.pattern_hits}):
        raise StillPersonal(found=found)
    only_one(case, PublicationProposed)
    return [
        PublicationProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            redaction=command.redaction,
            redaction_measured=command.redaction_measured,
            reply=command.reply,
            reply_measured=command.reply_measured,
            until=facts.limit(case.profile, "proposal", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _publish(case: Case, command: ConfirmPublication, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "confirm-publish", facts)
    # The case may have been closed to others while the proposal waited.
    _not_closed(case, also_sealed=True)
    proposed = waiting(case, command.proposal, PublicationProposed, by, at, facts)
    return [
        Published(
            at=at,
            by=by,
            proposal=proposed.proposal,
            proposer=proposed.by.person,
            redaction=proposed.redaction,
            reply=proposed.reply,
        )
    ]


def _propose_disclosure(case: Case, command: ProposeDisclosure, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = admit(case, command, "propose-disclose", facts)
    _not_closed(case, also_sealed=False)
    listed(policy, "disclosure_recipient", command.recipient)
    if strange := sorted(set(command.fields) - DISCLOSED):
        raise UnknownReference(kind="fields", value=strange[0])
    if not command.fields:
        raise UnknownReference(kind="fields")
    only_one(case, DisclosureProposed)
    return [
        DisclosureProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            fields=tuple(sorted(set(command.fields))),
            recipient=command.recipient,
            legal_basis=command.legal_basis,
            until=facts.limit(case.profile, "proposal", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _disclose(case: Case, command: ConfirmDisclosure, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "confirm-disclose", facts)
    _not_closed(case, also_sealed=False)
    proposed = waiting(case, command.proposal, DisclosureProposed, by, at, facts)
    return [
        IdentityDisclosed(
            at=at,
            by=by,
            proposal=proposed.proposal,
            proposer=proposed.by.person,
            fields=proposed.fields,
            recipient=proposed.recipient,
            legal_basis=proposed.legal_basis,
        )
    ]


def evolve(case: Case, event: PublishingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case PublicationProposed() | DisclosureProposed():
            return kept(case, event)
        case Published(proposal=proposal):
            return replace(dropped(case, proposal), published=True)
        case Unpublished():
            return replace(case, published=False)
        case IdentityDisclosed(proposal=proposal):
            return dropped(case, proposal)
        case _:
            assert_never(event)
