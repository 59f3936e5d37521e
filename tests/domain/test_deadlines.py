"""A deadline is a pure function: every vector of domain.md §4.4, its edge cases, two foreign profiles, and laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.deadlines import (
    DAY,
    Calendar,
    CalendarDay,
    CalendarYear,
    Counting,
    Cutoff,
    DayKind,
    Due,
    LastDay,
    Layer,
    OfficeHours,
    Pause,
    Term,
    Unit,
    due,
    excluded_days,
    is_late,
    kept_promise,
)
from service.profiles import calendar_from_library, terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")
OFFICE = OfficeHours(periods=((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 18 * 60)))


def notice(
    year: int, *, holidays: str = "", working: str = "", layer: Layer = Layer.NATIONAL, version: int = 1
) -> CalendarYear:
    """Give a year as its notice names it: `01-01..03` for days in a row."""
    days = []
    for kind, text in ((DayKind.HOLIDAY, holidays), (DayKind.WORK, working)):
        for part in text.split():
            first, _, last = part.partition("..")
            month, day = first.split("-")
            days += [
                CalendarDay(day=date(year, int(month), n), kind=kind) for n in range(int(day), int(last or day) + 1)
            ]
    return CalendarYear(
        jurisdiction="CN", layer=layer, year=year, version=version, published_at=None, source="typed", days=tuple(days)
    )


# domain.md §4.1, item 4, typed by hand.
OFFICIAL_2026 = notice(
    2026,
    holidays="01-01..03 02-15..23 04-04..06 05-01..05 06-19..21 09-25..27 10-01..07",
    working="01-04 02-14 02-28 05-09 09-20 10-10",
)
CALENDARS = {"official notice": Calendar((OFFICIAL_2026,)), "library": Calendar(calendar_from_library([2026]))}
CHINA = CALENDARS["official notice"]
# Bank holidays in England 2026; Boxing Day falls on a Saturday, so Monday 12-28 stands in.
ENGLAND = Calendar((notice(2026, holidays="01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),))


def term(amount: int, unit: Unit, last_day: LastDay = LastDay.ROLLS, cutoff: Cutoff = Cutoff.END_OF_DAY) -> Term:
    """Give a term of days or months, or of hours, which have no other respects to choose."""
    if unit in {Unit.NATURAL_HOUR, Unit.WORKING_HOUR}:
        counting, last_day, cutoff = Counting.FROM_EVENT, LastDay.STAYS, Cutoff.INSTANT
    else:
        counting = Counting.DAY_AFTER
    return Term(key="t", amount=amount, unit=unit, counting=counting, last_day=last_day, cutoff=cutoff, source=None)


def working(amount: int) -> Term:
    """Give so many working days."""
    return term(amount, Unit.WORKING_DAY)


def natural(amount: int) -> Term:
    """Give so many natural days, whose last day rolls."""
    return term(amount, Unit.NATURAL_DAY)


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Read a local time; a date alone is ten in the morning."""
    moment = datetime.fromisoformat(text)
    return (moment if "T" in text else moment + timedelta(hours=10)).replace(tzinfo=zone)


def pause(start: str, end: str) -> Pause:
    """Give a pause between two local times."""
    return Pause(start=local(start), end=local(end))


def sure(deadline: Due | None) -> Due:
    """Insist that something was computed."""
    assert deadline is not None
    return deadline


@pytest.fixture(params=CALENDARS)
def calendar(request: pytest.FixtureRequest) -> Calendar:
    """Give 2026 as the official notice has it, and as the library has it."""
    return CALENDARS[request.param]


