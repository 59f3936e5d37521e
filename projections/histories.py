"""A stream as plain sentences in Chinese and English, and a case as it stood at any moment by either clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from domain.code_sets import CodeSet, CodeSetRef
from domain.handling import HALL_ZONE
from domain.register import Register
from domain.sealed import sealed_values
from projections.runner import Entry, entry
from projections.telling import Language, Teller, say

__all__ = ["STREAM", "Language", "Line", "history", "read_stream"]

NO_CODE_SETS: Final[Mapping[CodeSetRef, CodeSet]] = MappingProxyType({})
STREAM: Final = """
select position, stream_id, version, name, recorded_at, state from events where stream_id = %s order by version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event of a history in words; `sealed` names the values a key holder may open. Times are UTC."""

    position: int
    version: int
    name: str
    at: datetime
    recorded_at: datetime
    who: str
    said: str
    sealed: tuple[str, ...]


def read_stream(
    connection: psycopg.Connection,
    stream: UUID,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Entry]:
    """Read a stream, or what was true at `as_of`, or known at `known_at` (UTC): each a prefix of it (§8)."""
    rows = connection.execute(STREAM, (stream,), binary=True).fetchall()
    return [
        one
        for one in map(entry, rows)
        if (as_of is None or one.event.at <= as_of) and (known_at is None or one.recorded_at <= known_at)
    ]


def history(
    entries: Sequence[Entry],
    register: Register,
    language: Language,
    zone: ZoneInfo = HALL_ZONE,
    code_sets: Mapping[CodeSetRef, CodeSet] = NO_CODE_SETS,
) -> list[Line]:
    """Tell a stream in sentences; offices by their public names, persons only by their posts.

    `code_sets` are the rulebook's, every version of them: without them what a rating ticked is told as bare codes.
    """
    teller = Teller(register, language, zone, code_sets=code_sets)
    return [
        Line(
            position=one.position,
            version=one.version,
            name=one.name,
            at=one.event.at,
            recorded_at=one.recorded_at,
            who=replace(teller, moment_told=one.event.at).who(one.event.by),
            said=say(teller, one.event),
            sealed=tuple(dict.fromkeys(kind for kind, _ in sealed_values(one.event))),
        )
        for one in entries
    ]
