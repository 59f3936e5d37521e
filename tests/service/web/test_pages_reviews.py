"""The pages of ratings for staff: each sees what is theirs, does what is theirs, and reads why not the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from psycopg.sql import SQL, Identifier
from starlette.testclient import TestClient

from domain.access import Opened
from domain.decider import THE_SYSTEM, beside
from domain.handling import HALL_ZONE
from domain.review import REVIEW
from domain.review.flagging import FlagReview, OweCheck
from projections.codec import decode
from projections.histories import read_stream
from projections.reviews import REVIEWS
from projections.words import WORDS as WORD
from service.asking import Asked
from service.web import pages_reviews
from service.web.texts import catalogue
from tests.service.web.handling import bad, carry, contested, done, excluded, objected, stage
from tests.service.web.house import Hall
from tests.service.web.rating import BAD, Rating, rated
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, post, send, trouble

pytestmark = pytest.mark.postgres

WORDS: Final = catalogue("pages")
UNIT: Final = ("HE", "LI", "WANG")
OUTSIDE: Final = ("ZHOU", "ZHAO", "SUN")


def page_of(rating: Rating) -> str:
    """Where the page of a review is."""
    return f"/reviews/{rating.id}"


def rows(page: Response) -> list[str]:
    """Give the reviews that an inbox links to."""
    return [one.removeprefix("/reviews/") for one in PageReader(page.text).addresses() if one.count("-") == 4]


def act(client: TestClient, rating: Rating, command: str, **typed: str) -> Response:
    """Open the form of a step, fill it in, and press its button."""
    path = f"{page_of(rating)}/{command}"
    shown = client.get(path)
    assert shown.status_code == 200, trouble(shown)
    answer = send(client, shown, path, **typed)
    assert (answer.status_code, trouble(answer)) == (200, ""), command
    return answer


def test_the_inbox_shows_each_what_they_may_know_of(hall: Hall) -> None:
    """The unit, and who looks from outside; not whoever was rated, not another unit, and no one without a part."""
    rating = bad(hall)
    hall.project()
    for name in (*UNIT, *OUTSIDE):
        assert rows(browser(hall, name).get("/reviews")) == [rating.id], name
    other = browser(hall, "TAN")
    assert rows(other.get("/reviews?view=all")) == []
    assert (other.get(page_of(rating)).status_code, trouble(other.get(page_of(rating)))) == (404, "not-found")
    clerk = browser(hall, "CHEN")
    for path in ("/reviews", page_of(rating)):
        assert (clerk.get(path).status_code, trouble(clerk.get(path))) == (403, "not-your-role")
        assert BAD["text"] not in clerk.get(path).text


def test_whoever_was_rated_does_not_find_it_in_whatever_office(hall: Hall) -> None:
    """Who serves at the window and handles for its unit reads the inbox without the ratings about them."""
    rating = bad(hall)
    hall.project()
    table = Identifier(REVIEWS.table)
    with hall.parts.pool.connection() as connection:
        connection.execute(SQL("update {} set staff = %s").format(table), (hall.people["LI"],))
    assert rows(browser(hall, "LI").get("/reviews?view=all")) == []
    assert rows(browser(hall, "HE").get("/reviews?view=all")) == [rating.id]


def test_the_inbox_says_in_words_what_is_next_and_late(hall: Hall) -> None:
    """The grade, the next limit, that it is over or may still move, and whose it is: words, not colours."""
    late, moving = bad(hall), bad(hall)
    hall.project()
    table = Identifier(REVIEWS.table)
    with hall.parts.pool.connection() as connection:
        # The first limit of each is that of the call.
        over = SQL("update {} set due = now() - interval '9 days', clock_dues[1] = now() - interval '9 days' {}")
        unsure = SQL("update {} set due_provisional = true, clocks_provisional[1] = true {}")
        for rating, change in ((late, over), (moving, unsure)):
            connection.execute(change.format(table, SQL("where review = %s")), (UUID(rating.id),))
    zhou = browser(hall, "ZHOU")
    page = zhou.get("/reviews")
    assert rows(page) == [late.id, moving.id]
    for word in ("不满意", "联系评价人", WORDS["due.provisional"]["zh"]):
        assert word in page.text
    assert PageReader(page.text).text.count(f" {WORDS['due.late']['zh']}") == 1
    assert rows(zhou.get("/reviews?view=overdue")) == [late.id]
    # Whose it is reads "yours", and nobody else does.
    mine = WORDS["reviews.mine"]["zh"]
    assert [mine in browser(hall, name).get("/reviews").text for name in ("HE", "LI", "ZHOU")] == [True, False, False]


def test_the_inbox_turns_pages_and_empty_lists_say_so(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page follows the last without gap or double; what is asked for wrongly shows the work to do."""
    monkeypatch.setattr(pages_reviews, "A_PAGE", 2)
    given = [bad(hall).id for _ in range(3)]
    hall.project()
    he = browser(hall, "HE")
    for view in ("todo", "bad", "nonsense"):
        first = he.get(f"/reviews?view={view}&before=x")
        following = next(one for one in PageReader(first.text).addresses() if "before=" in one and "lang=" not in one)
        second = he.get(following)
        assert sorted(rows(first) + rows(second)) == sorted(given), view
    for view, key in (("closed", "reviews.empty"), ("overdue", "reviews.empty.overdue")):
        assert WORDS[key]["zh"] in he.get(f"/reviews?view={view}").text
    assert WORDS["reviews.empty.todo"]["zh"] in browser(hall, "TAN").get("/reviews").text


