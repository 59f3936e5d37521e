"""The API of reviews: rate a visit, come back to the own rating, read what was said, open what is sealed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.requests import Request
from pydantic import BaseModel, ConfigDict, Field

from domain.complaint.state import IdentityMode
from domain.decider import Code, Role
from domain.errors import NotYourRole, Unknown
from domain.grade import Grade
from domain.review import ReviewChannel, Stage, Submitted
from domain.review.state import Verdict
from domain.rulebook import Profile, Rulebook
from domain.sealed import sealed_values
from projections.histories import Language, history, read_stream
from projections.own_review import for_who_rated, own_words
from projections.reviews import REVIEWS, Order, ReviewRow, ReviewsWanted, reviews
from projections.runner import wait_for
from projections.tables import Entry
from service import own_reviews
from service.asking import Done
from service.forms.form import Line, Moment
from service.forms.reviews import FollowUpForm, OwnLinkForm, ReviewForm
from service.known_reviews import UNIT_EYES, known_review, known_visit, review_told_at, tellable
from service.opening import IDENTITY, purpose_of_review
from service.parts import Parts
from service.reviewing import Origin, Rated
from service.web.answers import head
from service.web.by_link import by_link
from service.web.complaints import Telling
from service.web.deps import Caller, InAsking, InOptionalCaller, InParts, acting_as, address_of
from service.web.occasions import RECORDERS, Recorder
from service.web.problems import NotLoggedIn
from service.web.review_views import summary, whole

router = APIRouter(prefix="/reviews", tags=["reviews"])
public = APIRouter(tags=["reviews"])

READERS: Final = (
    Role.VERIFIER,
    Role.PANEL,
    Role.HANDLER,
    Role.UNIT_HEAD,
    Role.DISPATCHER,
    Role.REVISIT_OFFICER,
    Role.SUPERVISOR,
    Role.AUDITOR,
    Role.SYSTEM,
)
Reader = Annotated[Caller, Depends(acting_as(*READERS))]
ReviewId = Annotated[UUID, Path(description="The id of the review.")]


class RatingReceipt(BaseModel):
    """What somebody who rated takes home; the own link is shown to them alone and stored nowhere.

    Staff who wrote the rating down are not shown it: a slip for whoever gave it is asked for by itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5b0ab2ae-9d0a-5b35-8f3e-1f7f9f2f3d11",
                    "grade": "satisfied",
                    "corroborated": True,
                    "own_link": "7K3M-9QXA-02BD-ZZ4T",
                    "follow_up_until": "2026-12-22T15:59:59.999999Z",
                    "position": 77,
                }
            ]
        }
    )
    id: UUID
    grade: Grade
    corroborated: bool
    own_link: str | None
    follow_up_until: datetime | None
    position: int


@public.post("/reviews", summary="Rate a visit (评价)", status_code=201)
def submit(
    request: Request, response: Response, form: ReviewForm, parts: InParts, who: InOptionalCaller, asking: InAsking
) -> RatingReceipt:
    """Rate a visit with the one-time token of an invitation; delivered twice, it is answered the same twice.

    Without a token staff write down what somebody says before them: it is marked until that one confirms it by the
    link, which staff are not shown here (see `slip`).
    """
    origin = origin_of(request, who)
    if form.token is not None:
        rated = by_link(request, parts, lambda token: parts.reviews.submit(token, form, origin, "api"), form.token)
    else:
        rated = _written_down(parts, form, who, asking, origin)
    response.headers["X-Position"] = str(rated.done.position)
    due = rated.submitted.follow_up_until
    return RatingReceipt(
        id=rated.review,
        grade=rated.submitted.grade,
        corroborated=rated.submitted.corroborated,
        own_link=None if form.token is None else rated.own_link,
        follow_up_until=None if due is None else due.at,
        position=rated.done.position,
    )


def _written_down(parts: Parts, form: ReviewForm, who: Caller | None, asking: InAsking, origin: Origin) -> Rated:
    if who is None or form.occasion is None:
        raise NotLoggedIn
    if who.actor.role not in RECORDERS:
        raise NotYourRole(role=who.actor.role, command="review/submit")
    known_visit(parts.pool, who.viewer, form.occasion)
    return parts.reviews.write_down(form.occasion, form, who.actor, asking("write-down-review", form), origin)


def origin_of(request: Request, who: Caller | None) -> Origin:
    """Give from where something comes; where staff are logged in, whoever was served was not alone with the form."""
    return Origin(address=address_of(request), staff=who is not None and who.actor.role is not Role.SYSTEM)


