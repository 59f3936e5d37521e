"""What everybody may read of published cases, and what nobody ever finds there."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.service.web.house import Case, Hall, take

pytestmark = pytest.mark.postgres

PUBLISHED: Final = "/api/v1/published"
REDACTED: Final = "群众反映某窗口两次告知内容不一致。"
ANSWERED: Final = "经查属实，已统一一次性告知单。"


def officer(hall: Hall) -> None:
    """Let TAN guard privacy as well: a post that this hall has to be given first."""
    admin = hall.as_("ADMIN")
    entry = {"kind": "post", "code": "PRIVACY", "name_zh": "个保岗", "name_en": "Privacy", "role": "privacy_officer"}
    answer = admin.post("/api/v1/register/entries", json={**entry, "site": "GXQ"})
    assert answer.status_code in {200, 201}, answer.text
    take(hall.parts, hall.people["TAN"], "PRIVACY")
    token = hall.parts.accounts.add_token(hall.people["TAN"], "PRIVACY", "test", 1).token
    hall.tokens = {**hall.tokens, ("TAN", "PRIVACY"): token}


def publish(hall: Hall, case: Case, text: str = REDACTED, reply: str | None = ANSWERED) -> None:
    """Let the desk propose and the privacy officer confirm."""
    proposed = hall.as_("ZHAO").post(f"{case.path}/propose-publish", json={"redaction": text, "reply": reply})
    assert proposed.status_code == 200, proposed.text
    proposal = {"proposal": proposed.json()["proposal"]}
    confirmed = hall.as_("TAN", "PRIVACY").post(f"{case.path}/confirm-publish", json=proposal)
    assert confirmed.status_code == 200, confirmed.text
    hall.project()


def public(hall: Hall, **asked: int) -> dict[str, Any]:
    """Give what a stranger reads."""
    answer = hall.client().get(PUBLISHED, params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_published_case_is_read_by_everybody_without_anybody_in_it(hall: Hall) -> None:
    """Text, answer, office and category, days instead of times; neither number nor name, phone or person."""
    officer(hall)
    case = hall.carry(hall.complain(name="欧阳·𬭎", phone="13800000000"), "reply")
    assert public(hall) == {"items": [], "next": None}
    publish(hall, case)
    (one,) = public(hall)["items"]
    assert one["published_on"] == one["received_on"]
    assert len(one["published_on"]) == len("2026-11-23")
    assert {key: value for key, value in one.items() if not key.endswith("_on")} == {
        "hall": "GXQ",
        "department": "SJ",
        "category": "NO_ONE_TIME_NOTICE",
        "text": REDACTED,
        "reply": ANSWERED,
    }
    answer = hall.client().get(PUBLISHED).text
    persons = [str(person) for person in hall.people.values()]
    for secret in ("欧阳", "13800000000", case.complaint_no, case.id, "3号窗口", *persons):
        assert secret not in answer


def test_what_looks_personal_does_not_come_so_far(hall: Hall) -> None:
    """The desk is told, and nothing is proposed."""
    case = hall.carry(hall.complain(), "reply")
    answer = hall.as_("ZHAO").post(f"{case.path}/propose-publish", json={"redaction": "请回电13800138000"})
    assert (answer.status_code, answer.json()["code"]) == (409, "still-personal")
    hall.project()
    assert public(hall)["items"] == []


def test_what_is_taken_out_or_restricted_is_gone_at_once_for_everybody(hall: Hall) -> None:
    """A restriction that is lifted shows it again; what is taken out may come back with other words."""
    officer(hall)
    case = hall.carry(hall.complain(), "reply")
    publish(hall, case)
    privacy = hall.as_("TAN", "PRIVACY")
    wish = {"complaint_no": case.complaint_no, "query_code": case.query_code, "ground": "purpose_fulfilled"}
    assert hall.client().post("/api/v1/privacy/requests", json=wish).status_code == 200
    hall.project()
    assert len(public(hall)["items"]) == 1
    request = privacy.get(case.path).json()["erasure_request"]
    decision = {"erasure_request": request, "result": "restricted", "legal_basis": "L3-47"}
    assert privacy.post(f"{case.path}/decide-erasure", json=decision).status_code == 200
    hall.project()
    assert public(hall)["items"] == []
    assert privacy.post(f"{case.path}/lift-restriction", json={"reason": "mistake"}).status_code == 200
    hall.project()
    assert len(public(hall)["items"]) == 1
    taken_out = privacy.post(f"{case.path}/unpublish", json={"reason": "内容有误。"})
    assert taken_out.status_code == 200, taken_out.text
    hall.project()
    assert public(hall)["items"] == []


def test_pages_of_published_cases_lead_on_from_the_newest(hall: Hall) -> None:
    """The one published last comes first; the last page says there is no next."""
    officer(hall)
    for number in range(3):
        publish(hall, hall.carry(hall.complain(), "reply"), f"第{number}件。", None)
    first = public(hall, limit=2)
    assert [one["text"] for one in first["items"]] == ["第2件。", "第1件。"]
    assert [one["reply"] for one in first["items"]] == [None, None]
    rest = public(hall, limit=2, before=first["next"])
    assert ([one["text"] for one in rest["items"]], rest["next"]) == (["第0件。"], None)
    assert hall.client().get(PUBLISHED, params={"limit": 51}).status_code == 422
    assert hall.client().get(PUBLISHED, params={"before": 2**64}).status_code == 422
