"""The edge cases of domain.md §14 that are about bad reviews, each told from its beginning to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.complaint import COMPLAINT, Registered
from domain.complaint.revisiting import RevisitStatus
from domain.complaint.state import IdentityMode
from domain.decider import Event, For
from domain.grade import Grade
from domain.occasion import OCCASION
from domain.review import REVIEW, ReviewCommand, Stage, Submitted
from domain.review.appealing import Excluded, Told
from domain.review.linking import ComplaintLinked, reference
from domain.review.objecting import Reinstated
from domain.review.owed import owed
from domain.review.revisiting import Closed
from domain.review.state import Clock, Settled, in_hand
from domain.review.verifying import Contacted
from tests.bad_reviews import (
    APPEAL,
    CLOSED,
    CONFIRM,
    CONFIRM_BACK,
    CONTACT,
    FACTS,
    LOOP,
    NOTICED,
    OBJECT,
    PROPOSE,
    PROPOSE_BACK,
    RECORD,
    RECTIFY,
    REPLY,
    REVISIT,
    SUPERVISOR,
    TELL,
    VERIFY,
    bad,
    there,
    upto,
)
from tests.controls import REGISTRATION
from tests.hall import CITIZEN, key, local, until
from tests.hall import FACTS as DESK_FACTS
from tests.visits import APPEND, BAD, BADLY, INVITED, OPENED, RATING, SOMEBODY, SUBMIT, SUBMITTED, WORK_ORDER


def told(*commands: ReviewCommand, begin: list[Event]) -> list[Any]:
    """Give what follows from commands, one after the other."""
    history: list[Any] = list(begin)
    for command in commands:
        history += [one for one in REVIEW.decide(REVIEW.fold(history), command, FACTS) if not isinstance(one, For)]
    return history


def rated(**said: Any) -> list[Event]:  # noqa: ANN401 - fields of an opinion
    """Give the review of a visit that was rated badly, as the visit's own rules make it."""
    submit = replace(SUBMIT, by=said.pop("by", SUBMIT.by), opinion=replace(BAD, **said))
    decided = OCCASION.decide(OCCASION.fold([OPENED, INVITED]), submit, FACTS)
    return [one.event for one in decided if isinstance(one, For)]


def test_case_9_five_stars_after_one_end_nothing() -> None:
    """The bad one is handled on to its end, and stays what it was (domain.md §14 case 9)."""
    better = replace(APPEND, at=local("02-24"), grade=Grade.VERY_SATISFIED, codes=("517",))
    history = told(better, CONTACT, RECORD, VERIFY, RECTIFY, REPLY, REVISIT, begin=rated())
    state = REVIEW.fold(history)
    assert state is not None
    assert (state.stage, state.submitted.grade) == (Stage.BAD_CLOSED, Grade.VERY_DISSATISFIED)
    assert state.appended is not None
    assert state.appended.grade is Grade.VERY_SATISFIED
    for place in range(2, len(history)):
        without = REVIEW.fold([one for one in history[:place] if one != history[2]])
        reached = REVIEW.fold(history[:place])
        assert without is not None
        assert reached is not None
        assert (reached.stage, in_hand(reached)) == (without.stage, in_hand(without))
    after = told(replace(better, at=local("03-09")), begin=[*LOOP])
    assert REVIEW.fold(after) == replace(there(*LOOP), appended=after[-1])


def test_case_14_without_a_name_nobody_is_called_or_asked_and_all_else_is_done() -> None:
    """Verified from records, put right, replied to and closed (domain.md §14 case 14)."""
    begin = rated(identity_mode=IdentityMode.ANONYMOUS, by=SOMEBODY)
    history = told(RECORD, replace(VERIFY, at=local("02-24")), RECTIFY, REPLY, begin=begin)
    first, order, closed = history[0], history[1], history[-1]
    assert isinstance(first, Submitted)
    assert (first.reviewer, order.contact_due) == (None, None)
    assert closed == Closed(at=REPLY.at, by=CLOSED.by, kind=Settled.RECTIFIED, revisit_status=RevisitStatus.ANONYMOUS)
    assert not any(isinstance(one, Contacted) for one in history)
    for place in range(2, len(history) + 1):
        state = REVIEW.fold(history[:place])
        assert state is not None
        assert not {Clock.CONTACT, Clock.REVISIT} & set(in_hand(state))
        names = {(one.name, getattr(one.command, "clock", None)) for one in owed(RATING, state, local("05-01"), FACTS)}
        assert not {("remind", Clock.CONTACT), ("remind", Clock.REVISIT)} & names


