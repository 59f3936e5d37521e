"""What the passing of time asks for on any matter: when to remind and to order, and what becomes of an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from domain.deadlines import DAY, Calendar, Due, Unit
from domain.decider import Actor, Code, Command, PersonKey
from domain.errors import Superseded
from domain.handling import Facts
from domain.rulebook import Level, Policy

L1: Final[Code] = "escalate.l1"
L2: Final[Code] = "escalate.l2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """An order of supervision as the rules remember it: its level, what it rests on, what became of it.

    `about` (UTC) is the end of the limit `clock` that was missed, `due` until when it is to be answered; `round` is the
    round of a complaint in which it was issued. One that nobody issued has no level.
    """

    level: int = 0
    rule: Code = "unknown"
    round: int = 0
    clock: StrEnum | None = None
    about: datetime | None = None
    due: Due | None = None
    answered_by: frozenset[PersonKey] = frozenset()
    lifted: bool = False


Orders = Mapping[UUID, Supervision]


def in_force(orders: Orders, supervision: UUID) -> Supervision:
    """Give the order named, unless it was lifted or never issued; raises Superseded."""
    order = orders.get(supervision)
    if order is None or order.lifted:
        raise Superseded(supervision=supervision)
    return order


def unanswered(orders: Orders, supervision: UUID) -> Supervision:
    """Give the order named while it waits for an answer; raises Superseded."""
    order = in_force(orders, supervision)
    if order.answered_by:
        raise Superseded(supervision=supervision)
    return order


def issued(orders: Orders, supervision: UUID, order: Supervision) -> Orders:
    """Give the orders with one more."""
    return MappingProxyType({**orders, supervision: order})


def answered(orders: Orders, supervision: UUID, by: Actor) -> Orders:
    """Give the orders with one answered by somebody; one that nobody issued stands for itself."""
    order = orders.get(supervision, Supervision())
    return issued(orders, supervision, replace(order, answered_by=order.answered_by | by.persons))


def lifted(orders: Orders, supervision: UUID) -> Orders:
    """Give the orders with one lifted."""
    return issued(orders, supervision, replace(orders.get(supervision, Supervision()), lifted=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A command that time asks for, from a moment on (UTC).

    `command_id` follows from case, act, round, limit and level (architecture.md §8): two nodes, or the same one twice,
    ask for one and the same thing. `ready` says whether the moment has come.
    """

    name: Code
    command_id: UUID
    command: Command
    since: datetime
    ready: bool


def remind_since(due: Due, set_at: datetime, level: Level, policy: Policy, calendar: Calendar) -> datetime:
    """Give from when on to remind of a limit that was set at a moment (both UTC).

    Before it ends by as much as the policy says, at the opening of the office; a limit too short for that on its last
    day, or when it has run out (our design): no order is issued for what nobody was reminded of.
    """
    zone = policy.zone_info()
    set_on = set_at.astimezone(zone).date()
    day = _step(due.day, level.amount, -1, level.unit, calendar)
    if day <= set_on:
        day = due.day
    if day <= set_on:
        return due.at
    opening = datetime.combine(day, time.min, zone) + timedelta(minutes=policy.office_hours.periods[0][0])
    return min(opening.astimezone(UTC), due.at)


def order_since(due: Due, level: Level, policy: Policy, calendar: Calendar) -> datetime:
    """Give from when on (UTC) an order of this level is issued about a limit that was missed."""
    if not level.amount:
        return due.at
    day = _step(due.day, level.amount, 1, level.unit, calendar)
    return datetime.combine(day, time.max, policy.zone_info()).astimezone(UTC)


def order_due(about: Due, since: datetime, profile: Code, at: datetime, facts: Facts) -> bool:
    """Say whether an order about a limit is due at a moment (UTC); a limit nobody can be late by asks for none."""
    if at <= since or facts.late(profile, about, at) is not True:
        return False
    return facts.rulebook.calendar.knows(about.day, since.astimezone(facts.zone(profile, at)).date())


def _step(day: date, amount: int, way: int, unit: Unit, calendar: Calendar) -> date:
    left = amount
    while left:
        day += way * DAY
        left -= 1 if unit is Unit.NATURAL_DAY else calendar.worked(day)
    return day
