"""An import that is killed in the middle, and started again, leaves what one that was left alone leaves."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import psycopg
import pytest

from service.imports.mapping import load
from service.imports.table import import_table
from service.parts import open_parts
from service.settings import Settings
from tests.service.fresh import fresh_database
from tests.service.imports.tables import opened_log
from tests.service.imports.test_incidents import FILE

PROGRAM: Final = (sys.executable, "-c", "from service.cli import main; main()")
PATIENCE: Final = 120.0
WHOLE: Final = bool(os.environ.get("BIHUAN_FULL"))
CASES: Final = 1_500
KILLS: Final = 3

pytestmark = pytest.mark.postgres


def beginning(path: Path) -> Path:
    """The first cases of the file, whole; with BIHUAN_FULL=1 all of them."""
    if WHOLE:
        return FILE
    with (
        ZipFile(FILE) as archive,
        archive.open("incident_event_log.csv") as binary,
        path.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.reader(io.TextIOWrapper(binary, encoding="utf-8"))
        written = csv.writer(file)
        written.writerow(next(rows))
        for number, (_, case) in enumerate(groupby(rows, key=lambda row: row[0])):
            if number == CASES:
                break
            written.writerows(case)
    return path


def length(dsn: str) -> int:
    """How many events the log holds."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute("select count(*) from events").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.skipif(not FILE.exists(), reason="needs the shared data beside this folder, or BIHUAN_SHARED")
@pytest.mark.parametrize("server", ["embedded"], indirect=True)
def test_a_killed_import_leaves_what_a_whole_one_leaves(server: str, tmp_path: Path) -> None:
    """Killed three times at moments nobody chose, each after more was written; the decoded events are the same."""
    file = beginning(tmp_path / "beginning.csv")
    with fresh_database(server) as dsn, open_parts(Settings(home=tmp_path / "one"), dsn) as parts:
        whole = import_table(parts, file, load("incidents"))
        in_one_go = opened_log(dsn, parts)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with fresh_database(server) as dsn:
        environment = {**os.environ, "DATABASE_URL": dsn, "BIHUAN_HOME": str(tmp_path / "two")}
        for _ in range(KILLS):
            before = length(dsn)
            running = subprocess.Popen(
                [*PROGRAM, "import", "table", str(file), "--mapping", "incidents"],
                env=environment,
                stdout=subprocess.DEVNULL,
            )
            wanted = before + chance.randrange(200, whole.done // (KILLS + 1))
            until = time.monotonic() + PATIENCE
            while length(dsn) < wanted and running.poll() is None and time.monotonic() < until:
                pass
            running.send_signal(signal.SIGKILL)
            assert running.wait() == -signal.SIGKILL, f"it ended before it was killed (seed {seed})"
        cut = length(dsn)
        with open_parts(Settings(home=tmp_path / "two"), dsn) as parts:
            rest = import_table(parts, file, load("incidents"))
            assert 0 < rest.repeated < whole.done, f"nothing was cut off (seed {seed}, {cut} events)"
            assert rest.done + rest.repeated == whole.done
            assert rest.rejected == whole.rejected
            assert opened_log(dsn, parts) == in_one_go, f"seed {seed}"
