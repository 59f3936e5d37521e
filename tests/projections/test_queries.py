"""Worklists: whole, without repeats, in order, one moment for rows and count; a cursor that is not ours is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from domain.complaint.state import Step
from projections.docket import DOCKET, DocketRow, fold
from projections.queries import _SORT, BadCursor, Order, Page, Wanted, case_of, docket
from projections.sight import Viewer, viewer
from service.eventstore import Claim
from tests.controls import REGISTERED
from tests.hall import FACTS, SUPERVISOR, key, local
from tests.projections.test_sight import keep
from tests.projections.town import Town, entries
from tests.service.watching import event

pytestmark = pytest.mark.postgres

NOW: Final = local("03-02")
LOOKING: Final[Viewer] = viewer(FACTS.register, SUPERVISOR, NOW)
HOURS: Final = [NOW + timedelta(hours=n) for n in range(4)]


def row(n: int, due: datetime | None = None, registered_at: datetime = NOW, **changes: Any) -> DocketRow:  # noqa: ANN401
    """Give a row of the docket."""
    base = fold(entries(REGISTERED))
    assert base is not None
    return replace(base, case=UUID(int=n), due=due, registered_at=registered_at, **changes)


def add(connection: psycopg.Connection, rows: Sequence[DocketRow]) -> None:
    """Put rows on the docket beside those that are there."""
    by_case = {one.case: one for one in rows}
    adding = replace(DOCKET, evolve=lambda _, entry: by_case[entry.stream])
    with connection.transaction():
        adding.apply(connection, [one for case in by_case for one in entries(REGISTERED, case=case)])


def pages(connection: psycopg.Connection, wanted: Wanted) -> Iterator[Page]:
    """Turn the pages of a worklist."""
    page = docket(connection, LOOKING, wanted)
    yield page
    while page.cursor is not None:
        page = docket(connection, LOOKING, replace(wanted, cursor=page.cursor))
        yield page


def in_order(rows: Sequence[DocketRow], order: Order) -> list[UUID]:
    """Sort as people expect: what is due first at the top, what nobody can know last; or the newest first."""
    if order is Order.DUE:
        return [one.case for one in sorted(rows, key=lambda one: (one.due is None, one.due or NOW, one.case))]
    return [one.case for one in sorted(rows, key=lambda one: (one.registered_at, one.case), reverse=True)]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.none() | st.sampled_from(HOURS), st.sampled_from(HOURS)), max_size=12),
    st.sampled_from(Order),
    st.integers(1, 5),
)
def test_pages_hold_every_case_once_and_in_order(
    connection: psycopg.Connection, moments: list[tuple[datetime | None, datetime]], order: Order, limit: int
) -> None:
    """Ties and unknown limits as well, whatever the size of a page."""
    kept = [row(n, due, registered) for n, (due, registered) in enumerate(moments, start=1)]
    keep(connection, kept)
    turned = list(pages(connection, Wanted(order=order, limit=limit)))
    assert [one.case for page in turned for one in page.rows] == in_order(kept, order)
    assert {page.total for page in turned} == {len(kept)}
    assert all(len(page.rows) == limit for page in turned[:-1])
    assert all(page.rows for page in turned) or not kept


@pytest.mark.parametrize("order", list(Order))
def test_what_is_added_while_pages_are_turned_repeats_nothing(connection: psycopg.Connection, order: Order) -> None:
    """Cases that were there are shown once each; new ones once or not yet."""
    kept = [row(n, HOURS[n % 4] if n % 5 else None, HOURS[n % 3]) for n in range(100, 140)]
    keep(connection, kept)
    seen: list[UUID] = []
    new: list[DocketRow] = []
    for n, page in enumerate(pages(connection, Wanted(order=order, limit=3)), start=1):
        seen += [one.case for one in page.rows]
        assert page.total == len(kept) + len(new)
        if len(new) < 20:
            fresh = [row(n, HOURS[n % 4], HOURS[3]), row(1000 + n, None, HOURS[0])]
            add(connection, fresh)
            new += fresh
    assert len(seen) == len(set(seen))
    assert {one.case for one in kept} <= set(seen) <= {one.case for one in (*kept, *new)}


def test_the_last_page_has_no_cursor(connection: psycopg.Connection) -> None:
    """Also when it is full, and when there is nothing at all."""
    keep(connection, [])
    assert docket(connection, LOOKING, Wanted()) == Page(rows=[], total=0, cursor=None, complete_up_to=0)
    keep(connection, [row(n) for n in range(1, 5)])
    turned = list(pages(connection, Wanted(limit=2)))
    assert [(len(page.rows), page.cursor is None) for page in turned] == [(2, False), (2, True)]


def test_a_cursor_works_however_the_session_writes_its_dates(connection: psycopg.Connection) -> None:
    """Neither the zone nor the style of dates of a session reaches a cursor."""
    keep(connection, [row(n, HOURS[n % 2] if n % 3 else None) for n in range(1, 8)])
    connection.execute("set datestyle to 'SQL, DMY'; set timezone to 'America/St_Johns'")
    for order in Order:
        found = [one.case for page in pages(connection, Wanted(order=order, limit=2)) for one in page.rows]
        assert sorted(found) == [UUID(int=n) for n in range(1, 8)]


def spelled(*parts: object) -> str:
    """Spell a cursor of these parts."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


