"""Erasing through the API: keys and marks go, numbers and proofs stay, and what was cut off is finished."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.access import Opened, Purpose
from domain.complaint import Registered
from domain.decider import beside
from domain.errors import NotYourRole, OwnErasure, StillInHandling, Unknown, WarrantMissing
from projections.histories import read_stream
from projections.runner import Entry
from service.asking import Asked
from service.casebook import Casebook
from service.database import open_pool
from service.escrow import export, import_
from service.eventstore import Log, Recorder
from service.forms.intake import RegisterForm
from service.keys import Vault
from service.master import LocalMaster
from service.privacy import Erasing, Whose, erased_keys, others_of
from service.sealing import Destroyed
from tests.service.lossy import Break, LossyLine
from tests.service.old_hall import NAME, PHONE, STORY, Old, OldHall, erased_event, events_of, old_hall
from tests.service.vaults import KeyService, until_somebody_waits

pytestmark = pytest.mark.postgres

LIVING: Final = "select count(*) from vault.keys where owner = %s and wrapped is not null"
FILES: Final = """
    select count(*) from vault.attachments where box is not null
        and key_id in (select key_id from vault.keys where owner = %s)"""
APPEND: Final = "append_events("
PASSPHRASE: Final = "eleven quiet lanterns"


@pytest.fixture
def hall(database: str, tmp_path: Path) -> Iterator[OldHall]:
    """A hall with closed complaints whose retention is over."""
    with old_hall(database, tmp_path) as found:
        yield found


def complainant(hall: OldHall, case: Old) -> Whose:
    """Give whose case it is."""
    return erasing(hall).whose(case.id)


def erasing(hall: OldHall) -> Erasing:
    """Give what destroys keys, as the program builds it."""
    return Erasing(hall.parts.book, hall.parts.vault, 35)


def test_what_was_erased_opens_nowhere(hall: OldHall) -> None:
    """Not a value, not a file, not by number and code; the history still tells what happened."""
    case = hall.carry(hall.complain())
    digest = next(
        event.sha256
        for event in [one.event for one in stream(hall, case)]
        if hasattr(event, "sha256") and event.sha256 is not None
    )
    assert hall.values(case) == [NAME, PHONE, STORY]
    assert hall.parts.vault.open_file("attachment", digest)
    told = hall.erase(case)
    assert told["erased"]["person_kept"] is False
    assert hall.values(case) == [None, None, None]
    assert hall.values(case, "LI", "reasons", "facts", "actions", "description") == [None] * 5
    with pytest.raises(Destroyed):
        hall.parts.vault.open_file("attachment", digest)
    hall.ask(None, "status", {"complaint_no": case.complaint_no, "query_code": case.query_code}, 404)
    told = hall.look("ZHOU", f"complaints/{case.id}/history?language=en")["history"]
    said, gone = [line["said"] for line in told], erased_event(hall, case).gone_from_backups_by
    assert f"erased the personal data by destroying the keys; gone from backups by {gone}" in said
    assert "asked to have personal data erased (the purpose is fulfilled)" in said
    assert told[0]["said"].startswith(f"registered complaint {case.complaint_no}")


def stream(hall: OldHall, case: Old) -> list[Entry]:
    """Give the events of a case in their places."""
    with hall.parts.pool.connection() as connection:
        return read_stream(connection, case.id)


def test_nothing_outside_the_log_leads_to_who_was_erased(hall: OldHall) -> None:
    """Keys, files, marks of phone, sketch of the story, query code, hashes of what was sent."""
    case = hall.carry(hall.complain(id_number="15010219800101123X"))
    whose = complainant(hall, case)
    request = hall.grant(case)
    with hall.parts.pool.connection() as connection:
        connection.execute(
            "insert into requests (command_id, mac) select distinct command_id, '\\x00'::bytea from events"
            " where stream_id = %s",
            (case.id,),
        )
    traces = (
        ("select count(*) from vault.subjects where subject_key = %s", whose.person, 2),
        ("select count(*) from vault.sketches where subject_key = %s", whose.person, 1),
        ("select count(*) from vault.query_codes where case_id = %s", case.id, 1),
        (FILES, case.id, 1),
        (LIVING, case.id, 1),
        (LIVING, whose.person, 1),
    )  # fmt: skip
    assert [hall.one(query, who) for query, who, _ in traces] == [found for _, _, found in traces]
    before = hall.one("select count(*) from requests r join events e using (command_id) where stream_id = %s", case.id)
    hall.ask("HAN", f"complaints/{case.id}/erase", {"erasure_request": request})
    assert [hall.one(query, who) for query, who, _ in traces] == [0] * len(traces)
    after = hall.one("select count(*) from requests r join events e using (command_id) where stream_id = %s", case.id)
    assert (before > 0, after) == (True, 0)


def test_numbers_and_proofs_stay_as_they_were(hall: OldHall) -> None:
    """Every leaf is computed again to the same, and everybody counts as many cases as before."""
    case, other = hall.carry(hall.complain()), hall.carry(hall.complain(phone="13900000001", narrative="另一件事。"))
    hall.project()
    people = ("ZHAO", "ZHOU", "WANG", "WU", "QIAN", "LI", "SUN", "HAN")
    totals = {name: hall.look(name, "complaints")["total"] for name in people}
    shown = {one["id"]: one for one in hall.look("ZHOU", "complaints")["items"]}
    leaves = hall.leaves()
    hall.erase(case)
    hall.project()
    after = hall.leaves()
    assert after[: len(leaves)] == leaves
    assert all(stored == computed for _, stored, computed in after)
    assert [position for position, _, _ in after] == list(range(1, len(after) + 1))
    assert {name: hall.look(name, "complaints")["total"] for name in people} == totals
    assert totals["ZHOU"] == 2
    moved = {"position", "version", "changed_at", "erasure", "erasure_request"}
    for one in hall.look("ZHOU", "complaints")["items"]:
        before = shown[one["id"]]
        assert {name for name in one if one[name] != before[name]} == (moved if one["id"] == str(case.id) else set())
    assert hall.values(other)[2] == "另一件事。"


def test_who_was_erased_complains_again_as_a_stranger(hall: OldHall) -> None:
    """With a new subject key and new keys; nothing is found to be alike."""
    case = hall.carry(hall.complain())
    first = complainant(hall, case)
    again = hall.complain(now=True)
    assert complainant(hall, again).person == first.person, "before the erasure the phone is known"
    other = hall.carry(hall.complain(phone="13900000002"))
    before = complainant(hall, other)
    hall.erase(other)
    new = hall.complain(now=True, phone="13900000002")
    assert complainant(hall, new).person != before.person
    assert hall.values(new, "ZHAO") == [NAME, "13900000002", STORY]
    registered = stream(hall, new)[0].event
    assert isinstance(registered, Registered)
    assert registered.similar == ()


@pytest.mark.parametrize("projected", [True, False])
def test_a_key_that_another_case_needs_is_kept(hall: OldHall, *, projected: bool) -> None:
    """One case closed, one in hand: name and phone stay readable there, and are shown in the erased one no more."""
    case, open_case = hall.carry(hall.complain()), hall.carry(hall.complain(), "accept")
    if projected:
        hall.project()
    whose = complainant(hall, case)
    with hall.parts.pool.connection() as connection:
        assert others_of(connection, whose) == [open_case.id]
    assert hall.erase(case)["erased"]["person_kept"] is True
    assert (hall.one(LIVING, case.id), hall.one(LIVING, whose.person)) == (0, 1)
    assert hall.one("select count(*) from vault.subjects where subject_key = %s", whose.person) == 1
    assert hall.values(case) == [None, None, None]
    assert hall.values(open_case, "ZHAO") == [NAME, PHONE, STORY]
    request = hall.request(open_case)
    refused = hall.ask(
        "HAN",
        f"complaints/{open_case.id}/decide-erasure",
        {"erasure_request": request, "result": "granted", "legal_basis": "L3-47"},
        409,
    )
    assert refused["code"] == StillInHandling.code


def test_the_last_case_takes_the_key_of_the_person_with_it(hall: OldHall) -> None:
    """And then what that key had sealed in the other case is gone for everybody, not only hidden."""
    one, two = hall.carry(hall.complain()), hall.carry(hall.complain())
    whose = complainant(hall, one)
    name = next(event.name for event in [entry.event for entry in stream(hall, one)] if hasattr(event, "name"))
    hall.erase(one)
    assert hall.parts.vault.open("name", name) == NAME
    assert hall.erase(two)["erased"]["person_kept"] is False
    with pytest.raises(Destroyed):
        hall.parts.vault.open("name", name)
    assert hall.one(LIVING, whose.person) == 0
    assert name.key_id in erased_event(hall, two).key_ids
    assert name.key_id not in erased_event(hall, one).key_ids


def test_two_erasures_at_once_leave_no_key_behind(hall: OldHall) -> None:
    """Each sees the other's keys gone, although neither is on record yet."""
    one, two = hall.carry(hall.complain()), hall.carry(hall.complain())
    whose = complainant(hall, one)
    hall.grant(one)
    hall.grant(two)
    assert erasing(hall).destroy(complainant(hall, one)).person_kept
    assert not erasing(hall).destroy(complainant(hall, two)).person_kept
    assert hall.one(LIVING, whose.person) == 0


