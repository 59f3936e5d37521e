"""The PostgreSQL we bring along starts as promised, and says what is wrong where it cannot."""

import os
import secrets
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from service.embedded import Embedded, EmbeddedFailed, available
from tests.service.embedded.persons import (
    SYSTEM_15,
    ask,
    binaries,
    keep,
    kept,
    needs_15,
)

pytestmark = pytest.mark.acceptance


@binaries
def test_the_first_start_gives_a_database_as_promised(bare: Path, bindir: Path | None) -> None:
    """Named bihuan, in UTF-8, with checksums, flushed, behind a password, with no port open."""
    with Embedded(bare, bindir=bindir, max_connections=33, settings={"commit_delay": "7"}) as server:
        settings = {
            name: ask(server.dsn, f"SELECT current_setting('{name}')")
            for name in ("server_encoding", "data_checksums", "fsync", "listen_addresses", "max_connections")
        }
        assert settings == {
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "fsync": "on",
            "listen_addresses": "",
            "max_connections": "33",
        }
        assert ask(server.dsn, "SELECT current_setting('commit_delay')") == "7"
        assert ask(server.dsn, "SELECT current_setting('server_version_num')::int / 10000") == (15 if bindir else 18)
        assert ask(server.dsn, "SELECT datname || datctype FROM pg_database WHERE datname = current_database()") == (
            "bihuanC.UTF-8"
        )
        assert ask(server.dsn, "SELECT rolpassword FROM pg_authid WHERE rolname = current_user").startswith(
            "SCRAM-SHA-256$"
        )
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.dsn, password="guess")
        assert bare.stat().st_mode & 0o777 == 0o700
        assert (bare / "password").stat().st_mode & 0o777 == 0o600
        assert server.alive()
    assert not server.alive()
    assert server.pid is None


@binaries
def test_what_was_committed_is_there_at_the_next_start(home: Path, bindir: Path | None) -> None:
    """The second start finds the data, and the same password opens them."""
    with Embedded(home, bindir=bindir) as server:
        keep(server.dsn, 1, 2, 3)
        first = server.dsn
    with Embedded(home, bindir=bindir) as server:
        assert server.dsn == first
        assert kept(server.dsn) == 3


def test_the_wheel_is_there() -> None:
    """The package of the binaries is among what is installed."""
    assert available()


def test_a_relative_home_stays_where_it_was(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changing the working folder later changes nothing."""
    monkeypatch.chdir(bare.parent)
    server = Embedded(Path("postgres"))
    monkeypatch.chdir("/")
    with server:
        assert (bare / "pgdata" / "PG_VERSION").exists()


def test_variables_of_the_caller_lead_nowhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the server nor the conninfo listens to PG* variables; the one that overrules all is refused."""
    for name, value in {
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": "1",
        "PGPASSWORD": "wrong",
        "PGOPTIONS": "-c search_path=elsewhere",
        "PGTARGETSESSIONATTRS": "standby",
        "PGSSLMODE": "verify-full",
        "PGCHANNELBINDING": "require",
        "PGCLIENTENCODING": "LATIN1",
        "PGDATA": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    with Embedded(home) as server:
        assert ask(server.dsn, "SELECT current_setting('search_path') || '闭环'") == '"$user", public闭环'
        if sys.platform.startswith("linux"):
            variables = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
            names = {variable.partition(b"=")[0].decode() for variable in variables if variable}
            assert {name for name in names if not name.startswith("PG_")} == {"PATH", "LC_ALL", "TZ"}  # PG_: its own
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    with pytest.raises(EmbeddedFailed, match="unset it"):
        Embedded(home).start()


@binaries
def test_the_log_holds_no_value_of_a_failing_statement(home: Path, bindir: Path | None) -> None:
    """A clash of keys and a cast that fails name the value to the client only."""
    with Embedded(home, bindir=bindir) as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE person (name text PRIMARY KEY)")
            connection.execute("INSERT INTO person VALUES ('张三-secret')")
            with pytest.raises(psycopg.errors.UniqueViolation, match="张三-secret"):
                connection.execute("INSERT INTO person VALUES ('张三-secret')")
            with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="张三-secret"):
                connection.execute("SELECT name::int FROM person")
            connection.execute("DO $$ BEGIN RAISE WARNING '张三-secret'; END $$")
        log = (home / "postgres.log").read_text(encoding="utf-8")
    assert "listening on Unix socket" in log
    assert "secret" not in log


def test_ctrl_c_is_not_for_the_server(home: Path) -> None:
    """It is in a session of its own: the application stops it when it has finished."""
    with Embedded(home) as server:
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_large_log_is_set_aside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot fill the disk over the years."""
    with Embedded(home):
        pass
    first = (home / "postgres.log").read_text(encoding="utf-8")
    monkeypatch.setattr("service.embedded.LOG_LIMIT", 10)
    with Embedded(home):
        pass
    assert (home / "postgres.log.1").read_text(encoding="utf-8") == first
    assert (home / "postgres.log").read_text(encoding="utf-8").count("starting PostgreSQL") == 1


@needs_15
def test_data_of_another_major_version_are_refused(home: Path) -> None:
    """With the way to take them along."""
    with pytest.raises(EmbeddedFailed, match="written by PostgreSQL 18 and this is 15: make a backup"):
        Embedded(home, bindir=SYSTEM_15).start()


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    """The end of its log is in the message, and nothing is left running or locked."""
    with pytest.raises(EmbeddedFailed, match='unrecognized configuration parameter "nonsense"'):
        Embedded(home, settings={"nonsense": "1"}).start()
    with Embedded(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_a_server_that_never_listens_is_given_up(home: Path, tmp_path: Path) -> None:
    """Nobody waits for ever in front of a program that says nothing."""
    silent = tmp_path / "postgres-that-sleeps"
    silent.mkdir()
    (silent / "postgres").write_text('#!/bin/sh\n[ "$1" = -D ] || exec echo "(PostgreSQL) 18"\nexec sleep 600\n')
    (silent / "postgres").chmod(0o755)
    with pytest.raises(EmbeddedFailed, match="did not start"):
        Embedded(home, bindir=silent, patience=0.2).start()
    with Embedded(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_a_folder_without_binaries_is_said(bare: Path, tmp_path: Path) -> None:
    """Before anything is made."""
    with pytest.raises(EmbeddedFailed, match="name the folder that holds postgres"):
        Embedded(bare, bindir=tmp_path).start()


def test_a_lost_or_changed_password_is_said(home: Path) -> None:
    """And the start does not wait for ever for a server that will not let it in."""
    with Embedded(home):
        pass
    right = (home / "password").read_text(encoding="ascii")
    (home / "password").write_text(secrets.token_urlsafe(8), encoding="ascii")
    with pytest.raises(EmbeddedFailed, match="put the old one back"):
        Embedded(home).start()
    (home / "password").unlink()
    with pytest.raises(EmbeddedFailed, match="put it back from a backup"):
        Embedded(home).start()
    (home / "password").write_text(right, encoding="ascii")
    with Embedded(home) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_only_the_main_thread_may_start_it(bare: Path) -> None:
    """A server tied to another thread would end with it."""
    caught: list[Exception] = []

    def start() -> None:
        try:
            Embedded(bare).start()
        except EmbeddedFailed as failure:
            caught.append(failure)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "start it in the main thread" in str(caught[0])
    assert not bare.exists()
