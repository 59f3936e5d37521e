"""What somebody holds of a log outside, as an audit reads it: leaf hashes and checkpoints, or checkpoints alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from service.outside import KEY, Epoch, Leaves, OutsideFails, Part, epochs, kept_of, note_of, parts
from service.signing import BadNote, Checkpoint, opened

MOST_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Positions `first` to `last` of an epoch were given up when the log was taken back, and epoch `by` began."""

    epoch: int
    first: int
    last: int
    by: int


@dataclass
class Held:
    """What is held of one log at one moment, so that nothing there is newer than the log that is looked at later.

    `damage` fills with what cannot be used while it is read.
    """

    place: Path
    vkey: str | None = None
    epochs: list[Epoch] = field(default_factory=list)
    loose: list[tuple[Path, int]] = field(default_factory=list)
    """Files with notes alone, and how long they are."""
    damage: list[str] = field(default_factory=list)
    given_up: int = 0

    def leaves(self, kept: Mapping[int, int]) -> Leaves:
        """Give the leaf hashes that count; `kept` is what the log tells about its epochs."""
        return Leaves(self.parts(kept))

    def parts(self, kept: Mapping[int, int]) -> list[Part]:
        """Give the leaves that count, epoch by epoch."""
        return parts(self.epochs, kept)

    def gone(self, kept: Mapping[int, int]) -> list[GivenUp]:
        """Give which leaves held here the log gave up since."""
        found = []
        for one in self.parts(kept):
            if one.end < one.total:
                starts = [(other.first, other.number) for other in self.epochs] + [(at, n) for n, at in kept.items()]
                by = min(number for at, number in starts if number > one.epoch.number and at <= one.end)
                found.append(GivenUp(one.epoch.number, one.end + 1, one.total, by))
        return found

    def checkpoints(self, vkey: str, kept: Mapping[int, int]) -> Iterator[Checkpoint]:
        """Give the checkpoints that count, by their size; one of an epoch that ended earlier is only counted."""
        yield from heapq.merge(
            *(self._lines(one, vkey, kept) for one in self.epochs),
            sorted(self._loose(vkey, kept), key=lambda one: one.size),
            key=lambda one: one.size,
        )

    def _lines(self, epoch: Epoch, vkey: str, kept: Mapping[int, int]) -> Iterator[Checkpoint]:
        last = 0
        for number, note in epoch.lines():
            found = self._read(f"line {number} of {epoch.folder.name}/checkpoints", note, vkey)
            if found is None:
                continue
            if found.size <= last:
                self._damaged(f"line {number} of {epoch.folder.name}/checkpoints is not in its place")
            elif self._counts(found, kept):
                last = found.size
                yield found

    def _loose(self, vkey: str, kept: Mapping[int, int]) -> Iterator[Checkpoint]:
        for path, length in self.loose:
            with path.open("rb") as file:
                data = file.read(length)
            if data.startswith(b"{"):
                notes = [note_of(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n")]
            else:
                notes = [data.decode(errors="replace")]
            for number, note in enumerate(notes, start=1):
                found = self._read(path.name if len(notes) == 1 else f"line {number} of {path.name}", note, vkey)
                if found is not None and self._counts(found, kept):
                    yield found

    def _read(self, where: str, note: str | None, vkey: str) -> Checkpoint | None:
        try:
            if note is not None:
                return Checkpoint.read(opened(note, [vkey]))
            self._damaged(f"{where} is no checkpoint")
        except BadNote as error:
            self._damaged(f"{where}: {error}")
        return None

    def _damaged(self, what: str) -> None:
        if len(self.damage) < MOST_TOLD:
            self.damage.append(what)

    def _counts(self, found: Checkpoint, kept: Mapping[int, int]) -> bool:
        if found.size <= kept_of(found.epoch, self.epochs, kept):
            return True
        self.given_up += 1
        return False


def held(place: Path, log_id: UUID) -> Held:
    """Find what a place holds of a log: the folder that `audit checkpoint --to` writes, or notes alone, or one note.

    Raises OutsideFails when there is nothing of this log.
    """
    if place.is_file():
        return Held(place, loose=[(place, place.stat().st_size)])
    for folder in (place / str(log_id), place):
        if found := epochs(folder):
            key = folder / KEY
            line = key.read_text(encoding="utf-8") if key.is_file() else ""
            # A line that a crash has torn tells nothing.
            return Held(place, vkey=line.strip() if line.endswith("\n") else None, epochs=found)
    origin = f"bihuan/{log_id}\n".encode()
    files = [path for path in sorted(place.iterdir()) if path.is_file()] if place.is_dir() else []
    loose = [(path, path.stat().st_size) for path in files if _begins(path, origin)]
    if not loose:
        raise OutsideFails(f"{place} holds nothing of the log {log_id}. Give the folder or file with its checkpoints.")
    return Held(place, loose=loose)


def _begins(path: Path, origin: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(origin)) == origin
