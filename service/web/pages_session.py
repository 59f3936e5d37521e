"""Pages for coming and going: log-in, a new password, the choice of a post, log-out; and the front."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.errors import Refused
from service.web import accounts
from service.web.pages import STATIC, InLoggedIn, InPage, Page, PageRoute, Trouble, static
from service.web.problems import NotLoggedIn, PasswordChangeDue, status_of

F = TypeVar("F", bound=BaseModel)

router = APIRouter(include_in_schema=False, route_class=PageRoute)

WEEK: Final = 7 * 86_400


@router.get("/")
def front(page: InPage) -> Response:
    """Show what there is for whom."""
    return page.show("front.html")


@router.get("/static/{name}")
def asset(name: str) -> Response:
    """Give a file that pages need; its address changes with its content."""
    if name not in STATIC:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(static(name), media_type=STATIC[name], headers={"Cache-Control": f"public, max-age={WEEK}"})


def inside(path: str) -> str | None:
    """Give where to go on after a log-in, if it is a page of ours."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain else None


@router.get("/login")
def log_in_page(page: InPage) -> Response:
    """Ask who is there."""
    return page.show("login.html", trouble=None, login="", next=page.request.query_params.get("next", ""))


@router.post("/login")
def log_in(page: InPage) -> Response:
    """Log in, then go where the way led, by way of a new password or a post if one is due."""
    login, further = page.sent.one("login"), page.sent.one("next")
    answer = page.go("/posts")
    try:
        form = accounts.LogInForm(login=login, password=page.sent.one("password"))
        me = accounts.log_in(page.request, answer, form, page.parts)
    except ValidationError:
        trouble = Trouble(*page.t.trouble("log-in-blank"), "log-in-blank")
        return page.show("login.html", HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble, login=login, next=further)
    except Refused as refused:
        return page.show("login.html", status_of(refused), **page.refused(refused), login=login, next=further)
    if me.must_change:
        answer.headers["Location"] = "/password"
    elif len(me.posts) == 1:
        answer.headers["Location"] = inside(further) or "/work"
    return answer


@router.get("/work")
def work(page: InLoggedIn) -> Response:
    """Lead to where somebody's work begins."""
    if page.user is not None and page.user.must_change:
        raise PasswordChangeDue
    return page.go(page.home if page.caller is not None else "/posts")


@router.post("/logout")
def log_out(page: InLoggedIn) -> Response:
    """Log out, here and on every node."""
    answer = page.go("/")
    if page.user is not None:
        accounts.log_out(answer, page.user, page.parts)
    return answer


@router.get("/password")
def password_page(page: InLoggedIn) -> Response:
    """Ask for a new password."""
    return page.show("password.html", trouble=None)


@router.post("/password")
def change_password(page: InLoggedIn) -> Response:
    """Take a new password; all other sessions of the account end."""
    if page.user is None:
        raise NotLoggedIn
    new = page.sent.one("new")
    if new != page.sent.one("again"):
        trouble = Trouble(*page.t.trouble("passwords-differ"), "passwords-differ")
        return page.show("password.html", HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble)
    try:
        form = _form(accounts.PasswordForm, page, "old", "new")
        accounts.change_password(form, page.user, page.parts)
    except ValidationError:
        trouble = Trouble(*page.t.trouble("weak-password"), "weak-password")
        return page.show("password.html", HTTPStatus.UNPROCESSABLE_ENTITY, trouble=trouble)
    except Refused as refused:
        return page.show("password.html", status_of(refused), **page.refused(refused))
    return page.go("/posts" if len(page.user.posts) != 1 else "/work")


@router.get("/posts")
def posts_page(page: InLoggedIn) -> Response:
    """Ask in which post somebody acts; who holds one only need not be asked."""
    if page.user is not None and page.user.must_change:
        raise PasswordChangeDue
    return page.show("posts.html", trouble=None)


@router.post("/posts")
def choose_post(page: InLoggedIn) -> Response:
    """Take the choice of a post for this session."""
    if page.user is None:
        raise NotLoggedIn
    try:
        accounts.choose_post(_form(accounts.ChoosePostForm, page, "post"), page.user, page.parts)
    except ValidationError:
        return page.go("/posts")
    except Refused as refused:
        return page.show("posts.html", status_of(refused), **page.refused(refused))
    return page.go("/work")


def _form(kind: type[F], page: Page, *names: str) -> F:
    return kind.model_validate({name: page.sent.one(name) for name in names})
