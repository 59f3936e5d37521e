"""Every page is a door: it is said here who may come in, strangers are led to the log-in, others turned away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from starlette.testclient import TestClient

from domain.decider import Role
from service.web.pages import PageRoute
from tests.service.web.house import PASSWORD, Case, Hall, Template, copy
from tests.service.web.reading_pages import PageReader

pytestmark = pytest.mark.postgres

Door = tuple[str, str]

PUBLIC: Final[Mapping[Door, str]] = {
    ("GET", "/"): "the front",
    ("GET", "/static/{name}"): "style and script, which hold no data",
    ("GET", "/login"): "asks who is there",
    ("POST", "/login"): "the log-in itself, limited",
    ("GET", "/complain"): "nobody who complains is asked for an account",
    ("POST", "/complain"): "the same, limited",
    ("GET", "/receipt"): "opens with a cookie that we marked, once",
    ("GET", "/status"): "asks for number and query code",
    ("POST", "/status"): "opens with both, and is limited",
    ("GET", "/rate"): "asks for an invitation to rate",
    ("POST", "/rate"): "opens with its one-time token, and guessing is limited",
    ("POST", "/rate/send"): "the same, which works once",
    ("GET", "/kiosk/{terminal}"): "the same at a window, where nobody has an account",
    ("POST", "/kiosk/{terminal}"): "the same",
    ("POST", "/kiosk/{terminal}/send"): "the same",
    ("GET", "/rating"): "asks for the link that came with a rating",
    ("POST", "/rating"): "opens with it, and guessing is limited",
    ("POST", "/rating/{step}"): "the same",
    ("GET", "/audit"): "for whoever checks for themselves: a checkpoint, the key, how to",
    ("GET", "/audit/{name}"): "the same as files, and the verifier",
    ("GET", "/own/{command}"): "asks for both, and for what is to be said",
    ("POST", "/own/{command}"): "opens with both, and is limited",
}
"""Why a page needs no log-in."""

EVERYBODY: Final = frozenset(Role)
READS_REVIEWS: Final = frozenset(
    {
        Role.VERIFIER,
        Role.PANEL,
        Role.HANDLER,
        Role.UNIT_HEAD,
        Role.DISPATCHER,
        Role.REVISIT_OFFICER,
        Role.SUPERVISOR,
        Role.AUDITOR,
        Role.SYSTEM,
    }
)
REGISTRARS: Final = frozenset({Role.INTAKE, Role.DISPATCHER, Role.SYSTEM})
ROLES: Final[Mapping[Door, frozenset[Role]]] = {
    ("GET", "/work"): EVERYBODY,
    ("POST", "/logout"): EVERYBODY,
    ("GET", "/password"): EVERYBODY,
    ("POST", "/password"): EVERYBODY,
    ("GET", "/posts"): EVERYBODY,
    ("POST", "/posts"): EVERYBODY,
    ("GET", "/register"): REGISTRARS,
    ("POST", "/register"): REGISTRARS,
    # The docket shows nobody more than they may know of; the rest is refused as a case that is not there.
    ("GET", "/docket"): EVERYBODY,
    ("GET", "/cases/{case_id}"): EVERYBODY,
    ("GET", "/cases/{case_id}/open"): EVERYBODY,
    ("POST", "/cases/{case_id}/open"): EVERYBODY,
    ("GET", "/cases/{case_id}/{command}"): EVERYBODY,
    ("POST", "/cases/{case_id}/{command}"): EVERYBODY,
    # Whoever reads no reviews is turned away; one that may not be known of is refused as one that is not there.
    ("GET", "/reviews"): READS_REVIEWS,
    ("GET", "/reviews/{review_id}"): READS_REVIEWS,
    ("GET", "/reviews/{review_id}/open"): READS_REVIEWS,
    ("POST", "/reviews/{review_id}/open"): READS_REVIEWS,
    ("GET", "/reviews/{review_id}/{command}"): READS_REVIEWS,
    ("POST", "/reviews/{review_id}/{command}"): READS_REVIEWS,
    # Whoever was rated is told of nothing that is not about them.
    ("GET", "/reviews/about-me"): EVERYBODY,
    ("GET", "/reviews/about-me/{review_id}/{command}"): EVERYBODY,
    ("POST", "/reviews/about-me/{review_id}/{command}"): EVERYBODY,
}
"""Who may come in with a log-in; which cases and steps are theirs is tested where pages and rules are."""
WITHOUT_POST: Final = frozenset(door for door in ROLES if door[1] in {"/work", "/logout", "/password", "/posts"})


def page_doors(app: FastAPI) -> list[Door]:
    """Walk the pages of the application."""
    return sorted(
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in (context.methods or {"ANY"}) - {"HEAD"}
        if isinstance(context.original_route, PageRoute)
    )


def knock(client: TestClient, door: Door, case: Case, csrf: str | None = None) -> Response:
    """Knock at a door."""
    method, path = door
    command = "record-evidence" if path.startswith("/reviews") else "accept"
    path = path.replace("{case_id}", case.id).replace("{command}", command).replace("{name}", "page.css")
    path = path.replace("{review_id}", str(UUID(int=0)))
    data = {"fields": "narrative"} if csrf is None else {"fields": "narrative", "csrf": csrf}
    return client.request(method, path, data=data if method == "POST" else None, follow_redirects=False)


@pytest.fixture(scope="module")
def visited(hall_template: Template) -> Iterator[tuple[Hall, Case]]:
    """A hall with one case, at whose doors one only knocks."""
    with copy(hall_template) as hall:
        yield hall, hall.complain(by="QIAN")


def test_of_every_page_it_is_said_who_may_come_in(visited: tuple[Hall, Case]) -> None:
    """A page that nobody listed fails here, and so does one that is listed and gone."""
    assert page_doors(visited[0].app) == sorted([*PUBLIC, *ROLES])
    assert all(PUBLIC.values())


def test_strangers_are_led_to_the_log_in(visited: tuple[Hall, Case]) -> None:
    """Every other page asks who is there before it says anything, and what is sent to it changes nothing."""
    hall, case = visited
    position, stranger = hall.last_position(), hall.client()
    for door in ROLES:
        answer = knock(stranger, door, case)
        if door[0] == "GET":
            assert (answer.status_code, answer.headers.get("location", "")[:11]) == (303, "/login?next"), door
        else:
            assert (answer.status_code, "not-logged-in" in answer.text) == (401, True), door
        assert case.complaint_no not in answer.text
    assert hall.last_position() == position


def test_a_cookie_alone_changes_nothing_on_any_page(visited: tuple[Hall, Case]) -> None:
    """Whatever could change something wants the token of the session too."""
    hall, case = visited
    position, desk = hall.last_position(), hall.client()
    desk.post("/login", data={"login": "zhao", "password": PASSWORD})
    for door in ROLES:
        if door[0] == "POST":
            answer = knock(desk, door, case)
            assert (answer.status_code, "csrf" in answer.text) == (403, True), door
    assert hall.last_position() == position


def test_pages_turn_other_roles_away(visited: tuple[Hall, Case]) -> None:
    """A page that is for some is refused to others; nobody registers who does not take complaints."""
    hall, case = visited
    position = hall.last_position()
    for name, role in (
        ("LI", Role.HANDLER),
        ("ADMIN", Role.ADMINISTRATOR),
        ("CHEN", Role.RESPONDENT),
        ("QIAN", Role.INTAKE),
    ):
        client = hall.client()
        client.post("/login", data={"login": name.lower(), "password": PASSWORD})
        csrf = next(one.values[0] for one in PageReader(client.get("/password").text).controls if one.name == "csrf")
        for door, roles in ROLES.items():
            if roles is EVERYBODY:
                continue
            answer = knock(client, door, case, csrf)
            assert (answer.status_code == 403) is (role not in roles), (door, role)
        seen = client.get(f"/cases/{case.id}").status_code
        assert seen == (200 if name == "QIAN" else 404), name
    assert hall.last_position() == position


def test_who_must_change_the_password_or_choose_a_post_does_that_first(hall: Hall) -> None:
    """Until then every page at work leads there."""
    case = hall.complain(by="QIAN")
    password = hall.parts.accounts.reset_password("zhao").password
    for login, secret, way in (("zhao", password, "/password"), ("feng", PASSWORD, "/posts")):
        client = hall.client()
        client.post("/login", data={"login": login, "password": secret}, follow_redirects=False)
        csrf = next(one.values[0] for one in PageReader(client.get("/password").text).controls if one.name == "csrf")
        for door in ROLES.keys() - WITHOUT_POST:
            answer = knock(client, door, case, csrf)
            assert (answer.status_code, answer.headers.get("location")) == (303, way), (door, login)


def test_a_page_nobody_listed_is_found(hall: Hall) -> None:
    """The list above notices a new page."""
    before = page_doors(hall.app)

    @hall.app.get("/plain")
    def plain() -> dict[str, str]:
        """No page: the doors of the API are listed elsewhere."""
        return {}

    assert page_doors(hall.app) == before
    assert all(re.fullmatch(r"/[a-z]*(/\{?[a-z_-]+\}?)*", path) for _, path in before)
