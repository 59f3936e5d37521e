"""Laws of deadlines, against a walk day by day and minute by minute that shares nothing with the rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import count, islice
from zoneinfo import ZoneInfo

import chinese_calendar
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.deadlines import (
    Calendar,
    Counting,
    Cutoff,
    Due,
    LastDay,
    OfficeHours,
    Pause,
    Term,
    Unit,
    due,
    is_late,
)
from service.profiles import calendar_from_library

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(calendar_from_library(range(2004, 2027)))
OFFICE = OfficeHours(periods=((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 18 * 60)))
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)

# 2015 has a special holiday in September, 2018, 2022 and 2023 notices that move days of December.
starts = st.datetimes(datetime(2015, 1, 1), datetime(2024, 12, 31)).map(  # noqa: DTZ001 - the zone is put on next
    lambda moment: moment.replace(tzinfo=SHANGHAI)
)
day_units = st.sampled_from([Unit.WORKING_DAY, Unit.NATURAL_DAY])


def of(amount: int, unit: Unit, last_day: LastDay = LastDay.ROLLS) -> Term:
    """Give a term in any unit."""
    hours = unit in {Unit.NATURAL_HOUR, Unit.WORKING_HOUR}
    return Term(
        key="t",
        amount=amount,
        unit=unit,
        counting=Counting.FROM_EVENT if hours else Counting.DAY_AFTER,
        last_day=LastDay.STAYS if hours else last_day,
        cutoff=Cutoff.INSTANT if hours else Cutoff.END_OF_DAY,
        source=None,
    )


@st.composite
def pauses_from(draw: st.DrawFn, since: datetime, within: timedelta) -> tuple[Pause, ...]:
    """Draw up to four pauses that begin within a span after `since`, in any order, overlapping or not."""
    begin = st.timedeltas(timedelta(0), within)
    length = st.timedeltas(timedelta(0), timedelta(days=12))
    drawn = draw(st.lists(st.tuples(begin, length), max_size=4))
    return tuple(Pause(start=since + first, end=since + first + long) for first, long in drawn)


def walked(term: Term, since: datetime, pauses: Iterable[Pause], extra: int) -> date:
    """Count day by day on fingers: list the days that count, strike the paused ones, take as many more."""
    first = since.date()
    struck = {
        day
        for pause in pauses
        for n in range((pause.end.date() - pause.start.date()).days)
        if counts(term, day := pause.start.date() + (n + 1) * ONE_DAY)
    }
    counting = (day for n in count(1) if counts(term, day := first + n * ONE_DAY))
    last = next(islice(counting, term.amount + extra + len(struck) - 1, None))
    while term.last_day is LastDay.ROLLS and not chinese_calendar.is_workday(last):
        last += ONE_DAY
    return last


def counts(term: Term, day: date) -> bool:
    """Say whether a day counts for a term."""
    return term.unit is Unit.NATURAL_DAY or bool(chinese_calendar.is_workday(day))


def computed(term: Term, since: datetime, pauses: Iterable[Pause] = (), extra: int = 0) -> Due:
    """Ask the rules, which must know an answer."""
    deadline = due(term, since, CALENDAR, SHANGHAI, office_hours=OFFICE, pauses=pauses, extra=extra)
    assert deadline is not None
    return deadline


@settings(deadline=None)
@given(starts, day_units, st.integers(1, 60), st.integers(0, 30), st.sampled_from(LastDay), st.data())
def test_terms_of_days_end_where_a_walk_day_by_day_ends(
    since: datetime, unit: Unit, amount: int, extra: int, last_day: LastDay, data: st.DataObject
) -> None:
    """Whatever the start, term, extension and pauses in time, both ways of counting meet on the same local day."""
    term = of(amount, unit, last_day)
    pauses = data.draw(pauses_from(since, timedelta(days=amount)))
    deadline = computed(term, since, pauses, extra)
    assert deadline.day == walked(term, since, pauses, extra)
    assert deadline.at.astimezone(SHANGHAI).date() == deadline.day
    assert (deadline.at + timedelta(microseconds=1)).astimezone(SHANGHAI).date() == deadline.day + ONE_DAY
    assert not deadline.provisional


@settings(deadline=None, max_examples=30)
@given(starts, st.integers(1, 12), st.data())
@example(datetime(2020, 1, 23, 17, 59, tzinfo=SHANGHAI), 12, None)
def test_working_hours_end_where_a_walk_minute_by_minute_ends(
    since: datetime, amount: int, data: st.DataObject | None
) -> None:
    """A clock that ticks only in an open office on a working day, outside pauses, runs out at the same minute."""
    since = since.replace(second=0, microsecond=0)
    pauses = () if data is None else data.draw(pauses_from(since, timedelta(days=3)))
    pauses = tuple(Pause(start=whole(pause.start), end=whole(pause.end)) for pause in pauses)
    left, now = amount * 60, since
    while left:
        minute = now.hour * 60 + now.minute
        opened = any(opens <= minute < closes for opens, closes in OFFICE.periods)
        paused = any(pause.start <= now < pause.end for pause in pauses)
        if opened and not paused and chinese_calendar.is_workday(now.date()):
            left -= 1
        now += ONE_MINUTE
    assert computed(of(amount, Unit.WORKING_HOUR), since, pauses).at == now


def whole(moment: datetime) -> datetime:
    """Cut a moment to its minute."""
    return moment.replace(second=0, microsecond=0)


@settings(deadline=None)
@given(starts, st.sampled_from(Unit), st.integers(0, 60), st.integers(0, 10), st.data())
def test_more_time_never_ends_earlier(
    since: datetime, unit: Unit, amount: int, extra: int, data: st.DataObject
) -> None:
    """An extension, a pause, a longer term, a later event: none brings a deadline forward."""
    pauses = data.draw(pauses_from(since, timedelta(days=90)))
    plain = computed(of(amount, unit), since)
    assert plain.at >= since
    assert computed(of(amount, unit), since, extra=extra).at >= plain.at
    assert computed(of(amount, unit), since, extra=extra) == computed(of(amount + extra, unit), since)
    assert computed(of(amount, unit), since, pauses).at >= plain.at
    assert computed(of(amount, unit), since + timedelta(hours=7)).at >= plain.at
    assert computed(of(amount, unit), since, reversed(pauses)) == computed(of(amount, unit), since, pauses)


@settings(deadline=None)
@given(starts, st.sampled_from(Unit), st.integers(1, 60), st.timedeltas(timedelta(days=-100), timedelta(days=400)))
def test_nobody_is_late_by_a_day_that_nobody_knows(since: datetime, unit: Unit, amount: int, passed: timedelta) -> None:
    """With only the year of the event adopted, lateness is certain exactly where every day up to the last is known."""
    calendar = Calendar(calendar_from_library([since.year]))
    deadline = due(of(amount, unit), since, calendar, SHANGHAI, office_hours=OFFICE)
    assert deadline is not None
    assert deadline.provisional == (deadline.day.year != since.year)
    at = deadline.at + passed
    expected = False if at <= deadline.at else None if deadline.provisional else True
    assert is_late(deadline, at, calendar, SHANGHAI) is expected
