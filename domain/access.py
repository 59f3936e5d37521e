"""What stands beside a case without moving it: who opened sealed values, and which attempts were refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.decider import Code, Event


class Purpose(StrEnum):
    """Why somebody opens sealed values."""

    HANDLING = "handling"
    REVISIT = "revisit"
    SUPERVISION = "supervision"
    OWN_CASE = "own_case"
    WARRANT = "warrant"
    NOTICE = "notice"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """Somebody opened sealed values of a case; once per person, purpose and quarter of an hour.

    `warrant` is the number of the document that allows it where processing is restricted (domain.md §11.2).
    """

    case: UUID
    purpose: Purpose
    fields: tuple[Code, ...]
    warrant: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRefused(Event):
    """Somebody tried what the separation of duties forbids."""

    case: UUID
    code: Code
    command: Code


AccessEvent: TypeAlias = Opened | AttemptRefused
