"""A log of any length to measure with, the same for the same seed: 500 complaints and 3,000 visits a working day.

    python -m tests.benchmarks.generating postgresql://... --events 1000000

A few hundred events are encoded once, with gaps for what differs from case to case. Filled, they go into an empty log
by COPY, with leaf hashes by projections.leaf. A shorter log is the beginning of a longer one of the same seed.
"""

from __future__ import annotations

import argparse
import heapq
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, count, islice
from random import Random
from typing import Final
from uuid import UUID

import psycopg

from domain import notice, register, rulebook
from domain.complaint import Registered
from domain.complaint.intake import complaint_no
from domain.decider import Metadata, beside
from projections.codec import NAME_OF, decode, encode
from projections.leaf import EPOCH, MICROSECOND, Leaf
from service.database import migrate
from tests import hall
from tests.benchmarks import visiting
from tests.benchmarks.courses import (
    A_DAY,
    ACCESS,
    AN_HOUR,
    CASE,
    COMPLAINANT,
    IDS,
    NOTICE,
    TOLD,
    Template,
    courses,
    template,
    varied,
)
from tests.benchmarks.visiting import WINDOWS

SEED: Final = 20260105
CASES_A_DAY: Final = 500
WORKING_DAYS: Final = 5
FIRST_DAY: Final = date(2026, 1, 6)
"""The day after the hall is entered."""
VARIANTS: Final = 8
"""How many cases of each course are encoded: other channels, windows, grades and lengths of texts."""
NEW_PEOPLE: Final = 0.8
MICROSECONDS: Final = 1_000_000
LONGEST_COMMAND: Final = 900_000
"""Microseconds from when something happens to when it is recorded, at most."""
CLAIMED: Final[Mapping[str, tuple[str, re.Pattern[bytes]]]] = {
    NAME_OF[Registered]: ("complaint_no", re.compile(rb'"complaint_no":"([^"]+)"')),
    **visiting.CLAIMED,
}
"""What an event claims, by its stored name, and where it stands in its bytes."""
PARETO: Final = 1.5
COPY: Final = """
copy events (position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash)
from stdin (format binary)
"""
COLUMN_TYPES: Final = ("int8", "uuid", "int4", "text", "timestamptz", "uuid", "int2", "bytea", "bytea")
SAMPLE: Final = """
select name, state,
    leaf_hash = leaf_hash(log_id, position, stream_id, version, name, recorded_at, command_id, command_seq, state)
from log, events where position = any(%s)
"""


@dataclass(slots=True)
class Story:
    """A case under way: what fills the gaps of its events, where they stand, and how far it has come."""

    templates: Sequence[Template]
    values: Mapping[str, str]
    streams: Mapping[str, UUID]
    start: int
    """In seconds since 1970, with the second within the hour that everything in this case happens at."""
    command: UUID
    place: int = 0
    versions: Counter[str] = field(default_factory=Counter)

    @property
    def moment(self) -> int:
        """When its next event happens, in seconds since 1970."""
        return self.start + self.templates[self.place].second


class Generated:
    """Events in the order of a log, made as they are asked for."""

    def __init__(
        self, log_id: UUID, seed: int = SEED, cases_a_day: int = CASES_A_DAY, number_of_windows: int = WINDOWS
    ) -> None:
        self._log_id = log_id
        ways = (*courses(), *visiting.courses())
        self._shares = [share for share, _ in ways]
        # The shares of complaints are of a hundred.
        self._stories_a_day = cases_a_day * sum(self._shares) // 100
        self._windows = visiting.windows(number_of_windows)
        self._chance = Random(seed)
        self._position = 0
        self._recorded = 0  # µs since 1970
        self._courses = [
            [[template(step) for step in varied(steps, self._chance)] for _ in range(VARIANTS)] for _, steps in ways
        ]
        # Some windows serve many times as many people as others.
        self._traffic = list(accumulate(self._chance.paretovariate(PARETO) for _ in self._windows))
        templates = [one for variants in self._courses for variant in variants for one in variant]
        self._offsets = sorted({int(gap) for one in templates for _, gap in one.named if gap[0] in "+-"})
        self._people = [self._fresh()]

    def leaves(self) -> Iterator[Leaf]:
        """Give the events without end, each with all that its leaf hash covers."""
        entered = _seconds(hall.ENTERED.date()) + hall.ENTERED.hour * AN_HOUR
        for stream, events in (
            (register.STREAM, (*hall.REGISTER_EVENTS, *self._windows)),
            (rulebook.STREAM, hall.RULEBOOK_EVENTS),
        ):
            for version, event in enumerate(events, start=1):
                name, state = encode(event, Metadata(command="enter", source="cli"))
                yield self._leaf(entered, stream, version, name, self._fresh(), 0, state)
        numbers, under_way = count(), list[tuple[int, int, Story]]()
        for day in (FIRST_DAY + timedelta(passed) for passed in count()):
            if day.isoweekday() <= WORKING_DAYS:
                for story in self._registered(day):
                    heapq.heappush(under_way, (story.moment, next(numbers), story))
            tomorrow = _seconds(day) + A_DAY
            while under_way and under_way[0][0] < tomorrow:
                moment, number, story = under_way[0]
                yield self._next(story, moment)
                if story.place < len(story.templates):
                    heapq.heapreplace(under_way, (story.moment, number, story))
                else:
                    heapq.heappop(under_way)

    def _registered(self, day: date) -> Iterator[Story]:
        chance = self._chance
        days = {f"{offset:+}": str(day + timedelta(offset)) for offset in self._offsets}
        codes = [one.entry.code for one in self._windows]
        for number in range(1, self._stories_a_day + 1):
            (course,) = chance.choices(self._courses, self._shares)
            if chance.random() < NEW_PEOPLE:
                self._people.append(self._fresh())
            case, second = self._fresh(), (number - 1) * AN_HOUR // self._stories_a_day
            visit, visited = visiting.values(str(day), number, chance)
            values = {
                **days,
                **visit,
                **{name: str(self._fresh()) for name in IDS},
                CASE: str(case),
                COMPLAINANT: str(chance.choice(self._people)),
                "number": complaint_no("GXQ", day, number),
                "window": chance.choices(codes, cum_weights=self._traffic)[0],
                "clock": f"{second // 60:02}:{second % 60:02}",
            }
            streams = {CASE: case, ACCESS: beside(case, ACCESS), NOTICE: notice.notice_of(case, TOLD), **visited}
            yield Story(chance.choice(course), values, streams, _seconds(day) + second, command=case)

    def _next(self, story: Story, moment: int) -> Leaf:
        one = story.templates[story.place]
        story.place += 1
        story.versions[one.stream] += 1
        if one.seq == 0:
            story.command = self._fresh()
        version, state = story.versions[one.stream], one.filled(story.values, self._chance)
        return self._leaf(moment, story.streams[one.stream], version, one.name, story.command, one.seq, state)

    def _leaf(self, moment: int, stream: UUID, version: int, name: str, command: UUID, seq: int, state: bytes) -> Leaf:
        # One command is recorded in one moment, and no command in the moment of another.
        if seq == 0:
            taken = int(self._chance.random() * LONGEST_COMMAND)
            self._recorded = max(self._recorded + 1, moment * MICROSECONDS + taken)
        self._position += 1
        return Leaf(
            log_id=self._log_id,
            position=self._position,
            stream_id=stream,
            version=version,
            name=name,
            recorded_at=EPOCH + self._recorded * MICROSECOND,
            command_id=command,
            command_seq=seq,
            state=state,
        )

    def _fresh(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128))


