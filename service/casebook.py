"""The one way to change anything: read, gather facts, decide, append; on a race read and decide again."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

import psycopg
import structlog
from eventsourcing.persistence import IntegrityError

from domain import complaint, register, rulebook
from domain.access import AttemptRefused, Opened, Purpose
from domain.complaint.intake import Register as RegisterComplaint
from domain.complaint.intake import complaint_no
from domain.decider import NAMESPACE, Actor, Code, Command, Decider, Event, Metadata, Recorded, beside
from domain.errors import BeforeLast, Refused
from domain.handling import Facts
from domain.rulebook import Profile
from projections.codec import decode
from service.asking import Ask, Asked, Busy, Done, KeyReused, Stale
from service.batches import BY_COMMAND, Batch, Outcome, done_before, look, placed
from service.eventstore import REMEMBER, Beside, ClaimTaken, LeafDiffers, Log, Recorder
from service.gathering import Row, claims, gathered, numbers, numbers_wanted, row_of
from service.grouping import Together
from service.shelf import Shelf

__all__ = [
    "ATTEMPTS",
    "IMPORT_NAMESPACE",
    "LOAD",
    "VERSIONS",
    "Ask",
    "Asked",
    "Busy",
    "Casebook",
    "Done",
    "KeyReused",
    "Loaded",
    "Outcome",
    "Shelf",
    "Stale",
    "claims",
]

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)

TOGETHER: Final = 5
"""How often many commands are decided again together before they are given one by one."""
ATTEMPTS: Final = 40
"""How often a command is decided again after a race before the person is asked to try later."""
IMPORT_NAMESPACE: Final = uuid5(NAMESPACE, "import")
OPENING: Final = timedelta(minutes=15)

# One round trip: the clock, how far register and rulebook are, the last complaint number of the day, what was asked
# under this command id before, and the events of the stream and of the command.
LOAD: Final = """
with head as (
    select coalesce(%(moment)s::timestamptz, clock_timestamp()) as now
), numbered as (
    select 'TS-' || %(hall)s::text || '-' || to_char(now at time zone %(zone)s::text, 'YYYYMMDD') || '-' as stem
    from head where %(hall)s::text is not null
)
select
    head.now,
    (select max(version) from events where stream_id = %(register)s) as register_version,
    (select max(version) from events where stream_id = %(rulebook)s) as rulebook_version,
    (select c.key from claims c where c.kind = 'complaint_no' and c.key > (select stem from numbered)
     and c.key < (select stem || '~' from numbered) order by c.key desc limit 1) as last_no,
    (select r.mac from requests r where r.command_id = %(command)s) as mac,
    e.stream_id, e.version, e.name, e.state, e.position, e.command_id
