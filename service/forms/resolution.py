"""Forms of what follows from a finding: rectification, reply, revisit, closing."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from domain import complaint
from domain.complaint.replying import AppealRoute, Decision, DeliveryFailure
from domain.complaint.revisiting import Answers, Outcome, Resolved
from domain.decider import Code
from domain.grade import Grade
from domain.handling import ContactResult, Method
from domain.sealed import measure
from service.forms.form import Day, Form, Making, Moment, Text


class PlanRectificationForm(Form):
    """Plan a rectification (整改措施)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"actions": "统一一次性告知单", "due": "2027-01-15"}]})
    name = "plan-rectification"
    summary = "Plan a rectification, with a date"
    actions: Text
    due: Day
    replaces: UUID | None = Field(default=None, description="The action that failed its verification.")

    def command(self, making: Making) -> complaint.Command:
        return complaint.PlanRectification(
            at=making.at,
            by=making.by,
            rectification=making.new_id,
            actions=making.seal("actions", self.actions),
            due=self.due,
            replaces=self.replaces,
        )


class RectifyForm(Form):
    """Rectify (整改)."""

    name = "rectify"
    summary = "Record that it was rectified (整改)"
    rectification: UUID
    actions: Text
    evidence: tuple[UUID, ...] = Field(default=(), max_length=100)
    happened_at: Moment | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.Rectify(
            at=making.at,
            by=making.by,
            rectification=self.rectification,
            actions=making.seal("actions", self.actions),
            evidence=self.evidence,
            happened_at=self.happened_at,
        )


class VerifyRectificationForm(Form):
    """Verify a rectification (核验整改)."""

    name = "verify-rectification"
    summary = "Verify a rectification (核验整改)"
    rectification: UUID
    passed: bool
    note: Text | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.VerifyRectification(
            at=making.at,
            by=making.by,
            rectification=self.rectification,
            passed=self.passed,
            note=making.seal("note", self.note),
        )


class SubmitReplyForm(Form):
    """Submit a reply (答复送审)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision": "upheld",
                    "reasons": "经查属实，已整改并致歉。",
                    "legal_basis": "优化营商环境条例",
                    "points": ["两次告知不一致，属实，已统一告知单。"],
                }
            ]
        }
    )
    name = "submit-reply"
    summary = "Submit a reply for approval (答复送审)"
    decision: Decision
    reasons: Text
    legal_basis: Text
    points: tuple[Text, ...] = Field(min_length=1, max_length=20, description="An answer to each point raised.")
    remedy: Text | None = None
    appeal_route: AppealRoute = AppealRoute.REVIEW_REQUEST
    template_version: int | None = Field(default=None, ge=1, le=1_000_000)

    def command(self, making: Making) -> complaint.Command:
        return complaint.SubmitReply(
            at=making.at,
            by=making.by,
            reply=making.new_id,
            decision=self.decision,
            reasons=making.seal("reasons", self.reasons),
            reasons_measured=measure(self.reasons),
            legal_basis=making.seal("legal_basis", self.legal_basis),
            points=tuple(making.seal("points", point) for point in self.points),
            remedy=making.seal("remedy", self.remedy),
            appeal_route=self.appeal_route,
            template_version=self.template_version,
        )


class ApproveReplyForm(Form):
    """Approve a reply."""

    name = "approve-reply"
    summary = "Approve the reply (审核答复)"
    reply: UUID

    def command(self, making: Making) -> complaint.Command:
        return complaint.ApproveReply(at=making.at, by=making.by, reply=self.reply)


class RejectReplyForm(Form):
    """Send a reply back."""

    name = "reject-reply"
    summary = "Send the reply back for rework (发回重办)"
    reply: UUID
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        reason = making.seal("reason", self.reason)
        return complaint.RejectReply(at=making.at, by=making.by, reply=self.reply, reason=reason)


class ReplyForm(Form):
    """Reply (答复)."""

    name = "reply"
    summary = "Deliver the approved reply, or record that it did not arrive (答复)"
    reply: UUID
    method: Method
    failed: DeliveryFailure | None = None
    happened_at: Moment | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.Reply(
            at=making.at,
            by=making.by,
            reply=self.reply,
            method=self.method,
            failed=self.failed,
            happened_at=self.happened_at,
        )


class AnswersForm(BaseModel):
    """What the complainant said at the revisit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    resolved: Resolved
    attitude_satisfaction: Grade | None = None
    result_satisfaction: Grade | None = None
    new_facts: bool = False
    note: Text | None = None
    refused_reason: Code | None = None


class RevisitForm(Form):
    """Revisit (回访)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "method": "phone",
                    "result": "reached",
                    "answers": {"resolved": "yes", "result_satisfaction": "satisfied"},
                }
            ]
        }
    )
    name = "revisit"
    summary = "Record a revisit, or an attempt at one (回访)"
    method: Method
    result: ContactResult
    answers: AnswersForm | None = None
    happened_at: Moment | None = None

    @model_validator(mode="after")
    def _answers_of_who_was_reached(self) -> Self:
        if (self.answers is not None) != (self.result is ContactResult.REACHED):
            raise ValueError("answers belong to result 'reached', and only to it")
        return self

    def command(self, making: Making) -> complaint.Command:
        said = self.answers
        answers = None
        if said is not None:
            answers = Answers(
                resolved=said.resolved,
                attitude_satisfaction=said.attitude_satisfaction,
                result_satisfaction=said.result_satisfaction,
                new_facts=said.new_facts,
                note=making.seal("note", said.note),
                refused_reason=said.refused_reason,
            )
        return complaint.Revisit(
            at=making.at,
            by=making.by,
            method=self.method,
            result=self.result,
            answers=answers,
            happened_at=self.happened_at,
        )


class CloseForm(Form):
    """Close (办结)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "resolved"}]})
    name = "close"
    summary = "Close the case (办结)"
    outcome: Outcome
    resolution_code: Code | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.Close(at=making.at, by=making.by, outcome=self.outcome, resolution_code=self.resolution_code)
