"""What was answered survives kill -9 of writer and server; tests/torture does it, here once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SERVERS, SYSTEM_15

pytestmark = [pytest.mark.postgres, pytest.mark.acceptance]


@pytest.mark.parametrize("which", SERVERS)
def test_nothing_that_was_answered_is_lost_in_a_crash(which: str) -> None:
    """One round of torture finds nothing missing, and its control, which does not flush, does."""
    bindir = ["--bindir", str(SYSTEM_15)] if which == "system-15" else []
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--rounds", "1", *bindir],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    told = r"(\d+) commands answered, (\d+) ratings among them, nothing lost, nothing doubled; .* lost (\d+) of"
    found = re.search(told, said)
    assert found is not None, said
    assert min(map(int, found.groups())) > 0, said
