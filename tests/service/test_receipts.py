"""Receipts: promised at once and always in the same words, proved after the next checkpoint, refused over damage."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.complaint import Registered
from domain.decider import THE_SYSTEM
from domain.rulebook import Profile
from projections import PROJECTIONS
from projections.histories import read_stream
from projections.runner import Runner
from service import receipts
from service.adoption import adopt_first, load_register
from service.asking import Asked
from service.forms.intake import RegisterForm
from service.parts import Parts, open_parts
from service.receipts import LogAltered, NothingPromised, NotSealedYet
from service.settings import Settings
from service.signing import opened
from tests.service.judging import judged
from tests.service.watching import asking, until
from tests.service.web.house import REGISTER

pytestmark = pytest.mark.postgres

ASIDE: Final = "alter table events disable trigger all"


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A program over a log with rules and register, and no complaint."""
    with open_parts(Settings(home=tmp_path / "home"), database) as found:
        adopt_first(found.book)
        load_register(found.book, "hall.toml", REGISTER)
        yield found


def register(parts: Parts, profile: Profile = Profile.HALL) -> UUID:
    """Register a complaint."""
    asked = Asked(command_id=uuid4(), source="test", name="register")
    by = THE_SYSTEM if profile is Profile.LEDGER else None
    return parts.desk.register(RegisterForm(hall="GXQ", narrative="窗口无人。"), by, asked, profile=profile).case


def carry(parts: Parts) -> None:
    """Bring everything that is read to the end of the log."""
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up()


def sealed(parts: Parts) -> None:
    """Sign everything that is in the log."""
    carry(parts)
    receipts.sign_now(parts)


def test_a_promise_names_the_registration(parts: Parts, tmp_path: Path) -> None:
    """Number, position, hash and time are those of the event that registered it, under the key of the log."""
    case = register(parts)
    register(parts)
    told = receipts.promised(parts, case)
    assert told is not None
    with parts.pool.connection() as connection:
        first = read_stream(connection, case)[0]
        row = connection.execute("select leaf_hash from events where position = %s", (first.position,)).fetchone()
    assert row is not None
    assert isinstance(first.event, Registered)
    assert opened(told.file()["promise"], [parts.signer.vkey]).splitlines() == [
        f"{parts.signer.name}/promise",
        f"complaint {first.event.complaint_no}",
        f"position {first.position}",
        f"leaf {base64.b64encode(row[0]).decode()}",
        f"recorded {first.recorded_at:%Y-%m-%dT%H:%M:%S.%f}Z",
    ]
    verdict = judged(tmp_path, told.file(), "--key", parts.signer.vkey)
    assert verdict.good, verdict.said
    assert "promised, not yet sealed" in verdict.said


def test_a_promise_is_kept_by_the_next_checkpoint(parts: Parts, tmp_path: Path) -> None:
    """The same words before and after; then with a proof, also of a case that came later than a checkpoint."""
    case = register(parts)
    before = receipts.receipt(parts, case).file()
    assert before == (receipts.promised(parts, case) or pytest.fail("nothing was promised")).file()
    sealed(parts)
    after = receipts.receipt(parts, case).file()
    assert after["promise"] == before["promise"]
    verdict = judged(tmp_path, after, "--key", parts.signer.vkey)
    assert verdict.good, verdict.said
    assert "sealed by the checkpoint" in verdict.said
    later = register(parts)
    assert receipts.receipt(parts, later).file()["checkpoint"] is None
    for _ in range(3):
        register(parts)
    sealed(parts)
    for one in (case, later):
        found = receipts.receipt(parts, one).file()
        assert judged(tmp_path, found, "--key", parts.signer.vkey).good
        assert found["checkpoint"] != after["checkpoint"]


def test_what_came_from_a_ledger_was_promised_nothing(parts: Parts) -> None:
    """Nobody was there to whom it could have been promised."""
    case = register(parts, Profile.LEDGER)
    assert receipts.promised(parts, case) is None
    assert receipts.promised(parts, uuid4()) is None
    with pytest.raises(NothingPromised):
        receipts.receipt(parts, case)
    sealed(parts)
    assert len(receipts.history(parts, case).paths) > 0


