"""The master key, which wraps all other keys and lies outside the database folder."""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from service.postgres_home import sync_folder

VARIABLE: Final = "BIHUAN_MASTER_KEY"
FILE_NAME: Final = "master.key"
KEY_BYTES: Final = 32
_FORMAT: Final = "bihuan-master-1"


class MasterKeyError(Exception):
    """The master key cannot be used. The text says what to do; it never holds a key."""


class MasterUnavailable(MasterKeyError):
    """The key service does not answer, or a master key that is needed is not here."""


class Damaged(MasterKeyError):
    """A wrapped key does not open under the master key it names."""


class MasterKey(Protocol):
    """What wraps keys: a file or an environment variable (LocalMaster), or a key service (KMS).

    `renew`, `settle`, `material` and `adopt` serve rotation and export. A key service that rotates by itself and gives
    no key away does nothing in them, and answers with its present id and an empty mapping.
    """

    @property
    def ident(self) -> str:
        """The id of the master key that wraps new keys."""
        ...

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """Wrap a key under the current master key; gives the master's id and the wrapped key.

        Raises MasterUnavailable.
        """
        ...

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        """Unwrap a key. Raises MasterUnavailable, Damaged."""
        ...

    def renew(self) -> str:
        """Make a new master key current and keep the old ones; again before `settle`: the same one. Gives its id."""
        ...

    def settle(self) -> None:
        """Note that every key is wrapped under the current master key."""
        ...

    def material(self) -> Mapping[str, bytes]:
        """Give the master keys by id, for an export that is encrypted at once."""
        ...

    def adopt(self, material: Mapping[str, bytes]) -> int:
        """Keep further master keys, to unwrap with; the current one stays. Gives how many were new."""
        ...


def ident_of(key: bytes) -> str:
    """Give the id of a master key: a check value that tells nothing about the key (256 random bits)."""
    return sha256(b"bihuan-master-1" + key).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Ring:
    """The master keys by id, the id of the current one, and whether a rotation is not finished."""

    current: str | None = None
    rotating: bool = False
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def with_keys(self, further: Mapping[str, bytes]) -> _Ring:
        return replace(self, keys={**further, **self.keys})


