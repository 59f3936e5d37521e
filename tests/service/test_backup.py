"""A backup is one moment of a running hall, whole or not there, and its keys can be thrown away by themselves."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from domain.complaint import Registered
from projections import PROJECTIONS
from projections.codec import decode
from projections.seals import LeafAltered
from service.adoption import adopt_first
from service.asking import Asked
from service.backup import (
    ERASABLE,
    KEPT,
    LEFT_OUT,
    LOG_FILE,
    MANIFEST,
    OF_KEYS,
    UNFINISHED,
    VAULT,
    WHOLE,
    BackupError,
    Manifest,
    prune,
    take,
)
from service.exports.log import ExportError, cut, sealed_now, snapshot
from service.forms.intake import RegisterForm
from service.parts import Parts, open_parts
from service.restore import checked, restore
from service.sealer import WentBack
from service.settings import Settings
from tests.service.fresh import fresh_database
from tests.service.watching import asking, until

pytestmark = pytest.mark.postgres
DAYS: Final = 35


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A house with rules and without cases."""
    with open_parts(Settings(home=tmp_path / "home"), database) as found:
        adopt_first(found.book)
        yield found


def complain(parts: Parts) -> str:
    """Register a complaint; give its number."""
    asked = Asked(command_id=uuid4(), source="test", name="register", mac=b"mac")
    form = RegisterForm(hall="GXQ", narrative="窗口无人。", phone="13700001111")
    return parts.desk.register(form, None, asked).complaint_no


def test_every_table_is_in_a_backup_or_left_out_by_name(database: str) -> None:
    """A new table is put into one of the three lists, or nobody would miss it until it is needed."""
    found = asking(
        database,
        "select case table_schema when 'public' then '' else table_schema || '.' end || table_name"
        " from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')",
    )
    carried = {name for (name,) in found if any(name.startswith(f"{one.name}_") for one in PROJECTIONS)}
    assert {name for (name,) in found} - carried == {*KEPT, *ERASABLE, *LEFT_OUT}


def test_no_table_counts_by_itself(database: str) -> None:
    """Sequences and identities would go on from another number after a return."""
    assert asking(database, "select sequence_name from information_schema.sequences") == []


