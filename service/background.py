"""What goes on in the background: a thread that looks again and again, and that no error ends."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self

import psycopg
import structlog


class Background(ABC):
    """A thread from `with` to its end; between two looks it rests for `pause` seconds."""

    def __init__(self, name: str, pause: float) -> None:
        self.name = name
        self.pause = pause
        self.stopping = threading.Event()
        self.say = structlog.get_logger(name)
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.thread.is_alive():
            self.thread.join(timeout=30)

    def stop(self) -> None:
        """Ask it to end after the present look, without waiting for it."""
        self.stopping.set()

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopping.wait(self.pause):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # whatever it was: said, and tried again
                self.failed(error)

    @abstractmethod
    def look(self) -> object:
        """Do what there is to do now."""

    def failed(self, error: Exception) -> None:
        """Say that a look failed; never the error's text, which may quote a row."""
        self.say.error(f"{self.name} stopped", kind=type(error).__name__)


class Holding(Background):
    """One with a connection of its own, on which a lock can stay from one look to the next."""

    def __init__(self, name: str, pause: float, dsn: str) -> None:
        super().__init__(name, pause)
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None

    def look(self) -> object:
        """Look over the connection; one that is not there, or did not work, is made anew."""
        if self._connection is None:
            self._connection = psycopg.connect(self._dsn, autocommit=True, application_name=f"bihuan-{self.name}")
        return self.look_over(self._connection)

    @abstractmethod
    def look_over(self, connection: psycopg.Connection) -> object:
        """Do what there is to do now, over the autocommitting connection of one's own."""

    def failed(self, error: Exception) -> None:
        """Say so, and let go of the connection with its locks."""
        super().failed(error)
        self._let_go()

    def run(self) -> None:
        """Look until stopped, then let go."""
        super().run()
        self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
