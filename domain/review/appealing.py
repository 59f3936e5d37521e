"""A review is contested: by whom it is about, by who verifies it, or by a supervisor where a detector noticed it.

Two people from outside the unit decide; only they take a review out of the figures, for a listed reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Role
from domain.errors import (
    EvidenceMissing,
    MistakeUnconfirmed,
    NotFlagged,
    OnceOnly,
    OwnRecord,
    Superseded,
    TooLate,
    UnknownReference,
)
from domain.handling import Basis, ContactResult, Facts, Method, keep_apart, listed, permit, tried_enough
from domain.review.acting import admit, by_the_panel, in_own_cause, not_rated, of_the_unit
from domain.review.proposals import Proposed, decided_by, kept, only_one, waiting
from domain.review.state import Clock, Review, Stage, at_stage, started
from domain.sealed import Sealed, TextFacts

MISTAKEN_GRADE: Final[Code] = "mistaken_grade"
"""The one reason that only whoever rated can give."""


class AppealResult(StrEnum):
    """What became of an appeal (申诉复核)."""

    REJECTED = "rejected"
    EXCLUDE = "exclude"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealed(Event):
    """Somebody says that a review should not count (申诉), on a listed ground."""

    appeal: UUID
    ground: Code
    explanation: Sealed
    explanation_measured: TextFacts
    evidence: tuple[UUID, ...]
    decide_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecisionProposed(Proposed):
    """An outside decider proposes what becomes of the appeal; another one confirms it."""

    confirm = "confirm-decide-appeal"

    result: AppealResult
    reason: Code | None
    reasons: Sealed
    reasons_measured: TextFacts
    evidence: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDecided(Event):
    """Two outside deciders decided on the appeal; what the review waits for otherwise has a new limit."""

    appeal: UUID
    proposal: UUID
    result: AppealResult
    reason: Code | None
    late: bool | None
    verify_due: Due | None
    rectify_due: Due | None
    reply_due: Due | None
    revisit_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded(Event):
    """The review was taken out of the figures (排除); who rated is told, and may object.

    Who gave no name reads it with the own link: `objection_until` runs from now. For others it runs from being told.
    """

    appeal: UUID
    reason: Code
    evidence: tuple[UUID, ...]
    tell_due: Due | None
    objection_until: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Event):
    """An attempt was made to tell who rated that the review was excluded; they may object until `objection_until`.

    `done` says that they count as told: reached, or tried often enough.
    """

    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    done: bool
    objection_until: Due | None
    late: bool | None


AppealingEvent: TypeAlias = Appealed | AppealDecisionProposed | AppealDecided | Excluded | Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal(Command):
    """Say that a review should not count."""

    appeal: UUID
    ground: Code
    explanation: Sealed
    explanation_measured: TextFacts
    evidence: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDecideAppeal(Command):
    """Propose what becomes of the appeal named; `reason` only for an exclusion."""

    proposal: UUID
    appeal: UUID
    result: AppealResult
    reason: Code | None
    reasons: Sealed
    reasons_measured: TextFacts
    evidence: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDecideAppeal(Command):
    """Confirm the proposal named."""

    proposal: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(Command):
    """Record an attempt to tell who rated that the review was excluded."""

    method: Method
    result: ContactResult


AppealingCommand: TypeAlias = Appeal | ProposeDecideAppeal | ConfirmDecideAppeal | Tell

IN_WORK: Final = frozenset({Stage.BAD_OPEN, Stage.BAD_CONTACTED, Stage.BAD_VERIFIED})
TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "appeal": frozenset(Stage) - {Stage.UNDER_APPEAL, Stage.EXCLUDED, Stage.REVISITED},
        "propose-decide-appeal": frozenset({Stage.UNDER_APPEAL}),
        "confirm-decide-appeal": frozenset({Stage.UNDER_APPEAL}),
        "tell": frozenset({Stage.EXCLUDED}),
    }
)
"""At which stages each command is in turn (domain.md §7.2)."""


def decide(review: Review | None, command: AppealingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer an appeal, its decision by two, and that who rated is told.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnRating, OwnRecord, UnitRated, OwnWorkDecided,
    TooLate, OnceOnly, NotFlagged, UnknownReference, EvidenceMissing, MistakeUnconfirmed, Superseded,
    ProposalPending, OwnProposal, ProposalOver.
    """
    match command:
        case Appeal():
            return _appeal(at_stage(review, *TURNS["appeal"]), command, facts)
        case ProposeDecideAppeal():
            return _propose(at_stage(review, *TURNS["propose-decide-appeal"]), command, facts)
        case ConfirmDecideAppeal():
            return _confirm(at_stage(review, *TURNS["confirm-decide-appeal"]), command, facts)
        case Tell():
            return _tell(at_stage(review, *TURNS["tell"]), command, facts)
        case _:
            assert_never(command)


def _appeal(review: Review, command: Appeal, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = permit(by, review.profile, "review/appeal", at, facts)
    keep_apart(by, review.authors, OwnRecord)
    if by.role is Role.SUPERVISOR:
        # Praise too: what a detector noticed is decided on like everything else that would leave the figures.
        not_rated(review, by, facts)
        if all(flag.cleared for flag in review.flags.values()):
            raise NotFlagged
    else:
        _by_the_unit(review, command, facts)
    listed(policy, "appeal_ground", command.ground)
    if review.appeals:
        raise OnceOnly
    _recorded(review, command.evidence)
    return [
        Appealed(
            at=at,
            by=by,
            appeal=command.appeal,
            ground=command.ground,
            explanation=command.explanation,
            explanation_measured=command.explanation_measured,
            evidence=command.evidence,
            decide_due=facts.limit(review.profile, "bad.appeal_decide", at),
            basis=facts.basis(review.profile, at),
        )
    ]


def _by_the_unit(review: Review, command: Appeal, facts: Facts) -> None:
    """Let whoever was rated appeal, or the head of the unit that has the work order, while there is time."""
    at, by = command.at, command.by
    at_stage(review, *IN_WORK)
    of_the_unit(review, by, at, facts)
    if by.role is Role.RESPONDENT:
        in_own_cause(review, by, "appeal", facts)
    until = None if review.accepted is None else review.accepted.appeal_until
    if facts.late(review.profile, until, at):
        raise TooLate(due=until)


def _recorded(review: Review, evidence: tuple[UUID, ...]) -> None:
    if unknown := set(evidence) - review.evidence:
        raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))


