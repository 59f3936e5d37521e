"""What the adapters are made of: a rating in our words, and tables of codes that refuse what does not stand in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from domain.decider import Code, Instant
from domain.grade import Grade
from domain.review import ReviewChannel

CHINA: Final = ZoneInfo("Asia/Shanghai")
"""The zone of every local time in both standards."""
LONGEST_CASE_NUMBER: Final = 50
SHAPE: Final = r"(?!^[._:/-])[A-Za-z0-9._:/-]"

M = TypeVar("M", bound=StrEnum)


class Unmapped(ValueError):
    """Something cannot be said in the other house's words, or they said something we have no word for.

    The message names the field, what stands there and what may.
    """

    def __init__(self, field: str, value: object, instead: str) -> None:
        self.field = field
        super().__init__(f"{field} is {value!r}; {instead}")


@dataclass(frozen=True, slots=True)
class Table(Generic[M]):
    """The codes of one field, each with one meaning of ours. Raises ValueError where two meanings share a code."""

    field: str
    codes: Mapping[M, str]

    def __post_init__(self) -> None:
        if len(set(self.codes.values())) < len(self.codes):
            raise ValueError(f"{self.field}: two meanings share a code; give each its own")

    def code(self, meaning: M) -> str:
        """Give the code of a meaning. Raises Unmapped where the other house has none."""
        if meaning not in self.codes:
            raise Unmapped(self.field, meaning, f"there is a code only for {', '.join(self.codes)}")
        return self.codes[meaning]

    def meaning(self, code: str) -> M:
        """Give the meaning of a code, to the letter: nothing is trimmed or guessed. Raises Unmapped."""
        for meaning, known in self.codes.items():
            if known == code:
                return meaning
        raise Unmapped(self.field, code, f"write one of {', '.join(sorted(self.codes.values()))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What another house is told of a rating, or tells us; service numbers count from 1, and moments are UTC.

    A follow-up is a rating of its own there, under the number of the first one.
    """

    project_no: Code
    service_number: int
    follow_up: bool
    grade: Grade
    codes: tuple[Code, ...]
    channel: ReviewChannel
    rated_at: Instant


def case_number(field: str, text: str) -> Code:
    """Give the number of a case, as long as both standards allow (an..50). Raises Unmapped: nothing is cut off."""
    if re.fullmatch(rf"{SHAPE}{{1,{LONGEST_CASE_NUMBER}}}", text) is None:
        raise Unmapped(field, text, f"write 1 to {LONGEST_CASE_NUMBER} letters, digits or . _ : / - and no space")
    return text


def number(field: str, text: str, *, most: int) -> int:
    """Read a number from 1 on, without leading zeros. Raises Unmapped."""
    if re.fullmatch(r"[1-9][0-9]{0,8}", text) is None or int(text) > most:
        raise Unmapped(field, text, f"write a number from 1 to {most}, without leading zeros")
    return int(text)


def told(fields: Mapping[str, str], field: str) -> str:
    """Give what stands in a field. Raises Unmapped where the field is missing."""
    if field not in fields:
        raise Unmapped(field, None, "the field is missing")
    return fields[field]


def local(moment: datetime, pattern: str) -> str:
    """Write a moment (UTC) as local time of China, to the second it fell in."""
    return moment.astimezone(CHINA).strftime(pattern)


def utc(field: str, text: str, pattern: str) -> datetime:
    """Read a local time of China, written exactly so. Raises Unmapped."""
    try:
        # The time is made China's own in the next step.
        naive = datetime.strptime(text, pattern)  # noqa: DTZ007
    except ValueError:
        naive = None
    if naive is None or naive.strftime(pattern) != text:
        raise Unmapped(field, text, f"write a local time as {datetime(2026, 2, 3, 14, 5, 6).strftime(pattern)}")  # noqa: DTZ001
    return naive.replace(tzinfo=CHINA).astimezone(UTC)
