"""Whatever anybody asks, in whatever order: a visit has one first rating, which stays, and every history loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.complaint.state import IdentityMode
from domain.decider import THE_SYSTEM, Actor, Decider, Event, For, Metadata, Role
from domain.errors import Refused
from domain.grade import Grade
from domain.occasion import OCCASION, Expire, Expired, Invite, Invited, Medium, Occasion, Open, Opened, Reviewed, Submit
from domain.review import (
    REVIEW,
    Accepted,
    Append,
    Appended,
    Corroborate,
    Corroborated,
    Review,
    ReviewChannel,
    Submitted,
)
from domain.rulebook import Profile
from projections.codec import decode, encode
from tests.hall import CITIZEN, COUNTER, HEAD, MEASURED, STRANGER, key, later
from tests.visits import (
    BLANK,
    EVIDENCE,
    EXPIRE,
    FACTS,
    GOOD,
    INVITE,
    OPEN,
    OWN_LINK,
    SOMEBODY,
    SUBMIT,
    WINDOW_CLERK,
    WORDS,
)

S = TypeVar("S")
TOKENS = ["a1" * 32, "a2" * 32, "a3" * 32]
ACTORS = [CITIZEN, SOMEBODY, COUNTER, WINDOW_CLERK, HEAD, THE_SYSTEM, Actor(person=STRANGER, role=Role.INTAKE)]
CODES = ["517", "413", "314", "214", "115", "501", "999"]
MADE = Metadata(command="example", source="test")
AtVisit = Open | Invite | Submit | Expire
AtRating = Append | Corroborate
AnyCommand = AtVisit | AtRating


@dataclass
class Told:
    """One visit and its rating, as they were told: what was asked, what happened on either stream, what was refused."""

    visit: list[Any] = field(default_factory=list)
    rating: list[Any] = field(default_factory=list)
    granted: list[AnyCommand] = field(default_factory=list)

    def ask(self, command: AnyCommand) -> Sequence[Event | For] | Refused:
        """Ask for something; what follows is remembered, each event in its place."""
        try:
            if isinstance(command, AtVisit):
                found = OCCASION.decide(OCCASION.fold(self.visit), command, FACTS)
            else:
                found = REVIEW.decide(REVIEW.fold(self.rating), command, FACTS)
        except Refused as refused:
            return refused
        own = self.visit if isinstance(command, AtVisit) else self.rating
        for one in found:
            event = one.event if isinstance(one, For) else one
            assert decode(*encode(event, MADE)) == (event, MADE)
            (self.rating if isinstance(one, For) else own).append(event)
        self.granted.append(command)
        return found


grades = st.sampled_from(list(Grade))
codes = st.lists(st.sampled_from(CODES), max_size=2).map(tuple)
texts = st.sampled_from([{"text": None, "text_facts": None}, BLANK, WORDS])
fitting = {"very_satisfied": "517", "satisfied": "413", "basically_satisfied": "314", "dissatisfied": "214"}


@st.composite
def opinions(draw: st.DrawFn) -> Any:  # noqa: ANN401 - an opinion, or what a follow-up says
    """Draw what somebody says; often something that may be said."""
    grade = draw(grades)
    ticked = draw(st.one_of(st.just((fitting.get(grade, "115"),)), codes))
    mode = draw(st.sampled_from(list(IdentityMode)))
    link = draw(st.sampled_from([OWN_LINK, OWN_LINK, OWN_LINK, None]))
    return replace(GOOD, grade=grade, codes=ticked, identity_mode=mode, own_link=link, **draw(texts))


@st.composite
def commands(draw: st.DrawFn) -> AnyCommand:
    """Draw one command: by anybody, with any token or link; moments come later."""
    kind = draw(st.sampled_from([Open, Invite, Invite, Submit, Submit, Submit, Append, Append, Corroborate, Expire]))
    by = draw(st.one_of(st.just(CITIZEN), st.sampled_from(ACTORS)))
    at = OPEN.at
    if kind is Open:
        told: dict[str, Any] = draw(
            st.sampled_from([{}, {}, {"window": "W04"}, {"profile": Profile.LEDGER}, {"staff": STRANGER}])
        )
        return replace(OPEN, by=draw(st.sampled_from([THE_SYSTEM, by])), **told)
    if kind is Invite:
        token = draw(st.sampled_from(TOKENS))
        return Invite(
            at=at, by=draw(st.sampled_from([COUNTER, by])), invitation=key(token),
            medium=draw(st.sampled_from(list(Medium))), token=token,
        )  # fmt: skip
    if kind is Submit:
        return Submit(at=at, by=by, token=draw(st.sampled_from([*TOKENS, None])), opinion=draw(opinions()))
    if kind is Expire:
        return Expire(at=at, by=by)
    link = draw(st.sampled_from([OWN_LINK, OWN_LINK, "b2" * 32]))
    if kind is Corroborate:
        return Corroborate(at=at, by=by, own_link=link)
    said = draw(opinions())
    return Append(
        at=at, by=by, own_link=link, grade=draw(st.sampled_from([said.grade, said.grade, None])), codes=said.codes,
        text=said.text, text_facts=said.text_facts, similar=(), channel=ReviewChannel.MOBILE, evidence=EVIDENCE,
    )  # fmt: skip


@st.composite
def stories(draw: st.DrawFn) -> list[AnyCommand]:
    """Draw a sequence of commands at moments that never go back; many stories begin as they should."""
    hours = st.sampled_from([0, 0, 1, 5, 24, 200])
    moment = SUBMIT.at
    first = draw(st.sampled_from([SUBMIT, replace(SUBMIT, by=WINDOW_CLERK, token=None)]))
    begun: list[AnyCommand] = [OPEN, INVITE, replace(first, opinion=draw(opinions()))]
    asked = begun[: draw(st.integers(0, len(begun)))]
    for command in draw(st.lists(commands(), max_size=20)):
        moment = later(moment, hours=draw(hours))
        asked.append(replace(command, at=moment))
    return asked


def tell(asked: Sequence[AnyCommand]) -> Told:
    """Tell a story."""
    told = Told()
    for command in asked:
        told.ask(command)
    return told


def in_two(decider: Decider[S, Any, Any, Any], events: Sequence[Any]) -> Iterator[S]:
    """Give the state after the events, folded in two parts, wherever they are parted."""
    for place in range(len(events) + 1):
        yield decider.fold(events[place:], decider.fold(events[:place]))


@settings(max_examples=150, deadline=None)
@given(stories())
def test_every_history_loads_at_once_or_in_parts(asked: list[AnyCommand]) -> None:
    """Whatever was asked; and every event came back from its bytes when it was told."""
    told = tell(asked)
    visit: Occasion | None = OCCASION.fold(told.visit)
    assert all(state == visit for state in in_two(OCCASION, told.visit))
    rating: Review | None = REVIEW.fold(told.rating)
    assert all(state == rating for state in in_two(REVIEW, told.rating))
    assert (rating is None) == (visit is None or visit.reviewed is None)


@settings(max_examples=150, deadline=None)
@given(stories())
def test_a_visit_has_one_first_rating_and_one_end(asked: list[AnyCommand]) -> None:
    """Rated once or never, and after its end not at all; one follow-up, one confirmation, one work order at most."""
    told = tell(asked)
    on_visit, on_rating = Counter(map(type, told.visit)), Counter(map(type, told.rating))
    assert on_visit[Opened] <= 1
    assert on_visit[Reviewed] + on_visit[Expired] <= 1
    assert on_visit[Reviewed] == on_rating[Submitted] == bool(told.rating)
    assert max(on_rating[Appended], on_rating[Corroborated], on_rating[Accepted]) <= 1
    grades_told = [one.grade for one in told.rating if isinstance(one, Submitted | Appended) and one.grade is not None]
    hall = [one.profile for one in told.rating if isinstance(one, Submitted)] == [Profile.HALL]
    assert on_rating[Accepted] == (hall and any(grade.bad for grade in grades_told)), "every bad rating has an order"


@settings(max_examples=150, deadline=None)
@given(stories())
def test_a_first_rating_never_changes(asked: list[AnyCommand]) -> None:
    """Whatever is added, confirmed or asked for after it."""
    told = Told()
    first: Submitted | None = None
    for command in asked:
        told.ask(command)
        state = REVIEW.fold(told.rating)
        assert first is None or (state is not None and state.submitted == first)
        first = None if state is None else state.submitted


@settings(max_examples=150, deadline=None)
@given(stories())
def test_a_token_works_once_and_only_for_whoever_has_it(asked: list[AnyCommand]) -> None:
    """A rating with a token came from a person with an invitation; without one it waits to be confirmed."""
    told = tell(asked)
    tokens = {one.token for one in told.visit if isinstance(one, Invited)}
    for one in told.rating:
        if isinstance(one, Submitted):
            assert (one.token in tokens) == (one.by.role is Role.CITIZEN) == (one.token is not None)
            assert one.corroborated == (one.by.role is Role.CITIZEN or one.profile is Profile.LEDGER)
            assert one.reviewer is None or one.identity_mode is IdentityMode.REAL_NAME
            reason = one.codes or one.text_facts == MEASURED
            assert reason or not one.grade.bad or one.profile is Profile.LEDGER
        if isinstance(one, Appended | Corroborated):
            assert one.by.role is Role.CITIZEN
        if isinstance(one, Accepted):
            named = told.rating[0].reviewer is not None
            assert (one.contact_due is not None) == named


@settings(max_examples=150, deadline=None)
@given(stories())
def test_what_is_asked_twice_happens_once(asked: list[AnyCommand]) -> None:
    """The same command again writes nothing or is refused."""
    told = Told()
    for command in asked:
        told.ask(command)
        again = told.ask(command)
        assert isinstance(again, Refused) or list(again) == []


@settings(max_examples=150, deadline=None)
@given(stories())
def test_silence_is_never_a_rating(asked: list[AnyCommand]) -> None:
    """Without anybody who submits there is no rating, whoever waits how long (domain.md F2)."""
    told = tell([one for one in asked if not isinstance(one, Submit)])
    told.ask(replace(EXPIRE, at=later(EXPIRE.at, days=900)))
    assert told.rating == []


def test_the_stories_reach_everything() -> None:
    """In a few hundred of them a visit meets everything, and every command is granted and refused."""
    seen: set[type[object]] = set()
    refused: set[type[object]] = set()
    granted: set[type[object]] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(stories())
    def collect(asked: list[AnyCommand]) -> None:
        told = Told()
        for command in asked:
            found = told.ask(command)
            (refused if isinstance(found, Refused) else granted).add(type(command))
        seen.update(map(type, (*told.visit, *told.rating)))

    collect()
    # What follows from a bad one is told in stories of its own.
    assert seen == {*OCCASION.events, Submitted, Accepted, Appended, Corroborated}
    assert granted == refused == {Open, Invite, Submit, Expire, Append, Corroborate}