def test_erasing_twice_is_once(hall: OldHall) -> None:
    """Also under the same key of the request, which answers with what the first did."""
    case = hall.carry(hall.complain())
    request = hall.grant(case)
    headers = {"Authorization": f"Bearer {hall.tokens['HAN']}", "Idempotency-Key": "once"}
    path = f"/api/v1/complaints/{case.id}/erase"
    first = hall.client.post(path, json={"erasure_request": request}, headers=headers)
    again = hall.client.post(path, json={"erasure_request": request}, headers=headers)
    assert first.json()["erased"]["person_kept"] is False
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    another = hall.ask("HAN", f"complaints/{case.id}/erase", {"erasure_request": request})
    assert another["version"] == first.json()["version"]
    assert Counter(events_of(hall, case))["privacy.erased.1"] == 1


def test_what_was_cut_off_is_finished_by_asking_again(hall: OldHall) -> None:
    """The keys went, the machine died, nothing is on record: the same keys are named in the end."""
    case = hall.carry(hall.complain())
    request = hall.grant(case)
    destroyed = erasing(hall).destroy(complainant(hall, case))
    assert "privacy.erased.1" not in events_of(hall, case)
    assert hall.values(case) == [None, None, None]
    frozen = hall.ask("ZHAO", f"complaints/{case.id}/accept", {}, 409)
    assert frozen["code"] == "erasure-under-way"
    hall.ask("YU", f"complaints/{case.id}/erase", {"erasure_request": request})
    told = erased_event(hall, case)
    assert (told.key_ids, told.gone_from_backups_by) == (destroyed.key_ids, destroyed.gone_from_backups_by)
    assert set(told.key_ids) == {
        row for row in destroyed.key_ids if hall.one("select wrapped is null from vault.keys where key_id = %s", row)
    }
    assert len(told.key_ids) == 2


