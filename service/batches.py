"""Many commands decided together: each sees what those before it did, and has an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain import register, rulebook
from domain.complaint.intake import Register as RegisterComplaint
from domain.complaint.intake import Registered, complaint_no
from domain.decider import Command, Decider, Event, For, Metadata, Recorded
from domain.errors import BeforeLast, Refused
from domain.handling import Facts
from service.asking import Ask, Asked, Done, KeyReused, Stale
from service.eventstore import REMEMBER, Beside
from service.gathering import HallDay, Row, following, last_numbers, numbers_wanted, row_of, rows_of

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)

# One statement, so that clock, facts, cases and what was asked before are of one moment.
LOOK: Final = """
with head as (
    select clock_timestamp() as now,
        (select max(version) from events where stream_id = %(register)s) as register_version,
        (select max(version) from events where stream_id = %(rulebook)s) as rulebook_version
)
select head.*, e.stream_id, e.version, e.name, e.state, e.position, e.command_id, r.mac
from head left join lateral (
    select stream_id, version, name, state, position, command_id from events where stream_id = any(%(streams)s)
    union all
    select stream_id, version, name, state, position, command_id from events
    where command_id = any(%(commands)s) and stream_id <> all(%(streams)s)
) e on true left join requests r on r.command_id = e.command_id and e.command_id = any(%(commands)s)
order by e.stream_id, e.version
"""
BY_COMMAND: Final = """
select stream_id, version, name, state, position, command_id from events where command_id = any(%s) order by position
"""
Outcome = Done | Refused


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at the log gave for a batch: all of one moment, but for the numbers, which are candidates."""

    now: datetime
    facts: Facts
    rows: Sequence[Row]
    macs: Mapping[UUID, bytes]
    last_numbers: Mapping[HallDay, int]


def look(pool: ConnectionPool, asks: Sequence[Ask[C]], facts_of: Callable[[int, int], Facts]) -> Found:
    """Read everything a batch is decided on; `facts_of` gives the facts of a version of register and rulebook."""
    wanted = {
        "register": register.STREAM,
        "rulebook": rulebook.STREAM,
        "streams": list({ask.stream for ask in asks}),
        "commands": [ask.asked.command_id for ask in asks],
    }
    with pool.connection() as connection:
        found = connection.execute(LOOK, wanted, binary=True, prepare=True).fetchall()
    now, register_version, rulebook_version = found[0][:3]
    now = now.astimezone(UTC)
    rows = [row for row in found if row[3] is not None]
    macs = {row[8]: row[9] for row in rows if row[9] is not None}
    # Read outside of the block above, which would hold a second connection.
    facts = facts_of(register_version or 0, rulebook_version or 0)
    days = {hall_day(facts, ask, now) for ask in asks if isinstance(ask.command, RegisterComplaint)}
    return Found(now, facts, [row_of(*row[3:9]) for row in rows], macs, last_numbers(pool, days) if days else {})


def hall_day(facts: Facts, ask: Ask[Any], now: datetime) -> HallDay:
    """Give the hall and the local day on which a complaint is numbered."""
    return ask.command.hall, facts.day(ask.command.profile, ask.asked.moment or now)


def done_before(stream: UUID, rows: Iterable[Row]) -> Done:
    """Give what a command on this stream did, from the rows it left."""
    listed = sorted(rows, key=lambda row: row[3])
    return Done(
        stream=stream,
        version=max([version for where, version, *_ in listed if where == stream], default=0),
        position=listed[-1][3],
        events=tuple(event for _, _, event, _, _ in listed),
        repeated=True,
    )


def placed(
    stream: UUID,
    versions: dict[UUID, int],
    version_of: Callable[[UUID], int],
    decided: Sequence[Event | For],
    asked: Asked,
    facts: Facts,
) -> list[Recorded]:
    """Give events their places, each on its stream; `versions` are those reached so far and are carried on.

    `version_of` reads the version of a stream that is not among them.
    """
    metadata = Metadata(
        command=asked.name,
        source=asked.source,
        cause=asked.cause,
        register=facts.register_version,
        rulebook=facts.rulebook_version,
    )
    recorded = []
    for one in decided:
        where, event = (one.stream, one.event) if isinstance(one, For) else (stream, one)
        if where not in versions:
            versions[where] = version_of(where)
        versions[where] += 1
        recorded.append(Recorded(stream=where, version=versions[where], event=event, metadata=metadata))
    return recorded


@dataclass(frozen=True, slots=True)
class _Placed:
    """A decided command: the version its stream then has, and which of the batch's events are its own."""

    stream: UUID
    version: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class _Again:
    """A command that stands in the batch twice: where it stood first."""

    index: int


