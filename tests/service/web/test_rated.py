"""Whoever was rated learns what they need to appeal, and nothing by which they could tell who rated."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from domain.decider import THE_SYSTEM, beside
from domain.review import REVIEW
from domain.review.flagging import OweCheck
from projections.histories import read_stream
from service.asking import Asked
from service.forms.bad_reviews import REVIEW_FORMS
from tests.service.web.handling import PROOF, REACHED, bad, carry, do, done, shown
from tests.service.web.house import Hall, take
from tests.service.web.rating import BAD, V1, Rating, rated
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

APPEAL: Final[dict[str, Any]] = {"ground": "mistaken_target", "explanation": "当日三号窗口没有此号。"}
TOLD: Final = {
    "id", "grade", "codes", "follow_up_grade", "follow_up_codes", "day", "stage", "appeal_until",
    "appeal_until_provisional", "verdict",
}  # fmt: skip
FORMS: Final[dict[str, dict[str, Any]]] = {
    name: form.model_config.get("json_schema_extra", {})["examples"][0]  # type: ignore[index,misc]
    for name, form in REVIEW_FORMS.items()
}


def about(hall: Hall, name: str, post: str | None = None) -> list[dict[str, Any]]:
    """Give what somebody is told of ratings about them."""
    answer = hall.as_(name, post).get(f"{V1}/reviews/about-me")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def client_in(hall: Hall, name: str, post: str) -> Any:  # noqa: ANN401 - a client
    """Give a client of somebody who takes one post more."""
    take(hall.parts, hall.people[name], post)
    token = hall.parts.accounts.add_token(hall.people[name], post, "test", 1).token
    return hall.client(Authorization=f"Bearer {token}")


def attempts(hall: Hall, rating: Rating) -> list[tuple[str, str]]:
    """Give which attempts on a review were refused, and put on record."""
    with hall.parts.pool.connection() as connection:
        entries = read_stream(connection, beside(UUID(rating.id), "attempts"))
    return [(one.event.command, one.event.code) for one in entries]  # type: ignore[attr-defined]  # of attempts


def test_whoever_was_rated_reads_the_grade_and_the_day(hall: Hall) -> None:
    """Not the words, the hour, the way it came, the name; and only of bad ratings; others read nothing there."""
    rating = bad(hall)
    rated(hall)
    (told,) = about(hall, "CHEN")
    assert set(told) == TOLD
    assert (told["id"], told["grade"], told["codes"], told["stage"]) == (
        rating.id,
        BAD["grade"],
        BAD["codes"],
        "bad_open",
    )
    assert len(told["day"]) == len("2026-11-23")
    text = json.dumps(told, ensure_ascii=False)
    assert not any(secret in text for secret in (BAD["text"], "欧阳", "13800138000", "qr", "real_name"))
    assert about(hall, "LI") == about(hall, "TAN") == about(hall, "ZHOU") == []
    assert hall.client().get(f"{V1}/reviews/about-me").status_code == 401


def test_whoever_was_rated_appeals_with_evidence_of_their_own(hall: Hall) -> None:
    """And learns neither version nor who decides; two from outside do."""
    rating = bad(hall)
    key = {"Idempotency-Key": "appeal-1"}
    evidence = done(hall, rating, "record-evidence", "CHEN", **PROOF)
    assert set(evidence) == {"position", "recorded", "evidence"}
    form = {**APPEAL, "evidence": [evidence["evidence"]]}
    first = hall.as_("CHEN").post(f"{rating.path}/appeal", json=form, headers=key)
    again = hall.as_("CHEN").post(f"{rating.path}/appeal", json=form, headers=key)
    assert (first.status_code, set(first.json())) == (200, {"position", "recorded", "appeal"})
    assert first.json() == again.json()
    assert "etag" not in first.headers
    assert shown(hall, rating)["stage"] == "under_appeal"
    hall.project()
    assert about(hall, "CHEN")[0]["stage"] == "under_appeal"
    propose = {"appeal": first.json()["appeal"], "result": "rejected", "reasons": "有受理记录。"}
    proposal = done(hall, rating, "propose-decide-appeal", "GUO", **propose)["proposal"]
    done(hall, rating, "confirm-decide-appeal", "MA", proposal=proposal)
    twice = do(hall, rating, "appeal", "CHEN", **APPEAL)
    assert (twice.status_code, twice.json()["code"]) == (409, "once-only")


def test_whoever_was_rated_finds_every_other_door_closed(hall: Hall) -> None:
    """In their own post and in every other they take: what is not theirs to know of does not exist."""
    rating = bad(hall)
    carry(hall, rating, "contact")
    posts = ("W03-CLERK", "VERIFY", "SJ-HANDLER", "SJ-HEAD", "REVISIT", "PANEL-1", "SUPERVISION", "AUDIT", "DESK")
    position = hall.last_position()
    for post in posts:
        client = hall.as_("CHEN") if post == "W03-CLERK" else client_in(hall, "CHEN", post)
        position = hall.last_position()
        for name in REVIEW_FORMS.keys() - {"appeal", "record-evidence"}:
            answer = client.post(f"{rating.path}/{name}", json=FORMS[name])
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), (post, name)
        for path in ("", "/history"):
            assert client.get(f"{rating.path}{path}").status_code in {403, 404}, (post, path)
        opened = client.post(f"{rating.path}/open", json={"fields": ["text", "phone"]})
        assert opened.status_code in {403, 404}
        if post != "W03-CLERK":
            assert client.get(f"{V1}/reviews").json()["items"] == [], post
        assert hall.last_position() == position
    assert len(about(hall, "CHEN")) == 1


def test_who_was_not_rated_appeals_for_nobody(hall: Hall) -> None:
    """To staff of another unit, and for praise, there is nothing to appeal against; who handles it is no party."""
    rating = bad(hall)
    for name, expected in (("TAN", 404), ("QIAN", 404), ("LI", 403), ("HE", 403)):
        answer = do(hall, rating, "appeal", name, **APPEAL)
        assert answer.status_code == expected, (name, answer.text)
    praise = rated(hall)
    assert do(hall, praise, "appeal", "CHEN", **APPEAL).status_code == 404
    assert do(hall, praise, "record-evidence", "CHEN", **PROOF).status_code == 404


def test_what_the_separation_forbids_is_put_on_record(hall: Hall) -> None:
    """Who worked on it decides on nothing, who decided revisits nothing; a supervisor reads of each attempt."""
    rating = bad(hall)
    carry(hall, rating, "contact")
    panel = client_in(hall, "HE", "PANEL-3")
    evidence = done(hall, rating, "record-evidence", "WANG", **PROOF)["evidence"]
    appeal = done(hall, rating, "appeal", "WANG", **APPEAL, evidence=[evidence])["appeal"]
    form = {"appeal": appeal, "result": "rejected", "reasons": "有受理记录。"}
    refused = panel.post(f"{rating.path}/propose-decide-appeal", json=form)
    assert (refused.status_code, refused.json()["code"]) == (403, "own-work-decided")
    proposal = done(hall, rating, "propose-decide-appeal", "GUO", **form)["proposal"]
    done(hall, rating, "confirm-decide-appeal", "MA", proposal=proposal)
    carry(hall, rating, "reply", "verify")
    revisits = client_in(hall, "GUO", "REVISIT-2")
    again = revisits.post(f"{rating.path}/revisit", json={**REACHED, "answers": {"satisfied": "yes"}})
    assert (again.status_code, again.json()["code"]) == (403, "own-work-revisited")
    assert attempts(hall, rating) == [
        ("propose-decide-appeal", "own-work-decided"),
        ("revisit", "own-work-revisited"),
    ]
    told = hall.as_("ZHOU").get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
    assert len([line for line in told if "refused" in line["said"]]) == 2
    assert shown(hall, rating)["stage"] == "rectified"


def noticed(hall: Hall, rating: Rating) -> None:
    """Draw a review for a check, and let who rated say that they were made to."""
    asked = Asked(command_id=uuid4(), source="test", name="owe-check")
    owe = OweCheck(at=SOME_TIME, by=THE_SYSTEM, draw=uuid4())
    hall.parts.book.transact(REVIEW, UUID(rating.id), owe, asked)
    form = {**REACHED, "draw": str(owe.draw), "genuine": "coerced", "note": "窗口人员站在旁边。"}
    done(hall, rating, "check", "SUN", **form)


def test_the_unit_is_not_told_what_who_rated_said_of_it(hall: Hall) -> None:
    """That somebody spoke of being coerced is for whoever looks from outside; a human clears it, and nothing moves."""
    rating = bad(hall)
    noticed(hall, rating)
    hall.project()
    for name in ("LI", "WANG", "HE"):
        told = shown(hall, rating, name)
        assert not {"flags", "detectors", "checks", "genuine", "checked_at"} & (told.keys() | told["current"].keys())
        assert "note" not in told["sealed"]
        history = hall.as_(name).get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
        assert len(history) == 5, history
        opened = hall.as_(name).post(f"{rating.path}/open", json={"fields": ["note"]})
        assert opened.json()["values"] == []
        filtered = hall.as_(name).get(f"{V1}/reviews", params={"flagged": True})
        assert (filtered.status_code, filtered.json()["code"]) == (403, "not-your-role")
    told = shown(hall, rating, "WU")
    assert (told["detectors"], told["genuine"], told["checks"]) == (["check"], "coerced", [])
    assert [one["id"] for one in hall.as_("WU").get(f"{V1}/reviews", params={"flagged": True}).json()["items"]] == [
        rating.id
    ]
    done(hall, rating, "clear-flag", "WU", flag=told["current"]["flags"][0], reason="已核实为口误。")
    assert shown(hall, rating, "WU")["detectors"] == []
    assert shown(hall, rating, "WU")["excluded"] is False


def test_a_drawn_check_is_no_limit_of_the_unit(hall: Hall) -> None:
    """What is due next for it is its own; whoever checks sees the check."""
    rating = bad(hall)
    asked = Asked(command_id=uuid4(), source="test", name="owe-check")
    owe = OweCheck(at=SOME_TIME, by=THE_SYSTEM, draw=uuid4())
    hall.parts.book.transact(REVIEW, UUID(rating.id), owe, asked)
    carry(hall, rating)
    assert (shown(hall, rating, "LI")["due"], shown(hall, rating, "LI")["due_clock"]) == (None, None)
    assert shown(hall, rating, "SUN")["due_clock"] == "check"


def test_a_complaint_made_of_it_is_named_to_who_may_know_of_it(hall: Hall) -> None:
    """The unit that is complained of reads neither that there is one, nor its id; the desk reads both."""
    rating = bad(hall)
    form = {"own_link": rating.own_link, "narrative": "窗口人员态度恶劣。"}
    made = hall.client().post(f"{V1}/own/review/complain", json=form)
    assert made.status_code in {200, 201}, made.text
    case = made.json()["id"]
    for name, knows in (("ZHAO", True), ("ZHOU", True), ("LI", False), ("HE", False)):
        assert (hall.as_(name).get(f"{V1}/complaints/{case}").status_code == 200) is knows
        told = hall.as_(name).get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
        assert shown(hall, rating, name)["complaint"] == (case if knows else None)
        assert len(told) == 5 + knows, (name, told)
