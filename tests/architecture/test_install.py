"""From a bare machine to a .venv that is whole: told plainly, done once, never half."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

INSTALL: Final = Path(__file__).parents[2] / ".ci" / "install"

pytestmark = pytest.mark.acceptance


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project of one empty lock, to install."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "install").write_text(INSTALL.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    return tmp_path


def install(folder: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    """Run .ci/install for requirements.lock, with no package index in reach."""
    return subprocess.run(
        ["sh", ".ci/install", "requirements"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def stand_in(folder: Path, script: str) -> Path:
    """An interpreter that behaves as the shell script says."""
    path = folder / "stand-in-python"
    path.write_text(f'#!/bin/sh\n{script}\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('case "$2" in *ensurepip*) exit 1;; esac', "install python3-venv"),
        ('case "$2" in venv) echo oops; exit 1;; esac', "It said: oops"),
        ('case "$1" in -c) exit 1;; -V) echo Python 3.9.2; exit;; esac', "3.11 or newer is needed, and"),
    ],
)
def test_a_machine_that_cannot_begin_is_told_why_in_one_line(copy: Path, script: str, said: str) -> None:
    """No venv module, a venv module that fails, and an old Python each give one line that says what to do."""
    report = install(copy, stand_in(copy, script))
    assert report.returncode == 1
    assert report.stderr.count("\n") == 1, report.stderr
    assert said in report.stderr
    assert not (copy / ".venv" / "requirements.lock").exists()


def test_an_install_broken_off_does_not_count_and_one_done_is_not_repeated(copy: Path) -> None:
    """After a failure the next run begins again; after a success it has nothing to do, until the lock changes."""
    lock, stamp = copy / "requirements.lock", copy / ".venv" / "requirements.lock"
    lock.write_text("bihuan-not-there==1 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    report = install(copy, sys.executable)
    assert report.returncode == 1
    assert "does not count" in report.stderr
    assert not stamp.exists()

    lock.write_text("# nothing\n", encoding="utf-8")
    report = install(copy, sys.executable)
    assert report.returncode == 0, report.stderr
    assert stamp.read_bytes() == lock.read_bytes()
    assert "Making" not in report.stdout, "the .venv itself was whole"

    assert install(copy, "no-such-python").stdout == "", "a second run asks for nothing"

    lock.write_text("# something else\n", encoding="utf-8")
    assert "Installing" in install(copy, "no-such-python").stdout
    assert stamp.read_bytes() == lock.read_bytes()


def test_the_command_works_after_the_folder_is_moved(copy: Path) -> None:
    """No path is written into what is installed."""
    assert install(copy, sys.executable).returncode == 0
    (copy / "service").mkdir()
    (copy / "service" / "cli.py").write_text(
        "import sys\n\ndef main() -> None:\n    print(sys.argv[1:], sys.flags.safe_path)\n", encoding="utf-8"
    )
    moved = copy.with_name("moved to a name with blanks")
    copy.rename(moved)
    elsewhere = moved / "elsewhere"
    (elsewhere / "service").mkdir(parents=True)
    (elsewhere / "bihuan").symlink_to(moved / ".venv" / "bin" / "bihuan")
    report = subprocess.run(
        ["./bihuan", "history", "a case"],
        cwd=elsewhere, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert report.stdout == "['history', 'a case'] True\n", report.stderr
