"""Who has an interest keeps out: asked for by either side, decided by somebody above, and held to in every command."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, ApproveReply, Assign, RecordContact, RecordEvidence
from domain.complaint.inquiry import EvidenceKind
from domain.complaint.recusal import DecideRecusal, Ground, RecusalDecided, RecusalRequested, RequestRecusal
from domain.complaint.state import Step
from domain.complaint.units import HandedOver, HandoverReason
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    AskedBefore,
    NotYourRecusal,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnRecusal,
    OwnWorkApproved,
    OwnWorkVerified,
    RecusalPending,
    Recused,
    Refused,
    Superseded,
    Unknown,
    UnknownReference,
)
from domain.handling import ContactResult, Method
from domain.register import REGISTER, Post, PostAdded, PostTaken
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    CLOSED,
    REGISTERED,
    REPLY,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    case,
    upto,
)
from tests.hall import (
    BASIS,
    CHEN,
    CITIZEN,
    COUNTER,
    DESK,
    ENTERED,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    JIANG,
    LI,
    QIAN,
    REVISITOR,
    STRANGER,
    SUPERVISOR,
    WANG,
    WEI,
    WU,
    ZHAO,
    actor,
    key,
    local,
    sealed,
    until,
)

NOON: Final = local("02-25", "12:00")
RECUSAL: Final = key("recusal")
FENG_SPEAKS: Final = Actor(person=FENG, post="window-3", role=Role.RESPONDENT)
ASK: Final = RequestRecusal(
    at=NOON, by=CITIZEN, recusal=RECUSAL, target=WANG, ground=Ground.RELATIVE, explanation=sealed("explanation")
)
ASKED: Final = RecusalRequested(
    at=NOON,
    by=CITIZEN,
    recusal=RECUSAL,
    target=WANG,
    ground=Ground.RELATIVE,
    explanation=sealed("explanation"),
    declared=False,
)
DECIDE: Final = DecideRecusal(
    at=NOON, by=HEAD, recusal=RECUSAL, granted=True, new_handler=None, reason=sealed("reason")
)
GRANTED: Final = RecusalDecided(at=NOON, by=HEAD, recusal=RECUSAL, granted=True, reason=sealed("reason"))
TURNED_DOWN: Final = replace(GRANTED, granted=False)
CONTACT: Final = RecordContact(at=NOON, by=HANDLER, method=Method.PHONE, result=ContactResult.REACHED, note=None)
EVIDENCE_SEEN: Final = RecordEvidence(
    at=NOON,
    by=HANDLER,
    evidence=key("before it is gone"),
    kind=EvidenceKind.RECORDING,
    description=sealed("description"),
    sha256=None,
    size=None,
)
HANDLED: Final = upto(SIGNED)


def test_the_complainant_names_who_should_keep_out() -> None:
    """Either side may ask (Civil Servants Law art. 77)."""
    case(*HANDLED).when(ASK).then([ASKED])


def test_the_two_sides_need_not_know_who_handles_the_case() -> None:
    """Without a name they mean whoever handles it; where nobody does, there is nobody to mean."""
    case(*HANDLED).when(replace(ASK, target=None)).then([ASKED])
    case(*HANDLED).when(replace(ASK, by=FENG_SPEAKS, target=None)).then([replace(ASKED, by=FENG_SPEAKS)])
    case(*upto(ACCEPTED)).when(replace(ASK, target=None)).then_refused(UnknownReference, kind="handler")


@pytest.mark.parametrize("target", [None, WANG])
def test_staff_declare_their_own_interest(target: PersonKey | None) -> None:
    """It says that they said so themselves."""
    declared = replace(ASKED, by=HANDLER, declared=True)
    case(*HANDLED).when(replace(ASK, by=HANDLER, target=target)).then([declared])


def test_a_mandator_is_meant_too() -> None:
    """Who acts for somebody declares for both."""
    for_zhao = actor(WANG, "approval-handler", on_behalf_of=ZHAO)
    case(*HANDLED).when(replace(ASK, by=for_zhao, target=ZHAO)).then(
        [replace(ASKED, by=for_zhao, target=ZHAO, declared=True)]
    )


@pytest.mark.parametrize("by", [DESK, HANDLER, HEAD, REVISITOR, COUNTER])
def test_a_colleague_names_nobody_else(by: Actor) -> None:
    """Or one could stop the other's work; a supervisor may, without being asked."""
    case(*HANDLED).when(replace(ASK, by=by, target=QIAN)).then_refused(NotYourRole)
    case(*HANDLED).when(replace(ASK, by=SUPERVISOR, target=QIAN)).then([replace(ASKED, by=SUPERVISOR, target=QIAN)])