@pytest.mark.parametrize(
    ("start", "limit", "day", "provisional"),
    [
        ("2026-09-30", working(1), date(2026, 10, 8), False),
        ("2026-09-30", working(5), date(2026, 10, 13), False),
        ("2026-02-13", working(1), date(2026, 2, 14), False),
        ("2026-02-13", working(5), date(2026, 2, 27), False),
        ("2026-02-14", working(5), date(2026, 2, 28), False),
        ("2026-02-28", working(3), date(2026, 3, 4), False),
        ("2026-04-30", working(5), date(2026, 5, 11), False),
        ("2026-09-18", working(2), date(2026, 9, 21), False),
        ("2026-06-18", working(1), date(2026, 6, 22), False),
        ("2026-10-10", working(1), date(2026, 10, 12), False),
        ("2026-09-16", natural(15), date(2026, 10, 8), False),
        ("2026-08-06", natural(60), date(2026, 10, 8), False),
        ("2026-11-22", natural(60), date(2027, 1, 21), True),
    ],
)
def test_the_vectors_of_the_specification_hold(
    start: str,
    limit: Term,
    day: date,
    provisional: bool,  # noqa: FBT001 - a column of the table
    calendar: Calendar,
) -> None:
    """Every row of domain.md §4.4 is due on the day it says, until 24:00 local, by two sources of the calendar."""
    last_instant = datetime.combine(day + DAY, time.min, SHANGHAI) - timedelta(microseconds=1)
    assert due(limit, local(start), calendar, SHANGHAI) == Due(
        at=last_instant.astimezone(UTC), day=day, provisional=provisional
    )


def test_the_vector_with_a_pause_holds(calendar: Calendar) -> None:
    """From 09-18 five working days end 09-24; a pause 09-21 to 09-28 excludes 22, 23, 24 and 28 and makes it 10-08."""
    stop = pause("2026-09-21", "2026-09-28")
    assert excluded_days(Unit.WORKING_DAY, [stop], calendar, SHANGHAI) == 4
    start = local("2026-09-18")
    assert sure(due(working(5), start, calendar, SHANGHAI)).day == date(2026, 9, 24)
    assert sure(due(working(5), start, calendar, SHANGHAI, pauses=[stop])).day == date(2026, 10, 8)


def test_a_complaint_in_the_evening_is_dated_as_received() -> None:
    """Edge case 1: received Friday 02-13 at 18:30, the first contact is due on the working Saturday."""
    (contact,) = (t for t in terms("hall") if t.key == "complaint.first_contact")
    assert sure(due(contact, local("2026-02-13T18:30"), CHINA, SHANGHAI)).day == date(2026, 2, 14)
    assert sure(due(contact, local("2026-02-13T23:59:59"), CHINA, SHANGHAI)).day == date(2026, 2, 14)
    assert sure(due(contact, local("2026-02-14T00:00"), CHINA, SHANGHAI)).day == date(2026, 2, 24)


def test_a_pause_within_one_day_changes_nothing_and_overlapping_ones_count_once() -> None:
    """Edge case 2, in working and in natural days, in whatever order the pauses are given."""
    short = pause("2026-11-23T09:00", "2026-11-23T17:00")
    first, second = pause("2026-11-23", "2026-11-26"), pause("2026-11-25", "2026-11-30")
    within = pause("2026-11-24", "2026-11-25")
    for unit, count in ((Unit.WORKING_DAY, 5), (Unit.NATURAL_DAY, 7)):
        assert excluded_days(unit, [short], CHINA, SHANGHAI) == 0
        assert excluded_days(unit, [second, first, within, short], CHINA, SHANGHAI) == count
    # 24(1) 25(2) 26(3) 27(4) 30(5); with five days more: 12-01 to 12-04 and 12-07.
    assert sure(due(working(5), local("2026-11-23"), CHINA, SHANGHAI)).day == date(2026, 11, 30)
    paused = due(working(5), local("2026-11-23"), CHINA, SHANGHAI, pauses=[second, first, within])
    assert sure(paused).day == date(2026, 12, 7)


def test_an_extension_asked_for_in_the_last_minute_and_decided_the_next_day_is_in_time() -> None:
    """Edge case 3, the time part: the request counts until 24:00 of the last day, the decision one working day more."""
    (decide,) = (t for t in terms("hall") if t.key == "complaint.extension_decide")
    deadline = due(working(5), local("2026-09-18"), CHINA, SHANGHAI)
    asked = local("2026-09-24T23:59")
    assert is_late(deadline, asked, CHINA, SHANGHAI) is False
    assert is_late(deadline, asked + timedelta(minutes=1), CHINA, SHANGHAI) is True
    # 09-25 to 09-27 are holidays, so the working day after the request is Monday 09-28.
    decided_by = due(decide, asked, CHINA, SHANGHAI)
    assert sure(decided_by).day == date(2026, 9, 28)
    assert is_late(decided_by, local("2026-09-28T23:59:59"), CHINA, SHANGHAI) is False
    assert is_late(decided_by, local("2026-09-29T00:00"), CHINA, SHANGHAI) is True
    # 09-28 .. 09-30 make three, 10-08 and 10-09 five.
    assert sure(due(working(5), local("2026-09-18"), CHINA, SHANGHAI, extra=5)).day == date(2026, 10, 9)


