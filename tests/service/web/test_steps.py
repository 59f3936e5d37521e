"""What the API offers somebody can be asked for, and what it says stands in the way is what they would be told."""

from __future__ import annotations

from typing import Any

import pytest

from service.forms import FORMS
from tests.service.web.house import NO_REQUEST, Case, Hall

pytestmark = pytest.mark.postgres


def shown(hall: Hall, case: Case, name: str, post: str | None = None) -> dict[str, Any]:
    """Give a case as somebody sees it."""
    answer = hall.as_(name, post).get(case.path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("until", ["accept", "sign-for", "submit-reply", "reply", "close"])
def test_what_is_said_to_stand_in_the_way_is_what_refuses(hall: Hall, until: str) -> None:
    """Every command is either offered or refused with code, reason and what to do; asking for it says the same."""
    case = hall.carry(hall.complain("QIAN"), until)
    case.made = {"reply": NO_REQUEST, "rectification": NO_REQUEST, **case.made}
    for name, post in (("ZHAO", None), ("LI", None), ("WANG", None), ("ZHOU", None), ("FENG", "REVISIT-2")):
        client = hall.as_(name, post)
        if client.get(case.path).status_code == 404:
            continue
        told = shown(hall, case, name, post)
        not_now = {one["command"]: one for one in told["not_now"]}
        assert set(told["next_steps"]) | set(not_now) == set(FORMS)
        assert not set(told["next_steps"]) & set(not_now)
        assert all(one["message"] and one["then"] for one in not_now.values())
        for command, one in not_now.items():
            answer = client.post(f"{case.path}/{command}", json=hall.form(case, command))
            assert answer.status_code in {403, 404, 409, 422}, (command, answer.text)
            said = answer.json()
            # An example names what is there; this form names nothing, somebody else's, or another unit.
            meant_otherwise = {"superseded", "not-found", "unknown-reference", "not-your-case"}
            assert said["code"] in {one["code"], *meant_otherwise}, (command, name)
        assert shown(hall, case, name, post)["version"] == case.version


def test_the_second_person_is_offered_it_and_finds_it_on_the_list(hall: Hall) -> None:
    """Who proposed a refusal is told that another must confirm; the supervisor has it among what waits."""
    case = hall.complain("QIAN")
    proposed = hall.act(case, "propose-refuse", "ZHAO")
    assert proposed.status_code == 200, proposed.text
    mine = {one["command"]: one["code"] for one in shown(hall, case, "ZHAO")["not_now"]}
    assert mine["confirm-refuse"] == "own-proposal"
    assert "confirm-refuse" in shown(hall, case, "ZHOU")["next_steps"]
    hall.project()
    for name, waits in (("ZHOU", [case.id]), ("ZHAO", [])):
        listed = hall.as_(name).get("/api/v1/complaints", params={"to_confirm": True}).json()
        assert [one["id"] for one in listed["items"]] == waits
    found = hall.as_("ZHOU").get("/api/v1/complaints", params={"paused": True}).json()
    assert found["total"] == 0
    confirmed = hall.act(case, "confirm-refuse", "ZHOU", proposal=proposed.json()["proposal"])
    assert confirmed.status_code == 200, confirmed.text
    assert shown(hall, case, "ZHOU")["step"] == "refused"


def test_a_merged_case_is_told_its_answer_once_the_other_has_one(hall: Hall) -> None:
    """That is decided with the other case, which is looked up."""
    primary, child = hall.complain("QIAN"), hall.complain("QIAN")
    assert hall.act(child, "merge", "ZHAO", primary=primary.id).status_code == 200
    told = {one["command"]: one["code"] for one in shown(hall, child, "ZHAO")["not_now"]}
    assert told["reply-linked"] == "out-of-turn"
    hall.carry(primary, "reply")
    assert "reply-linked" in shown(hall, child, "ZHAO")["next_steps"]
