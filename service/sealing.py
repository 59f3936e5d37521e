"""How a value is sealed: the format, which cannot change once events are stored, and the sealer of one command."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal, Protocol, TypeAlias
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.decider import Code
from domain.sealed import Sealed

FORMAT: Final = 1
NONCE_BYTES: Final = 12

ASSIGN_SQL: Final = "select vault.assign(%s, %s::uuid[], %s::text[], %s::uuid[], %s::text[])"
"""Parameters from `Sealer.assignment()`; for the transaction of the append, before the lock of the log is taken."""

STALE_KEY: Final = "BH001"
"""SQLSTATE of ASSIGN_SQL: a key was destroyed, or went to another owner. `Vault.abandon()`, then seal anew."""

STORE_FILE_SQL: Final = (
    "insert into vault.attachments (digest, value_id, key_id, nonce, box) values (%s, %s, %s, %s, %s)"
)
"""Parameters from `SealedFile.row`, for the transaction of the append."""

OwnerKind: TypeAlias = Literal["person", "case"]
Assignment: TypeAlias = tuple[UUID, list[UUID], list[str], list[UUID], list[str]]


class VaultError(Exception):
    """A value cannot be sealed or opened. The text says what to do; it never holds a value or a key."""

    code = "vault"

    def __init__(self) -> None:
        super().__init__((type(self).__doc__ or "").splitlines()[0])


class Destroyed(VaultError):
    """The key of this value was destroyed, so the value is erased for ever."""

    code = "erased"


class Tampered(VaultError):
    """The value does not open in its place: it was changed after sealing. Run: bihuan audit fsck."""

    code = "tampered"


class Missing(VaultError):
    """The vault lacks the key or the file of this value. Restore its backup, or run: bihuan keys import."""

    code = "key-missing"


class NoKeys(VaultError):
    """No pre-made key is left and the master key does not answer. Bring the key service back, then try again."""

    code = "no-keys"


class Unsealable(VaultError):
    """The text holds half a character (a lone surrogate). Send it as proper Unicode."""

    code = "not-unicode"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """An unwrapped key; `taken_at` is when this process reserved it, in seconds since 1970."""

    key_id: UUID
    plain: bytes = field(repr=False)
    taken_at: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key that goes to an owner, or is still theirs, when the append commits."""

    key_id: UUID
    owner_kind: OwnerKind
    owner: UUID
    retention: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A sealed attachment: its box goes into the vault, `sha256` (of the box) and `size` (plain) into the event."""

    sha256: str
    size: int
    value_id: UUID
    key_id: UUID
    nonce: bytes
    box: bytes = field(repr=False)

    @property
    def row(self) -> tuple[bytes, UUID, UUID, bytes, bytes]:
        """The parameters of STORE_FILE_SQL."""
        return bytes.fromhex(self.sha256), self.value_id, self.key_id, self.nonce, self.box


class KeySource(Protocol):
    """Where a sealer gets keys from: the vault."""

    log_id: UUID

    @property
    def process(self) -> UUID:
        """The id under which this process reserves keys."""
        ...

    def main_keys(self, person: UUID | None, case: UUID | None, retention: Code) -> Mapping[OwnerKind, HeldKey]:
        """Give the keys that these owners have and that can be unwrapped now."""
        ...

    def take(self) -> HeldKey:
        """Take a pre-made key. Raises NoKeys."""
        ...

    def give_back(self, keys: Iterable[HeldKey]) -> None:
        """Put pre-made keys back which no transaction has seen."""
        ...


class Sealer:
    """Seals the values of one command: texts under the key of the case, names and phones under that of the person.

    Not shared between threads.
    """

    def __init__(self, source: KeySource, person: UUID | None, case: UUID, retention: Code, *, new_case: bool) -> None:
        self._source = source
        self._owners: dict[OwnerKind, UUID | None] = {"case": case, "person": person}
        self._retention = retention
        self._new_case = new_case
        self._found: Mapping[OwnerKind, HeldKey] | None = None
        self._taken: list[HeldKey] = []
        self._used: dict[OwnerKind, HeldKey] = {}
        self._parts: list[Sealer] = []

    def part(self, case: UUID) -> Sealer:
        """Give a sealer for a case that the same command makes; its keys are assigned, or given back, with these."""
        made = Sealer(self._source, None, case, self._retention, new_case=True)
        self._parts.append(made)
        return made

    def seal(self, kind: str, text: str) -> Sealed:
        """Seal a text under the key of the case; `kind` is the name of the field. Raises NoKeys, Unsealable."""
        return sealed(self._source.log_id, self._key("case"), kind, text)

    def seal_person(self, kind: str, text: str) -> Sealed:
        """Seal a text under the key of the person; `kind` is the name of the field. Raises NoKeys, Unsealable."""
        return sealed(self._source.log_id, self._key("person"), kind, text)

    def seal_bytes(self, kind: str, data: bytes) -> SealedFile:
        """Seal a file under the key of the case; `kind` as in `seal`. Raises NoKeys."""
        key = self._key("case")
        value_id, nonce = uuid4(), secrets.token_bytes(NONCE_BYTES)
        box = boxed(key.plain, nonce, data, associated(self._source.log_id, key.key_id, value_id, kind))
        return SealedFile(
            sha256=sha256(box).hexdigest(),
            size=len(data),
            value_id=value_id,
            key_id=key.key_id,
            nonce=nonce,
            box=box,
        )

    def claims(self) -> tuple[KeyClaim, ...]:
        """Give every key used, with its owner: the append assigns them, or makes sure that they still live."""
        own = (
            KeyClaim(key.key_id, owner_kind, owner, self._retention)
            for owner_kind, key in self._used.items()
            if (owner := self._owners[owner_kind]) is not None
        )
        return (*own, *(claim for part in self._parts for claim in part.claims()))

    def assignment(self) -> Assignment:
        """Give the parameters of ASSIGN_SQL."""
        return assignment(self._source.process, self.claims())

    def release(self) -> None:
        """Give unused keys back, after a refusal: only when nothing sealed here was sent to the log."""
        for part in self._parts:
            part.release()
        self._source.give_back(self._taken)
        self._found, self._taken, self._used, self._parts = None, [], {}, []

    def _key(self, owner_kind: OwnerKind) -> HeldKey:
        if owner_kind in self._used:
            return self._used[owner_kind]
        if self._owners[owner_kind] is None:
            raise ValueError("there is no person to seal for")
        if self._found is None:
            case = None if self._new_case else self._owners["case"]
            self._found = self._source.main_keys(self._owners["person"], case, self._retention)
        key = self._found.get(owner_kind)
        if key is None:
            key = self._source.take()
            self._taken.append(key)
        self._used[owner_kind] = key
        return key


def assignment(process: UUID, claims: Iterable[KeyClaim]) -> Assignment:
    """Give the parameters of ASSIGN_SQL for claims from several sealers of one process."""
    listed = list(claims)
    return (
        process,
        [claim.key_id for claim in listed],
        [claim.owner_kind for claim in listed],
        [claim.owner for claim in listed],
        [claim.retention for claim in listed],
    )


def sealed(log_id: UUID, key: HeldKey, kind: str, text: str) -> Sealed:
    """Seal a text under a key, with a value id and a nonce of its own. Raises Unsealable."""
    data = encoded(text)
    value_id, nonce = uuid4(), secrets.token_bytes(NONCE_BYTES)
    box = boxed(key.plain, nonce, data, associated(log_id, key.key_id, value_id, kind))
    return Sealed(
        v=FORMAT,
        value_id=value_id,
        key_id=key.key_id,
        nonce=spelled(nonce),
        box=spelled(box),
        chars=len(text),
    )


def encoded(text: str) -> bytes:
    """Give the UTF-8 of a text. Raises Unsealable."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise Unsealable  # outside of the handler: the original error carries the text


