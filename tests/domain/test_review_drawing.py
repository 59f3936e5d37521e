"""Checks are drawn with a seed nobody can choose afterwards, so that anybody can repeat the choice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Final
from uuid import UUID

import pytest

from domain.decider import THE_SYSTEM, Actor
from domain.errors import (
    AlreadyThere,
    DateInPast,
    NoPolicy,
    NotYourRole,
    OutOfTurn,
    SeedMismatch,
    TooEarly,
    Unknown,
    UnknownReference,
)
from domain.handling import Facts
from domain.review.drawing import (
    DRAW,
    Announce,
    Draw,
    DrawAnnounced,
    DrawCommand,
    DrawEvent,
    Drawing,
    Drawn,
    OpenSeed,
    SeedOpened,
    chosen,
    commitment,
    digest_of_members,
    stream,
)
from domain.rulebook import RULEBOOK, PolicyAdopted, Profile, Rulebook
from tests.bad_reviews import (
    AUDITOR,
    FACTS,
    SUPERVISOR,
)
from tests.hall import CITIZEN, HALL, key, later, local
from tests.specification import Given, given
from tests.visits import BASIS

SEED: Final = "5e" * 32
OTHER_SEED: Final = "0f" * 32
MEMBERS: Final = tuple(key(f"review-{number}") for number in range(250))
NOTICED: Final = MEMBERS[:30]
ANNOUNCE: Final = Announce(
    at=local("02-27"), by=THE_SYSTEM, hall="GXQ", begins=local("03-01", "00:00"), ends=local("04-01", "00:00"),
    commitment=commitment(SEED),
)  # fmt: skip
ANNOUNCED: Final = DrawAnnounced(
    at=ANNOUNCE.at, by=THE_SYSTEM, hall="GXQ", profile=Profile.HALL, begins=ANNOUNCE.begins, ends=ANNOUNCE.ends,
    all_permille=10, flagged_permille=50, commitment=commitment(SEED), basis=BASIS,
)  # fmt: skip
OPEN: Final = OpenSeed(at=ANNOUNCE.ends, by=THE_SYSTEM, seed=SEED)
OPENED: Final = SeedOpened(at=OPEN.at, by=THE_SYSTEM, seed=SEED)
CHOOSE: Final = Draw(
    at=local("04-01", "02:00"), by=THE_SYSTEM, opened=900, before=900, checkpoint=900, members=MEMBERS, flagged=NOTICED
)
ALL_DRAWN: Final = chosen(SEED, MEMBERS, 10)
CHOSEN: Final = Drawn(
    at=CHOOSE.at, by=THE_SYSTEM, before=900, checkpoint=900, members=250, members_digest=digest_of_members(MEMBERS),
    flagged=30, flagged_digest=digest_of_members(NOTICED),
    drawn=tuple(dict.fromkeys((*ALL_DRAWN, *chosen(SEED, NOTICED, 50)))),
)  # fmt: skip


def drawing(*history: DrawEvent, facts: Facts = FACTS) -> Given[Drawing | None, DrawCommand, DrawEvent, Facts]:
    """Begin a sentence about a draw."""
    return given(DRAW, *history, facts=facts)


def test_a_draw_is_announced_opened_and_made() -> None:
    """Each step before the next one can be known (domain.md §9.3)."""
    drawing().when(ANNOUNCE).then([ANNOUNCED])
    drawing(ANNOUNCED).when(OPEN).then([OPENED])
    drawing(ANNOUNCED, OPENED).when(CHOOSE).then([CHOSEN])


def test_each_step_is_made_once() -> None:
    """The same again changes nothing; another seed, another end or another commitment is refused."""
    drawing(ANNOUNCED).when(replace(ANNOUNCE, at=local("03-15"))).then_nothing()
    drawing(ANNOUNCED, OPENED).when(OPEN).then_nothing()
    drawing(ANNOUNCED, OPENED, CHOSEN).when(CHOOSE).then_nothing()
    drawing(ANNOUNCED, OPENED, CHOSEN).when(replace(CHOOSE, members=MEMBERS[1:])).then_nothing()
    for other in (
        replace(ANNOUNCE, commitment=commitment(OTHER_SEED)),
        replace(ANNOUNCE, ends=local("04-02", "00:00")),
        replace(ANNOUNCE, begins=local("03-02", "00:00")),
        replace(ANNOUNCE, hall="OTHER"),
    ):
        drawing(ANNOUNCED).when(other).then_refused(AlreadyThere)
    drawing(ANNOUNCED, OPENED).when(replace(OPEN, seed=OTHER_SEED)).then_refused(SeedMismatch)


def test_a_draw_is_announced_before_its_time_begins() -> None:
    """Or the seed could be chosen to suit what was rated already."""
    assert drawing().when(replace(ANNOUNCE, at=ANNOUNCE.begins)).events
    too_late = replace(ANNOUNCE, at=later(ANNOUNCE.begins, microseconds=1))
    drawing().when(too_late).then_refused(DateInPast, begins=ANNOUNCE.begins)
    for ends in (ANNOUNCE.begins, local("02-28", "00:00")):
        drawing().when(replace(ANNOUNCE, ends=ends)).then_refused(DateInPast)


def test_the_seed_is_the_one_announced_and_told_after_the_time() -> None:
    """Before it nobody could rate without knowing who will be asked."""
    drawing(ANNOUNCED).when(replace(OPEN, seed=OTHER_SEED)).then_refused(SeedMismatch)
    drawing(ANNOUNCED).when(replace(OPEN, at=later(ANNOUNCE.ends, microseconds=-1))).then_refused(
        TooEarly, until=ANNOUNCE.ends
    )


def test_nothing_is_drawn_before_a_checkpoint_has_published_the_seed() -> None:
    """The seed's own position is the last leaf the checkpoint may end with."""
    drawing(ANNOUNCED, OPENED).when(replace(CHOOSE, checkpoint=899)).then_refused(
        SeedMismatch, checkpoint=899, opened=900
    )
    assert drawing(ANNOUNCED, OPENED).when(replace(CHOOSE, checkpoint=2000)).event.checkpoint == 2000
    drawing(ANNOUNCED).when(CHOOSE).then_refused(OutOfTurn)


