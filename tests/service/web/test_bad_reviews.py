"""A bad rating is handled by different people until it is closed, or taken out by two and brought back by others."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from projections.histories import read_stream
from service.web.problems import KeyMalformed
from tests.service.web.handling import PROOF, REACHED, bad, carry, contested, do, done, excluded, objected, shown, stage
from tests.service.web.house import Hall
from tests.service.web.rating import BAD, GOOD, V1, Rating, listed, rated

pytestmark = pytest.mark.postgres

NO: Final[dict[str, Any]] = {**REACHED, "answers": {"satisfied": "no", "wants_follow_up": True, "note": "还没有改。"}}
REVIEW_TEXTS: Final = ("监控显示态度生硬", "已批评教育", "已整改，感谢监督", "还没有改")


def names(hall: Hall, rating: Rating) -> list[str]:
    """Give the names of what happened to a review."""
    with hall.parts.pool.connection() as connection:
        return [one.name.split(".")[1] for one in read_stream(connection, UUID(rating.id))]


def code(answer: Any) -> tuple[int, str]:  # noqa: ANN401 - an answer
    """Give the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


def test_a_bad_rating_is_handled_to_its_end_by_different_people(hall: Hall) -> None:
    """Called, verified, put right, replied to, revisited, closed; the rating stays as it was, and no word is stored."""
    rating = bad(hall)
    seen = [stage(hall, rating)]
    for begin, _ in pairwise(("contact", "verify", "rectify", "reply", "revisit", "")):
        carry(hall, rating, begin, begin)
        seen.append(stage(hall, rating))
    assert seen == ["bad_open", "bad_contacted", "bad_verified", "rectified", "rectified", "bad_closed"]
    assert names(hall, rating) == [
        "submitted", "accepted", "contacted", "verified", "rectified", "replied", "revisit-attempted", "revisited",
        "closed",
    ]  # fmt: skip
    told = shown(hall, rating)
    assert (told["verdict"], told["satisfied"], told["settled"], told["due"]) == (
        "valid_clear",
        "yes",
        "rectified",
        None,
    )
    # The rating stays what it was.
    assert told["grade"] == BAD["grade"]
    stored = "".join(state_of(hall))
    assert not any(text in stored for text in REVIEW_TEXTS)


def state_of(hall: Hall) -> list[str]:
    """Give everything that the log holds, as it is stored."""
    with hall.parts.pool.connection() as connection:
        return [row[0] for row in connection.execute("select convert_from(state, 'UTF8') from events")]


def test_without_a_name_it_is_verified_from_the_records_and_read_with_the_link(hall: Hall) -> None:
    """Nobody is called or revisited: it is closed with the reply, which whoever rated reads."""
    rating = bad(hall, anonymous=True)
    assert code(do(hall, rating, "contact", "HE", **REACHED)) == (409, "nobody-to-contact")
    done(hall, rating, "verify", "HE", verdict="no_legal_basis", facts="材料由法规规定。")
    done(hall, rating, "explain", "LI", explanation="该材料由法规规定，窗口无权免除。")
    done(hall, rating, "reply", "LI", text="材料由法规规定，请谅解。", method="web")
    assert (stage(hall, rating), names(hall, rating)[-2:]) == ("bad_closed", ["replied", "closed"])
    own = hall.client().post(f"{V1}/own/review", json={"own_link": rating.own_link})
    assert "材料由法规规定，请谅解。" in own.text


def test_what_is_complex_is_planned_with_a_date(hall: Hall) -> None:
    """A verdict asks for its own next step; a date is told and kept as the limit."""
    rating = bad(hall)
    carry(hall, rating, "contact")
    done(hall, rating, "verify", "HE", verdict="valid_complex", facts="系统长期缓慢。")
    assert code(do(hall, rating, "rectify", "LI", actions="已扩容。")) == (409, "verdict-asks-otherwise")
    assert "plan-rectification" in shown(hall, rating, "LI")["next_steps"]
    too_late = {"actions": "扩容", "reason_told": "须采购", "due": "2099-01-01"}
    assert code(do(hall, rating, "plan-rectification", "LI", **too_late)) == (409, "planned-too-late")
    due = shown(hall, rating)["due"][:10]
    done(hall, rating, "plan-rectification", "LI", **{**too_late, "due": due}, ledger_no="TZ-2026-7")
    assert stage(hall, rating) == "rectifying"
    carry(hall, rating, "reply", "rectify")
    assert stage(hall, rating) == "rectified"


