"""Pages of ratings as people without scripts use them: a token typed, a form filled in, a link followed back."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from httpx2 import Response
from psycopg import sql
from starlette.testclient import TestClient

from tests.service.web.house import Hall
from tests.service.web.visits import send

KIOSK: Final = "/kiosk/K-03"


def begun(client: TestClient, token: str, path: str = "/rate") -> Response:
    """Type or scan a token on the first page."""
    return send(client, client.get(path), path, invitation=token)


def give(client: TestClient, page: Response, path: str = "/rate", **typed: str) -> Response:
    """Fill in what is asked of a visit, and send it."""
    return send(client, page, f"{path}/send", **typed)


def own_link(page: Response) -> str:
    """Read the link that a thank-you shows."""
    found = re.search(r'id="own-link">([^<]+)<', page.text)
    assert found is not None, page.text
    return found[1]


def own_page(client: TestClient, link: str) -> Response:
    """Open the page of the own rating."""
    return send(client, client.get("/rating"), "/rating", own_link=link)


def submitted(hall: Hall) -> dict[str, Any]:
    """Give the last rating as it is stored."""
    return event(hall, "review.submitted.1")


def event(hall: Hall, name: str) -> dict[str, Any]:
    """Give the last event of a name, as it is stored."""
    with hall.parts.pool.connection() as connection:
        row = connection.execute(
            "select convert_from(state, 'UTF8') from events where name = %s order by position desc limit 1", (name,)
        ).fetchone()
    assert row is not None
    stored: dict[str, Any] = json.loads(row[0])["e"]
    return stored


def stored(hall: Hall) -> str:
    """Give everything that the log and the tables beside it hold in plain."""
    found = []
    with hall.parts.pool.connection() as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            named = sql.Identifier(schema, table)
            found += [str(row) for row in connection.execute(sql.SQL("select t::text from {} t").format(named))]
        found += [row[0] for row in connection.execute("select convert_from(state, 'UTF8') from events")]
    return "\n".join(found)
