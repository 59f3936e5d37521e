"""What time asks for on a review is known beforehand, and is what the rules would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest

from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import THE_SYSTEM
from domain.escalation import Timed
from domain.handling import Facts
from domain.review import ReviewEvent
from domain.review.owed import owed
from domain.review.proposals import ExpireProposal, ProposalExpired
from domain.review.state import Clock
from domain.review.watching import Remind, Reminded, SupervisionIssued
from domain.rulebook import RULEBOOK, CalendarAdopted, Permission, PolicyAdopted, Profile
from tests.bad_reviews import (
    CHECKED,
    CLOSED,
    EXCLUDED,
    FACTS,
    OWED,
    PROPOSAL,
    PROPOSED,
    PROPOSED_BACK,
    SECOND_PROPOSAL,
    bad,
    contested,
    there,
    upto,
)
from tests.hall import HALL, key, later, local, until
from tests.visits import BADLY, RATING, WORK_ORDER

NOON = local("02-14", "12:00")
TICK = timedelta(microseconds=1)
OPEN = upto(WORK_ORDER)


def asked(at: datetime, *history: ReviewEvent, facts: Facts = FACTS) -> dict[str, Timed]:
    """Give what time asks for, by name, clock and rule."""
    found = owed(RATING, there(*history), at, facts)
    named = {
        ":".join(
            [
                one.name,
                *(str(getattr(one.command, field)) for field in ("clock", "rule_no") if hasattr(one.command, field)),
            ]
        ): one
        for one in found
    }
    assert len(named) == len(found)
    return named


def adopting(policy: object) -> Facts:
    """Give the facts under one other policy."""
    adopted = PolicyAdopted(at=local("02-01"), by=THE_SYSTEM, policy=policy, in_force_from=local("02-01"))  # type: ignore[arg-type]
    return replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))


def test_reminders_and_first_orders_are_seen_coming() -> None:
    """Of each limit that runs; the second level waits for its reminder."""
    found = asked(NOON, *OPEN)
    assert {name: (one.since, one.ready) for name, one in found.items()} == {
        "remind:contact": (local("02-24", "08:30"), False),
        "remind:verify": (local("02-25", "08:30"), False),
        "issue-supervision:contact:escalate.l1": (until("02-24").at, False),
        "issue-supervision:verify:escalate.l1": (until("02-26").at, False),
    }
    at = local("02-24", "08:30")
    assert asked(at, *OPEN)["remind:contact"].ready
    assert not asked(at - TICK, *OPEN)["remind:contact"].ready
    assert asked(at, *OPEN)["remind:contact"].command == Remind(at=at, by=THE_SYSTEM, clock=Clock.CONTACT)
    reminded = Reminded(at=at, by=THE_SYSTEM, clock=Clock.CONTACT, about=until("02-24"))
    after = asked(at, *OPEN, reminded)
    assert "remind:contact" not in after
    assert after["issue-supervision:contact:escalate.l2"].since == until("03-02").at


def test_what_is_ready_is_what_the_rules_would_do() -> None:
    """And what is not, they would not: the two are one rule, asked twice, at every stage."""
    moments = [
        NOON, local("02-24", "08:30"), until("02-24").at, until("02-24").at + TICK, until("02-28").at + TICK,
        until("03-02").at + TICK, local("03-09"), local("03-16"), local("04-01"),
    ]  # fmt: skip
    reminded = Reminded(at=local("02-24", "08:30"), by=THE_SYSTEM, clock=Clock.CONTACT, about=until("02-24"))
    histories = [
        *(upto(last) for last in upto(CLOSED)[1:]), *(contested(last) for last in contested(PROPOSED_BACK)[4:]),
        (*OPEN, reminded), (*upto(CLOSED), OWED), (*contested(EXCLUDED), OWED),
    ]  # fmt: skip
    done = 0
    for at in moments:
        for history in histories:
            for one in owed(RATING, there(*history), at, FACTS):
                if one.ready:
                    assert bad(*history).when(one.command).events  # type: ignore[arg-type]
                    done += 1
                elif isinstance(one.command, ExpireProposal):
                    assert at <= one.since
                else:
                    bad(*history).when(one.command).then_nothing()  # type: ignore[arg-type]
    assert done > 50


def test_an_act_has_one_name_whoever_asks_and_whenever() -> None:
    """Until the limit, the rule or the review is another (architecture.md §8)."""
    first, again = asked(NOON, *OPEN), asked(local("02-25"), *OPEN)
    assert {name: one.command_id for name, one in first.items()} == {
        name: one.command_id for name, one in again.items()
    }
    assert len({one.command_id for one in first.values()}) == len(first)
    another = owed(key("another"), there(*OPEN), NOON, FACTS)
    assert {one.command_id for one in another}.isdisjoint(one.command_id for one in first.values())
    moved = asked(NOON, BADLY, replace(WORK_ORDER, contact_due=until("02-25")))
    assert moved["remind:contact"].command_id != first["remind:contact"].command_id
    assert moved["remind:verify"].command_id == first["remind:verify"].command_id


def test_an_order_is_the_same_one_whoever_makes_it() -> None:
    """Two machines make one order: its id follows from the act."""
    (first, second) = (asked(at, *OPEN)["issue-supervision:contact:escalate.l1"] for at in (NOON, local("02-25")))
    (one, two) = (bad(*OPEN).when(replace(each.command, at=local("02-25"))).event for each in (first, second))  # type: ignore[arg-type]
    assert isinstance(one, SupervisionIssued)
    assert one == two


@pytest.mark.parametrize(
    ("history", "proposal", "last"),
    [(contested(PROPOSED), PROPOSAL, "02-28"), (contested(PROPOSED_BACK), SECOND_PROPOSAL, "03-09")],
)
def test_a_proposal_nobody_confirms_comes_to_its_end(
    history: tuple[ReviewEvent, ...], proposal: object, last: str
) -> None:
    """Two working days later; one whose end nobody knows does not."""
    expire = asked(NOON, *history)["expire-proposal"]
    assert (expire.since, expire.ready) == (until(last).at, False)
    assert not asked(expire.since, *history)["expire-proposal"].ready
    ready = asked(expire.since + TICK, *history)["expire-proposal"]
    assert ready.command_id == expire.command_id
    event = bad(*history).when(ready.command).event  # type: ignore[arg-type]
    assert event == ProposalExpired(at=later(until(last).at, microseconds=1), by=THE_SYSTEM, proposal=proposal)  # type: ignore[arg-type]
    ended: Any = replace(cast("Any", history[-1]), until=None)
    assert "expire-proposal" not in asked(NOON, *history[:-1], ended)


def test_limits_that_a_calendar_has_moved_are_computed_before_anything_else() -> None:
    """Or somebody would be reminded of a day that is a holiday now."""
    holiday = CalendarYear(
        jurisdiction="CN-15", layer=Layer.REGION, year=2026, version=1, published_at=None, source="NMG-2026-1",
        days=(CalendarDay(day=date(2026, 2, 24), kind=DayKind.HOLIDAY),),
    )  # fmt: skip
    adopted = CalendarAdopted(at=NOON, by=THE_SYSTEM, calendar=holiday)
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted), rulebook_version=6)
    (recompute,) = asked(NOON, *OPEN, facts=facts).values()
    assert (recompute.name, recompute.since, recompute.ready) == ("recompute-deadlines", NOON, True)
    (again,) = asked(local("02-25"), *OPEN, facts=facts).values()
    assert again.command_id == recompute.command_id
    (newer,) = asked(NOON, *OPEN, facts=replace(facts, rulebook_version=7)).values()
    assert newer.command_id != recompute.command_id
    events = bad(*OPEN, facts=facts).when(recompute.command).events  # type: ignore[arg-type]
    after = asked(NOON, *OPEN, *events, facts=facts)  # type: ignore[arg-type]  # of one review
    assert after["remind:contact"].since == local("02-25", "08:30")


def test_a_check_is_watched_after_the_end_of_all() -> None:
    """Until it was made."""
    names = {"remind:check", "issue-supervision:check:escalate.l1"}
    assert set(asked(local("03-05"), *upto(CLOSED), OWED)) == names
    assert asked(local("03-05"), *upto(CLOSED), OWED, CHECKED) == {}
    assert asked(local("03-05"), *upto(CLOSED)) == {}


def test_reviews_without_timers_are_left_alone() -> None:
    """Of a ledger, of a hall without rules, and where a policy sets none."""
    at = local("03-09")
    assert owed(RATING, there(*OPEN), at, adopting(replace(HALL, version=2, timers=False))) == ()
    nothing = replace(FACTS, rulebook=replace(FACTS.rulebook, policies=()))
    assert owed(RATING, there(*OPEN), at, nothing) == ()
    ledger = there(replace(BADLY, profile=Profile.LEDGER), WORK_ORDER)
    assert owed(RATING, ledger, at, FACTS) == ()


def test_a_timer_asks_for_nothing_it_may_not_do() -> None:
    """As the policy says, which a hall may change."""
    permissions = tuple(
        Permission(command=one.command, roles=()) if one.command == "review/remind" else one for one in HALL.permissions
    )
    facts = adopting(replace(HALL, version=2, permissions=permissions))
    assert {one.split(":")[0] for one in asked(NOON, *OPEN, facts=facts)} == {"issue-supervision"}
