"""What goes wrong, as problem documents (RFC 9457): a stable code, a sentence, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from domain.errors import InvitationUnknown, NotYourRole, Refused, Unknown
from projections.queries import BadCursor
from service.accounts import LogInFailed, Malformed, UnknownAccount, WrongPassword
from service.casebook import Busy, Stale
from service.limits import TooMany
from service.passwords import TooBusy, WeakPassword
from service.receipts import LogAltered, NoSuchProof
from service.sealing import Destroyed, NoKeys, Unsealable, VaultError
from service.sessions import SessionEnded

MEDIA_TYPE: Final = "application/problem+json"
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
SEND_LESS: Final = "Send less: a text has at most 20,000 characters, a file 5 MB."

STATUS_OF_OTHERS: Final[Mapping[type[Exception], HTTPStatus]] = {
    Unknown: HTTPStatus.NOT_FOUND,
    InvitationUnknown: HTTPStatus.NOT_FOUND,
    NotYourRole: HTTPStatus.FORBIDDEN,
    Stale: HTTPStatus.PRECONDITION_FAILED,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    LogInFailed: HTTPStatus.UNAUTHORIZED,
    SessionEnded: HTTPStatus.UNAUTHORIZED,
    WrongPassword: HTTPStatus.FORBIDDEN,
    WeakPassword: HTTPStatus.UNPROCESSABLE_ENTITY,
    Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownAccount: HTTPStatus.NOT_FOUND,
    NoSuchProof: HTTPStatus.UNPROCESSABLE_ENTITY,
    LogAltered: HTTPStatus.SERVICE_UNAVAILABLE,
}


class NotLoggedIn(Refused):
    """This needs a log-in or a token."""

    code = "not-logged-in"
    then = "Log in at /api/v1/session, or send a token in the Authorization header."


class NoPostChosen(Refused):
    """You hold several posts, or none, and did not say in which you act."""

    code = "no-post-chosen"
    then = "Name one of your posts in the X-Post header. Who holds none asks an administrator."


class FormTokenWrong(Refused):
    """The request does not carry the token of this session, or comes from another site."""

    code = "csrf"
    then = "Send the csrf value of your session in the X-CSRF-Token header, from our own pages."


class PasswordChangeDue(Refused):
    """This password was for one log-in only."""

    code = "password-change-due"
    then = "Choose a new one at /api/v1/session/password; then everything else is open again."


class SessionNeeded(Refused):
    """This is for people who logged in; a token acts in its one post and changes no password."""

    code = "session-needed"
    then = "Log in at /api/v1/session and send its cookie instead of a token."


class UnknownToken(Refused):
    """There is no such token, or it was revoked already."""

    code = "unknown-token"
    then = "Look for its id at /api/v1/tokens."


class KeyMalformed(Refused):
    """The Idempotency-Key is malformed."""

    code = "key-malformed"
    then = "Use 1 to 200 visible ASCII characters; without a log-in at least 16, chosen at random."


class VersionMalformed(Refused):
    """The If-Match header is no version of a case."""

    code = "version-malformed"
    then = 'Send the ETag of the case as you read it, such as "7".'


STATUSES: Final[Mapping[type[Exception], HTTPStatus]] = {
    **STATUS_OF_OTHERS,
    NotLoggedIn: HTTPStatus.UNAUTHORIZED,
    NoPostChosen: HTTPStatus.FORBIDDEN,
    FormTokenWrong: HTTPStatus.FORBIDDEN,
    PasswordChangeDue: HTTPStatus.FORBIDDEN,
    SessionNeeded: HTTPStatus.FORBIDDEN,
    UnknownToken: HTTPStatus.NOT_FOUND,
    KeyMalformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    VersionMalformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadCursor: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The status of a refusal; the nearest class counts."""


def status_of(refused: Refused) -> HTTPStatus:
    """Give the status of a refusal: who may not is forbidden (403), all else not named here is a conflict (409)."""
    named = next((STATUSES[kind] for kind in type(refused).__mro__ if kind in STATUSES), None)
    if named is not None:
        return named
    return HTTPStatus.FORBIDDEN if refused.watched and refused.about == "person" else HTTPStatus.CONFLICT


