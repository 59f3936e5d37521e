"""Registering a complaint over HTTP with two workers: ours, the least a service can do, and a peer.

Every contender has its own database on one server, the same web server with the same settings, and the same load:
eight connections kept open, from a process of its own. All three are up all the time, and idle when another's turn is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from service.adoption import adopt_first
from service.casebook import Casebook
from service.database import log_id, migrate, open_pool
from service.eventstore import Log, Recorder
from tests.benchmarks.contest import Contender, Contest, take_turns

WORKERS: Final = "2"
PATIENCE: Final = 60.0  # seconds
NARRATIVE: Final = "第{n}次: 3号窗口两次让我回去补材料, 每次说的都不一样, 问原因也不解释, 请核实并答复。"
OURS: Final = {"narrative": NARRATIVE, "hall": "GXQ", "channel": "web"}
TICKET: Final = {
    "title": "{n}",
    "description": NARRATIVE,
    "queue": "1",
    "priority": "3",
    "submitter_email": "a@example.org",
}
UVICORN: Final = (
    *("-m", "uvicorn", "--workers", WORKERS, "--log-level", "warning"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
)
"""As `bihuan serve` runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where somebody takes complaints, and what has to be sent there."""

    port: int
    path: str
    body: Mapping[str, str]
    headers: Mapping[str, str]

    def load(self, count: int) -> float:
        """Send so many complaints; give how many were taken in a second. Raises AssertionError if one was not."""
        order = {"port": self.port, "path": self.path, "body": self.body, "headers": self.headers, "count": count}
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.load", json.dumps(order)],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found = json.loads(done.stdout)
        if found["statuses"] != {"201": count}:
            raise AssertionError(f"{self.path} answered {found['statuses']} {found['refusals']}")
        return float(found["rate"])


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def running(arguments: Sequence[str], port: int, **environment: str) -> Iterator[None]:
    """Run a Python program that serves on a port, from when it answers until the end of the block."""
    log = tempfile.TemporaryFile()  # noqa: SIM115  # closed below, after whoever writes to it
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        end = time.monotonic() + PATIENCE
        while not answers(port):
            if process.poll() is not None or time.monotonic() > end:
                log.seek(0)
                raise RuntimeError(f"it does not serve: {' '.join(arguments)}: {log.read().decode()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
        log.close()


def answers(port: int) -> bool:
    """Whether somebody answers there, whatever it says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def database(server: str, name: str) -> str:
    """Make a database; give its conninfo."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return make_conninfo(server, dbname=name)


@contextlib.contextmanager
def ours(server: str, folder: Path) -> Iterator[Service]:
    """The product with its first rules adopted, projections and all; without the limit for one address."""
    dsn = database(server, "bench_bihuan")
    migrate(dsn)
    with open_pool(dsn, size=2) as pool:
        recorder = Recorder(pool, log_id(pool))
        adopt_first(Casebook(Log(recorder), recorder))
    port = free_port()
    program = "import sys; from service.cli import main; sys.exit(main())"
    told = {"DATABASE_URL": dsn, "BIHUAN_HOME": str(folder / "home"), "BIHUAN_REGISTRATIONS_PER_HOUR": "0"}
    with running(["-c", program, "serve", "--port", str(port), "--workers", WORKERS], port, **told):
        yield Service(port=port, path="/api/v1/complaints", body=OURS, headers={})


@contextlib.contextmanager
def bare(server: str) -> Iterator[Service]:
    """FastAPI and one INSERT."""
    dsn = database(server, "bench_bare")
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "create table complaints (id uuid primary key, hall text not null, channel text not null,"
            " narrative text not null, at timestamptz not null default now())"
        )
    port = free_port()
    with running(
        [*UVICORN, "--port", str(port), "--factory", "tests.benchmarks.bare:create_app"], port, DATABASE_URL=dsn
    ):
        yield Service(port=port, path="/complaints", body=OURS, headers={})


@contextlib.contextmanager
def helpdesk(server: str) -> Iterator[Service]:
    """The peer: django-helpdesk's ticket API, with a token, as a program would use it."""
    dsn = database(server, "bench_helpdesk")
    told = {
        "DATABASE_URL": dsn,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.helpdesk_settings",
        "DJANGO_SUPERUSER_PASSWORD": "bench",
    }

    def manage(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return done.stdout

    manage("migrate", "--verbosity", "0")
    manage("createsuperuser", "--noinput", "--username", "bench", "--email", "bench@example.org", "--verbosity", "0")
    manage("shell", "-c", "from helpdesk.models import Queue; Queue.objects.create(title='Hall', slug='hall')")
    token = manage("drf_create_token", "bench").split()[2]
    port = free_port()
    with running([*UVICORN, "--port", str(port), "--factory", "django.core.asgi:get_asgi_application"], port, **told):
        yield Service(port=port, path="/api/tickets/", body=TICKET, headers={"Authorization": f"Token {token}"})


def contests(server: str, turns: int) -> Iterator[Contest]:
    """Ours against one INSERT, then against the peer, if it is installed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-bench-")))
        product = stack.enter_context(ours(server, folder))
        least = stack.enter_context(bare(server))
        here = Contender("HTTP registration, 2 workers", lambda: product.load(600))
        yield take_turns(here, Contender("FastAPI and one INSERT", lambda: least.load(1200)), turns=turns, target=0.45)
        if importlib.util.find_spec("helpdesk") is None:
            print("HTTP registration / django-helpdesk: needs bench.lock (`make bench` installs it)")
            return
        peer = stack.enter_context(helpdesk(server))
        yield take_turns(
            here, Contender("django-helpdesk's ticket API", lambda: peer.load(100)), turns=turns, target=10
        )
