"""Adopted policies, calendars and categories, each with a version: a limit, a list or a role that may act is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never, get_args
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from domain.code_sets import CodeSet, CodeSetRef, whole
from domain.deadlines import Calendar, CalendarYear, OfficeHours, Term, Unit
from domain.decider import NAMESPACE, Code, Command, Decider, Event, For, Instant, PublicName, Role
from domain.errors import AlreadyThere, NotYourRole, OutOfTurn, UnfitPolicy, UnknownReference

STREAM: Final[UUID] = uuid5(NAMESPACE, "rulebook")


class Profile(StrEnum):
    """Under which kind of policy a case runs."""

    HALL = "hall"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Which roles may give one command."""

    command: Code
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """A closed list of reasons or classes."""

    name: Code
    codes: tuple[Code, ...]


class When(StrEnum):
    """On which side of a limit something happens."""

    BEFORE_DUE = "before_due"
    AFTER_DUE = "after_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """When a case is brought before somebody: so long before or after its limit, after so many reminders of it."""

    amount: int
    unit: Unit
    when: When
    reminders: int
    source: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """What brings a case before the highest level whatever its limits.

    Sent back so often, sent on so often without anybody who leads, or of such a category.
    """

    reworks: int
    forwards_without_lead: int
    categories: tuple[Code, ...]
    source: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """The reminder and the three levels of supervision (domain.md §5, `escalate.*`)."""

    remind: Level
    l1: Level
    l2: Level
    l3: Stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A threshold or a share that a policy sets, whole; what it counts stands in its name."""

    key: Code
    value: int
    source: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits and lists of one kind of case; `attempts` is how often, on how many days, before "unreachable".

    A round is extended at most `extensions_per_round` times; `approve_after_request` lets a request made in time be
    approved after the limit is over.
    """

    profile: Code
    version: int
    zone: Code
    office_hours: OfficeHours
    terms: tuple[Term, ...]
    permissions: tuple[Permission, ...]
    lists: tuple[CodeList, ...]
    timers: bool
    attempts_required: int
    attempt_days_required: int
    escalation: Escalation | None = None
    extensions_per_round: int = 0
    approve_after_request: bool = False
    numbers: tuple[Number, ...] = ()

    def number(self, key: Code) -> int | None:
        """Give a threshold or a share by its key."""
        return next((number.value for number in self.numbers if number.key == key), None)

    def term(self, key: Code) -> Term | None:
        """Give a limit by its key."""
        return next((term for term in self.terms if term.key == key), None)

    def codes(self, name: Code) -> tuple[Code, ...]:
        """Give a closed list by its name; one that the policy does not have is empty."""
        return next((listed.codes for listed in self.lists if listed.name == name), ())

    def allows(self, command: Code, role: Role) -> bool:
        """Say whether a role may give a command."""
        return any(p.command == command and role in p.roles for p in self.permissions)

    def zone_info(self) -> ZoneInfo:
        """Give the hall's time zone."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRef:
    """The policy a result was computed by."""

    profile: Code
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One kind of complaint; a subtype names its parent."""

    code: Code
    parent: Code | None = None
    name_zh: PublicName
    name_en: PublicName


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """How a place calls a stretch of the loop: a name over the steps of a case; the events stay the same."""

    code: Code
    name_zh: PublicName
    name_en: PublicName
    steps: tuple[Code, ...]


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAdopted(Event):
    """A policy came into force."""

    policy: Policy
    in_force_from: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarAdopted(Event):
    """A year's calendar, or a correction of one, was adopted."""

    calendar: CalendarYear


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoriesAdopted(Event):
    """The list of categories was adopted."""

    version: int
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesAdopted(Event):
    """Other names for the steps were adopted; an empty list brings our own back."""

    version: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSetAdopted(Event):
    """A set of codes came into force; what was ticked under an earlier one keeps its meaning."""

    code_set: CodeSet


RulebookEvent: TypeAlias = PolicyAdopted | CalendarAdopted | CategoriesAdopted | StagesAdopted | CodeSetAdopted


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptPolicy(Command):
    """Put a policy in force, from now on."""

    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCalendar(Command):
    """Adopt a year's calendar."""

    calendar: CalendarYear


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCategories(Command):
    """Adopt the list of categories."""

    version: int
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptStages(Command):
    """Adopt other names for the steps."""

    version: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCodeSet(Command):
    """Adopt a set of codes."""

    code_set: CodeSet


RulebookCommand: TypeAlias = AdoptPolicy | AdoptCalendar | AdoptCategories | AdoptStages | AdoptCodeSet


