"""Importing what was recorded elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli import fail, opened

imports = typer.Typer(help="Take over what was recorded elsewhere.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(imports, name="import")


@imports.callback()
def _only_here() -> None:
    """Take over what was recorded elsewhere, as it is told there; what is missing stays unknown."""


@imports.command("messages")
def messages(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A workbook (.xlsx) of messages and replies.")
    ],
) -> None:
    """Import messages with their replies as cases of a ledger; again, it only takes what is missing."""
    from rich.progress import Progress

    from service.imports.messages import NotMessages, import_messages

    with opened() as parts, Progress(transient=True) as bars:
        task = bars.add_task("messages")
        try:
            counts = import_messages(parts, file, lambda done, total: bars.update(task, completed=done, total=total))
        except NotMessages as error:
            raise fail(str(error)) from None
    typer.echo(
        f"{counts.read} read, {counts.registered} registered, {counts.replied} replied,"
        f" {counts.repeated} there before, {len(counts.rejected)} rejected"
    )
    for remark in (*counts.rejected, *counts.noted):
        typer.echo(f"row {remark.row} ({remark.number}): {remark.said}")