def test_a_promise_once_told_is_never_shortened() -> None:
    """Edge case 4: a new calendar may give more time, not less; certainty is what the new computation says."""
    told = sure(due(natural(60), local("2026-11-22"), CHINA, SHANGHAI))
    known = Calendar((OFFICIAL_2026, notice(2027)))
    assert kept_promise(told, sure(due(natural(60), local("2026-11-22"), known, SHANGHAI))) == replace(
        told, provisional=False
    )
    holiday = Calendar((OFFICIAL_2026, notice(2027, holidays="01-21")))
    later = sure(due(natural(60), local("2026-11-22"), holiday, SHANGHAI))
    assert (later.day, later.provisional) == (date(2027, 1, 22), False)
    assert kept_promise(told, later) == later
    assert kept_promise(later, told) == replace(later, provisional=True)


def test_a_deadline_in_an_unpublished_year_makes_nobody_late() -> None:
    """Edge case 5: 2027 is unknown, so the deadline is provisional and passes unmarked, however late it gets."""
    deadline = sure(due(natural(60), local("2026-11-22"), CHINA, SHANGHAI))
    assert deadline.provisional
    assert is_late(deadline, local("2027-01-21T23:59"), CHINA, SHANGHAI) is False
    assert is_late(deadline, local("2027-03-01"), CHINA, SHANGHAI) is None
    adopted = Calendar((OFFICIAL_2026, notice(2027)))
    assert is_late(deadline, local("2027-03-01"), adopted, SHANGHAI) is None
    assert is_late(replace(deadline, provisional=False), local("2027-03-01"), CHINA, SHANGHAI) is None
    recomputed = due(natural(60), local("2026-11-22"), adopted, SHANGHAI)
    assert is_late(recomputed, local("2027-01-22T00:00"), adopted, SHANGHAI) is True


def test_crossing_unknown_days_is_as_uncertain_as_reaching_them() -> None:
    """A gap between two known years makes what crosses it provisional, also where only a pause reaches into it."""
    gap = Calendar((OFFICIAL_2026, notice(2028)))
    assert sure(due(natural(400), local("2026-12-20"), gap, SHANGHAI)).provisional
    assert not sure(due(working(1), local("2026-12-30"), gap, SHANGHAI)).provisional
    # Thursday 12-30 is the last day; a pause from then to a Sunday of the unknown year adds Friday 31.
    known = Calendar((notice(2027),))
    into = pause("2027-12-30", "2028-01-02")
    paused = sure(due(working(1), local("2027-12-29"), known, SHANGHAI, pauses=[into]))
    assert (paused.day, paused.provisional) == (date(2027, 12, 31), True)
    # Begun in the last instant it may still count, although in a plain week no day of it would.
    weekend = pause("2027-12-31T23:59:59.999999", "2028-01-02")
    assert sure(due(working(1), local("2027-12-30"), known, SHANGHAI, pauses=[weekend])).provisional
    too_late = pause("2027-12-31", "2028-01-02")
    assert not sure(due(working(1), local("2027-12-29"), known, SHANGHAI, pauses=[too_late])).provisional


PETITION = {t.key.removeprefix("petition."): t for t in terms("petition")}
LGSCO = {t.key.removeprefix("lgsco."): t for t in terms("lgsco")}


@pytest.mark.parametrize(
    ("key", "start", "extra", "day"),
    [
        # +15: March 1 + 15 = Monday 16.
        ("accept_notice", "2026-03-01", 0, date(2026, 3, 16)),
        # +60: 30 days to March 31, 30 more to Thursday April 30.
        ("handle", "2026-03-01", 0, date(2026, 4, 30)),
        # +90: 30 more to Saturday May 30, which is no working day: Monday June 1.
        ("handle", "2026-03-01", 30, date(2026, 6, 1)),
        # +30: September 2 + 30 = October 2, in the holidays until 7: Thursday 8.
        ("review_request", "2026-09-02", 0, date(2026, 10, 8)),
        # +30: August 31 + 30 = Wednesday September 30.
        ("review_decide", "2026-08-31", 0, date(2026, 9, 30)),
        # Working days: [25..27 holidays] 28(1) 29(2) 30(3) [1..7 holidays] 8(4) 9(5).
        ("objection", "2026-09-24", 0, date(2026, 10, 9)),
    ],
)
def test_petition_limits_are_natural_days_but_objections_are_not(key: str, start: str, extra: int, day: date) -> None:
    """The petition profile (15, 60, +30, 30 natural days, 5 working days) gives what was counted by hand."""
    deadline = sure(due(PETITION[key], local(start), CHINA, SHANGHAI, extra=extra))
    assert (deadline.day, deadline.provisional) == (day, False)


