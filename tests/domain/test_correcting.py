"""What was written down wrongly is corrected beside the old entry; the other side is heard without knowing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Case, Event, RecordContact
from domain.complaint.correcting import (
    ComplainantNotified,
    CorrectRecord,
    InviteStatement,
    MakeStatement,
    RecordCorrected,
    RecordNotice,
    RespondentStated,
    StatementInvited,
    other_side,
)
from domain.complaint.state import Respondent
from domain.decider import THE_SYSTEM, Actor, PersonKey, Role
from domain.errors import (
    NotYetHappened,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    Superseded,
    Unknown,
    UnknownReference,
)
from domain.handling import ContactResult, Method
from tests.controls import ACCEPTED, CLOSED, REGISTERED, SIGNED, case, upto
from tests.hall import (
    BASIS,
    CHEN,
    CITIZEN,
    COUNTER,
    DESK,
    FACTS,
    FENG,
    HANDLER,
    JIANG,
    LI,
    MEASURED,
    QIAN,
    STRANGER,
    SUPERVISOR,
    WANG,
    ZHAO,
    actor,
    key,
    later,
    local,
    sealed,
    until,
)

NOON: Final = local("02-25", "12:00")
HANDLED: Final = upto(SIGNED)
CORRECT: Final = CorrectRecord(
    at=NOON,
    by=DESK,
    category="ARREARS",
    respondent=Respondent(window="W04"),
    name=None,
    phone=sealed("right phone", 11),
    email=None,
    reason=sealed("reason"),
)
CORRECTED: Final = RecordCorrected(
    at=NOON,
    by=DESK,
    category="ARREARS",
    respondent=Respondent(window="W04"),
    name=None,
    phone=sealed("right phone", 11),
    email=None,
    reason=sealed("reason"),
    sealed=False,
)
CONTACT_ONLY: Final = replace(CORRECT, category=None, respondent=None)
STATEMENT: Final = key("statement")
INVITE: Final = InviteStatement(at=NOON, by=HANDLER, statement=STATEMENT, question=sealed("question"))
INVITED: Final = StatementInvited(
    at=NOON,
    by=HANDLER,
    statement=STATEMENT,
    respondent=REGISTERED.respondent,
    question=sealed("question"),
    due=until("02-28"),  # 26, 27, Saturday 28
    basis=BASIS,
)
FENG_SPEAKS: Final = Actor(person=FENG, post="window-3", role=Role.RESPONDENT)
STATE: Final = MakeStatement(
    at=local("02-26"), by=FENG_SPEAKS, statement=STATEMENT, content=sealed("content"), content_measured=MEASURED
)
STATED: Final = RespondentStated(
    at=STATE.at,
    by=FENG_SPEAKS,
    statement=STATEMENT,
    content=sealed("content"),
    content_measured=MEASURED,
    late=False,
)
NOTICE: Final = RecordNotice(
    at=NOON,
    by=HANDLER,
    notice=key("notice"),
    about="complaint.accepted",
    method=Method.PHONE,
    delivered_at=local("02-25", "11:00"),
)
CONTACT: Final = RecordContact(at=NOON, by=HANDLER, method=Method.PHONE, result=ContactResult.REACHED, note=None)


def there(*history: Event) -> Case:
    """Give the case after a history."""
    found = COMPLAINT.fold(history)
    assert found is not None
    return found


def test_the_desk_corrects_what_and_whom_it_is_about() -> None:
    """The old entry stays in the history; the rules go by the new one."""
    case(*HANDLED).when(CORRECT).then([CORRECTED])
    after = there(*HANDLED, CORRECTED)
    assert (after.category, after.respondent) == ("ARREARS", Respondent(window="W04"))
    only_phone = there(*HANDLED, replace(CORRECTED, category=None, respondent=None))
    assert (only_phone.category, only_phone.respondent) == (REGISTERED.category, REGISTERED.respondent)


@pytest.mark.parametrize("by", [COUNTER, HANDLER])
def test_others_correct_how_to_reach_the_complainant(by: Actor) -> None:
    """And nothing else: whom it is about decides who may act."""
    expected = replace(CORRECTED, by=by, category=None, respondent=None)
    case(*HANDLED).when(replace(CONTACT_ONLY, by=by)).then([expected])
    for wrong in (replace(CORRECT, by=by, respondent=None), replace(CORRECT, by=by, category=None)):
        case(*HANDLED).when(wrong).then_refused(NotYourRole, command="correct-matter")


@pytest.mark.parametrize(
    "only",
    [
        replace(CONTACT_ONLY, phone=None, name=sealed("name")),
        replace(CONTACT_ONLY, phone=None, email=sealed("email")),
        CONTACT_ONLY,
    ],
)
def test_each_way_to_reach_somebody_can_be_corrected(only: CorrectRecord) -> None:
    """By itself."""
    event = case(*HANDLED).when(only).event
    assert (event.name, event.phone, event.email) == (only.name, only.phone, only.email)


def test_a_colleague_who_does_not_handle_the_case_corrects_nothing() -> None:
    """Nor does a supervisor, who only looks."""
    case(*HANDLED).when(replace(CONTACT_ONLY, by=actor(QIAN, "approval-handler"))).then_refused(NotYourCase)
    case(*HANDLED).when(replace(CONTACT_ONLY, by=SUPERVISOR)).then_refused(NotYourRole)


def test_what_is_right_already_is_not_corrected() -> None:
    """The same entry again is nothing new."""
    same = replace(CORRECT, category="SHIRK", respondent=REGISTERED.respondent, phone=None)
    case(*HANDLED).when(same).then_nothing()
    half = case(*HANDLED).when(replace(CORRECT, category="SHIRK")).event
    assert (half.category, half.respondent) == (None, CORRECT.respondent)


@pytest.mark.parametrize(
    ("respondent", "kind"),
    [
        (Respondent(department="nowhere"), "department"),
        (Respondent(window="W99"), "window"),
        (Respondent(staff=STRANGER), "person"),
    ],
)
def test_a_correction_is_not_another_mistake(respondent: Respondent, kind: str) -> None:
    """What the register does not know is refused here, though never at the registration."""
    case(*HANDLED).when(replace(CORRECT, respondent=respondent)).then_refused(UnknownReference, kind=kind)
    case(*HANDLED).when(replace(CORRECT, category="NONSENSE")).then_refused(UnknownReference, kind="category")


def test_whom_it_turns_out_to_be_about_does_nothing_more() -> None:
    """The handler, for instance; that it is so is on record, and somebody else must take over."""
    about_wang = replace(CORRECTED, respondent=Respondent(department="approval", staff=WANG))
    case(*HANDLED).when(replace(CORRECT, respondent=about_wang.respondent)).then([about_wang])
    case(*HANDLED, about_wang).when(CONTACT).then_refused(OwnCause)


def test_what_turns_out_to_be_about_the_desk_is_kept_from_it() -> None:
    """As if it had been told so at the registration (domain.md §14 case 16); and it stays so."""
    event = case(*HANDLED).when(replace(CORRECT, by=DESK, respondent=Respondent(window="W00"))).event
    assert event.sealed
    assert there(*HANDLED, event).sealed
    assert there(*HANDLED, event, CORRECTED).sealed
    assert not there(*HANDLED, CORRECTED).sealed


def test_whom_it_was_about_first_stays_out_of_it() -> None:
    """However wrong that was: who was complained of does not handle what is left."""
    wrongly = replace(REGISTERED, respondent=Respondent(staff=WANG))
    case(wrongly, *HANDLED[1:], CORRECTED).when(CONTACT).then_refused(OwnCause)
    only_the_category = replace(CORRECTED, respondent=None)
    assert case(*HANDLED, only_the_category).when(CONTACT).event


def test_nobody_concerned_corrects_the_record() -> None:
    """Least of all the name of the one it is about."""
    named = replace(REGISTERED, respondent=Respondent(staff=LI))
    case(named, *HANDLED[1:]).when(CORRECT).then_refused(OwnCause)
    mine = replace(REGISTERED, complainant=LI)
    case(mine, *HANDLED[1:]).when(CORRECT).then_refused(OwnComplaint)


def test_a_closed_case_can_still_be_corrected() -> None:
    """Numbers are counted by what was right; an archived one stays as it is."""
    assert case(*upto(CLOSED)).when(replace(CORRECT, at=local("03-05"))).event.category == "ARREARS"
    case().when(CORRECT).then_refused(OutOfTurn)


def test_the_other_side_is_asked_with_a_limit() -> None:
    """By who handles the case, about whom it names then."""
    case(*HANDLED).when(INVITE).then([INVITED])
    case(*HANDLED).when(replace(INVITE, by=actor(QIAN, "approval-handler"))).then_refused(NotYourCase)
    case(*upto(ACCEPTED)).when(INVITE).then_refused(OutOfTurn)


def test_where_nobody_is_named_nobody_is_asked() -> None:
    """A correction names somebody first."""
    nobody = replace(REGISTERED, respondent=Respondent())
    case(nobody, *HANDLED[1:]).when(INVITE).then_refused(UnknownReference, kind="respondent")


@pytest.mark.parametrize(("who", "post"), [(FENG, "window-3"), (CHEN, "window-3"), (ZHAO, "approval-head")])
def test_the_other_side_speaks_in_whichever_post_it_holds(who: PersonKey, post: str) -> None:
    """The person, whoever serves at the window, the head of the department."""
    by = Actor(person=who, post=post, role=Role.RESPONDENT)
    case(*HANDLED, INVITED).when(replace(STATE, by=by)).then([replace(STATED, by=by)])


def test_the_department_of_the_window_has_a_head_too() -> None:
    """Where only the window is known."""
    by = Actor(person=ZHAO, post="approval-head", role=Role.RESPONDENT)
    moments = (REGISTERED.at, NOON)
    assert other_side(Respondent(window="W04"), by, moments, FACTS)
    assert other_side(Respondent(department="approval"), by, moments, FACTS)
    assert not other_side(Respondent(window="W00"), by, moments, FACTS)
    assert not other_side(Respondent(window="W99"), by, moments, FACTS)
    assert not other_side(Respondent(), by, moments, FACTS)


@pytest.mark.parametrize(("who", "post"), [(JIANG, "tax-head"), (LI, "desk"), (WANG, "approval-handler")])
def test_who_was_not_asked_learns_nothing(who: PersonKey, post: str) -> None:
    """Not even that there is such a case."""
    by = Actor(person=who, post=post, role=Role.RESPONDENT)
    case(*HANDLED, INVITED).when(replace(STATE, by=by)).then_refused(Unknown)
    case(*HANDLED).when(STATE).then_refused(Unknown)


def test_nobody_speaks_for_the_other_side_in_another_part() -> None:
    """A clerk's post says clerk; the part is chosen for the statement alone, and the post must be held."""
    case(*HANDLED, INVITED).when(replace(STATE, by=actor(FENG, "window-3"))).then_refused(NotYourRole)
    case(*HANDLED, INVITED).when(replace(STATE, by=replace(FENG_SPEAKS, post="desk"))).then_refused(NotYourRole)
    case(*HANDLED, INVITED).when(replace(STATE, by=CITIZEN)).then_refused(NotYourRole)


