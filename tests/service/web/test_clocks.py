"""A limit is stopped, lengthened and read day by day through the API; a calendar adopted later moves it, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from domain.complaint.timing import DeadlineRecomputed
from projections.histories import read_stream
from service.cli import clocks
from service.timers import Timers
from tests.service.web.house import HOLDERS, Case, Hall

pytestmark = pytest.mark.postgres


def limits(hall: Hall, case: Case, name: str = "ZHAO", **asked: str) -> list[dict[str, Any]]:
    """The ledger of a case, as somebody reads it."""
    answer = hall.as_(name).get(f"{case.path}/clock", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["limits"]
    return found


def handled(hall: Hall, case: Case) -> dict[str, Any]:
    """The newest handling limit."""
    return limits(hall, case, clock="handle")[-1]


def moves(hall: Hall, case: Case) -> list[tuple[str, str]]:
    """The changes of limits on record."""
    with hall.parts.pool.connection() as connection:
        entries = read_stream(connection, UUID(case.id))
    return [(one.event.clock, one.event.cause) for one in entries if isinstance(one.event, DeadlineRecomputed)]


@contextmanager
def connected(hall: Hall) -> Iterator[psycopg.Connection]:
    """A connection for a round of timers."""
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        yield connection


def adopt_holiday(hall: Hall, day: date, version: int = 1) -> None:
    """The hall closes on a day."""
    form = {
        "jurisdiction": "GXQ", "layer": "hall", "year": day.year, "version": version, "source": "D",
        "days": [{"day": day.isoformat(), "kind": "holiday"}],
    }  # fmt: skip
    answer = hall.as_("ADMIN").post("/api/v1/rulebook/calendars", json=form)
    assert answer.status_code == 200, answer.text


def test_every_limit_of_a_case_is_read_day_by_day(hall: Hall) -> None:
    """What was told, by which term and whose rule, and each day with the calendar that says what it is."""
    case = hall.carry(hall.complain(), until="sign-for")
    assert [one["clock"] for one in limits(hall, case)] == ["accept", "assign", "handle", "sign", "contact", "return"]
    handle = handled(hall, case)
    assert (handle["term"]["key"], handle["term"]["source"], handle["in_hand"]) == (
        "complaint.handle.simple", "R2-50", True,
    )  # fmt: skip
    assert (handle["days"][0]["why"], handle["days"][-1]["number"]) == ("begins", 5)
    assert handle["days"][-1]["day"] == handle["due"]["day"]
    returned = limits(hall, case, clock="return")[0]
    assert sum(day["seconds"] for day in returned["days"]) == timedelta(hours=24).total_seconds()


def test_a_case_somebody_may_not_know_of_has_no_clock_to_show(hall: Hall) -> None:
    """Nor has one that does not exist; a misspelled limit is not all limits."""
    case = hall.carry(hall.complain(), until="sign-for")
    assert hall.as_("TAN").get(f"{case.path}/clock").status_code == 404
    assert hall.client().get(f"{case.path}/clock").status_code == 401
    assert hall.as_("ZHAO").get(f"{case.path}/clock", params={"clock": "handling"}).status_code == 422


def test_the_head_stops_the_clock_and_lets_it_run_on(hall: Hall) -> None:
    """The pause is named in the ledger; the handler cannot do it, nor reply meanwhile."""
    case = hall.carry(hall.complain(), until="sign-for")
    form = {"reason": "expert_or_hearing", "explanation": "等待鉴定。"}
    assert hall.act(case, "pause-clock", "LI", **form).json()["type"].endswith("not-your-role")
    answer = hall.act(case, "pause-clock", "WANG", **form)
    assert answer.status_code == 200, answer.text
    (standing,) = handled(hall, case)["pauses"]
    pause = answer.json()["pause"]
    assert (standing["pause"], standing["end"]) == (pause, None)
    assert handled(hall, case)["projected"] == handled(hall, case)["due"]
    assert hall.act(case, "resume-clock", "WANG", pause=pause).status_code == 200
    assert hall.act(case, "resume-clock", "WANG", pause=pause).json()["type"].endswith("superseded")


def test_an_extension_is_asked_for_and_granted(hall: Hall) -> None:
    """Five more days, told apart in the ledger."""
    case = hall.carry(hall.complain(), until="sign-for")
    before = handled(hall, case)["due"]["day"]
    asked = hall.act(case, "request-extension", "LI", days=5, reason="须两个部门共同核实。")
    assert asked.status_code == 200, asked.text
    extension = asked.json()["extension"]
    neither = hall.act(case, "decide-extension", "WANG", extension=extension, approved=False)
    assert neither.status_code == 422
    granted = hall.act(case, "decide-extension", "WANG", extension=extension, approved=True)
    assert granted.status_code == 200, granted.text
    after = handled(hall, case)
    assert after["due"]["day"] > before
    assert [move["cause"] for move in after["moves"]] == ["extended"]
    assert max(day["number"] or 0 for day in after["days"]) == after["term"]["amount"] + 5


def test_what_is_missing_is_asked_for_and_brought(hall: Hall) -> None:
    """The clock stands meanwhile; the counter writes down what was brought."""
    case = hall.complain("QIAN")
    asked = hall.act(case, "request-supplement", "ZHAO", items=["材料清单", "办件编号"])
    assert asked.status_code == 200, asked.text
    assert limits(hall, case, clock="accept")[0]["pauses"]
    supplement = asked.json()["supplement"]
    brought = hall.act(case, "provide-supplement", "QIAN", supplement=supplement, content="办件编号 1501")
    assert brought.status_code == 200, brought.text
    assert hall.act(case, "request-supplement", "ZHAO", items=["又缺一件"]).json()["type"].endswith("once-only")


def test_a_calendar_adopted_later_moves_every_open_case_once(hall: Hall) -> None:
    """Two cases move by a day; a second round finds nothing, and a round by another node after a kill neither."""
    cases = [hall.carry(hall.complain(), until="sign-for") for _ in range(2)]
    closed = hall.carry(hall.complain())
    told = handled(hall, cases[0])
    last = date.fromisoformat(told["days"][-1]["day"])
    adopt_holiday(hall, last)
    hall.project()
    with connected(hall) as connection:
        Timers(hall.parts).round(connection)
    for case in cases:
        assert moves(hall, case).count(("handle", "calendar")) == 1
        moved = handled(hall, case)
        assert moved["told"]["day"] == last.isoformat()
        assert date.fromisoformat(moved["due"]["day"]) > last
        by_day = {day["day"]: day for day in moved["days"]}
        assert by_day[last.isoformat()]["why"] == "holiday"
        assert by_day[last.isoformat()]["calendar"]["layer"] == "hall"
    assert ("handle", "calendar") not in moves(hall, closed)
    hall.project()
    position = hall.last_position()
    with connected(hall) as connection:
        Timers(hall.parts).round(connection)
    assert hall.last_position() == position


def test_a_day_that_is_worked_after_all_shortens_nothing(hall: Hall) -> None:
    """What had been told is kept (domain.md §14 case 4)."""
    case = hall.carry(hall.complain(), until="sign-for")
    last = date.fromisoformat(handled(hall, case)["due"]["day"])
    adopt_holiday(hall, last)
    hall.project()
    with connected(hall) as connection:
        Timers(hall.parts).round(connection)
    later = handled(hall, case)["due"]
    form = {"jurisdiction": "GXQ", "layer": "hall", "year": last.year, "version": 2, "source": "D", "days": []}
    assert hall.as_("ADMIN").post("/api/v1/rulebook/calendars", json=form).status_code == 200
    hall.project()
    with connected(hall) as connection:
        Timers(hall.parts).round(connection)
    assert handled(hall, case)["due"] == later
    assert moves(hall, case).count(("handle", "calendar")) == 1


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type `bihuan clock`, as the holder of a token or as whoever has the machine."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("other")(lambda: None)
    clocks.register(app)
    token = "" if who is None else hall.tokens[who, HOLDERS[who][0]]
    environment = {"DATABASE_URL": hall.parts.dsn, "BIHUAN_HOME": str(hall.parts.settings.home), "BIHUAN_TOKEN": token}
    with capture_logs():
        return CliRunner(env=environment).invoke(app, ["clock", *words])


def test_the_command_line_tells_the_same_in_lines(hall: Hall) -> None:
    """One line for each limit, one for each move, one for each day; or all of it in JSON."""
    case = hall.carry(hall.complain(), until="sign-for")
    extension = hall.act(case, "request-extension", "LI", days=2, reason="须核实。").json()["extension"]
    assert hall.act(case, "decide-extension", "WANG", extension=extension, approved=True).status_code == 200
    told = run(hall, "LI", case.complaint_no, "--clock", "handle", "--language", "en").output.splitlines()
    assert told[0].startswith("to answer 1  2")
    assert told[0].endswith("complaint.handle.simple R2-50")
    assert "  extended  " in told[1]
    assert "the day of the event, not counted" in told[2]
    assert len(told) == 2 + len(handled(hall, case)["days"])
    everything = json.loads(run(hall, None, case.id, "--json").output)
    assert [one["clock"] for one in everything] == ["accept", "assign", "handle", "sign", "contact", "return"]
    assert " h  " in run(hall, None, case.id, "--clock", "sign").output
    assert run(hall, "TAN", case.complaint_no).exit_code != 0
