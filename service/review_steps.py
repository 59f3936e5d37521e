"""Which steps of a review somebody can take, found by really asking the rules with a well-formed example of each.

As for complaints: a refusal that lies with the person or the review holds whatever is filled in; one that lies with the
content of a form says nothing yet. Nothing of an example is ever stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from domain.complaint.inquiry import EvidenceKind
from domain.complaint.obstacles import FRESH, MEASURED, SOMETHING, Obstacle
from domain.decider import Actor, Code
from domain.errors import NothingOpen, Refused, Superseded
from domain.handling import ContactResult, Facts, Method
from domain.review import NEXT_STEPS, Review, ReviewCommand, decide
from domain.review.appealing import Appeal, AppealResult, ConfirmDecideAppeal, ProposeDecideAppeal, Tell
from domain.review.flagging import Check, ClearFlag, Genuine
from domain.review.objecting import ConfirmDecideObjection, ObjectionResult, ProposeDecideObjection
from domain.review.proposals import DeclineProposal
from domain.review.revisiting import Revisit, RevisitAnswers
from domain.review.settling import Explain, PlanRectification, Rectify, Reply
from domain.review.state import Clock, Satisfied, Verdict, in_hand
from domain.review.verifying import Contact, RecordEvidence, Verify
from domain.review.watching import AnswerSupervision, IssueSupervision, LiftSupervision, Remind

REACHED: Final[Mapping[str, Any]] = MappingProxyType({"method": Method.PHONE, "result": ContactResult.REACHED})
TEXT: Final = SOMETHING
ANSWERS: Final = RevisitAnswers(satisfied=Satisfied.YES, wants_follow_up=False, note=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Somebody who asks what may be done about a review at a moment (UTC)."""

    review: Review
    by: Actor
    at: datetime
    facts: Facts

    def listed(self, name: Code) -> tuple[Code, ...]:
        """Give the codes of a list of the policy by which the review goes now; one that none has where it is empty."""
        policy = self.facts.rulebook.policy(self.review.profile, self.at)
        return ("none",) if policy is None else policy.codes(name) or ("none",)

    def refusal(self, name: Code) -> Refused | None:
        """Give what refuses every example of a command; None as soon as one is refused for its content at most."""
        open_ones = OPEN_ONES.get(name)
        ids = [FRESH] if open_ones is None else list(open_ones(self.review))
        first: Refused | None = None
        for example in (made for one in ids or [FRESH] for made in EXAMPLES[name](self, one)):
            refused = self._ask(name, example)
            passes = refused is None or refused.about == "content"
            if not ids and (passes or isinstance(refused, Superseded)):
                # Nobody can fill in what fits where there is nothing to name.
                return NothingOpen(command=name)
            if passes:
                return None
            first = first or refused
        return first

    def _ask(self, name: Code, example: ReviewCommand) -> Refused | None:
        try:
            found = decide(self.review, example, self.facts)
        except Refused as refused:
            return refused
        return None if found else NothingOpen(command=name)


def _verdicts(one: Asking, made: UUID) -> Iterable[ReviewCommand]:
    for verdict in Verdict:
        yield Verify(
            at=one.at, by=one.by, verdict=verdict, facts=TEXT, facts_measured=MEASURED, evidence=(), appeal=made
        )


def _appeals(one: Asking, made: UUID) -> Iterable[ReviewCommand]:
    for ground in one.listed("appeal_ground"):
        yield Appeal(
            at=one.at,
            by=one.by,
            appeal=made,
            ground=ground,
            explanation=TEXT,
            explanation_measured=MEASURED,
            evidence=(),
        )


def _plans(one: Asking, _: UUID) -> Iterable[ReviewCommand]:
    tomorrow = one.facts.day(one.review.profile, one.at) + timedelta(days=1)
    yield PlanRectification(at=one.at, by=one.by, actions=TEXT, reason_told=TEXT, ledger_no=None, due=tomorrow)


def _reminders(one: Asking, _: UUID) -> Iterable[ReviewCommand]:
    for clock in in_hand(one.review) or (Clock.VERIFY,):
        yield Remind(at=one.at, by=one.by, clock=clock)


def _orders(one: Asking, made: UUID) -> Iterable[ReviewCommand]:
    for rule in one.listed("supervision_rule"):
        yield IssueSupervision(at=one.at, by=one.by, supervision=made, rule_no=rule, level=1, clock=None, content=TEXT)


