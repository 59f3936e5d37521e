"""Rows that were not taken, in a file for whoever mends them: where, which case, and why; never what stands there."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from service.imports.planning import Remark

HEADER: Final = ("row", "case", "reason")
FORMULA: Final = ("=", "+", "-", "@")
LONGEST: Final = 64
"""Characters of a case's number: longer ones are hardly numbers, and might be what somebody wrote."""


def beside(path: Path) -> Path:
    """Give where the rejects of a file are written if nobody says where."""
    return path.with_name(f"{path.name}.rejected.csv")


def write(path: Path, rejected: Iterable[Remark]) -> None:
    """Write the rejects, instead of those of an earlier run. Raises OSError."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerows((remark.row, _no_formula(plain(remark.case)), remark.said) for remark in rejected)


def plain(case: str) -> str:
    """Give the number of a case as it can be shown: not too long, and without signs that would steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in case[:LONGEST])


def _no_formula(case: str) -> str:
    # A spreadsheet would compute what begins like this.
    return f"'{case}" if case.startswith(FORMULA) else case
