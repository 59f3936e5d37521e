"""A row comes back from its table as it went in, whatever it holds; and leaves it when the fold says so."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decider import Code, PersonKey
from projections.docket import DOCKET, DocketRow
from projections.docket import evolve as docket_of
from projections.runner import Entry, Projection
from tests.controls import LOOP
from tests.hall import key
from tests.projections.town import CASE, TALLY, TallyRow, Town, carrying, count, entries, rows

SLOW_DATABASE: Final = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Word(StrEnum):
    """A list of words; one looks like nothing, one like something of the database's own."""

    PLAIN = "plain"
    NULL = "NULL"
    BRACES = "{a,b}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A row with a column of every kind."""

    key: UUID
    text: str
    maybe_text: str | None
    code: Code
    number: int
    maybe_number: int | None
    yes: bool
    maybe: bool | None
    moment: datetime
    maybe_moment: datetime | None
    day: date | None
    word: Word
    maybe_word: Word | None
    person: PersonKey | None
    texts: tuple[str, ...]
    maybe_texts: tuple[str, ...] | None
    words: tuple[Word, ...]
    persons: tuple[PersonKey, ...]
    moments: tuple[datetime, ...]
    numbers: tuple[int, ...]


TEXTS: Final = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
MOMENTS: Final = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
NUMBERS: Final = st.integers(-(2**63), 2**63 - 1)
WORDS: Final = st.sampled_from(Word)
PERSONS: Final = st.uuids().map(PersonKey)


@st.composite
def everything(draw: st.DrawFn) -> Everything:
    """A row with anything in its columns."""
    return Everything(
        key=draw(st.uuids()),
        text=draw(TEXTS),
        maybe_text=draw(st.none() | TEXTS),
        code=draw(TEXTS),
        number=draw(NUMBERS),
        maybe_number=draw(st.none() | NUMBERS),
        yes=draw(st.booleans()),
        maybe=draw(st.sampled_from([None, True, False])),
        moment=draw(MOMENTS),
        maybe_moment=draw(st.none() | MOMENTS),
        day=draw(st.none() | st.dates()),
        word=draw(WORDS),
        maybe_word=draw(st.none() | WORDS),
        person=draw(st.none() | PERSONS),
        texts=tuple(draw(st.lists(TEXTS, max_size=3))),
        maybe_texts=draw(st.none() | st.lists(TEXTS, max_size=2).map(tuple)),
        words=tuple(draw(st.lists(WORDS, max_size=3))),
        persons=tuple(draw(st.lists(PERSONS, max_size=2))),
        moments=tuple(draw(st.lists(MOMENTS, max_size=2))),
        numbers=tuple(draw(st.lists(NUMBERS, max_size=2))),
    )


def keeping(kept: list[Everything]) -> Projection[Everything]:
    """Give a projection whose rows are these, whatever happens."""
    by_key = {row.key: row for row in kept}
    return Projection(
        name="everything",
        number=1,
        row=Everything,
        key=lambda entry: entry.stream,
        evolve=lambda _, entry: by_key[entry.stream],
    )


def kinds(value: object) -> object:
    """Give the types of what a row holds, those inside of tuples too; of a moment its zone."""
    if is_dataclass(value):
        return [kinds(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple):
        return [kinds(part) for part in value]
    return value.tzinfo if isinstance(value, datetime) else type(value)


@pytest.mark.postgres
@SLOW_DATABASE
@given(st.lists(everything(), min_size=1, max_size=4, unique_by=lambda row: row.key))
def test_a_row_comes_back_as_it_went_in(connection: psycopg.Connection, kept: list[Everything]) -> None:
    """Nothing, words of a list, keys of persons, moments and lists of each come back as the types they were."""
    connection.execute("set timezone to 'Asia/Shanghai'; drop table if exists everything_1, everything_1_scratch")
    projection = keeping(kept)
    projection.create(connection)
    page = [one for row in kept for one in entries(LOOP[0], case=row.key)]
    for _ in range(2):  # written, then read, folded and written again
        with connection.transaction():
            projection.apply(connection, page)
    found = rows(connection, projection)
    assert found == sorted(kept, key=lambda row: row.key)
    assert [kinds(row) for row in found] == [kinds(row) for row in sorted(kept, key=lambda row: row.key)]


def leaving(row: TallyRow | None, entry: Entry) -> TallyRow | None:
    """Count, and forget everything at an acceptance."""
    return None if entry.name == "complaint.accepted.1" else count(row, entry)


@pytest.mark.postgres
@pytest.mark.parametrize("page_size", [1, 2, 7])
def test_a_row_leaves_when_the_fold_says_so(town: Town, connection: psycopg.Connection, page_size: int) -> None:
    """What was forgotten stays so wherever pages end, and may begin anew."""
    gone, back = key("gone"), key("back")
    town.append(gone, *LOOP[:3])
    town.append(back, *LOOP[:4])
    forgetful = replace(TALLY, name="forgetful", evolve=leaving)
    runner = carrying(connection, forgetful)
    while runner.step(page_size):
        pass
    assert [(row.stream, row.names) for row in rows(connection, forgetful)] == [(back, ("complaint.assigned.1",))]


@pytest.mark.postgres
def test_a_row_nobody_changed_is_not_written(town: Town, connection: psycopg.Connection) -> None:
    """An event that says nothing to a projection leaves the row where it lies."""
    lazy = replace(TALLY, name="lazy", evolve=lambda row, entry: row or count(None, entry))
    town.append(CASE, LOOP[0])
    runner = carrying(connection, lazy)
    runner.catch_up()
    place = connection.execute("select ctid, xmin from lazy_1").fetchone()
    town.append(CASE, *LOOP[1:4])
    runner.catch_up()
    assert connection.execute("select ctid, xmin from lazy_1").fetchone() == place


STEPS: Final = st.lists(st.tuples(st.integers(0, 2), st.integers(0, len(LOOP) - 1)), max_size=30)
"""Steps of three cases one beside the other, in any order, sensible or not."""


@pytest.mark.postgres
@SLOW_DATABASE
@given(STEPS, st.floats(0, 1), st.floats(0, 1))
def test_in_any_parts_the_docket_is_the_same(
    connection: psycopg.Connection, taken: list[tuple[int, int]], one: float, other: float
) -> None:
    """Projected in three parts, wherever they end, it gives the rows that folding all at once gives."""
    log = [
        replace(entries(LOOP[step], case=key(f"case-{case}"))[0], position=n, version=n)
        for n, (case, step) in enumerate([(0, 0), (1, 0), *taken], start=1)
    ]
    at_once: dict[UUID, DocketRow | None] = {}
    for each in log:
        at_once[each.stream] = docket_of(at_once.get(each.stream), each)
    connection.execute("truncate docket_2")
    first, second = (round(len(log) * share) for share in sorted((one, other)))
    for part in (log[:first], log[first:second], log[second:]):
        with connection.transaction():
            DOCKET.apply(connection, part)
    expected = [row for row in at_once.values() if row is not None]
    assert rows(connection, DOCKET) == sorted(expected, key=lambda row: row.case)
