"""The life of a review: given once, added to once; a bad one is handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never, get_args

from domain.decider import Code, Command, Decider, Digest, Event, For, Role
from domain.errors import FollowedUp, NothingAdded, NotYourRole, TooLate, Unknown
from domain.grade import Grade
from domain.handling import Facts, permit
from domain.review.submitting import (
    DETAILS,
    Accepted,
    Appended,
    Attribution,
    Corroborated,
    Evidence,
    Opinion,
    Rated,
    ReviewChannel,
    Submitted,
    reasoned,
    ticked,
    work_order,
)
from domain.sealed import Sealed, Similar, TextFacts

__all__ = [
    "DETAILS",
    "REVIEW",
    "Accepted",
    "Append",
    "Appended",
    "Attribution",
    "Corroborate",
    "Corroborated",
    "Evidence",
    "Opinion",
    "Rated",
    "Review",
    "ReviewChannel",
    "ReviewCommand",
    "ReviewEvent",
    "Submitted",
    "decide",
    "evolve",
]

ReviewEvent: TypeAlias = Submitted | Appended | Corroborated | Accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Append(Command):
    """Add the one follow-up, with the own link."""

    own_link: Digest
    grade: Grade | None
    codes: tuple[Code, ...]
    text: Sealed | None
    text_facts: TextFacts | None
    similar: tuple[Similar, ...]
    channel: ReviewChannel
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Corroborate(Command):
    """Say with the own link that what staff wrote down is so."""

    own_link: Digest


ReviewCommand: TypeAlias = Append | Corroborate


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as its rules see it."""

    submitted: Submitted
    appended: Appended | None = None
    corroborated: bool = False
    accepted: Accepted | None = None


def decide(review: Review | None, command: ReviewCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer what is asked of a review.

    Raises Unknown, NoPolicy, NotYourRole, TooLate, FollowedUp, NothingAdded, ReasonMissing, CodeNotOfGrade,
    UnknownReference.
    """
    if review is None:
        raise Unknown
    at, by, first = command.at, command.by, review.submitted
    # A wrong link and a review that does not exist look alike.
    if command.own_link != first.own_link:
        raise Unknown
    # Whatever a policy says: nobody else confirms a rating, or adds to it.
    if by.role is not Role.CITIZEN:
        raise NotYourRole(role=by.role)
    match command:
        case Corroborate():
            permit(by, first.profile, "review/corroborate", at, facts)
            return [] if review.corroborated else [Corroborated(at=at, by=by)]
        case Append():
            permit(by, first.profile, "review/append", at, facts)
            return _append(review, command, facts)
        case _:
            assert_never(command)


def _append(review: Review, command: Append, facts: Facts) -> Sequence[Event | For]:
    at, by, first, grade = command.at, command.by, review.submitted, command.grade
    if review.appended is not None:
        raise FollowedUp
    if facts.late(first.profile, first.follow_up_until, at):
        raise TooLate
    says_something = grade is not None or (command.text_facts is not None and command.text_facts.has_text)
    if not says_something:
        raise NothingAdded
    code_set = ticked(grade, command.codes, facts)
    if grade is not None:
        reasoned(grade, command.codes, command.text_facts)
    appended = Appended(
        at=at,
        by=by,
        grade=grade,
        codes=command.codes,
        code_set=code_set,
        text=command.text,
        text_facts=command.text_facts,
        similar=command.similar,
        channel=command.channel,
        evidence=command.evidence,
    )
    if grade is None or review.accepted is not None:
        # A better word afterwards ends nothing: the bad rating is followed up (domain.md §14 case 9).
        return [appended]
    return [appended, *work_order(first, grade, at, facts)]


def evolve(review: Review | None, event: ReviewEvent) -> Review | None:
    """Take one event in; never refuses."""
    if isinstance(event, Submitted):
        return Review(submitted=event, corroborated=event.corroborated)
    if review is None:
        return None
    match event:
        case Appended():
            return replace(review, appended=event)
        case Corroborated():
            return replace(review, corroborated=True)
        case Accepted():
            return replace(review, accepted=event)
        case _:
            assert_never(event)


REVIEW: Final[Decider[Review | None, ReviewCommand, ReviewEvent, Facts]] = Decider(
    "review", None, decide, evolve, get_args(ReviewEvent)
)
