"""Forms of the inquiry: assigning, signing for, contact, evidence, finding."""

from __future__ import annotations

import base64
from typing import Annotated, TypedDict
from uuid import UUID

from pydantic import (
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from domain import complaint
from domain.complaint.inquiry import EvidenceKind, Responsibility, ResponsibilityKind
from domain.complaint.state import Finding
from domain.decider import Code, Digest, PersonKey
from domain.handling import ContactResult, Method
from domain.sealed import Sealed, measure
from service.eventstore import Beside
from service.forms.form import MOST_BYTES, Form, Making, Moment, Text
from service.sealing import STORE_FILE_SQL


def _whole(given: object) -> object:
    # The validator's own decoder leaves out what is no base64, and would keep a file that nobody sent.
    if isinstance(given, str | bytes):
        try:
            base64.b64decode(given, validate=True)
        except ValueError as error:
            raise ValueError("the file is not proper base64; send it whole, without line breaks") from error
    return given


File = Annotated[Base64Bytes, BeforeValidator(_whole)]
"""A file as it is sent: base64 and nothing else."""


class AssignForm(Form):
    """Assign (交办)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"department": "SJ"}]})
    name = "assign"
    summary = "Assign it to a unit (交办)"
    department: Code
    assist: tuple[Code, ...] = Field(default=(), max_length=10)
    handler: PersonKey | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.Assign(
            at=making.at, by=making.by, department=self.department, assist=self.assist, handler=self.handler
        )


class SignForForm(Form):
    """Sign for (签收)."""

    name = "sign-for"
    summary = "Sign for it (签收)"

    def command(self, making: Making) -> complaint.Command:
        return complaint.SignFor(at=making.at, by=making.by)


class RecordContactForm(Form):
    """Record contact (先行联系)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"method": "phone", "result": "reached"}]})
    name = "record-contact"
    summary = "Record an attempt to reach the complainant (先行联系)"
    method: Method
    result: ContactResult
    note: Text | None = None
    happened_at: Moment | None = None

    def command(self, making: Making) -> complaint.Command:
        return complaint.RecordContact(
            at=making.at,
            by=making.by,
            method=self.method,
            result=self.result,
            note=making.seal("note", self.note),
            happened_at=self.happened_at,
        )


class SealedPiece(TypedDict):
    """What of a piece of evidence is sealed, with the hash and the size (bytes) of the sealed file."""

    description: Sealed
    sha256: Digest | None
    size: int | None


class EvidenceFields(BaseModel):
    """A piece of evidence, with a file if there is one."""

    kind: EvidenceKind
    description: Text
    content: File | None = Field(default=None, max_length=MOST_BYTES, description="The file, in base64.")

    def sealed(self, making: Making) -> tuple[SealedPiece, tuple[Beside, ...]]:
        """Give what a command keeps of it, and what stores the file with the append."""
        file = None if self.content is None else making.sealer.seal_bytes("attachment", self.content)
        piece = SealedPiece(
            description=making.seal("description", self.description),
            sha256=None if file is None else file.sha256,
            size=None if file is None else file.size,
        )
        return piece, () if file is None else (Beside(STORE_FILE_SQL, file.row),)


class RecordEvidenceForm(EvidenceFields, Form):
    """Record evidence (取证)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "system_record", "description": "叫号系统记录"}]}
    )
    name = "record-evidence"
    summary = "Record evidence, with a file if there is one"

    def made(self, making: Making) -> tuple[complaint.Command, tuple[Beside, ...]]:
        piece, file = self.sealed(making)
        command = complaint.RecordEvidence(at=making.at, by=making.by, evidence=making.new_id, kind=self.kind, **piece)
        return command, file


class ResponsibilityForm(BaseModel):
    """Who answers for what was found."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    department: Code
    window: Code | None = None
    staff: PersonKey | None = None
    kind: ResponsibilityKind = ResponsibilityKind.DIRECT


class RecordFindingForm(Form):
    """Record the finding (调查结论)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"finding": "substantiated", "facts": "两次告知内容不一致，属实。"}]}
    )
    name = "record-finding"
    summary = "Record what was found (调查结论)"
    finding: Finding
    facts: Text
    responsibility: tuple[ResponsibilityForm, ...] = Field(default=(), max_length=20)
    evidence: tuple[UUID, ...] = Field(default=(), max_length=100)

    def command(self, making: Making) -> complaint.Command:
        return complaint.RecordFinding(
            at=making.at,
            by=making.by,
            finding=self.finding,
            facts=making.seal("facts", self.facts),
            facts_measured=measure(self.facts),
            responsibility=tuple(
                Responsibility(
                    department=one.department,
                    window=one.window,
                    staff=one.staff,
                    kind=one.kind,
                )
                for one in self.responsibility
            ),
            evidence=self.evidence,
        )
