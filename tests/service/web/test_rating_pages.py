"""Pages on which visits are rated: neutral, once, forgotten at a kiosk; and the page of the own rating."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

import pytest
from fastapi import APIRouter, Depends
from httpx2 import Response
from psycopg import OperationalError

from domain.grade import Grade
from service.settings import BadSetting, Settings
from service.web.guard import CSP
from service.web.pages import PageRoute
from service.web.pages_rate import Stand, at_kiosk
from tests.service.web.house import Hall, Template, copy
from tests.service.web.rating import BAD, KNOWN, invited, rated, served
from tests.service.web.rating_pages import KIOSK, begun, give, own_link, own_page, stored, submitted
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, send, trouble

pytestmark = pytest.mark.postgres

HOSTILE: Final = "</textarea><script>alert('x')</script>\"><img src=x onerror=alert(1)> {{ 7*7 }} \u202e&amp;"
FIRST_VIEW: Final = 150_000
GRADES: Final = [grade.value for grade in Grade]


@pytest.mark.parametrize("path", ["/rate", KIOSK])
def test_all_grades_weigh_the_same_and_none_is_chosen(hall: Hall, path: str) -> None:
    """Five radios in their order, alike but for value, and nothing checked: neither grade, code nor name."""
    page = begun(hall.client(), invited(hall, served(hall, **KNOWN)), path)
    form = PageReader(page.text).form(f"{path}/send")
    grades = [one for one in form.controls if one.name == "grade"]
    assert [one.attributes["value"] for one in grades] == GRADES
    alike = [{k: v for k, v in one.attributes.items() if k not in {"id", "value", "data-bad"}} for one in grades]
    assert all(one == alike[0] for one in alike)
    chosen = [one.name for one in form.controls if one.kind in {"radio", "checkbox"} and one.values]
    assert chosen == []
    labels = re.findall(r'<label for="grade-\d">([^<]+)</label>', page.text)
    assert labels == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    assert re.search(r"[★☆👍😀-🙏]", page.text) is None


def test_codes_stand_with_their_grade_the_common_ones_first(hall: Hall) -> None:
    """What is shown at once comes first, the rest behind `more`; retired codes are not there."""
    page = begun(hall.client(), invited(hall, served(hall)))
    form = PageReader(page.text).form("/rate/send")
    ticks = [(one.name, one.attributes["value"]) for one in form.controls if one.name.startswith("codes.")]
    of_bad = [value for name, value in ticks if name == "codes.dissatisfied"]
    assert of_bad == ["207", "208", "209", "210", "211", "212", "213", "214"]
    assert [name for name, _ in ticks] == [f"codes.{grade}" for grade in GRADES for _ in range(8)]
    at_once, _, rest = page.text.partition('value="209"')
    assert "<details>" in rest.partition('value="210"')[0]
    assert 'value="208"' in at_once


def test_a_rating_from_a_phone(hall: Hall) -> None:
    """A code and words of the chosen grade arrive, and nothing of the others; the link shown leads back to it."""
    client = hall.client()
    token = invited(hall, served(hall, **KNOWN))
    page = begun(client, token.lower().replace("-", " "))
    assert "三号窗口" in page.text
    typed = {"codes.satisfied": "413", "codes.very_dissatisfied": "115"}
    done = give(client, page, grade="satisfied", text="第一行\n第二行", identity="real_name", **typed)
    assert done.status_code == 200, done.text
    said = submitted(hall)
    assert (said["grade"], said["codes"], said["channel"]) == ("satisfied", ["413"], "qr")
    assert (said["identity_mode"], said["evidence"]["terminal"]) == ("real_name", None)
    assert said["evidence"]["staff_terminal"] is False
    assert said["evidence"]["network"] is not None
    link = own_link(done)
    told = own_page(client, link)
    for shown in ("满意", "服务态度较好", "第一行\n第二行"):
        assert shown in PageReader(told.text).text
    assert token not in str(done.url)
    assert link not in str(told.url)
    plain = stored(hall)
    assert token not in plain
    assert link not in plain
    assert "第一行" not in plain


def test_a_rating_at_a_kiosk_names_the_terminal(hall: Hall) -> None:
    """A scanner types the whole link; the rating says by which tablet it came."""
    client = hall.client()
    token = invited(hall, served(hall))
    page = begun(client, f"https://hall.example.cn/rate#{token}", KIOSK)
    done = give(client, page, KIOSK, grade="very_satisfied")
    assert done.status_code == 200, done.text
    said = submitted(hall)
    assert (said["channel"], said["evidence"]["terminal"]) == ("tablet", "K-03")
    assert said["identity_mode"] == "anonymous"


def test_who_is_not_known_is_not_asked_for_a_name(hall: Hall) -> None:
    """Where nobody knows who was served, there is nothing to choose; where somebody is, the choice is theirs."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall)))
    assert 'value="real_name"' not in page.text
    known = begun(client, invited(hall, served(hall, **KNOWN)))
    refused = give(client, known, grade="satisfied")
    assert (refused.status_code, trouble(refused)) == (422, "malformed")
    assert 'href="#identity-1"' in refused.text
    assert give(client, refused, identity="anonymous").status_code == 200
    assert (submitted(hall)["identity_mode"], submitted(hall)["reviewer"]) == ("anonymous", None)


