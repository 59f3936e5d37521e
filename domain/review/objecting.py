"""Who rated objects to the exclusion; two deciders who took no part in it decide, and the review may count again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.deadlines import Due
from domain.decider import Code, Command, Digest, Event, For
from domain.errors import OnceOnly, PanelUsed, Superseded, TooLate, Unknown
from domain.handling import Basis, Facts, keep_apart
from domain.review.acting import by_the_panel, by_who_rated
from domain.review.appealing import anew
from domain.review.proposals import Proposed, decided_by, kept, only_one, waiting
from domain.review.state import Clock, Review, Stage, at_stage, started
from domain.rulebook import Policy
from domain.sealed import Sealed, TextFacts


class ObjectionResult(StrEnum):
    """What became of an objection: the review counts again, or the exclusion stands."""

    REINSTATE = "reinstate"
    UPHOLD = "uphold"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionObjected(Event):
    """Who rated objected to the exclusion."""

    objection: UUID
    ground: Sealed
    ground_measured: TextFacts
    decide_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionDecisionProposed(Proposed):
    """A decider not used before proposes what becomes of the objection; another one confirms it."""

    confirm = "confirm-decide-objection"

    result: ObjectionResult
    reasons: Sealed
    reasons_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionDecided(Event):
    """Two deciders not used before decided on the objection."""

    objection: UUID
    proposal: UUID
    result: ObjectionResult
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstated(Event):
    """The review counts again (恢复), in its own month; a bad one is handled on, by new limits."""

    objection: UUID
    contact_due: Due | None
    verify_due: Due | None
    rectify_due: Due | None
    reply_due: Due | None
    revisit_due: Due | None
    basis: Basis


ObjectingEvent: TypeAlias = ExclusionObjected | ObjectionDecisionProposed | ObjectionDecided | Reinstated


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(Command):
    """Object to the exclusion, with the own link."""

    own_link: Digest
    objection: UUID
    ground: Sealed
    ground_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeDecideObjection(Command):
    """Propose what becomes of the objection named."""

    proposal: UUID
    objection: UUID
    result: ObjectionResult
    reasons: Sealed
    reasons_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDecideObjection(Command):
    """Confirm the proposal named."""

    proposal: UUID


ObjectingCommand: TypeAlias = Object | ProposeDecideObjection | ConfirmDecideObjection

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "object": frozenset({Stage.EXCLUDED}),
        "propose-decide-objection": frozenset({Stage.EXCLUDED}),
        "confirm-decide-objection": frozenset({Stage.EXCLUDED}),
    }
)
"""At which stages each command is in turn (domain.md §7.2)."""


def decide(review: Review | None, command: ObjectingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer an objection to an exclusion, and its decision by two who were not used before.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, OwnRating, OwnRecord, UnitRated, OwnWorkDecided, PanelUsed,
    TooLate, OnceOnly, Superseded, ProposalPending, OwnProposal, ProposalOver.
    """
    match command:
        case Object():
            return _object(review, command, facts)
        case ProposeDecideObjection():
            return _propose(at_stage(review, *TURNS["propose-decide-objection"]), command, facts)
        case ConfirmDecideObjection():
            return _confirm(at_stage(review, *TURNS["confirm-decide-objection"]), command, facts)
        case _:
            assert_never(command)


def _object(review: Review | None, command: Object, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    if review is None:
        raise Unknown
    by_who_rated(review, command, command.own_link, "object", facts)
    at_stage(review, *TURNS["object"])
    if review.objected:
        raise OnceOnly
    # Whoever was not told yet may object before the time for it has begun.
    if facts.late(review.profile, review.objection_until, at):
        raise TooLate(due=review.objection_until)
    return [
        ExclusionObjected(
            at=at,
            by=by,
            objection=command.objection,
            ground=command.ground,
            ground_measured=command.ground_measured,
            decide_due=facts.limit(review.profile, "bad.appeal_decide", at),
            basis=facts.basis(review.profile, at),
        )
    ]


def _by_another_panel(
    review: Review, command: ProposeDecideObjection | ConfirmDecideObjection, name: Code, facts: Facts
) -> Policy:
    policy = by_the_panel(review, command, name, facts)
    keep_apart(command.by, review.used, PanelUsed)
    return policy


def _propose(review: Review, command: ProposeDecideObjection, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    _by_another_panel(review, command, "propose-decide-objection", facts)
    if command.objection != review.objection:
        raise Superseded(objection=command.objection)
    only_one(review)
    return [
        ObjectionDecisionProposed(
            at=at,
            by=by,
            proposal=command.proposal,
            about=command.objection,
            result=command.result,
            reasons=command.reasons,
            reasons_measured=command.reasons_measured,
            until=facts.limit(review.profile, "proposal", at),
            basis=facts.basis(review.profile, at),
        )
    ]


def _confirm(review: Review, command: ConfirmDecideObjection, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    _by_another_panel(review, command, "confirm-decide-objection", facts)
    proposed = waiting(review, command.proposal, ObjectionDecisionProposed, by, at, facts)
    decided = ObjectionDecided(
        at=at,
        by=by,
        objection=proposed.about,
        proposal=command.proposal,
        result=proposed.result,
        late=facts.late(review.profile, review.due(Clock.OBJECTION), at),
    )
    if proposed.result is ObjectionResult.UPHOLD:
        return [decided]
    limits = anew(review, at, facts)
    back = Reinstated(
        at=at,
        by=by,
        objection=proposed.about,
        contact_due=_contact_anew(review, at, facts),
        verify_due=limits.verify,
        rectify_due=limits.rectify,
        reply_due=limits.reply,
        revisit_due=limits.revisit,
        basis=facts.basis(review.profile, at),
    )
    return [decided, back]


def _contact_anew(review: Review, at: datetime, facts: Facts) -> Due | None:
    """Give a new limit to call whom nobody called; an appeal does not stop that one, but the exclusion did.

    Where it was over before the exclusion it stays over.
    """
    waits = review.accepted is not None and review.verdict is None and not review.contact_days
    out = review.excluded_at
    if not waits or not review.known or out is None or facts.late(review.profile, review.due(Clock.CONTACT), out):
        return None
    return facts.limit(review.profile, "bad.contact", at)


def evolve(review: Review, event: ObjectingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case ExclusionObjected(objection=objection, decide_due=due):
            return started(replace(review, objection=objection, objected=True), event.at, objection=due)
        case ObjectionDecisionProposed():
            return kept(review, event)
        case ObjectionDecided(by=by):
            return replace(decided_by(review, by), objection=None, proposals=MappingProxyType({}))
        case Reinstated():
            return started(
                replace(review, excluded=False),
                event.at,
                contact=event.contact_due,
                verify=event.verify_due,
                rectify=event.rectify_due,
                reply=event.reply_due,
                revisit=event.revisit_due,
            )
        case _:
            assert_never(event)
