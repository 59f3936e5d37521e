"""A late review is reminded of and ordered about, orders are answered and lifted, and limits follow a new calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from domain.deadlines import Calendar, CalendarDay, CalendarYear, DayKind, Due, Layer
from domain.decider import THE_SYSTEM, Actor, PersonKey
from domain.errors import AlreadyThere, NotYourCase, NotYourRole, OwnAnswerLifted, Superseded, UnknownReference
from domain.handling import Facts
from domain.review import ReviewEvent
from domain.review.state import Clock, in_hand
from domain.review.watching import (
    AnswerSupervision,
    DeadlineRecomputed,
    IssueSupervision,
    LiftSupervision,
    RecomputeDeadlines,
    Remind,
    Reminded,
    SupervisionAnswered,
    SupervisionIssued,
    SupervisionLifted,
    supervision_no,
)
from domain.rulebook import RULEBOOK, CalendarAdopted, PolicyAdopted
from tests.bad_reviews import (
    APPEALED,
    CHECKED,
    CLOSED,
    COMPLEX,
    CONTACTED,
    DISPATCHER,
    EVIDENCED,
    EXCLUDED,
    FACTS,
    FIRST,
    HALL_VERIFIER,
    HEAD,
    JIN,
    KONG,
    OBJECTED,
    OWED,
    RECTIFIED,
    REPLIED,
    REVISITOR,
    SUPERVISOR,
    TAO,
    UNIT,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    VERIFIER,
    acting,
    bad,
    contested,
    holding,
    there,
    upto,
)
from tests.hall import CHU, HALL, MEASURED, SUN, WU, key, later, local, sealed, until
from tests.visits import BADLY, BASIS, RATING, SUBMITTED, WORK_ORDER

ORDER: Final = key("order")
# The contact is due on the 24th, the first working day after the order: reminded of on its own last day.
REMIND: Final = Remind(at=local("02-24", "08:30"), by=THE_SYSTEM, clock=Clock.CONTACT)
REMINDED: Final = Reminded(at=REMIND.at, by=THE_SYSTEM, clock=Clock.CONTACT, about=until("02-24"))
L1: Final = IssueSupervision(
    at=later(until("02-24").at, microseconds=1), by=THE_SYSTEM, supervision=ORDER, rule_no="escalate.l1", level=1,
    clock=Clock.CONTACT, content=None,
)  # fmt: skip
ISSUED: Final = SupervisionIssued(
    at=L1.at, by=THE_SYSTEM, supervision=ORDER, supervision_no=supervision_no(RATING, 1), rule_no="escalate.l1",
    level=1, clock=Clock.CONTACT, about=until("02-24"), content=None, due=until("02-27"), basis=BASIS,
)  # fmt: skip
# Five working days after the 24th: 25, 26, 27, 28 February, 2 March.
L2: Final = replace(L1, at=later(until("03-02").at, microseconds=1), rule_no="escalate.l2", level=2)
OWN: Final = IssueSupervision(
    at=local("02-25"), by=SUPERVISOR, supervision=ORDER, rule_no="inspection", level=2, clock=None,
    content=sealed("content"),
)  # fmt: skip
OWN_ISSUED: Final = SupervisionIssued(
    at=OWN.at, by=SUPERVISOR, supervision=ORDER, supervision_no=supervision_no(RATING, 1), rule_no="inspection",
    level=2, clock=None, about=None, content=sealed("content"), due=until("02-27"), basis=BASIS,
)  # fmt: skip
ANSWER: Final = AnswerSupervision(
    at=local("02-26"), by=UNIT, supervision=ORDER, answer=sealed("answer"), answer_measured=MEASURED
)
ANSWERED: Final = SupervisionAnswered(
    at=ANSWER.at, by=UNIT, supervision=ORDER, answer=sealed("answer"), answer_measured=MEASURED, late=False
)
LIFT: Final = LiftSupervision(at=local("02-27"), by=SUPERVISOR, supervision=ORDER, reason=None)
LIFTED: Final = SupervisionLifted(at=LIFT.at, by=SUPERVISOR, supervision=ORDER, reason=None)
ORDERED: Final[tuple[ReviewEvent, ...]] = (*upto(WORK_ORDER), OWN_ISSUED)


# What waits.


@pytest.mark.parametrize(
    ("history", "clocks"),
    [
        ((SUBMITTED,), ()),
        (upto(WORK_ORDER), (Clock.CONTACT, Clock.VERIFY)),
        ((UNNAMED, UNNAMED_ORDER), (Clock.VERIFY,)),
        (upto(CONTACTED), (Clock.VERIFY,)),
        (upto(VERIFIED), (Clock.RECTIFY,)),
        ((*upto(EVIDENCED), COMPLEX), (Clock.RECTIFY,)),
        (upto(RECTIFIED), (Clock.REPLY, Clock.REVISIT)),
        (upto(REPLIED), (Clock.REVISIT,)),
        (upto(CLOSED), ()),
        ((BADLY, WORK_ORDER, APPEALED), (Clock.CONTACT, Clock.APPEAL)),
        (contested(APPEALED), (Clock.APPEAL,)),
        ((BADLY, WORK_ORDER, VERIFIED, APPEALED), (Clock.APPEAL,)),
        (contested(EXCLUDED), (Clock.TELL,)),
        ((*contested(EXCLUDED), OBJECTED), (Clock.TELL, Clock.OBJECTION)),
        (contested(OBJECTED), (Clock.OBJECTION,)),
        ((*upto(CLOSED), OWED), (Clock.CHECK,)),
        ((*upto(CLOSED), OWED, CHECKED), ()),
    ],
)
def test_somebody_keeps_the_limits_of_where_it_stands(
    history: tuple[ReviewEvent, ...], clocks: tuple[Clock, ...]
) -> None:
    """No other one is reminded of, ordered about or moved."""
    assert in_hand(there(*history)) == clocks


# Reminders.


def test_a_limit_is_reminded_of_once_and_in_time() -> None:
    """By the machine from the opening of its last day on; twice, or too early, it changes nothing."""
    bad(*upto(WORK_ORDER)).when(REMIND).then([REMINDED])
    bad(*upto(WORK_ORDER)).when(replace(REMIND, at=later(REMIND.at, microseconds=-1))).then_nothing()
    bad(*upto(WORK_ORDER), REMINDED).when(REMIND).then_nothing()
    verify = bad(*upto(WORK_ORDER), REMINDED).when(replace(REMIND, at=local("02-25", "08:30"), clock=Clock.VERIFY))
    assert verify.event.about == until("02-26")


def test_a_supervisor_reminds_when_they_like() -> None:
    """Once for each limit too; of a limit that runs."""
    early = replace(REMIND, at=local("02-14", "10:00"), by=SUPERVISOR)
    assert bad(*upto(WORK_ORDER)).when(early).event == replace(REMINDED, at=early.at, by=SUPERVISOR)
    bad(*upto(WORK_ORDER), REMINDED).when(early).then_nothing()
    bad(*upto(WORK_ORDER)).when(replace(early, clock=Clock.REPLY)).then_refused(UnknownReference, value=Clock.REPLY)
    # What was met already is nothing to remind of.
    bad(*upto(CONTACTED)).when(replace(early, at=local("02-25"))).then_nothing()
    for by in (HEAD, UNIT, VERIFIER, DISPATCHER):
        bad(*upto(WORK_ORDER)).when(replace(early, by=by)).then_refused(NotYourRole)


def test_another_limit_is_another_reminder() -> None:
    """The same clock, set anew, is reminded of anew."""
    again = replace(WORK_ORDER, contact_due=until("02-25"))
    history = (BADLY, WORK_ORDER, REMINDED, again)
    assert bad(*history).when(replace(REMIND, at=local("02-25", "08:30"))).event.about == until("02-25")


def test_a_reminder_of_nothing_still_loads() -> None:
    """What is read never refuses."""
    assert there(*upto(WORK_ORDER), replace(REMINDED, about=None)) == there(*upto(WORK_ORDER))


# Orders of the machine.


def test_what_is_missed_is_ordered_about() -> None:
    """As soon as the last instant is over, once; not for a limit that was kept."""
    bad(*upto(WORK_ORDER)).when(L1).then([ISSUED])
    bad(*upto(WORK_ORDER)).when(replace(L1, at=until("02-24").at)).then_nothing()
    bad(*upto(WORK_ORDER), ISSUED).when(replace(L1, supervision=key("second"))).then_nothing()
    bad(*upto(WORK_ORDER), ISSUED).when(L1).then_refused(AlreadyThere, supervision=ORDER)
    bad(*upto(CONTACTED)).when(L1).then_nothing()
    verify = replace(L1, at=later(until("02-26").at, microseconds=1), clock=Clock.VERIFY, supervision=key("second"))
    event = bad(*upto(WORK_ORDER), ISSUED).when(verify).event
    assert (event.about, event.supervision_no) == (until("02-26"), supervision_no(RATING, 2))


def test_the_second_level_comes_after_five_days_and_a_reminder() -> None:
    """For the same limit (fsou rule, P19)."""
    reminded = (*upto(WORK_ORDER), REMINDED)
    event = bad(*reminded).when(L2).event
    assert (event.level, event.rule_no, event.about) == (2, "escalate.l2", until("02-24"))
    bad(*reminded).when(replace(L2, at=until("03-02").at)).then_nothing()
    bad(*upto(WORK_ORDER)).when(L2).then_nothing()
    of_another = replace(REMINDED, clock=Clock.VERIFY, about=until("02-26"))
    bad(*upto(WORK_ORDER), of_another).when(L2).then_nothing()


def test_a_machine_orders_only_what_the_rules_ask_for() -> None:
    """Level, rule and limit belong together."""
    for wrong in (replace(L1, level=2), replace(L1, rule_no="inspection"), replace(L1, clock=Clock.REPLY)):
        bad(*upto(WORK_ORDER)).when(wrong).then_nothing()
    bad(*upto(WORK_ORDER)).when(replace(L1, clock=None)).then_nothing()


def test_a_check_that_is_late_is_ordered_about_after_the_end_of_all() -> None:
    """A review that was closed, or only counted, may have been drawn."""
    at = later(until("03-16").at, microseconds=1)
    for history in ((*upto(CLOSED), OWED), (SUBMITTED, OWED)):
        event = bad(*history).when(replace(L1, at=at, clock=Clock.CHECK)).event
        assert (event.clock, event.about) == (Clock.CHECK, until("03-16"))


def test_nobody_is_late_by_days_nobody_knows() -> None:
    """A provisional limit orders nothing (domain.md F5)."""
    unsure = (BADLY, replace(WORK_ORDER, contact_due=until("02-24", provisional=True)))
    bad(*unsure).when(L1).then_nothing()


@pytest.mark.parametrize("change", [{"timers": False}, {"escalation": None}])
def test_a_policy_may_leave_reviews_alone(change: dict[str, object]) -> None:
    """Without timers, or without levels, nothing comes by itself; a supervisor still orders."""
    policy = replace(HALL, version=2, **change)  # type: ignore[arg-type]
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-01"))
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    bad(*upto(WORK_ORDER), facts=facts).when(REMIND).then_nothing()
    bad(*upto(WORK_ORDER), facts=facts).when(L1).then_nothing()
    assert bad(*upto(WORK_ORDER), facts=facts).when(OWN).events


def test_a_level_may_ask_for_no_reminder() -> None:
    """As the policy says: then the second one comes by its days alone."""
    assert HALL.escalation is not None
    levels = replace(HALL.escalation, l2=replace(HALL.escalation.l2, reminders=0))
    policy = replace(HALL, version=2, escalation=levels)
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-01"))
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    assert bad(*upto(WORK_ORDER), facts=facts).when(L2).events


# Orders of a supervisor.


def test_a_supervisor_orders_for_a_listed_reason() -> None:
    """At any stage, of one of three levels; the limit to answer is two working days."""
    bad(*upto(WORK_ORDER)).when(OWN).then([OWN_ISSUED])
    bad(*upto(WORK_ORDER)).when(replace(OWN, clock=Clock.CONTACT)).then([OWN_ISSUED])
    for last in (WORK_ORDER, VERIFIED, CLOSED):
        for level in (1, 2, 3):
            assert bad(*upto(last)).when(replace(OWN, level=level)).event.level == level
    for level in (0, 4):
        bad(*upto(WORK_ORDER)).when(replace(OWN, level=level)).then_refused(UnknownReference, kind="level", value=level)
    bad(*upto(WORK_ORDER)).when(replace(OWN, rule_no="escalate.l1")).then_refused(
        UnknownReference, kind="supervision_rule"
    )
    bad(*ORDERED).when(OWN).then_refused(AlreadyThere, supervision=ORDER)
    for by in (HEAD, VERIFIER, DISPATCHER, FIRST):
        bad(*upto(WORK_ORDER)).when(replace(OWN, by=by)).then_refused(NotYourRole)


def test_an_order_has_a_number_of_its_own() -> None:
    """Of the review and how many there were."""
    assert supervision_no(RATING, 3) == f"DB-P{RATING.hex[:10].upper()}-3"
    assert supervision_no(None, 1) == "DB-P0000000000-1"


@pytest.mark.parametrize("by", [UNIT, HEAD, VERIFIER, HALL_VERIFIER, FIRST, REVISITOR, DISPATCHER])
def test_whoever_is_waited_for_answers_once(by: Actor) -> None:
    """In two working days: 26 and 27 February; nobody of another unit."""
    bad(*ORDERED).when(replace(ANSWER, by=by)).then([replace(ANSWERED, by=by)])
    last = until("02-27").at
    assert bad(*ORDERED).when(replace(ANSWER, by=by, at=last)).event.late is False
    assert bad(*ORDERED).when(replace(ANSWER, by=by, at=later(last, microseconds=1))).event.late is True
    bad(*ORDERED, ANSWERED).when(replace(ANSWER, by=by)).then_refused(Superseded, supervision=ORDER)


def test_nobody_answers_for_another_unit() -> None:
    """Nor an order that is not there, or was lifted."""
    for other in (acting(CHU, "tax-handler"), acting(JIN, "tax-verifier")):
        bad(*ORDERED).when(replace(ANSWER, by=other)).then_refused(NotYourCase)
    bad(*upto(WORK_ORDER)).when(ANSWER).then_refused(Superseded)
    bad(*ORDERED, LIFTED).when(ANSWER).then_refused(Superseded)
    for by in (SUPERVISOR, THE_SYSTEM):
        bad(*ORDERED).when(replace(ANSWER, by=by)).then_refused(NotYourRole)
    assert bad(*upto(CLOSED), OWN_ISSUED).when(ANSWER).events


def test_a_supervisor_lifts_what_somebody_else_answered() -> None:
    """Once, answered or not; only a supervisor."""
    for history in (ORDERED, (*ORDERED, ANSWERED)):
        bad(*history).when(LIFT).then([LIFTED])
    bad(*ORDERED, LIFTED).when(LIFT).then_refused(Superseded)
    bad(*upto(WORK_ORDER)).when(LIFT).then_refused(Superseded)
    for by in (HEAD, UNIT, DISPATCHER, THE_SYSTEM):
        bad(*ORDERED).when(replace(LIFT, by=by)).then_refused(NotYourRole)
    assert bad(*upto(CLOSED), OWN_ISSUED).when(LIFT).events


@pytest.mark.parametrize("who", [SUN, TAO, KONG])
def test_nobody_lifts_what_they_answered_or_worked_on(who: PersonKey) -> None:
    """SUN answered at the desk; TAO called for the hall and KONG for the unit."""
    answered = replace(ANSWERED, by=acting(SUN, "desk"))
    by_tao = replace(CONTACTED, by=acting(TAO, "hall-verifier"))
    history = (*ORDERED, by_tao, CONTACTED, answered)
    facts = holding(who, "supervisor")
    bad(*history, facts=facts).when(replace(LIFT, by=acting(who, "supervisor"))).then_refused(OwnAnswerLifted)
    assert bad(*history).when(replace(LIFT, by=acting(WU, "supervisor"))).events


def test_orders_that_nobody_issued_still_load() -> None:
    """What is read never refuses."""
    assert there(BADLY, LIFTED).orders[ORDER].lifted
    assert there(BADLY, ANSWERED).orders[ORDER].answered_by == {UNIT.person}
    two = there(*ORDERED, ANSWERED, replace(ANSWERED, by=HEAD)).orders[ORDER]
    assert two.answered_by == {UNIT.person, HEAD.person}


# Limits follow a new calendar.


def regional(day: date, kind: DayKind = DayKind.HOLIDAY) -> Facts:
    """Give the facts where the region names a day."""
    year = CalendarYear(
        jurisdiction="CN-15", layer=Layer.REGION, year=2026, version=1, published_at=None, source="NMG-2026-1",
        days=(CalendarDay(day=day, kind=kind),),
    )  # fmt: skip
    adopted = CalendarAdopted(at=local("02-24"), by=THE_SYSTEM, calendar=year)
    return replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted), rulebook_version=6)


RECOMPUTE: Final = RecomputeDeadlines(at=local("02-24", "12:00"), by=THE_SYSTEM)
LATER_BASIS: Final = replace(BASIS, rulebook=6)


def test_a_holiday_named_since_moves_what_is_still_to_be_kept() -> None:
    """The 26th is a holiday: the verdict is due a day later; what was met already stays (domain.md §14 case 4)."""
    facts = regional(date(2026, 2, 26))
    moved = DeadlineRecomputed(
        at=RECOMPUTE.at, by=THE_SYSTEM, clock=Clock.VERIFY, old=until("02-26"), new=until("02-27"), basis=LATER_BASIS
    )
    bad(*upto(CONTACTED), facts=facts).when(RECOMPUTE).then([moved])
    bad(*upto(CONTACTED), moved, facts=facts).when(RECOMPUTE).then_nothing()
    state = there(*upto(CONTACTED), moved)
    assert (state.due(Clock.VERIFY), state.due(Clock.CONTACT)) == (until("02-27"), until("02-24"))
    bad(*upto(CONTACTED)).when(RECOMPUTE).then_nothing()
    bad(*upto(CONTACTED), facts=facts).when(replace(RECOMPUTE, by=SUPERVISOR)).then_refused(NotYourRole)


def test_no_limit_moves_before_what_was_told() -> None:
    """A day that is worked after all shortens nothing."""
    bad(*upto(CONTACTED), facts=regional(date(2026, 2, 22), DayKind.WORK)).when(RECOMPUTE).then_nothing()


@pytest.mark.parametrize(
    ("history", "clock", "old", "new"),
    [
        (upto(WORK_ORDER), Clock.CONTACT, "02-24", "02-25"),
        (upto(VERIFIED), Clock.RECTIFY, "03-03", "03-04"),
        ((*upto(EVIDENCED), COMPLEX), Clock.RECTIFY, "03-17", "03-18"),
        (upto(RECTIFIED), Clock.REPLY, "02-28", "03-02"),
        (upto(REPLIED), Clock.REVISIT, "03-04", "03-05"),
        (contested(APPEALED), Clock.APPEAL, "03-03", "03-04"),
        (contested(EXCLUDED), Clock.TELL, "03-02", "03-03"),
        (contested(OBJECTED), Clock.OBJECTION, "03-11", "03-12"),
        ((*upto(CLOSED), OWED), Clock.CHECK, "03-16", "03-17"),
    ],
)
def test_every_limit_is_counted_again_by_its_own_term(
    history: tuple[ReviewEvent, ...], clock: Clock, old: str, new: str
) -> None:
    """A holiday within it moves it by one working day."""
    day = {Clock.CONTACT: date(2026, 2, 24), Clock.TELL: date(2026, 3, 2), Clock.CHECK: date(2026, 3, 6)}.get(
        clock, date(2026, 2, 28) if old < "03-05" else date(2026, 3, 9)
    )
    events = bad(*history, facts=regional(day)).when(RECOMPUTE).events
    (moved,) = [one for one in events if isinstance(one, DeadlineRecomputed) and one.clock is clock]
    assert (moved.old, moved.new) == (until(old), until(new))


def test_a_limit_unknown_until_now_becomes_known() -> None:
    """Where no calendar was there when it was set; one that cannot be counted stays as it is."""
    bare = replace(FACTS, rulebook=replace(FACTS.rulebook, years=(), calendar=Calendar(())))
    bad(*upto(WORK_ORDER), facts=bare).when(RECOMPUTE).then_nothing()
    provisional = Due(at=until("02-24").at, day=date(2026, 2, 24), provisional=True)
    history = (BADLY, replace(WORK_ORDER, contact_due=provisional))
    event = bad(*history).when(RECOMPUTE).event
    assert (event.old, event.new) == (provisional, until("02-24"))


def test_a_limit_that_never_ran_is_not_made_up() -> None:
    """What is read never refuses."""
    moved = DeadlineRecomputed(
        at=RECOMPUTE.at, by=THE_SYSTEM, clock=Clock.REPLY, old=None, new=until("02-27"), basis=LATER_BASIS
    )
    assert there(*upto(WORK_ORDER), moved) == there(*upto(WORK_ORDER))
