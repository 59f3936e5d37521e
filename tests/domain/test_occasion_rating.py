"""A visit is rated once and in time, with an invitation; what staff write down is unconfirmed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, For, Role
from domain.errors import (
    AlreadyReviewed,
    InvitationUnknown,
    InvitationUsed,
    NotYourRole,
    TooLate,
    Unknown,
)
from domain.grade import Grade
from domain.occasion import OCCASION, Reviewed
from domain.register import REGISTER, PostLeft
from domain.review import Submitted
from tests.hall import (
    COUNTER,
    FENG,
    HEAD,
    local,
    person,
)
from tests.visits import (
    BAD,
    BADLY,
    EXPIRE,
    EXPIRED,
    FACTS,
    GOOD,
    INVITED,
    LAST,
    LEDGER,
    OF_LEDGER,
    OPENED,
    RATING,
    REVIEWED,
    SECOND_TOKEN,
    SOMEBODY,
    SUBMIT,
    SUBMITTED,
    TOKEN,
    TOLD,
    WINDOW_CLERK,
    WORK_ORDER,
    visit,
)


def test_a_visit_is_rated_with_an_invitation() -> None:
    """One event on the visit, one on the rating's own stream, in one answer."""
    visit(OPENED, INVITED).when(SUBMIT).then([REVIEWED, SUBMITTED])
    decided = OCCASION.decide(visit(OPENED, INVITED).state, SUBMIT, FACTS)
    assert [one.stream for one in decided if isinstance(one, For)] == [RATING]


def test_a_bad_rating_opens_a_work_order_at_once() -> None:
    """With the department that served, on the rating's stream."""
    visit(OPENED, INVITED).when(replace(SUBMIT, opinion=BAD)).then([REVIEWED, BADLY, WORK_ORDER])
    decided = OCCASION.decide(visit(OPENED, INVITED).state, replace(SUBMIT, opinion=BAD), FACTS)
    assert [one.stream for one in decided if isinstance(one, For)] == [RATING, RATING]


@pytest.mark.parametrize("token", [TOKEN, SECOND_TOKEN])
def test_any_of_its_invitations_rates_a_visit(token: str) -> None:
    """The code on the screen or the message: whichever comes first."""
    second = replace(INVITED, token=SECOND_TOKEN)
    event = visit(OPENED, INVITED, second).when(replace(SUBMIT, token=token)).events[0]
    assert isinstance(event, Reviewed)
    assert event.token == token


def test_a_token_works_once_and_a_visit_is_rated_once() -> None:
    """The same token again was used; with another one, or none, the visit was rated (domain.md §14 case 11)."""
    second = replace(INVITED, token=SECOND_TOKEN)
    rated = visit(OPENED, INVITED, second, REVIEWED)
    rated.when(SUBMIT).then_refused(InvitationUsed)
    rated.when(replace(SUBMIT, opinion=BAD)).then_refused(InvitationUsed)
    rated.when(replace(SUBMIT, token=SECOND_TOKEN)).then_refused(AlreadyReviewed)
    rated.when(replace(SUBMIT, by=COUNTER, token=None)).then_refused(AlreadyReviewed)
    rated.when(replace(SUBMIT, at=EXPIRE.at)).then_refused(InvitationUsed)
    told = visit(OPENED, INVITED, replace(REVIEWED, by=COUNTER, token=None))
    told.when(SUBMIT).then_refused(AlreadyReviewed)
    told.when(replace(SUBMIT, by=COUNTER, token=None)).then_refused(AlreadyReviewed)


def test_nobody_rates_without_an_invitation_to_this_visit() -> None:
    """An unknown token, one of another visit, or none, all look alike."""
    visit(OPENED, INVITED).when(replace(SUBMIT, token=None)).then_refused(InvitationUnknown)
    visit(OPENED, INVITED).when(replace(SUBMIT, token=SECOND_TOKEN)).then_refused(InvitationUnknown)
    visit(OPENED).when(SUBMIT).then_refused(InvitationUnknown)
    visit(OPENED, INVITED, REVIEWED).when(replace(SUBMIT, token="c3" * 32)).then_refused(InvitationUnknown)
    visit().when(SUBMIT).then_refused(Unknown)


def test_what_staff_write_down_is_unconfirmed() -> None:
    """Also at the window that served; it counts as theirs when whoever was served says so."""
    visit(OPENED, INVITED).when(replace(SUBMIT, by=WINDOW_CLERK, token=None)).then(
        [replace(REVIEWED, by=WINDOW_CLERK, token=None), TOLD]
    )
    for by in (COUNTER, THE_SYSTEM):
        submitted = visit(OPENED).when(replace(SUBMIT, by=by, token=None)).events[1]
        assert isinstance(submitted, Submitted)
        assert not submitted.corroborated
        assert submitted.reviewer == OPENED.applicant


