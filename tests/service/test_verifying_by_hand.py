"""What docs/verifying.md tells people to do by hand works, letter for letter, on what a hall hands out."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from service.receipts import history, receipt, sign_now
from tests.service.web.house import Hall

pytestmark = pytest.mark.postgres

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "verifying.md"
BLOCKS: Final = re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
RECEIPT, KEYS, OPENSSL, LEAVES = (code for _, code in BLOCKS)


@pytest.fixture
def files(hall: Hall, tmp_path: Path) -> Path:
    """A folder with the receipt of a complaint and its history, both sealed, among other complaints."""
    cases = [hall.complain() for _ in range(9)]
    hall.carry(cases[4], "sign-for")
    hall.project()
    sign_now(hall.parts)
    case = UUID(cases[4].id)
    write(tmp_path / "receipt.json", receipt(hall.parts, case).file())
    write(tmp_path / "history.json", history(hall.parts, case).file())
    return tmp_path


def write(path: Path, file: dict[str, Any]) -> None:
    """Write a file as it is handed out."""
    path.write_text(json.dumps(file, ensure_ascii=False), encoding="utf-8")


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run a piece of Python of the document, with Python alone."""
    return subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def changed(folder: Path, name: str, at: str) -> None:
    """Change one letter of a note of the receipt, behind these letters."""
    file = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))
    note = file[name]
    place = note.index(at) + len(at)
    file[name] = note[:place] + ("B" if note[place] == "A" else "A") + note[place + 1 :]
    write(folder / "receipt.json", file)


def test_a_receipt_is_checked_with_a_few_lines_of_python(files: Path) -> None:
    """A receipt of this log is sealed; one with another leaf is not."""
    assert python(files, RECEIPT).stdout == "sealed\n"
    changed(files, "promise", "\nleaf ")
    assert python(files, RECEIPT).stdout == "NOT in the log that was signed\n"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here: apt-get install openssl")
@pytest.mark.parametrize("name", ["promise", "checkpoint"])
def test_the_signatures_are_checked_with_openssl(files: Path, name: str) -> None:
    """Both hold; a text in which a letter was changed does not."""
    commands = OPENSSL.strip().split("\n")
    for altered in (False, True):
        if altered:
            changed(files, name, "\n")
        assert python(files, KEYS).returncode == 0
        told = [
            subprocess.run(one.split(), cwd=files, capture_output=True, text=True, check=False).returncode
            for one in commands
        ]
        assert told == [int(altered and name == one) for one in ("promise", "checkpoint")]


def test_the_leaves_of_a_history_are_what_the_receipt_promised(files: Path) -> None:
    """Computed from the stored bytes by the definition of the format."""
    lines = python(files, LEAVES).stdout.splitlines()
    promise = json.loads((files / "receipt.json").read_text(encoding="utf-8"))["promise"].split("\n")
    said = dict(line.split(" ", 1) for line in promise[1:5])
    events = json.loads((files / "history.json").read_text(encoding="utf-8"))["events"]
    assert len(lines) == len(events) > 3
    assert lines[0].split()[0] == said["position"]
    assert lines[0].split()[-1] == said["leaf"]
    assert len(base64.b64decode(said["leaf"])) == 32
