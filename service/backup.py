"""A backup: the log as anybody can check it, what stands beside it, and apart from both the keys that must age out.

    DIR/manifest.txt        a signed note: what was backed up when, under which root, and the hash of every file
    DIR/README.txt          what this is, for whoever finds it
    DIR/log.jsonl.gz        the export of the log (service/exports/log.py)
    DIR/tables/…            what stands beside the log, one table a file
    DIR/vault/manifest.txt  the same for the part below, so that it can be kept and thrown away by itself
    DIR/vault/…             keys and marks by which people are recognised: what an erasure destroys

A table is what PostgreSQL writes with COPY (text, with a line of column names), packed by gzip: any version reads it.
The text of a manifest is, line by line:

    bihuan/<log id>/backup          or …/backup-keys for the part with the keys
    key <verifying key>             the one this note is signed with
    taken <RFC 3339, UTC, whole seconds>
    size <events>
    root <base64 of the root over these events>
    epoch <number>
    schema <last step>
    program <version>
    <SHA-256 in hexadecimal>  <name>        one line for each file beside the manifest or below it, sorted by name
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from psycopg import sql

from service import __version__
from service.database import migrations
from service.exports.log import Head, Write, snapshot, write_log
from service.parts import Parts
from service.postgres_home import sync_folder
from service.sealer import Signed
from service.signing import BadNote, opened

MANIFEST: Final = "manifest.txt"
README: Final = "README.txt"
LOG_FILE: Final = "log.jsonl.gz"
TABLES: Final = "tables"
VAULT: Final = "vault"
ENDING: Final = ".copy.gz"
UNFINISHED: Final = ".partial"
WHOLE: Final = "backup"
OF_KEYS: Final = "backup-keys"
"""The two kinds of manifest."""

KEPT: Final = ("log", "claims", "checkpoints", "vault.attachments", "accounts.accounts", "accounts.tokens")
"""What stands beside the log and may be kept for ever: what is personal in it is sealed. In the order of loading."""
ERASABLE: Final = (
    "requests",
    "vault.keys",
    "vault.secrets",
    "vault.exports",
    "vault.subjects",
    "vault.query_codes",
    "vault.sketches",
)
"""What an erasure takes from: an erasure is complete when no backup of it is left."""
LEFT_OUT: Final = ("events", "schema_steps", "projection_positions", "accounts.sessions", "accounts.limits")
"""The log has its own form, projections fill again, and everybody logs in anew."""

# What came after the checkpoint is not in the log of this backup, so its traces stay out too.
_ONLY: Final = {
    "claims": " where stream_id not in (select stream_id from events where position > {size} and version = 1)",
    "requests": " where command_id not in (select command_id from events where position > {size})",
    "checkpoints": " where size <= {size}",
}

_TOLD: Final = """This is a backup of a complaint log of Bihuan, taken on {taken}: {size} events.

To check it, or to bring it back into an empty installation:

    bihuan restore DIR --check
    bihuan restore DIR

log.jsonl.gz can be checked by anybody, without us: python3 -I verifier.py log.jsonl.gz

What is personal in it is sealed, and opens only with the keys in vault/ and the master key, which is not here
(`bihuan keys export`). vault/ must not be kept for more than {days} days, or what was erased could come back:
delete that folder by then, or put it where such a time is kept. All else may be kept for ever.
"""
_TOLD_KEYS: Final = """The keys of a complaint log, wrapped, and marks by which people are recognised.

