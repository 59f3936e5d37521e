"""Forms of what keeps the handling fair and in time: keeping out, supervision, corrections, statements, notices."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from domain import complaint
from domain.complaint.correcting import CorrectRecord, InviteStatement, MakeStatement, RecordNotice
from domain.complaint.recusal import DecideRecusal, Ground, RequestRecusal
from domain.complaint.state import Clock
from domain.complaint.supervision import AnswerSupervision, IssueSupervision, LiftSupervision, Remind
from domain.decider import Code, PersonKey
from domain.handling import Method
from domain.sealed import measure
from service.forms.form import Form, Line, Making, Moment, Text
from service.forms.intake import RespondentForm


class RequestRecusalForm(Form):
    """Ask that somebody keeps out (回避)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ground": "relative", "explanation": "被投诉人是我表弟。"}]}
    )
    name = "request-recusal"
    summary = "Declare an own interest, or ask that somebody keep out (申请回避)"
    target: PersonKey | None = Field(
        default=None, description="Who is meant; without it, yourself, or for the two sides whoever handles the case."
    )
    ground: Ground
    explanation: Text | None = None

    def command(self, making: Making) -> complaint.Command:
        return RequestRecusal(
            at=making.at,
            by=making.by,
            recusal=making.new_id,
            target=self.target,
            ground=self.ground,
            explanation=making.seal("explanation", self.explanation),
        )


class DecideRecusalForm(Form):
    """Decide who keeps out."""

    name = "decide-recusal"
    summary = "Decide whether somebody keeps out (决定回避)"
    recusal: UUID
    granted: bool
    new_handler: PersonKey | None = Field(
        default=None, description="Who takes the case over at once, in the same unit."
    )
    reason: Text | None = None

    @model_validator(mode="after")
    def _takes_over_from_somebody(self) -> Self:
        if self.new_handler is not None and not self.granted:
            raise ValueError("who may stay keeps the case; leave new_handler out")
        return self

    def command(self, making: Making) -> complaint.Command:
        return DecideRecusal(
            at=making.at,
            by=making.by,
            recusal=self.recusal,
            granted=self.granted,
            new_handler=self.new_handler,
            reason=making.seal("reason", self.reason),
        )


class RemindForm(Form):
    """Remind the unit (催办)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"clock": "handle"}]})
    name = "remind"
    summary = "Remind the unit of a limit, once for each (催办)"
    clock: Clock

    def command(self, making: Making) -> complaint.Command:
        return Remind(at=making.at, by=making.by, clock=self.clock)


class IssueSupervisionForm(Form):
    """Issue a supervision order (督办)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rule_no": "overdue", "level": 2, "content": "请于两个工作日内说明逾期原因。"}]
        }
    )
    name = "issue-supervision"
    summary = "Issue a supervision order (督办)"
    rule_no: Code = Field(description="A reason of the policy's list supervision_rule.")
    level: int = Field(ge=1, le=3)
    content: Text

    def command(self, making: Making) -> complaint.Command:
        return IssueSupervision(
            at=making.at,
            by=making.by,
            supervision=making.new_id,
            rule_no=self.rule_no,
            level=self.level,
            content=making.seal("content", self.content),
        )


class AnswerSupervisionForm(Form):
    """Answer an order."""

    name = "answer-supervision"
    summary = "Answer a supervision order (督办反馈)"
    supervision: UUID
    answer: Text

    def command(self, making: Making) -> complaint.Command:
        return AnswerSupervision(
            at=making.at,
            by=making.by,
            supervision=self.supervision,
            answer=making.seal("answer", self.answer),
            answer_measured=measure(self.answer),
        )


class LiftSupervisionForm(Form):
    """Lift an order."""

    name = "lift-supervision"
    summary = "Lift a supervision order (解除督办)"
    supervision: UUID
    reason: Text | None = None

    def command(self, making: Making) -> complaint.Command:
        return LiftSupervision(
            at=making.at, by=making.by, supervision=self.supervision, reason=making.seal("reason", self.reason)
        )


class CorrectRecordForm(Form):
    """Correct a wrong entry (更正)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"respondent": {"window": "W04"}, "reason": "当事人说错了窗口号。"}]}
    )
    name = "correct-record"
    summary = "Correct a wrong category, respondent or contact; the old entry stays (更正)"
    category: Code | None = None
    respondent: RespondentForm | None = Field(default=None, description="The whole respondent as it should read.")
    contact_name: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    reason: Text

    @model_validator(mode="after")
    def _something(self) -> Self:
        given = (self.category, self.respondent, self.contact_name, self.phone, self.email)
        if all(one is None for one in given):
            raise ValueError("nothing is corrected; give a category, a respondent, a name, a phone or an e-mail")
        return self

    def command(self, making: Making) -> complaint.Command:
        return CorrectRecord(
            at=making.at,
            by=making.by,
            category=self.category,
            respondent=None if self.respondent is None else self.respondent.respondent(),
            name=making.seal("name", self.contact_name),
            phone=making.seal("phone", self.phone),
            email=making.seal("email", self.email),
            reason=making.seal("reason", self.reason),
        )


class InviteStatementForm(Form):
    """Ask the other side (陈述申辩)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"question": "请说明2月12日上午三号窗口的收件情况。"}]})
    name = "invite-statement"
    summary = "Ask the other side for a statement, in words that do not tell who complained"
    question: Text = Field(description="The other side reads this, and nothing else of the case.")

    def command(self, making: Making) -> complaint.Command:
        return InviteStatement(
            at=making.at,
            by=making.by,
            statement=making.new_id,
            question=making.seal("question", self.question),
        )


class MakeStatementForm(Form):
    """Make a statement for the other side."""

    name = "make-statement"
    summary = "Make a statement in the own cause (陈述申辩)"
    statement: UUID
    content: Text

    def command(self, making: Making) -> complaint.Command:
        return MakeStatement(
            at=making.at,
            by=making.by,
            statement=self.statement,
            content=making.seal("content", self.content),
            content_measured=measure(self.content),
        )


class RecordNoticeForm(Form):
    """Record that the complainant was told."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"about": "complaint.extension-approved", "method": "phone"}]}
    )
    name = "record-notice"
    summary = "Record that the complainant was told of something (告知)"
    about: Code = Field(description="What they were told of: the name of an event, as complaint.extension-approved.")
    method: Method
    delivered_at: Moment | None = None

    def command(self, making: Making) -> complaint.Command:
        return RecordNotice(
            at=making.at,
            by=making.by,
            notice=making.new_id,
            about=self.about,
            method=self.method,
            delivered_at=self.delivered_at,
        )
