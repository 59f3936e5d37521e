"""The clock stands still for listed reasons, by somebody who does not handle the case, and never after it ran out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.complaint import COMPLAINT, Event, SubmitReply
from domain.complaint.clocks import in_hand, passed, stilled
from domain.complaint.state import Case, Clock, Respondent, Running, Step
from domain.complaint.timing import (
    Cause,
    ClockPaused,
    ClockResumed,
    DeadlineRecomputed,
    PauseClock,
    RecomputeDeadlines,
    ResumeClock,
    taken_over,
)
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Due, Layer, Pause
from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    AlreadyThere,
    ClockStands,
    NotYourCase,
    NotYourRole,
    OutOfTurn,
    OwnCause,
    OwnClock,
    OwnComplaint,
    PausedEnough,
    Superseded,
    TooEarly,
    TooLate,
    UnknownReference,
)
from domain.handling import Facts
from domain.rulebook import RULEBOOK, CalendarAdopted, PolicyAdopted, RulebookEvent
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    CLOSED,
    CONTACTED,
    EVIDENCE,
    EVIDENCED,
    FOUND,
    LOOP,
    REGISTERED,
    REPLIED,
    REPLY,
    REVISITED,
    SIGNED,
    SUBMITTED,
    VERIFIED,
    CaseGiven,
    case,
    upto,
)
from tests.hall import (
    BASIS,
    CALENDAR_2026,
    DESK,
    FACTS,
    HALL,
    HANDLER,
    HEAD,
    JIANG,
    MEASURED,
    QIAN,
    RULEBOOK_EVENTS,
    SHANGHAI,
    WANG,
    ZHAO,
    actor,
    key,
    local,
    until,
)

PAUSE = key("pause")
OTHER = key("other-pause")
REASON = "expert_or_hearing"


def pause(at: datetime, by: Actor = HEAD, name: UUID = PAUSE, reason: str = REASON) -> PauseClock:
    """The head of the unit lets the clock stand."""
    return PauseClock(at=at, by=by, pause=name, reason=reason, evidence=(), explanation=None)


def resume(at: datetime, by: Actor = HEAD, name: UUID = PAUSE) -> ResumeClock:
    """Let the clock run on."""
    return ResumeClock(at=at, by=by, pause=name)


def paused(at: datetime, last: Due, name: UUID = PAUSE) -> ClockPaused:
    """The clock stands."""
    return ClockPaused(
        at=at, by=HEAD, pause=name, reason=REASON, evidence=(), explanation=None, until=last, basis=BASIS
    )


def ran_on(at: datetime, days: int, name: UUID = PAUSE, by: Actor = HEAD) -> ClockResumed:
    """The clock runs on."""
    return ClockResumed(at=at, by=by, pause=name, ended_at=at, excluded_days=days)


def moved(at: datetime, new: Due, **other: object) -> DeadlineRecomputed:
    """The handling limit of the controls moves, by default after the pause."""
    told = DeadlineRecomputed(
        at=at, by=HEAD, clock=Clock.HANDLE, old=until("02-28"), new=new, cause=Cause.RESUMED, reference=PAUSE,
        basis=BASIS,
    )  # fmt: skip
    return replace(told, **other)  # type: ignore[arg-type]  # the tests name its fields


# Wednesday 25 February: the 26th, 27th, Saturday 28th (worked), 2 to 6 March, 9 and 10 March are the ten days.
AT = local("02-25")
PAUSED = paused(AT, until("03-10", "00:00"))


SIGNED_BY_QIAN = replace(SIGNED, by=actor(QIAN, "approval-handler"))


def test_the_head_of_the_unit_lets_the_clock_stand_for_ten_working_days_at_most() -> None:
    """A listed reason; on the tenth day the clock runs again from its first instant, so there is that day to work."""
    case(*upto(SIGNED)).when(pause(AT)).then([PAUSED])


def test_the_days_of_a_pause_are_added_when_it_ends() -> None:
    """26, 27, 28 February and 2 March stood; four working days after 28 February is Thursday 5 March."""
    at = local("03-02", "10:00")
    case(*upto(SIGNED), PAUSED).when(resume(at)).then([ran_on(at, 4), moved(at, until("03-05"))])


def test_a_pause_within_one_day_changes_nothing() -> None:
    """Domain.md §14 case 2: it is on record, and no limit moves."""
    at = local("02-25", "17:00")
    case(*upto(SIGNED), PAUSED).when(resume(at)).then([ran_on(at, 0)])


def test_pauses_that_overlap_count_once_and_when_the_last_one_ends() -> None:
    """Domain.md §14 case 2: 26 February is in both; from the 25th to 2 March four working days stood."""
    second = paused(local("02-26"), until("03-11", "00:00"), OTHER)
    first_ends, last_ends = local("02-27"), local("03-02")
    both = case(*upto(SIGNED), PAUSED, second)
    both.when(resume(first_ends)).then([ran_on(first_ends, 2)])
    case(*upto(SIGNED), PAUSED, second, ran_on(first_ends, 2)).when(resume(last_ends, name=OTHER)).then(
        [ran_on(last_ends, 3, OTHER), moved(last_ends, until("03-05"), reference=OTHER)]
    )


def test_a_timer_ends_a_pause_that_lasted_as_long_as_it_may() -> None:
    """However late the timer comes, the pause ended on its tenth day; before, it lets it be."""
    given = case(*upto(SIGNED), PAUSED)
    given.when(resume(local("03-10", "00:00"), THE_SYSTEM)).then_refused(TooEarly)
    at = local("03-12", "04:00")
    resumed = replace(ran_on(at, 10, by=THE_SYSTEM), ended_at=local("03-10", "00:00"))
    # Ten working days after 28 February: 2 to 6 and 9 to 13 March.
    given.when(resume(at, THE_SYSTEM)).then([resumed, moved(at, until("03-13"), by=THE_SYSTEM)])
    # The head who comes late gives no day away either.
    given.when(resume(at)).then([replace(resumed, by=HEAD), moved(at, until("03-13"))])


def test_paused_on_the_last_day_there_is_a_last_day_left() -> None:
    """Had the pause ended with its tenth day, the limit would have been over at the same instant."""
    at, last = local("02-28"), until("03-13", "00:00")
    case(*upto(SIGNED)).when(pause(at)).then([paused(at, last)])
    ends = local("03-13", "00:00:01")
    case(*upto(SIGNED), paused(at, last)).when(resume(ends, THE_SYSTEM)).then(
        [
            replace(ran_on(ends, 10, by=THE_SYSTEM), ended_at=last.at),
            moved(ends, until("03-13"), by=THE_SYSTEM),
        ]
    )


def test_no_clock_stands_once_it_has_run_out() -> None:
    """A pause cures no lateness (domain.md A6); in the last minute it is still one."""
    given = case(*upto(SIGNED))
    assert given.when(pause(local("02-28", "23:59"))).event
    given.when(pause(local("03-01", "00:00"))).then_refused(TooLate, due=until("02-28"))


def test_within_a_pause_the_told_date_may_go_by() -> None:
    """On 3 March the date told, 28 February, is over, but the clock stood since the 25th: it may stand for more."""
    at = local("03-03")
    # Four days stood by 2 March, five by the 3rd.
    assert case(*upto(SIGNED), PAUSED).when(pause(at, name=OTHER)).event.until == until("03-17", "00:00")
    there = case(*upto(SIGNED), PAUSED).state
    assert there is not None
    assert not passed(there, Clock.HANDLE, at, FACTS)
    # The pause is over on 10 March whether or not a timer came, so that the limit, 13 March, is passed on the 14th.
    assert not passed(there, Clock.HANDLE, local("03-13", "23:59"), FACTS)
    assert passed(there, Clock.HANDLE, local("03-14", "00:00"), FACTS)


def test_all_pauses_of_a_round_have_a_longest_time_together() -> None:
    """Ten days, then two, leave eight of twenty; after twenty there is none left."""
    first = (PAUSED, ran_on(local("03-10", "00:00"), 10), moved(local("03-10"), until("03-13")))
    second = paused(local("03-11"), until("03-25", "00:00"), OTHER)
    given = case(*upto(SIGNED), *first)
    given.when(pause(second.at, name=OTHER)).then([second])
    short = (second, ran_on(local("03-13"), 2, OTHER), moved(local("03-13"), until("03-17")))
    # After Monday 16 March: 17 to 20, 23 to 26.
    third = case(*upto(SIGNED), *first, *short).when(pause(local("03-16"), name=key("third"))).event
    assert third.until == until("03-26", "00:00")
    long = (second, ran_on(local("03-25", "00:00"), 10, OTHER), moved(local("03-25"), until("03-27")))
    case(*upto(SIGNED), *first, *long).when(pause(local("03-26"), name=key("third"))).then_refused(
        PausedEnough, used=20, most=20
    )


def test_a_supplement_and_an_earlier_round_leave_a_round_its_pauses() -> None:
    """What the complainant looked for has its own limit, and each round its own total."""
    there = case(*upto(SIGNED), PAUSED, ran_on(local("03-10", "00:00"), 10)).state
    assert there is not None
    full = replace(there.stops[0], start=local("01-06"), end=local("02-13"))
    late = replace(there, clocks={Clock.HANDLE: replace(there.clocks[Clock.HANDLE], due=until("04-30"))})
    for fresh in (
        replace(late, stops=(full,), supplement=full.pause, registered_at=local("01-05")),
        replace(late, stops=(full,), reopened_at=local("02-14")),
    ):
        (event,) = COMPLAINT.decide(fresh, pause(local("03-11"), name=OTHER), FACTS)
        assert isinstance(event, ClockPaused)
        assert event.until == until("03-25", "00:00")
    spent = replace(late, stops=(full,), registered_at=local("01-05"))
    with pytest.raises(PausedEnough):
        COMPLAINT.decide(spent, pause(local("03-11"), name=OTHER), FACTS)


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        (upto(SIGNED), pause(AT, HANDLER), NotYourRole),
        (upto(SIGNED), pause(AT, THE_SYSTEM), NotYourRole),
        (upto(SIGNED), pause(AT, actor(JIANG, "tax-head")), NotYourCase),
        (upto(SIGNED), pause(AT, actor(ZHAO, "approval-head", on_behalf_of=WANG)), OwnClock),
        ((*upto(ASSIGNED), SIGNED_BY_QIAN), pause(AT, actor(QIAN, "approval-head")), OwnClock),
        (upto(SIGNED), pause(AT, reason="workload"), UnknownReference),
        (upto(SIGNED), replace(pause(AT), evidence=(EVIDENCE,)), UnknownReference),
        ((*upto(SIGNED), PAUSED), pause(local("02-26")), AlreadyThere),
        (upto(ASSIGNED), pause(AT), OutOfTurn),
        (upto(SUBMITTED), pause(local("02-26", "12:00")), OutOfTurn),
        ((replace(REGISTERED, respondent=Respondent(staff=ZHAO)), *upto(SIGNED)[1:]), pause(AT), OwnCause),
        ((replace(REGISTERED, complainant=ZHAO), *upto(SIGNED)[1:]), pause(AT), OwnComplaint),
        ((*upto(SIGNED), PAUSED), resume(AT, HANDLER), NotYourRole),
        ((*upto(SIGNED), PAUSED), resume(AT, actor(JIANG, "tax-head")), NotYourCase),
        ((*upto(SIGNED), PAUSED), resume(AT, name=OTHER), Superseded),
        ((*upto(SIGNED), PAUSED, ran_on(AT, 0)), resume(AT), Superseded),
        (upto(REPLIED), resume(local("02-27")), OutOfTurn),
        (upto(SIGNED), RecomputeDeadlines(at=AT, by=HEAD, reference=None), NotYourRole),
        (upto(CLOSED), RecomputeDeadlines(at=local("03-05"), by=THE_SYSTEM, reference=None), OutOfTurn),
    ],
)  # fmt: skip
def test_who_may_stop_a_clock_and_who_may_not(
    history: tuple[Event, ...], command: PauseClock | ResumeClock, refusal: type[Exception]
) -> None:
    """Neither who handles the case, nor another unit, nor a party; and not for the workload."""
    case(*history).when(command).then_refused(refusal)  # type: ignore[arg-type]  # every one is a refusal


def test_evidence_of_the_case_may_be_the_reason() -> None:
    """What is named must be there."""
    command = replace(pause(local("02-25")), evidence=(EVIDENCE,))
    assert case(*upto(EVIDENCED)).when(command).event.evidence == (EVIDENCE,)


def test_who_handled_the_case_may_let_its_clock_run_on() -> None:
    """To stop it is in the unit's favour; to let it run on is in the complainant's."""
    history = (*upto(ASSIGNED), SIGNED_BY_QIAN, PAUSED)
    assert len(case(*history).when(resume(local("03-02"), actor(QIAN, "approval-head"))).events) == 2


def test_nobody_replies_while_the_clock_stands() -> None:
    """A pause says that no answer can be given yet; it is ended first."""
    command = SubmitReply(
        at=local("02-26", "11:00"), by=HANDLER, reply=REPLY, decision=SUBMITTED.decision, reasons=SUBMITTED.reasons,
        reasons_measured=MEASURED, legal_basis=SUBMITTED.legal_basis, points=SUBMITTED.points, remedy=None,
        appeal_route=SUBMITTED.appeal_route, template_version=None,
    )  # fmt: skip
    stood = paused(local("02-26", "10:30"), until("03-11", "00:00"))
    case(*upto(VERIFIED), stood).when(command).then_refused(ClockStands)
    submitted = replace(SUBMITTED, remedy=None, template_version=None)
    case(*upto(VERIFIED), stood, ran_on(local("02-26", "10:45"), 0)).when(command).then([submitted])


def test_who_let_the_clock_stand_does_not_handle_the_case_afterwards() -> None:
    """Whichever side came first (domain.md §6.4)."""
    there = case(*upto(SIGNED), PAUSED).state
    assert there is not None
    assert ZHAO in there.approvers


def test_a_case_that_ends_in_a_pause_does_not_go_on_standing() -> None:
    """Taken up again later, its clock runs."""
    open_case = case(*upto(SIGNED), PAUSED).state
    assert open_case is not None
    ended = replace(open_case, step=Step.TERMINATED)
    event = replace(CLOSED, at=local("03-02"))
    still = stilled(open_case, ended, event)
    assert [stop.end for stop in still.stops] == [local("03-02")]
    assert stilled(ended, ended, event) is ended
    assert stilled(open_case, open_case, event) is open_case
    assert stilled(None, open_case, event) is open_case
    assert stilled(replace(open_case, stops=()), replace(ended, stops=()), event).stops == ()


def test_without_a_rule_a_pause_has_no_end_of_its_own() -> None:
    """A policy may leave out both limits; then only the head ends it, and days count as the limit does."""
    few = replace(HALL, version=2, terms=tuple(t for t in HALL.terms if not t.key.startswith("complaint.pause")))
    facts = with_rules(PolicyAdopted(at=SIGNED.at, by=THE_SYSTEM, policy=few, in_force_from=SIGNED.at))
    stood = case(*upto(SIGNED), facts=facts).when(pause(AT)).event
    assert stood.until is None
    given = case(*upto(SIGNED), stood, facts=facts)
    given.when(resume(local("06-01"), THE_SYSTEM)).then_refused(TooEarly)
    resumed, _ = given.when(resume(local("03-02"))).events
    assert isinstance(resumed, ClockResumed)
    assert (resumed.ended_at, resumed.excluded_days) == (local("03-02"), 4)


def test_where_no_limit_runs_none_moves() -> None:
    """Accepted before any policy was adopted, a case is paused all the same; no days of a limit are excluded."""
    unknown = Facts(register=FACTS.register, rulebook=RULEBOOK.fold(RULEBOOK_EVENTS[:2]))
    there = case(*upto(SIGNED), PAUSED).state
    assert there is not None
    early = Running(term="complaint.handle.simple", since=local("01-04"), set_at=local("01-04"), due=None)
    for clocks in ({}, {Clock.HANDLE: early}):
        (event,) = COMPLAINT.decide(replace(there, clocks=clocks), resume(local("03-02")), FACTS)
        assert isinstance(event, ClockResumed)
        assert event.excluded_days is None
    assert not passed(replace(there, clocks={}), Clock.HANDLE, local("12-31"), unknown)


def with_rules(*events: RulebookEvent) -> Facts:
    """The facts after more was adopted."""
    return replace(FACTS, rulebook=RULEBOOK.fold(events, FACTS.rulebook), rulebook_version=4 + len(events))


def notice(version: int, *days: tuple[str, DayKind]) -> CalendarAdopted:
    """The calendar of 2026 in a new version, in which some days (`02-26`) are something else."""
    changed = {datetime.fromisoformat(f"2026-{day}").date(): kind for day, kind in days}
    named = {one.day: one.kind for one in CALENDAR_2026.days} | changed
    calendar = replace(
        CALENDAR_2026, version=version, days=tuple(CalendarDay(day=day, kind=kind) for day, kind in named.items())
    )
    return CalendarAdopted(at=local("02-20"), by=THE_SYSTEM, calendar=calendar)


def recompute(at: datetime) -> RecomputeDeadlines:
    """A timer has the limits computed anew."""
    return RecomputeDeadlines(at=at, by=THE_SYSTEM, reference=key("calendar"))


def test_a_new_holiday_moves_a_limit_on() -> None:
    """Domain.md §14 case 4: the 26th is no working day after all, so the fifth day is Monday 2 March."""
    at = local("02-25")
    facts = with_rules(notice(2, ("02-26", DayKind.HOLIDAY)))
    case(*upto(CONTACTED), facts=facts).when(recompute(at)).then(
        [
            moved(
                at, until("03-02"), by=THE_SYSTEM, cause=Cause.CALENDAR, reference=key("calendar"),
                basis=replace(BASIS, rulebook=5),
            )
        ]
    )  # fmt: skip


def test_a_new_working_day_shortens_no_promise() -> None:
    """Domain.md §14 case 4: what was told to the complainant stands; asked again, nothing more follows."""
    given = case(*upto(CONTACTED), facts=with_rules(notice(2, ("02-22", DayKind.WORK))))
    given.when(recompute(local("02-25"))).then_nothing()


def test_a_pause_begun_by_the_date_that_was_told_counts() -> None:
    """With the 22nd worked the limit would be over on the 27th; told was the 28th, and the clock stood from then on."""
    facts = with_rules(notice(2, ("02-22", DayKind.WORK)))
    at, ends = local("02-28"), local("03-03")
    stood = case(*upto(CONTACTED), facts=facts).when(pause(at)).event
    resumed, longer = case(*upto(CONTACTED), stood, facts=facts).when(resume(ends)).events
    assert isinstance(longer, DeadlineRecomputed)
    assert (longer.old, longer.new) == (until("02-28"), until("03-03"))
    assert isinstance(resumed, ClockResumed)
    case(*upto(CONTACTED), stood, resumed, longer, facts=facts).when(recompute(ends)).then_nothing()


def test_a_limit_that_stands_is_computed_anew_when_it_runs_on() -> None:
    """A pause that ended within another one moves nothing yet, nor does a holiday: both count with the last pause."""
    holiday = with_rules(notice(2, ("02-26", DayKind.HOLIDAY)))
    second = paused(local("02-26"), until("03-11", "00:00"), OTHER)
    history = (*upto(CONTACTED), PAUSED, second, ran_on(local("02-27"), 2))
    for facts in (FACTS, holiday):
        case(*history, facts=facts).when(recompute(local("02-28"))).then_nothing()
    ends = local("03-02")
    _, longer = case(*history, facts=holiday).when(resume(ends, name=OTHER)).events
    assert isinstance(longer, DeadlineRecomputed)
    # Without the 26th the fifth day is 2 March; the 27th, the 28th and 2 March stood.
    assert longer.new == until("03-05")


def test_a_limit_is_computed_by_the_policy_under_which_it_was_promised() -> None:
    """A policy of one day, adopted after the acceptance, does not touch it; nor does a calendar make it do so."""
    terms = tuple(replace(term, amount=1) if term.key == "complaint.handle.simple" else term for term in HALL.terms)
    stricter = PolicyAdopted(
        at=SIGNED.at, by=THE_SYSTEM, policy=replace(HALL, version=2, terms=terms), in_force_from=SIGNED.at
    )
    facts = with_rules(stricter, notice(2, ("02-26", DayKind.HOLIDAY)))
    event = case(*upto(CONTACTED), facts=facts).when(recompute(local("02-25"))).event
    assert event.new == until("03-02")
    assert event.basis == replace(BASIS, rulebook=6)


@pytest.mark.parametrize(
    ("last", "clocks"),
    [
        (REGISTERED, (Clock.ACCEPT,)),
        (ACCEPTED, (Clock.ASSIGN, Clock.HANDLE)),
        (ASSIGNED, (Clock.SIGN, Clock.RETURN, Clock.CONTACT, Clock.HANDLE)),
        (SIGNED, (Clock.CONTACT, Clock.HANDLE)),
        (CONTACTED, (Clock.HANDLE,)),
        (SUBMITTED, (Clock.HANDLE,)),
        (APPROVED, (Clock.HANDLE,)),
        (REPLIED, (Clock.REVISIT,)),
        (REVISITED, ()),
        (CLOSED, ()),
    ],
)
def test_only_limits_that_are_still_to_be_kept_move(last: Event, clocks: tuple[Clock, ...]) -> None:
    """What was done in time or too late is done."""
    there = case(*upto(last)).state
    assert there is not None
    assert in_hand(there) == clocks
    review = Running(term="complaint.review_decide", since=CLOSED.at, set_at=CLOSED.at, due=until("04-03"))
    assert in_hand(replace(there, step=Step.UNDER_REVIEW, clocks={Clock.REVIEW: review})) == (Clock.REVIEW,)


def test_every_limit_moves_with_the_calendar() -> None:
    """From the decision to accept to the revisit: each by its own term, each from its own beginning."""
    holidays = [(f"02-{day}", DayKind.HOLIDAY) for day in (14, 24, 25, 26, 27, 28)]
    facts = with_rules(notice(2, *holidays, *((f"03-0{day}", DayKind.HOLIDAY) for day in range(1, 9))))
    # Four hours of open office, from a Saturday on that is no working day after all.
    hours, days = until("03-09", "14:00"), until("03-13")
    assigned = replace(ASSIGNED, return_due=until("02-15", "10:00"))
    for history, expected in (
        (upto(REGISTERED), {Clock.ACCEPT: until("03-09")}),
        (upto(ACCEPTED), {Clock.ASSIGN: hours, Clock.HANDLE: days}),
        ((*upto(ACCEPTED), assigned), {Clock.SIGN: hours, Clock.CONTACT: until("03-09"), Clock.HANDLE: days}),
        (upto(REPLIED), {Clock.REVISIT: until("03-12")}),
    ):
        events = case(*history, facts=facts).when(recompute(local("03-01"))).events
        changes = {event.clock: event.new for event in events if isinstance(event, DeadlineRecomputed)}
        assert changes == expected


def test_the_revisit_is_counted_from_the_handling_limit_whenever_the_reply_came() -> None:
    """Replied on 26 February, four working days after the 28th: without the 5th of March they end on the 6th."""
    facts = with_rules(notice(2, ("03-05", DayKind.HOLIDAY)))
    assert case(*upto(REPLIED), facts=facts).when(recompute(local("02-27"))).event.new == until("03-06")


def test_a_pause_does_not_put_off_the_first_contact() -> None:
    """From the 14th to the 25th the clock stood; the complainant was to be called by the 24th all the same."""
    stood = paused(local("02-14", "16:00"), until("03-06", "00:00"))
    history = (*upto(SIGNED), stood, ran_on(local("02-25"), 2), moved(local("02-25"), until("03-03")))
    case(*history).when(recompute(local("02-25"))).then_nothing()


def test_a_return_is_counted_in_hours_whatever_the_day() -> None:
    """Twenty-four natural hours after the assignment (R2-50): the next morning, holiday or not."""
    there = case(*upto(ACCEPTED), replace(ASSIGNED, return_due=until("02-15", "10:00"))).state
    assert there is not None
    assert there.due(Clock.RETURN) == until("02-15", "10:00")
    assert not passed(there, Clock.RETURN, local("02-15", "10:00"), FACTS)
    assert passed(there, Clock.RETURN, local("02-15", "10:00:00.000001"), FACTS)
    facts = with_rules(notice(2, ("02-15", DayKind.WORK)))
    events = case(*upto(ACCEPTED), replace(ASSIGNED, return_due=until("02-15", "10:00")), facts=facts)
    events.when(recompute(local("02-14", "12:00"))).then_nothing()


def at_new_year(day: str, clock: str = "09:00") -> datetime:
    """Give a local time around new year, as `2027-01-04`, in UTC."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def over_new_year(facts: Facts) -> CaseGiven:
    """A complaint accepted on Tuesday 29 December 2026, whose limit lies in a year without a calendar."""
    since = at_new_year("2026-12-29")
    due = facts.limit("hall", "complaint.handle.simple", since)
    accepted = replace(ACCEPTED, at=since, handle_due=due, assign_due=None)
    return case(*upto(REGISTERED), accepted, facts=facts)