def _propose(review: Review, command: ProposeDecideAppeal, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = by_the_panel(review, command, "propose-decide-appeal", facts)
    if command.appeal != review.appeal:
        raise Superseded(appeal=command.appeal)
    only_one(review)
    _recorded(review, command.evidence)
    reason = command.reason if command.result is AppealResult.EXCLUDE else None
    if command.result is AppealResult.EXCLUDE:
        listed(policy, "exclude_reason", command.reason or "")
        if not command.evidence:
            raise EvidenceMissing
        _not_for_them(review, reason)
    return [
        AppealDecisionProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            about=command.appeal,
            result=command.result,
            reason=reason,
            reasons=command.reasons,
            reasons_measured=command.reasons_measured,
            evidence=command.evidence,
            until=facts.limit(review.profile, "proposal", at),
            basis=facts.basis(review.profile, at),
        )
    ]


def _not_for_them(review: Review, reason: Code | None) -> None:
    if reason == MISTAKEN_GRADE and not review.mistake_confirmed:
        raise MistakeUnconfirmed


def _confirm(review: Review, command: ConfirmDecideAppeal, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    by_the_panel(review, command, "confirm-decide-appeal", facts)
    proposed = waiting(review, command.proposal, AppealDecisionProposed, by, at, facts)
    excluded = proposed.result is AppealResult.EXCLUDE
    limits = Anew() if excluded else anew(review, command.at, facts)
    decided = AppealDecided(
        at=at,
        by=by,
        appeal=proposed.about,
        proposal=command.proposal,
        result=proposed.result,
        reason=proposed.reason,
        late=facts.late(review.profile, review.due(Clock.APPEAL), at),
        verify_due=limits.verify,
        rectify_due=limits.rectify,
        reply_due=limits.reply,
        revisit_due=limits.revisit,
        basis=facts.basis(review.profile, at),
    )
    if not excluded or proposed.reason is None:
        return [decided]
    out = Excluded(
        at=at,
        by=by,
        appeal=proposed.about,
        reason=proposed.reason,
        evidence=proposed.evidence,
        tell_due=facts.limit(review.profile, "bad.tell", at) if review.known else None,
        objection_until=None if review.known else facts.limit(review.profile, "bad.objection", at),
        basis=facts.basis(review.profile, at),
    )
    return [decided, out]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anew:
    """The limits by which a review goes on, as far as it waits for these."""

    verify: Due | None = None
    rectify: Due | None = None
    reply: Due | None = None
    revisit: Due | None = None


def anew(review: Review, at: datetime, facts: Facts) -> Anew:
    """Give the limits of a bad review that goes on at a moment (UTC): for its verdict, or for what comes after it.

    Nobody worked on it while it was being decided on, so they run from then; none for a review that is not in work.
    """
    if review.accepted is None or review.closed:
        return Anew()
    if review.verdict is None:
        return Anew(verify=facts.limit(review.profile, "bad.verify", at))
    if review.settled is None:
        return Anew(rectify=facts.limit(review.profile, review.verdict.term, at))
    return Anew(
        reply=None if review.replied else facts.limit(review.profile, "bad.reply", at),
        revisit=facts.limit(review.profile, "bad.revisit", at) if review.known else None,
    )


def _tell(review: Review, command: Tell, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = admit(review, command, "tell", facts)
    if review.told:
        return []
    day = facts.day(review.profile, at)
    # A letter or a message that was sent tells them; whoever cannot be reached at all reads it with the own link.
    reached = command.result is ContactResult.REACHED
    told = reached or tried_enough((*review.tell_days, day), policy)
    return [
        Told(
            at=at,
            by=by,
            attempt_no=len(review.tell_days) + 1,
            day=day,
            method=command.method,
            result=command.result,
            done=told,
            objection_until=facts.limit(review.profile, "bad.objection", at) if told else None,
            late=facts.late(review.profile, review.due(Clock.TELL), at) if told else None,
        )
    ]


def evolve(review: Review, event: AppealingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case Appealed(appeal=appeal, by=by, decide_due=due):
            appealed = replace(review, appeal=appeal, appellants=review.appellants | by.persons)
            return started(appealed, event.at, appeal=due)
        case AppealDecisionProposed():
            return kept(review, event)
        case AppealDecided(by=by):
            left = decided_by(review, by)
            decided = replace(left, appeal=None, appeals=review.appeals + 1, proposals=MappingProxyType({}))
            return started(
                decided,
                event.at,
                verify=event.verify_due,
                rectify=event.rectify_due,
                reply=event.reply_due,
                revisit=event.revisit_due,
            )
        case Excluded(objection_until=until, tell_due=due):
            told = not review.known
            out = replace(review, excluded=True, excluded_at=event.at, told=told, objection_until=until)
            return started(out, event.at, tell=due)
        case Told(day=day, done=done, objection_until=until):
            return replace(review, tell_days=(*review.tell_days, day), told=done, objection_until=until)
        case _:
            assert_never(event)
