"""The whole log as JSON lines, in its stored bytes and with checkpoints among them: anybody can check it without us."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg

from projections.leaf import COLUMNS, EPOCH, MICROSECOND, Leaf
from projections.merkle import EMPTY_ROOT, Frontier
from projections.runner import Runner, wait_for
from projections.seals import SEALS, LeafAltered
from service.parts import Parts
from service.sealer import Signed, seal
from service.signing import Checkpoint

FORMAT: Final = "bihuan-log-1"
MOST: Final = 256
"""Checkpoints in one export at most, evenly spread; the last is always for exactly the rows that are there."""
PATIENCE: Final = 60.0
"""Seconds to wait for a running server that carries the tree."""
TRIES: Final = 20
GZIP: Final = b"\x1f\x8b"

_ROWS: Final = """
select position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash from events
where position <= %s order by position
"""
_CHECKPOINTS: Final = """
select size, root, note from (
    select size, root, note, row_number() over (order by size) - 1 as place, count(*) over () as found
    from checkpoints where size <= %(size)s
) numbered
where found <= %(most)s or place * (%(most)s - 1) / (found - 1) > (place - 1) * (%(most)s - 1) / (found - 1)
order by size
"""
_CUT: Final = "select from events where position in (%s, %s) group by command_id having count(*) = 2"
_PAGE: Final = 2000

Write: TypeAlias = Callable[[bytes], object]


class ExportError(Exception):
    """The log cannot be written or read as an export. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Head:
    """Whose log an export is, and under which key its checkpoints are signed."""

    log_id: UUID
    vkey: str


def sealed_now(parts: Parts) -> Signed:
    """Give a checkpoint of everything that is in the log now; of an empty log too, which is kept nowhere.

    Raises ExportError where the running server that carries the tree does not come to the end; WentBack.
    """
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        end = parts.recorder.max_notification_id() or 0
        runner = Runner(connection, (SEALS,))
        if runner.take():
            runner.catch_up()
            runner.release()
        if wait_for(connection, SEALS, end, PATIENCE) < end:
            raise ExportError("The tree over the log lags behind. Look why the server does not carry it, then go on.")
        signed = seal(connection, parts.signer, parts.settings.home)
    if signed is None:
        now = datetime.now(UTC).replace(microsecond=0)
        empty = Checkpoint(origin=parts.signer.name, size=0, root=EMPTY_ROOT, epoch=1, signed_at=now)
        return Signed(empty, parts.signer.sign(empty.text()))
    return signed


@contextmanager
def snapshot(parts: Parts) -> Iterator[tuple[psycopg.Connection[Any], Signed]]:
    """Give the database as it is at one moment, with a checkpoint of how far the log is to be taken from it.

    Events may have come between the two; no command is cut in half by where the checkpoint ends.
    """
    for _ in range(TRIES):
        signed = sealed_now(parts)
        with parts.pool.connection() as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            if not cut(connection, signed.checkpoint.size):
                yield connection, signed
                return
    raise ExportError("The log moves too fast to be cut between two commands. Try again in a moment.")


def cut(connection: psycopg.Connection[Any], size: int) -> bool:
    """Say whether a command has events on both sides of this size."""
    return connection.execute(_CUT, (size, size + 1)).fetchone() is not None


def write_log(connection: psycopg.Connection[Any], write: Write, head: Head, signed: Signed) -> None:
    """Write the log up to a checkpoint, from a connection in one transaction, at flat memory.

    Every leaf is computed again from its row. Raises LeafAltered for a row that is not what was signed.
    """
    size = signed.checkpoint.size
    notes = dict[int, tuple[bytes, str]]()
    for at, root, note in connection.execute(_CHECKPOINTS, {"size": size, "most": MOST}):
        notes[at] = (bytes(root), note)
    notes[size] = (signed.checkpoint.root, signed.note)
    frontier = Frontier()
    write(_line({"format": FORMAT, "log": str(head.log_id), "key": head.vkey, "columns": list(COLUMNS)}))
    with connection.cursor("log") as cursor:
        cursor.itersize = _PAGE
        for *row, stored in cursor.execute(_ROWS, (size,), binary=True):
            leaf = Leaf.of(head.log_id, row)
            digest = leaf.digest()
            frontier.append(digest)
            if leaf.position != frontier.size or digest != stored:
                raise LeafAltered(frontier.size)
            write(_line(row_of(leaf)))
            if frontier.size in notes and frontier.size != size:
                _fits(frontier, notes[frontier.size][0])
                write(_line({"checkpoint": notes[frontier.size][1]}))
    _fits(frontier, signed.checkpoint.root)
    write(_line({"checkpoint": signed.note}))


def _fits(frontier: Frontier, root: bytes) -> None:
    if frontier.root() != root:
        raise LeafAltered(frontier.size)


def row_of(leaf: Leaf) -> list[object]:
    """Write a row as exports and histories have it: in the order of COLUMNS, the state as its own text."""
    return [
        leaf.position,
        str(leaf.stream_id),
        leaf.version,
        leaf.name,
        (leaf.recorded_at - EPOCH) // MICROSECOND,
        str(leaf.command_id),
        leaf.command_seq,
        leaf.state.decode(),
    ]


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextmanager
def opened_log(path: Path) -> Iterator[tuple[Head, Iterator[Leaf | str]]]:
    """Give whose log a file is, and its rows and checkpoint notes in their order; packed by gzip or not.

    Raises ExportError at the first line that is none of a log. Hashes and signatures are not looked at.
    """
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        lines = _lines(path.name, gzip.GzipFile(fileobj=file) if packed else file)
        head = _head(next(lines, b""))
        yield head, _rows(head.log_id, lines)


def _lines(name: str, file: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from file
    except (OSError, EOFError, zlib.error) as error:
        raise ExportError(f"{name} cannot be read to its end ({type(error).__name__}).") from None


def _head(line: bytes) -> Head:
    try:
        told = json.loads(line)
        if told["format"] != FORMAT or told["columns"] != list(COLUMNS):
            raise ExportError("This log was written by another version of the program. Use that one.")
        return Head(UUID(told["log"]), str(told["key"]))
    except (ValueError, KeyError, TypeError):
        raise ExportError("This is not the export of a log.") from None


def _rows(log_id: UUID, lines: Iterable[bytes]) -> Iterator[Leaf | str]:
    for number, line in enumerate(lines, start=2):
        try:
            told = json.loads(line)
            read: Leaf | str
            if isinstance(told, dict):
                (read,) = [told[key] for key in told if key == "checkpoint" and isinstance(told[key], str)]
            else:
                read = _leaf(log_id, told)
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise ExportError(f"Line {number} is not a row of a log.") from None
        yield read


def _leaf(log_id: UUID, told: list[Any]) -> Leaf:
    position, stream, version, name, recorded, command, seq, state = told
    recorded_at = EPOCH + timedelta(microseconds=recorded)
    return Leaf.of(log_id, (position, UUID(stream), version, name, recorded_at, UUID(command), seq, state.encode()))
