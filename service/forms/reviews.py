"""Forms of visits and of what people say of them: a served visit, an invitation, a rating, the one follow-up."""

from __future__ import annotations

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.decider import Code, PersonKey
from domain.grade import Grade
from domain.occasion import Medium, ServiceChannel
from domain.review import ReviewChannel
from service.forms.form import HallCode, Line, Moment, Text

MOST_CODES: Final = 20
DAY_SECONDS: Final = 86_400
Codes = Annotated[
    tuple[Code, ...], Field(max_length=MOST_CODES, description="What was ticked, offered with the grade.")
]


class OccasionForm(BaseModel):
    """A served visit as the case system or a counter tells it; who was served is known by phone or identity number."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "hall": "GXQ",
                    "project_no": "370000201123",
                    "service_number": 1,
                    "window": "W03",
                    "served_at": "2026-11-22T10:15:00+08:00",
                    "phone": "13800000000",
                    "name": "欧阳·𬭎",
                }
            ]
        },
    )
    hall: HallCode | None = Field(default=None, description="Without it, the hall of the post in which you act.")
    project_no: Code = Field(description="The number of the case in the case system (办件编号).")
    service_number: int = Field(default=1, ge=1, le=9999, description="Which visit of the case it was.")
    channel: ServiceChannel | None = ServiceChannel.ON_SITE
    served_at: Moment | None = Field(default=None, description="When the service ended.")
    seconds: int | None = Field(default=None, ge=0, le=DAY_SECONDS, description="How long it took.")
    window: Code | None = None
    department: Code | None = Field(default=None, description="Without it, that of the window or of the item.")
    item: Code | None = None
    staff: PersonKey | None = Field(default=None, description="Without it, whoever alone served at the window then.")
    name: Line | None = None
    phone: Line | None = None
    id_number: Line | None = Field(default=None, description="Only for recognising the same person; not stored.")
    agent_phone: Line | None = Field(default=None, description="Of whoever came for the applicant; not stored.")
    agent_id_number: Line | None = Field(default=None, description="As agent_phone.")


class InviteForm(BaseModel):
    """How somebody is invited to rate."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"medium": "qr"}]})
    medium: Medium = Medium.QR


class Circumstances(BaseModel):
    """By what a rating is given; all of it may be missing, and none of it says who gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    channel: ReviewChannel = ReviewChannel.OTHER
    terminal: Code | None = Field(default=None, description="The number of a kiosk or a tablet.")
    device: Line | None = Field(default=None, description="What a device knows itself by; only a keyed mark is kept.")
    input_ms: int | None = Field(default=None, ge=0, le=1000 * DAY_SECONDS, description="How long the form was open.")
    claimed_at: Moment | None = Field(default=None, description="When it was given by the device's own clock.")


class ReviewForm(Circumstances):
    """A rating: with the token of an invitation, or by staff for somebody who says it before them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"token": "7K3M-9QXA-02BD-ZZ4T", "grade": "satisfied", "codes": ["413"]}]},
    )
    token: Line | None = Field(default=None, description="The one-time token of the invitation.")
    occasion: UUID | None = Field(default=None, description="Only for staff: the id of the visit.")
    grade: Grade
    codes: Codes = ()
    text: Text | None = None
    anonymous: bool = Field(default=False, description="Keep who was served out of it: nobody calls.")

    @model_validator(mode="after")
    def _of_one_visit(self) -> Self:
        if (self.token is None) == (self.occasion is None):
            raise ValueError("send the token of the invitation; staff who write a rating down send the visit instead")
        return self


class OwnLinkForm(BaseModel):
    """With what somebody comes back to the own rating."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"own_link": "nothing"}]})
    own_link: Line = Field(description="The link that came with the rating.")


class FollowUpForm(Circumstances):
    """The one follow-up (追评); the first rating stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"own_link": "nothing", "grade": "satisfied", "text": "已解决。"}]},
    )
    own_link: Line = Field(description="The link that came with the rating.")
    grade: Grade | None = None
    codes: Codes = ()
    text: Text | None = None
