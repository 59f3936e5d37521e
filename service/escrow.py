"""Carrying the keys out of the house and back, and changing the master key: `bihuan keys export|import|rotate`."""

from __future__ import annotations

import base64
import json
import os
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from service.keys import Vault
from service.postgres_home import sync_folder
from service.reserve import durably

FORMAT: Final = "bihuan-keys-1"
SHORTEST: Final = 12
"""The fewest characters of a passphrase."""

_COST: Final = 2**17  # scrypt with 128 MiB and about half a second: guessing a passphrase stays dear
_HIGHEST_COST: Final = 2**20
_BLOCK: Final = 8
_CHUNK: Final = 1000

_SECRETS: Final = "select name, master_id, wrapped from vault.secrets order by name"
_ROWS: Final = """
    select key_id, master_id, wrapped, retention, owner_kind, owner, main, created_at, assigned_at, destroyed_at
    from vault.keys order by created_at, key_id"""

# A key whose owner got another main key meanwhile opens, but seals nothing new. A key that had no owner yet may have
# got one after the export, so it never goes to another.
_RESTORE: Final = """
    insert into vault.keys (
        key_id, master_id, wrapped, retention, owner_kind, owner, main, created_at, assigned_at, imported
    )
    select r.key_id, r.master_id, r.wrapped, r.retention, r.owner_kind, r.owner,
        r.main and not exists (
            select from vault.keys k
            where k.main and k.destroyed_at is null
                and k.owner = r.owner and k.owner_kind = r.owner_kind and k.retention = r.retention
        ),
        r.created_at, r.assigned_at, true
    from (values (
        %s::uuid, %s::text, %s::bytea, %s::text, %s::text, %s::uuid, %s::boolean, %s::timestamptz, %s::timestamptz
    )) as r (key_id, master_id, wrapped, retention, owner_kind, owner, main, created_at, assigned_at)
    on conflict (key_id) do nothing"""

# The mark of a destroyed key comes back too: an older backup of the table must not bring the key to life.
_RESTORE_MARK: Final = """
    insert into vault.keys (
        key_id, master_id, retention, owner_kind, owner, main, created_at, assigned_at, destroyed_at, imported
    )
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, true)
    on conflict (key_id) do update
    set wrapped = null, destroyed_at = excluded.destroyed_at, reserved_by = null, reserved_at = null
    where keys.destroyed_at is null"""

_RESTORE_NAMED: Final = (
    "insert into vault.secrets (name, master_id, wrapped) values (%s, %s, %s) on conflict do nothing"
)

_ALONE: Final = "select pg_advisory_lock(hashtext('bihuan.rotate'))"
_NOT_ALONE: Final = "select pg_advisory_unlock(hashtext('bihuan.rotate'))"

_OLD_KEYS: Final = """
    select key_id, master_id, wrapped from vault.keys where master_id <> %s and wrapped is not null
    order by key_id limit %s for update"""
_REWRAP_KEYS: Final = """
    update vault.keys set master_id = new.master_id, wrapped = new.wrapped
    from unnest(%s::uuid[], %s::text[], %s::bytea[]) as new (id, master_id, wrapped) where key_id = new.id"""
_OLD_NAMED: Final = """
    select name, master_id, wrapped from vault.secrets where master_id <> %s order by name limit %s for update"""
_REWRAP_NAMED: Final = """
    update vault.secrets set master_id = new.master_id, wrapped = new.wrapped
    from unnest(%s::text[], %s::text[], %s::bytea[]) as new (id, master_id, wrapped) where name = new.id"""


class EscrowError(Exception):
    """The keys cannot be carried out or back. The text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What went into a file."""

    masters: int
    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file brought back: master keys, keys, keys found destroyed in the file, and secrets."""

    exported_at: datetime
    masters: int
    keys: int
    destroyed: int
    secrets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The id of the new master key and how many keys and secrets were wrapped anew."""

    master_id: str
    rewrapped: int


