"""Contacts through the API: counted at the window, registered from there, and what was not registered is found."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from projections.histories import Language, history, read_stream
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres

STORY: Final = {"hall": "GXQ", "narrative": "三号窗口拒收材料，没有说明理由。", "respondent": {"window": "W03"}}


def come(there: Hall, by: str = "QIAN", /, **form: object) -> str:
    """Let somebody come to the window; give the contact's id."""
    answer = there.as_(by).post("/api/v1/contacts", json={"kind": "complaint", **form})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def counted(hall: Hall, by: str = "ZHOU", **asked: object) -> dict[str, Any]:
    """Give the list of contacts."""
    hall.project()
    answer = hall.as_(by).get("/api/v1/contacts", params={name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_contact_is_counted_where_it_came(hall: Hall) -> None:
    """Hall and window follow from the post; a complaint has its limit, an enquiry none."""
    contact, enquiry = come(hall), come(hall, kind="enquiry", channel="phone")
    items = {one["contact"]: one for one in counted(hall)["items"]}
    assert (items[contact]["hall"], items[contact]["window"], items[contact]["kind"]) == ("GXQ", "W00", "complaint")
    assert items[contact]["register_due"] is not None
    assert items[enquiry]["register_due"] is None


def test_what_was_not_registered_is_found(hall: Hall) -> None:
    """Complaints without a case; those past their limit by themselves, and nothing personal in any."""
    waiting, done = come(hall), come(hall)
    come(hall, kind="praise")
    assert hall.as_("QIAN").post(f"/api/v1/contacts/{done}/register", json=STORY).status_code == 201
    assert [one["contact"] for one in counted(hall, unregistered=True)["items"]] == [waiting]
    assert counted(hall, unregistered=True, overdue=True)["total"] == 0
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        connection.execute("update contacts_1 set register_due = now() - interval '1 minute'")
    late = hall.as_("ZHOU").get("/api/v1/contacts", params={"unregistered": "true", "overdue": "true"}).json()
    assert [one["contact"] for one in late["items"]] == [waiting]


def test_an_unknown_day_makes_no_contact_overdue(hall: Hall) -> None:
    """A provisional limit is no reason to look for whoever was late."""
    come(hall)
    hall.project()
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        connection.execute(
            "update contacts_1 set register_due = now() - interval '1 minute', register_due_provisional = true"
        )
    late = hall.as_("ZHOU").get("/api/v1/contacts", params={"unregistered": "true", "overdue": "true"}).json()
    assert late["total"] == 0


def test_registering_from_a_contact_names_the_case(hall: Hall) -> None:
    """Sent again with its key it is the same case and the same link."""
    contact = come(hall)
    client = hall.as_("QIAN")
    answers = [
        client.post(f"/api/v1/contacts/{contact}/register", json=STORY, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    (item,) = [one for one in counted(hall)["items"] if one["contact"] == contact]
    assert (item["case"], item["registered_late"]) == (answers[0].json()["id"], False)
    assert item["version"] == 2


def test_a_registration_that_was_cut_off_is_ended_when_it_is_sent_again(hall: Hall) -> None:
    """The case was registered, the link was not: the same request makes it."""
    contact = come(hall)
    client = hall.as_("QIAN")
    headers = {"Idempotency-Key": "cut-off"}
    path = f"/api/v1/contacts/{contact}/register"
    first = client.post(path, json=STORY, headers=headers).json()
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("delete from events where stream_id = %s and version = 2", (UUID(contact),))
    with psycopg.connect(hall.parts.dsn) as connection:
        assert len(read_stream(connection, UUID(contact))) == 1
    again = client.post(path, json=STORY, headers=headers).json()
    assert again["id"] == first["id"]
    with psycopg.connect(hall.parts.dsn) as connection:
        assert len(read_stream(connection, UUID(contact))) == 2


def test_a_case_that_is_there_already_is_named(hall: Hall) -> None:
    """By its number, if one may know of it; another's number looks like no number."""
    case = hall.complain(by="QIAN")
    contact = come(hall)
    client = hall.as_("QIAN")
    assert client.post(f"/api/v1/contacts/{contact}/link", json={"complaint_no": case.complaint_no}).status_code == 200
    unknown = client.post(f"/api/v1/contacts/{contact}/link", json={"complaint_no": "TS-GXQ-20260101-00001-X"})
    sealed = hall.complain(sealed_from_desk=True)
    hidden = client.post(f"/api/v1/contacts/{contact}/link", json={"complaint_no": sealed.complaint_no})
    assert [unknown.status_code, hidden.status_code] == [404, 404]
    assert unknown.json()["code"] == hidden.json()["code"]
    with psycopg.connect(hall.parts.dsn) as connection:
        lines = history(read_stream(connection, UUID(contact)), hall.parts.book.facts().register, Language.ENGLISH)
    assert [line.said.split(";")[0] for line in lines] == [
        "somebody came with a complaint (window)",
        "the complaint was registered, in time",
    ]


def test_a_complaint_is_not_settled_away(hall: Hall) -> None:
    """Who took it down cannot unmake it; the desk can, and then it is settled."""
    contact = come(hall)
    clerk, desk = hall.as_("QIAN"), hall.as_("ZHAO")
    settle = {"settlement": "answered"}
    refused = clerk.post(f"/api/v1/contacts/{contact}/settle", json=settle)
    assert (refused.status_code, refused.json()["code"]) == (409, "complaint-to-register")
    assert clerk.post(f"/api/v1/contacts/{contact}/reclassify", json={"kind": "enquiry"}).status_code == 403
    assert desk.post(f"/api/v1/contacts/{contact}/reclassify", json={"kind": "enquiry"}).status_code == 200
    assert clerk.post(f"/api/v1/contacts/{contact}/settle", json=settle).status_code == 200
    assert counted(hall, unregistered=True)["total"] == 0


@pytest.mark.parametrize("name", ["LI", "WANG", "SUN", "CHEN", "ADMIN"])
def test_who_takes_nobody_in_counts_nobody(still_hall: Hall, name: str) -> None:
    """And reads no contacts."""
    client = still_hall.as_(name)
    assert client.post("/api/v1/contacts", json={"kind": "complaint"}).status_code == 403
    assert client.get("/api/v1/contacts").status_code == 403


def test_a_stranger_reads_and_counts_nothing(still_hall: Hall) -> None:
    """Without a log-in there are no contacts."""
    client = still_hall.client()
    assert client.post("/api/v1/contacts", json={"kind": "complaint"}).status_code == 401
    assert client.get("/api/v1/contacts").status_code == 401


def test_another_halls_contacts_are_not_seen(hall: Hall) -> None:
    """A clerk sees those of the own window, or taken down by the clerk; of another hall nobody here."""
    elsewhere = come(hall, "ZHAO", hall="JD", window="J01")
    own = come(hall)
    assert {one["contact"] for one in counted(hall, "QIAN")["items"]} == {own}
    assert {one["contact"] for one in counted(hall, "ZHAO")["items"]} == {own, elsewhere}
    hidden = hall.as_("QIAN").post(f"/api/v1/contacts/{elsewhere}/settle", json={"settlement": "left"})
    assert hidden.status_code == 404
