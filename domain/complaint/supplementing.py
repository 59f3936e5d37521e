"""The complainant is asked once for what is missing; silence is no withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit, not_concerned, the_complainant
from domain.complaint.clocks import from_its_day, passed, silent_after
from domain.complaint.state import Case, Clock, Step, at_step
from domain.complaint.timing import ClockPaused, resumed
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For, Role
from domain.errors import OnceOnly, Superseded, TooEarly
from domain.handling import Basis, Facts, permit
from domain.sealed import Sealed, TextFacts

REASON: Final[Code] = "awaiting_complainant_material"
"""Why the clock stands while the complainant looks for what is missing (domain.md §4.3)."""

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequested(Event):
    """Everything that is missing was named at once (一次性告知); the clock stands meanwhile, by a pause of this id."""

    supplement: UUID
    items: tuple[Sealed, ...]
    due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementProvided(Event):
    """The complainant brought what was missing."""

    supplement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementExpired(Event):
    """Nothing came in time; the desk decides on what there is (our design: silence is no withdrawal)."""

    supplement: UUID


SupplementingEvent: TypeAlias = SupplementRequested | SupplementProvided | SupplementExpired


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSupplement(Command):
    """Ask the complainant for everything that is missing, once."""

    supplement: UUID
    items: tuple[Sealed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvideSupplement(Command):
    """Bring what was asked for."""

    supplement: UUID
    content: Sealed
    content_measured: TextFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireSupplement(Command):
    """Note that nothing came in time."""

    supplement: UUID


SupplementingCommand: TypeAlias = RequestSupplement | ProvideSupplement | ExpireSupplement

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {
        "request-supplement": frozenset({Step.REGISTERED}),
        "provide-supplement": frozenset({Step.AWAITING_SUPPLEMENT}),
        "expire-supplement": frozenset({Step.AWAITING_SUPPLEMENT}),
    }
)
"""At which steps each command is in turn (domain.md §6.3)."""


def decide(case: Case | None, command: SupplementingCommand, facts: Facts) -> list[Event | For]:
    """Answer the asking for what is missing, and what comes of it (domain.md §6.3; our design).

    Raises OutOfTurn, NoPolicy, NotYourRole, OwnCause, OwnComplaint, OnceOnly, Superseded, TooEarly, Unknown.
    """
    at, by, supplement = command.at, command.by, command.supplement
    match command:
        case RequestSupplement():
            return _request(at_step(case, *TURNS["request-supplement"]), command, facts)
        case ProvideSupplement(content=content, content_measured=measured):
            there = at_step(case, *TURNS["provide-supplement"])
            permit(by, there.profile, "provide-supplement", at, facts)
            if by.role is Role.CITIZEN:
                the_complainant(there, by)
            else:
                not_concerned(there, by, at, facts)
            _current(there, supplement)
            provided = SupplementProvided(
                at=at, by=by, supplement=supplement, content=content, content_measured=measured
            )
            return [provided, *_running_on(there, command, facts)]
        case ExpireSupplement():
            there = at_step(case, *TURNS["expire-supplement"])
            permit(by, there.profile, "expire-supplement", at, facts)
            _current(there, supplement)
            limit = silent_after(there)
            if limit is None or at <= limit.at:
                raise TooEarly(until=limit)
            return [SupplementExpired(at=at, by=by, supplement=supplement), *_running_on(there, command, facts)]
        case _:
            assert_never(command)


def _request(case: Case, command: RequestSupplement, facts: Facts) -> list[Event | For]:
    at, by, supplement = command.at, command.by, command.supplement
    admit(case, command, "request-supplement", facts)
    if case.supplement is not None:
        raise OnceOnly(supplement=case.supplement)
    due = facts.limit(case.profile, "complaint.supplement", at)
    basis = facts.basis(case.profile, at)
    requested = SupplementRequested(at=at, by=by, supplement=supplement, items=command.items, due=due, basis=basis)
    if passed(case, Clock.ACCEPT, at, facts):
        # What is late already stays so: the complainant is asked all the same, but no pause begins after the due date.
        return [requested]
    day_after = facts.limit(case.profile, "complaint.supplement", at, extra=1)
    until = from_its_day(day_after, facts.zone(case.profile, at))
    paused = ClockPaused(
        at=at, by=by, pause=supplement, reason=REASON, evidence=(), explanation=None, until=until, basis=basis
    )
    return [requested, paused]


def _current(case: Case, supplement: UUID) -> None:
    if supplement != case.supplement:
        raise Superseded(supplement=supplement)


def _running_on(case: Case, command: SupplementingCommand, facts: Facts) -> list[Event | For]:
    return [
        event
        for stop in case.stops
        if stop.pause == command.supplement and stop.end is None
        for event in resumed(case, stop, Clock.ACCEPT, command, facts)
    ]


def evolve(case: Case, event: SupplementingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case SupplementRequested(supplement=supplement, due=due):
            return replace(case, step=Step.AWAITING_SUPPLEMENT, supplement=supplement, supplement_due=due)
        case SupplementProvided() | SupplementExpired():
            return replace(case, step=Step.REGISTERED)
        case _:
            assert_never(event)
