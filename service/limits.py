"""Limits on how often somebody may try, counted in the database so that all processes and nodes share them."""

from __future__ import annotations

import hmac
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Final

from psycopg_pool import ConnectionPool

from domain.errors import Refused

# A window begins with the first hit after the last one ended. `statement_timestamp()` is one moment for the whole
# statement; a statement that waited for another's row only finds the window still open, never opens it a second time.
_HIT: Final = """
    INSERT INTO accounts.limits AS l (key, hits, ends_at) VALUES (%(key)s, 1, statement_timestamp() + %(span)s)
    ON CONFLICT (key) DO UPDATE SET
        hits    = CASE WHEN l.ends_at > statement_timestamp() THEN l.hits + 1 ELSE 1 END,
        ends_at = CASE WHEN l.ends_at > statement_timestamp() THEN l.ends_at ELSE excluded.ends_at END
    RETURNING hits, extract(epoch FROM ends_at - statement_timestamp())::float8
"""

_UNDO: Final = """
    UPDATE accounts.limits SET hits = hits - 1 WHERE key = %(key)s AND hits > 0 AND ends_at > statement_timestamp()
"""

# A statement of its own: inside the upsert, two processes could each hold the row the other one counts on.
_SWEEP: Final = """
    DELETE FROM accounts.limits WHERE key IN (
        SELECT key FROM accounts.limits WHERE ends_at <= statement_timestamp()
        ORDER BY ends_at LIMIT 10 FOR UPDATE SKIP LOCKED)
"""


class TooMany(Refused):
    """This was asked too often in too short a time."""

    code = "too-many"
    then = "Wait for the seconds given in retry_after, then try again."

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class Limits:
    """Counters of attempts, by the database clock: one clock for many nodes, and none that a client can set.

    The pool is in autocommit and leads to the primary. `secret` keys the digests under which whatever is counted is
    stored, because addresses and log-ins are personal data; all processes need the same one.
    """

    def __init__(self, pool: ConnectionPool, secret: bytes) -> None:
        self._pool = pool
        self._secret = secret

    def hit(self, name: str, key: bytes, *, most: int, seconds: int) -> None:
        """Count one attempt of `key` at `name`; no more than `most` within a window of `seconds` seconds go through.

        The window begins with the first attempt, so twice `most` can meet around its end. Refused attempts do not
        prolong it. Raises TooMany with the whole seconds left.
        """
        with self._pool.connection() as connection:
            parameters = {"key": self._digest(name, key), "span": timedelta(seconds=seconds)}
            row = connection.execute(_HIT, parameters).fetchone()
            if row is None:
                raise AssertionError("an upsert without condition returns its row")
            hits, left = row
            if hits == 1:
                connection.execute(_SWEEP)
        if hits > most:
            raise TooMany(retry_after=max(1, ceil(left)))

    def undo(self, name: str, key: bytes) -> None:
        """Take one attempt back, for limits that count only failures."""
        with self._pool.connection() as connection:
            connection.execute(_UNDO, {"key": self._digest(name, key)})

    def _digest(self, name: str, key: bytes) -> bytes:
        return hmac.digest(self._secret, name.encode() + b"\0" + key, "sha256")


def place(address: str) -> bytes:
    """Give what counts as one place of origin: an IPv4 address, or the /64 network of an IPv6 one.

    A single subscriber has a whole /64, so counting single IPv6 addresses would limit nobody. What is no address (a
    socket's name, a test client) stands for itself.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address.encode("utf-8", "surrogatepass")
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            return IPv6Network((int(ip), 64), strict=False).network_address.packed
        ip = ip.ipv4_mapped
    return ip.packed
