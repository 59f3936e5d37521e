"""Every matter is registered: whoever comes with a complaint is counted, and the complaint has one end only."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint.intake import Channel
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    AlreadyThere,
    ComplaintToRegister,
    NotAComplaint,
    NotYourRole,
    OutOfTurn,
    OwnContactReclassified,
)
from domain.handling import Basis, Facts
from domain.intake_contact import (
    CONTACT,
    Contact,
    ContactCommand,
    ContactEvent,
    ContactKind,
    ContactReclassified,
    ContactRecorded,
    ContactRegistered,
    ContactSettled,
    LinkCase,
    Reclassify,
    RecordContact,
    Settle,
    Settlement,
    contact_of_command,
)
from tests.hall import BASIS, COUNTER, DESK, FACTS, HANDLER, SUPERVISOR, WEI, actor, key, local, until
from tests.specification import Given, given

MORNING: Final = local("02-13")
CASE: Final = key("case")
RECORD: Final = RecordContact(
    at=MORNING, by=COUNTER, hall="GXQ", window="W00", kind=ContactKind.COMPLAINT, channel=Channel.WINDOW
)
RECORDED: Final = ContactRecorded(
    at=MORNING,
    by=COUNTER,
    hall="GXQ",
    window="W00",
    kind=ContactKind.COMPLAINT,
    channel=Channel.WINDOW,
    register_due=until("02-14"),  # a Saturday that is worked
    basis=BASIS,
)
ENQUIRY: Final = replace(RECORDED, kind=ContactKind.ENQUIRY, register_due=None)
LINK: Final = LinkCase(at=local("02-13", "09:20"), by=COUNTER, case=CASE, registered_at=local("02-13", "09:15"))
LINKED: Final = ContactRegistered(at=LINK.at, by=COUNTER, case=CASE, late=False)
SETTLE: Final = Settle(at=local("02-13", "09:20"), by=COUNTER, settlement=Settlement.ANSWERED)
SETTLED: Final = ContactSettled(at=SETTLE.at, by=COUNTER, settlement=Settlement.ANSWERED)
TO_ENQUIRY: Final = Reclassify(at=local("02-13", "10:00"), by=DESK, kind=ContactKind.ENQUIRY)
RECLASSIFIED: Final = ContactReclassified(
    at=TO_ENQUIRY.at, by=DESK, kind=ContactKind.ENQUIRY, register_due=None, basis=BASIS
)


def contact(*history: ContactEvent, facts: Facts = FACTS) -> Given[Contact | None, ContactCommand, ContactEvent, Facts]:
    """Begin a sentence about a contact."""
    return given(CONTACT, *history, facts=facts)


def test_who_comes_with_a_complaint_has_it_registered_within_a_working_day() -> None:
    """Friday before the holidays: the next working day is a Saturday."""
    contact().when(RECORD).then([RECORDED])
    contact().when(replace(RECORD, kind=ContactKind.ENQUIRY)).then([ENQUIRY])


def test_counting_works_before_any_policy() -> None:
    """Without a limit, as registering does."""
    bare = Facts(register=FACTS.register)
    event = contact(facts=bare).when(RECORD).event
    assert (event.register_due, event.basis) == (None, Basis(policy=None, rulebook=0))
    assert contact(facts=bare).when(replace(RECORD, by=THE_SYSTEM)).event.by == THE_SYSTEM


@pytest.mark.parametrize("by", [HANDLER, SUPERVISOR, replace(COUNTER, post="desk")])
def test_only_who_takes_people_in_counts_them(by: Actor) -> None:
    """In a post really held."""
    contact().when(replace(RECORD, by=by)).then_refused(NotYourRole)


def test_a_contact_is_counted_once() -> None:
    """Its id follows from the command, so that a repeated request finds it."""
    contact(RECORDED).when(RECORD).then_refused(AlreadyThere)
    assert contact_of_command(key("a")) == contact_of_command(key("a")) != contact_of_command(key("b"))


def test_a_complaint_ends_only_by_being_registered() -> None:
    """Nobody settles it away."""
    contact(RECORDED).when(LINK).then([LINKED])
    contact(RECORDED).when(SETTLE).then_refused(ComplaintToRegister)
    contact(RECORDED, LINKED).when(LINK).then_nothing()


def test_lateness_goes_by_when_the_case_was_registered() -> None:
    """Not by when somebody named it; a second case of the same visit is one more."""
    late = replace(LINK, at=local("03-02"), registered_at=local("02-24"))
    assert contact(RECORDED).when(late).event.late is True
    assert contact(RECORDED).when(replace(late, registered_at=LINK.registered_at)).event.late is False
    another = replace(LINK, case=key("another"))
    contact(RECORDED, LINKED).when(another).then([replace(LINKED, case=another.case)])


def test_what_is_no_complaint_has_no_case() -> None:
    """Until somebody says that it is one; then its limit runs from there."""
    contact(ENQUIRY).when(LINK).then_refused(NotAComplaint)
    now_one = replace(TO_ENQUIRY, by=COUNTER, kind=ContactKind.COMPLAINT)
    turned = replace(RECLASSIFIED, by=COUNTER, kind=ContactKind.COMPLAINT, register_due=until("02-14"))
    contact(ENQUIRY).when(now_one).then([turned])
    contact(ENQUIRY, turned).when(LINK).then([LINKED])


def test_nobody_unmakes_a_complaint_they_took_down() -> None:
    """Somebody else at the desk, or a supervisor, may; it goes on record who tried."""
    contact(RECORDED).when(TO_ENQUIRY).then([RECLASSIFIED])
    contact(RECORDED).when(replace(TO_ENQUIRY, by=SUPERVISOR)).then([replace(RECLASSIFIED, by=SUPERVISOR)])
    contact(RECORDED).when(replace(TO_ENQUIRY, by=COUNTER)).then_refused(NotYourRole)
    mine = replace(RECORDED, by=actor(WEI, "counter"))
    contact(mine).when(replace(TO_ENQUIRY, by=actor(WEI, "desk"))).then_refused(OwnContactReclassified)
    turned = replace(RECLASSIFIED, by=actor(WEI, "counter"), kind=ContactKind.COMPLAINT)
    contact(ENQUIRY, turned).when(replace(TO_ENQUIRY, by=actor(WEI, "desk"))).then_refused(OwnContactReclassified)
    assert OwnContactReclassified.watched


def test_what_has_ended_is_not_something_else_afterwards() -> None:
    """Nor is it said twice."""
    contact(RECORDED, LINKED).when(TO_ENQUIRY).then_refused(OutOfTurn)
    contact(ENQUIRY, SETTLED).when(replace(TO_ENQUIRY, kind=ContactKind.PRAISE)).then_refused(OutOfTurn)
    contact(ENQUIRY).when(TO_ENQUIRY).then_nothing()


def test_everything_else_is_settled() -> None:
    """Once; saying it again is nothing new, saying something else is refused."""
    contact(ENQUIRY).when(SETTLE).then([SETTLED])
    contact(ENQUIRY, SETTLED).when(SETTLE).then_nothing()
    contact(ENQUIRY, SETTLED).when(replace(SETTLE, settlement=Settlement.LEFT)).then_refused(AlreadyThere)


@pytest.mark.parametrize("command", [LINK, SETTLE, TO_ENQUIRY])
def test_nothing_is_done_with_a_contact_nobody_counted(command: ContactCommand) -> None:
    """And its history folds to nothing."""
    contact().when(command).then_refused(OutOfTurn)
    assert contact(LINKED, SETTLED, RECLASSIFIED).state is None
