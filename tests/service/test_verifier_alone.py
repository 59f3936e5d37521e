"""The verifier is one file that runs on any Python, whatever else is or is not there."""

from __future__ import annotations

import ast
import io
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from service import verifier
from tests.service.changed_files import HALL, MAKE, OTHER_KEY, written
from tests.service.sealed_files import BEGUN, COLUMNS, LOG, Row, b64, compact, leaf

SOURCE: Final = Path(verifier.__file__)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """The verifier as somebody got it by mail, with a file of every kind beside it."""
    shutil.copy(SOURCE, tmp_path / "verifier.py")
    for kind, make in MAKE.items():
        (tmp_path / kind).write_bytes(written(make()))
    (tmp_path / "key").write_text(HALL.vkey + "\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it isolated, with nothing in the environment."""
    command = [sys.executable, "-I", "verifier.py", *arguments]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, encoding="utf-8", check=False)


def test_it_runs_where_nothing_of_ours_is(alone: Path) -> None:
    """All files in one call, with the key in a file and a checkpoint that is held."""
    done = run(alone, *MAKE, "--key", "key", "--checkpoint", "checkpoint")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(": ")[:2] for line in done.stdout.splitlines() if line[0] != " "] == [[k, "good"] for k in MAKE]


def test_what_is_wrong_is_said_first(alone: Path) -> None:
    """Then what cannot be judged; the exit status is that of the worst."""
    (alone / "forged").write_bytes(written(OTHER_KEY.receipt()))
    done = run(alone, "receipt", "nothing", "forged", "--key", HALL.vkey)
    assert [line.split(": ")[:2] for line in done.stdout.splitlines()] == [
        ["forged", "WRONG"],
        ["nothing", "cannot be judged"],
        ["receipt", "good"],
    ]
    assert done.returncode == 1
    quiet = run(alone, "receipt", "nothing", "--key", HALL.vkey, "--quiet")
    assert (quiet.returncode, quiet.stdout.count("\n"), quiet.stdout[:25]) == (2, 1, "nothing: cannot be judged")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["receipt", "--key"],
        ["receipt", "--unknown"],
        ["receipt", "--key", "nothing"],
        ["receipt", "--key", "receipt"],
        ["receipt", "--key", HALL.vkey[:-1]],
        ["receipt", "--checkpoint", "nothing"],
        ["receipt", "--checkpoint", "log.gz"],
        ["."],
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_refused(alone: Path, arguments: list[str]) -> None:
    """In words, with the exit status that is kept for it."""
    done = run(alone, *arguments)
    assert done.returncode == 2
    assert done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_it_says_how_it_is_used(alone: Path) -> None:
    """With its options."""
    done = run(alone, "--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--key", "--checkpoint", "--quiet", "FILE"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_log_can_come_through_a_pipe(alone: Path) -> None:
    """As from `curl`, without a place to go back to."""
    command = f'cat log.gz | "{sys.executable}" -I verifier.py /dev/stdin --key key'
    done = subprocess.run(["/bin/sh", "-c", command], cwd=alone, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:18]) == (0, "/dev/stdin: good: ")


def test_names_that_cannot_be_written_are_no_trouble(alone: Path) -> None:
    """A file is named in what was not told the program, or in no encoding at all."""
    name = os.fsdecode(b"\xe5\xbd\x92 \xff")
    (alone / name).write_bytes(written(HALL.receipt()))
    for env in ({"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C.UTF-8"}):
        command = [sys.executable, "verifier.py", name]
        done = subprocess.run(command, cwd=alone, env=env, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_it_imports_nothing_that_does_not_come_with_python() -> None:
    """Neither of ours nor of others, and its syntax is that of Python 3.9."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = set()
    for one in ast.walk(tree):
        match one:
            case ast.Import(names=names):
                modules |= {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=str(module), level=0):
                modules.add(module.split(".")[0])
            case ast.ImportFrom() | ast.Name(id="__import__" | "exec" | "eval" | "importlib"):
                modules.add("hidden")
    assert modules > {"hashlib", "json"}
    assert modules - {"__future__"} <= sys.stdlib_module_names
    assert not modules & {"socket", "urllib", "http", "subprocess", "ctypes", "pickle", "importlib"}


class Endless(io.RawIOBase):
    """A log export that is made while it is read."""

    def __init__(self, events: int, streams: int) -> None:
        super().__init__()
        self._lines = self._made(events, streams)
        self._rest = b""

    def _made(self, events: int, streams: int) -> Iterator[bytes]:
        head = {"format": "bihuan-log-1", "log": str(LOG), "key": HALL.vkey, "columns": COLUMNS}
        yield compact(head).encode() + b"\n"
        tree = verifier.Frontier()
        for n in range(events):
            stream = str(UUID(int=n % streams))
            row: Row = [n + 1, stream, n // streams + 1, "x.1", BEGUN + n, str(LOG), n % 9, "{}" + " " * 500]
            tree.append(leaf(LOG, row))
            yield compact(row).encode() + b"\n"
        text = f"{HALL.name}\n{events}\n{b64(tree.root())}\nepoch 1\nsigned 2026-02-14T00:00:00Z\n"
        yield compact({"checkpoint": HALL.sign(text)}).encode() + b"\n"

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Give a line, or what is left of it."""
        self._rest = self._rest or next(self._lines, b"")
        length = min(len(buffer), len(self._rest))
        buffer[:length], self._rest = self._rest[:length], self._rest[length:]
        return length


def test_a_log_of_any_length_is_read_in_the_same_memory() -> None:
    """Ten times the events of the same streams take no more."""
    peaks = []
    for events in (10_000, 60_000):
        tracemalloc.start()
        source = io.BufferedReader(Endless(events, 50), 1 << 16)  # type: ignore[type-var]
        told = verifier.log_export(source, verifier.Given())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert told[0].startswith(f"{events} events")
    assert peaks[1] < peaks[0] + 50_000
