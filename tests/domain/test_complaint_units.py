"""Departments are called in, return a case that is not theirs, and hand it over: the promise to the public stays."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from domain.complaint import COMPLAINT, Event, SignFor
from domain.complaint.rectification import RectificationVerified
from domain.complaint.returning import (
    AssignmentReturnApproved,
    AssignmentReturnRejected,
    AssignmentReturnRequested,
    DecideReturn,
    RequestReturn,
)
from domain.complaint.state import Clock, Respondent, Step
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.complaint.units import AnswerCall, CallIn, HandedOver, HandOver, HandoverReason, UnitAnswered, UnitCalledIn
from domain.decider import Actor, PersonKey
from domain.errors import (
    AlreadyThere,
    Designated,
    HandlerNeeded,
    NotYourCase,
    NotYourRole,
    OnceOnly,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnReturn,
    OwnWorkApproved,
    OwnWorkRevisited,
    OwnWorkVerified,
    Refused,
    Superseded,
    TooLate,
    UnitConcerned,
    UnknownReference,
)
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    CLOSED,
    CONTACTED,
    LOOP,
    PLANNED,
    REGISTERED,
    REPLIED,
    SIGNED,
    SUBMITTED,
    CaseGiven,
    case,
    upto,
)
from tests.hall import (
    BASIS,
    CHU,
    COMPLAINANT,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    JIANG,
    LI,
    MEASURED,
    QIAN,
    SUPERVISOR,
    WANG,
    WEI,
    WU,
    actor,
    key,
    later,
    local,
    sealed,
    until,
)

TAX_HANDLER = actor(CHU, "tax-handler")
TAX_HEAD = actor(JIANG, "tax-head")
CALL = key("call")
REQUEST = key("request")
MONDAY = local("02-24", "14:00")  # the first working day after the holidays is a Tuesday

CALLED = UnitCalledIn(
    at=MONDAY,
    by=HANDLER,
    call=CALL,
    department="tax",
    question=sealed("question"),
    due=until("02-27"),  # 25, 26, 27
    basis=BASIS,
)
CALL_IN = CallIn(at=MONDAY, by=HANDLER, call=CALL, department="tax", question=sealed("question"))
ANSWER = AnswerCall(
    at=local("02-26", "09:00"), by=TAX_HANDLER, call=CALL, answer=sealed("answer"), answer_measured=MEASURED
)
ANSWERED = UnitAnswered(
    at=ANSWER.at, by=TAX_HANDLER, call=CALL, answer=sealed("answer"), answer_measured=MEASURED, late=False
)
LED = (*upto(SIGNED), CONTACTED)


# Calling in.


def test_a_department_is_called_in_with_a_limit_of_its_own() -> None:
    """Whoever leads asks; three working days; the promise to the complainant does not move."""
    case(*LED).when(CALL_IN).then([CALLED])
    before, after = case(*LED).state, case(*LED, CALLED).state
    assert before is not None
    assert after is not None
    assert after.clocks == before.clocks
    assert after.departments == {"approval", "tax"}
    assert after.handlers == before.handlers | {WANG}
    assert after.department == "approval"


def test_the_desk_calls_in_without_handling() -> None:
    """Already before anybody signed; who only asks for the desk has not worked on the case."""
    by_desk = replace(CALL_IN, by=DESK, at=later(ASSIGNED.at, minutes=5))
    called = case(*upto(ASSIGNED)).when(by_desk).event
    assert called.by == DESK
    after = case(*upto(ASSIGNED), called).state
    assert after is not None
    assert LI not in after.handlers


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(CALL_IN, by=actor(QIAN, "approval-handler")), NotYourCase),
        (replace(CALL_IN, by=TAX_HANDLER), NotYourCase),
        (replace(CALL_IN, by=HEAD), NotYourRole),
        (replace(CALL_IN, by=replace(DESK, on_behalf_of=FENG)), OwnCause),
        (replace(CALL_IN, by=replace(DESK, on_behalf_of=COMPLAINANT)), OwnComplaint),
        (replace(CALL_IN, department="nowhere"), UnknownReference),
        (replace(CALL_IN, department="approval"), UnknownReference),
    ],
)
def test_only_who_leads_or_the_desk_calls_in_another_department(command: CallIn, refusal: type[Refused]) -> None:
    """Nobody concerned, nobody else's handler, and not the unit that leads anyway."""
    case(*LED).when(command).then_refused(refusal)


def test_a_department_is_not_asked_about_its_own_head() -> None:
    """Whoever is complained of must not answer for the unit."""
    about_the_head = replace(REGISTERED, respondent=Respondent(staff=JIANG))
    case(about_the_head, *LED[1:]).when(CALL_IN).then_refused(UnitConcerned)


