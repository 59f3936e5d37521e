"""What stands in the register: codes that never change their meaning, with public names in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.decider import Code, PublicName, Role


class EntryKind(StrEnum):
    """What an entry is of."""

    SITE = "site"
    DEPARTMENT = "department"
    WINDOW = "window"
    ITEM = "item"
    POST = "post"


class SiteLevel(StrEnum):
    """The level of a service site, from the district centre down to the micro-station."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    MICRO_STATION = "micro_station"


class WindowKind(StrEnum):
    """What a service counter is for."""

    SERVICE = "service"
    INTEGRITY = "integrity_window"
    STUCK_CASE = "stuck_case_window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the register: a code that never changes its meaning, and public names in two languages."""

    code: Code
    name_zh: PublicName
    name_en: PublicName


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Entry):
    """A service site; a village is a community."""

    level: SiteLevel
    parent: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Department(Entry):
    """A department at a site; `upper` is the unit above it."""

    site: Code
    upper: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Entry):
    """A service counter."""

    site: Code
    department: Code | None = None
    kind: WindowKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Entry):
    """A service item; its promised time is in working days."""

    department: Code
    promised_working_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Entry):
    """A post: a role at a site, perhaps in a department or at a window."""

    role: Role
    site: Code
    department: Code | None = None
    window: Code | None = None
