"""What whoever rated still says, with the own link: the one follow-up, that it is theirs, or that it was a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.decider import Code, Command, Digest, Event, For
from domain.errors import FollowedUp, NothingAdded, TooLate, Unknown
from domain.grade import Grade
from domain.handling import Facts
from domain.review.acting import by_who_rated
from domain.review.linking import ComplaintLinked
from domain.review.state import Review, Stage, at_stage
from domain.review.submitting import Appended, Corroborated, Evidence, ReviewChannel, reasoned, ticked, work_order
from domain.sealed import Sealed, Similar, TextFacts

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class MistakeConfirmed(Event):
    """Who rated says that the grade was chosen by mistake; by itself that changes nothing."""


AddingEvent: TypeAlias = Appended | Corroborated | MistakeConfirmed | ComplaintLinked


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
    """Say with the own link that what staff wrote down is so; `network` is the mark of where that is said."""

    own_link: Digest
    network: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmMistake(Command):
    """Say with the own link that the grade was chosen by mistake."""

    own_link: Digest


AddingCommand: TypeAlias = Append | Corroborate | ConfirmMistake

TURNS: Final[Mapping[Code, frozenset[Stage]]] = MappingProxyType(
    {
        "append": frozenset(Stage),
        "corroborate": frozenset(Stage),
        "confirm-mistake": frozenset(Stage) - {Stage.BAD_CLOSED, Stage.EXCLUDED},
    }
)
"""At which stages each command is in turn."""


def decide(review: Review | None, command: AddingCommand, facts: Facts) -> Sequence[Event | For]:
    """Answer whoever rated.

    Raises Unknown, NoPolicy, NotYourRole, OutOfTurn, TooLate, FollowedUp, NothingAdded, ReasonMissing, CodeNotOfGrade,
    UnknownReference.
    """
    if review is None:
        raise Unknown
    at, by = command.at, command.by
    match command:
        case Append():
            by_who_rated(review, command, command.own_link, "append", facts)
            return _append(review, command, facts)
        case Corroborate():
            by_who_rated(review, command, command.own_link, "corroborate", facts)
            return [] if review.corroborated else [Corroborated(at=at, by=by, network=command.network)]
        case ConfirmMistake():
            by_who_rated(review, command, command.own_link, "confirm-mistake", facts)
            at_stage(review, *TURNS["confirm-mistake"])
            return [] if review.mistake_confirmed else [MistakeConfirmed(at=at, by=by)]
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


def evolve(review: Review, event: AddingEvent) -> Review:
    """Take one event in; never refuses."""
    match event:
        case Appended():
            return replace(review, appended=event)
        case Corroborated():
            return replace(review, corroborated=True)
        case MistakeConfirmed():
            return replace(review, mistake_confirmed=True)
        case ComplaintLinked(complaint=complaint):
            return replace(review, complaint=complaint)
        case _:
            assert_never(event)