def unsealed(log_id: UUID, key: bytes, kind: str, value: Sealed) -> str:
    """Open a value with its key. Raises Tampered."""
    if value.v != FORMAT:
        raise Tampered
    bound = associated(log_id, value.key_id, value.value_id, kind)
    text = unboxed(key, _unspelled(value.nonce), _unspelled(value.box), bound).decode()
    if len(text) != value.chars:
        raise Tampered
    return text


def associated(log_id: UUID, key_id: UUID, value_id: UUID, kind: str) -> bytes:
    """Give what is bound to a sealed value beside its text: log, key, value and field (architecture.md §5)."""
    return log_id.bytes + key_id.bytes + value_id.bytes + kind.encode()


def boxed(key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
    """Encrypt with AES-256-GCM; gives ciphertext and tag."""
    return AESGCM(key).encrypt(nonce, data, bound)


def unboxed(key: bytes, nonce: bytes, box: bytes, bound: bytes) -> bytes:
    """Decrypt what `boxed` gave. Raises Tampered."""
    try:
        return AESGCM(key).decrypt(nonce, box, bound)
    except (InvalidTag, ValueError):
        raise Tampered from None


def spelled(data: bytes) -> str:
    """Spell bytes in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unspelled(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Tampered from None
    if spelled(data) != text:
        raise Tampered  # a second spelling of the same bytes
    return data
