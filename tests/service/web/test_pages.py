"""Pages over HTTP: what is typed comes back unharmed, what is sent twice is written once, what is refused says why."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

import pytest
from fastapi import APIRouter
from httpx2 import Response
from psycopg import OperationalError

from service.settings import Settings
from service.web.guard import CSP
from service.web.pages import InPage, PageRoute
from service.web.texts import catalogue
from tests.service.web.house import PASSWORD, Case, Hall, Template, copy
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, complain, post, send, trouble

pytestmark = pytest.mark.postgres

HOSTILE: Final = "</textarea><script>alert('x')</script>\"><img src=x onerror=alert(1)> {{ 7*7 }} \u202e&amp;"
FIRST_VIEW: Final = 150_000


def all_pages(hall: Hall, case: Case) -> dict[str, Response]:
    """Every page there is, as those see it who may."""
    stranger, desk, clerk, two = (browser(hall), browser(hall, "ZHAO"), browser(hall, "QIAN"), hall.client())
    two.post("/login", data={"login": "feng", "password": PASSWORD})
    found = {
        f"GET {path}": stranger.get(path)
        for path in ("/", "/login", "/complain", "/status", "/receipt", "/audit", "/nothing/../docket")
    }
    found |= {
        f"GET {path}": desk.get(path)
        for path in ("/docket", "/password", f"/cases/{case.id}", f"/cases/{case.id}/accept", "/docket?lang=en")
    }
    found |= {"GET /register": clerk.get("/register"), "GET /posts": two.get("/posts")}
    found["receipt"] = complain(stranger)
    found["status told"] = send(
        stranger, stranger.get("/status"), "/status", complaint_no=case.complaint_no, query_code=case.query_code
    )
    found["opened"] = send(desk, desk.get(f"/cases/{case.id}"), f"/cases/{case.id}/open")
    found["refused"] = complain(stranger, narrative=" ")
    found["not found"] = desk.get("/cases/nothing")
    return found


@pytest.fixture
def pages(hall: Hall) -> dict[str, Response]:
    """Every page, with hostile texts in the case it shows."""
    case = hall.complain(by="QIAN", narrative=HOSTILE, name=HOSTILE[:100], subject=HOSTILE[:100])
    hall.project()
    return all_pages(hall, case)


def test_every_page_keeps_the_rules_of_pages(pages: dict[str, Response]) -> None:
    """No other host, nothing inline, every input labelled, ids once, a strict policy, few bytes."""
    for name, page in pages.items():
        reader = PageReader(page.text)
        assert page.headers["content-type"].startswith("text/html"), name
        assert page.headers["content-security-policy"] == CSP, name
        assert page.headers["referrer-policy"] == "same-origin", name
        assert page.headers["cache-control"] == "no-store", name
        assert [
            one for one in reader.addresses() if urlsplit(one).netloc or one.startswith(("javascript:", "//"))
        ] == [], name
        inline = [tag for tag, found in reader.tags if "style" in found or any(key.startswith("on") for key in found)]
        assert inline == [], name
        assert all(found.get("src") for tag, found in reader.tags if tag == "script"), name
        assert "<style" not in page.text, name
        visible = [one for one in reader.controls if one.kind != "hidden"]
        assert [one.name for one in visible if not one.labelled] == [], name
        ids = [found["id"] for _, found in reader.tags if found.get("id")]
        assert len(ids) == len(set(ids)), name
        keys = [found["accesskey"] for _, found in reader.tags if found.get("accesskey")]
        assert len(keys) == len(set(keys)), name
        assert len([tag for tag, _ in reader.tags if tag == "h1"]) == 1, name
        assert all("csrf" in form.names() or form.action in PUBLIC for form in reader.forms if form.method == "post"), (
            name
        )


PUBLIC: Final = {"/login", "/complain", "/status"}


def test_a_first_view_is_small(hall: Hall, pages: dict[str, Response]) -> None:
    """Page, style and script together stay below 150 kB, a full docket too."""
    client = hall.client()
    for name, page in pages.items():
        more = sum(
            len(client.get(one).content) for one in PageReader(page.text).addresses() if one.startswith("/static/")
        )
        assert 0 < more < len(page.content) + more < FIRST_VIEW, name


def test_what_pages_need_may_be_kept_because_its_address_changes(hall: Hall) -> None:
    """Style and script are named by their content and may be kept; anything else at that place is not there."""
    client = hall.client()
    page = client.get("/")
    for address in (one for one in PageReader(page.text).addresses() if one.startswith("/static/")):
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        assert "max-age" in client.get(address).headers["cache-control"]
    assert client.get("/static/../pages.py").status_code == 404
    assert client.get("/static/pages.py").status_code == 404


def test_hostile_texts_are_texts(pages: dict[str, Response]) -> None:
    """What somebody wrote into a complaint is shown letter for letter and does nothing."""
    opened = pages["opened"]
    assert "<script>alert" not in opened.text
    assert "onerror=alert(1)>" not in PageReader(opened.text).text.replace(HOSTILE, "")
    assert HOSTILE in PageReader(opened.text).text
    assert not any(tag == "img" for tag, _ in PageReader(opened.text).tags)


def test_what_was_typed_comes_back_unharmed(hall: Hall) -> None:
    """A refusal keeps every letter, links each error to its field, and says what to do in the reader's language."""
    client = browser(hall)
    page = complain(
        client, narrative="  ", name=HOSTILE[:100], desired_outcome=f"\n第一行\n{HOSTILE}", category="SHIRK"
    )
    assert page.status_code == 422
    assert trouble(page) == "malformed"
    form = PageReader(page.text).form("/complain")
    kept = dict(form.sent())
    assert kept["name"] == HOSTILE[:100]
    assert kept["desired_outcome"] == f"\r\n第一行\r\n{HOSTILE}"
    assert kept["category"] == "SHIRK"
    assert 'href="#f-narrative"' in page.text
    narrative = next(one for one in form.controls if one.name == "narrative")
    assert narrative.attributes["aria-invalid"] == "true"
    assert "f-narrative-error" in (narrative.attributes["aria-describedby"] or "")
    assert Settings().complain_instead in PageReader(page.text).text


