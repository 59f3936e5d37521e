"""A year of visits to the sample hall: told the same every time, in the shape of its days, nearly all content."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from typing import Final
from uuid import uuid5

import pytest

from domain.deadlines import Calendar
from domain.decider import PersonKey
from domain.handling import HALL_ZONE
from domain.review import ReviewChannel
from service import adoption, profiles
from service.demo import STAFF
from service.demo.hall import Hall
from service.demo.office import Office
from service.demo.people import DEMO
from service.demo.visits import BURST, Odd, Rating, Visit, visits
from service.profiles import calendar_from_library
from tests.service.demo.sample import CHINA, NOW

CALENDAR: Final = Calendar(calendar_from_library(range(2025, 2027)))
OFFERED: Final = adoption.code_set().code_set()
YEAR: Final = timedelta(days=365)


@cache
def told(seed: str = "bihuan") -> list[Visit]:
    """Tell a year of visits."""
    hall = Hall({post: PersonKey(uuid5(DEMO, person.name)) for person in STAFF for post in person.posts})
    office = Office(CALENDAR, profiles.office_hours("hall"), HALL_ZONE, NOW - YEAR, NOW)
    return list(visits(hall, office, OFFERED, seed=seed))


def ratings() -> list[tuple[Visit, Rating]]:
    """Give the visits that were rated."""
    return [(visit, visit.rating) for visit in told() if visit.rating is not None]


def test_the_same_seed_tells_the_same_visits() -> None:
    """Nothing but seed, hall and opening hours decides what is told."""
    before = told()
    told.cache_clear()
    assert told() == before != told("another")


def test_people_come_as_they_come_to_a_hall() -> None:
    """On worked days alone, most in the morning and on Mondays, few at noon; no two windows are as busy."""
    local = [visit.served_at.astimezone(CHINA) for visit in told()]
    assert len(local) == 12_000
    assert local == sorted(local)
    assert all(CALENDAR.worked(moment.date()) for moment in local)
    hours = Counter(moment.hour for moment in local)
    assert max(hours, key=hours.__getitem__) in {9, 10}
    assert hours[12] < hours[11] / 3 < hours[15]
    worked = {moment.date() for moment in local}
    weekdays, days = Counter(one.weekday() for one in local), Counter(day.weekday() for day in worked)
    assert weekdays[0] / days[0] > 1.2 * weekdays[4] / days[4]
    windows = Counter(visit.window for visit in told())
    assert max(windows.values()) > 3 * min(windows.values())


def test_nearly_all_are_content_and_many_say_nothing() -> None:
    """The good rate is that of real halls, not a full hundred; a visit without a rating stays without one."""
    rated = ratings()
    assert 0.75 < len(rated) / len(told()) < 0.9
    bad = sum(rating.grade.bad for _, rating in rated)
    assert 0.005 < bad / len(rated) < 0.02
    for visit, rating in rated:
        assert visit.served_at < rating.at <= NOW
        assert rating.codes or not rating.grade.bad
        for code in rating.codes:
            found = OFFERED.code(code)
            assert found is not None
            assert found.in_use
            assert found.grade is rating.grade


def test_staff_write_some_down_and_no_device_gave_those() -> None:
    """What is written down on paper has no terminal, no device and no time of its own."""
    written = [rating for _, rating in ratings() if rating.by_staff]
    assert len(written) > 100
    for one in written:
        assert one.channel is ReviewChannel.PAPER
        assert (one.terminal, one.device, one.claimed_at) == (None, None, None)


@pytest.mark.parametrize("odd", Odd)
def test_some_ratings_look_as_if_a_machine_gave_them(odd: Odd) -> None:
    """Each kind of oddity is there, is what it is called, and only what is odd is given in less than two seconds."""
    by_device: dict[str | None, list[Rating]] = defaultdict(list)
    for visit, rating in ratings():
        assert (rating.input_ms < 2000) is (rating.odd is not None)
        if rating.odd is odd:
            by_device[rating.device].append(rating)
            if odd is Odd.IMPOSSIBLE_TIME:
                assert rating.claimed_at is not None
                assert rating.claimed_at < visit.served_at
    assert by_device
    if odd in {Odd.BURST, Odd.SAME_CODES}:
        for given in by_device.values():
            times = [one.at for one in given]
            assert len(given) > BURST / 2
            assert max(times) - min(times) < timedelta(minutes=3)
            assert odd is Odd.BURST or {one.codes for one in given} == {("510",)}
