"""Accounts of staff: a person key, a log-in and a password; sessions for people, tokens for machines, no rights.

What somebody may do follows from the posts they hold in the register, asked anew for every request: an account, a
session and a token only say who is there, and in which post they want to act.
"""

from __future__ import annotations

import hmac
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol, get_args
from uuid import UUID, uuid4

import argon2
from psycopg.errors import UniqueViolation
from psycopg_pool import ConnectionPool

from domain.decider import Code, PersonKey, Shape
from domain.errors import Refused
from service.limits import Limits, TooMany, place
from service.passwords import Passwords, Verdict, WeakPassword, folded, one_time_password, require_strong
from service.sessions import Session, Sessions, SessionUser, end_sessions
from service.tokens import NewToken, TokenInfo, Tokens, TokenUser, live_tokens, revoke_tokens

LONGEST_LOGIN: Final = 64
LONGEST_NAME: Final = 100
LONGEST_LIFE: Final = 366
"""How many days a token lasts at most: a leap year."""

_CODE: Final[Shape] = get_args(Code)[1]

_QUARTER_HOUR: Final = 15 * 60
_HOUR: Final = 60 * 60

_ADD: Final = """
    INSERT INTO accounts.accounts (person, login_key, login_box, name_box, secret, change_by)
    VALUES (%(person)s, %(login_key)s, %(login_box)s, %(name_box)s, %(secret)s,
            statement_timestamp() + %(one_time)s::interval)
"""

# A one-time password that lapsed and a closed account are as unknown as one that never was.
_BY_LOGIN: Final = """
    SELECT person, secret, secret_no, change_by IS NOT NULL FROM accounts.accounts
    WHERE login_key = %s AND disabled_at IS NULL AND (change_by IS NULL OR change_by > statement_timestamp())
"""

_BY_PERSON: Final = """
    SELECT login_box, secret, secret_no FROM accounts.accounts
    WHERE person = %s AND disabled_at IS NULL AND (change_by IS NULL OR change_by > statement_timestamp())
"""

_BETTER_HASH: Final = "UPDATE accounts.accounts SET secret = %s WHERE person = %s AND secret = %s"

_RESET: Final = """
    UPDATE accounts.accounts
    SET secret = %(secret)s, secret_no = secret_no + 1, change_by = statement_timestamp() + %(one_time)s
    WHERE login_key = %(login_key)s AND disabled_at IS NULL RETURNING person
"""

_CHANGE: Final = """
    UPDATE accounts.accounts SET secret = %(secret)s, secret_no = secret_no + 1, change_by = NULL
    WHERE person = %(person)s AND secret_no = %(secret_no)s AND disabled_at IS NULL
"""

_DISABLE: Final = """
    UPDATE accounts.accounts SET disabled_at = statement_timestamp()
    WHERE login_key = %s AND disabled_at IS NULL RETURNING person
"""

_ENABLE: Final = "UPDATE accounts.accounts SET disabled_at = NULL WHERE login_key = %s RETURNING person"

_LOGIN_BOX: Final = "SELECT login_box FROM accounts.accounts WHERE person = %s"

_NAME_BOX: Final = "SELECT name_box FROM accounts.accounts WHERE person = %s"


class AccountSealer(Protocol):
    """What accounts need of the key vault."""

    def seal_account(self, kind: str, text: str) -> bytes:
        """Seal a text; only the same `kind` opens it."""

    def open_account(self, kind: str, box: bytes) -> str:
        """Open what `seal_account` made."""

    def secret(self, name: str) -> bytes:
        """Give a secret of 32 bytes that stays the same for ever; the database alone must not be enough to read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """How long things last, and how many wrong passwords are borne (our design, after NIST SP 800-63B)."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(hours=24)
    one_time: timedelta = timedelta(days=7)
    #: Wrong passwords in a quarter of an hour for one log-in from one place, and from one place for all log-ins.
    tries_of_one: int = 10
    tries_of_place: int = 200
    #: Wrong passwords in an hour for one log-in from everywhere: high, or anybody could lock out anybody.
    tries_of_login: int = 100
    #: Seconds for which a token may still work after it was revoked or its account disabled.
    token_cache: float = 5.0
    hashes_at_once: int = 2
    hashes_waiting: int = 8
    hash_patience: float = 3.0


class LogInFailed(Refused):
    """The log-in or the password is wrong."""

    code = "log-in-failed"
    then = "Try again. An administrator can enable an account, or replace a forgotten or lapsed password."


class TooManyAttempts(TooMany):
    """Too many wrong passwords were given."""

    code = "too-many-attempts"
    then = "Wait for the seconds given in retry_after, then try again; nobody can shorten it."


class LogInTaken(Refused):
    """Another account has this log-in."""

    code = "log-in-taken"
    then = "Choose another log-in; small and capital letters count as the same."


class Malformed(Refused):
    """A value given for an account cannot be used."""

    code = "malformed-account"
    then = (
        "A log-in has 1 to 64 characters without spaces, a name 1 to 100 on one line; a token has a label of 1 to 64 "
        "ASCII letters, digits and . _ : / - and lasts 1 to 366 days."
    )


