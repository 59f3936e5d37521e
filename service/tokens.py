"""Tokens of machines: each acts for one person in one post, until a day, and can be revoked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from domain.decider import Code, PersonKey
from service.sessions import digest

PREFIX: Final = "bh_"
"""With it, a token that was pasted somewhere is found by a search."""

_REMEMBERED_AT_MOST: Final = 1024

_ADD: Final = """
    INSERT INTO accounts.tokens (token_id, token_hash, person, post, label, ends_at)
    SELECT %(token_id)s, %(token_hash)s, person, %(post)s, %(label)s, statement_timestamp() + %(span)s
    FROM accounts.accounts WHERE person = %(person)s AND disabled_at IS NULL FOR SHARE
"""

_USER: Final = """
    SELECT t.token_id, t.person, t.post, extract(epoch FROM t.ends_at - statement_timestamp())::float8
    FROM accounts.tokens t JOIN accounts.accounts a USING (person)
    WHERE t.token_hash = %s AND t.revoked_at IS NULL AND t.ends_at > statement_timestamp() AND a.disabled_at IS NULL
"""

_LIST: Final = """
    SELECT token_id, person, post, label, created_at, ends_at, revoked_at FROM accounts.tokens
    WHERE person = %s ORDER BY created_at, token_id
"""

_REVOKE: Final = """
    UPDATE accounts.tokens SET revoked_at = statement_timestamp() WHERE token_id = %s AND revoked_at IS NULL
"""

_REVOKE_ALL: Final = """
    UPDATE accounts.tokens SET revoked_at = statement_timestamp() WHERE person = %s AND revoked_at IS NULL
"""

_LIVE: Final = """
    SELECT FROM accounts.tokens WHERE person = %s AND revoked_at IS NULL AND ends_at > statement_timestamp()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A machine token just made; `token` is shown once."""

    token_id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUser:
    """Who a live token acts for. Whether they still hold the post, the register says."""

    token_id: UUID
    person: PersonKey
    post: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """A token in a list (times UTC); the token itself is not known any more."""

    token_id: UUID
    person: PersonKey
    post: Code
    label: Code
    created_at: datetime
    ends_at: datetime
    revoked_at: datetime | None


class Tokens:
    """Tokens, found again for up to `remember` seconds without asking the database, because machines ask often.

    Only live ones are remembered, so strangers cannot fill the memory. `clock` gives seconds and never goes back; it
    measures that age and nothing else: when a token ends, the database clock says.
    """

    def __init__(self, pool: ConnectionPool, *, remember: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._remember = remember
        self._clock = clock
        self._known: dict[bytes, tuple[float, TokenUser]] = {}
        self._lock = Lock()

    def add(self, person: PersonKey, post: Code, label: Code, days: int) -> NewToken | None:
        """Make a token for `days` natural days of 24 hours, or none if the person has no enabled account."""
        made = NewToken(token_id=uuid4(), token=PREFIX + secrets.token_urlsafe(32))
        row = {
            "token_id": made.token_id,
            "token_hash": digest(made.token),
            "person": person,
            "post": post,
            "label": label,
            "span": timedelta(days=days),
        }
        with self._pool.connection() as connection:
            return made if connection.execute(_ADD, row).rowcount else None

    def user(self, token: str) -> TokenUser | None:
        """Say whom a token acts for; what was revoked elsewhere may still be known here for `remember` seconds."""
        if not token.startswith(PREFIX):
            return None
        token_hash = digest(token)
        asked = self._clock()  # before the question: what it answers is at least that fresh
        with self._lock:
            until, known = self._known.get(token_hash, (asked, None))
            if known is not None and asked < until:
                return known
            self._known.pop(token_hash, None)
        with self._pool.connection() as connection:
            row = connection.execute(_USER, [token_hash]).fetchone()
        if row is None:
            return None
        token_id, person, post, left = row
        user = TokenUser(token_id=token_id, person=PersonKey(person), post=post)
        with self._lock:
            if len(self._known) >= _REMEMBERED_AT_MOST:
                self._known.clear()
            self._known[token_hash] = (asked + min(self._remember, left), user)
        return user

    def of(self, person: PersonKey) -> list[TokenInfo]:
        """List the tokens of a person, the oldest first, with those that ended."""
        with self._pool.connection() as connection, connection.cursor(row_factory=class_row(TokenInfo)) as cursor:
            return cursor.execute(_LIST, [person]).fetchall()

    def revoke(self, token_id: UUID) -> bool:
        """Revoke a token; say whether it was not revoked yet."""
        with self._pool.connection() as connection:
            revoked = connection.execute(_REVOKE, [token_id]).rowcount > 0
        self.forget()
        return revoked

    def forget(self) -> None:
        """Ask the database anew from now on: in this process, what was revoked ends at once."""
        with self._lock:
            self._known.clear()


def revoke_tokens(connection: Connection[Any], person: PersonKey) -> int:
    """Revoke the tokens of a person, in the caller's transaction; say how many."""
    return connection.execute(_REVOKE_ALL, [person]).rowcount


def live_tokens(connection: Connection[Any], person: PersonKey) -> int:
    """Count the tokens of a person that still work, in the caller's transaction."""
    return connection.execute(_LIVE, [person]).rowcount
