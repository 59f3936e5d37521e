"""The limits of a row in three columns that go together: which clock, until when, and whether that may still move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

from domain.deadlines import Due

C = TypeVar("C", bound=StrEnum)
Limits: TypeAlias = tuple[tuple[C, ...], tuple[datetime, ...], tuple[bool, ...]]


def limit_of(limits: Limits[C], clock: C) -> tuple[datetime | None, bool]:
    """Give until when there is time by one clock (UTC), and whether that may still move."""
    clocks, dues, provisional = limits
    if clock not in clocks:
        return None, False
    place = clocks.index(clock)
    return dues[place], provisional[place]


def with_limits(limits: Limits[C], changed: Mapping[C, Due | None]) -> Limits[C]:
    """Give the columns after some limits were set; one that nobody knows any more is gone."""
    told = {clock: (due, provisional) for clock, due, provisional in zip(*limits, strict=True)}
    for clock, limit in changed.items():
        told.pop(clock, None)
        if limit is not None:
            told[clock] = (limit.at, limit.provisional)
    return tuple(told), tuple(due for due, _ in told.values()), tuple(moves for _, moves in told.values())
