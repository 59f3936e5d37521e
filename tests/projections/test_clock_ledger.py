"""Anybody who may know of a case reads why each of its limits ended when it ended: day by day, by the rules of then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from domain.clock_ledger import Why
from domain.complaint import COMPLAINT, Event
from domain.complaint.extending import ExtensionApproved, ExtensionRequested
from domain.complaint.reviewing import ReopenCause, Reopened
from domain.complaint.state import Clock
from domain.complaint.timing import Cause, DeadlineRecomputed, taken_over
from domain.deadlines import HOURS, DayKind, Pause, Unit
from domain.decider import Event as AnyEvent
from domain.rulebook import Profile
from projections.clock_ledger import Limit, Move, clock_ledger
from tests.controls import ACCEPTED, ASSIGNED, CLOSED, CONTACTED, LOOP, REGISTERED, REPLIED, REVISITED, SIGNED, upto
from tests.domain.stories import tell
from tests.domain.test_clock_ledger import recount
from tests.domain.test_complaint_timing import PAUSE, PAUSED, moved, notice, paused, ran_on
from tests.hall import (
    BASIS,
    DESK,
    FACTS,
    HANDLER,
    HEAD,
    RULEBOOK_EVENTS,
    SUPERVISOR,
    key,
    local,
    sealed,
    until,
)
from tests.projections.town import entries

RULES = entries(*RULEBOOK_EVENTS)
AFTERWARDS = local("03-31")


def limits(
    *history: Event, now: datetime = AFTERWARDS, rules: Sequence[AnyEvent] = RULEBOOK_EVENTS
) -> tuple[Limit, ...]:
    """The ledger of a case."""
    return clock_ledger(entries(*history), entries(*rules), now)


def limit(clock: Clock, *history: Event, now: datetime = AFTERWARDS) -> Limit:
    """The newest limit of one kind."""
    return [one for one in limits(*history, now=now) if one.clock is clock][-1]


def why(one: Limit) -> dict[str, Why]:
    """Day by day, why it counts or not."""
    return {f"{day.day:%m-%d}": day.why for day in one.days}


def adds_up(one: Limit) -> None:
    """Recounted from its days alone, a limit ends on the day that was told, and has as many days as it should."""
    end = one.projected or one.due
    if one.term is None or end is None:
        assert not one.days
        return
    assert one.days[-1].day == end.day
    if one.term.unit in HOURS:
        counted = [day.counted for day in one.days if day.counted is not None]
        assert sum(counted, timedelta()) == timedelta(hours=one.term.amount + one.extra)
        return
    numbers = [day.number for day in one.days if day.number is not None]
    assert numbers == [*range(1, len(numbers) + 1)]
    if Why.PROMISED not in {day.why for day in one.days}:
        assert recount(one.days, len(numbers)) == end.day
    if one.term.unit is not Unit.MONTH:
        assert len(numbers) == one.term.amount + one.extra


def test_every_limit_of_the_loop_is_in_the_ledger() -> None:
    """Each as it was set, in that order; each adds up; none is still to be kept when the case is closed."""
    found = limits(*LOOP)
    assert [(one.clock, one.told) for one in found] == [
        (Clock.ACCEPT, REGISTERED.accept_due),
        (Clock.ASSIGN, ACCEPTED.assign_due),
        (Clock.HANDLE, ACCEPTED.handle_due),
        (Clock.SIGN, ASSIGNED.sign_due),
        (Clock.CONTACT, ASSIGNED.contact_due),
        (Clock.RETURN, ASSIGNED.return_due),
        (Clock.REVISIT, REPLIED.revisit_due),
    ]
    for one in found:
        adds_up(one)
        assert (one.in_hand, one.projected, one.due, one.rulebook) == (False, None, one.told, 4)
    assert why(found[2]) == {
        "02-14": Why.BEGINS,
        **{f"02-{day}": Why.HOLIDAY for day in range(15, 24)},
        **{f"02-{day}": Why.COUNTS for day in range(24, 29)},
    }


@pytest.mark.parametrize(
    ("last", "clocks"),
    [
        (REGISTERED, {Clock.ACCEPT}),
        (ACCEPTED, {Clock.ASSIGN, Clock.HANDLE}),
        (SIGNED, {Clock.CONTACT, Clock.HANDLE}),
        (REPLIED, {Clock.REVISIT}),
        (REVISITED, set()),
    ],
)
def test_the_ledger_says_which_limits_are_still_to_be_kept(last: Event, clocks: set[Clock]) -> None:
    """The others were kept, or missed."""
    assert {one.clock for one in limits(*upto(last)) if one.in_hand} == clocks


def test_a_paused_limit_shows_where_it_would_end_now() -> None:
    """On 2 March four working days stood: the 28th becomes 5 March; nothing has moved yet."""
    one = limit(Clock.HANDLE, *upto(CONTACTED), PAUSED, now=local("03-02"))
    assert (one.told, one.due, one.projected) == (until("02-28"), until("02-28"), until("03-05"))
    assert one.moves == ()
    (standing,) = one.pauses
    assert (standing.pause, standing.reason, standing.start, standing.end) == (PAUSE, PAUSED.reason, PAUSED.at, None)
    assert [day for day, reason in why(one).items() if reason is Why.PAUSED] == ["02-26", "02-27", "02-28", "03-02"]
    assert {day.pauses for day in one.days if day.why is Why.PAUSED} == {(PAUSE,)}
    adds_up(one)
    # A pause stops no limit of the house itself.
    contact = limit(Clock.CONTACT, *upto(SIGNED), PAUSED, now=local("03-02"))
    assert (contact.pauses, contact.projected) == ((), None)


def test_what_moved_a_limit_is_told_with_it() -> None:
    """A pause of four working days, then five more by an extension: to Thursday 12 March."""
    at = local("03-02", "10:00")
    resumed = moved(at, until("03-05"))
    asked = ExtensionRequested(
        at=local("03-03"), by=HANDLER, extension=key("extension"), days=5, reason=sealed("reason"),
        decide_due=until("03-04"), basis=BASIS,
    )  # fmt: skip
    granted = ExtensionApproved(at=local("03-04"), by=HEAD, extension=key("extension"), days=5)
    longer = replace(
        resumed, at=granted.at, old=resumed.new, new=until("03-12"), cause=Cause.EXTENDED, reference=key("extension")
    )
    one = limit(Clock.HANDLE, *upto(CONTACTED), PAUSED, ran_on(at, 4), resumed, asked, granted, longer)
    assert (one.told, one.due, one.extra) == (until("02-28"), until("03-12"), 5)
    assert one.moves == (
        Move(at=at, old=until("02-28"), new=until("03-05"), cause=Cause.RESUMED, reference=PAUSE),
        Move(at=granted.at, old=until("03-05"), new=until("03-12"), cause=Cause.EXTENDED, reference=key("extension")),
    )
    assert [day for day, reason in why(one).items() if reason is Why.EXTENSION] == [
        "03-06", "03-09", "03-10", "03-11", "03-12",
    ]  # fmt: skip
    adds_up(one)


def test_a_limit_is_told_by_the_calendar_it_was_computed_by() -> None:
    """The 26th became a holiday later: before it was computed anew it counts, after that it does not."""
    rules = [*RULEBOOK_EVENTS, notice(2, ("02-26", DayKind.HOLIDAY))]
    (before,) = [one for one in limits(*upto(CONTACTED), rules=rules) if one.clock is Clock.HANDLE]
    assert why(before)["02-26"] is Why.COUNTS
    assert {day.calendar.version for day in before.days if day.calendar is not None} == {1}
    change = moved(local("02-25"), until("03-02"), cause=Cause.CALENDAR, basis=replace(BASIS, rulebook=5))
    (after,) = [one for one in limits(*upto(CONTACTED), change, rules=rules) if one.clock is Clock.HANDLE]
    assert why(after)["02-26"] is Why.HOLIDAY
    assert {day.calendar.version for day in after.days if day.calendar is not None} == {2}
    for one in (before, after):
        adds_up(one)


def test_a_limit_taken_over_names_the_case_it_came_from() -> None:
    """The pause of the merged case is told as that case's."""
    stood = paused(local("02-24"), until("03-09", "00:00"), key("other"))
    resumed = (ran_on(local("02-26"), 2, key("other")), moved(local("02-26"), until("03-03")))
    child = COMPLAINT.fold([*upto(SIGNED), stood, *resumed])
    accepted = replace(ACCEPTED, at=local("02-25"), handle_due=until("03-04"))
    history = (REGISTERED, accepted, ASSIGNED, SIGNED)
    primary = COMPLAINT.fold(history)
    assert primary is not None
    assert child is not None
    (change,) = taken_over(
        primary, Clock.HANDLE, child, Clock.HANDLE, key("child"), at=local("02-27"), by=DESK, facts=FACTS
    )
    one = limit(Clock.HANDLE, *history, change)
    assert (one.told, one.due) == (until("03-04"), until("03-03"))
    assert {day.pauses for day in one.days if day.why is Why.PAUSED} == {(key("child"),)}
    adds_up(one)


