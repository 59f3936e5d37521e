"""Forms of the work on a bad review: contact, evidence, verdict, putting right, reply, revisit."""

from __future__ import annotations

from typing import Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.decider import Code
from domain.handling import ContactResult, Method
from domain.review import ReviewCommand
from domain.review.revisiting import Revisit, RevisitAnswers
from domain.review.settling import Explain, PlanRectification, Rectify, Reply
from domain.review.state import Satisfied, Verdict
from domain.review.verifying import Contact, RecordEvidence, Verify, appeal_of
from domain.sealed import measure
from service.eventstore import Beside
from service.forms.form import CommandForm, Day, Making, Moment, Text
from service.forms.inquiry import EvidenceFields

MOST_EVIDENCE: Final = 100


class StepForm(CommandForm[ReviewCommand]):
    """What comes in for one command on a review."""


class ContactForm(StepForm):
    """Contact who rated (联系)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"method": "phone", "result": "reached"}]})
    name = "contact"
    summary = "Record an attempt to reach who rated (联系)"
    method: Method
    result: ContactResult
    note: Text | None = None
    happened_at: Moment | None = None

    def command(self, making: Making) -> ReviewCommand:
        return Contact(
            at=making.at,
            by=making.by,
            method=self.method,
            result=self.result,
            note=making.seal("note", self.note),
            happened_at=self.happened_at,
        )


class RecordEvidenceForm(EvidenceFields, StepForm):
    """Record evidence (取证)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "recording", "description": "窗口监控录像"}]})
    name = "record-evidence"
    summary = "Record evidence, with a file if there is one (取证)"

    def made(self, making: Making) -> tuple[ReviewCommand, tuple[Beside, ...]]:
        piece, file = self.sealed(making)
        return RecordEvidence(at=making.at, by=making.by, evidence=making.new_id, kind=self.kind, **piece), file


class VerifyForm(StepForm):
    """Verify a bad review (核实)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "valid_clear", "facts": "监控显示态度生硬，属实。"}]}
    )
    name = "verify"
    summary = "Give a verdict; `mistaken` and `malicious` go before two outside deciders (核实)"
    verdict: Verdict
    facts: Text
    evidence: tuple[UUID, ...] = Field(default=(), max_length=MOST_EVIDENCE)

    def command(self, making: Making) -> ReviewCommand:
        return Verify(
            at=making.at,
            by=making.by,
            verdict=self.verdict,
            facts=making.seal("facts", self.facts),
            facts_measured=measure(self.facts),
            evidence=self.evidence,
            appeal=appeal_of(making.command_id),
            explanation=making.seal("explanation", self.facts) if self.verdict.contests else None,
        )


class PlanRectificationForm(StepForm):
    """Plan what is complex (建台账, 限期整改)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"actions": "增设帮办岗位", "reason_told": "须调整人员", "due": "2026-12-14"}]}
    )
    name = "plan-rectification"
    summary = "Put it on the list with a date, and why it takes that long (建台账)"
    actions: Text
    reason_told: Text
    ledger_no: Code | None = None
    due: Day

    def command(self, making: Making) -> ReviewCommand:
        return PlanRectification(
            at=making.at,
            by=making.by,
            actions=making.seal("actions", self.actions),
            reason_told=making.seal("reason_told", self.reason_told),
            ledger_no=self.ledger_no,
            due=self.due,
        )


class RectifyForm(StepForm):
    """Put it right (整改)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"actions": "已批评教育并当面致歉。"}]})
    name = "rectify"
    summary = "Record that it was put right (整改)"
    actions: Text
    evidence: tuple[UUID, ...] = Field(default=(), max_length=MOST_EVIDENCE)
    happened_at: Moment | None = None

    def command(self, making: Making) -> ReviewCommand:
        return Rectify(
            at=making.at,
            by=making.by,
            actions=making.seal("actions", self.actions),
            actions_measured=measure(self.actions),
            evidence=self.evidence,
            happened_at=self.happened_at,
        )


class ExplainForm(StepForm):
    """Explain (解释说明)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"explanation": "该材料由法规规定，窗口无权免除。"}]})
    name = "explain"
    summary = "Explain why there is nothing to put right (解释说明)"
    explanation: Text

    def command(self, making: Making) -> ReviewCommand:
        return Explain(
            at=making.at,
            by=making.by,
            explanation=making.seal("explanation", self.explanation),
            explanation_measured=measure(self.explanation),
        )


class ReplyForm(StepForm):
    """Reply to who rated (答复)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "已整改，感谢监督。", "method": "phone"}]})
    name = "reply"
    summary = "Give who rated the unit's reply (答复)"
    text: Text
    method: Method

    def command(self, making: Making) -> ReviewCommand:
        return Reply(
            at=making.at,
            by=making.by,
            text=making.seal("text", self.text),
            text_measured=measure(self.text),
            method=self.method,
        )


class SaidForm(BaseModel):
    """What who rated said at the revisit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    satisfied: Satisfied
    wants_follow_up: bool = False
    note: Text | None = None


class RevisitForm(StepForm):
    """Revisit (回访)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"method": "phone", "result": "reached", "answers": {"satisfied": "yes"}}]}
    )
    name = "revisit"
    summary = "Record a revisit, or an attempt at one (回访)"
    method: Method
    result: ContactResult
    answers: SaidForm | None = None
    happened_at: Moment | None = None

    @model_validator(mode="after")
    def _answers_of_who_was_reached(self) -> Self:
        if (self.answers is not None) != (self.result is ContactResult.REACHED):
            raise ValueError("answers belong to result 'reached', and only to it")
        return self

    def command(self, making: Making) -> ReviewCommand:
        said = self.answers
        answers = None
        if said is not None:
            note = making.seal("note", said.note)
            answers = RevisitAnswers(satisfied=said.satisfied, wants_follow_up=said.wants_follow_up, note=note)
        return Revisit(
            at=making.at,
            by=making.by,
            method=self.method,
            result=self.result,
            answers=answers,
            happened_at=self.happened_at,
        )
