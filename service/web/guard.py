"""What stands before every request: a bound on its size, and security headers on every answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.settings import Settings
from service.web.problems import SEND_LESS, instead, problem

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Headers:
    """Adds the security headers to every answer; what an endpoint set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


class Bounded:
    """Refuses a body that is too long: at once where its length is announced, else when it has come that far."""

    def __init__(self, app: ASGIApp, most: int, complain_instead: str) -> None:
        self.app = app
        self.most = most
        self.complain_instead = complain_instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        announced = dict(scope.get("headers", ())).get(b"content-length", b"0")
        if scope["type"] == "http" and self._too_long(announced):
            answer = problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                "The request is too large.",
                SEND_LESS,
                instead(scope["method"], scope["path"], self.complain_instead),
            )
            await answer(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self.app(scope, counted, send)

    def _too_long(self, announced: bytes) -> bool:
        # Python refuses to read a number of thousands of digits; one that has more than the limit is larger anyway.
        digits = announced.lstrip(b"0")
        if not digits.isdigit():
            return False
        return len(digits) > len(str(self.most)) or int(digits) > self.most


def guard(app: FastAPI, settings: Settings) -> None:
    """Put the guards before an application: the outermost is added last."""
    app.add_middleware(Bounded, most=settings.body_limit, complain_instead=settings.complain_instead)
    app.add_middleware(Headers)