def test_who_is_not_content_has_it_done_again_once(hall: Hall) -> None:
    """The first no sends it back to the unit, the second one closes it as it is."""
    rating = bad(hall)
    carry(hall, rating, "reply")
    done(hall, rating, "revisit", "SUN", **NO)
    told = shown(hall, rating)
    assert (told["stage"], told["reworks"], told["satisfied"]) == ("bad_verified", 1, "no")
    carry(hall, rating, "reply", "rectify")
    done(hall, rating, "revisit", "SUN", **NO)
    told = shown(hall, rating)
    assert (told["stage"], told["reworks"], told["satisfied"]) == ("bad_closed", 1, "no")
    assert names(hall, rating).count("rework-ordered") == 1


def test_only_two_outside_deciders_take_it_out_and_only_two_others_bring_it_back(hall: Hall) -> None:
    """Appeal, exclusion, whoever rated is told and objects, another panel lets it count again; then it goes on."""
    rating = bad(hall)
    evidence, appeal = contested(hall, rating)
    assert stage(hall, rating) == "under_appeal"
    propose = {"appeal": appeal, "result": "exclude", "reason": "mistaken_target", "reasons": "无此办件。"}
    assert code(do(hall, rating, "propose-decide-appeal", "GUO", **propose)) == (409, "evidence-missing")
    proposal = done(hall, rating, "propose-decide-appeal", "GUO", **propose, evidence=[evidence])["proposal"]
    assert code(do(hall, rating, "confirm-decide-appeal", "GUO", proposal=proposal)) == (403, "own-proposal")
    hall.project()
    waiting = hall.as_("MA").get(f"{V1}/reviews", params={"to_confirm": True}).json()["items"]
    assert [(one["id"], one["waiting_for"]) for one in waiting] == [(rating.id, "confirm-decide-appeal")]
    assert "confirm-decide-appeal" in shown(hall, rating, "MA")["next_steps"]
    assert "confirm-decide-appeal" not in shown(hall, rating, "GUO")["next_steps"]
    done(hall, rating, "confirm-decide-appeal", "MA", proposal=proposal)
    told = shown(hall, rating)
    assert (told["stage"], told["excluded"], told["exclude_reason"]) == ("excluded", True, "mistaken_target")
    assert told["due_clock"] == "tell"
    done(hall, rating, "tell", "ZHAO", **REACHED)
    objection = objected(hall, rating)
    form = {"objection": objection, "result": "reinstate", "reasons": "窗口记录有误。"}
    for name in ("GUO", "MA"):
        assert code(do(hall, rating, "propose-decide-objection", name, **form)) == (403, "panel-used")
    proposal = done(hall, rating, "propose-decide-objection", "XU", **form)["proposal"]
    assert code(do(hall, rating, "confirm-decide-objection", "MA", proposal=proposal)) == (403, "panel-used")
    done(hall, rating, "confirm-decide-objection", "DENG", proposal=proposal)
    told = shown(hall, rating)
    assert (told["stage"], told["excluded"], told["due_clock"]) == ("bad_open", False, "contact")
    assert told["reinstated_at"] is not None
    # What is no longer contested is no longer the panel's.
    assert {hall.as_(name).get(rating.path).status_code for name in ("GUO", "MA", "XU", "DENG")} == {404}
    carry(hall, rating)
    assert stage(hall, rating) == "bad_closed"


def test_a_proposal_may_be_declined(hall: Hall) -> None:
    """Everything stays as it was, and another one may be made."""
    rating = bad(hall)
    _, appeal = contested(hall, rating)
    rejected = {"appeal": appeal, "result": "rejected", "reasons": "有受理记录。"}
    first = done(hall, rating, "propose-decide-appeal", "GUO", **rejected)["proposal"]
    done(hall, rating, "decline-proposal", "MA", proposal=first, reason="还须核对监控。")
    second = done(hall, rating, "propose-decide-appeal", "MA", **rejected)["proposal"]
    done(hall, rating, "confirm-decide-appeal", "XU", proposal=second)
    assert stage(hall, rating) == "bad_open"
    assert code(do(hall, rating, "appeal", "WANG", ground="fabricated", explanation="再申诉。")) == (409, "once-only")


def test_a_verifier_alone_cannot_take_it_out(hall: Hall) -> None:
    """A verdict of malice goes before the panel, which reads the verifier's words, and not whose rating it is."""
    rating = bad(hall)
    carry(hall, rating, "contact")
    facts = "评价人与窗口人员有私人纠纷。"
    told = done(hall, rating, "verify", "HE", verdict="malicious", facts=facts)
    assert told["appeal"] == shown(hall, rating, "GUO")["current"]["appeal"]
    assert stage(hall, rating) == "under_appeal"
    opened = hall.as_("GUO").post(f"{rating.path}/open", json={"fields": ["text", "explanation", "facts"]})
    assert opened.status_code == 200, opened.text
    assert {one["field"]: one["text"] for one in opened.json()["values"]} == {
        "text": BAD["text"], "explanation": facts, "facts": facts,
    }  # fmt: skip
    for field in ("name", "phone"):
        refused = hall.as_("GUO").post(f"{rating.path}/open", json={"fields": [field]})
        assert code(refused) == (403, "not-your-role")


