"""The tree over the log as it is kept: the same tiles whatever the pages, proofs that hold, no altered row sealed."""

from __future__ import annotations

from typing import Any, Final, LiteralString

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from domain import log
from domain.decider import THE_SYSTEM
from projections.merkle import EMPTY_ROOT, check_consistency, check_inclusion, root_of
from projections.runner import Runner, Stopped
from projections.seals import SEALS, TILE, LeafAltered, Tree, restorations
from tests.projections.town import TALLY, Town, carrying
from tests.service.watching import STATE
from tests.specimens import SOME_TIME

pytestmark = pytest.mark.postgres

MANY: Final = 2 * TILE + 45
"""More than two full tiles, and a part of one."""
FILL: Final = """
select count(*) from append_events(
    array(select gen_random_uuid() from generate_series(1, %(n)s)), array_fill(1, array[%(n)s]),
    array_fill('complaint.registered.1'::text, array[%(n)s]), array_fill(%(state)s::bytea, array[%(n)s]),
    array(select gen_random_uuid() from generate_series(1, %(n)s)), array_fill(0::smallint, array[%(n)s]),
    array[]::text[], array[]::text[], array[]::uuid[])
"""


def fill(connection: psycopg.Connection, count: int) -> None:
    """Append so many events; the tree does not look inside them."""
    connection.execute(FILL, {"n": count, "state": STATE})


def stored(connection: psycopg.Connection) -> list[bytes]:
    """Read the hashes that stand in the rows."""
    return [row[0] for row in connection.execute("select leaf_hash from events order by position")]


def tiles(connection: psycopg.Connection) -> list[Any]:
    """Read the tree as it is kept."""
    return connection.execute("select level, index, hashes from seals_1 order by level, index").fetchall()


class Place:
    """A place in the log, which is all the tree wants of an event."""

    def __init__(self, position: int) -> None:
        self.position = position


def carry(connection: psycopg.Connection, first: int, last: int) -> None:
    """Take these positions into the tree, as the runner does."""
    with connection.transaction():
        SEALS.apply(connection, [Place(first), Place(last)])  # type: ignore[list-item]  # only places are looked at
        connection.execute("update projection_positions set position = %s where name = 'seals'", (last,))


def test_pages_of_any_size_give_the_same_tiles_and_roots(connection: psycopg.Connection) -> None:
    """At every size the root is the one over the leaf hashes in the order of the log."""
    fill(connection, MANY)
    hashes = stored(connection)
    seen = []
    for width in (1, 7, TILE - 1, TILE, TILE + 1, MANY):
        connection.execute("truncate seals_1")
        for first in range(1, MANY + 1, width):
            last = min(first + width - 1, MANY)
            carry(connection, first, last)
            if width != 1 or last % 50 == 0:
                assert Tree(connection).root() == root_of(hashes[:last])
        seen.append(tiles(connection))
    assert seen[1:] == seen[:-1]
    tree = Tree(connection)
    assert [tree.root(size) for size in (0, 1, TILE, TILE + 1, MANY)] == [
        EMPTY_ROOT, *(root_of(hashes[:size]) for size in (1, TILE, TILE + 1, MANY)),
    ]  # fmt: skip
    assert [tree.leaf(position) for position in (1, TILE, TILE + 1, MANY)] == [
        hashes[position - 1] for position in (1, TILE, TILE + 1, MANY)
    ]


def test_proofs_hold_at_any_size(connection: psycopg.Connection) -> None:
    """That an event is in the log of a size, and that one log is the beginning of another."""
    fill(connection, MANY)
    carry(connection, 1, MANY)
    hashes = stored(connection)
    roots = {size: root_of(hashes[:size]) for size in (1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE, MANY - 1, MANY)}

    @given(st.data())
    def hold(data: st.DataObject) -> None:
        size = data.draw(st.sampled_from(sorted(roots)))
        position = data.draw(st.integers(1, size))
        path = Tree(connection).inclusion(position, size)
        check_inclusion(hashes[position - 1], position - 1, size, path, roots[size])
        smaller = data.draw(st.sampled_from([one for one in roots if one <= size]))
        proof = Tree(connection).consistency(smaller, size)
        check_consistency(smaller, roots[smaller], size, roots[size], proof)

    hold()


