"""Logging in, being somebody, choosing a post, a new password, logging out."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from service.settings import Settings
from tests.service.web.house import PASSWORD, Hall, Template, copy

pytestmark = pytest.mark.postgres

SESSION = "/api/v1/session"
NEW = "kettle of quiet rivers"


def log_in(client: TestClient, login: str, password: str = PASSWORD, **headers: str) -> Response:
    """Try to log in."""
    return client.post(SESSION, json={"login": login, "password": password}, headers=headers)


def is_refused(answer: Response, status: int, code: str) -> None:
    """Assert that an answer is a problem document that says what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["code"] == code
    assert told["then"]


def test_logging_in_tells_who_one_is(still_hall: Hall) -> None:
    """Person, name, posts and the token of forms; the cookie cannot be read by pages nor sent by others."""
    answer = log_in(still_hall.client(), "Li")
    assert answer.status_code == 200
    me = answer.json()
    assert (me["person"], me["name"]) == (str(still_hall.people["LI"]), "LI·𬭎")
    assert [(post["code"], post["role"]) for post in me["posts"]] == [("SJ-HANDLER", "handler")]
    assert (me["post"], me["must_change"]) == (None, False)
    assert me["csrf"]
    cookie = SimpleCookie(answer.headers["set-cookie"])["bihuan_session"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"], cookie["secure"]) == (True, "lax", "/", "")
    assert me["csrf"] not in answer.headers["set-cookie"]


def test_behind_https_the_cookie_never_travels_in_the_clear(hall_template: Template) -> None:
    """The setting for HTTPS marks the cookie."""
    with copy(hall_template, Settings(secure_cookies=True)) as hall:
        cookie = SimpleCookie(log_in(hall.client(), "li").headers["set-cookie"])["bihuan_session"]
        assert cookie["secure"] is True


def test_a_session_says_who_it_is_until_it_is_over(hall: Hall) -> None:
    """GET tells it, DELETE ends it; the cookie of an ended session opens nothing, not even where it was kept."""
    browser = hall.logged_in("LI")
    kept = browser.cookies["bihuan_session"]
    assert browser.get(SESSION).json()["person"] == str(hall.people["LI"])
    assert browser.delete(SESSION).status_code == 204
    assert "bihuan_session" not in browser.cookies
    is_refused(browser.get(SESSION), 401, "not-logged-in")
    is_refused(hall.client(Cookie=f"bihuan_session={kept}").get(SESSION), 401, "not-logged-in")


@pytest.mark.parametrize(("login", "password"), [("li", "not the password"), ("nobody", PASSWORD)])
def test_a_wrong_log_in_and_a_wrong_password_look_alike(hall: Hall, login: str, password: str) -> None:
    """Nobody learns here who works in the hall."""
    answer = log_in(hall.client(), login, password)
    is_refused(answer, 401, "log-in-failed")
    assert "set-cookie" not in answer.headers
    assert answer.json() == log_in(hall.client(), "li", "another wrong one").json()


def test_guessing_is_stopped(hall: Hall) -> None:
    """After ten wrong passwords the right one does not help either, for a while that is told."""
    for _ in range(10):
        is_refused(log_in(hall.client(), "li", "guess"), 401, "log-in-failed")
    stopped = log_in(hall.client(), "li")
    is_refused(stopped, 429, "too-many-attempts")
    assert 0 < int(stopped.headers["retry-after"]) <= 900
    assert log_in(hall.client(), "wang").status_code == 200


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://testserver.elsewhere.example"])
def test_no_other_site_logs_anybody_in(still_hall: Hall, origin: str) -> None:
    """A page elsewhere could otherwise put its visitor into an account of its own, and read what is entered there."""
    client = still_hall.client()
    is_refused(log_in(client, "li", origin=origin), 403, "csrf")
    assert not client.cookies
    assert log_in(client, "li", origin="http://testserver").status_code == 200


def test_a_new_log_in_ends_the_one_before_in_this_browser(hall: Hall) -> None:
    """Nothing of the first is left; other browsers go on."""
    other, browser = hall.logged_in("LI"), hall.logged_in("LI")
    before = browser.cookies["bihuan_session"]
    assert log_in(browser, "wang").status_code == 200
    assert browser.cookies["bihuan_session"] != before
    is_refused(hall.client(Cookie=f"bihuan_session={before}").get(SESSION), 401, "not-logged-in")
    assert other.get(SESSION).status_code == 200


def test_what_changes_something_carries_the_token_of_the_session(still_hall: Hall) -> None:
    """Without it, with another session's, or from another site: refused, and nothing changed."""
    browser, other = still_hall.logged_in("FENG"), still_hall.logged_in("FENG")
    form = {"post": "REVISIT-2"}
    right = browser.headers.pop("X-CSRF-Token")
    is_refused(browser.post(f"{SESSION}/post", json=form), 403, "csrf")
    is_refused(
        browser.post(f"{SESSION}/post", json=form, headers={"X-CSRF-Token": other.headers["X-CSRF-Token"]}), 403, "csrf"
    )
    elsewhere = {"X-CSRF-Token": right, "Origin": "https://elsewhere.example"}
    is_refused(browser.post(f"{SESSION}/post", json=form, headers=elsewhere), 403, "csrf")
    is_refused(browser.delete(SESSION), 403, "csrf")
    assert browser.get(SESSION).json()["post"] is None
    assert browser.post(f"{SESSION}/post", json=form, headers={"X-CSRF-Token": right}).json()["post"] == "REVISIT-2"


def test_who_holds_two_posts_says_in_which_they_act(hall: Hall) -> None:
    """Without a choice nothing is done; X-Post counts for one request, the chosen post for the session."""
    browser = hall.logged_in("FENG")
    is_refused(browser.get("/api/v1/complaints"), 403, "no-post-chosen")
    assert browser.get("/api/v1/complaints", headers={"X-Post": "SJ-HANDLER-2"}).status_code == 200
    chosen = browser.post(f"{SESSION}/post", json={"post": "REVISIT-2"})
    assert chosen.json()["post"] == "REVISIT-2"
    assert browser.get("/api/v1/complaints").status_code == 200
    assert browser.get(SESSION).json()["post"] == "REVISIT-2"


def test_only_a_post_that_is_held_can_be_chosen(still_hall: Hall) -> None:
    """A post of somebody else, and one that does not exist, are refused alike and chosen by nobody."""
    browser = still_hall.logged_in("FENG")
    for post in ("SUPERVISION", "NO-SUCH"):
        answer = browser.post(f"{SESSION}/post", json={"post": post})
        is_refused(answer, 409, "post-not-held")
        assert answer.json()["facts"]["posts"] == ["SJ-HANDLER-2", "REVISIT-2"]
        is_refused(browser.get("/api/v1/complaints", headers={"X-Post": post}), 403, "no-post-chosen")
    assert browser.get(SESSION).json()["post"] is None


def test_a_new_password_ends_the_other_sessions(hall: Hall) -> None:
    """This one goes on; the old password opens nothing any more."""
    browser, other = hall.logged_in("LI"), hall.logged_in("LI")
    changed = browser.post(f"{SESSION}/password", json={"old": PASSWORD, "new": NEW})
    assert changed.json() == {"sessions_ended": 1}
    assert browser.get(SESSION).status_code == 200
    is_refused(other.get(SESSION), 401, "not-logged-in")
    is_refused(log_in(hall.client(), "li"), 401, "log-in-failed")
    assert log_in(hall.client(), "li", NEW).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        ("wrong", NEW, 403, "wrong-password"),
        (PASSWORD, "tiny", 422, "weak-password"),
        (PASSWORD, PASSWORD, 422, "weak-password"),
        (PASSWORD, "", 422, "malformed"),
        (PASSWORD, "p" * 1025, 422, "malformed"),
    ],
)
def test_a_password_is_changed_by_who_knows_it_to_a_strong_one(
    hall: Hall, old: str, new: str, status: int, code: str
) -> None:
    """Whatever is refused leaves the password as it was, and is not repeated in the answer."""
    answer = hall.logged_in("LI").post(f"{SESSION}/password", json={"old": old, "new": new})
    is_refused(answer, status, code)
    assert new == "" or new not in answer.text
    assert log_in(hall.client(), "li").status_code == 200


