"""The result of a bad review is revisited by somebody outside the unit; then it is closed, or done again, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

from domain.complaint.revisiting import RevisitStatus
from domain.deadlines import Due
from domain.decider import THE_SYSTEM, Code, Command, Event, For, Instant
from domain.errors import NobodyToContact, ReplyMissing
from domain.handling import Basis, ContactResult, Facts, Method, not_later, tried_enough
from domain.review.acting import by_an_outsider
from domain.review.state import Clock, Review, Satisfied, Settled, Stage, at_stage, started
from domain.sealed import Sealed

MOST_REWORKS: Final = 1
"""How often a bad review goes back to the unit because who rated is not content (domain.md §7.2)."""

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisitAttempted(Event):
    """Somebody outside the unit tried to reach who rated, on this local day."""

    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    happened_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisited(Event):
    """The result was revisited (回访): whether who rated is content with what was done about it."""

    satisfied: Satisfied
    wants_follow_up: bool
    note: Sealed | None
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReworkOrdered(Event):
    """Who rated is not content with what was to be put right: it goes back to the unit, once."""

    rework_no: int
    rectify_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The bad review was closed (办结); the rating stays what it was."""

    kind: Settled
    revisit_status: RevisitStatus


RevisitingEvent: TypeAlias = RevisitAttempted | Revisited | ReworkOrdered | Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisitAnswers:
    """What who rated said at the revisit."""

    satisfied: Satisfied
    wants_follow_up: bool
    note: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit(Command):
    """Record an attempt to revisit and, if who rated was reached, the answers.

    Raises ValueError for answers of somebody not reached, and for somebody reached without answers.
    """

    method: Method
    result: ContactResult
    answers: RevisitAnswers | None
    happened_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a revisit that nobody can have made."""
        if (self.answers is not None) != (self.result is ContactResult.REACHED):
            raise ValueError(f"the revisit was {self.result}; answers belong to reached, and only to it")


RevisitingCommand: TypeAlias = Revisit

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType({"revisit": frozenset({Stage.RECTIFIED})})
"""At which stages the command is in turn (domain.md §7.2); closing is nobody's act."""


def decide(review: Review | None, command: RevisitingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer a revisit, and close the review or send it back.

    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, OwnRating, OwnRecord, OwnWorkRevisited, NobodyToContact,
    ReplyMissing, NotYetHappened.
    """
    return _revisit(at_stage(review, *TURNS["revisit"]), command, facts)


def _revisit(review: Review, command: Revisit, facts: Facts) -> Sequence[Event | For]:
    at, by, answers = command.at, command.by, command.answers
    policy = by_an_outsider(review, command, "revisit", facts)
    if not review.known:
        raise NobodyToContact
    if not review.replied:
        raise ReplyMissing
    day = facts.day(review.profile, at)
    attempted = RevisitAttempted(
        at=at,
        by=by,
        attempt_no=len(review.revisit_days) + 1,
        day=day,
        method=command.method,
        result=command.result,
        happened_at=not_later(command.happened_at, at),
    )
    if answers is None:
        enough = tried_enough((*review.revisit_days, day), policy)
        return [attempted, closed(review, at, RevisitStatus.UNREACHABLE)] if enough else [attempted]
    revisited = Revisited(
        at=at,
        by=by,
        satisfied=answers.satisfied,
        wants_follow_up=answers.wants_follow_up,
        note=answers.note,
        late=facts.late(review.profile, review.due(Clock.REVISIT), at),
    )
    verdict = review.verdict
    again = answers.satisfied is Satisfied.NO and verdict is not None and verdict.valid
    if not again or verdict is None or review.reworks >= MOST_REWORKS:
        return [attempted, revisited, closed(review, at, RevisitStatus.COMPLETED)]
    rework = ReworkOrdered(
        at=at,
        by=THE_SYSTEM,
        rework_no=review.reworks + 1,
        rectify_due=facts.limit(review.profile, verdict.term, at),
        basis=facts.basis(review.profile, at),
    )
    return [attempted, revisited, rework]


def closed(review: Review, at: datetime, status: RevisitStatus) -> Closed:
    """Close it: that is nobody's act, so nobody can leave it undone, or do it early."""
    return Closed(at=at, by=THE_SYSTEM, kind=review.settled or Settled.EXPLAINED, revisit_status=status)


def evolve(review: Review, event: RevisitingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case RevisitAttempted(by=by, day=day):
            return replace(review, revisit_days=(*review.revisit_days, day), revisitors=review.revisitors | by.persons)
        case Revisited(satisfied=satisfied):
            return replace(review, revisited=satisfied)
        case ReworkOrdered(rework_no=rework_no, rectify_due=due):
            again = replace(
                review,
                reworks=rework_no,
                planned=False,
                settled=None,
                replied=False,
                revisit_days=(),
                revisited=None,
            )
            return started(again, event.at, rectify=due)
        case Closed():
            return replace(review, closed=True)
        case _:
            assert_never(event)
