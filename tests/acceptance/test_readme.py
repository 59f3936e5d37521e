"""The lines of the README do what it says, on the sample, with an embedded PostgreSQL and no other in reach."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from service.embedded import attach

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "import sys; from service.cli import main; sys.exit(main())"]
PATIENCE = 180


def lines() -> str:
    """The shell lines between the two marks."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- curl:start -->\s*```sh\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    return found[1]


def surroundings(home: Path) -> dict[str, str]:
    """An environment without another database, and without PostgreSQL on the path."""
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR"}}
    return {**kept, "PATH": "/usr/bin:/bin", "BIHUAN_HOME": str(home), "PYTHONPATH": str(ROOT)}


@contextmanager
def demo(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The sample, served."""
    server = subprocess.Popen(
        [*PROGRAM, "demo", "--port", str(port)], env=surroundings(home), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"the sample is not served: {server.communicate()[0]}")
        yield server
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)


def test_a_stranger_carries_a_complaint_round_with_the_lines_of_the_readme(tmp_path: Path) -> None:
    """Registered, carried to closed by different people, told in full and as it stood before."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    (tmp_path / ".venv/bin").mkdir(parents=True)
    program = tmp_path / ".venv/bin/bihuan"
    program.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; from service.cli import main; sys.exit(main())' \"$@\"\n"
    )
    program.chmod(0o755)
    (tmp_path / ".bihuan").symlink_to(home)
    with demo(home, port):
        dsn = attach(home / "postgres")
        assert dsn is not None
        with psycopg.connect(dsn) as connection:
            assert "PostgreSQL 18" in str(connection.execute("select version()").fetchone())
        done = subprocess.run(
            ["/bin/bash", "-eu", "-c", lines().replace(":8000", f":{port}")],
            env=surroundings(home), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    said = done.stdout
    assert done.returncode == 0, done.stderr
    assert said.count('"code":"not-your-role"') == 1, said
    assert said.count('"code":') == 1, said
    assert '"step":"closed"' in said
    full, earlier = re.findall(r"^TS-GXQ-\d{8}-\d{5}-. · .*(?:\n +\d+  .*)+", said, re.MULTILINE)
    assert "已办结" in full.splitlines()[0]
    assert "回访" in full
    assert "in progress" in earlier.splitlines()[0]
    assert len(earlier.splitlines()) == 1 + 5
    assert "欧阳" not in full + earlier
    assert re.search(r"^.bihuan/receipt.json: good: complaint TS-GXQ-.* is event .*, sealed", said, re.MULTILINE)
    assert re.search(r"^good: nothing was altered · \d+ events, \d+ of them not sealed yet", said, re.MULTILINE)


def test_the_sample_ends_by_printing_a_docket_a_history_and_an_earlier_moment(tmp_path: Path) -> None:
    """`bihuan demo --no-serve` shows what there is and ends; a second run is told nothing new."""
    outputs = [
        subprocess.run(
            [*PROGRAM, "demo", "--no-serve"],
            env=surroundings(tmp_path / "home"), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True,
        ).stdout
        for _ in range(2)
    ]  # fmt: skip
    for said in outputs:
        assert "受理" in said
        assert "then" in said
        assert "closed" in said
    assert re.search(r"^300 complaints, [1-9]\d* of \d+ commands were new", outputs[0], re.MULTILINE)
    assert re.search(r"^300 complaints, 0 of \d+ commands were new", outputs[1], re.MULTILINE)
