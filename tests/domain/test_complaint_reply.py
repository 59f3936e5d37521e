"""The complainant is answered: on every point, by a reply somebody else approved, delivered in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.complaint import (
    ApproveReply,
    Command,
    ComplainantContacted,
    Event,
    RejectReply,
    Reply,
    ReplyDeliveryFailed,
    ReplyToLedgerCase,
    ReworkOrdered,
    SubmitReply,
)
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.state import Finding, Step
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    ContactMissing,
    DeliveredByItself,
    FindingMissing,
    NoPolicy,
    NotEveryPointAnswered,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnWorkApproved,
    OwnWorkRevisited,
    OwnWorkVerified,
    RectificationMissing,
    Refused,
    Superseded,
    WrittenReplyOwed,
)
from domain.handling import ContactResult, Method
from domain.rulebook import RULEBOOK
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    CONTACTED,
    EVIDENCED,
    FOUND,
    LOOP,
    PLANNED,
    REGISTERED,
    REPLIED,
    REPLY,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    case,
    upto,
)
from tests.hall import (
    COMPLAINANT,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    HEAD,
    MEASURED,
    QIAN,
    SUN,
    WANG,
    WEI,
    WU,
    ZHAO,
    actor,
    key,
    leaving,
    local,
    sealed,
    until,
)

SUBMIT = SubmitReply(
    at=SUBMITTED.at,
    by=HANDLER,
    reply=REPLY,
    decision=Decision.UPHELD,
    reasons=sealed("reasons"),
    reasons_measured=MEASURED,
    legal_basis=sealed("legal_basis"),
    points=SUBMITTED.points,
    remedy=sealed("remedy"),
    appeal_route=AppealRoute.REVIEW_REQUEST,
    template_version=1,
)
APPROVE = ApproveReply(at=APPROVED.at, by=HEAD, reply=REPLY)
REJECT = RejectReply(at=APPROVED.at, by=HEAD, reply=REPLY, reason=sealed("reason"))
DELIVER = Reply(at=REPLIED.at, by=HANDLER, reply=REPLY, method=Method.PHONE, failed=None)
REJECTED = ReworkOrdered(at=APPROVED.at, by=HEAD, reply=REPLY, reason=sealed("reason"), rework_no=1)
SECOND = key("reply-2")
WRITTEN = tuple(replace(event, written=True) if event is REGISTERED else event for event in upto(APPROVED))


def attempt(number: int, day: str, result: ContactResult = ContactResult.NO_ANSWER) -> ComplainantContacted:
    """Give one attempt to reach the complainant, on a day of 2026."""
    at = local(day)
    return replace(CONTACTED, at=at, attempt_no=number, day=date.fromisoformat(f"2026-{day}"), result=result)


def handled(*contacts: Event, finding: Finding = Finding.UNSUBSTANTIATED) -> tuple[Event, ...]:
    """Give a case with a finding, after these contacts."""
    found = replace(FOUND, finding=finding, rectification_required=finding.asks_for_rectification, evidence=())
    return (*upto(SIGNED), *contacts, found)


# Submitting


def test_a_reply_is_put_before_the_head() -> None:
    """With everything that was found, contacted and planned before it."""
    case(*upto(VERIFIED)).when(SUBMIT).then([SUBMITTED])
    case(*upto(PLANNED)).when(SUBMIT).then([SUBMITTED])


def test_no_reply_without_a_finding() -> None:
    """Nobody answers before knowing."""
    case(*upto(EVIDENCED)).when(SUBMIT).then_refused(FindingMissing)


def test_no_reply_without_a_word_with_the_complainant() -> None:
    """Reached once, or tried three times on two days (domain.md §6.3)."""
    case(*handled()).when(SUBMIT).then_refused(ContactMissing, attempts=0, required=3)
    two = (attempt(1, "02-24"), attempt(2, "02-25"))
    case(*handled(*two)).when(SUBMIT).then_refused(ContactMissing, attempts=2)
    one_day = tuple(attempt(n, "02-24") for n in (1, 2, 3, 4))
    case(*handled(*one_day)).when(SUBMIT).then_refused(ContactMissing, attempts=4)
    assert case(*handled(*two, attempt(3, "02-25"))).when(SUBMIT).event == SUBMITTED
    reached = attempt(1, "02-24", ContactResult.REACHED)
    assert case(*handled(reached, attempt(2, "02-25"))).when(SUBMIT).event == SUBMITTED


@pytest.mark.parametrize("result", [ContactResult.DECLINED, ContactResult.WRONG_NUMBER, ContactResult.NO_ANSWER])
def test_only_who_was_reached_was_reached(result: ContactResult) -> None:
    """A wrong number is an attempt, not a talk."""
    case(*handled(attempt(1, "02-24", result))).when(SUBMIT).then_refused(ContactMissing)


@pytest.mark.parametrize("finding", [Finding.SUBSTANTIATED, Finding.PARTLY])
def test_no_reply_to_a_true_complaint_without_a_plan(finding: Finding) -> None:
    """The plan is needed, its execution is not."""
    history = handled(CONTACTED, finding=finding)
    case(*history).when(SUBMIT).then_refused(RectificationMissing)
    assert case(*history, PLANNED).when(SUBMIT).event == SUBMITTED


@pytest.mark.parametrize("finding", [Finding.UNSUBSTANTIATED, Finding.UNVERIFIABLE])
def test_an_untrue_complaint_is_answered_without_a_plan(finding: Finding) -> None:
    """Nothing to put right, still an answer."""
    assert case(*handled(CONTACTED, finding=finding)).when(SUBMIT).event == SUBMITTED


@pytest.mark.parametrize("points", [(), (sealed("point-1"),), tuple(sealed(f"point-{n}") for n in range(3))])
def test_every_point_is_answered(points: tuple[object, ...]) -> None:
    """Two grievances, two answers."""
    command = replace(SUBMIT, points=points)  # type: ignore[arg-type]
    case(*upto(VERIFIED)).when(command).then_refused(NotEveryPointAnswered, points=2, answered=len(points))


def test_a_reply_that_was_sent_back_does_not_return_under_its_name() -> None:
    """Or a head who read the first could approve the second."""
    again = (*upto(SUBMITTED), REJECTED)
    case(*again).when(replace(SUBMIT, at=local("02-27"))).then_refused(AlreadyThere, reply=REPLY)
    assert case(*again).when(replace(SUBMIT, at=local("02-27"), reply=SECOND)).event.reply == SECOND


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (actor(WU, "approval-handler"), NotYourCase),
        (replace(HANDLER, on_behalf_of=FENG), OwnCause),
        (replace(HANDLER, on_behalf_of=COMPLAINANT), OwnComplaint),
        (replace(HANDLER, on_behalf_of=SUN), OwnWorkVerified),
        (HEAD, NotYourRole),
        (THE_SYSTEM, NotYourRole),
    ],
)
def test_only_the_handler_submits(by: Actor, refusal: type[Refused]) -> None:
    """And nobody whom the law of two sides keeps out."""
    case(*upto(VERIFIED)).when(replace(SUBMIT, by=by)).then_refused(refusal)


# Approving


def test_the_head_approves_or_sends_back() -> None:
    """Approved it can be delivered; sent back, the work goes on."""
    case(*upto(SUBMITTED)).when(APPROVE).then([APPROVED])
    case(*upto(SUBMITTED)).when(REJECT).then([REJECTED])
    state = case(*upto(SUBMITTED), REJECTED).state
    assert state is not None
    assert (state.step, state.reply, state.reworks) == (Step.IN_PROGRESS, None, 1)


def test_reworks_are_counted() -> None:
    """The second time says so."""
    second = replace(SUBMITTED, reply=SECOND)
    assert case(*upto(SUBMITTED), REJECTED, second).when(replace(REJECT, reply=SECOND)).event.rework_no == 2


@pytest.mark.parametrize("command", [APPROVE, REJECT], ids=lambda one: type(one).__name__)
def test_only_the_reply_in_hand_is_decided_on(command: ApproveReply | RejectReply) -> None:
    """A page left open decides nothing."""
    history = (*upto(SUBMITTED), REJECTED, replace(SUBMITTED, reply=SECOND))
    case(*history).when(command).then_refused(Superseded, reply=REPLY)


BY_QIAN = tuple(
    replace(event, by=actor(QIAN, "approval-handler")) if event.by == HANDLER else event for event in upto(SUBMITTED)
)


@pytest.mark.parametrize("command", [APPROVE, REJECT], ids=lambda one: type(one).__name__)
def test_nobody_decides_on_their_own_reply(command: ApproveReply | RejectReply) -> None:
    """Qian handles and is deputy head: another head decides. Nor does Zhao for Wang, nor the other way round."""
    case(*BY_QIAN).when(replace(command, by=actor(QIAN, "approval-head"))).then_refused(OwnWorkApproved)
    assert case(*BY_QIAN).when(command).event.by == HEAD
    case(*upto(SUBMITTED)).when(replace(command, by=replace(HEAD, on_behalf_of=WANG))).then_refused(OwnWorkApproved)


@pytest.mark.parametrize(
    "part", [event for event in upto(SUBMITTED) if event.by == HANDLER], ids=lambda event: type(event).__name__
)
def test_nobody_decides_on_what_was_done_in_their_name(part: Event) -> None:
    """One step with the head as mandator is enough to keep the head out."""
    by = replace(HANDLER, on_behalf_of=ZHAO)
    history = [replace(event, by=by) if event is part else event for event in upto(SUBMITTED)]
    case(*history).when(APPROVE).then_refused(OwnWorkApproved)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (actor(WEI, "tax-head"), NotYourCase),
        (actor(WEI, "approval-handler"), NotYourRole),
        (DESK, NotYourRole),
        (replace(HEAD, on_behalf_of=FENG), OwnCause),
        (replace(HEAD, on_behalf_of=COMPLAINANT), OwnComplaint),
        (Actor(person=ZHAO, role=Role.UNIT_HEAD), NotYourRole),
        (Actor(person=FENG, role=Role.RESPONDENT), NotYourRole),
    ],
)
@pytest.mark.parametrize("command", [APPROVE, REJECT], ids=lambda one: type(one).__name__)
def test_only_a_head_of_the_unit_decides(command: Command, by: Actor, refusal: type[Refused]) -> None:
    """A head of another unit does not, nor anybody concerned."""
    case(*upto(SUBMITTED)).when(replace(command, by=by)).then_refused(refusal)


def test_a_head_who_complains_or_is_complained_of_does_not_decide() -> None:
    """Though the unit was free of it when the case was assigned, the head may have come later."""
    own = [replace(event, complainant=ZHAO) if event is REGISTERED else event for event in upto(SUBMITTED)]
    case(*own).when(APPROVE).then_refused(OwnComplaint)
    respondent = replace(REGISTERED.respondent, staff=ZHAO)
    about = [replace(event, respondent=respondent) if event is REGISTERED else event for event in upto(SUBMITTED)]
    case(*about).when(APPROVE).then_refused(OwnCause)


def test_who_sent_it_back_does_not_work_on_it() -> None:
    """The handler may not act for the head who judged the work, whichever way it was judged."""
    by = replace(HANDLER, on_behalf_of=ZHAO)
    submit = replace(SUBMIT, reply=SECOND, by=by)
    case(*upto(SUBMITTED), REJECTED).when(submit).then_refused(OwnWorkApproved)
    case(*upto(APPROVED)).when(replace(DELIVER, by=by)).then_refused(OwnWorkApproved)


# Delivering


def test_the_reply_is_delivered_and_the_limits_after_it_run() -> None:
    """Thirty natural days for a review; four working days for the revisit, after the handling limit."""
    case(*upto(APPROVED)).when(DELIVER).then([REPLIED])


def test_the_handling_limit_is_met_by_the_delivery() -> None:
    """The 28th of February is the last day, a Saturday that is worked; approval on that day is not enough."""
    assert case(*upto(APPROVED)).when(replace(DELIVER, at=local("02-28", "23:59:59.999999"))).event.late is False
    assert case(*upto(APPROVED)).when(replace(DELIVER, at=local("03-01", "00:00"))).event.late is True


def test_an_early_reply_gives_the_revisit_more_time_and_a_late_one_no_less() -> None:
    """Four working days after 28 February end on 5 March; after a reply on Monday 9 March, on Friday the 13th."""
    assert case(*upto(APPROVED)).when(DELIVER).event.revisit_due == until("03-05")
    assert case(*upto(APPROVED)).when(replace(DELIVER, at=local("03-09"))).event.revisit_due == until("03-13")


def test_a_review_may_be_asked_for_until_a_working_day() -> None:
    """Thirty days from 28 February end on Monday 30 March; from 5 March in a holiday that ends on 6 April."""
    on_the_last_day = replace(DELIVER, at=local("02-28", "10:00"))
    assert case(*upto(APPROVED)).when(on_the_last_day).event.review_request_until == until("03-30")
    in_march = replace(DELIVER, at=local("03-05", "10:00"))
    assert case(*upto(APPROVED)).when(in_march).event.review_request_until == until("04-07")


def test_nothing_is_promised_where_no_rule_says_so() -> None:
    """No calendar, no limits in working days; lateness stays unknown where no limit was promised."""
    unknown = replace(FACTS, rulebook=RULEBOOK.fold(FACTS.rulebook.policies))
    history = [replace(event, handle_due=None) if event is ACCEPTED else event for event in upto(APPROVED)]
    event = case(*history, facts=unknown).when(DELIVER).event
    assert (event.late, event.revisit_due) == (None, None)


@pytest.mark.parametrize("method", Method)
def test_who_wrote_gets_something_written(method: Method) -> None:
    """By letter, message or on the web; a call does not answer a letter."""
    # What a machine delivers, the machine says.
    command = replace(DELIVER, method=method, by=THE_SYSTEM if method.by_machine else HANDLER)
    if method in {Method.LETTER, Method.MESSAGE, Method.WEB}:
        assert case(*WRITTEN).when(command).event.method is method
    else:
        case(*WRITTEN).when(command).then_refused(WrittenReplyOwed, method=method)
    assert case(*upto(APPROVED)).when(command).event.method is method


@pytest.mark.parametrize("method", [Method.MESSAGE, Method.WEB])
def test_nobody_says_for_a_machine_that_something_arrived(method: Method) -> None:
    """Neither that it did, nor that it did not; the sender itself records both (docs/decisions/0016)."""
    for failed in (None, DeliveryFailure.NO_ANSWER):
        command = replace(DELIVER, method=method, failed=failed)
        case(*upto(APPROVED)).when(command).then_refused(DeliveredByItself, method=method)
        assert case(*upto(APPROVED)).when(replace(command, by=THE_SYSTEM)).events


def test_a_delivery_that_failed_changes_nothing_but_the_count() -> None:
    """The limit still runs, the reply is still owed."""
    failing = replace(DELIVER, failed=DeliveryFailure.NO_ANSWER)
    first = ReplyDeliveryFailed(
        at=REPLIED.at, by=HANDLER, reply=REPLY, attempt_no=1, method=Method.PHONE, cause=DeliveryFailure.NO_ANSWER
    )
    case(*upto(APPROVED)).when(failing).then([first])
    state = case(*upto(APPROVED), first).state
    assert state is not None
    assert state.step is Step.REPLY_APPROVED
    assert case(*upto(APPROVED), first).when(failing).event.attempt_no == 2
    assert case(*upto(APPROVED), first).when(DELIVER).event == REPLIED


def test_only_the_approved_reply_is_delivered() -> None:
    """Another one, even of the same case, is not."""
    case(*upto(APPROVED)).when(replace(DELIVER, reply=SECOND)).then_refused(Superseded, reply=SECOND)


def test_a_machine_may_deliver() -> None:
    """A gateway that sends messages reports for itself (domain.md §6.3: SYSTEM or HANDLER)."""
    command = replace(DELIVER, by=THE_SYSTEM)
    case(*upto(APPROVED)).when(command).then([replace(REPLIED, by=THE_SYSTEM)])
    case(*upto(APPROVED), facts=replace(FACTS, rulebook=RULEBOOK.initial)).when(command).then_refused(NoPolicy)


@pytest.mark.parametrize(
    ("mandator", "refusal"),
    [(FENG, OwnCause), (COMPLAINANT, OwnComplaint), (ZHAO, OwnWorkApproved), (SUN, OwnWorkVerified)],
)
def test_nobody_hides_behind_a_machine(mandator: PersonKey, refusal: type[Refused]) -> None:
    """Who may not act may not have it done by a machine either."""
    command = replace(DELIVER, by=replace(THE_SYSTEM, on_behalf_of=mandator))
    case(*upto(APPROVED)).when(command).then_refused(refusal)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (actor(WU, "approval-handler"), NotYourCase),
        (replace(HANDLER, on_behalf_of=FENG), OwnCause),
        (HEAD, NotYourRole),
        (DESK, NotYourRole),
    ],
)
def test_only_the_handler_or_a_machine_delivers(by: Actor, refusal: type[Refused]) -> None:
    """Not the head, not the desk."""
    case(*upto(APPROVED)).when(replace(DELIVER, by=by)).then_refused(refusal)


def test_who_revisited_an_earlier_reply_does_not_deliver_the_next() -> None:
    """Should a case come back after a revisit, the officer stays outside."""
    officer = actor(WU, "revisits")
    revisited = [replace(event, by=officer) if event in LOOP[14:16] else event for event in LOOP[:16]]
    again = [*revisited, replace(REJECTED, rework_no=1), replace(SUBMITTED, reply=SECOND), APPROVED]
    command = replace(DELIVER, reply=SECOND, by=replace(HANDLER, on_behalf_of=WU))
    case(*again).when(command).then_refused(OwnWorkRevisited)


def test_a_new_reply_is_owed_a_new_revisit() -> None:
    """What was said of the first reply does not speak for the second."""
    again = [*LOOP[:16], REJECTED, replace(SUBMITTED, reply=SECOND), APPROVED, replace(REPLIED, reply=SECOND)]
    state = case(*again).state
    assert state is not None
    assert (state.step, state.revisited, state.revisit_days) == (Step.REPLIED, False, ())


TURNS: dict[type[Command], set[Step]] = {
    SubmitReply: {Step.IN_PROGRESS},
    ApproveReply: {Step.REPLY_PENDING_APPROVAL},
    RejectReply: {Step.REPLY_PENDING_APPROVAL},
    Reply: {Step.REPLY_APPROVED},
    ReplyToLedgerCase: {Step.REGISTERED},
}


@pytest.mark.parametrize("command", [SUBMIT, APPROVE, REJECT, DELIVER], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("last", [None, *LOOP], ids=lambda event: type(event).__name__)
def test_each_step_has_its_turn(command: Command, last: Event | None) -> None:
    """Everywhere else the command is out of turn, whoever asks."""
    given = case(*(() if last is None else upto(last)))
    step = None if given.state is None else given.state.step
    if step not in TURNS[type(command)]:
        given.when(replace(command, at=local("03-10"))).then_refused(OutOfTurn, allowed=sorted(TURNS[type(command)]))


def test_a_handler_who_left_replies_no_more() -> None:
    """The post, not the memory of it, lets somebody act."""
    left = leaving(WANG, "approval-handler", local("02-26"))
    for history, command in ((upto(VERIFIED), SUBMIT), (upto(APPROVED), DELIVER)):
        case(*history, facts=left).when(command).then_refused(NotYourRole, post="approval-handler")
    assert ASSIGNED.handler == WANG
