"""Who has an interest in the matter keeps out of it: declared or asked for, decided by somebody above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import may_take, not_concerned, the_complainant
from domain.complaint.correcting import other_side
from domain.complaint.state import OPEN, Case, Recusal, Step, at_step
from domain.complaint.units import HandoverReason, handed_over
from domain.decider import Actor, Code, Command, Event, For, PersonKey, Role
from domain.errors import (
    AskedBefore,
    NotYourRecusal,
    NotYourRole,
    OwnRecusal,
    Superseded,
    Unknown,
    UnknownReference,
)
from domain.handling import Facts, keep_apart, permit, post_of
from domain.sealed import Sealed


class Ground(StrEnum):
    """Why somebody must keep out (Civil Servants Law arts 74, 76-77)."""

    OWN_INTEREST = "own_interest"
    RELATIVE = "relative"
    OTHER_CIRCUMSTANCE = "other_circumstance"
    WITNESS = "witness"


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalRequested(Event):
    """Somebody declared an interest, or another side said that a person has one (回避)."""

    recusal: UUID
    target: PersonKey
    ground: Ground
    explanation: Sealed | None
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalDecided(Event):
    """It was decided whether the person keeps out."""

    recusal: UUID
    granted: bool
    reason: Sealed | None


RecusalEvent: TypeAlias = RecusalRequested | RecusalDecided


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecusal(Command):
    """Declare an own interest, or ask that somebody keep out.

    Without a target, staff mean themselves, and the two sides whoever handles the case: they need not know who that is.
    """

    recusal: UUID
    target: PersonKey | None
    ground: Ground
    explanation: Sealed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRecusal(Command):
    """Decide on the request named; whoever takes over gets the case at once."""

    recusal: UUID
    granted: bool
    new_handler: PersonKey | None
    reason: Sealed | None


RecusalCommand: TypeAlias = RequestRecusal | DecideRecusal

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-recusal": OPEN,
        "decide-recusal": OPEN,
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


ANY: Final = frozenset({Role.CITIZEN, Role.RESPONDENT, Role.SUPERVISOR})
"""Who may name others: either side, and whoever decides without being asked (Civil Servants Law art. 77)."""


def decide(case: Case | None, command: RecusalCommand, facts: Facts) -> list[Event | For]:
    """Answer who is to keep out of a case.

    Raises OutOfTurn, NoPolicy, NotYourRole, Unknown, UnknownReference, AskedBefore, Superseded, OwnRecusal,
    NotYourRecusal, OwnCause, OwnComplaint, Recused, RecusalPending, OwnWorkApproved, OwnWorkVerified, OwnWorkRevisited.
    """
    there = at_step(case, *OPEN)
    match command:
        case RequestRecusal():
            return _request(there, command, facts)
        case DecideRecusal():
            return _decide(there, command, facts)
        case _:
            assert_never(command)


def _request(case: Case, command: RequestRecusal, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "request-recusal", at, facts)
    if by.role is Role.CITIZEN:
        the_complainant(case, by)
    if by.role is Role.RESPONDENT and not other_side(case.respondent, by, (*case.noticed, at), facts):
        raise Unknown
    target = _target(case, command)
    if by.role not in ANY and target not in by.persons:
        raise NotYourRole(role=by.role, target=target)
    if not any(tenure.person == target for tenure in facts.register.tenures):
        raise UnknownReference(kind="person", value=target)
    for one in case.recusals.values():
        if one.target != target:
            continue
        if one.granted or (one.granted is None and one.asked_by == by.persons):
            return []
        if one.granted is False and (one.asked_by, one.ground) == (by.persons, command.ground):
            # Or the other side could stop the handling for ever.
            raise AskedBefore(ground=command.ground)
    return [
        RecusalRequested(
            at=at,
            by=by,
            recusal=command.recusal,
            target=target,
            ground=command.ground,
            explanation=command.explanation,
            declared=target in by.persons,
        )
    ]


def _target(case: Case, command: RequestRecusal) -> PersonKey:
    if command.target is not None:
        return command.target
    if command.by.role not in ANY:
        return command.by.person
    if case.handler is None:
        raise UnknownReference(kind="handler")
    return case.handler


def _decide(case: Case, command: DecideRecusal, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    permit(by, case.profile, "decide-recusal", at, facts)
    found = case.recusals.get(command.recusal)
    if found is None or found.granted is not None:
        raise Superseded(recusal=command.recusal)
    keep_apart(by, found.asked_by | {found.target}, OwnRecusal)
    not_concerned(case, by, at, facts)
    if by.role is Role.UNIT_HEAD:
        _of_the_unit(by, found.target, at, facts)
    decided = RecusalDecided(at=at, by=by, recusal=command.recusal, granted=command.granted, reason=command.reason)
    if not command.granted or command.new_handler is None:
        return [decided]
    if found.target != case.handler:
        raise UnknownReference(kind="handler", value=found.target)
    may_take(case, command.new_handler, case.department, at, facts)
    return [
        decided,
        handed_over(case, command, case.department, command.new_handler, HandoverReason.RECUSAL, facts),
    ]


def _of_the_unit(by: Actor, target: PersonKey, at: datetime, facts: Facts) -> None:
    """Let a head decide on the people of the unit only, and on none of its heads: that is for somebody above."""
    unit = post_of(by, at, facts).department
    of_the_unit = any(post.department == unit for post in facts.register.held_by(target, at))
    if unit is None or not of_the_unit or target in facts.register.heads(unit, at):
        raise NotYourRecusal(department=unit)


def evolve(case: Case, event: RecusalEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case RecusalRequested(by=by, recusal=recusal, target=target, ground=ground):
            asked = Recusal(target=target, ground=ground, asked_by=by.persons)
        case RecusalDecided(recusal=recusal, granted=granted):
            found = case.recusals.get(recusal)
            if found is None:
                return case
            asked = replace(found, granted=granted)
        case _:
            assert_never(event)
    return replace(case, recusals=MappingProxyType({**case.recusals, recusal: asked}))