class Listed(BaseModel):
    """Which reviews somebody wants to see."""

    model_config = ConfigDict(extra="forbid")
    hall: Code | None = None
    department: Code | None = None
    window: Code | None = None
    item: Code | None = None
    grade: Grade | None = None
    channel: ReviewChannel | None = None
    corroborated: bool | None = Field(default=None, description="Whether whoever was served said so themselves.")
    accepted: bool | None = Field(default=None, description="Whether it became a work order, as bad ones do.")
    followed_up: bool | None = Field(default=None, description="Whether it was added to.")
    rated_from: Moment | None = None
    rated_before: Moment | None = None
    stage: Stage | None = Field(default=None, description="Where it stands: `counted` is not a bad one, or contested.")
    verdict: Verdict | None = None
    overdue: bool | None = Field(default=None, description="Whether the next limit is over.")
    due_before: Moment | None = None
    excluded: bool | None = Field(default=None, description="Whether it is taken out of the figures.")
    flagged: bool | None = Field(default=None, description="Whether a human has still to look at what was noticed.")
    to_check: bool | None = Field(default=None, description="Whether who rated has still to be asked if it is theirs.")
    supervised: bool | None = Field(default=None, description="Whether a supervision order is open.")
    to_confirm: bool = Field(default=False, description="Only what waits for a second person in your role.")
    order: Order = Field(default=Order.RATED, description="`due`: only what has a limit to keep, the next first.")
    before: int | None = Field(default=None, ge=1, lt=2**63, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200)
    wait_for: int | None = Field(default=None, ge=0, description="Wait, two seconds at most, for this position.")


@router.get("", summary="List the reviews you may know of, the last that were given first")
def listed(response: Response, parts: InParts, who: Reader, asked: Annotated[Listed, Query()]) -> dict[str, Any]:
    """List the reviews you may know of, the last given or the next due first; never who gave them."""
    if who.actor.role in UNIT_EYES and (asked.flagged is not None or asked.to_check is not None):
        raise NotYourRole(role=who.actor.role, command="review/clear-flag")
    wanted = ReviewsWanted(
        **asked.model_dump(exclude={"wait_for", "to_confirm"}),
        waiting_for=confirmed_by(parts.book.facts().rulebook, who.actor.role) if asked.to_confirm else None,
    )
    with parts.pool.connection() as connection:
        if asked.wait_for is not None:
            wait_for(connection, REVIEWS, asked.wait_for)
        page = reviews(connection, who.viewer, wanted)
        complete = REVIEWS.position(connection)
    response.headers["X-Position"] = str(complete)
    return {
        "items": [summary(row, who.actor.role) for row in page.rows],
        "total": page.total,
        "next": page.next,
        "complete_up_to": complete,
    }


def confirmed_by(rulebook: Rulebook, role: Role) -> list[Code]:
    """Give the commands on reviews that some policy lets a role give, by their names in a proposal."""
    policies = filter(None, map(rulebook.latest, Profile))
    given = {one.command for policy in policies for one in policy.permissions if role in one.roles}
    return sorted(name.removeprefix("review/") for name in given if name.startswith("review/"))


@router.get("/{review_id}", summary="Show a review and its next steps")
def one(review_id: ReviewId, response: Response, parts: InParts, who: Reader) -> dict[str, Any]:
    """Show a review: where it stands, what is due, what comes next for you, and why not the rest.

    Sealed values are opened by themselves; which ones there are is said.
    """
    row, entries = known_review(parts.pool, who.viewer, review_id)
    head(response, row.version, row.position)
    sealed = sealed_in(row, tellable(parts.pool, who.viewer, entries))
    return {**whole(parts, who, row, entries, parts.book.facts()), "sealed": sealed}


def sealed_in(row: ReviewRow, told: list[Entry]) -> list[str]:
    """Name the sealed values among what may be told; who rated without a name has none."""
    shut = frozenset() if row.identity_mode is IdentityMode.REAL_NAME else IDENTITY
    return sorted({kind for entry in told for kind, _ in sealed_values(entry.event)} - shut)


@router.get("/{review_id}/history", summary="Tell a review in sentences, also as it stood at any moment")
def told(review_id: ReviewId, parts: InParts, who: Reader, asked: Annotated[Telling, Query()]) -> dict[str, Any]:
    """Tell what happened to a visit and its review, as it stood at any moment by either clock.

    Supervisors and auditors also read who opened sealed values, and which attempts were refused.
    """
    _, entries = known_review(parts.pool, who.viewer, review_id)
    row, shown = review_told_at(parts.pool, who.viewer, review_id, entries, as_of=asked.as_of, known_at=asked.known_at)
    facts = parts.book.facts()
    lines = history(shown, facts.register, asked.language, code_sets=facts.rulebook.every_code_set)
    return {
        "as_it_stood": None if row is None else summary(row, who.actor.role),
        "history": [asdict(line) for line in lines],
    }