def _no_categories() -> Mapping[Code, Category]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Everything adopted so far; nothing is ever taken out. `code_sets` holds the newest of each name."""

    policies: tuple[PolicyAdopted, ...] = ()
    years: tuple[CalendarYear, ...] = ()
    calendar: Calendar = field(default_factory=lambda: Calendar(()))
    categories_version: int = 0
    categories: Mapping[Code, Category] = field(default_factory=_no_categories)
    stages_version: int = 0
    stages: tuple[Stage, ...] = ()
    code_sets: Mapping[Code, CodeSet] = field(default_factory=lambda: MappingProxyType({}))
    every_code_set: Mapping[CodeSetRef, CodeSet] = field(default_factory=lambda: MappingProxyType({}))

    def policy(self, profile: Code, at: datetime) -> Policy | None:
        """Give the policy of a profile in force at a moment (UTC): the last one adopted for it.

        A ledger's policy only measures the past, from before anything was adopted here: its newest holds for all of it.
        """
        if profile == Profile.LEDGER:
            return self.latest(profile)
        return next(
            (e.policy for e in reversed(self.policies) if e.policy.profile == profile and e.in_force_from <= at), None
        )

    def stage(self, step: Code) -> Stage | None:
        """Give the stage a step of a case belongs to here; None where it goes by its own name."""
        return next((stage for stage in self.stages if step in stage.steps), None)

    def latest(self, profile: Code) -> Policy | None:
        """Give the newest policy of a profile."""
        return next((e.policy for e in reversed(self.policies) if e.policy.profile == profile), None)


def decide(rulebook: Rulebook, command: RulebookCommand, _facts: object = None) -> list[RulebookEvent | For]:
    """Answer an adoption: versions rise by one, the same content twice is nothing new.

    Raises NotYourRole, AlreadyThere, OutOfTurn, UnknownReference, UnfitPolicy.
    """
    if command.by.role not in {Role.ADMINISTRATOR, Role.SYSTEM}:
        raise NotYourRole(role=command.by.role)
    match command:
        case AdoptPolicy(at=at, by=by, policy=policy):
            last = rulebook.latest(policy.profile)
            if last == policy:
                return []
            _next(policy.version, last.version if last else 0)
            _fit(policy)
            return [PolicyAdopted(at=at, by=by, policy=policy, in_force_from=at)]
        case AdoptCalendar(at=at, by=by, calendar=calendar):
            if calendar in rulebook.years:
                return []
            same = [
                y.version
                for y in rulebook.years
                if (y.layer, y.jurisdiction, y.year) == (calendar.layer, calendar.jurisdiction, calendar.year)
            ]
            _next(calendar.version, max(same, default=0))
            return [CalendarAdopted(at=at, by=by, calendar=calendar)]
        case AdoptCategories(at=at, by=by, version=version, categories=categories):
            if version == rulebook.categories_version and categories == tuple(rulebook.categories.values()):
                return []
            _next(version, rulebook.categories_version)
            _whole(categories)
            return [CategoriesAdopted(at=at, by=by, version=version, categories=categories)]
        case AdoptStages(at=at, by=by, version=version, stages=stages):
            if version == rulebook.stages_version and stages == rulebook.stages:
                return []
            _next(version, rulebook.stages_version)
            _apart(stages)
            return [StagesAdopted(at=at, by=by, version=version, stages=stages)]
        case AdoptCodeSet(at=at, by=by, code_set=code_set):
            there = rulebook.code_sets.get(code_set.name)
            if there == code_set:
                return []
            _next(code_set.version, there.version if there else 0)
            whole(code_set)
            return [CodeSetAdopted(at=at, by=by, code_set=code_set)]
        case _:
            assert_never(command)


def _next(version: int, last: int) -> None:
    if version <= last:
        raise AlreadyThere(version=version, last=last)
    if version != last + 1:
        raise OutOfTurn(version=version, last=last)


def _fit(policy: Policy) -> None:
    """Refuse a policy under which no day could be counted, or nobody need ever be called."""
    try:
        policy.zone_info()
    except (LookupError, ValueError, OSError):
        raise UnknownReference(kind="zone", value=policy.zone) from None
    keys = [term.key for term in policy.terms]
    if not 1 <= policy.attempt_days_required <= policy.attempts_required or len(set(keys)) < len(keys):
        raise UnfitPolicy(profile=policy.profile)


def _whole(categories: tuple[Category, ...]) -> None:
    """Refuse a list that names a category twice, or a parent that is not in it."""
    codes = [category.code for category in categories]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise AlreadyThere(value=twice)
    parents = {category.parent for category in categories if category.parent is not None}
    if lost := sorted(parents.difference(codes)):
        raise UnknownReference(kind="category", value=lost[0])


def _apart(stages: tuple[Stage, ...]) -> None:
    """Refuse two stages of one code, or one step in two of them."""
    named = [stage.code for stage in stages]
    steps = [step for stage in stages for step in stage.steps]
    for words in (named, steps):
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise AlreadyThere(value=twice)


def evolve(rulebook: Rulebook, event: RulebookEvent) -> Rulebook:
    """Take one event in; never refuses."""
    match event:
        case PolicyAdopted():
            return replace(rulebook, policies=(*rulebook.policies, event))
        case CalendarAdopted(calendar=year):
            years = (*rulebook.years, year)
            return replace(rulebook, years=years, calendar=Calendar(years))
        case CategoriesAdopted(version=version, categories=categories):
            by_code = MappingProxyType({category.code: category for category in categories})
            return replace(rulebook, categories_version=version, categories=by_code)
        case StagesAdopted(version=version, stages=stages):
            return replace(rulebook, stages_version=version, stages=stages)
        case CodeSetAdopted(code_set=code_set):
            newest = MappingProxyType({**rulebook.code_sets, code_set.name: code_set})
            every = MappingProxyType({**rulebook.every_code_set, code_set.ref: code_set})
            return replace(rulebook, code_sets=newest, every_code_set=every)
        case _:
            assert_never(event)


RULEBOOK: Final[Decider[Rulebook, RulebookCommand, RulebookEvent, object]] = Decider(
    "rulebook", Rulebook(), decide, evolve, get_args(RulebookEvent)
)