def _seconds(day: date) -> int:
    """Give the seconds from 1970 to the beginning of a day (UTC)."""
    return (day - EPOCH.date()).days * A_DAY


def fill(dsn: str, events: int, seed: int = SEED, number_of_windows: int = WINDOWS) -> UUID:
    """Fill an empty log with so many events and the names they claim; give its id, which comes of the seed too.

    Raises ValueError for a log that is not empty.
    """
    log_id = UUID(int=Random(f"log {seed}").getrandbits(128))
    claimed: list[tuple[str, str, UUID]] = []
    with psycopg.connect(dsn) as connection:
        if connection.execute("select from events limit 1").fetchone() is not None:
            raise ValueError("the log has events already: give an empty database")
        connection.execute("update log set log_id = %s", (log_id,))
        with connection.cursor() as cursor:
            with cursor.copy(COPY) as copy:
                copy.set_types(COLUMN_TYPES)
                for one in islice(Generated(log_id, seed, number_of_windows=number_of_windows).leaves(), events):
                    if one.name in CLAIMED:
                        kind, key = CLAIMED[one.name]
                        claimed.append((kind, key.findall(one.state)[0].decode(), one.stream_id))
                    copy.write_row(
                        (
                            one.position, one.stream_id, one.version, one.name, one.recorded_at, one.command_id,
                            one.command_seq, one.state, one.digest(),
                        )
                    )  # fmt: skip
            with cursor.copy("copy claims (kind, key, stream_id) from stdin (format binary)") as copy:
                copy.set_types(["text", "text", "uuid"])
                for claim in claimed:
                    copy.write_row(claim)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze events")
        connection.execute("checkpoint")
    return log_id


def sampled(dsn: str, rows: int = 1000) -> int:
    """Look at some rows, scattered by chance: each decodes, gives the bytes it was decoded from, and has its leaf.

    Gives how many were looked at; raises AssertionError, or what the decoder raises.
    """
    with psycopg.connect(dsn) as connection:
        (last,) = connection.execute("select coalesce(max(position), 0) from events").fetchone() or (0,)
        wanted = sorted(Random(rows).sample(range(1, last + 1), min(rows, last)))
        found = connection.execute(SAMPLE, (wanted,), binary=True).fetchall()
    assert len(found) == len(wanted)
    for name, state, fits in found:
        event, metadata = decode(name, state)
        assert encode(event, metadata) == (name, state)
        assert fits
    return len(found)


def main() -> None:
    """Read the command line; make, fill, look, and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.generating", description=__doc__)
    parser.add_argument("dsn", help="a database without a log, or with an empty one")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    told = parser.parse_args()
    migrate(told.dsn)
    start = time.perf_counter()
    log_id = fill(told.dsn, told.events, told.seed, told.windows)
    took = time.perf_counter() - start
    looked_at = sampled(told.dsn)
    print(
        f"log {log_id}: {told.events} events in {took:.0f} s ({told.events / took:.0f}/s);"
        f" {looked_at} rows decode, and have the leaves that the database computes"
    )


if __name__ == "__main__":
    main()