class UnknownAccount(Refused):
    """There is no such account, or it is disabled."""

    code = "unknown-account"
    then = "Check the log-in. An administrator can add the account, or enable it."


class WrongPassword(Refused):
    """The present password is wrong."""

    code = "wrong-password"
    then = "Type the present password again; an administrator can give a one-time one."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account just made; the one-time password is shown once, and None if a password was given."""

    person: PersonKey
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A one-time password, shown once, and what the reset has done: sessions ended; tokens that still work."""

    person: PersonKey
    password: str = field(repr=False)
    sessions_ended: int
    tokens_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was ended with an account."""

    person: PersonKey
    sessions: int
    tokens: int


class Accounts:
    """Who is there. Every time that is stored or compared is the database's: nodes with other clocks agree.

    The pool is in autocommit and leads to the primary; no connection is held while a password is hashed. `clock`
    (seconds, never going back) only measures the age of what this process remembers of tokens.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        sealer: AccountSealer,
        *,
        hasher: argon2.PasswordHasher | None = None,
        rules: AccountRules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._sealer = sealer
        self._rules = rules or AccountRules()
        self._limits = Limits(pool, sealer.secret("accounts.limits"))
        self._login_secret = sealer.secret("accounts.login")
        self._passwords = Passwords(
            hasher or argon2.PasswordHasher(),
            sealer.secret("accounts.password"),
            at_once=self._rules.hashes_at_once,
            waiting=self._rules.hashes_waiting,
            patience=self._rules.hash_patience,
        )
        self._sessions = Sessions(pool, idle=self._rules.idle, longest=self._rules.longest)
        self._tokens = Tokens(pool, remember=self._rules.token_cache, clock=clock)

    def add(self, login: str, name: str, *, password: str | None) -> NewAccount:
        """Make an account; without a password, a one-time one is made, to be changed at the first log-in.

        Raises Malformed, WeakPassword, LogInTaken, TooBusy.
        """
        if not 0 < len(login) <= LONGEST_LOGIN or _has(login, "Cc", "Cf", "Cs", "Z"):
            raise Malformed(field="login")
        if not 0 < len(name.strip()) <= LONGEST_NAME or _has(name, "Cc", "Cs", "Zl", "Zp"):
            raise Malformed(field="name")
        if password is not None:
            require_strong(password, login)
        chosen = one_time_password() if password is None else password
        person = PersonKey(uuid4())
        row = {
            "person": person,
            "login_key": self._login_key(login),
            "login_box": self._sealer.seal_account(f"login/{person}", login),
            "name_box": self._sealer.seal_account(f"name/{person}", name),
            "secret": self._passwords.hash(chosen),
            "one_time": self._rules.one_time if password is None else None,
        }
        try:
            with self._pool.connection() as connection:
                connection.execute(_ADD, row)
        except UniqueViolation:
            raise LogInTaken from None
        return NewAccount(person=person, password=chosen if password is None else None)

    def reset_password(self, login: str) -> Reset:
        """Replace a password by a one-time one and end all sessions of the account; its tokens go on.

        Who may do this is the caller's business. Raises UnknownAccount (also if disabled), TooBusy.
        """
        password = one_time_password()
        row = {
            "secret": self._passwords.hash(password),
            "one_time": self._rules.one_time,
            "login_key": self._login_key(login),
        }
        # Two statements: the second one sees the session of a log-in that the first had to wait for.
        with self._pool.connection() as connection, connection.transaction():
            person = _person(connection.execute(_RESET, row).fetchone())
            ended, left = end_sessions(connection, person), live_tokens(connection, person)
        return Reset(person=person, password=password, sessions_ended=ended, tokens_left=left)

    def change_password(self, person: PersonKey, old: str, new: str, *, keep: str | None = None) -> int:
        """Change a password by its owner and end their sessions, but the one whose token is `keep`; say how many.

        Whoever found an open screen may not guess on. Raises WrongPassword, WeakPassword, TooManyAttempts, TooBusy.
        """
        with self._pool.connection() as connection:
            found = connection.execute(_BY_PERSON, [person]).fetchone()
        login_box, known, secret_no = found or (b"", None, 0)
        tries = [("password-change", person.bytes, self._rules.tries_of_one, _QUARTER_HOUR)]
        if not self._verify(tries, known, old).right:
            raise WrongPassword
        require_strong(new, self._sealer.open_account(f"login/{person}", login_box))
        if self._passwords.verify(known, new).right:
            raise WeakPassword(why="same")
        row = {"secret": self._passwords.hash(new), "person": person, "secret_no": secret_no}
        with self._pool.connection() as connection, connection.transaction():
            if connection.execute(_CHANGE, row).rowcount == 0:
                raise WrongPassword
            return end_sessions(connection, person, keep=keep)

    def disable(self, login: str) -> Ended:
        """Close an account: its sessions end and its tokens are revoked. Raises UnknownAccount (also if disabled)."""
        with self._pool.connection() as connection, connection.transaction():
            person = _person(connection.execute(_DISABLE, [self._login_key(login)]).fetchone())
            ended = Ended(
                person=person, sessions=end_sessions(connection, person), tokens=revoke_tokens(connection, person)
            )
        self._tokens.forget()
        return ended

    def enable(self, login: str) -> PersonKey:
        """Open a closed account again; what ended stays ended. Raises UnknownAccount."""
        with self._pool.connection() as connection:
            return _person(connection.execute(_ENABLE, [self._login_key(login)]).fetchone())

    def login_of(self, person: PersonKey) -> str | None:
        """Give the log-in of a person as it was typed, or None if they have no account."""
        with self._pool.connection() as connection:
            row = connection.execute(_LOGIN_BOX, [person]).fetchone()
        return None if row is None else self._sealer.open_account(f"login/{person}", row[0])

    def name_of(self, person: PersonKey) -> str | None:
        """Give the name of a person, or None if they have no account."""
        with self._pool.connection() as connection:
            row = connection.execute(_NAME_BOX, [person]).fetchone()
        return None if row is None else self._sealer.open_account(f"name/{person}", row[0])

    def log_in(self, login: str, password: str, address: str) -> Session:
        """Begin a session, without a post yet. `address` is where the request comes from, behind any proxy.

        Unknown, disabled and lapsed log-ins get the same answer after the same work as a wrong password. Only wrong
        passwords are counted. Raises LogInFailed, TooManyAttempts, TooBusy.
        """
        login_key, origin = self._login_key(login), place(address)
        with self._pool.connection() as connection:
            found = connection.execute(_BY_LOGIN, [login_key]).fetchone()
        person, known, secret_no, must_change = found or (None, None, 0, False)
        # The narrowest limit first: one who is stopped by it uses up no attempt of others.
        tries = [
            ("log-in-from-place", login_key + origin, self._rules.tries_of_one, _QUARTER_HOUR),
            ("place", origin, self._rules.tries_of_place, _QUARTER_HOUR),
            ("log-in", login_key, self._rules.tries_of_login, _HOUR),
        ]
        verdict = self._verify(tries, known, password)
        if not verdict.right:
            raise LogInFailed
        if verdict.better is not None:
            with self._pool.connection() as connection:
                connection.execute(_BETTER_HASH, [verdict.better, person, known])
        session = self._sessions.begin(PersonKey(person), secret_no, must_change=must_change)
        if session is None:
            raise LogInFailed
        return session

    def session(self, token: str) -> SessionUser | None:
        """Say whose live session this is."""
        return self._sessions.user(token)

    def choose_post(self, token: str, post: Code | None) -> None:
        """Keep the post in which a session acts from now on; the caller has asked the register. Raises SessionEnded."""
        self._sessions.choose_post(token, post)

    def log_out(self, token: str) -> None:
        """End a session, if it is not over yet."""
        self._sessions.end(token)

    def add_token(self, person: PersonKey, post: Code, label: Code, days: int) -> NewToken:
        """Make a token with which a machine acts for a person in a post, for 1 to 366 natural days.

        Raises Malformed, UnknownAccount.
        """
        if not (_CODE.fits(label) and _CODE.fits(post) and 1 <= days <= LONGEST_LIFE):
            raise Malformed(field="token")
        made = self._tokens.add(person, post, label, days)
        if made is None:
            raise UnknownAccount
        return made

    def token(self, token: str) -> TokenUser | None:
        """Say whom a live token acts for; what was ended by another process may live on for `token_cache` seconds."""
        return self._tokens.user(token)

    def tokens_of(self, person: PersonKey) -> list[TokenInfo]:
        """List the tokens of a person, the oldest first, with those that ended."""
        return self._tokens.of(person)

    def revoke_token(self, token_id: UUID) -> bool:
        """Revoke a token; say whether it was not revoked yet."""
        return self._tokens.revoke(token_id)

    def _verify(self, tries: list[tuple[str, bytes, int, int]], known: str | None, password: str) -> Verdict:
        """Count the attempt, then look: of two at once on the last one, one goes no further."""
        try:
            for name, key, most, seconds in tries:
                self._limits.hit(name, key, most=most, seconds=seconds)
        except TooMany as many:
            raise TooManyAttempts(retry_after=many.retry_after) from None
        counted = False
        try:
            verdict = self._passwords.verify(known, password)
            counted = not verdict.right
        finally:
            if not counted:
                for name, key, _, _ in tries:
                    self._limits.undo(name, key)
        return verdict

    def _login_key(self, login: str) -> bytes:
        return hmac.digest(self._login_secret, folded(login).encode("utf-8", "surrogatepass"), "sha256")


def _person(row: tuple[UUID] | None) -> PersonKey:
    if row is None:
        raise UnknownAccount
    return PersonKey(row[0])


def _has(text: str, *categories: str) -> bool:
    # Unicode's unassigned and private characters are not asked about: names of people are written with them.
    return any(unicodedata.category(character).startswith(categories) for character in text)
