"""Sites, departments, windows, items, posts, and who held them when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar, assert_never, get_args
from uuid import UUID, uuid5

from domain.decider import NAMESPACE, Code, Command, Decider, Event, For, Instant, PersonKey, PublicName, Role
from domain.errors import AlreadyThere, NotYourRole, OutOfTurn, OwnAppointment, UnknownReference

STREAM: Final[UUID] = uuid5(NAMESPACE, "register")


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


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAdded(Event):
    """A service site was entered."""

    entry: Site


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentAdded(Event):
    """A department was entered."""

    entry: Department


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAdded(Event):
    """A service counter was entered."""

    entry: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAdded(Event):
    """A service item was entered."""

    entry: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class PostAdded(Event):
    """A post was created."""

    entry: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTaken(Event):
    """A person took a post."""

    post: Code
    person: PersonKey
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLeft(Event):
    """A person left a post."""

    post: Code
    person: PersonKey
    until: Instant


RegisterEvent: TypeAlias = SiteAdded | DepartmentAdded | WindowAdded | ItemAdded | PostAdded | PostTaken | PostLeft


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Command):
    """Enter a site, a department, a window, an item or a post."""

    entry: Site | Department | Window | Item | Post


@dataclass(frozen=True, slots=True, kw_only=True)
class TakePost(Command):
    """Give a post to a person, from now on."""

    post: Code
    person: PersonKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavePost(Command):
    """Take a post from a person, from now on."""

    post: Code
    person: PersonKey


RegisterCommand: TypeAlias = Add | TakePost | LeavePost


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """A person in a post, from `since` (inclusive) until `until` (exclusive), UTC."""

    post: Code
    person: PersonKey
    since: datetime
    until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Say whether the person held the post at `moment`."""
        return self.since <= moment and (self.until is None or moment < self.until)


T = TypeVar("T")


def _empty() -> Mapping[Code, T]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Everything entered so far; entries are never removed, tenures end."""

    sites: Mapping[Code, Site] = field(default_factory=_empty)
    departments: Mapping[Code, Department] = field(default_factory=_empty)
    windows: Mapping[Code, Window] = field(default_factory=_empty)
    items: Mapping[Code, Item] = field(default_factory=_empty)
    posts: Mapping[Code, Post] = field(default_factory=_empty)
    tenures: tuple[Tenure, ...] = ()

    def held_by(self, person: PersonKey, at: datetime) -> tuple[Post, ...]:
        """Give the posts a person held at a moment (UTC)."""
        return tuple(self.posts[t.post] for t in self.tenures if t.person == person and t.covers(at))

    def holds(self, person: PersonKey, post: Code, at: datetime) -> bool:
        """Say whether the person held the post at a moment (UTC)."""
        return any(t.post == post and t.person == person and t.covers(at) for t in self.tenures)

    def serves(self, person: PersonKey, window: Code, at: datetime) -> bool:
        """Say whether the person held a post at the window at a moment (UTC)."""
        return any(post.window == window for post in self.held_by(person, at))

    def below(self, site: Code) -> frozenset[Code]:
        """Give a site with everything below it."""
        found = {site}
        while more := {s.code for s in self.sites.values() if s.parent in found} - found:
            found |= more
        return frozenset(found)

    def heads(self, department: Code, at: datetime) -> frozenset[PersonKey]:
        """Give the heads of a department at a moment (UTC)."""
        headed = {p.code for p in self.posts.values() if p.role is Role.UNIT_HEAD and p.department == department}
        return frozenset(t.person for t in self.tenures if t.post in headed and t.covers(at))


def decide(register: Register, command: RegisterCommand, _facts: object = None) -> list[RegisterEvent | For]:
    """Answer a change of the register; the same entry twice is nothing new.

    Raises NotYourRole, AlreadyThere, UnknownReference, OutOfTurn, OwnAppointment.
    """
    if command.by.role not in {Role.ADMINISTRATOR, Role.SYSTEM}:
        raise NotYourRole(role=command.by.role)
    match command:
        case Add():
            return _add(register, command)
        case TakePost(at=at, by=by, post=post, person=person):
            _known(register.posts, post, "post")
            if register.holds(person, post, at):
                return []
            # Or an administrator, who sees no case, could come to see every one.
            if by.role is not Role.SYSTEM and person in by.persons:
                raise OwnAppointment(post=post)
            return [PostTaken(at=at, by=by, post=post, person=person, since=at)]
        case LeavePost(at=at, by=by, post=post, person=person):
            _known(register.posts, post, "post")
            if not register.holds(person, post, at):
                raise OutOfTurn(post=post)
            return [PostLeft(at=at, by=by, post=post, person=person, until=at)]
        case _:
            assert_never(command)


def _known(entries: Mapping[Code, object], code: Code | None, kind: str) -> None:
    if code is not None and code not in entries:
        raise UnknownReference(kind=kind, value=code)


def _add(register: Register, command: Add) -> list[RegisterEvent | For]:
    at, by = command.at, command.by
    there: Entry | None
    event: RegisterEvent
    match command.entry:
        case Site() as site:
            _known(register.sites, site.parent, "site")
            there, event = register.sites.get(site.code), SiteAdded(at=at, by=by, entry=site)
        case Department() as department:
            _known(register.sites, department.site, "site")
            _known(register.departments, department.upper, "department")
            there, event = register.departments.get(department.code), DepartmentAdded(at=at, by=by, entry=department)
        case Window() as window:
            _known(register.sites, window.site, "site")
            _known(register.departments, window.department, "department")
            there, event = register.windows.get(window.code), WindowAdded(at=at, by=by, entry=window)
        case Item() as item:
            _known(register.departments, item.department, "department")
            there, event = register.items.get(item.code), ItemAdded(at=at, by=by, entry=item)
        case Post() as post:
            _known(register.sites, post.site, "site")
            _known(register.departments, post.department, "department")
            _known(register.windows, post.window, "window")
            there, event = register.posts.get(post.code), PostAdded(at=at, by=by, entry=post)
        case _:
            assert_never(command.entry)
    if there is None:
        return [event]
    if there == command.entry:
        return []
    raise AlreadyThere(value=command.entry.code)


def _with(entries: Mapping[Code, T], code: Code, entry: T) -> Mapping[Code, T]:
    return MappingProxyType({**entries, code: entry})


def evolve(register: Register, event: RegisterEvent) -> Register:
    """Take one event in; never refuses."""
    match event:
        case SiteAdded(entry=site):
            return replace(register, sites=_with(register.sites, site.code, site))
        case DepartmentAdded(entry=department):
            return replace(register, departments=_with(register.departments, department.code, department))
        case WindowAdded(entry=window):
            return replace(register, windows=_with(register.windows, window.code, window))
        case ItemAdded(entry=item):
            return replace(register, items=_with(register.items, item.code, item))
        case PostAdded(entry=post):
            return replace(register, posts=_with(register.posts, post.code, post))
        case PostTaken(post=code, person=person, since=since):
            return replace(register, tenures=(*register.tenures, Tenure(post=code, person=person, since=since)))
        case PostLeft(post=code, person=person, until=until):
            ended = tuple(
                replace(t, until=until) if (t.post, t.person, t.until) == (code, person, None) else t
                for t in register.tenures
            )
            return replace(register, tenures=ended)
        case _:
            assert_never(event)


REGISTER: Final[Decider[Register, RegisterCommand, RegisterEvent, object]] = Decider(
    "register", Register(), decide, evolve, get_args(RegisterEvent)
)
