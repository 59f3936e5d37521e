"""Changes of a table become commands: each once, in the order of their times, and nothing is made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid5

import pytest

from domain.decider import SYSTEM
from projections.histories import Language, history, read_stream
from service.casebook import IMPORT_NAMESPACE
from service.imports.mapping import load, read
from service.imports.table import check_table, import_table
from service.parts import Parts, open_parts
from service.settings import Settings
from tests.service.fresh import stored
from tests.service.imports.tables import DESK, desk, kinds, opened_log, table, taken
from tests.service.imports.test_reading import XES

pytestmark = pytest.mark.postgres


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over an empty log."""
    with open_parts(Settings(home=tmp_path / "home"), database) as opened:
        yield opened


def names(parts: Parts) -> list[str]:
    """What happened to the only case, in short."""
    return kinds(opened_log(parts.dsn, parts))


def told(parts: Parts, name: str) -> list[dict[str, Any]]:
    """The events of one kind, in the order of the log."""
    return [one.event for one in stored(parts.dsn, f"complaint.{name}.%")]


def test_a_case_is_taken_as_it_was(parts: Parts, tmp_path: Path) -> None:
    """From its first row on, in the order of time, then of what else orders it: numbers as numbers."""
    counts = taken(
        parts,
        tmp_path / "t.csv",
        desk(),
        "1 01-02 10:00 10 Active G1 P2",
        "1 01-02 10:00 9 New G1 P1 B1 路灯不亮",
        "1 01-03 10:00 1 Awaiting_User G1 P2",
        "1 01-04 10:00 1 Active G1 P2",
        "1 01-05 10:00 1 Resolved G2 P2 B2 已收悉",
        "1 01-06 10:00 1 Closed G2 P2",
        "1 01-07 10:00 1 Active G2 P2",
        "1 01-07 10:00 2 Active G2 P2",
    )
    assert names(parts) == [
        "registered",
        "assigned",
        "accepted",
        "handed-over",
        "clock-paused",
        "clock-resumed",
        "handed-over",
        "replied",
        "closed",
        "reopened",
    ]
    assert (counts.read, counts.cases, counts.unchanged, counts.rejected) == (8, 1, 1, [])
    assert counts.done == 10
    assert counts.peak > 0
    (registered,) = told(parts, "registered")
    assert (registered["hall"], registered["profile"], registered["external_ref"]) == ("DESK", "ledger", "1")
    assert (registered["at"], registered["accept_due"]) == ("2020-01-02T10:00:00Z", None)
    texts = {key: value for *_, fields in opened_log(parts.dsn, parts) for key, value in fields if key in TEXTS}
    assert texts == {"narrative": "路灯不亮", "content": "已收悉"}


TEXTS = ("narrative", "content")


def test_its_history_speaks_only_of_what_is_known(parts: Parts, tmp_path: Path) -> None:
    """No date, no class and no outcome that nobody ever told; a reason of the source is shown as it is."""
    rows = ("New G1", "Active G1", "Awaiting_User G2", "Active ?", "Resolved ? P1", "Closed ? P1", "Active G1 P1")
    taken(parts, tmp_path / "t.csv", desk(), *(f"1 01-{day:02} 10:00 0 {row}" for day, row in enumerate(rows, 1)))
    case = stored(parts.dsn, "complaint.registered.%")[0].stream
    with parts.pool.connection() as connection:
        entries = read_stream(connection, case)
    said = [line.said for line in history(entries, parts.book.facts().register, Language.ENGLISH)]
    assert [one.split(" TS-")[0] for one in said] == [
        "registered complaint",
        "assigned to Group 1",
        "accepted",
        "handed it over to Group 2",
        "stopped the clock (AWAITING_USER)",
        "let the clock run on",
        "handed it over to unknown",
        "assigned to unknown",
        "replied, in time",
        "closed",
        "reopened it for round 2 (the ledger it came from)",
        "handed it over to Group 1",
    ]


