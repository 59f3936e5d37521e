"""The sample: a hall with eight months of complaints, loaded, shown, served."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import psycopg
import typer

from service.cli import database, fail
from service.settings import Settings

if TYPE_CHECKING:
    from service.parts import Parts

SHOWN: Final = (
    ("desk-1", "complaint desk: accepts, assigns, closes"),
    ("SJ-1", "handler: signs, contacts, finds, rectifies, replies"),
    ("SJ-head", "head of that unit: approves replies"),
    ("supervisor-1", "supervisor: verifies rectifications, reads everything"),
    ("revisit-1", "revisit officer"),
    ("intake-W01", "clerk at the integrity window"),
    ("admin", "administrator: accounts and rules, no case"),
)
"""The posts that the tour in the README needs."""
TOKEN_DAYS: Final = 30


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(demo)


def demo(
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it, or print what there is and end.")] = True,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
    visits: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="How many visits of the year are told; few start sooner.")
    ] = 12_000,
) -> None:
    """Load the sample hall, replay eight months of complaints and a year of visits; then serve it, or print of it."""
    from rich.console import Console
    from rich.progress import Progress

    from projections import PROJECTIONS
    from projections.runner import Runner
    from service import log
    from service.demo.loading import PASSWORD, NotForDemo, load
    from service.demo.rating import invitation
    from service.demo.scenes import StoryBroken
    from service.parts import open_parts

    log.configure(quiet=True)
    # What is piped somewhere is as wide as the tables want to be.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    settings = Settings.from_environment()
    with ExitStack() as stack:
        dsn = stack.enter_context(database(settings))
        with open_parts(settings, dsn) as parts:
            with Progress(console=console, transient=True) as bars:
                tasks = {}

                def progress(what: str, done: int, total: int) -> None:
                    if what not in tasks:
                        tasks[what] = bars.add_task(what, total=total)
                    bars.update(tasks[what], completed=done)

                try:
                    loaded = load(parts, datetime.now(UTC), progress, visited=visits)
                except StoryBroken as error:
                    raise fail(f"{error}\nA sample of an earlier version? Set BIHUAN_HOME to a new folder.") from None
                except NotForDemo as error:
                    raise fail(str(error)) from None
            with psycopg.connect(dsn, autocommit=True) as connection:
                runner = Runner(connection, PROJECTIONS)
                if runner.take():
                    runner.catch_up()
            console.print(f"{loaded.complaints} complaints, {loaded.new} of {loaded.commands} commands were new.")
            rated = loaded.rated
            console.print(
                f"{rated.visits} visits, {rated.ratings} rated, {rated.bad} of them badly;"
                f" {rated.new} commands were new."
            )
            folder = write_tokens(parts)
            if not serve:
                from service.demo.show import show

                show(parts, console)
                return
            token = invitation(parts)
        introduce(typer.echo, host, port, folder, PASSWORD, token)
        log.configure()
        from service.cli.server import run

        run(dsn, stack, host, port, workers)


def write_tokens(parts: Parts) -> Path:
    """Make a token for each post of the tour, in files that only this user can read; those that still work stay."""
    folder = parts.settings.home.absolute() / "demo-tokens"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    registered, now = parts.book.register_now()
    for code, _ in SHOWN:
        file = folder / code
        if file.exists() and parts.accounts.token(file.read_text(encoding="ascii")) is not None:
            continue
        person = next(t.person for t in registered.tenures if t.post == code and t.covers(now))
        made = parts.accounts.add_token(person, code, "demo", TOKEN_DAYS)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(made.token)
    return folder


def introduce(say: Callable[[str], None], host: str, port: int, folder: Path, password: str, token: str) -> None:
    """Print the addresses and the log-ins."""
    from service.demo.people import STAFF

    logins = {post: person.login for person in STAFF for post in person.posts}
    say(f"\nBihuan 闭环 · sample hall on http://{host}:{port}   (API: http://{host}:{port}/docs, Ctrl-C ends)\n")
    say(f"Everybody's password: {password}")
    for code, what in SHOWN:
        say(f"  {logins[code] or '':14} {code:14} {what}")
    say(f"\nRate a visit yourself, once: http://{host}:{port}/rate#{token}   (a kiosk: /kiosk/T-W03)")
    say(f"\nTokens for the lines in the README: {folder}/<post>\n")
