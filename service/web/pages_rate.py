"""Pages on which whoever was served rates a visit: on a phone by the invitation's link, on a tablet at a window."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from domain.decider import Code
from domain.errors import AlreadyReviewed, InvitationUnknown, InvitationUsed, Refused, TooLate
from domain.review import Accepted, ReviewChannel
from service.forms.reviews import ReviewForm
from service.invitations import Offer, medium_of, offered
from service.limits import TooMany
from service.reviewing import Origin, Rated
from service.web.by_link import by_link
from service.web.deps import address_of
from service.web.pages import InPage, Page, PageRoute, Trouble, language_of, static_address
from service.web.pages_grades import Wrong, channel, choices, drawn, key_in, open_ms, reason_missing, typed
from service.web.pages_intake import around
from service.web.problems import status_of
from service.web.slips import code
from service.web.texts import Texts
from service.web.widgets import misplaced

router = APIRouter(include_in_schema=False, route_class=PageRoute)

INVITATION: Final = "invitation"
IDENTITY: Final = "identity"
REAL: Final = "real_name"
UNNAMED: Final = "anonymous"
TURN: Final = "turn"
TURN_COOKIE: Final = "bihuan_turn"
WITHOUT_SCRIPTS: Final = 3
"""How many times the quiet time a kiosk waits where no script can see that somebody is still typing."""
ENDED: Final = (InvitationUnknown, InvitationUsed, AlreadyReviewed, TooLate, TooMany)
"""After these there is nothing to fill in any more."""
PLACE: Final = TypeAdapter[Code](Code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where somebody rates: on a device of their own, or at a kiosk, in this turn of it.

    Every look at a kiosk's first page begins a new turn; what is left of an earlier one is not taken, nor shown.
    `query` carries the language of the turn, which a kiosk does not keep.
    """

    path: str
    terminal: Code | None = None
    turn: str = ""
    query: str = ""


OWN_DEVICE: Final = Stand(path="/rate")


def at_kiosk(terminal: str, page: InPage) -> Stand:
    """Give the kiosk of this number; it keeps no language, nor anything else, for the next one. Raises 404."""
    try:
        known = PLACE.validate_python(terminal)
    except ValidationError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND) from error
    page.start = f"/kiosk/{known}"
    page.t = Texts(language_of(page.request, kept=False))
    chosen = f"?lang={page.t.language}" if "lang" in page.request.query_params else ""
    return Stand(path=page.start, terminal=known, turn=page.request.cookies.get(TURN_COOKIE, ""), query=chosen)


@router.get("/rate")
def rate_page(page: InPage) -> Response:
    """Ask for the invitation; the link carries it behind the #, where no server and no log sees it."""
    return _ask(page, OWN_DEVICE)


@router.post("/rate")
def rate(page: InPage) -> Response:
    """Ask what somebody says of the visit they were invited to rate."""
    return _begin(page, OWN_DEVICE)


@router.post("/rate/send")
def rated(page: InPage) -> Response:
    """Take the rating."""
    return _send(page, OWN_DEVICE)


@router.get("/kiosk/{terminal}")
def kiosk_page(page: InPage, stand: Annotated[Stand, Depends(at_kiosk)]) -> Response:
    """Begin a new turn: whatever was typed before is nobody's any more."""
    fresh = replace(stand, turn=secrets.token_urlsafe(18))
    left = "rating-forgotten" if "forgotten" in page.request.query_params else None
    trouble = None if left is None else Trouble(*page.t.trouble(left), left)
    answer = _ask(page, fresh, trouble=trouble)
    answer.set_cookie(
        TURN_COOKIE, fresh.turn, path=fresh.path, httponly=True, samesite="strict",
        secure=page.parts.settings.secure_cookies,
    )  # fmt: skip
    return answer


@router.post("/kiosk/{terminal}")
def kiosk(page: InPage, stand: Annotated[Stand, Depends(at_kiosk)]) -> Response:
    """Ask what somebody says of the visit they were invited to rate."""
    return _begin(page, stand) if _in_turn(page, stand) else _forgotten(page, stand)


@router.post("/kiosk/{terminal}/send")
def kiosk_rated(page: InPage, stand: Annotated[Stand, Depends(at_kiosk)]) -> Response:
    """Take the rating."""
    return _send(page, stand) if _in_turn(page, stand) else _forgotten(page, stand)


def _in_turn(page: Page, stand: Stand) -> bool:
    given = page.sent.one(TURN).encode("utf-8", "surrogatepass")
    return bool(stand.turn) and hmac.compare_digest(given, stand.turn.encode("utf-8", "surrogatepass"))


def _forgotten(page: Page, stand: Stand) -> Response:
    return page.go(f"{stand.path}?forgotten=yes&lang={page.t.language}")


def _show(page: Page, stand: Stand, template: str, status: int, **more: Any) -> HTMLResponse:  # noqa: ANN401 - for the template
    quiet = page.parts.settings.kiosk_seconds
    shown = {
        "stand": stand,
        "quiet": quiet,
        "longest": quiet * WITHOUT_SCRIPTS,
        "invitation": "",
        "trouble": None,
        "wrong": (),
        **assets(),
        **more,
    }
    return page.show(template, status, here=stand.path, **shown)


