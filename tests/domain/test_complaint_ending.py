"""A case is sent elsewhere, withdrawn by the complainant, or its handling is ended by two people."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Event, Step
from domain.complaint.ending import (
    ConfirmTermination,
    Destination,
    ProposeTermination,
    TransferOut,
    Withdraw,
)
from domain.complaint.state import Respondent
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnProposal,
    OwnWorkEnded,
    ProposalPending,
    Superseded,
    Unknown,
    UnknownReference,
    WithdrawalInvalid,
)
from domain.errors import Refused as Refusal
from domain.handling import Proof
from tests.annex import (
    HE,
    MORNING,
    OTHER,
    PROPOSAL,
    TERMINATED,
    TERMINATION,
    TRANSFERRED,
    WITHDRAWN,
    desk,
    gone,
    there,
)
from tests.controls import (
    ACCEPTED,
    ASSIGNED,
    CLOSED,
    FOUND,
    REGISTERED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    upto,
)
from tests.hall import (
    CHEN,
    CITIZEN,
    COMPLAINANT,
    COUNTER,
    DESK,
    FENG,
    HANDLER,
    LI,
    QIAN,
    STRANGER,
    SUN,
    SUPERVISOR,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHENG,
    actor,
    later,
    local,
    sealed,
)

TRANSFER: Final = TransferOut(
    at=MORNING, by=DESK, to=Destination.PETITION, doc_no=sealed("doc_no"), explanation=sealed("explanation")
)


def test_a_case_that_is_not_ours_goes_where_it_belongs() -> None:
    """Before it is accepted, or after: then the limit of the answer says whether that was in time (L1-23)."""
    there(REGISTERED).when(TRANSFER).then([TRANSFERRED])
    there(REGISTERED, ACCEPTED).when(replace(TRANSFER, at=local("02-28"))).then([
        replace(TRANSFERRED, at=local("02-28"), late=False)
    ])  # fmt: skip
    assert there(REGISTERED).when(replace(TRANSFER, at=local("02-28"))).event.late is True
    gone = COMPLAINT.fold([REGISTERED, TRANSFERRED])
    assert gone is not None
    assert (gone.step, gone.sealed) == (Step.TRANSFERRED_OUT, False)


@pytest.mark.parametrize(
    ("category", "to", "closed"),
    [
        ("SHIRK", Destination.DISCIPLINE, True),
        ("RENT_SEEKING", Destination.HOTLINE_12345, True),
        ("SHIRK", Destination.OTHER_REGION, False),
    ],
)
def test_an_accusation_is_sealed_wherever_it_goes(category: str, to: Destination, closed: bool) -> None:  # noqa: FBT001
    """The accused never read it (L1 art. 30 and 46)."""
    accused = replace(REGISTERED, category=category)
    event = there(accused).when(replace(TRANSFER, to=to)).event
    assert event.sealed is closed
    state = COMPLAINT.fold([accused, event])
    assert state is not None
    assert state.sealed is closed


def test_who_sends_a_case_elsewhere_is_a_dispatcher_without_a_part_in_it() -> None:
    """The same guards as at the acceptance."""
    there(REGISTERED).when(replace(TRANSFER, by=HANDLER)).then_refused(NotYourRole)
    there(replace(REGISTERED, respondent=Respondent(staff=LI))).when(TRANSFER).then_refused(OwnCause)
    there(*upto(ASSIGNED)).when(replace(TRANSFER, at=later(ASSIGNED.at, hours=1))).then_refused(OutOfTurn)


WITHDRAW: Final = Withdraw(
    at=local("02-24"), by=CITIZEN, reason=sealed("reason"), proof=Proof.QUERY_CODE, confirmed_by=None
)


@pytest.mark.parametrize("last", [REGISTERED, ACCEPTED, ASSIGNED, SIGNED, SUBMITTED], ids=lambda e: type(e).__name__)
def test_the_complainant_withdraws_at_any_time_before_the_answer(last: Event) -> None:
    """Of free will; where the case stood is kept, for a supervisor may go on with it."""
    at = max(WITHDRAW.at, later(last.at, minutes=1))
    event = there(*upto(last)).when(replace(WITHDRAW, at=at)).event
    assert event == replace(WITHDRAWN, at=at)
    before, after = COMPLAINT.fold(upto(last)), COMPLAINT.fold([*upto(last), event])
    assert before is not None
    assert after is not None
    assert (after.step, after.before) == (Step.WITHDRAWN, before.step)


@pytest.mark.parametrize("by", [DESK, HANDLER, COUNTER, SUPERVISOR, THE_SYSTEM], ids=lambda by: by.role)
def test_nobody_else_withdraws(by: Actor) -> None:
    """Not the desk either, however sure it is (domain.md §6.3)."""
    there(*upto(SIGNED)).when(replace(WITHDRAW, by=by)).then_refused(NotYourRole)


def test_a_strangers_complaint_is_not_there_to_withdraw() -> None:
    """It is not told whether it exists."""
    stranger = Actor(person=STRANGER, role=Role.CITIZEN)
    there(*upto(SIGNED)).when(replace(WITHDRAW, by=stranger)).then_refused(Unknown)


def test_after_the_answer_there_is_nothing_to_withdraw() -> None:
    """The complainant may ask for a review instead."""
    there(*upto(CLOSED)).when(replace(WITHDRAW, at=local("03-05"))).then_refused(OutOfTurn)


@pytest.mark.parametrize("clerk", [ZHENG, LI, SUN], ids=["integrity window", "desk", "supervisor"])
def test_a_clerk_without_a_part_in_it_takes_a_withdrawal(clerk: PersonKey) -> None:
    """The event says who saw that it was of free will."""
    taken = replace(WITHDRAW, proof=Proof.SIGNATURE, confirmed_by=clerk)
    assert there(*upto(SIGNED)).when(taken).event.confirmed_by == clerk


@pytest.mark.parametrize(
    "clerk", [FENG, CHEN, WANG, ZHAO, QIAN, WEI, COMPLAINANT], ids=[
        "complained of", "at that window", "handler", "head of the unit", "deputy", "of that unit too", "complainant",
    ],
)  # fmt: skip
def test_a_withdrawal_taken_by_whom_it_suits_is_invalid(clerk: PersonKey) -> None:
    """Whoever is complained of, their unit, and who handles the case, press nobody to withdraw."""
    taken = replace(WITHDRAW, proof=Proof.SIGNATURE, confirmed_by=clerk)
    there(*upto(SIGNED)).when(taken).then_refused(WithdrawalInvalid)


def test_the_unit_of_the_window_and_of_the_respondent_take_no_withdrawal() -> None:
    """Also where the complaint names no department, and while no unit has the case."""
    taken = replace(WITHDRAW, confirmed_by=ZHAO, at=local("02-14"))
    for respondent in (Respondent(window="W04"), Respondent(department="approval")):
        there(replace(REGISTERED, respondent=respondent)).when(taken).then_refused(WithdrawalInvalid)
    elsewhere = replace(REGISTERED, respondent=Respondent(window="no longer known"))
    assert there(elsewhere).when(taken).event.confirmed_by == ZHAO


def test_who_handled_it_and_left_the_unit_takes_no_withdrawal() -> None:
    """They are of the unit no more, and it is still their work."""
    taken = replace(WITHDRAW, at=local("02-26"), confirmed_by=WANG)
    facts = gone(WANG, "approval-handler", local("02-25"))
    there(*upto(SIGNED), facts=facts).when(taken).then_refused(WithdrawalInvalid)
    assert there(*upto(ASSIGNED), facts=facts).when(taken).event.confirmed_by == WANG


def test_whom_the_finding_names_takes_no_withdrawal() -> None:
    """The finding knows more than the complaint did."""
    named = replace(FOUND, responsibility=(replace(FOUND.responsibility[0], staff=ZHENG),))
    history = (*upto(FOUND)[:-1], named)
    taken = replace(WITHDRAW, at=local("02-26"), confirmed_by=ZHENG)
    there(*history).when(taken).then_refused(WithdrawalInvalid)


TERMINATE: Final = ProposeTermination(
    at=local("02-24"),
    by=DESK,
    proposal=PROPOSAL,
    reason="turned_out_non_acceptable",
    explanation=sealed("explanation"),
)
ENDING: Final = ConfirmTermination(at=local("02-25"), by=SUPERVISOR, proposal=PROPOSAL)


def test_a_dispatcher_proposes_to_end_the_handling_and_a_supervisor_confirms() -> None:
    """The complainant is told why (R3-21)."""
    there(*upto(SIGNED)).when(TERMINATE).then([TERMINATION])
    there(*upto(SIGNED), TERMINATION).when(ENDING).then([TERMINATED])
    over = COMPLAINT.fold([*upto(SIGNED), TERMINATION, TERMINATED])
    assert over is not None
    assert (over.step, over.before, over.proposals) == (Step.TERMINATED, Step.IN_PROGRESS, {})
    assert over.approvers == {LI, SUN}


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(TERMINATE, reason="too_difficult"), UnknownReference),
        (replace(TERMINATE, by=SUPERVISOR), NotYourRole),
        (replace(TERMINATE, proposal=OTHER, by=desk(HE)), ProposalPending),
        (replace(ENDING, by=desk(HE)), NotYourRole),
        (replace(ENDING, by=replace(SUPERVISOR, on_behalf_of=LI)), OwnProposal),
        (replace(ENDING, by=replace(SUPERVISOR, on_behalf_of=WANG)), OwnWorkEnded),
        (replace(ENDING, proposal=OTHER), Superseded),
    ],
)
def test_an_end_of_the_handling_has_a_listed_reason_and_two_people(
    command: ProposeTermination | ConfirmTermination, refusal: type[Refusal]
) -> None:
    """Neither the proposer nor who handled it confirms."""
    there(*upto(SIGNED), TERMINATION).when(command).then_refused(refusal)


def test_nobody_who_handled_a_case_confirms_its_end() -> None:
    """WU handles it and is a supervisor as well."""
    handled = tuple(replace(e, by=actor(WU, "approval-handler")) if e is SIGNED else e for e in upto(SIGNED))
    there(*handled, TERMINATION).when(replace(ENDING, by=actor(WU, "supervisor"))).then_refused(OwnWorkEnded)


def test_nobody_concerned_ends_the_handling() -> None:
    """On either side."""
    of_li = replace(REGISTERED, respondent=Respondent(staff=LI))
    there(of_li, *upto(SIGNED)[1:]).when(TERMINATE).then_refused(OwnCause)
    of_sun = replace(REGISTERED, respondent=Respondent(staff=SUN))
    there(of_sun, *upto(SIGNED)[1:], TERMINATION).when(ENDING).then_refused(OwnCause)


def test_a_reply_that_is_submitted_overtakes_the_end_of_the_handling() -> None:
    """It does not come back with the case, when the reply is sent back."""
    sent_back = [*upto(VERIFIED), replace(TERMINATION, at=local("02-26", "10:30")), SUBMITTED]
    state = COMPLAINT.fold(sent_back)
    assert state is not None
    assert state.proposals == {}


def test_nothing_ends_that_never_began() -> None:
    """Each command needs a case."""
    for command in (TRANSFER, WITHDRAW, TERMINATE, ENDING):
        there().when(command).then_refused(OutOfTurn)
