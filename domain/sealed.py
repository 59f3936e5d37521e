"""A text or a name that only a key holder can read, and what rules may know of it without reading."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from domain.decider import Code, Shape

Base64 = Annotated[str, Shape(r"[A-Za-z0-9_-]*", 400_000)]
"""Bytes in URL-safe base64 without padding; bounded by the longest text the edge lets in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A personal value or a free text, encrypted before the command was made (AES-256-GCM, our design).

    `v` is the format (1), `key_id` names the key in the vault, `value_id` this value, `nonce` has 12 bytes, `box` holds
    ciphertext and tag, `chars` is the length of the plain text in characters (Unicode code points). The associated
    data are log id, key id, value id and kind; the kind is the name of the field that holds the value.
    """

    v: int
    value_id: UUID
    key_id: UUID
    nonce: Base64
    box: Base64
    chars: int


class Pattern(StrEnum):
    """Kinds of personal data that free text often carries."""

    PHONE = "phone"
    IDENTITY_NUMBER = "identity_number"
    PLATE = "plate"
    EMAIL = "email"


# The look-arounds keep a part of a longer number from counting: a 31-digit task code is not a phone. The one before an
# address also keeps the search linear: without it a long word without @ is tried again from each of its letters.
PATTERNS: Final[Mapping[Pattern, re.Pattern[str]]] = {
    Pattern.PHONE: re.compile(
        r"(?<!\d)(?:(?:(?:00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[-) ]{0,2}\d{7,8})(?!\d)"
    ),
    Pattern.IDENTITY_NUMBER: re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])"),
    Pattern.PLATE: re.compile(r"[一-龥][A-Z][·• ]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"),
    Pattern.EMAIL: re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+", re.ASCII),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternHits:
    """How often one kind of personal data stands in a text."""

    kind: Pattern
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What rules need from a text, measured before it is sealed: numbers, never a hash of the content."""

    chars: int
    has_text: bool
    pattern_hits: tuple[PatternHits, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """An earlier case that looks alike, with a score from 0 to 100 and the method that found it."""

    case: UUID
    score: int
    method: Code


def measure(text: str) -> TextFacts:
    """Measure a plain text: characters, whether anything but white space stands there, personal data by kind.

    Full-width digits and signs, as Chinese keyboards write them, count like plain ones.
    """
    plain = unicodedata.normalize("NFKC", text)
    hits = ((kind, len(pattern.findall(plain))) for kind, pattern in PATTERNS.items())
    return TextFacts(
        chars=len(text),
        has_text=bool(text.strip()),
        pattern_hits=tuple(PatternHits(kind=kind, n=n) for kind, n in hits if n),
    )


def sealed_values(value: object, kind: str = "") -> Iterator[tuple[str, Sealed]]:
    """Yield every sealed value inside an event with its kind: the name of the field that holds it."""
    match value:
        case Sealed():
            yield kind, value
        case tuple():
            for part in value:
                yield from sealed_values(part, kind)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from sealed_values(getattr(value, field.name), field.name)
        case _:
            return