Delete this folder by {until}: until then what is erased could be brought back from here.
"""

Tell: TypeAlias = Callable[[str], object]


class BackupError(Exception):
    """A backup cannot be made or used. The text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a signed manifest says; `taken` is in UTC, `files` are hashes by name, `kind` is one of the two below."""

    kind: str
    log_id: UUID
    vkey: str
    taken: datetime
    size: int
    root: bytes
    epoch: int
    schema: int
    program: str
    files: dict[str, str]

    def text(self) -> str:
        """Write it as the head of this module says."""
        lines = (
            f"bihuan/{self.log_id}/{self.kind}",
            f"key {self.vkey}",
            f"taken {self.taken.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            f"size {self.size}",
            f"root {base64.b64encode(self.root).decode()}",
            f"epoch {self.epoch}",
            f"schema {self.schema}",
            f"program {self.program}",
            *(f"{digest}  {name}" for name, digest in sorted(self.files.items())),
        )
        return "\n".join(lines) + "\n"

    @classmethod
    def read(cls, text: str, kind: str) -> Manifest:
        """Read the text of a manifest of this kind; raises BackupError."""
        found = re.fullmatch(
            rf"bihuan/([0-9a-f-]{{36}})/{kind}\nkey (\S{{1,200}})\ntaken (\S{{20}})\nsize (\d{{1,18}})\n"
            r"root ([A-Za-z0-9+/]{43}=)\nepoch (\d{1,9})\nschema (\d{1,4})\nprogram (\S{1,64})\n"
            r"((?:[0-9a-f]{64}  [a-z_./A-Z]{1,100}\n)+)",
            text,
        )
        try:
            if found is None:
                raise BackupError("The manifest is not one of a backup. Use another copy.")
            log_id, vkey, taken, size, root, epoch, schema, program, files = found.groups()
            listed = [line.split("  ") for line in files.splitlines()]
            return cls(
                kind=kind,
                log_id=UUID(log_id),
                vkey=vkey,
                taken=datetime.strptime(taken, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
                size=int(size),
                root=base64.b64decode(root, validate=True),
                epoch=int(epoch),
                schema=int(schema),
                program=program,
                files={name: digest for digest, name in listed},
            )
        except ValueError:
            raise BackupError("The manifest tells no time, or no log. Use another copy.") from None

    @classmethod
    def opened(cls, path: Path, kind: str) -> Manifest:
        """Read a manifest that is signed by the key it names; raises BackupError."""
        try:
            note = path.read_bytes().decode()
            named = re.search(r"^key (\S+)$", note, re.MULTILINE)
            return cls.read(opened(note, [named[1] if named else ""]), kind)
        except FileNotFoundError:
            raise BackupError(f"There is no {path.name} in {path.parent}; give the folder of a whole backup.") from None
        except (OSError, UnicodeDecodeError):
            raise BackupError(f"{path} cannot be read. Use another copy.") from None
        except BadNote:
            raise BackupError(f"{path} was changed after it was signed. Use another copy.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A finished backup: what its manifest says, where it lies, and how many bytes it has."""

    manifest: Manifest
    folder: Path
    size: int


