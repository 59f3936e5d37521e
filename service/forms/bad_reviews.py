"""What staff may ask for about a review, as it comes in: one form for each command."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain.decider import Code
from service.forms import contested_reviews, review_steps
from service.forms.review_steps import StepForm

REVIEW_FORMS: Final[Mapping[Code, type[StepForm]]] = MappingProxyType(
    {
        form.name: form
        for form in (
            review_steps.ContactForm,
            review_steps.RecordEvidenceForm,
            review_steps.VerifyForm,
            review_steps.PlanRectificationForm,
            review_steps.RectifyForm,
            review_steps.ExplainForm,
            review_steps.ReplyForm,
            review_steps.RevisitForm,
            contested_reviews.AppealForm,
            contested_reviews.ProposeDecideAppealForm,
            contested_reviews.ConfirmDecideAppealForm,
            contested_reviews.TellForm,
            contested_reviews.ProposeDecideObjectionForm,
            contested_reviews.ConfirmDecideObjectionForm,
            contested_reviews.DeclineProposalForm,
            contested_reviews.RemindForm,
            contested_reviews.IssueSupervisionForm,
            contested_reviews.AnswerSupervisionForm,
            contested_reviews.LiftSupervisionForm,
            contested_reviews.ClearFlagForm,
            contested_reviews.CheckForm,
        )
    }
)
"""Every command of staff on a review, by its name."""
