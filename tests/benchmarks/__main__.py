"""Measure on a server of our own, as it comes, and print ratios beside those to reach."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import structlog

from service.embedded import Embedded
from tests.benchmarks import appends, registering, sealing
from tests.benchmarks.contest import ROW, Contest, Figure

GROUPS: Final[Mapping[str, Callable[[str, int, int], Iterator[Contest | Figure]]]] = {
    "appends": lambda server, turns, _: appends.contests(server, turns),
    "registering": lambda server, turns, _: registering.contests(server, turns),
    "sealing": sealing.rows,
}


def main() -> None:
    """Read the command line, measure, print. Nothing is asserted: a busy machine is no fault of the program's."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="how often contenders alternate")
    parser.add_argument("--events", type=int, default=1_000_000, help="how long a log is audited")
    parser.add_argument("--only", choices=GROUPS)
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(
        ROW.format("who / yardstick: medians of both and of their ratios", "who", "yardstick", "ratio", "(turns)", "")
    )
    for name, rows in GROUPS.items():
        if told.only in {None, name}:
            print(f"python -m tests.benchmarks --only {name} --turns {told.turns} --events {told.events}")
            with (
                tempfile.TemporaryDirectory(prefix="bihuan-bench-", ignore_cleanup_errors=True) as folder,
                Embedded(Path(folder) / "postgres") as server,
            ):
                for row in rows(server.dsn, told.turns, told.events):
                    row.show()


if __name__ == "__main__":
    main()
