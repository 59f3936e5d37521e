"""What the passing of time asks for on a case: a reminder, an order of supervision, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from domain.complaint.state import BEFORE_REPLY, OPEN, PROMISE, Case, Clock, IdentityMode, Step
from domain.deadlines import DAY, Calendar, Due, Unit
from domain.decider import Code
from domain.handling import Facts, tried_enough
from domain.rulebook import Escalation, Policy

L1: Final[Code] = "escalate.l1"
L2: Final[Code] = "escalate.l2"
REWORKED: Final[Code] = "escalate.l3.reworks"
FORWARDED: Final[Code] = "escalate.l3.forwards"
GRAVE: Final[Code] = "escalate.l3.category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order that a rule asks for from a moment on (UTC); `about` is the limit that was missed, if there is one."""

    rule: Code
    level: int
    clock: Clock | None
    about: Due | None
    since: datetime


def promise(case: Case, policy: Policy) -> tuple[Clock, Due] | None:
    """Give the limit by which the complainant waits, while it runs.

    None where nobody waits any more: the case has ended, stands still, or was revisited (or that was tried enough).
    """
    if case.step not in OPEN or case.paused or not policy.timers:
        return None
    if case.step is Step.REPLIED:
        nameless = case.identity_mode is IdentityMode.ANONYMOUS and bool(case.revisit_days)
        if case.revisited or nameless or tried_enough(case.revisit_days, policy):
            return None
    clock = PROMISE[case.step]
    due = case.due(clock)
    return None if due is None else (clock, due)


def reminder(case: Case, policy: Policy, facts: Facts) -> tuple[Clock, Due, datetime] | None:
    """Give the limit that is to be reminded of, and from when (UTC); None if it was, or is none.

    Before it ends by as much as the policy says, at the opening of the office; a limit too short for that on its last
    day, or when it has run out (our design): no order is issued for what nobody was reminded of.
    """
    promised = promise(case, policy)
    if promised is None or policy.escalation is None:
        return None
    clock, due = promised
    if (clock, due.at) in case.reminded:
        return None
    level = policy.escalation.remind
    zone = policy.zone_info()
    set_on = case.clocks[clock].set_at.astimezone(zone).date()
    day = _before(due.day, level.amount, level.unit, facts.rulebook.calendar)
    if day <= set_on:
        day = due.day
    if day <= set_on:
        return clock, due, due.at
    opening = datetime.combine(day, time.min, zone) + timedelta(minutes=policy.office_hours.periods[0][0])
    return clock, due, min(opening.astimezone(UTC), due.at)


def orders(case: Case, policy: Policy, facts: Facts) -> tuple[Order, ...]:
    """Give the orders that the rules ask for now or later, without those that were issued in this round."""
    escalation = policy.escalation
    if escalation is None or case.step not in OPEN or not policy.timers:
        return ()
    owed = (*_of_limit(case, policy, escalation, facts), *_of_state(case, escalation, facts))
    issued = {(one.rule, one.clock, one.about) for one in case.supervisions.values() if one.round == case.round}
    return tuple(
        one for one in owed if (one.rule, one.clock, None if one.about is None else one.about.at) not in issued
    )


def _of_limit(case: Case, policy: Policy, escalation: Escalation, facts: Facts) -> tuple[Order, ...]:
    promised = promise(case, policy)
    if promised is None:
        return ()
    clock, due = promised
    found = []
    for number, rule, level in ((1, L1, escalation.l1), (2, L2, escalation.l2)):
        if level.reminders and (clock, due.at) not in case.reminded:
            continue
        since = due.at
        if level.amount:
            day = _after(due.day, level.amount, level.unit, facts.rulebook.calendar)
            since = datetime.combine(day, time.max, policy.zone_info()).astimezone(UTC)
        found.append(Order(rule=rule, level=number, clock=clock, about=due, since=since))
    return tuple(found)


def _of_state(case: Case, escalation: Escalation, facts: Facts) -> tuple[Order, ...]:
    """Give the orders of the highest level, which rest on no limit: as soon as the case stands so."""
    stuck = escalation.l3
    category = facts.rulebook.categories.get(case.category or "")
    kinds = {case.category, None if category is None else category.parent}
    rules = (
        (REWORKED, case.reworks >= stuck.reworks and case.step in BEFORE_REPLY),
        (FORWARDED, case.forwards >= stuck.forwards_without_lead and case.step is Step.ACCEPTED),
        (GRAVE, bool(kinds & set(stuck.categories))),
    )
    return tuple(
        Order(rule=rule, level=3, clock=None, about=None, since=case.registered_at) for rule, holds in rules if holds
    )


def due_now(order: Order, case: Case, at: datetime, facts: Facts) -> bool:
    """Say whether an order is due at a moment (UTC); a limit nobody can be late by asks for none."""
    if order.about is None:
        return True
    if at <= order.since or facts.late(case.profile, order.about, at) is not True:
        return False
    last = order.since.astimezone(facts.zone(case.profile, at)).date()
    return facts.rulebook.calendar.knows(order.about.day, last)


def _before(day: date, amount: int, unit: Unit, calendar: Calendar) -> date:
    return _step(day, amount, -1, unit, calendar)


def _after(day: date, amount: int, unit: Unit, calendar: Calendar) -> date:
    return _step(day, amount, 1, unit, calendar)


def _step(day: date, amount: int, way: int, unit: Unit, calendar: Calendar) -> date:
    left = amount
    while left:
        day += way * DAY
        left -= 1 if unit is Unit.NATURAL_DAY else calendar.worked(day)
    return day
