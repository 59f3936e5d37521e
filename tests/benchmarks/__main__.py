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
from tests.benchmarks import appends, registering
from tests.benchmarks.contest import ROW, Contest

GROUPS: Final[Mapping[str, Callable[[str, int], Iterator[Contest]]]] = {
    "appends": appends.contests,
    "registering": registering.contests,
}


def main() -> None:
    """Read the command line, measure, print. Nothing is asserted: a busy machine is no fault of the program's."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="how often contenders alternate")
    parser.add_argument("--only", choices=GROUPS)
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(
        ROW.format("who / yardstick: medians of both and of their ratios", "who", "yardstick", "ratio", "(turns)", "")
    )
    for name, contests in GROUPS.items():
        if told.only in {None, name}:
            print(f"python -m tests.benchmarks --only {name} --turns {told.turns}")
            with (
                tempfile.TemporaryDirectory(prefix="bihuan-bench-", ignore_cleanup_errors=True) as folder,
                Embedded(Path(folder) / "postgres") as server,
            ):
                for contest in contests(server.dsn, told.turns):
                    contest.show()


if __name__ == "__main__":
    main()
