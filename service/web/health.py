"""Whether this process lives, whether it is fit to serve, and the description of the API."""

from __future__ import annotations

from http import HTTPStatus
from importlib import resources
from typing import Any, Final

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from projections import PROJECTIONS
from service.sealer import refuses
from service.web.deps import InParts

router = APIRouter(include_in_schema=False)

MOST_SECONDS_BEHIND: Final = 5
ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Bihuan 闭环 · API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
START: Final = 'SwaggerUIBundle({url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
# The viewer writes its own styles into the page and draws its icons as data: nothing from another host.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)


@router.get("/healthz")
def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(response: Response, parts: InParts) -> dict[str, Any]:
    """Say whether requests should come here: the database answers, its clock is right; tell how far all else is."""
    with parts.pool.connection() as connection:
        row = connection.execute(
            "select coalesce(extract(epoch from recorded_at - clock_timestamp()), 0)::float8, position from events"
            " order by position desc limit 1"
        ).fetchone()
        behind, last = row or (0.0, 0)
        sealed, signed_at = connection.execute(
            "select size, signed_at from checkpoints order by size desc limit 1"
        ).fetchone() or (0, None)
        refused = refuses(connection, parts.signer, parts.settings.home)
        lag = {projection.table: last - projection.position(connection) for projection in PROJECTIONS}
    # `recorded_at` never goes back, so a clock far behind the last row would stamp everything with one time.
    fit = behind <= MOST_SECONDS_BEHIND
    if not fit:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return {
        "status": "ready" if fit else "clock is behind the log",
        "seconds_behind": max(0.0, behind),
        "position": last,
        "events_to_project": lag,
        "events_to_seal": max(0, last - sealed),
        "last_checkpoint": None if signed_at is None else signed_at.isoformat(),
        "sealing": "refused: run bihuan audit fsck" if refused else "on",
    }


@router.get("/docs")
def docs() -> HTMLResponse:
    """Show the API, with everything the page needs from here."""
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": CSP})


@router.get("/docs/{name}")
def asset(name: str) -> Response:
    """Give a file of the viewer, out of the installed package."""
    if name not in ASSETS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    headers = {"Cache-Control": "public, max-age=86400"}
    if name == "start.js":
        return Response(START, media_type=ASSETS[name], headers=headers)
    found = resources.files("fastapi_swagger.resources").joinpath(name)
    return Response(found.read_bytes(), media_type=ASSETS[name], headers=headers)