def test_what_is_drawn_from_is_what_was_there_when_the_seed_was_told() -> None:
    """Or whoever knows it could choose up to where: nothing is added, and nothing left out."""
    for before in (899, 901):
        drawing(ANNOUNCED, OPENED).when(replace(CHOOSE, before=before)).then_refused(SeedMismatch, before=before)


def test_what_was_flagged_is_drawn_from_among_the_members() -> None:
    """Nothing can be slipped in as flagged that was not rated then."""
    stranger = key("somewhere else")
    asked = replace(CHOOSE, flagged=(*NOTICED, stranger))
    drawing(ANNOUNCED, OPENED).when(asked).then_refused(UnknownReference, kind="review", value=[str(stranger)])


@pytest.mark.parametrize("command", [OPEN, CHOOSE])
def test_nothing_comes_of_a_draw_that_nobody_announced(command: DrawCommand) -> None:
    """And a history that lost its beginning still loads."""
    drawing().when(command).then_refused(Unknown)
    assert drawing(OPENED, CHOSEN).state is None


@pytest.mark.parametrize("by", [SUPERVISOR, AUDITOR, CITIZEN, Actor(person=SUPERVISOR.person, role=SUPERVISOR.role)])
def test_only_a_machine_draws(by: Actor) -> None:
    """Nobody picks who is asked."""
    drawing().when(replace(ANNOUNCE, by=by)).then_refused(NotYourRole)
    drawing(ANNOUNCED).when(replace(OPEN, by=by)).then_refused(NotYourRole)
    drawing(ANNOUNCED, OPENED).when(replace(CHOOSE, by=by)).then_refused(NotYourRole)


