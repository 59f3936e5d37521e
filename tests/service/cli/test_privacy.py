"""Erasing on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from domain.errors import Refused, Unknown
from service.cli import people, privacy
from tests.service.old_hall import NAME, OldHall, events_of, old_hall
from tests.service.typed import typed

pytestmark = pytest.mark.postgres


@pytest.fixture
def hall(database: str, tmp_path: Path) -> Iterator[OldHall]:
    """A hall with closed complaints whose retention is over."""
    with old_hall(database, tmp_path) as found:
        yield found


def run(hall: OldHall, who: str | None, *words: str) -> Result:
    """Type a command, as the holder of a token or as nobody."""
    return typed(hall.parts, (privacy, people), hall.tokens.get(who or ""), *words)


def test_the_officer_lists_and_erases(hall: OldHall) -> None:
    """The list brings the docket to the end by itself; the second time there is nothing left to do."""
    case = hall.carry(hall.complain())
    request = hall.grant(case)
    listed = run(hall, "HAN", "privacy", "list", "--language", "en").output
    assert listed.splitlines()[0].split() == [case.complaint_no, "witnessed,", "to", "be", "carried", "out", request]
    assert "1 / 1" in listed
    done = run(hall, "HAN", "privacy", "erase", case.complaint_no, request)
    assert (done.exit_code, done.output.startswith("Erased; gone from backups by ")) == (0, True)
    assert run(hall, "HAN", "privacy", "erase", str(case.id), request).output == "It was erased before.\n"
    assert hall.values(case) == [None, None, None]
    assert "0 / 0" in run(hall, "HAN", "privacy", "list").output
    assert run(hall, None, "privacy", "enforce").output == "0 keys had come back and are destroyed again.\n"


def test_a_key_that_is_kept_is_told(hall: OldHall) -> None:
    """Another case of the same person needs it."""
    case, other = hall.carry(hall.complain()), hall.carry(hall.complain(), "accept")
    request = hall.grant(case)
    assert "other cases of the person need" in run(hall, "HAN", "privacy", "erase", case.complaint_no, request).output
    assert hall.values(other, "ZHAO")[0] == NAME


def test_nobody_erases_without_a_person(hall: OldHall) -> None:
    """Nor something that is no request, nor what is not known to them, nor without the right; nothing changes."""
    case = hall.carry(hall.complain())
    request = hall.grant(case)
    before = events_of(hall, case)
    for words in (("list",), ("erase", case.complaint_no, request)):
        refused = run(hall, None, "privacy", *words)
        assert (refused.exit_code, "BIHUAN_TOKEN" in refused.output) == (1, True)
    assert "is no request" in run(hall, "HAN", "privacy", "erase", case.complaint_no, "this one").output
    assert isinstance(run(hall, "CHEN", "privacy", "erase", case.complaint_no, request).exception, Unknown)
    assert isinstance(run(hall, "ZHANG", "privacy", "erase", case.complaint_no, request).exception, Refused)
    assert events_of(hall, case) == before
    assert hall.values(case)[0] == NAME


def test_an_import_of_keys_leaves_the_erased_ones_out(hall: OldHall, tmp_path: Path) -> None:
    """An export of before the erasure, into a table that has forgotten it."""
    case = hall.carry(hall.complain())
    word, file = tmp_path / "word", tmp_path / "keys.export"
    word.write_text("eleven quiet lanterns\n", encoding="utf-8")
    assert run(hall, None, "keys", "export", str(file), "--passphrase-file", str(word)).exit_code == 0
    hall.erase(case)
    with hall.parts.pool.connection() as connection:
        connection.execute("delete from vault.keys where owner = %s", (case.id,))
    assert run(hall, None, "keys", "import", str(file), "--passphrase-file", str(word)).exit_code == 0
    assert hall.one("select bool_and(wrapped is null) from vault.keys where owner = %s", case.id)
    assert hall.values(case) == [None, None, None]
