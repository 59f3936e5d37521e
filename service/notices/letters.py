"""What a complainant is told, in Chinese and English: the sentence of the history and the texts that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import complaint
from domain.complaint.state import IdentityMode
from domain.decider import Event
from domain.handling import HALL_ZONE
from domain.register import Register
from domain.sealed import Sealed, sealed_values
from projections.runner import Entry
from projections.telling import Language, Teller, say
from projections.words import word

GREETING: Final = ("您好！您反映的事项 {number} 有新的进展：", "Your complaint {number} has moved on:")
ASK: Final = (
    "凭投诉编号和查询码可随时查询办理情况。对结果不满意的，可以申请复核。",
    "You may ask after it at any time with its number and query code. If you do not agree, you may ask for a review.",
)
HIDDEN: Final = frozenset({"name", "phone", "email", "note", "redaction", "guardian"})
"""Sealed values of an event that are no part of what its complainant is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How a complainant can be reached, sealed; what was corrected last counts."""

    name: Sealed | None = None
    phone: Sealed | None = None
    email: Sealed | None = None
    nameless: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A notice before anything of it is opened: number, sentences in both languages, and the sealed texts by kind."""

    complaint_no: str
    said: tuple[str, str]
    texts: tuple[tuple[str, Sealed], ...]

    def letter(self, opened: Sequence[str | None]) -> str:
        """Give the whole text; `opened` are the texts in their order, None for an erased one."""
        parts: list[str] = []
        for place, language in enumerate(Language):
            parts += [GREETING[place].format(number=self.complaint_no), self.said[place], ""]
            for (kind, _), text in zip(self.texts, opened, strict=True):
                parts += [f"【{word(f'field_{kind}', language)}】", text or word("unknown", language), ""]
            parts += [ASK[place], ""]
        return "\n".join(parts)


def address_of(entries: Sequence[Entry]) -> Address:
    """Give how the complainant of a case can be reached."""
    found = Address()
    for one in entries:
        match one.event:
            case complaint.Registered() as event:
                found = Address(
                    name=event.name,
                    phone=event.phone,
                    email=event.email,
                    nameless=event.identity_mode is IdentityMode.ANONYMOUS,
                )
            case complaint.correcting.RecordCorrected() as event:
                found = Address(
                    name=event.name or found.name,
                    phone=event.phone or found.phone,
                    email=event.email or found.email,
                    nameless=found.nameless and event.name is None,
                )
            case _:
                pass
    return found


def draft(entries: Sequence[Entry], version: int, reply: UUID | None, register: Register) -> Draft | None:
    """Give what is told about the event of a case at this version; for an answer, all that it says.

    None where the stream has no such event.
    """
    told = next((one.event for one in entries if one.version == version), None)
    number = next((one.event.complaint_no for one in entries if isinstance(one.event, complaint.Registered)), None)
    if told is None or number is None:
        return None
    source: Event = told
    if reply is not None:
        answers = (one.event for one in entries if isinstance(one.event, complaint.ReplySubmitted))
        source = next((one for one in answers if one.reply == reply), told)
    chinese, english = (say(Teller(register, language, HALL_ZONE), source) for language in Language)
    texts = tuple((kind, value) for kind, value in sealed_values(source) if kind not in HIDDEN)
    return Draft(complaint_no=number, said=(chinese, english), texts=texts)
