"""Every leaf is hashed twice, from the bytes the database stores and from the bytes this process wrote."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool

from projections.leaf import Leaf
from service.eventstore import LeafDiffers, Recorder
from tests.service.watching import append, event, rows

GOLDEN: Final = Path(__file__).parents[1] / "history" / "leaf.json"


@pytest.fixture
def recorder(pool: ConnectionPool, log_id: UUID) -> Recorder:
    """The recorder of an empty log."""
    return Recorder(pool, log_id)


def leaf_from(golden: dict[str, Any]) -> Leaf:
    """Read the leaf of the golden vector."""
    given = golden["leaf"]
    return Leaf(
        log_id=UUID(given["log_id"]),
        position=given["position"],
        stream_id=UUID(given["stream_id"]),
        version=given["version"],
        name=given["name"],
        recorded_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=given["recorded_at_us"]),
        command_id=UUID(given["command_id"]),
        command_seq=given["command_seq"],
        state=given["state"].encode(),
    )


def by_hand(golden: dict[str, Any]) -> str:
    """Hash the golden vector from the words of the specification, one field after another."""
    given = golden["leaf"]
    name, state = given["name"].encode(), given["state"].encode()
    data = b"\x00" + b"bihuan-leaf-1"
    data += struct.pack(">I16s", 16, bytes.fromhex(given["log_id"].replace("-", "")))
    data += struct.pack(">IQ", 8, given["position"])
    data += struct.pack(">I16s", 16, bytes.fromhex(given["stream_id"].replace("-", "")))
    data += struct.pack(">II", 4, given["version"])
    data += struct.pack(">I", len(name)) + name
    data += struct.pack(">IQ", 8, given["recorded_at_us"])
    data += struct.pack(">I16s", 16, bytes.fromhex(given["command_id"].replace("-", "")))
    data += struct.pack(">IH", 2, given["command_seq"])
    data += struct.pack(">I", len(state)) + state
    return hashlib.sha256(data).hexdigest()


@pytest.mark.postgres
def test_a_leaf_hash_is_what_it_was_when_the_format_was_fixed(recorder: Recorder) -> None:
    """Program, database and a reading of the specification by hand agree with the stored vector, for ever."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    leaf = leaf_from(golden)
    with recorder.pool.connection() as connection:
        (digest,) = connection.execute(
            "select leaf_hash(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [getattr(leaf, one.name) for one in fields(leaf)],
        ).fetchone() or (b"",)
    assert [leaf.digest().hex(), digest.hex(), by_hand(golden)] == [golden["digest"]] * 3


def test_a_leaf_hash_covers_every_part_and_its_length() -> None:
    """No part can change, and no byte move from one part to the next, without another hash."""
    leaf = leaf_from(json.loads(GOLDEN.read_text(encoding="utf-8")))
    others = [
        replace(leaf, log_id=uuid4()),
        replace(leaf, position=leaf.position + 1),
        replace(leaf, stream_id=uuid4()),
        replace(leaf, version=leaf.version + 1),
        replace(leaf, name=leaf.name + "0"),
        replace(leaf, recorded_at=leaf.recorded_at + timedelta(microseconds=1)),
        replace(leaf, command_id=uuid4()),
        replace(leaf, command_seq=leaf.command_seq + 1),
        replace(leaf, state=leaf.state + b" "),
        replace(leaf, stream_id=leaf.command_id, command_id=leaf.stream_id),
    ]
    assert len(others) > len(fields(Leaf))
    assert len({one.digest() for one in [leaf, *others]}) == len(others) + 1


@pytest.mark.postgres
def test_the_stored_hash_is_of_the_stored_bytes(recorder: Recorder, log_id: UUID) -> None:
    """Whoever reads the rows can compute every leaf hash again, in the program and in the database."""
    for version in (1, 2):
        append(recorder, uuid4(), version)
    recorder.insert_events([event(uuid4(), state=bytes(range(256))), event(uuid4())], command_ids=[uuid4()] * 2)
    found = rows(recorder, "select to_jsonb(e) - 'leaf_hash' - 'state', recorded_at, state, leaf_hash from events e")
    for row, recorded_at, state, stored in found:
        ids = {name: UUID(row[name]) for name in ("stream_id", "command_id")}
        assert Leaf(**{**row, **ids, "recorded_at": recorded_at, "state": state}, log_id=log_id).digest() == stored
    assert len(found) == 4
    again = "leaf_hash(log_id, position, stream_id, version, name, recorded_at, command_id, command_seq, state)"
    assert rows(recorder, f"select {again} = leaf_hash from events, log") == [True] * 4  # noqa: S608  # a constant


TAMPERED: Final = {"other bytes": "state := new.state || ' '", "another name": "name := 'complaint.accepted.1'"}


@pytest.mark.postgres
@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_database_that_stores_something_else_is_found_out(recorder: Recorder, change: str) -> None:
    """A database that keeps, and hashes, anything but what this process wrote makes it stop."""
    with recorder.pool.connection() as connection:
        connection.execute(
            f"create function tamper() returns trigger language plpgsql as $$ begin new.{change};"  # noqa: S608  # from above
            " new.leaf_hash := leaf_hash((select log_id from log), new.position, new.stream_id, new.version, new.name,"
            " new.recorded_at, new.command_id, new.command_seq, new.state); return new; end $$;"
            " create trigger tamper before insert on events for each row execute function tamper()".encode()
        )
    with pytest.raises(LeafDiffers):
        append(recorder, uuid4())


@pytest.mark.postgres
def test_a_log_that_was_exchanged_is_found_out(recorder: Recorder) -> None:
    """A process that knows another log id does not take the answers of this log."""
    rows(recorder, "update log set log_id = gen_random_uuid() returning 1")
    with pytest.raises(LeafDiffers):
        append(recorder, uuid4())
