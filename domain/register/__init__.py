"""What changes in the register: entries, names, departments that merge, who holds a post and who stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar, assert_never, get_args
from uuid import UUID, uuid5

from domain.decider import NAMESPACE, Code, Decider, For, Role
from domain.errors import (
    AlreadyThere,
    DateInPast,
    DepartmentGone,
    NotYourRole,
    OutOfTurn,
    OwnAppointment,
    UnknownReference,
)
from domain.register.changes import (
    Add,
    AppointDeputy,
    DepartmentAdded,
    DepartmentMerged,
    DeputyAppointed,
    DeputyEnded,
    EndDeputy,
    ItemAdded,
    LeavePost,
    MergeDepartment,
    PostAdded,
    PostLeft,
    PostTaken,
    RegisterCommand,
    RegisterEvent,
    Rename,
    Renamed,
    SiteAdded,
    TakePost,
    WindowAdded,
)
from domain.register.entries import Department, Entry, EntryKind, Item, Post, Site, SiteLevel, Window, WindowKind
from domain.register.state import Deputyship, Former, Register, Successor, Tenure

__all__ = [
    "REGISTER",
    "STREAM",
    "Add",
    "AppointDeputy",
    "Department",
    "DepartmentAdded",
    "DepartmentMerged",
    "DeputyAppointed",
    "DeputyEnded",
    "Deputyship",
    "EndDeputy",
    "Entry",
    "EntryKind",
    "Item",
    "ItemAdded",
    "LeavePost",
    "MergeDepartment",
    "Post",
    "PostAdded",
    "PostLeft",
    "PostTaken",
    "Register",
    "RegisterCommand",
    "RegisterEvent",
    "Rename",
    "Renamed",
    "Site",
    "SiteAdded",
    "SiteLevel",
    "TakePost",
    "Tenure",
    "Window",
    "WindowAdded",
    "WindowKind",
    "decide",
    "evolve",
]

STREAM: Final[UUID] = uuid5(NAMESPACE, "register")
T = TypeVar("T")


def decide(register: Register, command: RegisterCommand, _facts: object = None) -> list[RegisterEvent | For]:
    """Answer a change of the register; the same entry twice is nothing new.

    Raises NotYourRole, AlreadyThere, UnknownReference, OutOfTurn, OwnAppointment, DateInPast, DepartmentGone.
    """
    if command.by.role not in {Role.ADMINISTRATOR, Role.SYSTEM}:
        raise NotYourRole(role=command.by.role)
    match command:
        case Add():
            return _add(register, command)
        case TakePost(at=at, by=by, post=post, person=person):
            _known(register.posts, post, "post")
            if register.took(person, post, at):
                return []
            # Or an administrator, who sees no case, could come to see every one.
            if by.role is not Role.SYSTEM and person in by.persons:
                raise OwnAppointment(post=post)
            return [PostTaken(at=at, by=by, post=post, person=person, since=at)]
        case LeavePost(at=at, by=by, post=post, person=person):
            _known(register.posts, post, "post")
            if not register.took(person, post, at):
                raise OutOfTurn(post=post)
            return [PostLeft(at=at, by=by, post=post, person=person, until=at)]
        case AppointDeputy():
            return _appoint(register, command)
        case EndDeputy(at=at, by=by, post=post, absent=absent, deputy=deputy):
            _known(register.posts, post, "post")
            if not _running(register, command, at):
                raise OutOfTurn(post=post)
            return [DeputyEnded(at=at, by=by, post=post, absent=absent, deputy=deputy, until=at)]
        case Rename(at=at, by=by, kind=kind, entry=code, name_zh=chinese, name_en=english):
            there = register.entry(kind, code)
            if there is None:
                raise UnknownReference(kind=kind, value=code)
            if register.names(there) == (chinese, english):
                return []
            return [Renamed(at=at, by=by, kind=kind, entry=code, name_zh=chinese, name_en=english)]
        case MergeDepartment(at=at, by=by, department=department, into=into):
            _known(register.departments, department, "department")
            _known(register.departments, into, "department")
            if register.successors.get(department) is not None and register.successor(department, at) == into:
                return []
            for gone in (department, into):
                if register.successor(gone, at) != gone:
                    raise DepartmentGone(department=gone, into=register.successor(gone, at))
            if department == into:
                raise UnknownReference(kind="department", value=into)
            return [DepartmentMerged(at=at, by=by, department=department, into=into)]
        case _:
            assert_never(command)


def _appoint(register: Register, command: AppointDeputy) -> list[RegisterEvent | For]:
    at, by, post, deputy = command.at, command.by, command.post, command.deputy
    since, until = command.since or at, command.until
    _known(register.posts, post, "post")
    # Nobody stands in for the past: what was done then was done without.
    if since < at or (until is not None and until <= since):
        raise DateInPast(since=since, until=until)
    if not register.took(command.absent, post, at) or register.took(deputy, post, at):
        raise OutOfTurn(post=post)
    if by.role is not Role.SYSTEM and deputy in by.persons:
        raise OwnAppointment(post=post)
    for there in register.deputyships:
        if (there.post, there.deputy) != (post, deputy):
            continue
        if (there.absent, there.since, there.until) == (command.absent, since, until):
            return []
        # Or it could not be told for whom of two somebody acts.
        if (there.until is None or since < there.until) and (until is None or there.since < until):
            raise AlreadyThere(post=post, since=there.since, until=there.until)
    return [DeputyAppointed(at=at, by=by, post=post, absent=command.absent, deputy=deputy, since=since, until=until)]


def _running(register: Register, command: EndDeputy, at: datetime) -> bool:
    """Say whether a deputyship has not ended yet; one that is still to begin can be called off."""
    return any(
        (there.post, there.absent, there.deputy) == (command.post, command.absent, command.deputy)
        and (there.until is None or at < there.until)
        for there in register.deputyships
    )


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
        case DeputyAppointed(post=code, absent=absent, deputy=deputy, since=since, until=until):
            lent = Deputyship(post=code, absent=absent, deputy=deputy, since=since, until=until)
            return replace(register, deputyships=(*register.deputyships, lent))
        case DeputyEnded():
            return replace(register, deputyships=tuple(_cut(one, event) for one in register.deputyships))
        case Renamed():
            return _renamed(register, event)
        case DepartmentMerged(at=at, department=department, into=into):
            merged = Successor(department=into, since=at)
            return replace(register, successors=_with(register.successors, department, merged))
        case _:
            assert_never(event)


def _cut(there: Deputyship, event: DeputyEnded) -> Deputyship:
    same = (there.post, there.absent, there.deputy) == (event.post, event.absent, event.deputy)
    over = there.until is not None and there.until <= event.until
    return replace(there, until=max(there.since, event.until)) if same and not over else there


def _renamed(register: Register, event: Renamed) -> Register:
    there = register.entry(event.kind, event.entry)
    if there is None:
        return register
    anew = replace(there, name_zh=event.name_zh, name_en=event.name_en)
    old = Former(name_zh=there.name_zh, name_en=there.name_en, until=event.at)
    kept = register.former.get((event.kind, event.entry), ())
    former = MappingProxyType({**register.former, (event.kind, event.entry): (*kept, old)})
    changed: dict[str, object] = {f"{event.kind}s": _with(register.entries(event.kind), event.entry, anew)}
    return replace(register, former=former, **changed)  # type: ignore[arg-type]  # each kind has the field of its name


REGISTER: Final[Decider[Register, RegisterCommand, RegisterEvent, object]] = Decider(
    "register", Register(), decide, evolve, get_args(RegisterEvent)
)
