"""The API of whoever gave a bad rating: object to its exclusion, say that it was a mistake, make a complaint of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.requests import Request
from pydantic import Field

from domain.decider import Code
from domain.errors import NotYourRole
from service import own_reviews
from service.asking import Done
from service.forms.own_reviews import ComplaintOfReviewForm, ObjectionForm
from service.forms.reviews import OwnLinkForm
from service.parts import Parts
from service.web.by_link import by_link
from service.web.complaints import Registration, taken_home
from service.web.deps import Caller, InOptionalCaller, InParts

public = APIRouter(prefix="/own/review", tags=["reviews"])


class ComplaintOfReview(Registration):
    """What somebody takes home who made a complaint of a rating."""

    recorded: bool = Field(description="Whether it was made of the words that were sent now.")


def _theirs(request: Request, parts: Parts, who: Caller | None, own_link: str, command: Code) -> None:
    """Let only whoever has the link go on, and nobody who is logged in as staff; raises NotYourRole, Unknown."""
    if who is not None:
        raise NotYourRole(role=who.actor.role, command=f"review/{command}")
    by_link(request, parts, parts.reviews.owned, own_link)


def _told(response: Response, done: Done) -> dict[str, Any]:
    response.headers["X-Position"] = str(done.position)
    return {"position": done.position, "recorded": bool(done.events)}


@public.post("/object", summary="Object to the exclusion of the own rating (异议)")
def object_to_exclusion(
    request: Request, response: Response, form: ObjectionForm, parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Say why the rating should count after all; two people who took no part in the exclusion decide."""
    _theirs(request, parts, who, form.own_link, "object")
    return _told(response, own_reviews.object_to_exclusion(parts, form, "api"))


@public.post("/confirm-mistake", summary="Say that the grade was chosen by mistake (误评确认)")
def confirm_mistake(
    request: Request, response: Response, form: OwnLinkForm, parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Say that the grade was a mistake; by itself that changes nothing, but nobody else can say it."""
    _theirs(request, parts, who, form.own_link, "confirm-mistake")
    return _told(response, own_reviews.confirm_mistake(parts, form, "api"))


@public.post(
    "/complain",
    summary="Make a complaint of the own bad rating, in one step (差评转投诉)",
    status_code=201,
    response_model=None,
    responses={201: {"model": ComplaintOfReview}},
)
def complain(
    request: Request, response: Response, form: ComplaintOfReviewForm, parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Make a complaint of a bad rating: both are handled, each for itself; nothing has to be told twice.

    The answer is that of a registration. The link makes one complaint: used again it gives the same number and code,
    and `recorded` is false where it was made of other words than are sent now.
    """
    _theirs(request, parts, who, form.own_link, "complain")
    receipt, recorded = own_reviews.complain(parts, form, "api")
    response.headers["X-Position"] = str(receipt.done.position)
    return {**taken_home(parts, receipt), "recorded": recorded}
