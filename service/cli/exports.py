"""What leaves the house: exports for whoever works with them elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli import fail, opened, written

exports = typer.Typer(help="Write what others check or work with.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(exports, name="export")


@exports.callback()
def _only_here() -> None:
    """Write what others check or work with; whoever reaches the data folder can."""


@exports.command("ocel")
def ocel(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write; FILE.gz is packed.")],
    with_sealed: Annotated[
        bool, typer.Option("--with-sealed", help="Also cases that only a closed circle knows of.")
    ] = False,
) -> None:
    """Write the log as OCEL 2.0 for process mining: no texts and no names, but keys of persons (docs/exporting.md)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from service.exports.becoming import becoming
    from service.exports.ocel import export_ocel

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        written(file),
        opened() as parts,
        parts.pool.connection() as connection,
        becoming(file) as writing,
        Progress(*columns, transient=True, console=Console(stderr=True)) as bars,
    ):
        task = bars.add_task("events", total=None)
        counts = export_ocel(
            connection,
            writing,
            with_sealed=with_sealed,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
        )
    typer.echo(f"{counts.events} events, {counts.objects} objects in {file}")
    if counts.held:
        typer.echo(f"left out: {counts.held} cases that are restricted, or known to a closed circle only")


@exports.command("case")
def case(
    named: Annotated[str, typer.Argument(help="The complaint number, or the id.", metavar="CASE")],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The zip to write.")],
) -> None:
    """Write the evidence package of a case, a zip that `bihuan audit verify` checks: history, proofs, how to check.

    What is not sealed yet is sealed first. With BIHUAN_TOKEN set, only for supervisors and auditors who may know of it.
    """
    from service.cli.cases import watching
    from service.exports.becoming import becoming
    from service.exports.case import package
    from service.receipts import sealed_here

    if file.suffix == ".gz":
        raise fail("A package is a zip: name it FILE.zip.")
    with written(file):
        with opened() as parts:
            made = package(parts, watching(parts, named), sealed_here)
        with becoming(file) as writing:
            writing.buffer.write(made.data)
    typer.echo(f"{made.number} in {file}, as sealed by the checkpoint of {made.checkpoint.size} events")


@exports.command("log")
def log(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write; FILE.gz is packed.")],
) -> None:
    """Write the whole log as it is stored, sealed by a checkpoint: `bihuan audit verify` checks it without us."""
    from service.exports.becoming import becoming
    from service.exports.log import Head, snapshot, write_log

    with written(file), opened() as parts, snapshot(parts) as (connection, signed), becoming(file) as writing:
        write_log(connection, writing.buffer.write, Head(parts.recorder.log_id, parts.signer.vkey), signed)
    typer.echo(f"{signed.checkpoint.size} events in {file}, sealed in epoch {signed.checkpoint.epoch}")
