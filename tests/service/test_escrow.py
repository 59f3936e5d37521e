"""Keys can be carried out of the house and back, and the master key changed, and nothing erased comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg_pool import ConnectionPool

from domain.sealed import Sealed
from service import escrow
from service.escrow import EscrowError, export, import_, never_exported, rotate
from service.keys import Vault
from service.master import LocalMaster, MasterUnavailable
from service.sealing import Missing
from tests.service.vaults import Death, KeyService, Killed, commit, open_vault

WORDS = "门前三棵树 and a bicycle"
TEXT = "窗口人员态度差"

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretch passphrases less: what is shown does not depend on how dear guessing is."""
    monkeypatch.setattr(escrow, "_COST", 2**4)


@pytest.fixture
def vault(pool: ConnectionPool, log_id: UUID, tmp_path: Path) -> Vault:
    """The vault of one process."""
    return open_vault(pool, log_id, tmp_path / "home")


def sealed_for(vault: Vault, person: UUID | None = None) -> Sealed:
    """A name that was registered."""
    sealer = vault.sealer(person or uuid4(), uuid4())
    value = sealer.seal_person("name", TEXT)
    commit(vault.pool, sealer)
    return value


def lose_tables(pool: ConnectionPool) -> None:
    """Lose the tables of keys and secrets."""
    with pool.connection() as connection:
        connection.execute("delete from vault.keys")
        connection.execute("delete from vault.secrets")


def test_what_was_lost_comes_back_from_an_export(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Master key, keys, also those made ahead, and secrets; again changes nothing."""
    value, secret, file = sealed_for(vault), vault.secret("pepper"), tmp_path / "keys.json"
    later = vault.sealer(None, uuid4()).seal("narrative", TEXT)  # its key is made, and gets its owner after the export
    exported = export(vault, file, WORDS)
    assert (exported.masters, exported.keys) == (1, 10)
    lose_tables(pool)
    restored = open_vault(pool, log_id, tmp_path / "another")
    with pytest.raises(Missing):
        restored.open("name", value)
    done = import_(restored, file, WORDS)
    assert (done.masters, done.keys, done.destroyed, done.secrets) == (1, 10, 0, 1)
    assert restored.open_many([("name", value), ("narrative", later)]) == [TEXT, TEXT]
    assert restored.secret("pepper") == secret
    again = import_(restored, file, WORDS)
    assert (again.masters, again.keys, again.destroyed, again.secrets) == (0, 0, 0, 0)
    assert again.exported_at <= datetime.now(UTC)


def test_a_restored_key_never_goes_to_a_new_owner(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """A key made ahead may have got its owner after the export, so it only opens."""
    vault.refill()
    export(vault, tmp_path / "keys.json", WORDS)
    lose_tables(pool)
    restored = open_vault(pool, log_id, tmp_path / "home")
    import_(restored, tmp_path / "keys.json", WORDS)
    restored.refill()
    with pool.connection() as connection:
        rows = connection.execute("select imported, reserved_by is null, count(*) from vault.keys group by 1, 2")
        assert sorted(rows) == [(False, False, 10), (True, True, 10)]


def test_an_owner_with_a_new_key_keeps_it_beside_the_restored_one(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Both open, the newer one seals, and an erasure destroys both."""
    person = uuid4()
    old = sealed_for(vault, person)
    export(vault, tmp_path / "keys.json", WORDS)
    lose_tables(pool)
    restored = open_vault(pool, log_id, tmp_path / "home")
    new = sealed_for(restored, person)
    import_(restored, tmp_path / "keys.json", WORDS)
    assert restored.open_many([("name", old), ("name", new)]) == [TEXT, TEXT]
    assert sealed_for(restored, person).key_id == new.key_id
    assert set(restored.keys_of("person", person)) == {old.key_id, new.key_id}


@pytest.mark.parametrize("known_from", ["table", "file", "log", "log, where the file has no row"])
def test_an_import_brings_no_destroyed_key_back(
    vault: Vault, pool: ConnectionPool, tmp_path: Path, known_from: str
) -> None:
    """Whoever knows of the destruction wins: the table, a later export, or the erasures in the log."""
    file = tmp_path / "keys.json"
    if known_from == "log, where the file has no row":
        export(vault, file, WORDS)
    value = sealed_for(vault)
    with pool.connection() as connection:
        row = connection.execute("select wrapped from vault.keys where key_id = %s", (value.key_id,)).fetchone()
    assert row is not None
    living = (row[0], value.key_id)
    if known_from in {"table", "log"}:
        export(vault, file, WORDS)
    vault.destroy([value.key_id])
    if known_from == "file":
        export(vault, file, WORDS)
    if known_from == "log":
        lose_tables(pool)
    elif known_from != "table":
        with pool.connection() as connection:  # an older backup of the table was restored
            connection.execute("update vault.keys set wrapped = %s, destroyed_at = null where key_id = %s", living)
        assert vault.open("name", value) == TEXT
    import_(vault, file, WORDS, destroyed=[value.key_id] if known_from.startswith("log") else [])
    assert vault.open_many([("name", value)]) == [None]


def test_a_lost_table_without_word_of_the_erasure_would_bring_the_key_back(
    vault: Vault, pool: ConnectionPool, tmp_path: Path
) -> None:
    """The losing control of the test before: this is why the ids of the log's erasures are asked for."""
    value = sealed_for(vault)
    export(vault, tmp_path / "keys.json", WORDS)
    vault.destroy([value.key_id])
    lose_tables(pool)
    import_(vault, tmp_path / "keys.json", WORDS)
    assert vault.open("name", value) == TEXT


def test_the_file_tells_nothing_without_the_passphrase(vault: Vault, tmp_path: Path) -> None:
    """Neither master key nor key stands in it; it is for its owner alone; a wrong passphrase is told from nothing."""
    vault.refill()
    held = vault.take()
    file = tmp_path / "keys.json"
    export(vault, file, WORDS)
    content = file.read_text(encoding="ascii")
    assert not [key for key in [held.plain, *vault.master.material().values()] if escrow._text(key) in content]
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EscrowError, match="passphrase is wrong"):
        import_(vault, file, WORDS + "s")
    with pytest.raises(EscrowError, match="at least 12"):
        export(vault, file, "short")
    assert file.read_text(encoding="ascii") == content


