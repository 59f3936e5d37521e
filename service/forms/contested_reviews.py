"""Forms of what is contested, watched or doubtful about a review: appeals, objections, orders, flags, checks."""

from __future__ import annotations

from typing import Final, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from domain.decider import Code
from domain.handling import ContactResult, Method
from domain.review import ReviewCommand
from domain.review.appealing import Appeal, AppealResult, ConfirmDecideAppeal, ProposeDecideAppeal, Tell
from domain.review.flagging import Check, ClearFlag, Genuine
from domain.review.objecting import ConfirmDecideObjection, ObjectionResult, ProposeDecideObjection
from domain.review.proposals import DeclineProposal
from domain.review.state import Clock
from domain.review.watching import AnswerSupervision, IssueSupervision, LiftSupervision, Remind
from domain.sealed import measure
from service.forms.form import Making, Moment, Text
from service.forms.review_steps import MOST_EVIDENCE, StepForm

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The id in examples: of nothing."""


class AppealForm(StepForm):
    """Appeal (申诉)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ground": "mistaken_target", "explanation": "当日三号窗口未开放。"}]}
    )
    name = "appeal"
    summary = "Say that the review should not count, on a listed ground (申诉)"
    ground: Code = Field(description="A reason of the policy's list appeal_ground.")
    explanation: Text
    evidence: tuple[UUID, ...] = Field(default=(), max_length=MOST_EVIDENCE)

    def command(self, making: Making) -> ReviewCommand:
        return Appeal(
            at=making.at,
            by=making.by,
            appeal=making.new_id,
            ground=self.ground,
            explanation=making.seal("explanation", self.explanation),
            explanation_measured=measure(self.explanation),
            evidence=self.evidence,
        )


class ProposeDecideAppealForm(StepForm):
    """Propose what becomes of an appeal (申诉复核)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"appeal": NOBODY, "result": "rejected", "reasons": "当日窗口有受理记录。"}]}
    )
    name = "propose-decide-appeal"
    summary = "Propose what becomes of the appeal; another outside decider confirms it (申诉复核)"
    appeal: UUID
    result: AppealResult
    reason: Code | None = Field(default=None, description="For an exclusion: of the policy's list exclude_reason.")
    reasons: Text
    evidence: tuple[UUID, ...] = Field(default=(), max_length=MOST_EVIDENCE)

    @model_validator(mode="after")
    def _a_reason_to_exclude(self) -> Self:
        if (self.reason is not None) != (self.result is AppealResult.EXCLUDE):
            raise ValueError("a listed reason belongs to result 'exclude', and only to it")
        return self

    def command(self, making: Making) -> ReviewCommand:
        return ProposeDecideAppeal(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            appeal=self.appeal,
            result=self.result,
            reason=self.reason,
            reasons=making.seal("reasons", self.reasons),
            reasons_measured=measure(self.reasons),
            evidence=self.evidence,
        )


class ConfirmDecideAppealForm(StepForm):
    """Confirm what becomes of an appeal."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"proposal": NOBODY}]})
    name = "confirm-decide-appeal"
    summary = "Confirm what another decider proposed on the appeal (确认申诉复核)"
    proposal: UUID

    def command(self, making: Making) -> ReviewCommand:
        return ConfirmDecideAppeal(at=making.at, by=making.by, proposal=self.proposal)


class TellForm(StepForm):
    """Tell who rated (告知)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"method": "phone", "result": "reached"}]})
    name = "tell"
    summary = "Record an attempt to tell who rated that the review was excluded (告知)"
    method: Method
    result: ContactResult

    def command(self, making: Making) -> ReviewCommand:
        return Tell(at=making.at, by=making.by, method=self.method, result=self.result)


class ProposeDecideObjectionForm(StepForm):
    """Propose what becomes of an objection (异议复核)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"objection": NOBODY, "result": "reinstate", "reasons": "排除依据不足。"}]}
    )
    name = "propose-decide-objection"
    summary = "Propose what becomes of the objection; only who took no part in the exclusion (异议复核)"
    objection: UUID
    result: ObjectionResult
    reasons: Text

    def command(self, making: Making) -> ReviewCommand:
        return ProposeDecideObjection(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            objection=self.objection,
            result=self.result,
            reasons=making.seal("reasons", self.reasons),
            reasons_measured=measure(self.reasons),
        )


