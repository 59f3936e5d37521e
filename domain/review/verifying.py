"""A bad review is looked into: who rated is contacted, evidence recorded, a verdict given by somebody not rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID, uuid5

from domain.complaint.inquiry import EvidenceKind
from domain.deadlines import Due
from domain.decider import Code, Command, Digest, Event, For, Instant, Role
from domain.errors import AlreadyThere, ContactMissing, NobodyToContact, OnceOnly, OutOfTurn, UnknownReference
from domain.handling import Basis, ContactResult, Facts, Method, not_later, permit, tried_enough
from domain.review.acting import OF_A_UNIT, admit, by_the_worker, in_own_cause
from domain.review.appealing import Appealed
from domain.review.state import Clock, Review, Stage, Verdict, at_stage, started
from domain.rulebook import Policy
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted(Event):
    """An attempt to reach who rated was made (联系), on this local day; only the first one can be late."""

    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    note: Sealed | None
    late: bool | None
    happened_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecorded(Event):
    """A piece of evidence was recorded; `sha256` is of the sealed attachment, its size in bytes."""

    evidence: UUID
    kind: EvidenceKind
    description: Sealed
    sha256: Digest | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Event):
    """A bad review was verified (核实), with a verdict; what follows from it is done until `rectify_due`."""

    verdict: Verdict
    facts: Sealed
    facts_measured: TextFacts
    evidence: tuple[UUID, ...]
    late: bool | None
    rectify_due: Due | None
    basis: Basis


VerifyingEvent: TypeAlias = Contacted | EvidenceRecorded | Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Command):
    """Record an attempt to reach who rated; `happened_at` if it is recorded later than it was made."""

    method: Method
    result: ContactResult
    note: Sealed | None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvidence(Command):
    """Record a piece of evidence."""

    evidence: UUID
    kind: EvidenceKind
    description: Sealed
    sha256: Digest | None
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify(Command):
    """Give a verdict on a bad review; `appeal` names the appeal that a mistaken or malicious one leads to.

    `explanation` is the text of `facts` sealed once more, for the appeal: a text opens only as what it was sealed as.
    """

    verdict: Verdict
    facts: Sealed
    facts_measured: TextFacts
    evidence: tuple[UUID, ...]
    appeal: UUID
    explanation: Sealed | None = None


VerifyingCommand: TypeAlias = Contact | RecordEvidence | Verify

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "contact": frozenset({Stage.BAD_OPEN, Stage.BAD_CONTACTED, Stage.UNDER_APPEAL}),
        "record-evidence": frozenset(Stage) - {Stage.BAD_CLOSED},
        "verify": frozenset({Stage.BAD_OPEN, Stage.BAD_CONTACTED}),
    }
)
"""At which stages each command is in turn (domain.md §7.2)."""


def decide(review: Review | None, command: VerifyingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what is done to find out about a bad review.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnRating, OwnRecord, OwnWorkDecided,
    OwnWorkRevisited, NobodyToContact, NotYetHappened, AlreadyThere, UnknownReference, ContactMissing, OnceOnly.
    """
    match command:
        case Contact():
            return _contact(at_stage(review, *TURNS["contact"]), command, facts)
        case RecordEvidence():
            return _record(at_stage(review, *TURNS["record-evidence"]), command, facts)
        case Verify():
            return _verify(at_stage(review, *TURNS["verify"]), command, facts)
        case _:
            assert_never(command)


def _contact(review: Review, command: Contact, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_worker(review, command, "contact", facts)
    if review.accepted is None or review.verdict is not None:
        # Of a rating that only looks forged nobody has a work order; after the verdict the reply reaches who rated.
        raise OutOfTurn(step=review.stage, allowed=[str(Stage.BAD_OPEN)])
    if not review.known:
        raise NobodyToContact
    return [
        Contacted(
            at=at,
            by=by,
            attempt_no=len(review.contact_days) + 1,
            day=facts.day(review.profile, at),
            method=command.method,
            result=command.result,
            note=command.note,
            late=None if review.contact_days else facts.late(review.profile, review.due(Clock.CONTACT), at),
            happened_at=not_later(command.happened_at, at),
        )
    ]


def _record(review: Review, command: RecordEvidence, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    if by.role is Role.RESPONDENT:
        # Whoever was rated brings what speaks for them, and does nothing else here.
        permit(by, review.profile, "review/record-evidence", at, facts)
        in_own_cause(review, by, "record-evidence", facts)
    elif by.role in OF_A_UNIT:
        by_the_worker(review, command, "record-evidence", facts)
    else:
        admit(review, command, "record-evidence", facts)
    if command.evidence in review.evidence:
        raise AlreadyThere(evidence=command.evidence)
    return [
        EvidenceRecorded(
            at=at,
            by=by,
            evidence=command.evidence,
            kind=command.kind,
            description=command.description,
            sha256=command.sha256,
            size=command.size,
        )
    ]


def _verify(review: Review, command: Verify, facts: Facts) -> Sequence[Event | For]:
    at, by, verdict = command.at, command.by, command.verdict
    policy = by_the_worker(review, command, "verify", facts)
    _contacted(review, policy)
    if unknown := set(command.evidence) - review.evidence:
        raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))
    if verdict.contests and review.appeals:
        # It was decided already that the review stays in the figures.
        raise OnceOnly
    verified = Verified(
        at=at,
        by=by,
        verdict=verdict,
        facts=command.facts,
        facts_measured=command.facts_measured,
        evidence=command.evidence,
        late=facts.late(review.profile, review.due(Clock.VERIFY), at),
        rectify_due=None if verdict.contests else facts.limit(review.profile, verdict.term, at),
        basis=facts.basis(review.profile, at),
    )
    if not verdict.contests:
        return [verified]
    # Who verifies cannot take a review out of the figures: that goes before two outside deciders (domain.md §7.2).
    appealed = Appealed(
        at=at,
        by=by,
        appeal=command.appeal,
        ground=verdict,
        explanation=command.explanation or command.facts,
        explanation_measured=command.facts_measured,
        evidence=command.evidence,
        decide_due=facts.limit(review.profile, "bad.appeal_decide", at),
        basis=facts.basis(review.profile, at),
    )
    return [verified, appealed]


def _contacted(review: Review, policy: Policy) -> None:
    """Refuse a verdict over the head of somebody who gave a name; raises ContactMissing."""
    if review.known and not review.reached and not tried_enough(review.contact_days, policy):
        raise ContactMissing(attempts=len(review.contact_days), required=policy.attempts_required)


def appeal_of(command_id: UUID) -> UUID:
    """Give the id of the appeal that a verdict may lead to: the same when the command is given again."""
    return uuid5(command_id, "appeal")


def evolve(review: Review, event: VerifyingEvent) -> Review:
    """Take one event in; never refuses."""
    worked = replace(review, workers=review.workers | event.by.persons)
    match event:
        case Contacted(day=day, result=result):
            reached = review.reached or result is ContactResult.REACHED
            return replace(worked, contact_days=(*review.contact_days, day), reached=reached)
        case EvidenceRecorded(evidence=evidence, by=by):
            # Whoever brings evidence to a decision from outside has not worked on the review.
            return replace(worked if by.role in OF_A_UNIT else review, evidence=review.evidence | {evidence})
        case Verified(verdict=verdict, rectify_due=rectify_due):
            verified = replace(worked, verdict=None if verdict.contests else verdict)
            return started(verified, event.at, rectify=rectify_due)
        case _:
            assert_never(event)
