"""The own case by number and query code: withdrawn, reviewed, supplemented; and acts of two people over HTTP."""

from __future__ import annotations

from typing import Any, Final

import pytest
from httpx2 import Response

from service.settings import Settings
from tests.service.web.house import Case, Hall, Template, copy, take

pytestmark = pytest.mark.postgres

OWN: Final = "/api/v1/own"
LONG_KEY: Final = "withdraw-my-complaint-2026-11-23"


def own(hall: Hall, case: Case, command: str, by: str | None = None, **form: object) -> Response:
    """Let the complainant act, alone or at the counter of a clerk."""
    client = hall.client() if by is None else hall.as_(by)
    opening = {"complaint_no": case.complaint_no, "query_code": case.query_code}
    return client.post(f"{OWN}/{command}", json={**opening, **form})


def said(hall: Hall, case: Case) -> list[str]:
    """Give what a supervisor reads of a case."""
    answer = hall.as_("ZHOU").get(f"{case.path}/history", params={"language": "en"})
    assert answer.status_code == 200, answer.text
    return [line["said"] for line in answer.json()["history"]]


def step(hall: Hall, case: Case) -> str:
    """Give where a case stands."""
    told: str = hall.as_("ZHOU").get(case.path).json()["step"]
    return told


def test_who_complained_without_an_account_withdraws_by_number_and_code(hall: Hall) -> None:
    """Of free will, at any time before the answer; typed as people type."""
    case = hall.carry(hall.complain(), "sign-for")
    typed = Case(case.id, f" {case.complaint_no.lower()} ", case.query_code.lower().replace("-", " "), case.version)
    answer = own(hall, typed, "withdraw", reason="问题已经解决。")
    assert answer.status_code == 200, answer.text
    assert answer.json()["events"] == ["Withdrawn"]
    assert step(hall, case) == "withdrawn"
    assert said(hall, case)[-1] == "withdrew the complaint (by the query code)"


@pytest.mark.parametrize("command", ["withdraw", "request-review", "provide-supplement", "request-recusal"])
def test_a_wrong_number_and_a_wrong_code_look_alike(hall: Hall, command: str) -> None:
    """Neither says whether there is such a complaint, and nothing changes."""
    case = hall.carry(hall.complain(), "sign-for")
    other = hall.complain()
    form: dict[str, Any] = {
        "withdraw": {},
        "request-review": {"grounds": "不服。"},
        "provide-supplement": {"content": "发票。"},
        "request-recusal": {"ground": "own_interest"},
    }[command]
    before = hall.last_position()
    wrong_code = own(hall, Case(case.id, case.complaint_no, other.query_code, 1), command, **form)
    wrong_number = own(hall, Case(case.id, "TS-GXQ-20260101-00001-0", case.query_code, 1), command, **form)
    assert wrong_code.status_code == wrong_number.status_code == 404
    told = [{k: v for k, v in one.json().items() if k != "instance"} for one in (wrong_code, wrong_number)]
    assert told[0] == told[1]
    assert hall.last_position() == before


def test_the_same_key_withdraws_once_and_a_short_key_is_refused(hall: Hall) -> None:
    """Everybody without an account shares one space of keys, so a key must be long."""
    case = hall.complain()
    body = {"complaint_no": case.complaint_no, "query_code": case.query_code}
    client = hall.client(**{"Idempotency-Key": LONG_KEY})
    first, again = client.post(f"{OWN}/withdraw", json=body), client.post(f"{OWN}/withdraw", json=body)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert said(hall, case).count("withdrew the complaint (by the query code)") == 1
    reused = client.post(f"{OWN}/withdraw", json={**body, "reason": "别的原因"})
    assert (reused.status_code, reused.json()["code"]) == (409, "key-reused")
    short = hall.client(**{"Idempotency-Key": "short"}).post(f"{OWN}/withdraw", json=body)
    assert (short.status_code, short.json()["code"]) == (422, "key-malformed")


def test_a_place_and_a_number_are_asked_for_no_more_than_so_often(hall_template: Template) -> None:
    """Codes cannot be tried out; both doors that open with a code count together."""
    with copy(hall_template, Settings(lookups_per_hour=3)) as hall:
        case = hall.complain()
        wrong = {"complaint_no": case.complaint_no, "query_code": "0000-0000-0000-0000"}
        client = hall.client()
        assert [client.post(f"{OWN}/withdraw", json=wrong).status_code for _ in range(2)] == [404, 404]
        assert client.post("/api/v1/status", json=wrong).status_code == 404
        assert client.post(f"{OWN}/withdraw", json=wrong).status_code == 429
        assert own(hall, case, "withdraw", by="QIAN").status_code == 429


