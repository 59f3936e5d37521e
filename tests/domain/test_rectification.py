"""What was found is put right: planned with a date, done, and looked at by somebody who took no part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.complaint import (
    COMPLAINT,
    Command,
    Event,
    PlanRectification,
    RectificationPlanned,
    RectificationVerified,
    Rectified,
    Rectify,
    ReworkOrdered,
    VerifyRectification,
)
from domain.complaint.rectification import DURING
from domain.complaint.state import Finding, Step
from domain.decider import Actor, Role
from domain.errors import (
    AlreadyThere,
    DateInPast,
    FindingMissing,
    NothingToRectify,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnWorkApproved,
    OwnWorkRevisited,
    OwnWorkVerified,
    Refused,
    Superseded,
    UnknownReference,
)
from domain.handling import end_of
from tests.controls import (
    APPROVED,
    ATTEMPTED,
    CLOSED,
    EVIDENCE,
    EVIDENCED,
    FOUND,
    LOOP,
    PLANNED,
    RECTIFICATION,
    RECTIFIED,
    REPLIED,
    REVISITED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    case,
    upto,
)
from tests.hall import (
    COMPLAINANT,
    DESK,
    FENG,
    HANDLER,
    HEAD,
    SHANGHAI,
    SUN,
    SUPERVISOR,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHOU,
    actor,
    key,
    leaving,
    local,
    sealed,
    until,
)

PLAN = PlanRectification(
    at=PLANNED.at, by=HANDLER, rectification=RECTIFICATION, actions=sealed("actions"), due=date(2026, 3, 6)
)
DO = Rectify(at=RECTIFIED.at, by=HANDLER, rectification=RECTIFICATION, actions=sealed("done"), evidence=(EVIDENCE,))
VERIFY = VerifyRectification(
    at=VERIFIED.at, by=SUPERVISOR, rectification=RECTIFICATION, passed=True, note=sealed("note")
)
AGAIN = key("rectification-2")
FAILED = replace(VERIFIED, passed=False)


def test_an_action_is_planned_to_the_end_of_a_day() -> None:
    """Until the last instant of 6 March in the hall."""
    case(*upto(FOUND)).when(PLAN).then([PLANNED])


def test_a_plan_for_today_is_still_a_plan() -> None:
    """Yesterday is over, today is not; the day is the hall's."""
    today = replace(PLAN, due=date(2026, 2, 25))
    assert case(*upto(FOUND)).when(today).event.due == until("02-25")
    just_after_midnight = replace(today, at=local("02-26", "00:00"))
    case(*upto(FOUND)).when(just_after_midnight).then_refused(DateInPast, due=date(2026, 2, 25))


def test_a_date_far_away_is_a_date() -> None:
    """The last day there is ends like any other."""
    assert case(*upto(FOUND)).when(replace(PLAN, due=date.max)).event.due.day == date.max


def test_a_day_ends_where_the_hall_is() -> None:
    """At 15:59:59.999999 UTC in China, three hours earlier for nobody."""
    assert end_of(date(2026, 3, 6), SHANGHAI).at == datetime(2026, 3, 6, 15, 59, 59, 999999, UTC)
    assert end_of(date(2026, 10, 25), ZoneInfo("Europe/London")).at == datetime(2026, 10, 25, 23, 59, 59, 999999, UTC)


@pytest.mark.parametrize("finding", [Finding.UNSUBSTANTIATED, Finding.UNVERIFIABLE])
def test_nothing_is_put_right_where_nothing_was_wrong(finding: Finding) -> None:
    """A plan needs a finding that asks for it."""
    case(*upto(EVIDENCED)).when(PLAN).then_refused(FindingMissing)
    found = replace(FOUND, finding=finding, rectification_required=False)
    case(*upto(EVIDENCED), found).when(PLAN).then_refused(NothingToRectify, finding=finding)


def test_a_partly_true_complaint_is_put_right_too() -> None:
    """Partly is enough."""
    found = replace(FOUND, finding=Finding.PARTLY)
    assert case(*upto(EVIDENCED), found).when(PLAN).event == PLANNED


def test_a_plan_is_not_exchanged_under_its_name() -> None:
    """A later date is a new plan with an id of its own, and the old one stays."""
    case(*upto(PLANNED)).when(replace(PLAN, due=date(2026, 12, 31))).then_refused(AlreadyThere)
    assert case(*upto(PLANNED)).when(replace(PLAN, rectification=AGAIN)).event.rectification == AGAIN


