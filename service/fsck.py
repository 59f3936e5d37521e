"""Checks the whole log in one pass: rows, hashes, tree and checkpoints, against each other and what is held outside."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from domain import log
from projections.leaf import Leaf, stored_leaves
from projections.merkle import HASH_BYTES, Frontier
from projections.seals import SEALS, TILE, TILE_BITS, Tiles
from service.diagnosis import Course, Difference, told
from service.held import GivenUp, Held
from service.outside import Leaves
from service.signing import BadNote, Checkpoint, opened

MOST_LOOKED_AT: Final = 1000
"""Positions that differ and are looked at again to tell what was done."""
MOST_TOLD: Final = 20
THE_LOG: Final = 0
NOWHERE: Final = 2**63
"""Instead of a position: a finding about the log as a whole comes first, one about no event in particular last."""

_PAGE_END: Final = """
select max(position) from (select position from events where position > %s order by position limit %s) as page
"""
_ROW: Final = """
select position, stream_id, version, name, recorded_at, command_id, command_seq, state from events where position = %s
"""
_SIGNED: Final = "select size, root, epoch, signed_at, note from checkpoints order by size"
_RESTORED: Final = """
select position, (e ->> 'epoch')::int, (e ->> 'kept')::bigint
from events, lateral (select convert_from(state, 'UTF8')::jsonb -> 'e') as told (e)
where stream_id = %s and name = 'log.restored.1' order by position
"""
_MISSHAPEN: Final = sql.SQL("""
select level, index from {} where octet_length(hashes) is distinct from
    %(hash)s * least(256, greatest(0, (%(size)s::bigint >> (8 * level)) - index * 256)) or level not between 0 and 7
order by level, index limit 1
""").format(sql.Identifier(SEALS.table))
_PAGE: Final = 5000

# What every stream and every command has by the way it is appended, and what is appended with it.
_ORDER: Final[tuple[tuple[str, LiteralString], ...]] = (
    ("a row stands before the first position", "select min(position) from events where position < 1"),
    (
        "it was recorded at a time before that of the event before it",
        """select min(position) from (select position, recorded_at, lag(recorded_at)
        over (order by position) as earlier from events) as placed where recorded_at < earlier""",
    ),
    (
        "the version is not the next one of its stream",
        """select min(position) from (select position, version, row_number()
        over (partition by stream_id order by position) as place from events) as placed where version <> place""",
    ),
    (
        "the place in its command is not the next one",
        """select min(position) from (select position, command_seq, row_number()
        over (partition by command_id order by position) - 1 as place from events) as placed
        where command_seq <> place""",
    ),
)
_CLAIMED: Final = """
select count(*) from claims c where not exists (select from events e where e.stream_id = c.stream_id)
"""
_READ: Final = "select coalesce(max(position), 0) from projection_positions"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something is wrong at a position, or somewhere between two of them."""

    first: int
    last: int
    words: str = field(compare=False)

    def __str__(self) -> str:
        if self.first in {THE_LOG, NOWHERE}:
            return self.words
        if self.first == self.last:
            return f"position {self.first}: {self.words}"
        return f"between positions {self.first} and {self.last}: {self.words}"


@dataclass
class Report:
    """What an audit found: the first finding comes first; none on a log that nobody altered."""

    events: int = 0
    sealed: int = 0
    checkpoints: int = 0
    leaves_outside: int = 0
    checkpoints_outside: int = 0
    epochs: list[tuple[int, int, int]] = field(default_factory=list)
    """For each time the log was taken back: where that is recorded, which epoch began, how many events were kept."""
    given_up: list[GivenUp] = field(default_factory=list)
    checkpoints_given_up: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A checkpoint, from the database or from outside; None where the database's is none any more."""

    size: int
    checkpoint: Checkpoint | None
    outside: bool


