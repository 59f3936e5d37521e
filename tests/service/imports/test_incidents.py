"""119,998 real changes of 20,769 cases become cases of a ledger, and an independent count of the file says the same.

Nothing of the import is used to read or order the file here; the log is read without it as well.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID
from zipfile import ZipFile

import psycopg
import pytest
from psycopg import sql

from projections import PROJECTIONS
from projections.docket import DOCKET
from projections.outbox import OUTBOX
from projections.runner import Runner
from service.imports.mapping import load
from service.imports.table import Counts, import_table
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.fresh import Stored, fresh_database, stored

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED") or Path(__file__).parents[4] / "shared")
FILE: Final = SHARED / "data" / "incidents" / "incident_event_log.zip"
WAITING: Final = ("Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence")

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not FILE.exists(), reason="needs the shared data beside this folder, or BIHUAN_SHARED"),
    # What is counted is the same on every server, and the file is long.
    pytest.mark.parametrize("server", ["embedded"], indirect=True),
]


@dataclass(frozen=True)
class Change:
    """One row of the file, read without our code; None is a question mark."""

    at: datetime
    mod: int
    line: int
    state: str
    group: str | None
    person: str | None
    reopened: int


@dataclass(frozen=True)
class Imported:
    """A log into which the whole file was imported once."""

    parts: Parts
    counts: Counts
    changes: dict[str, list[Change]]
    events: dict[str, list[Stored]]


def changes_of_the_file() -> dict[str, list[Change]]:
    """The rows of each case, by time, then by the number of its modification, then as they stand."""
    found: dict[str, list[Change]] = defaultdict(list)
    with ZipFile(FILE) as archive, archive.open("incident_event_log.csv") as binary:
        for line, row in enumerate(csv.DictReader(io.TextIOWrapper(binary, encoding="utf-8")), 2):
            day, clock = row["sys_updated_at"].split()
            d, m, y = (int(part) for part in day.split("/"))
            hour, minute = (int(part) for part in clock.split(":"))
            found[row["number"]].append(
                Change(
                    at=datetime(y, m, d, hour, minute, tzinfo=UTC),
                    mod=int(row["sys_mod_count"]),
                    line=line,
                    state=row["incident_state"],
                    group=None if row["assignment_group"] == "?" else row["assignment_group"],
                    person=None if row["assigned_to"] == "?" else row["assigned_to"],
                    reopened=int(row["reopen_count"]),
                )
            )
    return {number: sorted(rows, key=lambda row: (row.at, row.mod, row.line)) for number, rows in found.items()}


@pytest.fixture(scope="module")
def imported(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The whole file, imported."""
    home = tmp_path_factory.mktemp("home")
    with fresh_database(server) as dsn, open_parts(Settings(home=home), dsn) as parts:
        counts = import_table(parts, FILE, load("incidents"))
        number_of: dict[UUID, str] = {}
        events: dict[str, list[Stored]] = defaultdict(list)
        for one in stored(dsn, "complaint.%"):
            if one.name.startswith("complaint.registered."):
                number_of[one.stream] = one.event["external_ref"]
            events[number_of[one.stream]].append(one)
        yield Imported(parts, counts, changes_of_the_file(), events)


def short(one: Stored) -> str:
    """What happened, in a word."""
    return one.name.split(".")[1]


