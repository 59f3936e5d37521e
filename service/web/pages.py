"""What every page shares: the reader's language, who is logged in, the frame around it, and what is said of errors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import structlog
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.decider import Code, Role
from domain.errors import Refused
from projections.telling.teller import Language
from service.asking import Asked, KeyReused
from service.limits import TooMany
from service.parts import Parts
from service.sealing import Destroyed, VaultError
from service.web.complaints import REGISTRARS
from service.web.deps import (
    COOKIE,
    SAFE,
    SHORTEST_PUBLIC_KEY,
    Caller,
    InParts,
    User,
    acting,
    command_of_key,
    in_session,
    mac_of,
    require_csrf,
    same_origin,
)
from service.web.problems import FormTokenWrong, NoPostChosen, NotLoggedIn, PasswordChangeDue, status_of
from service.web.reviews import READERS
from service.web.sending import InSent
from service.web.texts import Texts
from service.web.widgets import Sent

LANGUAGE_COOKIE: Final = "bihuan_language"
LONGEST_TOKEN: Final = 100
YEAR: Final = 365 * 86_400
STATIC: Final[Mapping[str, str]] = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "rate.css": "text/css",
    "rate.js": "text/javascript",
}
REVIEWS_ALONE: Final = frozenset({Role.VERIFIER, Role.PANEL})
"""Whose work is with ratings and not with complaints."""
SERVE: Final = frozenset({Role.INTAKE, Role.RESPONDENT, Role.HANDLER, Role.UNIT_HEAD})
HEADERS: Final = {
    # With none at all, a browser sends its forms without saying where from, and we ask that they come from us.
    "Referrer-Policy": "same-origin",
}


@cache
def environment() -> Environment:
    """Give the templates; every value is escaped, and one that is missing is an error."""
    return Environment(
        loader=PackageLoader("service.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def static(name: str) -> bytes:
    """Give a file that pages need."""
    return files("service.web").joinpath("static", name).read_bytes()


@cache
def static_address(name: str) -> str:
    """Give the address of such a file, which changes with its content, so that it may be kept for long."""
    return f"/static/{name}?v={sha256(static(name)).hexdigest()[:12]}"


def language_of(request: Request, *, kept: bool = True) -> Language:
    """Give the language to speak: the one asked for, the one chosen before if kept, the browser's, else Chinese."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE) if kept else None):
        if chosen in set(Language):
            return Language(chosen)
    for wish in request.headers.get("accept-language", "").lower().split(","):
        found = wish.strip()[:2]
        if found in set(Language):
            return Language(found)
    return Language.CHINESE


