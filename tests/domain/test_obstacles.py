"""What is offered to somebody is never refused for who they are or how the case stands, and nothing else is granted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Final, get_args

import pytest

from domain import complaint
from domain.complaint import COMPLAINT, NEXT_STEPS, Case, Command, Event
from domain.complaint.ending import RefusalProposed
from domain.complaint.ledger import LedgerCommand
from domain.complaint.obstacles import COMMANDS, obstacles
from domain.complaint.recusal import Ground, RecusalRequested, RequestRecusal
from domain.complaint.replying import AppealRoute
from domain.decider import THE_SYSTEM, Actor, Code, PersonKey, Role
from domain.errors import NoPolicy, Refused
from domain.handling import Facts
from domain.register import Post
from domain.rulebook import Profile, Rulebook
from tests.controls import (
    ACCEPTED,
    APPROVED,
    ASSIGNED,
    CLOSED,
    CONTACTED,
    FOUND,
    LOOP,
    PLANNED,
    REGISTERED,
    REPLIED,
    REVISITED,
    SIGNED,
    SUBMITTED,
    upto,
)
from tests.domain.cast import BEFORE, HE, PEOPLE, acting
from tests.domain.stories import Story, command, some_wish, stories
from tests.hall import (
    BASIS,
    CHEN,
    CHU,
    CITIZEN,
    COUNTER,
    DESK,
    FACTS,
    FENG,
    HALL,
    HANDLER,
    HEAD,
    MEASURED,
    QIAN,
    REVISITOR,
    SUPERVISOR,
    WU,
    actor,
    key,
    later,
    sealed,
    until,
)

NEVER_ASKED: Final = {*get_args(LedgerCommand), complaint.Register}


def story(*more: Event, after: Event) -> Case:
    """Give the case of the controls as far as one of its events, and then something else."""
    case = COMPLAINT.fold((*upto(after), *more))
    assert case is not None
    return case


def found(case: Case, by: Actor, at: datetime, facts: Facts = FACTS) -> dict[Code, str | None]:
    """Give the code of what stands in the way of each command; None where nothing does."""
    return {one.command: None if one.refusal is None else one.refusal.code for one in obstacles(case, by, at, facts)}


def of_the_loop(case: Case, by: Actor, at: datetime, facts: Facts = FACTS) -> set[Code]:
    """Give what somebody is offered of the straight way."""
    offered = {name for name, code in found(case, by, at, facts).items() if code is None}
    return offered & set(complaint.OF_THE_LOOP[case.step])


@pytest.mark.parametrize(
    ("after", "by", "offered"),
    [
        (REGISTERED, DESK, {"accept"}),
        (REGISTERED, HANDLER, set()),
        (ACCEPTED, DESK, {"assign"}),
        (ASSIGNED, HANDLER, {"sign-for"}),
        (ASSIGNED, actor(QIAN, "approval-handler"), set()),
        (SIGNED, HANDLER, {"record-contact", "record-evidence", "record-finding"}),
        (CONTACTED, HANDLER, {"record-contact", "record-evidence", "record-finding"}),
        (FOUND, HANDLER, {"record-contact", "record-evidence", "record-finding", "plan-rectification"}),
        (
            PLANNED,
            HANDLER,
            {"record-contact", "record-evidence", "record-finding", "plan-rectification", "rectify", "submit-reply"},
        ),
        (SUBMITTED, HEAD, {"approve-reply", "reject-reply"}),
        (SUBMITTED, actor(QIAN, "approval-head"), {"approve-reply", "reject-reply"}),
        (APPROVED, HANDLER, {"plan-rectification", "reply"}),
        (REPLIED, REVISITOR, {"revisit"}),
        (REPLIED, DESK, set()),
        (REVISITED, DESK, {"close"}),
        (CLOSED, HANDLER, {"plan-rectification"}),
        (CLOSED, DESK, set()),
    ],
)
def test_the_straight_way_is_offered_to_who_can_take_it(after: Event, by: Actor, offered: set[Code]) -> None:
    """At each step, worked out by hand from the rules of the loop."""
    assert of_the_loop(story(after=after), by, later(after.at, minutes=1)) == offered


@pytest.mark.parametrize(
    ("after", "by", "name", "code"),
    [
        (REGISTERED, COUNTER, "accept", "not-your-role"),
        (REGISTERED, DESK, "assign", "out-of-turn"),
        (REGISTERED, replace(DESK, on_behalf_of=FENG), "accept", "own-cause"),
        (REGISTERED, replace(DESK, on_behalf_of=CITIZEN.person), "accept", "own-complaint"),
        (ASSIGNED, actor(CHEN, "approval-handler"), "sign-for", "own-cause"),
        (ASSIGNED, actor(QIAN, "approval-handler"), "sign-for", "not-your-case"),
        (ASSIGNED, actor(CHU, "tax-handler"), "sign-for", "not-your-case"),
        (SIGNED, HANDLER, "submit-reply", "finding-missing"),
        (FOUND, HANDLER, "submit-reply", "rectification-missing"),
        (SIGNED, HANDLER, "plan-rectification", "finding-missing"),
        (SIGNED, HANDLER, "rectify", "nothing-open"),
        (SUBMITTED, actor(CHU, "tax-handler"), "approve-reply", "not-your-role"),
        (SUBMITTED, replace(HEAD, on_behalf_of=HANDLER.person), "approve-reply", "own-work-approved"),
        (REPLIED, actor(WU, "revisits"), "revisit", "own-work-revisited"),
        (REPLIED, DESK, "close", "revisit-missing"),
        (REVISITED, REVISITOR, "revisit", "already-revisited"),
        (REGISTERED, DESK, "confirm-refuse", "nothing-open"),
        (SIGNED, SUPERVISOR, "lift-supervision", "nothing-open"),
        (CLOSED, DESK, "accept", "out-of-turn"),
    ],
)
def test_who_cannot_is_told_why(after: Event, by: Actor, name: Code, code: str) -> None:
    """By the rule that would refuse them, whatever they filled in, and with what to do instead."""
    case, at = story(after=after), later(after.at, minutes=1)
    (one,) = (one for one in obstacles(case, by, at, FACTS) if one.command == name)
    assert one.refusal is not None
    assert (one.refusal.code, bool(one.refusal.then)) == (code, True)


PROPOSED: Final = RefusalProposed(
    at=later(REGISTERED.at, minutes=1),
    by=DESK,
    proposal=key("proposal"),
    reason="discipline_channel",
    legal_basis=sealed("legal_basis"),
    explanation=sealed("explanation"),
    explanation_measured=MEASURED,
    proper_channel="discipline_inspection",
    appeal_route=AppealRoute.REVIEW_REQUEST,
    until=until("02-25"),
    basis=BASIS,
)


def test_the_second_half_is_not_for_who_did_the_first() -> None:
    """Another one at the desk is offered it, also to decline; the one who proposed is told why not."""
    case, at = story(PROPOSED, after=REGISTERED), later(PROPOSED.at, minutes=1)
    mine, theirs = found(case, DESK, at, BEFORE), found(case, acting(HE, "desk"), at, BEFORE)
    assert (mine["confirm-refuse"], mine["decline-proposal"]) == ("own-proposal", "own-proposal")
    assert (theirs["confirm-refuse"], theirs["decline-proposal"]) == (None, None)
    assert mine["propose-refuse"] == theirs["propose-refuse"] == "proposal-pending"
    assert theirs["confirm-terminate"] == "out-of-turn"


def test_whoever_may_have_to_keep_out_is_told_so() -> None:
    """All but the evidence that would be lost."""
    asked = RecusalRequested(
        at=later(SIGNED.at, minutes=1),
        by=CITIZEN,
        recusal=key("recusal"),
        target=HANDLER.person,
        ground=Ground.RELATIVE,
        explanation=None,
        declared=False,
    )
    told = found(story(asked, after=SIGNED), HANDLER, later(asked.at, minutes=1))
    assert (told["record-contact"], told["record-evidence"]) == ("recusal-pending", None)


def test_without_a_policy_nothing_is_offered_but_the_reason() -> None:
    """Neither in a hall where none is in force, nor on a case of a ledger, which has one for imports alone."""
    nothing = replace(FACTS, rulebook=Rulebook())
    told = found(story(after=REGISTERED), DESK, later(REGISTERED.at, minutes=1), nothing)
    assert told["accept"] == NoPolicy.code
    assert None not in told.values()
    ledger = replace(story(after=REGISTERED), profile=Profile.LEDGER)
    assert None not in found(ledger, DESK, later(REGISTERED.at, minutes=1)).values()


def test_every_command_on_a_case_is_looked_at() -> None:
    """Under the names of the policy, once each, those in turn first."""
    assert set(COMMANDS.values()) == set(get_args(complaint.Command)) - NEVER_ASKED
    permitted = {one.command for one in HALL.permissions}
    assert set(COMMANDS) <= permitted
    assert {name for names in NEXT_STEPS.values() for name in names} <= set(COMMANDS)
    for after in LOOP:
        case = story(after=after)
        names = [one.command for one in obstacles(case, DESK, later(after.at, minutes=1), FACTS)]
        assert len(names) == len(set(names)) == len(COMMANDS)
        assert names[: len(NEXT_STEPS[case.step])] == list(NEXT_STEPS[case.step])


def test_what_is_granted_was_offered() -> None:
    """In stories told by chance, with whatever anybody fills in: nothing is granted that was called impossible."""
    granted: Counter[Code] = Counter()
    names = {kind: name for name, kind in COMMANDS.items()}
    for seed, told in enumerate(stories()):
        chance, case = Random(seed), told.case
        if case is None:
            continue
        for _ in range(20):
            asked = some_wish(chance.choice, told)
            facts = told.gathered(asked)
            try:
                decided = COMPLAINT.decide(case, asked, facts)
            except Refused:
                continue
            name = names.get(type(asked))
            if decided and name is not None:
                what = found(case, asked.by, asked.at, facts)[name]
                assert what is None, (name, asked.by.role, what)
                granted[name] += 1
    assert len(granted) > 20, granted


MEANT_OTHERWISE: Final = {"superseded", "nothing-to-rectify", "not-found", "cannot-merge"}
"""What lies with a case, but with another one, or with another part of it, than the example was about."""


def test_what_is_offered_is_never_refused_for_the_person_or_the_case() -> None:
    """The other way round: where nothing stands in the way, it is what was filled in that is wrong, if anything is."""
    said: Counter[str] = Counter()
    for seed, told in enumerate(stories()):
        chance, case = Random(seed), told.case
        if case is None:
            continue
        everybody = [THE_SYSTEM, *(acting(who, post.code) for who in PEOPLE for post in held(told, who))]
        everybody += [Actor(person=who, role=Role.CITIZEN) for who in sorted(case.made_by)]
        for by in chance.sample(everybody, k=3):
            facts = replace(told.facts, others=told.beside)
            for name in [name for name, code in found(case, by, told.now, facts).items() if code is None]:
                asked = command(chance.choice, name, told.now, by, case)
                refusal = refused(case, asked, told)
                another = isinstance(asked, RequestRecusal) and asked.target not in {None, *by.persons}
                if refusal is None or refusal.about == "content" or refusal.code in MEANT_OTHERWISE or another:
                    said["content" if refusal is not None else "granted"] += 1
                    continue
                # Some of what may be filled in is not for everybody: whom to name, or why; then something else is.
                others = [refused(case, command(chance.choice, name, told.now, by, case), told) for _ in range(60)]
                assert any(one is None or one.about == "content" for one in others), (name, by.role, refusal.code)
                said["in part"] += 1
    assert said["granted"] > 200
    assert said["content"] > 200
    assert said["in part"] < said["granted"] / 10, said


def held(told: Story, who: PersonKey) -> tuple[Post, ...]:
    """Give the posts that somebody holds where the story stands."""
    return told.facts.register.held_by(who, told.now)


def refused(case: Case, asked: Command, told: Story) -> Refused | None:
    """Give why something is refused, if it is."""
    try:
        COMPLAINT.decide(case, asked, told.gathered(asked))
    except Refused as refusal:
        return refusal
    return None
