"""Importing what was recorded elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli import database, fail, opened

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

    from service.imports.mapping import Ledger
    from service.imports.table import Counts

SHOWN: Final = 20
"""How many remarks of a kind are printed; the file of the rejects has them all."""

imports = typer.Typer(help="Take over what was recorded elsewhere.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(imports, name="import")


@imports.callback()
def _only_here() -> None:
    """Take over what was recorded elsewhere, as it is told there; what is missing stays unknown."""


@imports.command("table")
def table(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX or XES, also inside zip or gz.")],
    mapping: Annotated[
        str, typer.Option(help="A mapping (.toml), or the name of one that comes with the program (docs/importing.md).")
    ],
    rejects: Annotated[
        Path | None, typer.Option(help="Where to list what was not taken; by default FILE.rejected.csv.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would happen.")] = False,
) -> None:
    """Import a table as cases of a ledger; again, or after a kill, it only takes what is missing."""
    from service.imports import rejects as rejected
    from service.imports.mapping import MappingError, load
    from service.imports.reading import NotThisTable

    try:
        ledger = load(mapping)
        counts = _would(file, ledger) if dry_run else _import(file, ledger)
    except (MappingError, NotThisTable) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error}; give a file that can be read") from None
    _report(counts, dry_run=dry_run)
    where = rejects or rejected.beside(file)
    # A dry run writes only where it is told to; an older list must not outlive what it complained of.
    if rejects is not None or (not dry_run and (counts.rejected or where.exists())):
        try:
            rejected.write(where, counts.rejected)
        except OSError as error:
            raise fail(f"{where}: {error.strerror}; say where with --rejects") from None
        typer.echo(f"what was not taken: {where}")


def _import(file: Path, ledger: Ledger) -> Counts:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from service.imports.table import import_table

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with opened() as parts, Progress(*columns, transient=True) as bars:
        task = bars.add_task("rows", total=None)
        return import_table(parts, file, ledger, lambda done, total: bars.update(task, completed=done, total=total))


def _would(file: Path, ledger: Ledger) -> Counts:
    from service.imports.table import check_table

    with _log() as pool:
        return check_table(pool, file, ledger)


@contextmanager
def _log() -> Iterator[ConnectionPool | None]:
    """Give a log to read from, if there is one: nothing is installed for a dry run."""
    from service.database import open_pool
    from service.settings import Settings

    settings = Settings.from_environment()
    if settings.database_url is None and not (settings.home / "postgres").exists():
        yield None
        return
    with database(settings) as dsn, open_pool(dsn, size=2) as pool:
        yield pool


def _report(counts: Counts, *, dry_run: bool) -> None:
    """Print what was done: in sums, by kind, and the first remarks."""
    from service.imports import rejects as rejected

    would = "would be " if dry_run else ""
    typer.echo(f"{counts.read} rows read, {counts.cases} cases")
    for name, number in sorted(counts.commands.items(), key=lambda item: (-item[1], item[0])):
        typer.echo(f"  {name:<14}{number:>9} {would}given")
    typer.echo(
        f"{counts.done} commands {would}given, {counts.repeated} there before, {counts.unchanged} rows without a change"
        f" of ours, {len(counts.rejected)} {would}rejected"
    )
    if not dry_run and counts.done and counts.seconds:
        typer.echo(f"{counts.done / counts.seconds:.0f} commands/s, {counts.peak / 2**20:.0f} MiB at most")
    if counts.unread:
        typer.echo(f"columns of which nothing is taken: {', '.join(map(rejected.plain, counts.unread))}")
    for kind, remarks in (("rejected", counts.rejected), ("read as", counts.noted)):
        for remark in remarks[:SHOWN]:
            typer.echo(f"row {remark.row} ({rejected.plain(remark.case)}): {remark.said}")
        if len(remarks) > SHOWN:
            why = Counter(remark.said for remark in remarks)
            typer.echo(f"{len(remarks) - SHOWN} more {kind}; in all:")
            for said, number in why.most_common(SHOWN):
                typer.echo(f"  {number:>9} × {said}")
