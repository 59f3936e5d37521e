"""What the passing of time asks for: each act under one name, not before its moment, and only what a timer may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import pytest

from domain.complaint import COMPLAINT, Case, Event
from domain.complaint.ending import ProposeRefusal, RefusalProposed
from domain.complaint.owed import owed
from domain.complaint.proposals import ExpireProposal, ProposalExpired
from domain.complaint.replying import AppealRoute
from domain.complaint.state import Clock, Step, Stop
from domain.complaint.supervision import IssueSupervision, Remind, Reminded
from domain.complaint.supplementing import ExpireSupplement, RequestSupplement, SupplementExpired
from domain.complaint.timing import ClockResumed, PauseClock, ResumeClock
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import THE_SYSTEM
from domain.escalation import Timed
from domain.handling import Facts
from domain.rulebook import RULEBOOK, CalendarAdopted, Permission, PolicyAdopted, Profile
from tests.controls import REGISTERED, SIGNED, case, upto
from tests.hall import DESK, ENTERED, FACTS, HALL, HEAD, LEDGER, MEASURED, key, later, local, sealed, until

CASE: Final = key("case")
HANDLED: Final = upto(SIGNED)
NOON: Final = local("02-25", "12:00")
TICK: Final = timedelta(microseconds=1)


def there(*history: Event) -> Case:
    """Give the case after a history."""
    found = COMPLAINT.fold(history)
    assert found is not None
    return found


def asked(at: datetime, *history: Event, facts: Facts = FACTS) -> dict[str, Timed]:
    """Give what is asked for, by name and, for an order, its rule."""
    found = owed(CASE, there(*history), at, facts)
    return {
        f"{one.name}:{one.command.rule_no}" if isinstance(one.command, IssueSupervision) else one.name: one
        for one in found
    }


def paused() -> tuple[Event, ...]:
    """Give the events of a case whose clock stands still since noon."""
    pause = PauseClock(
        at=NOON, by=HEAD, pause=key("pause"), reason="force_majeure", evidence=(), explanation=sealed("why")
    )
    return (*HANDLED, *case(*HANDLED).when(pause).events)  # type: ignore[arg-type]  # all of one complaint


def waiting_for_more() -> tuple[Event, ...]:
    """Give the events of a case whose complainant was asked for more."""
    at = later(REGISTERED.at, hours=1)
    request = RequestSupplement(at=at, by=DESK, supplement=key("supplement"), items=(sealed("item"),))
    return (REGISTERED, *case(REGISTERED).when(request).events)  # type: ignore[arg-type]


def proposed() -> tuple[Event, ...]:
    """Give the events of a case that somebody proposed not to accept."""
    refuse = ProposeRefusal(
        at=later(REGISTERED.at, hours=1),
        by=DESK,
        proposal=key("proposal"),
        reason="not_gov_service",
        legal_basis=sealed("legal_basis"),
        explanation=sealed("explanation"),
        explanation_measured=MEASURED,
        proper_channel="court",
        appeal_route=AppealRoute.REVIEW_REQUEST,
    )
    return (REGISTERED, *case(REGISTERED).when(refuse).events)  # type: ignore[arg-type]


def test_a_reminder_and_the_first_order_are_seen_coming() -> None:
    """Before their moment they are not ready; the second level waits for the reminder."""
    found = asked(NOON, *HANDLED)
    assert {name: (one.since, one.ready) for name, one in found.items()} == {
        "remind": (local("02-27", "08:30"), False),
        "issue-supervision:escalate.l1": (until("02-28").at, False),
    }
    at = local("02-27", "08:30")
    assert asked(at, *HANDLED)["remind"].ready
    assert not asked(at - TICK, *HANDLED)["remind"].ready
    assert asked(at, *HANDLED)["remind"].command == Remind(at=at, by=THE_SYSTEM, clock=Clock.HANDLE)


def test_what_is_ready_is_what_the_rules_would_do() -> None:
    """And what is not, they would not: the two are one rule, asked twice."""
    for at in (NOON, local("02-27", "08:30"), until("02-28").at, until("02-28").at + TICK, local("03-07", "00:00")):
        reminded = Reminded(at=local("02-27", "08:30"), by=THE_SYSTEM, clock=Clock.HANDLE, about=until("02-28"))
        for history in (HANDLED, (*HANDLED, reminded)):
            for one in owed(CASE, there(*history), at, FACTS):
                assert bool(case(*history).when(one.command).events) is one.ready  # type: ignore[arg-type]  # of a complaint


def test_an_act_has_one_name_whoever_asks_and_whenever() -> None:
    """Until the limit, the round or the level is another (architecture.md §8)."""
    first = asked(NOON, *HANDLED)
    again = asked(local("02-28"), *HANDLED)
    assert {name: one.command_id for name, one in first.items()} == {
        name: one.command_id for name, one in again.items()
    }
    assert len({one.command_id for one in first.values()}) == len(first)
    another = owed(key("another case"), there(*HANDLED), NOON, FACTS)
    assert {one.command_id for one in another}.isdisjoint(one.command_id for one in first.values())
    next_round = owed(CASE, replace(there(*HANDLED), round=2), NOON, FACTS)
    assert {one.command_id for one in next_round}.isdisjoint(one.command_id for one in first.values())


def test_a_pause_ends_at_its_longest() -> None:
    """Ten working days after 25 February; until then nothing else is asked for."""
    (resume,) = asked(NOON, *paused()).values()
    assert isinstance(resume.command, ResumeClock)
    assert resume.since == local("03-10", "00:00")
    assert not asked(resume.since, *paused())["resume-clock"].ready
    ready = asked(resume.since + TICK, *paused())["resume-clock"]
    events = case(*paused()).when(ready.command).events  # type: ignore[arg-type]  # of a complaint
    assert isinstance(events[0], ClockResumed)
    assert events[0].ended_at <= resume.since


def test_a_pause_without_an_end_waits_for_a_person() -> None:
    """So does one of a case that nobody handles any more."""
    endless = Stop(pause=key("pause"), reason="force_majeure", start=NOON, until=None)
    assert owed(CASE, replace(there(*HANDLED), stops=(endless,)), NOON, FACTS) == ()
    ended = replace(there(*paused()), step=Step.WITHDRAWN)
    assert owed(CASE, ended, local("04-01"), FACTS) == ()


def test_the_silence_of_a_complainant_is_noted() -> None:
    """Then the desk decides: silence is no withdrawal; the pause that came with it is no pause of its own."""
    (expire,) = asked(NOON, *waiting_for_more()).values()
    assert isinstance(expire.command, ExpireSupplement)
    assert not asked(expire.since, *waiting_for_more())["expire-supplement"].ready
    ready = asked(expire.since + TICK, *waiting_for_more())["expire-supplement"]
    assert isinstance(case(*waiting_for_more()).when(ready.command).events[0], SupplementExpired)  # type: ignore[arg-type]  # of a complaint


def test_a_proposal_nobody_confirms_comes_to_its_end() -> None:
    """Two working days later; one whose end nobody knows does not."""
    expire = asked(NOON, *proposed())["expire-proposal"]
    assert isinstance(expire.command, ExpireProposal)
    assert expire.since == until("02-24").at  # 14, 24 February
    assert expire.ready
    assert not asked(expire.since, *proposed())["expire-proposal"].ready
    assert isinstance(case(*proposed()).when(expire.command).event, ProposalExpired)
    *before, last = proposed()
    assert isinstance(last, RefusalProposed)
    assert "expire-proposal" not in asked(NOON, *before, replace(last, until=None))


def test_limits_that_a_calendar_has_moved_are_computed_before_anything_else() -> None:
    """Or somebody would be reminded of a day that is a holiday now."""
    holiday = CalendarYear(
        jurisdiction="CN-15",
        layer=Layer.REGION,
        year=2026,
        version=1,
        published_at=None,
        source="NMG-2026-1",
        days=(CalendarDay(day=date(2026, 2, 28), kind=DayKind.HOLIDAY),),
    )
    adopted = CalendarAdopted(at=NOON, by=THE_SYSTEM, calendar=holiday)
    facts = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted), rulebook_version=5)
    found = asked(local("02-27", "09:00"), *HANDLED, facts=facts)
    assert list(found) == ["recompute-deadlines"]
    command = found["recompute-deadlines"].command
    events = case(*HANDLED, facts=facts).when(command).events  # type: ignore[arg-type]  # of a complaint
    again = asked(local("02-27", "09:00"), *HANDLED, *events, facts=facts)  # type: ignore[arg-type]  # of one complaint
    assert "recompute-deadlines" not in again
    assert again["issue-supervision:escalate.l1"].since == until("03-02").at


@pytest.mark.parametrize("policy", [None, replace(HALL, timers=False)])
def test_cases_without_timers_are_left_alone(policy: object) -> None:
    """A ledger, and a hall that has not adopted any rules yet."""
    policies = (
        () if policy is None else (PolicyAdopted(at=ENTERED, by=THE_SYSTEM, policy=policy, in_force_from=ENTERED),)  # type: ignore[arg-type]
    )
    facts = replace(FACTS, rulebook=replace(FACTS.rulebook, policies=policies))
    assert owed(CASE, there(*HANDLED), local("03-07", "00:00"), facts) == ()
    ledger = replace(there(*HANDLED), profile=Profile.LEDGER)
    assert not LEDGER.timers
    assert owed(CASE, ledger, local("03-07", "00:00"), FACTS) == ()


def test_a_timer_asks_for_nothing_it_may_not_do() -> None:
    """As the policy says, which a hall may change."""
    permissions = tuple(
        Permission(command=one.command, roles=()) if one.command == "remind" else one for one in HALL.permissions
    )
    adopted = PolicyAdopted(
        at=ENTERED, by=THE_SYSTEM, policy=replace(HALL, permissions=permissions), in_force_from=ENTERED
    )
    facts = replace(FACTS, rulebook=replace(FACTS.rulebook, policies=(adopted,)))
    assert set(asked(NOON, *HANDLED, facts=facts)) == {"issue-supervision:escalate.l1"}
