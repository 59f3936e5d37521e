"""A hall whose processes share a database and a vault, with clocks that a test moves."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal

import argon2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql
from psycopg_pool import ConnectionPool

from domain.errors import Refused
from service.accounts import (
    AccountRules,
    Accounts,
)

LOGIN, NAME, PASSWORD, ADDRESS = "li.na", "李娜·𬭎", "harbour plum seventeen", "198.51.100.77"
OTHER = "203.0.113.5"
NEW = "kettle of quiet rivers"
POST = "hall/desk-2"


@dataclass(frozen=True)
class Box:
    """A sealer with one key, as the vault is one with many."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def seal_account(self, kind: str, text: str) -> bytes:
        """Seal under the kind."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.key).encrypt(nonce, text.encode(), kind.encode())

    def open_account(self, kind: str, box: bytes) -> str:
        """Open what was sealed under the kind."""
        return AESGCM(self.key).decrypt(box[:12], box[12:], kind.encode()).decode()

    def secret(self, name: str) -> bytes:
        """Give the same secret for the same name."""
        return sha256(self.key + name.encode()).digest()


class Hasher(argon2.PasswordHasher):
    """argon2id that counts its work, and lets something happen while it works."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.verified = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        """Verify, after what happens meanwhile."""
        self.verified += 1
        happening, self.meanwhile = self.meanwhile, lambda: None
        happening()
        return super().verify(hash, password)


@dataclass
class Watch:
    """A clock that a test moves, in seconds."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Give the seconds."""
        return self.now


@dataclass
class House:
    """Processes that share a database and a vault."""

    pool: ConnectionPool
    box: Box = field(default_factory=Box)
    hasher: Hasher = field(default_factory=Hasher)
    watch: Watch = field(default_factory=Watch)

    def process(self, rules: AccountRules | None = None, *, hasher: Hasher | None = None) -> Accounts:
        """Give what one more process has."""
        return Accounts(self.pool, self.box, hasher=hasher or self.hasher, rules=rules, clock=self.watch)

    def age(self, table: str, column: str, span: timedelta) -> None:
        """Let time pass for a column: the database clock cannot be turned, so what it stored moves back."""
        query = sql.SQL("UPDATE accounts.{} SET {} = {} - %s").format(
            sql.Identifier(table), sql.Identifier(column), sql.Identifier(column)
        )
        with self.pool.connection() as connection:
            connection.execute(query, [span])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.pool.connection() as connection:
            return connection.execute(query.encode()).fetchall()

    @contextmanager
    def meanwhile(self, action: Callable[[], object]) -> Iterator[None]:
        """Let something happen while the next password is being verified; fail if none was."""
        self.hasher.meanwhile = action
        yield
        assert self.hasher.meanwhile is not action


def refusal_of(action: Callable[[], object]) -> Refused:
    """Give how something is refused."""
    with pytest.raises(Refused) as caught:
        action()
    return caught.value
