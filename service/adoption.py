"""What a new installation begins with: first rules, a register from a file, the first administrator's post."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from domain import register, rulebook
from domain.deadlines import Layer
from domain.decider import THE_SYSTEM, Code, Command, Decider, Role
from domain.errors import AlreadyThere, Refused, UnknownReference
from domain.register import Add, Department, Item, Post, Register, Site, SiteLevel, Window
from domain.review import DETAILS
from domain.rulebook import AdoptCalendar, AdoptCategories, AdoptCodeSet, AdoptPolicy, Policy, Profile, RulebookCommand
from service import profiles
from service.casebook import Ask, Asked, Casebook
from service.forms.entries import DepartmentForm, ItemForm, PostForm, SiteForm, WindowForm
from service.forms.rules import CategoriesForm, CodeSetForm, policy_of

C = TypeVar("C", bound=Command)

YEARS: Final = range(2004, 2027)
"""The years whose calendars are adopted first: all that are published (domain.md §4.1, F5)."""
ADMIN: Final[Code] = "ADMIN"
FIRST_SITE: Final[Code] = "HALL"

Entry: TypeAlias = Site | Department | Window | Item | Post


class RegisterFileError(ValueError):
    """A register file cannot be loaded; the message names every entry at fault and what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a register file brought: entries that are new, and those that were there already."""

    added: int
    already: int


def policy(name: str) -> Policy:
    """Give the policy of a profile that comes with the program. Raises ProfileError."""
    return policy_of(profiles.document(name))


def categories() -> CategoriesForm:
    """Give the list of categories that comes with the program."""
    text = files(profiles).joinpath("categories.toml").read_text(encoding="utf-8")
    return CategoriesForm.model_validate(tomllib.loads(text))


def code_set() -> CodeSetForm:
    """Give the set of codes for reviewers that comes with the program."""
    text = files(profiles).joinpath(f"{DETAILS}.toml").read_text(encoding="utf-8")
    return CodeSetForm.model_validate(tomllib.loads(text))


def adopt_first(book: Casebook, at: datetime | None = None) -> int:
    """Adopt hall and ledger policy, all published calendars, categories and detail codes; say how many were new.

    Whatever was ever adopted, in any version, stays as it is. `at` (UTC) is when they come into force, by default now:
    a demo or an import lets them begin before its first case. Raises BeforeLast if the rulebook holds later events.
    """
    rules = book.facts().rulebook
    known = {year.year for year in rules.years if (year.layer, year.jurisdiction) == (Layer.NATIONAL, profiles.NATION)}
    moment = _moment(at)
    commands: list[RulebookCommand] = [
        AdoptCalendar(at=moment, by=THE_SYSTEM, calendar=calendar)
        for calendar in profiles.calendar_from_library(set(YEARS) - known)
    ]
    if not rules.categories_version:
        first = categories()
        commands.append(AdoptCategories(at=moment, by=THE_SYSTEM, version=first.version, categories=first.entries()))
    if DETAILS not in rules.code_sets:
        commands.append(AdoptCodeSet(at=moment, by=THE_SYSTEM, code_set=code_set().code_set()))
    # The policies last: no case is promised anything while the calendar it is counted by is on its way.
    commands += [
        AdoptPolicy(at=moment, by=THE_SYSTEM, policy=policy(profile))
        for profile in Profile
        if rules.latest(profile) is None
    ]
    return _give(book, rulebook.RULEBOOK, rulebook.STREAM, commands, "adopt-first", at)


def administration(book: Casebook, site: Code | None = None) -> Code:
    """Give a post for administrators; enter one, and a site in an empty register, where there is none.

    Raises UnknownReference for a site that a register with sites does not have, AlreadyThere where the code of the post
    is taken by another role.
    """
    registered = book.facts().register
    there = [post for post in registered.posts.values() if post.role is Role.ADMINISTRATOR]
    if fitting := [post.code for post in there if site in {None, post.site}]:
        return fitting[0]
    entries: list[Entry] = []
    if not registered.sites:
        first = Site(code=site or FIRST_SITE, name_zh="政务服务大厅", name_en="Service hall", level=SiteLevel.DISTRICT)
        entries.append(first)
        where = first.code
    else:
        where = site or next(one.code for one in registered.sites.values() if one.parent is None)
    code = f"{where}-{ADMIN}" if there else ADMIN
    entries.append(Post(code=code, name_zh="系统管理员", name_en="Administrator", role=Role.ADMINISTRATOR, site=where))
    enter(book, entries)
    return code


def enter(book: Casebook, entries: Iterable[Entry], at: datetime | None = None) -> int:
    """Enter what the register does not have yet, in this order; say how many were new.

    Everything is checked before anything is entered. Raises AlreadyThere, UnknownReference.
    """
    commands = [Add(at=_moment(at), by=THE_SYSTEM, entry=entry) for entry in entries]
    state = book.facts().register
    news: list[Add] = []
    for command in commands:
        decided = register.decide(state, command)
        if decided:
            news.append(command)
            state = register.REGISTER.fold(decided, state)  # type: ignore[arg-type]  # an entry makes no event elsewhere
    return _give(book, register.REGISTER, register.STREAM, news, "enter", at)


def _give(
    book: Casebook,
    decider: Decider[Any, Any, Any, Any],
    stream: UUID,
    commands: Sequence[C],
    name: str,
    at: datetime | None,
) -> int:
    """Give commands in one transaction; say how many changed something. Raises the first refusal."""
    outcomes = book.transact_many(
        decider,
        [
            Ask(stream=stream, command=command, asked=Asked(command_id=uuid4(), source="cli", name=name, moment=at))
            for command in commands
        ],
    )
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            raise outcome
    return sum(bool(done.events) for done in outcomes if not isinstance(done, Refused))


def _moment(at: datetime | None) -> datetime:
    # The casebook sets the time that counts.
    return at or datetime.now(UTC)


def load_register(book: Casebook, name: str, text: str, at: datetime | None = None) -> Loaded:
    """Enter what a register file (TOML, called `name` in messages) holds; again changes nothing.

    The order in the file does not matter. Everything is checked before anything is entered. Raises RegisterFileError.
    """
    entries = read_register(name, text)
    ordered = _in_order(name, entries, book.facts().register)
    added = enter(book, ordered, at)
    return Loaded(added=added, already=len(entries) - added)


class _File(BaseModel):
    """A register file: tables of entries, without persons."""

    model_config = ConfigDict(extra="forbid")
    sites: list[SiteForm] = []
    departments: list[DepartmentForm] = []
    windows: list[WindowForm] = []
    items: list[ItemForm] = []
    posts: list[PostForm] = []


def read_register(name: str, text: str) -> tuple[tuple[str, Entry], ...]:
    """Read the entries of a register file, each with its place for messages. Raises RegisterFileError."""
    try:
        raw = tomllib.loads(text)
        file = _File.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        raise RegisterFileError(f"{name} is not TOML: {error}") from None
    except ValidationError as error:
        faults = [_fault(raw, one["loc"], one["type"], one["msg"]) for one in error.errors()]
        raise RegisterFileError("\n".join(f"{name}: {fault}" for fault in faults)) from None
    return tuple(
        (_place(table, number, form.code), form.entry())
        for table in _File.model_fields
        for number, form in enumerate(getattr(file, table), 1)
    )


def _place(table: str, number: int, code: object) -> str:
    return f"{table} no. {number}" if code is None else f'{table} no. {number} "{code}"'


def _fault(raw: dict[str, Any], loc: tuple[int | str, ...], kind: str, message: str) -> str:
    match loc:
        case (str(table), int(index), *rest):
            entry = raw[table][index]
            place = _place(table, index + 1, entry.get("code") if isinstance(entry, dict) else None)
            said = message.removeprefix("Value error, ")
            return f"{place}: {'.'.join(map(str, rest))}: {said}" if rest else f"{place}: {said}"
        case (table,) if kind == "extra_forbidden":
            return f"{table}: there is no such table; write {', '.join(f'[[{one}]]' for one in _File.model_fields)}"
        case _:
            return f"{loc[0]}: write each entry under its own [[{loc[0]}]]"


def _in_order(name: str, entries: Sequence[tuple[str, Entry]], state: Register) -> list[Entry]:
    """Give the entries so that each comes after those it names. Raises RegisterFileError."""
    waiting, ordered = list(entries), []
    faults: dict[str, str] = {}
    moved = True
    while moved:
        moved = False
        still = []
        for place, entry in waiting:
            try:
                decided = register.decide(state, Add(at=_moment(None), by=THE_SYSTEM, entry=entry))
            except UnknownReference as missing:
                still.append((place, entry))
                faults[place] = _missing(missing, [one for _, one in waiting])
            except AlreadyThere:
                faults[place] = "something else has this code already, here or in the register; choose a new code"
            else:
                faults.pop(place, None)
                state = register.REGISTER.fold(decided, state)  # type: ignore[arg-type]  # no event for elsewhere
                ordered.append(entry)
                moved = True
        waiting = still
    if faults:
        raise RegisterFileError("\n".join(f"{name}: {place}: {fault}" for place, fault in faults.items()))
    return ordered


def _missing(missing: UnknownReference, waiting: Iterable[Entry]) -> str:
    kind, value = missing.facts["kind"], missing.facts["value"]
    if any(type(one).__name__.lower() == kind and one.code == value for one in waiting):
        return f'{kind} "{value}" cannot be entered either; no entry may stand above itself'
    return f'{kind} "{value}" is neither in this file nor in the register; correct the code or add the entry'