EXAMPLES: Final[Mapping[Code, Callable[[Asking, UUID], Iterable[ReviewCommand]]]] = MappingProxyType(
    {
        "contact": lambda one, _: [Contact(at=one.at, by=one.by, note=None, **REACHED)],
        "record-evidence": lambda one, made: [
            RecordEvidence(
                at=one.at,
                by=one.by,
                evidence=made,
                kind=EvidenceKind.DOCUMENT,
                description=TEXT,
                sha256=None,
                size=None,
            )
        ],
        "verify": _verdicts,
        "plan-rectification": _plans,
        "rectify": lambda one, _: [Rectify(at=one.at, by=one.by, actions=TEXT, actions_measured=MEASURED, evidence=())],
        "explain": lambda one, _: [Explain(at=one.at, by=one.by, explanation=TEXT, explanation_measured=MEASURED)],
        "reply": lambda one, _: [Reply(at=one.at, by=one.by, text=TEXT, text_measured=MEASURED, method=Method.PHONE)],
        "revisit": lambda one, _: [Revisit(at=one.at, by=one.by, answers=ANSWERS, **REACHED)],
        "appeal": _appeals,
        "propose-decide-appeal": lambda one, about: [
            ProposeDecideAppeal(
                at=one.at,
                by=one.by,
                proposal=FRESH,
                appeal=about,
                result=AppealResult.REJECTED,
                reason=None,
                reasons=TEXT,
                reasons_measured=MEASURED,
                evidence=(),
            )
        ],
        "confirm-decide-appeal": lambda one, about: [ConfirmDecideAppeal(at=one.at, by=one.by, proposal=about)],
        "tell": lambda one, _: [Tell(at=one.at, by=one.by, **REACHED)],
        "propose-decide-objection": lambda one, about: [
            ProposeDecideObjection(
                at=one.at,
                by=one.by,
                proposal=FRESH,
                objection=about,
                result=ObjectionResult.UPHOLD,
                reasons=TEXT,
                reasons_measured=MEASURED,
            )
        ],
        "confirm-decide-objection": lambda one, about: [ConfirmDecideObjection(at=one.at, by=one.by, proposal=about)],
        "decline-proposal": lambda one, about: [DeclineProposal(at=one.at, by=one.by, proposal=about, reason=TEXT)],
        "remind": _reminders,
        "issue-supervision": _orders,
        "answer-supervision": lambda one, about: [
            AnswerSupervision(at=one.at, by=one.by, supervision=about, answer=TEXT, answer_measured=MEASURED)
        ],
        "lift-supervision": lambda one, about: [LiftSupervision(at=one.at, by=one.by, supervision=about, reason=None)],
        "clear-flag": lambda one, about: [ClearFlag(at=one.at, by=one.by, flag=about, reason=TEXT)],
        "check": lambda one, about: [
            Check(at=one.at, by=one.by, draw=about, genuine=Genuine.YES, note=None, **REACHED)
        ],
    }
)
"""For every command of staff one example, or several that differ in what the rules look at."""


def proposals(review: Review, confirm: Code | None = None) -> list[UUID]:
    """Give the proposals that wait, all or those confirmed by one command."""
    return [key for key, one in review.proposals.items() if confirm in {None, one.confirm}]


OPEN_ONES: Final[Mapping[Code, Callable[[Review], Iterable[UUID]]]] = MappingProxyType(
    {
        "propose-decide-appeal": lambda review: [] if review.appeal is None else [review.appeal],
        "confirm-decide-appeal": lambda review: proposals(review, "confirm-decide-appeal"),
        "propose-decide-objection": lambda review: [] if review.objection is None else [review.objection],
        "confirm-decide-objection": lambda review: proposals(review, "confirm-decide-objection"),
        "decline-proposal": proposals,
        "answer-supervision": lambda review: [
            key for key, one in review.orders.items() if not one.lifted and not one.answered_by
        ],
        "lift-supervision": lambda review: [key for key, one in review.orders.items() if not one.lifted],
        "clear-flag": lambda review: [key for key, one in review.flags.items() if not one.cleared],
        "check": lambda review: [draw for draw, done in review.checks.items() if not done],
    }
)
"""What of a review a command can be about; the others make something new."""


def review_steps(review: Review, by: Actor, at: datetime, facts: Facts) -> tuple[Obstacle, ...]:
    """Say for every command of staff on a review what would stand in the way of this actor at a moment (UTC).

    Those in turn come first, in the order of the loop.
    """
    asking = Asking(review=review, by=by, at=at, facts=replace(facts, itself=facts.itself or FRESH))
    in_turn = [name for name in NEXT_STEPS[review.stage] if name in EXAMPLES]
    return tuple(Obstacle(command=name, refusal=asking.refusal(name)) for name in dict.fromkeys((*in_turn, *EXAMPLES)))


def under_way(review: Review) -> dict[str, Any]:
    """Give the ids that the next commands name: of all that waits for a decision, an answer or an end."""
    return {
        "appeal": review.appeal,
        "objection": review.objection,
        "proposals": [{"proposal": key, "confirm": one.confirm} for key, one in review.proposals.items()],
        "evidence": sorted(review.evidence),
        "supervisions": list(OPEN_ONES["lift-supervision"](review)),
        "flags": list(OPEN_ONES["clear-flag"](review)),
        "checks": list(OPEN_ONES["check"](review)),
    }