@pytest.mark.parametrize("how", ["not sealed", "text alone", "hash too"])
def test_no_receipt_rests_on_an_altered_row(parts: Parts, how: str) -> None:
    """Neither where the row no longer gives its hash, nor where that was made anew after it was sealed."""
    case, other = register(parts), register(parts)
    carry(parts)
    if how != "not sealed":
        sealed(parts)
    with parts.pool.connection() as connection:
        connection.execute(ASIDE)
        connection.execute(
            "update events set state = convert_to(replace(convert_from(state, 'UTF8'), 'GXQ', 'GXX'), 'UTF8')"
            " where stream_id = %s and version = 1",
            (case,),
        )
        if how == "hash too":
            connection.execute(
                "update events set leaf_hash = leaf_hash((select log_id from log), position, stream_id, version, name,"
                " recorded_at, command_id, command_seq, state) where stream_id = %s",
                (case,),
            )
    for ask in (receipts.receipt, receipts.history):
        with pytest.raises(LogAltered):
            ask(parts, case)
        ask(parts, other)


def test_nothing_is_said_of_what_is_not_durable(parts: Parts, server: str) -> None:
    """A promise about a row that somebody else has just written waits for its flush."""
    case = register(parts)
    with lazy(server), parts.pool.connection() as connection:
        connection.execute("set synchronous_commit to off")
        connection.execute("insert into claims (kind, key, stream_id) values ('test', 'x', gen_random_uuid())")
        (written,) = connection.execute("select pg_current_wal_insert_lsn()").fetchone() or (None,)
        connection.execute("reset synchronous_commit")
        assert receipts.receipt(parts, case).sealed is None
        flushed = connection.execute("select pg_current_wal_flush_lsn() >= %s::pg_lsn", (written,)).fetchone()
    assert flushed == (True,)


@contextmanager
def lazy(server: str) -> Iterator[None]:
    """Have the server flush only what somebody waits for; else it does so by itself five times a second."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("alter system set wal_writer_delay = '10s'")
        connection.execute("select pg_reload_conf()")
        # It takes the new pace when it wakes from its present sleep.
        until(lambda: asking(server, "show wal_writer_delay") == [("10s",)], "the new pace")
        try:
            yield
        finally:
            connection.execute("alter system reset wal_writer_delay")
            connection.execute("select pg_reload_conf()")


def test_a_tree_that_is_behind_proves_nothing(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore it is on its way; until it is there a receipt is a promise, and a proof is not to be had."""
    monkeypatch.setattr(receipts, "PATIENCE", 0)
    with pytest.raises(NotSealedYet):
        receipts.sign_now(parts)
    case = register(parts)
    sealed(parts)
    with parts.pool.connection() as connection:
        connection.execute("truncate seals_1")
        connection.execute("update projection_positions set position = 0 where name = 'seals'")
    assert receipts.receipt(parts, case).sealed is None
    with pytest.raises(NotSealedYet):
        receipts.inclusion(parts, 1, None)
    with pytest.raises(NotSealedYet):
        receipts.consistency(parts, 1, None)
    carry(parts)
    assert receipts.receipt(parts, case).sealed is not None


def test_what_is_not_in_a_checkpoint_is_signed_first(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the tree is there; without anybody who carries it on, the command line does it itself."""
    monkeypatch.setattr(receipts, "PATIENCE", 0)
    case = register(parts)
    with pytest.raises(NotSealedYet):
        receipts.history(parts, case)
    carry(parts)
    first = receipts.history(parts, case).sealed
    assert receipts.history(parts, case).sealed == first
    later = register(parts)
    found = receipts.history(parts, later, receipts.sealed_here)
    assert found.sealed.checkpoint.size == parts.recorder.max_notification_id()
    assert receipts.history(parts, case, receipts.sealed_here).sealed == found.sealed
