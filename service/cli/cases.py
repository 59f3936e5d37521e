"""Cases on the command line: the docket, histories, registering and acting with a token."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID, uuid4, uuid5

import typer
from pydantic import BaseModel, ValidationError

from domain.decider import NAMESPACE, Actor, Role, beside
from domain.errors import Unknown
from projections.docket import DOCKET, fold
from projections.histories import Language, history, read_stream
from projections.queries import Order, Wanted, case_of, docket, may_know
from projections.runner import Runner
from projections.sight import Viewer, viewer
from service.casebook import Asked
from service.cli import fail, opened
from service.parts import Parts

F = TypeVar("F", bound=BaseModel)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("history")(tell)
    app.command("docket")(worklist)
    app.command("register-complaint")(complain)
    app.command("do")(act)


def moment(text: str | None) -> datetime | None:
    """Read a time with its offset, or a local one of the hall; give it in UTC."""
    from domain.handling import HALL_ZONE

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-11-22T09:00:00+08:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=HALL_ZONE)).astimezone(UTC)


def find(parts: Parts, case: str) -> UUID:
    """Give a case by its id or its complaint number; raises Unknown."""
    try:
        return UUID(case)
    except ValueError:
        with parts.pool.connection() as connection:
            found = case_of(connection, case.upper())
    if found is None:
        raise Unknown
    return found


def who(parts: Parts) -> tuple[Actor, Viewer] | None:
    """Tell who acts, by the token in BIHUAN_TOKEN; None without one. Raises a one-line exit for a bad token."""
    token = os.environ.get("BIHUAN_TOKEN")
    if not token:
        return None
    user = parts.accounts.token(token)
    registered, now = parts.book.register_now()
    if user is None or not registered.holds(user.person, user.post, now):
        raise fail(
            "BIHUAN_TOKEN is not valid any more, or its post is no longer held: make one with `bihuan token add`."
        )
    absent = registered.absent(user.person, user.post, now)
    actor = Actor(person=user.person, post=user.post, role=registered.posts[user.post].role, on_behalf_of=absent)
    return actor, viewer(registered, actor, now)


AsOf = Annotated[str | None, typer.Option("--as-of", help="What was true at this time.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="What was on record at this time.")]
Lang = Annotated[Language, typer.Option("--language", help="zh or en.")]


def tell(
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    language: Lang = Language.CHINESE,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell a case in sentences, as it stood at any moment by either clock.

    With BIHUAN_TOKEN set, what its holder may know; without, everything (whoever reaches the data folder has all).
    """
    from domain.handling import HALL_ZONE

    with opened() as parts:
        key = find(parts, case)
        at, known = moment(as_of), moment(known_at)
        asker = who(parts)
        with parts.pool.connection() as connection:
            now = fold(read_stream(connection, key))
            if now is None or (asker is not None and not may_know(connection, asker[1], now)):
                raise Unknown
            entries = read_stream(connection, key, as_of=at, known_at=known)
            beside_it = [
                one
                for kind in ("attempts", "access")
                if asker is None or asker[0].role in {Role.SUPERVISOR, Role.AUDITOR}
                for one in read_stream(connection, beside(key, kind), as_of=at, known_at=known)
            ]
        row = fold(entries)
        entries = sorted([*entries, *beside_it], key=lambda one: one.position)
        lines = history(entries, parts.book.facts().register, language)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, default=str, indent=1))
        return
    from projections.words import word

    if row is None:
        typer.echo("尚未登记" if language is Language.CHINESE else "not yet registered then")
        return
    due = "" if row.due is None else f" · {row.due.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}"
    typer.echo(f"{row.complaint_no} · {word(row.step, language)}{due}")
    for line in lines:
        local = line.at.astimezone(HALL_ZONE)
        typer.echo(f"{line.version:>3}  {local:%Y-%m-%d %H:%M}  {line.who}: {line.said}")


