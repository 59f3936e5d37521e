"""Requests that come while another is being written share the next write: one look, one append, one flush for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

import structlog

A = TypeVar("A")
R = TypeVar("R")


@dataclass(slots=True)
class _Place(Generic[A, R]):
    """Where one request waits: until it is its turn to lead, or somebody has done it along."""

    ask: A
    ready: Event = field(default_factory=Event)
    result: R | None = None
    error: Exception | None = None
    done: bool = False


class Together(Generic[A, R]):
    """Gives what comes in at the same time as one group; whoever comes first leads, without a thread of its own.

    `many` does a group, in its order, with a result for each; where it raises, `one` does each alone, so that what goes
    wrong with one is nobody else's. Only what is in `stop` is raised for all of them: done alone, a thing that was
    written already would be found done, and the error hidden.
    """

    def __init__(
        self,
        many: Callable[[Sequence[A]], Sequence[R]],
        one: Callable[[A], R],
        most: int = 64,
        stop: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> None:
        self._many = many
        self._one = one
        self._most = most
        self._stop = stop
        self._lock = Lock()
        self._waiting: list[_Place[A, R]] = []
        self._led = False

    def give(self, ask: A) -> R:
        """Have one thing done, in whatever company; gives its result, or raises what `one` raises or is in `stop`."""
        place: _Place[A, R] = _Place(ask)
        with self._lock:
            self._waiting.append(place)
            leads, self._led = not self._led, True
        if not leads:
            place.ready.wait()
        if not place.done:
            self._lead()
        if place.error is not None:
            raise place.error
        if place.result is None:
            return self._one(ask)
        return place.result

    def _lead(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            for place, result in zip(group, self._many([place.ask for place in group]), strict=True):
                place.result = result
        except self._stop as error:
            for place in group:
                place.error = error
        except Exception as error:  # noqa: BLE001  # each of them meets its own error when it is done alone
            structlog.get_logger("grouping").warning("one by one", things=len(group), why=type(error).__name__)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            for place in group:
                place.done = True
                place.ready.set()
            if following is not None:
                following.ready.set()
