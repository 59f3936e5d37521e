"""Pages of ratings for staff: the inbox of bad ones, and what whoever was rated may know and appeal against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.decider import Code, Role
from domain.errors import NotYourRole, Refused
from domain.review import Stage
from domain.review.state import Clock
from domain.rulebook import Policy
from projections.review_loop import in_hand
from projections.reviews import REVIEWS, Order, ReviewRow, ReviewsWanted, reviews
from service.forms.bad_reviews import REVIEW_FORMS
from service.handling_reviews import act
from service.known_reviews import UNIT_EYES, known_review, review_of
from service.review_steps import Asking
from service.web import bad_reviews
from service.web.deps import Caller
from service.web.drawing import Choices, Drawing, Option, wrong
from service.web.pages import InAtWork, Page, PageRoute, Trouble, caller_of
from service.web.pages_choices import Around
from service.web.pages_grades import named, said
from service.web.pages_intake import around
from service.web.problems import status_of
from service.web.review_views import as_seen
from service.web.reviews import READERS, confirmed_by
from service.web.widgets import misplaced, read

router = APIRouter(include_in_schema=False, route_class=PageRoute)

A_PAGE: Final = 50
TO_DO: Final = "todo"
CONFIRM: Final = "confirm"
VIEWS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        TO_DO: {"order": Order.DUE},
        "overdue": {"order": Order.DUE, "overdue": True},
        CONFIRM: {},
        "appeal": {"stage": Stage.UNDER_APPEAL},
        "excluded": {"excluded": True},
        "flagged": {"flagged": True},
        "check": {"to_check": True},
        "closed": {"stage": Stage.BAD_CLOSED},
        "bad": {"accepted": True},
        "all": {},
    }
)
"""Which reviews each look at the inbox shows."""
FROM_OUTSIDE: Final = frozenset({"flagged", "check"})
"""What the unit is not shown: what detectors noticed, and who is asked."""
CALLED_FOR: Final[Mapping[Clock, Code]] = MappingProxyType(
    {
        Clock.CONTACT: "contact",
        Clock.VERIFY: "verify",
        Clock.APPEAL: "propose-decide-appeal",
        Clock.TELL: "tell",
        Clock.OBJECTION: "propose-decide-objection",
        Clock.RECTIFY: "rectify",
        Clock.REPLY: "reply",
        Clock.REVISIT: "revisit",
        Clock.CHECK: "check",
    }
)
"""The command that keeps each limit."""
IN_OWN_CAUSE: Final = ("appeal", "record-evidence")
"""What whoever was rated does on the page about them: as the API lets them."""


# What was said of the hall.


def reader(page: Page) -> Caller:
    """Give who looks at reviews. Raises NotYourRole for whoever has no part in them."""
    who = caller_of(page)
    if who.actor.role not in READERS:
        raise NotYourRole(role=who.actor.role, command="reviews")
    return who


@router.get("/reviews")
def inbox(page: InAtWork) -> Response:
    """List the reviews somebody may know of: first what is to be done, the next due at the top."""
    who, here = reader(page), around(page)
    query = page.request.query_params
    views = _views(page, who)
    view = query.get("view", TO_DO)
    view = view if view in views else TO_DO
    departments = here.choices()["department"]
    department = query.get("department", "")
    department = department if department in {one.value for one in departments} else ""
    given: dict[str, Any] = {"limit": A_PAGE, "before": _place(query.get("before", "")), **VIEWS[view]}
    if view == CONFIRM:
        given["waiting_for"] = confirmed_by(here.facts.rulebook, who.actor.role)
    with page.parts.pool.connection() as connection:
        found = reviews(connection, who.viewer, ReviewsWanted(department=department or None, **given))
        complete = REVIEWS.position(connection)
    rows = [as_seen(row, who.actor.role) for row in found.rows]
    if given.get("order") is Order.DUE:
        # What only has to be checked is nothing to do for the unit, and not for it to know.
        rows = [row for row in rows if row.due is not None]
    last = page.parts.recorder.max_notification_id() or 0
    return page.show(
        "reviews.html",
        rows=[line(here, row, who.actor.role) for row in rows],
        total=found.total if len(rows) == len(found.rows) else len(rows),
        next=found.next,
        begun=given["before"] is not None,
        view=view,
        views=list(views.items()),
        department=department,
        departments=[] if who.actor.role in UNIT_EYES and _of_a_unit(who) else departments,
        behind=max(0, last - complete),
        done=query["done"] if query.get("done") in REVIEW_FORMS else None,
    )


def _of_a_unit(who: Caller) -> bool:
    return who.viewer.post is not None and who.viewer.post.department is not None


def _place(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None


def _views(page: Page, who: Caller) -> dict[str, str]:
    t = page.t
    named_so = {
        TO_DO: t("reviews.todo"),
        "overdue": t("reviews.overdue"),
        CONFIRM: t("reviews.confirm"),
        "appeal": t("reviews.appeal"),
        "excluded": t("reviews.excluded"),
        "flagged": t("reviews.flagged"),
        "check": t("reviews.check"),
        "closed": t("reviews.closed"),
        "bad": t("reviews.bad"),
        "all": t("reviews.all"),
    }
    hidden = set(FROM_OUTSIDE) if who.actor.role in UNIT_EYES else set()
    if who.actor.role is Role.PANEL:
        # They know of what is contested alone.
        hidden |= {"closed", "bad", "all"}
    else:
        hidden.add(CONFIRM)
    return {name: word for name, word in named_so.items() if name not in hidden}


def line(here: Around, row: ReviewRow, role: Role) -> dict[str, Any]:
    """Give what the inbox says of a review: the grade in words, what is next and by when, and what is unusual."""
    t = here.t
    return {
        "id": row.review,
        "grade": "" if row.grade is None else said(here, row.grade),
        "rated": "" if row.rated_at is None else here.teller.moment(row.rated_at),
        "stage": "" if row.stage is None else t.word(row.stage),
        "limits": limits_of(here, row, role),
        "window": here.window(row.window),
        "item": next((one.label for one in here.choices()["item"] if one.value == row.item), row.item or ""),
        "department": here.department(row.lead or row.department),
        "flags": flags(here, row),
    }


def limits_of(here: Around, row: ReviewRow, role: Role) -> list[dict[str, Any]]:
    """Give what somebody has still to do and by when, the next first; and which of it people in this role do."""
    policy = policy_of(here, row)
    found = [(clock, *row.limit(clock)) for clock in in_hand(row, row.stage)]
    return [
        {
            "word": here.t.word(f"due_{clock}"),
            "mine": policy is not None and policy.allows(f"review/{CALLED_FOR[clock]}", role),
            **here.due(row.profile, at, provisional=provisional),
        }
        for clock, at, provisional in sorted((one for one in found if one[1] is not None), key=itemgetter(1))
    ]


def policy_of(here: Around, row: ReviewRow) -> Policy | None:
    """Give the rules by which a review is handled."""
    return here.facts.rulebook.latest(row.profile)


def flags(here: Around, row: ReviewRow) -> list[str]:
    """Say in words what is out of the ordinary; of a row as somebody in their role may see it."""
    t = here.t
    waits = "" if row.waiting_for is None else t.command(row.waiting_for)
    told = (
        (row.has_text, t("reviews.tag.text")),
        (row.follow_up_grade, t("reviews.tag.added")),
        (row.corroborated is False, t("reviews.tag.unconfirmed")),
        (waits, t("flag.waiting", what=waits)),
        (row.objection, t("reviews.tag.objected")),
        (row.reinstated_at, t("reviews.tag.reinstated")),
        (row.reworks, t("reviews.tag.rework", number=row.reworks)),
        (row.supervision_level, t("flag.supervised", level=row.supervision_level)),
        (row.flags, t("reviews.tag.flagged")),
        (row.checks, t("reviews.tag.check")),
    )
    return [word for holds, word in told if holds]


# What was said of oneself.


@router.get("/reviews/about-me")
def about_me(page: InAtWork) -> Response:
    """Tell whoever was rated badly what they may know, and whether they may still appeal."""
    return _about_me(page)


def _about_me(page: Page, status: int = 200, **more: object) -> Response:
    who, here = caller_of(page), around(page)
    done = page.request.query_params.get("done")
    return page.show(
        "reviews_about_me.html",
        status,
        here="/reviews/about-me",
        items=[_of_me(page, here, who, item) for item in bad_reviews.about_me(page.parts, who)["items"]],
        done=done if done in IN_OWN_CAUSE else None,
        **{"command": None, "form": None, "review": None, "trouble": None, "token": page.token, **more},
    )


def _of_me(page: Page, here: Around, who: Caller, item: Mapping[str, Any]) -> dict[str, Any]:
    """Give one of them in words: out of what the API tells them, and of nothing else."""
    t, (refusal, unproven) = here.t, (_refusal(page, here, who, item["id"], name) for name in IN_OWN_CAUSE)
    until = here.due("hall", item["appeal_until"], provisional=item["appeal_until_provisional"])
    return {
        "id": item["id"],
        "grade": said(here, item["grade"]),
        "codes": [named(here, code) for code in item["codes"]],
        "added": None if item["follow_up_grade"] is None else said(here, item["follow_up_grade"]),
        "added_codes": [named(here, code) for code in item["follow_up_codes"]],
        "day": item["day"],
        "stage": t.word(item["stage"]),
        "verdict": "" if item["verdict"] is None else t.option(item["verdict"]),
        "until": {**until, "late": False},
        "open": refusal is None,
        "provable": unproven is None,
        "why": "" if refusal is None else " ".join(t.refused(refusal)),
    }


def _refusal(page: Page, here: Around, who: Caller, review: UUID, command: Code) -> Refused | None:
    """Give what stands in the way of somebody who speaks in their own cause. Raises Unknown where it is not theirs."""
    by = bad_reviews.in_own_cause(page.parts, who, review)
    row, entries = known_review(page.parts.pool, None, review)
    at = max(moment for moment in (who.user.now, row.changed_at) if moment is not None)
    asking = Asking(review=review_of(entries, review), by=by, at=at, facts=replace(here.facts, itself=review))
    return asking.refusal(command)


def _own_form(page: Page, here: Around, who: Caller, review: UUID, command: Code, **trouble: Any) -> dict[str, Any]:  # noqa: ANN401 - for the template
    """Draw the form of somebody who was rated: of evidence they are offered what they recorded themselves."""
    _, entries = known_review(page.parts.pool, None, review)
    mine = [one for one in entries if one.stream == review and one.event.by.person in who.viewer.persons]
    evidence = here.named(mine).get("evidence", {})
    choices: Choices = {
        **here.choices(),
        "ground": here.choices().get("appeal_ground", ()),
        "evidence": [Option(value=str(key), label=told) for key, told in evidence.items()],
    }
    given = page.sent if page.sent.pairs and page.request.method == "POST" else None
    drawing = Drawing(t=page.t, zone=here.zone, choices=choices, given=given, errors=trouble.get("errors", {}))
    hidden = () if evidence else ("evidence",)
    names = [name for name in REVIEW_FORMS[command].model_fields if name not in hidden]
    fields = drawing.widgets(REVIEW_FORMS[command], names)
    return {"name": page.t.command(command), "fields": fields, "wrong": wrong(fields)}


def _with_form(page: Page, review: UUID, command: str, status: int = 200, **trouble: Any) -> Response:  # noqa: ANN401 - for the template
    who, here = caller_of(page), around(page)
    refusal = _refusal(page, here, who, review, command)
    if refusal is not None and page.request.method != "POST":
        return _about_me(page, status_of(refusal), **page.refused(refusal))
    form = _own_form(page, here, who, review, command, **trouble)
    return _about_me(page, status, review=review, command=command, form=form, **trouble)


@router.get("/reviews/about-me/{review_id}/{command}")
def own_page(review_id: UUID, command: str, page: InAtWork) -> Response:
    """Ask whoever was rated why it should not count, or for what proves it."""
    if command not in IN_OWN_CAUSE:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _with_form(page, review_id, command)


@router.post("/reviews/about-me/{review_id}/{command}")
def own_step(review_id: UUID, command: str, page: InAtWork) -> Response:
    """Take what whoever was rated says; what is refused comes back with what was typed."""
    if command not in IN_OWN_CAUSE:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    form_type, who = REVIEW_FORMS[command], caller_of(page)
    by = bad_reviews.in_own_cause(page.parts, who, review_id)
    try:
        form = form_type.model_validate(read(form_type, page.sent, around(page).zone))
        act(page.parts.reviews, review_id, form, by, page.asked(command, form, who))
    except ValidationError as error:
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        errors = misplaced(form_type, error, page.sent, page.t)
        return _with_form(page, review_id, command, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, errors=errors)
    except Refused as refused:
        return _with_form(page, review_id, command, status_of(refused), **page.refused(refused))
    return page.go(f"/reviews/about-me?done={command}")
