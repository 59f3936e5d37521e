"""What a form asks for as fields of a page, and what a page sends as the form again: one widget for each kind of field.

It reads the form's own types, so that a new form has its page the moment it exists. Names of fields are dotted paths:
`answers.resolved`, `responsibility.0.department`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union, get_args, get_origin
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ValidationError

from domain.handling import HALL_ZONE
from service.web.texts import Texts

Pairs = Sequence[tuple[str, str]]
"""What a page sends: names with values, in their order."""
YES: Final = "yes"
NO: Final = "no"
LONGEST_LINE: Final = 200


class Kind(StrEnum):
    """How a field is asked for."""

    LINE = "line"
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    SELECT = "select"
    TICK = "tick"
    YES_NO = "yes_no"
    FILE = "file"
    GROUP = "group"


REFERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hall": "site",
        "item": "item",
        "category": "category",
        "handler": "handler",
        "new_handler": "handler",
        "staff": "person",
        "person": "person",
        "target": "person",
        "complainant_staff": "person",
        "replaces": "rectification",
        "assist": "department",
    }
)
"""From which list the value of a field comes, by its name."""
REFERS_IN: Final = (("department", "department"), ("unit", "department"), ("window", "window"), ("post", "post"))
"""The same for words inside a name."""
LISTED: Final = re.compile(r"policy's list `(\w+)`")
"""How a form says that a code is one of a closed list of the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form, as its type tells it; `repeated` fields hold several values, at least `least`."""

    name: str
    kind: Kind
    required: bool
    repeated: bool
    default: object
    of: Any = None
    refers: str | None = None
    longest: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What came from a page: values of fields, and files by the name of theirs."""

    pairs: Pairs = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        """Give the values of a field that are not empty."""
        return [value for key, value in self.pairs if key == name and value]

    def one(self, name: str) -> str:
        """Give the value of a field, the last one if there are several."""
        return next((value for key, value in reversed(self.pairs) if key == name), "")

    def places(self, name: str) -> int:
        """Count the places that a page had for something repeated, the empty ones too."""
        return sum(key == name for key, _ in self.pairs) or len(self.rows(name))

    def rows(self, name: str) -> list[int]:
        """Give the numbers of the rows of a repeated group."""
        stem = f"{name}."
        found = {key.removeprefix(stem).split(".")[0] for key, _ in self.pairs if key.startswith(stem)}
        return sorted(int(one) for one in found if one.isascii() and one.isdigit() and len(one) < len("1000"))


@cache
def parts(form: type[BaseModel]) -> tuple[Part, ...]:
    """Read the types of a form. Raises TypeError for a type that has no widget yet."""
    return tuple(_part(name, info) for name, info in form.model_fields.items())


def _part(name: str, info: Any) -> Part:  # noqa: ANN401 - the library's own description of a field
    kind, metadata, optional = _bare(info.annotation, tuple(info.metadata))
    repeated = get_origin(kind) is tuple
    least, most = _limit(metadata, "min_length", "ge"), _limit(metadata, "max_length", "le")
    if repeated:
        kind, metadata, _ = _bare(get_args(kind)[0], ())
    longest = _limit(metadata, "max_length", "longest")
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    refers = None
    if kind in (str, UUID):
        inside = next((to for word, to in REFERS_IN if word in name), None)
        listed = LISTED.search(info.description or "")
        refers = listed[1] if listed else REFERS.get(name) or inside or (name if kind is UUID else None)
    return Part(
        name=name,
        kind=_kind(kind, longest, choice=optional or info.is_required(), where=name),
        required=info.is_required(),
        repeated=repeated,
        default=default,
        of=kind,
        refers=refers,
        longest=longest,
        least=least,
        most=most,
    )


def _bare(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], bool]:  # noqa: ANN401 - any type
    """Take what surrounds a type off: what limits it, and that it may be left out."""
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif origin in {Union, UnionType}:
            left = [one for one in get_args(annotation) if one is not NoneType]
            if len(left) > 1:
                raise TypeError(f"{annotation} may be several things: no widget asks for that")
            annotation, optional = left[0], True
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        else:
            return annotation, metadata, optional


def _limit(metadata: Iterable[object], *names: str) -> int | None:
    found = (getattr(one, name, None) for one in metadata for name in names)
    return next((int(one) for one in found if isinstance(one, int)), None)


def _kind(of: Any, longest: int | None, *, choice: bool, where: str) -> Kind:  # noqa: ANN401 - any type
    if get_origin(of) is Literal:
        return Kind.SELECT
    plain = {
        datetime: Kind.MOMENT,
        AwareDatetime: Kind.MOMENT,
        date: Kind.DAY,
        int: Kind.NUMBER,
        bytes: Kind.FILE,
        UUID: Kind.SELECT,
    }
    if of is bool:
        # What must be decided is never decided by not looking: no box that is empty from the start.
        return Kind.YES_NO if choice else Kind.TICK
    if of is str:
        return Kind.TEXT if longest is None or longest > LONGEST_LINE else Kind.LINE
    if of in plain:
        return plain[of]
    if isinstance(of, type) and issubclass(of, StrEnum):
        return Kind.SELECT
    if isinstance(of, type) and issubclass(of, BaseModel):
        return Kind.GROUP
    raise TypeError(f"{where}: no widget asks for {of}")