def test_a_complaint_from_home_gives_number_and_code_once(hall: Hall) -> None:
    """The receipt follows by a redirect and is shown once; its code opens the complaint and lies in no address."""
    client = browser(hall)
    receipt = complain(client, narrative="第一行\r\n第二行", phone="13800000000")
    assert receipt.status_code == 200
    assert receipt.url.path == "/receipt"
    assert receipt.history[0].status_code == 303
    number, code = (re.search(rf'id="{one}">([^<]+)<', receipt.text) for one in ("number", "code"))
    assert number is not None
    assert code is not None
    told = send(client, client.get("/status"), "/status", complaint_no=number[1].lower(), query_code=code[1].lower())
    assert told.status_code == 200
    assert number[1] in told.text
    assert code[1] not in str(told.url)
    again = client.get("/receipt")
    assert again.status_code == 410
    assert code[1] not in again.text


def test_a_receipt_opens_only_with_what_we_gave(hall: Hall) -> None:
    """A cookie that was made up, changed, or has lapsed opens nothing."""
    client = hall.client()
    client.follow_redirects = False
    answer = complain(client)
    assert answer.status_code == 303
    given = client.cookies["bihuan_receipt"]
    case, command, until, mark = given.split(".")
    other = hall.complain().id
    for forged in (
        f"{other}.{command}.{until}.{mark}",
        f"{case}.{command}.{int(until) + 1}.{mark}",
        "a.b.c.d",
        f"{given}x",
    ):
        fresh = hall.client(Cookie=f"bihuan_receipt={forged}")
        assert fresh.get("/receipt").status_code == 410, forged
    assert client.get("/receipt").status_code == 200


def test_a_form_sent_twice_writes_once(hall: Hall) -> None:
    """A double click, a reload and a late repeat meet the same complaint; a new form is a new one."""
    client = browser(hall)
    form = PageReader(client.get("/complain").text).form("/complain")
    first = post(client, form, hall="GXQ", narrative="一次。")
    position = hall.last_position()
    second = post(client, form, hall="GXQ", narrative="一次。")
    assert hall.last_position() == position
    numbers = [re.search(r'id="number">([^<]+)<', one.text) for one in (first, second)]
    assert numbers[0] is not None
    assert numbers[1] is not None
    assert numbers[0][1] == numbers[1][1]
    changed = post(client, form, hall="GXQ", narrative="另一次。")
    assert changed.status_code == 409
    assert trouble(changed) == "key-reused"
    assert hall.last_position() == position
    # What comes back may be sent as something new.
    assert post(client, PageReader(changed.text).form("/complain")).url.path == "/receipt"
    assert hall.last_position() > position


def test_a_step_sent_twice_is_taken_once(hall: Hall) -> None:
    """The same for a step on a case: the second press changes nothing and leads to the same place."""
    case, client = hall.complain(by="QIAN"), browser(hall, "ZHAO")
    form = PageReader(client.get(f"/cases/{case.id}/accept").text).form(f"/cases/{case.id}/accept")
    assert post(client, form, category="SHIRK").status_code == 200
    position = hall.last_position()
    again = post(client, form, category="SHIRK")
    assert (again.status_code, again.url.path) == (200, f"/cases/{case.id}")
    assert hall.last_position() == position