def test_without_rules_nothing_is_drawn() -> None:
    """Nor more than the policy says: where it says nothing, nobody."""
    bare = replace(FACTS, rulebook=Rulebook())
    for history, command in (((), ANNOUNCE), ((ANNOUNCED,), OPEN), ((ANNOUNCED, OPENED), CHOOSE)):
        drawing(*history, facts=bare).when(command).then_refused(NoPolicy)
    adopted = PolicyAdopted(
        at=local("02-01"), by=THE_SYSTEM, policy=replace(HALL, version=2, numbers=()), in_force_from=local("02-01")
    )
    silent = replace(FACTS, rulebook=RULEBOOK.evolve(FACTS.rulebook, adopted))
    announced = drawing(facts=silent).when(ANNOUNCE).event
    assert (announced.all_permille, announced.flagged_permille) == (0, 0)
    assert drawing(announced, OPENED).when(CHOOSE).event.drawn == ()


def test_one_percent_of_all_and_five_of_what_is_flagged_are_drawn() -> None:
    """Rounded up: at least one of any (domain.md §9.3); who is drawn twice is asked once."""
    assert (len(ALL_DRAWN), len(chosen(SEED, NOTICED, 50))) == (3, 2)
    for count, drawn in ((0, 0), (1, 1), (99, 1), (100, 1), (101, 2), (250, 3)):
        assert len(chosen(SEED, MEMBERS[:count], 10)) == drawn
    assert chosen(SEED, MEMBERS, 0) == ()
    assert set(chosen(SEED, MEMBERS, 1000)) == set(MEMBERS)
    twice = replace(CHOOSE, members=(*MEMBERS, *MEMBERS[:50]), flagged=(*NOTICED, *NOTICED))
    drawing(ANNOUNCED, OPENED).when(twice).then([CHOSEN])
    both = drawing(ANNOUNCED, OPENED).when(replace(CHOOSE, flagged=ALL_DRAWN)).event.drawn
    assert both == ALL_DRAWN


def test_anybody_can_repeat_the_choice() -> None:
    """In whatever order they have the reviews; by the published rule alone."""
    shuffled = list(MEMBERS)
    Random(7).shuffle(shuffled)
    assert chosen(SEED, shuffled, 10) == ALL_DRAWN
    assert digest_of_members(shuffled) == digest_of_members(MEMBERS)
    assert digest_of_members(MEMBERS[1:]) != digest_of_members(MEMBERS)
    by_hand = sorted(MEMBERS, key=lambda one: sha256(bytes.fromhex(SEED) + one.bytes).hexdigest())[:3]
    assert list(ALL_DRAWN) == by_hand
    assert commitment(SEED) == sha256(b"bihuan-draw-1\n" + b"\x5e" * 32).hexdigest()
    assert digest_of_members([UUID(int=2), UUID(int=1)]) == sha256(UUID(int=1).bytes + UUID(int=2).bytes).hexdigest()


def test_another_seed_draws_others() -> None:
    """And over many seeds nobody is drawn more often than others."""
    assert chosen(OTHER_SEED, MEMBERS, 10) != ALL_DRAWN
    seeds = [sha256(bytes([number])).hexdigest() for number in range(200)]
    drawn = Counter(one for seed in seeds for one in chosen(seed, MEMBERS[:20], 100))
    assert sum(drawn.values()) == 400
    assert max(drawn.values()) < 40


def test_a_hall_has_one_draw_for_each_beginning() -> None:
    """Its stream follows from both."""
    streams = {
        stream("GXQ", ANNOUNCE.begins), stream("GXQ", ANNOUNCE.ends), stream("OTHER", ANNOUNCE.begins),
    }  # fmt: skip
    assert len(streams) == 3
    assert stream("GXQ", ANNOUNCE.begins) == stream("GXQ", ANNOUNCE.begins)
