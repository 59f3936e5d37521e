"""The page of the own rating, by the link that came with it: how it stands, and what whoever gave it may still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.decider import Code
from domain.errors import NotYourRole, Refused, TooLate, Unknown
from domain.review import Appended, Submitted
from projections.histories import history
from projections.reviews import ReviewRow
from projections.tables import Entry
from service.forms.reviews import FollowUpForm
from service.limits import TooMany
from service.reviewing import Origin
from service.web.by_link import by_link
from service.web.deps import address_of
from service.web.pages import InPage, Page, PageRoute, Trouble
from service.web.pages_choices import Around
from service.web.pages_grades import Wrong, channel, choices, drawn, key_in, named, open_ms, reason_missing, said, typed
from service.web.pages_intake import around
from service.web.pages_rate import assets, said_of, waiting
from service.web.problems import status_of
from service.web.reviews import own_review
from service.web.widgets import Sent, misplaced

router = APIRouter(include_in_schema=False, route_class=PageRoute)

OWN_LINK: Final = "own_link"
SAID_HERE: Final = {Unknown.code: "rating-unknown", TooLate.code: "follow-up-over"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStep:
    """Something whoever rated may do with the own link.

    `offered` says whether it is of use now, by the row and the clock (UTC); `act` does it and raises what is refused,
    or ValidationError of `FollowUpForm`. What it looks like is the template `rating_<name>.html`.
    """

    offered: Callable[[ReviewRow, datetime], bool]
    act: Callable[[Page, str], object]


def _append(page: Page, own_link: str) -> object:
    form = FollowUpForm(
        own_link=own_link,
        channel=channel(page),
        input_ms=open_ms(page, around(page), own_link),
        **typed(page.sent),
    )
    origin = Origin(address=address_of(page.request), staff=page.user is not None)
    return page.parts.reviews.append(form, origin, "page")


def _corroborate(page: Page, own_link: str) -> object:
    if page.user is not None:
        # Whoever wrote it down does not confirm it for somebody.
        role = "" if page.caller is None else page.caller.actor.role
        raise NotYourRole(role=role, command="review/corroborate")
    return page.parts.reviews.corroborate(own_link, "page")


def _may_append(row: ReviewRow, now: datetime) -> bool:
    return row.followed_up_at is None and (row.follow_up_until is None or now <= row.follow_up_until)


STEPS: Final[Mapping[Code, OwnStep]] = MappingProxyType(
    {
        "corroborate": OwnStep(offered=lambda row, _: row.corroborated is False, act=_corroborate),
        "append": OwnStep(offered=_may_append, act=_append),
    }
)
"""In the order in which the page offers them; a step more is an entry here and a template."""


@router.get("/rating")
def rating_page(page: InPage) -> Response:
    """Ask for the own link; whoever follows it carries it behind the #, where no server and no log sees it."""
    return _ask(page)


@router.post("/rating")
def rating(page: InPage) -> Response:
    """Tell how the own rating stands; nothing is changed, and the link is in no address."""
    own_link = key_in(page.sent.one(OWN_LINK))
    if not own_link:
        trouble = Trouble(*page.t.trouble("own-link-blank"), "own-link-blank")
        return _ask(page, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble)
    return _tell(page, own_link)


@router.post("/rating/{step}")
def rating_step(step: str, page: InPage) -> Response:
    """Do something with the own rating, and tell how it stands then; sent twice, it is done once."""
    if step not in STEPS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    own_link = key_in(page.sent.one(OWN_LINK))
    try:
        by_link(page.request, page.parts, page.parts.reviews.owned, own_link)
        STEPS[step].act(page, own_link)
    except ValidationError as error:
        errors = misplaced(FollowUpForm, error, page.sent, page.t)
        wrong = [
            Wrong("text" if name == "text" else "grade-1", page.t("rating.append"), errors[name]) for name in errors
        ]
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        return _tell(page, own_link, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, wrong=wrong)
    except (Unknown, TooMany) as refused:
        return _lost(page, refused)
    except Refused as refused:
        return _tell(page, own_link, status_of(refused), trouble=said_of(page, refused, SAID_HERE))
    page.sent = Sent()
    return _tell(page, own_link, done=step)


def _ask(page: Page, status: int = 200, *, trouble: Trouble | None = None) -> Response:
    return page.show("rating.html", status, here="/rating", own_link="", told=None, trouble=trouble, **assets())


def _lost(page: Page, refused: Refused) -> Response:
    return waiting(_ask(page, status_of(refused), trouble=said_of(page, refused, SAID_HERE)), refused)


def _tell(page: Page, own_link: str, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - for the template
    try:
        found = by_link(page.request, page.parts, page.parts.reviews.owned, own_link)
    except Refused as refused:
        return _lost(page, refused)
    here = around(page)
    row, theirs = own_review(page.parts, found)
    shown = {
        "own_link": own_link,
        "told": row,
        "opinions": _opinions(page, here, theirs),
        "lines": _lines(here, theirs),
        "moment": here.teller.moment,
        "steps": [name for name, step in STEPS.items() if step.offered(row, here.now)],
        "choices": choices(here, page.sent),
        "text": page.sent.one("text"),
        "drawn": drawn(page, here, own_link),
        "reason": reason_missing(page),
        "trouble": None,
        "wrong": (),
        "done": None,
        **assets(),
        **more,
    }
    return page.show("rating.html", status, here="/rating", **shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What was said, first or as a follow-up: in words, with the text if it can still be read."""

    at: datetime
    first: bool
    grade: str
    codes: tuple[str, ...]
    text: str | None


def _opinions(page: Page, here: Around, theirs: Sequence[Entry]) -> list[Opinion]:
    given = [one.event for one in theirs if isinstance(one.event, Submitted | Appended)]
    sealed = [("text", one.text) for one in given if one.text is not None]
    texts = iter(page.parts.vault.open_many(sealed))
    return [
        Opinion(
            at=one.at,
            first=isinstance(one, Submitted),
            grade="" if one.grade is None else said(here, one.grade),
            codes=tuple(named(here, code) for code in one.codes),
            text=None if one.text is None else next(texts),
        )
        for one in given
    ]


def _lines(here: Around, theirs: Sequence[Entry]) -> list[tuple[datetime, str]]:
    """Tell what became of it; what was said stands above in full, so here only that it was."""
    lines = history(theirs, here.facts.register, here.t.language, here.zone)
    found = []
    for entry, line in zip(theirs, lines, strict=True):
        match entry.event:
            case Submitted(corroborated=True):
                told = here.t("rating.line.given")
            case Submitted():
                told = here.t("rating.line.written")
            case Appended():
                told = here.t("rating.line.added")
            case _:
                told = line.said
        found.append((line.at, told))
    return found
