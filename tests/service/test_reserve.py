"""Keys made ahead find their owners in the append's own transaction, whatever races, sleeps or is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from service.keys import Vault
from service.master import LocalMaster
from service.reserve import durably
from service.sealing import ASSIGN_SQL, STALE_KEY, NoKeys
from tests.service.vaults import KeyService, commit, open_vault, until_somebody_waits

TEXT = "窗口人员态度差"

pytestmark = pytest.mark.postgres


@pytest.fixture
def vault(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> Vault:
    """The vault of one process."""
    return open_vault(pool, log_id, tmp_path)


def test_pre_made_keys_are_in_the_store_before_they_are_used(vault: Vault, pool: ConnectionPool) -> None:
    """Another connection sees every key that the process holds, wrapped, reserved for it, not the key itself."""
    assert vault.low()
    assert vault.refill() == 10
    assert not vault.low()
    key = vault.take()
    with pool.connection() as connection:
        rows = connection.execute("select key_id, wrapped, reserved_by, assigned_at from vault.keys").fetchall()
    assert {(row[2], row[3]) for row in rows} == {(vault.process, None)}
    assert len(rows) == 10
    wrapped = {row[0]: row[1] for row in rows}[key.key_id]
    assert key.plain not in wrapped
    assert vault.master.unwrap(vault.master.ident, wrapped) == key.plain


def test_keys_are_flushed_whatever_the_default_of_the_database_is(database: str) -> None:
    """Events are appended with a late flush; the keys that they name must not be."""
    with ConnectionPool(
        database, min_size=1, kwargs={"options": "-c synchronous_commit=off", "autocommit": True}
    ) as lax:
        with lax.connection() as connection:
            assert connection.execute("show synchronous_commit").fetchone() == ("off",)
        with durably(lax) as connection:
            assert connection.execute("show synchronous_commit").fetchone() == ("on",)


def test_one_owner_has_one_key_in_each_retention_class(vault: Vault, pool: ConnectionPool) -> None:
    """A second command on a case seals with the case's key; another class has another."""
    person, case = uuid4(), uuid4()
    used = []
    for retention in ("ordinary", "ordinary", "major"):
        sealer = vault.sealer(person, case, retention=retention)
        used.append((sealer.seal("narrative", TEXT).key_id, sealer.seal_person("name", TEXT).key_id))
        commit(pool, sealer)
    assert used[0] == used[1]
    assert len(set(used[1] + used[2])) == 4
    assert set(vault.keys_of("case", case)) == {used[1][0], used[2][0]}
    assert set(vault.keys_of("person", person)) == {used[1][1], used[2][1]}