def test_case_15_excluded_objected_to_and_counted_again() -> None:
    """Who rated objects with success: it counts again in its own month, and is handled on (domain.md §14 case 15)."""
    history = told(CONTACT, RECORD, APPEAL, PROPOSE, CONFIRM, TELL, OBJECT, PROPOSE_BACK, CONFIRM_BACK, begin=rated())
    kinds = [type(one) for one in history]
    assert kinds.index(Excluded) < kinds.index(Told) < kinds.index(Reinstated) == len(kinds) - 1
    state = REVIEW.fold(history)
    assert state is not None
    assert (state.excluded, state.submitted.at, state.stage) == (False, SUBMIT.at, Stage.BAD_CONTACTED)
    assert state.due(Clock.VERIFY) == until("03-11")
    march = [
        replace(one, at=local(day))
        for one, day in ((VERIFY, "03-10"), (RECTIFY, "03-11"), (REPLY, "03-12"), (REVISIT, "03-13"))
    ]
    after = told(*march, begin=history)
    end = REVIEW.fold(after)
    assert end is not None
    assert end.stage is Stage.BAD_CLOSED
    assert [one.late for one in after if hasattr(one, "late") and one.at > local("03-09")] == [False] * 4


def test_a_bad_word_added_to_what_is_excluded_waits_until_it_counts_again() -> None:
    """Praise that is out of the figures has nothing to handle; once reinstated, the follow-up is looked into."""
    by_supervisor = replace(APPEAL, by=SUPERVISOR, ground="fabricated")
    worse = replace(APPEND, at=local("03-02"), grade=Grade.DISSATISFIED, codes=("214",))
    forged = replace(PROPOSE, reason="fabricated")
    begin: list[Event] = [SUBMITTED, NOTICED]
    out = told(replace(RECORD, by=SUPERVISOR), by_supervisor, forged, CONFIRM, TELL, worse, begin=begin)
    state = REVIEW.fold(out)
    assert state is not None
    assert (state.stage, in_hand(state)) == (Stage.EXCLUDED, ())
    back = REVIEW.fold(told(OBJECT, PROPOSE_BACK, CONFIRM_BACK, begin=out))
    assert back is not None
    assert (back.stage, in_hand(back)) == (Stage.BAD_OPEN, (Clock.CONTACT, Clock.VERIFY))
    assert (back.due(Clock.CONTACT), back.due(Clock.VERIFY)) == (until("03-09"), until("03-11"))


# A complaint made of a review.


def test_a_complaint_is_made_of_a_review_in_one_step() -> None:
    """Each is told of the other in one transaction, and neither waits for the other (domain.md §7.3)."""
    asked = replace(REGISTRATION, about_review=RATING, by=CITIZEN)
    facts = replace(DESK_FACTS, itself=key("case"))
    registered, receipt, linked = COMPLAINT.decide(None, asked, facts)
    assert isinstance(registered, Registered)
    assert registered.external_ref == reference(RATING) == f"review:{RATING}"
    assert isinstance(receipt, Event)
    assert linked == For(RATING, ComplaintLinked(at=asked.at, by=CITIZEN, complaint=key("case")))
    assert asked.others(None) == (RATING,)
    assert REGISTRATION.others(None) == ()


def test_a_complaint_of_its_own_names_no_review() -> None:
    """Whatever its reference is."""
    events = COMPLAINT.decide(None, replace(REGISTRATION, external_ref="12345-7"), DESK_FACTS)
    assert [type(one) for one in events if isinstance(one, For)] == []
    first = events[0]
    assert isinstance(first, Registered)
    assert first.external_ref == "12345-7"
    # Without a stream of its own there is nothing to link.
    assert not [
        one
        for one in COMPLAINT.decide(None, replace(REGISTRATION, about_review=RATING), DESK_FACTS)
        if isinstance(one, For)
    ]


def test_a_linked_review_goes_on_as_before() -> None:
    """It is the same review, which knows of the complaint."""
    complaint: UUID = key("case")
    linked = ComplaintLinked(at=local("02-25"), by=CITIZEN, complaint=complaint)
    for last in LOOP[1:]:
        assert there(*upto(last), linked) == replace(there(*upto(last)), complaint=complaint)
    assert bad(BADLY, WORK_ORDER, linked).when(CONTACT).events
    assert there(SUBMITTED, linked).stage is Stage.COUNTED
