"""Eight months of the synthetic hall: who complained, when, about what; the same seed tells the same story."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final
from uuid import UUID

from domain.complaint.intake import Channel, Vulnerable
from domain.deadlines import Calendar
from domain.decider import Code
from domain.handling import HALL_ZONE
from service import profiles
from service.demo.hall import BUSINESS, CENTRE, OFFICE, STREETS, Hall, Phrases
from service.demo.office import NEVER, Office
from service.demo.plots import Twist, twist_of
from service.demo.scenes import Opening, Scene
from service.demo.telling import Telling
from service.forms.intake import RegisterForm, RespondentForm

SEED: Final = "bihuan"
COMPLAINTS: Final = 300
SPAN: Final = timedelta(days=366)
"""A year, from when rules, register and posts hold and visits are told."""
MONTHS: Final = timedelta(days=244)
"""Eight months, in which people complained."""
QUIET: Final = timedelta(hours=12)
"""Between adopting the rules and the first complaint, at least."""

BY_WEEKDAY: Final = (1.35, 1.15, 1.0, 0.95, 0.95, 0.8, 0.8)
"""Monday brings most; Saturday and Sunday as far as they are worked."""
RESTING: Final = 0.3
"""On a day of rest only the web answers."""
BY_HOUR: Final[Mapping[int, float]] = {
    0: 0.05, 6: 0.1, 7: 0.3, 8: 0.8, 9: 1.5, 10: 1.7, 11: 1.1, 12: 0.5, 13: 0.6, 14: 1.3, 15: 1.6, 16: 1.2, 17: 0.7,
    18: 0.3, 19: 0.35, 20: 0.5, 21: 0.45, 22: 0.25, 23: 0.1,
}  # fmt: skip
CHANNELS: Final[Mapping[Channel, int]] = {
    Channel.WINDOW: 40, Channel.WEB: 26, Channel.PHONE: 17, Channel.LETTER_BOX: 7, Channel.VISIT: 6, Channel.OTHER: 4,
}  # fmt: skip
CATEGORIES: Final[Mapping[Code, int]] = {
    "NO_ONE_TIME_NOTICE": 16, "OVERTIME": 13, "ATTITUDE": 13, "SHIRK": 9, "STUCK_CASE": 9, "TIME_LIMIT": 8,
    "EXTRA_MATERIAL": 8, "INACTION": 6, "ABSENCE": 5, "FACILITY": 5, "FEE": 3, "MISCONDUCT": 3, "OTHER": 4,
    "POLICY_COMMITMENT": 2, "REVIEW_COERCION": 2, "CONTRACT": 1, "ARREARS": 1, "RENT_SEEKING": 1, "RETALIATION": 1,
}  # fmt: skip
OF_THE_OFFICE: Final = frozenset({"FACILITY", "OTHER", "REVIEW_COERCION"})
STUCK_CASES: Final[Code] = "W24"
GRAVE: Final = ("RENT_SEEKING", "RETALIATION")
TAKEN_BY: Final[Mapping[Channel, Code]] = {
    Channel.PHONE: "intake-W02",
    Channel.LETTER_BOX: "intake-W02",
    Channel.VISIT: "intake-W01",
    Channel.OTHER: "intake-W01",
}
"""Who writes down what does not come to a window."""


def begin(now: datetime) -> datetime:
    """Give the moment (UTC) from which rules, register and posts hold."""
    return now - SPAN


def opened(now: datetime, calendar: Calendar) -> Office:
    """Give the opening hours from the first complaint on."""
    return Office(calendar, profiles.office_hours("hall"), HALL_ZONE, now - MONTHS + QUIET, now)


def served(now: datetime, calendar: Calendar) -> Office:
    """Give the opening hours from the first visit on."""
    return Office(calendar, profiles.office_hours("hall"), HALL_ZONE, begin(now) + QUIET, now)


def story(hall: Hall, office: Office, *, seed: str = SEED, complaints: int = COMPLAINTS) -> list[Scene]:
    """Tell everything that happened until the office's `now`, in the order of time."""
    scenes: list[Scene] = []
    told: list[RegisterForm] = []
    for number, moment in enumerate(moments(office, random.Random(seed), complaints), 1):  # noqa: S311 - a tale, no secret
        chance = random.Random(f"{seed}:{number}")  # noqa: S311 - a tale, no secret
        twist = twist_of(number, complaints - number)
        opening = Intake(hall, office, number, twist, chance).opening(moment, told)
        told.append(opening.form)
        scenes += Telling(office, hall, opening, twist, chance).tell()
    return sorted(scenes, key=lambda scene: scene.moment)


