"""The folder of the embedded PostgreSQL: its locks, its password, and where a running server is to be found.

Two locks carry the whole protocol. `owner.lock` is held by the supervising process alone, so it is free the moment
that process is gone, however it went. `server.lock` is handed down to `initdb` and to every process of the server, so
whoever gets it knows that none of them lives and that pid and socket-lock files lying about are stale.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

DATABASE: Final = "bihuan"
USER: Final = "app"
PORT: Final = 5432  # names the socket file; no port is opened
SOCKET_PATH_LIMIT: Final = 100  # bytes; Linux allows 107, macOS 103

#: Settings that may be overridden.
DEFAULTS: Final = {"timezone": "UTC", "log_timezone": "UTC", "fsync": "on", "log_checkpoints": "off"}
#: Settings that may not. The log says how the server fares and never what a statement held: the message of a failed one
#: can quote a value, so errors go to the client alone.
FIXED: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The paths in one such folder; nothing is opened or made by naming it."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Self:
        """The home at `path`, by the one name every process knows it by."""
        return cls(path.resolve())

    @property
    def data(self) -> Path:
        """What `initdb` made, whole or not there."""
        return self.path / "pgdata"

    @property
    def new(self) -> Path:
        """A data folder in the making; half done if nobody holds `server.lock`."""
        return self.path / "new"

    @property
    def password(self) -> Path:
        """The password of the superuser, mode 0600."""
        return self.path / "password"

    @property
    def log(self) -> Path:
        """What the server says about itself."""
        return self.path / "postgres.log"

    @property
    def owner_lock(self) -> Path:
        """Held by the supervising process; its content is that process's pid."""
        return self.path / "owner.lock"

    @property
    def server_lock(self) -> Path:
        """Held by every process of the server."""
        return self.path / "server.lock"

    def socket_folder(self, uid: int) -> Path:
        """Where a server of account `uid` puts its socket: in the home, or in the temporary folder if that will not do.

        The path of a socket has to be short, and to have no comma, which would end it in a list of hosts, and no quote,
        which would do so in a list of folders.
        """
        folder = self.path / "run"
        plain = str(folder).isprintable() and not set(str(folder)) & {",", '"'}
        if plain and socket_fits(folder):
            return folder
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"bihuan-{uid}-{digest}"

    def dsn(self, socket_folder: Path) -> str:
        """The conninfo of our database; names everything that a PG* variable of the caller could turn elsewhere."""
        return make_conninfo(
            host=str(socket_folder),
            hostaddr="",
            port=PORT,
            user=USER,
            password=self.password.read_text(encoding="ascii"),
            dbname=DATABASE,
            options="",
            client_encoding="UTF8",
            target_session_attrs="any",
            channel_binding="disable",
            sslmode="disable",
            gssencmode="disable",
        )

    def arguments(self, socket_folder: Path, settings: Mapping[str, str]) -> list[str]:
        """What the server is told on its command line, where no file can change it."""
        place = {"port": str(PORT), "unix_socket_directories": f'"{socket_folder}"'}
        told = {**DEFAULTS, **settings, **FIXED, **place}
        return ["-D", str(self.data), *(f"--{name}={value}" for name, value in told.items())]

    def server(self) -> tuple[int, Path] | None:
        """Pid and socket folder as the server wrote them down; None before it did, and after it stopped in good order.

        What a server of another folder wrote, found in a copy of that folder, does not count.
        """
        try:
            lines = os.fsdecode((self.data / "postmaster.pid").read_bytes()).splitlines()
        except FileNotFoundError:
            return None
        match lines:  # pid, data folder, start time, port, socket folder, …; written in two steps
            case [pid, data, _, _, folder, *_] if pid.isdecimal() and data == str(self.data) and folder:
                return int(pid), Path(folder)
            case _:
                return None


def socket_fits(folder: Path) -> bool:
    """Whether the path of a socket in `folder` is short enough for the system."""
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT


def ping(socket_folder: Path) -> Ping:
    """OK where a server accepts connections, REJECT where it is starting, recovering or stopping; needs no password."""
    conninfo = make_conninfo(host=str(socket_folder), hostaddr="", port=PORT, user=USER, dbname="postgres")
    return Ping(PGconn.ping(conninfo.encode()))


def take(path: Path) -> int | None:
    """The lock file, open and locked, closed at exec unless handed on; None while somebody else holds it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock; looking holds it for an instant itself, which `take` may run into."""
    lock = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def write_secret(path: Path, secret: str) -> None:
    """Write it to disk for the owner's eyes only, replacing what was there."""
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(file, secret.encode())
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(folder: Path) -> None:
    """See to it that the names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