class LocalMaster:
    """Master keys from the environment, else from a file that is made when it is missing.

    `BIHUAN_MASTER_KEY` holds 32 bytes in base64; to rotate, the operator puts a new one before the old, with a comma
    between. The file `<home>/master.key` (mode 0600, JSON) holds the current key and the retired ones, so that whatever
    was wrapped before a rotation, or before an interrupted one, still opens. A file beside the variable is read too.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        """Read the keys, and make the file where there is neither variable nor file.

        Raises MasterKeyError when the variable or the file is malformed, or others can read the file.
        """
        self._path = home / FILE_NAME
        self._given = _from_variable((os.environ if environ is None else environ).get(VARIABLE, ""))
        self._ring = _Ring()
        self._stamp: tuple[int, int, int] | None = None
        self._read()
        if not self._given and self._ring.current is None:
            self._first()

    @property
    def ident(self) -> str:
        """The id of the master key that wraps new keys."""
        return self._current()[0]

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """Wrap a key (AES key wrap, RFC 3394); gives the master's id and the wrapped key."""
        self._read()
        ident, master = self._current()
        return ident, aes_key_wrap(master, key)

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        """Unwrap a key. Raises MasterUnavailable, Damaged."""
        master = self.material().get(master_id)
        if master is None:
            self._read()  # another process may have rotated or imported
            master = self.material().get(master_id)
        if master is None:
            raise MasterUnavailable(
                f"Master key {master_id} is not here. Bring back {FILE_NAME} or {VARIABLE}, or run: bihuan keys import"
            )
        try:
            return aes_key_unwrap(master, wrapped)
        except (InvalidUnwrap, ValueError):
            raise Damaged("A wrapped key is damaged. Restore it with: bihuan keys import") from None

    def renew(self) -> str:
        """Make a new master key current and keep the old ones; again before `settle`: the same one. Gives its id.

        With the variable set, the first key of the variable is the new one.
        """
        if self._given:
            return self.ident
        with self._alone():
            if not self._ring.rotating:
                key = secrets.token_bytes(KEY_BYTES)
                ident = ident_of(key)
                # One rename makes the new key durable and current and keeps the old: there is no state in between.
                self._write(replace(self._ring.with_keys({ident: key}), current=ident, rotating=True))
        return self.ident

    def settle(self) -> None:
        """Note that every key is wrapped under the current master key."""
        with self._alone():
            if self._ring.rotating:
                self._write(replace(self._ring, rotating=False))

    def material(self) -> Mapping[str, bytes]:
        """Give the master keys by id, for an export that is encrypted at once."""
        return {**self._ring.keys, **self._given}

    def adopt(self, material: Mapping[str, bytes]) -> int:
        """Keep further master keys, to unwrap with; the current one stays. Gives how many were new."""
        with self._alone():
            further = {ident: key for ident, key in material.items() if ident not in self.material()}
            if any(len(key) != KEY_BYTES or ident_of(key) != ident for ident, key in further.items()):
                raise MasterKeyError("A master key does not match its id. Use another export file.")
            if further:
                self._write(self._ring.with_keys(further))
            return len(further)

    def _current(self) -> tuple[str, bytes]:
        if self._given:
            return next(iter(self._given.items()))
        if self._ring.current is None:
            raise MasterUnavailable(f"There is no current master key. Bring back {FILE_NAME} or set {VARIABLE}.")
        return self._ring.current, self._ring.keys[self._ring.current]

    def _first(self) -> None:
        with self._alone():
            if self._ring.current is None:
                key = secrets.token_bytes(KEY_BYTES)
                self._write(replace(self._ring.with_keys({ident_of(key): key}), current=ident_of(key)))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the file against other processes, with its newest content read."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read()
            yield
        finally:
            os.close(lock)

    def _read(self) -> None:
        """Read the file again if it has changed."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return  # what was read before stays good
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        if stamp == self._stamp:
            return
        if found.st_mode & 0o077:
            raise MasterKeyError(f"Others can read the master key. Run: chmod 600 {self._path}")
        ring = _parsed(self._path.read_bytes())
        if ring is None:
            raise MasterKeyError(
                f"{self._path} is damaged. Put it aside and restore it from a copy, or run: bihuan keys import"
            )
        self._ring = ring
        self._stamp = stamp

    def _write(self, ring: _Ring) -> None:
        """Replace the file durably; whatever crashes, the old or the new content is there, whole."""
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(_spelled(ring))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_folder(self._path.parent)
        self._stamp = None
        self._read()


def _from_variable(text: str) -> dict[str, bytes]:
    keys = {}
    for word in re.split(r"[\s,]+", text.strip()) if text.strip() else ():
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/") + "=" * (-len(word) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise MasterKeyError(
                f"{VARIABLE} must be {KEY_BYTES} bytes in base64. Make one with: openssl rand -base64 32"
            )
        keys[ident_of(key)] = key
    return keys


def _parsed(content: bytes) -> _Ring | None:
    """Read the file's content; None for a damaged one, because the error of the parser would carry the keys."""
    try:
        data: dict[str, Any] = json.loads(content)
        keys = {str(ident): base64.b64decode(key, validate=True) for ident, key in data["keys"].items()}
        ring = _Ring(current=data["current"], rotating=bool(data["rotating"]), keys=keys)
        sound = data["format"] == _FORMAT and ring.current in {None, *keys}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return ring if sound and all(ident_of(key) == ident for ident, key in keys.items()) else None


def _spelled(ring: _Ring) -> bytes:
    keys = {ident: base64.b64encode(key).decode() for ident, key in ring.keys.items()}
    data = {"format": _FORMAT, "current": ring.current, "rotating": ring.rotating, "keys": keys}
    return json.dumps(data, indent=1).encode()
