"""A complaint is not accepted, by two people; what becomes of a proposal of any act."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Step
from domain.complaint.ending import (
    ConfirmRefusal,
    ProposeRefusal,
)
from domain.complaint.proposals import DeclineProposal, ExpireProposal, ProposalDeclined, ProposalExpired
from domain.complaint.publishing import DisclosureProposed
from domain.complaint.replying import AppealRoute
from domain.complaint.state import Respondent
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnProposal,
    ProposalOver,
    ProposalPending,
    Superseded,
    TooEarly,
    UnknownReference,
)
from domain.errors import Refused as Refusal
from tests.annex import (
    AFTERNOON,
    ASIDE,
    HE,
    MORNING,
    OTHER,
    PROPOSAL,
    PROPOSED,
    REFUSED,
    desk,
    officer,
    there,
)
from tests.controls import (
    ACCEPTED,
    ACKNOWLEDGED,
    REGISTERED,
)
from tests.hall import (
    BASIS,
    DESK,
    FENG,
    HANDLER,
    LI,
    MEASURED,
    SUPERVISOR,
    WEI,
    later,
    local,
    sealed,
    until,
)

PROPOSE: Final = ProposeRefusal(
    at=MORNING,
    by=DESK,
    proposal=PROPOSAL,
    reason="out_of_jurisdiction",
    legal_basis=sealed("legal_basis"),
    explanation=sealed("explanation"),
    explanation_measured=MEASURED,
    proper_channel="court",
    appeal_route=AppealRoute.REVIEW_REQUEST,
)
CONFIRM: Final = ConfirmRefusal(at=AFTERNOON, by=desk(HE), proposal=PROPOSAL)


def test_a_refusal_is_proposed_with_reason_channel_and_way_of_appeal() -> None:
    """It waits two working days for another person, and stops no clock (domain.md §6.3, R3-19)."""
    there(REGISTERED, ACKNOWLEDGED).when(PROPOSE).then([PROPOSED])
    before, after = (COMPLAINT.fold(events) for events in ([REGISTERED], ASIDE))
    assert before is not None
    assert after is not None
    assert (after.step, after.clocks, after.stops) == (Step.REGISTERED, before.clocks, ())


@pytest.mark.parametrize("by", [desk(HE), SUPERVISOR], ids=["dispatcher", "supervisor"])
def test_another_dispatcher_or_a_supervisor_confirms_a_refusal(by: Actor) -> None:
    """The event repeats what was proposed and names who proposed it."""
    there(*ASIDE).when(replace(CONFIRM, by=by)).then([replace(REFUSED, by=by)])


@pytest.mark.parametrize("by", [DESK, desk(HE, on_behalf_of=LI)], ids=["proposer", "deputy of the proposer"])
def test_nobody_confirms_what_they_proposed(by: Actor) -> None:
    """Not as a mandator either (domain.md §6.3)."""
    there(*ASIDE).when(replace(CONFIRM, by=by)).then_refused(OwnProposal)


def test_who_proposed_for_somebody_binds_that_somebody_too() -> None:
    """A deputy proposes: then the absent one does not confirm."""
    proposed = replace(PROPOSED, by=desk(HE, on_behalf_of=LI))
    there(REGISTERED, proposed).when(replace(CONFIRM, by=DESK)).then_refused(OwnProposal)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"reason": "too_much_work"}, UnknownReference),
        ({"proper_channel": "nowhere"}, UnknownReference),
        ({"by": SUPERVISOR}, NotYourRole),
        ({"by": HANDLER}, NotYourRole),
        ({"by": replace(DESK, person=FENG)}, NotYourRole),
    ],
)
def test_a_refusal_has_a_listed_reason_a_listed_channel_and_the_right_person(
    change: dict[str, object], refusal: type[Refusal]
) -> None:
    """What the policy does not name is no reason (R3-19)."""
    there(REGISTERED).when(replace(PROPOSE, **change)).then_refused(refusal)  # type: ignore[arg-type]


def test_nobody_concerned_takes_part_in_a_refusal() -> None:
    """Neither whom it is about, nor who made it, on either side."""
    about_li = replace(REGISTERED, respondent=Respondent(staff=LI))
    there(about_li).when(PROPOSE).then_refused(OwnCause)
    by_he = replace(REGISTERED, complainant_staff=HE)
    there(by_he, PROPOSED).when(CONFIRM).then_refused(OwnComplaint)


def test_one_refusal_waits_at_a_time() -> None:
    """A second one is proposed when the first was declined."""
    again = replace(PROPOSE, proposal=OTHER, by=desk(HE))
    there(*ASIDE).when(again).then_refused(ProposalPending, proposal=PROPOSAL)
    declined = ProposalDeclined(at=CONFIRM.at, by=desk(HE), proposal=PROPOSAL, reason=sealed("reason"))
    assert there(*ASIDE, declined).when(again).event.proposal == OTHER


def test_a_proposal_that_is_gone_is_not_confirmed() -> None:
    """Never proposed, declined, of another act, or overtaken by acceptance."""
    there(REGISTERED).when(CONFIRM).then_refused(Superseded)
    there(*ASIDE).when(replace(CONFIRM, proposal=OTHER)).then_refused(Superseded, proposal=OTHER)
    there(*ASIDE, ACCEPTED).when(CONFIRM).then_refused(OutOfTurn, step=Step.ACCEPTED)


def test_a_proposal_dies_with_the_step_it_belongs_to() -> None:
    """Whatever carries the case on, also where it comes back to the same step later."""
    moved = COMPLAINT.fold([*ASIDE, ACCEPTED])
    assert moved is not None
    assert moved.proposals == {}
    waiting = COMPLAINT.fold(ASIDE)
    assert waiting is not None
    assert waiting.proposals == {PROPOSAL: PROPOSED}


def test_a_proposal_is_not_confirmed_after_its_time() -> None:
    """On the last instant of the second working day it is, a moment later not."""
    there(*ASIDE).when(replace(CONFIRM, at=until("02-25").at)).then([
        replace(REFUSED, at=until("02-25").at, late=True, review_request_until=until("03-27"))
    ])  # fmt: skip
    over = later(until("02-25").at, microseconds=1)
    there(*ASIDE).when(replace(CONFIRM, at=over)).then_refused(ProposalOver, proposal=PROPOSAL)


def test_a_refusal_after_the_limit_of_acceptance_is_late() -> None:
    """It is a decision whether to accept (domain.md §8 C3)."""
    assert there(*ASIDE).when(replace(CONFIRM, at=local("02-24"))).event.late is True


def test_a_refused_case_is_over_and_may_be_reviewed() -> None:
    """Who refused it judged it: they stand aside from then on."""
    refused = COMPLAINT.fold([*ASIDE, REFUSED])
    assert refused is not None
    assert (refused.step, refused.before, refused.proposals) == (Step.REFUSED, Step.REGISTERED, {})
    assert refused.review_until == REFUSED.review_request_until
    assert refused.approvers == {LI, HE}
    there(*ASIDE, REFUSED).when(replace(PROPOSE, at=later(REFUSED.at, days=1))).then_refused(OutOfTurn)


DECLINE: Final = DeclineProposal(at=CONFIRM.at, by=desk(HE), proposal=PROPOSAL, reason=sealed("reason"))


def test_who_may_confirm_may_decline() -> None:
    """Everything stays as it was."""
    declined = ProposalDeclined(at=CONFIRM.at, by=desk(HE), proposal=PROPOSAL, reason=sealed("reason"))
    there(*ASIDE).when(DECLINE).then([declined])
    assert COMPLAINT.fold([*ASIDE, declined]) == COMPLAINT.fold([REGISTERED])


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(DESK, OwnProposal), (officer(), NotYourRole), (HANDLER, NotYourRole), (desk(WEI), None)],
    ids=["proposer", "who confirms other acts", "handler", "another"],
)
def test_nobody_else_declines(by: Actor, refusal: type[Refusal] | None) -> None:
    """The policy names for each act who confirms it; a privacy officer confirms publications only."""
    asked = there(*ASIDE).when(replace(DECLINE, by=by))
    if refusal is None:
        assert asked.event.proposal == PROPOSAL
    else:
        asked.then_refused(refusal)


def test_nobody_concerned_declines() -> None:
    """Whom the complaint is about does not decide what becomes of it."""
    about_he = replace(REGISTERED, respondent=Respondent(staff=HE))
    there(about_he, PROPOSED).when(DECLINE).then_refused(OwnCause)


def test_a_timer_lets_a_proposal_expire_after_its_time_only() -> None:
    """Where somebody was faster there is nothing to note."""
    expire = ExpireProposal(at=until("02-25").at, by=THE_SYSTEM, proposal=PROPOSAL)
    there(*ASIDE).when(expire).then_refused(TooEarly, until=until("02-25").at)
    late = replace(expire, at=local("02-26", "00:00"))
    there(*ASIDE).when(late).then([ProposalExpired(at=late.at, by=THE_SYSTEM, proposal=PROPOSAL)])
    there(*ASIDE, REFUSED).when(late).then_nothing()
    there(*ASIDE).when(replace(late, by=desk(HE))).then_refused(NotYourRole)
    unknown = replace(PROPOSED, until=None)
    there(REGISTERED, unknown).when(late).then_refused(TooEarly)


def test_an_expired_proposal_leaves_the_case_as_it_was() -> None:
    """It can be proposed anew."""
    expired = ProposalExpired(at=local("02-26"), by=THE_SYSTEM, proposal=PROPOSAL)
    assert COMPLAINT.fold([*ASIDE, expired]) == COMPLAINT.fold([REGISTERED])


def test_nothing_is_proposed_where_nothing_is() -> None:
    """Each command needs a case."""
    expire = ExpireProposal(at=AFTERNOON, by=THE_SYSTEM, proposal=PROPOSAL)
    for command in (PROPOSE, CONFIRM, DECLINE, expire):
        there().when(command).then_refused(OutOfTurn)


def test_two_proposals_expire_each_for_itself() -> None:
    """What else waits, waits on."""
    other = replace(PROPOSED, proposal=OTHER)
    expired = ProposalExpired(at=local("02-26"), by=THE_SYSTEM, proposal=PROPOSAL)
    state = COMPLAINT.fold([*ASIDE, other, expired])
    assert state is not None
    assert state.proposals == {OTHER: other}


def test_a_refusal_is_no_bar_to_another_kind_of_proposal() -> None:
    """At most one of each kind waits."""
    disclosure = DisclosureProposed(
        at=MORNING,
        by=SUPERVISOR,
        proposal=OTHER,
        fields=("name",),
        recipient="court",
        legal_basis=sealed("legal_basis"),
        until=until("02-25"),
        basis=BASIS,
    )
    assert there(REGISTERED, disclosure).when(PROPOSE).event == PROPOSED
    there(REGISTERED, disclosure).when(replace(CONFIRM, proposal=OTHER)).then_refused(Superseded)
