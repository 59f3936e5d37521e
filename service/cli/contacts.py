"""Intake contacts on the command line: who came with a complaint that nobody registered."""

from __future__ import annotations

from typing import Annotated

import typer

from projections.histories import Language
from service.cli import local, opened
from service.cli.cases import Lang, carry, holder


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
    from projections.contacts import CONTACTS, ContactsWanted
    from projections.contacts import contacts as listed
    from projections.words import word

    with opened() as parts, parts.pool.connection() as connection:
        _, viewer = holder(parts)
        carry(parts, CONTACTS)
        wanted = ContactsWanted(unregistered=not everything, overdue=overdue, limit=limit)
        rows, total = listed(connection, viewer, wanted)
    for row in rows:
        kind = word(f"contact_{row.kind}", language)
        typer.echo(f"{local(row.recorded_at)} {local(row.register_due):16} {row.window or '-':8} {kind}")
    typer.echo(f"{len(rows)} / {total}")