def test_a_department_is_asked_once_at_a_time() -> None:
    """A call that waits is answered first; then there may be another one, under its own id."""
    case(*LED, CALLED).when(replace(CALL_IN, call=key("second"))).then_refused(AlreadyThere)
    case(*LED, CALLED, ANSWERED).when(CALL_IN).then_refused(AlreadyThere)
    case(*LED, CALLED, ANSWERED).when(replace(CALL_IN, call=key("second"))).then([replace(CALLED, call=key("second"))])
    case(*upto(ACCEPTED)).when(CALL_IN).then_refused(OutOfTurn)


def test_the_department_answers_in_time_or_late() -> None:
    """By its own limit, whatever the case's; and it has worked on the case from then on."""
    case(*LED, CALLED).when(ANSWER).then([ANSWERED])
    late = replace(ANSWER, at=local("02-28", "00:00"))
    assert case(*LED, CALLED).when(late).event.late is True
    after = case(*LED, CALLED, ANSWERED).state
    assert after is not None
    assert CHU in after.handlers
    assert after.calls[CALL].answered


def test_only_the_department_asked_answers_and_once() -> None:
    """By anybody of it who may; what is answered stays answered."""
    asked = case(*LED, CALLED)
    asked.when(replace(ANSWER, by=HANDLER)).then_refused(NotYourCase)
    asked.when(replace(ANSWER, by=DESK)).then_refused(NotYourRole)
    asked.when(replace(ANSWER, by=replace(TAX_HEAD, on_behalf_of=FENG))).then_refused(OwnCause)
    asked.when(replace(ANSWER, call=key("other"))).then_refused(UnknownReference)
    assert asked.when(replace(ANSWER, by=TAX_HEAD)).event.by == TAX_HEAD
    case(*LED, CALLED, ANSWERED).when(ANSWER).then_refused(Superseded)


def test_nobody_answers_a_call_who_judged_the_work() -> None:
    """Whoever revisited does not become part of the inquiry afterwards."""
    judged = case(*upto(REPLIED), replace(CALLED, at=REPLIED.at), replace(LOOP[-3], by=actor(CHU, "revisits")))
    judged.when(replace(ANSWER, at=local("03-03", "10:00"))).then_refused(OwnWorkRevisited)


def test_a_history_with_an_unknown_call_loads() -> None:
    """Folding never refuses."""
    odd = case(*LED, ANSWERED).state
    assert odd is not None
    assert not odd.calls


# Handing over.

HAND_OVER = HandOver(at=MONDAY, by=DESK, department="tax", handler=CHU, reason=HandoverReason.OTHER)


def test_another_unit_signs_anew_and_the_promise_stays() -> None:
    """Its own limits begin; the date that was told to the complainant does not move (domain.md §4.3)."""
    to_tax = HandedOver(
        at=MONDAY,
        by=DESK,
        department="tax",
        handler=CHU,
        from_department="approval",
        from_handler=WANG,
        reason=HandoverReason.OTHER,
        sign_due=until("02-24", "18:00"),  # four working hours
        unit_due=until("02-28"),
        basis=BASIS,
        return_due=until("02-25", "14:00"),  # 24 natural hours
    )
    case(*LED).when(HAND_OVER).then([to_tax])
    before, after = case(*LED).state, case(*LED, to_tax).state
    assert before is not None
    assert after is not None
    assert (after.step, after.department, after.handler) == (Step.ASSIGNED, "tax", CHU)
    assert after.due(Clock.HANDLE) == before.due(Clock.HANDLE)
    assert after.due(Clock.SIGN) == until("02-24", "18:00")
    assert after.due(Clock.RETURN) == until("02-25", "14:00")
    assert after.handlers == before.handlers == {WANG}
    case(*LED, to_tax).when(SignFor(at=MONDAY, by=HANDLER)).then_refused(NotYourCase)
    assert case(*LED, to_tax).when(SignFor(at=MONDAY, by=TAX_HANDLER)).event.late is False


def test_a_colleague_goes_on_where_the_other_stopped() -> None:
    """In the same unit nobody signs again, and what was done stays done."""
    within = replace(HAND_OVER, by=HEAD, department="approval", handler=QIAN, reason=HandoverReason.LEAVE)
    handed = case(*LED).when(within).event
    assert (handed.sign_due, handed.return_due) == (None, None)
    after = case(*LED, handed).state
    assert after is not None
    assert (after.step, after.handler, after.contacts) == (Step.IN_PROGRESS, QIAN, 1)
    case(*LED).when(replace(within, handler=WANG)).then_nothing()


