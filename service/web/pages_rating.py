"""The page of the own rating, by the link that came with it: how it stands, and what whoever gave it may still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.decider import Code
from domain.errors import NotYourRole, Refused, TooLate, Unknown
from domain.review import Appended, Submitted
from projections.histories import history
from projections.own_review import for_who_rated
from projections.reviews import ReviewRow
from projections.tables import Entry
from service import own_reviews
from service.desk import Receipt
from service.forms.own_reviews import ComplaintOfReviewForm, ObjectionForm
from service.forms.reviews import FollowUpForm, OwnLinkForm
from service.limits import TooMany
from service.reviewing import Origin
from service.web.by_link import by_link
from service.web.deps import address_of
from service.web.drawing import Drawing
from service.web.pages import InPage, Page, PageRoute, Trouble
from service.web.pages_choices import Around
from service.web.pages_grades import Wrong, channel, choices, drawn, key_in, open_ms, reason_missing, said, typed
from service.web.pages_intake import around
from service.web.pages_rate import assets, said_of, waiting
from service.web.problems import status_of
from service.web.widgets import Sent, misplaced, read

F = TypeVar("F", bound=BaseModel)

router = APIRouter(include_in_schema=False, route_class=PageRoute)

OWN_LINK: Final = "own_link"
SAID_HERE: Final = {Unknown.code: "rating-unknown", TooLate.code: "follow-up-over"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the own rating stands: its row, the clock (UTC), and what `own_reviews.standing` says may be done."""

    row: ReviewRow
    now: datetime
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStep:
    """Something whoever rated may do with the own link.

    `offered` says whether it is of use now; `act` does it, raises what is refused or ValidationError of `form`, and
    gives the Receipt of a complaint that was made. `fields` of the form are asked for; what it looks like is the
    template `rating_<name>.html`.
    """

    form: type[OwnLinkForm | FollowUpForm]
    fields: tuple[str, ...] = ()
    offered: Callable[[Standing], bool]
    act: Callable[[Page, str], object]


def _append(page: Page, own_link: str) -> object:
    form = FollowUpForm(
        own_link=own_link,
        channel=channel(page),
        input_ms=open_ms(page, around(page), own_link),
        **typed(page.sent),
    )
    return page.parts.reviews.append(form, _origin(page), "page")


def _origin(page: Page) -> Origin:
    return Origin(address=address_of(page.request), staff=page.user is not None)


def _corroborate(page: Page, own_link: str) -> object:
    _alone(page, "corroborate")
    return page.parts.reviews.corroborate(own_link, _origin(page), "page")


def _object(page: Page, own_link: str) -> object:
    _alone(page, "object")
    return own_reviews.object_to_exclusion(page.parts, _filled(page, ObjectionForm, own_link), "page")


def _confirm_mistake(page: Page, own_link: str) -> object:
    _alone(page, "confirm-mistake")
    return own_reviews.confirm_mistake(page.parts, OwnLinkForm(own_link=own_link), "page")


def _complain(page: Page, own_link: str) -> object:
    _alone(page, "complain")
    receipt, _ = own_reviews.complain(page.parts, _filled(page, ComplaintOfReviewForm, own_link), "page")
    return receipt


def _filled(page: Page, form: type[F], own_link: str) -> F:
    return form.model_validate({**read(form, page.sent, around(page).zone), "own_link": own_link})


def _alone(page: Page, command: Code) -> None:
    """Refuse it where staff are logged in: what is the giver's alone, nobody does for them. Raises NotYourRole."""
    if page.user is not None:
        role = "" if page.caller is None else page.caller.actor.role
        raise NotYourRole(role=role, command=f"review/{command}")


def _may_append(stands: Standing) -> bool:
    row = stands.row
    return row.followed_up_at is None and (row.follow_up_until is None or stands.now <= row.follow_up_until)


