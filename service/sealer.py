"""Signs how far the log is and under which root, again and again, and never two things that do not fit together."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from domain import log
from projections.seals import LeafAltered, Tree, restorations
from service.background import Background
from service.parts import Parts
from service.postgres_home import sync_folder
from service.signing import BadNote, Checkpoint, Signer, opened

PAUSE: Final = 5.0
"""Seconds between two looks at whether something changed."""
EVERY: Final = 30
"""Seconds from one checkpoint to the next while something changes; with pause and work well within a minute."""
REMEMBERED: Final = "checkpoint"
"""The file of BIHUAN_HOME with the last checkpoint that was signed here: a database that went back has forgotten it."""

_LOCK: Final = "select pg_advisory_xact_lock(hashtext('bihuan.sealer'))"
_NEWEST: Final = "select size, note from checkpoints order by size desc limit 1"
_STORE: Final = "insert into checkpoints (size, root, epoch, signed_at, note) values (%s, %s, %s, %s, %s)"
_DUE: Final = """
select coalesce(
    (select p.position > c.size and c.signed_at < clock_timestamp() - make_interval(secs => %s)
     from checkpoints c order by c.size desc limit 1), p.position > 0)
from projection_positions p where p.name = 'seals'
"""


class WentBack(Exception):
    """The log does not hold what was signed before. The text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "The log does not hold what was signed before. If a backup was put back by other means than `bihuan"
            " restore`, record it with `bihuan audit new-epoch`; else look for what happened with `bihuan audit fsck`."
            " Until then nothing is signed."
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint, with the note that anybody can check."""

    checkpoint: Checkpoint
    note: str


def newest(connection: psycopg.Connection, vkey: str) -> Signed | None:
    """Give the newest checkpoint that was signed; raises BadNote when this key did not sign it."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else Signed(Checkpoint.read(opened(row[1], [vkey])), row[1])


def seal(connection: psycopg.Connection, signer: Signer, home: Path) -> Signed | None:
    """Sign how far the tree is now; gives the newest checkpoint, None while the log is empty. Raises WentBack.

    Wants an autocommitting connection. What is signed is durable, and it follows on everything signed before: in this
    database, and by whoever signs from this home.
    """
    with connection.transaction():
        # Nothing leaves unflushed (architecture.md §3): what the tree was built of lies before this commit in the WAL.
        connection.execute("set local synchronous_commit to on")
        connection.execute(_LOCK)
        tree = Tree(connection)
        began = restorations(connection, tree.size)
        last = newest(connection, signer.vkey)
        if not all(_follows(tree, began, before) for before in (last, remembered(home, signer.vkey))):
            raise WentBack
        if tree.size == 0 or (last is not None and last.checkpoint.size == tree.size):
            return last
        (now,) = connection.execute("select date_trunc('second', clock_timestamp())").fetchone() or (None,)
        number = max([log.FIRST, *began])
        checkpoint = Checkpoint(origin=signer.name, size=tree.size, root=tree.root(), epoch=number, signed_at=now)
        signed = Signed(checkpoint, signer.sign(checkpoint.text()))
        connection.execute(_STORE, (checkpoint.size, checkpoint.root, number, now, signed.note))
    _remember(home, signed.note)
    return signed


def _follows(tree: Tree, began: Mapping[int, int], before: Signed | None) -> bool:
    """Say whether the tree holds what was signed, but for what is on record as given up since.

    `began` tells for each epoch how many events were kept when it began.
    """
    if before is None:
        return True
    signed = before.checkpoint
    if any(number > signed.epoch and kept < signed.size for number, kept in began.items()):
        return True
    return signed.size <= tree.size and tree.root(signed.size) == signed.root


def refuses(connection: psycopg.Connection, signer: Signer, home: Path) -> bool:
    """Say whether nothing can be signed, because the log does not hold what was signed before."""
    # What is remembered was signed before the moment that is looked at, so the tree must reach as far.
    before = remembered(home, signer.vkey)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        tree = Tree(connection)
        began = restorations(connection, tree.size)
        try:
            return not all(_follows(tree, began, one) for one in (before, newest(connection, signer.vkey)))
        except (BadNote, LeafAltered):
            return True


def remembered(home: Path, vkey: str) -> Signed | None:
    """Give the last checkpoint that was signed from this home; another log's is none of ours."""
    try:
        note = (home / REMEMBERED).read_text(encoding="utf-8")
        return Signed(Checkpoint.read(opened(note, [vkey])), note)
    except (FileNotFoundError, UnicodeDecodeError, BadNote):
        return None


def _remember(home: Path, note: str) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = home / f"{REMEMBERED}.{os.getpid()}.{threading.get_ident()}.new"
    with new.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    new.replace(home / REMEMBERED)
    sync_folder(home)


class Sealer(Background):
    """Signs in the background; in as many processes as you like, a lock lets one sign at a time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__("sealer", PAUSE)
        self._parts = parts

    def look(self) -> Signed | None:
        """Sign if something changed and the last checkpoint is old enough; gives what was signed."""
        with self._parts.pool.connection() as connection:
            row = connection.execute(_DUE, (EVERY,)).fetchone()
            if row is None or not row[0]:
                return None
            signed = seal(connection, self._parts.signer, self._parts.settings.home)
        if signed is not None:
            self.say.info("signed", size=signed.checkpoint.size, epoch=signed.checkpoint.epoch)
        return signed

    def failed(self, error: Exception) -> None:
        """Say also what to do where the log does not hold what was signed."""
        if isinstance(error, WentBack | BadNote):
            self.say.error("nothing is signed", reason=str(error))
        else:
            super().failed(error)