def test_nothing_is_said_of_what_is_not_sealed_yet(connection: psycopg.Connection) -> None:
    """The log may be longer than the tree."""
    fill(connection, 5)
    carry(connection, 1, 3)
    tree = Tree(connection)
    for ask in (
        lambda: tree.root(4), lambda: tree.leaf(4), lambda: tree.inclusion(1, 4), lambda: tree.consistency(1, 4),
        lambda: tree.inclusion(0, 3), lambda: tree.consistency(0, 3), lambda: tree.root(-1),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"sealed|no leaf|no proof"):
            ask()


ALTERED: Final[dict[str, LiteralString]] = {
    "state": "state = state || ' '::bytea",
    "name": "name = 'complaint.accepted.1'",
    "stream": "stream_id = gen_random_uuid()",
    "version": "version = 2",
    "time": "recorded_at = recorded_at - interval '1 microsecond'",
    "command": "command_id = gen_random_uuid()",
    "place in the command": "command_seq = 1",
    "hash": "leaf_hash = sha256('x')",
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_a_row_that_was_altered_is_not_sealed(
    town: Town, connection: psycopg.Connection, change: LiteralString
) -> None:
    """The tree stops before it, and says at which position; what other projections show is not held up."""
    fill(connection, 9)
    connection.execute("alter table events disable trigger all")
    connection.execute(sql.SQL("update events set {} where position = 5").format(sql.SQL(change)))
    with pytest.raises(LeafAltered, match="5"):
        carry(connection, 1, 9)
    assert tiles(connection) == []
    assert Tree(connection).size == 0
    assert town.last() == 9


def test_the_runner_goes_on_with_the_others(town: Town, connection: psycopg.Connection) -> None:
    """A stop of the tree is one of its own, with its name."""
    town.settle()
    connection.execute("alter table events disable trigger all")
    connection.execute("update events set recorded_at = recorded_at + interval '1 hour' where position = 3")
    runner = carrying(connection, TALLY, SEALS)
    with pytest.raises(Stopped) as stopped:
        runner.catch_up()
    assert (stopped.value.projection, stopped.value.position) == ("seals_1", 0)
    assert TALLY.position(connection) == town.last()


@pytest.mark.parametrize("gone", [1, 4, 9])
def test_a_missing_row_is_not_passed_over(connection: psycopg.Connection, gone: int) -> None:
    """Also when it is the last one of a page."""
    fill(connection, 9)
    connection.execute("alter table events disable trigger all")
    connection.execute("delete from events where position = %s", (gone,))
    with pytest.raises(LeafAltered, match=str(gone)):
        carry(connection, 1, 9)


def test_a_damaged_tile_gives_no_proof(connection: psycopg.Connection) -> None:
    """A hash that is not there is not made up."""
    fill(connection, 9)
    carry(connection, 1, 9)
    connection.execute("update seals_1 set hashes = substr(hashes, 1, 100)")
    with pytest.raises(LeafAltered):
        Tree(connection).root()


def test_an_epoch_begins_where_the_log_was_taken_back(town: Town, connection: psycopg.Connection) -> None:
    """What was signed before it belongs to the epoch before."""
    town.settle()
    kept = town.last()
    restored = log.Restored(at=SOME_TIME, by=THE_SYSTEM, kept=kept, epoch=2, taken_at=None)
    at = town.append(log.STREAM, restored)
    assert [restorations(connection, size) for size in (0, kept, at, None)] == [{}, {}, {2: kept}, {2: kept}]
    runner = Runner(connection, (SEALS,))
    runner.take()
    assert runner.catch_up() == at == Tree(connection).size
