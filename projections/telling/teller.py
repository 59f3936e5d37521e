"""Finds the words in which an event is told: names from the register, codes and dates as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from domain.code_sets import CodeSet, CodeSetRef
from domain.deadlines import Due
from domain.decider import SYSTEM, Actor, Role
from domain.register import Entry as Entered
from domain.register import Register
from projections.words import word


class Language(StrEnum):
    """In which language a page or a history speaks."""

    CHINESE = "zh"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Teller:
    """Finds the words: names from the register as they were at `moment_told` (UTC), dates in the hall's zone.

    `code_sets` are all that were ever adopted: what was ticked is told in the words it had then.
    """

    register: Register
    language: Language
    zone: ZoneInfo
    moment_told: datetime | None = None
    code_sets: Mapping[CodeSetRef, CodeSet] = field(default_factory=lambda: MappingProxyType({}))

    def who(self, by: Actor) -> str:
        """Name an actor by post, never by person."""
        if by.person == SYSTEM:
            return word("system", self.language)
        if by.role is Role.CITIZEN:
            return word("citizen", self.language)
        post = None if by.post is None else self.register.posts.get(by.post)
        return word(by.role, self.language) if post is None else self.name(post)

    def department(self, code: str | None) -> str:
        """Name a department."""
        found = None if code is None else self.register.departments.get(code)
        return code or word("unknown", self.language) if found is None else self.name(found)

    def code(self, value: StrEnum | None, kind: str = "") -> str:
        """Name a code; `kind` tells codes of the same spelling apart."""
        return word("unknown" if value is None else f"{kind}{value}", self.language)

    def codes(self, values: Iterable[str], kind: str) -> str:
        """Name several codes of one kind."""
        return ("、" if self.language is Language.CHINESE else ", ").join(
            # A code of another house has no word here: it stands for itself.
            word(kind + one, self.language).removeprefix(kind)
            for one in values
        )

    def ticked(self, codes: Iterable[str], ref: CodeSetRef | None) -> tuple[str, ...]:
        """Name what was ticked, in the words of that set; what it does not know stands for itself."""
        code_set = None if ref is None else self.code_sets.get(ref)
        chinese = self.language is Language.CHINESE
        found = [(code, None if code_set is None else code_set.code(code)) for code in codes]
        return tuple(code if one is None else one.name_zh if chinese else one.name_en for code, one in found)

    def post(self, code: str) -> str:
        """Name a post."""
        found = self.register.posts.get(code)
        return code if found is None else self.name(found)

    def name(self, entered: Entered) -> str:
        """Give the public name of an entry of the register."""
        chinese, english = self.register.names(entered, self.moment_told)
        return chinese if self.language is Language.CHINESE else english

    def due(self, due: Due | None) -> str:
        """Say until when there is time; a provisional date says so."""
        if due is None:
            return word("due_unknown", self.language)
        local = self.moment(due.at)
        return f"{local}{word('provisional', self.language)}" if due.provisional else local

    def moment(self, moment: datetime) -> str:
        """Write a moment as the clock on the wall of the hall shows it."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def late(self, late: bool | None) -> str:  # noqa: FBT001  # three values: yes, no, nobody can know
        """Say whether something was late, where it is known."""
        return "" if late is None else word("late" if late else "on_time", self.language)
