"""A log to write to and a connection to carry projections with."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from tests.projections.town import Town


@pytest.fixture
def town(pool: ConnectionPool, log_id: UUID) -> Town:
    """An empty log, written to past all rules."""
    return Town(pool, log_id)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """A connection of its own, as a runner needs it."""
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened
