"""Auditing the log: signing how far it is, checking it, and handing proofs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import psycopg
import typer

from service.cli import database, opened, written
from service.settings import Settings

if TYPE_CHECKING:
    from service.fsck import Report
    from service.held import Held

audit = typer.Typer(help="Proofs that nothing was altered.", no_args_is_help=True)
To = Annotated[Path | None, typer.Option(dir_okay=False, help="The file to write.", metavar="FILE")]
AS_GIVEN = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": list[str]()}


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(audit, name="audit")


@audit.command()
def checkpoint(
    to: Annotated[Path | None, typer.Option(help="A folder outside to add to.", metavar="DIR")] = None,
    hook: Annotated[
        Path | None, typer.Option(help="Run this program with the note as its input.", metavar="PROGRAM")
    ] = None,
) -> None:
    """Sign how far the log is now, print the note, and take it outside."""
    from service.exports.log import sealed_now
    from service.keeper import run_hook
    from service.outside import append

    with opened() as parts, written():
        signed = sealed_now(parts)
        typer.echo(signed.note, nl=False)
        place = to or parts.settings.checkpoints
        program = hook or parts.settings.checkpoint_hook
        if place is not None and signed.checkpoint.size:
            with parts.pool.connection() as connection:
                added = append(connection, parts.signer.vkey, signed, place)
            typer.echo(f"{added.leaves} leaf hashes and {added.checkpoints} checkpoints added to {place}", err=True)
        if program is not None:
            run_hook(program, signed.note, place)


@audit.command()
def fsck(
    against: Annotated[
        Path | None, typer.Option(help="What is held outside: a folder, or a file with checkpoints.", metavar="DIR")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key the hall published, or a file with it.", metavar="VKEY|FILE")
    ] = None,
) -> None:
    """Check the whole log, and say what was altered first. Exit status: 0 nothing, 1 something, 2 it cannot be told.

    Without --against it is compared with BIHUAN_CHECKPOINTS, or with the last checkpoint that was signed in this home.
    """
    from service.fsck import fsck as check
    from service.held import held
    from service.outside import OutsideFails
    from service.signing import BadNote, log_of

    settings = Settings.from_environment()
    try:
        vkey = _key(key)
        log_id = log_of(vkey)
        place = against or _place(settings, vkey)
        outside = None if place is None else held(place, log_id)
    except (BadNote, OutsideFails, OSError, UnicodeDecodeError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(2) from None
    try:
        with database(settings) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
            report = check(connection, log_id, vkey, outside)
    except OSError as error:
        typer.echo(f"{error.filename or against} cannot be read: {error.strerror}.", err=True)
        raise typer.Exit(2) from None
    for finding in report.findings:
        typer.echo(f"WRONG {finding}")
    for line in _counted(report, outside):
        typer.echo(line)
    if report.findings:
        raise typer.Exit(1)


def _place(settings: Settings, vkey: str) -> Path | None:
    """Give where a copy lies that nobody named: the place outside, else what whoever signs here remembers."""
    from service.sealer import REMEMBERED, remembered

    if settings.checkpoints is not None:
        return settings.checkpoints
    return None if remembered(settings.home, vkey) is None else settings.home / REMEMBERED


def _key(given: str | None) -> str:
    if given is None:
        with opened() as parts:
            return parts.signer.vkey
    return given if given.startswith("bihuan/") else Path(given).read_text(encoding="utf-8").strip()


def _counted(report: Report, outside: Held | None) -> Iterator[str]:
    back = ", but the log was taken back, as told below" if report.epochs else ""
    good = "not all is as it was" if report.findings else f"good: nothing was altered{back}"
    yield (
        f"{good} · {report.events} events, {report.events - report.sealed} of them not sealed yet,"
        f" {report.checkpoints} checkpoints"
    )
    if outside is not None:
        yield (
            f"compared with {report.leaves_outside} leaf hashes and {report.checkpoints_outside} checkpoints"
            f" in {outside.place}"
        )
    for position, epoch, kept in report.epochs:
        yield f"epoch {epoch} began at position {position}: the log was taken back, {kept} events were kept"
    for one in report.given_up:
        yield f"positions {one.first} to {one.last} of epoch {one.epoch} were given up when epoch {one.by} began"
    if report.checkpoints_given_up:
        yield f"{report.checkpoints_given_up} checkpoints are of events that were given up"


@audit.command("new-epoch")
def new_epoch(
    against: Annotated[
        Path | None, typer.Option(help="A folder outside that may know of later epochs.", metavar="DIR")
    ] = None,
) -> None:
    """Record that the database was taken back by other means than `bihuan restore`, so that signing goes on.

    What was signed last in this database counts as kept; whatever stands behind it may have meant other events before.
    """
    from projections.seals import restorations
    from service.epochs import record_new_epoch, seen
    from service.sealer import newest

    with opened() as parts, written():
        settings = parts.settings
        known = seen(settings.home, parts.signer.vkey, parts.recorder.log_id, against, settings.checkpoints)
        with parts.pool.connection() as connection:
            signed = newest(connection, parts.signer.vkey)
            # The mark of an earlier time is here, so at least that is as it was.
            marks = [kept + 1 for kept in restorations(connection).values()]
        kept = max([0 if signed is None else signed.checkpoint.size, *marks])
        done = record_new_epoch(parts.book, kept, None, known=known)
    typer.echo(f"Epoch {done.epoch} begins: the log is as it was up to position {done.kept}.")


@audit.command()
def prove(
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    to: To = None,
) -> None:
    """Write every event of a case in its stored bytes, each with its proof; `bihuan audit verify` checks it.

    What is not sealed yet is sealed first. With BIHUAN_TOKEN set, only for supervisors and auditors who may know of it.
    """
    from service.cli.cases import watching
    from service.receipts import history, sealed_here

    with opened() as parts, written(to):
        found = history(parts, watching(parts, case), sealed_here)
        _write(found.file(), to)
    if to is not None:
        typer.echo(f"{len(found.leaves)} events in {to}, as sealed by the checkpoint of {found.sealed.checkpoint.size}")


@audit.command()
def inclusion(
    position: Annotated[int, typer.Argument(min=1, help="The position of an event.")],
    size: Annotated[int | None, typer.Option(min=1, help="In the log of this size; else in the newest one.")] = None,
    to: To = None,
) -> None:
    """Prove that an event is in the log that was signed; nothing is said of the event itself."""
    from service.receipts import inclusion as proved

    with opened() as parts, written(to):
        _write(proved(parts, position, size), to)


@audit.command()
def consistency(
    since: Annotated[int, typer.Argument(min=1, metavar="FROM", help="How many events the earlier checkpoint tells.")],
    until: Annotated[int | None, typer.Argument(min=1, metavar="[TO]", help="The later one; else the newest.")] = None,
    to: To = None,
) -> None:
    """Prove that the log only grew from one size to another; `bihuan audit verify` checks it."""
    from service.receipts import consistency as proved

    with opened() as parts, written(to):
        _write(proved(parts, since, until), to)


@audit.command()
def draw(
    wanted: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One draw; without it, all of them.")] = None,
) -> None:
    """Draw again what was drawn to be checked, from the log alone. Exit status: 0 right, 1 wrong, 2 there is none.

    It is a second way, with nothing of the program's own: whether the log itself was altered says `fsck`.
    """
    from service.draw_check import check

    count = wrong = 0
    with database(Settings.from_environment()) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        for one in check(connection, wanted):
            count, wrong = count + 1, wrong + bool(one.wrong)
            waits = f", {one.waiting} checks are still to be owed" if one.waiting else ""
            typer.echo(
                f"{'WRONG' if one.wrong else 'right'} {one.draw} · {one.hall}, {one.begins} to {one.ends}:"
                f" {one.state}, {one.drawn} of {one.members}{waits}"
            )
            for finding in one.wrong:
                typer.echo(f"  WRONG {finding}")
    if not count:
        typer.echo("There is no such draw." if wanted else "Nothing was announced to be drawn.", err=True)
        raise typer.Exit(2)
    if wrong:
        raise typer.Exit(1)


def _write(file: dict[str, Any], to: Path | None) -> None:
    import json

    from service.exports.becoming import becoming

    text = json.dumps(file, ensure_ascii=False, separators=(",", ":")) + "\n"
    if to is None:
        typer.echo(text, nl=False)
        return
    with becoming(to) as writing:
        writing.write(text)


@audit.command()
def key() -> None:
    """Print the verifying key: publish it where the hall cannot change it unseen."""
    with opened() as parts:
        typer.echo(parts.signer.vkey)


@audit.command(context_settings=AS_GIVEN)
def verify(context: typer.Context) -> None:
    """Check receipts, histories, log exports, packages and checkpoints; needs no database. --help tells more."""
    from service.verifier import main

    raise typer.Exit(main(context.args, "bihuan audit verify"))
