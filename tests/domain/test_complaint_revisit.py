"""The result is revisited by somebody outside the unit, and only then the case is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.complaint import (
    Close,
    Command,
    Event,
    RectificationPlanned,
    RectificationVerified,
    Rectified,
    Revisit,
    RevisitAttempted,
)
from domain.complaint.revisiting import Outcome, Resolved, RevisitStatus
from domain.complaint.state import OPEN, Finding, IdentityMode, Respondent, Step
from domain.decider import THE_SYSTEM, Actor, Role
from domain.errors import (
    AlreadyRevisited,
    NoPolicy,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnWorkRevisited,
    RectificationOpen,
    Refused,
    RevisitMissing,
)
from domain.handling import ContactResult, Facts, Method
from domain.register import REGISTER, PostTaken
from domain.rulebook import RULEBOOK
from tests.controls import (
    ANSWERS,
    APPROVED,
    ASSIGNED,
    ATTEMPTED,
    CLOSED,
    CONTACTED,
    FOUND,
    LOOP,
    PLANNED,
    RECTIFIED,
    REGISTERED,
    REPLIED,
    REVISITED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    case,
    upto,
)
from tests.hall import (
    CHU,
    COMPLAINANT,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    REVISITOR,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHOU,
    actor,
    key,
    leaving,
    local,
    until,
)

REVISIT = Revisit(at=ATTEMPTED.at, by=REVISITOR, method=Method.PHONE, result=ContactResult.REACHED, answers=ANSWERS)
MISSED = replace(REVISIT, result=ContactResult.NO_ANSWER, answers=None)
CLOSE = Close(at=CLOSED.at, by=DESK, outcome=Outcome.RESOLVED)
AGAIN = key("rectification-2")
ALONE = tuple(replace(event, assist=()) if event is ASSIGNED else event for event in upto(REPLIED))


def missed(number: int, day: str) -> RevisitAttempted:
    """Give one attempt without an answer, on a day of 2026."""
    return replace(
        ATTEMPTED,
        at=local(day),
        attempt_no=number,
        day=date.fromisoformat(f"2026-{day}"),
        result=ContactResult.NO_ANSWER,
    )


def without(*left_out: Event, until_: Event = REVISITED) -> tuple[Event, ...]:
    """Give the story without some of its events."""
    return tuple(event for event in upto(until_) if event not in left_out)


# Revisiting


def test_the_result_is_revisited() -> None:
    """The call and what was said of it stand as two facts."""
    case(*upto(REPLIED)).when(REVISIT).then([ATTEMPTED, REVISITED])


def test_nobody_reached_is_an_attempt() -> None:
    """Numbered, with the day the hall had."""
    case(*upto(REPLIED)).when(MISSED).then([missed(1, "03-03")])
    after_midnight = replace(MISSED, at=local("03-04", "00:10"))
    second = case(*upto(REPLIED), missed(1, "03-03")).when(after_midnight).event
    assert (second.attempt_no, second.day) == (2, date(2026, 3, 4))


@pytest.mark.parametrize("resolved", Resolved)
def test_whatever_the_complainant_says_is_an_answer(resolved: Resolved) -> None:
    """Also that they will not say."""
    said = replace(
        ANSWERS, resolved=resolved, attitude_satisfaction=None, result_satisfaction=None, new_facts=True, note=None
    )
    _, revisited = case(*upto(REPLIED)).when(replace(REVISIT, answers=said)).events
    assert revisited == replace(
        REVISITED, resolved=resolved, attitude_satisfaction=None, result_satisfaction=None, new_facts=True, note=None
    )


def test_answers_come_from_somebody_who_was_reached() -> None:
    """No answers without a talk, no talk without answers."""
    for result in set(ContactResult) - {ContactResult.REACHED}:
        with pytest.raises(ValueError, match="belong to reached"):
            replace(REVISIT, result=result)
    with pytest.raises(ValueError, match="belong to reached"):
        replace(REVISIT, answers=None)


def test_what_was_said_is_not_asked_again_until_the_answer_suits() -> None:
    """One reply is revisited once, so no officer can talk a no into a yes."""
    no = replace(REVISITED, resolved=Resolved.NO)
    for command in (REVISIT, MISSED):
        case(*upto(ATTEMPTED), no).when(replace(command, at=local("03-04"))).then_refused(AlreadyRevisited)


BY_WU = tuple(
    replace(event, by=actor(WU, "approval-handler")) if event.by == HANDLER else event for event in upto(REPLIED)
)


def test_nobody_revisits_their_own_work() -> None:
    """Wu handles and revisits; Zhou acts for Wang; Wang's work was done in Zhou's name."""
    case(*BY_WU).when(replace(REVISIT, by=actor(WU, "revisits"))).then_refused(OwnWorkRevisited)
    assert case(*BY_WU).when(REVISIT).events[0].by == REVISITOR
    case(*upto(REPLIED)).when(replace(REVISIT, by=replace(REVISITOR, on_behalf_of=WANG))).then_refused(OwnWorkRevisited)


@pytest.mark.parametrize(
    "part", [event for event in upto(REPLIED) if event.by == HANDLER], ids=lambda event: type(event).__name__
)
def test_nobody_revisits_what_was_done_in_their_name(part: Event) -> None:
    """One step with the officer as mandator is enough."""
    by = replace(HANDLER, on_behalf_of=ZHOU)
    history = [replace(event, by=by) if event is part else event for event in upto(REPLIED)]
    case(*history).when(REVISIT).then_refused(OwnWorkRevisited)


def test_nobody_revisits_the_work_of_their_own_unit() -> None:
    """Wu did nothing here, but belongs to the unit; so does whoever acts for a member of it."""
    case(*upto(REPLIED)).when(replace(REVISIT, by=actor(WU, "revisits"))).then_refused(OwnWorkRevisited)
    case(*upto(REPLIED)).when(replace(REVISIT, by=replace(REVISITOR, on_behalf_of=WU))).then_refused(OwnWorkRevisited)


def test_a_unit_that_assisted_is_a_unit_that_handled() -> None:
    """Chu belongs to the department that assisted; where it did not, Chu may call."""
    by = actor(CHU, "revisits")
    case(*upto(REPLIED)).when(replace(REVISIT, by=by)).then_refused(OwnWorkRevisited)
    assert case(*ALONE).when(replace(REVISIT, by=by)).events[0].by == by


def moved_to_revisits() -> Facts:
    """Give the facts after the head of the unit became a revisit officer and nothing else."""
    left = leaving(ZHAO, "approval-head", local("02-27"))
    taken = PostTaken(at=local("02-27"), by=THE_SYSTEM, post="revisits", person=ZHAO, since=local("02-27"))
    return replace(left, register=REGISTER.evolve(left.register, taken))


def test_who_approved_the_reply_does_not_revisit_it_from_another_post() -> None:
    """Leaving the unit does not undo having been its head."""
    case(*upto(REPLIED), facts=moved_to_revisits()).when(replace(REVISIT, by=actor(ZHAO, "revisits"))).then_refused(
        OwnWorkRevisited
    )
    other_head = [replace(event, by=actor(WEI, "approval-head")) if event is APPROVED else event for event in ALONE]
    assert case(*other_head, facts=moved_to_revisits()).when(replace(REVISIT, by=actor(ZHAO, "revisits"))).events


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (DESK, NotYourRole),
        (HANDLER, NotYourRole),
        (HEAD, NotYourRole),
        (THE_SYSTEM, NotYourRole),
        (Actor(person=COMPLAINANT, role=Role.CITIZEN), NotYourRole),
        (Actor(person=ZHOU, role=Role.REVISIT_OFFICER), NotYourRole),
        (actor(WANG, "revisits"), NotYourRole),
        (replace(REVISITOR, on_behalf_of=FENG), OwnCause),
        (replace(REVISITOR, on_behalf_of=COMPLAINANT), OwnComplaint),
    ],
)
def test_only_a_revisit_officer_revisits(by: Actor, refusal: type[Refused]) -> None:
    """Somebody with the post, who neither complains nor is complained of."""
    case(*upto(REPLIED)).when(replace(REVISIT, by=by)).then_refused(refusal)


def test_an_officer_complained_of_does_not_call() -> None:
    """A complaint about the revisit office is revisited by another officer."""
    about = [replace(event, respondent=Respondent(staff=ZHOU)) if event is REGISTERED else event for event in ALONE]
    case(*about).when(REVISIT).then_refused(OwnCause)
    assert case(*about).when(replace(REVISIT, by=actor(CHU, "revisits"))).events


# Closing


def test_a_case_is_closed_after_its_revisit() -> None:
    """With its outcome and what became of the revisit."""
    case(*upto(REVISITED)).when(CLOSE).then([CLOSED])
    state = case(*LOOP).state
    assert state is not None
    assert state.step is Step.CLOSED
    assert Step.CLOSED not in OPEN


def test_no_case_is_closed_unrevisited() -> None:
    """Three attempts on two days count as unreachable; fewer, or all on one day, do not."""
    case(*upto(REPLIED)).when(CLOSE).then_refused(RevisitMissing, attempts=0, required=3)
    two = (missed(1, "03-02"), missed(2, "03-03"))
    case(*upto(REPLIED), *two).when(CLOSE).then_refused(RevisitMissing, attempts=2)
    one_day = tuple(missed(n, "03-02") for n in (1, 2, 3, 4))
    case(*upto(REPLIED), *one_day).when(CLOSE).then_refused(RevisitMissing, attempts=4)
    event = case(*upto(REPLIED), *two, missed(3, "03-03")).when(CLOSE).event
    assert event.revisit_status is RevisitStatus.UNREACHABLE


def test_an_anonymous_complainant_is_tried_once() -> None:
    """Who left no name may be out of reach, but somebody looks."""
    anonymous = tuple(
        replace(event, identity_mode=IdentityMode.ANONYMOUS) if event is REGISTERED else event
        for event in upto(REPLIED)
    )
    case(*anonymous).when(CLOSE).then_refused(RevisitMissing)
    event = case(*anonymous, missed(1, "03-03")).when(CLOSE).event
    assert event.revisit_status is RevisitStatus.ANONYMOUS
    assert case(*anonymous, ATTEMPTED, REVISITED).when(CLOSE).event.revisit_status is RevisitStatus.COMPLETED


@pytest.mark.parametrize("outcome", Outcome)
def test_the_outcome_is_what_the_desk_says(outcome: Outcome) -> None:
    """Each of them can be said."""
    assert case(*upto(REVISITED)).when(replace(CLOSE, outcome=outcome)).event.outcome is outcome


def test_what_is_tracked_with_a_date_to_come_keeps_no_case_open() -> None:
    """On its last day it is still to come, the day after it is not (domain.md §6.3)."""
    for history in (without(RECTIFIED, VERIFIED), without(VERIFIED)):
        assert case(*history).when(replace(CLOSE, at=local("03-06", "23:59"))).event.outcome is Outcome.RESOLVED
        case(*history).when(replace(CLOSE, at=local("03-07", "00:00"))).then_refused(RectificationOpen)


def test_what_is_verified_is_done_with() -> None:
    """Long after its date."""
    assert case(*upto(REVISITED)).when(replace(CLOSE, at=local("06-01"))).event.outcome is Outcome.RESOLVED


FAILED = tuple(replace(event, passed=False) if event is VERIFIED else event for event in upto(REVISITED))
SECOND_PLAN = replace(PLANNED, rectification=AGAIN, due=until("03-20"))


def test_what_failed_keeps_the_case_open_until_it_is_planned_anew() -> None:
    """A failed verification needs a new plan, with its own date."""
    case(*FAILED).when(CLOSE).then_refused(RectificationOpen)
    assert case(*FAILED, SECOND_PLAN).when(CLOSE).event.outcome is Outcome.RESOLVED
    case(*FAILED, SECOND_PLAN).when(replace(CLOSE, at=local("03-21", "00:00"))).then_refused(RectificationOpen)


def test_another_action_that_passed_does_not_cover_the_one_that_failed() -> None:
    """Two were planned, one passed, one failed: the failed one is still owed."""
    other = replace(PLANNED, rectification=AGAIN)
    history = list(upto(REVISITED))
    history[history.index(PLANNED) + 1 : history.index(PLANNED) + 1] = [other]
    done = (replace(RECTIFIED, rectification=AGAIN), replace(VERIFIED, rectification=AGAIN, passed=False))
    case(*history, *done).when(CLOSE).then_refused(RectificationOpen)
    assert case(*history, *done, replace(SECOND_PLAN, rectification=key("third"))).when(CLOSE).event
    failed_twice = [*history, *done, replace(SECOND_PLAN, rectification=key("third"))]
    third = key("third")
    failing = (replace(RECTIFIED, rectification=third), replace(VERIFIED, rectification=third, passed=False))
    case(*failed_twice, *failing).when(CLOSE).then_refused(RectificationOpen)


def test_each_action_that_failed_is_planned_anew() -> None:
    """Two failed: one new plan is not enough, two are."""
    history: list[Event] = []
    for event in FAILED:
        history.append(event)
        if isinstance(event, RectificationPlanned | Rectified | RectificationVerified):
            history.append(replace(event, rectification=AGAIN))
    third, fourth = (replace(SECOND_PLAN, rectification=key(name)) for name in ("third", "fourth"))
    case(*history).when(CLOSE).then_refused(RectificationOpen)
    case(*history, third).when(CLOSE).then_refused(RectificationOpen)
    assert case(*history, third, fourth).when(CLOSE).event.outcome is Outcome.RESOLVED


def test_a_complaint_that_was_not_true_owes_no_rectification() -> None:
    """Nothing planned, nothing to wait for."""
    found = replace(FOUND, finding=Finding.UNSUBSTANTIATED, rectification_required=False)
    history = [found if event is FOUND else event for event in without(PLANNED, RECTIFIED, VERIFIED)]
    assert case(*history).when(CLOSE).event.outcome is Outcome.RESOLVED


def test_a_finding_set_right_frees_the_case_of_a_failed_action() -> None:
    """What was found untrue after all cannot be planned anew, so it must not hold the case."""
    set_right = replace(FOUND, finding=Finding.UNSUBSTANTIATED, rectification_required=False)
    history = list(FAILED)
    history.insert(history.index(SUBMITTED), set_right)
    assert case(*history).when(CLOSE).event.outcome is Outcome.RESOLVED


def test_a_true_complaint_without_any_plan_is_never_closed() -> None:
    """Should a reply ever come without one, closing still asks for it."""
    case(*without(PLANNED, RECTIFIED, VERIFIED)).when(CLOSE).then_refused(RectificationOpen)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (HANDLER, NotYourRole),
        (REVISITOR, NotYourRole),
        (THE_SYSTEM, NotYourRole),
        (replace(DESK, on_behalf_of=FENG), OwnCause),
        (replace(DESK, on_behalf_of=COMPLAINANT), OwnComplaint),
    ],
)
def test_only_the_desk_closes(by: Actor, refusal: type[Refused]) -> None:
    """And nobody concerned."""
    case(*upto(REVISITED)).when(replace(CLOSE, by=by)).then_refused(refusal)


def test_nothing_is_closed_or_revisited_without_a_policy() -> None:
    """What counts as enough is the policy's word."""
    without_rules = replace(FACTS, rulebook=RULEBOOK.initial)
    case(*upto(REVISITED), facts=without_rules).when(CLOSE).then_refused(NoPolicy)
    case(*upto(REPLIED), facts=without_rules).when(REVISIT).then_refused(NoPolicy)


@pytest.mark.parametrize("command", [REVISIT, CLOSE], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("last", [None, *LOOP], ids=lambda event: type(event).__name__)
def test_both_belong_between_reply_and_end(command: Command, last: Event | None) -> None:
    """Before the reply and after the end they are out of turn."""
    given = case(*(() if last is None else upto(last)))
    if given.state is None or given.state.step is not Step.REPLIED:
        given.when(replace(command, at=local("03-10"))).then_refused(OutOfTurn)


# What may come next


def test_the_people_of_the_loop_are_many() -> None:
    """In the story everything happens to be done by those who may, and by no one twice who may not."""
    hands = {event.by.person for event in (SIGNED, CONTACTED, FOUND, RECTIFIED, SUBMITTED)}
    assert hands.isdisjoint({APPROVED.by.person, REVISITED.by.person, VERIFIED.by.person})
