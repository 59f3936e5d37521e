"""What can be settled at the counter is settled there, and what cannot is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Accepted, FindingRecorded, Replied, Step
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.onspot import ResolveOnSpot
from domain.complaint.revisiting import Revisit
from domain.complaint.state import PROMISE, Clock, Finding
from domain.decider import Actor
from domain.errors import (
    NotSettledHere,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnComplaint,
    OwnWorkRevisited,
    Refused,
    UnknownReference,
    WrittenReplyOwed,
)
from domain.handling import Method, Proof
from domain.rulebook import RULEBOOK
from tests.annex import WITH_ANNEX, there
from tests.controls import ANSWERS, ATTEMPTED, REGISTERED, REPLY, upto
from tests.domain.test_complaint_reopening import ORDERED
from tests.hall import (
    BASIS,
    CHEN,
    COUNTER,
    DESK,
    FENG,
    HALL,
    HANDLER,
    MEASURED,
    REVISITOR,
    RULEBOOK_EVENTS,
    ZHENG,
    actor,
    local,
    sealed,
    until,
)

SETTLE: Final = ResolveOnSpot(
    at=local("02-13", "18:40"),
    by=COUNTER,
    reply=REPLY,
    category=None,
    finding=Finding.UNSUBSTANTIATED,
    facts=sealed("facts"),
    facts_measured=MEASURED,
    content=sealed("content"),
    content_measured=MEASURED,
    confirmed=Proof.SIGNATURE,
)
SETTLED: Final = (
    Accepted(
        at=SETTLE.at,
        by=COUNTER,
        category="SHIRK",
        severity=Severity.ORDINARY,
        complexity=Complexity.SIMPLE,
        handling_class=HandlingClass.ON_SPOT,
        late=False,
        assign_due=None,
        handle_due=until("02-27"),  # Saturday 14, then 24, 25, 26, 27
        basis=BASIS,
    ),
    FindingRecorded(
        at=SETTLE.at,
        by=COUNTER,
        finding=Finding.UNSUBSTANTIATED,
        facts=sealed("facts"),
        facts_measured=MEASURED,
        responsibility=(),
        evidence=(),
        rectification_required=False,
    ),
    Replied(
        at=SETTLE.at,
        by=COUNTER,
        reply=REPLY,
        method=Method.COUNTER,
        content=sealed("content"),
        content_measured=MEASURED,
        late=False,
        review_request_until=until("03-16"),  # thirty natural days, to Sunday 15 March
        revisit_due=until("03-04"),  # four working days after 27 February: Saturday 28, 2, 3, 4
        basis=BASIS,
        confirmed=Proof.SIGNATURE,
    ),
)


def test_a_matter_is_accepted_found_and_answered_in_one_go() -> None:
    """With the limits of every answer: the revisit follows the handling limit."""
    there(REGISTERED).when(SETTLE).then(SETTLED)
    state = COMPLAINT.fold([REGISTERED, *SETTLED])
    assert state is not None
    assert (state.step, state.reply, state.handler, state.handlers) == (Step.REPLIED, REPLY, None, frozenset({ZHENG}))
    assert state.due(PROMISE[state.step]) == until("03-04")
    assert state.due(Clock.HANDLE) == until("02-27")


def test_a_category_may_be_given_with_the_answer() -> None:
    """One of the rulebook's; it stands in the acceptance."""
    accepted, *_ = there(REGISTERED).when(replace(SETTLE, category="ARREARS")).events
    assert isinstance(accepted, Accepted)
    assert accepted.category == "ARREARS"
    there(REGISTERED).when(replace(SETTLE, category="NOTHING")).then_refused(UnknownReference, kind="category")
    nameless = replace(REGISTERED, category=None)
    first, *_ = there(nameless).when(SETTLE).events
    assert isinstance(first, Accepted)
    assert first.category is None


@pytest.mark.parametrize("finding", [Finding.SUBSTANTIATED, Finding.PARTLY])
def test_what_bears_the_complaint_out_is_not_settled_at_the_counter(finding: Finding) -> None:
    """Something must be put right then, with a date and somebody who verifies it."""
    there(REGISTERED).when(replace(SETTLE, finding=finding)).then_refused(NotSettledHere, finding=finding)


def test_a_complaint_in_writing_is_answered_in_writing() -> None:
    """So it is accepted and assigned (P9)."""
    there(replace(REGISTERED, written=True)).when(SETTLE).then_refused(WrittenReplyOwed)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        (DESK, NotYourRole),
        (HANDLER, NotYourRole),
        (actor(FENG, "window-3"), OwnCause),
        (actor(CHEN, "window-3"), OwnCause),
        (replace(COUNTER, on_behalf_of=FENG), OwnCause),
    ],
    ids=["desk", "handler", "complained of", "same window", "for the one complained of"],
)
def test_the_clerk_complained_of_settles_nothing(by: Actor, refusal: type[Refused]) -> None:
    """Nor anybody of that window (domain.md §6.3)."""
    there(REGISTERED).when(replace(SETTLE, by=by)).then_refused(refusal)


def test_nobody_settles_their_own_complaint() -> None:
    """A clerk may complain as anybody may; somebody else settles it."""
    there(replace(REGISTERED, complainant=ZHENG)).when(SETTLE).then_refused(OwnComplaint)


def test_what_is_accepted_already_is_not_settled_at_the_counter() -> None:
    """And nothing that was never registered."""
    there(*upto(REGISTERED), *SETTLED).when(SETTLE).then_refused(OutOfTurn)
    there().when(SETTLE).then_refused(OutOfTurn)


def test_without_a_limit_for_the_answer_the_revisit_runs_from_it() -> None:
    """A policy may name none."""
    terms = tuple(term for term in HALL.terms if term.key != "complaint.handle.simple")
    events = [
        replace(e, policy=replace(HALL, terms=terms)) if getattr(e, "policy", None) is HALL else e
        for e in RULEBOOK_EVENTS
    ]
    facts = replace(WITH_ANNEX, rulebook=RULEBOOK.fold(events))
    accepted, _, answered = there(REGISTERED, facts=facts).when(SETTLE).events
    assert isinstance(accepted, Accepted)
    assert isinstance(answered, Replied)
    assert accepted.handle_due is None
    assert answered.late is None
    assert answered.revisit_due == until("02-26")  # Saturday 14, 24, 25, 26


def test_the_clerk_who_settled_it_does_not_revisit() -> None:
    """Somebody independent asks whether it is settled; nobody approved it beforehand (our design)."""
    clerk = replace(REVISITOR, on_behalf_of=ZHENG)
    revisit = Revisit(at=local("03-03"), by=clerk, method=Method.PHONE, result=ATTEMPTED.result, answers=ANSWERS)
    there(REGISTERED, *SETTLED).when(revisit).then_refused(OwnWorkRevisited)
    assert there(REGISTERED, *SETTLED).when(replace(revisit, by=REVISITOR)).events


def test_a_rework_of_what_was_settled_at_the_counter_goes_to_the_desk() -> None:
    """No unit has it, so the desk assigns it; its limit is new."""
    state = COMPLAINT.fold([REGISTERED, *SETTLED, ORDERED])
    assert state is not None
    assert (state.step, state.department) == (Step.ACCEPTED, None)
    assert state.due(PROMISE[state.step]) == until("03-11")