def fsck(connection: psycopg.Connection[Any], log_id: UUID, vkey: str, held: Held | None = None) -> Report:
    """Check the log that this key signs for, at one moment, while it may go on growing; nothing is decoded.

    What is held must have been looked up before. Wants an autocommitting connection that does nothing else.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        return _Check(connection, log_id, vkey, held).done()


class _Check:
    def __init__(self, connection: psycopg.Connection[Any], log_id: UUID, vkey: str, held: Held | None) -> None:
        self._connection, self._log_id, self._vkey, self._held = connection, log_id, vkey, held
        self.report = Report(epochs=self._restored())
        self._kept = {epoch: kept for _, epoch, kept in self.report.epochs}
        self._tiles = Tiles(connection)
        self._outside = Leaves([]) if held is None else held.leaves(self._kept)
        self._grown = Frontier()
        self._whole = True  # no row is missing, so that the rows have a root
        self._end = 0
        self._first: Difference | None = None
        self._differing: list[int] = []
        self._count = 0
        self._fitting = dict.fromkeys((False, True), 0)
        self._misfit: _Seen | None = None
        self._newest: _Seen | None = None  # of the database
        self._doubts: dict[str, tuple[int, int]] = {}
        self._judged: dict[bool, bool] = {}
        self._reach: _Seen | None = None  # the largest checkpoint beyond the end

    def done(self) -> Report:
        """Go over everything once, then tell."""
        self._identity()
        self._pass()
        self._tell()
        self._shape()
        self._order()
        self._held_apart()
        report = self.report
        report.events, report.sealed = self._end, 0 if self._newest is None else self._newest.size
        report.leaves_outside = self._outside.end
        report.findings = sorted(report.findings)[:MOST_TOLD]
        return report

    def _wrong(self, first: int, words: str, last: int | None = None) -> None:
        # A log that was wholly overwritten must not fill the memory.
        if len(self.report.findings) < MOST_LOOKED_AT:
            self.report.findings.append(Finding(first, first if last is None else last, words))

    def _doubt(self, size: int, words: str) -> None:
        """Keep what is wrong with a checkpoint: events come first, and of each kind one is told."""
        first, count = self._doubts.get(words, (size, 0))
        self._doubts[words] = first, count + 1

    def _identity(self) -> None:
        found = self._connection.execute("select log_id from log").fetchall()
        if found != [(self._log_id,)]:
            self._wrong(
                THE_LOG, f"the database does not say that it holds the log {self._log_id}, for which the key signs"
            )
        if self._held is not None and self._held.vkey not in {None, self._vkey}:
            self._wrong(THE_LOG, f"{self._held.place} was written under another key: {self._held.vkey}")

    def _restored(self) -> list[tuple[int, int, int]]:
        try:
            with self._connection.transaction():
                found = self._connection.execute(_RESTORED, (log.STREAM,)).fetchall()
                return [row for row in found if None not in row]
        except psycopg.DataError:
            # Somebody wrote something else there, and the rows will show it.
            return []

    def _pass(self) -> None:
        seen = heapq.merge(self._signed(), self._signed_outside(), key=lambda one: one.size)
        due = next(seen, None)
        last = 0
        while end := self._page_end(last):
            # Whole pages, because nothing else can be asked while one comes; only hashes are kept of it.
            for position, computed, stored in list(stored_leaves(self._connection, last + 1, end)):
                self._compare(position, computed, stored)
                while due is not None and due.size <= self._end:
                    self._judge(due)
                    due = next(seen, None)
            last = end
        while due is not None:
            if due.checkpoint is not None and (self._reach is None or self._reach.size < due.size):
                self._reach = due
            due = next(seen, None)

    def _page_end(self, after: int) -> int | None:
        row = self._connection.execute(_PAGE_END, (after, _PAGE)).fetchone()
        return None if row is None else row[0]

    def _compare(self, position: int, computed: bytes, stored: bytes) -> None:
        index = position - 1
        if position <= self._end:
            self._wrong(self._end, f"a row too much stands at position {position}")
            return
        if position != self._end + 1:
            self._missing(self._end + 1, position - 1)
        self._end = position
        sealed, outside = self._tiles.get(0, index), self._outside.get(index)
        if computed != stored or sealed not in {None, computed} or outside not in {None, computed}:
            self._differs(
                Difference(position=position, computed=computed, stored=stored, sealed=sealed, outside=outside)
            )
        if self._whole:
            full = self._grown.append(computed)[TILE_BITS::TILE_BITS]
            for level, hash_ in enumerate(full, start=1):
                number = (position >> TILE_BITS * level) - 1
                if self._tiles.get(level, number) not in {None, hash_} and self._first is None:
                    width = TILE**level
                    self._wrong(
                        number * width + 1,
                        f"the tree does not follow from its leaves (tile {number // TILE} of level {level})",
                        (number + 1) * width,
                    )

    def _missing(self, first: int, last: int) -> None:
        self._whole = False
        for position in range(first, min(last, first + MOST_LOOKED_AT) + 1):
            sealed, outside = self._tiles.get(0, position - 1), self._outside.get(position - 1)
            self._differs(Difference(position=position, computed=None, stored=None, sealed=sealed, outside=outside))

    def _differs(self, difference: Difference) -> None:
        self._first = self._first or difference
        self._count += 1
        if len(self._differing) < MOST_LOOKED_AT:
            self._differing.append(difference.position)

    def _signed(self) -> Iterator[_Seen]:
        """Read the checkpoints of the database, as far as they are what they say."""
        with self._connection.cursor("checkpoints", binary=True) as cursor:
            cursor.itersize = _PAGE
            for size, root, epoch, signed_at, note in cursor.execute(_SIGNED):
                self.report.checkpoints += 1
                yield _Seen(size, self._as_noted(size, (bytes(root), epoch, signed_at), note), outside=False)

    def _as_noted(self, size: int, told: tuple[bytes, int, datetime], note: str) -> Checkpoint | None:
        try:
            found = Checkpoint.read(opened(note, [self._vkey]))
        except BadNote as error:
            self._doubt(size, f"was changed in the database: {error}")
            return None
        if (found.size, found.root, found.epoch, found.signed_at) == (size, *told):
            return found
        self._doubt(size, "is not what its note says, in the database")
        return None

    def _signed_outside(self) -> Iterator[_Seen]:
        if self._held is not None:
            for found in self._held.checkpoints(self._vkey, self._kept):
                self.report.checkpoints_outside += 1
                yield _Seen(found.size, found, outside=True)
            self.report.checkpoints_given_up = self._held.given_up

    def _judge(self, seen: _Seen) -> None:
        """Hold a checkpoint against the rows up to its size, and one outside against the database's."""
        if not seen.outside:
            self._newest = seen
        elif self._newest is None or self._newest.size != seen.size:
            self._doubt(seen.size, "is not in the database any more")
        if seen.checkpoint is None:
            return
        ours = self._newest.checkpoint if self._newest is not None and self._newest.size == seen.size else None
        if ours is not None and ours.root != seen.checkpoint.root:
            self._doubt(seen.size, "is signed over two roots: who has the key signed two logs")
        began = [number for position, number, _ in self.report.epochs if position <= seen.size]
        if seen.checkpoint.epoch != (began[-1] if began else log.FIRST):
            self._doubt(seen.size, f"says epoch {seen.checkpoint.epoch}, which was another one")
        fits = self._whole and seen.size == self._grown.size and self._grown.root() == seen.checkpoint.root
        if self._first is not None:
            self._judged.setdefault(seen.outside, fits)
        if fits and self._misfit is None:
            self._fitting[seen.outside] = seen.size
        elif self._misfit is None:
            self._misfit = seen

    def _tell(self) -> None:
        """Put what the pass has found into words."""
        first, moved = self._first, False
        ends = [self._tiles.size, self._outside.end, *([self._reach.size] if self._reach else [])]
        if first is not None:
            # A copy outside is judged by the checkpoints outside.
            apart = first.outside not in {None, first.computed}
            signed = self._judged.get(True, None if apart else self._judged.get(False))
            course = Course(differing=self._differing, count=self._count, end=self._end, ended=max(ends), signed=signed)
            found = told(first, course, self)
            moved = found.moved
            self._wrong(first.position, found.words)
        if self._misfit is not None and (first is None or self._misfit.size < first.position):
            where = f"held in {self._held.place}" if self._held and self._misfit.outside else "in the database"
            fitting = self._still_fitting(self._misfit)
            self._wrong(
                fitting + 1,
                f"something was altered, put in or taken out: the checkpoint of {self._misfit.size} events {where}"
                f" does not fit{_still(fitting)}",
                self._misfit.size,
            )
        if max(ends) > self._end and not moved:
            self._cut(max(ends))

    def _cut(self, ended: int) -> None:
        by = "sealed" if self._tiles.size == ended else "signed or held outside"
        words = f"the log ends at {self._end}, {ended} were {by}"
        if max(self._tiles.size, self._outside.end) > self._end:
            self._wrong(self._end + 1, f"{words}: {_range(self._end + 1, ended)} missing")
        else:
            # Checkpoints alone tell how many are missing, not which.
            fitting = self._still_fitting(self._reach)
            self._wrong(fitting + 1, f"{words}: {ended - self._end} events are missing{_still(fitting)}", ended)

    def _still_fitting(self, seen: _Seen | None) -> int:
        """Give the size of the last checkpoint that fits; where one outside does not, ours may be signed anew."""
        return self._fitting[True] if seen is not None and seen.outside else max(self._fitting.values())

    def _shape(self) -> None:
        size = {"hash": HASH_BYTES, "size": self._tiles.size}
        for level, index in self._connection.execute(_MISSHAPEN, size):
            start = index * TILE ** (level + 1) + 1
            self._wrong(max(0, start), f"tile {index} of level {level} of the tree has not the hashes it should have")
        (newest,) = self._connection.execute("select coalesce(max(size), 0) from checkpoints").fetchone() or (0,)
        if newest > self._tiles.size:
            self._wrong(
                self._tiles.size + 1, f"the tree ends at {self._tiles.size}, though {newest} events were signed"
            )

    def _order(self) -> None:
        for words, query in _ORDER:
            (position,) = self._connection.execute(query).fetchone() or (None,)
            if position is not None:
                self._wrong(position, words)
        (read,) = self._connection.execute(_READ).fetchone() or (0,)
        if read > max(self._end, self._tiles.size):
            self._wrong(self._end + 1, f"the log ends at {self._end}, though {read} events were read from it")
        (claimed,) = self._connection.execute(_CLAIMED).fetchone() or (0,)
        if claimed:
            self._wrong(
                0, f"{claimed} names are claimed for what is not in the log: events were taken out, or claims put in"
            )

    def _held_apart(self) -> None:
        for words, (size, count) in self._doubts.items():
            more = f" (and {count - 1} more)" if count > 1 else ""
            self._wrong(NOWHERE, f"the checkpoint of {size} events{more} {words}")
        if self._held is None:
            return
        self.report.given_up = self._held.gone(self._kept)
        for damage in self._held.damage:
            self._wrong(NOWHERE, f"{self._held.place}: {damage}")

    # What a diagnosis looks at again.

    def leaf(self, position: int) -> Leaf | None:
        """Give what a row holds."""
        row = self._connection.execute(_ROW, (position,), binary=True).fetchone()
        return None if row is None or None in row else Leaf.of(self._log_id, row)

    def reference(self, position: int) -> bytes | None:
        """Give what the hash of an event was."""
        return self._outside.get(position - 1) or self._tiles.get(0, position - 1)


def _still(fitting: int) -> str:
    return f", that of {fitting} still does" if fitting else ""


def _range(first: int, last: int) -> str:
    return f"{first} is" if first == last else f"{first} to {last} are"
