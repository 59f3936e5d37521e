"""Importing on the command line."""

from __future__ import annotations

import csv
import gc
from pathlib import Path

import psycopg
import pytest
import typer
from openpyxl import Workbook
from typer.testing import CliRunner

from service.cli import imports

COLUMNS = ("留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见", "答复时间")
GOOD = ("1", "U1", "主题", "2019/1/2 10:00:00", "内容一", "已收悉", "2019/1/20 10:00:00")
BAD = ("2", "U2", "主题", "not a time", "内容二", "已收悉", "2019/1/20 10:00:00")


def run(*arguments: str) -> str:
    """Run the program with these arguments; give what it prints."""
    app = typer.Typer()
    imports.register(app)
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output


def book(path: Path, *rows: tuple[str, ...]) -> str:
    """A workbook of messages."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return str(path)


def size(database: str) -> list[int]:
    """How much every table of the database holds."""
    with psycopg.connect(database, autocommit=True) as connection:
        tables = connection.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(relname) from pg_stat_user_tables order by 1"
        ).fetchall()
        return [
            connection.execute(f"select count(*) from {table}".encode()).fetchone()[0]  # type: ignore[index]  # noqa: S608
            for (table,) in tables
        ]


@pytest.fixture
def there(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that is set up, with an empty log; gives the connection string of its database."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path / "home"))
    return database


@pytest.mark.postgres
@pytest.mark.usefixtures("there")
def test_a_table_is_imported_once(tmp_path: Path) -> None:
    """Counts are printed, with the rows that were not taken; a second run finds everything there."""
    file = book(tmp_path / "messages.xlsx", COLUMNS, GOOD, BAD)
    first = run("import", "table", file, "--mapping", "messages")
    assert "2 rows read, 1 cases" in first
    assert "2 commands given, 0 there before, 0 rows without a change of ours, 1 rejected" in first
    assert "commands/s" in first
    assert "MiB at most" in first
    assert "row 3 (2): 留言时间" in first
    again = run("import", "table", file, "--mapping", "messages")
    assert "0 commands given, 2 there before, 0 rows without a change of ours, 1 rejected" in again


@pytest.mark.postgres
@pytest.mark.usefixtures("there")
def test_what_was_not_taken_stands_in_a_file(tmp_path: Path) -> None:
    """Row, case and reason, never what stands there; a formula is none; a mended file clears it."""
    formula = ("=1+1", *BAD[1:])
    file = book(tmp_path / "messages.xlsx", COLUMNS, GOOD, BAD, formula)
    rejected = tmp_path / "messages.xlsx.rejected.csv"
    assert str(rejected) in run("import", "table", file, "--mapping", "messages").replace("\n", "")
    with rejected.open(encoding="utf-8-sig", newline="") as listed:
        rows = list(csv.reader(listed))
    reason = "留言时间: no time; the mapping says it is written as %Y/%m/%d %H:%M:%S or %Y/%m/%d"
    assert rows == [["row", "case", "reason"], ["3", "2", reason], ["4", "'=1+1", reason]]
    book(tmp_path / "messages.xlsx", COLUMNS, GOOD)
    run("import", "table", file, "--mapping", "messages")
    assert rejected.read_text(encoding="utf-8-sig").splitlines() == ["row,case,reason"]
    elsewhere = tmp_path / "elsewhere.csv"
    run("import", "table", file, "--mapping", "messages", "--rejects", str(elsewhere))
    assert elsewhere.exists()


@pytest.mark.postgres
def test_a_dry_run_changes_nothing(there: str, tmp_path: Path) -> None:
    """It says what would be given and what would be rejected; no table, no file and no folder is other than before."""
    file = book(tmp_path / "messages.xlsx", COLUMNS, GOOD, BAD)
    before = size(there)
    said = run("import", "table", file, "--mapping", "messages", "--dry-run")
    assert "2 commands would be given, 0 there before" in said
    assert "1 would be rejected" in said
    assert size(there) == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["messages.xlsx"]
    run("import", "table", file, "--mapping", "messages")
    said = run("import", "table", file, "--mapping", "messages", "--dry-run")
    assert "0 commands would be given, 2 there before" in said


def test_a_dry_run_needs_no_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no log yet, none is made."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path / "home"))
    file = book(tmp_path / "messages.xlsx", COLUMNS, GOOD, BAD)
    said = run("import", "table", file, "--mapping", "messages", "--dry-run")
    assert "2 commands would be given, 0 there before" in said
    assert not (tmp_path / "home").exists()


def test_what_cannot_be_used_is_refused_in_lines_that_say_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another workbook, a mapping with a fault, one that is not there: no traceback, and nothing is left open."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("BIHUAN_HOME", str(tmp_path / "home"))
    other = book(tmp_path / "other.xlsx", ("a", "b"))
    said = run("import", "table", other, "--mapping", "messages", "--dry-run")
    assert "there is no column 留言编号" in said
    assert "Traceback" not in said
    gc.collect()  # a file left open would be noticed now, and fail this test instead of a later one
    faulty = tmp_path / "faulty.toml"
    faulty.write_text('ledger = "x"\ncolour = 1\n', encoding="utf-8")
    said = run("import", "table", other, "--mapping", str(faulty), "--dry-run")
    assert "faulty.toml: colour: there is no such setting" in said
    assert "faulty.toml: site: " in said
    said = run("import", "table", other, "--mapping", "mesages", "--dry-run")
    assert "write its path, or one of events, incidents, messages" in said