def read(form: type[BaseModel], sent: Sent, zone: ZoneInfo, prefix: str = "") -> dict[str, object]:
    """Give what was sent as the form takes it; what was left empty is left out. Times are read in `zone`."""
    found: dict[str, object] = {}
    for part in parts(form):
        value = _read(part, sent, zone, prefix + part.name)
        if value is not None:
            found[part.name] = value
    return found


def _read(part: Part, sent: Sent, zone: ZoneInfo, name: str) -> object:
    if part.kind is Kind.GROUP and part.repeated:
        return [row for _, row in _rows(part, sent, zone, name)] or None
    if part.kind is Kind.GROUP:
        group = read(part.of, sent, zone, f"{name}.")
        return None if not part.required and _empty(part.of, group) else group
    if part.kind is Kind.FILE:
        content = sent.files.get(name)
        return base64.b64encode(content).decode("ascii") if content else None
    if part.kind is Kind.TICK:
        return sent.one(name) == YES
    if part.repeated:
        return [_value(part.kind, value, zone) for value in sent.all(name)] or None
    value = sent.one(name)
    return _value(part.kind, value, zone) if value else None


def _rows(part: Part, sent: Sent, zone: ZoneInfo, name: str) -> list[tuple[int, dict[str, object]]]:
    """Give the rows of a repeated group in which something was filled in, with their numbers on the page."""
    rows = ((row, read(part.of, sent, zone, f"{name}.{row}.")) for row in sent.rows(name))
    return [(number, row) for number, row in rows if not _empty(part.of, row)]


def _value(kind: Kind, text: str, zone: ZoneInfo) -> object:
    if kind is Kind.YES_NO:
        return {YES: True, NO: False}.get(text, text)
    if kind is Kind.MOMENT:
        return at_the_hall(text, zone)
    # A page sends line ends of its own kind; what was typed has one sign for each.
    return text.replace("\r\n", "\n")


def at_the_hall(text: str, zone: ZoneInfo) -> str:
    if "-" not in text:
        # Digits alone are read in more than one way.
        return text
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
    except (ValueError, OverflowError):
        return text


def _empty(form: type[BaseModel], group: Mapping[str, object]) -> bool:
    """Say whether nothing was filled in: all as it stood there from the start."""
    return all(_untouched(part, group[part.name]) for part in parts(form) if part.name in group)


def _untouched(part: Part, value: object) -> bool:
    if part.kind is Kind.TICK:
        return value == bool(part.default)
    return part.default is not None and value == str(part.default)


def misplaced(form: type[BaseModel], error: ValidationError, sent: Sent, t: Texts) -> dict[str, str]:
    """Give what is wrong, by the name of its field; under the empty name what concerns the whole form."""
    found: dict[str, str] = {}
    for one in error.errors():
        name, inside, rows = "", form, list[int]()
        for step in one["loc"]:
            if isinstance(step, int):
                name = f"{name}.{rows[step]}" if rows else name
                continue
            part = next((part for part in parts(inside) if part.name == step), None)
            if part is None:
                break
            name = f"{name}.{step}" if name else str(step)
            if part.kind is Kind.GROUP:
                inside = part.of
                rows = [row for row, _ in _rows(part, sent, HALL_ZONE, name)] if part.repeated else []
        found.setdefault(name, t.invalid(one["type"], one["msg"], one.get("ctx", {})))
    return found


def spelled(form: BaseModel, zone: ZoneInfo, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give the values of a form as a page would send them; files stay where they are."""
    for part in parts(type(form)):
        yield from spelled_part(part, getattr(form, part.name), zone, prefix + part.name)


def spelled_part(part: Part, value: Any, zone: ZoneInfo, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any value
    if part.kind is Kind.GROUP and part.repeated:
        for row, one in enumerate(value):
            yield from spelled(one, zone, f"{name}.{row}.")
    elif isinstance(value, BaseModel):
        yield from spelled(value, zone, f"{name}.")
    elif part.repeated:
        yield from ((name, _spell(one, zone) or "") for one in value)
    elif part.kind is Kind.TICK:
        yield from [(name, YES)] if value else []
    elif part.kind is not Kind.FILE and (spell := _spell(value, zone)) is not None:
        yield name, spell


def _spell(value: object, zone: ZoneInfo) -> str | None:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, datetime):
        local = value.astimezone(zone).replace(tzinfo=None)
        return local.isoformat(timespec="minutes" if not local.second else "seconds")
    return None if value is None or isinstance(value, tuple | BaseModel) else str(value)
