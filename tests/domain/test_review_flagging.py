"""What looks forged is shown to a human, and drawn reviews are checked; neither changes anything by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid5

import pytest

from domain.decider import THE_SYSTEM, Actor, PersonKey
from domain.errors import (
    NobodyToContact,
    NothingOpen,
    NotYetHappened,
    NotYourRole,
    OutOfTurn,
    OwnWorkRevisited,
    Superseded,
    UnknownReference,
)
from domain.handling import ContactResult
from domain.review import ReviewEvent, Stage
from domain.review.flagging import Check, Feature, Flagged, Genuine
from domain.review.state import Clock, in_hand
from tests.bad_reviews import (
    APPEALED,
    ATTEMPTED,
    AUDITOR,
    CHECK,
    CHECKED,
    CLEAR,
    CLEARED,
    CLOSED,
    DRAW,
    EVIDENCED,
    EXCLUDED,
    FLAG,
    HEAD,
    INSIDE_REVISITOR,
    LOOP,
    NOTICE,
    NOTICED,
    OWE,
    OWED,
    PROPOSED,
    REJECTED,
    REVISITOR,
    SUPERVISOR,
    TAO,
    TAX_REVISITOR,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    VERIFIER,
    XU,
    YUAN,
    acting,
    bad,
    contested,
    holding,
    there,
    upto,
)
from tests.hall import SUN, key, later, local, until
from tests.visits import RATING, SUBMITTED, WORK_ORDER

DRAWN: tuple[ReviewEvent, ...] = (SUBMITTED, OWED)
UNHEARD = replace(CHECK, result=ContactResult.NO_ANSWER, genuine=None)
TRIED = replace(CHECKED, result=ContactResult.NO_ANSWER, genuine=None, done=False)
OTHER_DRAW = key("other draw")


# Flags.


def test_a_detector_shows_what_it_noticed() -> None:
    """Nothing else becomes of it (domain.md §9.3, PIPL art. 24 §3)."""
    bad(SUBMITTED).when(NOTICE).then([NOTICED])
    for last in LOOP[1:]:
        before, after = there(*upto(last)), there(*upto(last), NOTICED)
        assert replace(after, flags=before.flags) == before
        assert bad(*upto(last)).when(NOTICE).event == NOTICED
    bad(*contested(EXCLUDED)).when(NOTICE).then_refused(OutOfTurn)


def test_the_same_is_noticed_once() -> None:
    """Under its id or another one, also after somebody looked at it; another detector notices for itself."""
    for history in ((SUBMITTED, NOTICED), (SUBMITTED, NOTICED, CLEARED)):
        bad(*history).when(NOTICE).then_nothing()
        bad(*history).when(replace(NOTICE, flag=key("again"))).then_nothing()
        bad(*history).when(replace(NOTICE, detector="run")).then_nothing()
        assert bad(*history).when(replace(NOTICE, flag=key("again"), detector="run")).events


def test_only_listed_detectors_notice_anything() -> None:
    """And only a machine does."""
    bad(SUBMITTED).when(replace(NOTICE, detector="hearsay")).then_refused(UnknownReference, kind="detector")
    for by in (SUPERVISOR, AUDITOR, VERIFIER):
        bad(SUBMITTED).when(replace(NOTICE, by=by)).then_refused(NotYourRole)


def test_a_human_looks_at_it_and_finds_nothing() -> None:
    """An auditor or a supervisor, once."""
    bad(SUBMITTED, NOTICED).when(CLEAR).then([CLEARED])
    assert bad(SUBMITTED, NOTICED).when(replace(CLEAR, by=SUPERVISOR)).events
    for by in (VERIFIER, HEAD, REVISITOR, THE_SYSTEM):
        bad(SUBMITTED, NOTICED).when(replace(CLEAR, by=by)).then_refused(NotYourRole)
    bad(SUBMITTED, NOTICED, CLEARED).when(CLEAR).then_refused(Superseded, flag=FLAG)
    bad(SUBMITTED).when(CLEAR).then_refused(Superseded)
    assert there(SUBMITTED, NOTICED, CLEARED).flags[FLAG].cleared
    assert not there(SUBMITTED, NOTICED).flags[FLAG].cleared


def test_a_flag_that_nobody_raised_still_loads() -> None:
    """What is read never refuses."""
    assert there(SUBMITTED, CLEARED).flags[FLAG].cleared


# Checks.


def test_whoever_was_drawn_is_to_be_asked() -> None:
    """Within ten working days; the same draw says so once."""
    bad(SUBMITTED).when(OWE).then([OWED])
    bad(*DRAWN).when(OWE).then_nothing()
    bad(*DRAWN, CHECKED).when(OWE).then_nothing()
    assert in_hand(there(*DRAWN)) == (Clock.CHECK,)
    assert in_hand(there(*DRAWN, CHECKED)) == ()
    bad(SUBMITTED).when(replace(OWE, by=REVISITOR)).then_refused(NotYourRole)
    bad(*contested(EXCLUDED)).when(OWE).then_refused(OutOfTurn)
    for last in LOOP[1:]:
        assert bad(*upto(last)).when(OWE).event.draw == DRAW


def test_whoever_gave_no_name_is_not_drawn() -> None:
    """Nobody could ask them, and somebody would be reminded of it for ever."""
    bad(UNNAMED, UNNAMED_ORDER).when(OWE).then_refused(NobodyToContact)


@pytest.mark.parametrize("genuine", [Genuine.YES, Genuine.DECLINED])
def test_what_is_theirs_is_checked(genuine: Genuine) -> None:
    """So is what they say nothing about."""
    bad(*DRAWN).when(replace(CHECK, genuine=genuine)).then([replace(CHECKED, genuine=genuine)])
    assert not genuine.doubtful


@pytest.mark.parametrize("genuine", [Genuine.NOT_MINE, Genuine.COERCED])
def test_what_is_not_theirs_is_shown_to_a_human(genuine: Genuine) -> None:
    """At once, by a flag of its own; the review stays where it is until two decide."""
    checked, flagged = bad(*DRAWN).when(replace(CHECK, genuine=genuine)).events
    assert checked == replace(CHECKED, genuine=genuine)
    assert flagged == Flagged(
        at=CHECK.at, by=THE_SYSTEM, flag=uuid5(DRAW, str(RATING)), detector="check", score=100,
        features=(Feature(name=genuine, value=1),), model=1,
    )  # fmt: skip
    state = there(*DRAWN, checked, flagged)
    assert (state.stage, state.excluded, len(state.flags)) == (Stage.COUNTED, False, 1)
    assert genuine.doubtful


def test_whoever_cannot_be_reached_is_tried_three_times_on_two_days() -> None:
    """Then the check is over, without an answer."""
    bad(*DRAWN).when(UNHEARD).then([TRIED])
    second = replace(TRIED, attempt_no=2)
    third = bad(*DRAWN, TRIED, second).when(UNHEARD).event
    assert (third.attempt_no, third.done) == (3, False)
    assert in_hand(there(*DRAWN, TRIED, second, third)) == (Clock.CHECK,)
    last = bad(*DRAWN, TRIED, second).when(replace(UNHEARD, at=local("03-04"))).event
    assert (last.done, last.genuine, last.day) == (True, None, date(2026, 3, 4))
    reached = bad(*DRAWN, TRIED).when(CHECK).event
    assert (reached.attempt_no, reached.done) == (2, True)


def test_a_check_answers_a_draw_once() -> None:
    """One that chose it, and was not answered yet."""
    bad(SUBMITTED).when(CHECK).then_refused(NothingOpen, draw=DRAW)
    bad(*DRAWN, CHECKED).when(CHECK).then_refused(NothingOpen)
    bad(*DRAWN).when(replace(CHECK, draw=OTHER_DRAW)).then_refused(NothingOpen)


def test_whoever_is_drawn_twice_is_asked_once() -> None:
    """Within the first limit, and with the attempts made so far."""
    again = replace(OWED, at=local("03-05"), draw=OTHER_DRAW, check_due=until("03-19"))
    both = (*DRAWN, TRIED, again)
    assert bad(*DRAWN, TRIED).when(replace(OWE, at=local("03-05"), draw=OTHER_DRAW)).event == again
    assert (there(*both).due(Clock.CHECK), len(there(*both).check_days)) == (until("03-16"), 1)
    answered = bad(*both).when(replace(CHECK, at=local("03-05"), draw=OTHER_DRAW)).event
    assert answered.attempt_no == 2
    state = there(*both, answered)
    assert dict(state.checks) == {DRAW: True, OTHER_DRAW: True}
    assert in_hand(state) == ()
    tried = replace(TRIED, attempt_no=2, draw=OTHER_DRAW)
    assert dict(there(*both, tried).checks) == {DRAW: False, OTHER_DRAW: False}
    one_by_one = (*DRAWN, CHECKED, again)
    tried_again = replace(TRIED, draw=OTHER_DRAW, by=TAX_REVISITOR)
    later_on = there(*one_by_one, tried_again)
    assert dict(later_on.checks) == {DRAW: True, OTHER_DRAW: False}
    assert later_on.revisitors == {REVISITOR.person, TAX_REVISITOR.person}
    state = there(*one_by_one)
    assert (dict(state.checks), state.check_days) == ({DRAW: True, OTHER_DRAW: False}, ())
    assert state.due(Clock.CHECK) == until("03-19")


def test_a_check_is_in_time_or_late() -> None:
    """Until the last instant of 16 March."""
    last = until("03-16").at
    for at, late in ((last, False), (later(last, microseconds=1), True)):
        assert bad(*DRAWN).when(replace(CHECK, at=at)).event.late is late


def test_a_check_may_be_written_down_later() -> None:
    """Never before it was made."""
    before = local("03-03", "08:00")
    assert bad(*DRAWN).when(replace(CHECK, happened_at=before)).event.happened_at == before
    bad(*DRAWN).when(replace(CHECK, happened_at=later(CHECK.at, seconds=1))).then_refused(NotYetHappened)


@pytest.mark.parametrize("result", list(ContactResult))
def test_only_whoever_was_reached_answers(result: ContactResult) -> None:
    """A form that says otherwise is no check."""
    wrong: Any = None if result is ContactResult.REACHED else Genuine.YES
    with pytest.raises(ValueError, match="an answer belongs to reached"):
        Check(at=CHECK.at, by=REVISITOR, draw=DRAW, method=CHECK.method, result=result, genuine=wrong, note=None)


def test_a_check_is_owed_whatever_becomes_of_the_review() -> None:
    """Under appeal, excluded or closed: the question is whether it was theirs."""
    for history in (contested(APPEALED), contested(EXCLUDED), upto(CLOSED)):
        early = (*history[:2], OWED, *history[2:])
        assert Clock.CHECK in in_hand(there(*early))
        by = replace(CHECK, by=TAX_REVISITOR, at=local("03-04"))
        assert bad(*early).when(by).events


@pytest.mark.parametrize("by", [INSIDE_REVISITOR])
def test_nobody_of_the_unit_checks(by: Actor) -> None:
    """The one that served, or has the work order."""
    bad(*DRAWN).when(replace(CHECK, by=by)).then_refused(OwnWorkRevisited)
    assert bad(*DRAWN).when(replace(CHECK, by=TAX_REVISITOR)).events
    other = (*upto(WORK_ORDER)[:1], replace(WORK_ORDER, lead="tax"), OWED)
    bad(*other).when(replace(CHECK, by=TAX_REVISITOR)).then_refused(OwnWorkRevisited)


@pytest.mark.parametrize("who", [TAO, SUN, PROPOSED.by.person, YUAN])
def test_whoever_had_a_part_does_not_check(who: PersonKey) -> None:
    """Who worked on it, appealed or decided (domain.md §6.4); who revisited it may."""
    verified = replace(VERIFIED, by=acting(TAO, "hall-verifier"))
    appealed = replace(APPEALED, by=SUPERVISOR)
    history = (*upto(EVIDENCED), appealed, PROPOSED, REJECTED, verified, OWED)
    asked = replace(CHECK, by=acting(who, "revisits"))
    bad(*history, facts=holding(who, "revisits")).when(asked).then_refused(OwnWorkRevisited)
    assert bad(*history, ATTEMPTED).when(CHECK).events
    assert there(*history, CHECKED).revisitors == {REVISITOR.person}
    assert XU not in there(*history).deciders
