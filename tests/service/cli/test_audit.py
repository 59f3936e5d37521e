"""Auditing on the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from projections.merkle import check_inclusion
from projections.seals import SEALS
from service.cli import audit, backup, exports
from service.outside import LEAVES
from service.parts import Parts, open_parts
from service.sealer import REMEMBERED
from service.settings import Settings
from service.signing import Checkpoint, Signer, log_of, opened
from tests.controls import REGISTERED
from tests.projections.town import Town
from tests.service.tampering import ASIDE, REHASH, edit, together

pytestmark = pytest.mark.postgres


AGAIN: Final = "update projection_positions set position = 0 where name = 'seals'"


class House:
    """A log of nine events, a home, and a place outside."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self.parts = parts
        self.folder = folder
        self.place = folder / "outside"
        self.place.mkdir()
        self.town = Town(parts.pool, parts.recorder.log_id)
        self.grow(9)

    def grow(self, count: int) -> None:
        """Let something happen."""
        for _ in range(count):
            self.town.append(uuid4(), REGISTERED)

    def run(self, *words: object, home: Path | None = None, **settings: str) -> Result:
        """Type a command of the audit."""
        return self.typed("audit", *words, home=home, **settings)

    def typed(self, *words: object, home: Path | None = None, **settings: str) -> Result:
        """Type a command."""
        app = typer.Typer(pretty_exceptions_enable=False)
        for one in (audit, backup, exports):
            one.register(app)
        environment = {"DATABASE_URL": self.parts.dsn, "BIHUAN_HOME": str(home or self.parts.settings.home), **settings}
        with capture_logs():
            return CliRunner(env=environment).invoke(app, [*map(str, words)])

    def alter(self, statements: str) -> None:
        """Do what only somebody with all rights on the database can do."""
        with psycopg.connect(self.parts.dsn, autocommit=True) as connection:
            connection.execute((ASIDE + statements).encode())

    def signed(self) -> Any:  # noqa: ANN401 - a row
        """Give how many checkpoints there are, and how far the last one reaches."""
        with self.parts.pool.connection() as connection:
            return connection.execute("select count(*), max(size) from checkpoints").fetchone()


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    """A log that is not sealed yet."""
    with open_parts(Settings(home=tmp_path / "home"), database) as parts:
        yield House(parts, tmp_path)


def test_a_checkpoint_is_signed_and_printed(house: House) -> None:
    """On standard output stands the note and nothing else, so that it can be kept in a file."""
    done = house.run("checkpoint")
    assert done.exit_code == 0
    vkey = house.run("key").stdout.strip()
    assert log_of(vkey) == house.parts.recorder.log_id
    found = Checkpoint.read(opened(done.stdout, [vkey]))
    assert (found.size, found.epoch) == (9, 1)
    assert house.run("checkpoint").stdout == done.stdout
    assert house.signed() == (1, 9)
    house.grow(1)
    assert "\n10\n" in house.run("checkpoint").stdout


def test_a_checkpoint_goes_outside_and_through_a_hook(house: House) -> None:
    """As the options say, or the settings; a hook that fails ends with a failure, after all else is done."""
    done = house.run("checkpoint", "--to", house.place)
    assert (done.exit_code, done.stderr) == (0, f"9 leaf hashes and 1 checkpoints added to {house.place}\n")
    house.grow(2)
    seen = house.folder / "seen"
    program = house.folder / "hook"
    program.write_text(f'#!/bin/sh\ncat > {seen}; echo "$1" >> {seen}; exit 4\n', encoding="utf-8")
    program.chmod(0o700)
    done = house.run("checkpoint", BIHUAN_CHECKPOINTS=str(house.place), BIHUAN_CHECKPOINT_HOOK=str(program))
    assert done.exit_code == 1
    assert "hook ended with 4" in done.stderr
    assert seen.read_text(encoding="utf-8") == f"{done.stdout}{house.place}\n"
    (leaves,) = house.place.rglob(LEAVES)
    assert leaves.stat().st_size == 11 * 32
    assert house.run("checkpoint", "--hook", house.folder / "none").stderr.endswith("No such file or directory.\n")


