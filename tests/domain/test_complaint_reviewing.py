"""Who does not agree: reviews of two levels by people without a part, new rounds, reworks after the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Case, Event, Step
from domain.complaint.reviewing import (
    DecideReview,
    ReopenCause,
    Reopened,
    RequestReview,
    ReviewDecided,
    ReviewRequested,
    ReviewResult,
)
from domain.complaint.state import PROMISE, Clock, Respondent
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.decider import Actor, PersonKey, Role
from domain.errors import (
    FinalDecision,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnWorkReviewed,
    Refused,
    Superseded,
    TooLate,
    Unknown,
)
from tests.annex import (
    ASIDE,
    HE,
    KONG,
    LYU,
    PROPOSAL,
    REFUSED,
    SHI,
    reviewer,
    there,
)
from tests.controls import CLOSED, REGISTERED, REPLIED, REVISITED, SIGNED, upto
from tests.hall import (
    BASIS,
    CITIZEN,
    DESK,
    HANDLER,
    LI,
    MEASURED,
    QIAN,
    STRANGER,
    SUN,
    WANG,
    WEI,
    ZHAO,
    ZHOU,
    key,
    later,
    local,
    sealed,
    until,
)

REVIEW: Final = key("review")
ASK: Final = RequestReview(
    at=local("03-10"), by=CITIZEN, review=REVIEW, grounds=sealed("grounds"), grounds_measured=MEASURED
)
ASKED: Final = ReviewRequested(
    at=local("03-10"),
    by=CITIZEN,
    review=REVIEW,
    level=1,
    grounds=sealed("grounds"),
    grounds_measured=MEASURED,
    due=until("04-09"),  # thirty natural days after 10 March: a Thursday
    basis=BASIS,
)
DECIDE: Final = DecideReview(
    at=local("03-12"),
    by=reviewer(),
    review=REVIEW,
    result=ReviewResult.UPHELD,
    reasons=sealed("reasons"),
    reasons_measured=MEASURED,
)
DECIDED: Final = ReviewDecided(
    at=local("03-12"),
    by=reviewer(),
    review=REVIEW,
    level=1,
    result=ReviewResult.UPHELD,
    reasons=sealed("reasons"),
    reasons_measured=MEASURED,
    final=False,
    late=False,
    review_request_until=until("04-13"),  # 11 April is a Saturday
    basis=BASIS,
)
FINAL: Final = replace(DECIDED, level=2, final=True, review_request_until=None, at=local("04-02"))
REOPENED: Final = Reopened(
    at=local("03-12"),
    by=reviewer(),
    round=2,
    cause=ReopenCause.REVIEW,
    reason=None,
    handle_due=until("03-19"),  # five working days: 13, 16, 17, 18, 19
    basis=BASIS,
    department="approval",
    handler=WANG,
    assign_due=None,
    contact_due=until("03-13"),
)
OVERTURN: Final = replace(DECIDE, result=ReviewResult.OVERTURNED)
OVERTURNED: Final = replace(DECIDED, result=ReviewResult.OVERTURNED, review_request_until=None)


def folded(*events: Event) -> Case:
    """Give the case after these."""
    state = COMPLAINT.fold(events)
    assert state is not None
    return state


@pytest.mark.parametrize(
    "history", [(*ASIDE, REFUSED), upto(REPLIED), upto(CLOSED)], ids=["refused", "replied", "closed"]
)
def test_the_complainant_asks_for_a_review_where_a_decision_stands(history: tuple[Event, ...]) -> None:
    """Of a refusal, of an answer, of a closed case; it is to be decided within thirty natural days (L1-35)."""
    there(*history).when(ASK).then([ASKED])
    state = folded(*history, ASKED)
    assert (state.step, state.before, state.review, state.review_level) == (
        Step.UNDER_REVIEW,
        folded(*history).step,
        REVIEW,
        1,
    )
    assert state.due(PROMISE[state.step]) == until("04-09")


def test_a_review_is_asked_for_within_thirty_days_of_the_answer() -> None:
    """On the last instant it is in time; where nobody knows until when, it is let through."""
    history = upto(CLOSED)
    assert there(*history).when(replace(ASK, at=until("03-30").at)).event.level == 1
    over = later(until("03-30").at, microseconds=1)
    there(*history).when(replace(ASK, at=over)).then_refused(TooLate, until=until("03-30").at)
    unknown = [replace(e, review_request_until=None) if e is REPLIED else e for e in history]
    assert there(*unknown).when(replace(ASK, at=local("11-02"))).event.level == 1


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(Actor(person=STRANGER, role=Role.CITIZEN), Unknown), (DESK, NotYourRole), (HANDLER, NotYourRole)],
    ids=["stranger", "desk", "handler"],
)
def test_only_the_complainant_asks_for_a_review(by: Actor, refusal: type[Refused]) -> None:
    """A stranger is not told whether there is such a case."""
    there(*upto(CLOSED)).when(replace(ASK, by=by)).then_refused(refusal)


@pytest.mark.parametrize("last", [REGISTERED, SIGNED, ASKED], ids=["registered", "in progress", "under review"])
def test_while_a_decision_is_still_to_come_there_is_nothing_to_review(last: Event) -> None:
    """One review at a time."""
    history = (*upto(CLOSED), ASKED) if last is ASKED else upto(last)
    there(*history).when(ASK).then_refused(OutOfTurn)


@pytest.mark.parametrize(
    "history", [(*ASIDE, REFUSED), upto(REVISITED), upto(CLOSED)], ids=["refused", "replied", "closed"]
)
def test_what_is_upheld_goes_back_to_where_it_stood(history: tuple[Event, ...]) -> None:
    """A refusal stays a refusal, and the second level may be asked for within thirty days."""
    there(*history, ASKED).when(DECIDE).then([DECIDED])
    state = folded(*history, ASKED, DECIDED)
    assert state.step is folded(*history).step
    assert (state.review, state.final, state.review_until) == (None, False, until("04-13"))
    assert state.reviewers == {LYU}


def test_a_review_that_stood_in_the_way_of_the_revisit_gives_it_its_time_again() -> None:
    """Nobody revisits while the review lasts, and the revisit is owed all the same."""
    moved = DeadlineRecomputed(
        at=local("03-12"),
        by=reviewer(),
        clock=Clock.REVISIT,
        old=until("03-05"),
        new=until("03-18"),  # four working days: 13, 16, 17, 18
        cause=Cause.REVIEWED,
        reference=REVIEW,
        basis=BASIS,
    )
    there(*upto(REPLIED), ASKED).when(DECIDE).then([DECIDED, moved])
    assert folded(*upto(REPLIED), ASKED, DECIDED, moved).due(Clock.REVISIT) == until("03-18")


def test_a_revisit_limit_that_is_later_or_unknown_stays() -> None:
    """It is never told to be shorter."""
    for due in (until("03-20"), None):
        replied = replace(REPLIED, revisit_due=due)
        there(*upto(REPLIED)[:-1], replied, ASKED).when(DECIDE).then([DECIDED])


def test_a_closed_case_whose_complainant_could_not_be_reached_owes_no_revisit() -> None:
    """It was tried often enough, so no limit is given anew."""
    closed = tuple(one for one in upto(CLOSED) if one is not REVISITED)
    there(*closed, ASKED).when(DECIDE).then([DECIDED])


@pytest.mark.parametrize("result", [ReviewResult.MODIFIED, ReviewResult.OVERTURNED])
def test_what_is_not_upheld_goes_on_in_a_new_round(result: ReviewResult) -> None:
    """With limits of its own, with the handler who is still there."""
    expected: tuple[Event, ...] = (replace(OVERTURNED, result=result), REOPENED)
    there(*upto(CLOSED), ASKED).when(replace(OVERTURN, result=result)).then(expected)
    state = folded(*upto(CLOSED), ASKED, *expected)
    assert (state.step, state.round, state.handler) == (Step.IN_PROGRESS, 2, WANG)
    assert state.due(PROMISE[state.step]) == until("03-19")
    assert state.due(Clock.CONTACT) == until("03-13")


def test_a_refusal_found_wrong_is_accepted() -> None:
    """No unit has it yet, so the desk assigns it within half a working day; it counts as simple until then."""
    decided, reopened = there(*ASIDE, REFUSED, ASKED).when(OVERTURN).events
    assert decided == OVERTURNED
    assert reopened == replace(
        REOPENED, department=None, handler=None, assign_due=until("03-12", "14:30"), contact_due=None
    )
    state = folded(*ASIDE, REFUSED, ASKED, decided, reopened)
    assert (state.step, state.handler, state.department) == (Step.ACCEPTED, None, None)
    assert state.due(PROMISE[state.step]) == until("03-19")
    assert state.due(Clock.ASSIGN) == until("03-12", "14:30")


@pytest.mark.parametrize(
    "who",
    [WANG, ZHAO, SUN, ZHOU, QIAN, WEI],
    ids=["handler", "approver", "verifier", "revisitor", "of the unit", "of every unit"],
)
def test_nobody_reviews_what_they_had_a_part_in(who: PersonKey) -> None:
    """Not as a mandator either; nor anybody of a unit that handled it (domain.md §6.4)."""
    for by in (reviewer(who), replace(reviewer(), on_behalf_of=who)):
        refused = NotYourRole if by.person is who and who not in {QIAN, WEI} else OwnWorkReviewed
        there(*upto(CLOSED), ASKED).when(replace(DECIDE, by=by)).then_refused(refused)


def test_nobody_of_a_department_that_was_called_in_reviews() -> None:
    """KONG handles in the tax department, which assisted."""
    command = replace(DECIDE, by=reviewer(KONG))
    there(*upto(CLOSED), ASKED).when(command).then_refused(OwnWorkReviewed, departments=["approval", "tax"])


def test_who_refused_it_does_not_review_the_refusal() -> None:
    """Neither who proposed it nor who confirmed it: LI is a reviewer as well."""
    there(*ASIDE, REFUSED, ASKED).when(replace(DECIDE, by=reviewer(LI))).then_refused(OwnWorkReviewed)
    for_he = replace(reviewer(), on_behalf_of=HE)
    there(*ASIDE, REFUSED, ASKED).when(replace(DECIDE, by=for_he)).then_refused(OwnWorkReviewed)


def test_nobody_concerned_reviews() -> None:
    """Neither whom it is about nor who made it."""
    about = replace(REGISTERED, respondent=Respondent(staff=LYU))
    there(about, *upto(CLOSED)[1:], ASKED).when(DECIDE).then_refused(OwnCause)
    made = replace(REGISTERED, complainant_staff=LYU)
    there(made, *upto(CLOSED)[1:], ASKED).when(DECIDE).then_refused(OwnComplaint)


def test_a_decision_names_the_review_that_is_open() -> None:
    """Another one is not decided by mistake."""
    there(*upto(CLOSED), ASKED).when(replace(DECIDE, review=PROPOSAL)).then_refused(Superseded, review=REVIEW)
    there(*upto(CLOSED)).when(DECIDE).then_refused(OutOfTurn)


def test_a_review_after_its_limit_is_late() -> None:
    """It is decided all the same."""
    assert there(*upto(CLOSED), ASKED).when(replace(DECIDE, at=local("04-10"))).event.late is True


SECOND: Final = replace(ASKED, level=2, at=local("04-01"), due=until("05-06"))


def test_the_second_level_is_decided_by_somebody_else_and_is_final() -> None:
    """After it the same facts are not taken up again (L1-36)."""
    first = (*upto(CLOSED), ASKED, DECIDED)
    there(*first).when(replace(ASK, at=local("04-01"))).then([SECOND])
    second = replace(DECIDE, at=local("04-02"))
    there(*first, SECOND).when(second).then_refused(OwnWorkReviewed)
    there(*first, SECOND).when(replace(second, by=reviewer(SHI))).then([replace(FINAL, by=reviewer(SHI))])
    over = (*first, SECOND, FINAL)
    assert folded(*over).final
    there(*over).when(replace(ASK, at=local("04-03"))).then_refused(FinalDecision, level=2)


def test_after_a_first_review_the_answer_of_the_new_round_has_the_second_level_left() -> None:
    """A review does not begin the ladder anew; after the second level not even a new answer does."""
    answer = replace(REPLIED, at=local("03-18"), review_request_until=until("04-17"))
    round_two = (*upto(CLOSED), ASKED, OVERTURNED, REOPENED, answer)
    assert there(*round_two).when(replace(ASK, at=local("04-01"))).event.level == 2
    last = replace(OVERTURNED, level=2, final=True, at=local("04-02"))
    round_three = (*round_two, SECOND, last, replace(REOPENED, at=last.at, round=3), replace(answer, at=local("04-07")))
    there(*round_three).when(replace(ASK, at=local("04-08"))).then_refused(FinalDecision)


def test_nothing_is_reviewed_that_never_began() -> None:
    """Each command needs a case."""
    for command in (ASK, DECIDE):
        there().when(command).then_refused(OutOfTurn)
