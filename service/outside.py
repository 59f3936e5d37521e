"""The folder outside: checkpoints and leaf hashes, kept where whoever runs the hall cannot change them unseen.

    DIR/<log id>/key                          the verifying key
    DIR/<log id>/epoch-1/leaves               32 bytes for each event, in the order of the log
    DIR/<log id>/epoch-1/checkpoints          a line of JSON for each checkpoint: {"size": n, "note": note}
    DIR/<log id>/epoch-<n>-after-<k>/…        the same from leaf k on, once the log was taken back to k events

What stands there is added to and never rewritten: what a crash has torn is completed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

import psycopg

from domain import log
from projections.merkle import HASH_BYTES, Frontier
from projections.seals import TILE, TILES_AT_ONCE, Tiles, Tree, restorations
from service.postgres_home import sync_folder
from service.sealer import Signed
from service.signing import Checkpoint, opened

KEY: Final = "key"
LEAVES: Final = "leaves"
CHECKPOINTS: Final = "checkpoints"

_FOLDER: Final = re.compile(r"epoch-(1|([1-9]\d{0,8})-after-(0|[1-9]\d{0,17}))")
_SINCE: Final = "select size, note from checkpoints where size > %s and size <= %s order by size limit 1000"
LONGEST_LINE: Final = 1 << 16
FOREVER: Final = 2**63


class OutsideFails(Exception):
    """The place outside cannot be used. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The folder of one epoch as it was found; it begins with the leaf of index `first` (from 0).

    It holds `count` whole leaf hashes, and its checkpoints have so many bytes; what is added meanwhile is left out.
    """

    number: int
    first: int
    folder: Path
    count: int = 0
    length: int = 0

    def lines(self) -> Iterator[tuple[int, str | None]]:
        """Give the checkpoint notes in their order, each with the number of its line; None for a line that is none.

        A last line that a crash has torn is passed over.
        """
        if self.length == 0:
            return
        left = self.length
        with (self.folder / CHECKPOINTS).open("rb") as file:
            for number, line in enumerate(file, start=1):
                left -= len(line)
                if left < 0:
                    return
                if line.endswith(b"\n"):
                    yield number, note_of(line)


def note_of(line: bytes) -> str | None:
    """Give the note in a line of JSON, None if there is none."""
    try:
        told = json.loads(line)
        note = told["note"]
    except (ValueError, TypeError, KeyError):
        return None
    return note if isinstance(note, str) else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def epochs(folder: Path) -> list[Epoch]:
    """Give the epochs held in the folder of a log, the oldest first. Raises OutsideFails."""
    found = []
    for below in folder.iterdir() if folder.is_dir() else ():
        named = _FOLDER.fullmatch(below.name)
        if named is not None and below.is_dir():
            count = _size(below / LEAVES) // HASH_BYTES
            found.append(Epoch(int(named[2] or 1), int(named[3] or 0), below, count, _size(below / CHECKPOINTS)))
    found.sort(key=lambda one: one.number)
    if len({one.number for one in found}) < len(found):
        raise OutsideFails(f"{folder} has two folders of one epoch. One of them was put there by other means.")
    return found


def highest_epoch(folder: Path, log_id: UUID) -> int:
    """Give the number of the last epoch that a place outside holds of a log; the first if it holds none."""
    return max((one.number for one in epochs(folder / str(log_id))), default=log.FIRST)


@dataclass(frozen=True, slots=True)
class Part:
    """Leaves of an epoch that count, those of index `first` to before `end`; `total` leaves were held at its end."""

    epoch: Epoch
    first: int
    end: int
    total: int


def kept_of(number: int, held: Sequence[Epoch], kept: Mapping[int, int]) -> int:
    """Give how many events count of what an epoch had: later ones began there, by what is held or by the log's word.

    `kept` tells for each epoch the log knows how many events it kept when it began.
    """
    begun = [*((one.number, one.first) for one in held), *kept.items()]
    return min((first for later, first in begun if later > number), default=FOREVER)


def parts(held: Sequence[Epoch], kept: Mapping[int, int]) -> list[Part]:
    """Give which leaves count, epoch by epoch."""
    found = []
    for one in held:
        total = one.first + one.count
        end = min(total, kept_of(one.number, held, kept))
        found.append(Part(one, one.first, max(one.first, end), total))
    return found


class Leaves:
    """Leaf hashes outside by their index, read ahead in pieces: quick in the order of the log."""

    def __init__(self, counting: Sequence[Part]) -> None:
        self._parts = counting
        self._start = 0
        self._piece = b""
        self.end = max((one.end for one in counting), default=0)

    def get(self, index: int) -> bytes | None:
        """Give the hash of this index (from 0), None where there is none."""
        at = (index - self._start) * HASH_BYTES
        if not 0 <= at < len(self._piece):
            if not self._read(index):
                return None
            at = 0
        return self._piece[at : at + HASH_BYTES]

    def _read(self, index: int) -> bool:
        for one in self._parts:
            if one.first <= index < one.end:
                count = min(one.end - index, TILE * TILES_AT_ONCE)
                with (one.epoch.folder / LEAVES).open("rb") as file:
                    file.seek((index - one.epoch.first) * HASH_BYTES)
                    piece = file.read(count * HASH_BYTES)
                self._start, self._piece = index, piece[: len(piece) // HASH_BYTES * HASH_BYTES]
                return bool(self._piece)
        return False


def tree_leaves(connection: psycopg.Connection, start: int, end: int) -> Iterator[bytes]:
    """Give the leaf hashes of the tree from index `start` to before `end`. Raises OutsideFails for a hole in it."""
    tiles = Tiles(connection)
    for index in range(start, end):
        found = tiles.get(0, index) or b""
        if len(found) != HASH_BYTES:
            raise OutsideFails(f"The tree has a hole at position {index + 1}. Run: bihuan audit fsck")
        yield found


@dataclass(frozen=True, slots=True)
class Appended:
    """What was added outside: so many leaves and so many checkpoints."""

    leaves: int
    checkpoints: int


def append(connection: psycopg.Connection, vkey: str, signed: Signed, place: Path) -> Appended:
    """Add everything up to a checkpoint to a place outside, durably; every checkpoint since the last one there too.

    Nothing is added to what does not fit: raises OutsideFails, BadNote, OSError.
    """
    if not place.is_dir():
        raise OutsideFails(f"There is no folder {place}. Make it, or mount it, then try again.")
    folder = place / signed.checkpoint.origin.removeprefix("bihuan/")
    _make(folder)
    with _adding(folder / KEY) as file:
        # Whoever else adds here waits.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        line = f"{vkey}\n".encode()
        there = file.read(len(line) + 1)
        if not line.startswith(there):
            raise _conflict(place, "the key of another installation")
        file.write(line[len(there) :])
        file.flush()
        return _Adding(connection, vkey, signed, place, folder).done()


@contextmanager
def _adding(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read it and to add to it; it is durable at the end, and so is its name."""
    with path.open("a+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir()
        sync_folder(folder.parent)


def _conflict(place: Path, what: str) -> OutsideFails:
    return OutsideFails(
        f"{place} holds {what}: nothing is added to it. Run bihuan audit fsck --against {place}, or give another place."
    )


class _Adding:
    """One addition: all is looked at before anything is written."""

    def __init__(self, connection: psycopg.Connection, vkey: str, signed: Signed, place: Path, folder: Path) -> None:
        self._connection, self._vkey, self._signed, self._place = connection, vkey, signed, place
        self._size = signed.checkpoint.size
        self._tree = Tree(connection)
        held, epoch = epochs(folder), signed.checkpoint.epoch
        if held and held[-1].number > epoch:
            raise _conflict(place, f"a later epoch ({held[-1].number}) than the log knows ({epoch})")
        self._parts = parts(held, restorations(connection, self._size))
        self._leaves = Leaves(self._parts)
        if held and held[-1].number == epoch:
            self._epoch = held[-1]
        else:
            first = self._leaves.end
            named = "epoch-1" if epoch == log.FIRST else f"epoch-{epoch}-after-{first}"
            self._epoch = Epoch(epoch, first, folder / named)

    def done(self) -> Appended:
        """Look, then write."""
        fitting = self._fitting()
        self._look(fitting)
        begun = self._begun(fitting)
        _make(self._epoch.folder)
        return Appended(self._write_leaves(), self._write_checkpoints(fitting, begun))

    def _fitting(self) -> int:
        """Give the size of the last checkpoint there, which the log must fit."""
        last = self._last()
        if last is None:
            return 0
        if last.size > self._tree.size or self._tree.root(last.size) != last.root:
            raise _conflict(self._place, f"another history, by its checkpoint of {last.size} events")
        return last.size

    def _last(self) -> Checkpoint | None:
        for part in reversed(self._parts):
            line, _ = tail(part.epoch.folder / CHECKPOINTS)
            if line is None:
                continue
            note = note_of(line)
            if note is None:
                raise _conflict(self._place, "a line that is no checkpoint")
            last: Checkpoint | None = self._read(note)
            if part.end < part.total:
                # Some of it was given up: what counts is further ahead.
                notes = [self._read(note) for _, note in part.epoch.lines() if note is not None]
                last = max((one for one in notes if one.size <= part.end), key=lambda one: one.size, default=None)
            if last is not None:
                return last
        return None

    def _read(self, note: str) -> Checkpoint:
        return Checkpoint.read(opened(note, [self._vkey]))

    def _look(self, fitting: int) -> None:
        """Check that what is to be added is what was signed, and continues what stands there."""
        outside, size, end = self._leaves, self._size, self._leaves.end
        if end > self._tree.size:
            raise _conflict(self._place, f"{end} events, more than the {self._tree.size} that are sealed here")
        edge = self._tree.edge(fitting)
        if fitting == size:
            self._compare(edge, self._signed.note)
        since = self._since(fitting)
        due = next(since, None)
        for known in tree_leaves(self._connection, fitting, max(size, end)):
            if outside.get(edge.size) not in {None, known}:
                raise _conflict(self._place, f"another event at position {edge.size + 1}")
            edge.append(known)
            if due is not None and due[0] == edge.size:
                self._compare(edge, due[1])
                due = next(since, None)
            if edge.size == size:
                self._compare(edge, self._signed.note)

    def _compare(self, edge: Frontier, note: str) -> None:
        checkpoint = self._read(note)
        if (checkpoint.size, checkpoint.root) != (edge.size, edge.root()):
            raise OutsideFails(f"The checkpoint of {edge.size} events does not fit the log. Run: bihuan audit fsck")

    def _since(self, fitting: int) -> Iterator[tuple[int, str]]:
        # In pieces: after a long time there may be very many.
        while True:
            found = self._connection.execute(_SINCE, (fitting, self._size)).fetchall()
            yield from found
            if not found:
                return
            fitting = found[-1][0]

    def _write_leaves(self) -> int:
        with _adding(self._epoch.folder / LEAVES) as file:
            whole, torn = divmod(file.seek(0, os.SEEK_END), HASH_BYTES)
            file.seek(whole * HASH_BYTES)
            begun = file.read(torn)
            start = self._epoch.first + whole
            for missing in tree_leaves(self._connection, start, self._size):
                if not missing.startswith(begun):
                    raise _conflict(self._place, f"another event at position {start + 1}")
                file.write(missing[len(begun) :])
                begun = b""
        return max(0, self._size - start)

    def _begun(self, fitting: int) -> bytes:
        """Give the beginning of a line that a crash left: it must be the one that comes next."""
        _, begun = tail(self._epoch.folder / CHECKPOINTS)
        if begun and not _line(*next(self._since(fitting), (0, ""))).startswith(begun):
            raise _conflict(self._place, "the beginning of a checkpoint that does not come next")
        return begun

    def _write_checkpoints(self, fitting: int, begun: bytes) -> int:
        added = 0
        with _adding(self._epoch.folder / CHECKPOINTS) as file:
            for size, note in self._since(fitting):
                file.write(_line(size, note)[len(begun) :])
                begun = b""
                added += 1
        return added


def _line(size: int, note: str) -> bytes:
    return json.dumps({"size": size, "note": note}, ensure_ascii=False).encode() + b"\n"


def tail(path: Path) -> tuple[bytes | None, bytes]:
    """Give the last whole line of a file, None if it has none, and what stands behind it: a line that was torn."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE))
            *lines, torn = file.read().split(b"\n")
    except FileNotFoundError:
        return None, b""
    return (lines[-1] if lines else None), torn