class ConfirmDecideObjectionForm(StepForm):
    """Confirm what becomes of an objection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"proposal": NOBODY}]})
    name = "confirm-decide-objection"
    summary = "Confirm what another decider proposed on the objection (确认异议复核)"
    proposal: UUID

    def command(self, making: Making) -> ReviewCommand:
        return ConfirmDecideObjection(at=making.at, by=making.by, proposal=self.proposal)


class DeclineProposalForm(StepForm):
    """Decline a proposal (不予确认)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"proposal": NOBODY, "reason": "证据不足。"}]})
    name = "decline-proposal"
    summary = "Decline what another decider proposed (不予确认)"
    proposal: UUID
    reason: Text

    def command(self, making: Making) -> ReviewCommand:
        reason = making.seal("reason", self.reason)
        return DeclineProposal(at=making.at, by=making.by, proposal=self.proposal, reason=reason)


class RemindForm(StepForm):
    """Remind (催办)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"clock": "verify"}]})
    name = "remind"
    summary = "Remind of a limit, once for each (催办)"
    clock: Clock

    def command(self, making: Making) -> ReviewCommand:
        return Remind(at=making.at, by=making.by, clock=self.clock)


class IssueSupervisionForm(StepForm):
    """Issue a supervision order (督办)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rule_no": "overdue", "level": 1, "content": "请于两个工作日内办结。"}]}
    )
    name = "issue-supervision"
    summary = "Issue a supervision order (督办)"
    rule_no: Code = Field(description="A reason of the policy's list supervision_rule.")
    level: int = Field(ge=1, le=3)
    content: Text

    def command(self, making: Making) -> ReviewCommand:
        return IssueSupervision(
            at=making.at,
            by=making.by,
            supervision=making.new_id,
            rule_no=self.rule_no,
            level=self.level,
            clock=None,
            content=making.seal("content", self.content),
        )


class AnswerSupervisionForm(StepForm):
    """Answer an order (督办反馈)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"supervision": NOBODY, "answer": "已联系评价人。"}]})
    name = "answer-supervision"
    summary = "Answer a supervision order (督办反馈)"
    supervision: UUID
    answer: Text

    def command(self, making: Making) -> ReviewCommand:
        return AnswerSupervision(
            at=making.at,
            by=making.by,
            supervision=self.supervision,
            answer=making.seal("answer", self.answer),
            answer_measured=measure(self.answer),
        )


class LiftSupervisionForm(StepForm):
    """Lift an order (解除督办)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"supervision": NOBODY}]})
    name = "lift-supervision"
    summary = "Lift a supervision order (解除督办)"
    supervision: UUID
    reason: Text | None = None

    def command(self, making: Making) -> ReviewCommand:
        reason = making.seal("reason", self.reason)
        return LiftSupervision(at=making.at, by=making.by, supervision=self.supervision, reason=reason)


class ClearFlagForm(StepForm):
    """Clear a flag (排除疑点)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"flag": NOBODY, "reason": "同一家庭多人办事。"}]})
    name = "clear-flag"
    summary = "Say that nothing is wrong with what a detector noticed (排除疑点)"
    flag: UUID
    reason: Text

    def command(self, making: Making) -> ReviewCommand:
        reason = making.seal("reason", self.reason)
        return ClearFlag(at=making.at, by=making.by, flag=self.flag, reason=reason)


class CheckForm(StepForm):
    """Check a drawn review (抽查核验)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"draw": NOBODY, "method": "phone", "result": "reached", "genuine": "yes"}]}
    )
    name = "check"
    summary = "Record an attempt to ask who rated whether the rating is theirs (抽查核验)"
    draw: UUID
    method: Method
    result: ContactResult
    genuine: Genuine | None = None
    note: Text | None = None
    happened_at: Moment | None = None

    @model_validator(mode="after")
    def _an_answer_of_who_was_reached(self) -> Self:
        if (self.genuine is not None) != (self.result is ContactResult.REACHED):
            raise ValueError("`genuine` belongs to result 'reached', and only to it")
        return self

    def command(self, making: Making) -> ReviewCommand:
        return Check(
            at=making.at,
            by=making.by,
            draw=self.draw,
            method=self.method,
            result=self.result,
            genuine=self.genuine,
            note=making.seal("note", self.note),
            happened_at=self.happened_at,
        )
