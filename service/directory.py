"""Who has an account, for administrators: log-ins and names opened, posts and tokens beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row
from psycopg_pool import ConnectionPool

from domain.decider import Code, PersonKey
from domain.errors import Refused
from domain.register import Post, Register
from service.accounts import AccountSealer, UnknownAccount
from service.passwords import folded
from service.tokens import TokenInfo

_ACCOUNTS: Final = """
    SELECT person, login_box, name_box, created_at, change_by, disabled_at FROM accounts.accounts
    ORDER BY created_at, person
"""

_TOKENS: Final = """
    SELECT token_id, person, post, label, created_at, ends_at, revoked_at FROM accounts.tokens
    ORDER BY created_at, token_id
"""


class PostNotHeld(Refused):
    """This person does not hold this post now."""

    code = "post-not-held"
    then = "Choose a post that is held, or let an administrator give this one first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An account as an administrator sees it (times UTC); `change_by` is when its one-time password lapses."""

    person: PersonKey
    login: str
    name: str
    created_at: datetime
    change_by: datetime | None
    disabled_at: datetime | None


def everyone(pool: ConnectionPool, sealer: AccountSealer) -> list[Listed]:
    """List the accounts by log-in, those that are disabled too."""
    with pool.connection() as connection:
        rows = connection.execute(_ACCOUNTS).fetchall()
    listed = [
        Listed(
            person=person,
            login=sealer.open_account(f"login/{person}", login_box),
            name=sealer.open_account(f"name/{person}", name_box),
            created_at=created_at,
            change_by=change_by,
            disabled_at=disabled_at,
        )
        for person, login_box, name_box, created_at, change_by, disabled_at in rows
    ]
    return sorted(listed, key=lambda one: folded(one.login))


def find(pool: ConnectionPool, sealer: AccountSealer, login: str) -> Listed:
    """Find an account by its log-in, small and capital letters alike. Raises UnknownAccount."""
    for one in everyone(pool, sealer):
        if folded(one.login) == folded(login):
            return one
    raise UnknownAccount


def all_tokens(pool: ConnectionPool) -> list[TokenInfo]:
    """List the tokens of everybody, the oldest first, with those that ended."""
    with pool.connection() as connection, connection.cursor(row_factory=class_row(TokenInfo)) as cursor:
        return cursor.execute(_TOKENS).fetchall()


def require_held(register: Register, person: PersonKey, post: Code, at: datetime) -> None:
    """Refuse a post that somebody does not hold at a moment (UTC); raises PostNotHeld."""
    if not register.holds(person, post, at):
        raise PostNotHeld(post=post, posts=codes(register.held_by(person, at)))


def codes(posts: Iterable[Post]) -> list[Code]:
    """Give the codes of posts, in their order."""
    return [post.code for post in posts]
