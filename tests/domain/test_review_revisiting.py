"""Somebody outside the unit asks who rated; then it is closed, or done again, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.complaint.revisiting import RevisitStatus
from domain.decider import THE_SYSTEM, Code, PersonKey
from domain.errors import NobodyToContact, NotYetHappened, NotYourRole, OutOfTurn, OwnWorkRevisited, ReplyMissing
from domain.handling import ContactResult
from domain.register import REGISTER, DepartmentMerged, PostTaken
from domain.review import ReviewEvent, Stage
from domain.review.proposals import ProposalDeclined
from domain.review.revisiting import Closed, Revisit
from domain.review.state import Clock, Satisfied, Settled, Verdict, in_hand
from tests.bad_reviews import (
    APPEALED,
    ATTEMPTED,
    CLOSED,
    COMPLEX,
    CONTENT,
    DISCONTENT,
    EVIDENCED,
    EXPLAINED,
    FACTS,
    GAO,
    GROUNDLESS,
    INSIDE_REVISITOR,
    PLAN,
    PLANNED,
    PROPOSAL,
    PROPOSED,
    RECTIFIED,
    RECTIFY,
    REJECTED,
    REPLIED,
    REPLY,
    REVISIT,
    REVISITED,
    REVISITOR,
    REWORK,
    TAO,
    TAX_REVISITOR,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    XU,
    acting,
    bad,
    holding,
    there,
    upto,
)
from tests.hall import ENTERED, STRANGER, SUN, WANG, ZHAO, later, local, sealed, until

ANSWERED = upto(REPLIED)
UNHEARD = replace(REVISIT, result=ContactResult.NO_ANSWER, answers=None)
UNSATISFIED = replace(REVISITED, satisfied=Satisfied.NO)
AGAIN: tuple[ReviewEvent, ...] = (*ANSWERED, ATTEMPTED, UNSATISFIED, REWORK)


def tries(*days: str) -> tuple[ReviewEvent, ...]:
    """Give attempts to reach who rated on these days of March, in vain."""
    return tuple(
        replace(
            ATTEMPTED, at=local(f"03-{day}"), attempt_no=number + 1, day=date.fromisoformat(f"2026-03-{day}"),
            result=ContactResult.NO_ANSWER,
        )
        for number, day in enumerate(days)
    )  # fmt: skip


def test_whoever_is_content_or_says_nothing_ends_it() -> None:
    """The system closes it in the same act: nobody can leave that undone, or do it before."""
    bad(*ANSWERED).when(REVISIT).then([ATTEMPTED, REVISITED, CLOSED])
    state = there(*upto(CLOSED))
    assert (state.stage, in_hand(state)) == (Stage.BAD_CLOSED, ())
    declined = replace(CONTENT, satisfied=Satisfied.DECLINED)
    bad(*ANSWERED).when(replace(REVISIT, answers=declined)).then(
        [ATTEMPTED, replace(REVISITED, satisfied=Satisfied.DECLINED), CLOSED]
    )


@pytest.mark.parametrize(("verdict", "due"), [(Verdict.VALID_CLEAR, "03-10"), (Verdict.VALID_COMPLEX, "03-24")])
def test_whoever_is_not_content_sends_it_back_once(verdict: Verdict, due: str) -> None:
    """Where there was something to put right: once, by a new limit (domain.md §7.2)."""
    history = (*upto(EVIDENCED), replace(VERIFIED, verdict=verdict), RECTIFIED, REPLIED)
    answered = replace(REVISIT, answers=DISCONTENT)
    rework = replace(REWORK, rectify_due=until(due))
    bad(*history).when(answered).then([ATTEMPTED, UNSATISFIED, rework])
    state = there(*history, ATTEMPTED, UNSATISFIED, rework)
    assert (state.stage, state.reworks, state.replied, state.revisit_days) == (Stage.BAD_VERIFIED, 1, False, ())
    assert (state.settled, state.planned, state.revisited) == (None, False, None)
    assert in_hand(state) == (Clock.RECTIFY,)
    assert state.due(Clock.RECTIFY) == until(due)


def test_it_goes_back_only_once() -> None:
    """Done again and replied to again, it is closed whatever they say."""
    done = replace(RECTIFIED, at=local("03-05"), reply_due=until("03-09"), revisit_due=until("03-12"))
    bad(*AGAIN).when(replace(RECTIFY, at=local("03-05"))).then([done])
    replied = replace(REPLIED, at=local("03-06"))
    bad(*AGAIN, done).when(replace(REPLY, at=local("03-06"))).then([replied])
    asked = replace(REVISIT, at=local("03-09"), answers=DISCONTENT)
    attempted, revisited, closed = bad(*AGAIN, done, replied).when(asked).events
    assert attempted == replace(ATTEMPTED, at=local("03-09"), day=date(2026, 3, 9))
    assert revisited == replace(UNSATISFIED, at=local("03-09"))
    assert closed == replace(CLOSED, at=local("03-09"))


def test_what_is_complex_is_planned_again() -> None:
    """The old plan was for the first time."""
    first = (*upto(EVIDENCED), COMPLEX, PLANNED, RECTIFIED, REPLIED, ATTEMPTED, UNSATISFIED, REWORK)
    assert bad(*first).when(replace(PLAN, at=local("03-04"))).event.due == PLANNED.due
    assert there(*first).stage is Stage.BAD_VERIFIED


def test_what_was_only_explained_is_not_sent_back() -> None:
    """There is nothing to put right; that they are not content stands there."""
    explained = (*upto(EVIDENCED), GROUNDLESS, EXPLAINED, REPLIED)
    closed = replace(CLOSED, kind=Settled.EXPLAINED)
    bad(*explained).when(replace(REVISIT, answers=DISCONTENT)).then([ATTEMPTED, UNSATISFIED, closed])


def test_whoever_cannot_be_reached_is_tried_three_times_on_two_days() -> None:
    """Then it is closed as unreachable, and not as content (domain.md §8 rule 7)."""
    bad(*ANSWERED).when(UNHEARD).then([replace(ATTEMPTED, result=ContactResult.NO_ANSWER)])
    for result in ContactResult:
        if result is not ContactResult.REACHED:
            assert len(bad(*ANSWERED).when(replace(UNHEARD, result=result)).events) == 1
    on_one_day = replace(UNHEARD, at=local("03-02", "16:00"))
    assert len(bad(*ANSWERED, *tries("02", "02")).when(on_one_day).events) == 1
    attempted, closed = bad(*ANSWERED, *tries("02", "02")).when(UNHEARD).events
    assert attempted == replace(ATTEMPTED, attempt_no=3, result=ContactResult.NO_ANSWER)
    assert closed == Closed(
        at=UNHEARD.at, by=THE_SYSTEM, kind=Settled.RECTIFIED, revisit_status=RevisitStatus.UNREACHABLE
    )
    reached = bad(*ANSWERED, *tries("02", "02")).when(REVISIT).events
    assert reached == [replace(ATTEMPTED, attempt_no=3), REVISITED, CLOSED]


def test_a_revisit_is_in_time_or_late() -> None:
    """Five working days after it was put right: 27, 28 February, 2, 3, 4 March."""
    last = until("03-04").at
    assert bad(*ANSWERED).when(replace(REVISIT, at=last)).events[1] == replace(REVISITED, at=last)
    assert bad(*ANSWERED).when(replace(REVISIT, at=later(last, microseconds=1))).events[1].late is True  # type: ignore[attr-defined]


def test_nobody_asks_before_there_is_a_reply() -> None:
    """Or what would they say of it."""
    bad(*upto(RECTIFIED)).when(REVISIT).then_refused(ReplyMissing)
    bad(*upto(VERIFIED)).when(REVISIT).then_refused(OutOfTurn)
    bad(*upto(CLOSED)).when(REVISIT).then_refused(OutOfTurn)


def test_nobody_asks_whoever_gave_no_name() -> None:
    """Before the reply closes it there is nobody to ask either (domain.md §14 case 14)."""
    rectified = replace(RECTIFIED, revisit_due=None)
    bad(UNNAMED, UNNAMED_ORDER, EVIDENCED, VERIFIED, rectified).when(REVISIT).then_refused(NobodyToContact)


def test_an_attempt_may_be_written_down_later() -> None:
    """Never before it was made."""
    before = local("03-03", "08:00")
    assert bad(*ANSWERED).when(replace(REVISIT, happened_at=before)).events[0] == replace(ATTEMPTED, happened_at=before)
    bad(*ANSWERED).when(replace(REVISIT, happened_at=later(REVISIT.at, seconds=1))).then_refused(NotYetHappened)


@pytest.mark.parametrize("result", list(ContactResult))
def test_only_whoever_was_reached_answers(result: ContactResult) -> None:
    """A form that says otherwise is no revisit."""
    wrong: Any = None if result is ContactResult.REACHED else CONTENT
    with pytest.raises(ValueError, match="answers belong to reached"):
        Revisit(at=REVISIT.at, by=REVISITOR, method=REVISIT.method, result=result, answers=wrong)


# Who.


def test_nobody_of_the_unit_asks() -> None:
    """Somebody who holds another post in the unit that was rated, or stands in for one, is inside (R1)."""
    bad(*ANSWERED).when(replace(REVISIT, by=INSIDE_REVISITOR)).then_refused(OwnWorkRevisited)
    assert bad(*ANSWERED).when(replace(REVISIT, by=TAX_REVISITOR)).events
    of_the_head = replace(REVISIT, by=acting(STRANGER, "revisits", on_behalf_of=ZHAO))
    bad(*ANSWERED, facts=holding(STRANGER, "revisits")).when(of_the_head).then_refused(OwnWorkRevisited)


def test_nobody_of_the_unit_with_the_work_order_asks_where_another_one_served() -> None:
    """Both are inside."""
    order = replace(UNNAMED_ORDER, lead="tax", contact_due=until("02-24"))
    history = (ANSWERED[0], order, *ANSWERED[2:])
    for by in (TAX_REVISITOR, INSIDE_REVISITOR):
        bad(*history).when(replace(REVISIT, by=by)).then_refused(OwnWorkRevisited)


def test_whoever_took_the_unit_over_is_inside() -> None:
    """A department that was merged lives on in its successor, for what it did before."""
    facts = holding(GAO, "revisits")
    command = replace(REVISIT, by=acting(GAO, "revisits"))
    assert bad(*ANSWERED, facts=facts).when(command).events
    merged = DepartmentMerged(at=local("02-20"), by=THE_SYSTEM, department="approval", into="joint")
    after = replace(facts, register=REGISTER.evolve(facts.register, merged))
    bad(*ANSWERED, facts=after).when(command).then_refused(OwnWorkRevisited)


def test_a_post_taken_later_counts_from_then() -> None:
    """Who comes into the unit afterwards was outside when they asked."""
    taken = PostTaken(
        at=ENTERED, by=THE_SYSTEM, post="approval-handler", person=REVISITOR.person, since=later(REVISIT.at, hours=1)
    )
    facts = replace(FACTS, register=REGISTER.evolve(FACTS.register, taken))
    assert bad(*ANSWERED, facts=facts).when(REVISIT).events
    bad(*ANSWERED, facts=facts).when(replace(REVISIT, at=taken.since)).then_refused(OwnWorkRevisited)


@pytest.mark.parametrize("who", [TAO, SUN, PROPOSED.by.person, REJECTED.by.person, XU])
def test_whoever_had_a_part_does_not_ask(who: PersonKey) -> None:
    """Who worked on it for the hall, appealed, proposed, confirmed or declined (domain.md §6.4)."""
    supervised = replace(APPEALED, by=acting(SUN, "supervisor"), evidence=())
    declined = ProposalDeclined(at=local("02-26"), by=acting(XU, "panel"), proposal=PROPOSAL, reason=sealed("reason"))
    # XU leaves the unit first, or that alone would keep them out.
    verified = replace(VERIFIED, by=acting(TAO, "hall-verifier"))
    history = (*upto(EVIDENCED), supervised, PROPOSED, declined, PROPOSED, REJECTED, verified, RECTIFIED, REPLIED)
    by = acting(who, "revisits")
    facts = holding(who, "revisits")
    register = facts.register
    kept = tuple(one for one in register.tenures if (one.person, one.post) != (XU, "approval-handler"))
    outside = replace(facts, register=replace(register, tenures=kept))
    bad(*history, facts=outside).when(replace(REVISIT, by=by)).then_refused(OwnWorkRevisited)
    assert bad(*history, facts=outside).when(REVISIT).events


def test_whoever_asked_before_may_ask_again() -> None:
    """That is the same work."""
    done = (*AGAIN, replace(RECTIFIED, at=local("03-05")), replace(REPLIED, at=local("03-06")))
    assert bad(*done).when(replace(REVISIT, at=local("03-09"))).events
    assert there(*AGAIN).revisitors == {REVISITOR.person}


def test_everybody_who_tried_has_asked() -> None:
    """Whether they reached anybody or not: neither works on it, or decides on it, afterwards."""
    by_another = replace(tries("02")[0], by=TAX_REVISITOR)
    assert there(*ANSWERED, by_another, ATTEMPTED).revisitors == {TAX_REVISITOR.person, REVISITOR.person}


@pytest.mark.parametrize("post", ["approval-handler", "panel"])
def test_revisits_are_asked_in_the_post_for_it(post: Code) -> None:
    """The command names the post, and the post the role."""
    who = WANG if post == "approval-handler" else XU
    bad(*ANSWERED).when(replace(REVISIT, by=acting(who, post))).then_refused(NotYourRole)