@pytest.mark.parametrize(
    ("key", "start", "extra", "day", "at"),
    [
        # March 25(1) 26(2) 27(3) 30(4) 31(5); the clocks went forward on the 29th, so the day ends at 23:00 UTC.
        ("stage1.ack", "2026-03-24T16:00", 0, date(2026, 3, 31), "2026-03-31T22:59:59.999999+00:00"),
        # April 1(1) 2(2) [3 Good Friday, 6 Easter Monday] 7(3) 8(4) 9(5) 10(6) 13(7) 14(8) 15(9) 16(10).
        ("stage1.response", "2026-03-31T09:00", 0, date(2026, 4, 16), "2026-04-16T22:59:59.999999+00:00"),
        # ... 17(11) 20(12) 21(13) 22(14) 23(15) 24(16) 27(17) 28(18) 29(19) 30(20).
        ("stage1.response", "2026-03-31T09:00", 10, date(2026, 4, 30), "2026-04-30T22:59:59.999999+00:00"),
        # May 1(1) [4 bank holiday] 5(2) 6(3) 7(4) 8(5).
        ("stage2.ack", "2026-04-30T12:00", 0, date(2026, 5, 8), "2026-05-08T22:59:59.999999+00:00"),
        # May 11..15(5) 18..22(10) [25 bank holiday] 26(11) 27(12) 28(13) 29(14), June 1..5(19) 8(20).
        ("stage2.response", "2026-05-08T12:00", 0, date(2026, 6, 8), "2026-06-08T22:59:59.999999+00:00"),
        # October 19..23(5) 26..30(10); the clocks went back on the 25th, so the day ends at 24:00 UTC.
        ("stage1.response", "2026-10-16T17:00", 0, date(2026, 10, 30), "2026-10-30T23:59:59.999999+00:00"),
        # December 21(1) 22(2) 23(3) 24(4) [25 Christmas, 28 for Boxing Day] 29(5).
        ("stage1.ack", "2026-12-18T11:00", 0, date(2026, 12, 29), "2026-12-29T23:59:59.999999+00:00"),
    ],
)
def test_the_ombudsman_code_runs_on_english_days(key: str, start: str, extra: int, day: date, at: str) -> None:
    """The LGSCO profile gives what was counted by hand, over Easter and both clock changes of 2026."""
    deadline = due(LGSCO[key], local(start, LONDON), ENGLAND, LONDON, extra=extra)
    assert deadline == Due(at=datetime.fromisoformat(at), day=day, provisional=False)


def test_the_stage_one_extension_is_ten_working_days() -> None:
    """The profile itself says how much may be added, and that the new year is not yet known."""
    assert (LGSCO["stage1.extension"].amount, LGSCO["stage1.extension"].unit) == (10, Unit.WORKING_DAY)
    # December 24(1) [25, 28] 29(2) 30(3) 31(4), then Friday January 1 as in a plain week (5).
    deadline = sure(due(LGSCO["stage1.ack"], local("2026-12-23", LONDON), ENGLAND, LONDON))
    assert (deadline.day, deadline.provisional) == (date(2027, 1, 1), True)


