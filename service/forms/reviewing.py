"""Forms of what is settled at the counter, of reviews, and of cases that are taken up again."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict

from domain import complaint
from domain.complaint import onspot, reviewing
from domain.complaint.state import Finding
from domain.decider import Code
from domain.handling import Proof
from domain.sealed import measure
from service.forms.form import Form, Making, Text


class ResolveOnSpotForm(Form):
    """Settle the matter at the counter (当场办结)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "finding": "unsubstantiated",
                    "facts": "当场核对受理系统，材料已于昨日受理。",
                    "content": "已向投诉人说明办理进度，投诉人认可。",
                    "confirmed": "signature",
                }
            ]
        }
    )
    name = "resolve-on-spot"
    summary = "Settle the matter at the counter; the complainant confirms it (当场办结)"
    category: Code | None = None
    finding: Finding
    facts: Text
    content: Text
    confirmed: Proof

    def command(self, making: Making) -> complaint.Command:
        return onspot.ResolveOnSpot(
            at=making.at,
            by=making.by,
            reply=making.new_id,
            category=self.category,
            finding=self.finding,
            facts=making.seal("facts", self.facts),
            facts_measured=measure(self.facts),
            content=making.seal("content", self.content),
            content_measured=measure(self.content),
            confirmed=self.confirmed,
        )


class RequestReviewForm(Form):
    """Ask for a review of the own case (申请复核)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grounds": "答复没有说明为何两次要求不同的材料。"}]})
    name = "request-review"
    summary = "Ask for a review of the own case (申请复核)"
    grounds: Text

    def command(self, making: Making) -> complaint.Command:
        return reviewing.RequestReview(
            at=making.at,
            by=making.by,
            review=making.new_id,
            grounds=making.seal("grounds", self.grounds),
            grounds_measured=measure(self.grounds),
        )


class DecideReviewForm(Form):
    """Decide a review (复核决定)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "review": "0d490854-4bc3-529b-b996-cd7a4c60aa3c",
                    "result": "overturned",
                    "reasons": "原调查未核对监控记录。",
                }
            ]
        }
    )
    name = "decide-review"
    summary = "Decide a review; who had a part in the case before does not (复核决定)"
    review: UUID
    result: reviewing.ReviewResult
    reasons: Text

    def command(self, making: Making) -> complaint.Command:
        return reviewing.DecideReview(
            at=making.at,
            by=making.by,
            review=self.review,
            result=self.result,
            reasons=making.seal("reasons", self.reasons),
            reasons_measured=measure(self.reasons),
        )


class ReopenForm(Form):
    """Take a case up again (重新办理)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cause": "new_facts", "reason": "投诉人提交了新的录音。"}]}
    )
    name = "reopen"
    summary = "Take a case up again in a new round (重新办理)"
    cause: reviewing.ReopenCause
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        reason = making.seal("reason", self.reason)
        return reviewing.Reopen(at=making.at, by=making.by, cause=self.cause, reason=reason)


class OrderReworkForm(Form):
    """Send an answered case back to the handler (发回重办)."""

    name = "order-rework"
    summary = "Send an answered case back to the handler (发回重办)"
    reply: UUID
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        reason = making.seal("reason", self.reason)
        return reviewing.OrderRework(at=making.at, by=making.by, reply=self.reply, reason=reason)
