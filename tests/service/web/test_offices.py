"""Who stands in for somebody, cases that go over all at once, and cases of one matter, through the API."""

from __future__ import annotations

from typing import Any

import pytest

from service.handing_over import AT_A_TIME
from tests.service.web.house import Case, Hall

pytestmark = pytest.mark.postgres

POSTS = "/api/v1/register/posts"


def lend(hall: Hall, post: str, absent: str, deputy: str) -> None:
    """Let somebody stand in for somebody else."""
    form = {"absent": str(hall.people[absent]), "deputy": str(hall.people[deputy])}
    answer = hall.as_("ADMIN").post(f"{POSTS}/{post}/deputy", json=form)
    assert answer.json()["events"] == ["DeputyAppointed"], answer.text


def test_a_deputy_acts_in_the_post_of_the_absent(hall: Hall) -> None:
    """They choose the post, see the cases, act for the one who is away; when it is over they can do nothing more."""
    case = hall.carry(hall.complain(), "assign")
    browser = hall.logged_in("TAN")
    assert browser.post("/api/v1/session/post", json={"post": "SJ-HANDLER"}).status_code == 409
    lend(hall, "SJ-HANDLER", "LI", "TAN")
    assert [one["code"] for one in browser.get("/api/v1/session").json()["posts"]] == ["SW-HANDLER", "SJ-HANDLER"]
    assert browser.post("/api/v1/session/post", json={"post": "SJ-HANDLER"}).status_code == 200
    signed = browser.post(f"{case.path}/sign-for", json={})
    assert signed.status_code == 200, signed.text
    row = hall.as_("ZHAO").get(case.path).json()
    assert row["handler"] == str(hall.people["LI"]), "the case stays that of the one who is away"
    assert hall.act(case, "record-contact", "LI").status_code == 200
    names = {"absent": str(hall.people["LI"]), "deputy": str(hall.people["TAN"])}
    told = hall.as_("ADMIN").get(POSTS).json()["deputies"]
    assert [(one["post"], one["absent"], one["deputy"]) for one in told] == [("SJ-HANDLER", *names.values())]
    ended = hall.as_("ADMIN").post(f"{POSTS}/SJ-HANDLER/end-deputy", json=names)
    assert ended.json()["events"] == ["DeputyEnded"]
    later = browser.post(f"{case.path}/record-evidence", json=hall.form(case, "record-evidence"))
    assert (later.status_code, later.json()["code"]) == (403, "no-post-chosen")


def test_nobody_stands_in_for_who_has_no_account(hall: Hall) -> None:
    """Neither the one nor the other; and an administrator not by their own word."""
    form = {"absent": str(hall.people["LI"]), "deputy": "0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21"}
    answer = hall.as_("ADMIN").post(f"{POSTS}/SJ-HANDLER/deputy", json=form)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    own = {"absent": str(hall.people["LI"]), "deputy": str(hall.people["ADMIN"])}
    answer = hall.as_("ADMIN").post(f"{POSTS}/SJ-HANDLER/deputy", json=own)
    assert answer.json()["code"] == "own-appointment"


def test_offices_are_renamed_and_merged(hall: Hall) -> None:
    """The history of a case keeps the name it was told with; what is merged gets no more cases."""
    case = hall.carry(hall.complain(), "assign")
    admin = hall.as_("ADMIN")
    renamed = admin.post(
        "/api/v1/register/department/SJ/rename", json={"name_zh": "政务服务局", "name_en": "Services Bureau"}
    )
    assert renamed.json()["events"] == ["Renamed"], renamed.text
    said = [line["said"] for line in hall.as_("ZHAO").get(f"{case.path}/history").json()["history"]]
    assert any("行政审批局" in line for line in said)
    assert not any("政务服务局" in line for line in said)
    merged = admin.post("/api/v1/register/department/SW/merge", json={"into": "SJ"})
    assert merged.json()["events"] == ["DepartmentMerged"], merged.text
    other = hall.carry(hall.complain(), "accept")
    answer = hall.act(other, "assign", "ZHAO", department="SW")
    assert (answer.status_code, answer.json()["code"]) == (409, "department-gone")