def test_a_statement_is_made_once_for_each_question() -> None:
    """Late ones are heard too, and said to be late."""
    assert case(*HANDLED, INVITED).when(replace(STATE, at=local("03-01"))).event.late is True
    case(*HANDLED, INVITED, STATED).when(replace(STATE, at=local("02-27"))).then_refused(Superseded)
    other = replace(INVITED, statement=key("another"))
    assert case(*HANDLED, INVITED, STATED, other).when(replace(STATE, statement=other.statement)).event


def test_who_spoke_for_the_other_side_takes_no_other_part() -> None:
    """The head of the department who made the statement approves no reply about it."""
    by = Actor(person=ZHAO, post="approval-head", role=Role.RESPONDENT)
    after = there(*HANDLED, INVITED, replace(STATED, by=by))
    assert after.stated == {ZHAO}
    recuse = replace(CORRECT, by=actor(ZHAO, "approval-head"))
    case(*HANDLED, INVITED, replace(STATED, by=by)).when(recuse).then_refused(NotYourRole)
    named = replace(CONTACT, by=actor(WANG, "approval-handler", on_behalf_of=ZHAO))
    case(*HANDLED, INVITED, replace(STATED, by=by)).when(named).then_refused(OwnCause)


def test_what_was_told_to_the_complainant_is_on_record() -> None:
    """At any step, by a person or a machine; never before it happened."""
    told = ComplainantNotified(
        at=NOON,
        by=HANDLER,
        notice=key("notice"),
        about="complaint.accepted",
        method=Method.PHONE,
        delivered_at=local("02-25", "11:00"),
    )
    case(*HANDLED).when(NOTICE).then([told])
    case(*HANDLED).when(replace(NOTICE, by=THE_SYSTEM)).then([replace(told, by=THE_SYSTEM)])
    assert case(*upto(CLOSED)).when(replace(NOTICE, at=local("03-05"), by=DESK, delivered_at=None)).event
    assert there(*HANDLED, told) == there(*HANDLED)
    case(*HANDLED).when(replace(NOTICE, delivered_at=later(NOON, minutes=1))).then_refused(NotYetHappened)
    case(*HANDLED).when(replace(NOTICE, by=SUPERVISOR)).then_refused(NotYourRole)
    named = replace(REGISTERED, respondent=Respondent(staff=WANG))
    case(named, *HANDLED[1:]).when(NOTICE).then_refused(OwnCause)


def test_histories_load_whatever_they_hold() -> None:
    """A statement to a question nobody asked."""
    assert there(*HANDLED, STATED).statements == {}
