"""The key vault: seals values before a command is made, opens them for who may read, destroys keys for ever."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from domain.decider import Code
from domain.sealed import Sealed
from service.master import KEY_BYTES, MasterKey, MasterKeyError
from service.reserve import Reserve, durably
from service.sealing import (
    NONCE_BYTES,
    Destroyed,
    HeldKey,
    Missing,
    OwnerKind,
    Sealer,
    Tampered,
    associated,
    boxed,
    encoded,
    unboxed,
    unsealed,
)

ORDINARY: Final[Code] = "ordinary"
"""The retention class of a case that nobody classed otherwise."""

ACCOUNTS: Final = "accounts"
"""The secret under which names and log-ins of staff are sealed."""

_REMEMBERED_SECONDS: Final = 60.0

_MAIN: Final = """
    select owner_kind, key_id, master_id, wrapped from vault.keys
    where main and destroyed_at is null and retention = %s
        and (owner, owner_kind) in ((%s::uuid, 'case'), (%s::uuid, 'person'))"""

# Two parts, because each has its own partial index.
_OF_OWNER: Final = """
    select key_id from vault.keys
    where main and destroyed_at is null and owner = %(owner)s and owner_kind = %(kind)s
    union all
    select key_id from vault.keys
    where not main and destroyed_at is null and owner = %(owner)s and owner_kind = %(kind)s"""

# In one order for all, so that two erasures never wait crosswise.
_DESTROY: Final = """
    update vault.keys set wrapped = null, destroyed_at = clock_timestamp(), reserved_by = null, reserved_at = null
    where key_id in (
        select key_id from vault.keys where key_id = any(%s) and destroyed_at is null order by key_id for update
    )
    returning key_id"""

_FIND_NAMED: Final = "select master_id, wrapped from vault.secrets where name = %s"
_MAKE_NAMED: Final = (  # whoever comes second waits here for the first, then reads what the first has made
    "insert into vault.secrets (name, master_id, wrapped) values (%s, %s, %s) on conflict do nothing"
)


class Vault:
    """Seals, opens, destroys; one for each process, shared by its threads."""

    def __init__(
        self,
        pool: ConnectionPool,
        master: MasterKey,
        log_id: UUID,
        *,
        batch: int = 200,
        remembered: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Build it; nothing is read yet: call `refill` and ask for the secrets at the start.

        `batch` is how many keys are held ahead, `remembered` how many unwrapped keys are kept for a minute.
        """
        self.pool = pool
        self.master = master
        self.log_id = log_id
        self._reserve = Reserve(pool, master, batch)
        self._remembered = _Remembered(remembered, clock)
        self._secrets: dict[str, bytes] = {}

    def sealer(self, person: UUID | None, case: UUID, *, retention: Code = ORDINARY, new_case: bool = False) -> Sealer:
        """Give what seals the values of one command; `person` is the subject key of the one they are about.

        With `new_case` nobody looks for a key of the case, which saves a query where there is no person either.
        """
        return Sealer(self, person, case, retention, new_case=new_case)

    def open(self, kind: str, sealed: Sealed) -> str:
        """Open one value. Raises Destroyed, Tampered, Missing, MasterUnavailable."""
        (text,) = self.open_many([(kind, sealed)])
        if text is None:
            raise Destroyed
        return text

    def open_many(self, values: Iterable[tuple[str, Sealed]]) -> list[str | None]:
        """Open values, each given with its kind, with one query; None stands for an erased one.

        The database is asked every time whether a key was destroyed, so erasure holds in all processes at once.
        Raises Tampered, Missing, MasterUnavailable.
        """
        asked = list(values)
        keys = self._keys({sealed.key_id for _, sealed in asked})
        return [
            None if (key := keys[sealed.key_id]) is None else unsealed(self.log_id, key, kind, sealed)
            for kind, sealed in asked
        ]

    def open_file(self, kind: str, digest: str) -> bytes:
        """Open an attachment by the SHA-256 of its box, in hexadecimal, as the event has it. Raises as `open`."""
        with self.pool.connection() as connection:
            row = connection.execute(
                "select value_id, key_id, nonce, box from vault.attachments where digest = %s",
                (bytes.fromhex(digest),),
            ).fetchone()
        if row is None:
            raise Missing
        value_id, key_id, nonce, box = row
        key = self._keys({key_id})[key_id]
        if key is None:
            raise Destroyed
        if box is None or sha256(box).hexdigest() != digest:
            raise Tampered
        return unboxed(key, nonce, box, associated(self.log_id, key_id, value_id, kind))

    def keys_of(self, owner_kind: OwnerKind, owner: UUID) -> tuple[UUID, ...]:
        """Give all living keys of a person or a case, in every retention class: what an erasure must destroy."""
        with self.pool.connection() as connection:
            rows = connection.execute(_OF_OWNER, {"owner": owner, "kind": owner_kind}).fetchall()
        return tuple(row[0] for row in rows)

    def destroy(self, key_ids: Iterable[UUID]) -> tuple[UUID, ...]:
        """Destroy keys for ever, with the files sealed under them, durably; gives those that were still there.

        Erasing is complete only when the backups of the key table have aged out (architecture.md §5).
        """
        with durably(self.pool) as connection:
            return self.destroy_in(connection, key_ids)

    def destroy_in(self, connection: Connection[Any], key_ids: Iterable[UUID]) -> tuple[UUID, ...]:
        """Do what `destroy` does inside the caller's transaction, which has to be a durable one."""
        asked = list(key_ids)
        gone = tuple(row[0] for row in connection.execute(_DESTROY, (asked,)))
        connection.execute("update vault.attachments set box = null where key_id = any(%s)", (list(gone),))
        for key_id in asked:
            self._remembered.drop(key_id)
        return gone

    def secret(self, name: str) -> bytes:
        """Give the random secret of this name, 32 bytes, made once for all processes. Raises MasterUnavailable.

        It stays in memory: asked for at the start, it is there while the key service is away.
        """
        if name in self._secrets:
            return self._secrets[name]
        with durably(self.pool) as connection:
            row = connection.execute(_FIND_NAMED, (name,)).fetchone()
            if row is None:
                connection.execute(_MAKE_NAMED, (name, *self.master.wrap(secrets.token_bytes(KEY_BYTES))))
                row = connection.execute(_FIND_NAMED, (name,)).fetchone()
        if row is None:
            raise Missing
        return self._secrets.setdefault(name, self.master.unwrap(*row))

    def seal_account(self, kind: str, text: str) -> bytes:
        """Seal a text of an account, which lies outside the log and goes with its row. Raises Unsealable."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + boxed(self.secret(ACCOUNTS), nonce, encoded(text), self.log_id.bytes + kind.encode())

    def open_account(self, kind: str, box: bytes) -> str:
        """Open what `seal_account` made. Raises Tampered, MasterUnavailable."""
        nonce, rest = box[:NONCE_BYTES], box[NONCE_BYTES:]
        return unboxed(self.secret(ACCOUNTS), nonce, rest, self.log_id.bytes + kind.encode()).decode()

    @property
    def process(self) -> UUID:
        """The id under which this process reserves keys."""
        return self._reserve.process

    def low(self) -> bool:
        """Say whether less than half of the keys held ahead is left: time to `refill`."""
        return self._reserve.low()

    def refill(self) -> int:
        """Hold a full batch of keys ahead again; gives how many came. Raises MasterUnavailable."""
        return self._reserve.refill()

    def abandon(self) -> None:
        """Forget the keys held ahead, after STALE_KEY; the next sealer makes new ones."""
        self._reserve.abandon()

    def close(self) -> None:
        """Leave the unused keys to other processes."""
        self._reserve.close()

    def take(self) -> HeldKey:
        """Take a pre-made key. Raises NoKeys."""
        return self._reserve.take()

    def give_back(self, keys: Iterable[HeldKey]) -> None:
        """Put pre-made keys back which no transaction has seen."""
        self._reserve.give_back(keys)

    def main_keys(self, person: UUID | None, case: UUID | None, retention: Code) -> dict[OwnerKind, HeldKey]:
        """Give the keys that these owners have; one that cannot be unwrapped now is left out.

        Its owner then gets a second key: registering must not wait for the key service.
        """
        if person is None and case is None:
            return {}
        with self.pool.connection() as connection:
            rows = connection.execute(_MAIN, (retention, case, person)).fetchall()
        found: dict[OwnerKind, HeldKey] = {}
        for owner_kind, key_id, master_id, wrapped in rows:
            try:
                found[owner_kind] = HeldKey(key_id, self._unwrapped(key_id, master_id, wrapped))
            except MasterKeyError:
                continue
        return found

    def _keys(self, key_ids: set[UUID]) -> dict[UUID, bytes | None]:
        """Read keys with one query; None for a destroyed one."""
        if not key_ids:
            return {}
        with self.pool.connection() as connection:
            rows = connection.execute(
                "select key_id, master_id, wrapped from vault.keys where key_id = any(%s)", (list(key_ids),)
            ).fetchall()
        if len(rows) < len(key_ids):
            raise Missing
        found: dict[UUID, bytes | None] = {}
        for key_id, master_id, wrapped in rows:
            if wrapped is None:
                self._remembered.drop(key_id)
            found[key_id] = None if wrapped is None else self._unwrapped(key_id, master_id, wrapped)
        return found

    def _unwrapped(self, key_id: UUID, master_id: str, wrapped: bytes) -> bytes:
        key = self._remembered.get(key_id)
        if key is None:
            key = self.master.unwrap(master_id, wrapped)
            self._remembered.put(key_id, key)
        return key


class _Remembered:
    """Unwrapped keys: a bounded number, the longest unused leaves first, each for a short time."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._keys: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key_id: UUID) -> bytes | None:
        with self._lock:
            until, key = self._keys.get(key_id, (0.0, None))
            if key is None or until <= self._clock():
                self._keys.pop(key_id, None)
                return None
            self._keys.move_to_end(key_id)
            return key

    def put(self, key_id: UUID, key: bytes) -> None:
        with self._lock:
            self._keys[key_id] = (self._clock() + _REMEMBERED_SECONDS, key)
            self._keys.move_to_end(key_id)
            while len(self._keys) > self._most:
                self._keys.popitem(last=False)

    def drop(self, key_id: UUID) -> None:
        with self._lock:
            self._keys.pop(key_id, None)
