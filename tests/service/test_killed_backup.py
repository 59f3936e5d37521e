"""Backup and return on the command line: killed in the middle they leave nothing, and can be begun again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from service.backup import LOG_FILE, MANIFEST, OF_KEYS, UNFINISHED, VAULT, Manifest
from service.master import FILE_NAME
from service.restore import checked
from tests.service.backups import PAIRS, Hall, both_servers, build, counted, new_database, restored, tell
from tests.service.watching import asking, until

pytestmark = pytest.mark.postgres
PROGRAM: Final = (sys.executable, "-c", "from service.cli import main; main()")
HELD: Final = 20_261_123
"""The lock at which a return waits in the middle of the events."""
WAIT: Final = f"""
create function wait() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock({HELD});
    return new;
end $$;
create trigger waits before insert on events for each row when (new.position = 40) execute function wait()
"""
WAITING: Final = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Both versions of the server, where this machine has them."""
    with both_servers() as found:
        yield found


@pytest.fixture(scope="module")
def source(servers: dict[str, str]) -> Iterator[str]:
    """The database of the hall."""
    with new_database(servers[PAIRS[0][0]]) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def hall(source: str, tmp_path_factory: pytest.TempPathFactory) -> Hall:
    """A hall that was backed up."""
    return build(source, tmp_path_factory.mktemp("hall"))


@pytest.fixture
def empty(servers: dict[str, str]) -> Iterator[str]:
    """An empty installation on the other server."""
    with new_database(servers[PAIRS[0][1]]) as dsn:
        yield dsn


