"""Brings a backup back into an empty database: all of it or nothing, with the same root, in a new epoch."""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from projections import PROJECTIONS
from projections.docket import DOCKET
from projections.leaf import COLUMNS, Leaf
from projections.merkle import Frontier
from projections.runner import Runner
from service.backup import (
    ENDING,
    ERASABLE,
    KEPT,
    LOG_FILE,
    MANIFEST,
    OF_KEYS,
    README,
    TABLES,
    VAULT,
    WHOLE,
    BackupError,
    Manifest,
    Tell,
)
from service.casebook import Casebook
from service.database import check_schema, migrations
from service.epochs import record_new_epoch, seen
from service.eventstore import Log, Recorder
from service.exports.log import ExportError, opened_log
from service.keys import Vault
from service.master import MasterKey
from service.privacy import Erasing
from service.signing import BadNote, Checkpoint, opened

_PIECE: Final = 2**20
_UNFIT: Final = (psycopg.DataError, psycopg.ProgrammingError, psycopg.IntegrityError)
_COPY_EVENTS: Final = """
copy events (position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash)
from stdin (format binary)"""
_TYPES: Final = ("int8", "uuid", "int4", "text", "timestamptz", "uuid", "int2", "bytea", "bytea")
_ALIVE: Final = """
select 'events' from events union all select 'accounts' from accounts.accounts
union all select 'checkpoints' from checkpoints limit 1"""
# A server that starts meanwhile waits here, and then reads the id of the log that was brought back.
_ALONE: Final = "lock table log, events, vault.secrets, accounts.accounts in access exclusive mode"
# A key that had no owner yet may have got one after the backup, so it never goes to another.
_NOBODYS: Final = """
update vault.keys set imported = true, reserved_by = null, reserved_at = null
where assigned_at is null and destroyed_at is null"""
_MASTERS: Final = "select master_id from vault.keys where wrapped is not null union select master_id from vault.secrets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup whose files are as they were signed; `keys` is None where it is brought back without them.

    `held` are checkpoints of this log that somebody kept elsewhere.
    """

    folder: Path
    manifest: Manifest
    vault: Path
    keys: Manifest | None
    held: tuple[Checkpoint, ...] = ()

    @property
    def known(self) -> int:
        """The highest epoch that the backup or whoever holds checkpoints knows of."""
        return max(self.manifest.epoch, *(one.epoch for one in self.held), 1)

    @property
    def files(self) -> Iterator[tuple[str, Path]]:
        """Give the tables in the order of loading, each with its file."""
        for table in KEPT:
            yield table, self.folder / TABLES / f"{table}{ENDING}"
        for table in ERASABLE if self.keys else ():
            yield table, self.vault / f"{table}{ENDING}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back: how many events under which root, the epoch that began, when the backup was taken (UTC).

    `erased` are keys that the backup held although the log calls them erased; `masters` are the ids of the master keys
    that wrap the others.
    """

    size: int
    root: bytes
    epoch: int
    taken: datetime
    erased: int
    masters: frozenset[str]


def checked(
    folder: Path,
    *,
    key: str | None = None,
    keys_from: Path | None = None,
    without_keys: bool = False,
    held: Sequence[str] = (),
) -> Backup:
    """Check every file of a backup against its signed manifest; nothing is written anywhere.

    `key` is the verifying key it must be signed with: without it, a backup that was made up as a whole fits itself.
    `keys_from` is a folder with the keys of another backup of the same log; `held` are notes of checkpoints from
    elsewhere. Raises BackupError.
    """
    manifest = Manifest.opened(folder / MANIFEST, WHOLE)
    if key is not None and key.strip() != manifest.vkey:
        raise BackupError(f"The backup is signed with another key than the one given: {manifest.vkey}")
    _fits_the_program(manifest)
    _as_signed(folder, manifest, {README, LOG_FILE, *(f"{TABLES}/{name}{ENDING}" for name in KEPT)})
    vault = keys_from or folder / VAULT
    found = Backup(folder=folder, manifest=manifest, vault=vault, keys=None, held=_held(held, manifest))
    if without_keys:
        return found
    if not (vault / MANIFEST).exists():
        raise BackupError(
            f"There are no keys in {vault}: they are not kept as long as the rest. Give the {VAULT} folder of a later"
            " backup with --keys-from, or bring them from an export: --without-keys, then bihuan keys import FILE."
        )
    keys = Manifest.opened(vault / MANIFEST, OF_KEYS)
    if (keys.log_id, keys.vkey) != (manifest.log_id, manifest.vkey):
        raise BackupError(f"The keys in {vault} are those of another log. Give the ones of this log.")
    _fits_the_program(keys)
    _as_signed(vault, keys, {README, *(f"{name}{ENDING}" for name in ERASABLE)})
    return replace(found, keys=keys)


