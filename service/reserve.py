"""Keys made ahead: durable in the vault, unwrapped in a process, so that it can seal while the key service is away."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg_pool import ConnectionPool

from service.master import KEY_BYTES, MasterKey, MasterKeyError, MasterUnavailable
from service.sealing import HeldKey, NoKeys

_HELD_SECONDS: Final = 12 * 3600  # half of what _TAKE_OVER leaves to others, so that clocks may differ

# Skips rows that another process is just taking; one that had reserved them and died leaves them to others after a day.
_TAKE_OVER: Final = """
    update vault.keys set reserved_by = %s, reserved_at = clock_timestamp()
    where key_id in (
        select key_id from vault.keys
        where assigned_at is null and destroyed_at is null and not imported
            and (reserved_by is null or reserved_at < clock_timestamp() - interval '24 hours')
        order by created_at limit %s for update skip locked
    )
    returning key_id, master_id, wrapped"""

_MAKE: Final = """
    insert into vault.keys (key_id, master_id, wrapped, reserved_by, reserved_at)
    select key_id, master_id, wrapped, %s, clock_timestamp()
    from unnest(%s::uuid[], %s::text[], %s::bytea[]) as made (key_id, master_id, wrapped)"""

_LEAVE: Final = """
    update vault.keys set reserved_by = null, reserved_at = null
    where reserved_by = %s and assigned_at is null and destroyed_at is null"""


class Reserve:
    """The keys that this process holds ahead; `vault.assign` refuses a key that it does not hold (any more)."""

    def __init__(self, pool: ConnectionPool, master: MasterKey, batch: int) -> None:
        self.process: Final[UUID] = uuid4()
        self._pool = pool
        self._master = master
        self._batch = batch
        self._held: deque[HeldKey] = deque()
        self._refilling = threading.Lock()

    def low(self) -> bool:
        """Say whether less than half of a batch is left."""
        return len(self._held) * 2 < self._batch

    def refill(self) -> int:
        """Hold a full batch of keys, durable before they can be used; gives how many came. Raises MasterUnavailable.

        Keys that another process left behind are taken up first.
        """
        with self._refilling:
            now = time.time()
            self._drop_old(now)
            wanted = self._batch - len(self._held)
            if wanted <= 0:
                return 0
            with durably(self._pool) as connection:
                found = list(self._taken_over(connection, wanted, now))
                made = [HeldKey(uuid4(), secrets.token_bytes(KEY_BYTES), now) for _ in range(wanted - len(found))]
                wrapped = [self._master.wrap(key.plain) for key in made]
                connection.execute(
                    _MAKE,
                    (self.process, [key.key_id for key in made], [i for i, _ in wrapped], [w for _, w in wrapped]),
                )
            self._held.extend(found + made)
            return wanted

    def take(self) -> HeldKey:
        """Take a key. Raises NoKeys."""
        while True:
            try:
                key = self._held.popleft()
            except IndexError:
                self._refill_at_last()
            else:
                if key.taken_at > time.time() - _HELD_SECONDS:
                    return key

    def give_back(self, keys: Iterable[HeldKey]) -> None:
        """Put keys back which no transaction has seen."""
        self._held.extendleft(keys)

    def abandon(self) -> None:
        """Forget the keys held: another process may have taken them up."""
        self._held.clear()

    def close(self) -> None:
        """Leave the unused keys to other processes."""
        self.abandon()
        with self._pool.connection() as connection:
            connection.execute(_LEAVE, (self.process,))

    def _refill_at_last(self) -> None:
        try:
            self.refill()
        except MasterUnavailable:
            raise NoKeys from None

    def _drop_old(self, now: float) -> None:
        while self._held and self._held[0].taken_at <= now - _HELD_SECONDS:
            self._held.popleft()

    def _taken_over(self, connection: Connection[Any], number: int, now: float) -> Iterator[HeldKey]:
        for key_id, master_id, wrapped in connection.execute(_TAKE_OVER, (self.process, number)):
            try:
                yield HeldKey(key_id, self._master.unwrap(master_id, wrapped), now)
            except MasterKeyError:
                continue  # left behind under a master key that is gone: new ones are made instead


@contextmanager
def durably(pool: ConnectionPool) -> Iterator[Connection[Any]]:
    """Give a transaction that is on disk (and on a synchronous standby) when it ends, whatever the default is."""
    with pool.connection() as connection, connection.transaction():
        connection.execute("set local synchronous_commit to on")
        yield connection
