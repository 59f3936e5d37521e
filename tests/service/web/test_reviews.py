"""Visits are rated by who was served, once; who was rated learns neither that nor by whom; what is sealed is opened."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from domain.decider import Code
from service.settings import Settings
from tests.service.web.house import Hall, Template, copy, take
from tests.service.web.rating import (
    BAD,
    GOOD,
    KNOWN,
    V1,
    Rating,
    invited,
    listed,
    rate,
    rated,
    served,
    with_slip,
    written_down,
)

pytestmark = pytest.mark.postgres


def own(hall: Hall, rating: Rating, language: str = "zh") -> dict[str, Any]:
    """Ask after the own rating."""
    answer = hall.client().post(f"{V1}/own/review", json={"own_link": rating.own_link, "language": language})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def client_in(hall: Hall, name: str, post: Code) -> Any:  # noqa: ANN401 - a client
    """Give a client of somebody who takes one post more."""
    take(hall.parts, hall.people[name], post)
    token = hall.parts.accounts.add_token(hall.people[name], post, "test", 1).token
    return hall.client(Authorization=f"Bearer {token}")


def raw(hall: Hall) -> str:
    """Give everything that the log holds, as it is stored."""
    with hall.parts.pool.connection() as connection:
        rows = connection.execute("select convert_from(state, 'UTF8') from events order by position").fetchall()
    return "\n".join(state for (state,) in rows)


def event(hall: Hall, name: str) -> dict[str, Any]:
    """Give the last event of a name, as it is stored."""
    with hall.parts.pool.connection() as connection:
        row = connection.execute(
            "select convert_from(state, 'UTF8') from events where name = %s order by position desc limit 1", (name,)
        ).fetchone()
    assert row is not None
    stored: dict[str, Any] = json.loads(row[0])["e"]
    return stored


def test_a_bad_rating_reaches_the_department_and_its_giver_comes_back(hall: Hall) -> None:
    """It is a work order with a limit for the call; the giver reads where it stands, and adds to it once."""
    rating = rated(hall, served(hall, **KNOWN), **BAD)
    (shown,) = listed(hall, "LI")
    assert (shown["grade"], shown["codes"], shown["has_text"]) == ("dissatisfied", ["214"], True)
    assert (shown["lead"], shown["identity_mode"], shown["corroborated"]) == ("SJ", "real_name", True)
    assert shown["accepted_at"] == shown["rated_at"] < shown["contact_due"]
    told = own(hall, rating)
    assert (told["grade"], told["texts"], told["being_handled"]) == ("dissatisfied", [BAD["text"]], True)
    staff = hall.as_("LI").get(f"{rating.path}/history").json()
    for history in (told["history"], staff["history"]):
        assert any("（服务态度生硬）" in line["said"] for line in history)
    more = {"own_link": rating.own_link, "grade": "satisfied", "text": "已当面道歉。"}
    added = hall.client().post(f"{V1}/own/review/append", json=more)
    assert (added.status_code, added.json()["recorded"]) == (200, True)
    assert hall.client().post(f"{V1}/own/review/append", json=more).json() == added.json()
    other = hall.client().post(f"{V1}/own/review/append", json={**more, "grade": "very_satisfied"})
    assert (other.status_code, other.json()["code"]) == (409, "followed-up")
    hall.project()
    (shown,) = listed(hall, "WANG")
    # The first rating stays, and is handled.
    assert (shown["grade"], shown["follow_up_grade"]) == ("dissatisfied", "satisfied")
    assert shown["accepted_at"] is not None
    told = own(hall, rating, "en")
    assert told["texts"] == [BAD["text"], "已当面道歉。"]
    assert [line["said"].split()[0] for line in told["history"]] == ["rated", "accepted", "added"]


def test_a_good_rating_waits_for_nobody(hall: Hall) -> None:
    """It is counted; nothing is owed."""
    rated(hall, **GOOD)
    (shown,) = listed(hall, "LI")
    assert (shown["accepted_at"], shown["lead"], shown["contact_due"]) == (None, None, None)


def test_a_visit_is_recorded_once(hall: Hall) -> None:
    """The case system may send it again; another visit under its number is refused, and nothing changes."""
    form = {"project_no": "370001", "service_number": 2, "window": "W03", **KNOWN}
    client = hall.as_("QIAN")
    first = client.post(f"{V1}/occasions", json=form)
    again = client.post(f"{V1}/occasions", json=form)
    assert (first.json()["id"], first.json()["events"]) == (again.json()["id"], ["Opened"])
    assert (again.status_code, again.json()["events"]) == (201, [])
    position = hall.last_position()
    other = client.post(f"{V1}/occasions", json={**form, "phone": "13900139000"})
    assert (other.status_code, other.json()["code"]) == (409, "already-there")
    assert hall.last_position() == position
    third = client.post(f"{V1}/occasions", json={**form, "service_number": 3})
    assert third.json()["id"] != first.json()["id"]


def test_a_token_is_shown_again_to_who_asked_for_it(hall: Hall) -> None:
    """With the same key the same token comes, and the log has one invitation; it holds no token."""
    visit = served(hall)
    key = {"Idempotency-Key": "invite-1"}
    answers = [hall.as_("QIAN").post(f"{V1}/occasions/{visit}/invite", json={}, headers=key) for _ in range(2)]
    tokens = {answer.json()["token"] for answer in answers}
    assert len(tokens) == 1
    another = invited(hall, visit)
    assert another not in tokens
    told = raw(hall)
    assert not any(token in told or token.replace("-", "") in told for token in {*tokens, another})
    hall.project()
    (shown,) = hall.as_("QIAN").get(f"{V1}/occasions").json()["items"]
    assert (shown["state"], shown["invitations"]) == ("open", 2)


def test_a_rating_delivered_twice_is_answered_twice_the_same(hall: Hall) -> None:
    """A terminal that got no answer sends it again; another rating under its token is refused."""
    visit = served(hall)
    token = invited(hall, visit)
    first = rate(hall, token, **BAD)
    position = hall.last_position()
    again = rate(hall, token.lower().replace("-", " "), **BAD, input_ms=7)
    # However it is typed, it is the same token; another form is another rating.
    typed = rate(hall, token.lower().replace("-", " "), **GOOD)
    other = rate(hall, token, **GOOD)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert [(one.status_code, one.json()["code"]) for one in (other, typed)] == [(409, "invitation-used")] * 2
    second = rate(hall, first.json()["own_link"], **BAD)
    assert (second.status_code, second.json()["code"]) == (404, "invitation-unknown")
    assert hall.last_position() == position
    late = hall.as_("QIAN").post(f"{V1}/occasions/{visit}/invite", json={})
    assert (late.status_code, late.json()["code"]) == (409, "already-reviewed")


def test_a_refused_rating_leaves_the_token_alive(hall: Hall) -> None:
    """Whoever forgot the reason, or ticked a code of another grade, is told so and rates with the same token."""
    token = invited(hall, served(hall))
    position = hall.last_position()
    without = rate(hall, token, grade="very_dissatisfied")
    wrong = rate(hall, token, grade="very_dissatisfied", codes=["214"])
    unknown = rate(hall, token, grade="dissatisfied", codes=["999"])
    retired = rate(hall, token, grade="very_satisfied", codes=["501"])
    codes = [one.json()["code"] for one in (without, wrong, unknown, retired)]
    assert codes == ["reason-missing", "code-not-of-grade", "unknown-reference", "unknown-reference"]
    assert hall.last_position() == position
    assert rate(hall, token, grade="very_dissatisfied", codes=["115"]).status_code == 201


def test_wrong_tokens_and_links_look_alike(hall: Hall) -> None:
    """What never was a token, what is one of nothing, and a link in place of a token are told the same."""
    rating = rated(hall)
    token = invited(hall, served(hall))
    position = hall.last_position()
    wrong = [rate(hall, one).json() for one in ("nothing", "0000-0000-0000-0000", rating.own_link)]
    assert [one["code"] for one in wrong] == ["invitation-unknown"] * 3
    assert wrong[0] == wrong[1] == wrong[2]
    for path in ("", "/append", "/corroborate"):
        found = [
            hall.client().post(f"{V1}/own/review{path}", json={"own_link": one})
            for one in ("nothing", "0000-0000-0000-0000", token, rating.token)
        ]
        assert {answer.status_code for answer in found} == {404}, path
        assert len({answer.text for answer in found}) == 1
    assert hall.last_position() == position


def test_guessing_is_limited_and_rating_is_not(hall_template: Template) -> None:
    """From one place so many wrong ones are looked at; a kiosk rates all day."""
    with copy(hall_template, Settings(lookups_per_hour=3)) as hall:
        ratings = [rated(hall) for _ in range(5)]
        for _ in range(5):
            own(hall, ratings[0])
        guessed = [rate(hall, "nothing") for _ in range(4)]
        assert [one.status_code for one in guessed] == [404, 404, 404, 429]
        assert int(guessed[-1].headers["retry-after"]) > 0
        links = hall.client().post(f"{V1}/own/review", json={"own_link": "nothing"})
        assert links.status_code == 429


def test_what_staff_write_down_counts_when_the_giver_says_so(hall: Hall) -> None:
    """It is marked until the own link confirms it, which nobody does who is logged in."""
    rating = with_slip(hall, written_down(hall))
    (shown,) = listed(hall, "ZHOU")
    assert (shown["corroborated"], shown["corroborated_at"]) == (False, None)
    assert own(hall, rating)["corroborated"] is False
    assert listed(hall, "ZHOU", corroborated=True) == []
    link = {"own_link": rating.own_link}
    for name in ("QIAN", "CHEN"):
        refused = hall.as_(name).post(f"{V1}/own/review/corroborate", json=link)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role")
    confirmed = [hall.client().post(f"{V1}/own/review/corroborate", json=link).json() for _ in range(2)]
    assert confirmed[0] == confirmed[1]
    hall.project()
    (shown,) = listed(hall, "ZHOU", corroborated=True)
    assert shown["corroborated_at"] is not None
    assert raw(hall).count('"corroborated":false') == 1


def test_only_who_records_visits_writes_ratings_down(hall: Hall) -> None:
    """Without a log-in one is asked for it; a handler, a head and the desk may not; nor for a visit that is not."""
    visit = served(hall)
    position = hall.last_position()
    form = {"occasion": visit, **GOOD}
    assert hall.client().post(f"{V1}/reviews", json=form).json()["code"] == "not-logged-in"
    for name in ("LI", "WANG", "ZHAO", "CHEN"):
        assert hall.as_(name).post(f"{V1}/reviews", json=form).json()["code"] == "not-your-role"
    nowhere = hall.as_("QIAN").post(f"{V1}/reviews", json={"occasion": str(uuid4()), **GOOD})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not-found")
    for both in ({"token": "x", **form}, GOOD):
        assert hall.as_("QIAN").post(f"{V1}/reviews", json=both).status_code == 422
    assert hall.last_position() == position


def test_a_rating_written_down_twice_with_one_key_is_one(hall: Hall) -> None:
    """Sent again with its key it is answered the same; with another one the visit is rated already."""
    form = {"occasion": served(hall), **GOOD}
    post = hall.as_("QIAN").post
    first, again = (post(f"{V1}/reviews", json=form, headers={"Idempotency-Key": "down-1"}) for _ in range(2))
    assert first.json() == again.json()
    other = post(f"{V1}/reviews", json=form, headers={"Idempotency-Key": "down-2"})
    assert (other.status_code, other.json()["code"]) == (409, "already-reviewed")


def test_who_was_rated_knows_nothing_of_it(hall: Hall) -> None:
    """Whoever served at the window sees no review of that time in any post, and another of the same post does."""
    rating = rated(hall, **BAD)
    for post, colleague in (("SJ-HANDLER", "LI"), ("SJ-HEAD", "WANG"), ("SUPERVISION", "ZHOU"), ("AUDIT", "WU")):
        chen = client_in(hall, "CHEN", post)
        assert [one["id"] for one in listed(hall, colleague)] == [rating.id]
        found = chen.get(f"{V1}/reviews").json()
        assert (found["items"], found["total"]) == ([], 0), post
        for path in (rating.path, f"{rating.path}/history"):
            assert chen.get(path).json()["code"] == "not-found", (post, path)
        assert chen.post(f"{rating.path}/open", json={"fields": ["text", "name"]}).json()["code"] == "not-found"
    assert hall.as_("CHEN").get(f"{V1}/reviews").json()["code"] == "not-your-role"


def test_where_two_served_neither_knows(hall: Hall) -> None:
    """Of whom it is cannot be told, so it is kept from both; who came to the window later may know."""
    client_in(hall, "FENG", "W03-CLERK")
    rating = rated(hall, **BAD)
    client_in(hall, "LI", "W03-CLERK")
    hall.project()
    assert listed(hall, "FENG", "SJ-HANDLER-2") == []
    assert [one["id"] for one in listed(hall, "LI")] == [rating.id]
    assert [one["id"] for one in listed(hall, "WANG")] == [rating.id]


def test_nobody_is_told_who_rated(hall: Hall) -> None:
    """No list, no look at it and no history holds the giver's key, name, phone, token or link, or whom it rates."""
    rating = rated(hall, served(hall, **KNOWN), device="tablet-3f", **BAD)
    submitted = event(hall, "review.submitted.1")
    secrets = [
        submitted["reviewer"], submitted["evidence"]["device"], submitted["evidence"]["network"], submitted["token"],
        submitted["own_link"], str(hall.people["CHEN"]), *KNOWN.values(), rating.token, rating.own_link,
    ]  # fmt: skip
    assert all(secrets)
    for name in ("LI", "WANG", "ZHAO", "SUN", "ZHOU", "WU"):
        for path in (f"{V1}/reviews", rating.path, f"{rating.path}/history"):
            answer = hall.as_(name).get(path)
            assert answer.status_code == 200, (name, path)
            assert [one for one in secrets if one in answer.text] == [], (name, path)


