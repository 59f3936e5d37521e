"""The tree over the log (RFC 9162): its hashes, its root, and the two proofs that anybody can check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256 as _sha256
from typing import Final, Self

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = _sha256(b"").digest()

Read = Callable[[int, int], bytes]
"""Gives the root of the complete subtree of 2**level leaves that has this number, both counted from 0."""


class ProofFails(Exception):
    """A proof does not lead to the root it was given for."""


def node(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node (RFC 9162 §2.1.1)."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Give the root over some hashes in their order, at most as many as one holds in memory."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        # Who has no neighbour on the right goes up as it is: that splits at the same powers of two as RFC 9162 does.
        above = [_sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
        row = [*above, row[-1]] if len(row) % 2 else above
    return row[0]


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to give the root, whatever its size."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[bytes] = []  # roots of complete subtrees, the largest first

    @classmethod
    def at(cls, read: Read, size: int) -> Self:
        """Give the edge that a tree had when it had this size."""
        edge = cls()
        edge.size = size
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                edge._complete.append(read(level, (size >> level) - 1))  # its own
        return edge

    def append(self, leaf_hash: bytes) -> list[bytes]:
        """Add a leaf on the right; give the roots of the complete subtrees it ends, by height: first itself."""
        self.size += 1
        size, ended = self.size, [leaf_hash]
        while not size & 1:
            leaf_hash = node(self._complete.pop(), leaf_hash)
            ended.append(leaf_hash)
            size >>= 1
        self._complete.append(leaf_hash)
        return ended

    def root(self) -> bytes:
        """Give the root of all that was added."""
        if not self._complete:
            return EMPTY_ROOT
        *rest, root = self._complete
        for left in reversed(rest):
            root = node(left, root)
        return root


def subtree(read: Read, start: int, end: int) -> bytes:
    """Give the root over the leaves from `start` to before `end`, one of the ranges a tree is split into."""
    if start == end:
        return EMPTY_ROOT
    size = end - start
    if not size & (size - 1):
        return read(size.bit_length() - 1, start // size)
    middle = start + _left(size)
    return node(subtree(read, start, middle), subtree(read, middle, end))


def inclusion(read: Read, index: int, size: int) -> list[bytes]:
    """Give the proof that the leaf of this index (from 0) is in the tree of this size (RFC 9162 §2.1.3.1).

    Raises ValueError for a leaf that the tree does not have.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            path.append(subtree(read, middle, end))
            end = middle
        else:
            path.append(subtree(read, start, middle))
            start = middle
    return path[::-1]


def consistency(read: Read, size1: int, size2: int) -> list[bytes]:
    """Give the proof that the tree of `size1` is the beginning of the one of `size2` (RFC 9162 §2.1.4.1).

    Raises ValueError unless 0 < size1 <= size2: of an empty tree nothing can be shown.
    """
    if not 0 < size1 <= size2:
        raise ValueError(f"there is no proof from size {size1} to size {size2}")
    start, end, path = 0, size2, []
    # Down to the subtree that ends where the smaller tree ends.
    while size1 != end:
        middle = start + _left(end - start)
        if size1 <= middle:
            path.append(subtree(read, middle, end))
            end = middle
        else:
            path.append(subtree(read, start, middle))
            start = middle
    # The smaller tree itself is known to whoever asks.
    return path[::-1] if start == 0 else [subtree(read, start, end), *path[::-1]]


def check_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check a proof of inclusion as RFC 9162 §2.1.3.2 does; raises ProofFails."""
    _whole(leaf_hash, root, *path)
    if not 0 <= index < size:
        raise ProofFails(f"a tree of {size} leaves has no leaf {index}")
    place, last = index, size - 1
    for step in path:
        if last == 0:
            raise ProofFails("the proof is too long")
        if place & 1 or place == last:
            leaf_hash = node(step, leaf_hash)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            leaf_hash = node(leaf_hash, step)
        place, last = place >> 1, last >> 1
    if last or leaf_hash != root:
        raise ProofFails("the proof does not lead to the root")


def check_consistency(size1: int, root1: bytes, size2: int, root2: bytes, path: Sequence[bytes]) -> None:
    """Check a proof of consistency as RFC 9162 §2.1.4.2 does; raises ProofFails, for an empty tree too."""
    if not 0 < size1 <= size2:
        raise ProofFails(f"nothing can be shown from size {size1} to size {size2}")
    if size1 == size2:
        if path or root1 != root2:
            raise ProofFails("trees of one size have one root, and no proof")
        return
    _whole(root1, root2, *path)
    steps = list(path)
    if not size1 & (size1 - 1):
        steps.insert(0, root1)
    if not steps:
        raise ProofFails("the proof is empty")
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofFails("the proof is too long")
        if place & 1 or place == last:
            first, second = node(step, first), node(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node(second, step)
        place, last = place >> 1, last >> 1
    if last or first != root1 or second != root2:
        raise ProofFails("the proof does not lead to both roots")


def _whole(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofFails(f"a hash does not have {HASH_BYTES} bytes")


def _left(size: int) -> int:
    """Give the size of the left subtree: the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