def test_the_api_and_a_page_meet_in_one_command(hall: Hall) -> None:
    """What a page sent under its token is known to the API under the same key: one machinery, one record."""
    case, client = hall.complain(by="QIAN"), browser(hall, "ZHAO")
    form = PageReader(client.get(f"/cases/{case.id}/accept").text).form(f"/cases/{case.id}/accept")
    token = next(one.values[0] for one in form.controls if one.name == "token")
    assert post(client, form, category="SHIRK").status_code == 200
    position = hall.last_position()
    api = hall.as_("ZHAO").post(f"{case.path}/accept", json={"category": "OTHER"}, headers={"Idempotency-Key": token})
    assert (api.status_code, api.json()["code"]) == (409, "key-reused")
    assert hall.last_position() == position


def test_without_its_token_or_from_another_site_nothing_is_sent(hall: Hall) -> None:
    """A cookie alone changes nothing; what comes from another site is refused flatly, without being offered again."""
    case, client = hall.complain(by="QIAN"), browser(hall, "ZHAO")
    position, path = hall.last_position(), f"/cases/{case.id}/accept"
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        refused = client.post(path, data={"category": "SHIRK", "token": "x" * 32}, headers=headers)
        assert (refused.status_code, trouble(refused)) == (403, "csrf"), headers
        assert PageReader(refused.text).text.count("SHIRK") == 0
        assert [form.action for form in PageReader(refused.text).forms if form.action == path] == []
    for public in ("/login", "/complain", "/status"):
        assert trouble(client.post(public, data={}, headers={"Origin": "http://evil.example"})) == "csrf"
    assert hall.last_position() == position


def test_what_was_typed_outlives_the_session(hall: Hall) -> None:
    """Whose session ended while typing logs in on another page and sends the same again; nothing is lost."""
    case, client = hall.complain(by="QIAN"), browser(hall, "ZHAO")
    path = f"/cases/{case.id}/accept"
    form = PageReader(client.get(path).text).form(path)
    session = client.cookies["bihuan_session"]
    hall.parts.accounts.log_out(session)
    kept = post(client, form, category="SHIRK")
    assert (kept.status_code, trouble(kept)) == (401, "not-logged-in")
    assert dict(PageReader(kept.text).form(path).sent())["category"] == "SHIRK"
    client.post("/login", data={"login": "zhao", "password": PASSWORD})
    stale = post(client, PageReader(kept.text).form(path))
    assert (stale.status_code, trouble(stale)) == (403, "csrf")
    done = post(client, PageReader(stale.text).form(path))
    assert done.status_code == 200
    assert hall.as_("ZHAO").get(case.path).json()["category"] == "SHIRK"


def test_the_language_is_the_readers(hall: Hall) -> None:
    """Chosen by a link, kept by a cookie, else the browser's, else Chinese."""
    client = hall.client()
    title = catalogue("pages")["front.title"]
    assert title["zh"] in client.get("/").text
    assert title["en"] in client.get("/", headers={"Accept-Language": "fr, en-GB;q=0.8"}).text
    assert title["zh"] in client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}).text
    chosen = client.get("/?lang=en")
    assert title["en"] in chosen.text
    assert title["en"] in client.get("/").text
    assert title["zh"] in client.get("/?lang=zh&x=1").text
    assert "/?x=1&amp;lang=en" in client.get("/?lang=zh&x=1").text
    assert client.get("/?lang=<b>").status_code == 200


def test_logging_in_leads_where_the_way_led(hall: Hall) -> None:
    """A page that asks who is there leads back to itself, and never to another site."""
    case, client = hall.complain(by="QIAN"), hall.client()
    client.follow_redirects = False
    asked = client.get(f"/cases/{case.id}?as_of=2026-01-01T00:00")
    assert asked.status_code == 303
    form = PageReader(client.get(asked.headers["location"]).text).form("/login")
    answer = post(client, form, login="zhao", password=PASSWORD)
    assert answer.headers["location"] == f"/cases/{case.id}?as_of=2026-01-01T00:00"
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
    ):
        found = client.post("/login", data={"login": "zhao", "password": PASSWORD, "next": elsewhere})
        assert found.headers["location"] == "/work", elsewhere


