"""The complainant is asked once for everything that is missing, in time of their own, and silence is no withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from domain.complaint import Accept, Event
from domain.complaint.clocks import silent_after
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.state import Clock, Respondent, Step
from domain.complaint.supplementing import (
    ExpireSupplement,
    ProvideSupplement,
    RequestSupplement,
    SupplementExpired,
    SupplementProvided,
    SupplementRequested,
)
from domain.complaint.timing import Cause, ClockPaused, ClockResumed, DeadlineRecomputed, ResumeClock
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import (
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    Superseded,
    TooEarly,
    Unknown,
)
from domain.rulebook import PolicyAdopted
from tests.controls import ACCEPTED, REGISTERED, case, upto
from tests.domain.test_complaint_timing import with_rules
from tests.hall import (
    BASIS,
    CITIZEN,
    COUNTER,
    DESK,
    FENG,
    HALL,
    HANDLER,
    HEAD,
    LI,
    MEASURED,
    STRANGER,
    ZHENG,
    key,
    local,
    sealed,
    until,
)

SUPPLEMENT = key("supplement")
ITEMS = (sealed("item-1"), sealed("item-2"))
# Registered on Friday 13 February, to be accepted on Saturday 14 February, which is worked. Ten working days after
# that: 24 to 28 February and 2 to 6 March; the desk works again on Monday 9 March.
ASKED_AT = local("02-14", "10:00")
TOLD = until("03-06")
REQUESTED = SupplementRequested(at=ASKED_AT, by=DESK, supplement=SUPPLEMENT, items=ITEMS, due=TOLD, basis=BASIS)
STANDING = ClockPaused(
    at=ASKED_AT, by=DESK, pause=SUPPLEMENT, reason="awaiting_complainant_material", evidence=(), explanation=None,
    until=until("03-09", "00:00"), basis=BASIS,
)  # fmt: skip
ABOUT_ZHENG = replace(REGISTERED, respondent=Respondent(staff=ZHENG))
WAITING = (REGISTERED, REQUESTED, STANDING)


def ask(at: datetime = ASKED_AT, by: Actor = DESK) -> RequestSupplement:
    """The desk says what is missing."""
    return RequestSupplement(at=at, by=by, supplement=SUPPLEMENT, items=ITEMS)


def bring(at: datetime, by: Actor = CITIZEN) -> ProvideSupplement:
    """The complainant brings it."""
    return ProvideSupplement(at=at, by=by, supplement=SUPPLEMENT, content=sealed("content"), content_measured=MEASURED)


def expire(at: datetime, by: Actor = THE_SYSTEM) -> ExpireSupplement:
    """A timer notes that nothing came."""
    return ExpireSupplement(at=at, by=by, supplement=SUPPLEMENT)


def provided(at: datetime, by: Actor = CITIZEN) -> SupplementProvided:
    """It was brought."""
    return SupplementProvided(at=at, by=by, supplement=SUPPLEMENT, content=sealed("content"), content_measured=MEASURED)


def test_the_clock_stands_while_the_complainant_looks_for_what_is_missing() -> None:
    """Everything is named at once, without anybody's approval; there are ten working days."""
    case(*upto(REGISTERED)).when(ask()).then([REQUESTED, STANDING])
    there = case(*WAITING).state
    assert there is not None
    assert (there.step, there.paused) == (Step.AWAITING_SUPPLEMENT, True)
    assert LI not in there.approvers


@pytest.mark.parametrize("by", [CITIZEN, COUNTER, DESK])
def test_what_was_brought_lets_the_clock_run_on(by: Actor) -> None:
    """24 and 25 February stood, so the day left after Friday 13 February is the 25th itself."""
    at = local("02-25")
    resumed = ClockResumed(at=at, by=by, pause=SUPPLEMENT, ended_at=at, excluded_days=2)
    longer = DeadlineRecomputed(
        at=at, by=by, clock=Clock.ACCEPT, old=until("02-14"), new=until("02-25"), cause=Cause.RESUMED,
        reference=SUPPLEMENT, basis=BASIS,
    )  # fmt: skip
    given = case(*WAITING)
    given.when(bring(at, by)).then([provided(at, by), resumed, longer])
    there = case(*WAITING, provided(at, by), resumed, longer).state
    assert there is not None
    assert (there.step, there.paused, there.due(Clock.ACCEPT)) == (Step.REGISTERED, False, until("02-25"))


