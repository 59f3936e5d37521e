"""What is valid is put right, what is complex planned first, everything else explained; and each is replied to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.complaint.revisiting import RevisitStatus
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import THE_SYSTEM
from domain.errors import (
    DateInPast,
    NotYetHappened,
    OutOfTurn,
    PlannedTooLate,
    Superseded,
    UnknownReference,
    VerdictAsksOtherwise,
)
from domain.handling import Method
from domain.review import ReviewEvent, Stage, watching
from domain.review.revisiting import Closed
from domain.review.state import Clock, Settled, Verdict, in_hand
from domain.rulebook import RULEBOOK, CalendarAdopted
from tests.bad_reviews import (
    CLOSED,
    COMPLEX,
    EVIDENCED,
    EXPLAIN,
    EXPLAINED,
    FACTS,
    GROUNDLESS,
    PAPER,
    PLAN,
    PLANNED,
    RECTIFIED,
    RECTIFY,
    REPLIED,
    REPLY,
    UNNAMED,
    UNNAMED_ORDER,
    VERIFIED,
    bad,
    there,
    upto,
)
from tests.hall import key, later, local, until

BEFORE = upto(EVIDENCED)
LISTED: tuple[ReviewEvent, ...] = (*BEFORE, COMPLEX, PLANNED)


@pytest.mark.parametrize("verdict", [one for one in Verdict if not one.contests])
def test_each_verdict_asks_for_one_way(verdict: Verdict) -> None:
    """Put right at once, planned with a date, or explained (domain.md §7.2)."""
    history = (*BEFORE, replace(VERIFIED, verdict=verdict, rectify_due=until("03-17")))
    way = {Verdict.VALID_CLEAR: RECTIFY, Verdict.VALID_COMPLEX: PLAN}.get(verdict, EXPLAIN)
    for command in (RECTIFY, PLAN, EXPLAIN):
        if command == way:
            assert len(bad(*history).when(command).events) == 1
        else:
            bad(*history).when(command).then_refused(VerdictAsksOtherwise, verdict=verdict)


def test_what_is_clear_is_put_right_at_once() -> None:
    """With limits for the reply and the revisit, two and five working days from now."""
    bad(*upto(VERIFIED)).when(RECTIFY).then([RECTIFIED])
    state = there(*upto(RECTIFIED))
    assert (state.stage, state.settled, in_hand(state)) == (
        Stage.RECTIFIED, Settled.RECTIFIED, (Clock.REPLY, Clock.REVISIT),
    )  # fmt: skip
    last = until("03-03").at
    assert bad(*upto(VERIFIED)).when(replace(RECTIFY, at=last)).event.late is False
    assert bad(*upto(VERIFIED)).when(replace(RECTIFY, at=later(last, microseconds=1))).event.late is True


def test_what_is_complex_is_planned_with_a_date() -> None:
    """Who rated is told why; only then it is put right."""
    bad(*BEFORE, COMPLEX).when(PLAN).then([PLANNED])
    state = there(*LISTED)
    assert (state.stage, in_hand(state)) == (Stage.RECTIFYING, (Clock.RECTIFY,))
    bad(*LISTED).when(RECTIFY).then([RECTIFIED])
    for command in (PLAN, EXPLAIN):
        bad(*LISTED).when(command).then_refused(OutOfTurn)


def test_the_date_that_was_promised_is_the_limit() -> None:
    """Who rated was told the 10th: after it the unit is late, though the policy would give until the 17th (限期)."""
    last = until("03-10").at
    assert bad(*LISTED).when(replace(RECTIFY, at=last)).event.late is False
    assert bad(*LISTED).when(replace(RECTIFY, at=later(last, microseconds=1))).event.late is True
    assert there(*LISTED).due(Clock.RECTIFY) == until("03-10")


def test_no_calendar_moves_a_date_somebody_set() -> None:
    """It was promised as a day, and counted by nobody."""
    holiday = CalendarYear(
        jurisdiction="CN-15", layer=Layer.REGION, year=2026, version=1, published_at=None, source="NMG-2026-1",
        days=(CalendarDay(day=date(2026, 3, 9), kind=DayKind.HOLIDAY),),
    )  # fmt: skip
    adopted = CalendarAdopted(at=local("02-26"), by=THE_SYSTEM, calendar=holiday)
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    recompute = watching.RecomputeDeadlines(at=local("02-27"), by=THE_SYSTEM)
    bad(*LISTED, facts=facts).when(recompute).then_nothing()
    assert bad(*BEFORE, COMPLEX, facts=facts).when(recompute).event.new == until("03-18")
    # Also where the promise is the very last day of the policy's limit.
    at_last = replace(PLANNED, due=until("03-17"))
    bad(*BEFORE, COMPLEX, at_last, facts=facts).when(recompute).then_nothing()


def test_a_plan_keeps_to_the_limit() -> None:
    """From today to the last day of the policy's limit."""
    for day in (date(2026, 2, 25), date(2026, 3, 17)):
        assert bad(*BEFORE, COMPLEX).when(replace(PLAN, due=day)).event.due.day == day
    bad(*BEFORE, COMPLEX).when(replace(PLAN, due=date(2026, 2, 24))).then_refused(DateInPast, due=date(2026, 2, 24))
    bad(*BEFORE, COMPLEX).when(replace(PLAN, due=date(2026, 3, 18))).then_refused(
        PlannedTooLate, limit=date(2026, 3, 17)
    )


