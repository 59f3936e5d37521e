"""Whatever anybody asks of a review, in whatever order and post: persons stay apart, and nothing ends unanswered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decider import THE_SYSTEM, Event, PersonKey, Role
from domain.errors import NotYourRole, OutOfTurn, Refused, Unknown
from domain.review import NEXT_STEPS, REVIEW, Appended, Corroborated, Review, ReviewCommand, Stage, Submitted
from domain.review.adding import MistakeConfirmed
from domain.review.appealing import (
    AppealDecided,
    AppealDecisionProposed,
    Appealed,
    AppealResult,
    Excluded,
    Tell,
    Told,
)
from domain.review.flagging import Check, Checked, CheckOwed, FlagCleared, Flagged
from domain.review.linking import ComplaintLinked
from domain.review.objecting import (
    ExclusionObjected,
    ObjectionDecided,
    ObjectionDecisionProposed,
    ObjectionResult,
    Reinstated,
)
from domain.review.proposals import ProposalDeclined
from domain.review.revisiting import Closed, Revisit, RevisitAttempted, Revisited, ReworkOrdered
from domain.review.settling import ExplanationGiven, RectificationPlanned, Rectified, Replied
from domain.review.state import Clock, in_hand
from domain.review.submitting import Accepted
from domain.review.verifying import Contact, Contacted, EvidenceRecorded, Verified
from domain.review.watching import SupervisionAnswered, SupervisionIssued, SupervisionLifted
from tests.bad_reviews import LOOP, PAN
from tests.domain.review_stories import BEFORE, BY_LINK, NAMES, PEOPLE, TOLD, Story, command, some_wish, stories, tell
from tests.domain.wishes import Pick
from tests.hall import CITIZEN, FENG, HALL
from tests.visits import OPENED

WORK: Final = (Contacted, Verified, RectificationPlanned, Rectified, ExplanationGiven, Replied)
"""What is done about a bad review by whoever looks into it or settles it."""
DECISION: Final = (
    AppealDecisionProposed,
    AppealDecided,
    Excluded,
    ObjectionDecisionProposed,
    ObjectionDecided,
    Reinstated,
)
ASKING: Final = (RevisitAttempted, Revisited, Checked)
BY_THEMSELVES: Final = (Submitted, Appended, Corroborated, MistakeConfirmed, ExclusionObjected, ComplaintLinked)
ATTEMPTS: Final = (Contact, Tell, Revisit, Check)
"""What may be tried again, as long as nobody was reached."""
RATED: Final = {FENG, PAN}
"""Who served, and who held a post at that window then."""


def persons(events: Sequence[Any], *kinds: type[Event]) -> frozenset[PersonKey]:
    """Everybody who acted, or had somebody act, in events of these kinds; a machine is nobody."""
    return frozenset(who for one in events if isinstance(one, kinds) for who in one.by.persons) - {THE_SYSTEM.person}


def keeps_the_rated_out(story: Story) -> None:
    """Nobody rated, nor anybody for them, does anything but appeal, or bring evidence as the other side."""
    for one in story.history:
        if isinstance(one, BY_THEMSELVES):
            continue
        own_cause = isinstance(one, Appealed | EvidenceRecorded) and one.by.role in {Role.RESPONDENT, Role.UNIT_HEAD}
        if own_cause and one.by.role is Role.RESPONDENT:
            assert one.by.persons & RATED, "spoke as the other side without being it"
        assert own_cause or not one.by.persons & RATED, type(one).__name__


def keeps_who_rated_out(story: Story) -> None:
    """Whoever rated, or wrote it down, takes no part as somebody of the house."""
    first = story.history[0]
    authors = {*first.by.persons, first.reviewer} - {None, THE_SYSTEM.person}
    for one in story.history:
        assert isinstance(one, BY_THEMSELVES) or not one.by.persons & authors, type(one).__name__
        if isinstance(one, BY_THEMSELVES[1:]):
            assert one.by.role is Role.CITIZEN


def keeps_persons_apart(story: Story) -> None:
    """Those who work, who contest, who decide and who ask afterwards are different people, in whatever order."""
    history = story.history
    for_the_unit = [one for one in history if isinstance(one, EvidenceRecorded) and one.by.role in UNIT]
    workers = persons(history, *WORK) | persons(for_the_unit, EvidenceRecorded)
    deciders = persons(history, *DECISION, ProposalDeclined)
    assert not workers & deciders, "worked and decided"
    assert not workers & persons(history, *ASKING), "worked and asked about it"
    assert not persons(history, Appealed) & deciders, "appealed and decided"
    assert not deciders & persons(history, *ASKING), "asked and decided"
    assert not persons(history, Appealed) & persons(history, *ASKING) - persons(later_appeals(history), Appealed)
    for place, one in enumerate(history):
        if isinstance(one, SupervisionLifted):
            answered = [it for it in history[:place] if isinstance(it, SupervisionAnswered)]
            own = persons([it for it in answered if it.supervision == one.supervision], SupervisionAnswered)
            assert not one.by.persons & own, "answered and lifted"


UNIT: Final = {Role.VERIFIER, Role.HANDLER, Role.UNIT_HEAD}


def later_appeals(history: Sequence[Any]) -> list[Any]:
    """Give the appeals of those who had asked before they appealed: a supervisor who checked it contests it."""
    return [
        one
        for place, one in enumerate(history)
        if isinstance(one, Appealed) and one.by.persons & persons(history[:place], *ASKING)
    ]


def outside(one: Any) -> bool:  # noqa: ANN401 - an event
    """Say whether nobody who acted had a post in the department that was rated."""
    posts = [post for who in one.by.persons for post in BEFORE.register.held_by(who, one.at)]
    return "approval" not in {post.department for post in posts}


def keeps_the_unit_out(story: Story) -> None:
    """Nobody with a post in the department decides, revisits or checks."""
    for one in story.history:
        if isinstance(one, (*DECISION, ProposalDeclined, *ASKING)):
            assert outside(one), type(one).__name__


def excludes_nothing_silently(story: Story) -> None:
    """An appeal, a listed reason, named evidence, two different people from outside; who rated is told (A7)."""
    history = story.history
    for place, one in enumerate(history):
        if not isinstance(one, Excluded):
            continue
        before = history[:place]
        (appealed,) = [it for it in before if isinstance(it, Appealed)]
        decided = before[-1]
        assert isinstance(decided, AppealDecided)
        assert decided.result is AppealResult.EXCLUDE
        assert appealed.appeal == decided.appeal == one.appeal
        assert one.reason == decided.reason in HALL.codes("exclude_reason")
        assert one.reason != "mistaken_grade" or any(isinstance(it, MistakeConfirmed) for it in before)
        known = {it.evidence for it in before if isinstance(it, EvidenceRecorded)}
        assert one.evidence
        assert set(one.evidence) <= known
        proposed = [it for it in before if isinstance(it, AppealDecisionProposed) and it.proposal == decided.proposal][
            -1
        ]
        assert (proposed.reason, proposed.evidence) == (one.reason, one.evidence)
        assert not proposed.by.persons & one.by.persons, "one and the same decided"
        assert proposed.by.role is one.by.role is Role.PANEL
        assert (one.objection_until is None) == (one.tell_due is not None) == (history[0].reviewer is not None)


def leaves_an_objection_to_others(story: Story) -> None:
    """Nobody who proposed, declined or confirmed on the appeal does so on the objection (domain.md §7.2)."""
    out = [place for place, one in enumerate(story.history) if isinstance(one, Excluded)]
    if out:
        before, after = story.history[: out[0] + 1], story.history[out[0] + 1 :]
        kinds = (*DECISION, ProposalDeclined)
        assert not persons(before, *kinds) & persons(after, *kinds)
        for place, one in enumerate(after):
            if isinstance(one, Reinstated):
                decided = after[place - 1]
                assert isinstance(decided, ObjectionDecided)
                assert decided.result is ObjectionResult.REINSTATE
                (proposed,) = [
                    it
                    for it in after[:place]
                    if isinstance(it, ObjectionDecisionProposed) and it.proposal == decided.proposal
                ][-1:]
                assert not proposed.by.persons & one.by.persons, "one and the same decided"


def ends_nothing_unanswered(story: Story) -> None:
    """Closed has a verdict, a settlement, a reply, and a revisit, enough attempts, or nobody to ask (A4)."""
    history = story.history
    for place, one in enumerate(history):
        if not isinstance(one, Closed):
            continue
        assert one.by == THE_SYSTEM
        begin = max((at for at, it in enumerate(history[:place]) if isinstance(it, ReworkOrdered)), default=0)
        before = history[begin:place]
        verdict = [it for it in history[:place] if isinstance(it, Verified) and not it.verdict.contests][-1].verdict
        wanted = Rectified if verdict.valid else ExplanationGiven
        since = Counter(type(it) for it in before)
        assert since[wanted] == since[Replied] == 1
        tries = [it.day for it in before if isinstance(it, RevisitAttempted)]
        named = history[0].reviewer is not None
        assert not named or since[Revisited] == 1 or (len(tries) >= 3 and len(set(tries)) >= 2)
        assert named or not tries
        calls = [it for it in history[:place] if isinstance(it, Contacted)]
        reached = any(it.result == "reached" for it in calls)
        assert (reached or (len(calls) >= 3 and len({it.day for it in calls}) >= 2)) if named else not calls


def happens_once(story: Story) -> None:
    """One rating, one follow-up, one work order, one appeal decided, one exclusion, one objection, one end."""
    seen = Counter(map(type, story.history))
    for kind in (
        Submitted, Appended, Corroborated, Accepted, MistakeConfirmed, AppealDecided, Appealed, Excluded, Reinstated,
        ExclusionObjected, ObjectionDecided, ReworkOrdered, Closed,
    ):  # fmt: skip
        assert seen[kind] <= 1, kind.__name__
    assert isinstance(story.history[0], Submitted)
    assert sum(one.done for one in story.history if isinstance(one, Told)) <= 1
    bad = [one.grade for one in story.history if isinstance(one, Submitted | Appended) and one.grade is not None]
    assert seen[Accepted] == any(grade.bad for grade in bad)
    named: tuple[tuple[type[Event], str], ...] = (
        (EvidenceRecorded, "evidence"), (Flagged, "flag"), (CheckOwed, "draw"), (SupervisionIssued, "supervision"),
        (SupervisionLifted, "supervision"), (SupervisionAnswered, "supervision"), (FlagCleared, "flag"),
    )  # fmt: skip
    for sort, of in named:
        used = Counter(getattr(one, of) for one in story.history if isinstance(one, sort))
        assert set(used.values()) <= {1}, f"one {of} twice"
    orders = [(one.rule_no, one.clock, one.about) for one in story.history if isinstance(one, SupervisionIssued)]
    assert max(Counter(one for one in orders if one[2] is not None).values(), default=0) <= 1


def states(story: Story) -> Iterator[Review]:
    """Give the review as it stood after every decision: what was decided together is taken in together."""
    review: Review | None = None
    for place, event in enumerate(story.history):
        review = REVIEW.evolve(review, event)
        more = story.history[place + 1 : place + 2]
        if review is not None and not (more and more[0].at == event.at):
            yield review


def waits_for_somebody(story: Story) -> None:
    """A bad review that is neither closed nor excluded has a limit that somebody keeps."""
    for review in states(story):
        if review.stage in {Stage.COUNTED, Stage.BAD_CLOSED}:
            assert set(in_hand(review)) <= {Clock.CHECK}
        elif review.stage is not Stage.EXCLUDED:
            assert set(in_hand(review)) - {Clock.CHECK}, review.stage
        elif review.told:
            assert (Clock.OBJECTION in in_hand(review)) == (review.objection is not None)
        assert review.stage is not Stage.REVISITED, "nobody waits between the revisit and the end"
        outs = sum(isinstance(one, Excluded) for one in story.history)
        assert not review.excluded or outs == 1


def folds_in_parts(story: Story, pick: Pick) -> None:
    """Whoever reads on from where they stopped knows what somebody knows who reads it all."""
    cut = pick(range(len(story.history) + 1))
    assert REVIEW.fold(story.history[cut:], REVIEW.fold(story.history[:cut])) == story.review
    assert REVIEW.fold(story.history) == story.review


def a_wrong_link_opens_nothing(story: Story, pick: Pick) -> None:
    """It looks like no review, wherever the review stands."""
    assert story.review is not None
    for name in sorted(BY_LINK):
        asked: Any = command(pick, name, story.now, CITIZEN, story.review)
        for link, review in (("b2" * 32, story.review), (asked.own_link, None)):
            refused = answer(review, type(asked)(**{**fields_of(asked), "own_link": link}))
            assert type(refused) is Unknown
            assert refused.facts == {}


def fields_of(asked: ReviewCommand) -> dict[str, Any]:
    """Give what a command says."""
    return {name: getattr(asked, name) for name in asked.__dataclass_fields__}


def answer(review: Review | None, asked: ReviewCommand) -> Any:  # noqa: ANN401 - a refusal, or what follows
    """Give what the rules answer."""
    try:
        return REVIEW.decide(review, asked, BEFORE)
    except Refused as refused:
        return refused


def asked_twice_happens_once(story: Story, pick: Pick) -> None:
    """The same again changes nothing or is refused; what may be tried again is an attempt on record."""
    for _ in range(4):
        asked = some_wish(pick, story)
        if isinstance(story.ask(asked), Refused):
            continue
        again = answer(story.review, asked)
        assert isinstance(again, Refused) or not again or isinstance(asked, ATTEMPTS), type(asked).__name__


def holds(story: Story, pick: Pick) -> None:
    """Hold a story to every law."""
    keeps_the_rated_out(story)
    keeps_who_rated_out(story)
    keeps_persons_apart(story)
    keeps_the_unit_out(story)
    excludes_nothing_silently(story)
    leaves_an_objection_to_others(story)
    ends_nothing_unanswered(story)
    happens_once(story)
    waits_for_somebody(story)
    folds_in_parts(story, pick)
    a_wrong_link_opens_nothing(story, pick)


def test_the_rated_are_those_at_the_window_then() -> None:
    """Worked out from the register besides: the laws below name the right people."""
    assert OPENED.served_at is not None
    there = {who for who in PEOPLE if BEFORE.register.serves(who, "W03", OPENED.served_at)}
    assert there == RATED


def test_the_laws_hold_in_stories_that_are_always_the_same() -> None:
    """Every event happens, every command is granted and refused, and every stage is reached."""
    seen: set[type[object]] = set()
    granted: set[type[object]] = set()
    refused: set[type[object]] = set()
    reached: set[Stage] = set()
    asked = happened = 0
    for seed, story in enumerate(stories()):
        holds(story, Random(seed).choice)
        seen |= set(map(type, story.history))
        granted |= story.granted
        refused |= story.refused
        reached |= {review.stage for review in states(story)}
        asked += story.asked
        happened += len(story.history)
    assert seen == set(REVIEW.events), "a law about what never happens says nothing"
    assert granted == refused == set(get_args(ReviewCommand))
    assert reached == set(Stage) - {Stage.REVISITED}
    assert TOLD < happened < asked


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_the_laws_hold_whatever_anybody_asks(data: st.DataObject) -> None:
    """The same stories, told by somebody who looks for the one that breaks."""

    def pick(options: Sequence[Any]) -> Any:  # noqa: ANN401 - one of whatever is offered
        return data.draw(st.sampled_from(options))

    story = tell(pick, longest=25)
    holds(story, pick)


def test_what_is_asked_twice_happens_once() -> None:
    """In stories of their own, each told on from where it stood."""
    for seed in range(60):
        chance = Random(seed)
        asked_twice_happens_once(tell(chance.choice, longest=chance.choice([0, 3, 10, 25, 40])), chance.choice)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(LOOP), max_size=20))
def test_any_events_in_any_order_load(events: list[Any]) -> None:
    """Rules of another year may have let anything happen; it still loads."""
    REVIEW.fold(events)
    assert REVIEW.fold([LOOP[0], *events]) is not None


def test_next_steps_are_exactly_the_commands_that_have_their_turn() -> None:
    """What is offered can be asked for, and what can be asked for is offered (domain.md §7.2)."""
    answers: dict[tuple[Stage, str], set[type[object]]] = {}
    for seed, story in enumerate(stories()[:120]):
        chance = Random(seed)
        for review in states(story):
            for name in chance.sample(NAMES, 8):
                found = answer(review, command(chance.choice, name, story.now, THE_SYSTEM, review))
                answers.setdefault((review.stage, name), set()).add(type(found))
    for (stage, name), found in answers.items():
        if name in NEXT_STEPS[stage]:
            assert found != {OutOfTurn}, (stage, name)
        else:
            assert found <= {OutOfTurn, Unknown, NotYourRole}, (stage, name)
            assert name in BY_LINK or found == {OutOfTurn}, (stage, name)
    assert len({stage for stage, _ in answers}) == len(Stage) - 1