def test_silence_is_noted_when_the_desk_works_again_and_has_that_day_to_decide() -> None:
    """Told was Friday 6 March; until Monday the complainant may still bring it, then a timer notes the silence."""
    given = case(*WAITING)
    assert len(given.when(bring(local("03-08"))).events) == 3
    for early in (local("03-07"), local("03-09", "00:00")):
        given.when(expire(early)).then_refused(TooEarly, until=until("03-09", "00:00"))
    at = local("03-09", "00:01")
    resumed = ClockResumed(at=at, by=THE_SYSTEM, pause=SUPPLEMENT, ended_at=local("03-09", "00:00"), excluded_days=11)
    longer = DeadlineRecomputed(
        at=at, by=THE_SYSTEM, clock=Clock.ACCEPT, old=until("02-14"), new=until("03-09"), cause=Cause.RESUMED,
        reference=SUPPLEMENT, basis=BASIS,
    )  # fmt: skip
    noted = SupplementExpired(at=at, by=THE_SYSTEM, supplement=SUPPLEMENT)
    given.when(expire(at)).then([noted, resumed, longer])
    # Silence is no withdrawal: the desk accepts on what there is, in time.
    accept = Accept(
        at=local("03-09", "17:00"), by=DESK, category=None, severity=Severity.ORDINARY, complexity=Complexity.SIMPLE,
        handling_class=HandlingClass.FORWARD,
    )  # fmt: skip
    assert case(*WAITING, noted, resumed, longer).when(accept).event.late is False


def test_asking_too_late_stops_no_clock() -> None:
    """The decision was due on the 14th: on the 24th the complainant is asked all the same, and late stays late."""
    at = local("02-24")
    asked = replace(REQUESTED, at=at, due=until("03-09"))
    case(*upto(REGISTERED)).when(ask(at)).then([asked])
    given = case(REGISTERED, asked)
    brought = local("02-25")
    given.when(bring(brought)).then([provided(brought)])
    given.when(expire(local("03-09"))).then_refused(TooEarly, until=until("03-09"))
    noted = local("03-10", "00:00")
    given.when(expire(noted)).then([SupplementExpired(at=noted, by=THE_SYSTEM, supplement=SUPPLEMENT)])


def test_without_a_rule_nothing_expires() -> None:
    """A policy without the limit gives the complainant all the time there is."""
    policy = replace(HALL, version=2, terms=tuple(t for t in HALL.terms if t.key != "complaint.supplement"))
    adopted = PolicyAdopted(
        at=local("02-13", "19:00"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-13", "19:00")
    )
    facts = with_rules(adopted)
    requested, standing = case(*upto(REGISTERED), facts=facts).when(ask()).events
    assert isinstance(requested, SupplementRequested)
    assert isinstance(standing, ClockPaused)
    assert (requested.due, standing.until) == (None, None)
    case(REGISTERED, requested, standing, facts=facts).when(expire(local("06-01"))).then_refused(TooEarly)


def test_a_complainant_is_asked_only_once() -> None:
    """一次性告知: after the answer, and after the silence, nothing more is asked for."""
    for after in (provided(local("02-25")), SupplementExpired(at=local("03-09"), by=THE_SYSTEM, supplement=SUPPLEMENT)):
        case(*WAITING, after).when(ask(local("03-09", "10:00"))).then_refused(OnceOnly, supplement=SUPPLEMENT)


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        (upto(REGISTERED), ask(by=COUNTER), NotYourRole),
        (upto(ACCEPTED), ask(local("02-14", "11:00")), OutOfTurn),
        (WAITING, ask(local("02-24")), OutOfTurn),
        ((replace(REGISTERED, respondent=Respondent(staff=LI)),), ask(), OwnCause),
        ((replace(REGISTERED, complainant=LI),), ask(), OwnComplaint),
        (WAITING, bring(local("02-24"), HANDLER), NotYourRole),
        (WAITING, bring(local("02-24"), Actor(person=STRANGER, role=Role.CITIZEN)), Unknown),
        (WAITING, bring(local("02-24"), Actor(person=FENG, role=Role.CITIZEN)), Unknown),
        (WAITING, replace(bring(local("02-24")), supplement=key("other")), Superseded),
        ((ABOUT_ZHENG, *WAITING[1:]), bring(local("02-24"), COUNTER), OwnCause),
        ((replace(REGISTERED, complainant=ZHENG), *WAITING[1:]), bring(local("02-24"), COUNTER), OwnComplaint),
        (upto(REGISTERED), bring(local("02-14")), OutOfTurn),
        (WAITING, expire(local("03-10"), DESK), NotYourRole),
        (WAITING, replace(expire(local("03-10")), supplement=key("other")), Superseded),
        (upto(REGISTERED), expire(local("03-10")), OutOfTurn),
        (WAITING, ResumeClock(at=local("02-24"), by=HEAD, pause=SUPPLEMENT), OutOfTurn),
    ],
)  # fmt: skip
def test_who_asks_who_answers_and_who_notes_the_silence(
    history: tuple[Event, ...],
    command: RequestSupplement | ProvideSupplement | ExpireSupplement,
    refusal: type[Exception],
) -> None:
    """The desk asks, the complainant answers or has it written down, a timer notes; nobody else, and no party."""
    case(*history).when(command).then_refused(refusal)  # type: ignore[arg-type]  # every one is a refusal


def test_where_nothing_was_asked_nothing_is_awaited() -> None:
    """There is no silence without a question."""
    there = case(*upto(REGISTERED)).state
    assert there is not None
    assert silent_after(there) is None
