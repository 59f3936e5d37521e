"""Every kind of file is read as a stream of rows; what is no table, or would burst the memory, is refused."""

from __future__ import annotations

import gc
import gzip
import io
import re
import tracemalloc
import zipfile
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from service.imports.mapping import Source
from service.imports.reading import Broken, NotThisTable, Row, read

PLAIN = "no,at,what\n1,today,a\n2,?,\n,,\n3,yesterday,c\n"
ROWS: list[Row] = [(2, ("a", "1")), (3, (None, "2")), (5, ("c", "3"))]
XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <string key="concept:name" value="log of a desk"/>
  <global scope="event"><string key="concept:name" value="none"/></global>
  <trace>
    <string key="concept:name" value="C1"/>
    <event><string key="concept:name" value="register"/><date key="time:timestamp" value="2020-01-02T10:00:00+08:00"/>
      <string key="org:group" value="tax"><string key="nested" value="x"/></string></event>
    <event><string key="concept:name" value="close"/></event>
  </trace>
  <event><string key="concept:name" value="of no case"/></event>
  <trace><string key="concept:name" value="C2"/><event><string key="concept:name" value="register"/></event></trace>
</log>"""
WANTED = ["case:concept:name", "concept:name", "org:group"]
EVENTS: list[Row] = [(1, ("C1", "register", "tax")), (2, ("C1", "close", None)), (3, ("C2", "register", None))]


def rows(path: Path, *wanted: str, **source: object) -> list[Row]:
    """The rows of a file."""
    return list(read(path, Source.model_validate(source), wanted))


def refused(path: Path, *wanted: str, **source: object) -> str:
    """Why a file is refused; by then it is closed."""
    with pytest.raises(NotThisTable) as said:
        deque(read(path, Source.model_validate(source), wanted or ("no",)), maxlen=0)
    gc.collect()
    return str(said.value)


def zipped(path: Path, **members: bytes | str) -> Path:
    """A zip with these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def workbook(*found: Sequence[object], title: str = "first") -> bytes:
    """A workbook of one sheet with these rows, and an empty one."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for cells in found:
        sheet.append(list(cells))
    book.create_sheet("empty")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_csv_file_is_read_packed_or_not(tmp_path: Path) -> None:
    """Only the columns asked for, in their order; null markers are nothing; rows without anything are left out."""
    (tmp_path / "t.csv").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    zipped(tmp_path / "t.zip", t_csv=PLAIN)
    zipped(tmp_path / "two.zip", t_csv=PLAIN, readme_txt="read me")
    for name in ("t.csv", "t.csv.gz", "t.zip"):
        assert rows(tmp_path / name, "what", "no", null=["?"]) == ROWS, name
    assert rows(tmp_path / "two.zip", "what", "no", null=["?"], member="t.csv") == ROWS
    assert rows(tmp_path / "t.csv", "at", "no")[1] == (3, ("?", "2"))


def test_a_csv_file_has_an_encoding_and_a_delimiter(tmp_path: Path) -> None:
    """A byte order mark is no part of the first heading; line ends inside of quotes are part of the text."""
    (tmp_path / "bom.csv").write_bytes(b'\xef\xbb\xbfno;text\r\n1;"two\r\nlines; =1+1"\r\n')
    assert rows(tmp_path / "bom.csv", "no", "text", delimiter=";") == [(2, ("1", "two\r\nlines; =1+1"))]
    (tmp_path / "old.txt").write_bytes("编号,内容\n1,路灯\n".encode("gb18030"))
    assert rows(tmp_path / "old.txt", "内容", encoding="gb18030") == [(2, ("路灯",))]
    assert "write its encoding under [source]" in refused(tmp_path / "old.txt", "内容")
    (tmp_path / "short.csv").write_text("no,text\n1\n", encoding="utf-8")
    assert rows(tmp_path / "short.csv", "no", "text") == [(2, ("1", None))]


def test_a_workbook_is_read_packed_or_not(tmp_path: Path) -> None:
    """Numbers as they are written, dates as dates, escapes as what they stand for."""
    content = workbook(
        ["no", "at", "text"],
        [1, datetime(2020, 1, 2, 3, 4), "a_x000D_b"],  # noqa: DTZ001 - local, as a workbook has it
        [2.0, date(2020, 1, 2), "=1+1"],
        [2.5, None, "_xD83D_"],
        [None, None, None],
        [True, "?", "_x00_"],
    )
    (tmp_path / "t.xlsx").write_bytes(content)
    (tmp_path / "t.xlsx.gz").write_bytes(gzip.compress(content))
    zipped(tmp_path / "t.zip", t_xlsx=content)
    expected: list[Row] = [
        (2, ("1", datetime(2020, 1, 2, 3, 4), "a\rb")),  # noqa: DTZ001 - as above
        (3, ("2", datetime(2020, 1, 2), "=1+1")),  # noqa: DTZ001 - as above
        (4, ("2.5", None, Broken("half a character is escaped there; write it whole"))),
        (6, ("true", None, "_x00_")),
    ]
    for name in ("t.xlsx", "t.xlsx.gz", "t.zip"):
        assert rows(tmp_path / name, "no", "at", "text", null=["?"]) == expected, name
    assert rows(tmp_path / "t.xlsx", "no", sheet="first")[0] == (2, ("1",))


def test_a_formula_is_a_text(tmp_path: Path) -> None:
    """Nothing is computed, and nothing computed earlier is taken for what somebody wrote."""
    (tmp_path / "t.xlsx").write_bytes(workbook(["no", "text"], ["1", "=HYPERLINK(A1)"]))
    assert rows(tmp_path / "t.xlsx", "text") == [(2, ("=HYPERLINK(A1)",))]


def test_an_event_log_is_read_packed_or_not(tmp_path: Path) -> None:
    """Each event with the attributes of its trace; what belongs to no trace, and attributes of attributes, are left."""
    (tmp_path / "t.xes").write_text(XES, encoding="utf-8")
    (tmp_path / "t.xes.gz").write_bytes(gzip.compress(XES.encode()))
    zipped(tmp_path / "t.zip", t_xes=XES)
    for name in ("t.xes", "t.xes.gz", "t.zip"):
        assert rows(tmp_path / name, *WANTED) == EVENTS, name
    (tmp_path / "log.xml").write_text(XES, encoding="utf-8")
    assert rows(tmp_path / "log.xml", *WANTED, format="xes") == EVENTS


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ('<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>', "&b;"),
        ('<!DOCTYPE log [<!ENTITY a SYSTEM "file:///etc/hostname">]>', "&a;"),
        ('<!DOCTYPE log SYSTEM "http://localhost/x.dtd">', "x"),
        ("<!DOCTYPE log>", "x"),
    ],
)
def test_an_event_log_declares_nothing(tmp_path: Path, declared: str, used: str) -> None:
    """No entity blows up, no file is read, nobody is called."""
    bomb = f'{declared}<log><trace><string key="concept:name" value="{used}"/><event/></trace></log>'
    (tmp_path / "t.xes").write_text(bomb, encoding="utf-8")
    assert "document type" in refused(tmp_path / "t.xes", "case:concept:name")


def test_what_is_no_event_log_is_refused(tmp_path: Path) -> None:
    """Another document, a broken one, one that never ends a tag, one with endless attributes."""
    path = tmp_path / "t.xes"
    for content, said in (
        ("<html></html>", "its first element is not log"),
        ("<log><trace></log>", "no sound XML"),
        ("<log><trace>", "no sound XML"),
        ("", "no sound XML"),
        ('<log><trace><string key="k" value="' + "x" * 20_000_000, "no end"),
        ('<log><trace><string key="k" value="' + "x" * 200_001 + '"/></trace></log>', "too long"),
        ("<log><trace>" + "".join(f'<int key="{n}" value="1"/>' for n in range(1001)) + "</trace></log>", "too many"),
    ):
        path.write_text(content, encoding="utf-8")
        assert said in refused(path, "concept:name")


def test_a_workbook_declares_nothing(tmp_path: Path) -> None:
    """An entity in one of its parts is refused before that part is read."""
    content = workbook(["no"], ["1"])
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as bad:
        for one in whole.infolist():
            part = whole.read(one)
            if one.filename.endswith("sheet1.xml"):
                part = b'<!DOCTYPE x [<!ENTITY a "ha">]>' + part
            bad.writestr(one.filename, part)
    assert "document type" in refused(tmp_path / "t.xlsx")


def test_what_unpacks_to_more_than_a_table_is_refused(tmp_path: Path) -> None:
    """A few kilobytes that become hundreds of megabytes; the reader stops on the way."""
    bomb = b"no\n" + (b"0" * 999 + b"\n") * 100_000
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(bomb))
    zipped(tmp_path / "t.zip", t_csv=bomb)
    zipped(tmp_path / "t.xlsx", sheet_xml=bomb)
    tracemalloc.start()
    for name in ("t.csv.gz", "t.zip", "t.xlsx"):
        assert "unpacks to more than a table would" in refused(tmp_path / name), name
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content", "source", "said"),
    [
        ("t.csv", "a,b\n1,2\n", {}, "there is no column no; the first row has a, b"),
        ("t.csv", "", {}, "there is no column no; the first row has nothing"),
        ("t.csv", "no,no\n1,2\n", {}, "several columns are called no"),
        ("t.csv", 'no\n"1" 2\n', {}, "the file is no CSV with ','"),
        ("t.csv", "no\n" + "x" * 200_000 + "\n", {}, "the file is no CSV with ','"),
        ("t.csv", "no\n" + "x" * 2_000_000, {}, "a line has no end"),
        ("t.dat", "no\n1\n", {}, "t.dat: what kind of file is this? Write format"),
        ("t.xlsx", "no\n1\n", {}, "this is no zip, or a damaged one"),
        ("t.zip", "no\n1\n", {}, "this is no zip, or a damaged one"),
        ("t.csv.gz", "no\n1\n", {}, "this is no gz file, or a damaged one"),
    ],
)
def test_what_is_no_such_file_is_refused(
    tmp_path: Path, name: str, content: str, source: dict[str, object], said: str
) -> None:
    """With a sentence that says what to do."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert said in refused(tmp_path / name, **source)


