"""The command line: one program for serving, working, looking and administering."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import typer

from domain.errors import Refused
from service import __version__
from service.database import SchemaMissing, SchemaNewer, ServerTooOld, migrate
from service.embedded import EmbeddedFailed, open_database
from service.master import MasterKeyError
from service.parts import Parts, open_parts
from service.sealing import VaultError
from service.settings import BadSetting, Settings

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pydantic import ValidationError

app = typer.Typer(
    help="Bihuan 闭环: complaints that come back answered, and a proof behind every number.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give a database that is ready: the one DATABASE_URL names, else our own, whose schema we keep ourselves."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    home = settings.home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_database(home / "postgres") as dsn:
        migrate(dsn)
        yield dsn


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Parts]:
    """Give the parts over a ready database."""
    found = settings or Settings.from_environment()
    with database(found) as dsn, open_parts(found, dsn) as parts:
        yield parts


def fail(message: str) -> typer.Exit:
    """Say what is wrong in one line, and give the exit to raise."""
    typer.echo(message, err=True)
    return typer.Exit(1)


@contextmanager
def written(file: Path | None = None) -> Iterator[None]:
    """Say in one line what stands in the way of sealing the log, or of writing something of it to a file or folder."""
    from projections.runner import Stopped
    from projections.seals import LeafAltered
    from service.backup import BackupError
    from service.exports.log import ExportError
    from service.keeper import HookFails
    from service.outside import OutsideFails
    from service.sealer import WentBack
    from service.signing import BadNote

    try:
        yield
    except (BackupError, BadNote, ExportError, HookFails, OutsideFails, WentBack) as error:
        raise fail(str(error)) from None
    except (LeafAltered, Stopped) as error:
        cause = error.__cause__ if isinstance(error, Stopped) else error
        if not isinstance(cause, LeafAltered):
            raise fail(f"The tree over the log cannot be carried on: {error}. Run: bihuan audit fsck") from None
        raise fail(f"The log was altered at position {cause}: nothing is made of it. Run: bihuan audit fsck") from None
    except OSError as error:
        if file is not None:
            raise fail(f"{file}: {error.strerror}; name a file that can be written") from None
        raise fail(f"{error.filename or 'The folder'}: {error.strerror}.") from None


def malformed(error: ValidationError) -> typer.Exit:
    """Say which places of a form are wrong, never what stands there, and give the exit to raise."""
    found = error.errors(include_input=False, include_url=False)
    faults = (
        f"{'.'.join(map(str, one['loc'])) or 'form'}: {one['msg'].removeprefix('Value error, ')}" for one in found
    )
    return fail("Malformed; nothing was changed.\n" + "\n".join(faults))


def local(moment: datetime | None) -> str:
    """Write a moment as the clocks of the hall show it; a hyphen for none."""
    from domain.handling import HALL_ZONE

    return "-" if moment is None else f"{moment.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}"


def main() -> None:
    """Run the program; what a person can mend is one line, not a traceback."""
    from service import log
    from service.cli import (
        audit,
        backup,
        cases,
        clocks,
        contacts,
        demo,
        exports,
        flags,
        handing_over,
        imports,
        offices,
        people,
        privacy,
        reviews,
        rules,
        server,
    )

    # Or the lines about what was done would stand between what a command prints.
    log.configure(quiet=True)
    for module in (
        server,
        cases,
        reviews,
        flags,
        clocks,
        contacts,
        imports,
        demo,
        people,
        rules,
        privacy,
        offices,
        handing_over,
        backup,
        audit,
        exports,
    ):
        module.register(app)
    try:
        app()
    except Refused as refused:
        sys.exit(f"{refused.message()} {refused.then} [{refused.code}]")
    except (EmbeddedFailed, BadSetting, MasterKeyError, VaultError) as error:
        sys.exit(str(error))
    except (SchemaMissing, SchemaNewer, ServerTooOld) as error:
        sys.exit((type(error).__doc__ or "").splitlines()[0])
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()
        sys.exit(f"The database does not answer: {reason[-1] if reason else type(error).__name__}")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(default=False, help="Print the version and end.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