def test_a_unit_without_a_named_handler_signs_again() -> None:
    """Whoever takes it of the unit signs for it; the unit cannot return what it has had."""
    unnamed = case(*LED).when(replace(HAND_OVER, department="approval", handler=None)).event
    assert (unnamed.sign_due, unnamed.return_due) == (until("02-24", "18:00"), None)
    after = case(*LED, unnamed).state
    assert after is not None
    assert (after.step, after.handler) == (Step.ASSIGNED, None)
    assert after.due(Clock.RETURN) == case(*LED).state.due(Clock.RETURN)  # type: ignore[union-attr]  # a case


def test_a_reply_under_way_does_not_go_over_to_another_unit() -> None:
    """The new unit answers for what it says, so it submits a reply of its own."""
    handed = case(*upto(SUBMITTED)).when(replace(HAND_OVER, at=local("02-26", "12:00"))).event
    after = case(*upto(SUBMITTED), handed).state
    assert after is not None
    assert (after.step, after.reply) == (Step.ASSIGNED, None)


def test_after_the_answer_somebody_by_name_goes_on() -> None:
    """The case stays answered; only what is still to be put right is carried on."""
    at = local("02-27", "09:00")
    replied = case(*upto(REPLIED))
    replied.when(replace(HAND_OVER, at=at, handler=None)).then_refused(HandlerNeeded)
    handed = replied.when(replace(HAND_OVER, at=at)).event
    assert handed.sign_due is None
    after = case(*upto(REPLIED), handed).state
    assert after is not None
    assert (after.step, after.department, after.reply) == (Step.REPLIED, "tax", REPLIED.reply)


def test_a_closed_case_is_handed_over_only_while_something_is_to_be_put_right() -> None:
    """A rectification with a date that is still to come may outlive its handler's post."""
    at = local("03-05", "09:00")
    case(*LOOP).when(replace(HAND_OVER, at=at)).then_refused(OutOfTurn)
    tracked = tuple(one for one in LOOP if not isinstance(one, RectificationVerified))
    assert case(*tracked).when(replace(HAND_OVER, at=at)).event.handler == CHU
    failed = tuple(replace(one, passed=False) if isinstance(one, RectificationVerified) else one for one in LOOP)
    assert case(*failed).when(replace(HAND_OVER, at=at)).event.handler == CHU
    assert PLANNED in tracked
    assert tracked[-1] == CLOSED


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(HAND_OVER, by=HANDLER), NotYourRole),
        (replace(HAND_OVER, by=HEAD), NotYourCase),
        (replace(HAND_OVER, by=TAX_HEAD), NotYourCase),
        (replace(HAND_OVER, by=replace(DESK, on_behalf_of=FENG)), OwnCause),
        (replace(HAND_OVER, department="nowhere"), UnknownReference),
        (replace(HAND_OVER, handler=WANG), UnknownReference),
        (replace(HAND_OVER, handler=JIANG), UnknownReference),
        (replace(HAND_OVER, handler=FENG), OwnCause),
        (replace(HAND_OVER, handler=COMPLAINANT), OwnComplaint),
    ],
)
def test_a_case_goes_only_to_who_can_carry_it_on(command: HandOver, refusal: type[Refused]) -> None:
    """By the desk, or the head within the own unit; to somebody of the unit who may sign, and is not concerned."""
    case(*LED).when(command).then_refused(refusal)


def test_a_case_does_not_go_to_a_unit_whose_head_is_complained_of() -> None:
    """As when it is assigned."""
    about_the_head = replace(REGISTERED, respondent=Respondent(staff=JIANG))
    case(about_the_head, *LED[1:]).when(HAND_OVER).then_refused(UnitConcerned)


@pytest.mark.parametrize(
    ("history", "judge", "refusal"),
    [
        ((*upto(APPROVED)[:-1], replace(APPROVED, by=actor(QIAN, "approval-head"))), QIAN, OwnWorkApproved),
        (
            tuple(
                replace(one, by=actor(WU, "supervisor")) if isinstance(one, RectificationVerified) else one
                for one in upto(APPROVED)
            ),
            WU,
            OwnWorkVerified,
        ),
        ((*upto(LOOP[-3])[:-1], replace(LOOP[-3], by=actor(WU, "revisits"))), WU, OwnWorkRevisited),
    ],
)
def test_a_case_does_not_go_to_who_judged_it(
    history: tuple[Event, ...], judge: PersonKey, refusal: type[Refused]
) -> None:
    """They could not act on it anyway, and it would lie."""
    command = replace(HAND_OVER, at=local("03-03", "10:00"), department="approval", handler=judge)
    case(*history).when(command).then_refused(refusal)