def test_two_first_complaints_of_one_person_at_once_both_go_in(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Who comes second waits, gets a key beside the main one, and seals nothing anew."""
    other, person = open_vault(pool, log_id, tmp_path), uuid4()
    first, second = vault.sealer(person, uuid4()), other.sealer(person, uuid4())
    values = [("name", first.seal_person("name", "甲")), ("name", second.seal_person("name", "乙"))]
    with ThreadPoolExecutor(1) as thread, pool.connection() as connection:
        with connection.transaction():
            connection.execute(ASSIGN_SQL, first.assignment())
            waiting = thread.submit(commit, pool, second)
            until_somebody_waits(pool)
        waiting.result(30)
    assert vault.open_many(values) == ["甲", "乙"]
    assert set(vault.keys_of("person", person)) == {value.key_id for _, value in values}
    third = other.sealer(person, uuid4())
    assert third.seal_person("name", "丙").key_id == values[0][1].key_id


def test_a_command_sent_again_keeps_its_keys(vault: Vault, pool: ConnectionPool) -> None:
    """Assigning the same keys to the same owners twice changes nothing."""
    sealer = vault.sealer(uuid4(), uuid4())
    sealer.seal("narrative", TEXT)
    sealer.seal_person("name", TEXT)
    commit(pool, sealer)
    commit(pool, sealer)
    assert len(sealer.claims()) == 2


def test_what_is_rolled_back_assigns_nothing(vault: Vault, pool: ConnectionPool) -> None:
    """The key goes to its owner with the event or not at all, and a released one is used for the next."""
    case = uuid4()
    sealer = vault.sealer(None, case)
    key_id = sealer.seal("narrative", TEXT).key_id
    with pool.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute(ASSIGN_SQL, sealer.assignment())
    assert vault.keys_of("case", case) == ()
    sealer.release()
    again = vault.sealer(None, uuid4())
    assert again.seal("narrative", TEXT).key_id == key_id
    commit(pool, again)


def test_two_processes_never_use_the_same_pre_made_key(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Keys that a closed process left are taken up by one other, without waiting for who is just taking them."""
    vault.refill()
    vault.close()
    heirs = [open_vault(pool, log_id, tmp_path, batch=4) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads, pool.connection() as connection, connection.transaction():
        connection.execute("select from vault.keys order by created_at limit 3 for update")
        assert [one.result(30) for one in [threads.submit(heir.refill) for heir in heirs]] == [4, 4]
    keys = [heir.take().key_id for heir in heirs for _ in range(4)]
    assert len(set(keys)) == 8
    with pool.connection() as connection:
        row = connection.execute("select count(*), count(reserved_by) from vault.keys").fetchone()
    assert row == (11, 8)  # seven of ten were free, one more was made


def test_a_key_that_went_to_another_owner_is_refused(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """A process that slept for a day cannot use what others took up; sealed anew, its command goes in."""
    vault.refill()
    slow = vault.sealer(None, uuid4())
    slow.seal("narrative", TEXT)
    with pool.connection() as connection:
        connection.execute("update vault.keys set reserved_at = reserved_at - interval '25 hours'")
    heir = open_vault(pool, log_id, tmp_path)
    heir.refill()
    with pytest.raises(psycopg.DatabaseError) as caught:
        commit(pool, slow)
    assert caught.value.sqlstate == STALE_KEY
    vault.abandon()
    anew = vault.sealer(None, uuid4())
    anew.seal("narrative", TEXT)
    commit(pool, anew)


def test_registering_goes_on_without_the_key_service(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> None:
    """Strangers and people known before are sealed with pre-made keys until these run out; later all is readable."""
    service = KeyService(LocalMaster(tmp_path, {}))
    known = uuid4()
    before = Vault(pool, service, log_id, batch=2)
    first = before.sealer(known, uuid4())
    values = [("name", first.seal_person("name", "甲"))]
    commit(pool, first)
    vault = Vault(pool, service, log_id, batch=4)
    vault.refill()
    service.away = True
    for person in (known, uuid4()):
        sealer = vault.sealer(person, uuid4(), new_case=True)
        values += [("narrative", sealer.seal("narrative", TEXT)), ("name", sealer.seal_person("name", "甲"))]
        commit(pool, sealer)
    with pytest.raises(NoKeys):
        vault.sealer(None, uuid4(), new_case=True).seal("narrative", TEXT)
    service.away = False
    assert vault.open_many(values) == ["甲", TEXT, "甲", TEXT, "甲"]
    assert len(vault.keys_of("person", known)) == 2


def test_no_event_names_a_key_that_was_destroyed_before_it(vault: Vault, pool: ConnectionPool) -> None:
    """A destroyed key is refused at the append; one that is being used is destroyed only after the append."""
    person = uuid4()
    first = vault.sealer(person, uuid4())
    key_id = first.seal_person("name", "甲").key_id
    commit(pool, first)
    late, in_time = vault.sealer(person, uuid4()), vault.sealer(person, uuid4())
    assert {sealer.seal_person("name", "甲").key_id for sealer in (late, in_time)} == {key_id}
    with ThreadPoolExecutor(1) as thread, pool.connection() as connection:
        with connection.transaction():
            connection.execute(ASSIGN_SQL, in_time.assignment())
            destroying = thread.submit(vault.destroy, [key_id])
            until_somebody_waits(pool)
        assert destroying.result(30) == (key_id,)
    with pytest.raises(psycopg.DatabaseError) as caught:
        commit(pool, late)
    assert caught.value.sqlstate == STALE_KEY


def test_somebody_erased_can_complain_again(vault: Vault, pool: ConnectionPool) -> None:
    """The owner gets a new key after the old one was destroyed, and keeps it."""
    person = uuid4()
    values = []
    for _ in range(3):
        sealer = vault.sealer(person, uuid4())
        values.append(("name", sealer.seal_person("name", "甲")))
        commit(pool, sealer)
        if len(values) == 1:
            vault.destroy(vault.keys_of("person", person))
    assert vault.open_many(values) == [None, "甲", "甲"]
    assert {value.key_id for _, value in values[1:]} == set(vault.keys_of("person", person))
    assert len(vault.keys_of("person", person)) == 1