def test_a_passphrase_may_be_typed_in_another_normal_form(vault: Vault, tmp_path: Path) -> None:
    """An accent as one character or as two is the same to the person who types it."""
    export(vault, tmp_path / "keys.json", "\u00e9t\u00e9 " * 4)
    import_(vault, tmp_path / "keys.json", "e\u0301te\u0301 " * 4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("destroyed mark", "was changed"),
        ("log id", "was changed"),
        ("row less", "was changed"),
        ("not json", "not an export"),
        ("other format", "a newer one"),
        ("dear", "a newer one"),
    ],
)
def test_a_changed_file_changes_nothing(vault: Vault, tmp_path: Path, change: str, sentence: str) -> None:
    """Nobody can destroy keys by editing an export, nor make the program work for hours."""
    value = sealed_for(vault)
    file = tmp_path / "keys.json"
    export(vault, file, WORDS)
    data: dict[str, Any] = json.loads(file.read_bytes())
    match change:
        case "destroyed mark":
            data["keys"] = [[*row[:2], None, *row[3:-1], data["head"]["exported_at"]] for row in data["keys"]]
        case "log id":
            data["head"]["log_id"] = str(uuid4())
        case "row less":
            data["keys"].pop()
        case "other format":
            data["head"]["format"] = "bihuan-keys-9"
        case "dear":
            data["masters"]["n"] = 2**21
        case _:
            pass
    file.write_text("{" if change == "not json" else json.dumps(data), encoding="ascii")
    with pytest.raises(EscrowError, match=sentence):
        import_(vault, file, WORDS)
    assert vault.open("name", value) == TEXT


def test_the_keys_of_another_log_are_refused(vault: Vault, pool: ConnectionPool, tmp_path: Path) -> None:
    """The sentence says whose keys they are."""
    export(vault, tmp_path / "keys.json", WORDS)
    other = open_vault(pool, uuid4(), tmp_path / "home")
    with pytest.raises(EscrowError, match="another log"):
        import_(other, tmp_path / "keys.json", WORDS)


