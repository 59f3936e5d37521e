"""The opening hours of the synthetic hall, minute by minute: when its people can have done something."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.deadlines import Calendar, OfficeHours

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""A moment that has not come yet."""
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)


class Office:
    """Every open minute from `first` on, until `now` (UTC)."""

    def __init__(self, calendar: Calendar, hours: OfficeHours, zone: ZoneInfo, first: datetime, now: datetime) -> None:
        """Count the minutes once; three hundred complaints ask for thousands of them."""
        self.zone = zone
        self.calendar = calendar
        self.hours = hours
        self.first, self.now = first, now
        start, end = first.astimezone(zone).date(), now.astimezone(zone).date()
        self.days = [start + n * DAY for n in range((end - start).days + 1)]
        self._minutes = [
            minute
            for day in self.days
            if calendar.worked(day)
            for opens, closes in hours.periods
            for minute in (self.local(day, at) for at in range(opens, closes))
        ]

    def local(self, day: date, minute: int) -> datetime:
        """Give the moment (UTC) of a minute of a local day."""
        return (datetime.combine(day, time.min, self.zone) + minute * MINUTE).astimezone(UTC)

    def after(self, moment: datetime, minutes: int, seconds: int = 0) -> datetime:
        """Give the moment after so many open minutes (at least one) and seconds; NEVER while it is still to come."""
        place = bisect_right(self._minutes, moment) + minutes - 1
        if moment == NEVER or place >= len(self._minutes):
            return NEVER
        found = self._minutes[place] + timedelta(seconds=seconds)
        return found if found <= self.now else NEVER

    def day(self, moment: datetime) -> date:
        """Give the local day of a moment."""
        return moment.astimezone(self.zone).date()

    def working_day(self, moment: datetime, days: int) -> date:
        """Give the so-many-th working day after the local day of a moment."""
        day = self.day(moment)
        while days:
            day += DAY
            days -= self.calendar.worked(day)
        return day