def take(parts: Parts, folder: Path) -> Taken:
    """Back everything up into a folder that is not there yet, or is empty; it appears whole, durable, or not at all.

    The server may run meanwhile. Raises BackupError, ExportError, LeafAltered, WentBack, OSError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty. Give a new folder for each backup.")
    with _partial(folder) as growing, snapshot(parts) as (connection, signed):
        manifest = _write(parts, connection, signed, growing)
        total = sum(file.stat().st_size for file in growing.rglob("*") if file.is_file())
        for below in (growing / TABLES, growing / VAULT, growing):
            sync_folder(below)
        growing.rename(folder)
        sync_folder(folder.parent)
    return Taken(manifest=manifest, folder=folder, size=total)


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Give the empty folder that becomes the backup; what a killed backup left in it goes first."""
    growing = folder.with_name(folder.name + UNFINISHED)
    growing.parent.mkdir(parents=True, exist_ok=True)
    growing.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(growing, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup writes to {folder} just now. Give another folder.") from None
        _empty(growing)
        for below in (TABLES, VAULT):
            (growing / below).mkdir(mode=0o700)
        try:
            yield growing
        except BaseException:
            shutil.rmtree(growing, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def _empty(folder: Path) -> None:
    for there in folder.iterdir():
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(there)
        else:
            there.unlink()


def _write(parts: Parts, connection: psycopg.Connection[Any], signed: Signed, folder: Path) -> Manifest:
    checkpoint = signed.checkpoint
    # As any server reads it, however this one is set.
    connection.execute("set local datestyle to 'ISO, YMD'")
    connection.execute("set local client_encoding to 'UTF8'")
    row = connection.execute("select date_trunc('second', transaction_timestamp())").fetchone()
    taken = checkpoint.signed_at if row is None else row[0]
    days = parts.settings.key_backup_days
    told = {"taken": f"{taken:%Y-%m-%d}", "size": checkpoint.size, "days": days}
    until = f"{taken + timedelta(days=days):%Y-%m-%d}"
    head = Head(parts.recorder.log_id, parts.signer.vkey)

    def manifest(kind: str, files: dict[str, str]) -> Manifest:
        return Manifest(
            kind=kind,
            log_id=head.log_id,
            vkey=head.vkey,
            taken=taken,
            size=checkpoint.size,
            root=checkpoint.root,
            epoch=checkpoint.epoch,
            schema=migrations()[-1].number,
            program=__version__,
            files=files,
        )

    keys = manifest(
        OF_KEYS,
        {
            README: _text(folder / VAULT / README, _TOLD_KEYS.format(until=until)),
            **_tables(connection, ERASABLE, checkpoint.size, folder / VAULT),
        },
    )
    whole = manifest(
        WHOLE,
        {
            README: _text(folder / README, _TOLD.format(**told)),
            LOG_FILE: _packed(folder / LOG_FILE, lambda write: write_log(connection, write, head, signed)),
            **{
                f"{TABLES}/{name}": digest
                for name, digest in _tables(connection, KEPT, checkpoint.size, folder / TABLES).items()
            },
        },
    )
    _text(folder / VAULT / MANIFEST, parts.signer.sign(keys.text()))
    _text(folder / MANIFEST, parts.signer.sign(whole.text()))
    return whole


def _tables(connection: psycopg.Connection[Any], names: Sequence[str], size: int, folder: Path) -> dict[str, str]:
    """Write tables, one a file; gives the hash of each file by its name."""
    return {
        f"{name}{ENDING}": _packed(folder / f"{name}{ENDING}", partial(_copy, connection, name, size)) for name in names
    }


def _copy(connection: psycopg.Connection[Any], table: str, size: int, write: Write) -> None:
    only = sql.SQL(_ONLY.get(table, "")).format(size=sql.Literal(size))
    query = sql.SQL("copy (select * from {}{}) to stdout (header)").format(sql.Identifier(*table.split(".")), only)
    with connection.cursor().copy(query) as rows:
        for data in rows:
            write(bytes(data))


class _Hashing:
    """A file that knows the hash of what was written to it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write, and take it into the hash."""
        self.digest.update(data)
        self._write(data)
        return len(data)


def _packed(path: Path, fill: Callable[[Write], None]) -> str:
    """Write a packed file, durably; gives its hash."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        hashing = _Hashing(file.write)
        # What is sealed hardly packs, and what is not packs well at any level.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=hashing, mtime=0) as packing:  # type: ignore[call-overload]
            fill(packing.write)
        file.flush()
        os.fsync(file.fileno())
    return hashing.digest.hexdigest()


def _text(path: Path, text: str) -> str:
    data = text.encode()
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def prune(parent: Path, days: int, now: datetime) -> list[Path]:
    """Throw the keys away that lie in backups below a folder for more than so many natural days; give which.

    What a killed backup left counts from when it was written. All else of the backups stays.
    """
    gone = []
    for vault in sorted(parent.glob(f"*/{VAULT}")):
        try:
            taken = Manifest.opened(vault / MANIFEST, OF_KEYS).taken
        except BackupError:
            if not vault.parent.name.endswith(UNFINISHED):
                continue  # whatever that is, it is none of ours
            taken = datetime.fromtimestamp(vault.stat().st_mtime, UTC)
        if taken + timedelta(days=days) < now:
            shutil.rmtree(vault)
            gone.append(vault)
    return gone
