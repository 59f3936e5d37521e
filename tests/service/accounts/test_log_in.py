"""Coming in, and what guessing, racing and timing get: nothing."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import argon2
import pytest
from psycopg_pool import ConnectionPool

from domain.decider import PersonKey
from service.accounts import (
    AccountRules,
    Accounts,
    LogInFailed,
    TooManyAttempts,
)
from service.passwords import TooBusy
from service.sessions import SessionEnded, csrf_matches
from tests.service.accounts.house import (
    ADDRESS,
    LOGIN,
    NAME,
    NEW,
    OTHER,
    PASSWORD,
    POST,
    Hasher,
    House,
    refusal_of,
)

pytestmark = pytest.mark.postgres


@pytest.mark.usefixtures("li")
def test_an_unknown_log_in_costs_and_says_as_much_as_a_wrong_password(house: House, accounts: Accounts) -> None:
    """Unknown, disabled, lapsed and wrong: one verification each, the same refusal, the same counters."""
    accounts.add("closed", NAME, password=PASSWORD)
    accounts.disable("closed")
    accounts.add("lapsed", NAME, password=None)
    house.age("accounts", "change_by", timedelta(days=8))
    said, work, counters = set(), [], []
    for login, password in [(LOGIN, NEW), ("unknown", PASSWORD), ("closed", PASSWORD), ("lapsed", PASSWORD), ("", "")]:
        before = house.hasher.verified, house.rows("SELECT sum(hits) FROM accounts.limits")[0][0] or 0
        refused = refusal_of(lambda login=login, password=password: accounts.log_in(login, password, ADDRESS))  # type: ignore[misc]
        said.add((type(refused), refused.code, str(refused.facts), refused.message(), refused.then))
        work.append(house.hasher.verified - before[0])
        counters.append(house.rows("SELECT sum(hits) FROM accounts.limits")[0][0] - before[1])
    assert len(said) == 1
    assert work == [1] * 5
    assert counters == [3] * 5


@pytest.mark.usefixtures("li")
def test_no_connection_is_held_while_a_password_is_hashed(house: House) -> None:
    """With a single connection, others still ask the database meanwhile."""
    with ConnectionPool(house.pool.conninfo, min_size=1, max_size=1, kwargs={"autocommit": True}, open=True) as single:
        accounts = Accounts(single, house.box, hasher=house.hasher)

        def ask() -> None:
            with single.connection(timeout=5) as connection:
                connection.execute("SELECT 1")

        with house.meanwhile(ask):
            accounts.log_in(LOGIN, PASSWORD, ADDRESS)


@pytest.mark.usefixtures("li")
def test_a_session_planted_before_log_in_leads_nowhere(house: House, accounts: Accounts) -> None:
    """Each log-in has a token of its own that nobody could know before, and does not revive another."""
    planted = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    accounts.log_out(planted.token)
    begun = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    assert begun.token != planted.token
    assert len(base64.urlsafe_b64decode(begun.token + "=")) == 32
    assert accounts.session(planted.token) is None
    assert house.rows("SELECT count(*) FROM accounts.sessions") == [(1,)]


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize("odd", ["", "\x00", "\ud800", "𬭎" * 5000, "' OR 1=1 --", "bh_"])
def test_odd_input_is_refused_and_breaks_nothing(accounts: Accounts, odd: str) -> None:
    """NUL, half characters and long texts are wrong passwords and unknown tokens like any other."""
    for login, password in ((odd, PASSWORD), (LOGIN, odd)):
        with pytest.raises(LogInFailed):
            accounts.log_in(login, password, odd)
    assert accounts.session(odd) is None
    assert accounts.token(odd) is None
    assert not csrf_matches("token", odd)
    accounts.log_out(odd)
    with pytest.raises(SessionEnded):
        accounts.choose_post(odd, POST)


@pytest.mark.usefixtures("li")
def test_of_racing_log_ins_only_the_permitted_number_is_tried(house: House) -> None:
    """Twelve wrong passwords at one moment on a limit of three: three are looked at, nine are turned away unseen."""
    rules = AccountRules(tries_of_one=3, hashes_waiting=20, hash_patience=60)
    processes = [house.process(rules) for _ in range(12)]
    start = Barrier(12)

    def guess(accounts: Accounts) -> str:
        start.wait(30)
        return refusal_of(lambda: accounts.log_in(LOGIN, NEW, ADDRESS)).code

    with ThreadPoolExecutor(12) as executor:
        codes = list(executor.map(guess, processes))
    assert sorted(codes) == [LogInFailed.code] * 3 + [TooManyAttempts.code] * 9
    assert house.hasher.verified == 3


@pytest.mark.usefixtures("li")
def test_the_right_password_does_not_pass_a_limit(house: House) -> None:
    """Who used up the attempts waits, even if the next guess is right, and is told how long."""
    accounts = house.process(AccountRules(tries_of_one=2))
    for _ in range(2):
        with pytest.raises(LogInFailed):
            accounts.log_in(LOGIN, NEW, ADDRESS)
    refused = refusal_of(lambda: accounts.log_in(LOGIN, PASSWORD, ADDRESS))
    assert isinstance(refused, TooManyAttempts)
    assert 0 < refused.retry_after <= 900
    house.age("limits", "ends_at", timedelta(minutes=15, seconds=1))
    accounts.log_in(LOGIN, PASSWORD, ADDRESS)


@pytest.mark.usefixtures("li")
def test_right_passwords_are_not_counted(house: House) -> None:
    """A whole hall logs in from one address, again and again."""
    accounts = house.process(AccountRules(tries_of_one=1, tries_of_place=1, tries_of_login=1))
    for _ in range(4):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)


@pytest.mark.usefixtures("li")
def test_a_stranger_cannot_lock_somebody_out_from_elsewhere(house: House) -> None:
    """Attempts from one place stop that place; only very many from everywhere stop the log-in."""
    accounts = house.process(AccountRules(tries_of_one=2, tries_of_login=3))
    for _ in range(5):
        refusal_of(lambda: accounts.log_in(LOGIN, NEW, OTHER))
    accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, NEW, ADDRESS)
    with pytest.raises(TooManyAttempts):
        accounts.log_in(LOGIN, PASSWORD, ADDRESS)


@pytest.mark.usefixtures("li")
def test_one_place_cannot_go_through_all_log_ins(house: House) -> None:
    """A password tried on many log-ins is stopped by the limit of the place."""
    accounts = house.process(AccountRules(tries_of_place=3))
    codes = [
        refusal_of(lambda n=n: accounts.log_in(f"user{n}", PASSWORD, ADDRESS)).code  # type: ignore[misc]
        for n in range(5)
    ]
    assert codes == [LogInFailed.code] * 3 + [TooManyAttempts.code] * 2


@pytest.mark.usefixtures("li")
def test_a_crowd_is_told_to_come_back(house: House) -> None:
    """While all turns are taken nobody waits long, nobody is counted, and afterwards all is as before."""
    accounts = house.process(AccountRules(hashes_at_once=1, hashes_waiting=0, tries_of_one=1))
    working, go_on = Event(), Event()

    def dawdle() -> None:
        working.set()
        assert go_on.wait(30)

    house.hasher.meanwhile = dawdle
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(accounts.log_in, LOGIN, PASSWORD, ADDRESS)
        assert working.wait(30)
        for _ in range(3):
            with pytest.raises(TooBusy):
                accounts.log_in(LOGIN, PASSWORD, OTHER)
        impatient = house.process(AccountRules(hashes_at_once=1, hashes_waiting=1, hash_patience=0.001))
        with impatient._passwords._turn(), pytest.raises(TooBusy):
            impatient.log_in(LOGIN, PASSWORD, OTHER)
        go_on.set()
        assert slow.result(30).token
    accounts.log_in(LOGIN, PASSWORD, OTHER)


def test_a_hash_grows_with_the_settings_and_the_password_stays(house: House, li: PersonKey) -> None:
    """The first log-in under stronger settings stores a stronger hash; nobody notices, open sessions included."""
    old = house.process()
    before = old.log_in(LOGIN, PASSWORD, ADDRESS)
    new = house.process(hasher=Hasher(time_cost=2))
    session = new.log_in(LOGIN, PASSWORD, ADDRESS)
    ((secret, number),) = house.rows("SELECT secret, secret_no FROM accounts.accounts")
    assert (argon2.extract_parameters(secret).time_cost, number) == (2, 1)
    for token in (before.token, session.token):
        user = new.session(token)
        assert user is not None
        assert user.person == li
    new.log_in(LOGIN, PASSWORD, ADDRESS)


@pytest.mark.usefixtures("li")
def test_two_log_ins_while_a_hash_grows_both_succeed(house: House) -> None:
    """A hash replaced meanwhile by a better one of the same password is no change of password."""
    new = house.process(hasher=Hasher(time_cost=2))
    stronger = house.process()
    with house.meanwhile(lambda: new.log_in(LOGIN, PASSWORD, ADDRESS)):
        assert stronger.log_in(LOGIN, PASSWORD, ADDRESS).token
