"""Carries an erasure out: keys and marks are destroyed in one durable transaction, then it is put on record.

A crash in between leaves destroyed keys without a record: giving the command again finishes it. Whatever leads to
somebody lies in the vault or in `requests`; what stays in the log and in the projections are codes, numbers and boxes
that nothing opens (docs/decisions/0014-erasure.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg_pool import ConnectionPool

from domain import complaint
from domain.complaint.privacy import Destruction
from domain.decider import Actor, Code
from domain.errors import Unknown
from domain.handling import HALL_ZONE
from projections.codec import NAME_OF, decode
from projections.docket import DOCKET
from projections.histories import read_stream
from service.asking import Asked, Done
from service.casebook import Casebook
from service.keys import Vault
from service.reserve import durably

# In one order for all, so that two erasures never wait crosswise. Whoever seals with a key of the person holds its row
# until the append commits; so after this, every case that was sealed with it can be seen.
_LOCK: Final = """
    select key_id, owner_kind, destroyed_at is null as living from vault.keys
    where (owner, owner_kind) in ((%(case)s::uuid, 'case'), (%(person)s::uuid, 'person'))
    order by key_id for update"""

# The docket knows the cases of somebody up to its position, the log knows the rest.
_IN_DOCKET: Final = 'select "case" from {} where complainant = %(person)s and "case" <> %(case)s'
_AFTER_DOCKET: Final = """
    select stream_id, name, state from events
    where position > %(after)s and name like %(registered)s and stream_id <> %(case)s
        and position(convert_to(%(person)s::text, 'UTF8') in state) > 0"""

# An erasure that was cut off before it came on record counts: its keys are gone.
_NEEDING: Final = """
    select count(*) from unnest(%(others)s::uuid[]) as other
    where not exists (select from events where stream_id = other and name like %(erased)s)
        and (exists (select from vault.keys where owner = other and owner_kind = 'case' and destroyed_at is null)
            or not exists (select from vault.keys where owner = other and owner_kind = 'case'))"""

_OF_CASE: Final = (
    "delete from vault.query_codes where case_id = %(case)s",
    "delete from vault.sketches where case_id = %(case)s",
    # A keyed hash of what was sent: whoever has the secret could try out what somebody wrote.
    "delete from requests where command_id in (select command_id from events where stream_id = %(case)s)",
)
_OF_PERSON: Final = (
    "delete from vault.subjects where subject_key = %(person)s",
    "delete from vault.sketches where subject_key = %(person)s",
)

_GONE: Final = """
    select key_id, destroyed_at, owner_kind from vault.keys
    where (owner, owner_kind) in ((%(case)s::uuid, 'case'), (%(person)s::uuid, 'person'))
    order by key_id"""

_ERASED: Final = "select distinct stream_id from events where name like %s"
_ERASED_KEYS: Final = "select name, state from events where name like %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A case and the subject key of who complained."""

    case: UUID
    person: UUID

    @property
    def parameters(self) -> Mapping[str, object]:
        """As the statements name them."""
        return {"case": self.case, "person": self.person}


