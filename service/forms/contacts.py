"""Forms of intake contacts: who came with what, and what became of it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from domain.complaint.intake import Channel
from domain.decider import Code
from domain.intake_contact import ContactKind, Settlement
from service.forms.form import HallCode, Line


class ContactForm(BaseModel):
    """Somebody came, called or wrote. Hall and window follow from the post, where they are not given."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"kind": "complaint", "channel": "window"}]}
    )
    name: ClassVar[Code] = "record-contact"
    kind: ContactKind
    channel: Channel = Channel.WINDOW
    hall: HallCode | None = Field(default=None, description="By default the site of the post.")
    window: Code | None = Field(default=None, description="By default the window of the post.")


class ReclassifyForm(BaseModel):
    """It turned out to be something else."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[Code] = "reclassify"
    kind: ContactKind


class LinkForm(BaseModel):
    """The complaint was registered already."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[Code] = "link"
    complaint_no: Line


class SettleForm(BaseModel):
    """It came to its end without a complaint."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[Code] = "settle"
    settlement: Settlement
