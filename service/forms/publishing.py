"""Forms of what becomes known outside: a redacted case, or who complained; each by two people."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from domain import complaint
from domain.complaint import publishing
from domain.decider import Code
from domain.sealed import measure
from service.forms.form import Form, Making, Text


class ProposePublicationForm(Form):
    """Propose to publish the case, redacted (拟公示)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"redaction": "群众反映某窗口告知材料前后不一致。", "reply": "经查属实，已统一一次性告知单。"}]
        }
    )
    name = "propose-publish"
    summary = "Propose to publish the case, without anything personal (拟公示)"
    redaction: Text = Field(description="What happened, without names, numbers and exact times.")
    reply: Text | None = Field(default=None, description="What was answered, without anything personal.")

    def command(self, making: Making) -> complaint.Command:
        return publishing.ProposePublication(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            redaction=making.seal("redaction", self.redaction),
            redaction_measured=measure(self.redaction),
            reply=making.seal("reply", self.reply),
            reply_measured=None if self.reply is None else measure(self.reply),
        )


class ConfirmPublicationForm(Form):
    """Confirm the publication (确认公示)."""

    name = "confirm-publish"
    summary = "Confirm the publication that somebody else proposed (确认公示)"
    proposal: UUID

    def command(self, making: Making) -> complaint.Command:
        return publishing.ConfirmPublication(at=making.at, by=making.by, proposal=self.proposal)


class UnpublishForm(Form):
    """Take the case out of publication (撤下公示)."""

    name = "unpublish"
    summary = "Take the case out of publication (撤下公示)"
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        reason = making.seal("reason", self.reason)
        return publishing.Unpublish(at=making.at, by=making.by, reason=reason)


class ProposeDisclosureForm(Form):
    """Propose to disclose who complained (拟披露投诉人身份)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"fields": ["name"], "disclosure_recipient": "court", "legal_basis": "人民法院调查令〔2026〕第3号"}
            ]
        }
    )
    name = "propose-disclose"
    summary = "Propose to disclose who complained to an authority (拟披露投诉人身份)"
    fields: tuple[Literal["name", "phone"], ...] = Field(min_length=1, max_length=2)
    disclosure_recipient: Code = Field(description="One of the policy's list of this name.")
    legal_basis: Text

    def command(self, making: Making) -> complaint.Command:
        return publishing.ProposeDisclosure(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            fields=self.fields,
            recipient=self.disclosure_recipient,
            legal_basis=making.seal("legal_basis", self.legal_basis),
        )


class ConfirmDisclosureForm(Form):
    """Confirm the disclosure (确认披露)."""

    name = "confirm-disclose"
    summary = "Confirm the disclosure that somebody else proposed (确认披露投诉人身份)"
    proposal: UUID

    def command(self, making: Making) -> complaint.Command:
        return publishing.ConfirmDisclosure(at=making.at, by=making.by, proposal=self.proposal)
