"""The pages of the work: a case is there for whom it may be, its steps say why not, the docket says what is late."""

from __future__ import annotations

import re
import tempfile
from uuid import UUID

import pytest
from psycopg.sql import SQL, Identifier

from domain.access import Opened
from domain.decider import beside
from projections.codec import decode
from projections.docket import DOCKET
from service.web.texts import catalogue
from tests.service.web.house import Hall
from tests.service.web.reading_pages import PageReader
from tests.service.web.visits import browser, post, send, trouble

pytestmark = pytest.mark.postgres


def test_a_case_one_may_not_know_of_is_not_there(hall: Hall) -> None:
    """Its page, its steps, its sealed values: the same words as for a case that does not exist."""
    case = hall.complain(by="QIAN")
    tan = browser(hall, "TAN")
    nothing = tan.get("/cases/00000000-0000-4000-8000-000000000000")
    for path in (f"/cases/{case.id}", f"/cases/{case.id}/sign-for"):
        found = tan.get(path)
        assert (found.status_code, trouble(found)) == (404, "not-found"), path
        assert case.complaint_no not in found.text
        assert found.text.replace(case.id, "") == nothing.text.replace("00000000-0000-4000-8000-000000000000", "")
    csrf = next(one.values[0] for one in PageReader(tan.get("/docket").text).controls if one.name == "csrf")
    position = hall.last_position()
    for action in ("open", "accept", "sign-for"):
        assert tan.post(f"/cases/{case.id}/{action}", data={"csrf": csrf, "fields": "narrative"}).status_code == 404
    assert hall.last_position() == position


def test_what_the_rules_would_let_happen_does_not_reach_an_unseen_case(hall: Hall) -> None:
    """A clerk may give new codes, but not for a complaint that came from elsewhere: it is not there for them."""
    case, clerk = hall.complain(), browser(hall, "QIAN")
    csrf = next(one.values[0] for one in PageReader(clerk.get("/docket").text).controls if one.name == "csrf")
    position = hall.last_position()
    answer = clerk.post(f"/cases/{case.id}/replace-query-code", data={"csrf": csrf})
    assert (answer.status_code, trouble(answer)) == (404, "not-found")
    assert hall.last_position() == position
    asked = {"complaint_no": case.complaint_no, "query_code": case.query_code}
    assert clerk.post("/status", data=asked).status_code == 200


def test_opening_sealed_values_goes_on_record(hall: Hall) -> None:
    """Only a press of the button opens, with the purpose on it; who opened which is on record, as for the API."""
    case, client = hall.complain(by="QIAN", phone="13800000000", name="某人"), browser(hall, "ZHAO")
    shown = client.get(f"/cases/{case.id}")
    assert "13800000000" not in shown.text
    assert catalogue("pages")["open.send"]["zh"].split("{")[0] in shown.text
    form = PageReader(shown.text).form(f"/cases/{case.id}/open")
    form.controls = [one for one in form.controls if one.name == "csrf"]
    opened = post(client, form, fields="phone")
    assert "13800000000" in opened.text
    assert "某人" not in PageReader(opened.text).text
    stored = hall.parts.recorder.select_events(beside(UUID(case.id), "access"))
    events = [decode(one.topic, one.state)[0] for one in stored]
    assert [(type(one), one.fields, one.by.person) for one in events if isinstance(one, Opened)] == [
        (Opened, ("phone",), hall.people["ZHAO"])
    ]


def test_steps_are_offered_to_those_who_may_and_explained_to_others(hall: Hall) -> None:
    """The desk accepts; the clerk reads who may, and what to do instead."""
    case = hall.complain(by="QIAN")
    desk, clerk = browser(hall, "ZHAO").get(f"/cases/{case.id}"), browser(hall, "QIAN").get(f"/cases/{case.id}")
    assert f"/cases/{case.id}/accept" in PageReader(desk.text).addresses()
    assert f"/cases/{case.id}/accept" not in PageReader(clerk.text).addresses()
    why = PageReader(clerk.text).text
    assert catalogue("refusals")["not-your-role"]["zh"] in why
    assert "投诉处置岗" in why


def test_a_refused_step_comes_back_with_its_form(hall: Hall) -> None:
    """The rules' refusal is told in the reader's language, with its code, over what was typed."""
    case = hall.carry(hall.complain(by="QIAN", points=2), "plan-rectification")
    li, path = browser(hall, "LI"), f"/cases/{case.id}/submit-reply"
    typed = {"decision": "upheld", "reasons": "经查属实。", "legal_basis": "条例"}
    page = send(li, li.get(path), path, **typed)
    assert (page.status_code, trouble(page)) == (422, "malformed")
    form = PageReader(page.text).form(path)
    next(one for one in form.controls if one.name == "points").values = ["属实。"]
    page = post(li, form)
    assert (page.status_code, trouble(page)) == (409, "points-unanswered")
    assert catalogue("refusals")["points-unanswered"]["then_zh"] in page.text
    assert dict(PageReader(page.text).form(path).sent())["reasons"] == "经查属实。"
    li.get("/docket?lang=en")
    assert "The reply does not answer every point" in post(li, form).text


