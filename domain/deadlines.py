"""When something is due: a pure function of a term, a moment, a calendar, pauses and extensions (domain.md §4)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from domain.decider import Code, Instant

DAY: Final = timedelta(days=1)
MINUTES_OF_A_DAY: Final = 24 * 60
SATURDAY: Final = 5
DECEMBER: Final = 12
TICK: Final = timedelta(microseconds=1)  # times are kept to it: from 24:00 back to the last instant of a day
FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


class Unit(StrEnum):
    """What a term is counted in; never inferred, because a 日 of the law may be either kind of day (domain.md F4)."""

    NATURAL_DAY = "natural_day"
    WORKING_DAY = "working_day"
    NATURAL_HOUR = "natural_hour"
    WORKING_HOUR = "working_hour"
    MONTH = "month"


class Counting(StrEnum):
    """Where counting begins (Civil Code art. 201): days and months the day after the event, hours with the event."""

    DAY_AFTER = "day_after"
    FROM_EVENT = "from_event"


class LastDay(StrEnum):
    """What becomes of a last day on which nobody works: it moves to the next working day (art. 203), or stays."""

    ROLLS = "rolls"
    STAYS = "stays"


class Cutoff(StrEnum):
    """When the last day ends (art. 203): at 24:00 local or at closing time; hours end at the instant they run out."""

    END_OF_DAY = "end_of_day"
    CLOSE_OF_BUSINESS = "close_of_business"
    INSTANT = "instant"


class DayKind(StrEnum):
    """What a day is: worked, a weekly rest day, or a holiday."""

    WORK = "work"
    REST = "rest"
    HOLIDAY = "holiday"


class Layer(StrEnum):
    """Who names a day, the nearer one last: the nation, the region (ethnic holidays), the hall itself."""

    NATIONAL = "national"
    REGION = "region"
    HALL = "hall"


HOURS: Final = frozenset({Unit.NATURAL_HOUR, Unit.WORKING_HOUR})
WORKING: Final = frozenset({Unit.WORKING_DAY, Unit.WORKING_HOUR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long somebody has, in every respect that differs from place to place; `source` names the rule, as `L1-34`.

    Raises ValueError when the respects contradict each other.
    """

    key: Code
    amount: int
    unit: Unit
    counting: Counting
    last_day: LastDay
    cutoff: Cutoff
    source: Code | None

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"{self.key}: amount is {self.amount}; give 0 or more")
        by_hours = (Counting.FROM_EVENT, LastDay.STAYS, Cutoff.INSTANT)
        if self.unit in HOURS and (self.counting, self.last_day, self.cutoff) != by_hours:
            raise ValueError(f"{self.key}: hours need counting from_event, last_day stays and cutoff instant")
        if self.unit not in HOURS and (self.counting is not Counting.DAY_AFTER or self.cutoff is Cutoff.INSTANT):
            raise ValueError(f"{self.key}: days and months need counting day_after and another cutoff than instant")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """When the office is open on every working day: periods of (first, last) minute of the local day, in order.

    Raises ValueError when a period is empty, overlaps the one before or leaves the day.
    """

    periods: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        minutes = [minute for period in self.periods for minute in period]
        rising = all(earlier < later for earlier, later in pairwise(minutes))
        if not minutes or not rising or minutes[0] < 0 or minutes[-1] > MINUTES_OF_A_DAY:
            raise ValueError(f"office hours {self.periods}: give periods that follow each other within 0..1440 minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """One day that a notice names; WORK for a make-up working day."""

    day: date
    kind: DayKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVersion:
    """Which version of whose calendar was used: stored in the event whose deadline rests on it."""

    jurisdiction: Code
    layer: Layer
    year: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarYear:
    """What one notice says about one year: only the days it names, among them days of the December before.

    `published_at` is the day of the notice, None when the source does not tell it.
    Raises ValueError for a day outside the year, or named twice.
    """

    jurisdiction: Code
    layer: Layer
    year: int
    version: int
    published_at: date | None
    source: Code
    days: tuple[CalendarDay, ...]

    def __post_init__(self) -> None:
        first, last = date(self.year - 1, DECEMBER, 1), date(self.year, DECEMBER, 31)
        if strays := [str(named.day) for named in self.days if not first <= named.day <= last]:
            raise ValueError(f"calendar of {self.year}: {', '.join(strays)} outside {first} to {last}")
        if len({named.day for named in self.days}) < len(self.days):
            raise ValueError(f"calendar of {self.year}: a day is named twice")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendars that hold for one hall, laid over each other: hall over region over nation, newest version of each.

    A year is known once a national calendar of it was adopted: Monday to Friday are worked, Saturday and Sunday are
    not, except where a notice names the day. A day named by any layer is known. Nothing else is: an unknown year never
    means "no holidays".
    """

    years: tuple[CalendarYear, ...] = ()
    _named: dict[date, DayKind] = field(init=False, repr=False, compare=False)
    _known: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Later ones overwrite: versions within a notice, then nearer layers, and within a layer the later notice.
        newest: dict[tuple[Layer, Code, int], CalendarYear] = {}
        for given in sorted(self.years, key=lambda year: year.version):
            newest[given.layer, given.jurisdiction, given.year] = given
        used = sorted(newest.values(), key=lambda year: (list(Layer).index(year.layer), year.year, year.jurisdiction))
        object.__setattr__(self, "years", tuple(used))
        object.__setattr__(self, "_named", {named.day: named.kind for year in used for named in year.days})
        object.__setattr__(self, "_known", frozenset(year.year for year in used if year.layer is Layer.NATIONAL))

    def kind(self, day: date) -> DayKind | None:
        """Say what a local day is; None when nobody has said so yet."""
        named = self._named.get(day)
        if named is None and day.year in self._known:
            return DayKind.WORK if day.weekday() < SATURDAY else DayKind.REST
        return named

    def worked(self, day: date) -> bool:
        """Say whether a day counts as working; an unknown one as in a plain week, so the result is only provisional."""
        named = self._named.get(day)
        return day.weekday() < SATURDAY if named is None else named is DayKind.WORK

    def knows(self, first: date, last: date) -> bool:
        """Say whether every day from `first` to `last` is known."""
        if self._known.issuperset(range(first.year, last.year + 1)):
            return True
        return all(self.kind(first + n * DAY) is not None for n in range((last - first).days + 1))

    def versions(self, first: date = date.min, last: date = date.max) -> tuple[CalendarVersion, ...]:
        """Give the versions that may speak about the days from `first` to `last`: what an event on them rests on."""
        upto = last.year + (last.month == DECEMBER)
        return tuple(
            CalendarVersion(jurisdiction=it.jurisdiction, layer=it.layer, year=it.year, version=it.version)
            for it in self.years
            if first.year <= it.year <= upto
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A time in which the clock stands still, from `start` until it resumes; ValueError when `end` is before that."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"the pause ends at {self.end}, before it starts at {self.start}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A deadline: `at` is the last instant that is still on time (UTC), `day` the local day it lies on.

    The end of a day is therefore 23:59:59.999999 local: midnight is already the next day, so `at` always lies on `day`,
    and a date without a time, read as midnight, is judged by its date. `provisional`: from the event to the last day
    there is one whose kind nobody knows yet, whatever the unit (domain.md F5 makes no exception).
    """

    at: Instant
    day: date
    provisional: bool


def excluded_days(unit: Unit, pauses: Iterable[Pause], calendar: Calendar, zone: ZoneInfo) -> int:
    """Count the days d with pause day < d <= day of resuming; a day in two pauses counts once (domain.md §4.3).

    Working days when the unit is a working one (an unknown day as in a plain week), natural days otherwise.
    """
    total = 0
    for pause in _united(pauses):
        first, last = _local_day(pause.start, zone), _local_day(pause.end, zone)
        days = [first + n * DAY for n in range(1, (last - first).days + 1)]
        total += sum(map(calendar.worked, days)) if unit in WORKING else len(days)
    return total


def due(
    term: Term,
    since: datetime,
    calendar: Calendar,
    zone: ZoneInfo,
    *,
    office_hours: OfficeHours | None = None,
    pauses: Iterable[Pause] = (),
    extra: int = 0,
) -> Due | None:
    """Say until when there is time, for an event at `since` (with its offset).

    `extra` is the sum of approved extensions, in the term's own unit. Pauses lengthen a term of days or months by
    `excluded_days`; a term of hours simply stands still meanwhile (our design). The part of a pause before `since` does
    not count, nor does a pause that begins when the time has already run out: it cures no lateness. An event outside
    office hours is dated as received; working hours run only while the office is open.
    None when nothing can be computed: working units without any calendar; working hours, or closing time, without
    office hours. Raises ValueError for a time without offset or a negative extension.
    """
    if extra < 0:
        raise ValueError(f"an extension of {extra} would shorten the term; give 0 or more")
    first, since = _local_day(since, zone), since.astimezone(UTC)
    stops = _united(Pause(start=max(stop.start, since), end=stop.end) for stop in pauses if stop.end > since)
    if term.unit in WORKING and not calendar.years:
        return None
    hours = timedelta(hours=term.amount + extra)
    if term.unit is Unit.NATURAL_HOUR:
        at = _run_out(hours, iter([(since, FOR_EVER)]), stops)
    elif term.unit is not Unit.WORKING_HOUR and term.cutoff is Cutoff.END_OF_DAY:
        at = _day_runs_out(term, first, extra, stops, calendar, zone, MINUTES_OF_A_DAY)
    elif office_hours is None:
        return None
    elif term.unit is Unit.WORKING_HOUR:
        at = _run_out(hours, _open_office(since, calendar, zone, office_hours), stops)
    else:
        at = _day_runs_out(term, first, extra, stops, calendar, zone, office_hours.periods[-1][1])
    day = _local_day(at, zone)
    # A day after the last one counts too where a pause that moved the deadline ends on it.
    reached = max([day, *(_local_day(stop.end, zone) for stop in stops if stop.start <= at)])
    return Due(at=at, day=day, provisional=not calendar.knows(first, reached))


def is_late(deadline: Due | None, at: datetime, calendar: Calendar, zone: ZoneInfo) -> bool | None:
    """Say whether something done (or still not done) at `at` is late; None while nobody can know.

    Nobody can know without a deadline, nor after a provisional one: the unknown days may have moved it. Even when the
    calendar has been adopted since, the deadline must be recomputed first (architecture.md §8). A deadline on a day
    that the calendar does not know makes nobody late either, however it came about (domain.md F5).
    """
    if deadline is None:
        return None
    if at <= deadline.at:
        return False
    return None if deadline.provisional or calendar.kind(_local_day(deadline.at, zone)) is None else True


def kept_promise(told: Due, computed: Due) -> Due:
    """Give the recomputed deadline, never earlier than the citizen was told, and as sure as it now is (§14 case 4)."""
    return computed if computed.at >= told.at else replace(told, provisional=computed.provisional)


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no offset: say which instant is meant")
    return moment.astimezone(zone).date()


def _local(day: date, minute: int, zone: ZoneInfo) -> datetime:
    # Adding to a local time moves the hands of the clock on the wall, which is what opening hours mean.
    return (datetime.combine(day, time.min, zone) + timedelta(minutes=minute)).astimezone(UTC)


def _united(pauses: Iterable[Pause]) -> list[Pause]:
    # In UTC, because two local times of one zone are compared by the clock on the wall, even across a clock change.
    united: list[Pause] = []
    for start, end in sorted((pause.start.astimezone(UTC), pause.end.astimezone(UTC)) for pause in pauses):
        if united and start <= united[-1].end:
            united[-1] = replace(united[-1], end=max(end, united[-1].end))
        else:
            united.append(Pause(start=start, end=end))
    return united


def _day_runs_out(
    term: Term, first: date, extra: int, stops: list[Pause], calendar: Calendar, zone: ZoneInfo, closing: int
) -> datetime:
    """Give the last instant of a term of days or months; `closing` is the minute at which its last day ends."""
    excluded, waiting = 0, iter(stops)
    while True:
        last = _last_day(term, first, extra, excluded, calendar)
        at = min(_local(last, closing, zone), _local(last, MINUTES_OF_A_DAY, zone) - TICK)
        stop = next(waiting, None)
        if stop is None or stop.start > at:
            return at
        excluded += excluded_days(term.unit, [stop], calendar, zone)


def _last_day(term: Term, first: date, extra: int, excluded: int, calendar: Calendar) -> date:
    amount = term.amount + extra
    if term.unit is Unit.MONTH:
        day = _months_later(first, amount) + excluded * DAY
    elif term.unit is Unit.NATURAL_DAY:
        day = first + (amount + excluded) * DAY
    else:
        day, left = first, amount + excluded
        while left:
            day += DAY
            left -= calendar.worked(day)
    while term.last_day is LastDay.ROLLS and not calendar.worked(day):
        day += DAY
    return day


def _months_later(day: date, months: int) -> date:
    """Give the corresponding day, or the last of the month where there is none (Civil Code art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _open_office(
    since: datetime, calendar: Calendar, zone: ZoneInfo, office_hours: OfficeHours
) -> Iterator[tuple[datetime, datetime]]:
    """Yield, without end, when the office is open from `since` on."""
    day = _local_day(since, zone)
    while True:
        if calendar.worked(day):
            for opens, closes in office_hours.periods:
                start, end = max(_local(day, opens, zone), since), _local(day, closes, zone)
                if start < end:
                    yield start, end
        day += DAY


def _run_out(needed: timedelta, spans: Iterator[tuple[datetime, datetime]], stops: list[Pause]) -> datetime:
    """Give the instant at which `needed` time has passed within the spans, the clock standing still in pauses."""
    running = (part for span in spans for part in _without(span, stops))
    while True:
        start, end = next(running)
        if needed <= end - start:
            return start + needed
        needed -= end - start


def _without(span: tuple[datetime, datetime], stops: list[Pause]) -> Iterator[tuple[datetime, datetime]]:
    start, end = span
    for stop in stops:
        if start < stop.end and stop.start < end:
            if start < stop.start:
                yield start, stop.start
            start = stop.end
    if start < end:
        yield start, end
