"""What somebody finds who holds a file against the verifier and nothing else of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from service import verifier

SOURCE: Final = Path(verifier.__file__)


@dataclass(frozen=True)
class Verdict:
    """How it ended, and what was said."""

    status: int
    said: str

    @property
    def good(self) -> bool:
        """Whether everything is as it should be."""
        return self.status == 0


def judged(folder: Path, file: bytes | str | dict[str, Any], *options: str) -> Verdict:
    """Hand a file over: bytes, a note, or what JSON has; the verifier runs alone, as `python3 -I` does."""
    data = json.dumps(file, ensure_ascii=False) if isinstance(file, dict) else file
    path = folder / "file"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    command = [sys.executable, "-I", str(SOURCE), str(path), *options]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, encoding="utf-8", check=False)
    return Verdict(done.returncode, done.stdout + done.stderr)
