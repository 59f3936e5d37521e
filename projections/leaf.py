"""A leaf of the log's tree: the bytes a row is sealed by, the same for who writes, seals and audits."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PREFIX: Final = b"\x00bihuan-leaf-1"
# Each part stands behind its length in four bytes; name and state alone have lengths of their own.
_HEAD: Final = struct.Struct(">i16siqi16siii")
_TAIL: Final = struct.Struct(">iqi16sihi")


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
