"""What a ledger of somebody else tells of a case: taken as it was, in the order it had, and nothing is promised.

Only imports give these commands, and only on cases of the profile `ledger` (docs/decisions/0012). The past was freer
than our loop: a case was assigned before it was accepted, answered without a finding, closed without a revisit. What
the ledger does not tell is None in the events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, assert_never
from uuid import UUID

from domain.complaint.acting import admit
from domain.complaint.inquiry import Assigned
from domain.complaint.intake import Accepted, Complexity, HandlingClass, Severity
from domain.complaint.replying import Replied
from domain.complaint.reviewing import ReopenCause, Reopened
from domain.complaint.revisiting import Closed, Outcome
from domain.complaint.state import Case, Step, Stop, at_step
from domain.complaint.timing import ClockPaused, ClockResumed
from domain.complaint.units import HandedOver
from domain.decider import Code, Command, Event, For, PersonKey
from domain.errors import AlreadyThere, OutOfTurn, Superseded, UnknownReference
from domain.handling import Facts
from domain.rulebook import Profile
from domain.sealed import Sealed, TextFacts

LIVE: Final = (Step.REGISTERED, Step.ACCEPTED, Step.ASSIGNED, Step.IN_PROGRESS)
"""Where somebody still waits for the answer."""
ANSWERED: Final = (Step.REPLIED, Step.CLOSED)

LedgerEvent: TypeAlias = Accepted | Assigned | HandedOver | ClockPaused | ClockResumed | Replied | Closed | Reopened
"""The events of a ledger case after its registration; they are those of every case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptLedgerCase(Command):
    """The case was accepted, or work on it began."""

    category: Code | None
    severity: Severity | None
    complexity: Complexity | None
    handling_class: HandlingClass | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignLedgerCase(Command):
    """A unit or a person got the case that nobody had."""

    department: Code | None
    handler: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverLedgerCase(Command):
    """Another unit or person got the case, or it is no longer known who has it."""

    department: Code | None
    handler: PersonKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLedgerCase(Command):
    """The case waited, for a reason of the source."""

    pause: UUID
    reason: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeLedgerCase(Command):
    """The case no longer waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToLedgerCase(Command):
    """The case was answered; the text may be unknown."""

    reply: UUID
    content: Sealed | None
    content_measured: TextFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLedgerCase(Command):
    """The case was closed."""

    outcome: Outcome | None
    resolution_code: Code | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenLedgerCase(Command):
    """The case was taken up again after its answer."""


LedgerCommand: TypeAlias = (
    AcceptLedgerCase
    | AssignLedgerCase
    | HandOverLedgerCase
    | PauseLedgerCase
    | ResumeLedgerCase
    | ReplyToLedgerCase
    | CloseLedgerCase
    | ReopenLedgerCase
)


def decide(case: Case | None, command: LedgerCommand, facts: Facts) -> list[Event | For]:
    """Answer what a ledger tells of a case; where a case waited, whatever goes on with it ends the waiting.

    Raises OutOfTurn, Superseded, NoPolicy, NotYourRole, OwnCause, OwnComplaint, AlreadyThere, UnknownReference.
    """
    at, by = command.at, command.by
    match command:
        case AcceptLedgerCase():
            there = _there(case, command, "accept", facts, Step.REGISTERED)
            return [*_resumed(there, command), _accepted(there, command, facts)]
        case AssignLedgerCase():
            there = _there(case, command, "assign", facts, *LIVE, *ANSWERED)
            return _assigned(there, command, facts)
        case HandOverLedgerCase():
            there = _there(case, command, "hand-over", facts, *LIVE, *ANSWERED)
            return _handed_over(there, command, facts)
        case PauseLedgerCase(pause=pause, reason=reason):
            there = _there(case, command, "pause-clock", facts, *LIVE)
            paused = ClockPaused(
                at=at,
                by=by,
                pause=pause,
                reason=reason,
                evidence=(),
                explanation=None,
                until=None,
                basis=facts.basis(there.profile, at),
            )
            return [*_resumed(there, command), paused]
        case ResumeLedgerCase():
            there = _there(case, command, "resume-clock", facts, *LIVE)
            if not there.paused:
                raise OutOfTurn(step=there.step)
            return _resumed(there, command)
        case ReplyToLedgerCase():
            there = _there(case, command, "reply", facts, *LIVE)
            return [*_resumed(there, command), _replied(there, command, facts)]
        case CloseLedgerCase(outcome=outcome, resolution_code=resolution_code):
            there = _there(case, command, "close", facts, *LIVE, Step.REPLIED)
            closed = Closed(at=at, by=by, outcome=outcome, revisit_status=None, resolution_code=resolution_code)
            return [*_resumed(there, command), closed]
        case ReopenLedgerCase():
            there = _there(case, command, "reopen", facts, *ANSWERED)
            return [
                Reopened(
                    at=at,
                    by=by,
                    round=there.round + 1,
                    cause=ReopenCause.SOURCE,
                    reason=None,
                    handle_due=None,
                    basis=facts.basis(there.profile, at),
                )
            ]
        case _:
            assert_never(command)


def _there(case: Case | None, command: LedgerCommand, name: Code, facts: Facts, *steps: Step) -> Case:
    there = at_step(case, *Step)
    if there.profile != Profile.LEDGER:
        # Elsewhere each of these steps has guards of its own; nobody goes round them by this door.
        raise Superseded(profile=there.profile)
    admit(there, command, name, facts)
    return at_step(there, *steps)


def _resumed(case: Case, command: LedgerCommand) -> list[Event | For]:
    return [
        ClockResumed(at=command.at, by=command.by, pause=stop.pause, ended_at=command.at, excluded_days=None)
        for stop in case.stops
        if stop.end is None
    ]


def _accepted(case: Case, command: AcceptLedgerCase, facts: Facts) -> Accepted:
    if command.category is not None and command.category not in facts.rulebook.categories:
        raise UnknownReference(kind="category", value=command.category)
    return Accepted(
        at=command.at,
        by=command.by,
        category=command.category or case.category,
        severity=command.severity,
        complexity=command.complexity,
        handling_class=command.handling_class,
        late=None,
        assign_due=None,
        handle_due=None,
        basis=facts.basis(case.profile, command.at),
    )


def _assigned(case: Case, command: AssignLedgerCase, facts: Facts) -> list[Event | For]:
    _known(command.department, facts)
    if case.department is not None or case.handler is not None:
        raise AlreadyThere(department=case.department)
    if command.department is None and command.handler is None:
        return []
    return [
        Assigned(
            at=command.at,
            by=command.by,
            department=command.department,
            assist=(),
            handler=command.handler,
            conflict_check=None,
            late=None,
            sign_due=None,
            contact_due=None,
            unit_due=None,
            basis=facts.basis(case.profile, command.at),
        )
    ]


def _handed_over(case: Case, command: HandOverLedgerCase, facts: Facts) -> list[Event | For]:
    _known(command.department, facts)
    if (command.department, command.handler) == (case.department, case.handler):
        return []
    return [
        HandedOver(
            at=command.at,
            by=command.by,
            department=command.department,
            handler=command.handler,
            from_department=case.department,
            from_handler=case.handler,
            reason=None,
            sign_due=None,
            unit_due=None,
            basis=facts.basis(case.profile, command.at),
        )
    ]


def _known(department: Code | None, facts: Facts) -> None:
    if department is not None and department not in facts.register.departments:
        raise UnknownReference(kind="department", value=department)


def _replied(case: Case, command: ReplyToLedgerCase, facts: Facts) -> Replied:
    # Nobody was ever promised this date; it is a yardstick to measure the past with, in each round from its beginning.
    since = case.reopened_at or case.registered_at
    yardstick = facts.limit(case.profile, "ledger.reply", command.at, since=since)
    return Replied(
        at=command.at,
        by=command.by,
        reply=command.reply,
        method=None,
        content=command.content,
        content_measured=command.content_measured,
        late=facts.late(case.profile, yardstick, command.at),
        review_request_until=None,
        revisit_due=None,
        basis=facts.basis(case.profile, command.at),
    )


def step_after(step: Step, event: Event, *, held: bool) -> Step:
    """Give where a ledger case stands after an event, in the rules and on the docket alike.

    `held` says whether a unit or a person has it after the event. Who has it moves a case only between accepted and
    assigned: an assignment before the acceptance, or after the answer, leaves the case where it is.
    """
    match event:
        case Accepted():
            return Step.ASSIGNED if held else Step.ACCEPTED
        case Assigned() | HandedOver() if step in {Step.ACCEPTED, Step.ASSIGNED}:
            return Step.ASSIGNED if held else Step.ACCEPTED
        case Replied():
            return Step.REPLIED
        case Closed():
            return Step.CLOSED
        case Reopened():
            return Step.IN_PROGRESS
        case _:
            return step


def evolve(case: Case, event: LedgerEvent) -> Case:
    """Take one event in; never refuses. No clock starts: a ledger case was promised nothing."""
    # One copy for each event: a ledger has many, and copying a case of so many fields is what folding costs.
    return replace(case, step=_step(case, event), **_changes(case, event))


def _step(case: Case, event: LedgerEvent) -> Step:
    has = event if isinstance(event, Assigned | HandedOver) else case
    return step_after(case.step, event, held=has.department is not None or has.handler is not None)


def _changes(case: Case, event: LedgerEvent) -> dict[str, Any]:
    match event:
        case Accepted(category=category):
            return {"category": category}
        case Assigned(department=department, handler=handler) | HandedOver(department=department, handler=handler):
            departments = case.departments if department is None else case.departments | {department}
            return {"department": department, "departments": departments, "handler": handler}
        case ClockPaused(at=at, pause=pause, reason=reason):
            return {"stops": (*case.stops, Stop(pause=pause, reason=reason, start=at, until=None))}
        case ClockResumed(pause=pause, ended_at=ended_at):
            stops = tuple(replace(stop, end=ended_at) if stop.pause == pause else stop for stop in case.stops)
            return {"stops": stops}
        case Replied(at=at, by=by, reply=reply):
            handlers = case.handlers | by.persons
            return {"replied_at": at, "reply": reply, "replies": case.replies | {reply}, "handlers": handlers}
        case Closed():
            return {}
        case Reopened(at=at, round=number):
            return {"round": number, "reopened_at": at, "reply": None}
        case _:
            assert_never(event)