def test_an_action_is_carried_out_once_and_in_time() -> None:
    """On the last instant it is on time; a second report of it changes nothing."""
    case(*upto(PLANNED)).when(DO).then([RECTIFIED])
    assert case(*upto(PLANNED)).when(replace(DO, at=local("03-06", "23:59:59.999999"))).event.late is False
    assert case(*upto(PLANNED)).when(replace(DO, at=local("03-07", "00:00"))).event.late is True
    case(*upto(RECTIFIED)).when(DO).then_refused(Superseded, rectification=RECTIFICATION)
    case(*upto(PLANNED)).when(replace(DO, rectification=AGAIN)).then_refused(
        UnknownReference, kind="rectification", value=AGAIN
    )


def test_an_action_rests_on_evidence_that_is_there() -> None:
    """An id nobody recorded proves nothing."""
    unknown = replace(DO, evidence=(EVIDENCE, key("nothing")))
    case(*upto(PLANNED)).when(unknown).then_refused(UnknownReference, kind="evidence", value=[str(key("nothing"))])
    assert case(*upto(PLANNED)).when(replace(DO, evidence=())).event.evidence == ()


def test_an_action_is_verified_once_after_it_was_done() -> None:
    """Passed or not; neither before it is done nor a second time."""
    case(*upto(RECTIFIED)).when(VERIFY).then([VERIFIED])
    case(*upto(RECTIFIED)).when(replace(VERIFY, passed=False)).then([FAILED])
    case(*upto(PLANNED)).when(VERIFY).then_refused(Superseded, rectification=RECTIFICATION)
    case(*upto(VERIFIED)).when(replace(VERIFY, passed=False)).then_refused(Superseded, rectification=RECTIFICATION)
    case(*upto(RECTIFIED), FAILED).when(VERIFY).then_refused(Superseded, rectification=RECTIFICATION)
    case(*upto(RECTIFIED)).when(replace(VERIFY, rectification=AGAIN)).then_refused(UnknownReference)


def test_what_failed_is_not_simply_reported_again() -> None:
    """A failed action stays failed; a new one is planned."""
    case(*upto(RECTIFIED), FAILED).when(DO).then_refused(Superseded)
    case(*upto(RECTIFIED), FAILED).when(replace(PLAN, rectification=AGAIN)).then(
        [replace(PLANNED, rectification=AGAIN)]
    )


PLANNED_BY_WU = tuple(
    replace(event, by=actor(WU, "approval-handler")) if event.by == HANDLER else event for event in upto(RECTIFIED)
)


def test_nobody_verifies_what_they_did() -> None:
    """Wu handles and supervises; Wang acts through a supervisor; a supervisor acts for Wang."""
    case(*PLANNED_BY_WU).when(replace(VERIFY, by=actor(WU, "supervisor"))).then_refused(OwnWorkVerified)
    case(*upto(RECTIFIED)).when(replace(VERIFY, by=replace(SUPERVISOR, on_behalf_of=WANG))).then_refused(
        OwnWorkVerified
    )