def export(vault: Vault, path: Path, passphrase: str) -> Exported:
    """Write the master keys, encrypted under a passphrase, and the table of wrapped keys into one JSON file.

    The file is complete or not there. Raises EscrowError for a short passphrase.
    """
    if len(passphrase) < SHORTEST:
        raise EscrowError(f"The passphrase is too short. Give at least {SHORTEST} characters, several words are best.")
    masters = vault.master.material()
    with durably(vault.pool) as connection:
        connection.execute("set transaction isolation level repeatable read")
        head = {
            "format": FORMAT,
            "log_id": str(vault.log_id),
            "exported_at": datetime.now(UTC).isoformat(),
            "secrets": [[name, ident, _text(wrapped)] for name, ident, wrapped in connection.execute(_SECRETS)],
        }
        with _whole_file(path) as write:
            count, digest = 0, sha256(_line(head))
            write(b'{"head": ' + _line(head) + b',\n"keys": [')
            for row in _rows(connection):
                line = _line(row)
                digest.update(line)
                write((b",\n" if count else b"\n") + line)
                count += 1
            locked = _locked({ident: _text(key) for ident, key in masters.items()}, digest.digest(), passphrase)
            write(b'],\n"masters": ' + _line(locked) + b"}\n")
        connection.execute(
            "insert into vault.exports (master_ids, keys) values (%s, %s)", ([*masters, vault.master.ident], count)
        )
    return Exported(masters=len(masters), keys=count)


def import_(vault: Vault, path: Path, passphrase: str, *, destroyed: Collection[UUID] = ()) -> Imported:
    """Bring back master keys, and the keys and secrets that are missing here; again changes nothing.

    A destroyed key never comes back: not one that is marked here, nor one that is marked in the file, nor one in
    `destroyed`, the ids that the log's erasures name. Raises EscrowError for a wrong passphrase or another file.
    """
    head, rows, masters = _unlocked(path, passphrase)
    if head["log_id"] != str(vault.log_id):
        raise EscrowError("These are the keys of another log. Use the export of this one.")
    # First the masters: a key without its master is of no use, a master without keys does no harm.
    adopted = vault.master.adopt(masters)
    gone = {str(key_id) for key_id in destroyed}
    living, marks = [], []
    for key_id, master_id, wrapped, *owned, destroyed_at in rows:
        if destroyed_at is not None or key_id in gone:
            marks.append((key_id, master_id, *owned, destroyed_at or head["exported_at"]))
        else:
            living.append((key_id, master_id, _bytes(wrapped), *owned))
    vault.destroy(destroyed)
    with durably(vault.pool) as connection:
        return Imported(
            exported_at=datetime.fromisoformat(head["exported_at"]),
            masters=adopted,
            destroyed=_executed(connection, _RESTORE_MARK, marks),
            keys=_executed(connection, _RESTORE, living),
            secrets=_executed(connection, _RESTORE_NAMED, [(n, i, _bytes(w)) for n, i, w in head["secrets"]]),
        )


def rotate(vault: Vault) -> Rotated:
    """Make a new master key and wrap every key and secret anew; an interrupted one is finished by the next call.

    The old master key stays beside the new one for what backups hold. Keys are wrapped anew in small transactions, so
    that registering never waits; at every moment each key opens under the master key that its row names.
    Raises MasterUnavailable, Damaged.
    """
    count = 0
    with vault.pool.connection() as connection:
        connection.execute(_ALONE)
        try:
            new = vault.master.renew()
            for find, store in ((_OLD_KEYS, _REWRAP_KEYS), (_OLD_NAMED, _REWRAP_NAMED)):
                while moved := _rewrap(vault, connection, find, store, new):
                    count += moved
            vault.master.settle()
        finally:
            connection.execute(_NOT_ALONE)
    return Rotated(master_id=new, rewrapped=count)


