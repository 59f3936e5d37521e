"""The tree over the log, leaf by leaf in the order of the log, so that roots and proofs need not read it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from domain import log
from projections import merkle
from projections.histories import read_stream
from projections.leaf import stored_leaves
from projections.merkle import HASH_BYTES, Frontier
from projections.tables import Carried, Entry

TILE: Final = 256
"""Hashes in a full tile; tile i of level L begins with the complete subtree of 256**L leaves number i * 256."""
TILE_BITS: Final = 8
TILES_AT_ONCE: Final = 64
"""How many are read ahead by whoever goes through the whole tree."""

CREATE: Final = """
create table if not exists {} (level smallint not null, index bigint not null, hashes bytea not null,
    primary key (level, index))
"""
# Hashes do not compress.
PLAIN: Final = "alter table {} alter column hashes set storage external"
TILES: Final = "select index, hashes from {} where level = %s and index = any(%s)"
STORE: Final = """
insert into {} as t (level, index, hashes) select * from unnest(%s::smallint[], %s::bigint[], %s::bytea[])
on conflict (level, index) do update set hashes = excluded.hashes
"""


class LeafAltered(Exception):
    """From this position on nothing can be sealed: a row no longer gives its hash, or the tree has a hole."""


@dataclass(frozen=True)
class Seals(Carried):
    """Keeps the tiles of the tree; every leaf is computed again from its row before it is taken in."""

    def create(self, connection: psycopg.Connection) -> None:
        """Create the table if it is missing."""
        connection.execute(self._on(CREATE))
        connection.execute(self._on(PLAIN))

    def apply(self, connection: psycopg.Connection, page: Sequence[Entry]) -> int:
        """Take a page of the log into the tree; give how many tiles were written. Raises LeafAltered."""
        hashes = checked(connection, page[0].position, page[-1].position)
        start, level, written = page[0].position - 1, 0, 0
        while hashes:
            first = start // TILE
            before = self.tiles(connection, level, [first]) if start % TILE else {}
            row = before.get(first, b"") + b"".join(hashes)
            tiles = [row[at : at + TILE * HASH_BYTES] for at in range(0, len(row), TILE * HASH_BYTES)]
            numbers = list(range(first, first + len(tiles)))
            connection.execute(self._on(STORE), ([level] * len(tiles), numbers, tiles), binary=True)
            written += len(tiles)
            # A full tile is one hash of the next level.
            hashes = [merkle.root_of(split(tile)) for tile in tiles if len(tile) == TILE * HASH_BYTES]
            start, level = first, level + 1
        return written

    def tiles(self, connection: psycopg.Connection, level: int, wanted: Sequence[int]) -> dict[int, bytes]:
        """Give tiles of a level by their numbers, as far as they are there."""
        return dict(connection.execute(self._on(TILES), (level, wanted), binary=True).fetchall())

    def _on(self, statement: LiteralString) -> sql.Composed:
        return sql.SQL(statement).format(sql.Identifier(self.table))


SEALS: Final = Seals(name="seals", number=1)


def checked(connection: psycopg.Connection, first: int, last: int) -> list[bytes]:
    """Give the leaf hashes of these positions, each computed from its row; raises LeafAltered(position)."""
    found: list[bytes] = []
    altered = False
    # To the end, also behind a row that was altered: a COPY that is left midway takes its transaction along.
    for position, computed, stored in stored_leaves(connection, first, last):
        altered = altered or computed != stored or position != first + len(found)
        if not altered:
            found.append(computed)
    if altered or len(found) != last - first + 1:
        raise LeafAltered(first + len(found))
    return found


def split(tile: bytes) -> list[bytes]:
    """Give the hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def restorations(connection: psycopg.Connection, size: int | None = None) -> dict[int, int]:
    """Give for each epoch that the log began after the first, up to this size, how many events were kept then."""
    told = [one.event for one in read_stream(connection, log.STREAM) if size is None or one.position <= size]
    return {event.epoch: event.kept for event in told if isinstance(event, log.Restored)}


class Tiles:
    """The tree as it is kept, its hashes by level and number; read ahead in pieces: quick in the order of the log."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.size = SEALS.position(connection)
        self._piece: dict[int, tuple[int, dict[int, bytes]]] = {}

    def get(self, level: int, number: int) -> bytes | None:
        """Give a hash, None where the tree does not reach so far, empty where it should and does not."""
        if number >= self.size >> TILE_BITS * level:
            return None
        tile, place = divmod(number, TILE)
        start, piece = self._piece.get(level, (0, {}))
        if not start <= tile < start + TILES_AT_ONCE or not piece:
            start, piece = tile, SEALS.tiles(self._connection, level, list(range(tile, tile + TILES_AT_ONCE)))
            self._piece[level] = start, piece
        return piece.get(tile, b"")[place * HASH_BYTES : (place + 1) * HASH_BYTES]


class Tree:
    """Questions to the tree as it was sealed; whoever asks for more than is sealed gets ValueError.

    One for each answer: what it read it keeps, and a tile on the right edge is soon another one.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.size = SEALS.position(connection)

    def leaf(self, position: int) -> bytes:
        """Give the leaf hash at a position of the log (from 1)."""
        self._within(position)
        return self._read(0, position - 1)

    def root(self, size: int | None = None) -> bytes:
        """Give the root when the log had this size, by default all that is sealed."""
        wanted = self.size if size is None else size
        self._within(wanted)
        return merkle.subtree(self._read, 0, wanted)

    def edge(self, size: int) -> Frontier:
        """Give the right edge of the tree when the log had this size, to go on from there."""
        self._within(size)
        return Frontier.at(self._read, size)

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """Give the proof that the event at a position (from 1) is in the log of this size."""
        self._within(size)
        return merkle.inclusion(self._read, position - 1, size)

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """Give the proof that the log of `size1` events is the beginning of the one of `size2`."""
        self._within(size2)
        return merkle.consistency(self._read, size1, size2)

    def _within(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise ValueError(f"{self.size} events are sealed, not {size}")

    def _read(self, level: int, index: int) -> bytes:
        upper, lower = divmod(level, TILE_BITS)
        start = index << lower
        tile = self._tile(upper, start // TILE)
        at, width = start % TILE * HASH_BYTES, HASH_BYTES << lower
        hashes = tile[at : at + width]
        if len(hashes) != width:
            raise LeafAltered((index << level) + 1)
        return merkle.root_of(split(hashes))

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._tiles:
            self._tiles[level, index] = SEALS.tiles(self._connection, level, [index]).get(index, b"")
        return self._tiles[level, index]