def test_the_wait_for_a_decision_on_a_return_is_told_with_it() -> None:
    """Asked at eleven, rejected at three: of the four hours to sign one was used, three are left (domain.md §4.3)."""
    assigned = COMPLAINT.fold(upto(ASSIGNED))
    assert assigned is not None
    wait = Pause(start=local("02-14", "11:00"), end=local("02-14", "15:00"))
    sign = replace(assigned.clocks[Clock.SIGN], pauses=(wait,))
    late = DeadlineRecomputed(
        at=wait.end, by=DESK, clock=Clock.SIGN, old=ASSIGNED.sign_due, new=until("02-14", "18:00"),
        cause=Cause.RETURNED, reference=key("return"), basis=BASIS,
        taken_over=replace(sign, due=until("02-14", "18:00")),
    )  # fmt: skip
    one = limit(Clock.SIGN, *upto(ASSIGNED), late)
    assert [(day.why, day.counted) for day in one.days] == [(Why.COUNTS, timedelta(hours=4))]
    adds_up(one)


def test_a_new_round_has_a_limit_of_its_own() -> None:
    """What was told in the first round stays as it was."""
    again = Reopened(
        at=local("03-16"), by=SUPERVISOR, round=2, cause=ReopenCause.SUPERVISION, reason=None,
        handle_due=until("03-23"), basis=BASIS,
    )  # fmt: skip
    first, second = [one for one in limits(*upto(CLOSED), again) if one.clock is Clock.HANDLE]
    assert (first.round, first.told, first.in_hand) == (1, until("02-28"), False)
    assert (second.round, second.told, second.in_hand) == (2, until("03-23"), True)
    for one in (first, second):
        adds_up(one)


