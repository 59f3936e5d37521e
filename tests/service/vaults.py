"""Vaults for tests: processes that share a database and a master key, key services that go away, and sudden deaths."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID

from psycopg_pool import ConnectionPool

from service.keys import Vault
from service.master import LocalMaster, MasterKey, MasterUnavailable
from service.sealing import ASSIGN_SQL, Sealer

P = ParamSpec("P")
R = TypeVar("R")


class Killed(BaseException):
    """The process is gone."""


class Death:
    """Comes at a given step, counted over all calls it stands around: before a call is one step, after it another."""

    def __init__(self, step: int) -> None:
        self._left = step

    @property
    def came(self) -> bool:
        """Whether the step was reached."""
        return self._left <= 0

    def around(self, function: Callable[P, R]) -> Callable[P, R]:
        """Give the function with a step before and after it."""

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            self._step()
            result = function(*args, **kwargs)
            self._step()
            return result

        return call

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


class KeyService:
    """A master key behind a line that can be cut; counts how often it unwraps."""

    def __init__(self, inner: MasterKey) -> None:
        self.inner = inner
        self.away = False
        self.unwrapped = 0

    @property
    def ident(self) -> str:
        """The id of the current master key."""
        return self.inner.ident

    def wrap(self, key: bytes) -> tuple[str, bytes]:
        """Wrap, if the line is up."""
        self._ask()
        return self.inner.wrap(key)

    def unwrap(self, master_id: str, wrapped: bytes) -> bytes:
        """Unwrap, if the line is up."""
        self._ask()
        self.unwrapped += 1
        return self.inner.unwrap(master_id, wrapped)

    def renew(self) -> str:
        """Make a new master key, if the line is up."""
        self._ask()
        return self.inner.renew()

    def settle(self) -> None:
        """Finish a rotation, if the line is up."""
        self._ask()
        self.inner.settle()

    def material(self) -> Mapping[str, bytes]:
        """Give no key away."""
        return {}

    def adopt(self, material: Mapping[str, bytes]) -> int:
        """Take no key in."""
        return len(material) * 0

    def _ask(self) -> None:
        if self.away:
            raise MasterUnavailable("The key service does not answer.")


def open_vault(pool: ConnectionPool, log_id: UUID, home: Path, *, batch: int = 10) -> Vault:
    """A process's vault with the master key of a home folder."""
    return Vault(pool, LocalMaster(home, {}), log_id, batch=batch)


def commit(pool: ConnectionPool, *sealers: Sealer) -> None:
    """Do what an append does with the keys of its values."""
    with pool.connection() as connection, connection.transaction():
        for sealer in sealers:
            connection.execute(ASSIGN_SQL, sealer.assignment())


def until_somebody_waits(pool: ConnectionPool) -> None:
    """Return when a transaction of this database waits for another's lock; fail after a minute."""
    deadline = time.monotonic() + 60
    with pool.connection() as connection:
        while time.monotonic() < deadline:
            (waiting,) = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            ).fetchone() or (0,)
            if waiting:
                return
    raise AssertionError("nobody waited")
