"""Who has an account, and what a copy of the database gives away: nothing."""

from __future__ import annotations

import base64
from hashlib import sha256
from uuid import uuid4

import argon2
import pytest
from argon2.exceptions import VerifyMismatchError
from cryptography.exceptions import InvalidTag

from domain.decider import PersonKey
from service.accounts import (
    Accounts,
    LogInFailed,
    LogInTaken,
)
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

pytestmark = pytest.mark.postgres


def test_who_has_an_account_logs_in_and_is_known_by_name(accounts: Accounts, li: PersonKey) -> None:
    """The session says who it is; log-in and name come back as they were typed."""
    session = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    user = accounts.session(session.token)
    assert user is not None
    assert (user.person, user.post, user.must_change, user.csrf) == (li, None, False, session.csrf)
    assert (accounts.login_of(li), accounts.name_of(li)) == (LOGIN, NAME)
    nobody = PersonKey(uuid4())
    assert (accounts.login_of(nobody), accounts.name_of(nobody)) == (None, None)


@pytest.mark.usefixtures("li")
@pytest.mark.parametrize("same", ["LI.NA", "ｌｉ．ｎａ", "Li.Na"])
def test_log_ins_that_look_alike_are_the_same(accounts: Accounts, same: str) -> None:
    """Case and width make no second account, and either way of typing logs in."""
    with pytest.raises(LogInTaken):
        accounts.add(same, "somebody else", password=PASSWORD)
    accounts.log_in(same, PASSWORD, ADDRESS)


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("", NAME),
        ("li na", NAME),
        ("li\u200bna", NAME),
        ("li\x00", NAME),
        ("l" * 65, NAME),
        ("\ud800", NAME),
        (LOGIN, ""),
        (LOGIN, "  "),
        (LOGIN, "two\nlines"),
        (LOGIN, "\x00"),
        (LOGIN, "\udfff"),
        (LOGIN, "n" * 101),
    ],
)
def test_a_log_in_or_name_that_cannot_be_typed_is_refused(
    house: House, accounts: Accounts, login: str, name: str
) -> None:
    """It is refused with what to do, and no account comes into being."""
    assert refusal_of(lambda: accounts.add(login, name, password=None)).then
    assert house.rows("SELECT person FROM accounts.accounts") == []


@pytest.mark.parametrize("name", ["𬭎", "阿·古拉", "ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ", "\ue000", "\U000323b0"])
def test_rare_names_are_kept_whole(accounts: Accounts, name: str) -> None:
    """Characters beyond the common plane, private and newer ones, and Mongolian come back as they were."""
    assert accounts.name_of(accounts.add(name.replace("\u202f", ""), name, password=PASSWORD).person) == name


def test_no_stored_value_logs_in(house: House, accounts: Accounts, li: PersonKey) -> None:
    """Digests and hashes of stolen rows open nothing; without the vault not even a right guess can be checked."""
    session = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    token = accounts.add_token(li, POST, "kiosk", 30)
    ((secret,),) = house.rows("SELECT secret FROM accounts.accounts")
    stored = [value for row in house.rows("SELECT token_hash FROM accounts.sessions") for value in row]
    stored += [value for row in house.rows("SELECT token_hash FROM accounts.tokens") for value in row]
    for value in stored:
        for spelled in (value.hex(), base64.urlsafe_b64encode(value).decode(), value.decode("latin-1")):
            assert accounts.session(spelled) is None
            assert accounts.token(spelled) is None
            assert accounts.token("bh_" + spelled) is None
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, secret, ADDRESS)
    for keyed in (PASSWORD, sha256(PASSWORD.encode()).digest()):
        with pytest.raises(VerifyMismatchError):
            argon2.PasswordHasher().verify(secret, keyed)
    assert accounts.session(session.token) is not None
    assert accounts.token(token.token) is not None


def test_a_dump_names_nobody(house: House, accounts: Accounts, li: PersonKey) -> None:
    """In no table is a log-in, a name, an address, a password or a token, spelled in any of the usual ways."""
    session = accounts.log_in(LOGIN, PASSWORD, ADDRESS)
    token = accounts.add_token(li, POST, "kiosk", 30).token
    with pytest.raises(LogInFailed):
        accounts.log_in(LOGIN, NEW, ADDRESS)
    with pytest.raises(LogInFailed):
        accounts.log_in("who.ever", NEW, ADDRESS)
    tables = house.rows(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    dump = "\n".join(row[0] for (table,) in tables for row in house.rows(f"SELECT t::text FROM {table} t"))  # noqa: S608 - names come from the catalogue
    assert dump.count(str(li)) == 3
    for hidden in (LOGIN, NAME, ADDRESS, PASSWORD, "who.ever", session.token, session.csrf, token):
        plain = hidden.encode()
        for spelled in (hidden, plain.hex(), base64.b64encode(plain).decode(), sha256(plain).hexdigest()):
            if spelled == sha256(session.token.encode()).hexdigest() or spelled == sha256(token.encode()).hexdigest():
                continue  # this is what is stored: of 256 random bits it tells nothing
            assert spelled not in dump, hidden


@pytest.mark.usefixtures("li")
def test_a_guess_at_a_log_in_cannot_be_checked_without_the_vault(house: House) -> None:
    """Under another secret the same log-in has another key, and is not found."""
    stranger = House(house.pool)
    with pytest.raises(LogInFailed):
        stranger.process().log_in(LOGIN, PASSWORD, ADDRESS)
    stranger.process().add(LOGIN, NAME, password=PASSWORD)
    assert house.rows("SELECT count(DISTINCT login_key) FROM accounts.accounts") == [(2,)]


def test_a_name_cannot_be_put_on_somebody_else(house: House, accounts: Accounts, li: PersonKey) -> None:
    """A box moved to another row does not open there."""
    wang = accounts.add("wang", "王", password=PASSWORD).person
    with house.pool.connection() as connection:
        connection.execute(
            "UPDATE accounts.accounts SET name_box = o.name_box FROM accounts.accounts o"
            " WHERE accounts.person = %s AND o.person = %s",
            [wang, li],
        )
    assert accounts.name_of(li) == NAME
    with pytest.raises(InvalidTag):
        accounts.name_of(wang)
