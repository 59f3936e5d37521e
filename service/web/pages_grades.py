"""The grades as a page asks for them: five of equal weight in one order, each with the codes that belong to it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.decider import Code
from domain.errors import ReasonMissing
from domain.grade import Grade
from domain.occasion import Medium
from domain.review import DETAILS, ReviewChannel
from projections.telling.teller import Language
from service.reviewing import digest_of
from service.web.drawing import Option
from service.web.pages import Page, Trouble
from service.web.pages_choices import Around
from service.web.widgets import Sent

GRADE: Final = "grade"
TEXT: Final = "text"
DRAWN: Final = "drawn"
MILLISECOND: Final = timedelta(milliseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One grade in words, with the codes that are offered at once, and those offered when more is asked for."""

    value: Grade
    label: str
    chosen: bool
    bad: bool
    shown: tuple[Option, ...]
    more: tuple[Option, ...]
    ticked: frozenset[Code]

    @property
    def opened(self) -> bool:
        """Whether something is ticked among what is offered when more is asked for."""
        return any(one.value in self.ticked for one in self.more)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is missing, and where: as the box of troubles lists it."""

    id: str
    label: str
    error: str


def choices(here: Around, sent: Sent) -> tuple[Choice, ...]:
    """Give the five grades, with what was chosen and ticked if the page comes back; nothing is chosen for anybody."""
    code_set = here.facts.rulebook.code_sets.get(DETAILS)
    codes = [] if code_set is None else [one for one in code_set.codes if one.in_use]
    chosen = sent.one(GRADE)
    return tuple(
        Choice(
            value=grade,
            label=said(here, grade),
            chosen=chosen == grade,
            bad=grade.bad,
            shown=tuple(_option(here, one.code) for one in codes if one.grade is grade and one.shown),
            more=tuple(_option(here, one.code) for one in codes if one.grade is grade and not one.shown),
            ticked=frozenset(sent.all(_codes(grade))),
        )
        for grade in Grade
    )


def said(here: Around, grade: Grade) -> str:
    """Give a grade in words, as a button begins."""
    word = here.t.word(grade)
    return word[:1].upper() + word[1:]


def named(here: Around, code: Code) -> str:
    """Give the words of a code; one that no set knows stands for itself."""
    code_set = here.facts.rulebook.code_sets.get(DETAILS)
    found = None if code_set is None else code_set.code(code)
    if found is None:
        return code
    return found.name_zh if here.t.language is Language.CHINESE else found.name_en


def _option(here: Around, code: Code) -> Option:
    return Option(value=code, label=named(here, code))


def _codes(grade: str) -> str:
    return f"codes.{grade}"


def typed(sent: Sent) -> dict[str, Any]:
    """Give what was said as the forms take it: of the codes only those of the grade that was chosen last."""
    grade, text = sent.one(GRADE), sent.one(TEXT).replace("\r\n", "\n")
    found: dict[str, Any] = {"codes": tuple(dict.fromkeys(sent.all(_codes(grade)))) if grade else ()}
    if grade:
        found["grade"] = grade
    if text.strip():
        found["text"] = text
    return found


def reason_missing(page: Page) -> Trouble:
    """Give what is said, before anything is sent, to whoever gives a bad rating without a reason."""
    return Trouble(*page.t.refused(ReasonMissing()), ReasonMissing.code)


def key_in(text: str) -> str:
    """Give the token or own link of what was typed or scanned: alone, or as a whole address behind its #."""
    return text.rpartition("#")[2].strip()


def channel(page: Page, medium: Medium | None = None) -> ReviewChannel:
    """Give by what somebody rates on a device of their own."""
    if medium is Medium.QR:
        return ReviewChannel.QR
    mobile = "Mobi" in page.request.headers.get("user-agent", "")
    return ReviewChannel.MOBILE if mobile else ReviewChannel.COMPUTER


# How long a form was open: from when we drew it to when it came, by the database's clock on both ends, whoever asks.


def drawn(page: Page, here: Around, link: str) -> str:
    """Give the mark of when a form was drawn for a token or link: that of its first drawing, if it comes back."""
    kept = page.sent.one(DRAWN)
    return kept if _drawn_at(page, kept, link) is not None else _mark(page, (here.now - EPOCH) // MILLISECOND, link)


def open_ms(page: Page, here: Around, link: str) -> int | None:
    """Give for how many milliseconds a form was open; None where nobody can know."""
    begun = _drawn_at(page, page.sent.one(DRAWN), link)
    took = None if begun is None else (here.now - EPOCH) // MILLISECOND - begun
    return took if took is not None and took >= 0 else None


def _drawn_at(page: Page, mark: str, link: str) -> int | None:
    begun = mark.partition(".")[0]
    if not (begun.isascii() and begun.isdigit() and len(begun) <= len("1000000000000000")):
        return None
    given, ours = mark.encode("utf-8", "surrogatepass"), _mark(page, int(begun), link).encode()
    return int(begun) if hmac.compare_digest(given, ours) else None


def _mark(page: Page, begun: int, link: str) -> str:
    told = f"drawn\n{digest_of(link)}\n{begun}".encode()
    return f"{begun}.{hmac.digest(page.parts.secret('requests'), told, 'sha256').hex()}"
