"""The export of the log: stored bytes, one row a line, with checkpoints right after the row of their size."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from projections.leaf import COLUMNS, Leaf
from projections.merkle import EMPTY_ROOT, root_of
from projections.seals import LeafAltered, Tree
from service.adoption import adopt_first
from service.asking import Asked
from service.exports.log import MOST, ExportError, Head, opened_log, sealed_now, snapshot, write_log
from service.forms.intake import RegisterForm
from service.parts import Parts, open_parts
from service.settings import Settings
from service.signing import Checkpoint, opened
from tests.service.watching import asking

ROWS: Final = """
select position, stream_id::text, version, name, (extract(epoch from recorded_at) * 1000000)::bigint, command_id::text,
    command_seq, convert_from(state, 'UTF8') from events order by position"""


@pytest.fixture
def parts(database: str, tmp_path: Path) -> Iterator[Parts]:
    """A house without anything in it."""
    with open_parts(Settings(home=tmp_path / "home"), database) as found:
        yield found


def fill(parts: Parts, cases: int = 1) -> None:
    """Adopt the rules and register complaints, two events each."""
    adopt_first(parts.book)
    for _ in range(cases):
        asked = Asked(command_id=uuid4(), source="test", name="register")
        parts.desk.register(RegisterForm(hall="GXQ", narrative="窗口\u2028无人。"), None, asked)


def exported(parts: Parts) -> bytes:
    """Export the log."""
    written = BytesIO()
    with snapshot(parts) as (connection, signed):
        write_log(connection, written.write, Head(parts.recorder.log_id, parts.signer.vkey), signed)
    return written.getvalue()


def checkpoint(parts: Parts, note: str) -> Checkpoint:
    """Read a note that was signed here."""
    return Checkpoint.read(opened(note, [parts.signer.vkey]))


@pytest.mark.postgres
def test_it_holds_every_row_as_it_is_stored(parts: Parts) -> None:
    """In the order of the log, with the state as text: its bytes in UTF-8 are the stored ones."""
    fill(parts)
    first, *rows, last = [json.loads(line) for line in exported(parts).split(b"\n")[:-1]]
    assert first == {
        "format": "bihuan-log-1",
        "log": str(parts.recorder.log_id),
        "key": parts.signer.vkey,
        "columns": list(COLUMNS),
    }
    assert rows == [list(row) for row in asking(parts.dsn, ROWS)]
    told = checkpoint(parts, last["checkpoint"])
    leaves = [row[0] for row in asking(parts.dsn, "select leaf_hash from events order by position")]
    assert (told.size, told.root, list(last)) == (len(rows), root_of(leaves), ["checkpoint"])


@pytest.mark.postgres
def test_an_empty_log_is_sealed_too(parts: Parts) -> None:
    """Two lines; the checkpoint over nothing is signed for this file alone."""
    _, last = [json.loads(line) for line in exported(parts).splitlines()]
    told = checkpoint(parts, last["checkpoint"])
    assert (told.size, told.root) == (0, EMPTY_ROOT)
    assert asking(parts.dsn, "select from checkpoints") == []


@pytest.mark.postgres
@pytest.mark.parametrize("server", ["embedded"], indirect=True)
def test_it_holds_few_checkpoints_and_always_the_last(parts: Parts) -> None:
    """Evenly spread, each right after the row of its size: a year of them would be a million."""
    fill(parts, 140)
    size = sealed_now(parts).checkpoint.size
    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        tree = Tree(connection)
        for at in range(1, size):
            one = Checkpoint(
                origin=parts.signer.name,
                size=at,
                root=tree.root(at),
                epoch=1,
                signed_at=checkpoint(parts, sealed_now(parts).note).signed_at,
            )
            connection.execute(
                "insert into checkpoints values (%s, %s, 1, %s, %s)",
                (at, one.root, one.signed_at, parts.signer.sign(one.text())),
            )
    lines: list[Any] = [json.loads(line) for line in exported(parts).splitlines()][1:]
    seen, rows = [], 0
    for line in lines:
        if isinstance(line, dict):
            assert checkpoint(parts, line["checkpoint"]).size == rows
            seen.append(rows)
        else:
            rows += 1
    assert MOST // 2 < len(seen) <= MOST < size
    assert seen[-1] == rows == size
    assert max(b - a for a, b in zip([0, *seen], seen, strict=False)) <= 2 * (size // MOST + 1)


@pytest.mark.postgres
def test_a_checkpoint_that_does_not_fit_is_not_passed_on(parts: Parts) -> None:
    """Nor a row that was altered: what is exported can be checked."""
    fill(parts)
    sealed_now(parts)
    with parts.pool.connection() as connection:
        connection.execute("insert into checkpoints values (1, %s, 1, now(), 'made up')", (bytes(32),))
    with pytest.raises(LeafAltered, match=r"^1$"):
        exported(parts)
    with parts.pool.connection() as connection:
        connection.execute("alter table checkpoints disable trigger all")
        connection.execute("delete from checkpoints where size = 1")
        connection.execute("alter table events disable trigger all")
        connection.execute("update events set state = convert_to('{}', 'UTF8') where position = 2")
    with pytest.raises(LeafAltered, match=r"^2$"):
        exported(parts)


@pytest.mark.postgres
@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_is_read_again(parts: Parts, tmp_path: Path, *, packed: bool) -> None:
    """Packed or not: the same leaves."""
    fill(parts, 3)
    data = exported(parts)
    (tmp_path / "log").write_bytes(gzip.compress(data) if packed else data)
    with opened_log(tmp_path / "log") as (head, rows):
        assert head == Head(parts.recorder.log_id, parts.signer.vkey)
        read = list(rows)
    hashes = [row[0] for row in asking(parts.dsn, "select leaf_hash from events order by position")]
    assert [one.digest() for one in read if isinstance(one, Leaf)] == hashes
    assert isinstance(read[-1], str)


HEAD: Final = {"format": "bihuan-log-1", "log": str(UUID(int=1)), "key": "k", "columns": list(COLUMNS)}
ROW: Final = [1, str(UUID(int=2)), 1, "complaint.accepted.1", 0, str(UUID(int=3)), 0, "{}"]


def read(path: Path, *lines: object) -> list[Leaf | str]:
    """Read a file of these lines."""
    path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    with opened_log(path) as (_, rows):
        return list(rows)


def test_the_shortest_log_is_read(tmp_path: Path) -> None:
    """The lines that the tests below spoil are good."""
    leaf, note = read(tmp_path / "log", HEAD, ROW, {"checkpoint": "note"})
    assert isinstance(leaf, Leaf)
    assert (leaf.position, leaf.state, note) == (1, b"{}", "note")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ({**HEAD, "format": "bihuan-log-2"}, "another version"),
        ({**HEAD, "columns": []}, "another version"),
        ({**HEAD, "log": "mine"}, "not the export"),
        ({"format": "bihuan-log-1"}, "not the export"),
        ([], "not the export"),
        ("bihuan/", "not the export"),
    ],
)
def test_another_file_is_no_log(tmp_path: Path, head: object, why: str) -> None:
    """Its first line says what it is."""
    with pytest.raises(ExportError, match=why):
        read(tmp_path / "log", head, ROW)


@pytest.mark.parametrize(
    "row",
    [
        ROW[:7],
        [*ROW, 1],
        [1, "stream", *ROW[2:]],
        [*ROW[:4], "now", *ROW[5:]],
        [*ROW[:4], 10**30, *ROW[5:]],
        [*ROW[:7], 7],
        [*ROW[:7], "\ud800"],
        {"checkpoint": 1},
        {"note": "x"},
        {},
        7,
        None,
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, row: object) -> None:
    """By its number in the file."""
    with pytest.raises(ExportError, match=r"^Line 3 "):
        read(tmp_path / "log", HEAD, ROW, row)


def test_a_file_that_ends_too_early_is_told(tmp_path: Path) -> None:
    """As a copy that was cut off does, and one whose bytes were changed."""
    whole = gzip.compress(json.dumps(HEAD).encode() + b"\n" + json.dumps(ROW).encode() + b"\n")
    for data in (whole[:-9], whole[:30] + bytes(8) + whole[38:], b""):
        (tmp_path / "log").write_bytes(data)
        with pytest.raises(ExportError), opened_log(tmp_path / "log") as (_, rows):
            list(rows)
