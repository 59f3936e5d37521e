"""The register that every form reads, and the register and rulebook that administrators carry on."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response

from service import profiles
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres

REGISTER = "/api/v1/register"
ENTRIES = "/api/v1/register/entries"
RULEBOOK = "/api/v1/rulebook"
OURS = ("/api/v1/session", "/api/v1/accounts", "/api/v1/tokens", REGISTER, RULEBOOK)
NAMED = {"code": "X", "name_zh": "某", "name_en": "Some"}
WINDOW = {
    "kind": "window",
    "code": "W04",
    "name_zh": "四号窗口·𬭎",
    "name_en": "Window 4",
    "site": "GXQ",
    "department": "SJ",
    "window_kind": "stuck_case_window",
}


def is_refused(answer: Response, status: int, code: str) -> None:
    """Assert that an answer is a problem document that says what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["code"] == code
    assert told["then"]


def changed(**changes: object) -> dict[str, Any]:
    """The hall's policy as its next version, with these changes."""
    return {**profiles.document("hall").model_dump(mode="json", exclude_none=True), "version": 2, **changes}


def test_anybody_reads_what_a_form_needs(still_hall: Hall) -> None:
    """Places, items and categories by their public names in two languages."""
    answer = still_hall.client().get(REGISTER)
    assert answer.status_code == 200
    told = answer.json()
    assert [site["code"] for site in told["sites"]] == ["GXQ", "JD"]
    assert told["sites"][1]["parent"] == "GXQ"
    assert {"code": "SJ", "name_zh": "行政审批局", "name_en": "Approval Bureau", "site": "GXQ", "upper": None} in told[
        "departments"
    ]
    assert [(window["code"], window["window_kind"]) for window in told["windows"]] == [
        ("W00", "integrity_window"),
        ("W03", "service"),
    ]
    assert told["items"][0]["promised_working_days"] == 3
    assert "SHIRK" in [category["code"] for category in told["categories"]]
    assert answer.headers["etag"] == f'"{told["version"]}"'
    assert 0 < int(answer.headers["x-position"]) <= still_hall.last_position()


def test_the_public_register_names_no_person(still_hall: Hall) -> None:
    """Neither posts nor who holds them stand in it."""
    shown = still_hall.client().get(REGISTER).text
    for name, person in still_hall.people.items():
        assert str(person) not in shown, name
    assert "SJ-HANDLER" not in shown


def test_administrators_see_who_holds_which_post(hall: Hall) -> None:
    """Every post with its holders of now; who left is not among them."""
    admin = hall.as_("ADMIN")
    posts = {post["code"]: post for post in admin.get(f"{REGISTER}/posts").json()["posts"]}
    assert [one["person"] for one in posts["REVISIT-2"]["holders"]] == [str(hall.people["FENG"])]
    admin.post(f"{REGISTER}/posts/REVISIT-2/leave", json={"person": str(hall.people["FENG"])})
    posts = {post["code"]: post for post in admin.get(f"{REGISTER}/posts").json()["posts"]}
    assert posts["REVISIT-2"]["holders"] == []


@pytest.mark.parametrize(
    ("entry", "event"),
    [
        (
            {"kind": "site", "code": "WZ", "name_zh": "微站", "name_en": "Micro-station", "level": "micro_station"},
            "SiteAdded",
        ),
        ({"kind": "department", "code": "GA", "name_zh": "公安", "name_en": "Police", "site": "JD"}, "DepartmentAdded"),
        (WINDOW, "WindowAdded"),
        ({"kind": "item", "code": "TAX", "name_zh": "完税", "name_en": "Tax", "department": "SW"}, "ItemAdded"),
        (
            {"kind": "post", "code": "desk/2", "name_zh": "二岗", "name_en": "2", "role": "dispatcher", "site": "GXQ"},
            "PostAdded",
        ),
    ],
)
def test_every_kind_of_entry_is_entered_once(hall: Hall, entry: dict[str, str], event: str) -> None:
    """The same entry again changes nothing; another one under its code is refused."""
    admin = hall.as_("ADMIN")
    first = admin.post(ENTRIES, json=entry)
    assert first.status_code == 200
    assert first.json() == {
        "version": int(first.headers["etag"].strip('"')),
        "position": int(first.headers["x-position"]),
        "events": [event],
    }
    assert first.json()["position"] == hall.last_position()
    again = admin.post(ENTRIES, json=entry).json()
    assert (again["version"], again["events"]) == (first.json()["version"], [])
    is_refused(admin.post(ENTRIES, json={**entry, "name_en": "Renamed"}), 409, "already-there")


def test_what_is_entered_is_shown(hall: Hall) -> None:
    """Rare characters whole, under the names it was entered by."""
    hall.as_("ADMIN").post(ENTRIES, json=WINDOW)
    shown = hall.client().get(REGISTER).json()["windows"]
    assert {name: value for name, value in WINDOW.items() if name != "kind"} in shown