def test_a_bad_rating_goes_round_on_pages(hall: Hall) -> None:
    """Called, verified, put right, replied to, revisited: each by a form; closed at the end."""
    rating = bad(hall)
    today = datetime.now(HALL_ZONE).date()
    he, li, sun = browser(hall, "HE"), browser(hall, "LI"), browser(hall, "SUN")
    act(he, rating, "contact", method="phone", result="reached")
    act(he, rating, "record-evidence", kind="recording", description="窗口监控。")
    act(he, rating, "verify", verdict="valid_complex", facts="监控显示态度生硬。")
    act(li, rating, "plan-rectification", actions="增设导办。", reason_told="须调整人员。", due=str(today))
    act(li, rating, "rectify", actions="已增设导办。")
    act(li, rating, "reply", text="已增设导办，感谢监督。", method="phone")
    closed = act(sun, rating, "revisit", method="phone", result="reached", answers__satisfied="yes")
    assert stage(hall, rating) == "bad_closed"
    told = PageReader(closed.text).text
    assert "差评办结" in told
    assert "感谢监督" not in told


def test_a_form_sent_twice_is_one_step(hall: Hall) -> None:
    """Whoever presses twice, or loads again, has done it once."""
    rating, he = bad(hall), browser(hall, "HE")
    path = f"{page_of(rating)}/contact"
    form = PageReader(he.get(path).text).form(path)
    for _ in range(2):
        assert post(he, form, method="phone", result="no_answer").status_code == 200
    with hall.parts.pool.connection() as connection:
        names = [one.name for one in read_stream(connection, UUID(rating.id))]
    assert sum("contacted" in name for name in names) == 1


def test_what_is_refused_says_what_to_do_next(hall: Hall) -> None:
    """Before anything is typed where nothing would help, over what was typed otherwise; and who may instead."""
    rating, li = bad(hall), browser(hall, "LI")
    page = li.get(page_of(rating))
    assert f"{page_of(rating)}/contact" not in PageReader(page.text).addresses()
    told = PageReader(page.text).text
    assert catalogue("refusals")["not-your-role"]["zh"] in told
    assert "核实人" in told
    early = li.get(f"{page_of(rating)}/rectify")
    assert early.status_code == 409
    assert [one.action for one in PageReader(early.text).forms if one.action.endswith("/rectify")] == []
    he, path = browser(hall, "HE"), f"{page_of(rating)}/contact"
    typed = send(he, he.get(path), path, method="phone", note="第一次打电话")
    assert (typed.status_code, trouble(typed)) == (422, "malformed")
    assert dict(PageReader(typed.text).form(path).sent())["note"] == "第一次打电话"


