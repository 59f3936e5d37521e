"""An event as OCEL 2.0 knows one: attributes of declared types, and the objects it is about, each for a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain import access, notice
from domain.complaint.timing import Cause, DeadlineRecomputed
from domain.decider import Actor, Code, Event, PersonKey, Role
from domain.handling import HALL_ZONE
from domain.register import Renamed
from domain.review.drawing import DrawEvent
from domain.sealed import Sealed
from projections.codec import NAME_OF, NAMES
from projections.tables import Entry

Reference: TypeAlias = tuple[str, str]
"""An object, by its kind or its id, and why an event is about it."""

HOUSE: Final = ("site", "department", "window", "item", "post")
"""What the register holds; an entry's code is its identity."""

THINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "call": "of",
        "erasure": "of",
        "evidence": "of",
        "extension": "of",
        "notice": "about",
        "pause": "of",
        "proposal": "of",
        "rectification": "rectifies",
        "recusal": "of",
        "reply": "of",
        "return": "of",
        "review": "of",
        "statement": "of",
        "supervision": "supervises",
        "supplement": "of",
    }
)
"""What a case has that begins and ends by itself, and what it is to the case."""

OF_RATINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "appeal": "against",
        "evidence": "of",
        "flag": "on",
        "objection": "about",
        "proposal": "of",
        "supervision": "supervises",
    }
)
"""What a rating has that begins and ends by itself, and what it is to the rating."""

KINDS: Final = tuple(
    dict.fromkeys(("case", "citizen", "contact", "draw", "occasion", "rating", "staff", *HOUSE, *THINGS, *OF_RATINGS))
)

REFERENCES: Final[Mapping[str, Reference]] = MappingProxyType(
    {
        **{name: (name, name) for name in THINGS if name not in {"erasure", "return"}},
        "erasure_request": ("erasure", "erasure"),
        "replaces": ("rectification", "replaces"),
        "request": ("return", "return"),
        "case": ("case", "case"),
        "Allotted.case": ("case", "split_into"),
        "Similar.case": ("case", "similar_to"),
        "complaint": ("case", "became"),
        "appeal": ("appeal", "appeal"),
        "AppealDecisionProposed.about": ("appeal", "appeal"),
        "objection": ("objection", "objection"),
        "ObjectionDecisionProposed.about": ("objection", "objection"),
        "flag": ("flag", "flag"),
        "draw": ("draw", "draw"),
        "drawn": ("rating", "drawn"),
        "occasion": ("occasion", "of"),
        "Reviewed.review": ("rating", "rating"),
        "child": ("case", "duplicate"),
        "primary": ("case", "duplicate_of"),
        "split_from": ("case", "split_from"),
        "complainant": ("citizen", "filed_by"),
        "complainant_staff": ("staff", "filed_by"),
        "also_by": ("citizen", "filed_by"),
        "complainants": ("citizen", "filed_by"),
        "applicant": ("citizen", "served"),
        "agent": ("citizen", "agent"),
        "reviewer": ("citizen", "rated_by"),
        "confirmed_by": ("staff", "confirmed_by"),
        "handler": ("staff", "handled_by"),
        "from_handler": ("staff", "handled_before"),
        "proposer": ("staff", "proposed_by"),
        "Respondent.staff": ("staff", "about"),
        "Attribution.staff": ("staff", "served_by"),
        "Attribution.department": ("department", "served_by"),
        "lead": ("department", "handled_by"),
        "Responsibility.staff": ("staff", "responsible"),
        "target": ("staff", "recused"),
        "witnesses": ("staff", "witnessed_by"),
        "person": ("staff", "holder"),
        "absent": ("staff", "absent"),
        "deputy": ("staff", "deputy"),
        "hall": ("site", "hall"),
        "site": ("site", "site"),
        "Site.parent": ("site", "parent"),
        "window": ("window", "at_window"),
        "Post.window": ("window", "window"),
        "Respondent.window": ("window", "about"),
        "Responsibility.window": ("window", "responsible"),
        "department": ("department", "handled_by"),
        "UnitCalledIn.department": ("department", "called_in"),
        "Respondent.department": ("department", "about"),
        "Responsibility.department": ("department", "responsible"),
        **{
            f"{owner}.department": ("department", "department")
            for owner in ("DepartmentMerged", "Item", "Post", "Window")
        },
        "assist": ("department", "assists"),
        "from_department": ("department", "handled_before"),
        "suggested_unit": ("department", "suggested"),
        "upper": ("department", "upper"),
        "into": ("department", "into"),
        "item": ("item", "about"),
        "post": ("post", "post"),
        **{f"{kind.capitalize()}.code": (kind, "entry") for kind in HOUSE},
    }
)
"""Which object a field names, by the field or by the shape it stands in; every other code is an attribute."""