def test_what_is_refused_whatever_is_written_is_told_before(hall: Hall) -> None:
    """Who opens the form of a step that stands in nobody's hands yet reads why, and is not let to fill it in."""
    case, li = hall.carry(hall.complain(by="QIAN"), "record-contact"), browser(hall, "LI")
    path = f"/cases/{case.id}/submit-reply"
    page = li.get(path)
    assert (page.status_code, trouble(page)) == (409, "finding-missing")
    assert catalogue("refusals")["finding-missing"]["then_zh"] in page.text
    assert [form.action for form in PageReader(page.text).forms if form.action == path] == []


def test_one_more_is_asked_for_without_losing_anything(hall: Hall) -> None:
    """A button adds a place for another answer, and nothing is written."""
    case = hall.carry(hall.complain(by="QIAN", points=2), "plan-rectification")
    li, path, position = browser(hall, "LI"), f"/cases/{case.id}/submit-reply", hall.last_position()
    first = li.get(path)
    assert first.text.count('name="points"') == 2
    more = send(li, first, path, more="points", reasons="写到一半")
    assert (more.status_code, more.text.count('name="points"')) == (200, 3)
    assert dict(PageReader(more.text).form(path).sent())["reasons"] == "写到一半"
    assert trouble(more) == ""
    assert hall.last_position() == position


