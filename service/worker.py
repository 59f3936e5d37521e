"""Projections carried along in the background, restarted with back-off when they stop."""

from __future__ import annotations

import threading
from typing import Final, Self

import psycopg
import structlog

from projections import PROJECTIONS
from projections.runner import Runner

LONGEST_PAUSE: Final = 30.0
"""Seconds between two starts, at most."""


class Worker:
    """One thread that carries every projection; many processes may run one, an advisory lock chooses."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
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
        """Carry on until stopped; an error stops the projections, says so, and is tried again after a pause."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, application_name="bihuan-projections") as connection:
                    runner = Runner(connection, PROJECTIONS)
                    pause = 0.5
                    runner.follow(self._stopping.is_set)
            except Exception as error:  # noqa: BLE001  # whatever it was: say so, and do not leave the pages stale for ever
                # Never the error's text: it may quote a row.
                self._say.error("projections stopped", kind=type(error).__name__, again_in=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