@pytest.mark.parametrize(
    ("entry", "status", "code"),
    [
        ({**WINDOW, "site": "NO-SUCH"}, 409, "unknown-reference"),
        ({**WINDOW, "department": "NO-SUCH"}, 409, "unknown-reference"),
        ({**WINDOW, "kind": "door"}, 422, "malformed"),
        ({name: value for name, value in WINDOW.items() if name != "kind"}, 422, "malformed"),
        ({**WINDOW, "code": "窗口"}, 422, "malformed"),
        ({**WINDOW, "code": "W" * 65}, 422, "malformed"),
        ({**WINDOW, "name_zh": ""}, 422, "malformed"),
        ({**WINDOW, "name_zh": "四号\x00"}, 422, "malformed"),
        ({**WINDOW, "name_zh": "四号\n窗口"}, 422, "malformed"),
        ({**WINDOW, "name_zh": "四" * 201}, 422, "malformed"),
        ({**WINDOW, "name_zh": "\ud800"}, 422, "malformed"),
        ({**WINDOW, "name_zh": 4}, 422, "malformed"),
        ({**WINDOW, "staff": "Li Na"}, 422, "malformed"),
        ({**NAMED, "kind": "item", "department": "SJ", "promised_working_days": -1}, 422, "malformed"),
        *(
            ({**NAMED, "kind": "post", "site": "GXQ", "role": role}, 422, "malformed")
            for role in ("system", "citizen", "public", "emperor")
        ),
        ([], 422, "malformed"),
    ],
)
def test_a_bad_entry_changes_nothing(still_hall: Hall, entry: object, status: int, code: str) -> None:
    """Unknown places, unknown kinds, texts that are no names, and posts in roles that nobody holds."""
    admin, position = still_hall.as_("ADMIN"), still_hall.last_position()
    body = json.dumps(entry)  # half a character can only be sent as its escape
    is_refused(admin.post(ENTRIES, content=body, headers={"content-type": "application/json"}), status, code)
    assert still_hall.last_position() == position


def test_who_acts_on_an_old_version_is_told(hall: Hall) -> None:
    """The version read counts when it is named, and is never decided on another one."""
    admin = hall.as_("ADMIN")
    seen = hall.client().get(REGISTER).headers["etag"]
    assert admin.post(ENTRIES, json=WINDOW, headers={"If-Match": seen}).status_code == 200
    later = {**WINDOW, "code": "W05"}
    is_refused(admin.post(ENTRIES, json=later, headers={"If-Match": seen}), 412, "stale")
    is_refused(admin.post(ENTRIES, json=later, headers={"If-Match": "seven"}), 422, "version-malformed")
    assert admin.post(ENTRIES, json=later).status_code == 200


