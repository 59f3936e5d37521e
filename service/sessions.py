"""Sessions of people who logged in: kept in the database, found by a token of which only the digest is stored."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from psycopg import Connection
from psycopg_pool import ConnectionPool

from domain.decider import Code, PersonKey
from domain.errors import Refused

# The row lock makes a password that is being changed and a log-in with the old one take turns: either the change finds
# the new session and ends it, or the log-in finds another number and gets none.
_BEGIN: Final = """
    INSERT INTO accounts.sessions (token_hash, person)
    SELECT %(token_hash)s, person FROM accounts.accounts
    WHERE person = %(person)s AND secret_no = %(secret_no)s AND disabled_at IS NULL FOR SHARE
"""

_USER: Final = """
    SELECT s.person, s.post, a.change_by IS NOT NULL, s.seen_at < statement_timestamp() - interval '1 minute'
    FROM accounts.sessions s JOIN accounts.accounts a USING (person)
    WHERE s.token_hash = %(token_hash)s AND a.disabled_at IS NULL
      AND s.seen_at > statement_timestamp() - %(idle)s AND s.begun_at > statement_timestamp() - %(longest)s
"""

_SEEN: Final = "UPDATE accounts.sessions SET seen_at = statement_timestamp() WHERE token_hash = %s"

_CHOOSE: Final = """
    UPDATE accounts.sessions SET post = %(post)s
    WHERE token_hash = %(token_hash)s
      AND seen_at > statement_timestamp() - %(idle)s AND begun_at > statement_timestamp() - %(longest)s
"""

_END: Final = "DELETE FROM accounts.sessions WHERE token_hash = %s"

_END_OTHERS: Final = "DELETE FROM accounts.sessions WHERE person = %s AND token_hash <> %s"

_SWEEP: Final = """
    DELETE FROM accounts.sessions WHERE token_hash IN (
        SELECT token_hash FROM accounts.sessions WHERE begun_at < statement_timestamp() - %(longest)s
        ORDER BY begun_at LIMIT 100 FOR UPDATE SKIP LOCKED)
"""


class SessionEnded(Refused):
    """This session is over."""

    code = "session-ended"
    then = "Log in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session just begun: the token for the cookie, and what every form must carry."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    person: PersonKey
    must_change: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUser:
    """Who a live session belongs to. `post` is only what they chose: whether they still hold it, the register says."""

    person: PersonKey
    post: Code | None
    must_change: bool
    csrf: str = field(repr=False)


class Sessions:
    """Sessions that end after `idle` without a request, and after `longest` in any case, by the database clock."""

    def __init__(self, pool: ConnectionPool, *, idle: timedelta, longest: timedelta) -> None:
        self._pool = pool
        self._spans = {"idle": idle, "longest": longest}

    def begin(self, person: PersonKey, secret_no: int, *, must_change: bool) -> Session | None:
        """Begin a session under a new token, or none if password or account changed since `secret_no` was read.

        The token always comes from here, never from the browser: one planted there beforehand leads nowhere.
        """
        token = secrets.token_urlsafe(32)
        row = {"token_hash": digest(token), "person": person, "secret_no": secret_no}
        with self._pool.connection() as connection:
            begun = connection.execute(_BEGIN, row).rowcount
            connection.execute(_SWEEP, self._spans)
        if not begun:
            return None
        return Session(token=token, csrf=csrf_of(token), person=person, must_change=must_change)

    def user(self, token: str) -> SessionUser | None:
        """Say whose session this is; the time last seen is written at most once a minute."""
        token_hash = digest(token)
        with self._pool.connection() as connection:
            row = connection.execute(_USER, {"token_hash": token_hash, **self._spans}).fetchone()
            if row is None:
                return None
            person, post, must_change, stale = row
            if stale:
                connection.execute(_SEEN, [token_hash])
        return SessionUser(person=PersonKey(person), post=post, must_change=must_change, csrf=csrf_of(token))

    def choose_post(self, token: str, post: Code | None) -> None:
        """Keep the post in which this session acts from now on. Raises SessionEnded."""
        row = {"token_hash": digest(token), "post": post, **self._spans}
        with self._pool.connection() as connection:
            if connection.execute(_CHOOSE, row).rowcount == 0:
                raise SessionEnded

    def end(self, token: str) -> None:
        """End a session, if it is not over yet."""
        with self._pool.connection() as connection:
            connection.execute(_END, [digest(token)])


def end_sessions(connection: Connection[Any], person: PersonKey, *, keep: str | None = None) -> int:
    """End the sessions of a person but the one whose token is `keep`, in the caller's transaction; say how many."""
    return connection.execute(_END_OTHERS, [person, b"" if keep is None else digest(keep)]).rowcount


def digest(token: str) -> bytes:
    """Give what is stored of a token. It has 256 random bits, so a plain hash cannot be searched backwards."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def csrf_of(token: str) -> str:
    """Give what the forms of a session carry: made from its token, so that nothing more is stored or can be swapped."""
    return base64.urlsafe_b64encode(hmac.digest(token.encode("utf-8", "surrogatepass"), b"csrf", "sha256")).decode()


def csrf_matches(token: str, given: str) -> bool:
    """Say whether a form belongs to the session, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "surrogatepass"))
