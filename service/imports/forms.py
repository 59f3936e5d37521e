"""Forms of what a ledger tells of a case, one per command; what it does not tell stays None."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from domain import complaint
from domain.complaint import ledger
from domain.complaint.intake import Complexity, HandlingClass, Severity
from domain.complaint.revisiting import Outcome
from domain.decider import Code, PersonKey
from domain.grade import Grade
from domain.review import ReviewChannel
from domain.sealed import measure
from service.forms.form import Form, Making, Moment, Text
from service.forms.intake import CaseForm


def _listed(given: object) -> object:
    """Codes stand in one cell, with commas between them (evalDetail, N1)."""
    return tuple(one.strip() for one in given.split(",") if one.strip()) if isinstance(given, str) else given


COMPLAINANT: Final = "complainant"
"""A field that no event has: it tells the cases of one person to belong together, by a keyed mark."""
RESPONDENT: Final[Mapping[str, str]] = MappingProxyType(
    {"respondent_department": "department", "respondent_window": "window"}
)
"""Fields of whom a complaint is about, and what they are called there."""
OF_A_LEDGER: Final = frozenset(
    {
        "narrative",
        "subject",
        "desired_outcome",
        "name",
        "phone",
        "channel",
        "window",
        "category",
        "item",
        "project_no",
        "external_ref",
        "anonymous",
        "written",
        "points",
        "people",
        "happened_at",
        "received_at",
    }
)
"""The fields of a registration that one cell can fill."""


class AcceptLedgerCaseForm(Form):
    """The case was accepted (受理)."""

    name = "accept"
    summary = "A ledger tells that the case was accepted"
    category: Code | None = None
    severity: Severity | None = None
    complexity: Complexity | None = None
    handling_class: HandlingClass | None = None

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        return ledger.AcceptLedgerCase(
            at=making.at,
            by=making.by,
            category=self.category,
            severity=self.severity,
            complexity=self.complexity,
            handling_class=self.handling_class,
        )


class AssignLedgerCaseForm(Form):
    """A unit or a person got the case (交办)."""

    name = "assign"
    summary = "A ledger tells who got the case"
    department: Code | None = None
    handler: UUID | None = None

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        handler = None if self.handler is None else PersonKey(self.handler)
        return ledger.AssignLedgerCase(at=making.at, by=making.by, department=self.department, handler=handler)


class HandOverLedgerCaseForm(AssignLedgerCaseForm):
    """Another unit or person got the case."""

    name = "hand-over"
    summary = "A ledger tells who got the case next"

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        handler = None if self.handler is None else PersonKey(self.handler)
        return ledger.HandOverLedgerCase(at=making.at, by=making.by, department=self.department, handler=handler)


class PauseLedgerCaseForm(Form):
    """The case waited (暂停计时)."""

    name = "pause-clock"
    summary = "A ledger tells that the case waited, and for what"
    reason: Code

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        return ledger.PauseLedgerCase(at=making.at, by=making.by, pause=making.new_id, reason=self.reason)


class ResumeLedgerCaseForm(Form):
    """The case no longer waited (恢复计时)."""

    name = "resume-clock"
    summary = "A ledger tells that the case no longer waited"

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        return ledger.ResumeLedgerCase(at=making.at, by=making.by)


class ReplyToLedgerCaseForm(Form):
    """The case was answered (答复)."""

    name = "reply"
    summary = "A ledger tells that the case was answered, and perhaps what"
    content: Text | None = None

    def command(self, making: Making) -> complaint.Command:
        """Seal the text and give the command."""
        return ledger.ReplyToLedgerCase(
            at=making.at,
            by=making.by,
            reply=making.new_id,
            content=making.seal("content", self.content),
            content_measured=None if self.content is None else measure(self.content),
        )


class CloseLedgerCaseForm(Form):
    """The case was closed (办结)."""

    name = "close"
    summary = "A ledger tells that the case was closed"
    outcome: Outcome | None = None
    resolution_code: Code | None = None

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        return ledger.CloseLedgerCase(
            at=making.at, by=making.by, outcome=self.outcome, resolution_code=self.resolution_code
        )


class ReopenLedgerCaseForm(Form):
    """The case was taken up again (重开)."""

    name = "reopen"
    summary = "A ledger tells that the case was taken up again"

    def command(self, making: Making) -> complaint.Command:
        """Give the command."""
        return ledger.ReopenLedgerCase(at=making.at, by=making.by)


FORMS: Final[Mapping[Code, type[Form]]] = MappingProxyType(
    {
        form.name: form
        for form in (
            AcceptLedgerCaseForm,
            AssignLedgerCaseForm,
            HandOverLedgerCaseForm,
            PauseLedgerCaseForm,
            ResumeLedgerCaseForm,
            ReplyToLedgerCaseForm,
            CloseLedgerCaseForm,
            ReopenLedgerCaseForm,
        )
    }
)
"""What may be told of a case after its registration, by name."""


class LedgerRatingForm(BaseModel):
    """A visit and what was said of it, as a ledger tells them; when it was rated may be unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    grade: Grade
    text: Text | None = None
    codes: Annotated[tuple[Code, ...], BeforeValidator(_listed)] = ()
    channel: ReviewChannel = ReviewChannel.OTHER
    served_at: Moment | None = None
    department: Code | None = None
    window: Code | None = None
    item: Code | None = None


def _form_of(command: Code) -> type[BaseModel]:
    other: Mapping[Code, type[BaseModel]] = {"register": CaseForm, "rate": LedgerRatingForm}
    return other.get(command) or FORMS[command]


def fields_of(command: Code) -> frozenset[str]:
    """Give the fields of a command that a mapping can fill from a row."""
    if command == "register":
        return (OF_A_LEDGER & frozenset(CaseForm.model_fields)) | {COMPLAINANT, *RESPONDENT}
    return frozenset(_form_of(command).model_fields)


def unfit(command: Code, field: str, value: object) -> str | None:
    """Say why a value does not fit a field of a command; None if it does."""
    form = _form_of(command)
    try:
        form.model_validate({field: value} if field in form.model_fields else {})
    except ValidationError as error:
        # What else the form needs comes from the rows.
        said = [one["msg"].removeprefix("Value error, ") for one in error.errors() if one["loc"][0] == field]
        return said[0] if said else None
    return None