def test_months_end_on_the_corresponding_day_or_the_last_of_the_month() -> None:
    """January 31 and a month is February 28; pauses are natural days after that; the last day rolls or stays."""
    month = term(1, Unit.MONTH, LastDay.STAYS)
    for start, extra, day in (
        ("2026-01-31", 0, date(2026, 2, 28)),
        ("2026-01-31", 1, date(2026, 3, 31)),
        ("2027-12-31", 1, date(2028, 2, 29)),
        ("2026-11-15", 0, date(2026, 12, 15)),
        ("2026-09-05", 0, date(2026, 10, 5)),
    ):
        assert sure(due(month, local(start), CHINA, SHANGHAI, extra=extra)).day == day
    rolling = term(1, Unit.MONTH)
    assert sure(due(rolling, local("2026-09-05"), CHINA, SHANGHAI)).day == date(2026, 10, 8)
    stop = pause("2026-09-07", "2026-09-12")
    assert sure(due(rolling, local("2026-09-05"), CHINA, SHANGHAI, pauses=[stop])).day == date(2026, 10, 10)


def test_no_days_at_all_mean_the_same_day() -> None:
    """A receipt is due on the day of the event; only a last day that rolls leaves a day of rest."""
    same_day = term(0, Unit.NATURAL_DAY, LastDay.STAYS)
    assert sure(due(same_day, local("2026-10-03"), CHINA, SHANGHAI)).day == date(2026, 10, 3)
    assert sure(due(working(0), local("2026-10-03"), CHINA, SHANGHAI)).day == date(2026, 10, 8)


def test_what_needs_the_office_ends_when_it_closes() -> None:
    """Closing time is the last instant; an office open until midnight still closes on the same day."""
    at_closing = term(1, Unit.WORKING_DAY, cutoff=Cutoff.CLOSE_OF_BUSINESS)
    start = local("2026-11-23")
    deadline = sure(due(at_closing, start, CHINA, SHANGHAI, office_hours=OFFICE))
    assert deadline.at == local("2026-11-24T18:00")
    assert is_late(deadline, local("2026-11-24T18:00:00.000001"), CHINA, SHANGHAI) is True
    always_open = OfficeHours(periods=((0, 1440),))
    assert sure(due(at_closing, start, CHINA, SHANGHAI, office_hours=always_open)).day == date(2026, 11, 24)
    # Closed at 18:00, so a pause from 19:00 on that day comes too late; the same pause at noon does not.
    for hour, day in (("19:00", 24), ("12:00", 26)):
        stop = pause(f"2026-11-24T{hour}", "2026-11-26")
        paused = due(at_closing, start, CHINA, SHANGHAI, office_hours=OFFICE, pauses=[stop])
        assert sure(paused).day == date(2026, 11, day)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T08:30", "2026-11-23T14:00"),  # 3.5 h until noon, half an hour after the break
        ("2026-11-23T10:00", "2026-11-23T15:30"),
        ("2026-11-23T12:30", "2026-11-23T17:30"),  # the break does not count
        ("2026-11-23T14:00", "2026-11-23T18:00"),  # ends at closing time, not at the next opening
        ("2026-11-23T16:00", "2026-11-24T10:30"),
        ("2026-11-27T19:00", "2026-11-30T14:00"),  # received on Friday evening, counted from Monday's opening
        ("2026-09-24T17:00", "2026-09-28T11:30"),  # over the holidays 09-25 to 09-27
        ("2026-02-13T16:00", "2026-02-14T10:30"),  # on the working Saturday
    ],
)
def test_half_a_working_day_is_four_hours_of_open_office(start: str, end: str) -> None:
    """The hall's half day runs only while the office is open."""
    (assign,) = (t for t in terms("hall") if t.key == "complaint.assign")
    deadline = sure(due(assign, local(start), CHINA, SHANGHAI, office_hours=OFFICE))
    assert deadline.at == local(end)
    assert is_late(deadline, local(end), CHINA, SHANGHAI) is False


def test_natural_hours_run_on_across_nights_holidays_and_clock_changes() -> None:
    """Twenty-four hours are twenty-four hours, also on the night the clocks go forward."""
    day = term(24, Unit.NATURAL_HOUR)
    assert sure(due(day, local("2026-10-02T22:15"), CHINA, SHANGHAI)).at == local("2026-10-03T22:15")
    spring = due(day, local("2026-03-28T12:00", LONDON), ENGLAND, LONDON)
    assert sure(spring).at == datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert sure(due(day, local("2026-12-31T12:00"), CHINA, SHANGHAI)).provisional


