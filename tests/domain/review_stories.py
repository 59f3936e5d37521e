"""Stories of a rating in which anybody may ask for anything, told by chance; each answer is held to its laws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import Any, Final
from uuid import UUID

from domain.complaint.inquiry import EvidenceKind
from domain.complaint.state import IdentityMode
from domain.deadlines import CalendarDay, CalendarYear, DayKind, Layer
from domain.decider import THE_SYSTEM, Actor, Code, For, Role
from domain.decider import Event as AnyEvent
from domain.errors import Refused
from domain.grade import Grade
from domain.handling import ContactResult, Facts, Method
from domain.occasion import OCCASION
from domain.review import NEXT_STEPS, REVIEW, Review, ReviewCommand, ReviewEvent, Stage
from domain.review.adding import Append, ConfirmMistake, Corroborate
from domain.review.appealing import Appeal, AppealResult, ConfirmDecideAppeal, ProposeDecideAppeal, Tell
from domain.review.flagging import Check, ClearFlag, FlagReview, Genuine, OweCheck
from domain.review.linking import ComplaintLinked
from domain.review.objecting import ConfirmDecideObjection, Object, ObjectionResult, ProposeDecideObjection
from domain.review.owed import owed
from domain.review.proposals import DeclineProposal, ExpireProposal
from domain.review.revisiting import Revisit, RevisitAnswers
from domain.review.settling import Explain, PlanRectification, Rectify, Reply
from domain.review.state import Clock, Satisfied, Verdict
from domain.review.verifying import Contact, RecordEvidence, Verify
from domain.review.watching import AnswerSupervision, IssueSupervision, LiftSupervision, RecomputeDeadlines, Remind
from domain.rulebook import RULEBOOK, CalendarAdopted
from projections.codec import decode, encode
from tests.bad_reviews import (
    BAI,
    DING,
    HUO,
    JIN,
    KONG,
    MENG,
    PAN,
    SHI,
    TAO,
    XU,
    YUAN,
    acting,
    holding,
)
from tests.domain.wishes import Pick
from tests.hall import (
    CHEN,
    CHU,
    CITIZEN,
    COMPLAINANT,
    FENG,
    HALL,
    JIANG,
    LI,
    MEASURED,
    QIAN,
    SUN,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHENG,
    ZHOU,
    key,
    sealed,
)  # fmt: skip
from tests.specification import METADATA
from tests.visits import BAD, EVIDENCE, INVITED, OPENED, OWN_LINK, RATING, SOMEBODY, SUBMIT

PEOPLE: Final = (
    LI, WANG, ZHAO, QIAN, SUN, ZHOU, WU, ZHENG, FENG, CHEN, CHU, WEI, JIANG, KONG, TAO, JIN, PAN, MENG, SHI, YUAN, DING,
    HUO, XU, BAI, COMPLAINANT,
)  # fmt: skip
BEFORE: Facts = holding(WEI, "panel", "hall-verifier", "approval-verifier")
for _who, _posts in (
    (TAO, ("panel", "revisits")), (SHI, ("hall-verifier", "revisits")), (ZHOU, ("panel", "hall-verifier")),
    (SUN, ("panel", "revisits")), (COMPLAINANT, ("panel", "hall-verifier", "supervisor")), (BAI, ("panel", "revisits")),
    (FENG, ("panel", "revisits", "approval-handler")), (ZHENG, ("panel", "hall-verifier", "revisits")),
):  # fmt: skip
    BEFORE = holding(_who, *_posts, facts=BEFORE)
# Two days turn out to be holidays; in some stories somebody learns of it at some time.
HOLIDAYS: Final = CalendarYear(
    jurisdiction="CN-15", layer=Layer.REGION, year=2026, version=1, published_at=None, source="NMG-2026-1",
    days=tuple(CalendarDay(day=day, kind=DayKind.HOLIDAY) for day in (date(2026, 2, 26), date(2026, 3, 5))),
)  # fmt: skip
LATER: Final[Facts] = replace(
    BEFORE,
    rulebook=RULEBOOK.evolve(BEFORE.rulebook, CalendarAdopted(at=SUBMIT.at, by=THE_SYSTEM, calendar=HOLIDAYS)),
    rulebook_version=6,
)
IDS: Final = tuple(key(f"id-{number}") for number in range(3))
NEW: Final = tuple(key(f"new-{number}") for number in range(60))
SPANS: Final = tuple(timedelta(hours=hours) for hours in (0, 1, 1, 1, 4, 4, 4, 24, 24, 72))
RESULTS: Final = (ContactResult.REACHED, ContactResult.REACHED, *ContactResult)
BY_LINK: Final = frozenset({"append", "corroborate", "confirm-mistake", "object"})
NAMES: Final[tuple[Code, ...]] = tuple(dict.fromkeys(name for names in NEXT_STEPS.values() for name in names))
MAY: Final = {name: {role for role in Role if HALL.allows(f"review/{name}", role)} for name in NAMES}
FORWARD: Final = frozenset(
    {
        "contact", "verify", "plan-rectification", "rectify", "explain", "reply", "revisit", "propose-decide-appeal",
        "confirm-decide-appeal", "tell", "object", "propose-decide-objection", "confirm-decide-objection",
    }
)  # fmt: skip
IN_WORK: Final = (Stage.BAD_OPEN, Stage.BAD_CONTACTED, Stage.BAD_VERIFIED)
UNDER_WAY: Final = (*IN_WORK, Stage.RECTIFYING, Stage.RECTIFIED, Stage.BAD_CLOSED, Stage.COUNTED)
TABLE: Final[frozenset[tuple[Stage, Stage]]] = frozenset(
    {
        (Stage.COUNTED, Stage.BAD_OPEN),  # by a bad follow-up
        (Stage.BAD_OPEN, Stage.BAD_CONTACTED),
        (Stage.BAD_OPEN, Stage.BAD_VERIFIED),  # nobody to call
        (Stage.BAD_CONTACTED, Stage.BAD_VERIFIED),
        (Stage.BAD_VERIFIED, Stage.RECTIFYING),
        (Stage.BAD_VERIFIED, Stage.RECTIFIED),
        (Stage.RECTIFYING, Stage.RECTIFIED),
        (Stage.RECTIFIED, Stage.REVISITED),
        (Stage.RECTIFIED, Stage.BAD_CLOSED),  # nobody to ask, or nobody reached
        (Stage.REVISITED, Stage.BAD_CLOSED),
        (Stage.REVISITED, Stage.BAD_VERIFIED),  # done again
        *product(UNDER_WAY, [Stage.UNDER_APPEAL]),
        *product([Stage.UNDER_APPEAL], UNDER_WAY),  # rejected, or decided on the way out
        *product(UNDER_WAY, [Stage.EXCLUDED]),
        *product([Stage.EXCLUDED], UNDER_WAY),  # reinstated
    }
)
"""How a review may move: domain.md §7.2, by hand."""


@dataclass
class Story:
    """A rating as it grows."""

    history: list[Any] = field(default_factory=list)
    review: Review | None = None
    now: datetime = SUBMIT.at
    facts: Facts = BEFORE
    asked: int = 0
    granted: set[type[object]] = field(default_factory=set)
    refused: set[type[object]] = field(default_factory=set)

    def ask(self, command: ReviewCommand) -> Refused | list[AnyEvent]:
        """Let the rules answer, and take in what follows."""
        self.asked += 1
        try:
            decided = REVIEW.decide(self.review, command, self.facts)
        except Refused as refused:
            self.refused.add(type(command))
            return refused
        self.granted.add(type(command))
        events = [one for one in decided if not isinstance(one, For)]
        assert len(events) == len(decided), "a review tells no other stream"
        for event in events:
            assert event.at == command.at
            assert event.by in {command.by, THE_SYSTEM}
            self.take(event)
        return events

    def take(self, event: AnyEvent) -> None:
        """Take one event in; it moves the review along the table or not at all."""
        assert decode(*encode(event, METADATA)) == (event, METADATA)
        assert isinstance(event, ReviewEvent)
        before = None if self.review is None else self.review.stage
        self.review = REVIEW.evolve(self.review, event)
        assert self.review is not None
        assert before in {None, self.review.stage} or (before, self.review.stage) in TABLE
        self.history.append(event)


def begun(pick: Pick) -> Story:
    """Begin with a rating as a visit's rules make it: mostly bad, with or without a name, written down or given."""
    grade = pick([*Grade, Grade.VERY_DISSATISFIED, Grade.VERY_DISSATISFIED, Grade.DISSATISFIED])
    mode = pick([IdentityMode.REAL_NAME, IdentityMode.REAL_NAME, IdentityMode.ANONYMOUS])
    opinion = replace(BAD, grade=grade, codes=(), identity_mode=mode)
    by = pick([CITIZEN, CITIZEN, SOMEBODY, acting(ZHENG, "counter"), acting(FENG, "window-3")])
    submit = replace(SUBMIT, by=by, token=SUBMIT.token if by.role is Role.CITIZEN else None, opinion=opinion)
    story = Story()
    for one in OCCASION.decide(OCCASION.fold([OPENED, INVITED]), submit, BEFORE):
        if isinstance(one, For):
            story.take(one.event)
    return story


