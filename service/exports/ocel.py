"""The log as an object-centric event log (OCEL 2.0, JSON) for process mining: who did what to what, and no text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, LiteralString, TextIO, TypeAlias
from uuid import UUID

import psycopg

from domain import notice
from domain.complaint import privacy
from domain.complaint.correcting import RecordCorrected
from domain.complaint.intake import Confidentiality, Registered
from domain.decider import Event
from projections.codec import NAME_OF, NAMES, UPCASTS, UnknownEvent, Unreadable, decode
from projections.runner import Entry, Stopped, read_page
from service.exports.log import ExportError
from service.exports.ocel_objects import (
    FREE,
    Json,
    Row,
    attributes_of,
    cases_in,
    json_case,
    json_event,
    json_thing,
    json_type,
    mentions,
    tellable,
)
from service.exports.ocel_shapes import (
    HOUSE,
    KINDS,
    Told,
    about,
    declared,
    identity,
    told,
    type_of,
)

PAGE: Final = 1000
_CASES_AT_ONCE: Final = 100

_SCRATCH: Final[tuple[LiteralString, ...]] = (
    """create temp table ocel_held (
        stream uuid primary key, sealed boolean not null, restricted boolean not null, erased boolean not null
    ) on commit drop""",
    """create temp table ocel_seen (
        object text collate "C" not null, part smallint not null, name text, value text, at timestamptz
    ) on commit drop""",
)
_OF_NAMES: Final = "select position, stream_id, name, state from events where name = any(%s) order by position"
_HOLD: Final = """
insert into ocel_held as held
values (%(stream)s, coalesce(%(sealed)s, false), coalesce(%(restricted)s, false), coalesce(%(erased)s, false))
on conflict (stream) do update set
    sealed = coalesce(%(sealed)s, held.sealed),
    restricted = coalesce(%(restricted)s, held.restricted),
    erased = coalesce(%(erased)s, held.erased)
"""
_NO_CASES: Final = """
select stream_id, name from events
where stream_id = any(%s) and version = 1 and (name like 'occasion.%%' or name like 'review.%%')
"""
_HIDDEN: Final = "select count(*) from ocel_held where sealed or restricted"
_HELD: Final = "select stream, sealed or restricted, erased from ocel_held where stream = any(%s)"
_CASES: Final = """
select position, stream_id, name, state from events e where name = any(%s)
    and not exists (select from ocel_held h where h.stream = e.stream_id and (h.sealed or h.restricted))