def test_a_bad_rating_without_reason_is_refused_and_keeps_what_was_typed(hall: Hall) -> None:
    """The page says before that a reason is needed; refused, everything stands as it was, and a word is enough."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall)))
    assert page.text.count("请至少勾选一种情况") == 2
    position = hall.last_position()
    refused = give(client, page, grade="very_dissatisfied", text=" \n ")
    assert (refused.status_code, trouble(refused)) == (409, "reason-missing")
    assert hall.last_position() == position
    form = PageReader(refused.text).form("/rate/send")
    assert [one.attributes["value"] for one in form.controls if one.name == "grade" and one.values] == [GRADES[-1]]
    done = give(client, refused, text="来回跑了三次。")
    assert done.status_code == 200
    assert submitted(hall)["grade"] == "very_dissatisfied"
    assert "工单" in done.text


def test_a_refused_page_opens_where_something_is_ticked(hall: Hall) -> None:
    """Codes behind `more` that were ticked are in sight when the page comes back; hostile words stay words."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall, **KNOWN)))
    refused = give(client, page, text=HOSTILE, **{"grade": "dissatisfied", "codes.dissatisfied": "214"})
    assert trouble(refused) == "malformed"
    assert "<details open>" in refused.text
    assert "<script>alert" not in refused.text
    assert dict(PageReader(refused.text).form("/rate/send").sent())["text"] == HOSTILE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({}, "malformed"),
        ({"grade": "good"}, "malformed"),
        ({"grade": "satisfied", "codes.satisfied": "517"}, "code-not-of-grade"),
        ({"grade": "satisfied", "codes.satisfied": "401"}, "unknown-reference"),
        ({"grade": "satisfied", "codes.satisfied": "no such code"}, "malformed"),
        ({"grade": "satisfied", "text": "x" * 20_001}, "malformed"),
        ({"grade": "satisfied", "text": "a\x00b"}, "malformed"),
    ],
)
def test_what_no_page_sends_is_refused_with_a_code(hall: Hall, typed: dict[str, str], code: str) -> None:
    """Nothing is written, the token lives, and the page asks again."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall)))
    position = hall.last_position()
    refused = give(client, page, **typed)
    assert trouble(refused) == code
    assert refused.status_code in {409, 422}
    assert hall.last_position() == position
    assert 'id="grade-1"' in refused.text


def test_links_that_do_not_rate_say_why_and_what_to_do(hall: Hall) -> None:
    """Wrong and used tokens have words of their own in both languages; a complaint can always be made."""
    visit = served(hall)
    used, other = invited(hall, visit), invited(hall, visit)
    for language in ("zh", "en"):
        client = hall.client(**{"Accept-Language": language})
        for token, status, code in (("nothing", 404, "invitation-unknown"), ("", 422, "invitation-blank")):
            page = begun(client, token)
            assert (page.status_code, trouble(page)) == (status, code)
            assert 'href="/complain"' in page.text
    assert give(hall.client(), begun(hall.client(), used), grade="satisfied").status_code == 200
    for token, code in ((used, "invitation-used"), (other, "already-reviewed")):
        for path in ("/rate", KIOSK):
            page = begun(hall.client(), token, path)
            assert (page.status_code, trouble(page)) == (409, code)
            assert 'name="grade"' not in page.text


def test_a_rating_sent_twice_is_one(hall: Hall) -> None:
    """A double press and a reload show the same link; another rating with the token is refused."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall)))
    first = give(client, page, grade="satisfied")
    position = hall.last_position()
    assert own_link(give(client, page, grade="satisfied")) == own_link(first)
    other = give(client, page, grade="very_satisfied")
    assert (other.status_code, trouble(other)) == (409, "invitation-used")
    assert hall.last_position() == position