def test_persons_are_keys_and_groups_are_codes(parts: Parts, tmp_path: Path) -> None:
    """The name of nobody stands in the log; who acted in the source stands behind the machine that tells of it."""
    taken(parts, tmp_path / "t.csv", desk(), "1 01-02 10:00 0 New G7 Zhang B1", "2 01-02 10:00 0 New G7 Zhang Li")
    assert [one["by"]["person"] for one in told(parts, "registered")] == [str(SYSTEM)] * 2
    assert [one["by"]["on_behalf_of"] for one in told(parts, "registered")] == [
        str(uuid5(IMPORT_NAMESPACE, f"desk:by:{name}")) for name in ("B1", "Li")
    ]
    assert {(one["department"], one["handler"]) for one in told(parts, "assigned")} == {
        ("DESK.G7", str(uuid5(IMPORT_NAMESPACE, "desk:who:Zhang")))
    }
    assert not any("Zhang" in str(one.event) or "Li" in str(one.event) for one in stored(parts.dsn))
    added = {one.event["entry"]["code"]: one.event["entry"] for one in stored(parts.dsn, "register.%")}
    assert added["DESK.G7"]["name_en"] == "Group 7"
    assert added["DESK.G7"]["site"] == "DESK"


def test_two_ledgers_have_cases_of_their_own(parts: Parts, tmp_path: Path) -> None:
    """The same number in another ledger is another case, with persons of its own."""
    other = desk(('ledger = "desk"', 'ledger = "other"'))
    for ledger in (desk(), other):
        assert taken(parts, tmp_path / "t.csv", ledger, "1 01-02 10:00 0 New G1 P1").done == 2
    assert len({one.stream for one in stored(parts.dsn, "complaint.registered.%")}) == 2
    assert len({one["handler"] for one in told(parts, "assigned")}) == 2


def test_complainants_are_told_apart_in_every_script(parts: Parts, tmp_path: Path) -> None:
    """Who has the same name is the same person, and nobody else is; only keys stand in the log."""
    named = desk(('narrative = "text"', 'complainant = "text"'))
    rows = [f"{number} 01-02 10:00 0 New ? ? ? {name}" for number, name in enumerate(["王", "李", "王", "W", "?"])]
    taken(parts, tmp_path / "t.csv", named, *rows)
    persons = [one["complainant"] for one in told(parts, "registered")]
    assert persons[0] == persons[2]
    assert len(set(persons)) == 4
    assert not any("王" in str(one.event) for one in stored(parts.dsn, "complaint.%"))


def test_what_is_not_told_is_in_no_event(parts: Parts, tmp_path: Path) -> None:
    """No narrative, no class, no outcome; nothing is due, and the first row of a case registers it whatever it says."""
    taken(parts, tmp_path / "t.csv", desk(), "1 01-02 10:00 0 Resolved", "1 01-03 10:00 0 Closed")
    assert names(parts) == ["registered", "replied", "closed"]
    (registered,), (replied,), (closed,) = (told(parts, one) for one in ("registered", "replied", "closed"))
    unknown = ("narrative", "narrative_facts", "subject", "category", "window", "happened_at", "accept_due")
    assert [registered[key] for key in unknown] == [None] * len(unknown)
    assert (replied["content"], replied["method"], replied["revisit_due"]) == (None, None, None)
    assert (closed["outcome"], closed["revisit_status"]) == (None, None)


def test_a_second_import_writes_nothing(parts: Parts, tmp_path: Path) -> None:
    """Neither do the same rows in another order, or only some of them."""
    rows = (
        "1 01-02 10:00 0 New G1",
        "1 01-02 10:00 1 Active G1",
        "1 01-02 10:01 2 Resolved G1",
        "1 01-02 10:01 3 Active ?",
        "1 01-02 10:01 4 Resolved ?",
        "2 01-02 10:00 0 New",
        "2 01-02 10:00 1 Active",
    )
    first = taken(parts, tmp_path / "t.csv", desk(), *rows)
    before = stored(parts.dsn)
    for again in (rows, rows[::-1], rows[:3], rows[2:5], rows[3:5], rows[1:2], rows[5:6]):
        counts = taken(parts, tmp_path / "t.csv", desk(), *again)
        assert (counts.done, counts.rejected) == (0, []), again
    assert taken(parts, tmp_path / "t.csv", desk(), *rows).repeated == first.done
    assert stored(parts.dsn) == before