def test_a_file_is_taken_whole_and_sealed(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was chosen on the disk is evidence, byte for byte; on its way it lies in no file of ours."""
    # Whoever would put it into a temporary file finds no place for one.
    monkeypatch.setattr(tempfile, "tempdir", "nowhere")
    case = hall.carry(hall.complain(by="QIAN"), "record-contact")
    li, path = browser(hall, "LI"), f"/cases/{case.id}/record-evidence"
    form = PageReader(li.get(path).text).form(path)
    assert any(one.kind == "file" for one in form.controls)
    content = bytes(range(256)) * 8000
    pairs = {**dict(form.sent()), "kind": "photo", "description": "照片"}
    found = li.post(path, data=pairs, files={"content": ("照片 <b>.jpg", content, "image/jpeg")})
    assert found.status_code == 200, found.text
    with hall.parts.pool.connection() as connection:
        row = connection.execute("select octet_length(box) from vault.attachments").fetchone()
    assert row is not None
    assert row[0] >= len(content)


def test_the_docket_says_what_is_late_in_words(hall: Hall) -> None:
    """Overdue and provisional are words, not only colours; filters, order and total are those of the API."""
    cases = [hall.complain(by="QIAN") for _ in range(3)]
    hall.carry(cases[0], "assign")
    hall.project()
    table = Identifier(DOCKET.table)
    with hall.parts.pool.connection() as connection:
        connection.execute(
            SQL("update {} set due = now() - interval '9 days' where complaint_no = %s").format(table),
            (cases[1].complaint_no,),
        )
        connection.execute(
            SQL("update {} set due = now() - interval '1 day', due_provisional = true where complaint_no = %s").format(
                table
            ),
            (cases[2].complaint_no,),
        )
    desk = browser(hall, "ZHAO")
    page = desk.get("/docket")
    words = catalogue("pages")
    row = re.findall(r"<tr.*?</tr>", page.text, re.DOTALL)
    assert words["due.late"]["zh"] in next(one for one in row if cases[1].complaint_no in one)
    assert words["due.provisional"]["zh"] in next(one for one in row if cases[2].complaint_no in one)
    for number in (cases[0].complaint_no, cases[2].complaint_no):
        # Nobody is late by a date that may still move.
        assert words["due.late"]["zh"] not in next(one for one in row if number in one)
    assert page.text.index(cases[1].complaint_no) < page.text.index(cases[2].complaint_no)
    assert words["docket.total"]["zh"].format(total=3) in page.text
    only = desk.get("/docket", params={"number": f" {cases[0].complaint_no} "})
    assert [one.complaint_no in only.text.split("<tbody>")[-1] for one in cases] == [True, False, False]
    assert cases[0].complaint_no in desk.get("/docket?department=SJ&step=assigned").text
    for nothing in ("?number=%00'--", "?step=nothing&number=none", "?department=%F0%9F%98%80"):
        assert desk.get(f"/docket{nothing}").status_code == 200
    assert desk.get("/docket?cursor=nonsense").url.query == b""


def test_a_case_is_told_by_either_clock(hall: Hall) -> None:
    """As it stood at a moment, read on the hall's clock; what is no moment says so and shows the present."""
    case, client = hall.carry(hall.complain(by="QIAN"), "accept"), browser(hall, "ZHAO")
    words = catalogue("pages")
    before = client.get(f"/cases/{case.id}", params={"as_of": "2001-01-01T00:00"})
    assert words["case.past.none"]["zh"] in before.text
    assert words["steps.title"]["zh"] not in before.text
    wrong = client.get(f"/cases/{case.id}", params={"known_at": "once"})
    assert words["case.unread"]["zh"] in wrong.text
    assert words["steps.title"]["zh"] in wrong.text


def test_a_new_query_code_is_shown_once_like_the_first(hall: Hall) -> None:
    """The counter gives a new code on a receipt; the old one is dead."""
    case, clerk = hall.complain(by="QIAN"), browser(hall, "QIAN")
    page = send(clerk, clerk.get(f"/cases/{case.id}"), f"/cases/{case.id}/replace-query-code")
    assert page.url.path == "/receipt"
    code = re.search(r'id="code">([^<]+)<', page.text)
    assert code is not None
    assert code[1] != case.query_code
    asked = {"complaint_no": case.complaint_no}
    assert clerk.post("/status", data={**asked, "query_code": case.query_code}).status_code == 404
    assert clerk.post("/status", data={**asked, "query_code": code[1]}).status_code == 200


def test_a_citizen_acts_on_the_own_case_by_number_and_code(hall: Hall) -> None:
    """Withdrawn on a page without an account: once, with the right code only, and what was typed stays."""
    case, citizen = hall.complain(), browser(hall)
    told = citizen.post("/status", data={"complaint_no": case.complaint_no, "query_code": case.query_code})
    address = f"/own/withdraw?number={case.complaint_no}"
    assert address in PageReader(told.text).addresses()
    page, position = citizen.get(address), hall.last_position()
    assert dict(PageReader(page.text).form("/own/withdraw").sent())["complaint_no"] == case.complaint_no
    wrong = send(citizen, page, "/own/withdraw", query_code="0000-0000-0000-0000", reason="已经解决。")
    assert (wrong.status_code, trouble(wrong)) == (404, "not-found")
    assert hall.last_position() == position
    form = PageReader(wrong.text).form("/own/withdraw")
    assert dict(form.sent())["reason"] == "已经解决。"
    done = post(citizen, form, query_code=case.query_code)
    assert (done.status_code, done.url.path, done.url.query) == (200, "/status", b"done=withdraw")
    assert hall.as_("ZHOU").get(case.path).json()["step"] == "withdrawn"
    position = hall.last_position()
    assert post(citizen, form, query_code=case.query_code).status_code == 200
    assert hall.last_position() == position
    for elsewhere in ("accept", "request-recusal", "nothing"):
        assert citizen.get(f"/own/{elsewhere}").status_code == 404
        assert citizen.post(f"/own/{elsewhere}", data={}).status_code == 404


def test_a_review_too_late_or_too_early_says_so(hall: Hall) -> None:
    """What the rules refuse a complainant is told on the page, in their language."""
    case, citizen = hall.complain(), browser(hall)
    asked = {"complaint_no": case.complaint_no, "query_code": case.query_code, "grounds": "我不同意。"}
    page = send(citizen, citizen.get("/own/request-review"), "/own/request-review", **asked)
    assert (page.status_code, trouble(page)) == (409, "out-of-turn")
    assert trouble(send(citizen, page, "/own/request-review", grounds=" ")) == "malformed"


def test_a_case_is_merged_into_one_that_is_chosen_by_its_number(hall: Hall) -> None:
    """The form offers the open cases one may know of, by number, and not the case itself."""
    first, second = hall.complain(by="QIAN"), hall.complain(by="QIAN")
    hall.project()
    desk, path = browser(hall, "ZHAO"), f"/cases/{second.id}/merge"
    page = desk.get(path)
    offered = next(one for one in PageReader(page.text).form(path).controls if one.name == "primary")
    assert set(offered.options) - {""} == {first.id}
    assert first.complaint_no in page.text
    done = send(desk, page, path, primary=first.id, link="joint", reason="同一事项。")
    assert (done.status_code, trouble(done)) == (200, "")
    assert f"/cases/{first.id}" in PageReader(done.text).addresses()
