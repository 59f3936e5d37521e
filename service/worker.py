"""Projections carried along in the background, restarted with back-off when they stop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import psycopg
import structlog

from projections import PROJECTIONS
from projections.runner import Carried, Runner, Stopped

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds between two starts, at first and at most."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How long something that stopped is left alone: `pause` seconds, `until` a moment of the monotonic clock."""

    position: int
    pause: float
    until: float


class Worker:
    """One thread that carries every projection; many processes may run one, an advisory lock chooses.

    A projection that stops rests by itself, the others go on; all rest when the log cannot be read or the database is
    away. Each rest is twice as long as the one before until something has moved.
    """

    def __init__(self, dsn: str, projections: Sequence[Carried] = PROJECTIONS) -> None:
        self._dsn = dsn
        self._projections = projections
        self._rests: dict[str | None, Rest] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="projections", daemon=True)
        self._say = structlog.get_logger("worker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(timeout=10)

    def stop(self) -> None:
        """Ask it to stop after the present page."""
        self._stopping.set()

    def run(self) -> None:
        """Carry on until stopped; an error stops a projection, is said, and tried again after a pause."""
        connected = 0
        while not self._stopping.is_set():
            now = time.monotonic()
            resting = {name: rest for name, rest in self._rests.items() if rest.until > now}
            wakes = min((rest.until for rest in resting.values()), default=math.inf)
            awake = [one for one in self._projections if one.table not in resting]
            if None in resting or not awake:
                self._stopping.wait(wakes - now)
                continue
            try:
                with psycopg.connect(self._dsn, autocommit=True, application_name="bihuan-projections") as connection:
                    connected += 1
                    Runner(connection, awake).follow(partial(self._enough, wakes))
            except Stopped as stopped:
                self._rest(stopped.projection, stopped.position, stopped.reason)
            except Exception as error:  # noqa: BLE001  # whatever it was: say so, and do not leave the pages stale for ever
                # Never the error's text: it may quote a row.
                self._rest(None, connected, type(error).__name__)

    def _enough(self, wakes: float) -> bool:
        return self._stopping.is_set() or time.monotonic() >= wakes

    def _rest(self, projection: str | None, position: int, reason: str) -> None:
        before = self._rests.get(projection)
        again = before is not None and before.position == position
        pause = min(before.pause * 2, LONGEST_PAUSE) if before is not None and again else FIRST_PAUSE
        self._rests[projection] = Rest(position=position, pause=pause, until=time.monotonic() + pause)
        self._say.error(
            "projection stopped", projection=projection or "all", position=position, reason=reason, again_in=pause
        )
