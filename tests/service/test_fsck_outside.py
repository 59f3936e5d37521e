"""An audit with what is held outside: a rewritten log shows, and a log that was taken back honestly is told as such."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from service.fsck import fsck
from service.held import GivenUp, Held, held
from service.outside import CHECKPOINTS, LEAVES, OutsideFails
from service.signing import Checkpoint, Signer
from tests.service.sealed_log import SealedLog, sealed_log
from tests.service.tampering import DOWN, EXCHANGE, PUT_IN, TIMES_STAY, UP, edit, together

pytestmark = pytest.mark.postgres


@pytest.fixture
def kept(database: str, tmp_path: Path) -> Iterator[SealedLog]:
    """Twelve events, sealed and kept outside by four."""
    with sealed_log(database, tmp_path) as found:
        found.cycle(4, 4, 4)
        yield found


REWRITTEN: Final = {
    "edited": edit("state = '{}'"),
    "taken out": together("delete from events where position = 7", UP.format(7)),
    "put in": together(DOWN.format(7), PUT_IN.format(7)),
    "exchanged": together(EXCHANGE.format(7, 9), TIMES_STAY.format(7, 9)),
    "cut off": "delete from events where position > 6",
}
BY_LEAVES: Final = {
    "edited": "position 7: row, hash and tree were rewritten together: the copy outside has another event here",
    "taken out": "position 7: event 7 was taken out, and those behind moved up",
    "put in": "position 7: an event was put in here, and those behind moved down",
    "exchanged": "position 7: the events of positions 7 and 9 were exchanged",
    "cut off": "position 7: the log ends at 6, 12 were signed or held outside: 7 to 12 are missing",
}


@pytest.mark.parametrize("what", REWRITTEN)
@pytest.mark.parametrize("by", ["a key holder", "the database administrator", "one who leaves the checkpoints"])
def test_a_rewritten_log_shows_outside(kept: SealedLog, tmp_path: Path, what: str, by: str) -> None:
    """With the leaves the position, with checkpoints alone the interval; without any, nothing or the interval."""
    kept.alter(REWRITTEN[what])
    checkpoints = kept.connection.execute("select * from checkpoints").fetchall()
    kept.rewrite(signed=by == "a key holder")
    shutil.rmtree(kept.home)
    if by == "one who leaves the checkpoints":
        for row in checkpoints:
            kept.connection.execute("insert into checkpoints values (%s, %s, %s, %s, %s)", row)
        assert kept.first().startswith("between positions 5 and ")
    else:
        assert kept.first() == ""
    assert kept.first(kept.place) == BY_LEAVES[what]
    notes = kept.first(kept.notes(tmp_path / "notes"))
    if what == "cut off":
        assert notes.startswith("between positions 5 and 12: the log ends at 6")
        assert "6 events are missing" in notes
    else:
        assert notes.startswith("between positions 5 and 8: something was altered")
        assert notes.endswith("does not fit, that of 4 still does")
    # With one checkpoint everything before it is in doubt; our own narrow it down where nobody signed them anew.
    one = kept.first(tmp_path / "notes" / "12.txt")
    if by == "one who leaves the checkpoints":
        assert one.startswith("between positions 5 and ")
    else:
        assert one.startswith("between positions 1 and 12: ")


def test_two_logs_signed_by_one_key_are_told_as_such(kept: SealedLog) -> None:
    """The checkpoints themselves are the proof, whoever shows them."""
    kept.alter(edit("state = '{}'"))
    kept.rewrite()
    said = [str(one) for one in kept.check(kept.place).findings]
    assert [one for one in said if "two roots" in one] == [
        "the checkpoint of 8 events (and 1 more) is signed over two roots: who has the key signed two logs"
    ]


def test_a_checkpoint_taken_out_of_the_database_is_missed(kept: SealedLog) -> None:
    """Whoever holds it outside knows that it was there."""
    kept.alter("delete from checkpoints where size = 8")
    assert kept.first() == ""
    assert kept.first(kept.place) == "the checkpoint of 8 events is not in the database any more"


def test_a_change_in_the_upper_tree_is_found(kept: SealedLog) -> None:
    """Proofs would not hold, though every row is as it was."""
    kept.cycle(600)
    kept.alter("update seals_1 set hashes = overlay(hashes placing sha256('x') from 33) where level = 1")
    assert kept.first() == (
        "between positions 257 and 512: the tree does not follow from its leaves (tile 0 of level 1)"
    )
    kept.alter("delete from seals_1 where level = 1")
    assert kept.first() == ("between positions 1 and 256: the tree does not follow from its leaves (tile 0 of level 1)")


def test_a_tile_that_is_gone_is_missed(kept: SealedLog) -> None:
    """Its first leaf is where the tree ends to be one."""
    kept.cycle(600)
    kept.alter("delete from seals_1 where level = 0 and index = 1")
    assert kept.first() == (
        "position 257: the tree was changed: it has another hash here, while the row fits the signed checkpoint"
    )


# What is held outside may be damaged itself.


def test_a_damaged_copy_is_not_taken_for_a_damaged_log(kept: SealedLog) -> None:
    """The checkpoints beside it tell which of the two is as it was signed."""
    path = kept.folder / "epoch-1" / LEAVES
    data = path.read_bytes()
    path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    assert kept.first(kept.place) == (
        "position 7: the copy outside is damaged: its hash is another one, while the row fits the signed checkpoint"
    )
    path.write_bytes(data[:200])
    assert kept.check(kept.place).leaves_outside == 6
    assert kept.first(kept.place) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x\n", "line 2 of epoch-1/checkpoints is no checkpoint"),
        ('{{"size": 8, "note": "x"}}\n', "line 2 of epoch-1/checkpoints: This is not a signed note."),
        ("{first}", "line 2 of epoch-1/checkpoints is not in its place"),
    ],
)
def test_a_damaged_line_is_named(kept: SealedLog, line: str, said: str) -> None:
    """And the others are used."""
    path = kept.folder / "epoch-1" / CHECKPOINTS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join((lines[0], line.format(first=lines[0]), lines[2], lines[1][:20])), encoding="utf-8")
    report = kept.check(kept.place)
    assert [str(one) for one in report.findings] == [f"{kept.place}: {said}"]
    assert report.checkpoints_outside == 2


def test_another_key_outside_is_told(kept: SealedLog) -> None:
    """It is the first thing to look into."""
    (kept.folder / "key").write_text(Signer(kept.log_id, bytes(32)).vkey + "\n", encoding="utf-8")
    assert "was written under another key" in kept.first(kept.place)
    (kept.folder / "key").write_text(kept.signer.vkey[:50], encoding="utf-8")
    assert kept.first(kept.place) == ""


def test_what_is_added_outside_meanwhile_is_left_out(kept: SealedLog) -> None:
    """An audit looks at the database as it was a moment later than at what is held, never earlier."""
    found = held(kept.place, kept.log_id)
    kept.cycle(3)
    kept.take_back(12)
    assert kept.first(kept.place).startswith("position 13: the log ends at 12, 15 were")
    report = fsck(kept.connection, kept.log_id, kept.signer.vkey, found)
    assert (report.findings, report.leaves_outside, report.checkpoints_outside) == ([], 12, 3)


def test_what_happens_meanwhile_is_left_out(kept: SealedLog, database: str) -> None:
    """An audit looks at one moment, however long it takes."""

    class Slow(Held):
        def checkpoints(self, vkey: str, known: Mapping[int, int]) -> Iterator[Checkpoint]:
            with sealed_by(database, kept) as other:
                other.grow(5)
                other.sign()
            yield from super().checkpoints(vkey, known)

    report = fsck(kept.connection, kept.log_id, kept.signer.vkey, Slow(kept.place))
    assert (report.findings, report.events, report.sealed, report.checkpoints) == ([], 12, 12, 3)
    assert kept.check().events == 17


@contextmanager
def sealed_by(dsn: str, log: SealedLog) -> Iterator[SealedLog]:
    """Give the same log over a connection of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield replace(log, connection=connection)