def test_only_the_owner_reads_a_backup(parts: Parts, tmp_path: Path) -> None:
    """Wrapped keys and log-ins are in it."""
    take(parts, tmp_path / "new" / "backup")
    for path in ((tmp_path / "new" / "backup"), *(tmp_path / "new" / "backup").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_with_something_in_it_is_not_written_to(parts: Parts, tmp_path: Path) -> None:
    """Nor a file; an empty folder is as good as a new one."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for taken in ("full", "file"):
        with pytest.raises(BackupError, match="is not empty"):
            take(parts, tmp_path / taken)
    assert take(parts, tmp_path / "empty").manifest.size == parts.recorder.max_notification_id()
    with pytest.raises(BackupError, match="is not empty"):
        take(parts, tmp_path / "empty")


def test_two_backups_do_not_write_to_one_folder(parts: Parts, tmp_path: Path) -> None:
    """The second is sent away while the first is at work."""
    with psycopg.connect(parts.dsn) as connection:
        connection.execute("lock table claims in access exclusive mode")
        first = Thread(target=take, args=(parts, tmp_path / "backup"))
        first.start()
        until((tmp_path / f"backup{UNFINISHED}" / LOG_FILE).exists, "the first is at work")
        with pytest.raises(BackupError, match="Another backup writes"):
            take(parts, tmp_path / "backup")
    first.join()
    assert checked(tmp_path / "backup").manifest.size > 0


def test_an_error_leaves_no_folder(parts: Parts, tmp_path: Path) -> None:
    """Not even the unfinished one, which would hold keys."""
    with parts.pool.connection() as connection:
        connection.execute("alter table vault.sketches rename to sketched")
    with pytest.raises(psycopg.Error):
        take(parts, tmp_path / "backup")
    assert list(tmp_path.glob("backup*")) == []


def test_a_log_that_was_altered_is_not_backed_up(parts: Parts, tmp_path: Path) -> None:
    """A backup that could not be brought back is none; the position is named."""
    complain(parts)
    sealed_now(parts)
    with parts.pool.connection() as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("update events set recorded_at = recorded_at + interval '1 microsecond' where position = 2")
    with pytest.raises(LeafAltered, match=r"^2$"):
        take(parts, tmp_path / "backup")
    assert list(tmp_path.glob("backup*")) == []


def test_a_log_that_lost_its_end_is_not_backed_up(parts: Parts, tmp_path: Path) -> None:
    """What was signed before is not there any more."""
    complain(parts)
    sealed_now(parts)
    with parts.pool.connection() as connection:
        connection.execute("alter table events disable trigger all")
        connection.execute("alter table checkpoints disable trigger all")
        connection.execute("delete from events where position = (select max(position) from events)")
        connection.execute("delete from checkpoints")
        connection.execute("update projection_positions set position = 0 where name = 'seals'")
        connection.execute("delete from seals_1")
    with pytest.raises(WentBack):
        take(parts, tmp_path / "backup")


@pytest.mark.parametrize("server", ["embedded"], indirect=True)
def test_an_empty_log_comes_back_too(server: str, tmp_path: Path) -> None:
    """Nothing was kept, and from here on nothing is lost."""
    with fresh_database(server) as dsn, open_parts(Settings(home=tmp_path / "home"), dsn) as parts:
        assert take(parts, tmp_path / "backup").manifest.size == 0
    with fresh_database(server) as dsn:
        done = restore(dsn, checked(tmp_path / "backup"), home=tmp_path / "home", backup_days=DAYS)
        assert (done.size, done.epoch) == (0, 2)


def test_a_backup_of_a_busy_hall_is_one_moment(parts: Parts, server: str, tmp_path: Path) -> None:
    """Complaints come in while it is taken: it holds the first ones, with exactly their numbers and their requests."""
    enough = Event()

    def go_on() -> None:
        while not enough.is_set():
            complain(parts)

    writers = [Thread(target=go_on) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        until(lambda: len(asking(parts.dsn, "select from claims")) > 20, "complaints come in")
        with psycopg.connect(parts.dsn) as connection:
            # What is read last waits, and more comes in meanwhile.
            connection.execute("lock table vault.attachments in access exclusive mode")
            taking = Thread(target=take, args=(parts, tmp_path / "backup"))
            taking.start()
            until((tmp_path / f"backup{UNFINISHED}" / LOG_FILE).exists, "it is being taken")
            parts.accounts.add("late", "某人", password=None)
            had = len(asking(parts.dsn, "select from claims"))
            until(lambda: len(asking(parts.dsn, "select from claims")) > had + 5, "complaints come in meanwhile")
        taking.join()
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    backup = checked(tmp_path / "backup")
    size = backup.manifest.size
    assert 0 < size < (parts.recorder.max_notification_id() or 0)
    with fresh_database(server) as dsn:
        restore(dsn, backup, home=tmp_path / "home", backup_days=DAYS)
        events = asking(dsn, "select name, state, stream_id, command_id from events where position <= %s", size)
        registered = [
            (event.complaint_no, stream, command)
            for event, stream, command in ((decode(n, bytes(s))[0], stream, c) for n, s, stream, c in events)
            if isinstance(event, Registered)
        ]
        assert registered
        assert asking(dsn, "select from accounts.accounts") == [], "it came while the backup was at work"
        claims = asking(dsn, "select key, stream_id from claims order by key")
        assert claims == sorted((number, stream) for number, stream, _ in registered)
        assert {c for (c,) in asking(dsn, "select command_id from requests")} == {c for _, _, c in registered}
        with open_parts(Settings(home=tmp_path / "home"), dsn) as back:
            (following,) = {complain(back)} - {number for number, _, _ in registered}
            assert int(following.split("-")[-2]) == len(registered) + 1


def test_no_command_is_cut_in_half(parts: Parts) -> None:
    """A retry of one whose first event alone was kept would be answered as if all had happened."""
    complain(parts)  # two events: registered, acknowledged
    last = parts.recorder.max_notification_id() or 0
    with parts.pool.connection() as connection:
        assert [cut(connection, size) for size in (last - 2, last - 1, last)] == [False, True, False]


def test_a_log_that_is_always_cut_is_told(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than a wrong backup, none."""
    monkeypatch.setattr("service.exports.log.cut", lambda *_: True)
    with pytest.raises(ExportError, match="moves too fast"), snapshot(parts):
        pass


def manifests(folder: Path) -> tuple[Manifest, Manifest]:
    """Read both manifests of a backup."""
    return Manifest.opened(folder / MANIFEST, WHOLE), Manifest.opened(folder / VAULT / MANIFEST, OF_KEYS)


def test_keys_that_are_kept_too_long_are_thrown_away(parts: Parts, tmp_path: Path) -> None:
    """Those of other backups beside it, and of one that was killed; everything else stays, and can still be used."""
    old, new, other = (tmp_path / "backups" / name for name in ("old", "new", "other"))
    now = datetime.now(UTC)
    for folder, age in ((old, DAYS + 1), (new, DAYS - 1)):
        take(parts, folder)
        for below, manifest in zip((folder, folder / VAULT), manifests(folder), strict=True):
            aged = replace(manifest, taken=manifest.taken - timedelta(days=age))
            (below / MANIFEST).write_text(parts.signer.sign(aged.text()), encoding="utf-8")
    killed = tmp_path / "backups" / f"killed{UNFINISHED}" / VAULT
    for folder in (killed, other / VAULT):
        folder.mkdir(parents=True)
        (folder / "vault.keys.copy.gz").touch()
        past = time.time() - (DAYS + 2) * 86400
        os.utime(folder, (past, past))
    assert prune(tmp_path / "backups", DAYS, now) == [killed, old / VAULT]
    assert checked(old, without_keys=True).keys is None
    assert checked(new).keys is not None
    assert (other / VAULT).exists(), "whatever that is, it is none of ours"
    assert prune(tmp_path / "backups", DAYS, now) == []
