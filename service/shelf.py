"""Register and rulebook as they were last read: folded once per process, brought up to date when they have moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.decider import Decider
from projections.codec import decode
from service.eventstore import Recorder

S = TypeVar("S")


@dataclass(slots=True)
class Shelf(Generic[S]):
    """One stream that every decision needs."""

    decider: Decider[S, Any, Any, Any]
    stream: UUID
    state: S = field(init=False)
    version: int = 0
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.state = self.decider.initial

    def at(self, version: int, recorder: Recorder) -> tuple[S, int]:
        """Give the state at this version or a later one, and which version it is."""
        with self.lock:
            if version > self.version:
                stored = recorder.select_events(self.stream, gt=self.version)
                self.state = self.decider.fold((decode(e.topic, e.state)[0] for e in stored), self.state)
                self.version = max([self.version, *(e.originator_version for e in stored)])
            return self.state, self.version