from head left join lateral (
    select stream_id, version, name, state, position, command_id from events where stream_id = %(stream)s
    union all
    select stream_id, version, name, state, position, command_id from events
    where command_id = %(command)s and stream_id <> %(stream)s
) e on true
order by e.stream_id, e.version
"""


VERSIONS: Final = """
select clock_timestamp(),
    (select max(version) from events where stream_id = %s), (select max(version) from events where stream_id = %s)
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one round trip found."""

    now: datetime
    rows: Sequence[tuple[UUID, int, Event, int, UUID]]
    register_version: int
    rulebook_version: int
    last_no: str | None
    mac: bytes | None


class Casebook:
    """Every change goes through `transact`: from the API, the pages, the command line, timers and imports."""

    def __init__(self, log: Log, recorder: Recorder) -> None:
        self.log = log
        self.recorder = recorder
        self.pool = recorder.pool
        self._register = Shelf(register.REGISTER, register.STREAM)
        self._rulebook = Shelf(rulebook.RULEBOOK, rulebook.STREAM)
        self._registering: Together[Ask[complaint.Command], Outcome] = Together(
            lambda asks: self.transact_many(complaint.COMPLAINT, asks),
            lambda ask: self._alone(complaint.COMPLAINT, ask),
            stop=LeafDiffers,
        )
        self._say = structlog.get_logger("casebook")

    def facts(self) -> Facts:
        """Give register and rulebook as they are now."""
        _, register_version, rulebook_version = self._versions()
        return self._facts_of(register_version, rulebook_version)

    def _facts_of(self, register_version: int, rulebook_version: int) -> Facts:
        registered, of_register = self._register.at(register_version, self.recorder)
        rules, of_rulebook = self._rulebook.at(rulebook_version, self.recorder)
        return Facts(register=registered, rulebook=rules, register_version=of_register, rulebook_version=of_rulebook)

    def register_now(self) -> tuple[register.Register, datetime]:
        """Give the register as it is now, and the database's time (UTC)."""
        now, version, _ = self._versions()
        return self._register.at(version, self.recorder)[0], now

    def _versions(self) -> tuple[datetime, int, int]:
        with self.pool.connection() as connection:
            row = connection.execute(VERSIONS, (register.STREAM, rulebook.STREAM), binary=True, prepare=True).fetchone()
        if row is None:
            raise AssertionError("a query without a table gives one row")
        return row[0].astimezone(UTC), row[1] or 0, row[2] or 0

    def transact(self, decider: Decider[S, C, E, Any], stream: UUID, command: C, asked: Asked) -> Done:
        """Decide a command on a stream and append what follows; give what happened, durable.

        The command's `at` is set here: the later of the clock and the stream's last event. A command id that is in the
        log already is answered with what it did. Raises a Refused, KeyReused, Stale, Busy.
        """
        for attempt in range(ATTEMPTS):
            try:
                done = self._try(decider, stream, command, asked)
            except IntegrityError:
                # Somebody was faster: to the version, to the number, or with this very command.
                time.sleep(random.uniform(0, 0.002) * attempt)  # noqa: S311  # scatters writers, no secret
            except psycopg.OperationalError:
                # The answer to the commit was lost; the command id will tell whether it happened.
                if attempt > 1:
                    raise
                # One dead connection seldom comes alone: after a restart all that lay idle are.
                self.pool.check()
            except Refused as refused:
                self._refused(stream, command, asked, refused)
                raise
            else:
                done = replace(done, sent=done.repeated and attempt > 0)
                self._say.info(
                    "transacted",
                    action=asked.name,
                    stream=str(stream),
                    by=str(command.by.person),
                    position=done.position,
                    events=len(done.events),
                    repeated=done.repeated,
                    tried=attempt + 1,
                )
                return done
        raise Busy(tried=ATTEMPTS)

    def register_complaint(self, ask: Ask[complaint.Command]) -> Done:
        """Register a complaint together with those that come at the same time; raises as `transact`.

        Alone they would race for the same complaint number again and again.
        """
        outcome = self._registering.give(ask)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def transact_many(self, decider: Decider[S, C, E, Any], asks: Sequence[Ask[C]]) -> list[Outcome]:
        """Decide many commands in their order and append what follows in one transaction, with one flush.

        Each sees what those before it did and has its own outcome: what it did, or why it is refused. Where somebody
        was faster, or the answer was lost, they are given one by one instead.
        """
        if not asks:
            return []
        for _ in range(TOGETHER):
            try:
                return self._together(decider, asks)
            except ClaimTaken:
                # Another process took the number: the next look finds the one after it.
                continue
            except (IntegrityError, psycopg.OperationalError) as error:
                self._say.info("one by one", commands=len(asks), why=type(error).__name__)
                break
        alone = [self._alone(decider, ask) for ask in asks]
        return [replace(one, sent=one.repeated) if isinstance(one, Done) else one for one in alone]

    def _together(self, decider: Decider[S, C, E, Any], asks: Sequence[Ask[C]]) -> list[Outcome]:
        batch = Batch(decider, asks, look(self.pool, asks, self._facts_of), self._version, self.pool)
        for ask in asks:
            batch.give(ask)
        positions: list[int] = []
        if batch.recorded:
            saved = self.log.save(
                *batch.recorded,
                command_ids=batch.command_ids,
                claims=[claim for one in batch.recorded for claim in claims(one)],
                beside=batch.beside,
            )
            positions = [one.notification.id for one in saved]
        outcomes = batch.outcomes(positions, positions[-1] if positions else self._durable_position())
        for ask, outcome in zip(asks, outcomes, strict=True):
            if isinstance(outcome, Refused):
                self._refused(ask.stream, ask.command, ask.asked, outcome)
        self._say.info("transacted many", commands=len(asks), events=len(batch.recorded))
        return outcomes

    def _alone(self, decider: Decider[S, C, E, Any], ask: Ask[C]) -> Outcome:
        try:
            return self.transact(decider, ask.stream, ask.command, ask.asked)
        except Refused as refused:
            return refused

    def done_before(self, streams: Mapping[UUID, UUID]) -> dict[UUID, Done]:
        """Give what these commands did that are in the log already; `streams` gives the stream of each command id."""
        with self.pool.connection() as connection:
            rows = [row_of(*row) for row in connection.execute(BY_COMMAND, (list(streams),), binary=True)]
            if rows:
                Recorder.flush(connection)
        by_command: dict[UUID, list[Row]] = {}
        for row in rows:
            by_command.setdefault(row[4], []).append(row)
        return {command: done_before(streams[command], listed) for command, listed in by_command.items()}

    def _try(self, decider: Decider[S, C, E, Any], stream: UUID, command: C, asked: Asked) -> Done:
        loaded = self._load(stream, asked, command)
        if before := self._before(stream, loaded, asked):
            return before
        own = [row for row in loaded.rows if row[0] == stream]
        version = own[-1][1] if own else 0
        if asked.expected is not None and asked.expected != version:
            raise Stale(expected=asked.expected, version=version)
        state = decider.fold(row[2] for row in own)  # type: ignore[misc]  # a stream holds the events of its decider
        others = gathered(self.pool, decider, command.others(state))
        last = max([one.last for one in others.values()] + [row[2].at for row in own[-1:]], default=None)
        if asked.moment is not None and last is not None and asked.moment < last:
            raise BeforeLast(last=last, given=asked.moment)
        at = loaded.now if last is None else max(loaded.now, last)
        facts = replace(
            self._facts(loaded, command, at),
            similar=asked.similar,
            itself=stream,
            others={key: one.state for key, one in others.items()},
        )
        if (wanted := numbers_wanted(command, state)) is not None:
            facts = replace(facts, complaint_nos=numbers(self.pool, wanted, facts, at))
        decided = decider.decide(state, replace(command, at=at), facts)
        if not decided:
            return Done(stream=stream, version=version, position=self._durable_position())
        versions = {stream: version} | {key: one.version for key, one in others.items()}
        recorded = placed(stream, versions, self._version, decided, asked, facts)
        remembered = () if asked.mac is None else (Beside(REMEMBER, (asked.command_id, asked.mac)),)
        saved = self.log.save(
            *recorded,
            command_ids=[asked.command_id] * len(recorded),
            claims=[claim for one in recorded for claim in claims(one)],
            beside=(*asked.beside, *remembered),
        )
        return Done(
            stream=stream,
            version=version + sum(1 for one in recorded if one.stream == stream),
            position=saved[-1].notification.id,
            events=tuple(one.event for one in recorded),
        )

    def _load(self, stream: UUID, asked: Asked, command: Command | None) -> Loaded:
        registering = command if isinstance(command, RegisterComplaint) else None
        parameters: Mapping[str, object] = {
            "moment": asked.moment,
            "hall": None if registering is None else registering.hall,
            "zone": None if registering is None else self._zone(registering.profile),
            "register": register.STREAM,
            "rulebook": rulebook.STREAM,
            "command": asked.command_id,
            "stream": stream,
        }
        with self.pool.connection() as connection:
            found = connection.execute(LOAD, parameters, binary=True, prepare=True).fetchall()
        now, register_version, rulebook_version, last_no, mac = found[0][:5]
        rows = [
            (stream_id, version, decode(name, state)[0], position, command_id)
            for stream_id, version, name, state, position, command_id in (row[5:] for row in found)
            if stream_id is not None
        ]
        return Loaded(now.astimezone(UTC), rows, register_version or 0, rulebook_version or 0, last_no, mac)

    def _zone(self, profile: Profile) -> str:
        policy = self._rulebook.state.latest(profile)
        return "Asia/Shanghai" if policy is None else policy.zone

    def _before(self, stream: UUID, loaded: Loaded, asked: Asked) -> Done | None:
        """Give what this command id did before, if it did anything."""
        rows = [row for row in loaded.rows if row[4] == asked.command_id]
        if not rows:
            return None
        if loaded.mac is not None and asked.mac is not None and loaded.mac != asked.mac:
            raise KeyReused
        with self.pool.connection() as connection:
            Recorder.flush(connection)
        return done_before(stream, rows)

    def _facts(self, loaded: Loaded, command: Command | None = None, at: datetime | None = None) -> Facts:
        facts = self._facts_of(loaded.register_version, loaded.rulebook_version)
        if not isinstance(command, RegisterComplaint) or at is None:
            return facts
        number = 1 if loaded.last_no is None else int(loaded.last_no.split("-")[-2]) + 1
        day = facts.day(command.profile, at)
        return replace(facts, complaint_no=complaint_no(command.hall, day, number))

    def _version(self, stream: UUID) -> int:
        with self.pool.connection() as connection:
            row = connection.execute("select max(version) from events where stream_id = %s", (stream,)).fetchone()
        return (row and row[0]) or 0

    def _durable_position(self) -> int:
        position = self.recorder.max_notification_id() or 0
        with self.pool.connection() as connection:
            Recorder.flush(connection)
        return position

    def _refused(self, stream: UUID, command: Command, asked: Asked, refused: Refused) -> None:
        self._say.info("refused", action=asked.name, stream=str(stream), by=str(command.by.person), code=refused.code)
        if refused.watched:
            attempt = AttemptRefused(at=command.at, by=command.by, case=stream, code=refused.code, command=asked.name)
            self._note(beside(stream, "attempts"), attempt, uuid5(asked.command_id, "refused"), asked)

    def opened(
        self, case: UUID, by: Actor, purpose: Purpose, fields: Sequence[str], source: str, warrant: Code | None = None
    ) -> None:
        """Put on record that somebody opened sealed values: once per person, purpose, fields and quarter of an hour."""
        with self.pool.connection() as connection:
            row = connection.execute("select clock_timestamp()").fetchone()
        now = datetime.now(UTC) if row is None else row[0].astimezone(UTC)
        quarter = now - (now - datetime.min.replace(tzinfo=UTC)) % OPENING
        opened = tuple(sorted(set(fields)))
        command_id = uuid5(
            case, f"opened:{by.person}:{purpose}:{quarter.isoformat()}:{','.join(opened)}{warrant or ''}"
        )
        event = Opened(at=now, by=by, case=case, purpose=purpose, fields=opened, warrant=warrant)
        self._note(beside(case, "access"), event, command_id, Asked(command_id=command_id, source=source, name="open"))

    def _note(self, stream: UUID, event: Event, command_id: UUID, asked: Asked) -> None:
        """Append one event beside a case, once per command id."""
        for _ in range(ATTEMPTS):
            with self.pool.connection() as connection:
                last = connection.execute(
                    "select version, state, name from events where stream_id = %s order by version desc limit 1",
                    (stream,),
                ).fetchone()
                row = connection.execute(
                    "select clock_timestamp(), exists (select from events where command_id = %s)", (command_id,)
                ).fetchone()
                now, there = row if row is not None else (event.at, False)
                if there:
                    # What follows leaves the database because this is on record, so it must be durable too.
                    Recorder.flush(connection)
                    return
            version = 0 if last is None else last[0]
            at = asked.moment or now.astimezone(UTC)
            if last is not None:
                at = max(at, decode(last[2], last[1])[0].at)
            cause = None if asked.command_id == command_id else asked.command_id
            metadata = Metadata(command=asked.name, source=asked.source, cause=cause)
            placed = Recorded(
                stream=stream,
                version=version + 1,
                event=replace(event, at=at),
                metadata=metadata,
            )
            try:
                self.log.save(placed, command_ids=[command_id])
            except IntegrityError:
                continue
            return
        raise Busy(tried=ATTEMPTS)
