"""The profiles that come with the program: limits, lists and permissions as data, and the first working calendar."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from typing import Annotated, Final, Literal, Self, get_args
from zoneinfo import available_timezones

import chinese_calendar
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.deadlines import (
    DECEMBER,
    CalendarDay,
    CalendarYear,
    Counting,
    Cutoff,
    DayKind,
    LastDay,
    Layer,
    OfficeHours,
    Term,
    Unit,
)
from domain.decider import Code, Role
from domain.rulebook import Escalation, Level, Number, Stuck, When
from service.profiles.vocabulary import Command, ListName, Starts, Step

NAMES: Final = ("hall", "petition", "lgsco", "ledger")
"""The profiles there are: each is a file `<name>.toml` beside this one."""

NATION: Final = "CN"
LIBRARY: Final = "chinesecalendar"

# The library does not say when a notice was published; this is the one that was read (domain.md §4.1, item 4).
PUBLISHED: Final = {2026: date(2025, 11, 4)}


class ProfileError(ValueError):
    """A profile cannot be used as it stands; the message says where and what to write instead."""


class NotPublished(LookupError):
    """There is no calendar of a year yet: its days stay unknown."""


class _Entry(BaseModel):
    """A table of a profile file, in which nothing unknown may stand."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Limit(_Entry):
    """One limit: every respect is written down, none has a default (domain.md F4)."""

    starts: Starts
    amount: Annotated[int, Field(ge=0)]
    unit: Annotated[Unit, Field(strict=False)]
    counting: Annotated[Counting, Field(strict=False)]
    last_day: Annotated[LastDay, Field(strict=False)]
    cutoff: Annotated[Cutoff, Field(strict=False)]
    source: Code

    def term(self, key: Code) -> Term:
        return Term(
            key=key,
            amount=self.amount,
            unit=self.unit,
            counting=self.counting,
            last_day=self.last_day,
            cutoff=self.cutoff,
            source=self.source,
        )