# Returning.

RECEIVED = replace(ASSIGNED, return_due=until("02-15", "10:00"))
RETURNABLE = (*upto(ACCEPTED), RECEIVED)
RETURN = RequestReturn(
    at=local("02-14", "11:00"),
    by=HANDLER,
    request=REQUEST,
    reason="not_our_duty",
    explanation=sealed("explanation"),
    suggested_unit="tax",
)
ASKED = AssignmentReturnRequested(
    at=RETURN.at,
    by=HANDLER,
    request=REQUEST,
    reason="not_our_duty",
    explanation=sealed("explanation"),
    suggested_unit="tax",
    late=False,
)
APPROVE = DecideReturn(at=local("02-14", "14:30"), by=DESK, request=REQUEST, approved=True, reason=None, final=False)
REJECT = replace(APPROVE, approved=False, reason=sealed("reason"), final=True)


def returnable(*more: Event) -> CaseGiven:
    """A case that was assigned, and what came after."""
    return case(*RETURNABLE, *more)


def test_a_unit_returns_a_case_that_is_not_its_duty() -> None:
    """Within 24 natural hours, with a reason from the list, and perhaps whose it is (R2 art. 50)."""
    returnable().when(RETURN).then([ASKED])
    in_time = replace(RETURN, at=local("02-15", "10:00"))
    assert returnable().when(in_time).event.late is False
    returnable().when(replace(RETURN, at=later(in_time.at, seconds=1))).then_refused(TooLate)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(RETURN, by=HEAD), NotYourRole),
        (replace(RETURN, by=TAX_HANDLER), NotYourCase),
        (replace(RETURN, by=actor(QIAN, "approval-handler")), NotYourCase),
        (replace(RETURN, by=replace(HANDLER, on_behalf_of=FENG)), OwnCause),
        (replace(RETURN, reason="workload"), UnknownReference),
        (replace(RETURN, suggested_unit="nowhere"), UnknownReference),
        (replace(RETURN, suggested_unit="approval"), UnknownReference),
    ],
)
def test_only_the_unit_that_has_the_case_returns_it(command: RequestReturn, refusal: type[Refused]) -> None:
    """And the one it was given to, where somebody is named."""
    returnable().when(command).then_refused(refusal)


def test_anybody_of_the_unit_returns_a_case_given_to_nobody_by_name() -> None:
    """Whose it may be need not be known."""
    unnamed = case(*upto(ACCEPTED), replace(RECEIVED, handler=None))
    asked = unnamed.when(replace(RETURN, by=actor(QIAN, "approval-handler"), suggested_unit=None)).event
    assert asked.suggested_unit is None


def test_one_return_is_decided_at_a_time() -> None:
    """A second request waits until the first is decided; a case that was signed for is not returned."""
    returnable(ASKED).when(replace(RETURN, request=key("second"))).then_refused(OnceOnly)
    returnable(SIGNED).when(RETURN).then_refused(OutOfTurn)


def test_an_approved_return_lets_the_desk_assign_anew() -> None:
    """The limit for assigning begins with the approval; the promise to the complainant does not move."""
    approved = AssignmentReturnApproved(
        at=APPROVE.at,
        by=DESK,
        request=REQUEST,
        assign_due=until("02-24", "09:00"),  # from half past two to six, and half an hour after the holidays
        basis=BASIS,
    )
    returnable(ASKED).when(APPROVE).then([approved])
    before, after = returnable(ASKED).state, returnable(ASKED, approved).state
    assert before is not None
    assert after is not None
    assert (after.step, after.department, after.handler, after.forwards) == (Step.ACCEPTED, None, None, 1)
    assert after.due(Clock.ASSIGN) == until("02-24", "09:00")
    assert after.due(Clock.HANDLE) == before.due(Clock.HANDLE)
    assert after.returning is None


def test_a_rejected_return_costs_the_unit_no_time() -> None:
    """The wait is taken out of the limit for signing, and out of no other (domain.md §4.3)."""
    rejected = AssignmentReturnRejected(at=REJECT.at, by=DESK, request=REQUEST, reason=sealed("reason"), final=True)
    events = returnable(ASKED).when(REJECT).events
    assert events[0] == rejected
    (moved,) = events[1:]
    assert isinstance(moved, DeadlineRecomputed)
    assert (moved.clock, moved.cause, moved.reference) == (Clock.SIGN, Cause.RETURNED, REQUEST)
    # Ten to eleven, then from half past two: one hour of four was gone, three are left.
    assert (moved.old, moved.new) == (until("02-14", "15:30"), until("02-14", "17:30"))
    before, after = returnable(ASKED).state, returnable(ASKED, rejected, moved).state
    assert before is not None
    assert after is not None
    assert after.step is Step.ASSIGNED
    assert after.due(Clock.SIGN) == until("02-14", "17:30")
    assert after.due(Clock.HANDLE) == before.due(Clock.HANDLE)
    assert returnable(ASKED, rejected, moved).when(SignFor(at=local("02-14", "17:30"), by=HANDLER)).event.late is False


