"""Files as a hall hands them out, made by other means: `cryptography` signs, the tree is split as RFC 9162 says."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Row = list[Any]

LOG: Final = UUID("7c1d3f0a-5b6e-4c1f-9a52-0d9b8e7f6a51")
CASE: Final = UUID("4e0bb9a2-6a0c-5a51-8f1c-2b9c6f1f3d10")
NUMBER: Final = "TS-GXQ-20260213-00001-2"
DIGEST: Final = hashlib.sha256(b"an attachment, sealed").hexdigest()
BEGUN: Final = 1_770_978_600_000_000  # 2026-02-13T10:30:00Z in microseconds since 1970
COLUMNS: Final = ["position", "stream_id", "version", "name", "recorded_at", "command_id", "command_seq", "state"]


def b64(data: bytes) -> str:
    """Spell bytes in base64."""
    return base64.b64encode(data).decode()


def compact(document: object) -> str:
    """Write JSON as the exports do."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def node(left: bytes, right: bytes) -> bytes:
    """Hash two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Give the largest power of two below a size."""
    left = 1
    while left * 2 < size:
        left *= 2
    return left


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root as RFC 9162 §2.1.1 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    left = split(len(leaves))
    return node(root(leaves[:left]), root(leaves[left:]))


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Give the proof of inclusion as RFC 9162 §2.1.3.1 defines it."""
    if len(leaves) == 1:
        return []
    left = split(len(leaves))
    if index < left:
        return [*path(leaves[:left], index), root(leaves[left:])]
    return [*path(leaves[left:], index - left), root(leaves[:left])]


def growth(leaves: Sequence[bytes], size: int, *, known: bool = True) -> list[bytes]:
    """Give the proof of consistency as RFC 9162 §2.1.4.1 defines it."""
    if size == len(leaves):
        return [] if known else [root(leaves)]
    left = split(len(leaves))
    if size <= left:
        return [*growth(leaves[:left], size, known=known), root(leaves[left:])]
    return [*growth(leaves[left:], size - left, known=False), root(leaves[:left])]


def leaf(log: UUID, row: Row) -> bytes:
    """Hash a row from the words of the specification, one part after another."""
    position, stream, version, name, recorded_at, command, seq, state = row
    parts = [
        log.bytes,
        position.to_bytes(8, "big"),
        UUID(stream).bytes,
        version.to_bytes(4, "big"),
        name.encode(),
        recorded_at.to_bytes(8, "big"),
        UUID(command).bytes,
        seq.to_bytes(2, "big"),
        state.encode(),
    ]
    return hashlib.sha256(b"\x00bihuan-leaf-1" + b"".join(len(one).to_bytes(4, "big") + one for one in parts)).digest()


@dataclass(frozen=True)
class Hall:
    """A hall with its key, its log, and the rows in it."""

    rows: list[Row]
    log: UUID = LOG
    seed: bytes = b"the seed of a hall in an example"
    epoch: int = 1
    leaves: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Hash the rows once."""
        object.__setattr__(self, "leaves", [leaf(self.log, row) for row in self.rows])

    @property
    def name(self) -> str:
        """The name of the key, and of the log."""
        return f"bihuan/{self.log}"

    @property
    def _key(self) -> tuple[bytes, Ed25519PrivateKey]:
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return b"\x01" + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), private

    @property
    def key_id(self) -> bytes:
        """The four bytes in front of every signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._key[0]).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as the hall publishes it."""
        return f"{self.name}+{self.key_id.hex()}+{b64(self._key[0])}"

    def signature(self, text: str) -> str:
        """Give the line that signs a text."""
        return f"\u2014 {self.name} {b64(self.key_id + self._key[1].sign(text.encode()))}\n"

    def sign(self, text: str) -> str:
        """Make a note of a text."""
        return f"{text}\n{self.signature(text)}"

    def checkpoint(self, size: int | None = None, *, signed: str = "2026-02-14T00:00:00Z") -> str:
        """Sign the first so many rows."""
        size = len(self.rows) if size is None else size
        return self.sign(f"{self.name}\n{size}\n{b64(root(self.leaves[:size]))}\nepoch {self.epoch}\nsigned {signed}\n")

    def promise(self, position: int = 1, complaint: str = NUMBER) -> str:
        """Promise that a complaint is in the log."""
        told = f"complaint {complaint}\nposition {position}\nleaf {b64(self.leaves[position - 1])}\n"
        return self.sign(f"{self.name}/promise\n{told}recorded 2026-02-13T10:30:00.000000Z\n")

    def inclusion(self, position: int) -> list[str]:
        """Prove that an event is in the log."""
        return [b64(one) for one in path(self.leaves, position - 1)]

    def receipt(self, position: int = 1, *, sealed: bool = True) -> dict[str, Any]:
        """Hand out a receipt."""
        return {
            "format": "bihuan-receipt-1",
            "key": self.vkey,
            "promise": self.promise(position),
            "checkpoint": self.checkpoint() if sealed else None,
            "inclusion": self.inclusion(position) if sealed else None,
        }

    def consistency(self, size1: int, *, notes: bool = True) -> dict[str, Any]:
        """Prove that the log grew from a size."""
        ends = [{"size": n, "note": self.checkpoint(n) if notes else None} for n in (size1, len(self.rows))]
        proof = [b64(one) for one in growth(self.leaves, size1)]
        return {
            "format": "bihuan-consistency-1",
            "key": self.vkey,
            "from": ends[0],
            "to": ends[1],
            "proof": proof,
        }

    def history(self, case: UUID = CASE) -> dict[str, Any]:
        """Export a case."""
        streams = {str(case), str(uuid5(case, "access")), str(uuid5(case, "attempts"))}
        rows = [row for row in self.rows if row[1] in streams]
        return {
            "format": "bihuan-history-1",
            "key": self.vkey,
            "stream": str(case),
            "checkpoint": self.checkpoint(),
            "events": rows,
            "inclusion": [self.inclusion(row[0]) for row in rows],
        }

    def export(self, *sizes: int) -> list[Any]:
        """Export the log with checkpoints at these sizes and at the end, as a list of lines."""
        lines: list[Any] = [{"format": "bihuan-log-1", "log": str(self.log), "key": self.vkey, "columns": COLUMNS}]
        for size, row in enumerate([None, *self.rows]):
            lines += [] if row is None else [row]
            lines += [{"checkpoint": self.checkpoint(size)}] if size in {*sizes, len(self.rows)} else []
        return lines

    def package_files(self) -> dict[str, bytes]:
        """Make what stands in the package of the case, but for its manifest."""
        (named,) = [row[0] for row in self.rows if DIGEST in row[7]]
        return {
            "history.json": compact(self.history()).encode(),
            "told.zh.txt": "一件投诉的经过。\n".encode(),
            "told.en.txt": b"What became of a complaint.\n",
            "attachments.json": compact([{"position": named, "digest": DIGEST}]).encode(),
            "README.txt": b"Run verifier.py.\n",
            "verifier.py": b'"""Checks."""\n',
        }

    def manifest(self, files: dict[str, bytes], complaint: str = NUMBER) -> bytes:
        """List files with their hashes, and sign the list."""
        listed = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
        return self.sign(f"{self.name}/package\ncomplaint {complaint}\n{listed}").encode()

    def package(self) -> bytes:
        """Export the package of the case."""
        files = self.package_files()
        return zipped({**files, "manifest.txt": self.manifest(files)})