class Batch(Generic[S, C, E]):
    """The streams of a batch while it is decided; what is decided waits in `recorded` for the one append."""

    def __init__(
        self,
        decider: Decider[S, C, E, Any],
        asks: Sequence[Ask[C]],
        found: Found,
        version_of: Callable[[UUID], int],
        pool: ConnectionPool,
    ) -> None:
        """Begin with what `look` found.

        `version_of` reads the version of a stream that no command names; other cases that a command is decided on, and
        the last numbers of a day on which one is split, are read when it is that command's turn.
        """
        self._pool = pool
        self._decider = decider
        self._found = found
        self._version_of = version_of
        self._numbers = dict(found.last_numbers)
        self._states: dict[UUID, S] = {ask.stream: decider.initial for ask in asks}
        self._versions = {ask.stream: 0 for ask in asks}
        self._last: dict[UUID, datetime] = {}
        self._before: dict[UUID, list[Row]] = {}
        self._index: dict[UUID, tuple[int, bytes | None]] = {}
        self._given: list[Outcome | _Placed | _Again] = []
        self._beside: set[int] = set()
        self.recorded: list[Recorded] = []
        self.command_ids: list[UUID] = []
        self.beside: list[Beside] = []
        for row in found.rows:
            self._before.setdefault(row[4], []).append(row)
            if row[0] in self._states:
                self._versions[row[0]] = row[1]
                self._take_in(row[0], row[2])

    def give(self, ask: Ask[C]) -> None:
        """Decide one command; it sees what those before it did."""
        try:
            self._given.append(self._decide(ask))
        except Refused as refused:
            self._given.append(refused)

    def outcomes(self, positions: Sequence[int], last_position: int) -> list[Outcome]:
        """Give the outcome of each command, in their order, now that what was decided stands at these positions.

        `last_position` is the log's, for commands that changed nothing.
        """
        given: list[Outcome] = []
        for one in self._given:
            match one:
                case _Placed(stream=stream, version=version, first=first, end=end):
                    events = tuple(each.event for each in self.recorded[first:end])
                    position = positions[end - 1] if events else last_position
                    given.append(Done(stream=stream, version=version, position=position, events=events))
                case _Again(index=index):
                    before = given[index]
                    given.append(replace(before, repeated=True) if isinstance(before, Done) else before)
                case _:
                    given.append(one)
        return given

    def _decide(self, ask: Ask[C]) -> Outcome | _Placed | _Again:
        stream, asked = ask.stream, ask.asked
        if rows := self._before.get(asked.command_id):
            mac = self._found.macs.get(asked.command_id)
            if mac is not None and asked.mac is not None and mac != asked.mac:
                raise KeyReused
            return done_before(stream, rows)
        if asked.command_id in self._index:
            index, mac = self._index[asked.command_id]
            if mac is not None and asked.mac is not None and mac != asked.mac:
                raise KeyReused
            return _Again(index)
        others = ask.command.others(self._states[stream])
        self._read([one for one in others if one not in self._states])
        version, last = (
            self._versions[stream],
            max([self._last[o] for o in (stream, *others) if o in self._last], default=None),
        )
        if asked.expected is not None and asked.expected != version:
            raise Stale(expected=asked.expected, version=version)
        if asked.moment is not None and last is not None and asked.moment < last:
            raise BeforeLast(last=last, given=asked.moment)
        now = asked.moment or self._found.now
        at = now if last is None else max(now, last)
        known = {one: self._states[one] for one in others if self._versions[one]}
        facts = replace(self._facts(ask, at), similar=asked.similar, itself=stream, others=known)
        decided = self._decider.decide(self._states[stream], replace(ask.command, at=at), facts)
        if decided:
            self._index[asked.command_id] = len(self._given), asked.mac
        return self._place(ask, decided)

    def _read(self, streams: Sequence[UUID]) -> None:
        """Take streams in that no command of the batch is given on."""
        for stream in streams:
            self._states[stream], self._versions[stream] = self._decider.initial, 0
        for row in rows_of(self._pool, streams):
            self._versions[row[0]] = row[1]
            self._take_in(row[0], row[2])

    def _facts(self, ask: Ask[C], at: datetime) -> Facts:
        facts = self._found.facts
        if (wanted := numbers_wanted(ask.command, self._states[ask.stream])) is not None:
            day = facts.day(wanted.profile, at)
            if (wanted.hall, day) not in self._numbers:
                self._numbers |= last_numbers(self._pool, [(wanted.hall, day)])
            return replace(facts, complaint_nos=following(self._numbers[wanted.hall, day], wanted, day))
        if not isinstance(ask.command, RegisterComplaint):
            return facts
        hall, day = hall_day(facts, ask, self._found.now)
        return replace(facts, complaint_no=complaint_no(hall, day, self._numbers[hall, day] + 1))

    def _place(self, ask: Ask[C], decided: Sequence[Event | For]) -> _Placed:
        first = len(self.recorded)
        recorded = placed(ask.stream, self._versions, self._version_of, decided, ask.asked, self._found.facts)
        for each in recorded:
            if each.stream in self._states:
                self._take_in(each.stream, each.event)
            if isinstance(each.event, Registered):
                # Its own day: a split registers cases besides the one it is given on.
                self._numbers[each.event.hall, self._found.facts.day(each.event.profile, each.event.at)] += 1
        self.recorded += recorded
        self.command_ids += [ask.asked.command_id] * len(recorded)
        if recorded:
            # The same statement may come with several commands: once is enough.
            for one in ask.asked.beside:
                if id(one) not in self._beside:
                    self._beside.add(id(one))
                    self.beside.append(one)
            if ask.asked.mac is not None:
                self.beside.append(Beside(REMEMBER, (ask.asked.command_id, ask.asked.mac)))
        return _Placed(ask.stream, self._versions[ask.stream], first, len(self.recorded))

    def _take_in(self, stream: UUID, event: Any) -> None:  # noqa: ANN401 - a stream holds the events of its decider
        self._states[stream] = self._decider.evolve(self._states[stream], event)
        self._last[stream] = event.at