def test_nobody_is_late_on_a_day_that_nobody_knows() -> None:
    """Domain.md §14 case 5, F5: 30, 31 December, and three days of a year whose holidays are not published."""
    there = over_new_year(FACTS).state
    assert there is not None
    told = there.due(Clock.HANDLE)
    assert told is not None
    assert (str(told.day), told.provisional) == ("2027-01-05", True)
    assert not passed(there, Clock.HANDLE, at_new_year("2027-02-01"), FACTS)


def test_a_provisional_limit_becomes_sure_when_the_calendar_is_adopted() -> None:
    """Domain.md §14 case 5: with 1 to 3 January off the date stands and is sure; with more off it moves on."""
    for holidays, day in ((3, "2027-01-06"), (6, "2027-01-11")):
        year = CalendarYear(
            jurisdiction="CN", layer=Layer.NATIONAL, year=2027, version=1, published_at=None, source="D",
            days=tuple(
                CalendarDay(day=datetime(2027, 1, n, tzinfo=UTC).date(), kind=DayKind.HOLIDAY)
                for n in range(1, holidays + 1)
            ),
        )  # fmt: skip
        facts = with_rules(CalendarAdopted(at=at_new_year("2026-12-30"), by=THE_SYSTEM, calendar=year))
        told = over_new_year(FACTS).state
        assert told is not None
        events = COMPLAINT.decide(told, recompute(at_new_year("2026-12-30")), facts)
        (change,) = [one for one in events if isinstance(one, DeadlineRecomputed) and one.clock is Clock.HANDLE]
        assert change.new is not None
        assert (str(change.new.day), change.new.provisional) == (day, False)
        then = COMPLAINT.evolve(told, change)
        assert then is not None
        assert passed(then, Clock.HANDLE, at_new_year("2027-02-01"), facts)
        # Done again, by a worker that was killed half-way, it changes nothing.
        again = COMPLAINT.decide(then, recompute(at_new_year("2026-12-30")), facts)
        assert Clock.HANDLE not in {one.clock for one in again if isinstance(one, DeadlineRecomputed)}