def zipped(files: dict[str, bytes]) -> bytes:
    """Put files into a zip."""
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as box:
            for name, data in files.items():
                box.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return made.getvalue()


def lines(items: Sequence[Any]) -> bytes:
    """Write JSON lines."""
    return "".join(compact(one) + "\n" for one in items).encode()


def row(position: int, stream: UUID, version: int, name: str, **event: object) -> Row:
    """Make an event, recorded at its second since the log began."""
    state = compact({"m": {"command": "example", "source": "test", "cause": None}, "e": event})
    command = str(uuid5(LOG, f"command {position}"))
    return [position, str(stream), version, name, BEGUN + position * 1_000_000, command, 0, state]


def example(**changes: Any) -> Hall:  # noqa: ANN401 - any field of a hall
    """Make a hall with one case told in full, among events of others."""
    other = uuid5(LOG, "another case")
    rows = [
        row(1, CASE, 1, "complaint.registered.1", complaint_no=NUMBER, window="一号窗口"),
        row(2, other, 1, "complaint.registered.1", complaint_no="TS-GXQ-20260213-00002-9"),
        row(3, CASE, 2, "complaint.accepted.1", due="2026-02-28"),
        row(4, uuid5(CASE, "access"), 1, "access.opened.1", field="narrative"),
        row(5, CASE, 3, "complaint.evidence-recorded.1", sha256=DIGEST),
        row(6, other, 2, "complaint.withdrawn.1"),
        row(7, uuid5(CASE, "attempts"), 1, "attempts.refused.1", code="out-of-turn"),
        row(8, CASE, 4, "complaint.replied.1", note='𬭎·闭环 \u2028 \\ "'),
        row(9, uuid5(LOG, "register"), 1, "register.adopted.1"),
        row(10, CASE, 5, "complaint.closed.1"),
        row(11, uuid5(CASE, "access"), 2, "access.opened.1", field="phone"),
    ]
    return Hall(**{"rows": rows, **changes})


def restored(kept: int, epoch: int = 2, later: int = 3) -> Hall:
    """Make the hall after its log was taken back and went on."""
    rows = [*example().rows[:kept], row(kept + 1, uuid5(LOG, "log"), 1, "log.restored.1", kept=kept, epoch=epoch)]
    for n in range(later):
        rows += [row(kept + 2 + n, uuid5(LOG, f"after {n}"), 1, "complaint.registered.1", complaint_no=f"N-{n}")]
    return example(rows=rows, epoch=epoch)