@router.post("/{review_id}/slip", summary="Print the link of a rating that was written down; it goes on record")
def slip(review_id: ReviewId, parts: InParts, who: Recorder) -> dict[str, str]:
    """Give the link with which whoever was served confirms what staff wrote down, until they have.

    It is for them alone; who was given it, and when, is on record (`access.opened`, field `own_link`).
    """
    with parts.pool.connection() as connection:
        first = next((one.event for one in read_stream(connection, review_id)), None)
    if not isinstance(first, Submitted):
        raise Unknown
    known_visit(parts.pool, who.viewer, first.occasion)
    return {"own_link": parts.reviews.slip(review_id, who.actor, "api")}


class OpenReviewForm(BaseModel):
    """Which sealed values somebody wants to read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"fields": ["text"]}]})
    fields: tuple[Line, ...]


@router.post("/{review_id}/open", summary="Open sealed values; it goes on record")
def open_sealed(review_id: ReviewId, form: OpenReviewForm, parts: InParts, who: Reader) -> dict[str, Any]:
    """Open what was written, and name and phone of who rated unless they stay anonymous; it goes on record."""
    return {"values": opened(review_id, form, parts, who, "api")}


def opened(review_id: UUID, form: OpenReviewForm, parts: Parts, who: Caller, source: str) -> list[dict[str, Any]]:
    """Open sealed values, for API and pages; `source` says on record which. Raises as `purpose_of_review`."""
    row, entries = known_review(parts.pool, who.viewer, review_id)
    wanted = frozenset(form.fields)
    purpose = purpose_of_review(who.actor.role, wanted)
    if row.identity_mode is not IdentityMode.REAL_NAME:
        wanted -= IDENTITY
    found = [
        (entry, kind, value)
        for entry in tellable(parts.pool, who.viewer, entries)
        for kind, value in sealed_values(entry.event)
        if kind in wanted
    ]
    if found:
        # First on record, then read.
        parts.book.opened(review_id, who.actor, purpose, [kind for _, kind, _ in found], source)
    texts = parts.vault.open_many([(kind, value) for _, kind, value in found])
    return [
        {"event": entry.name, "field": kind, "text": text, "erased": text is None}
        for (entry, kind, _), text in zip(found, texts, strict=True)
    ]


class OwnReviewForm(OwnLinkForm):
    """With what somebody asks after the own rating, and in which language they read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    language: Language = Language.CHINESE


def own_review(parts: Parts, found: UUID) -> tuple[ReviewRow, list[Entry]]:
    """Give the own rating, and what whoever gave it is told of: what became of it, not of the visit."""
    row, entries = known_review(parts.pool, None, found)
    return row, for_who_rated([entry for entry in entries if entry.stream == found])


@public.post("/own/review", summary="Ask after the own rating, by the link that came with it")
def own(request: Request, form: OwnReviewForm, parts: InParts) -> dict[str, Any]:
    """Tell how the own rating stands: what was said, what became of it, and what may still be done until when."""
    mine = by_link(request, parts, partial(own_reviews.own, parts), form.own_link)
    facts = parts.book.facts()
    lines = history(for_who_rated(mine.entries), facts.register, form.language, code_sets=facts.rulebook.every_code_set)
    shown = ("grade", "codes", "rated_at", "corroborated", "follow_up_until", "follow_up_grade", "followed_up_at")
    texts = parts.vault.open_many([("text", text) for text in own_words(mine.entries)])
    return {
        **{name: getattr(mine.row, name) for name in shown},
        "being_handled": mine.row.accepted_at is not None,
        "texts": [text for text in texts if text is not None],
        **own_reviews.standing(parts, mine, form.language),
        "history": [{"at": line.at, "said": line.said} for line in lines],
    }


@public.post("/own/review/append", summary="Add the one follow-up to the own rating (追评)")
def append(
    request: Request, response: Response, form: FollowUpForm, parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Add the one follow-up to the own rating; the first stays as it is."""
    origin = origin_of(request, who)
    return _own(response, by_link(request, parts, lambda _: parts.reviews.append(form, origin, "api"), form.own_link))


@public.post("/own/review/corroborate", summary="Say that a rating written down by staff is the own (本人确认)")
def corroborate(
    request: Request, response: Response, form: OwnLinkForm, parts: InParts, who: InOptionalCaller
) -> dict[str, Any]:
    """Say that what staff wrote down is so; staff who are logged in cannot say it for anybody."""
    if who is not None:
        raise NotYourRole(role=who.actor.role, command="review/corroborate")
    origin = origin_of(request, who)
    found = by_link(request, parts, lambda link: parts.reviews.corroborate(link, origin, "api"), form.own_link)
    return _own(response, found)


def _own(response: Response, done: Done) -> dict[str, Any]:
    response.headers["X-Position"] = str(done.position)
    return {"position": done.position, "recorded": bool(done.events)}