def seldom(pick: Pick, times: int = 10) -> bool:
    """Say yes about once in so many times."""
    return bool(pick(range(times)) == times - 1)


@cache
def in_posts(day: date) -> tuple[Actor, ...]:
    """Give everybody in each of their posts, as on a day in the story."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return tuple(acting(who, post.code) for who in PEOPLE for post in BEFORE.register.held_by(who, noon))


def somebody(pick: Pick, name: Code, review: Review, now: datetime) -> Actor:
    """Give mostly somebody who may, sometimes anybody at all, sometimes acting for somebody else."""
    held = in_posts(now.date())
    roles = MAY[name]
    fitting = [by for by in held if by.role in roles]
    if Role.SYSTEM in roles:
        fitting += [THE_SYSTEM] * (1 + len(fitting))
    if Role.CITIZEN in roles:
        fitting += [CITIZEN] * (1 + 4 * len(fitting))
    if Role.RESPONDENT in roles:
        fitting += [acting(FENG, "window-3", Role.RESPONDENT)] * 5
        fitting += [acting(KONG, "approval-verifier", Role.RESPONDENT)]
    # Who has proposed something leaves the second half to others.
    apart = review.workers | review.deciders
    fresh = [by for by in fitting if by.role is not Role.PANEL or by.person not in apart]
    by: Actor = pick(held if seldom(pick) or not fresh else fresh)
    if seldom(pick, 30):
        by = acting(COMPLAINANT, "panel")
    return replace(by, on_behalf_of=pick(PEOPLE)) if seldom(pick, 8) and by.post is not None else by


def named(pick: Pick, there: Iterable[UUID], nothing: UUID) -> UUID:
    """Give mostly the id of something there is, sometimes that of nothing."""
    found: UUID = pick([*[*there] * 9, nothing])
    return found


def command(pick: Pick, name: Code, at: datetime, by: Actor, review: Review) -> ReviewCommand:
    """Give a command of this name, with whatever content."""
    evidence = tuple(pick([(), *([(one,) for one in sorted(review.evidence)] * 5), (IDS[0],)]))
    appeal = named(pick, [review.appeal] if review.appeal else [], IDS[0])
    objection = named(pick, [review.objection] if review.objection else [], IDS[0])
    proposal = named(pick, review.proposals, IDS[1])
    link = OWN_LINK if not seldom(pick) else "b2" * 32
    result = pick(RESULTS)
    texts: dict[str, Any] = {"reasons": sealed("reasons"), "reasons_measured": MEASURED}
    match name:
        case "append":
            grade = pick([None, *Grade])
            return Append(
                at=at, by=by, own_link=link, grade=grade, codes=(), text=sealed("words"), text_facts=MEASURED,
                similar=(), channel=BAD.channel, evidence=EVIDENCE,
            )  # fmt: skip
        case "corroborate":
            return Corroborate(at=at, by=by, own_link=link)
        case "confirm-mistake":
            return ConfirmMistake(at=at, by=by, own_link=link)
        case "object":
            return Object(
                at=at, by=by, own_link=link, objection=pick(NEW), ground=sealed("ground"), ground_measured=MEASURED
            )
        case "contact":
            return Contact(at=at, by=by, method=Method.PHONE, result=result, note=None)
        case "record-evidence":
            return RecordEvidence(
                at=at, by=by, evidence=pick(NEW[:6]), kind=EvidenceKind.OTHER, description=sealed("description"),
                sha256=None, size=None,
            )  # fmt: skip
        case "verify":
            return Verify(
                at=at, by=by, verdict=pick([*Verdict]), facts=sealed("facts"), facts_measured=MEASURED,
                evidence=evidence, appeal=pick(NEW), explanation=sealed("explanation"),
            )  # fmt: skip
        case "plan-rectification":
            due = (at + timedelta(days=pick([-2, 0, 5, 5, 60]))).date()
            return PlanRectification(
                at=at, by=by, actions=sealed("actions"), reason_told=sealed("reason_told"), ledger_no=None, due=due
            )
        case "rectify":
            return Rectify(at=at, by=by, actions=sealed("done"), actions_measured=MEASURED, evidence=evidence)
        case "explain":
            return Explain(at=at, by=by, explanation=sealed("explanation"), explanation_measured=MEASURED)
        case "reply":
            return Reply(at=at, by=by, text=sealed("text"), text_measured=MEASURED, method=Method.LETTER)
        case "revisit":
            answers = RevisitAnswers(satisfied=pick([*Satisfied]), wants_follow_up=False, note=None)
            reached = result is ContactResult.REACHED
            return Revisit(at=at, by=by, method=Method.PHONE, result=result, answers=answers if reached else None)
        case "appeal":
            ground = pick(["mistaken_target", "fabricated", "too_harsh"])
            return Appeal(
                at=at, by=by, appeal=pick(NEW), ground=ground, explanation=sealed("explanation"),
                explanation_measured=MEASURED, evidence=evidence,
            )  # fmt: skip
        case "propose-decide-appeal":
            reason = pick(["mistaken_target", "fabricated", "duplicate", "mistaken_grade", "too_harsh", None])
            results = [*AppealResult, AppealResult.EXCLUDE, AppealResult.EXCLUDE]
            return ProposeDecideAppeal(
                at=at, by=by, proposal=pick(NEW), appeal=appeal, result=pick(results), reason=reason,
                evidence=evidence, **texts,
            )  # fmt: skip
        case "confirm-decide-appeal":
            return ConfirmDecideAppeal(at=at, by=by, proposal=proposal)
        case "tell":
            return Tell(at=at, by=by, method=Method.PHONE, result=result)
        case "propose-decide-objection":
            return ProposeDecideObjection(
                at=at, by=by, proposal=pick(NEW), objection=objection, result=pick([*ObjectionResult]), **texts
            )
        case "confirm-decide-objection":
            return ConfirmDecideObjection(at=at, by=by, proposal=proposal)
        case _:
            return beside(pick, name, at, by, review)


def beside(pick: Pick, name: Code, at: datetime, by: Actor, review: Review) -> ReviewCommand:
    """Give a command that stands beside the loop."""
    proposal = named(pick, review.proposals, IDS[1])
    order = named(pick, review.orders, IDS[2])
    result = pick(RESULTS)
    match name:
        case "decline-proposal":
            return DeclineProposal(at=at, by=by, proposal=proposal, reason=sealed("reason"))
        case "expire-proposal":
            return ExpireProposal(at=at, by=by, proposal=proposal)
        case "remind":
            return Remind(at=at, by=by, clock=pick([*review.clocks, *Clock]))
        case "issue-supervision":
            rule, level = pick([("escalate.l1", 1), ("escalate.l2", 2), ("inspection", 3), ("hearsay", 1)])
            return IssueSupervision(
                at=at, by=by, supervision=pick(NEW), rule_no=rule, level=level,
                clock=pick([None, *review.clocks, *review.clocks]), content=None,
            )  # fmt: skip
        case "answer-supervision":
            return AnswerSupervision(at=at, by=by, supervision=order, answer=sealed("answer"), answer_measured=MEASURED)
        case "lift-supervision":
            return LiftSupervision(at=at, by=by, supervision=order, reason=None)
        case "recompute-deadlines":
            return RecomputeDeadlines(at=at, by=by)
        case "flag":
            detector = pick(["burst", "run", "hearsay"])
            return FlagReview(at=at, by=by, flag=pick(NEW), detector=detector, score=80, features=(), model=1)
        case "clear-flag":
            return ClearFlag(at=at, by=by, flag=named(pick, review.flags, IDS[0]), reason=sealed("reason"))
        case "owe-check":
            return OweCheck(at=at, by=by, draw=pick(NEW[:3]))
        case "check":
            reached = result is ContactResult.REACHED
            return Check(
                at=at, by=by, draw=named(pick, review.checks, IDS[0]), method=Method.PHONE, result=result,
                genuine=pick([*Genuine]) if reached else None, note=None,
            )  # fmt: skip
        case _:
            raise AssertionError(name)


def some_wish(pick: Pick, story: Story) -> ReviewCommand:
    """Give what somebody asks for next: mostly what is in turn, half of it what carries the review on."""
    review = story.review
    assert review is not None
    if review.stage is Stage.EXCLUDED and review.objection is not None and not seldom(pick, 4):
        name = "confirm-decide-objection" if review.proposals else "propose-decide-objection"
        return command(pick, name, story.now, somebody(pick, name, review, story.now), review)
    timed = [one.command for one in owed(RATING, review, story.now, story.facts) if one.ready]
    if timed and seldom(pick, 5):
        found: ReviewCommand = pick(timed)
        return found
    likely = NEXT_STEPS[review.stage]
    forward = [name for name in likely if name in FORWARD and not (name == "contact" and review.reached)]
    if review.stage is Stage.UNDER_APPEAL and not review.evidence:
        forward += ["record-evidence"] * 3
    if review.stage is Stage.COUNTED:
        forward += ["flag", "appeal", "append"]
    if review.stage in IN_WORK and seldom(pick, 6):
        forward = ["appeal"]
    on = bool(forward) and pick([True, True, False])
    name = pick(NAMES) if seldom(pick) else pick(forward if on else likely)
    return command(pick, name, story.now, somebody(pick, name, review, story.now), review)


def tell(pick: Pick, longest: int = 60) -> Story:
    """Tell a story."""
    story = begun(pick)
    for _ in range(longest):
        story.now += pick(SPANS)
        if seldom(pick, 40):
            story.facts = LATER
        if seldom(pick, 60):
            story.take(ComplaintLinked(at=story.now, by=CITIZEN, complaint=key("case")))
        story.ask(some_wish(pick, story))
    return story


TOLD: Final = 250


@cache
def stories() -> tuple[Story, ...]:
    """Give stories that are always the same, told once for all who read them; nobody tells them on."""
    return tuple(tell(Random(seed).choice) for seed in range(TOLD))