def worklist(
    step: Annotated[str | None, typer.Option(help="Only cases at this step.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    language: Lang = Language.CHINESE,
) -> None:
    """List cases, those due first at the top, as the holder of BIHUAN_TOKEN may see them."""
    from domain.handling import HALL_ZONE
    from projections.words import word

    with opened() as parts, parts.pool.connection() as connection:
        asker = who(parts)
        if asker is None:
            raise fail("Set BIHUAN_TOKEN to a token made with `bihuan token add`, so that it is known who looks.")
        carry(parts)
        page = docket(connection, asker[1], Wanted(step=step, limit=limit, order=Order.DUE))
    for row in page.rows:
        due = "-" if row.due is None else f"{row.due.astimezone(HALL_ZONE):%Y-%m-%d %H:%M}"
        typer.echo(f"{row.complaint_no:28} {due:16} {word(row.step, language)}  {row.department or ''}")
    typer.echo(f"{len(page.rows)} / {page.total} · complete up to {page.complete_up_to}")


def carry(parts: Parts) -> None:
    """Bring the projections to the end where no running server does."""
    import psycopg

    with psycopg.connect(parts.dsn, autocommit=True) as connection:
        runner = Runner(connection, (DOCKET,))
        if runner.take():
            runner.catch_up()


def asked_as(name: str, key: str | None, by: Actor | None) -> Asked:
    """Say how a command of the command line comes in; with a key the same one never acts twice."""
    person = "cli" if by is None else str(by.person)
    command_id = uuid4() if key is None else uuid5(uuid5(NAMESPACE, f"key:{person}"), key)
    return Asked(command_id=command_id, source="cli", name=name)


def _form(form: type[F], text: str) -> F:
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc'])) or 'JSON'}: {e['msg']}" for e in error.errors(include_input=False))
        raise fail("Malformed; nothing was changed.\n" + "\n".join(faults)) from None


Key = Annotated[str | None, typer.Option("--key", help="Idempotency key: the same key never acts twice.")]


def complain(
    text: Annotated[str, typer.Argument(help='JSON such as {"hall": "GXQ", "narrative": "…"}.')], key: Key = None
) -> None:
    """Register a complaint; prints number and query code."""
    from service.forms.intake import RegisterForm

    form = _form(RegisterForm, text)
    with opened() as parts:
        asker = who(parts)
        by = None if asker is None else asker[0]
        receipt = parts.desk.register(form, by, asked_as("register", key, by))
    typer.echo(f"{receipt.complaint_no}\n{receipt.query_code}\n{receipt.case}")


def act(
    command: Annotated[str, typer.Argument(help="What to do, such as accept, assign, sign-for, reply, close.")],
    case: Annotated[str, typer.Argument(help="The complaint number, or the id.")],
    text: Annotated[str, typer.Argument(help="The form in JSON.")] = "{}",
    key: Key = None,
) -> None:
    """Act on a case, as the holder of BIHUAN_TOKEN; prints the new version and what was created."""
    from service.forms import FORMS

    if command not in FORMS:
        raise fail(f"There is no command {command}; choose one of {', '.join(FORMS)}.")
    form = _form(FORMS[command], text)
    with opened() as parts:
        asker = who(parts)
        if asker is None:
            raise fail("Set BIHUAN_TOKEN to a token made with `bihuan token add`: acts have a person.")
        found = find(parts, case)
        with parts.pool.connection() as connection:
            for one in (found, *form.others):
                row = fold(read_stream(connection, one))
                if row is None or not may_know(connection, asker[1], row):
                    raise Unknown
        done = parts.desk.act(found, form, asker[0], asked_as(command, key, asker[0]))
    typer.echo(f"version {done.version}, position {done.position}")
    for event in done.events:
        made = [
            f"{name} {getattr(event, name)}" for name in ("reply", "rectification", "evidence") if hasattr(event, name)
        ]
        typer.echo(f"{type(event).__name__} {' '.join(made)}".rstrip())