@pytest.mark.parametrize("cut", range(1, 11))
def test_a_later_file_goes_on_with_the_cases_of_an_earlier_one(parts: Parts, tmp_path: Path, cut: int) -> None:
    """Wherever the ledger was cut, also within a minute, two files give what one gives."""
    rows = (
        "1 01-02 10:00 0 New G1 P1",
        "1 01-02 10:00 1 New G2 P1",
        "1 01-02 10:00 2 Active G2 ?",
        "1 01-02 10:00 3 Active ? ?",
        "1 01-02 10:00 4 Awaiting_User ? P3",
        "1 01-03 10:00 5 Awaiting_Vendor G1 P3",
        "1 01-03 10:00 6 Active G1 P3",
        "1 01-03 10:00 7 Resolved G1 P3",
        "1 01-03 10:00 8 Active G1 P1",
        "1 01-04 10:00 9 Resolved G1 P1",
        "1 01-05 10:00 10 Closed G1 P1",
    )
    one = taken(parts, tmp_path / "t.csv", desk(), *rows[:cut])
    two = taken(parts, tmp_path / "t.csv", desk(), *rows[cut:])
    assert one.rejected + two.rejected == []
    in_parts = opened_log(parts.dsn, parts)
    assert (len(in_parts), one.done + two.done) == (17, 16)
    assert (
        kinds(in_parts)
        == [
            "registered",
            "assigned",
            "handed-over",
            "accepted",
            "handed-over",
            "handed-over",
            "assigned",
            "clock-paused",
            "handed-over",
            "clock-resumed",
            "clock-paused",
            "clock-resumed",
            "replied",
            "reopened",
            "handed-over",
            "replied",
            "closed",
        ][: len(in_parts)]
    )


def test_rows_that_nothing_orders_are_taken_as_they_stand(parts: Parts, tmp_path: Path) -> None:
    """The same time, the same count: each is a change of its own, now and when the file is read again."""
    rows = ("1 01-02 10:00 0 New G1", "1 01-02 10:01 1 New G2", "1 01-02 10:01 1 New G3", "1 01-02 10:01 1 New G2")
    assert taken(parts, tmp_path / "t.csv", desk(), *rows).commands["hand-over"] == 3
    assert taken(parts, tmp_path / "t.csv", desk(), *rows).repeated == 5
    assert [one["department"] for one in told(parts, "handed-over")] == ["DESK.G2", "DESK.G3", "DESK.G2"]


def test_only_what_is_ours_is_a_change(parts: Parts, tmp_path: Path) -> None:
    """Rows that change other columns are counted, and so are stages that say nothing."""
    counts = taken(
        parts,
        tmp_path / "t.csv",
        desk(),
        "1 01-02 10:00 0 New",
        "1 01-02 10:01 0 New ? ? B2",
        "1 01-02 10:02 0 Noted",
        "1 01-02 10:03 0 ?",
        "1 01-02 10:04 0 Active",
        "1 01-02 10:05 0 Noted",
        "1 01-02 10:06 0 Active",
    )
    assert names(parts) == ["registered", "accepted"]
    assert (counts.unchanged, counts.rejected) == (5, [])


def test_a_pause_for_another_reason_is_another_pause(parts: Parts, tmp_path: Path) -> None:
    """The first ends as the second begins; an answer ends it too; waiting after the answer takes the case up again."""
    taken(
        parts,
        tmp_path / "t.csv",
        desk(),
        "1 01-02 10:00 0 Awaiting_User",
        "1 01-03 10:00 0 Awaiting_Vendor",
        "1 01-04 10:00 0 Resolved",
        "1 01-05 10:00 0 Awaiting_User",
        "1 01-06 10:00 0 Closed",
        "1 01-07 10:00 0 Resolved",
    )
    assert names(parts) == [
        *("registered", "clock-paused", "clock-resumed", "clock-paused", "clock-resumed", "replied"),
        *("reopened", "clock-paused", "clock-resumed", "closed", "reopened", "replied"),
    ]
    reasons = [one["reason"] for one in told(parts, "clock-paused")]
    assert reasons == ["AWAITING_USER", "AWAITING_VENDOR", "AWAITING_USER"]