def test_how_long_the_form_was_open_is_measured_by_us(hall: Hall) -> None:
    """From the first drawing on, whatever is refused between; a mark that was made up or moved counts for nothing."""
    client = hall.client()
    page = begun(client, invited(hall, served(hall)))
    form = dict(PageReader(page.text).form("/rate/send").sent())
    again = give(client, page)
    assert dict(PageReader(again.text).form("/rate/send").sent())["drawn"] == form["drawn"]
    assert give(client, again, grade="satisfied").status_code == 200
    assert 0 <= submitted(hall)["evidence"]["input_ms"] < 1000 * 600
    begun_at, _, mark = form["drawn"].partition(".")
    for made_up in (f"{int(begun_at) - 9000}.{mark}", form["drawn"], "x", "9" * 400, f"-1.{mark}", f"１.{mark}"):
        page = begun(client, invited(hall, served(hall)))
        assert give(client, page, grade="satisfied", drawn=made_up).status_code == 200
        assert submitted(hall)["evidence"]["input_ms"] is None, made_up


def test_a_kiosk_forgets_with_each_turn(hall: Hall) -> None:
    """After its first page was seen again, what was sent before is neither taken nor shown, though sent once more."""
    client = hall.client()
    client.follow_redirects = True
    page = begun(client, invited(hall, served(hall, **KNOWN)), KIOSK)
    refused = give(client, page, KIOSK, grade="dissatisfied", text="不要让下一位看见。")
    assert "不要让下一位看见。" in refused.text
    client.get(KIOSK)
    position = hall.last_position()
    left = give(client, refused, KIOSK, identity="anonymous")
    assert (left.url.path, trouble(left)) == (KIOSK, "rating-forgotten")
    assert "不要让下一位看见。" not in left.text
    assert hall.last_position() == position
    # Also what was rated and thanked for.
    page = begun(client, invited(hall, served(hall)), KIOSK)
    done = give(client, page, KIOSK, grade="satisfied")
    client.get(KIOSK)
    again = give(client, page, KIOSK, grade="satisfied")
    assert own_link(done) not in again.text
    assert trouble(again) == "rating-forgotten"


def test_a_kiosk_without_its_cookie_begins_anew(hall: Hall) -> None:
    """A made-up turn opens nothing, and an empty one is none."""
    client = hall.client()
    client.follow_redirects = True
    token = invited(hall, served(hall))
    page = begun(client, token, KIOSK)
    for cookie in (None, "", "nothing"):
        client.cookies.clear()
        if cookie is not None:
            client.cookies.set("bihuan_turn", cookie, path=KIOSK)
        refused = client.post(f"{KIOSK}/send", data={"turn": "", "invitation": token, "grade": "satisfied"})
        assert trouble(refused) == "rating-forgotten"
    assert page.status_code == 200


def test_a_kiosk_keeps_nothing_and_leads_nowhere_else(hall: Hall) -> None:
    """No store, no filling in, no language for the next one, a refresh where no script runs, no way to other pages."""
    client = hall.client()
    english = client.get(f"{KIOSK}?lang=en")
    assert "Rate this visit" in english.text
    assert "bihuan_language" not in client.cookies
    assert "评价本次服务" in client.get(KIOSK).text
    client.cookies.set("bihuan_language", "en")
    assert "评价本次服务" in client.get(KIOSK).text
    token = invited(hall, served(hall))
    for page in (client.get(KIOSK), begun(client, token, KIOSK), begun(client, "nothing", KIOSK)):
        assert page.headers["cache-control"] == "no-store"
        assert f'<noscript><meta http-equiv="refresh" content="180; url={KIOSK}"></noscript>' in page.text
        reader = PageReader(page.text)
        ways = {one for tag, found in reader.tags if tag == "a" and (one := found["href"])}
        assert {urlsplit(one).path for one in ways if not one.startswith("#")} <= {KIOSK}
        assert all(form.action.startswith(KIOSK) for form in reader.forms)
        typed = [one for one in reader.controls if one.kind in {"text", "textarea", "radio"}]
        assert [one.name for one in typed if one.attributes.get("autocomplete") != "off"] == []
    assert client.get("/kiosk/%20x").status_code == 404
    assert client.get("/kiosk/" + "x" * 65).status_code == 404


def test_a_form_changes_its_language_with_its_token(hall: Hall) -> None:
    """The other language draws the same visit again; on a phone it is kept, at a kiosk it is not."""
    client = hall.client()
    for path in ("/rate", KIOSK):
        page = begun(client, invited(hall, served(hall)), path)
        english = send(client, page, f"{path}?lang=en")
        assert "Very dissatisfied" in english.text
        assert ("bihuan_language" in client.cookies) is (path == "/rate")
        sent = f"{path}/send" if path == "/rate" else f"{path}/send?lang=en"
        assert "Thank you" in send(client, english, sent, grade="satisfied").text
        client.cookies.clear()


