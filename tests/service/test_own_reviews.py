"""Whoever rated comes back with the own link: reads what was done, objects, and makes a complaint in one step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
from httpx2 import Response

from domain import complaint
from domain.complaint.state import IdentityMode
from domain.decider import Role
from domain.review import DETAILS
from domain.rulebook import RULEBOOK
from projections.histories import read_stream
from service import own_reviews
from service.adoption import code_set
from service.forms.own_reviews import ComplaintOfReviewForm
from service.forms.reviews import FollowUpForm
from service.parts import open_parts
from service.profiles import document
from service.reviewing import Origin
from tests.service.loop import PUT_RIGHT, REPLY, appealed, excluded, replied
from tests.service.lossy import Break, LossyLine
from tests.service.test_lost_answers import MOMENTS
from tests.service.web.house import Hall
from tests.service.web.rating import BAD, GOOD, KNOWN, V1, Rating, rated, served

pytestmark = pytest.mark.postgres

T = TypeVar("T")
WORDS: Final = "窗口让我补交清单之外的材料。"
EXTRA: Final[dict[str, Any]] = {"grade": "very_dissatisfied", "codes": ["115"], "text": WORDS}
DOORS: Final = ("object", "confirm-mistake", "complain")
FORMS: Final[dict[str, dict[str, Any]]] = {
    "object": {"ground": "是我本人写的。"},
    "confirm-mistake": {},
    "complain": {},
}


def ask(hall: Hall, door: str, own_link: str, **form: object) -> Response:
    """Knock at a door of the own link, from a device where nobody is logged in."""
    return hall.client().post(f"{V1}/own/review/{door}", json={"own_link": own_link, **FORMS[door], **form})


def own(hall: Hall, rating: Rating, language: str = "zh") -> dict[str, Any]:
    """Ask after the own rating."""
    answer = hall.client().post(f"{V1}/own/review", json={"own_link": rating.own_link, "language": language})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def registered(hall: Hall, case: str) -> complaint.Registered:
    """Give the registration of a complaint."""
    with hall.parts.pool.connection() as connection:
        event = read_stream(connection, UUID(case))[0].event
    assert isinstance(event, complaint.Registered)
    return event


def names(hall: Hall, stream: str) -> list[str]:
    """Give the names of what happened on a stream."""
    with hall.parts.pool.connection() as connection:
        return [one.name.rsplit(".", 1)[0] for one in read_stream(connection, UUID(stream))]


def text(hall: Hall, kind: str, sealed: Any) -> str:  # noqa: ANN401 - of a field of an event
    """Open a sealed value."""
    return hall.parts.vault.open(kind, sealed)


def together(*acts: Callable[[], T]) -> list[T]:
    """Do things at one moment."""
    barrier = Barrier(len(acts))

    def one(act: Callable[[], T]) -> T:
        barrier.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(one, acts))


def erase(hall: Hall, *streams: str | UUID) -> None:
    """Destroy the keys of these owners."""
    for owner in streams:
        for kind in ("case", "person"):
            hall.parts.vault.destroy(hall.parts.vault.keys_of(kind, UUID(str(owner))))


def test_a_bad_rating_becomes_a_complaint_in_one_step(hall: Hall) -> None:
    """Nothing is told twice: hall, window, item, matter, words and name come from the visit and the rating."""
    _, now = hall.parts.book.register_now()
    visit = served(hall, project_no="P-370001", item="LICENCE", served_at=now.isoformat(), **KNOWN)
    rating = rated(hall, visit, **EXTRA)
    answer = ask(hall, "complain", rating.own_link, desired_outcome="请退还材料。")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["complaint_no"].startswith("TS-GXQ-")
    assert told["recorded"] is True
    assert told["receipt"]["promise"]
    event = registered(hall, told["id"])
    assert (event.hall, event.item, event.project_no, event.category) == ("GXQ", "LICENCE", "P-370001", "ATTITUDE")
    assert (event.respondent.department, event.respondent.window) == ("SJ", "W03")
    assert event.respondent.staff == hall.people["CHEN"]
    assert (event.identity_mode, event.by.role) == (IdentityMode.REAL_NAME, Role.CITIZEN)
    assert (event.external_ref, event.written) == (f"review:{rating.id}", True)
    assert event.happened_at == now
    assert text(hall, "narrative", event.narrative) == WORDS
    assert text(hall, "name", event.name) == KNOWN["name"]
    assert text(hall, "phone", event.phone) == KNOWN["phone"]
    status = {"complaint_no": told["complaint_no"], "query_code": told["query_code"]}
    hall.project()
    assert hall.client().post(f"{V1}/status", json=status).json()["step"] == "registered"
    # Linked, not merged: the rating is handled on, and knows of the complaint.
    assert names(hall, rating.id) == ["review.submitted", "review.accepted", "review.complaint-linked"]
    mine = own(hall, rating)
    assert (mine["stage"], mine["complaint_no"]) == ("bad_open", told["complaint_no"])
    assert (mine["may_complain"], mine["complaint_offered"]) == (False, False)


def test_own_words_and_another_phone_stand_before_what_is_known(hall: Hall) -> None:
    """Whoever tells it anew is heard in those words; anonymous, neither name nor phone goes along."""
    first, second = (rated(hall, served(hall, **KNOWN), **EXTRA) for _ in range(2))
    other = {"narrative": "我要投诉三号窗口。", "phone": "13900139000"}
    event = registered(hall, ask(hall, "complain", first.own_link, **other).json()["id"])
    assert text(hall, "narrative", event.narrative) == other["narrative"]
    assert text(hall, "phone", event.phone) == other["phone"]
    assert text(hall, "name", event.name) == KNOWN["name"]
    secret = registered(hall, ask(hall, "complain", second.own_link, anonymous=True).json()["id"])
    assert (secret.name, secret.phone, secret.identity_mode) == (None, None, IdentityMode.ANONYMOUS)
    assert secret.complainant != event.complainant


def test_whoever_rated_without_a_name_complains_without_one(hall: Hall) -> None:
    """The visit knows name and phone, the rating was given without: the complaint has neither, unless they are told."""
    first, second = (rated(hall, served(hall, **KNOWN), anonymous=True, **EXTRA) for _ in range(2))
    event = registered(hall, ask(hall, "complain", first.own_link).json()["id"])
    assert (event.name, event.phone, event.identity_mode) == (None, None, IdentityMode.ANONYMOUS)
    named = registered(hall, ask(hall, "complain", second.own_link, name="欧阳", phone="13800138000").json()["id"])
    assert named.identity_mode is IdentityMode.REAL_NAME


def test_the_link_makes_one_complaint(hall: Hall) -> None:
    """Sent again it is the same to the letter; in other words it is the same one, and says that they are not in it."""
    rating = rated(hall, **BAD)
    first = ask(hall, "complain", rating.own_link).json()
    position = hall.last_position()
    spelled = rating.own_link.lower().replace("-", " ")
    assert ask(hall, "complain", spelled).json() == first
    other = ask(hall, "complain", rating.own_link, narrative="另外的话。")
    assert (other.status_code, other.json()) == (201, {**first, "recorded": False})
    assert hall.last_position() == position


def test_two_devices_at_once_make_one_complaint(hall: Hall) -> None:
    """Two programs, eight devices, each with words of its own: one number, and one of them hears that it is theirs."""
    rating = rated(hall, **BAD)
    parts = hall.parts
    with open_parts(parts.settings, parts.dsn) as far:
        forms = [ComplaintOfReviewForm(own_link=rating.own_link, narrative=f"第{n}次。") for n in range(8)]
        found = together(
            *(
                lambda n=n, one=one: own_reviews.complain((parts, far)[n % 2], one, "test")
                for n, one in enumerate(forms)
            )
        )
    assert len({(one.complaint_no, one.query_code) for one, _ in found}) == 1
    assert [recorded for _, recorded in found].count(True) == 1
    assert names(hall, rating.id).count("review.complaint-linked") == 1


@pytest.mark.parametrize("by_itself", [True, False], ids=["alone", "in a group"])
def test_a_follow_up_at_the_same_moment_loses_nothing(hall: Hall, *, by_itself: bool) -> None:
    """Both append to the review: each finds its place after the other, in whatever company the complaint comes."""
    ratings = [rated(hall, **BAD) for _ in range(1 if by_itself else 6)]
    parts = hall.parts
    acts: list[Callable[[], object]] = []
    for rating in ratings:
        form = ComplaintOfReviewForm(own_link=rating.own_link)
        more = FollowUpForm(own_link=rating.own_link, text="又跑了一趟。")
        acts.append(lambda form=form: own_reviews.complain(parts, form, "test"))  # type: ignore[misc]  # bound here
        acts.append(lambda more=more: parts.reviews.append(more, Origin(), "test"))  # type: ignore[misc]  # as above
    together(*acts)
    for rating in ratings:
        assert sorted(names(hall, rating.id)) == [
            "review.accepted", "review.appended", "review.complaint-linked", "review.submitted",
        ]  # fmt: skip
        assert own(hall, rating)["complaint_no"]


@pytest.mark.parametrize(("marker", "when"), MOMENTS)
def test_a_complaint_whose_answer_was_lost_is_one(hall: Hall, marker: str, when: Break) -> None:
    """Wherever the line breaks, it is on record once, linked once, and asked for again it is the same."""
    rating = rated(hall, served(hall, **KNOWN), **BAD)
    settings = replace(hall.parts.settings, pool=2)
    form = ComplaintOfReviewForm(own_link=rating.own_link)
    with LossyLine(hall.parts.dsn, marker, when) as line, open_parts(settings, line.dsn) as far:
        first, recorded = own_reviews.complain(far, form, "test")
        assert line.broken == 1
    again, once_more = own_reviews.complain(hall.parts, form, "test")
    assert (recorded, once_more) == (True, True)
    assert (first.complaint_no, first.query_code, first.done.position) == (
        again.complaint_no,
        again.query_code,
        again.done.position,
    )
    assert names(hall, rating.id).count("review.complaint-linked") == 1


def test_only_a_bad_rating_becomes_a_complaint(hall: Hall) -> None:
    """Praise does not, until a bad follow-up makes it a work order; what was ticked says whether it is offered."""
    rating = rated(hall, **GOOD)
    refused = ask(hall, "complain", rating.own_link)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-a-bad-review")
    assert own(hall, rating)["may_complain"] is False
    more = {"own_link": rating.own_link, "grade": "dissatisfied", "text": "后来没有办成。"}
    assert hall.client().post(f"{V1}/own/review/append", json=more).status_code == 200
    mine = own(hall, rating)
    # Allowed for every bad one, offered for what was ticked.
    assert (mine["may_complain"], mine["complaint_offered"]) == (True, False)
    event = registered(hall, ask(hall, "complain", rating.own_link).json()["id"])
    assert (event.category, text(hall, "narrative", event.narrative)) == ("OTHER", more["text"])
    offered = rated(hall, **BAD)
    assert own(hall, offered)["complaint_offered"] is True


def test_what_was_ticked_is_said_where_no_words_were_written(hall: Hall) -> None:
    """A complaint needs a narrative: without words it is what was ticked, by its name."""
    rating = rated(hall, grade="very_dissatisfied", codes=["110", "108"])
    event = registered(hall, ask(hall, "complain", rating.own_link).json()["id"])
    five = {one.code: one.name_zh for one in code_set().code_set().codes}
    assert text(hall, "narrative", event.narrative) == f"{five['110']}；{five['108']}"
    assert event.category == "OVERTIME"


def test_erased_words_and_names_are_not_told_again(hall: Hall) -> None:
    """What was erased is gone for the complaint too; without code and words somebody has to write some."""
    visit = served(hall, **KNOWN)
    rating = rated(hall, visit, grade="dissatisfied", text=WORDS)
    with hall.parts.pool.connection() as connection:
        first: Any = read_stream(connection, UUID(rating.id))[0].event
    erase(hall, rating.id, first.reviewer)
    refused = ask(hall, "complain", rating.own_link)
    assert (refused.status_code, refused.json()["code"]) == (409, "reason-missing")
    answer = ask(hall, "complain", rating.own_link, narrative="重新说明。")
    event = registered(hall, answer.json()["id"])
    assert (event.name, event.phone) == (None, None)
    # The complaint is there, though nothing can be read of the rating: the link still leads to it.
    again = ask(hall, "complain", rating.own_link).json()
    assert (again["complaint_no"], again["recorded"]) == (event.complaint_no, False)
    assert own(hall, rating)["texts"] == []


def test_wrong_links_look_alike_and_change_nothing(hall: Hall) -> None:
    """What never was a link, what is one of nothing and a token are told the same at every door."""
    rating = rated(hall, **BAD)
    position = hall.last_position()
    for door in DOORS:
        found = [ask(hall, door, one) for one in ("nothing", "0000-0000-0000-0000", rating.token)]
        assert {answer.status_code for answer in found} == {404}, door
        assert len({answer.text for answer in found}) == 1
    assert hall.last_position() == position


@pytest.mark.parametrize("door", DOORS)
def test_nobody_who_is_logged_in_speaks_for_who_rated(hall: Hall, door: str) -> None:
    """Staff who saw the link cannot object, call it a mistake or complain with it."""
    rating = rated(hall, **BAD)
    position = hall.last_position()
    for name in ("LI", "QIAN", "ZHAO", "CHEN"):
        body = {"own_link": rating.own_link, **FORMS[door]}
        answer = hall.as_(name).post(f"{V1}/own/review/{door}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role"), name
    assert hall.last_position() == position


def test_who_rated_objects_once_to_an_exclusion(hall: Hall) -> None:
    """Before it there is nothing to object to; sent again it is the first answer, in other words it is refused."""
    rating = rated(hall, anonymous=True, **BAD)
    early = ask(hall, "object", rating.own_link)
    assert (early.status_code, early.json()["code"]) == (409, "out-of-turn")
    assert own(hall, rating)["may_object"] is False
    excluded(hall, rating)
    mine = own(hall, rating)
    assert (mine["stage"], mine["stage_told"], mine["may_object"]) == ("excluded", "已排除", True)
    assert mine["object_until"] is not None
    ground = "评价是我本人写的。"
    first = ask(hall, "object", rating.own_link, ground=ground)
    assert (first.status_code, first.json()["recorded"]) == (200, True)
    position = hall.last_position()
    assert ask(hall, "object", rating.own_link, ground=ground).json() == first.json()
    other = ask(hall, "object", rating.own_link, ground="还有别的理由。")
    assert (other.status_code, other.json()["code"]) == (409, "once-only")
    assert hall.last_position() == position
    with hall.parts.pool.connection() as connection:
        event: Any = read_stream(connection, UUID(rating.id))[-1].event
    assert text(hall, "ground", event.ground) == ground
    assert event.ground_measured.chars == len(ground)
    mine = own(hall, rating)
    assert (mine["may_object"], mine["objected"]) == (False, True)


def test_a_mistake_is_said_by_who_rated(hall: Hall) -> None:
    """It is on record once; the rating stays what it was."""
    rating = rated(hall, **BAD)
    appealed(hall, rating, "mistaken_grade")
    assert own(hall, rating)["may_confirm_mistake"] is True
    first, again = (ask(hall, "confirm-mistake", rating.own_link) for _ in range(2))
    assert (first.status_code, first.json()) == (200, again.json())
    assert names(hall, rating.id).count("review.mistake-confirmed") == 1
    mine = own(hall, rating)
    assert (mine["grade"], mine["may_confirm_mistake"], mine["mistake_confirmed"]) == ("dissatisfied", False, True)


def test_who_rated_reads_what_was_done_and_not_what_was_weighed(hall: Hall) -> None:
    """The stage in words, what was put right, the reply; neither the facts found nor evidence nor a note."""
    rating = rated(hall, served(hall, **KNOWN), **BAD)
    assert own(hall, rating, "en")["stage_told"] == "to be looked into"
    replied(hall, rating)
    mine = own(hall, rating)
    assert (mine["stage"], mine["stage_told"]) == ("rectified", "已整改或解释")
    assert (mine["put_right"], mine["reply"], mine["explained"]) == (PUT_RIGHT, REPLY, None)
    assert mine["texts"] == [BAD["text"]]
    assert "告知不一致" not in str(mine)
    assert "本人接听" not in str(mine)
    contested = rated(hall, served(hall, **KNOWN), **BAD)
    appealed(hall, contested)
    mine = own(hall, contested)
    said = [line["said"] for line in mine["history"]]
    assert mine["stage"] == "under_appeal"
    assert not any("证据" in line for line in said)
    assert "叫号系统" not in str(mine)
    assert "不是服务对象" not in str(mine)


def test_every_category_of_a_code_is_one_there_is(still_hall: Hall) -> None:
    """The table names codes that may be ticked for a bad rating, and categories of ours; the offer is among them."""
    facts = still_hall.parts.book.facts()
    five = facts.rulebook.code_sets[DETAILS]
    for codes in own_reviews.categories_by_code()[0]:
        found = five.code(codes)
        assert found is not None
        assert found.in_use
        assert found.grade.bad
        assert own_reviews.category([codes], facts) in facts.rulebook.categories
    assert set(document("hall").lists["complaint_offer"]) == set(own_reviews.categories_by_code()[0])
    assert own_reviews.category(["999"], facts) == "OTHER"
    bare = replace(facts, rulebook=RULEBOOK.initial)
    assert own_reviews.category(["110"], bare) is None