@pytest.mark.parametrize(
    "part",
    [
        replace(SIGNED, by=replace(HANDLER, on_behalf_of=SUN)),
        replace(EVIDENCED, by=replace(HANDLER, on_behalf_of=SUN)),
        replace(FOUND, by=replace(HANDLER, on_behalf_of=SUN)),
        replace(PLANNED, by=replace(HANDLER, on_behalf_of=SUN)),
        replace(RECTIFIED, by=replace(HANDLER, on_behalf_of=SUN)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_mandator_has_taken_part(part: Event) -> None:
    """Whoever had any of the work done in their name does not verify it."""
    history = [part if type(event) is type(part) else event for event in upto(RECTIFIED)]
    case(*history).when(VERIFY).then_refused(OwnWorkVerified)


def test_who_verified_takes_no_part_in_the_work_afterwards() -> None:
    """Also the other way round, and later: nobody acts for the supervisor who has judged."""
    for command in (replace(PLAN, rectification=AGAIN), replace(DO, rectification=AGAIN)):
        history = (
            (*upto(VERIFIED), replace(PLANNED, rectification=AGAIN)) if type(command) is Rectify else upto(VERIFIED)
        )
        case(*history).when(replace(command, by=replace(HANDLER, on_behalf_of=SUN))).then_refused(OwnWorkVerified)


def test_who_approved_or_revisited_takes_no_part_in_the_work_afterwards() -> None:
    """Actions may follow the reply, so the head who approved and the officer who called are kept apart from them."""
    plan = replace(PLAN, rectification=AGAIN, at=local("03-04"))
    by_head = replace(HANDLER, on_behalf_of=ZHAO)
    case(*upto(APPROVED)).when(replace(plan, by=by_head)).then_refused(OwnWorkApproved)
    rejected = ReworkOrdered(at=APPROVED.at, by=HEAD, reply=SUBMITTED.reply, reason=sealed("reason"), rework_no=1)
    case(*upto(SUBMITTED), rejected).when(replace(plan, by=by_head)).then_refused(OwnWorkApproved)
    by_officer = replace(plan, by=replace(HANDLER, on_behalf_of=ZHOU))
    for tried in ((ATTEMPTED,), (REVISITED,), (ATTEMPTED, REVISITED)):
        case(*upto(REPLIED), *tried).when(by_officer).then_refused(OwnWorkRevisited)


@pytest.mark.parametrize("command", [replace(PLAN, rectification=AGAIN), DO], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (actor(WU, "approval-handler"), NotYourCase),
        (replace(HANDLER, on_behalf_of=FENG), OwnCause),
        (replace(HANDLER, on_behalf_of=COMPLAINANT), OwnComplaint),
        (SUPERVISOR, NotYourRole),
        (Actor(person=FENG, role=Role.RESPONDENT), NotYourRole),
    ],
)
def test_only_the_handler_puts_it_right(command: Command, by: Actor, refusal: type[Refused]) -> None:
    """Planning and doing are the handler's."""
    case(*upto(PLANNED)).when(replace(command, by=by)).then_refused(refusal)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (DESK, NotYourRole),
        (HANDLER, NotYourRole),
        (actor(SUN, "revisits"), NotYourRole),
        (replace(SUPERVISOR, on_behalf_of=FENG), OwnCause),
        (replace(SUPERVISOR, on_behalf_of=COMPLAINANT), OwnComplaint),
    ],
)
def test_only_a_supervisor_verifies(by: Actor, refusal: type[Refused]) -> None:
    """Somebody with the post, and no part in the matter."""
    case(*upto(RECTIFIED)).when(replace(VERIFY, by=by)).then_refused(refusal)


def test_a_supervisor_who_left_verifies_nothing() -> None:
    """From the moment of leaving."""
    left = leaving(SUN, "supervisor", VERIFY.at)
    case(*upto(RECTIFIED), facts=left).when(VERIFY).then_refused(NotYourRole)


def test_a_reply_does_not_wait_for_every_action() -> None:
    """Planning, doing and verifying go on until after the case is closed (domain.md §6.3)."""
    assert set(DURING) == {
        Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED, Step.REPLIED, Step.CLOSED,
    }  # fmt: skip
    at = local("03-05")
    for last in (SUBMITTED, APPROVED, REPLIED, CLOSED):
        history = [*upto(last), replace(PLANNED, at=last.at, rectification=AGAIN)]
        step = case(*history).state
        doing = case(*history).when(replace(DO, at=at, rectification=AGAIN)).event
        verifying = case(*history, doing).when(replace(VERIFY, at=at, rectification=AGAIN)).event
        after = case(*history, doing, verifying).state
        assert step is not None
        assert after is not None
        assert after.step is step.step


COMMANDS: list[Command] = [PLAN, DO, VERIFY]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("last", [None, *LOOP[:4]], ids=lambda event: type(event).__name__)
def test_nothing_is_put_right_before_somebody_works_on_it(command: Command, last: Event | None) -> None:
    """Before signing the commands come too early."""
    history = () if last is None else upto(last)
    case(*history).when(replace(command, at=local("03-10"))).then_refused(OutOfTurn)


def test_a_history_loads_whatever_stands_in_it() -> None:
    """Were an action reported or verified that was never planned, the case would still load."""
    odd = COMPLAINT.fold([*upto(FOUND), RECTIFIED, VERIFIED])
    assert odd is not None
    assert dict(odd.rectifications) == {}
    assert isinstance(PLANNED, RectificationPlanned)
    assert isinstance(RECTIFIED, Rectified)
    assert isinstance(VERIFIED, RectificationVerified)


def test_somebody_who_holds_every_post_gets_nowhere() -> None:
    """Wei signs, finds, plans and does, and then nobody lets Wei verify it."""
    by_wei = [
        replace(event, by=actor(WEI, "approval-handler")) if event.by == HANDLER else event for event in upto(RECTIFIED)
    ]
    case(*by_wei).when(replace(VERIFY, by=actor(WEI, "supervisor"))).then_refused(OwnWorkVerified)