def test_a_stranger_is_neither_side() -> None:
    """Another citizen, or another window, does not learn that there is such a case."""
    somebody = replace(CITIZEN, person=STRANGER)
    case(*HANDLED).when(replace(ASK, by=somebody)).then_refused(Unknown)
    other_window = Actor(person=JIANG, post="tax-head", role=Role.RESPONDENT)
    case(*HANDLED).when(replace(ASK, by=other_window)).then_refused(Unknown)


def test_the_head_of_the_department_speaks_for_it() -> None:
    """As the person does, and whoever serves at the window."""
    for by in (Actor(person=ZHAO, post="approval-head", role=Role.RESPONDENT), replace(FENG_SPEAKS, person=CHEN)):
        case(*HANDLED).when(replace(ASK, by=by)).then([replace(ASKED, by=by)])


def test_only_staff_can_keep_out() -> None:
    """Whom the register never knew cannot act on the case anyway."""
    case(*HANDLED).when(replace(ASK, target=STRANGER)).then_refused(UnknownReference, kind="person")


def test_asking_twice_is_asking_once() -> None:
    """By the same side; what the other side says besides is a request of its own."""
    again = replace(ASK, recusal=key("another"))
    case(*HANDLED, ASKED).when(again).then_nothing()
    case(*HANDLED, ASKED).when(replace(again, by=FENG_SPEAKS)).then(
        [replace(ASKED, by=FENG_SPEAKS, recusal=again.recusal)]
    )
    case(*HANDLED, ASKED, GRANTED).when(again).then_nothing()
    case(*HANDLED, ASKED).when(replace(again, target=QIAN)).then([replace(ASKED, target=QIAN, recusal=again.recusal)])


def test_what_was_turned_down_is_not_asked_again_on_the_same_ground() -> None:
    """Or one side could stop the handling for ever."""
    again = replace(ASK, recusal=key("another"))
    case(*HANDLED, ASKED, TURNED_DOWN).when(again).then_refused(AskedBefore, ground=Ground.RELATIVE)
    witness = replace(again, ground=Ground.WITNESS)
    case(*HANDLED, ASKED, TURNED_DOWN).when(witness).then(
        [replace(ASKED, recusal=again.recusal, ground=Ground.WITNESS)]
    )


def test_until_it_is_decided_nothing_is_done_but_what_cannot_wait() -> None:
    """Evidence that would be lost is secured; everything else waits (domain.md §6.3)."""
    case(*HANDLED, ASKED).when(CONTACT).then_refused(RecusalPending)
    assert case(*HANDLED, ASKED).when(EVIDENCE_SEEN).event.evidence == EVIDENCE_SEEN.evidence
    assert RecusalPending.watched
    assert Recused.watched


def test_who_keeps_out_does_nothing_at_all() -> None:
    """Not even that; nor as the one somebody acts for."""
    case(*HANDLED, ASKED, GRANTED).when(CONTACT).then_refused(Recused)
    case(*HANDLED, ASKED, GRANTED).when(EVIDENCE_SEEN).then_refused(Recused)
    for_wang = actor(QIAN, "approval-handler", on_behalf_of=WANG)
    case(*HANDLED, ASKED, GRANTED).when(replace(CONTACT, by=for_wang)).then_refused(Recused)


def test_who_may_stay_goes_on() -> None:
    """As if nobody had asked."""
    assert case(*HANDLED, ASKED, TURNED_DOWN).when(CONTACT).event.attempt_no == 1


def test_a_head_who_keeps_out_approves_nothing() -> None:
    """The rule stands in the guard that every command asks."""
    of_the_head = replace(ASKED, target=ZHAO)
    approve = ApproveReply(at=local("02-26", "15:00"), by=HEAD, reply=REPLY)
    case(*upto(SUBMITTED), of_the_head).when(approve).then_refused(RecusalPending)
    granted = replace(GRANTED, by=SUPERVISOR)
    case(*upto(SUBMITTED), of_the_head, granted).when(approve).then_refused(Recused)