def never_exported(vault: Vault) -> bool:
    """Say whether the master key in use has never been carried out of the house: reason for a warning at the start."""
    with vault.pool.connection() as connection:
        found = connection.execute(
            "select from vault.exports where %s = any(master_ids) limit 1", (vault.master.ident,)
        ).fetchone()
    return found is None


def _rewrap(vault: Vault, connection: Connection[Any], find: str, store: str, new: str) -> int:
    with connection.transaction():
        connection.execute("set local synchronous_commit to on")
        rows = connection.execute(find, (new, _CHUNK)).fetchall()
        wrapped = [vault.master.wrap(vault.master.unwrap(master_id, box)) for _, master_id, box in rows]
        connection.execute(store, ([row[0] for row in rows], [i for i, _ in wrapped], [w for _, w in wrapped]))
    return len(rows)


def _executed(connection: Connection[Any], statement: str, rows: list[tuple[Any, ...]]) -> int:
    """Execute a statement for each row; gives how many rows it changed."""
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return cursor.rowcount


def _rows(connection: Connection[Any]) -> Iterator[list[Any]]:
    """Read the key table, as JSON values."""
    with connection.cursor("keys") as cursor:
        cursor.itersize = 10 * _CHUNK
        for key_id, master_id, wrapped, retention, owner_kind, owner, main, *times in cursor.execute(_ROWS):
            yield [
                str(key_id),
                master_id,
                None if wrapped is None else _text(wrapped),
                retention,
                owner_kind,
                None if owner is None else str(owner),
                main,
                *(None if time is None else time.isoformat() for time in times),
            ]


@contextmanager
def _whole_file(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Write a file that appears complete, durable and readable by its owner alone, or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)


def _locked(masters: dict[str, str], digest: bytes, passphrase: str) -> dict[str, Any]:
    """Encrypt the master keys, together with the digest of everything else in the file, under the passphrase."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    inner = _line({"masters": masters, "digest": digest.hex()})
    box = AESGCM(_stretched(passphrase, salt, _COST)).encrypt(nonce, inner, FORMAT.encode())
    return {
        "kdf": "scrypt",
        "n": _COST,
        "r": _BLOCK,
        "p": 1,
        "salt": _text(salt),
        "nonce": _text(nonce),
        "box": _text(box),
    }


def _unlocked(path: Path, passphrase: str) -> tuple[dict[str, Any], list[list[Any]], dict[str, bytes]]:
    """Read an export: its head, its rows and the master keys, each proved to be what was written."""
    try:
        data = json.loads(path.read_bytes())
        head, rows, locked = data["head"], data["keys"], data["masters"]
        if head["format"] != FORMAT or locked["kdf"] != "scrypt" or not 1 < locked["n"] <= _HIGHEST_COST:
            raise EscrowError("This program cannot read that export. Use the version that wrote it, or a newer one.")
        key = _stretched(passphrase, _bytes(locked["salt"]), locked["n"])
        inner = json.loads(AESGCM(key).decrypt(_bytes(locked["nonce"]), _bytes(locked["box"]), FORMAT.encode()))
    except InvalidTag:
        raise EscrowError("The passphrase is wrong, or the file was changed. Try again, or use another copy.") from None
    except (ValueError, KeyError, TypeError):
        raise EscrowError("This is not an export of keys. Give the file that `bihuan keys export` wrote.") from None
    digest = sha256(_line(head))
    for row in rows:
        digest.update(_line(row))
    if digest.hexdigest() != inner["digest"]:
        raise EscrowError("The file was changed after it was written. Use another copy.")
    return head, rows, {ident: _bytes(text) for ident, text in inner["masters"].items()}


def _stretched(passphrase: str, salt: bytes, cost: int) -> bytes:
    # The same characters may be typed in several ways; the normal form makes them one passphrase.
    text = unicodedata.normalize("NFC", passphrase).encode()
    return scrypt(text, salt=salt, n=cost, r=_BLOCK, p=1, maxmem=129 * cost * _BLOCK + 2**20, dklen=32)


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
