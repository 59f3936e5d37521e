"""An empty house, one process of it, and a person with an account."""

from __future__ import annotations

import pytest
from psycopg_pool import ConnectionPool

from domain.decider import PersonKey
from service.accounts import (
    Accounts,
)
from tests.service.accounts.house import (
    LOGIN,
    NAME,
    PASSWORD,
    House,
)


@pytest.fixture
def house(pool: ConnectionPool) -> House:
    """An empty house."""
    return House(pool)


@pytest.fixture
def accounts(house: House) -> Accounts:
    """The accounts as one process sees them."""
    return house.process()


@pytest.fixture
def li(accounts: Accounts) -> PersonKey:
    """A person with an account."""
    return accounts.add(LOGIN, NAME, password=PASSWORD).person