def test_what_stands_in_the_way_of_a_checkpoint_is_said(house: House) -> None:
    """In one line, with what to do."""
    refused = house.run("checkpoint", "--to", house.folder / "none")
    assert (refused.exit_code, "Make it, or mount it" in refused.stderr) == (1, True)
    house.grow(1)
    house.alter("update events set recorded_at = recorded_at - interval '1 hour' where position = 10")
    file, folder = house.folder / "log.jsonl", house.folder / "backup"
    for words in (("audit", "checkpoint"), ("export", "log", file), ("backup", folder)):
        refused = house.typed(*words)
        assert (refused.exit_code, refused.stdout, refused.stderr) == (
            1,
            "",
            "The log was altered at position 10: nothing is made of it. Run: bihuan audit fsck\n",
        )
    assert not file.exists()
    assert not folder.exists()
    assert house.signed() == (1, 9)


def test_an_empty_log_has_nothing_to_go_outside(database: str, tmp_path: Path) -> None:
    """Its checkpoint says so."""
    with open_parts(Settings(home=tmp_path / "home"), database) as parts:
        house = House.__new__(House)
        house.parts = parts
        done = house.run("checkpoint", "--to", tmp_path)
        assert (done.exit_code, done.stdout.splitlines()[1], done.stderr) == (0, "0", "")
        clean = house.run("fsck")
        assert (clean.exit_code, "0 events, 0 of them not sealed yet" in clean.stdout) == (0, True)


def test_a_clean_log_is_good(house: House) -> None:
    """With counts of what was looked at; whoever has the key needs no home of the hall."""
    house.run("checkpoint", "--to", house.place)
    house.grow(2)
    done = house.run("fsck", "--against", house.place)
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "good: nothing was altered · 11 events, 2 of them not sealed yet, 1 checkpoints",
            f"compared with 9 leaf hashes and 1 checkpoints in {house.place}",
        ],
    )
    vkey = house.run("key").stdout.strip()
    (house.folder / "vkey").write_text(vkey + "\n", encoding="utf-8")
    for key in (vkey, house.folder / "vkey"):
        elsewhere = house.folder / "elsewhere"
        assert house.run("fsck", "--key", key, home=elsewhere).exit_code == 0
        assert not elsewhere.exists()


def test_an_altered_log_is_named(house: House) -> None:
    """The first finding comes first."""
    house.run("checkpoint", "--to", house.place)
    house.alter(edit("state = '{}'"))
    for words in ((), ("--against", house.place)):
        done = house.run("fsck", *words)
        assert done.exit_code == 1
        first, second, *_ = done.stdout.splitlines()
        assert first == "WRONG position 7: the row was changed after it was stored: it no longer gives its hash"
        assert second.startswith("not all is as it was · 9 events")


def test_what_was_signed_here_is_remembered_outside_the_database(house: House) -> None:
    """A log rewritten with its tree, and without its checkpoints, does not fit what this home signed last."""
    house.run("checkpoint")
    house.alter(
        together(edit("command_id = gen_random_uuid()"), REHASH, "truncate seals_1", "delete from checkpoints", AGAIN)
    )
    rewritten = house.run("fsck")
    assert rewritten.exit_code == 1
    assert rewritten.stdout.startswith("WRONG between positions 1 and 9: something was altered"), rewritten.stdout
    (house.parts.settings.home / REMEMBERED).unlink()
    assert house.run("fsck").exit_code == 0
    place = house.run("checkpoint", "--to", house.place)
    assert place.exit_code == 0
    assert f"in {house.place}" in house.run("fsck", BIHUAN_CHECKPOINTS=str(house.place)).stdout


def test_what_cannot_be_audited_is_neither_good_nor_wrong(house: House) -> None:
    """A key that is none, a file that is not there, a place that holds nothing, the key of something else."""
    house.run("checkpoint")
    vkey = house.run("key").stdout.strip()
    for words, said in (
        (("--key", "bihuan/x"), "not a verifying key"),
        (("--key", vkey[:-2] + "A="), "not a verifying key"),
        (("--key", house.folder / "none"), "No such file"),
        (("--against", house.place), "holds nothing of the log"),
        (("--against", house.folder / "none"), "holds nothing of the log"),
    ):
        done = house.run("fsck", *words)
        assert (done.exit_code, said in done.stderr, done.stdout) == (2, True, ""), done.output
    other = Signer(house.parts.recorder.log_id, bytes(32)).vkey
    wrong = house.run("fsck", "--key", other)
    assert (wrong.exit_code, "None of the keys given signed" in wrong.stdout) == (1, True)
    assert "does not say that it holds the log" in house.run("fsck", "--key", Signer(uuid4(), bytes(32)).vkey).stdout