def assets() -> dict[str, str]:
    """Give the addresses of what only pages of ratings need."""
    return {"rate_css": static_address("rate.css"), "rate_js": static_address("rate.js")}


def _ask(page: Page, stand: Stand, status: int = 200, *, trouble: Trouble | None = None) -> HTMLResponse:
    return _show(page, stand, "rate.html", status, trouble=trouble)


def _begin(page: Page, stand: Stand) -> Response:
    given = key_in(page.sent.one(INVITATION))
    if not given:
        trouble = Trouble(*page.t.trouble("invitation-blank"), "invitation-blank")
        return _ask(page, stand, HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble)
    try:
        offer = _offer(page, given)
    except Refused as refused:
        return _ended(page, stand, refused)
    return _draw(page, stand, given, offer)


def _offer(page: Page, given: str) -> Offer:
    return by_link(page.request, page.parts, lambda token: offered(page.parts.reviews, token), given)


def _ended(page: Page, stand: Stand, refused: Refused) -> Response:
    trouble = said_of(page, refused, {TooLate.code: "rating-over"})
    return waiting(_ask(page, stand, status_of(refused), trouble=trouble), refused)


def waiting(answer: Response, refused: Refused) -> Response:
    """Say beside the page, for machines, how many seconds to wait."""
    if isinstance(refused, TooMany):
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


def said_of(page: Page, refused: Refused, elsewhere: dict[str, str]) -> Trouble:
    """Give what a page of ratings says of a refusal; `elsewhere` names entries that say it better here."""
    if refused.code in elsewhere:
        return Trouble(*page.t.trouble(elsewhere[refused.code]), refused.code)
    return Trouble(*page.t.refused(refused), refused.code)


def _draw(page: Page, stand: Stand, given: str, offer: Offer, status: int = 200, **more: Any) -> Response:  # noqa: ANN401 - for the template
    here = around(page)
    opened, served = offer.opened, offer.opened.attribution
    site = here.facts.register.sites.get(opened.hall)
    item = None if served is None or served.item is None else here.facts.register.items.get(served.item)
    return _show(
        page,
        stand,
        "rate_form.html",
        status,
        **{
            "invitation": given,
            "drawn": drawn(page, here, given),
            "reason": reason_missing(page),
            "choices": choices(here, page.sent),
            "text": page.sent.one("text"),
            "identity": page.sent.one(IDENTITY),
            "known": opened.applicant is not None,
            "hall": opened.hall if site is None else here.name(site),
            "window": "" if served is None else here.window(served.window) or here.department(served.department),
            "item": "" if item is None else here.name(item),
            "served": None if opened.served_at is None else here.teller.moment(opened.served_at),
            **more,
        },
    )


def _send(page: Page, stand: Stand) -> Response:
    given = key_in(page.sent.one(INVITATION))
    try:
        by_link(page.request, page.parts, page.parts.reviews.invited, given)
        form, wrong = _form(page, stand, given)
        if form is None or wrong:
            trouble = Trouble(*page.t.trouble("malformed"), "malformed")
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return _draw(page, stand, given, _offer(page, given), status, trouble=trouble, wrong=wrong)
        # Whoever is logged in here stood beside it, whatever their post.
        origin = Origin(address=address_of(page.request), staff=page.user is not None)
        return _thank(page, stand, page.parts.reviews.submit(given, form, origin, "page"))
    except ENDED as refused:
        return _ended(page, stand, refused)
    except Refused as refused:
        return _draw(page, stand, given, _offer(page, given), status_of(refused), trouble=said_of(page, refused, {}))


def _form(page: Page, stand: Stand, given: str) -> tuple[ReviewForm | None, list[Wrong]]:
    """Give what was filled in, and what is missing or wrong in it."""
    wrong, form, identity = list[Wrong](), None, page.sent.one(IDENTITY)
    try:
        form = ReviewForm(
            token=given,
            anonymous=identity != REAL,
            terminal=stand.terminal,
            channel=_channel(page, stand, given),
            input_ms=open_ms(page, around(page), given),
            **typed(page.sent),
        )
    except ValidationError as error:
        errors = misplaced(ReviewForm, error, page.sent, page.t)
        known = (("grade", "grade-1", page.t("rate.grade")), ("text", "text", page.t("rate.text")))
        wrong += [Wrong(place, label, errors.pop(name)) for name, place, label in known if name in errors]
        wrong += [Wrong("grade-1", page.t("rate.which"), error) for error in errors.values()]
    if identity not in {REAL, UNNAMED}:
        wrong.append(Wrong("identity-1", page.t("rate.identity"), page.t("rate.choose")))
    return form, wrong


def _channel(page: Page, stand: Stand, given: str) -> ReviewChannel:
    if stand.terminal is not None:
        return ReviewChannel.TABLET
    return channel(page, medium_of(page.parts.reviews, given))


def _thank(page: Page, stand: Stand, rated: Rated) -> Response:
    due = rated.submitted.follow_up_until
    return _show(
        page,
        stand,
        "rate_done.html",
        HTTPStatus.OK,
        own_link=rated.own_link,
        code=code(f"{page.address}/rating#{rated.own_link}"),
        handled=any(isinstance(one, Accepted) for one in rated.done.events),
        until=None if due is None else around(page).teller.due(due),
    )