def test_a_request_sent_twice_is_answered_as_the_first(hall: Hall) -> None:
    """The same key gives the same answer and one event; another form under it is refused."""
    admin, key = hall.as_("ADMIN"), {"Idempotency-Key": "first"}
    path, form = f"{REGISTER}/posts/SJ-HEAD/take", {"person": str(hall.people["TAN"])}
    first = admin.post(path, json=form, headers=key)
    admin.post(f"{REGISTER}/posts/SJ-HEAD/leave", json=form)
    position = hall.last_position()
    again = admin.post(path, json=form, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["x-position"] == first.headers["x-position"]
    is_refused(admin.post(path, json={"person": str(hall.people["LI"])}, headers=key), 409, "key-reused")
    assert hall.last_position() == position


def test_a_post_taken_gives_its_rights_and_left_takes_them(hall: Hall) -> None:
    """From that request on, in the session that is open."""
    admin, browser = hall.as_("ADMIN"), hall.logged_in("TAN")
    case = hall.complain()
    person = {"person": str(hall.people["TAN"])}
    desk = {"X-Post": "DESK"}
    is_refused(browser.get(case.path, headers=desk), 403, "no-post-chosen")
    assert admin.post(f"{REGISTER}/posts/DESK/take", json=person).json()["events"] == ["PostTaken"]
    assert browser.get(case.path, headers=desk).status_code == 200
    assert admin.post(f"{REGISTER}/posts/DESK/leave", json=person).json()["events"] == ["PostLeft"]
    is_refused(browser.get(case.path, headers=desk), 403, "no-post-chosen")


def test_administrators_give_themselves_no_post(hall: Hall) -> None:
    """Or they could come to see every case; it is on record that somebody tried."""
    admin = hall.as_("ADMIN")
    position = hall.last_position()
    answer = admin.post(f"{REGISTER}/posts/SUPERVISION/take", json={"person": str(hall.people["ADMIN"])})
    is_refused(answer, 403, "own-appointment")
    (attempt,) = hall.parts.recorder.select_notifications(position + 1, 10)
    assert (attempt.id, attempt.topic) == (position + 1, "attempts.refused.1")


@pytest.mark.parametrize("code", ["desk/2", "hall/desk/take"])
def test_a_post_may_have_a_stroke_in_its_code(hall: Hall, code: str) -> None:
    """A code may hold one, so a path must let it through."""
    admin = hall.as_("ADMIN")
    entry = {"kind": "post", "code": code, "name_zh": "x", "name_en": "x", "role": "dispatcher", "site": "GXQ"}
    assert admin.post(ENTRIES, json=entry).status_code == 200
    person = {"person": str(hall.people["TAN"])}
    for what, event in (("take", "PostTaken"), ("leave", "PostLeft")):
        assert admin.post(f"{REGISTER}/posts/{code}/{what}", json=person).json()["events"] == [event]


@pytest.mark.parametrize(
    ("path", "person", "status", "code"),
    [
        ("NO-SUCH/take", "TAN", 409, "unknown-reference"),
        ("NO-SUCH/leave", "TAN", 409, "unknown-reference"),
        ("DESK/leave", "TAN", 409, "out-of-turn"),
        ("DESK/take", None, 404, "unknown-account"),
        ("审批/take", "TAN", 422, "malformed"),
    ],
)
def test_a_post_is_given_to_people_who_are_there(
    still_hall: Hall, path: str, person: str | None, status: int, code: str
) -> None:
    """Unknown posts and persons are refused, and a post that is not held cannot be left."""
    position = still_hall.last_position()
    key = uuid4() if person is None else still_hall.people[person]
    is_refused(still_hall.as_("ADMIN").post(f"{REGISTER}/posts/{path}", json={"person": str(key)}), status, code)
    assert still_hall.last_position() == position


def test_the_rulebook_shows_what_was_adopted(still_hall: Hall) -> None:
    """Policies with every limit and its source, calendars of all published years, categories."""
    answer = still_hall.as_("ADMIN").get(RULEBOOK)
    told = answer.json()
    assert [(policy["profile"], policy["version"]) for policy in told["policies"]] == [("hall", 1), ("ledger", 1)]
    terms = {term["key"]: term for term in told["policies"][0]["terms"]}
    assert (terms["complaint.handle.simple"]["amount"], terms["complaint.handle.simple"]["unit"]) == (5, "working_day")
    assert [calendar["year"] for calendar in told["calendars"]] == list(range(2004, 2027))
    assert answer.headers["etag"] == f'"{told["version"]}"'
    assert told["categories_version"] == 1
    assert [(one["name"], one["version"], len(one["codes"])) for one in told["code_sets"]] == [("eval-detail", 1, 72)]


def test_a_new_policy_holds_for_what_comes_after_it(hall: Hall) -> None:
    """What was promised before stays promised; what is accepted afterwards runs by the new limits."""
    before, after = hall.complain(), hall.complain()
    hall.carry(before, until="accept")
    policy = changed()
    for key in ("complaint.assign", "complaint.handle.simple"):
        policy["terms"][key]["amount"] *= 4
    seen = hall.as_("ZHAO").get(before.path).json()["due"]
    answer = hall.as_("ADMIN").post(f"{RULEBOOK}/policies", json=policy)
    assert answer.json()["events"] == ["PolicyAdopted"]
    hall.carry(after, until="accept")
    assert hall.as_("ZHAO").get(before.path).json()["due"] == seen
    assert hall.as_("ZHAO").get(after.path).json()["due"] > seen
    assert hall.as_("ADMIN").post(f"{RULEBOOK}/policies", json=policy).json()["events"] == []


@pytest.mark.parametrize(
    ("policy", "status", "code"),
    [
        (changed(version=1, timers=False), 409, "already-there"),
        (changed(version=4), 409, "out-of-turn"),
        (changed(id="petition"), 422, "malformed"),
        (changed(zone="Mars/Olympus"), 422, "malformed"),
        (changed(may={"accept": ["emperor"]}), 422, "malformed"),
        (changed(may={"abolish": ["dispatcher"]}), 422, "malformed"),
        (changed(office_hours={"periods": [["12:00", "08:30"]]}), 422, "malformed"),
        (changed(terms={"complaint.handle.simple": {"amount": 5, "unit": "working_day"}}), 422, "malformed"),
        (
            changed(
                terms={
                    "complaint.handle.simple": {
                        "starts": "accepted",
                        "amount": 10**30,
                        "unit": "working_day",
                        "counting": "day_after",
                        "last_day": "rolls",
                        "cutoff": "end_of_day",
                        "source": "D",
                    }
                }
            ),
            422,
            "malformed",
        ),
        (changed(more=1), 422, "malformed"),
        ({}, 422, "malformed"),
    ],
)
def test_a_policy_that_cannot_be_is_not_adopted(still_hall: Hall, policy: object, status: int, code: str) -> None:
    """Unknown commands, roles and zones, hours that end before they begin, limits without end; nothing is changed."""
    position = still_hall.last_position()
    is_refused(still_hall.as_("ADMIN").post(f"{RULEBOOK}/policies", json=policy), status, code)
    assert still_hall.last_position() == position


CALENDAR = {
    "jurisdiction": "CN-15",
    "layer": "region",
    "year": 2026,
    "version": 1,
    "published_at": "2026-01-05",
    "source": "NMG-2026-1",
    "days": [{"day": "2026-07-24", "kind": "holiday"}],
}


def test_a_regional_holiday_is_adopted(hall: Hall) -> None:
    """It stands beside the national calendar, with its source."""
    admin = hall.as_("ADMIN")
    assert admin.post(f"{RULEBOOK}/calendars", json=CALENDAR).json()["events"] == ["CalendarAdopted"]
    assert admin.get(RULEBOOK).json()["calendars"][-1] == CALENDAR
    assert admin.post(f"{RULEBOOK}/calendars", json=CALENDAR).json()["events"] == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"days": [{"day": "2025-07-24", "kind": "holiday"}]}, 422, "malformed"),
        ({"days": [{"day": "2026-07-24", "kind": "holiday"}, {"day": "2026-07-24", "kind": "work"}]}, 422, "malformed"),
        ({"days": [{"day": "2026-02-30", "kind": "holiday"}]}, 422, "malformed"),
        ({"days": [{"day": "2026-07-24", "kind": "feast"}]}, 422, "malformed"),
        ({"year": 0}, 422, "malformed"),
        ({"year": 10**20}, 422, "malformed"),
        ({"version": 3}, 409, "out-of-turn"),
    ],
)
def test_a_calendar_that_cannot_be_is_not_adopted(
    still_hall: Hall, change: dict[str, object], status: int, code: str
) -> None:
    """Days of other years, days named twice, days that do not exist; nothing is changed."""
    position = still_hall.last_position()
    is_refused(still_hall.as_("ADMIN").post(f"{RULEBOOK}/calendars", json={**CALENDAR, **change}), status, code)
    assert still_hall.last_position() == position