def test_a_pause_ends_with_the_case() -> None:
    """Closed in a pause, by an import say, the days up to then stood."""
    one = limit(Clock.HANDLE, *upto(CONTACTED), PAUSED, replace(CLOSED, at=local("02-27")))
    assert (one.in_hand, one.due, one.projected) == (False, until("02-28"), until("03-03"))
    adds_up(one)
    assert [day for day, reason in why(one).items() if reason is Why.PAUSED] == ["02-26", "02-27"]


def test_where_nobody_knew_the_rules_there_are_no_days() -> None:
    """Registered before a policy was adopted: no limit, and nothing is made up."""
    unknown = replace(REGISTERED, accept_due=None, basis=replace(BASIS, policy=None, rulebook=0))
    (one,) = limits(unknown)
    assert (one.term, one.told, one.due, one.days) == (None, None, None, ())
    adds_up(one)
    assert limits() == ()
    assert limits(replace(REGISTERED, profile=Profile.LEDGER, accept_due=None))[0].days == ()


def test_every_limit_of_every_story_adds_up() -> None:
    """Two ways of counting, one date: whatever happened to the case."""
    counted = 0
    for seed in range(30):
        story = tell(Random(seed).choice)
        for one in clock_ledger(entries(*story.history), RULES, story.now):
            adds_up(one)
            counted += bool(one.days)
    assert counted