def test_a_clerk_of_the_window_sends_a_withdrawal_along(hall: Hall) -> None:
    """Who took it comes from the session; no field of the form names anybody."""
    case = hall.carry(hall.complain(), "sign-for")
    named = own(hall, case, "withdraw", by="QIAN", proof="signature", confirmed_by=str(hall.people["QIAN"]))
    assert named.status_code == 422
    answer = own(hall, case, "withdraw", by="QIAN", proof="signature")
    assert answer.status_code == 200, answer.text
    assert said(hall, case)[-1] == "withdrew the complaint (by signature); a clerk saw it was of free will"


@pytest.mark.parametrize("by", ["LI", "WANG", "CHEN", "SUN", "ADMIN"])
def test_no_other_role_sends_anything_along(hall: Hall, by: str) -> None:
    """Least of all the handler, the head of the unit, or whoever works at the window complained of."""
    case = hall.carry(hall.complain(), "sign-for")
    answer = own(hall, case, "withdraw", by=by, proof="signature")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")
    assert step(hall, case) == "in_progress"


def test_a_withdrawal_taken_by_whom_it_suits_is_invalid_and_goes_on_record(hall: Hall) -> None:
    """The clerk of the window holds a post in the unit complained of as well."""
    take(hall.parts, hall.people["QIAN"], "SJ-HANDLER-2")
    case = hall.carry(hall.complain(), "sign-for")
    answer = own(hall, case, "withdraw", by="QIAN", proof="signature")
    assert (answer.status_code, answer.json()["code"]) == (403, "withdrawal-invalid")
    assert step(hall, case) == "in_progress"
    assert any("tried to withdraw the complaint" in line for line in said(hall, case))


def test_a_refusal_takes_two_people_and_the_complainant_has_it_reviewed(hall: Hall) -> None:
    """Proposed by the desk, not confirmed by its proposer, confirmed by a supervisor, reviewed on request."""
    case = hall.complain(phone="13800000000")
    form = {
        "refuse_reason": "out_of_jurisdiction",
        "legal_basis": "条例第三条",
        "explanation": "该事项由市级办理。",
        "proper_channel": "competent_authority",
    }
    desk, supervisor = hall.as_("ZHAO"), hall.as_("ZHOU")
    proposed = desk.post(f"{case.path}/propose-refuse", json=form)
    assert proposed.status_code == 200, proposed.text
    proposal = {"proposal": proposed.json()["proposal"]}
    waiting = desk.get(case.path).json()["current"]["proposals"]
    assert waiting == [{**proposal, "confirm": "confirm-refuse"}]
    alone = desk.post(f"{case.path}/confirm-refuse", json=proposal)
    assert (alone.status_code, alone.json()["code"]) == (403, "own-proposal")
    twice = desk.post(f"{case.path}/propose-refuse", json=form)
    assert twice.json()["code"] == "proposal-pending"
    assert supervisor.post(f"{case.path}/confirm-refuse", json=proposal).status_code == 200
    assert step(hall, case) == "refused"
    review = own(hall, case, "request-review", grounds="我的事项就在本区。")
    assert review.status_code == 200, review.text
    assert review.json()["review"] == hall.as_("ZHOU").get(case.path).json()["current"]["review"]
    assert step(hall, case) == "under_review"
    told = hall.client().post(
        "/api/v1/status",
        json={"complaint_no": case.complaint_no, "query_code": case.query_code, "language": "en"},
    )
    assert told.status_code == 200, told.text
    lines = [line["said"] for line in told.json()["history"]]
    assert any(line.startswith("did not accept it") for line in lines)


def test_a_supplement_is_brought_without_knowing_its_id(hall: Hall) -> None:
    """What was asked for last is what is meant; where nothing was asked for, that is said."""
    case = hall.complain()
    nothing = own(hall, case, "provide-supplement", content="发票复印件。")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "superseded")
    asked = hall.as_("ZHAO").post(f"{case.path}/request-supplement", json={"items": ["发票"]})
    assert asked.status_code == 200, asked.text
    brought = own(hall, case, "provide-supplement", content="发票复印件。")
    assert brought.status_code == 200, brought.text
    assert step(hall, case) == "registered"
