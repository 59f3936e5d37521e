"""The page of the own rating: told in sentences, added to once, confirmed by whoever gave it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.decider import THE_SYSTEM
from domain.grade import Grade
from service.adoption import adopt_first, load_register
from service.forms.reviews import ReviewForm
from service.main import create_app
from service.parts import open_parts
from service.settings import Settings
from service.web.pages_rating import STEPS
from tests.hall import FENG
from tests.service.loop import PUT_RIGHT, REPLY, excluded, replied
from tests.service.test_reviewing import HERE, LONG_AGO, SERVED, asked, token_of, visit
from tests.service.web.house import REGISTER, Hall, Template, copy
from tests.service.web.rating import BAD, GOOD, KNOWN, V1, invited, listed, rated, served
from tests.service.web.rating_pages import KIOSK, begun, event, own_page
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, send, trouble

pytestmark = pytest.mark.postgres


def test_after_their_time_pages_say_so_before_anything_is_typed(database: str, tmp_path: Path) -> None:
    """A token that came too late draws no form; a rating of long ago is shown, and not added to any more."""
    with open_parts(Settings(home=tmp_path), database) as parts:
        adopt_first(parts.book, LONG_AGO)
        load_register(parts.book, "hall.toml", REGISTER, LONG_AGO)
        opened = visit(parts, SERVED, served_at=SERVED)
        token = token_of(parts, opened, SERVED)
        told = visit(parts, SERVED, served_at=SERVED)
        form = ReviewForm(occasion=told, grade=Grade.SATISFIED)
        machine = replace(THE_SYSTEM, person=FENG)
        rating = parts.reviews.write_down(told, form, machine, asked("write", SERVED), HERE)
        with TestClient(create_app(parts)) as client:
            for path in ("/rate", KIOSK):
                late = begun(client, token, path)
                assert (late.status_code, trouble(late)) == (409, "too-late")
                assert "投诉" in late.text
                assert 'name="grade"' not in late.text
            page = own_page(client, rating.own_link)
            assert 'id="append"' not in page.text
            data = {"own_link": rating.own_link, "grade": "satisfied"}
            refused = client.post("/rating/append", data=data)
            assert (refused.status_code, trouble(refused)) == (409, "too-late")
            assert "追评期限已过" in refused.text


def test_the_own_page_tells_in_sentences_how_it_stands(hall: Hall) -> None:
    """What was said in words instead of numbers, what became of it, and until when it can be added to."""
    rating = rated(hall, **BAD)
    for language, shown in (
        ("zh", ("不满意", "服务态度生硬", BAD["text"], "行政审批局", "追加评价")),
        ("en", ("Dissatisfied", "Stiff attitude", BAD["text"], "Approval Bureau", "Add to the rating")),
    ):
        told = own_page(hall.client(**{"Accept-Language": language}), rating.own_link)
        text = PageReader(told.text).text
        assert [one for one in shown if one not in text] == []
        assert "214" not in text
    good = own_page(hall.client(), rated(hall, **GOOD).own_link)
    assert "没有需要办理的事项" in good.text


def test_the_one_follow_up(hall: Hall) -> None:
    """It stands beside the first, which stays; empty it is refused and still theirs; then the form is gone."""
    client, rating = hall.client(), rated(hall, **BAD)
    page = own_page(client, rating.own_link)
    for typed, code in (
        ({"grade": "", "text": "  "}, "nothing-added"),
        ({"grade": "very_dissatisfied"}, "reason-missing"),
        ({"grade": "satisfied", "codes.satisfied": "517"}, "code-not-of-grade"),
        ({"grade": "nothing"}, "malformed"),
    ):
        refused = send(client, page, "/rating/append", **typed)
        assert (trouble(refused), 'id="append"' in refused.text) == (code, True), typed
    done = send(client, page, "/rating/append", grade="satisfied", text="已当面道歉。")
    assert done.status_code == 200, done.text
    assert 'id="append"' not in done.text
    assert {"不满意", "满意"} <= set(re.findall(r"<b>([^<]+)</b>", done.text))
    again = send(client, page, "/rating/append", grade="satisfied", text="已当面道歉。")
    assert (again.status_code, trouble(again)) == (200, "")
    other = send(client, page, "/rating/append", grade="very_satisfied")
    assert (other.status_code, trouble(other)) == (409, "followed-up")
    said = event(hall, "review.appended.1")
    assert (said["grade"], said["channel"], said["evidence"]["staff_terminal"]) == ("satisfied", "computer", False)
    assert said["evidence"]["input_ms"] >= 0
    hall.project()
    (shown,) = listed(hall, "LI")
    assert (shown["grade"], shown["follow_up_grade"]) == ("dissatisfied", "satisfied")


def test_what_staff_wrote_down_is_confirmed_by_its_giver_alone(hall: Hall) -> None:
    """The page asks whether it is so; a clerk who is logged in cannot say it, whoever has the link can, once."""
    visit = served(hall, **KNOWN)
    answer = hall.as_("QIAN").post(f"{V1}/reviews", json={"occasion": visit, **GOOD})
    link = hall.as_("QIAN").post(f"{V1}/reviews/{answer.json()['id']}/slip").json()["own_link"]
    clerk, client = browser(hall, "QIAN"), hall.client()
    position = hall.last_position()
    refused = send(clerk, own_page(clerk, link), "/rating/corroborate")
    assert (refused.status_code, trouble(refused)) == (403, "not-your-role")
    assert hall.last_position() == position
    page = own_page(client, link)
    assert "您确认之后才计入" in page.text
    done = send(client, page, "/rating/corroborate")
    assert done.status_code == 200
    assert 'id="corroborate"' not in done.text
    assert send(client, page, "/rating/corroborate").status_code == 200
    assert hall.last_position() == position + 1


def test_what_the_unit_told_is_read_on_the_page(hall: Hall) -> None:
    """The stage in words, what was put right, and the reply, to whoever has the link."""
    rating = rated(hall, served(hall, **KNOWN), **BAD)
    replied(hall, rating)
    told = PageReader(own_page(hall.client(), rating.own_link).text).text
    assert [one for one in (REPLY, PUT_RIGHT, "已整改或解释", "已立为工单") if one not in told] == []


def test_an_exclusion_is_told_and_objected_to(hall: Hall) -> None:
    """Whoever rated reads that it does not count, says why it should, once; staff who are logged in cannot."""
    client, rating = hall.client(), rated(hall, **BAD)
    assert 'id="object"' not in own_page(client, rating.own_link).text
    excluded(hall, rating)
    page = own_page(client, rating.own_link)
    assert "目前不计入统计" in page.text
    position = hall.last_position()
    blank = send(client, page, "/rating/object", ground=" ")
    assert (blank.status_code, trouble(blank)) == (422, "malformed")
    assert 'href="#f-ground"' in blank.text
    clerk = browser(hall, "QIAN")
    refused = send(clerk, own_page(clerk, rating.own_link), "/rating/object", ground="是我写的。")
    assert (refused.status_code, trouble(refused)) == (403, "not-your-role")
    assert 'value="' in refused.text
    assert hall.last_position() == position
    done = send(client, page, "/rating/object", ground="是我本人写的，<b>属实</b>。")
    assert (done.status_code, 'id="object"' in done.text) == (200, False)
    assert "将由未参与排除的两人决定" in done.text
    again = send(client, page, "/rating/object", ground="再说一遍。")
    assert (again.status_code, trouble(again)) == (409, "once-only")


def test_a_mistake_is_said_by_its_giver_and_offered_to_nobody_else(hall: Hall) -> None:
    """It stands behind a fold, after everything else; said once, it is not offered again; a good rating has none."""
    client, rating = hall.client(), rated(hall, **BAD)
    assert 'id="confirm-mistake"' not in own_page(client, rated(hall, **GOOD).own_link).text
    page = own_page(client, rating.own_link)
    assert re.findall(r'class="own-step" id="([a-z-]+)"', page.text) == ["append", "complain", "confirm-mistake"]
    assert "<details>" in page.text.partition('id="confirm-mistake"')[2]
    done = send(client, page, "/rating/confirm-mistake")
    assert (done.status_code, 'id="confirm-mistake"' in done.text) == (200, False)
    assert event(hall, "review.mistake-confirmed.1")["by"]["role"] == "citizen"


def test_a_complaint_is_made_of_a_bad_rating(hall: Hall) -> None:
    """Nothing has to be told again; number and code open the complaint, and the page tells of it afterwards."""
    client, rating = hall.client(), rated(hall, served(hall, **KNOWN), **BAD)
    page = own_page(client, rating.own_link)
    wrong = send(client, page, "/rating/complain", phone="x" * 201)
    assert (wrong.status_code, trouble(wrong)) == (422, "malformed")
    assert 'href="#f-phone"' in wrong.text
    done = send(client, page, "/rating/complain", desired_outcome="请一次性告知。")
    number, code = (re.search(rf'id="{one}">([^<]+)<', done.text) for one in ("number", "code"))
    assert number is not None
    assert code is not None
    hall.project()
    told = send(client, client.get("/status"), "/status", complaint_no=number[1], query_code=code[1])
    assert (told.status_code, number[1] in told.text) == (200, True)
    again = own_page(client, rating.own_link)
    assert number[1] in again.text
    assert code[1] not in again.text
    assert 'id="complain"' not in again.text


def test_wrong_links_of_ratings_look_alike_and_are_limited(hall_template: Template) -> None:
    """Unknown ones say the same whatever they look like; too many wait; the right one opens all the same."""
    with copy(hall_template, Settings(lookups_per_hour=3)) as hall:
        client, rating = hall.client(), rated(hall)
        pages = [own_page(client, link) for link in ("nothing", rating.token, "0000-0000-0000-0000")]
        assert {(page.status_code, trouble(page)) for page in pages} == {(404, "not-found")}
        assert len({page.text for page in pages}) == 1
        assert trouble(own_page(client, "")) == "own-link-blank"
        for step in STEPS:
            limited = client.post(f"/rating/{step}", data={"own_link": "nothing"})
            assert (limited.status_code, trouble(limited)) == (429, "too-many")
            assert int(limited.headers["retry-after"]) > 0
        assert trouble(own_page(client, "nothing")) == "too-many"
        assert own_page(client, rating.own_link).status_code == 200
        assert trouble(begun(client, "nothing")) == "too-many"
        assert begun(client, invited(hall, served(hall))).status_code == 200
        assert client.post("/rating/other", data={}).status_code == 404