order by stream_id, version
"""
_SEEN: Final = "select distinct object, part, at, name, value from ocel_seen order by object, part, at, name, value"
_SEEING: Final = "copy ocel_seen (object, part, name, value, at) from stdin"
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(slots=True)
class Counts:
    """What stands in the file, and how many cases do not."""

    events: int = 0
    objects: int = 0
    held: int = 0


def export_ocel(
    connection: psycopg.Connection[Any],
    file: TextIO,
    *,
    with_sealed: bool = False,
    progress: Progress = lambda _done, _of: None,
    page: int = PAGE,
) -> Counts:
    """Write the log as it is at one moment, at flat memory; `progress` is told what was read so far, of how much.

    Cases whose processing is restricted are left out with everything beside them (PIPL art. 47), and so are those of a
    closed circle, unless `with_sealed`; of an erased case nobody who complained is named. Raises ExportError where an
    event cannot be read; what was written until then is no file.
    """
    try:
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            for statement in _SCRATCH:
                connection.execute(statement)
            return _Export(connection, file, progress, page).write(with_sealed=with_sealed)
    except Stopped as stopped:
        raise _damaged(stopped.position + 1, stopped.reason) from stopped


def _damaged(position: int, reason: str) -> ExportError:
    return ExportError(
        f"The log cannot be read at position {position} ({reason}); nothing was exported. Run: bihuan audit fsck"
    )


@dataclass(slots=True)
class _Export:
    connection: psycopg.Connection[Any]
    file: TextIO
    progress: Progress
    page: int
    counts: Counts = field(default_factory=Counts)
    total: int = 0
    # What the house has is met on every page, and there is little of it; everything else is met on few.
    met: set[Row] = field(default_factory=set)

    def write(self, *, with_sealed: bool) -> Counts:
        self._hold(with_sealed=with_sealed)
        # Every case is read a second time, as a whole.
        self.total = 2 * self._number("select coalesce(max(position), 0) from events")
        self.file.write('{"eventTypes":')
        self._list(json_type(type_of(event), declared(event)) for event in self._occurring())
        self.file.write(',"objectTypes":')
        self._list(json_type(kind, attributes_of(kind)) for kind in KINDS)
        self.file.write(',"events":')
        self.counts.events = self._list(self._events())
        self.file.write(',"objects":')
        self.counts.objects = self._list(self._objects())
        self.file.write("}\n")
        self.progress(self.total, self.total)
        return self.counts

    def _list(self, found: Iterable[Json]) -> int:
        written = 0
        for one in found:
            self.file.write(",\n" if written else "[\n")
            self.file.write(json.dumps(one, ensure_ascii=False, separators=(",", ":")))
            written += 1
        self.file.write("]" if written else "[]")
        return written

    def _number(self, query: LiteralString) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _occurring(self) -> list[type[Event]]:
        names = {name for (name,) in self.connection.execute("select distinct name from events").fetchall()}
        while old := names & UPCASTS.keys():
            names = (names - old) | {UPCASTS[name][0] for name in old}
        return [NAMES[name] for name in NAMES if name in names]

    def _hold(self, *, with_sealed: bool) -> None:
        """Find the cases of which nothing, or nobody, may be told."""
        deciding = (
            Registered,
            RecordCorrected,
            privacy.ProcessingRestricted,
            privacy.RestrictionLifted,
            privacy.Erased,
        )
        for _, stream, event in self._decoded("deciding", _OF_NAMES, [NAME_OF[one] for one in deciding]):
            match event:
                case Registered(confidentiality=Confidentiality.SEALED) | RecordCorrected(sealed=True):
                    if not with_sealed:
                        self._held(stream, sealed=True)
                case privacy.ProcessingRestricted():
                    self._held(stream, restricted=True)
                case privacy.RestrictionLifted():
                    self._held(stream, restricted=False)
                case privacy.Erased():
                    self._held(stream, restricted=False, erased=True)
                case _:
                    pass
        self.connection.execute("analyze ocel_held")
        self.counts.held = self._number(_HIDDEN)

    def _held(self, stream: UUID, **how: bool) -> None:
        self.connection.execute(_HOLD, {"stream": stream, **dict.fromkeys(("sealed", "restricted", "erased")), **how})

    def _decoded(self, cursor_name: str, query: LiteralString, names: list[str]) -> Iterator[tuple[str, UUID, Event]]:
        with self.connection.cursor(cursor_name, binary=True) as cursor:
            cursor.itersize = self.page
            for position, stream, name, state in cursor.execute(query, (names,)):
                try:
                    event, _ = decode(name, state)
                except (UnknownEvent, Unreadable) as error:
                    raise _damaged(position, f"{type(error).__name__}: {error}") from error
                yield name, stream, event

    def _events(self) -> Iterator[Json]:
        position = 0
        while entries := read_page(self.connection, position, self.page):
            position = entries[-1].position
            said = self._whose([(entry, told(entry)) for entry in entries])
            held = self._held_of(
                {entry.stream for entry in entries} | {case for _, one in said for case in cases_in(one.objects)}
            )
            rows = dict[Row, None]()
            for entry, one in said:
                if any(held.get(stream, FREE)[0] for stream in (entry.stream, one.case)):
                    if isinstance(entry.event, notice.Queued):
                        # What comes of a notice does not say any more whose case it is.
                        held[entry.stream] = (True, False)
                        self._held(entry.stream, restricted=True)
                    continue
                objects = tellable(one.objects, held)
                rows.update(dict.fromkeys(mentions(entry, one, objects)))
                yield json_event(entry, one, objects)
            self._see(rows)
            self.progress(position, self.total)

    def _whose(self, said: list[tuple[Entry, Told]]) -> list[tuple[Entry, Told]]:
        """Give what was told, with what lies beside a visit or a rating told of that and of no case."""
        beside = [one.case for _, one in said if one.case is not None]
        others = {
            identity("case", stream): identity("occasion" if name.startswith("occasion.") else "rating", stream)
            for stream, name in self.connection.execute(_NO_CASES, (beside,), binary=True).fetchall()
        }
        if not others:
            return said
        return [
            (entry, replace(one, objects=tuple((others.get(thing, thing), why) for thing, why in one.objects)))
            for entry, one in said
        ]

    def _held_of(self, streams: set[UUID]) -> dict[UUID | None, tuple[bool, bool]]:
        found = self.connection.execute(_HELD, (list(streams),), binary=True).fetchall()
        return {stream: (hidden, erased) for stream, hidden, erased in found}

    def _see(self, rows: Iterable[Row]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(_SEEING) as copy:
            for row in rows:
                if row in self.met:
                    continue
                if row[0].split(":", 1)[0] in {*HOUSE, "staff"}:
                    self.met.add(row)
                copy.write_row(row)

    def _objects(self) -> Iterator[Json]:
        read = self.total // 2
        names = [name for name in (*NAMES, *UPCASTS) if name.startswith(("complaint.", "privacy."))]
        cases = groupby(self._decoded("cases", _CASES, names), key=itemgetter(1))
        while some := [(stream, list(events)) for stream, events in islice(cases, _CASES_AT_ONCE)]:
            found = [
                (stream, [(event, about(name, stream, event)) for name, _, event in events]) for stream, events in some
            ]
            held = self._held_of({case for _, events in found for _, objects in events for case in cases_in(objects)})
            for stream, events in found:
                yield json_case(stream, events, held)
            read += sum(len(events) for _, events in found)
            self.progress(read, self.total)
        with self.connection.cursor("seen", binary=True) as cursor:
            cursor.itersize = self.page
            for thing, rows in groupby(cursor.execute(_SEEN), key=itemgetter(0)):
                yield json_thing(thing, rows)
