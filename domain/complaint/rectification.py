"""What was found is put right: planned with a date, done, verified by somebody who took no part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, by_the_handler
from domain.complaint.state import Case, Rectification, Step, at_step
from domain.deadlines import Due
from domain.decider import Command, Event, For, Instant
from domain.errors import (
    AlreadyThere,
    DateInPast,
    FindingMissing,
    NothingToRectify,
    OwnWorkVerified,
    Superseded,
    UnknownReference,
)
from domain.handling import Facts, end_of, keep_apart, not_later
from domain.sealed import Sealed

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationPlanned(Event):
    """A corrective action was planned, with a date."""

    rectification: UUID
    actions: Sealed
    due: Due
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectified(Event):
    """A corrective action was carried out (整改)."""

    rectification: UUID
    actions: Sealed
    evidence: tuple[UUID, ...]
    late: bool | None
    happened_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RectificationVerified(Event):
    """Somebody who took no part looked at the corrective action; it passed or did not."""

    rectification: UUID
    passed: bool
    note: Sealed | None


RectificationEvent: TypeAlias = RectificationPlanned | Rectified | RectificationVerified


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRectification(Command):
    """Plan a corrective action, to be done by the end of a local day."""

    rectification: UUID
    actions: Sealed
    due: date
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectify(Command):
    """Record that a corrective action was carried out."""

    rectification: UUID
    actions: Sealed
    evidence: tuple[UUID, ...]
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRectification(Command):
    """Say whether a corrective action did what it should."""

    rectification: UUID
    passed: bool
    note: Sealed | None


RectificationCommand: TypeAlias = PlanRectification | Rectify | VerifyRectification

DURING = (Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED, Step.REPLIED, Step.CLOSED)
"""A reply need not wait for all actions, so they may be carried out and verified after it (domain.md §6.3)."""


def decide(case: Case | None, command: RectificationCommand, facts: Facts) -> list[Event | For]:
    """Answer what is done about a finding.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, FindingMissing, NothingToRectify,
    DateInPast, AlreadyThere, UnknownReference, Superseded, OwnWorkVerified, and what `by_the_handler` raises.
    """
    at, by = command.at, command.by
    match command:
        case PlanRectification(rectification=key, actions=actions, due=day, replaces=replaces):
            there = at_step(case, *DURING)
            by_the_handler(there, command, "plan-rectification", facts)
            if there.finding is None:
                raise FindingMissing
            if not there.finding.asks_for_rectification:
                raise NothingToRectify(finding=there.finding)
            if day < facts.day(there.profile, at):
                raise DateInPast(due=day)
            if key in there.rectifications:
                raise AlreadyThere(rectification=key)
            if replaces is not None and _named(there, replaces).passed is not False:
                raise Superseded(rectification=replaces)
            due = end_of(day, facts.zone(there.profile, at))
            return [RectificationPlanned(at=at, by=by, rectification=key, actions=actions, due=due, replaces=replaces)]
        case Rectify(rectification=key, actions=actions, evidence=evidence):
            there = at_step(case, *DURING)
            by_the_handler(there, command, "rectify", facts)
            planned = _named(there, key)
            if planned.done:
                raise Superseded(rectification=key)
            unknown = set(evidence) - there.evidence
            if unknown:
                raise UnknownReference(kind="evidence", value=sorted(map(str, unknown)))
            late = facts.late(there.profile, planned.due, at)
            return [
                Rectified(
                    at=at,
                    by=by,
                    rectification=key,
                    actions=actions,
                    evidence=evidence,
                    late=late,
                    happened_at=not_later(command.happened_at, at),
                )
            ]
        case VerifyRectification(rectification=key, passed=passed, note=note):
            there = at_step(case, *DURING)
            admit(there, command, "verify-rectification", facts)
            keep_apart(by, there.handlers, OwnWorkVerified)
            planned = _named(there, key)
            if not planned.done or planned.passed is not None:
                raise Superseded(rectification=key)
            return [RectificationVerified(at=at, by=by, rectification=key, passed=passed, note=note)]
        case _:
            assert_never(command)


def _named(case: Case, key: UUID) -> Rectification:
    if key not in case.rectifications:
        raise UnknownReference(kind="rectification", value=key)
    return case.rectifications[key]


def evolve(case: Case, event: RectificationEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case RectificationPlanned(by=by, rectification=key, due=due):
            planned = MappingProxyType({**case.rectifications, key: Rectification(due=due)})
            owed = max(0, case.plans_owed - 1)
            return replace(case, handlers=case.handlers | by.persons, rectifications=planned, plans_owed=owed)
        case Rectified(by=by, rectification=key):
            return replace(_marked(case, key, done=True), handlers=case.handlers | by.persons)
        case RectificationVerified(by=by, rectification=key, passed=passed):
            owed = case.plans_owed + (not passed)
            return replace(
                _marked(case, key, done=True, passed=passed), verifiers=case.verifiers | by.persons, plans_owed=owed
            )
        case _:
            assert_never(event)


def _marked(case: Case, key: UUID, *, done: bool, passed: bool | None = None) -> Case:
    planned = case.rectifications.get(key)
    if planned is None:
        # A history loads whatever stands in it.
        return case
    changed = replace(planned, done=done, passed=passed)
    return replace(case, rectifications=MappingProxyType({**case.rectifications, key: changed}))
