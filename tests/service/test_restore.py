"""A backup comes back as it was, under the same root, on another version of the server; a changed one does not."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psycopg
import pytest

from domain import log
from projections import PROJECTIONS
from projections.histories import read_stream
from projections.merkle import root_of
from projections.runner import Entry, Runner
from projections.seals import Tree, restorations
from service import verifier
from service.backup import LOG_FILE, MANIFEST, TABLES, VAULT, BackupError, Manifest, take
from service.exports.log import opened_log
from service.restore import Restored, carry, checked, restore
from service.sealer import seal
from service.signing import Checkpoint, Signer
from tests.service.backups import (
    DAYS,
    FORM,
    KEY,
    PAIRS,
    Hall,
    both_servers,
    build,
    counted,
    new_database,
    restored,
    rewritten,
    signed_anew,
    tell,
)
from tests.service.old_hall import FILE
from tests.service.web.house import PASSWORD

pytestmark = pytest.mark.postgres
VERIFIER: Final = Path(verifier.__file__)
NOTHING: Final = dict.fromkeys(("events", "accounts.accounts", "claims", "checkpoints", "vault.keys", "requests"), 0)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Both versions of the server, where this machine has them."""
    with both_servers() as found:
        yield found


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"{pair[0]} to {pair[1]}")
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """From which server to which."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def hall(servers: dict[str, str], way: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A hall that was backed up on the first server."""
    with new_database(servers[way[0]]) as dsn:
        yield build(dsn, tmp_path_factory.mktemp("hall"))


@pytest.fixture
def empty(servers: dict[str, str], way: tuple[str, str]) -> Iterator[str]:
    """An empty installation on the other server."""
    with new_database(servers[way[1]]) as dsn:
        yield dsn


@pytest.fixture
def copy(hall: Hall, tmp_path: Path) -> Path:
    """A copy of the backup, to be changed."""
    return Path(shutil.copytree(hall.folder, tmp_path / "copy"))


def bring_back(dsn: str, folder: Path, home: Path, keys_from: Path | None = None) -> Restored:
    """Check a backup and bring it back."""
    return restore(dsn, checked(folder, keys_from=keys_from), home=home, backup_days=DAYS)


def refused(dsn: str, folder: Path, home: Path, why: str, **options: object) -> None:
    """Say that a backup does not come back, and leaves nothing behind."""
    with pytest.raises(BackupError, match=why):
        restore(dsn, checked(folder, **options), home=home, backup_days=DAYS)  # type: ignore[arg-type]
    assert counted(dsn).items() >= NOTHING.items()


def test_everything_comes_back_as_it_was(hall: Hall, empty: str) -> None:
    """Each row to the byte, the root, every history, and every text and file that the keys open."""
    done = bring_back(empty, hall.folder, hall.home)
    size = len(hall.told.rows)
    assert (done.size, done.root, done.epoch, done.erased) == (size, hall.told.root, 2, 0)
    with restored(empty, hall.home) as (parts, _):
        assert parts.recorder.log_id == hall.told.rows[0][-1]
        assert tell(parts, size) == hall.told
        files = [getattr(entry.event, "sha256", None) for entry in stream(parts.dsn, hall.lasting.id)]
        (digest,) = [one for one in files if one is not None]
        assert parts.vault.open_file("attachment", digest) == FILE
        assert parts.signer.vkey == hall.signer.vkey


