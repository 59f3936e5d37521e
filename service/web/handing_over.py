"""The API of handing over all cases of a person, a window or a department."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from domain.decider import Role
from service.handing_over import HandOverAllForm, hand_over_some
from service.web.deps import Caller, InAsking, InParts, acting_as

router = APIRouter(tags=["complaints"])

GIVERS: Final = (Role.DISPATCHER, Role.UNIT_HEAD)
Giver = Annotated[Caller, Depends(acting_as(*GIVERS))]


class HandedCase(BaseModel):
    """What came of one case: whether it went over, or the code of the refusal."""

    case: UUID
    complaint_no: str
    moved: bool
    refused: str | None


class HandedOver(BaseModel):
    """What came of some cases, and after which one to go on; nothing there means that this was the last."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "case": "5b0ab2ae-9d0a-5b35-8f3e-1f7f9f2f3d11",
                            "complaint_no": "TS-GXQ-20261123-00001-K",
                            "moved": True,
                            "refused": None,
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )
    items: list[HandedCase]
    next: UUID | None


@router.post("/hand-over", summary="Hand over the cases of a person, a window or a department, some at a time (移交)")
def hand_over(form: HandOverAllForm, who: Giver, parts: InParts, asking: InAsking) -> HandedOver:
    """Hand over the cases in hand that you may know of; send it again with `after` until `next` is empty."""
    cause = asking("hand-over", form).command_id
    handed, after = hand_over_some(parts, who.actor, who.viewer, form, cause, "api")
    items = [
        HandedCase(case=one.case, complaint_no=one.complaint_no, moved=one.moved, refused=one.refused) for one in handed
    ]
    return HandedOver(items=items, next=after)