def test_the_words_are_opened_for_a_purpose_and_on_record(hall: Hall) -> None:
    """No page shows them by itself; the button does, and who pressed it is on record, as from a page."""
    rating, he = bad(hall), browser(hall, "HE")
    shown = he.get(page_of(rating))
    assert BAD["text"] not in shown.text
    opened = send(he, shown, f"{page_of(rating)}/open")
    assert BAD["text"] in opened.text
    assert "13800138000" not in opened.text
    stored = hall.parts.recorder.select_events(beside(UUID(rating.id), "access"))
    events = [decode(one.topic, one.state)[0] for one in stored]
    assert [(one.fields, one.by.person) for one in events if isinstance(one, Opened)] == [
        (("text",), hall.people["HE"])
    ]
    # Deciders judge by the words; whose they are is not offered to them.
    contested(hall, rating)
    form = PageReader(browser(hall, "GUO").get(page_of(rating)).text).form(f"{page_of(rating)}/open")
    offered = {str(one.attributes["value"]) for one in form.controls if one.name == "fields"}
    assert "text" in offered
    assert offered.isdisjoint({"name", "phone"})


def test_two_exclude_on_pages_and_read_what_they_confirm(hall: Hall) -> None:
    """The second reads what the first proposed, for which reason and by which evidence; then it is not theirs."""
    rating = bad(hall)
    evidence, _ = contested(hall, rating)
    first, second = browser(hall, "GUO"), browser(hall, "MA")
    act(
        first, rating, "propose-decide-appeal",
        result="exclude", reason="mistaken_target", reasons="无此办件。", evidence=evidence,
    )  # fmt: skip
    own = first.get(f"{page_of(rating)}/confirm-decide-appeal")
    assert (own.status_code, trouble(own)) == (403, "own-proposal")
    shown = PageReader(second.get(f"{page_of(rating)}/confirm-decide-appeal").text).text
    for word in ("排除该评价", "评价对象有误", "系统记录"):
        assert word in shown
    assert "无此办件" not in shown
    act(second, rating, "confirm-decide-appeal")
    assert stage(hall, rating) == "excluded"


def test_who_decided_on_what_is_theirs_no_more_is_led_to_the_list(hall: Hall) -> None:
    """The panel knows of it as long as it is contested; afterwards it is not there, and the list says it was done."""
    rating = bad(hall)
    _, appeal = contested(hall, rating)
    rejected = {"appeal": appeal, "result": "rejected", "reasons": "有受理记录。"}
    done(hall, rating, "propose-decide-appeal", "GUO", **rejected)
    ma = browser(hall, "MA")
    answer = act(ma, rating, "confirm-decide-appeal")
    assert str(answer.url.path) == "/reviews"
    assert WORDS["reviews.done"]["zh"].split("。")[1] in answer.text
    assert ma.get(page_of(rating)).status_code == 404


def test_another_panel_brings_it_back_on_pages(hall: Hall) -> None:
    """Told, objected to, decided by two who were not used before; who excluded it reads that they were."""
    rating = bad(hall)
    excluded(hall, rating)
    act(browser(hall, "ZHAO"), rating, "tell", method="phone", result="reached")
    objected(hall, rating)
    used = browser(hall, "GUO").get(f"{page_of(rating)}/propose-decide-objection")
    assert (used.status_code, trouble(used)) == (403, "panel-used")
    act(browser(hall, "XU"), rating, "propose-decide-objection", result="reinstate", reasons="窗口记录有误。")
    act(browser(hall, "DENG"), rating, "confirm-decide-objection")
    assert stage(hall, rating) == "bad_open"


