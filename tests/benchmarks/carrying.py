"""Carry every projection over a log, in a process of its own, as a server does.

python -m tests.benchmarks.carrying DSN HOME    to the end, a checkpoint at every hundredth part; prints events/s
python -m tests.benchmarks.carrying DSN         until standard input is closed
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Final

import psycopg
import structlog

from projections import PROJECTIONS
from projections.runner import Runner
from service.parts import open_parts
from service.sealer import seal
from service.settings import Settings
from service.worker import Worker

CHECKPOINTS: Final = 100


def carry(dsn: str, home: Path) -> float:
    """Carry everything to the end of the log; give how many events it were in a second, signing included."""
    with open_parts(Settings(home=home), dsn) as parts, psycopg.connect(dsn, autocommit=True) as connection:
        end = parts.recorder.max_notification_id() or 0
        runner = Runner(connection, PROJECTIONS)
        runner.take()
        done = signed = 0
        start = time.perf_counter()
        while read := runner.step():
            done += read
            if done - signed >= end // CHECKPOINTS or done == end:
                seal(connection, parts.signer, home)
                signed = done
        return done / (time.perf_counter() - start)


def main() -> None:
    """Read the command line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    dsn, *home = sys.argv[1:]
    if home:
        print(carry(dsn, Path(home[0])))
        return
    with Worker(dsn):
        sys.stdin.read()


if __name__ == "__main__":
    main()