def test_a_new_list_of_categories_is_shown_to_all(hall: Hall) -> None:
    """The public register gives the newest list."""
    categories = [
        {"code": "SHIRK", "name_zh": "推诿扯皮", "name_en": "Passing the buck"},
        {"code": "LOST-FILE", "parent": "SHIRK", "name_zh": "材料丢失", "name_en": "File lost"},
    ]
    answer = hall.as_("ADMIN").post(f"{RULEBOOK}/categories", json={"version": 2, "categories": categories})
    assert answer.json()["events"] == ["CategoriesAdopted"]
    told = hall.client().get(REGISTER).json()
    assert told["categories_version"] == 2
    assert told["categories"] == [{"parent": None, **one} for one in categories]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"version": 3, "categories": [{"code": "A", "name_zh": "a", "name_en": "a"}]}, 409, "out-of-turn"),
        ({"version": 1, "categories": [{"code": "A", "name_zh": "a", "name_en": "a"}]}, 409, "already-there"),
        ({"version": 2, "categories": []}, 422, "malformed"),
        ({"version": 2, "categories": [{"code": "A", "name_zh": "a", "name_en": "a"}] * 2}, 422, "malformed"),
        (
            {"version": 2, "categories": [{"code": "A", "parent": "B", "name_zh": "a", "name_en": "a"}]},
            422,
            "malformed",
        ),
    ],
)
def test_a_list_of_categories_that_cannot_be_is_not_adopted(
    still_hall: Hall, form: dict[str, object], status: int, code: str
) -> None:
    """Versions follow each other, codes stand once, parents exist; nothing is changed."""
    position = still_hall.last_position()
    is_refused(still_hall.as_("ADMIN").post(f"{RULEBOOK}/categories", json=form), status, code)
    assert still_hall.last_position() == position


def test_every_body_has_an_example_that_fits(hall: Hall) -> None:
    """Whoever reads the description of the API can try each command as it is shown there."""
    described = hall.client().get("/api/v1/openapi.json").json()
    admin = hall.as_("ADMIN")
    without = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if "requestBody" not in operation or not path.startswith(OURS):
                continue
            content = operation["requestBody"]["content"]["application/json"]
            name = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
            schema = described["components"]["schemas"].get(name, content["schema"])
            examples = schema.get("examples") or [one["value"] for one in content.get("examples", {}).values()]
            if not examples:
                without.append(f"{method} {path}")
            for example in examples:
                answer = admin.request(method, path.format(post="DESK", kind="department", code="SW"), json=example)
                assert answer.status_code != 422, f"{path}: {answer.text}"
    assert without == []
