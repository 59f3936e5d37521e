"""What looks forged, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from projections.histories import Language
from service.cli import fail, local, opened
from service.cli.cases import Lang, carry, holder


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command("flags")(listed)


def listed(
    detector: Annotated[str | None, typer.Option(help="Only those of this detector, such as burst.")] = None,
    cleared: Annotated[bool, typer.Option("--cleared", help="Those that a human has looked at.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    language: Lang = Language.CHINESE,
) -> None:
    """List what the detectors noticed, the newest first, as the holder of BIHUAN_TOKEN may see it.

    A flag changes no figure. Clear it with `bihuan review do clear-flag`, or appeal as a supervisor.
    """
    from domain.errors import NotYourRole
    from projections.flagged import FlagsWanted, flags
    from projections.flags import FLAGS
    from projections.reviews import REVIEWS
    from projections.words import word
    from service.web.flags import LOOKERS

    with opened() as parts:
        by, viewer = holder(parts)
        if by.role not in LOOKERS:
            raise NotYourRole(role=by.role, command="flags")
        for projection in (FLAGS, REVIEWS):
            carry(parts, projection)
        wanted = FlagsWanted(detector=detector, open=not cleared, limit=limit)
        with parts.pool.connection() as connection:
            page = flags(connection, viewer, wanted)
    if detector is not None and not page.total and word(f"detector_{detector}", language) == f"detector_{detector}":
        raise fail(f"There is no detector {detector}; `bihuan flags` without it lists what all of them noticed.")
    for row in page.rows:
        told = ", ".join(f"{name} {value}" for name, value in row.features.items())
        what = word(f"detector_{row.detector}", language)
        typer.echo(f"{row.review} {row.score:>3} {local(row.flagged_at)} {what} ({told}) {row.flag}")
    typer.echo(f"{len(page.rows)} / {page.total}")
