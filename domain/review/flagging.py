"""What looks forged or coerced is shown to a human, and drawn reviews are checked; neither changes a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID, uuid5

from domain.deadlines import Due
from domain.decider import THE_SYSTEM, Code, Command, Event, For, Instant
from domain.errors import NobodyToContact, NothingOpen, Superseded
from domain.handling import Basis, ContactResult, Facts, Method, listed, not_later, permit, tried_enough
from domain.review.acting import admit, by_an_outsider
from domain.review.state import Clock, Flag, Review, Stage, at_stage, started
from domain.sealed import Sealed

CHECKED: Final[Code] = "check"
"""The detector of what somebody says who was asked whether the rating is theirs."""


class Genuine(StrEnum):
    """What somebody says who is asked whether a rating is theirs, and was given freely."""

    YES = "yes"
    NOT_MINE = "not_mine"
    COERCED = "coerced"
    DECLINED = "declined"

    @property
    def doubtful(self) -> bool:
        """Say whether a human has to look at the rating now."""
        return self in {Genuine.NOT_MINE, Genuine.COERCED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing a detector counted or measured, whole: a count, seconds, milliseconds, thousandths."""

    name: Code
    value: int


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged(Event):
    """A detector noticed something about the review (domain.md §9.3); `score` is from 0 to 100.

    By itself a flag never takes a review out of any figure (PIPL art. 24 §3).
    """

    flag: UUID
    detector: Code
    score: int
    features: tuple[Feature, ...]
    model: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagCleared(Event):
    """A human looked at it and found nothing wrong."""

    flag: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOwed(Event):
    """The review was drawn for a check: who rated is asked whether the rating is theirs."""

    draw: UUID
    check_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Event):
    """An attempt was made to ask who rated; `genuine` is None where nobody was reached.

    `done` says that the check is over: answered, or tried often enough. It is then over for every draw.
    """

    draw: UUID
    attempt_no: int
    day: date
    method: Method
    result: ContactResult
    genuine: Genuine | None
    note: Sealed | None
    done: bool
    late: bool | None
    happened_at: Instant | None


FlaggingEvent: TypeAlias = Flagged | FlagCleared | CheckOwed | Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagReview(Command):
    """Show a review to a human, because a detector noticed something."""

    flag: UUID
    detector: Code
    score: int
    features: tuple[Feature, ...]
    model: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearFlag(Command):
    """Say that there is nothing wrong with what the flag named is about."""

    flag: UUID
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class OweCheck(Command):
    """Note that the review was drawn for a check."""

    draw: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Command):
    """Record an attempt to ask who rated whether the rating is theirs.

    Raises ValueError for an answer of somebody not reached, and for somebody reached without an answer.
    """

    draw: UUID
    method: Method
    result: ContactResult
    genuine: Genuine | None
    note: Sealed | None
    happened_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a check that nobody can have made."""
        if (self.genuine is not None) != (self.result is ContactResult.REACHED):
            raise ValueError(f"who rated was {self.result}; an answer belongs to reached, and only to it")


FlaggingCommand: TypeAlias = FlagReview | ClearFlag | OweCheck | Check

ANY: Final = frozenset(Stage)
TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {"flag": ANY - {Stage.EXCLUDED}, "clear-flag": ANY, "owe-check": ANY - {Stage.EXCLUDED}, "check": ANY}
)
"""At which stages each command is in turn."""


def decide(review: Review | None, command: FlaggingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer a detector, the human who looks at what it noticed, and a check.

    A detector that notices the same again changes nothing, nor does a draw.
    Raises Unknown, OutOfTurn, NoPolicy, NotYourRole, OwnRating, OwnRecord, UnknownReference, Superseded, NothingOpen,
    NobodyToContact, OwnWorkRevisited, NotYetHappened.
    """
    at, by = command.at, command.by
    match command:
        case FlagReview():
            return _flag(at_stage(review, *TURNS["flag"]), command, facts)
        case ClearFlag(flag=flag, reason=reason):
            there = at_stage(review, *TURNS["clear-flag"])
            admit(there, command, "clear-flag", facts)
            if flag not in there.flags or there.flags[flag].cleared:
                raise Superseded(flag=flag)
            return [FlagCleared(at=at, by=by, flag=flag, reason=reason)]
        case OweCheck(draw=draw):
            there = at_stage(review, *TURNS["owe-check"])
            permit(by, there.profile, "review/owe-check", at, facts)
            if draw in there.checks:
                return []
            if not there.known:
                raise NobodyToContact
            due = facts.limit(there.profile, "review.check", at)
            basis = facts.basis(there.profile, at)
            return [CheckOwed(at=at, by=by, draw=draw, check_due=due, basis=basis)]
        case Check():
            return _check(at_stage(review, *TURNS["check"]), command, facts)
        case _:
            assert_never(command)


def _flag(review: Review, command: FlagReview, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = permit(by, review.profile, "review/flag", at, facts)
    listed(policy, "detector", command.detector)
    if command.flag in review.flags or any(flag.detector == command.detector for flag in review.flags.values()):
        return []
    return [
        Flagged(
            at=at,
            by=by,
            flag=command.flag,
            detector=command.detector,
            score=command.score,
            features=command.features,
            model=command.model,
        )
    ]


def _check(review: Review, command: Check, facts: Facts) -> Sequence[Event | For]:
    at, by = command.at, command.by
    policy = by_an_outsider(review, command, "check", facts)
    if review.checks.get(command.draw) is not False:
        raise NothingOpen(draw=command.draw)
    day = facts.day(review.profile, at)
    answered = command.genuine is not None
    checked = Checked(
        at=at,
        by=by,
        draw=command.draw,
        attempt_no=len(review.check_days) + 1,
        day=day,
        method=command.method,
        result=command.result,
        genuine=command.genuine,
        note=command.note,
        done=answered or tried_enough((*review.check_days, day), policy),
        late=facts.late(review.profile, review.due(Clock.CHECK), at),
        happened_at=not_later(command.happened_at, at),
    )
    if command.genuine is None or not command.genuine.doubtful:
        return [checked]
    flagged = Flagged(
        at=at,
        by=THE_SYSTEM,
        flag=uuid5(command.draw, str(facts.itself)),
        detector=CHECKED,
        score=100,
        features=(Feature(name=command.genuine, value=1),),
        model=1,
    )
    return [checked, flagged]


def evolve(review: Review, event: FlaggingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case Flagged(flag=key, detector=detector):
            return replace(review, flags=MappingProxyType({**review.flags, key: Flag(detector=detector)}))
        case FlagCleared(flag=key):
            cleared = replace(review.flags.get(key, Flag(detector="unknown")), cleared=True)
            return replace(review, flags=MappingProxyType({**review.flags, key: cleared}))
        case CheckOwed(draw=draw, check_due=due):
            checks = MappingProxyType({**review.checks, draw: False})
            if not all(review.checks.values()):
                # Drawn twice, they are asked once: within the first limit, with the attempts made so far.
                return replace(review, checks=checks)
            return started(replace(review, checks=checks, check_days=()), event.at, check=due)
        case Checked(draw=draw, by=by, day=day, done=done):
            checks = MappingProxyType({one: was or done for one, was in {**review.checks, draw: done}.items()})
            days = (*review.check_days, day)
            return replace(review, checks=checks, check_days=days, revisitors=review.revisitors | by.persons)
        case _:
            assert_never(event)
