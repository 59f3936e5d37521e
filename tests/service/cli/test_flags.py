"""What looks forged, on the command line: for those who look, with the numbers it rests on."""

from __future__ import annotations

import psycopg
import pytest
from typer.testing import Result

from domain.errors import NotYourRole
from service.cli import flags, reviews
from service.detecting import Detecting
from tests.service.typed import typed
from tests.service.web.house import HOLDERS, Hall
from tests.service.web.rating import GOOD, rated

pytestmark = pytest.mark.postgres


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type the command, as the holder of a token or as nobody."""
    token = None if who is None else hall.tokens[who, HOLDERS[who][0]]
    return typed(hall.parts, (reviews, flags), token, "flags", *words)


def test_who_looks_reads_what_was_noticed(hall: Hall) -> None:
    """The review, how strange of a hundred, in words, with the numbers and the id that clearing names."""
    rating = rated(hall, input_ms=500, **GOOD)
    _, now = hall.parts.book.register_now()
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        assert Detecting(hall.parts.book).round(connection, hall.parts.book.facts(), now) == 1
    told = run(hall, "WU", "--language", "en")
    line, count = told.output.splitlines()
    assert line.startswith(f"{rating.id}  75 "), told.output
    assert "the form was open for too short a time (milliseconds 500)" in line
    assert count == "1 / 1"
    assert run(hall, "ZHOU", "--detector", "burst").output.strip() == "0 / 0"
    assert run(hall, "ZHOU", "--cleared").output.strip() == "0 / 0"


def test_nobody_else_reads_flags(still_hall: Hall) -> None:
    """The desk is refused, without a token nobody is known, and a detector there is not is named."""
    assert isinstance(run(still_hall, "ZHAO").exception, NotYourRole)
    unknown = run(still_hall, None)
    assert (unknown.exit_code, "BIHUAN_TOKEN" in unknown.output) == (1, True)
    wrong = run(still_hall, "WU", "--detector", "nothing")
    assert (wrong.exit_code, "There is no detector nothing" in wrong.output) == (1, True)
