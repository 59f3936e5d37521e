"""A running hall whose log is altered goes on working, signs nothing that it can know is wrong, and can be audited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from projections.seals import SEALS
from service.epochs import record_new_epoch
from service.keeper import Keeper
from service.main import create_app
from service.outside import LEAVES
from service.parts import Parts, open_parts
from service.sealer import Sealer, seal
from service.settings import Settings
from service.worker import Worker
from tests.controls import REGISTERED
from tests.projections.town import Town
from tests.service.sealed_log import SealedLog
from tests.service.tampering import PUT_IN, TAMPERED, edit
from tests.service.watching import until

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class Running:
    """A hall at work: the tree is carried, checkpoints are signed and taken outside; `said` is what the lines say."""

    parts: Parts
    kept: SealedLog
    town: Town
    said: list[Any]

    def happen(self) -> int:
        """Let something happen; give its position."""
        return self.town.append(uuid4(), REGISTERED)

    def signed(self) -> int:
        """Give how far the log is signed."""
        (size,) = self.kept.connection.execute("select coalesce(max(size), 0) from checkpoints").fetchone() or (0,)
        return int(size)

    def outside(self) -> bytes:
        """Give the leaves held outside."""
        return b"".join(path.read_bytes() for path in sorted(self.kept.folder.rglob(LEAVES)))

    def told(self, event: str, text: str = "") -> bool:
        """Whether this was said."""
        return any(one["event"] == event and text in f"{one}" for one in self.said)

    def ready(self) -> Any:  # noqa: ANN401 - JSON
        """Ask how the hall is."""
        return TestClient(create_app(self.parts)).get("/readyz").json()


@pytest.fixture
def running(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Twelve events, signed by four and taken outside; and whoever administers the database looks on."""
    for name in ("sealer.PAUSE", "keeper.PAUSE", "keeper.LONGEST_PAUSE"):
        monkeypatch.setattr(f"service.{name}", 0.01)
    monkeypatch.setattr("service.sealer.EVERY", 0)
    monkeypatch.setattr("service.worker.FIRST_PAUSE", 0.01)
    place = tmp_path / "outside"
    place.mkdir()
    with ExitStack() as stack:
        said = stack.enter_context(capture_logs())
        parts = stack.enter_context(open_parts(Settings(home=tmp_path / "home", checkpoints=place), database))
        connection = stack.enter_context(psycopg.connect(database, autocommit=True))
        log_id = parts.recorder.log_id
        kept = SealedLog(connection, log_id, parts.signer, parts.settings.home, place)
        found = Running(parts, kept, Town(parts.pool, log_id), said)
        stack.enter_context(Worker(database, (SEALS,)))
        for size in (4, 8, 12):
            for _ in range(4):
                found.happen()
            until(lambda size=size: SEALS.position(connection) == size, "the tree")  # type: ignore[misc]
            seal(connection, parts.signer, parts.settings.home)
        stack.enter_context(Sealer(parts))
        stack.enter_context(Keeper(parts))
        until(lambda: len(found.outside()) == 12 * 32, "the leaves outside")
        yield found


ON_A_RUNNING_HALL: Final = (
    "state", "time", "command", "state, hash made anew", "hash alone", "taken out", "taken out and closed up", "put in",
    "exchanged", "cut off", "tile", "note",
)  # fmt: skip


@pytest.mark.parametrize("name", ON_A_RUNNING_HALL)
def test_what_is_done_to_a_running_hall_is_named(running: Running, name: str) -> None:
    """While it goes on working; what was taken outside before stays as it was."""
    statements, said = TAMPERED[name]
    before, said = running.outside(), said.format(log=running.kept.log_id)
    running.kept.alter(statements)
    assert running.kept.first() == running.kept.first(running.kept.place) == said
    place = running.happen()
    until(lambda: SEALS.position(running.kept.connection) >= min(place, 12), "the tree")
    after = running.kept.first(running.kept.place)
    assert after.split(":")[0] == said.split(":")[0]
    assert running.outside()[: len(before)] == before


def test_a_forged_row_stops_the_seals_before_it(running: Running) -> None:
    """Nothing behind it is signed, and everybody can see how much."""
    running.kept.alter(PUT_IN.format(13))
    assert [running.happen() for _ in range(3)] == [14, 15, 16]
    until(lambda: running.told("projection stopped", "LeafAltered"), "the word")
    assert (SEALS.position(running.kept.connection), running.signed()) == (12, 12)
    ready = running.ready()
    assert (ready["events_to_seal"], ready["sealing"]) == (4, "on")
    assert running.kept.first().startswith("position 13: the row does not give the hash that is stored with it")


@pytest.mark.parametrize("how", ["put back", "rewritten"])
def test_nothing_is_signed_over_a_log_that_is_not_the_one_signed_before(running: Running, how: str) -> None:
    """It is said again and again, until somebody has recorded that it was taken back."""
    before = running.outside()
    assert running.ready()["sealing"] == "on"
    if how == "put back":
        running.kept.take_back(8)
    else:
        running.kept.alter(edit("state = state || ' '::bytea"))
        running.kept.rewrite(signed=False)
    for _ in range(6):
        running.happen()
    until(lambda: running.told("nothing is signed", "bihuan audit new-epoch"), "the word")
    until(lambda: SEALS.position(running.kept.connection) == running.town.last(), "the tree")
    ready = running.ready()
    assert ready["sealing"].startswith("refused")
    assert ready["events_to_seal"] == running.town.last() - running.signed()
    assert running.signed() == (8 if how == "put back" else 0)
    assert running.outside() == before
    assert running.kept.first(running.kept.place).startswith("position 9:" if how == "put back" else "position 7:")
    record_new_epoch(running.parts.book, running.signed(), None)
    end = running.town.last()
    until(lambda: running.signed() == end, "the checkpoint")
    until(lambda: running.told("taken outside", f"'size': {end}"), "the leaves outside")
    assert running.outside()[: len(before)] == before
    report = running.kept.check(running.kept.place)
    assert report.findings == []
    assert [one.by for one in report.given_up] == [2]
    assert running.ready()["sealing"] == "on"


def test_readiness_tells_when_was_signed(running: Running) -> None:
    """And that nothing waits."""
    end = running.happen()
    until(lambda: running.signed() == end, "the checkpoint")
    ready = running.ready()
    assert (ready["status"], ready["events_to_seal"], ready["sealing"]) == ("ready", 0, "on")
    (at,) = running.kept.connection.execute("select max(signed_at) from checkpoints").fetchone() or (None,)
    assert at is not None
    assert ready["last_checkpoint"] == at.isoformat()


@pytest.mark.parametrize(
    "statement",
    [
        "update checkpoints set note = replace(note, 'epoch 1', 'epoch 2')",
        "update checkpoints set note = ''",
        "update seals_1 set hashes = substr(hashes, 1, 100)",
        "update seals_1 set hashes = overlay(hashes placing sha256('x') from 193)",
    ],
)
def test_readiness_tells_that_signing_is_refused(running: Running, statement: str) -> None:
    """What was signed cannot be read any more, or the tree does not bear it out; complaints are still taken."""
    running.kept.alter(statement)
    ready = running.ready()
    assert (ready["status"], ready["sealing"]) == ("ready", "refused: run bihuan audit fsck")
