"""Whoever runs the embedded database in these tests, and what one can ask about it."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.postgres_home import take

PATIENCE = 60  # seconds until a test gives up on what should happen at once
SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
ROOT = os.geteuid() == 0

needs_root = pytest.mark.skipif(not ROOT, reason="needs root")
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
needs_15 = pytest.mark.skipif(not (SYSTEM_15 / "postgres").exists(), reason="needs Debian's package postgresql-15")
binaries = pytest.mark.parametrize(
    "bindir", [pytest.param(None, id="18"), pytest.param(SYSTEM_15, id="15", marks=needs_15)]
)


def until(happened: Callable[[], bool]) -> None:
    """Wait for it, or fail."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def ask(dsn: str, question: str) -> Any:  # noqa: ANN401  # whatever the database says
    """The one value the question has for an answer."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def keep(dsn: str, *values: int) -> None:
    """Commit the values, each by itself."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        for value in values:
            connection.execute("INSERT INTO kept VALUES (%s)", [value])


def kept(dsn: str) -> int:
    """How many values are there."""
    number = ask(dsn, "SELECT count(*) FROM kept")
    assert isinstance(number, int)
    return number


def gone(home: Path) -> Callable[[], bool]:
    """Whether no process of a server lives in the home."""

    def free() -> bool:
        lock = take(home / "server.lock")
        if lock is not None:
            os.close(lock)
        return lock is not None

    return free


def status(pid: int | None, entry: str) -> list[str]:
    """The values of an entry of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{entry}:")).split()[1:]


@dataclass
class Person:
    """Whoever runs supervised.py: the one who runs the tests, or another account for which root changes to it."""

    code: Path
    ground: Path
    interpreter: str = sys.executable
    account: dict[str, Any] = field(default_factory=dict)
    path: str = ""

    @contextmanager
    def runs(self, home: Path, how: str = "own", **order: object) -> Iterator["Running"]:
        """Start it; at the end close its input, and wait for the end of a server that was its own."""
        with self.starts(home, how, **order) as process:
            running = Running(process)
            try:
                yield running
            finally:
                running.end()
                if how == "own" and (home / "server.lock").exists():
                    until(gone(home))

    def starts(self, home: Path, how: str, **order: object) -> "subprocess.Popen[bytes]":
        """The process alone."""
        return subprocess.Popen(
            [self.interpreter, str(self.code), json.dumps({"how": how, "home": str(home), **order})],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": self.path, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **self.account,
        )


@dataclass
class Running:
    """A running supervised.py."""

    process: "subprocess.Popen[bytes]"
    heard: bytes = b""

    def hears(self) -> str:
        """Its next line; empty when it has said all."""
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        while b"\n" not in self.heard:
            assert select.select([output], [], [], PATIENCE)[0], "it never spoke"
            if not (more := os.read(output, 65536)):
                break
            self.heard += more
        line, _, self.heard = self.heard.partition(b"\n")
        return line.decode()

    def reports(self) -> dict[str, Any]:
        """Its next report, leaving out what it logs."""
        while not (line := self.hears()).startswith("{"):
            assert line, "it ended without a report"
        report = json.loads(line)
        assert isinstance(report, dict)
        return report

    def end(self) -> None:
        """Close its input and wait."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait(PATIENCE)
