"""`bihuan work` on a database of its own choice: it carries projections and timers, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from projections.docket import DOCKET
from projections.histories import read_stream
from tests.controls import SIGNED, upto
from tests.projections.town import CASE, Town

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]
ROOT = Path(__file__).parents[2]
MAIN = "import sys\nfrom service.cli import main\nif __name__ == '__main__': sys.exit(main())"
PATIENCE = 60


@contextmanager
def working(dsn: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program with the master key of this home; it is told to end, and ends."""
    told = {**os.environ, "BIHUAN_HOME": str(home), "DATABASE_URL": dsn, "PYTHONPATH": str(ROOT)}
    program = subprocess.Popen(
        [sys.executable, "-c", MAIN, "work"],
        env=told, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield program
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=PATIENCE) == 0
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()


def test_two_nodes_work_and_every_act_happens_once(
    database: str, pool: ConnectionPool, log_id: UUID, tmp_path: Path
) -> None:
    """A case of last February: both nodes come upon it, and it is reminded of and ordered once."""
    town = Town(pool, log_id)
    town.settle()
    town.append(CASE, *upto(SIGNED))
    with working(database, tmp_path) as one, working(database, tmp_path) as other:
        end = time.monotonic() + PATIENCE
        with psycopg.connect(database, autocommit=True) as connection:
            while len(read_stream(connection, CASE)) < len(upto(SIGNED)) + 3:
                assert one.poll() is None, "a node ended"
                assert other.poll() is None, "a node ended"
                assert time.monotonic() < end, "nothing was asked for"
                time.sleep(0.1)
            names = [entry.name for entry in read_stream(connection, CASE)][len(upto(SIGNED)) :]
            assert sorted(names) == [
                "complaint.reminded.1",
                "complaint.supervision-issued.1",
                "complaint.supervision-issued.1",
            ]
            assert DOCKET.position(connection) > 0
