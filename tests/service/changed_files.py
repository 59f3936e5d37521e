"""What a forger does to the files of a hall: good ones, ways to change them, and how a changed one is judged."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid5

import pytest

from service.verifier import DOCUMENT, L, main
from tests.service.sealed_files import LOG, Hall, b64, compact, example, lines, zipped

HALL: Final = example()
OTHER_KEY: Final = example(seed=b"another seed, in somebody's hand")
GHOST: Final = uuid5(LOG, "another case")
Made = Any
"""A file before it is written: the object or lines in it, the files of a zip, text, or bytes."""

MAKE: Final[dict[str, Callable[[], Made]]] = {
    "receipt": HALL.receipt,
    "promise": lambda: HALL.receipt(sealed=False),
    "consistency": lambda: HALL.consistency(5),
    "history": HALL.history,
    "log": lambda: HALL.export(3, 8),
    "log.gz": lambda: gzip.compress(lines(HALL.export(3, 8)), mtime=0),
    "package": lambda: whole(HALL.package_files()),
    "checkpoint": HALL.checkpoint,
}


def whole(files: dict[str, bytes]) -> dict[str, bytes]:
    """Sign the list of some files."""
    return {**files, "manifest.txt": HALL.manifest(files)}


def written(made: Made) -> bytes:
    """Write a file."""
    match made:
        case bytes():
            return made
        case str():
            return made.encode("utf-8", "surrogatepass")
        case list():
            return lines(made)
        case {"history.json": _}:
            return zipped(made)
    return json.dumps(made, separators=(",", ":")).encode()


def judged(file: Path, made: Made, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Give the exit status for a file, and the first line said."""
    file.write_bytes(written(made))
    status = main([str(file), *options])
    return status, "".join(capsys.readouterr()).split("\n")[0].removeprefix(f"{file}: ")


def signed(text: str) -> str:
    """Sign a text as the hall does."""
    return HALL.sign(text)


def point(text: str) -> str:
    """Give a checkpoint in which something (`old -> new`) was replaced, signed all the same."""
    old, new = text.split(" -> ")
    return signed(f"{HALL.checkpoint().split(chr(10) * 2)[0]}\n".replace(old, new))


def without(made: Any, key: str) -> Any:  # noqa: ANN401 - a document
    """Leave a key out."""
    return {name: value for name, value in made.items() if name != key}


def put(made: Made, *place: Any) -> Made:  # noqa: ANN401 - keys and indexes, and the new value
    """Put the last argument at the place told by those before it."""
    *way, last, value = place
    at = made
    for step in way:
        at = at[step]
    at[last] = value
    return made


def dropped(made: list[Any], *indexes: int) -> list[Any]:
    """Leave some elements out."""
    return [one for index, one in enumerate(made) if index not in indexes]


def of(rows: list[Any]) -> Hall:
    """Make the hall that recorded, and sealed, these rows."""
    return example(rows=rows)


def renumbered(rows: list[Any]) -> list[Any]:
    """Number rows anew, as whoever rewrites a log would."""
    return [[position, *one[1:]] for position, one in enumerate(rows, 1)]


def state(position: int, text: str) -> list[Any]:
    """Give a row of the log with another state."""
    return [*HALL.rows[position - 1][:7], text]


def malleable(note: str) -> str:
    """Spell the signature of a note in the second way that a careless verifier takes."""
    text, line = note.split("\n\n")
    raw = base64.b64decode(line.split(" ")[2])
    again = int.from_bytes(raw[36:], "little") + L
    return f"{text}\n\n\u2014 {HALL.name} {b64(raw[:36] + again.to_bytes(32, 'little'))}\n"


def loosely(text: str) -> str:
    """Spell base64 so that its unused bits are not zero."""
    return text[:-2] + chr(ord(text[-2]) + 1) + "="


def loose_zip(change: Callable[[zipfile.ZipFile, dict[str, bytes]], None]) -> bytes:
    """Make the package by hand."""
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as box:
            change(box, whole(HALL.package_files()))
        return made.getvalue()


def doubled(box: zipfile.ZipFile, files: dict[str, bytes]) -> None:
    """Put a file in twice."""
    for name, data in files.items():
        box.writestr(name, data)
    with pytest.warns(UserWarning, match="Duplicate name"):
        box.writestr("README.txt", b"Another one.")


def remarked(box: zipfile.ZipFile, files: dict[str, bytes]) -> None:
    """Add a comment behind the files."""
    for name, data in files.items():
        box.writestr(name, data)
    box.comment = b"PK"


def hiding(box: zipfile.ZipFile, files: dict[str, bytes]) -> None:
    """Put a file between the others that the table of contents does not name."""
    for name, data in files.items():
        box.writestr(name, data)
        if name == "told.en.txt":
            box.writestr("told.en.txt.exe", b"found by programs that read on and on")
    box.filelist = [one for one in box.filelist if one.filename in files]


def squeezed(box: zipfile.ZipFile, files: dict[str, bytes]) -> None:
    """Use a compression that not everybody can read."""
    for name, data in files.items():
        box.writestr(name, data, zipfile.ZIP_BZIP2)


def bombed(box: zipfile.ZipFile, files: dict[str, bytes]) -> None:
    """Make one file very long."""
    for name, data in files.items():
        box.writestr(name, data + bytes(DOCUMENT if name == "README.txt" else 0), zipfile.ZIP_DEFLATED)


def vkey(name: str, hall: Hall, kind: int = 1) -> str:
    """Give the key of a hall under another name, or as one of another kind."""
    raw = bytes([kind]) + base64.b64decode(hall.vkey[-44:])[1:]
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    return f"{name}+{key_id}+{b64(raw)}"


def root64() -> str:
    """Give the root of the log."""
    return HALL.checkpoint().split("\n")[2]


def less(made: Made, *indexes: int) -> Made:
    """Leave events and their proofs out of a history."""
    return {**made, "events": dropped(made["events"], *indexes), "inclusion": dropped(made["inclusion"], *indexes)}


def attached(made: Made, attachments: object) -> Made:
    """Name other attachments, and sign it."""
    return whole({**without(made, "manifest.txt"), "attachments.json": compact(attachments).encode()})


def seen(
    kind: str, change: Callable[[Made], Made], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Assert that a good file is not good any more once changed, and that one sentence says where."""
    good = MAKE[kind]()
    # Without the key, a file that names a bad one is judged for itself.
    options = ["--key", HALL.vkey] if kind == "checkpoint" else []
    assert judged(tmp_path / "file", good, capsys, *options)[0] == 0
    status, said = judged(tmp_path / "file", change(copy.deepcopy(good)), capsys, *options)
    assert re.match(says, said), said
    assert status == (1 if said.startswith("WRONG: ") else 2)
    assert len(said) < 500
    assert said.isprintable()
