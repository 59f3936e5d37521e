"""Forms of what whoever rated still says of a bad rating: that it was a mistake, an objection, a complaint."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from service.forms.form import Line, Text
from service.forms.intake import Email
from service.forms.reviews import OwnLinkForm


class ObjectionForm(OwnLinkForm):
    """Why an excluded rating should count after all."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"own_link": "nothing", "ground": "评价是我本人写的，情况属实。"}]},
    )
    ground: Text


class ComplaintOfReviewForm(OwnLinkForm):
    """A complaint made of the own bad rating; what the visit and the rating tell need not be told again."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"own_link": "nothing", "desired_outcome": "请一次性告知所需材料。"}]},
    )
    narrative: Text | None = Field(default=None, description="Without it, the words of the rating.")
    desired_outcome: Text | None = None
    name: Line | None = Field(default=None, description="Without it, that of the visit, if it was rated by name.")
    phone: Line | None = Field(default=None, description="As name.")
    email: Email | None = Field(default=None, description="Where notices may be sent.")
    anonymous: bool = Field(default=False, description="Keep name and phone out of the complaint.")
