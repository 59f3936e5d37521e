"""Intake contacts on the command line: who came with a complaint that nobody registered."""

from __future__ import annotations

from typing import Annotated

import typer

from projections.histories import Language
from service.cli import fail, opened
from service.cli.cases import Lang, who


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("contacts")(contacts)


def contacts(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their limit.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is registered, and what was none.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    language: Lang = Language.CHINESE,
) -> None:
    """List who came with a complaint that is not registered yet, as the holder of BIHUAN_TOKEN may see them."""
    import psycopg

    from domain.handling import HALL_ZONE
    from projections.contacts import CONTACTS, ContactsWanted
    from projections.contacts import contacts as listed
    from projections.runner import Runner
    from projections.words import word

    with opened() as parts, parts.pool.connection() as connection:
        asker = who(parts)
        if asker is None:
            raise fail("Set BIHUAN_TOKEN to a token made with `bihuan token add`, so that it is known who looks.")
        with psycopg.connect(parts.dsn, autocommit=True) as own:
            runner = Runner(own, (CONTACTS,))
            if runner.take():
                runner.catch_up()
        wanted = ContactsWanted(unregistered=not everything, overdue=overdue, limit=limit)
        rows, total = listed(connection, asker[1], wanted)
    for row in rows:
        due = "-" if row.register_due is None else f"{row.register_due.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}"
        kind = word(f"contact_{row.kind}", language)
        typer.echo(f"{row.recorded_at.astimezone(HALL_ZONE):%Y-%m-%d %H:%M} {due:16} {row.window or '-':8} {kind}")
    typer.echo(f"{len(rows)} / {total}")