def test_the_import_says_how_fast_it_was(imported: Imported, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands a second and the most memory are there to be printed."""
    counts = imported.counts
    speed, most = counts.done / counts.seconds, counts.peak / 2**20
    with capsys.disabled():
        print(f"\n{counts.done} commands of an import, {speed:.0f}/s, {most:.0f} MiB at most")  # noqa: T201 - to be read
    assert counts.done > 100_000
    assert counts.seconds > 0
    assert counts.peak > 0


def test_every_case_is_in_from_its_first_row_on(imported: Imported) -> None:
    """As many cases as numbers, each registered at the time of its first change, none with a due date."""
    assert (imported.counts.read, imported.counts.cases) == (119_998, 20_769)
    assert len(imported.events) == len(imported.changes) == 20_769
    assert {number: events[0].at for number, events in imported.events.items()} == {
        number: rows[0].at for number, rows in imported.changes.items()
    }
    assert all(events[0].event["profile"] == "ledger" for events in imported.events.values())
    due = [key for events in imported.events.values() for one in events for key in one.event if key.endswith("_due")]
    assert due
    assert not [key for events in imported.events.values() for one in events for key in due_keys(one) if one.event[key]]


def due_keys(one: Stored) -> list[str]:
    """The fields of an event that could hold a promise."""
    return [key for key in one.event if key.endswith("_due") or key == "until"]


def test_rows_are_rejected_that_contradict(imported: Imported) -> None:
    """The two of an unknown state, and the one that is new again after it was resolved; each with its reason."""
    strange = {row.line for rows in imported.changes.values() for row in rows if row.state == "-100"}
    anew = {
        row.line
        for rows in imported.changes.values()
        for place, row in enumerate(rows)
        if row.state == "New" and any(before.state != "New" for before in rows[:place])
    }
    assert len(strange) == 2
    assert len(anew) == 1
    assert {one.row for one in imported.counts.rejected} == strange | anew
    assert all(one.said.startswith("incident_state: ") for one in imported.counts.rejected)
    assert len(imported.counts.rejected) == 3


def states(rows: list[Change]) -> list[tuple[datetime, str]]:
    """The states a case was in, each with its beginning; what contradicts leaves it where it was."""
    found: list[tuple[datetime, str]] = []
    for row in rows:
        unknown = row.state == "-100" or (row.state == "New" and bool(found))
        if not unknown and (not found or found[-1][1] != row.state):
            found.append((row.at, row.state))
    return found


def test_every_change_of_state_is_in_and_no_other(imported: Imported) -> None:
    """Case by case: when work began, was answered, closed, taken up again, waited and no longer waited."""
    expected: dict[str, list[tuple[datetime, str]]] = {}
    for number, rows in imported.changes.items():
        wanted: list[tuple[datetime, str]] = [(rows[0].at, "registered")]
        before, accepted = "New", False
        for at, state in states(rows):
            if before in {"Resolved", "Closed"} and state in {"Active", *WAITING}:
                wanted.append((at, "reopened"))
                accepted = True
            elif state == "Active" and before in WAITING and accepted:
                wanted.append((at, "clock-resumed"))
            elif state == "Active":
                wanted += [(at, "clock-resumed")] if before in WAITING else []
                wanted.append((at, "accepted"))
                accepted = True
            elif before in WAITING:
                wanted.append((at, "clock-resumed"))
            wanted += [(at, name) for name in (NAMES.get(state),) if name is not None]
            before = state
        expected[number] = wanted
    assert {
        number: [(one.at, short(one)) for one in events if short(one) not in {"assigned", "handed-over"}]
        for number, events in imported.events.items()
    } == expected
    counted = Counter(name for wanted in expected.values() for _, name in wanted)
    assert (counted["accepted"], counted["replied"], counted["closed"]) == (12_482, 21_041, 20_776)


NAMES: Final = {**dict.fromkeys(WAITING, "clock-paused"), "Resolved": "replied", "Closed": "closed"}


def test_what_was_reopened_is_reopened(imported: Imported) -> None:
    """274 times from resolved or closed to active, and twice to waiting: as often as the source itself counts it."""
    pairs = Counter(
        (one.state, other.state) for rows in imported.changes.values() for one, other in itertools.pairwise(rows)
    )
    assert (pairs["Resolved", "Active"], pairs["Closed", "Active"]) == (266, 8)
    counted = sum(rows[-1].reopened - rows[0].reopened for rows in imported.changes.values())
    reopened = [one for events in imported.events.values() for one in events if short(one) == "reopened"]
    assert len(reopened) == counted == 276 == 266 + 8 + pairs["Resolved", "Awaiting User Info"]
    assert {one.event["cause"] for one in reopened} == {"source"}


def test_every_change_of_group_is_in_and_no_other(imported: Imported) -> None:
    """Case by case: which group had it from when on, and that it was nobody's; 20,437 changes after the first row."""
    expected: dict[str, list[tuple[datetime, str | None]]] = {}
    for number, rows in imported.changes.items():
        before: str | None = None
        expected[number] = []
        for row in rows:
            if row.group != before:
                code = None if row.group is None else row.group.replace("Group ", "INCIDENTS.G")
                expected[number].append((row.at, code))
            before = row.group
    found: dict[str, list[tuple[datetime, str | None]]] = {}
    for number, events in imported.events.items():
        had: str | None = None
        found[number] = []
        for one in events:
            if short(one) in {"assigned", "handed-over"} and one.event["department"] != had:
                had = one.event["department"]
                found[number].append((one.at, had))
    assert found == expected
    known_at_first = sum(rows[0].group is not None for rows in imported.changes.values())
    assert sum(map(len, expected.values())) - known_at_first == 20_437
    codes = {code for changes in expected.values() for _, code in changes if code is not None}
    assert len(codes) == 72
    departments = {one.event["entry"]["code"] for one in stored(imported.parts.dsn, "register.department-added.%")}
    assert departments == codes


def test_every_change_of_group_or_person_is_one_event(imported: Imported) -> None:
    """One for each row in which either differs from the row before, whatever else that row changed."""
    expected = sum(
        (one.group, one.person) != (other.group, other.person)
        for rows in imported.changes.values()
        for one, other in itertools.pairwise(rows)
    ) + sum((rows[0].group, rows[0].person) != (None, None) for rows in imported.changes.values())
    counted = Counter(short(one) for events in imported.events.values() for one in events)
    assert counted["assigned"] + counted["handed-over"] == expected
    persons = {row.person for rows in imported.changes.values() for row in rows if row.person is not None}
    handlers = {
        one.event["handler"]
        for events in imported.events.values()
        for one in events
        if short(one) in {"assigned", "handed-over"} and one.event["handler"] is not None
    }
    assert len(handlers) == len(persons) == 208


def test_rows_that_change_nothing_of_ours_are_only_counted(imported: Imported) -> None:
    """Neither state nor group nor person: they change other columns."""
    expected = -len(imported.counts.rejected)
    for rows in imported.changes.values():
        kept = states(rows)
        began = Counter(at for at, _ in kept[1:])
        before = rows[0]
        for row in rows[1:]:
            changed = row.state != before.state and began[row.at] > 0
            began[row.at] -= changed
            expected += not changed and (row.group, row.person) == (before.group, before.person)
            before = row
    assert imported.counts.unchanged == expected


def test_the_docket_shows_where_each_case_stands(imported: Imported) -> None:
    """Its last state and group, nothing due; and nobody is written to because of what happened elsewhere long ago."""
    with psycopg.connect(imported.parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()
        found = connection.execute(
            sql.SQL('select "case", step, department, due, handle_due, complaint_no from {}').format(
                sql.Identifier(DOCKET.table)
            )
        ).fetchall()
        letters = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(OUTBOX.table))).fetchone()
    number_of = {events[0].stream: number for number, events in imported.events.items()}
    shown = {number_of[case]: (step, department) for case, step, department, *_ in found}
    expected = {}
    for number, rows in imported.changes.items():
        group = rows[-1].group
        steps = {"Closed": "closed", "New": "registered"}
        expected[number] = (steps[rows[-1].state], None if group is None else group.replace("Group ", "INCIDENTS.G"))
    assert shown == expected
    assert [row for row in found if row[3] is not None or row[4] is not None] == []
    assert letters == (0,)


def test_nobody_is_named(imported: Imported) -> None:
    """No caller, no resolver, nobody who updated a row; callers are told apart all the same."""
    with imported.parts.pool.connection() as connection:
        named = connection.execute(
            "select count(*) from events where convert_from(state, 'UTF8') ~ 'Caller|Resolver|Updated by|Opened by'"
        ).fetchone()
    assert named == (0,)
    callers = {events[0].event["complainant"] for events in imported.events.values()}
    assert 1000 < len(callers) < 20_769
