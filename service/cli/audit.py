"""Auditing the log: signing how far it is, checking it, and handing proofs out."""

from __future__ import annotations

import typer

from service.cli import opened

audit = typer.Typer(help="Proofs that nothing was altered.", no_args_is_help=True)
AS_GIVEN = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": list[str]()}


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(audit, name="audit")


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
