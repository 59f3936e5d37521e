"""Reminders and orders of supervision: when rules ask for them, who issues, answers and lifts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Case, Event, Registered, ReworkOrdered
from domain.complaint.escalation import FORWARDED, GRAVE, REWORKED, due_now, orders, promise, reminder
from domain.complaint.state import Clock, IdentityMode, Step, Stop, started
from domain.complaint.supervision import (
    AnswerSupervision,
    IssueSupervision,
    LiftSupervision,
    Remind,
    Reminded,
    SupervisionAnswered,
    SupervisionIssued,
    SupervisionLifted,
    supervision_no,
)
from domain.deadlines import Unit
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    AlreadyThere,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnAnswerLifted,
    OwnCause,
    OwnComplaint,
    Superseded,
    UnknownReference,
)
from domain.escalation import L1, L2
from domain.rulebook import Category, Level, Policy, When
from tests.controls import (
    ACCEPTED,
    ASSIGNED,
    ATTEMPTED,
    CLOSED,
    REGISTERED,
    REPLIED,
    REPLY,
    REVISITED,
    SIGNED,
    SUBMITTED,
    case,
    upto,
)
from tests.hall import (
    BASIS,
    DESK,
    FACTS,
    HALL,
    HANDLER,
    HEAD,
    JIANG,
    LEDGER,
    MEASURED,
    NUMBER,
    QIAN,
    SUN,
    SUPERVISOR,
    WEI,
    WU,
    actor,
    key,
    later,
    local,
    sealed,
    until,
)

TICK: Final = timedelta(microseconds=1)
PROMISED: Final = until("02-28")
OVERDUE: Final = PROMISED.at + TICK
REMIND: Final = Remind(at=local("02-27", "08:30"), by=THE_SYSTEM, clock=Clock.HANDLE)
REMINDED: Final = Reminded(at=REMIND.at, by=THE_SYSTEM, clock=Clock.HANDLE, about=PROMISED)
ORDER: Final = key("supervision")
ISSUE: Final = IssueSupervision(at=OVERDUE, by=THE_SYSTEM, supervision=ORDER, rule_no=L1, level=1, content=None)
ISSUED: Final = SupervisionIssued(
    at=OVERDUE,
    by=THE_SYSTEM,
    supervision=ORDER,
    supervision_no="DB-GXQ-20260213-00001-2-1",
    rule_no=L1,
    level=1,
    clock=Clock.HANDLE,
    about=PROMISED,
    content=None,
    due=until("03-03"),  # two working days after Sunday 1 March
    basis=BASIS,
)
ANSWER: Final = AnswerSupervision(
    at=local("03-02"), by=HANDLER, supervision=ORDER, answer=sealed("answer"), answer_measured=MEASURED
)
ANSWERED: Final = SupervisionAnswered(
    at=ANSWER.at, by=HANDLER, supervision=ORDER, answer=sealed("answer"), answer_measured=MEASURED, late=False
)
LIFT: Final = LiftSupervision(at=local("03-04"), by=SUPERVISOR, supervision=ORDER, reason=sealed("reason"))
LIFTED: Final = SupervisionLifted(at=LIFT.at, by=SUPERVISOR, supervision=ORDER, reason=sealed("reason"))
HANDLED: Final = upto(SIGNED)
BY_HAND: Final = replace(ISSUE, by=SUPERVISOR, rule_no="overdue", level=2, content=sealed("content"))


def there(*history: Event) -> Case:
    """Give the case after a history."""
    found = COMPLAINT.fold(history)
    assert found is not None
    return found


# When


def test_a_reminder_comes_a_working_day_before_the_end() -> None:
    """At the opening of the office on the day before; 28 February 2026 is a Saturday that is worked."""
    assert reminder(there(*HANDLED), HALL, FACTS) == (Clock.HANDLE, PROMISED, local("02-27", "08:30"))


def test_a_short_limit_is_reminded_of_on_its_last_day() -> None:
    """One working day leaves no day before it."""
    assert reminder(there(REGISTERED), HALL, FACTS) == (Clock.ACCEPT, until("02-14"), local("02-14", "08:30"))


def test_a_limit_of_the_same_day_is_reminded_of_when_it_is_over() -> None:
    """So that the second level, which asks for a reminder, can follow all the same."""
    short = until("02-13", "20:00")
    of_hours = there(replace(REGISTERED, accept_due=short))
    assert reminder(of_hours, HALL, FACTS) == (Clock.ACCEPT, short, short.at)


def test_a_reminder_never_comes_after_the_limit() -> None:
    """A limit that ends before the office opens is reminded of at its end."""
    early = until("02-14", "07:00")
    assert reminder(there(replace(REGISTERED, accept_due=early)), HALL, FACTS) == (Clock.ACCEPT, early, early.at)


def test_natural_days_are_counted_as_the_policy_says() -> None:
    """Three natural days before 28 February."""
    assert HALL.escalation is not None
    level = Level(amount=3, unit=Unit.NATURAL_DAY, when=When.BEFORE_DUE, reminders=0, source="D")
    policy = replace(HALL, escalation=replace(HALL.escalation, remind=level))
    assert reminder(there(*HANDLED), policy, FACTS) == (Clock.HANDLE, PROMISED, local("02-25", "08:30"))


@pytest.mark.parametrize("policy", [replace(HALL, escalation=None), replace(HALL, timers=False), LEDGER])
def test_without_escalation_nothing_is_asked_for(policy: Policy) -> None:
    """A ledger measures the past; nobody is reminded of it."""
    assert reminder(there(*HANDLED), policy, FACTS) is None
    assert orders(there(*HANDLED), policy, FACTS) == ()


def test_each_step_has_the_limit_by_which_the_complainant_waits() -> None:
    """First the decision to accept, then the answer, then the revisit; then nothing."""
    waited = [
        promise(there(*history), HALL)
        for history in (
            upto(REGISTERED),
            upto(ACCEPTED),
            upto(ASSIGNED),
            HANDLED,
            upto(SUBMITTED),
            upto(REPLIED),
            upto(REVISITED),
            upto(CLOSED),
        )
    ]
    assert waited == [
        (Clock.ACCEPT, until("02-14")),
        *[(Clock.HANDLE, PROMISED)] * 4,
        (Clock.REVISIT, until("03-05")),
        None,
        None,
    ]


def test_who_was_tried_often_enough_is_no_longer_waited_for() -> None:
    """Three attempts on two days; of somebody without a name one attempt, as for closing."""
    attempts = [replace(ATTEMPTED, at=local(day), day=local(day).date()) for day in ("03-02", "03-02", "03-03")]
    assert promise(there(*upto(REPLIED), *attempts[:2]), HALL) is not None
    assert promise(there(*upto(REPLIED), *attempts), HALL) is None
    nameless = replace(REGISTERED, identity_mode=IdentityMode.ANONYMOUS)
    assert promise(there(nameless, *upto(REPLIED)[1:]), HALL) is not None
    assert promise(there(nameless, *upto(REPLIED)[1:], attempts[0]), HALL) is None


def test_a_clock_that_stands_still_asks_for_nothing() -> None:
    """What it will come to is known when it runs on."""
    stop = Stop(pause=key("pause"), reason="force_majeure", start=local("02-25"), until=until("03-11"))
    paused = replace(there(*HANDLED), stops=(stop,))
    assert promise(paused, HALL) is None
    assert reminder(paused, HALL, FACTS) is None
    assert orders(paused, HALL, FACTS) == ()


def test_a_limit_nobody_knows_asks_for_nothing() -> None:
    """Without a calendar, for example."""
    assert reminder(there(replace(REGISTERED, accept_due=None)), HALL, FACTS) is None
    assert orders(there(replace(REGISTERED, accept_due=None)), HALL, FACTS) == ()


def test_the_levels_follow_each_other() -> None:
    """The first when the day is over; the second five working days later, and only after a reminder."""
    first = orders(there(*HANDLED), HALL, FACTS)
    assert [(one.rule, one.level, one.clock, one.about, one.since) for one in first] == [
        (L1, 1, Clock.HANDLE, PROMISED, PROMISED.at)
    ]
    both = orders(there(*HANDLED, REMINDED), HALL, FACTS)
    assert [(one.rule, one.level, one.since) for one in both] == [
        (L1, 1, PROMISED.at),
        (L2, 2, until("03-06").at),  # 2, 3, 4, 5, 6 March
    ]
    assert [one.rule for one in orders(there(*HANDLED, REMINDED, ISSUED), HALL, FACTS)] == [L2]


def test_a_new_limit_has_levels_of_its_own() -> None:
    """What was ordered about the old one stays ordered, and the new one is another."""
    moved = started(there(*HANDLED, REMINDED, ISSUED), OVERDUE, handle=("complaint.handle.simple", until("03-10")))
    assert [one.about for one in orders(moved, HALL, FACTS)] == [until("03-10")]
    assert reminder(moved, HALL, FACTS) is not None


def test_a_new_round_is_ordered_anew() -> None:
    """Each round has its own promise (domain.md §4.3)."""
    assert orders(replace(there(*HANDLED, ISSUED), round=2), HALL, FACTS) != ()


def sent_back(times: int) -> tuple[Event, ...]:
    """Give a case whose reply was sent back so often."""
    rework = ReworkOrdered(at=local("02-26", "15:00"), by=HEAD, reply=REPLY, reason=sealed("reason"), rework_no=1)
    again = [
        one
        for number in range(1, times + 1)
        for one in (replace(SUBMITTED, reply=key(f"reply {number}")), replace(rework, rework_no=number))
    ]
    return (*upto(SUBMITTED)[:-1], *again)


def test_a_case_that_is_sent_back_again_and_again_goes_to_the_top() -> None:
    """Three times, and only while it is not answered."""
    assert REWORKED not in {one.rule for one in orders(there(*sent_back(2)), HALL, FACTS)}
    (order,) = [one for one in orders(there(*sent_back(3)), HALL, FACTS) if one.level == 3]
    assert (order.rule, order.clock, order.about) == (REWORKED, None, None)
    answered = replace(there(*sent_back(3)), step=Step.REPLIED)
    assert REWORKED not in {one.rule for one in orders(answered, HALL, FACTS)}


def test_a_case_nobody_leads_goes_to_the_top() -> None:
    """Sent on three times, and at the desk again."""
    lost = replace(there(*upto(ACCEPTED)), forwards=3)
    assert FORWARDED in {one.rule for one in orders(lost, HALL, FACTS)}
    assert FORWARDED not in {one.rule for one in orders(replace(lost, forwards=2), HALL, FACTS)}
    assert FORWARDED not in {one.rule for one in orders(replace(there(*HANDLED), forwards=3), HALL, FACTS)}


@pytest.mark.parametrize("category", ["RETALIATION", "THREATS"])
def test_retaliation_goes_to_the_top_at_once(category: str) -> None:
    """With its kinds, whichever list of categories is adopted; the policy names it."""
    known = {
        "RETALIATION": Category(code="RETALIATION", name_zh="打击报复", name_en="Retaliation"),
        "THREATS": Category(code="THREATS", parent="RETALIATION", name_zh="威胁", name_en="Threats"),
    }
    facts = replace(FACTS, rulebook=replace(FACTS.rulebook, categories=MappingProxyType(known)))
    grave = replace(REGISTERED, category=category)
    assert GRAVE in {one.rule for one in orders(there(grave), HALL, facts)}
    assert GRAVE not in {one.rule for one in orders(there(REGISTERED), HALL, facts)}
    command = replace(ISSUE, at=later(REGISTERED.at, minutes=1), rule_no=GRAVE, level=3)
    event = case(grave, facts=facts).when(command).event
    assert (event.level, event.clock, event.about) == (3, None, None)
    case(grave, event, facts=facts).when(replace(command, supervision=key("again"))).then_nothing()


def test_a_case_that_has_ended_is_escalated_no_more() -> None:
    """Whatever stood against it."""
    lost = replace(there(*upto(CLOSED)), forwards=3, reworks=9, category="RETALIATION")
    assert orders(lost, HALL, FACTS) == ()


# The commands


def test_a_timer_reminds_once_and_not_too_early() -> None:
    """The docket proposes, the rules dispose."""
    case(*HANDLED).when(replace(REMIND, at=REMIND.at - TICK)).then_nothing()
    case(*HANDLED).when(REMIND).then([REMINDED])
    case(*HANDLED, REMINDED).when(replace(REMIND, at=local("02-28"))).then_nothing()
    case(*HANDLED).when(replace(REMIND, clock=Clock.SIGN)).then_nothing()
    case(*upto(REVISITED)).when(replace(REMIND, at=local("03-05"), clock=Clock.REVISIT)).then_nothing()


def test_a_supervisor_reminds_whenever_it_is_wanted() -> None:
    """But of each limit once."""
    early = Remind(at=local("02-25"), by=SUPERVISOR, clock=Clock.HANDLE)
    event = case(*HANDLED).when(early).event
    assert event == replace(REMINDED, at=early.at, by=SUPERVISOR)
    case(*HANDLED, event).when(replace(early, at=local("02-26"))).then_nothing()
    case(*HANDLED).when(replace(early, clock=Clock.REVIEW)).then_refused(UnknownReference, kind="clock")


def test_an_order_is_issued_when_the_day_is_over() -> None:
    """Not a moment earlier, and once; with its number, and a limit for the answer."""
    case(*HANDLED).when(replace(ISSUE, at=PROMISED.at)).then_nothing()
    case(*HANDLED).when(ISSUE).then([ISSUED])
    case(*HANDLED, ISSUED).when(replace(ISSUE, supervision=key("again"))).then_nothing()
    case(*HANDLED).when(replace(ISSUE, level=3)).then_nothing()
    case(*HANDLED).when(replace(ISSUE, rule_no="overdue")).then_nothing()


def test_the_second_level_waits_for_its_reminder() -> None:
    """And for five working days."""
    second = replace(ISSUE, at=local("03-07", "00:00"), supervision=key("second"), rule_no=L2, level=2)
    case(*HANDLED).when(second).then_nothing()
    case(*HANDLED, REMINDED).when(replace(second, at=until("03-06").at)).then_nothing()
    event = case(*HANDLED, REMINDED, ISSUED).when(second).event
    assert (event.level, event.supervision_no, event.about) == (2, "DB-GXQ-20260213-00001-2-2", PROMISED)


def test_an_unknown_day_makes_nobody_late() -> None:
    """A provisional limit, or days of an unpublished year on the way, ask for no order (domain.md F5)."""
    unsure = until("02-28", provisional=True)
    provisional = started(there(*HANDLED), local("02-28"), handle=("complaint.handle.simple", unsure))
    (order,) = orders(provisional, HALL, FACTS)
    assert not due_now(order, provisional, OVERDUE, FACTS)
    december = until("12-29")
    late = started(there(*HANDLED, REMINDED), local("02-28"), handle=("complaint.handle.simple", december))
    late = replace(late, reminded=frozenset({(Clock.HANDLE, december.at)}))
    first, second = orders(late, HALL, FACTS)
    at = december.at + timedelta(days=20)
    assert due_now(first, late, at, FACTS)
    assert not due_now(second, late, at, FACTS)


def test_a_supervisor_orders_for_a_reason_of_the_list() -> None:
    """Whenever they see fit, at a level there is."""
    event = case(*HANDLED).when(BY_HAND).event
    assert (event.rule_no, event.level, event.clock, event.about) == ("overdue", 2, None, None)
    assert event.content == sealed("content")
    case(*HANDLED).when(replace(BY_HAND, rule_no="whim")).then_refused(UnknownReference, kind="supervision_rule")
    for level in (0, 4):
        case(*HANDLED).when(replace(BY_HAND, level=level)).then_refused(UnknownReference, kind="level")
    case(*HANDLED, event).when(BY_HAND).then_refused(AlreadyThere)


def test_the_number_of_an_order_fits_whatever_the_hall_is_called() -> None:
    """A hall has up to 40 characters, a code 64."""
    longest = "TS-" + "H" * 40 + "-20260213-00001-2"
    assert len(supervision_no(longest, 999)) <= 64
    assert supervision_no(NUMBER, 7) == "DB-GXQ-20260213-00001-2-7"


@pytest.mark.parametrize("by", [HANDLER, HEAD])
def test_the_unit_answers(by: Actor) -> None:
    """Who handles the case, or the head."""
    case(*HANDLED, ISSUED).when(replace(ANSWER, by=by)).then([replace(ANSWERED, by=by)])
    late = replace(ANSWER, at=local("03-04"))
    assert case(*HANDLED, ISSUED).when(late).event.late is True


def test_nobody_answers_for_another_unit() -> None:
    """Nor a colleague who does not handle it, nor the desk while a unit has it."""
    for by in (actor(JIANG, "tax-head"), actor(QIAN, "approval-handler"), DESK):
        case(*HANDLED, ISSUED).when(replace(ANSWER, by=by)).then_refused(NotYourCase)
    case(*HANDLED, ISSUED).when(replace(ANSWER, by=SUPERVISOR)).then_refused(NotYourRole)


def test_the_desk_answers_where_no_unit_has_it() -> None:
    """Before it is assigned, and after the answer went out."""
    about_desk = replace(ISSUED, at=local("02-15"), clock=Clock.ACCEPT, about=until("02-14"))
    answer = replace(ANSWER, by=DESK, at=local("02-15", "10:00"))
    assert case(REGISTERED, about_desk).when(answer).event.by == DESK
    after = replace(ISSUED, at=local("03-06"), due=until("03-10"))
    assert case(*upto(REPLIED), after).when(replace(answer, at=local("03-06", "10:00"))).event.by == DESK


def test_an_order_is_answered_once_and_lifted_once() -> None:
    """And not answered after it was lifted."""
    case(*HANDLED, ISSUED, ANSWERED).when(ANSWER).then_refused(Superseded)
    case(*HANDLED, ISSUED).when(LIFT).then([LIFTED])
    case(*HANDLED, ISSUED, LIFTED).when(LIFT).then_refused(Superseded)
    case(*HANDLED, ISSUED, LIFTED).when(ANSWER).then_refused(Superseded)
    case(*HANDLED).when(ANSWER).then_refused(Superseded)


def test_nobody_lifts_what_they_answered_or_worked_on() -> None:
    """WEI holds every post."""
    answered = replace(ANSWERED, by=actor(WEI, "approval-head"))
    lift = replace(LIFT, by=actor(WEI, "supervisor"))
    case(*HANDLED, ISSUED, answered).when(lift).then_refused(OwnAnswerLifted)
    case(*HANDLED, ISSUED, answered).when(LIFT).then([LIFTED])
    signed = replace(SIGNED, by=actor(WU, "approval-handler"))
    mine = replace(LIFT, by=actor(WU, "supervisor"))
    case(*upto(ASSIGNED), signed, ISSUED).when(mine).then_refused(OwnAnswerLifted)


def test_who_is_concerned_supervises_nothing() -> None:
    """Neither reminds nor orders, answers or lifts."""
    named = replace(REGISTERED, respondent=replace(REGISTERED.respondent, staff=SUN))
    for command in (Remind(at=local("02-25"), by=SUPERVISOR, clock=Clock.HANDLE), BY_HAND, LIFT):
        case(named, *HANDLED[1:], ISSUED).when(command).then_refused(OwnCause)
    case(replace(REGISTERED, complainant=HANDLER.person), *HANDLED[1:], ISSUED).when(ANSWER).then_refused(OwnComplaint)


def test_an_order_outlives_the_case_and_none_is_issued_after_it() -> None:
    """It is answered and lifted though the case was closed meanwhile."""
    closed = (*upto(CLOSED), replace(ISSUED, at=local("03-06")))
    case(*closed).when(replace(ANSWER, by=DESK, at=local("03-06"))).then(
        [replace(ANSWERED, by=DESK, at=local("03-06"), late=True)]
    )
    case(*closed).when(replace(LIFT, at=local("03-06"))).then([replace(LIFTED, at=local("03-06"))])
    case(*upto(CLOSED)).when(BY_HAND).then_refused(OutOfTurn)
    case(*upto(CLOSED)).when(REMIND).then_refused(OutOfTurn)


def test_histories_load_whatever_they_hold() -> None:
    """An answer to an order nobody issued; a reminder of a limit nobody knew; a category of no list."""
    state: Case = there(*HANDLED, ANSWERED, LIFTED)
    assert state.supervisions[ORDER].lifted
    assert there(*HANDLED, replace(REMINDED, about=None)).reminded == frozenset()
    unheard_of: Registered = replace(REGISTERED, category="UNHEARD-OF")
    assert orders(there(unheard_of), HALL, FACTS) != ()
    kept = there(*HANDLED, replace(ISSUED, about=None, clock=None))
    assert kept.supervisions[ORDER].about is None
