"""The tree as the rows give it, and the tree as it is kept: what an audit compares."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from projections.merkle import EMPTY_ROOT, HASH_BYTES, node
from projections.seals import SEALS, TILE, TILE_BITS

_AT_ONCE: Final = 64


class Regrown:
    """The tree as the rows give it, with the hash of each tile that becomes full."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[bytes] = []

    def append(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf; give level, number and hash of the subtrees it completes that stand in a tile."""
        self.size += 1
        size, height, full = self.size, 0, []
        while not size & 1:
            leaf_hash = node(self._complete.pop(), leaf_hash)
            size >>= 1
            height += 1
            if not height % TILE_BITS:
                full.append((height // TILE_BITS, size - 1, leaf_hash))
        self._complete.append(leaf_hash)
        return full

    def root(self) -> bytes:
        """Give the root of all that was added."""
        if not self._complete:
            return EMPTY_ROOT
        root = self._complete[-1]
        for left in self._complete[-2::-1]:
            root = node(left, root)
        return root


class Tiles:
    """The tree as it is kept, its hashes by level and number; read ahead in pieces."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.size = SEALS.position(connection)
        self._piece: dict[int, tuple[int, dict[int, bytes]]] = {}

    def get(self, level: int, number: int) -> bytes | None:
        """Give a hash, None where the tree does not reach so far, empty where it should and does not."""
        if number >= self.size >> TILE_BITS * level:
            return None
        tile, place = divmod(number, TILE)
        start, piece = self._piece.get(level, (0, {}))
        if not start <= tile < start + _AT_ONCE or not piece:
            start, piece = tile, SEALS.tiles(self._connection, level, list(range(tile, tile + _AT_ONCE)))
            self._piece[level] = start, piece
        return piece.get(tile, b"")[place * HASH_BYTES : (place + 1) * HASH_BYTES]
