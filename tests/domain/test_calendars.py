"""What a day is: layers over each other, versions after each other, unknown years, and rules that cannot be."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from domain.deadlines import (
    DAY,
    Calendar,
    CalendarDay,
    CalendarVersion,
    CalendarYear,
    Counting,
    Cutoff,
    DayKind,
    LastDay,
    Layer,
    OfficeHours,
    Pause,
    Term,
    Unit,
    due,
    is_late,
)
from service.profiles import calendar_from_library

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIVE_DAYS = Term(
    key="t",
    amount=5,
    unit=Unit.WORKING_DAY,
    counting=Counting.DAY_AFTER,
    last_day=LastDay.ROLLS,
    cutoff=Cutoff.END_OF_DAY,
    source=None,
)


def year(
    number: int,
    named: dict[str, DayKind],
    *,
    layer: Layer = Layer.NATIONAL,
    version: int = 1,
    jurisdiction: str = "CN",
) -> CalendarYear:
    """Give a calendar with the days it names."""
    return CalendarYear(
        jurisdiction=jurisdiction,
        layer=layer,
        year=number,
        version=version,
        published_at=None,
        source="typed",
        days=tuple(CalendarDay(day=date.fromisoformat(day), kind=kind) for day, kind in named.items()),
    )


PLAIN_2026 = year(2026, {})


def test_an_adopted_year_has_an_answer_for_every_day_and_agrees_with_its_source() -> None:
    """From 2004 to 2026 each day is worked or not exactly as the library says, which computes it in another way."""
    calendar = Calendar(calendar_from_library(range(2004, 2027)))
    day = date(2004, 1, 1)
    while day.year < 2027:
        assert (calendar.kind(day) is DayKind.WORK) == chinese_calendar.is_workday(day), day
        assert calendar.worked(day) == chinese_calendar.is_workday(day), day
        day += DAY
    assert calendar.kind(day) is None


def test_an_unknown_year_is_never_a_year_without_holidays() -> None:
    """Without a national calendar a day has no kind, only a guess that makes deadlines provisional."""
    unknown = Calendar()
    assert unknown.kind(date(2026, 11, 23)) is None
    assert unknown.worked(date(2026, 11, 23))
    assert not unknown.worked(date(2026, 11, 22))
    known = Calendar((PLAIN_2026,))
    assert known.kind(date(2026, 11, 23)) is DayKind.WORK
    assert known.kind(date(2026, 11, 22)) is DayKind.REST
    assert known.kind(date(2027, 1, 1)) is None
    assert known.knows(date(2026, 1, 1), date(2026, 12, 31))
    assert not known.knows(date(2026, 12, 31), date(2027, 1, 1))


def test_a_notice_also_names_days_of_the_december_before() -> None:
    """The notice of 2007 made Saturday 2006-12-30 a working day, known even where 2006 itself is not."""
    calendar = Calendar(calendar_from_library([2007]))
    assert calendar.kind(date(2006, 12, 30)) is DayKind.WORK
    assert calendar.kind(date(2006, 12, 29)) is None
    assert calendar.knows(date(2006, 12, 30), date(2007, 1, 31))


def test_the_nearer_layer_wins_and_knows_its_own_days() -> None:
    """The hall's word stands over the region's, the region's over the nation's, whatever the order of adoption."""
    nation = year(2026, {"2026-08-17": DayKind.HOLIDAY, "2026-08-18": DayKind.HOLIDAY, "2026-08-19": DayKind.HOLIDAY})
    region = year(
        2026, {"2026-08-17": DayKind.WORK, "2026-08-18": DayKind.WORK}, layer=Layer.REGION, jurisdiction="CN-15"
    )
    hall = year(
        2026, {"2026-08-17": DayKind.REST, "2026-12-01": DayKind.HOLIDAY}, layer=Layer.HALL, jurisdiction="hall"
    )
    for order in ((hall, region, nation), (nation, region, hall), (region, hall, nation)):
        calendar = Calendar(order)
        kinds = [calendar.kind(date(2026, 8, day)) for day in (17, 18, 19)]
        assert kinds == [DayKind.REST, DayKind.WORK, DayKind.HOLIDAY]
        assert not calendar.worked(date(2026, 8, 17))
    alone = Calendar((hall,))
    assert alone.kind(date(2026, 12, 1)) is DayKind.HOLIDAY
    assert alone.kind(date(2026, 12, 2)) is None
    monday = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
    # 24(1) 25(2) 26(3) 27(4) 30(5): counted, but not certain.
    deadline = due(FIVE_DAYS, monday, alone, SHANGHAI)
    assert deadline is not None
    assert (deadline.day, deadline.provisional) == (date(2026, 11, 30), True)


def test_the_newest_version_of_a_notice_replaces_the_older_whole() -> None:
    """A correction that no longer names a day takes the day back; two calendars that say the same are equal."""
    first = year(2026, {"2026-12-01": DayKind.HOLIDAY, "2026-12-02": DayKind.HOLIDAY})
    second = year(2026, {"2026-12-02": DayKind.HOLIDAY}, version=2)
    assert Calendar((first,)).kind(date(2026, 12, 1)) is DayKind.HOLIDAY
    assert Calendar((first, second)) == Calendar((second, first)) == Calendar((second,))
    assert Calendar((second, first)).kind(date(2026, 12, 1)) is DayKind.WORK


def test_an_event_can_name_the_calendars_it_rests_on() -> None:
    """Only the newest versions, and only of years that may speak about the days in question."""
    calendar = Calendar((PLAIN_2026, year(2026, {}, version=2), year(2027, {}), year(2025, {})))

    def version(number: int, release: int = 1) -> CalendarVersion:
        return CalendarVersion(jurisdiction="CN", layer=Layer.NATIONAL, year=number, version=release)

    assert calendar.versions() == (version(2025), version(2026, 2), version(2027))
    assert calendar.versions(date(2026, 3, 1), date(2026, 11, 30)) == (version(2026, 2),)
    assert calendar.versions(date(2026, 3, 1), date(2026, 12, 1)) == (version(2026, 2), version(2027))


def test_a_notice_that_speaks_about_other_years_is_refused() -> None:
    """A day outside the year and its December before, or a day named twice, is a mistake to be corrected."""
    year(2026, {"2025-12-01": DayKind.WORK, "2026-12-31": DayKind.HOLIDAY})
    for day in ("2025-11-30", "2027-01-01"):
        with pytest.raises(ValueError, match=f"calendar of 2026: {day} outside 2025-12-01 to 2026-12-31"):
            year(2026, {day: DayKind.WORK})
    twice = CalendarDay(day=date(2026, 5, 1), kind=DayKind.HOLIDAY)
    with pytest.raises(ValueError, match="a day is named twice"):
        CalendarYear(
            jurisdiction="CN",
            layer=Layer.NATIONAL,
            year=2026,
            version=1,
            published_at=None,
            source="typed",
            days=(twice, twice),
        )


@pytest.mark.parametrize(
    ("amount", "unit", "counting", "last_day", "cutoff", "why"),
    [
        (-1, Unit.WORKING_DAY, Counting.DAY_AFTER, LastDay.ROLLS, Cutoff.END_OF_DAY, "amount is -1"),
        (1, Unit.NATURAL_HOUR, Counting.DAY_AFTER, LastDay.STAYS, Cutoff.INSTANT, "hours need"),
        (1, Unit.WORKING_HOUR, Counting.FROM_EVENT, LastDay.ROLLS, Cutoff.INSTANT, "hours need"),
        (1, Unit.WORKING_HOUR, Counting.FROM_EVENT, LastDay.STAYS, Cutoff.END_OF_DAY, "hours need"),
        (1, Unit.WORKING_DAY, Counting.FROM_EVENT, LastDay.ROLLS, Cutoff.END_OF_DAY, "days and months need"),
        (1, Unit.MONTH, Counting.DAY_AFTER, LastDay.ROLLS, Cutoff.INSTANT, "days and months need"),
    ],
)
def test_a_term_whose_respects_contradict_each_other_is_refused(
    amount: int, unit: Unit, counting: Counting, last_day: LastDay, cutoff: Cutoff, why: str
) -> None:
    """The law knows days counted from the next day and hours counted from the event, nothing between."""
    with pytest.raises(ValueError, match=why):
        Term(key="t", amount=amount, unit=unit, counting=counting, last_day=last_day, cutoff=cutoff, source=None)


@pytest.mark.parametrize(
    "periods", [(), ((600, 600),), ((600, 540),), ((600, 720), (720, 1080)), ((-1, 60),), ((600, 1441),)]
)
def test_office_hours_in_which_nobody_could_come_are_refused(periods: tuple[tuple[int, int], ...]) -> None:
    """Empty, backward, touching or outside the day: each is refused."""
    with pytest.raises(ValueError, match="give periods that follow each other"):
        OfficeHours(periods=periods)


def test_time_that_cannot_be_is_refused() -> None:
    """A pause backwards, a negative extension and a time without its offset stop before anything is counted."""
    calendar, monday = Calendar((PLAIN_2026,)), datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
    with pytest.raises(ValueError, match="before it starts"):
        Pause(start=monday, end=monday - DAY)
    with pytest.raises(ValueError, match="an extension of -1 would shorten the term"):
        due(FIVE_DAYS, monday, calendar, SHANGHAI, extra=-1)
    with pytest.raises(ValueError, match="has no offset"):
        due(FIVE_DAYS, monday.replace(tzinfo=None), calendar, SHANGHAI)
    with pytest.raises(TypeError):
        is_late(due(FIVE_DAYS, monday, calendar, SHANGHAI), monday.replace(tzinfo=None), calendar, SHANGHAI)
