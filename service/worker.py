"""Projections carried along in the background, restarted with back-off when they stop."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg

from projections import PROJECTIONS
from projections.runner import Carried, Runner, Stopped
from service.background import Background

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds between two starts, at first and at most."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How long something that stopped is left alone: `pause` seconds, `until` a moment of the monotonic clock."""

    position: int
    pause: float
    until: float


class Worker(Background):
    """One thread that carries every projection; many processes may run one, an advisory lock chooses.

    A projection that stops rests by itself, the others go on; all rest when the log cannot be read or the database is
    away. Each rest is twice as long as the one before until something has moved.
    """

    def __init__(self, dsn: str, projections: Sequence[Carried] = PROJECTIONS) -> None:
        super().__init__("worker", 0)
        self._dsn = dsn
        self._projections = projections
        self._rests: dict[str | None, Rest] = {}
        self._connected = 0

    def look(self) -> None:
        """Carry on what is awake, until it is stopped or something that rests wakes up."""
        now = time.monotonic()
        resting = {name: rest for name, rest in self._rests.items() if rest.until > now}
        wakes = min((rest.until for rest in resting.values()), default=math.inf)
        awake = [one for one in self._projections if one.table not in resting]
        if None in resting or not awake:
            self.stopping.wait(wakes - now)
            return
        with psycopg.connect(self._dsn, autocommit=True, application_name="bihuan-projections") as connection:
            self._connected += 1
            Runner(connection, awake).follow(partial(self._enough, wakes))

    def failed(self, error: Exception) -> None:
        """Let what stopped rest, or all of them where it is not known what it was."""
        if isinstance(error, Stopped):
            self._rest(error.projection, error.position, error.reason)
        else:
            self._rest(None, self._connected, type(error).__name__)

    def _enough(self, wakes: float) -> bool:
        return self.stopping.is_set() or time.monotonic() >= wakes

    def _rest(self, projection: str | None, position: int, reason: str) -> None:
        before = self._rests.get(projection)
        again = before is not None and before.position == position
        pause = min(before.pause * 2, LONGEST_PAUSE) if before is not None and again else FIRST_PAUSE
        self._rests[projection] = Rest(position=position, pause=pause, until=time.monotonic() + pause)
        self.say.error(
            "projection stopped", projection=projection or "all", position=position, reason=reason, again_in=pause
        )