def moments(office: Office, chance: random.Random, number: int) -> list[datetime]:
    """Give when people complained: most on Monday mornings, more from month to month as the windows become known."""
    weights = list(
        accumulate(
            (BY_WEEKDAY[day.weekday()] if office.calendar.worked(day) else RESTING) * (1 + 2 * place / len(office.days))
            for place, day in enumerate(office.days)
        )
    )
    hours, shares = list(BY_HOUR), list(accumulate(BY_HOUR.values()))
    found: set[datetime] = set()
    while len(found) < number:
        day = chance.choices(office.days, cum_weights=weights)[0]
        minute = chance.choices(hours, cum_weights=shares)[0] * 60 + chance.randrange(60)
        moment = office.local(day, minute) + timedelta(seconds=chance.randrange(60))
        if office.first <= moment <= office.now:
            found.add(moment)
    return sorted(found)


class Intake:
    """How a complaint comes in."""

    def __init__(self, hall: Hall, office: Office, number: int, twist: Twist, chance: random.Random) -> None:
        """Everything it needs is drawn from `chance`."""
        self._hall = hall
        self._office = office
        self._number = number
        self._twist = twist
        self._chance = chance

    def opening(self, moment: datetime, earlier: Sequence[RegisterForm]) -> Opening:
        """Give the registration at about this moment; `earlier` was told before."""
        chance = self._chance
        channel = self._channel(moment)
        if channel is not Channel.WEB:
            # Whoever writes it down does so in opening hours; a letter waits until the box is opened.
            written = self._office.after(moment, chance.randint(1, 25), chance.randrange(60))
            moment, channel = (moment, Channel.WEB) if written == NEVER else (written, channel)
        category = self._category()
        department = self._department(category)
        window = self._window(department)
        intake = self._intake(channel, category)
        item = chance.choice(self._hall.items_of(department)) if self._likely(0.8) else None
        phrases = Phrases(
            chance,
            item="一件事" if item is None else item.name_zh,
            window="窗口" if window is None else self._hall.windows[window].name_zh,
            department=self._hall.departments[department].name_zh,
            days=str(chance.randint(6, 40)),
            times=str(chance.randint(2, 5)),
            minutes=str(chance.randint(40, 190)),
        )
        points = chance.choice((1, 1, 1, 2, 2, 3))
        anonymous = self._twist is Twist.ANONYMOUS or self._likely(0.05)
        post = None if intake is None else self._hall.posts[intake]
        form = RegisterForm(
            hall=CENTRE if post is None else post.site,
            narrative=self._narrative(phrases, category, channel, points),
            subject=phrases.one("subjects", category),
            desired_outcome=phrases.one("telling", "wishes") if self._likely(0.5) else None,
            name=None if anonymous else phrases.name(),
            phone=None if self._twist is Twist.ANONYMOUS else f"138000{self._number:05d}",
            anonymous=anonymous,
            channel=channel,
            window=None if post is None else post.window,
            category=category if self._likely(0.7) else None,
            respondent=RespondentForm(department=department, window=window, staff=self._somebody(window)),
            item=None if item is None else item.code,
            project_no=f"1501-{moment:%Y}-{chance.randrange(10**6):06d}" if self._likely(0.4) else None,
            vulnerable=(chance.choice(list(Vulnerable)),) if self._likely(0.08) else (),
            points=points,
            happened_at=moment - timedelta(minutes=chance.randint(20, 12_000)) if self._likely(0.55) else None,
            sealed_from_desk=self._twist is Twist.SEALED,
        )
        if self._twist is Twist.TOLD_AGAIN:
            form = self._again(form, earlier)
        return Opening(
            number=self._number, moment=moment, post=intake, form=form, category=category, department=department
        )

    def _likely(self, share: float) -> bool:
        return self._chance.random() < share

    def _channel(self, moment: datetime) -> Channel:
        if self._twist is Twist.BY_RESPONDENT:
            return Channel.WINDOW
        if not self._office.calendar.worked(self._office.day(moment)):
            return Channel.WEB
        return self._chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]

    def _category(self) -> Code:
        if self._twist is Twist.SEALED:
            return self._chance.choice(GRAVE)
        return self._chance.choices(list(CATEGORIES), list(CATEGORIES.values()))[0]

    def _department(self, category: Code) -> Code:
        if self._twist is Twist.OWN_WORK:
            return "SP"
        if self._twist is Twist.BY_RESPONDENT or (
            category in OF_THE_OFFICE and self._twist is not Twist.ABOUT_SOMEBODY
        ):
            return OFFICE
        known = [name for name in BUSINESS if name != OFFICE] if self._twist is Twist.ABOUT_SOMEBODY else list(BUSINESS)
        return self._chance.choices(known, [BUSINESS[name] for name in known])[0]

    def _window(self, department: Code) -> Code | None:
        if self._twist is Twist.BY_RESPONDENT:
            return STUCK_CASES
        windows = self._hall.windows_of(department)
        if not windows or not (self._twist is Twist.ABOUT_SOMEBODY or self._likely(0.75)):
            return None
        return self._chance.choice(windows).code

    def _somebody(self, window: Code | None) -> UUID | None:
        """Give the clerk of the window, where it is about them and not only about the window."""
        return self._hall.cast[f"clerk-{window}"] if self._twist is Twist.ABOUT_SOMEBODY else None

    def _intake(self, channel: Channel, category: Code) -> Code | None:
        if channel is Channel.WEB:
            return None
        if channel is not Channel.WINDOW:
            return TAKEN_BY[channel]
        if self._twist is Twist.BY_RESPONDENT or (category == "STUCK_CASE" and self._likely(0.8)):
            return f"intake-{STUCK_CASES}"
        if self._likely(0.12):
            return f"intake-{self._chance.choice(STREETS)}"
        return self._chance.choice(("intake-W01", "intake-W01", "intake-W02"))

    def _narrative(self, phrases: Phrases, category: Code, channel: Channel, points: int) -> str:
        facts = [phrases.one("facts", category)]
        while len(facts) < points:
            other = self._chance.choices(list(CATEGORIES), list(CATEGORIES.values()))[0]
            facts.append(phrases.one("telling", "joining") + phrases.one("facts", other))
        parts = [
            phrases.one("opening", channel),
            *facts,
            *phrases.some("telling", "feelings", self._chance.randint(0, 3)),
        ]
        if self._likely(0.6):
            parts.append(phrases.one("telling", "wishes"))
        text = "".join(parts) + phrases.one("telling", "endings")
        # What people write in paragraphs is kept in paragraphs.
        return text.replace("。", "。\n", 1) if channel in {Channel.WEB, Channel.LETTER_BOX} else text

    def _again(self, form: RegisterForm, earlier: Sequence[RegisterForm]) -> RegisterForm:
        """Give the same story of the same person once more."""
        known = [one for one in earlier[-60:] if one.name and one.phone]
        if not known:
            return form
        before = self._chance.choice(known)
        same = {"name": before.name, "phone": before.phone, "points": before.points}
        return form.model_copy(update={**same, "narrative": before.narrative + "前次反映后至今没有结果，再次投诉。"})