def handed(hall: Hall, **form: Any) -> dict[str, Any]:  # noqa: ANN401 - what stands in the form
    """Hand over what somebody has; the docket is brought up to date before."""
    hall.project()
    answer = hall.as_("ZHAO").post("/api/v1/hand-over", json=form, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_all_cases_of_a_person_go_over_at_once(hall: Hall) -> None:
    """Each by a command of its own, those that can; again nothing happens twice, and nobody else's case moves."""
    cases = [hall.carry(hall.complain(), "sign-for") for _ in range(2)]
    theirs = hall.carry(hall.complain(), "assign")
    form = {"from_person": str(hall.people["LI"]), "handler": str(hall.people["FENG"]), "reason": "left"}
    first = handed(hall, **form)
    assert {one["case"] for one in first["items"]} == {case.id for case in cases}
    assert all(one["moved"] for one in first["items"])
    assert first["next"] is None
    for case in cases:
        assert hall.as_("ZHAO").get(case.path).json()["handler"] == str(hall.people["FENG"])
        assert hall.act(case, "record-contact", "FENG", "SJ-HANDLER-2").status_code == 200
    position = hall.last_position()
    assert handed(hall, **form)["items"] == []
    assert hall.last_position() == position
    assert hall.as_("ZHAO").get(theirs.path).json()["step"] == "assigned"


def test_a_request_sent_again_before_the_docket_moved_does_nothing_twice(hall: Hall) -> None:
    """The command of each case follows from the request."""
    hall.carry(hall.complain(), "sign-for")
    form = {"from_person": str(hall.people["LI"]), "handler": str(hall.people["FENG"]), "reason": "left"}
    hall.project()
    client, key = hall.as_("ZHAO"), {"Idempotency-Key": "once"}
    first = client.post("/api/v1/hand-over", json=form, headers=key).json()
    position = hall.last_position()
    assert client.post("/api/v1/hand-over", json=form, headers=key).json() == first
    assert hall.last_position() == position


def test_the_cases_of_a_merged_department_go_to_its_successor(hall: Hall) -> None:
    """What cannot go there is told with its reason, and stays (domain.md §14 case 13)."""
    moving = hall.carry(hall.complain(), "assign")
    concerned = hall.carry(hall.complain(), "accept")
    hall.act(concerned, "assign", "ZHAO", handler=str(hall.people["LI"]))
    lost = handed(hall, from_department="SJ", department="SW", handler=str(hall.people["FENG"]), reason="reorganised")
    assert {one["refused"] for one in lost["items"]} == {"unknown-reference"}, "nobody of that unit"
    hall.as_("ADMIN").post("/api/v1/register/department/SJ/merge", json={"into": "SW"})
    gone = handed(hall, from_department="SJ", department="SW", reason="reorganised", after=None)
    assert {one["case"]: one["moved"] for one in gone["items"]} == {moving.id: True, concerned.id: True}
    assert hall.as_("TAN").get(moving.path).json()["department"] == "SW"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"reason": "left"}, "malformed"),
        ({"from_window": "W03", "from_department": "SJ", "reason": "left"}, "malformed"),
        ({"from_department": "SJ", "reason": "left"}, "malformed"),
        ({"from_window": "W99", "reason": "left"}, "unknown-reference"),
    ],
)
def test_it_is_said_whose_cases_go_where(still_hall: Hall, form: dict[str, str], code: str) -> None:
    """One of three, and a place; only the desk and the heads hand over."""
    assert still_hall.as_("ZHAO").post("/api/v1/hand-over", json=form).json()["code"] == code
    assert still_hall.as_("LI").post("/api/v1/hand-over", json={**form}).status_code in {403, 422}
    assert AT_A_TIME > 1


def test_the_cases_of_a_window_are_those_of_who_serves_there(hall: Hall) -> None:
    """Somebody may handle cases and serve at a counter; others' cases stay."""
    hall.as_("ADMIN").post(f"{POSTS}/INTAKE/take", json={"person": str(hall.people["LI"])})
    mine = hall.carry(hall.complain(), "sign-for")
    answer = handed(hall, from_window="W00", handler=str(hall.people["FENG"]), reason="workload")
    assert [(one["case"], one["moved"]) for one in answer["items"]] == [(mine.id, True)]


def test_cases_of_one_matter_through_the_api(hall: Hall) -> None:
    """Merged, told, asked, closed; taken apart by two people; and nobody merges into what they may not know of."""
    primary, child = hall.carry(hall.complain(), "sign-for"), hall.carry(hall.complain(), "accept")
    unknown = hall.act(child, "merge", "ZHAO", primary="0b7c1f1e-52c4-4f6e-9a51-6d7a3f0c9e21", link="joint")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    merged = hall.act(child, "merge", "ZHAO", primary=primary.id, link="joint", reason="同一事项。")
    assert merged.status_code == 200, merged.text
    assert hall.as_("ZHAO").get(child.path).json()["current"]["primary"] == primary.id
    assert hall.as_("ZHAO").get(primary.path).json()["current"]["linked"] == [child.id]
    primary.done = [step for step in primary.done if step != "merge"]
    reply = carried(hall, primary)
    early = hall.act(primary, "close", "ZHAO")
    assert (early.status_code, early.json()["code"]) == (409, "linked-unserved")
    told = hall.act(child, "reply-linked", "ZHAO", reply=reply, method="letter")
    assert told.status_code == 200, told.text
    asked = hall.act(child, "revisit-linked", "SUN", result="reached", answers={"resolved": "yes"})
    assert asked.status_code == 200, asked.text
    assert hall.act(primary, "close", "ZHAO").status_code == 200
    assert hall.as_("ZHAO").get(child.path).json()["step"] == "merged"


def carried(hall: Hall, case: Case) -> str:
    """Carry a case to its revisit; gives the reply."""
    hall.carry(case, "revisit")
    return case.made["reply"]
