"""What anybody can take home and check: the promise of a registration, its receipt, proofs of a case and of the log."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from uuid import UUID

import psycopg

from domain.complaint import Registered
from domain.decider import Code, beside
from domain.errors import Refused, Unknown
from domain.rulebook import Profile
from projections.codec import decode
from projections.leaf import Leaf
from projections.merkle import ProofFails, check_inclusion
from projections.runner import Stopped, wait_for
from projections.seals import SEALS, LeafAltered, Tree
from service.eventstore import Recorder
from service.exports.log import ExportError, row_of, sealed_now
from service.parts import Parts
from service.sealer import Signed, WentBack, newest, seal
from service.signing import BadNote, Checkpoint, opened

RECEIPT: Final = "bihuan-receipt-1"
CONSISTENCY: Final = "bihuan-consistency-1"
HISTORY: Final = "bihuan-history-1"
PATIENCE: Final = 2.0
"""Seconds to wait for the tree before something is said to be not sealed yet."""
BESIDE: Final = ("access", "attempts")
"""The streams beside a case that belong to its history."""

_FIRST: Final = """
select position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash from events
where stream_id = %s and version = 1
"""
_STREAMS: Final = """
select position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash from events
where stream_id = any(%s) order by position
"""
_NOTE: Final = "select note from checkpoints where size = %s"

File = dict[str, Any]
"""A file for others, as JSON has it; service/verifier.py knows each by its `format`."""
SealUpTo = Callable[[Parts, int], Signed]
"""Gives a checkpoint that holds a position, signing one if it must; raises NotSealedYet, LogAltered."""


class NotSealedYet(Refused):
    """This is not sealed yet."""

    code = "not-sealed-yet"
    about = "content"
    then = "Ask again in a minute: while something changes, a checkpoint is signed at least every minute."


class NoSuchProof(Refused):
    """There is no such proof: an empty log shows nothing, and the smaller is not in front of the larger."""

    code = "no-such-proof"
    about = "content"
    then = "Give a position and sizes of at least 1, a position not above its size, a first size not above the second."


class NothingPromised(Refused):
    """Nothing was promised for this case: it comes from an older ledger."""

    code = "nothing-promised"
    then = "A supervisor or an auditor can prove its history instead."


class LogAltered(Refused):
    """The log no longer fits what was signed, so nothing is handed out that rests on it."""

    code = "log-altered"
    then = "Tell an auditor at once; whoever runs the machine finds the place with `bihuan audit fsck`."


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody who complained is promised: that their registration is this event of the log."""

    complaint_no: Code
    leaf: Leaf
    digest: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A promise, and once it is kept the checkpoint that shows it, with the proof."""

    vkey: str
    promise: Promise
    sealed: Signed | None
    inclusion: Sequence[bytes] = ()

    def file(self) -> File:
        """Write it as somebody takes it home."""
        return {
            "format": RECEIPT,
            "key": self.vkey,
            "promise": self.promise.note,
            "checkpoint": None if self.sealed is None else self.sealed.note,
            "inclusion": None if self.sealed is None else spelled(self.inclusion),
        }


def promised(parts: Parts, case: UUID) -> Receipt | None:
    """Promise what was just registered: one question, and the same words whenever it is asked.

    What it rests on must be durable. Gives None for what came from a ledger. Raises LogAltered.
    """
    with parts.pool.connection() as connection:
        promise = _promise(connection, parts, case)
    return None if promise is None else Receipt(parts.signer.vkey, promise, None)


def receipt(parts: Parts, case: UUID) -> Receipt:
    """Give the receipt of a case, with its proof once it is sealed. Raises NothingPromised, LogAltered."""
    with parts.pool.connection() as connection:
        promise = _promise(connection, parts, case)
        if promise is None:
            raise NothingPromised
        signed = last(connection, parts)
        if signed is None or signed.checkpoint.size < promise.leaf.position:
            Recorder.flush(connection)
            return Receipt(parts.signer.vkey, promise, None)
        (path,) = proved(connection, [(promise.leaf.position, promise.digest)], signed.checkpoint)
        return Receipt(parts.signer.vkey, promise, signed, path)


def _promise(connection: psycopg.Connection, parts: Parts, case: UUID) -> Promise | None:
    row = connection.execute(_FIRST, (case,), binary=True, prepare=True).fetchone()
    if row is None:
        return None
    leaf, digest = _leaf(parts.recorder.log_id, row)
    event, _ = decode(leaf.name, leaf.state)
    if not isinstance(event, Registered) or event.profile is Profile.LEDGER:
        return None
    recorded = leaf.recorded_at.astimezone(UTC)
    note = parts.signer.sign(
        f"{parts.signer.name}/promise\ncomplaint {event.complaint_no}\nposition {leaf.position}\n"
        f"leaf {base64.b64encode(digest).decode()}\nrecorded {recorded:%Y-%m-%dT%H:%M:%S.%f}Z\n"
    )
    return Promise(event.complaint_no, leaf, digest, note)


def _leaf(log_id: UUID, row: Sequence[Any]) -> tuple[Leaf, bytes]:
    """Give a row of the log with its hash, computed anew; raises LogAltered where another one is stored."""
    *values, stored = row
    leaf = Leaf.of(log_id, values)
    digest = leaf.digest()
    if digest != stored:
        raise LogAltered(position=leaf.position)
    return leaf, digest


@contextmanager
def _intact(**facts: object) -> Iterator[None]:
    """Say of whatever no longer fits that it does not, and nothing else; raises LogAltered."""
    try:
        yield
    except (WentBack, BadNote, LeafAltered, ProofFails):
        raise LogAltered(**facts) from None
    except Stopped as stopped:
        if not isinstance(stopped.__cause__, LeafAltered):
            raise ExportError(f"The tree over the log cannot be carried on: {stopped.reason}") from None
        raise LogAltered(**facts) from None


def last(connection: psycopg.Connection, parts: Parts) -> Signed | None:
    """Give the newest checkpoint, if there is one whose tree is there; raises LogAltered where it is not ours."""
    with _intact():
        signed = newest(connection, parts.signer.vkey)
    # After a restore the tree may still be on its way to what was signed before.
    return None if signed is None or SEALS.position(connection) < signed.checkpoint.size else signed


def sealed_up_to(parts: Parts, position: int) -> Signed:
    """Give a checkpoint that holds a position; where it must be signed first, wait for the tree a moment.

    Raises NotSealedYet, LogAltered.
    """
    with parts.pool.connection() as connection:
        signed = last(connection, parts)
        if signed is None or signed.checkpoint.size < position:
            wait_for(connection, SEALS, position, PATIENCE)
            signed = _seal(connection, parts)
    if signed is None or signed.checkpoint.size < position:
        raise NotSealedYet(position=position, sealed=None if signed is None else signed.checkpoint.size)
    return signed


def sealed_here(parts: Parts, position: int) -> Signed:
    """Give a checkpoint that holds a position, also where no server runs: then the tree is carried on by ourselves.

    Raises LogAltered, and ExportError where a running server does not carry the tree to its end.
    """
    with parts.pool.connection() as connection:
        signed = last(connection, parts)
    if signed is not None and signed.checkpoint.size >= position:
        return signed
    with _intact():
        return sealed_now(parts)


def sign_now(parts: Parts) -> Signed:
    """Sign how far the log is, waiting a moment for the tree to reach its end; gives the newest checkpoint.

    Raises NotSealedYet while nothing is in the tree, LogAltered.
    """
    with parts.pool.connection() as connection:
        wait_for(connection, SEALS, parts.recorder.max_notification_id() or 0, PATIENCE)
        signed = _seal(connection, parts)
    if signed is None:
        raise NotSealedYet
    return signed


def _seal(connection: psycopg.Connection, parts: Parts) -> Signed | None:
    with _intact():
        return seal(connection, parts.signer, parts.settings.home)


def proved(
    connection: psycopg.Connection, leaves: Sequence[tuple[int, bytes]], checkpoint: Checkpoint
) -> list[list[bytes]]:
    """Give the proof of each leaf (position, hash) under a checkpoint; one that does not hold is never handed out.

    Raises LogAltered.
    """
    tree, found = Tree(connection), []
    for position, digest in leaves:
        with _intact(position=position):
            found.append(tree.inclusion(position, checkpoint.size))
            check_inclusion(digest, position - 1, checkpoint.size, found[-1], checkpoint.root)
    return found


@dataclass(frozen=True, slots=True)
class History:
    """Every event of a case and of the streams beside it in log order, each with its proof under one checkpoint."""

    vkey: str
    case: UUID
    leaves: Sequence[Leaf]
    sealed: Signed
    paths: Sequence[Sequence[bytes]]

    def file(self) -> File:
        """Write it in its stored bytes."""
        return {
            "format": HISTORY,
            "key": self.vkey,
            "stream": str(self.case),
            "checkpoint": self.sealed.note,
            "events": [row_of(leaf) for leaf in self.leaves],
            "inclusion": [spelled(path) for path in self.paths],
        }


def history(parts: Parts, case: UUID, seal_up_to: SealUpTo = sealed_up_to) -> History:
    """Prove a case: all that happened to it, who opened what, and who tried what.

    Whoever gets it sees keys of persons: it is for those who may read that. Nothing in it opens a sealed value. Raises
    Unknown for a case without events, NotSealedYet, LogAltered, and whatever `seal_up_to` raises.
    """
    streams = [case, *(beside(case, kind) for kind in BESIDE)]
    with parts.pool.connection() as connection:
        rows = connection.execute(_STREAMS, (streams,), binary=True).fetchall()
    if not rows:
        raise Unknown
    leaves = [_leaf(parts.recorder.log_id, row) for row in rows]
    signed = seal_up_to(parts, leaves[-1][0].position)
    with parts.pool.connection() as connection:
        paths = proved(connection, [(leaf.position, digest) for leaf, digest in leaves], signed.checkpoint)
    return History(parts.signer.vkey, case, [leaf for leaf, _ in leaves], signed, paths)


def inclusion(parts: Parts, position: int, size: int | None) -> File:
    """Prove that a position is in the log of a size, by default that of the newest checkpoint.

    Nothing is said of what is not signed: it might not be durable. Raises NoSuchProof, NotSealedYet, LogAltered.
    """
    with parts.pool.connection() as connection, _intact():
        signed = _sealed(connection, parts, position if size is None else size)
        wanted = signed.checkpoint.size if size is None else size
        if not 0 < position <= wanted:
            raise NoSuchProof(position=position, size=wanted)
        tree = Tree(connection)
        return {
            "key": parts.signer.vkey,
            "position": position,
            "size": wanted,
            "leaf": spelled([tree.leaf(position)])[0],
            "inclusion": spelled(tree.inclusion(position, wanted)),
            "checkpoint": _note(connection, parts, wanted),
        }


def consistency(parts: Parts, size1: int, size2: int | None) -> File:
    """Prove that the log of one size is the beginning of that of another, by default that of the newest checkpoint.

    A checkpoint that was never signed for its size is left out. Raises NoSuchProof, NotSealedYet, LogAltered.
    """
    with parts.pool.connection() as connection, _intact():
        signed = _sealed(connection, parts, size1 if size2 is None else max(size1, size2))
        wanted = signed.checkpoint.size if size2 is None else size2
        if not 0 < size1 <= wanted:
            raise NoSuchProof(size1=size1, size2=wanted)
        return {
            "format": CONSISTENCY,
            "key": parts.signer.vkey,
            "from": {"size": size1, "note": _note(connection, parts, size1)},
            "to": {"size": wanted, "note": _note(connection, parts, wanted)},
            "proof": spelled(Tree(connection).consistency(size1, wanted)),
        }


def _sealed(connection: psycopg.Connection, parts: Parts, size: int) -> Signed:
    signed = last(connection, parts)
    if signed is None or signed.checkpoint.size < size:
        raise NotSealedYet(position=size, sealed=None if signed is None else signed.checkpoint.size)
    return signed


def _note(connection: psycopg.Connection, parts: Parts, size: int) -> str | None:
    row = connection.execute(_NOTE, (size,)).fetchone()
    if row is None:
        return None
    note: str = row[0]
    opened(note, [parts.signer.vkey])
    return note


def spelled(hashes: Sequence[bytes]) -> list[str]:
    """Write hashes as files have them."""
    return [base64.b64encode(one).decode() for one in hashes]