def test_a_paused_term_of_hours_stands_still() -> None:
    """Hours in a pause do not count, to the minute, wherever the pause lies."""
    four = term(4, Unit.WORKING_HOUR)
    start = local("2026-11-23T10:00")
    for first, last, end in (
        ("2026-11-23T11:00", "2026-11-23T14:30", "2026-11-23T17:30"),  # 1 h before, 3 h after
        ("2026-11-23T12:10", "2026-11-23T13:20", "2026-11-23T15:30"),  # during the break: nothing lost
        ("2026-11-23T09:00", "2026-11-23T11:00", "2026-11-23T16:30"),  # only the part after the event counts
        ("2026-11-23T08:00", "2026-11-23T09:00", "2026-11-23T15:30"),  # over before it began
        ("2026-11-23T15:30", "2026-11-24T10:00", "2026-11-23T15:30"),  # begun when the time had run out
        ("2026-11-23T11:00", "2026-11-25T11:00", "2026-11-25T15:30"),  # whole days
    ):
        stop = pause(first, last)
        assert sure(due(four, start, CHINA, SHANGHAI, office_hours=OFFICE, pauses=[stop])).at == local(end)
    day = term(24, Unit.NATURAL_HOUR)
    stops = [pause("2026-11-23T12:00", "2026-11-23T13:00"), pause("2026-11-24T09:00", "2026-11-24T09:30")]
    assert sure(due(day, start, CHINA, SHANGHAI, pauses=stops)).at == local("2026-11-24T11:30")


def test_pauses_across_a_clock_change_are_united_by_instants() -> None:
    """Two pauses that touch only on the wall clock, in the hour that comes twice, are two."""
    first = Pause(
        start=datetime(2026, 10, 25, 0, 15, tzinfo=UTC),
        end=datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(LONDON),
    )
    second = Pause(
        start=datetime(2026, 10, 25, 1, 20, tzinfo=UTC).astimezone(LONDON), end=datetime(2026, 10, 25, 2, tzinfo=UTC)
    )
    start = datetime(2026, 10, 24, 12, tzinfo=UTC)
    deadline = sure(due(term(24, Unit.NATURAL_HOUR), start, ENGLAND, LONDON, pauses=[first, second]))
    assert deadline.at == start + timedelta(hours=24, minutes=15 + 40)


def test_a_pause_counts_only_while_time_is_left() -> None:
    """A pause on the last day moves it; one begun afterwards cures nothing; one before the event is not its own."""
    start = local("2026-11-23")
    for first, last, day in (
        ("2026-11-30T23:59:59.999999", "2026-12-02", date(2026, 12, 2)),
        ("2026-12-01T00:00", "2026-12-03", date(2026, 11, 30)),
        ("2026-11-16", "2026-11-20", date(2026, 11, 30)),
        ("2026-11-16", "2026-11-24", date(2026, 12, 1)),
    ):
        assert sure(due(working(5), start, CHINA, SHANGHAI, pauses=[pause(first, last)])).day == day
    # The second begins only after 11-30, but before the deadline that the first one made.
    both = [pause("2026-11-30", "2026-12-02"), pause("2026-12-02T12:00", "2026-12-04")]
    assert sure(due(working(5), start, CHINA, SHANGHAI, pauses=both)).day == date(2026, 12, 4)


def test_without_the_rules_nothing_is_promised_and_nobody_late() -> None:
    """No calendar: working time is unknown, natural time provisional. No office hours: nothing that needs them."""
    start, nothing = local("2026-11-23"), Calendar()
    assert due(working(5), start, nothing, SHANGHAI) is None
    assert due(term(4, Unit.WORKING_HOUR), start, nothing, SHANGHAI, office_hours=OFFICE) is None
    assert due(term(4, Unit.WORKING_HOUR), start, CHINA, SHANGHAI) is None
    assert due(term(1, Unit.NATURAL_DAY, cutoff=Cutoff.CLOSE_OF_BUSINESS), start, CHINA, SHANGHAI) is None
    assert is_late(None, start, CHINA, SHANGHAI) is None
    # 15 days on is Tuesday 12-08; 12 days on a Saturday, which rolls as in a plain week.
    assert due(natural(15), start, nothing, SHANGHAI) == Due(
        at=local("2026-12-08T23:59:59.999999").astimezone(UTC), day=date(2026, 12, 8), provisional=True
    )
    assert sure(due(natural(12), start, nothing, SHANGHAI)).day == date(2026, 12, 7)