def test_units_know_their_own_reviews_and_the_hall_all(hall: Hall) -> None:
    """Another department and a revisit officer of this one see nothing; intake sees the visit, not the review."""
    rating = rated(hall, **BAD)
    assert listed(hall, "TAN") == []
    assert hall.as_("TAN").get(rating.path).json()["code"] == "not-found"
    assert listed(hall, "FENG", "REVISIT-2") == []
    for name in ("LI", "WANG", "ZHAO", "SUN", "ZHOU", "WU"):
        assert [one["id"] for one in listed(hall, name)] == [rating.id], name
    assert hall.as_("QIAN").get(f"{V1}/reviews").json()["code"] == "not-your-role"
    visit = hall.as_("QIAN").get(f"{V1}/occasions/{rating.visit}").json()
    assert (visit["state"], visit["window"]) == ("reviewed", "W03")
    assert not {"grade", "codes", "staff", "review", "rated_at"} & visit.keys()


def test_lists_are_filtered_and_come_in_pages(hall: Hall) -> None:
    """By grade, by whether it is a work order, by time; the newest first, each once."""
    bad = rated(hall, **BAD)
    good = [rated(hall, **GOOD) for _ in range(4)]
    newest_first = [one.id for one in reversed(good)]
    assert [one["id"] for one in listed(hall, "ZHAO", grade="very_satisfied", window="W03")] == newest_first
    assert [one["id"] for one in listed(hall, "ZHAO", accepted=True, department="SJ", hall="GXQ")] == [bad.id]
    assert listed(hall, "ZHAO", department="SW") == listed(hall, "ZHAO", item="LICENCE") == []
    assert listed(hall, "ZHAO", followed_up=True) == listed(hall, "ZHAO", channel="paper") == []
    (first,) = listed(hall, "ZHAO", accepted=True)
    assert len(listed(hall, "ZHAO", rated_from=first["rated_at"])) == 5
    assert listed(hall, "ZHAO", rated_before=first["rated_at"]) == []
    seen, before = [], None
    for _ in range(3):
        page = hall.as_("ZHAO").get(f"{V1}/reviews", params={"limit": 2, **({"before": before} if before else {})})
        seen += [one["id"] for one in page.json()["items"]]
        before = page.json()["next"]
        assert page.json()["total"] == 5
    assert (seen, before) == ([*newest_first, bad.id], None)
    assert hall.as_("ZHAO").get(f"{V1}/reviews", params={"limit": 2, "limits": 1}).status_code == 422
    open_ones = hall.as_("ZHAO").get(f"{V1}/occasions", params={"state": "open", "window": "W03"})
    assert open_ones.json()["total"] == 0


