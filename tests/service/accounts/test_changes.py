"""Changing, resetting and closing, also while somebody comes in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.decider import PersonKey
from service.accounts import (
    AccountRules,
    Accounts,
    LogInFailed,
    TooManyAttempts,
    UnknownAccount,
    WrongPassword,
)
from service.passwords import WeakPassword
from tests.service.accounts.house import (
    ADDRESS,
    LOGIN,
    NEW,
    PASSWORD,
    POST,
    House,
    refusal_of,
)

pytestmark = pytest.mark.postgres


def test_changing_the_password_ends_the_other_sessions(accounts: Accounts, li: PersonKey) -> None:
    """The one at hand goes on, those elsewhere end, and the old password is dead."""
    here, there = (accounts.log_in(LOGIN, PASSWORD, ADDRESS).token for _ in range(2))
    assert accounts.change_password(li, PASSWORD, NEW, keep=here) == 1
    assert accounts.session(here) is not None
    assert accounts.session(there) is None
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    accounts.log_in(LOGIN, NEW, ADDRESS)
    assert accounts.change_password(li, NEW, PASSWORD) == 2


def test_a_password_is_changed_only_by_who_knows_it(house: House, li: PersonKey) -> None:
    """At somebody else's open screen one may not guess for long, and nothing changes."""
    accounts = house.process(AccountRules(tries_of_one=2))
    before = house.rows("SELECT secret, secret_no FROM accounts.accounts")
    for _ in range(2):
        with pytest.raises(WrongPassword):
            accounts.change_password(li, NEW, NEW)
    with pytest.raises(TooManyAttempts):
        accounts.change_password(li, PASSWORD, NEW)
    assert house.rows("SELECT secret, secret_no FROM accounts.accounts") == before


@pytest.mark.parametrize("new", ["short", "li.na li.na li.na", PASSWORD])
def test_a_new_password_is_strong_and_new(house: House, accounts: Accounts, li: PersonKey, new: str) -> None:
    """A weak one, the log-in or the same one again is refused, and nothing changes."""
    before = house.rows("SELECT secret, secret_no FROM accounts.accounts")
    with pytest.raises(WeakPassword):
        accounts.change_password(li, PASSWORD, new)
    assert house.rows("SELECT secret, secret_no FROM accounts.accounts") == before


def test_a_reset_ends_every_session_and_says_so(accounts: Accounts, li: PersonKey) -> None:
    """Whoever was in is out, the old password is dead, and machine tokens are named because they go on."""
    tokens = [accounts.log_in(LOGIN, PASSWORD, ADDRESS).token for _ in range(3)]
    machine = accounts.add_token(li, POST, "kiosk", 30)
    reset = accounts.reset_password(LOGIN.upper())
    assert (reset.person, reset.sessions_ended, reset.tokens_left) == (li, 3, 1)
    assert [accounts.session(token) for token in tokens] == [None] * 3
    assert accounts.token(machine.token) is not None
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    assert accounts.log_in(LOGIN, reset.password, ADDRESS).must_change


def test_what_nobody_has_cannot_be_reset_or_closed(accounts: Accounts, li: PersonKey) -> None:
    """An unknown or closed account is refused, with what to do."""
    for act in (accounts.reset_password, accounts.disable, accounts.enable):
        assert refusal_of(lambda act=act: act("unknown")).then  # type: ignore[misc]
    accounts.disable(LOGIN)
    for act in (accounts.reset_password, accounts.disable):
        with pytest.raises(UnknownAccount):
            act(LOGIN)
    with pytest.raises(UnknownAccount):
        accounts.add_token(li, POST, "kiosk", 30)
    with pytest.raises(WrongPassword):
        accounts.change_password(li, PASSWORD, NEW)


@pytest.mark.parametrize("act", ["reset", "change", "disable"])
def test_a_log_in_that_overtakes_a_reset_gets_no_session(
    house: House, accounts: Accounts, li: PersonKey, act: str
) -> None:
    """The password was right when it was read and is dead when the session would begin: there is none."""
    acts: dict[str, Callable[[], object]] = {
        "reset": lambda: accounts.reset_password(LOGIN),
        "change": lambda: accounts.change_password(li, PASSWORD, NEW),
        "disable": lambda: accounts.disable(LOGIN),
    }
    with house.meanwhile(acts[act]), pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    assert house.rows("SELECT count(*) FROM accounts.sessions") == [(0,)]


def test_a_change_that_overtakes_a_reset_changes_nothing(house: House, accounts: Accounts, li: PersonKey) -> None:
    """Who knew the old password cannot undo the administrator's reset by having been quick."""
    given: list[str] = []
    with house.meanwhile(lambda: given.append(accounts.reset_password(LOGIN).password)), pytest.raises(WrongPassword):
        accounts.change_password(li, PASSWORD, NEW)
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, NEW, ADDRESS)
    accounts.log_in(LOGIN, given[0], ADDRESS)


def test_a_log_in_waits_for_a_reset_in_progress(house: House, accounts: Accounts, li: PersonKey) -> None:
    """A session that would begin while the reset is not committed yet is not begun once it is."""
    with ThreadPoolExecutor(1) as executor, house.pool.connection() as connection:
        with connection.transaction():
            connection.execute("UPDATE accounts.accounts SET secret_no = secret_no + 1 WHERE person = %s", [li])
            late = executor.submit(accounts.log_in, LOGIN, PASSWORD, ADDRESS)
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while house.rows(waits) == [(0,)]:
                assert not late.done()
        with pytest.raises(LogInFailed):
            late.result(30)
    assert house.rows("SELECT count(*) FROM accounts.sessions") == [(0,)]


def test_closing_an_account_ends_all_and_opening_it_revives_nothing(accounts: Accounts, li: PersonKey) -> None:
    """Sessions and tokens end for good; only the password works again."""
    session = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    token = accounts.add_token(li, POST, "kiosk", 30)
    assert accounts.token(token.token) is not None
    ended = accounts.disable(LOGIN)
    assert (ended.person, ended.sessions, ended.tokens) == (li, 1, 1)
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    for _ in range(2):
        assert accounts.session(session.token) is None
        assert accounts.token(token.token) is None
        accounts.enable(LOGIN)
    accounts.log_in(LOGIN, PASSWORD, ADDRESS)