def test_a_checkpoint_of_another_epoch_is_told(kept: SealedLog) -> None:
    """Whoever signs for an epoch that never began prepares to give something up."""
    signed = kept.sign().checkpoint
    forged = replace(signed, epoch=2)
    kept.alter("update checkpoints set epoch = 2 where size = 12")
    kept.connection.execute("update checkpoints set note = %s where size = 12", (kept.signer.sign(forged.text()),))
    assert kept.first() == "the checkpoint of 12 events says epoch 2, which was another one"


def test_a_place_that_holds_nothing_of_this_log_is_refused(kept: SealedLog, tmp_path: Path) -> None:
    """Nothing compared is not nothing found."""
    other = kept.notes(tmp_path / "notes")
    (other / "4.txt").write_text("bihuan/" + str(uuid4()) + "\n4\n", encoding="utf-8")
    for place in (tmp_path / "none", kept.place.parent):
        with pytest.raises(OutsideFails, match="holds nothing of the log"):
            kept.check(place)
    assert kept.check(other).checkpoints_outside == 2
    assert kept.check(kept.folder).leaves_outside == 12
    assert kept.check(kept.folder / "epoch-1" / CHECKPOINTS).checkpoints_outside == 3


# Taken back.


def test_a_log_that_was_taken_back_is_told_as_such(kept: SealedLog, tmp_path: Path) -> None:
    """It is no error by itself; what was given up is listed."""
    notes = kept.notes(tmp_path / "notes")
    kept.take_back(8)
    assert (
        kept.first(kept.place) == "position 9: the log ends at 8, 12 were signed or held outside: 9 to 12 are missing"
    )
    kept.restored(8, 2)
    for place in (kept.place, notes):
        report = kept.check(place)
        assert report.findings == []
        assert report.epochs == [(9, 2, 8)]
        assert report.checkpoints_given_up == 1
        assert report.given_up == ([GivenUp(1, 9, 12, 2)] if place == kept.place else [])
    kept.cycle(3, 3)
    report = kept.check(kept.place)
    assert (report.findings, report.leaves_outside, report.checkpoints_outside) == ([], 15, 4)
    assert report.given_up == [GivenUp(1, 9, 12, 2)]
    kept.alter("update events set state = state || ' '::bytea where position in (3, 10)")
    assert kept.first(kept.place).startswith("position 3: the row was changed")


