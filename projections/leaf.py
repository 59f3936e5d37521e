"""A leaf of the log's tree: the bytes a row is sealed by, the same for who writes, seals and audits."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import psycopg

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
COLUMNS: Final = (
    "position",
    "stream_id",
    "version",
    "name",
    "recorded_at",
    "command_id",
    "command_seq",
    "state",
)
"""What a row of the log holds, in the order of its leaf."""
PREFIX: Final = b"\x00bihuan-leaf-1"
# Each part stands behind its length in four bytes; name and state alone have lengths of their own.
_HEAD: Final = struct.Struct(">i16siqi16siii")
_TAIL: Final = struct.Struct(">iqi16sihi")

# A row of a binary COPY is the number of its columns in two bytes, then each behind its length in four, big-endian:
# the very bytes that a leaf covers, so that nothing has to be taken apart and put together again.
_ROWS: Final = """
copy (
    select log_id, position, stream_id, version, name, (extract(epoch from recorded_at) * 1000000)::bigint,
        command_id, command_seq, state, leaf_hash
    from log, events where position between %s and %s order by position
) to stdout (format binary)
"""
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES: Final = 19
_COUNT_BYTES: Final = 2
_POSITION: Final = slice(2 + 4 + 16 + 4, 2 + 4 + 16 + 4 + 8)
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Everything a leaf hash covers."""

    log_id: UUID
    position: int
    stream_id: UUID
    version: int
    name: str
    recorded_at: datetime
    command_id: UUID
    command_seq: int
    state: bytes

    @classmethod
    def of(cls, log_id: UUID, row: Sequence[Any]) -> Self:
        """Give the leaf of a row with the columns COLUMNS."""
        return cls(log_id=log_id, **dict(zip(COLUMNS, row, strict=True)))

    def digest(self) -> bytes:
        """Give SHA-256 over 0x00, `bihuan-leaf-1` and the nine parts, each behind its length (4 bytes, big-endian).

        Numbers are big-endian: position and recorded_at (µs since 1970) have 8 bytes, version 4, seq 2, ids 16.
        """
        name = self.name.encode()
        return hashlib.sha256(
            b"".join(
                (
                    PREFIX,
                    _HEAD.pack(
                        16, self.log_id.bytes, 8, self.position, 16, self.stream_id.bytes, 4, self.version, len(name)
                    ),
                    name,
                    _TAIL.pack(
                        8,
                        (self.recorded_at - EPOCH) // MICROSECOND,
                        16,
                        self.command_id.bytes,
                        2,
                        self.command_seq,
                        len(self.state),
                    ),
                    self.state,
                )
            )
        ).digest()


def stored_leaves(connection: psycopg.Connection, first: int, last: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Give the rows of these positions, each as position, the hash of what it holds, and the hash it is stored with.

    Whoever takes them takes all of them, at flat memory; the connection is in use as long.
    """
    with connection.cursor() as cursor, cursor.copy(_ROWS, (first, last)) as copy:
        for data in copy:
            row = bytes(data)
            if row.startswith(_SIGNATURE):
                row = row[_HEADER_BYTES:]
            if len(row) > _COUNT_BYTES:  # else it is the end
                covered = row[_COUNT_BYTES : -(4 + _HASH_BYTES)]
                yield (
                    int.from_bytes(row[_POSITION], "big"),
                    hashlib.sha256(PREFIX + covered).digest(),
                    row[-_HASH_BYTES:],
                )
