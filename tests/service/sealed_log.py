"""A log that is sealed and kept outside, and somebody who has all rights on its database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from domain import log
from domain.decider import THE_SYSTEM
from projections.codec import encode
from projections.merkle import root_of
from projections.seals import SEALS
from service.fsck import Report, fsck
from service.held import held
from service.outside import Appended, append
from service.sealer import Signed, seal
from service.signing import Checkpoint, Signer
from tests.projections.test_seals import fill
from tests.projections.town import METADATA
from tests.service.tampering import ASIDE, GONE, REHASH
from tests.specimens import SOME_TIME


@dataclass(frozen=True, slots=True)
class SealedLog:
    """A log with its signer, the home of who signs, and a place outside."""

    connection: psycopg.Connection
    log_id: UUID
    signer: Signer
    home: Path
    place: Path

    @property
    def folder(self) -> Path:
        """The folder of this log in the place outside."""
        return self.place / str(self.log_id)

    def grow(self, count: int) -> None:
        """Let the log grow, and the tree with it."""
        fill(self.connection, count)
        self.carry()

    def carry(self) -> None:
        """Let the tree grow to the end of the log."""
        first, last = SEALS.position(self.connection) + 1, self.connection.execute("select max(position) from events")
        (end,) = last.fetchone() or (0,)
        places = [type("Place", (), {"position": position}) for position in (first, end)]
        with self.connection.transaction():
            SEALS.apply(self.connection, places)  # type: ignore[arg-type]  # only places are looked at
            self.connection.execute("update projection_positions set position = %s where name = 'seals'", (end,))

    def sign(self) -> Signed:
        """Sign how far the tree is."""
        signed = seal(self.connection, self.signer, self.home)
        assert signed is not None
        return signed

    def keep(self, signed: Signed | None = None) -> Appended:
        """Take a checkpoint to the place outside, by default one of now."""
        return append(self.connection, self.signer.vkey, signed or self.sign(), self.place)

    def cycle(self, *counts: int) -> None:
        """Grow by so many events, sign and keep outside, once for each."""
        for count in counts:
            self.grow(count)
            self.keep()

    def alter(self, *statements: str) -> None:
        """Do what only somebody with all rights on the database can do."""
        self.connection.execute((ASIDE + ";".join(statements)).encode())

    def check(self, against: Path | None = None) -> Report:
        """Audit the log."""
        outside = None if against is None else held(against, self.log_id)
        return fsck(self.connection, self.log_id, self.signer.vkey, outside)

    def first(self, against: Path | None = None) -> str:
        """Give what an audit says first; empty when it finds nothing."""
        return next((str(one) for one in self.check(against).findings), "")

    def hashes(self) -> list[bytes]:
        """Give the hashes that stand in the rows."""
        return [row[0] for row in self.connection.execute("select leaf_hash from events order by position")]

    def take_back(self, size: int) -> None:
        """Put the database back to an earlier size, as a copy of the disk would."""
        self.alter(
            GONE.format(size),
            "truncate seals_1",
            "update projection_positions set position = 0",
        )
        self.carry()

    def restored(self, kept: int, epoch: int) -> None:
        """Record that it was taken back."""
        name, state = encode(log.Restored(at=SOME_TIME, by=THE_SYSTEM, kept=kept, epoch=epoch, taken_at=None), METADATA)
        self.connection.execute(
            "select from append_events(array[%(s)s::uuid], array[(select count(*) + 1 from events where stream_id ="
            " %(s)s)::int], array[%(n)s], array[%(b)s::bytea], array[gen_random_uuid()], array[0::smallint],"
            " array[]::text[], array[]::text[], array[]::uuid[])",
            {"s": log.STREAM, "n": name, "b": state},
        )
        self.carry()

    def rewrite(self, *, signed: bool = True) -> None:
        """Make hashes, tree and checkpoints fit the rows as they are now, with the key if it is at hand."""
        self.alter(REHASH, "truncate seals_1", "update projection_positions set position = 0 where name = 'seals'")
        self.carry()
        hashes = self.hashes()
        for size, epoch, at in self.connection.execute("select size, epoch, signed_at from checkpoints").fetchall():
            if size > len(hashes) or not signed:
                self.connection.execute("delete from checkpoints where size = %s", (size,))
                continue
            found = Checkpoint(
                origin=self.signer.name, size=size, root=root_of(hashes[:size]), epoch=epoch, signed_at=at
            )
            self.connection.execute(
                "update checkpoints set root = %s, note = %s where size = %s",
                (found.root, self.signer.sign(found.text()), size),
            )

    def notes(self, folder: Path) -> Path:
        """Write the checkpoints held outside as notes alone, a file each, as a hook may do."""
        folder.mkdir()
        for line in (self.folder / "epoch-1/checkpoints").read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            (folder / f"{told['size']}.txt").write_text(told["note"], encoding="utf-8", newline="\n")
        return folder


@contextmanager
def sealed_log(dsn: str, folder: Path) -> Iterator[SealedLog]:
    """Give a log that is still empty."""
    place = folder / "outside"
    place.mkdir()
    with psycopg.connect(dsn, autocommit=True) as connection:
        (log_id,) = connection.execute("select log_id from log").fetchone() or (None,)
        assert log_id is not None
        yield SealedLog(connection, log_id, Signer(log_id, bytes(range(32))), folder / "home", place)
