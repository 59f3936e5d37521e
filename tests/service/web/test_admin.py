"""What administrators do: accounts, one-time passwords, tokens; and that they see no case."""

from __future__ import annotations

from uuid import uuid4

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from tests.service.web.house import PASSWORD, Hall

pytestmark = pytest.mark.postgres

ACCOUNTS = "/api/v1/accounts"
TOKENS = "/api/v1/tokens"
SESSION = "/api/v1/session"


def is_refused(answer: Response, status: int, code: str) -> None:
    """Assert that an answer is a problem document that says what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["code"] == code
    assert told["then"]


def can_log_in(hall: Hall, login: str, password: str = PASSWORD) -> bool:
    """Whether a log-in with this password succeeds."""
    return hall.client().post(SESSION, json={"login": login, "password": password}).status_code == 200


def test_a_new_account_has_a_password_for_once_and_no_right(hall: Hall) -> None:
    """The password is shown in the answer and nowhere else; what somebody may do comes with a post."""
    admin = hall.as_("ADMIN")
    made = admin.post(ACCOUNTS, json={"login": "ou.yang", "name": "欧阳·𬭎"})
    assert made.status_code == 201
    account = made.json()
    listed = next(one for one in admin.get(ACCOUNTS).json() if one["person"] == account["person"])
    assert (listed["login"], listed["name"], listed["posts"]) == ("ou.yang", "欧阳·𬭎", [])
    assert (listed["must_change"], listed["disabled"]) == (True, False)
    assert account["one_time_password"] not in admin.get(ACCOUNTS).text
    browser = hall.client()
    me = browser.post(SESSION, json={"login": "OU.YANG", "password": account["one_time_password"]}).json()
    assert (me["must_change"], me["posts"]) == (True, [])
    password = {"old": account["one_time_password"], "new": "kettle of quiet rivers"}
    browser.headers["X-CSRF-Token"] = me["csrf"]
    assert browser.post(f"{SESSION}/password", json=password).status_code == 200
    is_refused(browser.get("/api/v1/complaints"), 403, "no-post-chosen")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"login": "LI", "name": "Another Li"}, 409, "log-in-taken"),
        ({"login": "two words", "name": "Somebody"}, 422, "malformed-account"),
        ({"login": "some.body", "name": "line\nbreak"}, 422, "malformed-account"),
        ({"login": "nul\x00", "name": "Somebody"}, 422, "malformed-account"),
        ({"login": "", "name": "Somebody"}, 422, "malformed"),
        ({"login": "some.body"}, 422, "malformed"),
        ({"login": "some.body", "name": "Somebody", "password": "of my own"}, 422, "malformed"),
    ],
)
def test_an_account_that_cannot_be_is_not_made(still_hall: Hall, form: dict[str, str], status: int, code: str) -> None:
    """The list of accounts is what it was."""
    admin = still_hall.as_("ADMIN")
    before = admin.get(ACCOUNTS).json()
    is_refused(admin.post(ACCOUNTS, json=form), status, code)
    assert admin.get(ACCOUNTS).json() == before


def test_a_forgotten_password_is_replaced(hall: Hall) -> None:
    """Sessions end, the old password is dead; how many tokens still work is told."""
    browser = hall.logged_in("LI")
    reset = hall.as_("ADMIN").post(f"{ACCOUNTS}/reset-password", json={"login": "li"}).json()
    assert (reset["person"], reset["sessions_ended"], reset["tokens_left"]) == (str(hall.people["LI"]), 1, 1)
    assert browser.get(SESSION).status_code == 401
    assert not can_log_in(hall, "li")
    assert can_log_in(hall, "li", reset["one_time_password"])


def test_a_closed_account_opens_nothing_until_it_is_enabled(hall: Hall) -> None:
    """Sessions and tokens end with it and do not come back; password and posts do."""
    admin, browser, machine = hall.as_("ADMIN"), hall.logged_in("LI"), hall.as_("LI")
    assert machine.get(SESSION).status_code == 200
    closed = admin.post(f"{ACCOUNTS}/disable", json={"login": "li"}).json()
    assert closed == {"person": str(hall.people["LI"]), "sessions_ended": 1, "tokens_revoked": 1}
    for client in (browser, machine):
        is_refused(client.get(SESSION), 401, "not-logged-in")
    assert not can_log_in(hall, "li")
    is_refused(admin.post(f"{ACCOUNTS}/disable", json={"login": "li"}), 404, "unknown-account")
    is_refused(admin.post(f"{ACCOUNTS}/reset-password", json={"login": "li"}), 404, "unknown-account")
    assert admin.post(f"{ACCOUNTS}/enable", json={"login": "li"}).json() == {"person": str(hall.people["LI"])}
    assert can_log_in(hall, "li")
    for client in (browser, machine):
        is_refused(client.get(SESSION), 401, "not-logged-in")
    assert hall.logged_in("LI").get("/api/v1/complaints").status_code == 200


@pytest.mark.parametrize("what", ["reset-password", "disable", "enable"])
def test_an_unknown_log_in_is_told_to_administrators(still_hall: Hall, what: str) -> None:
    """They may know who has an account."""
    is_refused(still_hall.as_("ADMIN").post(f"{ACCOUNTS}/{what}", json={"login": "nobody"}), 404, "unknown-account")


def test_a_token_acts_for_a_person_in_a_post_until_it_is_revoked(hall: Hall) -> None:
    """It is shown once, listed without itself, and stops at once."""
    admin, person = hall.as_("ADMIN"), str(hall.people["FENG"])
    form = {"person": person, "post": "REVISIT-2", "label": "kiosk-3", "days": 30}
    made = admin.post(TOKENS, json=form)
    assert made.status_code == 201
    token = made.json()
    machine = hall.client(Authorization=f"Bearer {token['token']}")
    assert machine.get(SESSION).json()["post"] == "REVISIT-2"
    listed = admin.get(TOKENS, params={"person": person})
    assert token["token"] not in listed.text
    assert [(one["label"], one["post"]) for one in listed.json()] == [
        ("test", "SJ-HANDLER-2"),
        ("test", "REVISIT-2"),
        ("kiosk-3", "REVISIT-2"),
    ]
    assert token["token_id"] in [one["token_id"] for one in admin.get(TOKENS).json()]
    assert admin.delete(f"{TOKENS}/{token['token_id']}").status_code == 204
    is_refused(machine.get(SESSION), 401, "not-logged-in")
    assert [one["revoked_at"] is None for one in admin.get(TOKENS, params={"person": person}).json()] == [
        True,
        True,
        False,
    ]
    is_refused(admin.delete(f"{TOKENS}/{token['token_id']}"), 404, "unknown-token")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"post": "SUPERVISION"}, 409, "post-not-held"),
        ({"post": "NO-SUCH"}, 409, "post-not-held"),
        ({"person": str(uuid4())}, 409, "post-not-held"),
        ({"person": "li"}, 422, "malformed"),
        ({"days": 0}, 422, "malformed"),
        ({"days": 367}, 422, "malformed"),
        ({"label": "李娜的电脑"}, 422, "malformed"),
    ],
)
def test_a_token_is_only_made_for_a_post_that_is_held(
    still_hall: Hall, change: dict[str, object], status: int, code: str
) -> None:
    """Nobody gets a role by a token, and none lasts for ever; refused, none is made."""
    form = {"person": str(still_hall.people["LI"]), "post": "SJ-HANDLER", "label": "kiosk", "days": 30, **change}
    admin = still_hall.as_("ADMIN")
    before = admin.get(TOKENS).json()
    is_refused(admin.post(TOKENS, json=form), status, code)
    assert admin.get(TOKENS).json() == before


def test_a_token_is_worth_nothing_once_the_post_is_left(hall: Hall) -> None:
    """It still says who it is; no post, no right."""
    admin, machine = hall.as_("ADMIN"), hall.as_("LI")
    left = admin.post("/api/v1/register/posts/SJ-HANDLER/leave", json={"person": str(hall.people["LI"])})
    assert left.status_code == 200
    assert machine.get(SESSION).json()["posts"] == []
    is_refused(machine.get("/api/v1/complaints"), 403, "no-post-chosen")


def test_administrators_see_no_case(hall: Hall) -> None:
    """A case is unknown to them in every way; what they list is empty."""
    case = hall.carry(hall.complain(name="欧阳", phone="13800000000"), until="record-finding")
    position = hall.project()
    admin = hall.as_("ADMIN")
    listed = admin.get("/api/v1/complaints", params={"wait_for": position}).json()
    assert (listed["items"], listed["total"]) == ([], 0)
    assert hall.as_("ZHAO").get("/api/v1/complaints", params={"wait_for": position}).json()["total"] == 1
    is_refused(admin.get(case.path), 404, "not-found")
    is_refused(admin.get(f"{case.path}/history"), 404, "not-found")
    is_refused(admin.post(f"{case.path}/open", json={"fields": ["narrative"]}), 404, "not-found")
    is_refused(hall.act(case, "close", "ADMIN"), 404, "not-found")


def test_the_log_knows_keys_and_no_names(hall: Hall) -> None:
    """One line for each act, done or refused, without log-in, name, password or token."""
    admin = hall.as_("ADMIN")
    with capture_logs() as lines:
        made = admin.post(ACCOUNTS, json={"login": "ou.yang", "name": "欧阳·𬭎"}).json()
        reset = admin.post(f"{ACCOUNTS}/reset-password", json={"login": "ou.yang"}).json()
        admin.post(f"{ACCOUNTS}/disable", json={"login": "ou.yang"})
        admin.post(f"{ACCOUNTS}/disable", json={"login": "ou.yang"})
        admin.post(f"{ACCOUNTS}/enable", json={"login": "ou.yang"})
        form = {"person": str(hall.people["LI"]), "post": "SJ-HANDLER", "label": "kiosk", "days": 30}
        token = admin.post(TOKENS, json=form).json()
        admin.delete(f"{TOKENS}/{token['token_id']}")
    assert [(line["event"], line["action"]) for line in lines] == [
        ("done", "add-account"),
        ("done", "reset-password"),
        ("done", "disable-account"),
        ("refused", "disable-account"),
        ("done", "enable-account"),
        ("done", "add-token"),
        ("done", "revoke-token"),
    ]
    assert {line["by"] for line in lines} == {str(hall.people["ADMIN"])}
    for hidden in ("ou.yang", "欧阳", made["one_time_password"], reset["one_time_password"], token["token"]):
        assert hidden not in str(lines)
