"""Visits to the synthetic hall and what people said of them, by its working days and hours; the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Final

from domain.code_sets import CodeSet
from domain.decider import Code
from domain.grade import Grade
from domain.review import ReviewChannel
from service.demo.hall import BUSINESS, Hall
from service.demo.office import Office

VISITS: Final = 12_000
BY_WEEKDAY: Final = (1.3, 1.1, 1.0, 0.95, 0.85, 0.6, 0.6)
"""Monday brings most; Saturday and Sunday as far as they are worked."""
BY_HALF_HOUR: Final[Mapping[int, float]] = {
    17: 0.7, 18: 1.5, 19: 2.0, 20: 1.9, 21: 1.5, 22: 1.0, 23: 0.6, 24: 0.15, 25: 0.1, 26: 0.3, 27: 0.7,
    28: 1.2, 29: 1.4, 30: 1.3, 31: 1.0, 32: 0.7, 33: 0.3,
}  # fmt: skip
"""From half past eight: a peak in the morning, a few who are still served at noon, a lower one in the afternoon."""
GRADES: Final[Mapping[Grade, int]] = {
    Grade.VERY_SATISFIED: 9300, Grade.SATISFIED: 510, Grade.BASICALLY_SATISFIED: 90, Grade.DISSATISFIED: 65,
    Grade.VERY_DISSATISFIED: 35,
}  # fmt: skip
"""Nearly all are content, as everywhere (domain.md F3), but not all."""
RATED: Final = 0.82
WRITTEN_DOWN: Final = 0.03
ANONYMOUS: Final = 0.15
ODD: Final = 0.006
NOTHING_TICKED: Final = 0.5
"""Of those who are content."""
CHANNELS: Final[Mapping[ReviewChannel, int]] = {
    ReviewChannel.TERMINAL: 48, ReviewChannel.QR: 30, ReviewChannel.SMS: 14, ReviewChannel.TABLET: 8,
}  # fmt: skip
BLOCK: Final = 1000
BURST: Final = 12
"""How many ratings one device gives in a burst, once in a block of visits."""
BETWEEN: Final = timedelta(seconds=9)


class Odd(StrEnum):
    """What of a rating looks as if a machine, or not whoever was served, had given it."""

    BURST = "burst"
    HASTE = "haste"
    SAME_CODES = "same_codes"
    IMPOSSIBLE_TIME = "impossible_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What is said of a visit, when (UTC), and by what; `claimed_at` (UTC) is a device's own time."""

    at: datetime
    grade: Grade
    codes: tuple[Code, ...]
    anonymous: bool
    channel: ReviewChannel
    terminal: Code | None
    device: str | None
    input_ms: int
    claimed_at: datetime | None
    by_staff: bool
    odd: Odd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One served visit: when the service ended (UTC), how long it took; without a rating nobody gave one."""

    number: int
    served_at: datetime
    seconds: int
    window: Code
    item: Code
    rating: Rating | None


def visits(hall: Hall, office: Office, offered: CodeSet, *, seed: str, number: int = VISITS) -> Iterator[Visit]:
    """Tell so many visits in the order of time; the same seed tells the same ones.

    A rating still to come at the office's `now` is none. `offered` is the set that codes are ticked from.
    """
    chance = random.Random(f"{seed}:visits")  # noqa: S311 - a tale, no secret
    windows = [one for department in BUSINESS for one in hall.windows_of(department)]
    # Each window has traffic of its own, that of its department and a share by which it differs from its neighbours.
    shares = [BUSINESS[one.department or ""] * chance.uniform(0.4, 1.6) for one in windows]
    told = moments(office, chance, number)
    for place, moment in enumerate(told):
        own = random.Random(f"{seed}:visit:{place}")  # noqa: S311 - a tale, no secret
        window = own.choices(windows, shares)[0]
        yield Visit(
            number=place + 1,
            served_at=moment,
            seconds=int(own.lognormvariate(6.2, 0.6)),
            window=window.code,
            item=own.choice(hall.items_of(window.department or "")).code,
            rating=_rating(own, place, told, window.code, office.now, offered),
        )


def moments(office: Office, chance: random.Random, number: int) -> Sequence[datetime]:
    """Give when services ended: on worked days alone, by the day of the week and the half-hour."""
    days = [day for day in office.days if office.calendar.worked(day)]
    by_day = list(accumulate(BY_WEEKDAY[day.weekday()] for day in days))
    halves, shares = list(BY_HALF_HOUR), list(accumulate(BY_HALF_HOUR.values()))
    found: list[datetime] = []
    while len(found) < number:
        day = chance.choices(days, cum_weights=by_day)[0]
        minute = chance.choices(halves, cum_weights=shares)[0] * 30 + chance.randrange(30)
        moment = office.local(day, minute) + timedelta(seconds=chance.randrange(60))
        if office.first <= moment <= office.now:
            found.append(moment)
    return sorted(found)


def _rating(
    chance: random.Random, place: int, told: Sequence[datetime], window: Code, now: datetime, offered: CodeSet
) -> Rating | None:
    served_at = told[place]
    if chance.random() >= RATED:
        return None
    odd, within = _odd(chance, place), place % BLOCK
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    grade = chance.choices(list(GRADES), list(GRADES.values()))[0]
    device, wait = f"{channel}-{place}", chance.randint(15, 240)
    if channel is ReviewChannel.SMS:
        wait = chance.randint(600, 2 * 86_400)
    by_staff = odd is None and chance.random() < WRITTEN_DOWN
    terminal = f"{window}-K" if channel in {ReviewChannel.TERMINAL, ReviewChannel.TABLET} else None
    device = terminal or device
    if odd in {Odd.BURST, Odd.SAME_CODES}:
        # One device and one grade for a dozen visits on end; it is a pattern, and no proof of anything.
        device, grade, terminal, channel = f"burst-{place // BLOCK}", Grade.VERY_SATISFIED, None, ReviewChannel.QR
    at = served_at + timedelta(seconds=wait)
    if odd in {Odd.BURST, Odd.SAME_CODES}:
        # They come one upon the other, when the last of them had been served.
        at = told[min(place - within + BURST, len(told)) - 1] + (within + 1) * BETWEEN
    if at > now:
        return None
    claimed = None if terminal is None else at - timedelta(seconds=chance.randrange(3))
    if odd is Odd.IMPOSSIBLE_TIME:
        claimed = served_at - timedelta(hours=chance.randint(2, 9))
    return Rating(
        at=at,
        grade=grade,
        codes=("510",) if odd is Odd.SAME_CODES else _codes(chance, grade, offered),
        anonymous=chance.random() < ANONYMOUS,
        channel=ReviewChannel.PAPER if by_staff else channel,
        terminal=None if by_staff else terminal,
        device=None if by_staff else device,
        input_ms=chance.randint(300, 1900) if odd is not None else int(chance.lognormvariate(9.6, 0.5)) + 2000,
        claimed_at=None if by_staff else claimed,
        by_staff=by_staff,
        odd=odd,
    )


def _odd(chance: random.Random, place: int) -> Odd | None:
    """Give what looks odd: for a dozen on end now and then, else for one in some hundred."""
    if place % BLOCK < BURST:
        return Odd.BURST if place // BLOCK % 2 else Odd.SAME_CODES
    return chance.choice((Odd.HASTE, Odd.IMPOSSIBLE_TIME)) if chance.random() < ODD else None


def _codes(chance: random.Random, grade: Grade, offered: CodeSet) -> tuple[Code, ...]:
    """Tick something; whoever is content often ticks nothing, and who is not gives a reason (N1)."""
    if not grade.bad and chance.random() < NOTHING_TICKED:
        return ()
    fitting = [one.code for one in offered.codes if one.grade is grade and one.in_use]
    return tuple(sorted(chance.sample(fitting, chance.choice((1, 1, 1, 2)))))
