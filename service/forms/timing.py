"""Forms of the clock: a supplement that is asked for and brought, a pause, an extension."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from domain import complaint
from domain.complaint import extending, supplementing, timing
from domain.decider import Code
from domain.sealed import measure
from service.forms.form import Form, Making, Text

MOST_DAYS = 1_000
"""No policy lengthens a limit by more; beyond it somebody mistyped."""


class RequestSupplementForm(Form):
    """Ask for what is missing (一次性告知补正)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": ["受理窗口开具的材料清单", "办件编号"]}]})
    name = "request-supplement"
    summary = "Ask the complainant for everything that is missing, once (一次性告知补正)"
    items: tuple[Text, ...] = Field(
        min_length=1, max_length=20, description="Everything that is missing; there is no second time."
    )

    def command(self, making: Making) -> complaint.Command:
        return supplementing.RequestSupplement(
            at=making.at,
            by=making.by,
            supplement=making.new_id,
            items=tuple(making.seal("items", item) for item in self.items),
        )


class ProvideSupplementForm(Form):
    """Bring what was missing (补正)."""

    name = "provide-supplement"
    summary = "Bring what was asked for, or write down what was brought (补正)"
    supplement: UUID
    content: Text

    def command(self, making: Making) -> complaint.Command:
        return supplementing.ProvideSupplement(
            at=making.at,
            by=making.by,
            supplement=self.supplement,
            content=making.seal("content", self.content),
            content_measured=measure(self.content),
        )


class PauseClockForm(Form):
    """Stop the clock (暂停计时)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "expert_or_hearing", "explanation": "已委托鉴定，等待结论。"}]}
    )
    name = "pause-clock"
    summary = "Stop the clock, for a reason of the policy's list (暂停计时)"
    reason: Code = Field(description="One of the policy's list `pause_reason`.")
    evidence: tuple[UUID, ...] = Field(default=(), max_length=100)
    explanation: Text | None = None

    def command(self, making: Making) -> complaint.Command:
        return timing.PauseClock(
            at=making.at,
            by=making.by,
            pause=making.new_id,
            reason=self.reason,
            evidence=self.evidence,
            explanation=making.seal("explanation", self.explanation),
        )


class ResumeClockForm(Form):
    """Let the clock run on (恢复计时)."""

    name = "resume-clock"
    summary = "Let the clock run on (恢复计时)"
    pause: UUID

    def command(self, making: Making) -> complaint.Command:
        return timing.ResumeClock(at=making.at, by=making.by, pause=self.pause)


class RequestExtensionForm(Form):
    """Ask for an extension (申请延期)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 5, "reason": "涉及两个部门，须共同核实。"}]})
    name = "request-extension"
    summary = "Ask for a longer limit while there is time (申请延期)"
    days: int = Field(ge=1, le=MOST_DAYS, description="In days as the limit counts them, working ones mostly.")
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        return extending.RequestExtension(
            at=making.at,
            by=making.by,
            extension=making.new_id,
            days=self.days,
            reason=making.seal("reason", self.reason),
        )


class DecideExtensionForm(Form):
    """Decide on an extension (审批延期)."""

    name = "decide-extension"
    summary = "Decide on an extension (审批延期)"
    extension: UUID
    approved: bool
    reason: Text | None = Field(default=None, description="Why not; only where it is not approved.")

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.approved is not (self.reason is None):
            raise ValueError("write a reason where it is not approved, and only there")
        return self

    def command(self, making: Making) -> complaint.Command:
        return extending.DecideExtension(
            at=making.at,
            by=making.by,
            extension=self.extension,
            approved=self.approved,
            reason=making.seal("reason", self.reason),
        )
