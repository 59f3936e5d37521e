"""Accounts, tokens and the keys, for whoever runs the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from service.cli import database, fail, local, opened
from service.cli.offices import Login, PostCode, hold, person_of
from service.settings import Settings

if TYPE_CHECKING:
    from service.keys import Vault

users = typer.Typer(help="Accounts of staff.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens with which machines act for a person in a post.", no_args_is_help=True)
keys = typer.Typer(help="The keys that open what is sealed.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(users, name="user")
    app.add_typer(tokens, name="token")
    app.add_typer(keys, name="keys")


# Accounts.


@users.command("add")
def add_user(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name.")],
    administrator: Annotated[bool, typer.Option("--administrator", help="Give a post for administrators too.")] = False,
    post: Annotated[list[str] | None, typer.Option(help="A post to give; may be repeated.")] = None,
    site: Annotated[
        str | None, typer.Option(help="Where an administrator belongs; an empty register begins with it [HALL].")
    ] = None,
) -> None:
    """Make an account; its one-time password is printed here and stored nowhere.

    The first administrator of an empty installation is made with --administrator.
    """
    from service.adoption import administration

    with opened() as parts:
        wanted = list(post or ())
        there = parts.book.facts().register.posts
        if missing := [code for code in wanted if code not in there]:
            raise fail(f"There is no post {', '.join(missing)}; `bihuan register show` lists what there is.")
        if administrator:
            wanted.append(administration(parts.book, site))
        made = parts.accounts.add(login, name, password=None)
        # At once: whatever may still go wrong, the password is not lost.
        typer.echo(f"person             {made.person}\none-time password  {made.password}")
        for code in wanted:
            hold(parts, code, made.person, now=True)
            typer.echo(f"post               {code}")
    typer.echo("It works for one log-in within seven days, which asks for a new one.", err=True)


@users.command("reset-password")
def reset_password(login: Login) -> None:
    """Replace a forgotten password by a one-time one, printed here; the sessions of the account end."""
    with opened() as parts:
        reset = parts.accounts.reset_password(login)
    typer.echo(f"one-time password  {reset.password}")
    typer.echo(f"{reset.sessions_ended} sessions ended; {reset.tokens_left} tokens still work.", err=True)


@users.command()
def disable(login: Login) -> None:
    """Close an account: its sessions end and its tokens are revoked; its posts stay until they are left."""
    with opened() as parts:
        ended = parts.accounts.disable(login)
    typer.echo(f"Disabled; {ended.sessions} sessions ended, {ended.tokens} tokens revoked.")


@users.command()
def enable(login: Login) -> None:
    """Open a closed account again; what ended with it stays ended."""
    with opened() as parts:
        parts.accounts.enable(login)
    typer.echo("Enabled.")


@users.command("list")
def list_users() -> None:
    """List the accounts: log-in, name, state, posts held, person; separated by tabs."""
    from service.directory import codes, everyone

    with opened() as parts:
        registered, now = parts.book.register_now()
        for one in everyone(parts.pool, parts.vault):
            state = "disabled" if one.disabled_at else "one-time password" if one.change_by else "open"
            held = " ".join(codes(registered.held_by(one.person, now))) or "-"
            typer.echo(f"{one.login}\t{one.name}\t{state}\t{held}\t{one.person}")


# Tokens.


@tokens.command("add")
def add_token(
    login: Login,
    post: PostCode,
    label: Annotated[str, typer.Option(help="What the machine is called; no name of a person.")] = "cli",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it lasts, in natural days.")] = 30,
) -> None:
    """Make a token for a post that the person holds; it is printed here and stored nowhere."""
    from service.directory import require_held

    with opened() as parts:
        person = person_of(parts, login)
        registered, now = parts.book.register_now()
        require_held(registered, person, post, now)
        made = parts.accounts.add_token(person, post, label, days)
    typer.echo(made.token)
    typer.echo(f"Its id is {made.token_id}; to end it: bihuan token revoke {made.token_id}", err=True)


@tokens.command("list")
def list_tokens(login: Annotated[str | None, typer.Argument(help="Only theirs.")] = None) -> None:
    """List tokens: id, log-in, post, label, last day, whether it still works; separated by tabs."""
    from datetime import UTC, datetime

    from domain.handling import HALL_ZONE
    from service.directory import all_tokens, everyone

    with opened() as parts:
        logins = {one.person: one.login for one in everyone(parts.pool, parts.vault)}
        found = all_tokens(parts.pool) if login is None else parts.accounts.tokens_of(person_of(parts, login))
    now = datetime.now(UTC)
    for token in found:
        state = "revoked" if token.revoked_at else "ended" if token.ends_at <= now else "works"
        until = f"{token.ends_at.astimezone(HALL_ZONE):%Y-%m-%d}"
        typer.echo(f"{token.token_id}\t{logins.get(token.person, '-')}\t{token.post}\t{token.label}\t{until}\t{state}")


@tokens.command("revoke")
def revoke_token(token: Annotated[UUID, typer.Argument(help="The id, as `bihuan token list` shows it.")]) -> None:
    """End a token; a running server may take it for some seconds more."""
    with opened() as parts:
        if not parts.accounts.revoke_token(token):
            raise fail("There is no such token, or it was revoked already; `bihuan token list` shows the ids.")
    typer.echo("Revoked.")


# Keys.

PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the passphrase; without it, it is asked for.")
]


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """Ask for the passphrase, or read it; a command line would show it to everybody on the machine."""
    if file is None:
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from None
    return lines[0] if lines else ""


def _with_vault(action: Callable[[Vault], str]) -> None:
    """Do something with the keys alone: nothing else can be opened while a master key is missing."""
    from service.database import log_id, open_pool
    from service.escrow import EscrowError
    from service.keys import Vault
    from service.master import LocalMaster

    settings = Settings.from_environment()
    with database(settings) as dsn, open_pool(dsn, size=4) as pool:
        vault = Vault(pool, LocalMaster(settings.home), log_id(pool))
        try:
            typer.echo(action(vault))
        except EscrowError as error:
            raise fail(str(error)) from None
        except OSError as error:
            raise fail(f"{error.filename or 'The file'}: {error.strerror}.") from None


@keys.command("export")
def export_keys(file: Path, passphrase_file: PassphraseFile = None) -> None:
    """Write all keys into a file, the master keys under a passphrase: keep it away from the database's backups."""
    from service.escrow import export

    def action(vault: Vault) -> str:
        done = export(vault, file, _passphrase(passphrase_file, twice=True))
        return f"{done.masters} master keys and {done.keys} keys written to {file}."

    _with_vault(action)


@keys.command("import")
def import_keys(file: Path, passphrase_file: PassphraseFile = None) -> None:
    """Bring back the keys of an export; what was destroyed stays destroyed, and again changes nothing."""
    from service.escrow import import_
    from service.privacy import erased_keys

    def action(vault: Vault) -> str:
        # What the log calls erased does not come back, however old the export is.
        gone = erased_keys(vault.pool)
        done = import_(vault, file, _passphrase(passphrase_file, twice=False), destroyed=gone)
        return (
            f"Of the export of {local(done.exported_at)}: {done.masters} master keys, {done.keys} keys and"
            f" {done.secrets} secrets were missing and are back."
        )

    _with_vault(action)


@keys.command()
def rotate() -> None:
    """Make a new master key and wrap every key anew; an interrupted rotation is finished by the next."""
    from service.escrow import rotate as rotate_keys

    def action(vault: Vault) -> str:
        done = rotate_keys(vault)
        return f"{done.rewrapped} keys wrapped under master key {done.master_id}. Export the keys again."

    _with_vault(action)