Clock = Annotated[str, Field(pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""A local time of day, `HH:MM`; `24:00` is the end of the day."""


class _OfficeHours(_Entry):
    """When the office is open on every working day: pairs of local times."""

    periods: list[Annotated[tuple[Clock, Clock], Field(strict=False)]]

    def hours(self) -> OfficeHours:
        return OfficeHours(periods=tuple((_minute(opens), _minute(closes)) for opens, closes in self.periods))


class _Extension(_Entry):
    """How often a round may be extended, and whether a request made in time may be decided after the deadline."""

    per_round: Annotated[int, Field(ge=0)]
    approve_after_request_ok: bool


class _Level(_Entry):
    """When a case is brought before somebody: so long before or after its deadline, perhaps after reminders."""

    amount: Annotated[int, Field(ge=0)]
    unit: Literal["working_day", "natural_day"]
    when: Annotated[When, Field(strict=False)]
    # A limit is reminded of once.
    reminders: Annotated[int, Field(ge=0, le=1)]
    source: Code

    def level(self) -> Level:
        return Level(
            amount=self.amount, unit=Unit(self.unit), when=self.when, reminders=self.reminders, source=self.source
        )


class _Stuck(_Entry):
    """How often a case may be sent back, or sent on without a lead, before it is brought before the highest level."""

    reworks: Annotated[int, Field(ge=1)]
    forwards_without_lead: Annotated[int, Field(ge=1)]
    categories: list[Code]
    source: Code


class _Escalation(_Entry):
    """The reminder and the three levels of supervision."""

    remind: _Level
    l1: _Level
    l2: _Level
    l3: _Stuck

    def escalation(self) -> Escalation:
        stuck = Stuck(
            reworks=self.l3.reworks,
            forwards_without_lead=self.l3.forwards_without_lead,
            categories=tuple(self.l3.categories),
            source=self.l3.source,
        )
        return Escalation(remind=self.remind.level(), l1=self.l1.level(), l2=self.l2.level(), l3=stuck)


class _Number(_Entry):
    """A threshold or a share, whole; what it counts stands in its name."""

    value: Annotated[int, Field(ge=0)]
    source: Code


class Document(_Entry):
    """A whole profile, as its file holds it."""

    id: Code
    version: Annotated[int, Field(ge=1)]
    zone: Code
    due: Literal["computed", "unknown"]
    timers: bool
    attempts_required: Annotated[int, Field(ge=1)]
    attempt_days_required: Annotated[int, Field(ge=1)]
    office_hours: _OfficeHours
    required_steps: dict[Step, bool]
    lists: dict[ListName, list[Code]]
    may: dict[Command, list[Annotated[Role, Field(strict=False)]]]
    extension: _Extension | None = None
    escalation: _Escalation | None = None
    terms: dict[Code, _Limit]
    numbers: dict[Code, _Number] = Field(default_factory=dict)

    def thresholds(self) -> tuple[Number, ...]:
        """Give the numbers as the rules keep them."""
        return tuple(Number(key=key, value=one.value, source=one.source) for key, one in self.numbers.items())

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse what every part allows and the whole does not."""
        if self.zone not in available_timezones():
            raise ValueError(f"zone {self.zone} is unknown; write one such as Asia/Shanghai")
        if missing := set(get_args(Step)) - self.required_steps.keys():
            raise ValueError(f"required_steps lacks {', '.join(sorted(missing))}; write true or false for each")
        if missing := set(get_args(ListName)) - self.lists.keys():
            raise ValueError(f"lists lacks {', '.join(sorted(missing))}; an empty list is written []")
        if self.due == "unknown" and self.timers:
            raise ValueError("timers cannot follow deadlines that are unknown; write timers = false")
        if self.attempt_days_required > self.attempts_required:
            raise ValueError("attempt_days_required is more than attempts_required can reach")
        for key, limit in self.terms.items():
            limit.term(key)
        self.office_hours.hours()
        return self


def parse(name: str, text: str) -> dict[str, object]:
    """Read the text of a profile called `name` into plain tables, checked to the last key.

    Raises ProfileError for text that is not TOML, unknown or missing keys, wrong units, and what contradicts itself.
    """
    _checked(name, text)
    return tomllib.loads(text)


def read(name: str) -> dict[str, object]:
    """Read a profile that comes with the program: `hall`, `petition`, `lgsco` or `ledger`. Raises ProfileError."""
    return parse(name, _text(name))


def document(name: str) -> Document:
    """Read a profile that comes with the program, checked, with its parts as they are. Raises ProfileError."""
    return _checked(name, _text(name))


def terms(name: str) -> tuple[Term, ...]:
    """Give the limits of a profile, in the order of the file. Raises ProfileError."""
    return tuple(limit.term(key) for key, limit in _checked(name, _text(name)).terms.items())


def office_hours(name: str) -> OfficeHours:
    """Give the opening hours of a profile. Raises ProfileError."""
    return _checked(name, _text(name)).office_hours.hours()


def calendar_from_library(years: Iterable[int]) -> tuple[CalendarYear, ...]:
    """Give the national calendars of the years asked for, as the library knows them (2004 to 2026 in its release 1.11).

    A named day of December belongs to the notice of the year after. Raises NotPublished for a year without a notice.
    """
    notices: dict[int, dict[date, DayKind]] = {}
    for named, kind in (
        (chinese_calendar.constants.holidays, DayKind.HOLIDAY),
        (chinese_calendar.constants.workdays, DayKind.WORK),
    ):
        for day in named:
            notices.setdefault(day.year + (day.month == DECEMBER), {})[day] = kind
    release = version(LIBRARY)
    asked = sorted(set(years))
    if unknown := [str(year) for year in asked if year not in notices]:
        raise NotPublished(
            f"{LIBRARY} {release} has no calendar of {', '.join(unknown)}, only {min(notices)} to {max(notices)}: "
            "leave it unknown until the notice is published, then adopt it by hand or install a newer release"
        )
    return tuple(
        CalendarYear(
            jurisdiction=NATION,
            layer=Layer.NATIONAL,
            year=year,
            version=1,
            published_at=PUBLISHED.get(year),
            source=f"{LIBRARY}:{release}",
            days=tuple(CalendarDay(day=day, kind=kind) for day, kind in sorted(notices[year].items())),
        )
        for year in asked
    )


def _text(name: str) -> str:
    if name not in NAMES:
        raise ProfileError(f"there is no profile {name!r}; choose one of {', '.join(NAMES)}")
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _checked(name: str, text: str) -> Document:
    try:
        profile = Document.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{name}.toml is not TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ProfileError(f"{name}.toml: {faults}") from error
    if profile.id != name:
        raise ProfileError(f"{name}.toml: id is {profile.id!r}; write id = {name!r}, or rename the file")
    return profile


def _minute(local: str) -> int:
    hour, minute = local.split(":")
    return int(hour) * 60 + int(minute)
