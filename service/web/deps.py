"""Who asks, in which post, under which key: what an endpoint may ask for.

What asks the database is an ordinary function, which the framework gives a thread of its own; the rest is `async` only
so that it needs none: five threads for one request cost more than the request.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from domain.decider import NAMESPACE, Actor, Code, PersonKey, Role
from domain.errors import NotYourRole
from domain.register import Post, Register
from projections.sight import Viewer, viewer
from service.casebook import Asked
from service.parts import Parts
from service.web.problems import (
    FormTokenWrong,
    KeyMalformed,
    NoPostChosen,
    NotLoggedIn,
    PasswordChangeDue,
    VersionMalformed,
)

COOKIE: Final = "bihuan_session"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SHORTEST_PUBLIC_KEY: Final = 16


async def parts_of(request: Request) -> Parts:
    """Give the parts this application was built of."""
    parts: Parts = request.app.state.parts
    return parts


InParts = Annotated[Parts, Depends(parts_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who proved who they are, with the posts held now; `csrf` and `token` only in a session."""

    person: PersonKey
    posts: tuple[Post, ...]
    chosen: Code | None
    must_change: bool
    session: str | None
    csrf: str | None
    register: Register
    now: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody acting in one post."""

    actor: Actor
    viewer: Viewer
    user: User


def address_of(request: Request) -> str:
    """Give the address a request came from; a proxy in front is told to the server, not believed from a header."""
    return request.client.host if request.client else "local"


def user(request: Request, parts: InParts) -> User:
    """Tell who asks, from a token or a session. Raises NotLoggedIn, FormTokenWrong."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        machine = parts.accounts.token(token.strip())
        if machine is None:
            raise NotLoggedIn
        register, now = parts.book.register_now()
        held = tuple(post for post in register.held_by(machine.person, now) if post.code == machine.post)
        return User(
            person=machine.person,
            posts=held,
            chosen=machine.post,
            must_change=False,
            session=None,
            csrf=None,
            register=register,
            now=now,
        )
    found = in_session(request, parts)
    if request.method not in SAFE:
        same_origin(request)
        require_csrf(found, request.headers.get("x-csrf-token", ""))
    return found


def in_session(request: Request, parts: Parts) -> User:
    """Tell who is logged in with this browser; what changes something also asks `require_csrf`. Raises NotLoggedIn."""
    cookie = request.cookies.get(COOKIE)
    found = None if cookie is None else parts.accounts.session(cookie)
    if found is None:
        raise NotLoggedIn
    register, now = parts.book.register_now()
    return User(
        person=found.person,
        posts=register.held_by(found.person, now),
        chosen=found.post,
        must_change=found.must_change,
        session=cookie,
        csrf=found.csrf,
        register=register,
        now=now,
    )


def same_origin(request: Request) -> None:
    """Refuse what a page of another site sends; a log-in has no token yet, and still must not be forged.

    Raises FormTokenWrong.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise FormTokenWrong


def require_csrf(found: User, given: str) -> None:
    """Refuse what does not carry the token of the session. Raises FormTokenWrong."""
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), (found.csrf or "").encode()):
        raise FormTokenWrong


InUser = Annotated[User, Depends(user)]


async def caller(found: InUser, x_post: Annotated[str | None, Header()] = None) -> Caller:
    """Tell in which post somebody acts: the one named, the one chosen, or the only one held.

    Raises PasswordChangeDue, NoPostChosen.
    """
    return acting(found, x_post)


def acting(found: User, named: Code | None = None) -> Caller:
    """Give somebody in the post named, else the one chosen, else the only one held; raises as `caller`."""
    if found.must_change:
        raise PasswordChangeDue
    wanted = named or found.chosen
    fitting = [post for post in found.posts if wanted in {None, post.code}]
    if len(fitting) != 1:
        raise NoPostChosen(posts=[post.code for post in found.posts])
    post = fitting[0]
    absent = found.register.absent(found.person, post.code, found.now)
    actor = Actor(person=found.person, post=post.code, role=post.role, on_behalf_of=absent)
    return Caller(actor=actor, viewer=viewer(found.register, actor, found.now), user=found)


InCaller = Annotated[Caller, Depends(caller)]


def acting_as(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """Let only these roles through; every route that is not public names what it needs."""

    async def check(found: InCaller) -> Caller:
        if found.actor.role not in roles:
            raise NotYourRole(role=found.actor.role)
        return found

    return check


async def optional_caller(
    request: Request, parts: InParts, x_post: Annotated[str | None, Header()] = None
) -> Caller | None:
    """Tell who asks where strangers may ask too."""
    if COOKIE not in request.cookies and "authorization" not in request.headers:
        return None
    return await caller(await run_in_threadpool(user, request, parts), x_post)


InOptionalCaller = Annotated[Caller | None, Depends(optional_caller)]


async def version_seen(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """Read the version somebody acts on. Raises VersionMalformed."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"', if_match.strip())
    if found is None:
        raise VersionMalformed
    return int(found[1])


Asking = Callable[..., Asked]


async def asking(
    request: Request,
    parts: InParts,
    who: InOptionalCaller,
    expected: Annotated[int | None, Depends(version_seen)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Asking:
    """Give how this request asks: its command id from person and Idempotency-Key, its keyed hash from the form.

    Without a key every request is a new one. Raises KeyMalformed.
    """
    person = None if who is None else who.actor.person
    if idempotency_key is None:
        command_id = uuid4()
    else:
        least = SHORTEST_PUBLIC_KEY if person is None else 1
        if not re.fullmatch(rf"[!-~]{{{least},200}}", idempotency_key):
            raise KeyMalformed
        command_id = command_of_key(person, idempotency_key)

    def asked(name: Code, form: BaseModel) -> Asked:
        mac = mac_of(request, parts, form)
        return Asked(
            command_id=command_id,
            source="api",
            name=name,
            expected=expected,
            mac=mac if idempotency_key is not None else None,
        )

    return asked


def command_of_key(person: PersonKey | None, key: str) -> UUID:
    """Give the id of the command that somebody asks for under a key: the same when it is sent again (§3)."""
    return uuid5(uuid5(NAMESPACE, f"key:{person or 'public'}"), key)


def mac_of(request: Request, parts: Parts, form: BaseModel) -> bytes:
    """Give the keyed hash of what is asked, so that a key used for something else is noticed."""
    what = f"{request.method} {request.url.path}\n{form.model_dump_json()}"
    return hmac.digest(parts.secret("requests"), what.encode("utf-8", "surrogatepass"), "sha256")


InAsking = Annotated[Asking, Depends(asking)]
