"""A bad review is settled by the unit: put right or explained, and replied to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.revisiting import RevisitStatus
from domain.complaint.state import Running
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Instant
from domain.errors import (
    DateInPast,
    PlannedTooLate,
    Superseded,
    UnknownReference,
    VerdictAsksOtherwise,
)
from domain.handling import Basis, Facts, Method, end_of, not_later
from domain.review.acting import by_the_worker
from domain.review.revisiting import closed
from domain.review.state import Clock, Review, Settled, Stage, Verdict, at_stage, started
from domain.sealed import Sealed, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationPlanned(Event):
    """What is complex was put on the unit's list with a date (建台账, 限期), and who rated was told why.

    From now on the date is the limit for it; it never lengthens one that was missed.
    """

    actions: Sealed
    reason_told: Sealed
    ledger_no: Code | None
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectified(Event):
    """What the review was about was put right (整改)."""

    actions: Sealed
    actions_measured: TextFacts
    evidence: tuple[UUID, ...]
    late: bool | None
    reply_due: Due | None
    revisit_due: Due | None
    basis: Basis
    happened_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationGiven(Event):
    """There was nothing to put right, or nothing that could be verified; why, was explained (解释说明)."""

    explanation: Sealed
    explanation_measured: TextFacts
    late: bool | None
    reply_due: Due | None
    revisit_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied(Event):
    """Who rated got the unit's reply (答复); without a name they read it with the own link."""

    text: Sealed
    text_measured: TextFacts
    method: Method
    late: bool | None


SettlingEvent: TypeAlias = RectificationPlanned | Rectified | ExplanationGiven | Replied


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRectification(Command):
    """Plan what is complex, to be done by the end of a local day."""

    actions: Sealed
    reason_told: Sealed
    ledger_no: Code | None
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectify(Command):
    """Record that it was put right."""

    actions: Sealed
    actions_measured: TextFacts
    evidence: tuple[UUID, ...]
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(Command):
    """Explain why there is nothing to put right."""

    explanation: Sealed
    explanation_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Command):
    """Give the unit's reply to who rated."""

    text: Sealed
    text_measured: TextFacts
    method: Method


PLANNED: Final[Code] = "planned"
"""What stands for the term of a limit that the unit set itself."""

SettlingCommand: TypeAlias = PlanRectification | Rectify | Explain | Reply

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "plan-rectification": frozenset({Stage.BAD_VERIFIED}),
        "rectify": frozenset({Stage.BAD_VERIFIED, Stage.RECTIFYING}),
        "explain": frozenset({Stage.BAD_VERIFIED}),
        "reply": frozenset({Stage.RECTIFIED}),
    }
)
"""At which stages each command is in turn (domain.md §7.2)."""


def decide(review: Review | None, command: SettlingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what is done about a bad review until who rated has a reply.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnRating, OwnRecord, OwnWorkDecided,
    OwnWorkRevisited, VerdictAsksOtherwise, DateInPast, PlannedTooLate, UnknownReference, NotYetHappened, Superseded.
    """
    match command:
        case PlanRectification():
            return _plan(at_stage(review, *TURNS["plan-rectification"]), command, facts)
        case Rectify():
            return _rectify(at_stage(review, *TURNS["rectify"]), command, facts)
        case Explain():
            return _explain(at_stage(review, *TURNS["explain"]), command, facts)
        case Reply():
            return _reply(at_stage(review, *TURNS["reply"]), command, facts)
        case _:
            assert_never(command)


def _plan(review: Review, command: PlanRectification, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_worker(review, command, "plan-rectification", facts)
    if review.verdict is not Verdict.VALID_COMPLEX:
        raise VerdictAsksOtherwise(verdict=review.verdict)
    if command.due < facts.day(review.profile, at):
        raise DateInPast(due=command.due)
    limit = review.due(Clock.RECTIFY)
    if limit is not None and command.due > limit.day and not facts.late(review.profile, limit, at):
        raise PlannedTooLate(due=command.due, limit=limit.day)
    return [
        RectificationPlanned(
            at=at,
            by=by,
            actions=command.actions,
            reason_told=command.reason_told,
            ledger_no=command.ledger_no,
            due=end_of(command.due, facts.zone(review.profile, at)),
        )
    ]


def _rectify(review: Review, command: Rectify, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_worker(review, command, "rectify", facts)
    # What is complex is put on the list with a date first, and what is not valid is explained.
    expected = Verdict.VALID_COMPLEX if review.stage is Stage.RECTIFYING else Verdict.VALID_CLEAR
    if review.verdict is not expected:
        raise VerdictAsksOtherwise(verdict=review.verdict)
    if unknown := set(command.evidence) - review.evidence:
        raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))
    return [
        Rectified(
            at=at,
            by=by,
            actions=command.actions,
            actions_measured=command.actions_measured,
            evidence=command.evidence,
            late=facts.late(review.profile, review.due(Clock.RECTIFY), at),
            reply_due=facts.limit(review.profile, "bad.reply", at),
            revisit_due=_revisit_due(review, at, facts),
            basis=facts.basis(review.profile, at),
            happened_at=not_later(command.happened_at, at),
        )
    ]


def _explain(review: Review, command: Explain, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_worker(review, command, "explain", facts)
    if review.verdict is None or review.verdict.valid:
        raise VerdictAsksOtherwise(verdict=review.verdict)
    return [
        ExplanationGiven(
            at=at,
            by=by,
            explanation=command.explanation,
            explanation_measured=command.explanation_measured,
            late=facts.late(review.profile, review.due(Clock.RECTIFY), at),
            reply_due=facts.limit(review.profile, "bad.reply", at),
            revisit_due=_revisit_due(review, at, facts),
            basis=facts.basis(review.profile, at),
        )
    ]


def _revisit_due(review: Review, at: datetime, facts: Facts) -> Due | None:
    """Give until when who rated is asked; nobody asks whoever gave no name (domain.md §14 case 14)."""
    return facts.limit(review.profile, "bad.revisit", at) if review.known else None


def _reply(review: Review, command: Reply, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_worker(review, command, "reply", facts)
    if review.replied:
        raise Superseded
    replied = Replied(
        at=at,
        by=by,
        text=command.text,
        text_measured=command.text_measured,
        method=command.method,
        late=facts.late(review.profile, review.due(Clock.REPLY), at),
    )
    if review.known:
        return [replied]
    return [replied, closed(review, at, RevisitStatus.ANONYMOUS)]


def evolve(review: Review, event: SettlingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case RectificationPlanned(by=by):
            return _promised(replace(review, planned=True, workers=review.workers | by.persons), event)
        case Rectified(by=by):
            return _settled(replace(review, workers=review.workers | by.persons), event, Settled.RECTIFIED)
        case ExplanationGiven(by=by):
            return _settled(replace(review, workers=review.workers | by.persons), event, Settled.EXPLAINED)
        case Replied(by=by):
            return replace(review, replied=True, workers=review.workers | by.persons)
        case _:
            assert_never(event)


def _promised(review: Review, event: RectificationPlanned) -> Review:
    limit = review.due(Clock.RECTIFY)
    if limit is not None and limit.at < event.due.at:
        return review
    # A date somebody set is counted by no term, so no calendar moves it.
    promised = Running(term=PLANNED, since=event.at, set_at=event.at, due=event.due)
    return replace(review, clocks=MappingProxyType({**review.clocks, Clock.RECTIFY: promised}))


def _settled(review: Review, event: Rectified | ExplanationGiven, kind: Settled) -> Review:
    return started(replace(review, settled=kind), event.at, reply=event.reply_due, revisit=event.revisit_due)