def test_who_calls_opens_the_number_for_that_and_it_is_on_record(hall: Hall) -> None:
    """The verifier, and the revisit officer; supervisors read who did."""
    rating = bad(hall)
    for name, purpose in (("HE", "handling"), ("SUN", "revisit")):
        opened = hall.as_(name).post(f"{rating.path}/open", json={"fields": ["phone"]})
        assert [one["text"] for one in opened.json()["values"]] == ["13800138000"]
        last = json.loads(state_of(hall)[-1])["e"]
        assert (last["purpose"], last["fields"], last["by"]["person"]) == (purpose, ["phone"], str(hall.people[name]))
    told = hall.as_("ZHOU").get(f"{rating.path}/history", params={"language": "en"}).json()["history"]
    assert len([line for line in told if "opened sealed values" in line["said"]]) == 2


def test_a_supervisor_orders_and_somebody_else_lifts(hall: Hall) -> None:
    """Reminded of, ordered, answered by the unit, lifted by another supervisor than who answered; a list finds it."""
    rating = bad(hall)
    assert done(hall, rating, "remind", "ZHOU", clock="verify")["events"] == ["Reminded"]
    assert done(hall, rating, "remind", "ZHOU", clock="verify")["events"] == []
    order = {"rule_no": "overdue", "level": 2, "content": "请于两个工作日内说明。"}
    supervision = done(hall, rating, "issue-supervision", "ZHOU", **order)["supervision"]
    hall.project()
    assert [one["id"] for one in listed(hall, "HE", supervised=True)] == [rating.id]
    assert shown(hall, rating)["supervision_level"] == 2
    done(hall, rating, "answer-supervision", "LI", supervision=supervision, answer="已联系评价人。")
    done(hall, rating, "lift-supervision", "ZHOU", supervision=supervision)
    assert shown(hall, rating)["supervision_level"] == 0
    assert code(do(hall, rating, "lift-supervision", "ZHOU", supervision=supervision)) == (409, "superseded")


def test_a_file_is_sealed_with_the_review(hall: Hall) -> None:
    """The log holds its hash; what was sent opens again."""
    rating = bad(hall)
    file = b"frame of the camera"
    told = done(hall, rating, "record-evidence", "HE", **PROOF, content=base64.b64encode(file).decode())
    with hall.parts.pool.connection() as connection:
        event = next(one.event for one in read_stream(connection, UUID(rating.id)) if one.version == told["version"])
    assert event.size == len(file)  # type: ignore[attr-defined]  # a piece of evidence
    assert hall.parts.vault.open_file("attachment", event.sha256) == file  # type: ignore[attr-defined]
    assert str(event.evidence) == told["evidence"]  # type: ignore[attr-defined]


def test_the_same_key_acts_once_and_a_lost_answer_is_told_again(hall: Hall) -> None:
    """With the same words; with others it is refused, as is a version that has passed."""
    rating = bad(hall)
    client = hall.as_("HE")
    key = {"Idempotency-Key": "call-1"}
    first = client.post(f"{rating.path}/contact", json=REACHED, headers=key)
    again = client.post(f"{rating.path}/contact", json=REACHED, headers=key)
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.headers["etag"] == again.headers["etag"] == '"3"'
    other = client.post(f"{rating.path}/contact", json={**REACHED, "method": "visit"}, headers=key)
    assert code(other) == (409, "key-reused")
    stale = client.post(f"{rating.path}/contact", json=REACHED, headers={"If-Match": '"2"'})
    assert code(stale) == (412, "stale")
    assert names(hall, rating).count("contacted") == 1
    assert client.get(rating.path).headers["etag"] == '"3"'
    malformed = client.post(f"{rating.path}/contact", json=REACHED, headers={"Idempotency-Key": "with a space"})
    assert malformed.json()["code"] == KeyMalformed.code


