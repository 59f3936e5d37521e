"""The other side through the API: it reads the question and answers it, and learns nothing else of the case."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import pytest

from domain import register
from domain.decider import THE_SYSTEM
from domain.register import LeavePost
from service.asking import Asked
from tests.service.web.house import Case, Hall, take
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

QUESTION: Final = "请说明2月12日上午三号窗口的收件情况。"
OTHER_SIDE: Final = ("CHEN", "WANG")  # who serves at the window, and who heads its department


def invited(hall: Hall) -> tuple[Case, str]:
    """Carry a case until the other side is asked; give it with the id of the question."""
    case = hall.carry(hall.complain(), until="record-contact")
    answer = hall.act(case, "invite-statement", "LI", question=QUESTION)
    assert answer.status_code == 200, answer.text
    hall.project()
    return case, answer.json()["statement"]


def questions(hall: Hall, name: str) -> list[dict[str, Any]]:
    """Give the questions put to somebody."""
    answer = hall.as_(name).get("/api/v1/statements")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize("name", OTHER_SIDE)
def test_the_other_side_reads_the_question_and_nothing_else(hall: Hall, name: str) -> None:
    """Neither the case nor its number, nor who complained of what; and that it was read is on record."""
    case, statement = invited(hall)
    answer = hall.as_(name).get("/api/v1/statements")
    (item,) = answer.json()["items"]
    assert (item["id"], item["question"], item["made"]) == (statement, QUESTION, False)
    assert set(item) == {"id", "asked_at", "due", "due_provisional", "question", "made"}
    for secret in (case.id, case.complaint_no, "两次让我回去补材料"):
        assert secret not in answer.text
    told = hall.as_("ZHOU").get(f"{case.path}/history", params={"language": "en"}).json()["history"]
    assert any("question" in line["said"] and "statement" in line["said"] for line in told)


@pytest.mark.parametrize("name", ["TAN", "ZHAO", "QIAN", "SUN", "ADMIN", "WU"])
def test_nobody_else_was_asked(hall: Hall, name: str) -> None:
    """Not the desk, not another unit; a question one was not asked looks like none."""
    _, statement = invited(hall)
    assert questions(hall, name) == []
    for path, form in ((statement, {"content": "说明"}), (f"{statement}/recusal", {"ground": "relative"})):
        answer = hall.as_(name).post(f"/api/v1/statements/{path}", json=form)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    nothing = hall.as_("CHEN").post("/api/v1/statements/00000000-0000-0000-0000-000000000000", json={"content": "x"})
    assert nothing.json()["code"] == "not-found"


def test_who_had_left_the_window_before_was_not_asked(hall: Hall) -> None:
    """What counts is who served there when it happened, when it was told, or now."""
    person = hall.people["TAN"]
    take(hall.parts, person, "W03-CLERK")
    leave = LeavePost(at=SOME_TIME, by=THE_SYSTEM, post="W03-CLERK", person=person)
    asked = Asked(command_id=uuid4(), source="test", name="leave-post")
    hall.parts.book.transact(register.REGISTER, register.STREAM, leave, asked)
    _, statement = invited(hall)
    assert questions(hall, "TAN") == []
    answer = hall.as_("TAN").post(f"/api/v1/statements/{statement}", json={"content": "说明"})
    assert answer.status_code == 404


def test_a_stranger_is_asked_nothing(still_hall: Hall) -> None:
    """Without a log-in there are no questions."""
    assert still_hall.client().get("/api/v1/statements").status_code == 401


def test_a_statement_is_made_once_and_read_by_who_handles_the_case(hall: Hall) -> None:
    """Who made it still knows nothing of the case."""
    case, statement = invited(hall)
    made = hall.as_("CHEN").post(f"/api/v1/statements/{statement}", json={"content": "当日系统故障，已当面说明。"})
    assert made.status_code == 200, made.text
    assert set(made.json()) == {"position", "recorded"}
    again = hall.as_("CHEN").post(f"/api/v1/statements/{statement}", json={"content": "再说一次。"})
    assert (again.status_code, again.json()["code"]) == (409, "superseded")
    hall.project()
    assert [one["made"] for one in questions(hall, "CHEN")] == [True]
    opened = hall.as_("LI").post(f"{case.path}/open", json={"fields": ["content"]}).json()["values"]
    assert [one["text"] for one in opened] == ["当日系统故障，已当面说明。"]
    assert hall.as_("CHEN").get(case.path).status_code == 404


def test_who_spoke_for_the_other_side_does_not_judge_the_reply(hall: Hall) -> None:
    """The head made the statement, so somebody else has to approve."""
    case, statement = invited(hall)
    assert hall.as_("WANG").post(f"/api/v1/statements/{statement}", json={"content": "说明"}).status_code == 200
    case.done.remove("invite-statement")
    hall.carry(case, until="submit-reply")
    refused = hall.act(case, "approve-reply", "WANG")
    assert refused.status_code in {403, 404}
    assert refused.json()["code"] in {"own-cause", "not-found"}


def test_the_other_side_asks_that_the_handler_keep_out(hall: Hall) -> None:
    """Until a supervisor has decided, only evidence may be secured; then all goes on."""
    case, statement = invited(hall)
    asked = hall.as_("CHEN").post(f"/api/v1/statements/{statement}/recusal", json={"ground": "own_interest"})
    assert asked.status_code == 200, asked.text
    waiting = hall.act(case, "record-finding", "LI")
    assert waiting.json()["code"] == "recusal-pending"
    assert hall.act(case, "record-evidence", "LI").status_code == 200
    (recusal,) = hall.as_("ZHOU").get(case.path).json()["current"]["recusals"]
    decided = hall.act(case, "decide-recusal", "ZHOU", recusal=recusal, granted=False)
    assert decided.status_code == 200, decided.text
    assert hall.act(case, "record-finding", "LI").status_code == 200
