"""The log as one process sees it: dense, append-only, each command once, names claimed once, one schema."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from domain import complaint
from domain.access import Opened, Purpose
from domain.decider import THE_SYSTEM, Metadata, Recorded
from service.casebook import Asked, Casebook, claims
from service.database import log_id as read_log_id
from service.database import open_pool
from service.eventstore import (
    APPEND,
    REMEMBER,
    Beside,
    Claim,
    ClaimTaken,
    CommandRecorded,
    Log,
    Recorder,
    VersionTaken,
)
from tests.service.watching import append, event, rows
from tests.specimens import SOME_TIME, registration

pytestmark = pytest.mark.postgres


@pytest.fixture
def recorder(pool: ConnectionPool, log_id: UUID) -> Recorder:
    """The recorder of an empty log."""
    return Recorder(pool, log_id)


def test_positions_have_no_holes_though_appends_are_refused(recorder: Recorder) -> None:
    """A refused append uses no position up: a hole in the log is damage, never chance."""
    stream = uuid4()
    assert append(recorder, stream) == 1
    for _ in range(3):
        with pytest.raises(VersionTaken):
            append(recorder, stream)
    assert append(recorder, stream, 2) == 2
    assert rows(recorder) == [1, 2]


def test_events_of_one_append_stand_together_at_one_time(recorder: Recorder) -> None:
    """What was decided together gets neighbouring positions, in the order it was decided, and one time."""
    streams = [uuid4() for _ in range(3)]
    command = uuid4()
    events = [event(stream) for stream in streams]
    assert recorder.insert_events(events, command_ids=[command] * 3) == [1, 2, 3]
    found = rows(recorder, "select stream_id, command_seq, recorded_at from events order by position")
    assert [(stream, seq) for stream, seq, _ in found] == [(stream, n) for n, stream in enumerate(streams)]
    assert len({recorded_at for _, _, recorded_at in found}) == 1


def test_time_goes_on_when_the_clock_of_the_server_was_set_back(recorder: Recorder) -> None:
    """After a row from the future the next ones follow it, a microsecond each: known at T is a prefix of the log."""
    append(recorder, uuid4())
    with recorder.pool.connection() as connection, connection.transaction():
        # Only a session that replays changes of another server passes by the trigger.
        connection.execute("set local session_replication_role = replica")
        connection.execute("update events set recorded_at = clock_timestamp() + interval '1 day'")
    append(recorder, uuid4())
    append(recorder, uuid4())
    first, second, third = rows(recorder, "select recorded_at from events order by position")
    assert (second - first, third - second) == (timedelta(microseconds=1),) * 2


def test_one_append_carries_several_commands(recorder: Recorder) -> None:
    """An import puts many commands into one transaction; each keeps its own id and counts from nought."""
    one, other = uuid4(), uuid4()
    recorder.insert_events([event(uuid4()) for _ in range(4)], command_ids=[one, other, one, other])
    found = rows(recorder, "select command_id, command_seq from events order by position")
    assert found == [(one, 0), (other, 0), (one, 1), (other, 1)]


def test_a_command_is_recorded_once_on_whatever_stream(recorder: Recorder) -> None:
    """The same command id is refused also where it would go to another stream."""
    command = uuid4()
    append(recorder, uuid4(), command_id=command)
    with pytest.raises(CommandRecorded):
        append(recorder, uuid4(), command_id=command)
    assert rows(recorder) == [1]


def test_an_event_without_a_command_is_refused(recorder: Recorder) -> None:
    """Nothing enters the log without a command that caused it."""
    with pytest.raises(psycopg.errors.NotNullViolation):
        recorder.insert_events([event(uuid4())])
    assert rows(recorder) == []


def test_a_statement_beside_an_append_shares_its_fate(recorder: Recorder) -> None:
    """It is done with the append or, when the append is refused, not at all; and it can refuse the append."""
    stream, command = uuid4(), uuid4()
    remember = (Beside(REMEMBER, (command, b"mac")),)
    recorder.insert_events([event(stream)], command_ids=[command], beside=remember)
    with pytest.raises(VersionTaken):
        recorder.insert_events([event(stream)], command_ids=[uuid4()], beside=(Beside(REMEMBER, (uuid4(), b"")),))
    with pytest.raises(CommandRecorded):
        recorder.insert_events([event(uuid4())], command_ids=[uuid4()], beside=remember)
    assert rows(recorder) == [1]
    assert rows(recorder, "select command_id from requests") == [command]


def test_a_name_is_claimed_once_and_a_clash_changes_nothing(recorder: Recorder) -> None:
    """Who comes second with a complaint number writes neither event nor claim, whatever else they claim."""
    one, other = uuid4(), uuid4()
    number = Claim("complaint_no", "TS-A-1", one)
    recorder.insert_events([event(one)], command_ids=[uuid4()], claims=[number])
    with pytest.raises(ClaimTaken):
        recorder.insert_events(
            [event(other)],
            command_ids=[uuid4()],
            claims=[Claim("token", "x", other), Claim("complaint_no", "TS-A-1", other)],
        )
    recorder.insert_events([event(other)], command_ids=[uuid4()], claims=[Claim("token", "TS-A-1", other)])
    assert rows(recorder) == [1, 2]
    assert rows(recorder, "select kind, key, stream_id from claims order by kind") == [
        ("complaint_no", "TS-A-1", one),
        ("token", "TS-A-1", other),
    ]


def test_claims_can_be_rebuilt_from_the_log(recorder: Recorder) -> None:
    """Folding the events gives the table of claims, row by row."""
    log = Log(recorder)
    book = Casebook(log, recorder)
    for number in range(5):
        command = registration("A" if number % 2 else "B", f"ref-{number}")
        book.transact(complaint.COMPLAINT, uuid4(), command, Asked(command_id=uuid4(), source="test", name="register"))
    events = map(log.mapper.to_domain_event, recorder.select_notifications(None, 100))
    claimed = [claim for one in events if isinstance(one, Recorded) for claim in claims(one)]
    rebuilt = {(claim.kind, claim.key, claim.stream) for claim in claimed}
    assert len(rebuilt) == 5
    assert set(rows(recorder, "select kind, key, stream_id from claims")) == rebuilt


@pytest.mark.parametrize(
    "statement",
    [
        "update events set name = 'complaint.accepted.1'",
        "update events set state = '' where position = 99",
        "delete from events",
        "delete from events where position = 99",
        "truncate events",
        "truncate log, events cascade",
        "insert into events select * from events on conflict (position) do update set name = 'x'",
        "merge into events e using log l on true when matched then delete",
    ],
)
def test_what_is_in_the_log_stays_as_it_is(recorder: Recorder, statement: str) -> None:
    """No statement changes or removes a row, not even one that would find none."""
    append(recorder, uuid4())
    before = rows(recorder, "select * from events")
    with recorder.pool.connection() as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        connection.execute(statement.encode())
    assert rows(recorder, "select * from events") == before


@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
def test_an_append_refuses_to_look_at_an_old_snapshot(recorder: Recorder, level: psycopg.IsolationLevel) -> None:
    """A transaction that would not see the last row after it got the lock may not append."""
    with psycopg.connect(str(recorder.pool.conninfo)) as connection:
        connection.isolation_level = level
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"):
            connection.execute(APPEND, [[uuid4()], [1], ["x"], [b""], [uuid4()], [0], [], [], []])
    assert rows(recorder) == []


def test_a_database_that_prefers_serializable_does_not_disturb(database: str) -> None:
    """Our own connections ask for the isolation the append needs."""
    name = sql.Identifier(str(conninfo_to_dict(database)["dbname"]))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} set default_transaction_isolation = serializable").format(name))
    with open_pool(database) as pool:
        assert append(Recorder(pool, read_log_id(pool)), uuid4()) == 1


def test_a_page_holds_as_many_events_of_the_asked_names_as_there_are(recorder: Recorder) -> None:
    """Who reads the log for one name gets a full page, however many other events stand between."""
    for name in ("a.1", "b.1", "b.1", "a.1", "b.1", "a.1"):
        recorder.insert_events([StoredEvent(uuid4(), 1, name, b"{}")], command_ids=[uuid4()])
    assert [one.id for one in recorder.select_notifications(1, 2, topics=["a.1"])] == [1, 4]
    assert [one.id for one in recorder.select_notifications(5, 2, topics=["a.1"])] == [6]
    assert [one.id for one in recorder.select_notifications(None, 9, 4, topics=("b.1", "a.1"))] == [1, 2, 3, 4]


def test_what_is_stored_does_not_depend_on_a_stray_variable(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would compress and encrypt what these variables ask for; our bytes are plain JSON all the same."""
    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("MAPPER_TOPIC", "eventsourcing.persistence:JSONTranscoder")
    opened = Opened(at=SOME_TIME, by=THE_SYSTEM, case=uuid4(), purpose=Purpose.HANDLING, fields=())
    recorded = Recorded(stream=uuid4(), version=1, event=opened, metadata=Metadata(command="open", source="test"))
    Log(recorder).save(recorded, command_ids=[uuid4()])
    (state,) = rows(recorder, "select state from events")
    assert json.loads(state).keys() == {"m", "e"}
    assert json.loads(state)["m"] == {
        "command": "open",
        "source": "test",
        "cause": None,
        "register": None,
        "rulebook": None,
    }