NOT_TOLD: Final = frozenset({"key_ids", "checked", "reference", "invitation", "device", "network"})
"""Ids that name no object: keys, marks, everybody looked at for a conflict, and what is told by its cause."""

_CAUSES: Final[Mapping[Cause, Reference]] = MappingProxyType(
    {
        Cause.RESUMED: ("pause", "pause"),
        Cause.EXTENDED: ("extension", "extension"),
        Cause.MERGED: ("case", "because_of"),
        Cause.UNMERGED: ("case", "because_of"),
        Cause.RETURNED: ("return", "return"),
        Cause.REVIEWED: ("review", "review"),
    }
)
_OF_STREAM: Final = {
    "complaint": "case",
    "privacy": "case",
    "notice": "notice",
    "intake": "contact",
    "occasion": "occasion",
    "review": "rating",
}
_BESIDE_A_CASE: Final = access.Opened | access.AttemptRefused | notice.Queued
_TYPES: Final[Mapping[type, str]] = {str: "string", int: "integer", bool: "boolean", datetime: "time", date: "time"}
_ALWAYS: Final = (
    ("log.position", "integer"),
    ("log.recorded_at", "time"),
    ("meta.command", "string"),
    ("meta.source", "string"),
    ("by.role", "string"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A field, however deep: its dotted name, its type in OCEL, and the way to it."""

    name: str
    type: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a class of events becomes attributes, and what refers to objects (kind, qualifier, the way to it)."""

    columns: tuple[Column, ...]
    references: tuple[tuple[str, str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An event's attributes (name, text) and the objects it is about (id, qualifier); `case` is whose it is."""

    attributes: tuple[tuple[str, str], ...]
    objects: tuple[Reference, ...]
    case: UUID | None


def type_of(event: type[Event]) -> str:
    """Give the event type: the stored name without its number."""
    return NAME_OF[event].rsplit(".", 1)[0]


def declared(event: type[Event]) -> list[tuple[str, str]]:
    """Give the attributes (name, type in OCEL) that an event of this class may have."""
    return [*_ALWAYS, *((column.name, column.type) for column in shape(event).columns)]


def identity(kind: str, key: object) -> str:
    """Give the id of an object; its kind is what stands before the first colon."""
    return f"{kind}:{key}"


def text(value: object) -> str:
    """Write a value as OCEL does: moments in UTC, a local day as the moment it begins."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return datetime.combine(value, time(), HALL_ZONE).isoformat()
        case _:
            return str(value)


def shape(event: type[Event]) -> Shape:
    """Give the attributes and references of a class of events; sealed values are neither."""
    return _shape(NAME_OF[event])


@cache
def _shape(event: str) -> Shape:
    columns: list[Column] = []
    references: list[tuple[str, str, tuple[str, ...]]] = []
    for path, of, name, hint, listed in _fields(NAMES[event], (), listed=False):
        key = _names(of, name, hint)
        if key is not None:
            references.append((*REFERENCES[key], path))
        # Lists of shapes give references alone: a table inside a cell is nothing a process is mined by.
        elif listed is not None and not _is_id(hint):
            columns.append(Column(".".join(path), "string" if listed else _ocel_type(hint), path))
    return Shape(tuple(columns), tuple(references))


def references_of(event: type[Event]) -> Iterator[tuple[str | None, str]]:
    """Yield every field of an event that names an object, or could: its key in REFERENCES, and its own name."""
    for _, of, name, hint, _ in _fields(event, (), listed=False):
        key = _names(of, name, hint)
        if key is not None or _is_id(hint):
            yield key, name


def _names(of: type, name: str, hint: Any) -> str | None:  # noqa: ANN401 - a type of any kind
    if hint != Code and not _is_id(hint):
        return None
    return next((key for key in (f"{of.__name__}.{name}", name) if key in REFERENCES), None)


def _is_id(hint: Any) -> bool:  # noqa: ANN401 - a type of any kind
    return hint in {UUID, PersonKey}


def told(entry: Entry) -> Told:
    """Say an event in its place as OCEL knows it."""
    event = entry.event
    attributes = [
        ("log.position", str(entry.position)),
        ("log.recorded_at", text(entry.recorded_at)),
        ("meta.command", entry.metadata.command),
        ("meta.source", entry.metadata.source),
        ("by.role", str(event.by.role)),
        *values(event),
    ]
    return Told(tuple(attributes), about(entry.name, entry.stream, event), _case(entry))


def values(event: Event) -> Iterator[tuple[str, str]]:
    """Yield the attributes (name, text) that stand in an event; the words of a list are parted by blanks."""
    for column in shape(type(event)).columns:
        found = " ".join(text(value) for value in _leaves(event, column.path))
        if found:
            yield column.name, found


def about(name: str, stream: UUID, event: Event) -> tuple[Reference, ...]:
    """Give the objects an event is about: their ids, each with the reason; `name` is what it is stored under."""
    # A draw is of many ratings, and of none by itself.
    of = "draw" if isinstance(event, DrawEvent) else _OF_STREAM.get(name.split(".", 1)[0])
    return tuple(dict.fromkeys(_objects(of, stream, event)))


def _objects(of: str | None, stream: UUID, event: Event) -> Iterator[Reference]:
    if of is not None:
        yield identity(of, stream), of
    for kind, qualifier, path in shape(type(event)).references:
        for key in _leaves(event, path):
            # Words of a rating are like those of other ratings.
            yield identity("rating" if (of, kind) == ("rating", "case") else kind, key), qualifier
    match event:
        case DeadlineRecomputed(cause=cause, reference=reference) if reference is not None and cause in _CAUSES:
            kind, qualifier = _CAUSES[cause]
            yield identity(kind, reference), qualifier
        case Renamed(kind=entered, entry=code):
            yield identity(entered, code), "entry"
        case _:
            pass
    yield from _actor(event.by)


def _actor(by: Actor) -> Iterator[Reference]:
    """Say who acted, under the role; the system is nobody, or everything it does would hang on one object."""
    if by.role is not Role.SYSTEM:
        kind = "citizen" if by.role in {Role.CITIZEN, Role.PUBLIC} else "staff"
        yield identity(kind, by.person), by.role
        if by.on_behalf_of is not None:
            yield identity(kind, by.on_behalf_of), "on_behalf_of"
    if by.post is not None:
        yield identity("post", by.post), "post"


def _case(entry: Entry) -> UUID | None:
    if _OF_STREAM.get(entry.name.split(".", 1)[0]) == "case":
        return entry.stream
    return entry.event.case if isinstance(entry.event, _BESIDE_A_CASE) else None


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at the end of a way, through every part of a list and past everything that is not there."""
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part, path)
    elif path and value is not None:
        yield from _leaves(getattr(value, path[0]), path[1:])
    elif value is not None:
        yield value


def _fields(
    of: type, path: tuple[str, ...], *, listed: bool | None
) -> Iterator[tuple[tuple[str, ...], type, str, Any, bool | None]]:
    """Yield every plain field inside a shape: the way, its owner, name and type, and whether it is a list of them.

    That is None inside a list of shapes. The time and the actor of an event are told apart from these.
    """
    for name, hint in get_type_hints(of, include_extras=True).items():
        if not path and name in {"at", "by"}:
            continue
        bare, depth = _bare(hint)
        if bare is Sealed or depth > 1:
            continue
        here = (*path, name)
        if isinstance(bare, type) and is_dataclass(bare):
            yield from _fields(bare, here, listed=None if depth else listed)
        else:
            yield here, of, name, bare, None if listed is None else bool(depth)


def _bare(hint: Any) -> tuple[Any, int]:  # noqa: ANN401 - a type of any kind
    """Give the type inside an optional one or a list, and how deep in lists it stands."""
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return _bare(next(part for part in get_args(hint) if part is not NoneType))
    if get_origin(hint) is tuple:
        bare, depth = _bare(get_args(hint)[0])
        return bare, depth + 1
    return hint, 0


def _plain(hint: Any) -> Any:  # noqa: ANN401 - a type of any kind
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _ocel_type(hint: Any) -> str:  # noqa: ANN401 - a type of any kind
    plain = _plain(hint)
    return "string" if issubclass(plain, StrEnum) else _TYPES[plain]
