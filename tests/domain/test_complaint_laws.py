"""Whatever anybody asks, in whatever order and post: histories load, steps follow the table, and persons stay apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import complaint
from domain.complaint import COMPLAINT, NEXT_STEPS, Event, Step, next_steps
from domain.decider import THE_SYSTEM, Code, PersonKey, Role
from domain.decider import Event as AnyEvent
from domain.errors import OutOfTurn, Refused
from tests.controls import LOOP
from tests.domain.stories import NAMES, Pick, Story, command, tell
from tests.hall import FACTS, HALL, local

WORK = (
    complaint.AssignmentAccepted, complaint.ComplainantContacted, complaint.EvidenceRecorded,
    complaint.FindingRecorded, complaint.RectificationPlanned, complaint.Rectified, complaint.ReplySubmitted,
    complaint.Replied,
)  # fmt: skip
APPROVAL = (complaint.ReplyApproved, complaint.ReworkOrdered)
VERIFICATION = (complaint.RectificationVerified,)
REVISIT = (complaint.RevisitAttempted, complaint.Revisited)
INTAKE = (complaint.Registered, complaint.AcknowledgementIssued, complaint.QueryCodeReplaced)
TOLD = 200
"""How many stories are told with the same chance every time; hypothesis tells others, and shortens those that fail."""


def persons(story: Story, *kinds: type[AnyEvent]) -> frozenset[PersonKey]:
    """Everybody who acted, or had somebody act, in events of these kinds; machines are nobody."""
    acted = {who for event in story.history if isinstance(event, kinds) for who in event.by.persons}
    return frozenset(acted - {THE_SYSTEM.person})


def keeps_persons_apart(story: Story) -> None:
    """No pair of roles that domain.md §6.4 forbids is one person."""
    handlers, approvers = persons(story, *WORK), persons(story, *APPROVAL)
    verifiers, revisitors = persons(story, *VERIFICATION), persons(story, *REVISIT)
    assert not handlers & approvers, "handled and approved"
    assert not handlers & verifiers, "handled and verified"
    assert not handlers & revisitors, "handled and revisited"
    assert not approvers & revisitors, "approved and revisited"


def keeps_parties_out(story: Story) -> None:
    """Who complained, for themselves or for somebody, and who is complained of, act on nothing."""
    registered = story.history[0]
    assert isinstance(registered, complaint.Registered)
    respondent = registered.respondent
    agents = registered.by.persons if registered.by.role is Role.CITIZEN else frozenset()
    acted = persons(story, *(kind for kind in COMPLAINT.events if kind not in INTAKE))
    assert not acted & {registered.complainant, *agents}, "complained and acted"
    moments = {registered.at, registered.happened_at or registered.at}
    for event, facts in zip(story.history, story.known, strict=True):
        if not isinstance(event, complaint.Registered | complaint.AcknowledgementIssued):
            assert respondent.staff not in event.by.persons, "complained of and acted"
            held = [
                post
                for who in event.by.persons
                for moment in {event.at, *moments}
                for post in facts.register.held_by(who, moment)
            ]
            if respondent.window is not None:
                windows = {post.window for post in held}
                assert respondent.window not in windows, "served at the window complained of and acted"


def keeps_units_out_of_revisits(story: Story) -> None:
    """Nobody of a unit that led or assisted calls the complainant afterwards."""
    units: set[Code] = set()
    for event, facts in zip(story.history, story.known, strict=True):
        if isinstance(event, complaint.Assigned):
            units |= {event.department, *event.assist}
        if isinstance(event, REVISIT):
            posts = [post for who in event.by.persons for post in facts.register.held_by(who, event.at)]
            assert units.isdisjoint(post.department for post in posts), "handled and revisited by one unit"


def answers_and_revisits_before_it_closes(story: Story) -> None:
    """Every reply was approved, and no case ends without a reply and somebody who tried to call."""
    kinds = Counter(map(type, story.history))
    assert kinds[complaint.Registered] == 1
    assert kinds[complaint.Replied] <= 1
    assert kinds[complaint.Revisited] <= kinds[complaint.Replied]
    assert kinds[complaint.Closed] <= min(kinds[complaint.Replied], kinds[complaint.RevisitAttempted])
    for place, event in enumerate(story.history):
        if isinstance(event, complaint.Replied):
            approved = [one.reply for one in story.history[:place] if isinstance(one, complaint.ReplyApproved)]
            assert approved == [event.reply]


def uses_no_id_twice(story: Story) -> None:
    """Evidence, plans and replies are what they were when somebody decided on them."""
    for kind, of in (
        (complaint.EvidenceRecorded, "evidence"),
        (complaint.RectificationPlanned, "rectification"),
        (complaint.Rectified, "rectification"),
        (complaint.RectificationVerified, "rectification"),
        (complaint.ReplySubmitted, "reply"),
    ):
        used = Counter(getattr(event, of) for event in story.history if isinstance(event, kind))
        assert set(used.values()) <= {1}, f"one {of} twice"


def folds_in_parts(story: Story, pick: Pick) -> None:
    """Whoever reads on from where they stopped knows what somebody knows who reads it all."""
    cut = pick(range(len(story.history) + 1))
    assert COMPLAINT.fold(story.history[cut:], COMPLAINT.fold(story.history[:cut])) == story.case
    assert COMPLAINT.fold(story.history) == story.case


def holds(story: Story, pick: Pick) -> None:
    """Hold a story to every law."""
    if story.history:
        keeps_persons_apart(story)
        keeps_parties_out(story)
        keeps_units_out_of_revisits(story)
        answers_and_revisits_before_it_closes(story)
        uses_no_id_twice(story)
    folds_in_parts(story, pick)


def test_the_laws_hold_in_stories_that_are_always_the_same() -> None:
    """From first word to last, all steps reached, work sent back, people moved."""
    reached: Counter[Step | None] = Counter()
    kinds: set[type[AnyEvent]] = set()
    asked, granted = 0, 0
    for seed in range(TOLD):
        chance = Random(seed)
        story = tell(chance.choice)
        holds(story, chance.choice)
        reached[None if story.case is None else story.case.step] += 1
        kinds |= set(map(type, story.history))
        asked += story.asked
        granted += len(story.history)
    assert set(COMPLAINT.events) == kinds, "a law about what never happens says nothing"
    assert reached[Step.CLOSED] > TOLD / 20
    assert TOLD < granted < asked


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_the_laws_hold_whatever_anybody_asks(data: st.DataObject) -> None:
    """The same stories, told by somebody who looks for the one that breaks."""

    def pick(options: Sequence[Any]) -> Any:  # noqa: ANN401 - one of whatever is offered
        return data.draw(st.sampled_from(options))

    story = tell(pick, longest=30)
    holds(story, pick)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(LOOP), max_size=30))
def test_any_events_in_any_order_load(events: list[Event]) -> None:
    """Rules of another year may have let anything happen; it still loads."""
    COMPLAINT.fold(events)
    assert COMPLAINT.fold([LOOP[0], *events]) is not None


def test_next_steps_are_exactly_the_commands_that_have_their_turn() -> None:
    """What is offered can be asked for, and what can be asked for is offered (domain.md §6.3)."""
    turns: dict[Step, set[Code]] = {step: set() for step in Step}
    for last in range(1, len(LOOP) + 1):
        case = COMPLAINT.fold(LOOP[:last])
        assert case is not None
        for name in NAMES:
            try:
                COMPLAINT.decide(case, command(Random(0).choice, name, local("03-10"), THE_SYSTEM, case), FACTS)
            except OutOfTurn:
                continue
            except Refused:
                turns[case.step].add(name)
    # The system may deliver a reply, so asking for that is not refused but granted; every other answer is a refusal.
    turns[Step.REPLY_APPROVED].add("reply")
    assert turns == {step: set(names) for step, names in NEXT_STEPS.items()}
    assert next_steps(Step.CLOSED, HALL, Role.HANDLER) == ("plan-rectification", "rectify")
