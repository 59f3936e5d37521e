"""Forms of cases that are merged, taken apart, or split, and of what a merged one still gets of its own."""

from __future__ import annotations

from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from domain import complaint
from domain.complaint import linking, splitting
from domain.complaint.linking import Link
from domain.decider import Code
from domain.sealed import measure
from service.forms.form import Form, Making, Text
from service.forms.intake import RespondentForm
from service.forms.resolution import ReplyForm, RevisitForm


class MergeForm(Form):
    """Merge (并案)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "primary": "5b0ab2ae-9d0a-5b35-8f3e-1f7f9f2f3d11",
                    "link": "joint",
                    "reason": "反映的是同一窗口同一事项。",
                }
            ]
        }
    )
    name = "merge"
    summary = "Join the case to another one of the same matter (并案)"
    primary: UUID = Field(description="The id of the case in which the matter is handled.")
    link: Link
    similarity: int | None = Field(default=None, ge=0, le=100, description="How alike they are, in percent.")
    reason: Text | None = None

    @property
    def others(self) -> tuple[UUID, ...]:
        return (self.primary,)

    def command(self, making: Making) -> complaint.Command:
        return linking.Merge(
            at=making.at,
            by=making.by,
            primary=self.primary,
            link=self.link,
            similarity=self.similarity,
            reason=making.seal("reason", self.reason),
        )


class ProposeUnmergeForm(Form):
    """Propose to take cases apart (拟撤销并案)."""

    name = "propose-unmerge"
    summary = "Propose to take the cases apart; another person confirms it (拟撤销并案)"
    reason: Text

    def command(self, making: Making) -> complaint.Command:
        return linking.ProposeUnmerge(
            at=making.at,
            by=making.by,
            proposal=making.new_id,
            reason=making.seal("reason", self.reason),
        )


class ConfirmUnmergeForm(Form):
    """Confirm that cases are taken apart (确认撤销并案)."""

    name = "confirm-unmerge"
    summary = "Confirm that the cases are taken apart (确认撤销并案)"
    proposal: UUID

    def command(self, making: Making) -> complaint.Command:
        return linking.ConfirmUnmerge(at=making.at, by=making.by, proposal=self.proposal)


class ReplyLinkedForm(ReplyForm):
    """Reply to somebody whose case was merged (并案答复)."""

    name = "reply-linked"
    summary = "Tell whoever joined what the primary case was answered (并案答复)"

    def command(self, making: Making) -> complaint.Command:
        return linking.ReplyToLinked(
            at=making.at,
            by=making.by,
            reply=self.reply,
            method=self.method,
            failed=self.failed,
            happened_at=self.happened_at,
        )


class RevisitLinkedForm(RevisitForm):
    """Revisit somebody whose case was merged (并案回访)."""

    name = "revisit-linked"
    summary = "Record a revisit of whoever joined, or an attempt at one (并案回访)"

    def command(self, making: Making) -> complaint.Command:
        revisit = super().command(making)
        if not isinstance(revisit, complaint.Revisit):
            raise TypeError(type(revisit).__name__)
        return linking.RevisitLinked(at=making.at, by=making.by, revisit=revisit)


class PartForm(BaseModel):
    """One new case: its points, counted from 1, and what is told of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    points: tuple[int, ...] = Field(min_length=1, max_length=20)
    narrative: Text
    desired_outcome: Text | None = None
    category: Code | None = None
    respondent: RespondentForm = RespondentForm()


class SplitForm(Form):
    """Split (拆分)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"parts": [{"points": [2], "narrative": "另反映税务窗口拒绝受理。"}]}]}
    )
    name = "split"
    summary = "Part several grievances into linked cases (拆分)"
    parts: tuple[PartForm, ...] = Field(min_length=1, max_length=19)

    def command(self, making: Making) -> complaint.Command:
        return splitting.SplitCase(at=making.at, by=making.by, parts=tuple(self._parts(making)))

    def _parts(self, making: Making) -> list[splitting.Part]:
        made = []
        for number, part in enumerate(self.parts, 1):
            # The same when the command is sent again; its texts lie under keys of its own from the beginning.
            case = uuid5(making.command_id, f"part:{number}")
            sealer = making.sealer.part(case)
            desired = part.desired_outcome
            made.append(
                splitting.Part(
                    case=case,
                    points=part.points,
                    narrative=sealer.seal("narrative", part.narrative),
                    narrative_facts=measure(part.narrative),
                    desired_outcome=None if desired is None else sealer.seal("desired_outcome", desired),
                    category=part.category,
                    respondent=part.respondent.respondent(),
                )
            )
        return made
