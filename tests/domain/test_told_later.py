"""What is told later than it happened, and what a finding or an unknown name changes for those who come after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.complaint import (
    ApproveReply,
    Close,
    Closed,
    ComplainantContacted,
    Event,
    PlanRectification,
    RecordContact,
    Rectify,
    Registered,
    Reply,
    ReplyDeliveryFailed,
    Revisit,
    Revisited,
    SubmitReply,
)
from domain.complaint.inquiry import Responsibility, ResponsibilityKind
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.revisiting import Outcome
from domain.complaint.state import IdentityMode
from domain.errors import NotYetHappened, OwnCause, Superseded, UnknownReference
from domain.handling import ContactResult, Method
from tests.controls import (
    ANSWERS,
    APPROVED,
    ATTEMPTED,
    CLOSED,
    CONTACTED,
    EVIDENCE,
    FOUND,
    PLANNED,
    RECTIFICATION,
    RECTIFIED,
    REGISTERED,
    REGISTRATION,
    REPLIED,
    REPLY,
    REVISITED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    case,
    upto,
)
from tests.hall import DESK, HANDLER, HEAD, MEASURED, REVISITOR, ZHAO, key, later, sealed

CONTACT = RecordContact(
    at=CONTACTED.at, by=HANDLER, method=Method.PHONE, result=ContactResult.REACHED, note=sealed("note")
)
DO = Rectify(at=RECTIFIED.at, by=HANDLER, rectification=RECTIFICATION, actions=sealed("done"), evidence=(EVIDENCE,))
DELIVER = Reply(at=REPLIED.at, by=HANDLER, reply=REPLY, method=Method.PHONE, failed=None)
REVISIT = Revisit(at=ATTEMPTED.at, by=REVISITOR, method=Method.PHONE, result=ContactResult.REACHED, answers=ANSWERS)
Late = RecordContact | Rectify | Reply | Revisit
TOLD: list[tuple[Event, Late, str]] = [
    (SIGNED, CONTACT, "happened_at"),
    (PLANNED, DO, "happened_at"),
    (APPROVED, DELIVER, "delivered_at"),
    (APPROVED, replace(DELIVER, failed=DeliveryFailure.NO_ANSWER), "happened_at"),
    (REPLIED, REVISIT, "happened_at"),
]


@pytest.mark.parametrize(("last", "command", "field"), TOLD, ids=lambda one: type(one).__name__)
def test_what_happened_earlier_says_when(last: Event, command: Late, field: str) -> None:
    """It stands beside the time of the record, by which limits and attempts go; what is to come has not happened."""
    earlier = later(command.at, days=-1)
    told = case(*upto(last)).when(replace(command, happened_at=earlier)).events[0]
    at_once = case(*upto(last)).when(command).events[0]
    assert getattr(told, field) == earlier
    assert getattr(at_once, field) is None
    assert replace(told, **{field: None}) == at_once  # type: ignore[arg-type]
    now = case(*upto(last)).when(replace(command, happened_at=command.at)).events[0]
    assert getattr(now, field) == command.at
    to_come = replace(command, happened_at=later(command.at, seconds=1))
    case(*upto(last)).when(to_come).then_refused(NotYetHappened, happened_at=later(command.at, seconds=1))


def test_a_failed_delivery_and_an_attempt_are_told_as_such() -> None:
    """The events that carry the time are those of the failed try."""
    failed = case(*upto(APPROVED)).when(TOLD[3][1]).event
    assert isinstance(failed, ReplyDeliveryFailed)
    contact = case(*upto(SIGNED)).when(CONTACT).event
    assert isinstance(contact, ComplainantContacted)


def test_a_revisit_after_its_limit_is_late() -> None:
    """The limit was told with the reply; what the complainant says stands with whether it came in time."""
    late = replace(REVISIT, at=later(REVISIT.at, days=10))
    revisited = case(*upto(REPLIED)).when(late).events[1]
    assert isinstance(revisited, Revisited)
    assert revisited.late is True


def test_who_would_not_say_and_how_it_ended_are_codes() -> None:
    """Reasons from lists, not sentences."""
    unwilling = replace(REVISIT, answers=replace(ANSWERS, refused_reason="no_time"))
    revisited = case(*upto(REPLIED)).when(unwilling).events[1]
    assert isinstance(revisited, Revisited)
    assert revisited.refused_reason == "no_time"
    closing = Close(at=CLOSED.at, by=DESK, outcome=Outcome.RESOLVED, resolution_code="apology")
    closed = case(*upto(REVISITED)).when(closing).event
    assert isinstance(closed, Closed)
    assert closed.resolution_code == "apology"


def test_a_letter_says_when_it_came_and_a_group_how_many_they_are() -> None:
    """A letter found on Monday came on Friday; six people complain together."""
    came = later(REGISTRATION.at, days=-3)
    registered = case().when(replace(REGISTRATION, received_at=came, people=6)).events[0]
    assert isinstance(registered, Registered)
    assert (registered.received_at, registered.people) == (came, 6)


def test_whom_the_finding_names_judges_nothing() -> None:
    """A head who is found responsible does not approve the reply, wherever the complaint pointed at first."""
    part = Responsibility(department="approval", staff=ZHAO, kind=ResponsibilityKind.DIRECT)
    named = [replace(e, responsibility=(part,)) if e is FOUND else e for e in upto(SUBMITTED)]
    approve = ApproveReply(at=APPROVED.at, by=HEAD, reply=REPLY)
    case(*named).when(approve).then_refused(OwnCause)
    unnamed = [replace(e, responsibility=(replace(part, staff=None),)) if e is FOUND else e for e in upto(SUBMITTED)]
    assert case(*unnamed).when(approve).event == APPROVED


def test_nobody_has_to_call_whom_nobody_knows() -> None:
    """An anonymous complaint is answered without calls that could not be made."""
    unheard = [e for e in upto(VERIFIED) if e is not CONTACTED]
    submit = SubmitReply(
        at=SUBMITTED.at,
        by=HANDLER,
        reply=REPLY,
        decision=Decision.UPHELD,
        reasons=sealed("reasons"),
        reasons_measured=MEASURED,
        legal_basis=sealed("legal_basis"),
        points=tuple(sealed(f"point-{n}") for n in range(REGISTERED.points)),
        remedy=None,
        appeal_route=AppealRoute.REVIEW_REQUEST,
        template_version=None,
    )
    nameless = [replace(e, identity_mode=IdentityMode.ANONYMOUS) if isinstance(e, Registered) else e for e in unheard]
    assert len(case(*nameless).when(submit).events) == 1


def test_a_new_plan_names_the_failed_one_it_replaces() -> None:
    """What passed, or was not yet judged, or was never planned, is replaced by nothing."""
    failed = [replace(e, passed=False) if e is VERIFIED else e for e in upto(VERIFIED)]
    plan = PlanRectification(
        at=VERIFIED.at, by=HANDLER, rectification=key("again"), actions=sealed("actions"), due=PLANNED.due.day,
        replaces=RECTIFICATION,
    )  # fmt: skip
    planned = case(*failed).when(plan).event
    assert getattr(planned, "replaces") == RECTIFICATION  # noqa: B009  # the union of events has no such field
    case(*upto(VERIFIED)).when(plan).then_refused(Superseded)
    case(*upto(RECTIFIED)).when(plan).then_refused(Superseded)
    case(*failed).when(replace(plan, replaces=key("never"))).then_refused(UnknownReference)