def _held(notes: Sequence[str], manifest: Manifest) -> tuple[Checkpoint, ...]:
    try:
        return tuple(Checkpoint.read(opened(note, [manifest.vkey])) for note in notes)
    except BadNote as error:
        raise BackupError(f"What was given as a checkpoint is none of this log. {error}") from None


def _fits_the_program(manifest: Manifest) -> None:
    ours = migrations()[-1].number
    if manifest.schema != ours:
        what = "a newer" if manifest.schema > ours else "an older"
        raise BackupError(
            f"The backup was made by {what} version of the program, {manifest.program}. Bring it back with that version"
            + (", then upgrade." if manifest.schema < ours else ".")
        )


def _as_signed(folder: Path, manifest: Manifest, names: set[str]) -> None:
    if set(manifest.files) != names:
        raise BackupError(f"The manifest of {folder} does not list what a backup holds. Use another copy.")
    for name, digest in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BackupError(f"{folder / name} cannot be read ({error.strerror}). Use another copy.") from None
        if found != digest:
            raise BackupError(f"{folder / name} was changed after the backup was made. Use another copy.")


def restore(
    dsn: str,
    backup: Backup,
    *,
    home: Path,
    backup_days: int,
    outside: Path | None = None,
    tell: Tell = lambda _: None,
) -> Restored:
    """Load a checked backup into a database with our schema and nothing in it, in one transaction.

    Afterwards the log has the root that was signed, what it calls erased is destroyed, and a new epoch has begun.
    `home`, and the place `outside` to which checkpoints are added, remember the epochs of earlier returns.
    Raises BackupError, SchemaMissing, SchemaNewer.
    """
    manifest = backup.manifest
    known = max(backup.known, seen(home, manifest.vkey, manifest.log_id, outside))
    with psycopg.connect(dsn, autocommit=True, client_encoding="UTF8") as connection:
        check_schema(connection)
        runner = Runner(connection, PROJECTIONS)
        if len(runner.take()) < len(PROJECTIONS):
            raise BackupError("A server runs on this database. Stop it, then bring the backup back.")
        with connection.transaction():
            connection.execute("set local synchronous_commit to on")
            _empty(connection, manifest.taken)
            for table, file in backup.files:
                _load(connection, table, file)
            tell(f"loading {manifest.size} events …")
            _load_log(connection, backup)
            connection.execute(_NOBODYS)
            pool = cast("ConnectionPool", _Within(connection))
            erased = _erase(connection, pool, backup, backup_days)
            recorder = Recorder(pool, manifest.log_id)
            told = record_new_epoch(
                Casebook(Log(recorder), recorder),
                manifest.size,
                manifest.taken,
                known=known,
            )
            masters = frozenset(row[0] for row in connection.execute(_MASTERS))
            # An append commits without a flush, for the sake of other writers; here is none.
            connection.execute("set local synchronous_commit to on")
        runner.release()
        connection.execute("analyze")
    return Restored(
        size=manifest.size,
        root=manifest.root,
        epoch=told.epoch,
        taken=manifest.taken,
        erased=erased,
        masters=masters,
    )


