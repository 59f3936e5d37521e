"""Stories of a complaint in which anybody may ask for anything, told by chance; each answer is held to its laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from domain import complaint
from domain.complaint import COMPLAINT, NEXT_STEPS, Case, Command, Event, Step
from domain.complaint.inquiry import EvidenceKind
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.revisiting import Outcome
from domain.complaint.state import Finding, Respondent
from domain.decider import THE_SYSTEM, Actor, Code, Role
from domain.decider import Event as AnyEvent
from domain.errors import Refused
from domain.handling import ContactResult, Facts, Method
from domain.register import REGISTER, PostLeft, PostTaken
from projections.codec import decode, encode
from tests.controls import ANSWERS, LOOP, REGISTRATION
from tests.hall import (
    CHEN,
    CHU,
    COMPLAINANT,
    FACTS,
    FENG,
    HALL,
    HOLDERS,
    JIANG,
    LI,
    MEASURED,
    POSTS,
    QIAN,
    STRANGER,
    SUN,
    WANG,
    WEI,
    WU,
    ZHAO,
    ZHENG,
    ZHOU,
    actor,
    key,
    local,
    sealed,
)
from tests.specification import METADATA

Pick: TypeAlias = Callable[[Sequence[Any]], Any]
"""Chance: one of several; a law of hypothesis or a seeded generator."""

PEOPLE: Final = (LI, WANG, ZHAO, QIAN, SUN, ZHOU, WU, ZHENG, FENG, CHEN, CHU, WEI, JIANG, COMPLAINANT, STRANGER)
ANYBODY: Final = (
    *(actor(who, post) for who, post in HOLDERS),
    *(Actor(person=who, role=Role.CITIZEN) for who in (COMPLAINANT, STRANGER, LI)),
    THE_SYSTEM,
)
IDS: Final = tuple(key(f"id-{n}") for n in range(6))
YES_OR_NO: Final = (True, False)
RESULTS: Final = (ContactResult.REACHED, ContactResult.REACHED, *ContactResult)
NAMES: Final[tuple[Code, ...]] = tuple(dict.fromkeys(name for names in NEXT_STEPS.values() for name in names))
FORWARD: Final = ("submit-reply", "approve-reply", "reply", "revisit", "close")
ANYTHING: Final = ("register", "replace-query-code", "reply-to-ledger-case", *NAMES)
SPANS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 60, 60, 24 * 60, 5 * 24 * 60))

BEGINNING: Final = local("02-13", "08:00")

TABLE: Final[frozenset[tuple[Step | None, Step]]] = frozenset({
    (None, Step.REGISTERED),
    (Step.REGISTERED, Step.ACCEPTED),
    (Step.ACCEPTED, Step.ASSIGNED),
    (Step.ASSIGNED, Step.IN_PROGRESS),
    (Step.IN_PROGRESS, Step.REPLY_PENDING_APPROVAL),
    (Step.REPLY_PENDING_APPROVAL, Step.IN_PROGRESS),
    (Step.REPLY_PENDING_APPROVAL, Step.REPLY_APPROVED),
    (Step.REPLY_APPROVED, Step.REPLIED),
    (Step.REPLIED, Step.CLOSED),
})  # fmt: skip
"""The rows of domain.md §6.3 that the straight way has."""


@dataclass
class Story:
    """A complaint as it grows, while people come and go; `known` are the facts at each event."""

    history: list[Event] = field(default_factory=list)
    known: list[Facts] = field(default_factory=list)
    case: Case | None = None
    now: datetime = BEGINNING
    facts: Facts = FACTS
    asked: int = 0

    def ask(self, command: Command) -> None:
        """Let the rules answer, and hold the answer to every law of a single one."""
        self.asked += 1
        try:
            decided = COMPLAINT.decide(self.case, command, self.facts)
        except Refused:
            return
        assert decided
        for event in decided:
            assert isinstance(event, AnyEvent)
            assert (event.at, event.by) == (command.at, command.by)
            name, state = encode(event, METADATA)
            assert decode(name, state) == (event, METADATA)
            self.take(event)

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
            raise KeyError(name)


def seldom(pick: Pick, times: int = 10) -> bool:
    """Say yes about once in so many times."""
    return bool(pick(range(times)) == times - 1)


def somebody(pick: Pick, name: Code, story: Story) -> Actor:
    """Give mostly somebody who may, sometimes anybody at all, sometimes acting for somebody else."""
    fitting = [
        actor(who, post.code)
        for who in PEOPLE
        for post in story.facts.register.held_by(who, story.now)
        if HALL.allows(name, post.role)
    ]
    if name == "register":
        fitting += [Actor(person=who, role=Role.CITIZEN) for who in PEOPLE]
    # The one who handles the case gets on with it; everybody else would mostly be sent away.
    if story.case is not None and (own := [by for by in fitting if by.person == story.case.handler]):
        fitting += own * 5 * len(fitting)
    by: Actor = pick(ANYBODY if not fitting or seldom(pick) else fitting)
    return replace(by, on_behalf_of=pick(PEOPLE)) if seldom(pick, 6) else by


def people_move(pick: Pick, story: Story) -> None:
    """Let somebody take one more post, leave one, or go from all of theirs to another: often who had a part in this."""
    who = pick([*PEOPLE, *(event.by.person for event in story.history)])
    post, register, now = pick(["revisits", "supervisor", *sorted(POSTS)]), story.facts.register, story.now
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
        likely = ("register",) if story.case is None else NEXT_STEPS[story.case.step]
        forward = [name for name in likely if name in FORWARD] * 3
        name = pick(ANYTHING if seldom(pick) else [*likely, *forward])
        story.ask(command(pick, name, story.now, somebody(pick, name, story), story.case))
    return story
