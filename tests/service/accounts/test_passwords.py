"""Which passwords may be chosen, and how long one that was given lasts."""

from __future__ import annotations

from datetime import timedelta

import argon2
import pytest

from service.accounts import (
    Accounts,
    LogInFailed,
    WrongPassword,
)
from service.passwords import COMMONEST, SHORTEST, Passwords, WeakPassword, folded, require_strong
from tests.service.accounts.house import (
    ADDRESS,
    LOGIN,
    NAME,
    NEW,
    PASSWORD,
    POST,
    House,
    refusal_of,
)

postgres = pytest.mark.postgres


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("eleven char", "short"),
        ("li.na.li.na.", "log-in"),
        ("LI.NA" + "12345678901", "log-in"),
        ("p" * 1025, "long"),
        ("aaaaaaaaaaaaaa", "common"),
        ("abcabcabcabc", "common"),
        ("password1234", "common"),
        ("Correct Horse, Battery Staple!", "common"),
        ("ＰＡＳＳＷＯＲＤ１２３４", "common"),
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password: str, why: str) -> None:
    """Length counts without the log-in; spaces, case and width disguise nothing."""
    refused = refusal_of(lambda: require_strong(password, LOGIN))
    assert isinstance(refused, WeakPassword)
    assert refused.facts == {"why": why}


@pytest.mark.parametrize("password", [PASSWORD, NEW, "诚信建设投诉窗口事事有回应", "li.na-kettle of rivers"])
def test_long_passwords_need_no_special_characters(password: str) -> None:
    """Words are enough, in any script."""
    require_strong(password, LOGIN)


def test_every_common_password_in_the_list_can_be_met() -> None:
    """No entry is shorter than the rule or spelled as it is never compared."""
    assert len(COMMONEST) > 100
    assert [p for p in COMMONEST if len(p) < SHORTEST or p != folded(p) or not p.isalnum()] == []


@pytest.mark.parametrize(
    "hasher",
    [
        argon2.PasswordHasher(),
        argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=16, salt_len=8),
    ],
    ids=["usual", "cheap"],
)
def test_a_log_in_of_nobody_costs_what_any_other_does(hasher: argon2.PasswordHasher) -> None:
    """What an unknown log-in is compared with has the settings and the length of a real hash, and no password."""
    passwords = Passwords(hasher, b"secret", at_once=1, waiting=0, patience=1)
    real, nothing = passwords.hash(PASSWORD), passwords._nobodys
    assert argon2.extract_parameters(nothing) == argon2.extract_parameters(real)
    assert [len(part) for part in nothing.split("$")] == [len(part) for part in real.split("$")]
    assert not passwords.verify(None, PASSWORD).right
    assert passwords.verify(real, PASSWORD).right
    assert nothing != Passwords(hasher, b"secret", at_once=1, waiting=0, patience=1)._nobodys


@postgres
def test_a_password_is_the_same_however_the_keyboard_composes_it(accounts: Accounts) -> None:
    """An é typed as one character or as two is one password."""
    accounts.add("rene", "René", password="ren\u00e9 on the old quay")
    accounts.log_in("rene", "rene\u0301 on the old quay", ADDRESS)


@postgres
def test_a_one_time_password_must_be_changed(accounts: Accounts) -> None:
    """It is given once, says at log-in that it must be changed, and works no more after the change."""
    made = accounts.add(LOGIN, NAME, password=None)
    assert made.password is not None
    session = accounts.log_in(LOGIN, made.password, ADDRESS)
    assert session.must_change
    user = accounts.session(session.token)
    assert user is not None
    assert user.must_change
    accounts.change_password(made.person, made.password, NEW, keep=session.token)
    user = accounts.session(session.token)
    assert user is not None
    assert not user.must_change
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, made.password, ADDRESS)
    assert not accounts.log_in(LOGIN, NEW, ADDRESS).must_change


@postgres
def test_a_one_time_password_lapses(house: House, accounts: Accounts) -> None:
    """After its seven days a note found in a drawer opens nothing, neither by log-in nor by a change."""
    made = accounts.add(LOGIN, NAME, password=None)
    password = made.password or ""
    house.age("accounts", "change_by", timedelta(days=7, seconds=1))
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, password, ADDRESS)
    with pytest.raises(WrongPassword):
        accounts.change_password(made.person, password, NEW)
    accounts.log_in(LOGIN, accounts.reset_password(LOGIN).password, ADDRESS)


@postgres
def test_what_is_shown_once_is_not_shown_by_accident(accounts: Accounts) -> None:
    """No value prints a password or a token, as a log or a traceback would."""
    made = accounts.add(LOGIN, NAME, password=None)
    reset = accounts.reset_password(LOGIN)
    session = accounts.log_in(LOGIN, reset.password, ADDRESS)
    token = accounts.add_token(made.person, POST, "kiosk", 30)
    user = accounts.session(session.token)
    shown = repr([made, reset, session, token, user])
    for hidden in (made.password, reset.password, session.token, session.csrf, token.token):
        assert hidden
        assert hidden not in shown