STEPS: Final[Mapping[Code, OwnStep]] = MappingProxyType(
    {
        "corroborate": OwnStep(
            form=OwnLinkForm, offered=lambda stands: stands.row.corroborated is False, act=_corroborate
        ),
        "object": OwnStep(
            form=ObjectionForm, fields=("ground",), offered=lambda stands: stands.told["may_object"], act=_object
        ),
        "append": OwnStep(form=FollowUpForm, offered=_may_append, act=_append),
        "complain": OwnStep(
            form=ComplaintOfReviewForm,
            fields=("narrative", "desired_outcome", "name", "phone", "anonymous"),
            offered=lambda stands: stands.told["may_complain"],
            act=_complain,
        ),
        "confirm-mistake": OwnStep(
            form=OwnLinkForm, offered=lambda stands: stands.told["may_confirm_mistake"], act=_confirm_mistake
        ),
    }
)
"""In the order in which the page offers them; a step more is an entry here and a template."""
ANSWERS: Final = ("planned", "put_right", "explained", "reply")
"""What the unit told whoever rated, in the order in which it is read."""


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
    own_link, form = key_in(page.sent.one(OWN_LINK)), STEPS[step].form
    try:
        by_link(page.request, page.parts, page.parts.reviews.owned, own_link)
        made = STEPS[step].act(page, own_link)
    except ValidationError as error:
        errors = misplaced(form, error, page.sent, page.t)
        wrong = [Wrong(_place(form, name), page.t.label(form.__name__, name), said) for name, said in errors.items()]
        trouble = Trouble(*page.t.trouble("malformed"), "malformed")
        return _tell(page, own_link, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, wrong=wrong, errors=errors)
    except (Unknown, TooMany) as refused:
        return _lost(page, refused)
    except Refused as refused:
        return _tell(page, own_link, status_of(refused), trouble=said_of(page, refused, SAID_HERE))
    page.sent = Sent()
    return _tell(page, own_link, done=step, receipt=made if isinstance(made, Receipt) else None)


def _place(form: type[BaseModel], name: str) -> str:
    if form is FollowUpForm:
        return "text" if name == "text" else "grade-1"
    return f"f-{name}".replace("_", "-")


def _ask(page: Page, status: int = 200, *, trouble: Trouble | None = None) -> Response:
    return page.show("rating.html", status, here="/rating", own_link="", told=None, trouble=trouble, **assets())


def _lost(page: Page, refused: Refused) -> Response:
    return waiting(_ask(page, status_of(refused), trouble=said_of(page, refused, SAID_HERE)), refused)


def _tell(page: Page, own_link: str, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - for the template
    try:
        mine = by_link(page.request, page.parts, partial(own_reviews.own, page.parts), own_link)
    except Refused as refused:
        return _lost(page, refused)
    here = around(page)
    theirs = for_who_rated(mine.entries)
    told = own_reviews.standing(page.parts, mine, page.t.language)
    stands = Standing(row=mine.row, now=here.now, told=told)
    given = page.sent if page.sent.pairs else None
    drawing = Drawing(t=page.t, zone=here.zone, given=given, errors=more.pop("errors", {}))
    steps = [name for name, step in STEPS.items() if step.offered(stands)]
    shown = {
        "own_link": own_link,
        "told": mine.row,
        "stands": told,
        "answers": [(what, told[what]) for what in ANSWERS if told[what] is not None],
        "opinions": _opinions(page, here, theirs),
        "lines": _lines(here, theirs),
        "moment": here.teller.moment,
        "steps": steps,
        "fields": {name: drawing.widgets(STEPS[name].form, STEPS[name].fields) for name in steps if STEPS[name].fields},
        "choices": choices(here, page.sent),
        "text": page.sent.one("text"),
        "drawn": drawn(page, here, own_link),
        "reason": reason_missing(page),
        "trouble": None,
        "wrong": (),
        "done": None,
        "receipt": None,
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
            codes=here.teller.ticked(one.codes, one.code_set),
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
