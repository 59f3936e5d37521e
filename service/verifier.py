"""Check what a complaint hall handed out, with nothing but this file: `python3 -I verifier.py FILE...`.

It reads receipts, proofs of consistency, histories, log exports (JSON lines, also gzip), packages of a case (zip) and
bare checkpoints. It needs Python 3.9 or later, no server, no network and no other package. Signatures are Ed25519
(RFC 8032) in C2SP signed notes, checkpoints C2SP tlog-checkpoints, hashes and proofs those of RFC 9162.
Exit status: 0 all is good, 1 something is wrong, 2 a file cannot be read or something is lacking to judge it.
"""

# ruff: noqa: B905, FURB161, PLR2004
# Python 3.9 has neither zip(strict=) nor bit_count(), and the numbers are those of the standards named above.

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import gzip
import hashlib
import io
import json
import re
import struct
import sys
import tempfile
import time
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

NOTE, LINE, DOCUMENT = 1 << 16, 1 << 23, 1 << 25  # the longest note, line of a log, and other file, in bytes
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NUMBER = "[1-9][0-9]{0,17}"
HASH = "[A-Za-z0-9+/]{43}="
TIME = "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
COMPLAINT = ("number", "complaint [A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
COLUMNS = ["position", "stream_id", "version", "name", "recorded_at", "command_id", "command_seq", "state"]
PACKAGE = [
    "README.txt",
    "attachments.json",
    "history.json",
    "manifest.txt",
    "told.en.txt",
    "told.zh.txt",
    "verifier.py",
]


class Invalid(Exception):
    """Something is wrong with what was handed over; one sentence says what and where."""


class Unreadable(Exception):
    """This is none of the files known here, or something is lacking to judge it."""


@contextlib.contextmanager
def at(place: object) -> Iterator[None]:
    """Say where it was that something is wrong."""
    try:
        yield
    except Invalid as error:
        raise Invalid(f"{place}: {error}") from None


def shown(value: object) -> str:
    """Give a foreign value as any terminal can show it: short, and without control characters."""
    text = ascii(value[:120] if isinstance(value, (str, list)) else value)
    return text if len(text) <= 160 else text[:157] + "..."


# Ed25519 (RFC 8032 §5.1), in the variant without the cofactor, as the libraries that sign check it: R is compared as
# bytes, so one encoding alone passes. Refused are S >= L, a key in another than its canonical encoding, and a key that
# is not of prime order: with such keys one signature may fit many texts.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1, 1, 0)
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    lower, upper = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    twist, scale = 2 * D * a[3] * b[3] % P, 2 * a[2] * b[2]
    e, f, g, h = upper - lower, scale - twist, scale + twist, upper + lower
    return e * f % P, g * h % P, f * g % P, e * h % P


def _sum(a: int, point: Point, b: int = 0, other: Point = NEUTRAL) -> Point:
    """Give a times the one point plus b times the other."""
    table, found = (NEUTRAL, point, other, _add(point, other)), NEUTRAL
    for bit in range(max(a, b).bit_length() - 1, -1, -1):
        found = _add(found, found)
        if choice := (a >> bit & 1) + 2 * (b >> bit & 1):
            found = _add(found, table[choice])
    return found


def _point(encoded: bytes) -> Point | None:
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[-1] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or v * x * x % P != u or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or NEUTRAL


@functools.lru_cache(maxsize=16)
def _key_point(public: bytes) -> Point | None:
    found = _point(public) if len(public) == 32 else None
    x, y, z, _ = _sum(L, found or BASE)
    return found if found and found[0] and x == 0 and y == z else None


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature (64 bytes) is that of a message by a public key (32 bytes)."""
    key, s = _key_point(public), int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or s >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    x, y, z, _ = _sum(s, BASE, challenge, (P - key[0], key[1], 1, P - key[3]))
    z = pow(z, -1, P)
    return (y * z % P | (x * z % P & 1) << 255).to_bytes(32, "little") == signature[:32]


# Keys, signed notes, and what stands in them.


def decoded(text: object, what: str) -> bytes:
    """Give the bytes of standard base64 with padding; raises Invalid for any but its one canonical spelling."""
    with contextlib.suppress(ValueError):
        if isinstance(text, str):
            found = base64.b64decode(text, validate=True)
            if base64.b64encode(found).decode() == text:
                return found
    raise Invalid(f"{what} is not base64: {shown(text)}")


class Key(NamedTuple):
    """A public key and its name, as a C2SP verifier key (vkey) tells them: `<name>+<key id>+<base64>`."""

    vkey: str
    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, vkey: object) -> Key:
        """Read a verifier key; raises Invalid."""
        found = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})", vkey if isinstance(vkey, str) else "")
        if found is None:
            raise Invalid(f"the key is not of the form name+id+base64: {shown(vkey)}")
        raw = decoded(found[3], "the key")
        if raw[:1] != b"\x01" or _key_point(raw[1:]) is None:
            raise Invalid(f"the key is no Ed25519 key: {shown(vkey)}")
        if hashlib.sha256(found[1].encode(errors="replace") + b"\n" + raw).hexdigest()[:8] != found[2]:
            raise Invalid(f"the id {found[2]} is not that of the key and its name {shown(found[1])}")
        return cls(found[0], found[1], bytes.fromhex(found[2]), raw[1:])

    @property
    def log(self) -> str:
        """The log id in the name; raises Invalid if this is no key of a hall's log."""
        if not re.fullmatch(f"bihuan/{UUID}", self.name):
            raise Invalid(f"the name of the key is not bihuan/<log id>: {shown(self.name)}")
        return self.name[7:]


def opened(note: object, key: Key) -> str:
    """Give the text of a note that this key signed; raises Invalid. Signatures by others are not judged."""
    if not isinstance(note, str) or len(note) > NOTE or re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", note):
        raise Invalid(f"not a signed note, or one with control characters: {shown(note)}")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise Invalid("a signed note is text, an empty line, and signatures up to a last line feed")
    ours = []
    for line in signatures[:-1].split("\n"):
        found = re.fullmatch("\u2014 ([^\\s+]+) (\\S+)", line)
        raw = decoded(found[2], "a signature") if found else b""
        if found is None or len(raw) <= 4:
            raise Invalid(f"not a line of a signature: {shown(line)}")
        if found[1] == key.name and raw[:4] == key.key_id:
            ours.append(raw[4:])
    if len(ours) != 1:
        raise Invalid(f"{'signed twice' if ours else 'not signed'} by {key.name} (key {key.key_id.hex()})")
    if not verify_signature(key.public, f"{text}\n".encode(), ours[0]):
        raise Invalid(f"the signature by {key.name} is not that of this text")
    return text + "\n"


def _values(text: str, what: str, shapes: Sequence[tuple[str, str]]) -> list[str]:
    """Hold each line against its shape; give the last word of each."""
    lines = text.split("\n")[:-1]
    for number, (line, (name, shape)) in enumerate(zip(lines, shapes), 1):
        if not re.fullmatch(shape, line):
            raise Invalid(f"line {number} of the {what}, its {name}, reads {shown(line)}")
    if len(lines) != len(shapes):
        raise Invalid(f"the {what} has {len(lines)} lines instead of {len(shapes)}")
    return [line.rpartition(" ")[2] for line in lines]


class Checkpoint(NamedTuple):
    """What a hall signed about its log: how many events it has, and their root."""

    size: int
    root: bytes
    epoch: int
    signed: str

    @classmethod
    def open(cls, note: object, key: Key) -> Checkpoint:
        """Read a signed checkpoint; raises Invalid."""
        shapes = [
            ("origin", re.escape(key.name)),
            ("size", f"0|{NUMBER}"),
            ("root", HASH),
            ("epoch", f"epoch {NUMBER}"),
        ]
        values = _values(opened(note, key), "checkpoint", [*shapes, ("time", f"signed {TIME}Z")])
        return cls(int(values[1]), decoded(values[2], "the root"), int(values[3]), values[4])

    def __str__(self) -> str:
        """Say which one it is."""
        return f"checkpoint of {self.size} events (epoch {self.epoch}, signed {self.signed})"


# The tree (RFC 9162 §2.1).


def node(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: one hash for each binary one of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        size, self.size = self.size, self.size + 1
        while size & 1:
            leaf, size = node(self._hashes.pop(), leaf), size >> 1
        self._hashes.append(leaf)

    def root(self) -> bytes:
        """Give the root of all leaves so far."""
        edge = self._hashes[::-1] or [hashlib.sha256(b"").digest()]
        return functools.reduce(lambda right, left: node(left, right), edge)


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a leaf hash is number `index` (from 0) of a tree; raises Invalid (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        raise Invalid(f"a tree of {size} events has no position {index + 1}")
    # Up to `inner` the path turns with the bits of the index; above, it goes up the right edge.
    inner = (index ^ size - 1).bit_length()
    if len(proof) != inner + bin(index >> inner).count("1") or any(len(one) != 32 for one in (leaf, *proof)):
        raise Invalid(f"{len(proof)} hashes, or hashes of these lengths, do not prove position {index + 1} of {size}")
    for level, step in enumerate(proof):
        leaf = node(step, leaf) if level >= inner or index >> level & 1 else node(leaf, step)
    if leaf != root:
        raise Invalid(f"the proof of position {index + 1} does not lead to the root of {size} events")


def verify_consistency(size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that one tree is the beginning of another; raises Invalid, for an empty one too (RFC 9162 §2.1.4.2)."""
    if not 0 < size1 <= size2:
        raise Invalid(f"nothing can be proved from {size1} events to {size2}")
    if size1 == size2 and root1 == root2 and not proof:
        return
    steps = list(proof) if size1 & size1 - 1 else [root1, *proof]
    if not steps or size1 == size2 or any(len(one) != 32 for one in steps):
        raise Invalid(f"{len(proof)} hashes, or hashes of these lengths, prove nothing from {size1} events to {size2}")
    first, last = size1 - 1, size2 - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise Invalid(f"{len(proof)} hashes are too many from {size1} events to {size2}")
        if first & 1 or first == last:
            old, new = node(step, old), node(step, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = node(new, step)
        first, last = first >> 1, last >> 1
    for size, root, reached in ((size1, root1, old), (size2, root2, new)):
        if last or reached != root:
            raise Invalid(f"the proof does not lead to the root of {size} events")


# What the files are made of: JSON, rows of the log, and what they are held against.


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{shown(text)} is not a whole number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)


def parsed(text: bytes | str) -> Any:  # noqa: ANN401 - whatever stands there
    """Read JSON in which numbers are whole and keys stand once; raises Invalid."""
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"not the JSON that is expected here: {error}") from None


def _fields(document: object, names: str) -> list[Any]:
    if not isinstance(document, dict) or sorted(document) != sorted(names.split()):
        has = list(document) if isinstance(document, dict) else document
        raise Invalid(f"the object needs the keys {names}, no more and no less, and is {shown(has)}")
    return [document[name] for name in names.split()]


def _document(document: object, kind: str, names: str) -> list[Any]:
    found, *values = _fields(document, f"format {names}")
    if found != kind:
        raise Invalid(f"the format is {shown(found)} and not {kind}")
    return values


def _hashes(proof: object) -> list[bytes]:
    if not isinstance(proof, list) or len(proof) > 128:
        raise Invalid(f"a proof is a list of hashes, not {shown(proof)}")
    return [decoded(one, f"hash {number} of the proof") for number, one in enumerate(proof, 1)]


class Versions:
    """Holds the versions of each stream against each other, at flat memory however many streams there are.

    A root tells which rows there are, not that a stream has one row for each version: a hall that recorded two third
    events of a case could show one here and one there, each with its proof. Only who reads the whole log can see that.
    """

    ROW = struct.Struct(">16sqi")

    def __init__(self) -> None:
        # Each takes a part of the streams; what grows long goes to a temporary file.
        self._parts = [tempfile.SpooledTemporaryFile(1 << 12) for _ in range(64)]  # noqa: SIM115 - see `close`

    def add(self, stream: bytes, position: int, version: int) -> None:
        """Take the next row of a stream."""
        self._parts[hash(stream) & 63].write(self.ROW.pack(stream, position, version))

    def check(self) -> None:
        """Say where a version is missing or stands twice; raises Invalid."""
        found = []
        for part in self._parts:
            last: dict[bytes, int] = {}
            part.seek(0)
            for row in iter(lambda part=part: part.read(self.ROW.size), b""):  # type: ignore[misc]
                stream, position, version = self.ROW.unpack(row)
                before = last.get(stream, 0)
                if version != before + 1:
                    found.append((position, version, stream, before))
                    break
                last[stream] = version
        for position, version, stream, before in sorted(found)[:1]:
            raise Invalid(f"position {position}: version {version} of {uuid.UUID(bytes=stream)} comes after {before}")

    def close(self) -> None:
        """Let the files go."""
        for part in self._parts:
            part.close()


class Rows:
    """Takes rows of one log in their order and gives the leaf hash of each; raises Invalid."""

    HEAD, TAIL = struct.Struct(">i16siqi16siii"), struct.Struct(">iqi16sihi")
    TYPES = (int, str, int, str, int, str, int, str)  # compared as they are: True is no number
    ID = re.compile(UUID).fullmatch

    def __init__(self, log: str, versions: Versions) -> None:
        self._log, self._versions = uuid.UUID(log).bytes, versions
        self._position = self._recorded_at = 0

    def leaf(self, row: list[Any]) -> bytes:
        """Give SHA-256 over 0x00, `bihuan-leaf-1`, log id and columns, each behind its length in four bytes."""
        if tuple(map(type, row)) != self.TYPES:
            raise Invalid(f"behind position {self._position} stands no row of an event: {shown(row)}")
        position, stream, version, name, recorded_at, command, seq, state = row
        if not (self._position < position < 1 << 62 and seq >= 0 and recorded_at < 1 << 57):
            raise Invalid(f"position {shown(position)} behind {self._position}: it, or a number in it, is out of range")
        if not self.ID(stream) or not self.ID(command):
            raise Invalid(f"position {position}: an id is not a UUID in lower case")
        if recorded_at < self._recorded_at:
            raise Invalid(f"position {position}: recorded before the event in front of it")
        stream_id = bytes.fromhex(stream.replace("-", ""))
        try:
            named, stated = name.encode(), state.encode()
            head = self.HEAD.pack(16, self._log, 8, position, 16, stream_id, 4, version, len(named))
            tail = self.TAIL.pack(8, recorded_at, 16, bytes.fromhex(command.replace("-", "")), 2, seq, len(stated))
        except (struct.error, UnicodeEncodeError):
            raise Invalid(f"position {position}: a number or a character is out of range") from None
        self._position, self._recorded_at = position, recorded_at
        self._versions.add(stream_id, position, version)
        return hashlib.sha256(b"".join((b"\x00bihuan-leaf-1", head, named, tail, stated))).digest()


class Given(NamedTuple):
    """What a file is held against: keys got from elsewhere, and checkpoints kept from earlier as (place, note)."""

    keys: Sequence[Key] = ()
    held: Sequence[tuple[str, str]] = ()

    def key(self, vkey: object) -> Key:
        """Take the key that a file names; raises Invalid if another one was given."""
        key = Key.parse(vkey)
        if key.log and self.keys and key not in self.keys:
            raise Invalid(f"the file names another key than the one given: {shown(vkey)}")
        return key

    def checkpoints(self, key: Key) -> list[tuple[str, Checkpoint]]:
        """Open what is held, the smallest first; raises Invalid."""
        found = []
        for place, note in self.held:
            with at(f"your checkpoint {place}"):
                found.append((place, Checkpoint.open(note, key)))
        return sorted(found, key=lambda one: one[1].size)

    def compared(self, key: Key, *checkpoints: Checkpoint) -> list[str]:
        """Say which checkpoints that are held fit, and what the key is worth; raises Invalid for one that does not."""
        told = []
        for place, held in self.checkpoints(key):
            same = [one for one in checkpoints if one.size == held.size]
            if any(one.root != held.root for one in same):
                raise Invalid(f"{place}: two logs were signed: your {held} has another root than the one in the file")
            unlike = "cannot be compared with what is in this file: ask for a proof of consistency"
            told.append(f"{place}: your {held} {'fits' if same else unlike}")
        return told + self.caution(key)

    def caution(self, key: Key) -> list[str]:
        """Say what is not shown when the key came out of the file itself."""
        fits = "this proves that the file fits itself; compare the key with the one published by the hall"
        return [] if self.keys else [f"{fits}: {key.vkey}"]


# The files. Each function gives what a file shows, in sentences, and raises Invalid or Unreadable.


def promised(note: object, key: Key) -> tuple[int, bytes, str]:
    """Read a signed promise: the position and leaf hash of a registration, and all of it in words; raises Invalid."""
    with at("the promise"):
        shapes = [("title", re.escape(key.name) + "/promise"), COMPLAINT, ("position", f"position {NUMBER}")]
        shapes += [("leaf", f"leaf {HASH}"), ("time", f"recorded {TIME}[.][0-9]{{6}}Z")]
        _, complaint, position, leaf, recorded = _values(opened(note, key), "promise", shapes)
        told = f"complaint {complaint} is event {position} of log {key.log}, recorded {recorded}"
        return int(position), decoded(leaf, "the leaf"), told


def receipt(document: object, given: Given) -> list[str]:
    """Check a receipt: what was promised, and that it is sealed."""
    vkey, promise, note, proof = _document(document, "bihuan-receipt-1", "key promise checkpoint inclusion")
    key = given.key(vkey)
    position, leaf, told = promised(promise, key)
    if note is None and proof is None:
        return [f"promised, not yet sealed: {told}", *given.compared(key)]
    with at("the checkpoint"):
        checkpoint = Checkpoint.open(note, key)
    with at("the inclusion"):
        verify_inclusion(leaf, position - 1, checkpoint.size, checkpoint.root, _hashes(proof))
    return [f"{told}, sealed by the {checkpoint}", *given.compared(key, checkpoint)]


def consistency(document: object, given: Given) -> list[str]:
    """Check that one checkpoint continues another; what the file leaves out is taken from those held."""
    vkey, *ends, proof = _document(document, "bihuan-consistency-1", "key from to proof")
    key, found = given.key(vkey), []
    for name, end in zip(("from", "to"), ends):
        with at(f'"{name}"'):
            size, note = _fields(end, "size note")
            held = [one for _, one in given.checkpoints(key) if note is None and one.size == size]
            if note is None and not held:
                raise Unreadable(f"the checkpoint of {shown(size)} events is left out: give it with --checkpoint")
            found.append(held[0] if held else Checkpoint.open(note, key))
            if type(size) is not int or found[-1].size != size:
                raise Invalid(f"the {found[-1]} is not of size {shown(size)}")
    old, new = found
    with at("the proof"):
        verify_consistency(old.size, old.root, new.size, new.root, _hashes(proof))
    return [f"log {key.log}: the {new} only adds to the {old}", *given.compared(key, old, new)]


def _prove(events: list[Any], proofs: list[Any], streams: set[str], checkpoint: Checkpoint, rows: Rows) -> None:
    """Check that each row is of these streams and in the log; raises Invalid."""
    for number, (row, proof) in enumerate(zip(events, proofs), 1):
        with at(f"event {number}"):
            leaf = rows.leaf(row if isinstance(row, list) else [row])
            if row[1] not in streams:
                raise Invalid(f"position {row[0]} is not of this case but of stream {row[1]}")
            verify_inclusion(leaf, row[0] - 1, checkpoint.size, checkpoint.root, _hashes(proof))


def history(document: object, given: Given) -> list[str]:
    """Check the history of a case: every event is sealed, and none is missing between them."""
    names = "key stream checkpoint events inclusion"
    vkey, stream, note, events, proofs = _document(document, "bihuan-history-1", names)
    key = given.key(vkey)
    with at("the checkpoint"):
        checkpoint = Checkpoint.open(note, key)
    if not isinstance(stream, str) or not Rows.ID(stream):
        raise Invalid(f"the stream is not a UUID in lower case: {shown(stream)}")
    if not isinstance(events, list) or not isinstance(proofs, list) or len(events) != len(proofs):
        raise Invalid("events and inclusion are not two lists of one length")
    # Openings of sealed values and refused attempts stand beside a case, in streams named after it.
    streams = {stream, *(str(uuid.uuid5(uuid.UUID(stream), beside)) for beside in ("access", "attempts"))}
    with contextlib.closing(Versions()) as versions:
        _prove(events, proofs, streams, checkpoint, Rows(key.log, versions))
        versions.check()
    if not any(row[1] == stream for row in events):
        raise Invalid(f"no event of the case {stream} itself is there")
    told = f"{len(events)} events of case {stream}, without a gap, are in log {key.log} as sealed by the {checkpoint}"
    return [told, *given.compared(key, checkpoint)]


def _event(state: str) -> dict[str, Any]:
    found = parsed(state)
    event = found.get("e") if isinstance(found, dict) else None
    return event if isinstance(event, dict) else {}


def _restored(row: list[Any]) -> tuple[int, int, str]:
    """Read from a `log.restored.1` what was kept, which epoch began, and both in words."""
    kept, epoch = map(_event(row[7]).get, ("kept", "epoch"))
    if type(kept) is not int or type(epoch) is not int or not 0 <= kept < row[0]:
        raise Invalid(f"position {row[0]}: log.restored.1 does not say what was kept and which epoch began")
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row[4] // 10**6))
    return kept, epoch, f"the log was taken back to position {kept} (epoch {epoch}, recorded {when})"


def _misfit(held: Checkpoint, fits: int, size: int, taken_back: Sequence[tuple[int, int, str]]) -> str:
    """Say why a checkpoint that is held does not fit an export of this size, in which one of `fits` events does."""
    for kept, epoch, words in taken_back:
        if kept < held.size and epoch > held.epoch:
            yours = f"events {kept + 1}..{held.size} of your checkpoint of epoch {held.epoch}"
            return f"{words}: {yours} are gone or replaced"
    if held.size > size:
        return f"events are missing: {size + 1}..{held.size} of your {held}, unless the export was made before it"
    return f"events {fits + 1}..{held.size} are missing or were altered: your {held} has another root"


class Lines:
    """The lines of a log export, counted so as to say where something is wrong."""

    def __init__(self, source: BinaryIO | io.BufferedReader) -> None:
        self._source, self._number = source, 0

    def __iter__(self) -> Iterator[Any]:
        while line := self._source.readline(LINE + 1):
            self._number += 1
            if len(line) > LINE:
                raise Invalid(f"longer than {LINE} bytes")
            yield parsed(line)

    def __str__(self) -> str:
        return f"line {self._number}"


def log_export(source: BinaryIO | io.BufferedReader, given: Given) -> list[str]:
    """Check a whole log, line after line."""
    with contextlib.closing(Versions()) as versions:
        return _log(source, given, versions)


def _log(source: BinaryIO | io.BufferedReader, given: Given, versions: Versions) -> list[str]:
    with at(lines := Lines(source)):
        items = iter(lines)
        log, vkey, columns = _document(next(items, None), "bihuan-log-1", "log key columns")
        key = given.key(vkey)
        if log != key.log or columns != COLUMNS:
            raise Invalid(f"the log is not that of the key, or the columns are not {' '.join(COLUMNS)}")
        held = given.checkpoints(key)
        tree, rows, waiting = Frontier(), Rows(key.log, versions), held[::-1]
        taken_back: list[tuple[int, int, str]] = []
        misfits: list[tuple[str, Checkpoint, int]] = []
        sealed, count, fits = None, 0, 0  # the last checkpoint, how many there are, and the last size at which one fits
        for item in items:
            while waiting and waiting[-1][1].size == tree.size:
                place, one = waiting.pop()
                if one.root != tree.root():
                    misfits.append((place, one, fits))
                else:
                    fits = tree.size
            if isinstance(item, list):
                tree.append(rows.leaf(item))
                if item[0] != tree.size:
                    raise Invalid(f"position {item[0]} stands where position {tree.size} belongs")
                if item[3] == "log.restored.1":
                    taken_back.append(_restored(item))
                continue
            (note,) = _fields(item, "checkpoint")
            checkpoint = Checkpoint.open(note, key)
            if checkpoint.size != tree.size:
                raise Invalid(f"the {checkpoint} stands behind position {tree.size}")
            if sealed and checkpoint.epoch < sealed.epoch:
                raise Invalid(f"the {checkpoint} comes after one of epoch {sealed.epoch}")
            if checkpoint.root != tree.root():
                raise Invalid(f"events {fits + 1}..{tree.size} are not those of the {checkpoint}")
            sealed, count, fits = checkpoint, count + 1, tree.size
        if sealed is None or sealed.size != tree.size:
            raise Invalid(f"the last line is no checkpoint of all {tree.size} events: the end is missing")
    versions.check()
    for place, one, before in misfits + [(place, one, fits) for place, one in reversed(waiting)]:
        raise Invalid(f"{place}: {_misfit(one, before, tree.size, taken_back)}")
    told = f"{tree.size} events, all of log {key.log}, are as sealed by the {sealed}; checkpoints in it: {count}"
    fitting = [f"{place}: your {one} fits" for place, one in held]
    return [told, *(words for _, _, words in taken_back), *fitting, *given.caution(key)]


def package(data: bytes, given: Given) -> list[str]:
    """Check the package of a case, a zip: its history, and that every file is the one that was signed."""
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        entries = box.infolist()
        if sorted(one.filename for one in entries) != PACKAGE:
            raise Invalid(f"holds {shown([one.filename for one in entries])} instead of {' '.join(PACKAGE)}")
        # What is checked here must be what any other program finds in the same zip: one file follows the other.
        end = 0
        for one in sorted(entries, key=lambda one: one.header_offset):
            length = 30 + sum(struct.unpack_from("<HH", data, one.header_offset + 26)) + one.compress_size
            end = one.header_offset + length + 2 * (one.flag_bits & 8) if one.header_offset == end else len(data)
        if end != box.start_dir or data[-22:-18] != b"PK\5\6":
            raise Invalid("there is something in front of, between or behind the files of the zip")
        if any(one.flag_bits & ~0x808 or one.compress_type not in (0, 8) for one in entries):
            raise Invalid("a file in the zip is encrypted or strangely compressed")
        if sum(one.file_size for one in entries) > DOCUMENT:
            raise Invalid(f"the files in the zip are longer than {DOCUMENT} bytes")
        files = {name: box.read(name) for name in PACKAGE}
    with at("history.json"):
        document = parsed(files["history.json"])
        told = history(document, given)
        states = {row[0]: row[7] for row in document["events"]}
        first = _event(next(row[7] for row in document["events"] if row[1] == document["stream"]))
    with at("manifest.txt"):
        key = Key.parse(document["key"])
        hashes = [(name, hashlib.sha256(files[name]).hexdigest()) for name in PACKAGE if name != "manifest.txt"]
        shapes = [("title", re.escape(key.name) + "/package"), COMPLAINT]
        shapes += [(f"hash of {name}", f"{digest}  {re.escape(name)}") for name, digest in hashes]
        complaint = _values(opened(files["manifest.txt"].decode(), key), "manifest", shapes)[1]
        if first.get("complaint_no") != complaint:
            raise Invalid(f"the history is not that of complaint {complaint}")
    with at("attachments.json"):
        attachments = parsed(files["attachments.json"])
        if not isinstance(attachments, list):
            raise Invalid(f"not a list: {shown(attachments)}")
        for position, digest in (_fields(one, "position digest") for one in attachments):
            state = states.get(position, "") if type(position) is int else ""
            is_digest = isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)
            if not is_digest or f'"{digest}"' not in state:
                raise Invalid(f"position {shown(position)} does not name {shown(digest)}")
    return [f"package of complaint {complaint}, whole; attachments named: {len(attachments)}", *told]


def bare(note: str, given: Given) -> list[str]:
    """Check a checkpoint that stands alone, or a promise as it is scanned from a receipt on paper."""
    refused: Exception = Unreadable("a checkpoint does not tell its key: give the one the hall published with --key")
    for key in given.keys:
        try:
            if note.startswith(f"{key.name}/promise\n"):
                return [f"promised: {promised(note, key)[2]}", *given.compared(key)]
            checkpoint = Checkpoint.open(note, key)
        except Invalid as error:
            refused = error
        else:
            return [f"log {key.log}: {checkpoint}", *given.compared(key, checkpoint)]
    raise refused


KINDS = {"bihuan-receipt-1": receipt, "bihuan-consistency-1": consistency, "bihuan-history-1": history}


def verify(path: str, given: Given) -> list[str]:
    """Check a file of any kind; gives what it shows, raises Invalid and Unreadable."""
    try:
        with Path(path).open("rb") as file:
            start = file.peek(64)
            if start[:2] == b"\x1f\x8b":
                return log_export(io.BufferedReader(gzip.GzipFile(fileobj=file)), given)
            if re.match(rb'\s*{\s*"format"\s*:\s*"bihuan-log-', start):
                return log_export(file, given)
            data = file.read(DOCUMENT + 1)
        if len(data) > DOCUMENT:
            raise Unreadable(f"longer than the {DOCUMENT} bytes that such a file may have")
        if data[:4] == b"PK\3\4":
            return package(data, given)
        if data.startswith(b"bihuan/"):
            return bare(data.decode(), given)
        try:
            document = parsed(data)
        except Invalid as error:
            raise Unreadable(str(error)) from None
        kind = document.get("format") if isinstance(document, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            raise Unreadable(f"the format {shown(kind)} is not known here; known are {' '.join(KINDS)} bihuan-log-1")
        return KINDS[kind](document, given)
    except (OSError, EOFError, UnicodeError, RuntimeError, zlib.error, struct.error, zipfile.BadZipFile) as error:
        raise Unreadable(f"damaged or not there: {error}") from None


def _given(options: argparse.Namespace) -> Given:
    keys, held = [], []
    for one in options.key:
        text = one if one.startswith("bihuan/") and "+" in one else _text(one)
        keys.append(Key.parse(text.strip()))
        _ = keys[-1].log
    for one in options.checkpoint:
        held.append((one, _text(one)))
        if not held[-1][1].startswith("bihuan/"):
            raise Unreadable(f"{one} is no checkpoint")
    return Given(keys, held)


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(NOTE + 1).decode()
    except (OSError, UnicodeError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None


def main(argv: Sequence[str], program: str = "verifier.py") -> int:
    """Check the files named on a command line and print what they show; gives the exit status."""
    parser = argparse.ArgumentParser(program, description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY|FILE", help="the key the hall published")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE", help="a checkpoint kept elsewhere")
    parser.add_argument("--quiet", action="store_true", help="say only what is wrong")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        given = _given(options)
    except (Invalid, Unreadable) as error:
        print(error, file=sys.stderr)
        return 2
    verdicts = []
    for path in options.files:
        try:
            verdicts.append((0, path, verify(path, given)))
        except Invalid as error:
            verdicts.append((-2, path, [str(error)]))
        except Unreadable as error:
            verdicts.append((-1, path, [str(error)]))
    verdicts.sort(key=lambda one: one[0])
    for status, path, told in verdicts:
        if status or not options.quiet:
            print(f"{path}: {('good', 'cannot be judged', 'WRONG')[-status]}: " + "\n    ".join(told))
    return {0: 0, -1: 2, -2: 1}[verdicts[0][0]]


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
