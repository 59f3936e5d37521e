"""People before pages without scripts: they log in, fill in forms, press buttons, read what went wrong."""

from __future__ import annotations

import re

from httpx2 import Response
from starlette.testclient import TestClient

from tests.service.web.house import HOLDERS, PASSWORD, Hall
from tests.service.web.reading_pages import Form, PageReader


def browser(hall: Hall, name: str | None = None, post: str | None = None) -> TestClient:
    """A browser, in which somebody has logged in on the page and acts in their post."""
    client = hall.client()
    client.follow_redirects = True
    if name is not None:
        client.cookies.set("bihuan_language", "zh")
        found = client.post("/login", data={"login": name.lower(), "password": PASSWORD})
        assert found.status_code == 200, found.text
        if len(HOLDERS[name]) > 1:
            send(client, found, "/posts", post=post or HOLDERS[name][0])
    return client


def send(client: TestClient, page: Response, action: str, **typed: str) -> Response:
    """Fill in the form of a page and press its button; names are written with `__` for a dot."""
    form = PageReader(page.text).form(action)
    return post(client, form, **typed)


def post(client: TestClient, form: Form, **typed: str) -> Response:
    """Send a form as a browser does, with what was typed besides."""
    pairs = form.sent(**typed)
    there = {name for name, _ in pairs}
    pairs += [(name.replace("__", "."), value) for name, value in typed.items() if name.replace("__", ".") not in there]
    body: dict[str, list[str]] = {}
    for name, value in pairs:
        body.setdefault(name, []).append(value)
    return client.post(form.action, data=body, headers={"Origin": "http://testserver"})


def trouble(page: Response) -> str:
    """The code of what a page says went wrong."""
    found = re.search(r'id="trouble".*?<code>([a-z-]+)</code>', page.text, re.DOTALL)
    return "" if found is None else found[1]


def complain(client: TestClient, **typed: str) -> Response:
    """Register a complaint from home."""
    return send(
        client, client.get("/complain"), "/complain", **{"hall": "GXQ", "narrative": "窗口两次说法不一样。", **typed}
    )