def test_a_case_is_not_assigned_to_who_keeps_out() -> None:
    """Nor while it is open whether they do."""
    assign = Assign(at=local("02-14", "10:00"), by=DESK, department="approval", assist=(), handler=WANG)
    asked = replace(ASKED, at=local("02-14", "09:30"))
    case(*upto(ACCEPTED), asked).when(assign).then_refused(RecusalPending)
    case(*upto(ACCEPTED), asked, GRANTED).when(assign).then_refused(Recused)


def test_the_head_of_the_unit_decides() -> None:
    """On the people of that unit; or a supervisor, on anybody."""
    case(*HANDLED, ASKED).when(DECIDE).then([GRANTED])
    case(*HANDLED, ASKED).when(replace(DECIDE, by=SUPERVISOR)).then([replace(GRANTED, by=SUPERVISOR)])
    case(*HANDLED, ASKED).when(replace(DECIDE, granted=False)).then([TURNED_DOWN])


def test_nobody_decides_on_themselves_or_on_what_they_asked_for() -> None:
    """Nor for somebody who did."""
    of_the_head = replace(ASKED, target=ZHAO)
    case(*HANDLED, of_the_head).when(DECIDE).then_refused(OwnRecusal)
    asked = replace(ASKED, by=SUPERVISOR)
    case(*HANDLED, asked).when(replace(DECIDE, by=SUPERVISOR)).then_refused(OwnRecusal)
    for_sun = actor(WU, "supervisor", on_behalf_of=SUPERVISOR.person)
    case(*HANDLED, asked).when(replace(DECIDE, by=for_sun)).then_refused(OwnRecusal)


def test_a_head_decides_on_no_head_and_on_no_other_unit() -> None:
    """The deputy does not decide on the head; the tax department not on the approval department."""
    deputy = actor(QIAN, "approval-head")
    case(*HANDLED, replace(ASKED, target=ZHAO)).when(replace(DECIDE, by=deputy)).then_refused(NotYourRecusal)
    elsewhere = actor(JIANG, "tax-head")
    case(*HANDLED, ASKED).when(replace(DECIDE, by=elsewhere)).then_refused(NotYourRecusal)


def test_who_is_concerned_decides_nothing() -> None:
    """A supervisor about whom the complaint is, least of all."""
    named = replace(REGISTERED, respondent=replace(REGISTERED.respondent, staff=SUPERVISOR.person))
    case(named, *HANDLED[1:], ASKED).when(replace(DECIDE, by=SUPERVISOR)).then_refused(OwnCause)


def test_it_is_decided_once() -> None:
    """A second look needs a request of its own."""
    case(*HANDLED, ASKED, GRANTED).when(DECIDE).then_refused(Superseded)
    case(*HANDLED).when(DECIDE).then_refused(Superseded)


def test_a_colleague_takes_over_at_once() -> None:
    """Named with the decision; the promise to the complainant goes on."""
    handed = HandedOver(
        at=NOON,
        by=HEAD,
        department="approval",
        handler=WU,
        from_department="approval",
        from_handler=WANG,
        reason=HandoverReason.RECUSAL,
        sign_due=None,
        unit_due=until("02-28"),
        basis=BASIS,
    )
    decide = replace(DECIDE, new_handler=WU)
    given = case(*HANDLED, ASKED)
    given.when(decide).then([GRANTED, handed])
    after = COMPLAINT.fold([GRANTED, handed], given.state)
    assert after is not None
    assert (after.step, after.handler, after.clocks) == (Step.IN_PROGRESS, WU, given.state.clocks)  # type: ignore[union-attr]
    by_wu = replace(CONTACT, by=actor(WU, "approval-handler"))
    assert case(*HANDLED, ASKED, GRANTED, handed).when(by_wu).event.attempt_no == 1
    case(*HANDLED, ASKED).when(replace(decide, granted=False)).then([TURNED_DOWN])