def test_the_unit_is_not_told_what_was_noticed(hall: Hall) -> None:
    """Neither the list nor the page of the unit knows of flags or checks; who looks from outside reads and clears."""
    rating, now = bad(hall), datetime.now(HALL_ZONE)
    noticed = FlagReview(at=now, by=THE_SYSTEM, flag=uuid4(), detector="burst", score=60, features=(), model=1)
    for command in (noticed, OweCheck(at=now, by=THE_SYSTEM, draw=uuid4())):
        asked = Asked(command_id=uuid4(), source="test", name="notice")
        hall.parts.book.transact(REVIEW, UUID(rating.id), command, asked)
    hall.project()
    words = (WORD["detector_burst"][0], WORDS["reviews.tag.check"]["zh"], WORDS["reviews.tag.flagged"]["zh"])
    for name in UNIT:
        client = browser(hall, name)
        inbox, page = client.get("/reviews"), client.get(page_of(rating))
        assert not [one for one in PageReader(inbox.text).addresses() if "flagged" in one or "view=check" in one]
        assert rows(client.get("/reviews?view=flagged")) == rows(inbox) == [rating.id]
        # Only of what is drawn or noticed they speak to nobody of the unit.
        assert [word for word in words if word in PageReader(inbox.text).text + PageReader(page.text).text] == []
    zhou = browser(hall, "ZHOU")
    assert rows(zhou.get("/reviews?view=flagged")) == [rating.id]
    told = PageReader(zhou.get(page_of(rating)).text).text
    assert [word for word in words if word not in told] == []
    act(zhou, rating, "clear-flag", reason="同一家庭多人办事。")
    act(browser(hall, "SUN"), rating, "check", method="phone", result="reached", genuine="yes")
    assert WORD["detector_burst"][0] not in PageReader(zhou.get(page_of(rating)).text).text.split("经过")[0]


def test_whoever_was_rated_appeals_on_a_page_of_their_own(hall: Hall) -> None:
    """They read grade, codes and day; they record what proves it, name it, and appeal once; then why not again."""
    rating, chen = bad(hall), browser(hall, "CHEN")
    page = chen.get("/reviews/about-me")
    told = PageReader(page.text).text
    assert "不满意" in told
    assert not any(secret in page.text for secret in (BAD["text"], "欧阳", "13800138000"))
    base = f"/reviews/about-me/{rating.id}"
    empty = chen.get(f"{base}/appeal")
    assert "evidence" not in PageReader(empty.text).form(f"{base}/appeal").names()
    send(chen, chen.get(f"{base}/record-evidence"), f"{base}/record-evidence", kind="document", description="排班表。")
    form = PageReader(chen.get(f"{base}/appeal").text).form(f"{base}/appeal")
    offered = [str(one.attributes["value"]) for one in form.controls if one.name == "evidence"]
    assert len(offered) == 1
    missing = post(chen, form, ground="mistaken_target")
    assert (missing.status_code, trouble(missing)) == (422, "malformed")
    sent = post(chen, form, ground="mistaken_target", explanation="当日我不在三号窗口。", evidence=offered[0])
    assert (sent.status_code, trouble(sent)) == (200, "")
    assert stage(hall, rating) == "under_appeal"
    again = chen.get(f"{base}/appeal")
    assert (again.status_code >= 400, trouble(again) != "") == (True, True)
    assert f"{base}/appeal" not in PageReader(chen.get("/reviews/about-me").text).addresses()


def test_nobody_appeals_against_what_is_about_somebody_else(hall: Hall) -> None:
    """Their door is not there for others, and what is sent to it changes nothing; a good rating is not told of."""
    rating, good = bad(hall), rated(hall)
    for name in ("QIAN", "TAN", "ZHOU"):
        client = browser(hall, name)
        empty = client.get("/reviews/about-me")
        assert WORDS["about_me.empty"]["zh"] in empty.text
        csrf = next(one.values[0] for one in PageReader(empty.text).controls if one.name == "csrf")
        position = hall.last_position()
        base = f"/reviews/about-me/{rating.id}/appeal"
        form = {"csrf": csrf, "ground": "fabricated", "explanation": "不实。"}
        assert client.get(base).status_code == client.post(base, data=form).status_code == 404
        assert hall.last_position() == position
    assert good.id not in browser(hall, "CHEN").get("/reviews/about-me").text


def test_work_begins_where_it_is(hall: Hall) -> None:
    """Verifiers and deciders are led to the ratings; who has no part in them has no way there."""
    carry(hall, bad(hall), "contact")
    for name in ("HE", "GUO"):
        assert browser(hall, name).get("/work").url.path == "/reviews"
    assert "/reviews" not in PageReader(browser(hall, "CHEN").get("/docket").text).addresses()
    assert "/reviews/about-me" in PageReader(browser(hall, "CHEN").get("/docket").text).addresses()
    assert "/reviews/about-me" not in PageReader(browser(hall, "ZHOU").get("/docket").text).addresses()
