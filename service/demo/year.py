"""A year of visits to the synthetic hall: who was served where and when, and what they said of it, if they said it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Final
from uuid import UUID, uuid5

from domain.decider import Code
from domain.grade import Grade
from domain.occasion import review_of, stream
from domain.review import ReviewChannel
from service.demo.hall import Hall
from service.demo.office import Office
from service.demo.people import DEMO

VISITS: Final = 12_000
BY_WEEKDAY: Final = (1.3, 1.1, 1.0, 1.0, 0.9, 0.7, 0.7)
"""Monday brings most; Saturday and Sunday as far as they are worked."""
BY_HOUR: Final[Mapping[int, float]] = {8: 0.7, 9: 1.7, 10: 1.8, 11: 1.0, 13: 0.6, 14: 1.4, 15: 1.5, 16: 1.1, 17: 0.5}
"""A peak in the morning, a dip at noon; outside opening hours nobody is served."""
UNRATED: Final = 0.12
GRADES: Final[Mapping[Grade, int]] = {
    Grade.VERY_SATISFIED: 9_330,
    Grade.SATISFIED: 470,
    Grade.BASICALLY_SATISFIED: 110,
    Grade.DISSATISFIED: 55,
    Grade.VERY_DISSATISFIED: 35,
}
"""Saturated as in real halls, and not a hundred in a hundred (domain.md F3)."""
CODES: Final[Mapping[Grade, Sequence[Code]]] = {
    Grade.VERY_SATISFIED: ("510", "511", "512", "513", "515", "517", "517"),
    Grade.SATISFIED: ("406", "408", "410", "411", "413"),
    Grade.BASICALLY_SATISFIED: ("307", "309", "310", "314"),
    Grade.DISSATISFIED: ("207", "209", "210", "213", "214"),
    Grade.VERY_DISSATISFIED: ("108", "110", "113", "115"),
}
SAID: Final[Mapping[Grade, Sequence[str]]] = {
    Grade.DISSATISFIED: (
        "材料清单没有一次说清，来回跑了三趟。",
        "说好三个工作日，第六天才办好，也没人告知。",
        "窗口人员对业务不熟，问了三次才说清楚。",
        "网上预约了，到现场还要重新取号排队。",
    ),
    Grade.VERY_DISSATISFIED: (
        "态度很差，问两句就不耐烦，让我自己看墙上的指南。",
        "要我交指南上没有的证明，问依据又说不出来。",
        "在两个窗口之间来回推，半天没有人受理。",
    ),
}
CHANNELS: Final[Mapping[ReviewChannel, int]] = {
    ReviewChannel.TABLET: 55, ReviewChannel.QR: 30, ReviewChannel.MOBILE: 10, ReviewChannel.TERMINAL: 5,
}  # fmt: skip
IN_THE_HALL: Final = frozenset({ReviewChannel.TABLET, ReviewChannel.TERMINAL})
"""Where people rate on a device of the hall, at once; on their own they take their time."""
BURST: Final = 8
BURSTS: Final = 3
MOST_DAYS: Final = 6
"""After so many days nobody remembers to rate: the time to rate is a week."""


class Kind(StrEnum):
    """In what way a visit is out of the ordinary."""

    PLAIN = "plain"
    WRITTEN_DOWN = "written_down"
    HURRIED = "hurried"
    BURST = "burst"


KINDS: Final[Mapping[Kind, int]] = {Kind.PLAIN: 1_970, Kind.WRITTEN_DOWN: 20, Kind.HURRIED: 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What somebody said of a visit, when (UTC), and by what; `device` is what a device is known by."""

    at: datetime
    grade: Grade
    codes: tuple[Code, ...]
    text: str | None
    named: bool
    channel: ReviewChannel
    device: UUID | None
    input_ms: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody was served at a window until a moment (UTC), and rated it or did not."""

    number: int
    served_at: datetime
    seconds: int
    window: Code
    department: Code
    item: Code | None
    rating: Rating | None

    @property
    def project_no(self) -> Code:
        """The number of the case in the case system."""
        return f"37GXQ{self.served_at.year}{self.number:06d}"

    @property
    def stream(self) -> UUID:
        """The stream of the visit."""
        return stream(self.project_no, 1)

    @property
    def review(self) -> UUID:
        """The stream of its rating."""
        return review_of(self.stream)

    def command_id(self, step: str) -> UUID:
        """Give the id of a step, the same in every telling."""
        return uuid5(DEMO, f"visit:{self.number}:{step}")


def visits(hall: Hall, office: Office, *, seed: str, number: int = VISITS) -> list[Visit]:
    """Give the visits until the office's `now`, in the order of time; the same seed gives the same."""
    chance = random.Random(f"{seed}:visits")  # noqa: S311 - a tale, no secret
    windows = [window for department in hall.departments for window in hall.windows_of(department)]
    # Some windows serve many times as many people as others, always the same ones.
    traffic = list(accumulate(chance.paretovariate(1.5) for _ in windows))
    found: list[Visit] = []
    for place, served_at in enumerate(_moments(office, chance, number), 1):
        window = chance.choices(windows, cum_weights=traffic)[0]
        department = window.department or ""
        items = hall.items_of(department)
        item = chance.choice(items).code if items and chance.random() < 0.9 else None  # noqa: PLR2004 - nine of ten
        rating = _rating(served_at, window.code, chance)
        # Some will not say it in their own name, some not at all, and nobody has said yet what is still to come.
        if rating is not None and rating.at > office.now:
            rating = None
        found.append(
            Visit(
                number=place,
                served_at=served_at,
                seconds=int(chance.lognormvariate(6.2, 0.6)),
                window=window.code,
                department=department,
                item=item,
                rating=rating,
            )
        )
    for _ in range(BURSTS if number > BURST else 0):
        for place, one in _burst(found, chance).items():
            found[place] = one
    return found


