"""Erasing personal data on the command line, for the privacy officer and whoever runs the machine."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from projections.histories import Language
from service.cli import fail, opened
from service.cli.cases import Key, Lang, asked_as, carry, find, holder

privacy = typer.Typer(help="Wishes to have personal data erased.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(privacy, name="privacy")


@privacy.callback()
def _how() -> None:
    """Wishes to have personal data erased: `bihuan do` asks, decides and witnesses, `erase` destroys the keys.

    bihuan do request-erasure CASE '{"ground": "purpose_fulfilled"}', then decide-erasure, then witness-erasure by
    another person, then bihuan privacy erase CASE REQUEST. What remains: docs/operations.md, "Erasing personal data".
    """


@privacy.command("list")
def waiting(language: Lang = Language.CHINESE) -> None:
    """List what waits to be decided, witnessed or carried out, as the holder of BIHUAN_TOKEN may see it."""
    from projections.queries import Order, Wanted, docket
    from projections.restriction import PENDING
    from projections.words import word

    with opened() as parts, parts.pool.connection() as connection:
        _, viewer = holder(parts)
        carry(parts)
        page = docket(connection, viewer, Wanted(erasure=PENDING, order=Order.NEWEST, limit=200))
    for row in page.rows:
        until = "" if row.restricted_until is None else f"{row.restricted_until}"
        told = word(f"erasure_{row.erasure}", language)
        typer.echo(f"{row.complaint_no:28} {told}  {row.erasure_request}  {until}".rstrip())
    typer.echo(f"{len(page.rows)} / {page.total} · complete up to {page.complete_up_to}")


@privacy.command()
def erase(
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    request: Annotated[str, typer.Argument(help="The id of the request, as `bihuan privacy list` shows it.")],
    key: Key = None,
) -> None:
    """Destroy the keys of a case whose erasure was granted and witnessed; again, it finishes what was cut off."""
    from domain import complaint
    from service.known import known
    from service.privacy import Erasing

    try:
        named = UUID(request)
    except ValueError:
        raise fail(f"{request!r} is no request; copy it from `bihuan privacy list`.") from None
    with opened() as parts:
        by, viewer = holder(parts)
        found = find(parts, case)
        known(parts.pool, viewer, found)
        erasing = Erasing(parts.book, parts.vault, parts.settings.key_backup_days)
        done = erasing.erase(found, named, by, asked_as("erase", key, by))
    for event in done.events:
        if isinstance(event, complaint.Erased):
            more = " A key that other cases of the person need is kept." if event.person_kept else ""
            typer.echo(f"Erased; gone from backups by {event.gone_from_backups_by}.{more}")
            return
    typer.echo("It was erased before.")


@privacy.command()
def enforce() -> None:
    """Destroy again whatever the log calls erased: after a backup of the database was restored."""
    from service.privacy import Erasing

    with opened() as parts:
        back = Erasing(parts.book, parts.vault, parts.settings.key_backup_days).enforce()
    typer.echo(f"{back} keys had come back and are destroyed again.")
