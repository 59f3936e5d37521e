"""A case ends otherwise than by its answer: refused, sent elsewhere, withdrawn, terminated.

Refusing and terminating take two people (domain.md §6.3; R3 art. 19 and 21, P8; where a case of an accusation goes,
nobody accused may read along: L1 art. 30 and 46).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, concerned, the_complainant
from domain.complaint.proposals import Proposed, dropped, kept, only_one, waiting
from domain.complaint.replying import AppealRoute
from domain.complaint.state import BEFORE_REPLY, PROMISE, Case, Clock, Step, at_step
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, PersonKey
from domain.errors import (
    OwnWorkEnded,
    WithdrawalInvalid,
)
from domain.handling import Basis, Facts, Proof, keep_apart, listed, permit
from domain.sealed import Sealed, TextFacts

ACCUSATIONS: Final = frozenset({"RENT_SEEKING"})
"""Categories that belong to the discipline channel: wherever they go, the accused never read them (domain.md §3)."""


class Destination(StrEnum):
    """Where a case goes that is not ours."""

    PETITION = "petition"
    DISCIPLINE = "discipline"
    HOTLINE_12345 = "hotline_12345"
    RECONSIDERATION = "reconsideration"
    OTHER_REGION = "other_region"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalProposed(Proposed):
    """Somebody proposed not to accept the complaint (不予受理); another person has to confirm it."""

    confirm = "confirm-refuse"
    turns = frozenset({Step.REGISTERED})

    reason: Code
    legal_basis: Sealed
    explanation: Sealed
    explanation_measured: TextFacts
    proper_channel: Code
    appeal_route: AppealRoute


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
class TerminationProposed(Proposed):
    """Somebody proposed to end the handling; another person has to confirm it."""

    confirm = "confirm-terminate"
    turns = frozenset({Step.IN_PROGRESS})

    reason: Code
    explanation: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminated(Event):
    """The handling was ended by two people, and the complainant is told why."""

    proposal: UUID
    proposer: PersonKey
    reason: Code
    explanation: Sealed


EndingEvent: TypeAlias = RefusalProposed | Refused | TransferredOut | Withdrawn | TerminationProposed | Terminated


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


EndingCommand: TypeAlias = (
    ProposeRefusal | ConfirmRefusal | TransferOut | Withdraw | ProposeTermination | ConfirmTermination
)

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "propose-refuse": RefusalProposed.turns,
        "confirm-refuse": RefusalProposed.turns,
        "transfer-out": frozenset({Step.REGISTERED, Step.ACCEPTED}),
        "withdraw": BEFORE_REPLY,
        "propose-terminate": TerminationProposed.turns,
        "confirm-terminate": TerminationProposed.turns,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: EndingCommand, facts: Facts) -> list[Event | For]:
    """Answer whoever wants the case to end otherwise than by its answer.

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, UnknownReference, ProposalPending, ProposalOver,
    Superseded, OwnProposal, OwnWorkEnded, Unknown, WithdrawalInvalid.
    """
    match command:
        case ProposeRefusal():
            return _propose_refusal(at_step(case, *TURNS["propose-refuse"]), command, facts)
        case ConfirmRefusal():
            return _refuse(at_step(case, *TURNS["confirm-refuse"]), command, facts)
        case TransferOut():
            return _transfer(at_step(case, *TURNS["transfer-out"]), command, facts)
        case Withdraw():
            return _withdraw(at_step(case, *TURNS["withdraw"]), command, facts)
        case ProposeTermination():
            return _propose_termination(at_step(case, *TURNS["propose-terminate"]), command, facts)
        case ConfirmTermination():
            return _terminate(at_step(case, *TURNS["confirm-terminate"]), command, facts)
        case _:
            assert_never(command)


def _propose_refusal(case: Case, command: ProposeRefusal, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = admit(case, command, "propose-refuse", facts)
    listed(policy, "refuse_reason", command.reason)
    listed(policy, "proper_channel", command.proper_channel)
    only_one(case, RefusalProposed)
    return [
        RefusalProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            reason=command.reason,
            legal_basis=command.legal_basis,
            explanation=command.explanation,
            explanation_measured=command.explanation_measured,
            proper_channel=command.proper_channel,
            appeal_route=command.appeal_route,
            until=facts.limit(case.profile, "proposal", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _refuse(case: Case, command: ConfirmRefusal, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "confirm-refuse", facts)
    proposed = waiting(case, command.proposal, RefusalProposed, by, at, facts)
    return [
        Refused(
            at=at,
            by=by,
            proposal=proposed.proposal,
            proposer=proposed.by.person,
            reason=proposed.reason,
            legal_basis=proposed.legal_basis,
            explanation=proposed.explanation,
            proper_channel=proposed.proper_channel,
            appeal_route=proposed.appeal_route,
            late=facts.late(case.profile, case.due(Clock.ACCEPT), at),
            review_request_until=facts.limit(case.profile, "complaint.review_request_window", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _transfer(case: Case, command: TransferOut, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "transfer-out", facts)
    return [
        TransferredOut(
            at=at,
            by=by,
            to=command.to,
            doc_no=command.doc_no,
            explanation=command.explanation,
            sealed=command.to is Destination.DISCIPLINE or case.category in ACCUSATIONS,
            late=facts.late(case.profile, case.due(PROMISE[case.step]), at),
        )
    ]


def _withdraw(case: Case, command: Withdraw, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "withdraw", at, facts)
    the_complainant(case, by)
    if command.confirmed_by is not None and not _may_take_it(case, command.confirmed_by, command, facts):
        raise WithdrawalInvalid
    return [Withdrawn(at=at, by=by, reason=command.reason, proof=command.proof, confirmed_by=command.confirmed_by)]


def _may_take_it(case: Case, clerk: PersonKey, command: Withdraw, facts: Facts) -> bool:
    """Say whether a clerk is free to say that the complainant withdrew of free will: nobody whom it would suit."""
    register, respondent = facts.register, case.respondent
    window = None if respondent.window is None else register.windows.get(respondent.window)
    units = {*case.departments, respondent.department, None if window is None else window.department} - {None}
    return not (
        concerned(respondent, {clerk}, (*case.noticed, command.at), facts)
        or clerk in case.responsible | case.handlers | case.made_by
        or any(post.department in units for post in register.held_by(clerk, command.at))
    )


def _propose_termination(case: Case, command: ProposeTermination, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = admit(case, command, "propose-terminate", facts)
    listed(policy, "terminate_reason", command.reason)
    only_one(case, TerminationProposed)
    return [
        TerminationProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            reason=command.reason,
            explanation=command.explanation,
            until=facts.limit(case.profile, "proposal", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _terminate(case: Case, command: ConfirmTermination, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    admit(case, command, "confirm-terminate", facts)
    keep_apart(by, case.handlers, OwnWorkEnded)
    proposed = waiting(case, command.proposal, TerminationProposed, by, at, facts)
    return [
        Terminated(
            at=at,
            by=by,
            proposal=proposed.proposal,
            proposer=proposed.by.person,
            reason=proposed.reason,
            explanation=proposed.explanation,
        )
    ]


def evolve(case: Case, event: EndingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case RefusalProposed() | TerminationProposed():
            return kept(case, event)
        case Refused(by=by, proposal=proposal):
            # Who judged a case takes no other part in it: also not when a review finds the refusal wrong.
            return replace(
                dropped(case, proposal),
                step=Step.REFUSED,
                before=case.step,
                review_until=event.review_request_until,
                approvers=case.approvers | by.persons | {event.proposer},
            )
        case TransferredOut(sealed=sealed):
            return replace(case, step=Step.TRANSFERRED_OUT, before=case.step, sealed=case.sealed or sealed)
        case Withdrawn():
            return replace(case, step=Step.WITHDRAWN, before=case.step)
        case Terminated(by=by, proposal=proposal):
            return replace(
                dropped(case, proposal),
                step=Step.TERMINATED,
                before=case.step,
                approvers=case.approvers | by.persons | {event.proposer},
            )
        case _:
            assert_never(event)
