"""Serving, working, migrating, rebuilding."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer

from service.cli import database, fail, opened
from service.settings import Settings

if TYPE_CHECKING:
    from service.parts import Parts


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(serve)
    app.command()(work)
    app.command("migrate")(upgrade)
    app.command()(rebuild)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve pages, API, projections, timers and notices in one command."""
    from service import log

    log.configure()
    with ExitStack() as stack:
        dsn = stack.enter_context(database(Settings.from_environment()))
        run(dsn, stack, host, port, workers)


def run(dsn: str, stack: ExitStack, host: str, port: int, workers: int) -> None:
    """Serve over a database that is ready; what goes on in the background is carried by this process."""
    import uvicorn

    from service.escrow import never_exported

    settings = Settings.from_environment()
    parts = carry(dsn, stack, settings)
    if never_exported(parts.vault):
        typer.echo(
            "The master key was never exported: run `bihuan keys export FILE` and keep the file elsewhere.",
            err=True,
        )
    # Workers are processes of their own: they find the database where this one has made it ready.
    os.environ["DATABASE_URL"] = dsn
    os.environ["BIHUAN_HOME"] = str(settings.home.absolute())
    uvicorn.run(
        "service.main:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


def carry(dsn: str, stack: ExitStack, settings: Settings) -> Parts:
    """Carry projections, seals, timers and notices in the background of this process; give the parts they work with."""
    from service.keeper import Keeper
    from service.notices.courier import Courier
    from service.notices.senders import SenderMisconfigured
    from service.parts import open_parts
    from service.sealer import Sealer
    from service.timers import Timers
    from service.worker import Worker

    parts = stack.enter_context(open_parts(settings, dsn))
    stack.enter_context(Worker(dsn))
    stack.enter_context(Timers(parts))
    stack.enter_context(Sealer(parts))
    stack.enter_context(Keeper(parts))
    try:
        stack.enter_context(Courier(parts))
    except SenderMisconfigured as error:
        raise fail(str(error)) from None
    return parts


def work() -> None:
    """Carry projections, timers and notices without serving: for more nodes on one database."""
    from service import log

    log.configure()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    settings = Settings.from_environment()
    with ExitStack() as stack:
        carry(stack.enter_context(database(settings)), stack, settings)
        stopping.wait()


def upgrade() -> None:
    """Create the schema, or bring it up to this version."""
    from service.database import migrate

    settings = Settings.from_environment()
    if settings.database_url is None:
        with database(settings):
            typer.echo("The embedded database is up to date.")
        return
    taken = migrate(settings.database_url)
    typer.echo("\n".join(f"took {name}" for name in taken) or "The schema was up to date.")


def rebuild(projection: Annotated[str | None, typer.Argument(help="Its name; without one, all.")] = None) -> None:
    """Build a projection anew from the whole log, beside the old rows, then switch."""
    from projections import PROJECTIONS
    from projections.runner import Projection
    from projections.runner import rebuild as build

    # The tree over the log is evidence: `audit fsck` compares it, nothing replaces it.
    possible = [one for one in PROJECTIONS if isinstance(one, Projection)]
    chosen = [one for one in possible if projection in {None, one.name}]
    if not chosen:
        raise fail(f"There is no projection {projection} to rebuild; choose {', '.join(p.name for p in possible)}.")
    with opened() as parts, psycopg.connect(parts.dsn, autocommit=True) as connection:
        for one in chosen:
            try:
                events, differences = build(connection, one, typer.echo)
            except RuntimeError as error:
                raise fail(str(error)) from None
            typer.echo(f"{one.name}: {events} events read, {differences} rows differ from before")
