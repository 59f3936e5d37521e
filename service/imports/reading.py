"""Files as rows: CSV, workbooks and event logs, plain or packed; read as a stream, with bounds that no bomb passes."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from service.imports.mapping import Source
from service.imports.xes import NotXes, events

LARGEST: Final = 2 << 30
"""The most bytes a packed file may unpack to."""
LARGEST_WORKBOOK: Final = 512 << 20
"""The most bytes of a workbook: its texts are held in memory while it is read."""
HEAVIEST: Final = 250
"""How many times its packed size a file may unpack to; real tables stay below 100."""
SMALL: Final = 1 << 20
"""What unpacks to less is no danger, however well it was packed."""
LONGEST_LINE: Final = 2_000_000
"""Characters of a line of a CSV file; a cell has at most 131,072 (the limit of the csv module)."""
DOCUMENT_TYPE: Final = b"<!DOCTYPE"
"""Only behind this an entity can be declared, which blows a small file up to a large one or reads another file."""
HEAD: Final = 4096
ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
SUFFIXES: Final = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xes": "xes"}


class NotThisTable(Exception):
    """A file cannot be read by this mapping at all; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that cannot be read, and why; the text never quotes it."""

    why: str


Value = str | datetime | Broken | None
"""A cell: a text, a date of a workbook (local), something broken, or nothing."""
Unread = Callable[[Sequence[str]], None]
"""Told the columns of a table of which nothing is taken."""
Row = tuple[int, tuple[Value, ...]]
"""The number of a row, as a spreadsheet shows it (an event log: the number of the event), and the cells asked for."""


def read(path: Path, source: Source, wanted: Sequence[str], unread: Unread = lambda _names: None) -> Iterator[Row]:
    """Read the rows of a file; of each the columns asked for, in their order, null markers as None. No row is empty.

    The columns of a table that nobody asks for are told to `unread`. Raises NotThisTable, OSError.
    """
    with _opened(path, source) as (file, kind):
        match kind:
            case "csv":
                found = _csv(file, source, wanted, unread)
            case "xlsx":
                found = _xlsx(file, source, wanted, unread)
            case _:
                found = _xes(file, wanted)
        nothing = {None, "", *source.null}
        try:
            for number, cells in found:
                known = tuple(None if cell in nothing else cell for cell in cells)
                if any(cell is not None for cell in known):
                    yield number, known
        except (EOFError, zlib.error, BadZipFile, SyntaxError) as error:  # broken XML is a SyntaxError
            raise NotThisTable(f"the file is damaged ({type(error).__name__}); fetch it again") from error


@contextmanager
def _opened(path: Path, source: Source) -> Iterator[tuple[IO[bytes], str]]:
    """Give the table inside a file, unpacked, and what kind it is."""
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        name = path.name
        if name.lower().endswith(".gz"):
            packed = path.stat().st_size
            file = io.BufferedReader(_Bounded(stack.enter_context(gzip.open(file)), packed))  # type: ignore[arg-type]
            name = name[:-3]
        elif name.lower().endswith(".zip"):
            file, name = _member(stack, file, source.member)
        kind = source.format or SUFFIXES.get(PurePosixPath(name.lower()).suffix)
        if kind is None:
            raise NotThisTable(f"{name}: what kind of file is this? Write format under [source]: csv, xlsx or xes")
        if kind == "xlsx" and name != path.name:
            file = stack.enter_context(_on_disk(file))
        yield file, kind


def _member(stack: ExitStack, file: IO[bytes], wanted: str | None) -> tuple[IO[bytes], str]:
    archive = stack.enter_context(_zip(file))
    _bounded(archive.infolist(), LARGEST)
    there = [one for one in archive.infolist() if not one.is_dir()]
    fitting = [one for one in there if wanted in {None, one.filename}]
    if len(fitting) != 1:
        names = ", ".join(one.filename for one in there[:5]) or "nothing"
        raise NotThisTable(f"the zip holds {names}; write which one under [source] as member")
    if fitting[0].flag_bits & 1:
        raise NotThisTable("the file in the zip is encrypted; unpack it and give the file itself")
    return stack.enter_context(archive.open(fitting[0])), fitting[0].filename


def _zip(file: IO[bytes]) -> ZipFile:
    try:
        return ZipFile(file)
    except BadZipFile as error:
        raise NotThisTable("this is no zip, or a damaged one; fetch it again") from error


def _bounded(members: Sequence[ZipInfo], most: int) -> None:
    # What a zip says of its sizes is a bound: the reader stops there.
    _fits(sum(one.file_size for one in members), sum(one.compress_size for one in members), most)


def _fits(unpacked: int, packed: int, most: int) -> None:
    if unpacked > most or unpacked > max(SMALL, packed * HEAVIEST):
        raise NotThisTable("the file unpacks to more than a table would; unpack it yourself if you trust it")


class _Bounded(io.RawIOBase):
    """Reads on until more came out than a table would hold."""

    def __init__(self, file: IO[bytes], packed: int) -> None:
        self._file = file
        self._packed = packed
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        try:
            data = self._file.read(len(buffer))
        except gzip.BadGzipFile as error:
            raise NotThisTable("this is no gz file, or a damaged one; fetch it again") from error
        self._read += len(data)
        _fits(self._read, self._packed, LARGEST)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give a file that can be read from any place; it has no name, and is gone when it is closed."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy


def _csv(file: IO[bytes], source: Source, wanted: Sequence[str], unread: Unread) -> Iterator[Row]:
    text = io.TextIOWrapper(file, encoding=source.encoding, newline="")
    delimiter = source.delimiter
    try:
        rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        places = _places(next(rows, []), wanted, unread)
        for number, cells in enumerate(rows, 2):
            yield number, tuple(cells[place] if place < len(cells) else None for place in places)
    except csv.Error as error:
        raise NotThisTable(f"the file is no CSV with {delimiter!r} between its cells: {error}") from error
    except UnicodeError as error:
        raise NotThisTable(
            f"the file is not {source.encoding}; write its encoding under [source], as encoding"
        ) from error
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise csv.Error("a line has no end")
        yield line


def _xlsx(file: IO[bytes], source: Source, wanted: Sequence[str], unread: Unread) -> Iterator[Row]:
    with _zip(file) as archive:
        _bounded(archive.infolist(), LARGEST_WORKBOOK)
        if any(DOCUMENT_TYPE in archive.open(one).read(HEAD) for one in archive.infolist() if not one.is_dir()):
            raise NotThisTable("the workbook declares a document type, which none has use for; save it anew")
    file.seek(0)
    try:
        # Formulas are given as they are written: a text that begins with = is a text, and nothing is computed.
        workbook = load_workbook(file, read_only=True, data_only=False)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise NotThisTable("this is no workbook (.xlsx); save it as one, or as CSV") from error
    if source.sheet is not None and source.sheet not in workbook.sheetnames:
        raise NotThisTable(f"there is no sheet {source.sheet}; the workbook has {', '.join(workbook.sheetnames)}")
    if not workbook.worksheets:
        raise NotThisTable("the workbook has no sheet with cells; choose another file")
    sheet = workbook[source.sheet] if source.sheet is not None else workbook.worksheets[0]
    sheet.reset_dimensions()  # what a workbook says of its size may be wrong
    rows = sheet.iter_rows(values_only=True)
    places = _places([str(cell) for cell in next(rows, ())], wanted, unread)
    for number, cells in enumerate(rows, 2):
        yield number, tuple(_value(cells[place]) if place < len(cells) else None for place in places)


def _value(cell: object) -> Value:
    match cell:
        case None:
            return None
        case bool():
            return str(cell).lower()
        case datetime():
            return cell
        case date():
            return datetime.combine(cell, time())
        case float() if cell.is_integer():
            return str(int(cell))
        case str():
            return unescaped(cell)
        case _:
            # An array formula is an object of its own.
            return unescaped(str(getattr(cell, "text", cell)))


def unescaped(text: str) -> str | Broken:
    """Give the characters that a workbook can only hold as `_xHHHH_` (ECMA-376 part 1, 22.9.2.19, ST_Xstring)."""
    if "_x" not in text:
        return text
    plain = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        # A character beyond the first 65,536 is written as two escapes.
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return Broken("half a character is escaped there; write it whole")


def _xes(file: IO[bytes], wanted: Sequence[str]) -> Iterator[Row]:
    try:
        found = events(file)
        first = next(found, None)
        for number, attributes in enumerate(chain([] if first is None else [first], found), 1):
            yield number, tuple(attributes.get(name) for name in wanted)
    except NotXes as error:
        raise NotThisTable(str(error)) from error


def _places(header: Sequence[str], wanted: Sequence[str], unread: Unread) -> list[int]:
    there = [name.strip() for name in header]
    if missing := [name for name in wanted if name not in there]:
        shown = ", ".join(there[:40]) or "nothing"
        raise NotThisTable(f"there is no column {', '.join(missing)}; the first row has {shown}")
    if double := [name for name in wanted if there.count(name) > 1]:
        raise NotThisTable(f"several columns are called {', '.join(double)}; give each a name of its own")
    unread([name for name in there if name and name not in wanted])
    return [there.index(name) for name in wanted]
