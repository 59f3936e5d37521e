"""Whatever anybody asks, in whatever order and post: histories load, steps follow the table, and persons stay apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import complaint
from domain.complaint import (
    COMPLAINT,
    NEXT_STEPS,
    Case,
    Event,
    Step,
    correcting,
    ending,
    extending,
    linking,
    privacy,
    publishing,
    recusal,
    returning,
    reviewing,
    supervision,
    timing,
    units,
)
from domain.complaint.state import OPEN, PROMISE, Clock
from domain.decider import THE_SYSTEM, Code, PersonKey, Role
from domain.decider import Event as AnyEvent
from domain.errors import LinkedCases, OutOfTurn, Refused
from tests.controls import LOOP
from tests.domain.stories import NAMES, NEVER_TOLD, TOLD, Story, command, stories, tell
from tests.domain.wishes import Pick
from tests.hall import local

WORK = (
    complaint.AssignmentAccepted, complaint.ComplainantContacted, complaint.EvidenceRecorded,
    complaint.FindingRecorded, complaint.RectificationPlanned, complaint.Rectified, complaint.ReplySubmitted,
    complaint.Replied, units.UnitAnswered, extending.ExtensionRequested,
)  # fmt: skip
APPROVAL = (
    complaint.ReplyApproved, timing.ClockPaused, extending.ExtensionApproved, extending.ExtensionRejected,
    ending.Refused, ending.Terminated,
)  # fmt: skip
VERIFICATION = (complaint.RectificationVerified,)
REVISIT = (complaint.RevisitAttempted, complaint.Revisited)
INTAKE = (complaint.Registered, complaint.AcknowledgementIssued, complaint.QueryCodeReplaced)
SECOND_HALVES: dict[type[AnyEvent], tuple[str, tuple[type[AnyEvent], ...]]] = {
    ending.Refused: ("proposal", (ending.RefusalProposed,)),
    ending.Terminated: ("proposal", (ending.TerminationProposed,)),
    linking.Unmerged: ("proposal", (linking.UnmergeProposed,)),
    publishing.Published: ("proposal", (publishing.PublicationProposed,)),
    publishing.IdentityDisclosed: ("proposal", (publishing.DisclosureProposed,)),
    extending.ExtensionApproved: ("extension", (extending.ExtensionRequested,)),
    extending.ExtensionRejected: ("extension", (extending.ExtensionRequested,)),
    recusal.RecusalDecided: ("recusal", (recusal.RecusalRequested,)),
    returning.AssignmentReturnApproved: ("request", (returning.AssignmentReturnRequested,)),
    returning.AssignmentReturnRejected: ("request", (returning.AssignmentReturnRequested,)),
    supervision.SupervisionLifted: ("supervision", (supervision.SupervisionAnswered,)),
}
"""What takes two people, and by which id its halves belong together."""


def persons(events: Sequence[AnyEvent], *kinds: type[AnyEvent]) -> frozenset[PersonKey]:
    """Everybody who acted, or had somebody act, in events of these kinds; machines are nobody."""
    acted = {who for event in events if isinstance(event, kinds) for who in event.by.persons}
    return frozenset(acted - {THE_SYSTEM.person})


def of_the_house(story: Story) -> list[AnyEvent]:
    """Give what was done by staff for the case: neither side's own steps, and nobody's word that they keep out."""
    return [
        event
        for event in story.history
        if event.by.role not in {Role.CITIZEN, Role.RESPONDENT, Role.SYSTEM}
        and not isinstance(event, (recusal.RecusalRequested, privacy.ErasureRequested))
    ]


def keeps_persons_apart(story: Story) -> None:
    """No pair of roles that domain.md §6.4 forbids is one person."""
    history = story.history
    # The clock that stands while the complainant looks for something is nobody's judgement.
    judged = [
        place
        for place, event in enumerate(history)
        if not isinstance(event, timing.ClockPaused) or event.reason != "awaiting_complainant_material"
    ]
    handlers, approvers = persons(history, *WORK), persons([history[place] for place in judged], *APPROVAL)
    verifiers, revisitors = persons(history, *VERIFICATION), persons(history, *REVISIT)
    assert not handlers & approvers, "handled and approved"
    assert not handlers & verifiers, "handled and verified"
    assert not handlers & revisitors, "handled and revisited"
    for place, event in enumerate(history):
        if isinstance(event, REVISIT):
            approved = persons([history[one] for one in judged if one < place], *APPROVAL)
            assert not event.by.persons & approved, "revisited what they approved"
        if isinstance(event, reviewing.ReviewDecided):
            part = persons(history[:place], *WORK, *VERIFICATION, *REVISIT, reviewing.ReviewDecided)
            part |= persons([history[one] for one in judged if one < place], *APPROVAL)
            assert not event.by.persons & part, "reviewed what they had a part in"


def takes_two(story: Story) -> None:
    """Who confirms, decides or lifts is not who proposed, asked or answered; nor whom it is about."""
    for place, event in enumerate(story.history):
        if type(event) not in SECOND_HALVES:
            continue
        by_which, firsts = SECOND_HALVES[type(event)]
        said = getattr(event, by_which)
        first = [one for one in story.history[:place] if isinstance(one, firsts) and getattr(one, by_which) == said]
        assert first or isinstance(event, supervision.SupervisionLifted), "decided what nobody asked for"
        for one in first:
            assert not event.by.persons & one.by.persons, f"{type(event).__name__} by whoever began it"
            if isinstance(one, recusal.RecusalRequested):
                assert one.target not in event.by.persons, "decided on themselves"
            if isinstance(event, ending.Refused | ending.Terminated | publishing.Published):
                assert event.proposer == one.by.person


def keeps_parties_out(story: Story) -> None:
    """Who complained, for themselves or for somebody, and who is complained of, act on nothing; nor who keeps out."""
    registered = story.history[0]
    assert isinstance(registered, complaint.Registered)
    respondent = registered.respondent
    agents = registered.by.persons if registered.by.role is Role.CITIZEN else frozenset()
    ours = of_the_house(story)
    acted = persons([event for event in ours if not isinstance(event, INTAKE)], *COMPLAINT.events)
    assert not acted & {registered.complainant, *agents}, "complained and acted"
    moments = {registered.at, registered.happened_at or registered.at}
    asked: dict[Any, PersonKey] = {}
    out: set[PersonKey] = set()
    at_work = {id(event) for event in ours}
    for event, facts in zip(story.history, story.known, strict=True):
        if id(event) in at_work and not isinstance(event, complaint.Registered | complaint.AcknowledgementIssued):
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
            if not isinstance(event, complaint.QueryCodeReplaced):
                assert not event.by.persons & out, "kept out and acted"
            if not isinstance(event, complaint.EvidenceRecorded | complaint.QueryCodeReplaced):
                assert not event.by.persons & set(asked.values()), "acted before it was decided"
        match event:
            case correcting.RecordCorrected(respondent=other) if other is not None:
                respondent = other
            case recusal.RecusalRequested(recusal=said, target=target):
                asked[said] = target
            case recusal.RecusalDecided(recusal=said, granted=granted):
                out |= {asked[said]} if granted else set()
                del asked[said]
            case _:
                pass


def keeps_units_out_of_revisits(story: Story) -> None:
    """Nobody of a unit that led, assisted or was asked calls the complainant afterwards."""
    involved: set[Code | None] = set()
    for event, facts in zip(story.history, story.known, strict=True):
        match event:
            case complaint.Assigned(department=department, assist=assist):
                involved |= {department, *assist}
            case units.UnitCalledIn(department=department) | units.HandedOver(department=department):
                involved.add(department)
            case complaint.RevisitAttempted() | complaint.Revisited():
                posts = [post for who in event.by.persons for post in facts.register.held_by(who, event.at)]
                found = {post.department for post in posts} - {None}
                assert involved.isdisjoint(found), "handled and revisited by one unit"
            case _:
                pass


def answers_and_revisits_before_it_closes(story: Story) -> None:
    """Every reply was approved or settled on the spot, and no case closes without somebody who tried to call since."""
    assert sum(isinstance(event, complaint.Registered) for event in story.history) == 1
    approved: set[Any] = set()
    since: Counter[type[AnyEvent]] = Counter()
    for event in story.history:
        match event:
            case complaint.ReplyApproved(reply=reply):
                approved.add(reply)
            case complaint.Replied(reply=reply, confirmed=confirmed):
                assert (reply in approved) is (confirmed is None), "answered what nobody approved"
                since = Counter()
            case complaint.Revisited():
                assert since[complaint.Replied] == 1
                assert since[complaint.Revisited] == 0, "revisited twice"
            case complaint.Closed():
                assert since[complaint.Replied] == 1
                assert since[complaint.RevisitAttempted] > 0, "closed without a try"
            case _:
                pass
        since[type(event)] += 1


def uses_no_id_twice(story: Story) -> None:
    """Evidence, plans and replies are what they were when somebody decided on them."""
    for kind, of in (
        (complaint.EvidenceRecorded, "evidence"),
        (complaint.RectificationPlanned, "rectification"),
        (complaint.Rectified, "rectification"),
        (complaint.RectificationVerified, "rectification"),
        (complaint.ReplySubmitted, "reply"),
        (timing.ClockPaused, "pause"),
        (timing.ClockResumed, "pause"),
        (extending.ExtensionRequested, "extension"),
        (units.UnitCalledIn, "call"),
        (units.UnitAnswered, "call"),
        (supervision.SupervisionIssued, "supervision"),
        (supervision.SupervisionLifted, "supervision"),
    ):
        used = Counter(getattr(event, of) for event in story.history if isinstance(event, kind))
        assert set(used.values()) <= {1}, f"one {of} twice"


def states(story: Story) -> Iterator[Case]:
    """Give the case as it stood after every decision."""
    case: Case | None = None
    for place, event in enumerate(story.history):
        case = COMPLAINT.evolve(case, event)
        more = story.history[place + 1 : place + 2]
        if case is not None and not (more and (more[0].at, more[0].by) == (event.at, event.by)):
            yield case


def waits_for_one_promise(case: Case) -> None:
    """Every open case has exactly one promise that runs or stands still, an ended one none that stands still."""
    if case.step not in OPEN:
        assert not case.paused, "an ended case stands still"
        return
    clock = PROMISE[case.step]
    running = [one for one in set(PROMISE.values()) if one is clock and case.due(one) is not None]
    assert running == [clock], f"nobody knows until when somebody waits at {case.step}"
    if case.paused:
        assert clock in {Clock.ACCEPT, Clock.HANDLE}, f"{clock} stands still"


def folds_in_parts(story: Story, pick: Pick) -> None:
    """Whoever reads on from where they stopped knows what somebody knows who reads it all."""
    cut = pick(range(len(story.history) + 1))
    assert COMPLAINT.fold(story.history[cut:], COMPLAINT.fold(story.history[:cut])) == story.case
    assert COMPLAINT.fold(story.history) == story.case


def holds(story: Story, pick: Pick) -> None:
    """Hold a story to every law."""
    if story.history:
        keeps_persons_apart(story)
        takes_two(story)
        keeps_parties_out(story)
        keeps_units_out_of_revisits(story)
        answers_and_revisits_before_it_closes(story)
        uses_no_id_twice(story)
        for case in states(story):
            waits_for_one_promise(case)
    folds_in_parts(story, pick)


def test_the_laws_hold_in_stories_that_are_always_the_same() -> None:
    """From first word to last, all steps reached, work sent back, people moved."""
    reached: set[Step] = set()
    kinds: set[type[AnyEvent]] = set()
    asked, granted = 0, 0
    for seed, story in enumerate(stories()):
        holds(story, Random(seed).choice)
        reached.update(case.step for case in states(story))
        kinds |= set(map(type, story.history))
        asked += story.asked
        granted += len(story.history)
    assert set(COMPLAINT.events) - NEVER_TOLD == kinds, "a law about what never happens says nothing"
    assert reached == set(Step)
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
    answers: dict[tuple[Step, Code], set[str]] = {}
    for seed, story in enumerate(stories()):
        chance = Random(seed)
        if story.case is None:
            continue
        for name in NAMES:
            asked = command(chance.choice, name, local("11-10"), THE_SYSTEM, story.case)
            try:
                COMPLAINT.decide(story.case, asked, story.gathered(asked))
                answer = "granted"
            except Refused as refused:
                answer = refused.code
            answers.setdefault((story.case.step, name), set()).add(answer)
    for (step, name), given_ones in answers.items():
        if name in NEXT_STEPS[step]:
            assert given_ones != {OutOfTurn.code}, (step, name)
        else:
            # What is merged into a case keeps it from ending, whichever step that is.
            assert given_ones <= {OutOfTurn.code, LinkedCases.code}, (step, name)
    assert len({step for step, _ in answers}) > len(Step) / 2
