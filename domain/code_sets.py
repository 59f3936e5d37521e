"""Versioned sets of detail codes: what a reviewer may tick, each code for one grade only (domain.md §7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.decider import Code, PublicName
from domain.errors import AlreadyThere
from domain.grade import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailCode:
    """One thing a reviewer may tick; `in_use`: it may still be, `shown`: it is offered before more is asked for."""

    code: Code
    grade: Grade
    name_zh: PublicName
    name_en: PublicName
    in_use: bool
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSet:
    """A set of codes as it holds from its adoption on; `source` is where it was read."""

    name: Code
    version: int
    source: Code
    codes: tuple[DetailCode, ...]

    def code(self, wanted: Code) -> DetailCode | None:
        """Give a code, retired or not."""
        return next((one for one in self.codes if one.code == wanted), None)

    @property
    def ref(self) -> CodeSetRef:
        """Give the set's name and version."""
        return CodeSetRef(name=self.name, version=self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSetRef:
    """The set that codes were taken from."""

    name: Code
    version: int


def whole(code_set: CodeSet) -> None:
    """Refuse a set that holds a code twice; raises AlreadyThere."""
    codes = [one.code for one in code_set.codes]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise AlreadyThere(value=twice)