def test_a_kiosk_finds_back_from_whatever_went_wrong(hall: Hall) -> None:
    """Where the store is away or a fault of ours shows, the page leads to the beginning by itself, and nowhere else."""
    router = APIRouter(route_class=PageRoute)

    @router.get("/kiosk/{terminal}/broken", response_model=None)
    def broken(stand: Annotated[Stand, Depends(at_kiosk)]) -> Response:
        """A kiosk whose store does not answer."""
        raise OperationalError(stand.path)

    hall.app.include_router(router)
    page = hall.client().get(f"{KIOSK}/broken")
    assert (page.status_code, trouble(page)) == (503, "unavailable")
    assert f'<meta http-equiv="refresh" content="20; url={KIOSK}">' in page.text
    ways = {found["href"] for tag, found in PageReader(page.text).tags if tag == "a"}
    assert ways == {"#main", KIOSK}


@pytest.mark.parametrize("address", ["hall.example.cn", "https://", "ftp://x", "https://x/pages", "https://a@b"])
def test_an_address_that_no_phone_could_follow_is_refused(address: str) -> None:
    """It is said how to write it; a slash at its end is taken off."""
    with pytest.raises(BadSetting, match="BIHUAN_ADDRESS"):
        Settings.from_environment({"BIHUAN_ADDRESS": address})
    assert Settings.from_environment({"BIHUAN_ADDRESS": "http://10.0.0.5:8000/"}).address == "http://10.0.0.5:8000"


def test_pages_of_ratings_keep_the_rules_of_pages(hall: Hall) -> None:
    """No other host, nothing inline, every input labelled, ids once, a strict policy, few bytes."""
    client = hall.client()
    token, rating = invited(hall, served(hall, **KNOWN)), rated(hall, **BAD)
    pages = {path: client.get(path) for path in ("/rate", KIOSK, "/rating")}
    pages["form"] = begun(client, token)
    pages["kiosk form"] = begun(client, token, KIOSK)
    pages["refused"] = give(client, pages["form"])
    pages["own"] = own_page(client, rating.own_link)
    pages["done"] = give(client, pages["form"], grade="satisfied", identity="anonymous")
    for name, page in pages.items():
        reader = PageReader(page.text)
        assert page.headers["content-security-policy"] == CSP, name
        assert page.headers["referrer-policy"] == "same-origin", name
        assert page.headers["cache-control"] == "no-store", name
        assert [one for one in reader.addresses() if urlsplit(one).netloc or (":" in one and one != "data:,")] == [], (
            name
        )
        assert not any("style" in found or any(key.startswith("on") for key in found) for _, found in reader.tags), name
        assert all(found.get("src") for tag, found in reader.tags if tag == "script"), name
        assert [one.name for one in reader.controls if one.kind != "hidden" and not one.labelled] == [], name
        ids = [found["id"] for _, found in reader.tags if found.get("id")]
        assert len(ids) == len(set(ids)), name
        assert len([tag for tag, _ in reader.tags if tag == "h1"]) == 1, name
        more = sum(len(client.get(one).content) for one in reader.addresses() if one.startswith("/static/"))
        assert 0 < more < len(page.content) + more < FIRST_VIEW, name


def test_from_another_site_nothing_is_rated(hall: Hall) -> None:
    """What a page of somebody else sends is refused, whatever token it holds."""
    client, rating = hall.client(), rated(hall)
    token = invited(hall, served(hall))
    position = hall.last_position()
    for path in ("/rate", "/rate/send", KIOSK, f"{KIOSK}/send", "/rating", "/rating/append", "/rating/corroborate"):
        data = {"invitation": token, "own_link": rating.own_link, "grade": "satisfied"}
        refused = client.post(path, data=data, headers={"Origin": "http://evil.example"})
        assert (refused.status_code, trouble(refused)) == (403, "csrf"), path
    assert hall.last_position() == position


def test_where_staff_are_logged_in_a_rating_says_so(hall: Hall) -> None:
    """Whoever was served was not alone with the form, whatever post the one beside them acts in."""
    clerk = browser(hall, "CHEN")
    token = invited(hall, served(hall))
    assert give(clerk, begun(clerk, token), grade="very_satisfied").status_code == 200
    assert submitted(hall)["evidence"]["staff_terminal"] is True


def test_the_code_to_scan_leads_to_the_public_address(hall_template: Template) -> None:
    """As set, else as the page was asked for; https where cookies are for https alone."""
    for settings, address in (
        (Settings(address="https://hall.example.cn"), "https://hall.example.cn/rating"),
        (Settings(), "http://testserver/rating"),
        (Settings(secure_cookies=True), "https://testserver/rating"),
    ):
        with copy(hall_template, settings) as hall:
            client = hall.client()
            done = give(client, begun(client, invited(hall, served(hall))), grade="satisfied")
            assert address in done.text