def test_sealed_words_are_opened_for_a_purpose_and_on_record(hall: Hall) -> None:
    """The handler reads words, name and phone; an auditor the words alone; supervisors read who did."""
    rating = rated(hall, served(hall, **KNOWN), **BAD)
    wanted = {"fields": ["text", "name", "phone"]}
    values = hall.as_("LI").post(f"{rating.path}/open", json=wanted).json()["values"]
    assert {one["field"]: one["text"] for one in values} == {"text": BAD["text"], **KNOWN}
    for name in ("WU", "WANG"):
        refused = hall.as_(name).post(f"{rating.path}/open", json=wanted)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role")
    (words,) = hall.as_("WU").post(f"{rating.path}/open", json={"fields": ["text"]}).json()["values"]
    assert words["text"] == BAD["text"]
    lines = hall.as_("ZHOU").get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
    openings = [line for line in lines if line["name"] == "access.opened.1"]
    assert [(line["who"], line["said"].split("purpose: ")[-1]) for line in openings] == [
        ("Handler", "handling"),
        ("Audit", "supervision"),
    ]
    names = [line["name"] for line in hall.as_("LI").get(f"{rating.path}/history").json()["history"]]
    assert "access.opened.1" not in names
    assert BAD["text"] not in raw(hall)


def test_who_stays_anonymous_is_told_to_nobody(hall: Hall) -> None:
    """No call is owed, name and phone are opened for nobody, and the log ties the rating to no person."""
    rating = rated(hall, served(hall, **KNOWN), anonymous=True, **BAD)
    (shown,) = listed(hall, "LI")
    assert (shown["identity_mode"], shown["contact_due"]) == ("anonymous", None)
    assert shown["accepted_at"] is not None
    assert hall.as_("LI").get(rating.path).json()["sealed"] == ["text"]
    found = hall.as_("LI").post(f"{rating.path}/open", json={"fields": ["name", "phone", "text"]}).json()["values"]
    assert [one["field"] for one in found] == ["text"]
    submitted, visit = event(hall, "review.submitted.1"), event(hall, "occasion.opened.1")
    assert submitted["reviewer"] is None
    assert submitted["by"]["person"] != visit["applicant"]


