"""Forms of erasure and restriction: ask, decide, witness, lift; what destroys keys is not among them."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain import complaint
from domain.complaint.privacy import ErasureGround, Lifting
from domain.complaint.state import ErasureResult
from domain.decider import Code
from service.forms.form import Form, Line, Making, Text


class RequestErasureForm(Form):
    """Ask to have the personal data of a case erased (申请删除个人信息)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ground": "purpose_fulfilled"}]})
    name = "request-erasure"
    summary = "Ask for the complainant to have personal data erased (申请删除个人信息)"
    ground: ErasureGround

    def command(self, making: Making) -> complaint.Command:
        return complaint.RequestErasure(at=making.at, by=making.by, erasure_request=making.new_id, ground=self.ground)


class DecideErasureForm(Form):
    """Decide on a wish to have personal data erased (决定是否删除)."""

    name = "decide-erasure"
    summary = "Grant, restrict or refuse an erasure (决定是否删除)"
    erasure_request: UUID
    result: ErasureResult
    legal_basis: Code = Field(description="The rule it rests on, as L3-47.")
    reasons: Text | None = Field(default=None, description="Owed where it is refused.")

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.result is ErasureResult.REFUSED and self.reasons is None:
            raise ValueError("a request is refused with reasons; write them")
        return self

    def command(self, making: Making) -> complaint.Command:
        return complaint.DecideErasure(
            at=making.at,
            by=making.by,
            erasure_request=self.erasure_request,
            result=self.result,
            legal_basis=self.legal_basis,
            reasons=making.seal("reasons", self.reasons),
        )


class WitnessErasureForm(Form):
    """Witness that an erasure was granted and this is the case (见证删除)."""

    name = "witness-erasure"
    summary = "Witness an erasure that was granted (见证删除)"
    erasure_request: UUID

    def command(self, making: Making) -> complaint.Command:
        return complaint.WitnessErasure(at=making.at, by=making.by, erasure_request=self.erasure_request)


class LiftRestrictionForm(Form):
    """End a restriction (解除限制处理)."""

    name = "lift-restriction"
    summary = "End the restriction of processing (解除限制处理)"
    reason: Lifting

    def command(self, making: Making) -> complaint.Command:
        return complaint.LiftRestriction(at=making.at, by=making.by, reason=self.reason)


class EraseForm(BaseModel):
    """Which request is carried out: the keys are destroyed for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    erasure_request: UUID


class OwnRequestForm(RequestErasureForm):
    """With what somebody without an account asks to have their data erased."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "complaint_no": "TS-GXQ-20261123-00001-K",
                    "query_code": "7K3M-9QXA-02BD-ZZ4T",
                    "ground": "purpose_fulfilled",
                }
            ]
        }
    )
    complaint_no: Line
    query_code: Line
