"""Forms of what departments do with a case: called in, returned, handed over."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from domain import complaint
from domain.complaint import returning, units
from domain.complaint.units import HandoverReason
from domain.decider import Code, PersonKey
from domain.sealed import measure
from service.forms.form import Form, Making, Text


class CallInForm(Form):
    """Call in another department (协办)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"department": "SW", "question": "请核实该户是否已完成税务登记。"}]}
    )
    name = "call-in"
    summary = "Call in another department, with a limit of its own (协办)"
    department: Code
    question: Text

    def command(self, making: Making) -> complaint.Command:
        return units.CallIn(
            at=making.at,
            by=making.by,
            call=making.new_id,
            department=self.department,
            question=making.seal("question", self.question),
        )


class AnswerCallForm(Form):
    """Answer a call (协办回复)."""

    name = "answer-call"
    summary = "Answer for a department that was called in (协办回复)"
    call: UUID
    answer: Text

    def command(self, making: Making) -> complaint.Command:
        return units.AnswerCall(
            at=making.at,
            by=making.by,
            call=self.call,
            answer=making.seal("answer", self.answer),
            answer_measured=measure(self.answer),
        )


class RequestReturnForm(Form):
    """Return the case (退回)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"return_reason": "not_our_duty", "explanation": "该事项由税务部门负责。", "suggested_unit": "SW"}
            ]
        }
    )
    name = "request-return"
    summary = "Say that the case is not this unit's duty (退回)"
    return_reason: Code = Field(description="One of the policy's list of this name.")
    explanation: Text
    suggested_unit: Code | None = Field(default=None, description="The department whose it may be.")

    def command(self, making: Making) -> complaint.Command:
        return returning.RequestReturn(
            at=making.at,
            by=making.by,
            request=making.new_id,
            reason=self.return_reason,
            explanation=making.seal("explanation", self.explanation),
            suggested_unit=self.suggested_unit,
        )


class DecideReturnForm(Form):
    """Decide on a return (退回审核)."""

    name = "decide-return"
    summary = "Relieve the unit of the case, or leave it where it is (退回审核)"
    request: UUID
    approved: bool
    reason: Text | None = Field(default=None, description="Why the unit keeps it; not for an approval.")
    final: bool = Field(default=False, description="The unit may not ask again.")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.approved is not (self.reason is None):
            raise ValueError("a rejection says why, and an approval needs no reason")
        if self.approved and self.final:
            raise ValueError("only a rejection can be final")
        return self

    def command(self, making: Making) -> complaint.Command:
        return returning.DecideReturn(
            at=making.at,
            by=making.by,
            request=self.request,
            approved=self.approved,
            reason=making.seal("reason", self.reason),
            final=self.final,
        )


class HandOverForm(Form):
    """Hand over (移交)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"department": "SJ", "handler": "0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21", "reason": "leave"}]
        }
    )
    name = "hand-over"
    summary = "Give the case to another person or unit (移交)"
    department: Code
    handler: PersonKey | None = None
    reason: HandoverReason

    def command(self, making: Making) -> complaint.Command:
        return units.HandOver(
            at=making.at,
            by=making.by,
            department=self.department,
            handler=self.handler,
            reason=self.reason,
        )
