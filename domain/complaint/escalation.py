"""What the passing of time asks for on a case: a reminder, an order of supervision, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.complaint.state import BEFORE_REPLY, OPEN, PROMISE, Case, Clock, IdentityMode, Step
from domain.deadlines import Due
from domain.decider import Code
from domain.escalation import L1, L2, order_due, order_since, remind_since
from domain.handling import Facts, tried_enough
from domain.rulebook import Escalation, Policy

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
    """Give the limit that is to be reminded of, and from when (UTC); None if it was, or is none."""
    promised = promise(case, policy)
    if promised is None or policy.escalation is None:
        return None
    clock, due = promised
    if (clock, due.at) in case.reminded:
        return None
    since = remind_since(due, case.clocks[clock].set_at, policy.escalation.remind, policy, facts.rulebook.calendar)
    return clock, due, since


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
        since = order_since(due, level, policy, facts.rulebook.calendar)
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
    return order_due(order.about, order.since, case.profile, at, facts)
