"""What every form shares: how texts and moments may look, and what is needed to make a command of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Final, Generic, TypeVar, overload
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)

from domain import complaint
from domain.decider import Actor, Code, Command, PersonKey
from domain.sealed import Sealed
from service.eventstore import Beside
from service.sealing import Sealer

LONGEST_TEXT: Final = 20_000
MOST_BYTES: Final = 5_000_000
LONGEST_HALL: Final = 40
FIRST_YEAR: Final = 2
LAST_YEAR: Final = 9998
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _no_nul(text: str) -> str:
    # PostgreSQL and printers alike cut a text there; nothing anybody writes holds one.
    if "\x00" in text:
        raise ValueError("the text holds a NUL character; send it without")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is blank; write at least one word")
    return text


def _written(given: object) -> object:
    # The validator would take a number, also one in quotes, for seconds since 1970, and read "20261122" as that August.
    if isinstance(given, date) or (isinstance(given, str) and DAY.match(given)):
        return given
    raise ValueError("write the day as in 2026-11-22; a number is not read as a time")


def _fits_a_number(code: str) -> str:
    # The parts of a complaint number are told apart by hyphens: a hall `GXQ-20261123` could block the numbers of `GXQ`.
    if len(code) > LONGEST_HALL or "-" in code:
        raise ValueError(f"the code of a hall has at most {LONGEST_HALL} characters, and no hyphen")
    return code


def _utc(moment: datetime) -> datetime:
    # Room on either side, so that it can be told in every zone.
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"the time lies beyond the calendar; send a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


Text = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_no_nul), AfterValidator(_not_blank)
]
"""A text as it was written: never trimmed, never altered, at most 20,000 characters."""

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_nul), AfterValidator(_not_blank)
]
"""A name, a phone number, a heading: at most 200 characters."""

HallCode = Annotated[Code, AfterValidator(_fits_a_number)]
"""The code of a hall; a complaint number holds it with day and running number, and is itself a code of 64."""

Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_utc)]
"""A moment with its offset, in RFC 3339; given in UTC."""

Day = Annotated[date, BeforeValidator(_written)]
"""A day, in RFC 3339."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a form needs to become a command: who acts, when, the sealer, and an id for what the command creates.

    `taken_by` is the clerk at a counter where somebody without an account acts.
    """

    by: Actor
    at: datetime
    sealer: Sealer
    command_id: UUID
    taken_by: PersonKey | None = None

    @overload
    def seal(self, kind: str, text: str) -> Sealed: ...
    @overload
    def seal(self, kind: str, text: str | None) -> Sealed | None: ...
    def seal(self, kind: str, text: str | None) -> Sealed | None:
        """Seal a text under the key of the case, if there is one."""
        return None if text is None else self.sealer.seal(kind, text)

    @property
    def new_id(self) -> UUID:
        """The id of what this command creates; the same when the command is sent again."""
        return uuid5(self.command_id, "made")


C = TypeVar("C", bound=Command)


class CommandForm(BaseModel, Generic[C]):
    """What comes in for one command, on whatever it is given; nothing unknown may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[Code]
    summary: ClassVar[str]

    def command(self, making: Making) -> C:
        """Seal the texts and give the command."""
        raise NotImplementedError

    def made(self, making: Making) -> tuple[C, tuple[Beside, ...]]:
        """Give the command, and statements that belong into the transaction of its append."""
        return self.command(making), ()


class Form(CommandForm[complaint.Command]):
    """What comes in for one command on a complaint."""

    @property
    def others(self) -> tuple[UUID, ...]:
        """The other cases it names: whoever sends it may know of them too."""
        return ()
