"""What anybody may ask for beside the loop, with any content: made by chance from the types of the fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.complaint import Case, Command
from domain.complaint.intake import Register
from domain.complaint.obstacles import COMMANDS
from domain.complaint.state import Respondent
from domain.decider import Actor, Code, PersonKey
from domain.sealed import Pattern, PatternHits, Sealed, TextFacts
from tests.hall import HALL, key, sealed

Pick: TypeAlias = Callable[[Sequence[Any]], Any]
"""Chance: one of several; a law of hypothesis or a seeded generator."""

IDS: Final = tuple(key(f"id-{n}") for n in range(6))
ITSELF: Final = key("case")
ANOTHER: Final = key("another case")
THIRD: Final = key("third case")
NEW: Final = tuple(key(f"new-{n}") for n in range(400))
BEGINS: Final = ("propose-", "request-", "pause-", "call-in", "issue-", "invite-", "record-", "plan-", "resolve-")
CODES: Final[dict[str, tuple[Code, ...]]] = {one.name: one.codes for one in HALL.lists}


def running(case: Case) -> dict[str, list[UUID]]:
    """Give what somebody may mean who names an id: everything there ever was, what waits now more often."""
    said = case.keeping.request
    return {
        "rectification": list(case.rectifications),
        "reply": [] if case.reply is None else [case.reply],
        "proposal": list(case.proposals),
        "pause": [stop.pause for stop in case.stops],
        "extension": list(case.extensions),
        "recusal": list(case.recusals),
        "call": list(case.calls),
        "request": [] if case.returning is None else [case.returning.request],
        "erasure_request": [] if said is None else [said],
        "supervision": list(case.supervisions),
        "review": [] if case.review is None else [case.review],
        "supplement": [] if case.supplement is None else [case.supplement],
        "statement": list(case.statements),
        "primary": [ANOTHER, ANOTHER, THIRD, ITSELF],
    }


def wish(pick: Pick, name: Code, at: datetime, by: Actor, case: Case, people: Sequence[PersonKey]) -> Command:
    """Give a command of this name with any content that is well-formed."""
    kind = COMMANDS[name]
    making = _Making(pick, name, at, by, case, people)
    while True:
        told = {
            field: making.value(field, hint)
            for field, hint in get_type_hints(kind, include_extras=True).items()
            if field not in {"at", "by"}
        }
        try:
            made = kind(at=at, by=by, **told)
        except ValueError:
            # A form would have sent it back, and somebody fills it in again.
            continue
        assert not isinstance(made, Register)
        return made  # type: ignore[return-value]  # COMMANDS holds no other


class _Making:
    def __init__(
        self, pick: Pick, name: Code, at: datetime, by: Actor, case: Case, people: Sequence[PersonKey]
    ) -> None:
        self.pick, self.name, self.at, self.case, self.people, self.by = pick, name, at, case, people, by

    def value(self, field: str, kind: Any) -> Any:  # noqa: ANN401 - a value of any kind
        """Give something of a type, as a field of this name may hold it."""
        pick = self.pick
        if get_origin(kind) in {Union, UnionType}:
            (inner,) = (part for part in get_args(kind) if part is not NoneType)
            return pick([None, self.value(field, inner)])
        if get_origin(kind) is tuple:
            inner = get_args(kind)[0]
            some = pick([0, 1, 1, 2])
            return tuple(dict.fromkeys(self.value(field, inner) for _ in range(some)))
        if kind is PersonKey:
            handler = self.case.handler
            return pick([*self.people, *([] if handler is None else [handler] * 8)])
        if kind is UUID:
            return self.identity(field)
        plain = getattr(kind, "__origin__", kind)
        if plain is str:
            return pick(self.codes(field))
        if issubclass(plain, StrEnum):
            return pick([*plain])
        return self.plain(field, plain)

    def plain(self, field: str, kind: type) -> Any:  # noqa: ANN401 - a value of any kind
        """Give something without parts."""
        pick, at = self.pick, self.at
        if kind is Sealed:
            return sealed(field)
        if kind is TextFacts:
            hits = pick([(), (), (), (PatternHits(kind=Pattern.PHONE, n=1),)])
            return TextFacts(chars=12, has_text=True, pattern_hits=hits)
        if kind is Respondent:
            window = pick([None, "W03", "W04"])
            return Respondent(department=pick([None, "approval"]), window=window, staff=pick([None, *self.people]))
        if kind is bool:
            return pick([True, False])
        if kind is int:
            return pick([1, 1, 2, 3, 5, 40])
        if kind is datetime:
            return at - timedelta(hours=pick([0, 0, 1, 30]))
        if kind is date:
            return (at + timedelta(days=pick([-1, 9, 4000]))).date()
        if kind is Actor:
            return self.by
        parts = get_type_hints(kind, include_extras=True)
        while True:
            try:
                return kind(**{part: self.value(part, hint) for part, hint in parts.items()})
            except ValueError:
                continue

    def identity(self, field: str) -> UUID:
        """Give an id: of something new, of what there is, or of nothing at all."""
        there = running(self.case).get(field, [])
        if self.name.startswith(BEGINS) or field == "case":
            found: UUID = self.pick([*NEW, *there])
        else:
            found = self.pick([*IDS[:2], *there * 8])
        return found

    def codes(self, field: str) -> list[Code]:
        """Give codes that fit, and some that do not."""
        if field.endswith("sha256"):
            return ["ab" * 32]
        if field in {"department", "suggested_unit"}:
            return ["approval", "tax", "tax", "office", "nowhere"]
        if field == "category":
            return ["SHIRK", "ARREARS", "NONSENSE"]
        if field == "fields":
            return ["name", "phone", "narrative"]
        words = {*self.name.split("-"), *field.split("_")} - {"reason"}
        fitting = [code for listed, codes in CODES.items() if words & set(listed.split("_")) for code in codes]
        return [*fitting * 3, "nonsense"]
