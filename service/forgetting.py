"""Erases the marks of devices and networks when their time is over: what events name then leads nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import psycopg
import structlog

EVERY: Final = timedelta(days=1)
"""How long it rests once nothing is left to erase."""
PORTION: Final = 500
"""How many marks are erased in one transaction."""
PORTIONS: Final = 10
"""How many portions in one look, so that what else waits for the clock waits no longer."""
LONGEST: Final = 36_500
"""More natural days than that are for ever."""

_MARKS: Final = """
    delete from vault.subjects where (kind, mac) in (
        select kind, mac from vault.subjects where kind in ('device', 'network') and created_at < %s
        order by created_at limit %s)
    returning subject_key"""
_SKETCHES: Final = "delete from vault.sketches where subject_key = any(%s)"


class Forgetting:
    """Erases marks of devices and networks that are older than so many natural days, once a day, in portions.

    A device that comes again has a new key, and no earlier rating of it can be told from a stranger's. Marks of persons
    stay: they go with the person (docs/decisions/0014).
    """

    def __init__(self, days: int, stopping: Callable[[], bool] = lambda: False) -> None:
        self._age = timedelta(days=min(days, LONGEST))
        self._stopping = stopping
        self._rests_until: datetime | None = None
        self._say = structlog.get_logger("forgetting")

    def round(self, connection: psycopg.Connection, now: datetime) -> int:
        """Erase what is too old at a moment (UTC), over an autocommitting connection; give how many marks went.

        What is left after that many portions goes in the next round.
        """
        if self._rests_until is not None and now < self._rests_until:
            return 0
        erased = 0
        for _ in range(PORTIONS):
            if self._stopping():
                return erased
            gone = _portion(connection, now - self._age)
            erased += gone
            if gone < PORTION:
                self._rests_until = now + EVERY
                break
        if erased:
            self._say.info("marks erased", marks=erased)
        return erased


def _portion(connection: psycopg.Connection, before: datetime) -> int:
    with connection.transaction():
        connection.execute("set local synchronous_commit to on")
        keys = [key for (key,) in connection.execute(_MARKS, (before, PORTION))]
        # A second statement: it sees the sketch of a rating that held on to its mark until just now.
        connection.execute(_SKETCHES, (keys,))
    return len(keys)
