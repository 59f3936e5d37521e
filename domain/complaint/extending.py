"""A limit is lengthened once, asked for in time by who handles the case, decided by the head of the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import by_the_handler, by_the_head, of_the_work
from domain.complaint.clocks import HANDLED, passed, running_by, term_of
from domain.complaint.state import Case, Clock, Extension, Step, at_step
from domain.complaint.timing import Cause, recomputed
from domain.deadlines import Due
from domain.decider import Code, Command, Event, For
from domain.errors import AlreadyThere, DecidedTooLate, ExtensionTooLong, OnceOnly, OwnClock, Superseded, TooLate
from domain.handling import Basis, Facts, keep_apart
from domain.sealed import Sealed

# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRequested(Event):
    """A longer limit was asked for (延期), in the unit of the limit."""

    extension: UUID
    days: int
    reason: Sealed
    decide_due: Due | None
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionApproved(Event):
    """The longer limit was approved; the new date follows as a recomputed deadline."""

    extension: UUID
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRejected(Event):
    """The longer limit was not approved."""

    extension: UUID
    reason: Sealed


ExtendingEvent: TypeAlias = ExtensionRequested | ExtensionApproved | ExtensionRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension(Command):
    """Ask for a longer limit, in days as the limit counts them."""

    extension: UUID
    days: int
    reason: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideExtension(Command):
    """Decide on the request named. Raises ValueError for a rejection without a reason, and an approval with one."""

    extension: UUID
    approved: bool
    reason: Sealed | None

    def __post_init__(self) -> None:
        """Refuse a decision that says both, or neither."""
        if self.approved is not (self.reason is None):
            raise ValueError("a reason belongs to a rejection, and every rejection has one")


ExtendingCommand: TypeAlias = RequestExtension | DecideExtension

TURNS: Final[Mapping[Code, frozenset[Step]]] = MappingProxyType(
    {"request-extension": frozenset({Step.IN_PROGRESS}), "decide-extension": HANDLED}
)
"""At which steps each command is in turn (domain.md §6.3); a case may go on while an extension is being decided."""


def decide(case: Case | None, command: ExtendingCommand, facts: Facts) -> list[Event | For]:
    """Answer what lengthens a limit (domain.md §4.3, L1-34, R2-50); an extension cures no lateness.

    Raises OutOfTurn, NoPolicy, NotYourRole, NotYourCase, OwnCause, OwnComplaint, OwnClock, AlreadyThere, TooLate,
    Superseded, OnceOnly, ExtensionTooLong, DecidedTooLate, and what `by_the_handler` raises.
    """
    match command:
        case RequestExtension():
            return _request(at_step(case, *TURNS["request-extension"]), command, facts)
        case DecideExtension():
            return _decide(at_step(case, *TURNS["decide-extension"]), command, facts)
        case _:
            assert_never(command)


def _request(case: Case, command: RequestExtension, facts: Facts) -> list[Event | For]:
    at, by = command.at, command.by
    policy = by_the_handler(case, command, "request-extension", facts)
    if command.extension in case.extensions:
        raise AlreadyThere(extension=command.extension)
    waiting = any(
        asked.approved is None and facts.late(case.profile, asked.decide_by, at) is not True
        for asked in case.extensions.values()
        if _of_this_limit(case, asked)
    )
    if waiting or case.extended >= policy.extensions_per_round:
        raise OnceOnly(extended=case.extended, most=policy.extensions_per_round)
    term, longer = term_of(case, Clock.HANDLE, facts), policy.term("complaint.extension")
    most = longer.amount if term is not None and longer is not None and longer.unit is term.unit else 0
    if not 1 <= command.days <= most:
        raise ExtensionTooLong(days=command.days, most=most)
    if passed(case, Clock.HANDLE, at, facts):
        raise TooLate(due=case.due(Clock.HANDLE))
    return [
        ExtensionRequested(
            at=at,
            by=by,
            extension=command.extension,
            days=command.days,
            reason=command.reason,
            decide_due=facts.limit(case.profile, "complaint.extension_decide", at),
            basis=facts.basis(case.profile, at),
        )
    ]


def _of_this_limit(case: Case, asked: Extension) -> bool:
    """Say whether it was asked for since the limit was set: after a rework or in a new round it is another promise."""
    running = case.clocks.get(Clock.HANDLE)
    return running is not None and asked.requested_at >= running.set_at


def _decide(case: Case, command: DecideExtension, facts: Facts) -> list[Event | For]:
    at, by, extension = command.at, command.by, command.extension
    policy = by_the_head(case, command, "decide-extension", facts)
    asked = case.extensions.get(extension)
    if asked is None or asked.approved is not None or not _of_this_limit(case, asked):
        raise Superseded(extension=extension)
    keep_apart(by, of_the_work(case), OwnClock)
    if command.reason is not None:
        return [ExtensionRejected(at=at, by=by, extension=extension, reason=command.reason)]
    if facts.late(case.profile, asked.decide_by, at):
        raise DecidedTooLate(until=asked.decide_by)
    if not policy.approve_after_request and passed(case, Clock.HANDLE, at, facts):
        raise TooLate(due=case.due(Clock.HANDLE))
    approved = ExtensionApproved(at=at, by=by, extension=extension, days=asked.days)
    after = evolve(case, approved)
    return [
        approved,
        *recomputed(after, [Clock.HANDLE], Cause.EXTENDED, extension, at=at, by=by, facts=facts),
    ]


def evolve(case: Case, event: ExtendingEvent) -> Case:
    """Take one event in; never refuses."""
    match event:
        case ExtensionRequested(at=at, by=by, extension=extension, days=days, decide_due=decide_due):
            asked = Extension(days=days, requested_at=at, decide_by=decide_due)
            return replace(
                case,
                extensions=MappingProxyType({**case.extensions, extension: asked}),
                handlers=case.handlers | by.persons,
            )
        case ExtensionApproved(by=by, extension=extension, days=days):
            longer = _decided(case, extension, approved=True)
            handle = case.clocks.get(Clock.HANDLE)
            if handle is not None:
                longer = running_by(longer, Clock.HANDLE, replace(handle, extra=handle.extra + days))
            return replace(longer, extended=case.extended + 1, approvers=case.approvers | by.persons)
        case ExtensionRejected(by=by, extension=extension):
            refused = _decided(case, extension, approved=False)
            return replace(refused, approvers=case.approvers | by.persons)
        case _:
            assert_never(event)


def _decided(case: Case, extension: UUID, *, approved: bool) -> Case:
    asked = case.extensions.get(extension)
    if asked is None:
        return case
    return replace(case, extensions=MappingProxyType({**case.extensions, extension: replace(asked, approved=approved)}))