def test_a_limit_that_nobody_could_compute_is_told_when_there_is_a_calendar() -> None:
    """Registered before any calendar was adopted: the decision to accept is due from then on."""
    bare = replace(FACTS, rulebook=RULEBOOK.fold(RULEBOOK_EVENTS[1:]))
    registered = replace(REGISTERED, accept_due=bare.limit("hall", "complaint.accept_decision", REGISTERED.at))
    assert registered.accept_due is None
    change = case(registered).when(recompute(local("02-14"))).event
    assert (change.old, change.new) == (None, until("02-14"))
    case(registered, facts=bare).when(recompute(local("02-14"))).then_nothing()


def merged(primary: Case, child: Case, at: datetime) -> list[DeadlineRecomputed]:
    """What joining a case to another does to the handling limit of that one."""
    return taken_over(primary, Clock.HANDLE, child, Clock.HANDLE, key("child"), at=at, by=DESK, facts=FACTS)


def test_a_group_keeps_the_earliest_limit() -> None:
    """Domain.md §14 case 6: with an older child that is overdue, the primary is overdue at once."""
    primary = case(*upto(SIGNED)).state
    accepted = replace(ACCEPTED, at=local("02-04"), handle_due=until("02-11"))
    child = case(REGISTERED, accepted).state
    assert primary is not None
    assert child is not None
    at = local("02-14", "16:00")
    (change,) = merged(primary, child, at)
    assert (change.old, change.new, change.cause) == (until("02-28"), until("02-11"), Cause.MERGED)
    joined = COMPLAINT.evolve(primary, change)
    assert joined is not None
    assert passed(joined, Clock.HANDLE, at, FACTS)
    assert merged(child, primary, at) == []
    unknown = replace(child.clocks[Clock.HANDLE], due=None)
    assert merged(primary, replace(child, clocks={}), at) == []
    assert merged(primary, replace(child, clocks={Clock.HANDLE: unknown}), at) == []
    assert merged(replace(primary, clocks={}), child, at) == []