def test_a_recovery_by_other_means_is_recorded(house: House) -> None:
    """Nothing is signed until then; afterwards the epoch goes on, beyond all that is known anywhere."""
    house.run("checkpoint")
    house.grow(3)
    house.run("checkpoint", "--to", house.place)
    house.alter(
        "delete from events where position > 10; delete from checkpoints where size > 9; truncate seals_1;"
        "update projection_positions set position = 0 where name = 'seals'"
    )
    refused = house.run("checkpoint")
    assert (refused.exit_code, "bihuan audit new-epoch" in refused.stderr) == (1, True)
    (house.place / str(house.parts.recorder.log_id) / "epoch-6-after-9").mkdir()
    done = house.run("new-epoch", "--against", house.place)
    assert done.stdout == "Epoch 7 begins: the log is as it was up to position 9.\n"
    assert house.run("checkpoint", "--to", house.place).exit_code == 0
    lines = house.run("fsck", "--against", house.place).stdout.splitlines()
    assert lines[0].startswith("good: nothing was altered, but the log was taken back, as told below · 11 events")
    assert lines[2:] == [
        "epoch 7 began at position 11: the log was taken back, 9 events were kept",
        "positions 10 to 12 of epoch 1 were given up when epoch 6 began",
        "1 checkpoints are of events that were given up",
    ]
    # Again at once: the mark of the first time is kept.
    assert house.run("new-epoch").stdout == "Epoch 8 begins: the log is as it was up to position 11.\n"


def test_proofs_are_printed_and_written(house: House) -> None:
    """That an event is in the log, and that the log only grew; the verifier takes the latter as it is."""
    house.run("checkpoint")
    house.grow(4)
    house.run("checkpoint")
    for size in (9, 13):
        told = json.loads(house.run("inclusion", 5, "--size", size).stdout)
        path = [base64.b64decode(one) for one in told["inclusion"]]
        root = Checkpoint.read(opened(told["checkpoint"], [told["key"]])).root
        check_inclusion(base64.b64decode(told["leaf"]), 4, size, path, root)
    file = house.folder / "grew.json"
    assert house.run("consistency", 9, "--to", file).exit_code == 0
    assert json.loads(house.run("consistency", 9, 13).stdout) == json.loads(file.read_text(encoding="utf-8"))
    assert "only adds to" in house.run("verify", file).stdout
    refused = house.run("consistency", 12, 9)
    assert refused.exception is not None
    assert "no-such-proof" in str(refused.exception) + refused.stdout


def test_the_verifier_gets_its_arguments_as_they_are(house: House) -> None:
    """Without a database, without the rest of the program."""
    note = house.folder / "note.txt"
    note.write_text(house.run("checkpoint").stdout, encoding="utf-8", newline="\n")
    vkey = house.run("key").stdout.strip()
    nowhere = "postgresql://127.0.0.1:1/none"
    good = house.run("verify", note, "--key", vkey, DATABASE_URL=nowhere)
    assert (good.exit_code, "good" in good.stdout) == (0, True)
    assert house.run("verify", "--quiet", "--key", vkey, note, DATABASE_URL=nowhere).stdout == ""
    note.write_text(note.read_text(encoding="utf-8").replace("\n9\n", "\n8\n"), encoding="utf-8", newline="\n")
    assert house.run("verify", note, "--key", vkey, DATABASE_URL=nowhere).exit_code == 1
    assert house.run("verify", DATABASE_URL=nowhere).exit_code == 2
    assert "--checkpoint" in house.run("verify", "--help", DATABASE_URL=nowhere).stdout


def test_the_tree_is_carried_where_no_server_runs(house: House) -> None:
    """A checkpoint on demand covers everything that is there now."""
    with house.parts.pool.connection() as connection:
        assert SEALS.position(connection) == 0
        house.run("checkpoint")
        assert SEALS.position(connection) == 9