def stream(dsn: str, of: UUID) -> list[Entry]:
    """Read a stream."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return read_stream(connection, of)


def test_the_hall_works_on(hall: Hall, empty: str) -> None:
    """Log-ins and tokens work, a form sent again is answered as before, and the next complaint has the next number."""
    bring_back(empty, hall.folder, hall.home)
    carry(empty)
    with restored(empty, hall.home) as (parts, client):
        position = parts.recorder.max_notification_id()
        assert client.post("/api/v1/session", json={"login": "su.he", "password": PASSWORD}).status_code == 200
        headers = {"Authorization": f"Bearer {hall.token}"}
        client.cookies.clear()
        path = f"/api/v1/complaints/{hall.lasting.id}/open"
        values = client.post(path, json={"fields": ["phone"]}, headers=headers)
        assert [one["text"] for one in values.json()["values"]] == ["13700001111"]
        again = client.post("/api/v1/complaints", json=FORM, headers={"Idempotency-Key": KEY})
        assert again.json() == hall.receipt
        assert parts.recorder.max_notification_id() == (position or 0) + 1  # that somebody opened a text
        other = client.post("/api/v1/complaints", json={**FORM, "narrative": "别的"}, headers={"Idempotency-Key": KEY})
        assert (other.status_code, other.json()["code"]) == (409, "key-reused")
        fresh = client.post("/api/v1/complaints", json=FORM, headers={"Idempotency-Key": f"{KEY}-and-another"})
        assert fresh.status_code == 201, fresh.text
        before, after = (one["complaint_no"].split("-") for one in (hall.receipt, fresh.json()))
        assert after[:-2] != before[:-2] or int(after[-2]) == int(before[-2]) + 1


def test_a_new_epoch_begins(hall: Hall, empty: str) -> None:
    """It stands in the log, the next checkpoint says so, and the old ones are kept."""
    done = bring_back(empty, hall.folder, hall.home / "elsewhere")
    (entry,) = stream(empty, log.STREAM)
    taken = Manifest.opened(hall.folder / MANIFEST, "backup").taken
    event = entry.event
    assert isinstance(event, log.Restored)
    assert (event.kept, event.epoch, event.taken_at) == (done.size, 2, taken)
    with restored(empty, hall.home) as (parts, _), psycopg.connect(empty, autocommit=True) as connection:
        carry(empty)
        signed = seal(connection, parts.signer, hall.home / "elsewhere")
        assert signed is not None
        assert (signed.checkpoint.size, signed.checkpoint.epoch) == (done.size + 1, 2)
        assert [restorations(connection, size) for size in (done.size, done.size + 1)] == [{}, {2: done.size}]
        found = connection.execute("select size, root, epoch from checkpoints order by size").fetchall()
        assert found[-2:] == [(done.size, done.root, 1), (done.size + 1, Tree(connection).root(), 2)]


def test_the_place_outside_remembers_epochs_too(hall: Hall, empty: str, tmp_path: Path) -> None:
    """On a new machine nobody else does; two epochs of one number would be two histories in one folder there."""
    (tmp_path / str(hall.told.rows[0][-1]) / "epoch-4-after-20").mkdir(parents=True)
    backup = checked(hall.folder)
    done = restore(empty, backup, home=hall.home / "new", backup_days=DAYS, outside=tmp_path)
    assert done.epoch == 5


def test_whoever_holds_a_later_checkpoint_is_told(hall: Hall, empty: str, tmp_path: Path) -> None:
    """By the verifier, with Python alone: what was sealed after the backup is gone, and since when."""
    size = bring_back(empty, hall.earlier, hall.home).size
    # The later backup ends with a checkpoint of the time that was given up.
    with opened_log(hall.folder / LOG_FILE) as (_, rows):
        held = [one for one in rows if isinstance(one, str)][-1]
    (tmp_path / "held").write_text(held, encoding="utf-8")
    shutil.copy(hall.home / "master.key", tmp_path)
    with restored(empty, tmp_path) as (parts, _):
        take(parts, tmp_path / "after")
    told = subprocess.run(
        [sys.executable, "-I", VERIFIER, tmp_path / "after" / LOG_FILE, "--checkpoint", tmp_path / "held"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1
    assert f"the log was taken back to position {size} (epoch 2" in told.stdout
    assert f"events {size + 1}..{len(hall.told.rows)}" in told.stdout


def test_two_returns_to_one_backup_are_two_epochs(
    hall: Hall, empty: str, servers: dict[str, str], way: tuple[str, str], tmp_path: Path
) -> None:
    """The backup knows of neither; the home remembers what was signed after the first."""
    home = tmp_path / "home"
    shutil.copytree(hall.home, home)
    assert bring_back(empty, hall.folder, home).epoch == 2
    carry(empty)
    with restored(empty, home) as (parts, _), psycopg.connect(empty, autocommit=True) as connection:
        seal(connection, parts.signer, home)
    with new_database(servers[way[1]]) as once_more:
        assert bring_back(once_more, hall.folder, home).epoch == 3
        carry(once_more)
        with restored(once_more, home) as (parts, _), psycopg.connect(once_more, autocommit=True) as connection:
            signed = seal(connection, parts.signer, home)
            assert signed is not None
            assert signed.checkpoint.epoch == 3


def test_a_checkpoint_kept_elsewhere_is_held_against_it(hall: Hall, empty: str) -> None:
    """It has to fit where it is of this time; where it is of a later epoch, the new one is later still."""

    def note(size: int, root: bytes, number: int, signer: Signer = hall.signer) -> str:
        now = datetime(2026, 2, 3, tzinfo=UTC)
        return signer.sign(Checkpoint(origin=signer.name, size=size, root=root, epoch=number, signed_at=now).text())

    fitting = root_of([row[8] for row in hall.told.rows[:10]])
    other = note(10, fitting, 1, Signer(uuid4(), bytes(32)))
    refused(empty, hall.folder, hall.home, "none of this log", held=[other])
    refused(empty, hall.folder, hall.home, "over 10 events has another root", held=[note(10, bytes(32), 1)])
    both = [note(10, fitting, 1), note(10, bytes(32), 1)]
    refused(empty, hall.folder, hall.home, "over 10 events has another root", held=both)
    held = (note(10, fitting, 1), note(10**6, bytes(32), 1), note(10, bytes(32), 7))
    assert restore(empty, checked(hall.folder, held=held), home=hall.home, backup_days=DAYS).epoch == 8


def test_what_was_erased_stays_erased(hall: Hall, empty: str) -> None:
    """Keys from before the erasure beside a log that tells of it: they are destroyed, and every mark with them."""
    living = "select count(*) from vault.keys where key_id = any(%s) and wrapped is not null"
    backup = checked(hall.folder, keys_from=hall.earlier / VAULT)
    done = restore(empty, backup, home=hall.home, backup_days=DAYS)
    assert done.erased >= len(hall.keys) > 0
    with psycopg.connect(empty, autocommit=True) as connection:
        assert connection.execute(living, (list(hall.keys),)).fetchone() == (0,)
        for query in (
            "select count(*) from vault.query_codes where case_id = %s",
            "select count(*) from vault.sketches where case_id = %s",
            "select count(box) from vault.attachments join vault.keys using (key_id) where owner = %s",
        ):
            assert connection.execute(query.encode(), (hall.erased.id,)).fetchone() == (0,)
    with restored(empty, hall.home) as (parts, _):
        assert tell(parts, done.size) == hall.told


def test_the_keys_of_before_hold_what_was_erased_since(hall: Hall, empty: str) -> None:
    """Or the test above would show nothing: with the log of before, they open."""
    bring_back(empty, hall.earlier, hall.home)
    with restored(empty, hall.home) as (parts, _):
        assert stream(parts.dsn, hall.erased.id)
        living = "select count(*) from vault.keys where key_id = any(%s) and wrapped is not null"
        with parts.pool.connection() as connection:
            assert connection.execute(living, (list(hall.keys),)).fetchone() == (len(hall.keys),)


def test_a_key_that_had_no_owner_gets_none(hall: Hall, empty: str) -> None:
    """After the backup it may have got one, in the time that is gone."""
    bring_back(empty, hall.folder, hall.home)
    with psycopg.connect(empty, autocommit=True) as connection:
        nobodys = (
            "select count(*), bool_and(imported and reserved_by is null) from vault.keys where assigned_at is null"
        )
        found = connection.execute(nobodys).fetchone()
    assert found is not None
    assert found[0] > 0
    assert found[1] is True


def test_the_log_comes_back_without_keys(hall: Hall, empty: str, copy: Path) -> None:
    """When they were thrown away in time; asked for by name, so that nobody forgets them."""
    shutil.rmtree(copy / VAULT)
    refused(empty, copy, hall.home, "There are no keys")
    done = restore(empty, checked(copy, without_keys=True), home=hall.home, backup_days=DAYS)
    assert (done.root, done.masters) == (hall.told.root, frozenset())
    assert counted(empty)["vault.keys"] == 0


FILES: Final = (
    MANIFEST,
    "README.txt",
    LOG_FILE,
    *(f"{TABLES}/{name}.copy.gz" for name in ("log", "claims", "checkpoints", "vault.attachments")),
    *(f"{TABLES}/{name}.copy.gz" for name in ("accounts.accounts", "accounts.tokens")),
    *(f"{VAULT}/{name}" for name in (MANIFEST, "README.txt", "requests.copy.gz")),
    *(
        f"{VAULT}/vault.{name}.copy.gz"
        for name in ("keys", "secrets", "exports", "subjects", "query_codes", "sketches")
    ),
)


def test_every_file_of_a_backup_is_tried_below(hall: Hall) -> None:
    """A new table is a new file."""
    found = {str(file.relative_to(hall.folder)) for file in hall.folder.rglob("*") if file.is_file()}
    assert found == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_noticed(hall: Hall, empty: str, copy: Path, name: str) -> None:
    """In any file, at its beginning, in its middle and at its end; the database stays empty."""
    whole = (copy / name).read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 1):
        (copy / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        refused(empty, copy, hall.home, "Use another copy|another key|not one of a backup")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(hall: Hall, empty: str, copy: Path, name: str) -> None:
    """Whichever it is."""
    (copy / name).unlink()
    refused(empty, copy, hall.home, "cannot be read|There is no|There are no keys")


def test_files_of_another_backup_are_noticed(hall: Hall, empty: str, copy: Path) -> None:
    """The manifest of an earlier backup of the same log does not fit, nor do its tables."""
    shutil.copy(hall.earlier / MANIFEST, copy / MANIFEST)
    refused(empty, copy, hall.home, "was changed after the backup was made")


def test_the_parts_of_another_log_are_noticed(hall: Hall, empty: str, copy: Path) -> None:
    """Its manifest, its keys, each signed by its own key."""
    other = Signer(uuid4(), bytes(range(32)))
    signed_anew(copy, other, lambda one: replace(one, log_id=UUID(other.name.removeprefix("bihuan/"))))
    refused(empty, hall.folder, hall.home, "those of another log", keys_from=copy / VAULT)
    refused(empty, copy, hall.home, "belong to different logs")
    refused(empty, copy, hall.home, "signed with another key", key=hall.signer.vkey)


def test_one_manifest_does_not_stand_for_the_other(hall: Hall, empty: str, copy: Path) -> None:
    """Each says what it is of; nor does it pass with other line ends."""
    text = (copy / MANIFEST).read_bytes()
    shutil.copy(copy / VAULT / MANIFEST, copy / MANIFEST)
    refused(empty, copy, hall.home, "not one of a backup")
    (copy / MANIFEST).write_bytes(text.replace(b"\n", b"\r\n"))
    refused(empty, copy, hall.home, "was changed after it was signed")


@pytest.mark.parametrize("rows", [b"", b"kind\tkey\tstream_id\nno number\n", b"kind\tother\nx\ty\n", b"\xff\n"])
def test_a_table_that_is_none_is_noticed(hall: Hall, empty: str, copy: Path, rows: bytes) -> None:
    """Even where its hash was signed; the error quotes nothing of it."""
    (copy / TABLES / "claims.copy.gz").write_bytes(gzip.compress(rows))
    signed_anew(copy, hall.signer)
    refused(empty, copy, hall.home, "claims.copy.gz does not hold a table")
    (copy / TABLES / "claims.copy.gz").write_bytes(rows)
    signed_anew(copy, hall.signer)
    refused(empty, copy, hall.home, "claims.copy.gz does not hold a table")


@pytest.mark.parametrize("what", ["state", "row", "last row", "checkpoint", "last line", "position"])
def test_a_log_that_does_not_give_its_root_is_noticed(hall: Hall, empty: str, copy: Path, what: str) -> None:
    """Even where somebody with the signing key made every hash of a file fit again."""

    def change(lines: list[bytes]) -> list[bytes]:
        if what == "state":
            return [*lines[:5], lines[5].replace(b'\\"at\\":\\"20', b'\\"at\\":\\"19', 1), *lines[6:]]
        if what == "row":
            return [*lines[:7], *lines[8:]]
        if what == "last row":
            return [*lines[:-2], lines[-1]]
        if what == "checkpoint":
            return [*lines[:9], lines[-1], *lines[9:]]
        if what == "last line":
            return lines[:-1]
        return [*lines[:3], lines[4], lines[3], *lines[5:]]

    rewritten(copy / LOG_FILE, change)
    signed_anew(copy, hall.signer)
    refused(empty, copy, hall.home, "Use another copy")


def test_a_log_of_the_beginning_is_not_the_whole(hall: Hall, empty: str, copy: Path) -> None:
    """The log of the earlier backup, whole in itself, under the manifest of the later one."""
    shutil.copy(hall.earlier / LOG_FILE, copy / LOG_FILE)
    signed_anew(copy, hall.signer)
    refused(empty, copy, hall.home, "does not give the root")


@pytest.mark.parametrize(("by", "why"), [(1, "a newer version"), (-1, "an older version")])
def test_a_backup_of_another_schema_is_refused(hall: Hall, empty: str, copy: Path, by: int, why: str) -> None:
    """Before anything is loaded; the version to use is named."""
    signed_anew(copy, hall.signer, lambda one: replace(one, schema=one.schema + by, program="9.9"))
    refused(empty, copy, hall.home, f"{why} of the program, 9.9")


def test_a_backup_of_tomorrow_is_refused(hall: Hall, empty: str, copy: Path) -> None:
    """The clock is wrong, and the log's time never goes back."""
    signed_anew(copy, hall.signer, lambda one: replace(one, taken=one.taken + timedelta(days=1)))
    refused(empty, copy, hall.home, "clock of the database is behind")


