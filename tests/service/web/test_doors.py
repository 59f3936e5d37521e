"""Every door of the program: open to all for a reason that stands in `doors`, or closed to strangers.

A new route is found by walking the application; whoever adds one says there who may come in. Which roles do is tried
in test_roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from domain.decider import Role
from service.forms import FORMS
from service.forms.bad_reviews import REVIEW_FORMS
from service.web.problems import FormTokenWrong, NotLoggedIn, PasswordChangeDue
from tests.service.web.doors import (
    PUBLIC,
    ROLES,
    STRANGER,
    V1,
    Door,
    closed_doors,
    command_of,
    doors_of,
    own_command_of,
    unlisted,
)
from tests.service.web.house import NO_REQUEST, Hall, Template, copy
from tests.service.web.review_turns import REVIEW_TURNS, review_command_of
from tests.service.web.turns import BY, TURNS, Turn
from tests.service.web.walking import UNLIMITED, Walk, is_problem

pytestmark = pytest.mark.postgres

WITHOUT_ACCOUNT: Final = frozenset(
    {
        ("POST", f"{V1}/session"),
        ("POST", f"{V1}/status"),
        ("POST", f"{V1}/status/receipt"),
        ("GET", f"{V1}/register"),
        ("POST", f"{V1}/privacy/requests"),
        ("POST", f"{V1}/own/review"),
    }
)
"""Public doors that do not look who asks."""
BY_CODE: Final = ("/status", "/status/receipt", "/privacy/requests")
WHILE_PASSWORD_IS_DUE: Final = frozenset(
    {("GET", f"{V1}/session"), ("DELETE", f"{V1}/session"), ("POST", f"{V1}/session/password")}
)


@pytest.fixture(scope="module")
def walk(hall_template: Template) -> Iterator[Walk]:
    """A hall at whose doors one only knocks: nothing in it changes after it was built."""
    with copy(hall_template, UNLIMITED) as hall:
        walk = Walk(hall)
        case = walk.case(Turn())
        there = ("complaint", "enquiry", "notice", "occasion", "review", "own_link", "token")
        case.made |= dict.fromkeys(there, NO_REQUEST)
        yield walk


def ask(walk: Walk, door: Door, client: TestClient) -> Response:
    """Knock at a door about a case that is just registered: who is not let in never comes so far as its step."""
    return walk.knock(door, STRANGER, walk.case(Turn()), client=client)


def test_of_every_door_it_is_said_who_may_come_in(walk: Walk) -> None:
    """No route is forgotten, none is listed that is gone, every command has its door, every listed one its reason."""
    app = walk.hall.app
    assert unlisted(app) == []
    assert {command_of(door) for door in doors_of(app)} - {None} == FORMS.keys()
    assert {review_command_of(door) for door in doors_of(app)} - {None} == REVIEW_FORMS.keys()
    assert all(PUBLIC.values())
    assert all(reason for _, reason in ROLES.values())
    assert len(closed_doors(app)) > 100


def test_every_command_has_a_case_where_it_is_in_turn() -> None:
    """Nobody adds a command without saying where it is tried, nor leaves a case for one that is gone."""
    assert TURNS.keys() == FORMS.keys()
    assert {command for command, _ in BY} <= FORMS.keys()
    assert REVIEW_TURNS.keys() == REVIEW_FORMS.keys()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer bh_nothing"},
        {"Authorization": "Basic bGk6bGk="},
        {"Cookie": "bihuan_session=nothing"},
    ],
    ids=["nothing", "token", "basic", "cookie"],
)
def test_strangers_stand_before_closed_doors(walk: Walk, headers: dict[str, str]) -> None:
    """Without a key, or with one that does not fit, every closed door asks to log in; nothing changes."""
    position, stranger = walk.hall.last_position(), walk.hall.client(**headers)
    expected = (401, NotLoggedIn.code, NotLoggedIn.message())
    found = {door: ask(walk, door, stranger) for door in closed_doors(walk.hall.app)}
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}
    assert walk.hall.last_position() == position


def test_number_and_code_open_nothing_if_one_is_wrong(walk: Walk) -> None:
    """At every door that opens by them a wrong number and a wrong code look alike; nothing changes."""
    position, case, stranger = walk.hall.last_position(), walk.case(Turn()), walk.hall.client()
    doors = [door for door in PUBLIC if own_command_of(door) or door[1].endswith(BY_CODE)]
    for door in doors:
        right = walk.body(door, STRANGER, case, walk.turn(door, STRANGER), walk.here)
        for wrong in ({"complaint_no": "TS-GXQ-20260101-00001-0"}, {"query_code": "nothing"}):
            answer = stranger.post(door[1], json={**right, **wrong})
            assert is_problem(answer, 404, "not-found", answer.json()["title"]), (door, answer.text)
    assert len(doors) == 7
    assert walk.hall.last_position() == position


def test_a_cookie_alone_changes_nothing(walk: Walk) -> None:
    """Whatever could change something wants the token of the session too, also where strangers are let in."""
    browser, position = walk.hall.logged_in("ADMIN"), walk.hall.last_position()
    del browser.headers["X-CSRF-Token"]
    expected = (403, FormTokenWrong.code, FormTokenWrong.message())
    doors = [door for door in doors_of(walk.hall.app) if door[0] != "GET" and door not in WITHOUT_ACCOUNT]
    found = {door: ask(walk, door, browser) for door in doors}
    assert ("POST", f"{V1}/complaints") in doors
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}
    assert walk.hall.last_position() == position


def test_a_one_time_password_opens_no_other_door(walk: Walk) -> None:
    """Until it is changed, everything but its change is closed, also where strangers are let in."""
    code = f"DOOR-{Role.ADMINISTRATOR}"
    password = walk.hall.parts.accounts.reset_password(code).password
    browser = walk.hall.client()
    me = browser.post(f"{V1}/session", json={"login": code, "password": password}).json()
    browser.headers["X-CSRF-Token"] = me["csrf"]
    expected = (403, PasswordChangeDue.code, PasswordChangeDue.message())
    doors = [door for door in closed_doors(walk.hall.app) if door not in WHILE_PASSWORD_IS_DUE]
    found = {door: ask(walk, door, browser) for door in [*doors, ("POST", f"{V1}/complaints")]}
    assert {door: answer.text for door, answer in found.items() if not is_problem(answer, *expected)} == {}


def test_a_door_that_nobody_listed_is_found(hall: Hall) -> None:
    """A new route fails this file until it is said who may come in, and is seen to have no guard."""

    @hall.app.get("/api/v1/leak")
    def leak() -> dict[str, str]:
        """A route whose author forgot the guard."""
        return {"secret": "told"}

    door = ("GET", "/api/v1/leak")
    assert unlisted(hall.app) == [door]
    assert door in closed_doors(hall.app)
    answer = hall.client().get(door[1])
    assert not is_problem(answer, 401, NotLoggedIn.code, NotLoggedIn.message())