@pytest.mark.parametrize("when", list(Break))
def test_a_line_that_breaks_between_the_keys_and_the_record_leaves_nothing_lost(hall: OldHall, when: Break) -> None:
    """The keys are gone; the record is there, or it follows when it is asked for again; never twice."""
    case = hall.carry(hall.complain())
    request, asked = UUID(hall.grant(case)), Asked(command_id=uuid4(), source="test", name="erase")
    with LossyLine(hall.parts.dsn, APPEND, when, 10) as line, open_pool(line.dsn, size=2) as pool:
        recorder = Recorder(pool, hall.parts.vault.log_id)
        broken = Erasing(Casebook(Log(recorder), recorder), hall.parts.vault, 35)
        with contextlib.suppress(psycopg.OperationalError):
            broken.erase(case.id, request, hall.actor("HAN"), asked)
        assert line.broken
    assert hall.one(LIVING, case.id) == 0
    assert Counter(events_of(hall, case))["privacy.erased.1"] == int(when is Break.AFTER)
    done = erasing(hall).erase(case.id, request, hall.actor("HAN"), asked)
    assert [type(event).__name__ for event in done.events] == ["Erased"]
    assert Counter(events_of(hall, case))["privacy.erased.1"] == 1
    assert len(erased_event(hall, case).key_ids) == 2