def test_an_open_screen_is_no_place_to_guess(hall: Hall) -> None:
    """The present password is asked for, ten times at most."""
    browser = hall.logged_in("LI")
    for _ in range(10):
        is_refused(browser.post(f"{SESSION}/password", json={"old": "guess", "new": NEW}), 403, "wrong-password")
    is_refused(browser.post(f"{SESSION}/password", json={"old": PASSWORD, "new": NEW}), 429, "too-many-attempts")


def test_a_one_time_password_opens_nothing_but_its_change(hall: Hall) -> None:
    """Who am I, a new password, log out; then everything."""
    reset = hall.as_("ADMIN").post("/api/v1/accounts/reset-password", json={"login": "feng"}).json()
    browser = hall.client()
    me = log_in(browser, "feng", reset["one_time_password"]).json()
    assert me["must_change"]
    browser.headers["X-CSRF-Token"] = me["csrf"]
    assert browser.get(SESSION).json()["must_change"]
    is_refused(browser.get("/api/v1/complaints"), 403, "password-change-due")
    is_refused(browser.post(f"{SESSION}/post", json={"post": "REVISIT-2"}), 403, "password-change-due")
    changed = browser.post(f"{SESSION}/password", json={"old": reset["one_time_password"], "new": NEW})
    assert changed.status_code == 200
    assert browser.post(f"{SESSION}/post", json={"post": "REVISIT-2"}).status_code == 200
    assert browser.get("/api/v1/complaints").status_code == 200


