"""Contacts on the command line: who came with a complaint that nobody registered."""

from __future__ import annotations

import pytest
from typer.testing import Result

from service.cli import cases, contacts
from tests.service.typed import typed
from tests.service.web import house
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres


def run(hall: Hall, who: str | None, *words: str) -> Result:
    """Type a command, as the holder of a token or as nobody."""
    token = None if who is None else hall.tokens[who, house.HOLDERS[who][0]]
    return typed(hall.parts, (contacts, cases), token, *words)


def test_what_nobody_registered_is_listed(hall: Hall) -> None:
    """The list brings its rows to the end by itself; enquiries and what is registered are listed when asked for."""
    clerk = hall.as_("QIAN")
    for kind in ("complaint", "enquiry"):
        assert clerk.post("/api/v1/contacts", json={"kind": kind}).status_code == 201
    listed = run(hall, "ZHOU", "contacts", "--language", "en").output
    assert (listed.count("a complaint"), listed.splitlines()[-1]) == (1, "1 / 1")
    assert run(hall, "ZHOU", "contacts", "--all", "--language", "en").output.splitlines()[-1] == "2 / 2"
    assert run(hall, "ZHOU", "contacts", "--overdue").output.splitlines()[-1] == "0 / 0"
    assert run(hall, "TAN", "contacts", "--all").output.splitlines()[-1] == "0 / 0"


def test_nobody_lists_without_a_token(hall: Hall) -> None:
    """Who looks is known."""
    refused = run(hall, None, "contacts")
    assert (refused.exit_code, "BIHUAN_TOKEN" in refused.output) == (1, True)