def test_devices_and_addresses_leave_only_random_keys(hall: Hall) -> None:
    """The same device is the same key again, another one another; where staff are logged in that is kept too."""
    first = served(hall)
    rate(hall, invited(hall, first), device="tablet-3f", terminal="KIOSK-03", input_ms=4200, **GOOD)
    one = event(hall, "review.submitted.1")["evidence"]
    rate(hall, invited(hall, served(hall)), device="tablet-3f", **GOOD)
    two = event(hall, "review.submitted.1")["evidence"]
    token = invited(hall, served(hall))
    answer = hall.as_("LI").post(f"{V1}/reviews", json={"token": token, "device": "phone-9", **GOOD})
    assert (answer.status_code, answer.json()["corroborated"]) == (201, True)
    three = event(hall, "review.submitted.1")["evidence"]
    assert one["device"] == two["device"] != three["device"]
    assert one["network"] == two["network"] == three["network"]
    assert (one["terminal"], one["input_ms"]) == ("KIOSK-03", 4200)
    assert [each["staff_terminal"] for each in (one, two, three)] == [False, False, True]
    assert not any(plain in raw(hall) for plain in ("tablet-3f", "phone-9", "testclient"))


def test_a_history_is_told_as_it_stood(hall: Hall) -> None:
    """At the moment of the rating nobody had added to it; before, there was only a visit."""
    rating = rated(hall, **GOOD)
    more = {"own_link": rating.own_link, "text": "后来又跑了一趟。"}
    assert hall.client().post(f"{V1}/own/review/append", json=more).status_code == 200
    client = hall.as_("LI")
    now = client.get(f"{rating.path}/history").json()
    at = now["as_it_stood"]["rated_at"]
    then = client.get(f"{rating.path}/history", params={"as_of": at}).json()
    assert (now["as_it_stood"]["follow_up_has_text"], then["as_it_stood"]["follow_up_has_text"]) == (True, False)
    assert len(now["history"]) == len(then["history"]) + 1
    start = {"known_at": now["history"][0]["recorded_at"]}
    assert client.get(f"{rating.path}/history", params=start).json()["as_it_stood"]["grade"] is None