def carry(dsn: str, progress: Callable[[int], None] = lambda _: None) -> None:
    """Fill what people read from the log; a server that starts would do it as well, and goes on if this is cut off."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        runner.catch_up(progress)
        runner.release()


def _empty(connection: psycopg.Connection[Any], taken: datetime) -> None:
    """See to it that nothing is there which could be lost, and take away what an idle start has left."""
    connection.execute(_ALONE)
    (now,) = connection.execute("select clock_timestamp()").fetchone() or (taken,)
    if now < taken:
        raise BackupError("The clock of the database is behind the time of the backup. Set it, then try again.")
    if found := connection.execute(_ALIVE).fetchone():
        raise BackupError(
            f"The database holds {found[0]} already, and they are not touched. Bring the backup back into a new one:"
            " another DATABASE_URL, or another BIHUAN_HOME."
        )
    for table in (*KEPT, *ERASABLE):
        if table != "checkpoints":  # never emptied, and empty
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier(*table.split("."))))


def _load(connection: psycopg.Connection[Any], table: str, file: Path) -> None:
    with _reading(file) as rows:
        columns = [sql.Identifier(name.decode()) for name in rows.readline().rstrip(b"\n").split(b"\t")]
        query = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(columns)
        )
        with connection.cursor().copy(query) as copy:
            while piece := rows.read(_PIECE):
                copy.write(piece)


@contextmanager
def _reading(file: Path) -> Iterator[gzip.GzipFile]:
    try:
        with gzip.open(file) as rows:
            yield rows
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, *_UNFIT) as error:
        raise BackupError(f"{file} does not hold a table ({type(error).__name__}). Use another copy.") from None


def _load_log(connection: psycopg.Connection[Any], backup: Backup) -> None:
    """Load the events, each with its hash computed anew."""
    if connection.execute("select log_id from log").fetchone() != (backup.manifest.log_id,):
        raise BackupError("The files of the backup belong to different logs. Use another copy.")
    try:
        with connection.cursor().copy(_COPY_EVENTS) as copy:
            copy.set_types(_TYPES)
            for leaf, digest in proved(backup):
                copy.write_row((*(getattr(leaf, name) for name in COLUMNS), digest))
    except _UNFIT as error:
        # Its own text would quote a row.
        raise BackupError(f"The log of the backup is damaged ({type(error).__name__}). Use another copy.") from None


def proved(backup: Backup) -> Iterator[tuple[Leaf, bytes]]:
    """Give the rows of the log, dense and each with its hash, and see that they give every root that was signed.

    Raises BackupError at the first place where they do not, at the end at the latest: only then is it proved.
    """
    manifest, frontier, last = backup.manifest, Frontier(), ""
    held: dict[int, list[Checkpoint]] = {}
    for one in backup.held:
        if one.epoch <= manifest.epoch and one.size <= manifest.size:
            held.setdefault(one.size, []).append(one)
    try:
        with opened_log(backup.folder / LOG_FILE) as (head, rows):
            _same((head.log_id, head.vkey), (manifest.log_id, manifest.vkey), "It belongs to another log.")
            for read in rows:
                if isinstance(read, str):
                    last = read
                    _fits(Checkpoint.read(opened(read, [manifest.vkey])), frontier)
                    continue
                last = ""
                digest = read.digest()
                frontier.append(digest)
                _same(read.position, frontier.size, "A position is missing.")
                for one in held.get(frontier.size, ()):
                    _fits(one, frontier)
                yield read, digest
    except (ExportError, BadNote) as error:
        raise BackupError(f"The log of the backup is damaged. {error} Use another copy.") from None
    except struct.error:
        raise BackupError("The log of the backup holds a number that is none. Use another copy.") from None
    if not last or (frontier.size, frontier.root()) != (manifest.size, manifest.root):
        raise BackupError("The log of the backup does not give the root that was signed. Use another copy.")


def _fits(checkpoint: Checkpoint, frontier: Frontier) -> None:
    why = f"The checkpoint over {checkpoint.size} events has another root."
    _same((checkpoint.size, checkpoint.root), (frontier.size, frontier.root()), why)


def _same(found: object, wanted: object, why: str) -> None:
    if found != wanted:
        raise BadNote(why)


class _Within:
    """Gives one connection, and with it its transaction, to whoever asks for one of a pool."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Give the connection."""
        yield self._connection


def _erase(connection: psycopg.Connection[Any], pool: ConnectionPool, backup: Backup, days: int) -> int:
    """Destroy again what the log calls erased, because the keys may be older; gives how many had come back."""
    if connection.execute("select from events where name like 'privacy.erased.%' limit 1").fetchone() is None:
        return 0
    # Whose cases there are besides is asked of the docket.
    runner = Runner(connection, (DOCKET,))
    runner.take()
    runner.catch_up()
    recorder = Recorder(pool, backup.manifest.log_id)
    # Destroying needs no master key, and on a new machine there may be none yet.
    vault = Vault(pool, cast("MasterKey", None), backup.manifest.log_id)
    return Erasing(Casebook(Log(recorder), recorder), vault, days).enforce()
