"""The embedded database ends with its owner and comes back after every kill, whatever was left lying about."""

import os
import signal
import socket
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import Ping

from service.credentials import Account, Route, command
from service.embedded import Embedded, EmbeddedFailed, _wheel, attach
from service.postgres_home import Home, ping, take
from tests.service.embedded.persons import (
    PATIENCE,
    Person,
    ask,
    binaries,
    gone,
    keep,
    kept,
    needs_linux,
    needs_root,
    until,
)

pytestmark = pytest.mark.acceptance


@binaries
def test_a_stale_pid_file_whose_pid_was_given_away_does_not_matter(
    home: Path, bindir: Path | None, bystander: int
) -> None:
    """In a container the same small pids come again at every start."""
    with Embedded(home, bindir=bindir) as server:
        keep(server.dsn, 1)
        left = (home / "pgdata" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    (home / "pgdata" / "postmaster.pid").write_text("\n".join([str(bystander), *left[1:]]), encoding="utf-8")
    with Embedded(home, bindir=bindir) as server:
        assert kept(server.dsn) == 1


def test_stale_files_of_the_socket_do_not_matter(home: Path, bystander: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the socket nor its lock, even with the pid of a living process in it."""
    with Embedded(home) as server:
        keep(server.dsn, 1)
    monkeypatch.chdir(home / "run")  # a short name, however deep the folder
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(".s.PGSQL.5432")
    Path(".s.PGSQL.5432.lock").write_text(f"{bystander}\n", encoding="ascii")
    with Embedded(home) as server:
        assert kept(server.dsn) == 1


def test_a_data_folder_half_made_is_made_anew(bare: Path) -> None:
    """Its remains, and the password that went with it, are thrown away."""
    (bare / "new" / "pgdata").mkdir(parents=True)
    (bare / "new" / "pgdata" / "PG_VERSION").write_text("18\n", encoding="ascii")
    (bare / "password").write_text("never used", encoding="ascii")
    bare.chmod(0o700)
    with Embedded(bare) as server:
        assert ask(server.dsn, "SELECT 1") == 1
    assert not (bare / "new").exists()


@needs_linux
def test_killing_the_owner_during_initdb_spoils_nothing(bare: Path, myself: Person) -> None:
    """The next start waits for the orphan to end and begins again."""
    with myself.runs(bare) as running:
        until((bare / "new" / "pgdata" / "base").exists)
        running.kill()
        assert not (bare / "pgdata").exists()
        with Embedded(bare) as server:
            assert ask(server.dsn, "SELECT 1") == 1


@needs_linux
@binaries
def test_a_killed_owner_takes_the_server_down_in_good_order(home: Path, myself: Person, bindir: Path | None) -> None:
    """Kill -9 of the application: the server ends by itself, cleanly, and the next start has everything."""
    with myself.runs(home, bindir=str(bindir or "")) as running:
        report = running.reports()
        keep(report["dsn"], *range(100))
        with closing(psycopg.connect(report["dsn"])) as connection:  # an open transaction does not hold it back
            connection.execute("INSERT INTO kept VALUES (0)")
            running.kill()
            until(gone(home))
    assert (home / "postgres.log").read_text(encoding="utf-8").strip().endswith("database system is shut down")
    with Embedded(home, bindir=bindir) as server:
        assert kept(server.dsn) == 100
    assert "was not properly shut down" not in (home / "postgres.log").read_text(encoding="utf-8")


@needs_root
@needs_linux
def test_a_killed_owner_takes_a_server_of_another_account_down(bare: Path, myself: Person) -> None:
    """The change of account clears the request to end with the parent, so it comes after."""
    with Embedded(bare, route=Route.ACCOUNT):
        pass
    with myself.runs(bare) as running:
        keep(running.reports()["dsn"], 1)
        running.kill()
        until(gone(bare))


@needs_linux
def test_a_start_right_after_a_kill_waits_for_the_old_server(home: Path, myself: Person) -> None:
    """Nobody has to wait or clean up by hand."""
    with myself.runs(home) as running:
        keep(running.reports()["dsn"], 1)
        running.kill()
        with Embedded(home) as server:
            assert kept(server.dsn) == 1


def test_a_server_is_not_left_to_a_parent_that_is_gone(home: Path) -> None:
    """Whoever finds its parent changed between asking and being asked for does not become a server."""
    account = Account(route=Route.PLAIN, uid=os.geteuid(), gid=os.getegid())
    late = command(account, home.parent, ["/bin/echo", "serving"], parent=os.getpid() + 1)
    ended = subprocess.run(late, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "is gone" in ended.stderr
    assert not ended.stdout


@binaries
def test_a_killed_server_is_started_again(home: Path, bindir: Path | None) -> None:
    """Kill -9 of the server: everything acknowledged is there, by the same conninfo, and no zombie is left."""
    with Embedded(home, bindir=bindir) as server:
        dsn, first = server.dsn, server.pid
        keep(dsn, *range(100))
        assert not server.restart_if_dead()
        assert first is not None
        with psycopg.connect(dsn):  # a session in the middle of something
            os.kill(first, signal.SIGKILL)
            until(lambda: not server.alive())
            assert server.restart_if_dead()
        assert server.pid != first
        assert server.dsn == dsn
        assert kept(dsn) == 100
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        assert not server.restart_if_dead()


def test_no_server_starts_while_a_process_of_the_old_one_lives(home: Path) -> None:
    """A session that outlives its killed server could still write: the lock it inherited keeps the next one out."""
    server = Embedded(home, patience=0.5).start()
    keep(server.dsn, 1)
    with psycopg.connect(server.dsn) as connection:
        survivor = connection.info.backend_pid
        assert server.pid is not None
        os.kill(survivor, signal.SIGSTOP)
        try:
            os.kill(server.pid, signal.SIGKILL)
            until(lambda: not server.alive())
            with pytest.raises(EmbeddedFailed, match="processes of an earlier server still work"):
                server.restart_if_dead()
        finally:
            os.kill(survivor, signal.SIGCONT)
    with Embedded(home) as another:
        assert kept(another.dsn) == 1


@needs_linux
def test_every_process_of_the_server_holds_the_lock(home: Path) -> None:
    """That is what lets the next start trust it; the application itself does not hold it."""
    with Embedded(home) as server, psycopg.connect(server.dsn) as connection:
        family = [path.name for path in Path("/proc").glob("[0-9]*") if _parent(path) == str(server.pid)]
        assert str(connection.info.backend_pid) in family
        for pid in (str(server.pid), *family):
            assert str(home / "server.lock") in _open_files(pid)
        assert str(home / "server.lock") not in _open_files("self")
        assert str(home / "owner.lock") in _open_files("self")
        for pid in (str(server.pid), *family):
            assert str(home / "owner.lock") not in _open_files(pid)


def _parent(process: Path) -> str | None:
    try:
        return (process / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return None


def _open_files(pid: str) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(link.readlink()))
    return found


def test_a_server_left_over_where_nothing_ends_it_is_stopped(ordinary: Person) -> None:
    """On a system without the request to end with the parent, the next start ends what a killed owner left."""
    home = ordinary.ground / "postgres"
    with ordinary.runs(home) as running:
        keep(running.reports()["dsn"], 1)
    lock = take(home / "server.lock")
    bindir = _wheel()
    assert lock is not None
    assert bindir is not None
    # Where the home lies deep, its socket lies elsewhere.
    folder = Home.at(home).socket_folder(int(str(ordinary.account.get("user", os.getuid()))))
    folder.mkdir(mode=0o700, exist_ok=True)
    with subprocess.Popen(
        [str(bindir / "postgres"), *Home.at(home).arguments(folder, {})],
        pass_fds=[lock],
        stderr=subprocess.DEVNULL,
        **ordinary.account,
    ) as left:
        os.close(lock)
        try:
            until(lambda: ping(folder) == Ping.OK)
            assert attach(home) is None  # nobody looks after it: not to be relied on
            with ordinary.runs(home) as running:
                report = running.reports()
                assert report["pid"] != left.pid
                assert kept(report["dsn"]) == 1
            assert left.wait(PATIENCE) == 0
        finally:
            left.kill()