def test_what_is_there_is_not_touched(hall: Hall, empty: str) -> None:
    """A log that holds events, or a house that has accounts, takes no backup."""
    bring_back(empty, hall.earlier, hall.home)
    before = counted(empty)
    with pytest.raises(BackupError, match="holds events already"):
        bring_back(empty, hall.folder, hall.home)
    assert counted(empty) == before


def test_a_house_with_accounts_takes_no_backup(hall: Hall, empty: str) -> None:
    """Though its log is empty."""
    with restored(empty, hall.home / "other") as (parts, _):
        parts.accounts.add("somebody", "某人", password=PASSWORD)
    with pytest.raises(BackupError, match="holds accounts already"):
        bring_back(empty, hall.folder, hall.home)
    assert counted(empty)["accounts.accounts"] == 1


def test_what_an_idle_start_left_makes_room(hall: Hall, empty: str, tmp_path: Path) -> None:
    """Secrets and keys that nothing is sealed under are replaced by those of the backup."""
    with restored(empty, tmp_path / "idle") as (parts, _):
        assert parts.signer.vkey != hall.signer.vkey
    bring_back(empty, hall.folder, hall.home)
    with restored(empty, hall.home) as (parts, _):
        assert tell(parts, len(hall.told.rows)) == hall.told


def test_nothing_is_brought_back_under_a_running_server(hall: Hall, empty: str) -> None:
    """It would go on under the id of another log."""
    with psycopg.connect(empty, autocommit=True) as connection:
        Runner(connection, PROJECTIONS).take()
        refused(empty, hall.folder, hall.home, "A server runs on this database")
    assert bring_back(empty, hall.folder, hall.home).epoch == 2
