"""How a command comes in and what it did: the words between the casebook and whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from domain.decider import Command, Event
from domain.errors import Refused
from domain.sealed import Similar
from service.eventstore import Beside

C = TypeVar("C", bound=Command)


class KeyReused(Refused):
    """This idempotency key was used for something else."""

    code = "key-reused"
    then = "Send what you sent first, or use a new key."


class Stale(Refused):
    """The case has moved since you read it."""

    code = "stale"
    then = "Read it again and decide whether you still want this."


class Busy(Refused):
    """Too many people act on the same thing at once."""

    code = "busy"
    then = "Try again in a moment; with the same idempotency key nothing happens twice."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a command comes in: under which id, from where, seen at which version.

    `mac` is a keyed hash of the request; `beside` are statements for the append's transaction; `moment` is the time an
    import or a replay gives (UTC), else the database's clock is taken. `similar` was measured before sealing.
    """

    command_id: UUID
    source: str
    name: str
    expected: int | None = None
    mac: bytes | None = None
    beside: tuple[Beside, ...] = ()
    moment: datetime | None = None
    cause: UUID | None = None
    similar: tuple[Similar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[C]):
    """One of many commands that are given together: on which stream, what, and how it was asked."""

    stream: UUID
    command: C
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did: its events, the stream's version and the log's position after it.

    `repeated`: it was in the log already; `sent`: by a try of this very call, whose answer was lost.
    """

    stream: UUID
    version: int
    position: int
    events: tuple[Event, ...] = ()
    repeated: bool = False
    sent: bool = False