def test_a_token_is_somebody_but_no_session(still_hall: Hall) -> None:
    """It tells for whom it acts, and can neither change a password nor choose another post nor log anybody out."""
    machine = still_hall.as_("FENG", "REVISIT-2")
    me = machine.get(SESSION).json()
    assert (me["person"], me["post"], me["csrf"]) == (str(still_hall.people["FENG"]), "REVISIT-2", None)
    assert [post["code"] for post in me["posts"]] == ["REVISIT-2"]
    is_refused(machine.post(f"{SESSION}/post", json={"post": "SJ-HANDLER-2"}), 403, "session-needed")
    is_refused(machine.post(f"{SESSION}/password", json={"old": PASSWORD, "new": NEW}), 403, "session-needed")
    is_refused(machine.delete(SESSION), 403, "session-needed")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"login": "li"}',
        b'{"login": 7, "password": "x"}',
        b'{"login": "li", "password": "x", "more": 1}',
        b'{"login": "li", "password": "\\ud800"}',
        b'{"login": "' + b"l" * 65 + b'", "password": "x"}',
        b'{"login": "li", "password": "' + b"p" * 2000 + b'"}',
    ],
)
def test_a_malformed_log_in_is_told_so(still_hall: Hall, body: bytes) -> None:
    """Nothing of it is repeated."""
    answer = still_hall.client().post(SESSION, content=body, headers={"content-type": "application/json"})
    is_refused(answer, 422, "malformed")
    assert "lll" not in answer.text
    assert "ppp" not in answer.text


def test_the_log_knows_keys_and_no_names(hall: Hall) -> None:
    """One line for each act, refused or done, without log-in, name, password or address."""
    with capture_logs() as lines:
        log_in(hall.client(), "li", "not the password")
        browser = hall.logged_in("LI")
        browser.post(f"{SESSION}/password", json={"old": PASSWORD, "new": NEW})
        browser.delete(SESSION)
    assert [(line["event"], line["action"]) for line in lines] == [
        ("refused", "log-in"),
        ("done", "log-in"),
        ("done", "change-password"),
        ("done", "log-out"),
    ]
    assert [line.get("by") for line in lines] == [None, *[str(hall.people["LI"])] * 3]
    for hidden in ("LI·𬭎", PASSWORD, NEW, "not the password", "testclient", "'li'"):
        assert hidden not in str(lines)
