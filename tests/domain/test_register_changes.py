"""Somebody stands in, an office is called otherwise, a department goes into another: what was, stays as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from domain.complaint import AssignmentAccepted, RecordContact, SignFor
from domain.complaint.state import Step
from domain.complaint.units import HandOver, HandoverReason
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    AlreadyThere,
    DateInPast,
    DepartmentGone,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnAppointment,
    OwnCause,
    OwnWorkApproved,
    Refused,
    UnknownReference,
)
from domain.handling import ContactResult, Facts, Method
from domain.register import (
    REGISTER,
    AppointDeputy,
    DepartmentMerged,
    DeputyAppointed,
    DeputyEnded,
    EndDeputy,
    EntryKind,
    MergeDepartment,
    PostLeft,
    PostTaken,
    Register,
    RegisterEvent,
    Rename,
    Renamed,
)
from projections.telling import Language, Teller, say
from tests.controls import ACCEPTED, ASSIGNED, SUBMITTED, case, upto
from tests.domain.test_complaint_inquiry import ASSIGN
from tests.domain.test_complaint_reply import APPROVE
from tests.hall import (
    CHU,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    JIANG,
    LI,
    QIAN,
    REGISTER_EVENTS,
    SHANGHAI,
    STRANGER,
    WANG,
    ZHAO,
    actor,
    local,
)

AT, LATER, END = local("02-14", "08:00"), local("02-24"), local("02-28", "18:00")
ADMINISTRATOR = Actor(person=LI, post="admin", role=Role.ADMINISTRATOR)
APPOINT = AppointDeputy(at=AT, by=ADMINISTRATOR, post="approval-handler", absent=WANG, deputy=CHU, until=END)
APPOINTED = DeputyAppointed(
    at=AT, by=ADMINISTRATOR, post="approval-handler", absent=WANG, deputy=CHU, since=AT, until=END
)
FOR_WANG = actor(CHU, "approval-handler", on_behalf_of=WANG)


def register(*more: RegisterEvent) -> Register:
    """The register of the hall, and what changed since."""
    return REGISTER.fold((*REGISTER_EVENTS, *more))


def knowing(*more: RegisterEvent) -> Facts:
    """The facts after these changes."""
    return replace(FACTS, register=register(*more))


def asked(command: Any, *more: RegisterEvent) -> list[Any]:  # noqa: ANN401 - whichever command the test gives
    """What follows from a command."""
    return list(REGISTER.decide(register(*more), command, None))


# Deputies.


def test_a_deputy_is_appointed_for_a_time() -> None:
    """From now or from a day to come, until a day or until it is ended; the same again is nothing new."""
    assert asked(APPOINT) == [APPOINTED]
    assert asked(replace(APPOINT, since=AT), APPOINTED) == []
    later = replace(APPOINT, since=LATER, until=None)
    assert asked(later) == [replace(APPOINTED, since=LATER, until=None)]
    assert asked(replace(later, since=END), APPOINTED) == [replace(APPOINTED, since=END, until=None)]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(APPOINT, by=DESK), NotYourRole),
        (replace(APPOINT, post="nowhere"), UnknownReference),
        (replace(APPOINT, since=local("02-13")), DateInPast),
        (replace(APPOINT, until=AT), DateInPast),
        (replace(APPOINT, absent=CHU), OutOfTurn),  # does not hold the post
        (replace(APPOINT, deputy=QIAN), OutOfTurn),  # holds it anyway
        (replace(APPOINT, deputy=LI), OwnAppointment),
    ],
)
def test_not_everybody_stands_in_for_anybody(command: AppointDeputy, refusal: type[Refused]) -> None:
    """Nobody for the past, for who is not there, or by their own word."""
    with pytest.raises(refusal):
        asked(command)
    assert asked(replace(APPOINT, by=THE_SYSTEM, deputy=STRANGER))


def test_one_deputy_stands_in_for_one_person_in_one_post() -> None:
    """Or nobody could tell for whom of two they act; in another post, or another time, they may."""
    for_qian = replace(APPOINT, absent=QIAN)
    for until in (None, END):
        with pytest.raises(AlreadyThere):
            asked(for_qian, replace(APPOINTED, until=until))
    with pytest.raises(AlreadyThere):
        asked(replace(for_qian, until=None), replace(APPOINTED, since=LATER))
    assert asked(replace(for_qian, until=LATER), replace(APPOINTED, since=LATER))
    assert asked(replace(APPOINT, post="approval-head", absent=ZHAO), APPOINTED)


def test_a_deputy_is_recalled_before_the_time() -> None:
    """Also one that is still to begin; what is over cannot be ended again."""
    end = EndDeputy(at=LATER, by=ADMINISTRATOR, post="approval-handler", absent=WANG, deputy=CHU)
    ended = DeputyEnded(at=LATER, by=ADMINISTRATOR, post="approval-handler", absent=WANG, deputy=CHU, until=LATER)
    assert asked(end, APPOINTED) == [ended]
    after = register(APPOINTED, ended)
    assert after.absent(CHU, "approval-handler", local("02-23")) == WANG
    assert after.absent(CHU, "approval-handler", LATER) is None
    with pytest.raises(OutOfTurn):
        asked(end, APPOINTED, ended)
    with pytest.raises(OutOfTurn):
        asked(replace(end, at=END), APPOINTED)
    with pytest.raises(UnknownReference):
        asked(replace(end, post="nowhere"))
    never = register(replace(APPOINTED, since=END, until=None), ended)
    assert never.deputyships[0].until == END, "it ended before it began"
    assert not never.holds(CHU, "approval-handler", local("03-02"))
    kept = register(replace(APPOINTED, until=local("02-20")), ended)
    assert kept.deputyships[0].until == local("02-20")


def test_a_deputy_holds_the_post_while_the_absent_holds_it() -> None:
    """Within the time alone, and not longer than the one who is away."""
    there = register(APPOINTED)
    assert not there.holds(CHU, "approval-handler", local("02-13"))
    assert there.holds(CHU, "approval-handler", AT)
    assert not there.holds(CHU, "approval-handler", END)
    assert [post.code for post in there.held_by(CHU, AT)] == ["tax-handler", "revisits", "approval-handler"]
    assert not there.took(CHU, "approval-handler", AT)
    left = PostLeft(at=LATER, by=THE_SYSTEM, post="approval-handler", person=WANG, until=LATER)
    gone = register(APPOINTED, left)
    assert not gone.holds(CHU, "approval-handler", LATER)
    assert gone.holds(CHU, "approval-handler", AT)


def test_who_gets_the_post_no_longer_stands_in() -> None:
    """Then they act in their own name, and the one who was away is not answerable for it."""
    own = PostTaken(at=LATER, by=THE_SYSTEM, post="approval-handler", person=CHU, since=LATER)
    there = register(APPOINTED, own)
    assert there.absent(CHU, "approval-handler", AT) == WANG
    assert there.absent(CHU, "approval-handler", LATER) is None
    assert [post.code for post in there.held_by(CHU, LATER)] == ["tax-handler", "revisits", "approval-handler"]


def test_a_deputy_of_the_head_is_a_head() -> None:
    """The unit does not lead a case about whoever heads it for the time."""
    lent = replace(APPOINTED, post="tax-head", absent=JIANG, deputy=STRANGER)
    assert STRANGER in register(lent).heads("tax", AT)
    assert STRANGER not in register(lent).heads("tax", END)


def test_a_deputy_at_the_window_served_there() -> None:
    """Whoever stood in there when it happened is concerned as those who belong there."""
    lent = replace(APPOINTED, post="window-3", absent=FENG, deputy=STRANGER)
    there = register(lent)
    assert there.serves(STRANGER, "W03", AT)
    assert not there.serves(STRANGER, "W03", END)
    assert there.served(STRANGER) == (("W03", AT, END),)
    assert there.served(FENG) == (("W03", local("01-05"), None),)


def test_a_deputy_acts_for_the_absent_and_says_so() -> None:
    """The case stays that of the one who is away, who goes on with it afterwards."""
    facts = knowing(APPOINTED)
    assigned = case(*upto(ASSIGNED), facts=facts)
    sign = SignFor(at=later(1), by=FOR_WANG)
    signed = assigned.when(sign).event
    assert signed == AssignmentAccepted(at=sign.at, by=FOR_WANG, late=False)
    assigned.when(replace(sign, by=actor(CHU, "approval-handler"))).then_refused(NotYourRole)
    assigned.when(replace(sign, by=actor(CHU, "approval-handler", on_behalf_of=QIAN))).then_refused(NotYourRole)
    there = case(*upto(ASSIGNED), signed, facts=facts)
    assert there.state is not None
    assert there.state.handler == WANG
    assert there.state.handlers == {CHU, WANG}
    contact = RecordContact(at=later(2), by=FOR_WANG, method=Method.PHONE, result=ContactResult.REACHED, note=None)
    assert there.when(contact).event.by == FOR_WANG
    assert there.when(replace(contact, by=HANDLER)).event.by == HANDLER
    there.when(replace(contact, by=actor(QIAN, "approval-handler"))).then_refused(NotYourCase)
    after = case(*upto(ASSIGNED), signed, facts=facts).when(replace(contact, at=END))
    after.then_refused(NotYourRole)


def later(hours: float) -> datetime:
    """Some hours after the assignment."""
    return local("02-14", f"{10 + int(hours)}:00")


def test_nobody_judges_their_own_work_by_standing_in() -> None:
    """The rules look at both: the deputy, and the one who is away (domain.md §6.4)."""
    lent = replace(APPOINTED, post="approval-head", absent=ZHAO, deputy=WANG)
    submitted = case(*upto(SUBMITTED), facts=knowing(lent))
    submitted.when(replace(APPROVE, by=actor(WANG, "approval-head", on_behalf_of=ZHAO))).then_refused(OwnWorkApproved)
    for_feng = replace(APPOINTED, post="window-3", absent=FENG, deputy=STRANGER)
    facts = knowing(for_feng, replace(APPOINTED, post="approval-head", absent=ZHAO, deputy=STRANGER))
    approved = replace(APPROVE, by=actor(STRANGER, "approval-head", on_behalf_of=ZHAO))
    case(*upto(SUBMITTED), facts=facts).when(approved).then_refused(OwnCause)


# Names.

RENAMED = Renamed(
    at=LATER, by=ADMINISTRATOR, kind=EntryKind.DEPARTMENT, entry="approval",
    name_zh="行政审批和政务服务局", name_en="Approval and Services",
)  # fmt: skip


def test_a_new_name_holds_from_then_on() -> None:
    """The code stays; what was told before is told with the old name (domain.md §14 case 13)."""
    command = Rename(
        at=LATER, by=ADMINISTRATOR, kind=EntryKind.DEPARTMENT, entry="approval",
        name_zh=RENAMED.name_zh, name_en=RENAMED.name_en,
    )  # fmt: skip
    assert asked(command) == [RENAMED]
    assert asked(command, RENAMED) == []
    there = register(RENAMED, replace(RENAMED, at=END, name_zh="政务局", name_en="Services"))
    unit = there.departments["approval"]
    assert there.names(unit) == ("政务局", "Services")
    assert [there.names(unit, at)[1] for at in (AT, LATER, END)] == ["Approval", "Approval and Services", "Services"]
    english = Teller(there, Language.ENGLISH, SHANGHAI)
    assert "assigned to Approval;" in say(english, ASSIGNED)
    assert "assigned to Services;" in say(english, replace(ASSIGNED, at=END))


@pytest.mark.parametrize("kind", list(EntryKind))
def test_every_entry_can_be_renamed(kind: EntryKind) -> None:
    """Sites, windows, items and posts too; only what is there."""
    code = next(iter(register().entries(kind)))
    there = register(replace(RENAMED, kind=kind, entry=code))
    entry = there.entry(kind, code)
    assert entry is not None
    assert there.names(entry)[1] == "Approval and Services"
    assert there.names(entry, AT) != there.names(entry)
    command = Rename(at=AT, by=ADMINISTRATOR, kind=kind, entry="nowhere", name_zh="无", name_en="None")
    with pytest.raises(UnknownReference):
        asked(command)
    assert register(replace(RENAMED, kind=kind, entry="nowhere")) == register()


# Merged departments.

MERGE = MergeDepartment(at=LATER, by=ADMINISTRATOR, department="approval", into="office")
MERGED = DepartmentMerged(at=LATER, by=ADMINISTRATOR, department="approval", into="office")


def test_a_department_goes_into_another_one() -> None:
    """From then on the other one has its duties; before, it had them itself (domain.md §14 case 13)."""
    assert asked(MERGE) == [MERGED]
    assert asked(MERGE, MERGED) == []
    there = register(MERGED, replace(MERGED, at=END, department="office", into="tax"))
    assert [there.successor("approval", at) for at in (AT, LATER, END)] == ["approval", "office", "tax"]
    assert there.successor("tax", END) == "tax"


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(MERGE, department="nowhere"), UnknownReference),
        (replace(MERGE, into="nowhere"), UnknownReference),
        (replace(MERGE, department="tax", into="tax"), UnknownReference),
        (replace(MERGE, into="tax"), DepartmentGone),
        (replace(MERGE, department="tax", into="approval"), DepartmentGone),
        (replace(MERGE, department="office", into="approval"), DepartmentGone),
        (replace(MERGE, by=DESK), NotYourRole),
    ],
)
def test_departments_do_not_merge_in_a_circle(command: MergeDepartment, refusal: type[Refused]) -> None:
    """Nor into one that is gone, nor twice."""
    with pytest.raises(refusal):
        asked(command, MERGED)


def test_no_case_goes_to_a_department_that_is_gone() -> None:
    """It is assigned, handed over and called in where the duties are; what the old one had is handed over."""
    facts = knowing(DepartmentMerged(at=AT, by=ADMINISTRATOR, department="office", into="tax"))
    assign = replace(ASSIGN, department="office", assist=(), handler=None)
    case(*upto(ACCEPTED), facts=facts).when(assign).then_refused(DepartmentGone, into="tax")
    hand_over = HandOver(at=LATER, by=DESK, department="office", handler=None, reason=HandoverReason.REORGANISED)
    old = case(*upto(ACCEPTED), replace(ASSIGNED, department="office"), facts=facts)
    old.when(hand_over).then_refused(DepartmentGone)
    handed = old.when(replace(hand_over, department="tax")).event
    assert (handed.from_department, handed.department) == ("office", "tax")
    after = case(*upto(ACCEPTED), replace(ASSIGNED, department="office"), handed, facts=facts).state
    assert after is not None
    assert after.step is Step.ASSIGNED
    assert after.departments >= {"office", "tax"}


def test_a_person_is_a_person() -> None:
    """Whose business an act is: the mandator's, if there is one."""
    assert FOR_WANG.principal == PersonKey(WANG)
    assert HANDLER.principal == WANG
