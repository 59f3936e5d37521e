"""The register on the command line: what is entered, how it changes, who holds a post and who stands in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import fail, malformed, opened

if TYPE_CHECKING:
    from datetime import datetime

    from domain.decider import Actor, Code, PersonKey
    from domain.register import RegisterCommand
    from service.parts import Parts

posts = typer.Typer(help="Who holds which post, and who stands in.", no_args_is_help=True)
registers = typer.Typer(help="Sites, departments, windows, items and posts.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.add_typer(posts, name="post")
    app.add_typer(registers, name="register")


Login = Annotated[str, typer.Argument(help="The log-in; small and capital letters count as the same.")]
PostCode = Annotated[
    str, typer.Argument(metavar="POST", help="The code of a post, as `bihuan register show` lists it.")
]


def person_of(parts: Parts, login: str) -> PersonKey:
    """Give the person of an account. Raises UnknownAccount."""
    from service.directory import find

    return find(parts.pool, parts.vault, login).person


def hold(parts: Parts, post: Code, person: PersonKey, *, now: bool) -> bool:
    """Give a post to a person, or take it; say whether that changed anything."""
    from domain.register import LeavePost, TakePost

    kind, name = (TakePost, "take-post") if now else (LeavePost, "leave-post")
    return _change(parts, lambda at, by: kind(at=at, by=by, post=post, person=person), name)


def _change(parts: Parts, command: Callable[[datetime, Actor], RegisterCommand], name: str) -> bool:
    """Change the register as whoever runs the machine; say whether that changed anything."""
    from datetime import UTC, datetime

    from domain.decider import THE_SYSTEM
    from domain.register import REGISTER, STREAM
    from service.cli.cases import asked_as

    return bool(parts.book.transact(REGISTER, STREAM, command(datetime.now(UTC), THE_SYSTEM), asked_as(name)).events)


@posts.command()
def take(post: PostCode, login: Login) -> None:
    """Give a post to a person, from now on."""
    with opened() as parts:
        changed = hold(parts, post, person_of(parts, login), now=True)
    typer.echo("Taken." if changed else "It was held already.")


@posts.command()
def leave(post: PostCode, login: Login) -> None:
    """Take a post from a person, from now on."""
    from service.directory import require_held

    with opened() as parts:
        person = person_of(parts, login)
        registered, now = parts.book.register_now()
        require_held(registered, person, post, now)
        hold(parts, post, person, now=False)
    typer.echo("Left.")


@posts.command("deputy")
def appoint(
    post: PostCode,
    absent: Annotated[str, typer.Argument(help="The log-in of the holder who is away.")],
    deputy: Annotated[str, typer.Argument(help="The log-in of whoever stands in.")],
    since: Annotated[str | None, typer.Option(help="From when; by default from now on.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when; by default until it is ended.")] = None,
) -> None:
    """Let somebody stand in for an absent holder of a post; their acts name both."""
    from domain.register import AppointDeputy
    from service.cli.cases import moment

    with opened() as parts:
        people = person_of(parts, absent), person_of(parts, deputy)
        begins, ends = moment(since), moment(until)
        changed = _change(
            parts,
            lambda at, by: AppointDeputy(
                at=at, by=by, post=post, absent=people[0], deputy=people[1], since=begins, until=ends
            ),
            "appoint-deputy",
        )
    typer.echo("Appointed." if changed else "It was so already.")


@posts.command("end-deputy")
def end_deputy(
    post: PostCode,
    absent: Annotated[str, typer.Argument(help="The log-in of the holder who was away.")],
    deputy: Annotated[str, typer.Argument(help="The log-in of whoever stood in.")],
) -> None:
    """Let a deputy stand in no longer, from now on."""
    from domain.register import EndDeputy

    with opened() as parts:
        people = person_of(parts, absent), person_of(parts, deputy)
        _change(
            parts,
            lambda at, by: EndDeputy(at=at, by=by, post=post, absent=people[0], deputy=people[1]),
            "end-deputy",
        )
    typer.echo("Ended.")


@registers.command()
def load(
    file: Annotated[Path, typer.Argument(help="A TOML file with sites, departments, windows, items, posts.")],
) -> None:
    """Enter what a register file holds; what is there already stays as it is, and one mistake enters nothing."""
    from service.adoption import RegisterFileError, load_register

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.") from None
    with opened() as parts:
        try:
            loaded = load_register(parts.book, file.name, text)
        except RegisterFileError as error:
            raise fail(f"{error}\nNothing was entered.") from None
    typer.echo(f"{loaded.added} entered, {loaded.already} were there already.")


@registers.command("rename")
def rename(
    kind: Annotated[str, typer.Argument(help="site, department, window, item or post.")],
    code: Annotated[str, typer.Argument(help="The code of the entry.")],
    name_zh: Annotated[str, typer.Argument(help="The Chinese name from now on.")],
    name_en: Annotated[str, typer.Argument(help="The English name from now on.")],
) -> None:
    """Give an entry other names, from now on; what was told before keeps the old ones."""
    from pydantic import ValidationError

    from domain.register import EntryKind, Rename
    from service.forms.entries import RenameForm

    if kind not in set(EntryKind):
        raise fail(f"There is no kind {kind}; choose one of {', '.join(EntryKind)}.")
    try:
        names = RenameForm(name_zh=name_zh, name_en=name_en)
    except ValidationError as error:
        raise malformed(error) from None
    with opened() as parts:
        changed = _change(
            parts,
            lambda at, by: Rename(
                at=at, by=by, kind=EntryKind(kind), entry=code, name_zh=names.name_zh, name_en=names.name_en
            ),
            "rename",
        )
    typer.echo("Renamed." if changed else "It had these names already.")


@registers.command("merge")
def merge(
    department: Annotated[str, typer.Argument(help="The code of the department that goes.")],
    into: Annotated[str, typer.Argument(help="The code of the department that has its duties from now on.")],
) -> None:
    """Let a department go into another one; `bihuan hand-over --from-department` gives its open cases over."""
    from domain.register import MergeDepartment

    with opened() as parts:
        changed = _change(
            parts, lambda at, by: MergeDepartment(at=at, by=by, department=department, into=into), "merge-department"
        )
    typer.echo("Merged." if changed else "It was merged already.")


@registers.command("show")
def show_register() -> None:
    """List everything entered, and who holds which post; separated by tabs."""
    from service.directory import everyone

    with opened() as parts:
        registered, now = parts.book.register_now()
        logins = {one.person: one.login for one in everyone(parts.pool, parts.vault)}
    for site in registered.sites.values():
        typer.echo(f"site\t{site.code}\t{site.name_zh}\t{site.name_en}\t{site.level}\t{site.parent or '-'}")
    for unit in registered.departments.values():
        typer.echo(f"department\t{unit.code}\t{unit.name_zh}\t{unit.name_en}\t{unit.site}\t{unit.upper or '-'}")
    for window in registered.windows.values():
        place = f"{window.site}\t{window.department or '-'}\t{window.kind}"
        typer.echo(f"window\t{window.code}\t{window.name_zh}\t{window.name_en}\t{place}")
    for item in registered.items.values():
        days = "-" if item.promised_working_days is None else item.promised_working_days
        typer.echo(f"item\t{item.code}\t{item.name_zh}\t{item.name_en}\t{item.department}\t{days}")
    for post in registered.posts.values():
        held = [t.person for t in registered.tenures if t.post == post.code and t.covers(now)]
        holders = " ".join(logins.get(person, str(person)) for person in held) or "-"
        place = f"{post.site}\t{post.department or '-'}\t{post.window or '-'}"
        typer.echo(f"post\t{post.code}\t{post.name_zh}\t{post.name_en}\t{place}\t{post.role}\t{holders}")
