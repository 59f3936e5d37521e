"""The API of what is done about a bad or doubtful review; and the own door of whoever was rated, who learns no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Response

from domain.decider import Actor, Event, Role
from domain.errors import Unknown
from domain.handling import Facts
from domain.review.acting import is_rated
from domain.review.appealing import AppealDecisionProposed, Appealed
from domain.review.objecting import ObjectionDecisionProposed
from domain.review.verifying import EvidenceRecorded
from domain.review.watching import SupervisionIssued
from projections.histories import read_stream
from projections.reviews import ReviewRow, about
from service.asking import Done
from service.forms.bad_reviews import REVIEW_FORMS
from service.forms.review_steps import StepForm
from service.handling_reviews import act
from service.known_reviews import known_review, review_of
from service.parts import Parts
from service.web.answers import changed
from service.web.deps import Caller, InAsking, InCaller, InParts
from service.web.reviews import ReviewId

router = APIRouter(prefix="/reviews", tags=["reviews"])

IN_OWN_CAUSE: Final = frozenset({"appeal", "record-evidence"})
"""What whoever was rated does too: as the other side, in whichever post they hold."""
MOST: Final = 200
MADE: Final[Mapping[type[Event], str]] = MappingProxyType(
    {
        EvidenceRecorded: "evidence",
        Appealed: "appeal",
        AppealDecisionProposed: "proposal",
        ObjectionDecisionProposed: "proposal",
        SupervisionIssued: "supervision",
    }
)
"""Which events create something that a later command names, and the field that names it."""


def made(events: Iterable[Event]) -> dict[str, Any]:
    """Name what a command created, so that the next one can refer to it."""
    return {field: getattr(event, field) for event in events if (field := MADE.get(type(event))) is not None}


@router.get("/about-me", summary="The bad reviews that are about you, as far as you need to know to appeal (申诉)")
def about_me(parts: InParts, who: InCaller) -> dict[str, Any]:
    """Give the bad reviews of visits that you served, or of your window then: never who rated, their words or the hour.

    Against what is not about you, or not real, you may appeal in time; two people from outside decide.
    """
    facts = parts.book.facts()
    with parts.pool.connection() as connection:
        rows = [
            row
            for row in about(connection, who.viewer, MOST)
            if is_rated(review_of(read_stream(connection, row.review), row.review), _other_side(who), facts)
        ]
    return {"items": [_told_of(row, facts) for row in rows], "total": len(rows)}


def _told_of(row: ReviewRow, facts: Facts) -> dict[str, Any]:
    return {
        "id": row.review,
        "grade": row.grade,
        "codes": row.codes,
        "follow_up_grade": row.follow_up_grade,
        "follow_up_codes": row.follow_up_codes,
        # The day alone: the hour would say who stood at the window.
        "day": None if row.rated_at is None else facts.day(row.profile, row.rated_at),
        "stage": row.stage,
        "appeal_until": row.appeal_until,
        "appeal_until_provisional": row.appeal_until_provisional,
        "verdict": row.verdict,
    }


def _other_side(who: Caller) -> Actor:
    """Give somebody as the other side, in whichever post they hold."""
    return replace(who.actor, role=Role.RESPONDENT)


def in_own_cause(parts: Parts, who: Caller, review: UUID) -> Actor:
    """Give somebody as the other side of a bad review that is about them; raises Unknown for every other one."""
    _, entries = known_review(parts.pool, None, review)
    state = review_of(entries, review)
    by = _other_side(who)
    if state.accepted is None or not is_rated(state, by, parts.book.facts()):
        raise Unknown
    return by


def _command(form_type: type[StepForm]) -> Callable[..., dict[str, Any]]:
    name = form_type.name

    def step(
        review_id: ReviewId,
        response: Response,
        parts: InParts,
        who: InCaller,
        asking: InAsking,
        form: Annotated[StepForm, Body()],
    ) -> dict[str, Any]:
        try:
            known_review(parts.pool, who.viewer, review_id)
        except Unknown:
            if name not in IN_OWN_CAUSE:
                raise
            own = in_own_cause(parts, who, review_id)
            return _heard(response, act(parts.reviews, review_id, form, own, asking(name, form)))
        done = act(parts.reviews, review_id, form, who.actor, asking(name, form))
        return {**changed(response, done).model_dump(), **made(done.events)}

    step.__annotations__["form"] = Annotated[form_type, Body()]
    step.__name__ = f"review_{name}".replace("-", "_")
    step.__doc__ = form_type.summary
    return step


def _heard(response: Response, done: Done) -> dict[str, Any]:
    # No version: the other side learns nothing of how it goes on.
    response.headers["X-Position"] = str(done.position)
    return {"position": done.position, "recorded": bool(done.events), **made(done.events)}


for _name, _form in REVIEW_FORMS.items():
    router.add_api_route(
        f"/{{review_id}}/{_name}",
        _command(_form),
        methods=["POST"],
        summary=_form.summary,
        operation_id=f"review_{_name}",
    )
