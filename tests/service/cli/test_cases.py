"""Cases on the command line: acting with a token, and reading."""

from __future__ import annotations

import pytest
from typer.testing import Result

from domain.errors import Unknown
from service.cli import cases
from tests.service.typed import typed
from tests.service.web import house
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type a command, as the holder of a token or as nobody."""
    token = None if who is None else hall.tokens[who, house.HOLDERS[who][0]]
    return typed(hall.parts, (cases,), token, *words)


def test_what_a_command_creates_is_printed(hall: Hall) -> None:
    """By the name under which the next command asks for it."""
    case = hall.carry(hall.complain("QIAN"), "accept")
    form = '{"ground": "purpose_fulfilled"}'
    told = run(hall, "QIAN", "do", "request-erasure", f" {case.complaint_no.lower()}", form).output.splitlines()
    known = hall.as_("ZHOU").get(case.path).json()["erasure_request"]
    assert told[1:] == [f"ErasureRequested erasure_request {known}"]


def test_a_new_query_code_is_printed(hall: Hall) -> None:
    """The old one is dead by then, and the new one is stored nowhere."""
    case = hall.complain("QIAN")
    told = run(hall, "QIAN", "do", "replace-query-code", case.complaint_no, "--key", "once")
    assert told.output.count("query code ") == 1, told.output
    code = told.output.splitlines()[-1].removeprefix("query code ")
    ask = {"complaint_no": case.complaint_no, "query_code": code}
    assert hall.client().post("/api/v1/status", json=ask).status_code == 200
    assert run(hall, "QIAN", "do", "replace-query-code", case.complaint_no, "--key", "once").output == told.output


def test_nobody_acts_without_a_person_or_on_what_they_do_not_know(hall: Hall) -> None:
    """Nor with a form that is wrong; nothing changes."""
    case = hall.complain("QIAN")
    before = hall.last_position()
    refused = run(hall, None, "do", "accept", case.complaint_no)
    assert (refused.exit_code, "BIHUAN_TOKEN" in refused.output) == (1, True)
    assert isinstance(run(hall, "TAN", "do", "accept", case.complaint_no).exception, Unknown)
    assert isinstance(run(hall, "TAN", "history", case.complaint_no).exception, Unknown)
    wrong = run(hall, "QIAN", "do", "accept", case.complaint_no, '{"severity": "odd"}').output
    assert wrong.splitlines()[0] == "Malformed; nothing was changed."
    assert wrong.splitlines()[1].startswith("severity: ")
    assert hall.last_position() == before


def test_only_who_watches_reads_who_tried(hall: Hall) -> None:
    """Refused attempts lie beside the case; whoever reaches the data folder reads them too."""
    case = hall.complain("QIAN", respondent={"staff": str(hall.people["WANG"])})
    hall.carry(case, "accept")
    tried = hall.act(case, "assign", "ZHAO", department="SJ")
    assert tried.json()["code"] == "unit-concerned"
    lines = {who: len(run(hall, who, "history", str(case.id)).output.splitlines()) for who in ("QIAN", "ZHOU", None)}
    assert lines["ZHOU"] == lines[None]
    assert lines["ZHOU"] == lines["QIAN"] + 1