def test_eight_deciders_at_once_confirm_one_exclusion(hall: Hall) -> None:
    """Racing keys: it is decided once, whoever comes late is told so, and everybody gets their own answer again."""
    rating = bad(hall)
    evidence, appeal = contested(hall, rating)
    propose = {
        "appeal": appeal,
        "result": "exclude",
        "reason": "duplicate",
        "reasons": "重复。",
        "evidence": [evidence],
    }
    proposal = done(hall, rating, "propose-decide-appeal", "GUO", **propose)["proposal"]
    clients = [(hall.as_(name), f"{name}-{n}") for n in range(4) for name in ("MA", "XU")]

    def confirm(one: tuple[Any, str]) -> Any:  # noqa: ANN401 - an answer
        client, key = one
        path = f"{rating.path}/confirm-decide-appeal"
        return client.post(path, json={"proposal": proposal}, headers={"Idempotency-Key": key})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(confirm, clients))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"out-of-turn", "superseded"}
    assert names(hall, rating).count("excluded") == 1
    won = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    assert confirm(clients[won]).json() == answers[won].json()


def test_bad_input_changes_nothing(hall: Hall) -> None:
    """What is unknown, contradicts itself or is not listed is refused with a code."""
    rating = bad(hall)
    carry(hall, rating, "contact")
    position = hall.last_position()
    nobody = str(uuid4())
    for command, name, form, expected in (
        ("verify", "HE", {"verdict": "valid_clear", "facts": " "}, 422),
        ("verify", "HE", {"verdict": "guilty", "facts": "属实。"}, 422),
        ("verify", "HE", {"verdict": "valid_clear", "facts": "属实。", "evidence": [nobody]}, 409),
        ("revisit", "SUN", REACHED, 422),
        ("check", "SUN", {**REACHED, "draw": nobody}, 422),
        ("check", "SUN", {**REACHED, "draw": nobody, "genuine": "yes"}, 409),
        ("appeal", "WANG", {"ground": "too_harsh", "explanation": "太严厉。"}, 409),
        ("appeal", "WANG", {"ground": "fabricated", "explanation": "假。", "evidence": [nobody]}, 409),
        ("issue-supervision", "ZHOU", {"rule_no": "because", "level": 1, "content": "请办理。"}, 409),
        ("clear-flag", "WU", {"flag": nobody, "reason": "正常。"}, 409),
        ("remind", "ZHOU", {"clock": "revisit"}, 409),
        ("explain", "LI", {"explanation": "解释。"}, 409),
    ):
        answer = do(hall, rating, command, name, **form)
        assert (answer.status_code, bool(answer.json()["code"])) == (expected, True), (command, answer.text)
    assert hall.last_position() == position


def test_who_may_not_know_of_a_review_finds_none(hall: Hall) -> None:
    """Another unit, its verifier, the panel before it is contested, intake, administration: as if it did not exist."""
    rating, nowhere = bad(hall), Rating("", "", str(uuid4()), "")
    for name in ("TAN", "LU", "GUO", "QIAN", "ADMIN", "CHEN"):
        for command, form in (("contact", REACHED), ("reply", {"text": "好。", "method": "phone"})):
            there, none = do(hall, rating, command, name, **form), do(hall, nowhere, command, name, **form)
            assert code(there) == code(none) == (404, "not-found"), (name, command)
            assert there.json()["title"] == none.json()["title"]
    assert listed(hall, "LU") == listed(hall, "GUO") == []
    assert [one["id"] for one in listed(hall, "HE")] == [rating.id]
    praise = rated(hall, **GOOD)
    hall.project()
    assert praise.id not in {one["id"] for one in listed(hall, "HE")}
    contested(hall, rating)
    hall.project()
    assert [one["id"] for one in listed(hall, "GUO")] == [rating.id]


def test_lists_tell_what_is_due_and_where_it_stands(hall: Hall) -> None:
    """By stage, the next due first, and page by page."""
    ratings = [bad(hall) for _ in range(3)]
    carry(hall, ratings[1], "verify")
    excluded(hall, ratings[2])
    hall.project()
    assert {one["id"] for one in listed(hall, "ZHOU", stage="bad_open")} == {ratings[0].id}
    assert {one["id"] for one in listed(hall, "ZHOU", verdict="valid_clear")} == {ratings[1].id}
    assert {one["id"] for one in listed(hall, "ZHOU", excluded=True)} == {ratings[2].id}
    assert listed(hall, "ZHOU", overdue=True) == []
    first = listed(hall, "ZHOU", order="due")
    assert [one["due"] for one in first] == sorted(one["due"] for one in first)
    assert len(first) == 3
    paged: list[str] = []
    before = None
    while True:
        params: dict[str, Any] = {"order": "due", "limit": 1} | ({} if before is None else {"before": before})
        page = hall.as_("ZHOU").get(f"{V1}/reviews", params=params).json()
        paged += [one["id"] for one in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert paged == [one["id"] for one in first]