def test_what_was_kept_is_still_compared(kept: SealedLog) -> None:
    """A new epoch excuses nothing before it."""
    kept.take_back(8)
    kept.alter(edit("state = '{}'"))
    kept.rewrite()
    shutil.rmtree(kept.home)
    kept.restored(8, 2)
    assert kept.first(kept.place) == BY_LEAVES["edited"]


def test_an_epoch_that_the_log_forgot_is_missed(kept: SealedLog) -> None:
    """The copy outside remembers that one began."""
    kept.restored(12, 2)
    kept.cycle(2)
    kept.take_back(12)
    kept.grow(3)
    assert kept.first(kept.place).startswith("position 13: ")
    kept.alter("delete from events where position > 12", "update projection_positions set position = 12")
    kept.alter("update seals_1 set hashes = substr(hashes, 1, 384)")
    assert kept.first(kept.place).startswith("position 13: the log ends at 12")


@pytest.mark.parametrize("state", ["x", "{}", '{"e": {"epoch": "x", "kept": 1}}', '{"e": {"epoch": 2}}', "\\xff"])
def test_a_mark_that_says_nothing_is_one_more_altered_row(kept: SealedLog, state: str) -> None:
    """An audit reads what the log says about its epochs, and does not fail on it."""
    kept.restored(12, 2)
    kept.cycle(1)
    kept.alter("alter table events disable trigger all")
    kept.connection.execute("update events set state = %s::bytea where position = 13", (state,))
    assert kept.first(kept.place).startswith("position 13: the row was changed after it was stored")
