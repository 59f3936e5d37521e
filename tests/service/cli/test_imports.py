"""Importing on the command line."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import typer
from openpyxl import Workbook
from typer.testing import CliRunner

from service.cli import imports

pytestmark = pytest.mark.postgres
COLUMNS = ("留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见", "答复时间")


def run(*arguments: str) -> str:
    """Run the program with these arguments; give what it prints."""
    app = typer.Typer()
    imports.register(app)
    done = CliRunner().invoke(app, list(arguments))
    return done.output


def book(path: Path, *rows: tuple[str, ...]) -> str:
    """A workbook of messages."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return str(path)


def test_messages_are_imported_once(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are printed, with the rows that were not taken; a second run finds everything there."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path / "home"))
    file = book(
        tmp_path / "messages.xlsx",
        COLUMNS,
        ("1", "U1", "主题", "2019/1/2 10:00:00", "内容一", "已收悉", "2019/1/20 10:00:00"),
        ("2", "U2", "主题", "not a time", "内容二", "已收悉", "2019/1/20 10:00:00"),
    )
    first = run("import", "messages", file)
    assert "2 read, 1 registered, 1 replied, 0 there before, 1 rejected" in first
    assert "row 3 (2):" in first
    assert "2 read, 0 registered, 0 replied, 2 there before, 1 rejected" in run("import", "messages", file)


def test_another_workbook_is_refused_in_one_line(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no workbook of messages changes nothing and says so."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path / "home"))
    said = run("import", "messages", book(tmp_path / "other.xlsx", ("a", "b")))
    assert "seven columns" in said
    assert "Traceback" not in said
    gc.collect()  # a file left open would be noticed now, and fail this test instead of a later one
