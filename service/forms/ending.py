"""Forms of cases that end otherwise than by their answer, and of deciding on proposals of any act."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from domain import complaint
from domain.complaint import ending, proposals
from domain.complaint.replying import AppealRoute
from domain.decider import Code
from domain.handling import Proof
from domain.sealed import measure
from service.forms.form import Form, Line, Making, Text


class ProposeRefusalForm(Form):
    """Propose not to accept the complaint (拟不予受理)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "refuse_reason": "litigation_arbitration_reconsideration",
                    "legal_basis": "信访工作条例第十四条",
                    "explanation": "该事项已由人民法院立案审理。",
                    "proper_channel": "court",
                }
            ]
        }
    )
    name = "propose-refuse"
    summary = "Propose not to accept the complaint; another person confirms it (拟不予受理)"
    refuse_reason: Code = Field(description="One of the policy's list of this name.")
    legal_basis: Text
    explanation: Text = Field(description="What the complainant is told.")
    proper_channel: Code = Field(description="One of the policy's list of this name: where it belongs instead.")
    appeal_route: AppealRoute = AppealRoute.REVIEW_REQUEST

    def command(self, making: Making) -> complaint.Command:
        return ending.ProposeRefusal(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            reason=self.refuse_reason,
            legal_basis=making.seal("legal_basis", self.legal_basis),
            explanation=making.seal("explanation", self.explanation),
            explanation_measured=measure(self.explanation),
            proper_channel=self.proper_channel,
            appeal_route=self.appeal_route,
        )


class ConfirmRefusalForm(Form):
    """Confirm the refusal (确认不予受理)."""

    name = "confirm-refuse"
    summary = "Confirm the refusal that somebody else proposed (确认不予受理)"
    proposal: UUID

    def command(self, making: Making) -> complaint.Command:
        return ending.ConfirmRefusal(at=making.at, by=making.by, proposal=self.proposal)


class TransferOutForm(Form):
    """Send the case to the authority it belongs to (转送)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to": "petition", "doc_no": "高新政转〔2026〕17号", "explanation": "已转信访部门办理。"}]
        }
    )
    name = "transfer-out"
    summary = "Send the case to the authority it belongs to (转送其他机关)"
    to: ending.Destination
    doc_no: Line | None = Field(default=None, description="The number of the letter it went with.")
    explanation: Text | None = Field(default=None, description="What the complainant is told.")

    def command(self, making: Making) -> complaint.Command:
        return ending.TransferOut(
            at=making.at,
            by=making.by,
            to=self.to,
            doc_no=making.seal("doc_no", self.doc_no),
            explanation=making.seal("explanation", self.explanation),
        )


class WithdrawForm(Form):
    """Withdraw the own complaint (撤回)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"proof": "query_code", "reason": "问题已经解决。"}]})
    name = "withdraw"
    summary = "Withdraw the own complaint, of free will (撤回投诉)"
    reason: Text | None = None
    proof: Proof = Proof.QUERY_CODE

    def command(self, making: Making) -> complaint.Command:
        return ending.Withdraw(
            at=making.at,
            by=making.by,
            reason=making.seal("reason", self.reason),
            proof=self.proof,
            confirmed_by=making.taken_by,
        )


class ProposeTerminationForm(Form):
    """Propose to end the handling (拟终止办理)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"terminate_reason": "turned_out_non_acceptable", "explanation": "该事项已进入行政复议。"}]
        }
    )
    name = "propose-terminate"
    summary = "Propose to end the handling; a supervisor confirms it (拟终止办理)"
    terminate_reason: Code = Field(description="One of the policy's list of this name.")
    explanation: Text = Field(description="What the complainant is told.")

    def command(self, making: Making) -> complaint.Command:
        return ending.ProposeTermination(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            reason=self.terminate_reason,
            explanation=making.seal("explanation", self.explanation),
        )


class ConfirmTerminationForm(Form):
    """Confirm the end of the handling (确认终止办理)."""

    name = "confirm-terminate"
    summary = "Confirm the end of the handling that somebody else proposed (确认终止办理)"
    proposal: UUID

    def command(self, making: Making) -> complaint.Command:
        return ending.ConfirmTermination(at=making.at, by=making.by, proposal=self.proposal)


class DeclineProposalForm(Form):
    """Decline a proposal (不同意)."""

    name = "decline-proposal"
    summary = "Decline what somebody else proposed; everything stays as it was (不同意)"
    proposal: UUID
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        reason = making.seal("reason", self.reason)
        return proposals.DeclineProposal(at=making.at, by=making.by, proposal=self.proposal, reason=reason)
