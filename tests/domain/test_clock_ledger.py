"""The ledger of a limit names each day, why it counts or not, and which calendar says so: recounted, it is the date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.clock_ledger import LedgerDay, Why, days
from domain.deadlines import (
    Calendar,
    CalendarDay,
    CalendarVersion,
    CalendarYear,
    DayKind,
    Due,
    LastDay,
    Layer,
    Pause,
    Term,
    Unit,
    due,
)
from tests.domain.test_deadline_laws import CALENDAR, OFFICE, SHANGHAI, of, pauses_from, starts
from tests.domain.test_deadlines import CHINA, OFFICIAL_2026, local, pause
from tests.hall import key

FIRST, SECOND = key("first"), key("second")
ONE_DAY = timedelta(days=1)
NATION = CalendarVersion(jurisdiction="CN", layer=Layer.NATIONAL, year=2026, version=1)


def ledger(
    term: Term,
    since: datetime,
    pauses: Mapping[UUID, Pause] | None = None,
    *,
    extra: int = 0,
    calendar: Calendar = CHINA,
    end: Due | None = None,
) -> tuple[LedgerDay, ...]:
    """Every day of a limit that the rules compute, or that was told otherwise."""
    stood = {} if pauses is None else pauses
    limit = end or due(term, since, calendar, SHANGHAI, office_hours=OFFICE, pauses=stood.values(), extra=extra)
    assert limit is not None
    return days(term, since, limit, calendar, SHANGHAI, office_hours=OFFICE, pauses=[*stood.items()], extra=extra)


def told(entries: tuple[LedgerDay, ...]) -> list[tuple[str, Why, int | None]]:
    """The ledger in short: `02-13`, why, which day of the term."""
    return [(f"{entry.day:%m-%d}", entry.why, entry.number) for entry in entries]


def recount(entries: tuple[LedgerDay, ...], whole: int) -> date:
    """Find the last day with a pencil: go down the list until the whole term is counted, then past what moves it."""
    left, last = whole, entries[0].day
    for entry in entries[1:]:
        if entry.number is not None:
            left, last = left - 1, entry.day
        elif not left and entry.why in {Why.PAUSED, Why.MOVED}:
            last = entry.day
    assert left == 0
    return last


def test_a_spring_festival_is_told_day_by_day() -> None:
    """Domain.md §14 case 1 and the vector of §4.4: received on Friday evening, Saturday works, nine days do not."""
    entries = ledger(of(2, Unit.WORKING_DAY), local("2026-02-13T18:30"))
    assert told(entries) == [
        ("02-13", Why.BEGINS, None),
        ("02-14", Why.COUNTS, 1),
        *((f"02-{day}", Why.HOLIDAY, None) for day in range(15, 24)),
        ("02-24", Why.COUNTS, 2),
    ]
    assert {entry.calendar for entry in entries} == {NATION}
    assert [entry.kind for entry in entries[:3]] == [DayKind.WORK, DayKind.WORK, DayKind.HOLIDAY]


def test_a_paused_day_is_passed_over_and_named_with_its_pause() -> None:
    """The vector of domain.md §4.4: 22, 23, 24 and 28 September stood; 8 October is the fifth day that counts."""
    stood = {FIRST: pause("2026-09-21", "2026-09-28"), SECOND: pause("2026-09-22", "2026-09-22")}
    entries = ledger(of(5, Unit.WORKING_DAY), local("2026-09-18"), stood)
    assert told(entries)[:4] == [
        ("09-18", Why.BEGINS, None),
        ("09-19", Why.REST, None),
        ("09-20", Why.COUNTS, 1),
        ("09-21", Why.COUNTS, 2),
    ]
    by_day = {f"{entry.day:%m-%d}": entry for entry in entries}
    assert [day for day, entry in by_day.items() if entry.why is Why.PAUSED] == ["09-22", "09-23", "09-24", "09-28"]
    # A holiday in a pause is a holiday; the pause stands beside it. One that ended on its own day took none out.
    assert (by_day["09-25"].why, by_day["09-25"].pauses) == (Why.HOLIDAY, (FIRST,))
    assert by_day["09-22"].pauses == (FIRST,)
    assert told(entries)[-1] == ("10-08", Why.COUNTS, 5)


def test_the_days_of_an_extension_are_told_apart() -> None:
    """Three working days, and two more."""
    entries = ledger(of(3, Unit.WORKING_DAY), local("2026-03-02"), extra=2)
    assert told(entries) == [
        ("03-02", Why.BEGINS, None),
        ("03-03", Why.COUNTS, 1),
        ("03-04", Why.COUNTS, 2),
        ("03-05", Why.COUNTS, 3),
        ("03-06", Why.EXTENSION, 4),
        ("03-07", Why.REST, None),
        ("03-08", Why.REST, None),
        ("03-09", Why.EXTENSION, 5),
    ]


def test_a_last_day_on_which_nobody_works_moves_on() -> None:
    """The vector of domain.md §4.4: 15 natural days after 16 September end on 1 October, so on the 8th."""
    entries = ledger(of(15, Unit.NATURAL_DAY), local("2026-09-16"))
    assert told(entries)[15:] == [("10-01", Why.COUNTS, 15), *((f"10-0{day}", Why.MOVED, None) for day in range(2, 9))]
    assert ledger(of(15, Unit.NATURAL_DAY, LastDay.STAYS), local("2026-09-16"))[-1].day == date(2026, 10, 1)


def test_a_month_has_as_many_days_as_it_has() -> None:
    """From 30 January a month ends on 28 February (Civil Code art. 202), which is its 29th day; two, on 30 March."""
    assert told(ledger(of(1, Unit.MONTH), local("2026-01-30")))[-1] == ("02-28", Why.COUNTS, 29)
    more = ledger(of(1, Unit.MONTH), local("2026-01-30"), extra=1)
    assert told(more)[-1] == ("03-30", Why.EXTENSION, 59)
    assert told(more)[29] == ("02-28", Why.COUNTS, 29)


def test_no_days_at_all_are_the_day_itself() -> None:
    """The same day."""
    assert told(ledger(of(0, Unit.NATURAL_DAY, LastDay.STAYS), local("2026-03-02"))) == [("03-02", Why.BEGINS, None)]


def test_a_date_that_was_told_is_kept_and_said_so() -> None:
    """Domain.md §14 case 4: by the new calendar the time was over on the 4th; the 6th had been told."""
    end = Due(at=local("2026-03-06T23:59").astimezone(UTC), day=date(2026, 3, 6), provisional=False)
    entries = ledger(of(2, Unit.WORKING_DAY), local("2026-03-02"), end=end)
    assert told(entries)[-2:] == [("03-05", Why.PROMISED, None), ("03-06", Why.PROMISED, None)]


def test_a_pause_that_began_on_the_last_day_is_what_moves_it() -> None:
    """Paused on Wednesday the 4th, the second and last day, until Friday: that day is left."""
    entries = ledger(of(2, Unit.WORKING_DAY), local("2026-03-02"), {FIRST: pause("2026-03-04", "2026-03-06")})
    assert told(entries)[1:] == [
        ("03-03", Why.COUNTS, 1), ("03-04", Why.COUNTS, 2), ("03-05", Why.PAUSED, None), ("03-06", Why.PAUSED, None),
    ]  # fmt: skip


def test_a_pause_that_ends_on_a_day_off_moves_the_last_day_past_it() -> None:
    """Two natural days, paused on the second until Saturday: what is left of it is on Monday."""
    entries = ledger(of(2, Unit.NATURAL_DAY), local("2026-03-02"), {FIRST: pause("2026-03-04", "2026-03-07")})
    assert told(entries)[3:] == [
        *((f"03-0{day}", Why.PAUSED, None) for day in (5, 6, 7)),
        ("03-08", Why.MOVED, None),
        ("03-09", Why.MOVED, None),
    ]


def test_an_unknown_year_is_told_as_unknown() -> None:
    """Domain.md F5: nobody knows what the days of 2027 are; they are taken as in a plain week, and said to be so."""
    entries = ledger(of(5, Unit.WORKING_DAY), local("2026-12-30"))
    assert told(entries) == [
        ("12-30", Why.BEGINS, None),
        ("12-31", Why.COUNTS, 1),
        ("01-01", Why.UNKNOWN, 2),
        ("01-02", Why.UNKNOWN, None),
        ("01-03", Why.UNKNOWN, None),
        ("01-04", Why.UNKNOWN, 3),
        ("01-05", Why.UNKNOWN, 4),
        ("01-06", Why.UNKNOWN, 5),
    ]
    assert [entry.calendar for entry in entries] == [NATION, NATION, *[None] * 6]
    stood = ledger(of(1, Unit.WORKING_DAY), local("2026-12-31"), {FIRST: pause("2027-01-01", "2027-01-04")})
    assert [why for _, why, _ in told(stood)] == [Why.BEGINS, Why.UNKNOWN, Why.UNKNOWN, Why.UNKNOWN, Why.PAUSED]
    hours = ledger(of(4, Unit.WORKING_HOUR), local("2026-12-31T16:00"))
    assert [(entry.why, entry.counted) for entry in hours] == [
        (Why.COUNTS, timedelta(hours=2)),
        (Why.UNKNOWN, timedelta(hours=2)),
    ]


def test_the_nearest_calendar_that_names_a_day_is_the_one_that_says_so() -> None:
    """A region's holiday, in the second version of its notice; the days beside it are the nation's."""
    region = CalendarYear(
        jurisdiction="CN-15", layer=Layer.REGION, year=2026, version=2, published_at=None, source="typed",
        days=(CalendarDay(day=date(2026, 7, 24), kind=DayKind.HOLIDAY),),
    )  # fmt: skip
    entries = ledger(of(2, Unit.WORKING_DAY), local("2026-07-22"), calendar=Calendar((region, OFFICIAL_2026)))
    assert [entry.calendar and (entry.calendar.jurisdiction, entry.calendar.version) for entry in entries[:4]] == [
        ("CN", 1), ("CN", 1), ("CN-15", 2), ("CN", 1),
    ]  # fmt: skip
    assert told(entries)[2] == ("07-24", Why.HOLIDAY, None)


def test_hours_of_open_office_are_told_by_the_day() -> None:
    """From Friday at five: an hour, then a weekend, then three more on Monday; after closing nothing is left."""
    entries = ledger(of(4, Unit.WORKING_HOUR), local("2026-03-06T17:00"))
    assert [(f"{entry.day:%m-%d}", entry.why, entry.counted) for entry in entries] == [
        ("03-06", Why.COUNTS, timedelta(hours=1)),
        ("03-07", Why.REST, timedelta()),
        ("03-08", Why.REST, timedelta()),
        ("03-09", Why.COUNTS, timedelta(hours=3)),
    ]
    evening = ledger(of(4, Unit.WORKING_HOUR), local("2026-03-05T18:30"))
    assert [(entry.why, entry.counted) for entry in evening] == [
        (Why.CLOSED, timedelta()),
        (Why.COUNTS, timedelta(hours=4)),
    ]
    stood = {
        FIRST: pause("2026-03-05T08:00", "2026-03-05T19:00"),
        SECOND: pause("2026-03-05T09:00", "2026-03-06T09:30"),
    }
    paused = ledger(of(4, Unit.WORKING_HOUR), local("2026-03-04T17:00"), stood)
    assert [(entry.why, entry.counted) for entry in paused] == [
        (Why.COUNTS, timedelta(hours=1)),
        (Why.PAUSED, timedelta()),
        (Why.COUNTS, timedelta(hours=3)),
    ]


def test_natural_hours_run_through_nights_and_holidays() -> None:
    """Twenty-four of them, from Saturday morning to Sunday morning, in the spring festival."""
    entries = ledger(of(24, Unit.NATURAL_HOUR), local("2026-02-14T10:00"))
    assert [(entry.why, entry.counted) for entry in entries] == [
        (Why.COUNTS, timedelta(hours=14)),
        (Why.COUNTS, timedelta(hours=10)),
    ]


@settings(deadline=None, max_examples=300)
@given(starts, st.sampled_from(Unit), st.integers(0, 12), st.integers(0, 6), st.sampled_from(LastDay), st.data())
@example(datetime(2020, 1, 20, 9, tzinfo=SHANGHAI), Unit.NATURAL_DAY, 4, 0, LastDay.ROLLS, None)
def test_recounted_from_its_days_a_limit_ends_where_the_rules_end_it(
    since: datetime, unit: Unit, amount: int, extra: int, last_day: LastDay, data: st.DataObject | None
) -> None:
    """Whatever the term, its extensions and its pauses: two ways of counting, one date."""
    term = of(amount, unit, last_day)
    span = timedelta(days=40 if unit is Unit.MONTH else amount + 1)
    drawn = () if data is None else data.draw(pauses_from(since, span))
    pauses = {key(f"pause-{n}"): one for n, one in enumerate(drawn)}
    limit = due(term, since, CALENDAR, SHANGHAI, office_hours=OFFICE, pauses=drawn, extra=extra)
    assert limit is not None
    entries = ledger(term, since, pauses, extra=extra, calendar=CALENDAR)
    assert [entry.day for entry in entries] == [
        since.date() + n * ONE_DAY for n in range((limit.day - since.date()).days + 1)
    ]
    assert Why.UNKNOWN not in {entry.why for entry in entries}
    if unit in {Unit.NATURAL_HOUR, Unit.WORKING_HOUR}:
        counted = [entry.counted for entry in entries if entry.counted is not None]
        assert len(counted) == len(entries)
        assert sum(counted, timedelta()) == timedelta(hours=amount + extra)
        return
    numbers = [entry.number for entry in entries if entry.number is not None]
    assert numbers == [*range(1, len(numbers) + 1)]
    if unit is not Unit.MONTH:
        assert len(numbers) == amount + extra
    assert Counter(entry.why for entry in entries)[Why.PROMISED] == 0
    # A limit that was moved by a holiday before the pause began may end within that pause.
    assert recount(entries, len(numbers)) == limit.day