@pytest.mark.parametrize("marker", ["delete from vault.query_codes", "delete from vault.subjects"])
def test_keys_and_marks_go_together_or_not_at_all(hall: OldHall, marker: str) -> None:
    """A line that breaks in the middle of the destruction leaves all as it was."""
    case = hall.carry(hall.complain())
    hall.grant(case)
    whose = complainant(hall, case)
    with LossyLine(hall.parts.dsn, marker, Break.AFTER) as line, open_pool(line.dsn, size=2) as pool:
        vault = Vault(pool, LocalMaster(hall.parts.settings.home, {}), hall.parts.vault.log_id)
        with pytest.raises(psycopg.OperationalError):
            Erasing(hall.parts.book, vault, 35).destroy(whose)
        assert line.broken == 1
    assert (hall.one(LIVING, case.id), hall.one(LIVING, whose.person)) == (1, 1)
    assert hall.one("select count(*) from vault.query_codes where case_id = %s", case.id) == 1
    assert hall.values(case) == [NAME, PHONE, STORY]


def test_no_key_is_destroyed_before_the_rules_have_spoken(hall: OldHall) -> None:
    """Not by who witnessed it, not without a witness, not by another role; attempts are on record."""
    case = hall.carry(hall.complain())
    request, path = hall.request(case), f"complaints/{case.id}"
    grant = {"erasure_request": request, "result": "granted", "legal_basis": "L3-47"}
    hall.ask("HAN", f"{path}/erase", {"erasure_request": request}, 409)
    hall.ask("HAN", f"{path}/decide-erasure", grant)
    assert hall.ask("HAN", f"{path}/erase", {"erasure_request": request}, 409)["code"] == "witness-missing"
    assert hall.ask("HAN", f"{path}/witness-erasure", {"erasure_request": request}, 403)["code"] == OwnErasure.code
    hall.ask("YU", f"{path}/witness-erasure", {"erasure_request": request})
    assert hall.ask("YU", f"{path}/erase", {"erasure_request": request}, 403)["code"] == OwnErasure.code
    assert hall.ask("ZHOU", f"{path}/erase", {"erasure_request": request}, 403)["code"] == NotYourRole.code
    assert hall.ask("CHEN", f"{path}/erase", {"erasure_request": request}, 404)["code"] == Unknown.code
    assert hall.one(LIVING, case.id) == 1
    assert hall.values(case) == [NAME, PHONE, STORY]
    with hall.parts.pool.connection() as connection:
        tried = [one.event for one in read_stream(connection, beside(case.id, "attempts"))]
    assert [(one.command, one.code) for one in tried] == [  # type: ignore[attr-defined]  # attempts
        ("witness-erasure", OwnErasure.code),
        ("erase", OwnErasure.code),
    ]


def test_erasing_needs_no_master_key(hall: OldHall, tmp_path: Path) -> None:
    """A key service that is away holds up nobody's right."""
    case = hall.carry(hall.complain())
    request = hall.grant(case)
    service = KeyService(LocalMaster(tmp_path, {}))
    service.away = True
    vault = Vault(hall.parts.pool, service, hall.parts.vault.log_id)
    asked = Asked(command_id=uuid4(), source="test", name="erase")
    done = Erasing(hall.parts.book, vault, 35).erase(case.id, UUID(request), hall.actor("HAN"), asked)
    assert [type(event).__name__ for event in done.events] == ["Erased"]
    assert hall.values(case) == [None, None, None]


