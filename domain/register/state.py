"""The register as it was at any moment: entries, names that changed, who held which post, and who stood in for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from domain.decider import Code, PersonKey, PublicName, Role
from domain.register.entries import Department, Entry, EntryKind, Item, Post, Site, Window


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputyship:
    """Somebody stands in for an absent holder of a post, from `since` (inclusive) until `until` (exclusive), UTC."""

    post: Code
    absent: PersonKey
    deputy: PersonKey
    since: datetime
    until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Say whether the deputy stood in at `moment`."""
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """Names that an entry had until a moment (UTC)."""

    name_zh: PublicName
    name_en: PublicName
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """The department into which another one was merged, and when (UTC)."""

    department: Code
    since: datetime


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
    deputyships: tuple[Deputyship, ...] = ()
    former: Mapping[tuple[EntryKind, Code], tuple[Former, ...]] = field(default_factory=lambda: MappingProxyType({}))
    successors: Mapping[Code, Successor] = field(default_factory=_empty)

    def took(self, person: PersonKey, post: Code, at: datetime) -> bool:
        """Say whether the person held the post in their own right at a moment (UTC)."""
        return any(t.post == post and t.person == person and t.covers(at) for t in self.tenures)

    def absent(self, person: PersonKey, post: Code, at: datetime) -> PersonKey | None:
        """Give for whom a person stood in, in a post not their own, at a moment (UTC); the absent still holds it."""
        standing = (d for d in self.deputyships if (d.post, d.deputy) == (post, person) and d.covers(at))
        found = next((d.absent for d in standing if self.took(d.absent, post, at)), None)
        return None if found is None or self.took(person, post, at) else found

    def holds(self, person: PersonKey, post: Code, at: datetime) -> bool:
        """Say whether the person held the post at a moment (UTC), or stood in there for somebody who does."""
        return self.took(person, post, at) or self.absent(person, post, at) is not None

    def held_by(self, person: PersonKey, at: datetime) -> tuple[Post, ...]:
        """Give the posts a person held at a moment (UTC), and then those in which they stood in for somebody."""
        own = [t.post for t in self.tenures if t.person == person and t.covers(at)]
        lent = [d.post for d in self.deputyships if d.deputy == person and self.absent(person, d.post, at) is not None]
        return tuple(self.posts[code] for code in dict.fromkeys((*own, *lent)))

    def serves(self, person: PersonKey, window: Code, at: datetime) -> bool:
        """Say whether the person held a post at the window, or stood in there, at a moment (UTC)."""
        return any(post.window == window for post in self.held_by(person, at))

    def served(self, person: PersonKey) -> tuple[tuple[Code, datetime, datetime | None], ...]:
        """Give the windows at which a person ever held a post or stood in: from when until when (UTC)."""
        spans = (
            *((t.post, t.since, t.until) for t in self.tenures if t.person == person),
            *((d.post, d.since, d.until) for d in self.deputyships if d.deputy == person),
        )
        return tuple((window, since, until) for code, since, until in spans if (window := self.posts[code].window))

    def entry(self, kind: EntryKind, code: Code) -> Entry | None:
        """Give an entry of any kind."""
        return self.entries(kind).get(code)

    def entries(self, kind: EntryKind) -> Mapping[Code, Entry]:
        """Give all entries of a kind."""
        kinds: dict[EntryKind, Mapping[Code, Entry]] = {
            EntryKind.SITE: self.sites,
            EntryKind.DEPARTMENT: self.departments,
            EntryKind.WINDOW: self.windows,
            EntryKind.ITEM: self.items,
            EntryKind.POST: self.posts,
        }
        return kinds[kind]

    def names(self, entry: Entry, at: datetime | None = None) -> tuple[PublicName, PublicName]:
        """Give the Chinese and the English name that an entry had at a moment (UTC), by default those of now."""
        kind = EntryKind(type(entry).__name__.lower())
        old = self.former.get((kind, entry.code), ()) if at is not None else ()
        found = next((one for one in old if at is not None and at < one.until), entry)
        return found.name_zh, found.name_en

    def successor(self, department: Code, at: datetime) -> Code:
        """Give the department that had the duties of another one at a moment (UTC): itself, unless it was merged."""
        merged = self.successors.get(department)
        return department if merged is None or at < merged.since else self.successor(merged.department, at)

    def below(self, site: Code) -> frozenset[Code]:
        """Give a site with everything below it."""
        found = {site}
        while more := {s.code for s in self.sites.values() if s.parent in found} - found:
            found |= more
        return frozenset(found)

    def heads(self, department: Code, at: datetime) -> frozenset[PersonKey]:
        """Give the heads of a department at a moment (UTC), with whoever stands in for one."""
        headed = {p.code for p in self.posts.values() if p.role is Role.UNIT_HEAD and p.department == department}
        own = {t.person for t in self.tenures if t.post in headed and t.covers(at)}
        standing = {d.deputy for d in self.deputyships if d.post in headed and self.absent(d.deputy, d.post, at)}
        return frozenset(own | standing)
