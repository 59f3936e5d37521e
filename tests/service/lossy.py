"""A line to PostgreSQL that can be told to break at one moment of one statement."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import tempfile
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Final, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

PARSE: Final = b"P"
BIND: Final = b"B"
READY: Final = b"Z"


class Break(StrEnum):
    """When the line breaks."""

    BEFORE = "before the server got the statement"
    AFTER = "after the server has done it, before its answer arrives"


class LossyLine:
    """Passes on what client and server say; breaks the connection that carries a prepared statement with `marker`.

    It breaks `times` times, then holds. `dsn` leads through it to the server it was given, which is reached by a Unix
    socket and without encryption.
    """

    def __init__(self, dsn: str, marker: str, when: Break, times: int = 1) -> None:
        told = conninfo_to_dict(dsn)
        self._server = f"{told['host']}/.s.PGSQL.{told['port']}"
        self._folder = Path(tempfile.mkdtemp(prefix="bihuan-line-"))
        self.dsn = make_conninfo(dsn, host=str(self._folder))
        self._marker = marker.encode()
        self._when = when
        self._left = times
        self._lock = Lock()
        self.broken = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / f".s.PGSQL.{told['port']}"))
        self._listener.listen()
        self._threads = [Thread(target=self._accept, name="line")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "close the connections before the line"
        shutil.rmtree(self._folder)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._threads.append(Thread(target=self._carry, args=(client, server), name="line"))
            self._threads[-1].start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry one connection: the answers in a thread beside, until either end closes."""
        breaking = _Breaking()
        answers = Thread(target=_answer, args=(client, server, breaking), name="line")
        answers.start()
        with contextlib.suppress(OSError, EOFError):
            self._ask(client, server, breaking)
        _close(server)
        answers.join()
        _close(client)
        client.close()
        server.close()

    def _ask(self, client: socket.socket, server: socket.socket, breaking: _Breaking) -> None:
        statements = set()
        start = _exactly(client, 4)  # the first message has no kind
        server.sendall(start + _exactly(client, struct.unpack(">i", start)[0] - 4))
        while True:
            kind, body = _message(client)
            if kind == PARSE and self._marker in body:
                statements.add(body.split(b"\0")[0])
            if kind == BIND and body.split(b"\0")[1] in statements and self._one_more():
                if self._when is Break.BEFORE:
                    return
                breaking.now = True
            server.sendall(_framed(kind, body))

    def _one_more(self) -> bool:
        with self._lock:
            if self._left == 0:
                return False
            self._left -= 1
            self.broken += 1
            return True


class _Breaking:
    """Whether what the server says next gets lost."""

    now = False


def _answer(client: socket.socket, server: socket.socket, breaking: _Breaking) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            kind, body = _message(server)
            if not breaking.now:
                client.sendall(_framed(kind, body))
            elif kind == READY:  # the transaction is over, whatever it did is done
                break
    _close(client)
    _close(server)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    return head[:1], _exactly(source, struct.unpack(">i", head[1:])[0] - 4)


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def _exactly(source: socket.socket, size: int) -> bytes:
    """Read this many bytes; raises EOFError when the other end is gone."""
    parts = []
    while size:
        part = source.recv(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