def test_a_limit_taken_over_is_counted_as_it_was_and_stands_in_the_pauses_that_follow() -> None:
    """The child's own pause of two days counts; a pause of the primary counts from the merger on, earlier ones not."""
    stood = paused(local("02-24"), until("03-09", "00:00"), OTHER)
    child = case(*upto(SIGNED), stood, ran_on(local("02-26"), 2, OTHER), moved(local("02-26"), until("03-03"))).state
    accepted = replace(ACCEPTED, at=local("02-25"), handle_due=until("03-04"))
    primary = case(REGISTERED, accepted, ASSIGNED, SIGNED, PAUSED).state
    assert primary is not None
    assert child is not None
    at = local("02-27")
    (change,) = merged(primary, child, at)
    assert change.new == until("03-03")
    joined = COMPLAINT.evolve(primary, change)
    assert joined is not None
    assert joined.clocks[Clock.HANDLE].pauses == (Pause(start=stood.at, end=local("02-26")),)
    # The primary stood since the 25th; since the merger on the 27th: the 28th and 2 March.
    _, further = COMPLAINT.decide(joined, resume(local("03-02")), FACTS)
    assert isinstance(further, DeadlineRecomputed)
    assert further.new == until("03-05")
    done = replace(joined, stops=(replace(joined.stops[0], end=local("02-26")),))
    assert not COMPLAINT.decide(done, recompute(local("03-02")), FACTS)


def test_histories_load_whatever_they_hold() -> None:
    """An end of a pause nobody began, a change of a limit that does not run: taken in, never refused."""
    at = local("02-25")
    strange = (ran_on(at, 3, OTHER), moved(at, until("03-09"), clock=Clock.REVIEW))
    assert case(*upto(SIGNED), *strange).state == case(*upto(SIGNED)).state
    assert COMPLAINT.fold([PAUSED, *LOOP]) is not None
    backwards = case(*upto(SIGNED), PAUSED, ran_on(local("02-24"), 0)).state
    assert backwards is not None
    assert backwards.stops[0].end == AT


def test_each_reason_of_the_policy_stops_a_clock() -> None:
    """The list is the policy's own; a list it does not have is empty."""
    for reason in HALL.codes("pause_reason"):
        assert case(*upto(FOUND)).when(pause(local("02-25"), reason=reason)).event.reason == reason
    assert HALL.codes("no-such-list") == ()
