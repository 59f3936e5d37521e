"""Signed notes (C2SP signed-note, Ed25519): what is said under the log's own key, and read back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED: Final = "signing"
"""The name under which the vault keeps the seed of the key; whoever holds the master key can sign."""

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
_SIGNATURE: Final = re.compile(r"— ([^ +]+) ([A-Za-z0-9+/]+={0,2})")


class BadNote(Exception):
    """A note is not signed by the key it should be signed by, or does not say what it should say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a signed checkpoint says: how many events the log had, under which root, in which epoch, and when (UTC)."""

    origin: str
    size: int
    root: bytes
    epoch: int
    signed_at: datetime

    def text(self) -> str:
        """Write it as C2SP tlog-checkpoint does; epoch and time are extension lines."""
        signed = self.signed_at.astimezone(UTC)
        return (
            f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
            f"epoch {self.epoch}\nsigned {signed:%Y-%m-%dT%H:%M:%SZ}\n"
        )

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint; raises BadNote."""
        found = re.fullmatch(
            r"(bihuan/[0-9a-f-]{36})\n(0|[1-9]\d{0,18})\n([A-Za-z0-9+/]{43}=)\nepoch ([1-9]\d{0,8})\nsigned (\S{20})\n",
            text,
        )
        try:
            if found is None:
                raise BadNote("This is not a checkpoint of a log.")
            return cls(
                origin=found[1],
                size=int(found[2]),
                root=base64.b64decode(found[3], validate=True),
                epoch=int(found[4]),
                signed_at=datetime.strptime(found[5], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            )
        except ValueError:
            raise BadNote("The checkpoint tells no time.") from None


def origin(log_id: UUID) -> str:
    """Give the name of a log, which is also the name of its key."""
    return f"bihuan/{log_id}"


class Signer:
    """Signs in the name of a log; Ed25519 gives the same signature for the same text every time."""

    def __init__(self, log_id: UUID, seed: bytes) -> None:
        self.name = origin(log_id)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._key_id = key_id(self.name, public)
        self.vkey = f"{self.name}+{self._key_id.hex()}+{base64.b64encode(ED25519 + public).decode()}"

    def sign(self, text: str) -> str:
        """Give the note: the text, which ends a line, an empty line, and the line of the signature."""
        if not text.endswith("\n") or "\n\n" in text:
            raise ValueError("the text of a note is lines, none of them empty")
        signature = base64.b64encode(self._key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def key_id(name: str, public: bytes) -> bytes:
    """Give the id by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


def log_of(vkey: str) -> UUID:
    """Give the id of the log whose key this is; raises BadNote."""
    (name, _), _ = _key(vkey)
    try:
        return UUID(name.removeprefix("bihuan/"))
    except ValueError:
        raise BadNote("This is the key of something else than a log.") from None


def opened(note: str, vkeys: Iterable[str]) -> str:
    """Give the text of a note that one of these keys signed; signatures of others are passed over. Raises BadNote."""
    text, _, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not text or not lines or lines.pop() != "":
        raise BadNote("This is not a signed note.")
    text += "\n"
    keys = dict(_key(vkey) for vkey in vkeys)
    good = False
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        if found is None:
            raise BadNote("A line of the signatures is none.")
        raw = _bytes(found[2])
        key = keys.get((found[1], raw[:KEY_ID_BYTES]))
        if key is None:
            continue
        try:
            key.verify(raw[KEY_ID_BYTES:], text.encode())
        except InvalidSignature:
            raise BadNote(f"The signature of {found[1]} is not over this text.") from None
        good = True
    if not good:
        raise BadNote("None of the keys given signed this note.")
    return text


def _key(vkey: str) -> tuple[tuple[str, bytes], Ed25519PublicKey]:
    name, _, rest = vkey.strip().partition("+")
    ident, _, encoded = rest.partition("+")
    raw = _bytes(encoded)
    if raw[:1] != ED25519 or len(raw) != 33 or key_id(name, raw[1:]).hex() != ident:  # noqa: PLR2004  # 0x01 and the key
        raise BadNote("This is not a verifying key; give the line that `bihuan audit key` prints.")
    return (name, key_id(name, raw[1:])), Ed25519PublicKey.from_public_bytes(raw[1:])


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BadNote("What should be base64 is not.") from None
