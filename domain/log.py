"""The log's own story: it was taken back to an earlier state, and a new epoch began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import uuid5

from domain.decider import NAMESPACE, Command, Decider, Event, For, Instant, Role
from domain.errors import NotKept, NotYourRole
from domain.handling import not_later

STREAM: Final = uuid5(NAMESPACE, "log")
"""The one stream of what happens to the log itself."""

FIRST: Final = 1
"""The epoch in which every log begins."""

RECORDS: Final = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})
"""Who may say that the log was taken back (our design): the program that restores, or whoever runs the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The epoch that runs; `kept` is the last position kept when it began, nothing while the log only went forward."""

    number: int = FIRST
    kept: int | None = None


# Events. These names and shapes are the storage format: a changed shape is a new number with an upcast.


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Event):
    """The log was taken back to an earlier state: positions after `kept` may have meant other events before.

    `epoch` is the number of the epoch that begins; `taken_at` is when the backup was made, nothing if it was taken
    back by other means.
    """

    kept: int
    epoch: int
    taken_at: Instant | None


LogEvent: TypeAlias = Restored


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRestore(Command):
    """Record that the log was taken back, and begin a new epoch.

    `kept` is the last position known to be as it was, `held` the last one the log held when this was asked; `taken_at`
    is when the backup was made (UTC), if there was one. `known` is the highest epoch anybody saw outside the log: a
    log that is taken back twice to one backup does not remember the first time.
    """

    kept: int
    held: int
    taken_at: datetime | None
    known: int = FIRST


LogCommand: TypeAlias = RecordRestore


def decide(epoch: Epoch, command: LogCommand, _facts: object = None) -> Sequence[Event | For]:
    """Answer with the new epoch. Raises NotYourRole, NotKept, NotYetHappened."""
    if command.by.role not in RECORDS:
        raise NotYourRole(role=command.by.role, command="record-restore")
    # The mark of the last time stands after what was kept then, and is here: so at least that was kept this time.
    least = 0 if epoch.kept is None else epoch.kept + 1
    if not least <= command.kept <= command.held:
        raise NotKept(kept=command.kept, least=least, most=command.held)
    return [
        Restored(
            at=command.at,
            by=command.by,
            kept=command.kept,
            epoch=max(epoch.number, command.known) + 1,
            taken_at=not_later(command.taken_at, command.at),
        )
    ]


def evolve(_epoch: Epoch, event: LogEvent) -> Epoch:
    """Take one event in; never refuses."""
    return Epoch(number=event.epoch, kept=event.kept)


LOG: Final[Decider[Epoch, LogCommand, LogEvent, object]] = Decider("log", Epoch(), decide, evolve, (Restored,))
