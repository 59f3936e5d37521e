"""What can happen to the register, and what can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.decider import Code, Command, Event, Instant, PersonKey, PublicName
from domain.register.entries import Department, EntryKind, Item, Post, Site, Window

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyAppointed(Event):
    """Somebody stands in for an absent holder of a post (代理), from one moment until another, or until it is ended."""

    post: Code
    absent: PersonKey
    deputy: PersonKey
    since: Instant
    until: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyEnded(Event):
    """Somebody no longer stands in for another."""

    post: Code
    absent: PersonKey
    deputy: PersonKey
    until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(Event):
    """An entry has other names from then on; what was told before keeps the old ones."""

    kind: EntryKind
    entry: Code
    name_zh: PublicName
    name_en: PublicName


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentMerged(Event):
    """A department went into another one, which has its duties from then on."""

    department: Code
    into: Code


RegisterEvent: TypeAlias = (
    SiteAdded
    | DepartmentAdded
    | WindowAdded
    | ItemAdded
    | PostAdded
    | PostTaken
    | PostLeft
    | DeputyAppointed
    | DeputyEnded
    | Renamed
    | DepartmentMerged
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointDeputy(Command):
    """Let somebody stand in for a holder of a post, from now or from `since`, until `until` or without an end (UTC)."""

    post: Code
    absent: PersonKey
    deputy: PersonKey
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeputy(Command):
    """Let a deputy stand in no longer, from now on."""

    post: Code
    absent: PersonKey
    deputy: PersonKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(Command):
    """Give an entry other names, from now on."""

    kind: EntryKind
    entry: Code
    name_zh: PublicName
    name_en: PublicName


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeDepartment(Command):
    """Let a department go into another one, from now on; its cases are handed over by themselves."""

    department: Code
    into: Code


RegisterCommand: TypeAlias = Add | TakePost | LeavePost | AppointDeputy | EndDeputy | Rename | MergeDepartment
