"""The composition root: everything is built here, nothing happens at import."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from service import __version__, log
from service.credentials import die_with
from service.parts import Parts, open_parts
from service.settings import Settings
from service.web import (
    accounts,
    audit,
    bad_reviews,
    clocks,
    complaints,
    contacts,
    draws,
    flags,
    handing_over,
    health,
    notices,
    occasions,
    own,
    own_review,
    pages_audit,
    pages_cases,
    pages_intake,
    pages_own,
    pages_rate,
    pages_rating,
    pages_review,
    pages_reviews,
    pages_session,
    privacy,
    problems,
    published,
    register,
    reviews,
    statements,
)
from service.web.guard import guard


def create_app(parts: Parts) -> FastAPI:
    """Build the application over its parts."""
    app = FastAPI(
        title="Bihuan 闭环",
        version=__version__,
        summary="Complaints that come back answered: accepted, rectified, replied, revisited.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.parts = parts
    problems.install(app, parts.settings.complain_instead)
    guard(app, parts.settings)
    # The public routes first: what is public is named in one place, everything else asks who you are.
    app.include_router(complaints.public, prefix="/api/v1")
    app.include_router(register.public, prefix="/api/v1")
    app.include_router(privacy.public, prefix="/api/v1")
    app.include_router(own.public, prefix="/api/v1")
    app.include_router(published.public, prefix="/api/v1")
    app.include_router(audit.public, prefix="/api/v1")
    app.include_router(draws.public, prefix="/api/v1")
    app.include_router(reviews.public, prefix="/api/v1")
    app.include_router(own_review.public, prefix="/api/v1")
    app.include_router(complaints.router, prefix="/api/v1")
    app.include_router(clocks.router, prefix="/api/v1")
    app.include_router(privacy.router, prefix="/api/v1")
    app.include_router(contacts.router, prefix="/api/v1")
    app.include_router(statements.router, prefix="/api/v1")
    app.include_router(occasions.router, prefix="/api/v1")
    # Before the look at one review, whose id `about-me` is not.
    app.include_router(bad_reviews.router, prefix="/api/v1")
    app.include_router(reviews.router, prefix="/api/v1")
    app.include_router(flags.router, prefix="/api/v1")
    app.include_router(handing_over.router, prefix="/api/v1")
    app.include_router(accounts.router, prefix="/api/v1")
    app.include_router(register.router, prefix="/api/v1")
    app.include_router(notices.router, prefix="/api/v1")
    app.include_router(audit.router, prefix="/api/v1")
    app.include_router(health.router)
    app.include_router(pages_session.router)
    app.include_router(pages_intake.router)
    app.include_router(pages_own.router)
    app.include_router(pages_rate.router)
    app.include_router(pages_rating.router)
    app.include_router(pages_audit.router)
    app.include_router(pages_cases.router)
    app.include_router(pages_reviews.router)
    app.include_router(pages_review.router)
    return app


def from_environment() -> FastAPI:
    """Build the application in a worker process of the server; DATABASE_URL names the database that is ready."""
    log.configure()
    if sys.platform == "linux":
        # Or a worker would outlive a killed server, without a database, and keep the address from the next one.
        # At once: without the database it would only wait, and what it had not answered is asked again.
        die_with(os.getppid(), signal.SIGKILL)
    settings = Settings.from_environment()
    if settings.database_url is None:
        message = "a worker needs DATABASE_URL; start it with `bihuan serve`"
        raise RuntimeError(message)
    stack = ExitStack()
    parts = stack.enter_context(open_parts(settings, settings.database_url))
    app = create_app(parts)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Any]:
        with stack:
            yield

    app.router.lifespan_context = lifespan
    return app
