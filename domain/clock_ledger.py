"""Why a limit ends when it ends: every day from its beginning to its end, counted or not, and by which rule.

Written independently of `deadlines.due`, which adds the days of pauses to the term: here a paused day is passed over.
That both agree is a test.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.deadlines import (
    DAY,
    HOURS,
    MINUTES_OF_A_DAY,
    WORKING,
    Calendar,
    CalendarVersion,
    DayKind,
    Due,
    LastDay,
    Layer,
    OfficeHours,
    Pause,
    Term,
    Unit,
)


class Why(StrEnum):
    """Why a day counts, or does not."""

    BEGINS = "begins"
    """The day of the event: counting begins the day after (Civil Code art. 201)."""
    COUNTS = "counts"
    EXTENSION = "extension"
    """It counts, and belongs to what was added to the term."""
    REST = "rest"
    HOLIDAY = "holiday"
    PAUSED = "paused"
    CLOSED = "closed"
    """A limit of hours: none of the time left on this day is open office."""
    UNKNOWN = "unknown"
    """Nobody knows yet what the day is; it is taken as in a plain week, so the limit is provisional (domain.md F5)."""
    MOVED = "moved"
    """The last day is no working day, so the limit ends with the next one (Civil Code art. 203)."""
    PROMISED = "promised"
    """The time was over before, but this date had been told (domain.md §14 case 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDay:
    """One local day of a limit. `number` is which day of the term it is, `counted` how much time of one of hours.

    `calendar` is the version that says what kind of day it is, None where no version does; `pauses` stood on this day.
    """

    day: date
    kind: DayKind | None
    why: Why
    number: int | None
    counted: timedelta | None
    calendar: CalendarVersion | None
    pauses: tuple[UUID, ...]


def days(
    term: Term,
    since: datetime,
    end: Due,
    calendar: Calendar,
    zone: ZoneInfo,
    *,
    office_hours: OfficeHours,
    pauses: Sequence[tuple[UUID, Pause]],
    extra: int = 0,
) -> tuple[LedgerDay, ...]:
    """Give every local day from the event at `since` (UTC) to the end of its limit.

    `extra` is the sum of approved extensions in the term's own unit, `pauses` are the times in which the clock stood.
    """
    named, years = _said(calendar)
    if term.unit in HOURS:
        told = _by_the_hour(term, since, end, calendar, zone, office_hours, [pause for _, pause in pauses])
    else:
        told = _by_the_day(term, since, end, calendar, zone, [pause for _, pause in pauses], extra)
    return tuple(
        LedgerDay(
            day=day,
            kind=calendar.kind(day),
            why=why,
            number=number,
            counted=counted,
            calendar=named.get(day) or years.get(day.year),
            pauses=tuple(dict.fromkeys(key for key, pause in pauses if _stood(pause, day, zone))),
        )
        for day, why, number, counted in told
    )


_Told: TypeAlias = Iterator[tuple[date, Why, int | None, timedelta | None]]


def _said(calendar: Calendar) -> tuple[dict[date, CalendarVersion], dict[int, CalendarVersion]]:
    """Give which version names a day, the nearest one last, and which speaks about all other days of a year."""
    named: dict[date, CalendarVersion] = {}
    years: dict[int, CalendarVersion] = {}
    for year in calendar.years:
        said = CalendarVersion(jurisdiction=year.jurisdiction, layer=year.layer, year=year.year, version=year.version)
        named |= dict.fromkeys((one.day for one in year.days), said)
        if year.layer is Layer.NATIONAL:
            years[year.year] = said
    return named, years


def _local_days(since: datetime, end: Due, zone: ZoneInfo) -> list[date]:
    first = since.astimezone(zone).date()
    return [first + n * DAY for n in range((end.day - first).days + 1)]


def _stood(pause: Pause, day: date, zone: ZoneInfo) -> bool:
    """Say whether a pause takes a day out: each after the one it began on, to the one it ended on (domain.md §4.3)."""
    return pause.start.astimezone(zone).date() < day <= pause.end.astimezone(zone).date()


def _by_the_day(
    term: Term, since: datetime, end: Due, calendar: Calendar, zone: ZoneInfo, pauses: list[Pause], extra: int
) -> _Told:
    first, *later = _local_days(since, end, zone)
    yield first, Why.BEGINS, None, None
    base, whole = _days_of(term, first, 0), _days_of(term, first, extra)
    number, last = 0, first
    for day in later:
        counts = term.unit not in WORKING or calendar.worked(day)
        if any(_stood(pause, day, zone) for pause in pauses):
            yield day, Why.PAUSED if counts else _off(calendar, day), None, None
            last = day if counts else last
        elif number < whole:
            number, last = number + counts, day if counts else last
            yield (
                day,
                _counted(term, calendar, day, counts=counts, longer=number > base),
                number if counts else None,
                None,
            )
        elif term.last_day is LastDay.ROLLS and not calendar.worked(last):
            last = day
            yield day, Why.MOVED, None, None
        else:
            yield day, Why.PROMISED, None, None


def _days_of(term: Term, first: date, extra: int) -> int:
    """Give how many days a term has: of months, those to the corresponding day."""
    amount = term.amount + extra
    if term.unit is not Unit.MONTH:
        return amount
    year, month = divmod(first.year * 12 + first.month - 1 + amount, 12)
    return (date(year, month + 1, min(first.day, monthrange(year, month + 1)[1])) - first).days


def _counted(term: Term, calendar: Calendar, day: date, *, counts: bool, longer: bool) -> Why:
    if term.unit in WORKING and calendar.kind(day) is None:
        return Why.UNKNOWN
    if not counts:
        return _off(calendar, day)
    return Why.EXTENSION if longer else Why.COUNTS


def _off(calendar: Calendar, day: date) -> Why:
    kind = calendar.kind(day)
    if kind is None:
        return Why.UNKNOWN
    return Why.HOLIDAY if kind is DayKind.HOLIDAY else Why.REST


def _by_the_hour(
    term: Term, since: datetime, end: Due, calendar: Calendar, zone: ZoneInfo, office: OfficeHours, pauses: list[Pause]
) -> _Told:
    for day in _local_days(since, end, zone):
        works = term.unit is Unit.NATURAL_HOUR or calendar.worked(day)
        periods = ((0, MINUTES_OF_A_DAY),) if term.unit is Unit.NATURAL_HOUR else office.periods
        open_at = [_within(day, period, since, end.at, zone) for period in periods] if works else []
        passed = sum((_length(span) for span in open_at), timedelta())
        stood = sum((_stopped(span, pauses) for span in open_at), timedelta())
        if term.unit is Unit.WORKING_HOUR and calendar.kind(day) is None:
            why = Why.UNKNOWN
        elif not works:
            why = _off(calendar, day)
        elif not passed:
            why = Why.CLOSED
        else:
            why = Why.PAUSED if stood == passed else Why.COUNTS
        yield day, why, None, passed - stood


def _within(
    day: date, period: tuple[int, int], since: datetime, until: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    opens, closes = (
        (datetime.combine(day, time.min, zone) + timedelta(minutes=minute)).astimezone(UTC) for minute in period
    )
    return max(opens, since), min(closes, until)


def _length(span: tuple[datetime, datetime]) -> timedelta:
    return max(span[1] - span[0], timedelta())


def _stopped(span: tuple[datetime, datetime], pauses: list[Pause]) -> timedelta:
    """Give for how long the clock stood within a time; where pauses overlap it stood once."""
    upto, total = span[0], timedelta()
    for pause in sorted(pauses, key=lambda one: one.start):
        part = max(pause.start, upto), min(pause.end, span[1])
        total += _length(part)
        upto = max(upto, part[1])
    return total