def test_a_wait_of_no_working_time_moves_nothing() -> None:
    """Asked and decided in the break at noon."""
    at_noon = replace(ASKED, at=local("02-14", "12:10"))
    decided = returnable(at_noon).when(replace(REJECT, at=local("02-14", "12:20"))).events
    assert len(decided) == 1


def test_a_case_without_limit_for_signing_can_be_left_where_it_is() -> None:
    """Nothing runs, so nothing moves; the rules believe whatever history they load."""
    assert case(*upto(ACCEPTED), ASKED).state is not None
    unlimited = case(*upto(ACCEPTED), replace(RECEIVED, sign_due=None), ASKED).when(REJECT).events
    assert isinstance(unlimited[0], AssignmentReturnRejected)
    there = returnable(ASKED).state
    assert there is not None
    without = replace(there, clocks=MappingProxyType({}))
    assert len(COMPLAINT.decide(without, REJECT, FACTS)) == 1


def test_a_history_in_which_nobody_got_the_case_loads() -> None:
    """Folding never refuses: where it is not known who has a case, somebody signs for it."""
    lost = case(*LED).when(HAND_OVER).event
    after = case(*LED, replace(lost, department=None, handler=None)).state
    assert after is not None
    assert (after.step, after.department) == (Step.ASSIGNED, None)
    assert after.departments == {"approval", "tax"}


def test_after_a_final_decision_the_unit_keeps_the_case() -> None:
    """Designated units do not return (R3 art. 22); one that was not final may be followed by another request."""
    final = AssignmentReturnRejected(at=REJECT.at, by=DESK, request=REQUEST, reason=sealed("reason"), final=True)
    again = replace(RETURN, at=REJECT.at, request=key("second"))
    returnable(ASKED, final).when(again).then_refused(Designated)
    open_still = returnable(ASKED, replace(final, final=False))
    open_still.when(again).then([replace(ASKED, at=again.at, request=again.request)])


def test_a_new_unit_is_not_bound_by_what_was_decided_on_the_old_one() -> None:
    """The case was handed over: it may be returned once more, and what waited is no longer decided."""
    final = AssignmentReturnRejected(at=REJECT.at, by=DESK, request=REQUEST, reason=sealed("reason"), final=True)
    at = local("02-14", "15:00")
    for history in ((ASKED, final), (ASKED,)):
        handed = returnable(*history).when(replace(HAND_OVER, at=at)).event
        fresh = returnable(*history, handed)
        assert fresh.state is not None
        assert (fresh.state.returning, fresh.state.designated) == (None, False)
        by_tax = replace(RETURN, at=later(at, minutes=5), by=TAX_HANDLER, request=key("second"), suggested_unit=None)
        assert fresh.when(by_tax).event.late is False


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (HANDLER, NotYourRole),
        (SUPERVISOR, NotYourRole),
        (replace(DESK, on_behalf_of=WANG), OwnReturn),
        (replace(DESK, on_behalf_of=FENG), OwnCause),
    ],
)
def test_the_desk_decides_and_nobody_on_their_own_wish(by: Actor, refusal: type[Refused]) -> None:
    """Also not for somebody else who asked for it."""
    returnable(ASKED).when(replace(APPROVE, by=by)).then_refused(refusal)
    returnable(replace(ASKED, by=actor(WEI, "approval-handler"))).when(
        replace(APPROVE, by=actor(WEI, "desk"))
    ).then_refused(OwnReturn)


def test_only_the_return_that_waits_is_decided() -> None:
    """Another one, or none, is no longer current."""
    returnable(ASKED).when(replace(APPROVE, request=key("second"))).then_refused(Superseded)
    returnable().when(APPROVE).then_refused(Superseded)


@pytest.mark.parametrize("given", [{"approved": False}, {"reason": sealed("reason")}])
def test_a_rejection_says_why_and_an_approval_needs_not(given: dict[str, object]) -> None:
    """Who has to keep a case reads why."""
    with pytest.raises(ValueError, match="a reason belongs to a rejection"):
        replace(APPROVE, **given)  # type: ignore[arg-type]  # one field each