def test_a_damaged_pack_is_refused(tmp_path: Path) -> None:
    """Cut off, with other bytes in the middle, with a password, with several files, with none, or with none of ours."""
    good = gzip.compress(b"no\n" + bytes(range(48, 58)) * 9_000)
    (tmp_path / "t.csv.gz").write_bytes(good[:-20])
    assert "the file is damaged" in refused(tmp_path / "t.csv.gz")
    whole = zipped(tmp_path / "t.zip", t_csv="no\n1\n").read_bytes()
    (tmp_path / "t.zip").write_bytes(re.sub(rb"(t\.csv.{4})", lambda found: found[1][:-1] + b"\xff", whole, count=1))
    assert "damaged" in refused(tmp_path / "t.zip")
    (tmp_path / "t.zip").write_bytes(
        whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    )
    assert "encrypted" in refused(tmp_path / "t.zip")
    assert "the zip holds a.csv, b.csv; write which" in refused(zipped(tmp_path / "two.zip", a_csv="no", b_csv="no"))
    assert "the zip holds nothing" in refused(zipped(tmp_path / "none.zip"))
    assert "the zip holds a.csv" in refused(zipped(tmp_path / "other.zip", a_csv="no"), member="b.csv")
    (tmp_path / "t.xlsx").write_bytes(workbook(["a"]))
    assert "there is no sheet X; the workbook has first, empty" in refused(tmp_path / "t.xlsx", sheet="X")
    assert "there is no column no; the first row has nothing" in refused(tmp_path / "t.xlsx", sheet="empty")
    assert "this is no workbook" in refused(zipped(tmp_path / "t.xlsx", a_csv="no"))


def test_a_long_file_is_read_with_little_memory(tmp_path: Path) -> None:
    """Ten times as many rows take no more: they are gone when they have been read."""
    peaks = []
    for number in (2_000, 20_000):
        trace = "".join(
            f'<event><string key="concept:name" value="a{n}"/></event>' for n in range(number)
        )  # one long trace
        (tmp_path / "t.xes").write_text(f"<log><trace>{trace}</trace></log>", encoding="utf-8")
        (tmp_path / "t.csv").write_text("no\n" + "".join(f"{n}\n" for n in range(number)), encoding="utf-8")
        (tmp_path / "t.xlsx").write_bytes(workbook(["no"], *([n] for n in range(number))))
        tracemalloc.start()
        for name, column in (("t.xes", "concept:name"), ("t.csv", "no"), ("t.xlsx", "no")):
            assert sum(1 for _ in read(tmp_path / name, Source(), [column])) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 1_000_000
