"""Forms of the intake: what somebody complains of, accepting it, a new query code."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from domain import complaint
from domain.complaint.intake import (
    Channel,
    Complexity,
    Confidentiality,
    HandlingClass,
    ReceiptMedium,
    Severity,
    Vulnerable,
)
from domain.complaint.state import IdentityMode, Respondent
from domain.decider import Code, PersonKey
from domain.rulebook import Profile
from domain.sealed import measure
from service.forms.form import Form, HallCode, Line, Making, Moment, Text

Email = Annotated[Line, StringConstraints(pattern=r"^[^\s@<>,;:]+@[^\s@<>,;:]+$")]
"""An address of electronic mail: one, and nothing else."""


class RespondentForm(BaseModel):
    """Whom the complaint is about, as far as it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    department: Code | None = None
    window: Code | None = None
    staff: PersonKey | None = None

    def respondent(self) -> Respondent:
        """Give whom it is about."""
        return Respondent(department=self.department, window=self.window, staff=self.staff)


class CaseForm(BaseModel):
    """What may be known of a case when it is registered. Only the hall is needed: a ledger may know no more."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    hall: HallCode
    narrative: Text | None = None
    subject: Line | None = None
    desired_outcome: Text | None = None
    name: Line | None = None
    phone: Line | None = None
    email: Email | None = Field(default=None, description="Where notices may be sent.")
    id_number: Line | None = Field(default=None, description="Only for recognising the same person; not stored.")
    anonymous: bool = False
    channel: Channel = Channel.WEB
    window: Code | None = None
    category: Code | None = None
    respondent: RespondentForm = RespondentForm()
    item: Code | None = None
    project_no: Code | None = None
    external_ref: Code | None = None
    vulnerable: tuple[Vulnerable, ...] = Field(default=(), max_length=8)
    written: bool | None = Field(default=None, description="Made in writing? By default as the channel says.")
    points: int = Field(default=1, ge=1, le=20, description="How many grievances are raised.")
    happened_at: Moment | None = Field(default=None, description="When the grievance arose.")
    received_at: Moment | None = Field(default=None, description="When it came in, if it is recorded later.")
    people: int | None = Field(default=None, ge=1, le=100_000, description="How many complain together.")
    representatives: int | None = Field(
        default=None, ge=1, le=5, description="By how many they are represented: five at most (信访工作条例 art. 20)."
    )
    guardian: Line | None = Field(default=None, description="Who speaks for a child under 14.")
    complainant_staff: PersonKey | None = Field(default=None, description="Who complains, if it is staff of the house.")
    claimed_at: Moment | None = None
    sealed_from_desk: bool = Field(default=False, description="Keep the case to a closed circle.")

    @model_validator(mode="after")
    def _represented_by_some_of_them(self) -> Self:
        if self.representatives is not None and self.representatives > (self.people or 0):
            raise ValueError("representatives are some of the people who complain together; give how many people too")
        return self


class RegisterForm(CaseForm):
    """A complaint as it is told. Only the hall and the narrative are needed; everything else may be unknown."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "hall": "GXQ",
                    "narrative": "3号窗口两次让我回去补材料，每次说的都不一样。",
                    "phone": "13800000000",
                    "name": "欧阳·𬭎",
                    "respondent": {"window": "W03"},
                    "category": "NO_ONE_TIME_NOTICE",
                }
            ]
        },
    )
    narrative: Text


class AcceptForm(Form):
    """Accept (受理)."""

    name = "accept"
    summary = "Accept the complaint (受理)"
    category: Code | None = None
    severity: Severity = Severity.ORDINARY
    complexity: Complexity = Complexity.SIMPLE
    handling_class: HandlingClass = HandlingClass.FORWARD

    def command(self, making: Making) -> complaint.Command:
        return complaint.Accept(
            at=making.at,
            by=making.by,
            category=self.category,
            severity=self.severity,
            complexity=self.complexity,
            handling_class=self.handling_class,
        )


class ReplaceQueryCodeForm(Form):
    """Replace the query code."""

    name = "replace-query-code"
    summary = "Give out a new query code; the old one dies"

    def command(self, making: Making) -> complaint.Command:
        return complaint.ReplaceQueryCode(at=making.at, by=making.by)


WRITTEN: Final = frozenset({Channel.WEB, Channel.LETTER_BOX})
"""Channels in which a complaint is made in writing, so that a written reply is owed."""


def registration(
    form: CaseForm, making: Making, complainant: PersonKey, profile: Profile = Profile.HALL
) -> complaint.Register:
    """Seal a complaint and give the command that registers it; name, phone and address under the person's key."""
    seal, seal_person = making.seal, making.sealer.seal_person
    return complaint.Register(
        at=making.at,
        by=making.by,
        hall=form.hall,
        profile=profile,
        channel=form.channel,
        window=form.window,
        complainant=complainant,
        identity_mode=IdentityMode.ANONYMOUS if form.anonymous or not form.name else IdentityMode.REAL_NAME,
        confidentiality=Confidentiality.SEALED if form.sealed_from_desk else Confidentiality.NORMAL,
        category=form.category,
        respondent=form.respondent.respondent(),
        item=form.item,
        project_no=form.project_no,
        external_ref=form.external_ref,
        name=None if form.name is None else seal_person("name", form.name),
        phone=None if form.phone is None else seal_person("phone", form.phone),
        email=None if form.email is None else seal_person("email", form.email),
        subject=seal("subject", form.subject),
        narrative=seal("narrative", form.narrative),
        narrative_facts=None if form.narrative is None else measure(form.narrative),
        desired_outcome=seal("desired_outcome", form.desired_outcome),
        vulnerable=form.vulnerable,
        written=form.channel in WRITTEN if form.written is None else form.written,
        points=form.points,
        happened_at=form.happened_at,
        claimed_at=form.claimed_at,
        received_at=form.received_at,
        people=form.people,
        representatives=form.representatives,
        guardian=seal("guardian", form.guardian),
        complainant_staff=form.complainant_staff,
        medium=None if profile is Profile.LEDGER else ReceiptMedium.SCREEN,
    )
