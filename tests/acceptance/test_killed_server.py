"""The whole program killed in the middle of registrations, and started again where it was."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from uuid import uuid4

import psycopg
import pytest

from service.embedded import open_database

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
MAIN = "import sys\nfrom service.cli import main\nif __name__ == '__main__': sys.exit(main())"
PATIENCE = 60
ROUNDS = 2


def answering(port: int) -> bool:
    """Whether the program answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


def started(home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the program, and wait until it answers."""
    told = {**os.environ, "BIHUAN_HOME": str(home), "BIHUAN_REGISTRATIONS_PER_HOUR": "0", "PYTHONPATH": str(ROOT)}
    told.pop("DATABASE_URL", None)
    program = subprocess.Popen(
        [sys.executable, "-c", MAIN, "serve", "--port", str(port), "--workers", "2"],
        env=told, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while not answering(port):
        assert program.poll() is None, "the program ended"
        assert time.monotonic() < end, "the program does not answer"
        time.sleep(0.05)
    return program


def ask(port: int, key: str) -> dict[str, object] | None:
    """Register under a key; None where the answer did not come."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        form = json.dumps({"hall": "GXQ", "narrative": f"第{key}件"})
        connection.request("POST", "/api/v1/complaints", form, headers)
        answer = connection.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == 201 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def test_a_killed_program_loses_nothing_and_starts_again_on_the_same_address(tmp_path: Path) -> None:
    """What was answered stands, what was not is done once when it is asked again, and numbers have no gap."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    answers: dict[str, dict[str, object]] = {}
    for _ in range(ROUNDS):
        program = started(home, port)
        enough, over = Event(), Event()

        def register(_: int, enough: Event = enough, over: Event = over) -> list[str]:
            lost = []
            while not over.is_set():
                key = uuid4().hex
                answer = ask(port, key)
                if answer is None:
                    lost.append(key)
                    over.wait(0.05)
                else:
                    answers[key] = answer
                    enough.set()
            return lost

        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(register, n) for n in range(4)]
            assert enough.wait(PATIENCE)
            over.wait(0.3)
            program.send_signal(signal.SIGKILL)
            program.wait(PATIENCE)
            over.set()
            lost = [key for one in asked for key in one.result()]
        program = started(home, port)
        for key in [*lost, *answers]:
            again = ask(port, key)
            assert again is not None
            assert answers.setdefault(key, again) == again
        program.send_signal(signal.SIGINT)
        program.wait(PATIENCE)
    with open_database(home / "postgres") as dsn, psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select count(*), max(position) from events union all"
            " select count(*), count(distinct stream_id) from events where name = 'complaint.registered.1'"
        ).fetchall()
        numbers = connection.execute("select key from claims where kind = 'complaint_no' order by key").fetchall()
    assert found[0][0] == found[0][1]
    assert found[1] == (len(answers), len(answers))
    days: dict[str, list[int]] = {}
    for (number,) in numbers:
        days.setdefault(number[:16], []).append(int(number.split("-")[3]))
    assert all(sorted(day) == list(range(1, len(day) + 1)) for day in days.values())