def _moments(office: Office, chance: random.Random, number: int) -> list[datetime]:
    days = [day for day in office.days if office.calendar.worked(day)]
    weights = list(accumulate(BY_WEEKDAY[day.weekday()] for day in days))
    hours, shares = list(BY_HOUR), list(accumulate(BY_HOUR.values()))
    opening = office.hours.periods
    found: set[datetime] = set()
    while len(found) < number:
        day = chance.choices(days, cum_weights=weights)[0]
        minute = chance.choices(hours, cum_weights=shares)[0] * 60 + chance.randrange(60)
        moment = office.local(day, minute) + timedelta(seconds=chance.randrange(60))
        if office.first <= moment <= office.now and any(opens <= minute < closes for opens, closes in opening):
            found.add(moment)
    return sorted(found)


def _rating(served_at: datetime, window: Code, chance: random.Random) -> Rating | None:
    if chance.random() < UNRATED:
        return None
    kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    grade = chance.choices(list(GRADES), weights=list(GRADES.values()))[0]
    channel = chance.choices(list(CHANNELS), weights=list(CHANNELS.values()))[0]
    if kind is Kind.HURRIED:
        grade, channel = Grade.VERY_SATISFIED, ReviewChannel.TABLET
    if kind is Kind.WRITTEN_DOWN:
        channel = ReviewChannel.OTHER
    at_once = channel in IN_THE_HALL or kind is Kind.WRITTEN_DOWN
    wait = timedelta(seconds=chance.randint(20, 240)) if at_once else timedelta(minutes=chance.lognormvariate(3.5, 2.0))
    device = uuid5(DEMO, f"device:{window}" if at_once else f"phone:{served_at.isoformat()}")
    said = SAID.get(grade)
    return Rating(
        at=served_at + min(wait, timedelta(days=MOST_DAYS)),
        grade=grade,
        codes=tuple(sorted(set(chance.choices(CODES[grade], k=chance.choice((1, 1, 1, 2)))))),
        text=None if said is None or chance.randrange(3) == 0 else chance.choice(said),
        named=chance.randrange(5) > 0,
        channel=channel,
        device=None if kind is Kind.WRITTEN_DOWN else device,
        input_ms=chance.randint(400, 1500) if kind is Kind.HURRIED else chance.randint(4_000, 60_000),
        kind=kind,
    )


def _burst(visits: Sequence[Visit], chance: random.Random) -> dict[int, Visit]:
    """Give, by their places, some visits that follow each other and seem rated by one hand (domain.md §9.3)."""
    start = chance.randrange(len(visits) - BURST)
    first = visits[start]
    device = uuid5(DEMO, f"burst:{first.number}")
    changed = {}
    for place in range(start, start + BURST):
        # One after the other, so that they still stand in the order of time.
        served_at = first.served_at + timedelta(seconds=place - start)
        rating = Rating(
            at=served_at + timedelta(seconds=40 + 20 * (place - start)),
            grade=Grade.VERY_SATISFIED,
            codes=("510",),
            text=None,
            named=False,
            channel=ReviewChannel.TABLET,
            device=device,
            input_ms=900,
            kind=Kind.BURST,
        )
        changed[place] = replace(
            visits[place],
            served_at=served_at,
            window=first.window,
            department=first.department,
            item=first.item,
            rating=rating,
        )
    return changed