def test_who_takes_over_before_it_was_signed_for_signs_for_it() -> None:
    """With half a working day for it."""
    at = local("02-14", "11:00")
    asked = replace(ASKED, at=at)
    _, handed = case(*upto(ASSIGNED), asked).when(replace(DECIDE, at=at, new_handler=WU)).events
    assert isinstance(handed, HandedOver)
    assert handed.sign_due == until("02-14", "16:30")


@pytest.mark.parametrize(
    ("handler", "refusal"),
    [
        (WANG, RecusalPending),
        (FENG, OwnCause),
        (CHEN, OwnCause),
        (ZHAO, UnknownReference),
        (JIANG, UnknownReference),
        (LI, UnknownReference),
        (STRANGER, UnknownReference),
    ],
)
def test_only_who_may_handle_it_takes_over(handler: PersonKey, refusal: type[Refused]) -> None:
    """Not who is concerned, nor who could not sign for it in this unit."""
    case(*HANDLED, ASKED).when(replace(DECIDE, by=SUPERVISOR, new_handler=handler)).then_refused(refusal)


def test_who_handles_it_already_does_not_take_over_from_themselves() -> None:
    """WEI holds every post, and is not the one meant."""
    held = replace(SIGNED, by=actor(WEI, "approval-handler"))
    of_wang = case(*upto(ASSIGNED), held, ASKED)
    of_wang.when(replace(DECIDE, by=SUPERVISOR, new_handler=QIAN)).then_refused(UnknownReference, kind="handler")


def test_whoever_judged_it_does_not_take_it_over() -> None:
    """Approving and handling are never the same person's, whichever comes first (domain.md §6.4)."""
    rejected = upto(VERIFIED)
    verified_by_wu = [replace(one, by=actor(WU, "supervisor")) if one is VERIFIED else one for one in rejected]
    decide = replace(DECIDE, new_handler=WU)
    case(*verified_by_wu, replace(ASKED, at=local("02-26", "10:30"))).when(decide).then_refused(OwnWorkVerified)
    submit = list(upto(SUBMITTED))
    approved = replace(APPROVED, by=actor(QIAN, "approval-head"))
    case(*submit, approved, replace(ASKED, at=local("02-26", "15:10"))).when(
        replace(decide, new_handler=QIAN)
    ).then_refused(OwnWorkApproved)


def test_there_is_nobody_to_take_over_from_in_another_place() -> None:
    """Who is named to keep out is not the handler."""
    of_the_desk = replace(ASKED, target=LI)
    case(*HANDLED, of_the_desk).when(replace(DECIDE, by=SUPERVISOR, new_handler=WU)).then_refused(UnknownReference)


def test_a_case_that_has_ended_asks_nobody_to_keep_out() -> None:
    """Any open case, and no other."""
    case(*upto(CLOSED)).when(ASK).then_refused(OutOfTurn)
    case(*upto(CLOSED)).when(DECIDE).then_refused(OutOfTurn)


def test_a_decision_without_a_request_changes_nothing() -> None:
    """Histories load, whatever they hold."""
    before = case(*HANDLED).state
    assert case(*HANDLED, GRANTED).state == before


def test_nobody_else_may_ask_or_decide() -> None:
    """As the policy says: no timer, and no handler on a colleague."""
    case(*HANDLED).when(replace(ASK, by=THE_SYSTEM)).then_refused(NotYourRole)
    case(*HANDLED, ASKED).when(replace(DECIDE, by=HANDLER)).then_refused(NotYourRole)
    case(*HANDLED).when(replace(ASK, by=replace(FENG_SPEAKS, post="desk"))).then_refused(NotYourRole)


def test_a_head_without_a_department_decides_on_nobody() -> None:
    """A post at no department has no people."""
    post = Post(code="chief", name_zh="主任", name_en="Chief", role=Role.UNIT_HEAD, site="GXQ")
    register = REGISTER.fold(
        [
            PostAdded(at=ENTERED, by=THE_SYSTEM, entry=post),
            PostTaken(at=ENTERED, by=THE_SYSTEM, post="chief", person=JIANG, since=ENTERED),
        ],
        FACTS.register,
    )
    chief = Actor(person=JIANG, post="chief", role=Role.UNIT_HEAD)
    case(*HANDLED, ASKED, facts=replace(FACTS, register=register)).when(replace(DECIDE, by=chief)).then_refused(
        NotYourRecusal
    )
