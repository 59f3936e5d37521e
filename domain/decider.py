"""The shapes that every rule, every event and every reader share.

`decide` may refuse, `evolve` never does: a history must always load, whatever rules come later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import reduce
from typing import Annotated, Any, Final, Generic, NewType, TypeVar
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("6f1b7c52-8c0e-5d7a-9a55-0b1d4e8e2c11")
"""Root of every name-based identifier of ours (uuid5). Stored events depend on it: it never changes."""

PersonKey = NewType("PersonKey", UUID)
"""An opaque key of one person: staff, citizen or the system itself; never a name, a log-in or an id number."""

SYSTEM: Final = PersonKey(uuid5(NAMESPACE, "person:system"))
"""The person of timers, imports and the first set-up."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a plain text of an event may look like, so that no sentence can hide in a code.

    The codec checks it when an event is written and when it is read; the method below is the hook of the
    validation library, spelled without importing it, because the rules need only Python.
    """

    pattern: str
    longest: int

    def fits(self, text: str) -> bool:
        """Say whether `text` has this shape."""
        return len(text) <= self.longest and re.fullmatch(self.pattern, text) is not None

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Give the validation library the same limits."""
        # `\A...\z` is the anchoring of the validator's regex engine; `$` would let a final line break through.
        return {**handler(source), "pattern": rf"\A(?:{self.pattern})\z", "max_length": self.longest}


@dataclass(frozen=True, slots=True)
class InUtc:
    """A moment in UTC; a naive time, or one with another offset, is refused when it is written or read."""

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Give the validation library the same rule."""
        return {**handler(source), "tz_constraint": 0}


Code = Annotated[str, Shape(r"[A-Za-z0-9][A-Za-z0-9._:/-]*", 64)]
"""A word from a list, a number or a key: ASCII, at most 64 characters, no space."""

# Left out besides control characters: what ends a line, and what turns the direction of writing to hide or fake a name.
PublicName = Annotated[str, Shape(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+", 200)]
"""The public name of an office, a window or a rule: one line, at most 200 characters. Never about a person."""

Digest = Annotated[str, Shape(r"[0-9a-f]{64}", 64)]
"""SHA-256 of a ciphertext, in hexadecimal."""

Instant = Annotated[datetime, InUtc()]
"""A moment, in UTC."""


class Role(StrEnum):
    """In what capacity somebody acts (domain.md §6.2)."""

    CITIZEN = "citizen"
    INTAKE = "intake"
    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    UNIT_HEAD = "unit_head"
    REVIEWER = "reviewer"
    REVISIT_OFFICER = "revisit_officer"
    SUPERVISOR = "supervisor"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    SYSTEM = "system"
    PUBLIC = "public"
    ADMINISTRATOR = "administrator"
    RESPONDENT = "respondent"
    VERIFIER = "verifier"
    PANEL = "panel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person, in a post and a role, perhaps for somebody else."""

    person: PersonKey
    post: Code | None = None
    role: Role
    on_behalf_of: PersonKey | None = None

    @property
    def persons(self) -> frozenset[PersonKey]:
        """The person and the mandator: separation of duties looks at both, never at posts."""
        return frozenset({self.person} if self.on_behalf_of is None else {self.person, self.on_behalf_of})

    @property
    def principal(self) -> PersonKey:
        """Whose business it is: what a deputy takes over belongs to whoever is absent."""
        return self.person if self.on_behalf_of is None else self.on_behalf_of


THE_SYSTEM: Final = Actor(person=SYSTEM, role=Role.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, said in the past tense, true for ever."""

    at: Instant
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody asks for: well-formed, not yet allowed. `at` is set by the casebook, never by a client."""

    at: datetime
    by: Actor

    def others(self, state: object) -> tuple[UUID, ...]:  # noqa: ARG002 - what most commands need not know
        """Give the other streams of the same kind that this is decided on, for a state of the own one."""
        return ()


@dataclass(frozen=True, slots=True)
class For:
    """An event for another stream, appended in the same transaction."""

    stream: UUID
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What stands beside an event: the command that caused it, how it came in, and what caused the command.

    `register` and `rulebook` are the versions of those streams at the decision: with them, who held which post and
    which rule held can be looked up again. None where nothing was decided.
    """

    command: Code
    source: Code
    cause: UUID | None = None
    register: int | None = None
    rulebook: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event in its place: stream and version (from 1)."""

    stream: UUID
    version: int
    event: Event
    metadata: Metadata

    @property
    def originator_id(self) -> UUID:
        """The stream, under the name the event-sourcing library asks for."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, under the name the event-sourcing library asks for."""
        return self.version


S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, C, E, F]):
    """A machine: where it starts, what it answers, what it becomes. The module name is its namespace."""

    noun: str
    initial: S
    decide: Callable[[S, C, F], Sequence[Event | For]]
    evolve: Callable[[S, E], S]
    events: tuple[type[Event], ...] = field(default=())

    def fold(self, events: Iterable[E], state: S | None = None) -> S:
        """Give the state after `events`, starting from `state` or from the beginning."""
        return reduce(self.evolve, events, self.initial if state is None else state)


def beside(case: UUID, kind: str) -> UUID:
    """Give the stream that stands beside a case: `attempts` or `access`."""
    return uuid5(case, kind)
