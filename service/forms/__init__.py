"""What somebody may ask for, as it comes in: checked, then sealed and made into a command.

One class per command, used by the API and the command line alike; its fields hold plain texts, the command sealed ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.decider import Code
from service.forms import (
    ending,
    inquiry,
    intake,
    linking,
    privacy,
    publishing,
    resolution,
    reviewing,
    timing,
    units,
    watching,
)
from service.forms.form import Form

FORMS: Final[Mapping[Code, type[Form]]] = MappingProxyType(
    {
        form.name: form
        for form in (
            intake.AcceptForm,
            inquiry.AssignForm,
            inquiry.SignForForm,
            inquiry.RecordContactForm,
            inquiry.RecordEvidenceForm,
            inquiry.RecordFindingForm,
            resolution.PlanRectificationForm,
            resolution.RectifyForm,
            resolution.VerifyRectificationForm,
            resolution.SubmitReplyForm,
            resolution.ApproveReplyForm,
            resolution.RejectReplyForm,
            resolution.ReplyForm,
            resolution.RevisitForm,
            resolution.CloseForm,
            intake.ReplaceQueryCodeForm,
            ending.ProposeRefusalForm,
            ending.ConfirmRefusalForm,
            ending.TransferOutForm,
            ending.WithdrawForm,
            ending.ProposeTerminationForm,
            ending.ConfirmTerminationForm,
            ending.DeclineProposalForm,
            reviewing.ResolveOnSpotForm,
            reviewing.RequestReviewForm,
            reviewing.DecideReviewForm,
            reviewing.ReopenForm,
            reviewing.OrderReworkForm,
            publishing.ProposePublicationForm,
            publishing.ConfirmPublicationForm,
            publishing.UnpublishForm,
            publishing.ProposeDisclosureForm,
            publishing.ConfirmDisclosureForm,
            timing.RequestSupplementForm,
            timing.ProvideSupplementForm,
            timing.PauseClockForm,
            timing.ResumeClockForm,
            timing.RequestExtensionForm,
            timing.DecideExtensionForm,
            units.CallInForm,
            units.AnswerCallForm,
            units.RequestReturnForm,
            units.DecideReturnForm,
            units.HandOverForm,
            linking.MergeForm,
            linking.ProposeUnmergeForm,
            linking.ConfirmUnmergeForm,
            linking.ReplyLinkedForm,
            linking.RevisitLinkedForm,
            linking.SplitForm,
            privacy.RequestErasureForm,
            privacy.DecideErasureForm,
            privacy.WitnessErasureForm,
            privacy.LiftRestrictionForm,
            watching.RequestRecusalForm,
            watching.DecideRecusalForm,
            watching.RemindForm,
            watching.IssueSupervisionForm,
            watching.AnswerSupervisionForm,
            watching.LiftSupervisionForm,
            watching.CorrectRecordForm,
            watching.InviteStatementForm,
            watching.RecordNoticeForm,
        )
    }
)
"""Every command on a case, by its name."""