CASE: Final = str(UUID(int=1))
FOREIGN: Final = {
    "nothing": "",
    "not base64": "*",
    "one letter": "A",
    "another alphabet": "光标",
    "not json": base64.urlsafe_b64encode(b"{").decode(),
    "not utf-8": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "a number": base64.urlsafe_b64encode(b"7").decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "an object": base64.urlsafe_b64encode(b'{"due": 1, "b": 2, "c": 3}').decode(),
    "too few": spelled("due", "infinity"),
    "too many": spelled("due", "infinity", CASE, CASE),
    "another order": spelled("newest", NOW.isoformat(), CASE),
    "no order": spelled("oldest", "infinity", CASE),
    "an order of another kind": spelled(["due"], "infinity", CASE),
    "a case that is a number": spelled("due", "infinity", 5),
    "a case that is nothing": spelled("due", "infinity", None),
    "a case that is no id": spelled("due", "infinity", "x"),
    "a moment that is a number": spelled("due", 5, CASE),
    "a moment that is a word": spelled("due", "yesterday", CASE),
    "a moment without a zone": spelled("due", "2026-03-02T09:00:00", CASE),
    "a week": spelled("due", "2026-W10-1", CASE),
    "a moment before time": spelled("due", "0001-01-01T00:00:00+14:00", CASE),
    "a moment after time": spelled("due", "9999-12-31T23:59:59-14:00", CASE),
    "a zone of its own": spelled("due", "2026-03-02T09:00:00+99:99", CASE),
    "much of nothing": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "digits without end": base64.urlsafe_b64encode(b"9" * 10_000).decode(),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_cursor_is_refused(connection: psycopg.Connection, name: str) -> None:
    """Whoever makes one up is told to begin again; nothing else happens."""
    with pytest.raises(BadCursor) as refused:
        docket(connection, LOOKING, Wanted(cursor=FOREIGN[name], order=Order.DUE))
    assert refused.value.then
    assert connection.info.transaction_status.name == "IDLE"


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_text_at_all_is_a_cursor_or_refused(connection: psycopg.Connection, text: str) -> None:
    """There is no third way."""
    with pytest.raises(BadCursor):
        docket(connection, LOOKING, Wanted(cursor=text))


@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("2026-03-02T09:00:00.123456+05:30", Order.DUE),
        ("0001-01-02T00:00:00Z", Order.NEWEST),
        ("9999-12-30T23:59:59.999999+00:00", Order.DUE),
        ("2026-03-02T09:00:00+23:59", Order.NEWEST),
        ("infinity", Order.DUE),
        ("infinity", Order.NEWEST),
    ],
)
def test_a_well_made_cursor_of_somebody_else_shows_nothing_more(
    connection: psycopg.Connection, value: str, order: Order
) -> None:
    """A cursor says where to go on, never what may be seen."""
    kept = [row(1, HOURS[1]), row(2, HOURS[2], hall="ELSEWHERE")]
    connection.execute("set datestyle to 'German'")
    keep(connection, kept)
    everything_else = replace(LOOKING, strays=None)
    page = docket(connection, everything_else, Wanted(order=order, cursor=spelled(order, value, CASE)))
    assert {one.case for one in page.rows} <= {UUID(int=1)}
    assert page.total == 1


class Busy(psycopg.Connection):
    """A connection beside which somebody else writes after every statement."""

    meanwhile: Any = staticmethod(lambda: None)

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:  # noqa: ANN401 - as the driver's own
        """Execute; then somebody else writes."""
        cursor = super().execute(*args, **kwargs)
        self.meanwhile()
        return cursor


def test_rows_count_and_position_are_of_one_moment(database: str, connection: psycopg.Connection) -> None:
    """Whatever is written while a page is read: the three belong together."""
    written = 0

    def write() -> None:
        nonlocal written
        written += 1
        add(connection, [row(written)])
        connection.execute("update projection_positions set position = %s", (written,))

    with Busy.connect(database, autocommit=True) as reading:
        reading.meanwhile = write
        for _ in range(3):
            page = docket(reading, LOOKING, Wanted(limit=100))
            assert len(page.rows) == page.total == page.complete_up_to
    assert written > 6


@pytest.mark.parametrize(("order", "index"), [(Order.DUE, "docket_2_by_due"), (Order.NEWEST, "docket_2_newest")])
def test_each_order_has_its_index(connection: psycopg.Connection, order: Order, index: str) -> None:
    """The first page of a long docket is read, not sorted out of all of it."""
    value, direction, _ = _SORT[order]
    connection.execute("set enable_seqscan to off; set enable_sort to off")
    plan = connection.execute(
        sql.SQL('explain select * from docket_2 order by {0} {1}, "case" {1} limit 50').format(value, direction)
    ).fetchall()
    assert index in str(plan)
    assert "Sort" not in str(plan)


def test_a_page_changes_nothing(connection: psycopg.Connection) -> None:
    """The session reads and writes afterwards as it did before."""
    keep(connection, [row(1)])
    docket(connection, LOOKING, Wanted())
    assert connection.execute("show transaction_read_only").fetchone() == ("off",)
    assert connection.execute("show transaction_isolation").fetchone() == ("read committed",)
    add(connection, [row(2, step=Step.CLOSED)])
    assert docket(connection, LOOKING, Wanted(step=Step.CLOSED)).total == 1


def test_a_number_leads_to_its_case(town: Town, connection: psycopg.Connection) -> None:
    """By what was claimed when it was registered, before any projection has come so far; no other claim counts."""
    case = key("case")
    numbered = Claim("complaint_no", "TS-GXQ-20260213-00001-2", case)
    token = Claim("token", "TS-GXQ-20260213-00002-3", case)
    town.recorder.insert_events([event(case)], command_ids=[case], claims=[numbered, token])
    assert case_of(connection, "TS-GXQ-20260213-00001-2") == case
    assert case_of(connection, "TS-GXQ-20260213-00002-3") is None
    assert case_of(connection, "TS-GXQ-2026%") is None
