"""Backing up and bringing back, for whoever runs the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from service.cli import database, local, opened, written
from service.settings import Settings


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(backup)
    app.command()(restore)


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Then delete the keys in older backups beside it that are kept too long.")
    ] = False,
) -> None:
    """Back everything up into a folder, while the server runs; the keys stand apart in it, in vault/."""
    from datetime import UTC, datetime

    from service.backup import VAULT, take
    from service.backup import prune as throw_away
    from service.escrow import never_exported

    with opened() as parts, written():
        taken = take(parts, folder)
        days = parts.settings.key_backup_days
        gone = throw_away(folder.absolute().parent, days, datetime.now(UTC)) if prune else []
        unsafe = never_exported(parts.vault)
    typer.echo(f"{taken.manifest.size} events, {taken.size} bytes in {folder}")
    for vault in gone:
        typer.echo(f"deleted {vault}")
    typer.echo(f"Delete {folder / VAULT} within {days} days; the rest may be kept for ever.")
    if unsafe:
        typer.echo(
            "The master key is not in it, and was never exported: without it nothing personal opens."
            " Run `bihuan keys export FILE` and keep the file elsewhere.",
            err=True,
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.", metavar="DIR")],
    key: Annotated[
        str | None, typer.Option(help="The verifying key it must be signed with, or a file with it.")
    ] = None,
    keys_from: Annotated[Path | None, typer.Option(help="The vault folder of another backup of this log.")] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Bring the log back alone; the keys follow by `bihuan keys import`.")
    ] = False,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint kept elsewhere, that it must fit; may be repeated.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it is whole and as it was signed.")] = False,
) -> None:
    """Bring a backup back into an empty installation: all of it or nothing. A new epoch of the log begins."""
    from service.restore import carry, checked, proved
    from service.restore import restore as bring_back

    settings = Settings.from_environment()
    with written():
        wanted = Path(key).read_text(encoding="utf-8") if key is not None and Path(key).is_file() else key
        held = [path.read_text(encoding="utf-8") for path in checkpoint or ()]
        found = checked(folder, key=wanted, keys_from=keys_from, without_keys=without_keys, held=held)
        manifest = found.manifest
        typer.echo(f"A backup of {local(manifest.taken)}: {manifest.size} events, epoch {manifest.epoch}")
        if key is None:
            typer.echo(f"It fits itself. Compare its key with the one you know, or give --key:\n{manifest.vkey}")
        if found.keys is not None and found.keys.taken != manifest.taken:
            typer.echo(f"Its keys are those of {local(found.keys.taken)}: what was sealed since then does not open.")
        if check:
            count = sum(1 for _ in proved(found))
            typer.echo(f"It is whole: {count} events give the root that was signed.")
            return
        with database(settings) as dsn:
            done = bring_back(
                dsn,
                found,
                home=settings.home,
                backup_days=settings.key_backup_days,
                outside=settings.checkpoints,
                tell=typer.echo,
            )
            carry(dsn, lambda position: typer.echo(f"read again: {position}"))
    typer.echo(f"{done.size} events are back under the same root. Epoch {done.epoch} begins at {done.size + 1}.")
    if done.erased:
        typer.echo(f"{done.erased} keys of what was erased had come back and are destroyed again.")
    for step in next_steps(settings, done.masters, with_keys=found.keys is not None):
        typer.echo(step)


def next_steps(settings: Settings, masters: frozenset[str], *, with_keys: bool) -> Iterator[str]:
    """Say what is to be done before the server is started; looking makes no master key."""
    from service.master import FILE_NAME, VARIABLE, LocalMaster

    there: frozenset[str] = frozenset()
    if os.environ.get(VARIABLE) or (settings.home / FILE_NAME).exists():
        there = frozenset(LocalMaster(settings.home).material())
    if not with_keys:
        yield "Before the server starts: bihuan keys import FILE, or it makes new keys and the old texts stay shut."
    elif not masters <= there:
        yield (
            f"Before the server starts: put the {FILE_NAME} of the old installation into {settings.home}, or run"
            " bihuan keys import FILE. Without it nothing personal opens."
        )
    yield "Tell whoever holds checkpoints that a new epoch began; then: bihuan serve"
