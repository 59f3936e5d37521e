"""Tokens of machines: for whom they act, and how soon they stop."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from domain.decider import PersonKey
from service.accounts import (
    Accounts,
    Malformed,
)
from tests.service.accounts.house import (
    LOGIN,
    POST,
    House,
)

pytestmark = pytest.mark.postgres


def test_a_token_acts_for_a_person_in_a_post(accounts: Accounts, li: PersonKey) -> None:
    """It says who and in which post, and is listed without itself."""
    made = accounts.add_token(li, POST, "kiosk-3", 30)
    assert made.token.startswith("bh_")
    assert len(base64.urlsafe_b64decode(made.token[3:] + "=")) == 32
    user = accounts.token(made.token)
    assert user is not None
    assert (user.token_id, user.person, user.post) == (made.token_id, li, POST)
    (listed,) = accounts.tokens_of(li)
    assert (listed.label, listed.post, listed.revoked_at) == ("kiosk-3", POST, None)
    assert listed.ends_at - listed.created_at >= timedelta(days=30)
    assert accounts.session(made.token) is None


@pytest.mark.parametrize(
    ("post", "label", "days"),
    [(POST, "two words", 30), (POST, "张三", 30), (POST, "kiosk", 0), (POST, "kiosk", 367), ("", "kiosk", 30)],
)
def test_a_token_is_named_by_a_code_and_ends(
    house: House, accounts: Accounts, li: PersonKey, post: str, label: str, days: int
) -> None:
    """No name hides in a label, and none lasts for ever."""
    with pytest.raises(Malformed):
        accounts.add_token(li, post, label, days)
    assert house.rows("SELECT count(*) FROM accounts.tokens") == [(0,)]


def test_a_live_token_of_a_closed_account_stops_within_five_seconds(house: House, li: PersonKey) -> None:
    """Where it was closed it stops at once; another process may remember it for five seconds, not more."""
    here, there = house.process(), house.process()
    made = here.add_token(li, POST, "kiosk", 30)
    assert here.token(made.token)
    assert there.token(made.token)
    here.disable(LOGIN)
    assert here.token(made.token) is None
    house.watch.now += 4.9
    assert there.token(made.token)
    house.watch.now += 0.1
    assert there.token(made.token) is None


def test_a_revoked_token_stops_and_stays_in_the_list(house: House, li: PersonKey) -> None:
    """Revoking says whether there was anything to revoke; other tokens go on."""
    here, there = house.process(), house.process()
    made, kept = (here.add_token(li, POST, label, 30) for label in ("one", "other"))
    assert here.token(made.token)
    assert there.token(made.token)
    assert here.revoke_token(made.token_id)
    assert not here.revoke_token(made.token_id)
    assert here.token(made.token) is None
    house.watch.now += 5
    assert there.token(made.token) is None
    assert there.token(kept.token)
    assert [t.revoked_at is None for t in here.tokens_of(li)] == [False, True]


def test_a_token_is_not_remembered_beyond_its_end(house: House, accounts: Accounts, li: PersonKey) -> None:
    """Two seconds before its end it is remembered for two seconds, not for five."""
    made = accounts.add_token(li, POST, "kiosk", 1)
    with house.pool.connection() as connection:
        connection.execute("UPDATE accounts.tokens SET ends_at = clock_timestamp() + interval '2 seconds'")
    assert accounts.token(made.token)
    house.age("tokens", "ends_at", timedelta(days=1))
    house.watch.now += 2
    assert accounts.token(made.token) is None


def test_tokens_are_remembered_in_bounded_memory(house: House, accounts: Accounts, li: PersonKey) -> None:
    """Unknown ones are not remembered at all, and known ones up to a number."""
    for n in range(50):
        assert accounts.token(f"bh_{n}") is None
    assert accounts._tokens._known == {}
    made = accounts.add_token(li, POST, "kiosk", 1)
    assert accounts.token(made.token)
    assert len(accounts._tokens._known) == 1
    house.watch.now += 5
    assert accounts.token(made.token)
    assert len(accounts._tokens._known) == 1