def test_a_complaint_that_is_just_being_registered_keeps_its_key(hall: OldHall) -> None:
    """Whoever seals with the person's key holds it until the append commits: the erasure waits, then sees the case."""
    case = hall.carry(hall.complain())
    whose = complainant(hall, case)
    hall.grant(case)
    (person_key,) = hall.parts.vault.keys_of("person", whose.person)
    found = []
    with hall.parts.pool.connection() as holding:
        with holding.transaction():
            holding.execute("select from vault.keys where key_id = %s for share", (person_key,))
            eraser = Thread(target=lambda: found.append(erasing(hall).destroy(whose)))
            eraser.start()
            until_somebody_waits(hall.parts.pool)
            # The registration holds the row in the same way, and may share it: it commits before the erasure goes on.
            new = hall.complain(now=True)
        eraser.join()
    assert found[0].person_kept
    assert hall.values(new, "ZHAO") == [NAME, PHONE, STORY]


def test_who_seals_with_a_key_that_goes_seals_anew(hall: OldHall) -> None:
    """The registration was told the key before it was destroyed: the append is refused, and a new key is taken."""
    case = hall.carry(hall.complain())
    whose = complainant(hall, case)
    hall.grant(case)
    desk, vault = hall.parts.desk, hall.parts.vault
    sealer = vault.sealer(whose.person, uuid4(), new_case=True)
    sealer.seal_person("name", NAME)
    erasing(hall).destroy(whose)
    asked = Asked(command_id=uuid4(), source="test", name="register")
    receipt = desk.register(RegisterForm(hall="GXQ", narrative=STORY, name=NAME, phone=PHONE), None, asked)
    new = Old(id=receipt.case, complaint_no=receipt.complaint_no, query_code=receipt.query_code or "")
    assert hall.values(new, "ZHAO") == [NAME, PHONE, STORY]
    assert complainant(hall, new).person != whose.person


def test_no_export_brings_an_erased_key_back(hall: OldHall, tmp_path: Path) -> None:
    """Not even into a table that knows nothing of it: the log names what is gone. Without that it would come back."""
    case = hall.carry(hall.complain())
    vault, file = hall.parts.vault, tmp_path / "keys.export"
    export(vault, file, PASSPHRASE)
    hall.erase(case)
    for gone, living in ((erased_keys(hall.parts.pool), 0), (frozenset(), 1)):
        with hall.parts.pool.connection() as connection:
            connection.execute("delete from vault.keys where owner = %s", (case.id,))
        import_(vault, file, PASSPHRASE, destroyed=gone)
        assert hall.one(LIVING, case.id) == living


def test_after_a_backup_was_restored_it_is_erased_again(hall: OldHall) -> None:
    """An older table of keys brings them back; the log knows which are to go."""
    case = hall.carry(hall.complain())
    whose = complainant(hall, case)
    with hall.parts.pool.connection() as connection:
        connection.execute("create table kept as select * from vault.keys")
        connection.execute("create table marks as select * from vault.subjects")
    hall.erase(case)
    assert erasing(hall).enforce() == 0
    with hall.parts.pool.connection() as connection:
        connection.execute("delete from vault.keys")
        connection.execute("insert into vault.keys select * from kept")
        connection.execute("insert into vault.subjects select * from marks")
    assert (hall.one(LIVING, case.id), hall.one(LIVING, whose.person)) == (1, 1)
    assert erasing(hall).enforce() == 2
    assert (hall.one(LIVING, case.id), hall.one(LIVING, whose.person)) == (0, 0)
    assert hall.one("select count(*) from vault.subjects where subject_key = %s", whose.person) == 0