@dataclass(slots=True)
class Page:
    """One request for a page: in which language, what was sent, who is logged in.

    `start` is where a kiosk begins anew: such a page keeps nothing and leads nowhere else, whatever goes wrong.
    """

    request: Request
    parts: Parts
    sent: Sent
    t: Texts
    user: User | None = None
    caller: Caller | None = None
    start: str = ""

    def show(self, template: str, status: int = 200, *, here: str | None = None, **more: object) -> HTMLResponse:
        """Give a page; `here` is where its other language is, if not at this address."""
        query = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        other = Language.ENGLISH if self.t.language is Language.CHINESE else Language.CHINESE
        address = here or self.request.url.path
        found = {
            "t": self.t,
            "page": self,
            "css": static_address("page.css"),
            "js": static_address("page.js"),
            "other": f"{address}?{urlencode([*query, ('lang', other)])}",
            "complain_instead": self.parts.settings.complain_instead,
            "name": None if self.user is None else self.parts.accounts.name_of(self.user.person),
            **more,
        }
        answer = HTMLResponse(environment().get_template(template).render(found), status, HEADERS)
        if not self.start and "lang" in self.request.query_params:
            answer.set_cookie(LANGUAGE_COOKIE, self.t.language, max_age=YEAR, httponly=True, samesite="lax")
        return answer

    def go(self, path: str) -> RedirectResponse:
        """Lead on, so that a page that is loaded again sends nothing again."""
        return RedirectResponse(path, HTTPStatus.SEE_OTHER, HEADERS)

    @property
    def address(self) -> str:
        """Where people reach these pages: as set, else as this one was asked for; without a slash at its end."""
        settings, asked = self.parts.settings, self.request.url
        scheme = "https" if settings.secure_cookies else asked.scheme
        return settings.address or f"{scheme}://{asked.netloc}"

    @property
    def token(self) -> str:
        """The token of a form: what was sent, so that a form sent twice is one command; else a new one."""
        given = self.sent.one("token")
        return given if SHORTEST_PUBLIC_KEY <= len(given) <= LONGEST_TOKEN else new_token()

    def asked(self, name: Code, form: BaseModel, who: Caller | None) -> Asked:
        """Give how a form asks: its command id follows from the person, if it is staff, and the token of the form."""
        return Asked(
            command_id=command_of_key(None if who is None else who.actor.person, self.token),
            source="page",
            name=name,
            mac=mac_of(self.request, self.parts, form),
        )

    def refused(self, refused: Refused) -> dict[str, Any]:
        """Give what a page says of a refusal, and under which token the form may be sent again."""
        message, then = self.t.refused(refused)
        token = new_token() if isinstance(refused, KeyReused) else self.token
        return {"trouble": Trouble(message, then, refused.code), "token": token}

    @property
    def post(self) -> str:
        """The public name of the post somebody acts in."""
        post = None if self.caller is None else self.caller.viewer.post
        if post is None:
            return ""
        return str(post.name_zh if self.t.language is Language.CHINESE else post.name_en)

    @property
    def registers(self) -> bool:
        """Whether this is somebody who takes complaints."""
        return self.caller is not None and self.caller.actor.role in REGISTRARS

    @property
    def home(self) -> str:
        """Where somebody's work begins."""
        role = None if self.caller is None else self.caller.actor.role
        return "/register" if role is Role.INTAKE else "/reviews" if role in REVIEWS_ALONE else "/docket"

    @property
    def reads_reviews(self) -> bool:
        """Whether this is somebody who has a part in what becomes of ratings."""
        return self.caller is not None and self.caller.actor.role in READERS

    @property
    def may_be_rated(self) -> bool:
        """Whether this is somebody who may have served people whose ratings are then about them."""
        return self.caller is not None and self.caller.actor.role in SERVE


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something did not go, and what to do next."""

    message: str
    then: str
    code: str


def new_token() -> str:
    """Give a token for a form that is drawn now."""
    return secrets.token_urlsafe(24)


def visited(request: Request, parts: InParts, sent: InSent) -> Page:
    """Give the page somebody asks for; who is logged in is told, nobody is turned away. Raises FormTokenWrong."""
    page = Page(request, parts, sent, Texts(language_of(request)))
    request.state.page = page
    if request.method not in SAFE:
        same_origin(request)
    if COOKIE in request.cookies:
        try:
            page.user = in_session(request, parts)
            page.caller = acting(page.user)
        except (NotLoggedIn, PasswordChangeDue, NoPostChosen):
            # What somebody without a post may see is for the page to say.
            return page
    return page


InPage = Annotated[Page, Depends(visited)]


def logged_in(page: InPage) -> Page:
    """Give a page for somebody with an account, in whatever post. Raises NotLoggedIn, FormTokenWrong."""
    if page.user is None:
        raise NotLoggedIn
    if page.request.method not in SAFE:
        require_csrf(page.user, page.sent.one("csrf"))
    return page


InLoggedIn = Annotated[Page, Depends(logged_in)]


def at_work(page: InLoggedIn) -> Page:
    """Give a page for somebody who acts in a post. Raises PasswordChangeDue, NoPostChosen."""
    if page.caller is None and page.user is not None:
        page.caller = acting(page.user)
    return page


InAtWork = Annotated[Page, Depends(at_work)]


def caller_of(page: Page) -> Caller:
    """Give who acts on a page that only people in a post reach. Raises NotLoggedIn."""
    if page.caller is None:
        raise NotLoggedIn
    return page.caller


# What is said when something does not go.


class PageRoute(APIRoute):
    """A page: whatever goes wrong is answered with a page too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answer errors in the reader's language."""
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:  # noqa: BLE001 - the last door before the reader: everything is answered
                return await run_in_threadpool(_troubled, request, error)

        return answered


def _troubled(request: Request, error: Exception) -> Response:
    page: Page = getattr(request.state, "page", None) or Page(
        request, request.app.state.parts, Sent(), Texts(language_of(request))
    )
    reading = request.method in SAFE
    match error:
        case NotLoggedIn() if reading:
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return page.go(f"/login?{urlencode({'next': back})}")
        case PasswordChangeDue():
            return page.go("/password")
        case NoPostChosen() if page.user is not None and page.user.posts:
            return page.go("/posts")
        case NotLoggedIn() | FormTokenWrong() if not reading and "origin" in request.headers and _ours(request):
            return _once_more(page, error)
        case Refused():
            answer = _told(page, status_of(error), error.code, *page.t.refused(error))
            if isinstance(error, TooMany):
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
        case HTTPException(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            return _told(page, error.status_code, "too-large")
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            return _told(page, error.status_code, "malformed")
        case HTTPException() | RequestValidationError():
            return _told(page, HTTPStatus.NOT_FOUND, "no-page")
        case Destroyed():
            return _told(page, HTTPStatus.GONE, error.code)
        case VaultError():
            return _told(page, HTTPStatus.INTERNAL_SERVER_ERROR, error.code)
        case OperationalError() | PoolTimeout():
            page.parts.pool.check()
            return _bare(page, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", error)
        case _:
            return _bare(page, HTTPStatus.INTERNAL_SERVER_ERROR, "our-fault", error)


def _ours(request: Request) -> bool:
    try:
        same_origin(request)
    except FormTokenWrong:
        return False
    return True


def _once_more(page: Page, error: Refused) -> HTMLResponse:
    """Keep what was typed when the session has ended meanwhile; only a press of the button sends it again."""
    kept = [(name, value) for name, value in page.sent.pairs if name not in {"csrf", "password", "old", "new"}]
    trouble = Trouble(*page.t.refused(error), error.code)
    return page.show("again.html", status_of(error), trouble=trouble, kept=kept, here="/")


def _told(page: Page, status: int, code: str, message: str = "", then: str = "") -> HTMLResponse:
    if not message:
        message, then = page.t.trouble(code)
    return page.show("trouble.html", status, trouble=Trouble(message, then, code), here="/")


def _bare(page: Page, status: int, code: str, error: Exception) -> HTMLResponse:
    """Say it without asking the store who is there."""
    structlog.get_logger("pages").error("failed", action=page.request.url.path, kind=type(error).__name__)
    return _told(Page(page.request, page.parts, Sent(), page.t, start=page.start), status, code)
