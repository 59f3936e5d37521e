"""The objects of the export to OCEL 2.0: what a case was like through its life, and what else events are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from domain import complaint, intake_contact, register
from domain.complaint.state import Case, Clock
from domain.decider import Event
from projections.tables import Entry
from service.exports.ocel_shapes import OF_RATINGS, THINGS, Reference, Told, identity, shape, text, type_of, values

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When the first value of an attribute of an object holds from, by the standard."""
MENTIONED, VALUE, LINK = 0, 1, 2
"""What a row tells of an object: that it is, what it is like, what it belongs to."""

Row: TypeAlias = tuple[str, int, str | None, str | None, datetime | None]
"""An object, one of the three above, a name, a text, and since when."""
Held: TypeAlias = Mapping[UUID | None, tuple[bool, bool]]
"""Of which streams nothing may be told, and of which nobody who complained."""
Json: TypeAlias = dict[str, Any]
FREE: Final = (False, False)


def _handle_due(case: Case) -> datetime | None:
    due = case.due(Clock.HANDLE)
    return None if due is None else due.at


CASE: Final[Mapping[str, tuple[str, Callable[[Case], object]]]] = MappingProxyType(
    {
        "complaint_no": ("string", lambda case: case.complaint_no),
        "profile": ("string", lambda case: case.profile),
        "hall": ("string", lambda case: case.hall),
        "identity_mode": ("string", lambda case: case.identity_mode),
        "step": ("string", lambda case: case.step),
        "round": ("integer", lambda case: case.round),
        "points": ("integer", lambda case: case.points),
        "category": ("string", lambda case: case.category),
        "department": ("string", lambda case: case.department),
        "finding": ("string", lambda case: case.finding),
        "handle_due": ("time", _handle_due),
        "paused": ("boolean", lambda case: case.paused),
        "reworks": ("integer", lambda case: case.reworks),
        "published": ("boolean", lambda case: case.published),
        "erased": ("boolean", lambda case: case.keeping.erased),
    }
)
"""What is told of a case through its life: the type in OCEL, and how the rules' view of the case gives it."""

_LASTING: Final = frozenset(
    {"about", "at_window", "hall", "filed_by", "handled_by", "assists", "duplicate_of", "split_from"}
)
"""As what an object that an event of a case is about stays linked to the case itself."""

BELONGING: Final = frozenset({"site", "department", "window", "parent", "upper"})
"""To what an entry of the register belongs."""

_ENTERED: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        "site": register.SiteAdded,
        "department": register.DepartmentAdded,
        "window": register.WindowAdded,
        "item": register.ItemAdded,
        "post": register.PostAdded,
    }
)


def cases_in(objects: Iterable[Reference]) -> Iterator[UUID]:
    return (UUID(thing.removeprefix("case:")) for thing, _ in objects if thing.startswith("case:"))


def tellable(objects: Sequence[Reference], held: Held) -> list[Reference]:
    """Give the objects an event may name: no case that is held back, and nobody who complained in it or was erased."""
    whose = cases_in(one for one in objects if one[1] in {"case", "duplicate"})
    nobody = any(any(held.get(case, FREE)) for case in whose)
    return [
        (thing, qualifier)
        for thing, qualifier in objects
        if not (nobody and thing.startswith("citizen:"))
        and not any(held.get(case, FREE)[0] for case in cases_in([(thing, qualifier)]))
    ]


def mentions(entry: Entry, one: Told, objects: Sequence[Reference]) -> Iterator[Row]:
    """Yield what an event tells of objects beside cases: that they are, what they are like, what they belong to."""
    event = entry.event
    for thing, qualifier in objects:
        kind = thing.split(":", 1)[0]
        if kind != "case":
            yield thing, MENTIONED, None, None, None
        if kind in THINGS and one.case is not None:
            yield thing, LINK, THINGS[kind], identity("case", one.case), None
        if kind in OF_RATINGS:
            for rating in (other for other, why in objects if why == "rating"):
                yield thing, LINK, OF_RATINGS[kind], rating, None
        if isinstance(event, intake_contact.ContactRegistered) and kind == "case":
            yield identity("contact", entry.stream), LINK, "became", thing, None
        if qualifier != "entry":
            continue
        # An event of the register: about its entry, and about what that one belongs to.
        if isinstance(event, register.Renamed):
            yield thing, VALUE, "name_zh", event.name_zh, event.at
            yield thing, VALUE, "name_en", event.name_en, event.at
            continue
        for name, value in values(event):
            if name.startswith("entry."):
                yield thing, VALUE, name.removeprefix("entry."), value, EPOCH
        for other, belongs in objects:
            if belongs in BELONGING:
                yield thing, LINK, belongs, other, None
    if isinstance(event, register.DepartmentMerged):
        yield identity("department", event.department), LINK, "into", identity("department", event.into), None


def json_type(name: str, attributes: Iterable[tuple[str, str]]) -> Json:
    return {"name": name, "attributes": [{"name": one, "type": kind} for one, kind in attributes]}


def attributes_of(kind: str) -> Iterator[tuple[str, str]]:
    if kind == "case":
        yield from ((name, of) for name, (of, _) in CASE.items())
    elif kind in _ENTERED:
        for column in shape(_ENTERED[kind]).columns:
            yield column.name.removeprefix("entry."), column.type


def json_event(entry: Entry, one: Told, objects: Iterable[Reference]) -> Json:
    return {
        # Texts in the order of the log, for tools that sort what happened in one moment by them.
        "id": f"event:{entry.position:012}",
        "type": type_of(type(entry.event)),
        "time": text(entry.event.at),
        "attributes": [{"name": name, "value": value} for name, value in one.attributes],
        "relationships": _relationships(objects),
    }


def _relationships(objects: Iterable[Reference]) -> list[Json]:
    return [{"objectId": thing, "qualifier": qualifier} for thing, qualifier in objects]


def _change(name: str, value: str, since: datetime) -> Json:
    return {"name": name, "value": value, "time": text(since)}


def json_case(stream: UUID, events: Iterable[tuple[Event, tuple[Reference, ...]]], held: Held) -> Json:
    case: Case | None = None
    last: dict[str, str] = {}
    changes: list[Json] = []
    links = dict[Reference, None]()
    for event, objects in events:
        since = EPOCH if case is None else event.at
        case = complaint.evolve(case, event)  # type: ignore[arg-type]  # events of a case alone
        for name, value in () if case is None else _like(case):
            if last.get(name, "") != value:
                last[name] = value
                changes.append(_change(name, value, since))
        links.update(dict.fromkeys(one for one in tellable(objects, held) if one[1] in _LASTING))
    return {
        "id": identity("case", stream),
        "type": "case",
        "relationships": _relationships(links),
        "attributes": changes,
    }


def _like(case: Case) -> Iterator[tuple[str, str]]:
    for name, (kind, give) in CASE.items():
        value = give(case)
        # A text may end; there is no text for a moment that is gone.
        if value is not None or kind == "string":
            yield name, "" if value is None else text(value)


def json_thing(thing: str, rows: Iterable[tuple[str, int, datetime | None, str | None, str | None]]) -> Json:
    links: list[Json] = []
    changes: list[Json] = []
    for _, part, at, name, value in rows:
        if part == LINK:
            links.append({"objectId": value, "qualifier": name})
        elif part == VALUE and name is not None and value is not None and at is not None:
            changes.append(_change(name, value, at))
    return {"id": thing, "type": thing.split(":", 1)[0], "relationships": links, "attributes": changes}
