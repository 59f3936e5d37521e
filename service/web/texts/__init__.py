"""What pages say, in Chinese and English: their own sentences, labels of fields, words of choices, refusals."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from domain.errors import Refused
from projections.telling.teller import Language
from projections.words import WORDS, word

CATALOGUES: Final = ("pages", "labels", "refusals")
"""Files of this folder; every entry of each has both languages."""

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def catalogue(name: str) -> Catalogue:
    """Read a file of texts: each key with its languages."""
    read = files("service.web.texts").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(read))


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts in one language."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Give a sentence of the pages. Raises KeyError for one that is not there: tests find every use."""
        return catalogue("pages")[key][self.language].format(**values)

    def word(self, code: str) -> str:
        """Give the word for a code."""
        return word(code, self.language)

    def command(self, name: str) -> str:
        """Give what a command is called on a button: as in histories, but that a button begins with a capital."""
        called = self.find(f"command.{name}") or self.word(f"command_{name}")
        return called[:1].upper() + called[1:]

    def label(self, form: str, field: str) -> str:
        """Give the label of a field of a form; one that has none is shown under its own name."""
        found = self.find(f"{form}.{field}") or self.find(field)
        return field.replace("_", " ") if found is None else found

    def hint(self, form: str, field: str) -> str:
        """Give what helps to fill a field in, if there is something."""
        return self.find(f"hint.{form}.{field}") or self.find(f"hint.{field}") or ""

    def find(self, key: str) -> str | None:
        """Give a label, if it is there."""
        found = catalogue("labels").get(key)
        return None if found is None else found[self.language]

    def option(self, member: StrEnum) -> str:
        """Give the word for a choice: one of its own kind first, then the word for its code."""
        own = self.find(f"option.{type(member).__name__}.{member}")
        return self.word(_code_of(member)) if own is None else own

    def knows(self, member: StrEnum) -> bool:
        """Say whether there is a word for a choice."""
        return self.find(f"option.{type(member).__name__}.{member}") is not None or _code_of(member) in WORDS

    def refused(self, refused: Refused) -> tuple[str, str]:
        """Give why something is refused, and what to do next; in English the class says it unless pages differ."""
        message, then = self.trouble(refused.code, refused.message(), refused.then)
        return message, _filled(then, refused.facts)

    def trouble(self, code: str, message: str = "", then: str = "") -> tuple[str, str]:
        """Give what is said of a code; without an entry, what was given."""
        own = catalogue("refusals").get(code, {})
        return own.get(self.language, message), own.get(f"then_{self.language}", then)

    def invalid(self, kind: str, message: str, limits: Mapping[str, object]) -> str:
        """Say what is wrong with what was typed: by the validator's kind of error, or by our own sentence."""
        own = self.find(f"sentence.{message.removeprefix('Value error, ')}")
        found = own or self.find(f"invalid.{kind}") or self.find("invalid.other") or message
        return _filled(found, limits)


def _code_of(member: StrEnum) -> str:
    """Give the code under which histories have the word for a choice: that of its own kind, if there is one."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(member).__name__).lower()
    return f"{kind}_{member}" if f"{kind}_{member}" in WORDS else str(member)


def _filled(text: str, facts: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: str(facts.get(match[1], "")), text)
