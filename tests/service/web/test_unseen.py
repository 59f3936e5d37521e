"""A case one may not know of is nowhere: no address, list, count, filter or cursor tells it from one that never was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from domain.decider import Code
from service.forms import FORMS
from tests.service.web.house import HOLDERS, Case, Hall, Template, copy

pytestmark = pytest.mark.postgres

COMPLAINTS: Final = "/api/v1/complaints"
SECRET: Final = "3号窗口两次让我回去补材料"

HIDDEN: Final[Mapping[tuple[str, Code], str]] = {
    ("QIAN", "INTAKE"): "sent",
    ("LI", "SJ-HANDLER"): "sent",
    ("WANG", "SJ-HEAD"): "sent",
    ("TAN", "SW-HANDLER"): "replied",
    ("FENG", "SJ-HANDLER-2"): "sent",
    ("FENG", "REVISIT-2"): "replied",
    ("SUN", "REVISIT"): "sent",
    ("CHEN", "W03-CLERK"): "replied",
    ("ADMIN", "ADMIN"): "replied",
    ("ZHAO", "DESK"): "about ZHAO",
    ("ZHOU", "SUPERVISION"): "about ZHOU",
    ("WU", "AUDIT"): "about WU",
    # Bad reviews are theirs, complaints are not.
    ("HE", "VERIFY"): "replied",
    ("LU", "SW-VERIFY"): "replied",
    ("GUO", "PANEL-1"): "replied",
    ("MA", "PANEL-2"): "replied",
    ("XU", "PANEL-3"): "replied",
    ("DENG", "PANEL-4"): "replied",
}
"""For everybody in each of their posts a case they may not know of."""


@dataclass
class Cases:
    """A hall with cases, each hidden from somebody."""

    hall: Hall
    cases: dict[str, Case]


@pytest.fixture(scope="module")
def cases(hall_template: Template) -> Iterator[Cases]:
    """A hall in which one only reads, or tries to."""
    with copy(hall_template) as hall:
        found = {
            "sent": hall.complain(phone="13800000000"),
            "replied": hall.carry(hall.complain(by="QIAN"), "reply"),
            "taken": hall.carry(hall.complain(by="QIAN", name="欧阳·𬭎", phone="13900000000"), "sign-for"),
        }
        for name in ("ZHAO", "ZHOU", "WU"):
            found[f"about {name}"] = hall.complain(respondent={"staff": str(hall.people[name])})
        hall.project()
        position = hall.last_position()
        yield Cases(hall, found)
        assert hall.last_position() == position


def answers(hall: Hall, client: TestClient, case: str) -> dict[str, Response]:
    """Knock at every address under a case, with good forms, bad ones, and headers that would tell a version."""
    path = f"{COMPLAINTS}/{case}"
    found = {
        "one": client.get(path),
        "history": client.get(f"{path}/history"),
        "past": client.get(f"{path}/history", params={"as_of": "2020-01-01T00:00:00Z", "language": "en"}),
        "history malformed": client.get(f"{path}/history", params={"as_of": "x"}),
        "open": client.post(f"{path}/open", json={"fields": ["narrative"]}),
        "open nothing": client.post(f"{path}/open", json={"fields": []}),
        "no such command": client.post(f"{path}/nothing", json={}),
    }
    somewhere = str(uuid4())
    named = Case(
        id=case, complaint_no="", query_code="", version=0, made={"reply": somewhere, "rectification": somewhere}
    )
    for command in FORMS:
        form = hall.form(named, command)
        found[command] = client.post(f"{path}/{command}", json=form)
        found[f"{command} malformed"] = client.post(f"{path}/{command}", json={"nobody": 1})
        headers = {"If-Match": '"1"', "Idempotency-Key": "unseen"}
        found[f"{command} stale"] = client.post(f"{path}/{command}", json=form, headers=headers)
    return found


def as_told(answer: Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Give everything an answer tells, but for the ids that were made up for it."""
    told = answer.json()
    return answer.status_code, told, {name: value for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize(("name", "post"), HIDDEN, ids=[f"{name}-{post}" for name, post in HIDDEN])
def test_no_address_tells_a_hidden_case_from_none(cases: Cases, name: str, post: Code) -> None:
    """Status, body and headers are the same in every route, whatever is sent there; and 404 where it is well-formed."""
    client, hidden = cases.hall.as_(name, post), cases.cases[HIDDEN[name, post]]
    there, nowhere = answers(cases.hall, client, hidden.id), answers(cases.hall, client, str(uuid4()))
    assert {way: as_told(answer) for way, answer in there.items()} == {
        way: as_told(answer) for way, answer in nowhere.items()
    }
    malformed = {way for way in there if way.endswith("malformed")}
    assert {there[way].status_code for way in there.keys() - malformed} == {404}
    assert {there[way].status_code for way in malformed} == {422}


def pages(client: TestClient, **asked: object) -> tuple[list[str], int]:
    """Go through a list one case at a time; give the cases and the count it claims."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"limit": 1, **asked, **({} if cursor is None else {"cursor": cursor})}
        page = client.get(COMPLAINTS, params=params).json()
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            return found, page["total"]


@pytest.mark.parametrize(("name", "post"), HIDDEN, ids=[f"{name}-{post}" for name, post in HIDDEN])
def test_no_list_count_filter_or_cursor_tells_of_it(cases: Cases, name: str, post: Code) -> None:
    """Every list holds exactly what can be read one by one; asked for by its number a hidden case is not there."""
    client = cases.hall.as_(name, post)
    seen = {case.id for case in cases.cases.values() if client.get(case.path).status_code == 200}
    hidden = cases.cases[HIDDEN[name, post]]
    assert hidden.id not in seen
    for order in ("due", "newest"):
        found, total = pages(client, order=order)
        assert (set(found), len(found), total) == (seen, len(seen), len(seen))
    for case in cases.cases.values():
        expected = [case.id] if case.id in seen else []
        assert pages(client, complaint_no=case.complaint_no) == (expected, len(expected))
    filters = [{"step": "registered"}, {"step": "replied"}, {"window": "W03"}, {"department": "SJ"}]
    for asked in [*filters, {"category": "NO_ONE_TIME_NOTICE"}, {"due_before": "2990-01-01T00:00:00Z"}]:
        found, total = pages(client, **asked)
        assert set(found) <= seen
        assert total == len(found)


def test_a_cursor_of_somebody_else_opens_nothing(cases: Cases) -> None:
    """With the desk's cursors others see on from there what they may, and are told the same count as without."""
    desk = cases.hall.as_("ZHAO")
    cursors = [desk.get(COMPLAINTS, params={"limit": n}).json()["next"] for n in (1, 2, 3)]
    assert all(cursors)
    for name, post in HIDDEN:
        client = cases.hall.as_(name, post)
        seen, total = pages(client)
        for cursor in cursors:
            page = client.get(COMPLAINTS, params={"cursor": cursor}).json()
            assert {one["id"] for one in page["items"]} <= set(seen)
            assert page["total"] == total


def test_an_auditor_reads_and_does_not_act(cases: Cases) -> None:
    """Case, history and list are open, no command is; names and phones are not opened for them."""
    client, case = cases.hall.as_("WU"), cases.cases["taken"]
    assert client.get(case.path).json()["next_steps"] == []
    assert client.get(f"{case.path}/history").status_code == 200
    named = Case(
        id=case.id, complaint_no="", query_code="", version=0, made={"reply": case.id, "rectification": case.id}
    )
    for command in FORMS:
        # A merge names another case, which is looked for first, and here there is none.
        refused = {403, 404} if command == "merge" else {403, 409}
        assert client.post(f"{case.path}/{command}", json=cases.hall.form(named, command)).status_code in refused


@pytest.mark.parametrize("name", ["WU", "WANG"])
@pytest.mark.parametrize("fields", [["name"], ["phone"], ["narrative", "phone"]])
def test_who_need_not_know_the_complainant_is_not_told(cases: Cases, name: str, fields: list[str]) -> None:
    """An auditor and the head of a unit open neither name nor phone, also not among others; nothing goes on record."""
    answer = cases.hall.as_(name).post(f"{cases.cases['taken'].path}/open", json={"fields": fields})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")


def test_every_role_without_cases_is_named() -> None:
    """Everybody in the hall is tried above, in each post."""
    assert set(HIDDEN) == {(name, post) for name, posts in HOLDERS.items() for post in posts}


def openings(hall: Hall) -> list[str]:
    """Give who opened sealed values, in the order of the log."""
    with hall.parts.pool.connection() as connection:
        return [
            str(row[0])
            for row in connection.execute(
                "select stream_id from events where name = 'access.opened.1' order by position"
            )
        ]


def quarter(hall: Hall) -> int:
    """Give the quarter of an hour of the database."""
    with hall.parts.pool.connection() as connection:
        row = connection.execute("select floor(extract(epoch from clock_timestamp()) / 900)").fetchone()
    assert row is not None
    return int(row[0])


def test_an_opening_goes_on_record_once_for_person_purpose_and_quarter(hall: Hall) -> None:
    """Read again it is the same opening; another person is another; supervisors and auditors read of each."""
    case = hall.carry(hall.complain(by="QIAN", name="欧阳·𬭎", phone="13900000000"), "reply")
    version = hall.as_("ZHOU").get(case.path).headers["etag"]
    began = quarter(hall)
    for name in ("LI", "LI", "SUN", "ZHOU", "LI", "SUN"):
        answer = hall.as_(name).post(f"{case.path}/open", json={"fields": ["phone"]})
        assert [one["text"] for one in answer.json()["values"]] == ["13900000000"]
    # A quarter that ended in between is one opening more for each.
    assert len(openings(hall)) == 3 or (quarter(hall) > began and len(openings(hall)) <= 6)
    assert hall.as_("ZHOU").get(case.path).headers["etag"] == version
    for name, lines in (("ZHOU", len(openings(hall))), ("WU", len(openings(hall))), ("ZHAO", 0)):
        told = hall.as_(name).get(f"{case.path}/history", params={"language": "en"}).json()["history"]
        assert len([one for one in told if "opened sealed values" in one["said"]]) == lines


def test_what_cannot_go_on_record_is_not_opened(hall: Hall) -> None:
    """First the record, then the value: while the log takes no opening, nothing is told."""
    case = hall.complain(by="QIAN", phone="13900000000")
    client = TestClient(hall.app, headers=dict(hall.as_("ZHAO").headers), raise_server_exceptions=False)
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        connection.execute(
            "create function refuse() returns trigger language plpgsql as $$ begin raise 'no more'; end $$"
        )
        connection.execute("create trigger refuse before insert on events for each row execute function refuse()")
        answer = client.post(f"{case.path}/open", json={"fields": ["phone", "narrative"]})
        assert answer.status_code == 500
        assert "13900000000" not in answer.text
        assert SECRET not in answer.text
        connection.execute("drop trigger refuse on events")
    answer = client.post(f"{case.path}/open", json={"fields": ["phone", "narrative"]})
    assert {one["text"][:11] for one in answer.json()["values"]} == {"13900000000", SECRET[:11]}
    assert len(openings(hall)) == 1
