"""The synthetic hall as its story needs it: windows and items of each department, posts with their roles, phrases."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from domain.decider import Actor, Code
from domain.register import Department, Item, Post, Window, WindowKind
from service.adoption import read_register
from service.demo.people import Cast

FILE: Final = "hall.toml"
CENTRE: Final[Code] = "GXQ"
OFFICE: Final[Code] = "ZX"
"""The department that runs the hall itself."""
STREETS: Final = ("XH", "YL", "TX")
BUSINESS: Final[Mapping[Code, int]] = {
    "SJ": 18, "SP": 14, "RS": 14, "YB": 13, "GA": 10, "SW": 9, "BDC": 11, "GJJ": 8, "ZJ": 7, "ZX": 6,
}  # fmt: skip
"""How often each department is complained of, as weights."""


def hall_text() -> str:
    """Give the register file."""
    return files("service.demo").joinpath(FILE).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Hall:
    """The register file, read, and who holds each post."""

    cast: Cast

    @cached_property
    def entries(self) -> tuple[object, ...]:
        """All entries of the file."""
        return tuple(entry for _, entry in read_register(FILE, hall_text()))

    @cached_property
    def windows(self) -> Mapping[Code, Window]:
        """The windows by their code."""
        return {entry.code: entry for entry in self.entries if isinstance(entry, Window)}

    @cached_property
    def posts(self) -> Mapping[Code, Post]:
        """The posts by their code."""
        return {entry.code: entry for entry in self.entries if isinstance(entry, Post)}

    @cached_property
    def departments(self) -> Mapping[Code, Department]:
        """The departments by their code."""
        return {entry.code: entry for entry in self.entries if isinstance(entry, Department)}

    @cached_property
    def items(self) -> Mapping[Code, Item]:
        """The service items by their code."""
        return {entry.code: entry for entry in self.entries if isinstance(entry, Item)}

    def items_of(self, department: Code) -> list[Item]:
        """Give the service items of a department."""
        return [item for item in self.items.values() if item.department == department]

    def windows_of(self, department: Code) -> list[Window]:
        """Give the service windows of a department."""
        return [one for one in self.windows.values() if one.department == department and one.kind is WindowKind.SERVICE]

    def actor(self, post: Code) -> Actor:
        """Give the one who acts in a post."""
        return Actor(person=self.cast[post], post=post, role=self.posts[post].role)


@cache
def _fragments() -> Mapping[str, Any]:
    return tomllib.loads(files("service.demo").joinpath("phrases.toml").read_text(encoding="utf-8"))


class Phrases:
    """Composes what people say from fragments; the same chance gives the same words."""

    def __init__(self, chance: random.Random, **filled: str) -> None:
        """Fill places such as `{item}` with these words."""
        self._chance = chance
        self._filled = filled

    def one(self, table: str, key: str) -> str:
        """Give one phrase of a list."""
        return self.some(table, key, 1)[0]

    def some(self, table: str, key: str, number: int) -> list[str]:
        """Give different phrases of a list, as many as there are at most."""
        found: list[str] = _fragments()[table][key]
        chosen = self._chance.sample(found, min(number, len(found)))
        return [phrase.format_map(self._filled) for phrase in chosen]

    def name(self) -> str:
        """Give the name of somebody who does not exist."""
        if self._chance.randrange(8) == 0:
            return self.one("names", "mongolian")
        return self.one("names", "surnames") + self.one("names", "given")
