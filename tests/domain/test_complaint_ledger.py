"""A case taken over from a ledger: as the ledger tells it, in the order it had, and nothing is invented besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.complaint import Accepted, Assigned, Case, Closed, Event, Replied, decide
from domain.complaint.intake import Severity
from domain.complaint.ledger import (
    AcceptLedgerCase,
    AssignLedgerCase,
    CloseLedgerCase,
    HandOverLedgerCase,
    LedgerCommand,
    PauseLedgerCase,
    ReopenLedgerCase,
    ReplyToLedgerCase,
    ResumeLedgerCase,
)
from domain.complaint.reviewing import ReopenCause, Reopened
from domain.complaint.revisiting import Outcome
from domain.complaint.state import Step
from domain.complaint.timing import ClockPaused, ClockResumed
from domain.complaint.units import HandedOver
from domain.deadlines import Calendar
from domain.decider import THE_SYSTEM
from domain.errors import (
    AlreadyThere,
    NoPolicy,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    Superseded,
    UnknownReference,
)
from domain.handling import Basis
from domain.rulebook import RULEBOOK, PolicyRef, Profile
from tests.controls import REGISTERED, REPLY, case
from tests.hall import DESK, FACTS, FENG, HANDLER, MEASURED, WANG, WEI, key, local, sealed

AT = local("10-08", "12:00")
BASIS = Basis(policy=PolicyRef(profile="ledger", version=1), rulebook=4)
TOLD = replace(REGISTERED, profile=Profile.LEDGER, by=THE_SYSTEM, at=local("09-16"), accept_due=None)
ACCEPT = AcceptLedgerCase(at=AT, by=THE_SYSTEM, category=None, severity=None, complexity=None, handling_class=None)
ASSIGN = AssignLedgerCase(at=AT, by=THE_SYSTEM, department="approval", handler=WANG)
HAND_OVER = HandOverLedgerCase(at=AT, by=THE_SYSTEM, department="tax", handler=None)
PAUSE = PauseLedgerCase(at=AT, by=THE_SYSTEM, pause=key("pause"), reason="AWAITING_VENDOR")
RESUME = ResumeLedgerCase(at=AT, by=THE_SYSTEM)
ANSWER = ReplyToLedgerCase(at=AT, by=THE_SYSTEM, reply=REPLY, content=sealed("content"), content_measured=MEASURED)
CLOSE = CloseLedgerCase(at=AT, by=THE_SYSTEM, outcome=None, resolution_code=None)
REOPEN = ReopenLedgerCase(at=AT, by=THE_SYSTEM)
EVERY: tuple[LedgerCommand, ...] = (ACCEPT, ASSIGN, HAND_OVER, PAUSE, RESUME, ANSWER, CLOSE, REOPEN)


def past(*commands: LedgerCommand) -> tuple[Event, ...]:
    """What a ledger told so far: the registration, and what these commands caused."""
    events: list[Event] = [TOLD]
    for command in commands:
        state = case(*events).state
        events += decide(state, command, FACTS)  # type: ignore[arg-type]  # no ledger command tells another stream
    return tuple(events)


def after(*commands: LedgerCommand) -> Case:
    """The case after these commands."""
    state = case(*past(*commands)).state
    assert state is not None
    return state


def test_a_ledger_case_is_answered_as_the_ledger_says() -> None:
    """Its text, its time, and whether it is late by the yardstick; nothing is invented besides.

    Fifteen natural days from 16 September end in a holiday, so the last day is 8 October (domain.md §4.4).
    """
    case(TOLD).when(ANSWER).then([
        Replied(
            at=AT,
            by=THE_SYSTEM,
            reply=REPLY,
            method=None,
            content=sealed("content"),
            content_measured=MEASURED,
            late=False,
            review_request_until=None,
            revisit_due=None,
            basis=BASIS,
        )
    ])  # fmt: skip
    assert case(TOLD).when(replace(ANSWER, at=local("10-09", "00:00"))).event.late is True
    unmeasured = replace(FACTS, rulebook=replace(FACTS.rulebook, calendar=Calendar()))
    beyond = replace(ANSWER, at=local("10-09", "00:00"))
    assert case(TOLD, facts=unmeasured).when(beyond).event.late is None


def test_an_answer_of_which_only_the_time_is_known_is_one() -> None:
    """No text is made up for it."""
    event = case(TOLD).when(replace(ANSWER, content=None, content_measured=None)).event
    assert (event.content, event.content_measured, event.late) == (None, None, False)


def test_a_ledger_case_is_answered_once_in_a_round() -> None:
    """The second row is a contradiction for a person to look at; a reopened case is answered and measured anew."""
    case(*past(ANSWER)).when(ANSWER).then_refused(OutOfTurn, step=Step.REPLIED)
    reopened = past(ANSWER, replace(REOPEN, at=local("10-20")))
    assert case(*reopened).when(replace(ANSWER, at=local("11-04", "23:00"))).event.late is False
    assert case(*reopened).when(replace(ANSWER, at=local("11-05", "00:00"))).event.late is True


def test_what_is_not_told_of_an_acceptance_stays_unknown() -> None:
    """No class, no limit, no lateness; what the ledger does tell is kept."""
    case(TOLD).when(ACCEPT).then([
        Accepted(
            at=AT,
            by=THE_SYSTEM,
            category="SHIRK",
            severity=None,
            complexity=None,
            handling_class=None,
            late=None,
            assign_due=None,
            handle_due=None,
            basis=BASIS,
        )
    ])  # fmt: skip
    told = case(TOLD).when(replace(ACCEPT, category="ARREARS", severity=Severity.MAJOR)).event
    assert (told.category, told.severity) == ("ARREARS", Severity.MAJOR)
    case(TOLD).when(replace(ACCEPT, category="NONSENSE")).then_refused(UnknownReference, kind="category")
    nameless = replace(TOLD, category=None)
    assert case(nameless).when(ACCEPT).event.category is None


def test_an_assignment_knows_the_unit_or_the_person() -> None:
    """Nobody was checked for an interest, nobody was given a day; a unit has to be in the register."""
    case(TOLD).when(ASSIGN).then([
        Assigned(
            at=AT,
            by=THE_SYSTEM,
            department="approval",
            assist=(),
            handler=WANG,
            conflict_check=None,
            late=None,
            sign_due=None,
            contact_due=None,
            unit_due=None,
            basis=BASIS,
        )
    ])  # fmt: skip
    assert case(TOLD).when(replace(ASSIGN, department=None)).event.handler == WANG
    case(TOLD).when(replace(ASSIGN, department=None, handler=None)).then_nothing()
    case(TOLD).when(replace(ASSIGN, department="nowhere")).then_refused(UnknownReference, kind="department")
    case(*past(ASSIGN)).when(ASSIGN).then_refused(AlreadyThere, department="approval")
    only_somebody = past(replace(ASSIGN, department=None))
    case(*only_somebody).when(ASSIGN).then_refused(AlreadyThere)


def test_a_case_goes_from_hand_to_hand_without_a_reason() -> None:
    """Who had it and who gets it is told; that nobody is known to have it any more is told as well."""
    case(*past(ASSIGN)).when(HAND_OVER).then([
        HandedOver(
            at=AT,
            by=THE_SYSTEM,
            department="tax",
            handler=None,
            from_department="approval",
            from_handler=WANG,
            reason=None,
            sign_due=None,
            unit_due=None,
            basis=BASIS,
        )
    ])  # fmt: skip
    case(*past(ASSIGN, HAND_OVER)).when(HAND_OVER).then_nothing()
    lost = after(ASSIGN, replace(HAND_OVER, department=None))
    assert (lost.department, lost.handler, lost.departments) == (None, None, frozenset({"approval"}))
    case(TOLD).when(replace(HAND_OVER, department="nowhere")).then_refused(UnknownReference)


def test_a_case_waits_for_a_reason_of_the_source() -> None:
    """Until when is unknown, and no day is taken off a limit that was never set."""
    case(TOLD).when(PAUSE).then([
        ClockPaused(
            at=AT,
            by=THE_SYSTEM,
            pause=PAUSE.pause,
            reason="AWAITING_VENDOR",
            evidence=(),
            explanation=None,
            until=None,
            basis=BASIS,
        )
    ])  # fmt: skip
    assert after(PAUSE).paused
    resumed = ClockResumed(at=AT, by=THE_SYSTEM, pause=PAUSE.pause, ended_at=AT, excluded_days=None)
    case(*past(PAUSE)).when(RESUME).then([resumed])
    assert not after(PAUSE, RESUME).paused
    case(TOLD).when(RESUME).then_refused(OutOfTurn, step=Step.REGISTERED)


@pytest.mark.parametrize(
    "command", [ACCEPT, replace(PAUSE, pause=key("other"), reason="AWAITING_PROBLEM"), ANSWER, CLOSE]
)
def test_whatever_goes_on_with_a_case_ends_its_waiting(command: LedgerCommand) -> None:
    """Only the pause that is open ends; those before it ended already."""
    waiting = past(replace(PAUSE, pause=key("first")), RESUME, PAUSE)
    resumed, _ = case(*waiting).when(command).events
    assert resumed == ClockResumed(at=AT, by=THE_SYSTEM, pause=PAUSE.pause, ended_at=AT, excluded_days=None)
    ended = after(replace(PAUSE, pause=key("first")), RESUME, PAUSE, command)
    assert [stop.end for stop in ended.stops[:2]] == [AT, AT]
    assert ended.paused is isinstance(command, PauseLedgerCase)


def test_a_case_is_closed_with_what_is_known_of_its_end() -> None:
    """Without an answer before, without a revisit."""
    case(TOLD).when(CLOSE).then([
        Closed(at=AT, by=THE_SYSTEM, outcome=None, revisit_status=None, resolution_code=None)
    ])  # fmt: skip
    known = replace(CLOSE, outcome=Outcome.RESOLVED, resolution_code="code.5")
    assert case(*past(ANSWER)).when(known).event.outcome is Outcome.RESOLVED
    case(*past(CLOSE)).when(CLOSE).then_refused(OutOfTurn, step=Step.CLOSED)


@pytest.mark.parametrize("ended", [(ANSWER,), (CLOSE,), (ANSWER, CLOSE)])
def test_an_answered_or_closed_case_is_taken_up_again(ended: tuple[LedgerCommand, ...]) -> None:
    """The source says so; a round later it can end anew."""
    case(*past(*ended)).when(REOPEN).then([
        Reopened(
            at=AT, by=THE_SYSTEM, round=2, cause=ReopenCause.SOURCE, reason=None, handle_due=None, basis=BASIS
        )
    ])  # fmt: skip
    again = after(*ended, REOPEN)
    assert (again.step, again.round, again.reply) == (Step.IN_PROGRESS, 2, None)
    assert after(*ended, REOPEN, ANSWER, CLOSE, REOPEN).round == 3


def test_only_what_was_answered_is_reopened() -> None:
    """Elsewhere a row that says so contradicts those before it."""
    for history in ((), (ACCEPT,), (ACCEPT, ASSIGN), (ANSWER, REOPEN)):
        case(*past(*history)).when(REOPEN).then_refused(OutOfTurn)


@pytest.mark.parametrize(
    ("commands", "step"),
    [
        ((ASSIGN,), Step.REGISTERED),
        ((ACCEPT,), Step.ACCEPTED),
        ((ACCEPT, ASSIGN), Step.ASSIGNED),
        ((ASSIGN, ACCEPT), Step.ASSIGNED),
        ((ACCEPT, HAND_OVER), Step.ASSIGNED),
        ((ACCEPT, ASSIGN, replace(HAND_OVER, department=None)), Step.ACCEPTED),
        ((ACCEPT, replace(ASSIGN, department=None)), Step.ASSIGNED),
        ((ACCEPT, PAUSE), Step.ACCEPTED),
        ((ANSWER, ASSIGN), Step.REPLIED),
        ((CLOSE, ASSIGN, HAND_OVER), Step.CLOSED),
        ((ANSWER, REOPEN, ASSIGN), Step.IN_PROGRESS),
        ((ANSWER, REOPEN, PAUSE, RESUME), Step.IN_PROGRESS),
    ],
)
def test_who_has_a_case_moves_it_only_between_accepted_and_assigned(
    commands: tuple[LedgerCommand, ...], step: Step
) -> None:
    """An assignment before the acceptance accepts nothing, one after the answer takes nothing back."""
    assert after(*commands).step is step


def test_a_case_is_accepted_once() -> None:
    """Wherever it went since."""
    for history in ((ACCEPT,), (ACCEPT, ASSIGN), (ANSWER,), (CLOSE,), (ANSWER, REOPEN)):
        case(*past(*history)).when(ACCEPT).then_refused(OutOfTurn)


def test_a_ledger_case_never_has_a_limit() -> None:
    """No clock runs, whatever happens to it (decision 0012)."""
    whole = after(ACCEPT, ASSIGN, PAUSE, RESUME, HAND_OVER, ANSWER, CLOSE, REOPEN, ANSWER)
    assert [running.due for running in whole.clocks.values() if running.due is not None] == []


@pytest.mark.parametrize("command", EVERY, ids=lambda one: type(one).__name__)
def test_only_an_import_tells_of_a_ledger_case_and_only_of_a_ledger_case(command: LedgerCommand) -> None:
    """No handler goes round the loop by this door, no machine behind which a person stands, nobody without a policy."""
    told = past(ANSWER) if isinstance(command, ReopenLedgerCase) else past()
    case(*told).when(replace(command, by=HANDLER)).then_refused(NotYourRole)
    case(*told).when(replace(command, by=DESK)).then_refused(NotYourRole)
    behind = replace(THE_SYSTEM, on_behalf_of=FENG)
    case(*told).when(replace(command, by=behind)).then_refused(OwnCause)
    case(REGISTERED).when(command).then_refused(Superseded, profile=Profile.HALL)
    case(REGISTERED).when(replace(command, by=HANDLER)).then_refused(Superseded)
    lawless = replace(FACTS, rulebook=RULEBOOK.initial)
    case(*told, facts=lawless).when(command).then_refused(NoPolicy)
    case().when(command).then_refused(OutOfTurn)


def test_who_acted_in_the_source_is_known_by_a_key() -> None:
    """The machine speaks for somebody; the key stands in the event, and who is concerned is still kept out."""
    spoken = replace(THE_SYSTEM, on_behalf_of=WEI)
    replied = case(TOLD).when(replace(ANSWER, by=spoken)).event
    assert replied.by == spoken
    later = replace(ANSWER, at=AT + timedelta(days=1))
    assert after(replace(ANSWER, by=spoken), REOPEN, later).handlers == frozenset(spoken.persons)