def test_what_cannot_be_taken_is_listed_and_the_rest_goes_in(parts: Parts, tmp_path: Path) -> None:
    """Each with its row, its case and a reason that quotes nothing; an unknown stage leaves the case where it is."""
    file = table(
        tmp_path / "t.csv",
        "1 01-02 10:00 0 New",
        "1 01-02 11:00 0 Strange G1",
        "1 01-02 12:00 0 Active Secret",
        "? 01-02 10:00 0 New",
        "2 02-30 10:00 0 New",
        "3 01-02 10:00 0 Active",
        "3 01-02 11:00 0 New",
        "4 01-02 10:00 0 Strange",
        "5号 01-02 10:00 0 New G2",
        "5号 01-02 11:00 0 Active G2",
    )
    counts = import_table(parts, file, desk())
    assert [(one.row, one.case, one.said.split(":")[0]) for one in counts.rejected] == [
        (3, "1", "state"),
        (4, "1", "group"),
        (5, "", "no"),
        (6, "2", "at"),
        (8, "3", "state"),
        (9, "4", "state"),
        (10, "5号", "external_ref"),
        (10, "5号", "assign"),
        (11, "5号", "accept"),
    ]
    assert counts.commands == {"register": 3, "accept": 2, "assign": 1}
    assert not any("Secret" in one.said or "Strange" in one.said for one in counts.rejected)
    assert "see row 10" in counts.rejected[-1].said


def test_what_the_rules_refuse_is_listed_with_what_to_do(parts: Parts, tmp_path: Path) -> None:
    """In a log of activities the same thing can be told twice; the second time is a contradiction for a person."""
    activities = desk(('means = "state"', 'means = "activity"'))
    counts = taken(
        parts,
        tmp_path / "t.csv",
        activities,
        "1 01-02 10:00 0 New",
        "1 01-03 10:00 0 Resolved",
        "1 01-04 10:00 0 Resolved",
        "1 01-05 10:00 0 Closed",
    )
    assert names(parts) == ["registered", "replied", "closed"]
    (one,) = counts.rejected
    assert (one.row, one.said.split(":")[0]) == (4, "reply")
    assert one.said.endswith("[out-of-turn]")
    assert "Read the case again" in one.said


def test_a_time_that_is_still_to_come_is_a_wrong_zone_or_a_mistake(parts: Parts, tmp_path: Path) -> None:
    """It would bar every later change of the case."""
    far = table(tmp_path / "t.csv", "1 01-02 10:00 0 New")
    far.write_text(far.read_text(encoding="utf-8").replace("2020", "2999"), encoding="utf-8")
    counts = import_table(parts, far, desk())
    assert ("still to come" in counts.rejected[0].said, counts.done) == (True, 0)


def test_times_are_local_where_the_mapping_says_so(parts: Parts, tmp_path: Path) -> None:
    """Eight hours lie between the two zones; a time with an offset needs none."""
    here = desk(('zone = "UTC"', 'zone = "Asia/Shanghai"'), ('"%Y-%m-%d %H:%M"', '"%Y-%m-%d %H:%M", "iso"'))
    file = table(tmp_path / "t.csv", "1 01-02 10:00 0 New")
    with file.open("a", encoding="utf-8") as more:
        more.write("2,2020-01-02T10:00:30+00:00,0,New,?,?,?,?\n")
    counts = import_table(parts, file, here)
    assert [one["at"] for one in told(parts, "registered")] == ["2020-01-02T02:00:00Z", "2020-01-02T10:00:30Z"]
    assert [(one.row, one.said) for one in counts.noted] == [(3, "at: read as iso")]


def test_an_event_log_is_imported(parts: Parts, tmp_path: Path) -> None:
    """Activities as the mapping that comes with the program names them; groups only where a case is assigned."""
    assigned = XES.replace('<event><string key="concept:name" value="close"/>', ASSIGN + CLOSE)
    (tmp_path / "t.xes").write_text(assigned, encoding="utf-8")
    counts = import_table(parts, tmp_path / "t.xes", load("events"))
    assert kinds(opened_log(parts.dsn, parts)) == ["registered", "assigned", "closed"]
    assert told(parts, "assigned")[0]["department"] == "EVENTS.tax"
    assert told(parts, "registered")[0]["at"] == "2020-01-02T02:00:00Z"
    assert [(one.row, one.case, one.said) for one in counts.rejected] == [(4, "C2", "time:timestamp: there is no time")]