@dataclass(frozen=True, slots=True)
class Erasing:
    """Destroys keys and marks; `backup_days` are the natural days for which backups of the key table are kept."""

    book: Casebook
    vault: Vault
    backup_days: int

    def erase(self, case: UUID, request: UUID, by: Actor, asked: Asked) -> Done:
        """Erase the personal data of a case; again, it finishes what was cut off, or finds it done.

        The rules are asked first, and speak again when it is put on record. The master key is not needed.
        Raises Unknown, and what the rules raise (domain/complaint/privacy.py).
        """
        ask = complaint.Erase(at=datetime.now(UTC), by=by, erasure_request=request)
        checked = self.book.transact(complaint.COMPLAINT, case, ask, asked)
        if checked.repeated:
            return checked
        destroyed = self.destroy(self.whose(case))
        told = complaint.Erase(at=datetime.now(UTC), by=by, erasure_request=request, destroyed=destroyed)
        return self.book.transact(complaint.COMPLAINT, case, told, asked)

    def whose(self, case: UUID) -> Whose:
        """Find out who complained. Raises Unknown."""
        with self.vault.pool.connection() as connection:
            first = next(iter(read_stream(connection, case)), None)
        if first is None or not isinstance(first.event, complaint.Registered):
            raise Unknown
        return Whose(case=case, person=first.event.complainant)

    def destroy(self, whose: Whose) -> Destruction:
        """Destroy the keys of a case, those of the person unless another case needs them, and what leads to either.

        One durable transaction: all of it, or nothing. Gives what is gone by now, whenever it went.
        """
        with durably(self.vault.pool) as connection:
            rows = connection.execute(_LOCK, whose.parameters).fetchall()
            kept = self._needed_elsewhere(connection, whose)
            going = [key_id for key_id, kind, living in rows if living and not (kept and kind == "person")]
            self.vault.destroy_in(connection, going)
            for statement in (*_OF_CASE, *(() if kept else _OF_PERSON)):
                connection.execute(statement, whose.parameters)
            after = connection.execute(_GONE, whose.parameters).fetchall()
        gone = {key_id: destroyed_at for key_id, destroyed_at, _ in after if destroyed_at is not None}
        last = max(gone.values(), default=datetime.now(UTC))
        return Destruction(
            key_ids=tuple(gone),
            gone_from_backups_by=(last + timedelta(days=self.backup_days)).astimezone(HALL_ZONE).date(),
            person_kept=any(kind == "person" and destroyed_at is None for _, destroyed_at, kind in after),
        )

    def _needed_elsewhere(self, connection: psycopg.Connection[Any], whose: Whose) -> bool:
        """Say whether another case of the same person is still there to be read."""
        others = others_of(connection, whose)
        row = connection.execute(_NEEDING, {"others": others, "erased": _any(complaint.Erased)}).fetchone()
        return row is not None and row[0] > 0

    def enforce(self) -> int:
        """Destroy again whatever the log calls erased, after a backup brought it back; give how many keys it had.

        A case whose erasure was cut off is not among them: that one is finished by `erase`.
        """
        again = erased_keys(self.vault.pool)
        back = len(self.vault.destroy(again))
        with self.vault.pool.connection() as connection:
            erased = [row[0] for row in connection.execute(_ERASED, (_any(complaint.Erased),))]
        for case in erased:
            self.destroy(self.whose(case))
        return back


def others_of(connection: psycopg.Connection[Any], whose: Whose) -> Sequence[UUID]:
    """Give the other cases of the same person, however far the docket is behind."""
    after = DOCKET.position(connection)
    query = sql.SQL(_IN_DOCKET).format(sql.Identifier(DOCKET.table))
    found = {row[0] for row in connection.execute(query, whose.parameters)}
    later = {**whose.parameters, "after": after, "registered": _any(complaint.Registered)}
    for stream, name, state in connection.execute(_AFTER_DOCKET, later):
        event, _ = decode(name, bytes(state))
        if isinstance(event, complaint.Registered) and event.complainant == whose.person:
            found.add(stream)
    return sorted(found)


def erased_keys(pool: ConnectionPool) -> frozenset[UUID]:
    """Give every key that the log says was destroyed: no backup and no export may bring one back."""
    with pool.connection() as connection:
        rows = connection.execute(_ERASED_KEYS, (_any(complaint.Erased),)).fetchall()
    events = (decode(name, bytes(state))[0] for name, state in rows)
    return frozenset(key_id for event in events if isinstance(event, complaint.Erased) for key_id in event.key_ids)


def _any(event: type[complaint.Registered | complaint.Erased]) -> Code:
    """Give the pattern of an event's names under all its numbers."""
    return NAME_OF[event].rsplit(".", 1)[0] + ".%"
