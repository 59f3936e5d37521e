"""Several cases that are merged, taken apart and split while everything else goes on: nobody who complained is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from random import Random
from typing import Any, Final
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import complaint
from domain.complaint import COMPLAINT, Case, Command, Step
from domain.complaint.linking import Unmerged
from domain.complaint.recusal import RecusalRequested
from domain.complaint.splitting import Split, SplitCase
from domain.complaint.state import OPEN, Respondent
from domain.decider import Actor, For, PersonKey, Role
from domain.errors import Refused
from tests.controls import LOOP, REGISTERED
from tests.domain.cast import HE
from tests.domain.stories import SPANS, Story, command, some_wish, somebody
from tests.domain.wishes import ANOTHER, ITSELF, THIRD, Pick
from tests.hall import COMPLAINANT, NUMBER, STRANGER, local

COMPLAINED: Final = {ITSELF: COMPLAINANT, ANOTHER: STRANGER, THIRD: HE}
"""Who made which case; one of them works in the hall."""


OF_THE_MERGED: Final = ("propose-unmerge", "reply-linked", "reply-linked", "revisit-linked")
OF_OTHERS: Final = ("merge", "split")
GIVEN_UP: Final = {Step.WITHDRAWN, Step.TRANSFERRED_OUT, Step.REFUSED, Step.TERMINATED}


@dataclass
class World:
    """Cases side by side; what is decided on one may happen on others."""

    stories: dict[UUID, Story]
    granted: Counter[str]

    def ask(self, where: UUID, asked: Command) -> None:
        """Let the rules answer, on whichever cases it concerns."""
        story = self.stories[where]
        others = {key: self.stories[key].case for key in asked.others(story.case) if key in self.stories}
        numbers = (NUMBER,) * (len(asked.parts) if isinstance(asked, SplitCase) else 0)
        facts = replace(story.facts, itself=where, others=others, complaint_nos=numbers)
        try:
            decided = COMPLAINT.decide(story.case, asked, facts)
        except Refused:
            return
        for one in decided:
            stream, event = (one.stream, one.event) if isinstance(one, For) else (where, one)
            there = self.stories.setdefault(stream, Story(now=story.now))
            there.take(event)
            self.granted[type(event).__name__] += 1

    def cases(self) -> dict[UUID, Case]:
        """Give all cases as they stand."""
        return {key: story.case for key, story in self.stories.items() if story.case is not None}


def begin(pick: Pick) -> World:
    """Give three cases of different people, each somewhere in the loop."""
    stories = {}
    for where, who in COMPLAINED.items():
        by = Actor(person=who, role=Role.CITIZEN)
        told = replace(REGISTERED, complainant=who, respondent=Respondent(), by=by, points=3)
        story = Story()
        for event in (told, *LOOP[1 : pick([1, 3, 3, 5, 8, 14, 14])]):
            story.now = event.at
            story.take(event)
        stories[where] = story
    return World(stories, Counter())


def go_on(world: World, pick: Pick, steps: int) -> None:
    """Let people ask for things, for merging and splitting above all."""
    now: datetime = max(local("03-01"), *(story.now for story in world.stories.values()))
    for _ in range(steps):
        now += pick(SPANS[:5])
        where = pick(list(world.stories))
        story = world.stories[where]
        story.now = now
        assert story.case is not None
        likely = OF_THE_MERGED if story.case.step is Step.MERGED else OF_OTHERS
        second = ["confirm-unmerge"] * 4 if story.case.proposals and story.case.step is Step.MERGED else []
        name = pick([*likely, *second, None, None])
        if name is None:
            world.ask(where, some_wish(pick, story))
        else:
            world.ask(where, command(pick, name, now, somebody(pick, name, story), story.case))
        holds(world)


def made(story: Story) -> frozenset[PersonKey]:
    """Give who complained, from how the complaint came."""
    first = story.history[0]
    assert isinstance(first, complaint.Registered)
    return frozenset({first.complainant})


def holds(world: World) -> None:
    """Hold the cases to the laws of merging and splitting."""
    cases = world.cases()
    everybody = frozenset(COMPLAINED.values())
    assert everybody == frozenset().union(*(made(story) for story in world.stories.values()))
    for key, case in cases.items():
        assert made(world.stories[key]) <= case.made_by
        if case.step is Step.MERGED:
            assert case.primary is not None
            primary = cases[case.primary]
            assert key in primary.linked, "the other case does not know of it"
            assert case.made_by <= primary.joined_by, "whoever complained may handle the other case"
            assert primary.primary is None, "merged into what is merged itself"
            assert primary.step not in GIVEN_UP, primary.step
        for child in case.linked:
            assert cases[child].primary == key, "counts somebody who stands elsewhere"
    originals = sum(3 for _ in COMPLAINED)
    assert sum(case.points for case in cases.values()) == originals, "a point got lost, or counts twice"


def keeps_complainants_out(story: Story) -> None:
    """From the moment a case is joined, whoever complained there does nothing for the house on this one."""
    out: set[PersonKey] = set(made(story))
    for event in story.history:
        ours = event.by.role not in {Role.CITIZEN, Role.RESPONDENT, Role.SYSTEM}
        silent = RecusalRequested, complaint.ErasureRequested, complaint.Registered, complaint.AcknowledgementIssued
        if ours and not isinstance(event, silent):
            assert not event.by.persons & out, type(event).__name__
        if isinstance(event, complaint.linking.DuplicateLinked):
            out |= set(event.complainants)


@cache
def worlds() -> tuple[World, ...]:
    """Give worlds that are always the same, each held to the laws after every step."""
    found = []
    for seed in range(150):
        pick = Random(seed).choice
        found.append(begin(pick))
        go_on(found[-1], pick, 40)
    return tuple(found)


def test_no_complainant_is_lost_in_stories_that_are_always_the_same() -> None:
    """Whatever is merged, taken apart, split, answered and revisited in between."""
    granted: Counter[str] = Counter()
    for world in worlds():
        granted += world.granted
        for story in world.stories.values():
            keeps_complainants_out(story)
            assert COMPLAINT.fold(story.history) == story.case
    for kind in ("Merged", "DuplicateLinked", Unmerged.__name__, "DuplicateUnlinked", Split.__name__, "Replied"):
        assert granted[kind] > 3, granted


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_no_complainant_is_lost_whatever_anybody_asks(data: st.DataObject) -> None:
    """The same, told by somebody who looks for the one story that breaks."""

    def pick(options: Sequence[Any]) -> Any:  # noqa: ANN401 - one of whatever is offered
        return data.draw(st.sampled_from(options))

    world = begin(pick)
    go_on(world, pick, 15)
    for story in world.stories.values():
        keeps_complainants_out(story)


def test_a_joined_case_is_answered_and_revisited_of_its_own() -> None:
    """In every story in which that comes about: its own complainant hears the answer, after the primary's did."""
    heard = 0
    for world in worlds():
        for story in world.stories.values():
            merged = False
            for event in story.history:
                merged = (merged or isinstance(event, complaint.linking.Merged)) and not isinstance(event, Unmerged)
                heard += merged and isinstance(event, complaint.Replied)
        for case in world.cases().values():
            assert case.answered_with is None or case.primary is not None
            assert case.step in OPEN or not any(stop.end is None for stop in case.stops)
    assert heard > 3