def test_while_it_is_handled_it_is_restricted_and_handled_on(hall: OldHall) -> None:
    """Domain.md §14 case 19: hidden from who has no part in it; audit opens it under a warrant, on record."""
    case = hall.carry(hall.complain(), "sign-for")
    path, request = f"complaints/{case.id}", hall.request(case)
    restrict = {"erasure_request": request, "result": "restricted", "legal_basis": "L3-47"}
    assert hall.look("QIAN", "complaints")["total"] == 0  # took no part: it came over the web
    hall.ask("HAN", f"{path}/decide-erasure", restrict)
    hall.look("FENG", path, 404)
    assert hall.values(case) == [NAME, PHONE, STORY]
    hall.ask("LI", f"{path}/record-contact", {"method": "phone", "result": "reached"})
    told = hall.look("HAN", path)
    assert (told["restricted"], told["restricted_until"], told["erasure"]) == (True, None, "restricted")
    refused = hall.ask("WU", f"{path}/open", {"fields": ["narrative"]}, 409)
    assert (refused["code"], bool(refused["then"])) == (WarrantMissing.code, True)
    hall.ask("LI", f"{path}/open", {"fields": ["narrative"], "warrant": "ZD-2026-7"}, 403)
    assert hall.values(case, "WU", warrant="ZD-2026-7") == [NAME, PHONE, STORY]
    with hall.parts.pool.connection() as connection:
        opened = [one.event for one in read_stream(connection, beside(case.id, "access"))]
    last = opened[-1]
    assert isinstance(last, Opened)
    assert (last.purpose, last.warrant) == (Purpose.WARRANT, "ZD-2026-7")


def test_while_the_retention_runs_a_closed_case_is_hidden(hall: OldHall) -> None:
    """From the handler, the desk and the supervisor; the officer sees it, and the complainant by number and code."""
    case = hall.complain(now=True)
    hall.project()
    grave = hall.carry(hall.complain(), "close")
    path = f"complaints/{grave.id}"
    hall.ask(
        "HAN",
        f"{path}/decide-erasure",
        {"erasure_request": hall.request(grave), "result": "restricted", "legal_basis": "L3-47"},
    )
    hall.project()
    for name in ("LI", "ZHAO", "ZHOU", "WANG", "SUN"):
        hall.look(name, path, 404)
        hall.ask(name, f"{path}/open", {"fields": ["narrative"]}, 404)
    assert {one["id"] for one in hall.look("ZHAO", "complaints")["items"]} == {str(case.id)}
    assert hall.look("HAN", path)["restricted_until"] == "2022-03-05"
    status = {"complaint_no": grave.complaint_no, "query_code": grave.query_code, "language": "en"}
    said = [line["said"] for line in hall.ask(None, "status", status)["history"]]
    assert said[-1] == "restricted the processing until 2022-03-05"


def test_the_officer_finds_what_waits(hall: OldHall) -> None:
    """And so do those who may witness it; nobody else has a list of wishes."""
    one, two = hall.carry(hall.complain()), hall.carry(hall.complain())
    request = hall.request(one)
    hall.grant(two)
    hall.project()
    for name in ("HAN", "ZHOU"):
        items = {each["id"]: each for each in hall.look(name, "privacy/requests")["items"]}
        assert {key: each["erasure"] for key, each in items.items()} == {
            str(one.id): "requested",
            str(two.id): "witnessed",
        }
        assert items[str(one.id)]["erasure_request"] == request
    assert hall.look("HAN", "privacy/requests?erasure=requested")["total"] == 1
    for name in ("LI", "ZHAO", "WU"):
        hall.look(name, "privacy/requests", 403)


def test_nobody_asks_with_a_wrong_code(hall: OldHall) -> None:
    """It looks like a number that does not exist; and guessing is limited."""
    case = hall.carry(hall.complain())
    form = {"complaint_no": case.complaint_no, "query_code": "0000-0000-0000-0000", "ground": "other_law"}
    assert hall.ask(None, "privacy/requests", form, 404)["code"] == Unknown.code
    assert (
        hall.ask(None, "privacy/requests", {**form, "complaint_no": "TS-GXQ-20120101-00001-0"}, 404)["code"]
        == Unknown.code
    )
    answers = {
        hall.client.post("/api/v1/privacy/requests", json=form).status_code
        for _ in range(hall.parts.settings.lookups_per_hour + 1)
    }
    assert answers == {404, 429}
    assert "privacy.erasure-requested.1" not in events_of(hall, case)