def test_a_wrong_password_says_no_more_than_that(hall: Hall) -> None:
    """The log-in comes back, the password does not; unknown and known log-ins get the same page."""
    client = hall.client()
    texts = []
    for login in ("zhao", "nobody"):
        page = client.post("/login", data={"login": login, "password": "wrong horse battery"})
        assert (page.status_code, trouble(page)) == (401, "log-in-failed")
        assert "wrong horse battery" not in page.text
        assert f'value="{login}"' in page.text
        texts.append(page.text.replace(login, ""))
    assert texts[0] == texts[1]
    assert trouble(client.post("/login", data={})) == "log-in-blank"


def test_a_one_time_password_leads_to_a_new_one(hall: Hall) -> None:
    """Nothing else opens before; the new password and its repetition must agree and be strong."""
    password = hall.parts.accounts.reset_password("qian").password
    client = hall.client()
    client.follow_redirects = True
    page = client.post("/login", data={"login": "qian", "password": password})
    assert page.url.path == "/password"
    assert client.get("/docket").url.path == "/password"
    new = "kettle of quiet rivers"
    assert trouble(send(client, page, "/password", old=password, new=new, again="other")) == "passwords-differ"
    assert trouble(send(client, page, "/password", old=password, new="short", again="short")) == "weak-password"
    assert trouble(send(client, page, "/password", old="wrong horse battery", new=new, again=new)) == "wrong-password"
    assert send(client, page, "/password", old=password, new=new, again=new).url.path == "/register"


def test_who_holds_two_posts_chooses_one(hall: Hall) -> None:
    """The way leads by the choice; a post that is not held cannot be chosen."""
    client = hall.client()
    client.follow_redirects = True
    page = client.post("/login", data={"login": "feng", "password": PASSWORD})
    assert page.url.path == "/posts"
    assert client.get("/docket").url.path == "/posts"
    assert trouble(send(client, page, "/posts", post="DESK")) == "post-not-held"
    chosen = send(client, page, "/posts", post="REVISIT-2")
    assert chosen.url.path == "/docket"
    assert "回访二岗" in chosen.text


def test_logging_out_ends_the_session(hall: Hall) -> None:
    """The cookie goes, and what it was good for."""
    client = browser(hall, "ZHAO")
    cookie = client.cookies["bihuan_session"]
    assert send(client, client.get("/docket"), "/logout").url.path == "/"
    assert "bihuan_session" not in client.cookies
    assert hall.client(Cookie=f"bihuan_session={cookie}").get("/docket", follow_redirects=False).status_code == 303


def test_limits_hold_on_pages_as_for_the_api(hall_template: Template) -> None:
    """Too many complaints or questions from one place are refused on either, and counted together."""
    settings = Settings(registrations_per_hour=2, lookups_per_hour=2)
    with copy(hall_template, settings) as hall:
        client = browser(hall)
        assert complain(client).url.path == "/receipt"
        hall.complain()
        refused = complain(client, name="某人")
        assert (refused.status_code, trouble(refused)) == (429, "too-many")
        assert dict(PageReader(refused.text).form("/complain").sent())["name"] == "某人"
        assert settings.complain_instead in PageReader(refused.text).text
        asked = {"complaint_no": "TS-GXQ-20260101-00001-0", "query_code": "0000-0000-0000-0000"}
        assert [client.post("/status", data=asked).status_code for _ in range(3)] == [404, 404, 429]
        assert hall.client().post("/api/v1/status", json=asked).status_code == 429


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"a=%ff", b"&" * 5000 + b"a=b&" * 2000], ids=["bytes", "escapes", "many"]
)
def test_what_no_browser_sends_is_refused(hall: Hall, body: bytes) -> None:
    """Broken bytes and thousands of fields are told to be malformed, in a page."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hall.client().post("/complain", content=body, headers=headers)
    assert (answer.status_code, trouble(answer)) == (400, "malformed")


def test_a_broken_upload_is_refused(hall: Hall) -> None:
    """A body that only calls itself multipart is malformed."""
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = hall.client().post("/complain", content=b"nothing of the sort", headers=headers)
    assert answer.status_code in {400, 422}
    assert trouble(answer) == "malformed"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OperationalError("no answer"), 503, "unavailable"), (RuntimeError("secret"), 500, "our-fault")],
    ids=["store", "fault"],
)
def test_nobody_is_left_with_a_blank_window(hall: Hall, error: Exception, status: int, code: str) -> None:
    """When the store is away or a fault of ours shows, a page says what to do, and nothing of the cause."""
    router = APIRouter(route_class=PageRoute)

    @router.get("/broken", response_model=None)
    def broken(page: InPage) -> Response:
        """A page whose store does not answer."""
        assert page.user is not None
        raise error

    hall.app.include_router(router)
    answer = browser(hall, "ZHAO").get("/broken")
    assert (answer.status_code, trouble(answer)) == (status, code)
    assert str(error) not in answer.text
