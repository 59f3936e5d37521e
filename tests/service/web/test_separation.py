"""Nobody acts on both sides of a case, in whatever post and order; what was tried is on record for who supervises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import uuid4

import pytest
from httpx2 import Response

from domain import register
from domain.decider import THE_SYSTEM, Code
from domain.register import LeavePost
from service.casebook import Asked
from service.forms import FORMS
from tests.service.web.house import STEPS, Case, Hall, take
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

HANDLER: Final = "SJ-HANDLER-2"
OF_A_HANDLER: Final = frozenset({name for name, who, _ in STEPS if who == "LI"})


def give(hall: Hall, name: str, post: Code) -> None:
    """Give somebody one more post, with a token for it."""
    take(hall.parts, hall.people[name], post)
    token = hall.parts.accounts.add_token(hall.people[name], post, "test", 30).token
    hall.tokens = {**hall.tokens, (name, post): token}


def leave(hall: Hall, name: str, post: Code) -> None:
    """Let somebody leave a post."""
    asked = Asked(command_id=uuid4(), source="test", name="leave-post")
    command = LeavePost(at=SOME_TIME, by=THE_SYSTEM, post=post, person=hall.people[name])
    hall.parts.book.transact(register.REGISTER, register.STREAM, command, asked)


def carry_by_feng(hall: Hall, case: Case, until: str) -> Case:
    """Carry a case along its way with FENG in place of LI as the handler."""
    names = [name for name, _, _ in STEPS]
    for command, name, _ in STEPS[len(case.done) : names.index(until) + 1]:
        who, post = ("FENG", HANDLER) if command in OF_A_HANDLER else (name, None)
        answer = hall.act(case, command, who, post)
        assert answer.status_code == 200, f"{command}: {answer.text}"
    return case


def version(hall: Hall, case: Case) -> str:
    """Give the version of a case as a supervisor reads it."""
    return str(hall.as_("ZHOU").get(case.path).headers["etag"])


def told(hall: Hall, case: Case, name: str = "ZHOU") -> list[str]:
    """Give the refused attempts in the history that somebody reads."""
    lines = hall.as_(name).get(f"{case.path}/history", params={"language": "en"}).json()["history"]
    return [line["said"] for line in lines if "was refused" in line["said"]]


def is_watched(hall: Hall, case: Case, act: Callable[[], Response], status: int, code: str) -> None:
    """Assert that an attempt is refused so, goes on record once for who supervises, and does not move the case."""
    before, position, lines = version(hall, case), hall.last_position(), told(hall, case)
    answer = act()
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["then"]
    assert version(hall, case) == before
    assert hall.last_position() == position + 1
    assert len(told(hall, case)) == len(lines) + 1
    assert told(hall, case, "WU") == told(hall, case)
    assert told(hall, case, "ZHAO") == []


def is_not_there(hall: Hall, answers: Iterable[Response], position: int) -> None:
    """Assert that somebody was told of no case, and nothing was written."""
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), answer.text
    assert hall.last_position() == position


def test_nobody_approves_their_own_reply(hall: Hall) -> None:
    """Who handled a case and heads the unit too neither approves nor rejects; another head does."""
    give(hall, "FENG", "SJ-HEAD")
    case = carry_by_feng(hall, hall.complain(by="QIAN"), "submit-reply")
    is_watched(hall, case, lambda: hall.act(case, "approve-reply", "FENG", "SJ-HEAD"), 403, "own-work-approved")
    assert "approve a reply" in told(hall, case)[-1]
    assert hall.act(case, "approve-reply", "WANG").status_code == 200


def test_nobody_handles_what_they_judged(hall: Hall) -> None:
    """The other way round: a head who approved, or a supervisor who verified, does not handle afterwards."""
    give(hall, "LI", "SJ-HEAD")
    give(hall, "LI", "SUPERVISION")
    case = hall.carry(hall.complain(by="QIAN"), "rectify")
    act = lambda: hall.act(case, "verify-rectification", "LI", "SUPERVISION", passed=False)  # noqa: E731
    is_watched(hall, case, act, 403, "own-work-verified")
    give(hall, "FENG", "SUPERVISION")
    assert hall.act(case, "verify-rectification", "FENG", "SUPERVISION", passed=False).status_code == 200
    before = version(hall, case)
    for command in ("record-contact", "record-evidence", "record-finding", "plan-rectification", "submit-reply"):
        assert hall.act(case, command, "FENG", HANDLER).status_code in {403, 409}
    assert version(hall, case) == before


def test_nobody_delivers_what_they_approved(hall: Hall) -> None:
    """The head who approved takes the post of a handler as well, and may still not deliver the reply."""
    give(hall, "WANG", HANDLER)
    case = hall.carry(hall.complain(by="QIAN"), "approve-reply")
    is_watched(hall, case, lambda: hall.act(case, "reply", "WANG", HANDLER), 403, "own-work-approved")


def test_nobody_verifies_their_own_rectification(hall: Hall) -> None:
    """Who rectified and supervises too is refused, whatever the result would be."""
    give(hall, "FENG", "SUPERVISION")
    case = carry_by_feng(hall, hall.complain(by="QIAN"), "rectify")
    for passed in (True, False):
        act = lambda passed=passed: hall.act(case, "verify-rectification", "FENG", "SUPERVISION", passed=passed)  # noqa: E731
        is_watched(hall, case, act, 403, "own-work-verified")
    assert hall.act(case, "verify-rectification", "ZHOU").status_code == 200


def test_nobody_revisits_the_work_of_their_unit(hall: Hall) -> None:
    """While FENG belongs to the unit the case is not there for the revisit; having left, it is, and is refused."""
    case = carry_by_feng(hall, hall.complain(by="QIAN"), "reply")
    position = hall.last_position()
    is_not_there(hall, [hall.act(case, "revisit", "FENG", "REVISIT-2")], position)
    leave(hall, "FENG", HANDLER)
    is_watched(hall, case, lambda: hall.act(case, "revisit", "FENG", "REVISIT-2"), 403, "own-work-revisited")
    assert hall.act(case, "revisit", "SUN").status_code == 200


def test_a_session_that_changes_posts_stays_one_person(hall: Hall) -> None:
    """With X-Post, with a chosen post or with two sessions: persons are compared, not posts."""
    give(hall, "FENG", "SJ-HEAD")
    case = carry_by_feng(hall, hall.complain(by="QIAN"), "submit-reply")
    browser, form = hall.logged_in("FENG"), hall.form(case, "approve-reply")
    path = f"{case.path}/approve-reply"
    is_watched(
        hall, case, lambda: browser.post(path, json=form, headers={"X-Post": "SJ-HEAD"}), 403, "own-work-approved"
    )
    assert browser.post("/api/v1/session/post", json={"post": "SJ-HEAD"}).status_code == 200
    is_watched(hall, case, lambda: browser.post(path, json=form), 403, "own-work-approved")
    position = hall.last_position()
    for post in ("SJ-HEAD ", "sj-head", "SUPERVISION"):
        answer = browser.post(path, json=form, headers={"X-Post": post})
        assert answer.status_code == 403
    assert browser.post(path, json={**form, "by": str(hall.people["WANG"])}).status_code == 422
    assert hall.last_position() in {position, position + 1}
    assert version(hall, case) == f'"{case.version}"'


def test_a_unit_does_not_lead_what_is_about_its_head(hall: Hall) -> None:
    """The desk that assigns it there is refused, and it is on record that it tried."""
    case = hall.complain(by="QIAN", respondent={"staff": str(hall.people["WANG"])})
    hall.carry(case, "accept")
    is_watched(hall, case, lambda: hall.act(case, "assign", "ZHAO", department="SJ"), 409, "unit-concerned")
    assert hall.act(case, "assign", "ZHAO", department="SW").status_code == 200


def test_the_same_attempt_is_on_record_once(hall: Hall) -> None:
    """Sent again with its key it is refused again, and counted once; without a key it was tried twice."""
    give(hall, "FENG", "SJ-HEAD")
    case = carry_by_feng(hall, hall.complain(by="QIAN"), "submit-reply")
    client, form, position = hall.as_("FENG", "SJ-HEAD"), hall.form(case, "approve-reply"), hall.last_position()
    for _ in range(3):
        answer = client.post(f"{case.path}/approve-reply", json=form, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 403
    assert hall.last_position() == position + 1
    for _ in range(2):
        assert client.post(f"{case.path}/approve-reply", json=form).status_code == 403
    assert hall.last_position() == position + 3


@pytest.mark.parametrize(
    ("command", "name", "status"),
    [
        ("accept", "QIAN", 403),
        ("close", "ZHAO", 409),
        ("assign", "ZHOU", 403),
        ("sign-for", "ZHAO", 403),
        ("accept", "WU", 403),
    ],
)
def test_an_honest_mistake_is_not_on_record(hall: Hall, command: str, name: str, status: int) -> None:
    """Out of turn, or in the wrong role: refused and forgotten, for the record is of separation alone."""
    case = hall.complain(by="QIAN")
    position = hall.last_position()
    answer = hall.act(case, command, name)
    assert answer.status_code in {status, 409}, answer.text
    assert hall.last_position() == position
    assert told(hall, case) == []


def everything(hall: Hall, case: Case, name: str, post: Code | None = None) -> list[Response]:
    """Let somebody try every address of a case."""
    client, nobody = hall.as_(name, post), str(uuid4())
    named: dict[str, Any] = {"reply": nobody, "rectification": nobody}
    made = Case(id=case.id, complaint_no="", query_code="", version=0, made=named)
    return [
        client.get(case.path),
        client.get(f"{case.path}/history"),
        client.post(f"{case.path}/open", json={"fields": ["narrative", "phone"]}),
        *(client.post(f"{case.path}/{command}", json=hall.form(made, command)) for command in FORMS),
    ]


@pytest.mark.parametrize(
    "post", ["W03-CLERK", "SUPERVISION", "DESK", "SJ-HANDLER", "SJ-HEAD", "AUDIT", "REVISIT", "INTAKE"]
)
def test_who_serves_at_the_window_complained_of_knows_nothing(hall: Hall, post: Code) -> None:
    """CHEN gains every other post and still sees no case about the window, nor can act on it; other cases are seen."""
    if post != "W03-CLERK":
        give(hall, "CHEN", post)
    case = hall.carry(hall.complain(by="QIAN"), "reply")
    position = hall.last_position()
    is_not_there(hall, everything(hall, case, "CHEN", post), position)
    hall.project()
    assert hall.as_("CHEN", post).get("/api/v1/complaints").json()["total"] == 0


@pytest.mark.parametrize(
    ("name", "until"), [("ZHAO", None), ("ZHOU", None), ("WU", None), ("SUN", "reply"), ("LI", "sign-for")]
)
def test_whom_it_is_about_knows_nothing(hall: Hall, name: str, until: str | None) -> None:
    """Desk, supervisor, auditor, revisit officer and handler alike: a complaint about them is not there for them."""
    about: dict[str, object] = {"respondent": {"department": "SJ", "staff": str(hall.people[name])}}
    case = hall.complain(by="QIAN", **about)
    if until is not None:
        carry_by_feng(hall, case, until)
    position = hall.last_position()
    is_not_there(hall, everything(hall, case, name), position)
    hall.project()
    assert hall.as_(name).get("/api/v1/complaints").json()["total"] == 0


def test_who_comes_to_the_window_later_goes_no_further(hall: Hall) -> None:
    """The handler takes a post at the window in the middle of the case: from then on it is not theirs to see."""
    case = hall.carry(hall.complain(by="QIAN"), "sign-for")
    assert hall.as_("LI").get(case.path).status_code == 200
    take(hall.parts, hall.people["LI"], "W03-CLERK")
    position = hall.last_position()
    is_not_there(hall, everything(hall, case, "LI"), position)


def test_the_complainant_reads_their_case_and_acts_on_nothing(hall: Hall) -> None:
    """Number and code open the status alone: they are no log-in, and no command takes them."""
    case = hall.complain(phone="13800000000")
    asked = {"complaint_no": case.complaint_no, "query_code": case.query_code}
    assert hall.client().post("/api/v1/status", json=asked).json()["step"] == "registered"
    position = hall.last_position()
    for headers in (
        {},
        {"Authorization": f"Bearer {case.query_code}"},
        {"Cookie": f"bihuan_session={case.query_code}"},
    ):
        client = hall.client(**headers)
        for command in FORMS:
            made = Case(
                id=case.id, complaint_no="", query_code="", version=0, made={"reply": case.id, "rectification": case.id}
            )
            answer = client.post(f"{case.path}/{command}", json=hall.form(made, command), params=asked)
            assert answer.status_code == 401
    assert hall.last_position() == position