def test_nobody_of_the_house_uses_an_invitation() -> None:
    """A rating with a token counts as given by whoever was served, so no clerk and no machine gives it."""
    for by in (WINDOW_CLERK, COUNTER, THE_SYSTEM):
        visit(OPENED, INVITED).when(replace(SUBMIT, by=by)).then_refused(NotYourRole, command="review/submit")
        visit(OPENED, INVITED).when(replace(SUBMIT, by=by, token=SECOND_TOKEN)).then_refused(InvitationUnknown)
    visit(OPENED, INVITED).when(replace(SUBMIT, by=HEAD)).then_refused(NotYourRole, command="review/submit")


def test_a_rating_is_in_time_by_our_clock() -> None:
    """Until the last instant; what a terminal kept too long is late, whatever its own clock says (§14 cases 11, 12)."""
    at_last = visit(OPENED, INVITED).when(replace(SUBMIT, at=LAST)).events
    assert len(at_last) == 2
    visit(OPENED, INVITED).when(replace(SUBMIT, at=EXPIRE.at)).then_refused(TooLate)
    claimed = replace(GOOD, evidence=replace(GOOD.evidence, claimed_at=local("02-14")))
    visit(OPENED, INVITED).when(replace(SUBMIT, at=EXPIRE.at, opinion=claimed)).then_refused(TooLate)
    visit(OPENED, INVITED, EXPIRED).when(SUBMIT).then_refused(TooLate)


def test_a_terminals_clock_is_kept_and_decides_nothing() -> None:
    """A time in the future stands in the evidence; the rating is of the moment we got it (domain.md §14 case 12)."""
    ahead = replace(GOOD, evidence=replace(GOOD.evidence, claimed_at=local("12-31")))
    submitted = visit(OPENED, INVITED).when(replace(SUBMIT, opinion=ahead)).events[1]
    assert submitted == replace(SUBMITTED, evidence=ahead.evidence)


def test_whoever_served_is_rated_also_after_leaving() -> None:
    """The post was left between service and rating: the attribution stands (domain.md §14 case 10)."""
    gone = PostLeft(
        at=local("02-13", "11:00"), by=THE_SYSTEM, post="window-3", person=FENG, until=local("02-13", "11:00")
    )
    moved = replace(FACTS, register=REGISTER.evolve(FACTS.register, gone))
    visit(OPENED, INVITED, facts=moved).when(SUBMIT).then([REVIEWED, SUBMITTED])


def test_a_rating_without_a_name_names_nobody() -> None:
    """The applicant of the visit is left out, and nobody is called (domain.md §14 case 14)."""
    unnamed = replace(BAD, identity_mode=IdentityMode.ANONYMOUS)
    _, submitted, order = visit(OPENED, INVITED).when(replace(SUBMIT, by=SOMEBODY, opinion=unnamed)).events
    assert submitted == replace(BADLY, by=SOMEBODY, identity_mode=IdentityMode.ANONYMOUS, reviewer=None)
    assert order == replace(WORK_ORDER, contact_due=None)
    told = visit(OPENED).when(replace(SUBMIT, by=COUNTER, token=None, opinion=unnamed)).events[1]
    assert isinstance(told, Submitted)
    assert told.reviewer is None


def test_nobody_is_called_whom_nobody_knows() -> None:
    """Staff write a bad rating down as a named one, but the visit names no applicant: there is no one to reach."""
    unknown = replace(OPENED, applicant=None)
    *_, order = visit(unknown).when(replace(SUBMIT, by=COUNTER, token=None, opinion=BAD)).events
    assert order == replace(WORK_ORDER, contact_due=None)


def test_whoever_came_for_the_applicant_rates_as_themselves() -> None:
    """With an invitation the rating is theirs who gave it; what staff write down is the applicant's."""
    agent = Actor(person=person("AGENT"), role=Role.CITIZEN)
    submitted = visit(OPENED, INVITED).when(replace(SUBMIT, by=agent)).events[1]
    assert isinstance(submitted, Submitted)
    assert submitted.reviewer == agent.person


def test_a_ledgers_rating_is_only_counted() -> None:
    """No reason is asked for, no time runs, nobody gets work, and what others counted is taken as confirmed."""
    opinion = replace(BAD, codes=(), text=None, text_facts=None)
    _, submitted = visit(OF_LEDGER).when(replace(SUBMIT, by=THE_SYSTEM, token=None, opinion=opinion)).events
    assert isinstance(submitted, Submitted)
    assert submitted.grade is Grade.VERY_DISSATISFIED
    assert (submitted.follow_up_until, submitted.seconds_since_service, submitted.attribution) == (None, None, None)
    assert submitted.corroborated
    placed = visit().when(replace(LEDGER, window="W03")).event
    assert len(visit(placed).when(replace(SUBMIT, by=THE_SYSTEM, token=None, opinion=opinion)).events) == 2
    visit(OF_LEDGER).when(SUBMIT).then_refused(NotYourRole)