def test_what_is_not_there_looks_like_nothing(hall: Hall) -> None:
    """A hall nobody entered is told; a visit or a review that is not there is not found, nor one by another's id."""
    answer = hall.as_("QIAN").post(f"{V1}/occasions", json={"project_no": "X1", "hall": "NOWHERE", "window": "W03"})
    assert (answer.status_code, answer.json()["code"]) == (409, "unknown-reference")
    missing = hall.as_("QIAN").get(f"{V1}/occasions/{uuid4()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    for path in ("", "/history"):
        assert hall.as_("ZHAO").get(f"{V1}/reviews/{uuid4()}{path}").json()["code"] == "not-found"
    # The id of a case or a visit is none of a review.
    visit = served(hall)
    assert hall.as_("ZHAO").get(f"{V1}/reviews/{visit}").json()["code"] == "not-found"


def test_nothing_that_comes_in_breaks_anything(hall: Hall) -> None:
    """Half characters, numbers beyond all bounds, and blanks are refused with a reason; the token lives on."""
    visit = served(hall)
    token, half = invited(hall, visit), "\ud800"
    position = hall.last_position()
    head = {"Content-Type": "application/json"}
    for form in (
        {"token": half, **GOOD}, {"token": token, "device": half, **GOOD}, {"token": token, "text": half, **GOOD},
        {"token": token, "text": " ", **GOOD}, {"token": token, "input_ms": 10**30, **GOOD},
        {"token": token, "terminal": "a b", **GOOD}, {"token": token, "grade": "5"}, {"token": token, **GOOD, "x": 1},
        {"token": token, "claimed_at": "2026-13-01T00:00:00Z", **GOOD}, {"token": token, "codes": ["5"] * 99},
    ):  # fmt: skip
        answer = hall.client().post(f"{V1}/reviews", content=json.dumps(form), headers=head)
        assert answer.status_code in {404, 409, 422}, (form, answer.text)
        assert answer.json()["then"], form
    for path in ("", "/append", "/corroborate"):
        broken = json.dumps({"own_link": half})
        answer = hall.client().post(f"{V1}/own/review{path}", content=broken, headers=head)
        assert answer.status_code in {404, 422}, (path, answer.text)
    for asked in ({"before": 10**30}, {"before": 0}, {"limit": 201}, {"grade": "5"}, {"rated_from": "20261122"}):
        assert hall.as_("ZHAO").get(f"{V1}/reviews", params=asked).status_code == 422, asked
    for more in ({"service_number": 10**9}, {"project_no": "a b"}, {"phone": half}, {"served_at": "yesterday"}):
        broken = json.dumps({"project_no": "B1", "window": "W03", **more})
        answer = hall.as_("QIAN").post(f"{V1}/occasions", content=broken, headers=head)
        assert answer.status_code == 422, (more, answer.text)
    assert hall.last_position() == position
    assert rate(hall, token).status_code == 201