def test_an_export_that_dies_leaves_the_one_before(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is complete or not there, and the warning stays until it is."""
    file = tmp_path / "keys.json"
    export(vault, file, WORDS)
    before = file.read_bytes()
    rotate(vault)
    monkeypatch.setattr(escrow, "_locked", Death(1).around(escrow._locked))
    with pytest.raises(Killed):
        export(vault, file, WORDS)
    assert [(path, path.read_bytes()) for path in tmp_path.glob("keys*")] == [(file, before)]
    assert never_exported(vault)


def test_a_new_master_key_has_never_been_exported(vault: Vault, tmp_path: Path) -> None:
    """The warning comes at the start, goes with an export, and comes back with a rotation."""
    assert never_exported(vault)
    export(vault, tmp_path / "keys.json", WORDS)
    assert not never_exported(vault)
    rotate(vault)
    assert never_exported(vault)


def test_a_rotation_wraps_everything_anew(
    vault: Vault, pool: ConnectionPool, log_id: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Living keys, those made ahead and secrets lie under the new master key; other processes go on."""
    monkeypatch.setattr(escrow, "_CHUNK", 3)
    other = open_vault(pool, log_id, tmp_path / "home")
    values = [("name", sealed_for(vault)) for _ in range(4)]
    gone = sealed_for(vault)
    vault.destroy([gone.key_id])
    secret, old = vault.secret("pepper"), vault.master.ident
    rotated = rotate(vault)
    assert rotated.rewrapped == 10
    assert rotated.master_id != old
    assert masters_in_use(pool) == {rotated.master_id}
    assert other.open_many([*values, ("name", gone)]) == [TEXT] * 4 + [None]
    assert other.secret("pepper") == secret
    values.append(("name", sealed_for(other)))
    assert masters_in_use(pool) == {rotated.master_id}
    assert open_vault(pool, log_id, tmp_path / "home").open_many(values) == [TEXT] * 5


def test_a_rotation_killed_at_any_step_loses_nothing_and_is_finished_by_the_next(
    pool: ConnectionPool, log_id: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every death all values open, and one more call leaves one master key in use."""
    monkeypatch.setattr(escrow, "_CHUNK", 2)
    home = tmp_path / "home"
    first = open_vault(pool, log_id, home, batch=5)
    values = [("name", sealed_for(first)) for _ in range(2)]
    secret = first.secret("pepper")
    for step in count(1):
        death = Death(step)
        dying = Vault(pool, Mortal(LocalMaster(home, {}), death), log_id)
        with monkeypatch.context() as patched:
            patched.setattr(escrow, "_rewrap", death.around(escrow._rewrap))
            with suppress(Killed):
                rotate(dying)
        current = LocalMaster(home, {}).ident
        restarted = open_vault(pool, log_id, home)
        assert restarted.open_many(values) == [TEXT] * 2
        assert restarted.secret("pepper") == secret
        if not death.came:
            break
        if 2 <= step < last_step():  # renewed, not settled
            assert rotate(restarted).master_id == current
        else:
            rotate(restarted)
        assert len(masters_in_use(pool)) == 1
    assert step == last_step() + 1


def last_step() -> int:
    """Five keys and a secret in chunks of two: renew, 3 + 1 chunks and 2 empty ones, 6 × unwrap and wrap, settle."""
    return 2 * (1 + 6 + 12 + 1)


def test_an_interrupted_rotation_goes_on_when_the_key_service_is_back(
    pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """Without the service nothing changes, and another rotation is not locked out."""
    service = KeyService(LocalMaster(tmp_path, {}))
    vault = Vault(pool, service, log_id, batch=4)
    value = sealed_for(vault)
    service.away = True
    with pytest.raises(MasterUnavailable):
        rotate(vault)
    service.away = False
    assert rotate(vault).rewrapped == 4
    assert vault.open("name", value) == TEXT


def masters_in_use(pool: ConnectionPool) -> set[str]:
    """The master keys under which living keys and secrets lie."""
    with pool.connection() as connection:
        rows = connection.execute(
            "select master_id from vault.keys where wrapped is not null union select master_id from vault.secrets"
        ).fetchall()
    return {row[0] for row in rows}


class Mortal:
    """A master key in a process that dies at some step of using it."""

    def __init__(self, inner: LocalMaster, death: Death) -> None:
        self._inner = inner
        self.wrap = death.around(inner.wrap)
        self.unwrap = death.around(inner.unwrap)
        self.renew = death.around(inner.renew)
        self.settle = death.around(inner.settle)

    @property
    def ident(self) -> str:
        """The id of the current master key."""
        return self._inner.ident

    def material(self) -> Mapping[str, bytes]:
        """Give the keys by id."""
        return self._inner.material()

    def adopt(self, material: Mapping[str, bytes]) -> int:
        """Keep further keys."""
        return self._inner.adopt(material)
