"""Stories of a complaint in which anybody may ask for anything, told by chance; each answer is held to its laws."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import Final
from uuid import UUID

from domain import complaint
from domain.complaint import COMPLAINT, NEXT_STEPS, Case, Command, Event, Step, privacy
from domain.complaint.inquiry import EvidenceKind
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.linking import ConfirmUnmerge, Link, Merge, ProposeUnmerge
from domain.complaint.proposals import Proposed
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.revisiting import Outcome
from domain.complaint.splitting import SplitCase
from domain.complaint.state import Finding, Respondent
from domain.decider import THE_SYSTEM, Actor, Code, For, Role
from domain.decider import Event as AnyEvent
from domain.errors import Refused
from domain.handling import ContactResult, Facts, Method
from domain.register import REGISTER, PostLeft, PostTaken
from projections.codec import decode, encode
from tests.controls import ANSWERS, LOOP, REGISTERED, REGISTRATION, REPLIED, SIGNED, upto
from tests.domain.cast import ANYBODY, BEFORE, OFFICES, PEOPLE, acting
from tests.domain.wishes import ANOTHER, IDS, ITSELF, THIRD, Pick, wish
from tests.hall import (
    CHEN,
    CHU,
    HALL,
    LI,
    MEASURED,
    NUMBER,
    QIAN,
    STRANGER,
    SUN,
    WANG,
    WEI,
    WU,
    key,
    local,
    sealed,
)
from tests.specification import METADATA

YES_OR_NO: Final = (True, False)
RESULTS: Final = (ContactResult.REACHED, ContactResult.REACHED, *ContactResult)
NAMES: Final[tuple[Code, ...]] = tuple(dict.fromkeys(name for names in NEXT_STEPS.values() for name in names))
FORWARD: Final = (
    "accept", "assign", "sign-for", "request-return", "record-contact", "record-finding", "submit-reply",
    "approve-reply", "reply", "revisit", "close", "reply-linked", "revisit-linked", "decide-review", "reopen",
)  # fmt: skip
"""What carries a case on, so that stories come to an end now and then."""
SELDOM: Final = (
    "request-extension", "pause-clock", "propose-refuse", "request-supplement", "resolve-on-spot",
    "order-rework", "hand-over", "split", "call-in", "request-review",
)  # fmt: skip
"""What would come up too seldom."""
ERASING: Final = ("request-erasure", "decide-erasure", "lift-restriction")
"""Wishes about personal data; what follows a granted one lies years away, and stands in tests of its own."""
NEVER_TOLD: Final = frozenset({privacy.ErasureWitnessed, privacy.Erased})
"""What lies beyond the end of every story: personal data are erased years after a case has ended."""
ANYTHING: Final = ("register", "replace-query-code", "reply-to-ledger-case", *ERASING, *NAMES)
SPANS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 60, 60, 60, 24 * 60, 24 * 60, 5 * 24 * 60))

BEGINNING: Final = local("02-13", "08:00")

WAITING: Final = (
    Step.REGISTERED, Step.AWAITING_SUPPLEMENT, Step.ACCEPTED, Step.ASSIGNED, Step.IN_PROGRESS,
    Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED,
)  # fmt: skip
ENDED: Final = (
    Step.CLOSED, Step.REFUSED, Step.TRANSFERRED_OUT, Step.MERGED, Step.WITHDRAWN, Step.TERMINATED
)  # fmt: skip
AGAIN: Final = (Step.ACCEPTED, Step.IN_PROGRESS)

TABLE: Final[frozenset[tuple[Step | None, Step]]] = frozenset(
    {
        (None, Step.REGISTERED),
        (Step.REGISTERED, Step.ACCEPTED),
        (Step.ACCEPTED, Step.ASSIGNED),
        (Step.ASSIGNED, Step.IN_PROGRESS),
        (Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL),
        (Step.REPLY_PENDING_APPROVAL, Step.IN_PROGRESS),
        (Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED),
        (Step.REPLY_APPROVED, Step.REPLIED),
        (Step.REPLIED, Step.CLOSED),
        # beside the straight way
        (Step.REGISTERED, Step.AWAITING_SUPPLEMENT),
        (Step.AWAITING_SUPPLEMENT, Step.REGISTERED),
        (Step.ACCEPTED, Step.REPLIED),  # settled at the counter, where accepting and replying are one
        (Step.REGISTERED, Step.REFUSED),
        (Step.REGISTERED, Step.TRANSFERRED_OUT),
        (Step.ACCEPTED, Step.TRANSFERRED_OUT),
        (Step.ASSIGNED, Step.ACCEPTED),  # returned by the unit
        *product(AGAIN + WAITING[5:], [Step.ASSIGNED]),  # handed over to another unit, or to nobody in person
        *product([Step.REPLIED], AGAIN),  # reworked
        *product(WAITING, [Step.WITHDRAWN]),
        (Step.IN_PROGRESS, Step.TERMINATED),
        *product([Step.REFUSED, Step.REPLIED, Step.CLOSED], [Step.UNDER_REVIEW]),
        *product([Step.UNDER_REVIEW], [Step.REFUSED, Step.REPLIED, Step.CLOSED]),
        *product([Step.REFUSED, Step.CLOSED, Step.ARCHIVED, Step.WITHDRAWN], AGAIN),  # reopened
        *product([*WAITING, Step.REPLIED, Step.UNDER_REVIEW], [Step.MERGED]),
        *product([Step.MERGED], [*WAITING, Step.REPLIED, Step.UNDER_REVIEW]),
        *product(ENDED, [Step.ARCHIVED]),
    }
)
"""How a case may move: domain.md §6.3, by hand."""


CITIZEN_ELSEWHERE: Final = Actor(person=STRANGER, role=Role.CITIZEN)
ELSEWHERE: Final = replace(REGISTERED, complainant=STRANGER, respondent=Respondent(), by=CITIZEN_ELSEWHERE)
ANSWERED: Final = COMPLAINT.fold((ELSEWHERE, *upto(REPLIED)[1:]))
"""Another case of the hall, answered, into which one may be merged."""
IN_HAND: Final = COMPLAINT.fold((ELSEWHERE, *upto(SIGNED)[1:]))
"""A third case of the hall, which may be merged into the one that is told."""


@dataclass
class Story:
    """A complaint as it grows, while people come and go; `known` are the facts at each event."""

    history: list[Event] = field(default_factory=list)
    known: list[Facts] = field(default_factory=list)
    case: Case | None = None
    now: datetime = BEGINNING
    facts: Facts = BEFORE
    asked: int = 0
    beside: dict[UUID, Case | None] = field(default_factory=lambda: {ANOTHER: ANSWERED, THIRD: IN_HAND})

    def ask(self, command: Command) -> None:
        """Let the rules answer, and hold the answer to every law of a single one."""
        self.asked += 1
        try:
            decided = COMPLAINT.decide(self.case, command, self.gathered(command))
        except Refused:
            return
        for one in decided:
            event = one.event if isinstance(one, For) else one
            assert (event.at, event.by) == (command.at, command.by)
            name, state = encode(event, METADATA)
            assert decode(name, state) == (event, METADATA)
            if isinstance(one, For):
                self.beside[one.stream] = COMPLAINT.evolve(self.beside.get(one.stream), event)  # type: ignore[arg-type]
            else:
                self.take(event)

    def join(self) -> None:
        """Let the third case be merged into this case, or, where it is already, be taken out again."""
        there = self.beside[THIRD]
        if self.case is None or there is None:
            return
        facts = replace(self.facts, itself=THIRD, others={ITSELF: self.case})
        asked: list[Command] = [
            Merge(at=self.now, by=acting(LI, "desk"), primary=ITSELF, link=Link.JOINT, similarity=None, reason=None)
        ]
        if there.primary == ITSELF:
            proposal, reason = key("apart"), sealed("reason")
            asked = [
                ProposeUnmerge(at=self.now, by=acting(LI, "desk"), proposal=proposal, reason=reason),
                ConfirmUnmerge(at=self.now, by=acting(SUN, "supervisor"), proposal=proposal),
            ]
        for one in asked:
            try:
                decided = COMPLAINT.decide(self.beside[THIRD], one, facts)
            except Refused:
                return
            for event in decided:
                if isinstance(event, For):
                    self.take(event.event)
                else:
                    self.beside[THIRD] = COMPLAINT.evolve(self.beside[THIRD], event)  # type: ignore[arg-type]

    def gathered(self, command: Command) -> Facts:
        """Give the facts as the casebook gathers them: this case, those the command is decided with, and numbers."""
        others = {key: self.beside[key] for key in command.others(self.case) if key in self.beside}
        parts = len(command.parts) if isinstance(command, SplitCase) else 0
        return replace(self.facts, itself=ITSELF, others=others, complaint_nos=(NUMBER,) * parts)

    def take(self, event: AnyEvent) -> None:
        """Take one event in; it moves the case along the table or not at all."""
        assert isinstance(event, complaint.Event)
        step = None if self.case is None else self.case.step
        self.case = COMPLAINT.evolve(self.case, event)
        assert self.case is not None
        assert self.case.step is step or (step, self.case.step) in TABLE
        self.history.append(event)
        self.known.append(self.facts)


def command(pick: Pick, name: Code, at: datetime, by: Actor, case: Case | None) -> Command:
    """Give a command of this name, with whatever content."""
    reply = pick([*IDS, *([case.reply] * 20 if case is not None and case.reply is not None else [])])
    plan = pick([*IDS, *([*case.rectifications] * 20 if case is not None else [])])
    evidence = tuple(pick([(), *((one,) for one in sorted(case.evidence))])) if case is not None else ()
    match name:
        case "register":
            respondent = Respondent(window=pick([None, "W03", "W00"]), staff=pick([None, *PEOPLE]))
            return replace(
                REGISTRATION, at=at, by=by, complainant=pick(PEOPLE), respondent=respondent, written=pick(YES_OR_NO),
                happened_at=pick([None, at - timedelta(days=3)]),
            )  # fmt: skip
        case "replace-query-code":
            return complaint.ReplaceQueryCode(at=at, by=by)
        case "accept":
            return complaint.Accept(
                at=at, by=by, category="SHIRK", severity=Severity.ORDINARY, complexity=pick([*Complexity]),
                handling_class=HandlingClass.FORWARD,
            )  # fmt: skip
        case "assign":
            return complaint.Assign(
                at=at, by=by, department=pick(["approval", "approval", "tax"]), assist=pick([(), ("office",)]),
                handler=pick([None, WANG, QIAN, WU, CHU, CHEN, WEI]),
            )  # fmt: skip
        case "sign-for":
            return complaint.SignFor(at=at, by=by)
        case "record-contact":
            return complaint.RecordContact(at=at, by=by, method=Method.PHONE, result=pick(RESULTS), note=None)
        case "record-evidence":
            return complaint.RecordEvidence(
                at=at, by=by, evidence=pick(IDS), kind=EvidenceKind.OTHER, description=sealed("description"),
                sha256=None, size=None,
            )  # fmt: skip
        case "record-finding":
            return complaint.RecordFinding(
                at=at, by=by, finding=pick([*Finding]), facts=sealed("facts"), facts_measured=MEASURED,
                responsibility=(), evidence=evidence,
            )  # fmt: skip
        case "plan-rectification":
            due = (at + timedelta(days=pick([-1, 0, 1, 9, 30]))).date()
            return complaint.PlanRectification(
                at=at, by=by, rectification=pick(IDS), actions=sealed("actions"), due=due
            )
        case "rectify":
            return complaint.Rectify(at=at, by=by, rectification=plan, actions=sealed("done"), evidence=evidence)
        case "verify-rectification":
            return complaint.VerifyRectification(at=at, by=by, rectification=plan, passed=pick(YES_OR_NO), note=None)
        case "submit-reply":
            points = (sealed("point-1"), sealed("point-2"))
            return complaint.SubmitReply(
                at=at, by=by, reply=pick(IDS), decision=Decision.UPHELD, reasons=sealed("reasons"),
                reasons_measured=MEASURED, legal_basis=sealed("legal_basis"), points=points, remedy=None,
                appeal_route=AppealRoute.REVIEW_REQUEST, template_version=None,
            )  # fmt: skip
        case "approve-reply":
            return complaint.ApproveReply(at=at, by=by, reply=reply)
        case "reject-reply":
            return complaint.RejectReply(at=at, by=by, reply=reply, reason=sealed("reason"))
        case "reply":
            return complaint.Reply(
                at=at, by=by, reply=reply, method=pick([Method.LETTER, Method.LETTER, Method.PHONE]),
                failed=pick([None, None, DeliveryFailure.NO_ANSWER]),
            )  # fmt: skip
        case "reply-to-ledger-case":
            return complaint.ReplyToLedgerCase(
                at=at, by=by, reply=reply, content=sealed("content"), content_measured=MEASURED
            )
        case "revisit":
            result = pick(RESULTS)
            answers = ANSWERS if result is ContactResult.REACHED else None
            return complaint.Revisit(at=at, by=by, method=Method.PHONE, result=result, answers=answers)
        case "close":
            return complaint.Close(at=at, by=by, outcome=Outcome.RESOLVED)
        case _:
            assert case is not None
            return wish(pick, name, at, by, case, PEOPLE)


def seldom(pick: Pick, times: int = 10) -> bool:
    """Say yes about once in so many times."""
    return bool(pick(range(times)) == times - 1)


def somebody(pick: Pick, name: Code, story: Story) -> Actor:
    """Give mostly somebody who may, sometimes anybody at all, sometimes acting for somebody else."""
    fitting = [
        acting(who, post.code)
        for who in PEOPLE
        for post in story.facts.register.held_by(who, story.now)
        if HALL.allows(name, post.role)
    ]
    if HALL.allows(name, Role.SYSTEM):
        fitting += [THE_SYSTEM] * (1 + len(fitting))
    if name == "register":
        fitting += [Actor(person=who, role=Role.CITIZEN) for who in PEOPLE]
    elif story.case is not None and HALL.allows(name, Role.CITIZEN):
        fitting += [Actor(person=who, role=Role.CITIZEN) for who in sorted(story.case.made_by)] * (1 + len(fitting))
    if HALL.allows(name, Role.RESPONDENT):
        fitting += [by for by in ANYBODY if by.role is Role.RESPONDENT]
    # The one who handles the case gets on with it; everybody else would mostly be sent away.
    if story.case is not None and (own := [by for by in fitting if by.person == story.case.handler]):
        fitting += own * 5 * len(fitting)
    by: Actor = pick(ANYBODY if not fitting or seldom(pick) else fitting)
    return replace(by, on_behalf_of=pick(PEOPLE)) if seldom(pick, 6) else by


def people_move(pick: Pick, story: Story) -> None:
    """Let somebody take one more post, leave one, or go from all of theirs to another: often who had a part in this."""
    who = pick([*PEOPLE, *(event.by.person for event in story.history)])
    post, register, now = pick(["revisits", "supervisor", *sorted(OFFICES)]), story.facts.register, story.now
    left = [one.code for one in register.held_by(who, now)] if pick(YES_OR_NO) else [post]
    moves: list[PostLeft | PostTaken] = [
        PostLeft(at=now, by=THE_SYSTEM, post=code, person=who, until=now)
        for code in left
        if register.holds(who, code, now)
    ]
    if post not in {move.post for move in moves}:
        moves.append(PostTaken(at=now, by=THE_SYSTEM, post=post, person=who, since=now))
    story.facts = replace(story.facts, register=REGISTER.fold(moves, register))


def tell(pick: Pick, longest: int = 60) -> Story:
    """Tell a complaint, half of the time from the start, else from somewhere in the story of the controls."""
    story = Story()
    for event in LOOP[: pick([0] * len(LOOP) + [*range(1, len(LOOP) + 1)])]:
        story.now = event.at
        story.take(event)
    for _ in range(pick(range(longest // 2, longest))):
        story.now += pick(SPANS)
        if seldom(pick):
            people_move(pick, story)
        if seldom(pick, 40):
            story.join()
        story.ask(some_wish(pick, story))
    return story


def second_halves(case: Case) -> list[Code]:
    """Name what waits for an answer, a decision or an end."""
    waiting = {
        "decide-extension": any(one.approved is None for one in case.extensions.values()),
        "decide-recusal": any(one.granted is None for one in case.recusals.values()),
        "decide-return": case.returning is not None,
        "decide-erasure": case.keeping.request is not None,
        "lift-restriction": case.keeping.restricted,
        "answer-call": any(not one.answered for one in case.calls.values()),
        "answer-supervision": any(not one.answered_by for one in case.supervisions.values()),
        "lift-supervision": any(not one.lifted for one in case.supervisions.values()),
        "make-statement": any(not one.made for one in case.statements.values()),
        "expire-supplement": case.step is Step.AWAITING_SUPPLEMENT,
        "decide-review": case.review is not None,
        "resume-clock": case.paused,
        "decline-proposal": bool(case.proposals),
        "unpublish": case.published,
    }
    confirming = [one.confirm for one in case.proposals.values() if isinstance(one, Proposed)]
    in_turn = {*NEXT_STEPS[case.step], *ERASING}
    return [*confirming, *confirming, *(name for name, is_so in waiting.items() if is_so and name in in_turn)]


TOLD: Final = 240


@cache
def stories() -> tuple[Story, ...]:
    """Give stories that are always the same, told once for all who read them; nobody tells them on."""
    return tuple(tell(Random(seed).choice) for seed in range(TOLD))


def done(name: Code, case: Case | None) -> bool:
    """Say whether nobody would do that again without need."""
    if case is None:
        return False
    return (name == "record-contact" and case.contacts > 0) or (name == "record-finding" and case.finding is not None)


def some_wish(pick: Pick, story: Story) -> Command:
    """Give what somebody asks for next: mostly what is in turn, half of it what carries the case on."""
    likely = ["register"] if story.case is None else [*NEXT_STEPS[story.case.step], "request-erasure"]
    forward = [name for name in likely if name in FORWARD and not done(name, story.case)]
    likely += [name for name in likely if name in SELDOM] * 5
    second = [] if story.case is None else second_halves(story.case)
    if seldom(pick) or not likely:
        name = pick(ANYTHING)
    elif second and pick([True, False, False]):
        name = pick(second)
    else:
        name = pick(forward) if forward and pick(YES_OR_NO) else pick(likely)
    if story.case is None and name not in {"register", "accept"}:
        name = "register"
    return command(pick, name, story.now, somebody(pick, name, story), story.case)