def test_a_plan_made_too_late_makes_nothing_late_in_time() -> None:
    """Any day can be named once the limit is over, or nothing could be planned; what was missed stays missed."""
    after = replace(PLAN, at=local("03-18"), due=date(2026, 4, 30))
    event = bad(*BEFORE, COMPLEX).when(after).event
    assert event.due.day == date(2026, 4, 30)
    assert there(*BEFORE, COMPLEX, event).due(Clock.RECTIFY) == until("03-17")
    assert bad(*BEFORE, COMPLEX, event).when(replace(RECTIFY, at=local("03-19"))).event.late is True


def test_without_a_limit_any_date_can_be_promised() -> None:
    """And then it is the limit."""
    endless = replace(COMPLEX, rectify_due=None)
    event = bad(*BEFORE, endless).when(replace(PLAN, due=date(2026, 12, 31))).event
    assert there(*BEFORE, endless, event).due(Clock.RECTIFY) == event.due


def test_what_needs_nothing_put_right_is_explained() -> None:
    """Without a legal basis, or not to be verified."""
    for verdict in (Verdict.NO_LEGAL_BASIS, Verdict.UNVERIFIABLE):
        bad(*BEFORE, replace(GROUNDLESS, verdict=verdict)).when(EXPLAIN).then([EXPLAINED])
    state = there(*BEFORE, GROUNDLESS, EXPLAINED)
    assert (state.stage, state.settled) == (Stage.RECTIFIED, Settled.EXPLAINED)
    late = replace(EXPLAIN, at=local("03-04", "00:00"))
    assert bad(*BEFORE, GROUNDLESS).when(late).event.late is True


def test_whoever_gave_no_name_is_owed_no_revisit() -> None:
    """Verified, put right, replied to and closed without one (domain.md §14 case 14)."""
    unnamed = (UNNAMED, UNNAMED_ORDER, EVIDENCED, VERIFIED)
    rectified = replace(RECTIFIED, revisit_due=None)
    bad(*unnamed).when(RECTIFY).then([rectified])
    assert in_hand(there(*unnamed, rectified)) == (Clock.REPLY,)
    closed = Closed(at=REPLY.at, by=THE_SYSTEM, kind=Settled.RECTIFIED, revisit_status=RevisitStatus.ANONYMOUS)
    bad(*unnamed, rectified).when(REPLY).then([REPLIED, closed])
    assert there(*unnamed, rectified, REPLIED, closed).stage is Stage.BAD_CLOSED
    explained = (UNNAMED, UNNAMED_ORDER, EVIDENCED, GROUNDLESS)
    given_one = replace(EXPLAINED, revisit_due=None)
    bad(*explained).when(EXPLAIN).then([given_one])
    bad(*explained, given_one).when(REPLY).then([REPLIED, replace(closed, kind=Settled.EXPLAINED)])


def test_every_bad_review_gets_a_reply_once() -> None:
    """Within two working days of what was done; a second one is refused."""
    bad(*upto(RECTIFIED)).when(REPLY).then([REPLIED])
    bad(*upto(REPLIED)).when(REPLY).then_refused(Superseded)
    state = there(*upto(REPLIED))
    assert (state.stage, in_hand(state)) == (Stage.RECTIFIED, (Clock.REVISIT,))
    last = until("02-28").at
    assert bad(*upto(RECTIFIED)).when(replace(REPLY, at=last)).event.late is False
    assert bad(*upto(RECTIFIED)).when(replace(REPLY, at=later(last, microseconds=1))).event.late is True
    for method in Method:
        assert bad(*upto(RECTIFIED)).when(replace(REPLY, method=method)).event.method is method


def test_what_was_put_right_is_shown_by_evidence_that_is_there() -> None:
    """Or by none."""
    strange = replace(RECTIFY, evidence=(key("other"), PAPER))
    bad(*upto(VERIFIED)).when(strange).then_refused(UnknownReference, kind="evidence", value=[str(key("other"))])
    assert bad(*upto(VERIFIED)).when(replace(RECTIFY, evidence=())).event.evidence == ()


def test_what_was_put_right_earlier_says_when() -> None:
    """Never later than it is recorded."""
    before = local("02-25", "16:00")
    assert bad(*upto(VERIFIED)).when(replace(RECTIFY, happened_at=before)).event.happened_at == before
    ahead = replace(RECTIFY, happened_at=later(RECTIFY.at, seconds=1))
    bad(*upto(VERIFIED)).when(ahead).then_refused(NotYetHappened)


def test_each_step_has_its_turn() -> None:
    """Nothing is settled before the verdict, nothing replied before it is settled, and nothing after the end."""
    for command in (PLAN, RECTIFY, EXPLAIN, REPLY):
        bad(*BEFORE).when(command).then_refused(OutOfTurn, step=Stage.BAD_CONTACTED)
        bad(*upto(CLOSED)).when(command).then_refused(OutOfTurn, step=Stage.BAD_CLOSED)
    bad(*upto(VERIFIED)).when(REPLY).then_refused(OutOfTurn)
    for command in (PLAN, RECTIFY, EXPLAIN):
        bad(*upto(RECTIFIED)).when(command).then_refused(OutOfTurn)


def test_everybody_who_settles_it_has_worked_on_it() -> None:
    """Whoever planned, put right, explained or replied."""
    for event in (PLANNED, RECTIFIED, EXPLAINED, REPLIED):
        before = there(*BEFORE, COMPLEX).workers
        assert there(*BEFORE, COMPLEX, event).workers == before | event.by.persons != before
