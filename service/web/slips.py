"""A receipt as a page shows it: its place and fingerprint to compare, a code to scan, and the file to keep."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import segno

from service.receipts import Receipt
from service.sealer import Signed

FINGERPRINT: Final = 16
"""Digits of a leaf hash that people compare by eye; the code and the file hold all of it."""
_GROUP: Final = 4
BORDER: Final = 4
"""Modules left blank around a code (ISO/IEC 18004 §9.1)."""
DARK: Final = re.compile(b"\x01+")


@dataclass(frozen=True, slots=True)
class Code:
    """A code to scan: strokes of one module's height on a square of so many modules."""

    side: int
    path: str


@dataclass(frozen=True, slots=True)
class Slip:
    """What is shown of a receipt; `address` holds the whole file, so that keeping it asks nothing of anybody."""

    position: int
    fingerprint: str
    code: Code
    address: str
    name: str
    sealed: Signed | None

    @property
    def size(self) -> int | None:
        """How many records the checkpoint holds that seals it."""
        return None if self.sealed is None else self.sealed.checkpoint.size

    @property
    def sealed_at(self) -> datetime | None:
        """When that was signed (UTC)."""
        return None if self.sealed is None else self.sealed.checkpoint.signed_at


def slip(receipt: Receipt) -> Slip:
    """Give a receipt as pages show it."""
    promise = receipt.promise
    digits = promise.digest.hex()[:FINGERPRINT]
    file = json.dumps(receipt.file(), ensure_ascii=False, indent=1).encode()
    return Slip(
        position=promise.leaf.position,
        fingerprint=" ".join(digits[at : at + _GROUP] for at in range(0, FINGERPRINT, _GROUP)),
        code=code(promise.note),
        address=f"data:application/json;base64,{base64.b64encode(file).decode()}",
        name=f"{promise.complaint_no}.receipt.json",
        sealed=receipt.sealed,
    )


def code(text: str) -> Code:
    """Draw a code to scan (ISO/IEC 18004), with error correction M and the blank border it needs."""
    drawn = segno.make(text.encode(), error="M", micro=False, boost_error=False)
    rows = [bytes(row) for row in drawn.matrix_iter(border=BORDER)]
    strokes = (
        f"M{run.start()} {y}.5h{run.end() - run.start()}" for y, row in enumerate(rows) for run in DARK.finditer(row)
    )
    return Code(side=len(rows), path="".join(strokes))