def environment(dsn: str, home: Path) -> dict[str, str]:
    """Say where the program works."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIHUAN_")}
    return {**kept, "DATABASE_URL": dsn, "BIHUAN_HOME": str(home)}


def run(dsn: str, home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], env=environment(dsn, home), capture_output=True, text=True, check=False
    )


def killed(dsn: str, home: Path, *arguments: object) -> None:
    """Run the program until it waits for a lock, and kill it there."""
    running = subprocess.Popen([*PROGRAM, *map(str, arguments)], env=environment(dsn, home), stdout=subprocess.DEVNULL)
    until(lambda: asking(dsn, WAITING) or running.poll() is not None, "the program waits")
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL, "it ended before it was killed"


def test_a_killed_backup_leaves_no_backup(hall: Hall, source: str, tmp_path: Path) -> None:
    """What it left under another name is cleared away by the next, which is whole."""
    folder, unfinished = tmp_path / "backup", tmp_path / f"backup{UNFINISHED}"
    with psycopg.connect(source) as connection:
        connection.execute("lock table vault.attachments in access exclusive mode")
        killed(source, hall.home, "backup", folder)
    assert (unfinished / LOG_FILE).exists()
    assert not folder.exists()
    (unfinished / "something").touch()
    done = run(source, hall.home, "backup", folder)
    assert (done.returncode, unfinished.exists()) == (0, False), done.stderr
    assert f"{checked(folder).manifest.size} events" in done.stdout
    assert "never exported" in done.stderr
    assert not (folder / "something").exists()


def test_a_killed_return_leaves_nothing(hall: Hall, empty: str) -> None:
    """Killed amid the events, with every table loaded: nothing stands there, and the next one brings all back."""
    before = counted(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute(WAIT.encode())
        connection.execute("select pg_advisory_lock(%s)", (HELD,))
        killed(empty, hall.home, "restore", hall.folder)
    until(lambda: not asking(empty, "select from pg_locks where relation = 'events'::regclass"), "it is undone")
    assert counted(empty) == before
    assert before["events"] == 0
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("drop trigger waits on events")
    done = run(empty, hall.home, "restore", hall.folder, "--key", hall.signer.vkey)
    size = len(hall.told.rows)
    assert done.returncode == 0, done.stderr
    assert f"{size} events are back under the same root. Epoch 2 begins at {size + 1}." in done.stdout
    assert "bihuan serve" in done.stdout
    assert FILE_NAME not in done.stdout
    with restored(empty, hall.home) as (parts, _):
        assert tell(parts, size) == hall.told


def test_what_cannot_be_brought_back_is_told_in_one_line(hall: Hall, empty: str, tmp_path: Path) -> None:
    """What is wrong and what to do; nothing is made where nothing was asked for."""
    home = tmp_path / "home"
    for arguments, why in (
        ((tmp_path / "nowhere",), "There is no manifest.txt"),
        ((hall.folder, "--key", "another"), "another key than the one given"),
        ((hall.folder, "--keys-from", tmp_path / "nowhere"), "There are no keys"),
    ):
        done = run(empty, home, "restore", *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert why in done.stderr
    assert not home.exists()
    done = run(empty, home, "backup", hall.folder)
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)


def test_a_backup_is_checked_without_a_database(hall: Hall, tmp_path: Path) -> None:
    """Nothing is started or made for it; the key it names is told, to be compared."""
    done = run("host=/nowhere", tmp_path / "home", "restore", hall.folder, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert hall.signer.vkey in done.stdout
    assert f"It is whole: {len(hall.told.rows)} events" in done.stdout
    (tmp_path / "key").write_text(f"{hall.signer.vkey}\n", encoding="utf-8")
    done = run("host=/nowhere", tmp_path / "home", "restore", hall.folder, "--check", "--key", tmp_path / "key")
    assert (done.returncode, hall.signer.vkey in done.stdout) == (0, False)
    assert not (tmp_path / "home").exists()


def test_a_log_is_exported_for_whoever_wants_to_check_it(hall: Hall, source: str, tmp_path: Path) -> None:
    """Packed or not, it passes the verifier."""
    for name in ("log.jsonl", "log.jsonl.gz"):
        done = run(source, hall.home, "export", "log", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert f"events in {tmp_path / name}, sealed in epoch 1" in done.stdout
        told = run(source, hall.home, "audit", "verify", tmp_path / name, "--key", hall.signer.vkey)
        assert told.returncode == 0, told.stdout
    done = run(source, hall.home, "export", "log", tmp_path / "nowhere" / "log")
    assert (done.returncode, "name a file that can be written" in done.stderr) == (1, True)


def test_keys_kept_too_long_go_with_the_next_backup(hall: Hall, source: str, tmp_path: Path) -> None:
    """When they are asked to; they are named."""
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(hall.folder, old)
    manifest = Manifest.opened(old / VAULT / MANIFEST, OF_KEYS)
    aged = replace(manifest, taken=manifest.taken - timedelta(days=36))
    (old / VAULT / MANIFEST).write_text(hall.signer.sign(aged.text()), encoding="utf-8")
    done = run(source, hall.home, "backup", new, "--prune")
    assert done.returncode == 0, done.stderr
    assert f"deleted {old / VAULT}\n" in done.stdout
    assert [(folder / VAULT).exists() for folder in (old, new)] == [False, True]


def test_a_missing_master_key_is_told_before_the_server_starts(hall: Hall, empty: str, tmp_path: Path) -> None:
    """And none is made meanwhile, which would be in the way of the old one."""
    home = tmp_path / "home"
    done = run(empty, home, "restore", hall.folder)
    assert done.returncode == 0, done.stderr
    assert f"put the {FILE_NAME} of the old installation into {home}" in done.stdout
    assert not (home / FILE_NAME).exists()
    shutil.copytree(hall.home, home, dirs_exist_ok=True)
    with restored(empty, home) as (parts, _):
        assert tell(parts, len(hall.told.rows)).texts == hall.told.texts


def test_keys_follow_from_an_export(hall: Hall, source: str, empty: str, tmp_path: Path) -> None:
    """A backup whose keys were thrown away in time, on a new machine: log first, then keys, then the server."""
    (tmp_path / "phrase").write_text("eleven quiet lanterns\n", encoding="utf-8")
    told = ("--passphrase-file", tmp_path / "phrase")
    assert run(source, hall.home, "keys", "export", tmp_path / "keys", *told).returncode == 0
    copy = Path(shutil.copytree(hall.folder, tmp_path / "copy"))
    shutil.rmtree(copy / VAULT)
    home = tmp_path / "home"
    done = run(empty, home, "restore", copy, "--without-keys")
    assert (done.returncode, "bihuan keys import FILE" in done.stdout) == (0, True), done.stderr
    done = run(empty, home, "keys", "import", tmp_path / "keys", *told)
    assert done.returncode == 0, done.stderr
    with restored(empty, home) as (parts, _):
        assert parts.signer.vkey == hall.signer.vkey
        assert tell(parts, len(hall.told.rows)) == hall.told