def problem(
    status: int,
    code: str,
    title: str,
    then: str,
    more: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Give a problem document; `then` says what the person can do next."""
    body = {"type": f"urn:bihuan:problem:{code}", "title": title, "status": int(status), "code": code, "then": then}
    return JSONResponse({**body, **more}, status, headers, MEDIA_TYPE)


def instead(method: str, path: str, complain_instead: str) -> dict[str, object]:
    """Give what a refusal at this address adds: who cannot complain here must know where else."""
    registering = method == "POST" and path == "/api/v1/complaints"
    return {"complain_instead": complain_instead} if registering else {}


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, bool | int) or value is None:
        return value
    return value.value if isinstance(value, StrEnum) else str(value)


def install(app: FastAPI, complain_instead: str) -> None:
    """Answer every error of the application with a problem document."""
    say = structlog.get_logger("web")

    def elsewhere(request: Request) -> dict[str, object]:
        return instead(request.method, request.url.path, complain_instead)

    @app.exception_handler(Refused)
    def _(request: Request, refused: Refused) -> JSONResponse:
        headers = {"Retry-After": str(refused.retry_after)} if isinstance(refused, TooMany) else None
        facts = {name: _plain(value) for name, value in refused.facts.items()}
        more = {"facts": facts} if facts else {}
        return problem(
            status_of(refused),
            refused.code,
            refused.message(),
            refused.then,
            {**more, **elsewhere(request)},
            headers=headers,
        )

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> JSONResponse:
        # Never what was sent: it may be somebody's narrative.
        places = [{"place": _place(one), "reason": _reason(one)} for one in error.errors()[:20]]
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "malformed",
            "The request is malformed.",
            "Correct the places listed and send it again; nothing was changed.",
            {"errors": places, **elsewhere(request)},
        )

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        code, then = {
            HTTPStatus.NOT_FOUND: ("not-found", "Check the address; /docs lists what there is."),
            HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "/docs lists the methods of each address."),
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too-large", SEND_LESS),
            HTTPStatus.BAD_REQUEST: ("malformed", "Send proper JSON in UTF-8; nothing was changed."),
        }.get(status, ("http", "Nothing was changed."))
        return problem(status, code, status.phrase, then, elsewhere(request), headers=error.headers)

    @app.exception_handler(VaultError)
    def _(request: Request, error: VaultError) -> JSONResponse:
        status = {
            Destroyed: HTTPStatus.GONE,
            Unsealable: HTTPStatus.UNPROCESSABLE_ENTITY,
            NoKeys: HTTPStatus.SERVICE_UNAVAILABLE,
        }.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        title, _, then = str(error).partition(". ")
        return problem(status, error.code, f"{title}.", then or "Tell an administrator.", elsewhere(request))

    def unavailable(request: Request, error: Exception) -> JSONResponse:
        # Connections that died while idle are sorted out now, so that the next request meets a living one.
        request.app.state.parts.pool.check()
        say.error("unavailable", action=request.url.path, kind=type(error).__name__)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "The store does not answer.",
            "Send it again in a moment with the same Idempotency-Key: nothing happens twice.",
            elsewhere(request),
            headers={"Retry-After": "2"},
        )

    app.add_exception_handler(OperationalError, unavailable)
    app.add_exception_handler(PoolTimeout, unavailable)

    @app.exception_handler(Exception)
    def _(request: Request, error: Exception) -> JSONResponse:
        say.error("failed", action=request.url.path, kind=type(error).__name__)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "our-fault",
            "Something went wrong on our side.",
            "Send it again with the same Idempotency-Key; if it goes on, tell an administrator the time.",
            elsewhere(request),
        )


def _place(error: Mapping[str, Any]) -> str:
    # The name of a field we do not know is text from outside too: told only if it looks like a name.
    return ".".join(step if NAME.fullmatch(step) else "(unreadable)" for step in map(str, error["loc"]))


def _reason(error: Mapping[str, Any]) -> str:
    # The validator's sentence names the rule; for our own checks it carries our sentence.
    return str(error["msg"]).removeprefix("Value error, ")