ASSIGN = """<event><string key="concept:name" value="assign"/><string key="org:group" value="tax"/>
  <date key="time:timestamp" value="2020-01-02T11:00:00+08:00"/></event>"""
CLOSE = """<event><date key="time:timestamp" value="2020-01-03T11:00:00+08:00"/>
  <string key="concept:name" value="close"/>"""


def test_a_row_can_tell_everything_of_a_case(parts: Parts, tmp_path: Path) -> None:
    """Each step with a time of its own, given in the order of time; departments and windows from their columns."""
    text = (
        DESK[: DESK.index("[changes]")]
        .replace('rows = "changes"', 'rows = "cases"')
        .replace("\nmatch", '\nalso = ["about"]\n#')
    )
    ledger = read("wide.toml", text.replace("\ncode = 'DESK.G", "\n# '") + WIDE)
    (tmp_path / "t.csv").write_text(
        "no,at,group,who,where,sort,assigned,closed,about,when\n"
        "1,2020-01-02 10:00,规划局,王,3号窗口,投诉,2020-01-02 11:00,2020-01-05 10:00,税务局,2020-01-01 09:00\n"
        "2,2020-01-02 10:00,tax,王,W1,咨询,2020-01-03 11:00,?,tax,?\n"
        "3,2020-01-02 10:00,tax,王,W1,其他,2020-01-03 11:00,?,?,?\n"
        "4,2020-01-02 10:00,tax,王,W1,投诉,2020-01-03 11:00,?,?,gestern\n",
        encoding="utf-8",
    )
    counts = import_table(parts, tmp_path / "t.csv", ledger)
    assert counts.commands == {"register": 2, "assign": 2, "close": 1}
    assert [(one.row, one.said.split(":")[0]) for one in counts.rejected] == [(4, "sort"), (5, "when")]
    assert [one["category"] for one in told(parts, "registered")] == ["SHIRK", "OTHER"]
    assert [one["points"] for one in told(parts, "registered")] == [2, 2]
    codes = {one.event["entry"]["name_zh"]: one.event["entry"]["code"] for one in stored(parts.dsn, "register.%")}
    assert codes["tax"] == "DESK.tax"
    assert codes["规划局"].startswith("DESK.")
    assert [one["window"] for one in told(parts, "registered")] == [codes["3号窗口"], "DESK.W1"]
    assert [one["department"] for one in told(parts, "assigned")] == [codes["规划局"], "DESK.tax"]
    about = [one["respondent"]["department"] for one in told(parts, "registered")]
    assert about == [codes["税务局"], "DESK.tax"]
    assert [one["happened_at"] for one in told(parts, "registered")] == ["2020-01-01T09:00:00Z", None]


WIDE = """
[windows]
column = "where"
kind = "integrity_window"

[commands.close]
time = "closed"
needs = "closed"

[commands.assign]
time = "assigned"
actor = "who"

[commands.assign.fields]
department = "group"

[commands.register]
time = "at"

[commands.register.fields]
points = { is = 2 }
window = "where"
respondent_department = "about"
happened_at = "when"
category = { column = "sort", values = { "投诉" = "SHIRK", "咨询" = "OTHER" } }
"""


def test_a_dry_run_says_what_an_import_then_does(parts: Parts, tmp_path: Path) -> None:
    """Before, after the first half, and at the end, with and without a log to look into."""
    rows = ("1 01-02 10:00 0 New G1", "1 01-02 11:00 0 Strange", "1 01-03 10:00 0 Resolved G2", "2 01-03 10:00 0 New")
    file = table(tmp_path / "t.csv", *rows)
    alone = check_table(None, file, desk())
    assert alone.commands == {"register": 2, "assign": 2, "hand-over": 1, "reply": 1}
    for half in (rows[:2], rows, rows):
        would = check_table(parts.pool, table(tmp_path / "t.csv", *half), desk())
        assert stored(parts.dsn) == [] or half is not rows[:2]
        did = taken(parts, tmp_path / "t.csv", desk(), *half)
        assert (would.commands, would.repeated) == (did.commands, did.repeated)
        assert (would.rejected, would.unchanged) == (did.rejected, did.unchanged)
    assert check_table(parts.pool, file, desk()).done == 0
